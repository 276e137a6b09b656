/* Bump allocator: many small things with one lifetime. Nothing is freed alone. */
#ifndef CARILLON_BASE_ARENA_H
#define CARILLON_BASE_ARENA_H

#include "base/mem.h"
#include "base/slice.h"

struct arena;

struct arena *arena_new(size_t block); /* 0: 64 KiB */
void arena_free(struct arena *a);
void arena_reset(struct arena *a);           /* keeps the first block for reuse */
void *arena_alloc(struct arena *a, size_t n); /* 16-byte aligned, zeroed */
void *arena_array(struct arena *a, size_t count, size_t size);
struct slice arena_slice(struct arena *a, struct slice s); /* copies and adds a NUL behind it */
char *arena_str(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/* The usual small texts without printf, which costs a decoder more than all the rest: decimal numbers, two parts as one. */
struct slice arena_number(struct arena *a, int64_t v);
struct slice arena_unsigned(struct arena *a, uint64_t v);
struct slice arena_join(struct arena *a, struct slice first, struct slice second);
size_t arena_bytes(const struct arena *a); /* memory held, used or not */

#endif
