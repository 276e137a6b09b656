/* Promises that tickets of incidents that became one, or that followed each other, are linked where the
 * ticket system can: a duplicate below the one that goes on. Once for each ticket; a refusal is told and
 * nothing waits for it. Must not know how a link is made. */
#include "engine/correlate.h"

#include <stdlib.h>

const struct lane *link_target(const struct engine *e, const struct lane *l)
{
	const struct incident *into = incident_merged(e->correlation, l->incident);
	const struct lane *t = into != NULL ? incident_lane(into, l->destination) : NULL;
	bool bound = t != NULL && t->state == LANE_BOUND && !t->lost;
	return bound && strcmp(t->ticket, l->ticket) != 0 ? t : NULL;
}

bool link_wanted(const struct engine *e, const struct lane *l)
{
	return !l->linked && l->incident->state == INCIDENT_MERGED && l->state == LANE_BOUND &&
	       link_target(e, l) != NULL;
}

void link_done(struct engine *e, struct lane *l, const char *refused)
{
	const struct lane *t = link_target(e, l);
	l->linked = true;
	if (refused != NULL)
		incident_log(e, l->incident, "ticket", "ticket %s could not be linked: %s", l->ticket,
		             refused);
	else if (t != NULL)
		incident_log(e, l->incident, "ticket", "ticket %s linked below %s", l->ticket, t->ticket);
}

const char *link_before(const struct engine *e, const struct incident *i)
{
	const struct incident *before =
	    i->previous != 0 ? hmap_get(e->correlation->incident_by, key_u64(&i->previous)) : NULL;
	return before != NULL && before->lane != NULL ? before->lane->ticket : NULL;
}
