/* Promises one owner of the state directory, and that recovery sees exactly what was committed. Must not know
 * what an input means. */
#include "store/store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { SEGMENT_ROWS = 500000, SEGMENT_BYTES = 256 << 20 };

/* ---- opening */

static int open_dir(struct store *s, struct error *err)
{
	if (mkdir(s->dir, 0750) != 0 && errno != EEXIST)
		return error_set(err, "cannot make the state directory %s: %s", s->dir, strerror(errno));
	s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return error_set(err, "cannot open the state directory %s: %s", s->dir, strerror(errno));
	s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (s->lock_fd < 0)
		return error_set(err, "cannot open %s/lock: %s", s->dir, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return error_set(err, "%s is in use by another carillond: stop it or set state.path", s->dir);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

/* "events-<n>.db" */
static bool segment_number(const char *name, uint64_t *out)
{
	struct slice s = slice_str(name);
	int64_t n;
	if (!slice_starts(s, SLICE("events-")) || !slice_ends(s, SLICE(".db")) || s.n < 11)
		return false;
	if (!slice_int(slice_sub(s, 7, s.n - 10), &n) || n < 1)
		return false;
	*out = (uint64_t)n;
	return true;
}

static int find_segments(struct store *s, struct error *err)
{
	uint64_t n;
	DIR *d = opendir(s->dir);
	if (d == NULL)
		return error_set(err, "cannot read %s: %s", s->dir, strerror(errno));
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		if (!segment_number(e->d_name, &n))
			continue;
		s->segments =
		    array_reserve(s->segments, &s->cap_segments, s->n_segments + 1, sizeof *s->segments);
		s->segments[s->n_segments++] = n;
	}
	closedir(d);
	if (s->n_segments > 0)
		qsort(s->segments, s->n_segments, sizeof *s->segments, by_number);
	return 0;
}

static int open_all(struct store *s, struct error *err)
{
	if (open_dir(s, err) != 0 || find_segments(s, err) != 0)
		return -1;
	s->state = state_db_open(s->dir, err);
	if (s->state == NULL)
		return -1;
	s->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->notify = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->kick >= 0 && s->notify >= 0 ? 0 : error_set(err, "eventfd: %s", strerror(errno));
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void destroy(struct store *s)
{
	segment_close(s->current);
	state_db_close(s->state);
	queue_free(&s->q);
	close_fd(s->kick);
	close_fd(s->notify);
	hmap_free(s->fresh);
	hmap_free(s->kept);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->files);
	free(s->segments);
	free(s->dir);
	close_fd(s->dir_fd);
	close_fd(s->lock_fd); /* last: the directory is free only now */
	s->magic = 0;
	free(s);
}

struct store *store_open(const struct store_options *o, struct error *err)
{
	struct store *s = xcalloc(1, sizeof *s);
	BUG_ON(o->dir == NULL || o->commit < 0);
	s->magic = STORE_MAGIC;
	s->o = *o;
	s->o.segment_rows = o->segment_rows > 0 ? o->segment_rows : SEGMENT_ROWS;
	s->o.segment_bytes = o->segment_bytes > 0 ? o->segment_bytes : SEGMENT_BYTES;
	s->dir = xstrdup(o->dir);
	s->o.dir = s->dir;
	s->lock_fd = s->dir_fd = s->kick = s->notify = -1;
	s->fresh = hmap_new();
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->files, NULL);
	if (open_all(s, err) == 0)
		return s;
	destroy(s);
	return NULL;
}

/* ---- recovery */

struct counting {
	struct store_recovery *r;
};

static int count_row(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload,
                     struct error *err)
{
	struct store_recovery *r = ((struct counting *)arg)->r;
	r->rows++;
	return r->row(r->arg, seq, at, kind, payload, err);
}

