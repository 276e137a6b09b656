/* Lookup tables and the decoders' `lookup` (language.md sections 2 and 5; E004, E005, E025, E092). */
#include <stdlib.h>

#include "rules/load.h"
#include "rules/table.h"

static void table_read(struct loader *ld, const struct symbol *s, const struct node *file,
                       struct rule_table *out)
{
	struct slice text = SLICE_NONE;
	struct error err;
	uint32_t line;
	if (ld->src->read != NULL)
		text = ld->src->read(ld->src->arg, s->file->name, arena_str(ld->tmp, file->text));
	if (text.p == NULL) {
		load_error(ld, s->file, "E092", file->mark,
		           "cannot read '" SLICE_FMT "': the file is missing or not readable",
		           SLICE_ARG(file->text));
		return;
	}
	out->rows = table_csv(text, out->key, &line, &err);
	if (out->rows != NULL)
		return;
	if (line > 0)
		load_error(ld, s->file, "E092", file->mark, "cannot read '" SLICE_FMT "': line %u: %s",
		           SLICE_ARG(file->text), line, err.text);
	else
		load_error(ld, s->file, "E025", node_get(s->node, "key")->mark,
		           "there is no column '" SLICE_FMT "' in '" SLICE_FMT "'", SLICE_ARG(out->key),
		           SLICE_ARG(file->text));
}

static const struct node *scalar(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);
	return n != NULL && n->kind == NODE_SCALAR && !node_null(n) ? n : NULL;
}

static void table_load(struct loader *ld, const struct symbol *s, struct rule_table *out)
{
	const char *thing = arena_printf(ld->tmp, "table '" SLICE_FMT "'", SLICE_ARG(s->name));
	const struct node *file = node_get(s->node, "file"), *redis = node_get(s->node, "redis");
	out->id = s->id;
	if (!schema_check(ld, s->file, s->node, &schema_table, thing, s->node->key_mark))
		return;
	if (file == NULL && redis == NULL)
		load_error(ld, s->file, "E005", s->node->key_mark, "%s needs 'file' or 'redis'", thing);
	if (file != NULL && redis != NULL)
		load_error(ld, s->file, "E004", redis->key_mark,
		           "'file' and 'redis' exclude each other in %s; remove one", thing);
	if (!key_text(ld, s->file, s->node, "key", &out->key))
		return;
	if (scalar(s->node, "redis") != NULL)
		(void)key_text(ld, s->file, s->node, "redis", &out->redis);
	else if (scalar(s->node, "file") != NULL)
		table_read(ld, s, file, out);
}

static int by_id(const void *a, const void *b)
{
	const struct symbol *const *x = a, *const *y = b;
	return slice_cmp((*x)->id, (*y)->id);
}

void tables_load(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	size_t n = ld->n_symbols[SYMBOL_TABLE];
	if (n > 1)
		qsort(ld->symbols[SYMBOL_TABLE], n, sizeof *ld->symbols[SYMBOL_TABLE], by_id);
	rs->tables = arena_array(ld->a, n + 1, sizeof *rs->tables);
	rs->n_tables = n;
	for (size_t i = 0; i < n; i++) {
		ld->symbols[SYMBOL_TABLE][i]->number = (uint32_t)i;
		table_load(ld, ld->symbols[SYMBOL_TABLE][i], &rs->tables[i]);
	}
}

/* ---- lookup */

/* What columns a Redis table has, nobody knows before it is read. */
static bool column_ok(struct loader *ld, const struct symbol *d, const struct rule_table *t,
                      const struct node *n)
{
	size_t count;
	if (t->rows == NULL || table_has_column(t->rows, n->text))
		return true;
	const struct slice *columns = table_columns(t->rows, &count);
	const char **names = arena_array(ld->tmp, count + 1, sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = columns[i].p;
	load_error(ld, d->file, "E025", n->mark,
	           "there is no column '" SLICE_FMT "' in table '" SLICE_FMT "'%s", SLICE_ARG(n->text),
	           SLICE_ARG(t->id), load_hint(ld, n->text, names, count));
	return false;
}

static void lookup_set(struct loader *ld, const struct symbol *d, const struct node *set,
                       const struct rule_table *t, struct decoder_lookup *out)
{
	if (set == NULL || set->kind != NODE_MAP)
		return;
	if (set->n == 0)
		load_error(ld, d->file, "E027", set->mark,
		           "empty map; write a field and the column of the table");
	struct field_ref *fields = arena_array(ld->a, set->n + 1, sizeof *fields);
	struct slice *columns = arena_array(ld->a, set->n + 1, sizeof *columns);
	for (const struct node *n = set->first; n != NULL; n = n->next) {
		enum value_type type;
		struct slice column;
		if (!names_writable(ld, d->file, n->key, n->key_mark) ||
		    !value_text(ld, d->file, n, true, &column) || (t != NULL && !column_ok(ld, d, t, n)))
			continue;
		if (!names_known(ld, n->key, &type))
			type = VALUE_TEXT;
		fields[out->n] = names_ref(ld, n->key, type);
		columns[out->n++] = column;
	}
	out->fields = fields;
	out->columns = columns;
}

static bool lookup_load(struct loader *ld, const struct symbol *d, const struct node *n,
                        struct decoder_lookup *out)
{
	const char *thing = arena_printf(ld->tmp, "'lookup' of decoder '" SLICE_FMT "'", SLICE_ARG(d->name));
	const struct node *table = node_get(n->kind == NODE_MAP ? n : NULL, "table");
	const struct symbol *t = NULL;
	if (!schema_check(ld, d->file, n, &schema_lookup, thing, n->mark))
		return false;
	if (table != NULL && table->kind == NODE_SCALAR && !node_null(table))
		t = symbol_ref(ld, d->file, SYMBOL_TABLE, table);
	out->key = names_template(ld, d->file, node_get(n, "key"), false);
	out->table = t != NULL ? t->number : 0;
	lookup_set(ld, d, node_get(n, "set"), t != NULL ? &ld->rs->tables[t->number] : NULL, out);
	return t != NULL && out->key != NULL;
}

void decoder_lookups_load(struct loader *ld, const struct symbol *d, struct rule_decoder *out)
{
	const struct node *list = node_get(d->node, "lookup");
	if (list == NULL || list->kind != NODE_LIST)
		return;
	if (list->n == 0)
		load_error(ld, d->file, "E027", list->mark,
		           "empty list; write at least one item or remove 'lookup'");
	struct decoder_lookup *v = arena_array(ld->a, list->n + 1, sizeof *v);
	for (const struct node *n = list->first; n != NULL; n = n->next)
		out->n_lookup += lookup_load(ld, d, n, &v[out->n_lookup]);
	out->lookup = v;
}
