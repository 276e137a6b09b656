/* Promises that each answer of a ticket system, each lost one and each restart leaves a lane in a state from
 * which exactly one ticket follows (tickets.md "Delivery"). Must not know profiles or HTTP. */
#include "engine/changes.h"

#include <stdlib.h>

enum { FIND_SETTLE = 2, AUTH_PROBE = 60, GONE_MAX = 2, SWEEP_AFTER = 120 };

/* How long a ticket that was made may stay unseen by a search: the profile knows. */
static duration settle(const struct ticket_config *t)
{
	return t != NULL && t->settle > 0 ? t->settle : FIND_SETTLE * SECOND;
}

static void set_slice(char **to, struct slice s)
{
	free(*to);
	*to = s.n > 0 ? slice_dup(s) : NULL;
}

static void keep_slice(char **to, struct slice s)
{
	if (s.n > 0)
		set_slice(to, s);
}

/* ---- destinations */

static size_t destination_index(const struct correlation *c, const struct destination *d)
{
	return (size_t)(d - c->destinations);
}

static void destination_stop(struct engine *e, struct destination *d, enum destination_mode mode,
                             duration pause)
{
	if (d->mode != mode)
		engine_notice(e, LOG_LEVEL_WARNING, "destination=%s state=%s pause_s=%lld", d->name,
		              mode == DESTINATION_PAUSED ? "paused" : "broken", (long long)(pause / SECOND));
	d->mode = mode;
	d->probe_at = e->now + pause;
	size_t k = destination_index(e->correlation, d);
	engine_timer(e, d->probe_at, TIMER_DESTINATION, k);
	own_broken(e, k);
}

void outbox_kick(struct engine *e, const char *destination)
{
	struct lane *l, *next;
	for (l = TAILQ_FIRST(&e->correlation->lanes); l != NULL; l = next) {
		next = TAILQ_NEXT(l, all);
		if (!l->parked || strcmp(l->destination, destination) != 0)
			continue;
		l->parked = false;
		lane_dirty(e->correlation, l);
		outbox_run(e, l);
	}
}

static bool is_auth(const struct ticket_result *r)
{
	return r->cls == TICKET_CLASS_AUTH && r->outcome != TICKET_DONE;
}

static bool is_transient(const struct ticket_result *r)
{
	return (r->outcome == TICKET_RETRY || r->outcome == TICKET_UNCERTAIN) &&
	       (r->cls == TICKET_CLASS_TRANSIENT || r->cls == TICKET_CLASS_UNKNOWN);
}

/* Returns whether the destination has just come back. */
static bool destination_judge(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	struct destination *d = outbox_destination(e->correlation, l->destination);
	const struct ticket_config *t = outbox_config(e, l->destination);
	if (d->probing == l->serial)
		d->probing = 0;
	l->probe = false;
	if (is_auth(r)) {
		destination_stop(e, d, DESTINATION_PAUSED, AUTH_PROBE * SECOND);
		return false;
	}
	if (is_transient(r)) {
		int limit = t != NULL && t->breaker_failures > 0 ? t->breaker_failures : 5;
		if (++d->failures >= limit || d->mode != DESTINATION_UP)
			destination_stop(e, d, DESTINATION_BROKEN,
			                 t != NULL ? t->breaker_pause : AUTH_PROBE * SECOND);
		return false;
	}
	bool back = d->mode != DESTINATION_UP;
	d->failures = 0;
	d->mode = DESTINATION_UP;
	if (back) {
		engine_notice(e, LOG_LEVEL_NOTICE, "destination=%s state=up", d->name);
		own_back(e, destination_index(e->correlation, d));
	}
	return back;
}

/* ---- outcomes */

static void failed(struct lane *l, const struct engine *e, const struct ticket_result *r)
{
	if (l->since == INSTANT_NONE)
		l->since = e->now;
	l->error_class = r->cls;
	free(l->error);
	l->error = r->message.n > 0 ? slice_dup(r->message)
	                            : xasprintf("%s: %s, status %d", ticket_verb_word(r->verb),
	                                        ticket_class_word(r->cls), r->status);
}

