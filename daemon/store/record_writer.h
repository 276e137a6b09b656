/* Writes recordings: JSON lines (record_item.h) in zstd frames, each behind a skippable frame that says how
 * many items it holds and from when to when. So a segment is an ordinary zstd file, and its frames are the
 * index by time.
 *
 * A frame is written with one call; a kill loses what has not been written yet (the caller flushes every
 * second), and a torn frame is the last one of its file: who reads drops it. Never blocks on anything but
 * write(2) of a regular file. */
#ifndef CARILLON_STORE_RECORD_WRITER_H
#define CARILLON_STORE_RECORD_WRITER_H

#include "store/record_item.h"

enum { RECORD_FRAME = 128 << 10 }; /* plain octets of a frame */

/* What stands in front of each frame, little-endian: a skippable frame of zstd (RFC 8878, section 3.1.2). */
#define RECORD_INDEX_MAGIC 0x184D2A5Cu
#define RECORD_INDEX_SIZE  40u /* magic, size, "CRX1", items, first, last, packed octets, plain octets */

struct record_figures {
	uint64_t items, octets; /* written, octets as compressed */
	uint64_t skipped;       /* above the rate, or without a file */
	uint64_t gaps, errors;
};

struct record_writer;
struct record_writer *record_writer_new(void);
void record_writer_free(struct record_writer *w); /* flushes */
/* The next segment: takes fd (-1: recording ends). What is in memory goes to the former one. */
void record_writer_file(struct record_writer *w, int fd);
void record_writer_limits(struct record_writer *w, double rate,
                          uint64_t max_size); /* items a second; of a segment */
/* Takes a copy; false: it was not recorded. `received` must not go far back. */
bool record_writer_add(struct record_writer *w, const struct record_item *it);
/* It was passed over on purpose: the recording says so. */
void record_writer_gap(struct record_writer *w, instant at);
bool record_writer_waits(const struct record_writer *w);  /* something is in memory */
bool record_writer_is_big(const struct record_writer *w); /* a frame is full */
void record_writer_flush(struct record_writer *w);
bool record_writer_is_full(
    const struct record_writer *w); /* the segment has its size, or cannot be written: another one */
bool record_writer_is_on(const struct record_writer *w);
struct record_figures record_writer_figures(const struct record_writer *w);

#endif
