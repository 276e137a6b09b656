/* Verbs that need no daemon: rules, map and configuration from files. */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const char good[] =
    "version: 1\npackage: ssh\nowner: me\nrules:\n"
    "  down:\n    summary: sshd down on ${host}\n    runbook: https://x.example/y\n    effect: down\n"
    "    match: {app: sshd, message: {contains: gone}}\n"
    "tests:\n"
    "  - name: it opens\n"
    "    events: [{at: 1s, syslog: '<11>Jan  5 00:00:00 web1 sshd: gone'}]\n"
    "    expect: [{at: 2s, alerts: [{rule: down, by: {host: web1}, severity: major}]}]\n"
    "  - name: it stays silent\n"
    "    events: [{at: 1s, syslog: '<11>Jan  5 00:00:00 web1 sshd: here'}]\n"
    "    expect: [{at: 2s, alerts: []}]\n";
static const char wrong_test[] = "version: 1\npackage: ssh\ntests:\n"
                                 "  - name: it counts two\n"
                                 "    events: [{at: 1s, event: {host: a, app: sshd, message: gone}}]\n"
                                 "    expect: [{at: 2s, alerts: [{rule: down, count: 2}]}]\n";
static const char future[] = "version: 1\npackage: f\nrules:\n  r:\n    summary: some text\n    match: {app: "
                             "x}\ntables:\n  t: {rediss: p, key: k}\n";
static const char user[] =
    "version: 1\npackage: user\nrules:\n  r:\n    summary: some text\n    match: {macro: base/noise}\n";
static const char base[] = "version: 1\nmacros:\n  noise: {app: noise}\n";
static const char map[] =
    "version: 1\nservices:\n  shop: {tier: 1, assign: OPS, hosts: [web1, \"db-*\", 10.0.0.0/8], owner: x}\n";

struct files {
	char *dir, *good, *future, *user, *base, *map, *config, *broken;
};

static int make(void **state)
{
	struct files *f = xcalloc(1, sizeof *f);

	f->dir = t_dir();
	f->good = t_file(f->dir, "ssh.yaml", good);
	f->future = t_file(f->dir, "future.yaml", future);
	f->user = t_file(f->dir, "user.yaml", user);
	f->base = t_file(f->dir, "base.yaml", base);
	f->map = t_file(f->dir, "map.yaml", map);
	f->broken = t_file(f->dir, "broken.yaml", "version: 1\nstat: {}\n");
	char *text = xasprintf("version: 1\nrules: {path: [%s]}\nmap: {path: %s}\n", f->good, f->map);
	f->config = t_file(f->dir, "carillon.yaml", text);
	free(text);
	*state = f;
	return 0;
}

static int remove_all(void **state)
{
	struct files *f = *state;

	t_dir_remove(f->dir);
	free(f->good);
	free(f->future);
	free(f->user);
	free(f->base);
	free(f->map);
	free(f->config);
	free(f->broken);
	free(f);
	return 0;
}

static void expect(const char *fmt, const char *path, int rc, const char *out, const char *err)
{
	struct buf words = {0};
	struct outcome o;

	for (const char *p = fmt; *p != '\0'; p++)
		if (*p == '@')
			buf_str(&words, path);
		else
			buf_char(&words, *p == ' ' ? '\n' : *p);
	o = t_run(buf_cstr(&words), 0);
	if (o.rc != rc)
		fail_msg("%s: exit code %d instead of %d\n%s%s", fmt, o.rc, rc, o.out, o.err);
	if (out != NULL)
		t_has(o.out, out);
	if (err != NULL)
		t_has(o.err, err);
	outcome_free(&o);
	buf_free(&words);
}

static void check(void **state)
{
	const struct files *f = *state;

	expect("rules check @", f->good, CTL_DONE, "1 file, 1 rule, 2 tests: 0 errors", NULL);
	expect("rules check @ --strict", f->user, CTL_WARNINGS, "[W10", NULL);
	expect("rules check @", f->future, CTL_FOUND,
	       "future.yaml:8:3: error: table 't' needs 'file' or 'redis' [E005]", NULL);
	expect("rules check @ --json", f->future, CTL_FOUND, "{\"findings\":[{\"file\":", NULL);
	expect("rules check @ --format=json", f->good, CTL_DONE, "\"errors\":0", NULL);
	expect("rules check @.nowhere", f->good, CTL_FOUND, "cannot read", NULL);
	/* what it refers to in its folder comes along, and nothing else */
	expect("rules check @", f->user, CTL_DONE, "2 files, 1 rule", NULL);
	expect("rules list --rules @ --json", f->good, CTL_DONE,
	       "{\"rules\":[{\"id\":\"ssh/down\",\"mode\":\"live\"", NULL);
	expect("rules show down --rules @", f->good, CTL_DONE,
	       "    match: {app: sshd, message: {contains: gone}}\n", NULL);
	expect("rules show nothing --rules @", f->good, CTL_NO_SUCH, NULL, "there is no rule 'nothing'");
}