void lane_dead(struct engine *e, struct lane *l, enum ticket_class cls, const char *why)
{
	l->dead = true;
	l->dead_verb = l->verb;
	l->dead_print = l->sending;
	l->error_class = cls;
	l->tries = 0;
	l->failing = 0;
	incident_log(e, l->incident, "ticket", "%s given up, waits for a person: %s",
	             ticket_verb_word(l->verb), why);
	engine_notice(e, LOG_LEVEL_WARNING, "inc=%s lane=%llu verb=%s class=%s dead letter: %s",
	              l->incident->id_text, (unsigned long long)l->serial, ticket_verb_word(l->verb),
	              ticket_class_word(cls), why);
}

static void stray_over(struct engine *e, struct lane *l, const char *how)
{
	incident_log(e, l->incident, "ticket", "second ticket %s: %s", l->stray, how);
	free(l->stray);
	l->stray = NULL;
	l->straying = false;
}

/* An answer names another ticket than the one that is known: two were made. The known one stays. */
static void stray_found(struct engine *e, struct lane *l, struct slice id)
{
	char *text = xasprintf("second ticket " SLICE_FMT " for this incident, made when an answer was lost",
	                       SLICE_ARG(id));
	incident_log(e, l->incident, "ticket", "%s", text);
	outbox_note(e, l->incident, "There was a %s; it is closed.", text);
	engine_notice(e, LOG_LEVEL_WARNING, "inc=%s ticket=%s %s", l->incident->id_text, l->ticket, text);
	free(text);
	if (l->stray == NULL)
		l->stray = slice_dup(id);
}

/* Full jitter under a doubling ceiling; the same op and attempt wait equally long in every replay. */
static duration backoff(const struct lane *l, const struct ticket_config *t)
{
	duration first = t != NULL && t->retry_first > 0 ? t->retry_first : SECOND;
	duration max = t != NULL && t->retry_max > 0 ? t->retry_max : 5 * MINUTE;
	duration ceiling = MIN(max, first << MIN(l->tries, 20u));
	uint64_t of[2] = {l->op, (uint64_t)l->attempt << 32 | l->tries};
	duration jitter = (duration)(hash_stable(slice_of(of, sizeof of)) % (uint64_t)ceiling);
	return MAX(jitter, first / 4);
}

static void again(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	const struct ticket_config *t = outbox_config(e, l->destination);
	duration wait = backoff(l, t), most = t != NULL && t->retry_max > 0 ? t->retry_max : 5 * MINUTE;
	l->tries++;
	if (r->retry_after > 0)
		wait = MIN(r->retry_after, most);
	if (is_auth(r))
		wait = 0; /* the pause of its destination is the wait */
	if (l->state == LANE_UNKNOWN && l->verb == TICKET_CREATE)
		wait = MAX(wait, settle(t));
	l->failing += wait;
	if (t != NULL && t->give_up > 0 && l->failing > t->give_up) {
		if (l->straying) {
			stray_over(e, l, "given up, a person must close it");
			return;
		}
		lane_dead(e, l, r->cls, l->error);
		return;
	}
	l->next_at = e->now + wait;
}

static void succeeded(struct lane *l)
{
	l->tries = 0;
	l->failing = 0;
	l->gone = 0;
	l->since = l->next_at = INSTANT_NONE;
	free(l->error);
	l->error = NULL;
	l->error_class = TICKET_CLASS_OK;
}

static void bind(struct engine *e, struct lane *l, const struct ticket_result *r, const char *how)
{
	set_slice(&l->ticket, r->ticket);
	set_slice(&l->version, r->version);
	keep_slice(&l->url, r->url);
	l->state = LANE_BOUND;
	l->confirmed = l->sending;
	l->shown_priority = l->sending_priority;
	l->updated = e->now;
	l->sweep_at = l->create_attempt > 1 && !l->swept ? e->now + SWEEP_AFTER * SECOND : INSTANT_NONE;
	poll_arm(e, l);
	incident_log(e, l->incident, "ticket", "ticket %s %s", l->ticket, how);
	engine_notice(e, LOG_LEVEL_INFO, "inc=%s ticket=%s destination=%s %s", l->incident->id_text,
	              l->ticket, l->destination, how);
}

/* The search long after a create that was sent twice: what else carries the key was made by the first one. */
static void swept(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	struct slice rest = r->others, id;
	l->swept = true;
	if (r->ticket.n > 0 && !slice_is(r->ticket, l->ticket))
		stray_found(e, l, r->ticket);
	while (rest.n > 0 && slice_split(&rest, ' ', &id))
		if (id.n > 0 && !slice_is(id, l->ticket))
			stray_found(e, l, id);
}

