/* See api.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/api.h"
#include "model/schema_doc.h"
#include "rules/schema_json.h"

#define LIST_MAX 10000u

void api_close(struct api *a)
{
	if (a->views != NULL)
		view_reader_close(a->views);
	a->views = NULL;
	buf_free(&a->map_state);
}

void api_problem(struct api_answer *answer, int status, const char *fmt, ...)
{
	char text[512];
	struct jw w;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_clear(&answer->body);
	answer->status = status;
	answer->type = "application/problem+json";
	w = jw_new(&answer->body);
	jw_object(&w);
	jw_kstr(&w, "type", "about:blank");
	jw_kstr(&w, "title", text);
	jw_kint(&w, "status", status);
	jw_end(&w);
	buf_char(&answer->body, '\n');
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool api_query(struct slice query, const char *name, struct buf *out)
{
	struct slice pair, key;

	buf_clear(out);
	while (query.n > 0 && slice_split(&query, '&', &pair)) {
		if (!slice_split(&pair, '=', &key) || !slice_is(key, name))
			continue;
		for (size_t i = 0; i < pair.n; i++) {
			if (pair.p[i] == '%' && i + 2 < pair.n && hex(pair.p[i + 1]) >= 0 && hex(pair.p[i + 2]) >= 0) {
				buf_char(out, (char)(hex(pair.p[i + 1]) * 16 + hex(pair.p[i + 2])));
				i += 2;
			} else {
				buf_char(out, pair.p[i] == '+' ? ' ' : pair.p[i]);
			}
		}
		return true;
	}
	return false;
}

/* ---- lists of view rows */

struct list {
	struct buf *out;
	size_t n;
	struct slice want;      /* of services: hurt or root; of owners */
	const char *want_key;
};

static void add_row(void *arg, const struct view_row *r)
{
	struct list *l = arg;

	buf_str(l->out, l->n++ > 0 ? ",\n" : "\n");
	buf_adds(l->out, r->json);
}

static bool open_views(struct api *a, struct api_answer *answer)
{
	struct error err;

	if (a->views == NULL)
		a->views = view_reader_open(a->state_dir, &err);
	if (a->views != NULL)
		return true;
	api_problem(answer, 503, "the state cannot be read yet: %s", err.text);
	return false;
}

/* The next request opens it anew. */
static void cannot_read(struct api *a, struct api_answer *answer, const struct error *err)
{
	view_reader_close(a->views);
	a->views = NULL;
	api_problem(answer, 500, "the state cannot be read: %s", err->text);
}

static void list(struct api *a, struct api_answer *answer, const char *name, struct view_query *q)
{
	struct list l = {.out = &answer->body};
	struct error err;

	if (!open_views(a, answer))
		return;
	q->limit = q->limit != 0 ? MIN(q->limit, LIST_MAX) : LIST_MAX;
	buf_printf(&answer->body, "{\"%s\":[", name);
	if (view_reader_query(a->views, q, add_row, &l, &err) < 0) {
		cannot_read(a, answer, &err);
		return;
	}
	buf_str(&answer->body, "]}\n");
}

/* The one row whose id begins with what was given. */
struct one {
	struct buf *out;
	struct buf id;
	size_t n;
};

static void take_one(void *arg, const struct view_row *r)
{
	struct one *o = arg;

	if (o->n++ > 0)
		return;
	buf_adds(o->out, r->json);
	buf_adds(&o->id, r->id);
}

static bool find_one(struct api *a, struct api_answer *answer, enum view_kind kind, struct slice id, const char *what, struct one *o)
{
	struct view_query q = {.kind = kind, .id = id, .prefix = kind != VIEW_SERVICE && kind != VIEW_RULE, .limit = 2};
	struct error err;

	*o = (struct one){.out = &answer->body};
	if (!open_views(a, answer))
		return false;
	if (view_reader_query(a->views, &q, take_one, o, &err) < 0)
		cannot_read(a, answer, &err);
	else if (o->n == 0)
		api_problem(answer, 404, "there is no %s '" SLICE_FMT "'", what, SLICE_ARG(id));
	else if (o->n > 1)
		api_problem(answer, 409, "'" SLICE_FMT "' fits several; give more of the id", SLICE_ARG(id));
	else
		return true;
	return false;
}

static void incident(struct api *a, struct api_answer *answer, struct slice id, struct slice part)
{
	struct view_query q = {0};
	struct one o;

	if (!find_one(a, answer, VIEW_INCIDENT, id, "incident", &o)) {
		buf_free(&o.id);
		return;
	}
	if (part.n == 0) {
		buf_char(&answer->body, '\n');
	} else {
		buf_clear(&answer->body);
		q.parent = buf_slice(&o.id);
		q.kind = slice_is(part, "log") ? VIEW_LOG : slice_is(part, "alerts") ? VIEW_ALERT : VIEW_OUTBOX;
		list(a, answer, slice_is(part, "log") ? "log" : slice_is(part, "alerts") ? "alerts" : "outbox", &q);
	}
	buf_free(&o.id);
}

