/* Promises that what must hold after each step holds, whatever came: no member is lost, no two incidents
 * stand for one root, none is without its ticket, states change as the table of correlation.md section 4
 * says. */
#include "sim.h"

#include <string.h>

#include "engine/alert.h"

/* ---- states: the table again, by hand; a step may take several of its lines */

#define TO(s) (1u << INCIDENT_##s)
static const uint32_t next_states[INCIDENT_STATES] = {
    [INCIDENT_GATHERING] = TO(OPEN) | TO(TRANSIENT) | TO(MERGED),
    [INCIDENT_OPEN] = TO(ACKED) | TO(CLEARING) | TO(RESOLVED) | TO(MERGED),
    [INCIDENT_ACKED] = TO(OPEN) | TO(CLEARING) | TO(RESOLVED) | TO(MERGED),
    [INCIDENT_CLEARING] = TO(OPEN) | TO(ACKED) | TO(RESOLVED) | TO(MERGED),
    [INCIDENT_RESOLVED] = TO(OPEN) | TO(CLOSED),
    [INCIDENT_CLOSED] = 0,
    [INCIDENT_TRANSIENT] = 0,
    [INCIDENT_MERGED] = 0,
};

static bool reachable(enum incident_state from, enum incident_state to)
{
	uint32_t seen = 1u << from, was = 0;
	while (seen != was) {
		was = seen;
		for (uint32_t s = 0; s < INCIDENT_STATES; s++)
			if ((was & 1u << s) != 0)
				seen |= next_states[s];
	}
	return (seen & 1u << to) != 0;
}

static void check_state(struct run *r, const struct incident *i)
{
	size_t had = r->cap_states;
	r->states = array_reserve(r->states, &r->cap_states, i->serial + 1, sizeof *r->states);
	if (r->cap_states > had)
		memset(r->states + had, 0, (r->cap_states - had) * sizeof *r->states);
	uint32_t was = (uint32_t)r->states[i->serial];
	if (was > 0 && !reachable((enum incident_state)(was - 1), i->state))
		run_wrong(r, "%s went from %s to %s", i->id_text,
		          incident_state_word((enum incident_state)(was - 1)), incident_state_word(i->state));
	r->states[i->serial] = (enum incident_state)((uint32_t)i->state + 1);
}

/* ---- members */

/* Its open alerts may stand in an incident that is over: a person said so. */
static bool by_person(const struct incident *i)
{
	return i->by_hand && (i->state == INCIDENT_RESOLVED || i->state == INCIDENT_CLOSED);
}

static bool is_held(const struct incident *i)
{
	return i->state == INCIDENT_GATHERING || incident_state_live(i->state) || by_person(i);
}

static void check_alert(struct run *r, const struct alert *a)
{
	const struct correlation *c = r->engine->correlation;
	if (a->state != ALERT_OPEN || a->trial || a->no_incident)
		return;
	if (a->episode == NULL && a->incident == 0) {
		if (!a->muted)
			run_wrong(r, "alert %s of %s is in no incident", a->rule_id, a->host);
		return;
	}
	const struct episode *ep = a->episode;
	const struct incident *i =
	    ep != NULL ? ep->incident : hmap_get(c->incident_by, key_u64(&a->incident));
	uint32_t times = 0;
	for (size_t k = 0; ep != NULL && k < ep->n_alerts; k++)
		times += ep->alerts[k] == a;
	for (size_t k = 0; ep == NULL && i != NULL && k < i->n_alerts; k++)
		times += i->alerts[k] == a;
	if (ep != NULL && ep->off != INSTANT_NONE)
		run_wrong(r, "alert %s of %s is open, its episode is over", a->rule_id, a->host);
	else if (i == NULL && (ep == NULL || ep->real))
		run_wrong(r, "alert %s of %s has lost its incident", a->rule_id, a->host);
	else if (i != NULL && !is_held(i))
		run_wrong(r, "alert %s of %s is open in an incident that is %s", a->rule_id, a->host,
		          incident_state_word(i->state));
	else if (times != 1)
		run_wrong(r, "alert %s of %s is listed %u times", a->rule_id, a->host, times);
}

static void add_tally(struct tally *sum, const struct tally *t)
{
	const uint32_t *from = (const uint32_t *)(const void *)t;
	uint32_t *to = (uint32_t *)(void *)sum;
	for (size_t k = 0; k < sizeof *t / sizeof *from; k++)
		to[k] += from[k];
}

static void check_tally(struct run *r, const struct incident *i)
{
	struct tally sum = {0};
	struct episode *ep;
	if (i->group != GROUP_TOPOLOGY)
		return;
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
		struct tally t;
		episode_tally(ep, &t);
		if (ep->incident != i)
			run_wrong(r, "the episode of %s is listed in a strange incident", ep->node->id);
		if (memcmp(&t, &ep->tally, sizeof t) != 0)
			run_wrong(r, "the episode of %s is counted with old figures", ep->node->id);
		add_tally(&sum, &t);
	}
	sum.events = i->tally.events;
	if (memcmp(&sum, &i->tally, sizeof sum) != 0)
		run_wrong(r, "the sums of %s (%s) are not those of its episodes", i->id_text,
		          incident_state_word(i->state));
}

/* ---- trees */

