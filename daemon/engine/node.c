/* Promises who looks at a node and what is down because of others: nodes with their watchers, and the derived
 * state D (correlation.md sections 1 and 6), always the least set that follows from the level-2 episodes,
 * kept by changes only. Must not know incidents. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { SPAN_JOIN = 120 }; /* seconds between two derived spells that count as one */

/* ---- derived state */

static void derived_alloc(struct derived *d, const struct service_map *m)
{
	*d = (struct derived){.n_services = service_map_len(m), .n_groups = map_groups_len(m)};
	size_t n = d->n_services + 1, g = d->n_groups + 1;
	d->source = xcalloc(n, sizeof *d->source);
	d->maintained = xcalloc(n, sizeof *d->maintained);
	d->down = xcalloc(n, sizeof *d->down);
	d->mark = xcalloc(n, sizeof *d->mark);
	d->level = xcalloc(n, sizeof *d->level);
	d->group_down = xcalloc(g, sizeof *d->group_down);
	d->span_on = xcalloc(n, sizeof *d->span_on);
	d->span_off = xcalloc(n, sizeof *d->span_off);
	d->queue = xcalloc(2 * n, sizeof *d->queue);
	d->list = xcalloc(n, sizeof *d->list);
	d->seen = xcalloc(n, sizeof *d->seen);
	for (size_t i = 0; i < n; i++)
		d->span_on[i] = d->span_off[i] = INSTANT_NONE;
}

static void derived_free(struct derived *d)
{
	free(d->source);
	free(d->maintained);
	free(d->down);
	free(d->mark);
	free(d->level);
	free(d->group_down);
	free(d->span_on);
	free(d->span_off);
	free(d->queue);
	free(d->list);
	free(d->seen);
	*d = (struct derived){0};
}

static bool group_broken(const struct service_map *m, const struct derived *d, uint32_t g)
{
	size_t n;
	group_members(m, g, &n);
	BUG_ON(d->group_down[g] > n);
	return n - d->group_down[g] < group_at_least(m, g);
}

bool derived_group_broken(const struct engine *e, uint32_t g)
{
	return group_broken(e->setup.map, &e->correlation->derived, g);
}

static bool add(struct derived *d, uint32_t s, size_t *n)
{
	if (d->down[s])
		return false;
	BUG_ON(*n >= d->n_services);
	d->down[s] = true;
	d->list[(*n)++] = s;
	return true;
}

static void add_all(struct derived *d, const struct map_edge *edges, size_t n_edges, size_t *n)
{
	for (size_t i = 0; i < n_edges; i++)
		if (edges[i].effect == EFFECT_DOWN)
			add(d, edges[i].to, n);
}

/* Takes down what list[from..*n) takes down; appends it to the list. */
static void spread(const struct service_map *m, struct derived *d, size_t from, size_t *n)
{
	for (size_t at = from; at < *n; at++) {
		uint32_t s = d->list[at];
		size_t k;
		const struct map_edge *by = service_needed_by(m, s, &k);
		add_all(d, by, k, n);
		const uint32_t *links = device_links(m, s, &k);
		for (size_t i = 0; i < k; i++)
			add(d, links[i], n); /* a link with a dead end carries nothing */
		const uint32_t *groups = service_groups(m, s, &k);
		for (size_t i = 0; i < k; i++) {
			bool before = group_broken(m, d, groups[i]);
			d->group_down[groups[i]]++;
			if (before || !group_broken(m, d, groups[i]))
				continue;
			size_t users;
			const struct map_edge *u = group_needed_by(m, groups[i], &users);
			add_all(d, u, users, n);
		}
	}
}

static bool supported(const struct service_map *m, const struct derived *d, uint32_t s)
{
	if (d->source[s])
		return true;
	uint32_t ends[2];
	if (link_ends(m, s, ends))
		for (int i = 0; i < 2; i++)
			if (ends[i] != SERVICE_NONE && ends[i] != s && d->down[ends[i]])
				return true;
	size_t n;
	const struct map_edge *needs = service_needs(m, s, &n);
	for (size_t i = 0; i < n; i++) {
		if (needs[i].effect != EFFECT_DOWN)
			continue;
		if (needs[i].is_group ? group_broken(m, d, needs[i].to) : d->down[needs[i].to])
			return true;
	}
	return false;
}

