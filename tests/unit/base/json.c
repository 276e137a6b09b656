/* The JSON reader and writer; jansson is the oracle. */
#include "test.h"

#include <math.h>

/* four names of the oracle's types are ours too */
#define JSON_OBJECT ORACLE_OBJECT
#define JSON_ARRAY  ORACLE_ARRAY
#define JSON_STRING ORACLE_STRING
#define JSON_NULL   ORACLE_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_NULL

#include "base/instant.h"
#include "base/json.h"

static struct json *parse(struct arena *a, const char *text)
{
	struct error err = {{0}};
	struct json *j = json_parse(a, slice_str(text), JSON_LIMITS, NULL, &err);
	assert_int_equal(j == NULL, err.text[0] != '\0');
	return j;
}

static char *rewritten(const struct json *j)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);
	jw_tree(&w, j);
	assert_int_equal(w.depth, 0);
	buf_cstr(&b);
	return b.p; /* the caller frees it */
}

/* Cases in the manner of JSONTestSuite (y_, n_). */
static const char *const good[] = {
    "0",
    "-0",
    "-1",
    "123",
    "0.1",
    "-0.1",
    "1e5",
    "1E+5",
    "1e-5",
    "1.5e10",
    "0e0",
    "0e+1",
    "20e1",
    "-0.000001",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "[]",
    "{}",
    "[[]   ]",
    "[\"\"]",
    "[1\n]",
    " [1] ",
    "[1,null,null,2]",
    "{\"a\":1}",
    "{\"a\":[]}",
    "{\"\":0}",
    "{\"a\":\"b\",\"c\":\"d\"}",
    "{\"title\":\"\\u041f\\u043e\"}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0060\\u012a\\u12AB\"",
    "\"\\uD801\\udc37\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"a/*b*/c\"",
    "\"\xe2\x80\xa8\"",
    "\"\x7f\"",
    "\"\xf4\x8f\xbf\xbf\"",
    "\"\\u0022\"",
    "[\"a\\u0012\"]",
    "\t\r\n 1 \t",
    "\"0123456789abcdef0123456789\\n0123456789\"",
    "[-123123123123123123]",
    "{\"a\":{\"a\":{\"a\":{}}}}",
};
static const char *const bad[] = {
    "",
    " ",
    "[",
    "]",
    "{",
    "}",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1:2]",
    "[\"a\",\n4\n,1,",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{1:1}",
    "{a:1}",
    "{'a':1}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":,}",
    "01",
    "-01",
    "1.",
    ".5",
    "-.5",
    "1.e5",
    "1e",
    "1e+",
    "1eE2",
    "+1",
    "++1",
    "- 1",
    "--1",
    "0x1",
    "1a",
    "-a",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "inf",
    "tru",
    "truee",
    "True",
    "nul",
    "nulll",
    "fals",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x00\"",
    "\"\\u\"",
    "\"\\u00\"",
    "\"\\u00g0\"",
    "\"\\uD800\\u\"",
    "\"\\a\"",
    "\"\\0\"",
    "\"\n\"",
    "\"\t\"",
    "\"\x1f\"",
    "'a'",
    "a",
    "[1]x",
    "1 2",
    "[] []",
    "\"a\" b",
    "// c\n1",
    "/**/1",
    "[1]//",
    "{\"a\":1}#",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xe2\x82\"",
    "\"\\\xc3\xa5\"",
    "[\xff]",
    "\xef\xbb",
    "\xc2\xa0"
    "1",
    "\x0b"
    "1",
    "<null>",
    "[\"\": 1]",
    "*",
};

static void suite(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool want = i < ARRAY_LEN(good);
		const char *text = want ? good[i] : bad[i - ARRAY_LEN(good)];
		struct arena *a = arena_new(1024);
		if ((parse(a, text) != NULL) != want)
			fail_msg("%s: %s", want ? "refused" : "taken", text);
		json_t *j = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if ((j != NULL) != want)
			fail_msg("the oracle disagrees: %s", text);
		json_decref(j);
		arena_free(a);
	}
}

