/* Promises the life of an incident as correlation.md section 4 tells it: opening, clearing, resolving, coming
 * back, and that every waiting time is a deadline. Must not know how tickets are delivered. */
#include "engine/changes.h"

#include <stdlib.h>

enum {
	STALE_PERCENT = 34,
	STALE_CALM = 300,
	STALE_ROOT_CALM = 480,
	STRONG_NODES = 3,
	STORM_INCIDENTS = 3,
	LOUD_LINES = 3,
	URGENT = 10 /* seconds: a service of tier 1 says itself that it is down */
};

/* ---- gathering */

static uint32_t open_alerts(const struct incident *i)
{
	return incident_is_risk(i) || i->group != GROUP_TOPOLOGY ? i->tally.alerts_open
	                                                         : i->tally.alerts_open_main;
}

static uint32_t running(const struct incident *i)
{
	if (i->group != GROUP_TOPOLOGY)
		return i->tally.alerts_open;
	return incident_is_risk(i) ? i->tally.on : i->tally.on_main;
}

static duration wanted_wait(const struct engine *e, const struct incident *i)
{
	const struct alert *a = incident_decider(i);
	const struct rule *r = a != NULL ? alert_rule(e, a) : NULL;
	if (r != NULL && r->incident.wait != WAIT_AUTO)
		return r->incident.wait;
	return e->setup.config->defaults.wait >= 0 ? e->setup.config->defaults.wait : WAIT_AUTO;
}

/* Its root is being worked on, and no business service says itself that it is hurt. */
static const struct maintenance *waits_for_maintenance(const struct engine *e, const struct incident *i)
{
	const struct maintenance *m = i->group == GROUP_TOPOLOGY && i->root != NULL
	                                  ? maintenance_covers(e, i->root->node, i->root->on)
	                                  : NULL;
	return m != NULL && i->tally.spoke == 0 ? m : NULL;
}

/* When it may open as things stand; INSTANT_NONE: not before something happens. */
static instant open_due(const struct engine *e, const struct incident *i)
{
	const struct correlation_config *cfg = &e->setup.config->correlation;
	const struct tally *t = &i->tally;
	bool topology = i->group == GROUP_TOPOLOGY;
	duration wait = wanted_wait(e, i);
	if (open_alerts(i) == 0)
		return INSTANT_NONE; /* 17.9: not while it happens to be calm, flapping or not */
	if (wait != WAIT_AUTO)
		return i->born + wait;
	if (!topology)
		return i->born + cfg->settle;
	if (waits_for_maintenance(e, i) != NULL)
		return INSTANT_NONE; /* its end, and a business service that speaks up, come back here */
	if (t->loud == 0 && t->lines < LOUD_LINES)
		return INSTANT_NONE;
	bool strong = t->down > 0 || t->strong >= STRONG_NODES;
	instant due = i->born + (strong ? cfg->settle : cfg->settle_warn);
	if (!strong && t->flapping == 0) /* two short warnings are not one that lasts */
		due = MAX(due, i->firing + cfg->settle_warn / 2);
	if (t->urgent > 0)
		due = MIN(due, i->born + MIN(cfg->settle, URGENT * SECOND));
	instant storm = e->correlation->storm_at;
	bool big = storm != INSTANT_NONE && storm > i->born && t->urgent == 0;
	if (!strong || (!big && e->correlation->gathering <= STORM_INCIDENTS))
		return due;
	instant quiet = MAX(i->newest, big ? storm : i->newest) + cfg->storm_quiet;
	return MAX(due, MIN(quiet, i->born + cfg->storm_hold));
}

static void log_not_grouped(struct engine *e, struct incident *i)
{
	const struct episode *root = i->root;
	if (root == NULL || root->held == NULL)
		return;
	const struct map_node *n = node_known(e, slice_str(root->held_by));
	const struct episode *other = n != NULL ? n->open : NULL;
	if (other != NULL && other->incident != NULL && other->incident != i)
		incident_log(e, i, "not", "not grouped with %s: %s", other->incident->id_text, root->held);
}

/* A person said of such an incident that it will not be mended, and it is no worse. */
static bool stays_without_ticket(struct engine *e, struct incident *i)
{
	const struct wontfix *w = wontfix_of(e, i);
	if (w == NULL)
		return false;
	struct buf b = {0};
	instant_format(w->at / SECOND * SECOND, &b);
	incident_log(e, i, "person", "no ticket: ticket %s said at %s that this will not be mended",
	             w->ticket, buf_cstr(&b));
	i->wontfix = true;
	i->person_severity = w->severity;
	buf_free(&b);
	return true;
}

