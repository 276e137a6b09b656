/* The forms of `when` that have a state of their own, `flap` and `close_after`: when an alert opens, what it
 * counts, what ends it, and that a restart in the middle changes nothing. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define RULE(text) "version: 1\npackage: t\nrules:\n  r:\n    summary: \"${host}: ${alert.value}\"\n" text

static void send(struct rig *r, duration at, const char *app, const char *num)
{
	rig_event(r, at, "host", "a", "app", app, "x.num", num, NULL);
}

static size_t open_alerts(const struct rig *r)
{
	return rig_count(r, "t/r", "open");
}

/* ---- values */

static void test_sum(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    when: {at_least: 10, of: {sum: x.num}, within: 64s}\n"));
	(void)state;
	send(r, 0, "x", "4");
	send(r, SECOND, "x", "nothing to count");
	rig_event(r, SECOND, "host", "a", "app", "x", NULL);
	send(r, 63 * SECOND, "x", "5.5");
	assert_int_equal(open_alerts(r), 0);
	send(r, 64 * SECOND, "x", "5"); /* the 4 has left: (t-d, t] */
	rig_restart(r);
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_int_equal(a->count, 2);
	assert_int_equal(a->first, T0 + 63 * SECOND);
	assert_string_equal(a->summary, "a: 10.5");
	send(r, 65 * SECOND, "x", "-3.25");
	assert_string_equal(a->summary, "a: 7.25");
	assert_int_equal(a->count, 3);
	rig_free(r);
}

static void test_distinct(void **state)
{
	struct rig *r = rig_new(
	    RULE("    match: {app: x}\n    when: {at_least: 3, of: {distinct: x.num}, within: 1m}\n"));
	char text[16];
	(void)state;
	send(r, 0, "x", "u1");
	send(r, 20 * SECOND, "x", "u2");
	send(r, 40 * SECOND, "x", "u2");
	send(r, 60 * SECOND, "x", "u3"); /* u1 has left */
	assert_int_equal(open_alerts(r), 0);
	rig_restart(r);
	send(r, 61 * SECOND, "x", "u4");
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_int_equal(a->count, 4); /* events, not names */
	assert_string_equal(a->summary, "a: 3");
	for (int i = 0; i < 10100; i++) {
		snprintf(text, sizeof text, "v%d", i);
		send(r, 62 * SECOND, "x", text);
	}
	assert_string_equal(a->summary, "a: 10000"); /* no more are kept */
	rig_restart(r);
	rig_free(r);
}

/* No verdict of fewer than 5 values; nearest rank. */
static void test_percentiles(void **state)
{
	static const char *const of[] = {"avg", "p50", "p90", "p95", "p99", "min", "max"};
	static const char *const want[] = {"a: 50.5", "a: 50", "a: 90", "a: 95", "a: 99", "a: 1", "a: 100"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		char yaml[512], num[16];
		snprintf(
		    yaml, sizeof yaml,
		    RULE("    match: {app: x}\n    when: {at_least: 0.5, of: {%s: x.num}, within: 1h}\n"),
		    of[i]);
		struct rig *r = rig_new(yaml);
		for (int k = 0; k < 100; k++) {
			snprintf(num, sizeof num, "%d", k * 37 % 100 + 1); /* each of 1 to 100 */
			send(r, k * SECOND, "x", num);
			assert_int_equal(open_alerts(r), k >= 4 || i >= 5);
		}
		rig_restart(r);
		assert_string_equal(rig_alert(r, "t/r", "open")->summary, want[i]);
		rig_free(r);
	}
}

/* Thousands of different numbers are kept as a few hundred: half a per cent off at most. */
static void test_many_numbers(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    when: {at_least: 1, of: {p90: x.num}, within: 10s}\n"));
	(void)state;
	for (int k = 0; k < 5000; k++) {
		char num[16];
		snprintf(num, sizeof num, "%d", k * 3541 % 5000 + 1);
		send(r, k * MSEC, "x", num);
	}
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_true(a->value > 4500 * 0.995 && a->value < 4500 * 1.005);
	rig_restart(r);
	struct buf saved = rig_saved(r);
	assert_true(saved.n < 100000);
	buf_free(&saved);
	send(r, 14 * SECOND, "x", "7"); /* all others have left but those of the last second */
	rig_restart(r);
	send(r, 15 * SECOND, "x", "8");
	send(r, 15 * SECOND, "x", "9");
	rig_restart(r);
	rig_free(r);
}

