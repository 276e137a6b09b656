/* See role_map.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role_map.h"

struct role_map *role_map_open(int fd, struct error *err)
{
	struct role_map *m = xcalloc(1, sizeof *m);
	struct stat st;

	if (fd < 0) {
		m->map = service_map_empty();
	} else if (fstat(fd, &st) != 0 || st.st_size <= 0) {
		error_set(err, "map.bin: %s", st.st_size <= 0 ? "the file is empty" : strerror(errno));
	} else {
		m->len = (size_t)st.st_size;
		m->mem = mmap(NULL, m->len, PROT_READ, MAP_SHARED, fd, 0);
		if (m->mem == MAP_FAILED) {
			m->mem = NULL;
			error_set(err, "map.bin: cannot map it: %s", strerror(errno));
		} else {
			m->map = service_map_open(slice_of(m->mem, m->len), err);
		}
	}
	if (fd >= 0)
		close(fd);
	if (m->map == NULL) {
		role_map_close(m);
		return NULL;
	}
	if (m->mem != NULL)
		service_map_hash(m->map, m->hash);
	for (uint32_t i = 0; i < service_map_len(m->map); i++)
		m->services += !service_unknown(m->map, i);
	return m;
}

void role_map_close(struct role_map *m)
{
	if (m == NULL)
		return;
	service_map_close(m->map);
	if (m->mem != NULL)
		munmap(m->mem, m->len);
	free(m);
}
