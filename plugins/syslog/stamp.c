/* Time stamps: a table-free reader of the forms that were seen in real messages. Pure; the clock is an
 * argument. Promises: never reads past the slice; a stamp it returns exists in the calendar. Must not know:
 * messages, events. */
#include "stamp.h"

#include <stdlib.h>
#include <string.h>

#include "stamp_form.h"

const char *stamp_quality_word(enum stamp_quality q)
{
	switch (q) {
	case STAMP_OWN: return "own";
	case STAMP_NO_YEAR: return "no-year";
	case STAMP_NO_ZONE: return "no-zone";
	case STAMP_UNSYNCED: return "unsynced";
	case STAMP_RECEIVED: return "received";
	}
	return "received";
}

static int days_in_month(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	BUG_ON(month < 1 || month > 12);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool date_exists(int year, int month, int day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month);
}

static bool clock_exists(const struct stamp_parts *d)
{
	return d->hour <= 23 && d->minute <= 59 &&
	       d->second <= 60; /* 60: a leap second counts into the next minute */
}

/* Years 1 to 9999 in UTC: what can be written again. */
static bool printable(instant t)
{
	return t >= -62135596800 * SECOND && t < 253402300800 * SECOND;
}

static instant parts_instant(const struct stamp_parts *d, int year, int zone_offset)
{
	instant t = instant_civil(year, d->month, d->day, d->hour, d->minute, d->second) + d->micro;
	return t - (d->zoned ? d->offset : zone_offset) * SECOND;
}

/* ---- RFC 5424 */

static bool strict_offset(struct scan *s, struct stamp_parts *d)
{
	int h, m;
	if (scan_take(s, 'Z')) {
		d->zoned = true;
		return true;
	}
	int sign = scan_peek(s, 0) == '+' ? 1 : scan_peek(s, 0) == '-' ? -1 : 0;
	if (sign == 0)
		return false;
	scan_skip(s, 1);
	if (!scan_digits(s, 2, 2, &h) || h > 23 || !scan_take(s, ':') || !scan_digits(s, 2, 2, &m) || m > 59)
		return false;
	d->zoned = true;
	d->offset = sign * (h * 3600 + m * 60);
	return true;
}

bool stamp_rfc5424(struct slice text, instant *out, size_t *at)
{
	struct scan s = scan_of(text);
	struct stamp_parts d = {0};
	bool ok = scan_digits(&s, 4, 4, &d.year) && scan_take(&s, '-') && scan_digits(&s, 2, 2, &d.month) &&
	          scan_take(&s, '-') && scan_digits(&s, 2, 2, &d.day) && scan_take(&s, 'T') &&
	          scan_digits(&s, 2, 2, &d.hour) && scan_take(&s, ':') && scan_digits(&s, 2, 2, &d.minute) &&
	          scan_take(&s, ':') && scan_digits(&s, 2, 2, &d.second);
	if (ok && scan_take(&s, '.')) {
		size_t from = s.at;
		ok = stamp_form_fraction(&s, &d.micro) && s.at - from <= 6;
	}
	ok = ok && strict_offset(&s, &d) && scan_end(&s);
	*at = s.at;
	if (!ok || d.hour > 23 || d.minute > 59 || d.second > 59 || !date_exists(d.year, d.month, d.day))
		return false;
	*out = parts_instant(&d, d.year, 0);
	return printable(*out);
}

/* ---- what a stamp lacks */

/* Of the years around `received` the one that puts the stamp nearest to it; INSTANT_NONE if the date is in
 * none. */
static instant nearest_year(const struct stamp_parts *d, instant received, int zone_offset)
{
	int year, x;
	instant best = INSTANT_NONE;
	instant_split(received, &year, &x, &x, &x, &x, &x);
	if (date_exists(year, d->month, d->day)) {
		/* the same day of another year is 365 days away or more */
		instant t = parts_instant(d, year, zone_offset);
		if (llabs(t - received) <= 182 * DAY)
			return t;
	}
	for (int y = year - 1; y <= year + 1; y++) {
		if (!date_exists(y, d->month, d->day))
			continue;
		instant t = parts_instant(d, y, zone_offset);
		if (best == INSTANT_NONE || llabs(t - received) < llabs(best - received))
			best = t;
	}
	/* a leap day that is half a year away or more was never meant: the date does not exist this year */
	if (best != INSTANT_NONE && llabs(best - received) > 190 * DAY)
		return INSTANT_NONE;
	return best;
}

