/* application/x-www-form-urlencoded bodies (URL standard, section 5.1). */
#ifndef CARILLON_WEBHOOK_FORM_H
#define CARILLON_WEBHOOK_FORM_H

#include "base/json.h"

/* The fields as an object of strings in the arena. *payload is the decoded field `payload` (JSON inside a
 * form), or absent. At most 1000 fields are read. */
struct json *form_read(struct arena *a, struct slice body, struct slice *payload);

#endif
