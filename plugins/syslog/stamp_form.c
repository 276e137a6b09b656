/* The forms in which devices write a date and a time (intake.md section 1): one function a form, tried in
 * order. Promises: a form that does not fit leaves the cursor alone; nothing is judged here, the numbers may
 * make no date. */
#include "stamp_form.h"

#include "base/mem.h"

/* Takes the digits after a decimal sign; only six count. */
bool stamp_form_fraction(struct scan *s, int *micro)
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

/* ---- the pieces of the other forms */

static int month_of(const struct scan *s)
{
	switch (scan_three(s)) {
	case SCAN_THREE('j', 'a', 'n'): return 1;
	case SCAN_THREE('f', 'e', 'b'): return 2;
	case SCAN_THREE('m', 'a', 'r'): return 3;
	case SCAN_THREE('a', 'p', 'r'): return 4;
	case SCAN_THREE('m', 'a', 'y'): return 5;
	case SCAN_THREE('j', 'u', 'n'): return 6;
	case SCAN_THREE('j', 'u', 'l'): return 7;
	case SCAN_THREE('a', 'u', 'g'): return 8;
	case SCAN_THREE('s', 'e', 'p'): return 9;
	case SCAN_THREE('o', 'c', 't'): return 10;
	case SCAN_THREE('n', 'o', 'v'): return 11;
	case SCAN_THREE('d', 'e', 'c'): return 12;
	default: return 0;
	}
}

/* hh:mm:ss, as nearly all write it; other clocks are left to scan_digits. */
static bool take_plain_clock(struct scan *s, struct stamp_parts *d)
{
	const char *p = s->p + s->at;
	if (s->n - s->at < 8 || p[2] != ':' || p[5] != ':')
		return false;
	unsigned h = (unsigned)(p[0] - '0'), h1 = (unsigned)(p[1] - '0');
	unsigned m = (unsigned)(p[3] - '0'), m1 = (unsigned)(p[4] - '0');
	unsigned c = (unsigned)(p[6] - '0'), c1 = (unsigned)(p[7] - '0');
	if (h > 9 || h1 > 9 || m > 9 || m1 > 9 || c > 9 || c1 > 9)
		return false;
	d->hour = (int)(h * 10 + h1);
	d->minute = (int)(m * 10 + m1);
	d->second = (int)(c * 10 + c1);
	s->at += 8;
	return true;
}

