/* What one record of an answer says, in the words of every ticket system. */
#ifndef CARILLON_TICKETS_RECORD_H
#define CARILLON_TICKETS_RECORD_H

#include "plugins/tickets/profile.h"
#include "plugins/tickets/reply.h"

/* The extracted values in front of `base`, copied into the render's arena. The texts of a list are joined by
 * line ends. */
struct values *record_values(struct render *render, const struct named_path *extract, struct values *base,
                             const struct reply *r, const struct json *item);
/* An id goes into addresses, logs and lists of ids: what could not be told apart there is none (absent). */
struct slice record_id(const struct values *v, const char *name);
struct slice record_state(const struct ticket_profile *p,
                          const struct values *v); /* through state_in, resolution_in */
struct ticket_seen record_seen(const struct ticket_profile *p, struct arena *a, const struct values *v);
struct ticket_planned record_planned(struct arena *a, const struct values *v);
/* Is the value, or one of the list, what is wanted? A state may be wanted in our words or in the ticket
 * system's. */
bool record_is(const struct ticket_profile *p, const struct values *v, struct slice name, struct slice want);

#endif
