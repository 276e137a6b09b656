/* Time stamps: a table-free reader of the forms that were seen in real messages. Pure; the clock is an
 * argument. Promises: never reads past the slice; a stamp it returns exists in the calendar. Must not know:
 * messages, events. */
#include "stamp.h"

#include <stdlib.h>

struct parts {
	int year, month, day; /* year 0: not written */
	int hour, minute, second, micro;
	int offset; /* seconds east */
	bool zoned;
	bool clock_only; /* time of day without a date */
};

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

static bool clock_exists(const struct parts *d)
{
	return d->hour <= 23 && d->minute <= 59 &&
	       d->second <= 60; /* 60: a leap second counts into the next minute */
}

/* Years 1 to 9999 in UTC: what can be written again. */
static bool printable(instant t)
{
	return t >= -62135596800 * SECOND && t < 253402300800 * SECOND;
}

static instant parts_instant(const struct parts *d, int year, int zone_offset)
{
	instant t = instant_civil(year, d->month, d->day, d->hour, d->minute, d->second) + d->micro;
	return t - (d->zoned ? d->offset : zone_offset) * SECOND;
}

/* Takes the digits after a decimal sign; only six count. */
static bool take_fraction(struct scan *s, int *micro)
{
	int unit = 100000;
	*micro = 0;
	if (!scan_is_digit(scan_peek(s, 0)))
		return false;
	for (; scan_is_digit(scan_peek(s, 0)); scan_skip(s, 1)) {
		*micro += (scan_peek(s, 0) - '0') * unit;
		unit /= 10;
	}
	return true;
}

/* ---- RFC 5424 */

static bool strict_offset(struct scan *s, struct parts *d)
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
	struct parts d = {0};
	bool ok = scan_digits(&s, 4, 4, &d.year) && scan_take(&s, '-') && scan_digits(&s, 2, 2, &d.month) &&
	          scan_take(&s, '-') && scan_digits(&s, 2, 2, &d.day) && scan_take(&s, 'T') &&
	          scan_digits(&s, 2, 2, &d.hour) && scan_take(&s, ':') && scan_digits(&s, 2, 2, &d.minute) &&
	          scan_take(&s, ':') && scan_digits(&s, 2, 2, &d.second);
	if (ok && scan_take(&s, '.')) {
		size_t from = s.at;
		ok = take_fraction(&s, &d.micro) && s.at - from <= 6;
	}
	ok = ok && strict_offset(&s, &d) && scan_end(&s);
	*at = s.at;
	if (!ok || d.hour > 23 || d.minute > 59 || d.second > 59 || !date_exists(d.year, d.month, d.day))
		return false;
	*out = parts_instant(&d, d.year, 0);
	return printable(*out);
}

/* ---- the pieces of the other forms */

static int month_of(const struct scan *s)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char m[3];
	for (size_t i = 0; i < 3; i++) {
		int c = scan_peek(s, i);
		if (!scan_is_alpha(c))
			return 0;
		m[i] = (char)(c | 0x20);
	}
	for (int i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, m, 3) == 0)
			return i + 1;
	return 0;
}

static bool take_clock(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	if (!scan_digits(&t, 1, 2, &d->hour) || !scan_take(&t, ':') || !scan_digits(&t, 2, 2, &d->minute) ||
	    !scan_take(&t, ':') || !scan_digits(&t, 2, 2, &d->second))
		return false;
	int sign = scan_peek(&t, 0);
	if ((sign == '.' || sign == ',') && scan_is_digit(scan_peek(&t, 1))) {
		scan_skip(&t, 1);
		(void)take_fraction(&t, &d->micro);
		/* Huawei: a second fraction, the tenth of a tick */
		if (scan_peek(&t, 0) == '.' && scan_is_digit(scan_peek(&t, 1)))
			for (scan_skip(&t, 1); scan_is_digit(scan_peek(&t, 0));)
				scan_skip(&t, 1);
	}
	*s = t;
	return true;
}

static bool year_plausible(int y)
{
	return y >= 1970 && y <= 2200;
}

/* A year of four digits that ends there. */
static bool take_year(struct scan *s, int *year)
{
	struct scan t = *s;
	if (!scan_digits(&t, 4, 4, year) || !year_plausible(*year))
		return false;
	int c = scan_peek(&t, 0);
	if (c != ' ' && c != ':' && c != -1 && c != ',')
		return false;
	*s = t;
	return true;
}

