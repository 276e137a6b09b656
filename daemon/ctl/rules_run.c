/* rules test: loads each PATH on its own, as language.md 17.17 says, and lets the runner do the rest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"
#include "ctl/load.h"
#include "ctl/raw_input.h"
#include "ctl/report_findings.h"
#include "ctl/rules_test_cover.h"
#include "net/loop.h"
#include "rules/sources.h"

#define MAP_MAX (16u << 20)

struct run {
	struct ctl *c;
	struct load *l; /* of the path under test */
	struct raw_input *raw;
	struct regex *only;
	const char *junit, *profiles;
	enum rules_test_format format;
	int tests;
	unsigned failed, broken; /* broken: paths that do not load */
	size_t files;
	bool cover;
	struct coverage *coverage; /* of the path under test */
	struct coverage_sum sum;
	struct buf missing;   /* what no test has shown */
	struct buf json, xml; /* all paths' tests as JSON items, as junit cases */
};

/* ---- what the runner asks for */

static bool give_syslog(void *arg, struct slice line, instant received, struct evt_batch *out)
{
	struct run *r = arg;

	return raw_input_syslog(r->raw, line, received, out);
}

static bool give_webhook(void *arg, struct slice listener, struct slice body, instant received,
                         struct evt_batch *out)
{
	struct run *r = arg;

	return raw_input_webhook(r->raw, listener, body, received, out);
}

static struct slice give_file(void *arg, const char *rule_file, const char *path)
{
	struct run *r = arg;
	char *name = sources_list_path(rule_file, path);
	const struct bundle_file *f = bundle_find(&r->l->rule_files, BUNDLE_LIST, name);
	struct buf text = {0};
	struct error err;

	if (f == NULL && files_slurp(name, MAP_MAX, &text, &err) == 0) {
		bundle_add(&r->l->rule_files, BUNDLE_LIST, name, buf_slice(&text));
		f = bundle_find(&r->l->rule_files, BUNDLE_LIST, name);
	}
	buf_free(&text);
	free(name);
	return f != NULL ? f->text : SLICE_NONE;
}

/* ---- reports */

static void xml_text(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch == '<')
			buf_str(b, "&lt;");
		else if (ch == '>')
			buf_str(b, "&gt;");
		else if (ch == '&')
			buf_str(b, "&amp;");
		else if (ch == '"')
			buf_str(b, "&quot;");
		else if (ch >= 0x20 || ch == '\n' || ch == '\t')
			buf_char(b, (char)ch);
	}
}

/* One test as the runner's JSON has it. */
static void junit_case(struct buf *b, const struct json *t)
{
	struct slice why = json_text(json_get(t, "message"));

	buf_str(b, "  <testcase classname=\"");
	xml_text(b, json_text(json_get(t, "file")));
	buf_str(b, "\" name=\"");
	xml_text(b, json_text(json_get(t, "name")));
	if (why.n == 0) {
		buf_str(b, "\"/>\n");
		return;
	}
	buf_printf(b, "\" line=\"" SLICE_FMT "\"><failure message=\"failed\">",
	           SLICE_ARG(json_text(json_get(t, "line"))));
	xml_text(b, why);
	buf_str(b, "</failure></testcase>\n");
}

static void keep_json(struct run *r, struct slice report)
{
	struct arena *a = arena_new(0);
	struct error err;
	const struct json *tests = json_get(json_parse(a, report, JSON_LIMITS, NULL, &err), "tests");

	for (const struct json *t = tests != NULL ? tests->first : NULL; t != NULL; t = t->next) {
		struct jw w;

		if (r->json.n > 0)
			buf_char(&r->json, ',');
		w = jw_new(&r->json);
		jw_tree(&w, t);
		junit_case(&r->xml, t);
	}
	arena_free(a);
}

/* A path that does not load is one failed test case for those who read junit. */
static void keep_broken(struct run *r, const char *path)
{
	struct buf why = {0};

	r->broken++;
	findings_sort(&r->l->f);
	findings_text(&r->l->f, &why);
	fwrite(why.p, 1, why.n, r->c->err);
	buf_str(&r->xml, "  <testcase classname=\"");
	xml_text(&r->xml, slice_str(path));
	buf_str(&r->xml, "\" name=\"loads\"><failure message=\"does not load\">");
	xml_text(&r->xml, buf_slice(&why));
	buf_str(&r->xml, "</failure></testcase>\n");
	buf_free(&why);
}

