/* Inside store only: the store, and what passes from core's thread to the writer. */
#ifndef CARILLON_STORE_STORE_INT_H
#define CARILLON_STORE_STORE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hmap.h"
#include "store/segment.h"
#include "store/state_db.h"
#include "store/store.h"

enum { STORE_MAGIC = 0x73746f72 };

/* A queued row in `rows`: this, then the sealed blob, padded to 8. */
struct queued_row {
	uint64_t seq;
	uint64_t n; /* octets of the blob */
};

struct queued_snapshot {
	uint64_t seq;
	struct buf blob;
	struct hmap *keep; /* hashes; NULL: no snapshot is queued */
};

/* View rows by (kind, id): one each. */
struct queued_views {
	struct view_row **v; /* one allocation each */
	size_t n, cap;
	struct hmap *index; /* key → position + 1 */
	bool clear;         /* all rows first */
	struct view_purge **purges; /* then these; one allocation each */
	size_t n_purges, cap_purges;
};

struct queue {
	struct buf rows;
	uint64_t n_rows;
	struct queued_snapshot snapshot;
	struct queued_views views;
};

struct store {
	uint32_t magic;
	char *dir;
	int lock_fd, dir_fd;
	struct store_options o;
	uint64_t *segments; /* first rows of the segments on disk, ascending; the writer's once it runs */
	size_t n_segments, cap_segments;
	struct segment *current; /* the one being written, or NULL */
	struct state_db *state;
	uint64_t next; /* the sequence number that must come next */
	bool recovered, started;

	pthread_t thread;
	pthread_mutex_t lock; /* guards from here to `error` */
	struct queue q;
	bool idle, closing;
	struct error error;

	int kick, notify;
	_Atomic uint64_t committed, snapshot_seq, backlog;
	_Atomic bool failed;

	pthread_mutex_t files; /* guards the files by hash */
	struct hmap *fresh;    /* put since the last snapshot was queued */
	struct hmap *kept;     /* what the snapshot before named, or NULL after a start */
};

void queue_free(struct queue *q);
void queue_views_free(struct queued_views *v);
bool queue_views_any(const struct queued_views *v);
void *writer_main(void *store);
/* After a snapshot: unlinks files that nobody can need any more. Takes `keep`. */
void store_files_sweep(struct store *s, struct hmap *keep);

#endif
