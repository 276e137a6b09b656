/* Webhook bodies through the shipped profiles, and the loader's findings. */
#include "plugin_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugins/webhook/moment.h"

static struct webhook_profiles *shipped(void)
{
	static const char *const names[] = {"alertmanager", "alertmanager-api-v2", "generic"};
	struct webhook_profiles *p = webhook_profiles_new();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[512], text[16384];
		struct findings f = {0};
		snprintf(path, sizeof path, "%s/%s.yaml", WEBHOOK_PROFILES, names[i]);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		size_t n = fread(text, 1, sizeof text, file);
		fclose(file);
		assert_int_equal(webhook_profile_add(p, path, slice_of(text, n), &f), 0);
		assert_int_equal(f.errors + f.warnings, 0);
		findings_clear(&f);
	}
	return p;
}

struct lab {
	struct bench b;
	struct webhook_profiles *profiles;
	void *settings;
};

static struct lab lab_new(const char *profile)
{
	struct error err;
	struct lab l = {.b = bench_new(), .profiles = shipped()};
	l.settings = webhook_settings_new(l.profiles, profile, &err);
	assert_non_null(l.settings);
	return l;
}

static void lab_free(struct lab *l)
{
	free(l->settings);
	webhook_profiles_free(l->profiles);
	bench_free(&l->b);
}

static enum decode_result post(struct lab *l, const char *body)
{
	return bench_decode(&l->b, &webhook_decoder, l->settings, slice_str(body));
}

static const char v4[] = "{\"receiver\":\"hook\",\"status\":\"firing\",\"groupKey\":\"{}\",\"alerts\":["
                         "{\"status\":\"firing\",\"labels\":{\"alertname\":\"Down\",\"instance\":\"WEB-0:"
                         "9100\",\"severity\":\"page\","
                         "\"service\":\"Shop\"},\"annotations\":{\"summary\":\"web-0 is down\"},"
                         "\"startsAt\":\"2026-11-22T01:10:55.248774974Z\",\"endsAt\":\"0001-01-01T00:00:"
                         "00Z\",\"fingerprint\":\"0d31\"},"
                         "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"Down\",\"host\":\"web-1\","
                         "\"severity\":\"weird\"}}]}";

static void alertmanager_v4(void **state)
{
	(void)state;
	struct lab l = lab_new("auto");
	assert_int_equal(post(&l, v4), DECODE_OK);
	assert_int_equal(l.b.batch.n, 2);
	assert_field(&l.b, 0, "type", "webhook");
	assert_field(&l.b, 0, "check", "Down");
	assert_field(&l.b, 0, "host", "web-0");
	assert_field(&l.b, 0, "service", "shop");
	assert_field(&l.b, 0, "severity", "critical");
	assert_field(&l.b, 0, "state", "problem");
	assert_field(&l.b, 0, "summary", "web-0 is down");
	assert_field(&l.b, 0, "dedup_key", "alertmanager/0d31");
	assert_field(&l.b, 0, "time", "2026-11-22T01:10:55.248774Z");
	assert_field(&l.b, 0, "body.labels.alertname", "Down");
	assert_field(&l.b, 0, "body.receiver", "hook");
	assert_field(&l.b, 1, "state", "clear");
	assert_field(&l.b, 1, "host", "web-1");
	assert_field(&l.b, 1, "severity", "warning");
	assert_int_equal(strncmp(bench_field(&l.b, 1, "dedup_key"), "alertmanager/", 13), 0);
	lab_free(&l);
}

