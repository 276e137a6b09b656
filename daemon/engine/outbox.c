/* Promises one ordered lane for each incident that wants a ticket (tickets.md "Delivery"): at most one
 * operation on its way, target states instead of deltas, rendered when they are sent. Must not know what an
 * answer means: outbox_result.c does. */
#include "engine/changes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum work {
	WORK_NONE,
	WORK_STRAY, /* close the ticket that is one too many */
	WORK_FIND,
	WORK_CREATE,
	WORK_GET,
	WORK_UPDATE,
	WORK_NOTE,
	WORK_ACK,
	WORK_RESOLVE,
	WORK_REOPEN,
	WORK_LINK,
	WORK_SWEEP /* does a second ticket carry the key? */
};

static enum ticket_verb verb_of(enum work w)
{
	switch (w) {
	case WORK_SWEEP:
	case WORK_FIND: return TICKET_FIND;
	case WORK_CREATE: return TICKET_CREATE;
	case WORK_GET: return TICKET_GET;
	case WORK_UPDATE: return TICKET_UPDATE;
	case WORK_NOTE: return TICKET_NOTE;
	case WORK_ACK: return TICKET_ACKNOWLEDGE;
	case WORK_STRAY:
	case WORK_RESOLVE: return TICKET_RESOLVE;
	case WORK_REOPEN: return TICKET_REOPEN;
	case WORK_LINK: return TICKET_LINK_PARENT;
	case WORK_NONE: break;
	}
	BUG_ON(true);
	return TICKET_GET;
}

/* ---- destinations */

const struct ticket_config *outbox_config(const struct engine *e, const char *destination)
{
	const struct config *c = e->setup.config;
	for (size_t i = 0; i < c->n_tickets; i++)
		if (strcmp(c->tickets[i].name, destination) == 0)
			return &c->tickets[i];
	return NULL;
}

bool outbox_wanted(const struct engine *e, const char *destination)
{
	const struct ticket_config *t = destination != NULL ? outbox_config(e, destination) : NULL;
	return t != NULL && t->profile != NULL && t->profile[0] != '\0';
}

struct destination *outbox_destination(struct correlation *c, const char *name)
{
	for (size_t i = 0; i < c->n_destinations; i++)
		if (strcmp(c->destinations[i].name, name) == 0)
			return &c->destinations[i];
	c->destinations = xreallocarray(c->destinations, c->n_destinations + 1, sizeof *c->destinations);
	struct destination *d = &c->destinations[c->n_destinations++];
	*d = (struct destination){
	    .name = xstrdup(name), .probe_at = INSTANT_NONE, .check_at = INSTANT_NONE, .poll_at = INSTANT_NONE, .down_since = INSTANT_NONE, .changes_at = INSTANT_NONE};
	return d;
}

void outbox_close(struct correlation *c)
{
	for (size_t i = 0; i < c->n_destinations; i++) {
		free(c->destinations[i].name);
		free(c->destinations[i].check_ticket);
		free(c->destinations[i].check_text);
		free(c->destinations[i].cursor);
		free(c->destinations[i].created);
		free(c->destinations[i].changes_cursor);
	}
	free(c->destinations);
	c->destinations = NULL;
	c->n_destinations = 0;
}

/* ---- lanes */

void lane_dirty(struct correlation *c, struct lane *l)
{
	if (l->dirty)
		return;
	l->dirty = true;
	l->next_dirty = c->dirty_lanes;
	c->dirty_lanes = l;
}

void lane_index_op(struct correlation *c, struct lane *l)
{
	if (l->op != 0)
		hmap_put(c->op_by, key_u64(&l->op), l);
	if (l->create != 0)
		hmap_put(c->op_by, key_u64(&l->create), l);
}

void notes_clear(struct notes *n)
{
	for (size_t i = 0; i < n->n_first; i++)
		free(n->first[i]);
	for (size_t i = 0; i < n->n_last; i++)
		free(n->last[i]);
	*n = (struct notes){0};
}

void outbox_drop(struct engine *e, struct lane *l)
{
	struct correlation *c = e->correlation;
	struct lane **at = &c->dirty_lanes;
	char id[24];
	int n = snprintf(id, sizeof id, "%llu", (unsigned long long)l->serial);
	view_gone(c, 4, slice_of(id, (size_t)n));
	while (*at != NULL && *at != l)
		at = &(*at)->next_dirty;
	if (*at == l)
		*at = l->next_dirty;
	lane_cancel(e, l);
	hmap_del(c->op_by, key_u64(&l->op));
	hmap_del(c->op_by, key_u64(&l->create));
	hmap_del(c->lane_by, key_u64(&l->serial));
	TAILQ_REMOVE(&c->lanes, l, all);
	struct lane **of = &l->incident->lane;
	while (*of != l)
		of = &(*of)->sister;
	*of = l->sister;
	notes_clear(&l->notes);
	free(l->destination);
	free(l->ticket);
	free(l->version);
	free(l->url);
	free(l->note_text);
	free(l->stray);
	free(l->error);
	free(l->assignee);
	free(l->who);
	free(l);
}

