/* rules why: what a code means, with the message as the loader gives it for the bad example. */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/rules_why.h"
#include "ctl/show.h"
#include "model/config.h"
#include "rules/codes.h"
#include "rules/rule_set.h"

/* What the examples may name beside what stands in them. */
static const char example_config[] = "version: 1\ntickets: {rt: {profile: \"\"}}\n";

static struct slice no_file(void *arg, const char *rule_file, const char *path)
{
	(void)arg;
	(void)rule_file;
	(void)path;
	return SLICE_NONE;
}

void why_findings(const char *example, struct findings *f)
{
	struct rules_file file = {.name = "demo.yaml", .text = slice_str(example)};
	struct findings ignored = {0};
	struct config_file site = {"carillon.yaml", slice_str(example_config)};
	struct config *config = config_load(&site, 1, "example", &ignored);
	struct rules_source src = {
	    .files = &file, .n = 1, .config = config, .read = no_file, .keep_tests = true, .partial = true};

	rule_set_free(rule_set_load(&src, f));
	BUG_ON(config == NULL);
	config_free(config);
	findings_clear(&ignored);
}

/* Only what the page is about: an example is no model of everything. */
static void put_message(struct ctl *c, const struct code *code)
{
	struct findings all = {0}, own = {0};

	why_findings(code->bad, &all);
	for (size_t i = 0; i < all.n; i++)
		if (strcmp(all.v[i].code, code->code) == 0) {
			findings_add(&own, all.v[i].level, code->code, all.v[i].file, all.v[i].mark,
			             slice_str(code->bad), "%s", all.v[i].message);
			break;
		}
	ctl_findings(c->out, &own);
	findings_clear(&all);
	findings_clear(&own);
}

static void put_example(struct ctl *c, const char *title, const char *text)
{
	struct slice rest = slice_str(text), line;

	fprintf(c->out, "\n%s:\n\n", title);
	while (rest.n > 0 && slice_split(&rest, '\n', &line))
		fprintf(c->out, "%s" SLICE_FMT "\n", line.n > 0 ? "    " : "", SLICE_ARG(line));
}

static void put_page(struct ctl *c, const struct code *code)
{
	show_text(c, SHOW_BOLD, slice_str(code->code));
	fprintf(c->out, "  %s\n\n%s\n", code->text, code->why);
	put_example(c, "bad", code->bad);
	if (!code->command) {
		fputc('\n', c->out);
		put_message(c, code);
	}
	put_example(c, "good", code->good);
}

static void put_json(struct ctl *c, const struct code *v, size_t n)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_key(&w, "codes");
	jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		jw_kstr(&w, "code", v[i].code);
		jw_kstr(&w, "text", v[i].text);
		jw_kstr(&w, "why", v[i].why);
		jw_kstr(&w, "bad", v[i].bad);
		jw_kstr(&w, "good", v[i].good);
		jw_end(&w);
	}
	jw_array_end(&w);
	jw_end(&w);
	fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

int rules_why(struct ctl *c, const struct args *a)
{
	const char *name = args_word(a, 0);
	size_t n;
	const struct code *all = codes_all(&n), *one;

	if (name == NULL && c->json) {
		put_json(c, all, n);
	} else if (name == NULL) {
		for (size_t i = 0; i < n; i++)
			fprintf(c->out, "%s  %s\n", all[i].code, all[i].text);
	} else if ((one = codes_find(slice_str(name))) == NULL) {
		return ctl_fail(c, CTL_NO_SUCH, "there is no code '%s'; 'carillonctl rules why' lists all",
		                name);
	} else if (c->json) {
		put_json(c, one, 1);
	} else {
		put_page(c, one);
	}
	return CTL_DONE;
}
