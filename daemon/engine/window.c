/* Promises which keys of which rule are live, that their number is bounded and every eviction counted, and
 * when the condition of a key is true (language.md sections 6, 7a and 17.1). What an alert does with that is
 * alert.c's affair. The order of buckets is never seen: lists are walked instead. */
#include "engine/alert.h"

#include <stdlib.h>

enum {
	FIRST_BUCKETS = 64,
	SWEEP = 4,     /* dead keys dropped per event and rule: more than can be added */
	DEPTH_MAX = 64 /* alerts on alerts; the loader allows no cycle, so this is only a guard */
};

/* ---- room */

static bool is_dead(const struct engine *e, const struct rule *r, const struct window *w)
{
	if (w->formed)
		return form_dead(w->form, r, e->now);
	return w->n == 0 || window_nth(w, 1) <= e->now - r->within;
}

static void sweep_rule(struct engine *e, uint32_t number)
{
	struct windows *ws = e->windows;
	struct rule_state *rs = &ws->rules[number];
	size_t n;
	const struct rule *r = &rule_set_rules(e->setup.rules, &n)[number];
	for (int i = 0; i < SWEEP && rs->idle.first != NULL; i++) {
		struct window *w = rs->idle.first;
		if (!is_dead(e, r, w))
			break;
		window_free(ws, w);
	}
	flaps_sweep(e, number, 1);
}

/* Keys whose times are over cost memory only: each event drops a few of its rule, and of the next one in
 * turn. */
static void sweep(struct engine *e, uint32_t number)
{
	struct windows *ws = e->windows;
	sweep_rule(e, number);
	ws->cursor = (ws->cursor + 1) % ws->n_rules;
	sweep_rule(e, (uint32_t)ws->cursor);
}

static void make_room(struct engine *e, uint32_t number)
{
	struct rule_state *rs = &e->windows->rules[number];
	if (rs->n_windows < e->setup.config->limits.keys_per_rule)
		return;
	e->stats.evicted++;
	rs->evicted++;
	if (rs->idle.first != NULL)
		window_free(e->windows, rs->idle.first);
	else if (rs->live.first != NULL)
		alert_close(e, rs->live.first, "evicted: limits.keys_per_rule is reached");
}

/* ---- one event */

struct window *window_touch(struct engine *e, const struct rule *r, struct window *w, struct slice key)
{
	struct windows *ws = e->windows;
	if (w == NULL) {
		make_room(e, r->number);
		return window_add(ws, r->number, key, form_new(r));
	}
	if (w->alert == NULL) {
		windows_take(ws, w); /* to the end of the idle list: it is the youngest now */
		window_idle_link(&ws->rules[r->number], w);
	}
	return w;
}

/* Events as such, or so many of them. */
static void count_event(struct engine *e, const struct rule *r, struct window *w, struct slice key,
                        const struct occasion *o)
{
	w = window_touch(e, r, w, key);
	uint32_t keep = MAX(r->at_least, r->clear_fewer_than);
	if (keep > 0)
		window_push(w, e->now, keep);
	instant first = r->at_least > 0 ? window_nth(w, r->at_least) : e->now;
	bool holds = first != INSTANT_NONE && (r->at_least == 0 || first > e->now - r->within);
	if (w->alert != NULL)
		alert_repeat(e, r, w->alert, o, holds ? first : INSTANT_NONE);
	else if (holds)
		alert_begin(e, r, w, o, first, MAX(r->at_least, 1));
}

static struct slice field_text(const struct fields *f, const struct field_ref *ref)
{
	return value_slice(ref->core != FIELD_NONE ? fields_get(f, ref->core)
	                                           : fields_get_name(f, ref->name));
}

/* An event without the value is none of the window's. */
static void value_event(struct engine *e, const struct rule *r, struct window *w, struct slice key,
                        const struct occasion *o)
{
	struct slice text = r->when.of != OF_COUNT ? field_text(o->f, &r->when.field) : SLICE_NONE;
	double number, value;
	if (r->when.of != OF_COUNT &&
	    (text.n == 0 || (r->when.of > OF_DISTINCT && !slice_num(text, &number))))
		return;
	w = window_touch(e, r, w, key);
	if (!value_add(w->form, r, e->now, text, rule_offset(e, r, e->now)))
		return;
	if (r->clear_fewer_than > 0)
		window_push(w, e->now, r->clear_fewer_than);
	bool verdict = value_verdict(w->form, &value), holds = verdict && value >= r->when.at_least;
	struct occasion own = *o;
	own.value = verdict ? &value : NULL;
	if (w->alert != NULL)
		alert_repeat(e, r, w->alert, &own, holds ? value_first(w->form) : INSTANT_NONE);
	else if (holds)
		alert_begin(e, r, w, &own, value_first(w->form), value_count(w->form));
}

