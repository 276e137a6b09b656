/* One test of one value: what the operators of language.md section 4 mean. */
#ifndef CARILLON_RULES_ATOM_H
#define CARILLON_RULES_ATOM_H

#include "rules/cond.h"

/* Is the test true for this value? A missing (empty) one fits only OP_EXISTS with want == false. */
bool atom_test(const struct atom *a, struct value v, const struct value_list *lists, size_t n_lists);

bool atom_list_has(const struct value_list *l, struct slice v);
/* `*` any run, `?` one character (of UTF-8, or one octet that is none); must fit the whole text. */
bool glob_match(struct slice glob, struct slice text);

#endif
