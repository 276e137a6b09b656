/* Promises the life of an incident by the table of correlation.md section 4: one function changes its state,
 * every change is a line of its log, and every waiting time is a deadline. Must not know how tickets are
 * delivered. */
#include "engine/correlate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum {
	STALE_PERCENT = 34,
	STALE_CALM = 300,
	STALE_ROOT_CALM = 480,
	STRONG_NODES = 3,
	STORM_INCIDENTS = 3,
	LOUD_LINES = 3
};

/* ---- lists and marks */

void incident_dirty(struct correlation *c, struct incident *i)
{
	if (i->dirty)
		return;
	i->dirty = true;
	i->next_dirty = c->dirty_incidents;
	c->dirty_incidents = i;
}

void incident_touch(struct engine *e, struct incident *i)
{
	struct correlation *c = e->correlation;
	incident_dirty(c, i);
	if (i->touched)
		return;
	i->touched = true;
	i->next_touched = c->touched;
	c->touched = i;
}

static void arm(struct engine *e, struct incident *i, instant at)
{
	at = MAX(at, e->now + 1);
	if (i->wake != INSTANT_NONE && i->wake <= at)
		return;
	i->wake = at;
	engine_timer(e, at, TIMER_INCIDENT, i->serial);
}

void incident_timer(struct engine *e, uint64_t serial)
{
	struct incident *i = hmap_get(e->correlation->incident_by, key_u64(&serial));
	if (i == NULL)
		return;
	if (i->wake != INSTANT_NONE && e->now >= i->wake)
		i->wake = INSTANT_NONE;
	incident_touch(e, i);
}

/* ---- log */

static void log_trim(struct correlation *c, struct incident *i)
{
	if (i->n_log < LOG_LINES)
		return;
	struct log_line *old = &i->log[LOG_LINES / 2];
	char id[64];
	int n = snprintf(id, sizeof id, "%s/%06u", i->id_text, old->number);
	BUG_ON(n < 0 || (size_t)n >= sizeof id);
	if (old->shown)
		view_gone(c, 3, slice_of(id, (size_t)n));
	free(old->text);
	memmove(old, old + 1, (i->n_log - LOG_LINES / 2 - 1) * sizeof *old);
	i->n_log--;
}

void incident_log(struct engine *e, struct incident *i, const char *kind, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	BUG_ON(n < 0);
	log_trim(e->correlation, i);
	i->log = array_reserve(i->log, &i->cap_log, i->n_log + 1, sizeof *i->log);
	i->log[i->n_log++] =
	    (struct log_line){.at = e->now, .number = ++i->log_number, .kind = kind, .text = xstrdup(text)};
	i->updated = e->now;
	incident_dirty(e->correlation, i);
}

/* ---- state */

void incident_set_state(struct engine *e, struct incident *i, enum incident_state to, const char *why)
{
	struct correlation *c = e->correlation;
	BUG_ON(!incident_state_allowed(i->state, to));
	if (i->state == INCIDENT_GATHERING) {
		BUG_ON(c->gathering == 0);
		c->gathering--;
	}
	incident_log(e, i, "state", "%s -> %s: %s", incident_state_word(i->state), incident_state_word(to),
	             why);
	log_debug("inc=%s from=%s to=%s why=\"%s\"", i->id_text, incident_state_word(i->state),
	          incident_state_word(to), why);
	i->state = to;
	incident_touch(e, i);
}

struct incident *incident_new(struct engine *e, enum incident_group group)
{
	struct correlation *c = e->correlation;
	struct incident *i = xcalloc(1, sizeof *i);
	i->serial = engine_serial(e);
	i->id = engine_id(e);
	ulid_text(&i->id, i->id_text);
	i->state = i->back = INCIDENT_GATHERING;
	i->group = group;
	i->born = i->newest = i->updated = e->now;
	i->opened = i->clearing_at = i->resolved = i->closed = i->calm = i->wake = INSTANT_NONE;
	i->resolve_after = WAIT_AUTO;
	i->predict_due = true;
	TAILQ_INIT(&i->episodes);
	TAILQ_INSERT_TAIL(&c->incidents, i, all);
	hmap_put(c->incident_by, key_u64(&i->serial), i);
	c->gathering++;
	incident_touch(e, i);
	return i;
}

/* ---- what it holds */

static void tally_add(struct tally *t, const struct tally *d, bool plus)
{
	uint32_t *to = (uint32_t *)t;
	const uint32_t *by = (const uint32_t *)d;
	_Static_assert(sizeof *t % sizeof *to == 0, "a tally is counters only");
	for (size_t k = 0; k < sizeof *t / sizeof *to; k++) {
		BUG_ON(!plus && to[k] < by[k]);
		to[k] = plus ? to[k] + by[k] : to[k] - by[k];
	}
}

