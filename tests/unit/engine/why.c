/* Why a service is not in an incident; which needs the map may lack. Both only look. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static const char *ask(struct desk *d, const struct incident *i, const char *service)
{
	static char reply[4096];
	char cmd[256];
	struct buf before = rig_saved(d->rig), after;
	snprintf(cmd, sizeof cmd, "{\"do\":\"why-not\",\"id\":\"%s\",\"service\":\"%s\"}", i->id_text,
	         service);
	desk_command(d, cmd);
	snprintf(reply, sizeof reply, SLICE_FMT, SLICE_ARG(buf_slice(&d->rig->fx.reply)));
	after = rig_saved(d->rig);
	assert_int_equal(before.n, after.n); /* the number of the input differs, nothing else */
	buf_free(&before);
	buf_free(&after);
	return reply;
}

static void tests_are_named(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	d->rig->config->correlation.prior = 0;
	desk_event(d, 0, "ping", "db-b", "problem");
	desk_event(d, 5 * SECOND, "http", "api", "problem");
	desk_event(d, 6 * SECOND, "http", "array", "problem");
	desk_event(d, 8 * SECOND, "ping", "mail", "problem");
	desk_event(d, 9 * SECOND, "disk", "lone-1", "problem");
	desk_wait(d, 3 * MINUTE);
	assert_non_null(strstr(ask(d, desk_incident(d, "db-b"), "api"),
	                       "group {db-a, db-b} holds without db-b (1 of 2 up, need 1)"));
	assert_non_null(
	    strstr(ask(d, desk_incident(d, "array"), "mail"),
	           "array is degraded only, and mail is down: that is believed over one hop only"));
	assert_non_null(strstr(ask(d, desk_incident(d, "db-b"), "mail"), "no way leads from it"));
	assert_non_null(strstr(ask(d, desk_incident(d, "db-b"), "lone-1"), "it is only at risk"));
	assert_non_null(strstr(ask(d, desk_incident(d, "db-b"), "db-a"), "it has no open evidence"));
	assert_non_null(strstr(ask(d, desk_incident(d, "db-b"), "nobody"), "neither the map nor an event"));
	assert_non_null(strstr(ask(d, desk_incident(d, "db-b"), "db-b"), "nothing explains it"));
	desk_free(d);
}

static void too_late(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	desk_event(d, 0, "ping", "mail", "problem");
	desk_event(d, 6 * MINUTE, "ping", "filer", "problem");
	desk_wait(d, 8 * MINUTE);
	assert_non_null(
	    strstr(ask(d, desk_incident(d, "filer"), "mail"),
	           "filer was reported 6m after mail; a cause may come so late: 4m (correlation.lead)"));
	desk_free(d);
}

static void missing_need(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, false);
	for (int k = 0; k < 4; k++) {
		duration at = k * 2 * HOUR;
		desk_event(d, at, "ping", "array", "problem");
		desk_event(d, at + 5 * SECOND, "ping", "web", "problem");
		desk_event(d, at + 10 * MINUTE, "ping", "array", "clear");
		desk_event(d, at + 10 * MINUTE, "ping", "web", "clear");
	}
	desk_restart(d);
	desk_command(d, "{\"do\":\"suggest\"}");
	struct buf *reply = &d->rig->fx.reply;
	assert_non_null(
	    strstr(buf_cstr(reply), "\"from\":\"web\",\"to\":\"array\",\"together\":4,\"named\":0"));
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tests_are_named),
	    cmocka_unit_test(too_late),
	    cmocka_unit_test(missing_need),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
