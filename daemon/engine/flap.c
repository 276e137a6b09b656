/* Promises the memory of how often the condition of a key changed (language.md section 6, `flap`): it
 * outlives the alerts of the key, is bounded per rule, and forgets what is older than the rule's time. Must
 * not know alerts. */
#include <stdlib.h>

#include "engine/alert.h"

struct flap {
	struct flap *older, *newer; /* of the rule, by last change */
	instant *v;                 /* changes, oldest first */
	uint32_t n, cap;
	uint32_t rule;
	uint32_t key_n;
	char key[];
};

struct damping {
	uint32_t changes;
	duration within;
};

static struct damping damping_of(const struct engine *e, const struct rule *r)
{
	const struct config *c = e->setup.config;
	int changes = r->flap_changes >= 0 ? r->flap_changes : c->defaults.flap_changes;
	return (struct damping){changes > 0 ? (uint32_t)changes : 0,
	                        r->flap_within >= 0 ? r->flap_within : c->defaults.flap_within};
}

duration flap_settle(const struct engine *e, const struct rule *r)
{
	return r->flap_settle >= 0 ? r->flap_settle : e->setup.config->defaults.flap_settle;
}

/* ---- the table */

static struct slice name_of(const struct engine *e, uint32_t rule, struct slice key)
{
	struct buf b = {0};
	buf_u32(&b, rule);
	buf_adds(&b, key);
	struct slice s = arena_slice(e->scratch, buf_slice(&b));
	buf_free(&b);
	return s;
}

static void flap_unlink(struct rule_state *rs, struct flap *f)
{
	*(f->older != NULL ? &f->older->newer : &rs->flaps.first) = f->newer;
	*(f->newer != NULL ? &f->newer->older : &rs->flaps.last) = f->older;
}

static void flap_link(struct rule_state *rs, struct flap *f)
{
	f->older = rs->flaps.last;
	f->newer = NULL;
	*(rs->flaps.last != NULL ? &rs->flaps.last->newer : &rs->flaps.first) = f;
	rs->flaps.last = f;
}

static void flap_free(struct flap *f)
{
	free(f->v);
	free(f);
}

static void flap_drop(struct engine *e, struct flap *f)
{
	struct rule_state *rs = &e->windows->rules[f->rule];
	flap_unlink(rs, f);
	rs->n_flaps--;
	BUG_ON(hmap_del(e->windows->flaps, name_of(e, f->rule, slice_of(f->key, f->key_n))) != f);
	flap_free(f);
}

static void flap_put(struct engine *e, struct flap *f, uint32_t rule)
{
	struct rule_state *rs = &e->windows->rules[rule];
	f->rule = rule;
	flap_link(rs, f);
	rs->n_flaps++;
	BUG_ON(hmap_put(e->windows->flaps, name_of(e, rule, slice_of(f->key, f->key_n)), f) != NULL);
}

static struct flap *flap_new(struct slice key)
{
	BUG_ON(key.n > UINT32_MAX);
	struct flap *f = xcalloc(1, sizeof *f + key.n + 1);
	f->key_n = (uint32_t)key.n;
	if (key.n > 0)
		memcpy(f->key, key.p, key.n);
	return f;
}

/* ---- changes */

void flaps_sweep(struct engine *e, uint32_t rule, int most)
{
	size_t n;
	struct rule_state *rs = &e->windows->rules[rule];
	if (rs->flaps.first == NULL)
		return;
	struct damping d = damping_of(e, &rule_set_rules(e->setup.rules, &n)[rule]);
	for (; most > 0 && rs->flaps.first != NULL; most--) {
		struct flap *f = rs->flaps.first;
		if (f->v[f->n - 1] > e->now - d.within)
			break;
		const struct window *w = window_find(e->windows, rule, slice_of(f->key, f->key_n));
		if (w == NULL || w->alert == NULL) {
			flap_drop(e, f);
			continue;
		}
		flap_unlink(rs, f); /* the end of its alert may be dated back to when these count */
		flap_link(rs, f);
	}
}

