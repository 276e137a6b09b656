/* Promises a wait that needs no clock: a date counts from the answer's own Date (RFC 9110
 * sections 5.6.7, 10.2.3). */
#include "base/instant.h"
#include "plugins/tickets/reply.h"

#define EPOCH_LIKELY 1000000000 /* X-RateLimit-Reset above this is a time, below it seconds */

static bool number(struct slice s, int64_t *out)
{
	return slice_int(s, out) && *out >= 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool http_date(struct slice s, instant *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day, year, hour, minute, second;
	int month = 0;
	if (s.n != 29 || !slice_ends(s, SLICE(" GMT")) || s.p[3] != ',' || s.p[19] != ':' || s.p[22] != ':')
		return false;
	while (month < 12 && memcmp(months + 3 * month, s.p + 8, 3) != 0)
		month++;
	if (month == 12 || !number(slice_sub(s, 5, 2), &day) || !number(slice_sub(s, 12, 4), &year) ||
	    !number(slice_sub(s, 17, 2), &hour) || !number(slice_sub(s, 20, 2), &minute) ||
	    !number(slice_sub(s, 23, 2), &second))
		return false;
	*out = instant_civil((int)year, month + 1, (int)day, (int)hour, (int)minute, (int)second);
	return true;
}

static duration until(const struct reply *r, instant then)
{
	instant now;
	if (!http_date(reply_header(r, SLICE("date")), &now) || then <= now)
		return 0;
	return MIN(then - now, DAY);
}

static duration seconds(int64_t n)
{
	return MIN(n, DAY / SECOND) * SECOND;
}

duration reply_retry_after(const struct reply *r)
{
	struct slice after = reply_header(r, SLICE("retry-after")),
	             reset = reply_header(r, SLICE("x-ratelimit-reset"));
	int64_t n;
	instant t;
	if (number(after, &n))
		return seconds(n);
	if (http_date(after, &t))
		return until(r, t);
	if (!number(reset, &n))
		return 0;
	if (n < EPOCH_LIKELY)
		return seconds(n);
	return n < INT64_MAX / SECOND ? until(r, n * SECOND) : DAY;
}
