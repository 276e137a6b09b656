/* Reads webhook profiles with the strictness of rules: every unknown key, wrong type, field and filter is a
 * finding with its place (language.md section 12). Must not know: requests. */
#include "profile.h"

#include <stdlib.h>

#include "base/doc.h"

struct webhook_profiles *webhook_profiles_new(void)
{
	struct webhook_profiles *p = xcalloc(1, sizeof *p);
	p->arena = arena_new(0);
	p->tail = &p->first;
	return p;
}

void webhook_profiles_free(struct webhook_profiles *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	free(p);
}

struct slice profile_keep(struct profile_loader *l, struct slice s)
{
	return arena_slice(l->profiles->arena, s);
}

bool profile_want(struct profile_loader *l, const struct node *n, enum node_kind kind, const char *what,
                  const char *type)
{
	if (n->kind == kind)
		return true;
	REFUSE(l, "E007", n->mark, "%s: expected %s, got %s", what, type, node_kind_name(n));
	return false;
}

void profile_unknown_key(struct profile_loader *l, const struct node *n, const char *where,
                         const char *const *names, size_t count)
{
	const char *close = suggest(n->key, names, count);
	REFUSE(l, "E004", n->key_mark, "unknown key '" SLICE_FMT "' in %s%s%s%s", SLICE_ARG(n->key), where,
	       close != NULL ? "; did you mean '" : "", close != NULL ? close : "",
	       close != NULL ? "'?" : "");
}

/* ---- paths */

static struct path_list *read_path(struct profile_loader *l, const struct node *n, const char *what)
{
	struct error err;
	if (!profile_want(l, n, NODE_SCALAR, what, "a path"))
		return NULL;
	if (!json_path_valid(n->text, &err)) {
		REFUSE(l, "E007", n->mark, "%s: '" SLICE_FMT "' is no path: %s", what, SLICE_ARG(n->text),
		       err.text);
		return NULL;
	}
	struct path_list *p = arena_alloc(l->profiles->arena, sizeof *p);
	p->path = profile_keep(l, n->text);
	return p;
}

/* A path or a list of paths. */
static const struct path_list *read_paths(struct profile_loader *l, const struct node *n, const char *what)
{
	struct path_list *first = NULL, **tail = &first;
	if (n == NULL)
		return NULL;
	if (n->kind == NODE_MAP) {
		REFUSE(l, "E007", n->mark, "%s: expected a list of paths, got a map", what);
		return NULL;
	}
	for (const struct node *e = n->kind == NODE_LIST ? n->first : n; e != NULL;
	     e = n->kind == NODE_LIST ? e->next : NULL) {
		*tail = read_path(l, e, what);
		if (*tail == NULL)
			return first;
		tail = &(*tail)->next;
	}
	return first;
}

/* "a[].b" as the parts a and b. */
static struct item_path *read_item_path(struct profile_loader *l, const struct node *n)
{
	struct path_list *first = NULL, **tail = &first;
	struct slice rest = n->text;
	if (!profile_want(l, n, NODE_SCALAR, "items", "a path"))
		return NULL;
	while (rest.n > 0) {
		size_t at = 0;
		while (at < rest.n && !slice_starts(slice_sub(rest, at, 3), SLICE("[].")))
			at++;
		struct slice part = slice_sub(rest, 0, at);
		struct error err;
		if (part.n == 0 || (at < rest.n && at + 3 >= rest.n) || !json_path_valid(part, &err)) {
			REFUSE(l, "E007", n->mark, "items: '" SLICE_FMT "' is no path of a list",
			       SLICE_ARG(n->text));
			return NULL;
		}
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		(*tail)->path = profile_keep(l, part);
		tail = &(*tail)->next;
		rest = at < rest.n ? slice_sub(rest, at + 3, SIZE_MAX) : slice_sub(rest, rest.n, 0);
	}
	if (first == NULL) {
		REFUSE(l, "E007", n->mark, "items: expected a path");
		return NULL;
	}
	struct item_path *p = arena_alloc(l->profiles->arena, sizeof *p);
	p->parts = first;
	return p;
}

static const struct item_path *read_items(struct profile_loader *l, const struct node *n)
{
	struct item_path *first = NULL, **tail = &first;
	if (n != NULL && n->kind == NODE_MAP) {
		REFUSE(l, "E007", n->mark, "items: expected a list of paths, got a map");
		return NULL;
	}
	for (const struct node *e = n != NULL && n->kind == NODE_LIST ? n->first : n; e != NULL;
	     e = n->kind == NODE_LIST ? e->next : NULL) {
		*tail = read_item_path(l, e);
		if (*tail == NULL)
			return first;
		tail = &(*tail)->next;
	}
	return first;
}

/* ---- conditions: PATH, @header.NAME, {PATH: word or words} */

