/* The pattern language of `extract`: types, exact fit, faults with their places. */
#include "rules/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "name=value name=value", or "-" when it does not fit. */
static void fits(const char *pattern, const char *text, const char *want)
{
	struct arena *a = arena_new(0);
	struct pattern_fault fault;
	struct pattern *p = pattern_new(a, slice_str(pattern), true, &fault);
	if (p == NULL)
		print_error("%s: %s\n", pattern, fault.error.text);
	assert_non_null(p);
	const struct slice *names;
	const enum value_type *types;
	struct slice captures[32];
	struct buf got = {0};
	size_t n = pattern_captures(p, &names, &types);
	if (!pattern_match(p, slice_str(text), captures))
		buf_str(&got, "-");
	else
		for (size_t i = 0; i < n; i++)
			buf_printf(&got, "%s" SLICE_FMT "=" SLICE_FMT, i > 0 ? " " : "", SLICE_ARG(names[i]),
			           SLICE_ARG(captures[i]));
	if (strcmp(buf_cstr(&got), want) != 0)
		print_error("%s on '%s': %s\n", pattern, text, buf_cstr(&got));
	assert_string_equal(buf_cstr(&got), want);
	assert_true(slice_is(pattern_text(p), pattern));
	buf_free(&got);
	pattern_close(p);
	arena_free(a);
}

static void test_text(void **state)
{
	(void)state;
	fits("plain", "plain", "");
	fits("plain", "plain text", "-");
	fits("plain", "a plain", "-");
	fits("a.b*c(d)[e]^$|\\ #", "a.b*c(d)[e]^$|\\ #", "");
	fits("a.b", "axb", "-");
	fits("cost $5", "cost $5", "");
	fits("gr\xc3\xbc\xc3\x9f ${x}", "gr\xc3\xbc\xc3\x9f dich", "x=dich");
	fits("a ${x} \xc3\xa9 ${y:/[\xc3\xa4\xc3\xb6]+/}", "a 1 \xc3\xa9 \xc3\xb6\xc3\xa4",
	     "x=1 y=\xc3\xb6\xc3\xa4");
	fits("a ${x} b...", "a 1 b \xff\xfe", "x=1");
	fits("a\tb", "a\tb", "");
}

static void test_dots(void **state)
{
	(void)state;
	fits("...", "", "");
	fits("a...", "a", "");
	fits("a...b", "ab", "");
	fits("a...b", "a\nxx b", "");
	fits("a...b", "a c", "-");
	fits("used=${n:int}%...", "used=91% of 100", "n=91");
}

static void test_types(void **state)
{
	(void)state;
	fits("${user} in", "root in", "user=root");
	fits("${user} in", "the root in", "-");
	fits("${a:word} x", "b x", "a=b");
	fits("${a}:${b}", "x:y:z", "a=x b=y:z");
	fits("a ${b:text} c ${d:rest}", "a 1 2 c 3 c 4", "b=1 2 d=3 c 4");
	fits("a ${b:rest}", "a ", "-");
	fits("${n:int}", "-17", "n=-17");
	fits("${n:int}", "17.5", "-");
	fits("${n:num}", "17.5e3", "n=17.5e3");
	fits("${n:num}", "17.", "-");
	fits("${m:mac}", "00:1B:44:11:3a:b7", "m=00:1B:44:11:3a:b7");
	fits("${m:mac}", "001b.4411.3ab7", "m=001b.4411.3ab7");
	fits("${m:mac}", "00:1B:44:11:3a", "-");
	fits("${h:hex}", "0xBEEF", "h=0xBEEF");
	fits("${h:hex}", "xyz", "-");
	fits("${h:host}: up", "sw-1.example.net: up", "h=sw-1.example.net");
	fits("${h:host}: up", "fe80::1: up", "h=fe80::1");
	fits("${:int} ${b}", "12 x", "b=x");
	fits("${:text}/${b}", "any thing/x", "b=x");
}

static void test_ip(void **state)
{
	(void)state;
	fits("from ${a:ip} port", "from 10.0.0.1 port", "a=10.0.0.1");
	fits("from ${a:ip} port", "from 10.0.0.256 port", "-");
	fits("from ${a:ip} port", "from 10.0.0 port", "-");
	fits("${a:ip}: ${b:rest}", "fe80::1: down", "a=fe80::1 b=down");
	fits("${a:ip}:${p:int}", "10.0.0.1:22", "a=10.0.0.1 p=22");
	fits("${a:ip}", "::", "a=::");
	fits("${a:ip}", "::ffff:10.0.0.1", "a=::ffff:10.0.0.1");
	fits("${a:ip}", "1:2:3:4:5:6:7:8", "a=1:2:3:4:5:6:7:8");
	fits("${a:ip}", "1:2:3:4:5:6:7:8:9", "-");
	fits("${a:ip}", "12345::1", "-");
	fits("src=${a:ip}...", "src=2001:db8::17, gone", "a=2001:db8::17");
}

