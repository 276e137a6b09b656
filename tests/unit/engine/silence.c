/* Silences of rule files: who is muted from when to when, and which services are in maintenance. Times are
 * after T0, 2026-01-05T00:00:00Z. */
#include "rig.h"

#include <stdlib.h>

#include "engine/silence.h"

#define RULES                                                                                                \
	"version: 1\npackage: t\nfields: {site: text, note: text}\nrules:\n"                                 \
	"  a: {summary: 'on ${host}', match: {app: x}, clear: {quiet: 20h}}\n"

static const char *const map =
    "version: 1\nservices:\n  web: {hosts: [web1], needs: [db], tier: 1}\n"
    "  db: {hosts: [db1], aliases: [datenbank]}\n  cache: {hosts: [c1], owner: ops}\n";

static void silence(struct rig *r, duration at, const char *told)
{
	(void)rig_told();
	rig_tick(r, at);
	assert_string_equal(rig_told(), told);
}

static const char *mark(const struct rig *r)
{
	const struct alert *a = rig_alert(r, "t/a", "open");
	assert_int_equal(a->muted, a->quieted);
	return a->silenced_by != NULL ? a->silenced_by : "";
}

static void from_until(void **state)
{
	(void)state;
	struct rig *r = rig_new(RULES "silences:\n  s: {match: {host: web1}, from: 2026-01-05T00:10:00Z, "
	                              "until: 2026-01-05T00:20:00Z, reason: works}\n");
	rig_event(r, MINUTE, "app", "x", "host", "web1", NULL);
	assert_string_equal(rig_told(), "a:opened");
	assert_string_equal(mark(r), "");
	silence(r, 10 * MINUTE - 1, "");
	silence(r, 10 * MINUTE, "a:muted");
	assert_string_equal(mark(r), "t/s");
	rig_restart(r);
	assert_string_equal(mark(r), "t/s");
	rig_event(r, 12 * MINUTE, "app", "x", "host", "web1", NULL);
	assert_string_equal(rig_told(), "a:repeated");
	silence(r, 20 * MINUTE - 1, "");
	silence(r, 20 * MINUTE, "a:unmuted");
	assert_string_equal(mark(r), "");
	rig_free(r);
}

static void at_opening(void **state)
{
	(void)state;
	struct rig *r = rig_new(RULES "silences:\n  s: {match: {site: ber1, note: {contains: patch}}, "
	                              "until: 2026-01-05T01:00:00Z, reason: works}\n");
	rig_event(r, MINUTE, "app", "x", "host", "h1", "site", "ber1", "note", "patching", NULL);
	assert_string_equal(rig_told(), "a:opened-muted");
	rig_event(r, MINUTE, "app", "x", "host", "h2", "site", "ber2", "note", "patching", NULL);
	assert_string_equal(rig_told(), "a:opened");
	rig_event(r, 2 * MINUTE, "app", "x", "host", "h1", "state", "clear", NULL);
	assert_string_equal(rig_told(), "a:closed");
	/* what recovered stays closed, what is still there was never muted */
	silence(r, 61 * MINUTE, "");
	rig_free(r);
}

static void reload(void **state)
{
	(void)state;
	struct rig *r = rig_new(RULES);
	rig_event(r, MINUTE, "app", "x", "host", "h1", NULL);
	(void)rig_told();
	rig_reload(r, 2 * MINUTE,
	           RULES "silences: {s: {match: {host: h1}, until: 2026-01-05T01:00:00Z, reason: works}}\n");
	assert_string_equal(rig_told(), "a:muted");
	rig_restart(r);
	rig_reload(r, 3 * MINUTE, RULES);
	assert_string_equal(rig_told(), "a:unmuted");
	rig_free(r);
}

static bool maintains(const struct rig *r, const char *service, instant *until)
{
	return silence_maintains(r->engine, service, until);
}

static void maintenance(void **state)
{
	(void)state;
	instant until = 0;
	struct rig *r =
	    rig_with_map(RULES "silences:\n  m: {match: {service: datenbank}, include_dependents: true, "
	                       "from: 2026-01-05T00:10:00Z, until: 2026-01-05T00:20:00Z, reason: works}\n",
	                 map);
	rig_event(r, MINUTE, "app", "x", "host", "db1", NULL);
	(void)rig_told();
	assert_false(maintains(r, "db", &until));
	silence(r, 10 * MINUTE, "maintenance");
	assert_true(maintains(r, "db", &until));
	assert_int_equal(until, T0 + 20 * MINUTE);
	assert_false(maintains(r, "web", NULL));
	/* marked, and still evidence */
	const struct alert *a = rig_alert(r, "t/a", "open");
	assert_string_equal(a->silenced_by, "t/m");
	assert_false(a->muted);
	rig_restart(r);
	silence(r, 20 * MINUTE, "maintenance");
	assert_null(rig_alert(r, "t/a", "open")->silenced_by);
	assert_true(maintains(r, "db", &until));
	assert_int_equal(until, T0 + 20 * MINUTE);
	rig_restart(r);
	silence(r, 25 * MINUTE - 1, "");
	assert_true(maintains(r, "db", NULL));
	silence(r, 25 * MINUTE, "maintenance");
	assert_false(maintains(r, "db", NULL));
	rig_free(r);
}

static void services_named(void **state)
{
	(void)state;
	size_t n;
	struct rig *r =
	    rig_with_map(RULES "silences:\n"
	                       "  hosts: {match: {host: [c1, nowhere]}, include_dependents: true, until: "
	                       "2026-01-05T02:00:00Z, reason: works}\n"
	                       "  tier: {match: {service.tier: {le: 1}}, include_dependents: true, until: "
	                       "2026-01-05T03:00:00Z, reason: works}\n",
	                 map);
	silence(r, 0, "maintenance");
	const struct maintained *v = silence_services(r->engine, &n);
	assert_int_equal(n, 3);
	assert_string_equal(v[0].service, "cache");
	assert_string_equal(v[1].service, "nowhere");
	assert_string_equal(v[2].service, "web");
	assert_string_equal(v[2].silence, "t/tier");
	rig_remap(r, MINUTE, "version: 1\nservices:\n  web: {hosts: [web1]}\n  nowhere: {}\n");
	assert_string_equal(rig_told(), "maintenance");
	v = silence_services(r->engine, &n);
	assert_int_equal(n, 4); /* c1 stands for itself now; cache and web are in their grace */
	assert_false(v[3].running);
	rig_free(r);
}

static void maintenance_beside_silence(void **state)
{
	(void)state;
	struct rig *r = rig_new(RULES "silences:\n"
	                              "  m: {match: {host: h1}, include_dependents: true, until: "
	                              "2026-01-05T00:30:00Z, reason: works}\n"
	                              "  p: {match: {app: x}, until: 2026-01-05T00:20:00Z, reason: works}\n");
	rig_event(r, MINUTE, "app", "x", "host", "h1", NULL);
	assert_string_equal(mark(r), "t/p");
	rig_tick(r, 20 * MINUTE);
	assert_string_equal(mark(r), "t/m");
	assert_false(rig_alert(r, "t/a", "open")->muted);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(from_until),     cmocka_unit_test(at_opening),
	    cmocka_unit_test(reload),         cmocka_unit_test(maintenance),
	    cmocka_unit_test(services_named), cmocka_unit_test(maintenance_beside_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
