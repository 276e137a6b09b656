/* See role_core_shadow.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/log.h"
#include "role_core_shadow.h"

#define LOOK_EVERY   (10 * SECOND)
#define SHARE        10u /* of core's time: one part in so many */
#define TIME_SAVED   (200 * MSEC)
#define ALERTS_MAX   20000u
#define KEYS_MAX     20000u
#define TICKETS_MAX  5000u /* remembered of each side */
#define CHANGES_MAX  500u  /* told in full */

/* What would be, or is, a ticket. */
struct sighting {
	uint64_t serial;
	char *id, *root, *rule, *title;
	char **services;
	size_t n_services;
	const char *state;
	int priority;
	instant opened, resolved;
	bool merged;
};
struct sightings {
	struct sighting **v;
	size_t n, cap;
	struct hmap *by_serial;
	uint64_t forgotten;
};

struct core_shadow {
	struct core *core;
	struct core_gen *gen;
	struct engine *engine;
	struct effects fx;
	struct loop_timer *tick, *look;
	struct sightings live, candidate;
	instant since;
	duration saved;   /* time that it may still take */
	instant saved_at; /* monotonic */
	uint64_t seq, events;
	_Atomic uint64_t *dropped;
};

/* ---- time */

static bool may_run(struct core_shadow *s)
{
	instant now = loop_mono();

	s->saved = MIN(s->saved + (now - s->saved_at) / (instant)SHARE, TIME_SAVED);
	s->saved_at = now;
	return s->saved > 0;
}

static void arm(struct core_shadow *s)
{
	instant due = engine_due(s->engine);

	loop_timer_set(s->tick, due == INSTANT_NONE ? -1 : MAX(due - loop_now(s->core->role->loop), 0));
}

static void step(struct core_shadow *s, instant at, uint16_t kind, struct slice payload, const struct engine_setup *setup)
{
	instant now = engine_now(s->engine), began = loop_mono();
	struct engine_input in = {.seq = ++s->seq, .at = now != INSTANT_NONE ? MAX(at, now) : at, .kind = kind, .payload = payload, .setup = setup};

	effects_reset(&s->fx);
	engine_step(s->engine, &in, &s->fx);
	engine_views(s->engine, false, NULL, NULL);
	s->saved -= loop_mono() - began;
}

/* Deadlines are not dropped: they wait until there is time for them. */
static void on_tick(void *arg)
{
	struct core_shadow *s = arg;
	instant now = loop_now(s->core->role->loop);

	if (!may_run(s)) {
		loop_timer_set(s->tick, TIME_SAVED);
		return;
	}
	if (engine_due(s->engine) != INSTANT_NONE && engine_due(s->engine) <= now)
		step(s, now, INPUT_TICK, SLICE_NONE, NULL);
	arm(s);
}

void core_shadow_event(struct core *c, struct slice payload)
{
	struct core_shadow *s = c->shadow;
	struct event_frame ev;

	if (s == NULL || DOUBT(!event_frame_decode(payload, &ev)) || ev.head->generation != rule_set_generation(s->gen->rules))
		return;
	if (!may_run(s)) {
		counter_add(s->dropped, 1);
		return;
	}
	s->events++;
	step(s, ev.evt->received, FRAME_EVENT, payload, NULL);
	arm(s);
}

void core_shadow_map(struct core *c)
{
	struct core_shadow *s = c->shadow;
	struct engine_setup setup;

	if (s == NULL)
		return;
	setup = (struct engine_setup){.config = s->gen->config, .rules = s->gen->rules, .map = c->map->map};
	step(s, loop_now(c->role->loop), INPUT_MAP, slice_str(c->map->hash), &setup);
	arm(s);
}

/* ---- what has been seen */

static void sighting_clear(struct sighting *x)
{
	for (size_t i = 0; i < x->n_services; i++)
		free(x->services[i]);
	free(x->services);
	free(x->id);
	free(x->root);
	free(x->rule);
	free(x->title);
	*x = (struct sighting){.serial = x->serial};
}

static void sightings_free(struct sightings *t)
{
	for (size_t i = 0; i < t->n; i++) {
		sighting_clear(t->v[i]);
		free(t->v[i]);
	}
	free(t->v);
	hmap_free(t->by_serial);
}

static struct sighting *sighting_of(struct sightings *t, uint64_t serial)
{
	struct sighting *x = hmap_get(t->by_serial, key_u64(&serial));

	if (x != NULL)
		return x;
	if (t->n == TICKETS_MAX) {
		t->forgotten++;
		return NULL;
	}
	x = xcalloc(1, sizeof *x);
	x->serial = serial;
	hmap_put(t->by_serial, key_u64(&x->serial), x);
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = x;
	return x;
}

static char *text_of(struct slice s)
{
	return slice_dup(s.p != NULL ? s : SLICE(""));
}

