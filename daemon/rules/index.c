/* Promises every item whose condition may be true: never one too few. An event's values are turned into keys,
 * keys into items. Items that share a key are told apart by further keys of theirs, as a mask of bits. Must
 * not know rules. */
#include "rules/index.h"

#include <stdlib.h>

#include "model/address.h"
#include "rules/index_impl.h"

enum { LENGTHS_MAX = 24, FIELD_LOCAL = FIELD_CORE_MAX };

struct threshold {
	double bound;
	uint32_t key;
};

/* What is asked about one field. */
struct field_plan {
	uint32_t field;
	unsigned kinds; /* bits by enum guard_kind */
	uint64_t seeds[GUARD_SUBSTRING + 1];
	uint32_t prefixes[LENGTHS_MAX], suffixes[LENGTHS_MAX];
	uint64_t prefix_seeds[LENGTHS_MAX], suffix_seeds[LENGTHS_MAX];
	size_t n_prefixes, n_suffixes;
	uint32_t nets[129];
	size_t n_nets;
	struct threshold *lower, *upper; /* ascending */
	size_t n_lower, n_upper, cap_lower, cap_upper;
	struct substrings *substrings;
};

/* The items that wait for a key: entry i of the arrays below, for from <= i < from + n. */
struct key_entry {
	uint32_t from, n;
	uint64_t bit;
};

struct index {
	size_t n;               /* items; inside they are numbered by place */
	uint32_t *numbers;      /* ascending */
	uint32_t *depends_from; /* n + 1 */
	uint32_t *depends;
	uint32_t *always;
	size_t n_always;
	struct key_table table;
	struct key_entry *keys;
	size_t n_keys, cap_keys;
	uint32_t *waiting; /* places of items */
	uint64_t *masks;   /* bits that must have shown too */
	struct field_plan *plans;
	size_t n_plans, cap_plans;
	struct index_cost cost;
};

struct index_scratch {
	const struct index *ix;
	uint32_t generation;
	uint32_t *seen; /* by key: the generation that met it */
	uint32_t *hits; /* keys with waiting items */
	size_t n_hits;
	uint64_t mask;
	uint64_t *bits;    /* by place of item */
	uint64_t *summary; /* by word of bits */
	uint32_t *out;
	char *text; /* a padded copy */
	uint64_t *hashes;
	size_t cap_text;
};

/* ---- building */

/* One item at one key, before they are sorted together. */
struct waiter {
	uint32_t key, place;
	uint64_t mask;
};
struct build {
	struct index *ix;
	struct arena *a;
	struct waiter *v;
	size_t n, cap;
	uint32_t *depends;
	size_t n_depends, cap_depends;
};

static struct field_plan *plan_of(struct index *ix, uint32_t field)
{
	for (size_t i = 0; i < ix->n_plans; i++) {
		if (ix->plans[i].field == field)
			return &ix->plans[i];
	}
	ix->plans = array_reserve(ix->plans, &ix->cap_plans, ix->n_plans + 1, sizeof *ix->plans);
	struct field_plan *p = &ix->plans[ix->n_plans++];
	*p = (struct field_plan){.field = field};
	for (unsigned k = 0; k <= GUARD_SUBSTRING; k++)
		p->seeds[k] = guard_seed((enum guard_kind)k, field, 0);
	return p;
}

static void add_length(uint32_t *v, uint64_t *seeds, size_t *n, const struct guard_key *k)
{
	for (size_t i = 0; i < *n; i++) {
		if (v[i] == k->length)
			return;
	}
	BUG_ON(*n == LENGTHS_MAX);
	seeds[*n] = guard_seed(k->kind, k->field, k->length);
	v[(*n)++] = k->length;
}

static void add_net(struct field_plan *p, uint32_t bits)
{
	for (size_t i = 0; i < p->n_nets; i++) {
		if (p->nets[i] == bits)
			return;
	}
	p->nets[p->n_nets++] = bits;
}

static void add_threshold(struct threshold **v, size_t *n, size_t *cap, double bound, uint32_t key)
{
	*v = array_reserve(*v, cap, *n + 1, sizeof **v);
	(*v)[(*n)++] = (struct threshold){bound, key};
}