static void test_aligned(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    when: {at_least: 3, within: 10m, window: aligned}\n"));
	(void)state;
	send(r, 8 * MINUTE, "x", "");
	send(r, 10 * MINUTE - 1, "x", "");
	send(r, 10 * MINUTE, "x", ""); /* the next slice: [start, end) */
	send(r, 15 * MINUTE, "x", "");
	assert_int_equal(open_alerts(r), 0);
	rig_restart(r);
	send(r, 20 * MINUTE - 1, "x", "");
	assert_int_equal(rig_alert(r, "t/r", "open")->count, 3);
	rig_free(r);
}

/* Slices begin at midnight: the last one of the day is shorter if they do not divide it. */
static void test_aligned_day(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    when: {at_least: 2, within: 7h, window: aligned}\n"));
	(void)state;
	send(r, 23 * HOUR, "x", "");
	send(r, 24 * HOUR, "x", "");
	assert_int_equal(open_alerts(r), 0);
	send(r, 31 * HOUR - 1, "x", "");
	assert_int_equal(open_alerts(r), 1);
	rig_free(r);
}

static void test_session(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    when: {at_least: 4, within: 10s, window: session}\n"));
	(void)state;
	send(r, 0, "x", "");
	send(r, 10 * SECOND, "x", ""); /* a gap of `within` goes on */
	send(r, 20 * SECOND, "x", "");
	send(r, 30 * SECOND + 1, "x", ""); /* a longer one does not */
	rig_restart(r);
	send(r, 40 * SECOND, "x", "");
	send(r, 50 * SECOND, "x", "");
	assert_int_equal(open_alerts(r), 0);
	send(r, 60 * SECOND, "x", "");
	assert_int_equal(rig_alert(r, "t/r", "open")->first, T0 + 30 * SECOND + 1);
	rig_free(r);
}

/* ---- absence */

#define HEARD                                                                                                \
	"version: 1\npackage: t\nlists: {agents: [A, b]}\nrules:\n  r:\n    summary: no word from ${host}\n" \
	"    match: {app: x}\n    when: {fewer_than: 1, within: 1m, expect: {list: agents}}\n"

static const char ABSENT_MAP[] = "version: 1\nservices:\n  shop: {tier: 1, hosts: [a]}\n";

static void test_absence(void **state)
{
	struct rig *r = rig_with_map(HEARD, ABSENT_MAP);
	(void)state;
	rig_tick(r, 0);
	rig_event(r, 30 * SECOND, "host", "b", "app", "x", NULL);
	rig_tick(r, 60 * SECOND - 1);
	rig_restart(r);
	assert_int_equal(open_alerts(r), 0);
	rig_tick(r, 60 * SECOND);
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_string_equal(a->by_values[0], "a");
	assert_string_equal(a->service, "shop"); /* from `by`: no event opened it */
	assert_int_equal(a->count, 0);
	assert_string_equal(a->summary, "no word from a");
	rig_tick(r, 2 * HOUR);
	assert_int_equal(open_alerts(r), 2); /* no quiet time ends it */
	rig_restart(r);
	rig_event(r, 2 * HOUR, "host", "a", "app", "x", NULL);
	assert_int_equal(open_alerts(r), 1);
	rig_tick(r, 2 * HOUR + MINUTE);
	assert_int_equal(open_alerts(r), 2); /* a new one */
	rig_free(r);
}

/* fewer_than above 1: the deadline is when the n-th latest leaves the window. */
static void test_too_few(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    by: []\n    when: {fewer_than: 3, within: 1m}\n"));
	(void)state;
	rig_tick(r, 0);
	for (int i = 1; i <= 4; i++)
		send(r, i * 15 * SECOND, "x", "");
	rig_tick(r, 90 * SECOND - 1);
	assert_int_equal(open_alerts(r), 0);
	rig_tick(r, 90 * SECOND); /* (30s, 90s] holds 45s and 60s */
	assert_int_equal(rig_alert(r, "t/r", "open")->count, 2);
	send(r, 91 * SECOND, "x", "");
	assert_int_equal(open_alerts(r), 0); /* 45, 60 and 91: enough again */
	rig_restart(r);
	rig_tick(r, 105 * SECOND);
	assert_int_equal(open_alerts(r), 1);
	rig_free(r);
}

