/* Named value sets: inline, from a file, and what the installation adds (language.md sections 2, 11). */
#include <stdlib.h>

#include "rules/load.h"

struct values {
	struct slice *v;
	size_t n, cap;
};

static void values_add(struct loader *ld, struct values *out, struct slice s)
{
	if (s.n == 0)
		return;
	out->v = array_reserve(out->v, &out->cap, out->n + 1, sizeof *out->v);
	out->v[out->n++] = arena_slice(ld->a, s);
}

static void values_inline(struct loader *ld, const struct symbol *s, struct values *out, bool report)
{
	for (const struct node *i = s->node->first; i != NULL; i = i->next) {
		struct slice text;
		if (value_text(ld, s->file, i, report, &text))
			values_add(ld, out, text);
	}
}

static void values_file(struct loader *ld, const struct symbol *s, struct values *out, bool report)
{
	const struct node *path = node_get(s->node, "file");
	if (path == NULL || path->kind != NODE_SCALAR || node_null(path))
		return;
	struct slice text = SLICE_NONE, line;
	if (ld->src->read != NULL)
		text = ld->src->read(ld->src->arg, s->file->name, arena_str(ld->tmp, path->text));
	if (text.p == NULL) {
		if (report)
			load_error(ld, s->file, "E092", path->mark,
			           "cannot read '" SLICE_FMT "': the file is missing or not readable",
			           SLICE_ARG(path->text));
		return;
	}
	while (slice_split(&text, '\n', &line)) {
		line = slice_trim(line);
		/* a '#' inside of a value belongs to it */
		for (size_t i = 0; i < line.n; i++)
			if (line.p[i] == '#' && (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
				line.n = i;
		values_add(ld, out, slice_trim(line));
	}
}

static void values_of(struct loader *ld, const struct symbol *s, struct values *out, bool report)
{
	if (s->node->kind == NODE_LIST)
		values_inline(ld, s, out, report);
	else if (s->node->kind == NODE_MAP)
		values_file(ld, s, out, report);
	if (s->pack == NULL)
		return;
	for (size_t i = 0; i < s->pack->n_list_values[s->pack_list]; i++)
		values_add(ld, out, slice_str(s->pack->list_values[s->pack_list][i]));
}

void lists_check(struct loader *ld)
{
	for (size_t i = 0; i < ld->n_symbols[SYMBOL_LIST]; i++) {
		const struct symbol *s = ld->symbols[SYMBOL_LIST][i];
		const char *thing = arena_printf(ld->tmp, "list '" SLICE_FMT "'", SLICE_ARG(s->name));
		struct values v = {0};
		if (s->node->kind == NODE_SCALAR)
			load_error(ld, s->file, node_null(s->node) ? "E027" : "E007",
			           s->node->text.n > 0 ? s->node->mark : s->node->key_mark,
			           "expected a list for '" SLICE_FMT "', got %s", SLICE_ARG(s->name),
			           schema_what(s->node));
		else if (s->node->kind == NODE_LIST ||
		         schema_check(ld, s->file, s->node, &schema_list_file, thing, s->node->key_mark))
			values_of(ld, s, &v, true);
		free(v.v);
	}
}

/* host and service are compared in lower case, other fields are not: one list may be needed in both forms. */
uint32_t list_number(struct loader *ld, struct symbol *s, bool lower)
{
	BUG_ON(s->kind != SYMBOL_LIST);
	if (s->list[lower] != UINT32_MAX)
		return s->list[lower];
	struct rule_set *rs = ld->rs;
	struct values v = {0};
	values_of(ld, s, &v, false);
	struct value_list list = {.name = s->id, .set = hmap_new()};
	struct slice *all = arena_array(ld->a, v.n + 1, sizeof *all);
	for (size_t i = 0; i < v.n; i++) {
		struct slice one = lower ? value_lower(ld, v.v[i]) : v.v[i];
		if (hmap_get(list.set, one) != NULL)
			continue;
		all[list.n] = one;
		hmap_put(list.set, one, &all[list.n]);
		list.n++;
	}
	list.values = all;
	free(v.v);
	rs->lists = array_reserve(rs->lists, &rs->cap_lists, rs->n_lists + 1, sizeof *rs->lists);
	rs->lists[rs->n_lists] = list;
	s->list[lower] = (uint32_t)rs->n_lists;
	return (uint32_t)rs->n_lists++;
}
