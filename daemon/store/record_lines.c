/* See record_lines.h. */
#include "store/record_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { BLOCK = 256 << 10 };

struct record_lines {
	FILE *file;
	ZSTD_DStream *zstd; /* NULL: plain */
	struct buf in, out;
	size_t in_at, out_at, scanned;     /* scanned: no line end before it */
	bool started, ended, inside, full; /* inside: a frame is not complete; full: zstd may hold more */
	const char *torn;
};

struct record_lines *record_lines_open(const char *path, struct error *err)
{
	bool in = strcmp(path, "-") == 0;
	FILE *f = in ? stdin : fopen(path, "re");
	struct record_lines *l;

	if (f == NULL) {
		error_set(err, "cannot read '%s': %s", path, strerror(errno));
		return NULL;
	}
	l = xcalloc(1, sizeof *l);
	l->file = f;
	return l;
}

void record_lines_close(struct record_lines *l)
{
	if (l == NULL)
		return;
	if (l->file != stdin)
		fclose(l->file);
	ZSTD_freeDStream(l->zstd);
	buf_free(&l->in);
	buf_free(&l->out);
	free(l);
}

const char *record_lines_torn(const struct record_lines *l)
{
	return l->torn;
}

static void read_block(struct record_lines *l, struct buf *to)
{
	size_t n;

	buf_reserve(to, BLOCK);
	n = fread(to->p + to->n, 1, BLOCK, l->file);
	to->n += n;
	if (n == 0) {
		l->ended = true;
		if (ferror(l->file))
			l->torn = "it cannot be read to its end";
	}
}

/* A frame, or a skippable one (RFC 8878, section 3.1). */
static bool is_zstd(const struct buf *b)
{
	struct reader r = reader_of(buf_slice(b));
	uint32_t magic = read_u32(&r);

	return r.ok && (magic == ZSTD_MAGICNUMBER || (magic & 0xfffffff0u) == 0x184D2A50u);
}

static void start(struct record_lines *l)
{
	l->started = true;
	read_block(l, &l->in);
	if (is_zstd(&l->in)) {
		l->zstd = ZSTD_createDStream();
		BUG_ON(l->zstd == NULL);
	} else {
		buf_adds(&l->out, buf_slice(&l->in));
		buf_free(&l->in);
	}
}

/* More plain octets behind l->out; false: there are no more. */
static bool inflate_more(struct record_lines *l)
{
	ZSTD_inBuffer in;
	ZSTD_outBuffer out;
	size_t rc;

	if (l->in_at == l->in.n && !l->full) {
		buf_clear(&l->in);
		l->in_at = 0;
		if (!l->ended)
			read_block(l, &l->in);
		if (l->in.n == 0) {
			if (l->inside && l->torn == NULL)
				l->torn = "its last frame is not complete";
			return false;
		}
	}
	buf_reserve(&l->out, BLOCK);
	in = (ZSTD_inBuffer){l->in.p, l->in.n, l->in_at};
	out = (ZSTD_outBuffer){l->out.p, l->out.n + BLOCK, l->out.n};
	rc = ZSTD_decompressStream(l->zstd, &out, &in);
	if (ZSTD_isError(rc)) {
		l->torn = "a part of it is damaged";
		return false;
	}
	l->inside = rc != 0;
	l->in_at = in.pos;
	l->full = out.pos == out.size;
	l->out.n = out.pos;
	return true;
}

static bool more(struct record_lines *l)
{
	size_t before = l->out.n;

	if (l->torn != NULL)
		return false;
	if (l->zstd != NULL)
		return inflate_more(l);
	if (!l->ended)
		read_block(l, &l->out);
	return l->out.n > before;
}

static void drop_used(struct record_lines *l)
{
	if (l->out_at == 0)
		return;
	buf_consume(&l->out, l->out_at);
	l->scanned -= l->out_at;
	l->out_at = 0;
}

bool record_lines_next(struct record_lines *l, struct slice *line)
{
	const char *end;

	if (!l->started)
		start(l);
	while ((end = l->scanned < l->out.n ? memchr(l->out.p + l->scanned, '\n', l->out.n - l->scanned)
	                                    : NULL) == NULL) {
		l->scanned = l->out.n;
		drop_used(l);
		if (l->out.n > RECORD_LINE_MAX)
			l->torn = "a line is too long";
		if (more(l))
			continue;
		*line = buf_slice(&l->out);
		l->out_at = l->scanned = l->out.n;
		return line->n > 0 && l->zstd == NULL && l->torn == NULL;
	}
	*line = slice_of(l->out.p + l->out_at, (size_t)(end - l->out.p) - l->out_at);
	l->out_at = l->scanned = (size_t)(end - l->out.p) + 1;
	return true;
}
