/* Conditions that can never be true (W101) or say nothing (W112), found in their compiled form. A macro is
 * judged where it stands; what spans a macro and its user is told at the user. Source: language.md
 * section 12. */
#include <stdlib.h>

#include "rules/check_lint.h"
#include "rules/imply.h"

struct truth_literal {
	struct literal_use use;
	const struct cond *cond;
	const struct cond *macro; /* the macro's body that it came from, or NULL */
	struct mark mark;
};

struct truth {
	struct loader *ld;
	const struct load_file *file;
	struct truth_literal *v;
	size_t n, cap;
	const struct cond *const *macros; /* sorted addresses */
	size_t n_macros;
	unsigned fuel;
};

/* A lint of one test may have said it already. */
static bool said(const struct truth *t, const char *code, struct mark at)
{
	for (size_t i = 0; i < t->ld->f->n; i++) {
		const struct finding *f = &t->ld->f->v[i];
		if (strcmp(f->code, code) == 0 && f->mark.line == at.line &&
		    strcmp(f->file, t->file->name) == 0)
			return true;
	}
	return false;
}

static void judge(struct truth *t, const struct truth_literal *x, const struct truth_literal *y,
                  bool siblings)
{
	const char *not_x = x->use.negated ? "not " : "", *not_y = y->use.negated ? "not " : "";
	if (x->macro != NULL && x->macro == y->macro)
		return;
	if (imply_never(x->use, y->use)) {
		if (!said(t, "W101", y->mark))
			load_warn(t->ld, t->file, "W101", y->mark,
			          "this can never be true: '%s%s' and '%s%s' exclude each other", not_x,
			          x->cond->text, not_y, y->cond->text);
		return;
	}
	/* what a macro holds is not the user's to remove */
	const struct truth_literal *idle =
	    y->macro == NULL && imply_literal(x->use, y->use)                                   ? y
	    : siblings && x->macro == NULL && y->macro == NULL && imply_literal(y->use, x->use) ? x
	                                                                                        : NULL;
	if (idle != NULL && !said(t, "W112", idle->mark))
		load_warn(t->ld, t->file, "W112", idle->mark,
		          "condition always true here, because '%s%s' is; remove it",
		          idle == y ? not_x : not_y, idle == y ? x->cond->text : y->cond->text);
}

static bool is_macro(const struct truth *t, const struct cond *c)
{
	size_t low = 0, high = t->n_macros;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (t->macros[mid] == c)
			return true;
		if ((uintptr_t)t->macros[mid] < (uintptr_t)c)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

struct branch {
	const struct cond *cond, *macro;
	bool negated;
	struct mark mark;
};
struct branches {
	struct branch *v;
	size_t n, cap;
};

/* The tests that all must hold, and the alternatives to look into afterwards. */
static void gather(struct truth *t, struct branch b, struct branches *alternatives)
{
	if (b.macro == NULL && is_macro(t, b.cond))
		b.macro = b.cond;
	else if (b.macro == NULL && b.cond->mark.line > 0)
		b.mark = b.cond->mark;
	if (b.cond->kind == COND_ATOM) {
		t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
		t->v[t->n++] = (struct truth_literal){{b.cond->atom, b.negated}, b.cond, b.macro, b.mark};
		return;
	}
	if (b.cond->kind != COND_NOT && (b.cond->kind == COND_ALL) == b.negated) {
		alternatives->v = array_reserve(alternatives->v, &alternatives->cap, alternatives->n + 1,
		                                sizeof *alternatives->v);
		alternatives->v[alternatives->n++] = b;
		return;
	}
	for (size_t i = 0; i < b.cond->n; i++)
		gather(t,
		       (struct branch){b.cond->kids[i], b.macro, b.negated != (b.cond->kind == COND_NOT),
		                       b.mark},
		       alternatives);
}

static void walk(struct truth *t, struct branch b)
{
	struct branches alternatives = {0};
	size_t outer = t->n;
	gather(t, b, &alternatives);
	for (size_t k = outer; k < t->n; k++)
		for (size_t i = 0; i < k && t->fuel > 0; i++, t->fuel--)
			judge(t, &t->v[i], &t->v[k], i >= outer);
	for (size_t i = 0; i < alternatives.n; i++) {
		const struct branch *any = &alternatives.v[i];
		for (size_t k = 0; k < any->cond->n; k++) {
			size_t inner = t->n;
			walk(t, (struct branch){any->cond->kids[k], any->macro, any->negated, any->mark});
			t->n = inner;
		}
	}
	free(alternatives.v);
}

static void check(struct truth *t, const struct load_file *file, const struct cond *c, struct mark at)
{
	t->file = file;
	t->n = 0;
	t->fuel = LINT_FUEL;
	if (c != NULL)
		walk(t, (struct branch){c, NULL, false, at});
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (const void *const *)a, y = (uintptr_t) * (const void *const *)b;
	return (x > y) - (x < y);
}

/* Each macro by itself; then it is known and counts as its user's. */
static const struct cond **macros_check(struct truth *t)
{
	struct loader *ld = t->ld;
	size_t n = ld->n_symbols[SYMBOL_MACRO];
	const struct cond **v = arena_array(ld->tmp, n + 1, sizeof *v);
	for (size_t i = 0; i < n; i++) {
		const struct symbol *s = ld->symbols[SYMBOL_MACRO][i];
		check(t, s->file, s->cond, s->node->key_mark);
		v[i] = s->cond;
	}
	if (n > 1)
		qsort(v, n, sizeof *v, by_address);
	t->n_macros = n;
	return v;
}

void check_truth(struct loader *ld)
{
	struct truth t = {.ld = ld};
	t.macros = macros_check(&t);
	for (size_t i = 0; i < ld->rs->n_predicates; i++) {
		const struct predicate *p = &ld->rs->predicates[i];
		const struct symbol *s = ld->symbols[SYMBOL_RULE][p->rule];
		check(&t, s->file, p->cond, s->node->key_mark);
	}
	for (size_t i = 0; i < ld->rs->n_decoders; i++) {
		const struct symbol *s = ld->symbols[SYMBOL_DECODER][i];
		BUG_ON(s->number != i);
		check(&t, s->file, ld->rs->decoders[i].match, s->node->mark);
	}
	free(t.v);
}
