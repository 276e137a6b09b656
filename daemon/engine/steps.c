/* Promises sequences (language.md section 7c, 17.1, 17.5): which steps a key has passed, when the run began,
 * and when a missing event is overdue. Bounded: per step the last `times` runs, per run the values that
 * templates use.
 *
 * A step with `times` keeps one run per event that may be its first: the run of n events that ends now is the
 * n-th latest, and so begins as late as possible. Before a trailing `absent` the earliest complete run stays
 * instead. */
#include <stdlib.h>

#include "engine/alert.h"

enum { VALUE_MAX = 512, TIMES_MAX = 100000, COUNT_KEPT = 256 /* any order: events counted one by one */ };

/* The values of one event that served a step, and of the events before it in its run. */
struct capture {
	uint32_t refs;
	uint32_t step;
	struct capture *prev;
	uint32_t n;
	char **names, **values;
};

struct run {
	instant start; /* of its first event; INSTANT_NONE: no run */
	uint32_t seen; /* fitting events before that one */
	struct capture *cap;
};

struct group {            /* of a step that is not `absent` */
	struct run done;  /* the step is complete */
	struct run *ring; /* `times` above 1, or any order: by arrival */
	uint32_t head, n, cap;
};

struct steps {
	struct form head;
	uint32_t n;    /* steps of the rule */
	uint32_t seen; /* fitting events, ever: differences count */
	instant due;   /* a trailing `absent` is overdue then; INSTANT_NONE */
	struct group g[];
};

static const struct run no_run = {.start = INSTANT_NONE};

struct form *steps_new(const struct rule *r)
{
	struct steps *s = xcalloc(1, sizeof *s + r->when.n_steps * sizeof s->g[0]);
	s->n = (uint32_t)r->when.n_steps;
	s->due = INSTANT_NONE;
	for (uint32_t i = 0; i < s->n; i++)
		s->g[i].done = no_run;
	return &s->head;
}

static struct steps *of_form(struct form *f)
{
	BUG_ON(f->kind != WHEN_STEPS);
	return (struct steps *)f;
}

/* ---- captures */

static struct capture *capture_ref(struct capture *c)
{
	if (c != NULL)
		c->refs++;
	return c;
}

static void capture_drop(struct capture *c)
{
	while (c != NULL && --c->refs == 0) {
		struct capture *prev = c->prev;
		for (uint32_t i = 0; i < c->n; i++) {
			free(c->names[i]);
			free(c->values[i]);
		}
		free(c->names);
		free(c->values);
		free(c);
		c = prev;
	}
}

static struct capture *capture_new(uint32_t step, uint32_t n, struct capture *prev)
{
	struct capture *c = xcalloc(1, sizeof *c);
	c->refs = 1;
	c->step = step;
	c->n = n;
	c->prev = capture_ref(prev);
	c->names = xcalloc(MAX(n, 1), sizeof(char *));
	c->values = xcalloc(MAX(n, 1), sizeof(char *));
	return c;
}

/* What templates want of the event that serves the step; the run's former values if that is nothing. */
static struct capture *capture_event(const struct engine *e, const struct rule *r, uint32_t step,
                                     const struct fields *f, struct capture *prev)
{
	const struct rule_step *st = &r->when.steps[step];
	if (st->n_fields == 0)
		return capture_ref(prev);
	struct capture *c = capture_new(step, (uint32_t)st->n_fields, prev);
	for (uint32_t i = 0; i < c->n; i++) {
		struct slice v = value_slice(fields_get_name(f, st->fields[i]));
		c->names[i] = slice_dup(st->fields[i]);
		c->values[i] = slice_dup(v.n > 0 ? text_clean(e->scratch, v, VALUE_MAX) : SLICE(""));
	}
	return c;
}

bool steps_said_value(const struct steps_said *said, struct slice path, struct slice *value)
{
	struct slice rest = path, head, name;
	if (!slice_split(&rest, '.', &head) || !slice_is(head, "steps") || !slice_split(&rest, '.', &name))
		return false;
	for (size_t i = 0; i < said->rule->when.n_steps; i++) {
		const struct capture *c = said->of[i];
		if (c == NULL || !slice_eq(said->rule->when.steps[i].name, name))
			continue;
		for (uint32_t k = 0; k < c->n; k++) {
			if (!slice_is(rest, c->names[k]))
				continue;
			*value = slice_str(c->values[k]);
			return value->n > 0;
		}
	}
	return false;
}

