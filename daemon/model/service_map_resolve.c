/* Event → service: the steps of map.md section 4, in their order. On the event path: hashes, no allocation,
 * no DNS. Services that are only named by a need are no answer: nothing is known of them. */
#include "model/service_map_bin.h"

bool map_text_same(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (map_lower(a.p[i]) != map_lower(b.p[i]))
			return false;
	}
	return true;
}

/* The part before ":digits" at the end, or all of it. */
static struct slice without_port(struct slice s)
{
	size_t i = s.n;
	while (i > 0 && s.p[i - 1] >= '0' && s.p[i - 1] <= '9')
		i--;
	if (i == s.n || i < 2 || s.p[i - 1] != ':')
		return s;
	return slice_of(s.p, i - 1);
}

struct slice map_host_bare(struct slice host, struct address *a, bool *is_address)
{
	/* first as it stands: the last group of an IPv6 address is no port */
	*is_address = address_parse(host, a);
	if (*is_address || host.n == 0)
		return host;
	host = without_port(host);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_of(host.p + 1, host.n - 2);
	*is_address = address_parse(host, a);
	return host;
}

struct slice map_host_short(struct slice host)
{
	const char *dot = host.n > 0 ? memchr(host.p, '.', host.n) : NULL;
	if (dot == NULL || dot == host.p)
		return SLICE_NONE;
	return slice_of(host.p, (size_t)(dot - host.p));
}

uint32_t map_find_id(const struct service_map *m, struct slice id)
{
	const uint32_t *slots = m->at[MAP_ID_SLOTS];
	const struct map_service *services = m->at[MAP_SERVICES];
	uint32_t mask = m->n[MAP_ID_SLOTS] - 1;
	for (uint32_t i = map_hash_end(map_hash(MAP_HASH_START, id)) & mask; slots[i] != 0;
	     i = (i + 1) & mask) {
		if (map_text_same(map_text(m, services[slots[i] - 1].id), id))
			return slots[i] - 1;
	}
	return UINT32_MAX;
}

uint32_t map_find_name(const struct service_map *m, enum map_section names, enum map_section slot_section,
                       struct slice text)
{
	const uint32_t *slots = m->at[slot_section];
	const struct map_name *v = m->at[names];
	uint32_t mask = m->n[slot_section] - 1;
	for (uint32_t i = map_hash_end(map_hash(MAP_HASH_START, text)) & mask; slots[i] != 0;
	     i = (i + 1) & mask) {
		if (map_text_same(map_text(m, v[slots[i] - 1].text), text))
			return slots[i] - 1;
	}
	return UINT32_MAX;
}

uint32_t map_find_address(const struct service_map *m, const struct address *a)
{
	const uint32_t *slots = m->at[MAP_ADDRESS_SLOTS];
	const struct map_address *v = m->at[MAP_ADDRESSES];
	uint32_t mask = m->n[MAP_ADDRESS_SLOTS] - 1;
	uint32_t i = map_hash_end(map_hash(MAP_HASH_START, slice_of(a->b, sizeof a->b))) & mask;
	for (; slots[i] != 0; i = (i + 1) & mask) {
		if (memcmp(&v[slots[i] - 1].a, a, sizeof *a) == 0)
			return slots[i] - 1;
	}
	return UINT32_MAX;
}

uint32_t map_find_port(const struct service_map *m, struct slice host, uint32_t device, struct slice port)
{
	const uint32_t *slots = m->at[MAP_PORT_SLOTS];
	const struct map_port_row *v = m->at[MAP_PORTS];
	uint32_t mask = m->n[MAP_PORT_SLOTS] - 1;
	for (uint32_t i = map_port_hash(host, device, port) & mask; slots[i] != 0; i = (i + 1) & mask) {
		const struct map_port_row *row = &v[slots[i] - 1];
		if (row->device == device && slice_eq(map_text(m, row->port), port) &&
		    map_text_same(map_text(m, row->host), host))
			return slots[i] - 1;
	}
	return UINT32_MAX;
}

