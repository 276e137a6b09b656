/* The map's form in YAML, its values, needs and groups: map.md section 1. */
#include "map_help.h"

static const char example[] =
    "version: 1\n"
    "defaults: {labels: {env: prod}}\n"
    "services:\n"
    "  checkout:\n"
    "    name: Checkout\n"
    "    tier: 1\n"
    "    owner: team-shop\n"
    "    assign: SHOP-OPS\n"
    "    runbook: https://wiki.example/checkout\n"
    "    needs:\n"
    "      - payments-api\n"
    "      - {service: cache, effect: degraded}\n"
    "      - {any: [db-1, db-2, db-3], at_least: 2}\n"
    "    hosts: [shop-1, shop-2, \"shop-*.example.net\", 10.1.2.0/28]\n"
    "    aliases: [\"cmdb:CI0012345\", \"k8s:shop/checkout\"]\n"
    "    labels: {site: ber1}\n"
    "  payments-api: {tier: 1, owner: team-pay, hosts: [pay-1, pay-2], needs: [db-1]}\n"
    "  cache: {hosts: [cache-1]}\n"
    "  db-1: {hosts: [db-1], needs: [tor-1]}\n"
    "  db-2: {hosts: [db-2], needs: [tor-2]}\n"
    "  db-3: {hosts: [db-3], needs: [tor-2]}\n"
    "  tor-1: {kind: network, hosts: [tor-1, 10.0.0.1]}\n"
    "  tor-2: {kind: network, hosts: [tor-2, 10.0.0.2]}\n";

static void the_example(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "10-map.yaml", example);
	built_compile(&b);
	assert_int_equal(b.f.errors + b.f.warnings, 0);
	assert_int_equal(service_map_len(b.map), 8);
	assert_int_equal(service_map_needs_len(b.map), 9);
	uint32_t checkout = need_service(&b, "checkout");
	char scratch[16];
	assert_slice(service_path(b.map, checkout, SLICE("name"), scratch), "Checkout");
	assert_slice(service_path(b.map, checkout, SLICE("tier"), scratch), "1");
	assert_slice(service_path(b.map, checkout, SLICE("owner"), scratch), "team-shop");
	assert_slice(service_path(b.map, checkout, SLICE("assign"), scratch), "SHOP-OPS");
	assert_slice(service_path(b.map, checkout, SLICE("runbook"), scratch),
	             "https://wiki.example/checkout");
	assert_slice(service_path(b.map, checkout, SLICE("kind"), scratch), "service");
	assert_slice(service_path(b.map, checkout, SLICE("labels.site"), scratch), "ber1");
	assert_slice(service_path(b.map, checkout, SLICE("labels.env"), scratch), "prod");
	assert_null(service_path(b.map, checkout, SLICE("labels.x"), scratch).p);
	assert_null(service_path(b.map, checkout, SLICE("state"), scratch).p);
	assert_slice(service_text(b.map, checkout, "source"), "10-map.yaml");
	assert_string_equal(service_first_alias(b.map, checkout, "cmdb:"), "cmdb:CI0012345");
	assert_string_equal(service_first_alias(b.map, checkout, "k8s:"), "k8s:shop/checkout");
	assert_null(service_first_alias(b.map, checkout, "x:"));
	uint32_t cache = need_service(&b, "cache");
	assert_slice(service_text(b.map, cache, "name"), "cache");
	assert_null(service_text(b.map, cache, "owner").p);
	assert_null(service_path(b.map, cache, SLICE("tier"), scratch).p);
	assert_int_equal(service_tier(b.map, cache), 0);
	uint32_t tor = need_service(&b, "tor-1");
	assert_int_equal(service_kind(b.map, tor), KIND_NETWORK);
	assert_true(service_is_network(b.map, tor));
	assert_false(service_is_network(b.map, cache));
	built_free(&b);
}

