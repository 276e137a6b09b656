/* Promises that several failures which nothing reported explains get one silent cause when that is the
 * cheaper story (correlation.md section 3), and that the cause vanishes with the last failure that it
 * explains. Looks only at unexplained young tops, at most every few seconds, and at a bounded number of them.
 * Must not know incidents. */
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	PAUSE = 5,        /* seconds between two looks */
	VOTERS_MAX = 512, /* of one look: the latest; what they prove, the others find by themselves */
	ANCESTORS_MAX = 250,
	CANDIDATES_MAX = 60,
	BLAST_MAX = 1500,
	NAMINGS_MAX = 3,
	BLIND_MIN = 20, /* more than so many must be reported down through one node */
	BLIND_PERCENT = 60,
	BLIND_HURT_PERCENT = 20
};

/* Something slow is more common than something dead: what it costs of `prior`. */
#define SLOW_PRIOR .6

struct suspect_cause {
	struct map_node *node;
	uint32_t *votes, n_votes; /* voters by index */
	int level;
	uint32_t named;
	bool maintained;
	uint32_t *blast; /* services, the root not among them */
	uint8_t *levels;
	size_t n_blast;
	struct episode **covers; /* unexplained ones in the blast, at the node itself, or naming it */
	size_t n_covers, cap_covers;
	bool done;
};

struct look {
	struct engine *e;
	struct episode **voters; /* the latest of the tops */
	size_t n_voters;
	struct hmap *pseudo; /* work: id of a node outside the map → cause */
	struct suspect_cause *causes;
	size_t n_causes, cap_causes;
};

struct story {
	struct suspect_cause *cause;
	double gain, unseen;
	instant on;
	uint32_t explains;
};

int episode_said(const struct episode *ep)
{
	return ep->proven > 0 ? ep->proven : ep->level;
}

bool silent_only(const struct episode *ep)
{
	return ep->inferred > 0 && ep->proven == 0;
}

/* ---- who looks for a cause */

static bool searches(const struct engine *e, const struct episode *ep)
{
	return ep->parent == NULL && ep->real && !ep->risk && !ep->pinned &&
	       e->now - ep->on < e->setup.config->correlation.young;
}

void silent_forget(struct correlation *c, struct episode *ep)
{
	if (ep->is_top)
		TAILQ_REMOVE(&c->tops, ep, in_tops);
	ep->is_top = false;
	for (size_t k = 0; ep->hollow && k < c->n_hollow; k++)
		if (c->hollow[k] == ep)
			c->hollow[k] = NULL;
	ep->hollow = false;
}

void silent_top(struct engine *e, struct episode *ep)
{
	struct correlation *c = e->correlation;
	bool is = searches(e, ep);
	if (is == ep->is_top)
		return;
	if (is)
		TAILQ_INSERT_TAIL(&c->tops, ep, in_tops);
	else
		TAILQ_REMOVE(&c->tops, ep, in_tops);
	ep->is_top = is;
	if (is)
		silent_news(e);
}

void silent_news(struct engine *e)
{
	struct correlation *c = e->correlation;
	if (c->silent_at != INSTANT_NONE || TAILQ_EMPTY(&c->tops))
		return;
	c->silent_at = (e->now / (PAUSE * SECOND) + 1) * PAUSE * SECOND;
	engine_timer(e, c->silent_at, TIMER_CAUSE, 0);
}

void silent_load(struct engine *e)
{
	struct correlation *c = e->correlation;
	struct episode *ep;
	TAILQ_FOREACH (ep, &c->episodes, all) {
		BUG_ON(ep->is_top);
		ep->is_top = searches(e, ep);
		if (ep->is_top)
			TAILQ_INSERT_TAIL(&c->tops, ep, in_tops);
	}
}

/* ---- tops */

/* By node, so that the order in which they came cannot be seen. */
static int by_node(const void *a, const void *b)
{
	const struct episode *const *x = a, *const *y = b;
	int d = strcmp((*x)->node->id, (*y)->node->id);
	return d != 0 ? d : ((*x)->on > (*y)->on) - ((*x)->on < (*y)->on);
}

static int latest_first(const void *a, const void *b)
{
	const struct episode *const *x = a, *const *y = b;
	if ((*x)->on != (*y)->on)
		return (*x)->on > (*y)->on ? -1 : 1;
	return by_node(a, b);
}

