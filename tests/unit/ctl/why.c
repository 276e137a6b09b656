/* Every code of the table: its bad example gets exactly this code at this place with this text, its good one
 * does not, and every code of the specification is there. */
#include "t.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/report_findings.h"
#include "ctl/rules_why.h"
#include "rules/codes.h"

struct expected {
	const char *code;
	unsigned line, col;
	const char *message;
};
static const struct expected all[] = {
#include "why_expected.h"
};


static const struct expected *expected(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i].code, code) == 0)
			return &all[i];
	fail_msg("no expectation for %s", code);
	return NULL;
}

/* Lints that any small example has. */
static bool is_noise(const char *code)
{
	return strcmp(code, "W106") == 0 || strcmp(code, "W107") == 0 || strcmp(code, "W108") == 0 ||
	       strcmp(code, "W105") == 0;
}

static void check_bad(const struct code *code)
{
	const struct expected *want = expected(code->code);
	struct findings f = {0};
	size_t hits = 0;

	why_findings(code->bad, &f);
	for (size_t i = 0; i < f.n; i++) {
		const struct finding *x = &f.v[i];

		if (strcmp(x->code, code->code) != 0) {
			if (!is_noise(x->code))
				fail_msg("%s: also %s: %s", code->code, x->code, x->message);
			continue;
		}
		hits++;
		if (x->mark.line != want->line || x->mark.col != want->col ||
		    strcmp(x->message, want->message) != 0)
			fail_msg("{\"%s\", %u, %u,\n     \"%s\"},", code->code, x->mark.line, x->mark.col,
			         x->message);
	}
	if (hits != 1)
		fail_msg("%s: %zu findings of it in its bad example", code->code, hits);
	findings_clear(&f);
}

static void check_good(const struct code *code)
{
	struct findings f = {0};

	why_findings(code->good, &f);
	for (size_t i = 0; i < f.n; i++)
		if (f.v[i].level == FINDING_ERROR || strcmp(f.v[i].code, code->code) == 0 ||
		    !is_noise(f.v[i].code))
			fail_msg("%s, good example: %s %s", code->code, f.v[i].code, f.v[i].message);
	findings_clear(&f);
}

static void every_example(void **state)
{
	size_t n;
	const struct code *v = codes_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || strcmp(v[i - 1].code, v[i].code) < 0);
		if (v[i].command)
			continue;
		check_bad(&v[i]);
		check_good(&v[i]);
	}
	print_message("%zu codes\n", n);
}

/* What the loader can say must be in the table. */
static void every_code(void **state)
{
	static const char *const spec[] = {
	    "E001", "E002", "E003", "E004", "E005", "E006", "E007", "E008", "E009", "E010", "E011",
	    "E020", "E021", "E022", "E023", "E024", "E025", "E026", "E027", "E028", "E040", "E041",
	    "E042", "E043", "E044", "E050", "E051", "E061", "E062", "E063", "E070", "E071", "E072",
	    "E080", "E081", "E090", "E091", "E092", "W101", "W102", "W103", "W104", "W105", "W106",
	    "W107", "W108", "W109", "W110", "W111", "W112", "W113", "W114"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spec); i++) {
		if (codes_find(slice_str(spec[i])) == NULL)
			fail_msg("%s: has no row", spec[i]);
	}
}

static void pages(void **state)
{
	struct outcome o;

	(void)state;
	o = t_run("rules\nwhy\ne041", 0);
	assert_int_equal(o.rc, CTL_DONE);
	t_has(o.out, "E041  A number of events");
	t_has(o.out, "demo.yaml:7:12: error: 'at_least' needs 'within'");
	t_has(o.out, "good:\n");
	outcome_free(&o);
	o = t_run("rules\nwhy", 0);
	t_has(o.out, "E001  The file");
	t_has(o.out, "W113  A pattern");
	outcome_free(&o);
	o = t_run("rules\nwhy\nE999", 0);
	assert_int_equal(o.rc, CTL_NO_SUCH);
	t_has(o.err, "there is no code 'E999'");
	outcome_free(&o);
	o = t_run("--json\nrules\nwhy\nW104", 0);
	t_has(o.out, "{\"codes\":[{\"code\":\"W104\",");
	outcome_free(&o);
}

/* E091 belongs to the command line. */
static void no_files(void **state)
{
	char *dir = t_dir();
	char *words = xasprintf("rules\ncheck\n%s/*.yml", dir);
	struct outcome o = t_run(words, 0);

	(void)state;
	assert_int_equal(o.rc, CTL_FOUND);
	t_has(o.out, "no files match '");
	t_has(o.out, "[E091]");
	outcome_free(&o);
	free(words);
	t_dir_remove(dir);
}

/* ---- formats */

static struct findings some(void)
{
	struct findings f = {0};
	struct slice text = SLICE("version: 1\nruls: {}\n");

	findings_add(&f, FINDING_ERROR, "E004", "a,b.yaml", (struct mark){2, 1, 4}, text, "100%% wrong: %s",
	             "x");
	findings_add(&f, FINDING_WARNING, "W108", "c.yaml", (struct mark){4, 3, 0}, text, "no owner");
	findings_add(&f, FINDING_WARNING, "W108", "c.yaml", (struct mark){9, 3, 0}, text, "no owner");
	findings_add(&f, FINDING_ERROR, "", "d.yaml", (struct mark){0, 0, 0}, SLICE_NONE, "gone");
	return f;
}

static const struct json *parsed(struct arena *a, struct buf *b)
{
	struct error err;
	const struct json *j = json_parse(a, buf_slice(b), JSON_LIMITS, NULL, &err);

	assert_non_null(j);
	return j;
}

static void formats(void **state)
{
	struct findings f = some();
	struct buf b = {0};
	struct arena *a = arena_new(0);
	const struct json *j;

	(void)state;
	report_github(&f, &b);
	assert_string_equal(buf_cstr(&b), "::error file=a%2Cb.yaml,line=2,col=1,title=E004::100%25 wrong: x\n"
	                                  "::warning file=c.yaml,line=4,col=3,title=W108::no owner\n"
	                                  "::warning file=c.yaml,line=9,col=3,title=W108::no owner\n"
	                                  "::error file=d.yaml::gone\n");
	buf_clear(&b);
	report_gitlab(&f, &b);
	j = parsed(a, &b);
	assert_int_equal(j->n, 4);
	assert_true(slice_is(json_text(json_get(j->first, "severity")), "major"));
	/* equal ones are two issues */
	assert_false(slice_eq(json_text(json_get(j->first->next, "fingerprint")),
	                      json_text(json_get(j->first->next->next, "fingerprint"))));
	buf_clear(&b);
	report_sarif(&f, &b);
	j = parsed(a, &b);
	assert_true(slice_is(json_text(json_get(j, "version")), "2.1.0"));
	t_has(buf_cstr(&b), "\"ruleId\":\"E004\",\"level\":\"error\"");
	t_has(buf_cstr(&b), "\"startLine\":2,\"startColumn\":1,\"endColumn\":5");
	buf_free(&b);
	arena_free(a);
	findings_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_example), cmocka_unit_test(every_code), cmocka_unit_test(pages),
	    cmocka_unit_test(no_files),      cmocka_unit_test(formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
