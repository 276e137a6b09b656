/* A compiled map in memory, as core and intake hold it. */
#ifndef CARILLON_ROLE_MAP_H
#define CARILLON_ROLE_MAP_H

#include "base/error.h"
#include "model/service_map.h"

/* A map.bin in memory with its hash; fd is taken. */
struct role_map {
	struct service_map *map;
	void *mem;
	size_t len;
	uint32_t services; /* without those that only a need names */
	char hash[65];
};
struct role_map *role_map_open(int fd, struct error *err) MUST_CHECK; /* fd < 0: the empty map */
void role_map_close(struct role_map *m);

#endif