static void plan_key(struct index *ix, const struct guard_key *k, uint32_t number)
{
	struct field_plan *p = plan_of(ix, k->field);
	p->kinds |= 1u << k->kind;
	switch (k->kind) {
	case GUARD_EXACT:
	case GUARD_NUMBER:
	case GUARD_PRESENT: ix->cost.exact++; break;
	case GUARD_WORD: ix->cost.words++; break;
	case GUARD_PREFIX:
		add_length(p->prefixes, p->prefix_seeds, &p->n_prefixes, k);
		ix->cost.prefixes++;
		break;
	case GUARD_SUFFIX:
		add_length(p->suffixes, p->suffix_seeds, &p->n_suffixes, k);
		ix->cost.prefixes++;
		break;
	case GUARD_NET:
		add_net(p, k->length);
		ix->cost.nets++;
		break;
	case GUARD_LOWER:
		add_threshold(&p->lower, &p->n_lower, &p->cap_lower, k->bound, number);
		ix->cost.bounds++;
		break;
	case GUARD_UPPER:
		add_threshold(&p->upper, &p->n_upper, &p->cap_upper, k->bound, number);
		ix->cost.bounds++;
		break;
	case GUARD_SUBSTRING:
		if (p->substrings == NULL)
			p->substrings = substrings_new();
		substrings_add(p->substrings, k->text, number);
		ix->cost.substrings++;
		break;
	}
}

/* All keys are found by hash while building, also those that are asked in another way later. */
static uint32_t key_number(struct index *ix, const struct guard_key *k)
{
	uint32_t number = key_table_find(&ix->table, k->hash);
	if (number != UINT32_MAX)
		return number;
	ix->keys = array_reserve(ix->keys, &ix->cap_keys, ix->n_keys + 1, sizeof *ix->keys);
	number = (uint32_t)ix->n_keys++;
	ix->keys[number] = (struct key_entry){.bit = (uint64_t)1 << (number % 64)};
	key_table_put(&ix->table, k->hash, number);
	plan_key(ix, k, number);
	return number;
}

static void add_depends(struct build *b, size_t from, uint32_t field)
{
	for (size_t i = from; i < b->n_depends; i++) {
		if (b->depends[i] == field)
			return;
	}
	b->depends = array_reserve(b->depends, &b->cap_depends, b->n_depends + 1, sizeof *b->depends);
	b->depends[b->n_depends++] = field;
}

static void add_item(struct build *b, struct guards *g, uint32_t place, const struct cond *c)
{
	struct guard guard = guard_choose(g, c);
	size_t from = b->n_depends;
	uint64_t mask = 0;
	if (guard.keys == NULL) {
		b->ix->always[b->ix->n_always++] = place;
		return;
	}
	for (size_t i = 0; i < guard.n_also; i++) {
		uint32_t key = key_number(b->ix, guard.also[i]); /* moves the keys */
		mask |= b->ix->keys[key].bit;
		add_depends(b, from, guard.also[i]->field);
	}
	for (size_t i = 0; i < guard.n; i++) {
		b->v = array_reserve(b->v, &b->cap, b->n + 1, sizeof *b->v);
		b->v[b->n++] = (struct waiter){key_number(b->ix, guard.keys[i]), place, mask};
		add_depends(b, from, guard.keys[i]->field);
	}
}

static int waiter_order(const void *x, const void *y)
{
	const struct waiter *a = x, *b = y;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static void lay_out(struct build *b)
{
	struct index *ix = b->ix;
	if (b->n > 0)
		qsort(b->v, b->n, sizeof *b->v, waiter_order);
	ix->waiting = xcalloc(b->n + 1, sizeof *ix->waiting);
	ix->masks = xcalloc(b->n + 1, sizeof *ix->masks);
	for (size_t i = 0; i < b->n; i++) {
		struct key_entry *k = &ix->keys[b->v[i].key];
		if (k->n++ == 0)
			k->from = (uint32_t)i;
		ix->waiting[i] = b->v[i].place;
		ix->masks[i] = b->v[i].mask;
	}
	free(b->v);
	ix->depends = b->depends;
}

static int threshold_order(const void *x, const void *y)
{
	const struct threshold *a = x, *b = y;
	return a->bound < b->bound ? -1 : a->bound > b->bound;
}

static int plan_order(const void *x, const void *y)
{
	const struct field_plan *a = x, *b = y;
	return a->field < b->field ? -1 : a->field > b->field;
}

static void finish_plans(struct index *ix)
{
	for (size_t i = 0; i < ix->n_plans; i++) {
		struct field_plan *p = &ix->plans[i];
		if (p->n_lower > 0)
			qsort(p->lower, p->n_lower, sizeof *p->lower, threshold_order);
		if (p->n_upper > 0)
			qsort(p->upper, p->n_upper, sizeof *p->upper, threshold_order);
		if (p->substrings != NULL)
			substrings_finish(p->substrings);
	}
	if (ix->n_plans > 0)
		qsort(ix->plans, ix->n_plans, sizeof *ix->plans, plan_order);
}

struct index *index_new(const struct index_item *items, size_t n, const struct value_list *lists,
                        size_t n_lists, size_t n_slots)
{
	struct index *ix = xcalloc(1, sizeof *ix);
	ix->n = n;
	ix->numbers = xcalloc(n + 1, sizeof *ix->numbers);
	ix->always = xcalloc(n + 1, sizeof *ix->always);
	ix->depends_from = xcalloc(n + 2, sizeof *ix->depends_from);
	key_table_init(&ix->table);
	struct build b = {.ix = ix, .a = arena_new(0)};
	struct guards *g = guards_new(b.a, items, n, lists, n_lists);
	for (size_t i = 0; i < n; i++) {
		BUG_ON(i > 0 && items[i].number <= items[i - 1].number);
		ix->numbers[i] = items[i].number;
		add_item(&b, g, (uint32_t)i, items[i].cond);
		ix->depends_from[i + 1] = (uint32_t)b.n_depends;
	}
	lay_out(&b);
	finish_plans(ix);
	guards_free(g);
	arena_free(b.a);
	ix->cost.always = ix->n_always;
	BUG_ON(ix->n_plans > FIELD_LOCAL + n_slots);
	return ix;
}

void index_free(struct index *ix)
{
	if (ix == NULL)
		return;
	for (size_t i = 0; i < ix->n_plans; i++) {
		free(ix->plans[i].lower);
		free(ix->plans[i].upper);
		substrings_free(ix->plans[i].substrings);
	}
	key_table_free(&ix->table);
	free(ix->numbers);
	free(ix->depends_from);
	free(ix->depends);
	free(ix->always);
	free(ix->keys);
	free(ix->waiting);
	free(ix->masks);
	free(ix->plans);
	free(ix);
}

void index_cost(const struct index *ix, struct index_cost *out)
{
	*out = ix->cost;
}

static size_t place_of(const struct index *ix, uint32_t number)
{
	size_t low = 0, high = ix->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (ix->numbers[mid] < number)
			low = mid + 1;
		else
			high = mid;
	}
	BUG_ON(low == ix->n || ix->numbers[low] != number);
	return low;
}

