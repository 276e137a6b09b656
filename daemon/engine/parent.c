/* Promises the nearest bad thing upstream that can have caused an episode, by section 2 of correlation.md,
 * within a fixed number of visits; and that the episode is asked again when anything that was looked at
 * changes. Must not know incidents, but for those that take nobody any more. */
#include "engine/correlate.h"

#include <stdlib.h>

/* Costs in tenths. */
enum {
	COST_HIT = 10,
	COST_LOWER = 10,
	COST_SOFT_DOWN = 20,
	COST_SOFT = 3,
	COST_DERIVED = 4,
	COST_SILENT = 15,
	COST_LINK = 3,
	COST_OWN_LINK = 2,
	COST_NOT_LAST = 10,
	COST_LESS = 10,
	COST_OLD = 10,
	COST_EFFECT = 5,
	COST_NEVER = 1000,
	COST_GUESS = 3 /* what is reported is preferred to what is inferred */
};

enum { QUEUE_MAX = 1024, NO_GROUP = -1, ASKED_MAX = 64 };

struct step {
	uint32_t service;
	int cost, silent, hops;
	int64_t group; /* the last group on the way */
	bool soft;
};

struct candidate {
	struct episode *ep;
	int cost, hops;
	int explains; /* failures beside this one */
	instant tie;
	int64_t group;
	bool soft, learned, link;
};

/* Of one incident: what it meets of it, and why that does not count. */
struct trace {
	const struct incident *of;
	void (*line)(void *arg, const char *text);
	void *arg;
	size_t met;
};

struct search {
	struct engine *e;
	struct episode *ep;
	bool own_cause, business, watch_only;
	enum service_kind kind;
	struct step *queue; /* in scratch */
	size_t head, tail;
	int visits;
	struct map_node **looked; /* in scratch */
	size_t n_looked, cap_looked;
	struct candidate best, next;
	bool has_best, has_next;
	struct trace *trace;       /* NULL: a search; else it only looks */
	struct lateral_find aside; /* when nothing that it needs explains it */
};

/* ---- what a node can explain */

/* By time alone. */
static bool explains(const struct search *st, const struct episode *u)
{
	const struct correlation_config *cfg = &st->e->setup.config->correlation;
	instant end = u->off != INSTANT_NONE ? u->off : st->ep->on;
	return u->real && u->on - MAX(cfg->lead, u->lead) <= st->ep->on && st->ep->on <= end + cfg->lag;
}

/* The latest episode of n that covers the moment at which ep began. */
static struct episode *suspect(const struct search *st, const struct map_node *n)
{
	for (size_t i = n->n_recent; i-- > 0;)
		if (explains(st, n->recent[i]))
			return n->recent[i];
	return NULL;
}

static bool down_then(const struct search *st, const struct map_node *n)
{
	const struct episode *u = suspect(st, n);
	return (u != NULL && u->level == LEVEL_DOWN) || derived_at(st->e, n->service, st->ep->on, false);
}

static bool bad_then(const struct search *st, const struct map_node *n)
{
	return suspect(st, n) != NULL || derived_at(st->e, n->service, st->ep->on, true);
}

static instant onset(const struct search *st, const struct map_node *n)
{
	const struct episode *u = suspect(st, n);
	const struct derived *d = &st->e->correlation->derived;
	if (u != NULL)
		return u->on;
	return d->down.span_on[n->service] != INSTANT_NONE ? d->down.span_on[n->service]
	                                                   : d->bad.span_on[n->service];
}

bool parent_is_cyclic(const struct episode *ep, const struct episode *parent)
{
	int steps = 0;
	for (; parent != NULL && steps < CYCLE_MAX; parent = parent->parent, steps++)
		if (parent == ep)
			return true;
	return steps == CYCLE_MAX;
}

/* Incidents that are over take nobody; one that never opened does not stand in the way. */
static bool takes(const struct episode *u)
{
	const struct incident *i = u->incident;
	return i == NULL || (i->state != INCIDENT_CLOSED && !(i->state == INCIDENT_RESOLVED && i->by_hand));
}

/* Of equally near ones the one that explains more of what fails now; then the one that was first; then by
 * name: the order in which failures of one moment arrive decides nothing. */
