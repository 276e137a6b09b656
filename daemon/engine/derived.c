/* Promises what is down, and what is at least degraded, because of others (correlation.md sections 1 and 6):
 * always the least sets that follow from the level-2 episodes and from capacity in maintenance, kept by
 * changes only. Must not know episodes or incidents, only who has to look again. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { SPAN_JOIN = 120 }; /* seconds between two spells that count as one */

/* ---- memory */

static void layer_open(struct layer *l, size_t n_services, size_t n_groups)
{
	size_t n = n_services + 1;
	l->in = xcalloc(n, sizeof *l->in);
	l->group_in = xcalloc(n_groups + 1, sizeof *l->group_in);
	l->span_on = xcalloc(n, sizeof *l->span_on);
	l->span_off = xcalloc(n, sizeof *l->span_off);
	for (size_t i = 0; i < n; i++)
		l->span_on[i] = l->span_off[i] = INSTANT_NONE;
}

static void layer_close(struct layer *l)
{
	free(l->in);
	free(l->group_in);
	free(l->span_on);
	free(l->span_off);
}

void derived_open(struct derived *d, const struct service_map *m)
{
	*d = (struct derived){.n_services = service_map_len(m), .n_groups = map_groups_len(m)};
	size_t n = d->n_services + 1;
	d->source = xcalloc(n, sizeof *d->source);
	d->maintained = xcalloc(n, sizeof *d->maintained);
	d->mark = xcalloc(n, sizeof *d->mark);
	d->level = xcalloc(n, sizeof *d->level);
	d->queue = xcalloc(2 * n, sizeof *d->queue);
	d->list = xcalloc(n, sizeof *d->list);
	d->changed = xcalloc(n, sizeof *d->changed);
	d->seen = xcalloc(n, sizeof *d->seen);
	layer_open(&d->down, d->n_services, d->n_groups);
	layer_open(&d->bad, d->n_services, d->n_groups);
}

void derived_close(struct derived *d)
{
	free(d->source);
	free(d->maintained);
	free(d->mark);
	free(d->level);
	free(d->queue);
	free(d->list);
	free(d->changed);
	free(d->seen);
	layer_close(&d->down);
	layer_close(&d->bad);
	*d = (struct derived){0};
}

static void layer_move(struct engine *e, const struct service_map *old, struct layer *l,
                       const struct layer *was, size_t n)
{
	for (uint32_t s = 0; s < n; s++) {
		if (was->span_on[s] == INSTANT_NONE)
			continue;
		uint32_t now = service_find(e->setup.map, service_id(old, s));
		if (now == SERVICE_NONE)
			continue;
		l->span_on[now] = was->span_on[s];
		l->span_off[now] = was->span_off[s] == INSTANT_NONE ? e->now : was->span_off[s];
	}
}

void derived_move(struct engine *e, const struct service_map *old, const struct derived *was)
{
	struct derived *d = &e->correlation->derived;
	layer_move(e, old, &d->down, &was->down, was->n_services);
	layer_move(e, old, &d->bad, &was->bad, was->n_services);
}

void search_new(struct derived *d)
{
	if (++d->search != 0)
		return;
	memset(d->seen, 0, d->n_services * sizeof *d->seen);
	d->search = 1;
}

/* ---- one layer */

struct change {
	const struct service_map *m;
	struct derived *d;
	struct layer *l;
	bool bad; /* the second layer */
};

static bool group_broken(const struct service_map *m, const struct layer *l, uint32_t g)
{
	size_t n;
	group_members(m, g, &n);
	BUG_ON(l->group_in[g] > n);
	return n - l->group_in[g] < group_at_least(m, g);
}

bool derived_group_broken(const struct engine *e, uint32_t g)
{
	return group_broken(e->setup.map, &e->correlation->derived.down, g);
}

static bool add(const struct change *c, uint32_t s, size_t *n)
{
	if (c->l->in[s])
		return false;
	BUG_ON(*n >= c->d->n_services);
	c->l->in[s] = true;
	c->d->list[(*n)++] = s;
	return true;
}

static void add_all(const struct change *c, const struct map_edge *edges, size_t n_edges, enum effect effect,
                    size_t *n)
{
	for (size_t i = 0; i < n_edges; i++)
		if (edges[i].effect == effect)
			add(c, edges[i].to, n);
}

