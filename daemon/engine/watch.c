/* Promises absence (language.md section 7b): each key that was heard, or must be heard from start-up on, has
 * one deadline, which events move ahead; time that the daemon was down does not count. */
#include <stdlib.h>

#include "engine/alert.h"

struct watch {
	struct form head;
	instant since; /* nobody expects anything before; INSTANT_NONE: not watched */
	instant hold;  /* no deadline before this; INSTANT_NONE */
	bool expected; /* by `expect` or an empty `by`: watched although it may never have spoken */
};

struct form *watch_new(void)
{
	struct watch *v = xcalloc(1, sizeof *v);
	v->since = v->hold = INSTANT_NONE;
	return &v->head;
}

static struct watch *of_form(struct form *f)
{
	BUG_ON(f->kind != WHEN_FEWER);
	return (struct watch *)f;
}

static struct watch *watch_of(const struct window *w)
{
	BUG_ON(!w->formed);
	return of_form(w->form);
}

bool watch_known(const struct form *f)
{
	return ((const struct watch *)f)->since != INSTANT_NONE;
}

void watch_clear(struct form *f)
{
	struct watch *v = of_form(f);
	v->since = v->hold = INSTANT_NONE;
	v->expected = false;
}

/* ---- the deadline */

/* Fewer than n stand in the window when the n-th latest has left it. */
static instant due_at(const struct rule *r, const struct window *w)
{
	const struct watch *v = watch_of(w);
	instant nth = window_nth(w, r->when.fewer_than), due = MAX(v->since, nth) + r->within;
	return MAX(due, v->hold);
}

static bool enough(const struct engine *e, const struct rule *r, const struct window *w)
{
	instant nth = window_nth(w, r->when.fewer_than);
	return nth != INSTANT_NONE && nth > e->now - r->within;
}

static void arm(struct engine *e, const struct rule *r, struct window *w)
{
	if (watch_known(w->form))
		window_timer(e, w, due_at(r, w));
}

static void restart(struct engine *e, const struct rule *r, struct window *w, bool expected)
{
	struct watch *v = watch_of(w);
	window_empty(w);
	v->since = e->now;
	v->expected = expected;
	arm(e, r, w);
}

/* Events in the last `within`. */
static uint32_t heard(const struct engine *e, const struct rule *r, const struct window *w)
{
	uint32_t n = 0;
	while (n < w->n && window_nth(w, n + 1) > e->now - r->within)
		n++;
	return n;
}

static void miss(struct engine *e, const struct rule *r, struct window *w)
{
	struct fields f;
	uint32_t n = heard(e, r, w);
	fields_init(&f, e->scratch);
	alert_key_fields(e, r, slice_of(w->key, w->key_n), &f);
	struct occasion o = {.f = &f, .silent = true, .own = true};
	alert_begin(e, r, w, &o, n > 0 ? window_nth(w, n) : e->now, n);
	if (w->alert->state == ALERT_PENDING && !rule_counts_now(e, r))
		alert_drop(e, w->alert); /* the window ended with the rule's time: nothing is pending outside */
	fields_free(&f);
}

void watch_timer(struct engine *e, struct window *w)
{
	size_t n;
	BUG_ON(w->rule == RULE_NONE);
	const struct rule *r = &rule_set_rules(e->setup.rules, &n)[w->rule];
	instant again = INSTANT_NONE, due;
	if (!watch_known(w->form) || (w->alert != NULL && w->alert->calm == INSTANT_NONE))
		return; /* the end of the alert arms it again */
	due = due_at(r, w);
	if (e->now < due)
		window_timer(e, w, due);
	else if (!rule_counts_all(e, r, e->now - r->within, e->now, &again))
		window_timer(e, w, MAX(again, e->now + 1));
	else if (w->alert != NULL)
		alert_again(e, w->alert, INSTANT_NONE); /* nothing that was heard is forgotten */
	else
		miss(e, r, w);
}

/* ---- events */

void watch_event(struct engine *e, const struct rule *r, struct window *w, struct slice key,
                 const struct occasion *o)
{
	w = window_touch(e, r, w, key);
	struct watch *v = watch_of(w);
	window_push(w, e->now, r->when.fewer_than);
	if (v->since == INSTANT_NONE)
		v->since = e->now;
	v->head.last = e->now;
	if (w->alert != NULL)
		alert_repeat(e, r, w->alert, o, INSTANT_NONE);
	if (w->alert == NULL || w->alert->calm != INSTANT_NONE)
		arm(e, r, w);
	else if (enough(e, r, w))
		alert_clear(e, w->alert, "enough events again");
}

