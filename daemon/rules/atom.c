/* Promises the meaning of every operator, once: the index only guesses, this decides. Must not know the
 * index. Numbers are compared by value where the field is numeric and both sides are numbers, else as text
 * (17.10). */
#include "rules/atom.h"

#include "base/hmap.h"
#include "model/address.h"

static size_t char_length(struct slice s, size_t at)
{
	size_t n = slice_char(s, at);
	return n > 0 ? n : 1;
}

/* The usual walk with one point to come back to: linear in practice, |glob| * |text| at worst. */
bool glob_match(struct slice glob, struct slice text)
{
	size_t g = 0, t = 0, star = SIZE_MAX, back = 0;
	while (t < text.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			back = t;
		} else if (g < glob.n && glob.p[g] == '?') {
			g++;
			t += char_length(text, t);
		} else if (g < glob.n && glob.p[g] == text.p[t]) {
			g++;
			t++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			/* whole characters, or "?" would fit the rest of one */
			back += char_length(text, back);
			t = back;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

bool atom_list_has(const struct value_list *l, struct slice v)
{
	if (l->set != NULL)
		return hmap_get(l->set, v) != NULL;
	for (size_t i = 0; i < l->n; i++) {
		if (slice_eq(l->values[i], v))
			return true;
	}
	return false;
}

static bool equals(const struct atom *a, struct slice constant, struct slice v)
{
	if (slice_eq(constant, v))
		return true;
	double x, y;
	return a->numeric && slice_num(constant, &x) && slice_num(v, &y) && x == y;
}

static bool text_test(const struct atom *a, size_t i, struct slice v)
{
	struct slice t = a->texts[i];
	switch (a->op) {
	case OP_EQ: return equals(a, t, v);
	case OP_CONTAINS: return slice_contains(v, t);
	case OP_STARTS: return slice_starts(v, t);
	case OP_ENDS: return slice_ends(v, t);
	case OP_LIKE: return glob_match(t, v);
	case OP_REGEX: return regex_match(a->regexes[i], v) == REGEX_YES;
	case OP_CIDR:
	case OP_GT:
	case OP_GE:
	case OP_LT:
	case OP_LE:
	case OP_LIST:
	case OP_EXISTS: break;
	}
	bug_stop("an operator without a test", __FILE__, __LINE__);
}

static bool texts_test(const struct atom *a, struct slice v)
{
	for (size_t i = 0; i < a->n_texts; i++) {
		if (text_test(a, i, v))
			return true;
	}
	return false;
}

static bool nets_test(const struct atom *a, struct slice v)
{
	struct address addr, net;
	if (!address_parse(v, &addr))
		return false;
	for (size_t i = 0; i < a->n_nets; i++) {
		memcpy(net.b, a->nets[i].addr, sizeof net.b);
		if (address_in(&addr, &net, a->nets[i].bits))
			return true;
	}
	return false;
}

static bool lists_test(const struct atom *a, struct slice v, const struct value_list *lists, size_t n_lists)
{
	for (size_t i = 0; i < a->n_lists; i++) {
		BUG_ON(a->lists[i] >= n_lists);
		if (atom_list_has(&lists[a->lists[i]], v))
			return true;
	}
	return false;
}

bool atom_test(const struct atom *a, struct value v, const struct value_list *lists, size_t n_lists)
{
	if (a->op == OP_EXISTS)
		return (v.n > 0) == a->want;
	if (v.n == 0)
		return false;
	struct slice s = value_slice(v);
	double x;
	switch (a->op) {
	case OP_EQ:
	case OP_CONTAINS:
	case OP_STARTS:
	case OP_ENDS:
	case OP_LIKE:
	case OP_REGEX: return texts_test(a, s);
	case OP_CIDR: return nets_test(a, s);
	case OP_GT: return slice_num(s, &x) && x > a->bound;
	case OP_GE: return slice_num(s, &x) && x >= a->bound;
	case OP_LT: return slice_num(s, &x) && x < a->bound;
	case OP_LE: return slice_num(s, &x) && x <= a->bound;
	case OP_LIST: return lists_test(a, s, lists, n_lists);
	case OP_EXISTS: break;
	}
	bug_stop("an operator without a test", __FILE__, __LINE__);
}
