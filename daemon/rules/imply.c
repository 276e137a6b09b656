/* See imply.h. Absence is part of it: a positive test other than `exists: false` needs its field. */
#include "rules/imply.h"

#include "model/address.h"
#include "rules/atom.h"
#include "rules/regex.h"

bool imply_same_field(const struct field_ref *a, const struct field_ref *b)
{
	return a->core == b->core && (a->core != FIELD_NONE || a->slot == b->slot);
}

static bool is_number_op(enum test_op op)
{
	return op == OP_GT || op == OP_GE || op == OP_LT || op == OP_LE;
}

static bool absent(const struct atom *a)
{
	return a->op == OP_EXISTS && !a->want;
}

/* ---- a value that is known */

/* May the text of an equality stand for the value? By number "1.0" is 1, so that a test of the text says
 * nothing. */
static bool exact(const struct atom *eq, const struct atom *other)
{
	return eq->op == OP_EQ &&
	       (!eq->numeric || is_number_op(other->op) || (other->op == OP_EQ && other->numeric));
}

static bool holds(const struct atom *a, struct slice text)
{
	return atom_test(a, (struct value){.p = text.p, .n = (uint32_t)text.n}, NULL, 0);
}

/* Of the values of `eq`: do all (none) of them fit `a`? */
static bool all_hold(const struct atom *eq, const struct atom *a, bool want)
{
	for (size_t i = 0; i < eq->n_texts; i++)
		if (holds(a, eq->texts[i]) != want)
			return false;
	return eq->n_texts > 0;
}

/* ---- parts of texts */

/* Does every text that fits constant x of `a` have the constant t of `b` where b's operator wants it? */
static bool part_implies(enum test_op a, struct slice x, enum test_op b, struct slice t)
{
	if (b == OP_STARTS)
		return a == OP_STARTS && slice_starts(x, t);
	if (b == OP_ENDS)
		return a == OP_ENDS && slice_ends(x, t);
	return b == OP_CONTAINS && (a == OP_STARTS || a == OP_ENDS || a == OP_CONTAINS) &&
	       slice_contains(x, t);
}

/* A glob's text up to its first wildcard, behind its last one, or any run between. */
static bool glob_implies(struct slice glob, enum test_op b, struct slice t)
{
	size_t at = 0;
	while (at <= glob.n) {
		size_t end = at;
		while (end < glob.n && glob.p[end] != '*' && glob.p[end] != '?')
			end++;
		struct slice run = slice_sub(glob, at, end - at);
		if ((b == OP_CONTAINS && slice_contains(run, t)) ||
		    (b == OP_STARTS && at == 0 && slice_starts(run, t)) ||
		    (b == OP_ENDS && end == glob.n && slice_ends(run, t)))
			return true;
		at = end + 1;
	}
	return false;
}

static bool regex_implies(struct slice pattern, enum test_op b, struct slice t)
{
	enum { LITERALS = 8 };
	struct literal v[LITERALS];
	struct arena *a = arena_new(0);
	bool yes = false;
	size_t n = b == OP_CONTAINS ? regex_literals(pattern, a, v, LITERALS) : 0;
	for (size_t i = 0; i < n && !yes; i++)
		yes = !v[i].caseless && slice_contains(v[i].text, t);
	arena_free(a);
	return yes;
}

static bool text_implies(const struct atom *a, struct slice x, const struct atom *b)
{
	for (size_t i = 0; i < b->n_texts; i++) {
		struct slice t = b->texts[i];
		if (a->op == b->op && slice_eq(x, t))
			return true;
		if (a->op == OP_LIKE    ? glob_implies(x, b->op, t)
		    : a->op == OP_REGEX ? regex_implies(x, b->op, t)
		                        : part_implies(a->op, x, b->op, t))
			return true;
	}
	return false;
}

static bool texts_imply(const struct atom *a, const struct atom *b)
{
	for (size_t i = 0; i < a->n_texts; i++)
		if (!text_implies(a, a->texts[i], b))
			return false;
	return a->n_texts > 0;
}

/* ---- networks, intervals, lists */

static bool net_in(const struct cidr *x, const struct cidr *y)
{
	struct address a, net;
	memcpy(a.b, x->addr, sizeof a.b);
	memcpy(net.b, y->addr, sizeof net.b);
	return x->bits >= y->bits && address_in(&a, &net, y->bits);
}

static bool nets_imply(const struct atom *a, const struct atom *b)
{
	for (size_t i = 0; i < a->n_nets; i++) {
		bool inside = false;
		for (size_t k = 0; k < b->n_nets && !inside; k++)
			inside = net_in(&a->nets[i], &b->nets[k]);
		if (!inside)
			return false;
	}
	return a->n_nets > 0;
}

static bool nets_apart(const struct atom *a, const struct atom *b)
{
	for (size_t i = 0; i < a->n_nets; i++)
		for (size_t k = 0; k < b->n_nets; k++)
			if (net_in(&a->nets[i], &b->nets[k]) || net_in(&b->nets[k], &a->nets[i]))
				return false;
	return a->n_nets > 0 && b->n_nets > 0;
}

static bool lists_imply(const struct atom *a, const struct atom *b)
{
	for (size_t i = 0; i < a->n_lists; i++) {
		bool there = false;
		for (size_t k = 0; k < b->n_lists && !there; k++)
			there = a->lists[i] == b->lists[k];
		if (!there)
			return false;
	}
	return a->n_lists > 0;
}

static bool from_below(enum test_op op)
{
	return op == OP_GT || op == OP_GE;
}

