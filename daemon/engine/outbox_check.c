/* Promises that no ticket goes to a connection before it has proven, once with this profile and these
 * addresses, that it keeps and finds what it is given (tickets.md "tickets check"). Until then its lanes are
 * held and say why. Must not know what a check does: egress and the profile do. */
#include "engine/correlate.h"

#include <stdlib.h>

#define CHECK_AGAIN (15 * MINUTE) /* after a refusal: perhaps a right was given in the meantime */
#define CHECK_MAX   (5 * MINUTE)
#define CURSOR_BACK (5 * MINUTE)

static size_t index_of(const struct correlation *c, const struct destination *d)
{
	return (size_t)(d - c->destinations);
}

static uint64_t wanted(const struct engine *e, const struct destination *d)
{
	const struct ticket_config *t = outbox_config(e, d->name);
	return t != NULL ? t->fingerprint : 0;
}

bool outbox_proven(const struct engine *e, const struct destination *d)
{
	uint64_t print = wanted(e, d);
	return print == 0 || print == d->proven;
}

const char *outbox_check_word(const struct destination *d)
{
	switch (d->check) {
	case CHECK_NONE: return "unchecked";
	case CHECK_RUNNING: return "checking";
	case CHECK_WAITING: return "retrying";
	case CHECK_PASSED: return "checked";
	case CHECK_REFUSED: return "refused";
	}
	BUG_ON(true);
	return "";
}

static void set_text(char **to, struct slice s)
{
	free(*to);
	*to = s.n > 0 ? slice_dup(s) : NULL;
}

/* Connections of a former version have shown that they work. */
static bool works_already(const struct engine *e, const struct destination *d)
{
	const struct lane *l;
	TAILQ_FOREACH (l, &e->correlation->lanes, all)
		if (l->state == LANE_BOUND && strcmp(l->destination, d->name) == 0)
			return true;
	return false;
}

/* ---- sending */

static void emit(struct engine *e, const struct destination *d)
{
	const struct ticket_config *t = outbox_config(e, d->name);
	struct buf facts = {0}, op = {0};
	struct jw w = jw_new(&facts);
	char key[KEY_TEXT];
	char *text = xasprintf("%s\ncheck\n%s\n%llu", e->setup.config->instance, d->name,
	                       (unsigned long long)d->check_op);
	key_of_text(text, key);
	jw_object(&w);
	jw_key(&w, "incident");
	jw_object(&w);
	jw_ktime(&w, "opened_at", e->now);
	jw_kstr(&w, "assign", t != NULL && t->assign != NULL ? t->assign : "");
	jw_end(&w);
	jw_ktime(&w, "cursor", e->now - CURSOR_BACK);
	jw_end(&w);
	const struct ticket_op o = {.id = d->check_op,
	                            .attempt = d->check_attempt,
	                            .verb = TICKET_CHECK,
	                            .priority = 1,
	                            .destination = slice_str(d->name),
	                            .incident = SLICE("check"),
	                            .key = slice_str(key),
	                            .ticket = slice_str(d->check_ticket),
	                            .facts = buf_slice(&facts)};
	BUG_ON(e->fx == NULL);
	ticket_op_encode(&o, &op);
	buf_lslice(&e->fx->ops, buf_slice(&op));
	e->fx->n_ops++;
	free(text);
	buf_free(&facts);
	buf_free(&op);
}

static void send(struct engine *e, struct destination *d)
{
	d->check = CHECK_RUNNING;
	d->check_attempt++;
	d->check_at = INSTANT_NONE;
	d->check_dirty = true;
	emit(e, d);
}

void outbox_check_now(struct engine *e, struct destination *d)
{
	if (d->check == CHECK_RUNNING)
		return;
	d->check_op = engine_serial(e);
	d->check_attempt = 0;
	d->check_print = wanted(e, d);
	set_text(&d->check_ticket, SLICE_NONE);
	set_text(&d->check_text, SLICE_NONE);
	send(e, d);
}

void outbox_check(struct engine *e, struct destination *d)
{
	if (outbox_proven(e, d) || d->check == CHECK_RUNNING)
		return;
	if (d->proven == 0 && d->check_op == 0 && works_already(e, d)) {
		d->proven = wanted(e, d);
		d->check = CHECK_PASSED;
		d->check_dirty = true;
		return;
	}
	if (d->check == CHECK_NONE || d->check == CHECK_PASSED || d->check_print != wanted(e, d))
		outbox_check_now(e, d);
}

