/* Promises that what a person does to a ticket counts (tickets.md "A human's change is an input"): closed is
 * believed, won't fix stays without a ticket until it becomes worse, a priority and an assignment that were
 * set stay, a merged ticket is followed, one that is gone is told. A hint only makes the lane look: what
 * counts is the answer to a get, which stands in the order of the lane's own operations, so that our own
 * changes are never taken for somebody else's. Must not know how a hint arrived. */
#include "engine/correlate.h"

#include <stdio.h>
#include <stdlib.h>

enum { WONTFIX_MAX = 10000 };

/* Who it was, as the timeline shows it. */
struct who {
	char text[160];
};

static struct who who_of(const struct lane *l)
{
	struct who w;
	int n = snprintf(w.text, sizeof w.text, "%.80s in ticket %.60s", l->who != NULL ? l->who : "a person",
	                 l->ticket);
	BUG_ON(n < 0 || (size_t)n >= sizeof w.text);
	return w;
}

static bool says_closed(struct slice state)
{
	return slice_is(state, "resolved") || slice_is(state, "wontfix") || slice_is(state, "closed");
}

static int priority_said(struct slice s)
{
	return s.n == 2 && s.p[0] == 'P' && s.p[1] >= '1' && s.p[1] <= '5' ? s.p[1] - '0' : 0;
}

/* ---- won't fix */

static char *pair_of(const struct incident *i)
{
	return xasprintf("%s\n%s", i->root_id, i->class_id != NULL ? i->class_id : "");
}

static size_t wontfix_index(const struct correlation *c, const struct incident *i)
{
	char *pair = i->root_id != NULL ? pair_of(i) : NULL;
	size_t k = 0;
	while (pair != NULL && k < c->n_wontfix && strcmp(c->wontfix[k].pair, pair) != 0)
		k++;
	free(pair);
	return i->root_id != NULL ? k : c->n_wontfix;
}

const struct wontfix *wontfix_of(const struct engine *e, const struct incident *i)
{
	const struct correlation *c = e->correlation;
	size_t k = wontfix_index(c, i);
	return k < c->n_wontfix && incident_severity(i) <= c->wontfix[k].severity ? &c->wontfix[k] : NULL;
}

static void wontfix_drop(struct correlation *c, size_t k)
{
	BUG_ON(k >= c->n_wontfix);
	free(c->wontfix[k].pair);
	free(c->wontfix[k].ticket);
	c->n_wontfix--;
	memmove(&c->wontfix[k], &c->wontfix[k + 1], (c->n_wontfix - k) * sizeof *c->wontfix);
}

static void wontfix_take_back(struct correlation *c, struct incident *i)
{
	size_t k = wontfix_index(c, i);
	if (k < c->n_wontfix)
		wontfix_drop(c, k);
	i->wontfix = false;
}

static void wontfix_add(struct correlation *c, struct wontfix w)
{
	if (c->n_wontfix == WONTFIX_MAX)
		wontfix_drop(c, 0);
	c->wontfix = array_reserve(c->wontfix, &c->cap_wontfix, c->n_wontfix + 1, sizeof *c->wontfix);
	c->wontfix[c->n_wontfix++] = w;
}

void wontfix_close(struct correlation *c)
{
	while (c->n_wontfix > 0)
		wontfix_drop(c, c->n_wontfix - 1);
	free(c->wontfix);
	c->wontfix = NULL;
}

void wontfix_save(const struct correlation *c, struct buf *out)
{
	buf_u64(out, c->n_wontfix);
	for (size_t k = 0; k < c->n_wontfix; k++) {
		const struct wontfix *w = &c->wontfix[k];
		buf_lslice(out, slice_str(w->pair));
		buf_lslice(out, slice_str(w->ticket));
		buf_u8(out, (uint8_t)w->severity);
		buf_u64(out, (uint64_t)w->at);
	}
}

