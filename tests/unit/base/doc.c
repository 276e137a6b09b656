/* YAML documents: marks, what is refused and where, hostile sizes. */
#include "test.h"

#include <time.h>

#include "base/doc.h"

struct run {
	struct doc *doc;
	struct findings f;
};

static struct run read_text(const char *text)
{
	struct run r = {0};
	r.doc = doc_parse("f.yaml", slice_str(text), DOC_LIMITS, &r.f);
	return r;
}

static void done(struct run *r)
{
	doc_free(r->doc);
	findings_clear(&r->f);
}

#define assert_mark(m, l, c, n)                                                                              \
	do {                                                                                                 \
		struct mark m_ = (m);                                                                        \
		assert_int_equal(m_.line, l);                                                                \
		assert_int_equal(m_.col, c);                                                                 \
		assert_int_equal(m_.len, n);                                                                 \
	} while (0)

static void tree(void **state)
{
	(void)state;
	struct run r = read_text("# c\na: 1\nl:\n  - x\n  - 'y z'\n\xc3\xa9t\xc3\xa9: {b: \"\\u00e9\", c: "
	                         "}\nt: |\n  two\n  lines\n");
	assert_int_equal(r.f.n, 0);
	const struct node *n = r.doc->root;
	assert_int_equal(n->kind, NODE_MAP);
	assert_int_equal(n->n, 4);
	assert_mark(n->mark, 2, 1, 1);
	assert_slice(node_get(n, "a")->text, "1");
	assert_mark(node_get(n, "a")->mark, 2, 4, 1);
	assert_mark(node_get(n, "a")->key_mark, 2, 1, 1);
	const struct node *l = node_get(n, "l");
	assert_int_equal(l->kind, NODE_LIST);
	assert_int_equal(l->n, 2);
	assert_mark(l->mark, 4, 3, 1);
	assert_false(l->first->quoted);
	assert_true(l->first->next->quoted);
	assert_mark(l->first->next->mark, 5, 5, 5);
	assert_null(l->first->next->next);
	const struct node *m = node_get(n, "\xc3\xa9t\xc3\xa9");
	assert_mark(m->key_mark, 6, 1, 3);
	assert_mark(m->mark, 6, 6, 1); /* characters, not octets */
	assert_slice(node_get(m, "b")->text, "\xc3\xa9");
	assert_true(node_null(node_get(m, "c")));
	assert_slice(node_get(n, "t")->text, "two\nlines\n");
	assert_true(node_get(n, "t")->quoted);
	assert_null(node_get(n, "nothing"));
	assert_null(node_get(l, "a"));
	assert_null(node_get(NULL, "a"));
	done(&r);
}

static void nulls(void **state)
{
	(void)state;
	struct run r = read_text("[null, ~, 'null', '', nul, [], ]");
	static const bool want[] = {true, true, false, false, false, false};
	size_t i = 0;
	for (const struct node *n = r.doc->root->first; n != NULL; n = n->next)
		assert_int_equal(node_null(n), want[i++]);
	assert_int_equal(i, ARRAY_LEN(want));
	assert_true(node_null(NULL));
	assert_string_equal(node_kind_name(r.doc->root), "a list");
	assert_string_equal(node_kind_name(r.doc->root->first), "text");
	done(&r);
	r = read_text("");
	assert_non_null(r.doc);
	assert_null(r.doc->root);
	done(&r);
	r = read_text("\xef\xbb\xbf# only a comment\n");
	assert_non_null(r.doc);
	assert_null(r.doc->root);
	done(&r);
}

/* {text, code, line, column, a piece of the message, is there a tree?} */
static const struct {
	const char *text, *code;
	uint32_t line, col;
	const char *message;
	bool tree;
} refusals[] = {
    {"a: 1\nb: 2\na: 3\n", "E002", 3, 1, "duplicate key 'a'; first at 1:1", true},
    {"x: {k: 1, \"k\": 2}\n", "E002", 1, 11, "duplicate key 'k'; first at 1:5", true},
    {"a: &x 1\n", "E003", 1, 4, "use 'macros', 'lists' or 'params'", true},
    {"a: *x\n", "E003", 1, 4, "anchors, aliases", true},
    {"a: !!str 1\n", "E003", 1, 4, "tags", true},
    {"a: !x {b: c}\n", "E003", 1, 4, "tags", true},
    {"a: &l [1]\n", "E003", 1, 4, "anchors", true},
    {"b:\n  <<: {a: 1}\n", "E003", 2, 3, "merge keys", true},
    {"a: 1\n---\nb: 2\n", "E001", 2, 1, "a second document begins here", false},
    {"a: [1\nb: 2\n", "E001", 2, 2,
     "not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence)", false},
    {"a: [1", "E001", 1, 6, "did not find expected ',' or ']'", false},
    {"a: b: c\n", "E001", 1, 5, "mapping values are not allowed in this context; quote a value that holds ': '", false},
    {"a:\n\t- x\n", "E001", 2, 1, "a tab where only spaces may stand; indent with spaces", false},
    {"a: 1\nb @x\nc: 2\n", "E001", 2, 1, "no ':' and space after this key", false},
    {"a: @x\n", "E001", 1, 4, "this character cannot begin a value; put the value in quotes", false},
    {"a: 1\nb: 'x\nc: 2\n", "E001", 2, 4, "the quote that begins here is not closed", false},
    {"ok: 1\nbad: \xff\n", "E001", 2, 6, "not valid YAML: invalid leading UTF-8 octet", false},
    {"a: \"\\0\"\n", "E001", 1, 4, "NUL", false},
    {"a: \x01\n", "E001", 1, 4, "control characters are not allowed", false},
    {"[a]: 1\n", "E007", 1, 1, "expected text as a key, got a list", false},
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct run r = read_text(refusals[i].text);
		if (r.f.n != 1 || strcmp(r.f.v[0].code, refusals[i].code) != 0 ||
		    r.f.v[0].mark.line != refusals[i].line || r.f.v[0].mark.col != refusals[i].col ||
		    strstr(r.f.v[0].message, refusals[i].message) == NULL) {
			struct buf b = {0};
			findings_text(&r.f, &b);
			fail_msg("%s\n%s", refusals[i].text, buf_cstr(&b));
		}
		assert_int_equal(r.doc != NULL, refusals[i].tree);
		done(&r);
	}
}

