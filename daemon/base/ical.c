/* Promises RFC 5545's VEVENTs as days on which they begin, or a refusal that names the line. Must not guess:
 * what is not understood and would change a time is an error. */
#include "base/calendar.h"

#include <stdlib.h>

enum { EVENTS_MAX = 10000, PARTS_MAX = 400, YEARS_MAX = 400 };
#define DAY_SECONDS 86400

/* ---- days on which a rule begins */

static bool month_day_in(const struct calendar_event *ev, int mday, int last)
{
	for (size_t i = 0; i < ev->n_by_month_day; i++) {
		int v = ev->by_month_day[i];
		if (v == mday || (v < 0 && last + 1 + v == mday))
			return true;
	}
	return ev->n_by_month_day == 0;
}

/* The n-th such weekday of what begins at `from` and has `n_days` days. */
static bool weekday_in(const struct calendar_event *ev, int64_t day, int64_t from, int64_t n_days)
{
	int64_t at = day - from;
	for (size_t i = 0; i < ev->n_by_day; i++) {
		const struct ical_day *d = &ev->by_day[i];
		int64_t front = at / 7 + 1, back = -((n_days - 1 - at) / 7 + 1);
		if (d->weekday == day_weekday(day) && (d->nth == 0 || d->nth == front || d->nth == back))
			return true;
	}
	return ev->n_by_day == 0;
}

static bool monthly(const struct calendar_event *ev, int64_t day, int year, int month, int mday)
{
	int y0, m0, d0;
	day_split(ev->day, &y0, &m0, &d0);
	int64_t from = day_civil(year, month, 1), last = day_civil(year, month + 1, 1) - from;
	if (((year - y0) * 12 + month - m0) % ev->interval != 0)
		return false;
	if (ev->n_by_day == 0 && ev->n_by_month_day == 0)
		return mday == d0;
	return month_day_in(ev, mday, (int)last) && weekday_in(ev, day, from, last);
}

static bool yearly(const struct calendar_event *ev, int64_t day, int year, int month, int mday)
{
	int y0, m0, d0;
	day_split(ev->day, &y0, &m0, &d0);
	int64_t from = day_civil(year, month, 1), last = day_civil(year, month + 1, 1) - from;
	if ((year - y0) % ev->interval != 0)
		return false;
	if (ev->n_by_day == 0 && ev->n_by_month_day == 0)
		return mday == d0 && (ev->by_month != 0 || month == m0);
	/* a numbered weekday without BYMONTH counts in the year */
	if (ev->by_month == 0 && ev->n_by_month_day == 0) {
		from = day_civil(year, 1, 1);
		return weekday_in(ev, day, from, day_civil(year + 1, 1, 1) - from);
	}
	return month_day_in(ev, mday, (int)last) && weekday_in(ev, day, from, last);
}

static bool weekly(const struct calendar_event *ev, int64_t day)
{
	int64_t week0 = ev->day - (day_weekday(ev->day) - ev->week_start + 7) % 7,
	        week = day - (day_weekday(day) - ev->week_start + 7) % 7;
	if ((week - week0) / 7 % ev->interval != 0)
		return false;
	return ev->n_by_day == 0 ? day_weekday(day) == day_weekday(ev->day) : weekday_in(ev, day, day, 1);
}

static bool follows(const struct calendar_event *ev, int64_t day)
{
	int year, month, mday;
	day_split(day, &year, &month, &mday);
	if (ev->by_month != 0 && (ev->by_month >> (month - 1) & 1) == 0)
		return false;
	int last = (int)(day_civil(year, month + 1, 1) - day_civil(year, month, 1));
	switch (ev->freq) {
	case ICAL_ONCE: return false;
	case ICAL_DAILY:
		return (day - ev->day) % ev->interval == 0 && month_day_in(ev, mday, last) &&
		       weekday_in(ev, day, day, 1);
	case ICAL_WEEKLY: return weekly(ev, day);
	case ICAL_MONTHLY: return monthly(ev, day, year, month, mday);
	case ICAL_YEARLY: return yearly(ev, day, year, month, mday);
	}
	return false;
}

