/* Promises the offset of every instant of a TZif file, and both directions between instants and wall times.
 * Must not trust the file: counts, indexes and offsets are checked when it is read. */
#include "base/zone.h"

#include "base/mem.h"

enum {
	HEAD = 44,
	TRANSITIONS_MAX = 10000,
	TYPES_MAX = 256,
	OFFSET_MAX = 26 * 3600,
	RULE_TIME_MAX = 167 * 3600
};

/* When a POSIX rule changes: Jn, n or Mm.w.d, and a time of that day. */
struct rule {
	char kind; /* 'J', 'N', 'M' */
	int day, month, week;
	int32_t time; /* seconds; may be negative or behind the day */
};

struct zone {
	size_t n;
	int64_t *at;            /* seconds of UTC, ascending */
	int32_t *offset;        /* from at[i] on */
	int32_t before;         /* before the first */
	bool has_rule, has_dst; /* behind the last */
	int32_t standard, dst;
	struct rule begin, end; /* of daylight saving time */
};

static const struct zone utc = {.n = 0};

const struct zone *zone_utc(void)
{
	return &utc;
}

/* ---- the file */

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct block {
	uint32_t isut, isstd, leap, time, type, chars;
	const unsigned char *p; /* behind its head */
	size_t size;
	unsigned width; /* of a time */
	unsigned char version;
};

/* False: no head, or it promises more than there is. */
static bool block_open(struct slice s, unsigned width, struct block *b)
{
	const unsigned char *p = (const unsigned char *)s.p;
	if (s.n < HEAD || memcmp(p, "TZif", 4) != 0)
		return false;
	*b = (struct block){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32),
	                    be32(p + 36), be32(p + 40), p + HEAD,     0,
	                    width,        p[4]};
	if (b->time > TRANSITIONS_MAX || b->type < 1 || b->type > TYPES_MAX || b->leap > TRANSITIONS_MAX ||
	    b->chars > 4096 || b->isut > TYPES_MAX || b->isstd > TYPES_MAX)
		return false;
	b->size = (size_t)b->time * width + b->time + (size_t)b->type * 6 + b->chars +
	          (size_t)b->leap * (width + 4) + b->isstd + b->isut;
	return b->size <= s.n - HEAD;
}

static bool type_offset(const struct block *b, const unsigned char *types, unsigned i, int32_t *out)
{
	if (i >= b->type)
		return false;
	*out = (int32_t)be32(types + (size_t)i * 6);
	return *out >= -OFFSET_MAX && *out <= OFFSET_MAX;
}

static bool block_read(struct arena *a, const struct block *b, struct zone *z)
{
	const unsigned char *indexes = b->p + (size_t)b->time * b->width, *types = indexes + b->time;
	z->n = b->time;
	z->at = arena_array(a, (size_t)b->time + 1, sizeof *z->at);
	z->offset = arena_array(a, (size_t)b->time + 1, sizeof *z->offset);
	if (!type_offset(b, types, 0, &z->before))
		return false;
	for (size_t i = 0; i < b->time; i++) {
		const unsigned char *t = b->p + i * b->width;
		z->at[i] = b->width == 8 ? be64(t) : (int32_t)be32(t);
		/* zic's big-bang entry lies before all that an instant can say */
		z->at[i] = MAX(z->at[i], INT64_MIN / SECOND / 2);
		if ((i > 0 && z->at[i] < z->at[i - 1]) || z->at[i] > INT64_MAX / SECOND / 2 ||
		    !type_offset(b, types, indexes[i], &z->offset[i]))
			return false;
	}
	return true;
}

/* ---- the footer: a POSIX TZ string (IEEE Std 1003.1, section 8.3, with RFC 8536's longer times) */

struct cursor {
	struct slice s;
	size_t at;
};

static char peek(const struct cursor *c)
{
	return c->at < c->s.n ? c->s.p[c->at] : '\0';
}

static bool take(struct cursor *c, char one)
{
	if (peek(c) != one)
		return false;
	c->at++;
	return true;
}

