/* A map file of arbitrary bytes (also taken as /etc/hosts text). What compiles opens, compiles to the same
 * bytes again, and every service of it is found by its id. What does not compile has an error among its
 * findings. */
#include <stddef.h>
#include <stdlib.h>

#include "model/service_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool ok)
{
	if (!ok)
		abort();
}

static void ask(const struct service_map *m)
{
	enum resolve_step how;
	size_t n;
	for (uint32_t s = 0; s < service_map_len(m); s++) {
		struct slice id = service_id(m, s);
		want(service_find(m, id) == s);
		uint32_t got = resolve_event(m, id, SLICE_NONE, SLICE_NONE, &how);
		want(service_unknown(m, s) ? got != s : got == s && how == RESOLVE_ID);
		const struct map_edge *e = service_needs(m, s, &n);
		for (size_t i = 0; i < n; i++)
			want(e[i].is_group || e[i].to != s);
	}
	for (uint32_t g = 0; g < map_groups_len(m); g++) {
		group_members(m, g, &n);
		want(group_at_least(m, g) >= 1 && group_at_least(m, g) <= n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct findings f = {0};
	struct map_draft *d = map_draft_new();
	struct slice text = slice_of(data, size);
	struct doc *doc = doc_parse("fuzz.yaml", text, DOC_LIMITS, &f);
	if (doc != NULL)
		map_draft_yaml(d, doc, &f);
	doc_free(doc);
	map_draft_hosts_file(d, text);
	struct buf out = {0}, again = {0};
	size_t errors = f.errors;
	if (map_compile(d, 1000, &f, &out) == 0) {
		struct error err;
		struct service_map *m = service_map_open(buf_slice(&out), &err);
		want(m != NULL && f.errors == errors);
		ask(m);
		want(map_compile(d, 1000, &f, &again) == 0);
		want(slice_eq(buf_slice(&out), buf_slice(&again)));
		service_map_close(m);
	} else {
		want(f.errors > errors && out.n == 0);
	}
	findings_text(&f, &again);
	buf_free(&out);
	buf_free(&again);
	findings_clear(&f);
	map_draft_free(d);
	return 0;
}
