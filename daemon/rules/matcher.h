/* Runs a rule set over events: decoders, service resolution, matching. One matcher per thread; the rule set is shared. */
#ifndef CARILLON_RULES_MATCHER_H
#define CARILLON_RULES_MATCHER_H

#include "base/json.h"
#include "model/service_map.h"
#include "rules/rule_set.h"

struct matcher;
struct matcher *matcher_new(const struct rule_set *rs); /* borrows rs */
void matcher_free(struct matcher *m);

/* All decoders, top to bottom (language.md section 5). False: the event is dropped. Events of the engine's own types
 * (alert, calendar, internal) skip decoders. Rendered values live in f->arena. */
bool matcher_decode(struct matcher *m, struct fields *f);
/* map.md section 4: `service` and `peer` become ids where the map knows them, else stay text; sets the service.* fields
 * that the rule set uses. map may be empty. Returns the service's number or SERVICE_NONE. */
uint32_t matcher_resolve(struct matcher *m, const struct service_map *map, struct fields *f);
/* Predicates that are true, ascending; valid until the next call. */
size_t matcher_match(struct matcher *m, const struct fields *f, const uint32_t **hits);
/* One condition on its own (suppressed_by.match on an alert's fields). */
bool matcher_test(struct matcher *m, const struct cond *c, const struct fields *f);

/* The rows of a Redis table from now on (number of rule_set_tables); borrowed; NULL: none yet, so nothing is found. */
struct table;
void matcher_table(struct matcher *m, uint32_t number, const struct table *rows);

/* Counters of what happened, by number of rule or decoder, for metrics and `rules stats`. */
uint64_t matcher_decoder_misses(const struct matcher *m, uint32_t decoder);
uint64_t matcher_dropped(const struct matcher *m);
uint64_t matcher_unknown_words(const struct matcher *m); /* severities and states that decoders made and nobody knows */

/* `rules explain`: the same work, told step by step as JSON into w (an open object): decoded fields, which decoder set
 * what, service and how, candidates, each condition with its verdict. Field values of the event: language.md section 4.
 * Without only_rule (absent) it tells of the rules that the index names; a rule asked for by name is told of in any case.
 * False: a decoder dropped the event. {"fields": {}, "decoders": [{"id", "patterns"?: {field: number}, "missed"?, "set"?: {}, "drop"?}], "dropped",
 * "service": {"id", "how"}, "candidates", "rules": [{"rule", "role": match|clear|step, "verdict",
 * "conditions": [{"text", "verdict", "negated"?, "value"}]}]} */
bool matcher_explain(struct matcher *m, const struct service_map *map, struct fields *f, struct slice only_rule, struct jw *w);

#endif
