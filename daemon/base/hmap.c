/* Promises near-constant look-up whatever keys an attacker chooses (SipHash-1-3, random key). Must not know
 * what keys mean. Linear probing; a deletion shifts its followers back, so there are no tombstones. */
#include "base/hmap.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum { INLINE_KEY = 16, MIN_SLOTS = 16 };

struct entry {
	uint64_t hash; /* 0: free */
	void *value;
	size_t n;
	union {
		char in[INLINE_KEY];
		char *out;
	} key;
};

struct sipkey {
	uint64_t k0, k1;
};

struct hmap {
	struct entry *v;
	size_t slots; /* a power of two */
	size_t len;
	struct sipkey seed;
};

static struct sipkey process_key;
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void make_process_key(void)
{
	if (getrandom(&process_key, sizeof process_key, 0) != (ssize_t)sizeof process_key)
		bug_stop("getrandom failed", __FILE__, __LINE__);
}

void hash_seed_for_test(uint64_t k0, uint64_t k1)
{
	pthread_once(&process_key_once, make_process_key);
	process_key = (struct sipkey){k0, k1};
}

static struct sipkey seed_now(void)
{
	pthread_once(&process_key_once, make_process_key);
	return process_key;
}

static uint64_t rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static uint64_t load_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;
	if (n == 8) {
		memcpy(&v, p, 8);
		return le64toh(v);
	}
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one compression and three final rounds. */
static uint64_t siphash13(struct slice s, struct sipkey k)
{
	uint64_t v[4] = {k.k0 ^ 0x736f6d6570736575U, k.k1 ^ 0x646f72616e646f6dU, k.k0 ^ 0x6c7967656e657261U,
	                 k.k1 ^ 0x7465646279746573U};
	const unsigned char *p = (const unsigned char *)s.p;
	size_t left = s.n;
	for (; left >= 8; p += 8, left -= 8) {
		uint64_t m = load_le(p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	uint64_t last = load_le(p, left) | (uint64_t)s.n << 56;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_bytes(struct slice s)
{
	return siphash13(s, seed_now());
}

uint64_t hash_stable(struct slice s)
{
	return siphash13(s, (struct sipkey){0x6361726e6c6c6f69U, 0x0706050403020100U});
}

struct hmap *hmap_new(void)
{
	struct hmap *m = xcalloc(1, sizeof *m);
	m->seed = seed_now();
	return m;
}

static const char *key_of(const struct entry *e)
{
	return e->n <= INLINE_KEY ? e->key.in : e->key.out;
}

static void entry_free(struct entry *e)
{
	if (e->hash != 0 && e->n > INLINE_KEY)
		free(e->key.out);
}

void hmap_clear(struct hmap *m)
{
	for (size_t i = 0; i < m->slots; i++)
		entry_free(&m->v[i]);
	free(m->v);
	m->v = NULL;
	m->slots = m->len = 0;
}

void hmap_free(struct hmap *m)
{
	if (m == NULL)
		return;
	hmap_clear(m);
	free(m);
}

size_t hmap_len(const struct hmap *m)
{
	return m->len;
}

static uint64_t hash_of(const struct hmap *m, struct slice key)
{
	return siphash13(key, m->seed) | (uint64_t)1 << 63;
}

/* The slot of the key, or the free one where it would stand. */
static size_t seek(const struct hmap *m, struct slice key, uint64_t hash)
{
	BUG_ON(m->len >= m->slots);
	size_t mask = m->slots - 1, i = hash & mask;
	for (; m->v[i].hash != 0; i = (i + 1) & mask) {
		const struct entry *e = &m->v[i];
		if (e->hash == hash && e->n == key.n && (key.n == 0 || memcmp(key_of(e), key.p, key.n) == 0))
			break;
	}
	return i;
}

static const struct entry *lookup(const struct hmap *m, struct slice key)
{
	if (m->len == 0)
		return NULL;
	const struct entry *e = &m->v[seek(m, key, hash_of(m, key))];
	return e->hash != 0 ? e : NULL;
}

void *hmap_get(const struct hmap *m, struct slice key)
{
	const struct entry *e = lookup(m, key);
	return e != NULL ? e->value : NULL;
}

bool hmap_find(const struct hmap *m, struct slice key, void **value)
{
	const struct entry *e = lookup(m, key);
	if (e == NULL)
		return false;
	if (value != NULL)
		*value = e->value;
	return true;
}

static void grow(struct hmap *m)
{
	size_t slots = MAX(m->slots * 2, (size_t)MIN_SLOTS), mask = slots - 1;
	struct entry *v = xcalloc(slots, sizeof *v);
	for (size_t k = 0; k < m->slots; k++) {
		if (m->v[k].hash == 0)
			continue;
		size_t i = m->v[k].hash & mask;
		while (v[i].hash != 0)
			i = (i + 1) & mask;
		v[i] = m->v[k];
	}
	free(m->v);
	m->v = v;
	m->slots = slots;
}

void *hmap_put(struct hmap *m, struct slice key, void *value)
{
	if ((m->len + 1) * 4 > m->slots * 3)
		grow(m);
	uint64_t hash = hash_of(m, key);
	struct entry *e = &m->v[seek(m, key, hash)];
	if (e->hash != 0) {
		void *old = e->value;
		e->value = value;
		return old;
	}
	*e = (struct entry){.hash = hash, .value = value, .n = key.n};
	if (key.n > INLINE_KEY)
		e->key.out = xstrndup(key.p, key.n);
	else if (key.n > 0)
		memcpy(e->key.in, key.p, key.n);
	m->len++;
	return NULL;
}

void *hmap_del(struct hmap *m, struct slice key)
{
	if (m->len == 0)
		return NULL;
	size_t mask = m->slots - 1, hole = seek(m, key, hash_of(m, key));
	if (m->v[hole].hash == 0)
		return NULL;
	void *old = m->v[hole].value;
	entry_free(&m->v[hole]);
	for (size_t i = (hole + 1) & mask; m->v[i].hash != 0; i = (i + 1) & mask) {
		size_t home = m->v[i].hash & mask;
		/* may move back only if its home does not lie behind the hole */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->v[hole] = m->v[i];
			hole = i;
		}
	}
	m->v[hole] = (struct entry){0};
	m->len--;
	return old;
}

bool hmap_next(const struct hmap *m, size_t *i, struct slice *key, void **value)
{
	while (*i < m->slots) {
		const struct entry *e = &m->v[(*i)++];
		if (e->hash == 0)
			continue;
		if (key != NULL)
			*key = (struct slice){key_of(e), e->n};
		if (value != NULL)
			*value = e->value;
		return true;
	}
	return false;
}
