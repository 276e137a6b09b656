/* Promises which silences are in force at the engine's time, and that alerts and services are looked at again
 * exactly when that changes. Must not know incidents. */
#include "engine/silence.h"

#include <stdlib.h>

#include "engine/alert.h"
#include "engine/during.h"

void silence_free(struct silence *s)
{
	char *texts[] = {s->id, s->match_json, s->reason, s->owner, s->by, s->during};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	free(s);
}

struct silence *silence_append(struct silences *ss)
{
	struct silence *s = xcalloc(1, sizeof *s);
	s->created = s->from = s->until = s->edge = INSTANT_NONE;
	ss->v = array_reserve(ss->v, &ss->cap, ss->n + 1, sizeof *ss->v);
	ss->v[ss->n++] = s;
	return s;
}

static char *keep(struct slice s)
{
	return s.n > 0 ? slice_dup(s) : NULL;
}

/* Those of the rule files take the front of the list. */
static void add_files(struct engine *e)
{
	struct silences *ss = e->silences;
	size_t n, n_runtime = ss->n;
	const struct rule_silence *rs = rule_set_silences(e->setup.rules, &n);
	struct silence **runtime = ss->v;
	ss->v = NULL;
	ss->n = ss->cap = 0;
	for (size_t i = 0; i < n; i++) {
		struct silence *s = silence_append(ss);
		s->id = slice_dup(rs[i].id);
		s->match = rs[i].match;
		s->matcher = e->matcher;
		s->reason = slice_dup(rs[i].reason);
		s->owner = keep(rs[i].owner);
		s->from = rs[i].from;
		s->until = rs[i].until;
		s->during = keep(rs[i].during);
		s->dependents = rs[i].include_dependents;
	}
	ss->n_files = n;
	for (size_t i = 0; i < n_runtime; i++) {
		ss->v = array_reserve(ss->v, &ss->cap, ss->n + 1, sizeof *ss->v);
		ss->v[ss->n++] = runtime[i];
	}
	free(runtime);
}

static void drop_files(struct silences *ss)
{
	for (size_t i = 0; i < ss->n_files; i++)
		silence_free(ss->v[i]);
	ss->n -= ss->n_files;
	if (ss->n_files > 0)
		memmove(ss->v, ss->v + ss->n_files, ss->n * sizeof *ss->v);
	ss->n_files = 0;
}

struct silences *silences_new(struct engine *e)
{
	e->silences = xcalloc(1, sizeof *e->silences);
	e->silences->next = INSTANT_NONE;
	add_files(e);
	return e->silences;
}

void silences_free(struct engine *e)
{
	struct silences *ss = e->silences;
	for (size_t i = 0; i < ss->n; i++)
		silence_free(ss->v[i]);
	maintained_free(ss->services, ss->n_services);
	matcher_free(ss->matcher);
	rule_set_free(ss->runtime);
	for (size_t i = 0; i < ss->n_shown; i++)
		free(ss->shown[i]);
	free(ss->shown);
	free(ss->v);
	free(ss);
	e->silences = NULL;
}

/* ---- who is in force */

static void judge_until(struct silence *s, instant now)
{
	if (s->from != INSTANT_NONE && now < s->from) {
		s->edge = s->from;
		return;
	}
	s->active = s->until != INSTANT_NONE && now < s->until;
	s->edge = s->active ? s->until : INSTANT_NONE;
}

/* One whose calendar is gone is never in force. */
static void judge_during(const struct engine *e, struct silence *s)
{
	uint32_t c = during_find(e, slice_str(s->during));
	s->gone = c == CALENDAR_NONE;
	if (s->gone)
		return;
	s->active = during_active(e, c);
	s->edge = during_edge(e, c);
}

/* True if it has begun or ended. */
static bool judge(const struct engine *e, struct silence *s)
{
	bool was = s->active;
	s->active = s->gone = false;
	s->edge = INSTANT_NONE;
	if (s->during == NULL)
		judge_until(s, e->now);
	else
		judge_during(e, s);
	return s->active != was;
}

static instant earlier(instant a, instant b)
{
	if (a == INSTANT_NONE || b == INSTANT_NONE)
		return a == INSTANT_NONE ? b : a;
	return MIN(a, b);
}

static void arm(struct engine *e)
{
	struct silences *ss = e->silences;
	instant at = maintained_edge(e);
	for (size_t i = 0; i < ss->n; i++)
		at = ss->v[i]->during == NULL ? earlier(at, ss->v[i]->edge)
		                              : at; /* calendars have their own */
	if (at == INSTANT_NONE || (ss->next != INSTANT_NONE && ss->next <= at))
		return; /* that one comes first and looks again */
	ss->next = at;
	engine_timer(e, at, TIMER_SILENCE, 0);
}

