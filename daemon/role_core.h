/* What the files of the core role share. Core takes accepted events, commands and ticket results, journals each before it
 * is acted on, steps the engine, and lets acknowledgements, replies and operations out only when their input is on disk. */
#ifndef CARILLON_ROLE_CORE_H
#define CARILLON_ROLE_CORE_H

#include "engine/engine.h"
#include "role.h"
#include "role_core_gen.h"
#include "role_map.h"
#include "store/store.h"

struct core;

#define CORE_INTAKES_MAX 64
#define CORE_VIEW_EVERY  (100 * MSEC)

/* Something that may leave when the journal has reached `seq`. */
struct core_release {
	uint64_t seq;
	enum release_kind { RELEASE_NOTHING, RELEASE_OPS, RELEASE_REPLY, RELEASE_ACK, RELEASE_NOTICES } kind; /* NOTHING: whoever waited is gone */
	unsigned intake;          /* RELEASE_ACK */
	uint64_t number;          /* RELEASE_ACK: intake's sequence; RELEASE_REPLY: request id */
	struct buf bytes;
};

struct core_intake {
	struct core *core;
	unsigned index;
	struct channel *channel;
	uint64_t seen;            /* in this batch: highest sequence taken */
};

/* What one intake has offered. Its numbers begin anew with each process, perhaps below the former one's if the clock was
 * set back: the epoch tells the processes apart. */
struct core_high {
	uint32_t epoch;
	uint64_t seq; /* highest journaled or judged irrelevant */
};

struct core {
	struct role *role;
	struct store *store;
	struct engine *engine;
	struct matcher *matcher;      /* for frames that another generation matched */
	struct core_gen *gen, *next;  /* running; compiled and waiting for the swap */
	struct role_map *map;
	struct effects fx;
	uint64_t seq;                 /* of the last journaled input */
	struct core_high high[CORE_INTAKES_MAX];
	uint64_t snapshot_seq;
	duration skew;                /* how far the engine's time is ahead of a clock that was set back */
	bool running, failed, closing;
	struct core_shadow *shadow;   /* NULL: no candidate rules run */

	struct core_intake intakes[CORE_INTAKES_MAX];
	struct channel *egress, *front;
	struct core_release *releases; /* ascending by seq */
	size_t n_releases, cap_releases, released;

	struct loop_fd *notify;
	struct loop_timer *tick, *views, *snapshot, *history;
	struct buf rematch;
	struct fields fields;
	struct arena *scratch;
	_Atomic uint64_t *events_total, *unwanted_total, *repeats_total;
	struct log_limit slow;
	struct core_rules *rules;     /* role_core_rules.c: what was shown of each rule */
};

/* role_core_recover.c: opens the store and folds the journal. The result is ready for live inputs. */
int core_recover(struct core *c, struct error *err) MUST_CHECK;
/* The engine with everything that must survive beside it, and back. */
void core_blob(const struct core *c, struct buf *out);

/* role_core_views.c: what the timers do, and the same at once. */
void core_on_views(void *arg);
void core_on_snapshot(void *arg);
void core_on_history(void *arg);
void core_views(struct core *c, bool all); /* all: after a start, what only lives in the engine is written anew */
void core_snapshot(struct core *c);

/* role_core_rules.c: the figures of rules that have changed; cheap when called often. */
void core_rules_show(struct core *c);
void core_rules_free(struct core *c);
/* What the rules of an event cost core, shared among those that it fits; only one of many events is timed. */
bool core_rules_sampled(struct core *c);
void core_rules_cost(struct core *c, const struct event_frame *ev, duration spent);

/* role_core.c */
struct engine_setup core_setup(const struct core *c);
/* Journals one input and steps the engine; effects wait for the commit. */
void core_input(struct core *c, instant at, uint16_t kind, struct slice payload, const struct engine_setup *setup);
instant core_time(struct core *c, instant wish); /* never before the engine's time, and never standing still */
/* Takes the number of an event into its intake's mark; false: that one was there already. */
bool core_fresh(struct core *c, const struct event_payload *head);

#endif
