/* Times as monitoring products write them: numbers by their size, dates with digits, dates with names. */
#include "moment.h"

#include <string.h>

enum { WORDS_MAX = 10 };

struct civil {
	int year, month, day, hour, minute, second;
	int64_t us;
	bool has_zone;
	int zone; /* seconds east */
};

/* ---- numbers since 1970 */

static bool plausible(instant t)
{
	return t >= instant_civil(2000, 1, 1, 0, 0, 0) && t < instant_civil(2200, 1, 1, 0, 0, 0);
}

/* "1605133931", "1605133931151", "1588227573.562812", "1544712660300000000" */
static bool epoch(struct slice s, instant *out)
{
	int64_t whole = 0, part = 0, scale = SECOND;
	size_t i = 0;
	for (; i < s.n && i < 19 && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		if (whole > (INT64_MAX - 9) / 10)
			return false;
		whole = whole * 10 + (s.p[i] - '0');
	}
	if (i < 9 || (i < s.n && s.p[i] != '.'))
		return false;
	for (size_t k = i + 1; k < s.n; k++) {
		if (s.p[k] < '0' || s.p[k] > '9')
			return false;
		scale /= 10;
		part += (s.p[k] - '0') * scale;
	}
	if (whole < INT64_C(100000000000))
		*out = whole * SECOND + part;
	else if (whole < INT64_C(100000000000000))
		*out = whole * MSEC + part / 1000;
	else if (whole < INT64_C(100000000000000000))
		*out = whole;
	else
		*out = whole / 1000;
	return plausible(*out);
}

/* ---- pieces */

static bool number(struct slice s, size_t *at, size_t least, size_t most, int *out)
{
	size_t n = 0;
	int v = 0;
	for (; n < most && *at + n < s.n && s.p[*at + n] >= '0' && s.p[*at + n] <= '9'; n++)
		v = v * 10 + (s.p[*at + n] - '0');
	if (n < least)
		return false;
	*at += n;
	*out = v;
	return true;
}

static bool one_of(struct slice s, size_t *at, const char *set)
{
	if (*at >= s.n || strchr(set, s.p[*at]) == NULL || s.p[*at] == '\0')
		return false;
	(*at)++;
	return true;
}

/* hh:mm[:ss[.fraction]] */
static bool clock_time(struct slice s, size_t *at, struct civil *c)
{
	int64_t scale = SECOND;
	if (!number(s, at, 1, 2, &c->hour) || !one_of(s, at, ":") || !number(s, at, 2, 2, &c->minute))
		return false;
	if (!one_of(s, at, ":"))
		return true;
	if (!number(s, at, 2, 2, &c->second))
		return false;
	if (!one_of(s, at, ".,"))
		return true;
	for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++) {
		scale /= 10;
		c->us += (s.p[*at] - '0') * scale;
	}
	return true;
}

static bool zone_name(struct slice w, int *seconds)
{
	/* RFC 822 section 5.1 and what everybody writes for UTC; other names are not unique */
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"Z", 0},    {"UTC", 0},  {"GMT", 0},  {"UT", 0},   {"EST", -5}, {"EDT", -4},
	             {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		if (slice_ieq(w, slice_str(zones[i].name))) {
			*seconds = zones[i].hours * 3600;
			return true;
		}
	}
	return false;
}

/* "Z" "UTC" "+0000" "+01:00" "-5" "+01.00" */
static bool zone(struct slice w, struct civil *c)
{
	size_t at = 0;
	int h, m = 0;
	if (zone_name(w, &c->zone)) {
		c->has_zone = true;
		return true;
	}
	bool west = w.n > 0 && w.p[0] == '-';
	if (!one_of(w, &at, "+-") || !number(w, &at, 1, 2, &h))
		return false;
	(void)one_of(w, &at, ":.");
	if (at < w.n && !number(w, &at, 2, 2, &m))
		return false;
	if (at != w.n || h > 14 || m > 59)
		return false;
	c->zone = (h * 3600 + m * 60) * (west ? -1 : 1);
	c->has_zone = true;
	return true;
}

static bool finish(const struct civil *c, int zone_offset, instant *out)
{
	int y, mo, d;
	if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > 31 || c->hour > 23 || c->minute > 59 ||
	    c->second > 60 || c->year < 1970 || c->year > 2200)
		return false;
	instant t = instant_civil(c->year, c->month, c->day, c->hour, c->minute, c->second);
	instant_split(instant_civil(c->year, c->month, c->day, 0, 0, 0), &y, &mo, &d, NULL, NULL, NULL);
	if (mo != c->month || d != c->day)
		return false;
	*out = t - (c->has_zone ? c->zone : zone_offset) * SECOND + c->us;
	return true;
}