static void add_links(const struct change *c, uint32_t s, size_t *n)
{
	size_t k;
	const uint32_t *links = device_links(c->m, s, &k);
	for (size_t i = 0; i < k; i++)
		add(c, links[i], n); /* a link with a dead end carries nothing */
}

/* Adds what list[from..*n) carries with it through hard needs. */
static void spread(const struct change *c, size_t from, size_t *n)
{
	for (size_t at = from; at < *n; at++) {
		uint32_t s = c->d->list[at];
		size_t k, users;
		const struct map_edge *by = service_needed_by(c->m, s, &k);
		add_all(c, by, k, EFFECT_DOWN, n);
		if (!c->bad)
			add_links(c, s, n);
		const uint32_t *groups = service_groups(c->m, s, &k);
		for (size_t i = 0; i < k; i++) {
			bool before = group_broken(c->m, c->l, groups[i]);
			c->l->group_in[groups[i]]++;
			if (before || !group_broken(c->m, c->l, groups[i]))
				continue;
			by = group_needed_by(c->m, groups[i], &users);
			add_all(c, by, users, EFFECT_DOWN, n);
		}
	}
}

/* What a service that is down leaves degraded. */
static void soften(const struct change *c, uint32_t s, size_t *n)
{
	size_t k, users;
	const struct map_edge *by = service_needed_by(c->m, s, &k);
	add_all(c, by, k, EFFECT_DEGRADED, n);
	const uint32_t *groups = service_groups(c->m, s, &k);
	for (size_t i = 0; i < k; i++) {
		if (!group_broken(c->m, &c->d->down, groups[i]))
			continue;
		by = group_needed_by(c->m, groups[i], &users);
		add_all(c, by, users, EFFECT_DEGRADED, n);
	}
}

static bool link_supported(const struct change *c, uint32_t s)
{
	uint32_t ends[2];
	if (!link_ends(c->m, s, ends))
		return false;
	for (int i = 0; i < 2; i++)
		if (ends[i] != SERVICE_NONE && ends[i] != s && c->d->down.in[ends[i]])
			return true;
	return false;
}

static bool need_supports(const struct change *c, const struct map_edge *need)
{
	const struct layer *l = need->effect == EFFECT_DOWN ? c->l : &c->d->down;
	if (need->effect == EFFECT_NONE || (need->effect == EFFECT_DEGRADED && !c->bad))
		return false;
	return need->is_group ? group_broken(c->m, l, need->to) : l->in[need->to];
}

static bool supported(const struct change *c, uint32_t s)
{
	if (c->bad ? c->d->down.in[s] : c->d->source[s] || link_supported(c, s))
		return true;
	size_t n;
	const struct map_edge *needs = service_needs(c->m, s, &n);
	for (size_t i = 0; i < n; i++)
		if (need_supports(c, &needs[i]))
			return true;
	return false;
}

/* ---- taking away */

static void suspect(const struct change *c, uint32_t s, size_t *n)
{
	if (!c->l->in[s] || c->d->mark[s])
		return;
	c->d->mark[s] = true;
	c->d->queue[(*n)++] = s;
}

static void suspect_all(const struct change *c, const struct map_edge *by, size_t n_by, enum effect effect,
                        size_t *n)
{
	for (size_t i = 0; i < n_by; i++)
		if (by[i].effect == effect)
			suspect(c, by[i].to, n);
}

/* What s, which has left the first layer, may have left degraded. */
static void suspect_soft(const struct change *c, uint32_t s, size_t *n)
{
	size_t k, users;
	const struct map_edge *by = service_needed_by(c->m, s, &k);
	suspect_all(c, by, k, EFFECT_DEGRADED, n);
	const uint32_t *groups = service_groups(c->m, s, &k);
	for (size_t g = 0; g < k; g++) {
		by = group_needed_by(c->m, groups[g], &users);
		suspect_all(c, by, users, EFFECT_DEGRADED, n);
	}
}

/* Everything that queue[0..*n) may hold in the layer, into the queue and marked. */
static void suspects(const struct change *c, size_t *n)
{
	for (size_t at = 0; at < *n; at++) {
		size_t k, users;
		uint32_t s = c->d->queue[at];
		const struct map_edge *by = service_needed_by(c->m, s, &k);
		suspect_all(c, by, k, EFFECT_DOWN, n);
		const uint32_t *links = device_links(c->m, s, &k);
		for (size_t i = 0; !c->bad && i < k; i++)
			suspect(c, links[i], n);
		const uint32_t *groups = service_groups(c->m, s, &k);
		for (size_t g = 0; g < k; g++) {
			if (!group_broken(c->m, c->l, groups[g]))
				continue;
			by = group_needed_by(c->m, groups[g], &users);
			suspect_all(c, by, users, EFFECT_DOWN, n);
		}
	}
}

