/* Small allocations that cannot fail, assertions at two levels, and attributes.
 *
 * x* functions end the process when memory is out: they are for small internal things. Whatever is sized by
 * the network is bounded by a limit first. */
#ifndef CARILLON_BASE_MEM_H
#define CARILLON_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define MUST_CHECK    __attribute__((warn_unused_result))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define UNUSED        __attribute__((unused))
#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *p, size_t count, size_t size); /* overflow-checked */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n); /* copies exactly n bytes and adds NUL */
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

/* Grows an array (element size `size`) so that it holds at least `need` elements; *cap is in elements. Returns the array,
 * which may have moved; new elements are not cleared: v = array_reserve(v, &cap, n + 1, sizeof *v). */
void *array_reserve(void *array, size_t *cap, size_t need, size_t size);

/* A bug: stop. Never reachable by input bytes. */
#define BUG_ON(cond)                                                                                         \
	do {                                                                                                 \
		if (__builtin_expect(!!(cond), 0))                                                           \
			bug_stop(#cond, __FILE__, __LINE__);                                                 \
	} while (0)
/* A doubt: count and go on. Evaluates to the condition. */
#define DOUBT(cond) (__builtin_expect(!!(cond), 0) ? (doubt_count(), true) : false)

noreturn void bug_stop(const char *cond, const char *file, int line);
void doubt_count(void);
uint64_t doubts(void);

#endif
