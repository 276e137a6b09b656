/* Promises for each kind of answer the one outcome that cannot make a second ticket or lose a change: what
 * may have happened is UNCERTAIN, what surely did not is RETRY, what never will is REFUSED. Must not know
 * requests. tickets.md "Delivery". */
#include <stdarg.h>
#include <stdio.h>

#include "plugins/tickets/session.h"
#include "plugins/tickets/talk.h"

enum { MESSAGE_MAX = 1000, SECRET_MIN = 4 };

/* ---- messages */

/* One line without secrets. */
static size_t secret_at(const struct ticket_talk *t, struct slice text)
{
	const struct ticket_connection *c = t->connection;
	const struct ticket_session *session = t->render.session;
	size_t hit = 0;
	for (size_t k = 0; k < c->n_secrets; k++) {
		struct slice s = slice_trim(c->secret_values[k]);
		if (s.n >= SECRET_MIN && slice_starts(text, s))
			hit = MAX(hit, s.n);
	}
	for (size_t k = 0; session != NULL && k < session->n; k++) {
		struct slice s = slice_str(session->v[k].value);
		if (s.n >= SECRET_MIN && slice_starts(text, s))
			hit = MAX(hit, s.n);
	}
	return hit;
}

static struct slice mask(const struct ticket_talk *t, struct slice text)
{
	struct buf b = {0};
	for (size_t i = 0; i < text.n;) {
		size_t hit = secret_at(t, slice_sub(text, i, text.n));
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
	return t->op.verb == TICKET_CREATE && t->made ? TICKET_UNCERTAIN : TICKET_RETRY;
}

/* The request under way is the one that changes something. */
static bool changes(const struct ticket_talk *t)
{
	return t->phase == TALK_OPERATION || (t->phase == TALK_STEP && strcmp(t->step->method, "GET") != 0);
}

void talk_no_reply(struct ticket_talk *t, const struct ticket_answer *a)
{
	const char *why =
	    a->failure != NULL && a->failure[0] != '\0' ? a->failure : "the connection was lost";
	bool uncertain = a->sent && adds(t) && changes(t);
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
	bool success = r->status < 300, here = changes(t);
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
	if (reply_has_ticket(t->op.verb) && t->phase != TALK_LOGIN)
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
	if (t->result.retry_after == 0)
		t->result.retry_after = t->rule_wait;
	/* a token endpoint says 400 to a wrong client (RFC 6749, section 5.2) */
	if (t->phase == TALK_LOGIN && cls == TICKET_CLASS_CONFIG && (r->status == 400 || r->status == 403))
		cls = TICKET_CLASS_AUTH;
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
		talk_end(t, adds(t) && changes(t) ? TICKET_UNCERTAIN : TICKET_REFUSED, cls,
		         "%s: unexpected status %d: " SLICE_FMT, verb, r->status, SLICE_ARG(excerpt));
		return;
	case TICKET_CLASS_OK: break;
	}
	BUG_ON(true);
}

/* ---- records */

static void keep(struct ticket_talk *t, struct slice *to, struct slice v)
{
	if (v.n > 0)
		*to = arena_slice(t->arena, v);
}

void talk_take_record(struct ticket_talk *t, const struct values *v)
{
	BUG_ON(t->phase == TALK_ENDED);
	keep(t, &t->result.ticket, record_id(v, "id"));
	keep(t, &t->result.version, values_get(v, SLICE("version")));
	keep(t, &t->result.url, values_get(v, SLICE("url")));
	t->result.state = record_state(t->connection->profile, v);
}

void talk_put_seen(struct ticket_talk *t, const struct values *v)
{
	struct ticket_seen seen = record_seen(t->connection->profile, t->arena, v);
	struct buf b = {0};
	if (seen.id.n == 0)
		seen.id = t->result.ticket;
	ticket_seen_encode(&seen, &b);
	t->result.records = arena_slice(t->arena, buf_slice(&b));
	buf_free(&b);
}
