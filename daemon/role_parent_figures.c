/* The process_* figures of observability.md section 1, summed over the roles: the parent alone may look into /proc. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl/files.h"
#include "role_parent.h"

struct figures {
	uint64_t pages, pages_resident, ticks, fds;
};

/* Field `n` of /proc/PID/stat counted from the state, which is 3; what stands before may hold blanks. */
static uint64_t stat_field(struct slice stat, unsigned n)
{
	struct slice field = SLICE_NONE;
	int64_t value = 0;

	for (unsigned i = 3; i <= n; i++)
		if (!slice_split(&stat, ' ', &field))
			return 0;
	return slice_int(field, &value) && value > 0 ? (uint64_t)value : 0;
}

static bool read_proc(pid_t pid, const char *name, struct buf *out)
{
	char path[64];
	struct error err;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	buf_clear(out);
	return files_slurp(path, 8192, out, &err) == 0;
}

static uint64_t count_fds(pid_t pid)
{
	char path[64];
	uint64_t n = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	d = opendir(path);
	if (d == NULL)
		return 0;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void add_process(struct figures *f, pid_t pid, bool with_dead)
{
	struct buf b = {0};

	if (read_proc(pid, "stat", &b)) {
		const char *end = memrchr(b.p, ')', b.n);
		struct slice rest = end != NULL ? slice_sub(buf_slice(&b), (size_t)(end - b.p) + 2, SIZE_MAX) : SLICE("");

		/* utime, stime; the parent's cutime, cstime are those of roles that have ended */
		f->ticks += stat_field(rest, 14) + stat_field(rest, 15);
		if (with_dead)
			f->ticks += stat_field(rest, 16) + stat_field(rest, 17);
		f->pages += stat_field(rest, 23) / (uint64_t)sysconf(_SC_PAGESIZE);
		f->pages_resident += stat_field(rest, 24);
	}
	f->fds += count_fds(pid);
	buf_free(&b);
}

static void put(struct parent *p, const char *name, uint64_t value)
{
	counter_set(counter(p->counters, name, ""), value);
}

void parent_figures(struct parent *p)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct figures f = {0};
	struct rlimit files;

	add_process(&f, getpid(), true);
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].pid > 0)
			add_process(&f, p->children[i].pid, false);
	put(p, "process_cpu_seconds_total", f.ticks * (SECOND / hz));
	put(p, "process_virtual_memory_bytes", f.pages * page);
	put(p, "process_resident_memory_bytes", f.pages_resident * page);
	put(p, "process_open_fds", f.fds);
	put(p, "process_start_time_seconds", (uint64_t)(p->started / SECOND));
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		put(p, "process_max_fds", files.rlim_cur);
	counter_set(counter(p->counters, "carillon_build_info", "version=\"" CARILLON_VERSION "\""), 1);
}