static const struct path_list *read_condition_words(struct profile_loader *l, const struct node *n)
{
	struct path_list *first = NULL, **tail = &first;
	for (const struct node *e = n->kind == NODE_LIST ? n->first : n; e != NULL;
	     e = n->kind == NODE_LIST ? e->next : NULL) {
		if (!profile_want(l, e, NODE_SCALAR, "a condition", "a word"))
			return NULL;
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		(*tail)->path = profile_keep(l, e->text);
		tail = &(*tail)->next;
	}
	return first;
}

static struct condition *read_condition(struct profile_loader *l, struct slice path, struct mark mark)
{
	struct condition *c = arena_alloc(l->profiles->arena, sizeof *c);
	struct slice head = SLICE("@header.");
	struct error err;
	c->header = slice_starts(path, head) && path.n > head.n;
	if (c->header) {
		c->path = profile_keep(l, slice_sub(path, head.n, SIZE_MAX));
		return c;
	}
	if (!json_path_valid(path, &err)) {
		REFUSE(l, "E007", mark, "detect: '" SLICE_FMT "' is no path: %s", SLICE_ARG(path), err.text);
		return NULL;
	}
	c->path = profile_keep(l, path);
	return c;
}

static struct condition **add_conditions(struct profile_loader *l, const struct node *n,
                                         struct condition **tail)
{
	switch (n->kind) {
	case NODE_SCALAR:
		*tail = read_condition(l, n->text, n->mark);
		return *tail != NULL ? &(*tail)->next : tail;
	case NODE_MAP:
		for (const struct node *e = n->first; e != NULL; e = e->next) {
			*tail = read_condition(l, e->key, e->key_mark);
			if (*tail == NULL)
				return tail;
			if (e->kind == NODE_MAP)
				REFUSE(l, "E007", e->mark, "a condition: expected a word, got a map");
			else
				(*tail)->words = read_condition_words(l, e);
			tail = &(*tail)->next;
		}
		return tail;
	case NODE_LIST: break;
	}
	REFUSE(l, "E007", n->mark, "detect: expected a path or {path: words}, got a list in a list of lists");
	return tail;
}

const struct condition *profile_conditions(struct profile_loader *l, const struct node *n)
{
	struct condition *first = NULL, **tail = &first;
	if (n->kind != NODE_LIST)
		(void)add_conditions(l, n, tail);
	for (const struct node *e = n->kind == NODE_LIST ? n->first : NULL; e != NULL; e = e->next)
		tail = add_conditions(l, e, tail);
	if (first == NULL && l->findings->errors == l->errors_before)
		REFUSE(l, "E007", n->mark, "an empty condition fits everything; name a path");
	return first;
}

static struct alternative *read_alternative(struct profile_loader *l, const struct node *n)
{
	struct alternative *a = arena_alloc(l->profiles->arena, sizeof *a);
	a->conditions = profile_conditions(l, n);
	for (const struct condition *c = a->conditions; c != NULL; c = c->next) {
		a->weight += c->words != NULL || c->header ? 3 : 2;
		if (c->header)
			a->names |= detect_bit(c->path);
		else
			a->keys |= detect_bit(detect_first_key(c->path));
	}
	return a;
}

static const struct alternative *read_detect(struct profile_loader *l, const struct node *n)
{
	struct alternative *first = NULL, **tail = &first;
	if (n == NULL)
		return NULL;
	if (n->kind != NODE_LIST || n->first == NULL || n->first->kind != NODE_LIST)
		return read_alternative(l, n);
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!profile_want(l, e, NODE_LIST, "detect", "a list of paths"))
			return first;
		*tail = read_alternative(l, e);
		tail = &(*tail)->next;
	}
	return first;
}

