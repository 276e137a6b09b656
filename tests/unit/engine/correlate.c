/* Incidents from events on virtual time: one per fault, with its root, its name and its life. */
#include "desk.h"

static void dead_switch(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	desk_event(d, 0, "http", "shop", "problem");
	desk_event(d, 5 * SECOND, "http", "api", "problem");
	desk_event(d, 8 * SECOND, "ping", "db-a", "problem");
	desk_event(d, 12 * SECOND, "ping", "sw1", "problem");
	desk_wait(d, 34 * SECOND);
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, 60 * SECOND);
	assert_int_equal(desk_live(d), 1);
	const struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(i->state, INCIDENT_OPEN);
	assert_string_equal(i->title, "checkout down: sw1");
	assert_int_equal(i->priority, 1);
	assert_string_equal(i->assign, "NETWORK");
	assert_int_equal(i->tally.alerts, 4);
	assert_string_equal(impact_word(i), "high");
	assert_true(desk_logged(i, "db-a <- sw1: depends on sw1 (1 hop, hard), sw1 down 4s later"));
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dead_switch)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
