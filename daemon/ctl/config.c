/* config check and show. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"
#include "ctl/load.h"
#include "ctl/plugins_check.h"
#include "ctl/report_findings.h"
#include "ctl/secrets_check.h"

static void check_map(struct load *l)
{
	struct load_map m = {0};
	struct error err;

	if (l->config == NULL || l->config->map.redis || access(l->config->map.path, F_OK) != 0)
		return;
	if (!load_map(l, NULL, &m, &l->f, &err) && l->f.errors == 0)
		findings_add(&l->f, FINDING_ERROR, "", l->config->map.path, (struct mark){0, 0, 0},
		             SLICE_NONE, "%s", err.text);
	load_map_free(&m);
}

int config_verb_check(struct ctl *c, const struct args *a)
{
	struct load l;
	int rc = CTL_FOUND;

	if (load_rules(c, &l, NULL, 0, false)) {
		check_map(&l);
		plugins_check(&l.bundle, l.config, &l.f);
		secrets_check(&l.bundle, l.config, &l.f);
		rc = ctl_verdict(&l.f, args_flag(a, "strict"));
	}
	if (!report_findings(c, a, &l.f, l.bundle.n)) {
		ctl_findings(c->out, &l.f);
		if (!c->quiet)
			fprintf(c->out, "%zu file%s read, %zu rules: %zu errors, %zu warnings\n", l.bundle.n,
			        l.bundle.n == 1 ? "" : "s", l.counts.rules, l.f.errors, l.f.warnings);
	}
	load_free(&l);
	return rc;
}

int config_verb_show(struct ctl *c, const struct args *a)
{
	bool defaults = args_flag(a, "defaults");
	struct findings f = {0};
	struct bundle bundle = {0};
	struct buf b = {0};
	struct jw w = jw_new(&b);
	struct config *config =
	    defaults ? config_load(NULL, 0, "", &f) : files_read_config(c->config_path, &bundle, &f);

	if (config != NULL && c->json) {
		config_json(config, &w);
		buf_char(&b, '\n');
	} else if (config != NULL) {
		config_show(config, defaults, &b);
	}
	ctl_findings(c->err, &f);
	if (b.n > 0 && !c->quiet)
		fwrite(b.p, 1, b.n, c->out);
	buf_free(&b);
	config_free(config);
	bundle_free(&bundle);
	findings_clear(&f);
	return config != NULL ? CTL_DONE : CTL_FOUND;
}
