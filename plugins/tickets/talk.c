/* Promises that one operation is at most: itself, once more after a get when its version was old, and a get
 * that reads back what was written. Must not know time or sockets. tickets.md. */
#include <stdio.h>
#include <stdlib.h>

#include "plugins/tickets/request.h"
#include "plugins/tickets/talk.h"

enum { FACTS_DEPTH = 32 };

static enum ticket_verb phase_verb(const struct ticket_talk *t)
{
	return t->phase == TALK_OPERATION ? t->op.verb : TICKET_GET;
}

static const struct op *phase_op(const struct ticket_talk *t)
{
	return t->connection->profile->ops[phase_verb(t)];
}

static bool has_ticket(enum ticket_verb v)
{
	return v != TICKET_FIND && v != TICKET_CREATE;
}

/* ---- towards the ticket system */

static const char *missing_secret(const struct ticket_connection *c)
{
	const struct ticket_profile *p = c->profile;
	for (size_t i = 0; i < p->n_secrets; i++) {
		bool there = false;
		for (size_t k = 0; k < c->n_secrets; k++)
			there = there || (strcmp(c->secret_keys[k], p->secrets[i]) == 0 &&
			                  slice_trim(c->secret_values[k]).n > 0);
		if (!there)
			return p->secrets[i];
	}
	return NULL;
}

static void enter(struct ticket_talk *t, enum talk_phase phase)
{
	struct error err;
	t->phase = phase;
	struct slice key = phase == TALK_OPERATION && t->op.verb == TICKET_CREATE ? t->op.key : SLICE_NONE;
	const struct op *op = phase_op(t);
	BUG_ON(op == NULL || phase == TALK_ENDED);
	if (request_build(op, &t->render, key, &t->request, &err) != 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: not sent: %s",
		         ticket_verb_word(t->op.verb), err.text);
}

/* What a profile cannot do is no failure where the ticket is right without it. */
static void no_such_op(struct ticket_talk *t)
{
	const struct ticket_profile *p = t->connection->profile;
	const char *verb = ticket_verb_word(t->op.verb);
	switch (t->op.verb) {
	case TICKET_UPDATE:
	case TICKET_NOTE:
	case TICKET_ACKNOWLEDGE:
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "the profile '%s' has no %s: nothing to do",
		         p->name, verb);
		return;
	case TICKET_FIND:
		if (p->idempotent) {
			talk_end(t, TICKET_ABSENT, TICKET_CLASS_OK, "the profile '%s' may send again",
			         p->name);
			return;
		}
		break;
	case TICKET_CREATE:
	case TICKET_GET:
	case TICKET_RESOLVE:
	case TICKET_REOPEN: break;
	}
	talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "the profile '%s' has no %s; a person must do it",
	         p->name, verb);
}

static void begin(struct ticket_talk *t)
{
	const char *secret = missing_secret(t->connection);
	if (phase_op(t) == NULL)
		no_such_op(t);
	else if (t->render.facts == NULL)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: the facts of the operation are damaged",
		         ticket_verb_word(t->op.verb));
	else if (has_ticket(t->op.verb) && t->render.ticket.n == 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: the ticket's id is not known",
		         ticket_verb_word(t->op.verb));
	else if (secret != NULL)
		talk_end(t, TICKET_RETRY, TICKET_CLASS_AUTH,
		         "the secret '%s' is empty or could not be read; see tickets in carillon.yaml",
		         secret);
	else
		enter(t, TALK_OPERATION);
}

/* ---- from the ticket system */

static bool kept(struct ticket_talk *t, const struct expectation *x, const struct reply *r,
                 struct slice *have, struct buf *want)
{
	struct error err;
	struct slice name = x->name;
	const struct named_path *p = op_extracts(phase_op(t), name);
	buf_clear(want);
	*have = p != NULL ? reply_value(r, NULL, p->path) : SLICE_NONE;
	if (expr_text(x->want, &t->render, want, &err) != 0)
		return false;
	return slice_eq(slice_trim(*have), slice_trim(buf_slice(want))) ||
	       (slice_is(name, "state") && slice_eq(talk_state(t, *have), buf_slice(want)));
}

static void read_back(struct ticket_talk *t, const struct reply *r)
{
	const struct op *op = t->connection->profile->ops[t->op.verb];
	struct slice id = t->render.ticket, have;
	struct buf want = {0};
	BUG_ON(op == NULL || op->readback == NULL || id.n == 0);
	talk_take_record(t, phase_op(t), r, NULL);
	t->result.ticket = id;
	if (slice_is(t->result.state, "gone")) {
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_GONE, "ticket " SLICE_FMT " was deleted",
		         SLICE_ARG(id));
		return;
	}
	for (const struct expectation *x = op->readback; x != NULL; x = x->next) {
		if (kept(t, x, r, &have, &want))
			continue;
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "%s: accepted, but ticket " SLICE_FMT " has " SLICE_FMT " '" SLICE_FMT
		         "' instead of '" SLICE_FMT
		         "'; check names in the profile and the rights of the API user",
		         ticket_verb_word(t->op.verb), SLICE_ARG(id), SLICE_ARG(x->name),
		         SLICE_ARG(slice_sub(have, 0, 100)), SLICE_ARG(slice_sub(buf_slice(&want), 0, 100)));
		break;
	}
	buf_free(&want);
	if (t->phase != TALK_ENDED)
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "read back");
}

