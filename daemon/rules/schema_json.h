/* The JSON Schema of rule files, made of the loader's own tables: completion and hover text in editors. */
#ifndef CARILLON_RULES_SCHEMA_JSON_H
#define CARILLON_RULES_SCHEMA_JSON_H

#include "base/buf.h"

/* Draft 2020-12, one JSON object and a newline. It takes every file that the loader takes; the loader is stricter, for what
 * spans several keys. */
void schema_rules_json(struct buf *out);
/* The tables of keys of carillon-rules(5), as mdoc: one for each thing that has keys. */
void schema_rules_mdoc(struct buf *out);

#endif