struct zone {
	const char *name;
	int minutes;
};

static bool zone_minutes(struct slice word, int *minutes)
{
	static const struct zone zones[] = {
	    {"UTC", 0},    {"GMT", 0},    {"Z", 0},      {"WET", 0},    {"WEST", 60},   {"BST", 60},
	    {"CET", 60},   {"MET", 60},   {"CEST", 120}, {"MEST", 120}, {"EET", 120},   {"SAST", 120},
	    {"EEST", 180}, {"MSK", 180},  {"IST", 330},  {"SGT", 480},  {"HKT", 480},   {"AWST", 480},
	    {"JST", 540},  {"KST", 540},  {"AEST", 600}, {"AEDT", 660}, {"NZST", 720},  {"NZDT", 780},
	    {"BRT", -180}, {"AST", -240}, {"EDT", -240}, {"EST", -300}, {"CDT", -300},  {"CST", -360},
	    {"MDT", -360}, {"MST", -420}, {"PDT", -420}, {"PST", -480}, {"AKST", -540}, {"HST", -600},
	};
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		if (slice_is(word, zones[i].name)) {
			*minutes = zones[i].minutes;
			return true;
		}
	}
	return false;
}

/* "UTC", "CEST" after one blank. An unknown word of capitals is a zone only before ':' (Cisco): else it is a
 * host. */
static bool take_zone_word(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	(void)scan_take(&t, ' ');
	size_t n = 0;
	while (n < 6 && scan_peek(&t, n) >= 'A' && scan_peek(&t, n) <= 'Z')
		n++;
	int minutes, stop = scan_peek(&t, n);
	struct slice word = {t.p + t.at, n};
	if (n == 0 || (stop != ' ' && stop != ':' && stop != -1 && stop != ','))
		return false;
	if (zone_minutes(word, &minutes)) {
		d->zoned = true;
		d->offset = minutes * 60;
	} else if (stop != ':' || n < 3 || n > 5) {
		return false;
	}
	scan_skip(&t, n);
	*s = t;
	return true;
}

/* Z, +hh:mm, +hhmm, +hh, also the "+00:00Z" of some collectors. */
static bool take_offset(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	int h, m = 0, c = scan_peek(&t, 0);
	if (c == 'Z' || c == 'z') {
		scan_skip(s, 1);
		d->zoned = true;
		return true;
	}
	if (c != '+' && c != '-')
		return false;
	scan_skip(&t, 1);
	if (!scan_digits(&t, 2, 2, &h))
		return false;
	(void)scan_take(&t, ':');
	if (scan_is_digit(scan_peek(&t, 0)) && !scan_digits(&t, 2, 2, &m))
		return false;
	if (h > 23 || m > 59)
		return false;
	if (scan_peek(&t, 0) == 'Z')
		scan_skip(&t, 1);
	d->zoned = true;
	d->offset = (c == '+' ? 1 : -1) * (h * 3600 + m * 60);
	*s = t;
	return true;
}

/* ---- the forms */

/* [weekday] [year] Mmm d [year] hh:mm:ss */
static bool take_month_form(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	if (scan_is_digit(scan_peek(&t, 0)) && take_year(&t, &d->year) && scan_blanks(&t) == 0)
		return false;
	d->month = month_of(&t);
	if (d->month == 0)
		return false;
	scan_skip(&t, 3);
	if (scan_peek(&t, 0) != ' ')
		return false;
	scan_blanks(&t);
	if (!scan_digits(&t, 1, 2, &d->day))
		return false;
	(void)scan_take(&t, ',');
	if (scan_blanks(&t) == 0)
		return false;
	if (d->year == 0 && take_year(&t, &d->year))
		scan_blanks(&t);
	if (!take_clock(&t, d))
		return false;
	*s = t;
	return true;
}

static bool weekday_ahead(const struct scan *s)
{
	static const char days[] = "montuewedthufrisatsun";
	char w[3];
	for (size_t i = 0; i < 3; i++) {
		int c = scan_peek(s, i);
		if (!scan_is_alpha(c))
			return false;
		w[i] = (char)(c | 0x20);
	}
	for (size_t i = 0; i < 7; i++)
		if (memcmp(days + 3 * i, w, 3) == 0)
			return scan_peek(s, 3) == ' ' || scan_peek(s, 3) == ',';
	return false;
}

