/* Promises that a condition is never true unless one of its guard's keys shows in the event. A key is chosen
 * by how many other conditions use it too: what all rules say ("error") tells nothing. Must not know how keys
 * are looked up. */
#include "rules/guard.h"

#include <stdlib.h>

#include "model/address.h"

enum { LITERALS_MAX = 8, BRANCHES_MAX = 32, SUBSTRING_MAX = 32, SHARED_BY = 8, KEYS_MAX = 64 };

/* All keys of one alternative show together, so any one of them will do. */
struct alternative {
	struct guard_key *keys;
	size_t n;
};

struct atom_keys {
	bool known;
	struct alternative *alternatives; /* one is true when the atom is; n == 0: nothing is known */
	size_t n;
};

struct use {
	uint64_t hash;
	uint32_t n;
};

struct guards {
	struct arena *a;
	const struct value_list *lists;
	size_t n_lists;
	struct atom_keys *atoms; /* by atom number */
	size_t n_atoms;
	struct use *uses;
	size_t slots, n_uses;
};

/* ---- hashes */

uint64_t guard_hash_bytes(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = n * 0x9e3779b97f4a7c15u;
	while (n > 0) {
		uint64_t w = 0;
		size_t part = MIN(n, sizeof w);
		memcpy(&w, s, part);
		h = (h ^ w) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 29;
		s += part;
		n -= part;
	}
	h *= 0x94d049bb133111ebu;
	return h ^ (h >> 32);
}

uint64_t guard_seed(enum guard_kind kind, uint32_t field, uint32_t length)
{
	uint64_t parts[2] = {(uint64_t)kind << 32 | field, length};
	return guard_hash_bytes(parts, sizeof parts);
}

uint64_t guard_hash_number(double x)
{
	double plain = x == 0 ? 0 : x; /* -0 equals 0 */
	return guard_hash_bytes(&plain, sizeof plain);
}

uint32_t guard_length(size_t n)
{
	static const uint32_t steps[] = {64, 48, 32, 24};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (n >= steps[i])
			return steps[i];
	}
	return (uint32_t)MIN(n, 16);
}

/* ---- how many conditions use a key */

static struct use *use_slot(const struct guards *g, uint64_t hash)
{
	for (size_t i = hash & (g->slots - 1);; i = (i + 1) & (g->slots - 1)) {
		if (g->uses[i].n == 0 || g->uses[i].hash == hash)
			return &g->uses[i];
	}
}

static void grow_uses(struct guards *g)
{
	struct use *old = g->uses;
	size_t slots = g->slots;
	g->slots = slots > 0 ? slots * 2 : 1024;
	g->uses = xcalloc(g->slots, sizeof *g->uses);
	for (size_t i = 0; i < slots; i++) {
		if (old[i].n > 0)
			*use_slot(g, old[i].hash) = old[i];
	}
	free(old);
}

static void count_use(struct guards *g, uint64_t hash)
{
	if (g->n_uses * 2 >= g->slots)
		grow_uses(g);
	struct use *u = use_slot(g, hash);
	g->n_uses += u->n == 0;
	u->hash = hash;
	u->n++;
}

static double key_cost(const struct guards *g, const struct guard_key *k)
{
	return (double)k->weight * use_slot(g, k->hash)->n;
}

/* ---- the keys of an atom */

struct key_list {
	struct guards *g;
	uint32_t field;
	struct guard_key v[KEYS_MAX];
	size_t n;
};

static void add_key(struct key_list *l, struct guard_key k)
{
	if (l->n == KEYS_MAX)
		return;
	k.field = l->field;
	k.hash ^= guard_seed(k.kind, k.field, k.length);
	l->v[l->n++] = k;
}

static uint32_t exact_weight(uint32_t field)
{
	switch (field) {
	case FIELD_TYPE:
	case FIELD_SEVERITY:
	case FIELD_STATE: return 200;
	case FIELD_SOURCE: return 100;
	case FIELD_APP: return 10;
	case FIELD_CHECK: return 4;
	default: return 1;
	}
}

static uint32_t present_weight(uint32_t field)
{
	if (field >= FIELD_CORE_MAX)
		return 400;
	bool rare = field == FIELD_DEDUP_KEY || field == FIELD_CODE || field == FIELD_TAGS ||
	            field == FIELD_PORT || field == FIELD_PEER || field == FIELD_CALENDAR ||
	            field == FIELD_EDGE;
	return rare ? 400 : 4000;
}