static bool number(struct cursor *c, int max, int *out)
{
	size_t from = c->at;
	*out = 0;
	while (peek(c) >= '0' && peek(c) <= '9' && c->at - from < 4)
		*out = *out * 10 + (c->s.p[c->at++] - '0');
	return c->at > from && *out <= max;
}

static bool abbreviation(struct cursor *c)
{
	size_t from = c->at;
	bool quoted = take(c, '<');
	while (peek(c) != '\0' && peek(c) != '>' && (quoted || (peek(c) | 0x20) >= 'a') &&
	       (quoted || (peek(c) | 0x20) <= 'z'))
		c->at++;
	return c->at > from + (quoted ? 1 : 0) && (!quoted || take(c, '>'));
}

/* [+-]hh[:mm[:ss]] as seconds. */
static bool hours(struct cursor *c, int max, int32_t *out)
{
	int h, m = 0, s = 0;
	bool minus = peek(c) == '-';
	if (minus || peek(c) == '+')
		c->at++;
	if (!number(c, max, &h) || (take(c, ':') && !number(c, 59, &m)) ||
	    (peek(c) == ':' && take(c, ':') && !number(c, 59, &s)))
		return false;
	*out = (h * 3600 + m * 60 + s) * (minus ? -1 : 1);
	return true;
}

static bool rule_read(struct cursor *c, struct rule *r)
{
	*r = (struct rule){.kind = 'N', .time = 2 * 3600};
	if (take(c, 'M')) {
		r->kind = 'M';
		if (!number(c, 12, &r->month) || r->month < 1 || !take(c, '.') || !number(c, 5, &r->week) ||
		    r->week < 1 || !take(c, '.') || !number(c, 6, &r->day))
			return false;
	} else {
		r->kind = take(c, 'J') ? 'J' : 'N';
		if (!number(c, 365, &r->day) || (r->kind == 'J' && r->day < 1))
			return false;
	}
	return !take(c, '/') ||
	       (hours(c, 167, &r->time) && r->time >= -RULE_TIME_MAX && r->time <= RULE_TIME_MAX);
}

static bool footer_read(struct slice text, struct zone *z)
{
	struct cursor c = {text, 0};
	int32_t west;
	if (!abbreviation(&c) || !hours(&c, 24, &west))
		return false;
	z->has_rule = true;
	z->standard = -west;
	if (c.at == text.n)
		return true;
	z->dst = z->standard + 3600;
	if (!abbreviation(&c))
		return false;
	if (peek(&c) != ',') {
		if (!hours(&c, 24, &west))
			return false;
		z->dst = -west;
	}
	z->has_dst = true;
	return take(&c, ',') && rule_read(&c, &z->begin) && take(&c, ',') && rule_read(&c, &z->end) &&
	       c.at == text.n;
}

const struct zone *zone_parse(struct arena *a, struct slice bytes, struct error *err)
{
	struct block b;
	struct zone *z = arena_alloc(a, sizeof *z);
	struct slice footer = SLICE_NONE;
	bool ok = block_open(bytes, 4, &b);
	if (ok && b.version >= '2') {
		struct slice rest = slice_sub(bytes, HEAD + b.size, bytes.n);
		ok = block_open(rest, 8, &b);
		footer = ok ? slice_sub(rest, HEAD + b.size, rest.n) : SLICE_NONE;
	}
	ok = ok && block_read(a, &b, z);
	if (ok && footer.n > 0) {
		ok = footer.n >= 2 && footer.p[0] == '\n' && footer.p[footer.n - 1] == '\n';
		footer = slice_sub(footer, 1, footer.n >= 2 ? footer.n - 2 : 0);
		ok = ok && (footer.n == 0 || footer_read(footer, z));
	}
	if (ok)
		return z;
	error_set(err, "this is no time-zone file (TZif), or it is damaged");
	return NULL;
}

/* ---- the years behind the last entry */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t day_of(int year, int month, int day)
{
	return floor_div(instant_civil(year, month, day, 0, 0, 0), DAY);
}

