/* Event → service: map.md section 4, step by step. */
#include "map_help.h"

static const char services[] =
    "  shop: {tier: 1, hosts: [shop-1, Shop-2.example.net, \"shop-*.example.net\", \"shop-*\", 10.1.2.0/28], "
    "aliases: [\"cmdb:CI12\"]}\n"
    "  db-1: {hosts: [10.0.0.5, \"2001:db8::5\"], needs: [ghost]}\n"
    "  net: {hosts: [10.0.0.0/8, \"2001:db8::/32\"]}\n"
    "  near: {hosts: [10.1.0.0/16, \"*.lab\", \"a*.lab\", 0.0.0.0/0]}\n"
    "  twin-a: {hosts: [twin.a.net]}\n"
    "  twin-b: {hosts: [twin.b.net]}\n"
    "  both-a: {hosts: [both]}\n"
    "  both-b: {hosts: [both.b.net]}\n"
    "  ns.api: {hosts: [x9]}\n"
    "  numeric: {hosts: [host-7], aliases: [\"10.9.9.9\"]}\n"
    "  sw1: {kind: switch, hosts: [sw1, sw1-mgmt, 10.2.0.1]}\n"
    "  sw2: {kind: switch, hosts: [sw2.dc.net]}\n"
    "  farm: {hosts: [\"farm*\", farm-1, farm-2]}\n"
    "  link: {kind: link, ends: [{host: sw1, port: Gi0/1}, {host: sw2, port: \"48\"}]}\n"
    "  disk: {kind: storage, ports: [{host: sw1, port: sda}, {host: outside, port: sda}]}\n"
    "  nic1: {ports: [{host: farm-1, port: eth0}]}\n"
    "  nic2: {ports: [{host: farm-2, port: eth0}]}\n";

static void host_steps(void **state)
{
	(void)state;
	struct built b = build(services);
	expect_host(&b, "shop-1", "shop", RESOLVE_HOST);
	expect_host(&b, "SHOP-1", "shop", RESOLVE_HOST);
	expect_host(&b, "shop-1:9100", "shop", RESOLVE_HOST);
	expect_host(&b, "shop", "shop", RESOLVE_ID);
	expect_host(&b, "ns.api", "ns.api", RESOLVE_ID);
	expect_host(&b, "cmdb:ci12", "shop", RESOLVE_ALIAS);
	expect_host(&b, "shop-2", "shop", RESOLVE_SHORT);           /* short → FQDN */
	expect_host(&b, "shop-1.other.org", "shop", RESOLVE_SHORT); /* FQDN → short */
	expect_host(&b, "db-1.example.net", "db-1", RESOLVE_SHORT); /* FQDN → short name that is an id */
	expect_host(&b, "shop-77.example.net", "shop", RESOLVE_PATTERN);
	expect_host(&b, "shop-", "shop", RESOLVE_PATTERN);
	expect_host(&b, "ab.lab", "near", RESOLVE_PATTERN);
	expect_host(&b, "10.0.0.5", "db-1", RESOLVE_HOST);
	expect_host(&b, "10.0.0.5:22", "db-1", RESOLVE_HOST);
	expect_host(&b, "2001:db8::5", "db-1", RESOLVE_HOST);
	expect_host(&b, "[2001:DB8::5]:443", "db-1", RESOLVE_HOST);
	expect_host(&b, "2001:db8:0:0:0:0:0:5", "db-1", RESOLVE_ADDRESS);
	expect_host(&b, "::ffff:10.0.0.5", "db-1", RESOLVE_ADDRESS);
	expect_host(&b, "10.1.2.3", "shop", RESOLVE_CIDR); /* /28 before /16 before /8 */
	expect_host(&b, "10.1.2.16", "near", RESOLVE_CIDR);
	expect_host(&b, "10.200.0.1", "net", RESOLVE_CIDR);
	expect_host(&b, "192.0.2.1", "near", RESOLVE_CIDR); /* 0.0.0.0/0 */
	expect_host(&b, "2001:db8:1::1", "net", RESOLVE_CIDR);
	expect_host(&b, "2001:db9::1", NULL, RESOLVE_NONE);    /* 0.0.0.0/0 is of IPv4 */
	expect_host(&b, "10.9.9.9", "numeric", RESOLVE_ALIAS); /* before any network */
	expect_host(&b, "nobody", NULL, RESOLVE_NONE);
	expect_host(&b, "", NULL, RESOLVE_NONE);
	expect_host(&b, ":80", NULL, RESOLVE_NONE);
	expect_host(&b, "[]", NULL, RESOLVE_NONE);
	expect_host(&b, "ghost", NULL, RESOLVE_NONE); /* only named by a need */
	assert_true(service_unknown(b.map, need_service(&b, "ghost")));
	built_free(&b);
}

