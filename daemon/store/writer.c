/* The writer thread. Promises rows on disk before they are called committed, one transaction per window, and
 * that after the first failure nothing more is written. No clock is read: the window is a wait. */
#include "store/store_int.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum {
	WAL_IDLE = 1 << 20,  /* worth a checkpoint when there is nothing else to do */
	WAL_LIMIT = 16 << 20 /* a checkpoint is due even under load */
};
#define VIEW_DELAY (50 * MSEC)

struct writer {
	struct store *s;
	struct queue w;  /* taken; rows and snapshot are written at once */
	duration waited; /* how long view rows have waited */
	bool views_are_due, closing;
};

static void fail(struct store *s, const struct error *err)
{
	log_error("store_failed error=\"%s\"", err->text);
	pthread_mutex_lock(&s->lock);
	s->error = *err;
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->failed, true);
	(void)eventfd_write(s->notify, 1);
}

/* ---- waiting */

static void wait_kick(struct store *s, const struct timespec *max)
{
	struct pollfd p = {.fd = s->kick, .events = POLLIN};
	eventfd_t n;
	if (ppoll(&p, 1, max, NULL) > 0)
		(void)eventfd_read(s->kick, &n);
}

/* Waits for something to do and then for the commit window. */
static void wait_for_work(struct writer *w)
{
	struct store *s = w->s;
	struct timespec window = {s->o.commit / SECOND, s->o.commit % SECOND * 1000};
	for (;;) {
		pthread_mutex_lock(&s->lock);
		const struct queue *q = &s->q;
		bool any = q->n_rows > 0 || q->snapshot.keep != NULL || queue_views_any(&q->views);
		w->closing = s->closing;
		s->idle = !any && !w->closing;
		pthread_mutex_unlock(&s->lock);
		if (any || w->closing)
			break;
		wait_kick(s, NULL);
	}
	if (w->closing)
		return;
	wait_kick(s, &window);
	w->waited += MAX(s->o.commit, MSEC);
}

