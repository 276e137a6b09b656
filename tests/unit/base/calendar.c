/* Zones, calendars and iCalendar files: the edges of daylight saving time, leap days, and for many calendars
 * that a scan by minutes finds the edges that calendar_edge names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/calendar.h"

static struct arena *arena;

static const struct zone *zone_file(const char *name)
{
	char path[256];
	struct buf b = {0};
	char chunk[4096];
	struct error err;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		buf_add(&b, chunk, n);
	fclose(f);
	const struct zone *z = zone_parse(arena, buf_slice(&b), &err);
	buf_free(&b);
	return z;
}

static const struct zone *zone(const char *name)
{
	const struct zone *z = zone_file(name);
	if (z == NULL) {
		fprintf(stderr, "SKIPPED: no time-zone file of %s\n", name);
		skip();
	}
	return z;
}

static instant at(const char *text)
{
	instant t;
	assert_true(instant_parse(slice_str(text), &t));
	return t;
}

static int64_t wall(const char *text)
{
	return at(text) / SECOND;
}

static void same(instant t, const char *text)
{
	struct buf b = {0};
	instant_format(t, &b);
	assert_string_equal(buf_cstr(&b), text);
	buf_free(&b);
}

/* ---- zones */

static void offsets(void **state)
{
	(void)state;
	static const struct {
		const char *zone, *at;
		int offset;
	} rows[] = {
	    {"Europe/Berlin", "1850-01-01T00:00:00Z", 3208},
	    {"Europe/Berlin", "2026-01-05T00:00:00Z", 3600},
	    {"Europe/Berlin", "2026-03-29T00:59:59Z", 3600},
	    {"Europe/Berlin", "2026-03-29T01:00:00Z", 7200},
	    {"Europe/Berlin", "2026-10-25T00:59:59Z", 7200},
	    {"Europe/Berlin", "2026-10-25T01:00:00Z", 3600},
	    {"Europe/Berlin", "2399-07-01T00:00:00Z", 7200}, /* by the rule in the footer */
	    {"America/New_York", "2026-03-08T06:59:59Z", -18000},
	    {"America/New_York", "2026-03-08T07:00:00Z", -14400},
	    {"America/New_York", "2060-11-07T05:59:59Z", -14400},
	    {"America/New_York", "2060-11-07T06:00:00Z", -18000},
	    {"Australia/Lord_Howe", "2026-04-04T14:59:59Z", 39600},
	    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 37800},
	    {"Australia/Lord_Howe", "2050-01-01T00:00:00Z", 39600},
	    {"Asia/Kolkata", "2050-01-01T00:00:00Z", 19800},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(zone_offset(zone(rows[i].zone), at(rows[i].at)), rows[i].offset);
}

static void wall_times(void **state)
{
	(void)state;
	const struct zone *berlin = zone("Europe/Berlin"), *howe = zone("Australia/Lord_Howe");
	same(zone_first(berlin, wall("2026-03-29T02:30:00Z")), "2026-03-29T01:00:00Z");
	same(zone_last(berlin, wall("2026-03-29T02:30:00Z")), "2026-03-29T01:00:00Z");
	same(zone_first(berlin, wall("2026-10-25T02:30:00Z")), "2026-10-25T00:30:00Z");
	same(zone_last(berlin, wall("2026-10-25T02:30:00Z")), "2026-10-25T01:30:00Z");
	same(zone_first(berlin, wall("2026-10-25T03:00:00Z")), "2026-10-25T02:00:00Z");
	same(zone_first(howe, wall("2026-10-04T02:15:00Z")), "2026-10-03T15:30:00Z");
	same(zone_first(howe, wall("2026-04-05T01:45:00Z")), "2026-04-04T14:45:00Z");
	same(zone_last(howe, wall("2026-04-05T01:45:00Z")), "2026-04-04T15:15:00Z");
	same(zone_first(zone_utc(), wall("2026-04-05T01:45:00Z")), "2026-04-05T01:45:00Z");
}

/* The C library reads the same files. */
static void as_libc(void **state)
{
	(void)state;
	static const char *const names[] = {"Europe/Berlin",     "America/New_York", "Australia/Lord_Howe",
	                                    "America/Sao_Paulo", "Asia/Kathmandu",   "Africa/Casablanca",
	                                    "America/St_Johns",  "Pacific/Apia",     "Europe/Dublin",
	                                    "Antarctica/Troll",  "Asia/Gaza",        "America/Scoresbysund",
	                                    "Pacific/Chatham",   "Africa/Cairo",     "America/Havana"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct zone *z = zone(names[i]);
		setenv("TZ", names[i], 1);
		tzset();
		for (int64_t s = -2000000000; s < INT64_C(9000000000); s += 1234567) {
			time_t t = (time_t)s;
			struct tm tm;
			localtime_r(&t, &tm);
			if (zone_offset(z, s * SECOND) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", names[i], (long long)s,
				         zone_offset(z, s * SECOND), tm.tm_gmtoff);
		}
	}
	unsetenv("TZ");
}

