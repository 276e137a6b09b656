/* Promises which ticket connections an incident goes to: the one that its rule names, or its root's label
 * `ticket`, or `default`; and those that this one lists in `also`, as far as their `priorities` and
 * `services` want it. One lane for each, and none twice. Must not know what is sent. */
#include "engine/correlate.h"

#include <stdio.h>
#include <stdlib.h>

char *outbox_route(const struct engine *e, const struct incident *i)
{
	const struct alert *a = incident_decider(i);
	const struct rule *r = a != NULL ? alert_rule(e, a) : NULL;
	struct slice to = r != NULL ? r->incident.ticket : SLICE_NONE;
	uint32_t s = i->root_id != NULL ? service_find(e->setup.map, slice_str(i->root_id)) : SERVICE_NONE;
	if (to.p == NULL && s != SERVICE_NONE) {
		char *label = slice_dup(service_label(e->setup.map, s, SLICE("ticket")));
		if (label[0] != '\0' && (strcmp(label, "none") == 0 || outbox_config(e, label) != NULL))
			to = arena_slice(e->scratch, slice_str(label));
		free(label);
	}
	if (to.p == NULL)
		to = SLICE("default");
	return slice_is(to, "none") ? NULL : slice_dup(to);
}

static bool any_of(char *const *v, size_t n, const char *word)
{
	for (size_t k = 0; k < n; k++) {
		size_t len = strlen(v[k]);
		if (strcmp(v[k], word) == 0 ||
		    (len > 0 && v[k][len - 1] == '*' && strncmp(v[k], word, len - 1) == 0))
			return true;
	}
	return n == 0;
}

static bool any_service(const struct ticket_config *t, const struct incident *i)
{
	if (any_of(t->services, t->n_services, i->root_id))
		return true;
	for (size_t k = 0; k < i->n_hurts; k++)
		if (any_of(t->services, t->n_services, i->hurts[k].service))
			return true;
	return false;
}

static bool is_wanted_by(const struct engine *e, const struct ticket_config *t, const struct incident *i)
{
	char priority[4] = {'P', (char)('0' + i->priority), '\0'};
	return outbox_wanted(e, t->name) && any_of(t->priorities, t->n_priorities, priority) &&
	       any_service(t, i);
}

struct lane *incident_lane(const struct incident *i, const char *destination)
{
	struct lane *l = i->lane;
	while (l != NULL && strcmp(l->destination, destination) != 0)
		l = l->sister;
	return l;
}

bool incident_delivered(const struct incident *i)
{
	for (const struct lane *l = i->lane; l != NULL; l = l->sister)
		if (!l->done)
			return false;
	return true;
}

void lane_join(struct incident *i, struct lane *l)
{
	struct lane **at = &i->lane;
	while (*at != NULL)
		at = &(*at)->sister;
	*at = l;
}

static void lane_new(struct engine *e, struct incident *i, const char *destination)
{
	struct correlation *c = e->correlation;
	struct lane *l = xcalloc(1, sizeof *l);
	l->serial = engine_serial(e);
	l->incident = i;
	l->destination = xstrdup(destination);
	l->next_at = l->since = l->updated = l->wake = l->sweep_at = INSTANT_NONE;
	TAILQ_INSERT_TAIL(&c->lanes, l, all);
	hmap_put(c->lane_by, key_u64(&l->serial), l);
	lane_join(i, l);
	lane_dirty(c, l);
}

void outbox_also(struct engine *e, struct incident *i)
{
	const struct ticket_config *t = i->destination != NULL ? outbox_config(e, i->destination) : NULL;
	if (i->lane == NULL || t == NULL)
		return;
	for (size_t k = 0; k < t->n_also; k++) {
		const struct ticket_config *o = outbox_config(e, t->also[k]);
		if (o == NULL || incident_lane(i, o->name) != NULL || !is_wanted_by(e, o, i))
			continue;
		lane_new(e, i, o->name);
		incident_log(e, i, "ticket", "goes to %s too", o->name);
	}
}

void outbox_start(struct engine *e, struct incident *i)
{
	BUG_ON(i->lane != NULL || i->key == NULL);
	if (!outbox_wanted(e, i->destination) || storm_takes(e, i))
		return;
	lane_new(e, i, i->destination);
	outbox_also(e, i);
}
