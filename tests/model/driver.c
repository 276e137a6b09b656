/* The daemon's own engine for the model test (property.py): one scenario per line of standard input, one
 * answer per line of standard output. A scenario is {"rules": text of a rule file, "start": milliseconds
 * since 2026-01-05T00:00:00Z, "steps": [...]}, a step is
 * {"at": milliseconds, "event": {field: text}} or {"at": milliseconds, "look": true}, or "restart". The
 * answer holds, for each look, the pending and open alerts, and in the end the closed ones; or what was wrong
 * with the rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/engine.h"
#include "rules/rule_set.h"

#define START (INT64_C(1767571200) * SECOND) /* 2026-01-05T00:00:00Z */

/* Shared by all scenarios. */
struct bench {
	struct config *config;
	struct service_map *map;
	struct arena *zones; /* time-zone files, read once */
};

struct run {
	const struct bench *bench;
	struct engine_setup setup;
	struct matcher *matcher;
	struct engine *engine;
	struct effects fx;
	struct arena *arena;
	struct jw *out;
	uint64_t seq;
	bool closed; /* wanted: the closed alerts, not the live ones */
};

static struct slice no_file(void *arg, const char *rule_file, const char *path)
{
	(void)arg, (void)rule_file, (void)path;
	return SLICE_NONE;
}

static struct slice zone_file(void *arg, const char *name)
{
	struct arena *a = arg;
	char path[256], text[8192];
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return SLICE_NONE;
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	return arena_slice(a, slice_of(text, n));
}

static void step(struct run *r, instant at, uint16_t kind, struct slice payload)
{
	struct engine_input in = {.seq = ++r->seq, .at = at, .kind = kind, .payload = payload};
	effects_reset(&r->fx);
	engine_step(r->engine, &in, &r->fx);
}

static void feed(struct run *r, instant at, const struct json *event)
{
	struct fields f;
	struct buf payload = {0};
	struct ulid id = ulid_make(at, r->seq, 7);
	arena_reset(r->arena);
	fields_init(&f, r->arena);
	for (const struct json *v = event->first; v != NULL; v = v->next)
		BUG_ON(!fields_set_named(&f, v->key, json_text(v), VALUE_TEXT));
	if (engine_prepare_event(r->matcher, r->bench->map, &f, at, &id, &payload))
		step(r, at, FRAME_EVENT, buf_slice(&payload));
	else
		step(r, at, INPUT_TICK, SLICE_NONE);
	buf_free(&payload);
	fields_free(&f);
}

static int64_t milliseconds(instant t)
{
	return t == INSTANT_NONE ? -1 : (t - START) / MSEC;
}

static void show(void *arg, const struct alert_look *a)
{
	struct run *r = arg;
	struct jw *w = r->out;
	if ((strcmp(a->state, "closed") == 0) != r->closed)
		return;
	jw_object(w);
	jw_kslice(w, "rule", a->rule);
	jw_key(w, "by");
	jw_array(w);
	for (size_t i = 0; i < a->n_by; i++)
		jw_slice(w, a->by_values[i]);
	jw_array_end(w);
	jw_kstr(w, "state", a->state);
	jw_kint(w, "count", (int64_t)a->count);
	jw_kstr(w, "severity", severity_word(a->severity));
	jw_kslice(w, "service", a->service);
	jw_kslice(w, "muted", a->suppressed_by);
	jw_kbool(w, "flapping", a->flapping);
	jw_kbool(w, "trial", a->trial);
	jw_kint(w, "opened", milliseconds(a->opened));
	jw_kint(w, "closed", milliseconds(a->closed));
	jw_end(w);
}

static void look(struct run *r, bool closed)
{
	r->closed = closed;
	jw_array(r->out);
	engine_each_alert(r->engine, show, r);
	jw_array_end(r->out);
}

/* The engine's state to bytes and back: nobody must be able to tell. */
static void restart(struct run *r)
{
	struct buf bytes = {0};
	struct error err;
	engine_save(r->engine, &bytes);
	engine_free(r->engine);
	r->engine = engine_load(&r->setup, buf_slice(&bytes), &err);
	BUG_ON(r->engine == NULL);
	buf_free(&bytes);
}

static void play(struct run *r, const struct json *steps)
{
	jw_key(r->out, "looks");
	jw_array(r->out);
	for (const struct json *s = steps->first; s != NULL; s = s->next) {
		int64_t at = 0;
		BUG_ON(!json_int(json_get(s, "at"), &at));
		if (json_get(s, "event") != NULL) {
			feed(r, START + at * MSEC, json_get(s, "event"));
			continue;
		}
		step(r, START + at * MSEC, INPUT_TICK, SLICE_NONE);
		if (json_get(s, "restart") != NULL)
			restart(r);
		else
			look(r, false);
	}
	jw_array_end(r->out);
	jw_key(r->out, "closed");
	look(r, true);
}

static void put_findings(struct jw *w, const struct findings *f)
{
	jw_key(w, "errors");
	jw_array(w);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].level == FINDING_ERROR)
			jw_str(w, f->v[i].message);
	jw_array_end(w);
}

static void scenario(const struct bench *b, const struct json *s, struct buf *out)
{
	struct jw w = jw_new(out);
	struct findings found = {0};
	struct rules_file file = {.name = "p.yaml", .text = json_text(json_get(s, "rules"))};
	struct rules_source src = {
	    .files = &file, .n = 1, .config = b->config, .read = no_file, .zone = zone_file, .arg = b->zones};
	struct rule_set *rules = rule_set_load(&src, &found);
	jw_object(&w);
	if (rules == NULL) {
		put_findings(&w, &found);
	} else {
		struct run r = {.bench = b, .matcher = matcher_new(rules), .arena = arena_new(0), .out = &w};
		r.setup = (struct engine_setup){b->config, rules, b->map, NULL};
		int64_t start = 0;
		BUG_ON(!json_int(json_get(s, "start"), &start));
		r.engine = engine_new(&r.setup);
		effects_init(&r.fx);
		step(&r, START + start * MSEC, INPUT_START, SLICE_NONE);
		play(&r, json_get(s, "steps"));
		engine_free(r.engine);
		effects_free(&r.fx);
		arena_free(r.arena);
		matcher_free(r.matcher);
		rule_set_free(rules);
	}
	jw_end(&w);
	findings_clear(&found);
}

int main(void)
{
	struct findings found = {0};
	struct bench b = {.config = config_load(NULL, 0, "model", &found),
	                  .map = service_map_empty(),
	                  .zones = arena_new(0)};
	char *line = NULL;
	size_t cap = 0;
	BUG_ON(b.config == NULL);
	for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
		struct arena *a = arena_new(0);
		struct buf out = {0};
		struct error err;
		const struct json *s = json_parse(a, slice_of(line, (size_t)n), JSON_LIMITS, NULL, &err);
		if (s == NULL) {
			fprintf(stderr, "a scenario is not JSON: %s\n", err.text);
			return 2;
		}
		scenario(&b, s, &out);
		buf_char(&out, '\n');
		fwrite(out.p, 1, out.n, stdout);
		fflush(stdout);
		buf_free(&out);
		arena_free(a);
	}
	free(line);
	findings_clear(&found);
	arena_free(b.zones);
	service_map_close(b.map);
	config_free(b.config);
	return 0;
}
