/* Promises what an incident hurts, how urgent it is and what it is called (correlation.md section 4: Name,
 * Impact), and that both only rise while its root stands. Must not know states or tickets. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { RENDERED_MAX = 800 }; /* octets: 200 characters of any script */

/* ---- hurt services */

void hurts_free(struct incident *i)
{
	for (size_t k = 0; k < i->n_hurts; k++)
		free(i->hurts[k].service);
	free(i->hurts);
	i->hurts = NULL;
	i->n_hurts = 0;
}

void hurt_add(struct incident *i, struct slice service, int tier, enum effect effect, instant since)
{
	BUG_ON(tier < 1 || tier > 4 || effect < EFFECT_DEGRADED);
	for (size_t k = 0; k < i->n_hurts; k++) {
		if (!slice_is(service, i->hurts[k].service))
			continue;
		i->hurts_moved = i->hurts_moved || i->hurts[k].effect < effect;
		i->hurts[k].effect = MAX(i->hurts[k].effect, effect);
		i->hurts[k].since = MIN(i->hurts[k].since, since);
		return;
	}
	i->hurts = xreallocarray(i->hurts, i->n_hurts + 1, sizeof *i->hurts);
	i->hurts_moved = true;
	i->hurts[i->n_hurts++] =
	    (struct hurt){.service = slice_dup(service), .tier = tier, .effect = effect, .since = since};
}

/* Worst first: the tier, then what happened, then the name. */
static int worse(const void *a, const void *b)
{
	const struct hurt *x = a, *y = b;
	if (x->tier != y->tier)
		return x->tier - y->tier;
	if (x->effect != y->effect)
		return x->effect > y->effect ? -1 : 1;
	return strcmp(x->service, y->service);
}

/* ---- propagation */

static bool predicts_nothing(const struct engine *e, const struct incident *i)
{
	const struct episode *root = i->root;
	if (root == NULL || root->risk || root->node->service == SERVICE_NONE)
		return true;
	if (episode_said(root) == LEVEL_DOWN || i->tally.episodes_main > 1)
		return false;
	enum service_kind k = service_kind(e->setup.map, root->node->service);
	return service_tier(e->setup.map, root->node->service) == 0 && k != KIND_SERVICE && k != KIND_DB;
}

static void predict(struct engine *e, struct incident *i)
{
	struct blast b = blast_new(e);
	i->predict_due = false;
	if (predicts_nothing(e, i))
		return;
	i->predicted_level = episode_said(i->root);
	blast_from(&b, i->root->node->service, i->predicted_level);
	for (size_t k = 0; k < b.n; k++) {
		uint32_t s = b.d->list[k];
		int tier = service_tier(b.m, s);
		if (tier > 0)
			hurt_add(i, service_id(b.m, s), tier,
			         b.d->level[s] == LEVEL_DOWN ? EFFECT_DOWN : EFFECT_DEGRADED, i->root->on);
	}
	blast_clear(&b);
}

static enum effect hurt_of(const struct incident *i, struct slice service)
{
	for (size_t k = 0; k < i->n_hurts; k++)
		if (slice_is(service, i->hurts[k].service))
			return i->hurts[k].effect;
	return EFFECT_NONE;
}

/* A business service that says itself that it is hurt; returns whether that is more than was known. */
bool impact_evidence(struct engine *e, struct incident *i, const struct episode *ep)
{
	const struct service_map *m = e->setup.map;
	uint32_t s = ep->node->service;
	enum effect effect = episode_said(ep) == LEVEL_DOWN ? EFFECT_DOWN : EFFECT_DEGRADED;
	if (i->root == ep && episode_said(ep) > i->predicted_level)
		i->predict_due = true;
	if (ep->risk || s == SERVICE_NONE || service_tier(m, s) == 0 || silent_only(ep))
		return false;
	bool more = hurt_of(i, service_id(m, s)) < effect;
	hurt_add(i, service_id(m, s), service_tier(m, s), effect, ep->on);
	return more;
}

/* ---- priority, names */

const char *impact_word(const struct incident *i)
{
	if (i->n_hurts == 0 || i->hurts[0].tier > 2)
		return "low";
	return i->hurts[0].tier == 1 ? "high" : "medium";
}

const char *urgency_word(const struct incident *i)
{
	if (i->n_hurts == 0)
		return "low";
	return i->hurts[0].effect == EFFECT_DOWN ? "high" : "medium";
}

static int priority_of(const struct engine *e, const struct incident *i)
{
	const struct priority_row *rows = e->setup.config->priority;
	int best = rows[0].down;
	if (i->fixed_priority > 0)
		return i->fixed_priority;
	for (size_t k = 0; k < i->n_hurts; k++) {
		const struct priority_row *r = &rows[i->hurts[k].tier];
		best = MIN(best, i->hurts[k].effect == EFFECT_DOWN ? r->down : r->degraded);
	}
	return best;
}

static void set_text(char **to, char *text)
{
	free(*to);
	*to = text;
}

