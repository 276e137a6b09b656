/* Promises to tell nearly every unknown word apart with one look at a bitmap that stays in the cache. Must
 * not know what a key stands for: a wrong guess costs a comparison later, never an answer. */
#include "rules/index_impl.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

void key_table_init(struct key_table *t)
{
	*t = (struct key_table){.n_slots = 64};
	t->bitmap = xcalloc((size_t)1 << BITMAP_BITS, sizeof *t->bitmap);
	t->slots = xcalloc(t->n_slots, sizeof *t->slots);
}

void key_table_free(struct key_table *t)
{
	free(t->bitmap);
	free(t->slots);
}

static void place(struct key_table *t, struct key_slot s)
{
	size_t i = s.hash & (t->n_slots - 1);
	while (t->slots[i].key != 0)
		i = (i + 1) & (t->n_slots - 1);
	t->slots[i] = s;
}

static void grow(struct key_table *t)
{
	struct key_slot *old = t->slots;
	size_t n = t->n_slots;
	t->n_slots = n * 2;
	t->slots = xcalloc(t->n_slots, sizeof *t->slots);
	for (size_t i = 0; i < n; i++) {
		if (old[i].key != 0)
			place(t, old[i]);
	}
	free(old);
}

void key_table_put(struct key_table *t, uint64_t hash, uint32_t key)
{
	BUG_ON(key_table_find(t, hash) != UINT32_MAX);
	if (++t->n * 2 > t->n_slots)
		grow(t);
	place(t, (struct key_slot){hash, key + 1});
	t->bitmap[hash >> (64 - BITMAP_BITS)] |= key_table_bits(hash);
}

uint32_t key_table_find(const struct key_table *t, uint64_t hash)
{
	for (size_t i = hash & (t->n_slots - 1); t->slots[i].key != 0; i = (i + 1) & (t->n_slots - 1)) {
		if (t->slots[i].hash == hash)
			return t->slots[i].key - 1;
	}
	return UINT32_MAX;
}

/* ---- words */

#ifdef __SSE2__
static inline unsigned classify16(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	__m128i digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
	__m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
	__m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
	__m128i is_line = _mm_cmpeq_epi8(v, _mm_set1_epi8('_'));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is_letter, is_digit), is_line));
}

static inline uint64_t classify(const char *p)
{
	return (uint64_t)classify16(p) | (uint64_t)classify16(p + 16) << 16 |
	       (uint64_t)classify16(p + 32) << 32 | (uint64_t)classify16(p + 48) << 48;
}
#else
static inline uint64_t classify(const char *p)
{
	uint64_t m = 0;
	for (unsigned i = 0; i < 64; i++)
		m |= (uint64_t)guard_is_word((unsigned char)p[i]) << i;
	return m;
}
#endif

static inline uint64_t load8(const char *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof w);
	return w | GUARD_FOLD;
}

/* The octets of a word of up to eight, zeros behind them. */
static inline uint64_t first_octets(const char *p, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return n >= 8 ? load8(p) : load8(p) & (((uint64_t)1 << (8 * n)) - 1);
#else
	return n >= 8 ? load8(p) : load8(p) & ~(~(uint64_t)0 >> (8 * n));
#endif
}

static inline uint64_t word_hash(const char *p, size_t n)
{
	return guard_hash_word(first_octets(p, n), n > 8 ? load8(p + n - 8) : 0, n);
}

size_t words_find(const struct key_table *t, const char *text, size_t n, uint64_t seed, uint64_t *out)
{
	size_t found = 0, start = 0;
	uint64_t carry = 0;
	/* the padding ends the last word */
	for (size_t base = 0; base <= n; base += 64) {
		uint64_t m = classify(text + base);
		/* a bit wherever words begin and end by turns */
		uint64_t turns = m ^ (m << 1 | carry);
		bool inside = carry != 0;
		while (turns != 0) {
			size_t at = base + (size_t)__builtin_ctzll(turns);
			turns &= turns - 1;
			if (inside) {
				uint64_t h = word_hash(text + start, at - start) ^ seed;
				out[found] = h;
				found += key_table_maybe(t, h);
			}
			start = at;
			inside = !inside;
		}
		carry = m >> 63;
	}
	return found;
}