static void shared_short_names(void **state)
{
	(void)state;
	struct built b = build(services);
	expect_host(&b, "twin", NULL, RESOLVE_NONE);
	expect_host(&b, "twin.a.net", "twin-a", RESOLVE_HOST);
	expect_host(&b, "twin.c.net", NULL, RESOLVE_NONE);
	expect_host(&b, "both", "both-a", RESOLVE_HOST);
	expect_host(&b, "both.c.net", NULL, RESOLVE_NONE); /* "both" is two hosts */
	expect_host(&b, "ns", NULL, RESOLVE_NONE);         /* an id with a dot is no FQDN */
	expect_host(&b, "10.0.0.77", "net", RESOLVE_CIDR); /* an address has no short name */
	built_free(&b);
}

static void longest_literal_wins(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [\"*.net\"]}\n  b: {hosts: [\"web*.net\"]}\n  c: {hosts: "
	                       "[\"*\"]}\n  d: {hosts: [\"web-*-*.net\"]}\n");
	expect_host(&b, "web-1-2.net", "d", RESOLVE_PATTERN);
	expect_host(&b, "WEB-1.NET", "b", RESOLVE_PATTERN);
	expect_host(&b, "ftp.net", "a", RESOLVE_PATTERN);
	expect_host(&b, "ftp.com", "c", RESOLVE_PATTERN);
	built_free(&b);
}

static void expect_event(const struct built *b, const char *service, const char *host, const char *port,
                         const char *id, enum resolve_step step)
{
	enum resolve_step how;
	expect_id(b, resolve_event(b->map, slice_str(service), slice_str(host), slice_str(port), &how), id);
	assert_int_equal(how, step);
}

static void events(void **state)
{
	(void)state;
	struct built b = build(services);
	expect_event(&b, "shop", "db-1", NULL, "shop", RESOLVE_ID);
	expect_event(&b, "CMDB:CI12", "db-1", NULL, "shop", RESOLVE_ALIAS);
	expect_event(&b, "cmdb:CI12", "sw1", "Gi0/1", "shop", RESOLVE_ALIAS);
	expect_event(&b, "nobody", "10.0.0.5", NULL, "db-1", RESOLVE_HOST);
	expect_event(&b, NULL, "shop-1", NULL, "shop", RESOLVE_HOST);
	expect_event(&b, "shop-1", NULL, NULL, NULL, RESOLVE_NONE); /* a service is no host */
	expect_event(&b, NULL, NULL, NULL, NULL, RESOLVE_NONE);
	built_free(&b);
}

static void ports(void **state)
{
	(void)state;
	struct built b = build(services);
	expect_event(&b, NULL, "sw1", "Gi0/1", "link", RESOLVE_PORT);
	expect_event(&b, NULL, "10.2.0.1", "Gi0/1", "link", RESOLVE_PORT); /* any name of that host */
	expect_event(&b, NULL, "sw1-mgmt:161", "Gi0/1", "link", RESOLVE_PORT);
	expect_event(&b, NULL, "sw1.dc.net", "Gi0/1", "link", RESOLVE_PORT);
	expect_event(&b, NULL, "sw2.dc.net", "48", "link", RESOLVE_PORT);
	expect_event(&b, NULL, "sw2", "48", "link", RESOLVE_PORT);
	expect_event(&b, NULL, "sw1", "sda", "disk", RESOLVE_PORT);
	expect_event(&b, NULL, "outside", "sda", "disk", RESOLVE_PORT); /* a host the map has only there */
	expect_event(&b, NULL, "sw1", "Gi0/2", NULL, RESOLVE_NONE);     /* never about the switch */
	expect_event(&b, NULL, "sw1", "gi0/1", NULL, RESOLVE_NONE);     /* ports have case */
	expect_event(&b, NULL, "sw2", "Gi0/1", NULL, RESOLVE_NONE);
	expect_event(&b, NULL, NULL, "Gi0/1", NULL, RESOLVE_NONE);
	expect_event(&b, NULL, "farm-1", "eth0", "nic1", RESOLVE_PORT);
	expect_event(&b, NULL, "farm-2", "eth0", "nic2", RESOLVE_PORT);
	expect_event(&b, NULL, "farm", "eth0", NULL, RESOLVE_NONE); /* whose eth0? */
	expect_event(&b, NULL, "farm-77", "eth0", NULL, RESOLVE_NONE);
	expect_event(&b, "sw1", "sw1", "Gi0/2", "sw1", RESOLVE_ID); /* the service field comes first */
	built_free(&b);
}