static void api_v2(void **state)
{
	(void)state;
	struct lab l = lab_new(NULL);
	assert_int_equal(
	    post(&l, "[{\"labels\":{\"alertname\":\"A\",\"x\":\"1\"},\"startsAt\":\"2026-11-22T11:00:00Z\","
	             "\"endsAt\":\"2026-11-22T12:04:00Z\"},"
	             "{\"labels\":{\"x\":\"1\",\"alertname\":\"A\"},\"endsAt\":\"2026-11-22T11:59:00Z\"},"
	             "{\"labels\":{\"x\":\"2\",\"alertname\":\"A\"}}]"),
	    DECODE_OK);
	assert_int_equal(l.b.batch.n, 3);
	assert_field(&l.b, 0, "state", "problem"); /* a lease in the future */
	assert_field(&l.b, 1, "state", "clear");
	assert_field(&l.b, 2, "state", "problem");
	const char *key = bench_field(&l.b, 0, "dedup_key");
	assert_int_equal(strlen(key), 13 + 16);
	assert_field(&l.b, 1, "dedup_key", key); /* whatever the order of the labels */
	assert_string_not_equal(bench_field(&l.b, 2, "dedup_key"), key);
	lab_free(&l);
}

static void generic(void **state)
{
	(void)state;
	struct lab l = lab_new("auto");
	assert_int_equal(
	    post(
	        &l,
	        "{\"source\":\"lab\",\"events\":[{\"name\":\"disk\",\"host\":\"https://DB1:8443/x\","
	        "\"severity\":\"P1\",\"status\":\"Resolved\",\"id\":7,\"we ird\":{\"a.b\":[true,null,2]}}]}"),
	    DECODE_OK);
	assert_int_equal(l.b.batch.n, 1);
	assert_field(&l.b, 0, "check", "disk");
	assert_field(&l.b, 0, "host", "db1");
	assert_field(&l.b, 0, "severity", "critical");
	assert_field(&l.b, 0, "state", "clear");
	assert_field(&l.b, 0, "dedup_key", "generic/7");
	assert_field(&l.b, 0, "body.source", "lab");
	assert_field(&l.b, 0, "body.we_ird.a.b.0", "true");
	assert_field(&l.b, 0, "body.we_ird.a.b.2", "2");
	assert_int_equal(post(&l, "{\"x\":null}"), DECODE_OK);
	assert_field(&l.b, 0, "severity", "warning");
	assert_field(&l.b, 0, "state", "");
	assert_field(&l.b, 0, "host", "192.0.2.9");
	lab_free(&l);
}

static void what_is_no_json(void **state)
{
	(void)state;
	struct lab l = lab_new("auto");
	assert_int_equal(post(&l, "{\"a\": tru"), DECODE_OK);
	assert_field(&l.b, 0, "message", "{\"a\": tru");
	assert_field(&l.b, 0, "tags", "not-json");
	assert_int_equal(l.b.batch.n_notes, 1);
	assert_int_equal(post(&l, "plain text"), DECODE_OK);
	assert_field(&l.b, 0, "message", "plain text");
	assert_int_equal(post(&l, " "), DECODE_REFUSED);
	assert_int_equal(post(&l, "[]"), DECODE_REFUSED);
	assert_int_equal(l.b.batch.n_notes, 1);
	assert_int_equal(post(&l, "\xef\xbb\xbf{\"title\":\"t\"}"), DECODE_OK);
	assert_field(&l.b, 0, "check", "t");
	lab_free(&l);
}

static void forms(void **state)
{
	(void)state;
	struct lab l = lab_new("auto");
	l.b.env.content_type = SLICE("application/x-www-form-urlencoded; charset=utf-8");
	assert_int_equal(post(&l, "token=1&payload=%7B%22title%22%3A%22a+b%22%7D"), DECODE_OK);
	assert_field(&l.b, 0, "check", "a b");
	assert_int_equal(post(&l, "title=x%2&host=web1&empty="), DECODE_OK);
	assert_field(&l.b, 0, "check", "x%2");
	assert_field(&l.b, 0, "host", "web1");
	lab_free(&l);
}

