/* Promises that a calendar's flag is right at every input, that its edges come as events at their moment, and
 * that what is pending when a rule's time is over is dropped. Must not know windows. */
#include "engine/during.h"

#include <stdlib.h>

#include "engine/alert.h"
#include "engine/silence.h"

struct during {
	struct during_state {
		bool active, changed; /* changed: at this instant, and not yet told */
		instant edge;
	} * v;
	size_t n;
	instant next; /* the timer in the heap; INSTANT_NONE: none */
	bool started;
};

static const struct calendar *calendar(const struct engine *e, uint32_t number)
{
	size_t n;
	const struct calendar *v = rule_set_calendars(e->setup.rules, &n);
	BUG_ON(number >= n);
	return &v[number];
}

void during_new(struct engine *e)
{
	struct during *d = xcalloc(1, sizeof *d);
	e->during = d;
	d->next = INSTANT_NONE;
	(void)rule_set_calendars(e->setup.rules, &d->n);
	d->v = xcalloc(d->n + 1, sizeof *d->v);
}

void during_free(struct engine *e)
{
	free(e->during->v);
	free(e->during);
	e->during = NULL;
}

static void look(const struct engine *e, uint32_t i)
{
	struct during_state *s = &e->during->v[i];
	s->active = calendar_in(calendar(e, i), e->now);
	s->edge = calendar_edge(calendar(e, i), e->now);
}

static void arm(struct engine *e)
{
	struct during *d = e->during;
	instant at = INSTANT_NONE;
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].edge != INSTANT_NONE && (at == INSTANT_NONE || d->v[i].edge < at))
			at = d->v[i].edge;
	}
	if (at == INSTANT_NONE || (d->next != INSTANT_NONE && d->next <= at))
		return; /* that one comes first and looks again */
	d->next = at;
	engine_timer(e, at, TIMER_CALENDAR, 0);
}

static void look_at_all(struct engine *e)
{
	for (uint32_t i = 0; i < e->during->n; i++)
		look(e, i);
}

void during_start(struct engine *e)
{
	if (e->during->started)
		return;
	e->during->started = true;
	look_at_all(e);
	arm(e);
}

/* 17.6: what is pending at the edge is dropped. */
static void drop_pending(struct engine *e, uint32_t number)
{
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	for (size_t i = 0; i < n; i++) {
		if (rules[i].only_during != number || rule_counts_now(e, &rules[i]))
			continue;
		for (struct alert *a = e->windows->rules[i].live.first, *next; a != NULL; a = next) {
			next = a->newer;
			if (a->state == ALERT_PENDING)
				alert_drop(e, a);
		}
	}
}

void during_turn(struct engine *e)
{
	struct during *d = e->during;
	bool any = false;
	if (d->next == INSTANT_NONE || e->now < d->next)
		return;
	d->next = INSTANT_NONE;
	for (uint32_t i = 0; i < d->n; i++) {
		bool was = d->v[i].active;
		if (d->v[i].edge == INSTANT_NONE || e->now < d->v[i].edge)
			continue;
		look(e, i);
		d->v[i].changed = d->v[i].active != was;
		any = any || d->v[i].changed;
	}
	if (any)
		silences_refresh(e, false);
	for (uint32_t i = 0; i < d->n; i++)
		if (d->v[i].changed)
			drop_pending(e, i);
	arm(e);
}

void during_tell(struct engine *e)
{
	struct during *d = e->during;
	for (uint32_t i = 0; i < d->n; i++) {
		if (!d->v[i].changed)
			continue;
		d->v[i].changed = false;
		alert_calendar_event(e, calendar(e, i)->id, d->v[i].active);
	}
}

void during_rules_changed(struct engine *e)
{
	struct during *d = e->during;
	free(d->v);
	(void)rule_set_calendars(e->setup.rules, &d->n);
	d->v = xcalloc(d->n + 1, sizeof *d->v);
	if (!d->started)
		return;
	look_at_all(e);
	arm(e);
}

void during_save(const struct engine *e, struct buf *out)
{
	buf_u8(out, e->during->started);
	buf_u64(out, (uint64_t)e->during->next);
}

/* Flags follow from the time and the rules: edges that were due at the saved time had their turn before it
 * was saved. */
bool during_load(struct engine *e, struct reader *r)
{
	e->during->started = read_u8(r) != 0;
	e->during->next = (instant)read_u64(r);
	if (r->ok && e->during->started && e->now != INSTANT_NONE)
		look_at_all(e);
	return r->ok;
}

/* ---- asking */

bool during_active(const struct engine *e, uint32_t number)
{
	BUG_ON(number >= e->during->n);
	return e->during->v[number].active;
}

instant during_edge(const struct engine *e, uint32_t number)
{
	BUG_ON(number >= e->during->n);
	return e->during->v[number].edge;
}

uint32_t during_find(const struct engine *e, struct slice id)
{
	size_t n, low = 0;
	const struct calendar *v = rule_set_calendars(e->setup.rules, &n);
	while (n > 0) {
		size_t half = n / 2;
		int c = slice_cmp(v[low + half].id, id);
		if (c == 0)
			return (uint32_t)(low + half);
		if (c < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return CALENDAR_NONE;
}

const struct zone *rule_zone(const struct engine *e, const struct rule *r)
{
	return r->only_during != CALENDAR_NONE ? calendar(e, r->only_during)->zone
	                                       : rule_set_zone(e->setup.rules);
}

bool rule_counts_now(const struct engine *e, const struct rule *r)
{
	return r->only_during == CALENDAR_NONE || during_active(e, r->only_during) != r->only_outside;
}

/* The first moment at or behind t at which the rule counts; INSTANT_NONE: never. */
static instant counts_from(const struct calendar *c, bool outside, instant t)
{
	return calendar_in(c, t) != outside ? t : calendar_edge(c, t);
}

bool rule_counts_all(const struct engine *e, const struct rule *r, instant from, instant to, instant *again)
{
	if (r->only_during == CALENDAR_NONE)
		return true;
	const struct calendar *c = calendar(e, r->only_during);
	instant end = calendar_edge(c, from);
	if (calendar_in(c, from) != r->only_outside && (end == INSTANT_NONE || end >= to))
		return true;
	/* the next stretch that is long enough; a few are too short */
	for (int i = 0; i < 64; i++) {
		instant begin = counts_from(c, r->only_outside, end != INSTANT_NONE ? end : from);
		if (begin == INSTANT_NONE)
			break;
		end = calendar_edge(c, begin);
		if (end == INSTANT_NONE || end - begin >= to - from) {
			*again = begin + (to - from);
			return false;
		}
	}
	*again = to + 365 * DAY; /* not for long: look again then */
	return false;
}

duration rule_offset(const struct engine *e, const struct rule *r, instant t)
{
	return zone_offset(rule_zone(e, r), t) * SECOND;
}
