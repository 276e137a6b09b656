/* Delivery against a ticket system that refuses, loses replies and falls silent, with restarts in between:
 * one ticket for each incident in the end, closed when the incident is. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static enum desk_fault script[8];
static size_t script_at, script_n;
static bool restart_due;

static enum desk_fault scripted(struct desk *d, const struct ticket_op *op)
{
	(void)d, (void)op;
	enum desk_fault f = script_at < script_n ? script[script_at++] : DESK_DONE;
	restart_due = restart_due || f == DESK_SILENT;
	return f;
}

/* Waits; a silence ends with a restart some seconds later. */
static void pass(struct desk *d, duration until)
{
	while (d->at < until) {
		desk_wait(d, MIN(until, d->at + 20 * SECOND));
		if (!restart_due)
			continue;
		restart_due = false;
		desk_restart(d);
	}
}

static void check_all(struct desk *d)
{
	const struct incident *i;
	TAILQ_FOREACH (i, &d->rig->engine->correlation->incidents, all) {
		size_t n = 0;
		for (size_t k = 0; i->key != NULL && k < d->n; k++)
			n += strcmp(d->v[k].key, i->key) == 0;
		if (i->opened == INSTANT_NONE) {
			assert_int_equal(n, 0);
			continue;
		}
		assert_int_equal(n, 1);
		assert_int_equal(desk_ticket(d, i->key)->open, incident_state_live(i->state));
	}
}