/* What is in maintenance is explained by it; what a person has closed stays as it is. */
static bool counts(const struct engine *e, const struct episode *ep)
{
	return ep->is_top && !ep->weak && searches(e, ep) &&
	       maintenance_covers(e, ep->node, ep->on) == NULL &&
	       (ep->incident == NULL || ep->incident->state != INCIDENT_CLOSED);
}

static void gather(struct look *l)
{
	struct episode *ep, *next;
	struct correlation *c = l->e->correlation;
	size_t n = 0;
	TAILQ_FOREACH (ep, &c->tops, in_tops)
		n++;
	l->voters = xcalloc(n + 1, sizeof(struct episode *));
	for (ep = TAILQ_FIRST(&c->tops); ep != NULL; ep = next) {
		next = TAILQ_NEXT(ep, in_tops);
		if (!searches(l->e, ep))
			silent_top(l->e, ep);
		else if (counts(l->e, ep))
			l->voters[l->n_voters++] = ep;
	}
	if (l->n_voters > VOTERS_MAX) {
		qsort(l->voters, l->n_voters, sizeof(struct episode *), latest_first);
		l->n_voters = VOTERS_MAX;
	}
	if (l->n_voters > 1)
		qsort(l->voters, l->n_voters, sizeof(struct episode *), by_node);
}

/* ---- votes */

static uint32_t *cause_slot(struct look *l, const struct map_node *n)
{
	return n->service != SERVICE_NONE ? &l->e->correlation->votes[n->service] : NULL;
}

static struct suspect_cause *cause_of(struct look *l, struct map_node *n)
{
	uint32_t *slot = cause_slot(l, n);
	uintptr_t known = slot != NULL ? *slot : (uintptr_t)hmap_get(l->pseudo, slice_str(n->id));
	if (known != 0)
		return &l->causes[known - 1];
	l->causes = array_reserve(l->causes, &l->cap_causes, l->n_causes + 1, sizeof *l->causes);
	l->causes[l->n_causes++] = (struct suspect_cause){.node = n};
	if (slot != NULL)
		*slot = (uint32_t)l->n_causes;
	else
		hmap_put(l->pseudo, slice_str(n->id), (void *)(uintptr_t)l->n_causes);
	return &l->causes[l->n_causes - 1];
}

static void vote(struct look *l, struct map_node *n, size_t voter, bool names)
{
	struct suspect_cause *c = cause_of(l, n);
	if (c->n_votes == 0 || c->votes[c->n_votes - 1] != voter) {
		if (c->n_votes % 16 == 0)
			c->votes = xreallocarray(c->votes, c->n_votes + 16, sizeof *c->votes);
		c->votes[c->n_votes++] = (uint32_t)voter;
	}
	c->level = MAX(c->level, l->voters[voter]->level);
	c->named += names;
}

struct ancestors {
	uint32_t v[ANCESTORS_MAX], depth[ANCESTORS_MAX];
	size_t n;
};

static void ancestor(struct look *l, struct ancestors *a, uint32_t s, uint32_t depth)
{
	struct derived *d = &l->e->correlation->derived;
	if (d->seen[s] == d->search || a->n == ANCESTORS_MAX)
		return;
	d->seen[s] = d->search;
	a->v[a->n] = s;
	a->depth[a->n++] = depth;
}

static void ancestors_of(struct look *l, struct ancestors *a, uint32_t s, uint32_t depth, bool down)
{
	const struct service_map *m = l->e->setup.map;
	size_t n, k;
	const struct map_edge *needs = service_needs(m, s, &n);
	for (size_t i = 0; i < n; i++) {
		if (needs[i].effect == EFFECT_NONE || (needs[i].effect == EFFECT_DEGRADED && down))
			continue;
		if (!needs[i].is_group) {
			ancestor(l, a, needs[i].to, depth);
			continue;
		}
		const uint32_t *members = group_members(m, needs[i].to, &k);
		for (size_t j = 0; j < k && a->n < ANCESTORS_MAX; j++)
			ancestor(l, a, members[j], depth);
	}
}

