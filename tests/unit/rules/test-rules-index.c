/* The index: which guard is chosen, that shared words do not make chains, and one case for each way of
 * asking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cond_build.h"

struct world {
	struct build_set *b;
	struct matcher *m;
	struct fields f;
	struct value slots[32];
};

static struct world world_new(void)
{
	struct world w = {.b = build_new()};
	fields_init(&w.f, w.b->a);
	return w;
}

static void world_free(struct world *w)
{
	matcher_free(w->m);
	fields_free(&w->f);
	build_free(w->b);
}

static size_t candidates(struct world *w, const uint32_t **numbers)
{
	if (w->m == NULL)
		w->m = build_matcher(w->b);
	memset(w->slots, 0, sizeof w->slots);
	for (size_t i = 0; i < w->b->n_names; i++)
		w->slots[i] = fields_get_name(&w->f, w->b->names[i]);
	return index_candidates(w->b->index, w->m->scratch, &w->f, w->slots, numbers);
}

/* Is the one condition a candidate when the field has this value? */
static bool meets(struct world *w, const char *field, const char *value)
{
	const uint32_t *numbers;
	fields_reset(&w->f);
	assert_true(fields_set_named(&w->f, slice_str(field), slice_str(value), VALUE_TEXT));
	size_t n = candidates(w, &numbers);
	assert_true(n <= 1);
	return n == 1;
}

/* One condition; it must be a candidate for `yes` and none for `no`, and be covered by a guard of some kind.
 */
static void one(struct world *w, const struct cond *c, const char *field, const char *yes, const char *no)
{
	build_predicate(w->b, c);
	if (!meets(w, field, yes) || meets(w, field, no))
		print_error("%s: '%s' %d '%s' %d\n", field, yes, meets(w, field, yes), no,
		            meets(w, field, no));
	assert_true(meets(w, field, yes));
	assert_false(meets(w, field, no));
	assert_true(index_covers(w->b->index, 0));
	world_free(w);
}

static void test_kinds(void **state)
{
	(void)state;
	struct world w = world_new();
	one(&w, build_texts(w.b, "host", OP_EQ, "sw1\nsw2"), "host", "sw2", "sw3");
	w = world_new();
	one(&w, build_number(w.b, "x.n", "17\n18"), "x.n", "18.0", "19");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_CONTAINS, "link"), "message", "uplinks", "up lin ks");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_CONTAINS, "the link is"), "message", "xthe link isy",
	    "the lynk is");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_STARTS, "link"), "message", "linkage", "a link");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_ENDS, "down"), "message", "goes down", "down he goes");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_LIKE, "*.example.*"), "message", "a.example.net",
	    "a.exmple.net");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_REGEX, "\\bport \\d+ down\\b"), "message", "port 7 down",
	    "port 7 up");
	w = world_new();
	one(&w, build_texts(w.b, "message", OP_REGEX, "up|down"), "message", "downs", "dawn");
	w = world_new();
	one(&w, build_net(w.b, "sender", "10.1.0.0/16"), "sender", "10.1.255.3", "10.2.0.1");
	w = world_new();
	one(&w, build_net(w.b, "sender", "10.1.0.0/16"), "sender", "::ffff:10.1.2.3", "fe80::1");
	w = world_new();
	one(&w, build_bound(w.b, "x.n", OP_GE, 90), "x.n", "90", "89.9");
	w = world_new();
	one(&w, build_bound(w.b, "x.n", OP_LT, -1), "x.n", "-3", "5");
	w = world_new();
	one(&w, build_exists(w.b, "code", true), "code", "x", "");
	w = world_new();
	one(&w, build_list(w.b, "host", build_value_list(w.b, "a\nb")), "host", "b", "c");
	w = world_new();
	one(&w, build_not(w.b, build_exists(w.b, "code", false)), "code", "x", "");
}

