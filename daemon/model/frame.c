/* Payload of FRAME_EVENT: head, predicate numbers, padding, event. The same bytes are the journal's row. */
#include "model/frame.h"

_Static_assert(sizeof(struct frame) == 16, "part of the channel's format");
_Static_assert(sizeof(struct event_payload) == 24, "part of the journal's format");

void event_frame_encode(uint32_t generation, uint32_t intake, uint64_t intake_seq, const uint32_t *hits,
                        size_t n_hits, const struct evt *e, struct buf *out)
{
	BUG_ON(n_hits > UINT32_MAX || (n_hits > 0 && hits == NULL));
	BUG_ON(e->magic != EVT_MAGIC);
	struct event_payload head = {
	    .generation = generation,
	    .n_hits = (uint32_t)n_hits,
	    .intake = intake,
	    .intake_seq = intake_seq,
	};
	buf_align(out, 8);
	buf_reserve(out, sizeof head + n_hits * sizeof *hits + 8 + e->size);
	buf_add(out, &head, sizeof head);
	if (n_hits > 0)
		buf_add(out, hits, n_hits * sizeof *hits);
	buf_align(out, 8);
	buf_add(out, e, e->size);
}

static bool hits_ascend(const uint32_t *hits, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (hits[i - 1] >= hits[i])
			return false;
	}
	return true;
}

bool event_frame_decode(struct slice payload, struct event_frame *out)
{
	if (payload.p == NULL || payload.n < sizeof(struct event_payload) || ((uintptr_t)payload.p & 7) != 0)
		return false;
	const struct event_payload *head = (const struct event_payload *)(const void *)payload.p;
	size_t left = payload.n - sizeof *head;
	if (head->n_pad != 0 || head->n_hits > left / sizeof(uint32_t))
		return false;
	const uint32_t *hits = (const uint32_t *)(const void *)(head + 1);
	size_t hit_bytes = ((size_t)head->n_hits * sizeof *hits + 7) & ~(size_t)7;
	if (hit_bytes > left || !hits_ascend(hits, head->n_hits))
		return false;
	if (head->n_hits % 2 == 1 && hits[head->n_hits] != 0)
		return false;
	struct slice rest = slice_of(payload.p + sizeof *head + hit_bytes, left - hit_bytes);
	const struct evt *e = evt_check(rest, NULL);
	if (e == NULL || e->size != rest.n)
		return false;
	*out = (struct event_frame){head, hits, e};
	return true;
}