/* Of the wall clock before the change, as if it were UTC. */
static int64_t rule_wall(const struct rule *r, int year)
{
	int64_t first = day_of(year, 1, 1), day;
	bool leap = day_of(year, 3, 1) - first == 60;
	if (r->kind == 'J') {
		day = first + r->day - 1 + (leap && r->day >= 60);
	} else if (r->kind == 'N') {
		day = first + r->day;
	} else {
		int64_t month = day_of(year, r->month, 1), next = day_of(year, r->month + 1, 1);
		int weekday = (int)(((month + 4) % 7 + 7) % 7);
		day = month + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
		if (day >= next)
			day -= 7;
	}
	return day * 86400 + r->time;
}

struct change {
	int64_t at;
	int32_t offset;
};

/* Both changes of a year, in order. */
static void year_changes(const struct zone *z, int year, struct change out[2])
{
	struct change begin = {rule_wall(&z->begin, year) - z->standard, z->dst},
	              end = {rule_wall(&z->end, year) - z->dst, z->standard};
	out[begin.at > end.at] = begin;
	out[begin.at <= end.at] = end;
}

static int year_of(int64_t s)
{
	int year;
	instant_split(s * SECOND, &year, NULL, NULL, NULL, NULL, NULL);
	return year;
}

static int32_t rule_offset(const struct zone *z, int64_t s)
{
	if (!z->has_dst)
		return z->standard;
	struct change c[2];
	int year = year_of(s);
	int32_t offset = z->standard;
	/* a change may lie so near to the turn of the year that it belongs to the one before */
	for (int y = year - 1; y <= year + 1; y++) {
		year_changes(z, y, c);
		for (int i = 0; i < 2; i++) {
			if (c[i].at <= s)
				offset = c[i].offset;
		}
	}
	return offset;
}

static instant rule_next(const struct zone *z, int64_t s)
{
	struct change c[2];
	int year = year_of(s);
	for (int y = year - 1; z->has_dst && y <= year + 2; y++) {
		year_changes(z, y, c);
		for (int i = 0; i < 2; i++) {
			if (c[i].at > s)
				return c[i].at * SECOND;
		}
	}
	return INSTANT_NONE;
}

/* ---- asking */

/* How many entries lie at or before s. */
static size_t upper(const struct zone *z, int64_t s)
{
	size_t low = 0, n = z->n;
	while (n > 0) {
		size_t half = n / 2;
		if (z->at[low + half] <= s) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

int32_t zone_offset(const struct zone *z, instant t)
{
	int64_t s = floor_div(t, SECOND);
	size_t i = upper(z, s);
	if (i == z->n && z->has_rule)
		return rule_offset(z, s);
	return i > 0 ? z->offset[i - 1] : z->before;
}

instant zone_next(const struct zone *z, instant t)
{
	int64_t s = floor_div(t, SECOND);
	size_t i = upper(z, s);
	if (i < z->n)
		return z->at[i] * SECOND;
	return z->has_rule ? rule_next(z, s) : INSTANT_NONE;
}

int64_t zone_wall(const struct zone *z, instant t)
{
	return floor_div(t, SECOND) + zone_offset(z, t);
}

/* Walks the pieces of constant offset around it. */
static instant when(const struct zone *z, int64_t wall, bool last)
{
	instant from = (wall - OFFSET_MAX) * SECOND, end = (wall + OFFSET_MAX) * SECOND, hit = INSTANT_NONE,
	        gap = from;
	while (from <= end) {
		instant next = zone_next(z, from), t = (wall - zone_offset(z, from)) * SECOND;
		bool before = next != INSTANT_NONE && t >= next;
		if (t >= from && !before && (last || hit == INSTANT_NONE))
			hit = t;
		if (before)
			gap = next; /* the clock has not come so far when it is changed */
		if (next == INSTANT_NONE)
			break;
		from = next;
	}
	return hit != INSTANT_NONE ? hit : gap;
}

instant zone_first(const struct zone *z, int64_t wall)
{
	return when(z, wall, false);
}

instant zone_last(const struct zone *z, int64_t wall)
{
	return when(z, wall, true);
}

bool zone_name_valid(struct slice name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] == '/' || name.p[name.n - 1] == '/')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i], l = (char)(c | 0x20);
		if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' ||
		      (c == '/' && name.p[i - 1] != '/')))
			return false;
	}
	return true;
}
