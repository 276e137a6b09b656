/* Promises bytes that grow, and reads that never leave their input. Must not know what the bytes mean. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_reserve(struct buf *b, size_t more)
{
	BUG_ON(more >= SIZE_MAX - b->n);
	/* one octet more than asked: buf_cstr never moves what buf_reserve promised */
	b->p = array_reserve(b->p, &b->cap, b->n + more + 1, 1);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	BUG_ON(p == NULL);
	buf_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_adds(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	BUG_ON(n < 0);
	buf_reserve(b, (size_t)n + 1);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	va_end(again);
	b->n += (size_t)n;
}

void buf_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, 1);
}

static void put_le(struct buf *b, uint64_t v, size_t n)
{
	unsigned char le[8];
	for (size_t i = 0; i < n; i++)
		le[i] = (unsigned char)(v >> (8 * i));
	buf_add(b, le, n);
}

void buf_u16(struct buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void buf_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void buf_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void buf_f64(struct buf *b, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	put_le(b, bits, 8);
}

void buf_lslice(struct buf *b, struct slice s)
{
	BUG_ON(s.n >= UINT32_MAX);
	buf_u32(b, s.p != NULL ? (uint32_t)s.n : UINT32_MAX);
	if (s.p != NULL)
		buf_adds(b, s);
}

void buf_align(struct buf *b, size_t to)
{
	BUG_ON(to == 0);
	while (b->n % to != 0)
		buf_char(b, '\0');
}

void buf_consume(struct buf *b, size_t n)
{
	BUG_ON(n > b->n);
	if (n > 0 && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

const char *buf_cstr(struct buf *b)
{
	buf_reserve(b, 0);
	b->p[b->n] = '\0';
	return b->p;
}

struct reader reader_of(struct slice s)
{
	return (struct reader){.p = (const unsigned char *)s.p, .n = s.p != NULL ? s.n : 0, .ok = true};
}

static const unsigned char *take(struct reader *r, size_t n)
{
	BUG_ON(r->at > r->n);
	if (!r->ok || n > r->n - r->at) {
		r->ok = false;
		return NULL;
	}
	const unsigned char *p = r->p != NULL ? r->p + r->at : NULL;
	r->at += n;
	return p;
}

static uint64_t get_le(struct reader *r, size_t n)
{
	const unsigned char *p = take(r, n);
	uint64_t v = 0;
	for (size_t i = n; p != NULL && i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)get_le(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)get_le(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return get_le(r, 8);
}

double read_f64(struct reader *r)
{
	uint64_t bits = get_le(r, 8);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

struct slice read_bytes(struct reader *r, size_t n)
{
	const unsigned char *p = take(r, n);
	return p != NULL ? slice_of(p, n) : SLICE_NONE;
}

struct slice read_lslice(struct reader *r)
{
	uint32_t n = read_u32(r);
	if (!r->ok || n == UINT32_MAX)
		return SLICE_NONE;
	return read_bytes(r, n);
}

void read_align(struct reader *r, size_t to)
{
	BUG_ON(to == 0);
	size_t over = r->at % to;
	if (over != 0)
		take(r, to - over);
}
