/* What a loaded rule set holds: numbers, shared atoms, defaults, hashes, lists, packs (language.md sections
 * 2-8, 11). */
#include <stdio.h>
#include <string.h>

#include "base/hmap.h"
#include "load_help.h"
#include "rules/index.h"

static struct loaded good(const char *text)
{
	struct loaded l = load_text(text);
	if (l.rs == NULL) {
		print_findings(&l);
		fail();
	}
	return l;
}

static const struct rule *rule_of(const struct loaded *l, const char *id)
{
	const struct rule *r = rule_set_find(l->rs, slice_str(id));
	assert_non_null(r);
	return r;
}

static const struct cond *match_of(const struct loaded *l, const char *id)
{
	size_t n;
	const struct predicate *p = rule_set_predicates(l->rs, &n);
	assert_true(rule_of(l, id)->match < n);
	return p[rule_of(l, id)->match].cond;
}

static bool is(struct slice s, const char *text)
{
	return s.p != NULL && slice_is(s, text);
}

static void test_defaults(void **state)
{
	(void)state;
	struct loaded l = good("version: 1\nowner: noc\nrules:\n  a:\n    summary: Host ${host} is bad\n    "
	                       "match: {app: kernel}\n");
	const struct rule *r = rule_of(&l, "x/a");
	assert_true(is(r->package, "x") && is(r->name, "a") && is(r->owner, "noc"));
	assert_null(r->runbook.p);
	assert_int_equal(r->n_by, 1);
	assert_int_equal(r->by[0].core, FIELD_HOST);
	assert_int_equal(r->mode, MODE_LIVE);
	assert_int_equal(r->effect, EFFECT_DEGRADED);
	assert_int_equal(r->nature, NATURE_NONE);
	assert_int_equal(r->at_least, 0);
	assert_int_equal(r->clear_match, PREDICATE_NONE);
	assert_true(r->quiet < 0 && r->stateless && !r->match_mentions_state && !r->sees_alerts &&
	            !r->can_suppress);
	assert_false(r->severity_fixed);
	assert_null(r->severity_field.p);
	assert_true(r->service == NULL && r->peer == NULL && r->description == NULL);
	assert_true(!r->incident.none && r->incident.group == GROUP_TOPOLOGY &&
	            r->incident.wait == WAIT_AUTO);
	assert_true(r->incident.priority == 0 && r->incident.reopen_within < 0 &&
	            r->incident.resolve_after == WAIT_AUTO);
	assert_null(r->incident.ticket.p);
	assert_int_equal(r->mark.line, 4);
	assert_true(r->hash != 0);
	loaded_free(&l);
}

