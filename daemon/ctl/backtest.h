/* What the files of `rules backtest` share: one rule set run over one recording on virtual time, and what
 * came of it.
 *
 * Decoders, matcher and engine are the daemon's own; what is different is the clock (the recording's), the
 * ticket system (every operation succeeds at once) and an observer that remembers which event moved which
 * alert. */
#ifndef CARILLON_CTL_BACKTEST_H
#define CARILLON_CTL_BACKTEST_H

#include "base/hmap.h"
#include "ctl/ctl.h"
#include "ctl/load.h"
#include "ctl/raw_input.h"
#include "engine/engine.h"
#include "rules/redact.h"
#include "store/record_item.h"

/* ---- which event stands behind which incident (backtest_trace.c) */

#define EVENT_NONE UINT32_MAX

struct trace_event {
	uint32_t line, part;
	bool wanted;  /* a rule wants it */
	bool dropped; /* a decoder dropped it */
};

struct trace_alert {
	uint64_t serial, episode, incident;
	char *rule;
	instant opened; /* INSTANT_NONE: never */
	uint32_t *events;
	size_t n, cap;
};

/* The last that is known of an incident. */
struct trace_incident {
	uint64_t serial;
	char *id, *root, *rule, *title, *merged_into;
	const char *state;
	int priority;
	char **roots, **services;
	size_t n_roots, n_services;
};

struct trace {
	struct engine_observer observer;
	struct trace_event *events;
	size_t n_events, cap_events;
	uint32_t now; /* number of the event being judged; EVENT_NONE: a deadline */
	instant at;
	struct trace_alert **alerts; /* in order of creation */
	size_t n_alerts, cap_alerts;
	struct hmap *alert_by, *episode_to, *incident_by, *incident_of_id, *fitting;
	struct trace_incident **incidents;
	size_t n_incidents, cap_incidents;
};
void trace_init(struct trace *t);
void trace_free(struct trace *t);
uint32_t trace_event(struct trace *t, uint32_t line, uint32_t part);
void trace_finish(struct trace *t, const struct engine *e); /* what is still there at the end */
struct trace_incident *trace_incident(const struct trace *t, struct slice id);  /* NULL: unknown */
uint64_t trace_incident_of(const struct trace *t, const struct trace_alert *a); /* its serial; 0: none */

/* ---- a perfect ticket system (backtest_ticket.c) */

struct bt_times {
	instant *v;
	size_t n, cap;
};
struct bt_ticket {
	char number[16];
	char *key, *incident;
	instant opened;
	bool open;
	struct bt_times resolves, reopens;
	const struct trace_incident *final; /* after the end */
	uint32_t *events;                   /* of all its incident's alerts, ascending, each once */
	size_t n_events, cap_events;
};
struct bt_tickets {
	struct bt_ticket **v;
	size_t n, cap;
	struct hmap *by_key;
};
void bt_tickets_init(struct bt_tickets *t);
void bt_tickets_free(struct bt_tickets *t);
/* Does the operation and writes its result, as egress would send it. False: it cannot be read. */
bool bt_tickets_answer(struct bt_tickets *t, struct slice op, instant now, struct buf *result);
/* After the end: which incident each is about, and the events that moved its alerts. */
void bt_tickets_finish(struct bt_tickets *t, const struct trace *trace);
const struct bt_ticket *bt_ticket_of(const struct bt_tickets *t,
                                     const char *incident); /* id; NULL: none was made */

/* ---- one run (backtest_run.c) */

struct bt_run {
	struct load *load;
	struct config config; /* a copy with a ticket connection */
	const struct service_map *map;
	struct raw_input *raw;
	struct redact *redact;
	struct matcher *matcher;
	struct engine *engine;
	struct arena *arena;
	struct effects fx;
	struct evt_batch batch;
	struct buf evt, payload;
	struct trace trace;
	struct bt_tickets tickets;
	uint64_t seq, restart_every, since_restart;
	uint64_t payloads, refused, repeated, wanted, unreadable, gaps;
	instant first, last; /* INSTANT_NONE: nothing yet */
	char torn[160];
};
/* A file of JSON lines, or the recordings of a folder. */
struct bt_source {
	const char *file; /* NULL: dir */
	const char *dir;
	instant from, to, clock; /* of dir; clock: time goes on to there, INSTANT_NONE: it does not */
};
/* -1 with err: the recording cannot be read, or the engine does not come to an end. Frees nothing:
 * bt_run_free. */
int bt_run(struct bt_run *r, const struct bt_source *s, struct error *err) MUST_CHECK;
void bt_run_free(struct bt_run *r);

/* ---- two runs side by side (backtest_diff.c) */

enum bt_change { BT_LOST, BT_LOWER, BT_HIGHER, BT_NEW, BT_CHANGES };
struct bt_difference {
	enum bt_change change;
	const struct bt_ticket *before, *now; /* NULL: there is none */
	char *why;
};
struct bt_diff {
	struct bt_difference *v;
	size_t n, cap;
	size_t count[BT_CHANGES], before, now; /* before, now: tickets */
};
/* Of the same recording, read with the same listeners. */
void bt_diff(struct bt_diff *d, const struct bt_run *before, const struct bt_run *now);
void bt_diff_free(struct bt_diff *d);
const char *bt_change_word(enum bt_change c);

/* ---- what people and scripts see (backtest_print.c, backtest_report.c) */

void bt_print_tickets(const struct bt_run *r, FILE *to);
/* d NULL: nothing to compare with; against: what it is compared with. */
void bt_report(struct ctl *c, const struct bt_run *r, const struct bt_diff *d, const char *against);

#endif
