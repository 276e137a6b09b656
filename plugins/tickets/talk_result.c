/* Promises for each kind of answer the one outcome that cannot make a second ticket or lose a change: what
 * may have happened is UNCERTAIN, what surely did not is RETRY, what never will is REFUSED. Must not know
 * requests. tickets.md "Delivery". */
#include <stdarg.h>
#include <stdio.h>

#include "plugins/tickets/talk.h"

enum { MESSAGE_MAX = 1000, SECRET_MIN = 4, ID_MAX = 200 };

/* ---- messages */

/* One line without secrets. */
static struct slice mask(const struct ticket_talk *t, struct slice text)
{
	const struct ticket_connection *c = t->connection;
	struct buf b = {0};
	for (size_t i = 0; i < text.n;) {
		size_t hit = 0;
		for (size_t k = 0; k < c->n_secrets; k++) {
			struct slice s = slice_trim(c->secret_values[k]);
			if (s.n >= SECRET_MIN && slice_starts(slice_sub(text, i, text.n), s))
				hit = MAX(hit, s.n);
		}
		if (hit > 0)
			buf_str(&b, "***");
		else
			buf_char(&b, (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i]);
		i += MAX(hit, (size_t)1);
	}
	struct slice out = arena_slice(t->arena, b.n > 0 ? buf_slice(&b) : SLICE(""));
	buf_free(&b);
	return out;
}

void talk_end(struct ticket_talk *t, enum ticket_outcome o, enum ticket_class cls, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;
	BUG_ON(t->phase == TALK_ENDED);
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->phase = TALK_ENDED;
	t->result.outcome = o;
	t->result.cls = cls;
	t->result.message = mask(t, slice_str(text));
}

/* ---- failures */

/* Would repeating it blindly make a second one? */
static bool adds(const struct ticket_talk *t)
{
	return t->op.verb == TICKET_CREATE || t->op.verb == TICKET_NOTE;
}

/* A created ticket whose readback failed must be found again, not made again. */
static enum ticket_outcome again(const struct ticket_talk *t)
{
	return t->op.verb == TICKET_CREATE && t->phase != TALK_OPERATION ? TICKET_UNCERTAIN : TICKET_RETRY;
}

void talk_no_reply(struct ticket_talk *t, const struct ticket_answer *a)
{
	const char *why =
	    a->failure != NULL && a->failure[0] != '\0' ? a->failure : "the connection was lost";
	bool uncertain = a->sent && adds(t) && t->phase == TALK_OPERATION;
	talk_end(t, uncertain ? TICKET_UNCERTAIN : again(t), TICKET_CLASS_TRANSIENT, "%s: no answer: %s",
	         ticket_verb_word(t->op.verb), why);
}

static const char *config_hint(int status)
{
	if (status == 403)
		return "the API user lacks a right in the ticket system";
	if (status == 404 || status == 410 || status == 405 || status == 501)
		return "there is no such address; check conf.base and the profile";
	if (status < 300)
		return "check the profile's field names and values, and the rights of the API user";
	return "check conf and the profile against the ticket system";
}

static void refused(struct ticket_talk *t, const struct reply *r, struct slice excerpt)
{
	const char *verb = ticket_verb_word(t->op.verb);
	struct slice location = reply_header(r, SLICE("location"));
	if (r->status >= 300 && r->status < 400)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "%s: answered %d, a redirect to '" SLICE_FMT
		         "'; put the final address into conf.base",
		         verb, r->status, SLICE_ARG(slice_sub(location, 0, 200)));
	else
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "%s: refused with status %d: " SLICE_FMT "; %s", verb, r->status, SLICE_ARG(excerpt),
		         config_hint(r->status));
}

static void transient(struct ticket_talk *t, const struct reply *r, struct slice excerpt)
{
	bool success = r->status < 300, here = t->phase == TALK_OPERATION;
	bool uncertain = here && (t->op.verb == TICKET_CREATE || (success && adds(t)));
	const char *what = success && r->html ? "a web page where JSON was expected; is conf.base right?"
	                   : success          ? "no JSON"
	                                      : "a failure of the server";
	talk_end(t, uncertain ? TICKET_UNCERTAIN : again(t), TICKET_CLASS_TRANSIENT,
	         "%s: answered %d, %s: " SLICE_FMT, ticket_verb_word(t->op.verb), r->status, what,
	         SLICE_ARG(excerpt));
}

