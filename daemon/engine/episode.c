/* Promises one episode per uninterrupted bad spell of a node, ended only when all its alerts are closed and
 * the debounce is over (correlation.md section 1), and one for risks beside it. Must not know why it is bad:
 * parent.c does. */
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	FLIPS_FLAP = 4,
	FLIPS_FIRM = 3,
	LINES_COUNT = 3,
	AGAIN = 20 /* seconds: then each searches once more, and sees whom else its cause explains */
};

const char *level_word(int level)
{
	return level == LEVEL_DOWN ? "down" : "degraded";
}

struct alert *episode_first_alert(const struct episode *ep)
{
	return ep->n_alerts > 0 ? ep->alerts[0] : NULL;
}

/* ---- flags */

static bool all_stateless(const struct episode *ep)
{
	for (size_t i = 0; i < ep->n_classes; i++)
		if (!ep->classes[i].stateless)
			return false;
	return true;
}

/* Enough to build on: not one stray line. */
static bool is_real(const struct episode *ep)
{
	return ep->inferred > 0 || ep->severity >= SEVERITY_MAJOR || ep->lines >= 2 || !all_stateless(ep);
}

/* A lone warning proves nothing about others until it has lasted. */
static bool is_weak(const struct engine *e, const struct episode *ep)
{
	instant end = ep->off != INSTANT_NONE                     ? ep->off
	              : ep->open == 0 && ep->calm != INSTANT_NONE ? ep->calm
	                                                          : e->now;
	return ep->level < LEVEL_DOWN && ep->n_classes < 2 && ep->inferred == 0 &&
	       end - ep->on < e->setup.config->correlation.weak && !ep->flapping && ep->closings < FLIPS_FIRM;
}

void episode_tally(struct episode *ep, struct tally *t)
{
	/* what is only inferred is no evidence: it stands in the incident, and neither opens nor keeps it */
	bool on = ep->off == INSTANT_NONE && !silent_only(ep), main = !ep->risk;
	*t = (struct tally){
	    .on = on,
	    .on_main = on && main,
	    .flapping = on && (ep->flapping || ep->closings >= FLIPS_FIRM),
	    .strong = on && main && !ep->weak,
	    .down = on && main && ep->level == LEVEL_DOWN,
	    .spoke = on && main && ep->tier > 0 && ep->open > 0,
	    .urgent = on && main && ep->tier == 1 && ep->proven == LEVEL_DOWN && ep->open > 0,
	    .loud = on && (ep->severity >= SEVERITY_MAJOR || !all_stateless(ep)),
	    .lines = on ? (uint32_t)MIN(ep->lines, (uint64_t)LINES_COUNT) : 0,
	    .alerts = (uint32_t)ep->n_alerts + ep->dropped,
	    .alerts_open = ep->open,
	    .alerts_open_main = main ? ep->open : 0,
	    .episodes = 1,
	    .episodes_main = main,
	};
}

void episode_refresh(struct engine *e, struct episode *ep)
{
	bool real = ep->real, weak = ep->weak;
	ep->tier = ep->node->service != SERVICE_NONE ? service_tier(e->setup.map, ep->node->service) : 0;
	ep->real = is_real(ep);
	ep->weak = is_weak(e, ep);
	if (ep->real && !real && !ep->moved)
		forest_move(e->correlation, ep);
	if (!ep->risk && ep->node->service != SERVICE_NONE && ep->node->open == ep)
		derived_source(e, ep->node->service,
		               ep->real && ep->proven == LEVEL_DOWN && ep->off == INSTANT_NONE);
	silent_news(e);
	if (real != ep->real || weak != ep->weak)
		node_changed(e, ep->node);
	if (ep->incident != NULL) {
		incident_retally(e, ep);
		incident_evidence(e, ep->incident, ep);
	}
}

void episode_work(struct correlation *c, struct episode *ep)
{
	c->fresh = true;
	if (ep->changed || ep->searching)
		return;
	c->work = array_reserve(c->work, &c->cap_work, c->n_work + 1, sizeof(struct episode *));
	c->work[c->n_work++] = ep;
}

/* Something it looked at is different. Episodes that are no longer young keep their parent. */
void episode_mark(struct engine *e, struct episode *ep)
{
	if (ep->searching || ep->risk || e->now - ep->on >= e->setup.config->correlation.young)
		return;
	episode_work(e->correlation, ep);
	ep->searching = true;
}

