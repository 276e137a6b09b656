/* Promises to know how long the reports of a source may lag behind what they report: the interval at which it
 * repeats itself (correlation.md section 10, "lead follows the senders"). Bounded: sources beyond the limit
 * are not learned. Must not know what the reports say. */
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	SOURCES_MAX = 2048,
	GAP_MAX = 900, /* seconds: beyond it a repetition is a reminder, no poll */
	SEEN_MIN = 3,  /* before it is believed */
	SHARE = 4      /* a new gap counts for a quarter */
};

static const char *key_of(const struct engine *e, const struct alert *a)
{
	return arena_printf(e->scratch, "%s\n%s", a->source != NULL ? a->source : "", a->rule_id);
}

void interval_put(struct correlation *c, const char *key, duration length, uint32_t n)
{
	if (c->n_intervals == SOURCES_MAX)
		return;
	c->intervals =
	    array_reserve(c->intervals, &c->cap_intervals, c->n_intervals + 1, sizeof *c->intervals);
	c->intervals[c->n_intervals++] = (struct interval){.key = xstrdup(key), .length = length, .n = n};
	hmap_put(c->interval_by, slice_str(key), (void *)(uintptr_t)c->n_intervals);
}

static struct interval *find(const struct correlation *c, const char *key)
{
	uintptr_t at = (uintptr_t)hmap_get(c->interval_by, slice_str(key));
	BUG_ON(at > c->n_intervals);
	return at > 0 ? &c->intervals[at - 1] : NULL;
}

void interval_seen(struct engine *e, const struct alert *a, duration gap)
{
	if (gap < e->setup.config->correlation.lead / 2 || gap > GAP_MAX * SECOND)
		return; /* so fast a source is never late by more than `lead` */
	const char *key = key_of(e, a);
	struct interval *v = find(e->correlation, key);
	if (v == NULL) {
		interval_put(e->correlation, key, gap, 1);
		return;
	}
	v->length += (gap - v->length) / SHARE;
	v->n += v->n < SEEN_MIN;
}

duration interval_lead(const struct engine *e, const struct alert *a)
{
	const struct interval *v = find(e->correlation, key_of(e, a));
	if (v == NULL || v->n < SEEN_MIN)
		return 0;
	return MIN(v->length + v->length / 10, GAP_MAX * SECOND);
}

void intervals_close(struct correlation *c)
{
	for (size_t k = 0; k < c->n_intervals; k++)
		free(c->intervals[k].key);
	free(c->intervals);
	hmap_free(c->interval_by);
}
