/* A lookup table: rows found by their key, values by the name of their column (language.md sections 2 and 5). Built once,
 * then only read. */
#ifndef CARILLON_RULES_TABLE_H
#define CARILLON_RULES_TABLE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hmap.h"

#define TABLE_ROWS_MAX    1000000
#define TABLE_COLUMNS_MAX 256

struct table;

/* CSV as RFC 4180 has it, first line the names of the columns; CR LF or LF, a BOM in front is skipped. NULL with err and the
 * line of the fault (0: of none): another number of columns, a quote inside of an unquoted value, a key twice, no such column. Rows
 * whose key is empty are left out. */
struct table *table_csv(struct slice text, struct slice key, uint32_t *line, struct error *err) MUST_CHECK;
void table_free(struct table *t);
/* Copies of the names in the first line; no_key: the column `key` is not there. */
bool table_has_column(const struct table *t, struct slice column);
const struct slice *table_columns(const struct table *t, size_t *n);
/* Absent: no such row, or its value is empty. Lives as long as the table. */
struct slice table_get(const struct table *t, struct slice key, struct slice column);
bool table_has(const struct table *t, struct slice key);
size_t table_len(const struct table *t);

/* ---- rows from elsewhere (Redis): as bytes, so that they can be sent */

void table_row_begin(struct buf *out, struct slice key, uint32_t n); /* then n pairs */
void table_row_pair(struct buf *out, struct slice column, struct slice value);
/* NULL with err if the bytes are damaged or too many rows. */
struct table *table_rows(struct slice bytes, struct error *err) MUST_CHECK;

#endif
