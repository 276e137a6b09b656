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

struct map_graph {
	const struct map_draft *d;
	struct findings *f;
	struct map_vertex *v; /* ascending by id */
	uint32_t n;
	uint32_t *slots, n_slots;
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
	struct hmap *texts; /* text → offset, for texts that repeat */
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