bool ical_begins(const struct calendar_event *ev, int64_t day)
{
	if (day <= ev->day)
		return day == ev->day; /* DTSTART is an occurrence, whatever the rule says */
	if (day > ev->last || (day == ev->last && ev->start > ev->last_start))
		return false;
	return follows(ev, day);
}

/* ---- content lines */

struct line {
	struct slice name, params, value;
	uint32_t number; /* of its first physical line */
};

struct ical {
	struct arena *a;
	const struct ical_zones *zones;
	struct slice rest;
	uint32_t at;   /* physical lines read */
	uint32_t line; /* of the fault */
	struct error *err;
	struct calendar_event *v;
	size_t n, cap;
};

static int fault(struct ical *p, const struct line *l, const char *what)
{
	p->line = l->number;
	return error_set(p->err, "%s: '" SLICE_FMT "'", what, SLICE_ARG(slice_sub(l->value, 0, 80)));
}

static struct slice physical(struct ical *p)
{
	struct slice s = SLICE_NONE;
	(void)slice_split(&p->rest, '\n', &s);
	p->at++;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static bool folded(const struct ical *p)
{
	return p->rest.p != NULL && p->rest.n > 0 && (p->rest.p[0] == ' ' || p->rest.p[0] == '\t');
}

/* Unfolds; a ':' in quotes belongs to a parameter. */
static bool next_line(struct ical *p, struct line *l)
{
	if (p->rest.p == NULL)
		return false;
	struct slice s = physical(p);
	l->number = p->at;
	if (folded(p)) {
		struct buf b = {0};
		buf_adds(&b, s);
		while (folded(p)) {
			struct slice more = physical(p);
			buf_adds(&b, slice_sub(more, 1, more.n));
		}
		s = arena_slice(p->a, buf_slice(&b));
		buf_free(&b);
	}
	size_t name = 0, colon = 0;
	bool quoted = false;
	while (name < s.n && s.p[name] != ';' && s.p[name] != ':')
		name++;
	for (colon = name; colon < s.n && (quoted || s.p[colon] != ':'); colon++)
		quoted ^= s.p[colon] == '"';
	l->name = slice_sub(s, 0, name);
	l->params = slice_sub(s, MIN(name + 1, colon), colon > name ? colon - name - 1 : 0);
	l->value = slice_trim(slice_sub(s, MIN(colon + 1, s.n), s.n));
	return true;
}

static struct slice unquoted(struct slice s)
{
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? slice_sub(s, 1, s.n - 2) : s;
}

static struct slice param(const struct line *l, const char *name)
{
	struct slice rest = l->params, one;
	while (rest.n > 0 && slice_split(&rest, ';', &one)) {
		struct slice key, value = one;
		if (slice_split(&value, '=', &key) && value.p != NULL && slice_ieq(key, slice_str(name)))
			return unquoted(value);
	}
	return SLICE_NONE;
}

void ical_zone_names(struct slice text, void (*fn)(void *arg, struct slice name), void *arg)
{
	struct arena *a = arena_new(0);
	struct ical p = {.a = a, .rest = text};
	for (struct line l; next_line(&p, &l);) {
		struct slice zone = param(&l, "TZID");
		if (zone.n > 0)
			fn(arg, zone);
	}
	arena_free(a);
}

/* ---- values */

static bool digits(struct slice s, size_t at, size_t n, int *out)
{
	*out = 0;
	if (at + n > s.n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*out = *out * 10 + (s.p[i] - '0');
	}
	return true;
}

struct moment {
	int64_t day, second; /* of the wall clock */
	bool date, utc;
};

static bool moment_parse(struct slice s, struct moment *m)
{
	int y, mo, d, h = 0, mi = 0, sec = 0;
	*m = (struct moment){.date = s.n == 8};
	if (!digits(s, 0, 4, &y) || !digits(s, 4, 2, &mo) || !digits(s, 6, 2, &d) || y < 1900 || y > 3000 ||
	    mo < 1 || mo > 12 || d < 1 || d > (int)(day_civil(y, mo + 1, 1) - day_civil(y, mo, 1)))
		return false;
	m->day = day_civil(y, mo, d);
	if (m->date)
		return true;
	m->utc = s.n == 16 && s.p[15] == 'Z';
	if ((s.n != 15 && !m->utc) || s.p[8] != 'T' || !digits(s, 9, 2, &h) || !digits(s, 11, 2, &mi) ||
	    !digits(s, 13, 2, &sec) || h > 23 || mi > 59 || sec > 60)
		return false;
	m->second = h * 3600 + mi * 60 + MIN(sec, 59);
	return true;
}

static instant moment_instant(const struct moment *m, const struct zone *z)
{
	return zone_first(m->utc ? zone_utc() : z, m->day * DAY_SECONDS + m->second);
}

/* P[nW] or P[nD][T[nH][nM][nS]], RFC 5545 section 3.3.6; seconds and whole days apart. */
static bool duration_ical(struct slice s, int64_t *days, int64_t *seconds)
{
	size_t at = s.n > 0 && s.p[0] == '+';
	bool time = false, any = false;
	*days = *seconds = 0;
	if (at >= s.n || s.p[at++] != 'P')
		return false;
	while (at < s.n) {
		int64_t v;
		size_t from = at;
		if (!time && s.p[at] == 'T') {
			time = true;
			at++;
			continue;
		}
		while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9' && at - from < 7)
			at++;
		if (at == from || at >= s.n || !slice_int(slice_sub(s, from, at - from), &v))
			return false;
		char unit = s.p[at++];
		if (!time && (unit == 'W' || unit == 'D'))
			*days += unit == 'W' ? v * 7 : v;
		else if (time && (unit == 'H' || unit == 'M' || unit == 'S'))
			*seconds += unit == 'H' ? v * 3600 : unit == 'M' ? v * 60 : v;
		else
			return false;
		any = true;
	}
	return any && *days <= 3660 && *seconds <= INT64_C(3660) * DAY_SECONDS;
}

static int zone_of(struct ical *p, const struct line *l, const struct moment *m, const struct zone **out)
{
	struct slice name = param(l, "TZID");
	*out = p->zones->own;
	if (m->utc)
		*out = zone_utc();
	else if (name.n > 0 && !m->date)
		*out = p->zones->find(p->zones->arg, name);
	if (*out != NULL)
		return 0;
	p->line = l->number;
	return error_set(p->err, "TZID '" SLICE_FMT "' is no IANA time zone such as Europe/Berlin",
	                 SLICE_ARG(slice_sub(name, 0, 80)));
}

/* ---- RRULE */

static const char *const weekday_words[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

static bool weekday_parse(struct slice s, int *out)
{
	for (int i = 0; i < 7; i++)
		if (slice_is(s, weekday_words[i])) {
			*out = i;
			return true;
		}
	return false;
}

static bool by_day(struct ical *p, struct slice value, struct calendar_event *ev)
{
	struct slice one;
	struct ical_day *v = arena_array(p->a, PARTS_MAX, sizeof *v);
	while (value.p != NULL && slice_split(&value, ',', &one)) {
		int64_t nth = 0;
		size_t n = one.n >= 2 ? one.n - 2 : 0;
		if (ev->n_by_day == PARTS_MAX ||
		    (n > 0 && (!slice_int(slice_sub(one, 0, n), &nth) || nth == 0)) || nth < -53 ||
		    nth > 53 || !weekday_parse(slice_sub(one, n, 2), &v[ev->n_by_day].weekday))
			return false;
		v[ev->n_by_day++].nth = (int)nth;
	}
	ev->by_day = v;
	return ev->n_by_day > 0;
}

static bool by_month_day(struct ical *p, struct slice value, struct calendar_event *ev)
{
	struct slice one;
	int *v = arena_array(p->a, PARTS_MAX, sizeof *v);
	while (value.p != NULL && slice_split(&value, ',', &one)) {
		int64_t d;
		if (ev->n_by_month_day == PARTS_MAX || !slice_int(one, &d) || d == 0 || d < -31 || d > 31)
			return false;
		v[ev->n_by_month_day++] = (int)d;
	}
	ev->by_month_day = v;
	return ev->n_by_month_day > 0;
}

static bool by_month(struct slice value, struct calendar_event *ev)
{
	struct slice one;
	while (value.p != NULL && slice_split(&value, ',', &one)) {
		int64_t m;
		if (!slice_int(one, &m) || m < 1 || m > 12)
			return false;
		ev->by_month = (uint16_t)(ev->by_month | 1u << (m - 1));
	}
	return ev->by_month != 0;
}

struct rrule {
	struct calendar_event *ev;
	int64_t count;
	struct moment until;
	bool has_until;
};

static bool part(struct ical *p, struct slice key, struct slice value, struct rrule *r)
{
	static const char *const words[] = {"", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
	int64_t v;
	if (slice_is(key, "FREQ")) {
		for (int i = 1; i < 5; i++)
			if (slice_is(value, words[i]))
				r->ev->freq = (enum ical_freq)i;
		return r->ev->freq != ICAL_ONCE;
	}
	if (slice_is(key, "INTERVAL") && slice_int(value, &v) && v >= 1 && v <= 10000) {
		r->ev->interval = (int)v;
		return true;
	}
	if (slice_is(key, "COUNT") && slice_int(value, &v) && v >= 1 && v <= 100000) {
		r->count = v;
		return true;
	}
	if (slice_is(key, "UNTIL")) {
		r->has_until = true;
		return moment_parse(value, &r->until);
	}
	if (slice_is(key, "WKST"))
		return weekday_parse(value, &r->ev->week_start);
	if (slice_is(key, "BYDAY"))
		return by_day(p, value, r->ev);
	if (slice_is(key, "BYMONTHDAY"))
		return by_month_day(p, value, r->ev);
	return slice_is(key, "BYMONTH") && by_month(value, r->ev);
}

/* What RFC 5545 forbids or this program does not do. */
static const char *rule_wrong(const struct rrule *r)
{
	const struct calendar_event *ev = r->ev;
	bool numbered = false;
	for (size_t i = 0; i < ev->n_by_day; i++)
		numbered = numbered || ev->by_day[i].nth != 0;
	if (ev->freq == ICAL_ONCE)
		return "RRULE needs FREQ";
	if (numbered && ev->freq != ICAL_MONTHLY && ev->freq != ICAL_YEARLY)
		return "a numbered BYDAY needs FREQ=MONTHLY or YEARLY";
	if (ev->freq == ICAL_WEEKLY && ev->n_by_month_day > 0)
		return "BYMONTHDAY does not go with FREQ=WEEKLY";
	return r->count > 0 && r->has_until ? "COUNT and UNTIL exclude each other" : NULL;
}

static int rule_parse(struct ical *p, const struct line *l, struct rrule *r)
{
	struct slice rest = l->value, one;
	while (rest.n > 0 && slice_split(&rest, ';', &one)) {
		struct slice key, value = one;
		if (!slice_split(&value, '=', &key) || value.p == NULL || !part(p, key, value, r)) {
			p->line = l->number;
			return error_set(p->err, "this part of an RRULE is not understood: '" SLICE_FMT "'",
			                 SLICE_ARG(slice_sub(one, 0, 80)));
		}
	}
	const char *wrong = rule_wrong(r);
	return wrong != NULL ? fault(p, l, wrong) : 0;
}

/* COUNT becomes the day of the last one; DTSTART is the first. */
static void count_out(struct calendar_event *ev, int64_t count)
{
	int64_t day = ev->day, limit = ev->day + INT64_C(366) * YEARS_MAX;
	for (count--; count > 0 && day < limit;) {
		day++;
		count -= follows(ev, day);
	}
	ev->last = day;
	ev->last_start = DAY_SECONDS;
}

static void until_out(struct calendar_event *ev, const struct moment *until)
{
	/* a date without time includes that day; UTC is turned into the clock of the event */
	int64_t wall = until->utc
	                   ? zone_wall(ev->zone, (until->day * DAY_SECONDS + until->second) * SECOND)
	                   : until->day * DAY_SECONDS + (until->date ? DAY_SECONDS - 1 : until->second);
	ev->last = wall / DAY_SECONDS - (wall % DAY_SECONDS < 0);
	ev->last_start = wall - ev->last * DAY_SECONDS;
}

/* ---- one VEVENT */

struct vevent {
	struct line start, end, length, rule;
	struct line except[PARTS_MAX];
	size_t n_except;
	bool cancelled;
};

static int take_end(struct ical *p, const struct vevent *v, const struct moment *start,
                    struct calendar_event *ev)
{
	struct moment end;
	const struct zone *zone;
	if (!moment_parse(v->end.value, &end) || end.date != start->date)
		return fault(p, &v->end, "DTEND is no time of the kind of DTSTART");
	if (zone_of(p, &v->end, &end, &zone) != 0)
		return -1;
	ev->length = start->date ? end.day - start->day
	                         : (moment_instant(&end, zone) - moment_instant(start, ev->zone)) / SECOND;
	return ev->length > 0 && ev->length <= INT64_C(3660) * DAY_SECONDS
	           ? 0
	           : fault(p, &v->end, "DTEND is not behind DTSTART");
}

static int take_length(struct ical *p, const struct vevent *v, struct calendar_event *ev)
{
	int64_t days, seconds;
	if (!duration_ical(v->length.value, &days, &seconds) || (ev->all_day && seconds != 0) ||
	    days + seconds == 0)
		return fault(p, &v->length, "this DURATION is not understood");
	ev->length = ev->all_day ? days : days * DAY_SECONDS + seconds;
	return 0;
}

static int take_except(struct ical *p, const struct vevent *v, struct calendar_event *ev)
{
	instant *times = arena_array(p->a, (size_t)PARTS_MAX * 4, sizeof *times);
	int64_t *days = arena_array(p->a, (size_t)PARTS_MAX * 4, sizeof *days);
	for (size_t i = 0; i < v->n_except; i++) {
		struct slice rest = v->except[i].value, one;
		while (rest.p != NULL && slice_split(&rest, ',', &one)) {
			struct moment m;
			const struct zone *zone;
			if (!moment_parse(one, &m) || ev->n_except + ev->n_except_days == PARTS_MAX * 4)
				return fault(p, &v->except[i],
				             "EXDATE is not understood, or there are too many");
			if (zone_of(p, &v->except[i], &m, &zone) != 0)
				return -1;
			if (m.date)
				days[ev->n_except_days++] = m.day;
			else
				times[ev->n_except++] = moment_instant(&m, zone);
		}
	}
	ev->except = times;
	ev->except_days = days;
	return 0;
}

static int vevent_finish(struct ical *p, const struct vevent *v, const struct line *end)
{
	struct moment start;
	struct calendar_event ev = {.interval = 1, .last = INT64_MAX, .last_start = DAY_SECONDS};
	struct rrule rule = {.ev = &ev};
	if (v->cancelled)
		return 0;
	if (v->start.name.n == 0)
		return fault(p, end, "a VEVENT needs DTSTART");
	if (!moment_parse(v->start.value, &start))
		return fault(p, &v->start, "DTSTART is no date or time");
	if (zone_of(p, &v->start, &start, &ev.zone) != 0)
		return -1;
	ev.day = start.day;
	ev.start = start.second;
	ev.all_day = start.date;
	ev.length = start.date ? 1 : 0;
	if ((v->end.name.n > 0 && take_end(p, v, &start, &ev) != 0) ||
	    (v->length.name.n > 0 && take_length(p, v, &ev) != 0))
		return -1;
	if (ev.length == 0)
		return fault(p, &v->start, "the event needs DTEND or DURATION");
	if (v->rule.name.n > 0 && rule_parse(p, &v->rule, &rule) != 0)
		return -1;
	if (rule.has_until)
		until_out(&ev, &rule.until);
	if (rule.count > 0)
		count_out(&ev, rule.count);
	if (v->n_except > 0 && take_except(p, v, &ev) != 0)
		return -1;
	if (p->n == EVENTS_MAX)
		return fault(p, end, "there are more than 10,000 events");
	p->v = array_reserve(p->v, &p->cap, p->n + 1, sizeof *p->v);
	p->v[p->n++] = ev;
	return 0;
}

static int vevent_line(struct ical *p, struct vevent *v, const struct line *l)
{
	static const char *const refused[] = {"RDATE", "EXRULE", "RECURRENCE-ID"};
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (slice_ieq(l->name, slice_str(refused[i]))) {
			p->line = l->number;
			return error_set(p->err, "%s is not available; write such events on their own",
			                 refused[i]);
		}
	}
	if (slice_ieq(l->name, SLICE("DTSTART")))
		v->start = *l;
	else if (slice_ieq(l->name, SLICE("DTEND")))
		v->end = *l;
	else if (slice_ieq(l->name, SLICE("DURATION")))
		v->length = *l;
	else if (slice_ieq(l->name, SLICE("STATUS")))
		v->cancelled = slice_ieq(l->value, SLICE("CANCELLED"));
	else if (slice_ieq(l->name, SLICE("RRULE")) && v->rule.name.n > 0)
		return fault(p, l, "a second RRULE is not available");
	else if (slice_ieq(l->name, SLICE("RRULE")))
		v->rule = *l;
	else if (slice_ieq(l->name, SLICE("EXDATE")) && v->n_except == PARTS_MAX)
		return fault(p, l, "too many EXDATE");
	else if (slice_ieq(l->name, SLICE("EXDATE")))
		v->except[v->n_except++] = *l;
	return 0;
}

/* Lines of a component inside of the event (VALARM) are not the event's. */
static int vevent_read(struct ical *p, struct vevent *v)
{
	struct line l = {0};
	int depth = 0;
	while (next_line(p, &l)) {
		bool begin = slice_ieq(l.name, SLICE("BEGIN")), end = slice_ieq(l.name, SLICE("END"));
		if (end && depth == 0)
			return slice_ieq(l.value, SLICE("VEVENT")) ? vevent_finish(p, v, &l)
			                                           : fault(p, &l, "END without BEGIN");
		depth += begin - end;
		if (depth == 0 && !end && vevent_line(p, v, &l) != 0)
			return -1;
	}
	l.number = p->at;
	return fault(p, &l, "the file ends inside of a VEVENT");
}

static int read_all(struct ical *p)
{
	struct line l;
	bool calendar = false;
	int r = 0;
	struct vevent *v = xcalloc(1, sizeof *v);
	while (r == 0 && next_line(p, &l)) {
		bool begin = slice_ieq(l.name, SLICE("BEGIN"));
		if (!calendar && l.name.n > 0) {
			calendar = begin && slice_ieq(l.value, SLICE("VCALENDAR"));
			if (!calendar)
				r = fault(p, &l, "this is no iCalendar file; it begins with BEGIN:VCALENDAR");
		} else if (begin && slice_ieq(l.value, SLICE("VEVENT"))) {
			*v = (struct vevent){0};
			r = vevent_read(p, v);
		}
	}
	free(v);
	return r == 0 && !calendar ? fault(p, &(struct line){.number = 1}, "this is no iCalendar file") : r;
}

int ical_parse(struct arena *a, struct slice text, const struct ical_zones *zones,
               const struct calendar_event **out, size_t *n, uint32_t *line, struct error *err)
{
	struct ical p = {.a = a, .zones = zones, .rest = text, .err = err};
	BUG_ON(zones->own == NULL);
	int r = read_all(&p);
	*line = p.line;
	*n = r == 0 ? p.n : 0;
	struct calendar_event *v = arena_array(a, p.n + 1, sizeof *v);
	if (p.n > 0)
		memcpy(v, p.v, p.n * sizeof *v);
	*out = v;
	free(p.v);
	return r;
}
