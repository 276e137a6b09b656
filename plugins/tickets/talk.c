/* Promises that one operation is at most: a login, a look at the ticket, its steps, itself (once more after a
 * get when its version was old, once more after a login when the token was refused), and a get that reads
 * back what was written. Must not know time or sockets. tickets.md. */
#include <stdio.h>
#include <stdlib.h>

#include "plugins/tickets/request.h"
#include "plugins/tickets/session.h"
#include "plugins/tickets/talk.h"

enum { FACTS_DEPTH = 32 };

/* As what an answer is judged. */
static enum ticket_verb phase_verb(const struct ticket_talk *t)
{
	switch (t->phase) {
	case TALK_LOGIN: return TICKET_CREATE; /* no ticket, and what it says is not anybody's text */
	case TALK_STEP: return strcmp(t->step->method, "GET") == 0 ? TICKET_GET : t->op.verb;
	case TALK_OPERATION: return t->op.verb;
	case TALK_LOOK:
	case TALK_THEN:
	case TALK_REFRESH:
	case TALK_READBACK: return TICKET_GET;
	case TALK_CHECK:
	case TALK_ENDED: break;
	}
	BUG_ON(true);
	return TICKET_GET;
}

const struct op *talk_phase_op(const struct ticket_talk *t)
{
	const struct ticket_profile *p = t->connection->profile;
	if (t->phase == TALK_LOGIN)
		return p->login;
	return t->phase == TALK_STEP ? t->step : p->ops[phase_verb(t)];
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

void talk_enter(struct ticket_talk *t, enum talk_phase phase)
{
	struct error err;
	t->phase = phase;
	struct slice key = phase == TALK_OPERATION && t->op.verb == TICKET_CREATE ? t->op.key : SLICE_NONE;
	const struct op *op = talk_phase_op(t);
	BUG_ON(op == NULL || phase == TALK_ENDED);
	if (request_build(op, &t->render, key, &t->request, &err) != 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: not sent: %s",
		         ticket_verb_word(t->op.verb), err.text);
	else if (phase == TALK_OPERATION && t->next_url != NULL)
		t->request.url = t->next_url;
}

/* Behind the look at the ticket: the steps, then the operation. */
static void go_on(struct ticket_talk *t)
{
	t->step = t->connection->profile->ops[t->op.verb]->steps;
	talk_enter(t, t->step != NULL ? TALK_STEP : TALK_OPERATION);
}

static void start(struct ticket_talk *t)
{
	const struct ticket_profile *p = t->connection->profile;
	const struct op *op = p->ops[t->op.verb];
	bool looks = op->skip_if != NULL || op->when != NULL || op->never_if != NULL;
	t->resume = looks ? TALK_LOOK : op->steps != NULL ? TALK_STEP : TALK_OPERATION;
	t->step = op->steps;
	talk_enter(t, p->login != NULL && t->render.session->n == 0 ? TALK_LOGIN : t->resume);
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
	case TICKET_LINK_PARENT:
	case TICKET_POLL:
	case TICKET_CHANGES:
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
	case TICKET_REOPEN:
	case TICKET_CHECK: break;
	}
	talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "the profile '%s' has no %s; a person must do it",
	         p->name, verb);
}

static void begin(struct ticket_talk *t)
{
	const char *secret = missing_secret(t->connection);
	if (t->op.verb != TICKET_CHECK && t->connection->profile->ops[t->op.verb] == NULL)
		no_such_op(t);
	else if (t->render.facts == NULL)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: the facts of the operation are damaged",
		         ticket_verb_word(t->op.verb));
	else if (reply_has_ticket(t->op.verb) && t->render.ticket.n == 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: the ticket's id is not known",
		         ticket_verb_word(t->op.verb));
	else if (secret != NULL)
		talk_end(t, TICKET_RETRY, TICKET_CLASS_AUTH,
		         "the secret '%s' is empty or could not be read; see tickets in carillon.yaml",
		         secret);
	else if (t->op.verb == TICKET_CHECK)
		talk_check_begin(t);
	else
		start(t);
}