/* Segment `i`; *last is the highest row so far. The last segment stays open for writing. */
static int recover_segment(struct store *s, size_t i, struct store_recovery *r, uint64_t snapshot,
                           struct error *err)
{
	struct counting c = {r};
	bool is_last = i + 1 == s->n_segments, cut;
	struct segment *g = segment_open(s->dir, s->segments[i], is_last, err);
	if (g == NULL)
		return -1;
	int rc = 0;
	bool overlaps = r->last > snapshot && segment_first(g) <= r->last;
	if (segment_rows(g) > 0 && (segment_first(g) > r->last + 1 || overlaps))
		rc = error_set(err, "the journal has no row %llu: restore %s or move it away",
		               (unsigned long long)r->last + 1, s->dir);
	if (rc == 0)
		rc = segment_scan(g, snapshot, is_last, count_row, &c, &cut, err);
	r->last = MAX(r->last, segment_last(g));
	if (rc == 0 && is_last && segment_rows(g) > 0 && segment_last(g) == r->last)
		s->current = g;
	else
		segment_close(g);
	return rc;
}

/* A crash between making a segment and its first row leaves it empty; one that ends before the snapshot is of
 * no use. */
static void forget_last_segment(struct store *s)
{
	if (s->n_segments > 0 && s->current == NULL)
		segment_unlink(s->dir, s->segments[--s->n_segments]);
}

static size_t first_needed(const struct store *s, uint64_t snapshot)
{
	size_t i = 0;
	while (i + 1 < s->n_segments && s->segments[i + 1] <= snapshot + 1)
		i++;
	return i;
}

int store_recover(struct store *s, struct store_recovery *r, struct error *err)
{
	struct buf blob = {0};
	uint64_t seq = 0;
	BUG_ON(s->magic != STORE_MAGIC || s->recovered);
	r->rows = r->last = 0;
	int rc = state_db_load(s->state, &seq, &blob, err);
	if (rc == 0)
		rc = r->snapshot(r->arg, seq, seq > 0 ? buf_slice(&blob) : SLICE_NONE, err);
	buf_free(&blob);
	r->last = seq;
	for (size_t i = first_needed(s, seq); rc == 0 && i < s->n_segments; i++)
		rc = recover_segment(s, i, r, seq, err);
	if (rc != 0)
		return -1;
	forget_last_segment(s);
	atomic_store(&s->snapshot_seq, seq);
	atomic_store(&s->committed, r->last);
	s->next = r->last + 1;
	s->recovered = true;
	return 0;
}

int store_start(struct store *s, struct error *err)
{
	sigset_t all, old;
	BUG_ON(s->magic != STORE_MAGIC || !s->recovered || s->started);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&s->thread, NULL, writer_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return error_set(err, "cannot start the store's writer: %s", strerror(rc));
	s->started = true;
	return 0;
}

/* ---- what core asks */

uint64_t store_committed(const struct store *s)
{
	return atomic_load(&s->committed);
}

uint64_t store_backlog(const struct store *s)
{
	return atomic_load_explicit(&s->backlog, memory_order_relaxed);
}

uint64_t store_snapshot_seq(const struct store *s)
{
	return atomic_load(&s->snapshot_seq);
}

int store_notify_fd(const struct store *s)
{
	return s->notify;
}

void store_notify_clear(struct store *s)
{
	eventfd_t n;
	(void)eventfd_read(s->notify, &n);
}

bool store_failed(const struct store *s, struct error *err)
{
	if (!atomic_load(&s->failed))
		return false;
	if (err != NULL)
		*err = s->error; /* written once, before `failed` */
	return true;
}

static void end_writer(struct store *s)
{
	if (!s->started)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	pthread_mutex_unlock(&s->lock);
	(void)eventfd_write(s->kick, 1);
	int rc = pthread_join(s->thread, NULL);
	BUG_ON(rc != 0);
	s->started = false;
}

int store_stop(struct store *s, struct error *err)
{
	BUG_ON(s->magic != STORE_MAGIC);
	end_writer(s);
	return store_failed(s, err) ? -1 : 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	BUG_ON(s->magic != STORE_MAGIC);
	end_writer(s);
	destroy(s);
}
