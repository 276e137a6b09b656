/* Inside store only: state.db, the snapshot and the view rows. */
#ifndef CARILLON_STORE_STATE_DB_H
#define CARILLON_STORE_STATE_DB_H

#include "store/store.h"

struct state_db;

struct state_db *state_db_open(const char *dir, struct error *err) MUST_CHECK;
void state_db_close(struct state_db *d); /* NULL is fine */
/* seq 0 and an absent blob if there is none. */
int state_db_load(struct state_db *d, uint64_t *seq, struct buf *blob, struct error *err) MUST_CHECK;
int state_db_snapshot(struct state_db *d, uint64_t seq, struct slice blob, struct error *err) MUST_CHECK;
/* View rows: between begin and end, which is not waited for to be on the platter: a replay writes them again. */
int state_db_views_begin(struct state_db *d, struct error *err) MUST_CHECK;
int state_db_views_clear(struct state_db *d, struct error *err) MUST_CHECK;
int state_db_views_purge(struct state_db *d, const struct view_purge *p, struct error *err) MUST_CHECK;
int state_db_view(struct state_db *d, const struct view_row *row, struct error *err) MUST_CHECK;
int state_db_views_end(struct state_db *d, struct error *err) MUST_CHECK;
uint64_t state_db_wal(const struct state_db *d);
int state_db_checkpoint(struct state_db *d, struct error *err) MUST_CHECK;

#endif
