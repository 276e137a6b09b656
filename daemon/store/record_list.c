/* Which segments there are: see record_set.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/record_set.h"
#include "store/record_writer.h"

void record_segment_name(instant start, unsigned intake, char out[64])
{
	snprintf(out, 64, "record-%017lld-%02u.zst", (long long)MAX(start, 0), intake);
}

bool record_segment_parse(const char *name, instant *start, unsigned *intake)
{
	struct slice rest = slice_str(name), part;
	int64_t at, number;

	if (!slice_starts(rest, SLICE("record-")) || !slice_ends(rest, SLICE(".zst")))
		return false;
	rest = slice_sub(rest, 7, rest.n - 11);
	if (!slice_split(&rest, '-', &part) || !slice_int(part, &at) || !slice_int(rest, &number))
		return false;
	if (at < 0 || number < 0 || number >= RECORD_INTAKES_MAX)
		return false;
	*start = at;
	*intake = (unsigned)number;
	return true;
}

static bool read_at(int fd, off_t at, unsigned char *p, size_t n)
{
	return pread(fd, p, n, at) == (ssize_t)n;
}

/* From index to index, without looking into the frames. */
static void scan_frames(struct record_segment *s, int fd)
{
	unsigned char head[RECORD_INDEX_SIZE];
	uint64_t at = 0;

	while (at < s->octets) {
		struct reader r = reader_of(slice_of(head, sizeof head));
		uint32_t items, packed;
		instant first, last;

		if (s->octets - at < sizeof head || !read_at(fd, (off_t)at, head, sizeof head) ||
		    read_u32(&r) != RECORD_INDEX_MAGIC || read_u32(&r) != RECORD_INDEX_SIZE - 8) {
			s->torn = true;
			return;
		}
		(void)read_u32(&r);
		items = read_u32(&r);
		first = (instant)read_u64(&r);
		last = (instant)read_u64(&r);
		packed = read_u32(&r);
		if (packed > s->octets - at - sizeof head) {
			s->torn = true;
			return;
		}
		s->first = s->first == INSTANT_NONE ? first : MIN(s->first, first);
		s->last = s->last == INSTANT_NONE ? last : MAX(s->last, last);
		s->items += items;
		at += sizeof head + packed;
	}
}

static void add(struct record_list *l, int dir, const char *name, bool scan)
{
	struct record_segment s = {.first = INSTANT_NONE, .last = INSTANT_NONE};
	struct stat st;
	int fd;

	if (!record_segment_parse(name, &s.start, &s.intake) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return;
	s.octets = (uint64_t)st.st_size;
	if (scan && (fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) >= 0) {
		scan_frames(&s, fd);
		close(fd);
	}
	s.name = xstrdup(name);
	l->v = array_reserve(l->v, &l->cap, l->n + 1, sizeof *l->v);
	l->v[l->n++] = s;
}

static int by_start(const void *x, const void *y)
{
	const struct record_segment *a = x, *b = y;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->intake > b->intake) - (a->intake < b->intake);
}

int record_list_read(struct record_list *l, const char *dir, bool scan, struct error *err)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	*l = (struct record_list){0};
	if (d == NULL)
		return errno == ENOENT ? 0 : error_set(err, "cannot read '%s': %s", dir, strerror(errno));
	while ((e = readdir(d)) != NULL)
		add(l, dirfd(d), e->d_name, scan);
	closedir(d);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, by_start);
	return 0;
}

void record_list_free(struct record_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
	*l = (struct record_list){0};
}
