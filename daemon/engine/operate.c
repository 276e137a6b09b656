/* Promises what an operator may do to an incident or to a lane, each recorded with who did it (cli.md,
 * tickets.md). Must not know how a command arrived. */
#include "engine/correlate.h"

#include <stdlib.h>

struct command {
	struct engine *e;
	const struct json *cmd;
	struct jw *reply;
	const char *by, *text; /* in scratch; text may be NULL */
};

static void refuse(struct command *c, int status, const char *error)
{
	jw_kbool(c->reply, "ok", false);
	jw_kstr(c->reply, "error", error);
	jw_kint(c->reply, "status", status);
}

static void accept(struct command *c, const struct incident *i)
{
	jw_kbool(c->reply, "ok", true);
	jw_kstr(c->reply, "id", i->id_text);
	jw_kstr(c->reply, "state", incident_state_word(i->state));
}

/* ---- incidents */

void operate_ack(struct engine *e, struct incident *i, const char *by, const char *text)
{
	BUG_ON(!incident_state_live(i->state));
	char *why =
	    xasprintf("acknowledged by %s%s%s", by, text != NULL ? ": " : "", text != NULL ? text : "");
	free(i->owner);
	i->owner = xstrdup(by);
	if (i->state == INCIDENT_OPEN)
		incident_set_state(e, i, INCIDENT_ACKED, why);
	else if (i->state == INCIDENT_CLEARING)
		i->back = INCIDENT_ACKED;
	incident_touch(e, i);
	free(why);
}

static void op_ack(struct command *c, struct incident *i)
{
	operate_ack(c->e, i, c->by, c->text);
	if (c->text != NULL)
		outbox_note(c->e, i, "Acknowledged by %s: %s", c->by, c->text);
	accept(c, i);
}

static void op_unack(struct command *c, struct incident *i)
{
	if (i->state == INCIDENT_ACKED) {
		char *why = xasprintf("%s took the acknowledgement back", c->by);
		incident_set_state(c->e, i, INCIDENT_OPEN, why);
		outbox_note(c->e, i, "%s took the acknowledgement back.", c->by);
		free(why);
	}
	i->back = INCIDENT_OPEN;
	free(i->owner);
	i->owner = NULL;
	incident_touch(c->e, i);
	accept(c, i);
}

void operate_resolve(struct engine *e, struct incident *i, const char *by, const char *text)
{
	BUG_ON(!incident_state_live(i->state));
	char *why = xasprintf("resolved by %s%s%s", by, text != NULL ? ": " : "", text != NULL ? text : "");
	bool clear = i->state == INCIDENT_CLEARING;
	i->resolved = e->now;
	i->by_hand = true;
	i->calm_since = clear;
	i->again = false;
	incident_set_state(e, i, INCIDENT_RESOLVED, why);
	incident_recall(e, i);
	e->stats.resolved++;
	outbox_note(e, i, "Resolved by %s%s%s", by, text != NULL ? ": " : "", text != NULL ? text : "");
	free(why);
}

static void op_resolve(struct command *c, struct incident *i)
{
	operate_resolve(c->e, i, c->by, c->text);
	accept(c, i);
}

static void op_reopen(struct command *c, struct incident *i)
{
	char *why = xasprintf("reopened by %s%s%s", c->by, c->text != NULL ? ": " : "",
	                      c->text != NULL ? c->text : "");
	incident_reopen(c->e, i, why);
	free(why);
	accept(c, i);
}

static void op_note(struct command *c, struct incident *i)
{
	if (c->text == NULL) {
		refuse(c, 400, "a note needs a text");
		return;
	}
	incident_log(c->e, i, "note", "%s: %s", c->by, c->text);
	outbox_note(c->e, i, "%s: %s", c->by, c->text);
	accept(c, i);
}

/* Reads only: which test kept a service out of it. */
static void op_why_not(struct command *c, struct incident *i)
{
	const char *service = arena_str(c->e->scratch, json_text(json_get(c->cmd, "service")));
	jw_kbool(c->reply, "ok", true);
	why_not(c->e, i, slice_str(service != NULL ? service : ""), c->reply);
}

/* The other incident or NULL; what is wrong with it has been said. */
static struct incident *incident_by_prefix(struct command *c, struct slice prefix);

static void op_merge(struct command *c, struct incident *i)
{
	struct incident *into = incident_by_prefix(c, json_text(json_get(c->cmd, "into")));
	if (into == NULL)
		return;
	const char *error = manual_merge(c->e, i, into, c->by, c->text);
	if (error != NULL) {
		refuse(c, 409, error);
		return;
	}
	accept(c, i);
	jw_kstr(c->reply, "into", into->id_text);
}

static void op_split(struct command *c, struct incident *i)
{
	struct incident *to = NULL;
	const char *error = manual_split(c->e, i, json_get(c->cmd, "alerts"), c->by, c->text, &to);
	if (error != NULL) {
		refuse(c, 409, error);
		return;
	}
	accept(c, i);
	jw_kstr(c->reply, "new", to->id_text);
}

#define IN(s) (1u << INCIDENT_##s)
#define LIVE  (IN(OPEN) | IN(ACKED) | IN(CLEARING))

static const struct {
	const char *name;
	unsigned states; /* in which it is possible */
	void (*run)(struct command *c, struct incident *i);
} incident_ops[] = {
    {"ack", LIVE, op_ack},         {"unack", LIVE, op_unack},
    {"resolve", LIVE, op_resolve}, {"reopen", IN(RESOLVED), op_reopen},
    {"why-not", ~0u, op_why_not},  {"note", LIVE | IN(GATHERING) | IN(RESOLVED), op_note},
    {"merge", LIVE | IN(GATHERING), op_merge},
    {"split", LIVE | IN(GATHERING), op_split},
};