static void take_look(struct sightings *t, const struct incident_look *l)
{
	struct sighting *x = sighting_of(t, l->serial);

	if (x == NULL)
		return;
	sighting_clear(x);
	x->id = slice_dup(l->id);
	x->root = text_of(l->root);
	x->rule = text_of(l->rule);
	x->title = text_of(l->title);
	x->services = xcalloc(l->n_services + 1, sizeof *x->services);
	for (size_t i = 0; i < l->n_services; i++)
		x->services[x->n_services++] = slice_dup(l->services[i]);
	x->state = l->state;
	x->priority = l->priority;
	x->opened = l->opened;
	x->resolved = l->resolved;
	x->merged = l->merged_into.p != NULL;
}

static void see_live(void *arg, const struct incident_look *l)
{
	struct core_shadow *s = arg;

	/* what was open before is not the candidate's affair */
	if (l->opened != INSTANT_NONE && l->opened >= s->since)
		take_look(&s->live, l);
}

static void see_candidate(void *arg, const struct incident_look *l)
{
	take_look(&((struct core_shadow *)arg)->candidate, l);
}

static void look(struct core_shadow *s)
{
	engine_each_incident(s->core->engine, see_live, s);
	engine_each_incident(s->engine, see_candidate, s);
}

static void on_look(void *arg)
{
	struct core_shadow *s = arg;

	look(s);
	loop_timer_set(s->look, LOOK_EVERY);
}

/* ---- the difference */

static bool shares_service(const struct sighting *a, const struct sighting *b)
{
	for (size_t i = 0; i < a->n_services; i++)
		for (size_t k = 0; k < b->n_services; k++)
			if (strcmp(a->services[i], b->services[k]) == 0)
				return true;
	return false;
}

/* Until when it still was the same trouble. */
static instant end_of(const struct sighting *x)
{
	return x->resolved != INSTANT_NONE ? x->resolved + 5 * MINUTE : INT64_MAX;
}

static bool at_one_time(const struct sighting *a, const struct sighting *b)
{
	instant x = a->opened, y = b->opened;

	return x != INSTANT_NONE && y != INSTANT_NONE && x <= end_of(b) && y <= end_of(a);
}

/* The other side's ticket about the same: of the same root, else one that hurts the same. */
static const struct sighting *counterpart(const struct sighting *x, const struct sightings *others)
{
	const struct sighting *same = NULL;

	for (size_t i = 0; i < others->n; i++) {
		const struct sighting *o = others->v[i];

		if (o->merged || !at_one_time(x, o))
			continue;
		if (x->root[0] != '\0' && strcmp(x->root, o->root) == 0)
			return o;
		if (same == NULL && shares_service(x, o))
			same = o;
	}
	return same;
}

/* An incident of that root that never came to a ticket says more than none at all. */
static const struct sighting *without_ticket(const struct sighting *x, const struct sightings *others)
{
	for (size_t i = 0; i < others->n; i++)
		if (others->v[i]->opened == INSTANT_NONE && strcmp(x->root, others->v[i]->root) == 0)
			return others->v[i];
	return NULL;
}

enum change { LOST, LOWER, HIGHER, NEW, CHANGES };
struct tale {
	struct jw *w;
	size_t n[CHANGES], told;
};

static void put_sighting(struct jw *w, const char *key, const struct sighting *x)
{
	if (x == NULL)
		return;
	jw_key(w, key);
	jw_object(w);
	jw_kstr(w, "id", x->id);
	jw_kint(w, "priority", x->priority);
	jw_kstr(w, "root", x->root);
	jw_kstr(w, "rule", x->rule);
	jw_kstr(w, "title", x->title);
	jw_ktime(w, "opened_at", x->opened);
	jw_ktime(w, "resolved_at", x->resolved);
	jw_end(w);
}

static void tell(struct tale *t, enum change what, const struct sighting *live, const struct sighting *candidate, const char *why)
{
	static const char *const words[CHANGES] = {"lost", "lower priority", "higher priority", "new"};

	t->n[what]++;
	if (t->told++ >= CHANGES_MAX)
		return;
	jw_object(t->w);
	jw_kstr(t->w, "change", words[what]);
	put_sighting(t->w, "before", live);
	put_sighting(t->w, "now", candidate);
	jw_kstr(t->w, "why", why);
	jw_end(t->w);
}

static void why_lost(const struct core_shadow *s, const struct sighting *x, char *out, size_t room)
{
	const struct sighting *o = without_ticket(x, &s->candidate);
	const struct rule *r = rule_set_find(s->gen->rules, slice_str(x->rule));

	if (o != NULL)
		snprintf(out, room, "the candidate's incident of %.80s is '%s' and never became a ticket", o->root, o->state);
	else if (r == NULL)
		snprintf(out, room, "the candidate has no rule %.80s, and nothing else of it opened a ticket about %.80s", x->rule, x->root);
	else
		snprintf(out, room, "nothing of the candidate opened a ticket about %.80s", x->root);
}