static void add_exact(struct key_list *l, struct slice s)
{
	struct guard_key k = {
	    .kind = GUARD_EXACT, .hash = guard_hash_bytes(s.p, s.n), .weight = exact_weight(l->field)};
	add_key(l, k);
}

static uint64_t load_folded(const char *p, size_t n)
{
	unsigned char b[8] = {0};
	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)p[i] | 0x20;
	uint64_t w;
	memcpy(&w, b, sizeof w);
	return w;
}

static void add_word(struct key_list *l, struct slice w)
{
	uint64_t first = load_folded(w.p, MIN(w.n, 8)), last = w.n > 8 ? load_folded(w.p + w.n - 8, 8) : 0;
	uint32_t weight = w.n <= 2 ? 40 : w.n == 3 ? 20 : w.n <= 5 ? 6 : w.n <= 7 ? 5 : 4;
	add_key(l, (struct guard_key){
	               .kind = GUARD_WORD, .hash = guard_hash_word(first, last, w.n), .weight = weight});
}

/* The words in a text that stands in the field, as far as their ends are certain. */
static void add_words(struct key_list *l, struct slice s, bool start_bounded, bool end_bounded)
{
	for (size_t i = 0; i < s.n;) {
		size_t j = i;
		while (j < s.n && guard_is_word((unsigned char)s.p[j]))
			j++;
		bool bounded = (i > 0 || start_bounded) && (j < s.n || end_bounded);
		if (j > i && bounded)
			add_word(l, slice_sub(s, i, j - i));
		i = j + 1;
	}
}

static void add_substring(struct key_list *l, struct slice s)
{
	char *text = arena_str(l->g->a, s);
	for (size_t i = 0; i < s.n; i++) {
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] | 0x20);
	}
	uint32_t weight = s.n <= 1 ? 400 : s.n == 2 ? 200 : s.n == 3 ? 100 : 50;
	add_key(l, (struct guard_key){.kind = GUARD_SUBSTRING,
	                              .hash = guard_hash_bytes(text, s.n),
	                              .text = {text, s.n},
	                              .weight = weight});
}

static void add_literal(struct key_list *l, struct slice s, bool start_bounded, bool end_bounded)
{
	if (s.n == 0)
		return;
	add_words(l, s, start_bounded, end_bounded);
	add_substring(l, slice_sub(s, 0, MIN(s.n, SUBSTRING_MAX)));
	if (s.n > SUBSTRING_MAX)
		add_substring(l, slice_sub(s, s.n - SUBSTRING_MAX, SUBSTRING_MAX));
}

static void add_end(struct key_list *l, enum guard_kind kind, struct slice s)
{
	uint32_t n = guard_length(s.n);
	if (n == 0)
		return;
	const char *p = kind == GUARD_PREFIX ? s.p : s.p + s.n - n;
	uint32_t weight = n <= 2 ? 80 : n <= 4 ? 24 : 16;
	add_key(l, (struct guard_key){
	               .kind = kind, .hash = guard_hash_bytes(p, n), .length = n, .weight = weight});
}

static bool is_wild(char c)
{
	return c == '*' || c == '?';
}

static void like_keys(struct key_list *l, struct slice glob)
{
	for (size_t i = 0; i < glob.n;) {
		size_t j = i;
		while (j < glob.n && !is_wild(glob.p[j]))
			j++;
		struct slice piece = slice_sub(glob, i, j - i);
		if (piece.n == glob.n)
			add_exact(l, piece);
		else
			add_literal(l, piece, i == 0, j == glob.n);
		if (i == 0)
			add_end(l, GUARD_PREFIX, piece);
		if (j == glob.n)
			add_end(l, GUARD_SUFFIX, piece);
		i = j + 1;
	}
}

static void equal_keys(struct key_list *l, const struct atom *a, struct slice constant)
{
	double x;
	if (a->numeric && slice_num(constant, &x))
		add_key(l, (struct guard_key){.kind = GUARD_NUMBER,
		                              .hash = guard_hash_number(x),
		                              .weight = exact_weight(l->field)});
	else
		add_exact(l, constant);
}

