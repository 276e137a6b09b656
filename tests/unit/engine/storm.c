/* The ticket budget, and incidents that go to several connections. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static void login(struct desk *d, duration at, int k, const char *state)
{
	char host[24];
	snprintf(host, sizeof host, "h%d", k);
	desk_event(d, at, "login", host, state);
}

static struct incident *the_storm(struct desk *d)
{
	struct incident *i, *s = NULL;
	TAILQ_FOREACH (i, &d->rig->engine->correlation->incidents, all)
		if (i->kind == INCIDENT_STORM)
			s = i;
	return s;
}

static struct desk *stormy(int creates)
{
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->rig->config->tickets[0].storm_creates = creates;
	d->rig->config->tickets[0].storm_within = 5 * MINUTE;
	return d;
}

static void one_ticket_for_the_rest(void **state)
{
	(void)state;
	struct desk *d = stormy(10);
	for (int k = 0; k < 100; k++)
		login(d, k * 10 * MSEC, k, "problem");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(desk_live(d), 101); /* and the storm */
	assert_int_equal(d->n, 11);
	struct incident *s = the_storm(d);
	assert_non_null(s);
	assert_int_equal(s->tally.alerts, 90);
	assert_int_equal(s->tally.alerts_open, 90);
	assert_non_null(strstr(desk_ticket(d, s->key)->title, "90 more incidents, 90 open"));
	for (int k = 99; k >= 30; k--)
		login(d, 4 * MINUTE + (100 - k) * 10 * MSEC, k, "clear");
	desk_restart(d);
	desk_wait(d, 10 * MINUTE);
	s = the_storm(d);
	assert_int_equal(s->tally.alerts_open, 20);
	assert_non_null(strstr(desk_ticket(d, s->key)->title, "90 more incidents, 20 open"));
	assert_true(desk_ticket(d, s->key)->open);
	login(d, 11 * MINUTE, 200, "problem"); /* the budget is free again */
	desk_wait(d, 13 * MINUTE);
	assert_int_equal(d->n, 12);
	for (int k = 29; k >= 0; k--)
		login(d, 14 * MINUTE, k, "clear");
	desk_wait(d, 20 * MINUTE);
	s = the_storm(d);
	assert_false(desk_ticket(d, s->key)->open); /* with the last */
	assert_int_equal(s->tally.alerts_open, 0);
	desk_wait(d, 5 * HOUR);
	assert_null(the_storm(d));
	desk_free(d);
}

static void a_p1_has_its_own(void **state)
{
	(void)state;
	struct desk *d = stormy(3);
	for (int k = 0; k < 20; k++)
		login(d, k * 10 * MSEC, k, "problem");
	desk_event(d, MINUTE, "ping", "sw1", "problem"); /* takes checkout, tier 1, down */
	desk_wait(d, 4 * MINUTE);
	struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(i->priority, 1);
	assert_int_equal(i->in_storm, 0);
	assert_non_null(i->lane);
	assert_true(desk_ticket(d, i->key)->open);
	assert_int_equal(d->n, 5);
	desk_free(d);
}

static void a_child_that_becomes_a_p1_leaves(void **state)
{
	(void)state;
	struct desk *d = stormy(1);
	login(d, 0, 1, "problem");
	desk_event(d, SECOND, "ping", "mail", "problem"); /* tier 2 */
	desk_wait(d, 4 * MINUTE);
	struct incident *i = desk_incident(d, "mail");
	assert_true(i->in_storm != 0);
	i->fixed_priority = 1;
	desk_event(d, 5 * MINUTE, "ping", "mail", "problem");
	incident_touch(d->rig->engine, i);
	desk_wait(d, 6 * MINUTE);
	assert_int_equal(i->in_storm, 0);
	assert_non_null(i->lane);
	assert_int_equal(the_storm(d)->tally.alerts, 0);
	desk_free(d);
}

static void what_comes_back_is_counted_again(void **state)
{
	(void)state;
	struct desk *d = stormy(1);
	login(d, 0, 1, "problem");
	login(d, 0, 2, "problem");
	login(d, 0, 3, "problem");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(the_storm(d)->tally.alerts_open, 2);
	login(d, 4 * MINUTE, 3, "clear");
	desk_wait(d, 8 * MINUTE);
	assert_int_equal(the_storm(d)->tally.alerts_open, 1);
	login(d, 9 * MINUTE, 3, "problem");
	desk_wait(d, 11 * MINUTE);
	assert_int_equal(the_storm(d)->tally.alerts_open, 2);
	assert_int_equal(the_storm(d)->tally.alerts, 2);
	desk_free(d);
}

/* ---- several connections */

static struct ticket_config two[2];
static char *also[] = {"pager"}, *priorities[] = {"P1", "P2"}, *services[] = {"check*"};

static struct desk *with_pager(void)
{
	struct desk *d = desk_new(desk_rules, desk_map, true);
	two[0] = two[1] = d->rig->config->tickets[0];
	two[1].name = also[0];
	two[0].also = also;
	two[0].n_also = 1;
	d->rig->config->tickets = two;
	d->rig->config->n_tickets = 2;
	return d;
}

static size_t open_tickets(const struct desk *d)
{
	size_t n = 0;
	for (size_t k = 0; k < d->n; k++)
		n += d->v[k].open;
	return n;
}

