/* Promises that membership and edges agree: edges are found among the beginnings and ends of single pieces,
 * and each is asked for by calendar_in. */
#include "base/calendar.h"

#include <stdlib.h>

#define HORIZON     10228 /* days: 28 years and a bit */
#define DAY_SECONDS 86400

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void day_split(int64_t day, int *year, int *month, int *mday)
{
	instant_split(day * DAY, year, month, mday, NULL, NULL, NULL);
}

int64_t day_civil(int year, int month, int mday)
{
	return floor_div(instant_civil(year, month, mday, 0, 0, 0), DAY);
}

int day_weekday(int64_t day)
{
	return (int)(((day + 3) % 7 + 7) % 7);
}

/* ---- pieces: what begins on one day, as [from, end) */

struct piece {
	instant from, end;
};

static bool in_ranges(const struct day_range *v, size_t n, int64_t day)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].from <= day && day <= v[i].to)
			return true;
	}
	return false;
}

/* -1 is the last day of the month: both ends are counted from the front before they are compared. */
static bool in_month_days(const struct calendar_interval *v, int mday, int last)
{
	for (size_t i = 0; i < v->n_month_days; i++) {
		int64_t from = v->month_days[i].from, to = v->month_days[i].to;
		from = from < 0 ? last + 1 + from : from;
		to = to < 0 ? last + 1 + to : to;
		if (from <= mday && mday <= to)
			return true;
	}
	return false;
}

static bool interval_begins(const struct calendar_interval *v, int64_t day)
{
	int year, month, mday;
	if (v->weekdays != 0 && (v->weekdays >> day_weekday(day) & 1) == 0)
		return false;
	if (v->n_dates > 0 && !in_ranges(v->dates, v->n_dates, day))
		return false;
	if (v->months == 0 && v->n_month_days == 0)
		return true;
	day_split(day, &year, &month, &mday);
	if (v->months != 0 && (v->months >> (month - 1) & 1) == 0)
		return false;
	return v->n_month_days == 0 ||
	       in_month_days(v, mday, (int)(day_civil(year, month + 1, 1) - day_civil(year, month, 1)));
}

static struct piece interval_piece(const struct calendar *c, const struct calendar_interval *v, int64_t day)
{
	int64_t from = v->from == CALENDAR_ALL_DAY ? 0 : (int64_t)v->from * 60,
	        to = v->from == CALENDAR_ALL_DAY ? DAY_SECONDS : (int64_t)v->to * 60;
	if (to <= from)
		to += DAY_SECONDS;
	return (struct piece){zone_first(c->zone, day * DAY_SECONDS + from),
	                      zone_last(c->zone, day * DAY_SECONDS + to)};
}

static bool event_excepted(const struct calendar_event *ev, int64_t day, instant from)
{
	for (size_t i = 0; i < ev->n_except; i++) {
		if (ev->except[i] == from)
			return true;
	}
	for (size_t i = 0; i < ev->n_except_days; i++) {
		if (ev->except_days[i] == day)
			return true;
	}
	return false;
}

/* False: it begins at no time of this day. */
static bool event_piece(const struct calendar_event *ev, int64_t day, struct piece *out)
{
	if (!ical_begins(ev, day))
		return false;
	int64_t wall = day * DAY_SECONDS + ev->start;
	out->from = zone_first(ev->zone, wall);
	out->end = ev->all_day ? zone_last(ev->zone, wall + ev->length * DAY_SECONDS)
	                       : out->from + ev->length * SECOND;
	return !event_excepted(ev, day, out->from);
}

static int64_t event_days(const struct calendar_event *ev)
{
	return ev->all_day ? ev->length : ev->length / DAY_SECONDS + 2;
}

/* ---- membership */

static bool intervals_in(const struct calendar *c, const struct calendar_interval *v, size_t n, instant t)
{
	int64_t day = floor_div(zone_wall(c->zone, t), DAY_SECONDS);
	for (size_t i = 0; i < n; i++) {
		/* a clock that goes back shows a day again: so the one behind may have begun already */
		for (int64_t d = day - 2; d <= day + 1; d++) {
			if (!interval_begins(&v[i], d))
				continue;
			struct piece p = interval_piece(c, &v[i], d);
			if (p.from <= t && t < p.end)
				return true;
		}
	}
	return false;
}

