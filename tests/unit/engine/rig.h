/* An engine on a bench: rules and map from text, events from pairs, time by hand. */
#ifndef CARILLON_TESTS_ENGINE_RIG_H
#define CARILLON_TESTS_ENGINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/internal.h"

#define T0 (INT64_C(1767571200) * SECOND) /* 2026-01-05T00:00:00Z */

struct rig {
	struct config *config;
	struct rule_set *rules;
	struct buf map_bytes;
	struct service_map *map;
	struct matcher *matcher;
	struct engine *engine;
	struct effects fx;
	struct arena *arena;
	uint64_t seq;
};

struct rule_set *rig_rules(const char *yaml, const struct config *config); /* fails the test with the findings */
struct rig *rig_new(const char *yaml);
struct rig *rig_with_map(const char *yaml, const char *map);
void rig_free(struct rig *r);
/* Pairs of name and value, ended by NULL; `at` after T0. False: no rule wants it. */
bool rig_event(struct rig *r, duration at, ...);
void rig_fields(struct rig *r, duration at, struct fields *f);
void rig_step(struct rig *r, duration at, uint16_t kind, struct slice payload);
void rig_tick(struct rig *r, duration at);
void rig_reload(struct rig *r, duration at, const char *yaml);
void rig_remap(struct rig *r, duration at, const char *yaml);
/* Saves, loads into a fresh engine, and checks that this one saves the same. */
void rig_restart(struct rig *r);
struct buf rig_saved(const struct rig *r);

/* Alerts in a state ("open", …), of a rule (NULL: any). */
size_t rig_count(const struct rig *r, const char *rule, const char *state);
/* The only alert of the rule in that state; fails if there is not exactly one. */
const struct alert *rig_alert(const struct rig *r, const char *rule, const char *state);

/* What the stub was told, as words "opened muted repeated …", and forgets it. */
const char *rig_told(void);

#endif
