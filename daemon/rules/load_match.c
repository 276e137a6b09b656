/* Conditions: keys joined by AND, items of a list by OR, any/all/not, macros put in place by reference
 * (language.md section 4; E020, E025-E028). The tests of one field are load_test_op.c. */

#include "rules/load.h"

static const struct cond *match_inner(struct loader *ld, const struct load_file *file, const struct node *n);

const struct cond *match_join(struct loader *ld, enum cond_kind kind, const struct cond **kids, size_t n,
                              struct mark mark)
{
	BUG_ON(kind == COND_ATOM || n == 0);
	if (n == 1 && kind != COND_NOT)
		return kids[0];
	struct cond *c = arena_alloc(ld->a, sizeof *c);
	const struct cond **v = arena_array(ld->a, n, sizeof *v);
	memcpy(v, kids, n * sizeof *v);
	*c = (struct cond){.kind = kind, .kids = v, .n = n, .mark = mark};
	return c;
}

static const struct cond *match_list(struct loader *ld, const struct load_file *file, const struct node *n,
                                     enum cond_kind kind)
{
	if (n->kind != NODE_LIST) {
		load_error(ld, file, n->kind == NODE_SCALAR && node_null(n) ? "E027" : "E007",
		           n->kind == NODE_SCALAR && n->text.n == 0 ? n->key_mark : n->mark,
		           "expected a list of conditions for '" SLICE_FMT "', got %s%s", SLICE_ARG(n->key),
		           schema_what(n), n->kind == NODE_MAP ? "; put a dash before each condition" : "");
		return NULL;
	}
	if (n->n == 0) {
		load_error(
		    ld, file, "E028", n->mark,
		    "this match is empty and would fit every event; write the condition or delete the rule");
		return NULL;
	}
	const struct cond **kids = arena_array(ld->tmp, n->n, sizeof *kids);
	size_t count = 0;
	bool ok = true;
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		const struct cond *c = match_inner(ld, file, i);
		ok = ok && c != NULL;
		kids[count++] = c;
	}
	return ok ? match_join(ld, kind, kids, count, n->mark) : NULL;
}

static const struct cond *match_not(struct loader *ld, const struct load_file *file, const struct node *n)
{
	const struct cond *c = match_inner(ld, file, n);
	return c != NULL ? match_join(ld, COND_NOT, &c, 1, n->mark) : NULL;
}

/* The stack ends with the macro that names an open one; the finding stands in the one that comes last in the
 * files. */
static void macro_cycle(struct loader *ld, const struct symbol *s)
{
	struct buf way = {0};
	size_t first = 0;
	while (first + 1 < ld->n_macro_stack && ld->macro_stack[first] != s)
		first++;
	const struct symbol *last = ld->macro_stack[first];
	for (size_t i = first; i < ld->n_macro_stack; i++) {
		buf_printf(&way, SLICE_FMT " → ", SLICE_ARG(ld->macro_stack[i]->name));
		if (load_later(ld->macro_stack[i], last))
			last = ld->macro_stack[i];
	}
	load_error(ld, last->file, "E026", last->via->mark, "macros form a cycle: %s" SLICE_FMT,
	           buf_cstr(&way), SLICE_ARG(s->name));
	buf_free(&way);
}

static const struct cond *macro_body(struct loader *ld, struct symbol *s)
{
	if (s->state == MACRO_DONE)
		return s->cond;
	s->state = MACRO_OPEN;
	ld->macro_stack = array_reserve(ld->macro_stack, &ld->cap_macro_stack, ld->n_macro_stack + 1,
	                                sizeof *ld->macro_stack);
	ld->macro_stack[ld->n_macro_stack++] = s;
	size_t weight = ld->weight, level = ld->level;
	ld->weight = ld->level = 0;
	s->cond = match_inner(ld, s->file, s->node);
	s->weight = ld->weight;
	s->level = ld->level + 1;
	ld->weight = weight;
	ld->level = level;
	ld->n_macro_stack--;
	s->state = MACRO_DONE;
	return s->cond;
}