static void test_downtime(void **state)
{
	struct rig *r = rig_new(HEARD);
	uint64_t down = 10 * MINUTE;
	(void)state;
	rig_tick(r, 0);
	rig_tick(r, 50 * SECOND);
	rig_step(r, 50 * SECOND + 10 * MINUTE, INPUT_RESUME, slice_of(&down, sizeof down));
	assert_int_equal(open_alerts(r), 0);
	rig_restart(r);
	rig_tick(r, 11 * MINUTE - 1);
	assert_int_equal(open_alerts(r), 0);
	rig_tick(r, 11 * MINUTE);
	assert_int_equal(open_alerts(r), 2);
	rig_free(r);
}

static void test_expected_no_longer(void **state)
{
	struct rig *r = rig_new(HEARD);
	(void)state;
	rig_tick(r, 0);
	rig_tick(r, MINUTE);
	assert_int_equal(open_alerts(r), 2);
	rig_reload(r, 2 * MINUTE,
	           "version: 1\npackage: t\nlists: {agents: [b, c]}\nrules:\n  r:\n    summary: no word from "
	           "${host}\n"
	           "    match: {app: x}\n    when: {fewer_than: 1, within: 1m, expect: {list: agents}}\n");
	assert_string_equal(rig_alert(r, "t/r", "open")->by_values[0], "b");
	assert_string_equal(rig_alert(r, "t/r", "closed")->by_values[0], "a");
	rig_restart(r);
	rig_tick(r, 3 * MINUTE);
	assert_int_equal(open_alerts(r), 2); /* c */
	rig_free(r);
}

/* ---- steps */

static void test_strict(void **state)
{
	struct rig *r =
	    rig_new("version: 1\npackage: t\nrules:\n  r:\n    summary: \"${steps.one.x.num} and "
	            "${x.num}\"\n    when: {steps: "
	            "[{name: one, match: {app: a}}, {match: {app: b}}, {match: {app: c}}], within: 1m}\n");
	(void)state;
	send(r, 0, "b", "0"); /* cannot begin */
	send(r, 0, "a", "1");
	send(r, 30 * SECOND, "a", "2"); /* the latest start */
	rig_restart(r);
	send(r, 40 * SECOND, "b", "3");
	send(r, 50 * SECOND, "a", "4"); /* is no start of what b continued */
	send(r, 90 * SECOND, "c", "5"); /* a gap of `within` */
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_string_equal(a->summary, "2 and 5");
	assert_int_equal(a->first, T0 + 30 * SECOND);
	assert_int_equal(a->count, 4);
	rig_restart(r);
	a = rig_alert(r, "t/r", "open");
	send(r, 91 * SECOND, "c", "6"); /* consumed: it only counts */
	assert_int_equal(a->count, 5);
	assert_int_equal(a->held, T0 + 90 * SECOND);
	rig_free(r);
}

/* Inside `times` the latest possible start counts too (17.5). */
static void test_times(void **state)
{
	struct rig *r = rig_new(
	    RULE("    when: {steps: [{match: {app: a}, times: 3}, {match: {app: b}}], within: 15s}\n"));
	(void)state;
	send(r, 0, "a", "");
	send(r, 10 * SECOND, "a", "");
	send(r, 20 * SECOND, "a", "");
	rig_restart(r);
	send(r, 21 * SECOND, "a", "");
	send(r, 25 * SECOND, "b", "");
	assert_int_equal(rig_alert(r, "t/r", "open")->first, T0 + 10 * SECOND);
	rig_free(r);
}

static void test_absent_between(void **state)
{
	struct rig *r =
	    rig_new(RULE("    when: {steps: [{match: {app: a}, times: 2}, {absent: {app: r}}, {match: "
	                 "{app: c}}], within: 1m}\n"));
	(void)state;
	send(r, 0, "a", "");
	send(r, SECOND, "r", ""); /* not between the neighbours of `absent` */
	send(r, 2 * SECOND, "a", "");
	send(r, 3 * SECOND, "r", "");
	send(r, 4 * SECOND, "c", "");
	assert_int_equal(open_alerts(r), 0);
	send(r, 5 * SECOND, "a", ""); /* with that of 2 s it is two again */
	rig_restart(r);
	send(r, 6 * SECOND, "c", "");
	assert_int_equal(rig_alert(r, "t/r", "open")->first, T0 + 2 * SECOND);
	rig_free(r);
}

