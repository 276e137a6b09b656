/* Promises that an allocation succeeds or the process ends with a line that says so. Must not know what is
 * allocated. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t doubt_total;

noreturn static void out_of_memory(size_t n)
{
	fprintf(stderr, "carillon: out of memory (%zu octets wanted)\n", n);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n > 0 ? n : 1);
	if (p == NULL)
		out_of_memory(n);
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
	if (p == NULL)
		out_of_memory(count);
	return p;
}

void *xreallocarray(void *p, size_t count, size_t size)
{
	/* reallocarray(p, 0, ...) would free */
	void *q = count > 0 && size > 0 ? reallocarray(p, count, size) : realloc(p, 1);
	if (q == NULL)
		out_of_memory(count);
	return q;
}

char *xstrdup(const char *s)
{
	BUG_ON(s == NULL);
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	BUG_ON(s == NULL && n > 0);
	BUG_ON(n == SIZE_MAX);
	char *p = xmalloc(n + 1);
	if (n > 0)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(0);
	return p;
}

void *array_reserve(void *array, size_t *cap, size_t need, size_t size)
{
	BUG_ON(size == 0);
	BUG_ON(array == NULL && *cap != 0);
	if (need <= *cap)
		return array;
	size_t want = *cap > SIZE_MAX / 2 ? need : *cap * 2;
	want = MAX(want, MAX(need, 8));
	array = xreallocarray(array, want, size);
	*cap = want;
	return array;
}

noreturn void bug_stop(const char *cond, const char *file, int line)
{
	fprintf(stderr, "carillon: bug: %s at %s:%d\n", cond, file, line);
	abort();
}

void doubt_count(void)
{
	atomic_fetch_add_explicit(&doubt_total, 1, memory_order_relaxed);
}

uint64_t doubts(void)
{
	return atomic_load_explicit(&doubt_total, memory_order_relaxed);
}
