/* Counters and gauges in memory that all roles share (mmap'd by the parent before it forks): each role adds to its own
 * rows, front reads all and prints the Prometheus text format. No lock on the event path: get a pointer once, then add. */
#ifndef CARILLON_BASE_COUNTER_H
#define CARILLON_BASE_COUNTER_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/mem.h"

struct counters;

struct counters *counters_new(size_t rows); /* MAP_SHARED|MAP_ANONYMOUS; survives fork */
void counters_free(struct counters *c);
/* The cell of (name, labels); made on first use. labels is "" or 'listener="syslog"'. When the table is full, a shared
 * overflow cell is returned. Roles that use the same (name, labels) share the cell (adds are atomic, relaxed).
 * Units: cells of names ending in _seconds_total or _seconds_sum hold microseconds and are printed as seconds; all
 * others, *_timestamp_seconds too, are printed as they are. */
_Atomic uint64_t *counter(struct counters *c, const char *name, const char *labels);
static inline void counter_add(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}
static inline void counter_set(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_store_explicit(cell, n, memory_order_relaxed);
}
uint64_t counter_read(const struct counters *c, const char *name, const char *labels); /* 0 if absent */
uint64_t counter_sum(const struct counters *c, const char *name);                      /* over all labels */
/* # HELP and # TYPE come from the table in counter.c (names of observability.md); rows sorted by name, labels. */
void counters_text(const struct counters *c, struct buf *out);
/* In the same order. */
void counters_each(const struct counters *c, void (*fn)(const char *name, const char *labels, uint64_t v, void *arg), void *arg);

#endif
