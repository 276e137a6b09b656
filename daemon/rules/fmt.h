/* The formatter of rule files: two blanks of indentation, known keys in the order of the manual, one kind of quotes where
 * that says the same. It works on tokens and marks, so that every comment stays with what it stands at. */
#ifndef CARILLON_RULES_FMT_H
#define CARILLON_RULES_FMT_H

#include "base/buf.h"
#include "base/error.h"

/* Appends the formatted text to `out`. -1 with err, and nothing appended, if the text is not a rule file's YAML or cannot be
 * formatted without a change of meaning. Formatting twice changes nothing. `test_file`: NAME.test.yaml. */
int fmt_text(struct slice text, bool test_file, struct buf *out, struct error *err) MUST_CHECK;

#endif