static void check_episode(struct run *r, const struct episode *ep)
{
	const struct correlation *c = r->engine->correlation;
	const struct episode *up = ep, *kid;
	bool listed = ep->parent == NULL;
	for (uint32_t hops = 0; up->parent != NULL; up = up->parent)
		if (++hops > 1000) {
			run_wrong(r, "the causes of %s run in a circle", ep->node->id);
			return;
		}
	if (ep->parent != NULL)
		LIST_FOREACH (kid, &ep->parent->kids, sibling)
			listed = listed || kid == ep;
	if (!listed)
		run_wrong(r, "the cause of %s does not know it", ep->node->id);
	if (hmap_get(c->episode_by, key_u64(&ep->serial)) != ep)
		run_wrong(r, "the episode of %s is not found by its number", ep->node->id);
	if (ep->off != INSTANT_NONE || ep->incident == NULL || up->incident == ep->incident)
		return;
	if (by_person(ep->incident) || (up->incident != NULL && incident_state_final(up->incident->state)))
		return;
	run_wrong(r, "%s is explained by %s, and they are in two incidents (%s, %s)", ep->node->id,
	          up->node->id, incident_state_word(ep->incident->state),
	          up->incident != NULL ? incident_state_word(up->incident->state) : "none");
}

static void check_roots(struct run *r, const struct incident *i)
{
	const struct incident *j = i;
	if (i->group != GROUP_TOPOLOGY || i->root == NULL || !incident_state_live(i->state))
		return;
	while ((j = TAILQ_NEXT(j, all)) != NULL)
		if (j->group == GROUP_TOPOLOGY && j->root != NULL && incident_state_live(j->state) &&
		    j->root->node == i->root->node && j->root->risk == i->root->risk)
			run_wrong(r, "two incidents are open with the root %s (%s, %s)", i->root->node->id,
			          i->id_text, j->id_text);
}

/* ---- tickets */

static void check_ticket(struct run *r, const struct incident *i)
{
	const struct lane *l = i->lane;
	if (!incident_state_live(i->state) || i->destination == NULL || i->in_storm != 0)
		return; /* nobody wants one, or it is counted in the ticket of a storm */
	if (l == NULL)
		run_wrong(r, "%s is %s and asks for no ticket", i->id_text, incident_state_word(i->state));
	else if (l->state == LANE_BOUND && l->ticket == NULL)
		run_wrong(r, "%s has a ticket without a number", i->id_text);
	else if (l->done)
		run_wrong(r, "%s is %s, its delivery is done", i->id_text, incident_state_word(i->state));
}

/* A delivery that has something to do is on its way, has a deadline, or says why not. */
static void check_lane(struct run *r, const struct lane *l)
{
	if (l->done || l->in_flight || l->dead || l->parked || !lane_busy(r->engine, l))
		return;
	if (l->wake == INSTANT_NONE || l->wake <= r->at - 1)
		run_wrong(r, "the delivery for %s has something to send, and nothing will wake it",
		          l->incident->id_text);
}

void check_step(struct run *r)
{
	const struct correlation *c = r->engine->correlation;
	const struct incident *i;
	const struct episode *ep;
	const struct lane *l;
	for (const struct alert *a = r->engine->alerts->all.first; a != NULL; a = a->next)
		check_alert(r, a);
	TAILQ_FOREACH (ep, &c->episodes, all)
		check_episode(r, ep);
	TAILQ_FOREACH (i, &c->incidents, all) {
		check_state(r, i);
		check_tally(r, i);
		check_roots(r, i);
		check_ticket(r, i);
	}
	TAILQ_FOREACH (l, &c->lanes, all)
		check_lane(r, l);
}

/* ---- the end: all is well again, and quiet */

static void check_tickets_end(struct run *r)
{
	for (uint32_t k = 0; k < r->desk->n; k++)
		if (r->desk->v[k].open && !r->desk->v[k].deleted)
			run_wrong(r, "ticket %u (%s) is still open", k + 1, r->desk->v[k].key);
}

void check_end(struct run *r)
{
	const struct correlation *c = r->engine->correlation;
	const struct incident *i;
	const struct lane *l;
	const struct episode *ep;
	size_t episodes = 0, incidents = 0;
	for (const struct alert *a = r->engine->alerts->all.first; a != NULL; a = a->next)
		if (a->state != ALERT_CLOSED)
			run_wrong(r, "alert %s of %s is still %s", a->rule_id, a->host,
			          a->state == ALERT_OPEN ? "open" : "pending");
	TAILQ_FOREACH (l, &c->lanes, all)
		if (!l->done && lane_busy(r->engine, l) &&
		    !(l->dead && l->error_class == TICKET_CLASS_GONE)) /* a person took it away */
			run_wrong(r, "the delivery for %s is not done: %s%s", l->incident->id_text,
			          lane_state_word(l),
			          l->dead     ? ", given up"
			          : l->parked ? ", parked"
			                      : "");
	TAILQ_FOREACH (i, &c->incidents, all) {
		incidents += i->lane == NULL || !i->lane->dead;
		if (!incident_state_final(i->state))
			run_wrong(r, "%s (%s) is still %s", i->id_text, i->root_id != NULL ? i->root_id : "?",
			          incident_state_word(i->state));
	}
	check_tickets_end(r);
	TAILQ_FOREACH (ep, &c->episodes, all)
		episodes++;
	if (episodes > 0)
		run_wrong(r, "%zu episodes are kept for ever", episodes);
	if (incidents > 0)
		run_wrong(r, "%zu incidents are kept for ever", incidents);
}
