/* The life of an alert, mutes, the engine's own events, reload, words from hostile input. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char LINK[] =
    "version: 1\npackage: t\nrules:\n"
    "  link: {summary: \"link ${port} down\", match: {check: link}, by: [host, port], open_after: 20s}\n";

static void link_event(struct rig *r, duration at, const char *state)
{
	rig_event(r, at, "host", "sw1", "port", "ge-0", "check", "link", "state", state, NULL);
}

static void test_open_after(void **state)
{
	struct rig *r = rig_new(LINK);
	(void)state;
	link_event(r, 0, "problem");
	assert_int_equal(rig_count(r, NULL, "pending"), 1);
	assert_string_equal(rig_told(), "");
	assert_int_equal(engine_due(r->engine), T0 + 20 * SECOND);
	link_event(r, 5 * SECOND, "clear"); /* a bounce: nobody hears of it */
	assert_int_equal(rig_count(r, NULL, "pending"), 0);
	link_event(r, 60 * SECOND, "problem");
	link_event(r, 70 * SECOND, "problem");
	rig_tick(r, 80 * SECOND - 1);
	assert_int_equal(rig_count(r, NULL, "pending"), 1);
	assert_int_equal(engine_due(r->engine), T0 + 80 * SECOND);
	link_event(r, 80 * SECOND, "clear"); /* 17.1: what is due at t comes before the events at t */
	assert_string_equal(rig_told(), "link:opened link:closed");
	const struct alert *a = rig_alert(r, NULL, "closed");
	assert_int_equal(a->count, 2);
	assert_int_equal(a->opened, T0 + 80 * SECOND);
	assert_int_equal(a->first, T0 + 60 * SECOND);
	rig_free(r);
}

static void test_severity_only_rises(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  a: {summary: \"${alert.count} times\", match: {app: x}}\n"
	                        "  b: {summary: fixed, match: {app: x}, severity: critical}\n");
	(void)state;
	rig_event(r, 0, "host", "h", "app", "x", NULL);
	assert_int_equal(rig_alert(r, "t/a", "open")->severity, SEVERITY_WARNING);
	rig_event(r, SECOND, "host", "h", "app", "x", "severity", "major", NULL);
	rig_event(r, 2 * SECOND, "host", "h", "app", "x", "severity", "minor", NULL);
	const struct alert *a = rig_alert(r, "t/a", "open");
	assert_int_equal(a->severity, SEVERITY_MAJOR);
	assert_string_equal(a->summary, "3 times");
	assert_int_equal(rig_alert(r, "t/b", "open")->severity, SEVERITY_CRITICAL);
	assert_string_equal(rig_told(), "a:opened b:opened a:worsened b:repeated a:repeated b:repeated");
	rig_free(r);
}

/* 17.2 */
static void test_stateless(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  line: {summary: \"line ${host}\", match: {app: x}}\n"
	                        "  long: {summary: \"long ${host}\", match: {app: x}, clear: {quiet: 2h}}\n");
	(void)state;
	rig_event(r, 0, "host", "plain", "app", "x", NULL);
	rig_event(r, 0, "host", "says", "app", "x", "state", "problem", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 4);
	rig_tick(r, 190 * SECOND - 1);
	assert_int_equal(rig_count(r, NULL, "open"), 4);
	rig_tick(r, 190 * SECOND);
	assert_int_equal(rig_count(r, NULL, "open"), 3);
	rig_tick(r, 2 * HOUR);
	assert_int_equal(rig_count(r, "t/long", "open"), 0);
	assert_string_equal(rig_alert(r, "t/line", "open")->host, "says");
	rig_tick(r, 24 * HOUR);
	assert_int_equal(rig_count(r, NULL, "open"), 0);
	assert_int_equal(engine_due(r->engine), INSTANT_NONE);
	rig_free(r);
}

static const char MUTE[] = "version: 1\npackage: t\nrules:\n"
                           "  disk: {summary: \"disk ${host}\", match: {check: [disk, all]}, suppressed_by: "
                           "[{rule: host, same: [host]}]}\n"
                           "  host: {summary: \"host ${host}\", match: {check: [host, all]}}\n";

static void check_event(struct rig *r, duration at, const char *host, const char *check, const char *state)
{
	rig_event(r, at, "host", host, "check", check, "state", state, NULL);
}

