/* A map from YAML text, for the tests of the map. */
#ifndef TESTS_MAP_HELP_H
#define TESTS_MAP_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/service_map.h"

#define assert_slice(got, want) assert_true(slice_is((got), (want)))

struct built {
	struct map_draft *draft;
	struct findings f;
	struct buf bytes, text;  /* text: the findings as text */
	struct service_map *map; /* NULL after an error */
};

static inline void built_yaml(struct built *b, const char *file, const char *yaml)
{
	if (b->draft == NULL)
		b->draft = map_draft_new();
	struct doc *doc = doc_parse(file, slice_str(yaml), DOC_LIMITS, &b->f);
	if (doc != NULL)
		map_draft_yaml(b->draft, doc, &b->f);
	doc_free(doc);
}

static inline void built_compile(struct built *b)
{
	struct error err = {""};
	if (map_compile(b->draft, 200000, &b->f, &b->bytes) == 0) {
		b->map = service_map_open(buf_slice(&b->bytes), &err);
		if (b->map == NULL)
			fail_msg("%s", err.text);
	} else {
		assert_int_equal(b->bytes.n, 0);
	}
	findings_text(&b->f, &b->text);
	buf_cstr(&b->text);
}

static inline struct built build(const char *services)
{
	struct built b = {0};
	char *yaml = NULL;
	if (asprintf(&yaml, "version: 1\nservices:\n%s", services) < 0)
		abort();
	built_yaml(&b, "map.yaml", yaml);
	free(yaml);
	built_compile(&b);
	return b;
}

static inline void built_free(struct built *b)
{
	service_map_close(b->map);
	buf_free(&b->bytes);
	buf_free(&b->text);
	findings_clear(&b->f);
	map_draft_free(b->draft);
}

static inline void expect_line(const struct built *b, const char *part)
{
	if (strstr(b->text.p, part) == NULL)
		fail_msg("findings lack \"%s\":\n%s", part, b->text.p);
}

static inline uint32_t need_service(const struct built *b, const char *id)
{
	assert_non_null(b->map);
	uint32_t s = service_find(b->map, slice_str(id));
	if (s == SERVICE_NONE)
		fail_msg("no service %s", id);
	return s;
}

static inline void expect_id(const struct built *b, uint32_t s, const char *id)
{
	if (id == NULL && s != SERVICE_NONE)
		fail_msg("expected nothing, got " SLICE_FMT, SLICE_ARG(service_id(b->map, s)));
	if (id != NULL && (s == SERVICE_NONE || !slice_is(service_id(b->map, s), id)))
		fail_msg("expected %s, got " SLICE_FMT, id,
		         SLICE_ARG(s != SERVICE_NONE ? service_id(b->map, s) : SLICE("nothing")));
}

static inline void expect_host(const struct built *b, const char *host, const char *id,
                               enum resolve_step step)
{
	enum resolve_step how;
	uint32_t s = resolve_host(b->map, slice_str(host), &how);
	expect_id(b, s, id);
	if (how != step)
		fail_msg("%s: expected step '%s', got '%s'", host, resolve_step_word(step),
		         resolve_step_word(how));
}

#endif