/* All of one run; the first of equal keys is in the tree. */
static void all_at_once(void **state)
{
	(void)state;
	struct run r = read_text("a: 1\nb: &x 2\na: {q: *x}\nc: !t 3\n");
	assert_int_equal(r.f.errors, 4);
	assert_non_null(r.doc);
	assert_int_equal(r.doc->root->n, 3);
	assert_slice(node_get(r.doc->root, "a")->text, "1");
	doc_finding(r.doc, &r.f, FINDING_WARNING, "W1", node_get(r.doc->root, "c")->mark, "x %d", 5);
	assert_string_equal(r.f.v[4].source, "c: !t 3");
	assert_string_equal(r.f.v[4].message, "x 5");
	done(&r);
}

static void many_keys(void **state)
{
	(void)state;
	struct buf b = {0};
	for (int i = 0; i < 200; i++)
		buf_printf(&b, "k%d: %d\n", i % 190, i);
	struct run r = read_text(buf_cstr(&b));
	assert_int_equal(r.f.errors, 10);
	assert_int_equal(r.doc->root->n, 190);
	assert_string_equal(r.f.v[9].message, "duplicate key 'k9'; first at 10:1");
	done(&r);
	buf_free(&b);
}

static void limit(const char *text, struct doc_limits lim, const char *message)
{
	struct findings f = {0};
	struct doc *d = doc_parse("f", slice_str(text), lim, &f);
	assert_int_equal(d == NULL, message != NULL);
	assert_int_equal(f.n, message != NULL);
	if (message != NULL) {
		assert_string_equal(f.v[0].code, "E009");
		assert_string_equal(f.v[0].message, message);
	}
	doc_free(d);
	findings_clear(&f);
}

static void limits(void **state)
{
	(void)state;
	limit("[[a]]", (struct doc_limits){5, 2, 3}, NULL);
	limit("[[a]] ", (struct doc_limits){5, 2, 3}, "file is larger than 5 octets");
	limit("[[[a]]]", (struct doc_limits){99, 2, 9}, "file is deeper than 2 levels");
	limit("[[], [], []]", (struct doc_limits){99, 2, 9}, NULL);
	limit("[a, b, c]", (struct doc_limits){99, 2, 3}, "file holds more than 3 values");
	char *big = xmalloc((1 << 20) + 2);
	memset(big, '#', (1 << 20) + 1);
	big[(1 << 20) + 1] = '\0';
	limit(big, DOC_LIMITS, "file is larger than 1 MiB");
	big[1 << 20] = '\0';
	limit(big, DOC_LIMITS, NULL);
	free(big);
}

/* libyaml alone needs 39 s for 90 kB of '['. */
static void hostile_nesting(void **state)
{
	(void)state;
	static const char *const units[] = {"[", "{a: ", "- ", "[[],", "{",  "? ", "[{",  "a: [",
	                                    "*", "&",    "!",  "\"",   "'a", "%",  "a:\n"};
	char *big = xmalloc((1 << 20) + 1);
	for (size_t k = 0; k < ARRAY_LEN(units); k++) {
		size_t len = strlen(units[k]);
		for (size_t i = 0; i < 1 << 20; i++)
			big[i] = units[k][i % len];
		big[1 << 20] = '\0';
		struct findings f = {0};
		clock_t from = clock();
		struct doc *d = doc_parse("f", slice_of(big, 1 << 20), DOC_LIMITS, &f);
		double seconds = (double)(clock() - from) / CLOCKS_PER_SEC;
		if (seconds > 1 || f.errors == 0)
			fail_msg("%s: %.2f s, %zu errors", units[k], seconds, f.errors);
		doc_free(d);
		findings_clear(&f);
	}
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tree),
	    cmocka_unit_test(nulls),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(all_at_once),
	    cmocka_unit_test(many_keys),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(hostile_nesting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
