/* The ticket system of rule tests: every operation succeeds at once, and the tickets are remembered so that a
 * search finds what was created. */
#include "ctl/rules_test_case.h"

#include <stdlib.h>

enum { ROUNDS_MAX = 10000 };

void case_step(struct test_case *c, instant at, uint16_t kind, struct slice payload,
               const struct engine_setup *setup)
{
	instant now = engine_now(c->engine);
	struct engine_input in = {
	    .seq = ++c->seq,
	    .at = now != INSTANT_NONE ? MAX(at, now) : at,
	    .kind = kind,
	    .payload = payload,
	    .setup = setup,
	};
	effects_reset(&c->fx);
	engine_step(c->engine, &in, &c->fx);
}

static struct case_ticket *ticket_find(struct test_case *c, const struct ticket_op *op)
{
	for (struct case_ticket *t = c->tickets; t != NULL; t = t->next) {
		if (t->gone)
			continue;
		if (op->ticket.n > 0 ? slice_eq(t->id, op->ticket) : slice_eq(t->key, op->key))
			return t;
	}
	return NULL;
}

static struct case_ticket *ticket_create(struct test_case *c, const struct ticket_op *op)
{
	struct case_ticket *t = arena_alloc(c->arena, sizeof *t);
	t->key = arena_slice(c->arena, op->key);
	t->id = slice_str(arena_printf(c->arena, "%zu", ++c->n_tickets));
	t->state = SLICE("open");
	t->next = c->tickets;
	c->tickets = t;
	return t;
}

/* The priority that carillon writes into it. */
static void ticket_written(struct test_case *c, struct case_ticket *t, const struct ticket_op *op)
{
	struct error err;
	const struct json *facts = json_parse(c->arena, op->facts, JSON_LIMITS, NULL, &err);
	BUG_ON(facts == NULL);
	t->priority = arena_slice(c->arena, json_text(json_path(facts, SLICE("incident.priority"))));
}

static struct case_ticket *ticket_do(struct test_case *c, const struct ticket_op *op)
{
	struct case_ticket *t = ticket_find(c, op);
	switch (op->verb) {
	case TICKET_CREATE:
		t = t != NULL ? t : ticket_create(c, op);
		ticket_written(c, t, op);
		return t;
	case TICKET_UPDATE:
		if (t != NULL)
			ticket_written(c, t, op);
		return t;
	case TICKET_RESOLVE:
		if (t != NULL)
			t->state = SLICE("resolved");
		return t;
	case TICKET_REOPEN:
		if (t != NULL)
			t->state = SLICE("open");
		return t;
	case TICKET_FIND:
	case TICKET_GET:
	case TICKET_NOTE:
	case TICKET_ACKNOWLEDGE:
	case TICKET_LINK_PARENT:
	case TICKET_POLL:
	case TICKET_CHANGES:
	case TICKET_CHECK: return t;
	}
	bug_stop("ticket verb", __FILE__, __LINE__);
}

static void answer_one(struct test_case *c, const struct ticket_op *op)
{
	const struct case_ticket *t = ticket_do(c, op);
	struct buf b = {0}, record = {0};
	struct ticket_result r = {
	    .id = op->id,
	    .attempt = op->attempt,
	    .verb = op->verb,
	    .outcome = t != NULL ? TICKET_DONE : TICKET_ABSENT,
	    .cls = t != NULL || op->verb == TICKET_FIND ? TICKET_CLASS_OK : TICKET_CLASS_GONE,
	    .status = t != NULL ? 200 : 404,
	    .hits = t != NULL,
	};
	if (t != NULL) {
		const struct ticket_seen seen = {
		    .id = t->id, .state = t->state, .priority = t->priority, .merged_into = t->merged_into};
		r.ticket = t->id;
		r.state = t->state;
		r.version = SLICE("1");
		ticket_seen_encode(&seen, &record);
		r.records = buf_slice(&record);
	}
	ticket_result_encode(&r, &b);
	case_step(c, engine_now(c->engine), FRAME_TICKET_RESULT, buf_slice(&b), NULL);
	buf_free(&record);
	buf_free(&b);
}

static void take_ops(struct test_case *c, struct buf *todo)
{
	buf_adds(todo, buf_slice(&c->fx.ops));
	buf_clear(&c->fx.ops);
}

