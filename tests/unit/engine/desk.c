#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

const char desk_rules[] = "version: 1\npackage: t\n"
                          "rules:\n"
                          "  unreachable:\n"
                          "    summary: ${host} does not answer\n"
                          "    match: {check: ping}\n"
                          "    severity: critical\n"
                          "    effect: down\n"
                          "  errors:\n"
                          "    summary: ${host} answers with errors\n"
                          "    match: {check: http}\n"
                          "    severity: major\n"
                          "    effect: degraded\n"
                          "  disk:\n"
                          "    summary: disk of ${host} fills\n"
                          "    match: {check: disk}\n"
                          "    severity: minor\n"
                          "    effect: risk\n"
                          "  lone:\n"
                          "    summary: login of ${host}\n"
                          "    match: {check: login}\n"
                          "    severity: major\n"
                          "    incident: {group: alert}\n"
                          "  site:\n"
                          "    summary: ${host} of a site\n"
                          "    match: {check: site}\n"
                          "    severity: major\n"
                          "    incident: {group: [app], wait: 10s}\n";

const char desk_map[] =
    "version: 1\nservices:\n"
    "  sw1:      {kind: network, hosts: [sw1], assign: NETWORK, aliases: ['cmdb:CI1']}\n"
    "  db-a:     {kind: db, hosts: [db-a], needs: [sw1]}\n"
    "  db-b:     {kind: db, hosts: [db-b]}\n"
    "  api:      {tier: 2, hosts: [api], needs: [{any: [db-a, db-b], at_least: 1}, sw1]}\n"
    "  checkout: {tier: 1, hosts: [shop], needs: [api]}\n"
    "  pod-a:    {kind: pod, hosts: [pod-a]}\n"
    "  pod-b:    {kind: pod, hosts: [pod-b]}\n"
    "  web:      {tier: 3, hosts: [web], needs: [{any: [pod-a, pod-b], at_least: 1}]}\n"
    "  array:    {kind: storage, hosts: [array]}\n"
    "  filer:    {kind: storage, hosts: [filer], needs: [array]}\n"
    "  mail:     {tier: 2, hosts: [mail], needs: [filer]}\n"
    "  lone-1:   {kind: host, hosts: [lone-1]}\n";

const char *rig_told(void)
{
	return "";
}

struct desk *desk_new(const char *rules, const char *map, bool tickets)
{
	static char profile[] = "rt";
	struct desk *d = xcalloc(1, sizeof *d);
	d->rig = rig_with_map(rules, map);
	d->tickets = tickets;
	d->random = 88172645463325252u;
	assert_true(d->rig->config->n_tickets >= 1);
	if (tickets)
		d->rig->config->tickets[0].profile = profile;
	d->rig->config->tickets[0].poll = 0;
	d->rig->config->tickets[0].storm_creates = 0;
	desk_input(d, INPUT_START, SLICE_NONE, NULL);
	return d;
}

void desk_free(struct desk *d)
{
	buf_free(&d->later);
	rig_free(d->rig);
	free(d);
}

uint64_t desk_random(struct desk *d)
{
	d->random ^= d->random << 13;
	d->random ^= d->random >> 7;
	d->random ^= d->random << 17;
	return d->random;
}

/* ---- the ticket system */

struct desk_ticket *desk_ticket(struct desk *d, const char *key)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].key, key) == 0)
			return &d->v[i];
	return NULL;
}

static struct desk_ticket *create(struct desk *d, const struct ticket_op *op)
{
	assert_true(d->n < ARRAY_LEN(d->v));
	struct desk_ticket *t = &d->v[d->n++];
	snprintf(t->id, sizeof t->id, "%zu", d->n);
	snprintf(t->key, sizeof t->key, SLICE_FMT, SLICE_ARG(op->key));
	t->open = true;
	return t;
}

static void retitle(struct desk_ticket *t, const struct ticket_op *op)
{
	struct arena *a = arena_new(0);
	struct error err;
	const struct json *facts = json_parse(a, op->facts, JSON_LIMITS, NULL, &err);
	assert_non_null(facts);
	struct slice title = json_text(json_path(facts, SLICE("incident.title")));
	struct slice body = json_text(json_path(facts, SLICE("incident.body")));
	assert_true(title.n > 0 && body.n > 0);
	snprintf(t->title, sizeof t->title, SLICE_FMT, SLICE_ARG(title));
	t->priority = json_text(json_path(facts, SLICE("incident.priority"))).p[1] - '0';
	arena_free(a);
}

