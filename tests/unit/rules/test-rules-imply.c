/* "Yes" of the implication engine is certain: held against what tests and patterns really do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cond_build.h"
#include "rules/atom.h"
#include "rules/check_pattern.h"
#include "rules/imply.h"
#include "rules/pattern.h"

static uint32_t seed = 7;

static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 10) % n;
}

static const char *const values[] = {"",  "a",  "b",  "ab",  "ba",       "abc",      "aab", "bab",  "1", "2",
                                     "3", "10", "-1", "1.0", "10.0.0.1", "10.1.2.3", "::1", "abba", "5"};

static const struct cond *random_atom(struct build_set *b)
{
	static const char *const texts[] = {"a",    "b",      "ab", "ba",     "abc",
	                                    "a\nb", "ab\nba", "1",  "10\nab", "10.0.0.1"};
	static const char *const globs[] = {"a*", "*b", "*a*", "a?", "*ab*\nb", "?", "ab"};
	static const char *const patterns[] = {"a", "ab", "^a", "b$", "ab|ba", "a.b", "(?i)AB"};
	static const char *const nets[] = {"10.0.0.0/8", "10.1.0.0/16", "10.0.0.1/32", "::1/128", "::/0"};
	const char *field = pick(8) == 0 ? "g" : "f";
	const struct cond *c = NULL;

	switch (pick(9)) {
	case 0: c = build_texts(b, field, OP_EQ, texts[pick(ARRAY_LEN(texts))]); break;
	case 1: c = build_texts(b, field, OP_CONTAINS, texts[pick(ARRAY_LEN(texts))]); break;
	case 2: c = build_texts(b, field, OP_STARTS, texts[pick(ARRAY_LEN(texts))]); break;
	case 3: c = build_texts(b, field, OP_ENDS, texts[pick(ARRAY_LEN(texts))]); break;
	case 4: c = build_texts(b, field, OP_LIKE, globs[pick(ARRAY_LEN(globs))]); break;
	case 5: c = build_texts(b, field, OP_REGEX, patterns[pick(ARRAY_LEN(patterns))]); break;
	case 6: c = build_net(b, field, nets[pick(ARRAY_LEN(nets))]); break;
	case 7: c = build_bound(b, field, (enum test_op)(OP_GT + pick(4)), (double)pick(4)); break;
	case 8: c = build_exists(b, field, pick(2) == 0); break;
	default: fail();
	}
	assert_non_null(c);
	return c;
}

static bool true_for(struct literal_use x, const char *f, const char *g)
{
	const char *v = slice_is(x.atom->field.name, "f") ? f : g;
	return atom_test(x.atom, (struct value){.p = v, .n = (uint32_t)strlen(v)}, NULL, 0) != x.negated;
}

static void literals(void **state)
{
	struct build_set *b = build_new();
	size_t implied = 0, never = 0;

	(void)state;
	for (int round = 0; round < 30000; round++) {
		struct literal_use x = {random_atom(b)->atom, pick(3) == 0},
		                   y = {random_atom(b)->atom, pick(3) == 0};
		bool follows = imply_literal(x, y), apart = imply_never(x, y);

		implied += follows;
		never += apart;
		assert_int_equal(apart, imply_never(y, x) || apart);
		for (size_t i = 0; (follows || apart) && i < ARRAY_LEN(values) * ARRAY_LEN(values); i++) {
			const char *f = values[i % ARRAY_LEN(values)], *g = values[i / ARRAY_LEN(values)];
			bool holds_x = true_for(x, f, g), holds_y = true_for(y, f, g);

			if ((follows && holds_x && !holds_y) || (apart && holds_x && holds_y))
				fail_msg("%d/%d against %d/%d with '%s'", (int)x.atom->op, x.negated,
				         (int)y.atom->op, y.negated, f);
		}
	}
	/* it must say yes now and then */
	assert_true(implied > 1000 && never > 500);
	build_free(b);
}

static const struct cond *random_tree(struct build_set *b, unsigned depth)
{
	if (depth == 0 || pick(3) == 0)
		return random_atom(b);
	if (pick(4) == 0)
		return build_not(b, random_tree(b, depth - 1));
	const struct cond *x = random_tree(b, depth - 1), *y = random_tree(b, depth - 1);
	return pick(2) == 0 ? build_all(b, x, y) : build_any(b, x, y);
}

static bool tree_true(const struct cond *c, const char *f, const char *g)
{
	bool yes = c->kind != COND_ANY;

	if (c->kind == COND_ATOM)
		return true_for((struct literal_use){c->atom, false}, f, g);
	if (c->kind == COND_NOT)
		return !tree_true(c->kids[0], f, g);
	for (size_t i = 0; i < c->n; i++)
		yes = c->kind == COND_ALL ? yes && tree_true(c->kids[i], f, g)
		                          : yes || tree_true(c->kids[i], f, g);
	return yes;
}

static void trees(void **state)
{
	size_t implied = 0;

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct build_set *b = build_new();

		for (int i = 0; i < 4000; i++) {
			const struct cond *x = random_tree(b, 3), *y = random_tree(b, 2);
			unsigned fuel = 5000;
			bool follows = imply_cond(x, y, &fuel);

			implied += follows;
			for (size_t k = 0; follows && k < ARRAY_LEN(values) * ARRAY_LEN(values); k++) {
				const char *f = values[k % ARRAY_LEN(values)],
				           *g = values[k / ARRAY_LEN(values)];

				assert_true(!tree_true(x, f, g) || tree_true(y, f, g));
			}
		}
		build_free(b);
	}
	assert_true(implied > 300);
}

/* ---- patterns */

static const char *const pieces[] = {"a",        "b",       " ",       "...", "${:text}",
                                     "${:word}", "${:int}", "${:num}", "7",   "${:/[ab]+/}"};

static char *random_pattern(void)
{
	char *text = xstrdup("");
	for (uint32_t n = 1 + pick(4); n > 0; n--) {
		char *more = xasprintf("%s%s", text, pieces[pick(ARRAY_LEN(pieces))]);
		free(text);
		text = more;
	}
	return text;
}

static void patterns(void **state)
{
	static const char letters[] = "ab 7";
	size_t covered = 0, matched = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char *x = random_pattern(), *y = random_pattern();
		struct arena *a = arena_new(0);
		struct pattern_fault fault;
		struct pattern *p = pattern_new(a, slice_str(x), false, &fault),
		               *q = pattern_new(a, slice_str(y), false, &fault);
		bool covers = p != NULL && q != NULL && check_pattern_covers(slice_str(x), slice_str(y));

		covered += covers;
		for (int i = 0; covers && i < 60; i++) {
			char text[8];
			size_t n = 1 + pick(6);

			for (size_t k = 0; k < n; k++)
				text[k] = letters[pick(4)];
			if (!pattern_match(q, slice_of(text, n), NULL))
				continue;
			matched++;
			if (!pattern_match(p, slice_of(text, n), NULL))
				fail_msg("'%s' does not fit all that '%s' fits: '%.*s'", x, y, (int)n, text);
		}
		if (p != NULL)
			pattern_close(p);
		if (q != NULL)
			pattern_close(q);
		arena_free(a);
		free(x);
		free(y);
	}
	assert_true(covered > 100 && matched > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(literals),
	    cmocka_unit_test(trees),
	    cmocka_unit_test(patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
