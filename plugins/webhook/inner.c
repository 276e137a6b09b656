/* JSON inside JSON. Bounded by the limits of the JSON reader and by the size of the text. */
#include "inner.h"

static int digit(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+' || c == '-' ? 62
	       : c == '/' || c == '_' ? 63
	                              : -1;
}

/* Absent if the text is no base64. */
static struct slice from_base64(struct arena *a, struct slice s)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	if (s.n < 8)
		return SLICE_NONE;
	/* a JSON object or list always begins like this */
	if (s.p[0] != 'e' && s.p[0] != 'W' && s.p[0] != 'I' && s.p[0] != 'C' && s.p[0] != '7')
		return SLICE_NONE;
	char *out = arena_alloc(a, s.n);
	for (size_t i = 0; i < s.n; i++) {
		int v = digit(s.p[i]);
		if (v < 0)
			return SLICE_NONE;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have & 0xff);
		}
	}
	return slice_of(out, n);
}

const struct json *inner_text(struct arena *a, struct slice text)
{
	struct error err;
	text = slice_trim(text);
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_trim(slice_sub(text, 3, SIZE_MAX));
	if (text.n < 2 || (text.p[0] != '{' && text.p[0] != '['))
		return NULL;
	return json_parse(a, text, JSON_LIMITS, NULL, &err);
}

const struct json *inner_json(struct arena *a, const struct json *value)
{
	if (value == NULL)
		return NULL;
	if (value->kind == JSON_OBJECT || value->kind == JSON_ARRAY)
		return value;
	if (value->kind != JSON_STRING)
		return NULL;
	const struct json *j = inner_text(a, value->text);
	if (j != NULL)
		return j;
	struct slice plain = from_base64(a, slice_trim(value->text));
	return plain.n > 0 ? inner_text(a, plain) : NULL;
}
