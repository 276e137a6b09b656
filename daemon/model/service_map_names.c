/* What events are found by: hosts, aliases, short names, patterns, addresses, networks, ports. Errors: a name
 * that two services have. Filled in this order, because a port's host is looked up among the names
 * (map_tables_view). */
#include "model/service_map_graph.h"

#include <stdio.h>
#include <stdlib.h>

enum { OVERLAP_BUDGET = 50000000 };

/* Who has a name already. */
struct owner {
	const struct map_entry *e;
	uint32_t service;
	struct slice item;
	struct mark mark;
	size_t order;
};

struct map_pattern {
	struct slice text;
	struct owner owner;
	uint32_t literals;
};
struct map_net {
	struct map_address net;
	uint32_t bits;
};

struct map_names {
	const struct map_graph *g;
	struct map_tables *t;
	struct arena *arena;
	struct map_index owners; /* kind octet and name → struct owner */
	struct map_index shorts; /* short name → index + 1 in MAP_SHORTS */
	struct map_pattern *patterns;
	size_t n_patterns, cap_patterns;
	struct map_net *nets;
	size_t n_nets, cap_nets;
	struct buf key;
};

static struct slice lower(struct map_names *n, struct slice s)
{
	char *p = arena_str(n->arena, s);
	for (size_t i = 0; i < s.n; i++)
		p[i] = map_lower(p[i]);
	return slice_of(p, s.n);
}

static struct slice owner_key(struct map_names *n, char kind, struct slice name)
{
	buf_clear(&n->key);
	buf_char(&n->key, kind);
	buf_adds(&n->key, name);
	return buf_slice(&n->key);
}

/* The error names both places and stands at the later one. False if somebody has the name. */
static bool claim(struct map_names *n, char kind, struct slice name, enum map_part part, struct owner mine)
{
	static const char *const words[] = {
	    [PART_HOSTS] = "host", [PART_ALIASES] = "alias", [PART_PORTS] = "port"};
	void **cell = map_index_cell(&n->owners, n->arena, owner_key(n, kind, name));
	struct owner *had = *cell;
	if (had == NULL) {
		*cell = had = arena_alloc(n->arena, sizeof *had);
		*had = mine;
		return true;
	}
	if (had->e == mine.e && kind == 'a')
		return false; /* one address in two spellings: the texts tell repeats apart */
	const struct owner *first = had, *again = &mine;
	if (had->order > mine.order) {
		first = &mine;
		again = had;
	}
	struct buf place = {0};
	map_place_text(first->e, part, first->item, first->mark, &place);
	map_finding(n->g->d, n->g->f, FINDING_ERROR, "E002", again->e, part, again->item, again->mark,
	            "duplicate %s '" SLICE_FMT "' in service '%s'; first in service '%s' at %s", words[part],
	            SLICE_ARG(again->item), again->e->id, first->e->id, buf_cstr(&place));
	buf_free(&place);
	return false;
}

static struct owner owner_of(const struct map_names *n, uint32_t s, struct slice item, struct mark mark)
{
	const struct map_vertex *v = &n->g->v[s];
	return (struct owner){v->entry, s, item, mark, v->order};
}

/* ---- hosts */

static void put_name(struct map_names *n, struct slice text, uint32_t s)
{
	struct map_name name = {.text = map_put_text(n->t, text), .service = s};
	map_put(n->t, MAP_NAMES, &name, sizeof name);
}

static void put_address(struct map_names *n, const struct address *a, uint32_t s)
{
	struct map_address row = {*a, s};
	map_put(n->t, MAP_ADDRESSES, &row, sizeof row);
}

static void add_net(struct map_names *n, uint32_t s, struct slice text, struct owner mine)
{
	struct map_net net = {.net.service = s};
	unsigned bits;
	if (!network_parse(text, &net.net.a, &bits)) {
		map_finding(n->g->d, n->g->f, FINDING_ERROR, "E023", mine.e, PART_HOSTS, mine.item, mine.mark,
		            "'" SLICE_FMT "' is not a network; write it like 10.1.0.0/16",
		            SLICE_ARG(mine.item));
		return;
	}
	net.bits = bits;
	char key[sizeof net.net.a + 1];
	memcpy(key, net.net.a.b, sizeof net.net.a);
	key[sizeof net.net.a] = (char)bits;
	if (!claim(n, 'c', slice_of(key, sizeof key), PART_HOSTS, mine))
		return;
	n->nets = array_reserve(n->nets, &n->cap_nets, n->n_nets + 1, sizeof *n->nets);
	n->nets[n->n_nets++] = net;
}