static void created(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	talk_take_record(t, op, r, NULL);
	if (t->result.ticket.n == 0) {
		talk_end(t, TICKET_UNCERTAIN, TICKET_CLASS_UNKNOWN,
		         "create: answered %d without the ticket's id", r->status);
		return;
	}
	t->render.ticket = t->result.ticket;
	if (op->readback != NULL)
		enter(t, TALK_READBACK);
	else
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "created");
}

static void got(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	struct slice id = t->render.ticket;
	talk_take_record(t, op, r, NULL);
	if (t->result.ticket.n == 0)
		t->result.ticket = id;
	if (slice_is(t->result.state, "gone"))
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_GONE, "ticket " SLICE_FMT " was deleted",
		         SLICE_ARG(id));
	else
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "read");
}

static void changed(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	struct slice id = t->render.ticket;
	if (op->readback != NULL) {
		enter(t, TALK_READBACK);
		return;
	}
	talk_take_record(t, op, r, NULL);
	t->result.ticket = id;
	talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "accepted");
}

static void succeeded(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	switch (t->op.verb) {
	case TICKET_FIND: talk_found(t, op, r); return;
	case TICKET_CREATE: created(t, op, r); return;
	case TICKET_GET: got(t, op, r); return;
	case TICKET_UPDATE:
	case TICKET_NOTE:
	case TICKET_ACKNOWLEDGE:
	case TICKET_RESOLVE:
	case TICKET_REOPEN: changed(t, op, r); return;
	}
	BUG_ON(true);
}

static void refreshed(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	struct slice version = reply_extract(r, op, NULL, "version");
	if (version.n == 0) {
		talk_end(t, TICKET_RETRY, TICKET_CLASS_CONFLICT,
		         "%s: the version is old and get tells no other", ticket_verb_word(t->op.verb));
		return;
	}
	BUG_ON(t->refreshed);
	t->refreshed = true;
	t->render.version = arena_slice(t->arena, version);
	enter(t, TALK_OPERATION);
}

void ticket_talk_answer(struct ticket_talk *t, const struct ticket_answer *a)
{
	struct reply r;
	BUG_ON(a->status < 0);
	if (DOUBT(t->phase == TALK_ENDED))
		return;
	if (a->status == 0) {
		talk_no_reply(t, a);
		return;
	}
	const struct op *op = phase_op(t);
	reply_read(&r, a, t->arena);
	t->result.status = r.status;
	enum ticket_class cls = reply_class(t->connection->profile, op, phase_verb(t), &r);
	bool stale = cls == TICKET_CLASS_CONFLICT && t->phase == TALK_OPERATION && !t->refreshed &&
	             request_is_conditional(op, &t->render);
	if (stale && t->connection->profile->ops[TICKET_GET] != NULL)
		enter(t, TALK_REFRESH);
	else if (cls != TICKET_CLASS_OK)
		talk_failed(t, cls, &r);
	else if (t->phase == TALK_OPERATION)
		succeeded(t, op, &r);
	else if (t->phase == TALK_REFRESH)
		refreshed(t, op, &r);
	else
		read_back(t, &r);
}

/* ---- */

static struct slice copy(struct arena *a, struct slice s)
{
	return s.p != NULL ? arena_slice(a, s) : SLICE_NONE;
}

struct ticket_talk *ticket_talk_new(const struct ticket_connection *c, const struct ticket_op *op)
{
	struct ticket_talk *t = xcalloc(1, sizeof *t);
	struct error err;
	BUG_ON(c->profile == NULL || (int)op->verb < 0 || (int)op->verb >= VERB_COUNT);
	struct arena *a = arena_new(0);
	t->connection = c;
	t->arena = a;
	t->op = *op;
	t->op.key = copy(a, op->key);
	t->op.ticket = copy(a, op->ticket);
	t->op.facts = copy(a, op->facts);
	t->op.destination = t->op.incident = SLICE_NONE;
	t->result = (struct ticket_result){.id = op->id, .attempt = op->attempt, .verb = op->verb};
	const struct json *facts =
	    json_parse(a, t->op.facts, (struct json_limits){FACTS_DEPTH, 200000}, NULL, &err);
	t->render = (struct render){.connection = c, .facts = facts, .arena = a, .ticket = t->op.ticket};
	t->render.version = json_text(json_path(facts, SLICE("ticket.version")));
	if (t->render.ticket.n == 0 && has_ticket(op->verb))
		t->render.ticket = json_text(json_path(facts, SLICE("ticket.id")));
	t->result.ticket = t->render.ticket;
	begin(t);
	return t;
}

void ticket_talk_free(struct ticket_talk *t)
{
	if (t == NULL)
		return;
	arena_free(t->arena);
	free(t);
}

static void browse(struct ticket_talk *t)
{
	const struct expr *page = t->connection->profile->browse;
	struct error err;
	t->render.ticket = t->result.ticket;
	if (page == NULL || t->result.url.n > 0 || t->result.ticket.n == 0)
		return;
	if (request_url(page, &t->render, &t->result.url, &err) != 0)
		t->result.url = SLICE_NONE;
}

enum talk_next ticket_talk_next(struct ticket_talk *t, struct ticket_request *req, struct ticket_result *res)
{
	if (t->phase != TALK_ENDED) {
		*req = t->request;
		return TALK_REQUEST;
	}
	browse(t);
	*res = t->result;
	return TALK_RESULT;
}