static void take(struct writer *w)
{
	struct store *s = w->s;
	pthread_mutex_lock(&s->lock);
	w->closing = s->closing;
	w->views_are_due = w->closing || s->q.snapshot.keep != NULL || w->waited >= VIEW_DELAY;
	struct buf spare = w->w.rows; /* its room is used again */
	buf_clear(&spare);
	w->w.rows = s->q.rows;
	w->w.n_rows = s->q.n_rows;
	w->w.snapshot = s->q.snapshot;
	s->q.rows = spare;
	s->q.n_rows = 0;
	s->q.snapshot = (struct queued_snapshot){0};
	if (w->views_are_due) {
		w->w.views = s->q.views;
		s->q.views = (struct queued_views){0};
		w->waited = 0;
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- journal */

static bool is_full(const struct store *s)
{
	return segment_rows(s->current) >= s->o.segment_rows ||
	       segment_bytes(s->current) >= s->o.segment_bytes;
}

static int next_segment(struct store *s, uint64_t first, struct error *err)
{
	segment_close(s->current);
	s->current = segment_open(s->dir, first, false, err);
	if (s->current == NULL)
		return -1;
	s->segments = array_reserve(s->segments, &s->cap_segments, s->n_segments + 1, sizeof *s->segments);
	s->segments[s->n_segments++] = first;
	return 0;
}

static int add_rows(struct store *s, struct buf *rows, uint64_t *last, struct error *err)
{
	for (size_t at = 0; at < rows->n;) {
		struct queued_row r;
		memcpy(&r, rows->p + at, sizeof r);
		char *blob = rows->p + at + sizeof r;
		segment_seal(r.seq, blob, r.n);
		if (segment_add(s->current, r.seq, slice_of(blob, r.n), err) != 0)
			return -1;
		*last = r.seq;
		at += sizeof r + (r.n + 7) / 8 * 8;
	}
	return 0;
}

static int write_rows(struct store *s, struct queue *w, struct error *err)
{
	struct queued_row first;
	uint64_t last = 0;
	if (w->n_rows == 0)
		return 0;
	memcpy(&first, w->rows.p, sizeof first);
	if ((s->current == NULL || is_full(s)) && next_segment(s, first.seq, err) != 0)
		return -1;
	if (segment_begin(s->current, err) != 0 || add_rows(s, &w->rows, &last, err) != 0 ||
	    segment_commit(s->current, err) != 0)
		return -1;
	BUG_ON(last < first.seq || last - first.seq + 1 != w->n_rows);
	atomic_store(&s->committed, last);
	atomic_fetch_sub(&s->backlog, w->n_rows);
	(void)eventfd_write(s->notify, 1);
	if (w->rows.cap > WAL_LIMIT)
		buf_free(&w->rows); /* the burst is over */
	return 0;
}

/* ---- snapshot and view rows */

/* A segment is of no use when the next one begins at or before the first row that recovery would read. */
static void drop_segments(struct store *s, uint64_t seq)
{
	size_t gone = 0;
	while (gone + 1 < s->n_segments && s->segments[gone + 1] <= seq + 1)
		segment_unlink(s->dir, s->segments[gone++]);
	s->n_segments -= gone;
	memmove(s->segments, s->segments + gone, s->n_segments * sizeof *s->segments);
}

static int write_snapshot(struct store *s, struct queue *w, struct error *err)
{
	struct queued_snapshot *q = &w->snapshot;
	if (q->keep == NULL)
		return 0;
	BUG_ON(q->seq > atomic_load(&s->committed));
	int rc = state_db_snapshot(s->state, q->seq, buf_slice(&q->blob), err);
	buf_free(&q->blob);
	if (rc != 0)
		return -1;
	drop_segments(s, q->seq);
	store_files_sweep(s, q->keep);
	q->keep = NULL;
	atomic_store(&s->snapshot_seq, q->seq);
	(void)eventfd_write(s->notify, 1);
	return 0;
}

static int write_views(struct store *s, struct queue *w, struct error *err)
{
	int rc;
	if (!queue_views_any(&w->views))
		return 0;
	rc = state_db_views_begin(s->state, err);
	if (rc == 0 && w->views.clear)
		rc = state_db_views_clear(s->state, err);
	for (size_t i = 0; rc == 0 && i < w->views.n_purges; i++)
		rc = state_db_views_purge(s->state, w->views.purges[i], err);
	for (size_t i = 0; rc == 0 && i < w->views.n; i++)
		rc = state_db_view(s->state, w->views.v[i], err);
	if (rc == 0)
		rc = state_db_views_end(s->state, err);
	queue_views_free(&w->views);
	return rc;
}

static int checkpoint(struct store *s, uint64_t limit, struct error *err)
{
	if (s->current != NULL && segment_wal(s->current) > limit && segment_checkpoint(s->current, err) != 0)
		return -1;
	return state_db_wal(s->state) > limit ? state_db_checkpoint(s->state, err) : 0;
}

/* Rows first: a view row may not speak of an input that is not on disk. View rows before the snapshot: what
 * it stands for is not replayed, so nobody would write them again. */
static int write_all(struct writer *w, struct error *err)
{
	struct store *s = w->s;
	if (write_rows(s, &w->w, err) != 0 || write_views(s, &w->w, err) != 0 ||
	    write_snapshot(s, &w->w, err) != 0)
		return -1;
	bool idle = atomic_load_explicit(&s->backlog, memory_order_relaxed) == 0;
	return checkpoint(s, idle ? WAL_IDLE : WAL_LIMIT, err);
}

void *writer_main(void *store)
{
	struct writer w = {.s = store};
	struct error err = {0};
	BUG_ON(w.s->magic != STORE_MAGIC);
	/* nothing is queued any more while closing: what is taken then is the rest */
	while (!w.closing) {
		wait_for_work(&w);
		take(&w);
		if (!atomic_load(&w.s->failed) && write_all(&w, &err) != 0)
			fail(w.s,
			     &err); /* never again: what the kernel dropped once, a second fsync would hide */
	}
	queue_free(&w.w);
	return NULL;
}
