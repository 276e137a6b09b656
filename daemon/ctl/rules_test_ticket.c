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

static struct case_ticket *ticket_do(struct test_case *c, const struct ticket_op *op)
{
	struct case_ticket *t = ticket_find(c, op);
	switch (op->verb) {
	case TICKET_CREATE: return t != NULL ? t : ticket_create(c, op);
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
	case TICKET_UPDATE:
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
		r.ticket = t->id;
		r.state = t->state;
		r.version = SLICE("1");
	}
	struct buf b = {0};
	ticket_result_encode(&r, &b);
	case_step(c, engine_now(c->engine), FRAME_TICKET_RESULT, buf_slice(&b), NULL);
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
