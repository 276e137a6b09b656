/* Warnings and notes of map.md section 3 about needs: cycles, depth, services that nothing can say anything
 * about, single points of failure, owners. Works on the finished graph; a map with cycles is walked once like
 * any other. */
#include "model/service_map_graph.h"

#include <stdlib.h>

enum { DEPTH_MAX = 32, PATH_SHOWN = 20, NAMES_SHOWN = 5 };

/* ---- strongly connected parts (Tarjan, without recursion) over services and groups; a group is a vertex
 * behind them */

struct walk {
	const struct map_graph *g;
	uint32_t n;             /* services and groups */
	uint32_t *index, *low;  /* index 0: not seen */
	uint32_t *part, *depth; /* part 0: not finished; depth of a part */
	uint32_t *stack, n_stack;
	uint32_t *path, *next, n_path; /* the walk's own stack, and where each stands in its edges */
	uint32_t counter, parts;
	uint32_t *inside, *from,
	    *queue; /* of the cycle that is being reported: inside == parts + 1, from + 1 */
};

static uint32_t edges_of(const struct walk *w, uint32_t x)
{
	const struct map_graph *g = w->g;
	return x < g->n ? g->needs_at[x + 1] - g->needs_at[x]
	                : g->members_at[x - g->n + 1] - g->members_at[x - g->n];
}

/* Where edge i of x leads; UINT32_MAX for one that is only drawn. */
static uint32_t edge_to(const struct walk *w, uint32_t x, uint32_t i)
{
	const struct map_graph *g = w->g;
	if (x >= g->n)
		return g->members[g->members_at[x - g->n] + i];
	const struct map_edge *e = &g->needs[g->needs_at[x] + i];
	if (e->effect == EFFECT_NONE)
		return UINT32_MAX;
	return e->is_group ? g->n + e->to : e->to;
}

static void visit(struct walk *w, uint32_t x)
{
	w->index[x] = w->low[x] = ++w->counter;
	w->stack[w->n_stack++] = x;
	w->path[w->n_path++] = x;
	BUG_ON(w->n_path > w->n || w->n_stack > w->n);
}

static uint32_t part_size(const struct walk *w, uint32_t top)
{
	uint32_t n = 1;
	while (w->stack[w->n_stack - n] != top)
		n++;
	return n;
}

/* Longest way down from a part whose targets are all finished, counted in services. */
static uint32_t part_depth(const struct walk *w, const uint32_t *v, uint32_t n)
{
	uint32_t deepest = 0;
	for (uint32_t k = 0; k < n; k++) {
		for (uint32_t i = 0; i < edges_of(w, v[k]); i++) {
			uint32_t to = edge_to(w, v[k], i);
			if (to == UINT32_MAX || w->part[to] == 0)
				continue;
			deepest = MAX(deepest, w->depth[w->part[to]] + (to < w->g->n));
		}
	}
	return deepest;
}

static void report_cycle(struct walk *w, const uint32_t *v, uint32_t n);

static void finish_part(struct walk *w, uint32_t top)
{
	uint32_t n = part_size(w, top);
	const uint32_t *v = w->stack + w->n_stack - n;
	uint32_t depth = part_depth(w, v, n);
	if (n > 1)
		report_cycle(w, v, n);
	w->parts++;
	w->depth[w->parts] = depth;
	for (uint32_t i = 0; i < n; i++)
		w->part[v[i]] = w->parts;
	w->n_stack -= n;
}

static void walk_from(struct walk *w, uint32_t start)
{
	visit(w, start);
	while (w->n_path > 0) {
		uint32_t x = w->path[w->n_path - 1];
		if (w->next[x] < edges_of(w, x)) {
			uint32_t to = edge_to(w, x, w->next[x]++);
			if (to == UINT32_MAX)
				continue;
			if (w->index[to] == 0)
				visit(w, to);
			else if (w->part[to] == 0)
				w->low[x] = MIN(w->low[x], w->index[to]);
			continue;
		}
		w->n_path--;
		if (w->n_path > 0) {
			uint32_t above = w->path[w->n_path - 1];
			w->low[above] = MIN(w->low[above], w->low[x]);
		}
		if (w->low[x] == w->index[x])
			finish_part(w, x);
	}
}

/* ---- a cycle as a path */

/* Breadth first inside one part from `start` back to it; from[] is the way. Returns the last before start. */
static uint32_t way_back(struct walk *w, uint32_t start)
{
	uint32_t head = 0, tail = 0;
	w->queue[tail++] = start;
	while (head < tail) {
		uint32_t x = w->queue[head++];
		for (uint32_t i = 0; i < edges_of(w, x); i++) {
			uint32_t to = edge_to(w, x, i);
			if (to == start)
				return x;
			if (to == UINT32_MAX || w->inside[to] != w->parts + 1 || w->from[to] != 0)
				continue;
			w->from[to] = x + 1;
			w->queue[tail++] = to;
		}
	}
	return start;
}

/* The path start → … → start with the groups left out; *later is the member that comes last in the files. */
static void path_text(struct walk *w, uint32_t start, uint32_t last, uint32_t *later, struct buf *out)
{
	const struct map_vertex *v = w->g->v;
	uint32_t n = 0;
	for (uint32_t x = last; x != start; x = w->from[x] - 1) {
		if (x < w->g->n)
			w->queue[n++] = x;
	}
	*later = start;
	buf_adds(out, v[start].id);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t x = w->queue[n - 1 - i];
		if (v[x].order > v[*later].order)
			*later = x;
		if (i < PATH_SHOWN)
			buf_printf(out, " → " SLICE_FMT, SLICE_ARG(v[x].id));
		else if (i == PATH_SHOWN)
			buf_printf(out, " → … (%u services)", n + 1);
	}
	buf_printf(out, " → " SLICE_FMT, SLICE_ARG(v[start].id));
}

