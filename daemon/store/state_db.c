/* Promises that a snapshot and its sequence number change together, and view rows that others may read at any
 * time. Must not know what they say. */
#include "store/state_db.h"

#include <stdlib.h>

#include "model/evt.h"
#include "store/db.h"

enum { PAGE = 4096 };
static const char schema[] =
    "CREATE TABLE snapshot(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL,"
    " crc INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE view(kind INTEGER NOT NULL, id TEXT NOT NULL, parent TEXT, state TEXT,"
    " updated INTEGER NOT NULL, json TEXT NOT NULL);"
    "CREATE UNIQUE INDEX view_id ON view(kind, id);"
    "CREATE INDEX view_parent ON view(kind, parent, id) WHERE parent IS NOT NULL;"
    "CREATE INDEX view_state ON view(kind, state, id)";

enum statement { BEGIN, COMMIT, SNAPSHOT_PUT, SNAPSHOT_GET, VIEW_PUT, VIEW_DELETE, VIEW_CLEAR, VIEW_PURGE, N_STATEMENTS };
static const char *const sql[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [SNAPSHOT_PUT] = "INSERT INTO snapshot VALUES(1,?1,?2,?3)"
                     " ON CONFLICT(one) DO UPDATE SET seq=?1, crc=?2, data=?3",
    [SNAPSHOT_GET] = "SELECT seq, crc, data FROM snapshot",
    [VIEW_PUT] = "INSERT INTO view VALUES(?1,?2,?3,?4,?5,?6)"
                 " ON CONFLICT(kind,id) DO UPDATE SET parent=coalesce(?3,parent), state=?4, updated=?5, json=?6",
    [VIEW_DELETE] = "DELETE FROM view WHERE kind=?1 AND id=?2",
    [VIEW_CLEAR] = "DELETE FROM view",
    /* bounded: the journal waits meanwhile */
    [VIEW_PURGE] = "DELETE FROM view WHERE rowid IN (SELECT rowid FROM view AS v WHERE kind=?1"
                   " AND (?2 IS NULL OR state=?2) AND (?3 IS NULL OR id<?3) AND (?4 IS NULL OR updated<?4)"
                   " AND NOT (kind=3 AND EXISTS (SELECT 1 FROM view AS i WHERE i.kind=2 AND i.id=v.parent))"
                   " LIMIT 50000)",
};

struct state_db {
	sqlite3 *db;
	sqlite3_stmt *st[N_STATEMENTS];
	uint64_t wal;
};

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct state_db *d = arg;
	(void)db;
	(void)name;
	d->wal = (uint64_t)pages * PAGE;
	return SQLITE_OK;
}

struct state_db *state_db_open(const char *dir, struct error *err)
{
	struct state_db *d = xcalloc(1, sizeof *d);
	char *path = xasprintf("%s/state.db", dir);
	bool ok = (d->db = db_open(path, DB_SHARED, schema, err)) != NULL && db_check(d->db, path, err) == 0;
	for (size_t i = 0; ok && i < N_STATEMENTS; i++)
		ok = (d->st[i] = db_prepare(d->db, sql[i], err)) != NULL;
	free(path);
	if (!ok) {
		state_db_close(d);
		return NULL;
	}
	(void)sqlite3_wal_hook(d->db, on_wal, d);
	return d;
}

void state_db_close(struct state_db *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(d->st[i]);
	if (d->db != NULL)
		db_close(d->db);
	free(d);
}

static int copy_snapshot(struct state_db *d, uint64_t *seq, struct buf *blob, struct error *err)
{
	sqlite3_stmt *st = d->st[SNAPSHOT_GET];
	const void *p = sqlite3_column_blob(st, 2);
	size_t n = (size_t)sqlite3_column_bytes(st, 2);
	*seq = (uint64_t)sqlite3_column_int64(st, 0);
	if (crc32c(crc32c(0, seq, sizeof *seq), p, n) != (uint32_t)sqlite3_column_int64(st, 1))
		return error_set(err, "the snapshot in state.db is damaged: its checksum is wrong");
	buf_reserve(blob, n + 1); /* an empty one is not an absent one */
	buf_add(blob, p, n);
	return 0;
}