static void found(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	if (l->state == LANE_BOUND) {
		swept(e, l, r);
		return;
	}
	if (r->outcome == TICKET_ABSENT || r->hits == 0 || r->ticket.n == 0) {
		l->state = LANE_ABSENT;
		return;
	}
	bind(e, l, r, "found by its key and adopted");
	l->confirmed = 0; /* nobody knows which text it shows */
	l->shown_priority = 0;
	if (r->others.n > 0)
		incident_log(e, l->incident, "ticket", "more tickets carry this key: " SLICE_FMT,
		             SLICE_ARG(r->others));
	if (r->others.n > 0)
		engine_notice(e, LOG_LEVEL_WARNING,
		              "inc=%s ticket=%s others=\"" SLICE_FMT
		              "\" more than one ticket carries the key",
		              l->incident->id_text, l->ticket, SLICE_ARG(r->others));
	person_state(e, l, r->state);
}

static void done(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	if (l->dead && l->dead_verb == r->verb)
		l->dead = false;
	if (l->straying) {
		stray_over(e, l, "closed");
		return;
	}
	keep_slice(&l->version, r->version);
	keep_slice(&l->url, r->url);
	switch (r->verb) {
	case TICKET_FIND: found(e, l, r); break;
	case TICKET_CREATE: bind(e, l, r, "created"); break;
	case TICKET_GET: person_seen(e, l, r); break;
	case TICKET_UPDATE:
		l->confirmed = l->sending;
		l->shown_priority = l->sending_priority;
		break;
	case TICKET_NOTE:
		free(l->note_text);
		l->note_text = NULL;
		break;
	case TICKET_ACKNOWLEDGE: l->acked_there = true; break;
	case TICKET_RESOLVE:
		l->closed_there = true;
		l->doubt = false;
		l->dead = false; /* an update that was refused does not matter any more */
		incident_log(e, l->incident, "ticket", "ticket %s resolved", l->ticket);
		break;
	case TICKET_REOPEN:
		l->closed_there = l->doubt = false;
		l->acked_there = false;
		incident_log(e, l->incident, "ticket", "ticket %s reopened", l->ticket);
		break;
	case TICKET_LINK_PARENT: link_done(e, l, NULL); break;
	case TICKET_POLL: /* no lane asks for these */
	case TICKET_CHANGES:
	case TICKET_CHECK: break;
	}
}

/* Before a ticket is known, whatever was sent and not answered by an id is looked for first. */
static void unbind(struct lane *l)
{
	if (l->state != LANE_BOUND)
		l->state = LANE_UNKNOWN;
}

static void absent(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	if (r->verb == TICKET_FIND) {
		found(e, l, r);
		return;
	}
	unbind(l); /* "not there" is no answer to a create, but one that was given */
	if (l->straying) {
		stray_over(e, l, "gone");
		return;
	}
	if (++l->gone < GONE_MAX) {
		again(e, l, r);
		return;
	}
	l->sending = incident_fingerprint(l->incident);
	l->lost = l->state == LANE_BOUND;
	lane_dead(e, l, TICKET_CLASS_GONE, l->lost ? "the ticket is gone" : l->error);
}

/* A reply that was lost may have closed or reopened the ticket, or a note may stand there already: no search
 * finds one, so it says so itself. */
static void doubt(struct lane *l)
{
	static const char again_text[] = "(perhaps a repetition: the reply was lost) ";
	if (l->verb == TICKET_NOTE && l->note_text != NULL &&
	    !slice_starts(slice_str(l->note_text), SLICE(again_text))) {
		char *text = xasprintf("%s%s", again_text, l->note_text);
		free(l->note_text);
		l->note_text = text;
	}
	if (!l->straying && (l->verb == TICKET_RESOLVE || l->verb == TICKET_REOPEN))
		l->doubt = true;
}

static void refused(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	failed(l, e, r);
	unbind(l);
	if (is_auth(r)) {
		again(e, l, r);
	} else if (l->straying) {
		stray_over(e, l, l->error);
	} else if (r->verb == TICKET_FIND && l->state == LANE_BOUND) {
		l->swept = true;
		succeeded(l);
	} else if (r->verb == TICKET_LINK_PARENT) {
		link_done(e, l, l->error);
		succeeded(l);
	} else if (r->verb == TICKET_GET) { /* nobody can look: only a question, nothing is left undone */
		succeeded(l);
		l->look = false;
		person_state(e, l, SLICE_NONE);
	} else {
		lane_dead(e, l, r->cls, l->error);
	}
}

