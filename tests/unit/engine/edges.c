/* The edges of an incident's life: coming back under another root, resolution by hand, rules and maps that
 * change under it, answers that come late or not at all. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

/* ---- coming back */

static void old_root_is_forgotten(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	desk_event(d, 0, "ping", "filer", "problem");
	desk_event(d, MINUTE, "ping", "filer", "clear");
	desk_wait(d, 5 * MINUTE);
	desk_event(d, 6 * MINUTE, "ping", "filer", "problem"); /* reopened, and then it has a cause */
	desk_event(d, 7 * MINUTE, "ping", "array", "problem");
	desk_wait(d, 8 * MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_string_equal(desk_incident(d, "array")->root->node->id, "array");
	desk_event(d, 9 * MINUTE, "ping", "filer", "clear");
	desk_event(d, 9 * MINUTE, "ping", "array", "clear");
	desk_wait(d, 2 * HOUR);
	desk_event(d, 2 * HOUR, "ping", "filer", "problem");
	desk_wait(d, 2 * HOUR + MINUTE);
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
}

static void linked_to_the_old_one(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 25 * MINUTE);
	const struct incident *old = desk_incident(d, "sw1");
	assert_int_equal(old->state, INCIDENT_CLOSED);
	desk_event(d, 25 * MINUTE, "ping", "sw1", "problem");
	desk_wait(d, 26 * MINUTE);
	const struct incident *i = desk_incident(d, "sw1");
	assert_ptr_not_equal(i, old);
	assert_int_equal(i->previous, old->serial);
	assert_string_equal(i->previous_id, old->id_text);
	desk_free(d);
}

static void by_hand_with_open_group(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	unsigned before = (unsigned)doubts();
	desk_event(d, 0, "login", "lone-1", "problem");
	desk_wait(d, MINUTE);
	struct incident *i = desk_incident(d, "lone-1");
	char text[128];
	snprintf(text, sizeof text, "{\"do\":\"resolve\",\"id\":\"%s\",\"by\":\"eve\"}", i->id_text);
	desk_command(d, text);
	desk_event(d, 2 * MINUTE, "login", "lone-1", "problem"); /* a repeat: the person is believed */
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, 3 * HOUR);
	assert_int_equal(desk_live(d), 0);
	assert_int_equal(doubts(), before);
	desk_event(d, 3 * HOUR, "login", "lone-1", "clear");
	desk_wait(d, 8 * HOUR);
	assert_int_equal(doubts(), before);
	assert_null(TAILQ_FIRST(&d->rig->engine->correlation->incidents));
	desk_free(d);
}

/* ---- before it opens */

struct row {
	char id[64], state[16], json[4096];
};

static void keep_incident(void *arg, const struct engine_view *v)
{
	struct row *r = arg;
	if (v->kind != 2 || v->json.p == NULL)
		return;
	snprintf(r->id, sizeof r->id, SLICE_FMT, SLICE_ARG(v->id));
	snprintf(r->state, sizeof r->state, SLICE_FMT, SLICE_ARG(v->state));
	snprintf(r->json, sizeof r->json, SLICE_FMT, SLICE_ARG(v->json));
}

static void gathering_has_a_name(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	struct row r = {0};
	desk_event(d, 0, "ping", "sw1", "problem");
	engine_views(d->rig->engine, false, keep_incident, &r);
	assert_string_equal(r.state, "gathering");
	assert_non_null(strstr(r.json, "\"title\":\"checkout down: sw1\""));
	desk_free(d);
}

static void opens_only_while_something_is_open(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	d->rig->config->defaults.flap_changes = 0; /* the alerts themselves are not held open */
	for (int k = 0; k < 4; k++) { /* flaps, and is calm when the wait ends */
		desk_event(d, 2 * k * SECOND, "ping", "sw1", "problem");
		desk_event(d, (2 * k + 1) * SECOND, "ping", "sw1", "clear");
	}
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(desk_incident(d, "sw1")->state, INCIDENT_GATHERING);
	desk_event(d, 2 * MINUTE, "ping", "sw1", "problem");
	desk_wait(d, 2 * MINUTE + SECOND);
	assert_int_equal(desk_incident(d, "sw1")->state, INCIDENT_OPEN);
	desk_free(d);
}

