/* Promises a ticket system that does what it is told, or does it and the reply is lost, or does not; what it
 * must never see is a second ticket of one key. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum weather { FAIR, LOSSY, THROTTLED, LOCKED, REFUSING, AWAY, WEATHERS };

static struct sim_ticket *find(struct sim_desk *d, const struct ticket_op *op, uint32_t *number)
{
	int64_t id = 0;
	if (op->ticket.n > 0 && slice_int(op->ticket, &id) && id > 0 && id <= d->n) {
		*number = (uint32_t)id;
		return d->v[id - 1].deleted ? NULL : &d->v[id - 1];
	}
	for (uint32_t i = 0; op->ticket.n == 0 && i < d->n; i++)
		if (!d->v[i].deleted && slice_is(op->key, d->v[i].key)) {
			*number = i + 1;
			return &d->v[i];
		}
	return NULL;
}

static struct sim_ticket *create(struct sim_desk *d, const struct ticket_op *op, uint32_t *number)
{
	if (find(d, op, number) != NULL)
		d->wrong = "a second ticket of one key was made";
	BUG_ON(d->n == TICKETS_MAX || op->key.n >= sizeof d->v[0].key || op->key.n == 0);
	struct sim_ticket *t = &d->v[d->n++];
	memset(t, 0, sizeof *t);
	memcpy(t->key, op->key.p, op->key.n);
	t->open = true;
	*number = d->n;
	return t;
}

static struct sim_ticket *perform(struct sim_desk *d, const struct ticket_op *op, uint32_t *number)
{
	struct sim_ticket *t = op->verb == TICKET_CREATE ? create(d, op, number) : find(d, op, number);
	if (t != NULL && op->verb == TICKET_RESOLVE)
		t->open = false;
	if (t != NULL && op->verb == TICKET_REOPEN)
		t->open = true;
	return t;
}

static bool asks_only(enum ticket_verb v)
{
	return v == TICKET_FIND || v == TICKET_GET || v == TICKET_POLL || v == TICKET_CHANGES ||
	       v == TICKET_CHECK;
}

static void reply_in(struct sim_desk *d, const struct ticket_result *r, instant at)
{
	d->replies = array_reserve(d->replies, &d->cap_replies, d->n_replies + 1, sizeof *d->replies);
	struct reply *x = &d->replies[d->n_replies++];
	*x = (struct reply){.at = at};
	ticket_result_encode(r, &x->bytes);
}

static void done(struct sim_desk *d, const struct ticket_op *op, struct ticket_result *r, char text[16])
{
	uint32_t number = 0;
	bool about = op->verb != TICKET_POLL && op->verb != TICKET_CHANGES && op->verb != TICKET_CHECK &&
	             op->verb != TICKET_LINK_PARENT;
	const struct sim_ticket *t = about ? perform(d, op, &number) : NULL;
	r->outcome = t == NULL && about ? TICKET_ABSENT : TICKET_DONE;
	r->cls = t == NULL && about && op->verb != TICKET_FIND ? TICKET_CLASS_GONE : TICKET_CLASS_OK;
	r->status = t == NULL && about ? 404 : 200;
	snprintf(text, 16, "%u", number);
	if (t != NULL) {
		r->hits = 1;
		r->ticket = slice_str(text);
		r->state = slice_str(t->open ? "open" : "resolved");
	}
}

static void failed(struct ticket_result *r, enum ticket_outcome o, enum ticket_class c, int status)
{
	r->outcome = o;
	r->cls = c;
	r->status = status;
}

void sim_desk_take(struct sim_desk *d, const struct ticket_op *op, instant now)
{
	struct dice dice = {sim_mix(d->seed ^ op->id * 1315423911u ^ (uint64_t)op->attempt << 40)};
	struct ticket_result r = {.id = op->id, .attempt = op->attempt, .verb = op->verb};
	char text[16];
	uint32_t luck = dice_below(&dice, 100);
	bool asks = asks_only(op->verb);
	switch (luck < 30 ? FAIR : (enum weather)d->weather) {
	case FAIR: done(d, op, &r, text); break;
	case LOSSY:
		if (luck % 2 == 0)
			done(d, op, &r, text);
		r.ticket = r.state = SLICE_NONE;
		failed(&r, asks ? TICKET_RETRY : TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT, 0);
		break;
	case THROTTLED:
		failed(&r, TICKET_RETRY, TICKET_CLASS_THROTTLE, 429);
		r.retry_after = (duration)dice_below(&dice, 60) * SECOND;
		break;
	case LOCKED: failed(&r, TICKET_RETRY, TICKET_CLASS_AUTH, 401); break;
	case REFUSING: failed(&r, TICKET_REFUSED, TICKET_CLASS_CONFIG, 400); break;
	case AWAY:
		failed(&r, op->verb == TICKET_CREATE ? TICKET_UNCERTAIN : TICKET_RETRY,
		       TICKET_CLASS_TRANSIENT, 503);
		break;
	case WEATHERS: BUG_ON(true);
	}
	reply_in(d, &r,
	         now + 1 +
	             (instant)(dice_next(&dice) % (uint64_t)(dice_percent(&dice, 5) ? 30 * SECOND : SECOND)));
}

bool sim_desk_reply(struct sim_desk *d, instant until, struct buf *out, instant *at)
{
	size_t first = d->n_replies;
	for (size_t i = 0; i < d->n_replies; i++)
		if (d->replies[i].at <= until &&
		    (first == d->n_replies || d->replies[i].at < d->replies[first].at))
			first = i;
	if (first == d->n_replies)
		return false;
	*out = d->replies[first].bytes;
	*at = d->replies[first].at;
	memmove(d->replies + first, d->replies + first + 1, (d->n_replies - first - 1) * sizeof *d->replies);
	d->n_replies--;
	return true;
}

void sim_desk_forget(struct sim_desk *d)
{
	for (size_t i = 0; i < d->n_replies; i++)
		buf_free(&d->replies[i].bytes);
	d->n_replies = 0;
}

void sim_desk_free(struct sim_desk *d)
{
	sim_desk_forget(d);
	free(d->replies);
	free(d);
}
