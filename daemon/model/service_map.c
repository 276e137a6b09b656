/* The compiled map: opening, with every offset and index checked once, and the plain queries. After a map is
 * open nothing here checks again. Knows nothing of YAML, Redis or how the bytes were made. */
#include "model/service_map_bin.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/evt.h"

static const uint32_t record_size[MAP_SECTIONS] = {
    [MAP_STRINGS] = 1,
    [MAP_SERVICES] = sizeof(struct map_service),
    [MAP_NEEDS_AT] = 4,
    [MAP_NEEDS] = sizeof(struct map_edge),
    [MAP_NEEDED_AT] = 4,
    [MAP_NEEDED] = sizeof(struct map_edge),
    [MAP_GROUPS] = 4,
    [MAP_MEMBERS_AT] = 4,
    [MAP_MEMBERS] = 4,
    [MAP_GROUP_NEEDED_AT] = 4,
    [MAP_GROUP_NEEDED] = sizeof(struct map_edge),
    [MAP_MEMBER_OF_AT] = 4,
    [MAP_MEMBER_OF] = 4,
    [MAP_LINKS_AT] = 4,
    [MAP_LINKS] = 4,
    [MAP_ALIASES_AT] = 4,
    [MAP_ALIASES] = sizeof(struct map_name),
    [MAP_LABELS_AT] = 4,
    [MAP_LABELS] = sizeof(struct map_label),
    [MAP_ID_SLOTS] = 4,
    [MAP_ALIAS_SLOTS] = 4,
    [MAP_NAMES] = sizeof(struct map_name),
    [MAP_NAME_SLOTS] = 4,
    [MAP_SHORTS] = sizeof(struct map_name),
    [MAP_SHORT_SLOTS] = 4,
    [MAP_PATTERNS] = sizeof(struct map_name),
    [MAP_ADDRESSES] = sizeof(struct map_address),
    [MAP_ADDRESS_SLOTS] = 4,
    [MAP_NETS] = sizeof(struct map_address),
    [MAP_NET_LENGTHS] = sizeof(struct map_net_length),
    [MAP_PORTS] = sizeof(struct map_port_row),
    [MAP_PORT_SLOTS] = 4,
};

/* Rows of variable length: the section of offsets, its items, and whose rows they are. */
static const struct {
	enum map_section at, items, rows;
} row_sections[] = {
    {MAP_NEEDS_AT, MAP_NEEDS, MAP_SERVICES},         {MAP_NEEDED_AT, MAP_NEEDED, MAP_SERVICES},
    {MAP_MEMBERS_AT, MAP_MEMBERS, MAP_GROUPS},       {MAP_GROUP_NEEDED_AT, MAP_GROUP_NEEDED, MAP_GROUPS},
    {MAP_MEMBER_OF_AT, MAP_MEMBER_OF, MAP_SERVICES}, {MAP_LINKS_AT, MAP_LINKS, MAP_SERVICES},
    {MAP_ALIASES_AT, MAP_ALIASES, MAP_SERVICES},     {MAP_LABELS_AT, MAP_LABELS, MAP_SERVICES},
};
static const struct {
	enum map_section slots, items;
} slot_sections[] = {
    {MAP_ID_SLOTS, MAP_SERVICES},  {MAP_ALIAS_SLOTS, MAP_ALIASES},     {MAP_NAME_SLOTS, MAP_NAMES},
    {MAP_SHORT_SLOTS, MAP_SHORTS}, {MAP_ADDRESS_SLOTS, MAP_ADDRESSES}, {MAP_PORT_SLOTS, MAP_PORTS},
};

static uint32_t map_sum(struct slice bytes)
{
	static const uint32_t zero = 0;
	const size_t at = offsetof(struct map_head, checksum);
	uint32_t crc = crc32c(crc32c(0, bytes.p, at), &zero, sizeof zero);
	return crc32c(crc, bytes.p + at + sizeof zero, bytes.n - at - sizeof zero);
}

static const char *check_head(struct slice bytes)
{
	if (bytes.p == NULL || bytes.n < sizeof(struct map_head))
		return "it is shorter than its head";
	if (((uintptr_t)bytes.p & 7) != 0)
		return "it is not aligned to 8";
	const struct map_head *head = (const struct map_head *)(const void *)bytes.p;
	if (memcmp(head->magic, MAP_MAGIC, sizeof head->magic) != 0)
		return "it does not begin like one";
	if (head->version != MAP_VERSION)
		return "it has an unknown version";
	if (head->size != bytes.n)
		return "its size is wrong";
	if (map_sum(bytes) != head->checksum)
		return "its checksum is wrong";
	return NULL;
}

