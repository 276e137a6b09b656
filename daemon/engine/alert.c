/* Promises the life of an alert: pending -> open -> closed, each step at its moment (language.md sections 6
 * and 17; correlation.md section 4, "Calm is counted once"), and that correlation hears of it once the whole
 * event has been judged. Must not know episodes and incidents. */
#include "engine/alert.h"

#include <stdlib.h>

/* ---- deadlines */

static instant after(instant t, duration d)
{
	instant sum;
	return __builtin_add_overflow(t, d, &sum) ? INT64_MAX : sum;
}

/* Its condition is true as long as nothing comes: no quiet time ends it. */
static bool absence(const struct alert *a)
{
	return a->window != NULL && a->window->formed && a->window->form->kind == WHEN_FEWER;
}

static instant quiet_at(const struct alert *a)
{
	return absence(a) ? INT64_MAX : after(a->held, a->quiet);
}

/* When fewer than n events stand in the last `clear_within`; the first such window begins with the alert's,
 * and after a calm that did not last, with the one that ended it. */
static instant fewer_at(const struct alert *a)
{
	if (a->clear_fewer_than == 0 || a->window == NULL || absence(a))
		return INT64_MAX;
	instant nth = window_nth(a->window, MIN(a->clear_fewer_than, a->window->n));
	return MAX(after(MAX(nth, a->first), a->clear_within), a->held);
}

static instant deadline(const struct alert *a)
{
	instant settled = a->flapping ? after(a->changed, a->flap_settle) : INSTANT_NONE;
	if (a->state == ALERT_OPEN && a->calm != INSTANT_NONE)
		return MAX(after(a->calm, a->close_after), settled);
	instant end = MIN(quiet_at(a), fewer_at(a));
	return a->state == ALERT_PENDING ? MIN(end, after(a->since, a->open_after)) : end;
}

static void arm(struct engine *e, struct alert *a)
{
	instant at = deadline(a);
	if (a->flapping) /* the mark ends then, whatever else holds it open */
		at = MIN(at, after(a->changed, a->flap_settle));
	if (a->timer != INSTANT_NONE && a->timer <= at)
		return; /* that one comes first and looks again */
	a->timer = at;
	engine_timer(e, at, TIMER_ALERT, a->serial);
}

/* ---- opening */

static duration quiet_of(const struct engine *e, const struct rule *r, bool stateless)
{
	if (r->quiet >= 0)
		return r->quiet;
	return stateless ? e->setup.config->correlation.ttl : e->setup.config->defaults.quiet;
}

static enum severity severity_of(const struct rule *r, const struct fields *f)
{
	enum severity s;
	if (r->severity_fixed)
		return r->severity;
	if (r->severity_field.n > 0 && severity_parse(value_slice(fields_get_name(f, r->severity_field)), &s))
		return s;
	return severity_parse(value_slice(fields_get(f, FIELD_SEVERITY)), &s) ? s : SEVERITY_WARNING;
}

static void open_now(struct engine *e, struct alert *a)
{
	BUG_ON(a->state != ALERT_PENDING);
	a->state = ALERT_OPEN;
	a->opened = e->now;
	a->order = engine_serial(e);
	e->windows->rules[a->rule].opened++;
	observe_opened(e, a);
	alert_change(e, a, ALERT_CHANGE_OPENED);
	mute_join(e, a);
	alert_event(e, a);
}

/* At the limit somebody's oldest one goes: of this rule if it holds much, else of the rule that holds most,
 * so that a flood costs its own rule. */
static void make_room(struct engine *e, const struct rule *r)
{
	struct windows *ws = e->windows;
	if (e->alerts->live < e->setup.config->limits.open_alerts)
		return;
	uint32_t victim = r->number;
	for (uint32_t i = 0; ws->rules[victim].n_alerts < e->alerts->live / 4 && i < ws->n_rules; i++) {
		if (ws->rules[i].n_alerts > ws->rules[victim].n_alerts)
			victim = i;
	}
	e->stats.evicted++;
	if (ws->rules[victim].live.first != NULL)
		alert_close(e, ws->rules[victim].live.first, "evicted: limits.open_alerts is reached");
}

