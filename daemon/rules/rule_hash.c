/* Canonical text of conditions: the same for every order of keys, items and files, and in every process.
 * Equal atoms are found by it, and a rule's compiled hash (correlation.md section 4, Reload) is made of it.
 */
#include <stdlib.h>

#include "rules/load.h"

static int by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sorted, without repeats, each with its length before it. */
static void canon_set(struct slice *v, size_t n, struct buf *out)
{
	if (n > 1)
		qsort(v, n, sizeof *v, by_bytes);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !slice_eq(v[i], v[i - 1])) {
			buf_printf(out, " %zu:", v[i].n);
			buf_adds(out, v[i]); /* addresses hold NUL octets */
		}
}

void atom_canon(const struct value_list *lists, const struct atom *a, struct buf *out)
{
	size_t n = MAX(a->n_texts, MAX(a->n_lists, a->n_nets)) + 1;
	struct slice *v = xcalloc(n, sizeof *v);
	buf_printf(out, "(" SLICE_FMT " %d %d", SLICE_ARG(a->field.name), (int)a->op, (int)a->numeric);
	if (a->n_lists > 0) {
		for (size_t i = 0; i < a->n_lists; i++)
			v[i] = lists[a->lists[i]].name;
		canon_set(v, a->n_lists, out);
	} else if (a->n_nets > 0) {
		for (size_t i = 0; i < a->n_nets; i++)
			v[i] = slice_of(&a->nets[i], sizeof a->nets[i]);
		canon_set(v, a->n_nets, out);
	} else if (a->n_texts > 0) {
		memcpy(v, a->texts, a->n_texts * sizeof *v);
		canon_set(v, a->n_texts, out);
	} else if (a->op == OP_EXISTS) {
		buf_str(out, a->want ? " yes" : " no");
	} else {
		buf_printf(out, " %.17g", a->bound);
	}
	buf_char(out, ')');
	free(v);
}

void cond_canon(struct loader *ld, const struct cond *c, struct buf *out)
{
	static const char sign[] = {[COND_ATOM] = '.', [COND_ALL] = '&', [COND_ANY] = '|', [COND_NOT] = '!'};
	if (c->kind == COND_ATOM) {
		atom_canon(ld->rs->lists, c->atom, out);
		return;
	}
	BUG_ON(c->n == 0);
	struct slice *kids = xcalloc(c->n, sizeof *kids);
	for (size_t i = 0; i < c->n; i++) {
		struct buf b = {0};
		cond_canon(ld, c->kids[i], &b);
		kids[i] = arena_slice(ld->tmp, buf_slice(&b));
		buf_free(&b);
	}
	buf_printf(out, "(%c", sign[c->kind]);
	canon_set(kids, c->n, out);
	buf_char(out, ')');
	free(kids);
}

/* The steps in their order; where `when` has none, their conditions are the rule's `match`. */
static void canon_steps(struct loader *ld, const struct rule_when *w, const struct cond *const *steps,
                        struct buf *out)
{
	for (size_t i = 0; i < w->n_steps; i++) {
		buf_printf(out, " %s %u ", w->steps[i].absent ? "absent" : "step", w->steps[i].times);
		if (steps[i] != NULL)
			cond_canon(ld, steps[i], out);
	}
}

uint64_t rule_hash(struct loader *ld, const struct rule *r, const struct cond *match,
                   const struct cond *const *steps)
{
	const struct rule_when *w = &r->when;
	struct buf b = {0};
	if (w->n_steps == 0)
		cond_canon(ld, match, &b);
	buf_str(&b, " by");
	/* in the order of the window's key */
	for (size_t i = 0; i < r->n_by; i++)
		buf_printf(&b, " " SLICE_FMT, SLICE_ARG(r->by[i].name));
	buf_printf(&b, " when %u %lld", r->at_least, (long long)r->within);
	if (w->form == WHEN_VALUE)
		buf_printf(&b, " %d " SLICE_FMT " %d %.17g", (int)w->of, SLICE_ARG(w->field.name),
		           (int)w->window, w->at_least);
	if (w->form == WHEN_FEWER)
		buf_printf(&b, " fewer %u " SLICE_FMT, w->fewer_than, SLICE_ARG(w->list));
	if (w->form == WHEN_STEPS)
		buf_printf(&b, " %d %u", (int)w->any_order, w->least);
	canon_steps(ld, w, steps, &b);
	uint64_t h = hash_stable(buf_slice(&b));
	buf_free(&b);
	return h;
}