static const struct cond *macro_load(struct loader *ld, const struct load_file *file, const struct node *n)
{
	struct symbol *s = symbol_ref(ld, file, SYMBOL_MACRO, n);
	if (s == NULL)
		return NULL;
	if (ld->n_macro_stack > 0)
		ld->macro_stack[ld->n_macro_stack - 1]->via = n;
	if (s->state == MACRO_OPEN) {
		macro_cycle(ld, s);
		return NULL;
	}
	const struct cond *c = ld->n_macro_stack < MACRO_LEVELS_MAX ? macro_body(ld, s) : NULL;
	ld->weight += s->weight;
	ld->level = MAX(ld->level, s->level);
	if (ld->n_macro_stack + s->level > MACRO_LEVELS_MAX || ld->n_macro_stack == MACRO_LEVELS_MAX) {
		load_error(ld, file, "E009", n->mark, "macros are nested deeper than %d levels",
		           MACRO_LEVELS_MAX);
		return NULL;
	}
	if (ld->weight > COND_TESTS_MAX) {
		load_error(ld, file, "E009", n->mark,
		           "with its macros put in place this condition has more than %d tests",
		           COND_TESTS_MAX);
		ld->weight = 0;
		return NULL;
	}
	return c;
}

void macros_load(struct loader *ld)
{
	for (size_t i = 0; i < ld->n_symbols[SYMBOL_MACRO]; i++)
		(void)macro_body(ld, ld->symbols[SYMBOL_MACRO][i]);
}

static const struct cond *match_macro(struct loader *ld, const struct load_file *file, const struct node *n)
{
	size_t count;
	const struct node **items = value_items(ld, file, n, &count);
	if (items == NULL)
		return NULL;
	const struct cond **kids = arena_array(ld->tmp, count, sizeof *kids);
	bool ok = true;
	for (size_t i = 0; i < count; i++) {
		kids[i] = macro_load(ld, file, items[i]);
		ok = ok && kids[i] != NULL;
	}
	return ok ? match_join(ld, COND_ANY, kids, count, n->mark) : NULL;
}

static const struct cond *match_key(struct loader *ld, const struct load_file *file, const struct node *n)
{
	struct field_ref field;
	if (slice_is(n->key, "any"))
		return match_list(ld, file, n, COND_ANY);
	if (slice_is(n->key, "all"))
		return match_list(ld, file, n, COND_ALL);
	if (slice_is(n->key, "not"))
		return match_not(ld, file, n);
	if (slice_is(n->key, "macro"))
		return match_macro(ld, file, n);
	if (!names_field(ld, file, n->key, n->key_mark, &field))
		return NULL;
	ld->weight++;
	return match_field(ld, file, field, n);
}

static const struct cond *match_inner(struct loader *ld, const struct load_file *file, const struct node *n)
{
	if (n->kind != NODE_MAP) {
		load_error(ld, file, n->kind == NODE_SCALAR && node_null(n) ? "E027" : "E007",
		           n->kind == NODE_SCALAR && n->text.n == 0 && n->key.n > 0 ? n->key_mark : n->mark,
		           "expected a condition such as {host: web1}, got %s%s", schema_what(n),
		           n->kind == NODE_LIST ? "; remove the dash, or write any: before the list" : "");
		return NULL;
	}
	if (n->n == 0) {
		load_error(
		    ld, file, "E028", n->mark,
		    "this match is empty and would fit every event; write the condition or delete the rule");
		return NULL;
	}
	const struct cond **kids = arena_array(ld->tmp, n->n, sizeof *kids);
	size_t count = 0;
	bool ok = true;
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		const struct cond *c = match_key(ld, file, i);
		ok = ok && c != NULL;
		kids[count++] = c;
	}
	return ok ? match_join(ld, COND_ALL, kids, count, n->mark) : NULL;
}

const struct cond *match_load(struct loader *ld, const struct load_file *file, const struct node *n)
{
	BUG_ON(ld->n_macro_stack > 0);
	ld->weight = ld->level = 0;
	return match_inner(ld, file, n);
}

bool match_mentions(const struct cond *c, bool (*is)(const struct atom *a))
{
	if (c->kind == COND_ATOM)
		return is(c->atom);
	for (size_t i = 0; i < c->n; i++)
		if (match_mentions(c->kids[i], is))
			return true;
	return false;
}