static void a_ticket_and_a_page(void **state)
{
	(void)state;
	struct desk *d = with_pager();
	two[1].priorities = priorities;
	two[1].n_priorities = 2;
	desk_event(d, 0, "ping", "sw1", "problem");
	login(d, 0, 1, "problem");
	desk_wait(d, 5 * MINUTE);
	assert_int_equal(d->n, 3); /* the login is no P2 */
	struct incident *i = desk_incident(d, "sw1");
	assert_non_null(incident_lane(i, "default"));
	assert_non_null(incident_lane(i, "pager"));
	assert_string_not_equal(incident_lane(i, "pager")->ticket, incident_lane(i, "default")->ticket);
	desk_restart(d);
	desk_event(d, 6 * MINUTE, "ping", "sw1", "clear");
	login(d, 6 * MINUTE, 1, "clear");
	desk_wait(d, 20 * MINUTE);
	assert_int_equal(open_tickets(d), 0);
	desk_wait(d, 5 * HOUR);
	assert_null(TAILQ_FIRST(&d->rig->engine->correlation->lanes));
	desk_free(d);
}

static void a_page_by_service(void **state)
{
	(void)state;
	struct desk *d = with_pager();
	two[1].priorities = NULL;
	two[1].n_priorities = 0;
	two[1].services = services;
	two[1].n_services = 1;
	desk_event(d, 0, "ping", "mail", "problem");
	desk_event(d, 0, "ping", "shop", "problem");
	desk_wait(d, 5 * MINUTE);
	assert_null(incident_lane(desk_incident(d, "mail"), "pager"));
	assert_non_null(incident_lane(desk_incident(d, "checkout"), "pager"));
	desk_free(d);
}

/* ---- links, second tickets, a broken connection */

static void merged_by_hand_is_linked(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "mail", "problem");
	desk_event(d, 0, "ping", "web", "problem");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(d->n, 2);
	struct incident *from = desk_incident(d, "web"), *into = desk_incident(d, "mail");
	incident_merge(d->rig->engine, from, into, "the same fault");
	incident_touch(d->rig->engine, from);
	desk_wait(d, 6 * MINUTE);
	struct desk_ticket *t = desk_ticket(d, from->key);
	assert_false(t->open);
	assert_string_equal(t->parent, desk_ticket(d, into->key)->id);
	assert_true(desk_logged(from, "linked below"));
	desk_free(d);
}

static enum desk_fault first_create(struct desk *d, const struct ticket_op *op)
{
	return op->verb == TICKET_CREATE && op->attempt == 1 && d->n == 0 ? DESK_NOT_DONE : DESK_DONE;
}

static void a_late_second_ticket_is_closed(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->fault = first_create;
	desk_event(d, 0, "ping", "lone-1", "problem");
	desk_wait(d, 90 * SECOND);
	assert_int_equal(d->n, 1);
	d->v[1] = d->v[0]; /* the first create was done after all, a minute later */
	snprintf(d->v[1].id, sizeof d->v[1].id, "2");
	d->n = 2;
	desk_restart(d);
	desk_wait(d, 10 * MINUTE);
	assert_true(d->v[0].open);
	assert_false(d->v[1].open);
	assert_true(desk_logged(desk_incident(d, "lone-1"), "second ticket 2"));
	desk_free(d);
}

static enum desk_fault only_pager(struct desk *d, const struct ticket_op *op)
{
	return slice_is(op->destination, "pager") || d->at > HOUR ? DESK_DONE : DESK_NOT_DONE;
}

static void a_broken_connection_is_told_elsewhere(void **state)
{
	(void)state;
	struct desk *d = with_pager();
	two[0].n_also = 0;
	d->fault = only_pager;
	desk_event(d, 0, "ping", "lone-1", "problem");
	desk_wait(d, 30 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_non_null(strstr(d->v[0].title, "cannot reach the ticket system default"));
	desk_restart(d);
	desk_wait(d, 80 * MINUTE);
	assert_int_equal(d->n, 2);
	assert_false(d->v[0].open);
	assert_true(d->v[1].open);
	desk_free(d);
}

/* ---- planned changes */

static void a_change_is_maintenance(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	const struct ticket_planned p = {.id = SLICE("CHG0049911"),
	                                 .title = SLICE("new firmware"),
	                                 .starts = SLICE("2026-01-05T00:10:00Z"),
	                                 .ends = SLICE("2026-01-05T00:20:00Z"),
	                                 .services = SLICE("no such service\nlone-1"),
	                                 .cis = SLICE("CI1")};
	d->planned = &p;
	d->rig->config->tickets[0].changes = MINUTE;
	struct engine_setup setup = {d->rig->config, d->rig->rules, d->rig->map, NULL};
	desk_input(d, INPUT_RULES, SLICE_NONE, &setup);
	desk_wait(d, 2 * MINUTE);
	desk_restart(d);
	desk_event(d, 14 * MINUTE, "ping", "lone-1", "problem");
	desk_wait(d, 19 * MINUTE);
	assert_int_equal(d->n, 0);                             /* it is being worked on */
	desk_event(d, 40 * MINUTE, "ping", "db-a", "problem"); /* needs sw1, which was changed */
	desk_wait(d, 50 * MINUTE);
	const struct incident *i = desk_incident(d, "db-a");
	assert_non_null(i->change);
	assert_string_equal(i->change, "started 30 minutes after CHG0049911 on sw1 (new firmware)");
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_ticket_for_the_rest),
	    cmocka_unit_test(a_p1_has_its_own),
	    cmocka_unit_test(a_child_that_becomes_a_p1_leaves),
	    cmocka_unit_test(what_comes_back_is_counted_again),
	    cmocka_unit_test(a_ticket_and_a_page),
	    cmocka_unit_test(a_page_by_service),

	    cmocka_unit_test(merged_by_hand_is_linked),
	    cmocka_unit_test(a_late_second_ticket_is_closed),
	    cmocka_unit_test(a_broken_connection_is_told_elsewhere),
	    cmocka_unit_test(a_change_is_maintenance),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
