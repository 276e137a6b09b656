/* Text → pointer while a map is compiled: half a million names in a fraction of a second, keys in the
 * caller's arena. The names come from the map's owner, so the hash needs no secret; nothing is ever iterated.
 */
#include <stdlib.h>

#include "model/service_map_graph.h"

static uint32_t index_hash(struct slice key)
{
	return map_hash_end(map_hash(MAP_HASH_START, key));
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t index_seek(const struct map_index *x, struct slice key, uint32_t hash)
{
	uint32_t mask = x->n_slots - 1, i = hash & mask;
	for (; x->slots[i] != 0; i = (i + 1) & mask) {
		if ((uint32_t)(x->slots[i] >> 32) == hash &&
		    slice_eq(x->items[(uint32_t)x->slots[i] - 1].key, key))
			break;
	}
	return i;
}

static void index_grow(struct map_index *x)
{
	uint32_t n = x->n_slots > 0 ? 2 * x->n_slots : 1024, old = x->n_slots;
	uint64_t *slots = xcalloc(n, sizeof *slots);
	for (uint32_t k = 0; k < old; k++) {
		uint32_t i = (uint32_t)(x->slots[k] >> 32) & (n - 1);
		if (x->slots[k] == 0)
			continue;
		while (slots[i] != 0)
			i = (i + 1) & (n - 1);
		slots[i] = x->slots[k];
	}
	free(x->slots);
	x->slots = slots;
	x->n_slots = n;
}

void **map_index_cell(struct map_index *x, struct arena *a, struct slice key)
{
	if (2 * x->n >= x->n_slots)
		index_grow(x);
	uint32_t hash = index_hash(key), i = index_seek(x, key, hash);
	if (x->slots[i] == 0) {
		x->items = array_reserve(x->items, &x->cap, x->n + 1, sizeof *x->items);
		x->items[x->n++] = (struct map_index_item){arena_slice(a, key), NULL};
		x->slots[i] = (uint64_t)hash << 32 | x->n;
	}
	return &x->items[(uint32_t)x->slots[i] - 1].value;
}

void *map_index_get(const struct map_index *x, struct slice key)
{
	if (x->n == 0)
		return NULL;
	uint64_t slot = x->slots[index_seek(x, key, index_hash(key))];
	return slot != 0 ? x->items[(uint32_t)slot - 1].value : NULL;
}

void map_index_free(struct map_index *x)
{
	free(x->slots);
	free(x->items);
}
