/* Promises answers about the running map and its state: one service, what it needs, what it takes along, a
 * way between two, names (cli.md section 2, `service`). Looks only, so nothing of it is journaled. Must not
 * know how a question arrived. */
#include "engine/alert.h"
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	ITEMS_MAX = 2000,
	ITEMS = 500,
	NEIGHBOURS = 100,
	PAGE_MAX = 2000,
	PAGE = 500,
	DEPTH = 3,
	DEPTH_MAX = 32
};

struct inquiry {
	struct engine *e;
	const struct service_map *m;
	const struct json *q;
	struct jw *w;
};

static void refuse(struct inquiry *x, int status, const char *fmt, struct slice about)
{
	jw_kbool(x->w, "ok", false);
	jw_kstr(x->w, "error",
	        arena_printf(x->e->scratch, "%s '" SLICE_FMT "'", fmt, SLICE_ARG(slice_sub(about, 0, 200))));
	jw_kint(x->w, "status", status);
}

static struct slice asked(const struct inquiry *x, const char *key)
{
	return json_text(json_get(x->q, key));
}

static size_t asked_number(const struct inquiry *x, const char *key, size_t otherwise, size_t most)
{
	int64_t n = 0;
	if (!slice_int(asked(x, key), &n) || n < 1)
		return otherwise;
	return MIN((size_t)n, most);
}

/* The service of that id, else what the name is resolved to; SERVICE_NONE. */
static uint32_t service_of(const struct inquiry *x, struct slice name)
{
	uint32_t s = service_find(x->m, name);
	return s != SERVICE_NONE ? s : resolve_host(x->m, name, NULL);
}

/* ---- one service */

static const struct episode *running(const struct map_node *n)
{
	return n == NULL ? NULL : n->open != NULL ? n->open : n->risk;
}

static const char *state_word(const struct episode *ep)
{
	return ep == NULL ? "up" : ep->risk ? "risk" : level_word(ep->level);
}

/* What it reports itself, and what follows for it from others. */
static void state(struct inquiry *x, const struct map_node *n, uint32_t s)
{
	const struct derived *d = &x->e->correlation->derived;
	const struct episode *ep = running(n);
	const char *derived = s == SERVICE_NONE ? NULL
	                      : d->down.in[s]   ? "down"
	                      : d->bad.in[s]    ? "degraded"
	                                        : "up";
	jw_kstr(x->w, "state", state_word(ep));
	jw_kstr(x->w, "derived", derived);
	jw_ktime(x->w, "since", ep != NULL ? ep->on : INSTANT_NONE);
	jw_kstr(x->w, "incident", ep != NULL && ep->incident != NULL ? ep->incident->id_text : NULL);
	jw_kstr(x->w, "cause", ep != NULL && ep->parent != NULL ? ep->parent->node->id : NULL);
}

/* Members of an open object that every list of services has. */
static void brief(struct inquiry *x, uint32_t s)
{
	int tier = service_tier(x->m, s);
	jw_kslice(x->w, "id", service_id(x->m, s));
	jw_kslice(x->w, "kind", service_text(x->m, s, "kind"));
	jw_kslice(x->w, "owner", service_text(x->m, s, "owner"));
	if (tier > 0)
		jw_kint(x->w, "tier", tier);
	else
		jw_kstr(x->w, "tier", NULL);
	state(x, x->e->correlation->nodes[s], s);
}

static void group_members_in(struct inquiry *x, uint32_t g)
{
	size_t n;
	const uint32_t *v = group_members(x->m, g, &n);
	const struct derived *d = &x->e->correlation->derived;
	char *name = group_text(x->e, g);
	jw_kstr(x->w, "group", name);
	jw_kint(x->w, "at_least", group_at_least(x->m, g));
	jw_kint(x->w, "members", (int64_t)n);
	jw_kint(x->w, "up", (int64_t)(n - d->down.group_in[g]));
	jw_key(x->w, "any");
	jw_array(x->w);
	for (size_t k = 0; k < n && k < NEIGHBOURS; k++)
		jw_slice(x->w, service_id(x->m, v[k]));
	jw_array_end(x->w);
	free(name);
}

static void needs_of(struct inquiry *x, uint32_t s)
{
	size_t n;
	const struct map_edge *v = service_needs(x->m, s, &n);
	jw_key(x->w, "needs");
	jw_array(x->w);
	for (size_t k = 0; k < n && k < NEIGHBOURS; k++) {
		jw_object(x->w);
		if (v[k].is_group)
			group_members_in(x, v[k].to);
		else
			brief(x, v[k].to);
		jw_kstr(x->w, "effect", effect_word((enum effect)v[k].effect));
		jw_end(x->w);
	}
	jw_array_end(x->w);
	jw_kint(x->w, "needs_more", n > NEIGHBOURS ? (int64_t)n - NEIGHBOURS : 0);
}

