/* map.bin from a checked graph. The same content gives the same bytes, whatever the order of files, keys or
 * Redis' scan: every list is sorted, and no hash table with a random key is walked. */
#include "model/service_map_graph.h"

#include <stdlib.h>

#include "model/evt.h"

/* ---- sections */

struct map_str map_put_text(struct map_tables *t, struct slice s)
{
	struct buf *b = &t->b[MAP_STRINGS];
	if (s.n == 0)
		return (struct map_str){0, 0};
	BUG_ON(b->n + s.n >= UINT32_MAX);
	struct map_str at = {(uint32_t)b->n, (uint32_t)s.n};
	buf_adds(b, s);
	buf_char(b, '\0');
	t->n[MAP_STRINGS] = (uint32_t)b->n;
	return at;
}

struct map_str map_share_text(struct map_tables *t, struct slice s)
{
	if (s.n == 0)
		return (struct map_str){0, 0};
	void **cell = map_index_cell(&t->texts, t->arena, s);
	if (*cell == NULL)
		*cell = (void *)(size_t)map_put_text(t, s).off;
	return (struct map_str){(uint32_t)(size_t)*cell, (uint32_t)s.n};
}

void map_put(struct map_tables *t, enum map_section section, const void *record, size_t size)
{
	BUG_ON(section == MAP_STRINGS || t->n[section] == UINT32_MAX - 1);
	buf_add(&t->b[section], record, size);
	t->n[section]++;
}

void map_put_slots(struct map_tables *t, enum map_section slots, enum map_section items,
                   uint32_t (*hash)(const struct map_tables *t, uint32_t i))
{
	uint32_t n = 2;
	while (n < 2 * t->n[items])
		n *= 2;
	uint32_t *v = xcalloc(n, sizeof *v);
	for (uint32_t i = 0; i < t->n[items]; i++) {
		uint32_t at = hash(t, i) & (n - 1);
		while (v[at] != 0)
			at = (at + 1) & (n - 1);
		v[at] = i + 1;
	}
	BUG_ON(t->b[slots].n != 0);
	buf_add(&t->b[slots], v, n * sizeof *v);
	t->n[slots] = n;
	free(v);
}

void map_tables_view(const struct map_tables *t, struct service_map *m)
{
	*m = (struct service_map){0};
	for (unsigned i = 0; i < MAP_SECTIONS; i++) {
		m->at[i] = t->b[i].p;
		m->n[i] = t->n[i];
	}
}

/* ---- services */

static enum service_kind kind_number(struct slice kind)
{
	static const char *const words[] = {
	    [KIND_SERVICE] = "service", [KIND_HOST] = "host",         [KIND_VM] = "vm",
	    [KIND_POD] = "pod",         [KIND_K8S_NODE] = "k8s_node", [KIND_DB] = "db",
	    [KIND_CACHE] = "cache",     [KIND_QUEUE] = "queue",       [KIND_LB] = "lb",
	    [KIND_DNS] = "dns",         [KIND_STORAGE] = "storage",   [KIND_LINK] = "link",
	    [KIND_NETWORK] = "network", [KIND_ROUTER] = "router",     [KIND_FIREWALL] = "firewall",
	    [KIND_SWITCH] = "switch",   [KIND_UPS] = "ups",           [KIND_SITE] = "site",
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_is(kind, words[i]))
			return (enum service_kind)i;
	}
	return slice_ends(kind, SLICE("switch")) ? KIND_SWITCH : KIND_SERVICE;
}

static struct map_str shared(struct map_tables *t, const char *s)
{
	return map_share_text(t, slice_str(s));
}

static void put_labels(struct map_tables *t, const struct map_entry *e);

static void put_service(struct map_tables *t, const struct map_vertex *v)
{
	static const struct map_entry nothing;
	const struct map_entry *e = v->entry != NULL ? v->entry : &nothing;
	struct slice kind = e->kind != NULL && e->kind[0] != '\0' ? slice_str(e->kind) : SLICE("service");
	struct map_service s = {.id = map_put_text(t, v->id), .ends = {SERVICE_NONE, SERVICE_NONE}};
	s.name = e->name != NULL && e->name[0] != '\0' ? map_put_text(t, slice_str(e->name)) : s.id;
	s.kind = map_share_text(t, kind);
	s.owner = shared(t, e->owner);
	s.assign = shared(t, e->assign);
	s.runbook = shared(t, e->runbook);
	s.source = shared(t, e->source);
	s.kind_no = (uint8_t)kind_number(kind);
	s.tier = (uint8_t)e->tier;
	s.flags = (uint8_t)((e->hides ? MAP_HIDES : 0) | (v->entry == NULL ? MAP_UNKNOWN : 0));
	map_put(t, MAP_SERVICES, &s, sizeof s);
	put_labels(t, e);
	map_put(t, MAP_LABELS_AT, &t->n[MAP_LABELS], sizeof(uint32_t));
}