static void said_chain(struct steps_said *said, const struct capture *c)
{
	for (; c != NULL; c = c->prev)
		if (c->step < STEPS_MAX && said->of[c->step] == NULL)
			said->of[c->step] = c;
}

/* ---- runs */

static void run_drop(struct run *u)
{
	capture_drop(u->cap);
	*u = no_run;
}

static void run_set(struct run *u, struct run with)
{
	capture_drop(u->cap);
	*u = with;
}

static struct run *ring_at(const struct group *g, uint32_t i)
{
	BUG_ON(i >= g->n);
	return &g->ring[(g->head + i) % g->cap];
}

static void ring_shift(struct group *g)
{
	run_drop(ring_at(g, 0));
	g->head = (g->head + 1) % g->cap;
	g->n--;
}

static void ring_push(struct group *g, struct run u, uint32_t keep)
{
	while (g->n >= keep)
		ring_shift(g);
	if (g->n == g->cap) {
		uint32_t cap = MIN(MAX(g->cap * 2, 2), keep);
		struct run *v = xreallocarray(NULL, cap, sizeof *v);
		for (uint32_t i = 0; i < g->n; i++)
			v[i] = *ring_at(g, i);
		free(g->ring);
		g->ring = v;
		g->cap = cap;
		g->head = 0;
	}
	g->ring[(g->head + g->n++) % g->cap] = u;
}

static void group_clear(struct group *g)
{
	run_drop(&g->done);
	while (g->n > 0)
		ring_shift(g);
}

void steps_clear(struct form *f)
{
	struct steps *s = of_form(f);
	for (uint32_t i = 0; i < s->n; i++)
		group_clear(&s->g[i]);
	s->due = INSTANT_NONE;
	s->seen = 0;
}

void steps_free(struct form *f)
{
	struct steps *s = of_form(f);
	steps_clear(f);
	for (uint32_t i = 0; i < s->n; i++)
		free(s->g[i].ring);
	free(s);
}

bool steps_waiting(const struct form *f)
{
	return ((const struct steps *)f)->due != INSTANT_NONE;
}

/* ---- a firing */

/* What an event does: the rule, its window, the event. */
struct act {
	struct engine *e;
	const struct rule *r;
	struct window *w;
	struct steps *s;
	const struct occasion *o;
	bool fits[STEPS_MAX];
};

static void fire(const struct act *a, const struct steps_said *said, instant start, uint32_t seen)
{
	struct engine *e = a->e;
	BUG_ON(e->windows->said != NULL);
	e->windows->said = said;
	if (a->w->alert == NULL)
		alert_begin(e, a->r, a->w, a->o, start, a->s->seen - seen);
	else if (a->o->silent)
		alert_again(e, a->w->alert, start);
	else
		alert_repeat(e, a->r, a->w->alert, a->o, start);
	e->windows->said = NULL;
}

static void fire_run(const struct act *a, struct run u)
{
	struct steps_said said = {.rule = a->r};
	said_chain(&said, u.cap);
	fire(a, &said, u.start, u.seen);
}

/* ---- order: strict */

/* The step before i that is no `absent`; -1: there is none. */
static int before(const struct rule *r, int i)
{
	do
		i--;
	while (i >= 0 && r->when.steps[i].absent);
	return i;
}

static int after(const struct rule *r, int i)
{
	int n = (int)r->when.n_steps;
	do
		i++;
	while (i < n && r->when.steps[i].absent);
	return i < n ? i : -1;
}

static bool alive(const struct act *a, const struct run *u)
{
	return u->start != INSTANT_NONE && a->e->now - u->start <= a->r->within;
}

/* The run that an event would continue as the first one of step i. It borrows its captures. */
static struct run base_of(const struct act *a, int i)
{
	int prev = before(a->r, i);
	if (prev < 0)
		return (struct run){a->e->now, a->s->seen - 1, NULL};
	return alive(a, &a->s->g[prev].done) ? a->s->g[prev].done : no_run;
}

