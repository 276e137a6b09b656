/* From entries to numbers: ids sorted, needs resolved, equal groups made one, and the errors of map.md
 * section 3 that are about ids and needs. The result depends on the content of the draft only, not on the
 * order of its entries. */
#include "model/service_map_graph.h"

#include <stdlib.h>

enum { NEEDS_MAX = 2000000 };

static int vertex_order(const void *a, const void *b)
{
	const struct map_vertex *x = a, *y = b;
	int cmp = slice_cmp(x->id, y->id);
	return cmp != 0 ? cmp : (x->order > y->order) - (x->order < y->order);
}

static void duplicate_id(const struct map_graph *g, const struct map_vertex *first,
                         const struct map_vertex *again)
{
	struct buf place = {0};
	map_place_text(first->entry, PART_SERVICE, SLICE_NONE, first->entry->mark, &place);
	map_finding(g->d, g->f, FINDING_ERROR, "E002", again->entry, PART_SERVICE, SLICE_NONE,
	            again->entry->mark, "duplicate id '%s'; first at %s", again->entry->id, buf_cstr(&place));
	buf_free(&place);
}

static bool entry_ok(const struct map_graph *g, const struct map_entry *e)
{
	size_t before = g->f->errors;
	if (e->id == NULL || !map_id_valid(slice_str(e->id)))
		map_finding(
		    g->d, g->f, FINDING_ERROR, "E010", e, PART_SERVICE, SLICE_NONE, e->mark,
		    "id '%s' is not valid; use lower-case letters, digits, '.', '_' and '-', at most 128",
		    e->id != NULL ? e->id : "");
	if (e->tier < 0 || e->tier > 4)
		map_finding(g->d, g->f, FINDING_ERROR, "E008", e, PART_SERVICE, SLICE("tier"), e->mark,
		            "'tier' must be between 1 and 4");
	if (e->n_ends != 0 && e->n_ends != 2)
		map_finding(g->d, g->f, FINDING_ERROR, "E008", e, PART_PORTS, SLICE_NONE, e->mark,
		            "a link has two ends, '%s' has %zu", e->id != NULL ? e->id : "", e->n_ends);
	return g->f->errors == before;
}

static void take_entries(struct map_graph *g)
{
	g->v = xcalloc(g->d->live + 1, sizeof *g->v);
	for (size_t i = 0; i < g->d->n; i++) {
		const struct map_entry *e = g->d->v[i];
		if (e == NULL || !entry_ok(g, e))
			continue;
		BUG_ON(g->n >= g->d->live);
		g->v[g->n++] = (struct map_vertex){slice_str(e->id), e, i};
	}
	qsort(g->v, g->n, sizeof *g->v, vertex_order);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		if (kept > 0 && slice_eq(g->v[kept - 1].id, g->v[i].id))
			duplicate_id(g, &g->v[kept - 1], &g->v[i]);
		else
			g->v[kept++] = g->v[i];
	}
	g->n = kept;
}

/* A slot is the hash above the number + 1: most strangers are told apart without a look at their text. */
static uint64_t slot_of(uint32_t hash, uint32_t s)
{
	return (uint64_t)hash << 32 | (s + 1);
}

static void index_ids(struct map_graph *g)
{
	free(g->slots);
	g->n_slots = 2;
	while (g->n_slots < 2 * g->n)
		g->n_slots *= 2;
	g->slots = xcalloc(g->n_slots, sizeof *g->slots);
	uint32_t mask = g->n_slots - 1;
	for (uint32_t s = 0; s < g->n; s++) {
		uint32_t hash = map_hash_end(map_hash(MAP_HASH_START, g->v[s].id)), i = hash & mask;
		while (g->slots[i] != 0)
			i = (i + 1) & mask;
		g->slots[i] = slot_of(hash, s);
	}
}

uint32_t map_graph_find(const struct map_graph *g, struct slice id)
{
	uint32_t hash = map_hash_end(map_hash(MAP_HASH_START, id)), mask = g->n_slots - 1;
	for (uint32_t i = hash & mask; g->slots[i] != 0; i = (i + 1) & mask) {
		uint32_t s = (uint32_t)g->slots[i] - 1;
		if (g->slots[i] == slot_of(hash, s) && slice_eq(g->v[s].id, id))
			return s;
	}
	return SERVICE_NONE;
}

/* ---- ids that nobody describes */

struct unknown_ids {
	struct hmap *seen;
	struct slice *v;
	size_t n, cap;
};

