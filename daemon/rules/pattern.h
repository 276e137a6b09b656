/* The pattern language of `extract` (language.md section 5): text, ${name:type}, "...". Must fit the whole field. */
#ifndef CARILLON_RULES_PATTERN_H
#define CARILLON_RULES_PATTERN_H

#include "base/arena.h"
#include "base/error.h"
#include "model/evt.h"

struct pattern; /* lives in its arena, but its regex needs pattern_close */

struct pattern_fault {
	size_t at, len;      /* octets in the text */
	const char *code;    /* E080, E010, E011, E022, E007 */
	struct error error;
};
struct pattern *pattern_new(struct arena *a, struct slice text, bool jit, struct pattern_fault *fault) MUST_CHECK;
void pattern_close(struct pattern *p);
size_t pattern_captures(const struct pattern *p, const struct slice **names, const enum value_type **types);
/* Captures in order of the names; all or nothing (a value of type ip must parse as one). */
bool pattern_match(const struct pattern *p, struct slice text, struct slice *captures);
struct slice pattern_text(const struct pattern *p);

#endif