static void report_cycle(struct walk *w, const uint32_t *v, uint32_t n)
{
	uint32_t start = UINT32_MAX, later;
	for (uint32_t i = 0; i < n; i++) {
		w->inside[v[i]] = w->parts + 1;
		start = MIN(start, v[i]); /* services come before groups, by id */
	}
	BUG_ON(start >= w->g->n);
	struct buf text = {0};
	path_text(w, start, way_back(w, start), &later, &text);
	const struct map_entry *e = w->g->v[later].entry;
	BUG_ON(e == NULL); /* an unknown one needs nothing */
	map_finding(w->g->d, w->g->f, FINDING_WARNING, "", e, PART_NEEDS, SLICE_NONE, e->mark,
	            "services need each other in a cycle: %s; they are treated as one service",
	            buf_cstr(&text));
	buf_free(&text);
}

static void report_depth(const struct walk *w)
{
	uint32_t deepest = 0;
	for (uint32_t s = 1; s < w->g->n; s++) {
		if (w->depth[w->part[s]] > w->depth[w->part[deepest]])
			deepest = s;
	}
	uint32_t depth = w->depth[w->part[deepest]];
	const struct map_entry *e = w->g->v[deepest].entry;
	if (depth <= DEPTH_MAX || e == NULL)
		return;
	map_finding(w->g->d, w->g->f, FINDING_WARNING, "", e, PART_SERVICE, SLICE_NONE, e->mark,
	            "the needs of '%s' are %u deep, more than %d; causes that far are not looked for", e->id,
	            depth, DEPTH_MAX);
}

static void check_cycles(const struct map_graph *g)
{
	struct walk w = {.g = g, .n = g->n + g->n_groups};
	uint32_t **const arrays[] = {&w.index, &w.low,  &w.part,   &w.depth, &w.stack,
	                             &w.path,  &w.next, &w.inside, &w.from,  &w.queue};
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		*arrays[i] = xcalloc((size_t)w.n + 1, sizeof(uint32_t));
	for (uint32_t s = 0; s < w.n; s++) {
		if (w.index[s] == 0)
			walk_from(&w, s);
	}
	if (g->n > 0)
		report_depth(&w);
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		free(*arrays[i]);
}

/* ---- services one by one */

static void check_alone(const struct map_graph *g)
{
	bool *needed = xcalloc((size_t)g->n + 1, sizeof *needed);
	for (uint32_t i = 0; i < g->needs_at[g->n]; i++) {
		if (!g->needs[i].is_group)
			needed[g->needs[i].to] = true;
	}
	for (uint32_t i = 0; i < g->members_at[g->n_groups]; i++)
		needed[g->members[i]] = true;
	for (uint32_t s = 0; s < g->n; s++) {
		const struct map_entry *e = g->v[s].entry;
		/* a port or an end brings events as a host does */
		if (e == NULL || needed[s] || e->n_hosts + e->n_ports + e->n_ends > 0)
			continue;
		map_finding(
		    g->d, g->f, FINDING_WARNING, "", e, PART_SERVICE, SLICE_NONE, e->mark,
		    "service '%s' has neither hosts nor dependants; give it 'hosts' or name it in a need",
		    e->id);
	}
	free(needed);
}

static void check_single(const struct map_graph *g, uint32_t s)
{
	const struct map_entry *e = g->v[s].entry;
	struct buf names = {0};
	struct mark mark = e->mark;
	uint32_t n = 0;
	for (uint32_t i = g->needs_at[s]; i < g->needs_at[s + 1]; i++) {
		const struct map_edge *edge = &g->needs[i];
		if (edge->is_group || edge->effect != EFFECT_DOWN)
			continue;
		if (n < NAMES_SHOWN)
			buf_printf(&names, "%s'" SLICE_FMT "'", n > 0 ? ", " : "",
			           SLICE_ARG(g->v[edge->to].id));
		n++;
	}
	if (n > NAMES_SHOWN)
		buf_printf(&names, " and %u more", n - NAMES_SHOWN);
	if (n > 0)
		map_finding(g->d, g->f, FINDING_NOTE, "", e, PART_NEEDS, SLICE_NONE, mark,
		            "tier-1 service '%s' needs %s without a group: %s", e->id, buf_cstr(&names),
		            n == 1 ? "a single point of failure" : "each is a single point of failure");
	buf_free(&names);
}

static void check_owners(const struct map_graph *g)
{
	struct buf names = {0};
	const struct map_entry *first = NULL;
	uint32_t n = 0;
	for (uint32_t s = 0; s < g->n; s++) {
		const struct map_entry *e = g->v[s].entry;
		if (e == NULL || (e->owner != NULL && e->owner[0] != '\0'))
			continue;
		if (first == NULL)
			first = e;
		if (n < NAMES_SHOWN)
			buf_printf(&names, "%s'%s'", n > 0 ? ", " : "", e->id);
		n++;
	}
	if (n > NAMES_SHOWN)
		buf_printf(&names, " and %u more", n - NAMES_SHOWN);
	if (first != NULL)
		map_finding(g->d, g->f, FINDING_NOTE, "", first, PART_SERVICE, SLICE("owner"), first->mark,
		            "%u service%s no owner: %s", n, n == 1 ? " has" : "s have", buf_cstr(&names));
	buf_free(&names);
}

void map_graph_check(const struct map_graph *g)
{
	check_cycles(g);
	check_alone(g);
	for (uint32_t s = 0; s < g->n; s++) {
		if (g->v[s].entry != NULL && g->v[s].entry->tier == 1)
			check_single(g, s);
	}
	check_owners(g);
}