/* It is different itself: for those who look at its node, for its own search, and for its incident. */
void episode_changed(struct engine *e, struct episode *ep, bool seen_by_others)
{
	episode_work(e->correlation, ep);
	ep->changed = true;
	node_show(e->correlation, ep->node);
	episode_mark(e, ep);
	if (seen_by_others)
		node_changed(e, ep->node);
}

/* ---- evidence */

static struct map_node *alert_node(struct engine *e, const struct alert *a)
{
	if (a->service != NULL && a->service[0] != '\0')
		return node_named(e, slice_str(a->service));
	if (a->host != NULL && a->host[0] != '\0') {
		const char *id = a->host;
		if (a->port != NULL && a->port[0] != '\0')
			id = arena_printf(e->scratch, "%s %s", a->host, a->port);
		return node_named(e, slice_str(id));
	}
	return node_named(e, slice_str(a->source != NULL && a->source[0] != '\0' ? a->source : "(none)"));
}

struct episode *episode_new(struct engine *e, struct map_node *n, bool risk)
{
	struct correlation *c = e->correlation;
	struct episode *ep = xcalloc(1, sizeof *ep);
	ep->serial = engine_serial(e);
	ep->node = n;
	n->episodes++;
	ep->on = ep->last = ep->risen = e->now;
	ep->off = ep->calm = INSTANT_NONE;
	ep->risk = risk;
	ep->weak = true;
	LIST_INIT(&ep->kids);
	TAILQ_INSERT_TAIL(&c->episodes, ep, all);
	hmap_put(c->episode_by, key_u64(&ep->serial), ep);
	if (risk) {
		n->risk = ep;
		return ep;
	}
	n->open = ep;
	node_recent_add(n, ep);
	engine_timer(e, ep->on + AGAIN * SECOND, TIMER_EPISODE, ep->serial);
	engine_timer(e, ep->on + e->setup.config->correlation.weak, TIMER_EPISODE, ep->serial);
	engine_timer(e, ep->on + e->setup.config->correlation.young, TIMER_EPISODE, ep->serial);
	return ep;
}

static struct evidence *class_of(struct episode *ep, const char *rule_id)
{
	for (size_t i = 0; i < ep->n_classes; i++)
		if (strcmp(ep->classes[i].rule_id, rule_id) == 0)
			return &ep->classes[i];
	return NULL;
}

static void class_add(struct engine *e, struct episode *ep, const struct alert *a)
{
	struct evidence *v = class_of(ep, a->rule_id);
	if (v == NULL) {
		ep->classes = xreallocarray(ep->classes, ep->n_classes + 1, sizeof *ep->classes);
		v = &ep->classes[ep->n_classes++];
		*v =
		    (struct evidence){.rule_id = xstrdup(a->rule_id), .nature = a->nature, .stateless = true};
		ep->risen = e->now;
	}
	v->last = e->now;
	v->open++;
	v->stateless = v->stateless && a->stateless;
	v->level = MAX(v->level, a->effect == EFFECT_DOWN ? LEVEL_DOWN : LEVEL_DEGRADED);
}

static void peer_add(struct episode *ep, const char *peer)
{
	if (peer == NULL || peer[0] == '\0' || strcmp(peer, ep->node->id) == 0 || ep->n_peers >= 8)
		return;
	for (size_t i = 0; i < ep->n_peers; i++)
		if (strcmp(ep->peers[i], peer) == 0)
			return;
	ep->peers = xreallocarray(ep->peers, ep->n_peers + 1, sizeof *ep->peers);
	ep->peers[ep->n_peers++] = xstrdup(peer);
}

static void alert_forget(struct engine *e, struct alert *a)
{
	a->episode = NULL;
	a->incident = 0;
	if (!DOUBT(a->state != ALERT_CLOSED))
		alert_release(e, a);
}

/* Long flapping must not grow without bound: the oldest closed alerts are only counted, the first one stays
 * (it decides). */
static void trim(struct engine *e, struct episode *ep)
{
	if (ep->n_alerts <= (size_t)EPISODE_ALERTS + ep->open)
		return;
	for (size_t i = 1; i < ep->n_alerts; i++) {
		struct alert *a = ep->alerts[i];
		if (a->state != ALERT_CLOSED || a->closed >= e->now)
			continue; /* one that closes at this moment may still have to be told */
		memmove(ep->alerts + i, ep->alerts + i + 1, (ep->n_alerts - i - 1) * sizeof *ep->alerts);
		ep->n_alerts--;
		ep->dropped++;
		alert_forget(e, a);
		return;
	}
}