static bool better(const struct candidate *a, const struct candidate *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a->explains != b->explains)
		return a->explains > b->explains;
	if (a->tie != b->tie)
		return a->tie < b->tie;
	int d = strcmp(a->ep->node->id, b->ep->node->id);
	return d != 0 ? d < 0 : a->ep->on < b->ep->on;
}

/* What a failure has explained for long is no news: the older it is when the other begins, the less likely it
 * is the cause. From its last worsening on. */
static int fading(const struct search *st, const struct episode *u, int hops)
{
	duration age = st->ep->on - u->risen;
	if (u->level == LEVEL_DOWN)
		return age < 30 * MINUTE ? 0 : age < 2 * HOUR || hops <= 1 ? COST_OLD : COST_NEVER;
	return age < 10 * MINUTE ? 0 : age < 30 * MINUTE ? COST_OLD : COST_NEVER;
}

/* More load on a store that is reported after a caller has failed may be the effect of it: anything else is
 * preferred. */
static bool is_effect(const struct search *st, const struct episode *u)
{
	return st->ep->level == LEVEL_DOWN && u->level < LEVEL_DOWN && u->on > st->ep->on && overload_only(u);
}

static int explained_by(const struct search *st, const struct map_edge *by, size_t n, const struct episode *u)
{
	int found = 0;
	for (size_t i = 0; i < n && i < ASKED_MAX; i++) {
		const struct map_node *m = st->e->correlation->nodes[by[i].to];
		const struct episode *x = m != NULL ? m->open : NULL;
		found += by[i].effect != EFFECT_NONE && x != NULL && x->real &&
		         x->on >= u->on - st->e->setup.config->correlation.lead;
	}
	return found;
}

/* How many of those that need it directly fail too. */
static int explains_too(const struct search *st, const struct episode *u)
{
	const struct service_map *m = st->e->setup.map;
	size_t n, users;
	if (u->node->service == SERVICE_NONE)
		return 1;
	const struct map_edge *by = service_needed_by(m, u->node->service, &n);
	int found = explained_by(st, by, n, u);
	const uint32_t *groups = service_groups(m, u->node->service, &n);
	for (size_t g = 0; g < n && g < ASKED_MAX / 8; g++) {
		by = group_needed_by(m, groups[g], &users);
		found += explained_by(st, by, users, u);
	}
	return found;
}

static void propose(struct search *st, struct candidate c)
{
	if (st->watch_only || !takes(c.ep) || parent_is_cyclic(st->ep, c.ep))
		return;
	c.cost += fading(st, c.ep, c.hops) + (is_effect(st, c.ep) ? COST_EFFECT : 0);
	if (c.cost >= COST_NEVER)
		return;
	c.explains = explains_too(st, c.ep);
	if (!st->has_best || better(&c, &st->best)) {
		st->next = st->best;
		st->has_next = st->has_best;
		st->best = c;
		st->has_best = true;
	} else if (!st->has_next || better(&c, &st->next)) {
		st->next = c;
		st->has_next = true;
	}
}

/* An inferred cause may lie further away than a search goes. */
static bool keeps(const struct search *st, const struct episode *u)
{
	return u->inferred > 0 && takes(u) && explains(st, u);
}

/* ---- in words, why not */

static char *too_far_in_time(const struct search *st, const struct episode *u)
{
	const struct correlation_config *cfg = &st->e->setup.config->correlation;
	struct buf b = {0};
	if (u->on > st->ep->on) {
		buf_printf(&b, "%s was reported ", u->node->id);
		duration_format((u->on - st->ep->on) / SECOND * SECOND, &b);
		buf_printf(&b, " after %s; a cause may come so late: ", st->ep->node->id);
		duration_format(MAX(cfg->lead, u->lead), &b);
		buf_str(&b, " (correlation.lead)");
	} else {
		buf_printf(&b, "%s was over ", u->node->id);
		duration_format((st->ep->on - u->off) / SECOND * SECOND, &b);
		buf_printf(&b, " before %s began; a symptom may come so late: ", st->ep->node->id);
		duration_format(cfg->lag, &b);
		buf_str(&b, " (correlation.lag)");
	}
	buf_cstr(&b);
	return b.p;
}

