/* Promises that an operation which loads can be carried out: a method, an address, what to take from the
 * answer, and for a search how each hit is verified. tickets.md "Profiles". */
#include "plugins/tickets/reading.h"

static const char *const op_keys[] = {"method", "url",     "query",  "headers",  "body", "ok",
                                      "items",  "extract", "verify", "readback", "limit"};
static const char *const op_absent[] = {"form",     "next", "then",   "skip_if", "when_state",
                                        "never_if", "page", "paging", "settle",  "response"};

/* ---- pairs */

struct pair_list {
	struct pair *first, **tail;
};

static void add_pair(struct reading *r, struct pair_list *l, const struct expr *name,
                     const struct node *value, const char *what, enum expr_where where)
{
	if (!reading_kind(r, value, NODE_SCALAR, what, "text"))
		return;
	struct pair *p = arena_alloc(r->profile->arena, sizeof *p);
	p->name = name;
	p->value = expr_parse(r, value->text, value->mark, value->quoted, where);
	if (name == NULL || p->value == NULL)
		return;
	*l->tail = p;
	l->tail = &p->next;
}

struct pair *profile_pairs_load(struct reading *r, const struct node *n, const char *what,
                                enum expr_where where)
{
	struct pair_list l = {.first = NULL, .tail = &l.first};
	if (!reading_kind(r, n, NODE_MAP, what, "a map"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		const struct expr *name = expr_parse(r, e->key, e->key_mark, false, EXPR_KEY);
		bool list = e->kind == NODE_LIST && where == EXPR_QUERY;
		if (!list) {
			add_pair(r, &l, name, e, what, where);
			continue;
		}
		for (const struct node *x = e->first; x != NULL; x = x->next)
			add_pair(r, &l, name, x, what, where);
	}
	return l.first;
}

/* ---- bodies */

static struct tree *load_tree(struct reading *r, const struct node *n, enum expr_where where)
{
	struct arena *a = r->profile->arena;
	struct tree *t = arena_alloc(a, sizeof *t), **tail = &t->first;
	static const struct json null = {.kind = JSON_NULL};
	if (n->kind == NODE_SCALAR) {
		t->plain = node_null(n) ? &null : n->quoted ? NULL : value_plain(a, reading_keep(r, n->text));
		if (t->plain != NULL)
			return t;
		t->leaf = expr_parse(r, n->text, n->mark, n->quoted, where);
		return t->leaf != NULL ? t : NULL;
	}
	t->kind = n->kind == NODE_MAP ? TREE_MAP : TREE_LIST;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		struct tree *m = load_tree(r, e, where);
		if (m == NULL)
			continue;
		if (n->kind == NODE_MAP)
			m->key = expr_parse(r, e->key, e->key_mark, false, EXPR_KEY);
		*tail = m;
		tail = &m->next;
	}
	return t;
}

/* ---- what is taken from the answer */

static bool path_ok(struct reading *r, const struct node *n, const char *what)
{
	struct error err;
	if (!reading_kind(r, n, NODE_SCALAR, what, "a path"))
		return false;
	if (slice_is(n->text, "@item") || (slice_starts(n->text, SLICE("@header.")) && n->text.n > 8))
		return true;
	if (json_path_valid(n->text, &err))
		return true;
	REFUSE(r, "E007", n->mark, "%s: %s", what, err.text);
	return false;
}

static struct named_path *load_extract(struct reading *r, const struct node *n)
{
	struct named_path *first = NULL, **tail = &first;
	if (!reading_kind(r, n, NODE_MAP, "extract", "a map of paths"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!path_ok(r, e, "extract"))
			continue;
		struct named_path *p = *tail = arena_alloc(r->profile->arena, sizeof *p);
		p->name = reading_keep(r, e->key);
		p->path = reading_keep(r, e->text);
		tail = &p->next;
	}
	return first;
}

static struct expectation *load_expectations(struct reading *r, const struct node *n, const char *what)
{
	struct expectation *first = NULL, **tail = &first;
	if (!reading_kind(r, n, NODE_MAP, what, "a map"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!reading_kind(r, e, NODE_SCALAR, what, "text"))
			continue;
		const struct expr *want = expr_parse(r, e->text, e->mark, e->quoted, EXPR_CHECK);
		if (want == NULL)
			continue;
		struct expectation *x = *tail = arena_alloc(r->profile->arena, sizeof *x);
		x->name = reading_keep(r, e->key);
		x->want = want;
		tail = &x->next;
	}
	return first;
}

const struct named_path *op_extracts(const struct op *op, struct slice name)
{
	const struct named_path *p = op->extract;
	while (p != NULL && !slice_eq(p->name, name))
		p = p->next;
	return p;
}

/* ---- one operation */