static void set_rendered(const struct engine *e, const struct incident *i, char **to, const char *text)
{
	struct buf b = {0};
	text_expand(e, i, text, &b);
	struct slice s = text_clean(e->scratch, (struct slice){b.n > 0 ? b.p : "", b.n}, RENDERED_MAX);
	set_text(to, slice_dup(s));
	buf_free(&b);
}

/* A redundancy that the root belongs to and that holds without it; NULL. */
static char *redundancy(const struct engine *e, const struct incident *i)
{
	const struct service_map *m = e->setup.map;
	const struct derived *d = &e->correlation->derived;
	if (i->root == NULL || i->root->risk || i->root->node->service == SERVICE_NONE)
		return NULL;
	size_t n, members;
	const uint32_t *groups = service_groups(m, i->root->node->service, &n);
	for (size_t k = 0; k < n; k++) {
		if (derived_group_broken(e, groups[k]))
			continue;
		group_members(m, groups[k], &members);
		char *name = group_text(e, groups[k]);
		char *text = xasprintf("redundancy holds: %s %zu of %zu left", name,
		                       members - d->down.group_in[groups[k]], members);
		free(name);
		return text;
	}
	return NULL;
}

static char *topology_title(const struct incident *i, const struct alert *a)
{
	const struct episode *root = i->root;
	const char *state = root != NULL ? level_word(episode_said(root)) : "down";
	if (root != NULL && root->risk)
		return xasprintf("%s at risk: %s", i->root_id,
		                 a != NULL && a->summary != NULL ? a->summary : "");
	if (i->n_hurts > 0)
		return xasprintf("%s %s: %s", i->hurts[0].service, effect_word(i->hurts[0].effect),
		                 i->root_id);
	if (i->holds != NULL)
		return xasprintf("%s %s (%s)", i->root_id, state, i->holds);
	return xasprintf("%s %s", i->root_id, state);
}

static void name_title(const struct engine *e, struct incident *i, const struct alert *a)
{
	set_text(&i->holds, i->group == GROUP_TOPOLOGY && i->n_hurts == 0 ? redundancy(e, i) : NULL);
	if (a != NULL && a->title != NULL)
		set_rendered(e, i, &i->title, a->title);
	else if (i->group == GROUP_TOPOLOGY)
		set_text(&i->title, topology_title(i, a));
	else
		set_text(&i->title, xstrdup(a != NULL && a->summary != NULL ? a->summary : i->root_id));
}

static void name_root(struct incident *i, const struct alert *a)
{
	if (i->group == GROUP_TOPOLOGY) {
		if (i->root != NULL)
			set_text(&i->root_id, xstrdup(i->root->node->id));
		else if (i->root_id == NULL)
			i->root_id = xstrdup("(unknown)");
	} else if (i->root_id == NULL) {
		const char *id = a->service != NULL ? a->service : a->host != NULL ? a->host : a->rule_id;
		i->root_id = xstrdup(id);
	}
	if (a != NULL)
		set_text(&i->class_id, xstrdup(a->rule_id));
}

static void name_assign(const struct engine *e, struct incident *i, const struct alert *a)
{
	const struct service_map *m = e->setup.map;
	if (a != NULL && a->assign != NULL) {
		set_rendered(e, i, &i->assign, a->assign);
		if (i->assign != NULL && i->assign[0] != '\0')
			return;
	}
	uint32_t s = service_find(m, slice_str(i->root_id));
	struct slice of_root = s != SERVICE_NONE ? service_text(m, s, "assign") : SLICE_NONE;
	const struct ticket_config *t = outbox_config(e, i->destination != NULL ? i->destination : "default");
	if (of_root.n > 0)
		set_text(&i->assign, slice_dup(of_root));
	else
		set_text(&i->assign,
		         t != NULL && t->assign != NULL && t->assign[0] != '\0' ? xstrdup(t->assign) : NULL);
}

void impact_review(struct engine *e, struct incident *i)
{
	const struct alert *a = incident_decider(i);
	const struct rule *r = a != NULL ? alert_rule(e, a) : NULL;
	if (i->group != GROUP_TOPOLOGY && a == NULL)
		return;
	if (i->predict_due &&
	    i->group == GROUP_TOPOLOGY) { /* the root has changed: what the services say themselves counts */
		const struct episode *ep;
		TAILQ_FOREACH (ep, &i->episodes, in_incident)
			(void)impact_evidence(e, i, ep);
	}
	if (i->predict_due && i->group == GROUP_TOPOLOGY) {
		predict(e, i);
		candidates_elsewhere(e, i);
	}
	if (i->hurts_moved && i->n_hurts > 1)
		qsort(i->hurts, i->n_hurts, sizeof *i->hurts, worse);
	i->hurts_moved = false;
	name_root(i, a);
	int priority = priority_of(e, i), was = i->priority;
	bool rises = was > 0 && i->fixed_priority == 0 && i->person_priority == 0;
	i->priority = person_priority(i, rises ? MIN(was, priority) : priority);
	if (r != NULL)
		i->resolve = r->incident.resolve;
	name_assign(e, i, a);
	name_title(e, i, a);
	if (was > 0 && was != i->priority)
		incident_log(e, i, "priority", "P%d, it was P%d: %s", i->priority, was, i->title);
}
