/* Promises what lives on when the rules change (correlation.md section 4, "Reload"): windows of rules whose
 * hash is the same, open alerts unless their rule is gone, off, on trial or counts by other fields. */
#include "engine/alert.h"

#include <stdlib.h>

static const struct rule *running(const struct engine *e, struct slice id)
{
	const struct rule *r = rule_set_find(e->setup.rules, id);
	return r != NULL && r->mode != MODE_OFF ? r : NULL;
}

static bool same_by(const struct alert *a, const struct rule *r)
{
	if (a->n_by != r->n_by)
		return false;
	for (size_t i = 0; i < a->n_by; i++) {
		if (!slice_is(r->by[i].name, a->by_names[i]))
			return false;
	}
	return true;
}

static const char *reason_to_close(const struct engine *e, const struct alert *a)
{
	const struct rule *any = rule_set_find(e->setup.rules, slice_str(a->rule_id)),
	                  *r = running(e, slice_str(a->rule_id));
	if (any == NULL)
		return "its rule is gone after a reload";
	if (r == NULL)
		return "its rule is off after a reload";
	if (r->mode == MODE_TRIAL && !a->trial)
		return "its rule is on trial after a reload";
	return same_by(a, r) ? NULL : "its rule counts by other fields after a reload";
}

static void put_idle(struct engine *e, struct window *first, bool keep)
{
	for (struct window *w = first, *next; w != NULL; w = next) {
		next = w->newer;
		if (!keep)
			window_empty(w);
		window_idle(e->windows, w); /* an empty one goes */
	}
}

static void move_live(struct engine *e, struct alert *first, const struct rule *to)
{
	for (struct alert *a = first, *next; a != NULL; a = next) {
		next = a->newer;
		a->older = a->newer = NULL;
		a->rule = to != NULL ? to->number : RULE_NONE;
		window_renumber(e->windows, a->window, a->rule);
		e->alerts->live--;
		alerts_live_link(e, a);
	}
}

/* The numbers of rules change: every window and alert gets its new one before the table is built again. */
static void renumber(struct engine *e, const struct rule_state *was, const struct rule_set *old)
{
	size_t n;
	const struct rule *rules = rule_set_rules(old, &n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *to = running(e, rules[i].id);
		for (struct window *w = was[i].idle.first; w != NULL; w = w->newer)
			window_renumber(e->windows, w, to != NULL ? to->number : RULE_NONE);
		move_live(e, was[i].live.first, to);
		if (to != NULL) {
			e->windows->rules[to->number].hits = was[i].hits;
			e->windows->rules[to->number].opened = was[i].opened;
			e->windows->rules[to->number].evicted = was[i].evicted;
		}
	}
	for (struct alert *a = e->alerts->all.first; a != NULL; a = a->next) {
		const struct rule *to = a->state == ALERT_CLOSED ? running(e, slice_str(a->rule_id)) : NULL;
		if (a->state == ALERT_CLOSED)
			a->rule = to != NULL ? to->number : RULE_NONE;
	}
	windows_rehash(e->windows);
}

static void carry_windows(struct engine *e, const struct rule_state *was, const struct rule_set *old)
{
	size_t n;
	const struct rule *rules = rule_set_rules(old, &n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *to = running(e, rules[i].id);
		bool same = to != NULL && to->hash == rules[i].hash;
		if (to != NULL && !same && (was[i].idle.first != NULL || was[i].live.first != NULL))
			engine_notice(e, LOG_LEVEL_NOTICE,
			              "rule=" SLICE_FMT " msg=\"changed: it starts with empty windows\"",
			              SLICE_ARG(to->id));
		put_idle(e, was[i].idle.first, same);
		flaps_carry(e, to, was[i].flaps, same);
	}
}

/* The rule stays and is the same to its alert, but may have changed its mode or its condition. */
static void adapt(struct engine *e, struct alert *a, const struct rule *r, bool same)
{
	if (!same)
		window_reform(e->windows, a->window, r);
	if (!a->trial || r->mode != MODE_LIVE)
		return;
	a->trial = false;
	a->no_incident = r->incident.none;
	if (a->state == ALERT_OPEN && !a->muted)
		alert_change(e, a, ALERT_CHANGE_UNMUTED);
}

static void judge_alert(struct engine *e, struct alert *a, const struct rule_set *old)
{
	const char *reason = reason_to_close(e, a);
	if (reason != NULL) {
		alert_close(e, a, reason);
		return;
	}
	const struct rule *r = running(e, slice_str(a->rule_id)),
	                  *before = rule_set_find(old, slice_str(a->rule_id));
	bool same = before != NULL && before->hash == r->hash;
	if (!same && a->state == ALERT_PENDING)
		alert_drop(e, a);
	else
		adapt(e, a, r, same);
}

static void judge_alerts(struct engine *e, const struct rule_set *old)
{
	size_t n;
	struct alert **v = alerts_by_order(e, &n);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->state != ALERT_CLOSED)
			judge_alert(e, v[i], old);
	}
	free(v);
}

/* After a load too: memberships follow from the open alerts alone. */
void mutes_rebuild(struct engine *e)
{
	size_t n;
	struct alert **v = alerts_by_order(e, &n);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->state == ALERT_OPEN)
			mute_join(e, v[i]);
	}
	free(v);
}

void windows_rules_changed(struct engine *e, const struct rule_set *old)
{
	struct windows *ws = e->windows;
	struct rule_state *was = ws->rules;
	mutes_free(e->alerts->mutes);
	e->alerts->mutes = mutes_new();
	ws->reloading = true;
	windows_rules(e);
	mutes_rules(e);
	hmap_clear(ws->flaps);
	renumber(e, was, old);
	carry_windows(e, was, old);
	judge_alerts(e, old);
	watch_forget(e);
	ws->reloading = false;
	ws->expected = false;
	windows_begin(e);
	mutes_rebuild(e);
	free(was);
}
