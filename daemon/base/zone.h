/* Local time of a place, from the bytes of a time-zone file (TZif, RFC 8536; its footer carries the rule for the years
 * behind the last entry). Reads no file and no clock: the caller brings the bytes, so that a replay sees the same. */
#ifndef CARILLON_BASE_ZONE_H
#define CARILLON_BASE_ZONE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/instant.h"

struct zone;

const struct zone *zone_utc(void);
/* NULL with err if the bytes are no time-zone file or damaged. Lives in `a`; the bytes are not needed any more. */
const struct zone *zone_parse(struct arena *a, struct slice bytes, struct error *err) MUST_CHECK;
/* Seconds to add to UTC. */
int32_t zone_offset(const struct zone *z, instant t);
/* The next change of the offset behind t; INSTANT_NONE: none. */
instant zone_next(const struct zone *z, instant t);

/* A wall time: seconds since 1970-01-01T00:00:00 on the clock of the place. */
int64_t zone_wall(const struct zone *z, instant t);
/* When the clock shows it. One that is skipped: the change that skips it, when the clock shows the first time behind the
 * gap. One that is shown twice: the first, the last (language.md section 17.7). */
instant zone_first(const struct zone *z, int64_t wall);
instant zone_last(const struct zone *z, int64_t wall);

/* Is it a name such as Europe/Berlin? (letters, digits, _ + - and / between; no dots, no folder above) */
bool zone_name_valid(struct slice name);

#endif
