/* Promises that a ticket system that takes nothing for OWN_AFTER is reported through another one: an incident
 * of carillon's own, open as long as the connection is down. Must not know why it is down. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { OWN_AFTER = 5 * 60 /* s: shorter ones are what retries are for */, OWN_PRIORITY = 2 };

static size_t waiting(const struct engine *e, const char *destination)
{
	const struct lane *l;
	size_t n = 0;
	TAILQ_FOREACH (l, &e->correlation->lanes, all)
		n += !l->done && strcmp(l->destination, destination) == 0 && lane_busy(e, l);
	return n;
}

/* The first other connection that works. */
static const char *other(struct engine *e, const char *broken)
{
	const struct config *c = e->setup.config;
	for (size_t k = 0; k < c->n_tickets; k++) {
		const char *name = c->tickets[k].name;
		if (strcmp(name, broken) != 0 && outbox_wanted(e, name) &&
		    outbox_destination(e->correlation, name)->mode == DESTINATION_UP)
			return name;
	}
	return NULL;
}

static void open_own(struct engine *e, size_t k, const char *to)
{
	struct correlation *c = e->correlation;
	const char *name = c->destinations[k].name;
	struct incident *i = incident_new(e, GROUP_ALERT);
	i->kind = INCIDENT_OWN;
	i->destination = xstrdup(to);
	i->root_id = xasprintf("(tickets to %s)", name);
	i->group_key = xasprintf("own\n%s", name);
	i->title = xasprintf("carillon cannot reach the ticket system %s", name);
	i->opened = e->now;
	i->resolve = RESOLVE_AUTO;
	i->resolve_after = 0;
	i->reopen_within = e->setup.config->defaults.reopen_within;
	i->priority = OWN_PRIORITY;
	i->storm_severity = SEVERITY_CRITICAL;
	i->tally.alerts = i->tally.alerts_open = 1;
	c->destinations[k].own = i->serial;
	incident_key(e, i);
	incident_set_state(e, i, INCIDENT_OPEN, "nothing has been delivered there for five minutes");
	outbox_start(e, i);
}

void own_broken(struct engine *e, size_t k)
{
	struct destination *d = &e->correlation->destinations[k];
	if (d->down_since == INSTANT_NONE)
		d->down_since = e->now;
	if (d->own != 0 || e->now - d->down_since < OWN_AFTER * SECOND)
		return;
	char *name = xstrdup(d->name);
	const char *to = other(e, name); /* may move the destinations */
	if (to != NULL)
		open_own(e, k, to);
	free(name);
}

void own_back(struct engine *e, size_t k)
{
	struct destination *d = &e->correlation->destinations[k];
	struct incident *i = d->own != 0 ? hmap_get(e->correlation->incident_by, key_u64(&d->own)) : NULL;
	d->down_since = INSTANT_NONE;
	d->own = 0;
	if (i == NULL)
		return;
	i->tally.alerts_open = 0;
	i->calm = e->now;
	incident_touch(e, i);
}

void own_body(const struct engine *e, const struct incident *i, struct buf *out)
{
	for (size_t k = 0; k < e->correlation->n_destinations; k++) {
		const struct destination *d = &e->correlation->destinations[k];
		if (d->own != i->serial)
			continue;
		buf_printf(out, "The ticket system %s has taken nothing since ", d->name);
		instant_format(d->down_since / SECOND * SECOND, out);
		buf_printf(
		    out,
		    ": %s.\n%zu deliveries wait; nothing is lost. They are shown by: carillonctl tickets "
		    "outbox\n\n",
		    d->mode == DESTINATION_PAUSED ? "it refuses the credentials" : "it does not answer",
		    waiting(e, d->name));
		return;
	}
	buf_str(out, "It answers again.\n\n");
}