static void filtered(struct api *a, struct api_answer *answer, struct slice query, const char *name, enum view_kind kind)
{
	struct buf state = {0}, after = {0}, limit = {0};
	struct view_query q = {.kind = kind, .newest_first = kind == VIEW_INCIDENT};
	int64_t n = 0;

	if (api_query(query, "state", &state))
		q.state = buf_slice(&state);
	if (api_query(query, "after", &after))
		q.after = buf_slice(&after);
	if (api_query(query, "limit", &limit) && slice_int(buf_slice(&limit), &n) && n > 0)
		q.limit = (size_t)n;
	list(a, answer, name, &q);
	buf_free(&state);
	buf_free(&after);
	buf_free(&limit);
}

/* ---- health, status, configuration */

static bool core_turns(const struct api *a)
{
	uint64_t at = counter_read(a->counters, "carillon_core_turn_monotonic_seconds", "");

	/* by the clock that nobody sets: after a step the roles need not agree on the other one */
	return at != 0 && a->mono / SECOND - (instant)at <= 5;
}

static void check(struct jw *w, const char *name, bool ok, bool warning, const char *detail)
{
	jw_object(w);
	jw_kstr(w, "name", name);
	jw_kbool(w, "ok", ok);
	if (warning)
		jw_kbool(w, "warning", true);
	jw_kstr(w, "detail", detail);
	jw_end(w);
}

/* A stale map is a warning: how old the one in use is, and what is wrong with its source. */
static void check_map(struct api *a, struct jw *w)
{
	bool ok = counter_read(a->counters, "carillon_map_last_sync_successful", "") == 1;
	struct arena *arena = arena_new(4096);
	struct buf detail = {0};
	struct error err;
	struct json *state = a->map_state.n > 0 ? json_parse(arena, buf_slice(&a->map_state), JSON_LIMITS, NULL, &err) : NULL;
	struct slice at = json_text(json_get(state, "at")), error = json_text(json_get(state, "error"));

	if (ok)
		buf_str(&detail, "in step with its source");
	else if (at.n > 0)
		buf_printf(&detail, "stale: the last good map, of " SLICE_FMT ", serves", SLICE_ARG(at));
	else
		buf_str(&detail, "stale: the last good map serves");
	if (!ok && error.n > 0)
		buf_printf(&detail, "; " SLICE_FMT, SLICE_ARG(error));
	check(w, "map", ok, !ok, buf_cstr(&detail));
	buf_free(&detail);
	arena_free(arena);
}

static void ready(struct api *a, struct api_answer *answer)
{
	bool core = core_turns(a);
	uint64_t backlog = counter_read(a->counters, "carillon_queue_events", "queue=\"journal\"");
	uint64_t reload = counter_read(a->counters, "carillon_config_last_reload_successful", "");
	uint64_t reloaded = counter_read(a->counters, "carillon_config_last_reload_timestamp_seconds", "");
	struct jw w = jw_new(&answer->body);

	answer->status = core ? 200 : 503;
	answer->type = "application/json";
	jw_object(&w);
	jw_kbool(&w, "ready", core);
	jw_key(&w, "checks");
	jw_array(&w);
	check(&w, "core", core, false, core ? "turning" : "no sign of life for 5 s");
	check(&w, "journal", backlog < 50000, false, backlog < 50000 ? "writable" : "behind");
	check_map(a, &w);
	check(&w, "reload", reloaded == 0 || reload == 1, !(reloaded == 0 || reload == 1), reloaded == 0 || reload == 1 ? "none refused" : "the last one was refused");
	jw_array_end(&w);
	jw_end(&w);
	buf_char(&answer->body, '\n');
}

