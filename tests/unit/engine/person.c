/* What people do to tickets, seen by polls and webhooks, with a save and a load in between. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static struct desk *with_ticket(void)
{
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->rig->config->tickets[0].poll = 30 * SECOND;
	desk_event(d, 0, "ping", "lone-1", "problem");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_true(d->polls > 0);
	return d;
}

/* A person did something: the next poll tells; the engine goes through a save on the way. */
static void told(struct desk *d)
{
	d->v[0].changed = true;
	d->v[0].by = "ann";
	desk_restart(d);
	desk_wait(d, d->at + 2 * MINUTE);
}

static void closed_is_believed(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	const struct incident *i = desk_incident(d, "lone-1");
	d->v[0].open = false;
	told(d);
	i = desk_incident(d, "lone-1");
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_true(desk_logged(i, "ann in ticket 1"));
	desk_event(d, d->at + MINUTE, "ping", "lone-1", "problem"); /* a repeat */
	desk_wait(d, d->at + 5 * MINUTE);
	assert_int_equal(desk_live(d), 0);
	assert_false(d->v[0].open);
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 3 * MINUTE);
	desk_event(d, d->at, "ping", "lone-1", "problem"); /* a new problem after a clear */
	desk_wait(d, d->at + 3 * MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_true(d->v[0].open); /* the same ticket, within reopen_within */
	assert_int_equal(d->n, 1);
	desk_free(d);
}

static void wont_fix_mutes_until_worse(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	d->v[0].state = "wontfix";
	d->v[0].open = false;
	told(d);
	const struct incident *i = desk_incident(d, "lone-1");
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_true(desk_logged(i, "will not be mended"));
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 40 * MINUTE);
	desk_event(d, d->at, "ping", "lone-1", "problem"); /* again, much later */
	desk_wait(d, d->at + 5 * MINUTE);
	assert_int_equal(desk_live(d), 1); /* seen here, no ticket there */
	assert_int_equal(d->n, 1);
	assert_false(d->v[0].open);
	i = desk_incident(d, "lone-1");
	assert_true(desk_logged(i, "no ticket: ticket 1 said"));
	desk_free(d);
}

static void wont_fix_ends_when_worse(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->rig->config->tickets[0].poll = 30 * SECOND;
	desk_event(d, 0, "http", "lone-1", "problem"); /* major */
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(d->n, 1);
	d->v[0].state = "wontfix";
	d->v[0].open = false;
	told(d);
	assert_int_equal(desk_live(d), 0);
	desk_event(d, d->at, "ping", "lone-1", "problem"); /* critical */
	desk_wait(d, d->at + 5 * MINUTE);
	assert_int_equal(desk_live(d), 1);
	size_t open = 0;
	for (size_t k = 0; k < d->n; k++)
		open += d->v[k].open;
	assert_int_equal(open, 1);
	desk_free(d);
}

static void lowered_priority_stays(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	struct incident *i = desk_incident(d, "lone-1");
	int was = i->priority;
	assert_true(was < 5);
	d->v[0].priority = 5;
	told(d);
	i = desk_incident(d, "lone-1");
	assert_int_equal(i->priority, 5);
	assert_true(desk_logged(i, "priority P5, it was"));
	desk_event(d, d->at + MINUTE, "ping", "lone-1", "problem");
	desk_wait(d, d->at + 5 * MINUTE);
	assert_int_equal(d->v[0].priority, 5);
	assert_int_equal(desk_incident(d, "lone-1")->priority, 5);
	desk_free(d);
}

static void merged_is_followed(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	desk_event(d, d->at, "ping", "array", "problem");
	desk_wait(d, d->at + 2 * MINUTE);
	assert_int_equal(d->n, 2);
	d->v[0].merged_into = "2";
	told(d);
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 10 * MINUTE);
	assert_int_equal(desk_incident(d, "lone-1")->state, INCIDENT_RESOLVED);
	assert_true(desk_logged(desk_incident(d, "lone-1"), "merged into ticket 2"));
	assert_true(d->v[1].open); /* the other fault lasts */
	desk_event(d, d->at, "ping", "array", "clear");
	desk_wait(d, d->at + 10 * MINUTE);
	assert_false(d->v[1].open);
	desk_free(d);
}

