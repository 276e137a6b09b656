/* service_map_open on arbitrary bytes, size and checksum put right first so that the inside is what is tried;
 * then every query on what was taken. No over-read, no endless search, every answer inside the map. */
#include <stddef.h>
#include <stdlib.h>

#include "model/evt.h"
#include "model/service_map_bin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool ok)
{
	if (!ok)
		abort();
}

static void read_text(struct slice s)
{
	volatile char sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum = (char)(sum ^ s.p[i]);
}

static void read_edges(const struct service_map *m, const struct map_edge *v, size_t n, bool groups)
{
	for (size_t i = 0; i < n; i++) {
		want(v[i].is_group <= groups && v[i].effect <= EFFECT_DOWN);
		want(v[i].to < (v[i].is_group ? map_groups_len(m) : service_map_len(m)));
	}
}

static void read_service(const struct service_map *m, uint32_t s)
{
	static const char *const paths[] = {"name",    "tier", "owner",    "assign",
	                                    "runbook", "kind", "labels.x", "else"};
	char scratch[16];
	size_t n;
	uint32_t ends[2];
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		read_text(service_path(m, s, slice_str(paths[i]), scratch));
	read_text(service_id(m, s));
	const struct map_edge *e = service_needs(m, s, &n);
	read_edges(m, e, n, true);
	e = service_needed_by(m, s, &n);
	read_edges(m, e, n, false);
	const uint32_t *v = service_groups(m, s, &n);
	for (size_t i = 0; i < n; i++)
		want(v[i] < map_groups_len(m));
	v = device_links(m, s, &n);
	for (size_t i = 0; i < n; i++)
		want(v[i] < service_map_len(m));
	link_ends(m, s, ends);
	want(ends[0] < service_map_len(m) || ends[0] == SERVICE_NONE);
	want(service_tier(m, s) <= 4 && service_kind(m, s) <= KIND_SITE);
	(void)(service_is_network(m, s) || service_hides(m, s) || service_unknown(m, s));
	const char *alias = service_first_alias(m, s, "cmdb:");
	if (alias != NULL)
		read_text(slice_str(alias));
}

static void resolve_all(const struct service_map *m, struct slice name)
{
	enum resolve_step how;
	uint32_t s = resolve_event(m, name, name, SLICE_NONE, &how);
	want(s == SERVICE_NONE ? how == RESOLVE_NONE
	                       : s < service_map_len(m) && resolve_step_word(how) != NULL);
	s = resolve_event(m, SLICE_NONE, name, SLICE("Gi0/1"), &how);
	want(s == SERVICE_NONE || (s < service_map_len(m) && how == RESOLVE_PORT));
	s = resolve_peer(m, name, &how);
	want(s == SERVICE_NONE || s < service_map_len(m));
}

static void read_map(const struct service_map *m, struct slice bytes)
{
	uint32_t n = service_map_len(m) < 500 ? service_map_len(m) : 500;
	for (uint32_t s = 0; s < n; s++) {
		read_service(m, s);
		resolve_all(m, service_id(m, s));
	}
	size_t members;
	for (uint32_t g = 0; g < map_groups_len(m) && g < 500; g++) {
		const uint32_t *v = group_members(m, g, &members);
		for (size_t i = 0; i < members; i++)
			want(v[i] < service_map_len(m));
		(void)group_at_least(m, g);
		const struct map_edge *by = group_needed_by(m, g, &members);
		read_edges(m, by, members, false);
	}
	static const char *const names[] = {"sw1",         "sw1.a.net:99", "10.0.0.1", "10.1.2.3",
	                                    "2001:db8::1", "web-1.lab",    "*"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		resolve_all(m, slice_str(names[i]));
	resolve_all(m, slice_sub(bytes, bytes.n - 20, 20));
	char hex[65];
	service_map_hash(m, hex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + (size == 0));
	want(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	if (size >= sizeof(struct map_head)) {
		struct map_head *head = (struct map_head *)(void *)copy;
		head->size = size;
		head->checksum = 0;
		head->checksum = crc32c(0, copy, size);
	}
	struct error err;
	struct service_map *m = service_map_open(slice_of(copy, size), &err);
	if (m != NULL)
		read_map(m, slice_of(copy, size));
	service_map_close(m);
	free(copy);
	return 0;
}
