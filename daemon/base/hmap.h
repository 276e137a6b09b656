/* Hash map from bytes to a pointer-sized value, open addressing, SipHash-1-3 with a process-random key.
 * Iteration order is random on purpose: nothing that must be repeatable may iterate over one. */
#ifndef CARILLON_BASE_HMAP_H
#define CARILLON_BASE_HMAP_H

#include "base/mem.h"
#include "base/slice.h"

struct hmap; /* keys are copied in */

struct hmap *hmap_new(void);
void hmap_free(struct hmap *m);
size_t hmap_len(const struct hmap *m);
void *hmap_get(const struct hmap *m, struct slice key);          /* NULL if absent */
bool hmap_find(const struct hmap *m, struct slice key, void **value); /* tells NULL from absent */
void *hmap_put(struct hmap *m, struct slice key, void *value);   /* the former value or NULL */
void *hmap_del(struct hmap *m, struct slice key);
void hmap_clear(struct hmap *m);
/* for (size_t i = 0; hmap_next(m, &i, &key, &value);) - the map must not change meanwhile; `key` lives until it does. */
bool hmap_next(const struct hmap *m, size_t *i, struct slice *key, void **value);

static inline struct slice key_u64(const uint64_t *v)
{
	return (struct slice){(const char *)v, sizeof *v};
}

uint64_t hash_bytes(struct slice s);                       /* SipHash-1-3, process-random key */
uint64_t hash_stable(struct slice s);                      /* fixed key: the same in every process, for ids and journals */
void hash_seed_for_test(uint64_t k0, uint64_t k1);

#endif
