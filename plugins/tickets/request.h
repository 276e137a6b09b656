/* One HTTP request of a profile's operation. */
#ifndef CARILLON_TICKETS_REQUEST_H
#define CARILLON_TICKETS_REQUEST_H

#include "plugins/tickets/profile.h"

/* Everything of *out lives in r->arena. `key` becomes the Idempotency-Key if it is not absent. -1: a value
 * may not be sent as it is; err says which. */
int request_build(const struct op *op, struct render *r, struct slice key, struct ticket_request *out,
                  struct error *err) MUST_CHECK;
/* A URL alone, in r->arena. */
int request_url(const struct expr *url, struct render *r, struct slice *out, struct error *err) MUST_CHECK;
/* The address of a further page as the ticket system gave it, in `a`: only below the scheme, host and port of
 * `from`. */
int request_follow(const char *from, struct slice url, struct arena *a, const char **out,
                   struct error *err) MUST_CHECK;
/* Whether the operation sends ${ticket.version} in a header, and there is one. */
bool request_is_conditional(const struct op *op, const struct render *r);

/* Is it https://host…, or http:// to a loopback address, without user, query and fragment? */
int request_base_check(struct slice base, struct error *err) MUST_CHECK;

#endif
