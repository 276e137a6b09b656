/* Promises aligned, zeroed memory that lives until the arena is freed or reset. Must not know what lies in
 * it. Under the address sanitizer what was not handed out is poisoned, so that an over-read is seen here too.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
enum { GAP = 0 };
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, DEFAULT_BLOCK = 64 * 1024 };

struct block {
	struct block *next;
	size_t cap, used;
	_Alignas(ALIGN) char mem[];
};

struct arena {
	struct block *first; /* kept over a reset */
	struct block *now;   /* where small things go */
	size_t block_size;
	size_t bytes;
};

static struct block *block_new(struct arena *a, size_t cap)
{
	BUG_ON(cap > SIZE_MAX - sizeof(struct block));
	struct block *b = xmalloc(sizeof *b + cap);
	*b = (struct block){.cap = cap};
	a->bytes += sizeof *b + cap;
	POISON(b->mem, cap);
	return b;
}

struct arena *arena_new(size_t block)
{
	struct arena *a = xcalloc(1, sizeof *a);
	a->block_size = block > 0 ? block : DEFAULT_BLOCK;
	a->first = a->now = block_new(a, a->block_size);
	return a;
}

static void free_from(struct arena *a, struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;
		a->bytes -= sizeof *b + b->cap;
		free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	free_from(a, a->first);
	BUG_ON(a->bytes != 0);
	free(a);
}

void arena_reset(struct arena *a)
{
	free_from(a, a->first->next);
	a->first->next = NULL;
	a->first->used = 0;
	a->now = a->first;
	POISON(a->first->mem, a->first->cap);
}

/* A large thing gets its own block behind the current one, whose rest stays in use. */
static struct block *room(struct arena *a, size_t n)
{
	struct block *b = a->now;
	if (n <= b->cap - b->used)
		return b;
	bool large = n > a->block_size / 4;
	struct block *fresh = block_new(a, large ? n : a->block_size);
	fresh->next = b->next;
	b->next = fresh;
	if (!large)
		a->now = fresh;
	return fresh;
}

/* Not zeroed. */
static void *take(struct arena *a, size_t n)
{
	BUG_ON(n > SIZE_MAX / 2);
	size_t step = (MAX(n, 1) + GAP + ALIGN - 1) / ALIGN * ALIGN;
	struct block *b = room(a, step);
	BUG_ON(step > b->cap - b->used);
	void *p = b->mem + b->used;
	b->used += step;
	UNPOISON(p, n);
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n);
	memset(p, 0, n);
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;
	BUG_ON(__builtin_mul_overflow(count, size, &n));
	return arena_alloc(a, n);
}

struct slice arena_slice(struct arena *a, struct slice s)
{
	return s.p != NULL ? (struct slice){arena_str(a, s), s.n} : s;
}

char *arena_str(struct arena *a, struct slice s)
{
	char *p = take(a, s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static struct slice unsigned_text(struct arena *a, uint64_t v, bool minus)
{
	char digits[21], *end = digits + sizeof digits, *p = end;
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	if (minus)
		*--p = '-';
	BUG_ON(p < digits);
	return arena_slice(a, (struct slice){p, (size_t)(end - p)});
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char small[256]; /* most texts: formatted once */
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	BUG_ON(n < 0);
	char *p = take(a, (size_t)n + 1);
	if ((size_t)n < sizeof small)
		memcpy(p, small, (size_t)n + 1);
	else
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

struct slice arena_number(struct arena *a, int64_t v)
{
	return v < 0 ? unsigned_text(a, 0 - (uint64_t)v, true) : unsigned_text(a, (uint64_t)v, false);
}

struct slice arena_unsigned(struct arena *a, uint64_t v)
{
	return unsigned_text(a, v, false);
}

struct slice arena_join(struct arena *a, struct slice first, struct slice second)
{
	BUG_ON(first.n > SIZE_MAX / 4 || second.n > SIZE_MAX / 4);
	char *p = take(a, first.n + second.n + 1);
	if (first.n > 0)
		memcpy(p, first.p, first.n);
	if (second.n > 0)
		memcpy(p + first.n, second.p, second.n);
	p[first.n + second.n] = '\0';
	return (struct slice){p, first.n + second.n};
}

size_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}