/* Outside of its times a rule counts nothing (17.6). */
static void problem(struct engine *e, const struct rule *r, struct window *w, struct slice key,
                    const struct occasion *o)
{
	if (!rule_counts_now(e, r))
		return;
	switch (r->when.form) {
	case WHEN_EVENT:
	case WHEN_COUNT: count_event(e, r, w, key, o); return;
	case WHEN_VALUE: value_event(e, r, w, key, o); return;
	case WHEN_FEWER: watch_event(e, r, w, key, o); return;
	case WHEN_STEPS: (void)DOUBT(true); return; /* they have no `match` */
	}
}

/* A clear of a key without an alert empties its window. */
static void clear_idle(struct engine *e, const struct rule *r, struct window *w)
{
	if (r->when.form == WHEN_FEWER)
		watch_cleared(e, r, w);
	else
		window_free(e->windows, w);
}

static void judge(struct engine *e, const struct rule *r, bool clears, const struct occasion *o)
{
	if (r->mode == MODE_OFF || (o->trial && r->mode != MODE_TRIAL))
		return;
	if (!clears && !r->match_mentions_state) {
		if (o->state == STATE_INFO)
			return;
		clears = o->state == STATE_CLEAR;
	}
	e->windows->rules[r->number].hits++;
	struct slice key;
	alert_by_values(e, r, o->f, &key);
	struct window *w = window_find(e->windows, r->number, key);
	if (!clears)
		observe_fits(e, r, key);
	if (!clears)
		problem(e, r, w, key, o);
	else if (w != NULL && w->alert != NULL)
		alert_clear(e, w->alert, "cleared by an event");
	else if (w != NULL)
		clear_idle(e, r, w);
	sweep(e, r->number);
}

/* `hits` begins with steps of one rule; returns how many. What fits `clear.match` clears (17.5). */
static size_t judge_steps(struct engine *e, const struct predicate *predicates, const uint32_t *hits,
                          size_t n, bool clears, const struct occasion *o)
{
	const struct predicate *first = &predicates[hits[0]];
	size_t n_rules, count = 0;
	const struct rule *r = &rule_set_rules(e->setup.rules, &n_rules)[first->rule];
	while (count < n && predicates[hits[count]].role == PREDICATE_STEP &&
	       predicates[hits[count]].rule == first->rule)
		count++;
	if (clears || r->mode == MODE_OFF || (o->trial && r->mode != MODE_TRIAL))
		return count;
	e->windows->rules[r->number].hits++;
	steps_event(e, r, hits, count, o);
	sweep(e, r->number);
	return count;
}