static void add_pattern(struct map_names *n, struct slice text, struct owner mine)
{
	if (!claim(n, 'p', text, PART_HOSTS, mine))
		return;
	struct map_pattern pattern = {.text = text, .owner = mine};
	for (size_t i = 0; i < text.n; i++)
		pattern.literals += text.p[i] != '*';
	n->patterns = array_reserve(n->patterns, &n->cap_patterns, n->n_patterns + 1, sizeof *n->patterns);
	n->patterns[n->n_patterns++] = pattern;
}

static void add_host(struct map_names *n, uint32_t s, struct slice item, struct mark mark)
{
	struct owner mine = owner_of(n, s, item, mark);
	struct address a;
	bool is_address;
	if (item.n == 0 || item.n > MAP_HOST_MAX) {
		map_finding(n->g->d, n->g->f, FINDING_ERROR, "E008", mine.e, PART_HOSTS, item, mark,
		            "a host of '%s' must have between 1 and %d characters", mine.e->id, MAP_HOST_MAX);
		return;
	}
	struct slice text = lower(n, map_host_bare(item, &a, &is_address));
	if (!is_address && memchr(text.p, '/', text.n) != NULL) {
		add_net(n, s, text, mine);
		return;
	}
	if (!is_address && memchr(text.p, '*', text.n) != NULL) {
		add_pattern(n, text, mine);
		return;
	}
	if (!claim(n, 'n', text, PART_HOSTS, mine))
		return;
	put_name(n, text, s);
	if (is_address && claim(n, 'a', slice_of(a.b, sizeof a.b), PART_HOSTS, mine))
		put_address(n, &a, s);
}

struct item {
	struct slice text;
	struct mark mark;
};

static int item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return slice_cmp(x->text, y->text);
}

/* Redis has no order, so none may be kept. */
static struct item *sorted_items(char *const *texts, const struct mark *marks, size_t n)
{
	struct item *v = xcalloc(n + 1, sizeof *v);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct item){slice_str(texts[i]), marks != NULL ? marks[i] : (struct mark){0}};
	if (n > 1)
		qsort(v, n, sizeof *v, item_order);
	return v;
}

static void add_hosts(struct map_names *n, uint32_t s)
{
	const struct map_entry *e = n->g->v[s].entry;
	struct item *v = sorted_items(e->hosts, e->host_marks, e->n_hosts);
	for (size_t i = 0; i < e->n_hosts; i++)
		add_host(n, s, v[i].text, v[i].mark);
	free(v);
}

static void add_aliases(struct map_names *n, uint32_t s)
{
	const struct map_entry *e = n->g->v[s].entry;
	struct item *v = sorted_items(e->aliases, e->alias_marks, e->n_aliases);
	for (size_t i = 0; i < e->n_aliases; i++) {
		if (v[i].text.n == 0 ||
		    !claim(n, 'l', lower(n, v[i].text), PART_ALIASES, owner_of(n, s, v[i].text, v[i].mark)))
			continue;
		struct map_name alias = {.text = map_put_text(n->t, v[i].text), .service = s};
		map_put(n->t, MAP_ALIASES, &alias, sizeof alias);
	}
	free(v);
}

/* ---- /etc/hosts: what the map itself says comes first */

static uint32_t named_service(struct map_names *n, struct slice name)
{
	const struct owner *o = map_index_get(&n->owners, owner_key(n, 'n', name));
	if (o == NULL)
		o = map_index_get(&n->owners, owner_key(n, 'l', name));
	uint32_t s = o != NULL ? o->service : map_graph_find(n->g, name);
	return s != SERVICE_NONE && n->g->v[s].entry != NULL ? s : SERVICE_NONE;
}