static void gone(struct ticket_talk *t, const struct reply *r, struct slice excerpt)
{
	bool has_ticket = t->op.verb != TICKET_FIND && t->op.verb != TICKET_CREATE;
	if (has_ticket)
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_GONE, "%s: ticket " SLICE_FMT " is gone (status %d)",
		         ticket_verb_word(t->op.verb), SLICE_ARG(t->render.ticket), r->status);
	else
		refused(t, r, excerpt);
}

void talk_failed(struct ticket_talk *t, enum ticket_class cls, const struct reply *r)
{
	const char *verb = ticket_verb_word(t->op.verb);
	struct slice excerpt = reply_excerpt(r, t->arena);
	t->result.retry_after = reply_retry_after(r);
	switch (cls) {
	case TICKET_CLASS_AUTH:
		talk_end(t, again(t), cls,
		         "%s: the ticket system does not accept the credentials (status %d): " SLICE_FMT
		         "; replace the secret, it is read again",
		         verb, r->status, SLICE_ARG(excerpt));
		return;
	case TICKET_CLASS_CONFIG: refused(t, r, excerpt); return;
	case TICKET_CLASS_CONFLICT:
		talk_end(t, again(t), cls,
		         "%s: somebody changed the ticket at the same time (status %d): " SLICE_FMT, verb,
		         r->status, SLICE_ARG(excerpt));
		return;
	case TICKET_CLASS_THROTTLE:
		talk_end(t, again(t), cls, "%s: the ticket system asks to wait (status %d): " SLICE_FMT, verb,
		         r->status, SLICE_ARG(excerpt));
		return;
	case TICKET_CLASS_TRANSIENT: transient(t, r, excerpt); return;
	case TICKET_CLASS_GONE: gone(t, r, excerpt); return;
	case TICKET_CLASS_UNKNOWN:
		talk_end(t, adds(t) ? TICKET_UNCERTAIN : TICKET_REFUSED, cls,
		         "%s: unexpected status %d: " SLICE_FMT, verb, r->status, SLICE_ARG(excerpt));
		return;
	case TICKET_CLASS_OK: break;
	}
	BUG_ON(true);
}

/* ---- records */

struct slice talk_state(const struct ticket_talk *t, struct slice raw)
{
	const struct value_map *m = profile_map(t->connection->profile, SLICE("state_in"));
	for (const struct map_entry *e = m != NULL && raw.p != NULL ? m->entries : NULL; e != NULL;
	     e = e->next)
		if (slice_ieq(e->from, raw))
			return e->to;
	return SLICE_NONE;
}

static void keep(struct ticket_talk *t, struct slice *to, struct slice v)
{
	if (v.n > 0)
		*to = arena_slice(t->arena, v);
}

/* An id goes into addresses, logs and lists of ids: what could not be told apart there is none. */
static struct slice record_id(const struct reply *r, const struct op *op, const struct json *item)
{
	struct slice id = reply_extract(r, op, item, "id");
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] <= ' ' || id.p[i] == 0x7f)
			return SLICE_NONE;
	return id.n <= ID_MAX ? id : SLICE_NONE;
}

void talk_take_record(struct ticket_talk *t, const struct op *op, const struct reply *r,
                      const struct json *item)
{
	BUG_ON(op == NULL || t->phase == TALK_ENDED);
	keep(t, &t->result.ticket, record_id(r, op, item));
	keep(t, &t->result.version, reply_extract(r, op, item, "version"));
	keep(t, &t->result.url, reply_extract(r, op, item, "url"));
	t->result.state = talk_state(t, reply_extract(r, op, item, "state"));
}

/* ---- hits of a search */

struct hit {
	const struct json *item;
	struct slice id, state;
};

