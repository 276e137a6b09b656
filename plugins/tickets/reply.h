/* What an answer says: its class, the values a profile takes from it, how long to wait. */
#ifndef CARILLON_TICKETS_REPLY_H
#define CARILLON_TICKETS_REPLY_H

#include "plugins/tickets/profile.h"

struct reply {
	int status;
	struct slice headers, body;
	const struct json *doc; /* NULL: the body is no JSON */
	bool html;
};

/* Borrows from the answer; the tree lives in `a`. */
void reply_read(struct reply *r, const struct ticket_answer *a, struct arena *arena);
struct slice reply_header(const struct reply *r, struct slice name); /* absent if there is none */
/* Rules of the profile first, then the fallthrough of tickets.md, of which `ok` and `unknown` (a 2xx that the
 * operation does not list) are for successes. */
enum ticket_class reply_class(const struct ticket_profile *p, const struct op *op, enum ticket_verb verb,
                              const struct reply *r);
/* Text of a path of the answer, or of an item of it (NULL: the whole); absent if there is none. */
struct slice reply_value(const struct reply *r, const struct json *item, struct slice path);
struct slice reply_extract(const struct reply *r, const struct op *op, const struct json *item,
                           const char *name);
/* Retry-After in seconds or as a date relative to the answer's own; X-RateLimit-Reset likewise. 0: not said.
 * At most a day. */
duration reply_retry_after(const struct reply *r);
/* The beginning of the body as one line, in `a`; "(empty)" if there is none. */
struct slice reply_excerpt(const struct reply *r, struct arena *a);

#endif