static void test_absent_at_the_end(void **state)
{
	struct rig *r =
	    rig_new("version: 1\npackage: t\nrules:\n  r:\n    summary: \"${host} began with "
	            "${steps.one.x.num}\"\n    when: "
	            "{steps: [{name: one, match: {app: start}}, {absent: {app: end}}], within: 1m}\n");
	(void)state;
	send(r, 0, "start", "1");
	send(r, 10 * SECOND, "end", "");
	send(r, 20 * SECOND, "start", "2");
	send(r, 70 * SECOND, "start", "3"); /* the earliest start counts */
	rig_restart(r);
	rig_tick(r, 80 * SECOND - 1);
	assert_int_equal(open_alerts(r), 0);
	rig_tick(r, 80 * SECOND);
	const struct alert *a = rig_alert(r, "t/r", "open");
	assert_string_equal(a->summary, "a began with 2");
	assert_int_equal(a->count, 2);
	assert_string_equal(a->by_values[0], "a");
	rig_restart(r);
	send(r, 81 * SECOND, "end", ""); /* the missing event */
	assert_int_equal(open_alerts(r), 0);
	rig_tick(r, 200 * SECOND);
	assert_int_equal(open_alerts(r), 0); /* the closing has emptied the steps */
	rig_free(r);
}

static void test_absent_moves_with_downtime(void **state)
{
	struct rig *r =
	    rig_new(RULE("    when: {steps: [{match: {app: start}}, {absent: {app: end}}], within: 1m}\n"));
	uint64_t down = HOUR;
	(void)state;
	send(r, 0, "start", "");
	rig_step(r, HOUR + 30 * SECOND, INPUT_RESUME, slice_of(&down, sizeof down));
	assert_int_equal(open_alerts(r), 0);
	rig_tick(r, HOUR + MINUTE);
	assert_int_equal(open_alerts(r), 1);
	rig_free(r);
}

static void test_any_order(void **state)
{
	struct rig *r =
	    rig_new(RULE("    when: {steps: [{match: {app: a}}, {match: {app: [b, c]}}, {match: {app: c}, "
	                 "times: 2}], order: any, at_least: 2, within: 1m}\n"));
	(void)state;
	send(r, 0, "a", "");
	send(r, 60 * SECOND, "b", ""); /* a sliding window: the a has left */
	assert_int_equal(open_alerts(r), 0);
	rig_restart(r);
	send(r, 61 * SECOND, "c", "");
	assert_int_equal(open_alerts(r), 0);
	send(r, 62 * SECOND, "c", ""); /* fits two steps and serves both (17.5) */
	assert_int_equal(rig_alert(r, "t/r", "open")->count, 3);
	rig_free(r);
}

/* A state that no step mentions: clear closes, info is nobody's. */
static void test_steps_and_state(void **state)
{
	struct rig *r = rig_new(
	    RULE("    when: {steps: [{match: {app: a}}, {match: {app: b, state: clear}}], within: 1m}\n"));
	(void)state;
	rig_event(r, 0, "host", "a", "app", "a", "state", "info", NULL);
	rig_event(r, SECOND, "host", "a", "app", "b", "state", "clear", NULL);
	assert_int_equal(open_alerts(r), 0);
	send(r, 2 * SECOND, "a", "");
	rig_event(r, 3 * SECOND, "host", "a", "app", "b", "state", "clear", NULL);
	assert_int_equal(open_alerts(r), 1);
	rig_event(r, 4 * SECOND, "host", "a", "app", "a", "state", "clear", NULL);
	assert_int_equal(open_alerts(r), 0);
	rig_free(r);
}

/* ---- close_after, flap */

