/* The schemas for editors: every property says what it is, the keys are those of the design's schema where
 * that is there, and the keys of the map's schema are those that its reader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hmap.h"
#include "base/json.h"
#include "model/schema_doc.h"
#include "model/service_map_draft.h"
#include "rules/schema_json.h"
#include "rules/schema_tree.h"

static const struct json *parsed(struct arena *a, struct slice text)
{
	struct json_limits lim = JSON_LIMITS;
	struct error err;
	const struct json *j = json_parse(a, text, lim, NULL, &err);
	if (j == NULL)
		fail_msg("%s", err.text);
	return j;
}

/* All names of properties, wherever they stand. */
static void collect(const struct json *j, struct hmap *names, bool described)
{
	const struct json *properties = json_get(j, "properties");
	for (const struct json *p = properties != NULL ? properties->first : NULL; p != NULL; p = p->next) {
		hmap_put(names, p->key, names);
		if (described && json_text(json_get(p, "description")).n < 3)
			fail_msg("'%.*s' has no description", (int)p->key.n, p->key.p);
	}
	for (const struct json *x = j->first; x != NULL; x = x->next)
		if (x->kind == JSON_OBJECT || x->kind == JSON_ARRAY)
			collect(x, names, described);
}

static void described(void **state)
{
	void (*const write[])(struct buf *) = {schema_rules_json, schema_map_json, schema_config_json};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(write); i++) {
		struct buf b = {0};
		struct arena *a = arena_new(0);
		struct hmap *names = hmap_new();
		write[i](&b);
		collect(parsed(a, buf_slice(&b)), names, true);
		assert_true(hmap_len(names) >= 10);
		hmap_free(names);
		arena_free(a);
		buf_free(&b);
	}
}

static void as_designed(void **state)
{
	FILE *f = fopen(SOURCE_ROOT "/../shared/schema/rules-1.schema.json", "rb");
	struct buf text = {0}, own = {0};
	struct arena *a = arena_new(0);
	struct hmap *theirs = hmap_new(), *ours = hmap_new();
	struct slice key;
	void *value;
	(void)state;
	if (f == NULL) {
		print_message("SKIPPED: the design's schema is not there\n");
	} else {
		buf_reserve(&text, 1 << 20);
		text.n = fread(text.p, 1, 1 << 20, f);
		fclose(f);
		schema_rules_json(&own);
		collect(parsed(a, buf_slice(&text)), theirs, false);
		collect(parsed(a, buf_slice(&own)), ours, false);
		for (size_t i = 0; hmap_next(theirs, &i, &key, &value);)
			if (hmap_get(ours, key) == NULL)
				fail_msg("'%.*s' is not in our schema", (int)key.n, key.p);
		for (size_t i = 0; hmap_next(ours, &i, &key, &value);)
			if (hmap_get(theirs, key) == NULL)
				fail_msg("'%.*s' is not in the design's schema", (int)key.n, key.p);
	}
	hmap_free(theirs);
	hmap_free(ours);
	arena_free(a);
	buf_free(&text);
	buf_free(&own);
}

/* How often the reader of maps says that it does not know the key. */
static size_t unknown_in_map(const char *key, bool of_defaults)
{
	char text[256];
	size_t n = 0;
	snprintf(text, sizeof text,
	         of_defaults ? "version: 1\ndefaults: {%s: x}\nservices: {a: }\n"
	                     : "version: 1\nservices: {a: {%s: x}}\n",
	         key);
	struct findings f = {0};
	struct doc *d = doc_parse("m.yaml", slice_str(text), DOC_LIMITS, &f);
	struct map_draft *draft = map_draft_new();
	assert_non_null(d);
	map_draft_yaml(draft, d, &f);
	for (size_t i = 0; i < f.n; i++)
		n += strcmp(f.v[i].code, "E004") == 0;
	map_draft_free(draft);
	doc_free(d);
	findings_clear(&f);
	return n;
}

static void map_keys(void **state)
{
	const char *key;
	(void)state;
	assert_int_equal(unknown_in_map("nonsense", false), 1);
	for (size_t i = 0; (key = schema_map_key(false, i)) != NULL; i++)
		if (unknown_in_map(key, false) != 0)
			fail_msg("the reader does not know '%s'", key);
	for (size_t i = 0; (key = schema_map_key(true, i)) != NULL; i++)
		if (unknown_in_map(key, true) != 0)
			fail_msg("the reader does not know '%s' in defaults", key);
}

/* carillon-rules(5) has the tables as they are: regenerate them with 'carillonctl schema rules --mdoc'. */
static void manual(void **state)
{
	FILE *f = fopen(SOURCE_ROOT "/rules/carillon-rules.5", "rb");
	struct buf text = {0}, tables = {0};
	(void)state;
	assert_non_null(f);
	buf_reserve(&text, 1 << 20);
	text.n = fread(text.p, 1, 1 << 20, f);
	fclose(f);
	schema_rules_mdoc(&tables);
	if (!slice_contains(buf_slice(&text), buf_slice(&tables)))
		fail_msg("the key tables of carillon-rules(5) are not what 'carillonctl schema rules --mdoc' prints");
	buf_free(&text);
	buf_free(&tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(described), cmocka_unit_test(as_designed),
	                                   cmocka_unit_test(map_keys), cmocka_unit_test(manual)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
