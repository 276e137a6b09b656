/* Front's side: promises view rows as they stood at one moment. Writes nothing and holds no transaction
 * between calls. */
#include <stdlib.h>
#include <unistd.h>

#include "store/db.h"
#include "store/store.h"

enum { VIEW_READER_MAGIC = 0x76696577, LIMIT = 1000 };

struct view_reader {
	uint32_t magic;
	sqlite3 *db;
};

struct view_reader *view_reader_open(const char *dir, struct error *err)
{
	char *path = xasprintf("%s/state.db", dir);
	sqlite3 *db = db_open(path, DB_READ_ONLY, NULL, err);
	/* the tables are made by core: not there yet is an error the caller repeats */
	sqlite3_stmt *st =
	    db != NULL ? db_prepare(db, "SELECT count(*) FROM (SELECT 1 FROM view LIMIT 1)", err) : NULL;
	bool ok = st != NULL &&
	          sqlite3_step(st) == SQLITE_ROW; /* also maps the shared memory, before any sandbox */
	if (st != NULL && !ok)
		(void)db_fail(db, path, err);
	sqlite3_finalize(st);
	free(path);
	if (!ok) {
		if (db != NULL)
			db_close(db);
		return NULL;
	}
	struct view_reader *v = xcalloc(1, sizeof *v);
	v->magic = VIEW_READER_MAGIC;
	v->db = db;
	return v;
}

void view_reader_close(struct view_reader *v)
{
	if (v == NULL)
		return;
	BUG_ON(v->magic != VIEW_READER_MAGIC);
	db_close(v->db);
	v->magic = 0;
	free(v);
}

/* Only the conditions that are asked for, so that an index serves them; values are always bound. */
static void make_sql(const struct view_query *q, struct buf *sql)
{
	buf_str(sql, "SELECT kind, id, parent, state, updated, json FROM view WHERE kind=?1");
	if (q->id.p != NULL)
		buf_str(sql, q->prefix ? " AND id>=?2 AND substr(CAST(id AS BLOB),1,length(?3))=?3"
		                       : " AND id=?2");
	if (q->parent.p != NULL)
		buf_str(sql, " AND parent=?4");
	if (q->state.p != NULL)
		buf_str(sql, " AND state=?5");
	if (q->after.p != NULL)
		buf_str(sql, q->newest_first ? " AND id<?6" : " AND id>?6");
	buf_str(sql, q->newest_first ? " ORDER BY id DESC LIMIT ?7" : " ORDER BY id LIMIT ?7");
}

static void bind(sqlite3_stmt *st, const struct view_query *q)
{
	(void)sqlite3_bind_int(st, 1, (int)q->kind);
	db_bind_text(st, 2, q->id);
	(void)sqlite3_bind_blob64(st, 3, q->id.p, q->id.n, SQLITE_STATIC);
	db_bind_text(st, 4, q->parent);
	db_bind_text(st, 5, q->state);
	db_bind_text(st, 6, q->after);
	(void)sqlite3_bind_int64(st, 7, (sqlite3_int64)(q->limit > 0 ? q->limit : LIMIT));
}

int view_reader_query(struct view_reader *v, const struct view_query *q,
                      void (*row)(void *arg, const struct view_row *r), void *arg, struct error *err)
{
	struct buf sql = {0};
	int n = 0, step;
	BUG_ON(v->magic != VIEW_READER_MAGIC);
	make_sql(q, &sql);
	sqlite3_stmt *st = db_prepare(v->db, buf_cstr(&sql), err);
	buf_free(&sql);
	if (st == NULL)
		return -1;
	bind(st, q);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct view_row r = {
		    .kind = (enum view_kind)sqlite3_column_int(st, 0),
		    .id = db_text(st, 1),
		    .parent = db_text(st, 2),
		    .state = db_text(st, 3),
		    .updated = sqlite3_column_int64(st, 4),
		    .json = db_text(st, 5),
		};
		row(arg, &r);
		n++;
	}
	if (step != SQLITE_DONE)
		n = db_fail(v->db, "reading view rows", err);
	sqlite3_finalize(st);
	return n;
}
