/* Promises that an operation which loads can be carried out: a method, an address, what to take from the
 * answer, and for a search how each hit is verified. tickets.md "Profiles". */
#include "plugins/tickets/reading.h"

static const char *const op_keys[] = {"method", "url",        "query",    "headers", "body",     "form",
                                      "ok",     "items",      "limit",    "verify",  "readback", "extract",
                                      "set",    "settle",     "then",     "next",    "page",     "skip_if",
                                      "ignore", "when_state", "never_if", "steps"};
static const char *const request_keys[] = {"method", "url", "query",   "headers", "body",
                                           "form",   "ok",  "extract", "require"};

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

struct tree *profile_tree_load(struct reading *r, const struct node *n, enum expr_where where)
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
		struct tree *m = profile_tree_load(r, e, where);
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

bool profile_path_ok(struct reading *r, const struct node *n, const char *what)
{
	struct error err;
	if (!reading_kind(r, n, NODE_SCALAR, what, "a path"))
		return false;
	if (slice_is(n->text, "@item") || slice_is(n->text, "@body") ||
	    (slice_starts(n->text, SLICE("@header.")) && n->text.n > 8))
		return true;
	if (json_path_valid(n->text, &err))
		return true;
	REFUSE(r, "E007", n->mark, "%s: %s", what, err.text);
	return false;
}

