/* Times as monitoring products write them. Pure. */
#ifndef CARILLON_WEBHOOK_MOMENT_H
#define CARILLON_WEBHOOK_MOMENT_H

#include "base/instant.h"
#include "base/slice.h"

/* RFC 3339 and its relatives (a blank or nothing for the T, '.' or '/' in the date, offsets without colon,
 * behind a blank or missing), seconds, milliseconds, microseconds or nanoseconds since 1970 told apart by
 * size, RFC 1123, ctime and "July 30, 2019 10:36 AM EST". zone_offset: seconds east of UTC for texts without
 * a zone. Numbers that are no time between 2000 and 2200 and names of zones that RFC 822 does not know are
 * refused. */
bool moment_parse(struct slice s, int zone_offset, instant *out) MUST_CHECK;

#endif
