/* Promises rows by key, whatever the text: sizes are bounded, and a fault names its line. Must not know
 * files. */
#include "rules/table.h"

#include <stdlib.h>

#include "base/arena.h"

struct table {
	struct arena *arena;
	struct hmap *rows;    /* key → one value for each column */
	struct hmap *columns; /* name → number + 1 */
	struct slice *names;
	size_t n_names, cap_names;
};

static struct table *table_new(void)
{
	struct table *t = xcalloc(1, sizeof *t);
	t->arena = arena_new(0);
	t->rows = hmap_new();
	t->columns = hmap_new();
	return t;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	hmap_free(t->rows);
	hmap_free(t->columns);
	free(t->names);
	arena_free(t->arena);
	free(t);
}

/* SIZE_MAX: there are too many. */
static size_t column_add(struct table *t, struct slice name)
{
	uintptr_t known = (uintptr_t)hmap_get(t->columns, name);
	if (known != 0)
		return known - 1;
	if (t->n_names == TABLE_COLUMNS_MAX)
		return SIZE_MAX;
	t->names = array_reserve(t->names, &t->cap_names, t->n_names + 1, sizeof *t->names);
	t->names[t->n_names++] = arena_slice(t->arena, name);
	hmap_put(t->columns, name, (void *)(uintptr_t)t->n_names);
	return t->n_names - 1;
}

bool table_has_column(const struct table *t, struct slice column)
{
	return hmap_get(t->columns, column) != NULL;
}

const struct slice *table_columns(const struct table *t, size_t *n)
{
	*n = t->n_names;
	return t->names;
}

bool table_has(const struct table *t, struct slice key)
{
	return hmap_get(t->rows, key) != NULL;
}

size_t table_len(const struct table *t)
{
	return hmap_len(t->rows);
}

/* A row has as many values as there were columns when it was made, the number in front. */
struct row {
	size_t n;
	struct slice v[];
};

struct slice table_get(const struct table *t, struct slice key, struct slice column)
{
	const struct row *r = hmap_get(t->rows, key);
	uintptr_t c = (uintptr_t)hmap_get(t->columns, column);
	return r != NULL && c > 0 && c <= r->n && r->v[c - 1].n > 0 ? r->v[c - 1] : SLICE_NONE;
}

/* ---- CSV */

struct csv {
	struct slice text;
	size_t at;
	uint32_t line;
	struct buf value;
};

enum csv_end { CSV_VALUE, CSV_ROW, CSV_FILE, CSV_FAULT };

static bool line_end(struct csv *c)
{
	if (c->at + 1 < c->text.n && c->text.p[c->at] == '\r' && c->text.p[c->at + 1] == '\n')
		c->at++;
	if (c->at >= c->text.n || c->text.p[c->at] != '\n')
		return false;
	c->at++;
	c->line++;
	return true;
}

static bool quoted(struct csv *c, struct error *err)
{
	for (c->at++; c->at < c->text.n; c->at++) {
		char one = c->text.p[c->at];
		if (one == '"' && (c->at + 1 >= c->text.n || c->text.p[c->at + 1] != '"')) {
			c->at++;
			return true;
		}
		c->at += one == '"';
		c->line += one == '\n';
		buf_char(&c->value, one);
	}
	return error_set(err, "a quoted value does not end") == 0;
}

/* One value into c->value, and what stands behind it. */
static enum csv_end csv_next(struct csv *c, struct error *err)
{
	buf_clear(&c->value);
	if (c->at < c->text.n && c->text.p[c->at] == '"' && !quoted(c, err))
		return CSV_FAULT;
	for (; c->at < c->text.n; c->at++) {
		size_t from = c->at;
		if (c->text.p[c->at] == ',') {
			c->at++;
			return CSV_VALUE;
		}
		if (line_end(c))
			return c->at < c->text.n ? CSV_ROW : CSV_FILE;
		c->at = from;
		if (c->text.p[c->at] == '"' || (from > 0 && c->text.p[from - 1] == '"' && c->value.n > 0)) {
			error_set(
			    err,
			    "a quote inside of a value; put the whole value in quotes and write it twice");
			return CSV_FAULT;
		}
		buf_char(&c->value, c->text.p[c->at]);
	}
	return CSV_FILE;
}

static struct slice value_of_csv(const struct csv *c)
{
	return slice_trim((struct slice){c->value.n > 0 ? c->value.p : "", c->value.n});
}