/* Step i is complete: by the run `u`, whose last event is the present one. True: the sequence is. */
static bool complete(const struct act *a, int i, struct run u, struct run *fired)
{
	struct group *g = &a->s->g[i];
	bool last = after(a->r, i) < 0, trailing = last && a->r->when.trailing_absent;
	if (trailing && g->done.start != INSTANT_NONE)
		return false; /* the earliest one waits already */
	u.cap = capture_event(a->e, a->r, (uint32_t)i, a->o->f, u.cap);
	if (last && !trailing) {
		*fired = u;
		return true;
	}
	run_set(&g->done, u);
	if (trailing) {
		a->s->due = u.start + a->r->within;
		window_timer(a->e, a->w, a->s->due);
	}
	return false;
}

/* The event serves step i, if it can. */
static bool serve(const struct act *a, int i, struct run *fired, bool *whole)
{
	struct group *g = &a->s->g[i];
	uint32_t times = a->r->when.steps[i].times;
	struct run base = base_of(a, i);
	while (g->n > 0 && !alive(a, ring_at(g, 0)))
		ring_shift(g);
	if (base.start == INSTANT_NONE && g->n == 0)
		return false;
	if (times > 1) {
		struct run u = base.start != INSTANT_NONE ? base : *ring_at(g, g->n - 1);
		u.cap = capture_ref(u.cap);
		ring_push(g, u, times);
		if (g->n < times)
			return true;
		base = *ring_at(g, 0);
	}
	*whole = complete(a, i, base, fired);
	return true;
}

/* What fits an `absent` and its neighbour is the neighbour (17.5). */
static bool absent_breaks(const struct act *a, int i)
{
	int prev = before(a->r, i), next = after(a->r, i);
	return a->fits[i] && !(prev >= 0 && a->fits[prev]) && !(next >= 0 && a->fits[next]);
}

static void break_at(const struct act *a, int i)
{
	run_drop(&a->s->g[before(a->r, i)].done);
	if (i == (int)a->s->n - 1)
		a->s->due = INSTANT_NONE;
}

/* From the last step to the first: the latest one that is possible gets the event. */
static bool strict(const struct act *a, struct run *fired)
{
	bool whole = false;
	for (int i = (int)a->s->n - 1; i >= 0; i--) {
		if (a->r->when.steps[i].absent && absent_breaks(a, i))
			break_at(a, i);
		else if (!a->r->when.steps[i].absent && a->fits[i] && serve(a, i, fired, &whole))
			break;
	}
	return whole;
}

/* ---- order: any */

static bool in_window(const struct act *a, const struct run *u)
{
	return u->start > a->e->now - a->r->within;
}

static uint32_t satisfied(const struct act *a)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < a->s->n; i++) {
		struct group *g = &a->s->g[i];
		while (g->n > 0 && !in_window(a, ring_at(g, 0)))
			ring_shift(g);
		n += g->n >= a->r->when.steps[i].times;
	}
	return n;
}

/* Fitting events in the window, as far back as they are kept. */
static uint32_t in_sliding(const struct act *a)
{
	uint32_t n = 0;
	while (n < a->w->n && window_nth(a->w, n + 1) > a->e->now - a->r->within)
		n++;
	return n;
}

static void any_order(struct act *a)
{
	struct steps_said said = {.rule = a->r};
	for (uint32_t i = 0; i < a->s->n; i++) {
		if (!a->fits[i])
			continue;
		struct run u = {a->e->now, a->s->seen - 1, NULL};
		u.cap = capture_event(a->e, a->r, i, a->o->f, NULL);
		ring_push(&a->s->g[i], u, a->r->when.steps[i].times);
	}
	if (satisfied(a) < a->r->when.least) {
		if (a->w->alert != NULL)
			alert_repeat(a->e, a->r, a->w->alert, a->o, INSTANT_NONE);
		return;
	}
	for (uint32_t i = 0; i < a->s->n; i++) {
		struct group *g = &a->s->g[i];
		if (g->n > 0)
			said_chain(&said, ring_at(g, g->n - 1)->cap);
	}
	uint32_t n = in_sliding(a);
	BUG_ON(n == 0); /* the present one at least */
	fire(a, &said, window_nth(a->w, n), a->s->seen - n);
	steps_clear(&a->s->head); /* steps are consumed by a firing */
}

