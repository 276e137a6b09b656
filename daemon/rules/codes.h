/* Every code of a finding about rule files: what it says, why it is a fault, and a bad and a good file
 * (language.md section 12). `carillonctl rules why` prints it; a test loads every example. */
#ifndef CARILLON_RULES_CODES_H
#define CARILLON_RULES_CODES_H

#include <stddef.h>

#include "base/slice.h"

struct code {
	const char *code; /* "E041" */
	const char *text; /* one sentence */
	const char *why;  /* why it matters, and what to do */
	const char *bad;  /* a file that gets this code and no other error */
	const char *good; /* the same mended */
	bool command;     /* the examples are command lines, not files */
};

/* All codes in order. The table is the program's. */
const struct code *codes_all(size_t *n);
const struct code *codes_find(struct slice code); /* upper or lower case; NULL: there is none */

#endif