static char *why_not_this(const struct search *st, const struct episode *u, int hops, int cost)
{
	const char *id = u->node->id, *me = st->ep->node->id;
	if (!u->real)
		return xasprintf("%s has one line below major only: that explains nothing", id);
	if (!explains(st, u))
		return too_far_in_time(st, u);
	if (u->weak)
		return xasprintf("%s is a lone warning that has not lasted: that explains nothing", id);
	if (u->level < st->ep->level && (hops > 1 || st->own_cause))
		return xasprintf("%s is degraded only, and %s is down: %s", id, me,
		                 st->own_cause ? "it reports a cause of its own"
		                               : "that is believed over one hop only");
	if (parent_is_cyclic(st->ep, u))
		return xasprintf("%s is explained by %s itself", id, me);
	if (!takes(u))
		return xasprintf("the incident of %s is closed", id);
	if (fading(st, u, hops) >= COST_NEVER)
		return xasprintf("%s stands so long that it explains nothing new", id);
	if (st->ep->parent == NULL)
		return xasprintf("%s could explain %s (cost %d.%d): the next search will take it", id, me,
		                 cost / 10, cost % 10);
	return xasprintf("%s could explain %s (cost %d.%d), but %s is nearer or explains more (cost %d.%d)",
	                 id, me, cost / 10, cost % 10, st->ep->parent->node->id, st->ep->cost / 10,
	                 st->ep->cost % 10);
}

static void trace_node(struct search *st, const struct map_node *n, const struct step *s)
{
	for (size_t k = n->n_recent; k-- > 0;) {
		const struct episode *u = n->recent[k];
		if (u->incident != st->trace->of || u == st->ep)
			continue;
		char *text = why_not_this(st, u, s->hops, s->cost + COST_HIT);
		st->trace->line(st->trace->arg, text);
		st->trace->met++;
		free(text);
		return;
	}
}

static void trace_group(struct search *st, uint32_t g, size_t up)
{
	size_t n;
	const uint32_t *members = group_members(st->e->setup.map, g, &n);
	for (size_t i = 0; i < n; i++) {
		const struct map_node *m = node_of_service(st->e, members[i]);
		for (size_t k = 0; k < m->n_recent; k++) {
			if (m->recent[k]->incident != st->trace->of)
				continue;
			char *name = group_text(st->e, g), *text;
			text = xasprintf("group %s holds without %s (%zu of %zu up, need %u)", name, m->id,
			                 up, n, group_at_least(st->e->setup.map, g));
			st->trace->line(st->trace->arg, text);
			st->trace->met++;
			free(name);
			free(text);
			return;
		}
	}
}

/* ---- the walk */

static struct map_node *look(struct search *st, struct map_node *n)
{
	if (st->n_looked == st->cap_looked)
		return n;
	st->looked[st->n_looked++] = n;
	return n;
}

static bool seen(struct search *st, uint32_t s)
{
	struct derived *d = &st->e->correlation->derived;
	if (d->seen[s] == d->search)
		return true;
	d->seen[s] = d->search;
	return false;
}

static void push(struct search *st, struct step s)
{
	if (st->tail < QUEUE_MAX)
		st->queue[st->tail++] = s;
}

static bool own_link(const struct search *st, uint32_t device, uint32_t link)
{
	const struct service_map *m = st->e->setup.map;
	uint32_t ends[2];
	return device != SERVICE_NONE && device == st->ep->node->service && st->ep->level == LEVEL_DOWN &&
	       service_is_network(m, device) && link_ends(m, link, ends) &&
	       (ends[0] == device || ends[1] == device);
}