static void damaged_zones(void **state)
{
	(void)state;
	struct error err;
	char head[60] = "TZif2";
	assert_null(zone_parse(arena, SLICE(""), &err));
	assert_null(zone_parse(arena, SLICE("TZif"), &err));
	assert_null(zone_parse(arena, slice_of(head, sizeof head), &err));
	head[36 + 3] = 1; /* one type, which is not there */
	assert_null(zone_parse(arena, slice_of(head, 44), &err));
	assert_true(zone_name_valid(SLICE("America/Argentina/Buenos_Aires")));
	assert_true(zone_name_valid(SLICE("Etc/GMT+5")));
	assert_false(zone_name_valid(SLICE("../../etc/passwd")));
	assert_false(zone_name_valid(SLICE("/etc/localtime")));
	assert_false(zone_name_valid(SLICE("a//b")));
	assert_false(zone_name_valid(SLICE("")));
}

/* ---- intervals */

#define ALL_DAY .from = CALENDAR_ALL_DAY, .to = CALENDAR_ALL_DAY

static struct calendar of(const struct zone *z, const struct calendar_interval *times, size_t n,
                          const struct calendar_interval *except, size_t n_except)
{
	return (struct calendar){
	    .zone = z, .times = times, .n_times = n, .except = except, .n_except = n_except};
}

static void edges(const struct calendar *c, const char *from, const char *const *wanted)
{
	instant t = at(from);
	for (size_t i = 0; wanted[i] != NULL; i++) {
		t = calendar_edge(c, t);
		same(t, wanted[i]);
	}
}

static void office_hours(void **state)
{
	(void)state;
	const struct calendar_interval v = {.weekdays = 0x1f, .from = 8 * 60, .to = 18 * 60};
	struct calendar c = of(zone("Europe/Berlin"), &v, 1, NULL, 0);
	assert_false(calendar_in(&c, at("2026-01-05T06:59:59Z")));
	assert_true(calendar_in(&c, at("2026-01-05T07:00:00Z")));
	assert_true(calendar_in(&c, at("2026-01-05T16:59:59Z")));
	assert_false(calendar_in(&c, at("2026-01-05T17:00:00Z")));
	assert_false(calendar_in(&c, at("2026-01-04T12:00:00Z")));
	edges(&c, "2026-03-27T12:00:00Z",
	      (const char *const[]){"2026-03-27T17:00:00Z", "2026-03-30T06:00:00Z", "2026-03-30T16:00:00Z",
	                            NULL});
}

static void second_tuesday(void **state)
{
	(void)state;
	const struct day_range days = {8, 14}, dates = {day_civil(2026, 12, 20), day_civil(2027, 1, 6)};
	const struct calendar_interval v = {
	    .weekdays = 2, .month_days = &days, .n_month_days = 1, .from = 22 * 60, .to = 4 * 60};
	const struct calendar_interval no = {.dates = &dates, .n_dates = 1, ALL_DAY};
	struct calendar c = of(zone("Europe/Berlin"), &v, 1, &no, 1);
	edges(&c, "2026-09-09T12:00:00Z",
	      (const char *const[]){"2026-10-13T20:00:00Z", "2026-10-14T02:00:00Z", "2026-11-10T21:00:00Z",
	                            "2026-11-11T03:00:00Z", "2026-12-08T21:00:00Z", "2026-12-09T03:00:00Z",
	                            "2027-01-12T21:00:00Z", NULL});
}

/* The skipped and the repeated hour (17.7). */
static void clock_changes(void **state)
{
	(void)state;
	const struct calendar_interval inside = {.from = 2 * 60 + 15, .to = 2 * 60 + 45},
	                               into = {.from = 60, .to = 2 * 60 + 30};
	struct calendar c = of(zone("Europe/Berlin"), &inside, 1, NULL, 0);
	/* skipped whole on March 29 */
	edges(&c, "2026-03-28T02:00:00Z",
	      (const char *const[]){"2026-03-30T00:15:00Z", "2026-03-30T00:45:00Z", NULL});
	/* from the first 02:15 to the second 02:45 */
	edges(&c, "2026-10-24T12:00:00Z",
	      (const char *const[]){"2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z", NULL});
	c.times = &into;
	edges(&c, "2026-03-28T12:00:00Z",
	      (const char *const[]){"2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", NULL});
	const struct calendar_interval day = {.weekdays = 0x40, ALL_DAY};
	c = of(zone("America/New_York"), &day, 1, NULL, 0);
	edges(&c, "2026-03-07T12:00:00Z",
	      (const char *const[]){"2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", NULL});
}

