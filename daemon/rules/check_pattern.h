/* W113: one pattern of `extract` against another. */
#ifndef CARILLON_RULES_CHECK_PATTERN_H
#define CARILLON_RULES_CHECK_PATTERN_H

#include <stdbool.h>

#include "base/slice.h"

/* Does pattern `a` surely fit every text that `b` fits? */
bool check_pattern_covers(struct slice a, struct slice b);

#endif