static instant nearest_day(struct stamp_parts *d, instant received, int zone_offset)
{
	instant best = INSTANT_NONE;
	for (int k = -1; k <= 1; k++) {
		int x;
		instant_split(received + k * DAY, &d->year, &d->month, &d->day, &x, &x, &x);
		instant t = parts_instant(d, d->year, zone_offset);
		if (best == INSTANT_NONE || llabs(t - received) < llabs(best - received))
			best = t;
	}
	return best;
}

static void resolve(struct stamp_parts *d, instant received, int zone_offset, struct stamp *out)
{
	*out = (struct stamp){.at = INSTANT_NONE, .quality = STAMP_RECEIVED};
	if (clock_exists(d)) {
		if (d->clock_only)
			out->at = nearest_day(d, received, zone_offset);
		else if (d->year == 0)
			out->at = nearest_year(d, received, zone_offset);
		else if (date_exists(d->year, d->month, d->day))
			out->at = parts_instant(d, d->year, zone_offset);
		if (out->at != INSTANT_NONE && !printable(out->at))
			out->at = INSTANT_NONE;
	}
	out->impossible = out->at == INSTANT_NONE;
	if (!out->impossible)
		out->quality = d->clock_only || d->year == 0 ? STAMP_NO_YEAR
		               : d->zoned                    ? STAMP_OWN
		                                             : STAMP_NO_ZONE;
}

bool stamp_take(struct scan *s, instant received, int zone_offset, struct stamp *out)
{
	struct scan t = *s;
	struct stamp_parts d;
	int mark = scan_peek(&t, 0);
	bool unsynced = mark == '*' || mark == '.';
	if (unsynced)
		scan_skip(&t, 1);
	stamp_form_weekday(&t);
	if (!stamp_form_take(&t, &d)) {
		/* no letter begins an uptime */
		if (scan_is_alpha(scan_peek(&t, 0)) || !stamp_form_uptime(&t))
			return false;
		*out = (struct stamp){.at = INSTANT_NONE, .quality = STAMP_RECEIVED};
		*s = t;
		return true;
	}
	stamp_form_trailers(&t, &d);
	/* a stamp ends where its word ends: "2012/12/01T.." inside an identifier is none */
	int c = scan_peek(&t, 0);
	if (scan_is_digit(c) || (scan_is_alpha(c) && t.p[t.at - 1] != ':'))
		return false;
	resolve(&d, received, zone_offset, out);
	if (unsynced && !out->impossible)
		out->quality = STAMP_UNSYNCED;
	*s = t;
	return true;
}

bool stamp_take_epoch(struct scan *s, struct stamp *out)
{
	struct scan t = *s;
	int high, low, micro = 0;
	if (!scan_digits(&t, 5, 5, &high) || !scan_digits(&t, 5, 5, &low) || high < 10000)
		return false;
	if (scan_take(&t, '.') && !stamp_form_fraction(&t, &micro))
		return false;
	if (scan_peek(&t, 0) != ' ')
		return false;
	*out = (struct stamp){.at = ((instant)high * 100000 + low) * SECOND + micro, .quality = STAMP_OWN};
	*s = t;
	return true;
}

/* Two digits at a time: every message has a stamp to write. */
static inline char *put_pair(char *p, int v)
{
	static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
	                            "3536373839404142434445464748495051525354555657585960616263646566676869"
	                            "707172737475767778798081828384858687888990919293949596979899";
	BUG_ON(v < 0 || v > 99);
	memcpy(p, pairs + 2 * v, 2);
	return p + 2;
}

struct slice stamp_text(struct arena *a, instant t)
{
	int year, month, day, hour, minute, second;
	int micro = (int)(((t % SECOND) + SECOND) % SECOND);
	instant_split(t, &year, &month, &day, &hour, &minute, &second);
	BUG_ON(year < 0 || year > 9999);
	char *text = arena_alloc(a, 32), *p = text;
	p = put_pair(p, year / 100);
	p = put_pair(p, year % 100);
	*p++ = '-';
	p = put_pair(p, month);
	*p++ = '-';
	p = put_pair(p, day);
	*p++ = 'T';
	p = put_pair(p, hour);
	*p++ = ':';
	p = put_pair(p, minute);
	*p++ = ':';
	p = put_pair(p, second);
	if (micro != 0) {
		*p++ = '.';
		p = put_pair(p, micro / 10000);
		p = put_pair(p, micro / 100 % 100);
		p = put_pair(p, micro % 100);
		while (p[-1] == '0')
			p--;
	}
	*p++ = 'Z';
	return (struct slice){text, (size_t)(p - text)};
}