static void suspect(struct derived *d, uint32_t s, size_t *n)
{
	if (!d->down[s] || d->mark[s])
		return;
	d->mark[s] = true;
	d->queue[(*n)++] = s;
}

/* Everything that s may hold down, s included, into the queue and marked. */
static size_t suspects(const struct service_map *m, struct derived *d, uint32_t s)
{
	size_t n = 0;
	suspect(d, s, &n);
	for (size_t at = 0; at < n; at++) {
		size_t k, users;
		const struct map_edge *by = service_needed_by(m, d->queue[at], &k);
		for (size_t i = 0; i < k; i++)
			if (by[i].effect == EFFECT_DOWN)
				suspect(d, by[i].to, &n);
		const uint32_t *links = device_links(m, d->queue[at], &k);
		for (size_t i = 0; i < k; i++)
			suspect(d, links[i], &n);
		const uint32_t *groups = service_groups(m, d->queue[at], &k);
		for (size_t g = 0; g < k; g++) {
			if (!group_broken(m, d, groups[g]))
				continue;
			by = group_needed_by(m, groups[g], &users);
			for (size_t i = 0; i < users; i++)
				if (by[i].effect == EFFECT_DOWN)
					suspect(d, by[i].to, &n);
		}
	}
	return n;
}

static void entered(struct engine *e, uint32_t s)
{
	struct derived *d = &e->correlation->derived;
	bool joins = d->span_off[s] != INSTANT_NONE && e->now - d->span_off[s] < SPAN_JOIN * SECOND;
	if (!joins)
		d->span_on[s] = e->now;
	d->span_off[s] = INSTANT_NONE;
	if (e->correlation->nodes[s] != NULL)
		node_changed(e, e->correlation->nodes[s]);
}

static void left(struct engine *e, uint32_t s)
{
	e->correlation->derived.span_off[s] = e->now;
	if (e->correlation->nodes[s] != NULL)
		node_changed(e, e->correlation->nodes[s]);
}

static void raise(struct engine *e, uint32_t s)
{
	struct derived *d = &e->correlation->derived;
	size_t n = 0;
	if (!add(d, s, &n))
		return;
	spread(e->setup.map, d, 0, &n);
	for (size_t i = 0; i < n; i++)
		entered(e, d->list[i]);
}

/* Takes away all that might rest on s and puts back what still stands: right also where needs run in a
 * circle. */
static void lower(struct engine *e, uint32_t s)
{
	const struct service_map *m = e->setup.map;
	struct derived *d = &e->correlation->derived;
	size_t n = suspects(m, d, s), back = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k;
		const uint32_t *groups = service_groups(m, d->queue[i], &k);
		d->down[d->queue[i]] = false;
		for (size_t g = 0; g < k; g++)
			d->group_down[groups[g]]--;
	}
	for (size_t i = 0; i < n; i++) {
		if (!supported(m, d, d->queue[i]))
			continue;
		size_t from = back;
		if (add(d, d->queue[i], &back))
			spread(m, d, from, &back);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t was = d->queue[i];
		d->mark[was] = false;
		if (!d->down[was])
			left(e, was);
	}
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

bool derived_down(const struct correlation *c, uint32_t s)
{
	return s < c->derived.n_services && c->derived.down[s];
}

bool derived_at(const struct engine *e, uint32_t s, instant at)
{
	const struct derived *d = &e->correlation->derived;
	const struct correlation_config *cfg = &e->setup.config->correlation;
	if (s >= d->n_services || d->span_on[s] == INSTANT_NONE || d->span_on[s] - cfg->lead > at)
		return false;
	return d->span_off[s] == INSTANT_NONE || at <= d->span_off[s] + cfg->lag;
}

/* ---- nodes */

