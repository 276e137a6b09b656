/* Errors, findings, suggestions, log limits. */
#include "test.h"

#include "base/error.h"
#include "base/log.h"

static void errors(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(error_set(&e, "cannot open %s", "x"), -1);
	assert_string_equal(e.text, "cannot open x");
	assert_int_equal(error_wrap(&e, "map %d", 5), -1);
	assert_string_equal(e.text, "map 5: cannot open x");
	assert_int_equal(error_set(&e, "again: %s", e.text), -1);
	assert_string_equal(e.text, "again: map 5: cannot open x");
	assert_int_equal(error_set(NULL, "x"), -1);
}

/* What does not fit ends in "..." and never in half a character. */
static void long_errors(void **state)
{
	(void)state;
	struct error e;
	for (int shift = 0; shift < 4; shift++) {
		struct buf b = {0};
		for (int i = 0; i < shift; i++)
			buf_char(&b, 'x');
		for (int i = 0; i < 400; i++)
			buf_str(&b, "\xe2\x82\xac");
		error_set(&e, "%s", buf_cstr(&b));
		assert_true(strlen(e.text) < sizeof e.text && strlen(e.text) > sizeof e.text - 8);
		assert_true(slice_ends(slice_str(e.text), SLICE("...")));
		assert_true(slice_utf8(slice_str(e.text)));
		error_wrap(&e, "%s", buf_cstr(&b));
		assert_true(slice_ends(slice_str(e.text), SLICE("...")));
		buf_free(&b);
	}
}

static void gcc_style(void **state)
{
	(void)state;
	struct findings f = {0};
	struct buf b = {0};
	struct slice src = SLICE("rules:\r\n\tmacth: {macro: x}\n  \xc3\xa9\xc3\xa9: caf\xc3\xa9\n");
	findings_add(&f, FINDING_WARNING, "W103", "b.yaml", (struct mark){3, 7, 4}, src, "slow");
	findings_add(&f, FINDING_ERROR, "E004", "a.yaml", (struct mark){2, 2, 5}, src, "unknown key '%s'",
	             "macth");
	findings_add(&f, FINDING_NOTE, "", "a.yaml", (struct mark){0}, SLICE_NONE, "no place\n");
	findings_sort(&f);
	findings_text(&f, &b);
	assert_string_equal(buf_cstr(&b), "a.yaml: note: no place?\n"
	                                  "a.yaml:2:2: error: unknown key 'macth' [E004]\n"
	                                  "    2 | \tmacth: {macro: x}\n"
	                                  "      | \t^~~~~\n"
	                                  "b.yaml:3:7: warning: slow [W103]\n"
	                                  "    3 |   \xc3\xa9\xc3\xa9: caf\xc3\xa9\n"
	                                  "      |       ^~~~\n");
	assert_int_equal(f.errors, 1);
	assert_int_equal(f.warnings, 1);
	assert_int_equal(f.notes, 1);
	findings_clear(&f);
	assert_int_equal(f.errors, 0);
	buf_free(&b);
}

static void as_json(void **state)
{
	(void)state;
	struct findings f = {0};
	struct buf b = {0};
	findings_add(&f, FINDING_ERROR, "E002", "a\"b", (struct mark){4, 2, 1}, SLICE_NONE, "dup");
	findings_json(&f, 3, &b);
	assert_string_equal(
	    buf_cstr(&b),
	    "{\"findings\":[{\"file\":\"a\\\"b\",\"line\":4,\"column\":2,\"severity\":\"error\","
	    "\"code\":\"E002\",\"message\":\"dup\"}],\"files\":3,\"errors\":1,\"warnings\":0}");
	findings_clear(&f);
	buf_free(&b);
}

static void places(void **state)
{
	(void)state;
	struct slice s = SLICE("a\xc3\xa9\r\nb\xff\n");
	static const struct {
		size_t at;
		uint32_t line, col;
	} t[] = {{0, 1, 1}, {1, 1, 2}, {3, 1, 3}, {5, 2, 1}, {6, 2, 2}, {7, 2, 3}, {8, 3, 1}, {99, 3, 1}};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(mark_at(s, t[i].at).line, t[i].line);
		assert_int_equal(mark_at(s, t[i].at).col, t[i].col);
	}
}