/* ---- another map */

static void bound_when_the_map_knows_it(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	desk_event(d, 0, "ping", "web-7", "problem");
	desk_event(d, 10 * SECOND, "ping", "sw1", "problem");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	rig_remap(d->rig, 2 * MINUTE,
	          "version: 1\nservices:\n"
	          "  sw1:  {kind: network, hosts: [sw1]}\n"
	          "  shop: {tier: 1, hosts: ['web-*'], needs: [sw1]}\n");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_true(desk_logged(desk_incident(d, "sw1"), "shop <- sw1: depends on sw1 (1 hop, hard)"));
	desk_event(d, 4 * MINUTE, "ping", "web-7", "clear");
	desk_event(d, 4 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(desk_live(d), 0);
	desk_free(d);
}

/* ---- other rules */

static void gone_rule_closes_and_resolves(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, 0, "login", "lone-1", "problem");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(d->n, 2);
	rig_reload(d->rig, 3 * MINUTE,
	           "version: 1\npackage: t\nrules:\n"
	           "  other: {summary: other, match: {check: none}}\n");
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(desk_live(d), 0);
	assert_false(d->v[0].open);
	assert_false(d->v[1].open);
	desk_free(d);
}

static void clear_reaches_the_old_ticket(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(d->n, 1);
	rig_reload(d->rig, 3 * MINUTE,
	           "version: 1\npackage: t\nrules:\n"
	           "  unreachable: {summary: gone, match: {check: ping}, severity: critical, effect: down, "
	           "incident: {ticket: none}}\n");
	desk_event(d, 4 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_false(d->v[0].open);
	desk_free(d);
}

/* ---- answers */

static enum ticket_verb lose;
static bool losing;

static enum desk_fault lose_one(struct desk *d, const struct ticket_op *op)
{
	(void)d;
	if (!losing || op->verb != lose)
		return DESK_DONE;
	losing = false;
	return DESK_LOST_REPLY;
}

/* The reply to a resolve was lost, and the fault is back before it could be asked for again. */
static void half_closed_ticket(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->rig->config->tickets[0].retry_first = 40 * SECOND;
	d->fault = lose_one;
	lose = TICKET_RESOLVE;
	losing = true;
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, 2 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 3 * MINUTE + 41 * SECOND);
	assert_false(losing);
	assert_false(d->v[0].open);
	desk_event(d, 3 * MINUTE + 42 * SECOND, "ping", "sw1", "problem");
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_true(d->v[0].open);
	desk_free(d);
}

static struct buf taken; /* the ops of the last step, by hand */

static enum desk_fault silent(struct desk *d, const struct ticket_op *op)
{
	(void)d;
	buf_clear(&taken);
	ticket_op_encode(op, &taken);
	return DESK_NOT_DONE;
}

static enum desk_fault mute(struct desk *d, const struct ticket_op *op)
{
	silent(d, op);
	return op->verb == TICKET_FIND ? DESK_DONE : DESK_SILENT;
}

static void reply_by_hand(struct desk *d, uint64_t op, uint32_t attempt, enum ticket_verb verb,
                          const char *id)
{
	struct ticket_result r = {.id = op,
	                          .attempt = attempt,
	                          .verb = verb,
	                          .outcome = TICKET_DONE,
	                          .cls = TICKET_CLASS_OK,
	                          .status = 201,
	                          .ticket = slice_str(id)};
	struct buf b = {0};
	ticket_result_encode(&r, &b);
	desk_input(d, FRAME_TICKET_RESULT, buf_slice(&b), NULL);
	buf_free(&b);
}

static struct ticket_op last_op(void)
{
	struct ticket_op op;
	assert_true(ticket_op_decode(buf_slice(&taken), &op));
	return op;
}