int state_db_load(struct state_db *d, uint64_t *seq, struct buf *blob, struct error *err)
{
	sqlite3_stmt *st = d->st[SNAPSHOT_GET];
	int step = sqlite3_step(st), rc = 0;
	*seq = 0;
	if (step == SQLITE_ROW)
		rc = copy_snapshot(d, seq, blob, err);
	else if (step != SQLITE_DONE)
		rc = db_fail(d->db, "reading the snapshot", err);
	(void)sqlite3_reset(st);
	return rc;
}

static int run(struct state_db *d, enum statement which, struct error *err)
{
	BUG_ON(which >= N_STATEMENTS);
	return db_run(d->st[which], err);
}

int state_db_snapshot(struct state_db *d, uint64_t seq, struct slice blob, struct error *err)
{
	sqlite3_stmt *st = d->st[SNAPSHOT_PUT];
	uint32_t crc = crc32c(crc32c(0, &seq, sizeof seq), blob.p, blob.n);
	/* not a prepared statement: this pragma takes effect when it is compiled */
	if (db_exec(d->db, "PRAGMA synchronous=FULL", err) != 0)
		return -1;
	if (sqlite3_bind_int64(st, 1, (sqlite3_int64)seq) != SQLITE_OK ||
	    sqlite3_bind_int64(st, 2, crc) != SQLITE_OK ||
	    sqlite3_bind_blob64(st, 3, blob.n > 0 ? blob.p : "", blob.n, SQLITE_STATIC) != SQLITE_OK)
		return db_fail(d->db, "snapshot", err);
	int rc = run(d, SNAPSHOT_PUT, err);
	(void)sqlite3_clear_bindings(st);
	return rc;
}

int state_db_views_begin(struct state_db *d, struct error *err)
{
	return db_exec(d->db, "PRAGMA synchronous=NORMAL", err) == 0 ? run(d, BEGIN, err) : -1;
}

int state_db_views_clear(struct state_db *d, struct error *err)
{
	return run(d, VIEW_CLEAR, err);
}

int state_db_views_purge(struct state_db *d, const struct view_purge *p, struct error *err)
{
	sqlite3_stmt *st = d->st[VIEW_PURGE];
	(void)sqlite3_bind_int(st, 1, (int)p->kind);
	db_bind_text(st, 2, p->state);
	db_bind_text(st, 3, p->below);
	if (p->before != INSTANT_NONE)
		(void)sqlite3_bind_int64(st, 4, p->before);
	int rc = run(d, VIEW_PURGE, err);
	(void)sqlite3_clear_bindings(st);
	return rc;
}

int state_db_view(struct state_db *d, const struct view_row *row, struct error *err)
{
	enum statement which = row->json.p == NULL ? VIEW_DELETE : VIEW_PUT;
	sqlite3_stmt *st = d->st[which];
	(void)sqlite3_bind_int(st, 1, (int)row->kind);
	db_bind_text(st, 2, row->id);
	if (which == VIEW_PUT) {
		db_bind_text(st, 3, row->parent);
		db_bind_text(st, 4, row->state);
		(void)sqlite3_bind_int64(st, 5, row->updated);
		db_bind_text(st, 6, row->json);
	}
	int rc = run(d, which, err);
	(void)sqlite3_clear_bindings(st);
	return rc;
}

int state_db_views_end(struct state_db *d, struct error *err)
{
	return run(d, COMMIT, err);
}

uint64_t state_db_wal(const struct state_db *d)
{
	return d->wal;
}

int state_db_checkpoint(struct state_db *d, struct error *err)
{
	int all = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &done);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return db_fail(d->db, "checkpoint of state.db", err);
	if (rc == SQLITE_OK && done == all)
		d->wal = 0;
	return 0;
}
