/* Promises that the same inputs give the same state: time, numbers and ids come from inputs only, and
 * whatever is due runs before the input, each instant on its own, as if a tick had come in time. Must not
 * know what windows, alerts and incidents mean. */
#include "engine/during.h"
#include "engine/silence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LAST_MAX = 16 << 20 }; /* octets */
enum { ROUNDS_MAX = 1000 }; /* of one instant: each closes or opens something, the rule graph has no cycle */

void effects_init(struct effects *fx)
{
	*fx = (struct effects){0};
}

void effects_reset(struct effects *fx)
{
	buf_clear(&fx->ops);
	buf_clear(&fx->reply);
	buf_clear(&fx->withdrawn);
	buf_clear(&fx->notices);
	fx->n_ops = 0;
}

void effects_free(struct effects *fx)
{
	buf_free(&fx->ops);
	buf_free(&fx->reply);
	buf_free(&fx->withdrawn);
	buf_free(&fx->notices);
	effects_init(fx);
}

struct engine *engine_new(const struct engine_setup *s)
{
	BUG_ON(s->config == NULL || s->rules == NULL || s->map == NULL);
	struct engine *e = xcalloc(1, sizeof *e);
	e->setup = *s;
	e->now = INSTANT_NONE;
	e->matcher = matcher_new(s->rules);
	e->scratch = arena_new(0);
	during_new(e);
	silences_new(e);
	e->windows = windows_new(e);
	e->correlation = correlation_new(e);
	return e;
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	e->observer = NULL;
	correlation_free(e);
	windows_free(e);
	silences_free(e);
	during_free(e);
	matcher_free(e->matcher);
	heap_free(&e->timers);
	buf_free(&e->last);
	arena_free(e->scratch);
	free(e);
}

instant engine_due(const struct engine *e)
{
	struct heap_item it;
	return heap_peek(&e->timers, &it) ? it.at : INSTANT_NONE;
}

instant engine_now(const struct engine *e)
{
	return e->now;
}

uint64_t engine_seq(const struct engine *e)
{
	return e->seq;
}

uint64_t engine_serial(struct engine *e)
{
	return ++e->serial;
}

struct ulid engine_id(struct engine *e)
{
	char text[320];
	int n = snprintf(text, sizeof text, "%.250s/%llu/%u", e->setup.config->instance,
	                 (unsigned long long)e->seq, e->id_counter++);
	BUG_ON(n < 0 || (size_t)n + 2 >= sizeof text);
	text[n] = '/'; /* two different texts, one hash each */
	uint64_t lo = hash_stable(slice_of(text, (size_t)n)), hi = hash_stable(slice_of(text, (size_t)n + 1));
	return ulid_make(e->now, hi, lo);
}

void engine_timer(struct engine *e, instant at, enum timer_kind kind, uint64_t object)
{
	BUG_ON(at == INSTANT_NONE);
	heap_push(&e->timers, MAX(at, e->now), (uint32_t)kind, object);
}

void engine_notice(struct engine *e, enum log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	if (e->fx == NULL)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	BUG_ON(n < 0);
	buf_u8(&e->fx->notices, (uint8_t)level);
	buf_lslice(&e->fx->notices,
	           text_clean(e->scratch, slice_of(text, MIN((size_t)n, sizeof text - 1)), sizeof text));
}

/* Everything that follows from what has just happened, until nothing is left. */
static void settle(struct engine *e)
{
	int rounds = 0;
	do {
		while (windows_work(e))
			;
		if (silences_changed(e))
			correlation_maintenance_changed(e);
		correlation_settle(e);
	} while (windows_work(e) && !DOUBT(++rounds > ROUNDS_MAX));
}

static void run_timer(struct engine *e, const struct heap_item *it)
{
	switch ((enum timer_kind)it->kind) {
	case TIMER_WINDOW:
	case TIMER_ALERT: windows_timer(e, (enum timer_kind)it->kind, it->object); break;
	case TIMER_EPISODE:
	case TIMER_INCIDENT:
	case TIMER_LANE:
	case TIMER_DESTINATION:
	case TIMER_CAUSE: correlation_timer(e, (enum timer_kind)it->kind, it->object); break;
	case TIMER_SILENCE: silences_timer(e); break;
	case TIMER_CALENDAR: break; /* it had its turn at the beginning of the instant */
	case TIMER_KINDS: (void)DOUBT(true); break;
	}
}