static void neighbour(struct inquiry *x, const struct map_edge *v, size_t n, size_t *shown)
{
	for (size_t k = 0; k < n; k++) {
		if ((*shown)++ >= NEIGHBOURS)
			continue;
		jw_object(x->w);
		brief(x, v[k].to);
		jw_kstr(x->w, "effect", effect_word((enum effect)v[k].effect));
		jw_end(x->w);
	}
}

static void needed_by(struct inquiry *x, uint32_t s)
{
	size_t n, users, shown = 0;
	const struct map_edge *v = service_needed_by(x->m, s, &n);
	jw_key(x->w, "needed_by");
	jw_array(x->w);
	neighbour(x, v, n, &shown);
	const uint32_t *groups = service_groups(x->m, s, &n);
	for (size_t g = 0; g < n; g++) {
		v = group_needed_by(x->m, groups[g], &users);
		neighbour(x, v, users, &shown);
	}
	jw_array_end(x->w);
	jw_kint(x->w, "needed_by_more", shown > NEIGHBOURS ? (int64_t)shown - NEIGHBOURS : 0);
	jw_key(x->w, "groups");
	jw_array(x->w);
	for (size_t g = 0; g < n && g < NEIGHBOURS; g++) {
		jw_object(x->w);
		group_members_in(x, groups[g]);
		jw_end(x->w);
	}
	jw_array_end(x->w);
}

static void alerts_of(struct inquiry *x, const struct map_node *n)
{
	const struct episode *const eps[] = {n != NULL ? n->open : NULL, n != NULL ? n->risk : NULL};
	size_t shown = 0;
	jw_key(x->w, "alerts");
	jw_array(x->w);
	for (size_t k = 0; k < ARRAY_LEN(eps); k++)
		for (size_t a = 0; eps[k] != NULL && a < eps[k]->n_alerts; a++)
			if (eps[k]->alerts[a]->state != ALERT_CLOSED && shown++ < NEIGHBOURS)
				alert_json(x->e, eps[k]->alerts[a], x->w);
	jw_array_end(x->w);
}

static void facts(struct inquiry *x, uint32_t s)
{
	static const char *const what[] = {"name", "assign", "runbook", "source"};
	struct map_node *n = node_of_service(x->e, s);
	brief(x, s);
	for (size_t k = 0; k < ARRAY_LEN(what); k++)
		jw_kslice(x->w, what[k], service_text(x->m, s, what[k]));
	jw_kslice(x->w, "layer", layer_text(x->e, n));
	jw_kbool(x->w, "in_map", !service_unknown(x->m, s));
	jw_kbool(x->w, "maintenance", x->e->correlation->derived.maintained[s]);
	needs_of(x, s);
	needed_by(x, s);
	alerts_of(x, n);
}

static void ask_service(struct inquiry *x)
{
	struct slice id = asked(x, "id");
	const struct map_node *n = node_known(x->e, id);
	uint32_t s = n != NULL ? n->service : service_of(x, id);
	if (s == SERVICE_NONE && n == NULL) {
		refuse(x, 404, "neither the map nor an event knows", id);
		return;
	}
	jw_kbool(x->w, "ok", true);
	if (s != SERVICE_NONE) {
		facts(x, s);
		return;
	}
	jw_kstr(x->w, "id", n->id);
	state(x, n, s);
	jw_kbool(x->w, "in_map", false);
	alerts_of(x, n);
}

/* ---- trees: each service once, where it was first reached */

struct reach {
	struct inquiry *x;
	const struct blast *blast; /* NULL: downwards */
	uint32_t *queue;
	uint8_t *depth;
	size_t n, shown, max, depth_max;
};

static void reached(struct reach *r, uint32_t s, uint32_t from, size_t depth, const char *effect,
                    const char *group)
{
	struct derived *d = &r->x->e->correlation->derived;
	if (d->seen[s] == d->search || depth > r->depth_max)
		return;
	d->seen[s] = d->search;
	r->queue[r->n] = s;
	r->depth[r->n++] = (uint8_t)MIN(depth, UINT8_MAX);
	if (r->shown++ >= r->max)
		return;
	jw_object(r->x->w);
	brief(r->x, s);
	jw_kslice(r->x->w, "from", from != SERVICE_NONE ? service_id(r->x->m, from) : SLICE_NONE);
	jw_kint(r->x->w, "depth", (int64_t)depth);
	jw_kstr(r->x->w, "effect", effect);
	jw_kstr(r->x->w, "group", group);
	if (r->blast != NULL)
		jw_kstr(r->x->w, "predicted", level_word(d->level[s]));
	jw_end(r->x->w);
}