static void needs_and_groups(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "10-map.yaml", example);
	built_compile(&b);
	size_t n;
	uint32_t checkout = need_service(&b, "checkout"), db1 = need_service(&b, "db-1");
	const struct map_edge *e = service_needs(b.map, checkout, &n);
	assert_int_equal(n, 3);
	assert_int_equal(e[0].to, need_service(&b, "cache"));
	assert_int_equal(e[0].effect, EFFECT_DEGRADED);
	assert_int_equal(e[1].to, need_service(&b, "payments-api"));
	assert_int_equal(e[1].effect, EFFECT_DOWN);
	assert_true(e[2].is_group);
	assert_int_equal(map_groups_len(b.map), 1);
	assert_int_equal(group_at_least(b.map, e[2].to), 2);
	size_t members;
	const uint32_t *m = group_members(b.map, e[2].to, &members);
	assert_int_equal(members, 3);
	assert_int_equal(m[0], db1);
	const uint32_t *g = service_groups(b.map, db1, &n);
	assert_int_equal(n, 1);
	assert_int_equal(g[0], e[2].to);
	const struct map_edge *by = group_needed_by(b.map, e[2].to, &n);
	assert_int_equal(n, 1);
	assert_int_equal(by[0].to, checkout);
	by = service_needed_by(b.map, db1, &n); /* direct needs only */
	assert_int_equal(n, 1);
	assert_int_equal(by[0].to, need_service(&b, "payments-api"));
	by = service_needed_by(b.map, need_service(&b, "tor-2"), &n);
	assert_int_equal(n, 2);
	service_needs(b.map, need_service(&b, "tor-2"), &n);
	assert_int_equal(n, 0);
	built_free(&b);
}

static void equal_groups_are_one(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [a], needs: [{any: [x, y]}]}\n"
	                       "  b: {hosts: [b], needs: [{any: [y, x], at_least: 1, effect: degraded}]}\n"
	                       "  c: {hosts: [c], needs: [{any: [x, y], at_least: 2}, {any: [x, y, a]}, x, "
	                       "{service: x, effect: none}]}\n"
	                       "  x: {hosts: [x]}\n"
	                       "  y: {hosts: [y]}\n");
	assert_int_equal(map_groups_len(b.map), 3);
	size_t n;
	const struct map_edge *a = service_needs(b.map, need_service(&b, "a"), &n);
	assert_int_equal(n, 1);
	uint32_t group = a[0].to;
	const struct map_edge *by = group_needed_by(b.map, group, &n);
	assert_int_equal(n, 2);
	assert_int_equal(by[0].effect, EFFECT_DOWN);
	assert_int_equal(by[1].effect, EFFECT_DEGRADED);
	const struct map_edge *c = service_needs(b.map, need_service(&b, "c"), &n);
	assert_int_equal(n, 3); /* a need written twice is one, with the worst effect */
	assert_int_equal(c[0].effect, EFFECT_DOWN);
	built_free(&b);
}

static void kinds(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [a], kind: access-switch}\n"
	                       "  b: {hosts: [b], kind: mainframe}\n"
	                       "  c: {hosts: [c], kind: k8s_node}\n"
	                       "  d: {hosts: [d], kind: firewall, hides: true}\n");
	assert_int_equal(service_kind(b.map, need_service(&b, "a")), KIND_SWITCH);
	assert_true(service_is_network(b.map, need_service(&b, "a")));
	assert_int_equal(service_kind(b.map, need_service(&b, "b")), KIND_SERVICE);
	assert_slice(service_text(b.map, need_service(&b, "b"), "kind"), "mainframe");
	assert_int_equal(service_kind(b.map, need_service(&b, "c")), KIND_K8S_NODE);
	assert_true(service_hides(b.map, need_service(&b, "d")));
	assert_false(service_hides(b.map, need_service(&b, "c")));
	built_free(&b);
}

static void defaults_apply(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "one.yaml",
	           "version: 1\n"
	           "defaults: {kind: db, tier: 3, owner: dba, assign: DBA, source: git, labels: {env: prod, "
	           "site: x}}\n"
	           "services:\n  a: {hosts: [a]}\n  b: {hosts: [b], tier: 1, owner: me, labels: {env: "
	           "dev}}\n  c:\n");
	built_yaml(&b, "two.yaml", "version: 1\nservices:\n  d: {hosts: [d], needs: [c]}\n");
	built_compile(&b);
	uint32_t a = need_service(&b, "a"), bb = need_service(&b, "b"), d = need_service(&b, "d");
	assert_int_equal(service_tier(b.map, a), 3);
	assert_int_equal(service_kind(b.map, a), KIND_DB);
	assert_slice(service_text(b.map, a, "owner"), "dba");
	assert_slice(service_text(b.map, a, "source"), "git");
	assert_slice(service_label(b.map, a, SLICE("env")), "prod");
	assert_int_equal(service_tier(b.map, bb), 1);
	assert_slice(service_text(b.map, bb, "owner"), "me");
	assert_slice(service_label(b.map, bb, SLICE("env")), "dev");
	assert_slice(service_label(b.map, bb, SLICE("site")), "x");
	assert_slice(service_text(b.map, need_service(&b, "c"), "assign"), "DBA");
	assert_int_equal(service_tier(b.map, d), 0); /* only in their file */
	assert_null(service_label(b.map, d, SLICE("env")).p);
	assert_slice(service_text(b.map, d, "source"), "two.yaml");
	built_free(&b);
}

