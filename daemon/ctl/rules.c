/* rules check, list, show: rule files without a daemon. */
#include <stdlib.h>
#include <string.h>

#include "ctl/load.h"
#include "ctl/report_findings.h"
#include "ctl/show.h"

/* ---- check */

int rules_check(struct ctl *c, const struct args *a)
{
	struct load l;
	struct buf summary = {0};
	int rc = load_rules(c, &l, a->words, a->n_words, true) ? ctl_verdict(&l.f, args_flag(a, "strict"))
	                                                       : CTL_FOUND;

	if (!report_findings(c, a, &l.f, l.counts.files)) {
		ctl_findings(c->out, &l.f);
		rules_summary(&l.counts, &l.f, &summary);
		if (!c->quiet)
			fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&summary))));
	}
	buf_free(&summary);
	load_free(&l);
	return rc;
}

/* ---- list */

static const char *mode_word(enum rule_mode m)
{
	switch (m) {
	case MODE_LIVE: return "live";
	case MODE_TRIAL: return "trial";
	case MODE_OFF: return "off";
	}
	bug_stop("a rule of no mode", __FILE__, __LINE__);
}

static void rule_json(struct jw *w, const struct rule *r)
{
	jw_object(w);
	jw_kslice(w, "id", r->id);
	jw_kstr(w, "mode", mode_word(r->mode));
	jw_kstr(w, "severity", r->severity_fixed ? severity_word(r->severity) : NULL);
	jw_kstr(w, "effect", effect_word(r->effect));
	jw_kslice(w, "owner", r->owner);
	jw_kslice(w, "summary", template_text(r->summary));
	jw_kstr(w, "file", r->file);
	jw_kint(w, "line", r->mark.line);
	jw_end(w);
}

static void rule_row(struct show_table *t, const struct rule *r)
{
	const char *slash = strrchr(r->file, '/');

	show_cell(t, r->mode == MODE_LIVE ? SHOW_PLAIN : SHOW_DIM, r->id);
	show_cellf(t, "%s", mode_word(r->mode));
	show_cell(t, SHOW_PLAIN,
	          r->severity_fixed         ? slice_str(severity_word(r->severity))
	          : r->severity_field.n > 0 ? r->severity_field
	                                    : SLICE("of the event"));
	show_cellf(t, "%s", effect_word(r->effect));
	show_cellf(t, "%s:%u", slash != NULL ? slash + 1 : r->file, r->mark.line);
	show_cell(t, SHOW_PLAIN, template_text(r->summary));
}

static void list(struct ctl *c, const struct rule_set *rs)
{
	static const struct show_column columns[] = {{.title = "RULE"},
	                                             {.title = "MODE"},
	                                             {.title = "SEVERITY"},
	                                             {.title = "EFFECT"},
	                                             {.title = "FILE", .flexible = true},
	                                             {.title = "SUMMARY", .flexible = true}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	struct buf out = {0};
	struct jw w = jw_new(&out);
	size_t n;
	const struct rule *r = rule_set_rules(rs, &n);

	jw_object(&w);
	jw_key(&w, "rules");
	jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		rule_json(&w, &r[i]);
		rule_row(t, &r[i]);
	}
	jw_array_end(&w);
	jw_end(&w);
	show_list_end(c, t, &out, "no rules");
}

/* The rules of --rules PATH or of the configuration; false: said. */
static bool load(struct ctl *c, const struct args *a, struct load *l)
{
	const char *path = args_value(a, "rules");

	if (load_rules(c, l, &path, path != NULL ? 1 : 0, false))
		return true;
	ctl_findings(c->err, &l->f);
	return false;
}

int rules_list(struct ctl *c, const struct args *a)
{
	struct load l;
	bool ok = load(c, a, &l);

	if (ok)
		list(c, l.rules);
	load_free(&l);
	return ok ? CTL_DONE : CTL_FOUND;
}

/* ---- show */

static struct slice file_text(const struct load *l, const char *file)
{
	const struct bundle_file *f = bundle_find(&l->rule_files, BUNDLE_RULES, file);

	if (f == NULL)
		f = bundle_find(&l->bundle, BUNDLE_RULES, file);
	return f != NULL ? f->text : SLICE_NONE;
}

static size_t indent(struct slice line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

/* From the rule's key to the next line that stands no deeper. */
static void print_source(const struct ctl *c, struct slice text, uint32_t line)
{
	struct slice part;
	size_t own = 0;
	uint32_t number = 0;

	while (slice_split(&text, '\n', &part)) {
		bool blank = slice_trim(part).n == 0;

		number++;
		if (number == line)
			own = indent(part);
		else if (number > line && !blank && indent(part) <= own)
			break;
		if (number >= line) {
			show_text(c, SHOW_PLAIN, part);
			fputc('\n', c->out);
		}
		if (text.n == 0)
			break;
	}
}

int rules_show(struct ctl *c, const struct args *a)
{
	struct load l;
	const struct rule *r = NULL;
	struct buf b = {0};
	struct jw w = jw_new(&b);
	int rc = CTL_DONE;

	if (!load(c, a, &l))
		rc = CTL_FOUND;
	else if ((r = load_rule(l.rules, slice_str(args_word(a, 0)))) == NULL)
		rc = ctl_fail(c, CTL_NO_SUCH, "there is no rule '%s'; 'carillonctl rules list' shows all",
		              args_word(a, 0));
	if (r != NULL && c->json) {
		rule_json(&w, r);
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&b)));
	} else if (r != NULL && !c->quiet) {
		fprintf(c->out, "# " SLICE_FMT ", %s, %s:%u\n", SLICE_ARG(r->id), mode_word(r->mode), r->file,
		        r->mark.line);
		print_source(c, file_text(&l, r->file), r->mark.line);
	}
	buf_free(&b);
	load_free(&l);
	return rc;
}