static bool bound_implies(const struct atom *a, const struct atom *b)
{
	if (from_below(a->op) != from_below(b->op))
		return false;
	if (a->bound == b->bound)
		return b->op == OP_GE || b->op == OP_LE || a->op == b->op;
	return from_below(a->op) ? a->bound > b->bound : a->bound < b->bound;
}

static bool bounds_apart(const struct atom *a, const struct atom *b)
{
	if (from_below(a->op) == from_below(b->op))
		return false;
	const struct atom *low = from_below(a->op) ? a : b, *high = low == a ? b : a;
	bool open = low->op == OP_GT || high->op == OP_LT;
	return open ? low->bound >= high->bound : low->bound > high->bound;
}

/* ---- atoms */

static bool atom_implies(const struct atom *a, const struct atom *b)
{
	if (!imply_same_field(&a->field, &b->field))
		return false;
	if (b->op == OP_EXISTS)
		return b->want != absent(a);
	if (a == b)
		return true;
	if (a->op == OP_EXISTS || b->op == OP_LIST)
		return a->op == OP_LIST && lists_imply(a, b);
	if (exact(a, b))
		return all_hold(a, b, true);
	if (is_number_op(a->op))
		return is_number_op(b->op) && bound_implies(a, b);
	if (a->op == OP_CIDR)
		return b->op == OP_CIDR && nets_imply(a, b);
	return a->op != OP_EQ && texts_imply(a, b);
}

/* No start (end) of one is a start (end) of the other. */
static bool edges_apart(const struct atom *a, const struct atom *b)
{
	bool starts = a->op == OP_STARTS;
	for (size_t i = 0; i < a->n_texts; i++)
		for (size_t k = 0; k < b->n_texts; k++) {
			struct slice x = a->texts[i], y = b->texts[k];
			if (starts ? slice_starts(x, y) || slice_starts(y, x)
			           : slice_ends(x, y) || slice_ends(y, x))
				return false;
		}
	return true;
}

static bool atoms_apart(const struct atom *a, const struct atom *b)
{
	if (!imply_same_field(&a->field, &b->field) || a == b)
		return false;
	if (absent(a) || absent(b))
		return absent(a) != absent(b);
	if (a->op == OP_EXISTS || b->op == OP_EXISTS || a->op == OP_LIST || b->op == OP_LIST)
		return false;
	if (exact(a, b))
		return all_hold(a, b, false);
	if (exact(b, a))
		return all_hold(b, a, false);
	if (is_number_op(a->op) && is_number_op(b->op))
		return bounds_apart(a, b);
	if (a->op == OP_CIDR && b->op == OP_CIDR)
		return nets_apart(a, b);
	return a->op == b->op && (a->op == OP_STARTS || a->op == OP_ENDS) && edges_apart(a, b);
}

bool imply_literal(struct literal_use x, struct literal_use y)
{
	if (!x.negated && !y.negated)
		return atom_implies(x.atom, y.atom);
	if (x.negated && y.negated)
		return atom_implies(y.atom, x.atom);
	if (!x.negated)
		return atoms_apart(x.atom, y.atom);
	/* not present is absent, and the other way round */
	return x.atom->op == OP_EXISTS && y.atom->op == OP_EXISTS && x.atom->want != y.atom->want &&
	       imply_same_field(&x.atom->field, &y.atom->field);
}

bool imply_never(struct literal_use x, struct literal_use y)
{
	y.negated = !y.negated;
	return imply_literal(x, y);
}

/* ---- conditions */

/* De Morgan: under a negation all and any change places. */
static enum cond_kind kind_of(const struct cond *c, bool negated)
{
	if (!negated || c->kind == COND_ATOM || c->kind == COND_NOT)
		return c->kind;
	return c->kind == COND_ALL ? COND_ANY : COND_ALL;
}

static bool any_side(const struct cond *a, bool not_a, const struct cond *b, bool not_b, unsigned *fuel)
{
	for (size_t i = 0; kind_of(b, not_b) == COND_ANY && i < b->n; i++)
		if (imply_signed(a, not_a, b->kids[i], not_b, fuel))
			return true;
	for (size_t i = 0; kind_of(a, not_a) == COND_ALL && i < a->n; i++)
		if (imply_signed(a->kids[i], not_a, b, not_b, fuel))
			return true;
	return false;
}

bool imply_signed(const struct cond *a, bool not_a, const struct cond *b, bool not_b, unsigned *fuel)
{
	if (*fuel == 0)
		return false;
	--*fuel;
	if (a == b && not_a == not_b)
		return true;
	if (a->kind == COND_NOT)
		return imply_signed(a->kids[0], !not_a, b, not_b, fuel);
	if (b->kind == COND_NOT)
		return imply_signed(a, not_a, b->kids[0], !not_b, fuel);
	if (kind_of(b, not_b) == COND_ALL) {
		for (size_t i = 0; i < b->n; i++)
			if (!imply_signed(a, not_a, b->kids[i], not_b, fuel))
				return false;
		return true;
	}
	if (kind_of(a, not_a) == COND_ANY) {
		for (size_t i = 0; i < a->n; i++)
			if (!imply_signed(a->kids[i], not_a, b, not_b, fuel))
				return false;
		return true;
	}
	if (a->kind == COND_ATOM && b->kind == COND_ATOM)
		return imply_literal((struct literal_use){a->atom, not_a},
		                     (struct literal_use){b->atom, not_b});
	return any_side(a, not_a, b, not_b, fuel);
}

bool imply_cond(const struct cond *a, const struct cond *b, unsigned *fuel)
{
	return imply_signed(a, false, b, false, fuel);
}