static const char *take_sections(struct service_map *m)
{
	const struct map_head *head = (const struct map_head *)(const void *)m->bytes.p;
	for (unsigned i = 0; i < MAP_SECTIONS; i++) {
		struct map_place at = head->at[i];
		if (at.off < sizeof *head || at.off > m->bytes.n || (at.off & 7) != 0)
			return "a section is out of place";
		if (at.n >= UINT32_MAX || at.n > (m->bytes.n - at.off) / record_size[i])
			return "a section is too long";
		m->at[i] = m->bytes.p + at.off;
		m->n[i] = (uint32_t)at.n;
	}
	m->needs = head->needs;
	m->dangling = head->dangling;
	return NULL;
}

static bool rows_fit(const struct service_map *m, enum map_section at, enum map_section items,
                     enum map_section rows)
{
	const uint32_t *v = m->at[at];
	if (m->n[at] != m->n[rows] + 1 || v[0] != 0 || v[m->n[rows]] != m->n[items])
		return false;
	for (uint32_t i = 0; i < m->n[rows]; i++) {
		if (v[i] > v[i + 1])
			return false;
	}
	return true;
}

/* A table without a free slot would be searched for ever. */
static bool slots_fit(const struct service_map *m, enum map_section slots, enum map_section items)
{
	const uint32_t *v = m->at[slots];
	uint32_t n = m->n[slots], used = 0;
	if (n == 0 || (n & (n - 1)) != 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (v[i] > m->n[items])
			return false;
		used += v[i] != 0;
	}
	return used < n;
}

static bool numbers_below(const struct service_map *m, enum map_section section, uint32_t end)
{
	const uint32_t *v = m->at[section];
	for (uint32_t i = 0; i < m->n[section]; i++) {
		if (v[i] >= end)
			return false;
	}
	return true;
}

static bool edges_fit(const struct service_map *m, enum map_section section, bool groups)
{
	const struct map_edge *v = m->at[section];
	for (uint32_t i = 0; i < m->n[section]; i++) {
		if (v[i].is_group > groups || v[i].effect > EFFECT_DOWN)
			return false;
		if (v[i].to >= (v[i].is_group ? m->n[MAP_GROUPS] : m->n[MAP_SERVICES]))
			return false;
	}
	return true;
}

static bool text_fits(const struct service_map *m, struct map_str s)
{
	const char *strings = m->at[MAP_STRINGS];
	uint32_t n = m->n[MAP_STRINGS];
	return s.off < n && s.n < n - s.off && strings[s.off + s.n] == '\0';
}

static bool services_fit(const struct service_map *m)
{
	const struct map_service *v = m->at[MAP_SERVICES];
	for (uint32_t i = 0; i < m->n[MAP_SERVICES]; i++) {
		const struct map_service *s = &v[i];
		if (!text_fits(m, s->id) || !text_fits(m, s->name) || !text_fits(m, s->kind) ||
		    !text_fits(m, s->owner) || !text_fits(m, s->assign) || !text_fits(m, s->runbook) ||
		    !text_fits(m, s->source))
			return false;
		for (unsigned e = 0; e < 2; e++) {
			if (s->ends[e] != SERVICE_NONE && s->ends[e] >= m->n[MAP_SERVICES])
				return false;
		}
		if (s->kind_no > KIND_SITE || s->tier > 4)
			return false;
	}
	return true;
}

static bool names_fit(const struct service_map *m, enum map_section section, bool may_be_none)
{
	const struct map_name *v = m->at[section];
	for (uint32_t i = 0; i < m->n[section]; i++) {
		if (!text_fits(m, v[i].text))
			return false;
		if (v[i].service >= m->n[MAP_SERVICES] && !(may_be_none && v[i].service == SERVICE_NONE))
			return false;
	}
	return true;
}

static bool labels_fit(const struct service_map *m)
{
	const struct map_label *v = m->at[MAP_LABELS];
	for (uint32_t i = 0; i < m->n[MAP_LABELS]; i++) {
		if (!text_fits(m, v[i].key) || !text_fits(m, v[i].value))
			return false;
	}
	return true;
}

static bool addresses_fit(const struct service_map *m, enum map_section section)
{
	const struct map_address *v = m->at[section];
	for (uint32_t i = 0; i < m->n[section]; i++) {
		if (v[i].service >= m->n[MAP_SERVICES])
			return false;
	}
	return true;
}

static bool lengths_fit(const struct service_map *m)
{
	const struct map_net_length *v = m->at[MAP_NET_LENGTHS];
	for (uint32_t i = 0; i < m->n[MAP_NET_LENGTHS]; i++) {
		if (v[i].bits > 128 || v[i].first > m->n[MAP_NETS] || v[i].n > m->n[MAP_NETS] - v[i].first)
			return false;
	}
	return true;
}