struct named_path *profile_extract_load(struct reading *r, const struct node *n)
{
	struct named_path *first = NULL, **tail = &first;
	if (!reading_kind(r, n, NODE_MAP, "extract", "a map of paths"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		bool dynamic = e->kind == NODE_SCALAR && slice_contains(e->text, SLICE("${"));
		if (!dynamic && !profile_path_ok(r, e, "extract"))
			continue;
		struct named_path *p = *tail = arena_alloc(r->profile->arena, sizeof *p);
		p->name = reading_keep(r, e->key);
		p->path = reading_keep(r, e->text);
		if (dynamic)
			p->dynamic = expr_parse(r, e->text, e->mark, e->quoted, EXPR_PATH);
		tail = &p->next;
	}
	return first;
}

struct expectation *profile_expectations_load(struct reading *r, const struct node *n, const char *what)
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

struct expectation *op_sets(const struct op *op, struct slice name)
{
	struct expectation *x = op->set;
	while (x != NULL && !slice_eq(x->name, name))
		x = x->next;
	return x;
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
	const struct node *items = node_get(n, "items"), *limit = node_get(n, "limit");
	const struct node *verify = node_get(n, "verify"), *readback = node_get(n, "readback");
	if (items != NULL && profile_path_ok(r, items, "items"))
		op->items = reading_keep(r, items->text);
	if (verify != NULL)
		op->verify = profile_expectations_load(r, verify, "verify");
	if (readback != NULL)
		op->readback = profile_expectations_load(r, readback, "readback");
	if (limit != NULL)
		reading_int(r, limit, "limit", 2, 1000, &op->limit);
}

/* Exactly one expression per leaf, or a map that becomes JSON inside a form. */
static void load_body(struct reading *r, const struct node *n, struct op *op, enum expr_where where)
{
	const struct node *body = node_get(n, "body"), *form = node_get(n, "form");
	const struct node *one = body != NULL ? body : form;
	if (body != NULL && form != NULL)
		REFUSE(r, "E011", form->key_mark, "a request has one 'body' or one 'form', not both");
	if (one == NULL || (form != NULL && !reading_kind(r, form, NODE_MAP, "form", "a map")))
		return;
	op->form = form != NULL;
	op->body = profile_tree_load(r, one, where);
	if (op->method != NULL && strcmp(op->method, "GET") == 0)
		REFUSE(r, "E011", one->key_mark, "GET has no body");
}

/* For the log and for files there is no server: what is written is the body. */
static void load_target(struct reading *r, const struct node *n, const char *what, struct op *op)
{
	if (r->profile->local != PROFILE_REMOTE) {
		static const char *const no[] = {"method", "url",    "query", "headers", "form",
		                                 "items",  "verify", "steps", "next",    "page"};
		for (size_t i = 0; i < ARRAY_LEN(no); i++)
			if (node_get(n, no[i]) != NULL)
				REFUSE(r, "E004", node_get(n, no[i])->key_mark,
				       "'%s' needs a server; this profile writes to the %s", no[i],
				       r->profile->local == PROFILE_LOG ? "log" : "file of the connection");
		op->method = "WRITE";
		return;
	}
	const struct node *method = reading_need(r, n, what, "method"),
	                  *url = reading_need(r, n, what, "url");
	if (method != NULL)
		op->method = load_method(r, method);
	if (url != NULL)
		op->url = load_url(r, url);
}

static void load_request(struct reading *r, const struct node *n, const char *what, struct op *op,
                         enum expr_where headers, enum expr_where body)
{
	const struct node *query = node_get(n, "query"), *lines = node_get(n, "headers"),
	                  *ok = node_get(n, "ok"), *extract = node_get(n, "extract");
	load_target(r, n, what, op);
	if (query != NULL)
		op->query =
		    profile_pairs_load(r, query, "query", headers == EXPR_AUTH ? EXPR_AUTH : EXPR_QUERY);
	if (lines != NULL)
		op->headers = profile_pairs_load(r, lines, "headers", headers);
	load_body(r, n, op, body);
	if (ok != NULL)
		op->ok = reading_ints(r, ok, "ok", &op->n_ok);
	if (extract != NULL)
		op->extract = profile_extract_load(r, extract);
}

struct op *profile_request_load(struct reading *r, const struct node *n, const char *what,
                                enum expr_where headers, enum expr_where body)
{
	struct op *op = arena_alloc(r->profile->arena, sizeof *op);
	const struct node *require = node_get(n, "require");
	load_request(r, n, what, op, headers, body);
	if (require != NULL)
		op->require = reading_slices(r, require, "require", &op->n_require);
	for (size_t i = 0; i < op->n_require; i++)
		if (op_extracts(op, op->require[i]) == NULL)
			REFUSE(r, "E020", require->mark, "require: '" SLICE_FMT "' is not extracted",
			       SLICE_ARG(op->require[i]));
	return op;
}

/* In order; each sees what the ones before took from their answers. */
static void load_steps(struct reading *r, const struct node *steps, struct op *op)
{
	struct op **tail = &op->steps;
	if (!reading_kind(r, steps, NODE_LIST, "steps", "a list of requests"))
		return;
	if (steps->n > STEPS_MAX)
		REFUSE(r, "E009", steps->mark, "at most %d steps", STEPS_MAX);
	for (const struct node *e = steps->first; e != NULL; e = e->next) {
		if (!reading_kind(r, e, NODE_MAP, "a step", "a map") ||
		    !reading_keys(r, e, "a step", request_keys, ARRAY_LEN(request_keys), NULL, 0))
			continue;
		*tail = profile_request_load(r, e, "a step", EXPR_HEADER, EXPR_BODY);
		tail = &(*tail)->next;
		r->steps = op->steps;
	}
}

static bool is_list(enum ticket_verb verb)
{
	return verb == TICKET_FIND || verb == TICKET_POLL || verb == TICKET_CHANGES;
}

void profile_op_load(struct reading *r, const struct node *n, enum ticket_verb verb)
{
	const char *word = ticket_verb_word(verb);
	BUG_ON(r->profile->ops[verb] != NULL);
	if (!reading_kind(r, n, NODE_MAP, word, "a map") ||
	    !reading_keys(r, n, word, op_keys, ARRAY_LEN(op_keys), NULL, 0))
		return;
	struct op *op = arena_alloc(r->profile->arena, sizeof *op);
	const struct node *steps = node_get(n, "steps");
	r->steps = NULL;
	if (steps != NULL)
		load_steps(r, steps, op);
	r->paging = node_get(n, "page") != NULL;
	/* the body of a search is a query language too */
	load_request(r, n, word, op, EXPR_HEADER, is_list(verb) ? EXPR_QUERY : EXPR_BODY);
	load_answer(r, n, op);
	profile_flow_load(r, n, op, verb);
	r->paging = false;
	r->steps = NULL;
	r->profile->ops[verb] = op;
}

/* ---- what belongs together */

static void need_extract(struct reading *r, const struct node *n, const struct op *op, const char *name)
{
	const struct op *get = r->profile->ops[TICKET_GET];
	struct slice s = slice_str(name);
	if (op_extracts(op, s) == NULL && op_sets(op, s) == NULL &&
	    !(op->then_get && get != NULL && op_extracts(get, s) != NULL))
		REFUSE(r, "E005", n->key_mark, "%.*s needs '%s' in 'extract'", (int)n->key.n, n->key.p, name);
}

/* Whether `op`, or the get behind it, takes this from an answer. */
static bool takes(const struct reading *r, const struct op *op, struct slice name)
{
	const struct op *get = r->profile->ops[TICKET_GET];
	return op_extracts(op, name) != NULL ||
	       (op->then_get && get != NULL && op_extracts(get, name) != NULL);
}

static void check_list(struct reading *r, const struct node *n, const struct op *op, enum ticket_verb verb)
{
	const char *word = ticket_verb_word(verb);
	if (op->items.p == NULL && verb != TICKET_FIND)
		REFUSE(r, "E005", n->key_mark, "%s needs 'items': where the list is", word);
	need_extract(r, n, op, "id");
	if (verb == TICKET_POLL) {
		need_extract(r, n, op, "state");
		need_extract(r, n, op, "cursor");
	}
	if (op->then_get && r->profile->ops[TICKET_GET] == NULL)
		REFUSE(r, "E005", n->key_mark, "%s: 'then' needs the operation 'get'", word);
	for (const struct expectation *x = op->ignore; x != NULL; x = x->next)
		if (!takes(r, op, x->name))
			REFUSE(r, "E020", n->key_mark, "ignore: %s does not extract '" SLICE_FMT "'", word,
			       SLICE_ARG(x->name));
	if ((op->paging == PAGING_NUMBER || op->paging == PAGING_OFFSET) && op->limit == 0)
		REFUSE(r, "E005", n->key_mark,
		       "%s: pages that are counted need 'limit', the size of a full one", word);
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
	if (find->paging != PAGING_NONE)
		REFUSE(r, "E004", n->key_mark,
		       "find reads one page: a full one means that the filter was ignored");
	need_extract(r, n, find, "state");
	for (const struct expectation *x = find->verify; x != NULL; x = x->next)
		if (!takes(r, find, x->name))
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

static void check_conditions(struct reading *r, const struct node *n, const struct condition *c)
{
	const struct op *get = r->profile->ops[TICKET_GET];
	for (; c != NULL; c = c->next)
		if (get == NULL || op_extracts(get, c->name) == NULL)
			REFUSE(r, "E020", n->key_mark,
			       SLICE_FMT ": a condition on '" SLICE_FMT
			                 "' needs the operation 'get' that extracts it",
			       SLICE_ARG(n->key), SLICE_ARG(c->name));
}

static void check_op(struct reading *r, const struct node *n, const struct op *op, enum ticket_verb v)
{
	if (is_list(v))
		check_list(r, n, op, v);
	else if (op->items.p != NULL || op->limit != 0 || op->then_get || op->paging != PAGING_NONE)
		REFUSE(r, "E004", n->key_mark,
		       SLICE_FMT
		       ": 'items', 'limit', 'then', 'next' and 'page' belong to find, poll and changes",
		       SLICE_ARG(n->key));
	if (v == TICKET_FIND)
		check_find(r, n, op);
	else if (op->verify != NULL || op->settle != 0)
		REFUSE(r, "E004", n->key_mark, SLICE_FMT ": 'verify' and 'settle' belong to find",
		       SLICE_ARG(n->key));
	if (v == TICKET_CREATE)
		need_extract(r, n, op, "id");
	if (v == TICKET_GET)
		need_extract(r, n, op, "state");
	check_readback(r, n, op);
	check_conditions(r, n, op->skip_if);
	check_conditions(r, n, op->when);
	check_conditions(r, n, op->never_if);
}

void profile_op_check(struct reading *r, const struct node *ops)
{
	for (int v = 0; v < VERB_COUNT; v++) {
		const struct op *op = r->profile->ops[v];
		const struct node *n = node_get(ops, ticket_verb_word((enum ticket_verb)v));
		if (op != NULL && n != NULL)
			check_op(r, n, op, (enum ticket_verb)v);
	}
	if (r->profile->ops[TICKET_CREATE] == NULL)
		REFUSE(r, "E005", ops->key_mark, "ops needs 'create'");
}
