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
                              const struct reply *r,
                              duration *wait); /* wait: as the rule says, else untouched */
bool reply_has_ticket(enum ticket_verb v);     /* is it about a ticket that is known? */
/* Text of a path of the answer, or of an item of it (NULL: the whole); absent if there is none. */
struct slice reply_value(const struct reply *r, const struct json *item, struct slice path);
struct slice reply_named(const struct reply *r, struct render *render, const struct named_path *p,
                         const struct json *item);
struct slice reply_next_link(const struct reply *r); /* of the Link header; absent if there is none */
/* Retry-After in seconds or as a date relative to the answer's own; X-RateLimit-Reset likewise. 0: not said.
 * At most a day. */
duration reply_retry_after(const struct reply *r);
/* The beginning of the body as one line, in `a`; "(empty)" if there is none. */
struct slice reply_excerpt(const struct reply *r, struct arena *a);

#endif
