/* Promises never to read outside a slice and to need no NUL behind it. Must not know who owns the bytes. */
#include "base/slice.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { NUM_MAX = 1024 };

bool slice_ends(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

bool slice_contains(struct slice s, struct slice needle)
{
	if (needle.n == 0)
		return true;
	return s.n >= needle.n && memmem(s.p, s.n, needle.p, needle.n) != NULL;
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool slice_ieq(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t n = MIN(a.n, b.n);
	int d = n > 0 ? memcmp(a.p, b.p, n) : 0;
	if (d != 0)
		return d;
	return a.n < b.n ? -1 : a.n > b.n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

bool slice_split(struct slice *s, char sep, struct slice *part)
{
	if (s->p == NULL)
		return false;
	const char *hit = s->n > 0 ? memchr(s->p, sep, s->n) : NULL;
	if (hit == NULL) {
		*part = *s;
		*s = SLICE_NONE;
		return true;
	}
	size_t n = (size_t)(hit - s->p);
	*part = (struct slice){s->p, n};
	*s = (struct slice){hit + 1, s->n - n - 1};
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool slice_int(struct slice s, int64_t *out)
{
	size_t i = 0;
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t v = 0;
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		i++;
	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return false;
		/* counted downward: INT64_MIN has no positive twin */
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v))
			return false;
	}
	if (!minus && v == INT64_MIN)
		return false;
	*out = minus ? v : -v;
	return true;
}

static size_t digits(struct slice s, size_t i)
{
	size_t from = i;
	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i - from;
}

/* sign digits [. digits] [e [sign] digits] */
static bool num_shape(struct slice s)
{
	size_t i = 0, n;
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		i++;
	if ((n = digits(s, i)) == 0)
		return false;
	i += n;
	if (i < s.n && s.p[i] == '.') {
		if ((n = digits(s, i + 1)) == 0)
			return false;
		i += 1 + n;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
			i++;
		if ((n = digits(s, i)) == 0)
			return false;
		i += n;
	}
	return i == s.n;
}

bool slice_num(struct slice s, double *out)
{
	if (s.n == 0 || s.n > NUM_MAX || !num_shape(s))
		return false;
	int64_t whole;
	if (s.n <= 15 && s.p[0] != '-' && slice_int(s, &whole)) {
		*out = (double)whole; /* exact below 2^53; "-0" takes the long way to keep its sign */
		return true;
	}
	char text[NUM_MAX + 1];
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	BUG_ON(plain == (locale_t)0);
	double v = strtod_l(text, NULL, plain);
	freelocale(plain);
	if (!isfinite(v))
		return false;
	*out = v;
	return true;
}

/* Octets of the well-formed character at p (RFC 3629 section 4), 0 if there is none. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (n < len || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

size_t slice_char(struct slice s, size_t at)
{
	BUG_ON(at > s.n);
	return at < s.n ? utf8_len((const unsigned char *)s.p + at, s.n - at) : 0;
}

bool slice_utf8(struct slice s)
{
	for (size_t i = 0, len; i < s.n; i += len)
		if ((len = slice_char(s, i)) == 0)
			return false;
	return true;
}

char *slice_dup(struct slice s)
{
	return xstrndup(s.p, s.n);
}