/* ---- dates with digits */

/* 2025-02-15 14:59:03.2 +0000 UTC, 2024.10.26 23:20:39, 2015-06-03T17:43:27+0000 */
static bool digits_first(struct slice s, int zone_offset, instant *out)
{
	struct civil c = {0};
	struct slice word;
	size_t at = 0;
	if (!number(s, &at, 4, 4, &c.year) || !one_of(s, &at, "-./") || !number(s, &at, 1, 2, &c.month) ||
	    !one_of(s, &at, "-./") || !number(s, &at, 1, 2, &c.day))
		return false;
	if (at < s.n && (!one_of(s, &at, "Tt _") || !clock_time(s, &at, &c)))
		return false;
	struct slice rest = slice_trim(slice_sub(s, at, SIZE_MAX));
	while (rest.n > 0 && slice_split(&rest, ' ', &word)) {
		struct civil named = {0};
		/* Go writes "+0100 CET" and a monotonic clock behind it: the offset in digits counts */
		if (word.n > 0 && !(c.has_zone ? zone(word, &named) || word.p[0] == 'm' ||
		                                     (word.p[0] >= 'A' && word.p[0] <= 'Z')
		                               : zone(word, &c)))
			return false;
	}
	return finish(&c, zone_offset, out);
}

/* ---- dates with names: RFC 1123, ctime, "July 30, 2019 10:36 AM EST" */

static int month_of(struct slice w)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	if (w.n < 3)
		return 0;
	for (int i = 0; i < 12; i++)
		if (slice_ieq(slice_sub(w, 0, 3), slice_of(names + 3 * i, 3)))
			return i + 1;
	return 0;
}

static bool is_weekday(struct slice w)
{
	static const char names[] = "sunmontuewedthufrisat";
	for (int i = 0; i < 7 && w.n >= 3; i++)
		if (slice_ieq(slice_sub(w, 0, 3), slice_of(names + (size_t)i * 3, 3)))
			return true;
	return false;
}

static bool afternoon(struct slice w, struct civil *c)
{
	bool pm = slice_ieq(w, SLICE("pm"));
	if ((!pm && !slice_ieq(w, SLICE("am"))) || c->hour < 1 || c->hour > 12)
		return false;
	c->hour = c->hour % 12 + (pm ? 12 : 0);
	return true;
}

/* One word of such a date; false if it does not belong there. */
static bool take_word(struct slice w, struct civil *c, bool *timed)
{
	size_t at = 0;
	int v;
	if (w.n == 0)
		return true;
	if (memchr(w.p, ':', w.n) != NULL && w.p[0] != '+' && w.p[0] != '-') {
		*timed = true;
		return clock_time(w, &at, c) && at == w.n;
	}
	if (w.p[0] >= '0' && w.p[0] <= '9') {
		if (!number(w, &at, 1, 4, &v) || at != w.n)
			return false;
		int *to = w.n <= 2 && c->day == 0 ? &c->day : &c->year;
		bool is_free = *to == 0;
		*to = v;
		return is_free;
	}
	if (c->month == 0 && month_of(w) > 0) {
		c->month = month_of(w);
		return true;
	}
	if (*timed && afternoon(w, c))
		return true;
	if (!c->has_zone && zone(w, c))
		return true;
	return is_weekday(w) || slice_ieq(w, SLICE("at"));
}

static bool names_first(struct slice s, int zone_offset, instant *out)
{
	struct civil c = {0};
	struct slice word;
	bool timed = false;
	for (size_t i = 0; s.n > 0 && slice_split(&s, ' ', &word); i++) {
		while (word.n > 0 && (word.p[word.n - 1] == ',' || word.p[word.n - 1] == '.'))
			word.n--;
		if (i >= WORDS_MAX || !take_word(word, &c, &timed))
			return false;
	}
	return timed && finish(&c, zone_offset, out);
}

bool moment_parse(struct slice s, int zone_offset, instant *out)
{
	s = slice_trim(s);
	if (s.n < 8 || s.n > 64)
		return false;
	return instant_parse(s, out) || epoch(s, out) || digits_first(s, zone_offset, out) ||
	       names_first(s, zone_offset, out);
}