static enum csv_end head_read(struct table *t, struct csv *c, struct error *err)
{
	enum csv_end end;
	do {
		end = csv_next(c, err);
		struct slice name = value_of_csv(c);
		if (end == CSV_FAULT)
			return end;
		if (name.n == 0 || table_has_column(t, name)) {
			error_set(err, "the first line must give each column another name");
			return CSV_FAULT;
		}
		if (column_add(t, name) == SIZE_MAX) {
			error_set(err, "there are more than %d columns", TABLE_COLUMNS_MAX);
			return CSV_FAULT;
		}
	} while (end == CSV_VALUE);
	return end;
}

static bool row_put(struct table *t, struct row *r, size_t key, struct error *err)
{
	if (r->v[key].n == 0)
		return true;
	if (hmap_get(t->rows, r->v[key]) != NULL)
		return error_set(err, "the key '" SLICE_FMT "' stands there twice",
		                 SLICE_ARG(slice_sub(r->v[key], 0, 80))) == 0;
	if (hmap_len(t->rows) == TABLE_ROWS_MAX)
		return error_set(err, "there are more than %d rows", TABLE_ROWS_MAX) == 0;
	hmap_put(t->rows, r->v[key], r);
	return true;
}

static enum csv_end row_read(struct table *t, struct csv *c, size_t key, struct error *err)
{
	struct row *r = arena_alloc(t->arena, sizeof *r + t->n_names * sizeof *r->v);
	enum csv_end end = CSV_VALUE;
	size_t n = 0;
	for (; end == CSV_VALUE; n++) {
		end = csv_next(c, err);
		if (end == CSV_FAULT)
			return end;
		if (n < t->n_names && c->value.n > 0)
			r->v[n] = arena_slice(t->arena, value_of_csv(c));
	}
	if (n == 1 && c->value.n == 0)
		return end; /* an empty line */
	r->n = t->n_names;
	if (n != t->n_names) {
		error_set(err, "%zu values, but the first line has %zu", n, t->n_names);
		return CSV_FAULT;
	}
	return row_put(t, r, key, err) ? end : CSV_FAULT;
}

struct table *table_csv(struct slice text, struct slice key, uint32_t *line, struct error *err)
{
	struct table *t = table_new();
	struct csv c = {.text = text, .line = 1};
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		c.at = 3;
	*line = 1;
	enum csv_end end = head_read(t, &c, err);
	uintptr_t column = (uintptr_t)hmap_get(t->columns, key);
	if (end != CSV_FAULT && column == 0) {
		*line = 0;
		error_set(err, "there is no column '" SLICE_FMT "' in its first line", SLICE_ARG(key));
		end = CSV_FAULT;
	}
	while (end == CSV_ROW) {
		*line = c.line;
		end = row_read(t, &c, column - 1, err);
	}
	buf_free(&c.value);
	if (end != CSV_FAULT)
		return t;
	table_free(t);
	return NULL;
}

/* ---- rows as bytes */

void table_row_begin(struct buf *out, struct slice key, uint32_t n)
{
	buf_lslice(out, key);
	buf_u32(out, n);
}

void table_row_pair(struct buf *out, struct slice column, struct slice value)
{
	buf_lslice(out, column);
	buf_lslice(out, value);
}

static bool row_decode(struct table *t, struct reader *r)
{
	struct slice key = read_lslice(r);
	uint32_t n = read_u32(r);
	struct slice v[TABLE_COLUMNS_MAX] = {{NULL, 0}};
	for (uint32_t i = 0; r->ok && i < n; i++) {
		struct slice name = read_lslice(r), value = read_lslice(r);
		size_t column = r->ok && name.n > 0 ? column_add(t, name) : SIZE_MAX;
		if (column != SIZE_MAX)
			v[column] = value;
	}
	if (!r->ok || hmap_len(t->rows) == TABLE_ROWS_MAX)
		return false;
	struct row *row = arena_alloc(t->arena, sizeof *row + t->n_names * sizeof *row->v);
	row->n = t->n_names;
	for (size_t i = 0; i < t->n_names; i++)
		row->v[i] = v[i].n > 0 ? arena_slice(t->arena, v[i]) : SLICE_NONE;
	if (key.n > 0)
		hmap_put(t->rows, key, row);
	return true;
}

struct table *table_rows(struct slice bytes, struct error *err)
{
	struct table *t = table_new();
	struct reader r = reader_of(bytes);
	while (r.ok && r.at < r.n) {
		if (row_decode(t, &r))
			continue;
		table_free(t);
		error_set(err, "the rows of the table are damaged, or there are more than %d",
		          TABLE_ROWS_MAX);
		return NULL;
	}
	return t;
}
