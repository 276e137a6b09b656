/* The syslog decoder, one table: a line and what must be in its event. Forms from RFC 3164, RFC 5424 and
 * intake.md. */
#include "plugin_test.h"

enum { MAX_WANTED = 9 };

struct row {
	const char *line;
	const char *wanted[MAX_WANTED * 2]; /* name, value; "" for missing */
};

static const struct row rows[] = {
    {"<34>Oct 11 22:14:15 mymachine su[7]: 'su root' failed",
     {"time", "2026-10-11T22:14:15Z", "host", "mymachine", "app", "su", "syslog.pid", "7", "message",
      "'su root' failed", "severity", "critical", "syslog.facility", "4", "syslog.severity", "2",
      "syslog.time_quality", "no-year"}},
    {"<165>1 2003-10-11T22:14:15.003+02:00 Web1.example.com evntslog 8 ID47 [ex@32473 iut=\"3\" "
     "a=\"x\\\"y\"] An entry",
     {"time", "2003-10-11T20:14:15.003Z", "host", "web1.example.com", "app", "evntslog", "syslog.msgid",
      "ID47", "syslog.sd.ex_32473.iut", "3", "syslog.sd.ex_32473.a", "x\"y", "message", "An entry", "tags",
      "", "syslog.version", "1"}},
    {"<1>1 - - - - - -", {"host", "192.0.2.9", "app", "", "message", "", "syslog.time_quality", "received"}},
    {"<1>1 - - - - - - \xef\xbb\xbfgr\xc3\xb6\xc3\x9f", {"message", "gr\xc3\xb6\xc3\x9f", "tags", ""}},
    {"<1>1 - - - - - - \xf6", {"message", "\xf6", "tags", "not-utf8"}},
    {"<1>1 ", {"message", "<1>1 ", "tags", "malformed", "syslog.severity", "1"}},
    {"<1>1 2026-02-31T00:00:00Z h a - - - m",
     {"host", "h", "app", "a", "message", "m", "tags", "bad-time", "time", ""}},
    {"<1>1 - h a - - [x y=\"1\"][broken z=\"1 m", {"host", "h", "tags", "malformed", "syslog.sd.x.y", "1"}},
    {"<1>1 - h a - - [x a=\"1\" a=\"2\"] m", {"syslog.sd.x.a", "1", "syslog.sd.x.a.2", "2"}},
    {"<13>2 something", {"tags", "version", "message", "2 something", "syslog.version", "2"}},
    {"no header at all",
     {"message", "no header at all", "severity", "info", "syslog.facility", "1", "tags", "no-pri"}},
    {"<999>x", {"message", "<999>x", "tags", "bad-pri"}},
    {"<189>521: router1: *Nov 14 08:30:56.699: %LINK-3-UPDOWN: Interface Gi2, changed state to down",
     {"host", "router1", "code", "LINK-3-UPDOWN", "severity", "major", "syslog.severity", "5", "message",
      "%LINK-3-UPDOWN: Interface Gi2, changed state to down", "syslog.time_quality", "unsynced", "app", ""}},
    {"<190>40: xrv RP/0/RP0/CPU0:Oct  4 22:52:47.441 : cfgmgr[67310]: %MGBL-CONFIG-6-DB_COMMIT : done",
     {"host", "xrv", "app", "cfgmgr", "syslog.pid", "67310", "code", "MGBL-CONFIG-6-DB_COMMIT"}},
    {"<190>2018 Apr 20 13:15:07 nexus %ETHPORT-5-IF_DOWN: down",
     {"host", "nexus", "time", "2018-04-20T13:15:07Z", "code", "ETHPORT-5-IF_DOWN"}},
    {"<166>May 01 00:00:00 fw : %ASA-6-302015: Built",
     {"host", "fw", "code", "ASA-6-302015", "message", "%ASA-6-302015: Built"}},
    {"<29>2018-7-23 01:00:34.270.1 sw %%01IFNET/4/IF_STATE(l)[4997]:Interface down",
     {"host", "sw", "code", "IFNET-4-IF_STATE", "severity", "warning"}},
    {"<189>45: 00:01:01: %SYS-5-RESTART: System restarted",
     {"time", "", "syslog.time_quality", "received", "code", "SYS-5-RESTART"}},
    {"<13>Jan 13 16:33:35 haproxy[73411]: up",
     {"host", "192.0.2.9", "app", "haproxy", "syslog.pid", "73411", "message", "up"}},
    {"<4>Jul 20 21:23:00 vmx01 /kernel: tcp", {"host", "vmx01", "app", "kernel"}},
    {"<6>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
     {"host", "10.0.0.99", "app", "", "message", "Use the BFG!"}},
    {"<6>Feb  5 17:32:18 relay Feb  5 17:32:17 origin a: m", {"host", "origin", "app", "a", "message", "m"}},
    {"<6>Feb 29 10:00:00 h a: m", {"host", "h", "time", "", "tags", "bad-time"}},
    {"<13>Nov 22 10:00:00 CEST h a: m", {"time", "2026-11-22T08:00:00Z", "host", "h"}},
    {"<111>date=2026-11-22 time=09:00:00 devname=fw01 x=1", {"host", "fw01", "time", "2026-11-22T09:00:00Z"}},
    {"<14>Nov 22 00:43:34 dsm CEF:0|Trend Micro|DSM|9.0|600|User \\| signed in|8|src=10.52.1.1",
     {"host", "dsm", "code", "600", "summary", "User \\| signed in", "severity", "critical",
      "syslog.severity", "6", "app", ""}},
    {"<14>CEF:0|a|b", {"code", "", "severity", "info", "message", "CEF:0|a|b"}},
    {"<13>Nov 22 10:00:00 U7PG2,788a2056b182,v4.0.66: logread[5495]: x", {"host", "u7pg2", "app", "logread"}},
    {"<12>Nov 22 10:00:00 svm_service: 192.0.2.1  10:00:01.5 GMT ns 0-PPE-0 : GUI", {"host", "192.0.2.1", "app", "svm_service"}},
    {"<133>Nov 22 10:00:00 bigip1 notice mcpd[6789]: 01070727:5: up",
     {"host", "bigip1", "app", "mcpd", "syslog.pid", "6789", "message", "01070727:5: up"}},
    {"<4>Nov 22 10:00:00 10.0.0.5 00077 ports: port 12 is now off-line",
     {"host", "10.0.0.5", "app", "ports", "code", "00077", "message", "port 12 is now off-line"}},
    {"<13>2026-11-22 10:00:00.123 ERROR 4711 --- [main] Foo : bad",
     {"host", "192.0.2.9", "message", "ERROR 4711 --- [main] Foo : bad"}},
    {"<189>date=2026-11-22 time=10:15:23 logver=604 devname=FGT60F-1 devid=x", {"host", "fgt60f-1"}},
    {"<30>device=\"SFW\" date=2026-11-22 time=10:15:23 timezone=\"CET\" device_name=\"XG210\" id=x",
     {"host", "xg210", "time", "2026-11-22T10:15:23Z"}},
    {"<30>2026:11:22-10:15:23 utm ulogd[4711]: x", {"host", "utm", "app", "ulogd", "time", "2026-11-22T10:15:23Z"}},
    {"<13>20261122T101523.5+0100 h1 app: x", {"host", "h1", "app", "app", "time", "2026-11-22T09:15:23.5Z"}},
    {"<13>22.11.2026 10:15:23 h1 app: x", {"host", "h1", "app", "app", "time", "2026-11-22T10:15:23Z"}},
    {"<13>Error: 2026-11-22 10:00:00 disk",
     {"app", "Error", "host", "192.0.2.9", "message", "2026-11-22 10:00:00 disk"}},
    {"<0>kernel panic", {"severity", "critical", "message", "kernel panic"}},
    {"<13>Jan  1 00:00:01 h a: new\n", {"time", "2027-01-01T00:00:01Z", "message", "new"}},
};

