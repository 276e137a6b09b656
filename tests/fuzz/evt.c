/* evt_check on arbitrary bytes, the checksum put right first so that the structure is what is tried. What it
 * takes can be read completely, and written again gives the same bytes. */
#include <stddef.h>
#include <stdlib.h>

#include "model/evt.h"
#include "model/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct evt *e)
{
	struct arena *a = arena_new(0);
	struct fields f;
	fields_init(&f, a);
	evt_open(e, &f);
	for (int i = 1; i < FIELD_CORE_MAX; i++) {
		if (i != FIELD_RECEIVED &&
		    evt_get(e, (enum field_id)i).p != fields_get(&f, (enum field_id)i).p)
			abort();
	}
	for (size_t i = 0; i < f.n_named; i++) {
		/* a record from elsewhere may hold a core name as a named field: it is not found by name then
		 */
		if (field_core(f.named[i].name) == FIELD_NONE &&
		    evt_get_name(e, f.named[i].name).p != f.named[i].v.p)
			abort();
	}
	(void)evt_severity(e);
	(void)evt_state(e);
	struct buf again = {0};
	evt_encode(&f, &e->id, e->received, &again);
	if (again.n != e->size || memcmp(again.p, e, e->size) != 0)
		abort();
	again.n = 0;
	struct jw w = jw_new(&again);
	jw_object(&w);
	fields_json(&f, &w);
	jw_end(&w);
	buf_free(&again);
	fields_free(&f);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* malloc aligns to 16, and the exact size lets the sanitizer see an over-read */
	char *copy = malloc(size + (size == 0));
	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	struct event_frame frame;
	if (event_frame_decode(slice_of(copy, size), &frame))
		read_all(frame.evt);
	if (size >= sizeof(struct evt)) {
		struct evt *e = (struct evt *)(void *)copy;
		if (e->size >= sizeof *e && e->size <= size) {
			e->checksum = 0;
			e->checksum = crc32c(0, copy, e->size);
		}
	}
	struct error err;
	const struct evt *e = evt_check(slice_of(copy, size), &err);
	if (e != NULL)
		read_all(e);
	free(copy);
	return 0;
}
