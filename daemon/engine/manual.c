/* Promises that a person's word about what belongs together stands (cli.md section 2, merge and split): the
 * members move once, the log says by whom, and correlation moves them no more. Must not know how a command
 * arrived. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { PREFIX_MIN = 4 };

static char *in_words(const char *what, const char *by, const char *text)
{
	return xasprintf("%s by %s%s%s", what, by, text != NULL ? ": " : "", text != NULL ? text : "");
}

/* From now on neither a search nor a silent cause decides where it belongs. */
static void pin(struct engine *e, struct episode *ep)
{
	BUG_ON(ep->incident != NULL && incident_state_final(ep->incident->state));
	ep->pinned = true;
	silent_forget(e->correlation, ep);
	watch_drop(e, ep);
}

static void hang(struct engine *e, struct episode *ep, struct episode *under, const char *why)
{
	if (ep == under || ep->risk || under->risk || parent_is_cyclic(ep, under))
		return; /* it is pinned all the same */
	parent_set(e, ep, under, xstrdup(why));
	incident_log(e, ep->incident, "cause", "%s <- %s: %s", ep->node->id, under->node->id, why);
}

/* ---- merge */

static void move_alerts(struct engine *e, struct incident *from, struct incident *into)
{
	while (from->n_alerts > 0)
		group_move(e, from->alerts[0], from, into);
}

static void move_episodes(struct engine *e, struct incident *from, struct incident *into, const char *why)
{
	struct episode *ep;
	while ((ep = TAILQ_FIRST(&from->episodes)) != NULL) {
		bool top = ep->parent == NULL;
		incident_remove(e, ep);
		pin(e, ep);
		incident_add(e, into, ep);
		if (top && into->root != NULL)
			hang(e, ep, into->root, why);
	}
}

const char *manual_merge(struct engine *e, struct incident *from, struct incident *into, const char *by,
                         const char *text)
{
	if (from == into)
		return "not possible: it is the same incident";
	if ((from->group == GROUP_TOPOLOGY) != (into->group == GROUP_TOPOLOGY))
		return "not possible: one of them is grouped by the map, the other by its rule";
	if (into->state != INCIDENT_GATHERING && !incident_state_live(into->state))
		return arena_printf(e->scratch, "not possible: %s is %s", into->id_text,
		                    incident_state_word(into->state));
	if (into->state == INCIDENT_GATHERING && from->state != INCIDENT_GATHERING)
		return "not possible: the other one has not opened yet; merge it into this one";
	if (incident_is_risk(into) && !incident_is_risk(from))
		return "not possible: the other one is only a risk; merge it into this one";
	char *why = in_words("merged", by, text),
	     *whole = xasprintf("merged into %s by %s%s%s", into->id_text, by, text != NULL ? ": " : "",
	                        text != NULL ? text : "");
	bool silently = from->state == INCIDENT_GATHERING;
	if (from->group == GROUP_TOPOLOGY)
		move_episodes(e, from, into, why);
	else
		move_alerts(e, from, into);
	into->predict_due = true;
	incident_merge(e, from, into, whole);
	if (silently)
		incident_log(e, into, "merged", "incident %s joined: %s", from->id_text, whole);
	incident_touch(e, into);
	free(why);
	free(whole);
	return NULL;
}

/* ---- split */

struct split {
	struct engine *e;
	struct incident *from, *to;
	const char *why;
	struct alert **alerts; /* in scratch */
	size_t n;
};

static struct alert *alert_of(const struct incident *i, struct slice prefix, const char **error)
{
	struct alert *hit = NULL;
	const struct episode *ep;
	char id[27];
	if (prefix.n < PREFIX_MIN || prefix.n > 26) {
		*error = "the id of an alert needs four characters at least";
		return NULL;
	}
	for (size_t k = 0; k < i->n_alerts; k++) {
		ulid_text(&i->alerts[k]->id, id);
		if (!slice_ieq(prefix, slice_of(id, prefix.n)))
			continue;
		*error = hit != NULL ? "more than one of its alerts has an id that begins so" : *error;
		hit = i->alerts[k];
	}
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		for (size_t k = 0; k < ep->n_alerts; k++) {
			ulid_text(&ep->alerts[k]->id, id);
			if (!slice_ieq(prefix, slice_of(id, prefix.n)))
				continue;
			*error =
			    hit != NULL ? "more than one of its alerts has an id that begins so" : *error;
			hit = ep->alerts[k];
		}
	if (hit == NULL)
		*error = "the incident has no such alert; they are shown by: carillonctl incidents show";
	return *error == NULL ? hit : NULL;
}

static const char *read_alerts(struct split *s, const struct json *list)
{
	const char *error = NULL;
	size_t max = list != NULL && list->kind == JSON_ARRAY ? list->n : 0;
	s->alerts = arena_array(s->e->scratch, max + 1, sizeof(struct alert *));
	for (const struct json *j = max > 0 ? list->first : NULL; j != NULL; j = j->next) {
		struct alert *a = alert_of(s->from, json_text(j), &error);
		if (a == NULL)
			return error;
		s->alerts[s->n++] = a;
	}
	return s->n > 0 ? NULL : "name the alerts that do not belong to it";
}

