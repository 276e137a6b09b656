/* Recurring times: is an instant inside, and when does that change? (language.md sections 10 and 17.7.) Pure.
 *
 * A calendar is a union of intervals and of the events of an iCalendar file, less its exceptions. Each of them begins on
 * days of its own zone's clock: skipped wall times are moved behind the gap, of those that occur twice an interval begins
 * at the first and ends at the second. */
#ifndef CARILLON_BASE_CALENDAR_H
#define CARILLON_BASE_CALENDAR_H

#include "base/zone.h"

#define CALENDAR_ALL_DAY (-1)

struct day_range {
	int64_t from, to;          /* both inside */
};

/* Days on which all that is given is true, and the part of the day. */
struct calendar_interval {
	uint8_t weekdays;          /* bit 0 Monday … 6 Sunday; 0: any */
	uint16_t months;           /* bit 0 January; 0: any */
	const struct day_range *month_days; size_t n_month_days; /* -1: the last day */
	const struct day_range *dates; size_t n_dates;           /* days since 1970-01-01 */
	int from, to;              /* minutes of the day; to <= from: of the next day. CALENDAR_ALL_DAY: the whole day */
};

enum ical_freq { ICAL_ONCE, ICAL_DAILY, ICAL_WEEKLY, ICAL_MONTHLY, ICAL_YEARLY };
struct ical_day {
	int nth;                   /* 0: every; 2: the second, -1: the last of its month (or year) */
	int weekday;               /* 0 Monday */
};

/* One VEVENT (RFC 5545). An occurrence begins on a day at `start` seconds of the wall clock and lasts `length`. */
struct calendar_event {
	const struct zone *zone;
	int64_t day, start;
	bool all_day;              /* length in days, else in seconds */
	int64_t length;
	enum ical_freq freq;
	int interval;
	int64_t last;              /* last day on which it may begin; INT64_MAX: no end */
	int64_t last_start;        /* … and the seconds of that day */
	int week_start;
	const struct ical_day *by_day; size_t n_by_day;
	const int *by_month_day; size_t n_by_month_day;
	uint16_t by_month;
	const instant *except; size_t n_except;       /* EXDATE: beginnings, or … */
	const int64_t *except_days; size_t n_except_days; /* … days */
};

struct calendar {
	struct slice id;           /* package/id */
	const struct zone *zone;
	const struct calendar_interval *times; size_t n_times;
	const struct calendar_interval *except; size_t n_except;
	const struct calendar_event *events; size_t n_events;
};

bool calendar_in(const struct calendar *c, instant t);
/* The first instant behind t at which calendar_in changes its answer; INSTANT_NONE: not within the next 28 years, after
 * which weekdays and leap days repeat. */
instant calendar_edge(const struct calendar *c, instant t);

/* ---- ical.c */

struct ical_zones {
	const struct zone *(*find)(void *arg, struct slice name); /* NULL: there is no such zone */
	void *arg;
	const struct zone *own;    /* of times without one */
};
/* The VEVENTs of an iCalendar text; they live in `a`. -1 with err and the line of the fault: what this program cannot do is
 * refused, never left out. Understood: DTSTART, DTEND, DURATION, whole days, UTC, TZID; RRULE with FREQ DAILY WEEKLY
 * MONTHLY YEARLY, INTERVAL, COUNT, UNTIL, WKST, BYDAY, BYMONTHDAY, BYMONTH; EXDATE; STATUS:CANCELLED. */
int ical_parse(struct arena *a, struct slice text, const struct ical_zones *zones, const struct calendar_event **out, size_t *n,
               uint32_t *line, struct error *err) MUST_CHECK;
/* Does an occurrence begin on this day (of its zone)? COUNT has become an end already. */
bool ical_begins(const struct calendar_event *ev, int64_t day);
/* Calls fn for each TZID of the text: names of zones that ical_parse will ask for. */
void ical_zone_names(struct slice text, void (*fn)(void *arg, struct slice name), void *arg);

/* ---- days, for both */
void day_split(int64_t day, int *year, int *month, int *mday);
int64_t day_civil(int year, int month, int mday); /* months and days are normalised */
int day_weekday(int64_t day);                     /* 0 Monday */

#endif
