/* Promises that alerts become evidence, and that at the end of each step nothing is left undone: flags,
 * parents, incidents, lanes, each in order of creation. Must not know rules beyond what an alert carries. */
#include "engine/changes.h"

#include <stdlib.h>

enum { ROUNDS_MAX = 1000 };

struct correlation *correlation_new(struct engine *e)
{
	struct correlation *c = xcalloc(1, sizeof *c);
	TAILQ_INIT(&c->episodes);
	TAILQ_INIT(&c->tops);
	c->silent_at = c->rest_at = c->storm_at = INSTANT_NONE;
	TAILQ_INIT(&c->incidents);
	TAILQ_INIT(&c->lanes);
	c->episode_by = hmap_new();
	c->incident_by = hmap_new();
	c->lane_by = hmap_new();
	c->op_by = hmap_new();
	c->by_group = hmap_new();
	c->by_root = hmap_new();
	c->generation_by = hmap_new();
	c->interval_by = hmap_new();
	c->pair_by = hmap_new();
	e->correlation = c;
	nodes_open(e);
	return c;
}

/* The alerts are the other half's: nothing of them is touched here. */
void correlation_free(struct engine *e)
{
	struct correlation *c = e->correlation;
	struct incident *i;
	struct episode *ep;
	TAILQ_FOREACH (i, &c->incidents, all) {
		i->n_alerts = 0;
		free(i->alerts);
		i->alerts = NULL;
	}
	TAILQ_FOREACH (ep, &c->episodes, all) {
		ep->n_alerts = 0;
		ep->tally = (struct tally){0}; /* after half a load the sums need not fit */
	}
	while ((i = TAILQ_FIRST(&c->incidents)) != NULL)
		incident_free(e, i);
	while ((ep = TAILQ_FIRST(&c->episodes)) != NULL)
		episode_free(e, ep);
	for (struct map_node *n = c->dirty_nodes, *next; n != NULL; n = next) {
		next = n->next_dirty;
		n->dirty = false;
	}
	outbox_close(c);
	wontfix_close(c);
	changes_close(c);
	nodes_close(c);
	for (size_t k = 0; k < c->n_generations; k++)
		free(c->generations[k].pair);
	free(c->generations);
	hmap_free(c->episode_by);
	hmap_free(c->incident_by);
	hmap_free(c->lane_by);
	hmap_free(c->op_by);
	hmap_free(c->by_group);
	hmap_free(c->by_root);
	hmap_free(c->generation_by);
	free(c->work);
	free(c->moved);
	free(c->hollow);
	free(c->votes);
	maintenance_close(c);
	intervals_close(c);
	pairs_close(c);
	free(c->steps);
	free(c->looked);
	buf_free(&c->gone);
	free(c);
	e->correlation = NULL;
}

/* ---- alerts */

static void join(struct engine *e, struct alert *a)
{
	const struct rule *r = alert_rule(e, a);
	if (a->no_incident || a->trial || a->state != ALERT_OPEN || a->episode != NULL || a->incident != 0)
		return;
	if (a->effect == EFFECT_NONE || (r != NULL && r->incident.group != GROUP_TOPOLOGY))
		group_alert(e, a);
	else
		episode_evidence(e, a);
}

static void told(struct engine *e, struct alert *a, enum alert_change change)
{
	switch (change) {
	case ALERT_CHANGE_REPEATED: episode_repeat(e, a); break;
	case ALERT_CHANGE_WORSENED: episode_worse(e, a); break;
	case ALERT_CHANGE_CALM: episode_calm(e, a); break;
	case ALERT_CHANGE_CLOSED: episode_clear(e, a); break;
	case ALERT_CHANGE_OPENED:
	case ALERT_CHANGE_MUTED:
	case ALERT_CHANGE_UNMUTED: break;
	}
}

void correlation_alert(struct engine *e, struct alert *a, enum alert_change change)
{
	if (a->episode != NULL)
		told(e, a, change);
	else if (a->incident != 0)
		group_change(e, a, change);
	else if (change == ALERT_CHANGE_UNMUTED || (change == ALERT_CHANGE_OPENED && !a->muted))
		join(e, a);
}

void correlation_timer(struct engine *e, enum timer_kind kind, uint64_t object)
{
	switch (kind) {
	case TIMER_EPISODE: episode_timer(e, object); break;
	case TIMER_INCIDENT: incident_timer(e, object); break;
	case TIMER_LANE:
	case TIMER_DESTINATION: outbox_timer(e, kind, object); break;
	case TIMER_CAUSE: silent_timer(e, object); break;
	case TIMER_SILENCE:
	case TIMER_CALENDAR:
	case TIMER_WINDOW:
	case TIMER_ALERT:
	case TIMER_KINDS: (void)DOUBT(true); break;
	}
}

/* ---- the end of a step */

static int episodes_by_serial(const void *a, const void *b)
{
	const struct episode *const *x = a, *const *y = b;
	return ((*x)->serial > (*y)->serial) - ((*x)->serial < (*y)->serial);
}

static int incidents_by_serial(const void *a, const void *b)
{
	const struct incident *const *x = a, *const *y = b;
	return ((*x)->serial > (*y)->serial) - ((*x)->serial < (*y)->serial);
}

/* All facts first, then all searches: a search must not see half of what happened in this step. A failure in
 * the core makes thousands search: what is more than one step may cost follows in the next ones. */