static void judge(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	bool lost = r->outcome == TICKET_UNCERTAIN;
	if (r->outcome == TICKET_DONE && r->verb == TICKET_CREATE && r->ticket.n == 0)
		lost = true; /* made, but nobody said which one: the key will tell */
	switch (lost ? TICKET_UNCERTAIN : r->outcome) {
	case TICKET_DONE:
		succeeded(l);
		done(e, l, r);
		break;
	case TICKET_ABSENT:
		if (r->verb == TICKET_FIND)
			succeeded(l);
		else
			failed(l, e, r);
		absent(e, l, r);
		break;
	case TICKET_RETRY:
	case TICKET_UNCERTAIN:
		failed(l, e, r);
		unbind(l);
		/* no whole answer: a ticket may be closed or open by now, whatever the profile makes of it */
		if (lost || (r->cls == TICKET_CLASS_TRANSIENT && l->verb != TICKET_NOTE))
			doubt(l);
		if (r->cls == TICKET_CLASS_CONFLICT)
			set_slice(
			    &l->version,
			    SLICE_NONE); /* ours is old: without one the next attempt is unconditional */
		again(e, l, r);
		break;
	case TICKET_REFUSED: refused(e, l, r); break;
	}
}

/* A create of another attempt than the one that counts has worked after all. A second one that is on its way
 * comes back here and shows what it made. */
static bool late_create(struct engine *e, struct lane *l, const struct ticket_result *r)
{
	if (r->verb != TICKET_CREATE || r->id != l->create || r->outcome != TICKET_DONE || r->ticket.n == 0)
		return false;
	if (l->state == LANE_BOUND) {
		if (slice_is(r->ticket, l->ticket))
			return false;
		stray_found(e, l, r->ticket);
		return true;
	}
	lane_cancel(e, l);
	succeeded(l);
	if (l->dead && l->dead_verb != TICKET_RESOLVE)
		l->dead = false;
	bind(e, l, r, "created, the answer came late");
	return true;
}

void outbox_result(struct engine *e, const struct ticket_result *r)
{
	struct correlation *c = e->correlation;
	if (r->verb == TICKET_CHECK) {
		outbox_checked(e, r);
		return;
	}
	if (r->verb == TICKET_CHANGES) {
		changes_result(e, r);
		return;
	}
	if (r->verb == TICKET_POLL) {
		poll_result(e, r);
		return;
	}
	struct lane *l = hmap_get(c->op_by, key_u64(&r->id));
	if (l == NULL || l->done)
		return; /* of an operation that is no longer wanted */
	bool back = false;
	if (!(l->in_flight && r->id == l->op && r->attempt == l->attempt && r->verb == l->verb)) {
		if (!late_create(e, l, r))
			return;
	} else {
		l->in_flight = false;
		back = destination_judge(e, l, r);
		judge(e, l, r);
	}
	lane_dirty(c, l);
	incident_touch(e, l->incident);
	if (back)
		outbox_kick(e, l->destination);
}

void outbox_resume(struct engine *e)
{
	struct correlation *c = e->correlation;
	struct lane *l;
	for (size_t i = 0; i < c->n_destinations; i++)
		c->destinations[i].probing = 0;
	TAILQ_FOREACH (l, &c->lanes, all) {
		if (!l->in_flight)
			continue;
		l->in_flight = false;
		l->probe = false;
		doubt(l);
		l->tries = MAX(l->tries, 1u); /* the same operation again, not a new one */
		if (l->state != LANE_BOUND) {
			l->state = LANE_UNKNOWN;
			l->next_at = e->now + settle(outbox_config(e, l->destination));
		}
		lane_dirty(c, l);
		incident_touch(e, l->incident);
	}
	outbox_check_resume(e);
	poll_resume(e);
	changes_resume(e);
	for (size_t i = 0; i < c->n_destinations; i++)
		if (c->destinations[i].mode != DESTINATION_UP)
			engine_timer(e, MAX(c->destinations[i].probe_at, e->now + 1), TIMER_DESTINATION, i);
}
