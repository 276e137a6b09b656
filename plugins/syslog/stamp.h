/* Time stamps as senders write them: RFC 3339, RFC 3164 and what devices make of it (intake.md section 1). */
#ifndef CARILLON_SYSLOG_STAMP_H
#define CARILLON_SYSLOG_STAMP_H

#include "base/arena.h"
#include "base/instant.h"
#include "scan.h"

enum stamp_quality { STAMP_OWN, STAMP_NO_YEAR, STAMP_NO_ZONE, STAMP_UNSYNCED, STAMP_RECEIVED };

struct stamp {
	instant at; /* INSTANT_NONE: no wall clock in it (uptime, a date that does not exist) */
	enum stamp_quality quality;
	bool impossible; /* its form was right, but there is no such date or time */
};

const char *stamp_quality_word(enum stamp_quality q);

/* RFC 5424, section 6.2.3, strictly. On failure false, and *at is the offset in `s` where it stopped to be
 * one. */
bool stamp_rfc5424(struct slice s, instant *out, size_t *at) MUST_CHECK;

/* Takes a time stamp of any known form from the cursor, with a zone or year behind it and the trailing ':' of
 * Cisco. received and zone_offset (seconds east) stand in for what the stamp lacks. False: none here, the
 * cursor stays. */
bool stamp_take(struct scan *s, instant received, int zone_offset, struct stamp *out) MUST_CHECK;

/* Seconds since the epoch with a fraction (Meraki, Squid), followed by a blank. */
bool stamp_take_epoch(struct scan *s, struct stamp *out) MUST_CHECK;

/* RFC 3339 in UTC, in the arena. */
struct slice stamp_text(struct arena *a, instant t);

#endif