static void add_pairs(struct map_names *n)
{
	const struct map_draft *d = n->g->d;
	for (size_t i = 0; i < d->n_pairs; i++) {
		uint32_t s = named_service(n, lower(n, d->pairs[i].name));
		struct slice address = slice_of(d->pairs[i].address.b, sizeof(struct address));
		if (s == SERVICE_NONE || map_index_get(&n->owners, owner_key(n, 'a', address)) != NULL)
			continue;
		claim(n, 'a', address, PART_HOSTS, owner_of(n, s, d->pairs[i].name, (struct mark){0}));
		put_address(n, &d->pairs[i].address, s);
	}
	for (size_t i = 0; i < d->n_pairs; i++) {
		struct slice name = lower(n, d->pairs[i].name);
		struct slice address = slice_of(d->pairs[i].address.b, sizeof(struct address));
		const struct owner *o = map_index_get(&n->owners, owner_key(n, 'a', address));
		if (o == NULL || name.n > MAP_HOST_MAX || named_service(n, name) != SERVICE_NONE)
			continue;
		claim(n, 'n', name, PART_HOSTS, owner_of(n, o->service, name, (struct mark){0}));
		put_name(n, name, o->service);
	}
}

/* ---- short names: whose is the first label, or is it shared */

static void add_short(struct map_names *n, struct slice name, uint32_t s)
{
	void **cell = map_index_cell(&n->shorts, n->arena, name);
	size_t had = (size_t)*cell;
	if (had == 0) {
		struct map_name row = {.text = map_put_text(n->t, name), .service = s};
		map_put(n->t, MAP_SHORTS, &row, sizeof row);
		*cell = (void *)(size_t)n->t->n[MAP_SHORTS];
		return;
	}
	BUG_ON(had > n->t->n[MAP_SHORTS]);
	struct map_name *row = (struct map_name *)(void *)n->t->b[MAP_SHORTS].p + (had - 1);
	if (row->service != s)
		row->service = SERVICE_NONE;
}

static void add_shorts(struct map_names *n)
{
	struct address a;
	for (uint32_t i = 0; i < n->t->n[MAP_NAMES]; i++) {
		const struct map_name *name = (const struct map_name *)(const void *)n->t->b[MAP_NAMES].p + i;
		/* a copy: the strings may move while one is added */
		struct slice text =
		    arena_slice(n->arena, slice_of(n->t->b[MAP_STRINGS].p + name->text.off, name->text.n));
		if (address_parse(text, &a))
			continue;
		struct slice first = map_host_short(text);
		add_short(n, first.p != NULL ? first : text, name->service);
	}
	/* an id is a host name too, but only as it stands: "shop.api" is no host "shop" */
	for (uint32_t s = 0; s < n->g->n; s++) {
		if (n->g->v[s].entry != NULL && memchr(n->g->v[s].id.p, '.', n->g->v[s].id.n) == NULL)
			add_short(n, n->g->v[s].id, s);
	}
}

/* ---- patterns */

static int pattern_text_order(const void *a, const void *b)
{
	const struct map_pattern *x = a, *y = b;
	if (x->literals != y->literals)
		return x->literals > y->literals ? -1 : 1;
	return slice_cmp(x->text, y->text);
}

/* Is there a text that both fit? Walks both at once: row[j] says whether a[0..i) and b[0..j) can have the
 * same text. */
static bool globs_meet(struct slice a, struct slice b)
{
	bool *row = xcalloc(2 * (b.n + 1), sizeof *row), *last = row, *now = row + b.n + 1;
	for (size_t i = 0; i <= a.n; i++) {
		for (size_t j = 0; j <= b.n; j++) {
			bool star_a = i > 0 && a.p[i - 1] == '*', star_b = j > 0 && b.p[j - 1] == '*';
			bool meet = i == 0 && j == 0;
			if (star_a)
				meet = meet || last[j] || (j > 0 && now[j - 1]);
			if (star_b)
				meet = meet || (j > 0 && now[j - 1]) || (i > 0 && last[j]);
			if (i > 0 && j > 0 && !star_a && !star_b && a.p[i - 1] == b.p[j - 1])
				meet = meet || last[j - 1];
			now[j] = meet;
		}
		bool *swap = last;
		last = now;
		now = swap;
	}
	bool meet = last[b.n];
	free(row);
	return meet;
}