static void one_live(const struct core_shadow *s, struct tale *t, const struct sighting *x)
{
	const struct sighting *o = counterpart(x, &s->candidate);
	char why[320];

	if (o == NULL) {
		why_lost(s, x, why, sizeof why);
		tell(t, LOST, x, NULL, why);
	} else if (o->priority != x->priority) {
		snprintf(why, sizeof why, "P%d instead of P%d: root %.80s instead of %.80s, %zu services hurt instead of %zu", o->priority, x->priority,
		         o->root, x->root, o->n_services, x->n_services);
		tell(t, o->priority > x->priority ? LOWER : HIGHER, x, o, why);
	}
}

static void put_changes(const struct core_shadow *s, struct tale *t)
{
	jw_key(t->w, "changes");
	jw_array(t->w);
	for (size_t i = 0; i < s->live.n; i++)
		if (!s->live.v[i]->merged)
			one_live(s, t, s->live.v[i]);
	for (size_t i = 0; i < s->candidate.n; i++) {
		const struct sighting *x = s->candidate.v[i];

		if (!x->merged && x->opened != INSTANT_NONE && counterpart(x, &s->live) == NULL)
			tell(t, NEW, NULL, x, "no ticket of the running rules has this root or hurts the same");
	}
	jw_array_end(t->w);
}

static size_t tickets_of(const struct sightings *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->v[i]->opened != INSTANT_NONE;
	return n;
}

void core_shadow_report(struct core *c, struct buf *json)
{
	struct core_shadow *s = c->shadow;
	struct jw w = jw_new(json);
	struct tale t = {.w = &w};

	jw_object(&w);
	jw_kbool(&w, "ok", s != NULL);
	if (s == NULL) {
		jw_kint(&w, "status", 409);
		jw_kstr(&w, "error", "no shadow rules run; start some with: carillonctl rules shadow start PATH");
	} else {
		look(s);
		jw_ktime(&w, "since", s->since);
		jw_kint(&w, "events", (int64_t)s->events);
		jw_kint(&w, "dropped", (int64_t)atomic_load(s->dropped));
		jw_kint(&w, "tickets", (int64_t)tickets_of(&s->candidate));
		jw_kint(&w, "tickets_before", (int64_t)tickets_of(&s->live));
		jw_kint(&w, "forgotten", (int64_t)(s->live.forgotten + s->candidate.forgotten));
		put_changes(s, &t);
		jw_kint(&w, "lost", (int64_t)t.n[LOST]);
		jw_kint(&w, "lower_priority", (int64_t)t.n[LOWER]);
		jw_kint(&w, "higher_priority", (int64_t)t.n[HIGHER]);
		jw_kint(&w, "new", (int64_t)t.n[NEW]);
	}
	jw_end(&w);
}

/* ---- life */

void core_shadow_free(struct core *c)
{
	struct core_shadow *s = c->shadow;

	if (s == NULL)
		return;
	c->shadow = NULL;
	loop_timer_free(s->tick);
	loop_timer_free(s->look);
	engine_free(s->engine);
	core_gen_free(s->gen);
	effects_free(&s->fx);
	sightings_free(&s->live);
	sightings_free(&s->candidate);
	free(s);
}

/* It opens nothing, and holds less than the live engine. */
static void confine(struct config *config)
{
	for (size_t i = 0; i < config->n_tickets; i++)
		config->tickets[i].profile = NULL;
	config->limits.open_alerts = MIN(config->limits.open_alerts, ALERTS_MAX);
	config->limits.keys_per_rule = MIN(config->limits.keys_per_rule, KEYS_MAX);
}

static void begin(struct core *c, struct core_gen *gen)
{
	struct core_shadow *s = xcalloc(1, sizeof *s);
	struct engine_setup setup = {.config = gen->config, .rules = gen->rules, .map = c->map->map};

	confine(gen->config);
	c->shadow = s;
	s->core = c;
	s->gen = gen;
	s->since = loop_now(c->role->loop);
	s->saved = TIME_SAVED;
	s->saved_at = loop_mono();
	effects_init(&s->fx);
	s->live.by_serial = hmap_new();
	s->candidate.by_serial = hmap_new();
	s->dropped = counter(c->role->counters, "carillon_shadow_dropped_total", "");
	s->tick = loop_timer_new(c->role->loop, on_tick, s);
	s->look = loop_timer_new(c->role->loop, on_look, s);
	s->engine = engine_new(&setup);
	step(s, s->since, INPUT_START, SLICE_NONE, NULL);
	loop_timer_set(s->look, LOOK_EVERY);
	log_notice("msg=\"shadow rules run\" hash=%.12s", gen->hash);
}

void core_shadow_frame(struct core *c, struct slice bytes)
{
	struct core_gen *gen;
	struct bundle b;
	struct error err;

	core_shadow_free(c);
	if (bytes.n == 0 || !c->running)
		return;
	if (bundle_decode(bytes, &b, &err) != 0) {
		log_error("msg=\"shadow rules refused\" reason=\"%s\"", err.text);
		return;
	}
	gen = core_gen_new(&b, &err);
	if (gen != NULL)
		begin(c, gen);
	else
		log_error("msg=\"shadow rules refused\" reason=\"%s\"", err.text);
	bundle_free(&b);
}