static void down_from(struct reach *r, uint32_t s, size_t depth)
{
	size_t n, members;
	const struct map_edge *v = service_needs(r->x->m, s, &n);
	for (size_t k = 0; k < n; k++) {
		const char *effect = effect_word((enum effect)v[k].effect);
		if (!v[k].is_group) {
			reached(r, v[k].to, s, depth, effect, NULL);
			continue;
		}
		const uint32_t *g = group_members(r->x->m, v[k].to, &members);
		char *name = group_text(r->x->e, v[k].to);
		char *text = xasprintf("%u of %s", group_at_least(r->x->m, v[k].to), name);
		for (size_t i = 0; i < members; i++)
			reached(r, g[i], s, depth, effect, text);
		free(name);
		free(text);
	}
}

static void up_edges(struct reach *r, const struct map_edge *v, size_t n, uint32_t from, size_t depth,
                     const char *group)
{
	const struct derived *d = &r->x->e->correlation->derived;
	for (size_t k = 0; k < n; k++)
		if (d->level[v[k].to] > 0)
			reached(r, v[k].to, from, depth, effect_word((enum effect)v[k].effect), group);
}

static void up_from(struct reach *r, uint32_t s, size_t depth)
{
	const struct derived *d = &r->x->e->correlation->derived;
	size_t n, users;
	const struct map_edge *v = service_needed_by(r->x->m, s, &n);
	up_edges(r, v, n, s, depth, NULL);
	const uint32_t *links = device_links(r->x->m, s, &n);
	for (size_t k = 0; k < n; k++)
		if (d->level[links[k]] > 0)
			reached(r, links[k], s, depth, "down", NULL);
	const uint32_t *groups = service_groups(r->x->m, s, &n);
	for (size_t g = 0; g < n; g++) {
		v = group_needed_by(r->x->m, groups[g], &users);
		char *name = group_text(r->x->e, groups[g]);
		up_edges(r, v, users, s, depth, name);
		free(name);
	}
}

static void tree(struct inquiry *x, uint32_t root, const struct blast *b)
{
	struct derived *d = &x->e->correlation->derived;
	struct reach r = {.x = x,
	                  .blast = b,
	                  .depth_max = b != NULL ? SIZE_MAX : asked_number(x, "depth", DEPTH, DEPTH_MAX)};
	r.max = asked_number(x, "limit", ITEMS, ITEMS_MAX);
	r.queue = xcalloc(d->n_services + 1, sizeof *r.queue);
	r.depth = xcalloc(d->n_services + 1, sizeof *r.depth);
	search_new(d);
	jw_key(x->w, "services");
	jw_array(x->w);
	reached(&r, root, SERVICE_NONE, 0, NULL, NULL);
	for (size_t head = 0; head < r.n; head++) {
		if (b != NULL)
			up_from(&r, r.queue[head], r.depth[head] + 1u);
		else
			down_from(&r, r.queue[head], r.depth[head] + 1u);
	}
	jw_array_end(x->w);
	jw_kint(x->w, "more", r.shown > r.max ? (int64_t)(r.shown - r.max) : 0);
	free(r.queue);
	free(r.depth);
}

/* What holds although it fails. */
static void holding(struct inquiry *x, uint32_t s, const struct blast *b)
{
	size_t n, members, shown = 0;
	const uint32_t *groups = service_groups(x->m, s, &n);
	jw_key(x->w, "holds");
	jw_array(x->w);
	for (size_t g = 0; g < n && shown < NEIGHBOURS; g++) {
		const uint32_t *v = group_members(x->m, groups[g], &members);
		size_t up = 0;
		for (size_t k = 0; k < members; k++)
			up += b->d->level[v[k]] < LEVEL_DOWN && !b->d->down.in[v[k]];
		if (up < group_at_least(x->m, groups[g]))
			continue;
		char *name = group_text(x->e, groups[g]);
		jw_object(x->w);
		jw_kstr(x->w, "group", name);
		jw_kint(x->w, "left", (int64_t)up);
		jw_kint(x->w, "members", (int64_t)members);
		jw_kint(x->w, "at_least", group_at_least(x->m, groups[g]));
		jw_end(x->w);
		free(name);
		shown++;
	}
	jw_array_end(x->w);
}

