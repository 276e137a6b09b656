/* The service-dependency map (map.md): services, needs, redundancy groups, hosts, ports, aliases.
 *
 * Compiled by mapper into one flat file (map.bin), which intake and core mmap: immutable, position-independent, checked
 * once when it is opened. Ids are dense 32-bit numbers; the same map text gives the same bytes, hence the same hash. */
#ifndef CARILLON_MODEL_SERVICE_MAP_H
#define CARILLON_MODEL_SERVICE_MAP_H

#include "base/doc.h"
#include "base/error.h"
#include "base/instant.h"
#include "model/severity.h"

#define SERVICE_NONE UINT32_MAX

/* ---- building: from YAML files or Redis, one way */

struct map_need {
	char *service;      /* id, when group == NULL */
	char *group;        /* name of the group it belongs to; unique inside its service ("any-1", or Redis' name) */
	enum effect effect; /* EFFECT_NONE: drawn only */
	struct mark mark;
};
struct map_group {
	char *name;
	unsigned at_least;
	enum effect effect;
	struct mark mark;
};
struct map_port {
	char *host, *port;
	struct mark mark;
};
struct map_entry {          /* one service as its owner wrote it */
	char *id, *name, *kind, *owner, *assign, *runbook, *source;
	int tier;           /* 0: none */
	bool hides;
	struct map_need *needs;   size_t n_needs;
	struct map_group *groups; size_t n_groups;
	char **hosts;             size_t n_hosts;
	char **aliases;           size_t n_aliases;
	struct map_port *ends;    size_t n_ends;  /* 0 or 2 */
	struct map_port *ports;   size_t n_ports;
	char **label_keys, **label_values; size_t n_labels;
	struct mark *host_marks, *alias_marks; /* one for each host, alias; NULL: places unknown */
	const char *file;         /* for findings: borrowed. Redis: "redis:" and the prefix ("redis:carillon:map:"); findings
	                           * put the key behind it: redis:carillon:map:needs:checkout[cache] */
	struct mark mark;
};

struct map_draft;           /* a growing list of entries */
struct map_draft *map_draft_new(void);
void map_draft_free(struct map_draft *d);
/* A zeroed entry to fill; its strings come from map_draft_str. */
struct map_entry *map_draft_add(struct map_draft *d);
char *map_draft_str(struct map_draft *d, struct slice s);
void *map_draft_array(struct map_draft *d, size_t count, size_t size);
size_t map_draft_len(const struct map_draft *d);
/* The entry of a known id or NULL; for deltas. An entry has its id before the next call of find or remove. */
struct map_entry *map_draft_find(struct map_draft *d, struct slice id);
void map_draft_remove(struct map_draft *d, struct slice id); /* every entry of this id; its memory stays until map_draft_free */
/* Reads one YAML map file into the draft (E-codes of language.md section 12 for places and types). */
void map_draft_yaml(struct map_draft *d, const struct doc *doc, struct findings *f);
/* The same for a `map:` node inside another document (rule tests). */
void map_draft_node(struct map_draft *d, const struct doc *doc, const struct node *n, struct findings *f);
/* address ↔ name pairs of /etc/hosts text. They only add names: a name or address that the map itself has stays as it is. */
void map_draft_hosts_file(struct map_draft *d, struct slice text);

/* All checks of map.md section 3 over the whole draft, then map.bin's bytes appended to `out`. -1 when a finding is an
 * error (out is then untouched). Deterministic: sorted by id. */
int map_compile(const struct map_draft *d, size_t max_services, struct findings *f, struct buf *out) MUST_CHECK;

/* ---- the compiled map */

struct service_map;         /* a checked view of map.bin's bytes */

/* Bytes (8-byte aligned, as mmap and malloc give them) must stay in place until service_map_close; nothing is copied.
 * NULL with err if they are not a map: everything is checked, so that a damaged file is never read out of bounds. */
struct service_map *service_map_open(struct slice bytes, struct error *err) MUST_CHECK;
struct service_map *service_map_empty(void);                 /* no services */
void service_map_close(struct service_map *m);
struct slice service_map_bytes(const struct service_map *m);
void service_map_hash(const struct service_map *m, char out[65]); /* SHA-256 of the bytes, hex */