/* ---- before the operation */

static void logged_in(struct ticket_talk *t, const struct op *login, const struct reply *r)
{
	struct ticket_session *s = t->own_session != NULL ? t->own_session : t->connection->session;
	struct values *v = record_values(&t->render, login->extract, NULL, r, NULL);
	int64_t seconds;
	for (; v != NULL; v = v->next) {
		if (slice_trim(v->value).n == 0) {
			ticket_session_forget(s);
			talk_end(t, TICKET_RETRY, TICKET_CLASS_AUTH,
			         "the login was answered %d without '" SLICE_FMT
			         "'; check the user and 'auth' in the profile",
			         r->status, SLICE_ARG(v->name));
			return;
		}
		session_put(s, v->name, slice_trim(v->value));
	}
	if (login->expires.p != NULL && slice_int(reply_value(r, NULL, login->expires), &seconds))
		session_lasts(s, seconds);
	talk_enter(t, t->resume);
}

/* -1: a value cannot be rendered; that ends the talk. */
static int holds(struct ticket_talk *t, const struct condition *c, const struct values *v)
{
	struct error err;
	struct buf want = {0};
	bool all = true;
	int rc = 0;
	for (; rc == 0 && all && c != NULL; c = c->next) {
		bool any = false;
		for (const struct expectation *x = c->wants; rc == 0 && !any && x != NULL; x = x->next) {
			buf_clear(&want);
			rc = expr_text(x->want, &t->render, &want, &err);
			any = rc == 0 && record_is(t->connection->profile, v, c->name, buf_slice(&want));
		}
		all = any;
	}
	buf_free(&want);
	if (rc != 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: %s", ticket_verb_word(t->op.verb),
		         err.text);
	return rc != 0 ? -1 : all;
}

static void forbidden(struct ticket_talk *t, const struct values *v)
{
	talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFLICT,
	         "%s: ticket " SLICE_FMT " is '" SLICE_FMT "', and the profile does not do it from there",
	         ticket_verb_word(t->op.verb), SLICE_ARG(t->render.ticket),
	         SLICE_ARG(values_get(v, SLICE("state"))));
}

static void looked(struct ticket_talk *t, const struct op *get, const struct reply *r)
{
	const struct op *op = t->connection->profile->ops[t->op.verb];
	struct values *v = record_values(&t->render, get->extract, NULL, r, NULL);
	struct slice id = t->render.ticket;
	talk_take_record(t, v);
	t->result.ticket = id;
	if (t->result.version.n > 0)
		t->render.version = t->result.version;
	int skip = op->skip_if != NULL ? holds(t, op->skip_if, v) : 0;
	int when = skip == 0 && op->when != NULL ? holds(t, op->when, v) : 1;
	int never = skip == 0 && when == 1 && op->never_if != NULL ? holds(t, op->never_if, v) : 0;
	if (t->phase == TALK_ENDED)
		return;
	if (slice_is(t->result.state, "gone"))
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_GONE, "ticket " SLICE_FMT " was deleted",
		         SLICE_ARG(id));
	else if (skip == 1)
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "it is so already");
	else if (when == 0 || never == 1)
		forbidden(t, v);
	else
		go_on(t);
}

static void stepped(struct ticket_talk *t, const struct reply *r)
{
	const struct op *step = t->step;
	t->render.steps = record_values(&t->render, step->extract, t->render.steps, r, NULL);
	for (size_t i = 0; i < step->n_require; i++)
		if (values_get(t->render.steps, step->require[i]).n == 0) {
			talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
			         "%s: the ticket system offers no '" SLICE_FMT
			         "' for this ticket; check conf and the profile's steps",
			         ticket_verb_word(t->op.verb), SLICE_ARG(step->require[i]));
			return;
		}
	t->step = step->next;
	talk_enter(t, t->step != NULL ? TALK_STEP : TALK_OPERATION);
}

