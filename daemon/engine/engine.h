/* The engine: events in, incidents and ticket operations out. A pure, deterministic step function.
 *
 * No socket, clock, file or random number inside: time moves only by inputs, ids are made from (instance, sequence
 * number). The same inputs give the same state to the byte (engine_save), which is what recovery, replay, rule tests and
 * backtest rest on. correlation.md, language.md, tickets.md. */
#ifndef CARILLON_ENGINE_ENGINE_H
#define CARILLON_ENGINE_ENGINE_H

#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "model/config.h"
#include "model/frame.h"
#include "model/service_map.h"
#include "model/ticket.h"
#include "rules/matcher.h"
#include "rules/rule_set.h"

struct engine;

/* What an engine works with. All borrowed; they must outlive the engine or be replaced by an input. */
struct engine_setup {
	const struct config *config;
	const struct rule_set *rules;
	const struct service_map *map;
	const bool *only;        /* by rule number: false: its keys are not waited for (rule tests); NULL: all take part */
};

/* One journaled input. kind is of enum frame_kind: FRAME_EVENT, INPUT_TICK, FRAME_TICKET_RESULT, FRAME_COMMAND,
 * INPUT_RULES (setup.rules/config are the new ones), INPUT_MAP (setup.map is the new one), INPUT_RESUME, INPUT_START. */
struct engine_input {
	uint64_t seq;            /* of the journal; ids derive from it */
	instant at;              /* never before the former input's: the caller clamps */
	uint16_t kind;
	struct slice payload;    /* as journaled, 8-byte aligned */
	const struct engine_setup *setup; /* INPUT_RULES, INPUT_MAP */
};

/* What leaves the engine after a step. Reused by the caller; emptied by effects_reset. Act on it only when the input is
 * on disk. */
struct effects {
	struct buf ops;          /* encoded ticket ops, each preceded by its u32 length (buf_lslice) */
	size_t n_ops;
	struct buf reply;        /* JSON answer of a FRAME_COMMAND */
	struct buf withdrawn;    /* u64 ids of ops that egress must forget (superseded), as buf_u64 */
	struct buf notices;      /* what is worth a log line: each a level (u8, enum log_level) and a text (buf_lslice) */
};
void effects_init(struct effects *fx);
void effects_reset(struct effects *fx);
void effects_free(struct effects *fx);

struct engine *engine_new(const struct engine_setup *s);
void engine_free(struct engine *e);

/* Deadlines that are due at or before in->at run first, then the input. */
void engine_step(struct engine *e, const struct engine_input *in, struct effects *fx);
instant engine_due(const struct engine *e);      /* the next deadline: core inputs a tick then; INSTANT_NONE: none */
instant engine_now(const struct engine *e);
uint64_t engine_seq(const struct engine *e);     /* of the last input */

/* After recovery: all operations that were on their way become UNKNOWN (tickets.md); their follow-ups come as effects of the
 * next steps. Called by core through an INPUT_RESUME input, so that it is journaled too: no separate function. */

/* The whole state, deterministic: equal states give equal bytes. */
void engine_save(const struct engine *e, struct buf *out);
/* NULL with err if the bytes are damaged or of another format version. */
struct engine *engine_load(const struct engine_setup *s, struct slice bytes, struct error *err) MUST_CHECK;

/* View rows that changed since the last call (kinds of store.h by number: 1 alert, 2 incident, 3 log, 4 outbox, 5 service).
 * An absent json means the row is gone. Everything (all = true) after a load. row NULL: nobody looks, what changed is
 * forgotten without the cost of writing it. */
struct engine_view {
	int kind;
	struct slice id, parent, state;
	instant updated;
	struct slice json;
};
void engine_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v), void *arg);

/* A question about the running map and its state, a JSON object: "do" is service (id), impact (id, level), needs (id,
 * depth), path (from, to), find (name, port), map (after), why-not (id of an incident, service) or suggest; limit where
 * there is a list. Changes nothing, hence is no input. The answer is a JSON object with "ok", or "error" and "status". */
void engine_ask(struct engine *e, struct slice question, struct buf *answer);

/* Figures for metrics and `status`. */
struct engine_stats {
	uint64_t alerts_open, alerts_pending, alerts_suppressed, incidents[10], windows, outbox, outbox_parked;
	uint64_t opened, reopened, merged, resolved, transient, unresolved_events, evicted;
	instant outbox_oldest;
};
void engine_stats(const struct engine *e, struct engine_stats *out);
/* Per rule, by number of the running rule set: hits, alerts opened, live keys. */
void engine_rule_stats(const struct engine *e, uint32_t rule, uint64_t *hits, uint64_t *alerts, uint64_t *keys);
uint64_t engine_rule_evicted(const struct engine *e, uint32_t rule); /* keys that limits.keys_per_rule has cost it */

/* ---- for rule tests and backtest: a look at the state. Visits in order of opening. */
struct alert_look {
	struct slice id, rule, service, suppressed_by, silence, cause; /* absent if none */
	const struct slice *by_names, *by_values; size_t n_by;
	const char *state;     /* pending open closed */
	uint64_t count;
	enum severity severity;
	enum effect effect;
	bool flapping, silenced, trial;
	instant opened, closed;
	struct slice incident;
};
struct incident_look {
	uint64_t serial;       /* as engine_observer names it */
	struct slice id, title, root, assign, ticket, merged_into, rule; /* rule: of the deciding alert */
	const struct slice *roots; size_t n_roots; /* ranked candidates, the root first */
	const char *state;     /* gathering open acked clearing resolved closed transient merged */
	const char *ticket_state; /* none open resolved */
	int priority;          /* 1..5 */
	const char *impact, *urgency;
	const struct slice *services; size_t n_services; /* hurt business services, worst first */
	size_t alerts, alerts_open;
	instant opened, resolved;
};
void engine_each_alert(const struct engine *e, void (*fn)(void *arg, const struct alert_look *a), void *arg);
void engine_each_incident(const struct engine *e, void (*fn)(void *arg, const struct incident_look *i), void *arg);
/* Who wants to know which events stand behind an incident (backtest). Called from inside engine_step; objects are named by
 * serial numbers, which a save and a load keep. Nothing of it is state, and without an observer it costs a branch. */
struct engine_observer {
	void *arg;
	/* The event being judged fits this key of a rule; an alert may count it later. */
	void (*fits)(void *arg, struct slice rule, struct slice key);
	/* It began (first: of the events that it counts), repeated or cleared this alert (first: INSTANT_NONE). */
	void (*alert)(void *arg, uint64_t alert, struct slice rule, struct slice key, instant first);
	void (*opened)(void *arg, uint64_t alert, struct slice rule);
	/* The alert is evidence of an episode, or a member of an incident that knows no episodes; the other one is 0. */
	void (*joined)(void *arg, uint64_t alert, uint64_t episode, uint64_t incident);
	void (*moved)(void *arg, uint64_t episode, uint64_t incident); /* it belongs to that incident from now on */
	void (*ended)(void *arg, const struct incident_look *i);      /* nobody can ask for it any more */
};
/* NULL: nobody any more. Borrowed. */
void engine_observe(struct engine *e, const struct engine_observer *o);
/* Encodes an event input for tests: decode + resolve + match with the engine's own rules, then a FRAME_EVENT payload into
 * out. False: the event was dropped by a decoder or no rule wants it (nothing is written). */
bool engine_prepare_event(struct matcher *m, const struct service_map *map, struct fields *f, instant received, const struct ulid *id, struct buf *out);

#endif