/* ---- changes */

static void look_again(struct engine *e, uint32_t s)
{
	if (e->correlation->nodes[s] != NULL)
		node_changed(e, e->correlation->nodes[s]);
}

static void entered(struct engine *e, struct layer *l, uint32_t s)
{
	bool joins = l->span_off[s] != INSTANT_NONE && e->now - l->span_off[s] < SPAN_JOIN * SECOND;
	if (!joins)
		l->span_on[s] = e->now;
	l->span_off[s] = INSTANT_NONE;
	if (l == &e->correlation->derived.down || !e->correlation->derived.down.in[s])
		look_again(e, s); /* else they have been told already */
}

static void raise_bad(struct engine *e, size_t n_changed)
{
	struct derived *d = &e->correlation->derived;
	struct change c = {e->setup.map, d, &d->bad, true};
	size_t n = 0;
	for (size_t i = 0; i < n_changed; i++) {
		add(&c, d->changed[i], &n);
		soften(&c, d->changed[i], &n);
	}
	spread(&c, 0, &n);
	for (size_t i = 0; i < n; i++)
		entered(e, &d->bad, d->list[i]);
}

static void raise(struct engine *e, uint32_t s)
{
	struct derived *d = &e->correlation->derived;
	struct change c = {e->setup.map, d, &d->down, false};
	size_t n = 0;
	if (!add(&c, s, &n))
		return;
	spread(&c, 0, &n);
	for (size_t i = 0; i < n; i++)
		entered(e, &d->down, d->list[i]);
	memcpy(d->changed, d->list, n * sizeof *d->list);
	raise_bad(e, n);
}

/* Takes away all that might rest on queue[0..n) and puts back what still stands: right also where needs run
 * in a circle. What has left is in `changed`. */
static size_t lower_layer(struct engine *e, const struct change *c, size_t n)
{
	struct derived *d = c->d;
	size_t back = 0, left = 0;
	suspects(c, &n);
	for (size_t i = 0; i < n; i++) {
		size_t k;
		const uint32_t *groups = service_groups(c->m, d->queue[i], &k);
		c->l->in[d->queue[i]] = false;
		for (size_t g = 0; g < k; g++)
			c->l->group_in[groups[g]]--;
	}
	for (size_t i = 0; i < n; i++) {
		size_t from = back;
		if (supported(c, d->queue[i]) && add(c, d->queue[i], &back))
			spread(c, from, &back);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t was = d->queue[i];
		d->mark[was] = false;
		if (c->l->in[was])
			continue;
		c->l->span_off[was] = e->now;
		look_again(e, was);
		d->changed[left++] = was;
	}
	return left;
}

static void lower(struct engine *e, uint32_t s)
{
	struct derived *d = &e->correlation->derived;
	struct change down = {e->setup.map, d, &d->down, false}, bad = {e->setup.map, d, &d->bad, true};
	size_t n = 0;
	suspect(&down, s, &n);
	size_t left = lower_layer(e, &down, n);
	n = 0;
	for (size_t i = 0; i < left; i++) {
		suspect(&bad, d->changed[i], &n);
		suspect_soft(&bad, d->changed[i], &n);
	}
	(void)lower_layer(e, &bad, n);
}

void derived_source(struct engine *e, uint32_t s, bool on)
{
	struct derived *d = &e->correlation->derived;
	BUG_ON(s >= d->n_services);
	on = on || d->maintained[s];
	if (d->source[s] == on)
		return;
	d->source[s] = on;
	if (on)
		raise(e, s);
	else
		lower(e, s);
}

/* ---- asking */

bool derived_down(const struct correlation *c, uint32_t s)
{
	return s < c->derived.n_services && c->derived.down.in[s];
}

bool derived_at(const struct engine *e, uint32_t s, instant at, bool bad)
{
	const struct derived *d = &e->correlation->derived;
	const struct layer *l = bad ? &d->bad : &d->down;
	const struct correlation_config *cfg = &e->setup.config->correlation;
	if (s >= d->n_services || l->span_on[s] == INSTANT_NONE || l->span_on[s] - cfg->lead > at)
		return false;
	return l->span_off[s] == INSTANT_NONE || at <= l->span_off[s] + cfg->lag;
}