static void vote_map(struct look *l, size_t voter, struct ancestors *a)
{
	const struct service_map *m = l->e->setup.map;
	const struct episode *ep = l->voters[voter];
	uint32_t ends[2], hops = (uint32_t)l->e->setup.config->correlation.up_hops;
	a->n = 0;
	search_new(&l->e->correlation->derived);
	ancestor(l, a, ep->node->service, 0);
	for (size_t at = 0; at < a->n; at++)
		if (a->depth[at] < hops)
			ancestors_of(l, a, a->v[at], a->depth[at] + 1, ep->level == LEVEL_DOWN);
	if (link_ends(m, ep->node->service, ends))
		for (int i = 0; i < 2; i++)
			if (ends[i] != SERVICE_NONE)
				ancestor(l, a, ends[i], 1);
	for (size_t k = 1; k < a->n; k++)
		vote(l, node_of_service(l->e, a->v[k]), voter, false);
}

static void vote_all(struct look *l)
{
	struct ancestors *a = xcalloc(1, sizeof *a);
	for (size_t k = 0; k < l->n_voters; k++) {
		const struct episode *ep = l->voters[k];
		if (!ep->is_top)
			continue; /* explained meanwhile */
		if (ep->node->service != SERVICE_NONE)
			vote_map(l, k, a);
		for (size_t p = 0; p < ep->n_peers; p++) {
			struct map_node *n = node_named(l->e, slice_str(ep->peers[p]));
			if (n != ep->node)
				vote(l, n, k, true);
		}
	}
	free(a);
	for (size_t k = 0; k < l->n_causes; k++)
		if (cause_slot(l, l->causes[k].node) != NULL)
			*cause_slot(l, l->causes[k].node) = 0;
}

/* ---- candidates */

static const struct episode *evidence_at(const struct map_node *n, const struct correlation_config *cfg,
                                         instant at)
{
	for (size_t i = n != NULL ? n->n_recent : 0; i-- > 0;) {
		const struct episode *u = n->recent[i];
		if (u->on - cfg->lead <= at && (u->off == INSTANT_NONE || at <= u->off + cfg->lag))
			return u;
	}
	return NULL;
}

static int most_votes_first(const void *a, const void *b)
{
	const struct suspect_cause *x = a, *y = b;
	if (x->n_votes != y->n_votes)
		return x->n_votes > y->n_votes ? -1 : 1;
	return strcmp(x->node->id, y->node->id);
}

static void cover(const struct engine *e, struct suspect_cause *c, const struct map_node *n)
{
	for (size_t i = 0; n != NULL && i < n->n_recent; i++) {
		if (!counts(e, n->recent[i]))
			continue;
		c->covers =
		    array_reserve(c->covers, &c->cap_covers, c->n_covers + 1, sizeof(struct episode *));
		c->covers[c->n_covers++] = n->recent[i];
	}
}

static void predict(struct look *l, struct suspect_cause *c)
{
	struct correlation *co = l->e->correlation;
	struct blast b = blast_new(l->e);
	b.cap = BLAST_MAX;
	b.own_links = true;
	if (c->node->service != SERVICE_NONE)
		blast_from(&b, c->node->service, c->level);
	c->blast = xcalloc(b.n + 1, sizeof *c->blast);
	c->levels = xcalloc(b.n + 1, sizeof *c->levels);
	cover(l->e, c, c->node);
	for (size_t k = 1; k < b.n; k++) {
		c->blast[c->n_blast] = b.d->list[k];
		c->levels[c->n_blast++] = b.d->level[b.d->list[k]];
		cover(l->e, c, co->nodes[b.d->list[k]]);
	}
	blast_clear(&b);
}

static void candidates(struct look *l)
{
	size_t n = 0;
	for (size_t k = 0; k < l->n_causes; k++) {
		struct suspect_cause *c = &l->causes[k];
		c->maintained = maintenance_covers(l->e, c->node, l->voters[c->votes[0]]->on) != NULL;
		if (c->n_votes >= 2 || c->named > 0 || c->maintained)
			l->causes[n++] = *c;
		else
			free(c->votes);
	}
	l->n_causes = n;
	if (n > 1)
		qsort(l->causes, n, sizeof *l->causes, most_votes_first);
	for (size_t k = CANDIDATES_MAX; k < n; k++)
		free(l->causes[k].votes);
	l->n_causes = MIN(n, (size_t)CANDIDATES_MAX);
	for (size_t k = 0; k < l->n_causes; k++)
		predict(l, &l->causes[k]);
}