/* The condition of the key has become true, or has ended. An alert whose condition changes too often is held
 * open, and opens even if it never lasts: else nobody would hear of what only flaps. */
static void change(struct engine *e, struct alert *a, instant at)
{
	const struct rule *r = alert_rule(e, a);
	if (r == NULL)
		return;
	a->changed = at;
	if (!flap_change(e, r, slice_str(a->key), at) || a->flapping)
		return;
	a->flapping = true;
	if (a->state == ALERT_PENDING)
		open_now(e, a);
}

static void take_value(struct alert *a, const struct occasion *o)
{
	a->has_value = a->has_value || o->value != NULL;
	if (o->value != NULL)
		a->value = *o->value;
}

static void take_rule(struct engine *e, struct alert *a, const struct rule *r, const struct occasion *o)
{
	a->rule = r->number;
	a->rule_id = slice_dup(r->id);
	a->trial = r->mode == MODE_TRIAL;
	a->no_incident = r->incident.none || a->trial;
	a->stateless = r->stateless && !o->state_set && !o->own;
	a->effect = r->effect;
	a->nature = r->nature;
	a->severity = severity_of(r, o->f);
	a->quiet = quiet_of(e, r, a->stateless);
	a->open_after = r->open_after;
	a->close_after = r->close_after;
	a->clear_fewer_than = r->clear_fewer_than;
	a->flap_settle = flap_settle(e, r);
	a->clear_within = r->clear_within;
}

void alert_begin(struct engine *e, const struct rule *r, struct window *w, const struct occasion *o,
                 instant first, uint64_t count)
{
	windows_take(e->windows, w);
	make_room(e, r);
	struct alert *a = alert_new();
	a->serial = a->order = engine_serial(e);
	a->id = engine_id(e);
	take_rule(e, a, r, o);
	a->count = count;
	a->first = first;
	a->last = a->held = a->since = e->now;
	a->window = w;
	w->alert = a;
	alerts_link(e, a);
	a->touched = ++e->alerts->touch;
	alerts_live_link(e, a);
	take_value(a, o);
	alert_render(e, r, a, o->f);
	if (!o->silent)
		alert_note(e, a, o->f);
	alert_touch(e, a);
	observe_alert(e, a, first);
	if (a->open_after <= 0)
		open_now(e, a);
	change(e, a, e->now);
	arm(e, a);
}

/* ---- while it lives */

/* Of a threshold only what reaches it ends the calm: single events may trickle in (17.8). */
static void true_again(struct engine *e, struct alert *a, instant began)
{
	bool was_calm = a->calm != INSTANT_NONE;
	a->held = e->now;
	a->calm = INSTANT_NONE;
	if (!was_calm)
		return;
	window_forget(a->window, began);
	change(e, a, e->now);
}

void alert_again(struct engine *e, struct alert *a, instant began)
{
	BUG_ON(a->state == ALERT_CLOSED);
	true_again(e, a, began);
	alert_touch(e, a);
	arm(e, a);
	if (a->state == ALERT_OPEN)
		alert_change(e, a, ALERT_CHANGE_REPEATED);
}

void alert_repeat(struct engine *e, const struct rule *r, struct alert *a, const struct occasion *o,
                  instant began)
{
	a->count++;
	a->last = e->now;
	observe_alert(e, a, INSTANT_NONE);
	take_value(a, o);
	if (began != INSTANT_NONE)
		true_again(e, a, began);
	if (a->stateless && (o->state_set || o->own)) {
		a->stateless = false; /* its sender says clear as well */
		a->quiet = quiet_of(e, r, false);
	}
	enum severity s = severity_of(r, o->f);
	bool worse = s > a->severity;
	a->severity = MAX(s, a->severity);
	alert_note(e, a, o->f);
	alert_touch_order(e, a);
	if (e->windows->rules[r->number].counts_in_summary)
		alert_render_summary(e, r, a, o->f);
	alert_touch(e, a);
	arm(e, a);
	if (a->state != ALERT_OPEN)
		return;
	alert_change(e, a, worse ? ALERT_CHANGE_WORSENED : ALERT_CHANGE_REPEATED);
	if (worse) {
		mute_join(e, a);
		alert_event(e, a);
	}
}

