/* Lookup tables: CSV as RFC 4180 has it, rows as bytes, and the decoders' lookup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_help.h"
#include "rules/matcher.h"
#include "rules/table.h"

static struct table *csv(const char *text, const char *key)
{
	struct error err;
	uint32_t line;
	struct table *t = table_csv(slice_str(text), slice_str(key), &line, &err);
	if (t == NULL)
		fail_msg("line %u: %s", line, err.text);
	return t;
}

static void value(const struct table *t, const char *key, const char *column, const char *want)
{
	struct slice v = table_get(t, slice_str(key), slice_str(column));
	if (want == NULL)
		assert_null(v.p);
	else
		assert_true(slice_is(v, want));
}

static void quoting(void **state)
{
	(void)state;
	struct table *t =
	    csv("\xef\xbb\xbfhost, site ,note\r\nh1,ber1,\"a, \"\"b\"\"\r\nc\"\r\n\r\nh2,,x\n,lost,y\nh3,z,",
	        "host");
	assert_int_equal(table_len(t), 3);
	value(t, "h1", "site", "ber1");
	value(t, "h1", "note", "a, \"b\"\r\nc");
	value(t, "h2", "site", NULL);
	value(t, "h2", "note", "x");
	value(t, "h3", "site", "z");
	value(t, "h3", "note", NULL);
	value(t, "h4", "site", NULL);
	value(t, "h1", "rack", NULL);
	table_free(t);
}

static void faults(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t line;
		const char *part;
	} rows[] = {
	    {"", 1, "the first line must give each column another name"},
	    {"a,a\n", 1, "another name"},
	    {"a,b\n1\n", 2, "1 values, but the first line has 2"},
	    {"a,b\n1,2,3\n", 2, "3 values"},
	    {"a,b\n\"1\n2\",x\n3\n", 4, "1 values"},
	    {"a,b\n1,2\n1,3\n", 3, "the key '1' stands there twice"},
	    {"a,b\n1,\"2\n", 2, "does not end"},
	    {"a,b\n1,2\"3\"\n", 2, "a quote inside"},
	    {"a,b\n1,\"2\"3\n", 2, "a quote inside"},
	    {"b\n", 0, "no column 'a'"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {""};
		uint32_t line = 99;
		assert_null(table_csv(slice_str(rows[i].text), SLICE("a"), &line, &err));
		if (line != rows[i].line || strstr(err.text, rows[i].part) == NULL)
			fail_msg("case %zu: line %u: %s", i, line, err.text);
	}
}

static void rows_as_bytes(void **state)
{
	(void)state;
	struct buf b = {0};
	struct error err;
	table_row_begin(&b, SLICE("h1"), 2);
	table_row_pair(&b, SLICE("site"), SLICE("ber1"));
	table_row_pair(&b, SLICE("rack"), SLICE("r1"));
	table_row_begin(&b, SLICE("h2"), 1);
	table_row_pair(&b, SLICE("owner"), SLICE("ops"));
	struct table *t = table_rows(buf_slice(&b), &err);
	assert_non_null(t);
	value(t, "h1", "rack", "r1");
	value(t, "h1", "owner", NULL);
	value(t, "h2", "owner", "ops");
	table_free(t);
	assert_null(table_rows(slice_sub(buf_slice(&b), 0, b.n - 1), &err));
	t = table_rows(SLICE(""), &err);
	assert_int_equal(table_len(t), 0);
	table_free(t);
	buf_free(&b);
}

#define FILES                                                                                                \
	"version: 1\nfields: {site: text, gone: text}\ntables:\n  t: {file: good.csv, key: host}\n"          \
	"  r: {file: good.csv, key: host}\ndecoders:\n"                                                   \
	"- id: d\n  match: {app: x}\n  lookup:\n"                                                            \
	"  - {table: t, key: \"${host}\", set: {site: site, x.rack: 'the \"rack\"'}}\n"                      \
	"  - {table: r, key: \"${host}\", set: {x.owner: site}}\n  set: {x.place: \"${site}/${x.rack}\"}\n" \
	"- id: e\n  match: {site: ber1}\n  set: {x.later: seen}\n"                                           \
	"rules:\n  a: {summary: 'A ${x.place}', match: {app: x}}\n"

static const char *field(const struct fields *f, const char *name)
{
	struct slice v = value_slice(fields_get_name(f, slice_str(name)));
	return v.n > 0 ? arena_str(f->arena, v) : "";
}

static void lookups(void **state)
{
	(void)state;
	struct loaded l = load_text(FILES);
	if (l.rs == NULL)
		print_findings(&l);
	assert_non_null(l.rs);
	struct matcher *m = matcher_new(l.rs);
	struct arena *a = arena_new(0);
	struct fields f;
	struct buf b = {0};
	struct error err;
	table_row_begin(&b, SLICE("h1"), 1);
	table_row_pair(&b, SLICE("site"), SLICE("ops"));
	struct table *redis = table_rows(buf_slice(&b), &err);
	fields_init(&f, a);
	fields_set(&f, FIELD_APP, SLICE("x"));
	fields_set(&f, FIELD_HOST, SLICE("h1"));
	assert_true(matcher_decode(m, &f));
	assert_string_equal(field(&f, "x.place"), "ber1/a, b");
	assert_string_equal(field(&f, "x.later"), "seen");
	assert_string_equal(field(&f, "x.owner"), "ber1");
	matcher_table(m, 0, redis); /* by id: r, t */
	fields_reset(&f);
	fields_set(&f, FIELD_APP, SLICE("x"));
	fields_set(&f, FIELD_HOST, SLICE("h1"));
	assert_true(matcher_decode(m, &f));
	assert_string_equal(field(&f, "x.owner"), "ops");
	fields_reset(&f);
	fields_set(&f, FIELD_APP, SLICE("x"));
	fields_set(&f, FIELD_HOST, SLICE("h9"));
	assert_true(matcher_decode(m, &f));
	assert_string_equal(field(&f, "site"), "");
	fields_free(&f);
	table_free(redis);
	buf_free(&b);
	arena_free(a);
	matcher_free(m);
	loaded_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quoting),
	    cmocka_unit_test(faults),
	    cmocka_unit_test(rows_as_bytes),
	    cmocka_unit_test(lookups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
