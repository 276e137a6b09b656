/* Inside store only: one file of journal rows. A row's blob is CRC32C (of the sequence number and the rest), kind, two
 * zero octets, the instant, and the payload; all little-endian. */
#ifndef CARILLON_STORE_SEGMENT_H
#define CARILLON_STORE_SEGMENT_H

#include "base/error.h"
#include "base/instant.h"
#include "base/slice.h"

struct segment;

enum { SEGMENT_HEAD = 16 };
void segment_head(char head[SEGMENT_HEAD], instant at, uint16_t kind); /* without the CRC */
void segment_seal(uint64_t seq, char *blob, size_t n);                  /* fills in the CRC */

struct segment *segment_open(const char *dir, uint64_t first, bool check, struct error *err) MUST_CHECK;
void segment_close(struct segment *s); /* a complete checkpoint; NULL is fine */
uint64_t segment_first(const struct segment *s);
uint64_t segment_last(const struct segment *s); /* 0: empty */
uint64_t segment_rows(const struct segment *s);
uint64_t segment_bytes(const struct segment *s);
int segment_begin(struct segment *s, struct error *err) MUST_CHECK;
int segment_add(struct segment *s, uint64_t seq, struct slice blob, struct error *err) MUST_CHECK;
int segment_commit(struct segment *s, struct error *err) MUST_CHECK; /* on disk when it returns 0; never to be repeated */
uint64_t segment_wal(const struct segment *s);                       /* octets not yet checkpointed */
int segment_checkpoint(struct segment *s, struct error *err) MUST_CHECK;

/* Rows above `after` in order; -1 from `row` stops. A damaged last row is removed when `is_last` and *cut is set. */
int segment_scan(struct segment *s, uint64_t after, bool is_last,
                 int (*row)(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload, struct error *err), void *arg,
                 bool *cut, struct error *err) MUST_CHECK;
char *segment_path(const char *dir, uint64_t first); /* malloc'd */
void segment_unlink(const char *dir, uint64_t first);

#endif