static void regex_keys(struct key_list *l, struct slice pattern)
{
	struct literal literals[LITERALS_MAX];
	size_t n = regex_literals(pattern, l->g->a, literals, LITERALS_MAX);
	for (size_t i = 0; i < n; i++)
		add_literal(l, literals[i].text, literals[i].word_start, literals[i].word_end);
}

static void text_keys(struct key_list *l, const struct atom *a, struct slice t)
{
	switch (a->op) {
	case OP_EQ: equal_keys(l, a, t); break;
	case OP_CONTAINS: add_literal(l, t, false, false); break;
	case OP_STARTS:
		add_end(l, GUARD_PREFIX, t);
		add_words(l, t, true, false);
		break;
	case OP_ENDS:
		add_end(l, GUARD_SUFFIX, t);
		add_words(l, t, false, true);
		break;
	case OP_LIKE: like_keys(l, t); break;
	case OP_REGEX: regex_keys(l, t); break;
	case OP_CIDR:
	case OP_GT:
	case OP_GE:
	case OP_LT:
	case OP_LE:
	case OP_LIST:
	case OP_EXISTS: BUG_ON(a->n_texts > 0); break;
	}
}

/* Takes the collected keys as one alternative. False when there are none: then the atom has no guard. */
static bool close_alternative(struct key_list *l, struct atom_keys *out)
{
	if (l->n == 0) {
		out->n = 0;
		return false;
	}
	struct guard_key *keys = arena_array(l->g->a, l->n, sizeof *keys);
	memcpy(keys, l->v, l->n * sizeof *keys);
	out->alternatives[out->n++] = (struct alternative){keys, l->n};
	l->n = 0;
	return true;
}

static void texts_keys(struct key_list *l, const struct atom *a, struct atom_keys *out)
{
	struct slice branches[BRANCHES_MAX];
	size_t per_text = a->op == OP_REGEX ? BRANCHES_MAX : 1;
	out->alternatives = arena_array(l->g->a, a->n_texts * per_text, sizeof *out->alternatives);
	for (size_t i = 0; i < a->n_texts; i++) {
		size_t n = 1;
		branches[0] = a->texts[i];
		if (a->op == OP_REGEX)
			n = regex_branches(a->texts[i], branches, BRANCHES_MAX);
		if (n == 0) {
			out->n = 0;
			return;
		}
		for (size_t j = 0; j < n; j++) {
			text_keys(l, a, branches[j]);
			if (!close_alternative(l, out))
				return;
		}
	}
}

static void list_keys(struct key_list *l, const struct atom *a, struct atom_keys *out)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n_lists; i++)
		n += l->g->lists[a->lists[i]].n;
	out->alternatives = arena_array(l->g->a, n, sizeof *out->alternatives);
	for (size_t i = 0; i < a->n_lists; i++) {
		const struct value_list *list = &l->g->lists[a->lists[i]];
		for (size_t j = 0; j < list->n; j++) {
			if (list->values[j].n == 0)
				continue;
			add_exact(l, list->values[j]);
			close_alternative(l, out);
		}
	}
}

static void net_keys(struct key_list *l, const struct atom *a, struct atom_keys *out)
{
	out->alternatives = arena_array(l->g->a, a->n_nets, sizeof *out->alternatives);
	for (size_t i = 0; i < a->n_nets; i++) {
		struct address addr;
		memcpy(addr.b, a->nets[i].addr, sizeof addr.b);
		address_mask(&addr, a->nets[i].bits);
		add_key(l, (struct guard_key){.kind = GUARD_NET,
		                              .hash = guard_hash_bytes(addr.b, sizeof addr.b),
		                              .length = a->nets[i].bits,
		                              .weight = 30});
		close_alternative(l, out);
	}
}

static void single_key(struct key_list *l, struct guard_key k, struct atom_keys *out)
{
	out->alternatives = arena_array(l->g->a, 1, sizeof *out->alternatives);
	add_key(l, k);
	close_alternative(l, out);
}

static void bound_key(struct key_list *l, enum guard_kind kind, double bound, struct atom_keys *out)
{
	struct guard_key k = {.kind = kind, .hash = guard_hash_number(bound), .bound = bound, .weight = 32};
	single_key(l, k, out);
}

