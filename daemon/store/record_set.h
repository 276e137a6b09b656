/* Reads the recordings of a folder as one: the segments of all intakes, merged by time of arrival. */
#ifndef CARILLON_STORE_RECORD_SET_H
#define CARILLON_STORE_RECORD_SET_H

#include "base/error.h"
#include "base/instant.h"

enum { RECORD_INTAKES_MAX = 64 };

/* One segment as its index has it. */
struct record_segment {
	char *name;    /* in its folder */
	instant start; /* of its name */
	unsigned intake;
	uint64_t octets, items;
	instant first, last; /* INSTANT_NONE: nothing in it */
	bool torn;           /* its last frame is not whole */
};
struct record_list {
	struct record_segment *v; /* by start, then intake */
	size_t n, cap;
};
/* The name of a segment: start in microseconds and intake. */
void record_segment_name(instant start, unsigned intake, char out[64]);
bool record_segment_parse(const char *name, instant *start, unsigned *intake);
/* All segments of a folder; `scan`: their frames too, else name and size only. An absent folder is an empty
 * list. */
int record_list_read(struct record_list *l, const char *dir, bool scan, struct error *err) MUST_CHECK;
void record_list_free(struct record_list *l);

struct record_set;
/* What was received from `from` on and before `to`. NULL with err. */
struct record_set *record_set_open(const char *dir, instant from, instant to, struct error *err) MUST_CHECK;
void record_set_close(struct record_set *s); /* NULL is fine */
/* The next line, without its end; lives until the next call. False: no more. */
bool record_set_next(struct record_set *s, struct slice *line);
size_t record_set_torn(const struct record_set *s); /* frames that were dropped because they were not whole */

#endif