static void quoting_means_nothing(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [a], tier: \"2\", owner: no, labels: {x: 1, y: true}}\n");
	assert_int_equal(service_tier(b.map, need_service(&b, "a")), 2);
	assert_slice(service_text(b.map, need_service(&b, "a"), "owner"), "no");
	assert_slice(service_label(b.map, need_service(&b, "a"), SLICE("y")), "true");
	built_free(&b);
}

static void links(void **state)
{
	(void)state;
	struct built b =
	    build("  sw1: {kind: switch, hosts: [sw1, 10.0.0.1]}\n"
	          "  sw2: {kind: switch, hosts: [sw2.example.net]}\n"
	          "  l1: {kind: link, ends: [{host: 10.0.0.1, port: Gi0/1}, {host: sw2, port: Gi0/2}]}\n"
	          "  l2: {kind: link, ports: [{host: sw1, port: Gi0/3}, {host: elsewhere, port: x}]}\n"
	          "  db: {hosts: [db], ports: [{host: sw1, port: Gi0/4}]}\n");
	uint32_t sw1 = need_service(&b, "sw1"), sw2 = need_service(&b, "sw2"), ends[2];
	uint32_t l1 = need_service(&b, "l1"), l2 = need_service(&b, "l2");
	assert_true(link_ends(b.map, l1, ends));
	assert_int_equal(ends[0], sw1);
	assert_int_equal(ends[1], sw2);
	assert_true(link_ends(b.map, l2, ends));
	assert_true((ends[0] == sw1 && ends[1] == SERVICE_NONE) ||
	            (ends[1] == sw1 && ends[0] == SERVICE_NONE));
	assert_false(link_ends(b.map, need_service(&b, "db"), ends));
	size_t n;
	const uint32_t *v = device_links(b.map, sw1, &n);
	assert_int_equal(n, 2);
	assert_int_equal(v[0], l1);
	assert_int_equal(v[1], l2);
	v = device_links(b.map, sw2, &n);
	assert_int_equal(n, 1);
	assert_int_equal(v[0], l1);
	device_links(b.map, l1, &n);
	assert_int_equal(n, 0);
	built_free(&b);
}