static void status_counters(struct api *a, struct jw *w)
{
	static const char *const names[] = {"carillon_events_received_total", "carillon_events_accepted_total", "carillon_events_dropped_total",
	                                    "carillon_events_unwanted_total", "carillon_incidents_opened_total", "carillon_ticket_outbox_entries",
	                                    "carillon_ticket_outbox_parked", "carillon_role_restarts_total", "carillon_map_services"};
	static const char *const keys[] = {"events_received", "events_accepted", "events_dropped", "events_unwanted", "incidents_opened", "outbox",
	                                   "outbox_parked", "role_restarts", "map_services"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		jw_kint(w, keys[i], (int64_t)counter_sum(a->counters, names[i]));
	jw_kint(w, "alerts_open", (int64_t)counter_read(a->counters, "carillon_alerts", "state=\"open\""));
	jw_kint(w, "journal_backlog", (int64_t)counter_read(a->counters, "carillon_queue_events", "queue=\"journal\""));
}

void api_tick(struct api *a, instant mono)
{
	a->readings[a->n_readings++ % API_READINGS] =
	    (struct api_reading){.mono = mono,
	                         .received = counter_sum(a->counters, "carillon_events_received_total"),
	                         .accepted = counter_sum(a->counters, "carillon_events_accepted_total"),
	                         .unwanted = counter_sum(a->counters, "carillon_events_unwanted_total")};
}

static void rate(struct jw *w, const char *key, uint64_t then, uint64_t now, duration span)
{
	/* counters begin anew with a role */
	double per_second = span > 0 && now >= then ? (double)(now - then) * (double)SECOND / (double)span : 0;
	char text[32];

	snprintf(text, sizeof text, "%.1f", per_second);
	jw_key(w, key);
	jw_raw(w, slice_str(text));
}

/* Events a second over the last minute, or since the start if that is less. */
static void rates(struct api *a, struct jw *w)
{
	size_t n = MIN(a->n_readings, API_READINGS);
	const struct api_reading none = {0};
	const struct api_reading *last = n > 0 ? &a->readings[(a->n_readings - 1) % API_READINGS] : &none,
	                         *first = n > 0 ? &a->readings[(a->n_readings - n) % API_READINGS] : &none;
	duration span = last->mono - first->mono;

	jw_key(w, "rates");
	jw_object(w);
	rate(w, "received", first->received, last->received, span);
	rate(w, "accepted", first->accepted, last->accepted, span);
	rate(w, "unwanted", first->unwanted, last->unwanted, span);
	jw_kint(w, "seconds", span / SECOND);
	jw_end(w);
}

/* ---- the rules that are hit most */

#define NOISY 5u

struct noisy {
	struct arena *arena;
	const struct json *v[NOISY];
	int64_t hits[NOISY];
};

static void noisy_row(void *arg, const struct view_row *r)
{
	struct noisy *x = arg;
	struct error err;
	const struct json *j = json_parse(x->arena, slice_str(arena_str(x->arena, r->json)), JSON_LIMITS, NULL, &err);
	int64_t hits = 0;
	size_t at = NOISY;

	if (j == NULL || !json_int(json_get(j, "hits"), &hits) || hits < 1)
		return;
	while (at > 0 && (x->v[at - 1] == NULL || x->hits[at - 1] < hits))
		at--;
	for (size_t i = NOISY; i-- > at + 1;) {
		x->v[i] = x->v[i - 1];
		x->hits[i] = x->hits[i - 1];
	}
	if (at < NOISY) {
		x->v[at] = j;
		x->hits[at] = hits;
	}
}

static void noisy_rules(struct api *a, struct jw *w)
{
	struct noisy x = {.arena = arena_new(0)};
	struct view_query q = {.kind = VIEW_RULE, .limit = LIST_MAX};
	struct error err;

	if (a->views == NULL)
		a->views = view_reader_open(a->state_dir, &err);
	if (a->views != NULL && view_reader_query(a->views, &q, noisy_row, &x, &err) < 0) {
		view_reader_close(a->views);
		a->views = NULL;
	}
	jw_key(w, "noisy_rules");
	jw_array(w);
	for (size_t i = 0; i < NOISY && x.v[i] != NULL; i++) {
		jw_object(w);
		jw_kslice(w, "id", json_text(json_get(x.v[i], "id")));
		jw_kint(w, "hits", x.hits[i]);
		jw_key(w, "alerts");
		jw_tree(w, json_get(x.v[i], "alerts"));
		jw_end(w);
	}
	jw_array_end(w);
	arena_free(x.arena);
}

static void status(struct api *a, struct api_answer *answer)
{
	static const char *const states[] = {"gathering", "open", "acked", "clearing", "resolved"};
	struct jw w = jw_new(&answer->body);
	uint64_t reloaded = counter_read(a->counters, "carillon_config_last_reload_timestamp_seconds", "");

	jw_object(&w);
	jw_kstr(&w, "version", CARILLON_VERSION);
	jw_kstr(&w, "instance", a->config->instance);
	jw_kint(&w, "generation", a->generation);
	jw_ktime(&w, "started", a->started);
	jw_kbool(&w, "ready", core_turns(a));
	status_counters(a, &w);
	rates(a, &w);
	noisy_rules(a, &w);
	jw_key(&w, "incidents");
	jw_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		char label[40];
		snprintf(label, sizeof label, "state=\"%s\"", states[i]);
		jw_kint(&w, states[i], (int64_t)counter_read(a->counters, "carillon_incidents", label));
	}
	jw_end(&w);
	jw_key(&w, "last_reload");
	jw_object(&w);
	jw_kbool(&w, "ok", reloaded == 0 || counter_read(a->counters, "carillon_config_last_reload_successful", "") == 1);
	jw_ktime(&w, "at", reloaded == 0 ? INSTANT_NONE : (instant)reloaded * SECOND);
	jw_end(&w);
	jw_key(&w, "map");
	if (a->map_state.n > 0)
		jw_raw(&w, buf_slice(&a->map_state));
	else
		jw_null(&w);
	jw_end(&w);
	buf_char(&answer->body, '\n');
}

