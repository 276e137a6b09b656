/* See redact.h. Promises that what the patterns name is gone from an event; must not know where events come
 * from. */
#include "rules/redact.h"

#include <stdlib.h>

#include "rules/regex.h"

struct redact {
	struct regex **v;
	size_t n;
};

struct redact *redact_new(const struct config *c, struct error *err)
{
	struct redact *r = xcalloc(1, sizeof *r);

	r->v = xcalloc(c->n_redact + 1, sizeof *r->v);
	for (size_t i = 0; i < c->n_redact; i++) {
		/* the whole match as group 1 */
		char *p = xasprintf("(%s)", c->redact[i]);

		r->v[i] = regex_new(slice_str(p), (struct regex_options){.jit = c->regex_jit}, err);
		free(p);
		if (r->v[i] == NULL) {
			error_wrap(err, "security.redact");
			redact_free(r);
			return NULL;
		}
		r->n++;
	}
	return r;
}

void redact_free(struct redact *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		regex_free(r->v[i]);
	free(r->v);
	free(r);
}

static struct slice replace_all(const struct regex *re, struct slice text, struct arena *a)
{
	struct slice hit = SLICE_NONE, rest = text;
	struct buf out = {0};

	while (regex_captures(re, rest, &hit, 1) == REGEX_YES && hit.n > 0) {
		const char *eq = memchr(hit.p, '=', hit.n);
		size_t keep = eq != NULL ? (size_t)(eq - hit.p) + 1 : 0;

		buf_add(&out, rest.p, (size_t)(hit.p - rest.p) + keep);
		buf_str(&out, "***");
		rest = slice_sub(rest, (size_t)(hit.p - rest.p) + hit.n, SIZE_MAX);
	}
	if (out.n > 0) {
		buf_adds(&out, rest);
		text = arena_slice(a, buf_slice(&out));
	}
	buf_free(&out);
	return text;
}

struct slice redact_text(const struct redact *r, struct slice text, struct arena *a)
{
	for (size_t i = 0; i < r->n; i++)
		text = replace_all(r->v[i], text, a);
	return text;
}

void redact_fields(const struct redact *r, struct fields *f)
{
	if (r->n == 0)
		return;
	for (int id = FIELD_SUMMARY; id <= FIELD_MESSAGE; id++)
		if (f->core[id].n > 0)
			fields_set(f, (enum field_id)id, redact_text(r, value_slice(f->core[id]), f->arena));
	for (size_t i = 0; i < f->n_named; i++) {
		struct slice clean;

		if (f->named[i].v.type != VALUE_TEXT || f->named[i].v.n == 0)
			continue;
		clean = redact_text(r, value_slice(f->named[i].v), f->arena);
		f->named[i].v.p = clean.p;
		f->named[i].v.n = (uint32_t)clean.n;
	}
}
