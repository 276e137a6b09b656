/* A checked cursor over the octets of one message: no function here reads past the end, whatever it is asked
 * for. */
#ifndef CARILLON_SYSLOG_SCAN_H
#define CARILLON_SYSLOG_SCAN_H

#include "base/mem.h"
#include "base/slice.h"

struct scan {
	const char *p;
	size_t n, at;
};

static inline struct scan scan_of(struct slice s)
{
	return (struct scan){s.p, s.n, 0};
}

/* The octet `ahead` of the cursor, or -1 past the end. */
static inline int scan_peek(const struct scan *s, size_t ahead)
{
	return ahead < s->n - s->at ? (unsigned char)s->p[s->at + ahead] : -1;
}

static inline bool scan_end(const struct scan *s)
{
	return s->at >= s->n;
}

static inline void scan_skip(struct scan *s, size_t n)
{
	s->at += n < s->n - s->at ? n : s->n - s->at;
}

static inline bool scan_take(struct scan *s, char c)
{
	if (scan_peek(s, 0) != (unsigned char)c)
		return false;
	s->at++;
	return true;
}

static inline bool scan_take_text(struct scan *s, struct slice t)
{
	if (s->n - s->at < t.n || memcmp(s->p + s->at, t.p, t.n) != 0)
		return false;
	s->at += t.n;
	return true;
}

static inline size_t scan_blanks(struct scan *s)
{
	size_t from = s->at;
	while (scan_peek(s, 0) == ' ' || scan_peek(s, 0) == '\t')
		s->at++;
	return s->at - from;
}

static inline struct slice scan_rest(const struct scan *s)
{
	return (struct slice){s->p + s->at, s->n - s->at};
}

/* Takes the run up to `stop` or the end; the stop octet stays. */
static inline struct slice scan_until(struct scan *s, char stop)
{
	BUG_ON(s->at > s->n);
	struct slice rest = scan_rest(s);
	const char *e = rest.n > 0 ? memchr(rest.p, stop, rest.n) : NULL;
	if (e != NULL)
		rest.n = (size_t)(e - rest.p);
	s->at += rest.n;
	return rest;
}

static inline bool scan_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool scan_is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next three letters in lower case as one number, 0 if they are none. */
#define SCAN_THREE(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))
static inline uint32_t scan_three(const struct scan *s)
{
	int a = scan_peek(s, 0), b = scan_peek(s, 1), c = scan_peek(s, 2);
	if (!scan_is_alpha(a) || !scan_is_alpha(b) || !scan_is_alpha(c))
		return 0;
	return SCAN_THREE(a | 0x20, b | 0x20, c | 0x20);
}

/* Takes `min` to `max` digits (max <= 9). False leaves the cursor where it was. */
static inline bool scan_digits(struct scan *s, size_t min, size_t max, int *out)
{
	int v = 0;
	size_t k = 0;
	while (k < max && scan_is_digit(scan_peek(s, k))) {
		v = v * 10 + (scan_peek(s, k) - '0');
		k++;
	}
	if (k < min)
		return false;
	s->at += k;
	*out = v;
	return true;
}

#endif