/* Returns the service that is meant, SERVICE_NONE if the need is wrong or the id unknown so far. */
static uint32_t check_need(struct map_graph *g, const struct map_entry *e, const struct map_need *need,
                           struct unknown_ids *unknown)
{
	struct slice id = slice_str(need->service);
	if (id.n == 0 || !map_id_valid(id)) {
		map_finding(g->d, g->f, FINDING_ERROR, "E010", e, PART_NEEDS, id, need->mark,
		            "need of '%s': id '" SLICE_FMT "' is not valid", e->id, SLICE_ARG(id));
		return SERVICE_NONE;
	}
	if (slice_is(id, e->id)) {
		map_finding(g->d, g->f, FINDING_ERROR, "", e, PART_NEEDS, id, need->mark,
		            "service '%s' needs itself; remove this need", e->id);
		return SERVICE_NONE;
	}
	g->n_needs++;
	uint32_t to = map_graph_find(g, id);
	if (to != SERVICE_NONE)
		return to;
	g->dangling++;
	map_finding(g->d, g->f, FINDING_WARNING, "", e, PART_NEEDS, id, need->mark,
	            "'%s' needs '" SLICE_FMT
	            "', which no service has as its id; it counts as unknown, never down",
	            e->id, SLICE_ARG(id));
	if (hmap_get(unknown->seen, id) != NULL)
		return SERVICE_NONE;
	hmap_put(unknown->seen, id, g);
	unknown->v = array_reserve(unknown->v, &unknown->cap, unknown->n + 1, sizeof *unknown->v);
	unknown->v[unknown->n++] = id;
	return SERVICE_NONE;
}

/* Unknown ids come between the known ones: everything moves up. */
static void merge_unknown(struct map_graph *g, const struct unknown_ids *unknown, uint32_t *targets,
                          size_t n_targets)
{
	uint32_t known = g->n, k = 0;
	g->v = xreallocarray(g->v, known + unknown->n, sizeof *g->v);
	for (size_t i = 0; i < unknown->n; i++)
		g->v[g->n++] = (struct map_vertex){.id = unknown->v[i], .order = SIZE_MAX};
	qsort(g->v, g->n, sizeof *g->v, vertex_order);
	index_ids(g);
	uint32_t *moved = xcalloc((size_t)known + 1, sizeof *moved);
	for (uint32_t s = 0; s < g->n; s++) {
		if (g->v[s].entry != NULL)
			moved[k++] = s;
	}
	BUG_ON(k != known);
	for (size_t i = 0; i < n_targets; i++) {
		if (targets[i] != SERVICE_NONE)
			targets[i] = moved[targets[i]];
	}
	free(moved);
}

/* Fills targets[], one for each need in the order of services and needs. */
static void add_unknown(struct map_graph *g, uint32_t *targets)
{
	struct unknown_ids unknown = {.seen = hmap_new()};
	size_t n = 0;
	for (uint32_t s = 0; s < g->n; s++) {
		const struct map_entry *e = g->v[s].entry;
		for (size_t i = 0; i < e->n_needs; i++)
			targets[n++] = check_need(g, e, &e->needs[i], &unknown);
	}
	if (unknown.n > 0)
		merge_unknown(g, &unknown, targets, n);
	hmap_free(unknown.seen);
	free(unknown.v);
}

/* ---- needs and groups */

struct raw_edge {
	uint32_t from;
	struct map_edge e;
};
struct raw_group {
	uint32_t from, at_least, first, n; /* members[first .. first + n), ascending */
	enum effect effect;
	const uint32_t *members; /* set when the pool does not move any more */
};
struct raw {
	struct raw_edge *edges;
	size_t n_edges, cap_edges;
	struct raw_group *groups;
	size_t n_groups, cap_groups;
	uint32_t *pool;
	size_t n_pool, cap_pool;
};

static void add_edge(struct raw *raw, uint32_t from, uint32_t to, bool is_group, enum effect effect)
{
	raw->edges = array_reserve(raw->edges, &raw->cap_edges, raw->n_edges + 1, sizeof *raw->edges);
	raw->edges[raw->n_edges++] =
	    (struct raw_edge){from, {.to = to, .is_group = is_group, .effect = (uint8_t)effect}};
}

static int number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Sorts and drops repeats. */
static uint32_t unique_numbers(uint32_t *v, uint32_t n)
{
	uint32_t kept = 0;
	if (n > 1)
		qsort(v, n, sizeof *v, number_order);
	for (uint32_t i = 0; i < n; i++) {
		if (kept == 0 || v[kept - 1] != v[i])
			v[kept++] = v[i];
	}
	return kept;
}