static void test_suppressed_by_rule(void **state)
{
	struct rig *r = rig_new(MUTE);
	(void)state;
	check_event(r, 0, "a", "all", "problem"); /* both at once: the order of rules is not seen */
	const char *told = rig_told();
	assert_non_null(strstr(told, "disk:opened-muted"));
	assert_string_equal(rig_alert(r, "t/disk", "open")->muted_by, "t/host");
	check_event(r, SECOND, "b", "disk", "problem");
	assert_string_equal(rig_told(), "disk:opened");
	check_event(r, 2 * SECOND, "b", "host", "problem");
	assert_non_null(strstr(rig_told(), "disk:muted"));
	rig_restart(r);
	check_event(r, 3 * SECOND, "b", "host", "clear");
	assert_non_null(strstr(rig_told(), "disk:unmuted"));
	check_event(r, 4 * SECOND, "a", "all", "clear"); /* the mute and the muted end together */
	assert_null(strstr(rig_told(), "unmuted"));
	assert_int_equal(rig_count(r, NULL, "open"), 1);
	rig_free(r);
}

static void test_suppressed_by_match(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  a: {summary: \"a ${host}\", match: {check: a}, suppressed_by: [{match: "
	                        "{alert.severity: critical}, same: [host]}]}\n"
	                        "  b: {summary: \"b ${host}\", match: {check: b}}\n");
	(void)state;
	rig_event(r, 0, "host", "h", "check", "a", "severity", "critical",
	          NULL); /* fits its own condition: does not count */
	assert_false(rig_alert(r, "t/a", "open")->muted);
	rig_event(r, SECOND, "host", "h", "check", "b", "severity", "major", NULL);
	assert_false(rig_alert(r, "t/a", "open")->muted);
	rig_event(r, 2 * SECOND, "host", "h", "check", "b", "severity", "critical", NULL);
	assert_true(rig_alert(r, "t/a", "open")->muted);
	rig_event(r, 3 * SECOND, "host", "other", "check", "a", NULL);
	assert_int_equal(rig_count(r, "t/a", "open"), 2);
	struct engine_stats stats;
	engine_stats(r->engine, &stats);
	assert_int_equal(stats.alerts_suppressed, 1);
	rig_free(r);
}

/* 17.3, and a rule never hears of its own alert. */
static void test_alert_events(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  base: {summary: \"base ${host}\", match: {check: x}, by: [host, check]}\n"
	                        "  many: {summary: \"many\", match: {alert.rule: t/base, alert.state: open}, "
	                        "by: [], when: {at_least: 3, within: 1m}}\n"
	                        "  over: {summary: \"over ${host}\", match: {alert.rule: t/base, "
	                        "alert.state: closed}, severity: major}\n"
	                        "  tried: {summary: \"tried ${host}\", match: {check: x}, mode: trial}\n"
	                        "  deaf: {summary: \"deaf ${host}\", match: {alert.rule: t/tried}}\n");
	(void)state;
	check_event(r, 0, "a", "x", "problem");
	assert_int_equal(rig_alert(r, "t/base", "open")->count, 1);
	check_event(r, SECOND, "b", "x", "problem");
	assert_int_equal(rig_count(r, "t/many", "open"), 0);
	check_event(r, 2 * SECOND, "c", "x", "problem");
	assert_int_equal(rig_alert(r, "t/many", "open")->opened, T0 + 2 * SECOND);
	check_event(r, 3 * SECOND, "c", "x", "clear");
	assert_int_equal(rig_count(r, "t/base", "open"), 2);
	assert_string_equal(rig_alert(r, "t/over", "open")->by_values[0], "c");
	assert_int_equal(rig_count(r, "t/tried", "open"), 2);
	assert_int_equal(rig_count(r, "t/deaf", "open"), 0);
	rig_free(r);
}

static void test_service_and_words(void **state)
{
	static const char rules[] =
	    "version: 1\npackage: t\nfields: {victim: text}\nrules:\n"
	    "  a: {summary: \"${service.name} ${message}\", match: {app: x}, service: \"${victim}\", "
	    "incident: {title: \"${incident.root} hit by ${message}\"}}\n"
	    "  b: {summary: \"${service.name}|${service.tier}\", match: {app: x}}\n";
	static const char map[] =
	    "version: 1\nservices:\n  shop: {name: The Shop, tier: 1, aliases: [store], hosts: [web1]}\n"
	    "  db: {hosts: [db1]}\n";
	struct rig *r = rig_with_map(rules, map);
	(void)state;
	rig_event(r, 0, "host", "db1", "app", "x", "victim", "Store", "peer", "web1", "message",
	          "bad\nline\x1b[31m \xe2\x80\xae"
	          "evil \xff ${app}",
	          NULL);
	const struct alert *a = rig_alert(r, "t/a", "open");
	assert_string_equal(a->service, "shop");
	assert_string_equal(a->peer, "shop");
	assert_string_equal(a->summary, "The Shop bad line [31m evil \xef\xbf\xbd ${app}");
	assert_string_equal(a->title, "\001incident.root\002 hit by bad line [31m evil \xef\xbf\xbd ${app}");
	assert_string_equal(rig_alert(r, "t/b", "open")->service, "db");
	assert_string_equal(rig_alert(r, "t/b", "open")->summary, "db|");
	rig_free(r);
}

