/* Promises that a loaded correlation goes on exactly as the saved one would have: everything that decisions
 * rest on is written, in order of creation; what follows from it (derived state, who looks at whom) is worked
 * out again. */
#include <stdlib.h>

#include "engine/save.h"

void save_str(struct buf *out, const char *s)
{
	buf_lslice(out, slice_str(s));
}

char *load_str(struct reader *r)
{
	struct slice s = read_lslice(r);
	return s.p != NULL ? slice_dup(s) : NULL;
}

void save_time(struct buf *out, instant t)
{
	buf_u64(out, (uint64_t)t);
}

instant load_time(struct reader *r)
{
	return (instant)read_u64(r);
}

bool load_bool(struct reader *r)
{
	return read_u8(r) != 0;
}

/* A count of things of which each takes at least `octets`. */
size_t load_count(struct reader *r, size_t octets)
{
	uint64_t n = read_u64(r);
	if (r->ok && n <= (r->n - r->at) / octets)
		return (size_t)n;
	r->ok = false;
	return 0;
}

int load_enum(struct reader *r, int count)
{
	int v = read_u8(r);
	if (v < count)
		return v;
	r->ok = false;
	return 0;
}

/* ---- spans and generations */

static void put_spans(const struct engine *e, const struct layer *l, struct buf *out)
{
	uint64_t n = 0;
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1)
			buf_u64(out, n);
		for (uint32_t s = 0; s < e->correlation->derived.n_services; s++) {
			/* one that ended so long ago can no longer be seen by any search */
			bool old = l->span_off[s] != INSTANT_NONE &&
			           e->now - l->span_off[s] > 2 * e->setup.config->correlation.keep;
			if (l->span_on[s] == INSTANT_NONE || old)
				continue;
			n += pass == 0;
			if (pass == 0)
				continue;
			buf_lslice(out, service_id(e->setup.map, s));
			save_time(out, l->span_on[s]);
			save_time(out, l->span_off[s]);
		}
	}
}

static void get_spans(struct engine *e, struct layer *l, struct reader *r)
{
	size_t n = load_count(r, 20);
	for (size_t s = 0; s < e->correlation->derived.n_services; s++)
		l->span_on[s] = l->span_off[s] = INSTANT_NONE;
	for (size_t k = 0; k < n && r->ok; k++) {
		struct slice id = read_lslice(r);
		instant on = load_time(r), off = load_time(r);
		uint32_t s = id.p != NULL ? service_find(e->setup.map, id) : SERVICE_NONE;
		if (s == SERVICE_NONE)
			continue;
		l->span_on[s] = on;
		l->span_off[s] = off;
	}
}

static void put_generations(struct buf *out, const struct correlation *c)
{
	buf_u32(out, c->generation_base);
	buf_u64(out, c->n_generations);
	for (size_t k = 0; k < c->n_generations; k++) {
		save_str(out, c->generations[k].pair);
		buf_u32(out, c->generations[k].n);
	}
}

static void get_generations(struct reader *r, struct correlation *c)
{
	c->generation_base = read_u32(r);
	size_t n = load_count(r, 8);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *pair = load_str(r);
		uint32_t g = read_u32(r);
		generation_put(c, pair != NULL ? pair : "", g);
		free(pair);
	}
}

static void put_intervals(struct buf *out, const struct correlation *c)
{
	buf_u64(out, c->n_intervals);
	for (size_t k = 0; k < c->n_intervals; k++) {
		save_str(out, c->intervals[k].key);
		save_time(out, c->intervals[k].length);
		buf_u32(out, c->intervals[k].n);
	}
}

static void get_intervals(struct reader *r, struct correlation *c)
{
	size_t n = load_count(r, 16);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *key = load_str(r);
		duration length = load_time(r);
		interval_put(c, key != NULL ? key : "", length, read_u32(r));
		free(key);
	}
}

/* Searches that wait, in their order. */
static void put_rest(struct buf *out, const struct correlation *c)
{
	uint64_t n = 0;
	for (size_t k = 0; k < c->n_work; k++)
		n += c->work[k] != NULL;
	buf_u64(out, n);
	for (size_t k = 0; k < c->n_work; k++)
		if (c->work[k] != NULL)
			buf_u64(out, c->work[k]->serial);
}