/* ---- description length */

/* How surely a failing service of this kind is seen failing: the price of one that is predicted and silent.
 */
static double miss(const struct service_map *m, uint32_t s)
{
	if (service_tier(m, s) > 0)
		return .8;
	switch (service_kind(m, s)) {
	case KIND_DB:
	case KIND_CACHE:
	case KIND_QUEUE: return 1.8;
	case KIND_NETWORK:
	case KIND_ROUTER:
	case KIND_FIREWALL:
	case KIND_SWITCH: return 1.7;
	case KIND_HOST:
	case KIND_K8S_NODE:
	case KIND_SERVICE:
	case KIND_SITE: return 1.6;
	case KIND_STORAGE:
	case KIND_LINK: return 1.4;
	case KIND_UPS: return 1.2;
	case KIND_VM: return 1.1;
	case KIND_LB:
	case KIND_DNS: return 1.0;
	case KIND_POD: return .6;
	}
	return 1.6;
}

/* Silence weighs more the longer it lasts. */
static double weight(duration age, int level)
{
	double w = age < 45 * SECOND ? .22 : age < 100 * SECOND ? .42 : age < 300 * SECOND ? .58 : .66;
	return level == LEVEL_DOWN ? w : w * .45;
}

static double unseen(const struct look *l, const struct suspect_cause *c, instant on)
{
	const struct correlation_config *cfg = &l->e->setup.config->correlation;
	double w = weight(l->e->now - on, c->level), sum = 0;
	for (size_t k = 0; k < c->n_blast; k++) {
		uint32_t s = c->blast[k];
		if (evidence_at(l->e->correlation->nodes[s], cfg, on + SECOND) != NULL)
			continue;
		sum += miss(l->e->setup.map, s) * w * (c->levels[k] == LEVEL_DEGRADED ? .4 : 1);
	}
	return sum;
}

static bool is_explained_by(const struct look *l, const struct episode *ep, instant on)
{
	return ep->is_top && ep->on - on <= l->e->setup.config->correlation.lead;
}

/* False: it explains too little. */
static bool tell(const struct look *l, struct suspect_cause *c, struct story *out)
{
	const struct correlation_config *cfg = &l->e->setup.config->correlation;
	instant on = INSTANT_NONE;
	for (size_t k = 0; k < c->n_covers; k++)
		if (c->covers[k]->is_top && (on == INSTANT_NONE || c->covers[k]->on < on))
			on = c->covers[k]->on;
	if (on == INSTANT_NONE)
		return false;
	*out = (struct story){.cause = c, .on = on};
	c->maintained = maintenance_covers(l->e, c->node, on) != NULL;
	bool other = false;
	for (size_t k = 0; k < c->n_covers; k++) {
		if (!is_explained_by(l, c->covers[k], on))
			continue;
		other = other || c->covers[k]->node != c->node;
		out->explains++;
		out->gain += c->covers[k]->level == LEVEL_DOWN ? cfg->prior : cfg->prior / 2;
	}
	if (!other || (out->explains < 2 && !c->maintained && c->named == 0))
		return false;
	out->unseen = unseen(l, c, on);
	if (evidence_at(c->node, cfg, on) == NULL)
		out->gain -= c->maintained || c->named > 0 ? .5 : cfg->silent_cost;
	double prior = c->level == LEVEL_DOWN ? cfg->prior : cfg->prior * SLOW_PRIOR;
	out->gain -= prior * (c->maintained ? .1 : 1) + out->unseen;
	out->gain += 2.5 * (double)MIN(c->named, (uint32_t)NAMINGS_MAX);
	return out->gain > 0;
}

static bool better(const struct story *a, const struct story *b)
{
	if (b->cause == NULL || a->gain != b->gain)
		return b->cause == NULL || a->gain > b->gain;
	if (a->cause->n_blast != b->cause->n_blast)
		return a->cause->n_blast < b->cause->n_blast;
	return strcmp(a->cause->node->id, b->cause->node->id) < 0;
}

/* ---- results */

