/* What the people of the ticket system read: every line of language.md section 8, bounded, and without
 * control characters, whatever the events brought. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static const char rules[] =
    "version: 1\npackage: w\nowner: team-rules\nrules:\n"
    "  down: {summary: '${host} is down', description: 'first ${message}', runbook: "
    "'https://wiki.example/down', "
    "match: {check: ping}, severity: critical, effect: down}\n"
    "  named: {summary: '${host} has ${message}', match: {check: named}, severity: major, effect: down, "
    "incident: "
    "{title: 'all of ${incident.services} by ${message}', assign: 'team ${message}'}}\n"
    "  ecc: {summary: '${host} ecc', match: {check: ecc}, severity: minor, effect: risk, nature: "
    "precursor}\n";

static struct buf body;

static const char *body_of(struct desk *d, const char *root)
{
	buf_clear(&body);
	text_body(d->rig->engine, desk_incident(d, root), &body);
	return buf_cstr(&body);
}

static void has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		print_message("%s\nlacks: %s\n", text, part);
	assert_non_null(strstr(text, part));
}

static const char map[] =
    "version: 1\nservices:\n"
    "  shop: {tier: 1, hosts: [shop], needs: [api]}\n  api: {tier: 2, hosts: [api], needs: [sw1]}\n"
    "  sw1: {kind: network, hosts: [sw1], owner: team-network, assign: NETWORK, aliases: ['cmdb:CI1'], "
    "labels: {site: ber1}, runbook: https://wiki.example/sw1}\n";

static void every_line(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, map, true);
	desk_event(d, 0, "ecc", "sw1", "problem");
	desk_event(d, 10 * SECOND, "ping", "api", "problem");
	desk_event(d, 12 * SECOND, "ping", "sw1", "problem");
	desk_input(d, INPUT_MAP, SLICE("4f1d2c3b4a5968778695a4b3c2d1e0ff"), &d->rig->engine->setup);
	desk_wait(d, MINUTE);
	const char *t = body_of(d, "sw1");
	char foot[128];
	snprintf(foot, sizeof foot, "-- carillon %s  dedup %s  rule w/down  map rev 4f1d2c3b4a59\n",
	         desk_incident(d, "sw1")->id_text, desk_incident(d, "sw1")->key);
	has(t, "Title        [P1] shop down: sw1\n");
	has(t, "Assign       NETWORK       Impact high    Urgency high    CI cmdb:CI1\n");
	has(t, "What         sw1 (network, ber1) is down since 00:00:12 (alert w/down: sw1 is down).\n");
	has(t, "Why this     api <- sw1: depends on sw1 (1 hop, hard), sw1 down 2s later\n");
	has(t, "Impact       shop (tier 1): down since 00:00:12\n             api (tier 2): down since "
	       "00:00:10\n");
	has(t, "Components   [business] api (service): down\n             [network] sw1 (network) "
	       "team-network: down\n");
	has(t, "             else perhaps api: explained by the root\n");
	has(t, "sw1 (network) team-network: at risk\n");
	has(t, "Alerts       2 open, 0 closed     2 events\n");
	has(t, "Last events  00:00:12 sw1");
	has(t, "Runbook      https://wiki.example/down   Owner team-network\n");
	has(t, "Changed      2026-01-05T00:00:45Z created\n");
	has(t, foot);
	desk_event(d, 2 * MINUTE, "ping", "sw1", "clear");
	desk_event(d, 2 * MINUTE, "ping", "api", "clear");
	has(body_of(d, "sw1"), "             2026-01-05T00:02:00Z open -> clearing: its last alert closed\n");
	desk_restart(d);
	has(body_of(d, "sw1"), "map rev 4f1d2c3b4a59");
	desk_free(d);
	buf_free(&body);
}

static void hostile_words(void **state)
{
	(void)state;
	static char text[60000], bad[3000];
	size_t n = (size_t)snprintf(text, sizeof text,
	                            "version: 1\nservices:\n  sw1: {kind: network, hosts: [sw1]}\n");
	for (int k = 0; k < 400; k++)
		n += (size_t)snprintf(text + n, sizeof text - n, "  shop-%d: {tier: 1, needs: [sw1]}\n", k);
	struct desk *d = desk_new(rules, text, true);
	memset(bad, 'x', sizeof bad - 1);
	memcpy(bad, "a\r\nTitle: b\033[31m\001incident.key\002\xe2\x80\xae", 33);
	rig_event(d->rig, 0, "check", "named", "host", "sw1", "message", bad, NULL);
	desk_wait(d, MINUTE);
	struct incident *i = desk_incident(d, "sw1");
	char command[128];
	snprintf(command, sizeof command,
	         "{\"do\":\"ack\",\"id\":\"%s\",\"by\":\"e\\u0007ve\",\"text\":\"a\\u001b[2Jb\\nc\"}",
	         i->id_text);
	desk_command(d, command);
	assert_true(strlen(i->title) <= 800);
	assert_true(strlen(i->assign) <= 800);
	for (const char *p = i->title; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20);
	for (size_t k = 0; k < i->n_log; k++)
		for (const char *p = i->log[k].text; *p != '\0'; p++)
			assert_true((unsigned char)*p >= 0x20);
	const char *t = body_of(d, "sw1");
	has(t, "and 380 more\n");
	assert_true(strlen(t) < 20000);
	for (const char *p = t; *p != '\0'; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
	assert_null(strstr(t, "\xe2\x80\xae"));
	assert_null(strstr(t, "\nTitle: b"));
	assert_int_equal(d->n, 1);
	desk_free(d);
	buf_free(&body);
}

static struct slice summary_of(struct desk *d, const char *id)
{
	return slice_str(rig_alert(d->rig, id, "open")->summary);
}

/* A count that grows, in words of the event that opened it. */
static void summary_of_the_first(void **state)
{
	(void)state;
	struct desk *d = desk_new(
	    "version: 1\npackage: w\nrules:\n"
	    "  many: {summary: '${alert.count} of ${host|upper}: ${message}', match: {check: m}, by: "
	    "[check], severity: major}\n",
	    map, false);
	rig_event(d->rig, 0, "check", "m", "host", "h1", "message", "one", NULL);
	rig_event(d->rig, SECOND, "check", "m", "host", "h2", "message", "two", NULL);
	assert_true(slice_is(summary_of(d, "w/many"), "2 of H1: one"));
	desk_restart(d);
	rig_event(d->rig, 2 * SECOND, "check", "m", "host", "h3", "message", "three", NULL);
	assert_true(slice_is(summary_of(d, "w/many"), "3 of H1: one"));
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_line),
	    cmocka_unit_test(hostile_words),
	    cmocka_unit_test(summary_of_the_first),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
