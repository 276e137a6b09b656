/* Promises a list of what happens, made from a seed before anything runs, so that single entries can be left
 * out. */
#include "sim.h"

#include <stdlib.h>

enum {
	SEES_PING,
	SEES_HTTP,
	SEES_SLOW,
	SEES_DISK,
	SEES_LOG,
	SEES_CRASH,
	SEES_REFUSED,
	SEES_BURST,
	SEES_GROUP,
	SEES_LONE,
	SEES_LATE
};

static struct act *add(struct plan *p, duration at, enum act_kind kind)
{
	static struct act spare;
	struct act *a = p->n < ACTS_MAX ? &p->v[p->n++] : &spare;
	*a = (struct act){.at = at, .kind = kind, .peer = NODES_MAX};
	return a;
}

static duration within(struct dice *d, duration most)
{
	return (duration)(dice_next(d) % (uint64_t)most);
}

static void event(struct plan *p, struct dice *d, duration at, uint32_t node, uint32_t check, bool problem)
{
	struct act *a = add(p, at, ACT_EVENT);
	a->node = node;
	a->check = check;
	a->what = (uint32_t)(problem ? 0 : 1) | dice_below(d, 4) << 8;
	if (dice_percent(d, 5)) /* its clock is wrong, or it was long on its way */
		a->late = within(d, 10 * MINUTE) - 2 * MINUTE;
	if (dice_percent(d, 4)) { /* delivered twice */
		struct act *b = add(p, at + within(d, 3 * SECOND), ACT_EVENT);
		duration when = b->at;
		*b = *a;
		b->at = when;
	}
}

/* What is seen of one node, from its failure to its recovery. */
static void symptoms(struct plan *p, struct dice *d, const struct world *w, uint32_t node, uint8_t level,
                     duration on, duration off)
{
	static const uint32_t down[] = {SEES_PING, SEES_PING, SEES_CRASH, SEES_LATE, SEES_HTTP},
	                      slow[] = {SEES_HTTP, SEES_SLOW, SEES_LOG, SEES_REFUSED, SEES_BURST};
	if (dice_percent(d, 15))
		return; /* nobody watches it */
	for (uint32_t n = 1 + dice_below(d, 2); n > 0; n--) {
		uint32_t check =
		    level == 2 ? down[dice_below(d, ARRAY_LEN(down))] : slow[dice_below(d, ARRAY_LEN(slow))];
		duration late = within(d, dice_percent(d, 15) ? 5 * MINUTE : 40 * SECOND);
		event(p, d, on + late, node, check, true);
		if (check == SEES_REFUSED && w->v[node].n_needs > 0)
			p->v[p->n - 1].peer =
			    dice_percent(d, 70) ? w->v[node].needs[0].to[0] : dice_below(d, w->n);
		for (uint32_t again = check == SEES_BURST ? 4 : dice_below(d, 3); again > 0; again--)
			event(p, d, on + late + within(d, MAX(off - on, SECOND)), node, check, true);
		if (!dice_percent(d, 5))
			event(p, d, off + within(d, MINUTE), node, check, false);
	}
}

static void fault(struct plan *p, struct dice *d, const struct world *w, duration at)
{
	uint8_t level[NODES_MAX];
	uint32_t root = dice_below(d, w->n);
	duration on = at, length = 20 * SECOND + within(d, dice_percent(d, 20) ? 40 * MINUTE : 8 * MINUTE);
	world_blast(w, root, dice_percent(d, 70) ? 2 : 1, level);
	for (uint32_t spells = dice_percent(d, 15) ? 5 : 1; spells > 0; spells--) {
		duration off = on + (spells > 1 ? within(d, MINUTE) : length);
		bool silent = dice_percent(d, 20);
		for (uint32_t i = 0; i < w->n; i++)
			if (level[i] > 0 && !(silent && i == root))
				symptoms(p, d, w, i, level[i], on + (i == root ? 0 : within(d, 6 * SECOND)),
				         off);
		on = off + within(d, 90 * SECOND);
	}
}

static void noise(struct plan *p, struct dice *d, const struct world *w, duration end)
{
	for (uint32_t n = dice_below(d, 25); n > 0; n--)
		event(p, d, within(d, end), dice_below(d, w->n + 1), dice_below(d, CHECKS),
		      !dice_percent(d, 30));
	for (uint32_t n = dice_below(d, 4); n > 0; n--) {
		duration on = within(d, end);
		uint32_t node = dice_below(d, w->n), check = dice_percent(d, 50)   ? SEES_GROUP
		                                             : dice_percent(d, 50) ? SEES_LONE
		                                                                   : SEES_DISK;
		event(p, d, on, node, check, true);
		event(p, d, on + within(d, 20 * MINUTE), node, check, false);
	}
}

static void some(struct plan *p, struct dice *d, enum act_kind kind, uint32_t most, duration end)
{
	for (uint32_t n = dice_below(d, most + 1); n > 0; n--)
		add(p, within(d, end), kind)->what = (uint32_t)dice_next(d);
}

static int by_time(const void *a, const void *b)
{
	const struct act *x = a, *y = b;
	if (x->at != y->at)
		return x->at > y->at ? 1 : -1;
	return (x > y) - (x < y);
}

void plan_make(struct plan *p, const struct world *w, struct dice *d)
{
	duration end = 10 * MINUTE + within(d, dice_percent(d, 20) ? 90 * MINUTE : 25 * MINUTE);
	p->n = 0;
	for (uint32_t n = 1 + dice_below(d, 3); n > 0; n--)
		fault(p, d, w, within(d, dice_percent(d, 50) ? 2 * MINUTE : end));
	noise(p, d, w, end);
	some(p, d, ACT_COMMAND, 8, end);
	if (dice_percent(d, 30))
		some(p, d, ACT_RULES, 3, end);
	if (dice_percent(d, 30))
		some(p, d, ACT_MAP, 3, end);
	some(p, d, ACT_RELOAD, 3, end);
	if (dice_percent(d, 30))
		some(p, d, ACT_RESTART, 3, end);
	if (dice_percent(d, 50))
		some(p, d, ACT_WEATHER, 5, end);
	if (dice_percent(d, 10))
		some(p, d, ACT_PERSON, 2, end);
	if (dice_percent(d, 10))
		some(p, d, ACT_JUMP, 2, end);
	qsort(p->v, p->n, sizeof *p->v, by_time);
}