/* The running episode of the node becomes, or is made, the inferred cause. */
static struct episode *infer(struct engine *e, const struct story *s, char *why)
{
	struct map_node *n = s->cause->node;
	struct episode *v = n->open != NULL ? n->open : episode_new(e, n, false);
	bool known = v->inferred > 0;
	v->inferred = MAX(v->inferred, s->cause->level);
	v->level = MAX(v->level, v->inferred);
	if (v->proven == 0 && s->on < v->on) {
		v->on = s->on; /* and what its age decides comes sooner */
		engine_timer(e, v->on + e->setup.config->correlation.young, TIMER_EPISODE, v->serial);
	}
	v->last = MAX(v->last, e->now);
	v->risen = known ? v->risen : e->now;
	if (v->proven == 0)
		v->severity = SEVERITY_MAJOR;
	free(v->inference);
	v->inference = why;
	if (!known && v->incident != NULL)
		incident_log(e, v->incident, "inferred", "%s: %s", n->id, why);
	episode_changed(e, v, true);
	return v;
}

static char *why_text(const struct story *s)
{
	return xasprintf("silent common cause, %u unexplained failures, gain %.1f, %.1f unseen%s",
	                 s->explains, s->gain, s->unseen, s->cause->maintained ? ", in maintenance" : "");
}

/* Takes why. */
static void conclude(struct look *l, const struct story *s, char *why)
{
	struct engine *e = l->e;
	struct episode *v = infer(e, s, why);
	for (size_t k = 0; k < s->cause->n_covers; k++) {
		struct episode *ep = s->cause->covers[k];
		if (ep == v || ep->pinned || !is_explained_by(l, ep, s->on) || parent_is_cyclic(ep, v))
			continue;
		parent_set(e, ep, v, xstrdup(why)); /* and is a top no longer */
		if (ep->incident != NULL)
			incident_log(e, ep->incident, "cause", "%s <- %s: %s", ep->node->id, v->node->id,
			             why);
		if (!ep->moved)
			forest_move(e->correlation, ep);
	}
	s->cause->done = true;
}

/* ---- blindness: what is watched through one node is reported down, and what needs it is healthy */

struct blindness {
	uint32_t watched, down, needed, hurt;
};

static bool is_reported(const struct engine *e, uint32_t s)
{
	const struct map_node *n = e->correlation->nodes[s];
	return n != NULL && n->open != NULL && !silent_only(n->open);
}

static void weigh_watched(const struct look *l, uint32_t s, struct blindness *b)
{
	const struct service_map *m = l->e->setup.map;
	const struct map_node *n = l->e->correlation->nodes[s];
	size_t k;
	b->watched++;
	if (n == NULL || n->open == NULL || !counts(l->e, n->open) || n->open->level < LEVEL_DOWN)
		return;
	b->down++;
	const struct map_edge *by = service_needed_by(m, s, &k);
	for (size_t i = 0; i < k; i++) {
		if (by[i].effect != EFFECT_DOWN)
			continue;
		b->needed++;
		b->hurt += is_reported(l->e, by[i].to);
	}
}

static void suspect_blindness(struct look *l, uint32_t eye)
{
	size_t n;
	struct blindness b = {0};
	const struct map_edge *by = service_needed_by(l->e->setup.map, eye, &n);
	for (size_t i = 0; i < n; i++)
		if (by[i].effect == EFFECT_NONE)
			weigh_watched(l, by[i].to, &b);
	if (b.down <= BLIND_MIN || b.down * 100 < BLIND_PERCENT * b.watched ||
	    b.hurt * 100 > BLIND_HURT_PERCENT * b.needed)
		return;
	struct suspect_cause c = {.node = node_of_service(l->e, eye), .level = LEVEL_DOWN};
	for (size_t i = 0; i < n; i++)
		if (by[i].effect == EFFECT_NONE)
			cover(l->e, &c, l->e->correlation->nodes[by[i].to]);
	struct story s = {.cause = &c, .on = INSTANT_NONE, .explains = b.down};
	for (size_t k = 0; k < c.n_covers; k++)
		s.on = s.on == INSTANT_NONE ? c.covers[k]->on : MIN(s.on, c.covers[k]->on);
	char *why =
	    xasprintf("monitoring looks blind: %u of %u watched through it are reported down, %u of %u that "
	              "need them say so too",
	              b.down, b.watched, b.hurt, b.needed);
	conclude(l, &s, why);
	free(c.covers);
}

