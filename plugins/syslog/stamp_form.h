/* The pieces of a time stamp as written, before it is known whether they make a date. Private to stamp.c. */
#ifndef CARILLON_SYSLOG_STAMP_FORM_H
#define CARILLON_SYSLOG_STAMP_FORM_H

#include "base/mem.h"
#include "scan.h"

struct stamp_parts {
	int year, month, day; /* year 0: not written */
	int hour, minute, second, micro;
	int offset; /* seconds east */
	bool zoned;
	bool clock_only; /* time of day without a date */
};

/* A date with a time, or a time of day, in any known form. */
bool stamp_form_take(struct scan *s, struct stamp_parts *d) MUST_CHECK;
/* "Wed " or "Wed, " before it. */
void stamp_form_weekday(struct scan *s);
/* What may follow: a year, a zone, an offset, and Cisco's colon. */
void stamp_form_trailers(struct scan *s, struct stamp_parts *d);
/* Time since the start of the device, which is no wall clock. */
bool stamp_form_uptime(struct scan *s) MUST_CHECK;
/* The digits behind a decimal sign; only six count. False: there is none. */
bool stamp_form_fraction(struct scan *s, int *micro);

#endif
