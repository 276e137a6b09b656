/* Promises that a pattern of a rule author can neither loop nor eat memory: look-around, back-references,
 * recursion, verbs and callouts are refused by name, and what is left runs under PCRE2's match, depth and
 * heap limits. A pattern is compiled when it is made, for its errors, and once more when it first meets a
 * text: of ten thousand rules the index shows most patterns no text at all, and a program is ten times as
 * large as its pattern. Must not know fields or rules. One regex is used by one thread.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { MATCH_LIMIT = 10000, DEPTH_LIMIT = 10000, HEAP_LIMIT_KIB = 4096, GROUPS_MAX = 64 };
enum { COLD_TEXTS = 16 }; /* the JIT costs as much as so many texts and more */

struct regex {
	/* NULL until the first text; all three or none */
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint32_t options, groups, named;
	uint32_t texts; /* seen before the JIT was asked */
	bool jit, jitted, utf, failed;
	size_t n;
	char pattern[];
};

struct refusal {
	const char *start;
	const char *what, *next;
};

#define ONE_PASS "because patterns must be matched in one pass"

/* Longer beginnings stand first. */
static const struct refusal refused_groups[] = {
    {"(?<=", "look-behind", "use a second condition or 'not:'"},
    {"(?<!", "negative look-behind", "use a second condition or 'not:'"},
    {"(?=", "look-ahead", "use a second condition or 'not:'"},
    {"(?!", "negative look-ahead", "use a second condition or 'not:'"},
    {"(?*", "look-around", "use a second condition or 'not:'"},
    {"(?<*", "look-around", "use a second condition or 'not:'"},
    {"(?(", "a conditional group", "write the cases as alternatives or as a list of patterns"},
    {"(?R", "recursion", "write the repetition out"},
    {"(?&", "recursion", "write the repetition out"},
    {"(?P>", "recursion", "write the repetition out"},
    {"(?P=", "a back-reference", "extract both values in a decoder"},
    {"(?C", "a callout", "remove it"},
    {"(*", "a verb", "remove it"},
};

static int refuse(struct error *err, const char *what, struct slice piece, const char *next)
{
	return error_set(err, "%s '" SLICE_FMT "' is not available, " ONE_PASS "; %s", what, SLICE_ARG(piece),
	                 next);
}

static int check_group(struct slice rest, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refused_groups); i++) {
		const struct refusal *r = &refused_groups[i];
		if (slice_starts(rest, slice_str(r->start)))
			return refuse(err, r->what, slice_str(r->start), r->next);
	}
	/* (?1) (?+1) (?-1), but not the options (?-i) */
	if (rest.n >= 3 && rest.p[1] == '?') {
		size_t at = rest.p[2] == '+' || rest.p[2] == '-' ? 3 : 2;
		if (at < rest.n && rest.p[at] >= '0' && rest.p[at] <= '9')
			return refuse(err, "recursion", slice_sub(rest, 0, at + 1),
			              "write the repetition out");
	}
	return 0;
}

static int check_escape(char c, bool in_class, struct error *err)
{
	char text[3] = {'\\', c, 0};
	struct slice piece = {text, 2};
	if (in_class)
		return 0;
	if ((c >= '1' && c <= '9') || c == 'g' || c == 'k')
		return refuse(err, "the back-reference", piece,
		              "extract both values in a decoder and compare there");
	if (c == 'K')
		return refuse(err, "the reset of the match start", piece, "remove it");
	if (c == 'C')
		return refuse(err, "the single code unit", piece, "use '.'");
	return 0;
}

/* Walks over the syntax just far enough to tell what stands in a class or a quotation from what is meant. */
static int check_syntax(struct slice p, struct error *err)
{
	bool in_class = false, quoted = false;
	for (size_t i = 0; i < p.n; i++) {
		char c = p.p[i];
		bool more = i + 1 < p.n;
		if (quoted) {
			if (c == '\\' && more && p.p[i + 1] == 'E') {
				quoted = false;
				i++;
			}
		} else if (c == '\\' && more) {
			i++;
			if (p.p[i] == 'Q')
				quoted = true;
			else if (check_escape(p.p[i], in_class, err) != 0)
				return -1;
		} else if (in_class) {
			if (c == '[' && more && p.p[i + 1] == ':') {
				const char *end = memmem(p.p + i + 2, p.n - i - 2, ":]", 2);
				if (end != NULL)
					i = (size_t)(end - p.p) + 1;
			} else if (c == ']') {
				in_class = false;
			}
		} else if (c == '[') {
			in_class = true;
			if (i + 1 < p.n && p.p[i + 1] == '^')
				i++;
			if (i + 1 < p.n && p.p[i + 1] == ']')
				i++;
		} else if (c == '(' && check_group(slice_sub(p, i, p.n - i), err) != 0) {
			return -1;
		}
	}
	return 0;
}

static bool needs_utf(struct slice p)
{
	for (size_t i = 0; i < p.n; i++) {
		if ((unsigned char)p.p[i] >= 0x80)
			return true;
		if (p.p[i] != '\\' || i + 1 >= p.n)
			continue;
		char c = p.p[++i];
		bool braced = i + 1 < p.n && p.p[i + 1] == '{';
		if (c == 'p' || c == 'P' || c == 'X' || (braced && (c == 'x' || c == 'o' || c == 'N')))
			return true;
	}
	return false;
}

static uint32_t options_of(struct regex_options o, bool utf)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP;
	if (utf)
		options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	else
		options |= PCRE2_NEVER_UTF;
	if (o.anchored_whole)
		options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
	if (o.dotall)
		options |= PCRE2_DOTALL;
	if (o.only_named)
		options |= PCRE2_NO_AUTO_CAPTURE;
	return options;
}

