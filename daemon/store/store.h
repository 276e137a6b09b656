/* What core keeps on disk, and the only files that carillon writes (reliability.md):
 *   events-<n>.db  append-only journal segments of engine inputs (SQLite, WAL, synchronous=FULL)
 *   state.db       snapshot of the engine with the sequence number it stands for, in one transaction; and the view rows
 *   rules-<hash>, map-<hash>  what the journal names by hash, kept while a snapshot or segment may need it
 * One writer thread does all writing; the functions below only hand over. Nothing here knows what an input means. */
#ifndef CARILLON_STORE_STORE_H
#define CARILLON_STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/slice.h"

struct store;

struct store_options {
	const char *dir;        /* made 0750 if missing; locked: a second process is refused */
	duration commit;        /* group commit window, 5 ms */
	uint64_t segment_rows;  /* a new segment after so many rows; 0: 500 000 */
	uint64_t segment_bytes; /* 0: 256 MiB */
};

/* Opens or creates; runs quick_check. Does not start the writer yet: recover first. */
struct store *store_open(const struct store_options *o, struct error *err) MUST_CHECK;

/* Calls `snapshot` once (seq 0 and an absent blob if there is none), then `row` for every journaled input after it, in
 * order. Any callback may return -1 (with err set) to stop. A damaged row (CRC) at the very end of the last segment is cut
 * off and said; one in the middle is an error. */
struct store_recovery {
	int (*snapshot)(void *arg, uint64_t seq, struct slice blob, struct error *err);
	int (*row)(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload, struct error *err); /* payload 8-byte aligned */
	void *arg;
	uint64_t rows; /* out: how many were replayed */
	uint64_t last; /* out: highest sequence number on disk */
};
int store_recover(struct store *s, struct store_recovery *r, struct error *err) MUST_CHECK;
int store_start(struct store *s, struct error *err) MUST_CHECK; /* the writer thread */

/* Queues one input; on disk when store_committed() >= seq. Sequence numbers ascend by one. */
void store_append(struct store *s, uint64_t seq, instant at, uint16_t kind, struct slice payload);
uint64_t store_committed(const struct store *s);
uint64_t store_backlog(const struct store *s);  /* queued rows */
int store_notify_fd(const struct store *s);     /* readable (eventfd) after each commit and after a failure */
void store_notify_clear(struct store *s);
bool store_failed(const struct store *s, struct error *err); /* a write or fsync failed: nothing later is on disk */

/* A snapshot that stands for all inputs up to `seq`; takes a copy. Committed in order behind the rows before it; older
 * segments are unlinked afterwards. `keep` names the hashes (of store_file_put) that must stay: a file goes only when
 * neither this snapshot nor the one before it names it and it was not put since. */
void store_snapshot(struct store *s, uint64_t seq, struct slice blob, const char *const *keep, size_t n_keep);
uint64_t store_snapshot_seq(const struct store *s); /* of the last one on disk */

/* View rows for front: upserted by (kind, id), written behind the journal within 100 ms; of several for one id in that time
 * only the last is written. json == absent deletes. */
enum view_kind { VIEW_ALERT = 1, VIEW_INCIDENT, VIEW_LOG, VIEW_OUTBOX, VIEW_SERVICE, VIEW_META, VIEW_RULE, VIEW_SILENCE };
struct view_row {
	enum view_kind kind;
	struct slice id;       /* alert ULID; incident ULID; "<incident>/<n, 6 digits>"; operation number; service id */
	struct slice parent;   /* log, alert, outbox: incident ULID; indexed; absent: as it was (an alert outlives its incident) */
	struct slice state;    /* "open", …; indexed */
	instant updated;
	struct slice json;
};
void store_view(struct store *s, const struct view_row *row); /* copies */
void store_view_clear(struct store *s);                       /* all rows */
/* Deletes the rows that fit all that is given: before a rebuild from the engine, and of what is older than state.history.
 * A log line goes only when its incident is gone. Rows handed over in the same 100 ms may be written after it. */
struct view_purge {
	enum view_kind kind;
	struct slice state; /* absent: any */
	struct slice below; /* ids smaller than this, so that an index serves it; absent: any */
	instant before;     /* last changed before this; INSTANT_NONE: whenever */
};
void store_view_purge(struct store *s, const struct view_purge *p); /* copies */

/* Files by hash (64 hex digits). Synchronous and fsynced: they are small and rare. */
int store_file_put(struct store *s, const char *what, const char *hash, struct slice bytes, struct error *err) MUST_CHECK;
int store_file_get(struct store *s, const char *what, const char *hash, struct buf *out, struct error *err) MUST_CHECK;
/* As above, but opens read-only for mmap; -1 with err. */
int store_file_open(struct store *s, const char *what, const char *hash, struct error *err) MUST_CHECK;

/* Waits until everything queued is on disk and ends the thread; -1 with err if something did not get there. Only reading and
 * store_close may follow. */
int store_stop(struct store *s, struct error *err) MUST_CHECK;
/* The same if it was not done, then closes. */
void store_close(struct store *s);

/* ---- front's side: the view rows of a live state.db, read-only, in short transactions */
struct view_reader;
struct view_reader *view_reader_open(const char *dir, struct error *err) MUST_CHECK;
void view_reader_close(struct view_reader *v);
struct view_query {
	enum view_kind kind;
	struct slice id;       /* exact, or a prefix when `prefix` */
	bool prefix;
	struct slice parent, state; /* absent: any */
	struct slice after;    /* ids behind this one in the order asked for: greater, or smaller when newest_first */
	bool newest_first;
	size_t limit;          /* 0: 1000 */
};
/* Calls `row` for each, returns how many, -1 with err. */
int view_reader_query(struct view_reader *v, const struct view_query *q, void (*row)(void *arg, const struct view_row *r), void *arg,
                      struct error *err) MUST_CHECK;

#endif