struct label {
	const char *key, *value;
	size_t order;
};

static int label_order(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	int cmp = strcmp(x->key, y->key);
	return cmp != 0 ? cmp : (x->order > y->order) - (x->order < y->order);
}

static void put_labels(struct map_tables *t, const struct map_entry *e)
{
	if (e->n_labels == 0)
		return;
	struct label *v = xcalloc(e->n_labels, sizeof *v);
	for (size_t i = 0; i < e->n_labels; i++)
		v[i] = (struct label){e->label_keys[i], e->label_values[i], i};
	qsort(v, e->n_labels, sizeof *v, label_order);
	for (size_t i = 0; i < e->n_labels; i++) {
		if (i > 0 && strcmp(v[i - 1].key, v[i].key) == 0)
			continue;
		struct map_label label = {shared(t, v[i].key), shared(t, v[i].value)};
		map_put(t, MAP_LABELS, &label, sizeof label);
	}
	free(v);
}

/* ---- needs in both directions */

/* Turns (from → to) pairs around: `each` calls back with every pair, twice; rows are then ascending by
 * `from`. */
struct turn {
	uint32_t *at, n_rows;
	struct map_edge *edges;
	bool counting;
};

static void turn_pair(struct turn *turn, uint32_t to, uint32_t from, uint8_t effect)
{
	BUG_ON(to >= turn->n_rows);
	if (turn->counting)
		turn->at[to + 1]++;
	else
		turn->edges[turn->at[to]++] = (struct map_edge){.to = from, .effect = effect};
}

static void turn_needs(struct turn *turn, const struct map_graph *g, bool groups)
{
	for (uint32_t s = 0; s < g->n; s++) {
		for (uint32_t i = g->needs_at[s]; i < g->needs_at[s + 1]; i++) {
			if (g->needs[i].is_group == groups)
				turn_pair(turn, g->needs[i].to, s, g->needs[i].effect);
		}
	}
}

static void turn_members(struct turn *turn, const struct map_graph *g, bool unused)
{
	(void)unused;
	for (uint32_t k = 0; k < g->n_groups; k++) {
		for (uint32_t i = g->members_at[k]; i < g->members_at[k + 1]; i++)
			turn_pair(turn, g->members[i], k, 0);
	}
}

static void turn_around(const struct map_graph *g, uint32_t n_rows, bool flag,
                        void (*each)(struct turn *, const struct map_graph *, bool), struct turn *turn)
{
	*turn = (struct turn){
	    .at = xcalloc((size_t)n_rows + 1, sizeof(uint32_t)), .n_rows = n_rows, .counting = true};
	each(turn, g, flag);
	for (uint32_t i = 0; i < n_rows; i++)
		turn->at[i + 1] += turn->at[i];
	turn->edges = xcalloc((size_t)turn->at[n_rows] + 1, sizeof *turn->edges);
	turn->counting = false;
	each(turn, g, flag);
	/* filling moved every beginning to its end */
	memmove(turn->at + 1, turn->at, n_rows * sizeof *turn->at);
	turn->at[0] = 0;
}

static void put_numbers(struct map_tables *t, enum map_section section, const uint32_t *v, size_t n)
{
	if (n > 0)
		buf_add(&t->b[section], v, n * sizeof *v);
	t->n[section] += (uint32_t)n;
}

static void put_edges(struct map_tables *t, enum map_section section, const struct map_edge *v, size_t n)
{
	if (n > 0)
		buf_add(&t->b[section], v, n * sizeof *v);
	t->n[section] += (uint32_t)n;
}

