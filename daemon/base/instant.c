/* Promises exact conversion between texts and integers of microseconds, whatever the locale and time zone of
 * the process. Must not read a clock. Calendar: proleptic Gregorian. */
#include "base/instant.h"

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int64_t y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	BUG_ON(m < 1 || m > 12);
	return days[m - 1] + (m == 2 && leap(y));
}

/* Days since 1970-01-01 of the first day of a month 1..12; the year is cut into eras of 400 (146,097 days),
 * each of which begins in March, so that the leap day is the last. */
static int64_t days_before(int64_t y, int m)
{
	y -= m <= 2;
	int64_t era = floor_div(y, 400), yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

instant instant_civil(int year, int month, int day, int hour, int minute, int second)
{
	int64_t y = (int64_t)year + floor_div((int64_t)month - 1, 12);
	int m = (int)((int64_t)month - 1 - floor_div((int64_t)month - 1, 12) * 12) + 1;
	int64_t days = days_before(y, m) + day - 1;
	int64_t s = days * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
	instant t;
	if (__builtin_mul_overflow(s, SECOND, &t))
		return s > 0 ? INT64_MAX : INT64_MIN + 1;
	return t;
}

static void set(int *to, int v)
{
	if (to != NULL)
		*to = v;
}

void instant_split(instant t, int *year, int *month, int *day, int *hour, int *minute, int *second)
{
	int64_t s = floor_div(t, SECOND), days = floor_div(s, 86400);
	/* an instant reaches 107 million days to either side: 1,000 eras more make them small unsigned
	 * numbers, which divide much faster */
	uint32_t rest = (uint32_t)(s - days * 86400), z = (uint32_t)(days + 719468 + 1000 * 146097);
	uint32_t era = z / 146097, doe = z % 146097;
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint32_t m = mp < 10 ? mp + 3 : mp - 9;
	set(year, (int)(yoe + (m <= 2)) + ((int)era - 1000) * 400);
	set(month, (int)m);
	set(day, (int)(doy - (153 * mp + 2) / 5 + 1));
	set(hour, (int)(rest / 3600));
	set(minute, (int)(rest / 60 % 60));
	set(second, (int)(rest % 60));
}

/* Exactly n digits at *at. */
static bool digits(struct slice s, size_t *at, size_t n, int *out)
{
	int v = 0;
	if (n > s.n - *at)
		return false;
	for (size_t end = *at + n; *at < end; (*at)++) {
		if (s.p[*at] < '0' || s.p[*at] > '9')
			return false;
		v = v * 10 + (s.p[*at] - '0');
	}
	*out = v;
	return true;
}

static bool sign(struct slice s, size_t *at, const char *one_of)
{
	if (*at >= s.n || s.p[*at] == '\0' || strchr(one_of, s.p[*at]) == NULL)
		return false;
	(*at)++;
	return true;
}

/* "" or "." and 1 to 9 digits, as microseconds. */
static bool fraction(struct slice s, size_t *at, int64_t *us)
{
	int64_t unit = SECOND / 10;
	size_t n = 0;
	*us = 0;
	if (!sign(s, at, "."))
		return true;
	for (int d; *at < s.n && digits(s, at, 1, &d); n++, unit /= 10)
		*us += d * unit;
	return n >= 1 && n <= 9;
}

/* "Z" or "+hh:mm", as seconds to take off. */
static bool offset(struct slice s, size_t *at, int64_t *seconds)
{
	int h, m;
	*seconds = 0;
	if (sign(s, at, "Zz"))
		return true;
	bool minus = *at < s.n && s.p[*at] == '-';
	if (!sign(s, at, "+-") || !digits(s, at, 2, &h) || !sign(s, at, ":") || !digits(s, at, 2, &m))
		return false;
	*seconds = (h * 3600 + m * 60) * (minus ? -1 : 1);
	return h <= 23 && m <= 59;
}

bool instant_parse(struct slice s, instant *out)
{
	int y, mo, d, h, mi, sec;
	int64_t us, off;
	size_t at = 0;
	if (!digits(s, &at, 4, &y) || !sign(s, &at, "-") || !digits(s, &at, 2, &mo) || !sign(s, &at, "-") ||
	    !digits(s, &at, 2, &d) || !sign(s, &at, "Tt") || !digits(s, &at, 2, &h) || !sign(s, &at, ":") ||
	    !digits(s, &at, 2, &mi) || !sign(s, &at, ":") || !digits(s, &at, 2, &sec) ||
	    !fraction(s, &at, &us) || !offset(s, &at, &off) || at != s.n)
		return false;
	if (mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || sec > 60)
		return false;
	instant t = instant_civil(y, mo, d, h, mi, sec) - off * SECOND;
	/* a leap second stands at the end of a UTC day only (RFC 3339 section 5.7); it counts as the second
	 * after */
	if (sec == 60 && t % DAY != 0)
		return false;
	*out = t + us;
	return true;
}

/* `width` decimal digits and a separator behind them; how many octets that is. */
static size_t put_digits(char *to, int v, int width, char sep)
{
	for (int i = width - 1; i >= 0; i--, v /= 10)
		to[i] = (char)('0' + v % 10);
	to[width] = sep;
	return (size_t)width + 1;
}

void instant_format(instant t, struct buf *out)
{
	int y, mo, d, h, mi, s;
	if (t == INSTANT_NONE) {
		buf_char(out, '-');
		return;
	}
	instant_split(t, &y, &mo, &d, &h, &mi, &s);
	if (y < 0 || y > 9999) {
		buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", y, mo, d, h, mi, s);
		return;
	}
	/* by hand: every view row has several of these, and printf costs ten times as much */
	char text[32];
	size_t n = 0;
	n += put_digits(text + n, y, 4, '-');
	n += put_digits(text + n, mo, 2, '-');
	n += put_digits(text + n, d, 2, 'T');
	n += put_digits(text + n, h, 2, ':');
	n += put_digits(text + n, mi, 2, ':');
	n += put_digits(text + n, s, 2, '.');
	n += put_digits(text + n, (int)(t - floor_div(t, SECOND) * SECOND), 6, 'Z') - 1;
	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	text[n++] = 'Z';
	buf_add(out, text, n);
}

static const struct {
	const char *name;
	duration unit;
} units[] = {{"w", 7 * DAY}, {"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", MSEC}};

static bool unit_parse(struct slice s, duration *unit)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (slice_is(s, units[i].name)) {
			*unit = units[i].unit;
			return true;
		}
	return false;
}

