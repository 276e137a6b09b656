/* Private to service_map*.c: the inside of a draft, and findings that name the place of a thing in it. */
#ifndef CARILLON_MODEL_SERVICE_MAP_DRAFT_H
#define CARILLON_MODEL_SERVICE_MAP_DRAFT_H

#include "base/arena.h"
#include "base/hmap.h"
#include "model/address.h"
#include "model/service_map.h"

struct host_pair {
	struct address address;
	struct slice name;
};

/* Text of a file that was read, for the source lines of later findings. */
struct map_source {
	const char *file;
	struct slice text;
};

struct map_draft {
	struct arena *arena;
	struct map_entry **v; /* in the order of adding; NULL where one was removed */
	size_t n, cap, live;
	struct hmap *by_id; /* id → index + 1 of the first of this id; covers v[0 .. indexed) */
	size_t indexed;
	bool repeats; /* an id stands there twice */
	struct map_source *sources;
	size_t n_sources, cap_sources;
	struct host_pair *pairs;
	size_t n_pairs, cap_pairs;
};

/* Part of an entry that a finding is about: decides the Redis key, and the YAML mark if it has none itself.
 */
enum map_part { PART_SERVICE, PART_NEEDS, PART_GROUPS, PART_HOSTS, PART_ALIASES, PART_PORTS };

/* `item`: needed id, group, host, alias or "host port"; absent for the whole. */
void map_finding(const struct map_draft *d, struct findings *f, enum finding_level level, const char *code,
                 const struct map_entry *e, enum map_part part, struct slice item, struct mark mark,
                 const char *fmt, ...) PRINTF(9, 10);
/* "map.yaml:3:5" or "redis:carillon:map:service:x", for a finding that names a second place. */
void map_place_text(const struct map_entry *e, enum map_part part, struct slice item, struct mark mark,
                    struct buf *out);

bool map_id_valid(struct slice id); /* [a-z0-9][a-z0-9._-]*, at most 128 */

#endif