static void metrics(struct api *a, struct api_answer *answer)
{
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	counters_text(a->counters, &answer->body);
}

static void configuration(struct api *a, struct api_answer *answer)
{
	answer->type = "text/yaml; charset=utf-8";
	config_show(a->config, false, &answer->body);
}

/* ---- routes */

struct route {
	const char *path;
	void (*get)(struct api *a, struct api_answer *answer);
};
static void schema_of_rules(struct api *a UNUSED, struct api_answer *answer)
{
	schema_rules_json(&answer->body);
}

static void schema_of_map(struct api *a UNUSED, struct api_answer *answer)
{
	schema_map_json(&answer->body);
}

static void schema_of_config(struct api *a UNUSED, struct api_answer *answer)
{
	schema_config_json(&answer->body);
}

static const struct route routes[] = {
    {"/api/v1/schema/rules", schema_of_rules},
    {"/api/v1/schema/map", schema_of_map},
    {"/api/v1/schema/config", schema_of_config},
    {"/metrics", metrics}, {"/-/ready", ready}, {"/api/v1/status", status}, {"/api/v1/config", configuration}};

static const struct {
	const char *path, *name;
	enum view_kind kind;
} lists[] = {{"/api/v1/incidents", "incidents", VIEW_INCIDENT},
             {"/api/v1/alerts", "alerts", VIEW_ALERT},
             {"/api/v1/services", "services", VIEW_SERVICE},
             {"/api/v1/rules", "rules", VIEW_RULE},
             {"/api/v1/silences", "silences", VIEW_SILENCE},
             {"/api/v1/tickets/outbox", "outbox", VIEW_OUTBOX}};

static void healthy(struct api *a, struct api_answer *answer)
{
	bool ok = core_turns(a);

	answer->status = ok ? 200 : 503;
	answer->type = "text/plain";
	buf_str(&answer->body, ok ? "ok\n" : "core does not turn\n");
}

/* Names of services may hold slashes: the id is the whole rest of the path. */
static bool one_whole(struct api *a, struct slice id, enum view_kind kind, const char *what, struct api_answer *answer)
{
	struct one o = {0};

	if (id.n > 0 && find_one(a, answer, kind, id, what, &o))
		buf_char(&answer->body, '\n');
	buf_free(&o.id);
	return id.n > 0;
}

static bool one_of(struct api *a, struct slice path, struct api_answer *answer)
{
	struct slice rest, id;

	if (slice_starts(path, SLICE("/api/v1/incidents/"))) {
		rest = slice_sub(path, 18, SIZE_MAX);
		slice_split(&rest, '/', &id);
		if (id.n == 0)
			return false;
		if (rest.n > 0 && !slice_is(rest, "log") && !slice_is(rest, "alerts") && !slice_is(rest, "outbox"))
			return false;
		incident(a, answer, id, rest);
	} else if (slice_starts(path, SLICE("/api/v1/rules/"))) {
		return one_whole(a, slice_sub(path, 14, SIZE_MAX), VIEW_RULE, "rule", answer);
	} else if (slice_starts(path, SLICE("/api/v1/silences/"))) {
		return one_whole(a, slice_sub(path, 17, SIZE_MAX), VIEW_SILENCE, "silence", answer);
	} else if (slice_starts(path, SLICE("/api/v1/tickets/outbox/"))) {
		return one_whole(a, slice_sub(path, 23, SIZE_MAX), VIEW_OUTBOX, "outbox entry", answer);
	} else {
		return false;
	}
	return true;
}

void api_get(struct api *a, struct slice path, struct slice query, struct api_answer *answer)
{
	answer->status = 200;
	answer->type = "application/json";
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (slice_is(path, routes[i].path)) {
			routes[i].get(a, answer);
			return;
		}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (slice_is(path, lists[i].path)) {
			filtered(a, answer, query, lists[i].name, lists[i].kind);
			return;
		}
	if (slice_is(path, "/-/healthy"))
		healthy(a, answer);
	else if (!one_of(a, path, answer))
		answer->status = 0;
}
