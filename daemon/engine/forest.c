/* Promises that a tree of episodes is one incident (correlation.md section 4): after parents have changed,
 * who moves where, which incident goes on, which merge into it, which are new. Only the trees that changed
 * are walked. Must not know when an incident opens or closes. */
#include "engine/correlate.h"

#include <stdlib.h>

struct move {
	struct episode *ep, *top;
};

struct batch { /* what belongs to one top now and may come from elsewhere */
	struct episode **v;
	size_t n, cap;
	bool on; /* one of them still runs */
};

struct episode *episode_top(struct episode *ep)
{
	while (ep->parent != NULL)
		ep = ep->parent;
	return ep;
}

const struct episode *episode_top_of(const struct episode *ep)
{
	while (ep->parent != NULL)
		ep = ep->parent;
	return ep;
}

void forest_move(struct correlation *c, struct episode *ep)
{
	BUG_ON(ep->moved);
	c->moved = array_reserve(c->moved, &c->cap_moved, c->n_moved + 1, sizeof(struct episode *));
	c->moved[c->n_moved++] = ep;
	ep->moved = true;
}

static void batch_add(struct batch *b, struct episode *ep)
{
	if (ep->gathered)
		return;
	ep->gathered = true;
	b->v = array_reserve(b->v, &b->cap, b->n + 1, sizeof(struct episode *));
	b->v[b->n++] = ep;
	b->on = b->on || ep->off == INSTANT_NONE;
}

static void batch_tree(struct batch *b, struct episode *ep)
{
	struct episode *kid;
	size_t at = b->n;
	batch_add(b, ep);
	for (; at < b->n; at++)
		LIST_FOREACH (kid, &b->v[at]->kids, sibling)
			batch_add(b, kid);
}

static int by_serial(const void *a, const void *b)
{
	const struct episode *const *x = a, *const *y = b;
	return ((*x)->serial > (*y)->serial) - ((*x)->serial < (*y)->serial);
}

static int by_top(const void *a, const void *b)
{
	const struct move *x = a, *y = b;
	if (x->top != y->top)
		return x->top->serial > y->top->serial ? 1 : -1;
	return (x->ep->serial > y->ep->serial) - (x->ep->serial < y->ep->serial);
}

/* ---- which incident goes on */

static bool can_take(struct incident *i, const struct episode *top)
{
	if (i == NULL || incident_state_final(i->state) || i->group != GROUP_TOPOLOGY)
		return false;
	if (i->root == NULL)
		return false;
	if (silent_only(i->root) && LIST_EMPTY(&i->root->kids))
		return true; /* nobody believes in its root any more */
	return episode_top(i->root) == top || (i->root->node == top->node && i->root->risk == top->risk);
}

static bool preferred(const struct incident *a, const struct incident *b, const struct episode *top)
{
	bool a_open = a->state != INCIDENT_GATHERING, b_open = b->state != INCIDENT_GATHERING;
	bool a_root = a->root->node == top->node, b_root = b->root->node == top->node;
	if (a_open != b_open)
		return a_open;
	if (a_root != b_root)
		return a_root;
	if (a->tally.episodes != b->tally.episodes)
		return a->tally.episodes > b->tally.episodes;
	return a->serial < b->serial;
}

/* The same node fails again while its last failure is still an open matter. */
static struct incident *continued(const struct episode *top)
{
	for (size_t k = top->risk ? 0 : top->node->n_recent; k-- > 0;) {
		const struct episode *u = top->node->recent[k];
		struct incident *i = u != top ? u->incident : NULL;
		if (i == NULL || i->root == NULL || i->root->node != top->node)
			continue;
		if (i->state == INCIDENT_GATHERING || incident_state_live(i->state))
			return i;
	}
	return NULL;
}

/* It is about to open, and another one with its root is open already: true, and its tree goes there. */
bool forest_joins(struct engine *e, const struct incident *i)
{
	struct episode *root = i->root;
	if (i->group != GROUP_TOPOLOGY || root == NULL || root->risk || root->pinned ||
	    root->parent != NULL || root->incident != i)
		return false;
	const struct incident *same = continued(root);
	if (same == NULL || same == i || !incident_state_live(same->state))
		return false;
	if (!root->moved)
		forest_move(e->correlation, root);
	return true;
}

static struct incident *choose(const struct batch *b, struct episode *top)
{
	struct incident *best = can_take(top->incident, top) ? top->incident : NULL;
	for (size_t k = 0; k < b->n; k++) {
		struct incident *i = b->v[k]->incident;
		if (i != best && can_take(i, top) && (best == NULL || preferred(i, best, top)))
			best = i;
	}
	/* an incident that has this root already goes before the one that only now finds it */
	struct incident *same = best != NULL ? continued(top) : NULL;
	if (same == NULL || same == best)
		return best;
	bool revives = best->state == INCIDENT_RESOLVED && incident_state_live(same->state);
	return revives || preferred(same, best, top) ? same : best;
}

