/* See report_findings.h. */
#include "ctl/report_findings.h"

#include <string.h>

#include "base/hmap.h"
#include "rules/codes.h"

/* ---- SARIF */

static const char *sarif_level(enum finding_level level)
{
	switch (level) {
	case FINDING_ERROR: return "error";
	case FINDING_WARNING: return "warning";
	case FINDING_NOTE: return "note";
	}
	bug_stop("a finding of no level", __FILE__, __LINE__);
}

static void sarif_text(struct jw *w, const char *key, const char *text)
{
	jw_key(w, key);
	jw_object(w);
	jw_kstr(w, "text", text);
	jw_end(w);
}

/* Only those that occur: readers show the list. */
static void sarif_rules(struct jw *w, const struct findings *f)
{
	size_t n;
	const struct code *codes = codes_all(&n);

	jw_key(w, "rules");
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		bool used = false;

		for (size_t k = 0; k < f->n && !used; k++)
			used = strcmp(f->v[k].code, codes[i].code) == 0;
		if (!used)
			continue;
		jw_object(w);
		jw_kstr(w, "id", codes[i].code);
		sarif_text(w, "shortDescription", codes[i].text);
		sarif_text(w, "fullDescription", codes[i].why);
		jw_end(w);
	}
	jw_array_end(w);
}

static void sarif_result(struct jw *w, const struct finding *x)
{
	jw_object(w);
	if (x->code[0] != '\0')
		jw_kstr(w, "ruleId", x->code);
	jw_kstr(w, "level", sarif_level(x->level));
	sarif_text(w, "message", x->message);
	jw_key(w, "locations");
	jw_array(w);
	jw_object(w);
	jw_key(w, "physicalLocation");
	jw_object(w);
	jw_key(w, "artifactLocation");
	jw_object(w);
	jw_kstr(w, "uri", x->file != NULL ? x->file : "");
	jw_end(w);
	if (x->mark.line > 0) {
		jw_key(w, "region");
		jw_object(w);
		jw_kint(w, "startLine", x->mark.line);
		jw_kint(w, "startColumn", MAX(x->mark.col, 1));
		if (x->mark.len > 0)
			jw_kint(w, "endColumn", (int64_t)MAX(x->mark.col, 1) + x->mark.len);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	jw_array_end(w);
	jw_end(w);
}

void report_sarif(const struct findings *f, struct buf *out)
{
	struct jw w = jw_new(out);

	jw_object(&w);
	jw_kstr(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	jw_kstr(&w, "version", "2.1.0");
	jw_key(&w, "runs");
	jw_array(&w);
	jw_object(&w);
	jw_key(&w, "tool");
	jw_object(&w);
	jw_key(&w, "driver");
	jw_object(&w);
	jw_kstr(&w, "name", "carillonctl");
	jw_kstr(&w, "version", CARILLON_VERSION);
	sarif_rules(&w, f);
	jw_end(&w);
	jw_end(&w);
	jw_kstr(&w, "columnKind", "unicodeCodePoints");
	jw_key(&w, "results");
	jw_array(&w);
	for (size_t i = 0; i < f->n; i++)
		sarif_result(&w, &f->v[i]);
	jw_array_end(&w);
	jw_end(&w);
	jw_array_end(&w);
	jw_end(&w);
	buf_char(out, '\n');
}

/* ---- GitHub */

void report_github_text(struct buf *out, struct slice s, bool property)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch == '%' || ch == '\r' || ch == '\n' || (property && (ch == ':' || ch == ',')))
			buf_printf(out, "%%%02X", ch);
		else
			buf_char(out, s.p[i]);
	}
}

static const char *github_command(enum finding_level level)
{
	switch (level) {
	case FINDING_ERROR: return "error";
	case FINDING_WARNING: return "warning";
	case FINDING_NOTE: return "notice";
	}
	bug_stop("a finding of no level", __FILE__, __LINE__);
}

void report_github(const struct findings *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];

		buf_printf(out, "::%s file=", github_command(x->level));
		report_github_text(out, slice_str(x->file != NULL ? x->file : ""), true);
		if (x->mark.line > 0)
			buf_printf(out, ",line=%u,col=%u", x->mark.line, x->mark.col);
		if (x->code[0] != '\0')
			buf_printf(out, ",title=%s", x->code);
		buf_str(out, "::");
		report_github_text(out, slice_str(x->message), false);
		buf_char(out, '\n');
	}
}

/* ---- GitLab */

/* Equal findings of one file are told apart by their order. */
static void gitlab_print(const struct findings *f, size_t at, struct buf *print)
{
	const struct finding *x = &f->v[at];
	size_t before = 0;

	for (size_t i = 0; i < at; i++)
		before += strcmp(f->v[i].file, x->file) == 0 && strcmp(f->v[i].message, x->message) == 0;
	buf_clear(print);
	buf_printf(print, "%s\n%s\n%s\n%zu", x->file, x->code, x->message, before);
}

static void gitlab_finding(const struct findings *f, size_t at, struct jw *w, struct buf *print)
{
	const struct finding *x = &f->v[at];
	char hash[20];

	gitlab_print(f, at, print);
	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash_stable(buf_slice(print)));
	jw_object(w);
	jw_kstr(w, "description", x->message);
	jw_kstr(w, "check_name", x->code[0] != '\0' ? x->code : "carillon");
	jw_kstr(w, "fingerprint", hash);
	jw_kstr(w, "severity",
	        x->level == FINDING_ERROR     ? "major"
	        : x->level == FINDING_WARNING ? "minor"
	                                      : "info");
	jw_key(w, "location");
	jw_object(w);
	jw_kstr(w, "path", x->file);
	jw_key(w, "lines");
	jw_object(w);
	jw_kint(w, "begin", MAX(x->mark.line, 1));
	jw_end(w);
	jw_end(w);
	jw_end(w);
}

void report_gitlab(const struct findings *f, struct buf *out)
{
	struct jw w = jw_new(out);
	struct buf print = {0};

	jw_array(&w);
	for (size_t i = 0; i < f->n; i++)
		gitlab_finding(f, i, &w, &print);
	jw_array_end(&w);
	buf_char(out, '\n');
	buf_free(&print);
}

bool report_findings(struct ctl *c, const struct args *a, struct findings *f, size_t files)
{
	const char *format = args_value(a, "format");
	struct buf b = {0};

	if (format == NULL)
		format = c->json ? "json" : "text";
	if (strcmp(format, "text") == 0)
		return false;
	findings_sort(f);
	if (strcmp(format, "sarif") == 0)
		report_sarif(f, &b);
	else if (strcmp(format, "github") == 0)
		report_github(f, &b);
	else if (strcmp(format, "gitlab") == 0)
		report_gitlab(f, &b);
	else
		findings_json(f, files, &b);
	if (b.n > 0)
		fprintf(c->out, SLICE_FMT "%s", SLICE_ARG(slice_trim(buf_slice(&b))), "\n");
	buf_free(&b);
	return true;
}