static pcre2_code *compile(struct slice p, uint32_t options, struct error *err)
{
	int code;
	size_t at;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)(p.n > 0 ? p.p : ""), p.n, options, &code, &at, NULL);
	if (re == NULL) {
		char why[160];
		if (pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why) < 0)
			snprintf(why, sizeof why, "error %d", code);
		error_set(err, "%s (at character %zu of the pattern)", why, at + 1);
	}
	return re;
}

struct regex *regex_new(struct slice pattern, struct regex_options o, struct error *err)
{
	size_t max = o.max > 0 ? o.max : REGEX_PATTERN_MAX;
	if (pattern.n > max) {
		error_set(err, "the pattern has %zu octets, %zu are allowed; split it into several",
		          pattern.n, max);
		return NULL;
	}
	if (check_syntax(pattern, err) != 0)
		return NULL;
	bool utf = !o.octets && needs_utf(pattern);
	uint32_t options = options_of(o, utf), groups = 0, named = 0;
	pcre2_code *code = compile(pattern, options, err);
	if (code == NULL)
		return NULL;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &named);
	pcre2_code_free(code);
	if (groups > GROUPS_MAX) {
		error_set(err, "more than %d groups; use (?:…) where nothing is captured", GROUPS_MAX);
		return NULL;
	}
	struct regex *r = xcalloc(1, sizeof *r + pattern.n);
	*r = (struct regex){
	    .options = options, .groups = groups, .named = named, .jit = o.jit, .utf = utf, .n = pattern.n};
	if (pattern.n > 0)
		memcpy(r->pattern, pattern.p, pattern.n);
	return r;
}

static void program_free(struct regex *r)
{
	pcre2_match_context_free(r->context);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
}

static void program_make(struct regex *r)
{
	struct error err;
	BUG_ON(r->code != NULL || r->failed);
	r->code = compile(slice_of(r->pattern, r->n), r->options, &err);
	r->data = r->code != NULL ? pcre2_match_data_create_from_pattern(r->code, NULL) : NULL;
	r->context = pcre2_match_context_create(NULL);
	if (r->data == NULL || r->context == NULL) {
		/* it compiled once: only memory can be short now */
		program_free(r);
		r->code = NULL;
		r->data = NULL;
		r->context = NULL;
		r->failed = true;
		return;
	}
	pcre2_set_match_limit(r->context, MATCH_LIMIT);
	pcre2_set_depth_limit(r->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(r->context, HEAP_LIMIT_KIB);
}

/* Once. A pattern that the JIT cannot take, or a system that forbids it, stays interpreted: slower, same
 * answer. */
static void translate(struct regex *r)
{
	r->jitted = r->jit && pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) == 0;
	r->jit = false;
}

void regex_free(struct regex *r)
{
	if (r == NULL)
		return;
	program_free(r);
	free(r);
}

static bool gave_up(int rc)
{
	return rc < 0 && rc != PCRE2_ERROR_NOMATCH;
}

static int interpret(const struct regex *r, struct slice text)
{
	PCRE2_SPTR p = (PCRE2_SPTR)(text.n > 0 ? text.p : "");
	return pcre2_match(r->code, p, text.n, 0, PCRE2_NO_JIT, r->data, r->context);
}

static int execute(const struct regex *r, struct slice text)
{
	PCRE2_SPTR p = (PCRE2_SPTR)(text.n > 0 ? text.p : "");
	return pcre2_jit_match(r->code, p, text.n, 0, 0, r->data, r->context);
}

/* >= 0: matched. Where one of the two ways gives up the other is asked, whichever came first: they count
 * their limits differently, and the answer must not depend on how many texts came before. */
static int run(struct regex *r, struct slice text)
{
	if (r->code == NULL && !r->failed)
		program_make(r);
	if (r->code == NULL)
		return PCRE2_ERROR_NOMEMORY;
	if (r->jit && ++r->texts > COLD_TEXTS)
		translate(r);
	int rc = r->jitted ? execute(r, text) : interpret(r, text);
	if (!gave_up(rc))
		return rc;
	if (r->jitted)
		return interpret(r, text);
	if (r->jit)
		translate(r);
	return r->jitted ? execute(r, text) : rc;
}

static enum regex_result verdict(int rc)
{
	if (rc >= 0)
		return REGEX_YES;
	return rc == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_LIMIT;
}

/* What is made late changes no answer: for others it is constant. */
static struct regex *own(const struct regex *r)
{
	return (struct regex *)(uintptr_t)r;
}

enum regex_result regex_match(const struct regex *r, struct slice text)
{
	return verdict(run(own(r), text));
}

enum regex_result regex_captures(const struct regex *r, struct slice text, struct slice *groups, size_t n)
{
	BUG_ON(n > r->groups);
	enum regex_result result = verdict(run(own(r), text));
	if (result != REGEX_YES)
		return result;
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->data);
	for (size_t i = 0; i < n; i++) {
		PCRE2_SIZE from = at[2 * i + 2], to = at[2 * i + 3];
		bool absent = from == PCRE2_UNSET || to == PCRE2_UNSET || from > to;
		groups[i] = absent ? SLICE_NONE : (struct slice){text.p + from, to - from};
		BUG_ON(!absent && to > text.n);
	}
	return REGEX_YES;
}

size_t regex_groups(const struct regex *r)
{
	return r->groups;
}

size_t regex_named_groups(const struct regex *r)
{
	return r->named;
}

bool regex_is_utf(const struct regex *r)
{
	return r->utf;
}