/* ---- one event */

static void in_strict_order(struct act *a, bool step)
{
	struct run fired = no_run;
	if (strict(a, &fired)) {
		fire_run(a, fired);
		run_drop(&fired);
		steps_clear(&a->s->head);
	} else if (step && a->w->alert != NULL) {
		alert_repeat(a->e, a->r, a->w->alert, a->o, INSTANT_NONE);
	}
}

/* Sorts the hits: what fits which step; is it a clear? True: some step that is no `absent` is served. A
 * `state` that a step's condition does not mention says problem, clear, or nothing, as for `match`. */
static bool sort_hits(struct act *a, const uint32_t *hits, size_t n, bool *clears)
{
	size_t n_predicates;
	const struct predicate *p = rule_set_predicates(a->e->setup.rules, &n_predicates);
	bool counts = rule_counts_now(a->e, a->r), step = false;
	for (size_t k = 0; k < n; k++) {
		BUG_ON(hits[k] >= n_predicates || p[hits[k]].step >= a->r->when.n_steps);
		uint32_t i = p[hits[k]].step;
		if (a->o->alert && !p[hits[k]].sees_alerts)
			continue;
		const struct rule_step *st = &a->r->when.steps[i];
		bool plain = st->absent || st->mentions_state || a->o->state == STATE_PROBLEM;
		if (!plain && a->o->state == STATE_CLEAR)
			*clears = true;
		a->fits[i] = plain && (st->absent || counts);
		step = step || (a->fits[i] && !st->absent);
	}
	return step;
}

static void clear_all(struct engine *e, struct window *w)
{
	if (w->alert != NULL)
		alert_clear(e, w->alert, "cleared by an event");
	else
		window_free(e->windows, w);
}

/* The event that was missing: an alert that it closes goes first, with its window, and the event may begin
 * anew. */
static void missing_came(struct act *a, struct slice key)
{
	int last = (int)a->r->when.n_steps - 1;
	if (a->w == NULL || a->w->alert == NULL || !a->r->when.trailing_absent || !absent_breaks(a, last))
		return;
	alert_clear(a->e, a->w->alert, "the missing event has come");
	a->w = window_find(a->e->windows, a->r->number, key);
}

/* The first event of a sequence makes a key; what could only continue one does not. */
static bool begins(const struct act *a)
{
	if (!a->r->when.any_order)
		return a->fits[0];
	for (size_t i = 0; i < a->r->when.n_steps; i++)
		if (a->fits[i])
			return true;
	return false;
}

void steps_event(struct engine *e, const struct rule *r, const uint32_t *hits, size_t n,
                 const struct occasion *o)
{
	struct act a = {.e = e, .r = r, .o = o};
	bool clears = false, step = sort_hits(&a, hits, n, &clears);
	struct slice key;
	alert_by_values(e, r, o->f, &key);
	observe_fits(e, r, key);
	a.w = window_find(e->windows, r->number, key);
	if (clears && !step) {
		if (a.w != NULL)
			clear_all(e, a.w);
		return;
	}
	missing_came(&a, key);
	if (a.w == NULL && !begins(&a))
		return;
	a.w = step ? window_touch(e, r, a.w, key) : a.w;
	a.s = of_form(a.w->form);
	if (step) {
		a.s->seen++;
		a.s->head.last = e->now;
		uint32_t keep = MAX(r->clear_fewer_than, r->when.any_order ? COUNT_KEPT : 0);
		if (keep > 0)
			window_push(a.w, e->now, keep);
	}
	if (!r->when.any_order)
		in_strict_order(&a, step);
	else if (step)
		any_order(&a);
}

/* ---- the deadline of a trailing `absent` */

/* What began with the run that has fired is used; a later start goes on. */
static void consume(struct steps *s, instant start)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct group *g = &s->g[i];
		while (g->n > 0 && ring_at(g, 0)->start <= start)
			ring_shift(g);
		if (g->done.start != INSTANT_NONE && g->done.start <= start)
			run_drop(&g->done);
	}
}