static void test_close_after(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    close_after: 1m\n    clear: {quiet: 5m}\n"));
	(void)state;
	send(r, 0, "x", "");
	rig_event(r, SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	assert_string_equal(rig_told(), "r:opened r:calm");
	send(r, 30 * SECOND, "x", ""); /* ends the calm */
	rig_restart(r);
	rig_tick(r, 2 * MINUTE);
	assert_int_equal(rig_alert(r, "t/r", "open")->count, 2);
	rig_event(r, 3 * MINUTE, "host", "a", "app", "x", "state", "clear", NULL);
	rig_tick(r, 4 * MINUTE - 1);
	assert_int_equal(open_alerts(r), 1);
	rig_tick(r, 4 * MINUTE);
	assert_int_equal(open_alerts(r), 0);
	send(r, 10 * MINUTE, "x", "");
	rig_tick(r, 15 * MINUTE); /* calm is counted once: quiet and close_after side by side */
	assert_int_equal(open_alerts(r), 0);
	assert_int_equal(rig_count(r, "t/r", "closed"), 2);
	rig_free(r);
}

static void test_flap(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    flap: {changes: 4, within: 10m, settle: 5m}\n "
	                             "   clear: {quiet: 1h}\n"));
	(void)state;
	for (int i = 0; i < 2; i++) {
		send(r, i * MINUTE, "x", "");
		rig_event(r, i * MINUTE + 30 * SECOND, "host", "a", "app", "x", "state", "clear", NULL);
		assert_int_equal(open_alerts(r), i);
		rig_restart(r);
	}
	assert_true(rig_alert(r, "t/r", "open")->flapping);
	send(r, 2 * MINUTE, "x", "");
	send(r, 6 * MINUTE, "x", ""); /* a repeat is no change (17.16) */
	rig_tick(r, 7 * MINUTE - 1);
	assert_true(rig_alert(r, "t/r", "open")->flapping);
	rig_restart(r);
	rig_tick(r, 7 * MINUTE);
	assert_false(rig_alert(r, "t/r", "open")->flapping); /* settled, and still a problem */
	rig_event(r, 8 * MINUTE, "host", "a", "app", "x", "state", "clear", NULL);
	assert_true(rig_alert(r, "t/r", "open")->flapping); /* 30s, 1m, 1m30s, 2m and 8m: five changes */
	rig_tick(r, 13 * MINUTE);
	assert_int_equal(open_alerts(r), 0);
	rig_free(r);
}

static void test_flap_off(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    flap: false\n"));
	(void)state;
	for (int i = 0; i < 20; i++) {
		send(r, 2 * i * SECOND, "x", "");
		rig_event(r, (2 * i + 1) * SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	}
	assert_int_equal(open_alerts(r), 0);
	rig_free(r);
}

/* What never lasts long enough to open is heard of when it flaps. */
static void test_flap_of_pending(void **state)
{
	struct rig *r = rig_new(RULE("    match: {app: x}\n    open_after: 1m\n"));
	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(open_alerts(r), 0);
		send(r, 20 * i * SECOND, "x", "");
		rig_event(r, (20 * i + 10) * SECOND, "host", "a", "app", "x", "state", "clear", NULL);
	}
	assert_true(rig_alert(r, "t/r", "open")->flapping);
	rig_tick(r, 70 * SECOND + 10 * MINUTE);
	assert_int_equal(open_alerts(r), 0);
	rig_free(r);
}

/* ---- limits */

static void test_keys_are_bounded(void **state)
{
	struct rig *r =
	    rig_new(RULE("    match: {app: x}\n    when: {at_least: 5, of: {sum: x.num}, within: 1h}\n"));
	uint64_t hits, alerts, keys;
	(void)state;
	r->config->limits.keys_per_rule = 10;
	for (int i = 0; i < 25; i++) {
		char host[16];
		snprintf(host, sizeof host, "h%d", i);
		rig_event(r, i * SECOND, "host", host, "app", "x", "x.num", "1", NULL);
	}
	engine_rule_stats(r->engine, 0, &hits, &alerts, &keys);
	assert_int_equal(keys, 10);
	assert_int_equal(engine_rule_evicted(r->engine, 0), 15);
	rig_restart(r);
	assert_int_equal(engine_rule_evicted(r->engine, 0), 15);
	rig_free(r);
}

/* A changed `when` begins with empty windows, a changed summary does not. */
static void test_reload(void **state)
{
	static const char
	    one[] = RULE("    when: {steps: [{match: {app: a}}, {match: {app: b}}], within: 1m}\n"),
	    two[] = RULE(
	        "    flap: false\n    when: {within: 1m, steps: [{match: {app: a}}, {match: {app: b}}]}\n"),
	    three[] = RULE("    when: {steps: [{match: {app: a}}, {match: {app: c}}], within: 1m}\n");
	(void)state;
	for (int k = 0; k < 2; k++) {
		struct rig *r = rig_new(one);
		send(r, 0, "a", "");
		rig_reload(r, SECOND, k == 0 ? two : three);
		send(r, 2 * SECOND, k == 0 ? "b" : "c", "");
		assert_int_equal(open_alerts(r), k == 0);
		rig_restart(r);
		rig_free(r);
	}
}

/* ---- order */