/* One need of `from`: `extra` is what its edge costs. */
static void visit(struct search *st, const struct step *from, uint32_t to, int extra, int64_t group,
                  bool soft, bool learned)
{
	st->visits++;
	if (seen(st, to))
		return;
	struct map_node *n = look(st, node_of_service(st->e, to));
	struct step s = {.service = to,
	                 .cost = from->cost + extra,
	                 .silent = from->silent,
	                 .hops = from->hops + 1,
	                 .group = group != NO_GROUP ? group : from->group,
	                 .soft = from->soft || soft};
	if (own_link(st, from->service, to)) {
		s.cost += COST_OWN_LINK; /* the link is our symptom; what lies behind it may be the cause */
		push(st, s);
		return;
	}
	struct episode *u = suspect(st, n);
	if (st->trace != NULL)
		trace_node(st, n, &s);
	if (u == st->ep || (u != NULL && u->weak))
		u = NULL;
	bool lower = u != NULL && u->level < st->ep->level;
	if (lower && (from->hops > 0 || st->own_cause))
		u = NULL; /* something slow does not explain something dead further up */
	if (u != NULL) {
		int cost = s.cost + COST_HIT + (lower ? COST_LOWER : 0) + (silent_only(u) ? COST_GUESS : 0);
		propose(st, (struct candidate){.ep = u,
		                               .cost = cost,
		                               .hops = s.hops,
		                               .group = s.group,
		                               .soft = s.soft,
		                               .learned = learned,
		                               .tie = group != NO_GROUP ? -u->on : u->on});
		return;
	}
	if (derived_at(st->e, to, st->ep->on, true)) {
		s.cost += COST_DERIVED;
		if (st->ep->level == LEVEL_DOWN && !derived_at(st->e, to, st->ep->on, false))
			s.cost +=
			    COST_LESS; /* it should be degraded only: its report may say more than is true */
		s.silent = 0;
		push(st, s);
	} else if (from->silent < st->e->setup.config->correlation.silent_hops) {
		s.cost += COST_SILENT;
		s.silent = from->silent + 1;
		push(st, s);
	}
}

static void hold(struct search *st, const struct map_node *member, uint32_t g, size_t up, size_t n)
{
	if (st->watch_only || st->ep->held != NULL)
		return;
	char *name = group_text(st->e, g);
	st->ep->held_by = xstrdup(member->id);
	st->ep->held = xasprintf("group %s holds (%zu of %zu, need %u)", name, up, n,
	                         group_at_least(st->e->setup.map, g));
	free(name);
}

/* The member that tipped the group: of those that were down before ep if they are enough to break it, else of
 * all, the one that went down last. */
static uint32_t tipped(const struct search *st, const uint32_t *members, const bool *down, size_t n,
                       size_t breaks)
{
	size_t before = 0;
	for (size_t i = 0; i < n; i++)
		before += down[i] && onset(st, node_of_service(st->e, members[i])) <= st->ep->on;
	uint32_t last = SERVICE_NONE;
	instant latest = INSTANT_NONE;
	for (size_t i = 0; i < n; i++) {
		instant on = down[i] ? onset(st, node_of_service(st->e, members[i])) : INSTANT_NONE;
		if (!down[i] || (before >= breaks && on > st->ep->on) ||
		    (last != SERVICE_NONE && on <= latest))
			continue;
		last = members[i];
		latest = on;
	}
	return last;
}

static void visit_group(struct search *st, const struct step *from, uint32_t g, int extra, bool soft)
{
	const struct service_map *m = st->e->setup.map;
	size_t n, n_down = 0, need = group_at_least(m, g);
	const uint32_t *members = group_members(m, g, &n);
	if (n > (size_t)MAX(0, st->e->setup.config->correlation.visits - st->visits))
		return;
	bool *down = arena_array(st->e->scratch, n + 1, sizeof *down);
	const struct map_node *bad = NULL;
	st->visits += (int)n;
	for (int pass = 0; pass < 2; pass++) {
		n_down = 0;
		for (size_t i = 0; i < n; i++) {
			struct map_node *member = node_of_service(st->e, members[i]);
			if (pass == 0)
				look(st, member);
			down[i] = pass == 0 ? down_then(st, member) : bad_then(st, member);
			n_down += down[i];
			bad = bad == NULL && down[i] ? member : bad;
		}
		if (pass == 1 && st->ep->level == LEVEL_DOWN)
			extra += COST_LESS;
		if (n - n_down < need)
			break; /* broken; second pass: degraded, which explains what is only degraded */
	}
	if (n - n_down >= need) {
		if (st->trace != NULL)
			trace_group(st, g, n - n_down);
		if (bad != NULL && from->hops == 0)
			hold(st, bad, g, n - n_down, n);
		return;
	}
	uint32_t last = tipped(st, members, down, n, n - need + 1);
	for (size_t i = 0; i < n; i++)
		if (down[i])
			visit(st, from, members[i], extra + (members[i] == last ? 0 : COST_NOT_LAST), g, soft,
			      false);
}

