/* See record_writer.h. */
#include "store/record_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 1, PLAIN_MAX = 8 << 20 };

struct record_writer {
	int fd;
	uint64_t max_size, written;
	double rate, tokens;
	instant tokens_at;
	bool paused, broken;
	struct buf plain, packed;
	ZSTD_CCtx *zstd;
	uint32_t items;
	instant first, last;
	struct record_figures figures;
};

struct record_writer *record_writer_new(void)
{
	struct record_writer *w = xcalloc(1, sizeof *w);

	w->fd = -1;
	w->zstd = ZSTD_createCCtx();
	BUG_ON(w->zstd == NULL);
	BUG_ON(ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL)));
	BUG_ON(ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1)));
	w->tokens_at = INSTANT_NONE;
	return w;
}

void record_writer_free(struct record_writer *w)
{
	if (w == NULL)
		return;
	record_writer_file(w, -1);
	ZSTD_freeCCtx(w->zstd);
	buf_free(&w->plain);
	buf_free(&w->packed);
	free(w);
}

/* ---- frames */

static bool write_all(int fd, struct slice s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = slice_sub(s, (size_t)n, SIZE_MAX);
	}
	return true;
}

static void put_index(struct buf *b, const struct record_writer *w, size_t packed)
{
	buf_u32(b, RECORD_INDEX_MAGIC);
	buf_u32(b, RECORD_INDEX_SIZE - 8);
	buf_add(b, "CRX1", 4);
	buf_u32(b, w->items);
	buf_u64(b, (uint64_t)w->first);
	buf_u64(b, (uint64_t)w->last);
	buf_u32(b, (uint32_t)packed);
	buf_u32(b, (uint32_t)w->plain.n);
}

static void pack(struct record_writer *w)
{
	struct buf head = {0};
	size_t n;

	buf_clear(&w->packed);
	buf_reserve(&w->packed, RECORD_INDEX_SIZE + ZSTD_compressBound(w->plain.n));
	n = ZSTD_compress2(w->zstd, w->packed.p + RECORD_INDEX_SIZE, ZSTD_compressBound(w->plain.n),
	                   w->plain.p, w->plain.n);
	BUG_ON(ZSTD_isError(n));
	put_index(&head, w, n);
	BUG_ON(head.n != RECORD_INDEX_SIZE);
	memcpy(w->packed.p, head.p, head.n);
	w->packed.n = head.n + n;
	buf_free(&head);
}

void record_writer_flush(struct record_writer *w)
{
	if (w->items == 0)
		return;
	if (w->fd >= 0 && !w->broken) {
		pack(w);
		w->broken = !write_all(w->fd, buf_slice(&w->packed));
		w->written += w->packed.n;
	}
	if (w->fd < 0 || w->broken) {
		w->figures.errors += w->broken;
		w->figures.skipped += w->items;
	} else {
		w->figures.items += w->items;
		w->figures.octets += w->packed.n;
	}
	buf_clear(&w->plain);
	w->items = 0;
}

void record_writer_file(struct record_writer *w, int fd)
{
	record_writer_flush(w);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	w->written = 0;
	w->broken = false;
}

void record_writer_limits(struct record_writer *w, double rate, uint64_t max_size)
{
	w->rate = rate;
	w->max_size = max_size;
}

/* ---- items */

static void append(struct record_writer *w, const struct record_item *it)
{
	if (w->items++ == 0)
		w->first = it->received;
	w->last = it->received;
	record_item_write(it, &w->plain);
}

void record_writer_gap(struct record_writer *w, instant at)
{
	if (w->fd < 0)
		return;
	w->figures.gaps++;
	append(w, &(struct record_item){.received = at, .gap = true});
}

/* A bucket that holds a second's items. Once empty it must be half full again: a recording with few long gaps
 * is of more use than one with holes everywhere. */
static bool within_rate(struct record_writer *w, instant now)
{
	if (w->tokens_at == INSTANT_NONE)
		w->tokens = w->rate;
	else if (now > w->tokens_at)
		w->tokens = MIN(w->rate, w->tokens + w->rate * (double)(now - w->tokens_at) / (double)SECOND);
	w->tokens_at = now;
	if (w->paused && w->tokens < w->rate / 2)
		return false;
	w->paused = false;
	if (w->tokens < 1) {
		w->paused = true;
		record_writer_gap(w, now);
		return false;
	}
	w->tokens -= 1;
	return true;
}

bool record_writer_add(struct record_writer *w, const struct record_item *it)
{
	BUG_ON(it->end || it->gap);
	if (w->fd < 0)
		return false;
	if (w->broken || w->plain.n > PLAIN_MAX || !within_rate(w, it->received)) {
		w->figures.skipped++;
		return false;
	}
	append(w, it);
	return true;
}

bool record_writer_waits(const struct record_writer *w)
{
	return w->items > 0;
}

bool record_writer_is_big(const struct record_writer *w)
{
	return w->plain.n >= RECORD_FRAME;
}

bool record_writer_is_full(const struct record_writer *w)
{
	return w->fd >= 0 && (w->broken || w->written >= w->max_size);
}

bool record_writer_is_on(const struct record_writer *w)
{
	return w->fd >= 0;
}

struct record_figures record_writer_figures(const struct record_writer *w)
{
	return w->figures;
}