void wontfix_load(struct reader *r, struct correlation *c)
{
	uint64_t n = read_u64(r);
	for (uint64_t k = 0; k < n && r->ok; k++) {
		struct slice pair = read_lslice(r), ticket = read_lslice(r);
		unsigned severity = read_u8(r);
		instant at = (instant)read_u64(r);
		r->ok = r->ok && severity <= SEVERITY_CRITICAL && k < WONTFIX_MAX;
		if (r->ok)
			wontfix_add(c, (struct wontfix){slice_dup(pair), slice_dup(ticket),
			                                (enum severity)severity, at});
	}
}

bool person_worse(const struct incident *i)
{
	return incident_severity(i) > i->person_severity;
}

static void say_wontfix(struct engine *e, struct lane *l)
{
	struct incident *i = l->incident;
	wontfix_take_back(e->correlation, i);
	i->wontfix = true;
	i->person_severity = incident_severity(i);
	wontfix_add(e->correlation,
	            (struct wontfix){pair_of(i), xstrdup(l->ticket), i->person_severity, e->now});
	incident_log(e, i, "person", "%s: it will not be mended; no ticket for %s until it is worse than %s",
	             who_of(l).text, i->root_id, severity_word(i->person_severity));
}

/* ---- priority, assignment */

int person_priority(const struct incident *i, int priority)
{
	bool stays = i->person_priority > 0 && (i->wontfix || !person_worse(i));
	return stays ? i->person_priority : priority;
}

static void seen_priority(struct engine *e, struct lane *l, int p)
{
	struct incident *i = l->incident;
	int was = l->shown_priority;
	if (p == 0)
		return;
	l->shown_priority = p;
	if (was == 0 || p == was || p == i->priority || incident_state_final(i->state))
		return;
	incident_log(e, i, "person", "%s: priority P%d, it was P%d; that stays until the severity rises",
	             who_of(l).text, p, was);
	i->person_priority = p;
	i->person_severity = incident_severity(i);
	i->priority = p;
	incident_touch(e, i);
}

static void seen_assignee(struct engine *e, struct lane *l, struct slice s)
{
	bool known = l->assignee != NULL;
	if (s.p == NULL)
		s = SLICE(""); /* nobody has it, or the profile does not say */
	if (known && slice_is(s, l->assignee))
		return;
	struct slice clean = text_clean(e->scratch, s, 120);
	free(l->assignee);
	l->assignee = slice_dup(clean);
	if (!known)
		return;
	l->reassigned = true;
	incident_log(e, l->incident, "person", "%s: assigned to %s; that stays", who_of(l).text,
	             l->assignee[0] != '\0' ? l->assignee : "nobody");
}

/* ---- state */

static void closed_by_person(struct engine *e, struct lane *l, bool wontfix)
{
	struct incident *i = l->incident;
	if (wontfix && !incident_state_final(i->state) && !i->wontfix)
		say_wontfix(e, l);
	if (incident_state_live(i->state))
		operate_resolve(e, i, who_of(l).text, wontfix ? "won't fix" : NULL);
}

static void reopened_by_person(struct engine *e, struct lane *l)
{
	struct incident *i = l->incident;
	char *why = xasprintf("reopened by %s", who_of(l).text);
	wontfix_take_back(e->correlation, i);
	if (i->state == INCIDENT_RESOLVED && i->tally.alerts_open > 0) {
		incident_reopen(e, i, why);
	} else if (!incident_state_live(i->state)) {
		l->left = true;
		incident_log(e, i, "person", "%s: it stays open there, nothing of it is wrong any more", why);
	} else {
		incident_log(e, i, "person", "%s", why);
	}
	free(why);
}

