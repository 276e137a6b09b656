/* What follows from what among conditions: a small, sound and incomplete engine for the lints. "Yes" is
 * certain, "no" means that it could not be shown. Per field it knows sets of values, prefixes, suffixes,
 * parts, networks and intervals; of a regex only the literals that every match holds. Named lists are not
 * looked into: an installation may add to them. */
#ifndef CARILLON_RULES_IMPLY_H
#define CARILLON_RULES_IMPLY_H

#include "base/arena.h"
#include "rules/cond.h"

/* A test with its sign: `negated` holds where the atom is false. */
struct literal_use {
	const struct atom *atom;
	bool negated;
};

bool imply_same_field(const struct field_ref *a, const struct field_ref *b);
/* Wherever x holds, y holds. */
bool imply_literal(struct literal_use x, struct literal_use y);
/* x and y never hold together. */
bool imply_never(struct literal_use x, struct literal_use y);
/* Whatever fits `a` fits `b`. *fuel is what the search may cost; at 0 the answer is no. */
bool imply_cond(const struct cond *a, const struct cond *b, unsigned *fuel);
/* The same with `a` negated or `b` negated. */
bool imply_signed(const struct cond *a, bool not_a, const struct cond *b, bool not_b, unsigned *fuel);

#endif