static void tests_run(void **state)
{
	const struct files *f = *state;
	char *beside, *junit = xasprintf("%s/report.xml", f->dir),
	              *words = xasprintf("rules test @ --junit %s", junit);
	char report[4096] = "";
	FILE *x;

	expect("rules test @", f->good, CTL_DONE, "2 tests, 0 failed, ", NULL);
	expect("rules test @ --run silent", f->good, CTL_DONE, "1 test, 0 failed, ", NULL);
	expect("rules test @ --run (", f->good, CTL_USAGE, NULL, "--run: ");
	expect("rules test @ --format=tap", f->good, CTL_DONE, "ok 2 - it stays silent\n1..2", NULL);
	expect("rules test @ --json", f->good, CTL_DONE, "\"run\":2,\"failed\":0,\"broken\":0}", NULL);
	expect("rules test @", f->base, CTL_DONE, "0 tests\n", NULL);
	expect("rules test @ --require-tests", f->base, CTL_FOUND, "0 tests\n", NULL);
	expect("rules test @", f->future, CTL_FOUND, "", "needs 'file' or 'redis'");
	beside = t_file(f->dir, "ssh.test.yaml", wrong_test);
	expect("rules test @", f->good, CTL_FOUND, "count: expected 2, got 1", NULL);
	expect(words, f->good, CTL_FOUND, "3 tests, 1 failed", NULL);
	x = fopen(junit, "re");
	assert_non_null(x);
	assert_true(fread(report, 1, sizeof report - 1, x) > 0);
	fclose(x);
	t_has(report, "tests=\"3\" failures=\"1\"");
	t_has(report, "<failure message=\"failed\">");
	remove(beside);
	free(beside);
	free(junit);
	free(words);
}

static void explain(void **state)
{
	const struct files *f = *state;
	char *line =
	    xasprintf("-c\n%s\nrules\nexplain\n--syslog\n<11>Jan  5 00:00:00 web1 sshd: gone", f->config);
	struct outcome o = t_run(line, 0);

	assert_int_equal(o.rc, 0);
	t_has(o.out, "service      shop (host: exact)");
	t_has(o.out, "✓ ssh/down                 opens: major, down, service shop {host=web1}");
	t_has(o.out, "incident     P1 ");
	t_has(o.out, "for OPS");
	outcome_free(&o);
	free(line);
	expect("-c @ rules explain down --event {\"host\":\"a\",\"app\":\"sshd\",\"message\":\"well\"}",
	       f->config, CTL_DONE, "✗ message contains gone, is well", NULL);
	expect("-c @ rules explain nothing --event {}", f->config, CTL_NO_SUCH, NULL, "there is no rule");
	expect("-c @ rules explain --event [", f->config, CTL_USAGE, NULL, "--event: ");
	expect("-c @ rules explain", f->config, CTL_USAGE, NULL, "give one event");
	expect("-c @ rules explain --event {\"host\":\"a\"} --json", f->config, CTL_DONE,
	       "\"alerts\":[],\"incidents\":[]}", NULL);
}

static void maps(void **state)
{
	const struct files *f = *state;

	expect("map check @", f->map, CTL_DONE, "1 services", NULL);
	expect("map check @", f->good, CTL_FOUND, "error: ", NULL);
	expect("map check @.nowhere", f->map, CTL_FOUND, "cannot read", NULL);
	expect("-c @ service find db-7.example.net:22", f->config, CTL_DONE,
	       "✓ host: pattern\nservice      shop", NULL);
	expect("-c @ service find 10.9.9.9 --json", f->config, CTL_DONE,
	       "{\"name\":\"10.9.9.9\",\"service\":\"shop\",\"how\":", NULL);
	expect("-c @ service find mars", f->config, CTL_NO_SUCH, NULL, "the map has no service for 'mars'");
}

static void configuration(void **state)
{
	const struct files *f = *state;

	expect("-c @ config show", f->config, CTL_DONE, f->map, NULL);
	expect("config show --defaults", NULL, CTL_DONE, "/run/carillon/admin.sock", NULL);
	expect("-c @ config show --json", f->config, CTL_DONE, "\"map.path\":", NULL);
	expect("-c @ config show", f->broken, CTL_FOUND, "", "did you mean 'state'?");
	expect("-c @ config check", f->broken, CTL_FOUND, "did you mean 'state'?", NULL);
	expect("-c @ config check", f->config, CTL_DONE, "1 rules: 0 errors", NULL);
	expect("-c @ status", f->broken, CTL_USAGE, NULL, "--socket PATH");
}

/* All sources travel to a role in one frame, which has an end. */
static void too_much(void **state)
{
	const struct files *f = *state;
	char *rules = t_file(f->dir, "big.yaml",
	                     "version: 1\npackage: big\nlists: {a: {file: a}, b: {file: b}, c: {file: c}, d: {file: d}}\n");
	char *text = xasprintf("version: 1\nrules: {path: [%s]}\n", rules);
	char *config = t_file(f->dir, "big-config.yaml", text);

	for (char name[] = "a"; name[0] <= 'd'; name[0]++) {
		char *list = t_file(f->dir, name, "");
		assert_int_equal(truncate(list, 13 << 20), 0);
		free(list);
	}
	expect("-c @ config check", config, CTL_FOUND, "have 52 MiB together; at most 48 MiB", NULL);
	free(config);
	free(text);
	free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(check), cmocka_unit_test(tests_run),
	                                   cmocka_unit_test(explain), cmocka_unit_test(maps),
	                                   cmocka_unit_test(configuration), cmocka_unit_test(too_much)};

	log_open("test", LOG_LEVEL_ERROR);
	setenv("CARILLON_DATA", CARILLON_SOURCE, 1);
	return cmocka_run_group_tests(tests, make, remove_all);
}
