/* Promises the ranked candidates for the cause of an incident (correlation.md section 10: `roots` looks
 * beyond its own ticket): its root, the next best explanation, causes of other open incidents that its hurt
 * service needs, then its other failures. Must not decide anything. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { LOOKED_MAX = 300, MEMBERS_MAX = 200 };

struct walk {
	struct engine *e;
	uint32_t queue[LOOKED_MAX];
	size_t head, tail;
};

static void put(struct candidates *out, const char *id, const char *why)
{
	for (size_t k = 0; k < out->n; k++)
		if (strcmp(out->v[k].id, id) == 0)
			return;
	if (out->n < CANDIDATES)
		out->v[out->n++] = (struct candidate_root){id, why};
}

static void reach(struct walk *w, uint32_t s)
{
	struct derived *d = &w->e->correlation->derived;
	if (d->seen[s] == d->search || w->tail == LOOKED_MAX)
		return;
	d->seen[s] = d->search;
	w->queue[w->tail++] = s;
}

static void needs_of(struct walk *w, uint32_t s)
{
	const struct service_map *m = w->e->setup.map;
	size_t n, k;
	const struct map_edge *needs = service_needs(m, s, &n);
	for (size_t i = 0; i < n; i++) {
		if (needs[i].effect == EFFECT_NONE)
			continue;
		if (!needs[i].is_group) {
			reach(w, needs[i].to);
			continue;
		}
		const uint32_t *members = group_members(m, needs[i].to, &k);
		for (size_t j = 0; j < k; j++)
			reach(w, members[j]);
	}
}

static void elsewhere_clear(struct incident *i)
{
	for (size_t k = 0; k < ELSEWHERE; k++) {
		free(i->elsewhere[k]);
		i->elsewhere[k] = NULL;
	}
}

/* Roots of other incidents that are not over and that the worst hurt service needs, nearest first. As of now:
 * it is kept, and looked for again when the incident opens or its root changes. */
void candidates_elsewhere(struct engine *e, struct incident *i)
{
	elsewhere_clear(i);
	uint32_t from =
	    i->n_hurts > 0 ? service_find(e->setup.map, slice_str(i->hurts[0].service)) : SERVICE_NONE;
	if (from == SERVICE_NONE)
		return;
	struct walk *w = xcalloc(1, sizeof *w);
	size_t n = 0;
	w->e = e;
	search_new(&e->correlation->derived);
	for (reach(w, from); w->head < w->tail && n < ELSEWHERE; w->head++) {
		const struct map_node *m = e->correlation->nodes[w->queue[w->head]];
		const struct episode *ep = m != NULL ? m->open : NULL;
		const struct incident *other = ep != NULL ? ep->incident : NULL;
		if (other != NULL && other != i && other->root == ep && !incident_state_final(other->state))
			i->elsewhere[n++] = xstrdup(m->id);
		needs_of(w, w->queue[w->head]);
	}
	free(w);
}

static void members(const struct incident *i, struct candidates *out, bool tops)
{
	const struct episode *ep;
	size_t n = 0;
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
		if (++n > MEMBERS_MAX || out->n == CANDIDATES)
			return;
		if (!ep->risk && (tops ? ep->parent == NULL : ep->parent != NULL && ep->parent == i->root))
			put(out, ep->node->id, tops ? "nothing explains it either" : "explained by the root");
	}
}

void incident_candidates(const struct incident *i, struct candidates *out)
{
	*out = (struct candidates){0};
	if (i->root_id != NULL || i->root != NULL)
		put(out, i->root_id != NULL ? i->root_id : i->root->node->id, "root");
	if (i->group != GROUP_TOPOLOGY)
		return;
	if (i->root != NULL && i->root->held_by != NULL)
		put(out, i->root->held_by, "its redundancy holds by the map");
	for (size_t k = 0; k < ELSEWHERE && i->elsewhere[k] != NULL; k++)
		put(out, i->elsewhere[k], "cause of another open incident that the hurt service needs");
	members(i, out, true);
	members(i, out, false);
}