/* One fault each: where it is reported, its code, a part of its text. */
static const struct {
	const char *yaml, *want;
} faults[] = {
    {"services: {}\n", "f.yaml:1:1: error: the map needs 'version'"},
    {"version: 1\n", "error: the map needs 'services'; "},
    {"version: 2\nservices: {}\n", "f.yaml:1:10: error: '2' must be one of 1 [E011]"},
    {"version: [1]\nservices: {}\n", "expected a number for 'version', got a list [E007]"},
    {"version: 1\nservice: {}\nservices: {}\n",
     "f.yaml:2:1: error: unknown key 'service' in the map; did you mean 'services'? [E004]"},
    {"version: 1\nservices: []\n", "expected a map for 'services', got a list [E007]"},
    {"- a\n", "expected a map in the map, got a list [E007]"},
    {"version: 1\nservices:\n  a: {ownr: x}\n",
     "f.yaml:3:7: error: unknown key 'ownr' in service 'a'; did you mean 'owner'? [E004]"},
    {"version: 1\nservices:\n  A: {}\n", "f.yaml:3:3: error: id 'A' is not valid"},
    {"version: 1\nservices:\n  -a: {}\n", "id '-a' is not valid"},
    {"version: 1\nservices:\n  a: [x]\n", "expected a map for 'a', got a list [E007]"},
    {"version: 1\nservices:\n  a: {tier: 5}\n", "f.yaml:3:13: error: 'tier' must be between 1 and 4 [E008]"},
    {"version: 1\nservices:\n  a: {tier: one}\n", "expected a number for 'tier', got text 'one' [E007]"},
    {"version: 1\nservices:\n  a: {name: [x]}\n", "expected text for 'name', got a list [E007]"},
    {"version: 1\nservices:\n  a: {name: null}\n", "empty value in service 'a'"},
    {"version: 1\nservices:\n  a: {hides: yes}\n", "expected true or false for 'hides', got 'yes' [E007]"},
    {"version: 1\nservices:\n  a: {hosts: x}\n",
     "f.yaml:3:14: error: expected a list for 'hosts', got text [E007]"},
    {"version: 1\nservices:\n  a: {hosts: [[x]]}\n", "expected text in service 'a', got a list [E007]"},
    {"version: 1\nservices:\n  a: {hosts: [10.0.0.0/33]}\n",
     "f.yaml:3:15: error: '10.0.0.0/33' is not a network; write it like 10.1.0.0/16 [E023]"},
    {"version: 1\nservices:\n  a: {hosts: [10.0.0.1/8]}\n", "is not a network"},
    {"version: 1\nservices:\n  a: {needs: [B]}\n", "f.yaml:3:15: error: id 'B' is not valid"},
    {"version: 1\nservices:\n  a: {needs: [{service: b, effect: dwon}]}\n",
     "'dwon' must be one of down, degraded, none; did you mean 'down'? [E011]"},
    {"version: 1\nservices:\n  a: {needs: [{service: b, effect: risk}]}\n",
     "'risk' must be one of down, degraded, none [E011]"},
    {"version: 1\nservices:\n  a: {needs: [{effect: down}]}\n", "needs 'service' or 'any' [E005]"},
    {"version: 1\nservices:\n  a: {needs: [{servce: b}]}\n",
     "unknown key 'servce' in a need; did you mean 'service'? [E004]"},
    {"version: 1\nservices:\n  a: {needs: [{any: [b]}]}\n", "'any' needs two services or more"},
    {"version: 1\nservices:\n  a: {needs: [{service: b, at_least: 1}]}\n", "'at_least' needs 'any'"},
    {"version: 1\nservices:\n  a: {needs: [{any: [b, c], at_least: 0}]}\n",
     "'at_least' must be between 1 and"},
    {"version: 1\nservices:\n  a: {needs: [{any: [b, c], at_least: 3}]}\n",
     "f.yaml:3:39: error: 'at_least' must be between 1 and 2, the members of the group; got 3 [E008]"},
    {"version: 1\nservices:\n  a: {needs: [{any: [b, c], service: d}]}\n",
     "unknown key 'service' in a need with 'any'"},
    {"version: 1\nservices:\n  a: {needs: [a]}\n", "f.yaml:3:15: error: service 'a' needs itself"},
    {"version: 1\nservices:\n  a: {needs: [{any: [a, b]}]}\n", "error: service 'a' needs itself"},
    {"version: 1\nservices:\n  a: {ends: [{host: h, port: p}]}\n",
     "'ends' takes two of {host, port}, got 1 [E008]"},
    {"version: 1\nservices:\n  a: {ports: [{host: h}]}\n", "a port needs 'port' [E005]"},
    {"version: 1\nservices:\n  a: {ports: [{host: h, port: p, x: y}]}\n", "unknown key 'x' in a port"},
    {"version: 1\nservices:\n  a: {labels: [x]}\n", "expected a map for 'labels', got a list [E007]"},
    {"version: 1\nservices:\n  a: {labels: {x: [y]}}\n", "expected text for 'x', got a list [E007]"},
    {"version: 1\ndefaults: {hosts: [a]}\nservices: {}\n", "unknown key 'hosts' in defaults"},
    {"version: 1\nservices:\n  a: {hosts: [h]}\n  a: {hosts: [i]}\n",
     "f.yaml:4:3: error: duplicate key 'a'; first at 3:3 [E002]"},
    {"version: 1\nservices:\n  a: {hosts: [h]}\n  b: {hosts: [H]}\n",
     "f.yaml:4:15: error: duplicate host 'H' in service 'b'; first in service 'a' at f.yaml:3:15 [E002]"},
    {"version: 1\nservices:\n  a: {hosts: [h, h]}\n", "duplicate host 'h'"},
    {"version: 1\nservices:\n  b: {hosts: [\"x*\"]}\n  a: {hosts: [\"X*\"]}\n",
     "f.yaml:4:15: error: duplicate host 'X*' in service 'a'; first in service 'b' at f.yaml:3:15"},
    {"version: 1\nservices:\n  a: {hosts: [10.0.0.0/8]}\n  b: {hosts: [10.0.0.0/8]}\n",
     "duplicate host '10.0.0.0/8'"},
    {"version: 1\nservices:\n  a: {hosts: [\"::1:0\"]}\n  b: {hosts: [\"0::1:0\"]}\n",
     "duplicate host '0::1:0'"},
    {"version: 1\nservices:\n  a: {hosts: [a], aliases: [X]}\n  b: {hosts: [b], aliases: [x]}\n",
     "duplicate alias 'x' in service 'b'"},
    {"version: 1\nservices:\n  a: {ports: [{host: h, port: p}]}\n  b: {ports: [{host: H, port: p}]}\n",
     "duplicate port 'H p' in service 'b'"},
};