static void test_every_key(void **state)
{
	(void)state;
	struct loaded l = good(
	    "version: 1\npackage: net\nparams: {tries: 7, wait: 5m, sev: major}\nrules:\n"
	    "  a:\n    summary: Host ${host} is bad\n    description: ${message} ${rule.id} ${service.tier}\n"
	    "    owner: me\n    runbook: https://x.example/a\n    tags: [one, two]\n    nature: own-cause\n  "
	    "  mode: trial\n"
	    "    match: {app: kernel, state: problem}\n    by: [host, x.part]\n    when: {at_least: $tries, "
	    "within: $wait}\n"
	    "    open_after: 20s\n    clear: {match: {app: ok}, quiet: 1h, fewer_than: 2, within: 10m}\n"
	    "    severity: $sev\n    effect: down\n    service: ${app}\n    peer: ${x.other}\n"
	    "    suppressed_by: [{rule: b, same: [host, service]}, {match: {alert.severity: critical}}]\n"
	    "    incident: {group: [host, check], wait: 30s, title: \"T ${incident.alerts}\", priority: P2, "
	    "assign: \"${service.assign}\",\n"
	    "      ticket: none, fields: {cf: \"${host}\"}, reopen_within: 4h, resolve: comment, "
	    "resolve_after: 5m}\n"
	    "  b: {summary: On host, match: {app: b}, by: [host], severity: \"${x.sev}\", incident: "
	    "false}\n");
	const struct rule *r = rule_of(&l, "net/a"), *b = rule_of(&l, "net/b");
	assert_int_equal(r->at_least, 7);
	assert_int_equal(r->within, 5 * MINUTE);
	assert_int_equal(r->open_after, 20 * SECOND);
	assert_int_equal(r->quiet, HOUR);
	assert_int_equal(r->clear_fewer_than, 2);
	assert_int_equal(r->clear_within, 10 * MINUTE);
	assert_true(r->severity_fixed && r->severity == SEVERITY_MAJOR);
	assert_true(r->effect == EFFECT_DOWN && r->nature == NATURE_OWN_CAUSE && r->mode == MODE_TRIAL);
	assert_true(r->n_tags == 2 && is(r->tags[1], "two") && is(r->owner, "me") &&
	            is(r->runbook, "https://x.example/a"));
	assert_true(r->match_mentions_state && !r->stateless);
	assert_true(r->n_by == 2 && r->by[1].core == FIELD_NONE && is(r->by[1].name, "x.part"));
	assert_int_equal(r->n_suppressed_by, 2);
	assert_true(r->suppressed_by[0].n_rules == 1 && r->suppressed_by[0].rules[0] == b->number);
	assert_true(r->suppressed_by[0].n_same == 2 && is(r->suppressed_by[0].same[1], "service"));
	assert_true(r->suppressed_by[1].cond != NULL && r->suppressed_by[1].n_rules == 0);
	assert_true(b->can_suppress && b->incident.none && is(b->severity_field, "x.sev"));
	const struct rule_incident *i = &r->incident;
	assert_true(i->group == GROUP_FIELDS && i->n_fields == 2 && is(i->fields[1], "check") &&
	            i->wait == 30 * SECOND);
	assert_true(i->title != NULL && i->assign != NULL && i->priority == 2 && is(i->ticket, "none") &&
	            i->n_extra == 1);
	assert_true(i->reopen_within == 4 * HOUR && i->resolve == RESOLVE_COMMENT &&
	            i->resolve_after == 5 * MINUTE);
	size_t n;
	const struct predicate *p = rule_set_predicates(l.rs, &n);
	assert_int_equal(n, 3);
	for (size_t k = 0; k < n; k++)
		assert_int_equal(p[k].number, k);
	assert_true(p[r->clear_match].role == PREDICATE_CLEAR && p[r->clear_match].rule == r->number);
	const struct slice *paths = rule_set_service_paths(l.rs, &n);
	assert_int_equal(n, 2);
	assert_true((is(paths[0], "tier") && is(paths[1], "assign")) ||
	            (is(paths[1], "tier") && is(paths[0], "assign")));
	loaded_free(&l);
}

