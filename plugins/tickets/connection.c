/* Promises that a connection which passes can send: its addresses are allowed and what the profile's
 * templates need is there. Must not know values of secrets. */
#include "plugins/tickets/profile.h"
#include "plugins/tickets/request.h"

static const char *conf_of(const struct ticket_connection *c, const char *name)
{
	for (size_t i = 0; i < c->n_conf; i++)
		if (strcmp(c->conf_keys[i], name) == 0)
			return c->conf_values[i] != NULL ? c->conf_values[i] : "";
	return "";
}

static bool has_secret(const struct ticket_connection *c, const char *name)
{
	for (size_t i = 0; i < c->n_secrets; i++)
		if (strcmp(c->secret_keys[i], name) == 0)
			return true;
	return false;
}

static int missing_conf(const struct ticket_connection *c, const char *name, struct error *err)
{
	const char *near = suggest(slice_str(name), c->conf_keys, c->n_conf);
	if (near != NULL && strcmp(near, name) != 0)
		return error_set(
		    err, "the profile '%s' needs conf.%s; '%s' is set instead, is that a typing error?",
		    c->profile->name, name, near);
	return error_set(err, "the profile '%s' needs conf.%s, which is empty", c->profile->name, name);
}

int ticket_connection_check(const struct ticket_connection *c, struct error *err)
{
	const struct ticket_profile *p = c->profile;
	BUG_ON(p == NULL);
	for (size_t i = 0; i < p->n_conf; i++)
		if (conf_of(c, p->conf[i])[0] == '\0')
			return missing_conf(c, p->conf[i], err);
	for (size_t i = 0; i < p->n_secrets; i++)
		if (!has_secret(c, p->secrets[i]))
			return error_set(
			    err, "the profile '%s' needs secret.%s; give it as cred:NAME or file:/path",
			    p->name, p->secrets[i]);
	for (size_t i = 0; i < p->n_bases; i++)
		if (request_base_check(slice_str(conf_of(c, p->bases[i])), err) != 0)
			return error_wrap(err, "conf.%s", p->bases[i]);
	return 0;
}