static bool events_in(const struct calendar *c, instant t)
{
	for (size_t i = 0; i < c->n_events; i++) {
		const struct calendar_event *ev = &c->events[i];
		int64_t day = floor_div(zone_wall(ev->zone, t), DAY_SECONDS);
		for (int64_t d = day - event_days(ev) - 1; d <= day + 1; d++) {
			struct piece p;
			if (event_piece(ev, d, &p) && p.from <= t && t < p.end)
				return true;
		}
	}
	return false;
}

bool calendar_in(const struct calendar *c, instant t)
{
	BUG_ON(t == INSTANT_NONE);
	return (intervals_in(c, c->times, c->n_times, t) || events_in(c, t)) &&
	       !intervals_in(c, c->except, c->n_except, t);
}

/* ---- edges */

/* One source of beginnings and ends, and the first of them behind `t`. */
struct source {
	const struct calendar_interval *interval;
	const struct calendar_event *event;
	instant next; /* INSTANT_NONE: no more */
	int64_t day;  /* on which it was looked for last: those before begin too early */
};

static instant nearer(instant best, instant at, instant t)
{
	return at > t && (best == INSTANT_NONE || at < best) ? at : best;
}

/* Nothing of it can begin behind this day. */
static int64_t last_day(const struct source *s)
{
	int64_t last = s->event != NULL ? s->event->last : INT64_MAX;
	if (s->event != NULL && s->event->freq == ICAL_ONCE)
		last = s->event->day;
	if (s->interval != NULL && s->interval->n_dates > 0) {
		last = INT64_MIN;
		for (size_t i = 0; i < s->interval->n_dates; i++)
			last = MAX(last, s->interval->dates[i].to);
	}
	return last;
}

static bool source_piece(const struct calendar *c, const struct source *s, int64_t day, struct piece *out)
{
	if (s->event != NULL)
		return event_piece(s->event, day, out);
	if (!interval_begins(s->interval, day))
		return false;
	*out = interval_piece(c, s->interval, day);
	return true;
}

/* The days from which a piece may still reach behind t. */
static int64_t reach(const struct source *s)
{
	return s->event != NULL ? event_days(s->event) + 1 : 2;
}

static void advance(const struct calendar *c, struct source *s, instant t, int64_t horizon)
{
	const struct zone *z = s->event != NULL ? s->event->zone : c->zone;
	int64_t from = floor_div(zone_wall(z, t), DAY_SECONDS) - reach(s), last = MIN(last_day(s), horizon);
	/* what was looked for before found nothing between: begin there, less what may overlap */
	from = MAX(from, s->day - reach(s));
	s->next = INSTANT_NONE;
	for (int64_t d = from; d <= last; d++) {
		struct piece p;
		/* pieces of later days begin later, but for a clock that goes back */
		if (s->next != INSTANT_NONE && zone_first(z, (d - 1) * DAY_SECONDS) > s->next)
			break;
		s->day = d;
		if (!source_piece(c, s, d, &p))
			continue;
		s->next = nearer(s->next, p.from, t);
		s->next = nearer(s->next, p.end, t);
	}
}

static size_t sources_add(struct source *v, const struct calendar_interval *intervals, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (struct source){.interval = &intervals[i], .next = INSTANT_NONE, .day = INT64_MIN / 2};
	return n;
}

static instant first_change(const struct calendar *c, struct source *v, size_t n, instant t, int64_t horizon)
{
	bool inside = calendar_in(c, t);
	for (size_t i = 0; i < n; i++)
		advance(c, &v[i], t, horizon);
	for (;;) {
		instant at = INSTANT_NONE;
		for (size_t i = 0; i < n; i++)
			at = v[i].next != INSTANT_NONE && (at == INSTANT_NONE || v[i].next < at) ? v[i].next
			                                                                         : at;
		if (at == INSTANT_NONE || calendar_in(c, at) != inside)
			return at;
		for (size_t i = 0; i < n; i++) {
			if (v[i].next == at)
				advance(c, &v[i], at, horizon);
		}
	}
}

instant calendar_edge(const struct calendar *c, instant t)
{
	size_t n = 0;
	struct source *v = xcalloc(c->n_times + c->n_except + c->n_events + 1, sizeof *v);
	n += sources_add(v + n, c->times, c->n_times);
	n += sources_add(v + n, c->except, c->n_except);
	for (size_t i = 0; i < c->n_events; i++)
		v[n++] = (struct source){.event = &c->events[i], .next = INSTANT_NONE, .day = INT64_MIN / 2};
	instant at = first_change(c, v, n, t, floor_div(t, DAY) + HORIZON);
	free(v);
	return at;
}