bool index_covers(const struct index *ix, uint32_t number)
{
	size_t place = place_of(ix, number), low = 0, high = ix->n_always;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (ix->always[mid] < place)
			low = mid + 1;
		else
			high = mid;
	}
	return low == ix->n_always || ix->always[low] != place;
}

size_t index_depends(const struct index *ix, uint32_t number, const uint32_t **fields)
{
	size_t place = place_of(ix, number);
	*fields = ix->depends + ix->depends_from[place];
	return ix->depends_from[place + 1] - ix->depends_from[place];
}

/* ---- asking */

struct index_scratch *index_scratch_new(const struct index *ix)
{
	struct index_scratch *s = xcalloc(1, sizeof *s);
	s->ix = ix;
	s->seen = xcalloc(ix->n_keys + 1, sizeof *s->seen);
	s->hits = xcalloc(ix->n_keys + 1, sizeof *s->hits);
	s->bits = xcalloc(ix->n / 64 + 1, sizeof *s->bits);
	s->summary = xcalloc(ix->n / 4096 + 1, sizeof *s->summary);
	s->out = xcalloc(ix->n + 1, sizeof *s->out);
	return s;
}

void index_scratch_free(struct index_scratch *s)
{
	if (s == NULL)
		return;
	free(s->seen);
	free(s->hits);
	free(s->bits);
	free(s->summary);
	free(s->out);
	free(s->text);
	free(s->hashes);
	free(s);
}

static inline void mark(struct index_scratch *s, uint32_t place)
{
	s->bits[place / 64] |= (uint64_t)1 << (place % 64);
	s->summary[place / 4096] |= (uint64_t)1 << (place / 64 % 64);
}

static inline void hit_key(struct index_scratch *s, uint32_t key)
{
	if (s->seen[key] == s->generation)
		return;
	s->seen[key] = s->generation;
	s->mask |= s->ix->keys[key].bit;
	if (s->ix->keys[key].n > 0)
		s->hits[s->n_hits++] = key;
}

static void hit_substring(void *arg, uint32_t key)
{
	hit_key(arg, key);
}

static inline void hit_hash(struct index_scratch *s, uint64_t hash)
{
	const struct key_table *t = &s->ix->table;
	if (!key_table_maybe(t, hash))
		return;
	uint32_t key = key_table_find(t, hash);
	if (key != UINT32_MAX)
		hit_key(s, key);
}

static void reserve_text(struct index_scratch *s, size_t n)
{
	if (n <= s->cap_text)
		return;
	size_t cap = MAX(s->cap_text, 1024);
	while (cap < n)
		cap *= 2;
	s->text = xreallocarray(s->text, cap + PAD, 1);
	s->hashes = xreallocarray(s->hashes, cap / 2 + 2, sizeof *s->hashes);
	s->cap_text = cap;
}