static int write_junit(const struct run *r)
{
	FILE *f = fopen(r->junit, "we");
	int rc;

	if (f == NULL)
		return ctl_fail(r->c, CTL_USAGE, "cannot write '%s': %s", r->junit, strerror(errno));
	fprintf(f,
	        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"carillon rules\" tests=\"%u\" "
	        "failures=\"%u\">\n",
	        (unsigned)r->tests + r->broken, r->failed + r->broken);
	fprintf(f, SLICE_FMT "</testsuite>\n", SLICE_ARG(buf_slice(&r->xml)));
	rc = fclose(f);
	return rc == 0 ? CTL_DONE
	               : ctl_fail(r->c, CTL_TRY_AGAIN, "cannot write '%s': %s", r->junit, strerror(errno));
}

/* ---- running */

static void run_once(struct run *r, enum rules_test_format format, struct buf *out, int *n, unsigned *failed)
{
	const struct rules_test_options o = {.syslog = give_syslog,
	                                     .webhook = give_webhook,
	                                     .read = give_file,
	                                     .arg = r,
	                                     .run = r->only,
	                                     .format = format,
	                                     .coverage = r->coverage};

	*n = rules_test_run(r->l->rules, r->l->config, &o, out, failed);
}

/* Text of several paths ends in one sum of all: the runner's own last line goes. */
static void cut_last_line(struct buf *b)
{
	while (b->n > 0 && b->p[b->n - 1] != '\n')
		b->n--;
}

static void run_loaded(struct run *r)
{
	struct buf out = {0}, json = {0};
	unsigned failed = 0;
	int n = 0;

	r->raw = raw_input_new(r->l->config, r->profiles);
	if (r->format != RULES_TEST_JSON) {
		run_once(r, r->format, &out, &n, &failed);
		if (r->format == RULES_TEST_TEXT)
			cut_last_line(&out);
		if (!r->c->quiet)
			fprintf(r->c->out, SLICE_FMT, SLICE_ARG(buf_slice(&out)));
	}
	if (r->format == RULES_TEST_JSON || r->junit != NULL) {
		run_once(r, RULES_TEST_JSON, &json, &n, &failed);
		keep_json(r, buf_slice(&json));
	}
	r->tests += n;
	r->failed += failed;
	raw_input_free(r->raw);
	buf_free(&out);
	buf_free(&json);
}

static void take_coverage(struct run *r)
{
	struct findings f = {0};

	if (r->coverage == NULL)
		return;
	coverage_sum(r->coverage, &r->sum);
	coverage_findings(r->coverage, &f);
	if (r->format == RULES_TEST_GITHUB)
		report_github(&f, &r->missing);
	else
		findings_text(&f, &r->missing);
	findings_clear(&f);
	coverage_free(r->coverage);
	r->coverage = NULL;
}

static void coverage_json(const struct run *r)
{
	const struct coverage_sum *s = &r->sum;

	fprintf(r->c->out,
	        ",\"coverage\":{\"percent\":%.1f,\"rules\":%zu,\"opened\":%zu,\"closed\":%zu,\"silent\":%zu,"
	        "\"verdicts\":%zu,\"verdicts_seen\":%zu,\"steps\":%zu,\"steps_reached\":%zu,\"patterns\":%zu,"
	        "\"patterns_used\":%zu}",
	        coverage_percent(s), s->rules, s->opened, s->closed, s->silent, s->verdicts, s->verdicts_seen,
	        s->steps, s->steps_reached, s->patterns, s->patterns_used);
}

/* Behind the tests' own last line; comments for TAP. */
static void coverage_lines(const struct run *r)
{
	const struct coverage_sum *s = &r->sum;
	struct slice rest = buf_slice(&r->missing), line;
	const char *mark = r->format == RULES_TEST_TAP ? "# " : "";

	while (rest.n > 0 && slice_split(&rest, '\n', &line))
		if (line.n > 0)
			fprintf(r->c->out, "%s" SLICE_FMT "\n", mark, SLICE_ARG(line));
	fprintf(r->c->out,
	        "%scoverage %.1f %%: of %zu rules %zu opened, %zu closed, %zu stayed silent; %zu of %zu "
	        "verdicts of "
	        "conditions, %zu of %zu steps, %zu of %zu patterns\n",
	        mark, coverage_percent(s), s->rules, s->opened, s->closed, s->silent, s->verdicts_seen,
	        s->verdicts, s->steps_reached, s->steps, s->patterns_used, s->patterns);
}

