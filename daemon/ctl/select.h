/* "field=value" words on the command line: which objects of a list are shown. Values are globs (* and ?). */
#ifndef CARILLON_CTL_SELECT_H
#define CARILLON_CTL_SELECT_H

#include "ctl/ctl.h"

/* Do all words have the form field=glob? Else said, and 2. */
int select_check(const struct ctl *c, const struct args *a);
/* All words fit the object's member, or that of its member `inner` (may be NULL), or the element of its list.
 */
bool select_fits(const struct args *a, const struct json *o, const char *inner);
bool select_glob(struct slice pattern, struct slice text);
/* "open,acked" holds the word? A NULL list holds all. */
bool select_listed(const char *list, struct slice word);

#endif
