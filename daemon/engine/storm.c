/* Promises the ticket budget (tickets.md "Delivery"): beyond storm.creates tickets in storm.within there is
 * one storm ticket that lists its children with exact counts, carries their highest priority and is resolved
 * with the last; a child has no ticket of its own, except a P1, which always has one. The storm is an
 * incident without alerts: what is open in it are its children. Must not know how tickets are delivered. */
#include "engine/correlate.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHILDREN_SHOWN = 200 };

static bool counts(const struct incident *child)
{
	return incident_state_live(child->state);
}

struct incident *storm_of(const struct correlation *c, const struct incident *i)
{
	return i->in_storm != 0 ? hmap_get(c->incident_by, key_u64(&i->in_storm)) : NULL;
}

static int by_worst(const void *a, const void *b)
{
	const struct incident *const *x = a, *const *y = b;
	bool ox = counts(*x), oy = counts(*y);
	if (ox != oy)
		return ox ? -1 : 1;
	if ((*x)->priority != (*y)->priority)
		return (*x)->priority - (*y)->priority;
	return ((*x)->serial > (*y)->serial) - ((*x)->serial < (*y)->serial);
}

/* ---- the storm's own incident */

static void set_text(char **to, char *text)
{
	free(*to);
	*to = text;
}

void storm_review(struct engine *e, struct incident *s)
{
	const struct ticket_config *t = outbox_config(e, s->destination);
	int priority = s->storm_priority;
	BUG_ON(s->kind != INCIDENT_STORM || s->tally.alerts_open > s->tally.alerts);
	set_text(&s->title,
	         xasprintf("Alert storm: %u more incidents, %u open", s->tally.alerts, s->tally.alerts_open));
	set_text(&s->assign,
	         t != NULL && t->assign != NULL && t->assign[0] != '\0' ? xstrdup(t->assign) : NULL);
	s->priority = person_priority(s, priority);
}

static struct incident *storm_new(struct engine *e, const char *destination)
{
	struct incident *s = incident_new(e, GROUP_ALERT);
	const struct ticket_config *t = outbox_config(e, destination);
	struct buf b = {0};
	duration_format(t->storm_within, &b);
	s->kind = INCIDENT_STORM;
	s->destination = xstrdup(destination);
	s->root_id = xasprintf("(storm of %s)", destination);
	s->group_key = xasprintf("storm\n%s", destination);
	s->opened = e->now;
	s->resolve = RESOLVE_AUTO;
	s->resolve_after = 0;
	s->reopen_within = e->setup.config->defaults.reopen_within;
	s->storm_priority = 5;
	char *why =
	    xasprintf("more than %d tickets in %s for %s", t->storm_creates, buf_cstr(&b), destination);
	storm_review(e, s);
	incident_key(e, s);
	incident_set_state(e, s, INCIDENT_OPEN, why);
	engine_notice(e, LOG_LEVEL_WARNING, "inc=%s destination=%s storm: %s", s->id_text, destination, why);
	free(why);
	buf_free(&b);
	return s;
}

static struct incident *storm_live(struct engine *e, struct destination *d)
{
	struct incident *s = d->storm != 0 ? hmap_get(e->correlation->incident_by, key_u64(&d->storm)) : NULL;
	return s != NULL && incident_state_live(s->state) ? s : NULL;
}

static void take(struct engine *e, struct incident *s, struct incident *child)
{
	child->in_storm = s->serial;
	s->tally.alerts++;
	s->tally.alerts_open += counts(child);
	s->storm_priority = MIN(s->storm_priority, child->priority);
	s->storm_severity = MAX(s->storm_severity, incident_severity(child));
	incident_log(e, child, "ticket", "no ticket of its own: it is counted in that of the storm %s",
	             s->id_text);
	incident_touch(e, s);
}

/* ---- the budget */

static bool over_budget(const struct engine *e, struct destination *d, const struct ticket_config *t)
{
	size_t n = 0;
	for (size_t k = 0; k < d->n_created; k++)
		if (d->created[k] > e->now - t->storm_within)
			d->created[n++] = d->created[k];
	d->n_created = n;
	return n >= (size_t)t->storm_creates;
}

