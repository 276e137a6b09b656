/* Keys, sliding windows, and what ends a condition. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define RULE(text) "version: 1\npackage: t\nrules:\n  r:\n    summary: \"${host}: ${message}\"\n" text

static void test_no_when(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n"));
	(void)state;
	assert_false(rig_event(r, 0, "host", "a", "app", "y", NULL));
	assert_true(rig_event(r, 0, "host", "a", "app", "x", "message", "boom", NULL));
	assert_true(rig_event(r, SECOND, "host", "b", "app", "x", NULL));
	assert_true(rig_event(r, 2 * SECOND, "app", "x", NULL));
	rig_event(r, 3 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(rig_count(r, "t/r", "open"), 3);
	assert_string_equal(rig_told(), "r:opened r:opened r:opened r:repeated");
	rig_event(r, 4 * SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	rig_event(r, 4 * SECOND, "host", "b", "app", "x", "state", "clear", NULL);
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_string_equal(a->by_values[0], "(none)");
	rig_free(r);
}

/* 17.1: (t - d, t] */
static void test_sliding_edge(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    when: {at_least: 3, within: 10s}\n"));
	(void)state;
	rig_event(r, 0, "host", "a", "app", "x", NULL);
	rig_event(r, 5 * SECOND, "host", "a", "app", "x", NULL);
	rig_event(r, 10 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	rig_event(r, 15 * SECOND - 1, "host", "a", "app", "x", NULL);
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_int_equal(a->count, 3);
	assert_int_equal(a->first, T0 + 5 * SECOND);
	rig_event(r, 60 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(a->count, 4);
	rig_free(r);
}

static void test_clear_empties(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    when: {at_least: 2, within: 1m}\n"));
	(void)state;
	rig_event(r, 0, "host", "a", "app", "x", NULL);
	rig_event(r, SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	rig_event(r, 2 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	rig_event(r, 3 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 1);
	rig_event(r, 4 * SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	rig_event(r, 5 * SECOND, "host", "a", "app", "x", NULL); /* a closing empties the window too */
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	rig_free(r);
}

/* A threshold rule closes although single events still trickle in. */
static void test_quiet_of_threshold(void **state)
{
	struct rig *r = rig_new(
	    RULE("    match: {app: x}\n    when: {at_least: 3, within: 10s}\n    clear: {quiet: 1m}\n"));
	(void)state;
	for (int i = 0; i < 4; i++)
		rig_event(r, i * SECOND, "host", "a", "app", "x", NULL);
	for (int i = 1; i < 4; i++)
		rig_event(r, i * 20 * SECOND, "host", "a", "app", "x", NULL);
	rig_tick(r, 63 * SECOND - 1);
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_int_equal(a->count, 7);
	rig_tick(r, 63 * SECOND);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	assert_int_equal(rig_alert(r, "t/r", "closed")->calm,
	                 T0 + 3 * SECOND); /* calm is counted from the last time it held */
	rig_free(r);
}

static void test_fewer_than(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    when: {at_least: 3, within: 10s}\n    clear: "
	                             "{fewer_than: 2, within: 30s}\n"));
	(void)state;
	for (int i = 0; i < 3; i++)
		rig_event(r, i * SECOND, "host", "a", "app", "x", NULL);
	rig_event(r, 20 * SECOND, "host", "a", "app", "x", NULL);
	rig_tick(r, 32 * SECOND - 1); /* 2 s and 20 s still stand in 30 s */
	assert_int_equal(rig_count(r, NULL, "open"), 1);
	rig_tick(r, 32 * SECOND);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	assert_int_equal(rig_alert(r, "t/r", "closed")->calm, T0 + 32 * SECOND);
	rig_free(r);
}

/* 17.5 */
static void test_match_and_clear_match(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    clear: {match: {app: x, message: {contains: ok}}}\n"));
	(void)state;
	rig_event(r, 0, "host", "a", "app", "x", "message", "bad", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 1);
	rig_event(r, SECOND, "host", "b", "app", "x", "message", "ok", NULL);
	rig_event(r, SECOND, "host", "a", "app", "x", "message", "all ok", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	assert_string_equal(rig_told(), "r:opened r:closed");
	rig_free(r);
}

static void test_state_words(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  built-in: {summary: \"one ${host}\", match: {app: x}}\n"
	                        "  own: {summary: \"two ${host}\", match: {app: x, state: [info, clear]}}\n");
	(void)state;
	rig_event(r, 0, "host", "a", "app", "x", "state", "info", NULL);
	assert_int_equal(rig_count(r, "t/built-in", "open"), 0);
	assert_int_equal(rig_count(r, "t/own", "open"), 1);
	rig_event(r, SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	assert_int_equal(rig_alert(r, "t/own", "open")->count, 2);
	rig_free(r);
}

static void test_keys_are_bounded(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    when: {at_least: 2, within: 1h}\n"));
	char host[16];
	(void)state;
	r->config->limits.keys_per_rule = 10;
	rig_event(r, 0, "host", "keep", "app", "x", NULL);
	rig_event(r, 0, "host", "keep", "app", "x", NULL); /* has an alert: never evicted */
	for (int i = 0; i < 50; i++) {
		snprintf(host, sizeof host, "h%d", i);
		rig_event(r, (1 + i) * SECOND, "host", host, "app", "x", NULL);
	}
	uint64_t hits, alerts, keys;
	struct engine_stats stats;
	engine_rule_stats(r->engine, 0, &hits, &alerts, &keys);
	engine_stats(r->engine, &stats);
	assert_int_equal(hits, 52);
	assert_int_equal(keys, 10);
	assert_int_equal(stats.evicted, 41);
	rig_event(r, 60 * SECOND, "host", "h45", "app", "x", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 2);
	rig_free(r);
}

static void test_dead_keys_go(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    when: {at_least: 2, within: 10s}\n"));
	char host[16];
	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(host, sizeof host, "h%d", i);
		rig_event(r, i * SECOND, "host", host, "app", "x", NULL);
	}
	struct engine_stats stats;
	engine_stats(r->engine, &stats);
	assert_in_range(stats.windows, 1, 12);
	assert_int_equal(stats.evicted, 0);
	rig_free(r);
}

static void test_big_window(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    when: {at_least: 1000, within: 1000s}\n"));
	(void)state;
	for (int i = 0; i < 1000; i++)
		rig_event(r, 2 * i * SECOND, "host", "a", "app", "x",
		          NULL); /* never more than 500 in 1000 s */
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	for (int i = 0; i < 499; i++)
		rig_event(r, 1999 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	rig_restart(r);
	rig_event(r, 1999 * SECOND, "host", "a", "app", "x", NULL);
	assert_int_equal(rig_alert(r, "t/r", "open")->count, 1000);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_when),       cmocka_unit_test(test_sliding_edge),
	    cmocka_unit_test(test_clear_empties), cmocka_unit_test(test_quiet_of_threshold),
	    cmocka_unit_test(test_fewer_than),    cmocka_unit_test(test_match_and_clear_match),
	    cmocka_unit_test(test_state_words),   cmocka_unit_test(test_keys_are_bounded),
	    cmocka_unit_test(test_dead_keys_go),  cmocka_unit_test(test_big_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
