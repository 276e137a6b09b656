/* The verb table of carillonctl: help, usage errors, completion and the list in carillonctl(1) are made from
 * it. */
#ifndef CARILLON_CTL_VERBS_H
#define CARILLON_CTL_VERBS_H

#include "ctl/ctl.h"

struct verb {
	const char *name;                                /* one or two words */
	const char *usage;                               /* the grammar of what follows (args.h) */
	const char *help;                                /* one line */
	bool daemon;                                     /* talks to the daemon */
	int (*run)(struct ctl *c, const struct args *a); /* NULL: of the design, not in this version */
};
extern const char verbs_common[]; /* options that every verb takes */

const struct verb *verbs_all(size_t *n);
/* The verb at argv[from], *used words of it. NULL with err: a name and the nearest one, or what the group
 * has. */
const struct verb *verbs_find(int argc, char **argv, int from, int *used, struct error *err);
void verbs_usage(const struct verb *v, FILE *to);
void verbs_list(FILE *to);
void verbs_mdoc(FILE *to); /* the list of carillonctl(1) */

#endif