static void peers(void **state)
{
	(void)state;
	struct built b = build(services);
	enum resolve_step how;
	expect_id(&b, resolve_peer(b.map, SLICE("db-1"), &how), "db-1");
	assert_int_equal(how, RESOLVE_ID);
	expect_id(&b, resolve_peer(b.map, SLICE("CMDB:CI12"), &how), "shop");
	assert_int_equal(how, RESOLVE_ALIAS);
	expect_id(&b, resolve_peer(b.map, SLICE("10.0.0.5:5432"), &how), "db-1");
	assert_int_equal(how, RESOLVE_HOST);
	expect_id(&b, resolve_peer(b.map, SLICE("nobody"), &how), NULL);
	assert_int_equal(how, RESOLVE_NONE);
	built_free(&b);
}

static void hosts_file(void **state)
{
	(void)state;
	struct built b = {0};
	built_yaml(&b, "m.yaml",
	           "version: 1\nservices:\n  a: {hosts: [alpha]}\n  b: {hosts: [10.0.0.2]}\n  c: {hosts: "
	           "[gamma, 10.0.0.3]}\n");
	map_draft_hosts_file(b.draft, SLICE("127.0.0.1 localhost alpha\n"
	                                    "10.0.0.1\tALPHA.example.net  alpha alias1 # comment\n"
	                                    "10.0.0.2 beta\n"
	                                    "# 10.0.0.9 alpha\n"
	                                    "10.0.0.3 alpha\n" /* both known to the map: nothing changes */
	                                    "junk alpha\n10.0.0.8\n\n10.0.0.4 nobody"));
	built_compile(&b);
	expect_host(&b, "10.0.0.1", "a", RESOLVE_ADDRESS);
	expect_host(&b, "alias1", "a", RESOLVE_HOST);
	expect_host(&b, "alpha.example.net", "a", RESOLVE_HOST);
	expect_host(&b, "beta", "b", RESOLVE_HOST);
	expect_host(&b, "10.0.0.3", "c", RESOLVE_HOST);
	expect_host(&b, "alpha", "a", RESOLVE_HOST);
	expect_host(&b, "127.0.0.1", NULL, RESOLVE_NONE);
	expect_host(&b, "localhost", NULL, RESOLVE_NONE);
	expect_host(&b, "10.0.0.9", NULL, RESOLVE_NONE);
	expect_host(&b, "10.0.0.4", NULL, RESOLVE_NONE);
	built_free(&b);
}

static void hostile_names(void **state)
{
	(void)state;
	struct built b = build("  a: {hosts: [\"*a*a*a*a*a*a*a*a*b\"]}\n");
	char *long_name = malloc(1 << 20);
	memset(long_name, 'a', 1 << 20);
	enum resolve_step how;
	expect_id(&b, resolve_host(b.map, slice_of(long_name, 1 << 20), &how), NULL);
	expect_id(&b, resolve_host(b.map, slice_of(long_name, 1024), &how), NULL);
	expect_id(&b, resolve_peer(b.map, slice_of(long_name, 1 << 20), &how), NULL);
	long_name[1023] = 'b';
	expect_id(&b, resolve_host(b.map, slice_of(long_name, 1024), &how), "a");
	expect_id(&b, resolve_host(b.map, SLICE("\0\0"), &how), NULL);
	free(long_name);
	built_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(host_steps),
	    cmocka_unit_test(shared_short_names),
	    cmocka_unit_test(longest_literal_wins),
	    cmocka_unit_test(events),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(peers),
	    cmocka_unit_test(hosts_file),
	    cmocka_unit_test(hostile_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
