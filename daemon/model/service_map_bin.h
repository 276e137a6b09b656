/* Private to service_map*.c: the layout of map.bin. A head, then sections: arrays of fixed-size records, each
 * aligned to 8, host byte order. Rows of variable length are two sections, where row i is items[at[i]] ..
 * items[at[i + 1]]. Look-up tables are slots of (index + 1), 0 is free, linear probing, a power of two, never
 * full. */
#ifndef CARILLON_MODEL_SERVICE_MAP_BIN_H
#define CARILLON_MODEL_SERVICE_MAP_BIN_H

#include "model/address.h"
#include "model/service_map.h"

#define MAP_MAGIC "carmap\n\x1a"
enum { MAP_VERSION = 1, MAP_HOST_MAX = 1024 };

enum map_section {
	MAP_STRINGS,         /* char; the first is NUL; every text ends in NUL */
	MAP_SERVICES,        /* struct map_service, ascending by id */
	MAP_NEEDS_AT,        /* rows by service */
	MAP_NEEDS,           /* struct map_edge */
	MAP_NEEDED_AT,       /* rows by service */
	MAP_NEEDED,          /* struct map_edge, .to needs it */
	MAP_GROUPS,          /* uint32_t at_least */
	MAP_MEMBERS_AT,      /* rows by group */
	MAP_MEMBERS,         /* uint32_t service */
	MAP_GROUP_NEEDED_AT, /* rows by group */
	MAP_GROUP_NEEDED,    /* struct map_edge, .to needs it */
	MAP_MEMBER_OF_AT,    /* rows by service */
	MAP_MEMBER_OF,       /* uint32_t group */
	MAP_LINKS_AT,        /* rows by service */
	MAP_LINKS,           /* uint32_t link */
	MAP_ALIASES_AT,      /* rows by service */
	MAP_ALIASES,         /* struct map_name */
	MAP_LABELS_AT,       /* rows by service */
	MAP_LABELS,          /* struct map_label, ascending by key */
	MAP_ID_SLOTS,        /* of MAP_SERVICES */
	MAP_ALIAS_SLOTS,     /* of MAP_ALIASES */
	MAP_NAMES,           /* struct map_name: exact host names and addresses as text, lower case */
	MAP_NAME_SLOTS,
	MAP_SHORTS, /* struct map_name: first labels; service SERVICE_NONE: several services have it */
	MAP_SHORT_SLOTS,
	MAP_PATTERNS,  /* struct map_name, longest literal part first */
	MAP_ADDRESSES, /* struct map_address */
	MAP_ADDRESS_SLOTS,
	MAP_NETS,        /* struct map_address, ascending inside one length */
	MAP_NET_LENGTHS, /* struct map_net_length, longest prefix first */
	MAP_PORTS,       /* struct map_port_row */
	MAP_PORT_SLOTS,
	MAP_SECTIONS
};

struct map_place {
	uint64_t off;
	uint64_t n; /* records */
};

struct map_head {
	char magic[8];
	uint32_t version;
	uint32_t checksum; /* CRC32C of the file with this field zero */
	uint64_t size;
	uint32_t needs, dangling;
	struct map_place at[MAP_SECTIONS];
};

struct map_str {
	uint32_t off, n; /* n == 0: absent */
};

enum { MAP_HIDES = 1, MAP_UNKNOWN = 2, MAP_HAS_ENDS = 4 };

struct map_service {
	struct map_str id, name, kind, owner, assign, runbook, source;
	uint32_t ends[2];
	uint8_t kind_no, tier, flags, pad;
};
struct map_name {
	struct map_str text;
	uint32_t service;
	uint32_t literals; /* patterns: characters that are not '*' */
};
struct map_label {
	struct map_str key, value;
};
struct map_address {
	struct address a;
	uint32_t service;
};
struct map_net_length {
	uint32_t bits, first, n;
};
/* Found by the host's text (device SERVICE_NONE), or by the device that the host is a name of (host absent).
 * A service of SERVICE_NONE: several components have a port of this name on hosts of that device. */
struct map_port_row {
	struct map_str host, port;
	uint32_t device, service;
};

struct service_map {
	struct slice bytes;
	char *owned; /* bytes, if the map has them itself */
	const void *at[MAP_SECTIONS];
	uint32_t n[MAP_SECTIONS];
	uint32_t needs, dangling;
};

static inline struct slice map_text(const struct service_map *m, struct map_str s)
{
	return slice_of((const char *)m->at[MAP_STRINGS] + s.off, s.n);
}

static inline char map_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* FNV-1a over lower-cased bytes; part of the format. The keys of a map come from its owner, not from senders.
 */
static inline uint64_t map_hash(uint64_t h, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)map_lower(s.p[i])) * 0x100000001b3u;
	return h;
}
#define MAP_HASH_START 0xcbf29ce484222325u

static inline uint32_t map_hash_end(uint64_t h)
{
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return (uint32_t)(h >> 32);
}

static inline uint32_t map_port_hash(struct slice host, uint32_t device, struct slice port)
{
	return map_hash_end(map_hash(map_hash(MAP_HASH_START, host) ^ device, port));
}

bool map_text_same(struct slice a, struct slice b); /* ASCII case ignored */
/* An event's or map's host name as it is compared: ":digits" and the brackets of [v6] off. */
struct slice map_host_bare(struct slice host, struct address *a, bool *is_address);
struct slice map_host_short(struct slice host); /* up to the first dot; absent if there is none */

/* Index of the record or UINT32_MAX. */
uint32_t map_find_id(const struct service_map *m, struct slice id);
uint32_t map_find_name(const struct service_map *m, enum map_section names, enum map_section slots,
                       struct slice text);
uint32_t map_find_address(const struct service_map *m, const struct address *a);
uint32_t map_find_port(const struct service_map *m, struct slice host, uint32_t device, struct slice port);
bool map_glob(struct slice pattern, struct slice text); /* '*' only; text's case is ignored */

#endif