static void find_keys(struct guards *g, const struct atom *a, struct atom_keys *out)
{
	struct key_list l = {.g = g, .field = guard_field(&a->field)};
	switch (a->op) {
	case OP_EQ:
	case OP_CONTAINS:
	case OP_STARTS:
	case OP_ENDS:
	case OP_LIKE:
	case OP_REGEX: texts_keys(&l, a, out); break;
	case OP_CIDR: net_keys(&l, a, out); break;
	case OP_GT:
	case OP_GE: bound_key(&l, GUARD_LOWER, a->bound, out); break;
	case OP_LT:
	case OP_LE: bound_key(&l, GUARD_UPPER, a->bound, out); break;
	case OP_LIST: list_keys(&l, a, out); break;
	case OP_EXISTS:
		if (a->want) {
			struct guard_key k = {.kind = GUARD_PRESENT, .weight = present_weight(l.field)};
			single_key(&l, k, out);
		}
		break;
	}
}

static const struct atom_keys *atom_keys(struct guards *g, const struct atom *a)
{
	BUG_ON(a->number >= g->n_atoms);
	struct atom_keys *k = &g->atoms[a->number];
	if (!k->known) {
		k->known = true;
		find_keys(g, a, k);
	}
	return k;
}

/* Only "is not missing" is left of a test under `not`. */
static const struct atom_keys *negated_keys(struct guards *g, const struct atom *a)
{
	if (a->op != OP_EXISTS || a->want)
		return NULL;
	struct key_list l = {.g = g, .field = guard_field(&a->field)};
	struct atom_keys *k = arena_alloc(g->a, sizeof *k);
	single_key(&l, (struct guard_key){.kind = GUARD_PRESENT, .weight = present_weight(l.field)}, k);
	return k;
}

static const struct atom_keys *leaf_keys(struct guards *g, const struct cond *c, bool negated)
{
	return negated ? negated_keys(g, c->atom) : atom_keys(g, c->atom);
}

/* ---- choosing */

static struct guard_key *cheapest(const struct guards *g, const struct alternative *alt)
{
	struct guard_key *best = &alt->keys[0];
	for (size_t i = 1; i < alt->n; i++) {
		if (key_cost(g, &alt->keys[i]) < key_cost(g, best))
			best = &alt->keys[i];
	}
	return best;
}

static struct guard leaf_guard(struct guards *g, const struct cond *c, bool negated)
{
	const struct atom_keys *k = leaf_keys(g, c, negated);
	struct guard out = {0};
	if (k == NULL || k->n == 0)
		return out;
	double sum = 0, max = 0;
	out.keys = arena_array(g->a, k->n, sizeof(struct guard_key *));
	for (size_t i = 0; i < k->n; i++) {
		out.keys[out.n] = cheapest(g, &k->alternatives[i]);
		double cost = key_cost(g, out.keys[out.n++]);
		sum += cost;
		max = MAX(max, cost);
	}
	out.cost = max + sum / 16;
	return out;
}

static struct guard choose(struct guards *g, const struct cond *c, bool negated);

/* All kids hold: the best guard of one of them will do. */
static struct guard best_guard(struct guards *g, const struct cond *c, bool negated)
{
	struct guard best = {0};
	for (size_t i = 0; i < c->n; i++) {
		struct guard one = choose(g, c->kids[i], negated);
		if (one.keys != NULL && (best.keys == NULL || one.cost < best.cost))
			best = one;
	}
	return best;
}

/* One kid holds: all their guards together. */
static struct guard joined_guard(struct guards *g, const struct cond *c, bool negated)
{
	struct guard *each = arena_array(g->a, c->n, sizeof *each);
	struct guard out = {0};
	double sum = 0, max = 0;
	for (size_t i = 0; i < c->n; i++) {
		each[i] = choose(g, c->kids[i], negated);
		if (each[i].keys == NULL)
			return (struct guard){0};
		out.n += each[i].n;
		sum += each[i].cost;
		max = MAX(max, each[i].cost);
	}
	out.keys = arena_array(g->a, out.n, sizeof(struct guard_key *));
	for (size_t i = 0, at = 0; i < c->n; i++) {
		memcpy(out.keys + at, each[i].keys, each[i].n * sizeof(struct guard_key *));
		at += each[i].n;
	}
	out.cost = max + sum / 16;
	return out;
}