/* What was only inferred may stand in an incident that never opened, or is over: what is seen now is another
 * matter. */
static void leave_past(struct engine *e, struct episode *ep)
{
	const struct incident *i = ep->incident;
	if (i == NULL || !incident_state_final(i->state) || i->by_hand)
		return;
	incident_remove(e, ep);
	if (!ep->moved)
		forest_move(e->correlation, ep);
}

void episode_evidence(struct engine *e, struct alert *a)
{
	bool risk = a->effect == EFFECT_RISK;
	struct map_node *n = alert_node(e, a);
	struct episode *ep = risk ? n->risk : n->open;
	if (ep == NULL)
		ep = episode_new(e, n, risk);
	BUG_ON(ep->off != INSTANT_NONE || a->episode != NULL);
	leave_past(e, ep);
	class_add(e, ep, a);
	ep->lead = MAX(ep->lead, interval_lead(e, a));
	ep->alerts = array_reserve(ep->alerts, &ep->cap_alerts, ep->n_alerts + 1, sizeof(struct alert *));
	ep->alerts[ep->n_alerts++] = a;
	ep->open++;
	ep->lines += a->count;
	ep->last = e->now;
	int level = a->effect == EFFECT_DOWN ? LEVEL_DOWN : LEVEL_DEGRADED;
	if (level > ep->proven)
		ep->risen = e->now;
	ep->proven = MAX(ep->proven, level);
	ep->level = MAX(ep->proven, ep->inferred);
	ep->severity = MAX(ep->severity, a->severity);
	ep->flapping = ep->flapping || a->flapping;
	if (a->effect != EFFECT_RISK)
		peer_add(ep, a->peer);
	a->episode = ep;
	observe_joined(e, a, ep->serial, 0);
	if (ep->incident != NULL) {
		a->incident = ep->incident->serial;
		incident_rules(e, ep->incident, a);
	}
	trim(e, ep);
	episode_changed(e, ep, true);
}

void episode_repeat(struct engine *e, struct alert *a)
{
	struct episode *ep = a->episode;
	struct evidence *v = class_of(ep, a->rule_id);
	ep->lines++;
	ep->last = e->now;
	if (v != NULL) {
		interval_seen(e, a, e->now - v->last);
		v->last = e->now;
	}
	if (ep->lines <= LINES_COUNT || a->flapping != ep->flapping) {
		bool firmer = a->flapping && !ep->flapping;
		ep->flapping = ep->flapping || a->flapping;
		episode_changed(e, ep, ep->lines <= 2 || firmer);
	}
}

void episode_worse(struct engine *e, struct alert *a)
{
	struct episode *ep = a->episode;
	if (a->severity <= ep->severity)
		return;
	ep->severity = a->severity;
	if (ep->incident != NULL)
		incident_dirty(e->correlation, ep->incident); /* its row shows the highest */
	episode_changed(e, ep, false);
}

static instant end_due(const struct engine *e, const struct episode *ep)
{
	const struct correlation_config *cfg = &e->setup.config->correlation;
	bool long_wait = ep->closings >= FLIPS_FLAP || ep->flapping;
	return ep->calm + (long_wait ? (duration)((double)cfg->debounce * cfg->flap_factor) : cfg->debounce);
}

void episode_calm(struct engine *e, struct alert *a)
{
	struct episode *ep = a->episode;
	if (a->flapping && !ep->flapping) {
		ep->flapping = true;
		episode_changed(e, ep, true);
	}
}

void episode_clear(struct engine *e, struct alert *a)
{
	struct episode *ep = a->episode;
	struct evidence *v = class_of(ep, a->rule_id);
	BUG_ON(ep->open == 0 || v == NULL || v->open == 0);
	instant calm = a->calm != INSTANT_NONE ? MIN(a->calm, e->now) : e->now;
	ep->open--;
	v->open--;
	ep->closings++;
	ep->flapping = ep->flapping || a->flapping;
	ep->calm = ep->calm == INSTANT_NONE ? calm : MAX(ep->calm, calm);
	if (ep->open == 0)
		engine_timer(e, end_due(e, ep), TIMER_EPISODE, ep->serial);
	if (ep->incident != NULL && ep->incident->by_hand && ep->open == 0)
		ep->incident->calm_since = true;
	episode_changed(e, ep, false);
}

