/* From rule files and a map to hits: loader, decoders, service resolution and matching together. */
#include "load_help.h"

#include <stdio.h>
#include <string.h>

#include "model/service_map.h"
#include "rules/matcher.h"

static const char rules_text[] =
    "version: 1\n"
    "package: net\n"
    "lists: {noisy: [SW9, sw8]}\n"
    "macros:\n"
    "  link: {check: link}\n"
    "decoders:\n"
    "  - id: link\n"
    "    match: {message: {contains: ' changed state to '}}\n"
    "    extract:\n"
    "      message:\n"
    "        - 'Interface ${port}, changed state to ${x.how}'\n"
    "        - '${:word} ${port}: changed state to ${x.how}'\n"
    "    set:\n"
    "      check: link\n"
    "      host: '${host}.EXAMPLE.net'\n"
    "      state: {from: x.how, map: {up: clear, down: problem}, default: info}\n"
    "  - id: admin\n"
    "    match: {x.how: administratively}\n"
    "    drop: true\n"
    "rules:\n"
    "  down:\n"
    "    summary: 'port ${port}'\n"
    "    match: {macro: link, service.tier: {le: 2}, not: {host: {list: noisy}}}\n"
    "  fan:\n"
    "    summary: fan\n"
    "    match: {message: {regex: '(?i)\\bfan (tray )?\\d+ (failed|stopped)\\b'}, app: [envmon, fand]}\n"
    "    clear: {match: {message: {starts: 'Fan ', ends: [OK, ok]}}}\n"
    "  sender:\n"
    "    summary: sender\n"
    "    match: {any: [{sender: {cidr: [10.1.0.0/16, 'fe80::/10']}}, {x.load: {ge: 90.5}}]}\n";

static const char map_text[] =
    "version: 1\n"
    "services:\n"
    "  shop: {tier: 1, owner: team-shop, needs: [sw1], hosts: [shop-1]}\n"
    "  sw1: {kind: switch, tier: 2, hosts: [sw1.example.net], aliases: ['cmdb:7']}\n";

struct run {
	struct loaded l;
	struct matcher *m;
	struct service_map *map;
	struct buf map_bytes;
	struct arena *a;
	struct fields f;
};

static struct run run_new(void)
{
	struct run r = {.l = load_text(rules_text), .a = arena_new(0)};
	if (r.l.rs == NULL)
		print_findings(&r.l);
	assert_non_null(r.l.rs);
	r.m = matcher_new(r.l.rs);
	struct findings found = {0};
	struct error err;
	struct doc *d = doc_parse("map.yaml", slice_str(map_text), DOC_LIMITS, &found);
	struct map_draft *draft = map_draft_new();
	assert_non_null(d);
	map_draft_yaml(draft, d, &found);
	assert_int_equal(map_compile(draft, 100, &found, &r.map_bytes), 0);
	r.map = service_map_open(buf_slice(&r.map_bytes), &err);
	assert_non_null(r.map);
	map_draft_free(draft);
	doc_free(d);
	findings_clear(&found);
	fields_init(&r.f, r.a);
	return r;
}

static void run_free(struct run *r)
{
	fields_free(&r->f);
	matcher_free(r->m);
	loaded_free(&r->l);
	service_map_close(r->map);
	buf_free(&r->map_bytes);
	arena_free(r->a);
}

/* An event from "name=value|name=value". */
static void event(struct run *r, const char *text)
{
	struct slice rest = slice_str(text), item, name;
	fields_reset(&r->f);
	while (slice_split(&rest, '|', &item)) {
		assert_true(slice_split(&item, '=', &name));
		assert_true(fields_set_named(&r->f, name, item, VALUE_TEXT));
	}
}

static void is_value(const struct run *r, const char *field, const char *want)
{
	struct slice v = value_slice(fields_get_name(&r->f, slice_str(field)));
	if (!slice_is(v, want))
		print_error("%s: '" SLICE_FMT "' instead of '%s'\n", field, SLICE_ARG(v), want);
	assert_true(slice_is(v, want));
}

/* The names of the rules that fit, a clear with '-' before it. */
static void fits(struct run *r, const char *want)
{
	const uint32_t *hits;
	size_t n = matcher_match(r->m, &r->f, &hits), count;
	const struct predicate *p = rule_set_predicates(r->l.rs, &count);
	const struct rule *rules = rule_set_rules(r->l.rs, &count);
	struct buf got = {0};
	for (size_t i = 0; i < n; i++)
		buf_printf(&got, "%s%s" SLICE_FMT, i > 0 ? " " : "",
		           p[hits[i]].role == PREDICATE_CLEAR ? "-" : "",
		           SLICE_ARG(rules[p[hits[i]].rule].name));
	if (strcmp(buf_cstr(&got), want) != 0)
		print_error("'%s' instead of '%s'\n", buf_cstr(&got), want);
	assert_string_equal(buf_cstr(&got), want);
	buf_free(&got);
}

