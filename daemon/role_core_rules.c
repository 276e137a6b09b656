/* A view row for each rule: what it has seen and opened, for `rules stats` and the API. Written when it
 * changes, at most every few seconds: nobody reads it faster. */
#include <stdio.h>
#include <stdlib.h>

#include "role_core.h"

#define SHOW_EVERY (5 * SECOND)
#define SAMPLE     64u /* one event of so many is timed */

struct core_rules {
	uint32_t generation;
	size_t n;
	instant due;
	uint64_t events; /* seen by core_rules_cost, to take one of many */
	struct shown {
		duration cost; /* of the sampled events, times how many they stand for */
		uint64_t hits, alerts, keys, evicted;
		instant last_hit, last_alert; /* since the start or the reload; INSTANT_NONE */
		bool written;
	} * v;
};

static const char *mode_text(enum rule_mode m)
{
	switch (m) {
	case MODE_LIVE: return "live";
	case MODE_TRIAL: return "trial";
	case MODE_OFF: return "off";
	}
	bug_stop("a rule of no mode", __FILE__, __LINE__);
}

static void rule_json(const struct rule *r, const struct shown *s, struct buf *out)
{
	struct jw w = jw_new(out);
	char cost[40];

	jw_object(&w);
	jw_kslice(&w, "id", r->id);
	jw_kstr(&w, "mode", mode_text(r->mode));
	jw_kslice(&w, "summary", template_text(r->summary));
	jw_kslice(&w, "owner", r->owner);
	jw_kstr(&w, "file", r->file);
	jw_kint(&w, "line", r->mark.line);
	jw_kint(&w, "hits", (int64_t)s->hits);
	jw_kint(&w, "alerts", (int64_t)s->alerts);
	jw_kint(&w, "keys", (int64_t)s->keys);
	jw_kint(&w, "evicted", (int64_t)s->evicted);
	snprintf(cost, sizeof cost, "%.6f", (double)s->cost / (double)SECOND);
	jw_key(&w, "cost_seconds");
	jw_raw(&w, slice_str(cost));
	jw_ktime(&w, "last_hit", s->last_hit);
	jw_ktime(&w, "last_alert", s->last_alert);
	jw_end(&w);
}

static void show_rule(struct core *c, const struct rule *r, struct shown *s, instant now)
{
	uint64_t hits, alerts, keys, evicted = engine_rule_evicted(c->engine, r->number);
	struct buf json = {0};

	engine_rule_stats(c->engine, r->number, &hits, &alerts, &keys);
	if (s->written && hits == s->hits && alerts == s->alerts && keys == s->keys && evicted == s->evicted)
		return;
	/* figures that a reload or a restart has carried over are no news */
	if (s->written && hits != s->hits)
		s->last_hit = now;
	if (s->written && alerts != s->alerts)
		s->last_alert = now;
	s->hits = hits;
	s->alerts = alerts;
	s->keys = keys;
	s->evicted = evicted;
	s->written = true;
	rule_json(r, s, &json);
	store_view(c->store, &(struct view_row){.kind = VIEW_RULE,
	                                        .id = r->id,
	                                        .parent = r->package,
	                                        .state = slice_str(mode_text(r->mode)),
	                                        .updated = now,
	                                        .json = buf_slice(&json)});
	buf_free(&json);
}

void core_rules_show(struct core *c)
{
	instant now = loop_now(c->role->loop), mono = loop_mono();
	struct core_rules *x = c->rules;
	size_t n;
	const struct rule *rules = rule_set_rules(c->gen->rules, &n);

	if (x == NULL)
		x = c->rules = xcalloc(1, sizeof *x);
	if (mono < x->due && x->v != NULL && x->generation == rule_set_generation(c->gen->rules))
		return;
	x->due = mono + SHOW_EVERY;
	if (x->v == NULL || x->generation != rule_set_generation(c->gen->rules)) {
		store_view_purge(c->store, &(struct view_purge){.kind = VIEW_RULE, .before = INSTANT_NONE});
		free(x->v);
		x->v = xcalloc(n + 1, sizeof *x->v);
		x->n = n;
		x->generation = rule_set_generation(c->gen->rules);
		for (size_t i = 0; i < n; i++)
			x->v[i].last_hit = x->v[i].last_alert = INSTANT_NONE;
	}
	BUG_ON(x->n != n);
	for (size_t i = 0; i < n; i++)
		show_rule(c, &rules[i], &x->v[i], now);
}

bool core_rules_sampled(struct core *c)
{
	return c->rules != NULL && c->rules->v != NULL && c->rules->events++ % SAMPLE == 0;
}

void core_rules_cost(struct core *c, const struct event_frame *ev, duration spent)
{
	struct core_rules *x = c->rules;
	size_t n;
	const struct predicate *p = rule_set_predicates(c->gen->rules, &n);

	if (x == NULL || x->v == NULL || x->generation != rule_set_generation(c->gen->rules) || ev->head->n_hits == 0)
		return;
	for (uint32_t i = 0; i < ev->head->n_hits; i++)
		if (!DOUBT(ev->hits[i] >= n || p[ev->hits[i]].rule >= x->n))
			x->v[p[ev->hits[i]].rule].cost += spent * (duration)SAMPLE / (duration)ev->head->n_hits;
}

void core_rules_free(struct core *c)
{
	if (c->rules == NULL)
		return;
	free(c->rules->v);
	free(c->rules);
	c->rules = NULL;
}