static void same(const struct json *j, json_t *o)
{
	size_t n = 0;
	int64_t v;
	double d;
	switch (json_typeof(o)) {
	case ORACLE_OBJECT:
		assert_int_equal(j->kind, JSON_OBJECT);
		assert_int_equal(j->n, json_object_size(o));
		for (const struct json *x = j->first; x != NULL; x = x->next, n++)
			same(x, json_object_getn(o, x->key.p, x->key.n));
		assert_int_equal(n, j->n);
		break;
	case ORACLE_ARRAY:
		assert_int_equal(j->kind, JSON_ARRAY);
		assert_int_equal(j->n, json_array_size(o));
		for (const struct json *x = j->first; x != NULL; x = x->next)
			same(x, json_array_get(o, n++));
		assert_int_equal(n, j->n);
		break;
	case ORACLE_STRING:
		assert_int_equal(j->kind, JSON_STRING);
		assert_int_equal(j->text.n, json_string_length(o));
		assert_memory_equal(j->text.p, json_string_value(o), j->text.n);
		break;
	case JSON_INTEGER:
		assert_true(json_int(j, &v));
		assert_true(v == json_integer_value(o));
		break;
	case JSON_REAL:
		assert_true(json_num(j, &d));
		assert_true(d == json_real_value(o));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		assert_int_equal(j->kind, JSON_BOOL);
		assert_int_equal(j->boolean, json_is_true(o));
		break;
	case ORACLE_NULL: assert_int_equal(j->kind, JSON_NULL); break;
	}
}

static void check_against_oracle(const char *text, size_t n)
{
	struct arena *a = arena_new(4096);
	struct error err;
	/* the exact size lets the sanitizer see an over-read */
	char *copy = xmalloc(n);
	memcpy(copy, text, n);
	struct json *j = json_parse(a, slice_of(copy, n), JSON_LIMITS, NULL, &err);
	json_t *o = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (o != NULL) {
		if (j == NULL)
			fail_msg("%s: %s", err.text, text);
		same(j, o);
	}
	json_decref(o);
	free(copy);
	arena_free(a);
}

static uint64_t dice(uint64_t *s)
{
	*s = *s * 6364136223846793005U + 1442695040888963407U;
	return *s >> 33;
}

static const char seed_text[] = "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{"
                                "\"alertname\":\"Host\\u0044own\",\"k\":\"\\ud83d\\ude00\"},"
                                "\"n\":[1,-2.5e3,0.1,true,false,null,{}],\"d\":\"\",\"d\":\"twice\"},[[],[[]]"
                                "]],\"\xc3\xa9\":\"\xe2\x82\xac\\n\\\"\"}";

/* What jansson takes, we take alike; mutations of one text reach the odd corners. */
static void oracle(void **state)
{
	(void)state;
	static const char drops[] = "\"\\{}[]:,0123456789.eE+-utrfnl \n\xc3\xa9\xff";
	uint64_t seed = 42;
	check_against_oracle(seed_text, sizeof seed_text - 1);
	for (int i = 0; i < 20000; i++) {
		char text[sizeof seed_text];
		memcpy(text, seed_text, sizeof text);
		for (uint64_t k = dice(&seed) % 3 + 1; k > 0; k--)
			text[dice(&seed) % (sizeof text - 1)] = drops[dice(&seed) % (sizeof drops - 1)];
		check_against_oracle(text, sizeof text - 1);
	}
}

