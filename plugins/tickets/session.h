/* What a login gave: names and values for ${session.NAME}, in memory only. */
#ifndef CARILLON_TICKETS_SESSION_H
#define CARILLON_TICKETS_SESSION_H

#include "plugins/tickets/adapter.h"

enum { SESSION_MAX = 8 };

struct session_value {
	char *name, *value;
};
struct ticket_session {
	struct session_value v[SESSION_MAX];
	size_t n;
	instant now, expires; /* INSTANT_NONE: until it is refused */
};

void session_put(struct ticket_session *s, struct slice name, struct slice value);
void session_lasts(struct ticket_session *s, int64_t seconds); /* from the time that was told last */
struct slice session_get(const struct ticket_session *s, struct slice name); /* absent if there is none */

#endif