/* A hostile line is cut, a hostile control character shown as one place. */
static void hostile_source(void **state)
{
	(void)state;
	struct findings f = {0};
	struct buf src = {0}, b = {0};
	for (int i = 0; i < 5000; i++)
		buf_str(&src, "x\x1b");
	findings_add(&f, FINDING_ERROR, "", "f", (struct mark){1, 4000, 9}, buf_slice(&src), "far");
	findings_text(&f, &b);
	assert_true(b.n < 300);
	assert_null(memchr(b.p, 0x1b, b.n));
	findings_clear(&f);
	buf_free(&src);
	buf_free(&b);
}

static void keeps_a_hundred(void **state)
{
	(void)state;
	struct findings f = {0}, g = {0};
	struct buf b = {0};
	for (uint32_t i = 0; i < 130; i++)
		findings_add(&f, FINDING_ERROR, "E1", "f", (struct mark){i, 1, 1}, SLICE_NONE, "x");
	assert_int_equal(f.n, 100);
	assert_int_equal(f.errors, 130);
	findings_add(&g, FINDING_ERROR, "E2", "g", (struct mark){0}, SLICE_NONE, "y");
	findings_add(&g, FINDING_WARNING, "W1", "g", (struct mark){0}, SLICE_NONE, "z");
	findings_move(&g, &f);
	assert_int_equal(f.n, 0);
	assert_int_equal(g.errors, 131);
	assert_int_equal(g.warnings, 1);
	assert_int_equal(g.n, 101);
	findings_text(&g, &b);
	assert_true(slice_ends(buf_slice(&b), SLICE("\n31 more are not shown\n")));
	findings_clear(&g);
	buf_free(&b);
}

static void suggestions(void **state)
{
	(void)state;
	static const char *const names[] = {"match", "severity", "when", "by", "clear", "set"};
	assert_string_equal(suggest(SLICE("macth"), names, ARRAY_LEN(names)), "match");
	assert_string_equal(suggest(SLICE("amthc"), names, ARRAY_LEN(names)), "match"); /* two swaps */
	assert_string_equal(suggest(SLICE("serverity"), names, ARRAY_LEN(names)), "severity");
	assert_string_equal(suggest(SLICE("b"), names, ARRAY_LEN(names)), "by");
	assert_string_equal(suggest(SLICE("matches"), names, ARRAY_LEN(names)), "match");
	assert_null(suggest(SLICE("matching"), names, ARRAY_LEN(names)));
	assert_null(suggest(SLICE("xy"), (const char *const[]){"ab"}, 1));
	assert_null(suggest(SLICE(""), names, ARRAY_LEN(names)));
	assert_null(suggest(SLICE("x"), NULL, 0));
	assert_string_equal(suggest(SLICE("sat"), (const char *const[]){"sets", "set", "sit"}, 3), "set");
}

static void log_limits(void **state)
{
	(void)state;
	struct log_limit l = {0};
	enum log_level level;
	unsigned said = 0;
	log_level(LOG_LEVEL_ERROR);
	for (int i = 0; i < 100; i++)
		said += log_allow(&l, 60000000, 3);
	assert_int_equal(said, 3);
	assert_int_equal(l.suppressed, 97);
	assert_true(log_allow(&l, 120000000, 3));
	assert_int_equal(l.suppressed, 0);
	assert_true(log_level_parse("warning", &level) && level == LOG_LEVEL_WARNING);
	assert_false(log_level_parse("loud", &level));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors),          cmocka_unit_test(long_errors),
	    cmocka_unit_test(gcc_style),       cmocka_unit_test(as_json),
	    cmocka_unit_test(places),          cmocka_unit_test(hostile_source),
	    cmocka_unit_test(keeps_a_hundred), cmocka_unit_test(suggestions),
	    cmocka_unit_test(log_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