static void work_episodes(struct engine *e)
{
	struct correlation *c = e->correlation;
	size_t n = 0, rest = 0, done;
	c->fresh = false;
	for (size_t k = 0; k < c->n_work; k++) { /* grows meanwhile */
		struct episode *ep = c->work[k];
		if (ep == NULL || !ep->changed)
			continue;
		ep->changed = false;
		episode_refresh(e, ep);
	}
	for (size_t k = 0; k < c->n_work; k++) {
		struct episode *ep = c->work[k];
		if (ep == NULL || !ep->searching)
			continue;
		rest += k < c->n_rest;
		c->work[n++] = ep;
	}
	c->n_work = n;
	if (n - rest > 1)
		qsort(c->work + rest, n - rest, sizeof(struct episode *), episodes_by_serial);
	for (done = 0; done < n && c->budget > 0; done++, c->budget--) {
		c->work[done]->searching = false;
		parent_search(e, c->work[done]);
	}
	BUG_ON(c->n_work != n); /* a search finds, and changes no facts */
	memmove(c->work, c->work + done, (n - done) * sizeof(struct episode *));
	c->n_work = c->n_rest = n - done;
	c->fresh = false;
	if (c->n_work > 0 && c->rest_at == INSTANT_NONE) {
		c->rest_at = e->now + MSEC;
		engine_timer(e, c->rest_at, TIMER_CAUSE, 1);
	}
}

static void work_incidents(struct engine *e)
{
	struct correlation *c = e->correlation;
	size_t n = 0;
	for (const struct incident *i = c->touched; i != NULL; i = i->next_touched)
		n++;
	struct incident **v = xcalloc(n, sizeof(struct incident *));
	uint64_t *serials = xcalloc(n, sizeof *serials);
	for (size_t k = 0; k < n; k++) {
		v[k] = c->touched;
		c->touched = v[k]->next_touched;
		v[k]->touched = false;
	}
	qsort(v, n, sizeof(struct incident *), incidents_by_serial);
	for (size_t k = 0; k < n; k++)
		serials[k] = v[k]->serial;
	for (size_t k = 0; k < n; k++) {
		struct incident *i = hmap_get(c->incident_by, key_u64(&serials[k]));
		if (i != NULL) /* an earlier review may have ended it */
			incident_review(e, i);
	}
	free(v);
	free(serials);
}

void correlation_settle(struct engine *e)
{
	struct correlation *c = e->correlation;
	c->budget = SEARCHES_MAX;
	for (int rounds = 0; c->fresh || (c->n_work > 0 && c->budget > 0) || c->n_moved > 0 ||
	                     c->n_hollow > 0 || c->touched != NULL;
	     rounds++) {
		if (DOUBT(rounds > ROUNDS_MAX))
			return;
		if (c->fresh || (c->n_work > 0 && c->budget > 0))
			work_episodes(e);
		else if (c->n_moved > 0)
			forest_regroup(e);
		else if (c->n_hollow > 0)
			silent_tidy(e);
		else
			work_incidents(e);
	}
}

/* ---- reloads */

void correlation_ticket_result(struct engine *e, const struct ticket_result *r)
{
	outbox_result(e, r);
}

void correlation_started(struct engine *e)
{
	outbox_check_all(e);
	changes_arm(e);
}

void correlation_ticket_hint(struct engine *e, struct slice payload)
{
	poll_hint(e, payload);
}

void correlation_resume(struct engine *e)
{
	outbox_resume(e);
}

/* Deadlines that run keep their length; a connection that was corrected is tried at once. */
void correlation_rules_changed(struct engine *e)
{
	struct correlation *c = e->correlation;
	struct incident *i;
	for (size_t k = 0; k < c->n_destinations; k++) {
		struct destination *d = &c->destinations[k];
		if (d->mode != DESTINATION_UP && d->probe_at > e->now) {
			d->probe_at = e->now;
			engine_timer(e, e->now, TIMER_DESTINATION, k);
		}
	}
	outbox_check_all(e);
	poll_rules_changed(e);
	changes_arm(e);
	TAILQ_FOREACH (i, &c->incidents, all)
		if (!incident_state_final(i->state) || i->lane != NULL)
			incident_touch(e, i);
}

void correlation_map_changed(struct engine *e, const struct service_map *old)
{
	struct correlation *c = e->correlation;
	struct episode *ep;
	struct incident *i;
	nodes_map_changed(e, old);
	free(c->votes);
	c->votes = NULL;
	for (size_t k = 0; k < c->n_maintenance; k++)
		maintenance_derive(e, c->maintenance[k].id, c->maintenance[k].running);
	TAILQ_FOREACH (ep, &c->episodes, all)
		episode_changed(e, ep, false);
	TAILQ_FOREACH (i, &c->incidents, all) {
		if (incident_state_final(i->state))
			continue; /* its row stays as it is: history */
		incident_dirty(c, i);
		if (i->state == INCIDENT_RESOLVED)
			continue;
		i->predict_due = true;
		incident_touch(e, i);
	}
}

struct slice correlation_incident_id(const struct engine *e, uint64_t serial, char out[27])
{
	const struct incident *i = hmap_get(e->correlation->incident_by, key_u64(&serial));
	if (i == NULL)
		return SLICE_NONE;
	memcpy(out, i->id_text, 27);
	return slice_of(out, 26);
}

struct slice correlation_alert_cause(const struct engine *e, const struct alert *a)
{
	(void)e;
	return a->episode != NULL && a->episode->parent != NULL ? slice_str(a->episode->parent->node->id)
	                                                        : SLICE_NONE;
}
