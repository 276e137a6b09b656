/* The runner of rule tests: what passes, what fails and how it says so, and the examples of the design where
 * they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/rules_test.h"

static bool fake_syslog(void *arg, struct slice line, instant received, struct evt_batch *out)
{
	(void)arg, (void)received;
	struct fields *f = evt_batch_add(out);
	if (line.n == 0 || f == NULL) {
		evt_batch_note(out, 0, "an empty line");
		return false;
	}
	fields_set(f, FIELD_HOST, SLICE("box"));
	fields_set(f, FIELD_MESSAGE, line);
	return true;
}

static bool fake_webhook(void *arg, struct slice listener, struct slice body, instant received,
                         struct evt_batch *out)
{
	(void)arg, (void)received;
	struct fields *f = evt_batch_add(out);
	assert_non_null(f);
	fields_set(f, FIELD_SOURCE, listener);
	fields_set(f, FIELD_MESSAGE, arena_slice(out->arena, body));
	return true;
}

static struct slice no_file(void *arg, const char *rule_file, const char *path)
{
	(void)arg, (void)rule_file, (void)path;
	return SLICE_NONE;
}

struct outcome {
	int run;
	unsigned failed;
	struct buf text;
};

static struct outcome run_text(const char *name, struct slice yaml, enum rules_test_format format)
{
	struct findings f = {0};
	struct config *cfg = config_load(NULL, 0, "bench", &f);
	struct rules_file file = {.name = name, .text = yaml};
	struct rules_source src = {
	    .files = &file, .n = 1, .config = cfg, .read = no_file, .keep_tests = true};
	struct rule_set *rs = rule_set_load(&src, &f);
	struct outcome o = {0};
	if (rs == NULL) {
		findings_text(&f, &o.text);
		print_message("%s", buf_cstr(&o.text));
	}
	assert_non_null(rs);
	struct rules_test_options opt = {
	    .syslog = fake_syslog, .webhook = fake_webhook, .read = no_file, .format = format};
	o.run = rules_test_run(rs, cfg, &opt, &o.text, &o.failed);
	findings_clear(&f);
	rule_set_free(rs);
	config_free(cfg);
	return o;
}

#define HEAD                                                                                                 \
	"version: 1\npackage: t\nfields: {login: text}\n"                                                    \
	"decoders:\n  - id: login\n    match: {message: {exists: true}}\n    extract: {message: \"login "    \
	"${login} from ...\"}\n"                                                                             \
	"rules:\n  failed: {summary: \"failed on ${host}\", match: {login: failed}}\n"                       \
	"tests:\n"

static void test_passes(void **state)
{
	static const char yaml[] = HEAD
	    "  - name: counts and clears\n"
	    "    events:\n"
	    "      - {at: 0s, repeat: 3, every: 2s, event: {host: \"H${i}\", message: login failed from x}}\n"
	    "      - {at: 10s, event: {host: h0, message: login failed from y, state: clear}}\n"
	    "      - {at: 10s, syslog: login failed from z}\n"
	    "      - {at: 11s, webhook: {listener: hooks, body: {a: [1, \"2\", true, x]}}}\n"
	    "      - {at: 12s, snmp: {trap: linkDown, agent: SW1, vars: {ifDescr: ge-0}}}\n"
	    "    expect:\n"
	    "      - {at: 4s, alerts: [{rule: failed, by: {host: h1}}, {rule: t/failed}, {rule: failed, by: "
	    "{host: h0}, count: 1}]}\n"
	    "      - at: 15s\n"
	    "        alerts: [{rule: failed, by: {host: h1}}, {rule: failed, by: {host: h2}, severity: "
	    "warning, suppressed: null}, {rule: failed, by: {host: box}}, {rule: failed, state: closed}]\n"
	    "        decoded: [{host: h0}, {host: h1}, {login: failed}, {}, {}, {source: hooks, message: "
	    "'{\"a\":[1,\"2\",true,\"x\"]}'}, {snmp.var.ifDescr: ge-0, host: sw1}]\n";
	struct outcome o = run_text("t.yaml", SLICE(yaml), RULES_TEST_TEXT);
	(void)state;
	assert_string_equal(buf_cstr(&o.text), "1 test, 0 failed");
	buf_free(&o.text);
}

static void test_far_future(void **state)
{
	static const char *const inputs[] = {
	    "{at: 1s, every: 1500000w, repeat: 100000, event: {host: a}}",
	    "{at: 15000000w, event: {host: a, message: login failed from x}}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		char yaml[1024];
		int n = snprintf(yaml, sizeof yaml,
		                 "%s  - {name: far, events: [%s], expect: [{at: 1s, alerts: []}]}\n", HEAD,
		                 inputs[i]);
		struct outcome o = run_text("t.yaml", slice_of(yaml, (size_t)n), RULES_TEST_TEXT);
		assert_int_equal(o.failed, 1);
		assert_non_null(strstr(buf_cstr(&o.text), "100 years"));
		buf_free(&o.text);
	}
}

static void test_failure_says_why(void **state)
{
	static const char yaml[] =
	    HEAD "  - name: wrong\n"
	         "    events:\n"
	         "      - {at: 0s, event: {host: a, message: login failed from x}}\n"
	         "      - {at: 4s, event: {host: a, message: login broken}}\n"
	         "      - {at: 5s, event: {host: b, message: login failed from x}}\n"
	         "    expect:\n"
	         "      - {at: 30s, alerts: [{rule: failed, by: {host: a}, count: 2}]}\n";
	struct outcome o = run_text("t.yaml", SLICE(yaml), RULES_TEST_TEXT);
	(void)state;
	assert_int_equal(o.failed, 1);
	assert_string_equal(buf_cstr(&o.text),
	                    "t.yaml:11:5: FAIL wrong\n"
	                    "  at 30s: alert t/failed {host: a}\n"
	                    "      count: expected 2, got 1\n"
	                    "      because: event 2 (at 4s) did not fit: condition login = failed was false: "
	                    "login is missing\n"
	                    "               decoder 't/login' did not fit its message: \"login broken\"\n"
	                    "  at 30s: alert t/failed {host: b}\n"
	                    "      open (count 1), but not expected\n"
	                    "1 test, 1 failed");
	buf_free(&o.text);
}

static void test_other_formats(void **state)
{
	static const char yaml[] =
	    HEAD "  - name: none\n    events: [{at: 0s, event: {host: a, message: login failed from 100%}}]\n"
	         "    expect: [{at: 1s, alerts: []}]\n";
	struct outcome o = run_text("t.yaml", SLICE(yaml), RULES_TEST_TAP);
	(void)state;
	assert_non_null(strstr(buf_cstr(&o.text), "not ok 1 - none\n#   at 1s: alert t/failed {host: a}\n"));
	buf_free(&o.text);
	o = run_text("t.yaml", SLICE(yaml), RULES_TEST_JSON);
	assert_non_null(strstr(buf_cstr(&o.text), "\"run\":1,\"failed\":1}"));
	buf_free(&o.text);
	o = run_text("t.yaml", SLICE(yaml), RULES_TEST_GITHUB);
	assert_non_null(strstr(buf_cstr(&o.text), "::error file=t.yaml,line=11,col=5::FAIL none%0A"));
	buf_free(&o.text);
}

static void test_without_tests(void **state)
{
	struct outcome o =
	    run_text("t.yaml", SLICE("version: 1\nrules: {r: {summary: some text, match: {app: x}}}\n"),
	             RULES_TEST_TEXT);
	(void)state;
	assert_string_equal(buf_cstr(&o.text), "0 tests");
	buf_free(&o.text);
}

static void test_refused_inputs(void **state)
{
	static const char yaml[] =
	    HEAD "  - name: line\n    events: [{at: 0s, syslog: \"\"}]\n    expect: [{at: 1s, alerts: []}]\n"
	         "  - name: person\n    events: [{at: 0s, ticket: {root: a, state: resolved}}]\n    expect: "
	         "[{at: 1s, alerts: []}]\n"
	         "  - name: map\n    map: {version: 1, services: {a: {tier: 9}}}\n    events: []\n    "
	         "expect: [{at: 1s, alerts: []}]\n";
	struct outcome o = run_text("t.yaml", SLICE(yaml), RULES_TEST_TEXT);
	(void)state;
	assert_int_equal(o.failed, 3);
	assert_non_null(strstr(buf_cstr(&o.text), "refused: an empty line"));
	assert_non_null(strstr(buf_cstr(&o.text), "no incident with root 'a' has a ticket at this time"));
	assert_non_null(strstr(buf_cstr(&o.text), "the map is not valid"));
	buf_free(&o.text);
}

/* ---- whole files */