void lane_cancel(struct engine *e, struct lane *l)
{
	struct correlation *c = e->correlation;
	if (l->in_flight && e->fx != NULL)
		buf_u64(&e->fx->withdrawn, l->op);
	l->in_flight = l->probe = false;
	for (size_t i = 0; i < c->n_destinations; i++) {
		struct destination *d = &c->destinations[i];
		if (d->probing != l->serial)
			continue;
		d->probing = 0; /* else nobody would ever try again */
		engine_timer(e, MAX(d->probe_at, e->now + 1), TIMER_DESTINATION, i);
	}
}

void lane_arm(struct engine *e, struct lane *l, instant at)
{
	at = MAX(at, e->now + 1);
	if (l->wake != INSTANT_NONE && l->wake <= at && l->wake > e->now)
		return;
	l->wake = at;
	engine_timer(e, at, TIMER_LANE, l->serial);
}

/* ---- notes */

static void note_add(struct notes *n, char *text)
{
	if (n->n_first < NOTE_EDGE) {
		n->first[n->n_first++] = text;
		return;
	}
	if (n->n_last == NOTE_EDGE) {
		free(n->last[0]);
		memmove(n->last, n->last + 1, (NOTE_EDGE - 1) * sizeof(char *));
		n->n_last--;
		n->more++;
	}
	n->last[n->n_last++] = text;
}

void outbox_note(struct engine *e, struct incident *i, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	if (i->lane == NULL)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	BUG_ON(n < 0);
	for (struct lane *l = i->lane; l != NULL; l = l->sister) {
		note_add(&l->notes, xstrdup(text));
		lane_dirty(e->correlation, l);
	}
	incident_touch(e, i);
}

static char *notes_take(struct notes *n)
{
	struct buf b = {0};
	for (size_t i = 0; i < n->n_first; i++)
		buf_printf(&b, "%s\n", n->first[i]);
	if (n->more > 0)
		buf_printf(&b, "and %zu more\n", n->more);
	for (size_t i = 0; i < n->n_last; i++)
		buf_printf(&b, "%s\n", n->last[i]);
	notes_clear(n);
	buf_cstr(&b);
	return b.p;
}

/* ---- what is to be done */

static bool wants_closed(const struct incident *i)
{
	if (i->state == INCIDENT_MERGED)
		return true;
	return (i->state == INCIDENT_RESOLVED || i->state == INCIDENT_CLOSED) &&
	       (i->resolve == RESOLVE_AUTO || i->by_hand);
}

static bool wants_ack(const struct incident *i)
{
	return i->state == INCIDENT_ACKED || (i->state == INCIDENT_CLEARING && i->back == INCIDENT_ACKED);
}

static bool is_blocked(const struct lane *l, enum work w, uint64_t print)
{
	if (!l->dead || l->dead_verb != verb_of(w))
		return false;
	return w != WORK_UPDATE || l->dead_print == print;
}

static enum work unbound_work(const struct lane *l)
{
	switch (l->state) {
	case LANE_NEW: return l->incident->state == INCIDENT_MERGED ? WORK_NONE : WORK_CREATE;
	case LANE_ABSENT: return l->incident->state == INCIDENT_MERGED ? WORK_NONE : WORK_CREATE;
	case LANE_UNKNOWN: return WORK_FIND;
	case LANE_SEARCHING:
	case LANE_SENDING:
	case LANE_BOUND: break;
	}
	BUG_ON(true);
	return WORK_NONE;
}

/* Does it show another priority or root than the incident ended with? What is only counted may stay as it was. */
static bool shows_other_priority(const struct lane *l)
{
	return l->shown_priority > 0 && l->shown_priority != l->incident->priority &&
	       l->incident->state != INCIDENT_MERGED;
}

/* A person has merged it with the ticket of another incident, which is not over. */
static bool is_needed(const struct engine *e, const struct lane *l)
{
	const struct lane *o;
	if (!l->shared)
		return false;
	TAILQ_FOREACH (o, &e->correlation->lanes, all)
		if (o != l && o->state == LANE_BOUND && incident_state_live(o->incident->state) &&
		    strcmp(o->destination, l->destination) == 0 && strcmp(o->ticket, l->ticket) == 0)
			return true;
	return false;
}

