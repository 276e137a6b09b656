/* Inside of the index only (index*.c): how keys are kept. */
#ifndef CARILLON_RULES_INDEX_IMPL_H
#define CARILLON_RULES_INDEX_IMPL_H

#include "rules/guard.h"

enum { BITMAP_BITS = 13, PAD = 80 }; /* of its words: 64 KiB fit the second-level cache */

/* Key numbers by hash. */
struct key_slot {
	uint64_t hash;
	uint32_t key; /* + 1; 0: free */
};
struct key_table {
	uint64_t *bitmap;
	struct key_slot *slots;
	size_t n_slots, n;
};
void key_table_init(struct key_table *t);
void key_table_free(struct key_table *t);
void key_table_put(struct key_table *t, uint64_t hash, uint32_t key);
/* Two bits of one word of the bitmap. */
static inline uint64_t key_table_bits(uint64_t hash)
{
	return (uint64_t)1 << (hash >> 45 & 63) | (uint64_t)1 << (hash >> 39 & 63);
}
static inline bool key_table_maybe(const struct key_table *t, uint64_t hash)
{
	uint64_t bits = key_table_bits(hash);
	return (t->bitmap[hash >> (64 - BITMAP_BITS)] & bits) == bits;
}
/* UINT32_MAX: no such key. */
uint32_t key_table_find(const struct key_table *t, uint64_t hash);

/* Cuts a text into words. `text` is followed by PAD readable octets that are no word characters; `out` has
 * room for n / 2 + 1 hashes. Returns those that the table may know. */
size_t words_find(const struct key_table *t, const char *text, size_t n, uint64_t seed, uint64_t *out);

/* Many substrings at once (Aho-Corasick, without regard to ASCII case). */
struct substrings;
struct substrings *substrings_new(void);
void substrings_free(struct substrings *s);
void substrings_add(struct substrings *s, struct slice text,
                    uint32_t key); /* text in lower case, not empty */
void substrings_finish(struct substrings *s);
size_t substrings_len(const struct substrings *s);
/* Calls hit for every key in the text, perhaps several times. */
void substrings_find(const struct substrings *s, struct slice text, void (*hit)(void *arg, uint32_t key),
                     void *arg);

#endif
