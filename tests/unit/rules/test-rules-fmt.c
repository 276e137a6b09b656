/* The formatter: what it makes of a text, that it stops there, and that the shipped packs and the examples
 * load to the same rule set afterwards. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "load_help.h"
#include "rules/fmt.h"

struct pair {
	const char *in, *out; /* NULL: refused */
};
static const struct pair pairs[] = {
    {"", ""},
    {"version: 1\n", "version: 1\n"},
    {"package: a\nversion: 1", "version: 1\npackage: a\n"},
    {"# head\n\n\n\npackage: a\n# one\nversion: 1 # two\n",
     "# head\n\n# one\nversion: 1 # two\npackage: a\n"},
    {"---\nversion: 1\n", "version: 1\n"},
    {"version: 1\r\npackage: a\r\n", "version: 1\npackage: a\n"},
    /* unknown keys stay behind the one before them; names of rules are not sorted */
    {"rules:\n    z:\n        match: {a: b}\n        foo: 1\n        summary: x y\n    a: {}\n",
     "rules:\n  z:\n    summary: x y\n    match: {a: b}\n    foo: 1\n  a: {}\n"},
    {"tests:\n- name: x\n  # e\n  expect: []\n  events: [] # t\n",
     "tests:\n  - name: x\n    events: [] # t\n    # e\n    expect: []\n"},
    {"tests:\n- expect: []\n  # n\n  name: x\n", "tests:\n  # n\n  - name: x\n    expect: []\n"},
    {"lists:\n  a: [1, # one\n2]\n", "lists:\n  a: [1, # one\n    2]\n"},
    {"lists:\n  a: ['x', 'it''s', 'a\\b', 'say \"x\"']\n",
     "lists:\n  a: [\"x\", 'it''s', 'a\\b', 'say \"x\"']\n"},
    {"a:   1   # x\nbb:  2\n", "a:   1   # x\nbb:  2\n"},
    {"rules:\n    a:\n        description: |\n            x\n              y\n\n        # c\n        "
     "summary: abc\n",
     "rules:\n  a:\n    # c\n    summary: abc\n    description: |\n        x\n          y\n"},
    /* refused, not spoilt */
    {"a: [", NULL},
    {"a: &x 1\n", NULL},
    {"a: 1\na: 2\n", NULL},
    {"? a\n: b\n", NULL},
    {"- a\n", NULL},
    {"text\n", NULL},
    {"a: 1\n---\nb: 2\n", NULL},
};

static void forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct buf out = {0}, again = {0};
		struct error err = {{0}};
		int rc = fmt_text(slice_str(pairs[i].in), false, &out, &err);
		if ((rc == 0) != (pairs[i].out != NULL) ||
		    (rc == 0 && strcmp(buf_cstr(&out), pairs[i].out) != 0))
			fail_msg("case %zu: %s\n%s", i, err.text, buf_cstr(&out));
		if (rc == 0) {
			assert_int_equal(fmt_text(buf_slice(&out), false, &again, &err), 0);
			assert_string_equal(buf_cstr(&out), buf_cstr(&again));
		} else {
			assert_int_equal(out.n, 0);
			assert_true(err.text[0] != '\0');
		}
		buf_free(&out);
		buf_free(&again);
	}
}

/* ---- the same rule set */

static struct slice read_all(const char *path)
{
	struct buf b = {0};
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		buf_add(&b, chunk, n);
	fclose(f);
	return buf_slice(&b);
}

static void same_rules(const struct rule_set *a, const struct rule_set *b)
{
	size_t n, m;
	const struct rule *x = rule_set_rules(a, &n), *y = rule_set_rules(b, &m);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		assert_true(slice_eq(x[i].id, y[i].id));
		assert_true(x[i].hash == y[i].hash);
		assert_true(slice_eq(template_text(x[i].summary), template_text(y[i].summary)));
		assert_true(slice_eq(x[i].owner, y[i].owner) && slice_eq(x[i].runbook, y[i].runbook));
		assert_true(x[i].quiet == y[i].quiet && x[i].open_after == y[i].open_after &&
		            x[i].effect == y[i].effect && x[i].mode == y[i].mode &&
		            x[i].severity == y[i].severity && x[i].n_suppressed_by == y[i].n_suppressed_by);
	}
	const struct rule_decoder *d = rule_set_decoders(a, &n), *e = rule_set_decoders(b, &m);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++)
		assert_true(slice_eq(d[i].id, e[i].id) && d[i].n_extract == e[i].n_extract &&
		            d[i].n_set == e[i].n_set);
	(void)rule_set_tests(a, &n);
	(void)rule_set_tests(b, &m);
	assert_int_equal(n, m);
}

static void one_file(const char *path)
{
	struct slice text = read_all(path);
	struct buf out = {0}, again = {0};
	struct error err;
	if (fmt_text(text, false, &out, &err) != 0)
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(fmt_text(buf_slice(&out), false, &again, &err), 0);
	assert_string_equal(buf_cstr(&out), buf_cstr(&again));
	struct rules_file before = {.name = path, .text = text},
	                  after = {.name = path, .text = buf_slice(&out)};
	struct loaded x = load_files(&before, 1, NULL), y = load_files(&after, 1, NULL);
	assert_int_equal(x.f.errors, y.f.errors);
	assert_int_equal(x.f.warnings, y.f.warnings);
	if (x.rs != NULL)
		same_rules(x.rs, y.rs);
	loaded_free(&x);
	loaded_free(&y);
	buf_free(&out);
	buf_free(&again);
	free((void *)(uintptr_t)text.p);
}

static void files(void **state)
{
	glob_t g;
	(void)state;
	assert_int_equal(glob(SOURCE_ROOT "/rules/*/*.yaml", 0, NULL, &g), 0);
	(void)glob(SOURCE_ROOT "/../shared/examples/*.yaml", GLOB_APPEND, NULL, &g);
	assert_true(g.gl_pathc > 5);
	for (size_t i = 0; i < g.gl_pathc; i++)
		one_file(g.gl_pathv[i]);
	globfree(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(files)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
