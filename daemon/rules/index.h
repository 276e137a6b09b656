/* The word index (language.md section 15): which predicates and decoders could be true for an event, without asking each.
 * Cost depends on the words and hits of the event, not on the number of rules. Immutable after index_new. */
#ifndef CARILLON_RULES_INDEX_H
#define CARILLON_RULES_INDEX_H

#include "rules/cond.h"

struct index;

struct index_item {
	uint32_t number;            /* what index_candidates reports; ascending */
	const struct cond *cond;
};
/* Keeps nothing of items, conditions or lists. */
struct index *index_new(const struct index_item *items, size_t n, const struct value_list *lists, size_t n_lists, size_t n_slots);
void index_free(struct index *ix);

struct index_cost {
	size_t always;              /* items that no guard covers: tried for every event (W103) */
	size_t words, exact, prefixes, nets, bounds, substrings; /* keys of each kind; exact: "is present" too */
};
void index_cost(const struct index *ix, struct index_cost *out);
bool index_covers(const struct index *ix, uint32_t number); /* false: W103 */
/* The fields on which it depends whether the item is a candidate: core ids, and FIELD_CORE_MAX + slot for named ones.
 * When one of them changes, index_candidates must be asked again. */
size_t index_depends(const struct index *ix, uint32_t number, const uint32_t **fields);

/* Scratch of one thread. */
struct index_scratch;
struct index_scratch *index_scratch_new(const struct index *ix);
void index_scratch_free(struct index_scratch *s);
/* Values by core field id and by slot. Returns ascending numbers without repeats; valid until the next call. */
size_t index_candidates(const struct index *ix, struct index_scratch *s, const struct fields *f, const struct value *slots, const uint32_t **numbers);

#endif