static int soft_cost(const struct search *st, bool soft)
{
	if (!soft)
		return 0;
	return st->ep->level == LEVEL_DOWN && !st->business ? COST_SOFT_DOWN : COST_SOFT;
}

static void expand(struct search *st, const struct step *s)
{
	const struct service_map *m = st->e->setup.map;
	size_t n;
	uint32_t ends[2];
	const struct map_edge *needs = service_needs(m, s->service, &n);
	int limit = st->e->setup.config->correlation.visits;
	for (size_t i = 0; i < n && st->visits < limit; i++) {
		bool soft = needs[i].effect == EFFECT_DEGRADED;
		if (needs[i].effect == EFFECT_NONE &&
		    !(needs[i].is_group == 0 && service_hides(m, needs[i].to)))
			continue;
		int extra = soft_cost(st, soft);
		if (needs[i].is_group)
			visit_group(st, s, needs[i].to, extra, soft);
		else
			visit(st, s, needs[i].to, extra, NO_GROUP, soft, false);
	}
	if (s->hops > 0 &&
	    link_ends(m, s->service, ends)) /* the device behind a link; the one in front was seen */
		for (int i = 0; i < 2; i++)
			if (ends[i] != SERVICE_NONE)
				visit(st, s, ends[i], 0, NO_GROUP, false, false);
}

/* A dead device explains the links that end at it. */
static void link_devices(struct search *st)
{
	uint32_t ends[2];
	if (st->kind != KIND_LINK || !link_ends(st->e->setup.map, st->ep->node->service, ends))
		return;
	for (int i = 0; i < 2; i++) {
		if (ends[i] == SERVICE_NONE)
			continue;
		struct episode *u = suspect(st, look(st, node_of_service(st->e, ends[i])));
		if (u != NULL && u != st->ep && u->level == LEVEL_DOWN)
			propose(st, (struct candidate){.ep = u,
			                               .cost = COST_LINK,
			                               .hops = 1,
			                               .tie = u->on,
			                               .group = NO_GROUP,
			                               .link = true});
	}
}

/* Needs that the map lacks but the log line proves. */
static void visit_peers(struct search *st, const struct step *from)
{
	for (size_t i = 0; i < st->ep->n_peers; i++) {
		struct map_node *n = node_named(st->e, slice_str(st->ep->peers[i]));
		if (n == st->ep->node)
			continue;
		if (n->service != SERVICE_NONE) {
			visit(st, from, n->service, 0, NO_GROUP, false,
			      true); /* a known need was seen before */
			continue;
		}
		struct episode *u = suspect(st, look(st, n));
		if (u != NULL && !u->weak && !(u->level < st->ep->level && st->own_cause))
			propose(st, (struct candidate){.ep = u,
			                               .cost = COST_HIT +
			                                       (u->level < st->ep->level ? COST_LOWER : 0),
			                               .hops = 1,
			                               .tie = u->on,
			                               .group = NO_GROUP,
			                               .learned = true});
	}
}

/* Beside the needs: once per node too, so that a node is watched once. */
static struct episode *look_aside(void *arg, struct map_node *n)
{
	struct search *st = arg;
	if (!seen(st, n->service))
		look(st, n);
	return suspect(st, n);
}

static void walk(struct search *st)
{
	struct episode *ep = st->ep;
	struct step start = {.service = ep->node->service, .group = NO_GROUP};
	search_new(&st->e->correlation->derived);
	if (ep->node->service == SERVICE_NONE) {
		visit_peers(st, &start);
	} else {
		seen(st, ep->node->service);
		link_devices(st);
		expand(st, &start);
		visit_peers(st, &start);
	}
	while (st->head < st->tail && st->visits < st->e->setup.config->correlation.visits) {
		struct step s = st->queue[st->head++];
		if (s.hops < HOPS_MAX)
			expand(st, &s);
	}
	/* after a load nothing is judged again: what was found then, and how, is known */
	bool found = st->watch_only ? ep->cost > 0 : st->has_best;
	if (!found && st->trace == NULL)
		lateral_search(st->e, ep, look_aside, st, &st->aside);
	if (st->trace == NULL)
		watch_set(st->e, ep, st->looked, st->n_looked);
}

