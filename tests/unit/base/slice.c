/* Slices, arenas and buffers. */
#include "test.h"

#include "base/arena.h"

static void parts(void **state)
{
	(void)state;
	assert_true(slice_starts(SLICE("abc"), SLICE("ab")));
	assert_false(slice_starts(SLICE("a"), SLICE("ab")));
	assert_true(slice_ends(SLICE("abc"), SLICE("bc")));
	assert_false(slice_ends(SLICE("abc"), SLICE("ab")));
	assert_true(slice_ends(SLICE_NONE, SLICE("")));
	assert_true(slice_contains(SLICE("abc"), SLICE("b")));
	assert_false(slice_contains(SLICE("abc"), SLICE("cb")));
	assert_true(slice_contains(SLICE_NONE, SLICE("")));
	assert_true(slice_ieq(SLICE("SW1.Ber"), SLICE("sw1.bER")));
	assert_false(slice_ieq(SLICE("@"), SLICE("`")));
	assert_slice(slice_trim(SLICE(" \t a b\r\n")), "a b");
	assert_slice(slice_trim(SLICE("  ")), "");
	assert_slice(slice_sub(SLICE("abc"), 1, 9), "bc");
	assert_slice(slice_sub(SLICE("abc"), 7, 9), "");
}

static void order(void **state)
{
	(void)state;
	assert_int_equal(slice_cmp(SLICE("a"), SLICE("a")), 0);
	assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
	assert_true(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
	assert_true(slice_cmp(SLICE("\x7f"), SLICE("\x80")) < 0);
	assert_true(slice_cmp(SLICE_NONE, SLICE("")) == 0);
}

static void split(void **state)
{
	(void)state;
	struct slice s = SLICE("a,,b"), part;
	assert_true(slice_split(&s, ',', &part));
	assert_slice(part, "a");
	assert_true(slice_split(&s, ',', &part));
	assert_slice(part, "");
	assert_true(slice_split(&s, ',', &part));
	assert_slice(part, "b");
	assert_false(slice_split(&s, ',', &part));
	s = SLICE("a,");
	assert_true(slice_split(&s, ',', &part));
	assert_true(slice_split(&s, ',', &part));
	assert_slice(part, "");
	assert_false(slice_split(&s, ',', &part));
}

static void integers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t v;
	} t[] = {{"0", true, 0},
	         {"-0", true, 0},
	         {"+7", true, 7},
	         {"007", true, 7},
	         {"9223372036854775807", true, INT64_MAX},
	         {"-9223372036854775808", true, INT64_MIN},
	         {"9223372036854775808", false, 0},
	         {"-9223372036854775809", false, 0},
	         {"", false, 0},
	         {"-", false, 0},
	         {"1 ", false, 0},
	         {"1.0", false, 0},
	         {"0x1", false, 0},
	         {"--1", false, 0}};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int64_t v = 99;
		assert_int_equal(slice_int(slice_str(t[i].text), &v), t[i].ok);
		assert_true(!t[i].ok || v == t[i].v);
	}
}

static void numbers(void **state)
{
	(void)state;
	static const char *const good[] = {"0",     "-1",  "+2.5", "1e3", "1E-3", "0.1", "123456789012345678",
	                                   "1e308", "-0.0"};
	static const char *const bad[] = {"",     ".5",    "5.",  "1e", "1e+", "nan", "inf",
	                                  "0x10", "1e309", "1,5", " 1", "1 ",  "-"};
	double v;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(slice_num(slice_str(good[i]), &v));
		double want = strtod(good[i], NULL);
		assert_memory_equal(&v, &want, sizeof v);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(slice_num(slice_str(bad[i]), &v));
	char many[1026];
	memset(many, '1', sizeof many);
	assert_false(slice_num(slice_of(many, 1025), &v));
}