bool map_glob(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			retry = t;
		} else if (p < pattern.n && pattern.p[p] == map_lower(text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static uint32_t by_id(const struct service_map *m, struct slice id)
{
	const struct map_service *services = m->at[MAP_SERVICES];
	uint32_t s = map_find_id(m, id);
	return s != UINT32_MAX && (services[s].flags & MAP_UNKNOWN) == 0 ? s : SERVICE_NONE;
}

static uint32_t by_name(const struct service_map *m, enum map_section names, enum map_section slots,
                        struct slice text)
{
	const struct map_name *v = m->at[names];
	uint32_t i = map_find_name(m, names, slots, text);
	return i != UINT32_MAX ? v[i].service : SERVICE_NONE;
}

/* FQDN → short name, or short name → FQDN; the table of shorts says whether the short name is unique. */
static uint32_t by_short(const struct service_map *m, struct slice host)
{
	struct slice first = map_host_short(host);
	if (first.p == NULL)
		return by_name(m, MAP_SHORTS, MAP_SHORT_SLOTS, host);
	if (by_name(m, MAP_SHORTS, MAP_SHORT_SLOTS, first) == SERVICE_NONE)
		return SERVICE_NONE;
	uint32_t s = by_name(m, MAP_NAMES, MAP_NAME_SLOTS, first);
	return s != SERVICE_NONE ? s : by_id(m, first);
}

static uint32_t by_pattern(const struct service_map *m, struct slice host)
{
	const struct map_name *v = m->at[MAP_PATTERNS];
	for (uint32_t i = 0; i < m->n[MAP_PATTERNS]; i++) {
		if (v[i].literals <= host.n && map_glob(map_text(m, v[i].text), host))
			return v[i].service;
	}
	return SERVICE_NONE;
}

static uint32_t net_search(const struct map_address *v, uint32_t n, const struct address *key)
{
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int cmp = memcmp(&v[mid].a, key, sizeof *key);
		if (cmp == 0)
			return v[mid].service;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SERVICE_NONE;
}

static uint32_t by_network(const struct service_map *m, const struct address *a)
{
	const struct map_net_length *lengths = m->at[MAP_NET_LENGTHS];
	const struct map_address *nets = m->at[MAP_NETS];
	for (uint32_t i = 0; i < m->n[MAP_NET_LENGTHS]; i++) {
		struct address key = *a;
		address_mask(&key, lengths[i].bits);
		uint32_t s = net_search(nets + lengths[i].first, lengths[i].n, &key);
		if (s != SERVICE_NONE)
			return s;
	}
	return SERVICE_NONE;
}

static uint32_t by_address(const struct service_map *m, const struct address *a)
{
	const struct map_address *v = m->at[MAP_ADDRESSES];
	uint32_t i = map_find_address(m, a);
	return i != UINT32_MAX ? v[i].service : SERVICE_NONE;
}

static uint32_t found(uint32_t s, enum resolve_step step, enum resolve_step *how)
{
	*how = s != SERVICE_NONE ? step : RESOLVE_NONE;
	return s;
}

static uint32_t host_steps(const struct service_map *m, struct slice host, const struct address *a,
                           bool is_address, enum resolve_step *how)
{
	uint32_t s;
	if ((s = by_name(m, MAP_NAMES, MAP_NAME_SLOTS, host)) != SERVICE_NONE)
		return found(s, RESOLVE_HOST, how);
	if ((s = by_id(m, host)) != SERVICE_NONE)
		return found(s, RESOLVE_ID, how);
	if ((s = by_name(m, MAP_ALIASES, MAP_ALIAS_SLOTS, host)) != SERVICE_NONE)
		return found(s, RESOLVE_ALIAS, how);
	if (!is_address && (s = by_short(m, host)) != SERVICE_NONE)
		return found(s, RESOLVE_SHORT, how);
	if ((s = by_pattern(m, host)) != SERVICE_NONE)
		return found(s, RESOLVE_PATTERN, how);
	if (!is_address)
		return SERVICE_NONE;
	if ((s = by_address(m, a)) != SERVICE_NONE)
		return found(s, RESOLVE_ADDRESS, how);
	return found(by_network(m, a), RESOLVE_CIDR, how);
}

uint32_t resolve_host(const struct service_map *m, struct slice host, enum resolve_step *how)
{
	enum resolve_step unused;
	if (how == NULL)
		how = &unused;
	*how = RESOLVE_NONE;
	struct address a;
	bool is_address;
	/* no host name is longer (RFC 1035: 255); a hostile one must not cost a walk over it by every pattern
	 */
	if (host.n == 0 || host.n > MAP_HOST_MAX)
		return SERVICE_NONE;
	host = map_host_bare(host, &a, &is_address);
	return host_steps(m, host, &a, is_address, how);
}

static uint32_t resolve_service(const struct service_map *m, struct slice service, enum resolve_step *how)
{
	*how = RESOLVE_NONE;
	if (service.n == 0)
		return SERVICE_NONE;
	uint32_t s = by_id(m, service);
	if (s != SERVICE_NONE)
		return found(s, RESOLVE_ID, how);
	return found(by_name(m, MAP_ALIASES, MAP_ALIAS_SLOTS, service), RESOLVE_ALIAS, how);
}

/* What the map has at (host, port): by the name that the map uses there, else by any name of the same device.
 * A name that fits a pattern or a network only is not the name of one host. */
static uint32_t resolve_port(const struct service_map *m, struct slice host, struct slice port)
{
	const struct map_port_row *rows = m->at[MAP_PORTS];
	if (host.n == 0 || host.n > MAP_HOST_MAX || m->n[MAP_PORTS] == 0)
		return SERVICE_NONE;
	struct address a;
	bool is_address;
	host = map_host_bare(host, &a, &is_address);
	uint32_t i = map_find_port(m, host, SERVICE_NONE, port);
	if (i != UINT32_MAX)
		return rows[i].service;
	enum resolve_step how = RESOLVE_NONE;
	uint32_t device = host_steps(m, host, &a, is_address, &how);
	if (device == SERVICE_NONE || how == RESOLVE_PATTERN || how == RESOLVE_CIDR)
		return SERVICE_NONE;
	i = map_find_port(m, SLICE_NONE, device, port);
	return i != UINT32_MAX ? rows[i].service : SERVICE_NONE;
}

uint32_t resolve_event(const struct service_map *m, struct slice service, struct slice host,
                       struct slice port, enum resolve_step *how)
{
	enum resolve_step unused;
	if (how == NULL)
		how = &unused;
	uint32_t s = resolve_service(m, service, how);
	if (s != SERVICE_NONE)
		return s;
	if (port.n > 0)
		return found(resolve_port(m, host, port), RESOLVE_PORT, how);
	return resolve_host(m, host, how);
}

uint32_t resolve_peer(const struct service_map *m, struct slice peer, enum resolve_step *how)
{
	enum resolve_step unused;
	if (how == NULL)
		how = &unused;
	uint32_t s = resolve_service(m, peer, how);
	return s != SERVICE_NONE ? s : resolve_host(m, peer, how);
}

const char *resolve_step_word(enum resolve_step r)
{
	static const char *const words[] = {
	    [RESOLVE_NONE] = "not in the map",
	    [RESOLVE_HOST] = "host: exact",
	    [RESOLVE_ID] = "id",
	    [RESOLVE_ALIAS] = "alias",
	    [RESOLVE_SHORT] = "host: short name",
	    [RESOLVE_PATTERN] = "host: pattern",
	    [RESOLVE_ADDRESS] = "host: address",
	    [RESOLVE_CIDR] = "host: network",
	    [RESOLVE_PORT] = "port",
	};
	BUG_ON((size_t)r >= ARRAY_LEN(words));
	return words[r];
}