static bool ports_fit(const struct service_map *m)
{
	const struct map_port_row *v = m->at[MAP_PORTS];
	for (uint32_t i = 0; i < m->n[MAP_PORTS]; i++) {
		if (!text_fits(m, v[i].host) || !text_fits(m, v[i].port))
			return false;
		if (v[i].service != SERVICE_NONE && v[i].service >= m->n[MAP_SERVICES])
			return false;
	}
	return true;
}

static const char *check_records(const struct service_map *m)
{
	for (size_t i = 0; i < ARRAY_LEN(row_sections); i++) {
		if (!rows_fit(m, row_sections[i].at, row_sections[i].items, row_sections[i].rows))
			return "its rows do not fit together";
	}
	for (size_t i = 0; i < ARRAY_LEN(slot_sections); i++) {
		if (!slots_fit(m, slot_sections[i].slots, slot_sections[i].items))
			return "a look-up table is damaged";
	}
	uint32_t n = m->n[MAP_SERVICES];
	if (!edges_fit(m, MAP_NEEDS, true) || !edges_fit(m, MAP_NEEDED, false) ||
	    !edges_fit(m, MAP_GROUP_NEEDED, false))
		return "a need points nowhere";
	if (!numbers_below(m, MAP_MEMBERS, n) || !numbers_below(m, MAP_MEMBER_OF, m->n[MAP_GROUPS]) ||
	    !numbers_below(m, MAP_LINKS, n))
		return "a group or link points nowhere";
	if (!services_fit(m) || !labels_fit(m))
		return "a service is damaged";
	if (!names_fit(m, MAP_ALIASES, false) || !names_fit(m, MAP_NAMES, false) ||
	    !names_fit(m, MAP_SHORTS, true) || !names_fit(m, MAP_PATTERNS, false))
		return "a name is damaged";
	if (!addresses_fit(m, MAP_ADDRESSES) || !addresses_fit(m, MAP_NETS) || !lengths_fit(m) ||
	    !ports_fit(m))
		return "an address or port is damaged";
	return NULL;
}

struct service_map *service_map_open(struct slice bytes, struct error *err)
{
	const char *why = check_head(bytes);
	struct service_map *m = NULL;
	if (why == NULL) {
		m = xcalloc(1, sizeof *m);
		m->bytes = bytes;
		why = take_sections(m);
	}
	if (why == NULL)
		why = check_records(m);
	if (why == NULL)
		return m;
	free(m);
	if (err != NULL)
		error_set(err, "this is no compiled map: %s; let mapper write it again", why);
	return NULL;
}

struct service_map *service_map_empty(void)
{
	struct map_draft *d = map_draft_new();
	struct findings none = {0};
	struct buf out = {0};
	struct error err;
	if (map_compile(d, 1, &none, &out) != 0)
		bug_stop("an empty map compiles", __FILE__, __LINE__);
	struct service_map *m = service_map_open(buf_slice(&out), &err);
	BUG_ON(m == NULL);
	m->owned = out.p;
	findings_clear(&none);
	map_draft_free(d);
	return m;
}

void service_map_close(struct service_map *m)
{
	if (m == NULL)
		return;
	free(m->owned);
	free(m);
}

struct slice service_map_bytes(const struct service_map *m)
{
	return m->bytes;
}

void service_map_hash(const struct service_map *m, char out[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (EVP_Digest(m->bytes.p, m->bytes.n, sum, &n, EVP_sha256(), NULL) != 1 || n != 32)
		bug_stop("SHA-256", __FILE__, __LINE__);
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

uint32_t service_map_len(const struct service_map *m)
{
	return m->n[MAP_SERVICES];
}

uint32_t service_map_needs_len(const struct service_map *m)
{
	return m->needs;
}

uint32_t service_map_dangling(const struct service_map *m)
{
	return m->dangling;
}

uint32_t service_find(const struct service_map *m, struct slice id)
{
	return id.n > 0 ? map_find_id(m, id) : SERVICE_NONE;
}

static const struct map_service *service_at(const struct service_map *m, uint32_t s)
{
	BUG_ON(s >= m->n[MAP_SERVICES]);
	return (const struct map_service *)m->at[MAP_SERVICES] + s;
}

static struct slice text_or_absent(const struct service_map *m, struct map_str s)
{
	return s.n > 0 ? map_text(m, s) : SLICE_NONE;
}

struct slice service_id(const struct service_map *m, uint32_t s)
{
	return map_text(m, service_at(m, s)->id);
}

struct slice service_text(const struct service_map *m, uint32_t s, const char *what)
{
	static const struct {
		const char *what;
		size_t at;
	} texts[] = {
	    {"name", offsetof(struct map_service, name)},
	    {"kind", offsetof(struct map_service, kind)},
	    {"owner", offsetof(struct map_service, owner)},
	    {"assign", offsetof(struct map_service, assign)},
	    {"runbook", offsetof(struct map_service, runbook)},
	    {"source", offsetof(struct map_service, source)},
	};
	const struct map_service *service = service_at(m, s);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(texts[i].what, what) == 0)
			return text_or_absent(
			    m, *(const struct map_str *)(const void *)((const char *)service + texts[i].at));
	}
	return SLICE_NONE;
}