static void hurt(struct inquiry *x, const struct blast *b)
{
	size_t business = 0;
	for (size_t k = 0; k < b->n; k++)
		business += service_tier(x->m, b->d->list[k]) > 0;
	jw_kint(x->w, "affected", (int64_t)b->n - 1);
	jw_kint(x->w, "business_services", (int64_t)business);
}

static bool root_of(struct inquiry *x, const char *key, uint32_t *s)
{
	*s = service_of(x, asked(x, key));
	if (*s == SERVICE_NONE)
		refuse(x, 404, "the map has no service", asked(x, key));
	return *s != SERVICE_NONE;
}

static void ask_impact(struct inquiry *x)
{
	uint32_t s;
	if (!root_of(x, "id", &s))
		return;
	struct blast b = blast_new(x->e);
	int level = slice_is(asked(x, "level"), "degraded") ? LEVEL_DEGRADED : LEVEL_DOWN;
	blast_from(&b, s, level);
	jw_kbool(x->w, "ok", true);
	jw_kslice(x->w, "id", service_id(x->m, s));
	jw_kstr(x->w, "if", level_word(level));
	hurt(x, &b);
	holding(x, s, &b);
	tree(x, s, &b);
	blast_clear(&b);
}

static void ask_needs(struct inquiry *x)
{
	uint32_t s;
	if (!root_of(x, "id", &s))
		return;
	jw_kbool(x->w, "ok", true);
	jw_kslice(x->w, "id", service_id(x->m, s));
	tree(x, s, NULL);
}

/* ---- a way */

struct hop {
	uint32_t from, group; /* group: SERVICE_NONE for a need of its own */
	uint8_t effect;
};

/* The shortest way along needs; NULL: none. free() */
static struct hop *way(const struct inquiry *x, uint32_t from, uint32_t to)
{
	struct derived *d = &x->e->correlation->derived;
	struct hop *v = xcalloc(d->n_services + 1, sizeof *v);
	uint32_t *queue = xcalloc(d->n_services + 1, sizeof *queue);
	size_t head = 0, tail = 0, n, members;
	search_new(d);
	d->seen[from] = d->search;
	for (queue[tail++] = from; head < tail && d->seen[to] != d->search; head++) {
		const struct map_edge *e = service_needs(x->m, queue[head], &n);
		for (size_t k = 0; k < n; k++) {
			const uint32_t *m = &e[k].to;
			members = 1;
			if (e[k].is_group)
				m = group_members(x->m, e[k].to, &members);
			for (size_t i = 0; i < members; i++) {
				if (d->seen[m[i]] == d->search)
					continue;
				d->seen[m[i]] = d->search;
				v[m[i]] = (struct hop){queue[head], e[k].is_group ? e[k].to : SERVICE_NONE,
				                       e[k].effect};
				queue[tail++] = m[i];
			}
		}
	}
	free(queue);
	if (d->seen[to] == d->search)
		return v;
	free(v);
	return NULL;
}

static void put_way(struct inquiry *x, const struct hop *v, uint32_t from, uint32_t to)
{
	size_t n = 0;
	for (uint32_t s = to; v != NULL && s != from; s = v[s].from)
		n++;
	uint32_t *order = xcalloc(n + 1, sizeof *order);
	for (uint32_t s = to, k = 0; v != NULL && k <= n; k++) {
		order[n - k] = s;
		s = s != from ? v[s].from : s;
	}
	jw_key(x->w, "path");
	jw_array(x->w);
	for (size_t k = 0; v != NULL && k <= n; k++) {
		const struct hop *h = &v[order[k]];
		char *group = k > 0 && h->group != SERVICE_NONE ? group_text(x->e, h->group) : NULL;
		jw_object(x->w);
		brief(x, order[k]);
		jw_kstr(x->w, "effect", k > 0 ? effect_word((enum effect)h->effect) : NULL);
		jw_kstr(x->w, "group", group);
		jw_end(x->w);
		free(group);
	}
	jw_array_end(x->w);
	free(order);
}

static void ask_path(struct inquiry *x)
{
	uint32_t a, b;
	if (!root_of(x, "from", &a) || !root_of(x, "to", &b))
		return;
	struct hop *v = way(x, a, b);
	bool back = v == NULL;
	if (back)
		v = way(x, b, a);
	jw_kbool(x->w, "ok", true);
	jw_kslice(x->w, "from", service_id(x->m, v != NULL && back ? b : a));
	jw_kslice(x->w, "to", service_id(x->m, v != NULL && back ? a : b));
	jw_kbool(x->w, "found", v != NULL);
	put_way(x, v, back ? b : a, back ? a : b);
	free(v);
}

