/* Coverage of rule tests: what counts, where a gap stands, and the exit code; and rules fmt as a command. */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RULES                                                                                                \
	"version: 1\npackage: disk\ndecoders:\n  - id: df\n    match: {app: df}\n    extract:\n"             \
	"      message: [\"${mount} is full\", \"${mount} is ok\"]\n"                                        \
	"rules:\n  full:\n    summary: Disk of ${host} is full\n    match: {app: df, mount: {not: /tmp}}\n"  \
	"    clear: {match: {app: df, message: {ends: ok}}}\n"
#define EVENT(at, text) "      - {at: " at ", event: {host: a, app: df, message: \"" text "\"}}\n"
#define OPENS                                                                                                \
	"  - name: opens\n    events:\n" EVENT("1s", "/var is full")                                         \
	    EVENT("2m", "/var is ok") "    expect:\n      - {at: 1m, alerts: [{rule: full}]}\n"
#define SILENT                                                                                               \
	"  - name: stays silent\n    events:\n" EVENT(                                                       \
	    "1s", "/tmp is full") "      - {at: 2s, event: {host: a, app: cron}}\n    expect:\n      - "     \
	                          "{at: 1m, alerts: []}\n"

struct files {
	char *dir, *some, *all;
};

static int make(void **state)
{
	struct files *f = calloc(1, sizeof *f);

	f->dir = t_dir();
	f->some = t_file(f->dir, "some.yaml", RULES "tests:\n" OPENS);
	f->all = t_file(f->dir, "all.yaml", RULES "tests:\n" OPENS SILENT);
	*state = f;
	return 0;
}

static int drop(void **state)
{
	struct files *f = *state;

	t_dir_remove(f->dir);
	free(f->some);
	free(f->all);
	free(f);
	return 0;
}

static struct outcome run(const char *words, const char *path)
{
	char *all = xasprintf("%s\n%s", words, path);
	struct outcome o = t_run(all, 0);

	free(all);
	return o;
}

static void gaps(void **state)
{
	struct files *f = *state;
	struct outcome o = run("rules\ntest\n--coverage", f->some);

	assert_int_equal(o.rc, CTL_DONE);
	t_has(o.out, "some.yaml:9:3: note: rule 'full' has no test in which an event comes near");
	t_has(o.out, "some.yaml:11:18: note: condition 'app = df' is never false");
	t_has(o.out, "condition 'mount = /tmp' is never true");
	t_has(o.out, "of 1 rules 1 opened, 1 closed, 0 stayed silent");
	t_has(o.out, "2 of 2 patterns");
	outcome_free(&o);
	o = run("rules\ntest\n--coverage=90", f->some);
	assert_int_equal(o.rc, CTL_FOUND);
	t_has(o.err, "below 90 %");
	outcome_free(&o);
	o = run("rules\ntest\n--coverage=much", f->some);
	assert_int_equal(o.rc, CTL_USAGE);
	outcome_free(&o);
}

static void whole(void **state)
{
	struct files *f = *state;
	struct outcome o = run("rules\ntest\n--coverage=100%", f->all);

	if (o.rc != CTL_DONE)
		fail_msg("%s%s", o.out, o.err);
	t_has(o.out, "coverage 100.0 %");
	t_lacks(o.out, "note:");
	outcome_free(&o);
	o = run("rules\ntest\n--coverage\n--format=json", f->all);
	t_has(o.out, "\"coverage\":{\"percent\":100.0,\"rules\":1,\"opened\":1");
	outcome_free(&o);
}

static void fmt(void **state)
{
	struct files *f = *state;
	char *path = t_file(f->dir, "fmt.yaml", "package: x\nversion: 1 # one\n");
	struct stat st;
	struct outcome o;

	assert_int_equal(chmod(path, 0640), 0);
	o = run("rules\nfmt\n--check", path);
	assert_int_equal(o.rc, CTL_FOUND);
	t_has(o.out, "fmt.yaml");
	outcome_free(&o);
	o = run("rules\nfmt", path);
	assert_int_equal(o.rc, CTL_DONE);
	outcome_free(&o);
	o = run("rules\nfmt\n--check", path);
	assert_int_equal(o.rc, CTL_DONE);
	assert_string_equal(o.out, "");
	outcome_free(&o);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	free(path);
	path = t_file(f->dir, "broken.yaml", "a: [\n");
	o = run("rules\nfmt", path);
	assert_int_equal(o.rc, CTL_FOUND);
	t_has(o.err, "not valid YAML");
	outcome_free(&o);
	free(path);
}

/* What it writes has no warning and all of it is tested. */
static void new_rule(void **state)
{
	struct files *f = *state;
	char *path = xasprintf("%s/new.yaml", f->dir);
	char *words =
	    xasprintf("rules\nnew\n%s\n--rule\nshop/pay-down\n--line\n"
	              "<11>Jan  5 00:00:00 web1 pay[3]: cannot reach \"bank\"\n--words\nreach \"bank\"",
	              path);
	struct outcome o = t_run(words, 0);

	if (o.rc != CTL_DONE)
		fail_msg("%s", o.err);
	outcome_free(&o);
	o = run("rules\ncheck\n--strict", path);
	if (o.rc != CTL_DONE)
		fail_msg("%s", o.out);
	outcome_free(&o);
	o = run("rules\ntest\n--coverage=100", path);
	if (o.rc != CTL_DONE)
		fail_msg("%s", o.out);
	t_has(o.out, "2 tests, 0 failed");
	outcome_free(&o);
	/* never over what is there */
	o = t_run(words, 0);
	assert_int_equal(o.rc, CTL_FOUND);
	t_has(o.err, "cannot write");
	outcome_free(&o);
	o = t_run("rules\nnew\n--rule\nx\n--line\ny\n--words\nz", 0);
	assert_int_equal(o.rc, CTL_USAGE);
	t_has(o.err, "'x' is no name");
	outcome_free(&o);
	free(words);
	free(path);
}

static void docs(void **state)
{
	struct files *f = *state;
	struct outcome o = run("rules\ndocs", f->all);

	assert_int_equal(o.rc, CTL_DONE);
	t_has(o.out, "# disk\n");
	t_has(o.out, "| [full](#full) | Disk of ${host} is full | of the event | degraded | live |");
	t_has(o.out, "```yaml\nfull:\n  summary: Disk of ${host} is full\n");
	outcome_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(gaps, make, drop),
	    cmocka_unit_test_setup_teardown(whole, make, drop),
	    cmocka_unit_test_setup_teardown(fmt, make, drop),
	    cmocka_unit_test_setup_teardown(new_rule, make, drop),
	    cmocka_unit_test_setup_teardown(docs, make, drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