static bool has(const uint32_t *hits, size_t n, uint32_t number)
{
	size_t low = 0;
	while (n > 0) {
		size_t half = n / 2;
		if (hits[low + half] < number) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return number != PREDICATE_NONE && hits[low] == number;
}

static bool is_hit(const uint32_t *hits, size_t n, uint32_t number)
{
	return n > 0 && number <= hits[n - 1] && has(hits, n, number);
}

/* A rule hears of alerts only where its condition asks for them (`type`, `alert.*`), and never of its own:
 * else one with `by: [check]` and `match: {check: x}` would count and reopen itself. */
static bool sees(const struct engine *e, const struct predicate *p, const struct occasion *o)
{
	const struct rule_state *rs = &e->windows->rules[p->rule];
	if (!o->alert)
		return true;
	if (p->role == PREDICATE_STEP)
		return p->rule != o->alert_rule && p->sees_alerts;
	return p->rule != o->alert_rule && (p->role == PREDICATE_CLEAR ? rs->clear_alerts : rs->match_alerts);
}

/* The event fits the rule's `clear.match`, and that hears of it. */
static bool clears_too(const struct engine *e, const struct rule *r, const uint32_t *hits, size_t n,
                       const struct occasion *o)
{
	return is_hit(hits, n, r->clear_match) && (!o->alert || e->windows->rules[r->number].clear_alerts);
}

/* What fits `match` and `clear.match` clears (17.5). */
static void judge_all(struct engine *e, const struct occasion *o, const uint32_t *hits, size_t n)
{
	size_t n_predicates, n_rules;
	const struct predicate *predicates = rule_set_predicates(e->setup.rules, &n_predicates);
	const struct rule *rules = rule_set_rules(e->setup.rules, &n_rules);
	for (size_t i = 0; i < n; i++) {
		if (DOUBT(hits[i] >= n_predicates))
			break;
		const struct predicate *p = &predicates[hits[i]];
		BUG_ON(p->rule >= n_rules);
		if (!sees(e, p, o))
			continue;
		const struct rule *r = &rules[p->rule];
		if (p->role == PREDICATE_STEP)
			i += judge_steps(e, predicates, hits + i, n - i, clears_too(e, r, hits, n, o), o) - 1;
		else if (p->role == PREDICATE_CLEAR)
			judge(e, r, true, o);
		else if (!clears_too(e, r, hits, n, o))
			judge(e, r, false, o);
	}
}

static bool engine_type(const struct fields *f)
{
	struct slice type = value_slice(fields_get(f, FIELD_TYPE));
	return slice_is(type, "alert") || slice_is(type, "calendar") || slice_is(type, "internal");
}

static struct occasion occasion_of(const struct fields *f)
{
	struct slice state = value_slice(fields_get(f, FIELD_STATE));
	struct occasion o = {.f = f, .state = STATE_PROBLEM, .state_set = state.n > 0, .own = engine_type(f)};
	if (!event_state_parse(state, &o.state))
		o.state = STATE_PROBLEM;
	return o;
}

/* matcher_match's answer lives until it is asked again, and judging may ask it. */
static const uint32_t *copy_hits(struct engine *e, const uint32_t *hits, size_t n)
{
	uint32_t *v = arena_array(e->scratch, n, sizeof *v);
	if (n > 0)
		memcpy(v, hits, n * sizeof *v);
	return v;
}

void windows_event(struct engine *e, const struct event_frame *ev)
{
	struct fields *f = &e->windows->fields;
	const uint32_t *hits = ev->hits;
	size_t n = ev->head->n_hits;
	evt_open(ev->evt, f);
	if (ev->head->generation != rule_set_generation(e->setup.rules)) {
		matcher_resolve(e->matcher, e->setup.map, f);
		n = matcher_match(e->matcher, f, &hits);
		hits = copy_hits(e, hits, n);
	}
	if (n > 0 && service_find(e->setup.map, value_slice(fields_get(f, FIELD_SERVICE))) == SERVICE_NONE)
		e->stats.unresolved_events++;
	struct occasion o = occasion_of(f);
	e->windows->depth = 0;
	judge_all(e, &o, hits, n);
	fields_reset(f);
}

static void judge_own(struct engine *e, struct own_event *own)
{
	struct occasion o = occasion_of(&own->f);
	o.trial = own->trial;
	o.alert = !own->calendar;
	o.alert_rule = own->rule;
	e->windows->depth = own->depth;
	if (DOUBT(own->depth > DEPTH_MAX))
		return;
	const uint32_t *hits;
	matcher_resolve(e->matcher, e->setup.map, &own->f);
	size_t n = matcher_match(e->matcher, &own->f, &hits);
	judge_all(e, &o, copy_hits(e, hits, n), n);
}

bool windows_work(struct engine *e)
{
	struct windows *ws = e->windows;
	struct own_event *own = ws->own_first;
	if (own == NULL)
		return alerts_tell(e);
	ws->own_first = own->next;
	if (ws->own_first == NULL)
		ws->own_last = NULL;
	judge_own(e, own);
	own_event_free(own);
	ws->depth = 0;
	return true;
}

void windows_timer(struct engine *e, enum timer_kind kind, uint64_t object)
{
	if (kind == TIMER_ALERT)
		alert_timer(e, object);
	else if (kind == TIMER_WINDOW)
		window_due(e, hmap_get(e->windows->timed, key_u64(&object)));
}

void window_due(struct engine *e, struct window *w)
{
	if (w == NULL || !w->formed || w->form->timer == INSTANT_NONE || e->now < w->form->timer)
		return;
	w->form->timer = INSTANT_NONE;
	if (w->form->kind == WHEN_FEWER)
		watch_timer(e, w);
	else if (!DOUBT(w->form->kind != WHEN_STEPS))
		steps_timer(e, w);
}

/* ---- absence */

void windows_begin(struct engine *e)
{
	if (e->windows->expected)
		return;
	e->windows->expected = true;
	watch_expected(e);
}

static void shift(struct engine *e, struct window *w, duration down)
{
	if (w->formed && w->form->kind == WHEN_FEWER)
		watch_shift(e, w, down);
	else if (w->formed && w->form->kind == WHEN_STEPS)
		steps_shift(e, w, down);
}

void windows_resume(struct engine *e, duration down)
{
	if (down <= 0 || down > 3650 * DAY)
		return;
	for (size_t i = 0; i < e->windows->n_rules; i++) {
		const struct rule_state *rs = &e->windows->rules[i];
		for (struct window *w = rs->idle.first; w != NULL; w = w->newer)
			shift(e, w, down);
		for (struct alert *a = rs->live.first; a != NULL; a = a->newer)
			shift(e, a->window, down);
	}
}

/* ---- life */

static bool names_alert(const struct template *t)
{
	const struct slice *paths;
	size_t n = template_paths(t, &paths);
	for (size_t i = 0; i < n; i++) {
		if (slice_starts(paths[i], SLICE("alert.")))
			return true;
	}
	return false;
}

static bool asks_for_alerts(const struct cond *c)
{
	if (c->kind == COND_ATOM)
		return c->atom->field.core == FIELD_TYPE ||
		       slice_starts(c->atom->field.name, SLICE("alert."));
	for (size_t i = 0; i < c->n; i++) {
		if (asks_for_alerts(c->kids[i]))
			return true;
	}
	return false;
}

void windows_rules(struct engine *e)
{
	struct windows *ws = e->windows;
	size_t n;
	const struct predicate *predicates = rule_set_predicates(e->setup.rules, &n);
	const struct rule *rules = rule_set_rules(e->setup.rules, &ws->n_rules);
	ws->rules = xcalloc(MAX(ws->n_rules, 1), sizeof *ws->rules);
	for (size_t i = 0; i < ws->n_rules; i++) {
		ws->rules[i].counts_in_summary = names_alert(rules[i].summary);
		ws->rules[i].match_alerts = rules[i].sees_alerts;
	}
	for (size_t i = 0; i < n; i++) {
		if (predicates[i].role == PREDICATE_CLEAR)
			ws->rules[predicates[i].rule].clear_alerts = asks_for_alerts(predicates[i].cond);
	}
	ws->cursor = 0;
}

struct windows *windows_new(struct engine *e)
{
	struct windows *ws = xcalloc(1, sizeof *ws);
	ws->n_buckets = FIRST_BUCKETS;
	ws->buckets = xcalloc(ws->n_buckets, sizeof(struct window *));
	ws->timed = hmap_new();
	ws->flaps = hmap_new();
	fields_init(&ws->fields, e->scratch);
	e->windows = ws;
	e->alerts = alerts_new();
	windows_rules(e);
	mutes_rules(e);
	return ws;
}

void windows_free(struct engine *e)
{
	struct windows *ws = e->windows;
	alerts_free(e);
	while (ws->own_first != NULL) {
		struct own_event *next = ws->own_first->next;
		own_event_free(ws->own_first);
		ws->own_first = next;
	}
	for (size_t i = 0; i < ws->n_buckets; i++) {
		for (struct window *w = ws->buckets[i], *next; w != NULL; w = next) {
			next = w->chain;
			window_destroy(w);
		}
	}
	flaps_free(ws);
	hmap_free(ws->timed);
	fields_free(&ws->fields);
	free(ws->rules);
	free(ws->buckets);
	free(ws);
	e->windows = NULL;
}

void engine_rule_stats(const struct engine *e, uint32_t rule, uint64_t *hits, uint64_t *alerts,
                       uint64_t *keys)
{
	BUG_ON(rule >= e->windows->n_rules);
	const struct rule_state *rs = &e->windows->rules[rule];
	*hits = rs->hits;
	*alerts = rs->opened;
	*keys = rs->n_windows;
}

uint64_t engine_rule_evicted(const struct engine *e, uint32_t rule)
{
	BUG_ON(rule >= e->windows->n_rules);
	return e->windows->rules[rule].evicted;
}
