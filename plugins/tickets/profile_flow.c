/* Promises that what an operation does before and behind its request is complete: conditions on the ticket's
 * state, values that no answer has, further pages. tickets.md "Profiles". */
#include "plugins/tickets/reading.h"

/* ---- conditions */

static struct expectation *load_wants(struct reading *r, const struct node *n, const char *what)
{
	bool list = n->kind == NODE_LIST;
	struct expectation *first = NULL, **tail = &first;
	for (const struct node *e = list ? n->first : n; e != NULL; e = list ? e->next : NULL) {
		if (!reading_kind(r, e, NODE_SCALAR, what, "text or a list of texts"))
			continue;
		*tail = arena_alloc(r->profile->arena, sizeof **tail);
		(*tail)->want = expr_parse(r, e->text, e->mark, e->quoted, EXPR_CHECK);
		if ((*tail)->want == NULL)
			return NULL;
		tail = &(*tail)->next;
	}
	return first;
}

static struct condition *load_conditions(struct reading *r, const struct node *n, const char *what)
{
	struct condition *first = NULL, **tail = &first;
	if (!reading_kind(r, n, NODE_MAP, what, "a map such as {state: resolved}"))
		return NULL;
	if (n->n == 0)
		REFUSE(r, "E028", n->mark, "%s is empty and would always hold", what);
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		*tail = arena_alloc(r->profile->arena, sizeof **tail);
		(*tail)->name = reading_keep(r, e->key);
		(*tail)->wants = load_wants(r, e, what);
		tail = &(*tail)->next;
	}
	return first;
}

static void load_state(struct reading *r, const struct node *n, struct op *op)
{
	struct condition *c = arena_alloc(r->profile->arena, sizeof *c);
	c->name = SLICE("state");
	c->wants = load_wants(r, n, "when_state");
	op->when = c;
}

/* ---- pages */

static void load_page_kind(struct reading *r, const struct node *n, struct op *op)
{
	static const char *const keys[] = {"token", "by"};
	if (!reading_kind(r, n, NODE_MAP, "page", "a map") ||
	    !reading_keys(r, n, "page", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *token = node_get(n, "token"), *by = node_get(n, "by");
	if ((token == NULL) == (by == NULL)) {
		REFUSE(r, "E011", n->mark,
		       "page needs either 'token' (a path for ${page.token}) or 'by' (number or offset)");
	} else if (token != NULL && profile_path_ok(r, token, "page.token")) {
		op->paging = PAGING_TOKEN;
		op->page_path = reading_keep(r, token->text);
	} else if (by != NULL && slice_is(by->text, "number")) {
		op->paging = PAGING_NUMBER;
	} else if (by != NULL && slice_is(by->text, "offset")) {
		op->paging = PAGING_OFFSET;
	} else if (by != NULL) {
		REFUSE(r, "E011", by->mark, "'" SLICE_FMT "' must be one of number, offset",
		       SLICE_ARG(by->text));
	}
}

static void load_paging(struct reading *r, const struct node *n, struct op *op)
{
	const struct node *next = node_get(n, "next"), *page = node_get(n, "page");
	if (next != NULL && page != NULL)
		REFUSE(r, "E011", page->key_mark, "a list goes on by 'next' or by 'page', not by both");
	if (page != NULL)
		load_page_kind(r, page, op);
	if (next == NULL || !reading_kind(r, next, NODE_SCALAR, "next", "a path or @link"))
		return;
	if (!slice_is(next->text, "@link") && !profile_path_ok(r, next, "next"))
		return;
	op->paging = PAGING_NEXT;
	op->page_path = reading_keep(r, next->text);
}

static void load_then(struct reading *r, const struct node *n, struct op *op)
{
	if (!reading_kind(r, n, NODE_SCALAR, "then", "get"))
		return;
	if (!slice_is(n->text, "get"))
		REFUSE(r, "E011", n->mark, "'" SLICE_FMT "' must be get: the operation that reads one ticket",
		       SLICE_ARG(n->text));
	op->then_get = true;
}

void profile_flow_load(struct reading *r, const struct node *n, struct op *op, enum ticket_verb verb)
{
	const struct node *skip = node_get(n, "skip_if"), *never = node_get(n, "never_if"),
	                  *state = node_get(n, "when_state"), *set = node_get(n, "set"),
	                  *ignore = node_get(n, "ignore"), *then = node_get(n, "then"),
	                  *settle = node_get(n, "settle");
	const struct node *look = skip != NULL ? skip : never != NULL ? never : state;
	if (look != NULL &&
	    (verb == TICKET_FIND || verb == TICKET_CREATE || verb == TICKET_GET || verb >= TICKET_POLL))
		REFUSE(r, "E004", look->key_mark,
		       "skip_if, when_state and never_if look at a ticket that is known; %s has none",
		       ticket_verb_word(verb));
	if (skip != NULL)
		op->skip_if = load_conditions(r, skip, "skip_if");
	if (never != NULL)
		op->never_if = load_conditions(r, never, "never_if");
	if (state != NULL)
		load_state(r, state, op);
	if (set != NULL)
		op->set = profile_expectations_load(r, set, "set");
	if (ignore != NULL)
		op->ignore = profile_expectations_load(r, ignore, "ignore");
	if (then != NULL)
		load_then(r, then, op);
	if (settle != NULL)
		reading_duration(r, settle, "settle", HOUR, &op->settle);
	load_paging(r, n, op);
}
