/* When incidents open and resolve, and how their priority moves: correlation.md section 4, "Opening",
 * "Impact", "Calm is counted once", on virtual time. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static const char rules[] =
    "version: 1\npackage: w\nrules:\n"
    "  down: {summary: '${host} is down', match: {check: ping}, severity: critical, effect: down}\n"
    "  slow: {summary: '${host} is slow', match: {check: slow}, severity: major}\n"
    "  slower: {summary: '${host} is slower', match: {check: slower}, severity: major}\n"
    "  line: {summary: '${host} logs', match: {check: line}, severity: warning}\n"
    "  loud: {summary: '${host} logs loud', match: {check: loud}, severity: major}\n"
    "  now: {summary: '${host} now', match: {check: now}, severity: major, incident: {wait: 0}}\n"
    "  later: {summary: '${host} later', match: {check: later}, severity: critical, effect: down, "
    "incident: {wait: 5m}}\n"
    "  fixed: {summary: '${host} fixed', match: {check: fixed}, severity: major, effect: down, "
    "incident: {priority: P2}}\n"
    "  calm: {summary: '${host} calm', match: {check: calm}, severity: critical, effect: down, "
    "clear: {quiet: 3m}, incident: {resolve_after: 6m, reopen_within: 30m}}\n"
    "  risk: {summary: '${host} fills', match: {check: risk}, severity: critical, effect: risk}\n"
    "  alone: {summary: '${host} alone', match: {check: alone}, severity: warning, incident: {group: "
    "alert}}\n"
    "  none: {summary: '${host} none', match: {check: none}, severity: critical, effect: none}\n";

static const char map[] = "version: 1\nservices:\n"
                          "  shop: {tier: 1, hosts: [shop], needs: [db]}\n"
                          "  wiki: {tier: 3, hosts: [wiki], needs: [{service: db, effect: degraded}]}\n"
                          "  db: {kind: db, hosts: [db], needs: [sw]}\n"
                          "  sw: {kind: switch, hosts: [sw]}\n";

static struct desk *begin(void)
{
	return desk_new(rules, map, false);
}

static void line(struct desk *d, duration at, const char *check, const char *host)
{
	desk_wait(d, at);
	assert_true(rig_event(d->rig, at, "check", check, "host", host, NULL));
}

/* Live just after `at`, and not just before. */
static void opens_at(struct desk *d, duration at)
{
	desk_wait(d, at - MSEC);
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, at);
	assert_int_equal(desk_live(d), 1);
}

static void strong_by_level(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, SECOND, "slow", "h1", "problem");
	desk_event(d, 30 * SECOND, "ping", "h1", "problem"); /* counted from the first evidence */
	opens_at(d, 36 * SECOND);
	desk_free(d);
}

static void strong_by_number(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "slow", "shop", "problem");
	desk_event(d, 0, "slower", "shop", "problem");
	desk_event(d, SECOND, "slow", "db", "problem");
	desk_event(d, SECOND, "slower", "db", "problem");
	desk_event(d, 2 * SECOND, "slow", "sw", "problem");
	desk_event(d, 2 * SECOND, "slower", "sw", "problem");
	opens_at(d, 35 * SECOND);
	desk_free(d);
}

static void degraded_only(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "slow", "h1", "problem");
	opens_at(d, 135 * SECOND);
	desk_free(d);
	d = begin();
	desk_event(d, 0, "slow", "h1", "problem");
	desk_event(d, 130 * SECOND, "slow", "h1", "clear");
	desk_wait(d, HOUR);
	assert_int_equal(desk_live(d), 0);
	desk_free(d);
}

static void stateless_lines(void **state)
{
	(void)state;
	struct desk *d = begin();
	line(d, 0, "line", "h1");
	line(d, 100 * SECOND, "line", "h1");
	line(d, 200 * SECOND, "line", "h1");
	desk_wait(d, 200 * SECOND);
	assert_int_equal(desk_live(d), 1); /* the third line, long after settle_warn of the first */
	desk_free(d);
	d = begin();
	line(d, 0, "line", "h1");
	line(d, 100 * SECOND, "line", "h1");
	desk_wait(d, 250 * SECOND);
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, HOUR);
	assert_int_equal(desk_live(d), 0);
	desk_free(d);
	d = begin();
	line(d, 0, "loud", "h1"); /* major: one line is enough */
	opens_at(d, 135 * SECOND);
	desk_free(d);
}

static void own_wait(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "now", "h1", "problem");
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
	d = begin();
	desk_event(d, 0, "later", "h1", "problem");
	opens_at(d, 5 * MINUTE);
	desk_free(d);
}

static void storm_waits(void **state)
{
	(void)state;
	struct desk *d = begin();
	char host[16];
	for (int k = 0; k < 4; k++) {
		snprintf(host, sizeof host, "h%d", k);
		desk_event(d, 0, "ping", host, "problem");
	}
	/* the tree of sw grows by a node every 15 s */
	desk_event(d, SECOND, "ping", "sw", "problem");
	desk_event(d, 16 * SECOND, "ping", "db", "problem");
	desk_event(d, 31 * SECOND, "ping", "shop", "problem");
	desk_wait(d, 34 * SECOND);
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, 35 * SECOND);
	assert_int_equal(desk_incident(d, "sw")->state, INCIDENT_GATHERING);
	desk_wait(d, 100 * SECOND);
	assert_int_equal(desk_live(d), 5);
	desk_free(d);
}