static void gone_is_told(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	d->v[0].state = "gone";
	told(d);
	struct incident *i = desk_incident(d, "lone-1");
	assert_true(i->lane->dead && i->lane->lost);
	assert_true(desk_logged(i, "deleted by ann in ticket 1"));
	size_t ops = d->ops - d->polls;
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 20 * MINUTE);
	assert_int_equal(d->ops - d->polls, ops); /* nothing can be done to it */
	desk_free(d);
}

static void reopened_while_it_lasts(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	d->v[0].open = false;
	told(d);
	assert_int_equal(desk_live(d), 0);
	d->v[0].open = true;
	told(d);
	assert_int_equal(desk_live(d), 1);
	assert_true(desk_logged(desk_incident(d, "lone-1"), "reopened by"));
	desk_free(d);
}

static void left_open_when_well(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 4 * MINUTE);
	assert_false(d->v[0].open);
	d->v[0].open = true;
	told(d);
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, d->at + 30 * MINUTE);
	assert_true(d->v[0].open); /* theirs now */
	desk_free(d);
}

static void reassigned_and_acked(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	d->v[0].assignee = "nobody";
	told(d);
	d->v[0].assignee = "bob";
	told(d);
	struct incident *i = desk_incident(d, "lone-1");
	assert_true(i->lane->reassigned);
	assert_true(desk_logged(i, "assigned to bob"));
	d->v[0].state = "acked";
	told(d);
	i = desk_incident(d, "lone-1");
	assert_int_equal(i->state, INCIDENT_ACKED);
	desk_free(d);
}

/* Our own changes come back in polls too. */
static void our_own_are_no_news(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	for (int k = 0; k < 5; k++) {
		d->v[0].changed = true;
		desk_wait(d, d->at + MINUTE);
	}
	assert_int_equal(d->v[0].gets, 0);
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 4 * MINUTE);
	d->v[0].changed = true;
	desk_wait(d, d->at + 2 * MINUTE);
	assert_int_equal(d->v[0].gets, 0);
	assert_int_equal(desk_incident(d, "lone-1")->by_hand, false);
	desk_free(d);
}

static void a_webhook_makes_it_look(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	struct buf b = {0};
	const struct ticket_seen s = {.id = SLICE("1")};
	buf_lslice(&b, SLICE("default"));
	ticket_seen_encode(&s, &b);
	d->v[0].open = false;
	desk_input(d, FRAME_TICKET_HINT, buf_slice(&b), NULL);
	assert_int_equal(d->v[0].gets, 1);
	assert_int_equal(desk_incident(d, "lone-1")->state, INCIDENT_RESOLVED);
	buf_clear(&b);
	buf_lslice(&b, SLICE("no such connection"));
	desk_input(d, FRAME_TICKET_HINT, buf_slice(&b), NULL);
	buf_free(&b);
	desk_free(d);
}

static void nothing_open_nothing_asked(void **state)
{
	(void)state;
	struct desk *d = with_ticket();
	desk_event(d, d->at, "ping", "lone-1", "clear");
	desk_wait(d, d->at + 2 * HOUR);
	size_t polls = d->polls;
	desk_wait(d, d->at + 2 * HOUR);
	assert_int_equal(d->polls, polls);
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closed_is_believed),       cmocka_unit_test(wont_fix_mutes_until_worse),
	    cmocka_unit_test(wont_fix_ends_when_worse), cmocka_unit_test(lowered_priority_stays),
	    cmocka_unit_test(merged_is_followed),       cmocka_unit_test(gone_is_told),
	    cmocka_unit_test(reopened_while_it_lasts),  cmocka_unit_test(left_open_when_well),
	    cmocka_unit_test(reassigned_and_acked),     cmocka_unit_test(our_own_are_no_news),
	    cmocka_unit_test(a_webhook_makes_it_look),  cmocka_unit_test(nothing_open_nothing_asked),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