/* ---- behind it */

static const struct expectation *not_kept(struct ticket_talk *t, const struct values *v, struct buf *want)
{
	struct error err;
	const struct expectation *x = t->connection->profile->ops[t->op.verb]->readback;
	for (; x != NULL; x = x->next) {
		buf_clear(want);
		if (expr_text(x->want, &t->render, want, &err) != 0 ||
		    !record_is(t->connection->profile, v, x->name, buf_slice(want)))
			break;
	}
	return x;
}

static void read_back(struct ticket_talk *t, const struct op *get, const struct reply *r)
{
	struct slice id = t->render.ticket;
	struct buf want = {0};
	struct values *v = record_values(&t->render, get->extract, NULL, r, NULL);
	BUG_ON(id.n == 0);
	talk_take_record(t, v);
	t->result.ticket = id;
	if (slice_is(t->result.state, "gone")) {
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_GONE, "ticket " SLICE_FMT " was deleted",
		         SLICE_ARG(id));
		return;
	}
	const struct expectation *x = not_kept(t, v, &want);
	if (x != NULL)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "%s: accepted, but ticket " SLICE_FMT " has " SLICE_FMT " '" SLICE_FMT
		         "' instead of '" SLICE_FMT
		         "'; check names in the profile and the rights of the API user",
		         ticket_verb_word(t->op.verb), SLICE_ARG(id), SLICE_ARG(x->name),
		         SLICE_ARG(slice_sub(values_get(v, x->name), 0, 100)),
		         SLICE_ARG(slice_sub(buf_slice(&want), 0, 100)));
	else
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "read back");
	buf_free(&want);
}

/* What no answer has, such as the id where the ticket system goes by our key. */
static struct values *with_set(struct ticket_talk *t, const struct op *op, struct values *v)
{
	struct error err;
	for (const struct expectation *x = op->set; x != NULL; x = x->next) {
		struct values *new = arena_alloc(t->arena, sizeof *new);
		struct buf b = {0};
		if (expr_text(x->want, &t->render, &b, &err) == 0)
			*new = (struct values){x->name,
			                       arena_slice(t->arena, b.n > 0 ? buf_slice(&b) : SLICE("")), v};
		buf_free(&b);
		v = new->name.p != NULL ? new : v;
	}
	return v;
}

static void created(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	talk_take_record(t, with_set(t, op, record_values(&t->render, op->extract, NULL, r, NULL)));
	if (t->result.ticket.n == 0) {
		talk_end(t, TICKET_UNCERTAIN, TICKET_CLASS_UNKNOWN,
		         "create: answered %d without the ticket's id", r->status);
		return;
	}
	t->render.ticket = t->result.ticket;
	if (op->readback != NULL)
		talk_enter(t, TALK_READBACK);
	else
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "created");
}

static void got(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	struct slice id = t->render.ticket;
	struct values *v = with_set(t, op, record_values(&t->render, op->extract, NULL, r, NULL));
	talk_take_record(t, v);
	if (t->result.ticket.n == 0)
		t->result.ticket = id;
	talk_put_seen(t, v);
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
		talk_enter(t, TALK_READBACK);
		return;
	}
	talk_take_record(t, with_set(t, op, record_values(&t->render, op->extract, NULL, r, NULL)));
	t->result.ticket = id;
	talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "accepted");
}

static void succeeded(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	t->made = true;
	switch (t->op.verb) {
	case TICKET_FIND:
	case TICKET_POLL:
	case TICKET_CHANGES: talk_listed(t, op, r); return;
	case TICKET_CREATE: created(t, op, r); return;
	case TICKET_GET: got(t, op, r); return;
	case TICKET_UPDATE:
	case TICKET_NOTE:
	case TICKET_ACKNOWLEDGE:
	case TICKET_RESOLVE:
	case TICKET_REOPEN:
	case TICKET_LINK_PARENT: changed(t, op, r); return;
	case TICKET_CHECK: break;
	}
	BUG_ON(true);
}