void incident_open(struct engine *e, struct incident *i, const char *why)
{
	i->opened = e->now;
	i->destination = outbox_route(e, i);
	i->predict_due = true;
	impact_review(e, i);
	incident_key(e, i);
	incident_set_state(e, i, INCIDENT_OPEN, why);
	log_not_grouped(e, i);
	i->change = changes_sentence(e, i);
	if (i->change != NULL)
		incident_log(e, i, "timing", "%s", i->change);
	e->stats.opened++;
	engine_notice(e, LOG_LEVEL_INFO, "inc=%s state=open key=%s priority=P%d root=\"%s\" title=\"%s\"",
	              i->id_text, i->key, i->priority, i->root_id, i->title);
	if (!stays_without_ticket(e, i))
		outbox_start(e, i);
}

static void open_now(struct engine *e, struct incident *i)
{
	struct buf b = {0};
	duration_format((e->now - i->born) / SECOND * SECOND, &b);
	char *why = xasprintf("%u of %u alerts open, %s since the first evidence", open_alerts(i),
	                      i->tally.alerts, buf_cstr(&b));
	buf_free(&b);
	incident_open(e, i, why);
	free(why);
}

static instant calm_over(const struct engine *e, const struct incident *i)
{
	if (i->calm == INSTANT_NONE)
		return e->now;
	duration wait = i->resolve_after;
	if (wait < 0) /* an episode is only over after its debounce */
		wait = i->group == GROUP_TOPOLOGY ? 0 : e->setup.config->correlation.debounce;
	return i->calm + wait;
}

/* ---- clears that never come */

static void expire(struct engine *e, struct incident *i)
{
	struct episode *ep;
	size_t n = 0;
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
		if (ep->off != INSTANT_NONE || ep->risk)
			continue;
		for (size_t k = 0; k < ep->n_alerts; k++) {
			if (ep->alerts[k]->state == ALERT_CLOSED)
				continue;
			alert_close(e, ep->alerts[k], "no clear came: the rest of its incident is over");
			n++;
		}
	}
	incident_log(e, i, "stale",
	             "%zu alerts closed: nothing new on them, their cause and most of the rest are over", n);
}

/* Most of what a maintenance broke has come back: the rest is a clear that got lost, if nothing new comes. */
static instant stale_after_work(const struct engine *e, const struct incident *i)
{
	const struct tally *t = &i->tally;
	const struct episode *ep;
	instant last = INSTANT_NONE, calm = i->calm;
	if (t->alerts_open_main * 100 > STALE_PERCENT * t->alerts)
		return INSTANT_NONE;
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
		if (ep->off != INSTANT_NONE || ep->risk)
			continue;
		last = MAX(last, ep->last);
		calm = MAX(calm, ep->calm);
	}
	return MAX(last + e->setup.config->correlation.stale, calm + STALE_ROOT_CALM * SECOND);
}

static instant stale_due(const struct engine *e, const struct incident *i)
{
	const struct tally *t = &i->tally;
	if (i->group != GROUP_TOPOLOGY || i->root == NULL || open_alerts(i) == 0)
		return INSTANT_NONE;
	if (i->worked_on && i->state == INCIDENT_GATHERING)
		return stale_after_work(e, i);
	if (t->episodes_main < 2 || t->on_main * 100 > STALE_PERCENT * t->episodes_main ||
	    i->calm == INSTANT_NONE)
		return INSTANT_NONE;
	bool straggler = i->root->off == INSTANT_NONE;
	if (straggler && t->on_main > 1)
		return INSTANT_NONE;
	instant last = INSTANT_NONE;
	const struct episode *ep;
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		if (ep->off == INSTANT_NONE && !ep->risk)
			last = MAX(last, ep->last);
	return MAX(last + e->setup.config->correlation.stale,
	           i->calm + (straggler ? STALE_ROOT_CALM : STALE_CALM) * SECOND);
}

/* ---- risks that a person merged into it: they keep nothing open, and are not over with it */

static void leave_risks(struct engine *e, struct incident *i)
{
	struct episode *ep, *next;
	if (i->group != GROUP_TOPOLOGY || incident_is_risk(i))
		return;
	for (ep = TAILQ_FIRST(&i->episodes); ep != NULL; ep = next) {
		next = TAILQ_NEXT(ep, in_incident);
		if (!ep->risk || ep->off != INSTANT_NONE)
			continue;
		incident_log(e, i, "split", "%s is still at risk: that goes on as an incident of its own",
		             ep->node->id);
		incident_remove(e, ep);
		ep->pinned = false;
		if (!ep->moved)
			forest_move(e->correlation, ep);
	}
}

