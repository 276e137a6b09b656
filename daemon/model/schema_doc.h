/* JSON Schemas (draft 2020-12) of the configuration and of map files, for editors. */
#ifndef CARILLON_MODEL_SCHEMA_DOC_H
#define CARILLON_MODEL_SCHEMA_DOC_H

#include "base/buf.h"

/* One JSON object and a newline each. The configuration's is made of the table of settings. */
void schema_config_json(struct buf *out);
void schema_map_json(struct buf *out);
/* The keys of a service and of the defaults of a map: what the schema knows, for the test that holds it against the reader.
 * NULL behind the last. */
const char *schema_map_key(bool of_defaults, size_t i);

#endif
