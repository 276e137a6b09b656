/* Promises that a row is read back as it was written, or that its damage is told. Must not know what an input
 * means. */
#include "store/segment.h"

#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "model/evt.h"
#include "store/db.h"

enum { SEGMENT_MAGIC = 0x73656776, PAGE = 8192 };
static const char schema[] = "CREATE TABLE row(seq INTEGER PRIMARY KEY, data BLOB NOT NULL)";

struct segment {
	uint32_t magic;
	sqlite3 *db;
	sqlite3_stmt *insert, *begin, *commit;
	uint64_t first, last, rows, bytes, wal;
};

char *segment_path(const char *dir, uint64_t first)
{
	return xasprintf("%s/events-%llu.db", dir, (unsigned long long)first);
}

void segment_unlink(const char *dir, uint64_t first)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char *path = segment_path(dir, first);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char *one = xasprintf("%s%s", path, ends[i]);
		(void)unlink(one); /* what stays behind is only space */
		free(one);
	}
	free(path);
}

void segment_head(char head[SEGMENT_HEAD], instant at, uint16_t kind)
{
	memset(head, 0, SEGMENT_HEAD);
	memcpy(head + 4, &kind, sizeof kind);
	memcpy(head + 8, &at, sizeof at);
}

static uint32_t checksum(uint64_t seq, const char *blob, size_t n)
{
	return crc32c(crc32c(0, &seq, sizeof seq), blob + 4, n - 4);
}

void segment_seal(uint64_t seq, char *blob, size_t n)
{
	BUG_ON(n < SEGMENT_HEAD);
	uint32_t crc = checksum(seq, blob, n);
	memcpy(blob, &crc, sizeof crc);
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct segment *s = arg;
	(void)db;
	(void)name;
	s->wal = (uint64_t)pages * PAGE;
	return SQLITE_OK;
}

static int measure(struct segment *s, struct error *err)
{
	sqlite3_stmt *st =
	    db_prepare(s->db, "SELECT (SELECT max(seq) FROM row), (SELECT min(seq) FROM row)", err);
	if (st == NULL)
		return -1;
	int rc = sqlite3_step(st);
	bool any = rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL;
	uint64_t min = any ? (uint64_t)sqlite3_column_int64(st, 1) : 0;
	s->last = any ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return db_fail(s->db, "journal segment", err);
	if (any && (min != s->first || s->last < min))
		return error_set(err, "events-%llu.db begins with row %llu", (unsigned long long)s->first,
		                 (unsigned long long)min);
	s->rows = any ? s->last - s->first + 1 : 0;
	return 0;
}

static int prepare(struct segment *s, struct error *err)
{
	s->insert = db_prepare(s->db, "INSERT INTO row VALUES(?1,?2)", err);
	s->begin = s->insert != NULL ? db_prepare(s->db, "BEGIN IMMEDIATE", err) : NULL;
	s->commit = s->begin != NULL ? db_prepare(s->db, "COMMIT", err) : NULL;
	return s->commit != NULL ? measure(s, err) : -1;
}

struct segment *segment_open(const char *dir, uint64_t first, bool check, struct error *err)
{
	struct segment *s = xcalloc(1, sizeof *s);
	char *path = segment_path(dir, first);
	s->magic = SEGMENT_MAGIC;
	s->first = first;
	s->db = db_open(path, DB_JOURNAL, schema, err);
	if (s->db == NULL || (check && db_check(s->db, path, err) != 0) || prepare(s, err) != 0) {
		segment_close(s);
		s = NULL;
	} else {
		(void)sqlite3_wal_hook(s->db, on_wal, s);
	}
	free(path);
	return s;
}

void segment_close(struct segment *s)
{
	if (s == NULL)
		return;
	BUG_ON(s->magic != SEGMENT_MAGIC);
	sqlite3_finalize(s->insert);
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->commit);
	if (s->db != NULL)
		db_close(s->db);
	s->magic = 0;
	free(s);
}

uint64_t segment_first(const struct segment *s)
{
	return s->first;
}

uint64_t segment_last(const struct segment *s)
{
	return s->last;
}

uint64_t segment_rows(const struct segment *s)
{
	return s->rows;
}

uint64_t segment_bytes(const struct segment *s)
{
	return s->bytes;
}

uint64_t segment_wal(const struct segment *s)
{
	return s->wal;
}

int segment_begin(struct segment *s, struct error *err)
{
	BUG_ON(s->magic != SEGMENT_MAGIC);
	return db_run(s->begin, err);
}

