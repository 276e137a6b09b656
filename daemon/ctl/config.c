/* config check and show. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"
#include "ctl/load.h"
#include "plugin.h"
#include "plugins/tickets/adapter.h"

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

static void complain(struct load *l, struct mark at, const char *what, const struct error *err)
{
	const char *file = l->bundle.n > 0 ? l->bundle.v[0].name : "defaults";

	findings_add(&l->f, FINDING_ERROR, "", file, at, SLICE_NONE, "%s: %s", what, err->text);
}

/* As intake compiles its listeners. */
static void check_listeners(struct load *l)
{
	struct webhook_profiles *p = webhook_profiles_new();
	struct error err;

	for (size_t i = 0; i < l->bundle.n; i++)
		if (l->bundle.v[i].kind == BUNDLE_WEBHOOK_PROFILE &&
		    webhook_profile_add(p, l->bundle.v[i].name, l->bundle.v[i].text, &l->f) != 0)
			error_set(&err, "the profile cannot be used"); /* findings say why */
	for (size_t i = 0; i < l->config->n_listeners; i++) {
		const struct listener_config *c = &l->config->listeners[i];
		void *settings;

		if (!c->enabled || c->type != LISTENER_WEBHOOK)
			continue;
		settings = webhook_settings_new(p, c->profile, &err);
		if (settings == NULL)
			complain(l, c->mark, c->name, &err);
		free(settings);
	}
	webhook_profiles_free(p);
}

static const struct bundle_file *ticket_profile_file(const struct load *l, const char *profile)
{
	char *tail = xasprintf("/%s.yaml", profile);
	const struct bundle_file *found = NULL;

	for (size_t i = 0; i < l->bundle.n; i++)
		if (l->bundle.v[i].kind == BUNDLE_TICKET_PROFILE &&
		    slice_ends(slice_str(l->bundle.v[i].name), slice_str(tail)))
			found = &l->bundle.v[i];
	free(tail);
	return found;
}

/* As egress does it; secrets are named, not read. */
static void check_ticket(struct load *l, const struct ticket_config *t)
{
	const struct bundle_file *file = ticket_profile_file(l, t->profile);
	struct slice *values = xcalloc(t->n_secrets + 1, sizeof *values);
	struct ticket_connection connection = {.conf_keys = (const char *const *)t->conf_keys,
	                                       .conf_values = (const char *const *)t->conf_values,
	                                       .n_conf = t->n_conf,
	                                       .secret_keys = (const char *const *)t->secret_keys,
	                                       .secret_values = values,
	                                       .n_secrets = t->n_secrets};
	struct ticket_profile *p = NULL;
	struct error err;

	for (size_t i = 0; i < t->n_secrets; i++)
		values[i] = SLICE("secret");
	error_set(&err, "there is no ticket profile '%s' in plugins/tickets", t->profile);
	if (file == NULL)
		complain(l, (struct mark){0, 0, 0}, t->name, &err);
	else
		p = ticket_profile_load(file->name, file->text, &l->f);
	connection.profile = p;
	if (p != NULL && ticket_connection_check(&connection, &err) != 0)
		complain(l, (struct mark){0, 0, 0}, t->name, &err);
	ticket_profile_free(p);
	free(values);
}

static void check_plugins(struct load *l)
{
	check_listeners(l);
	for (size_t i = 0; i < l->config->n_tickets; i++)
		if (l->config->tickets[i].profile != NULL && l->config->tickets[i].profile[0] != '\0')
			check_ticket(l, &l->config->tickets[i]);
}

int config_verb_check(struct ctl *c, const struct args *a)
{
	const char *format = args_value(a, "format");
	struct buf b = {0};
	struct load l;
	int rc = CTL_FOUND;

	if (load_rules(c, &l, NULL, 0, false)) {
		check_map(&l);
		check_plugins(&l);
		rc = ctl_verdict(&l.f, args_flag(a, "strict"));
	}
	if (c->json || (format != NULL && strcmp(format, "json") == 0)) {
		findings_sort(&l.f);
		findings_json(&l.f, l.bundle.n, &b);
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&b))));
	} else {
		ctl_findings(c->out, &l.f);
		if (!c->quiet)
			fprintf(c->out, "%zu file%s read, %zu rules: %zu errors, %zu warnings\n", l.bundle.n,
			        l.bundle.n == 1 ? "" : "s", l.counts.rules, l.f.errors, l.f.warnings);
	}
	buf_free(&b);
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