/* ---- the event that opened an alert, as far as it is kept */

static const struct alert *alert_of_prefix(const struct inquiry *x, struct slice prefix)
{
	const struct alert *hit = NULL;
	char id[27];
	for (const struct alert *a = x->e->alerts->all.first; a != NULL && prefix.n >= 4 && prefix.n <= 26; a = a->next) {
		ulid_text(&a->id, id);
		if (!slice_ieq(prefix, slice_of(id, prefix.n)))
			continue;
		if (hit != NULL)
			return NULL;
		hit = a;
	}
	return hit;
}

static void ask_event(struct inquiry *x)
{
	const struct alert *a = alert_of_prefix(x, asked(x, "id"));
	if (a == NULL || a->event_n == 0) {
		refuse(x, 404, "no alert holds an event, or several begin with", asked(x, "id"));
		return;
	}
	struct reader r = reader_of(slice_of(a->event, a->event_n));
	char id[27];
	ulid_text(&a->id, id);
	jw_kbool(x->w, "ok", true);
	jw_kstr(x->w, "alert", id);
	jw_kstr(x->w, "rule", a->rule_id);
	jw_key(x->w, "event");
	jw_object(x->w);
	while (r.ok && r.at < r.n) {
		struct slice name = read_lslice(&r);
		(void)read_u8(&r); /* its type: the reader of JSON finds it again by the name */
		struct slice value = read_lslice(&r);
		if (DOUBT(!r.ok))
			break;
		jw_keyn(x->w, name);
		jw_slice(x->w, value);
	}
	jw_end(x->w);
}

/* ---- names, pages */

static void ask_find(struct inquiry *x)
{
	struct slice name = asked(x, "name"), port = asked(x, "port");
	enum resolve_step how = RESOLVE_NONE;
	uint32_t s =
	    port.n > 0 ? resolve_event(x->m, SLICE_NONE, name, port, &how) : resolve_host(x->m, name, &how);
	jw_kbool(x->w, "ok", true);
	jw_kslice(x->w, "name", name);
	jw_kslice(x->w, "service", s != SERVICE_NONE ? service_id(x->m, s) : SLICE_NONE);
	jw_kstr(x->w, "how", s != SERVICE_NONE ? resolve_step_word(how) : NULL);
	jw_key(x->w, "found");
	if (s == SERVICE_NONE) {
		jw_null(x->w);
		return;
	}
	jw_object(x->w);
	facts(x, s);
	jw_end(x->w);
}

static void ask_map(struct inquiry *x)
{
	size_t limit = asked_number(x, "limit", PAGE, PAGE_MAX), total = service_map_len(x->m);
	uint32_t s = 0;
	struct slice after = asked(x, "after");
	while (s < total && after.n > 0 && slice_cmp(service_id(x->m, s), after) <= 0)
		s++;
	jw_kbool(x->w, "ok", true);
	jw_kint(x->w, "total", (int64_t)total);
	jw_kstr(x->w, "revision", x->e->map_rev);
	jw_key(x->w, "services");
	jw_array(x->w);
	for (size_t k = 0; s < total && k < limit; k++, s++) {
		jw_object(x->w);
		brief(x, s);
		jw_kslice(x->w, "name", service_text(x->m, s, "name"));
		jw_kslice(x->w, "assign", service_text(x->m, s, "assign"));
		jw_kslice(x->w, "runbook", service_text(x->m, s, "runbook"));
		jw_kbool(x->w, "in_map", !service_unknown(x->m, s));
		needs_of(x, s);
		jw_end(x->w);
	}
	jw_array_end(x->w);
	jw_kslice(x->w, "next", s < total && s > 0 ? service_id(x->m, s - 1) : SLICE_NONE);
}

static const struct {
	const char *name;
	void (*run)(struct inquiry *x);
} inquiries[] = {
    {"service", ask_service}, {"impact", ask_impact}, {"needs", ask_needs},
    {"path", ask_path},       {"find", ask_find},     {"map", ask_map},
    {"event", ask_event},
};

void correlation_inquire(struct engine *e, const struct json *q, struct jw *reply)
{
	struct inquiry x = {e, e->setup.map, q, reply};
	struct slice what = json_text(json_get(q, "do"));
	for (size_t k = 0; k < ARRAY_LEN(inquiries); k++) {
		if (!slice_is(what, inquiries[k].name))
			continue;
		inquiries[k].run(&x);
		return;
	}
	if (slice_is(what, "why-not") || slice_is(what, "suggest"))
		correlation_command(e, q, reply);
	else
		refuse(&x, 400, "no such question:", what);
}
