/* Promises that the rules by which answers are judged are complete and compile. tickets.md "Error classes".
 */
#include "plugins/tickets/reading.h"

static struct reply_pattern *load_pattern(struct reading *r, const struct node *n, const char *what)
{
	struct error err;
	if (!reading_kind(r, n, NODE_SCALAR, what, "a regular expression"))
		return NULL;
	struct reply_pattern *p = reply_pattern_new(n->text, &err);
	if (p == NULL)
		REFUSE(r, "E022", n->mark, "regex: %s", err.text);
	return p;
}

static void load_subject(struct reading *r, const struct node *when, struct error_rule *e)
{
	struct error err;
	const struct node *header = node_get(when, "header"), *path = node_get(when, "path"),
	                  *not = node_get(when, "not_matches"),
	                  *matches = not != NULL ? not : node_get(when, "matches");
	const struct node *subject = header != NULL ? header : path;
	if (header != NULL && path != NULL)
		REFUSE(r, "E011", path->key_mark, "a rule looks at one 'header' or one 'path', not at both");
	if ((subject == NULL) != (matches == NULL))
		REFUSE(r, "E005", when->mark,
		       "'header' or 'path' goes together with 'matches' or 'not_matches'");
	if (subject == NULL || matches == NULL ||
	    !reading_kind(r, subject, NODE_SCALAR, "header or path", "text"))
		return;
	if (path != NULL && !json_path_valid(path->text, &err))
		REFUSE(r, "E007", path->mark, "%s", err.text);
	if (header != NULL)
		e->header = reading_keep(r, header->text);
	else
		e->path = reading_keep(r, path->text);
	e->negate = not != NULL;
	e->matches = load_pattern(r, matches, "matches");
}

static void load_when(struct reading *r, const struct node *when, struct error_rule *e)
{
	static const char *const keys[] = {"status",  "header",      "path",
	                                   "matches", "not_matches", "body_matches"};
	if (!reading_kind(r, when, NODE_MAP, "when", "a map") ||
	    !reading_keys(r, when, "when", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *status = node_get(when, "status"), *body = node_get(when, "body_matches");
	if (when->n == 0)
		REFUSE(r, "E028", when->mark, "this condition is empty and would fit every answer");
	if (status != NULL)
		e->status = reading_ints(r, status, "status", &e->n_status);
	if (body != NULL)
		e->body_matches = load_pattern(r, body, "body_matches");
	load_subject(r, when, e);
}

static void load_rule(struct reading *r, const struct node *n, struct error_rule *e)
{
	static const char *const keys[] = {"when", "class", "wait"};
	if (!reading_kind(r, n, NODE_MAP, "errors", "a map with 'when' and 'class'") ||
	    !reading_keys(r, n, "an error rule", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *when = reading_need(r, n, "an error rule", "when"),
	                  *cls = reading_need(r, n, "an error rule", "class");
	const struct node *wait = node_get(n, "wait");
	if (wait != NULL)
		reading_duration(r, wait, "wait", DAY, &e->wait);
	if (when != NULL)
		load_when(r, when, e);
	if (cls != NULL && reading_kind(r, cls, NODE_SCALAR, "class", "a word") &&
	    !ticket_class_parse(cls->text, &e->cls))
		REFUSE(r, "E011", cls->mark,
		       "'" SLICE_FMT
		       "' must be one of ok, auth, config, conflict, throttle, transient, gone, unknown",
		       SLICE_ARG(cls->text));
}

void profile_errors_load(struct reading *r, const struct node *n)
{
	struct error_rule **tail = &r->profile->errors;
	if (!reading_kind(r, n, NODE_LIST, "errors", "a list of rules"))
		return;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		*tail = arena_alloc(r->profile->arena, sizeof **tail);
		load_rule(r, e, *tail);
		tail = &(*tail)->next;
	}
}