/* Two creates went out, and both made a ticket: the second one is closed, whichever answers first. */
static void stray_ticket(bool first_answers_first)
{
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = mute;
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, 36 * SECOND);
	struct ticket_op one = last_op();
	assert_int_equal(one.verb, TICKET_CREATE);
	uint64_t id = one.id;
	uint32_t attempt = one.attempt;
	desk_restart(d);
	d->n = 0; /* the find sees nothing yet */
	desk_wait(d, 50 * SECOND);
	struct ticket_op two = last_op();
	assert_int_equal(two.verb, TICKET_CREATE);
	assert_int_equal(two.id, id);
	assert_true(two.attempt > attempt);
	uint32_t second = two.attempt;
	d->n = 0;
	d->fault = silent;
	reply_by_hand(d, id, first_answers_first ? attempt : second, TICKET_CREATE,
	              first_answers_first ? "71" : "72");
	const struct incident *i = desk_incident(d, "sw1");
	assert_string_equal(i->lane->ticket, first_answers_first ? "71" : "72");
	reply_by_hand(d, id, first_answers_first ? second : attempt, TICKET_CREATE,
	              first_answers_first ? "72" : "71");
	struct ticket_op close = last_op();
	assert_int_equal(close.verb, TICKET_RESOLVE);
	assert_true(slice_is(close.ticket, first_answers_first ? "72" : "71"));
	assert_string_equal(i->lane->ticket, first_answers_first ? "71" : "72");
	assert_true(desk_logged(i, "second ticket"));
	d->fault = NULL;
	desk_wait(d, 3 * MINUTE);
	assert_null(i->lane->stray);
	assert_false(i->lane->closed_there);
	desk_restart(d);
	desk_free(d);
	buf_free(&taken);
}

static void stray_first(void **state)
{
	(void)state;
	stray_ticket(true);
}

static void stray_second(void **state)
{
	(void)state;
	stray_ticket(false);
}

static void created_without_a_number(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = mute;
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, 36 * SECOND);
	struct ticket_op one = last_op();
	reply_by_hand(d, one.id, one.attempt, TICKET_CREATE, NULL);
	assert_int_equal(desk_incident(d, "sw1")->lane->state, LANE_UNKNOWN);
	desk_free(d);
	buf_free(&taken);
}

static void say(struct desk *d, const char *what, const char *root)
{
	char text[128];
	snprintf(text, sizeof text, "{\"do\":\"%s\",\"id\":\"%s\",\"by\":\"eve\"}", what,
	         desk_incident(d, root)->id_text);
	desk_command(d, text);
}

/* A person is believed: repeats and further symptoms do not reopen, a problem after a clear does. */
static void resolved_by_hand(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, MINUTE);
	const struct incident *i = desk_incident(d, "sw1");
	say(d, "resolve", "sw1");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_false(d->v[0].open);
	desk_event(d, 3 * MINUTE, "ping", "sw1", "problem");
	desk_event(d, 3 * MINUTE, "http", "sw1", "problem");
	desk_wait(d, 4 * MINUTE);
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_false(d->v[0].open);
	desk_event(d, 5 * MINUTE, "http", "sw1", "clear");
	desk_event(d, 5 * MINUTE, "ping", "sw1", "clear");
	desk_event(d, 6 * MINUTE, "ping", "sw1", "problem");
	desk_wait(d, 7 * MINUTE);
	assert_int_equal(i->state, INCIDENT_OPEN);
	assert_true(d->v[0].open);
	assert_int_equal(d->n, 1);
	desk_free(d);
}

