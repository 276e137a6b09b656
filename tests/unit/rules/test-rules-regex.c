/* Regular expressions: what is refused and how, limits, captures, and the literals that the index relies on.
 */
#include "rules/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct regex *compiled(const char *pattern, struct regex_options o)
{
	struct error err = {""};
	struct regex *r = regex_new(slice_str(pattern), o, &err);
	if (r == NULL)
		print_error("%s: %s\n", pattern, err.text);
	assert_non_null(r);
	return r;
}

static void refused(const char *pattern, const char *part)
{
	struct error err = {""};
	assert_null(regex_new(slice_str(pattern), (struct regex_options){.jit = true}, &err));
	if (strstr(err.text, part) == NULL)
		print_error("%s: '%s' lacks '%s'\n", pattern, err.text, part);
	assert_non_null(strstr(err.text, part));
}

static void test_refusals(void **state)
{
	(void)state;
	refused(
	    "a(?=b)",
	    "look-ahead '(?=' is not available, because patterns must be matched in one pass; use a second "
	    "condition or 'not:'");
	refused("(?<=a)b", "look-behind");
	refused("(?<!a)b", "negative look-behind");
	refused("a(?!b)", "negative look-ahead");
	refused("(a)\\1", "back-reference '\\1'");
	refused("(?<n>a)\\k<n>", "back-reference");
	refused("(a)\\g1", "back-reference");
	refused("(?P<n>a)(?P=n)", "back-reference");
	refused("(a(?1)?)", "recursion");
	refused("(a(?R)?)", "recursion");
	refused("(?<n>a(?&n)?)", "recursion");
	refused("(a)(?(1)b|c)", "conditional");
	refused("(*LIMIT_MATCH=100000000)a", "verb");
	refused("a(*ACCEPT)", "verb");
	refused("a\\Kb", "reset");
	refused("a\\Cb", "code unit");
	refused("a(?C1)b", "callout");
	refused("a(b", "at character 4");
	refused("a{3,1}", "at character");
}

static void test_not_refused(void **state)
{
	(void)state;
	static const char *const fine[] = {"[(?=]",     "\\(?=",      "\\Q(?=\\E", "(?:a|b)",
	                                   "(?i)abc",   "(?<name>a)", "(?i-s:a)b", "[[:alpha:](*]",
	                                   "\\\\(?:1)", "(?-i)a",     "[\\1]",     "[]](?:a)"};
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		regex_free(compiled(fine[i], (struct regex_options){0}));
}

static void test_length(void **state)
{
	(void)state;
	char text[1100];
	struct error err;
	memset(text, 'a', sizeof text);
	struct regex *r = regex_new((struct slice){text, 1024}, (struct regex_options){0}, &err);
	assert_non_null(r);
	regex_free(r);
	assert_null(regex_new((struct slice){text, 1025}, (struct regex_options){0}, &err));
	assert_non_null(strstr(err.text, "1024 are allowed"));
}