static void leap_days(void **state)
{
	(void)state;
	const struct day_range last = {-1, -1}, days29 = {29, 29}, tail = {-3, -1};
	const struct calendar_interval end = {.month_days = &last, .n_month_days = 1, .months = 2, ALL_DAY},
	                               leap = {.month_days = &days29,
	                                       .n_month_days = 1,
	                                       .months = 2,
	                                       .weekdays = 2,
	                                       ALL_DAY},
	                               three = {.month_days = &tail, .n_month_days = 1, .months = 2, ALL_DAY};
	struct calendar c = of(zone_utc(), &end, 1, NULL, 0);
	edges(&c, "2027-12-01T00:00:00Z",
	      (const char *const[]){"2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", "2029-02-28T00:00:00Z",
	                            "2029-03-01T00:00:00Z", NULL});
	c.times = &leap; /* a Tuesday */
	edges(&c, "2026-01-01T00:00:00Z",
	      (const char *const[]){"2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", NULL});
	assert_int_equal(calendar_edge(&c, at("2028-03-01T00:00:00Z")), at("2056-02-29T00:00:00Z"));
	c.times = &three;
	edges(&c, "2028-02-01T00:00:00Z",
	      (const char *const[]){"2028-02-27T00:00:00Z", "2028-03-01T00:00:00Z", NULL});
}

static void never_and_always(void **state)
{
	(void)state;
	const struct calendar_interval all = {ALL_DAY};
	const struct day_range past = {day_civil(2020, 1, 1), day_civil(2020, 1, 2)};
	const struct calendar_interval over = {.dates = &past, .n_dates = 1, ALL_DAY};
	struct calendar c = of(zone_utc(), &over, 1, NULL, 0);
	assert_int_equal(calendar_edge(&c, at("2026-01-01T00:00:00Z")), INSTANT_NONE);
	same(calendar_edge(&c, at("2019-01-01T00:00:00Z")), "2020-01-01T00:00:00Z");
	c.times = &all;
	c.except = &over;
	c.n_except = 1;
	assert_true(calendar_in(&c, at("2026-01-01T00:00:00Z")));
	same(calendar_edge(&c, at("2019-01-01T00:00:00Z")), "2020-01-01T00:00:00Z");
}

/* ---- iCalendar */

static const struct zone *find(void *arg, struct slice name)
{
	(void)arg;
	char text[65];
	if (!zone_name_valid(name))
		return NULL;
	snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(name));
	return zone_file(text);
}

#define CAL(lines)   "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" lines "END:VCALENDAR\r\n"
#define EVENT(lines) CAL("BEGIN:VEVENT\r\nUID:1\r\n" lines "END:VEVENT\r\n")

static struct calendar ical(const char *text)
{
	struct calendar c = {.zone = zone("Europe/Berlin")};
	struct ical_zones zones = {find, NULL, c.zone};
	struct error err;
	uint32_t line = 0;
	if (ical_parse(arena, slice_str(text), &zones, &c.events, &c.n_events, &line, &err) != 0)
		fail_msg("line %u: %s", line, err.text);
	return c;
}

static void ical_events(void **state)
{
	(void)state;
	struct calendar c = ical(EVENT("DTSTART;TZID=America/New_York:20260307T230000\r\nDTEND;TZID=America/"
	                               "New_York:20260308T040000\r\n"));
	edges(&c, "2026-01-01T00:00:00Z",
	      (const char *const[]){"2026-03-08T04:00:00Z", "2026-03-08T08:00:00Z", "-", NULL});
	c = ical(EVENT("DTSTART:20260307T230000Z\r\nDURATION:PT1H30M\r\n"));
	edges(&c, "2026-01-01T00:00:00Z",
	      (const char *const[]){"2026-03-07T23:00:00Z", "2026-03-08T00:30:00Z", "-", NULL});
	c = ical(EVENT("DTSTART;VALUE=DATE:20260329\r\nDTEND;VALUE=DATE:20260331\r\n"));
	edges(&c, "2026-01-01T00:00:00Z",
	      (const char *const[]){"2026-03-28T23:00:00Z", "2026-03-30T22:00:00Z", "-", NULL});
	c = ical(EVENT("DTSTART:20260329T120000\r\nDTEND:20260329T130000\r\nSTATUS:CANCELLED\r\n"));
	assert_int_equal(c.n_events, 0);
	/* folded line, quoted parameter, an alarm inside */
	c = ical(
	    EVENT("DTSTART;X-A=\"a:b;c\";TZID=Europe/Ber\r\n "
	          "lin:20260105T080000\r\nBEGIN:VALARM\r\nDURATION:PT5M\r\nEND:VALARM\r\nDURATION:PT2H\r\n"));
	edges(&c, "2026-01-01T00:00:00Z",
	      (const char *const[]){"2026-01-05T07:00:00Z", "2026-01-05T09:00:00Z", NULL});
}