static void decoded(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	assert_slice(json_text(parse(a, "\"\\ud83d\\ude00\\u20ac\\u00e9\\u0041\"")),
	             "\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9"
	             "A");
	assert_slice(json_text(parse(a, "\"\\ud800x\"")), "\xef\xbf\xbdx");
	assert_slice(json_text(parse(a, "\"\\udc00\"")), "\xef\xbf\xbd");
	assert_slice(json_text(parse(a, "\"\\ud800\\ud800\\udc00\"")), "\xef\xbf\xbd\xf0\x90\x80\x80");
	assert_slice(json_text(parse(a, "\"\\ud800\\n\"")), "\xef\xbf\xbd\n");
	assert_int_equal(json_text(parse(a, "\"a\\u0000b\"")).n, 3);
	assert_slice(json_text(parse(a, "\xef\xbb\xbf\"bom\"")), "bom");
	assert_slice(json_text(parse(a, "1.50")), "1.50");
	assert_slice(json_text(parse(a, "-123123123123123123123123123123")),
	             "-123123123123123123123123123123");
	assert_slice(json_text(parse(a, "true")), "true");
	assert_null(json_text(parse(a, "null")).p);
	assert_null(json_text(parse(a, "[]")).p);
	assert_null(json_text(NULL).p);
	arena_free(a);
}

static void numbers(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	int64_t v;
	double d;
	assert_true(json_int(parse(a, "-9223372036854775808"), &v) && v == INT64_MIN);
	assert_true(json_int(parse(a, "5.0"), &v) && v == 5);
	assert_true(json_int(parse(a, "5e3"), &v) && v == 5000);
	assert_false(json_int(parse(a, "5.5"), &v));
	assert_false(json_int(parse(a, "1e300"), &v));
	assert_false(json_int(parse(a, "9223372036854775808"), &v));
	assert_false(json_int(parse(a, "\"5\""), &v));
	assert_false(json_int(NULL, &v));
	assert_true(json_num(parse(a, "-2.5e-3"), &d) && d == -2.5e-3);
	assert_false(json_num(parse(a, "1e999"), &d));
	arena_free(a);
}

/* The last of equal keys wins, in small objects and in large ones. */
static void duplicates(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct buf b = {0};
	for (int keys = 1; keys < 100; keys += 7) {
		buf_clear(&b);
		for (int i = 0; i < 3 * keys; i++)
			buf_printf(&b, "%s\"k%d\":%d", i == 0 ? "{" : ",", i % keys, i);
		buf_char(&b, '}');
		const struct json *o = parse(a, buf_cstr(&b));
		assert_int_equal(o->n, keys);
		int k = 0;
		for (const struct json *x = o->first; x != NULL; x = x->next, k++) {
			int64_t v;
			assert_true(json_int(x, &v) && v == 2 * keys + k);
		}
		assert_int_equal(k, keys);
	}
	buf_free(&b);
	arena_free(a);
}

static void limits(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct json_limits lim = {.max_depth = 3, .max_nodes = 5};
	struct error err;
	size_t at;
	assert_non_null(json_parse(a, SLICE("[[[1]]]"), lim, NULL, &err));
	assert_null(json_parse(a, SLICE("[[[[]]]]"), lim, &at, &err));
	assert_string_equal(err.text, "JSON is nested deeper than 3 levels at octet 3");
	assert_non_null(json_parse(a, SLICE("[1,2,3,4]"), lim, NULL, &err));
	assert_null(json_parse(a, SLICE("[1,2,3,4,5]"), lim, NULL, &err));
	assert_non_null(json_parse(a, SLICE("[[[]],[[]]]"), lim, NULL, &err));
	assert_null(json_parse(a, SLICE("[1 2]"), lim, &at, &err));
	assert_int_equal(at, 3);
	assert_string_equal(err.text, "not valid JSON at octet 3: expected ',' or ']'");
	size_t n = 1 << 20;
	char *deep = xmalloc(n);
	memset(deep, '[', n);
	assert_null(json_parse(a, slice_of(deep, n), JSON_LIMITS, &at, &err));
	assert_int_equal(at, 33);
	free(deep);
	arena_free(a);
}

