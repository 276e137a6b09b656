/* Forms as JSON objects, so that profiles need not know the difference. */
#include "form.h"

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

struct json *form_read(struct arena *a, struct slice body, struct slice *payload)
{
	struct slice pair, name;
	struct json *form = arena_alloc(a, sizeof *form), **tail = &form->first;
	form->kind = JSON_OBJECT;
	*payload = SLICE_NONE;
	while (form->n < MAX_FIELDS && slice_split(&body, '&', &pair)) {
		if (!slice_split(&pair, '=', &name) || name.n == 0)
			continue;
		struct json *field = arena_alloc(a, sizeof *field);
		field->kind = JSON_STRING;
		field->key = decoded(a, name);
		field->text = decoded(a, pair);
		if (slice_is(field->key, "payload") && field->text.n > 0)
			*payload = field->text;
		*tail = field;
		tail = &field->next;
		form->n++;
	}
	return form;
}
