/* Times, durations, sizes, rates, ULIDs. */
#include "test.h"

#include "base/instant.h"

static void civil(void **state)
{
	(void)state;
	static const struct {
		int y, mo, d, h, m, s;
		int64_t want; /* seconds; computed with Python's datetime */
	} t[] = {{1970, 1, 1, 0, 0, 0, 0},
	         {1969, 12, 31, 23, 59, 59, -1},
	         {2026, 11, 22, 12, 0, 0, 1795348800},
	         {2000, 2, 29, 1, 2, 3, 951786123},
	         {1600, 3, 1, 0, 0, 0, -11670912000},
	         {1, 1, 1, 0, 0, 0, -62135596800},
	         {9999, 12, 31, 23, 59, 59, 253402300799}};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int y, mo, d, h, m, s;
		instant at = instant_civil(t[i].y, t[i].mo, t[i].d, t[i].h, t[i].m, t[i].s);
		assert_true(at == t[i].want * SECOND);
		instant_split(at + 999999, &y, &mo, &d, &h, &m, &s);
		assert_true(y == t[i].y && mo == t[i].mo && d == t[i].d && h == t[i].h && m == t[i].m &&
		            s == t[i].s);
	}
	assert_true(instant_civil(2026, 1, 32, 0, 0, 0) == instant_civil(2026, 2, 1, 0, 0, 0));
	assert_true(instant_civil(2026, 3, 0, 0, 0, 0) == instant_civil(2026, 2, 28, 0, 0, 0));
	assert_true(instant_civil(2026, 14, 1, 0, 0, 0) == instant_civil(2027, 2, 1, 0, 0, 0));
	assert_true(instant_civil(2026, 0, 1, 0, 0, 0) == instant_civil(2025, 12, 1, 0, 0, 0));
	assert_true(instant_civil(INT32_MAX, 1, 1, 0, 0, 0) == INT64_MAX);
}

/* Every day of 400 years and more comes back as itself, one after the other. */
static void every_day(void **state)
{
	(void)state;
	int y, mo, d, before = 0;
	for (instant t = instant_civil(1899, 1, 1, 0, 0, 0); t < instant_civil(2301, 1, 1, 0, 0, 0);
	     t += DAY) {
		instant_split(t, &y, &mo, &d, NULL, NULL, NULL);
		assert_true(instant_civil(y, mo, d, 0, 0, 0) == t);
		assert_true(y * 10000 + mo * 100 + d > before);
		before = y * 10000 + mo * 100 + d;
	}
}