static void large_body(void **state)
{
	(void)state;
	struct lab l = lab_new("auto");
	struct buf body = {0};
	buf_str(&body, "{\"receiver\":\"r\",\"groupKey\":\"g\",\"alerts\":[");
	for (unsigned i = 0; i < 12000; i++)
		buf_printf(&body, "%s{\"labels\":{\"alertname\":\"A%u\"},\"status\":\"firing\"}",
		           i > 0 ? "," : "", i);
	buf_str(&body, "]}");
	assert_true(body.n < 1 << 20);
	assert_int_equal(bench_decode(&l.b, &webhook_decoder, l.settings, buf_slice(&body)), DECODE_OK);
	assert_int_equal(l.b.batch.n, 10000);
	assert_field(&l.b, 9999, "check", "A9999");
	assert_int_equal(l.b.batch.n_notes, 1);
	buf_free(&body);
	lab_free(&l);
}

struct fault {
	const char *yaml, *code;
	unsigned line, col;
};

static const struct fault faults[] = {
    {"", "E005", 1, 1},
    {"profile: 1\nname: x\nitmes: a\n", "E004", 3, 1},
    {"profile: 2\nname: x\n", "E011", 1, 10},
    {"profile: 1\nname: X Y\n", "E010", 2, 7},
    {"name: x\n", "E005", 1, 1},
    {"profile: 1\nname: x\nset: {severity: bad}\n", "E011", 3, 17},
    {"profile: 1\nname: x\nset: {sender: a}\n", "E081", 3, 7},
    {"profile: 1\nname: x\nset: {nofield: a}\n", "E020", 3, 7},
    {"profile: 1\nname: x\nset: {host: \"${body.x|nofilter}\"}\n", "E062", 3, 23},
    {"profile: 1\nname: x\nset: {host: \"${host}\"}\n", "E061", 3, 16},
    {"profile: 1\nname: x\nset: {state: {from: body.s}}\n", "E005", 3, 7},
    {"profile: 1\nname: x\nset: {state: {from: s, map: {a: clear}}}\n", "E020", 3, 21},
    {"profile: 1\nname: x\nverify: slak\n", "E011", 3, 9},
    {"profile: 1\nname: x\nitems: \"a[\"\n", "E007", 3, 8},
    {"profile: 1\nprofile: 1\nname: x\n", "E002", 2, 1},
    {"profile: 1\nname: x\ndetect: [[a], b]\n", "E007", 3, 15},
    {"profile: 1\nname: x\ndetect: []\n", "E007", 3, 9},
    {"profile: 1\nname: x\ndetect: [{a: {b: c}}]\n", "E007", 3, 14},
    {"profile: 1\nname: x\nitems: \"a[].\"\n", "E007", 3, 8},
    {"profile: 1\nname: x\nset: {state: {from: body.x, map: u}}\n", "E020", 3, 34},
    {"profile: 1\nname: x\ntables: {t: {a: bad}}\nset: {state: {from: body.x, map: t}}\n", "E011", 4, 34},
    {"profile: 1\nname: x\nignore: [{when: [a]}]\n", "E005", 3, 10},
    {"profile: 1\nname: x\nset: {host: {when: [a], val: x}}\n", "E004", 3, 25},
    {"profile: 1\nname: x\nset: {host: {when: [a]}}\n", "E005", 3, 13},
    {"profile: 1\nname: x\nset: {host: \"${body.a|before}\"}\n", "E007", 3, 23},
};

static void faults_have_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct webhook_profiles *p = webhook_profiles_new();
		struct findings f = {0};
		print_message("%s\n", faults[i].yaml);
		assert_int_equal(webhook_profile_add(p, "x.yaml", slice_str(faults[i].yaml), &f), -1);
		assert_true(f.n >= 1);
		assert_string_equal(f.v[0].code, faults[i].code);
		assert_int_equal(f.v[0].mark.line, faults[i].line);
		assert_int_equal(f.v[0].mark.col, faults[i].col);
		findings_clear(&f);
		webhook_profiles_free(p);
	}
}

