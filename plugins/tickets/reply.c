/* Promises that a status alone is never believed: the profile's rules on status, headers, paths and body come
 * first, and HTML where JSON is expected is no answer of a ticket system. Must not know what happens next. */
#include "plugins/tickets/reply.h"

enum { DEPTH_MAX = 64, NODES_MAX = 200000, BODY_MAX = 1 << 20, EXCERPT_MAX = 200 };

void reply_read(struct reply *r, const struct ticket_answer *a, struct arena *arena)
{
	struct error err;
	struct slice body = slice_trim(a->body);
	*r = (struct reply){.status = a->status, .headers = a->headers, .body = body};
	r->html = slice_starts(body, SLICE("<")) ||
	          slice_starts(reply_header(r, SLICE("content-type")), SLICE("text/html"));
	if (body.n > 0 && body.n <= BODY_MAX)
		r->doc = json_parse(arena, body, (struct json_limits){DEPTH_MAX, NODES_MAX}, NULL, &err);
}

struct slice reply_header(const struct reply *r, struct slice name)
{
	struct slice rest = r->headers, line, have;
	while (slice_split(&rest, '\n', &line)) {
		struct slice value = line;
		if (slice_split(&value, ':', &have) && value.p != NULL && slice_ieq(slice_trim(have), name))
			return slice_trim(value);
		if (rest.p == NULL)
			break;
	}
	return SLICE_NONE;
}

/* ---- class */

static bool has_status(const int *v, size_t n, int status)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == status)
			return true;
	return false;
}

static bool reads(enum ticket_verb v)
{
	return v == TICKET_FIND || v == TICKET_GET || v == TICKET_POLL || v == TICKET_CHANGES;
}

static bool rule_fits(const struct error_rule *e, enum ticket_verb verb, const struct reply *r)
{
	if (e->n_status > 0 && !has_status(e->status, e->n_status, r->status))
		return false;
	/* what was read may hold any text; what was written answers with sentences */
	if (e->body_matches != NULL &&
	    ((reads(verb) && r->status == 200) || !reply_pattern_matches(e->body_matches, r->body)))
		return false;
	if (e->matches == NULL)
		return true;
	struct slice v = e->header.n > 0 ? reply_header(r, e->header) : reply_value(r, NULL, e->path);
	return (v.p != NULL && reply_pattern_matches(e->matches, v)) != e->negate;
}

bool reply_has_ticket(enum ticket_verb v)
{
	return v != TICKET_FIND && v != TICKET_CREATE && v < TICKET_POLL;
}

static enum ticket_class by_status(const struct op *op, enum ticket_verb verb, int status)
{
	bool has_ticket = reply_has_ticket(verb);
	if (op->n_ok > 0 ? has_status(op->ok, op->n_ok, status) : status >= 200 && status < 300)
		return TICKET_CLASS_OK;
	switch (status) {
	case 401: return TICKET_CLASS_AUTH;
	case 404:
	case 410: return has_ticket ? TICKET_CLASS_GONE : TICKET_CLASS_CONFIG;
	case 408:
	case 425:
	case 429: return TICKET_CLASS_THROTTLE;
	case 409:
	case 412: return TICKET_CLASS_CONFLICT;
	case 501: return TICKET_CLASS_CONFIG;
	default: break;
	}
	if (status >= 500)
		return TICKET_CLASS_TRANSIENT;
	return status >= 300 ? TICKET_CLASS_CONFIG : TICKET_CLASS_UNKNOWN;
}

static bool needs_json(const struct op *op)
{
	for (const struct named_path *p = op->extract; p != NULL; p = p->next)
		if (!slice_starts(p->path, SLICE("@header.")) && !slice_is(p->path, "@body"))
			return true;
	return op->items.p != NULL;
}

enum ticket_class reply_class(const struct ticket_profile *p, const struct op *op, enum ticket_verb verb,
                              const struct reply *r, duration *wait)
{
	BUG_ON(op == NULL || r->status == 0);
	for (const struct error_rule *e = p->errors; e != NULL; e = e->next)
		if (rule_fits(e, verb, r)) {
			*wait = e->wait;
			return e->cls;
		}
	enum ticket_class cls = by_status(op, verb, r->status);
	bool page = r->html && (cls == TICKET_CLASS_OK || cls == TICKET_CLASS_UNKNOWN);
	if (page || (cls == TICKET_CLASS_OK && needs_json(op) && r->doc == NULL))
		return TICKET_CLASS_TRANSIENT;
	return cls;
}

/* ---- values */

struct slice reply_value(const struct reply *r, const struct json *item, struct slice path)
{
	const struct json *at = item != NULL ? item : r->doc;
	if (slice_starts(path, SLICE("@header.")))
		return reply_header(r, slice_sub(path, 8, path.n));
	if (slice_is(path, "@body"))
		return r->body;
	return json_text(slice_is(path, "@item") ? at : json_path(at, path));
}

struct slice reply_named(const struct reply *r, struct render *render, const struct named_path *p,
                         const struct json *item)
{
	struct buf b = {0};
	struct error err;
	struct slice v = SLICE_NONE;
	if (p->dynamic == NULL)
		return reply_value(r, item, p->path);
	if (expr_text(p->dynamic, render, &b, &err) == 0 && json_path_valid(buf_slice(&b), &err))
		v = reply_value(r, item, buf_slice(&b));
	buf_free(&b);
	return v;
}

/* RFC 8288: <address>; rel="next" */
struct slice reply_next_link(const struct reply *r)
{
	struct slice rest = reply_header(r, SLICE("link")), one;
	while (slice_split(&rest, '>', &one)) {
		struct slice params = rest, address = slice_trim(one);
		while (address.n > 0 && address.p[0] != '<')
			address = slice_sub(address, 1, address.n);
		if (!slice_split(&rest, '<', &params) || address.n < 2)
			break;
		if (slice_contains(params, SLICE("rel=\"next\"")) ||
		    slice_contains(params, SLICE("rel=next")))
			return slice_sub(address, 1, address.n);
		if (rest.p == NULL)
			break;
		rest = slice_of(rest.p - 1, rest.n + 1); /* its '<' belongs to the next address */
	}
	return SLICE_NONE;
}

struct slice reply_excerpt(const struct reply *r, struct arena *a)
{
	struct buf b = {0};
	for (size_t i = 0; i < r->body.n && b.n < EXCERPT_MAX;) {
		size_t len = slice_char(r->body, i);
		bool bad = len == 0 ||
		           (len == 1 && ((unsigned char)r->body.p[i] <= ' ' || r->body.p[i] == 0x7f)) ||
		           (len == 2 && (unsigned char)r->body.p[i] == 0xc2 &&
		            (unsigned char)r->body.p[i + 1] < 0xa0);
		if (!bad)
			buf_adds(&b, slice_sub(r->body, i, len));
		else if (b.n > 0 && b.p[b.n - 1] != ' ')
			buf_char(&b, ' ');
		i += MAX(len, (size_t)1);
	}
	struct slice out = arena_slice(a, b.n > 0 ? buf_slice(&b) : SLICE(""));
	buf_free(&b);
	return out.n > 0 ? slice_trim(out) : SLICE("(empty)");
}