static const char *load_method(struct reading *r, const struct node *n)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	if (!reading_kind(r, n, NODE_SCALAR, "method", "text"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (slice_is(n->text, methods[i]))
			return methods[i];
	REFUSE(r, "E011", n->mark, "'" SLICE_FMT "' must be one of GET, POST, PUT, PATCH, DELETE",
	       SLICE_ARG(n->text));
	return NULL;
}

static const struct expr *load_url(struct reading *r, const struct node *n)
{
	if (!reading_kind(r, n, NODE_SCALAR, "url", "text"))
		return NULL;
	if (n->text.n == 0) {
		REFUSE(r, "E011", n->mark, "a URL begins with the base from conf, such as ${conf.base}");
		return NULL;
	}
	return expr_parse(r, n->text, n->mark, n->quoted, EXPR_URL);
}

static void load_answer(struct reading *r, const struct node *n, struct op *op)
{
	const struct node *items = node_get(n, "items"), *extract = node_get(n, "extract"),
	                  *limit = node_get(n, "limit");
	const struct node *verify = node_get(n, "verify"), *readback = node_get(n, "readback"),
	                  *ok = node_get(n, "ok");
	if (ok != NULL)
		op->ok = reading_ints(r, ok, "ok", &op->n_ok);
	if (items != NULL && path_ok(r, items, "items"))
		op->items = reading_keep(r, items->text);
	if (extract != NULL)
		op->extract = load_extract(r, extract);
	if (verify != NULL)
		op->verify = load_expectations(r, verify, "verify");
	if (readback != NULL)
		op->readback = load_expectations(r, readback, "readback");
	if (limit != NULL)
		reading_int(r, limit, "limit", 2, 1000, &op->limit);
}

void profile_op_load(struct reading *r, const struct node *n, enum ticket_verb verb)
{
	const char *word = ticket_verb_word(verb);
	BUG_ON(r->profile->ops[verb] != NULL);
	if (!reading_kind(r, n, NODE_MAP, word, "a map") ||
	    !reading_keys(r, n, word, op_keys, ARRAY_LEN(op_keys), op_absent, ARRAY_LEN(op_absent)))
		return;
	const struct node *method = reading_need(r, n, word, "method"),
	                  *url = reading_need(r, n, word, "url");
	const struct node *query = node_get(n, "query"), *headers = node_get(n, "headers"),
	                  *body = node_get(n, "body");
	struct op *op = arena_alloc(r->profile->arena, sizeof *op);
	if (method != NULL)
		op->method = load_method(r, method);
	if (url != NULL)
		op->url = load_url(r, url);
	if (query != NULL)
		op->query = profile_pairs_load(r, query, "query", EXPR_QUERY);
	if (headers != NULL)
		op->headers = profile_pairs_load(r, headers, "headers", EXPR_HEADER);
	/* the body of a search is a query language too */
	if (body != NULL)
		op->body = load_tree(r, body, verb == TICKET_FIND ? EXPR_QUERY : EXPR_BODY);
	if (body != NULL && op->method != NULL && strcmp(op->method, "GET") == 0)
		REFUSE(r, "E011", body->key_mark, "GET has no body");
	load_answer(r, n, op);
	r->profile->ops[verb] = op;
}

/* ---- what belongs together */

static void need_extract(struct reading *r, const struct node *n, const struct op *op, const char *name)
{
	if (op != NULL && op_extracts(op, slice_str(name)) == NULL)
		REFUSE(r, "E005", n->key_mark, "%.*s needs '%s' in 'extract'", (int)n->key.n, n->key.p, name);
}

static void check_find(struct reading *r, const struct node *n, const struct op *find)
{
	if (find->items.p == NULL)
		REFUSE(r, "E005", n->key_mark, "find needs 'items': where the list of hits is");
	if (find->verify == NULL)
		REFUSE(r, "E005", n->key_mark,
		       "find needs 'verify': a ticket system may ignore the filter and return other tickets");
	if (find->limit == 0)
		REFUSE(r, "E005", n->key_mark,
		       "find needs 'limit': how many hits its query asks for; a full page means that the "
		       "filter was ignored");
	need_extract(r, n, find, "id");
	need_extract(r, n, find, "state");
	for (const struct expectation *x = find->verify; x != NULL; x = x->next)
		if (op_extracts(find, x->name) == NULL)
			REFUSE(r, "E020", n->key_mark, "verify: find does not extract '" SLICE_FMT "'",
			       SLICE_ARG(x->name));
}

static void check_readback(struct reading *r, const struct node *n, const struct op *op)
{
	const struct op *get = r->profile->ops[TICKET_GET];
	if (op->readback == NULL)
		return;
	if (get == NULL) {
		REFUSE(r, "E005", n->key_mark, SLICE_FMT ": 'readback' needs the operation 'get'",
		       SLICE_ARG(n->key));
		return;
	}
	for (const struct expectation *x = op->readback; x != NULL; x = x->next)
		if (op_extracts(get, x->name) == NULL)
			REFUSE(r, "E020", n->key_mark,
			       SLICE_FMT ": readback: get does not extract '" SLICE_FMT "'",
			       SLICE_ARG(n->key), SLICE_ARG(x->name));
}

void profile_op_check(struct reading *r, const struct node *ops)
{
	for (int v = 0; v < VERB_COUNT; v++) {
		const struct op *op = r->profile->ops[v];
		const struct node *n = node_get(ops, ticket_verb_word((enum ticket_verb)v));
		if (op == NULL || n == NULL)
			continue;
		if (v == TICKET_FIND)
			check_find(r, n, op);
		else if (op->items.p != NULL || op->verify != NULL || op->limit != 0)
			REFUSE(r, "E004", n->key_mark,
			       SLICE_FMT ": 'items', 'verify' and 'limit' belong to find", SLICE_ARG(n->key));
		if (v == TICKET_CREATE)
			need_extract(r, n, op, "id");
		if (v == TICKET_GET)
			need_extract(r, n, op, "state");
		check_readback(r, n, op);
	}
	if (r->profile->ops[TICKET_CREATE] == NULL)
		REFUSE(r, "E005", ops->key_mark, "ops needs 'create'");
}