/* Literal beginnings and ends decide nearly every pair. */
static bool ends_agree(struct slice a, struct slice b)
{
	for (size_t i = 0; i < MIN(a.n, b.n) && a.p[i] != '*' && b.p[i] != '*'; i++) {
		if (a.p[i] != b.p[i])
			return false;
	}
	for (size_t i = 1; i <= MIN(a.n, b.n) && a.p[a.n - i] != '*' && b.p[b.n - i] != '*'; i++) {
		if (a.p[a.n - i] != b.p[b.n - i])
			return false;
	}
	return true;
}

/* The list is sorted by text inside one length: behind a pattern come first those that begin as it does. */
static bool may_follow(struct slice a, struct slice b)
{
	const char *star = memchr(a.p, '*', a.n);
	size_t literal = (size_t)(star - a.p);
	for (size_t i = 0; i < literal && i < b.n; i++) {
		if (b.p[i] == '*')
			return true;
		if (a.p[i] != b.p[i])
			return false;
	}
	return true;
}

static void report_overlap(const struct map_names *n, const struct map_pattern *a,
                           const struct map_pattern *b)
{
	const struct map_pattern *later = a->owner.order > b->owner.order ? a : b,
	                         *other = later == a ? b : a;
	const struct owner *o = &later->owner;
	map_finding(n->g->d, n->g->f, FINDING_WARNING, "", o->e, PART_HOSTS, o->item, o->mark,
	            "patterns '" SLICE_FMT "' of '%s' and '" SLICE_FMT
	            "' of '%s' are equally long and can fit one host; '" SLICE_FMT "' is taken then",
	            SLICE_ARG(other->text), other->owner.e->id, SLICE_ARG(later->text), o->e->id,
	            SLICE_ARG(a->text));
}

/* '*' sorts before every letter, so a pattern with a shorter beginning stands before those it may meet. The budget keeps
 * a map of very many patterns from taking seconds here; what lies behind it gets no warning. */
static void check_overlaps(const struct map_names *n)
{
	size_t budget = OVERLAP_BUDGET;
	for (size_t i = 0; i < n->n_patterns; i++) {
		const struct map_pattern *a = &n->patterns[i];
		for (size_t j = i + 1; j < n->n_patterns && n->patterns[j].literals == a->literals; j++) {
			const struct map_pattern *b = &n->patterns[j];
			if (!may_follow(a->text, b->text))
				break;
			if (budget == 0)
				return;
			budget--;
			if (a->owner.service == b->owner.service || !ends_agree(a->text, b->text))
				continue;
			budget -= MIN(budget, a->text.n * b->text.n);
			if (globs_meet(a->text, b->text))
				report_overlap(n, a, b);
		}
	}
}

static void put_patterns(struct map_names *n)
{
	if (n->n_patterns > 1)
		qsort(n->patterns, n->n_patterns, sizeof *n->patterns, pattern_text_order);
	check_overlaps(n);
	for (size_t i = 0; i < n->n_patterns; i++) {
		const struct map_pattern *p = &n->patterns[i];
		struct map_name row = {map_put_text(n->t, p->text), p->owner.service, p->literals};
		map_put(n->t, MAP_PATTERNS, &row, sizeof row);
	}
}

/* ---- networks */

static int net_order(const void *a, const void *b)
{
	const struct map_net *x = a, *y = b;
	if (x->bits != y->bits)
		return x->bits > y->bits ? -1 : 1;
	return memcmp(&x->net.a, &y->net.a, sizeof x->net.a);
}

static void put_nets(struct map_names *n)
{
	if (n->n_nets > 1)
		qsort(n->nets, n->n_nets, sizeof *n->nets, net_order);
	for (size_t i = 0, end; i < n->n_nets; i = end) {
		for (end = i; end < n->n_nets && n->nets[end].bits == n->nets[i].bits; end++)
			map_put(n->t, MAP_NETS, &n->nets[end].net, sizeof n->nets[end].net);
		struct map_net_length length = {n->nets[i].bits, (uint32_t)i, (uint32_t)(end - i)};
		map_put(n->t, MAP_NET_LENGTHS, &length, sizeof length);
	}
}