static void test_link(void **state)
{
	(void)state;
	struct run r = run_new();
	event(&r, "host=sw1|message=Interface Gi0/7, changed state to down");
	assert_true(matcher_decode(r.m, &r.f));
	is_value(&r, "port", "Gi0/7");
	is_value(&r, "host", "sw1.example.net");
	is_value(&r, "state", "problem");
	/* the map has no such port: the event is about no service, so no tier either */
	assert_int_equal(matcher_resolve(r.m, r.map, &r.f), SERVICE_NONE);
	is_value(&r, "service.tier", "");
	fits(&r, "");
	fields_set(&r.f, FIELD_PORT, SLICE_NONE);
	assert_int_equal(matcher_resolve(r.m, r.map, &r.f), service_find(r.map, SLICE("sw1")));
	is_value(&r, "service", "sw1");
	is_value(&r, "service.tier", "2");
	fits(&r, "down");
	event(&r, "host=sw1|service=cmdb:7|peer=shop-1|check=link");
	assert_int_equal(matcher_resolve(r.m, r.map, &r.f), service_find(r.map, SLICE("sw1")));
	is_value(&r, "service", "sw1");
	is_value(&r, "peer", "shop");
	fits(&r, "down");
	event(&r, "host=sw9|service=cmdb:7|check=link");
	matcher_resolve(r.m, r.map, &r.f);
	fits(&r, "");
	run_free(&r);
}

static void test_drop(void **state)
{
	(void)state;
	struct run r = run_new();
	event(&r, "host=sw1|message=Port Gi0/7: changed state to administratively");
	assert_false(matcher_decode(r.m, &r.f));
	is_value(&r, "state", "info");
	assert_int_equal(matcher_dropped(r.m), 1);
	event(&r, "host=sw1|message=it changed state to some other");
	assert_true(matcher_decode(r.m, &r.f));
	assert_int_equal(matcher_decoder_misses(r.m, 0), 1);
	run_free(&r);
}

static void test_operators(void **state)
{
	(void)state;
	struct run r = run_new();
	event(&r, "app=fand|message=the FAN tray 3 stopped");
	fits(&r, "fan");
	event(&r, "app=fand|message=the FAN tray 3 stoppedX");
	fits(&r, "");
	event(&r, "app=sshd|message=fan 3 failed");
	fits(&r, "");
	event(&r, "message=Fan 3 is ok");
	fits(&r, "-fan");
	event(&r, "sender=10.1.3.4");
	fits(&r, "sender");
	event(&r, "sender=::ffff:10.1.3.4");
	fits(&r, "sender");
	event(&r, "sender=10.2.3.4|x.load=90.50");
	fits(&r, "sender");
	event(&r, "sender=10.2.3.4|x.load=9e1");
	fits(&r, "");
	run_free(&r);
}

static void test_explain(void **state)
{
	(void)state;
	struct run r = run_new();
	struct buf out = {0};
	struct jw w = jw_new(&out);
	event(&r, "app=fand|message=fan 3 failed");
	jw_object(&w);
	assert_true(matcher_explain(r.m, r.map, &r.f, SLICE("net/fan"), &w));
	jw_end(&w);
	struct error err;
	const struct json *j = json_parse(r.a, buf_slice(&out), JSON_LIMITS, NULL, &err);
	assert_non_null(j);
	assert_true(slice_is(json_text(json_path(j, SLICE("rules[0].rule"))), "net/fan"));
	assert_true(slice_is(json_text(json_path(j, SLICE("rules[0].verdict"))), "true"));
	assert_true(
	    slice_is(json_text(json_path(j, SLICE("rules[0].conditions[0].value"))), "fan 3 failed") ||
	    slice_is(json_text(json_path(j, SLICE("rules[0].conditions[1].value"))), "fan 3 failed"));
	assert_true(slice_is(json_text(json_path(j, SLICE("fields.app"))), "fand"));
	buf_free(&out);
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_link),
	    cmocka_unit_test(test_drop),
	    cmocka_unit_test(test_operators),
	    cmocka_unit_test(test_explain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
