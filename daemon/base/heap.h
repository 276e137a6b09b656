/* Min-heap of deadlines with stable order: equal instants come out in the order in which they were put in. */
#ifndef CARILLON_BASE_HEAP_H
#define CARILLON_BASE_HEAP_H

#include "base/instant.h"
#include "base/mem.h"

struct heap_item {
	instant at;
	uint64_t seq;   /* given by the heap */
	uint32_t kind;
	uint64_t object;
};
struct heap {
	struct heap_item *v;
	size_t n, cap;
	uint64_t seq;
};
void heap_push(struct heap *h, instant at, uint32_t kind, uint64_t object);
bool heap_peek(const struct heap *h, struct heap_item *out);
bool heap_pop(struct heap *h, struct heap_item *out);
void heap_free(struct heap *h);

#endif
