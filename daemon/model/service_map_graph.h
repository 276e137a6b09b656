/* Private to service_map*.c: the draft as a checked graph with dense numbers, from which warnings and bytes
 * are made. */
#ifndef CARILLON_MODEL_SERVICE_MAP_GRAPH_H
#define CARILLON_MODEL_SERVICE_MAP_GRAPH_H

#include "model/service_map_bin.h"
#include "model/service_map_draft.h"

struct map_vertex {
	struct slice id;
	const struct map_entry *entry; /* NULL: only named by a need */
	size_t order;                  /* of the entry in the draft: which of two comes later */
};

/* Text → pointer, for the time of a compilation. */
struct map_index_item {
	struct slice key;
	void *value;
};
struct map_index {
	struct map_index_item *items;
	size_t cap;
	uint32_t n, n_slots;
	uint64_t *slots; /* hash above item + 1 */
};
/* The value's place, NULL in it if the key is new; it moves with the next new key. The key is copied into
 * `a`. */
void **map_index_cell(struct map_index *x, struct arena *a, struct slice key);
void *map_index_get(const struct map_index *x, struct slice key); /* NULL if absent */
void map_index_free(struct map_index *x);

struct map_graph {
	const struct map_draft *d;
	struct findings *f;
	struct map_vertex *v; /* ascending by id */
	uint32_t n;
	uint64_t *slots; /* id → number */
	uint32_t n_slots;
	uint32_t *needs_at; /* n + 1 */
	struct map_edge *needs;
	uint32_t n_groups;
	uint32_t *at_least;
	uint32_t *members_at; /* n_groups + 1 */
	uint32_t *members;
	uint32_t n_needs, dangling;
};

/* Errors are findings; the graph then holds what was right. */
void map_graph_build(struct map_graph *g, const struct map_draft *d, size_t max_services, struct findings *f);
void map_graph_free(struct map_graph *g);
uint32_t map_graph_find(const struct map_graph *g, struct slice id); /* SERVICE_NONE */

/* Warnings and notes of map.md section 3 that are about needs. */
void map_graph_check(const struct map_graph *g);

/* Fills the sections of names: hosts, aliases, patterns, networks, ports, links. */
struct map_names;
struct map_tables;
void map_names_fill(const struct map_graph *g, struct map_tables *t);

/* The sections while they grow. */
struct map_tables {
	struct buf b[MAP_SECTIONS];
	uint32_t n[MAP_SECTIONS];
	struct map_index texts; /* text → offset, for texts that repeat */
	struct arena *arena;
};
struct map_str map_put_text(struct map_tables *t, struct slice s);   /* a text that is there once */
struct map_str map_share_text(struct map_tables *t, struct slice s); /* a text that many have */
void map_put(struct map_tables *t, enum map_section section, const void *record, size_t size);
/* Slots over the records of a section; `hash` gives the hash of record i. */
void map_put_slots(struct map_tables *t, enum map_section slots, enum map_section items,
                   uint32_t (*hash)(const struct map_tables *t, uint32_t i));
/* The sections as a map that can be asked while it is being made. */
void map_tables_view(const struct map_tables *t, struct service_map *m);

#endif