static void test_limit(void **state)
{
	(void)state;
	for (int jit = 0; jit < 2; jit++) {
		struct regex *r = compiled("^(a+)+$", (struct regex_options){.jit = jit == 1});
		assert_int_equal(regex_match(r, SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")), REGEX_LIMIT);
		assert_int_equal(regex_match(r, SLICE("aaaa")), REGEX_YES);
		assert_int_equal(regex_match(r, SLICE("ab")), REGEX_NO);
		regex_free(r);
	}
}

/* Needs more than the JIT's own stack, but no more steps than are allowed. */
static void test_long_text(void **state)
{
	(void)state;
	char text[4001];
	memset(text, 'a', sizeof text);
	for (size_t i = 9; i < sizeof text; i += 10)
		text[i] = ' ';
	text[4000] = '!';
	for (int jit = 0; jit < 2; jit++) {
		struct regex *r = compiled("^(?:(a|b)+ ?)+!", (struct regex_options){.jit = jit == 1});
		assert_int_equal(regex_match(r, (struct slice){text, sizeof text}), REGEX_YES);
		regex_free(r);
	}
}

static void test_captures(void **state)
{
	(void)state;
	struct slice g[3];
	struct regex *r = compiled("(\\w+)=(\\d+)|(x)", (struct regex_options){.jit = true});
	assert_int_equal(regex_groups(r), 3);
	assert_int_equal(regex_captures(r, SLICE("  load=42 "), g, 3), REGEX_YES);
	assert_true(slice_is(g[0], "load"));
	assert_true(slice_is(g[1], "42"));
	assert_null(g[2].p);
	assert_int_equal(regex_captures(r, SLICE("??"), g, 3), REGEX_NO);
	regex_free(r);
	r = compiled("a.b", (struct regex_options){.anchored_whole = true, .dotall = true});
	assert_int_equal(regex_match(r, SLICE("a\nb")), REGEX_YES);
	assert_int_equal(regex_match(r, SLICE("xa\nb")), REGEX_NO);
	assert_int_equal(regex_match(r, SLICE("a\nb\n")), REGEX_NO);
	regex_free(r);
}

static void test_octets(void **state)
{
	(void)state;
	for (int jit = 0; jit < 2; jit++) {
		struct regex_options o = {.jit = jit == 1};
		struct regex *r = compiled("fail.*disk", o);
		/* damaged UTF-8 does not hide a text */
		assert_int_equal(regex_match(r, SLICE("fail \xff\xfe disk")), REGEX_YES);
		regex_free(r);
		r = compiled("^[\xc3\xa4\xc3\xb6]r$", o);
		assert_int_equal(regex_match(r, SLICE("\xc3\xb6r")), REGEX_YES);
		assert_int_equal(regex_match(r, SLICE("\xc3r")), REGEX_NO);
		assert_int_equal(regex_match(r, SLICE("\xff\xc3")), REGEX_NO);
		regex_free(r);
		r = compiled("", o);
		assert_int_equal(regex_match(r, SLICE_NONE), REGEX_YES);
		regex_free(r);
	}
}

/* ---- literals */

/* "text/se" with s, e, i where it begins and ends with a word and is caseless; separated by '|'. */
static void literals(const char *pattern, const char *want)
{
	struct arena *a = arena_new(0);
	struct literal l[8];
	struct buf got = {0};
	size_t n = regex_literals(slice_str(pattern), a, l, ARRAY_LEN(l));
	for (size_t i = 0; i < n; i++)
		buf_printf(&got, "%s" SLICE_FMT "/%s%s%s", i > 0 ? "|" : "", SLICE_ARG(l[i].text),
		           l[i].word_start ? "s" : "", l[i].word_end ? "e" : "", l[i].caseless ? "i" : "");
	if (strcmp(buf_cstr(&got), want) != 0)
		print_error("%s: %s instead of %s\n", pattern, buf_cstr(&got), want);
	assert_string_equal(buf_cstr(&got), want);
	buf_free(&got);
	arena_free(a);
}

static void test_literals(void **state)
{
	(void)state;
	literals("link down", "link down/");
	literals("^link down$", "link down/se");
	literals("\\blink\\b", "link/se");
	literals("\\blink down\\b", "link down/se");
	literals("link \\d+ down", " down/|link /");
	literals("ab*c", "a/|c/");
	literals("ab+c", "ab/|c/");
	literals("ab?c", "a/|c/");
	literals("ab{0,3}c", "a/|c/");
	literals("ab{2}c", "ab/|c/");
	literals("ab{1}c", "abc/");
	literals("a{b", "a{b/");
	literals("x+foo", "foo/|x/");
	literals(" +foo", "foo/s| /");
	literals("port\\s+(\\d+)\\s+down", "down/s|port/e");
	literals("^\\s*error:", "error:/s");
	literals("foo\\W+bar", "bar/s|foo/e");
	literals("foo[ ,;]bar", "bar/s|foo/e");
	literals("foo[^\\w]bar", "bar/s|foo/e");
	literals("foo[a-z]bar", "bar/|foo/");
	literals("foo[.]bar", "foo.bar/");
	literals("foo[ -~]bar", "bar/|foo/");
	literals("foo\\.bar", "foo.bar/");
	literals("foo.bar", "bar/|foo/");
	literals("a|b", "");
	literals("x(foo|bar)y", "x/|y/");
	literals("x(foo)y", "xfooy/");
	literals("x(?:foo)?y", "x/|y/");
	literals("x(?:foo)+y", "foo/|x/|y/");
	literals("(?<user>root) logged", "root logged/");
	literals("(?i)Error", "Error/i");
	literals("a(?i:B)c", "B/i|a/|c/");
	literals("a(?i)b(?-i)c", "a/|b/i|c/");
	literals("((?i)b)c", "b/i|c/");
	literals("(?x)a b", "");
	literals("a(?#b)c", "");
	literals("\\Qa.b\\E", "");
	literals("\\x41bc", "bc/");
	literals("\\x4gh", "gh/");
	literals("\\x{41}bc", "bc/");
	literals("\\p{Lu}bc", "bc/");
	literals("\\pLbc", "bc/");
	literals("\\cAbc", "bc/");
	literals("\\0012", "2/");
	literals("a\\tb", "a\tb/");
	literals("^a$", "a/se");
	literals("\xc3\xa9?t\xc3\xa9", "t\xc3\xa9/");
	literals("(?i)\xc3\xa9sk", "");
	literals("a{2}{0}b", "b/");
	literals("[]]a", "]a/");
	literals("[\\]a]b", "b/");
	literals("[[:space:]]b", "b/s");
	literals("[[:punct:]]b", "b/");
	literals("a\\Bb", "a/|b/");
	literals("", "");
}

static void branches(const char *pattern, const char *want)
{
	struct slice b[4];
	struct buf got = {0};
	size_t n = regex_branches(slice_str(pattern), b, ARRAY_LEN(b));
	for (size_t i = 0; i < n; i++)
		buf_printf(&got, "%s" SLICE_FMT, i > 0 ? " " : "", SLICE_ARG(b[i]));
	assert_string_equal(buf_cstr(&got), want);
	buf_free(&got);
}

static void test_branches(void **state)
{
	(void)state;
	branches("foo|bar", "foo bar");
	branches("(foo|bar)", "foo bar");
	branches("(?:foo|b(a|e)r)", "foo b(a|e)r");
	branches("foo", "foo");
	branches("a[|]b|c", "a[|]b c");
	branches("a\\|b|c", "a\\|b c");
	branches("(a)|(b)", "(a) (b)");
	branches("(?i)foo|bar", "");
	branches("a|b|c|d|e", "");
}

/* ---- random patterns over a tiny alphabet, so that they fit often */

static uint64_t rng = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 33) % n);
}

