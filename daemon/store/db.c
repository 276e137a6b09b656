/* Promises SQLite files with WAL, synchronous=FULL, no automatic checkpoints and nothing trusted. Must not
 * know the tables. */
#include "store/db.h"

#include <stdio.h>

enum { FORMAT = 1, APPLICATION = 0x6361726c, BUSY_MS = 2000, WAL_KEEP = 64 << 20 };

int db_fail(sqlite3 *db, const char *what, struct error *err)
{
	return error_set(err, "%s: %s (SQLite %d)", what, db != NULL ? sqlite3_errmsg(db) : "out of memory",
	                 db != NULL ? sqlite3_extended_errcode(db) : SQLITE_NOMEM);
}

int db_exec(sqlite3 *db, const char *sql, struct error *err)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return db_fail(db, sql, err);
}

sqlite3_stmt *db_prepare(sqlite3 *db, const char *sql, struct error *err)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) == SQLITE_OK)
		return st;
	(void)db_fail(db, sql, err);
	return NULL;
}

int db_run(sqlite3_stmt *st, struct error *err)
{
	int rc = sqlite3_step(st);
	int again = sqlite3_reset(st);
	BUG_ON(rc == SQLITE_ROW);
	if (rc == SQLITE_DONE && again == SQLITE_OK)
		return 0;
	return db_fail(sqlite3_db_handle(st), sqlite3_sql(st), err);
}

void db_bind_text(sqlite3_stmt *st, int at, struct slice s)
{
	int rc = s.p == NULL ? sqlite3_bind_null(st, at)
	                     : sqlite3_bind_text64(st, at, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
	BUG_ON(rc != SQLITE_OK && rc != SQLITE_TOOBIG && rc != SQLITE_NOMEM);
}

struct slice db_text(sqlite3_stmt *st, int col)
{
	if (sqlite3_column_type(st, col) == SQLITE_NULL)
		return SLICE_NONE;
	const void *p = sqlite3_column_text(st, col);
	return p != NULL ? slice_of(p, (size_t)sqlite3_column_bytes(st, col)) : SLICE("");
}

void db_close(sqlite3 *db)
{
	/* _v2: a statement that somebody forgot must not leave the file open */
	int rc = sqlite3_close_v2(db);
	BUG_ON(rc != SQLITE_OK);
}

static int number_of(sqlite3 *db, const char *sql, int64_t *out, struct error *err)
{
	sqlite3_stmt *st = db_prepare(db, sql, err);
	if (st == NULL)
		return -1;
	int rc = sqlite3_step(st);
	*out = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : db_fail(db, sql, err);
}

/* A new file gets its number and tables in one transaction, so that a crash leaves it new or whole. */
static int make_schema(sqlite3 *db, const char *path, const char *schema, struct error *err)
{
	int64_t format;
	char sql[2048];
	if (number_of(db, "PRAGMA user_version", &format, err) != 0)
		return -1;
	if (format == FORMAT)
		return 0;
	if (format != 0)
		return error_set(err,
		                 "%s has format %lld, this version knows %d: use the carillond that wrote it",
		                 path, (long long)format, FORMAT);
	int n = snprintf(sql, sizeof sql,
	                 "BEGIN IMMEDIATE; PRAGMA application_id=%d; PRAGMA user_version=%d; %s; COMMIT",
	                 APPLICATION, FORMAT, schema);
	BUG_ON(n < 0 || (size_t)n >= sizeof sql);
	return db_exec(db, sql, err);
}

static const char *pragmas(enum db_mode mode)
{
	switch (mode) {
	case DB_JOURNAL:
		return "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=8192; PRAGMA journal_mode=WAL;"
		       "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF;"
		       "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY";
	case DB_SHARED:
		return "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
		       "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY";
	case DB_READ_ONLY:
		return "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
		       "PRAGMA temp_store=MEMORY";
	}
	return "";
}

static int prepare_file(sqlite3 *db, const char *path, enum db_mode mode, const char *schema,
                        struct error *err)
{
	char limit[64];
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	if (db_exec(db, pragmas(mode), err) != 0)
		return -1;
	if (mode == DB_READ_ONLY)
		return 0;
	snprintf(limit, sizeof limit, "PRAGMA journal_size_limit=%d", WAL_KEEP);
	return db_exec(db, limit, err) == 0 ? make_schema(db, path, schema, err) : -1;
}

sqlite3 *db_open(const char *path, enum db_mode mode, const char *schema, struct error *err)
{
	sqlite3 *db = NULL;
	int flags = mode == DB_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		(void)db_fail(db, path, err);
	else if (prepare_file(db, path, mode, schema, err) == 0)
		return db;
	else
		(void)error_wrap(err, "%s", path);
	db_close(db);
	return NULL;
}

int db_check(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *st = db_prepare(db, "PRAGMA quick_check(1)", err);
	if (st == NULL)
		return -1;
	int rc = sqlite3_step(st);
	struct slice said = rc == SQLITE_ROW ? db_text(st, 0) : SLICE_NONE;
	bool ok = slice_is(said, "ok");
	if (!ok && rc == SQLITE_ROW)
		error_set(err, "%s is damaged (" SLICE_FMT "): restore the state directory or move it away",
		          path, SLICE_ARG(said));
	else if (!ok)
		(void)db_fail(db, path, err);
	sqlite3_finalize(st);
	return ok ? 0 : -1;
}