static struct guard choose(struct guards *g, const struct cond *c, bool negated)
{
	switch (c->kind) {
	case COND_ATOM: return leaf_guard(g, c, negated);
	case COND_ALL: return negated ? joined_guard(g, c, true) : best_guard(g, c, false);
	case COND_ANY: return negated ? best_guard(g, c, true) : joined_guard(g, c, false);
	case COND_NOT: return choose(g, c->kids[0], !negated);
	}
	bug_stop("a condition of no kind", __FILE__, __LINE__);
}

/* ---- further keys, for guards that many conditions share */

static bool is_guard_key(const struct guard *guard, const struct guard_key *k)
{
	for (size_t i = 0; i < guard->n; i++) {
		if (guard->keys[i]->hash == k->hash)
			return true;
	}
	for (size_t i = 0; i < guard->n_also; i++) {
		if (guard->also[i]->hash == k->hash)
			return true;
	}
	return false;
}

static void offer_also(const struct guards *g, struct guard *guard, struct guard_key *k)
{
	if (k->kind > GUARD_PRESENT || is_guard_key(guard, k))
		return;
	if (guard->n_also < GUARD_ALSO) {
		guard->also[guard->n_also++] = k;
		return;
	}
	size_t worst = 0;
	for (size_t i = 1; i < guard->n_also; i++) {
		if (key_cost(g, guard->also[i]) > key_cost(g, guard->also[worst]))
			worst = i;
	}
	if (key_cost(g, k) < key_cost(g, guard->also[worst]))
		guard->also[worst] = k;
}

/* Keys of tests that must all be true and have one alternative. */
static void find_also(struct guards *g, const struct cond *c, struct guard *guard)
{
	if (c->kind == COND_ALL) {
		for (size_t i = 0; i < c->n; i++)
			find_also(g, c->kids[i], guard);
	} else if (c->kind == COND_ATOM) {
		const struct atom_keys *k = atom_keys(g, c->atom);
		for (size_t i = 0; k->n == 1 && i < k->alternatives[0].n; i++)
			offer_also(g, guard, &k->alternatives[0].keys[i]);
	}
}

struct guard guard_choose(struct guards *g, const struct cond *c)
{
	struct guard out = choose(g, c, false);
	uint32_t shared = 0;
	for (size_t i = 0; i < out.n; i++)
		shared = MAX(shared, use_slot(g, out.keys[i]->hash)->n);
	if (shared > SHARED_BY) {
		out.also = arena_array(g->a, GUARD_ALSO, sizeof(struct guard_key *));
		find_also(g, c, &out);
	}
	return out;
}

/* ---- the whole */

static void count_cond(struct guards *g, const struct cond *c, bool negated)
{
	if (c->kind != COND_ATOM) {
		for (size_t i = 0; i < c->n; i++)
			count_cond(g, c->kids[i], negated != (c->kind == COND_NOT));
		return;
	}
	const struct atom_keys *k = leaf_keys(g, c, negated);
	for (size_t i = 0; k != NULL && i < k->n; i++) {
		for (size_t j = 0; j < k->alternatives[i].n; j++)
			count_use(g, k->alternatives[i].keys[j].hash);
	}
}

static size_t atoms_end(const struct cond *c)
{
	if (c->kind == COND_ATOM)
		return (size_t)c->atom->number + 1;
	size_t end = 0;
	for (size_t i = 0; i < c->n; i++) {
		size_t kid = atoms_end(c->kids[i]);
		end = MAX(end, kid);
	}
	return end;
}

struct guards *guards_new(struct arena *a, const struct index_item *items, size_t n,
                          const struct value_list *lists, size_t n_lists)
{
	struct guards *g = xcalloc(1, sizeof *g);
	*g = (struct guards){.a = a, .lists = lists, .n_lists = n_lists};
	for (size_t i = 0; i < n; i++) {
		size_t end = atoms_end(items[i].cond);
		g->n_atoms = MAX(g->n_atoms, end);
	}
	g->atoms = xcalloc(g->n_atoms + 1, sizeof *g->atoms);
	grow_uses(g);
	for (size_t i = 0; i < n; i++)
		count_cond(g, items[i].cond, false);
	return g;
}

void guards_free(struct guards *g)
{
	free(g->atoms);
	free(g->uses);
	free(g);
}