static void spend(const struct engine *e, struct destination *d)
{
	d->created = array_reserve(d->created, &d->cap_created, d->n_created + 1, sizeof *d->created);
	d->created[d->n_created++] = e->now;
}

bool storm_takes(struct engine *e, struct incident *i)
{
	const struct ticket_config *t = outbox_config(e, i->destination);
	struct destination *d = outbox_destination(e->correlation, i->destination);
	if (t == NULL || t->storm_creates <= 0 || i->kind != INCIDENT_ORDINARY)
		return false;
	bool over = over_budget(e, d, t);
	if (!over || i->priority == 1) {
		if (!over) /* a P1 beyond it must not make the count grow without bound */
			spend(e, d);
		return false;
	}
	struct incident *s = storm_live(e, d);
	if (s == NULL) {
		s = storm_new(e, i->destination);
		d->storm = s->serial;
		take(e, s, i);
		storm_review(e, s);
		outbox_start(e, s);
	} else {
		take(e, s, i);
	}
	return true;
}

/* ---- children */

static void leave(struct engine *e, struct incident *s, struct incident *child, const char *why)
{
	child->in_storm = 0;
	incident_log(e, child, "ticket", "out of the storm: %s", why);
	if (s == NULL)
		return;
	BUG_ON(s->tally.alerts == 0);
	s->tally.alerts--;
	if (counts(child))
		s->tally.alerts_open--;
	incident_touch(e, s);
}

void storm_child(struct engine *e, struct incident *i, bool was)
{
	struct incident *s = storm_of(e->correlation, i);
	bool is = counts(i);
	if (i->in_storm == 0 || was == is)
		return;
	if (is && (s == NULL || incident_state_final(s->state))) {
		i->in_storm = 0; /* it comes back when the storm is over: an incident like any other */
		outbox_start(e, i);
		return;
	}
	if (s == NULL)
		return;
	BUG_ON(!is && s->tally.alerts_open == 0);
	s->tally.alerts_open = is ? s->tally.alerts_open + 1 : s->tally.alerts_open - 1;
	incident_touch(e, s);
}

void storm_watch(struct engine *e, struct incident *i)
{
	struct incident *s = storm_of(e->correlation, i);
	if (i->in_storm == 0 || !counts(i))
		return;
	if (i->priority == 1) {
		leave(e, s, i, "it is a P1 now, which has a ticket of its own");
		outbox_start(e, i);
	} else if (s != NULL && i->priority < s->storm_priority) {
		s->storm_priority = i->priority;
		incident_touch(e, s);
	}
}

/* ---- what the ticket says */

void storm_body(const struct engine *e, const struct incident *s, struct buf *out)
{
	const struct incident *i;
	const struct incident **v = xcalloc(s->tally.alerts + 1, sizeof *v);
	size_t n = 0;
	TAILQ_FOREACH (i, &e->correlation->incidents, all)
		if (i->in_storm == s->serial && n < s->tally.alerts)
			v[n++] = i;
	qsort(v, n, sizeof *v, by_worst);
	buf_printf(
	    out,
	    "%u incidents have no ticket of their own, because there were too many at once: %u open, "
	    "%u over.\nA P1 always has its own ticket. Each is shown by: carillonctl incidents show ID\n\n",
	    s->tally.alerts, s->tally.alerts_open, s->tally.alerts - s->tally.alerts_open);
	for (size_t k = 0; k < n && k < CHILDREN_SHOWN; k++)
		buf_printf(out, "P%d %-9s %s  %s\n", v[k]->priority, incident_state_word(v[k]->state),
		           v[k]->id_text, v[k]->title);
	if (s->tally.alerts > MIN(n, (size_t)CHILDREN_SHOWN))
		buf_printf(out, "and %zu more\n", s->tally.alerts - MIN(n, (size_t)CHILDREN_SHOWN));
	free(v);
}