static void leave_window(struct engine *e, struct alert *a)
{
	struct window *w = a->window;
	a->window = NULL;
	w->alert = NULL;
	if (w->formed && w->form->kind == WHEN_FEWER)
		watch_left(e, w);
	else
		window_empty(w);
	window_idle(e->windows, w);
}

void alert_drop(struct engine *e, struct alert *a)
{
	BUG_ON(a->state != ALERT_PENDING);
	leave_window(e, a);
	alerts_live_unlink(e, a);
	if (a->shown)
		alert_row_gone(e->alerts, a);
	alert_destroy(e, a);
}

void alert_close(struct engine *e, struct alert *a, const char *reason)
{
	BUG_ON(a->state == ALERT_CLOSED);
	if (a->state == ALERT_PENDING) {
		alert_drop(e, a);
		return;
	}
	a->state = ALERT_CLOSED;
	a->closed = e->now;
	if (a->calm == INSTANT_NONE)
		a->calm = e->now;
	free(a->close_reason);
	a->close_reason = xstrdup(reason);
	leave_window(e, a);
	alerts_live_unlink(e, a);
	a->older = a->newer = NULL;
	mute_leave(e, a);
	alert_change(e, a, ALERT_CHANGE_CLOSED);
	alert_event(e, a);
}

/* The condition has ended at `calm`. A closing empties the window, and so does a calm that is held open. */
static void calm_down(struct engine *e, struct alert *a, instant calm, const char *reason)
{
	bool pending = a->state == ALERT_PENDING;
	change(e, a, calm);
	if (pending && a->state == ALERT_PENDING) {
		alert_drop(e, a);
		return;
	}
	a->calm = calm;
	free(a->close_reason);
	a->close_reason = xstrdup(reason);
	if (deadline(a) <= e->now) {
		alert_close(e, a, reason);
		return;
	}
	if (absence(a))
		watch_left(e, a->window);
	else
		window_empty(a->window);
	alert_change(e, a, ALERT_CHANGE_CALM);
	arm(e, a);
}

void alert_clear(struct engine *e, struct alert *a, const char *reason)
{
	if (a->state != ALERT_PENDING && a->calm != INSTANT_NONE)
		return;
	observe_alert(e, a, INSTANT_NONE);
	calm_down(e, a, e->now, reason);
}

static void quiet_reason(const struct alert *a, struct buf *b)
{
	buf_str(b, "quiet for ");
	duration_format(a->quiet, b);
}

static void condition_over(struct engine *e, struct alert *a)
{
	instant quiet = quiet_at(a), fewer = fewer_at(a);
	if (fewer < quiet) {
		calm_down(e, a, fewer, "fewer events than clear.fewer_than");
		return;
	}
	struct buf reason = {0};
	quiet_reason(a, &reason);
	calm_down(e, a, a->held, buf_cstr(&reason));
	buf_free(&reason);
}

void alert_timer(struct engine *e, uint64_t serial)
{
	struct alert *a = alert_find(e, serial);
	if (a == NULL || a->state == ALERT_CLOSED || a->timer == INSTANT_NONE || e->now < a->timer)
		return;
	window_due(e, a->window); /* what makes the condition true comes before what ends it */
	a->timer = INSTANT_NONE;
	if (a->flapping && e->now >= after(a->changed, a->flap_settle)) {
		a->flapping = false;
		alert_touch(e, a);
	}
	if (e->now < deadline(a)) {
		arm(e, a);
		return;
	}
	if (a->state == ALERT_OPEN && a->calm != INSTANT_NONE) {
		struct buf reason = {0};
		buf_str(&reason, a->close_reason != NULL ? a->close_reason : "calm");
		alert_close(e, a, buf_cstr(&reason));
		buf_free(&reason);
	} else if (e->now >= MIN(quiet_at(a), fewer_at(a))) {
		condition_over(e, a);
	} else {
		open_now(e, a);
		arm(e, a);
	}
}