static void storm_hold_ends(void **state)
{
	(void)state;
	static char text[40000];
	size_t n = (size_t)snprintf(text, sizeof text,
	                            "version: 1\nservices:\n  core: {kind: switch, hosts: [core]}\n");
	for (int k = 0; k < 60; k++)
		n += (size_t)snprintf(text + n, sizeof text - n, "  l%d: {hosts: [l%d], needs: [core]}\n", k,
		                      k);
	struct desk *d = desk_new(rules, text, false);
	char host[16];
	desk_event(d, 0, "ping", "core", "problem");
	for (int k = 0; k < 60; k++) { /* others keep gathering, and this tree never stops growing */
		snprintf(host, sizeof host, "x%d", k);
		desk_event(d, 2 * k * SECOND, "ping", host, "problem");
		snprintf(host, sizeof host, "l%d", k);
		desk_event(d, 2 * k * SECOND, "ping", host, "problem");
		if (d->at < 90 * SECOND)
			assert_int_equal(desk_incident(d, "core")->state, INCIDENT_GATHERING);
	}
	assert_int_equal(desk_incident(d, "core")->state, INCIDENT_OPEN);
	desk_free(d);
}

static void priority_only_rises(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "ping", "db", "problem");
	desk_wait(d, MINUTE);
	const struct incident *i = desk_incident(d, "db");
	assert_int_equal(i->priority, 1);
	assert_string_equal(i->title, "shop down: db");
	desk_event(d, MINUTE, "ping", "db", "clear");
	desk_event(d, 2 * MINUTE, "slow", "db", "problem");
	desk_wait(d, 2 * MINUTE + SECOND);
	assert_int_equal(i->priority, 1);
	desk_free(d);
}

static void priority_anew_with_the_root(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "fixed", "wiki", "problem");
	desk_wait(d, MINUTE);
	assert_int_equal(desk_incident(d, "wiki")->priority, 2);
	desk_free(d);
	d = desk_new(rules,
	             "version: 1\nservices:\n"
	             "  shop: {tier: 1, hosts: [shop], needs: [db]}\n"
	             "  cron: {hosts: [cron], needs: [{service: db, effect: degraded}]}\n"
	             "  db: {kind: db, hosts: [db], needs: [{any: [sw, sw-b], at_least: 1}]}\n"
	             "  sw: {kind: switch, hosts: [sw]}\n  sw-b: {kind: switch}\n",
	             false);
	desk_event(d, 0, "risk", "db", "problem");
	desk_event(d, 0, "ping", "sw", "problem");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(desk_incident(d, "sw")->priority, 4);
	desk_free(d);
}

static void risk_is_last(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "risk", "shop", "problem");
	opens_at(d, 135 * SECOND);
	const struct incident *i = desk_incident(d, "shop");
	assert_int_equal(i->priority, 4);
	assert_int_equal(i->n_hurts, 0);
	desk_event(d, 3 * MINUTE, "ping", "shop", "problem");
	desk_wait(d, 4 * MINUTE);
	assert_int_equal(desk_live(d), 2); /* beside it, not with it */
	desk_free(d);
}

static void other_groups_settle(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "alone", "wiki", "problem");
	opens_at(d, 35 * SECOND);
	assert_int_equal(desk_incident(d, "wiki")->priority, 4); /* tier 3 degraded */
	desk_event(d, MINUTE, "none", "shop", "problem");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	assert_int_equal(desk_incident(d, "shop")->n_hurts, 0);
	desk_free(d);
}

/* quiet, debounce and resolve_after all run from the last event, side by side. */
static void calm_is_counted_once(void **state)
{
	(void)state;
	struct desk *d = begin();
	desk_event(d, 0, "calm", "h1", "problem");
	desk_event(d, MINUTE, "calm", "h1", "problem");
	desk_wait(d, 4 * MINUTE - MSEC);
	assert_int_equal(desk_incident(d, "h1")->state, INCIDENT_OPEN);
	desk_wait(d, 4 * MINUTE); /* quiet: 3m after the last event */
	assert_int_equal(desk_incident(d, "h1")->state, INCIDENT_CLEARING);
	desk_wait(d, 7 * MINUTE - MSEC);
	assert_int_equal(desk_incident(d, "h1")->state, INCIDENT_CLEARING);
	desk_wait(d, 7 * MINUTE);
	assert_int_equal(desk_incident(d, "h1")->state, INCIDENT_RESOLVED);
	desk_event(d, 36 * MINUTE, "calm", "h1", "problem"); /* within its 30m */
	assert_int_equal(desk_incident(d, "h1")->state, INCIDENT_OPEN);
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strong_by_level),
	    cmocka_unit_test(strong_by_number),
	    cmocka_unit_test(degraded_only),
	    cmocka_unit_test(stateless_lines),
	    cmocka_unit_test(own_wait),
	    cmocka_unit_test(storm_waits),
	    cmocka_unit_test(storm_hold_ends),
	    cmocka_unit_test(priority_only_rises),
	    cmocka_unit_test(priority_anew_with_the_root),
	    cmocka_unit_test(risk_is_last),
	    cmocka_unit_test(other_groups_settle),
	    cmocka_unit_test(calm_is_counted_once),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
