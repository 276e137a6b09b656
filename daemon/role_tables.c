/* See role_tables.h. Must not know Redis. */
#include "role_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void role_table_encode(struct buf *out, struct slice id, struct slice prefix, struct slice rows)
{
	BUG_ON(id.n == 0);
	buf_lslice(out, id);
	buf_lslice(out, prefix);
	buf_lslice(out, rows);
}

static bool one_table(struct role_tables *t, struct reader *r, struct error *err)
{
	struct slice id = read_lslice(r), prefix = read_lslice(r), rows = read_lslice(r);
	struct table *table;

	if (!r->ok || id.n == 0)
		return error_set(err, "tables.bin is damaged") == 0;
	table = table_rows(rows, err);
	if (table == NULL)
		return false;
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = (struct role_table){
	    .id = slice_of(slice_dup(id), id.n), .prefix = slice_of(slice_dup(prefix), prefix.n), .rows = table};
	return true;
}

static struct role_tables *decode(struct slice bytes, struct error *err)
{
	struct role_tables *t = xcalloc(1, sizeof *t);
	struct reader r = reader_of(bytes);

	while (r.ok && r.at < r.n)
		if (!one_table(t, &r, err)) {
			role_tables_free(t);
			return NULL;
		}
	return t;
}

struct role_tables *role_tables_open(int fd, struct error *err)
{
	struct role_tables *t = NULL;
	struct stat st;

	if (fd < 0)
		return xcalloc(1, sizeof *t);
	if (fstat(fd, &st) != 0 || st.st_size < 0 || st.st_size > (off_t)ROLE_TABLES_MAX) {
		error_set(err, "tables.bin cannot be read, or is too large");
	} else if (st.st_size == 0) {
		t = xcalloc(1, sizeof *t);
	} else {
		void *mem = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (mem == MAP_FAILED) {
			error_set(err, "tables.bin: cannot map it: %s", strerror(errno));
		} else {
			t = decode(slice_of(mem, (size_t)st.st_size), err);
			munmap(mem, (size_t)st.st_size);
		}
	}
	close(fd);
	return t;
}

void role_tables_free(struct role_tables *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free((char *)(uintptr_t)t->v[i].id.p);
		free((char *)(uintptr_t)t->v[i].prefix.p);
		table_free(t->v[i].rows);
	}
	free(t->v);
	free(t);
}

static const struct table *rows_of(const struct role_tables *t, const struct rule_table *want)
{
	for (size_t i = 0; t != NULL && i < t->n; i++)
		if (slice_eq(t->v[i].id, want->id) && slice_eq(t->v[i].prefix, want->redis))
			return t->v[i].rows;
	return NULL;
}

void role_tables_give(const struct role_tables *t, const struct rule_set *rs, struct matcher *m)
{
	size_t n;
	const struct rule_table *v = rule_set_tables(rs, &n);

	for (size_t i = 0; i < n; i++) {
		if (v[i].redis.n == 0)
			continue;
		BUG_ON(v[i].rows != NULL);
		matcher_table(m, (uint32_t)i, rows_of(t, &v[i]));
	}
}