static size_t run(struct slice s, size_t at, char lo, char hi)
{
	size_t from = at;
	while (at < s.n && s.p[at] >= lo && s.p[at] <= hi)
		at++;
	return at - from;
}

bool duration_parse(struct slice s, duration *out)
{
	duration sum = 0, unit;
	int64_t v;
	if (slice_is(s, "0")) {
		*out = 0;
		return true;
	}
	if (s.n == 0)
		return false;
	for (size_t at = 0; at < s.n;) {
		size_t nd = run(s, at, '0', '9'), nu = run(s, at + nd, 'a', 'z');
		if (nd == 0 || !slice_int(slice_sub(s, at, nd), &v) ||
		    !unit_parse(slice_sub(s, at + nd, nu), &unit))
			return false;
		if (__builtin_mul_overflow(v, unit, &v) || __builtin_add_overflow(sum, v, &sum))
			return false;
		at += nd + nu;
	}
	*out = sum;
	return true;
}

void duration_format(duration d, struct buf *out)
{
	uint64_t left = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	size_t i = left % (uint64_t)(7 * DAY) == 0 ? 0 : 1;
	left -= left % (uint64_t)MSEC;
	if (left == 0) {
		buf_char(out, '0');
		return;
	}
	if (d < 0)
		buf_char(out, '-');
	for (; i < ARRAY_LEN(units); i++) {
		uint64_t unit = (uint64_t)units[i].unit;
		if (left >= unit)
			buf_printf(out, "%llu%s", (unsigned long long)(left / unit), units[i].name);
		left %= unit;
	}
}

bool bytesize_parse(struct slice s, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t unit;
	} sizes[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
	int64_t v;
	size_t n = run(s, 0, '0', '9');
	if (n == 0 || !slice_int(slice_sub(s, 0, n), &v))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (slice_is(slice_sub(s, n, s.n), sizes[i].name))
			return !__builtin_mul_overflow((uint64_t)v, sizes[i].unit, out);
	return false;
}

bool rate_parse(struct slice s, double *per_second)
{
	static const struct {
		const char *name;
		double seconds;
	} per[] = {{"/s", 1}, {"/m", 60}, {"/h", 3600}};
	double v;
	if (s.n < 3 || s.p[0] < '0' || s.p[0] > '9' || !slice_num(slice_sub(s, 0, s.n - 2), &v))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(per); i++)
		if (slice_is(slice_sub(s, s.n - 2, 2), per[i].name)) {
			*per_second = v / per[i].seconds;
			return true;
		}
	return false;
}

struct ulid ulid_make(instant t, uint64_t hi, uint64_t lo)
{
	struct ulid u;
	uint64_t ms = t > 0 ? (uint64_t)(t / MSEC) : 0;
	for (unsigned i = 0; i < 6; i++)
		u.b[i] = (unsigned char)(ms >> (40 - 8 * i));
	u.b[6] = (unsigned char)(hi >> 8);
	u.b[7] = (unsigned char)hi;
	for (unsigned i = 0; i < 8; i++)
		u.b[8 + i] = (unsigned char)(lo >> (56 - 8 * i));
	return u;
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 26 groups of five bits: two zero bits, then the 128. */
void ulid_text(const struct ulid *u, char out[27])
{
	for (unsigned i = 0; i < 26; i++) {
		unsigned v = 0;
		for (unsigned k = 0; k < 5; k++) {
			unsigned bit = i * 5 + k;
			v = v << 1 |
			    (bit >= 2 ? ((unsigned)u->b[(bit - 2) / 8] >> (7 - (bit - 2) % 8)) & 1U : 0U);
		}
		out[i] = crockford[v];
	}
	out[26] = '\0';
}

static int crockford_value(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - ('a' - 'A'));
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	const char *hit = c != '\0' ? strchr(crockford, c) : NULL;
	return hit != NULL ? (int)(hit - crockford) : -1;
}

static void flip(struct ulid *u, unsigned bit)
{
	u->b[bit / 8] = (unsigned char)(u->b[bit / 8] ^ 0x80U >> bit % 8);
}

bool ulid_parse(struct slice s, struct ulid *out)
{
	struct ulid u = {{0}};
	if (s.n != 26)
		return false;
	for (unsigned i = 0; i < 26; i++) {
		int v = crockford_value(s.p[i]);
		if (v < 0 || (i == 0 && v > 7))
			return false;
		for (unsigned k = 0; k < 5; k++) {
			unsigned bit = i * 5 + k;
			if (bit >= 2 && ((unsigned)v >> (4 - k) & 1U) != 0)
				flip(&u, bit - 2);
		}
	}
	*out = u;
	return true;
}