/* yyyy-mm-dd or yyyy/mm/dd, then T, blank or tab, then the clock. Single digits in the date are met (Huawei).
 */
static bool take_iso_once(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	if (!scan_digits(&t, 4, 4, &d->year))
		return false;
	int sep = scan_peek(&t, 0);
	if (sep != '-' && sep != '/')
		return false;
	scan_skip(&t, 1);
	if (!scan_digits(&t, 1, 2, &d->month) || scan_peek(&t, 0) != sep)
		return false;
	scan_skip(&t, 1);
	if (!scan_digits(&t, 1, 2, &d->day))
		return false;
	int c = scan_peek(&t, 0);
	if (c != 'T' && c != 't' && c != ' ' && c != '-' && c != '_')
		return false;
	scan_skip(&t, 1);
	if (!take_clock(&t, d))
		return false;
	(void)take_offset(&t, d);
	*s = t;
	return true;
}

static bool take_iso_form(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	if (take_iso_once(s, d))
		return true;
	/* "2026-11-22 2026-11-22T00:43:34Z": the date of the relay before the stamp of the device */
	*d = (struct parts){0};
	scan_skip(&t, 11);
	if (scan_peek(s, 4) != '-' || scan_peek(s, 10) != ' ' || !take_iso_once(&t, d))
		return false;
	*s = t;
	return true;
}

/* mm/dd/yyyy and a clock after '-', ':' or a blank (Brocade, NetScaler); dd/mm if the first cannot be a
 * month. */
static bool take_us_form(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	if (!scan_digits(&t, 1, 2, &d->month) || !scan_take(&t, '/') || !scan_digits(&t, 1, 2, &d->day) ||
	    !scan_take(&t, '/') || !scan_digits(&t, 4, 4, &d->year))
		return false;
	if (d->month > 12) {
		int swap = d->month;
		d->month = d->day;
		d->day = swap;
	}
	int c = scan_peek(&t, 0);
	if (c != '-' && c != ':' && c != ' ')
		return false;
	scan_skip(&t, 1);
	if (!take_clock(&t, d))
		return false;
	*s = t;
	return true;
}

/* d Mmm yyyy hh:mm:ss, dd-Mmm-yyyy hh:mm:ss, yyyy-Mmm-dd hh:mm:ss */
static bool take_day_first_form(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	int first, last;
	if (!scan_digits(&t, 1, 4, &first))
		return false;
	int sep = scan_peek(&t, 0);
	if (sep != ' ' && sep != '-' && sep != '/')
		return false;
	scan_skip(&t, 1);
	d->month = month_of(&t);
	scan_skip(&t, 3);
	if (d->month == 0 || scan_peek(&t, 0) != sep)
		return false;
	scan_skip(&t, 1);
	scan_blanks(&t);
	if (!scan_digits(&t, 1, 4, &last))
		return false;
	d->year = first > 31 ? first : last;
	d->day = first > 31 ? last : first;
	if (!year_plausible(d->year) || (scan_peek(&t, 0) != ' ' && scan_peek(&t, 0) != ':'))
		return false;
	scan_skip(&t, 1);
	if (!take_clock(&t, d))
		return false;
	*s = t;
	return true;
}

/* hh:mm:ss with a fraction or a zone is the time of day; without both it is an uptime (Cisco). */
static bool take_clock_form(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	size_t from = t.at;
	if (!take_clock(&t, d))
		return false;
	bool fraction = t.at - from > 8;
	if (!take_zone_word(&t, d) && !fraction)
		return false;
	d->clock_only = true;
	*s = t;
	return true;
}

/* 00:01:01, 1d05h, 2w3d, 1y12w: time since the start of the device, always before ':'. */
static bool take_uptime(struct scan *s)
{
	struct scan t = *s;
	struct parts d = {0};
	int v;
	if (!take_clock(&t, &d)) {
		size_t units = 0;
		while (scan_digits(&t, 1, 3, &v) && scan_peek(&t, 0) > 0 &&
		       strchr("ywdh", scan_peek(&t, 0)) != NULL) {
			scan_skip(&t, 1);
			units++;
		}
		/* "1 2: %FAC-..": weeks and days of some IOS versions, without their letters */
		if (units == 0 && scan_take(&t, ' ') && scan_digits(&t, 1, 3, &v))
			units = scan_peek(&t, 2) == '%' ? 2 : 0;
		if (units < 2)
			return false;
	}
	if (scan_peek(&t, 0) != ':' || scan_peek(&t, 1) != ' ')
		return false;
	scan_skip(&t, 1);
	*s = t;
	return true;
}

