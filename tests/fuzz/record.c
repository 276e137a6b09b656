/* A recording from anywhere: its lines end, none is longer than allowed, and an item that is taken is written and read again
 * unchanged. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/record_item.h"
#include "store/record_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(struct arena *a, struct slice line)
{
	struct record_item it, back;
	struct buf again = {0};
	struct error err;

	if (record_item_parse(a, line, &it, &err) != 0)
		return;
	BUG_ON(it.raw.p == NULL && !it.end && !it.gap);
	record_item_write(&it, &again);
	BUG_ON(record_item_parse(a, slice_trim(buf_slice(&again)), &back, &err) != 0);
	BUG_ON(back.received != it.received || back.end != it.end || !slice_eq(back.raw, it.raw));
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	int fd = memfd_create("record", MFD_CLOEXEC);
	struct record_lines *l;
	struct slice line;
	struct error err;
	size_t octets = 0;
	char path[64];

	BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	l = record_lines_open(path, &err);
	BUG_ON(l == NULL);
	while (octets < (8u << 20) && record_lines_next(l, &line)) {
		BUG_ON(memchr(line.p, '\n', line.n) != NULL);
		octets += line.n + 1;
		check_item(a, line);
		arena_reset(a);
	}
	record_lines_close(l);
	arena_free(a);
	close(fd);
	return 0;
}