static void test_conditions(void **state)
{
	(void)state;
	struct loaded l =
	    good("version: 1\nlists: {core: [SW1, sw2], f: {file: addresses.txt}}\nmacros: {m: {app: "
	         "kernel}}\nfields: {load: number}\nrules:\n"
	         "  a: {summary: One two, match: {macro: m, host: {list: core}, any: [{load: {ge: 5}}, {not: "
	         "{message: {contains: x}}}]}}\n"
	         "  b: {summary: One two, match: {app: [kernel], host: [WEB1, web2], load: 7, sender: {cidr: "
	         "[10.0.0.0/8, '2001:db8::/32']}}}\n"
	         "  c: {summary: One two, match: {check: {list: [core, f]}, host: {not: {list: f}}}}\n");
	const struct cond *a = match_of(&l, "x/a"), *b = match_of(&l, "x/b"), *c = match_of(&l, "x/c");
	assert_true(a->kind == COND_ALL && a->n == 3 && a->kids[2]->kind == COND_ANY &&
	            a->kids[2]->kids[1]->kind == COND_NOT);
	/* equal atoms of all rules are one */
	assert_ptr_equal(a->kids[0]->atom, b->kids[0]->atom);
	assert_string_equal(a->kids[0]->text, "app = kernel");
	assert_true(is(b->kids[1]->atom->texts[0], "web1"));
	assert_true(b->kids[2]->atom->numeric && a->kids[2]->kids[0]->atom->bound == 5.0);
	assert_int_equal(b->kids[3]->atom->nets[0].bits, 104);
	assert_int_equal(b->kids[3]->atom->nets[1].bits, 32);
	size_t n;
	const struct value_list *lists = rule_set_lists(l.rs, &n);
	const struct value_list *host = &lists[a->kids[1]->atom->lists[0]],
	                        *check = &lists[c->kids[0]->atom->lists[0]];
	assert_true(is(host->values[0], "sw1") && is(check->values[0], "SW1") && is(host->name, "x/core"));
	assert_non_null(hmap_get(host->set, SLICE("sw1")));
	const struct value_list *file = &lists[c->kids[0]->atom->lists[1]];
	assert_int_equal(file->n, 3);
	assert_true(is(file->values[1], "10.0.0.2") && is(file->values[2], "WEB#1"));
	const struct atom *const *atoms = rule_set_atoms(l.rs, &n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(atoms[i]->number, i);
	assert_non_null(rule_set_index(l.rs));
	assert_non_null(rule_set_decoder_index(l.rs));
	loaded_free(&l);
}

static uint64_t hash_of(const char *keys)
{
	char text[1024];
	snprintf(text, sizeof text,
	         "version: 1\nparams: {n: 3}\nlists: {l: [a]}\nmacros: {m: {app: kernel}}\nrules:\n"
	         "  z: {summary: One two, match: {app: other}}\n  a: {summary: One two, %s}\n",
	         keys);
	struct loaded l = good(text);
	uint64_t h = rule_of(&l, "x/a")->hash;
	loaded_free(&l);
	return h;
}

static void test_hash(void **state)
{
	(void)state;
	uint64_t h = hash_of("match: {app: kernel, host: [a, b]}, when: {at_least: 3, within: 1m}");
	assert_true(
	    h == hash_of("when: {within: 60s, at_least: $n}, match: {host: [b, a, B], macro: m}, owner: x"));
	assert_true(h != hash_of("match: {app: kernel, host: [a, c]}, when: {at_least: 3, within: 1m}"));
	assert_true(h != hash_of("match: {app: kernel, host: [a, b]}, when: {at_least: 4, within: 1m}"));
	assert_true(h != hash_of("match: {app: kernel, host: [a, b]}, when: {at_least: 3, within: 2m}"));
	assert_true(
	    h != hash_of("match: {app: kernel, host: [a, b]}, when: {at_least: 3, within: 1m}, by: [app]"));
	assert_true(
	    h != hash_of("match: {any: [{app: kernel}, {host: [a, b]}]}, when: {at_least: 3, within: 1m}"));
	assert_true(hash_of("match: {sender: {cidr: 10.0.0.0/8}}") !=
	            hash_of("match: {sender: {cidr: 10.0.0.0/9}}"));
	/* fixed for good: windows survive an update of the daemon */
	assert_true(hash_of("match: {app: kernel}") == hash_of("match: {macro: m}"));
}

static void test_decoders(void **state)
{
	(void)state;
	struct rules_file files[] = {
	    {.name = "/etc/a.yaml",
	     .text = SLICE("version: 1\ndecoders:\n  - {id: late, match: {kind: up}, set: {host: ABC, x.n: "
	                   "\"${kind}\"}}\n")},
	    {.name = "/usr/z.yaml",
	     .pack = true,
	     .text = SLICE("version: 1\ndecoders:\n  - id: first\n    match: {app: d}\n    extract: "
	                   "{message: [\"k=${kind} n=${count:int}\", \"${kind}\"]}\n"
	                   "    set: {state: {from: kind, map: {UP: clear, down: problem}, default: info}}\n "
	                   " - {id: noise, match: {app: cron}, drop: true}\n")}};
	struct loaded l = load_files(files, 2, NULL);
	if (l.rs == NULL)
		print_findings(&l);
	assert_non_null(l.rs);
	size_t n;
	const struct rule_decoder *d = rule_set_decoders(l.rs, &n);
	assert_int_equal(n, 3);
	assert_true(is(d[0].id, "z/first") && is(d[1].id, "z/noise") && is(d[2].id, "a/late"));
	assert_true(d[0].feeds && !d[1].feeds && !d[2].feeds && d[1].drop);
	assert_true(d[0].n_extract == 1 && d[0].extract[0].n == 2 &&
	            d[0].extract[0].field.core == FIELD_MESSAGE);
	assert_true(is(d[0].extract[0].captures[0][1].name, "count") &&
	            d[0].extract[0].captures[0][1].type == VALUE_NUMBER);
	assert_int_equal(d[0].extract[0].captures[0][0].slot, d[0].extract[0].captures[1][0].slot);
	const struct decoder_set *s = &d[0].set[0];
	assert_true(s->field.core == FIELD_STATE && is(s->from, "kind") && s->n_map == 2 &&
	            is(s->keys[0], "UP") && is(s->fallback, "info"));
	loaded_free(&l);
}

static void test_packs(void **state)
{
	(void)state;
	char *keys[] = {(char[]){"n"}}, *values[] = {(char[]){"9"}}, *lists[] = {(char[]){"l"}},
	     *off[] = {(char[]){"b"}};
	char *more[] = {(char[]){"extra"}}, **list_values[] = {more}, *trial[] = {(char[]){"a"}},
	     *none[] = {(char[]){"nix"}};
	size_t n_more[] = {1};
	struct pack_config pack = {.name = (char[]){"x"},
	                           .param_keys = keys,
	                           .param_values = values,
	                           .n_params = 1,
	                           .list_keys = lists,
	                           .list_values = list_values,
	                           .n_list_values = n_more,
	                           .n_lists = 1,
	                           .off = off,
	                           .n_off = 1,
	                           .trial = trial,
	                           .n_trial = 1,
	                           .mark = {3, 3, 1}};
	struct ticket_config ticket = {.name = (char[]){"rt"}};
	struct config config = {
	    .packs = &pack, .n_packs = 1, .tickets = &ticket, .n_tickets = 1, .defaults.wait = 7 * SECOND};
	struct rules_file file = {
	    .name = "x.yaml",
	    .text = SLICE("version: 1\nparams: {n: 3}\nlists: {l: [a]}\nrules:\n"
	                  "  a: {summary: One two, match: {check: {list: l}}, when: {at_least: $n, within: "
	                  "1m}, incident: {ticket: rt}}\n"
	                  "  b: {summary: One two, match: {app: b}}\n"
	                  "tests: [{name: t, events: [], expect: [{at: 0s, alerts: [{rule: b}]}]}]\n")};
	struct loaded l = load_files(&file, 1, &config);
	assert_non_null(l.rs); /* also: a test of a rule that is off here is no fault */
	size_t n;
	assert_int_equal(rule_of(&l, "x/a")->at_least, 9);
	assert_int_equal(rule_of(&l, "x/a")->mode, MODE_TRIAL);
	assert_true(rule_of(&l, "x/a")->incident.wait == 7 * SECOND);
	assert_int_equal(rule_of(&l, "x/b")->mode, MODE_OFF);
	assert_int_equal(rule_of(&l, "x/b")->match, PREDICATE_NONE);
	assert_int_equal(rule_set_lists(l.rs, &n)[0].n, 2);
	const struct rule_test *t = rule_set_tests(l.rs, &n);
	assert_true(n == 1 && t[0].n_rules == 1 && t[0].rules[0] == rule_of(&l, "x/a")->number &&
	            t[0].node != NULL);
	loaded_free(&l);
	/* names that do not exist are errors, in the configuration's place */
	pack.off = none;
	l = load_files(&file, 1, &config);
	assert_null(l.rs);
	assert_finding(&l, "E025", 3, 3, "there is no rule 'nix' in package 'x'");
	assert_string_equal(l.f.v[0].file, "carillon.yaml");
	loaded_free(&l);
	pack.name = (char[]){"y"};
	ticket.name = (char[]){"znuny"};
	l = load_files(&file, 1, &config);
	assert_finding(&l, "E025", 3, 3, "there is no package 'y'");
	assert_finding(&l, "E063", 5, 105, "there is no ticket connection 'rt' in carillon.yaml");
	loaded_free(&l);
}

static void test_package_of_files(void **state)
{
	(void)state;
	struct rules_file files[] = {
	    {.name = "d/01-net.yaml",
	     .text = SLICE(
	         "version: 1\nmacros: {m: {app: a}}\nrules: {a: {summary: One two, match: {app: a}}}\n")},
	    {.name = "d/more.yaml",
	     .text = SLICE("version: 1\npackage: net\nrules: {b: {summary: One two, match: {macro: m}}}\n")},
	    {.name = "d/net.test.yaml",
	     .text = SLICE(
	         "version: 1\ntests: [{name: t, rules: [b], events: [], expect: [{at: 0s, alerts: []}]}]\n")},
	    {.name = "d/other.yaml",
	     .text = SLICE(
	         "version: 1\nrules: {c: {summary: One two, match: {macro: net/m, alert.rule: net/a}}}\n")}};
	struct loaded l = load_files(files, 4, NULL);
	if (l.rs == NULL)
		print_findings(&l);
	assert_non_null(l.rs);
	assert_non_null(rule_set_find(l.rs, SLICE("net/b")));
	assert_true(rule_of(&l, "other/c")->sees_alerts);
	assert_true(l.counts.files == 4 && l.counts.rules == 3 && l.counts.tests == 1);
	loaded_free(&l);
	files[2].text = SLICE("version: 1\nrules: {}\n");
	files[1].text = SLICE("version: 1\npackage: net\nrules: {a: {summary: One two, match: {app: a}}}\n");
	l = load_files(files, 4, NULL);
	assert_finding(&l, "E004", 2, 1, "unknown key 'rules' in the file");
	assert_finding(&l, "E002", 3, 9, "duplicate rule 'net/a'; first at d/01-net.yaml:3:9");
	loaded_free(&l);
}

static void test_chain_and_tests(void **state)
{
	(void)state;
	struct loaded l =
	    good("version: 1\nrules:\n  a: {summary: One two, match: {alert.rule: b, alert.state: open}}\n  "
	         "b: {summary: One two, match: {app: b}, by: [host, check]}\n"
	         "  c: {summary: One two, match: {check: c}, by: [host, check]}\n"
	         "tests:\n  - {name: t, rules: [a], events: [{at: 0s, event: {app: b, check: \"${i}\"}, "
	         "repeat: 3, every: 1s}],\n"
	         "     expect: [{at: 1m, alerts: [{rule: x/a, by: {host: h}, suppressed: null}], decoded: "
	         "[{app: b}]}]}\n");
	size_t n;
	const struct rule_test *t = rule_set_tests(l.rs, &n);
	assert_int_equal(n, 1);
	assert_int_equal(t[0].n_rules, 2); /* a and what it chains to */
	assert_true(t[0].rules[0] == rule_of(&l, "x/a")->number &&
	            t[0].rules[1] == rule_of(&l, "x/b")->number);
	/* the bare id in alert.rule means the own package */
	const struct cond *a = match_of(&l, "x/a");
	assert_true(is(a->kids[0]->atom->texts[0], "x/b"));
	loaded_free(&l);
}

/* A few lines of macros must not stand for millions of tests, in whichever order they are written. */
static void test_macro_limits(void **state)
{
	(void)state;
	struct buf b = {0};
	for (int order = 0; order < 2; order++) {
		buf_clear(&b);
		buf_str(&b, "version: 1\nmacros:\n");
		for (int i = 0; i < 60; i++)
			buf_printf(&b, "  m%d: {not: {macro: m%d}}\n", order == 0 ? i : 59 - i,
			           order == 0 ? i + 1 : 60 - i);
		buf_str(&b, "  m60: {app: a}\n");
		struct loaded l = load_text(buf_cstr(&b));
		assert_null(l.rs);
		assert_true(count_code(&l, "E009") >= 1);
		loaded_free(&l);
	}
	buf_clear(&b);
	buf_str(&b, "version: 1\nmacros:\n  m0: {app: a}\n");
	for (int i = 1; i < 30; i++)
		buf_printf(&b, "  m%d: {macro: [m%d, m%d]}\n", i, i - 1, i - 1);
	struct loaded l = load_text(buf_cstr(&b));
	assert_null(l.rs);
	assert_finding(&l, "E009", 14, 22, "more than 2000 tests");
	loaded_free(&l);
	buf_free(&b);
}

static void test_sizes(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_str(&b, "version: 1\nowner: ");
	for (int i = 0; i < (1 << 20); i++)
		buf_char(&b, 'x');
	struct loaded l = load_text(buf_cstr(&b));
	assert_null(l.rs);
	assert_finding(&l, "E009", 0, 0, "larger than 1 MiB");
	loaded_free(&l);
	buf_clear(&b);
	buf_str(&b, "version: 1\nrules: ");
	for (int i = 0; i < 40; i++)
		buf_char(&b, '[');
	l = load_text(buf_cstr(&b));
	assert_null(l.rs);
	assert_int_equal(count_code(&l, "E009"), 1);
	loaded_free(&l);
	buf_free(&b);
	l = load_text("");
	assert_null(l.rs);
	assert_finding(&l, "E005", 1, 1, "needs 'version'");
	loaded_free(&l);
	l = load_files(NULL, 0, NULL); /* no file at all is an empty rule set */
	assert_non_null(l.rs);
	loaded_free(&l);
}

static void test_off_rule(void **state)
{
	(void)state;
	struct loaded l =
	    load_text("version: 1\nrules:\n  a: {summary: One two, match: {app: a}, mode: off}\n"
	              "tests: [{name: t, events: [], expect: [{at: 0s, alerts: [{rule: a}]}]}]\n");
	assert_null(l.rs);
	assert_finding(&l, "E090", 4, 65, "test names rule 'a', which does not exist or is off");
	loaded_free(&l);
}

static void test_summary(void **state)
{
	(void)state;
	struct findings f = {.errors = 1, .warnings = 2};
	struct rules_counts c = {1, 11, 9};
	struct buf b = {0};
	rules_summary(&c, &f, &b);
	assert_string_equal(buf_cstr(&b), "1 file, 11 rules, 9 tests: 1 error, 2 warnings");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),         cmocka_unit_test(test_every_key),
	    cmocka_unit_test(test_conditions),       cmocka_unit_test(test_hash),
	    cmocka_unit_test(test_decoders),         cmocka_unit_test(test_packs),
	    cmocka_unit_test(test_macro_limits),     cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_off_rule),         cmocka_unit_test(test_summary),
	    cmocka_unit_test(test_package_of_files), cmocka_unit_test(test_chain_and_tests)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
