/* A ticket system in which every operation succeeds at once. Remembers when each ticket was opened, resolved
 * and reopened. */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/backtest.h"

void bt_tickets_init(struct bt_tickets *t)
{
	*t = (struct bt_tickets){.by_key = hmap_new()};
}

void bt_tickets_free(struct bt_tickets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i]->key);
		free(t->v[i]->incident);
		free(t->v[i]->resolves.v);
		free(t->v[i]->reopens.v);
		free(t->v[i]->events);
		free(t->v[i]);
	}
	free(t->v);
	hmap_free(t->by_key);
}

const struct bt_ticket *bt_ticket_of(const struct bt_tickets *t, const char *incident)
{
	for (size_t i = t->n; i-- > 0;)
		if (strcmp(t->v[i]->incident, incident) == 0)
			return t->v[i];
	return NULL;
}

static struct bt_ticket *find(const struct bt_tickets *t, const struct ticket_op *op)
{
	int64_t number;

	if (op->ticket.n == 0)
		return hmap_get(t->by_key, op->key);
	return slice_int(op->ticket, &number) && number >= 1 && (uint64_t)number <= t->n ? t->v[number - 1]
	                                                                                 : NULL;
}

static struct bt_ticket *create(struct bt_tickets *t, const struct ticket_op *op, instant now)
{
	struct bt_ticket *k = xcalloc(1, sizeof *k);

	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = k;
	snprintf(k->number, sizeof k->number, "%zu", t->n);
	k->key = slice_dup(op->key);
	k->incident = slice_dup(op->incident);
	k->opened = now;
	k->open = true;
	hmap_put(t->by_key, op->key, k);
	return k;
}

static void remember(struct bt_times *t, instant at)
{
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = at;
}

static void turn(struct bt_ticket *k, bool open, instant now)
{
	if (k == NULL || k->open == open)
		return;
	k->open = open;
	remember(open ? &k->reopens : &k->resolves, now);
}

static struct bt_ticket *perform(struct bt_tickets *t, const struct ticket_op *op, instant now)
{
	struct bt_ticket *k = find(t, op);

	switch (op->verb) {
	case TICKET_CREATE: return k != NULL ? k : create(t, op, now);
	case TICKET_RESOLVE: turn(k, false, now); return k;
	case TICKET_REOPEN: turn(k, true, now); return k;
	case TICKET_FIND:
	case TICKET_GET:
	case TICKET_UPDATE:
	case TICKET_NOTE:
	case TICKET_ACKNOWLEDGE:
	case TICKET_LINK_PARENT:
	case TICKET_POLL:
	case TICKET_CHANGES:
	case TICKET_CHECK: return k;
	}
	bug_stop("ticket verb", __FILE__, __LINE__);
}

bool bt_tickets_answer(struct bt_tickets *t, struct slice bytes, instant now, struct buf *result)
{
	struct ticket_op op;
	struct ticket_result r;
	const struct bt_ticket *k;

	if (!ticket_op_decode(bytes, &op))
		return false;
	k = perform(t, &op, now);
	r = (struct ticket_result){.id = op.id,
	                           .attempt = op.attempt,
	                           .verb = op.verb,
	                           .outcome = k != NULL ? TICKET_DONE : TICKET_ABSENT,
	                           .cls = k != NULL || op.verb == TICKET_FIND ? TICKET_CLASS_OK
	                                                                      : TICKET_CLASS_GONE,
	                           .status = k != NULL ? 200 : 404,
	                           .hits = k != NULL};
	if (k != NULL) {
		r.ticket = slice_str(k->number);
		r.state = k->open ? SLICE("open") : SLICE("resolved");
		r.version = SLICE("1");
	}
	ticket_result_encode(&r, result);
	return true;
}

/* ---- after the end */

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

static void take_events(struct bt_ticket *k, const struct trace_alert *a)
{
	if (a->n == 0)
		return;
	k->events = array_reserve(k->events, &k->cap_events, k->n_events + a->n, sizeof *k->events);
	memcpy(k->events + k->n_events, a->events, a->n * sizeof *k->events);
	k->n_events += a->n;
}

static void sort_events(struct bt_ticket *k)
{
	size_t kept = 0;

	if (k->n_events > 0)
		qsort(k->events, k->n_events, sizeof *k->events, by_number);
	for (size_t i = 0; i < k->n_events; i++)
		if (kept == 0 || k->events[kept - 1] != k->events[i])
			k->events[kept++] = k->events[i];
	k->n_events = kept;
}

void bt_tickets_finish(struct bt_tickets *t, const struct trace *trace)
{
	struct hmap *of = hmap_new();

	for (size_t i = t->n; i-- > 0;) {
		struct bt_ticket *k = t->v[i];

		k->final = trace_incident(trace, slice_str(k->incident));
		if (!DOUBT(k->final == NULL))
			(void)hmap_put(of, key_u64(&k->final->serial), k);
	}
	for (size_t i = 0; i < trace->n_alerts; i++) {
		uint64_t serial = trace_incident_of(trace, trace->alerts[i]);
		struct bt_ticket *k = hmap_get(of, key_u64(&serial));

		if (k != NULL)
			take_events(k, trace->alerts[i]);
	}
	for (size_t i = 0; i < t->n; i++)
		sort_events(t->v[i]);
	hmap_free(of);
}
