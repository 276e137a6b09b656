/* Inside of the lints only (check_*.c). Those that compare conditions run where tests are kept, that is in
 * the tool: they cost more than a reload may, and a running daemon has nobody to tell. */
#ifndef CARILLON_RULES_CHECK_LINT_H
#define CARILLON_RULES_CHECK_LINT_H

#include "rules/load.h"

/* What one condition may cost; a larger one is not judged to its end. */
#define LINT_FUEL 20000u

void check_truth(struct loader *ld);    /* W101, W112 */
void check_overlaps(struct loader *ld); /* W102, W110 */
void check_decoded(struct loader *ld);  /* W101 by a decoder, W111, W113 */
/* Tests that must hold for `c` to be true, at most `max`; alternatives are left out. */
size_t check_required(const struct cond *c, bool negated, const struct cond **out, bool *negations,
                      size_t max);

#endif