void person_state(struct engine *e, struct lane *l, struct slice state)
{
	bool closed = says_closed(state);
	if (l->doubt) { /* it was us who closed or reopened it */
		l->doubt = false;
		/* Nobody could look: whatever is wanted is done once more, a second time does no harm. */
		l->closed_there = state.n > 0 ? closed : incident_state_live(l->incident->state);
		return;
	}
	if (slice_is(state, "acked") && !l->acked_there && l->incident->state == INCIDENT_OPEN) {
		l->acked_there = true;
		operate_ack(e, l->incident, who_of(l).text, NULL);
	}
	if (state.n == 0 || closed == l->closed_there)
		return;
	l->closed_there = closed;
	if (closed)
		closed_by_person(e, l, slice_is(state, "wontfix"));
	else
		reopened_by_person(e, l);
}

/* ---- merged, gone */

static void share(struct correlation *c, struct lane *l)
{
	struct lane *o;
	TAILQ_FOREACH (o, &c->lanes, all) {
		if (o == l || o->ticket == NULL || strcmp(o->ticket, l->ticket) != 0 ||
		    strcmp(o->destination, l->destination) != 0)
			continue;
		o->shared = l->shared = true;
	}
}

static void rebind(struct engine *e, struct lane *l, struct slice id)
{
	char *was = l->ticket;
	incident_log(e, l->incident, "person", "%s: merged into ticket " SLICE_FMT ", which is followed now",
	             who_of(l).text, SLICE_ARG(id));
	l->ticket = slice_dup(id);
	free(was);
	free(l->version);
	free(l->url);
	l->version = l->url = NULL;
	l->shown_priority = 0;
	free(l->assignee);
	l->assignee = NULL;
	share(e->correlation, l);
	incident_touch(e, l->incident);
}

static void gone(struct engine *e, struct lane *l)
{
	char *why = xasprintf("deleted by %s", who_of(l).text);
	l->lost = true;
	l->sending = incident_fingerprint(l->incident);
	lane_dead(e, l, TICKET_CLASS_GONE, why);
	free(why);
}

void person_seen(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	struct ticket_seen s;
	struct slice rest = r->records;
	BUG_ON(l->ticket == NULL);
	l->look = false;
	if (!ticket_seen_next(&rest, &s))
		s = (struct ticket_seen){.id = r->ticket, .state = r->state};
	if (s.merged_into.n > 0 && !slice_is(s.merged_into, l->ticket)) {
		rebind(e, l, s.merged_into);
		l->look = true; /* its state is another one's now */
		return;
	}
	if (s.id.n > 0 && !slice_is(s.id, l->ticket))
		rebind(e, l, s.id);
	if (slice_is(s.state, "gone")) {
		gone(e, l);
		return;
	}
	seen_priority(e, l, priority_said(s.priority));
	seen_assignee(e, l, s.assignee);
	person_state(e, l, s.state);
	free(l->who);
	l->who = NULL;
}

/* ---- hints */

static bool is_news(const struct lane *l, const struct ticket_seen *s)
{
	int priority = priority_said(s->priority);
	if (s->merged_into.n > 0 || slice_is(s->state, "gone"))
		return true;
	if (s->state.n > 0 && says_closed(s->state) != l->closed_there)
		return true;
	if (slice_is(s->state, "acked") && !l->acked_there && l->incident->state == INCIDENT_OPEN)
		return true;
	if (priority > 0 && l->shown_priority > 0 && priority != l->shown_priority)
		return true;
	return l->assignee != NULL && !slice_is(s->assignee.p != NULL ? s->assignee : SLICE(""), l->assignee);
}

void person_hint(struct engine *e, struct lane *l, const struct ticket_seen *s, bool always)
{
	if (l->state != LANE_BOUND || l->done || l->lost)
		return;
	if (!always && l->assignee == NULL &&
	    s->state.n > 0) /* the first look: who had it from the beginning */
		seen_assignee(e, l, s->assignee);
	if (!always && !is_news(l, s))
		return;
	if (s->changed_by.n > 0) {
		free(l->who);
		l->who = slice_dup(text_clean(e->scratch, s->changed_by, 80));
	}
	l->look = true;
	lane_dirty(e->correlation, l);
	incident_touch(e, l->incident);
}