void incident_retally(struct engine *e, struct episode *ep)
{
	struct tally now;
	episode_tally(ep, &now);
	if (memcmp(&now, &ep->tally, sizeof now) == 0)
		return;
	tally_add(&ep->incident->tally, &ep->tally, false);
	tally_add(&ep->incident->tally, &now, true);
	ep->tally = now;
	incident_touch(e, ep->incident);
}

void incident_rules(struct engine *e, struct incident *i, const struct alert *a)
{
	const struct rule *r = alert_rule(e, a);
	if (i->by_hand && i->calm_since && a->state != ALERT_CLOSED)
		i->again = true;
	if (r == NULL)
		return;
	const struct rule_incident *want = &r->incident;
	duration reopen =
	    want->reopen_within >= 0 ? want->reopen_within : e->setup.config->defaults.reopen_within;
	i->reopen_within = MAX(i->reopen_within, reopen);
	i->resolve_after = MAX(i->resolve_after, want->resolve_after);
	if (want->priority > 0)
		i->fixed_priority =
		    i->fixed_priority > 0 ? MIN(i->fixed_priority, want->priority) : want->priority;
}

static void log_joined(struct engine *e, struct incident *i, const struct episode *ep)
{
	struct buf b = {0};
	if (ep->parent != NULL) {
		instant_format(ep->parent->on / SECOND * SECOND, &b);
		incident_log(e, i, "joined", "%s: joined: needs %s, %s since %s", ep->node->id,
		             ep->parent->node->id, level_word(ep->parent->level), buf_cstr(&b));
		incident_log(e, i, "cause", "%s <- %s: %s", ep->node->id, ep->parent->node->id, ep->reason);
	} else {
		incident_log(e, i, "joined", "%s: %s, not explained by anything it needs", ep->node->id,
		             ep->risk ? "at risk" : level_word(ep->level));
	}
	if (ep->held != NULL)
		incident_log(e, i, "not", "%s: not explained by %s: %s", ep->node->id, ep->held_by, ep->held);
	buf_free(&b);
}

void incident_add(struct engine *e, struct incident *i, struct episode *ep)
{
	BUG_ON(ep->incident != NULL || incident_state_final(i->state));
	ep->incident = i;
	TAILQ_INSERT_TAIL(&i->episodes, ep, in_incident);
	episode_tally(ep, &ep->tally);
	tally_add(&i->tally, &ep->tally, true);
	i->born = MIN(i->born, ep->on);
	i->newest = MAX(i->newest, ep->on);
	if (ep->off != INSTANT_NONE)
		i->calm = i->calm == INSTANT_NONE ? ep->off : MAX(i->calm, ep->off);
	for (size_t k = 0; k < ep->n_alerts; k++) {
		ep->alerts[k]->incident = i->serial;
		incident_rules(e, i, ep->alerts[k]);
		alert_touch(e, ep->alerts[k]);
	}
	if (i->tally.episodes_main <= 2)
		i->predict_due = true;
	impact_evidence(e, i, ep);
	log_joined(e, i, ep);
	incident_touch(e, i);
}

void incident_remove(struct engine *e, struct episode *ep)
{
	struct incident *i = ep->incident;
	BUG_ON(i == NULL);
	tally_add(&i->tally, &ep->tally, false);
	TAILQ_REMOVE(&i->episodes, ep, in_incident);
	ep->incident = NULL;
	for (size_t k = 0; k < ep->n_alerts; k++)
		ep->alerts[k]->incident = 0;
	if (i->root == ep)
		i->root = NULL;
	incident_touch(e, i);
}

struct alert *incident_decider(const struct incident *i)
{
	if (i->group != GROUP_TOPOLOGY)
		return i->n_alerts > 0 ? i->alerts[0] : NULL;
	if (i->root != NULL && i->root->n_alerts > 0)
		return i->root->alerts[0];
	const struct episode *first = TAILQ_FIRST(&i->episodes);
	return first != NULL && first->n_alerts > 0 ? first->alerts[0] : NULL;
}

bool incident_is_risk(const struct incident *i)
{
	return i->group == GROUP_TOPOLOGY && i->tally.episodes_main == 0;
}

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