/* Deadlines of keys and alerts, all of them; the others wait in `rest`. */
static size_t run_keys(struct engine *e, instant due, struct heap_item **rest)
{
	struct heap_item it;
	size_t n = 0, cap = 0;
	while (heap_peek(&e->timers, &it) && it.at <= due && heap_pop(&e->timers, &it)) {
		if (it.kind == TIMER_WINDOW || it.kind == TIMER_ALERT) {
			run_timer(e, &it);
			continue;
		}
		*rest = array_reserve(*rest, &cap, n + 1, sizeof it);
		(*rest)[n++] = it;
	}
	return n;
}

static void judge_own_events(struct engine *e)
{
	while (windows_work(e))
		;
}

/* All that is due at the earliest instant up to `at`. First the deadlines of all keys, then the events that
 * they cause (17.1): so no rule can see which one had its turn first. */
static bool run_instant(struct engine *e, instant at)
{
	struct heap_item it;
	if (!heap_peek(&e->timers, &it) || it.at > at)
		return false;
	instant due = MAX(it.at, e->now);
	e->now = due;
	during_turn(e);
	while (heap_peek(&e->timers, &it) && it.at <= due) {
		struct heap_item *rest = NULL;
		size_t n = run_keys(e, due, &rest);
		judge_own_events(e);
		for (size_t i = 0; i < n; i++) {
			run_timer(e, &rest[i]);
			judge_own_events(e);
		}
		free(rest);
	}
	during_tell(e);
	settle(e);
	return true;
}

static void run_due(struct engine *e, instant at)
{
	instant before = INSTANT_NONE;
	for (int rounds = 0; run_instant(e, at);) {
		rounds = e->now == before ? rounds + 1 : 0;
		before = e->now;
		if (DOUBT(rounds > ROUNDS_MAX))
			break;
	}
}

static void take_event(struct engine *e, struct slice payload)
{
	struct event_frame ev;
	if (DOUBT(!event_frame_decode(payload, &ev)))
		return;
	windows_event(e, &ev);
}

static void take_command(struct engine *e, struct slice payload)
{
	struct jw w = jw_new(&e->fx->reply);
	struct error err;
	const struct json *cmd = json_parse(e->scratch, payload, JSON_LIMITS, NULL, &err);
	jw_object(&w);
	if (cmd == NULL || cmd->kind != JSON_OBJECT) {
		jw_kbool(&w, "ok", false);
		jw_kstr(&w, "error", "the command is not a JSON object");
		jw_kint(&w, "status", 400);
	} else if (!silences_command(e, cmd, &w)) {
		correlation_command(e, cmd, &w);
	}
	jw_end(&w);
}

void engine_ask(struct engine *e, struct slice question, struct buf *answer)
{
	struct jw w = jw_new(answer);
	struct error err;
	BUG_ON(e->fx != NULL); /* never from inside a step */
	arena_reset(e->scratch);
	const struct json *q = json_parse(e->scratch, question, JSON_LIMITS, NULL, &err);
	jw_object(&w);
	if (q != NULL && q->kind == JSON_OBJECT) {
		correlation_inquire(e, q, &w);
	} else {
		jw_kbool(&w, "ok", false);
		jw_kstr(&w, "error", "the question is not a JSON object");
		jw_kint(&w, "status", 400);
	}
	jw_end(&w);
}

static void take_result(struct engine *e, struct slice payload)
{
	struct ticket_result r;
	if (!DOUBT(!ticket_result_decode(payload, &r)))
		correlation_ticket_result(e, &r);
}

static void take_rules(struct engine *e, const struct engine_setup *next)
{
	if (DOUBT(next == NULL || next->rules == NULL || next->config == NULL))
		return;
	const struct rule_set *old = e->setup.rules;
	e->setup.rules = next->rules;
	e->setup.config = next->config;
	matcher_free(e->matcher);
	e->matcher = matcher_new(next->rules);
	during_rules_changed(e);
	silences_rules_changed(e);
	windows_rules_changed(e, old);
	correlation_rules_changed(e);
}

static void take_map(struct engine *e, const struct engine_setup *next, struct slice hash)
{
	if (DOUBT(next == NULL || next->map == NULL))
		return;
	struct slice rev = text_clean(e->scratch, hash, sizeof e->map_rev - 1);
	memset(e->map_rev, 0, sizeof e->map_rev);
	memcpy(e->map_rev, rev.p != NULL ? rev.p : "", MIN(rev.n, sizeof e->map_rev - 1));
	const struct service_map *old = e->setup.map;
	e->setup.map = next->map;
	correlation_map_changed(e, old);
	silences_map_changed(e);
}