/* One made at run time has an end of its own, and then nobody needs it any more. */
static bool over(const struct silence *s, instant now)
{
	return s->match_json != NULL && s->until != INSTANT_NONE && s->until <= now;
}

static void drop_over(struct engine *e)
{
	struct silences *ss = e->silences;
	size_t kept = ss->n_files;
	for (size_t i = ss->n_files; i < ss->n; i++) {
		struct silence *s = ss->v[i];
		if (!over(s, e->now)) {
			ss->v[kept++] = s;
			continue;
		}
		ss->dirty = true;
		engine_notice(e, LOG_LEVEL_NOTICE, "silence=%s msg=\"over: %s\"", s->id, s->reason);
		silence_free(s);
	}
	ss->n = kept;
}

static void recheck_alerts(struct engine *e)
{
	size_t n;
	struct alert **v = alerts_by_order(e, &n);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->state == ALERT_OPEN)
			mute_check(e, v[i]);
	}
	free(v);
}

void silences_refresh(struct engine *e, bool recheck)
{
	struct silences *ss = e->silences;
	bool changed = recheck;
	for (size_t i = 0; i < ss->n; i++)
		changed = judge(e, ss->v[i]) || changed;
	if (changed) {
		recheck_alerts(e);
		ss->dirty = true;
	}
	maintained_update(e);
	drop_over(e);
	arm(e);
}

void silences_restore(struct engine *e)
{
	for (size_t i = 0; e->silences->started && i < e->silences->n; i++)
		(void)judge(e, e->silences->v[i]);
	e->silences->dirty = true;
}

void silences_start(struct engine *e)
{
	if (e->silences->started)
		return;
	e->silences->started = true;
	silences_refresh(e, true);
}

void silences_timer(struct engine *e)
{
	if (e->now < e->silences->next || e->silences->next == INSTANT_NONE)
		return;
	e->silences->next = INSTANT_NONE;
	silences_refresh(e, false);
}

void silences_rules_changed(struct engine *e)
{
	drop_files(e->silences);
	add_files(e);
	if (e->silences->started)
		silences_refresh(e, true);
}

void silences_map_changed(struct engine *e)
{
	if (e->silences->started && e->silences->n > 0)
		silences_refresh(e, true);
}

bool silences_changed(struct engine *e)
{
	bool changed = e->silences->changed;
	e->silences->changed = false;
	return changed;
}

/* ---- whom they mute */

bool silence_any(const struct engine *e)
{
	const struct silences *ss = e->silences;
	for (size_t i = 0; i < ss->n; i++) {
		if (ss->v[i]->active)
			return true;
	}
	return false;
}

static bool fits(struct engine *e, const struct silence *s, struct fields *f)
{
	matcher_resolve(s->matcher, e->setup.map, f);
	return matcher_test(s->matcher, s->match, f);
}

/* By its condition, or because the service is named in another of its names. */
static bool marks(struct engine *e, const struct silence *s, const struct alert *a, struct fields *f)
{
	if (fits(e, s, f))
		return true;
	size_t n;
	const struct maintained *v = silence_services(e, &n);
	for (size_t i = 0; s->dependents && a->service != NULL && i < n; i++) {
		if (v[i].running && strcmp(v[i].service, a->service) == 0 && strcmp(v[i].silence, s->id) == 0)
			return true;
	}
	return false;
}

const struct silence *silence_of(struct engine *e, const struct alert *a)
{
	const struct silences *ss = e->silences;
	const struct silence *found = NULL;
	struct fields f;
	if (!silence_any(e))
		return NULL;
	fields_init(&f, e->scratch);
	alert_silence_fields(e, a, &f);
	for (size_t i = 0; i < ss->n && (found == NULL || found->dependents); i++) {
		const struct silence *s = ss->v[i];
		bool better = s->active && (found == NULL || !s->dependents);
		if (better && (s->dependents ? marks(e, s, a, &f) : fits(e, s, &f)))
			found = s;
	}
	fields_free(&f);
	return found;
}

bool silence_fits(struct engine *e, const struct silence *s, const struct alert *a)
{
	struct fields f;
	fields_init(&f, e->scratch);
	alert_silence_fields(e, a, &f);
	bool yes = s->dependents ? marks(e, s, a, &f) : fits(e, s, &f);
	fields_free(&f);
	return yes;
}