static void utf8(void **state)
{
	(void)state;
	static const char *const good[] = {"",
	                                   "a",
	                                   "\xc3\xa9",
	                                   "\xe2\x82\xac",
	                                   "\xf0\x9f\x98\x80",
	                                   "\xed\x9f\xbf",
	                                   "\xee\x80\x80",
	                                   "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80",
	                                  "\xc0\x80",
	                                  "\xc1\xbf",
	                                  "\xe0\x9f\xbf",
	                                  "\xed\xa0\x80",
	                                  "\xf0\x8f\xbf\xbf",
	                                  "\xf4\x90\x80\x80",
	                                  "\xf5\x80\x80\x80",
	                                  "\xc3",
	                                  "\xe2\x82",
	                                  "a\xff"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(slice_utf8(slice_str(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(slice_utf8(slice_str(bad[i])));
}

static void arenas(void **state)
{
	(void)state;
	struct arena *a = arena_new(256);
	for (size_t n = 0; n < 600; n++) {
		unsigned char *p = arena_alloc(a, n);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	size_t full = arena_bytes(a);
	arena_reset(a);
	assert_true(arena_bytes(a) < full);
	assert_int_equal(*(unsigned char *)arena_alloc(a, 1), 0);
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	char *wide = arena_printf(a, "%0300d|", 5); /* more than is formatted in one go */
	assert_int_equal(strlen(wide), 301);
	assert_string_equal(wide + 298, "05|");
	assert_true(slice_is(arena_number(a, 0), "0"));
	assert_true(slice_is(arena_number(a, INT64_MIN), "-9223372036854775808"));
	assert_true(slice_is(arena_number(a, INT64_MAX), "9223372036854775807"));
	assert_true(slice_is(arena_unsigned(a, UINT64_MAX), "18446744073709551615"));
	struct slice both = arena_join(a, SLICE("snmp."), SLICE("var"));
	assert_true(slice_is(both, "snmp.var"));
	assert_int_equal(both.p[both.n], '\0');
	assert_true(slice_is(arena_join(a, SLICE_NONE, SLICE_NONE), ""));
	struct slice s = arena_slice(a, SLICE("ab"));
	assert_int_equal(s.p[s.n], '\0');
	assert_null(arena_slice(a, SLICE_NONE).p);
	assert_string_equal(arena_str(a, SLICE_NONE), "");
	arena_free(a);
}

static void writes_and_reads(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_u8(&b, 1);
	buf_align(&b, 4);
	buf_u16(&b, 0x1234);
	buf_u32(&b, 0xdeadbeef);
	buf_u64(&b, UINT64_MAX - 1);
	buf_f64(&b, -0.5);
	buf_lslice(&b, SLICE("ab"));
	buf_lslice(&b, SLICE(""));
	buf_lslice(&b, SLICE_NONE);
	assert_memory_equal(b.p, "\x01\0\0\0\x34\x12\xef\xbe\xad\xde", 10);
	struct reader r = reader_of(buf_slice(&b));
	assert_int_equal(read_u8(&r), 1);
	read_align(&r, 4);
	assert_int_equal(read_u16(&r), 0x1234);
	assert_int_equal(read_u32(&r), 0xdeadbeef);
	assert_true(read_u64(&r) == UINT64_MAX - 1);
	assert_true(read_f64(&r) == -0.5);
	assert_slice(read_lslice(&r), "ab");
	assert_slice(read_lslice(&r), "");
	assert_null(read_lslice(&r).p);
	assert_true(r.ok && r.at == r.n);
	assert_int_equal(read_u8(&r), 0);
	assert_false(r.ok);
	buf_free(&b);
}

/* A length that lies reads nothing, and everything behind it is zero. */
static void short_reads(void **state)
{
	(void)state;
	struct reader r = reader_of(SLICE("\x05\0\0\0ab\x01\x02\x03"));
	r.n = 6;
	assert_null(read_lslice(&r).p);
	assert_false(r.ok);
	assert_int_equal(read_u8(&r), 0);
	r = reader_of(SLICE_NONE);
	assert_int_equal(read_u64(&r), 0);
	assert_false(r.ok);
}

static void buffers(void **state)
{
	(void)state;
	struct buf b = {0};
	assert_string_equal(buf_cstr(&b), "");
	buf_printf(&b, "%s %d", "abc", 5);
	buf_char(&b, '!');
	assert_string_equal(buf_cstr(&b), "abc 5!");
	buf_consume(&b, 4);
	assert_slice(buf_slice(&b), "5!");
	buf_consume(&b, 2);
	assert_int_equal(b.n, 0);
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "0123456789");
	assert_int_equal(b.n, 10000);
	buf_free(&b);
	assert_null(b.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts),       cmocka_unit_test(order),
	    cmocka_unit_test(split),       cmocka_unit_test(integers),
	    cmocka_unit_test(numbers),     cmocka_unit_test(utf8),
	    cmocka_unit_test(arenas),      cmocka_unit_test(writes_and_reads),
	    cmocka_unit_test(short_reads), cmocka_unit_test(buffers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
