/* Promises the needs that the map may lack (correlation.md section 10): pairs of services of which one names
 * the other in its log lines, or that fail together again and again though no need leads from one to the
 * other. Counts only, bounded, kept in the state; never used as a need. */
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	PAIRS_MAX = 2048,
	TOGETHER_MIN = 3, /* before a pair that no log line names is proposed */
	SHOWN_MAX = 100,
	NEIGHBOURS_MAX = 16,
	STORM = 4
};

static void pair_free(struct pair *p)
{
	free(p->from);
	free(p->to);
}

void pairs_close(struct correlation *c)
{
	for (size_t k = 0; k < c->n_pairs; k++)
		pair_free(&c->pairs[k]);
	free(c->pairs);
	hmap_free(c->pair_by);
}

static char *key_of(const char *from, const char *to)
{
	return xasprintf("%s\n%s", from, to);
}

static void index_again(struct correlation *c, size_t at)
{
	char *key = key_of(c->pairs[at].from, c->pairs[at].to);
	hmap_put(c->pair_by, slice_str(key), (void *)(uintptr_t)(at + 1));
	free(key);
}

/* The weakest makes room: seen least, then longest ago. */
static void drop_one(struct correlation *c)
{
	size_t worst = 0;
	for (size_t k = 1; k < c->n_pairs; k++) {
		const struct pair *a = &c->pairs[k], *b = &c->pairs[worst];
		uint32_t x = a->together + a->named, y = b->together + b->named;
		if (x < y || (x == y && a->last < b->last))
			worst = k;
	}
	char *key = key_of(c->pairs[worst].from, c->pairs[worst].to);
	hmap_del(c->pair_by, slice_str(key));
	free(key);
	pair_free(&c->pairs[worst]);
	c->pairs[worst] = c->pairs[--c->n_pairs];
	if (worst < c->n_pairs)
		index_again(c, worst);
}

struct pair *pair_put(struct correlation *c, const char *from, const char *to)
{
	char *key = key_of(from, to);
	uintptr_t at = (uintptr_t)hmap_get(c->pair_by, slice_str(key));
	free(key);
	if (at > 0)
		return &c->pairs[at - 1];
	if (c->n_pairs == PAIRS_MAX)
		drop_one(c);
	c->pairs = array_reserve(c->pairs, &c->cap_pairs, c->n_pairs + 1, sizeof *c->pairs);
	c->pairs[c->n_pairs] = (struct pair){.from = xstrdup(from), .to = xstrdup(to)};
	index_again(c, c->n_pairs);
	return &c->pairs[c->n_pairs++];
}

void suggest_named(struct engine *e, const struct episode *from, const struct episode *to)
{
	struct pair *p = pair_put(e->correlation, from->node->id, to->node->id);
	p->named++;
	p->last = e->now;
}

void suggest_together(struct engine *e, const struct episode *a, const struct episode *b)
{
	const struct episode *to = a->on <= b->on ? a : b, *from = to == a ? b : a;
	if (a->node == b->node || a->risk || b->risk)
		return;
	struct pair *p =
	    pair_put(e->correlation, from->node->id, to->node->id); /* what fails later needs the other */
	p->together++;
	p->last = e->now;
}

/* A new unexplained failure: which other causes began at that time? */
void suggest_top(struct engine *e, const struct episode *top)
{
	const struct incident *i;
	size_t n = 0;
	duration lead = e->setup.config->correlation.lead;
	if (e->correlation->gathering > STORM)
		return; /* where much fails at once, together means nothing */
	TAILQ_FOREACH_REVERSE(i, &e->correlation->incidents, all_incidents, all)
	{
		if (++n > NEIGHBOURS_MAX || e->now - i->newest > lead)
			return;
		if (i->root == NULL || i->root == top || incident_state_final(i->state) ||
		    silent_only(i->root))
			continue;
		if (top->on - i->root->on <= lead && i->root->on - top->on <= lead)
			suggest_together(e, top, i->root);
	}
}

/* ---- as others read it */

static bool member_of(const struct service_map *m, uint32_t g, uint32_t s)
{
	size_t n;
	const uint32_t *v = group_members(m, g, &n);
	for (size_t k = 0; k < n; k++)
		if (v[k] == s)
			return true;
	return false;
}

static bool is_known(const struct engine *e, const struct pair *p)
{
	const struct service_map *m = e->setup.map;
	uint32_t from = service_find(m, slice_str(p->from)), to = service_find(m, slice_str(p->to));
	size_t n;
	if (from == SERVICE_NONE || to == SERVICE_NONE)
		return false;
	const struct map_edge *needs = service_needs(m, from, &n);
	for (size_t k = 0; k < n; k++)
		if (needs[k].is_group ? member_of(m, needs[k].to, to) : needs[k].to == to)
			return true;
	return false;
}

static int strongest_first(const void *a, const void *b)
{
	const struct pair *const *x = a, *const *y = b;
	uint32_t p = (*x)->named * 2 + (*x)->together, q = (*y)->named * 2 + (*y)->together;
	if (p != q)
		return p > q ? -1 : 1;
	int d = strcmp((*x)->from, (*y)->from);
	return d != 0 ? d : strcmp((*x)->to, (*y)->to);
}

void suggest_json(const struct engine *e, struct jw *w)
{
	const struct correlation *c = e->correlation;
	const struct pair **v = xcalloc(c->n_pairs + 1, sizeof *v);
	size_t n = 0;
	for (size_t k = 0; k < c->n_pairs; k++)
		if ((c->pairs[k].named > 0 || c->pairs[k].together >= TOGETHER_MIN) &&
		    !is_known(e, &c->pairs[k]))
			v[n++] = &c->pairs[k];
	if (n > 1)
		qsort(v, n, sizeof *v, strongest_first);
	jw_key(w, "suggestions");
	jw_array(w);
	for (size_t k = 0; k < n && k < SHOWN_MAX; k++) {
		jw_object(w);
		jw_kstr(w, "from", v[k]->from);
		jw_kstr(w, "to", v[k]->to);
		jw_kint(w, "together", (int64_t)v[k]->together);
		jw_kint(w, "named", (int64_t)v[k]->named);
		jw_ktime(w, "last", v[k]->last);
		jw_end(w);
	}
	jw_array_end(w);
	free(v);
}