static struct map_node *node_make(struct slice id, uint32_t s)
{
	struct map_node *n = xcalloc(1, sizeof *n);
	n->id = slice_dup(id);
	n->service = s;
	return n;
}

struct map_node *node_of_service(struct engine *e, uint32_t s)
{
	struct correlation *c = e->correlation;
	BUG_ON(s >= c->derived.n_services);
	if (c->nodes[s] == NULL)
		c->nodes[s] = node_make(service_id(e->setup.map, s), s);
	return c->nodes[s];
}

struct map_node *node_known(const struct engine *e, struct slice text)
{
	const struct correlation *c = e->correlation;
	uint32_t s = service_find(e->setup.map, text);
	return s != SERVICE_NONE ? c->nodes[s] : hmap_get(c->pseudo, text);
}

struct map_node *node_named(struct engine *e, struct slice text)
{
	uint32_t s = service_find(e->setup.map, text);
	if (s != SERVICE_NONE)
		return node_of_service(e, s);
	struct map_node *n = hmap_get(e->correlation->pseudo, text);
	if (n == NULL) {
		n = node_make(text, SERVICE_NONE);
		hmap_put(e->correlation->pseudo, text, n);
	}
	return n;
}

void node_show(struct correlation *c, struct map_node *n)
{
	if (n->dirty)
		return;
	n->dirty = true;
	n->next_dirty = c->dirty_nodes;
	c->dirty_nodes = n;
}

void node_changed(struct engine *e, struct map_node *n)
{
	for (struct watch *w = n->watches; w != NULL; w = w->next)
		episode_mark(e, w->episode);
}

void node_tidy(struct correlation *c, struct map_node *n)
{
	if (n->service != SERVICE_NONE || n->watches != NULL || n->episodes > 0)
		return;
	if (n->dirty)
		return; /* its view row is still to be taken away */
	hmap_del(c->pseudo, slice_str(n->id));
	free(n->id);
	free(n);
}

void node_recent_add(struct map_node *n, struct episode *ep)
{
	if (n->n_recent == NODE_RECENT)
		node_recent_del(n, n->recent[0]);
	n->recent[n->n_recent++] = ep;
	ep->in_ring = true;
}

void node_recent_del(struct map_node *n, struct episode *ep)
{
	size_t at = 0;
	while (at < n->n_recent && n->recent[at] != ep)
		at++;
	BUG_ON(at == n->n_recent);
	memmove(n->recent + at, n->recent + at + 1, (n->n_recent - at - 1) * sizeof *n->recent);
	n->n_recent--;
	ep->in_ring = false;
}

/* ---- watches */

void watch_drop(struct engine *e, struct episode *ep)
{
	for (size_t i = 0; i < ep->n_watches; i++) {
		struct watch *w = &ep->watches[i];
		if (w->prev != NULL)
			w->prev->next = w->next;
		else
			w->node->watches = w->next;
		if (w->next != NULL)
			w->next->prev = w->prev;
		node_tidy(e->correlation, w->node);
	}
	free(ep->watches);
	ep->watches = NULL;
	ep->n_watches = 0;
}

void watch_set(struct engine *e, struct episode *ep, struct map_node *const *nodes, size_t n)
{
	struct watch *fresh = n > 0 ? xcalloc(n, sizeof *fresh) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct watch *w = &fresh[i];
		*w = (struct watch){.episode = ep, .node = nodes[i], .next = nodes[i]->watches};
		if (w->next != NULL)
			w->next->prev = w;
		nodes[i]->watches = w;
	}
	watch_drop(e, ep); /* after the new ones stand: a pseudo-node that is looked at again must live on */
	ep->watches = fresh;
	ep->n_watches = n;
}

/* ---- life */

static void node_free(struct map_node *n)
{
	if (n == NULL)
		return;
	free(n->id);
	free(n);
}

static void pseudo_free(struct hmap *pseudo)
{
	struct slice key;
	void *value;
	for (size_t i = 0; pseudo != NULL && hmap_next(pseudo, &i, &key, &value);)
		node_free(value);
	hmap_free(pseudo);
}

