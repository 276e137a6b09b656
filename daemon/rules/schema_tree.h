/* Which table of keys holds for what stands below a key: the shape of a rule file, for the formatter, the JSON schema and
 * the manual. */
#ifndef CARILLON_RULES_SCHEMA_TREE_H
#define CARILLON_RULES_SCHEMA_TREE_H

#include "rules/load.h"

enum schema_shape {
	SCHEMA_ONE,     /* the value is such a map */
	SCHEMA_MAP_OF,  /* a map of names to such maps */
	SCHEMA_LIST_OF  /* a list of such maps */
};
struct schema_child {
	const char *parent, *key;      /* name of the schema above, and its key */
	enum schema_shape shape;
	const struct schema *schema;
};
const struct schema_child *schema_children(size_t *n);
/* The child of a key, or NULL. */
const struct schema_child *schema_child(const struct schema *parent, struct slice key);

#endif