static struct incident *begin(struct engine *e, const struct episode *top)
{
	const struct incident *before = incident_before(e->correlation, top->node->id, top->risk);
	struct incident *i = continued(top);
	if (i != NULL)
		return i;
	i = incident_reopenable(e, top->node->id, top->risk);
	if (i != NULL) {
		incident_reopen(e, i, "the same root fails again");
		return i;
	}
	suggest_top(e, top);
	i = incident_new(e, GROUP_TOPOLOGY);
	incident_link(i, before);
	return i;
}

/* ---- moving */

struct moved_from { /* incidents that lost episodes to this tree */
	struct incident **v;
	size_t n, cap;
};

static void remember(struct moved_from *f, struct incident *i)
{
	if (i->losing)
		return;
	i->losing = true;
	f->v = array_reserve(f->v, &f->cap, f->n + 1, sizeof(struct incident *));
	f->v[f->n++] = i;
}

static void retire(struct engine *e, struct incident *from, struct incident *into, const struct episode *top)
{
	if (incident_state_final(from->state))
		return; /* it never opened, and its history stays what it was */
	struct episode *last = from->tally.episodes == 1 ? TAILQ_FIRST(&from->episodes) : NULL;
	if (last != NULL && silent_only(last) && LIST_EMPTY(&last->kids))
		incident_remove(e, last); /* a guess alone keeps nothing */
	if (from->tally.episodes > 0) {
		incident_log(e, from, "split", "a part left: it is explained by %s, incident %s",
		             top->node->id, into->id_text);
		outbox_note(e, from, "Part of this is explained by %s now and went to incident %s.",
		            top->node->id, into->id_text);
		incident_touch(e, from);
		return;
	}
	char *why = xasprintf("merged into %s because %s, upstream of both, is now known %s", into->id_text,
	                      top->node->id, level_word(top->level));
	incident_merge(e, from, into, why);
	free(why);
}

static void move_one(struct engine *e, struct episode *ep, struct incident *to, struct moved_from *from)
{
	struct incident *was = ep->incident;
	if (was == to)
		return;
	if (was != NULL) {
		incident_remove(e, ep);
		remember(from, was);
	}
	incident_add(e, to, ep);
}

void forest_set_root(struct engine *e, struct incident *i, struct episode *top)
{
	if (i->root == top)
		return;
	bool same_node = i->root != NULL && i->root->node == top->node;
	if (same_node && i->root->parent == NULL && i->root->serial > top->serial)
		return; /* of two spells of one node the later one counts */
	if (i->root != NULL && !same_node) {
		incident_log(e, i, "root", "root is now %s, it was %s", top->node->id, i->root->node->id);
		outbox_note(e, i, "The root is %s now, it was %s.", top->node->id, i->root->node->id);
	}
	i->root = top;
	if (!same_node) {
		hurts_free(i);
		i->priority = 0;
		i->predicted_level = 0;
	}
	i->predict_due = true;
	incident_touch(e, i);
}

static void place(struct engine *e, struct batch *b, struct episode *top)
{
	if (top->incident == NULL || incident_state_final(top->incident->state))
		batch_tree(b, top);
	struct incident *to = choose(b, top);
	if (to == NULL && !b->on)
		return; /* what is over stays where it was */
	if (to == NULL)
		to = begin(e, top);
	if (top->incident != to)
		batch_tree(b, top);
	struct moved_from from = {0};
	qsort(b->v, b->n, sizeof(struct episode *), by_serial);
	forest_set_root(e, to, top);
	for (size_t k = 0; k < b->n; k++)
		move_one(e, b->v[k], to, &from);
	for (size_t k = 0; k < from.n; k++) {
		from.v[k]->losing = false;
		retire(e, from.v[k], to, top);
	}
	free(from.v);
}

/* An incident that is closed by hand keeps its running episodes until something new fails; what a person has
 * put somewhere stays there. */
static bool is_bound(const struct episode *ep)
{
	const struct incident *i = ep->incident;
	return i != NULL && (i->state == INCIDENT_CLOSED || (ep->pinned && !incident_state_final(i->state)));
}

void forest_regroup(struct engine *e)
{
	struct correlation *c = e->correlation;
	size_t n = 0;
	struct move *v = c->n_moved > 0 ? xcalloc(c->n_moved, sizeof *v) : NULL;
	for (size_t k = 0; k < c->n_moved; k++) {
		struct episode *ep = c->moved[k];
		if (ep == NULL)
			continue;
		ep->moved = false;
		if (!is_bound(ep))
			v[n++] = (struct move){ep, episode_top(ep)};
	}
	c->n_moved = 0;
	if (n > 1)
		qsort(v, n, sizeof *v, by_top);
	for (size_t k = 0; k < n;) {
		struct batch b = {0};
		struct episode *top = v[k].top;
		for (; k < n && v[k].top == top; k++)
			batch_tree(&b, v[k].ep);
		place(e, &b, top);
		for (size_t j = 0; j < b.n; j++)
			b.v[j]->gathered = false;
		free(b.v);
	}
	free(v);
}