uint32_t service_map_len(const struct service_map *m);       /* services, the unknown needed ones included */
uint32_t service_map_needs_len(const struct service_map *m); /* needs as written, members of groups counted one by one */
uint32_t service_map_dangling(const struct service_map *m);  /* needs on unknown ids */
uint32_t service_find(const struct service_map *m, struct slice id);  /* SERVICE_NONE; finds the unknown needed ones, resolve_* do not */
struct slice service_id(const struct service_map *m, uint32_t s);
struct slice service_text(const struct service_map *m, uint32_t s, const char *what); /* name kind owner assign runbook source; absent if none */
struct slice service_label(const struct service_map *m, uint32_t s, struct slice key);
/* service.name .tier .owner .assign .runbook .kind .labels.x of language.md: text or absent. `path` is without "service." */
struct slice service_path(const struct service_map *m, uint32_t s, struct slice path, char scratch[16]);
int service_tier(const struct service_map *m, uint32_t s);   /* 0: none */
bool service_hides(const struct service_map *m, uint32_t s);
bool service_unknown(const struct service_map *m, uint32_t s); /* only named by a need */
enum service_kind {
	KIND_SERVICE, KIND_HOST, KIND_VM, KIND_POD, KIND_K8S_NODE, KIND_DB, KIND_CACHE, KIND_QUEUE, KIND_LB, KIND_DNS,
	KIND_STORAGE, KIND_LINK, KIND_NETWORK, KIND_ROUTER, KIND_FIREWALL, KIND_SWITCH, KIND_UPS, KIND_SITE
};
enum service_kind service_kind(const struct service_map *m, uint32_t s); /* network router firewall *switch count as network devices */
bool service_is_network(const struct service_map *m, uint32_t s);

/* Edges: "s needs to". A group edge names a group instead of a service. */
struct map_edge {
	uint32_t to;        /* service, or group when is_group */
	uint8_t is_group;
	uint8_t effect;     /* enum effect: down = hard, degraded = soft, none = drawn */
	uint16_t pad;
};
const struct map_edge *service_needs(const struct service_map *m, uint32_t s, size_t *n);   /* what s needs */
const struct map_edge *service_needed_by(const struct service_map *m, uint32_t s, size_t *n); /* .to = the dependent service; direct needs only */
/* Groups: equal ones (same members, same at_least) are one group. */
uint32_t map_groups_len(const struct service_map *m);
const uint32_t *group_members(const struct service_map *m, uint32_t g, size_t *n);
unsigned group_at_least(const struct service_map *m, uint32_t g);
const struct map_edge *group_needed_by(const struct service_map *m, uint32_t g, size_t *n); /* services that need g, with effect */
const uint32_t *service_groups(const struct service_map *m, uint32_t s, size_t *n);         /* groups s is a member of */
/* Links: the services that own the two ends (SERVICE_NONE where the host is unknown); false if s has no ends. */
bool link_ends(const struct service_map *m, uint32_t s, uint32_t ends[2]);
const uint32_t *device_links(const struct service_map *m, uint32_t s, size_t *n);           /* links with an end at s */
const char *service_first_alias(const struct service_map *m, uint32_t s, const char *prefix); /* e.g. "cmdb:"; NULL */

/* ---- event → service (map.md section 4) */

enum resolve_step { RESOLVE_NONE, RESOLVE_HOST, RESOLVE_ID, RESOLVE_ALIAS, RESOLVE_SHORT, RESOLVE_PATTERN, RESOLVE_ADDRESS, RESOLVE_CIDR, RESOLVE_PORT };
const char *resolve_step_word(enum resolve_step r); /* "host: exact" … for explain */
/* No allocation; names are compared without regard to ASCII case; `how` may be NULL. */
uint32_t resolve_host(const struct service_map *m, struct slice host, enum resolve_step *how);
/* service field, (host, port), host — as the page says; any may be absent. */
uint32_t resolve_event(const struct service_map *m, struct slice service, struct slice host, struct slice port, enum resolve_step *how);
uint32_t resolve_peer(const struct service_map *m, struct slice peer, enum resolve_step *how);

#endif