/* ---- what a stamp lacks */

/* Of the years around `received` the one that puts the stamp nearest to it; INSTANT_NONE if the date is in
 * none. */
static instant nearest_year(const struct parts *d, instant received, int zone_offset)
{
	int year, x;
	instant best = INSTANT_NONE;
	instant_split(received, &year, &x, &x, &x, &x, &x);
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

static instant nearest_day(struct parts *d, instant received, int zone_offset)
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

static void resolve(struct parts *d, instant received, int zone_offset, struct stamp *out)
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

/* What may follow the clock: a year, a zone, an offset, and Cisco's colon. */
static void take_trailers(struct scan *s, struct parts *d)
{
	struct scan t = *s;
	int year;
	if (!d->zoned && (take_zone_word(s, d) || take_offset(s, d)))
		t = *s;
	scan_blanks(&t);
	if (!d->zoned && (scan_peek(&t, 0) == '+' || scan_peek(&t, 0) == '-') && take_offset(&t, d))
		*s = t;
	if (d->year == 0 && take_year(&t, &year)) {
		d->year = year;
		*s = t;
		if (!d->zoned)
			(void)take_zone_word(s, d);
	}
	if (scan_peek(s, 0) == '.' && scan_peek(s, 1) == ':')
		scan_skip(s, 1);
	if (scan_peek(s, 0) == ' ' && scan_peek(s, 1) == ':' && scan_peek(s, 2) == ' ')
		scan_skip(s, 1);
	if (scan_peek(s, 0) == ':' || scan_peek(s, 0) == ',')
		scan_skip(s, 1);
}

static bool take_form(struct scan *s, struct parts *d)
{
	static bool (*const forms[])(struct scan *, struct parts *) = {
	    take_iso_form, take_month_form, take_us_form, take_day_first_form, take_clock_form};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		*d = (struct parts){0};
		if (forms[i](s, d))
			return true;
	}
	return false;
}

bool stamp_take(struct scan *s, instant received, int zone_offset, struct stamp *out)
{
	struct scan t = *s;
	struct parts d;
	int mark = scan_peek(&t, 0);
	bool unsynced = mark == '*' || mark == '.';
	if (unsynced)
		scan_skip(&t, 1);
	if (weekday_ahead(&t)) {
		scan_skip(&t, 3);
		(void)scan_take(&t, ',');
		scan_blanks(&t);
	}
	if (!take_form(&t, &d)) {
		if (!take_uptime(&t))
			return false;
		*out = (struct stamp){.at = INSTANT_NONE, .quality = STAMP_RECEIVED};
		*s = t;
		return true;
	}
	take_trailers(&t, &d);
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
	if (scan_take(&t, '.') && !take_fraction(&t, &micro))
		return false;
	if (scan_peek(&t, 0) != ' ')
		return false;
	*out = (struct stamp){.at = ((instant)high * 100000 + low) * SECOND + micro, .quality = STAMP_OWN};
	*s = t;
	return true;
}

static char *put_number(char *p, int v, int digits)
{
	for (int i = digits - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + digits;
}

struct slice stamp_text(struct arena *a, instant t)
{
	int year, month, day, hour, minute, second;
	int micro = (int)(((t % SECOND) + SECOND) % SECOND);
	instant_split(t, &year, &month, &day, &hour, &minute, &second);
	BUG_ON(year < 0 || year > 9999);
	char *text = arena_alloc(a, 32), *p = text;
	p = put_number(p, year, 4);
	*p++ = '-';
	p = put_number(p, month, 2);
	*p++ = '-';
	p = put_number(p, day, 2);
	*p++ = 'T';
	p = put_number(p, hour, 2);
	*p++ = ':';
	p = put_number(p, minute, 2);
	*p++ = ':';
	p = put_number(p, second, 2);
	if (micro != 0) {
		*p++ = '.';
		p = put_number(p, micro, 6);
		while (p[-1] == '0')
			p--;
	}
	*p++ = 'Z';
	return (struct slice){text, (size_t)(p - text)};
}
