/* See plugins_check.h. */
#include "ctl/plugins_check.h"

#include <stdlib.h>
#include <string.h>

#include "plugin.h"
#include "plugins/tickets/adapter.h"

struct checking {
	const struct bundle *b;
	const struct config *c;
	struct findings *f;
};

static void complain(const struct checking *k, struct mark at, const char *what, const struct error *err)
{
	const char *file = k->b->n > 0 ? k->b->v[0].name : "defaults";

	findings_add(k->f, FINDING_ERROR, "", file, at, SLICE_NONE, "%s: %s", what, err->text);
}

static void check_scheme(const struct checking *k, const struct listener_config *l)
{
	struct buf names = {0};
	struct error err;

	if (l->scheme == NULL || l->scheme[0] == '\0' || webhook_scheme_known(l->scheme))
		return;
	webhook_scheme_names(&names);
	error_set(&err, "there is no signature scheme '%s' (auth.scheme); use one of %s", l->scheme, buf_cstr(&names));
	complain(k, l->mark, l->name, &err);
	buf_free(&names);
}

static void check_listeners(const struct checking *k)
{
	struct webhook_profiles *p = webhook_profiles_new();
	struct error err;

	/* findings say why one cannot be used */
	for (size_t i = 0; i < k->b->n; i++)
		if (k->b->v[i].kind == BUNDLE_WEBHOOK_PROFILE)
			(void)!webhook_profile_add(p, k->b->v[i].name, k->b->v[i].text, k->f);
	for (size_t i = 0; i < k->c->n_listeners; i++) {
		const struct listener_config *l = &k->c->listeners[i];
		void *settings;

		if (!l->enabled || l->type != LISTENER_WEBHOOK)
			continue;
		settings = webhook_settings_new(p, l->profile, &err);
		if (settings == NULL)
			complain(k, l->mark, l->name, &err);
		free(settings);
		check_scheme(k, l);
	}
	webhook_profiles_free(p);
}

static void check_ticket(const struct checking *k, const struct ticket_config *t)
{
	const struct bundle_file *file = bundle_profile(k->b, BUNDLE_TICKET_PROFILE, t->profile);
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
		complain(k, (struct mark){0, 0, 0}, t->name, &err);
	else
		p = ticket_profile_load(file->name, file->text, k->f);
	connection.profile = p;
	if (p != NULL && ticket_connection_check(&connection, &err) != 0)
		complain(k, (struct mark){0, 0, 0}, t->name, &err);
	ticket_profile_free(p);
	free(values);
}

bool plugins_check(const struct bundle *b, const struct config *c, struct findings *f)
{
	const struct checking k = {b, c, f};
	size_t before = f->errors;

	check_listeners(&k);
	for (size_t i = 0; i < c->n_tickets; i++)
		if (c->tickets[i].profile != NULL && c->tickets[i].profile[0] != '\0')
			check_ticket(&k, &c->tickets[i]);
	return f->errors == before;
}