static void random_pattern(struct buf *out, int depth);

static void random_item(struct buf *out, int depth)
{
	static const char *const leaves[] = {
	    "a",   "b",    "K",     " ",      "-",     "ab",          "a b",  ".",     "\\w",
	    "\\W", "\\s",  "[ab]",  "[^\\w]", "[ -]",  "[-]",         "\\b",  "\\B",   "^",
	    "$",   "(?i)", "(?-i)", "\\-",    "\\x61", "[[:space:]]", "[^a]", "[a-k]", "\\141"};
	static const char *const opens[] = {"(", "(?:", "(?i:", "(?>", "(?|", "(?<n>", "(?-i:"};
	if (depth > 0 && below(4) == 0) {
		buf_str(out, opens[below(ARRAY_LEN(opens))]);
		random_pattern(out, depth - 1);
		buf_char(out, ')');
	} else {
		buf_str(out, leaves[below(ARRAY_LEN(leaves))]);
	}
}

static void random_pattern(struct buf *out, int depth)
{
	static const char *const quantifiers[] = {"*",  "+",  "?",    "{2}", "{0,1}", "{1}",
	                                          "+?", "*+", "{1,}", "{0}", "{1}{0}"};
	for (uint32_t n = 1 + below(4); n > 0; n--) {
		random_item(out, depth);
		if (below(4) == 0)
			buf_str(out, quantifiers[below(ARRAY_LEN(quantifiers))]);
		if (below(9) == 0)
			buf_char(out, '|');
	}
}

static bool word_at(struct slice s, size_t i)
{
	return i < s.n && strchr("abkABK", s.p[i]) != NULL;
}

static bool stands(struct slice text, const struct literal *l)
{
	for (size_t at = 0; at + l->text.n <= text.n; at++) {
		struct slice piece = slice_sub(text, at, l->text.n);
		bool same = l->caseless ? slice_ieq(piece, l->text) : slice_eq(piece, l->text);
		bool start = !l->word_start || at == 0 || !word_at(text, at - 1);
		bool end = !l->word_end || !word_at(text, at + l->text.n);
		if (same && start && end)
			return true;
	}
	return false;
}

static bool all_stand(struct slice pattern, struct slice text, size_t *seen)
{
	struct literal l[8];
	struct arena *a = arena_new(1024);
	size_t n = regex_literals(pattern, a, l, ARRAY_LEN(l));
	bool all = true;
	for (size_t i = 0; i < n; i++)
		all &= stands(text, &l[i]);
	arena_free(a);
	*seen += n > 0;
	return all;
}

static void check_random(struct slice pattern, const struct regex *r, size_t *seen)
{
	static const char alphabet[] = "aabbkK  --AB";
	for (int i = 0; i < 30; i++) {
		char t[10];
		struct slice text = {t, below(sizeof t)}, b[8];
		for (size_t j = 0; j < text.n; j++)
			t[j] = alphabet[below(sizeof alphabet - 1)];
		if (regex_match(r, text) != REGEX_YES)
			continue;
		bool fits = all_stand(pattern, text, seen);
		size_t n = regex_branches(pattern, b, ARRAY_LEN(b));
		bool some = n == 0;
		for (size_t j = 0; j < n; j++)
			some |= all_stand(b[j], text, seen);
		if (!fits || !some)
			print_error("'" SLICE_FMT "' on '" SLICE_FMT "'\n", SLICE_ARG(pattern),
			            SLICE_ARG(text));
		assert_true(fits && some);
	}
}

static void test_random(void **state)
{
	(void)state;
	struct buf pattern = {0};
	size_t seen = 0;
	for (int i = 0; i < 6000; i++) {
		struct error err;
		buf_clear(&pattern);
		random_pattern(&pattern, 3);
		struct regex *r = regex_new(buf_slice(&pattern), (struct regex_options){0}, &err);
		if (r == NULL)
			continue;
		check_random(buf_slice(&pattern), r, &seen);
		regex_free(r);
	}
	assert_in_range(seen, 5000, SIZE_MAX);
	buf_free(&pattern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals),  cmocka_unit_test(test_not_refused),
	    cmocka_unit_test(test_length),    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_long_text), cmocka_unit_test(test_captures),
	    cmocka_unit_test(test_octets),    cmocka_unit_test(test_literals),
	    cmocka_unit_test(test_branches),  cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