int segment_add(struct segment *s, uint64_t seq, struct slice blob, struct error *err)
{
	BUG_ON(blob.n < SEGMENT_HEAD || seq != s->first + s->rows);
	if (sqlite3_bind_int64(s->insert, 1, (sqlite3_int64)seq) != SQLITE_OK ||
	    sqlite3_bind_blob64(s->insert, 2, blob.p, blob.n, SQLITE_STATIC) != SQLITE_OK)
		return db_fail(s->db, "journal row", err);
	if (db_run(s->insert, err) != 0)
		return -1;
	s->last = seq;
	s->rows++;
	s->bytes += blob.n + 16;
	return 0;
}

int segment_commit(struct segment *s, struct error *err)
{
	BUG_ON(s->magic != SEGMENT_MAGIC);
	return db_run(s->commit, err);
}

int segment_checkpoint(struct segment *s, struct error *err)
{
	int all = 0, done = 0;
	if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &done) != SQLITE_OK)
		return db_fail(s->db, "journal checkpoint", err);
	if (done == all)
		s->wal = 0; /* the next commit begins at the front again */
	return 0;
}

/* ---- reading */

static bool intact(uint64_t seq, struct slice blob)
{
	uint32_t crc;
	if (blob.n < SEGMENT_HEAD)
		return false;
	memcpy(&crc, blob.p, sizeof crc);
	return crc == checksum(seq, blob.p, blob.n);
}

static int cut_off(struct segment *s, uint64_t seq, struct error *err)
{
	sqlite3_stmt *st = db_prepare(s->db, "DELETE FROM row WHERE seq=?1", err);
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)seq);
	int rc = db_run(st, err);
	sqlite3_finalize(st);
	log_error("journal_row_cut error=\"the last journal row was damaged and is cut off\" seq=%llu",
	          (unsigned long long)seq);
	s->rows -= rc == 0;
	s->last = s->rows > 0 ? seq - 1 : 0;
	return rc;
}

struct scan {
	struct segment *s;
	sqlite3_stmt *st;
	char *copy; /* aligned, as callers want it */
	size_t cap;
	uint64_t damaged;
	int (*row)(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload,
	           struct error *err);
	void *arg;
};

static int scan_row(struct scan *x, uint64_t expect, struct error *err)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(x->st, 0);
	struct slice blob = slice_of(sqlite3_column_blob(x->st, 1), (size_t)sqlite3_column_bytes(x->st, 1));
	uint16_t kind;
	instant at;
	if (seq != expect)
		return error_set(err, "the journal has no row %llu after %llu", (unsigned long long)expect,
		                 (unsigned long long)expect - 1);
	if (!intact(seq, blob)) {
		x->damaged = seq;
		return error_set(err, "journal row %llu is damaged: its checksum is wrong",
		                 (unsigned long long)seq);
	}
	memcpy(&kind, blob.p + 4, sizeof kind);
	memcpy(&at, blob.p + 8, sizeof at);
	x->copy = array_reserve(x->copy, &x->cap, blob.n, 1);
	memcpy(x->copy, blob.p, blob.n); /* SQLite promises no alignment */
	return x->row(x->arg, seq, at, kind, slice_of(x->copy + SEGMENT_HEAD, blob.n - SEGMENT_HEAD), err);
}

int segment_scan(struct segment *s, uint64_t after, bool is_last,
                 int (*row)(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload,
                            struct error *err),
                 void *arg, bool *cut, struct error *err)
{
	struct scan x = {.s = s, .row = row, .arg = arg};
	uint64_t expect = MAX(after + 1, s->first);
	int rc = 0, step;
	*cut = false;
	x.st = db_prepare(s->db, "SELECT seq, data FROM row WHERE seq>?1 ORDER BY seq", err);
	if (x.st == NULL)
		return -1;
	/* an unbound parameter is NULL, and nothing is behind NULL: an empty journal */
	step = sqlite3_bind_int64(x.st, 1, (sqlite3_int64)after);
	while (step == SQLITE_OK || step == SQLITE_ROW) {
		if ((step = sqlite3_step(x.st)) == SQLITE_ROW)
			rc = scan_row(&x, expect++, err);
		if (rc != 0)
			break;
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = db_fail(s->db, "reading the journal", err);
	sqlite3_finalize(x.st);
	free(x.copy);
	if (x.damaged != 0 && x.damaged == s->last && is_last) {
		*cut = true;
		return cut_off(s, x.damaged, err);
	}
	return rc;
}