void outbox_check_due(struct engine *e, struct destination *d)
{
	bool due = d->check_at != INSTANT_NONE && e->now >= d->check_at;
	if (outbox_config(e, d->name) == NULL)
		return;
	if (d->check == CHECK_WAITING && due && d->check_print == wanted(e, d))
		send(e, d);
	else if (d->check == CHECK_REFUSED && due && !outbox_proven(e, d))
		outbox_check_now(e, d);
	else
		outbox_check(e, d);
}

void outbox_check_all(struct engine *e)
{
	const struct config *config = e->setup.config;
	for (size_t i = 0; i < config->n_tickets; i++) {
		if (config->tickets[i].fingerprint == 0)
			continue;
		struct destination *d = outbox_destination(e->correlation, config->tickets[i].name);
		if (!outbox_proven(e, d))
			engine_timer(e, e->now + 1, TIMER_DESTINATION, index_of(e->correlation, d));
	}
}

/* ---- results */

static void later(struct engine *e, struct destination *d, duration wait)
{
	d->check_at = e->now + wait;
	engine_timer(e, d->check_at, TIMER_DESTINATION, index_of(e->correlation, d));
}

static void passed(struct engine *e, struct destination *d)
{
	d->check = CHECK_PASSED;
	d->proven = d->check_print;
	set_text(&d->check_ticket, SLICE_NONE);
	engine_notice(e, LOG_LEVEL_NOTICE, "destination=%s check=passed what=\"%s\"", d->name,
	              d->check_text != NULL ? d->check_text : "");
	outbox_kick(e, d->name);
}

static void refused(struct engine *e, struct destination *d)
{
	d->check = CHECK_REFUSED;
	d->proven = 0;
	set_text(&d->check_ticket, SLICE_NONE);
	struct lane *l;
	TAILQ_FOREACH (l, &e->correlation->lanes, all)
		if (l->parked && strcmp(l->destination, d->name) == 0)
			lane_dirty(e->correlation, l); /* it shows why it is held */
	engine_notice(e, LOG_LEVEL_WARNING, "destination=%s check=refused its tickets are held: %s", d->name,
	              d->check_text != NULL ? d->check_text : "");
	later(e, d, CHECK_AGAIN);
}

void outbox_checked(struct engine *e, const struct ticket_result *r)
{
	struct correlation *c = e->correlation;
	struct destination *d = NULL;
	for (size_t i = 0; i < c->n_destinations; i++)
		if (c->destinations[i].check_op == r->id && c->destinations[i].check == CHECK_RUNNING)
			d = &c->destinations[i];
	if (d == NULL || d->check_attempt != r->attempt)
		return;
	set_text(&d->check_text, r->message);
	d->check_dirty = true;
	switch (r->outcome) {
	case TICKET_DONE: passed(e, d); break;
	case TICKET_RETRY:
	case TICKET_UNCERTAIN:
		d->check = CHECK_WAITING;
		if (r->ticket.n > 0)
			set_text(&d->check_ticket, r->ticket);
		later(e, d,
		      r->retry_after > 0 ? MIN(r->retry_after, CHECK_MAX)
		                         : MIN(SECOND << MIN(d->check_attempt, 20u), CHECK_MAX));
		break;
	case TICKET_ABSENT:
	case TICKET_REFUSED: refused(e, d); break;
	}
	if (d->check_print != wanted(e, d)) /* a reload came in between: the new one proves itself */
		engine_timer(e, e->now + 1, TIMER_DESTINATION, index_of(c, d));
}

/* What was on its way may have made its ticket: the next attempt looks for it by its key. */
void outbox_check_resume(struct engine *e)
{
	struct correlation *c = e->correlation;
	for (size_t i = 0; i < c->n_destinations; i++) {
		struct destination *d = &c->destinations[i];
		if (d->check == CHECK_RUNNING) {
			const struct ticket_config *t = outbox_config(e, d->name);
			d->check = CHECK_WAITING;
			d->check_dirty = true;
			later(e, d, t != NULL && t->settle > 0 ? t->settle : 2 * SECOND);
		} else if (d->check_at != INSTANT_NONE) {
			engine_timer(e, MAX(d->check_at, e->now + 1), TIMER_DESTINATION, i);
		}
	}
	outbox_check_all(e);
}