static void test_long_values(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  a: {summary: \"${message}\", match: {app: x}, by: [message]}\n");
	char text[3000];
	(void)state;
	memset(text, 'x', sizeof text - 1);
	memcpy(text + 510, "\xc3\xa4\xc3\xa4", 4);
	text[sizeof text - 1] = '\0';
	rig_event(r, 0, "host", "h", "app", "x", "message", text, NULL);
	const struct alert *a = rig_alert(r, NULL, "open");
	assert_int_equal(strlen(a->by_values[0]), 512);
	assert_int_equal(strlen(a->summary), 200);
	assert_true(strlen(a->head[0].text) <= 200);
	rig_event(r, SECOND, "host", "h", "app", "x", "message", text, NULL);
	assert_int_equal(a->count, 2);
	rig_free(r);
}

static void test_reload(void **state)
{
	static const char one[] =
	    "version: 1\npackage: t\nrules:\n"
	    "  gone: {summary: \"gone ${host}\", match: {app: x}}\n"
	    "  same: {summary: \"same ${host}\", match: {app: x}, when: {at_least: 3, within: 1m}}\n"
	    "  by: {summary: \"by ${host}\", match: {app: x}}\n"
	    "  match: {summary: \"match ${host}\", match: {app: x}}\n"
	    "  wind: {summary: \"wind ${host}\", match: {app: x}, when: {at_least: 3, within: 1m}}\n"
	    "  trial: {summary: \"trial ${host}\", match: {app: x}}\n"
	    "  pend: {summary: \"pend ${host}\", match: {app: x}, open_after: 1m}\n";
	static const char two[] =
	    "version: 1\npackage: t\nrules:\n"
	    "  wind: {summary: \"wind ${host}\", match: {app: x}, when: {at_least: 3, within: 2m}}\n"
	    "  match: {summary: \"changed ${host}\", match: {app: [x, y]}, severity: major}\n"
	    "  by: {summary: \"by ${host}\", match: {app: x}, by: [host, app]}\n"
	    "  trial: {summary: \"trial ${host}\", match: {app: x}, mode: trial}\n"
	    "  pend: {summary: \"pend ${host}\", match: {app: [x, z]}, open_after: 1m}\n"
	    "  same: {summary: \"now ${host}\", match: {app: x}, when: {at_least: 3, within: 1m}, severity: "
	    "critical}\n";
	struct rig *r = rig_new(one);
	(void)state;
	rig_event(r, 0, "host", "h", "app", "x", NULL);
	rig_event(r, SECOND, "host", "h", "app", "x", NULL);
	assert_int_equal(rig_count(r, NULL, "open"), 4);
	assert_int_equal(rig_count(r, NULL, "pending"), 1);
	rig_reload(r, 2 * SECOND, two);
	assert_int_equal(rig_count(r, NULL, "pending"), 0);
	assert_int_equal(rig_count(r, NULL, "open"), 1);
	assert_int_equal(rig_alert(r, "t/match", "open")->count, 2);
	assert_string_equal(rig_alert(r, "t/gone", "closed")->close_reason,
	                    "its rule is gone after a reload");
	assert_non_null(strstr(rig_alert(r, "t/trial", "closed")->close_reason, "trial"));
	assert_non_null(strstr(rig_alert(r, "t/by", "closed")->close_reason, "other fields"));
	rig_restart(r);
	rig_event(r, 3 * SECOND, "host", "h", "app", "x", NULL);
	assert_int_equal(rig_alert(r, "t/same", "open")->severity,
	                 SEVERITY_CRITICAL); /* its window has lived on */
	assert_int_equal(rig_count(r, "t/wind", "open"), 0);
	assert_int_equal(rig_alert(r, "t/match", "open")->count, 3);
	rig_free(r);
}

static void test_rules_matched_by_another_set(void **state)
{
	struct rig *r = rig_new(MUTE);
	(void)state;
	rule_set_set_generation(r->rules, 7); /* the frame says 0: matched again here */
	check_event(r, 0, "a", "disk", "problem");
	assert_int_equal(rig_count(r, "t/disk", "open"), 1);
	assert_int_equal(rig_count(r, "t/host", "open"), 0);
	rig_free(r);
}

