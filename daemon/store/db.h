/* Inside store only: one SQLite file as we want it, and its errors as sentences. */
#ifndef CARILLON_STORE_DB_H
#define CARILLON_STORE_DB_H

#include <sqlite3.h>

#include "base/error.h"
#include "base/slice.h"

enum db_mode {
	DB_JOURNAL,  /* ours alone: no shared memory file */
	DB_SHARED,   /* others read while we write */
	DB_READ_ONLY /* somebody else's */
};
/* Opens (creates), sets the pragmas, makes `schema`, checks the format number. NULL with err. */
sqlite3 *db_open(const char *path, enum db_mode mode, const char *schema, struct error *err) MUST_CHECK;
void db_close(sqlite3 *db);
int db_check(sqlite3 *db, const char *path, struct error *err) MUST_CHECK; /* quick_check */
int db_exec(sqlite3 *db, const char *sql, struct error *err) MUST_CHECK;
sqlite3_stmt *db_prepare(sqlite3 *db, const char *sql, struct error *err) MUST_CHECK;
/* Runs a statement that gives no row, and resets it. */
int db_run(sqlite3_stmt *st, struct error *err) MUST_CHECK;
int db_fail(sqlite3 *db, const char *what, struct error *err); /* -1 */
void db_bind_text(sqlite3_stmt *st, int at, struct slice s); /* borrowed; absent: NULL */
struct slice db_text(sqlite3_stmt *st, int col);             /* until the next step; absent: NULL */

#endif
