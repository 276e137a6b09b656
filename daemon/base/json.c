/* Promises one pass over the text, bounded depth and node count, and strict RFC 8259 - with two additions
 * that the RFC leaves open: a UTF-8 BOM in front is skipped (section 8.1), the last of equal keys is kept
 * (section 4). Must not know what the members mean. Strings without escapes are slices of the input. */
#include "base/json.h"

#include <math.h>

#include "base/hmap.h"

enum { FEW_MEMBERS = 16, DEEPEST = 512 };

struct parser {
	struct arena *arena;
	struct slice text;
	size_t at;
	size_t depth, max_depth;
	size_t nodes, max_nodes;
	struct error *err;
};

static bool value(struct parser *p, struct json *out);

static bool fail(const struct parser *p, const char *what)
{
	error_set(p->err, "not valid JSON at octet %zu: %s", p->at, what);
	return false;
}

static int peek(const struct parser *p)
{
	return p->at < p->text.n ? (unsigned char)p->text.p[p->at] : -1;
}

static int peek_token(struct parser *p)
{
	for (int c;; p->at++) {
		c = peek(p);
		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return c;
	}
}

static bool accept(struct parser *p, int c)
{
	if (peek_token(p) != c)
		return false;
	p->at++;
	return true;
}

/* Any of eight octets that ends a plain run of a string? (control, quote, backslash, not ASCII) */
static bool special8(const char *s)
{
	const uint64_t ones = 0x0101010101010101U, high = ones << 7;
	uint64_t w;
	memcpy(&w, s, 8);
	uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
	uint64_t hit = w | (w - ones * ' ') | (quote - ones) | (slash - ones);
	return (hit & high) != 0;
}