static bool answer_next(struct test_case *c, struct buf *todo)
{
	struct reader r = reader_of(buf_slice(todo));
	struct slice bytes = arena_slice(c->arena, read_lslice(&r));
	struct ticket_op op;
	BUG_ON(!r.ok);
	buf_consume(todo, r.at);
	if (!ticket_op_decode(bytes, &op))
		return false;
	answer_one(c, &op);
	return true;
}

bool case_answer(struct test_case *c)
{
	struct buf todo = {0};
	bool ok = true;
	int rounds = 0;
	take_ops(c, &todo);
	while (ok && todo.n > 0 && ++rounds < ROUNDS_MAX) {
		ok = answer_next(c, &todo);
		take_ops(c, &todo);
	}
	if (!ok || todo.n > 0)
		buf_str(c->why, "  the ticket operations do not come to an end\n");
	ok = ok && todo.n == 0;
	buf_free(&todo);
	return ok;
}

/* ---- what people do */

struct wanted {
	struct slice root, rule, ticket; /* ticket: of the incident that fits */
	bool live;
};

static void fits(void *arg, const struct incident_look *i)
{
	struct wanted *w = arg;
	bool live = i->resolved == INSTANT_NONE;
	if (i->ticket.n == 0 || strcmp(i->state, "merged") == 0 || (w->live && !live))
		return;
	if (w->root.p != NULL ? !slice_eq(w->root, i->root) : !slice_eq(w->rule, i->rule))
		return;
	w->ticket = i->ticket; /* the latest, one that is not over before one that is */
	w->live = live;
}

static struct case_ticket *ticket_wanted(struct test_case *c, struct slice root, struct slice rule)
{
	struct wanted w = {.root = root, .rule = rule, .ticket = SLICE_NONE};
	engine_each_incident(c->engine, fits, &w);
	struct case_ticket *t = c->tickets;
	while (t != NULL && (w.ticket.n == 0 || !slice_eq(t->id, w.ticket)))
		t = t->next;
	if (t == NULL)
		buf_printf(c->why, "  no incident with %s '" SLICE_FMT "' has a ticket at this time\n",
		           root.p != NULL ? "root" : "first rule", SLICE_ARG(root.p != NULL ? root : rule));
	return t;
}

static void tell(struct test_case *c, const struct case_ticket *t, duration at)
{
	for (size_t k = 0; k < c->config.n_tickets; k++) {
		struct buf hint = {0};
		const struct ticket_seen seen = {.id = t->id};
		buf_lslice(&hint, slice_str(c->config.tickets[k].name));
		ticket_seen_encode(&seen, &hint);
		case_step(c, c->start + at, FRAME_TICKET_HINT, buf_slice(&hint), NULL);
		buf_free(&hint);
	}
}

/* A rule may be named without its package, as elsewhere in the file. */
static struct slice rule_named(struct test_case *c, const struct node *n)
{
	if (n == NULL || memchr(n->text.p, '/', n->text.n) != NULL)
		return n != NULL ? n->text : SLICE_NONE;
	return slice_str(
	    arena_printf(c->arena, SLICE_FMT "/" SLICE_FMT, SLICE_ARG(c->test->package), SLICE_ARG(n->text)));
}

bool case_person(struct test_case *c, const struct node *ticket, duration at)
{
	const struct node *root = node_get(ticket, "root"), *rule = node_get(ticket, "rule"),
	                  *state = node_get(ticket, "state"), *priority = node_get(ticket, "priority"),
	                  *merged = node_get(ticket, "merged_into");
	struct slice none = SLICE_NONE;
	struct case_ticket *t = ticket_wanted(c, root != NULL ? root->text : none, rule_named(c, rule));
	if (t == NULL)
		return false;
	if (state != NULL && slice_is(state->text, "gone"))
		t->gone = true;
	else if (state != NULL)
		t->state = state->text;
	if (priority != NULL)
		t->priority = priority->text;
	if (merged != NULL) {
		struct case_ticket *into = ticket_wanted(c, merged->text, SLICE_NONE);
		if (into == NULL)
			return false;
		t->merged_into = into->id;
	}
	tell(c, t, at);
	return case_answer(c);
}