static void every_fault_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct built b = {0};
		built_yaml(&b, "f.yaml", faults[i].yaml);
		built_compile(&b);
		size_t skip = 0;
		if (strcmp(faults[i].want, "error: the map needs 'services'; ") == 0)
			skip = 2; /* the same text without its tail */
		char want[256];
		snprintf(want, strlen(faults[i].want) - skip + 1, "%s", faults[i].want);
		expect_line(&b, want);
		assert_true(b.f.errors > 0);
		built_free(&b);
	}
}

static void duplicate_over_files(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "z.yaml", "version: 1\nservices:\n  a: {hosts: [h]}\n");
	built_yaml(&b, "b.yaml", "version: 1\nservices:\n\n  a: {hosts: [i]}\n");
	built_compile(&b);
	assert_null(b.map);
	assert_int_equal(b.f.errors, 1);
	expect_line(&b, "b.yaml:4:3: error: duplicate id 'a'; first at z.yaml:3:3 [E002]");
	expect_line(&b, "a: {hosts: [i]}"); /* the line of the file, although the document is gone */
	built_free(&b);
}

static void too_many(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "f.yaml", "version: 1\nservices:\n  a: {hosts: [a]}\n  b: {hosts: [b]}\n");
	assert_int_equal(map_compile(b.draft, 1, &b.f, &b.bytes), -1);
	assert_int_equal(b.bytes.n, 0);
	findings_text(&b.f, &b.text);
	buf_cstr(&b.text);
	expect_line(&b, "the map has 2 services, limits.services allows 1");
	built_free(&b);
}

/* The mapper's way: entries from code, found and removed by id, no places. */
static void draft_by_hand(void **state)
{
	(void)state;
	struct built b = {.draft = map_draft_new()};
	for (int i = 0; i < 3; i++) {
		struct map_entry *e = map_draft_add(b.draft);
		e->id = map_draft_str(b.draft, slice_str(i == 0 ? "a" : i == 1 ? "b" : "a"));
		e->file = "redis:carillon:map:";
	}
	assert_int_equal(map_draft_len(b.draft), 3);
	map_draft_remove(b.draft, SLICE("a"));
	map_draft_remove(b.draft, SLICE("a"));
	assert_int_equal(map_draft_len(b.draft), 1);
	assert_null(map_draft_find(b.draft, SLICE("a")));
	struct map_entry *e = map_draft_find(b.draft, SLICE("b"));
	assert_non_null(e);
	e->needs = map_draft_array(b.draft, 3, sizeof *e->needs);
	e->n_needs = 3;
	e->needs[0] =
	    (struct map_need){.service = map_draft_str(b.draft, SLICE("cache")), .effect = EFFECT_DEGRADED};
	e->needs[1] = (struct map_need){.service = map_draft_str(b.draft, SLICE("c")),
	                                .group = map_draft_str(b.draft, SLICE("db"))};
	e->needs[2] =
	    (struct map_need){.service = map_draft_str(b.draft, SLICE("d")), .group = e->needs[1].group};
	e->hosts = map_draft_array(b.draft, 2, sizeof(char *));
	e->hosts[0] = e->hosts[1] = map_draft_str(b.draft, SLICE("h"));
	e->n_hosts = 2;
	built_compile(&b);
	assert_null(b.map);
	expect_line(&b, "redis:carillon:map:hosts[h]: error: duplicate host 'h'");
	expect_line(&b,
	            "redis:carillon:map:needs:b[cache]: warning: 'b' needs 'cache', which no service has");
	expect_line(&b, "redis:carillon:map:groups:b[db]: warning: group 'db' of 'b' is not described");
	e->n_hosts = 1;
	e->groups = map_draft_array(b.draft, 1, sizeof *e->groups);
	e->groups[0] = (struct map_group){.name = e->needs[1].group, .at_least = 3, .effect = EFFECT_DOWN};
	e->n_groups = 1;
	b.text.n = 0;
	findings_clear(&b.f);
	built_compile(&b);
	expect_line(&b, "redis:carillon:map:groups:b[db]: error: 'at_least' must be between 1 and 2");
	e->groups[0].at_least = 2;
	findings_clear(&b.f);
	built_compile(&b);
	assert_non_null(b.map);
	assert_int_equal(service_map_len(b.map), 4);
	assert_int_equal(service_map_dangling(b.map), 3);
	built_free(&b);
}