static void run_script(void)
{
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = scripted;
	script_at = 0;
	restart_due = false;
	desk_event(d, 0, "ping", "sw1", "problem");
	pass(d, 20 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_true(d->v[0].open);
	desk_event(d, 21 * MINUTE, "ping", "sw1", "clear");
	pass(d, 50 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_false(d->v[0].open);
	check_all(d);
	desk_free(d);
}

/* Every sequence of four outcomes. */
static void every_sequence(void **state)
{
	static const enum desk_fault kinds[] = {DESK_DONE,     DESK_LOST_REPLY, DESK_NOT_DONE,
	                                        DESK_THROTTLE, DESK_AUTH,       DESK_SILENT};
	(void)state;
	script_n = 4;
	for (size_t k = 0; k < 6 * 6 * 6 * 6; k++) {
		size_t rest = k;
		for (size_t i = 0; i < script_n; i++, rest /= 6)
			script[i] = kinds[rest % 6];
		run_script();
	}
}

static void after_the_create(void **state)
{
	static const enum desk_fault s[] = {DESK_DONE,   DESK_SILENT,   DESK_LOST_REPLY,
	                                    DESK_SILENT, DESK_NOT_DONE, DESK_AUTH};
	(void)state;
	memcpy(script, s, sizeof s);
	script_n = ARRAY_LEN(s);
	run_script();
}

static void refused_waits_for_a_person(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = scripted;
	script[0] = DESK_REFUSE;
	script_at = 0;
	script_n = 1;
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, 10 * MINUTE);
	struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(d->n, 0);
	assert_int_equal(d->ops, 1);
	assert_true(i->lane->dead);
	assert_string_equal(lane_state_word(i->lane), "dead");
	struct engine_stats st;
	engine_stats(d->rig->engine, &st);
	assert_int_equal(st.outbox, 1);
	assert_int_equal(st.outbox_parked, 1);
	char cmd[120];
	snprintf(cmd, sizeof cmd, "{\"do\":\"outbox-retry\",\"id\":%llu,\"by\":\"ann\"}",
	         (unsigned long long)i->lane->serial);
	desk_command(d, cmd);
	desk_wait(d, 11 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_true(desk_logged(i, "ann tries the delivery again"));
	engine_stats(d->rig->engine, &st);
	assert_int_equal(st.outbox, 0);
	desk_free(d);
}

/* Nothing goes out before the connection has passed: a retry, a refusal and a restart on the way; then it is not asked again
 * until profile or addresses change. */
static void proves_itself_first(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	struct ticket_config *t = &d->rig->config->tickets[0];
	t->fingerprint = 7;
	d->fault = scripted;
	static const enum desk_fault faults[] = {DESK_NOT_DONE, DESK_SILENT, DESK_REFUSE};
	memcpy(script, faults, sizeof faults);
	script_at = 0;
	script_n = 3;
	restart_due = false;
	desk_event(d, 0, "ping", "sw1", "problem");
	pass(d, 10 * MINUTE);
	struct destination *at = outbox_destination(d->rig->engine->correlation, "default");
	assert_int_equal(at->check, CHECK_REFUSED);
	assert_int_equal(d->n, 0);
	assert_string_equal(lane_state_word(desk_incident(d, "sw1")->lane), "held");
	pass(d, 30 * MINUTE); /* it tries again by itself */
	at = outbox_destination(d->rig->engine->correlation, "default");
	assert_int_equal(at->proven, 7);
	assert_int_equal(d->n, 1);
	size_t ops = d->ops;
	desk_restart(d);
	desk_wait(d, 40 * MINUTE);
	assert_int_equal(d->ops, ops); /* it is kept */
	t->fingerprint = 8;
	script[0] = DESK_REFUSE;
	script_at = 0;
	script_n = 1;
	desk_event(d, 41 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 45 * MINUTE);
	assert_true(d->v[0].open);
	desk_command(d, "{\"do\":\"check\",\"id\":\"default\",\"by\":\"ann\"}");
	desk_wait(d, 60 * MINUTE);
	assert_int_equal(outbox_destination(d->rig->engine->correlation, "default")->proven, 8);
	assert_false(d->v[0].open);
	desk_free(d);
}

static enum desk_fault broken_until;
static duration broken_to;
static size_t asked;

static enum desk_fault broken(struct desk *d, const struct ticket_op *op)
{
	(void)op;
	asked++;
	return d->at < broken_to ? broken_until : DESK_DONE;
}

static void storm(struct desk *d, int hosts)
{
	for (int k = 0; k < hosts; k++) {
		char host[16];
		snprintf(host, sizeof host, "h%d", k);
		desk_event(d, k * 100 * MSEC, "ping", host, "problem");
	}
}

static void breaker_opens_and_probes(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = broken;
	broken_until = DESK_NOT_DONE;
	broken_to = 30 * MINUTE;
	asked = 0;
	storm(d, 50);
	desk_wait(d, 30 * MINUTE);
	assert_int_equal(d->n, 0);
	/* five open it (all 50 may be on their way), then about one probe each 30 s */
	assert_in_range(asked, 55, 130);
	desk_wait(d, 45 * MINUTE);
	assert_int_equal(d->n, 50);
	check_all(d);
	desk_free(d);
}

static void wrong_token_pauses(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = broken;
	broken_until = DESK_AUTH;
	broken_to = 30 * HOUR; /* longer than give_up: a paused destination does not count */
	asked = 0;
	storm(d, 3);
	desk_wait(d, 30 * HOUR);
	assert_int_equal(d->n, 0);
	assert_in_range(asked, 1700, 1810);
	const struct incident *i = desk_incident(d, "h0");
	assert_false(i->lane->dead);
	desk_wait(d, 31 * HOUR);
	assert_int_equal(d->n, 3);
	desk_free(d);
}

static void gives_up_after_a_day(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = broken;
	broken_until = DESK_THROTTLE;
	broken_to = 300 * HOUR;
	d->rig->config->tickets[0].give_up = HOUR;
	storm(d, 1);
	desk_wait(d, 3 * HOUR);
	assert_true(desk_incident(d, "h0")->lane->dead);
	desk_free(d);
}

/* ---- random lives */

static int chance;

static enum desk_fault random_fault(struct desk *d, const struct ticket_op *op)
{
	static const enum desk_fault kinds[] = {DESK_LOST_REPLY, DESK_NOT_DONE, DESK_THROTTLE,
	                                        DESK_AUTH,       DESK_SILENT,   DESK_LOST_REPLY};
	(void)op;
	if ((int)(desk_random(d) % 100) >= chance)
		return DESK_DONE;
	enum desk_fault f = kinds[desk_random(d) % ARRAY_LEN(kinds)];
	restart_due = restart_due || f == DESK_SILENT;
	return f;
}

static void random_event(struct desk *d)
{
	static const char *const hosts[] = {"sw1", "db-a",  "db-b",  "api",  "shop",   "pod-a", "pod-b",
	                                    "web", "array", "filer", "mail", "lone-1", "other"};
	static const char *const checks[] = {"ping", "ping", "http", "disk", "login"};
	duration at = d->at + (duration)(desk_random(d) % 40) * SECOND;
	const char *host = hosts[desk_random(d) % ARRAY_LEN(hosts)];
	const char *check = checks[desk_random(d) % ARRAY_LEN(checks)];
	desk_event(d, at, check, host, desk_random(d) % 2 ? "problem" : "clear");
}

static void clear_all(struct desk *d)
{
	static const char *const checks[] = {"ping", "http", "disk", "login"};
	static const char *const hosts[] = {"sw1", "db-a",  "db-b",  "api",  "shop",   "pod-a", "pod-b",
	                                    "web", "array", "filer", "mail", "lone-1", "other"};
	for (size_t h = 0; h < ARRAY_LEN(hosts); h++)
		for (size_t c = 0; c < ARRAY_LEN(checks); c++)
			desk_event(d, d->at, checks[c], hosts[h], "clear");
}

static void random_life(uint64_t seed)
{
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = random_fault;
	d->random = seed * 2654435761u + 88172645463325252u;
	restart_due = false;
	chance = 30;
	for (int k = 0; k < 120; k++) {
		random_event(d);
		if (restart_due || desk_random(d) % 15 == 0)
			desk_restart(d);
		restart_due = false;
	}
	chance = 0;
	clear_all(d);
	desk_restart(d);
	pass(d, d->at + 14 * MINUTE);
	check_all(d);
	pass(d, d->at + 10 * HOUR);
	for (size_t k = 0; k < d->n; k++) {
		assert_false(d->v[k].open);
		for (size_t j = 0; j < k; j++)
			assert_string_not_equal(d->v[k].key, d->v[j].key);
	}
	assert_null(TAILQ_FIRST(&d->rig->engine->correlation->incidents)); /* nothing is kept for ever */
	assert_null(TAILQ_FIRST(&d->rig->engine->correlation->episodes));
	assert_null(TAILQ_FIRST(&d->rig->engine->correlation->lanes));
	desk_free(d);
}

static void random_lives(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++)
		random_life(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_sequence),
	    cmocka_unit_test(after_the_create),
	    cmocka_unit_test(refused_waits_for_a_person),
	    cmocka_unit_test(proves_itself_first),
	    cmocka_unit_test(breaker_opens_and_probes),
	    cmocka_unit_test(wrong_token_pauses),
	    cmocka_unit_test(gives_up_after_a_day),
	    cmocka_unit_test(random_lives),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