/* The next operation of a lane at rest; *at: not before (INSTANT_NONE: now). */
static enum work choose_now(const struct engine *e, const struct lane *l, instant *at)
{
	const struct incident *i = l->incident;
	const struct ticket_config *t = outbox_config(e, l->destination);
	*at = l->next_at;
	if (l->state != LANE_BOUND)
		return l->dead ? WORK_NONE : unbound_work(l);
	uint64_t print = incident_fingerprint(i);
	bool closed = wants_closed(i), says = l->note_text != NULL || l->notes.n_first > 0;
	if (l->lost)
		return WORK_NONE;
	if (l->stray != NULL)
		return WORK_STRAY;
	if (l->look && !is_blocked(l, WORK_GET, print))
		return WORK_GET;
	if (l->doubt && incident_state_live(i->state))
		return WORK_GET;
	if (l->closed_there && incident_state_live(i->state))
		return is_blocked(l, WORK_REOPEN, print) ? WORK_NONE : WORK_REOPEN;
	if (l->closed_there && !(l->doubt && closed))
		return WORK_NONE;
	if (closed && shows_other_priority(l) && !is_blocked(l, WORK_UPDATE, print))
		return WORK_UPDATE; /* else the ticket would keep the priority that it had before the last minute */
	if (link_wanted(e, l) && !is_blocked(l, WORK_LINK, print))
		return WORK_LINK;
	if (closed && says && !is_blocked(l, WORK_NOTE, print))
		return WORK_NOTE;
	if (closed)
		return is_blocked(l, WORK_RESOLVE, print) || l->left || is_needed(e, l) ? WORK_NONE : WORK_RESOLVE;
	if (wants_ack(i) && !l->acked_there && !is_blocked(l, WORK_ACK, print))
		return WORK_ACK;
	enum work w = WORK_NONE;
	if (print != l->confirmed && !is_blocked(l, WORK_UPDATE, print))
		w = WORK_UPDATE;
	else if (says && !is_blocked(l, WORK_NOTE, print))
		w = WORK_NOTE;
	if (w != WORK_NONE && l->updated != INSTANT_NONE && t != NULL)
		*at = MAX(*at, l->updated + t->update_every);
	return w;
}

/* When nothing else is left: has a create that was given up made a second ticket after all? */
static enum work choose(const struct engine *e, const struct lane *l, instant *at)
{
	enum work w = choose_now(e, l, at);
	if (w != WORK_NONE || l->state != LANE_BOUND || l->sweep_at == INSTANT_NONE || l->swept || l->lost)
		return w;
	*at = MAX(*at, l->sweep_at);
	return WORK_SWEEP;
}

bool lane_busy(const struct engine *e, const struct lane *l)
{
	instant at;
	return (l->in_flight && (l->verb != TICKET_FIND || l->state != LANE_BOUND)) || l->dead || choose_now(e, l, &at) != WORK_NONE;
}

/* ---- sending */

static void number(struct engine *e, struct lane *l, enum work w)
{
	struct correlation *c = e->correlation;
	bool again = l->op != 0 && l->tries > 0 && l->verb == verb_of(w) && w != WORK_CREATE &&
	             l->straying == (w == WORK_STRAY);
	if (!again && l->op != 0 && l->op != l->create)
		hmap_del(c->op_by, key_u64(&l->op));
	if (w == WORK_CREATE) {
		if (l->create == 0)
			l->create = engine_serial(e);
		l->op = l->create;
		l->attempt = ++l->create_attempt;
	} else if (again) {
		l->attempt++;
	} else {
		l->op = engine_serial(e);
		l->attempt = 1;
	}
	l->verb = verb_of(w);
	lane_index_op(c, l);
}

static void emit(struct engine *e, const struct lane *l)
{
	const struct incident *i = l->incident;
	struct buf facts = {0}, op = {0};
	BUG_ON(e->fx == NULL);
	text_facts(e, i, l, l->note_text, &facts);
	struct ticket_op o = {
	    .id = l->op,
	    .attempt = l->attempt,
	    .verb = l->verb,
	    .priority = i->priority,
	    .destination = slice_str(l->destination),
	    .incident = slice_str(i->id_text),
	    .key = slice_str(i->key),
	    .ticket = slice_str(l->straying ? l->stray : l->ticket),
	    .facts = buf_slice(&facts),
	};
	ticket_op_encode(&o, &op);
	buf_lslice(&e->fx->ops, buf_slice(&op));
	e->fx->n_ops++;
	buf_free(&facts);
	buf_free(&op);
}