/* ---- waiting */

static void review_gathering(struct engine *e, struct incident *i)
{
	if (running(i) == 0) {
		instant over = i->group == GROUP_TOPOLOGY ? e->now : calm_over(e, i);
		if (e->now < over) {
			incident_arm(e, i, over);
			return;
		}
		leave_risks(e, i);
		i->resolved = e->now;
		incident_set_state(e, i, INCIDENT_TRANSIENT, "calm before it opened, no ticket");
		e->stats.transient++;
		incident_arm(e, i, e->now + e->setup.config->correlation.keep);
		return;
	}
	impact_review(e, i);
	if (open_alerts(i) == 0)
		i->firing = INSTANT_NONE;
	else if (i->firing == INSTANT_NONE)
		i->firing = e->now;
	const struct maintenance *m = waits_for_maintenance(e, i);
	if (m != NULL && !i->worked_on) {
		i->worked_on = true;
		incident_log(e, i, "maintenance", "no ticket: %s is in maintenance (silence %s)",
		             i->root->node->id, m->silence);
	}
	instant due = open_due(e, i), stale = stale_due(e, i);
	if (due == INSTANT_NONE)
		return;
	if (stale != INSTANT_NONE && (i->worked_on || i->root->off != INSTANT_NONE)) {
		/* its cause is over and little is left: that is waited for, not reported */
		if (e->now >= stale) {
			expire(e, i);
			return;
		}
		due = MAX(due, stale);
	}
	if (e->now >= due && forest_joins(e, i))
		return;
	if (e->now >= due)
		open_now(e, i);
	else
		incident_arm(e, i, due);
}

/* ---- open and after */

instant incident_reopen_until(const struct engine *e, const struct incident *i)
{
	BUG_ON(i->resolved == INSTANT_NONE);
	(void)e;
	return i->resolved + i->reopen_within;
}

static void by_root_put(struct correlation *c, struct incident *i)
{
	char *key = xasprintf("%s%s", incident_is_risk(i) ? "risk " : "", i->root_id);
	const struct incident *was = hmap_get(c->by_root, slice_str(key));
	if (was == NULL || was->resolved < i->resolved ||
	    (was->resolved == i->resolved && was->serial < i->serial))
		hmap_put(c->by_root, slice_str(key), i);
	free(key);
}

void incident_recall(struct engine *e, struct incident *i)
{
	if (i->group == GROUP_TOPOLOGY)
		by_root_put(e->correlation, i);
	incident_arm(e, i, incident_reopen_until(e, i));
}

static void resolve_now(struct engine *e, struct incident *i, const char *why)
{
	leave_risks(e, i);
	i->resolved = e->now;
	incident_set_state(e, i, INCIDENT_RESOLVED, why);
	incident_recall(e, i);
	if (i->resolve == RESOLVE_COMMENT)
		outbox_note(e, i, "Over: %s.", why);
	e->stats.resolved++;
	engine_notice(e, LOG_LEVEL_INFO, "inc=%s state=resolved why=\"%s\"", i->id_text, why);
}

struct incident *incident_before(const struct correlation *c, const char *root, bool risk)
{
	char *key = xasprintf("%s%s", risk ? "risk " : "", root);
	struct incident *i = hmap_get(c->by_root, slice_str(key));
	free(key);
	return i;
}

struct incident *incident_reopenable(struct engine *e, const char *root, bool risk)
{
	struct incident *i = incident_before(e->correlation, root, risk);
	if (i == NULL || i->state != INCIDENT_RESOLVED || strcmp(i->root_id, root) != 0 ||
	    e->now >= incident_reopen_until(e, i))
		return NULL;
	if (i->wontfix && i->by_hand) /* what comes now is another incident, and has no ticket unless it is worse */
		return NULL;
	return i->by_hand && !i->calm_since ? NULL : i;
}

void incident_reopen(struct engine *e, struct incident *i, const char *why)
{
	incident_forget_root(e->correlation, i);
	i->resolved = INSTANT_NONE;
	i->wontfix = i->wontfix && !i->by_hand;
	i->by_hand = i->calm_since = i->again = false;
	incident_set_state(e, i, INCIDENT_OPEN, why);
	i->back = INCIDENT_OPEN;
	e->stats.reopened++;
	outbox_note(e, i, "Reopened: %s.", why);
}

