/* rules docs: one Markdown page per package, for a wiki or a repository. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/load.h"

/* Cells of a table: no line breaks, no bars. */
static void cell(struct buf *b, struct slice s)
{
	buf_char(b, ' ');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|' || s.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, s.p[i] == '\n' || s.p[i] == '\r' ? ' ' : s.p[i]);
	}
	buf_str(b, " |");
}

static struct slice severity_text(const struct rule *r)
{
	return r->severity_fixed ? slice_str(severity_word(r->severity)) : SLICE("of the event");
}

static const char *mode_text(enum rule_mode m)
{
	switch (m) {
	case MODE_LIVE: return "live";
	case MODE_TRIAL: return "trial";
	case MODE_OFF: return "off";
	}
	bug_stop("a rule of no mode", __FILE__, __LINE__);
}

static void table(struct buf *b, const struct rule *rules, size_t n, struct slice package)
{
	buf_str(b, "| rule | says | severity | effect | mode |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < n; i++) {
		if (!slice_eq(rules[i].package, package))
			continue;
		buf_printf(b, "| [" SLICE_FMT "](#" SLICE_FMT ") |", SLICE_ARG(rules[i].name),
		           SLICE_ARG(rules[i].name));
		cell(b, template_text(rules[i].summary));
		cell(b, severity_text(&rules[i]));
		cell(b, slice_str(effect_word(rules[i].effect)));
		cell(b, slice_str(mode_text(rules[i].mode)));
		buf_char(b, '\n');
	}
	buf_char(b, '\n');
}

static size_t indent(struct slice line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

/* As it is written: from its key to the next line that stands no deeper. */
static void source(struct buf *b, struct slice text, uint32_t from)
{
	struct slice line;
	size_t own = 0, end = b->n;
	uint32_t number = 0;

	while (text.n > 0 && slice_split(&text, '\n', &line)) {
		bool blank = slice_trim(line).n == 0;

		if (++number < from)
			continue;
		if (number == from)
			own = indent(line);
		else if (!blank && indent(line) <= own)
			break;
		buf_adds(b, blank ? SLICE_NONE : slice_sub(line, own, line.n));
		buf_char(b, '\n');
		if (!blank)
			end = b->n;
	}
	b->n = end;
}

static const struct bundle_file *file_of(const struct load *l, const char *name)
{
	const struct bundle_file *f = bundle_find(&l->rule_files, BUNDLE_RULES, name);

	return f != NULL ? f : bundle_find(&l->bundle, BUNDLE_RULES, name);
}

static void one_rule(struct buf *b, const struct load *l, const struct rule *r)
{
	const struct bundle_file *f = file_of(l, r->file);

	buf_printf(b, "## " SLICE_FMT "\n\n" SLICE_FMT "\n\n", SLICE_ARG(r->name),
	           SLICE_ARG(template_text(r->summary)));
	if (r->description != NULL)
		buf_printf(b, SLICE_FMT "\n\n", SLICE_ARG(slice_trim(template_text(r->description))));
	if (r->owner.n > 0)
		buf_printf(b, "- owner: " SLICE_FMT "\n", SLICE_ARG(r->owner));
	if (r->runbook.n > 0)
		buf_printf(b, "- runbook: " SLICE_FMT "\n", SLICE_ARG(r->runbook));
	buf_str(b, "- one alert by:");
	for (size_t i = 0; i < r->n_by; i++)
		buf_printf(b, "%s " SLICE_FMT, i > 0 ? "," : "", SLICE_ARG(r->by[i].name));
	buf_printf(b, "%s\n\n```yaml\n", r->n_by == 0 ? " the rule" : "");
	if (f != NULL)
		source(b, f->text, r->mark.line);
	buf_str(b, "```\n\n");
}

/* What stands at the head of the package's files. */
static void head(struct buf *b, const struct bundle *bundle, struct slice package, const struct rule *rules,
                 size_t n)
{
	for (size_t i = 0; i < bundle->n; i++) {
		const struct bundle_file *f = &bundle->v[i];
		struct findings ignored = {0};
		bool own = false;

		for (size_t k = 0; k < n && !own; k++)
			own = slice_eq(rules[k].package, package) && strcmp(rules[k].file, f->name) == 0;
		if (!own || f->kind != BUNDLE_RULES)
			continue;
		struct doc *d = doc_parse(f->name, f->text, DOC_LIMITS, &ignored);
		const struct node *text = d != NULL ? node_get(d->root, "description") : NULL,
		                  *params = d != NULL ? node_get(d->root, "params") : NULL;

		if (text != NULL && text->kind == NODE_SCALAR)
			buf_printf(b, SLICE_FMT "\n\n", SLICE_ARG(slice_trim(text->text)));
		for (const struct node *p = params != NULL && params->kind == NODE_MAP ? params->first : NULL;
		     p != NULL; p = p->next)
			buf_printf(b, "- param `" SLICE_FMT "`: " SLICE_FMT "%s", SLICE_ARG(p->key),
			           SLICE_ARG(p->text), p->next != NULL ? "\n" : "\n\n");
		if (d != NULL)
			doc_free(d);
		findings_clear(&ignored);
	}
}

static void page(struct buf *b, const struct load *l, struct slice package)
{
	size_t n;
	const struct rule *rules = rule_set_rules(l->rules, &n);

	buf_printf(b, "# " SLICE_FMT "\n\n", SLICE_ARG(package));
	head(b, &l->rule_files, package, rules, n);
	head(b, &l->bundle, package, rules, n);
	table(b, rules, n, package);
	for (size_t i = 0; i < n; i++)
		if (slice_eq(rules[i].package, package))
			one_rule(b, l, &rules[i]);
}

static int put(struct ctl *c, const char *dir, struct slice package, const struct buf *b)
{
	char *path;
	FILE *f;
	bool ok;

	if (dir == NULL) {
		fwrite(b->p, 1, b->n, c->out);
		return CTL_DONE;
	}
	path = xasprintf("%s/" SLICE_FMT ".md", dir, SLICE_ARG(package));
	f = fopen(path, "we");
	ok = f != NULL && fwrite(b->p, 1, b->n, f) == b->n;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	if (!ok)
		ctl_fail(c, CTL_FOUND, "cannot write '%s': %s", path, strerror(errno));
	else if (!c->quiet)
		fprintf(c->out, "%s\n", path);
	free(path);
	return ok ? CTL_DONE : CTL_FOUND;
}

int rules_docs(struct ctl *c, const struct args *a)
{
	struct load l;
	size_t n = 0;
	int rc = CTL_DONE;
	const struct rule *rules;

	if (!load_rules(c, &l, a->words, a->n_words, false)) {
		ctl_findings(c->err, &l.f);
		load_free(&l);
		return CTL_FOUND;
	}
	rules = rule_set_rules(l.rules, &n);
	/* rules are in the order of their ids: a package is a run */
	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};

		if (i > 0 && slice_eq(rules[i].package, rules[i - 1].package))
			continue;
		page(&b, &l, rules[i].package);
		if (put(c, args_value(a, "out"), rules[i].package, &b) != CTL_DONE)
			rc = CTL_FOUND;
		buf_free(&b);
	}
	load_free(&l);
	return rc;
}
