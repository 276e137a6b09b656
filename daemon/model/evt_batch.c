/* The list that decoders fill: events in the order of the payload and remarks about it. Memory is kept
 * between uses; both lists are bounded, because the payload is somebody else's. */
#include "model/evt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_EVENTS = 10000, MAX_NOTES = 100 };

void evt_batch_init(struct evt_batch *b)
{
	*b = (struct evt_batch){.arena = arena_new(0), .max = MAX_EVENTS};
}

void evt_batch_reset(struct evt_batch *b)
{
	b->n = 0;
	b->n_notes = 0;
	arena_reset(b->arena);
}

void evt_batch_free(struct evt_batch *b)
{
	for (size_t i = 0; i < b->cap; i++)
		fields_free(&b->v[i]);
	free(b->v);
	free(b->notes);
	arena_free(b->arena);
	*b = (struct evt_batch){0};
}

struct fields *evt_batch_add(struct evt_batch *b)
{
	if (b->n >= b->max)
		return NULL;
	size_t had = b->cap;
	if (b->n == b->cap)
		b->v = array_reserve(b->v, &b->cap, b->n + 1, sizeof *b->v);
	for (size_t i = had; i < b->cap; i++)
		fields_init(&b->v[i], b->arena);
	struct fields *f = &b->v[b->n++];
	BUG_ON(f->arena != b->arena);
	fields_reset(f);
	if (b->fields_max > 0)
		f->limit = b->fields_max;
	return f;
}

void evt_batch_note(struct evt_batch *b, size_t at, const char *fmt, ...)
{
	if (b->n_notes >= MAX_NOTES)
		return;
	b->notes = array_reserve(b->notes, &b->cap_notes, b->n_notes + 1, sizeof *b->notes);
	struct decode_note *note = &b->notes[b->n_notes++];
	note->at = at;
	if (b->n_notes == MAX_NOTES) {
		snprintf(note->text, sizeof note->text, "further remarks are left out");
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(note->text, sizeof note->text, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof note->text)
		memcpy(note->text + sizeof note->text - 4, "...", 4);
}