static void review_live(struct engine *e, struct incident *i)
{
	bool firing = open_alerts(i) > 0;
	if (i->state != INCIDENT_CLEARING && !firing) {
		i->back = i->state;
		i->clearing_at = e->now;
		incident_set_state(e, i, INCIDENT_CLEARING, "its last alert closed");
	} else if (i->state == INCIDENT_CLEARING && firing) {
		i->clearing_at = INSTANT_NONE;
		incident_set_state(e, i, i->back, "an alert opened before calm was over");
	}
	impact_review(e, i);
	if (i->wontfix && i->lane == NULL && person_worse(i)) {
		incident_log(e, i, "person",
		             "it became worse than what was not to be mended: it gets a ticket");
		i->wontfix = false;
		outbox_start(e, i);
	}
	if (i->state == INCIDENT_CLEARING && running(i) == 0) {
		instant over = calm_over(e, i);
		if (e->now < over)
			incident_arm(e, i, over);
		else
			resolve_now(e, i, "calm is over");
		return;
	}
	instant stale = stale_due(e, i);
	if (stale == INSTANT_NONE)
		return;
	if (e->now >= stale)
		expire(e, i);
	else
		incident_arm(e, i, stale);
}

static void review_resolved(struct engine *e, struct incident *i)
{
	if (i->priority == 0) { /* it has another root since: under that name it may come back */
		incident_forget_root(e->correlation, i);
		impact_review(e, i);
		incident_recall(e, i);
	}
	if (i->wontfix && i->by_hand && !person_worse(i)) {
		i->again = false;
	} else if (i->by_hand ? i->again || i->wontfix : open_alerts(i) > 0) {
		if ((!i->by_hand || i->again) && forest_joins(e, i)) {
			i->again = false;
			return;
		}
		incident_reopen(e, i,
		                i->wontfix   ? "it became worse than what was not to be mended"
		                : i->by_hand ? "a new problem after a clear"
		                             : "new evidence");
		review_live(e, i);
		return;
	}
	instant until = incident_reopen_until(e, i);
	if (e->now < until) {
		incident_arm(e, i, until);
		return;
	}
	i->closed = e->now;
	incident_set_state(e, i, INCIDENT_CLOSED, "nothing came back in time");
}

/* Something new fails in what a person had resolved long ago: that is another incident. */
static void review_closed(struct engine *e, struct incident *i)
{
	struct episode *ep, *next;
	if (!i->again)
		return;
	i->again = false;
	for (ep = TAILQ_FIRST(&i->episodes); ep != NULL; ep = next) {
		next = TAILQ_NEXT(ep, in_incident);
		if (ep->off != INSTANT_NONE)
			continue;
		incident_remove(e, ep);
		ep->pinned = false;
		parent_set(e, ep, NULL, NULL);
		silent_top(e, ep); /* it may look for a cause again */
		episode_mark(e, ep);
		if (!ep->moved)
			forest_move(e->correlation, ep);
	}
}

static void review_final(struct engine *e, struct incident *i)
{
	instant last = MAX(MAX(i->calm, i->updated), i->resolved);
	instant until = last + e->setup.config->correlation.keep;
	if (i->tally.on > 0 || (i->group != GROUP_TOPOLOGY && i->tally.alerts_open > 0) ||
	    !incident_delivered(i))
		return; /* the end of an episode or the last answer comes back here */
	if (e->now < until)
		incident_arm(e, i, until);
	else
		incident_free(e, i);
}

void incident_review(struct engine *e, struct incident *i)
{
	if (i->kind == INCIDENT_STORM && !incident_state_final(i->state))
		storm_review(e, i);
	switch (i->state) {
	case INCIDENT_GATHERING: review_gathering(e, i); break;
	case INCIDENT_OPEN:
	case INCIDENT_ACKED:
	case INCIDENT_CLEARING: review_live(e, i); break;
	case INCIDENT_RESOLVED: review_resolved(e, i); break;
	case INCIDENT_CLOSED: review_closed(e, i); break;
	case INCIDENT_TRANSIENT:
	case INCIDENT_MERGED:
	case INCIDENT_STATES: break;
	}
	if (incident_state_live(i->state)) {
		storm_watch(e, i);
		outbox_also(e, i);
	}
	for (struct lane *l = i->lane; l != NULL; l = l->sister)
		if (!l->done)
			outbox_run(e, l);
	if (incident_state_final(i->state))
		review_final(e, i);
}
