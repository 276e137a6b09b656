/* The `incident` part of a rule (language.md section 8; E011, E061-E063). */

#include "rules/load.h"

/* Also under 'fields:' of the incident every value is a template. */
static void extra_load(struct loader *ld, const struct load_file *file, const struct node *map,
                       struct rule_incident *out)
{
	if (map == NULL || map->kind != NODE_MAP)
		return;
	struct slice *keys = arena_array(ld->a, map->n + 1, sizeof *keys), text;
	const struct template **v = arena_array(ld->a, map->n + 1, sizeof *v);
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		if (!value_text(ld, file, n, true, &text))
			continue;
		keys[out->n_extra] = arena_slice(ld->a, n->key);
		v[out->n_extra] = names_template(ld, file, n, true);
		if (v[out->n_extra] != NULL)
			out->n_extra++;
	}
	out->extra_keys = keys;
	out->extra = v;
}

static void group_load(struct loader *ld, const struct load_file *file, const struct node *n,
                       struct rule_incident *out)
{
	struct slice text;
	if (n == NULL || n->kind == NODE_MAP)
		return;
	if (n->kind == NODE_SCALAR) {
		if (value_text(ld, file, n, false, &text) && slice_is(text, "alert"))
			out->group = GROUP_ALERT;
		return;
	}
	struct field_ref *fields;
	out->group = GROUP_FIELDS;
	if (n->n == 0) {
		load_error(ld, file, "E027", n->mark,
		           "empty list; name the fields whose values an incident shares");
		return;
	}
	if (!rule_fields(ld, file, n, &fields, &out->n_fields))
		return;
	struct slice *names = arena_array(ld->a, out->n_fields + 1, sizeof *names);
	for (size_t i = 0; i < out->n_fields; i++)
		names[i] = fields[i].name;
	out->fields = names;
}

/* Without a configuration (rules check on a laptop) every name exists. */
static void ticket_load(struct loader *ld, const struct load_file *file, const struct node *map,
                        struct rule_incident *out)
{
	const struct node *n = node_get(map, "ticket");
	const struct config *c = ld->src->config;
	if (!key_text(ld, file, map, "ticket", &out->ticket))
		return;
	if (c == NULL || slice_is(out->ticket, "none") || slice_is(out->ticket, "default"))
		return;
	const char **names = arena_array(ld->tmp, c->n_tickets + 1, sizeof *names);
	for (size_t i = 0; i < c->n_tickets; i++) {
		names[i] = c->tickets[i].name;
		if (slice_is(out->ticket, names[i]))
			return;
	}
	load_error(ld, file, "E063", n->mark,
	           "there is no ticket connection '" SLICE_FMT "' in carillon.yaml%s", SLICE_ARG(out->ticket),
	           load_hint(ld, out->ticket, names, c->n_tickets));
}

static void words_load(struct loader *ld, const struct load_file *file, const struct node *map,
                       struct rule_incident *out)
{
	struct slice text;
	if (key_text(ld, file, map, "priority", &text) && text.n == 2 && text.p[0] == 'P' &&
	    text.p[1] >= '1' && text.p[1] <= '5')
		out->priority = text.p[1] - '0';
	if (!key_text(ld, file, map, "resolve", &text))
		return;
	if (slice_is(text, "comment"))
		out->resolve = RESOLVE_COMMENT;
	else if (slice_is(text, "never"))
		out->resolve = RESOLVE_NEVER;
}

void rule_incident_load(struct loader *ld, const struct load_file *file, const struct node *n,
                        const char *thing, struct rule_incident *out)
{
	const struct config *c = ld->src->config;
	duration d;
	*out = (struct rule_incident){.wait = WAIT_AUTO, .reopen_within = -1, .resolve_after = WAIT_AUTO};
	if (c != NULL && c->defaults.wait >= 0)
		out->wait = c->defaults.wait;
	if (n == NULL)
		return;
	out->none = n->kind == NODE_SCALAR && slice_is(n->text, "false");
	if (n->kind != NODE_MAP)
		return;
	if (!schema_check(ld, file, n, &schema_incident, thing, n->key_mark))
		return;
	if (n->n == 0)
		load_error(ld, file, "E027", n->mark, "empty map; write what differs or remove 'incident'");
	group_load(ld, file, node_get(n, "group"), out);
	struct slice text;
	if (key_text(ld, file, n, "wait", &text))
		out->wait = duration_parse(text, &d) ? d : WAIT_AUTO;
	if (key_duration(ld, file, n, "reopen_within", &d))
		out->reopen_within = d;
	if (key_duration(ld, file, n, "resolve_after", &d))
		out->resolve_after = d;
	out->title = names_template(ld, file, node_get(n, "title"), true);
	out->description = names_template(ld, file, node_get(n, "description"), true);
	out->assign = names_template(ld, file, node_get(n, "assign"), true);
	words_load(ld, file, n, out);
	ticket_load(ld, file, n, out);
	extra_load(ld, file, node_get(n, "fields"), out);
}
