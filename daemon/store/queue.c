/* Promises that what is handed over is copied once, rows in order, view rows once per id. Core's side of the
 * writer. */
#include "store/store_int.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BIG = 8 << 20, ALIGN = 8 };

void queue_views_free(struct queued_views *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	for (size_t i = 0; i < v->n_purges; i++)
		free(v->purges[i]);
	free(v->purges);
	hmap_free(v->index);
	*v = (struct queued_views){0};
}

bool queue_views_any(const struct queued_views *v)
{
	return v->n > 0 || v->clear || v->n_purges > 0;
}

void queue_free(struct queue *q)
{
	buf_free(&q->rows);
	buf_free(&q->snapshot.blob);
	hmap_free(q->snapshot.keep);
	queue_views_free(&q->views);
	*q = (struct queue){0};
}

/* With the lock held. The writer is woken only when it sleeps for good or when waiting longer would cost
 * memory. */
static bool must_kick(struct store *s, bool big)
{
	bool kick = s->idle || big;
	s->idle = false;
	return kick;
}

static void unlock(struct store *s, bool kick)
{
	pthread_mutex_unlock(&s->lock);
	if (kick)
		(void)eventfd_write(s->kick, 1);
}

void store_append(struct store *s, uint64_t seq, instant at, uint16_t kind, struct slice payload)
{
	static const char zero[ALIGN] = {0};
	char head[SEGMENT_HEAD];
	BUG_ON(s->magic != STORE_MAGIC || !s->started || seq != s->next);
	s->next++;
	if (atomic_load_explicit(&s->failed, memory_order_relaxed))
		return; /* nothing later is on disk */
	struct queued_row row = {.seq = seq, .n = SEGMENT_HEAD + payload.n};
	segment_head(head, at, kind);
	atomic_fetch_add_explicit(&s->backlog, 1, memory_order_relaxed);
	pthread_mutex_lock(&s->lock);
	struct buf *b = &s->q.rows;
	size_t before = b->n;
	buf_reserve(b, sizeof row + row.n + ALIGN);
	buf_add(b, &row, sizeof row);
	buf_add(b, head, sizeof head);
	buf_adds(b, payload);
	buf_add(b, zero, (ALIGN - row.n % ALIGN) % ALIGN);
	s->q.n_rows++;
	unlock(s, must_kick(s, before < BIG && b->n >= BIG));
}

static struct hmap *names(const char *const *keep, size_t n)
{
	struct hmap *m = hmap_new();
	for (size_t i = 0; i < n; i++)
		(void)hmap_put(m, slice_str(keep[i]), m);
	return m;
}

/* What was put since the last snapshot may be named by rows that come after this one. */
static void keep_fresh(struct store *s, struct hmap *keep)
{
	struct slice key;
	void *value;
	pthread_mutex_lock(&s->files);
	for (size_t i = 0; hmap_next(s->fresh, &i, &key, &value);)
		(void)hmap_put(keep, key, keep);
	hmap_clear(s->fresh);
	pthread_mutex_unlock(&s->files);
}

void store_snapshot(struct store *s, uint64_t seq, struct slice blob, const char *const *keep, size_t n_keep)
{
	BUG_ON(s->magic != STORE_MAGIC || !s->started || seq >= s->next);
	if (atomic_load_explicit(&s->failed, memory_order_relaxed))
		return;
	struct queued_snapshot q = {.seq = seq, .keep = names(keep, n_keep)};
	keep_fresh(s, q.keep);
	buf_adds(&q.blob, blob);
	pthread_mutex_lock(&s->lock);
	struct queued_snapshot old = s->q.snapshot; /* not written yet: the newer one stands for it */
	if (old.keep != NULL) {
		struct slice key;
		void *value;
		for (size_t i = 0; hmap_next(old.keep, &i, &key, &value);)
			(void)hmap_put(q.keep, key, q.keep);
	}
	s->q.snapshot = q;
	unlock(s, must_kick(s, false));
	buf_free(&old.blob);
	hmap_free(old.keep);
}

/* ---- view rows */

static struct slice place(char **at, struct slice s)
{
	if (s.p == NULL)
		return s;
	char *p = *at;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*at += s.n;
	return slice_of(p, s.n);
}

static struct view_row *copy_row(const struct view_row *row)
{
	struct view_row *c = xmalloc(sizeof *c + row->id.n + row->parent.n + row->state.n + row->json.n + 1);
	char *at = (char *)(c + 1);
	*c = *row;
	c->id = place(&at, row->id);
	c->parent = place(&at, row->parent);
	c->state = place(&at, row->state);
	c->json = place(&at, row->json);
	return c;
}

/* Takes `row`; gives back the one that it replaces, or NULL. */
static struct view_row *views_put(struct queued_views *v, struct slice key, struct view_row *row)
{
	if (v->index == NULL)
		v->index = hmap_new();
	uintptr_t at = (uintptr_t)hmap_get(v->index, key);
	if (at > 0) {
		struct view_row *old = v->v[at - 1];
		v->v[at - 1] = row;
		return old;
	}
	v->v = array_reserve(v->v, &v->cap, v->n + 1, sizeof *v->v);
	v->v[v->n++] = row;
	(void)hmap_put(v->index, key, (void *)(uintptr_t)v->n);
	return NULL;
}

void store_view(struct store *s, const struct view_row *row)
{
	BUG_ON(s->magic != STORE_MAGIC || row->id.p == NULL || row->kind < VIEW_ALERT ||
	       row->kind > VIEW_SILENCE);
	if (atomic_load_explicit(&s->failed, memory_order_relaxed))
		return;
	struct view_row *copy = copy_row(row);
	struct buf key = {0};
	buf_u8(&key, (uint8_t)row->kind);
	buf_adds(&key, row->id);
	pthread_mutex_lock(&s->lock);
	struct view_row *old = views_put(&s->q.views, buf_slice(&key), copy);
	unlock(s, must_kick(s, false));
	free(old);
	buf_free(&key);
}

void store_view_clear(struct store *s)
{
	BUG_ON(s->magic != STORE_MAGIC);
	if (atomic_load_explicit(&s->failed, memory_order_relaxed))
		return;
	pthread_mutex_lock(&s->lock);
	queue_views_free(&s->q.views);
	s->q.views.clear = true;
	unlock(s, must_kick(s, false));
}

void store_view_purge(struct store *s, const struct view_purge *p)
{
	BUG_ON(s->magic != STORE_MAGIC || p->kind < VIEW_ALERT || p->kind > VIEW_SILENCE);
	if (atomic_load_explicit(&s->failed, memory_order_relaxed))
		return;
	struct view_purge *c = xmalloc(sizeof *c + p->state.n + p->below.n + 1);
	char *at = (char *)(c + 1);
	*c = *p;
	c->state = place(&at, p->state);
	c->below = place(&at, p->below);
	pthread_mutex_lock(&s->lock);
	struct queued_views *v = &s->q.views;
	v->purges = array_reserve(v->purges, &v->cap_purges, v->n_purges + 1, sizeof *v->purges);
	v->purges[v->n_purges++] = c;
	unlock(s, must_kick(s, false));
}