/* Member needs of one service, by group name. */
struct membership {
	const char *group;
	uint32_t to;
	const struct map_need *need;
};

static int membership_order(const void *a, const void *b)
{
	const struct membership *x = a, *y = b;
	return strcmp(x->group, y->group);
}

static int described_order(const void *a, const void *b)
{
	const struct map_group *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static void add_group(struct map_graph *g, struct raw *raw, uint32_t from, const struct map_group *described,
                      const struct membership *v, uint32_t n)
{
	const struct map_entry *e = g->v[from].entry;
	struct slice name = slice_str(v->group);
	struct map_group group = {.at_least = 1, .effect = EFFECT_DOWN, .mark = v->need->mark};
	if (described != NULL)
		group = *described;
	else
		map_finding(g->d, g->f, FINDING_WARNING, "", e, PART_GROUPS, name, group.mark,
		            "group '%s' of '%s' is not described; at_least 1 and effect down are taken",
		            v->group, e->id);
	uint32_t first = (uint32_t)raw->n_pool;
	raw->pool = array_reserve(raw->pool, &raw->cap_pool, raw->n_pool + n, sizeof *raw->pool);
	for (uint32_t i = 0; i < n; i++)
		raw->pool[first + i] = v[i].to;
	uint32_t members = unique_numbers(raw->pool + first, n);
	raw->n_pool += members;
	if (group.at_least < 1 || group.at_least > members) {
		map_finding(g->d, g->f, FINDING_ERROR, "E008", e, PART_GROUPS, name, group.mark,
		            "'at_least' must be between 1 and %u, the members of the group; got %u", members,
		            group.at_least);
		return;
	}
	raw->groups = array_reserve(raw->groups, &raw->cap_groups, raw->n_groups + 1, sizeof *raw->groups);
	raw->groups[raw->n_groups++] = (struct raw_group){
	    .from = from, .at_least = group.at_least, .first = first, .n = members, .effect = group.effect};
}

/* Both lists are sorted by the name of the group: those that have members, and those that are described. */
static void groups_of(struct map_graph *g, struct raw *raw, uint32_t from, const struct membership *v,
                      size_t n)
{
	const struct map_entry *e = g->v[from].entry;
	const struct map_group **described = xcalloc(e->n_groups + 1, sizeof *described);
	for (size_t i = 0; i < e->n_groups; i++)
		described[i] = &e->groups[i];
	if (e->n_groups > 1)
		qsort(described, e->n_groups, sizeof *described, described_order);
	size_t at = 0;
	for (size_t i = 0, end; i < n || at < e->n_groups; i = end) {
		int cmp = i == n ? 1 : at == e->n_groups ? -1 : strcmp(v[i].group, described[at]->name);
		end = i;
		while (cmp <= 0 && end < n && strcmp(v[i].group, v[end].group) == 0)
			end++;
		if (cmp > 0)
			map_finding(g->d, g->f, FINDING_ERROR, "E008", e, PART_GROUPS,
			            slice_str(described[at]->name), described[at]->mark,
			            "group '%s' of '%s' has no members", described[at]->name, e->id);
		else
			add_group(g, raw, from, cmp == 0 ? described[at] : NULL, &v[i], (uint32_t)(end - i));
		at += cmp >= 0;
	}
	free(described);
}

static void needs_of(struct map_graph *g, struct raw *raw, uint32_t from, const uint32_t *targets)
{
	const struct map_entry *e = g->v[from].entry;
	struct membership *v = xcalloc(e->n_needs + 1, sizeof *v);
	size_t n = 0;
	for (size_t i = 0; i < e->n_needs; i++) {
		const struct map_need *need = &e->needs[i];
		uint32_t to = targets[i];
		if (to == SERVICE_NONE && need->service != NULL)
			to = map_graph_find(g, slice_str(need->service));
		if (to == SERVICE_NONE || to == from)
			continue;
		if (need->group != NULL)
			v[n++] = (struct membership){need->group, to, need};
		else
			add_edge(raw, from, to, false, need->effect);
	}
	if (n > 1)
		qsort(v, n, sizeof *v, membership_order);
	groups_of(g, raw, from, v, n);
	free(v);
}

static int group_order(const void *a, const void *b)
{
	const struct raw_group *x = a, *y = b;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	for (uint32_t i = 0; i < x->n; i++) {
		if (x->members[i] != y->members[i])
			return x->members[i] < y->members[i] ? -1 : 1;
	}
	return (x->at_least > y->at_least) - (x->at_least < y->at_least);
}

/* Equal groups become one; each use of a group becomes an edge. */
static void number_groups(struct map_graph *g, struct raw *raw)
{
	for (size_t i = 0; i < raw->n_groups; i++)
		raw->groups[i].members = raw->pool + raw->groups[i].first;
	if (raw->n_groups > 1)
		qsort(raw->groups, raw->n_groups, sizeof *raw->groups, group_order);
	g->at_least = xcalloc(raw->n_groups + 1, sizeof *g->at_least);
	g->members_at = xcalloc(raw->n_groups + 1, sizeof *g->members_at);
	g->members = xcalloc(raw->n_pool + 1, sizeof *g->members);
	for (size_t i = 0; i < raw->n_groups; i++) {
		const struct raw_group *group = &raw->groups[i];
		if (i == 0 || group_order(&raw->groups[i - 1], group) != 0) {
			uint32_t at = g->members_at[g->n_groups];
			memcpy(g->members + at, group->members, group->n * sizeof *g->members);
			g->at_least[g->n_groups++] = group->at_least;
			g->members_at[g->n_groups] = at + group->n;
		}
		add_edge(raw, group->from, g->n_groups - 1, true, group->effect);
	}
}

/* By service, needs before groups, ascending; of a need written twice the worst effect comes first. */
static int edge_order(const void *a, const void *b)
{
	const struct raw_edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->e.is_group != y->e.is_group)
		return x->e.is_group < y->e.is_group ? -1 : 1;
	if (x->e.to != y->e.to)
		return x->e.to < y->e.to ? -1 : 1;
	return (y->e.effect > x->e.effect) - (y->e.effect < x->e.effect);
}

