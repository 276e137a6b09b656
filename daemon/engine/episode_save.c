/* Promises that episodes come back as they were, with their evidence and their parents. Must not know
 * incidents. */
#include <stdlib.h>

#include "engine/save.h"

static void put_class(struct buf *out, const struct evidence *v)
{
	save_str(out, v->rule_id);
	buf_u8(out, (uint8_t)v->nature);
	buf_u8(out, (uint8_t)v->level);
	buf_u8(out, v->stateless);
	buf_u32(out, v->open);
	save_time(out, v->last);
}

static void put_episode(struct buf *out, const struct episode *ep)
{
	buf_u64(out, ep->serial);
	save_str(out, ep->node->id);
	save_time(out, ep->on);
	save_time(out, ep->off);
	save_time(out, ep->last);
	save_time(out, ep->calm);
	buf_u8(out, (uint8_t)ep->level);
	buf_u8(out, (uint8_t)ep->severity);
	buf_u8(out, (uint8_t)(ep->risk | ep->flapping << 1 | ep->real << 2 | ep->weak << 3 |
	                      ep->in_ring << 4 | ep->lateral << 5 | ep->pinned << 7));
	buf_u64(out, ep->n_classes);
	for (size_t k = 0; k < ep->n_classes; k++)
		put_class(out, &ep->classes[k]);
	buf_u64(out, ep->n_alerts);
	for (size_t k = 0; k < ep->n_alerts; k++)
		buf_u64(out, ep->alerts[k]->serial);
	buf_u32(out, ep->dropped);
	buf_u32(out, ep->open);
	buf_u32(out, ep->closings);
	buf_u64(out, ep->lines);
	buf_u64(out, ep->n_peers);
	for (size_t k = 0; k < ep->n_peers; k++)
		save_str(out, ep->peers[k]);
	buf_u64(out, ep->parent != NULL ? ep->parent->serial : 0);
	save_str(out, ep->reason);
	save_str(out, ep->runner_up);
	save_str(out, ep->held_by);
	save_str(out, ep->held);
	buf_u8(out, (uint8_t)ep->proven);
	buf_u8(out, (uint8_t)ep->inferred);
	save_str(out, ep->inference);
	save_time(out, ep->risen);
	save_time(out, ep->lead);
	buf_u32(out, (uint32_t)ep->cost);
}

static void get_lists(struct engine *e, struct reader *r, struct episode *ep)
{
	size_t n = load_count(r, 10);
	ep->classes = n > 0 ? xcalloc(n, sizeof *ep->classes) : NULL;
	for (; ep->n_classes < n; ep->n_classes++) {
		struct evidence *v = &ep->classes[ep->n_classes];
		v->rule_id = load_str(r);
		v->nature = (enum nature)load_enum(r, NATURE_PRECURSOR + 1);
		v->level = read_u8(r);
		v->stateless = load_bool(r);
		v->open = read_u32(r);
		v->last = load_time(r);
		if (v->rule_id == NULL)
			v->rule_id = xstrdup("");
	}
	n = load_count(r, 8);
	ep->alerts = array_reserve(NULL, &ep->cap_alerts, n, sizeof(struct alert *));
	for (size_t k = 0; k < n; k++) {
		struct alert *a = alert_find(e, read_u64(r));
		if (a == NULL) {
			r->ok = false;
			return;
		}
		a->episode = ep;
		ep->alerts[ep->n_alerts++] = a;
	}
}

static bool get_episode(struct engine *e, struct reader *r, uint64_t *parent)
{
	struct correlation *c = e->correlation;
	struct episode *ep = xcalloc(1, sizeof *ep);
	LIST_INIT(&ep->kids);
	ep->serial = read_u64(r);
	TAILQ_INSERT_TAIL(&c->episodes, ep, all);
	hmap_put(c->episode_by, key_u64(&ep->serial), ep);
	char *id = load_str(r);
	ep->node = node_named(e, slice_str(id != NULL ? id : ""));
	free(id);
	ep->node->episodes++;
	ep->tier = ep->node->service != SERVICE_NONE ? service_tier(e->setup.map, ep->node->service) : 0;
	ep->on = load_time(r);
	ep->off = load_time(r);
	ep->last = load_time(r);
	ep->calm = load_time(r);
	ep->level = read_u8(r);
	ep->severity = (enum severity)load_enum(r, SEVERITY_CRITICAL + 1);
	unsigned bits = read_u8(r);
	ep->risk = bits & 1;
	ep->flapping = bits & 2;
	ep->real = bits & 4;
	ep->weak = bits & 8;
	ep->lateral = bits & 32;
	ep->pinned = bits & 128;
	get_lists(e, r, ep);
	ep->dropped = read_u32(r);
	ep->open = read_u32(r);
	ep->closings = read_u32(r);
	ep->lines = read_u64(r);
	size_t n = load_count(r, 4);
	ep->peers = n > 0 ? xcalloc(n, sizeof(char *)) : NULL;
	for (; ep->n_peers < n; ep->n_peers++) {
		ep->peers[ep->n_peers] = load_str(r);
		if (ep->peers[ep->n_peers] == NULL)
			ep->peers[ep->n_peers] = xstrdup("");
	}
	*parent = read_u64(r);
	ep->reason = load_str(r);
	ep->runner_up = load_str(r);
	ep->held_by = load_str(r);
	ep->held = load_str(r);
	ep->proven = read_u8(r);
	ep->inferred = read_u8(r);
	ep->inference = load_str(r);
	ep->risen = load_time(r);
	ep->lead = load_time(r);
	ep->cost = (int)read_u32(r);
	if (ep->off == INSTANT_NONE && ep->risk)
		ep->node->risk = ep;
	else if (ep->off == INSTANT_NONE)
		ep->node->open = ep;
	if (bits & 16)
		node_recent_add(ep->node, ep);
	return r->ok;
}

bool episodes_load(struct engine *e, struct reader *r)
{
	size_t n = load_count(r, 100);
	uint64_t *parents = xcalloc(n + 1, sizeof *parents);
	bool ok = true;
	for (size_t k = 0; k < n && ok; k++)
		ok = get_episode(e, r, &parents[k]);
	size_t at = 0;
	struct episode *ep;
	TAILQ_FOREACH (ep, &e->correlation->episodes, all) {
		uint64_t serial = ok ? parents[at++] : 0;
		struct episode *parent =
		    serial != 0 ? hmap_get(e->correlation->episode_by, key_u64(&serial)) : NULL;
		ok = ok && (serial == 0 || (parent != NULL && parent != ep));
		if (!ok || parent == NULL)
			continue;
		char *why = ep->reason;
		ep->reason = NULL;
		parent_set(e, ep, parent, why);
	}
	free(parents);
	return ok;
}

void episodes_save(const struct correlation *c, struct buf *out)
{
	const struct episode *ep;
	uint64_t n = 0;
	TAILQ_FOREACH (ep, &c->episodes, all)
		n++;
	buf_u64(out, n);
	TAILQ_FOREACH (ep, &c->episodes, all)
		put_episode(out, ep);
}
