/* Inside of the matcher only (matcher.c, decode.c, resolve.c, explain.c). */
#ifndef CARILLON_RULES_MATCHER_IMPL_H
#define CARILLON_RULES_MATCHER_IMPL_H

#include "rules/index.h"
#include "rules/matcher.h"

/* What the matcher needs of a rule set, all borrowed; tests make it by hand. */
struct matcher_parts {
	const struct rule *rules;
	size_t n_rules;
	const struct rule_decoder *decoders;
	size_t n_decoders;
	const struct predicate *predicates;
	size_t n_predicates;
	size_t n_atoms;
	const struct value_list *lists;
	size_t n_lists;
	const struct slice *field_names;
	size_t n_field_names; /* by slot */
	const struct slice *service_paths;
	size_t n_service_paths;
	const struct index *index, *decoder_index;
	const struct rule_table *tables;
	size_t n_tables;
};
struct matcher *matcher_of_parts(const struct matcher_parts *p);

struct name_slot {
	uint64_t hash;
	uint32_t slot; /* + 1; 0: free */
};

/* A field that a decoder sets, held back until all of its key are known. */
struct pending {
	const struct field_ref *field;
	struct slice value;
	enum value_type type;
};

struct matcher {
	struct matcher_parts parts;
	struct index_scratch *scratch, *decoder_scratch;

	struct name_slot *names; /* by hash of the name; a power of two */
	size_t n_names;
	struct value *slots; /* named fields of the event */
	uint32_t *filled;    /* which of them are set */
	size_t n_filled;

	uint32_t *memo; /* by atom: generation * 2 + verdict */
	uint32_t generation;
	uint32_t *hits;

	uint64_t *todo; /* bits of decoders that may match */
	uint32_t *watch_from,
	    *watch; /* by field: decoders that may become candidates when it changes, ascending */
	struct pending *pending;
	size_t n_pending, cap_pending;
	struct buf text;
	struct slice *service_names; /* "service.x" */
	struct slice captures[32];   /* as many as a pattern may have */

	const struct table **tables; /* by number: of files, and as given by matcher_table */
	uint64_t *misses;
	uint64_t dropped, unknown;
	struct jw *trace; /* explain: an open array that decoders write themselves into */
	bool traced_changes;
};

/* Before conditions are evaluated on other values than before. */
void matcher_fill(struct matcher *m, const struct fields *f);
void matcher_forget(struct matcher *m);
bool matcher_eval(struct matcher *m, const struct cond *c, const struct fields *f);
void matcher_set_slot(struct matcher *m, uint32_t slot, struct value v);
bool matcher_engine_event(const struct fields *f);
struct value matcher_value(const struct matcher *m, const struct field_ref *r, const struct fields *f);

#endif