static void take_input(struct engine *e, const struct engine_input *in)
{
	switch (in->kind) {
	case FRAME_EVENT: take_event(e, in->payload); break;
	case FRAME_TICKET_RESULT: take_result(e, in->payload); break;
	case FRAME_COMMAND: take_command(e, in->payload); break;
	case FRAME_TICKET_HINT: correlation_ticket_hint(e, in->payload); break;
	case INPUT_RULES: take_rules(e, in->setup); break;
	case INPUT_MAP: take_map(e, in->setup, in->payload); break;
	case INPUT_RESUME: correlation_resume(e); break;
	case INPUT_START: correlation_started(e); break;
	case INPUT_TICK: break;
	default: (void)DOUBT(true); break; /* kinds of frames that are no inputs */
	}
}

static duration downtime(struct slice payload)
{
	struct reader r = reader_of(payload);
	uint64_t d = read_u64(&r);
	return r.ok && d < INT64_MAX ? (duration)d : 0;
}

void engine_step(struct engine *e, const struct engine_input *in, struct effects *fx)
{
	BUG_ON(e->fx != NULL);
	instant at = in->at;
	if (DOUBT(e->now != INSTANT_NONE && at < e->now))
		at = e->now;
	e->fx = fx;
	e->seq = in->seq;
	e->id_counter = 0;
	arena_reset(e->scratch);
	if (in->kind == INPUT_RESUME)
		windows_resume(e, downtime(in->payload)); /* before what seems overdue runs */
	run_due(e, at);
	e->now = at;
	during_start(e);
	silences_start(e);
	windows_begin(e);
	take_input(e, in);
	settle(e);
	e->fx = NULL;
}

void engine_stats(const struct engine *e, struct engine_stats *out)
{
	*out = e->stats;
	alerts_stats(e, out);
	correlation_stats(e, out);
}

void engine_last_row(void *arg, const struct engine_view *v)
{
	struct engine *e = arg;
	if (e->last.n > LAST_MAX)
		return;
	buf_u8(&e->last, (uint8_t)v->kind);
	buf_lslice(&e->last, v->id);
	buf_lslice(&e->last, v->parent);
	buf_lslice(&e->last, v->state);
	buf_u64(&e->last, (uint64_t)v->updated);
	buf_lslice(&e->last, v->json);
}

static void last_rows(struct engine *e, void (*row)(void *arg, const struct engine_view *v), void *arg)
{
	struct reader r = reader_of(buf_slice(&e->last));
	while (r.at < r.n) {
		struct engine_view v = {.kind = read_u8(&r)};
		v.id = read_lslice(&r);
		v.parent = read_lslice(&r);
		v.state = read_lslice(&r);
		v.updated = (instant)read_u64(&r);
		v.json = read_lslice(&r);
		BUG_ON(!r.ok);
		row(arg, &v);
	}
	buf_clear(&e->last);
}

void engine_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v), void *arg)
{
	if (row == NULL) {
		buf_clear(&e->last);
		alerts_unmark(e);
		correlation_unmark(e);
		return;
	}
	last_rows(e, row, arg);
	alerts_views(e, all, row, arg);
	correlation_views(e, all, row, arg);
	silences_views(e, all, row, arg);
}

void engine_each_incident(const struct engine *e, void (*fn)(void *arg, const struct incident_look *i),
                          void *arg)
{
	correlation_each_incident(e, fn, arg);
}

bool engine_prepare_event(struct matcher *m, const struct service_map *map, struct fields *f,
                          instant received, const struct ulid *id, struct buf *out)
{
	if (!matcher_decode(m, f))
		return false;
	matcher_resolve(m, map, f);
	const uint32_t *hits;
	size_t n = matcher_match(m, f, &hits);
	if (n == 0)
		return false;
	struct buf evt = {0};
	evt_encode(f, id, received, &evt);
	struct error err;
	const struct evt *checked = evt_check(buf_slice(&evt), &err);
	BUG_ON(checked == NULL);
	/* generation 0: an engine whose rule set has another one matches again, with the same result */
	event_frame_encode(0, 0, 0, hits, n, checked, out);
	buf_free(&evt);
	return true;
}
