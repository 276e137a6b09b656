/* Forms as JSON objects, so that profiles need not know the difference. */
#include "form.h"

#include "inner.h"

enum { MAX_FIELDS = 1000 };

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* '+' is a blank, %hh an octet; a '%' that is neither stays. */
static struct slice decoded(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%' && s.n - i > 2 && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		out[n++] = c;
	}
	return (struct slice){out, n};
}

static struct json *new_form(struct arena *a)
{
	struct json *form = arena_alloc(a, sizeof *form);
	form->kind = JSON_OBJECT;
	return form;
}

static struct json **add_field(struct arena *a, struct json *form, struct json **tail, struct slice name,
                               struct slice text)
{
	struct json *field = arena_alloc(a, sizeof *field);
	field->kind = JSON_STRING;
	field->key = name;
	field->text = text;
	*tail = field;
	form->n++;
	return &field->next;
}

struct json *form_read(struct arena *a, struct slice body)
{
	struct slice pair, name;
	struct json *form = new_form(a), **tail = &form->first;
	while (form->n < MAX_FIELDS && slice_split(&body, '&', &pair))
		if (slice_split(&pair, '=', &name) && name.n > 0)
			tail = add_field(a, form, tail, decoded(a, name), decoded(a, pair));
	return form;
}

/* ---- parts */

/* Where `what` begins in `s`; s.n if it is not there. */
static size_t find(struct slice s, struct slice what)
{
	for (size_t i = 0; i + what.n <= s.n; i++) {
		const char *c = memchr(s.p + i, what.p[0], s.n - what.n + 1 - i);
		if (c == NULL)
			break;
		i = (size_t)(c - s.p);
		if (memcmp(c, what.p, what.n) == 0)
			return i;
	}
	return s.n;
}

/* The value of name="value" or name=value in a header. */
static struct slice parameter(struct slice header, struct slice name)
{
	for (size_t i = 0; i + name.n < header.n; i++) {
		bool fresh = i == 0 || header.p[i - 1] == ';' || header.p[i - 1] == ' ';
		if (!fresh || !slice_ieq(slice_sub(header, i, name.n), name))
			continue;
		struct slice v = slice_sub(header, i + name.n, SIZE_MAX);
		char end = v.n > 0 && v.p[0] == '"' ? '"' : ';';
		v = slice_sub(v, end == '"', SIZE_MAX);
		const char *stop = v.n > 0 ? memchr(v.p, end, v.n) : NULL;
		return slice_trim(stop != NULL ? slice_sub(v, 0, (size_t)(stop - v.p)) : v);
	}
	return SLICE_NONE;
}

/* "Content-Disposition: form-data; name="data"", a blank line, the text */
static bool read_part(struct slice part, struct slice *name, struct slice *text)
{
	struct slice gap = SLICE("\r\n\r\n");
	size_t at = find(part, gap);
	if (at == part.n)
		return false;
	*name = parameter(slice_sub(part, 0, at), SLICE("name="));
	*text = slice_sub(part, at + gap.n, SIZE_MAX);
	if (text->n >= 2 && slice_ends(*text, SLICE("\r\n")))
		text->n -= 2;
	return name->n > 0;
}

struct json *form_read_parts(struct arena *a, struct slice content_type, struct slice body)
{
	struct slice boundary = parameter(content_type, SLICE("boundary=")), name, text;
	if (boundary.n == 0 || boundary.n > 70)
		return NULL;
	struct slice line = slice_str(arena_printf(a, "--" SLICE_FMT, SLICE_ARG(boundary)));
	struct json *form = new_form(a), **tail = &form->first;
	size_t at = find(body, line);
	while (form->n < MAX_FIELDS && at < body.n) {
		body = slice_sub(body, at + line.n, SIZE_MAX);
		at = find(body, line);
		if (at < body.n && read_part(slice_sub(body, 0, at), &name, &text))
			tail = add_field(a, form, tail, name, text);
	}
	return form;
}

const struct json *form_payload(struct arena *a, const struct json *form)
{
	static const char *const names[] = {"payload", "data", "json"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *field = json_get(form, names[i]);
		const struct json *j = field != NULL ? inner_text(a, field->text) : NULL;
		if (j != NULL)
			return j;
	}
	return NULL;
}