/* ---- ports and links */

static int port_order(const void *a, const void *b)
{
	const struct map_port *x = a, *y = b;
	int cmp = strcmp(x->host, y->host);
	return cmp != 0 ? cmp : strcmp(x->port, y->port);
}

/* By the device that the host is a name of; a second component there with this port name makes it unclear
 * whose it is. */
static void add_device_port(struct map_names *n, uint32_t device, struct slice port, uint32_t s)
{
	char number[16];
	int digits = snprintf(number, sizeof number, "%u ", device);
	buf_clear(&n->key);
	buf_char(&n->key, 'd');
	buf_add(&n->key, number, (size_t)digits);
	buf_adds(&n->key, port);
	void **cell = map_index_cell(&n->owners, n->arena, buf_slice(&n->key));
	size_t had = (size_t)*cell;
	if (had == 0) {
		struct map_port_row row = {
		    .port = map_share_text(n->t, port), .device = device, .service = s};
		map_put(n->t, MAP_PORTS, &row, sizeof row);
		*cell = (void *)(size_t)n->t->n[MAP_PORTS];
		return;
	}
	struct map_port_row *row = (struct map_port_row *)(void *)n->t->b[MAP_PORTS].p + (had - 1);
	if (row->service != s)
		row->service = SERVICE_NONE;
}

/* Returns the device that owns the host, SERVICE_NONE if the map does not know it. */
static uint32_t add_port(struct map_names *n, const struct service_map *view, uint32_t s,
                         const struct map_port *port)
{
	struct address a;
	bool is_address;
	struct slice host = slice_str(port->host), text = slice_str(port->port);
	struct buf item = {0};
	buf_printf(&item, "%s %s", port->host, port->port);
	struct owner mine = owner_of(n, s, arena_slice(n->arena, buf_slice(&item)), port->mark);
	buf_free(&item);
	if (host.n == 0 || host.n > MAP_HOST_MAX || text.n == 0) {
		map_finding(n->g->d, n->g->f, FINDING_ERROR, "E008", mine.e, PART_PORTS, mine.item, mine.mark,
		            "a port of '%s' needs a host and a port", mine.e->id);
		return SERVICE_NONE;
	}
	host = lower(n, map_host_bare(host, &a, &is_address));
	struct buf key = {0};
	buf_adds(&key, host);
	buf_char(&key, '\0');
	buf_adds(&key, text);
	bool fresh = claim(n, 't', buf_slice(&key), PART_PORTS, mine);
	buf_free(&key);
	enum resolve_step how;
	uint32_t device = resolve_host(view, host, &how);
	if (!fresh)
		return device;
	struct map_port_row row = {map_share_text(n->t, host), map_share_text(n->t, text), SERVICE_NONE, s};
	map_put(n->t, MAP_PORTS, &row, sizeof row);
	if (device != SERVICE_NONE && how != RESOLVE_PATTERN && how != RESOLVE_CIDR)
		add_device_port(n, device, text, s);
	return device;
}

static void add_ports(struct map_names *n, const struct service_map *view, uint32_t s)
{
	const struct map_entry *e = n->g->v[s].entry;
	size_t total = e->n_ends + e->n_ports;
	/* two ports of a link are its ends, however they were written (map.md section 2) */
	bool as_ends = e->n_ends == 0 && e->n_ports == 2 && e->kind != NULL && strcmp(e->kind, "link") == 0;
	struct map_port *v = xcalloc(total + 1, sizeof *v);
	if (e->n_ends > 0)
		memcpy(v, e->ends, e->n_ends * sizeof *v);
	if (e->n_ports > 0)
		memcpy(v + e->n_ends, e->ports, e->n_ports * sizeof *v);
	size_t n_ends = as_ends ? 2 : e->n_ends;
	if (n_ends > 1)
		qsort(v, n_ends, sizeof *v, port_order);
	if (total > n_ends + 1)
		qsort(v + n_ends, total - n_ends, sizeof *v, port_order);
	for (size_t i = 0; i < total; i++) {
		uint32_t device = add_port(n, view, s, &v[i]);
		struct map_service *service = (struct map_service *)(void *)n->t->b[MAP_SERVICES].p + s;
		if (i >= n_ends || i >= 2)
			continue;
		service->ends[i] = device == s ? SERVICE_NONE : device;
		service->flags |= MAP_HAS_ENDS;
	}
	free(v);
}

