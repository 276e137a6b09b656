/* Promises who looks at a node: nodes with their watchers, and that every node finds its successor in a new
 * map. Must not know incidents. */
#include "engine/correlate.h"

#include <stdlib.h>

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
	derived_open(&c->derived, e->setup.map);
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
	derived_close(&c->derived);
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
	derived_move(e, old, &was);
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
	derived_close(&was);
}
