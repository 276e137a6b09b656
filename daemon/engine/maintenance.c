/* Promises what maintenance means to correlation (correlation.md section 4): a service in it is capacity that
 * is missing, it may be the silent cause of what it breaks, and an incident that it causes waits until the
 * grace after it is over. Must not know who declared it, nor how. */
#include "engine/correlate.h"

#include <stdlib.h>

#include "engine/silence.h"

enum { EARLY = 30 }; /* seconds: people and clocks are not exact */

static struct maintenance *find(const struct correlation *c, const char *id)
{
	for (size_t k = 0; k < c->n_maintenance; k++)
		if (strcmp(c->maintenance[k].id, id) == 0)
			return &c->maintenance[k];
	return NULL;
}

/* What began at `on` at this node belongs to its maintenance: while it runs and for the grace after it. */
const struct maintenance *maintenance_covers(const struct engine *e, const struct map_node *n, instant on)
{
	const struct maintenance *m = find(e->correlation, n->id);
	return m != NULL && on >= m->since - EARLY * SECOND ? m : NULL;
}

static bool evidence_down(const struct map_node *n)
{
	const struct episode *ep = n != NULL ? n->open : NULL;
	return ep != NULL && ep->real && ep->proven == LEVEL_DOWN && ep->off == INSTANT_NONE;
}

void maintenance_derive(struct engine *e, const char *id, bool running)
{
	struct correlation *c = e->correlation;
	uint32_t s = service_find(e->setup.map, slice_str(id));
	if (s == SERVICE_NONE || c->derived.maintained[s] == running)
		return;
	c->derived.maintained[s] = running;
	derived_source(e, s, evidence_down(c->nodes[s]));
}

void maintenance_add(struct correlation *c, const char *id, const char *silence, instant since, bool running)
{
	c->maintenance =
	    array_reserve(c->maintenance, &c->cap_maintenance, c->n_maintenance + 1, sizeof *c->maintenance);
	c->maintenance[c->n_maintenance++] = (struct maintenance){
	    .id = xstrdup(id), .silence = xstrdup(silence), .since = since, .running = running};
}

void maintenance_close(struct correlation *c)
{
	for (size_t k = 0; k < c->n_maintenance; k++) {
		free(c->maintenance[k].id);
		free(c->maintenance[k].silence);
	}
	free(c->maintenance);
	c->maintenance = NULL;
	c->n_maintenance = c->cap_maintenance = 0;
}

static void drop_old(struct engine *e)
{
	struct correlation *c = e->correlation;
	size_t n = 0;
	for (size_t k = 0; k < c->n_maintenance; k++) {
		struct maintenance m = c->maintenance[k];
		if (silence_maintains(e, m.id, NULL)) {
			c->maintenance[n++] = m;
			continue;
		}
		maintenance_derive(e, m.id, false);
		free(m.id);
		free(m.silence);
	}
	c->n_maintenance = n;
}

/* Called once in a step in which a maintenance began or ended, or in which the grace after one was over. */
void correlation_maintenance_changed(struct engine *e)
{
	struct correlation *c = e->correlation;
	struct incident *i;
	size_t n;
	drop_old(e);
	const struct maintained *v = silence_services(e, &n);
	for (size_t k = 0; k < n; k++) {
		struct maintenance *m = find(c, v[k].service);
		if (m == NULL)
			maintenance_add(c, v[k].service, v[k].silence, e->now, v[k].running);
		else if (v[k].running && !m->running)
			m->since = e->now;
		if (m != NULL)
			m->running = v[k].running;
		maintenance_derive(e, v[k].service, v[k].running);
	}
	silent_news(e);
	TAILQ_FOREACH (i, &c->incidents, all)
		if (i->state == INCIDENT_GATHERING)
			incident_touch(e, i);
}
