/* Time as values. Nothing here reads a clock: only the loop in net does. */
#ifndef CARILLON_BASE_INSTANT_H
#define CARILLON_BASE_INSTANT_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

typedef int64_t instant;  /* microseconds since 1970-01-01T00:00:00Z */
typedef int64_t duration; /* microseconds */

#define INSTANT_NONE INT64_MIN
#define USEC         ((duration)1)
#define MSEC         ((duration)1000)
#define SECOND       ((duration)1000000)
#define MINUTE       (60 * SECOND)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)

/* RFC 3339 with offset (also "Z"); up to 9 fraction digits, cut to microseconds. Refuses dates that do not exist. */
bool instant_parse(struct slice s, instant *out) MUST_CHECK;
/* RFC 3339, UTC, "Z"; fraction only if not zero, without trailing zeros. INSTANT_NONE: "-". */
void instant_format(instant t, struct buf *out);
instant instant_civil(int year, int month, int day, int hour, int minute, int second); /* UTC; days are normalised */
void instant_split(instant t, int *year, int *month, int *day, int *hour, int *minute, int *second); /* any may be NULL */
/* "90s", "1h30m", "0"; units ms s m h d w. */
bool duration_parse(struct slice s, duration *out) MUST_CHECK;
/* Units from large to small, zero parts left out: "1h30m"; weeks only if whole; cut to milliseconds; 0: "0". */
void duration_format(duration d, struct buf *out);
bool bytesize_parse(struct slice s, uint64_t *out) MUST_CHECK; /* "64KiB" "1MiB" "1GiB" or plain octets */
bool rate_parse(struct slice s, double *per_second) MUST_CHECK; /* "5/s" "30/m" "100/h" */

/* ULID: 48 bits of milliseconds, 80 bits given by the caller (a hash); text is 26 characters of Crockford base32. */
struct ulid {
	unsigned char b[16];
};
struct ulid ulid_make(instant t, uint64_t hi, uint64_t lo); /* low 16 bits of hi, then lo */
void ulid_text(const struct ulid *u, char out[27]);
bool ulid_parse(struct slice s, struct ulid *out) MUST_CHECK;

#endif
