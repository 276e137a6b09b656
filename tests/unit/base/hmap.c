/* Hash map and heap, both against a plain model. */
#include "test.h"

#include "base/heap.h"
#include "base/hmap.h"

enum { KEYS = 500, TURNS = 20000 };

static uint64_t dice(uint64_t *s)
{
	*s = *s * 6364136223846793005U + 1442695040888963407U;
	return *s >> 33;
}

/* SipHash-1-3 with a zero key: the values of CPython 3.11 with PYTHONHASHSEED=0. */
static void siphash(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t hash;
	} t[] = {{"a", 0x407448d2b89b1813},
	         {"carillon", 0x4b9a764372fe7359},
	         {"0123456789abcdef", 0x1d42b30f7e060c24},
	         {"0123456789abcdefg", 0x3323a4f8b8d9776b}};
	hash_seed_for_test(0, 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_true(hash_bytes(slice_str(t[i].text)) == t[i].hash);
	uint64_t stable = hash_stable(SLICE("carillon"));
	hash_seed_for_test(1, 2);
	assert_true(hash_bytes(SLICE("a")) != t[0].hash);
	assert_true(hash_stable(SLICE("carillon")) == stable);
}

static struct slice name(char *to, uint64_t k)
{
	int n = sprintf(to, k % 3 == 0 ? "%llu" : "a-long-key-outside-the-slot-%llu", (unsigned long long)k);
	return slice_of(to, (size_t)n);
}

static void model(void **state)
{
	(void)state;
	static int values[KEYS];
	void *want[KEYS] = {0};
	size_t len = 0;
	uint64_t seed = 7;
	char text[64];
	struct hmap *m = hmap_new();
	for (int i = 0; i < TURNS; i++) {
		uint64_t k = dice(&seed) % KEYS;
		void *v = dice(&seed) % 2 != 0 ? &values[dice(&seed) % KEYS] : NULL;
		void *old = v != NULL ? hmap_put(m, name(text, k), v) : hmap_del(m, name(text, k));
		assert_ptr_equal(old, want[k]);
		len += (v != NULL) - (size_t)(want[k] != NULL);
		want[k] = v;
		assert_int_equal(hmap_len(m), len);
	}
	for (uint64_t k = 0; k < KEYS; k++)
		assert_ptr_equal(hmap_get(m, name(text, k)), want[k]);
	size_t seen = 0;
	struct slice key;
	void *v;
	for (size_t i = 0; hmap_next(m, &i, &key, &v); seen++)
		assert_ptr_equal(hmap_get(m, key), v);
	assert_int_equal(seen, len);
	hmap_clear(m);
	assert_int_equal(hmap_len(m), 0);
	assert_null(hmap_get(m, name(text, 1)));
	hmap_free(m);
}

static void absent_and_null(void **state)
{
	(void)state;
	struct hmap *m = hmap_new();
	void *v = &v;
	assert_false(hmap_find(m, SLICE(""), &v));
	assert_null(hmap_put(m, SLICE(""), NULL));
	assert_true(hmap_find(m, SLICE(""), &v));
	assert_null(v);
	assert_false(hmap_find(m, SLICE("\0"), &v));
	uint64_t id = 77;
	assert_null(hmap_put(m, key_u64(&id), &id));
	assert_ptr_equal(hmap_get(m, key_u64(&id)), &id);
	assert_null(hmap_del(m, SLICE("x")));
	assert_int_equal(hmap_len(m), 2);
	hmap_free(m);
}

static void heap_order(void **state)
{
	(void)state;
	struct heap h = {0};
	struct heap_item x, last = {.at = INT64_MIN};
	uint64_t seed = 3;
	assert_false(heap_pop(&h, &x));
	for (uint64_t i = 0; i < 2000; i++)
		heap_push(&h, (instant)(dice(&seed) % 50) - 25, 1, i);
	for (size_t i = 0; i < 1000; i++) {
		assert_true(heap_pop(&h, &x));
		assert_true(x.at > last.at || (x.at == last.at && x.object > last.object));
		last = x;
	}
	heap_push(&h, last.at, 2, 5000);
	struct heap_item top;
	assert_true(heap_peek(&h, &top));
	for (size_t i = 0; i < 1001; i++) {
		assert_true(heap_pop(&h, &x));
		assert_true(x.at > last.at || (x.at == last.at && x.seq > last.seq));
		last = x;
	}
	assert_int_equal(h.n, 0);
	heap_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(siphash), cmocka_unit_test(model),
	                                   cmocka_unit_test(absent_and_null), cmocka_unit_test(heap_order)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