static void refreshed(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	struct slice version =
	    values_get(record_values(&t->render, op->extract, NULL, r, NULL), SLICE("version"));
	if (version.n == 0) {
		talk_end(t, TICKET_RETRY, TICKET_CLASS_CONFLICT,
		         "%s: the version is old and get tells no other", ticket_verb_word(t->op.verb));
		return;
	}
	BUG_ON(t->refreshed);
	t->refreshed = true;
	t->render.version = version;
	talk_enter(t, TALK_OPERATION);
}

static void judged_ok(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	switch (t->phase) {
	case TALK_LOGIN: logged_in(t, op, r); return;
	case TALK_LOOK: looked(t, op, r); return;
	case TALK_STEP: stepped(t, r); return;
	case TALK_OPERATION: succeeded(t, op, r); return;
	case TALK_THEN: talk_item_read(t, op, r); return;
	case TALK_REFRESH: refreshed(t, op, r); return;
	case TALK_READBACK: read_back(t, op, r); return;
	case TALK_CHECK:
	case TALK_ENDED: break;
	}
	BUG_ON(true);
}

/* A token that is refused may only be old: once, not for ever. */
static bool renew(struct ticket_talk *t, enum ticket_class cls)
{
	if (cls != TICKET_CLASS_AUTH || t->connection->profile->login == NULL || t->phase == TALK_LOGIN ||
	    t->renewed)
		return false;
	ticket_session_forget(t->own_session != NULL ? t->own_session : t->connection->session);
	t->renewed = true;
	t->resume = t->phase;
	talk_enter(t, TALK_LOGIN);
	return true;
}

void ticket_talk_answer(struct ticket_talk *t, const struct ticket_answer *a)
{
	struct reply r;
	BUG_ON(a->status < 0);
	if (DOUBT(t->phase == TALK_ENDED))
		return;
	if (t->phase == TALK_CHECK) {
		talk_check_answer(t, a);
		return;
	}
	if (a->status == 0) {
		talk_no_reply(t, a);
		return;
	}
	const struct op *op = talk_phase_op(t);
	reply_read(&r, a, t->arena);
	t->result.status = r.status;
	t->rule_wait = 0;
	enum ticket_class cls = reply_class(t->connection->profile, op, phase_verb(t), &r, &t->rule_wait);
	bool stale = cls == TICKET_CLASS_CONFLICT && t->phase == TALK_OPERATION && !t->refreshed &&
	             request_is_conditional(op, &t->render);
	if (renew(t, cls))
		return;
	if (stale && t->connection->profile->ops[TICKET_GET] != NULL)
		talk_enter(t, TALK_REFRESH);
	else if (cls == TICKET_CLASS_GONE && t->phase == TALK_THEN)
		talk_item_gone(t);
	else if (cls != TICKET_CLASS_OK)
		talk_failed(t, cls, &r);
	else
		judged_ok(t, op, &r);
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
	BUG_ON(c->profile == NULL || (int)op->verb < 0 || (int)op->verb > TICKET_CHECK);
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
	if (t->render.ticket.n == 0 && reply_has_ticket(op->verb))
		t->render.ticket = json_text(json_path(facts, SLICE("ticket.id")));
	if (c->profile->login != NULL && c->session == NULL)
		t->own_session = ticket_session_new();
	t->render.session = t->own_session != NULL ? t->own_session : c->session;
	t->render.page_number = 1;
	t->result.ticket = t->render.ticket;
	begin(t);
	return t;
}

void ticket_talk_free(struct ticket_talk *t)
{
	if (t == NULL)
		return;
	talk_check_free(t);
	ticket_session_free(t->own_session);
	free(t->list);
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
