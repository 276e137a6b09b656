/* Warnings and notes of map.md section 3, and maps with cycles. */
#include "map_help.h"

static void unknown_needs(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [a], owner: x, needs: [ghost, {any: [b, ghost2]}]}\n  b: "
	                       "{hosts: [b], owner: x, needs: [ghost]}\n");
	assert_int_equal(b.f.warnings, 3);
	expect_line(&b, "map.yaml:3:37: warning: 'a' needs 'ghost', which no service has as its id");
	assert_int_equal(service_map_len(b.map), 4);
	assert_int_equal(service_map_dangling(b.map), 3);
	uint32_t ghost = need_service(&b, "ghost");
	assert_true(service_unknown(b.map, ghost));
	assert_false(service_unknown(b.map, need_service(&b, "a")));
	assert_slice(service_text(b.map, ghost, "name"), "ghost");
	size_t n;
	service_needed_by(b.map, ghost, &n);
	assert_int_equal(n, 2);
	built_free(&b);
}

static void cycles(void **state)
{
	(void)state;
	struct built b = build("  c: {hosts: [c], needs: [a]}\n"
	                       "  a: {hosts: [a], needs: [b, side]}\n"
	                       "  b: {hosts: [b], needs: [c]}\n"
	                       "  side: {hosts: [s]}\n"
	                       "  g1: {hosts: [g1], needs: [{any: [g2, side]}]}\n"
	                       "  g2: {hosts: [g2], needs: [g1]}\n"
	                       "  n1: {hosts: [n1], needs: [{service: n2, effect: none}]}\n"
	                       "  n2: {hosts: [n2], needs: [n1]}\n");
	assert_int_equal(b.f.errors, 0);
	assert_int_equal(b.f.warnings, 2); /* a need that is only drawn closes no cycle */
	expect_line(&b, "map.yaml:5:3: warning: services need each other in a cycle: a → b → c → a; they are "
	                "treated as one");
	expect_line(&b, "map.yaml:8:3: warning: services need each other in a cycle: g1 → g2 → g1;");
	assert_non_null(b.map);
	built_free(&b);
}

static void long_cycle_is_cut(void **state)
{
	(void)state;
	struct buf y = {0};
	for (int i = 0; i < 5000; i++)
		buf_printf(&y, "  s%05d: {hosts: [h%d], needs: [s%05d]}\n", i, i, (i + 1) % 5000);
	struct built b = build(buf_cstr(&y));
	assert_int_equal(b.f.warnings, 1);
	expect_line(&b, "→ … (5000 services) → s00000;");
	built_free(&b);
	buf_free(&y);
}

static void depth(void **state)
{
	(void)state;
	for (int deep = 32; deep <= 33; deep++) {
		struct buf y = {0};
		for (int i = 0; i < deep; i++)
			buf_printf(&y, "  s%d: {hosts: [h%d], needs: [s%d]}\n", i, i, i + 1);
		buf_printf(&y, "  s%d: {hosts: [last]}\n", deep);
		struct built b = build(buf_cstr(&y));
		assert_int_equal(b.f.warnings, deep > 32);
		if (deep > 32)
			expect_line(&b, "map.yaml:3:3: warning: the needs of 's0' are 33 deep, more than 32");
		built_free(&b);
		buf_free(&y);
	}
}

static void alone(void **state)
{
	(void)state;
	struct built b = build("  a: {owner: x}\n  b: {owner: x, aliases: [q]}\n  c: {owner: x, hosts: [c], "
	                       "needs: [d]}\n  d: {owner: x}\n"
	                       "  e: {owner: x, ports: [{host: h, port: p}]}\n");
	assert_int_equal(b.f.warnings, 2);
	expect_line(&b, "map.yaml:3:3: warning: service 'a' has neither hosts nor dependants");
	expect_line(&b, "service 'b' has neither hosts nor dependants");
	built_free(&b);
}

static void equal_patterns(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [\"web*\"]}\n  b: {hosts: [\"*web\"]}\n"   /* "web" fits both */
	                       "  c: {hosts: [\"dbx-*\"]}\n  d: {hosts: [\"dcx-*\"]}\n" /* never */
	                       "  e: {hosts: [\"x*y*\", \"x*z*\"]}\n"                   /* the same service */
	                       "  f: {hosts: [\"*.a.long\"]}\n  g: {hosts: [\"*.b.long\"]}\n"
	                       "  h: {hosts: [\"lon*name\"]}\n  i: {hosts: [\"longn*me\"]}\n");
	assert_int_equal(b.f.warnings, 2);
	expect_line(&b, "map.yaml:4:15: warning: patterns 'web*' of 'a' and '*web' of 'b' are equally long "
	                "and can fit one host");
	expect_line(&b, "patterns 'lon*name' of 'h' and 'longn*me' of 'i'");
	built_free(&b);
}

static void notes(void **state)
{
	(void)state;
	struct built b = build("  a: {tier: 1, owner: x, hosts: [a], needs: [b, {service: c, effect: "
	                       "degraded}, {any: [b, c]}]}\n"
	                       "  b: {owner: x, hosts: [b]}\n"
	                       "  c: {hosts: [c]}\n"
	                       "  d: {tier: 2, hosts: [d], needs: [b]}\n");
	assert_int_equal(b.f.warnings, 0);
	assert_int_equal(b.f.notes, 2);
	expect_line(
	    &b,
	    "map.yaml:3:3: note: tier-1 service 'a' needs 'b' without a group: a single point of failure");
	expect_line(&b, "map.yaml:5:3: note: 2 services have no owner: 'c', 'd'");
	built_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unknown_needs), cmocka_unit_test(cycles), cmocka_unit_test(long_cycle_is_cut),
	    cmocka_unit_test(depth),         cmocka_unit_test(alone),  cmocka_unit_test(equal_patterns),
	    cmocka_unit_test(notes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
