/* See role_core_gen.h. */
#include <stdio.h>
#include <stdlib.h>

#include "role_core_gen.h"
#include "rules/sources.h"

static int findings_error(const struct findings *f, struct error *err)
{
	struct buf text = {0};

	findings_text(f, &text);
	error_set(err, SLICE_FMT, SLICE_ARG(slice_trim(buf_slice(&text))));
	buf_free(&text);
	return -1;
}

struct core_gen *core_gen_new(const struct bundle *b, struct error *err)
{
	struct core_gen *g = xcalloc(1, sizeof *g);
	struct findings f = {0};

	bundle_encode(b, &g->bytes);
	bundle_hash(b, g->hash);
	g->config = config_from_bundle(b, &f);
	if (g->config != NULL)
		g->rules = sources_rules(b, g->config, false, &f);
	if (g->rules == NULL) {
		findings_error(&f, err);
		core_gen_free(g);
		g = NULL;
	} else {
		rule_set_set_generation(g->rules, bundle_generation(b));
	}
	findings_clear(&f);
	return g;
}

void core_gen_free(struct core_gen *g)
{
	if (g == NULL)
		return;
	rule_set_free(g->rules);
	config_free(g->config);
	buf_free(&g->bytes);
	free(g);
}