static bool leaves(const struct episode *ep)
{
	return ep->leaving;
}

/* What is explained by something that leaves goes along, unless the root itself is taken out. */
static void mark(struct split *s)
{
	struct episode *ep;
	bool root = false;
	for (size_t k = 0; k < s->n; k++) {
		s->alerts[k]->episode->leaving = true;
		root = root || s->alerts[k]->episode == s->from->root;
	}
	for (bool more = !root; more;) {
		more = false;
		TAILQ_FOREACH (ep, &s->from->episodes, in_incident)
			if (!leaves(ep) && ep->parent != NULL && leaves(ep->parent))
				ep->leaving = more = true;
	}
}

static void unmark(struct incident *i)
{
	struct episode *ep;
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		ep->leaving = false;
}

/* The rest without its root: the oldest of what it explained stands for it, and keeps the others. */
static void new_root(struct split *s)
{
	struct engine *e = s->e;
	struct episode *ep, *root = NULL;
	TAILQ_FOREACH (ep, &s->from->episodes, in_incident) {
		if (leaves(ep) || (ep->parent != NULL && !leaves(ep->parent)))
			continue;
		bool better = root == NULL || (root->risk && !ep->risk) ||
		              (root->risk == ep->risk && ep->serial < root->serial);
		root = better ? ep : root;
	}
	BUG_ON(root == NULL);
	TAILQ_FOREACH (ep, &s->from->episodes, in_incident) {
		if (leaves(ep) || ep->parent == NULL || !leaves(ep->parent))
			continue;
		parent_set(e, ep, NULL, NULL);
		pin(e, ep);
		hang(e, ep, root, s->why);
	}
	forest_set_root(e, s->from, root);
}

static void take_out(struct split *s)
{
	struct engine *e = s->e;
	struct episode *ep, *next, *root = NULL;
	if (s->from->root != NULL && leaves(s->from->root))
		new_root(s);
	for (ep = TAILQ_FIRST(&s->from->episodes); ep != NULL; ep = next) {
		next = TAILQ_NEXT(ep, in_incident);
		if (!leaves(ep))
			continue;
		bool top = ep->parent == NULL || !leaves(ep->parent);
		if (top)
			parent_set(e, ep, NULL, NULL);
		incident_remove(e, ep);
		pin(e, ep);
		incident_add(e, s->to, ep);
		if (!top)
			continue;
		if (root == NULL) {
			root = ep;
			forest_set_root(e, s->to, ep);
		} else {
			hang(e, ep, root, s->why);
		}
	}
	BUG_ON(root == NULL);
	unmark(s->to);
}

static const char *split_episodes(struct split *s)
{
	mark(s);
	size_t all = s->from->tally.episodes, n = 0;
	const struct episode *ep;
	TAILQ_FOREACH (ep, &s->from->episodes, in_incident)
		n += leaves(ep);
	BUG_ON(n == 0);
	if (n < all) {
		s->to = incident_new(s->e, GROUP_TOPOLOGY);
		take_out(s);
		hurts_free(s->from); /* what left may have been what it hurt */
		s->from->priority = s->from->predicted_level = 0;
		return NULL;
	}
	unmark(s->from);
	return "not possible: that is all of it, with what these explain and what else the same components "
	       "report";
}

static const char *split_alerts(struct split *s)
{
	if (s->n >= s->from->n_alerts)
		return "not possible: that is all of it";
	s->to = incident_new(s->e, s->from->group);
	s->to->group_key = xasprintf("split\n%s", s->to->id_text);
	for (size_t k = 0; k < s->n; k++)
		if (s->alerts[k]->incident == s->from->serial)
			group_move(s->e, s->alerts[k], s->from, s->to);
	return NULL;
}

const char *manual_split(struct engine *e, struct incident *from, const struct json *alerts, const char *by,
                         const char *text, struct incident **to)
{
	struct split s = {.e = e, .from = from};
	const char *error = read_alerts(&s, alerts);
	if (error != NULL)
		return error;
	char *why = in_words("split off", by, text);
	s.why = why;
	error = from->group == GROUP_TOPOLOGY ? split_episodes(&s) : split_alerts(&s);
	if (error == NULL) {
		incident_link(s.to, from);
		incident_log(e, from, "split", "a part left for incident %s: %s", s.to->id_text, why);
		incident_log(e, s.to, "split", "it was a part of incident %s: %s", from->id_text, why);
		outbox_note(e, from, "A part of this is incident %s now: %s.", s.to->id_text, why);
		from->predict_due = true;
		if (from->state != INCIDENT_GATHERING)
			incident_open(e, s.to, why);
		incident_touch(e, from);
		*to = s.to;
	}
	free(why);
	return error;
}