static void test_open_alerts_are_bounded(void **state)
{
	struct rig *r = rig_new("version: 1\npackage: t\nrules:\n"
	                        "  flood: {summary: \"flood ${host}\", match: {app: f}}\n"
	                        "  calm: {summary: \"calm ${host}\", match: {app: c}}\n");
	char host[16];
	(void)state;
	r->config->limits.open_alerts = 20;
	for (int i = 0; i < 60; i++) {
		snprintf(host, sizeof host, "h%d", i);
		rig_event(r, i * SECOND, "host", host, "app", "f", NULL);
	}
	for (int i = 0; i < 4; i++) {
		snprintf(host, sizeof host, "h%d", i);
		rig_event(r, 60 * SECOND, "host", host, "app", "c", NULL);
	}
	for (int i = 0; i < 30; i++) {
		snprintf(host, sizeof host, "g%d", i);
		rig_event(r, 61 * SECOND, "host", host, "app", "f", NULL);
	}
	assert_int_equal(rig_count(r, "t/calm", "open"), 4);
	assert_int_equal(rig_count(r, "t/flood", "open"), 16);
	rig_free(r);
}

struct rows {
	size_t open, closed, gone;
};

static void count_row(void *arg, const struct engine_view *v)
{
	struct rows *n = arg;
	struct arena *a = arena_new(0);
	struct error err;
	assert_int_equal(v->kind, 1);
	assert_int_equal(v->id.n, 26);
	if (v->json.p == NULL)
		n->gone++;
	else
		assert_non_null(json_parse(a, v->json, JSON_LIMITS, NULL, &err));
	n->open += slice_is(v->state, "open");
	n->closed += slice_is(v->state, "closed");
	arena_free(a);
}

static struct rows rows_now(struct rig *r, bool all)
{
	struct rows n = {0};
	engine_views(r->engine, all, count_row, &n);
	return n;
}

static void test_views(void **state)
{
	struct rig *r = rig_new(LINK);
	(void)state;
	link_event(r, 0, "problem");
	link_event(r, SECOND, "clear");
	struct rows n = rows_now(r, false);
	assert_int_equal(n.gone, 1);
	link_event(r, 10 * SECOND, "problem");
	rig_tick(r, 30 * SECOND);
	n = rows_now(r, false);
	assert_int_equal(n.open, 1);
	n = rows_now(r, false);
	assert_int_equal(n.open + n.closed + n.gone, 0);
	link_event(r, 40 * SECOND, "clear");
	n = rows_now(r, false);
	assert_int_equal(n.closed, 1);
	rig_restart(r);
	n = rows_now(r, true);
	assert_int_equal(n.closed, 1);
	rig_free(r);
}

/* Damage is refused, never read. */
static void test_damaged_state(void **state)
{
	struct rig *r = rig_new(MUTE);
	struct error err;
	(void)state;
	check_event(r, 0, "a", "all", "problem");
	struct buf b = rig_saved(r);
	struct engine_setup s = {r->config, r->rules, r->map, NULL};
	for (size_t n = 0; n < b.n; n++)
		assert_null(engine_load(&s, slice_of(b.p, n), &err));
	for (size_t i = 0; i + 4 < b.n; i++) {
		b.p[i] = (char)(b.p[i] ^ 0x41);
		struct buf whole = {0};
		buf_add(&whole, b.p, b.n - 4);
		buf_u32(&whole, crc32c(0, whole.p,
		                       whole.n)); /* past the checksum: the parts must hold by themselves */
		struct engine *e = engine_load(&s, buf_slice(&whole), &err);
		engine_free(e);
		buf_free(&whole);
		b.p[i] = (char)(b.p[i] ^ 0x41);
	}
	buf_free(&b);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open_after),
	    cmocka_unit_test(test_severity_only_rises),
	    cmocka_unit_test(test_stateless),
	    cmocka_unit_test(test_suppressed_by_rule),
	    cmocka_unit_test(test_suppressed_by_match),
	    cmocka_unit_test(test_alert_events),
	    cmocka_unit_test(test_service_and_words),
	    cmocka_unit_test(test_long_values),
	    cmocka_unit_test(test_reload),
	    cmocka_unit_test(test_rules_matched_by_another_set),
	    cmocka_unit_test(test_open_alerts_are_bounded),
	    cmocka_unit_test(test_views),
	    cmocka_unit_test(test_damaged_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