static void get_rest(struct reader *r, struct correlation *c)
{
	size_t n = load_count(r, 8);
	for (size_t k = 0; k < n && r->ok; k++) {
		uint64_t serial = read_u64(r);
		struct episode *ep = hmap_get(c->episode_by, key_u64(&serial));
		if (ep == NULL || ep->searching) {
			r->ok = false;
			return;
		}
		episode_work(c, ep);
		ep->searching = true;
	}
	c->n_rest = c->n_work;
	c->fresh = false;
}

static void put_pairs(struct buf *out, const struct correlation *c)
{
	buf_u64(out, c->n_pairs);
	for (size_t k = 0; k < c->n_pairs; k++) {
		save_str(out, c->pairs[k].from);
		save_str(out, c->pairs[k].to);
		buf_u32(out, c->pairs[k].together);
		buf_u32(out, c->pairs[k].named);
		save_time(out, c->pairs[k].last);
	}
}

static void get_pairs(struct reader *r, struct correlation *c)
{
	size_t n = load_count(r, 24);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *from = load_str(r), *to = load_str(r);
		struct pair *p = pair_put(c, from != NULL ? from : "", to != NULL ? to : "");
		p->together = read_u32(r);
		p->named = read_u32(r);
		p->last = load_time(r);
		free(from);
		free(to);
	}
}

static void put_maintenance(struct buf *out, const struct correlation *c)
{
	buf_u64(out, c->n_maintenance);
	for (size_t k = 0; k < c->n_maintenance; k++) {
		save_str(out, c->maintenance[k].id);
		save_str(out, c->maintenance[k].silence);
		save_time(out, c->maintenance[k].since);
		buf_u8(out, c->maintenance[k].running);
	}
}

static void get_maintenance(struct engine *e, struct reader *r)
{
	size_t n = load_count(r, 17);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *id = load_str(r), *silence = load_str(r);
		instant since = load_time(r);
		bool running = load_bool(r);
		if (id != NULL && silence != NULL) {
			maintenance_add(e->correlation, id, silence, since, running);
			maintenance_derive(e, id, running);
		}
		free(id);
		free(silence);
	}
}

/* ---- all */

void correlation_save(const struct engine *e, struct buf *out)
{
	const struct correlation *c = e->correlation;
	BUG_ON(c->fresh || c->n_moved > 0 || c->touched != NULL);
	episodes_save(c, out);
	incidents_save(c, out);
	outbox_save(c, out);
	put_maintenance(out, c);
	put_spans(e, &c->derived.down, out);
	put_spans(e, &c->derived.bad, out);
	put_generations(out, c);
	put_intervals(out, c);
	put_pairs(out, c);
	put_rest(out, c);
	save_time(out, c->silent_at);
	save_time(out, c->rest_at);
	save_time(out, c->storm_at);
}

/* What follows from the episodes: what they take down, and who would look at whom. */
static void derive(struct engine *e)
{
	struct episode *ep;
	TAILQ_FOREACH (ep, &e->correlation->episodes, all)
		if (!ep->risk && ep->node->open == ep && ep->node->service != SERVICE_NONE && ep->real &&
		    ep->proven == LEVEL_DOWN)
			derived_source(e, ep->node->service, true);
}

static void watch_again(struct engine *e)
{
	struct episode *ep;
	TAILQ_FOREACH (ep, &e->correlation->episodes, all)
		if (!ep->risk && ep->real && e->now - ep->on < e->setup.config->correlation.young)
			parent_watch(e, ep);
}

bool correlation_load(struct engine *e, struct reader *r)
{
	if (!episodes_load(e, r) || !incidents_load(e, r) || !outbox_load(e, r))
		return false;
	derive(e);
	get_maintenance(e, r);
	get_spans(e, &e->correlation->derived.down, r); /* what was worked out again has not begun just now */
	get_spans(e, &e->correlation->derived.bad, r);
	get_generations(r, e->correlation);
	get_intervals(r, e->correlation);
	get_pairs(r, e->correlation);
	get_rest(r, e->correlation);
	e->correlation->silent_at = load_time(r);
	e->correlation->rest_at = load_time(r);
	e->correlation->storm_at = load_time(r);
	silent_load(e);
	watch_again(e);
	return r->ok;
}