static struct slice read_file(const char *path)
{
	static char text[1 << 16];
	FILE *in = fopen(path, "rb");
	if (in == NULL)
		return SLICE_NONE;
	size_t n = fread(text, 1, sizeof text, in);
	fclose(in);
	return slice_of(text, n);
}

/* Thresholds with hysteresis, mutes and groups by fields, as a rule author tests them. */
static void test_shapes(void **state)
{
	struct slice text = read_file(SHAPES);
	(void)state;
	assert_non_null(text.p);
	struct outcome o = run_text("shapes.yaml", text, RULES_TEST_TEXT);
	assert_string_equal(buf_cstr(&o.text), "6 tests, 0 failed");
	buf_free(&o.text);
}

static void test_examples(void **state)
{
	static const char *const names[] = {"01-minimal.yaml", "02-link.yaml", "07-topology.yaml"};
	static const int tests[] = {0, 1, 3};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s", EXAMPLES, names[i]);
		struct slice text = read_file(path);
		if (text.p == NULL) {
			print_message("SKIPPED: the examples are not beside this tree: %s\n", path);
			skip();
		}
		struct outcome o = run_text(names[i], text, RULES_TEST_TEXT);
		if (o.failed > 0)
			print_message("%s\n", buf_cstr(&o.text));
		assert_int_equal(o.failed, 0);
		assert_int_equal(o.run, tests[i]);
		buf_free(&o.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_passes),        cmocka_unit_test(test_failure_says_why),
	    cmocka_unit_test(test_far_future),    cmocka_unit_test(test_other_formats),
	    cmocka_unit_test(test_without_tests), cmocka_unit_test(test_refused_inputs),
	    cmocka_unit_test(test_shapes),        cmocka_unit_test(test_examples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