static void acked_comes_back_acked(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, MINUTE);
	const struct incident *i = desk_incident(d, "sw1");
	say(d, "ack", "sw1");
	desk_event(d, 2 * MINUTE, "ping", "sw1", "clear");
	assert_int_equal(i->state, INCIDENT_CLEARING);
	desk_event(d, 2 * MINUTE + SECOND, "ping", "sw1", "problem");
	assert_int_equal(i->state, INCIDENT_ACKED);
	desk_event(d, 3 * MINUTE, "ping", "sw1", "clear");
	say(d, "unack", "sw1");
	desk_event(d, 3 * MINUTE + SECOND, "ping", "sw1", "problem");
	assert_int_equal(i->state, INCIDENT_OPEN);
	say(d, "ack", "sw1");
	desk_event(d, 4 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	say(d, "reopen", "sw1"); /* nothing fires: it clears again, and does not stay for ever */
	desk_wait(d, 11 * MINUTE);
	desk_wait(d, 40 * MINUTE);
	assert_int_equal(desk_live(d), 0);
	assert_false(d->v[0].open);
	desk_free(d);
}

static enum desk_fault absent_then_slow(struct desk *d, const struct ticket_op *op)
{
	if (op->verb == TICKET_CREATE)
		return DESK_NOT_DONE;
	return d->at < 2 * MINUTE ? DESK_DONE : DESK_NOT_DONE;
}

/* Nothing was made, and then it became part of another one: nothing is made. */
static void merged_before_it_was_made(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules,
	                          "version: 1\nservices:\n  sw: {hosts: [sw]}\n"
	                          "  x: {hosts: [x], needs: [sw]}\n  y: {hosts: [y], needs: [sw]}\n",
	                          true);
	d->rig->config->tickets[0].retry_first = 10 * MINUTE;
	d->rig->config->tickets[0].retry_max = 10 * MINUTE;
	d->rig->config->correlation.prior = 0; /* no guesses */
	d->fault = absent_then_slow;
	desk_event(d, 0, "ping", "x", "problem");
	desk_event(d, 0, "ping", "y", "problem");
	desk_wait(d, 40 * SECOND);
	assert_int_equal(desk_incident(d, "x")->lane->state, LANE_UNKNOWN);
	assert_int_equal(desk_incident(d, "y")->lane->state, LANE_UNKNOWN);
	desk_event(d, 50 * SECOND, "ping", "sw", "problem");
	desk_wait(d, 90 * SECOND);
	assert_int_equal(desk_count(d, INCIDENT_MERGED), 1);
	d->fault = NULL;
	desk_wait(d, 40 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
}

/* No ticket system can be searched for a note: one that may stand there twice says so, once. */
static void repeated_note(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, 3 * MINUTE);
	struct lane *l = desk_incident(d, "sw1")->lane;
	d->fault = mute;
	desk_command(d, "{\"do\":\"note\",\"id\":\"01K\",\"by\":\"eve\",\"text\":\"too short\"}");
	outbox_note(d->rig->engine, desk_incident(d, "sw1"), "look at port 4");
	desk_wait(d, 4 * MINUTE);
	assert_int_equal(l->verb, TICKET_NOTE);
	for (int k = 0; k < 2; k++) {
		desk_restart(d);
		desk_wait(d, (5 + k) * MINUTE);
	}
	l = desk_incident(d, "sw1")->lane;
	assert_string_equal(l->note_text, "(perhaps a repetition: the reply was lost) look at port 4\n");
	d->fault = NULL;
	desk_restart(d);
	desk_wait(d, 10 * MINUTE);
	assert_null(desk_incident(d, "sw1")->lane->note_text);
	desk_free(d);
	buf_free(&taken);
}

/* map.md section 3: a circle of needs is treated as one service. */
static void circle_is_one(void **state)
{
	(void)state;
	static const char *const hosts[] = {"a", "b", "c", "top"};
	for (int first = 0; first < 4; first++) {
		struct desk *d = desk_new(desk_rules,
		                          "version: 1\nservices:\n"
		                          "  a: {hosts: [a], needs: [b]}\n  b: {hosts: [b], needs: [c]}\n"
		                          "  c: {hosts: [c], needs: [a]}\n"
		                          "  top: {tier: 1, hosts: [top], needs: [a]}\n",
		                          false);
		for (int k = 0; k < 4; k++)
			desk_event(d, k * SECOND, "ping", hosts[(first + k) % 4], "problem");
		desk_wait(d, MINUTE);
		assert_int_equal(desk_live(d), 1);
		for (int k = 0; k < 4; k++)
			desk_event(d, 2 * MINUTE, "ping", hosts[(first + 2 * k + k / 2) % 4], "clear");
		desk_wait(d, 10 * MINUTE);
		assert_int_equal(desk_live(d), 0);
		for (uint32_t s = 0; s < 4; s++)
			assert_false(derived_down(d->rig->engine->correlation, s));
		desk_free(d);
	}
}

