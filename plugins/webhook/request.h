/* One request on its way from a JSON body to events. Private to this decoder. */
#ifndef CARILLON_WEBHOOK_REQUEST_H
#define CARILLON_WEBHOOK_REQUEST_H

#include "profile.h"

struct request {
	const struct decode_env *env;
	const struct webhook_profiles *profiles;
	const struct profile *named;   /* NULL: auto */
	const struct profile *generic; /* NULL: there is none */
	struct evt_batch *out;
	struct buf scratch;
	const struct ignore_rule *noted; /* the rule whose note stands already */
	unsigned depth;                  /* bodies inside bodies */
	bool full;
};

/* The profile for a body: the named one, else the one that fits best, else generic or NULL. */
const struct profile *request_profile(const struct request *r, const struct json *body);
/* All events of a body, which is an object or a list. */
void request_spread(struct request *r, const struct json *body);
/* One event of an element; NULL if there is no room. */
struct fields *request_event(struct request *r, const struct profile *p, const struct place *place);

#endif