static const char *const SHUFFLED[] = {
    "match: {app: a}, flap: {changes: 3, within: 5m, settle: 1m}",
    "match: {app: [a, b]}, when: {at_least: 3, within: 30s}, clear: {quiet: 20s}",
    "match: {app: [a, c]}, when: {at_least: 60, of: {sum: x.num}, within: 1m}, clear: {quiet: 30s}",
    "match: {app: b}, when: {fewer_than: 1, within: 20s}",
    "when: {steps: [{match: {app: a}}, {absent: {app: b}}, {match: {app: c}}], within: 1m}, clear: {quiet: "
    "10s}",
    "when: {steps: [{match: {app: a}}, {absent: {app: c}}], within: 15s}",
    "when: {steps: [{match: {app: a}}, {match: {app: b}, times: 2}, {match: {app: c}}], order: any, "
    "at_least: 2, within: "
    "20s}, clear: {quiet: 10s}",
};
enum { SHUFFLED_N = ARRAY_LEN(SHUFFLED) };

struct tally {
	size_t open, closed;
	uint64_t events;
	char name[8];
};

static void add_alert(void *arg, const struct alert_look *a)
{
	struct tally *t = arg;
	if (!slice_ends(a->rule, slice_str(t->name)))
		return;
	t->open += strcmp(a->state, "open") == 0;
	t->closed += strcmp(a->state, "closed") == 0;
	t->events = t->events * 31 + a->count + (uint64_t)a->opened;
}

/* One stream through the rules, where rule i is called by its place (i + turn) in the order of names. */
static void shuffled(uint32_t turn, struct tally *out)
{
	static const char *const apps[] = {"a", "b", "c"};
	struct buf yaml = {0};
	uint64_t x = 7;
	buf_str(&yaml, "version: 1\npackage: t\nrules:\n");
	for (uint32_t i = 0; i < SHUFFLED_N; i++)
		buf_printf(&yaml, "  r%u: {summary: some text, %s}\n", (i + turn) % SHUFFLED_N, SHUFFLED[i]);
	struct rig *r = rig_new(buf_cstr(&yaml));
	duration at = 0;
	for (int k = 0; k < 1500; k++) {
		char host[8], num[8];
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint32_t dice = (uint32_t)(x >> 33);
		at += dice % 5 * SECOND;
		snprintf(host, sizeof host, "h%u", dice / 5 % 3);
		snprintf(num, sizeof num, "%u", dice / 64 % 30);
		rig_event(r, at, "host", host, "app", apps[dice / 15 % 3], "x.num", num, "state",
		          dice % 11 == 0 ? "clear" : "problem", NULL);
	}
	for (uint32_t i = 0; i < SHUFFLED_N; i++) {
		out[i] = (struct tally){0};
		snprintf(out[i].name, sizeof out[i].name, "/r%u", (i + turn) % SHUFFLED_N);
		engine_each_alert(r->engine, add_alert, &out[i]);
	}
	rig_free(r);
	buf_free(&yaml);
}

/* No result may depend on the order in which rules are evaluated, which is that of their names. */
static void test_order_cannot_be_seen(void **state)
{
	struct tally first[SHUFFLED_N], other[SHUFFLED_N];
	(void)state;
	shuffled(0, first);
	for (uint32_t i = 0; i < SHUFFLED_N; i++)
		assert_true(first[i].open + first[i].closed > 2);
	for (uint32_t turn = 1; turn < SHUFFLED_N; turn++) {
		shuffled(turn, other);
		for (uint32_t i = 0; i < SHUFFLED_N; i++) {
			assert_int_equal(first[i].open, other[i].open);
			assert_int_equal(first[i].closed, other[i].closed);
			assert_int_equal(first[i].events, other[i].events);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sum),
	    cmocka_unit_test(test_distinct),
	    cmocka_unit_test(test_percentiles),
	    cmocka_unit_test(test_many_numbers),
	    cmocka_unit_test(test_aligned),
	    cmocka_unit_test(test_aligned_day),
	    cmocka_unit_test(test_session),
	    cmocka_unit_test(test_absence),
	    cmocka_unit_test(test_too_few),
	    cmocka_unit_test(test_downtime),
	    cmocka_unit_test(test_expected_no_longer),
	    cmocka_unit_test(test_strict),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_absent_between),
	    cmocka_unit_test(test_absent_at_the_end),
	    cmocka_unit_test(test_absent_moves_with_downtime),
	    cmocka_unit_test(test_any_order),
	    cmocka_unit_test(test_steps_and_state),
	    cmocka_unit_test(test_close_after),
	    cmocka_unit_test(test_flap),
	    cmocka_unit_test(test_flap_off),
	    cmocka_unit_test(test_flap_of_pending),
	    cmocka_unit_test(test_keys_are_bounded),
	    cmocka_unit_test(test_reload),
	    cmocka_unit_test(test_order_cannot_be_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