static void blindness(struct look *l)
{
	const struct service_map *m = l->e->setup.map;
	size_t n;
	for (size_t k = 0; k < l->n_voters; k++) {
		uint32_t s = l->voters[k]->node->service;
		if (s == SERVICE_NONE || !l->voters[k]->is_top)
			continue;
		const struct map_edge *needs = service_needs(m, s, &n);
		for (size_t i = 0; i < n; i++)
			if (needs[i].effect == EFFECT_NONE && !needs[i].is_group &&
			    service_hides(m, needs[i].to) &&
			    l->e->correlation->votes[needs[i].to]++ == BLIND_MIN)
				suspect_blindness(l, needs[i].to);
	}
	for (size_t k = 0; k < l->n_voters; k++) { /* the work space as it was */
		uint32_t s = l->voters[k]->node->service;
		const struct map_edge *needs = s != SERVICE_NONE ? service_needs(m, s, &n) : NULL;
		for (size_t i = 0; needs != NULL && i < n; i++)
			if (needs[i].effect == EFFECT_NONE && !needs[i].is_group)
				l->e->correlation->votes[needs[i].to] = 0;
	}
}

static void look_free(struct look *l)
{
	for (size_t k = 0; k < l->n_causes; k++) {
		free(l->causes[k].votes);
		free(l->causes[k].blast);
		free(l->causes[k].levels);
		free(l->causes[k].covers);
	}
	free(l->causes);
	free(l->voters);
	hmap_free(l->pseudo);
}

void silent_timer(struct engine *e, uint64_t object)
{
	struct correlation *c = e->correlation;
	if (object != 0) { /* the settling at the end of this step does it */
		c->rest_at = INSTANT_NONE;
		return;
	}
	if (c->silent_at == INSTANT_NONE || e->now < c->silent_at)
		return;
	c->silent_at = INSTANT_NONE;
	struct look l = {.e = e, .pseudo = hmap_new()};
	if (c->votes == NULL)
		c->votes = xcalloc(c->derived.n_services + 1, sizeof *c->votes);
	gather(&l);
	blindness(&l);
	vote_all(&l);
	candidates(&l);
	for (;;) {
		struct story best = {0}, s;
		for (size_t k = 0; k < l.n_causes; k++)
			if (!l.causes[k].done && tell(&l, &l.causes[k], &s) && better(&s, &best))
				best = s;
		if (best.cause == NULL)
			break;
		conclude(&l, &best, why_text(&best));
	}
	look_free(&l);
}

/* ---- the end of an inference */

void silent_leave(struct engine *e, struct episode *v)
{
	struct correlation *c = e->correlation;
	if (v->inferred == 0 || v->hollow)
		return;
	c->hollow = array_reserve(c->hollow, &c->cap_hollow, c->n_hollow + 1, sizeof(struct episode *));
	c->hollow[c->n_hollow++] = v;
	v->hollow = true;
}

static instant last_kid(const struct episode *v)
{
	instant last = v->on;
	const struct episode *kid;
	LIST_FOREACH (kid, &v->kids, sibling)
		last = MAX(last, kid->off != INSTANT_NONE ? kid->off : last);
	return last;
}

static void weigh(struct engine *e, struct episode *v)
{
	if (!silent_only(v)) {
		if (!LIST_EMPTY(&v->kids) || v->off != INSTANT_NONE)
			return;
		v->inferred = 0; /* nobody needs the guess, the evidence stands */
		v->level = v->proven;
		episode_changed(e, v, true);
		return;
	}
	if (v->kids_on > 0)
		return;
	if (v->off == INSTANT_NONE)
		episode_over(e, v, last_kid(v));
	if (!LIST_EMPTY(&v->kids))
		return;
	if (v->incident != NULL) {
		incident_log(e, v->incident, "inferred",
		             "%s: no longer needed, what it explained has better causes", v->node->id);
		incident_remove(e, v);
	}
	node_changed(e, v->node);
	episode_free(e, v);
}

void silent_tidy(struct engine *e)
{
	struct correlation *c = e->correlation;
	for (size_t k = 0; k < c->n_hollow; k++) { /* grows meanwhile */
		struct episode *v = c->hollow[k];
		if (v == NULL)
			continue;
		v->hollow = false;
		weigh(e, v);
	}
	c->n_hollow = 0;
}
