/* Promises that the pattern language means what language.md sections 5 and 17.14 say, by translating it into
 * one anchored PCRE2 program over octets. Must not know who sets which field; it knows field names only to
 * refuse wrong ones. */
#include "rules/pattern.h"

#include <stdio.h>

#include "model/address.h"
#include "rules/regex.h"

enum { CAPTURES_MAX = 32, PROGRAM_MAX = 64 * 1024 };

struct pattern {
	struct slice text;
	struct regex *regex;
	size_t n; /* captures */
	struct slice *names;
	enum value_type *types;
	bool *address;        /* must parse as one */
	struct slice literal; /* stands in every text that fits; may be absent */
};

#define HEX4 "[0-9A-Fa-f]{1,4}"
#define V4   "\\d{1,3}(?:\\.\\d{1,3}){3}"
#define V6                                                                                                   \
	"(?:(?:" HEX4 "(?::" HEX4 "){0,6})?::(?:(?:" HEX4 ":){0,6}(?:" V4 "|" HEX4 "))?"                     \
	"|(?:" HEX4 ":){6}" V4 "|(?:" HEX4 ":){7}" HEX4 ")"

struct capture_type {
	const char *name;
	const char *regex; /* @ is where the capture begins, ~ where it ends; without them the whole is it */
	enum value_type type;
	bool address;
};

static const struct capture_type types[] = {
    {"word", "\\S+?", VALUE_TEXT, false},
    {"text", ".+?", VALUE_TEXT, false},
    {"rest", ".+", VALUE_TEXT, false},
    {"int", "[+-]?\\d+", VALUE_NUMBER, false},
    {"num", "[+-]?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?", VALUE_NUMBER, false},
    {"ip", V6 "|" V4, VALUE_IP, true},
    {"mac", "[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(?:\\.[0-9A-Fa-f]{4}){2}", VALUE_TEXT,
     false},
    {"host", V6 "|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", VALUE_TEXT, false},
    {"hex", "(?:0[xX])?[0-9A-Fa-f]+", VALUE_TEXT, false},
    {"quoted", "\"@(?:[^\"\\\\]|\\\\.)*~\"|'@(?:[^'\\\\]|\\\\.)*~'", VALUE_TEXT, false},
};
static const char *const type_names[] = {"word", "text", "rest", "int", "num",
                                         "ip",   "mac",  "host", "hex", "quoted"};

struct builder {
	struct arena *a;
	struct slice text;
	size_t at;
	struct buf program;
	struct buf plain; /* the plain text under the cursor */
	struct slice longest;
	struct slice names[CAPTURES_MAX];
	const struct capture_type *kinds[CAPTURES_MAX];
	size_t n;
	bool utf;   /* a /regex/ in it needs UTF-8 */
	bool loose; /* the last piece was a capture without a type */
	struct pattern_fault *fault;
};

static const struct capture_type free_type = {"/regex/", NULL, VALUE_TEXT, false};

static int fault_at(struct builder *b, size_t at, size_t len, const char *code)
{
	b->fault->at = at;
	b->fault->len = len;
	b->fault->code = code;
	return -1;
}

/* ---- plain text */

static void end_plain(struct builder *b)
{
	if (b->plain.n > b->longest.n)
		b->longest = arena_slice(b->a, buf_slice(&b->plain));
	buf_clear(&b->plain);
}

/* ASCII other than letters and digits is written by number, so that nothing is special. */
static void add_plain(struct builder *b, char c)
{
	unsigned char u = (unsigned char)c;
	bool simple = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	              c == ' ' || u >= 0x80;
	if (simple)
		buf_char(&b->program, c);
	else
		buf_printf(&b->program, "\\x%02x", u);
	buf_char(&b->plain, c);
	b->loose = false;
}

static void add_dots(struct builder *b)
{
	end_plain(b);
	buf_str(&b->program, ".*?");
	b->loose = false;
}

/* ---- ${…} */

/* The octets of "${…}" from its '$', or 0. Braces inside must balance, escaped ones do not count. */
static size_t expression_length(struct slice s)
{
	size_t depth = 0;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '{')
			depth++;
		else if (s.p[i] == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static const struct capture_type *find_type(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (slice_is(name, types[i].name))
			return &types[i];
	}
	return NULL;
}

