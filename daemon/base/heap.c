/* Promises the earliest deadline first and, of equal ones, the one that was put in first. Must not know a
 * clock. */
#include "base/heap.h"

#include <stdlib.h>

static bool before(const struct heap_item *a, const struct heap_item *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void swap(struct heap_item *a, struct heap_item *b)
{
	struct heap_item t = *a;
	*a = *b;
	*b = t;
}

void heap_push(struct heap *h, instant at, uint32_t kind, uint64_t object)
{
	h->v = array_reserve(h->v, &h->cap, h->n + 1, sizeof *h->v);
	size_t i = h->n++;
	h->v[i] = (struct heap_item){.at = at, .seq = h->seq++, .kind = kind, .object = object};
	for (size_t up; i > 0 && before(&h->v[i], &h->v[up = (i - 1) / 2]); i = up)
		swap(&h->v[i], &h->v[up]);
}

bool heap_peek(const struct heap *h, struct heap_item *out)
{
	if (h->n == 0)
		return false;
	*out = h->v[0];
	return true;
}

static void sink(struct heap *h, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		if (left < h->n && before(&h->v[left], &h->v[least]))
			least = left;
		if (right < h->n && before(&h->v[right], &h->v[least]))
			least = right;
		if (least == i)
			return;
		swap(&h->v[i], &h->v[least]);
		i = least;
	}
}

bool heap_pop(struct heap *h, struct heap_item *out)
{
	if (!heap_peek(h, out))
		return false;
	h->v[0] = h->v[--h->n];
	sink(h, 0);
	return true;
}

void heap_free(struct heap *h)
{
	free(h->v);
	*h = (struct heap){0};
}
