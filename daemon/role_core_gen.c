/* See role_core_gen.h. */
#include <stdio.h>
#include <stdlib.h>

#include "plugins/tickets/adapter.h"
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

/* What the engine must know of a profile, which lies on another floor. A profile that goes by the key has no search that
 * could be wrong, and a trial would page somebody. Faults are for egress to tell. */
static void ticket_facts(struct ticket_config *t, const struct bundle *b)
{
	const struct bundle_file *file = t->profile[0] != '\0' ? bundle_profile(b, BUNDLE_TICKET_PROFILE, t->profile) : NULL;
	const struct ticket_connection c = {.conf_keys = (const char *const *)t->conf_keys, .conf_values = (const char *const *)t->conf_values, .n_conf = t->n_conf};
	struct findings f = {0};
	struct ticket_profile *p = file != NULL ? ticket_profile_load(file->name, file->text, &f) : NULL;

	if (p != NULL) {
		t->settle = ticket_profile_settle(p);
		if (t->check && ticket_profile_has(p, TICKET_FIND) && !ticket_profile_idempotent(p))
			t->fingerprint = ticket_profile_fingerprint(file->text, &c);
	}
	ticket_profile_free(p);
	findings_clear(&f);
}

struct core_gen *core_gen_new(const struct bundle *b, struct error *err)
{
	struct core_gen *g = xcalloc(1, sizeof *g);
	struct findings f = {0};

	bundle_encode(b, &g->bytes);
	bundle_hash(b, g->hash);
	g->config = config_from_bundle(b, &f);
	for (size_t i = 0; g->config != NULL && i < g->config->n_tickets; i++)
		ticket_facts(&g->config->tickets[i], b);
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