static void fields_of_lines(void **state)
{
	(void)state;
	struct bench b = bench_new();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].line);
		assert_int_equal(bench_decode(&b, &syslog_decoder, NULL, slice_str(rows[i].line)), DECODE_OK);
		assert_int_equal(b.batch.n, 1);
		for (size_t k = 0; k < MAX_WANTED * 2 && rows[i].wanted[k] != NULL; k += 2)
			assert_field(&b, 0, rows[i].wanted[k], rows[i].wanted[k + 1]);
		assert_field(&b, 0, "type", "syslog");
		assert_field(&b, 0, "source", "lab");
	}
	bench_free(&b);
}

static void nearest_year(void **state)
{
	(void)state;
	struct bench b = bench_new();
	b.env.received = instant_civil(2027, 1, 1, 0, 0, 30);
	bench_decode(&b, &syslog_decoder, NULL, SLICE("<13>Dec 31 23:59:59 h a: last year"));
	assert_field(&b, 0, "time", "2026-12-31T23:59:59Z");
	b.env.zone_offset = 3600;
	bench_decode(&b, &syslog_decoder, NULL, SLICE("<13>Jan  1 00:30:00 h a: local"));
	assert_field(&b, 0, "time", "2026-12-31T23:30:00Z");
	bench_free(&b);
}

static void too_long_is_cut(void **state)
{
	(void)state;
	struct bench b = bench_new();
	b.env.max_event = 20;
	assert_int_equal(
	    bench_decode(&b, &syslog_decoder, NULL, SLICE("<13>0123456789012345678901234567890")), DECODE_OK);
	assert_field(&b, 0, "message", "0123456789012345");
	assert_field(&b, 0, "tags", "truncated");
	assert_int_equal(b.batch.notes[0].at, 20);
	bench_free(&b);
}

static void empty_is_nothing(void **state)
{
	(void)state;
	struct bench b = bench_new();
	assert_int_equal(bench_decode(&b, &syslog_decoder, NULL, SLICE("\n")), DECODE_REFUSED);
	assert_int_equal(b.batch.n, 0);
	assert_int_equal(b.batch.n_notes, 1);
	bench_free(&b);
}

static void raw_mode_keeps_the_tree(void **state)
{
	(void)state;
	struct bench b = bench_new();
	b.env.raw_mode = true;
	bench_decode(&b, &syslog_decoder, NULL, SLICE("<1>1 - - - - - [b@1 x=\"1\" x=\"2\"][e] m"));
	assert_field(&b, 0, "syslog.sd", "{\"b@1\":{\"x\":[\"1\",\"2\"]},\"e\":{}}");
	assert_field(&b, 0, "host", "");
	assert_field(&b, 0, "sender", "");
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_of_lines),         cmocka_unit_test(nearest_year),
	    cmocka_unit_test(too_long_is_cut),         cmocka_unit_test(empty_is_nothing),
	    cmocka_unit_test(raw_mode_keeps_the_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