static struct flap *flap_of(struct engine *e, const struct rule *r, struct slice key)
{
	struct rule_state *rs = &e->windows->rules[r->number];
	struct flap *f = hmap_get(e->windows->flaps, name_of(e, r->number, key));
	if (f != NULL) {
		flap_unlink(rs, f);
		flap_link(rs, f);
		return f;
	}
	if (rs->n_flaps >= e->setup.config->limits.keys_per_rule) {
		rs->evicted++;
		e->stats.evicted++;
		flap_drop(e, rs->flaps.first);
	}
	f = flap_new(key);
	flap_put(e, f, r->number);
	return f;
}

/* Keeps the last `most`, and none that is older than the time. */
static void remember(struct flap *f, instant at, const struct damping *d)
{
	uint32_t gone = 0;
	while (gone < f->n && (f->v[gone] <= at - d->within || f->n - gone >= d->changes))
		gone++;
	f->n -= gone;
	if (gone > 0)
		memmove(f->v, f->v + gone, f->n * sizeof *f->v);
	if (f->n == f->cap) {
		f->cap = MIN(MAX(f->cap * 2, 2), d->changes);
		f->cap = MAX(f->cap, f->n + 1);
		f->v = xreallocarray(f->v, f->cap, sizeof *f->v);
	}
	f->v[f->n++] = at;
}

bool flap_change(struct engine *e, const struct rule *r, struct slice key, instant at)
{
	struct damping d = damping_of(e, r);
	if (d.changes == 0)
		return false;
	flaps_sweep(e, r->number, 2);
	struct flap *f = flap_of(e, r, key);
	remember(f, f->n > 0 ? MAX(at, f->v[f->n - 1]) : at, &d);
	return f->n >= d.changes;
}

/* ---- reload, and to bytes and back */

void flaps_carry(struct engine *e, const struct rule *to, struct flap_list from, bool keep)
{
	for (struct flap *f = from.first, *next; f != NULL; f = next) {
		next = f->newer;
		if (keep)
			flap_put(e, f, to->number);
		else
			flap_free(f);
	}
}

void flaps_free(struct windows *ws)
{
	for (size_t i = 0; i < ws->n_rules; i++) {
		for (struct flap *f = ws->rules[i].flaps.first, *next; f != NULL; f = next) {
			next = f->newer;
			flap_free(f);
		}
	}
	hmap_free(ws->flaps);
}

void flaps_save(const struct rule_state *rs, struct buf *out)
{
	buf_u32(out, rs->n_flaps);
	for (const struct flap *f = rs->flaps.first; f != NULL; f = f->newer) {
		buf_lslice(out, slice_of(f->key, f->key_n));
		buf_u32(out, f->n);
		for (uint32_t i = 0; i < f->n; i++)
			buf_u64(out, (uint64_t)f->v[i]);
	}
}

static bool flap_load(struct engine *e, const struct rule *r, struct reader *in)
{
	struct slice key = read_lslice(in);
	uint32_t n = read_u32(in);
	if (!in->ok || key.p == NULL || n == 0 || n > (in->n - in->at) / sizeof(uint64_t))
		return false;
	struct slice times = read_bytes(in, n * sizeof(uint64_t));
	if (r == NULL)
		return true;
	if (hmap_get(e->windows->flaps, name_of(e, r->number, key)) != NULL)
		return false;
	struct reader t = reader_of(times);
	struct flap *f = flap_new(key);
	f->v = xreallocarray(NULL, n, sizeof *f->v);
	for (f->cap = n; f->n < n; f->n++)
		f->v[f->n] = (instant)read_u64(&t);
	flap_put(e, f, r->number);
	return true;
}

bool flaps_load(struct engine *e, const struct rule *r, struct reader *in)
{
	uint32_t n = read_u32(in);
	for (uint32_t i = 0; in->ok && i < n; i++)
		if (!flap_load(e, r, in))
			return false;
	return in->ok;
}