static struct ignore_rule *read_ignore_rule(struct profile_loader *l, const struct node *n)
{
	static const char *const keys[] = {"when", "note"};
	const struct node *when = node_get(n, "when"), *note = node_get(n, "note");
	if (!profile_want(l, n, NODE_MAP, "ignore", "{when, note}"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next)
		if (e != when && e != note)
			profile_unknown_key(l, e, "ignore", keys, ARRAY_LEN(keys));
	if (when == NULL || note == NULL) {
		REFUSE(l, "E005", n->mark, "ignore needs '%s'", when == NULL ? "when" : "note");
		return NULL;
	}
	if (!profile_want(l, note, NODE_SCALAR, "note", "a template"))
		return NULL;
	struct ignore_rule *r = arena_alloc(l->profiles->arena, sizeof *r);
	const struct choice *text = profile_template(l, note, FIELD_NONE);
	r->when = profile_conditions(l, when);
	r->note = text != NULL ? text->text : NULL;
	return r->note != NULL ? r : NULL;
}

static const struct ignore_rule *read_ignore(struct profile_loader *l, const struct node *n)
{
	struct ignore_rule *first = NULL, **tail = &first;
	if (n == NULL || !profile_want(l, n, NODE_LIST, "ignore", "a list of {when, note}"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		*tail = read_ignore_rule(l, e);
		if (*tail == NULL)
			return first;
		tail = &(*tail)->next;
	}
	return first;
}

/* ---- the document */

static void check_keys(struct profile_loader *l, const struct node *root)
{
	static const char *const keys[] = {"profile", "name",   "description", "detect", "items",  "unwrap",
	                                   "within",  "ignore", "shared",      "omit",   "tables", "set", "verify"};
	for (const struct node *e = root->first; e != NULL; e = e->next) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			known = known || slice_is(e->key, keys[i]);
		if (!known)
			profile_unknown_key(l, e, "the profile", keys, ARRAY_LEN(keys));
	}
}

static const char *read_verify(struct profile_loader *l, const struct node *n)
{
	struct buf names = {0};
	char *name;
	if (n == NULL || !profile_want(l, n, NODE_SCALAR, "verify", "the name of a signature scheme"))
		return NULL;
	name = arena_str(l->profiles->arena, n->text);
	if (webhook_scheme_known(name))
		return name;
	webhook_scheme_names(&names);
	REFUSE(l, "E011", n->mark, "'verify' must be one of %s", buf_cstr(&names));
	buf_free(&names);
	return NULL;
}

static bool name_valid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return s.n > 0 && s.n <= 63;
}

static bool read_head(struct profile_loader *l, const struct node *root)
{
	const struct node *version = node_get(root, "profile"), *name = node_get(root, "name");
	if (version == NULL || name == NULL) {
		REFUSE(l, "E005", root->mark, "a webhook profile needs '%s'",
		       version == NULL ? "profile" : "name");
		return false;
	}
	if (!profile_want(l, version, NODE_SCALAR, "profile", "1") ||
	    !profile_want(l, name, NODE_SCALAR, "name", "text"))
		return false;
	if (!slice_is(version->text, "1")) {
		REFUSE(l, "E011", version->mark,
		       "'" SLICE_FMT "' must be 1, the only version of webhook profiles",
		       SLICE_ARG(version->text));
		return false;
	}
	if (!name_valid(name->text) || slice_is(name->text, "auto")) {
		REFUSE(l, "E010", name->mark,
		       "name '" SLICE_FMT "' is not valid; use lower-case letters, digits, '-' and '_'",
		       SLICE_ARG(name->text));
		return false;
	}
	for (const struct profile *p = l->profiles->first; p != NULL; p = p->next) {
		if (slice_eq(p->name, name->text)) {
			REFUSE(l, "E002", name->mark, "there is a webhook profile '" SLICE_FMT "' already",
			       SLICE_ARG(name->text));
			return false;
		}
	}
	return true;
}

static void read_profile(struct profile_loader *l, const struct node *root)
{
	if (!profile_want(l, root, NODE_MAP, "a webhook profile", "a map"))
		return;
	check_keys(l, root);
	if (!read_head(l, root))
		return;
	struct profile *p = arena_alloc(l->profiles->arena, sizeof *p);
	p->name = profile_keep(l, node_get(root, "name")->text);
	p->verify = read_verify(l, node_get(root, "verify"));
	p->detect = read_detect(l, node_get(root, "detect"));
	p->items = read_items(l, node_get(root, "items"));
	p->unwrap = read_paths(l, node_get(root, "unwrap"), "unwrap");
	p->within = read_paths(l, node_get(root, "within"), "within");
	p->shared = read_paths(l, node_get(root, "shared"), "shared");
	p->omit = read_paths(l, node_get(root, "omit"), "omit");
	p->ignore = read_ignore(l, node_get(root, "ignore"));
	l->tables = profile_tables(l, node_get(root, "tables"));
	p->settings = profile_settings(l, node_get(root, "set"));
	p->paths = profile_paths(l->profiles->arena, p->settings);
	if (l->findings->errors > l->errors_before)
		return;
	*l->profiles->tail = p;
	l->profiles->tail = &p->next;
}

int webhook_profile_add(struct webhook_profiles *p, const char *file, struct slice yaml, struct findings *f)
{
	BUG_ON(p == NULL || f == NULL);
	struct profile_loader l = {.profiles = p, .findings = f, .errors_before = f->errors};
	const struct mark top = {1, 1, 0};
	l.doc = doc_parse(file, yaml, DOC_LIMITS, f);
	if (l.doc != NULL && l.doc->root != NULL && f->errors == l.errors_before)
		read_profile(&l, l.doc->root);
	else if (l.doc != NULL && l.doc->root == NULL && f->errors == l.errors_before)
		REFUSE(&l, "E005", top, "the file is empty; a webhook profile needs 'profile'");
	doc_free(l.doc);
	return f->errors == l.errors_before ? 0 : -1;
}
