/* Rows of the rules' Redis tables on their way from mapper to intake (language.md section 2): one sealed file holds all
 * tables, each with its id, its key prefix and its rows. */
#ifndef CARILLON_ROLE_TABLES_H
#define CARILLON_ROLE_TABLES_H

#include "base/buf.h"
#include "base/error.h"
#include "rules/matcher.h"
#include "rules/table.h"

#define ROLE_TABLES_MAX (256u << 20) /* octets of all tables together */

struct role_table {
	struct slice id, prefix; /* of the copy's own memory */
	struct table *rows;      /* owned */
};
struct role_tables {
	struct role_table *v;
	size_t n, cap;
};

/* One table into the file's bytes; rows: what table_row_begin and table_row_pair wrote. */
void role_table_encode(struct buf *out, struct slice id, struct slice prefix, struct slice rows);
/* Takes fd (fd < 0: no tables). NULL with err if the file cannot be mapped or is damaged. */
struct role_tables *role_tables_open(int fd, struct error *err) MUST_CHECK;
void role_tables_free(struct role_tables *t); /* NULL is fine */
/* Gives the matcher its rows; t (NULL: none) must outlive it or the next call. A table whose prefix is another one than in
 * these rules has no rows yet. */
void role_tables_give(const struct role_tables *t, const struct rule_set *rs, struct matcher *m);

#endif