static void paths(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct error err;
	const struct json *j =
	    parse(a, "{\"a\":{\"b\":[{\"c\":7},8]},\"f\":[{\"name\":\"X\",\"v\":1},{\"name\":\"Dedup Key\","
	             "\"v\":[2]},{\"name\":5,\"v\":3}],\"x.y\":9}");
	assert_slice(json_text(json_path(j, SLICE("a.b[0].c"))), "7");
	assert_slice(json_text(json_path(j, SLICE("a.b[1]"))), "8");
	assert_slice(json_text(json_path(j, SLICE("f[name=Dedup Key].v[0]"))), "2");
	assert_slice(json_text(json_path(j, SLICE("f[name=5].v"))), "3");
	assert_slice(json_text(json_path(j, SLICE("['x.y']"))), "9");
	assert_slice(json_text(json_path(json_get(j, "f"), SLICE("[0].v"))), "1");
	assert_slice(json_text(json_path(j, SLICE("a[0][1]"))), "8"); /* members of an object have an order too */
	static const char *const nothing[] = {"b",    "a.c",       "a.b[2]",      "a.b.c",
	                                      "a[1]", "f[name=Y]", "a.b[name=1]", "x.y"};
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		assert_null(json_path(j, slice_str(nothing[i])));
		assert_true(json_path_valid(slice_str(nothing[i]), &err));
	}
	static const char *const broken[] = {"",    ".",     "a.",    ".a",           "a..b",  "a[",
	                                     "a[]", "a[x]",  "a[-1]", "a[0",          "a[0]b", "a[=x]",
	                                     "a]",  "a['x]", "a['x'", "a[9999999999]"};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		assert_null(json_path(j, slice_str(broken[i])));
		assert_false(json_path_valid(slice_str(broken[i]), &err));
	}
	assert_null(json_path(NULL, SLICE("a")));
	arena_free(a);
}

static void writer(void **state)
{
	(void)state;
	struct buf b = {0};
	struct jw w = jw_new(&b);
	jw_object(&w);
	jw_kstr(&w, "s", "q\" b\\ n\n c\x01 d\x7f \xe2\x82\xac \xff.");
	jw_kstr(&w, "none", NULL);
	jw_kslice(&w, "empty", SLICE(""));
	jw_key(&w, "a");
	jw_array(&w);
	jw_int(&w, INT64_MIN);
	jw_num(&w, 0.1);
	jw_num(&w, 1e21);
	jw_num(&w, (double)INFINITY);
	jw_array(&w);
	jw_array_end(&w);
	jw_object(&w);
	jw_end(&w);
	jw_raw(&w, SLICE("{\"r\":1}"));
	jw_end(&w);
	jw_kbool(&w, "t", true);
	jw_ktime(&w, "at", 1500 * MSEC);
	jw_ktime(&w, "never", INSTANT_NONE);
	jw_kint(&w, "i", -5);
	jw_end(&w);
	assert_string_equal(buf_cstr(&b),
	                    "{\"s\":\"q\\\" b\\\\ n\\n c\\u0001 d\x7f \xe2\x82\xac "
	                    "\xef\xbf\xbd.\",\"none\":null,\"empty\":\"\","
	                    "\"a\":[-9223372036854775808,0.1,1e+21,null,[],{},{\"r\":1}],\"t\":true,"
	                    "\"at\":\"1970-01-01T00:00:01.5Z\",\"never\":null,\"i\":-5}");
	json_t *o = json_loads(buf_cstr(&b), 0, NULL);
	assert_non_null(o);
	json_decref(o);
	buf_free(&b);
}

static void round_trip(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	char *once = rewritten(parse(a, seed_text)), *twice = rewritten(parse(a, once));
	assert_string_equal(once, twice);
	check_against_oracle(once, strlen(once));
	free(once);
	free(twice);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(suite),   cmocka_unit_test(oracle),     cmocka_unit_test(decoded),
	    cmocka_unit_test(numbers), cmocka_unit_test(duplicates), cmocka_unit_test(limits),
	    cmocka_unit_test(paths),   cmocka_unit_test(writer),     cmocka_unit_test(round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