static int unknown_type(struct builder *b, struct slice type, size_t at)
{
	const char *near = suggest(type, type_names, ARRAY_LEN(type_names));
	error_set(&b->fault->error,
	          "'" SLICE_FMT
	          "' must be one of word, text, rest, int, num, ip, mac, host, hex, quoted, /regex/%s%s%s",
	          SLICE_ARG(type), near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
	          near != NULL ? "'?" : "");
	return fault_at(b, at, type.n, "E011");
}

/* Alone it must be a pattern of its own: nothing in it may reach out of its parentheses. */
static int check_regex(struct builder *b, struct slice inner, size_t at)
{
	struct regex *r = regex_new(inner, (struct regex_options){.dotall = true}, &b->fault->error);
	if (r == NULL) {
		error_wrap(&b->fault->error, "regex");
		return fault_at(b, at, inner.n, "E022");
	}
	size_t named = regex_named_groups(r);
	b->utf |= regex_is_utf(r);
	regex_free(r);
	if (named > 0) {
		error_set(&b->fault->error,
		          "regex: a named group inside of /…/ is not available; name the field before "
		          "the colon instead");
		return fault_at(b, at, inner.n, "E022");
	}
	return 0;
}

/* The type's program with its capture as a group of name "c<number>"; both ways of quoting share it by branch
 * reset. */
static void add_typed(struct builder *b, const struct capture_type *t, bool captures)
{
	const char *at = strchr(t->regex, '@');
	if (at == NULL || !captures) {
		if (captures)
			buf_printf(&b->program, "(?<c%zu>", b->n - 1);
		else
			buf_str(&b->program, "(?:");
		for (const char *p = t->regex; *p != '\0'; p++) {
			if (*p != '@' && *p != '~')
				buf_char(&b->program, *p);
		}
		buf_char(&b->program, ')');
		return;
	}
	buf_str(&b->program, "(?|");
	for (const char *p = t->regex; *p != '\0'; p++) {
		if (*p == '@')
			buf_printf(&b->program, "(?<c%zu>", b->n - 1);
		else
			buf_char(&b->program, *p == '~' ? ')' : *p);
	}
	buf_char(&b->program, ')');
}

static int add_capture(struct builder *b, struct slice name, size_t at, const struct capture_type *kind)
{
	if (!field_valid(name)) {
		error_set(&b->fault->error,
		          "field name '" SLICE_FMT "' is not valid; use lower-case letters, digits and '_'",
		          SLICE_ARG(name));
		return fault_at(b, at, name.n, "E010");
	}
	for (size_t i = 0; i < b->n; i++) {
		if (slice_eq(b->names[i], name)) {
			error_set(&b->fault->error,
			          "pattern: '" SLICE_FMT "' is captured twice; give one of them another name",
			          SLICE_ARG(name));
			return fault_at(b, at, name.n, "E080");
		}
	}
	if (b->n == CAPTURES_MAX) {
		error_set(&b->fault->error, "pattern: more than %d captures; split it into two decoders",
		          CAPTURES_MAX);
		return fault_at(b, at, name.n, "E080");
	}
	b->names[b->n] = arena_slice(b->a, name);
	b->kinds[b->n++] = kind;
	return 0;
}

static int add_expression(struct builder *b)
{
	size_t start = b->at;
	struct slice rest = slice_sub(b->text, start, b->text.n - start);
	size_t length = expression_length(rest);
	if (length == 0) {
		error_set(&b->fault->error, "pattern: '${' without '}'; write ${name} or ${name:type}");
		return fault_at(b, start, rest.n, "E007");
	}
	struct slice type = slice_sub(rest, 2, length - 3), name = SLICE_NONE;
	bool typed = slice_split(&type, ':', &name) && type.p != NULL;
	size_t type_at = typed ? (size_t)(type.p - b->text.p) : start;
	bool regex = typed && type.n >= 2 && type.p[0] == '/' && type.p[type.n - 1] == '/';
	const struct capture_type *kind = regex ? &free_type : find_type(typed ? type : SLICE("word"));
	if (kind == NULL)
		return unknown_type(b, type, type_at);
	if (name.n == 0 && !typed) {
		error_set(&b->fault->error,
		          "pattern: '${}' names no field; write ${name}, or '...' for any text");
		return fault_at(b, start, length, "E007");
	}
	if (name.n > 0 && b->loose) {
		error_set(&b->fault->error,
		          "pattern: two captures need text between them, or a type on the first");
		return fault_at(b, start, length, "E080");
	}
	if (name.n > 0 && add_capture(b, name, start + 2, kind) != 0)
		return -1;
	if (regex) {
		struct slice inner = slice_sub(type, 1, type.n - 2);
		if (check_regex(b, inner, type_at + 1) != 0)
			return -1;
		if (name.n > 0)
			buf_printf(&b->program, "(?<c%zu>", b->n - 1);
		else
			buf_str(&b->program, "(?:");
		buf_adds(&b->program, inner);
		buf_char(&b->program, ')');
	} else {
		add_typed(b, kind, name.n > 0);
	}
	end_plain(b);
	b->loose = name.n > 0 && !typed;
	b->at += length;
	return 0;
}

