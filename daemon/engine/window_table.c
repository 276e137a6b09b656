/* Promises the live keys: found by (rule, key) through a hash that no sender can steer, one small record
 * each, and the times of their last events in a ring that grows only as far as its rule asks. The order of
 * buckets is never seen. */
#include "engine/alert.h"

#include <stdlib.h>

enum { FEW = 2 };

/* ---- the table */

static size_t bucket_of(const struct windows *ws, uint32_t rule, uint32_t hash)
{
	return (hash + rule * UINT32_C(0x9e3779b1)) & (ws->n_buckets - 1);
}

struct window *window_find(const struct windows *ws, uint32_t rule, struct slice key)
{
	uint32_t hash = (uint32_t)hash_bytes(key);
	struct window *w = ws->buckets[bucket_of(ws, rule, hash)];
	while (w != NULL &&
	       (w->hash != hash || w->rule != rule || !slice_eq(slice_of(w->key, w->key_n), key)))
		w = w->chain;
	return w;
}

static void insert(struct windows *ws, struct window *w)
{
	struct window **at = &ws->buckets[bucket_of(ws, w->rule, w->hash)];
	w->chain = *at;
	*at = w;
}

static void resize(struct windows *ws, size_t n)
{
	struct window **was = ws->buckets;
	size_t n_was = ws->n_buckets;
	ws->buckets = xcalloc(n, sizeof(struct window *));
	ws->n_buckets = n;
	for (size_t i = 0; i < n_was; i++) {
		for (struct window *w = was[i], *next; w != NULL; w = next) {
			next = w->chain;
			insert(ws, w);
		}
	}
	free(was);
}

void window_renumber(struct windows *ws, struct window *w, uint32_t rule)
{
	w->rule = rule;
	if (rule != RULE_NONE)
		ws->rules[rule].n_windows++;
}

void windows_rehash(struct windows *ws)
{
	resize(ws, ws->n_buckets);
}

void window_idle_link(struct rule_state *rs, struct window *w)
{
	w->older = rs->idle.last;
	w->newer = NULL;
	*(rs->idle.last != NULL ? &rs->idle.last->newer : &rs->idle.first) = w;
	rs->idle.last = w;
}

static void idle_unlink(struct rule_state *rs, struct window *w)
{
	*(w->older != NULL ? &w->older->newer : &rs->idle.first) = w->newer;
	*(w->newer != NULL ? &w->newer->older : &rs->idle.last) = w->older;
	w->older = w->newer = NULL;
}

static void take_form(struct windows *ws, struct window *w, struct form *form)
{
	w->formed = 1;
	w->form = form;
	w->ring = NULL;
	w->cap = w->n = w->head = 0;
	if (form->serial != 0)
		hmap_put(ws->timed, key_u64(&form->serial), w);
}

static void leave_form(struct windows *ws, struct window *w)
{
	if (w->form->serial != 0)
		hmap_del(ws->timed, key_u64(&w->form->serial));
	form_free(w->form);
	free(w->ring);
	w->formed = 0;
	w->ring = w->few;
	w->cap = FEW;
	w->n = w->head = 0;
	if (w->formed)
		form_clear(w->form);
}

struct window *window_add(struct windows *ws, uint32_t rule, struct slice key, struct form *form)
{
	BUG_ON(rule >= ws->n_rules || key.n > INT32_MAX);
	if (ws->len >= 2 * ws->n_buckets) /* two to a bucket: a third look costs less than the octets */
		resize(ws, ws->n_buckets * 2);
	struct window *w = xcalloc(1, sizeof *w + key.n); /* its text is not terminated */
	w->ring = w->few;
	w->cap = FEW;
	w->rule = rule;
	w->hash = (uint32_t)hash_bytes(key);
	w->key_n = (uint32_t)key.n & INT32_MAX;
	if (key.n > 0)
		memcpy(w->key, key.p, key.n);
	if (form != NULL)
		take_form(ws, w, form);
	insert(ws, w);
	ws->len++;
	ws->rules[rule].n_windows++;
	window_idle_link(&ws->rules[rule], w);
	return w;
}

void window_reform(struct windows *ws, struct window *w, const struct rule *r)
{
	window_empty(w);
	if (w->formed)
		leave_form(ws, w);
	struct form *form = form_new(r);
	if (form != NULL)
		take_form(ws, w, form);
}

void window_timer(struct engine *e, struct window *w, instant at)
{
	struct form *f = w->form;
	BUG_ON(!w->formed);
	if (f->timer != INSTANT_NONE && f->timer <= at)
		return; /* that one comes first and looks again */
	if (f->serial == 0) {
		f->serial = engine_serial(e);
		hmap_put(e->windows->timed, key_u64(&f->serial), w);
	}
	f->timer = at;
	engine_timer(e, at, TIMER_WINDOW, f->serial);
}

void window_destroy(struct window *w)
{
	if (w->formed)
		form_free(w->form);
	if (w->formed || w->ring != w->few)
		free(w->ring);
	free(w);
}

/* Not (any more) in an idle list. */
static void remove_busy(struct windows *ws, struct window *w)
{
	struct window **at = &ws->buckets[bucket_of(ws, w->rule, w->hash)];
	while (*at != NULL && *at != w)
		at = &(*at)->chain;
	BUG_ON(*at == NULL);
	*at = w->chain;
	ws->len--;
	if (w->rule != RULE_NONE)
		ws->rules[w->rule].n_windows--;
	if (w->formed && w->form->serial != 0)
		hmap_del(ws->timed, key_u64(&w->form->serial));
	window_destroy(w);
}

void window_free(struct windows *ws, struct window *w)
{
	BUG_ON(w->alert != NULL);
	idle_unlink(&ws->rules[w->rule], w);
	remove_busy(ws, w);
}

void windows_take(struct windows *ws, struct window *w)
{
	idle_unlink(&ws->rules[w->rule], w);
}

void window_idle(struct windows *ws, struct window *w)
{
	BUG_ON(w->alert != NULL);
	if (w->n == 0 && (!w->formed || form_empty(w->form))) {
		remove_busy(ws, w);
		return;
	}
	BUG_ON(w->rule == RULE_NONE);
	window_idle_link(&ws->rules[w->rule], w);
}

/* ---- times of one key */

static void ring_grow(struct window *w, uint32_t keep)
{
	uint32_t cap = MIN(MAX(w->cap * 2, FEW), keep);
	instant *v = xreallocarray(NULL, cap, sizeof *v);
	for (uint32_t i = 0; i < w->n; i++)
		v[i] = w->ring[(w->head + i) % w->cap];
	if (w->formed || w->ring != w->few)
		free(w->ring);
	w->ring = v;
	w->cap = cap;
	w->head = 0;
}

void window_push(struct window *w, instant at, uint32_t keep)
{
	BUG_ON(keep == 0);
	for (; w->n >= keep; w->n--)
		w->head = (w->head + 1) % w->cap;
	if (w->n == w->cap)
		ring_grow(w, keep);
	w->ring[(w->head + w->n++) % w->cap] = at;
}

instant window_nth(const struct window *w, uint32_t n)
{
	return n == 0 || n > w->n ? INSTANT_NONE : w->ring[(w->head + (w->n - n)) % w->cap];
}

void window_forget(struct window *w, instant before)
{
	while (w->n > 0 && window_nth(w, w->n) < before) {
		w->head = (w->head + 1) % w->cap;
		w->n--;
	}
}

void window_empty(struct window *w)
{
	w->n = w->head = 0;
	if (w->formed)
		form_clear(w->form);
}
