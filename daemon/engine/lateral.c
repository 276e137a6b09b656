/* Promises that overload finds what it follows from, though no need leads there (correlation.md section 2,
 * lateral rule, and section 10): a neighbour that was lost and whose load moved, or a consumer that fails and
 * asks again and again. Both say that they are less sure. Must not know how the search along needs goes: it
 * has found nothing. */
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	REPORTED_LATER = 65, /* seconds: the loss may be reported after the overload */
	FRESH = 240          /* seconds: a consumer that fails longer than this is no news to its needs */
};

struct lateral {
	struct engine *e;
	struct episode *ep;
	struct lateral_find *out;
	int visits;
	lateral_look *look;
	void *arg;
};

bool overload_only(const struct episode *ep)
{
	for (size_t k = 0; k < ep->n_classes; k++)
		if (ep->classes[k].nature != NATURE_OVERLOAD)
			return false;
	return ep->n_classes > 0 && ep->inferred == 0;
}

/* Whose loss moves load: what is asked for data. */
static bool is_store(const struct engine *e, uint32_t s)
{
	enum service_kind k = service_kind(e->setup.map, s);
	return k == KIND_DB || k == KIND_CACHE || k == KIND_QUEUE;
}

static bool is_loaded(const struct engine *e, uint32_t s)
{
	switch (service_kind(e->setup.map, s)) {
	case KIND_DB:
	case KIND_CACHE:
	case KIND_QUEUE:
	case KIND_SERVICE: return true;
	case KIND_HOST:
	case KIND_VM:
	case KIND_POD:
	case KIND_K8S_NODE:
	case KIND_LB:
	case KIND_DNS:
	case KIND_STORAGE:
	case KIND_LINK:
	case KIND_NETWORK:
	case KIND_ROUTER:
	case KIND_FIREWALL:
	case KIND_SWITCH:
	case KIND_UPS:
	case KIND_SITE: return false;
	}
	return false;
}

static duration apart(const struct episode *a, const struct episode *b)
{
	return a->on > b->on ? a->on - b->on : b->on - a->on;
}

/* The one that began nearest to it; of two the one that comes first by name. */
static void take(struct lateral *l, struct episode *u, uint32_t consumer, bool against)
{
	struct lateral_find *best = l->out;
	if (parent_is_cyclic(l->ep, u))
		return;
	if (best->ep != NULL) {
		duration now = apart(l->ep, u), was = apart(l->ep, best->ep);
		if (best->against != against ? against : now > was)
			return;
		if (best->against == against && now == was && strcmp(u->node->id, best->ep->node->id) >= 0)
			return;
	}
	*best = (struct lateral_find){.ep = u, .consumer = consumer, .against = against};
}

static void sibling(struct lateral *l, uint32_t s, uint32_t consumer)
{
	const struct correlation_config *cfg = &l->e->setup.config->correlation;
	if (s == l->ep->node->service || l->visits++ > cfg->visits)
		return;
	struct map_node *n = node_of_service(l->e, s);
	struct episode *u = l->look(l->arg, n);
	if (u == NULL || u == l->ep || u->level < LEVEL_DOWN || u->weak || !is_store(l->e, s))
		return;
	duration later = l->ep->on - u->on;
	if (later >= -REPORTED_LATER * SECOND && later <= cfg->lateral)
		take(l, u, consumer, false);
}

static void consumer(struct lateral *l, uint32_t c)
{
	const struct service_map *m = l->e->setup.map;
	size_t n, k;
	if (l->visits > l->e->setup.config->correlation.visits)
		return;
	const struct map_edge *needs = service_needs(m, c, &n);
	for (size_t i = 0; i < n; i++) {
		if (!needs[i].is_group) {
			sibling(l, needs[i].to, c);
			continue;
		}
		const uint32_t *members = group_members(m, needs[i].to, &k);
		for (size_t j = 0; j < k; j++)
			sibling(l, members[j], c);
	}
}

/* A consumer that failed first and is down: its retries are the load. */
static void retries(struct lateral *l, uint32_t c)
{
	if (l->visits++ > l->e->setup.config->correlation.visits)
		return;
	struct episode *u = l->look(l->arg, node_of_service(l->e, c));
	if (u == NULL || u == l->ep || u->weak || u->level < LEVEL_DOWN || overload_only(u))
		return;
	if (u->on <= l->ep->on && l->ep->on - u->on <= FRESH * SECOND)
		take(l, u, c, true);
}

static void consumers(struct lateral *l, const struct map_edge *by, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (by[i].effect == EFFECT_NONE)
			continue;
		consumer(l, by[i].to);
		retries(l, by[i].to);
	}
}

void lateral_search(struct engine *e, struct episode *ep, lateral_look *look, void *arg,
                    struct lateral_find *out)
{
	const struct service_map *m = e->setup.map;
	struct lateral l = {.e = e, .ep = ep, .out = out, .look = look, .arg = arg};
	uint32_t s = ep->node->service;
	size_t n, users;
	*out = (struct lateral_find){0};
	if (s == SERVICE_NONE || ep->level != LEVEL_DEGRADED || !overload_only(ep) || !is_loaded(e, s))
		return;
	const struct map_edge *by = service_needed_by(m, s, &n);
	consumers(&l, by, n);
	const uint32_t *groups = service_groups(m, s, &n);
	for (size_t g = 0; g < n; g++) {
		by = group_needed_by(m, groups[g], &users);
		consumers(&l, by, users);
	}
}

char *lateral_reason(const struct engine *e, const struct episode *ep, const struct lateral_find *f)
{
	struct buf b = {0};
	struct slice consumer = service_id(e->setup.map, f->consumer);
	if (f->against)
		buf_printf(&b, "overloaded while %s, which needs it, fails and retries", f->ep->node->id);
	else
		buf_printf(&b, "overloaded after %s was lost, same consumer " SLICE_FMT, f->ep->node->id,
		           SLICE_ARG(consumer));
	duration d = apart(ep, f->ep);
	buf_str(&b, ", ");
	duration_format(d / SECOND * SECOND, &b);
	buf_str(&b, ep->on >= f->ep->on ? " later" : " earlier");
	buf_str(&b, f->against ? " (confidence low: against the needs)"
	                       : " (confidence medium: no need leads there)");
	buf_cstr(&b);
	return b.p;
}