/* ---- all of it */

static uint32_t text_hash(const struct map_tables *t, struct map_str s)
{
	return map_hash_end(map_hash(MAP_HASH_START, slice_of(t->b[MAP_STRINGS].p + s.off, s.n)));
}

static uint32_t id_hash(const struct map_tables *t, uint32_t i)
{
	return text_hash(t, ((const struct map_service *)(const void *)t->b[MAP_SERVICES].p)[i].id);
}

static uint32_t alias_hash(const struct map_tables *t, uint32_t i)
{
	return text_hash(t, ((const struct map_name *)(const void *)t->b[MAP_ALIASES].p)[i].text);
}

static uint32_t name_hash(const struct map_tables *t, uint32_t i)
{
	return text_hash(t, ((const struct map_name *)(const void *)t->b[MAP_NAMES].p)[i].text);
}

static uint32_t short_hash(const struct map_tables *t, uint32_t i)
{
	return text_hash(t, ((const struct map_name *)(const void *)t->b[MAP_SHORTS].p)[i].text);
}

static uint32_t address_hash(const struct map_tables *t, uint32_t i)
{
	const struct map_address *v = (const struct map_address *)(const void *)t->b[MAP_ADDRESSES].p;
	return map_hash_end(map_hash(MAP_HASH_START, slice_of(v[i].a.b, sizeof v[i].a.b)));
}

static uint32_t port_hash(const struct map_tables *t, uint32_t i)
{
	const struct map_port_row *row = (const struct map_port_row *)(const void *)t->b[MAP_PORTS].p + i;
	const char *strings = t->b[MAP_STRINGS].p;
	return map_port_hash(slice_of(strings + row->host.off, row->host.n), row->device,
	                     slice_of(strings + row->port.off, row->port.n));
}

static void put_lookups(struct map_tables *t)
{
	map_put_slots(t, MAP_ID_SLOTS, MAP_SERVICES, id_hash);
	map_put_slots(t, MAP_ALIAS_SLOTS, MAP_ALIASES, alias_hash);
	map_put_slots(t, MAP_NAME_SLOTS, MAP_NAMES, name_hash);
	map_put_slots(t, MAP_SHORT_SLOTS, MAP_SHORTS, short_hash);
	map_put_slots(t, MAP_ADDRESS_SLOTS, MAP_ADDRESSES, address_hash);
}

static void put_ports(struct map_names *n)
{
	/* strings move while ports are added, so the view looks at a copy of them */
	struct buf strings = {0};
	struct service_map view;
	map_tables_view(n->t, &view);
	buf_adds(&strings, buf_slice(&n->t->b[MAP_STRINGS]));
	view.at[MAP_STRINGS] = strings.p;
	for (uint32_t s = 0; s < n->g->n; s++) {
		if (n->g->v[s].entry != NULL)
			add_ports(n, &view, s);
	}
	map_put_slots(n->t, MAP_PORT_SLOTS, MAP_PORTS, port_hash);
	buf_free(&strings);
}

void map_names_fill(const struct map_graph *g, struct map_tables *t)
{
	struct map_names n = {.g = g, .t = t, .arena = arena_new(0)};
	uint32_t zero = 0;
	map_put(t, MAP_ALIASES_AT, &zero, sizeof zero);
	for (uint32_t s = 0; s < g->n; s++) {
		if (g->v[s].entry != NULL) {
			add_hosts(&n, s);
			add_aliases(&n, s);
		}
		map_put(t, MAP_ALIASES_AT, &t->n[MAP_ALIASES], sizeof(uint32_t));
	}
	add_pairs(&n);
	add_shorts(&n);
	put_patterns(&n);
	put_nets(&n);
	put_lookups(t);
	put_ports(&n);
	map_index_free(&n.owners);
	map_index_free(&n.shorts);
	arena_free(n.arena);
	free(n.patterns);
	free(n.nets);
	buf_free(&n.key);
}
