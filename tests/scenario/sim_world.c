/* Promises a map of a few layers from a seed, with groups, links, ports and pollers, and what a fault does in
 * it. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

uint64_t sim_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t dice_next(struct dice *d)
{
	return sim_mix(d->state++);
}

uint32_t dice_below(struct dice *d, uint32_t n)
{
	return (uint32_t)(dice_next(d) % n);
}

bool dice_percent(struct dice *d, uint32_t percent)
{
	return dice_below(d, 100) < percent;
}

enum { LAYER_SWITCHES, LAYER_HOSTS, LAYER_STORES, LAYER_APPS, LAYER_SHOPS, LAYERS_N };
static const char *const kinds[LAYERS_N][3] = {{"switch", "ups", "network"},
                                               {"host", "vm", "k8s_node"},
                                               {"db", "cache", "queue"},
                                               {"service", "lb", "pod"},
                                               {"service", "service", "service"}};

static bool is_link(const struct world_node *n)
{
	return n->ends[0] != n->ends[1];
}

/* ---- making */

static uint32_t below_layer(const struct world *w, uint32_t layer, struct dice *d)
{
	for (int tries = 0; tries < 20; tries++) {
		uint32_t i = dice_below(d, w->n);
		if (w->v[i].layer < layer && !w->v[i].gone && !is_link(&w->v[i]))
			return i;
	}
	return NODES_MAX;
}

static void add_need(const struct world *w, struct world_node *n, struct dice *d)
{
	struct need need = {.n = 1, .at_least = 1, .soft = dice_percent(d, 20)};
	uint32_t first = below_layer(w, n->layer, d);
	if (first == NODES_MAX || n->n_needs == NEEDS_MAX)
		return;
	need.to[0] = first;
	need.none = w->v[first].hides;
	while (!need.none && need.n < 3 && dice_percent(d, 30)) {
		uint32_t more = below_layer(w, n->layer, d);
		bool twice = more == NODES_MAX || w->v[more].hides;
		for (uint32_t k = 0; k < need.n; k++)
			twice = twice || need.to[k] == more;
		if (twice)
			break;
		need.to[need.n++] = more;
	}
	need.at_least = 1 + dice_below(d, need.n);
	for (uint32_t k = 0; k < n->n_needs; k++) /* each need once */
		for (uint32_t j = 0; j < n->needs[k].n; j++)
			for (uint32_t x = 0; x < need.n; x++)
				if (n->needs[k].to[j] == need.to[x])
					return;
	n->needs[n->n_needs++] = need;
}

static void id_of(const struct world *w, uint32_t i, struct buf *b)
{
	buf_printf(b, "%s%u", w->v[i].tier > 0 ? "shop" : "n", i);
}

static void put_need(const struct world *w, const struct need *n, struct buf *b)
{
	const char *effect = n->none ? "none" : n->soft ? "degraded" : "down";
	buf_str(b, n->n > 1 ? "{any: [" : "{service: ");
	for (uint32_t k = 0; k < n->n; k++) {
		if (k > 0)
			buf_str(b, ", ");
		id_of(w, n->to[k], b);
	}
	if (n->n > 1)
		buf_printf(b, "], at_least: %u", n->at_least);
	buf_printf(b, ", effect: %s}", effect);
}

static void put_node(const struct world *w, uint32_t i, struct buf *b)
{
	const struct world_node *n = &w->v[i];
	buf_str(b, "  ");
	id_of(w, i, b);
	buf_printf(b, ": {kind: %s", is_link(n) ? "link" : kinds[n->layer][i % 3]);
	if (n->tier > 0)
		buf_printf(b, ", tier: %u", n->tier);
	if (is_link(n))
		buf_printf(b, ", ends: [{host: h%u, port: p%u}, {host: h%u, port: p%u}]", n->ends[0], i,
		           n->ends[1], i);
	else
		buf_printf(b, ", hosts: [h%u]", i);
	if (n->port)
		buf_printf(b, ", ports: [{host: h0, port: q%u}]", i);
	if (n->hides)
		buf_str(b, ", hides: true");
	bool any = false;
	for (uint32_t k = 0; k < n->n_needs; k++) {
		bool whole = true;
		for (uint32_t j = 0; j < n->needs[k].n; j++)
			whole = whole && !w->v[n->needs[k].to[j]].gone;
		if (!whole)
			continue;
		buf_str(b, any ? ", " : ", needs: [");
		put_need(w, &n->needs[k], b);
		any = true;
	}
	buf_str(b, any ? "]}\n" : "}\n");
}

