/* Promises well-formed JSON in UTF-8 whatever bytes it is given, commas and nesting included. Must not know
 * what the members mean. RFC 8259. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/instant.h"
#include "base/json.h"

enum { MAX_LEVELS = 63 };

struct jw jw_new(struct buf *out)
{
	return (struct jw){.out = out};
}

static void before_value(struct jw *w)
{
	uint64_t bit = (uint64_t)1 << w->depth;
	if (!w->after_key && w->depth > 0) {
		BUG_ON((w->arrays & bit) == 0); /* a member needs a key */
		if ((w->more & bit) != 0)
			buf_char(w->out, ',');
		w->more |= bit;
	}
	w->after_key = false;
}

static void open_level(struct jw *w, char c, bool is_array)
{
	before_value(w);
	BUG_ON(w->depth >= MAX_LEVELS);
	uint64_t bit = (uint64_t)1 << ++w->depth;
	w->more &= ~bit;
	w->arrays = is_array ? w->arrays | bit : w->arrays & ~bit;
	buf_char(w->out, c);
}

void jw_object(struct jw *w)
{
	open_level(w, '{', false);
}

void jw_array(struct jw *w)
{
	open_level(w, '[', true);
}

void jw_end(struct jw *w)
{
	BUG_ON(w->depth == 0);
	BUG_ON(w->after_key);
	buf_char(w->out, (w->arrays >> w->depth & 1) != 0 ? ']' : '}');
	w->depth--;
}

void jw_array_end(struct jw *w)
{
	BUG_ON((w->arrays >> w->depth & 1) == 0);
	jw_end(w);
}

static void put_escape(struct buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = c != '\0' ? strchr(from, c) : NULL;
	if (hit != NULL)
		buf_printf(out, "\\%c", to[hit - from]);
	else
		buf_printf(out, "\\u%04x", c);
}

static void put_string(struct buf *out, struct slice s)
{
	size_t done = 0;
	buf_char(out, '"');
	for (size_t i = 0, len; i < s.n; i += len) {
		unsigned char c = (unsigned char)s.p[i];
		len = 1;
		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
			continue; /* nearly always */
		size_t whole = slice_char(s, i);
		len = MAX(whole, 1);
		if (whole != 0 && c >= ' ' && c != '"' && c != '\\')
			continue;
		buf_add(out, s.p + done, i - done);
		if (whole == 0)
			buf_str(out, "\xef\xbf\xbd");
		else
			put_escape(out, c);
		done = i + len;
	}
	if (s.n > done)
		buf_add(out, s.p + done, s.n - done);
	buf_char(out, '"');
}

void jw_keyn(struct jw *w, struct slice key)
{
	uint64_t bit = (uint64_t)1 << w->depth;
	BUG_ON(w->depth == 0 || (w->arrays & bit) != 0);
	BUG_ON(w->after_key);
	if ((w->more & bit) != 0)
		buf_char(w->out, ',');
	w->more |= bit;
	put_string(w->out, key);
	buf_char(w->out, ':');
	w->after_key = true;
}

void jw_key(struct jw *w, const char *key)
{
	jw_keyn(w, slice_str(key));
}

void jw_slice(struct jw *w, struct slice s)
{
	if (s.p == NULL) {
		jw_null(w);
		return;
	}
	before_value(w);
	put_string(w->out, s);
}

void jw_str(struct jw *w, const char *s)
{
	jw_slice(w, slice_str(s));
}

void jw_int(struct jw *w, int64_t v)
{
	char text[24];
	size_t at = sizeof text;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	before_value(w);
	do {
		text[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		text[--at] = '-';
	buf_add(w->out, text + at, sizeof text - at);
}

/* The fewest digits that give the same number back; what is not finite has no JSON and becomes null. */
void jw_num(struct jw *w, double v)
{
	char text[40];
	if (!isfinite(v)) {
		jw_null(w);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	char *comma = strchr(text, ','); /* a locale's */
	if (comma != NULL)
		*comma = '.';
	before_value(w);
	buf_str(w->out, text);
}

void jw_bool(struct jw *w, bool v)
{
	before_value(w);
	buf_str(w->out, v ? "true" : "false");
}

void jw_null(struct jw *w)
{
	before_value(w);
	buf_str(w->out, "null");
}

void jw_time(struct jw *w, int64_t t)
{
	if (t == INSTANT_NONE) {
		jw_null(w);
		return;
	}
	before_value(w);
	buf_char(w->out, '"');
	instant_format(t, w->out);
	buf_char(w->out, '"');
}

void jw_raw(struct jw *w, struct slice json)
{
	before_value(w);
	if (json.n > 0)
		buf_adds(w->out, json);
	else
		buf_str(w->out, "null");
}

void jw_tree(struct jw *w, const struct json *j)
{
	if (j == NULL) {
		jw_null(w);
		return;
	}
	switch (j->kind) {
	case JSON_NULL: jw_null(w); return;
	case JSON_BOOL: jw_bool(w, j->boolean); return;
	case JSON_NUMBER: jw_raw(w, j->text); return;
	case JSON_STRING: jw_slice(w, j->text); return;
	case JSON_ARRAY: jw_array(w); break;
	case JSON_OBJECT: jw_object(w); break;
	}
	for (const struct json *x = j->first; x != NULL; x = x->next) {
		if (j->kind == JSON_OBJECT)
			jw_keyn(w, x->key);
		jw_tree(w, x);
	}
	jw_end(w);
}

void jw_kslice(struct jw *w, const char *key, struct slice s)
{
	jw_key(w, key);
	jw_slice(w, s);
}

void jw_kstr(struct jw *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_kint(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_ktime(struct jw *w, const char *key, int64_t t)
{
	jw_key(w, key);
	jw_time(w, t);
}