/* ---- the whole */

static int translate(struct builder *b)
{
	while (b->at < b->text.n) {
		struct slice rest = slice_sub(b->text, b->at, b->text.n - b->at);
		if (slice_starts(rest, SLICE("${"))) {
			if (add_expression(b) != 0)
				return -1;
		} else if (slice_starts(rest, SLICE("..."))) {
			add_dots(b);
			b->at += 3;
		} else {
			add_plain(b, rest.p[0]);
			b->at++;
		}
	}
	end_plain(b);
	return 0;
}

static struct pattern *finish(struct builder *b, bool jit)
{
	struct regex_options o = {.jit = jit,
	                          .anchored_whole = true,
	                          .dotall = true,
	                          .only_named = true,
	                          .octets = !b->utf,
	                          .max = PROGRAM_MAX};
	struct regex *r = regex_new(buf_slice(&b->program), o, &b->fault->error);
	if (r == NULL) {
		error_wrap(&b->fault->error, "pattern");
		fault_at(b, 0, b->text.n, "E022");
		return NULL;
	}
	BUG_ON(regex_groups(r) != b->n);
	struct pattern *p = arena_alloc(b->a, sizeof *p);
	*p = (struct pattern){
	    .text = arena_slice(b->a, b->text), .regex = r, .n = b->n, .literal = b->longest};
	p->names = arena_array(b->a, b->n, sizeof *p->names);
	p->types = arena_array(b->a, b->n, sizeof *p->types);
	p->address = arena_array(b->a, b->n, sizeof *p->address);
	for (size_t i = 0; i < b->n; i++) {
		p->names[i] = b->names[i];
		p->types[i] = b->kinds[i]->type;
		p->address[i] = b->kinds[i]->address;
	}
	return p;
}

struct pattern *pattern_new(struct arena *a, struct slice text, bool jit, struct pattern_fault *fault)
{
	*fault = (struct pattern_fault){.code = ""};
	struct builder b = {.a = a, .text = text, .fault = fault};
	struct pattern *p = NULL;
	if (text.n > REGEX_PATTERN_MAX) {
		error_set(&fault->error,
		          "the pattern has %zu octets, %d are allowed; split it into two decoders", text.n,
		          REGEX_PATTERN_MAX);
		fault_at(&b, 0, text.n, "E022");
	} else if (translate(&b) == 0) {
		p = finish(&b, jit);
	}
	buf_free(&b.program);
	buf_free(&b.plain);
	return p;
}

void pattern_close(struct pattern *p)
{
	if (p == NULL)
		return;
	regex_free(p->regex);
	p->regex = NULL;
}

size_t pattern_captures(const struct pattern *p, const struct slice **names,
                        const enum value_type **out_types)
{
	*names = p->names;
	*out_types = p->types;
	return p->n;
}

bool pattern_match(const struct pattern *p, struct slice text, struct slice *captures)
{
	BUG_ON(p->regex == NULL);
	/* most texts fail here, for the price of one memmem */
	if (p->literal.n > 0 && !slice_contains(text, p->literal))
		return false;
	if (regex_captures(p->regex, text, captures, p->n) != REGEX_YES)
		return false;
	struct address address;
	for (size_t i = 0; i < p->n; i++) {
		if (p->address[i] && !address_parse(captures[i], &address))
			return false;
	}
	return true;
}

struct slice pattern_text(const struct pattern *p)
{
	return p->text;
}
