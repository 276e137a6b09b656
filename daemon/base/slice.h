/* A borrowed run of bytes. Never owns, need not end in NUL. p == NULL means absent, n == 0 with p != NULL empty. */
#ifndef CARILLON_BASE_SLICE_H
#define CARILLON_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(lit)   ((struct slice){(lit), sizeof(lit) - 1})
#define SLICE_NONE   ((struct slice){NULL, 0})
#define SLICE_FMT    "%.*s"
#define SLICE_ARG(s) (int)((s).n), (s).p ? (s).p : ""

static inline struct slice slice_str(const char *s)
{
	return (struct slice){s, s != NULL ? strlen(s) : 0};
}

static inline struct slice slice_of(const void *p, size_t n)
{
	return (struct slice){(const char *)p, n};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq((struct slice){s.p, prefix.n}, prefix);
}

/* Cut to what there is. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t n)
{
	if (s.p == NULL)
		return s;
	from = from < s.n ? from : s.n;
	return (struct slice){s.p + from, n < s.n - from ? n : s.n - from};
}

bool slice_ends(struct slice s, struct slice suffix);
bool slice_contains(struct slice s, struct slice needle);
bool slice_ieq(struct slice a, struct slice b); /* ASCII case ignored */
int slice_cmp(struct slice a, struct slice b);  /* bytewise, like strcmp */
struct slice slice_trim(struct slice s);        /* spaces, tabs, CR, LF at both ends */
/* Takes the part before the first `sep` off *s (the whole rest if there is none). False when *s is absent. */
bool slice_split(struct slice *s, char sep, struct slice *part);
/* Strict decimal: optional sign, digits only, range-checked. */
bool slice_int(struct slice s, int64_t *out);
/* Optional sign, digits, optional fraction and exponent; finite, at most 1,024 characters, never the locale's comma. */
bool slice_num(struct slice s, double *out);
bool slice_utf8(struct slice s);             /* well-formed UTF-8? */
/* Octets of the well-formed UTF-8 character that begins at `at` (RFC 3629); 0 at the end or if there is none. */
size_t slice_char(struct slice s, size_t at);
char *slice_dup(struct slice s);             /* malloc'd, NUL-terminated */

#endif