static void skip_plain(struct parser *p)
{
	while (p->text.n - p->at >= 8 && !special8(p->text.p + p->at))
		p->at += 8;
	for (int c; (c = peek(p)) >= ' ' && c < 0x80 && c != '"' && c != '\\';)
		p->at++;
}

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hexadecimal digits at `at`, or -1. */
static int hex4(const struct parser *p, size_t at)
{
	int v = 0;
	if (at > p->text.n || p->text.n - at < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int d = hex((unsigned char)p->text.p[at + i]);
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(0xf0U << (4 - n) | c);
	return n;
}

/* Behind "\u". A lone surrogate becomes U+FFFD; a low one that does not fit stays for the next turn. */
static bool unicode_escape(struct parser *p, char *to, size_t *n)
{
	int hi = hex4(p, p->at);
	if (hi < 0)
		return fail(p, "expected four hexadecimal digits");
	p->at += 4;
	uint32_t c = (uint32_t)hi;
	if (hi >= 0xd800 && hi <= 0xdfff) {
		bool pair = hi <= 0xdbff && slice_starts(slice_sub(p->text, p->at, 2), SLICE("\\u"));
		int lo = pair ? hex4(p, p->at + 2) : -1;
		c = 0xfffd;
		if (lo >= 0xdc00 && lo <= 0xdfff) {
			c = 0x10000 + ((uint32_t)(hi - 0xd800) << 10) + (uint32_t)(lo - 0xdc00);
			p->at += 6;
		}
	}
	*n += put_utf8(to + *n, c);
	return true;
}

/* Behind the backslash. */
static bool escape(struct parser *p, char *to, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	int c = peek(p);
	const char *hit = c > 0 ? strchr(from, c) : NULL;
	if (c == 'u') {
		p->at++;
		return unicode_escape(p, to, n);
	}
	if (hit == NULL)
		return fail(p, "unknown escape in a string");
	p->at++;
	to[(*n)++] = into[hit - from];
	return true;
}

/* Moves to the closing quote; counts the escapes on the way. */
static bool scan_string(struct parser *p, size_t *escapes)
{
	for (*escapes = 0;;) {
		skip_plain(p);
		int c = peek(p);
		if (c == '"')
			return true;
		if (c < 0)
			return fail(p, "the string has no end");
		if (c < ' ')
			return fail(p, "control character in a string");
		size_t n = c == '\\' ? 2 : slice_char(p->text, p->at);
		if (n == 0)
			return fail(p, "text is not UTF-8");
		*escapes += c == '\\';
		p->at = MIN(p->at + n, p->text.n);
	}
}

/* The text between `from` and the closing quote, escapes decoded; no escape is shorter than what it stands
 * for. */
static bool decode_string(struct parser *p, size_t from, size_t end, struct slice *out)
{
	char *to = arena_alloc(p->arena, end - from);
	size_t n = 0;
	for (p->at = from; p->at < end;) {
		const char *run = p->text.p + p->at, *slash = memchr(run, '\\', end - p->at);
		size_t len = slash != NULL ? (size_t)(slash - run) : end - p->at;
		memcpy(to + n, run, len);
		n += len;
		p->at += len;
		if (slash == NULL)
			break;
		p->at++;
		if (!escape(p, to, &n))
			return false;
	}
	BUG_ON(p->at != end || n > end - from);
	*out = (struct slice){to, n};
	return true;
}

/* At the opening quote. */
static bool string(struct parser *p, struct slice *out)
{
	size_t from = ++p->at, escapes;
	if (!scan_string(p, &escapes))
		return false;
	size_t end = p->at;
	*out = slice_sub(p->text, from, end - from);
	if (escapes > 0 && !decode_string(p, from, end, out))
		return false;
	p->at = end + 1;
	return true;
}

static bool skip_digits(struct parser *p)
{
	size_t from = p->at;
	for (int c; (c = peek(p)) >= '0' && c <= '9';)
		p->at++;
	return p->at > from;
}

/* RFC 8259 section 6 */
static bool number(struct parser *p, struct json *out)
{
	size_t from = p->at;
	if (peek(p) == '-')
		p->at++;
	if (peek(p) == '0')
		p->at++;
	else if (!skip_digits(p))
		return fail(p, "expected a value");
	if (peek(p) == '.') {
		p->at++;
		if (!skip_digits(p))
			return fail(p, "expected a digit behind the point");
	}
	if (peek(p) == 'e' || peek(p) == 'E') {
		p->at++;
		if (peek(p) == '+' || peek(p) == '-')
			p->at++;
		if (!skip_digits(p))
			return fail(p, "expected a digit in the exponent");
	}
	out->kind = JSON_NUMBER;
	out->text = slice_sub(p->text, from, p->at - from);
	return true;
}

static bool word(struct parser *p, struct json *out, struct slice w, enum json_kind kind)
{
	if (!slice_eq(slice_sub(p->text, p->at, w.n), w))
		return fail(p, "expected a value");
	p->at += w.n;
	out->kind = kind;
	out->boolean = kind == JSON_BOOL && w.n == 4;
	return true;
}

static struct json *node_new(struct parser *p)
{
	if (p->nodes >= p->max_nodes) {
		error_set(p->err, "JSON has more than %zu values", p->max_nodes);
		return NULL;
	}
	p->nodes++;
	return arena_alloc(p->arena, sizeof(struct json));
}

static bool enter(struct parser *p, struct json *out, enum json_kind kind)
{
	p->at++;
	out->kind = kind;
	if (++p->depth > p->max_depth) {
		error_set(p->err, "JSON is nested deeper than %zu levels at octet %zu", p->max_depth,
		          p->at - 1);
		return false;
	}
	return true;
}

static bool array(struct parser *p, struct json *out)
{
	struct json **tail = &out->first;
	if (!enter(p, out, JSON_ARRAY))
		return false;
	if (!accept(p, ']')) {
		do {
			struct json *x = node_new(p);
			if (x == NULL || !value(p, x))
				return false;
			*tail = x;
			tail = &x->next;
			out->n++;
		} while (accept(p, ','));
		if (!accept(p, ']'))
			return fail(p, "expected ',' or ']'");
	}
	p->depth--;
	return true;
}

static struct json *member_find(const struct json *o, struct slice key)
{
	for (struct json *x = o->first; x != NULL; x = x->next)
		if (slice_eq(x->key, key))
			return x;
	return NULL;
}

/* The earlier member with the key of `x`, if any. Large objects get a map, so that hostile ones cost no
 * squares. */
static struct json *earlier(const struct json *o, struct json *x, struct hmap **keys)
{
	if (o->n < FEW_MEMBERS)
		return member_find(o, x->key);
	if (*keys == NULL) {
		*keys = hmap_new();
		for (struct json *m = o->first; m != NULL; m = m->next)
			hmap_put(*keys, m->key, m);
	}
	struct json *old = hmap_get(*keys, x->key);
	if (old == NULL)
		hmap_put(*keys, x->key, x);
	return old;
}

static bool member(struct parser *p, struct json *x)
{
	if (peek_token(p) != '"')
		return fail(p, "expected a key in quotes");
	if (!string(p, &x->key))
		return false;
	if (!accept(p, ':'))
		return fail(p, "expected ':'");
	return value(p, x);
}

static bool members(struct parser *p, struct json *out, struct hmap **keys)
{
	struct json **tail = &out->first;
	do {
		struct json *x = node_new(p);
		if (x == NULL || !member(p, x))
			return false;
		struct json *old = earlier(out, x, keys);
		if (old != NULL) {
			x->next = old->next;
			*old = *x; /* the last one's value at the first one's place */
			continue;
		}
		*tail = x;
		tail = &x->next;
		out->n++;
	} while (accept(p, ','));
	return accept(p, '}') || fail(p, "expected ',' or '}'");
}

static bool object(struct parser *p, struct json *out)
{
	struct hmap *keys = NULL;
	if (!enter(p, out, JSON_OBJECT))
		return false;
	bool ok = accept(p, '}') || members(p, out, &keys);
	hmap_free(keys);
	p->depth--;
	return ok;
}

static bool value(struct parser *p, struct json *out)
{
	switch (peek_token(p)) {
	case '{': return object(p, out);
	case '[': return array(p, out);
	case '"': out->kind = JSON_STRING; return string(p, &out->text);
	case 't': return word(p, out, SLICE("true"), JSON_BOOL);
	case 'f': return word(p, out, SLICE("false"), JSON_BOOL);
	case 'n': return word(p, out, SLICE("null"), JSON_NULL);
	default: return number(p, out);
	}
}

struct json *json_parse(struct arena *a, struct slice text, struct json_limits lim, size_t *at,
                        struct error *err)
{
	struct parser p = {
	    .arena = a, .text = text, .max_depth = lim.max_depth, .max_nodes = lim.max_nodes, .err = err};
	BUG_ON(lim.max_depth > DEEPEST); /* the parser recurses */
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		p.at = 3;
	struct json *root = node_new(&p);
	bool ok = root != NULL && value(&p, root);
	if (ok && peek_token(&p) >= 0)
		ok = fail(&p, "text behind the value");
	if (at != NULL)
		*at = p.at;
	return ok ? root : NULL;
}

const struct json *json_getn(const struct json *o, struct slice key)
{
	return o != NULL && o->kind == JSON_OBJECT ? member_find(o, key) : NULL;
}

const struct json *json_get(const struct json *o, const char *key)
{
	return json_getn(o, slice_str(key));
}

const struct json *json_at(const struct json *a, size_t i)
{
	if (a == NULL || a->kind != JSON_ARRAY || i >= a->n)
		return NULL;
	const struct json *x = a->first;
	while (i-- > 0)
		x = x->next;
	return x;
}

struct slice json_text(const struct json *j)
{
	if (j == NULL)
		return SLICE_NONE;
	switch (j->kind) {
	case JSON_STRING:
	case JSON_NUMBER: return j->text;
	case JSON_BOOL: return j->boolean ? SLICE("true") : SLICE("false");
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	return SLICE_NONE;
}

bool json_num(const struct json *j, double *out)
{
	return j != NULL && j->kind == JSON_NUMBER && slice_num(j->text, out);
}

bool json_int(const struct json *j, int64_t *out)
{
	double v;
	if (j == NULL || j->kind != JSON_NUMBER)
		return false;
	if (slice_int(j->text, out))
		return true;
	/* 1.0 and 1e3 are whole too, as long as a double holds them exactly */
	if (!slice_num(j->text, &v) || v != trunc(v) || fabs(v) > 9007199254740992.0)
		return false;
	*out = (int64_t)v;
	return true;
}