static void send(struct engine *e, struct lane *l, enum work w)
{
	BUG_ON(l->in_flight || w == WORK_NONE || l->done);
	if (l->state == LANE_BOUND)
		BUG_ON(l->ticket == NULL || w == WORK_CREATE || w == WORK_FIND);
	else
		BUG_ON(w != WORK_CREATE && w != WORK_FIND);
	if (w == WORK_NOTE && l->note_text == NULL)
		l->note_text = notes_take(&l->notes);
	if (w == WORK_FIND)
		l->state = LANE_SEARCHING;
	if (w == WORK_CREATE)
		l->state = LANE_SENDING;
	if (w == WORK_CREATE || w == WORK_UPDATE) {
		l->sending = incident_fingerprint(l->incident);
		l->sending_priority = l->incident->priority;
	}
	if (w == WORK_CREATE || w == WORK_UPDATE || w == WORK_NOTE)
		l->updated = e->now;
	if (l->dead && w == WORK_UPDATE)
		l->dead = false; /* what was refused is no longer what is wanted */
	number(e, l, w);
	l->straying = w == WORK_STRAY;
	l->in_flight = true;
	l->parked = false;
	l->next_at = INSTANT_NONE;
	lane_dirty(e->correlation, l);
	emit(e, l);
}

static void finish(struct engine *e, struct lane *l)
{
	const struct incident *i = l->incident;
	bool never = (l->state == LANE_NEW || l->state == LANE_ABSENT) && i->state == INCIDENT_MERGED;
	if (l->in_flight || (l->dead && !l->lost) || (l->state != LANE_BOUND && !never) || !incident_state_final(i->state))
		return;
	l->done = true;
	lane_dirty(e->correlation, l);
	incident_touch(e, l->incident);
}

/* The first lane that comes when the pause is over tries out whether the ticket system is back. */
void lane_probe(struct engine *e, struct destination *d, struct lane *l)
{
	d->probing = l->serial;
	l->probe = true;
	send(e, l, l->state == LANE_BOUND ? WORK_GET : WORK_FIND);
}

void outbox_run(struct engine *e, struct lane *l)
{
	instant at;
	if (l->in_flight || l->done)
		return;
	if (incident_state_live(l->incident->state))
		l->left = false;
	enum work w = choose(e, l, &at);
	if (l->shown != (w != WORK_NONE || l->dead))
		lane_dirty(e->correlation, l);
	if (w == WORK_NONE) {
		l->parked = false;
		finish(e, l);
		return;
	}
	if (at != INSTANT_NONE && e->now < at) {
		lane_arm(e, l, at);
		return;
	}
	struct destination *d = outbox_destination(e->correlation, l->destination);
	if (!outbox_proven(e, d))
		outbox_check(e, d);
	bool proven = outbox_proven(e, d);
	if (proven && d->mode == DESTINATION_UP && outbox_config(e, l->destination) != NULL) {
		send(e, l, w);
		return;
	}
	if (proven && d->mode != DESTINATION_UP && d->probing == 0 && e->now >= d->probe_at) {
		lane_probe(e, d, l);
		return;
	}
	if (!l->parked)
		lane_dirty(e->correlation, l);
	l->parked = true;
}

const char *lane_state_word(const struct lane *l)
{
	if (l->dead)
		return "dead";
	if (l->parked)
		return "held";
	if (!l->in_flight && l->tries > 0)
		return l->state == LANE_UNKNOWN ? "unknown" : "retrying";
	switch (l->state) {
	case LANE_NEW: return "new";
	case LANE_SEARCHING: return "searching";
	case LANE_SENDING: return "sending";
	case LANE_UNKNOWN: return "unknown";
	case LANE_ABSENT: return "new";
	case LANE_BOUND: return l->in_flight ? "sending" : "waiting";
	}
	BUG_ON(true);
	return "";
}

static void probe_next(struct engine *e, struct destination *d)
{
	struct lane *l, *first = NULL;
	TAILQ_FOREACH (l, &e->correlation->lanes, all)
		if (l->parked && !l->in_flight && !l->dead && !l->done && strcmp(l->destination, d->name) == 0 &&
		    (first == NULL || l->incident->priority < first->incident->priority))
			first = l;
	if (first != NULL)
		lane_probe(e, d, first);
}

void outbox_timer(struct engine *e, enum timer_kind kind, uint64_t object)
{
	struct correlation *c = e->correlation;
	if (kind == TIMER_DESTINATION) {
		struct destination *d = object < c->n_destinations ? &c->destinations[object] : NULL;
		if (d != NULL)
			outbox_check_due(e, d), poll_due(e, (size_t)object), changes_due(e, (size_t)object);
		if (d != NULL && outbox_proven(e, d) && d->mode != DESTINATION_UP && d->probing == 0 && e->now >= d->probe_at)
			probe_next(e, d);
		return;
	}
	struct lane *l = hmap_get(c->lane_by, key_u64(&object));
	if (l == NULL)
		return;
	if (l->wake != INSTANT_NONE && e->now >= l->wake)
		l->wake = INSTANT_NONE;
	outbox_run(e, l);
}