static void test_quoted(void **state)
{
	(void)state;
	fits("user ${u:quoted} x", "user \"a b\" x", "u=a b");
	fits("user ${u:quoted} x", "user 'a \"b' x", "u=a \"b");
	fits("user ${u:quoted} x", "user \"a \\\" b\" x", "u=a \\\" b");
	fits("user ${u:quoted} x", "user \"\" x", "u=");
	fits("user ${u:quoted} x", "user a x", "-");
	fits("${a:quoted} ${b:quoted}", "'1' \"2\"", "a=1 b=2");
}

static void test_regex(void **state)
{
	(void)state;
	fits("up ${d:/\\d+d/}, ${u:/[a-z]{2,3}/} ok", "up 3d, abc ok", "d=3d u=abc");
	fits("${a:/x|yy/}z", "yyz", "a=yy");
	fits("${a:/(x)(y)/}${b:/(z)/}", "xyz", "a=xy b=z");
	fits("${:/a+/}${b:/\\}/}", "aaa}", "b=}");
	fits("${a:/[^/]+/}/${b}", "usr/bin", "a=usr b=bin");
}

static void test_examples(void **state)
{
	(void)state;
	const char *line = "Failed password for invalid user admin from 203.0.113.9 port 4022 ssh2";
	fits("Failed ${method} for invalid user ${user} from ${src_ip:ip} port ${src_port:int}...", line,
	     "method=password user=admin src_ip=203.0.113.9 src_port=4022");
	fits("Failed ${method} for ${user} from ${src_ip:ip} port ${src_port:int}...", line, "-");
	fits("fs=${mount} used=${used_pct:int}%...", "fs=/var used=91% x", "mount=/var used_pct=91");
}

static void fault(const char *pattern, const char *code, size_t at, size_t len, const char *part)
{
	struct arena *a = arena_new(0);
	struct pattern_fault f;
	assert_null(pattern_new(a, slice_str(pattern), false, &f));
	if (strcmp(f.code, code) != 0 || f.at != at || f.len != len || strstr(f.error.text, part) == NULL)
		print_error("%s: %s %zu+%zu %s\n", pattern, f.code, f.at, f.len, f.error.text);
	assert_string_equal(f.code, code);
	assert_int_equal(f.at, at);
	assert_int_equal(f.len, len);
	assert_non_null(strstr(f.error.text, part));
	arena_free(a);
}

static void test_faults(void **state)
{
	(void)state;
	fault("a ${b}${c}", "E080", 6, 4, "two captures need text between them, or a type on the first");
	fits("${b:int}${c}", "12ab", "b=12 c=ab");
	fits("${b}${:int} x", "ab1 x", "b=ab");
	fault("a ${b", "E007", 2, 3, "without '}'");
	fault("a ${}", "E007", 2, 3, "names no field");
	fault("a ${B}", "E010", 4, 1, "'B'");
	fault("a ${b:itn}", "E011", 6, 3, "did you mean 'int'?");
	fault("a ${b:}", "E011", 6, 0, "must be one of");
	fault("${b} ${b}", "E080", 7, 1, "twice");
	fault("${b:/(/}", "E022", 5, 1, "regex: ");
	fault("${b:/a)(c/}", "E022", 5, 4, "regex: ");
	fault("${b:/(?=a)/}", "E022", 5, 5, "look-ahead");
	fault("${b:/(?<x>a)/}", "E022", 5, 7, "named group");
	fault("${b:/{/}", "E007", 0, 8, "without '}'");
}

static void test_value_types(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct pattern_fault f;
	struct pattern *p = pattern_new(a, SLICE("${a} ${b:int} ${c:num} ${d:ip} ${x.e:text}"), false, &f);
	assert_non_null(p);
	const struct slice *names;
	const enum value_type *types;
	assert_int_equal(pattern_captures(p, &names, &types), 5);
	assert_int_equal(types[0], VALUE_TEXT);
	assert_int_equal(types[1], VALUE_NUMBER);
	assert_int_equal(types[2], VALUE_NUMBER);
	assert_int_equal(types[3], VALUE_IP);
	assert_true(slice_is(names[4], "x.e"));
	pattern_close(p);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),        cmocka_unit_test(test_dots),
	    cmocka_unit_test(test_types),       cmocka_unit_test(test_ip),
	    cmocka_unit_test(test_quoted),      cmocka_unit_test(test_regex),
	    cmocka_unit_test(test_examples),    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_value_types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