/* ---- end */

void episode_over(struct engine *e, struct episode *ep, instant off)
{
	struct map_node *n = ep->node;
	BUG_ON(ep->off != INSTANT_NONE);
	ep->off = MAX(off, ep->on);
	struct incident *i = ep->incident;
	if (i != NULL && !silent_only(ep))
		i->calm = i->calm == INSTANT_NONE ? ep->off : MAX(i->calm, ep->off);
	if (ep->parent != NULL) {
		BUG_ON(ep->parent->kids_on == 0);
		ep->parent->kids_on--;
		silent_leave(e, ep->parent);
	}
	if (!ep->risk && n->service != SERVICE_NONE)
		derived_source(e, n->service, false);
	if (ep->risk)
		n->risk = NULL;
	else
		n->open = NULL;
	episode_changed(e, ep, true);
	if (i == NULL && !ep->real)
		engine_timer(e, e->now + e->setup.config->correlation.keep, TIMER_EPISODE, ep->serial);
}

void episode_timer(struct engine *e, uint64_t serial)
{
	struct episode *ep = hmap_get(e->correlation->episode_by, key_u64(&serial));
	if (ep == NULL)
		return;
	const struct correlation_config *cfg = &e->setup.config->correlation;
	bool calm = ep->off == INSTANT_NONE && ep->open == 0 && ep->calm != INSTANT_NONE;
	if (calm && e->now >= end_due(e, ep))
		episode_over(e, ep, ep->calm);
	else if (calm) /* it has begun to flap since the deadline was set */
		engine_timer(e, end_due(e, ep), TIMER_EPISODE, ep->serial);
	if (ep->off == INSTANT_NONE && ep->weak && e->now - ep->on >= cfg->weak)
		episode_changed(e, ep, false);
	if (ep->off == INSTANT_NONE && e->now - ep->on == AGAIN * SECOND)
		episode_mark(e, ep);
	if (e->now - ep->on >= cfg->young) {
		watch_drop(e, ep);
		silent_top(e, ep);
	}
	if (ep->off != INSTANT_NONE && ep->incident == NULL && !ep->real && e->now - ep->off >= cfg->keep)
		episode_free(e, ep);
}

static void work_del(struct correlation *c, const struct episode *ep)
{
	for (size_t i = 0; i < c->n_work; i++)
		if (c->work[i] == ep)
			c->work[i] = NULL;
	for (size_t i = 0; i < c->n_moved; i++)
		if (c->moved[i] == ep)
			c->moved[i] = NULL;
}

void episode_free(struct engine *e, struct episode *ep)
{
	struct correlation *c = e->correlation;
	struct episode *kid;
	BUG_ON(ep->incident != NULL);
	if (ep->changed || ep->searching || ep->moved)
		work_del(c, ep);
	while ((kid = LIST_FIRST(&ep->kids)) != NULL)
		parent_set(e, kid, NULL, NULL);
	parent_set(e, ep, NULL, NULL);
	watch_drop(e, ep);
	silent_forget(e->correlation, ep);
	for (size_t i = 0; i < ep->n_alerts; i++)
		alert_forget(e, ep->alerts[i]);
	if (ep->in_ring)
		node_recent_del(ep->node, ep);
	if (ep->node->open == ep)
		ep->node->open = NULL;
	if (ep->node->risk == ep)
		ep->node->risk = NULL;
	BUG_ON(ep->node->episodes == 0);
	ep->node->episodes--;
	node_tidy(c, ep->node);
	TAILQ_REMOVE(&c->episodes, ep, all);
	hmap_del(c->episode_by, key_u64(&ep->serial));
	for (size_t i = 0; i < ep->n_classes; i++)
		free(ep->classes[i].rule_id);
	for (size_t i = 0; i < ep->n_peers; i++)
		free(ep->peers[i]);
	free(ep->classes);
	free(ep->peers);
	free(ep->alerts);
	free(ep->reason);
	free(ep->inference);
	free(ep->runner_up);
	free(ep->held_by);
	free(ep->held);
	free(ep);
}
