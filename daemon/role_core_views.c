/* What core shows and keeps of its state: view rows for front, figures, the snapshot, the end of history. */
#include <stdio.h>

#include "role_core.h"

#define EXPIRE_EVERY HOUR

static void view_row(void *arg, const struct engine_view *v)
{
	struct core *c = arg;
	struct view_row row = {.kind = (enum view_kind)v->kind, .id = v->id, .parent = v->parent, .state = v->state, .updated = v->updated, .json = v->json};

	store_view(c->store, &row);
}

static void gauges(struct core *c)
{
	static const char *const states[] = {"gathering", "open", "acked", "clearing", "resolved", "closed", "transient", "merged"};
	struct engine_stats s;
	char label[48];

	engine_stats(c->engine, &s);
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		snprintf(label, sizeof label, "state=\"%s\"", states[i]);
		counter_set(counter(c->role->counters, "carillon_incidents", label), s.incidents[i]);
	}
	counter_set(counter(c->role->counters, "carillon_alerts", "state=\"open\""), s.alerts_open);
	counter_set(counter(c->role->counters, "carillon_alerts", "state=\"pending\""), s.alerts_pending);
	counter_set(counter(c->role->counters, "carillon_alerts", "state=\"suppressed\""), s.alerts_suppressed);
	counter_set(counter(c->role->counters, "carillon_incidents_opened_total", ""), s.opened);
	counter_set(counter(c->role->counters, "carillon_incidents_reopened_total", ""), s.reopened);
	counter_set(counter(c->role->counters, "carillon_incidents_merged_total", ""), s.merged);
	counter_set(counter(c->role->counters, "carillon_ticket_outbox_entries", ""), s.outbox);
	counter_set(counter(c->role->counters, "carillon_ticket_outbox_parked", ""), s.outbox_parked);
	counter_set(counter(c->role->counters, "carillon_ticket_outbox_oldest_timestamp_seconds", ""),
	            s.outbox_oldest == INSTANT_NONE ? 0 : (uint64_t)(s.outbox_oldest / SECOND));
	counter_set(counter(c->role->counters, "carillon_queue_events", "queue=\"journal\""), store_backlog(c->store));
	counter_set(counter(c->role->counters, "carillon_events_unresolved_total", ""), s.unresolved_events);
	counter_set(counter(c->role->counters, "carillon_map_services", ""), c->map->services);
	counter_set(counter(c->role->counters, "carillon_map_needs", ""), service_map_needs_len(c->map->map));
	counter_set(counter(c->role->counters, "carillon_map_dangling", ""), service_map_dangling(c->map->map));
}

void core_on_views(void *arg)
{
	struct core *c = arg;
	instant began = loop_mono();

	engine_views(c->engine, false, view_row, c);
	core_rules_show(c);
	gauges(c);
	counter_set(counter(c->role->counters, "carillon_core_turn_monotonic_seconds", ""), (uint64_t)(loop_mono() / SECOND));
	/* when thousands of rows change all the time, people see them a little later rather than cost the events */
	loop_timer_set(c->views, MAX(CORE_VIEW_EVERY, MIN(20 * (loop_mono() - began), 2 * SECOND)));
}

void core_snapshot(struct core *c)
{
	const char *keep[2] = {c->gen->hash, c->map->hash};
	struct buf blob = {0};

	if (c->snapshot_seq == c->seq)
		return;
	core_blob(c, &blob);
	store_snapshot(c->store, c->seq, buf_slice(&blob), keep, c->map->hash[0] != '\0' ? 2 : 1);
	c->snapshot_seq = c->seq;
	buf_free(&blob);
}

void core_on_snapshot(void *arg)
{
	struct core *c = arg;

	core_snapshot(c);
	loop_timer_set(c->snapshot, c->gen->config->state.snapshot);
}

/* What only lives in the engine is written anew; what has ended is history and stays. */
static void clear_live_views(struct core *c)
{
	static const char *const alerts[] = {"pending", "open"};
	static const char *const incidents[] = {"gathering", "open", "acked", "clearing"};

	store_view_purge(c->store, &(struct view_purge){.kind = VIEW_OUTBOX, .before = INSTANT_NONE});
	store_view_purge(c->store, &(struct view_purge){.kind = VIEW_SERVICE, .before = INSTANT_NONE});
	store_view_purge(c->store, &(struct view_purge){.kind = VIEW_SILENCE, .before = INSTANT_NONE});
	for (size_t i = 0; i < ARRAY_LEN(alerts); i++)
		store_view_purge(c->store, &(struct view_purge){.kind = VIEW_ALERT, .state = slice_str(alerts[i]), .before = INSTANT_NONE});
	for (size_t i = 0; i < ARRAY_LEN(incidents); i++)
		store_view_purge(c->store, &(struct view_purge){.kind = VIEW_INCIDENT, .state = slice_str(incidents[i]), .before = INSTANT_NONE});
}

/* state.history: what ended longer ago goes. An id begins with the time at which its row was made. */
void core_on_history(void *arg)
{
	static const struct {
		enum view_kind kind;
		const char *state; /* NULL: any */
	} old[] = {{VIEW_ALERT, "closed"},       {VIEW_INCIDENT, "closed"}, {VIEW_INCIDENT, "resolved"},
	           {VIEW_INCIDENT, "transient"}, {VIEW_INCIDENT, "merged"}, {VIEW_LOG, NULL}};
	struct core *c = arg;
	instant before = loop_now(c->role->loop) - c->gen->config->state.history;
	struct ulid id = ulid_make(MAX(before, 0), 0, 0);
	char below[27];

	ulid_text(&id, below);
	for (size_t i = 0; i < ARRAY_LEN(old); i++)
		store_view_purge(c->store, &(struct view_purge){.kind = old[i].kind, .state = slice_str(old[i].state), .below = slice_str(below), .before = before});
	loop_timer_set(c->history, EXPIRE_EVERY);
}

void core_views(struct core *c, bool all)
{
	if (all)
		clear_live_views(c);
	engine_views(c->engine, all, view_row, c);
}