static void ask_words(struct index_scratch *s, const struct field_plan *p, struct slice v)
{
	reserve_text(s, v.n);
	memcpy(s->text, v.p, v.n);
	memset(s->text + v.n, 0, PAD);
	size_t n = words_find(&s->ix->table, s->text, v.n, p->seeds[GUARD_WORD], s->hashes);
	for (size_t i = 0; i < n; i++) {
		uint32_t key = key_table_find(&s->ix->table, s->hashes[i]);
		if (key != UINT32_MAX)
			hit_key(s, key);
	}
}

static void ask_ends(struct index_scratch *s, const struct field_plan *p, struct slice v)
{
	for (size_t i = 0; i < p->n_prefixes; i++) {
		if (p->prefixes[i] <= v.n)
			hit_hash(s, guard_hash_bytes(v.p, p->prefixes[i]) ^ p->prefix_seeds[i]);
	}
	for (size_t i = 0; i < p->n_suffixes; i++) {
		uint32_t n = p->suffixes[i];
		if (n <= v.n)
			hit_hash(s, guard_hash_bytes(v.p + v.n - n, n) ^ p->suffix_seeds[i]);
	}
}

static void ask_nets(struct index_scratch *s, const struct field_plan *p, struct slice v)
{
	struct address addr;
	if (!address_parse(v, &addr))
		return;
	for (size_t i = 0; i < p->n_nets; i++) {
		struct address net = addr;
		address_mask(&net, p->nets[i]);
		hit_hash(s,
		         guard_hash_bytes(net.b, sizeof net.b) ^ guard_seed(GUARD_NET, p->field, p->nets[i]));
	}
}

static void ask_numbers(struct index_scratch *s, const struct field_plan *p, struct slice v)
{
	double x;
	if (!slice_num(v, &x))
		return;
	if (p->kinds & 1u << GUARD_NUMBER)
		hit_hash(s, guard_hash_number(x) ^ p->seeds[GUARD_NUMBER]);
	for (size_t i = 0; i < p->n_lower && p->lower[i].bound <= x; i++)
		hit_key(s, p->lower[i].key);
	for (size_t i = p->n_upper; i > 0 && p->upper[i - 1].bound >= x; i--)
		hit_key(s, p->upper[i - 1].key);
}

static void ask_field(struct index_scratch *s, const struct field_plan *p, struct slice v)
{
	if (p->kinds & 1u << GUARD_EXACT)
		hit_hash(s, guard_hash_bytes(v.p, v.n) ^ p->seeds[GUARD_EXACT]);
	if (p->kinds & 1u << GUARD_PRESENT)
		hit_hash(s, p->seeds[GUARD_PRESENT]);
	if (p->kinds & 1u << GUARD_WORD)
		ask_words(s, p, v);
	if (p->n_prefixes + p->n_suffixes > 0)
		ask_ends(s, p, v);
	if (p->n_nets > 0)
		ask_nets(s, p, v);
	if (p->kinds & (1u << GUARD_NUMBER | 1u << GUARD_LOWER | 1u << GUARD_UPPER))
		ask_numbers(s, p, v);
	if (p->substrings != NULL)
		substrings_find(p->substrings, v, hit_substring, s);
}

static void start(struct index_scratch *s)
{
	s->n_hits = 0;
	s->mask = 0;
	if (++s->generation == 0) {
		memset(s->seen, 0, (s->ix->n_keys + 1) * sizeof *s->seen);
		s->generation = 1;
	}
}

/* Reads the marks in order and clears them. */
static size_t collect(struct index_scratch *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->ix->n / 4096 + 1; i++) {
		for (; s->summary[i] != 0; s->summary[i] &= s->summary[i] - 1) {
			size_t word = i * 64 + (size_t)__builtin_ctzll(s->summary[i]);
			for (; s->bits[word] != 0; s->bits[word] &= s->bits[word] - 1)
				s->out[n++] =
				    s->ix->numbers[word * 64 + (size_t)__builtin_ctzll(s->bits[word])];
		}
	}
	return n;
}

size_t index_candidates(const struct index *ix, struct index_scratch *s, const struct fields *f,
                        const struct value *slots, const uint32_t **numbers)
{
	BUG_ON(s->ix != ix);
	start(s);
	for (size_t i = 0; i < ix->n_plans; i++) {
		uint32_t field = ix->plans[i].field;
		struct value v = field < FIELD_CORE_MAX ? f->core[field] : slots[field - FIELD_CORE_MAX];
		if (v.n > 0)
			ask_field(s, &ix->plans[i], value_slice(v));
	}
	for (size_t i = 0; i < s->n_hits; i++) {
		const struct key_entry *k = &ix->keys[s->hits[i]];
		for (uint32_t j = k->from; j < k->from + k->n; j++) {
			if ((ix->masks[j] & ~s->mask) == 0)
				mark(s, ix->waiting[j]);
		}
	}
	for (size_t i = 0; i < ix->n_always; i++)
		mark(s, ix->always[i]);
	*numbers = s->out;
	return collect(s);
}