static void begin(struct search *st, struct engine *e, struct episode *ep)
{
	const struct service_map *m = e->setup.map;
	uint32_t s = ep->node->service;
	*st = (struct search){.e = e, .ep = ep, .kind = KIND_SERVICE};
	if (s != SERVICE_NONE) {
		st->kind = service_kind(m, s);
		st->business = service_tier(m, s) > 0;
	}
	for (size_t i = 0; i < ep->n_classes; i++)
		st->own_cause = st->own_cause || ep->classes[i].nature == NATURE_OWN_CAUSE;
	struct correlation *c = e->correlation;
	if (c->steps == NULL)
		c->steps = xcalloc(QUEUE_MAX, sizeof *st->queue);
	st->queue = c->steps;
	st->cap_looked = (size_t)e->setup.config->correlation.visits + 16;
	c->looked = array_reserve(c->looked, &c->cap_looked, st->cap_looked, sizeof(struct map_node *));
	st->looked = c->looked;
}

/* ---- the reason in words */

char *group_text(const struct engine *e, uint32_t g)
{
	size_t n;
	const uint32_t *members = group_members(e->setup.map, g, &n);
	struct buf b = {0};
	buf_char(&b, '{');
	for (size_t i = 0; i < n && i < 5; i++) {
		buf_str(&b, i > 0 ? ", " : "");
		buf_adds(&b, service_id(e->setup.map, members[i]));
	}
	if (n > 5)
		buf_printf(&b, ", %zu more", n - 5);
	buf_char(&b, '}');
	buf_cstr(&b);
	return b.p;
}

static void group_reason(struct search *st, const struct candidate *c, struct buf *b)
{
	uint32_t g = (uint32_t)c->group;
	size_t n, up = 0;
	const uint32_t *members = group_members(st->e->setup.map, g, &n);
	bool *down = arena_array(st->e->scratch, n + 1, sizeof *down);
	for (size_t i = 0; i < n; i++) {
		down[i] = bad_then(st, node_of_service(st->e, members[i]));
		up += !down[i];
	}
	unsigned need = group_at_least(st->e->setup.map, g);
	uint32_t last = tipped(st, members, down, n, n - need + 1);
	char *name = group_text(st->e, g);
	buf_printf(b, "via broken group %s (%zu of %zu up, need %u", name, up, n, need);
	if (last != SERVICE_NONE)
		buf_printf(b, "; last lost " SLICE_FMT, SLICE_ARG(service_id(st->e->setup.map, last)));
	buf_char(b, ')');
	free(name);
}

static char *reason(struct search *st, const struct candidate *c)
{
	const struct episode *u = c->ep;
	struct buf b = {0};
	if (c->learned)
		buf_printf(&b, "its log line names %s (learned edge, please confirm)", u->node->id);
	else if (c->link)
		buf_printf(&b, "link of the dead %s", u->node->id);
	else if (c->group != NO_GROUP)
		group_reason(st, c, &b);
	else
		buf_printf(&b, "depends on %s (%d hop%s, %s)", u->node->id, c->hops, c->hops == 1 ? "" : "s",
		           c->soft ? "soft" : "hard");
	duration apart = st->ep->on - u->on;
	buf_printf(&b, ", %s %s ", u->node->id, level_word(u->level));
	if (apart / SECOND == 0) {
		buf_str(&b, "at the same time");
	} else {
		duration_format((apart < 0 ? -apart : apart) / SECOND * SECOND, &b);
		buf_str(&b, apart > 0 ? " earlier" : " later");
	}
	buf_cstr(&b);
	return b.p;
}

/* ---- result */