static void put_needs(struct map_tables *t, const struct map_graph *g)
{
	struct turn turn;
	put_numbers(t, MAP_NEEDS_AT, g->needs_at, (size_t)g->n + 1);
	put_edges(t, MAP_NEEDS, g->needs, g->needs_at[g->n]);
	put_numbers(t, MAP_GROUPS, g->at_least, g->n_groups);
	put_numbers(t, MAP_MEMBERS_AT, g->members_at, (size_t)g->n_groups + 1);
	put_numbers(t, MAP_MEMBERS, g->members, g->members_at[g->n_groups]);

	turn_around(g, g->n, false, turn_needs, &turn);
	put_numbers(t, MAP_NEEDED_AT, turn.at, (size_t)g->n + 1);
	put_edges(t, MAP_NEEDED, turn.edges, turn.at[g->n]);
	free(turn.at);
	free(turn.edges);
	turn_around(g, g->n_groups, true, turn_needs, &turn);
	put_numbers(t, MAP_GROUP_NEEDED_AT, turn.at, (size_t)g->n_groups + 1);
	put_edges(t, MAP_GROUP_NEEDED, turn.edges, turn.at[g->n_groups]);
	free(turn.at);
	free(turn.edges);
	turn_around(g, g->n, false, turn_members, &turn);
	put_numbers(t, MAP_MEMBER_OF_AT, turn.at, (size_t)g->n + 1);
	for (uint32_t i = 0; i < turn.at[g->n]; i++)
		put_numbers(t, MAP_MEMBER_OF, &turn.edges[i].to, 1);
	free(turn.at);
	free(turn.edges);
}

static void put_links(struct map_tables *t, uint32_t n)
{
	const struct map_service *v = (const struct map_service *)(const void *)t->b[MAP_SERVICES].p;
	uint32_t *at = xcalloc((size_t)n + 2, sizeof *at);
	for (uint32_t s = 0; s < n; s++) {
		for (unsigned e = 0; e < 2; e++) {
			if (v[s].ends[e] != SERVICE_NONE && (e == 0 || v[s].ends[0] != v[s].ends[1]))
				at[v[s].ends[e] + 2]++;
		}
	}
	for (uint32_t s = 0; s < n; s++)
		at[s + 2] += at[s + 1];
	uint32_t *links = xcalloc((size_t)at[n + 1] + 1, sizeof *links), total = at[n + 1];
	for (uint32_t s = 0; s < n; s++) {
		for (unsigned e = 0; e < 2; e++) {
			if (v[s].ends[e] != SERVICE_NONE && (e == 0 || v[s].ends[0] != v[s].ends[1]))
				links[at[v[s].ends[e] + 1]++] = s;
		}
	}
	put_numbers(t, MAP_LINKS_AT, at, (size_t)n + 1);
	put_numbers(t, MAP_LINKS, links, total);
	free(at);
	free(links);
}

/* ---- the file */

static void write_file(const struct map_tables *t, const struct map_graph *g, struct buf *out)
{
	struct map_head head = {.version = MAP_VERSION, .needs = g->n_needs, .dangling = g->dangling};
	memcpy(head.magic, MAP_MAGIC, sizeof head.magic);
	size_t size = sizeof head;
	for (unsigned i = 0; i < MAP_SECTIONS; i++) {
		size = (size + 7) & ~(size_t)7;
		head.at[i] = (struct map_place){size, t->n[i]};
		size += t->b[i].n;
	}
	head.size = (size + 7) & ~(size_t)7;
	buf_align(out, 8);
	size_t start = out->n;
	buf_reserve(out, head.size);
	buf_add(out, &head, sizeof head);
	for (unsigned i = 0; i < MAP_SECTIONS; i++) {
		buf_align(out, 8);
		BUG_ON(out->n - start != head.at[i].off);
		if (t->b[i].n > 0)
			buf_add(out, t->b[i].p, t->b[i].n);
	}
	buf_align(out, 8);
	BUG_ON(out->n - start != head.size);
	uint32_t sum = crc32c(0, out->p + start, head.size);
	memcpy(out->p + start + offsetof(struct map_head, checksum), &sum, sizeof sum);
}

static void fill_tables(struct map_tables *t, const struct map_graph *g)
{
	uint32_t zero = 0;
	buf_char(&t->b[MAP_STRINGS], '\0');
	t->n[MAP_STRINGS] = 1;
	map_put(t, MAP_LABELS_AT, &zero, sizeof zero);
	for (uint32_t s = 0; s < g->n; s++)
		put_service(t, &g->v[s]);
	put_needs(t, g);
	map_names_fill(g, t);
	put_links(t, g->n);
}

int map_compile(const struct map_draft *d, size_t max_services, struct findings *f, struct buf *out)
{
	struct map_graph g;
	size_t errors = f->errors;
	struct map_tables t = {.arena = arena_new(0)};
	map_graph_build(&g, d, max_services, f);
	fill_tables(&t, &g);
	map_graph_check(&g);
	int result = f->errors > errors ? -1 : 0;
	if (result == 0)
		write_file(&t, &g, out);
	for (unsigned i = 0; i < MAP_SECTIONS; i++)
		buf_free(&t.b[i]);
	map_index_free(&t.texts);
	arena_free(t.arena);
	map_graph_free(&g);
	return result;
}
