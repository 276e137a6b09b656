/* Two rules that say the same (W102), and suppression that cannot happen (W110). Only what is certain is
 * told: see imply.h. Source: language.md section 12. */
#include <stdlib.h>

#include "rules/check_lint.h"
#include "rules/imply.h"

enum { REQUIRED_MAX = 64 };
#define PAIRS_MAX 4000000u

size_t check_required(const struct cond *c, bool negated, const struct cond **out, bool *negations,
                      size_t max)
{
	size_t n = 0;
	if (max == 0)
		return 0;
	if (c->kind == COND_ATOM) {
		out[0] = c;
		negations[0] = negated;
		return 1;
	}
	if (c->kind != COND_NOT && c->n > 1 && (c->kind == COND_ALL) == negated)
		return 0;
	for (size_t i = 0; i < c->n; i++)
		n += check_required(c->kids[i], negated != (c->kind == COND_NOT), out + n, negations + n,
		                    max - n);
	return n;
}

/* ---- W102 */

/* One bit per field that a test of the condition names. */
static uint64_t fields_of(const struct cond *c)
{
	if (c->kind == COND_ATOM)
		return UINT64_C(1) << (hash_stable(c->atom->field.name) & 63);
	uint64_t all = 0;
	for (size_t i = 0; i < c->n; i++)
		all |= fields_of(c->kids[i]);
	return all;
}

/* Fields without which it cannot be true. */
static uint64_t fields_needed(const struct cond *c)
{
	const struct cond *v[REQUIRED_MAX];
	bool negations[REQUIRED_MAX];
	size_t n = check_required(c, false, v, negations, REQUIRED_MAX);
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++)
		all |= fields_of(v[i]);
	return all;
}

static bool same_by(const struct rule *a, const struct rule *b)
{
	if (a->n_by != b->n_by)
		return false;
	for (size_t i = 0; i < a->n_by; i++) {
		size_t k = 0;
		while (k < b->n_by && !imply_same_field(&a->by[i], &b->by[k]))
			k++;
		if (k == b->n_by)
			return false;
	}
	return true;
}

static bool suppresses(const struct rule *muted, const struct rule *by)
{
	for (size_t i = 0; i < muted->n_suppressed_by; i++) {
		const struct suppression *s = &muted->suppressed_by[i];
		if (s->cond != NULL)
			return true;
		for (size_t k = 0; k < s->n_rules; k++)
			if (s->rules[k] == by->number)
				return true;
	}
	return false;
}

/* A rule that counts, waits or only feeds others may well look at the same events. */
static bool tells_at_once(const struct rule *r)
{
	return r->mode == MODE_LIVE && r->match != PREDICATE_NONE && !r->incident.none && r->open_after == 0;
}

struct overlap_rule {
	const struct rule *rule;
	const struct symbol *symbol;
	const struct cond *cond;
	uint64_t fields, needed;
};

static bool comparable(const struct overlap_rule *a, const struct overlap_rule *b)
{
	return (b->needed & ~a->fields) == 0 && same_by(a->rule, b->rule) && !suppresses(a->rule, b->rule) &&
	       !suppresses(b->rule, a->rule);
}

static void overlap(struct loader *ld, const struct overlap_rule *a, const struct overlap_rule *b)
{
	unsigned fuel = LINT_FUEL;
	const struct overlap_rule *inner = NULL, *outer = b;
	if (comparable(a, b) && imply_cond(a->cond, b->cond, &fuel)) {
		inner = a;
	} else if (comparable(b, a) && imply_cond(b->cond, a->cond, &fuel)) {
		inner = b;
		outer = a;
	}
	if (inner == NULL)
		return;
	const struct symbol *at = load_later(a->symbol, b->symbol) ? a->symbol : b->symbol;
	load_warn(ld, at->file, "W102", at->node->key_mark,
	          "every event that fits '" SLICE_FMT "' also fits '" SLICE_FMT
	          "' with the same 'by'; two alerts will describe one thing",
	          SLICE_ARG(inner->rule->id), SLICE_ARG(outer->rule->id));
}

static void overlaps(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	struct overlap_rule *v = xcalloc(rs->n_rules + 1, sizeof *v);
	unsigned pairs = PAIRS_MAX;
	size_t n = 0;
	for (size_t i = 0; i < rs->n_rules; i++) {
		const struct rule *r = &rs->rules[i];
		const struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		if (!tells_at_once(r) || node_get(s->node, "when") != NULL ||
		    node_get(s->node, "only_during") != NULL)
			continue;
		const struct cond *c = rs->predicates[r->match].cond;
		v[n++] = (struct overlap_rule){r, s, c, fields_of(c), fields_needed(c)};
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && pairs > 0; k++, pairs--)
			overlap(ld, &v[i], &v[k]);
	free(v);
}

/* ---- W110 */

/* Do the two rules require values of `field` that no event has both of? */
static bool apart(const struct loader *ld, const struct rule *a, const struct rule *b, struct slice field)
{
	const struct cond *x[REQUIRED_MAX], *y[REQUIRED_MAX];
	bool not_x[REQUIRED_MAX], not_y[REQUIRED_MAX];
	const struct predicate *p = ld->rs->predicates;
	if (a->match == PREDICATE_NONE || b->match == PREDICATE_NONE)
		return false;
	size_t n = check_required(p[a->match].cond, false, x, not_x, REQUIRED_MAX),
	       m = check_required(p[b->match].cond, false, y, not_y, REQUIRED_MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; slice_eq(x[i]->atom->field.name, field) && k < m; k++)
			if (imply_never((struct literal_use){x[i]->atom, not_x[i]},
			                (struct literal_use){y[k]->atom, not_y[k]}))
				return true;
	return false;
}

static void idle_suppression(struct loader *ld, const struct symbol *s, const struct rule *r,
                             const struct suppression *item, const struct node *at)
{
	for (size_t k = 0; k < item->n_rules; k++) {
		const struct rule *other = &ld->rs->rules[item->rules[k]];
		for (size_t i = 0; i < item->n_same; i++) {
			/* the service of an alert is resolved, not what the event says */
			if (slice_is(item->same[i], "service") || !apart(ld, r, other, item->same[i]))
				continue;
			load_warn(ld, s->file, "W110", at->mark,
			          "suppression by '" SLICE_FMT
			          "' can never apply: the two rules share no value of '" SLICE_FMT "'",
			          SLICE_ARG(other->id), SLICE_ARG(item->same[i]));
			break;
		}
	}
}

static void idle_suppressions(struct loader *ld)
{
	for (size_t i = 0; i < ld->rs->n_rules; i++) {
		const struct rule *r = &ld->rs->rules[i];
		const struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		const struct node *list = node_get(s->node, "suppressed_by");
		const struct node *at = list != NULL ? list->first : NULL;
		for (size_t k = 0; k < r->n_suppressed_by && at != NULL; k++, at = at->next)
			idle_suppression(ld, s, r, &r->suppressed_by[k], at);
	}
}

void check_overlaps(struct loader *ld)
{
	overlaps(ld);
	idle_suppressions(ld);
}
