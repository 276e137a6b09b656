/* Calendars at run time: which of them is it now, and what happens at their edges (language.md sections 6,
 * 10, 17.6). */
#ifndef CARILLON_ENGINE_DURING_H
#define CARILLON_ENGINE_DURING_H

#include "engine/internal.h"

struct during;

void during_new(struct engine *e);
void during_free(struct engine *e);
void during_start(struct engine *e); /* the first input: time is known now */
/* Edges that are due now: first flags, silences and what is pending outside, before anything else of this instant; when all
 * timers have run (17.1), the events {type: calendar, calendar, edge}. */
void during_turn(struct engine *e);
void during_tell(struct engine *e);
void during_rules_changed(struct engine *e); /* before silences_rules_changed */
void during_save(const struct engine *e, struct buf *out);
bool during_load(struct engine *e, struct reader *r);

bool during_active(const struct engine *e, uint32_t calendar);
instant during_edge(const struct engine *e, uint32_t calendar); /* its next change; INSTANT_NONE */
uint32_t during_find(const struct engine *e, struct slice id);  /* CALENDAR_NONE */

/* The zone of a rule's aligned windows: that of its calendar, else the installation's. */
const struct zone *rule_zone(const struct engine *e, const struct rule *r);

#endif