static struct incident *incident_by_prefix(struct command *c, struct slice prefix)
{
	struct incident *i, *hit = NULL;
	if (prefix.n < 4) {
		refuse(c, 400, "an id needs four characters at least");
		return NULL;
	}
	TAILQ_FOREACH (i, &c->e->correlation->incidents, all) {
		if (prefix.n > 26 || !slice_ieq(prefix, slice_of(i->id_text, prefix.n)))
			continue;
		if (hit != NULL) {
			refuse(c, 409, "more than one incident has an id that begins so");
			return NULL;
		}
		hit = i;
	}
	if (hit == NULL)
		refuse(c, 404, "no such incident; ids are shown by: carillonctl incidents list");
	return hit;
}

static void run_incident(struct command *c, size_t op)
{
	struct incident *i = incident_by_prefix(c, json_text(json_get(c->cmd, "id")));
	if (i == NULL)
		return;
	if ((incident_ops[op].states & 1u << i->state) == 0) {
		refuse(c, 409,
		       arena_printf(c->e->scratch, "not possible: the incident is %s",
		                    incident_state_word(i->state)));
		return;
	}
	incident_ops[op].run(c, i);
}

/* ---- lanes */

/* A connection that waits before it asks again asks now: the person knows why. */
static void probe_now(struct engine *e, const char *destination)
{
	struct correlation *co = e->correlation;
	struct destination *d = outbox_destination(co, destination);
	if (d == NULL || d->mode == DESTINATION_UP || d->probe_at <= e->now)
		return;
	d->probe_at = e->now;
	engine_timer(e, e->now, TIMER_DESTINATION, (uint64_t)(d - co->destinations));
}

static void lane_retry(struct command *c, struct lane *l)
{
	probe_now(c->e, l->destination);
	l->doubt = l->doubt || l->dead_verb == TICKET_REOPEN; /* refused: was it closed at all? */
	l->dead = false;
	l->tries = 0;
	l->failing = 0;
	l->gone = 0;
	l->lost = false;
	l->next_at = INSTANT_NONE;
	incident_log(c->e, l->incident, "ticket", "%s tries the delivery again", c->by);
}

static void lane_discard(struct command *c, struct lane *l)
{
	incident_log(c->e, l->incident, "ticket", "%s discarded the delivery: %s", c->by, c->text);
	lane_cancel(c->e, l);
	l->dead = l->parked = false;
	l->done = true;
}

static void run_lane(struct command *c, bool discard)
{
	struct correlation *co = c->e->correlation;
	int64_t id = 0;
	uint64_t serial = 0;
	struct slice text = json_text(json_get(c->cmd, "id"));
	if (slice_int(text, &id) && id > 0)
		serial = (uint64_t)id;
	struct lane *l = hmap_get(co->lane_by, key_u64(&serial));
	if (l == NULL || l->done) {
		refuse(c, 404, "no such delivery; numbers are shown by: carillonctl tickets outbox");
		return;
	}
	if (discard && c->text == NULL) {
		refuse(c, 400, "a discard needs a reason, which is recorded");
		return;
	}
	if (discard)
		lane_discard(c, l);
	else if (!l->in_flight)
		lane_retry(c, l);
	lane_dirty(co, l);
	incident_touch(c->e, l->incident);
	accept(c, l->incident);
}

/* ---- connections */

static void run_check(struct command *c)
{
	struct slice name = json_text(json_get(c->cmd, "id"));
	char *text = name.n > 0 ? slice_dup(name) : NULL;
	const struct ticket_config *t = text != NULL ? outbox_config(c->e, text) : NULL;
	if (t == NULL || !outbox_wanted(c->e, text)) {
		refuse(c, 404, "there is no ticket connection of this name with a profile; see tickets in carillon.yaml");
	} else {
		struct destination *d = outbox_destination(c->e->correlation, text);
		outbox_check_now(c->e, d);
		jw_kbool(c->reply, "ok", true);
		jw_kstr(c->reply, "id", d->name);
		jw_kint(c->reply, "op", (int64_t)d->check_op);
	}
	free(text);
}

/* ---- dispatch */

static const char *text_of(struct engine *e, const struct json *cmd, const char *key)
{
	struct slice s = json_text(json_get(cmd, key));
	return s.n > 0 ? arena_str(e->scratch, text_clean(e->scratch, s, 900)) : NULL;
}

void correlation_command(struct engine *e, const struct json *cmd, struct jw *reply)
{
	struct command c = {.e = e, .cmd = cmd, .reply = reply, .text = text_of(e, cmd, "text")};
	struct slice what = json_text(json_get(cmd, "do"));
	c.by = text_of(e, cmd, "by");
	c.by = c.by != NULL ? c.by : "an operator";
	for (size_t k = 0; k < ARRAY_LEN(incident_ops); k++) {
		if (!slice_is(what, incident_ops[k].name))
			continue;
		run_incident(&c, k);
		return;
	}
	if (slice_is(what, "suggest")) {
		jw_kbool(reply, "ok", true);
		suggest_json(e, reply);
	} else if (slice_is(what, "retry") || slice_is(what, "outbox-retry"))
		run_lane(&c, false);
	else if (slice_is(what, "discard") || slice_is(what, "outbox-discard"))
		run_lane(&c, true);
	else if (slice_is(what, "check"))
		run_check(&c);
	else
		refuse(&c, 400, "no such command");
}
