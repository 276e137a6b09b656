/* Promises rates in bounded memory, without locks. Must not know who is limited. */
#include "base/quota.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/hmap.h"

enum { WAYS = 8 };

struct quota_slot {
	_Atomic uint64_t name; /* hash; 0: empty */
	_Atomic int64_t full;  /* nanoseconds: when the bucket will be full again; in the past: it is */
};

struct quota {
	size_t slots, bytes;
	struct quota_slot v[];
};

struct quota *quota_new(size_t slots)
{
	size_t bytes = sizeof(struct quota) + slots * sizeof(struct quota_slot);
	struct quota *q;

	BUG_ON(slots < WAYS || (slots & (slots - 1)) != 0);
	q = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (q == MAP_FAILED)
		return NULL;
	q->slots = slots;
	q->bytes = bytes;
	return q;
}

void quota_free(struct quota *q)
{
	if (q != NULL)
		munmap(q, q->bytes);
}

static int64_t nanoseconds(instant t)
{
	return t * (1000000000 / SECOND);
}

struct quota_slot *quota_slot(struct quota *q, struct slice name, instant now)
{
	/* the same in every process; who finds names that meet shares a bucket with himself */
	uint64_t h = hash_stable(name) | 1;
	struct quota_slot *v = &q->v[h >> 16 & (q->slots - 1) & ~(uint64_t)(WAYS - 1)], *best = v;

	for (size_t i = 0; i < WAYS; i++) {
		if (atomic_load_explicit(&v[i].name, memory_order_relaxed) == h)
			return &v[i];
		if (atomic_load_explicit(&v[i].full, memory_order_relaxed) <
		    atomic_load_explicit(&best->full, memory_order_relaxed))
			best = &v[i];
	}
	atomic_store_explicit(&best->full, nanoseconds(now), memory_order_relaxed);
	atomic_store_explicit(&best->name, h, memory_order_relaxed);
	return best;
}

static int64_t span(double events, double rate)
{
	return (int64_t)(events / rate * 1e9);
}

bool quota_take(struct quota_slot *s, double rate, double burst, unsigned n, instant now)
{
	int64_t at = nanoseconds(now), room = span(burst, rate), cost = span(n, rate);
	int64_t before = atomic_load_explicit(&s->full, memory_order_relaxed), full;

	BUG_ON(rate <= 0);
	do {
		/* a clock that went back leaves nobody locked out for longer than a full bucket lasts */
		full = before < at ? at : before > at + room ? at + room : before;
		if (full + cost > at + room) {
			if (full < before)
				(void)atomic_compare_exchange_strong_explicit(
				    &s->full, &before, full, memory_order_relaxed, memory_order_relaxed);
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&s->full, &before, full + cost, memory_order_relaxed,
	                                                memory_order_relaxed));
	return true;
}

bool quota_ready(const struct quota_slot *s, double rate, double burst, instant now)
{
	int64_t at = nanoseconds(now), full = atomic_load_explicit(&s->full, memory_order_relaxed);

	return MAX(full, at) + span(1, rate) <= at + span(burst, rate);
}
