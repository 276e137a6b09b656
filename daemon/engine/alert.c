/* Promises the life of an alert: pending -> open -> closed, each step at its moment (language.md sections 6
 * and 17; correlation.md section 4, "Calm is counted once"), and that correlation hears of it once the whole
 * event has been judged. Must not know episodes and incidents. */
#include "engine/alert.h"

#include <stdlib.h>

enum { RECENT_MAX = 1000, GONE_MAX = 100000 };

/* ---- lists */

struct alerts *alerts_new(void)
{
	struct alerts *al = xcalloc(1, sizeof *al);
	al->by_serial = hmap_new();
	al->mutes = mutes_new();
	return al;
}

struct alert *alert_new(void)
{
	struct alert *a = xcalloc(1, sizeof *a);
	a->rule = RULE_NONE;
	a->opened = a->calm = a->closed = a->timer = a->since = a->held = INSTANT_NONE;
	return a;
}

static void free_texts(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void alert_free(struct alert *a)
{
	char *texts[] = {a->rule_id, a->key,          a->muted_by, a->service, a->host,        a->port,
	                 a->source,  a->app,          a->peer,     a->summary, a->description, a->assign,
	                 a->title,   a->close_reason, a->runbook,  a->owner,   a->last_rid};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	free_texts(a->by_names, a->n_by);
	free_texts(a->by_values, a->n_by);
	free_texts(a->extra_names, a->n_extra);
	free_texts(a->extra_values, a->n_extra);
	free_texts(a->group_names, a->n_group);
	free_texts(a->group_values, a->n_group);
	for (size_t i = 0; i < a->n_head; i++)
		free(a->head[i].text);
	for (size_t i = 0; i < a->n_tail; i++)
		free(a->tail[i].text);
	free(a);
}

void alerts_free(struct engine *e)
{
	struct alerts *al = e->alerts;
	mutes_free(al->mutes);
	for (struct alert *a = al->all.first, *next; a != NULL; a = next) {
		next = a->next;
		alert_free(a);
	}
	hmap_free(al->by_serial);
	free(al->changes);
	free(al->gone);
	free(al);
	e->alerts = NULL;
}

void alerts_link(struct engine *e, struct alert *a)
{
	struct alert_list *all = &e->alerts->all;
	a->prev = all->last;
	a->next = NULL;
	*(all->last != NULL ? &all->last->next : &all->first) = a;
	all->last = a;
	BUG_ON(hmap_put(e->alerts->by_serial, key_u64(&a->serial), a) != NULL);
}

static void alerts_unlink(struct engine *e, struct alert *a)
{
	struct alert_list *all = &e->alerts->all;
	*(a->prev != NULL ? &a->prev->next : &all->first) = a->next;
	*(a->next != NULL ? &a->next->prev : &all->last) = a->prev;
	BUG_ON(hmap_del(e->alerts->by_serial, key_u64(&a->serial)) != a);
}

/* Live ones stand in the list of their rule, released ones in that of the recent ones. */
static struct alert_list *list_of(struct engine *e, const struct alert *a)
{
	if (a->released)
		return &e->alerts->recents;
	return a->rule != RULE_NONE ? &e->windows->rules[a->rule].live : NULL;
}

static void list_append(struct alert_list *l, struct alert *a)
{
	a->older = l->last;
	a->newer = NULL;
	*(l->last != NULL ? &l->last->newer : &l->first) = a;
	l->last = a;
}

static void list_remove(struct alert_list *l, struct alert *a)
{
	*(a->older != NULL ? &a->older->newer : &l->first) = a->newer;
	*(a->newer != NULL ? &a->newer->older : &l->last) = a->older;
	a->older = a->newer = NULL;
}

void alerts_live_link(struct engine *e, struct alert *a)
{
	struct alert_list *l = list_of(e, a);
	if (l != NULL)
		list_append(l, a);
	if (a->rule != RULE_NONE)
		e->windows->rules[a->rule].n_alerts++;
	e->alerts->live++;
}

void alerts_live_unlink(struct engine *e, struct alert *a)
{
	struct alert_list *l = list_of(e, a);
	if (l != NULL)
		list_remove(l, a);
	if (a->rule != RULE_NONE)
		e->windows->rules[a->rule].n_alerts--;
	e->alerts->live--;
}

void alerts_recent_link(struct engine *e, struct alert *a)
{
	BUG_ON(a->state != ALERT_CLOSED || !a->released);
	list_append(&e->alerts->recents, a);
	e->alerts->recent++;
}

static void touch_order(struct engine *e, struct alert *a)
{
	a->touched = ++e->alerts->touch;
	if (a->rule == RULE_NONE)
		return;
	list_remove(list_of(e, a), a);
	list_append(list_of(e, a), a);
}

struct alert *alert_find(struct engine *e, uint64_t serial)
{
	return hmap_get(e->alerts->by_serial, key_u64(&serial));
}

const struct rule *alert_rule(const struct engine *e, const struct alert *a)
{
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	return a->rule < n ? &rules[a->rule] : NULL;
}

/* ---- rows to be written, changes to be told */

void alert_touch(struct engine *e, struct alert *a)
{
	if (a->dirty)
		return;
	a->dirty = true;
	a->prev_dirty = NULL;
	a->next_dirty = e->alerts->dirty;
	if (a->next_dirty != NULL)
		a->next_dirty->prev_dirty = a;
	e->alerts->dirty = a;
}

static void row_gone(struct alerts *al, const struct alert *a)
{
	if (al->n_gone >= GONE_MAX) /* nobody looks: a replay */
		return;
	al->gone = array_reserve(al->gone, &al->cap_gone, al->n_gone + 1, sizeof *al->gone);
	al->gone[al->n_gone++] = a->id;
}

static void undirty(struct alerts *al, struct alert *a)
{
	if (!a->dirty)
		return;
	*(a->prev_dirty != NULL ? &a->prev_dirty->next_dirty : &al->dirty) = a->next_dirty;
	if (a->next_dirty != NULL)
		a->next_dirty->prev_dirty = a->prev_dirty;
	a->dirty = false;
	row_gone(al, a); /* its last words were never written: better no row than an old one */
}

static void destroy(struct engine *e, struct alert *a)
{
	BUG_ON(a->window != NULL || a->mutes != NULL);
	undirty(e->alerts, a);
	alerts_unlink(e, a);
	alert_free(a);
}

void alert_change(struct engine *e, struct alert *a, enum alert_change what)
{
	struct alerts *al = e->alerts;
	alert_touch(e, a);
	al->changes = array_reserve(al->changes, &al->cap_changes, al->n_changes + 1, sizeof *al->changes);
	al->changes[al->n_changes++] = (struct change){a, what};
}

static void forget_oldest(struct engine *e)
{
	struct alerts *al = e->alerts;
	while (al->recent > RECENT_MAX) {
		struct alert *a = al->recents.first;
		list_remove(&al->recents, a);
		al->recent--;
		destroy(e, a);
	}
}

void alert_release(struct engine *e, struct alert *a)
{
	if (a->state != ALERT_CLOSED || a->released)
		return;
	a->released = true;
	a->touched = ++e->alerts->touch;
	alerts_recent_link(e, a);
}

static void tell(struct engine *e, struct alert *a, enum alert_change what)
{
	if (what == ALERT_CHANGE_OPENED)
		a->announced = true;
	correlation_alert(e, a, what);
	if (what == ALERT_CHANGE_CLOSED && a->episode == NULL && a->incident == 0)
		alert_release(e, a);
}

bool alerts_tell(struct engine *e)
{
	struct alerts *al = e->alerts;
	bool any = mutes_settle(e);
	size_t n = al->n_changes;
	for (; al->told < n; al->told++) {
		struct change c = al->changes[al->told];
		tell(e, c.alert, c.what);
		any = true;
	}
	if (al->told < al->n_changes) /* telling made new ones */
		return true;
	al->told = al->n_changes = 0;
	forget_oldest(e);
	return any;
}

/* ---- deadlines */

static instant after(instant t, duration d)
{
	instant sum;
	return __builtin_add_overflow(t, d, &sum) ? INT64_MAX : sum;
}

/* When fewer than n events stand in the last `clear_within`; the first such window begins with the alert's.
 */
static instant fewer_at(const struct alert *a)
{
	if (a->clear_fewer_than == 0 || a->window == NULL)
		return INT64_MAX;
	instant nth = window_nth(a->window, a->clear_fewer_than);
	return after(MAX(nth, a->first), a->clear_within);
}

static instant deadline(const struct alert *a)
{
	if (a->state == ALERT_OPEN && a->calm != INSTANT_NONE)
		return after(a->calm, a->close_after);
	instant end = MIN(after(a->held, a->quiet), fewer_at(a));
	return a->state == ALERT_PENDING ? MIN(end, after(a->since, a->open_after)) : end;
}

void alert_arm(struct engine *e, struct alert *a)
{
	instant at = deadline(a);
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
	e->stats.opened++;
	e->windows->rules[a->rule].opened++;
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
	a->clear_within = r->clear_within;
}

void alert_begin(struct engine *e, const struct rule *r, struct window *w, const struct occasion *o,
                 instant first, uint32_t count)
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
	alert_render(e, r, a, o->f);
	alert_note(e, a, o->f);
	alert_touch(e, a);
	if (a->open_after <= 0)
		open_now(e, a);
	alert_arm(e, a);
}