void steps_timer(struct engine *e, struct window *w)
{
	size_t n;
	struct fields f;
	BUG_ON(w->rule == RULE_NONE);
	const struct rule *r = &rule_set_rules(e->setup.rules, &n)[w->rule];
	struct steps *s = of_form(w->form);
	if (s->due == INSTANT_NONE)
		return;
	if (e->now < s->due) {
		window_timer(e, w, s->due);
		return;
	}
	struct run u = s->g[before(r, (int)s->n - 1)].done;
	u.cap = capture_ref(u.cap);
	s->due = INSTANT_NONE;
	consume(s, u.start);
	fields_init(&f, e->scratch);
	alert_key_fields(e, r, slice_of(w->key, w->key_n), &f);
	struct occasion o = {.f = &f, .silent = true, .own = true};
	struct act a = {.e = e, .r = r, .w = w, .s = s, .o = &o};
	if (rule_counts_now(e, r))
		fire_run(&a, u);
	capture_drop(u.cap);
	fields_free(&f);
}

void steps_shift(struct engine *e, struct window *w, duration down)
{
	struct steps *s = of_form(w->form);
	(void)e;
	if (s->due != INSTANT_NONE)
		s->due += down;
}

/* ---- to bytes and back */

static void put_run(const struct run *u, struct buf *out)
{
	uint32_t n = 0;
	for (const struct capture *c = u->cap; c != NULL; c = c->prev)
		n++;
	buf_u64(out, (uint64_t)u->start);
	buf_u32(out, u->seen);
	buf_u32(out, n);
	for (const struct capture *c = u->cap; c != NULL; c = c->prev) {
		buf_u32(out, c->step);
		buf_u32(out, c->n);
		for (uint32_t i = 0; i < c->n; i++) {
			buf_lslice(out, slice_str(c->names[i]));
			buf_lslice(out, slice_str(c->values[i]));
		}
	}
}

static bool get_capture(struct reader *r, struct capture **at)
{
	uint32_t step = read_u32(r), n = read_u32(r);
	if (!r->ok || step >= STEPS_MAX || n > (r->n - r->at) / 8)
		return false;
	*at = capture_new(step, n, NULL);
	for (uint32_t i = 0; i < n; i++) {
		struct slice name = read_lslice(r), value = read_lslice(r);
		(*at)->names[i] = slice_dup(name.p != NULL ? name : SLICE(""));
		(*at)->values[i] = slice_dup(value.p != NULL ? value : SLICE(""));
	}
	return r->ok;
}

static bool get_run(struct reader *r, struct run *u)
{
	u->start = (instant)read_u64(r);
	u->seen = read_u32(r);
	uint32_t n = read_u32(r);
	struct capture **at = &u->cap;
	for (uint32_t i = 0; r->ok && i < n; i++) {
		if (i >= STEPS_MAX || !get_capture(r, at))
			return false;
		at = &(*at)->prev;
	}
	return r->ok;
}

void steps_save(const struct form *f, struct buf *out)
{
	const struct steps *s = (const struct steps *)f;
	buf_u32(out, s->n);
	buf_u32(out, s->seen);
	buf_u64(out, (uint64_t)s->due);
	for (uint32_t i = 0; i < s->n; i++) {
		put_run(&s->g[i].done, out);
		buf_u32(out, s->g[i].n);
		for (uint32_t k = 0; k < s->g[i].n; k++)
			put_run(ring_at(&s->g[i], k), out);
	}
}

static bool get_group(struct reader *r, struct group *g)
{
	run_drop(&g->done);
	if (!get_run(r, &g->done))
		return false;
	uint32_t n = read_u32(r);
	for (uint32_t i = 0; i < n; i++) {
		struct run u = no_run;
		if (n > TIMES_MAX || !get_run(r, &u)) {
			run_drop(&u);
			return false;
		}
		ring_push(g, u, n);
	}
	return r->ok;
}

bool steps_load(struct form *f, struct reader *r)
{
	struct steps *s = of_form(f);
	if (read_u32(r) != s->n)
		return false;
	s->seen = read_u32(r);
	s->due = (instant)read_u64(r);
	for (uint32_t i = 0; i < s->n; i++)
		if (!get_group(r, &s->g[i]))
			return false;
	return r->ok;
}