static void same_content_same_bytes(void **state)
{
	(void)state;
	struct built one = build("  a: {hosts: [h2, h1, \"p*\"], aliases: [y, x], labels: {m: 1, k: 2}, "
	                         "needs: [b, {any: [d, c]}]}\n"
	                         "  b: {hosts: [b], source: map.yaml}\n  c: {hosts: [c, 10.0.0.0/8, "
	                         "1.2.3.4]}\n  d: {hosts: [d]}\n");
	struct built two =
	    build("  d: {hosts: [d]}\n  c: {hosts: [1.2.3.4, c, 10.0.0.0/8]}\n  b: {hosts: [b]}\n"
	          "  a: {needs: [{any: [c, d]}, b], hosts: [h1, \"p*\", h2], labels: {k: 2, m: 1}, aliases: "
	          "[x, y]}\n");
	char x[65], y[65];
	service_map_hash(one.map, x);
	service_map_hash(two.map, y);
	assert_string_equal(x, y);
	assert_int_equal(strlen(x), 64);
	assert_int_equal(one.bytes.n, two.bytes.n);
	assert_memory_equal(one.bytes.p, two.bytes.p, one.bytes.n);
	struct built three = build("  a: {hosts: [h1]}\n");
	service_map_hash(three.map, y);
	assert_string_not_equal(x, y);
	built_free(&one);
	built_free(&two);
	built_free(&three);
}

static void empty_map(void **state)
{
	(void)state;
	struct service_map *m = service_map_empty();
	assert_int_equal(service_map_len(m), 0);
	assert_int_equal(service_find(m, SLICE("a")), SERVICE_NONE);
	enum resolve_step how;
	assert_int_equal(resolve_event(m, SLICE("a"), SLICE("10.0.0.1"), SLICE_NONE, &how), SERVICE_NONE);
	assert_int_equal(how, RESOLVE_NONE);
	assert_int_equal(resolve_event(m, SLICE_NONE, SLICE("a.b.c"), SLICE("p"), NULL), SERVICE_NONE);
	assert_int_equal(resolve_peer(m, SLICE_NONE, NULL), SERVICE_NONE);
	service_map_close(m);
	service_map_close(NULL);
}

static void damaged_files(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "10-map.yaml", example);
	built_compile(&b);
	struct error err = {""};
	char *copy = malloc(b.bytes.n);
	for (size_t i = 0; i < b.bytes.n; i += 7) {
		memcpy(copy, b.bytes.p, b.bytes.n);
		copy[i] = (char)(copy[i] ^ 0x40);
		assert_null(service_map_open(slice_of(copy, b.bytes.n), &err));
	}
	assert_non_null(strstr(err.text, "no compiled map"));
	for (size_t n = 0; n < b.bytes.n; n += 13) {
		char *cut = malloc(n + 1);
		memcpy(cut, b.bytes.p, n);
		assert_null(service_map_open(slice_of(cut, n), NULL));
		free(cut);
	}
	assert_null(service_map_open(SLICE_NONE, &err));
	free(copy);
	built_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_example),
	    cmocka_unit_test(needs_and_groups),
	    cmocka_unit_test(equal_groups_are_one),
	    cmocka_unit_test(kinds),
	    cmocka_unit_test(defaults_apply),
	    cmocka_unit_test(quoting_means_nothing),
	    cmocka_unit_test(links),
	    cmocka_unit_test(every_fault_is_named),
	    cmocka_unit_test(duplicate_over_files),
	    cmocka_unit_test(too_many),
	    cmocka_unit_test(draft_by_hand),
	    cmocka_unit_test(same_content_same_bytes),
	    cmocka_unit_test(empty_map),
	    cmocka_unit_test(damaged_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
