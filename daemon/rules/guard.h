/* Inside of the index only: the guard of a condition, a set of keys of which at least one shows in every
 * event that makes the condition true. */
#ifndef CARILLON_RULES_GUARD_H
#define CARILLON_RULES_GUARD_H

#include "base/arena.h"
#include "rules/cond.h"
#include "rules/index.h"

enum guard_kind {
	GUARD_EXACT,
	GUARD_NUMBER,
	GUARD_WORD,
	GUARD_PREFIX,
	GUARD_SUFFIX,
	GUARD_NET,
	GUARD_PRESENT, /* looked up by hash */
	GUARD_LOWER,
	GUARD_UPPER, /* thresholds: the value is at least, at most `bound` */
	GUARD_SUBSTRING
};

/* A field as the index numbers it: core fields by id, named ones behind them. */
static inline uint32_t guard_field(const struct field_ref *f)
{
	return f->core != FIELD_NONE ? (uint32_t)f->core : FIELD_CORE_MAX + f->slot;
}

struct guard_key {
	enum guard_kind kind;
	uint32_t field;
	uint64_t hash;     /* of kind, field and value: what tells keys apart */
	struct slice text; /* SUBSTRING, in lower case */
	double bound;
	uint32_t length; /* PREFIX, SUFFIX: octets; NET: bits */
	uint32_t weight; /* how often it shows, a guess */
};

struct guard {
	struct guard_key **keys; /* NULL: no guard, tried for every event */
	size_t n;
	double cost;
	struct guard_key **also; /* further keys that all show; at most GUARD_ALSO */
	size_t n_also;
};
enum { GUARD_ALSO = 3 };

struct guards; /* what is known about all conditions together */
struct guards *guards_new(struct arena *a, const struct index_item *items, size_t n,
                          const struct value_list *lists, size_t n_lists);
void guards_free(struct guards *g);
/* Chooses the keys that the fewest other conditions use. Lives in the arena. */
struct guard guard_choose(struct guards *g, const struct cond *c);

/* ---- hashes, the same when built and when asked */

uint64_t guard_seed(enum guard_kind kind, uint32_t field, uint32_t length);
uint64_t guard_hash_bytes(const void *p, size_t n);
/* Without regard to ASCII case, from the first and last eight octets and the length. */
static inline uint64_t guard_hash_word(uint64_t first, uint64_t last, size_t n)
{
	uint64_t h = first * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 29) ^ last ^ (uint64_t)n << 56) * 0xbf58476d1ce4e5b9u;
	return h ^ (h >> 32);
}
#define GUARD_FOLD 0x2020202020202020u
static inline bool guard_is_word(unsigned char c)
{
	unsigned char l = c | 0x20;
	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}
/* Lengths that prefixes and suffixes are cut down to: the longest one that is not longer. */
uint32_t guard_length(size_t n);
uint64_t guard_hash_number(double x);

#endif
