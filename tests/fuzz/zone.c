/* Time-zone files: no crash; offsets are sane, changes ascend, and a wall time that is shown is found again.
 */
#include <stdlib.h>

#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct error err = {""};
	const struct zone *z = zone_parse(a, slice_of(data, size), &err);
	BUG_ON(z == NULL && err.text[0] == '\0');
	for (int64_t year = 1900; z != NULL && year < 2200; year += 7) {
		instant t = instant_civil((int)year, 3, 29, 1, 30, 0), next = zone_next(z, t);
		int32_t offset = zone_offset(z, t);
		int64_t wall = zone_wall(z, t);
		BUG_ON(offset < -26 * 3600 || offset > 26 * 3600);
		BUG_ON(next != INSTANT_NONE && next <= t);
		BUG_ON(zone_first(z, wall) > t || zone_last(z, wall) < t);
	}
	arena_free(a);
	return 0;
}
