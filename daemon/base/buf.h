/* Growable bytes, and a checked cursor over bytes of others. */
#ifndef CARILLON_BASE_BUF_H
#define CARILLON_BASE_BUF_H

#include "base/mem.h"
#include "base/slice.h"

struct buf {
	char *p;
	size_t n, cap;
};

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, struct slice s);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_u8(struct buf *b, uint8_t v); /* the buf_u* are little-endian */
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_f64(struct buf *b, double v);
void buf_lslice(struct buf *b, struct slice s); /* u32 length (UINT32_MAX for absent) and bytes */
void buf_align(struct buf *b, size_t to);       /* zero padding up to a multiple of `to` */
void buf_consume(struct buf *b, size_t n);      /* drops n bytes at the front */
static inline void buf_clear(struct buf *b)
{
	b->n = 0;
}
void buf_free(struct buf *b);
static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){b->p, b->n};
}
const char *buf_cstr(struct buf *b); /* NUL behind the bytes, not counted */

/* Reads what the functions above wrote. After the first short read every further one gives zero and `ok` is false. */
struct reader {
	const unsigned char *p;
	size_t n, at;
	bool ok;
};
struct reader reader_of(struct slice s);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
double read_f64(struct reader *r);
struct slice read_bytes(struct reader *r, size_t n);
struct slice read_lslice(struct reader *r);
void read_align(struct reader *r, size_t to);

#endif