static struct desk_ticket *perform(struct desk *d, const struct ticket_op *op)
{
	char id[32];
	struct desk_ticket *t = NULL;
	snprintf(id, sizeof id, SLICE_FMT, SLICE_ARG(op->ticket));
	if (op->verb == TICKET_CREATE)
		t = create(d, op);
	for (size_t i = 0; t == NULL && i < d->n; i++)
		if (d->v[i].gone)
			continue;
		else if (op->ticket.n > 0 ? strcmp(d->v[i].id, id) == 0 : slice_is(op->key, d->v[i].key))
			t = &d->v[i];
	if (t == NULL)
		return NULL;
	if (op->verb == TICKET_CREATE || op->verb == TICKET_UPDATE)
		retitle(t, op);
	t->updates += op->verb == TICKET_UPDATE;
	t->notes += op->verb == TICKET_NOTE;
	t->gets += op->verb == TICKET_GET;
	if (op->verb == TICKET_LINK_PARENT) {
		struct arena *a = arena_new(0);
		struct error err;
		const struct json *facts = json_parse(a, op->facts, JSON_LIMITS, NULL, &err);
		struct slice parent = json_text(json_path(facts, SLICE("parent.id")));
		snprintf(t->parent, sizeof t->parent, SLICE_FMT, SLICE_ARG(parent));
		arena_free(a);
	}
	if (op->verb == TICKET_RESOLVE || op->verb == TICKET_REOPEN) {
		t->open = op->verb == TICKET_REOPEN;
		t->state = NULL;
	}
	return t;
}

static void seen(const struct desk_ticket *t, struct buf *out)
{
	char priority[4];
	snprintf(priority, sizeof priority, "P%d", t->priority);
	const struct ticket_seen s = {.id = slice_str(t->id),
	                              .state = slice_str(t->state != NULL ? t->state
	                                                 : t->open        ? "open"
	                                                                  : "resolved"),
	                              .priority = slice_str(priority),
	                              .assignee = slice_str(t->assignee),
	                              .changed_by = slice_str(t->by),
	                              .merged_into = slice_str(t->merged_into)};
	ticket_seen_encode(&s, out);
}

static struct ticket_result answer(const struct ticket_op *op, enum ticket_outcome o, enum ticket_class c,
                                   int status)
{
	return (struct ticket_result){
	    .id = op->id, .attempt = op->attempt, .verb = op->verb, .outcome = o, .cls = c, .status = status};
}

static void take_op(struct desk *d, const struct ticket_op *op)
{
	enum desk_fault f = d->fault != NULL ? d->fault(d, op) : DESK_DONE;
	struct ticket_result r = answer(op, TICKET_DONE, TICKET_CLASS_OK, 200);
	struct buf b = {0}, records = {0};
	d->ops++;
	struct desk_ticket *t =
	    op->verb == TICKET_POLL || op->verb == TICKET_CHANGES ? NULL
	    : f == DESK_DONE || f == DESK_LOST_REPLY || (f == DESK_SILENT && desk_random(d) % 2)
	        ? perform(d, op)
	        : NULL;
	switch (f) {
	case DESK_DONE:
		if (op->verb == TICKET_CHECK)
			break;
		if (op->verb == TICKET_CHANGES) {
			if (d->planned != NULL)
				ticket_planned_encode(d->planned, &records);
			break;
		}
		if (op->verb == TICKET_POLL) {
			for (size_t i = 0; i < d->n; i++) {
				if (d->v[i].changed)
					seen(&d->v[i], &records);
				d->v[i].changed = false;
			}
			d->polls++;
			r.cursor = SLICE("later");
			break;
		}
		if (t != NULL && op->verb == TICKET_GET)
			seen(t, &records);
		if (t == NULL)
			r = answer(op, TICKET_ABSENT,
			           op->verb == TICKET_FIND ? TICKET_CLASS_OK : TICKET_CLASS_GONE, 404);
		r.hits = t != NULL;
		r.ticket = slice_str(t != NULL ? t->id : NULL);
		r.state = slice_str(t == NULL          ? NULL
		                    : t->state != NULL ? t->state
		                    : t->open          ? "open"
		                                       : "resolved");
		break;
	case DESK_LOST_REPLY:
		d->lost++;
		r = answer(op, op->verb == TICKET_FIND ? TICKET_RETRY : TICKET_UNCERTAIN,
		           TICKET_CLASS_TRANSIENT, 0);
		break;
	case DESK_NOT_DONE:
		r = answer(op, op->verb == TICKET_CREATE ? TICKET_UNCERTAIN : TICKET_RETRY,
		           TICKET_CLASS_TRANSIENT, 503);
		break;
	case DESK_THROTTLE:
		r = answer(op, TICKET_RETRY, TICKET_CLASS_THROTTLE, 429);
		r.retry_after = 7 * SECOND;
		break;
	case DESK_AUTH: r = answer(op, TICKET_RETRY, TICKET_CLASS_AUTH, 401); break;
	case DESK_REFUSE: r = answer(op, TICKET_REFUSED, TICKET_CLASS_CONFIG, 400); break;
	case DESK_SILENT: buf_free(&records); return;
	}
	struct buf others = {0};
	for (size_t i = 0; op->verb == TICKET_FIND && t != NULL && i < d->n; i++)
		if (&d->v[i] != t && slice_is(op->key, d->v[i].key))
			buf_printf(&others, "%s%s", others.n > 0 ? " " : "", d->v[i].id);
	if (f == DESK_DONE)
		r.others = buf_slice(&others);
	r.records = buf_slice(&records);
	ticket_result_encode(&r, &b);
	buf_free(&records);
	buf_free(&others);
	buf_lslice(&d->later, buf_slice(&b));
	buf_free(&b);
}

