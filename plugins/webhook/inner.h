/* JSON inside JSON: an object, a text that holds JSON, or such a text in base64 (RFC 4648). */
#ifndef CARILLON_WEBHOOK_INNER_H
#define CARILLON_WEBHOOK_INNER_H

#include "base/json.h"

/* The object or list that the value is or holds, in the arena; NULL if it is neither. */
const struct json *inner_json(struct arena *a, const struct json *value);
/* A text that must be JSON as a whole: an object or a list, else NULL. */
const struct json *inner_text(struct arena *a, struct slice text);

#endif