static void compile(struct world *w)
{
	struct findings f = {0};
	struct buf b = {0};
	struct error err = {""};
	buf_str(&b, "version: 1\nservices:\n");
	for (uint32_t i = 0; i < w->n; i++)
		if (!w->v[i].gone)
			put_node(w, i, &b);
	struct map_draft *d = map_draft_new();
	struct doc *doc = doc_parse("map.yaml", buf_slice(&b), DOC_LIMITS, &f);
	BUG_ON(doc == NULL);
	map_draft_yaml(d, doc, &f);
	w->bytes = (struct buf){0};
	int rc = map_compile(d, 1000, &f, &w->bytes);
	for (size_t i = 0; rc < 0 && i < f.n; i++)
		fprintf(stderr, "%s\n%s\n", f.v[i].message, buf_cstr(&b));
	w->map = rc < 0 ? NULL : service_map_open(buf_slice(&w->bytes), &err);
	BUG_ON(w->map == NULL);
	findings_clear(&f);
	doc_free(doc);
	map_draft_free(d);
	buf_free(&b);
}

static void make_link(struct world *w, struct dice *d)
{
	uint32_t a = dice_below(d, w->n), b = dice_below(d, w->n), i = w->n;
	if (w->n == NODES_MAX || a == b || w->v[a].layer > LAYER_HOSTS || w->v[b].layer > LAYER_HOSTS ||
	    is_link(&w->v[a]) || is_link(&w->v[b]))
		return;
	w->n++;
	w->v[i].layer = LAYER_SWITCHES;
	w->v[i].ends[0] = MIN(a, b);
	w->v[i].ends[1] = MAX(a, b);
	struct world_node *up = &w->v[MAX(a, b)];
	if (up->n_needs < NEEDS_MAX)
		up->needs[up->n_needs++] = (struct need){.to = {i}, .n = 1, .at_least = 1};
}

void world_make(struct world *w, struct dice *d)
{
	static const uint32_t share[LAYERS_N] = {15, 25, 20, 25, 15};
	memset(w, 0, sizeof *w);
	uint32_t size = 4 + dice_below(d, dice_percent(d, 30) ? 30 : 12);
	for (uint32_t l = 0; l < LAYERS_N; l++)
		for (uint32_t k = 0; k <= size * share[l] / 100 && w->n < NODES_MAX; k++) {
			struct world_node *n = &w->v[w->n++];
			n->layer = l;
			n->tier = l == LAYER_SHOPS ? 1 + dice_below(d, 4) : 0;
			n->hides = l == LAYER_HOSTS && k == 0 && dice_percent(d, 20);
			n->port = l == LAYER_HOSTS && dice_percent(d, 20);
		}
	for (uint32_t k = 0; k < size / 5; k++)
		make_link(w, d);
	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t k = is_link(&w->v[i]) ? 0 : 1 + dice_below(d, 3); k > 0 && w->v[i].layer > 0;
		     k--)
			add_need(w, &w->v[i], d);
	compile(w);
}

void world_change(struct world *to, const struct world *from, struct dice *d)
{
	*to = *from;
	for (uint32_t k = 0; k < 1 + to->n / 6; k++) {
		struct world_node *n = &to->v[dice_below(d, to->n)];
		switch (dice_below(d, 4)) {
		case 0: n->n_needs -= n->n_needs > 0; break;
		case 1:
			if (!is_link(n) && n->layer > 0)
				add_need(to, n, d);
			break;
		case 2:
			if (n->tier > 0 || n->layer == LAYER_APPS)
				n->gone = true;
			break;
		default:
			if (n->tier > 0)
				n->tier = 1 + dice_below(d, 4);
			break;
		}
	}
	compile(to);
}

void world_close(struct world *w)
{
	service_map_close(w->map);
	buf_free(&w->bytes);
}

/* ---- faults */

static uint8_t need_level(const struct need *n, const uint8_t *level)
{
	uint32_t up = 0, well = 0;
	for (uint32_t k = 0; k < n->n; k++) {
		up += level[n->to[k]] < 2;
		well += level[n->to[k]] == 0;
	}
	uint8_t l = up < n->at_least ? 2 : well < n->at_least ? 1 : 0;
	return n->none ? 0 : n->soft && l > 0 ? (uint8_t)(l - 1) : l;
}

void world_blast(const struct world *w, uint32_t root, uint8_t level, uint8_t out[NODES_MAX])
{
	memset(out, 0, NODES_MAX);
	out[root] = level;
	for (bool moved = true; moved;) {
		moved = false;
		for (uint32_t i = 0; i < w->n; i++) {
			uint8_t l = out[i];
			for (uint32_t k = 0; k < w->v[i].n_needs; k++)
				l = MAX(l, need_level(&w->v[i].needs[k], out));
			moved = moved || l != out[i];
			out[i] = l;
		}
	}
}