static void always(const struct cond *(*make)(struct build_set *b))
{
	struct world w = world_new();
	build_predicate(w.b, make(w.b));
	assert_true(meets(&w, "host", "whatever"));
	assert_false(index_covers(w.b->index, 0));
	struct index_cost cost;
	index_cost(w.b->index, &cost);
	assert_int_equal(cost.always, 1);
	world_free(&w);
}

static const struct cond *make_not(struct build_set *b)
{
	return build_not(b, build_texts(b, "host", OP_EQ, "a"));
}

static const struct cond *make_missing(struct build_set *b)
{
	return build_exists(b, "code", false);
}

static const struct cond *make_bare_regex(struct build_set *b)
{
	return build_texts(b, "message", OP_REGEX, "\\d+");
}

static const struct cond *make_half_any(struct build_set *b)
{
	return build_any(b, build_texts(b, "host", OP_EQ, "a"), make_missing(b));
}

static void test_no_guard(void **state)
{
	(void)state;
	always(make_not);
	always(make_missing);
	always(make_bare_regex);
	always(make_half_any);
}

static void test_covered_by_sibling(void **state)
{
	(void)state;
	struct world w = world_new();
	const struct cond *kids[] = {make_not(w.b), make_bare_regex(w.b),
	                             build_texts(w.b, "app", OP_EQ, "sshd")};
	one(&w, build_join(w.b, COND_ALL, kids, 3), "app", "sshd", "cron");
	w = world_new();
	/* not (not a or not b) is a and b */
	one(&w, build_not(w.b, build_any(w.b, make_not(w.b), make_missing(w.b))), "host", "a", "b");
}

static void PRINTF(2, 3) set_message(struct world *w, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fields_reset(&w->f);
	fields_set(&w->f, FIELD_MESSAGE, arena_slice(w->b->a, slice_str(text)));
}

/* 10,000 rules that all say "error": each has a word of its own, so the shared one must not be asked. */
static void test_shared_word(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *numbers;
	char text[100];
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof text, "error on unit%d: code \\d+", i);
		build_predicate(w.b, build_texts(w.b, "message", OP_REGEX, text));
	}
	set_message(&w, "an error on unit%d: code %d", 4711, 3);
	assert_int_equal(candidates(&w, &numbers), 1);
	assert_int_equal(numbers[0], 4711);
	set_message(&w, "an error on unit%d: code %d", 10000, 3);
	assert_int_equal(candidates(&w, &numbers), 0);
	world_free(&w);
}

/* Every word is shared by 100 rules: pairs of words tell them apart, also words of another field. */
static void test_shared_pairs(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *numbers;
	char text[100];
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof text, "error alpha%d with beta%d$", i / 100, i % 100);
		build_predicate(w.b, build_texts(w.b, "message", OP_REGEX, text));
	}
	size_t total = 0;
	for (int i = 0; i < 100; i++) {
		set_message(&w, "error alpha%d with beta%d", i, 99 - i);
		size_t n = candidates(&w, &numbers);
		assert_in_range(n, 1, 100);
		total += n;
	}
	assert_in_range(total, 100, 400);
	set_message(&w, "error alpha%d without beta%d", 5, 7);
	assert_in_range(candidates(&w, &numbers), 0, 20);
	world_free(&w);
}

static void test_shared_exact(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *numbers;
	char text[100];
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "token%d\\b", i);
		build_predicate(w.b, build_all(w.b, build_texts(w.b, "app", OP_EQ, "sshd"),
		                               build_texts(w.b, "message", OP_REGEX, text)));
	}
	set_message(&w, "a token%d %d", 17, 3);
	fields_set(&w.f, FIELD_APP, SLICE("sshd"));
	size_t n = candidates(&w, &numbers);
	/* "token17" is not bounded on the left: a substring, which "token1" has too */
	assert_in_range(n, 1, 3);
	world_free(&w);
}