static void lay_out_needs(struct map_graph *g, struct raw *raw)
{
	if (raw->n_edges > 1)
		qsort(raw->edges, raw->n_edges, sizeof *raw->edges, edge_order);
	g->needs_at = xcalloc((size_t)g->n + 1, sizeof *g->needs_at);
	g->needs = xcalloc(raw->n_edges + 1, sizeof *g->needs);
	uint32_t n = 0, s = 0;
	for (size_t i = 0; i < raw->n_edges; i++) {
		const struct raw_edge *edge = &raw->edges[i], *last = i > 0 ? edge - 1 : NULL;
		if (last != NULL && last->from == edge->from && last->e.is_group == edge->e.is_group &&
		    last->e.to == edge->e.to)
			continue;
		while (s < edge->from)
			g->needs_at[++s] = n;
		g->needs[n++] = edge->e;
	}
	while (s < g->n)
		g->needs_at[++s] = n;
}

void map_graph_build(struct map_graph *g, const struct map_draft *d, size_t max_services, struct findings *f)
{
	*g = (struct map_graph){.d = d, .f = f};
	struct raw raw = {0};
	size_t needs = 0;
	for (size_t i = 0; i < d->n; i++)
		needs += d->v[i] != NULL ? d->v[i]->n_needs : 0;
	bool too_large = d->live > max_services || needs > NEEDS_MAX;
	if (d->live > max_services)
		findings_add(f, FINDING_ERROR, "", "map", (struct mark){0}, SLICE_NONE,
		             "the map has %zu services, limits.services allows %zu", d->live, max_services);
	if (needs > NEEDS_MAX)
		findings_add(f, FINDING_ERROR, "", "map", (struct mark){0}, SLICE_NONE,
		             "the map has %zu needs, more than %d", needs, NEEDS_MAX);
	if (!too_large)
		take_entries(g);
	index_ids(g);
	uint32_t *targets = xcalloc(needs + 1, sizeof *targets);
	add_unknown(g, targets);
	size_t at = 0;
	for (uint32_t s = 0; s < g->n; s++) {
		if (g->v[s].entry == NULL)
			continue;
		needs_of(g, &raw, s, targets + at);
		at += g->v[s].entry->n_needs;
	}
	free(targets);
	number_groups(g, &raw);
	lay_out_needs(g, &raw);
	free(raw.edges);
	free(raw.groups);
	free(raw.pool);
}

void map_graph_free(struct map_graph *g)
{
	free(g->v);
	free(g->slots);
	free(g->needs_at);
	free(g->needs);
	free(g->at_least);
	free(g->members_at);
	free(g->members);
}