static bool take_clock(struct scan *s, struct stamp_parts *d)
{
	struct scan t = *s;
	BUG_ON(t.at > t.n);
	if (!take_plain_clock(&t, d) &&
	    (!scan_digits(&t, 1, 2, &d->hour) || !scan_take(&t, ':') || !scan_digits(&t, 2, 2, &d->minute) ||
	     !scan_take(&t, ':') || !scan_digits(&t, 2, 2, &d->second)))
		return false;
	int sign = scan_peek(&t, 0);
	if ((sign == '.' || sign == ',') && scan_is_digit(scan_peek(&t, 1))) {
		scan_skip(&t, 1);
		(void)stamp_form_fraction(&t, &d->micro);
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
static bool take_zone_word(struct scan *s, struct stamp_parts *d)
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
static bool take_offset(struct scan *s, struct stamp_parts *d)
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
static bool take_month_form(struct scan *s, struct stamp_parts *d)
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
	switch (scan_three(s)) {
	case SCAN_THREE('m', 'o', 'n'):
	case SCAN_THREE('t', 'u', 'e'):
	case SCAN_THREE('w', 'e', 'd'):
	case SCAN_THREE('t', 'h', 'u'):
	case SCAN_THREE('f', 'r', 'i'):
	case SCAN_THREE('s', 'a', 't'):
	case SCAN_THREE('s', 'u', 'n'): return scan_peek(s, 3) == ' ' || scan_peek(s, 3) == ',';
	default: return false;
	}
}

/* yyyy-mm-dd, yyyy/mm/dd or yyyy:mm:dd (Sophos), then T, blank or tab, then the clock. Single digits in the
 * date are met (Huawei).
 */
static bool take_iso_once(struct scan *s, struct stamp_parts *d)
{
	struct scan t = *s;
	if (!scan_digits(&t, 4, 4, &d->year))
		return false;
	int sep = scan_peek(&t, 0);
	if (sep != '-' && sep != '/' && sep != ':')
		return false;
	scan_skip(&t, 1);
	if (!scan_digits(&t, 1, 2, &d->month) || scan_peek(&t, 0) != sep)
		return false;
	scan_skip(&t, 1);
	if (!scan_digits(&t, 1, 2, &d->day))
		return false;
	int c = scan_peek(&t, 0);
	if ((c != 'T' && c != 't' && c != ' ' && c != '-' && c != '_') || (sep == ':' && c != '-'))
		return false;
	scan_skip(&t, 1);
	if (!take_clock(&t, d))
		return false;
	(void)take_offset(&t, d);
	*s = t;
	return true;
}

/* yyyymmddThhmmssZ: the basic form of ISO 8601, always with a zone. */
static bool take_basic_form(struct scan *s, struct stamp_parts *d)
{
	struct scan t = *s;
	if (!scan_digits(&t, 4, 4, &d->year) || !scan_digits(&t, 2, 2, &d->month) ||
	    !scan_digits(&t, 2, 2, &d->day) || !scan_take(&t, 'T') || !scan_digits(&t, 2, 2, &d->hour) ||
	    !scan_digits(&t, 2, 2, &d->minute) || !scan_digits(&t, 2, 2, &d->second))
		return false;
	if (scan_peek(&t, 0) == '.' && (scan_skip(&t, 1), !stamp_form_fraction(&t, &d->micro)))
		return false;
	if (!take_offset(&t, d))
		return false;
	*s = t;
	return true;
}

/* dd.mm.yyyy hh:mm:ss */
static bool take_dotted_form(struct scan *s, struct stamp_parts *d)
{
	struct scan t = *s;
	if (!scan_digits(&t, 1, 2, &d->day) || !scan_take(&t, '.') || !scan_digits(&t, 1, 2, &d->month) ||
	    !scan_take(&t, '.') || !scan_digits(&t, 4, 4, &d->year) || !scan_take(&t, ' ') ||
	    !take_clock(&t, d))
		return false;
	*s = t;
	return true;
}

static bool take_iso_form(struct scan *s, struct stamp_parts *d)
{
	struct scan t = *s;
	if (take_iso_once(s, d))
		return true;
	/* "2026-11-22 2026-11-22T00:43:34Z": the date of the relay before the stamp of the device */
	*d = (struct stamp_parts){0};
	scan_skip(&t, 11);
	if (scan_peek(s, 4) != '-' || scan_peek(s, 10) != ' ' || !take_iso_once(&t, d))
		return false;
	*s = t;
	return true;
}

/* mm/dd/yyyy and a clock after '-', ':' or a blank (Brocade, NetScaler); dd/mm if the first cannot be a
 * month. */
static bool take_us_form(struct scan *s, struct stamp_parts *d)
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
static bool take_day_first_form(struct scan *s, struct stamp_parts *d)
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
static bool take_clock_form(struct scan *s, struct stamp_parts *d)
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
bool stamp_form_uptime(struct scan *s)
{
	struct scan t = *s;
	struct stamp_parts d = {0};
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

/* What may follow the clock: a year, a zone, an offset, and Cisco's colon. */
void stamp_form_trailers(struct scan *s, struct stamp_parts *d)
{
	struct scan t = *s;
	int year;
	/* nearly always a host follows, and a small letter begins none of them */
	if (scan_peek(s, 0) == ' ' && scan_peek(s, 1) >= 'a' && scan_peek(s, 1) <= 'z')
		return;
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

bool stamp_form_take(struct scan *s, struct stamp_parts *d)
{
	static bool (*const forms[])(struct scan *, struct stamp_parts *) = {
	    take_iso_form,   take_month_form, take_us_form,    take_day_first_form,
	    take_clock_form, take_basic_form, take_dotted_form};
	/* where no digit begins only the month form fits, or a word as long as a date before the stamp */
	if (!scan_is_digit(scan_peek(s, 0)) && scan_peek(s, 10) != ' ') {
		*d = (struct stamp_parts){0};
		return take_month_form(s, d);
	}
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		*d = (struct stamp_parts){0};
		if (forms[i](s, d))
			return true;
	}
	return false;
}

void stamp_form_weekday(struct scan *s)
{
	if (!weekday_ahead(s))
		return;
	scan_skip(s, 3);
	(void)scan_take(s, ',');
	scan_blanks(s);
}