/* Beginnings as days of UTC, one hour each. */
static void begins(const char *rule, const char *const *wanted)
{
	char text[512];
	snprintf(text, sizeof text, EVENT("DTSTART:20260105T100000Z\r\nDURATION:PT1H\r\n%s\r\n"), rule);
	struct calendar c = ical(text);
	instant t = at("2026-01-01T00:00:00Z");
	for (size_t i = 0; wanted[i] != NULL; i++) {
		struct buf b = {0};
		t = calendar_edge(&c, t);
		instant_format(t, &b);
		assert_string_equal(t == INSTANT_NONE ? "-" : (b.n = 10, buf_cstr(&b)), wanted[i]);
		buf_free(&b);
		if (t != INSTANT_NONE)
			t = calendar_edge(&c, t);
	}
}

#define DAYS(...) ((const char *const[]){__VA_ARGS__, NULL})
static void recurrence(void **state)
{
	(void)state;
	begins("RRULE:FREQ=DAILY;COUNT=3", DAYS("2026-01-05", "2026-01-06", "2026-01-07", "-"));
	begins("RRULE:FREQ=DAILY;INTERVAL=10;UNTIL=20260125T100000Z",
	       DAYS("2026-01-05", "2026-01-15", "2026-01-25", "-"));
	begins("RRULE:FREQ=DAILY;INTERVAL=10;UNTIL=20260125T095959Z", DAYS("2026-01-05", "2026-01-15", "-"));
	begins("RRULE:FREQ=DAILY;UNTIL=20260106", DAYS("2026-01-05", "2026-01-06", "-"));
	begins("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2",
	       DAYS("2026-01-05", "2026-01-07", "2026-01-19", "2026-01-21"));
	begins("RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,MO",
	       DAYS("2026-01-05", "2026-01-18", "2026-01-19"));
	begins("RRULE:FREQ=MONTHLY;BYDAY=2TU", DAYS("2026-01-05", "2026-01-13", "2026-02-10", "2026-03-10"));
	begins("RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", DAYS("2026-01-05", "2026-01-30", "2026-02-27", "-"));
	begins("RRULE:FREQ=MONTHLY;BYMONTHDAY=-1", DAYS("2026-01-05", "2026-01-31", "2026-02-28"));
	begins("RRULE:FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
	       DAYS("2026-01-05", "2026-02-13", "2026-03-13", "2026-11-13"));
	begins("RRULE:FREQ=MONTHLY;INTERVAL=3", DAYS("2026-01-05", "2026-04-05", "2026-07-05"));
	begins("RRULE:FREQ=YEARLY", DAYS("2026-01-05", "2027-01-05", "2028-01-05"));
	begins("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", DAYS("2026-01-05", "2026-03-29", "2027-03-28"));
	begins("RRULE:FREQ=YEARLY;BYDAY=20MO", DAYS("2026-01-05", "2026-05-18", "2027-05-17"));
	begins("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", DAYS("2026-01-05", "2028-02-29", "2032-02-29"));
	begins("RRULE:FREQ=DAILY;COUNT=4\r\nEXDATE:20260106T100000Z,20260107T100000Z",
	       DAYS("2026-01-05", "2026-01-08", "-"));
}

