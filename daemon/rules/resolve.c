/* From an event's fields to the service it speaks about (map.md section 4); the walk itself is the map's. */
#include "rules/matcher.h"

#include "rules/matcher_impl.h"

static void set_service_fields(struct matcher *m, const struct service_map *map, uint32_t service,
                               struct fields *f)
{
	for (size_t i = 0; i < m->parts.n_service_paths; i++) {
		char scratch[16];
		struct slice v = SLICE_NONE;
		if (service != SERVICE_NONE)
			v = service_path(map, service, m->parts.service_paths[i], scratch);
		if (v.n > 0 && v.p >= scratch && v.p < scratch + sizeof scratch)
			v = arena_slice(f->arena, v);
		if (!fields_set_named(f, m->service_names[i], v, VALUE_TEXT))
			fields_add_tag(f, "too-many-fields");
	}
}

static void set_peer(const struct service_map *map, struct fields *f)
{
	struct slice peer = value_slice(f->core[FIELD_PEER]);
	if (peer.n == 0)
		return;
	enum resolve_step how;
	uint32_t s = resolve_peer(map, peer, &how);
	if (s != SERVICE_NONE)
		fields_set(f, FIELD_PEER, service_id(map, s));
}

uint32_t matcher_resolve(struct matcher *m, const struct service_map *map, struct fields *f)
{
	enum resolve_step how;
	uint32_t s = SERVICE_NONE;
	if (service_map_len(map) > 0) {
		s = resolve_event(map, value_slice(f->core[FIELD_SERVICE]), value_slice(f->core[FIELD_HOST]),
		                  value_slice(f->core[FIELD_PORT]), &how);
		if (s != SERVICE_NONE)
			fields_set(f, FIELD_SERVICE, service_id(map, s));
		set_peer(map, f);
	}
	set_service_fields(m, map, s, f);
	return s;
}
