/* A simulation of the engine: from a seed a service map, faults with their symptoms, people, a ticket system
 * that fails, and a clock that jumps. After each step what must always hold is checked; at the end the
 * journal of inputs is replayed into a fresh engine, which must say and save the same. Nothing here knows the
 * time or any other source of chance. */
#ifndef CARILLON_TESTS_SIM_H
#define CARILLON_TESTS_SIM_H

#include "engine/correlate.h"

#define SIM_T0 (INT64_C(1767571200) * SECOND) /* 2026-01-05T00:00:00Z */

enum {
	NODES_MAX = 40,
	NEEDS_MAX = 6,
	CHECKS = 11,
	RULE_SETS = 4,
	CONFIGS = 2,
	ACTS_MAX = 1200,
	TICKETS_MAX = 4000
};

/* ---- chance */

uint64_t sim_mix(uint64_t x);
struct dice {
	uint64_t state;
};
uint64_t dice_next(struct dice *d);
uint32_t dice_below(struct dice *d, uint32_t n); /* 0 … n - 1 */
bool dice_percent(struct dice *d, uint32_t percent);

/* ---- sim_world.c: a map */

struct need {
	uint32_t to[3];
	uint32_t n, at_least; /* n 1: no group */
	bool soft, none;
};
struct world_node {
	uint32_t layer, tier;
	struct need needs[NEEDS_MAX];
	uint32_t n_needs;
	bool hides, port, gone;
	uint32_t ends[2]; /* of a link; equal: it is none */
};
struct world {
	struct world_node v[NODES_MAX];
	uint32_t n;
	struct buf bytes;
	struct service_map *map;
};
void world_make(struct world *w, struct dice *d);
void world_change(struct world *to, const struct world *from,
                  struct dice *d); /* another map of nearly the same */
void world_close(struct world *w);
/* level[i]: 0 well, 1 degraded, 2 down, when root is at `level`. */
void world_blast(const struct world *w, uint32_t root, uint8_t level, uint8_t out[NODES_MAX]);

/* ---- sim_plan.c: what happens, in order of time */

enum act_kind {
	ACT_EVENT,
	ACT_COMMAND,
	ACT_RULES,
	ACT_MAP,
	ACT_RESTART, /* saved, loaded, resumed */
	ACT_RELOAD,  /* saved and loaded: nobody may notice */
	ACT_WEATHER, /* of the ticket system */
	ACT_PERSON,  /* somebody deletes a ticket there */
	ACT_JUMP     /* of the clock */
};
struct act {
	duration at;
	enum act_kind kind;
	uint32_t node, check, what, peer;
	duration late; /* event time before arrival */
};
struct plan {
	struct act v[ACTS_MAX];
	uint32_t n;
};
void plan_make(struct plan *p, const struct world *w, struct dice *d);

/* ---- sim_desk.c: a ticket system */

struct sim_ticket {
	char key[48];
	bool open, deleted;
};
struct reply {
	instant at;
	struct buf bytes;
};
struct sim_desk {
	struct sim_ticket v[TICKETS_MAX];
	uint32_t n, weather;
	struct reply *replies;
	size_t n_replies, cap_replies;
	uint64_t seed;
	const char *wrong; /* what it has seen that must not be; NULL */
};
void sim_desk_take(struct sim_desk *d, const struct ticket_op *op, instant now);
bool sim_desk_reply(struct sim_desk *d, instant until, struct buf *out,
                    instant *at);         /* the earliest that is due */
void sim_desk_forget(struct sim_desk *d); /* all replies on their way are lost */
void sim_desk_free(struct sim_desk *d);

/* ---- sim_run.c */

struct bench { /* what all runs share */
	struct config *config[CONFIGS];
	struct rule_set *rules[RULE_SETS];
	struct matcher *matcher[RULE_SETS];
};
void bench_open(struct bench *b);
extern const char *const sim_rules[RULE_SETS];

struct entry { /* of the journal */
	instant at;
	uint16_t kind;
	uint8_t setup; /* rules, and 16 for the second map */
	struct buf payload;
	uint64_t said; /* of the effects */
};
struct run {
	const struct bench *b;
	struct world world[2];
	struct engine *engine;
	struct effects fx;
	struct sim_desk *desk;
	struct arena *arena;
	struct entry *journal;
	size_t n_journal, cap_journal;
	instant at;
	uint32_t rules, map, config;
	uint64_t seed, ticks, moments;
	bool trace;
	bool raised[NODES_MAX][CHECKS];
	enum incident_state *states; /* by serial, as last seen, + 1 */
	size_t cap_states;
	char wrong[400];
};
/* NULL, or what was wrong, in r->wrong. `keep`: which acts take part. */
const char *run_plan(struct run *r, const struct plan *p, const bool *keep);
void run_close(struct run *r);
void run_wrong(struct run *r, const char *fmt, ...) PRINTF(2, 3); /* the first one counts */

/* ---- sim_check.c */
void check_step(struct run *r);
void check_end(struct run *r);

#endif