static void take_ops(struct desk *d)
{
	struct reader r = reader_of(buf_slice(&d->rig->fx.ops));
	for (size_t i = 0; i < d->rig->fx.n_ops; i++) {
		struct slice bytes = read_lslice(&r);
		struct buf own = {0};
		struct ticket_op op;
		buf_adds(&own, bytes);
		assert_true(r.ok && ticket_op_decode(buf_slice(&own), &op));
		take_op(d, &op);
		buf_free(&own);
	}
	assert_true(r.at == r.n);
}

/* ---- time and inputs */

static void step(struct desk *d, uint16_t kind, struct slice payload, const struct engine_setup *s)
{
	struct rig *r = d->rig;
	struct engine_input in = {
	    .seq = ++r->seq, .at = T0 + d->at, .kind = kind, .payload = payload, .setup = s};
	effects_reset(&r->fx);
	engine_step(r->engine, &in, &r->fx);
	take_ops(d);
}

static void hand_in(struct desk *d)
{
	while (d->later.n > 0) {
		struct reader r = reader_of(buf_slice(&d->later));
		struct buf own = {0};
		buf_adds(&own, read_lslice(&r));
		buf_consume(&d->later, r.at);
		step(d, FRAME_TICKET_RESULT, buf_slice(&own), NULL);
		buf_free(&own);
	}
}

void desk_input(struct desk *d, uint16_t kind, struct slice payload, const struct engine_setup *s)
{
	step(d, kind, payload, s);
	hand_in(d);
}

void desk_wait(struct desk *d, duration until)
{
	for (;;) {
		instant due = engine_due(d->rig->engine);
		if (due == INSTANT_NONE || due > T0 + until)
			break;
		d->at = MAX(d->at, due - T0);
		desk_input(d, INPUT_TICK, SLICE_NONE, NULL);
	}
	d->at = MAX(d->at, until);
	desk_input(d, INPUT_TICK, SLICE_NONE, NULL);
}

void desk_event(struct desk *d, duration at, const char *check, const char *host, const char *state)
{
	desk_wait(d, at);
	assert_true(rig_event(d->rig, at, "check", check, "host", host, "state", state, NULL));
	take_ops(d);
	hand_in(d);
}

void desk_command(struct desk *d, const char *json)
{
	desk_input(d, FRAME_COMMAND, slice_str(json), NULL);
}

void desk_restart(struct desk *d)
{
	rig_restart(d->rig);
	buf_clear(&d->later);
	desk_input(d, INPUT_RESUME, SLICE_NONE, NULL);
}

/* ---- looks */

struct incident *desk_incident(struct desk *d, const char *root)
{
	struct incident *i, *hit = NULL;
	TAILQ_FOREACH (i, &d->rig->engine->correlation->incidents, all) {
		const char *id = i->root_id != NULL ? i->root_id : i->root != NULL ? i->root->node->id : "";
		if (i->state != INCIDENT_MERGED && strcmp(id, root) == 0)
			hit = i;
	}
	assert_non_null(hit);
	return hit;
}

size_t desk_count(struct desk *d, enum incident_state s)
{
	const struct incident *i;
	size_t n = 0;
	TAILQ_FOREACH (i, &d->rig->engine->correlation->incidents, all)
		n += i->state == s;
	return n;
}

size_t desk_live(struct desk *d)
{
	return desk_count(d, INCIDENT_OPEN) + desk_count(d, INCIDENT_ACKED) +
	       desk_count(d, INCIDENT_CLEARING);
}

bool desk_logged(const struct incident *i, const char *text)
{
	for (size_t k = 0; k < i->n_log; k++)
		if (strstr(i->log[k].text, text) != NULL)
			return true;
	return false;
}
