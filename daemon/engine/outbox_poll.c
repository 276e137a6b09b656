/* Promises that each connection with open tickets is asked regularly what people did to them: the cursor is
 * part of the journaled answer, a lost answer is asked for again, and a webhook of the ticket system only
 * makes the lane look sooner. Must not know what a change means: person.c does. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { CURSOR_OVERLAP = 300 /* s: their clock is not ours */, CURSOR_MAX = 1024 };

static duration interval(const struct engine *e, const struct destination *d)
{
	const struct ticket_config *t = outbox_config(e, d->name);
	return t != NULL && outbox_wanted(e, d->name) ? t->poll : 0;
}

/* Nine to eleven tenths of it: many carillons must not ask in step, and a replay must ask when we did. */
static duration jitter(const struct engine *e, const struct destination *d, duration every)
{
	uint64_t of[2] = {e->serial, (uint64_t)e->now};
	uint64_t h = hash_stable(slice_of(of, sizeof of)) ^ hash_stable(slice_str(d->name));
	return every - every / 10 + (duration)(h % (uint64_t)(every / 5 + 1));
}

static void plan(struct engine *e, size_t k)
{
	struct destination *d = &e->correlation->destinations[k];
	duration every = interval(e, d);
	d->poll_at = INSTANT_NONE;
	if (every <= 0)
		return;
	d->poll_at = e->now + MAX(jitter(e, d, every), MSEC);
	engine_timer(e, d->poll_at, TIMER_DESTINATION, k);
}

static bool is_followed(const struct lane *l, const struct destination *d)
{
	return l->state == LANE_BOUND && !l->done && !l->lost && strcmp(l->destination, d->name) == 0;
}

static bool anything_open(const struct correlation *c, const struct destination *d)
{
	const struct lane *l;
	TAILQ_FOREACH (l, &c->lanes, all)
		if (is_followed(l, d))
			return true;
	return false;
}

static void begin(struct engine *e, size_t k)
{
	struct destination *d = &e->correlation->destinations[k];
	struct buf b = {0};
	if (d->cursor == NULL) {
		instant_format((e->now - CURSOR_OVERLAP * SECOND) / SECOND * SECOND, &b);
		d->cursor = xstrdup(buf_cstr(&b));
	}
	buf_free(&b);
	plan(e, k);
}

void poll_arm(struct engine *e, const struct lane *l)
{
	struct correlation *c = e->correlation;
	size_t k = (size_t)(outbox_destination(c, l->destination) - c->destinations);
	if (c->destinations[k].poll_at == INSTANT_NONE && c->destinations[k].poll_op == 0)
		begin(e, k);
}

static void ask(struct engine *e, struct destination *d)
{
	struct buf facts = {0}, op = {0};
	struct jw w = jw_new(&facts);
	BUG_ON(e->fx == NULL || d->cursor == NULL);
	d->poll_op = engine_serial(e);
	jw_object(&w);
	jw_kstr(&w, "cursor", d->cursor);
	jw_end(&w);
	struct ticket_op o = {
	    .id = d->poll_op,
	    .attempt = 1,
	    .verb = TICKET_POLL,
	    .priority = 5,
	    .destination = slice_str(d->name),
	    .facts = buf_slice(&facts),
	};
	ticket_op_encode(&o, &op);
	buf_lslice(&e->fx->ops, buf_slice(&op));
	e->fx->n_ops++;
	buf_free(&facts);
	buf_free(&op);
}

void poll_due(struct engine *e, size_t k)
{
	struct correlation *c = e->correlation;
	struct destination *d = &c->destinations[k];
	BUG_ON(k >= c->n_destinations);
	if (d->poll_at == INSTANT_NONE || e->now < d->poll_at)
		return;
	d->poll_at = INSTANT_NONE;
	if (!anything_open(c, d) || interval(e, d) <= 0) {
		free(
		    d->cursor); /* the next ticket begins anew: nobody wants to hear what went on meanwhile */
		d->cursor = NULL;
	} else if (d->mode != DESTINATION_UP || d->poll_op != 0) {
		plan(e, k);
	} else {
		ask(e, d);
	}
}

/* ---- answers */

static struct slice ticket_key(struct arena *a, const struct destination *d, struct slice id)
{
	return slice_str(arena_printf(a, "%s\n" SLICE_FMT, d->name, SLICE_ARG(id)));
}

static void take_records(struct engine *e, const struct destination *d, struct slice records, bool always)
{
	struct hmap *by = hmap_new();
	struct lane *l;
	struct ticket_seen s;
	/* an earlier lane wins; one that shares its ticket is told by the search below */
	TAILQ_FOREACH_REVERSE(l, &e->correlation->lanes, all_lanes, all)
	if (is_followed(l, d))
		hmap_put(by, ticket_key(e->scratch, d, slice_str(l->ticket)), l);
	while (ticket_seen_next(&records, &s)) {
		struct lane *hit = hmap_get(by, ticket_key(e->scratch, d, s.id));
		if (hit == NULL)
			continue;
		person_hint(e, hit, &s, always);
		for (l = hit->shared ? TAILQ_NEXT(hit, all) : NULL; l != NULL; l = TAILQ_NEXT(l, all))
			if (is_followed(l, d) && slice_is(s.id, l->ticket))
				person_hint(e, l, &s, always);
	}
	(void)DOUBT(records.n > 0);
	hmap_free(by);
}

void poll_result(struct engine *e, const struct ticket_result *r)
{
	struct correlation *c = e->correlation;
	for (size_t k = 0; k < c->n_destinations; k++) {
		struct destination *d = &c->destinations[k];
		if (r->id == 0 || d->poll_op != r->id)
			continue;
		d->poll_op = 0;
		if (r->outcome == TICKET_DONE) {
			if (r->cursor.n > 0 && r->cursor.n <= CURSOR_MAX) {
				free(d->cursor);
				d->cursor = slice_dup(r->cursor);
			}
			take_records(e, d, r->records, false);
		} else if (r->outcome == TICKET_REFUSED) {
			engine_notice(e, LOG_LEVEL_WARNING,
			              "destination=%s what people do to tickets cannot be seen: " SLICE_FMT,
			              d->name, SLICE_ARG(r->message));
		}
		plan(e, k);
		return;
	}
}

void poll_hint(struct engine *e, struct slice payload)
{
	struct reader r = reader_of(payload);
	struct slice name = read_lslice(&r);
	struct correlation *c = e->correlation;
	if (DOUBT(!r.ok))
		return;
	for (size_t k = 0; k < c->n_destinations; k++)
		if (slice_is(name, c->destinations[k].name))
			take_records(e, &c->destinations[k], slice_sub(payload, r.at, payload.n - r.at),
			             true);
}

/* ---- restarts, reloads */

void poll_resume(struct engine *e)
{
	for (size_t k = 0; k < e->correlation->n_destinations; k++) {
		if (e->correlation->destinations[k].poll_op == 0)
			continue;
		e->correlation->destinations[k].poll_op = 0;
		plan(e, k);
	}
}

void poll_rules_changed(struct engine *e)
{
	struct correlation *c = e->correlation;
	for (size_t k = 0; k < c->n_destinations; k++)
		if (c->destinations[k].poll_op == 0 && c->destinations[k].poll_at == INSTANT_NONE &&
		    anything_open(c, &c->destinations[k]))
			begin(e, k);
}