static enum desk_fault broken_or_quiet(struct desk *d, const struct ticket_op *op)
{
	(void)op;
	return d->at < 10 * MINUTE ? DESK_NOT_DONE : d->at < 20 * MINUTE ? DESK_SILENT : DESK_DONE;
}

/* A delivery is given up by a person while it tries out whether the destination is back: another one must
 * try. */
static void discarded_while_it_tries(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	char text[96];
	d->fault = broken_or_quiet;
	desk_event(d, 0, "ping", "x1", "problem");
	desk_event(d, 0, "ping", "x2", "problem");
	desk_wait(d, 15 * MINUTE);
	const struct destination *dest = outbox_destination(d->rig->engine->correlation, "default");
	assert_int_equal(dest->mode, DESTINATION_BROKEN);
	assert_true(dest->probing != 0);
	snprintf(text, sizeof text, "{\"do\":\"discard\",\"id\":\"%llu\",\"by\":\"eve\",\"text\":\"no\"}",
	         (unsigned long long)dest->probing);
	desk_wait(d, 20 * MINUTE);
	desk_command(d, text);
	desk_wait(d, 30 * MINUTE);
	assert_int_equal(dest->mode, DESTINATION_UP);
	assert_int_equal(d->n, 1);
	desk_free(d);
}

static enum desk_fault wrong_token(struct desk *d, const struct ticket_op *op)
{
	(void)op;
	return d->at < 10 * MINUTE ? DESK_AUTH : DESK_DONE;
}

/* A delivery is given up by a person while it waits for its destination: nobody tries it when the pause is
 * over. */
static void discarded_while_held(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	struct lane *l;
	char text[96];
	int held = 0;
	d->fault = wrong_token;
	desk_event(d, 0, "ping", "x1", "problem");
	desk_wait(d, 8 * MINUTE);
	TAILQ_FOREACH (l, &d->rig->engine->correlation->lanes, all)
		if (l->parked) {
			snprintf(text, sizeof text,
			         "{\"do\":\"discard\",\"id\":\"%llu\",\"by\":\"eve\",\"text\":\"no\"}",
			         (unsigned long long)l->serial);
			desk_command(d, text);
			assert_true(l->done);
			assert_false(l->parked);
			held++;
		}
	assert_int_equal(held, 1);
	desk_wait(d, 20 * MINUTE);
	desk_event(d, 20 * MINUTE, "ping", "solo", "problem");
	desk_wait(d, 40 * MINUTE);
	assert_int_equal(d->n, 1);
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(old_root_is_forgotten),
	    cmocka_unit_test(linked_to_the_old_one),
	    cmocka_unit_test(by_hand_with_open_group),
	    cmocka_unit_test(gathering_has_a_name),
	    cmocka_unit_test(opens_only_while_something_is_open),
	    cmocka_unit_test(bound_when_the_map_knows_it),
	    cmocka_unit_test(gone_rule_closes_and_resolves),
	    cmocka_unit_test(clear_reaches_the_old_ticket),
	    cmocka_unit_test(half_closed_ticket),
	    cmocka_unit_test(stray_first),
	    cmocka_unit_test(stray_second),
	    cmocka_unit_test(created_without_a_number),
	    cmocka_unit_test(resolved_by_hand),
	    cmocka_unit_test(acked_comes_back_acked),
	    cmocka_unit_test(merged_before_it_was_made),
	    cmocka_unit_test(repeated_note),
	    cmocka_unit_test(circle_is_one),
	    cmocka_unit_test(discarded_while_it_tries),
	    cmocka_unit_test(discarded_while_held),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
