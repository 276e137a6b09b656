/* Forms as JSON objects, so that profiles need not know the difference. */
#ifndef CARILLON_WEBHOOK_FORM_H
#define CARILLON_WEBHOOK_FORM_H

#include "base/json.h"

/* application/x-www-form-urlencoded (URL standard, section 5.1): the fields as an object of strings in the
 * arena. At most 1000 fields are read. */
struct json *form_read(struct arena *a, struct slice body);
/* multipart/form-data (RFC 7578) with the boundary that the content type names; NULL if it names none. */
struct json *form_read_parts(struct arena *a, struct slice content_type, struct slice body);
/* JSON that the form holds in a field (`payload`, `data`, `json`), or NULL. */
const struct json *form_payload(struct arena *a, const struct json *form);

#endif
