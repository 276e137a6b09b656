/* A tree of short lines with branches drawn in front, each once under what it hangs on. */
#ifndef CARILLON_CTL_TREE_H
#define CARILLON_CTL_TREE_H

#include "ctl/show.h"

#define TREE_TOP SIZE_MAX

struct tree;
struct tree *tree_new(void);
/* `parent`: what a former call returned, or TREE_TOP. Texts are copied; `note` may be absent. */
size_t tree_add(struct tree *t, size_t parent, struct slice name, enum show_colour colour, struct slice word,
                struct slice note);
void tree_print(const struct ctl *c, struct tree *t); /* and frees it */

#endif