/* ---- while it lives */

void alert_repeat(struct engine *e, const struct rule *r, struct alert *a, const struct occasion *o,
                  bool holds)
{
	a->count++;
	a->last = e->now;
	if (holds || a->calm != INSTANT_NONE)
		a->held = e->now;
	a->calm = INSTANT_NONE;
	if (a->stateless && (o->state_set || o->own)) {
		a->stateless = false; /* its sender says clear as well */
		a->quiet = quiet_of(e, r, false);
	}
	enum severity s = severity_of(r, o->f);
	bool worse = s > a->severity;
	a->severity = MAX(s, a->severity);
	alert_note(e, a, o->f);
	touch_order(e, a);
	if (e->windows->rules[r->number].counts_in_summary)
		alert_render_summary(e, r, a, o->f);
	alert_touch(e, a);
	alert_arm(e, a);
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
	window_empty(w);
	window_idle(e->windows, w);
}

void alert_drop(struct engine *e, struct alert *a)
{
	BUG_ON(a->state != ALERT_PENDING);
	leave_window(e, a);
	alerts_live_unlink(e, a);
	if (!a->dirty)
		row_gone(e->alerts, a);
	destroy(e, a);
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

/* The condition has ended at `calm`. */
static void calm_down(struct engine *e, struct alert *a, instant calm, const char *reason)
{
	if (a->state == ALERT_PENDING) {
		alert_drop(e, a);
		return;
	}
	a->calm = calm;
	free(a->close_reason);
	a->close_reason = xstrdup(reason);
	if (after(calm, a->close_after) <= e->now) {
		alert_close(e, a, reason);
		return;
	}
	window_empty(a->window);
	alert_change(e, a, ALERT_CHANGE_CALM);
	alert_arm(e, a);
}

void alert_clear(struct engine *e, struct alert *a, const char *reason)
{
	if (a->state == ALERT_PENDING || a->calm == INSTANT_NONE)
		calm_down(e, a, e->now, reason);
}

static void quiet_reason(const struct alert *a, struct buf *b)
{
	buf_str(b, "quiet for ");
	duration_format(a->quiet, b);
}

static void condition_over(struct engine *e, struct alert *a)
{
	instant quiet = after(a->held, a->quiet), fewer = fewer_at(a);
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
	a->timer = INSTANT_NONE;
	if (e->now < deadline(a)) {
		alert_arm(e, a);
		return;
	}
	if (a->state == ALERT_OPEN && a->calm != INSTANT_NONE) {
		struct buf reason = {0};
		buf_str(&reason, a->close_reason != NULL ? a->close_reason : "calm");
		alert_close(e, a, buf_cstr(&reason));
		buf_free(&reason);
	} else if (e->now >= MIN(after(a->held, a->quiet), fewer_at(a))) {
		condition_over(e, a);
	} else {
		open_now(e, a);
		alert_arm(e, a);
	}
}