void nodes_open(struct engine *e)
{
	struct correlation *c = e->correlation;
	derived_alloc(&c->derived, e->setup.map);
	c->nodes = xcalloc(c->derived.n_services + 1, sizeof(struct map_node *));
	c->pseudo = hmap_new();
}

void nodes_close(struct correlation *c)
{
	for (size_t i = 0; i < c->derived.n_services; i++)
		node_free(c->nodes[i]);
	free(c->nodes);
	pseudo_free(c->pseudo);
	c->nodes = NULL;
	c->pseudo = NULL;
	derived_free(&c->derived);
}

static void spans_move(struct engine *e, const struct service_map *old, const struct derived *was)
{
	struct derived *d = &e->correlation->derived;
	for (uint32_t s = 0; s < was->n_services; s++) {
		if (was->span_on[s] == INSTANT_NONE)
			continue;
		uint32_t now = service_find(e->setup.map, service_id(old, s));
		if (now == SERVICE_NONE)
			continue;
		d->span_on[now] = was->span_on[s];
		d->span_off[now] = was->span_off[s] == INSTANT_NONE ? e->now : was->span_off[s];
	}
}

static void rebind(struct engine *e, struct episode *ep, struct map_node *to)
{
	const struct map_node *from = ep->node;
	if (strcmp(from->id, to->id) != 0)
		view_gone(e->correlation, 5, slice_str(from->id));
	if (from->open == ep)
		to->open = ep;
	if (from->risk == ep)
		to->risk = ep;
	if (ep->in_ring)
		node_recent_add(to, ep);
	ep->node = to;
	to->episodes++;
	node_show(e->correlation, to);
}

/* Where the new map puts what the old one did not know, by the names that its first event brought. A node has
 * one running episode: who comes second stays what it is until it ends. */
static struct map_node *now_known(struct engine *e, const struct episode *ep)
{
	const struct alert *a = episode_first_alert(ep);
	enum resolve_step how;
	if (ep->off != INSTANT_NONE || a == NULL)
		return NULL;
	uint32_t s =
	    resolve_event(e->setup.map, slice_str(a->service), slice_str(a->host), slice_str(a->port), &how);
	struct map_node *n = s != SERVICE_NONE ? node_of_service(e, s) : NULL;
	return n == NULL || (ep->risk ? n->risk : n->open) != NULL ? NULL : n;
}

/* Every node that an episode stands on gets a successor in the new map, by its id first. */
void nodes_map_changed(struct engine *e, const struct service_map *old)
{
	struct correlation *c = e->correlation;
	struct derived was = c->derived;
	struct map_node **nodes = c->nodes;
	struct hmap *pseudo = c->pseudo;
	struct episode *ep;
	size_t n_late = 0;
	BUG_ON(c->n_moved != 0); /* its array serves as work space */
	TAILQ_FOREACH (ep, &c->episodes, all)
		watch_drop(e, ep);
	for (const struct map_node *n = c->dirty_nodes; n != NULL; n = n->next_dirty)
		if (n->open == NULL && n->risk == NULL)
			view_gone(c, 5, slice_str(n->id));
	c->dirty_nodes = NULL;
	nodes_open(e);
	spans_move(e, old, &was);
	TAILQ_FOREACH (ep, &c->episodes, all) {
		uint32_t s = service_find(e->setup.map, slice_str(ep->node->id));
		if (s != SERVICE_NONE) {
			rebind(e, ep, node_of_service(e, s));
			continue;
		}
		c->moved = array_reserve(c->moved, &c->cap_moved, n_late + 1, sizeof(struct episode *));
		c->moved[n_late++] = ep;
	}
	for (size_t k = 0; k < n_late; k++) {
		struct map_node *to = now_known(e, c->moved[k]);
		rebind(e, c->moved[k], to != NULL ? to : node_named(e, slice_str(c->moved[k]->node->id)));
	}
	for (size_t i = 0; i < was.n_services; i++)
		node_free(nodes[i]);
	free(nodes);
	pseudo_free(pseudo);
	derived_free(&was);
}
