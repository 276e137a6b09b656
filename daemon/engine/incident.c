/* Promises what an incident is: one function changes its state, by the table of correlation.md section 4;
 * every change is a line of its log; what it holds is counted as it comes and goes; it ends by a merge or
 * when nobody can ask for it any more. Must not know when its state changes: incident_life.c does. */
#include "engine/correlate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { STORM_NODES = 10 };

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

void incident_arm(struct engine *e, struct incident *i, instant at)
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
	bool was = incident_state_live(i->state);
	i->state = to;
	incident_touch(e, i);
	storm_child(e, i, was);
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
	i->opened = i->clearing_at = i->resolved = i->closed = i->calm = i->firing = i->wake = INSTANT_NONE;
	i->resolve_after = WAIT_AUTO;
	i->predict_due = true;
	TAILQ_INIT(&i->episodes);
	TAILQ_INSERT_TAIL(&c->incidents, i, all);
	hmap_put(c->incident_by, key_u64(&i->serial), i);
	c->gathering++;
	incident_touch(e, i);
	return i;
}

void incident_link(struct incident *i, const struct incident *before)
{
	if (before == NULL)
		return;
	i->previous = before->serial;
	memcpy(i->previous_id, before->id_text, sizeof i->previous_id);
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
	if (ep->pinned) {
		incident_log(e, i, "joined", "%s: moved here by hand", ep->node->id);
	} else if (ep->parent != NULL) {
		instant_format(ep->parent->on / SECOND * SECOND, &b);
		incident_log(e, i, "joined", "%s: joined: needs %s, %s since %s", ep->node->id,
		             ep->parent->node->id, level_word(ep->parent->level), buf_cstr(&b));
		incident_log(e, i, "cause", "%s <- %s: %s", ep->node->id, ep->parent->node->id, ep->reason);
	} else if (silent_only(ep)) {
		incident_log(e, i, "inferred", "%s: %s", ep->node->id, ep->inference);
	} else {
		incident_log(e, i, "joined", "%s: %s, not explained by anything it needs", ep->node->id,
		             ep->risk ? "at risk" : level_word(ep->level));
	}
	if (ep->held != NULL)
		incident_log(e, i, "not", "%s: not explained by %s: %s", ep->node->id, ep->held_by, ep->held);
	buf_free(&b);
}

/* What it hurts, by this episode; those who read the ticket learn what is new. */
void incident_evidence(struct engine *e, struct incident *i, const struct episode *ep)
{
	if (impact_evidence(e, i, ep))
		outbox_note(e, i, "%s (tier %d) is %s.", ep->node->id,
		            service_tier(e->setup.map, ep->node->service), level_word(ep->level));
}

void incident_add(struct engine *e, struct incident *i, struct episode *ep)
{
	BUG_ON(ep->incident != NULL || incident_state_final(i->state));
	ep->incident = i;
	observe_moved(e, ep->serial, i->serial);
	node_show(e->correlation, ep->node); /* its row names the incident */
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
	if (i->tally.on_main >= STORM_NODES && ep->off == INSTANT_NONE && ep->on == e->now)
		e->correlation->storm_at = e->now;
	if (i->tally.episodes_main <= 2)
		i->predict_due = true;
	incident_evidence(e, i, ep);
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
	const struct episode *ep; /* an inferred root has none: the first that has one speaks for it */
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		if (ep->n_alerts > 0)
			return ep->alerts[0];
	return NULL;
}

bool incident_is_risk(const struct incident *i)
{
	return i->group == GROUP_TOPOLOGY && i->tally.episodes_main == 0;
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
	if (opened && from->priority == 0) { /* its root became another one in this very step: what its ticket shows stays */
		int shown = from->lane != NULL ? from->lane->shown_priority : 0;
		from->priority = shown > 0 ? shown : e->setup.config->priority[0].down;
	}
	incident_set_state(e, from, INCIDENT_MERGED, why);
	e->stats.merged++;
	if (opened) {
		incident_log(e, into, "merged", "incident %s joined: %s", from->id_text, why);
		const char *ticket = into->lane != NULL ? into->lane->ticket : NULL;
		outbox_note(e, from, "Closed as a duplicate%s%s: %s.", ticket != NULL ? " of ticket " : "",
		            ticket != NULL ? ticket : "", why);
		outbox_note(e, into, "Incident %s joined this one.", from->id_text);
		engine_notice(e, LOG_LEVEL_INFO, "inc=%s into=%s why=\"%s\"", from->id_text, into->id_text,
		              why);
	}
}

/* Before its root may become another one: by_root must never point to what is gone. */
void incident_forget_root(struct correlation *c, const struct incident *i)
{
	if (i->root_id == NULL)
		return;
	for (int risk = 0; risk < 2; risk++) {
		char *key = xasprintf("%s%s", risk ? "risk " : "", i->root_id);
		if (hmap_get(c->by_root, slice_str(key)) == i)
			hmap_del(c->by_root, slice_str(key));
		free(key);
	}
}

static void maps_forget(struct correlation *c, const struct incident *i)
{
	if (i->group_key != NULL && hmap_get(c->by_group, slice_str(i->group_key)) == i)
		hmap_del(c->by_group, slice_str(i->group_key));
	incident_forget_root(c, i);
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
	incident_last_rows(e, i);
	incident_ended(e, i);
	while ((ep = TAILQ_FIRST(&i->episodes)) != NULL) {
		incident_remove(e, ep);
		episode_free(e, ep);
	}
	while (i->lane != NULL)
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
	free(i->change);
	free(i->assign);
	free(i->destination);
	for (size_t k = 0; k < ELSEWHERE; k++)
		free(i->elsewhere[k]);
	free(i->owner);
	free(i);
}
