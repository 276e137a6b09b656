/* iCalendar files: no crash, no hang; what was understood has edges at which its answer changes. */
#include <stdlib.h>

#include "base/calendar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct zone *find(void *arg, struct slice name)
{
	(void)arg;
	return zone_name_valid(name) ? zone_utc() : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	struct arena *a = arena_new(0);
	struct calendar c = {.zone = zone_utc()};
	const struct ical_zones zones = {find, NULL, c.zone};
	struct error err = {""};
	uint32_t line = 0;
	if (ical_parse(a, slice_of(data, size), &zones, &c.events, &c.n_events, &line, &err) != 0) {
		BUG_ON(line == 0 || err.text[0] == '\0');
	} else {
		instant t = instant_civil(2026, 1, 5, 0, 0, 0);
		for (int i = 0; i < 4 && t != INSTANT_NONE; i++) {
			instant edge = calendar_edge(&c, t);
			BUG_ON(edge != INSTANT_NONE &&
			       (edge <= t || calendar_in(&c, edge) == calendar_in(&c, edge - 1)));
			t = edge;
		}
	}
	arena_free(a);
	return 0;
}