static bool is_open(const struct hit *h)
{
	return !slice_is(h->state, "resolved") && !slice_is(h->state, "wontfix");
}

/* Ids that are numbers grow; of others the answer's order counts. */
static bool better(const struct hit *a, const struct hit *b)
{
	int64_t x, y;
	if (is_open(a) != is_open(b))
		return is_open(a);
	return slice_int(a->id, &x) && slice_int(b->id, &y) && x < y;
}

/* Does the hit carry what was asked for? -1: the profile's own value is empty or cannot be rendered. */
static int verified(struct ticket_talk *t, const struct op *op, const struct reply *r,
                    const struct json *item, struct error *err)
{
	struct buf want = {0};
	int ok = 1;
	for (const struct expectation *x = op->verify; ok == 1 && x != NULL; x = x->next) {
		const struct named_path *p = op_extracts(op, x->name);
		buf_clear(&want);
		if (expr_text(x->want, &t->render, &want, err) != 0)
			ok = -1;
		else if (want.n == 0)
			ok = error_set(err, "'verify' would accept anything, because its value is empty");
		else
			ok = p != NULL && slice_eq(reply_value(r, item, p->path), buf_slice(&want));
	}
	buf_free(&want);
	return ok;
}

static void adopt(struct ticket_talk *t, const struct op *op, const struct reply *r, const struct hit *hits,
                  size_t n)
{
	struct buf others = {0};
	size_t best = 0;
	BUG_ON(n == 0);
	for (size_t i = 1; i < n; i++)
		if (better(&hits[i], &hits[best]))
			best = i;
	for (size_t i = 0; i < n; i++)
		if (i != best)
			buf_printf(&others, "%s" SLICE_FMT, others.n > 0 ? " " : "", SLICE_ARG(hits[i].id));
	talk_take_record(t, op, r, hits[best].item);
	t->render.ticket = t->result.ticket;
	t->result.hits = (uint32_t)n;
	if (others.n > 0)
		t->result.others = arena_slice(t->arena, buf_slice(&others));
	buf_free(&others);
	talk_end(t, TICKET_DONE, TICKET_CLASS_OK,
	         n > 1 ? "%zu tickets carry the key, the oldest open one is adopted" : "found", n);
}

/* False when the talk has ended. */
static bool judge_item(struct ticket_talk *t, const struct op *op, const struct reply *r,
                       const struct json *item, struct hit *hits, size_t *n)
{
	struct error err;
	struct hit h = {.item = item,
	                .id = record_id(r, op, item),
	                .state = talk_state(t, reply_extract(r, op, item, "state"))};
	int ok = verified(t, op, r, item, &err);
	if (ok < 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "find: %s", err.text);
	else if (ok == 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: ticket " SLICE_FMT " was returned, but does not carry the key " SLICE_FMT
		         ": the filter was ignored; check the name of the key's field in the profile",
		         SLICE_ARG(h.id), SLICE_ARG(t->op.key));
	else if (h.id.n == 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: a hit has no usable id; check 'extract' in the profile");
	else if (!slice_is(h.state, "gone"))
		hits[(*n)++] = h;
	return t->phase != TALK_ENDED;
}

void talk_found(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	const struct json *list = json_path(r->doc, op->items);
	size_t n = 0;
	if (r->doc == NULL || (list != NULL && list->kind != JSON_ARRAY && list->kind != JSON_NULL)) {
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: there is no list at '" SLICE_FMT
		         "' in the answer; check 'items' in the profile",
		         SLICE_ARG(op->items));
		return;
	}
	if (list != NULL && (int64_t)list->n >= op->limit) {
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: a full page of %zu tickets came back: the filter was ignored; check the name "
		         "of the key's field in the profile",
		         list->n);
		return;
	}
	struct hit *hits = arena_array(t->arena, (list != NULL ? list->n : 0) + 1, sizeof *hits);
	for (const struct json *item = list != NULL ? list->first : NULL; item != NULL; item = item->next)
		if (!judge_item(t, op, r, item, hits, &n))
			return;
	if (n > 0)
		adopt(t, op, r, hits, n);
	else
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_OK, "no ticket carries the key");
}