void parent_set(struct engine *e, struct episode *ep, struct episode *parent, char *why)
{
	BUG_ON(parent == ep);
	free(ep->reason);
	ep->reason = why;
	if (ep->parent == parent)
		return;
	uint32_t on = ep->off == INSTANT_NONE;
	if (ep->parent != NULL) {
		LIST_REMOVE(ep, sibling);
		BUG_ON(ep->parent->kids_on < on);
		ep->parent->kids_on -= on;
		silent_leave(e, ep->parent);
	}
	ep->parent = parent;
	if (parent != NULL) {
		LIST_INSERT_HEAD(&parent->kids, ep, sibling);
		parent->kids_on += on;
	}
	silent_top(e, ep);
	for (size_t k = 0; k < ep->n_alerts;
	     k++) /* their rows name the cause; what is history stays as it was */
		if (parent != NULL || ep->alerts[k]->state != ALERT_CLOSED)
			alert_touch(e, ep->alerts[k]);
}

static void joined(struct engine *e, struct episode *ep)
{
	const struct episode *u = ep->parent;
	struct incident *i = ep->incident;
	if (i == NULL)
		return; /* the line comes when it gets an incident */
	incident_log(e, i, "cause", "%s <- %s: %s", ep->node->id, u->node->id, ep->reason);
}

/* It was put below its parent as below a silent cause, and that has spoken since. */
static bool guessed(const struct episode *ep)
{
	const struct episode *v = ep->parent;
	return v->proven > 0 && v->inference != NULL && ep->reason != NULL && strcmp(ep->reason, v->inference) == 0;
}

void parent_search(struct engine *e, struct episode *ep)
{
	struct search st;
	BUG_ON(ep->risk);
	if (!ep->real || ep->pinned || (ep->incident != NULL && ep->incident->state == INCIDENT_CLOSED))
		return;
	begin(&st, e, ep);
	free(ep->runner_up);
	free(ep->held_by);
	free(ep->held);
	ep->runner_up = ep->held_by = ep->held = NULL;
	walk(&st);
	if (st.has_next)
		ep->runner_up =
		    xasprintf("%s (cost %d.%d, against %d.%d)", st.next.ep->node->id, st.next.cost / 10,
		              st.next.cost % 10, st.best.cost / 10, st.best.cost % 10);
	if (ep->incident != NULL && ep->incident->root == ep)
		incident_dirty(e->correlation, ep->incident); /* its row names what was next best */
	struct episode *parent = st.has_best ? st.best.ep : NULL;
	ep->cost = st.has_best ? st.best.cost : 0;
	ep->lateral = parent == NULL && st.aside.ep != NULL;
	if (ep->lateral)
		parent = st.aside.ep;
	silent_top(e, ep);
	if (parent == NULL && ep->parent != NULL && keeps(&st, ep->parent))
		return; /* what was inferred stands until something better is known */
	if (parent == ep->parent && parent != NULL && !guessed(ep))
		return; /* the words of the first finding stay */
	bool moved = parent != ep->parent;
	char *why = ep->lateral      ? lateral_reason(e, ep, &st.aside)
	            : parent != NULL ? reason(&st, &st.best)
	                             : NULL;
	parent_set(e, ep, parent, why);
	if (!moved)
		return;
	for (size_t k = 0; k < ep->n_alerts; k++)
		alert_touch(e, ep->alerts[k]);
	if (parent != NULL && st.has_best && st.best.learned)
		suggest_named(e, ep, parent);
	else if (ep->lateral)
		suggest_together(e, ep, parent);
	if (parent != NULL)
		joined(e, ep);
	if (!ep->moved)
		forest_move(e->correlation, ep);
}

size_t parent_trace(struct engine *e, const struct episode *ep, const struct incident *of,
                    void (*line)(void *arg, const char *text), void *arg)
{
	struct search st;
	struct trace t = {.of = of, .line = line, .arg = arg};
	struct episode *me = hmap_get(e->correlation->episode_by, key_u64(&ep->serial));
	BUG_ON(me != ep);
	begin(&st, e, me);
	st.watch_only = true;
	st.trace = &t;
	walk(&st);
	return t.met;
}

void parent_watch(struct engine *e, struct episode *ep)
{
	struct search st;
	if (!ep->real || ep->risk || ep->pinned)
		return;
	begin(&st, e, ep);
	st.watch_only = true;
	walk(&st);
}