static void ical_faults(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t line;
		const char *part;
	} rows[] = {
	    {"", 1, "no iCalendar file"},
	    {"hello\n", 1, "BEGIN:VCALENDAR"},
	    {EVENT("SUMMARY:x\r\n"), 6, "needs DTSTART"},
	    {EVENT("DTSTART:20260230T000000Z\r\nDURATION:PT1H\r\n"), 5, "DTSTART is no date or time"},
	    {EVENT("DTSTART:20260105T000000Z\r\n"), 5, "needs DTEND or DURATION"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDTEND:20260105T000000Z\r\n"), 6, "not behind"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDTEND;VALUE=DATE:20260106\r\n"), 6, "kind of DTSTART"},
	    {EVENT("DTSTART;TZID=W. Europe Standard Time:20260105T000000\r\nDURATION:PT1H\r\n"), 5, "IANA"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDURATION:PT1X\r\n"), 6, "DURATION"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=HOURLY\r\n"), 7, "FREQ=HOURLY"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=MONTHLY;BYSETPOS=1\r\n"), 7,
	     "BYSETPOS=1"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;BYDAY=2MO\r\n"), 7,
	     "numbered BYDAY"},
	    {EVENT(
	         "DTSTART:20260105T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=1;UNTIL=20270101\r\n"),
	     7, "exclude"},
	    {EVENT("DTSTART:20260105T000000Z\r\nDURATION:PT1H\r\nRDATE:20260205T000000Z\r\n"), 7, "RDATE"},
	    {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105T000000Z\n", 4, "ends inside"},
	};
	struct ical_zones zones = {find, NULL, zone_utc()};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct calendar_event *v;
		struct error err = {""};
		uint32_t line = 0;
		size_t n;
		assert_int_equal(ical_parse(arena, slice_str(rows[i].text), &zones, &v, &n, &line, &err), -1);
		if (line != rows[i].line || strstr(err.text, rows[i].part) == NULL)
			fail_msg("case %zu: line %u: %s", i, line, err.text);
	}
}

/* ---- membership and edges agree */

static uint64_t seed;

static uint64_t any(uint64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

static struct calendar_interval any_interval(void)
{
	struct calendar_interval v = {ALL_DAY};
	if (any(2))
		v.weekdays = (uint8_t)(any(127) + 1);
	if (any(4) == 0)
		v.months = (uint16_t)(any(4095) + 1);
	if (any(3) == 0) {
		struct day_range *r = arena_alloc(arena, sizeof *r);
		r->from = (int64_t)any(31) + 1;
		r->to = any(2) ? -1 : MIN(r->from + (int64_t)any(9), 31);
		v.month_days = r;
		v.n_month_days = 1;
	}
	if (any(4)) {
		v.from = (int)any(96) * 15;
		v.to = (int)any(96) * 15;
	}
	return v;
}

static void scan(const struct calendar *c, instant from, instant until)
{
	instant t = from;
	for (;;) {
		instant edge = calendar_edge(c, t);
		bool inside = calendar_in(c, t);
		for (instant m = t; m < until && (edge == INSTANT_NONE || m < edge); m += MINUTE)
			if (calendar_in(c, m) != inside) {
				struct buf b = {0};
				instant_format(m, &b);
				fail_msg("seed %llu: a change before %s is not named",
				         (unsigned long long)seed, buf_cstr(&b));
			}
		if (edge == INSTANT_NONE || edge >= until)
			return;
		assert_true(edge > t);
		assert_int_equal(calendar_in(c, edge), !inside);
		assert_int_equal(calendar_in(c, edge - 1), inside);
		t = edge;
	}
}

static void property(void **state)
{
	(void)state;
	static const char *const names[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
	                                    "America/Havana", "Africa/Casablanca"};
	static const char *const starts[] = {"2026-03-05T00:00:00Z", "2026-03-26T00:00:00Z",
	                                     "2026-10-02T00:00:00Z", "2026-10-22T00:00:00Z",
	                                     "2028-02-25T00:00:00Z", "2026-10-30T00:00:00Z"};
	seed = 20260105;
	for (int round = 0; round < 120; round++) {
		struct calendar_interval times[3], except[2];
		size_t n = any(3) + 1, n_except = any(3);
		for (size_t i = 0; i < n; i++)
			times[i] = any_interval();
		for (size_t i = 0; i < n_except; i++)
			except[i] = any_interval();
		struct calendar c = of(zone(names[any(ARRAY_LEN(names))]), times, n, except, n_except);
		instant from = at(starts[any(ARRAY_LEN(starts))]) + (instant)any(2880) * MINUTE;
		scan(&c, from, from + 12 * DAY);
	}
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(offsets),          cmocka_unit_test(wall_times),
	    cmocka_unit_test(as_libc),          cmocka_unit_test(damaged_zones),
	    cmocka_unit_test(office_hours),     cmocka_unit_test(second_tuesday),
	    cmocka_unit_test(clock_changes),    cmocka_unit_test(leap_days),
	    cmocka_unit_test(never_and_always), cmocka_unit_test(ical_events),
	    cmocka_unit_test(recurrence),       cmocka_unit_test(ical_faults),
	    cmocka_unit_test(property),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