static void run_path(struct run *r, const char *path)
{
	struct load l;

	r->l = &l;
	if (load_rules(r->c, &l, &path, path != NULL ? 1 : 0, true)) {
		/* a pattern of names stands for all that it has found */
		if (r->cover)
			r->coverage =
			    coverage_new(l.rules, path != NULL && access(path, F_OK) == 0 ? path : NULL);
		run_loaded(r);
		take_coverage(r);
	} else
		keep_broken(r, path != NULL ? path : "rules.path");
	load_free(&l);
	r->l = NULL;
}

static void finish(const struct run *r, instant began)
{
	if (r->format == RULES_TEST_JSON)
		fprintf(r->c->out, "{\"tests\":[" SLICE_FMT "],\"run\":%d,\"failed\":%u,\"broken\":%u",
		        SLICE_ARG(buf_slice(&r->json)), r->tests, r->failed, r->broken);
	if (r->format == RULES_TEST_JSON && r->cover)
		coverage_json(r);
	if (r->format == RULES_TEST_JSON)
		fputs("}\n", r->c->out);
	if (r->format != RULES_TEST_TEXT || r->c->quiet)
		return;
	if (r->tests > 0)
		fprintf(r->c->out, "%d test%s, %u failed, %.2fs\n", r->tests, r->tests == 1 ? "" : "s",
		        r->failed, (double)(loop_mono() - began) / (double)SECOND);
	else if (r->broken == 0)
		fputs("0 tests\n", r->c->out);
}

static enum rules_test_format format_of(const struct ctl *c, const char *word)
{
	if (word == NULL)
		return c->json ? RULES_TEST_JSON : RULES_TEST_TEXT;
	return strcmp(word, "json") == 0     ? RULES_TEST_JSON
	       : strcmp(word, "tap") == 0    ? RULES_TEST_TAP
	       : strcmp(word, "github") == 0 ? RULES_TEST_GITHUB
	                                     : RULES_TEST_TEXT;
}

static struct slice without_sign(const char *s)
{
	size_t n = strlen(s);

	return slice_of(s, n > 0 && s[n - 1] == '%' ? n - 1 : n);
}

int rules_run_tests(struct ctl *c, const struct args *a)
{
	const char *pattern = args_value(a, "run");
	char *data = files_data_dir(), *profiles = xasprintf("%s/plugins/webhook", data);
	struct run r = {.c = c,
	                .junit = args_value(a, "junit"),
	                .profiles = profiles,
	                .format = format_of(c, args_value(a, "format"))};
	instant began = loop_mono();
	struct error err;
	const char *min = args_value(a, "coverage");
	double least = 0;
	int rc = CTL_DONE;

	r.cover = args_flag(a, "coverage");
	if (min != NULL && (!slice_num(without_sign(min), &least) || least < 0 || least > 100)) {
		rc = ctl_fail(c, CTL_USAGE, "--coverage takes a number of percent, not '%s'", min);
	} else if (pattern != NULL &&
	           (r.only = regex_new(slice_str(pattern), (struct regex_options){0}, &err)) == NULL) {
		rc = ctl_fail(c, CTL_USAGE, "--run: %s", err.text);
	} else if (r.format == RULES_TEST_TAP && a->n_words > 1) {
		rc = ctl_fail(c, CTL_USAGE, "--format=tap reports one PATH at a time");
	} else {
		for (size_t i = 0; i < MAX(a->n_words, 1); i++)
			run_path(&r, args_word(a, i));
		finish(&r, began);
		if (r.cover && r.format != RULES_TEST_JSON && !c->quiet)
			coverage_lines(&r);
		if (r.failed > 0 || r.broken > 0 || (r.tests == 0 && args_flag(a, "require-tests")))
			rc = CTL_FOUND;
		if (r.cover && r.broken == 0 && coverage_percent(&r.sum) < least) {
			rc = CTL_FOUND;
			ctl_fail(c, rc, "coverage is %.1f %%, below %g %%", coverage_percent(&r.sum), least);
		}
		if (r.junit != NULL && write_junit(&r) != CTL_DONE)
			rc = CTL_USAGE;
	}
	regex_free(r.only);
	buf_free(&r.json);
	buf_free(&r.xml);
	buf_free(&r.missing);
	free(profiles);
	free(data);
	return rc;
}