/* A text that repeats a shared word must not walk its rules again each time. */
static void test_repeated_word(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *numbers;
	for (int i = 0; i < 5000; i++)
		build_predicate(w.b, build_texts(w.b, "message", OP_REGEX, "^flood\\b"));
	struct buf text = {0};
	for (int i = 0; i < 10000; i++)
		buf_str(&text, "flood ");
	fields_set(&w.f, FIELD_MESSAGE, buf_slice(&text));
	assert_int_equal(candidates(&w, &numbers), 5000);
	assert_int_equal(w.m->scratch != NULL, 1);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(numbers[i], i);
	buf_free(&text);
	world_free(&w);
}

static void test_many_substrings(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *numbers;
	char text[100];
	for (int i = 0; i < 9000; i++) {
		snprintf(text, sizeof text, "x%dabc%dy", i * 7919 % 10007, i);
		build_predicate(w.b, build_texts(w.b, "message", OP_CONTAINS, text));
	}
	for (int i = 0; i < 9000; i += 97) {
		set_message(&w, "foox%dabc%dybar", i * 7919 % 10007, i);
		size_t n = candidates(&w, &numbers);
		assert_int_equal(n, 1);
		assert_int_equal(numbers[0], i);
	}
	struct index_cost cost;
	index_cost(w.b->index, &cost);
	assert_int_equal(cost.substrings, 9000);
	world_free(&w);
}

static void test_depends(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *fields;
	build_predicate(
	    w.b, build_all(w.b, build_texts(w.b, "host", OP_EQ, "a"), build_exists(w.b, "x.a", false)));
	build_predicate(w.b, build_texts(w.b, "x.b", OP_EQ, "1"));
	w.m = build_matcher(w.b);
	assert_int_equal(index_depends(w.b->index, 0, &fields), 1);
	assert_int_equal(fields[0], FIELD_HOST);
	assert_int_equal(index_depends(w.b->index, 1, &fields), 1);
	assert_int_equal(fields[0], FIELD_CORE_MAX + 1);
	world_free(&w);
}

static void test_words_at_edges(void **state)
{
	(void)state;
	/* a word at every place of texts around the size of a block */
	struct world w = world_new();
	const uint32_t *numbers;
	build_predicate(w.b, build_texts(w.b, "message", OP_REGEX, "\\bNeedle_in2haystack\\b"));
	for (size_t before = 0; before < 140; before++) {
		for (size_t after = 0; after < 3; after++) {
			struct buf text = {0};
			for (size_t i = 0; i < before; i++)
				buf_char(&text, i + 1 == before ? '-' : 'x');
			buf_str(&text, "Needle_in2haystack");
			for (size_t i = 0; i < after; i++)
				buf_char(&text, i == 0 ? ' ' : 'y');
			char *exact = slice_dup(buf_slice(&text));
			fields_reset(&w.f);
			fields_set(&w.f, FIELD_MESSAGE, (struct slice){exact, text.n});
			assert_int_equal(candidates(&w, &numbers), 1);
			free(exact);
			buf_free(&text);
		}
	}
	set_message(&w, "Needle_in%dhaystacks %d", 2, 1);
	assert_int_equal(candidates(&w, &numbers), 0);
	world_free(&w);
}

static void test_empty(void **state)
{
	(void)state;
	struct world w = world_new();
	const uint32_t *numbers;
	set_message(&w, "a %d %d", 1, 2);
	assert_int_equal(candidates(&w, &numbers), 0);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_no_guard),
	    cmocka_unit_test(test_covered_by_sibling),
	    cmocka_unit_test(test_shared_word),
	    cmocka_unit_test(test_shared_pairs),
	    cmocka_unit_test(test_shared_exact),
	    cmocka_unit_test(test_repeated_word),
	    cmocka_unit_test(test_many_substrings),
	    cmocka_unit_test(test_depends),
	    cmocka_unit_test(test_words_at_edges),
	    cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