/* When it may open as things stand; INSTANT_NONE: not before something happens. */
static instant open_due(const struct engine *e, const struct incident *i)
{
	const struct correlation_config *cfg = &e->setup.config->correlation;
	const struct tally *t = &i->tally;
	bool risk = incident_is_risk(i), topology = i->group == GROUP_TOPOLOGY;
	duration wait = wanted_wait(e, i);
	if (topology ? (risk ? t->firing : t->firing_main) == 0 : t->alerts_open == 0)
		return INSTANT_NONE;
	if (wait != WAIT_AUTO)
		return i->born + wait;
	if (!topology)
		return i->born + cfg->settle;
	if (t->loud == 0 && t->lines < LOUD_LINES)
		return INSTANT_NONE;
	bool strong = t->down > 0 || t->strong >= STRONG_NODES;
	instant due = i->born + (strong ? cfg->settle : cfg->settle_warn);
	bool storm = strong && e->correlation->gathering > STORM_INCIDENTS;
	return storm ? MAX(due, MIN(i->newest + cfg->storm_quiet, i->born + cfg->storm_hold)) : due;
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

static void open_now(struct engine *e, struct incident *i)
{
	struct buf b = {0};
	duration_format((e->now - i->born) / SECOND * SECOND, &b);
	char *why = xasprintf("%u of %u alerts open, %s since the first evidence", open_alerts(i),
	                      i->tally.alerts, buf_cstr(&b));
	const struct alert *a = incident_decider(i);
	const struct rule *r = a != NULL ? alert_rule(e, a) : NULL;
	struct slice to = r != NULL && r->incident.ticket.p != NULL ? r->incident.ticket : SLICE("default");
	buf_free(&b);
	i->opened = e->now;
	i->destination = slice_is(to, "none") ? NULL : slice_dup(to);
	i->predict_due = true;
	impact_review(e, i);
	incident_key(e, i);
	incident_set_state(e, i, INCIDENT_OPEN, why);
	log_not_grouped(e, i);
	free(why);
	e->stats.opened++;
	log_info("inc=%s key=%s priority=P%d root=%s title=\"%s\"", i->id_text, i->key, i->priority,
	         i->root_id, i->title);
	outbox_start(e, i);
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

static void review_gathering(struct engine *e, struct incident *i)
{
	if (running(i) == 0) {
		instant over = i->group == GROUP_TOPOLOGY ? e->now : calm_over(e, i);
		if (e->now < over) {
			arm(e, i, over);
			return;
		}
		i->resolved = e->now;
		incident_set_state(e, i, INCIDENT_TRANSIENT, "calm before it opened, no ticket");
		e->stats.transient++;
		arm(e, i, e->now + e->setup.config->correlation.keep);
		return;
	}
	instant due = open_due(e, i);
	if (due == INSTANT_NONE)
		return;
	if (e->now >= due)
		open_now(e, i);
	else
		arm(e, i, due);
}

/* ---- clears that never come */

static void expire(struct engine *e, struct incident *i)
{
	struct episode *ep;
	size_t n = 0;
	TAILQ_FOREACH(ep, &i->episodes, in_incident)
	{
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

static instant stale_due(const struct engine *e, const struct incident *i)
{
	const struct tally *t = &i->tally;
	if (i->group != GROUP_TOPOLOGY || i->root == NULL || t->on_main == 0 || t->episodes_main < 2 ||
	    t->on_main * 100 > STALE_PERCENT * t->episodes_main || i->calm == INSTANT_NONE)
		return INSTANT_NONE;
	bool straggler = i->root->off == INSTANT_NONE;
	if (straggler && t->on_main > 1)
		return INSTANT_NONE;
	instant last = INSTANT_NONE;
	const struct episode *ep;
	TAILQ_FOREACH(ep, &i->episodes, in_incident)
	if (ep->off == INSTANT_NONE && !ep->risk)
		last = MAX(last, ep->last);
	return MAX(last + e->setup.config->correlation.stale,
	           i->calm + (straggler ? STALE_ROOT_CALM : STALE_CALM) * SECOND);
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
	arm(e, i, incident_reopen_until(e, i));
}

static void resolve_now(struct engine *e, struct incident *i, const char *why)
{
	i->resolved = e->now;
	incident_set_state(e, i, INCIDENT_RESOLVED, why);
	incident_recall(e, i);
	if (i->resolve == RESOLVE_COMMENT)
		outbox_note(e, i, "Over: %s.", why);
	e->stats.resolved++;
	log_info("inc=%s state=resolved why=\"%s\"", i->id_text, why);
}

struct incident *incident_reopenable(struct engine *e, const char *root, bool risk)
{
	char *key = xasprintf("%s%s", risk ? "risk " : "", root);
	struct incident *i = hmap_get(e->correlation->by_root, slice_str(key));
	free(key);
	if (i == NULL || i->state != INCIDENT_RESOLVED || strcmp(i->root_id, root) != 0 ||
	    e->now >= incident_reopen_until(e, i))
		return NULL;
	return i->by_hand && !i->calm_since ? NULL : i;
}

void incident_reopen(struct engine *e, struct incident *i, const char *why)
{
	i->resolved = INSTANT_NONE;
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
	if (i->state == INCIDENT_CLEARING && running(i) == 0) {
		instant over = calm_over(e, i);
		if (e->now < over)
			arm(e, i, over);
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
		arm(e, i, stale);
}

static void review_resolved(struct engine *e, struct incident *i)
{
	if (i->by_hand ? i->again : open_alerts(i) > 0) {
		incident_reopen(e, i, i->by_hand ? "a new problem after a clear" : "new evidence");
		review_live(e, i);
		return;
	}
	instant until = incident_reopen_until(e, i);
	if (e->now < until) {
		arm(e, i, until);
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
		parent_set(e, ep, NULL, NULL);
		if (!ep->moved)
			forest_move(e->correlation, ep);
	}
}

static void review_final(struct engine *e, struct incident *i)
{
	instant last = MAX(MAX(i->calm, i->updated), i->resolved);
	instant until = last + e->setup.config->correlation.keep;
	if (i->tally.on > 0 || (i->lane != NULL && !i->lane->done))
		return; /* the end of an episode or the last answer comes back here */
	if (e->now < until)
		arm(e, i, until);
	else
		incident_free(e, i);
}

void incident_review(struct engine *e, struct incident *i)
{
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
	if (i->lane != NULL && !i->lane->done)
		outbox_run(e, i->lane);
	if (incident_state_final(i->state))
		review_final(e, i);
}

/* ---- merge and end */

struct incident *incident_merged(const struct correlation *c, const struct incident *i)
{
	struct incident *into =
	    i->merged_into != 0 ? hmap_get(c->incident_by, key_u64(&i->merged_into)) : NULL;
	return into != NULL && into->merged_into != 0 ? incident_merged(c, into) : into;
}

void incident_merge(struct engine *e, struct incident *from, struct incident *into, const char *why)
{
	BUG_ON(from == into);
	if (from->state == INCIDENT_RESOLVED)
		return; /* its ticket is closed already */
	from->merged_into = into->serial;
	bool opened = from->state != INCIDENT_GATHERING;
	incident_set_state(e, from, INCIDENT_MERGED, why);
	e->stats.merged++;
	if (opened) {
		incident_log(e, into, "merged", "incident %s joined: %s", from->id_text, why);
		outbox_note(e, from, "Closed as a duplicate: %s.", why);
		outbox_note(e, into, "Incident %s joined this one.", from->id_text);
		log_info("inc=%s into=%s why=\"%s\"", from->id_text, into->id_text, why);
	}
}

static void maps_forget(struct correlation *c, const struct incident *i)
{
	if (i->group_key != NULL && hmap_get(c->by_group, slice_str(i->group_key)) == i)
		hmap_del(c->by_group, slice_str(i->group_key));
	if (i->root_id == NULL)
		return;
	for (int risk = 0; risk < 2; risk++) {
		char *key = xasprintf("%s%s", risk ? "risk " : "", i->root_id);
		if (hmap_get(c->by_root, slice_str(key)) == i)
			hmap_del(c->by_root, slice_str(key));
		free(key);
	}
}

static void lists_forget(struct correlation *c, struct incident *i)
{
	struct incident **at = &c->touched;
	while (*at != NULL && *at != i)
		at = &(*at)->next_touched;
	if (*at == i)
		*at = i->next_touched;
	for (at = &c->dirty_incidents; *at != NULL && *at != i;)
		at = &(*at)->next_dirty;
	if (*at == i)
		*at = i->next_dirty;
}

static void alerts_forget(struct engine *e, struct incident *i)
{
	for (size_t k = 0; k < i->n_alerts; k++) {
		i->alerts[k]->incident = 0;
		if (!DOUBT(i->alerts[k]->state != ALERT_CLOSED))
			alert_release(e, i->alerts[k]);
	}
	free(i->alerts);
}

/* Its view rows stay as they are: history. */
void incident_free(struct engine *e, struct incident *i)
{
	struct correlation *c = e->correlation;
	struct episode *ep;
	while ((ep = TAILQ_FIRST(&i->episodes)) != NULL) {
		incident_remove(e, ep);
		episode_free(e, ep);
	}
	if (i->lane != NULL)
		outbox_drop(e, i->lane);
	alerts_forget(e, i);
	maps_forget(c, i);
	lists_forget(c, i);
	TAILQ_REMOVE(&c->incidents, i, all);
	hmap_del(c->incident_by, key_u64(&i->serial));
	hurts_free(i);
	for (size_t k = 0; k < i->n_log; k++)
		free(i->log[k].text);
	free(i->log);
	free(i->group_key);
	free(i->root_id);
	free(i->class_id);
	free(i->key);
	free(i->title);
	free(i->holds);
	free(i->assign);
	free(i->destination);
	free(i->owner);
	free(i);
}