/* One row of a section pair. */
static const void *row(const struct service_map *m, enum map_section at, enum map_section items, uint32_t i,
                       size_t *n)
{
	const uint32_t *v = m->at[at];
	BUG_ON(i >= m->n[at] - 1);
	*n = v[i + 1] - v[i];
	return (const char *)m->at[items] + (size_t)v[i] * record_size[items];
}

struct slice service_label(const struct service_map *m, uint32_t s, struct slice key)
{
	size_t n;
	const struct map_label *v = row(m, MAP_LABELS_AT, MAP_LABELS, s, &n);
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(map_text(m, v[i].key), key))
			return text_or_absent(m, v[i].value);
	}
	return SLICE_NONE;
}

struct slice service_path(const struct service_map *m, uint32_t s, struct slice path, char scratch[16])
{
	static const char *const texts[] = {"name", "owner", "assign", "runbook", "kind"};
	struct slice labels = SLICE("labels.");
	if (slice_starts(path, labels))
		return service_label(m, s, slice_sub(path, labels.n, path.n - labels.n));
	if (slice_is(path, "tier")) {
		int tier = service_tier(m, s);
		return tier > 0 ? slice_of(scratch, (size_t)snprintf(scratch, 16, "%d", tier)) : SLICE_NONE;
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (slice_is(path, texts[i]))
			return service_text(m, s, texts[i]);
	}
	return SLICE_NONE;
}

int service_tier(const struct service_map *m, uint32_t s)
{
	return service_at(m, s)->tier;
}

bool service_hides(const struct service_map *m, uint32_t s)
{
	return (service_at(m, s)->flags & MAP_HIDES) != 0;
}

bool service_unknown(const struct service_map *m, uint32_t s)
{
	return (service_at(m, s)->flags & MAP_UNKNOWN) != 0;
}

enum service_kind service_kind(const struct service_map *m, uint32_t s)
{
	return (enum service_kind)service_at(m, s)->kind_no;
}

bool service_is_network(const struct service_map *m, uint32_t s)
{
	enum service_kind kind = service_kind(m, s);
	return kind == KIND_NETWORK || kind == KIND_ROUTER || kind == KIND_FIREWALL || kind == KIND_SWITCH;
}

const struct map_edge *service_needs(const struct service_map *m, uint32_t s, size_t *n)
{
	return row(m, MAP_NEEDS_AT, MAP_NEEDS, s, n);
}

const struct map_edge *service_needed_by(const struct service_map *m, uint32_t s, size_t *n)
{
	return row(m, MAP_NEEDED_AT, MAP_NEEDED, s, n);
}

uint32_t map_groups_len(const struct service_map *m)
{
	return m->n[MAP_GROUPS];
}

const uint32_t *group_members(const struct service_map *m, uint32_t g, size_t *n)
{
	return row(m, MAP_MEMBERS_AT, MAP_MEMBERS, g, n);
}

unsigned group_at_least(const struct service_map *m, uint32_t g)
{
	BUG_ON(g >= m->n[MAP_GROUPS]);
	return ((const uint32_t *)m->at[MAP_GROUPS])[g];
}

const struct map_edge *group_needed_by(const struct service_map *m, uint32_t g, size_t *n)
{
	return row(m, MAP_GROUP_NEEDED_AT, MAP_GROUP_NEEDED, g, n);
}

const uint32_t *service_groups(const struct service_map *m, uint32_t s, size_t *n)
{
	return row(m, MAP_MEMBER_OF_AT, MAP_MEMBER_OF, s, n);
}

bool link_ends(const struct service_map *m, uint32_t s, uint32_t ends[2])
{
	const struct map_service *service = service_at(m, s);
	memcpy(ends, service->ends, sizeof service->ends);
	return (service->flags & MAP_HAS_ENDS) != 0;
}

const uint32_t *device_links(const struct service_map *m, uint32_t s, size_t *n)
{
	return row(m, MAP_LINKS_AT, MAP_LINKS, s, n);
}

const char *service_first_alias(const struct service_map *m, uint32_t s, const char *prefix)
{
	size_t n;
	const struct map_name *v = row(m, MAP_ALIASES_AT, MAP_ALIASES, s, &n);
	for (size_t i = 0; i < n; i++) {
		if (slice_starts(map_text(m, v[i].text), slice_str(prefix)))
			return map_text(m, v[i].text).p;
	}
	return NULL;
}
