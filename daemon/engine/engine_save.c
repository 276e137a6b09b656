/* Promises the frame of a saved engine: magic, version, time, numbers, timers, then each half's part, and a
 * checksum at the end. Timers are written in the order in which they will come out, so that equal engines
 * give equal bytes whatever shape their heaps have. */
#include "engine/during.h"
#include "engine/silence.h"

#include <stdlib.h>

enum { SAVE_MAGIC = 0xca5e, SAVE_VERSION = 14, TIMER_OCTETS = 20 };

static int by_time(const void *x, const void *y)
{
	const struct heap_item *a = x, *b = y;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void put_timers(const struct heap *h, struct buf *out)
{
	struct heap_item *v = xcalloc(MAX(h->n, 1), sizeof *v);
	if (h->n > 0) {
		memcpy(v, h->v, h->n * sizeof *v);
		qsort(v, h->n, sizeof *v, by_time);
	}
	buf_u64(out, h->n);
	for (size_t i = 0; i < h->n; i++) {
		buf_u64(out, (uint64_t)v[i].at);
		buf_u32(out, v[i].kind);
		buf_u64(out, v[i].object);
	}
	free(v);
}

static bool get_timers(struct reader *r, struct heap *h)
{
	uint64_t n = read_u64(r);
	if (n > (r->n - r->at) / TIMER_OCTETS)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		instant at = (instant)read_u64(r);
		uint32_t kind = read_u32(r);
		uint64_t object = read_u64(r);
		if (kind >= TIMER_KINDS)
			return false;
		heap_push(h, at, kind, object);
	}
	return r->ok;
}

static void put_stats(const struct engine_stats *s, struct buf *out)
{
	const uint64_t v[] = {s->opened,    s->reopened,          s->merged, s->resolved,
	                      s->transient, s->unresolved_events, s->evicted};
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		buf_u64(out, v[i]);
}

static void get_stats(struct reader *r, struct engine_stats *s)
{
	uint64_t *const v[] = {&s->opened,    &s->reopened,          &s->merged, &s->resolved,
	                       &s->transient, &s->unresolved_events, &s->evicted};
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		*v[i] = read_u64(r);
}

void engine_save(const struct engine *e, struct buf *out)
{
	size_t start = out->n;
	BUG_ON(e->fx != NULL);
	buf_u32(out, SAVE_MAGIC);
	buf_u32(out, SAVE_VERSION);
	buf_u64(out, (uint64_t)e->now);
	buf_u64(out, e->seq);
	buf_u64(out, e->serial);
	buf_add(out, e->map_rev, sizeof e->map_rev);
	put_stats(&e->stats, out);
	put_timers(&e->timers, out);
	during_save(e, out);
	silences_save(e, out);
	windows_save(e, out);
	correlation_save(e, out);
	buf_u32(out, crc32c(0, out->p + start, out->n - start));
}

static bool get_head(struct reader *r, struct engine *e, struct error *err)
{
	uint32_t magic = read_u32(r), version = read_u32(r);
	if (!r->ok || magic != SAVE_MAGIC || version != SAVE_VERSION)
		return error_set(err,
		                 "the saved state has another format (version %u, this program reads %u)",
		                 version, (unsigned)SAVE_VERSION) == 0;
	e->now = (instant)read_u64(r);
	e->seq = read_u64(r);
	e->serial = read_u64(r);
	struct slice rev = read_bytes(r, sizeof e->map_rev);
	if (r->ok)
		memcpy(e->map_rev, rev.p, sizeof e->map_rev - 1);
	get_stats(r, &e->stats);
	return true;
}

static bool check_sum(struct slice bytes, struct error *err)
{
	if (bytes.n >= 4) {
		struct reader tail = reader_of(slice_sub(bytes, bytes.n - 4, 4));
		if (read_u32(&tail) == crc32c(0, bytes.p, bytes.n - 4))
			return true;
	}
	return error_set(err, "the saved state is damaged: its checksum does not fit") == 0;
}

struct engine *engine_load(const struct engine_setup *s, struct slice bytes, struct error *err)
{
	if (!check_sum(bytes, err))
		return NULL;
	struct reader r = reader_of(slice_sub(bytes, 0, bytes.n - 4));
	struct engine *e = engine_new(s);
	if (!get_head(&r, e, err))
		goto bad;
	if (get_timers(&r, &e->timers) && during_load(e, &r) && silences_load(e, &r) && windows_load(e, &r) && correlation_load(e, &r) && r.ok &&
	    r.at == r.n)
		return e;
	error_set(err, "the saved state is damaged near octet %zu", r.at);
bad:
	engine_free(e);
	return NULL;
}
