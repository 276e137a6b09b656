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

/* Where a hit that begins inside quotes must end: at the quote that closes them. */
static size_t quoted_end(struct slice text, struct slice hit)
{
	size_t at = (size_t)(hit.p - text.p);
	bool inside = false;

	for (size_t i = 0; i < at; i++) {
		if (text.p[i] == '\\')
			i++;
		else if (text.p[i] == '"')
			inside = !inside;
	}
	for (size_t i = 0; inside && i < hit.n; i++) {
		if (hit.p[i] == '\\')
			i++;
		else if (hit.p[i] == '"')
			return i;
	}
	return hit.n;
}

static struct slice replace_all(const struct regex *re, struct slice text, bool quotes, struct arena *a)
{
	struct slice hit = SLICE_NONE, rest = text;
	struct buf out = {0};

	while (regex_captures(re, rest, &hit, 1) == REGEX_YES && hit.n > 0) {
		const char *eq;
		size_t keep;

		if (quotes)
			hit.n = MAX(quoted_end(text, hit), (size_t)1);
		eq = memchr(hit.p, '=', hit.n);
		keep = eq != NULL ? (size_t)(eq - hit.p) + 1 : 0;

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
		text = replace_all(r->v[i], text, false, a);
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

/* ---- octets that must still decode */

static bool hits(const struct redact *r, struct slice text)
{
	for (size_t i = 0; i < r->n; i++)
		if (regex_match(r->v[i], text) == REGEX_YES)
			return true;
	return false;
}

/* Stars of the same length, so that every length around them stays right. */
static bool overwrite(const struct redact *r, char *p, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < r->n; i++) {
		struct slice hit, rest = slice_of(p, n);

		while (regex_captures(r->v[i], rest, &hit, 1) == REGEX_YES && hit.n > 0) {
			const char *eq = memchr(hit.p, '=', hit.n);
			size_t at = (size_t)(hit.p - p), keep = eq != NULL ? (size_t)(eq - hit.p) + 1 : 0;

			memset(p + at + keep, '*', hit.n - keep);
			rest = slice_of(p + at + hit.n, n - at - hit.n);
			any = true;
		}
	}
	return any;
}

/* The header of one BER element: false if it does not fit. */
static bool ber_head(const unsigned char *p, size_t n, size_t *head, size_t *len)
{
	size_t octets = n >= 2 && (p[1] & 0x80) != 0 ? p[1] & 0x7fu : 0;

	if (n < 2 || octets > 4 || n < 2 + octets)
		return false;
	*head = 2 + octets;
	*len = octets == 0 ? p[1] : 0;
	for (size_t i = 0; i < octets; i++)
		*len = *len << 8 | p[2 + i];
	return *len <= n - *head;
}

static bool ber_walk(const struct redact *r, char *p, size_t n, int depth)
{
	bool any = false;
	size_t head, len;

	for (; n > 0 && depth < 8 && ber_head((const unsigned char *)p, n, &head, &len);
	     p += head + len, n -= head + len) {
		unsigned char tag = (unsigned char)p[0];

		if ((tag & 0x20) != 0)
			any = ber_walk(r, p + head, len, depth + 1) || any;
		else if (tag == 0x04)
			any = overwrite(r, p + head, len) || any;
	}
	return any;
}

/* SNMPv3: a digest stands over the whole message. */
static bool is_v3(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t head, len;

	return s.n > 0 && ber_head(p, s.n, &head, &len) && len >= 3 && p[head] == 0x02 && p[head + 1] == 1 &&
	       p[head + 2] == 3;
}

static struct slice redact_ber(const struct redact *r, struct slice s, struct arena *a)
{
	struct slice copy = arena_slice(a, s);

	if (!ber_walk(r, (char *)(uintptr_t)copy.p, copy.n, 0))
		return s;
	return is_v3(s) ? SLICE_NONE : copy;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hides_encoded(const struct redact *r, struct slice s)
{
	struct buf b = {0};
	bool yes;

	if (memchr(s.p, '%', s.n) == NULL)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			buf_char(&b, (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2])));
			i += 2;
		} else {
			buf_char(&b, s.p[i]);
		}
	}
	yes = hits(r, buf_slice(&b));
	buf_free(&b);
	return yes;
}

struct slice redact_octets(const struct redact *r, enum redact_form form, struct slice octets,
                           struct arena *a)
{
	if (r->n == 0 || octets.n == 0)
		return octets;
	if (form == REDACT_BER)
		return redact_ber(r, octets, a);
	if (!hits(r, octets))
		return form == REDACT_BODY && hides_encoded(r, octets) ? SLICE_NONE : octets;
	for (size_t i = 0; i < r->n; i++)
		octets = replace_all(r->v[i], octets, true, a);
	return form == REDACT_BODY && hides_encoded(r, octets) ? SLICE_NONE : octets;
}