/* Enough events are what a window begins with; after any other end the time runs anew, or nobody is waited
 * for. */
void watch_left(struct engine *e, struct window *w)
{
	size_t n;
	if (w->rule == RULE_NONE || e->windows->reloading) {
		window_empty(w);
		return;
	}
	const struct rule *r = &rule_set_rules(e->setup.rules, &n)[w->rule];
	if (enough(e, r, w))
		arm(e, r, w);
	else if (watch_of(w)->expected)
		restart(e, r, w, true);
	else
		window_empty(w);
}

void watch_cleared(struct engine *e, const struct rule *r, struct window *w)
{
	restart(e, r, w, watch_of(w)->expected);
}

/* ---- from start-up */

/* `service` names what the map knows, as events do when they are resolved. */
static struct slice key_of(const struct engine *e, const struct rule *r, size_t i)
{
	if (r->n_by == 0)
		return SLICE("");
	struct slice text = text_clean(e->scratch, r->when.expected[i], 512);
	if (r->by[0].core != FIELD_SERVICE)
		return text;
	uint32_t s = service_find(e->setup.map, text);
	return s != SERVICE_NONE ? slice_str(service_id(e->setup.map, s).p) : text;
}

static void expect_one(struct engine *e, const struct rule *r, struct slice key)
{
	if (key.p == NULL || window_find(e->windows, r->number, key) != NULL)
		return;
	struct window *w = window_touch(e, r, NULL, key);
	restart(e, r, w, true);
}

void watch_expected(struct engine *e)
{
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = &rules[i];
		if (r->when.form != WHEN_FEWER || !r->when.expects || r->mode == MODE_OFF ||
		    (e->setup.only != NULL && !e->setup.only[i]))
			continue;
		size_t keys = r->n_by == 0 ? 1 : r->when.n_expected;
		for (size_t k = 0; k < keys; k++)
			expect_one(e, r, key_of(e, r, k));
	}
}

static bool is_expected(const struct engine *e, const struct rule *r, const struct window *w)
{
	size_t keys = r->n_by == 0 ? 1 : r->when.n_expected;
	for (size_t k = 0; k < keys; k++)
		if (slice_eq(key_of(e, r, k), slice_of(w->key, w->key_n)))
			return true;
	return false;
}

static bool left_out(const struct engine *e, const struct rule *r, const struct window *w)
{
	return w->formed && watch_of(w)->expected && !(r->when.expects && is_expected(e, r, w));
}

static void forget_of(struct engine *e, const struct rule *r)
{
	struct rule_state *rs = &e->windows->rules[r->number];
	for (struct window *w = rs->idle.first, *next; w != NULL; w = next) {
		next = w->newer;
		if (left_out(e, r, w))
			window_free(e->windows, w);
	}
	for (struct alert *a = rs->live.first, *next; a != NULL; a = next) {
		next = a->newer;
		if (left_out(e, r, a->window))
			alert_close(e, a, "nobody expects it any more");
	}
}

void watch_forget(struct engine *e)
{
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	for (size_t i = 0; i < n; i++)
		if (rules[i].when.form == WHEN_FEWER)
			forget_of(e, &rules[i]);
}

/* ---- downtime, and to bytes and back */

void watch_shift(struct engine *e, struct window *w, duration down)
{
	size_t n;
	struct watch *v = watch_of(w);
	if (w->rule != RULE_NONE && v->since != INSTANT_NONE)
		v->hold = due_at(&rule_set_rules(e->setup.rules, &n)[w->rule], w) + down;
}

void watch_save(const struct form *f, struct buf *out)
{
	const struct watch *v = (const struct watch *)f;
	buf_u64(out, (uint64_t)v->since);
	buf_u64(out, (uint64_t)v->hold);
	buf_u8(out, v->expected);
}

void watch_load(struct form *f, struct reader *r)
{
	struct watch *v = of_form(f);
	v->since = (instant)read_u64(r);
	v->hold = (instant)read_u64(r);
	v->expected = read_u8(r) != 0;
}