static void rfc3339(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;                                 /* NULL: refused */
	} t[] = {{"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.52Z"}, /* RFC 3339 section 5.8 */
	         {"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"},
	         {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"},
	         {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"},
	         {"1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.87Z"},
	         {"2026-11-22t12:00:00z", "2026-11-22T12:00:00Z"},
	         {"2026-11-22T12:00:00.123456789+01:00", "2026-11-22T11:00:00.123456Z"},
	         {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
	         {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	         {"2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00Z"},
	         {"2026-02-29T00:00:00Z", NULL},
	         {"2100-02-29T00:00:00Z", NULL},
	         {"2026-04-31T00:00:00Z", NULL},
	         {"2026-00-01T00:00:00Z", NULL},
	         {"2026-13-01T00:00:00Z", NULL},
	         {"2026-01-00T00:00:00Z", NULL},
	         {"2026-01-01T24:00:00Z", NULL},
	         {"2026-01-01T00:60:00Z", NULL},
	         {"2026-01-01T00:00:61Z", NULL},
	         {"2026-01-01T12:00:60Z", NULL},
	         {"2026-01-01T00:00:00", NULL},
	         {"2026-01-01 00:00:00Z", NULL},
	         {"2026-01-01T00:00:00.Z", NULL},
	         {"2026-01-01T00:00:00.1234567890Z", NULL},
	         {"2026-01-01T00:00:00+24:00", NULL},
	         {"2026-01-01T00:00:00+0100", NULL},
	         {"2026-01-01T00:00:00Zx", NULL},
	         {"2026-1-01T00:00:00Z", NULL},
	         {"+026-01-01T00:00:00Z", NULL},
	         {"", NULL}};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b = {0};
		instant at;
		bool ok = instant_parse(slice_str(t[i].text), &at);
		assert_int_equal(ok, t[i].want != NULL);
		if (ok) {
			instant_format(at, &b);
			assert_string_equal(buf_cstr(&b), t[i].want);
		}
		buf_free(&b);
	}
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		duration d;
		const char *back;
	} t[] = {{"0", 0, "0"},
	         {"0s", 0, "0"},
	         {"90s", 90 * SECOND, "1m30s"},
	         {"1h30m", 90 * MINUTE, "1h30m"},
	         {"30m1h", 90 * MINUTE, "1h30m"},
	         {"250ms", 250 * MSEC, "250ms"},
	         {"10d", 10 * DAY, "10d"},
	         {"2w", 14 * DAY, "2w"},
	         {"1m1ms", MINUTE + MSEC, "1m1ms"}};
	static const char *const bad[] = {"",
	                                  "5",
	                                  "5min",
	                                  "m",
	                                  "1.5h",
	                                  "-1s",
	                                  "1 s",
	                                  "1S",
	                                  "1h30",
	                                  "1y",
	                                  "s1",
	                                  "9223372036854775807s",
	                                  "99999999999999999999s",
	                                  "9000000000000s9000000000000s"};
	duration d;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b = {0};
		assert_true(duration_parse(slice_str(t[i].text), &d));
		assert_true(d == t[i].d);
		duration_format(d, &b);
		assert_string_equal(buf_cstr(&b), t[i].back);
		buf_free(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(duration_parse(slice_str(bad[i]), &d));
	struct buf b = {0};
	duration_format(-90 * SECOND - 1, &b);
	buf_char(&b, ' ');
	duration_format(999, &b);
	buf_char(&b, ' ');
	duration_format(INT64_MIN, &b);
	assert_string_equal(buf_cstr(&b), "-1m30s 0 -106751991d4h54s775ms");
	buf_free(&b);
}

static void sizes_and_rates(void **state)
{
	(void)state;
	uint64_t n;
	double r;
	assert_true(bytesize_parse(SLICE("64KiB"), &n) && n == 65536);
	assert_true(bytesize_parse(SLICE("1GiB"), &n) && n == 1 << 30);
	assert_true(bytesize_parse(SLICE("17"), &n) && n == 17);
	assert_false(bytesize_parse(SLICE("1kb"), &n));
	assert_false(bytesize_parse(SLICE("-1"), &n));
	assert_false(bytesize_parse(SLICE("KiB"), &n));
	assert_false(bytesize_parse(SLICE("9223372036854775807GiB"), &n));
	assert_true(rate_parse(SLICE("5/s"), &r) && r == 5);
	assert_true(rate_parse(SLICE("30/m"), &r) && r == 0.5);
	assert_true(rate_parse(SLICE("36/h"), &r) && r == 0.01);
	assert_true(rate_parse(SLICE("0.5/s"), &r) && r == 0.5);
	assert_false(rate_parse(SLICE("5"), &r));
	assert_false(rate_parse(SLICE("/s"), &r));
	assert_false(rate_parse(SLICE("-5/s"), &r));
	assert_false(rate_parse(SLICE("5/d"), &r));
}

static void ulids(void **state)
{
	(void)state;
	char text[27];
	struct ulid u = ulid_make(1469918176385 * MSEC, 0xffff1234, 0x56789abcdef01122), v;
	ulid_text(&u, text);
	assert_memory_equal(text, "01ARYZ6S41", 10); /* the time part of the ULID specification's example */
	assert_true(ulid_parse(slice_str(text), &v));
	assert_memory_equal(&u, &v, sizeof u);
	memset(&u, 0xff, sizeof u);
	ulid_text(&u, text);
	assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	assert_true(ulid_parse(SLICE("7zzzzzzzzzzzzzzzzzzzzzzzzz"), &v));
	assert_memory_equal(&u, &v, sizeof u);
	assert_true(ulid_parse(SLICE("0000000000000000000000000o"), &v));
	assert_false(ulid_parse(SLICE("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"), &v));
	assert_false(ulid_parse(SLICE("0000000000000000000000000U"), &v));
	assert_false(ulid_parse(SLICE("000000000000000000000000"), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(civil),           cmocka_unit_test(every_day),
	                                   cmocka_unit_test(rfc3339),         cmocka_unit_test(durations),
	                                   cmocka_unit_test(sizes_and_rates), cmocka_unit_test(ulids)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