static void check_moment(const char *text, const char *expect)
{
	instant t;
	struct buf out = {0};
	if (moment_parse(slice_str(text), 3600, &t))
		instant_format(t, &out);
	buf_char(&out, '\0');
	if (strcmp(out.p, expect) != 0)
		fail_msg("'%s' is '%s', not '%s'", text, out.p, expect);
	buf_free(&out);
}

/* Without a zone: one hour east. */
static void times(void **state)
{
	static const char *const rows[][2] = {
	    {"2026-11-20T10:00:00.5Z", "2026-11-20T10:00:00.5Z"},
	    {"2015-06-03T17:43:27.123+0000", "2015-06-03T17:43:27.123Z"},
	    {"2025-02-15 14:59:03.25 +0000 UTC", "2025-02-15T14:59:03.25Z"},
	    {"2025-02-15 14:59:03 +0100 CET m=+0.2", "2025-02-15T13:59:03Z"},
	    {"2025-02-03T21:41:42.853014+01.00", "2025-02-03T20:41:42.853014Z"},
	    {"2024.10.26 23:20:39", "2024-10-26T22:20:39Z"},
	    {"2024/08/14 21:28:56 GMT", "2024-08-14T21:28:56Z"},
	    {"2024-08-14", "2024-08-13T23:00:00Z"},
	    {"1605133931", "2020-11-11T22:32:11Z"},
	    {"1605133931151", "2020-11-11T22:32:11.151Z"},
	    {"1605133931151000", "2020-11-11T22:32:11.151Z"},
	    {"1544712660300000000", "2018-12-13T14:51:00.3Z"},
	    {"1588227573.562812", "2020-04-30T06:19:33.562812Z"},
	    {"Sat Oct 26 23:20:39 UTC 2024", "2024-10-26T23:20:39Z"},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
	    {"July 30, 2019 10:36 AM EST", "2019-07-30T15:36:00Z"},
	    {"12 Aug 2019 12:05 am", "2019-08-11T23:05:00Z"},
	    {"160513393115100000", ""},         /* no time of ours in any unit */
	    {"July 30, 2019 10:36 AM BST", ""}, /* British or Bangladesh */
	    {"2025-02-30 10:00:00", ""},
	    {"2025-02-20 24:00:00", ""},
	    {"Wed Oct", ""},
	    {"yesterday", ""},
	    {"12345678", ""},
	    {"", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_moment(rows[i][0], rows[i][1]);
}

static void lines_and_envelopes(void **state)
{
	(void)state;
	struct lab l = lab_new("auto");
	assert_int_equal(post(&l, "{\"title\":\"a\"}\n\n{\"title\":\"b\"}\n"), DECODE_OK);
	assert_int_equal(l.b.batch.n, 2);
	assert_field(&l.b, 1, "check", "b");
	assert_int_equal(post(&l, "{\"title\":\"a\"}\n{\"title\":\n"), DECODE_OK);
	assert_int_equal(l.b.batch.n, 1);
	assert_field(&l.b, 0, "tags", "not-json");
	l.b.env.content_type = SLICE("application/x-www-form-urlencoded");
	assert_int_equal(post(&l, "{\"title\":\"curl -d\"}"), DECODE_OK);
	assert_field(&l.b, 0, "check", "curl -d");
	lab_free(&l);
}

static void unknown_profile(void **state)
{
	(void)state;
	struct error err;
	struct webhook_profiles *p = shipped();
	assert_null(webhook_settings_new(p, "nonesuch", &err));
	assert_non_null(strstr(err.text, "nonesuch"));
	webhook_profiles_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(alertmanager_v4),
	    cmocka_unit_test(api_v2),
	    cmocka_unit_test(generic),
	    cmocka_unit_test(what_is_no_json),
	    cmocka_unit_test(forms),
	    cmocka_unit_test(large_body),
	    cmocka_unit_test(faults_have_places),
	    cmocka_unit_test(unknown_profile),
	    cmocka_unit_test(times),
	    cmocka_unit_test(lines_and_envelopes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
