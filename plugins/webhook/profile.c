/* Reads webhook profiles with the strictness of rules: every unknown key, wrong type, field and filter is a
 * finding with its place (language.md section 12). Must not know: requests. */
#include "profile.h"

#include <stdlib.h>

#include "base/doc.h"

struct loader {
	struct webhook_profiles *profiles;
	struct doc *doc;
	struct findings *findings;
	size_t errors_before;
};

#define REFUSE(l, code, mark, ...)                                                                           \
	doc_finding((l)->doc, (l)->findings, FINDING_ERROR, (code), (mark), __VA_ARGS__)

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

static struct slice keep(struct loader *l, struct slice s)
{
	return arena_slice(l->profiles->arena, s);
}

static bool want_kind(struct loader *l, const struct node *n, enum node_kind kind, const char *what,
                      const char *type)
{
	if (n->kind == kind)
		return true;
	REFUSE(l, "E007", n->mark, "%s: expected %s, got %s", what, type, node_kind_name(n));
	return false;
}

/* ---- paths */

static struct path_list *read_path(struct loader *l, const struct node *n, const char *what)
{
	struct error err;
	if (!want_kind(l, n, NODE_SCALAR, what, "a path"))
		return NULL;
	if (!json_path_valid(n->text, &err)) {
		REFUSE(l, "E007", n->mark, "%s: '" SLICE_FMT "' is no path: %s", what, SLICE_ARG(n->text),
		       err.text);
		return NULL;
	}
	struct path_list *p = arena_alloc(l->profiles->arena, sizeof *p);
	p->path = keep(l, n->text);
	return p;
}

/* A path or a list of paths. */
static const struct path_list *read_paths(struct loader *l, const struct node *n, const char *what,
                                          size_t *count)
{
	struct path_list *first = NULL, **tail = &first;
	*count = 0;
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
		(*count)++;
	}
	return first;
}

/* ---- set */

static bool value_legal(struct loader *l, enum field_id id, struct slice v, struct mark mark)
{
	enum severity severity;
	enum event_state state;
	if (id == FIELD_SEVERITY && !severity_parse(v, &severity)) {
		REFUSE(l, "E011", mark,
		       "'" SLICE_FMT "' must be one of critical, major, minor, warning, info", SLICE_ARG(v));
		return false;
	}
	if (id == FIELD_STATE && !event_state_parse(v, &state)) {
		REFUSE(l, "E011", mark, "'" SLICE_FMT "' must be one of problem, clear, info", SLICE_ARG(v));
		return false;
	}
	return true;
}

static struct choice *read_template(struct loader *l, const struct node *n, enum field_id id)
{
	struct template_fault fault;
	struct slice constant;
	struct choice *c = arena_alloc(l->profiles->arena, sizeof *c);
	c->text = template_parse(l->profiles->arena, keep(l, n->text), profile_path_known, NULL,
	                         profile_filters(), &fault);
	if (c->text == NULL) {
		struct mark mark = n->mark;
		mark.col += (uint32_t)fault.at + (n->quoted ? 1 : 0);
		mark.len = (uint32_t)fault.len;
		REFUSE(l, fault.code, mark, "%s", fault.error.text);
		return NULL;
	}
	return template_constant(c->text, &constant) && !value_legal(l, id, constant, n->mark) ? NULL : c;
}

static const struct word_map *read_map(struct loader *l, const struct node *n, enum field_id id)
{
	struct word_map *first = NULL, **tail = &first;
	if (!want_kind(l, n, NODE_MAP, "map", "a map of words"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!want_kind(l, e, NODE_SCALAR, "map", "text") || !value_legal(l, id, e->text, e->mark))
			continue;
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		**tail = (struct word_map){.word = keep(l, e->key), .value = keep(l, e->text)};
		tail = &(*tail)->next;
	}
	return first;
}

static void unknown_key(struct loader *l, const struct node *n, const char *where, const char *const *names,
                        size_t count)
{
	const char *close = suggest(n->key, names, count);
	REFUSE(l, "E004", n->key_mark, "unknown key '" SLICE_FMT "' in %s%s%s%s", SLICE_ARG(n->key), where,
	       close != NULL ? "; did you mean '" : "", close != NULL ? close : "",
	       close != NULL ? "'?" : "");
}

/* {from: field, map: {word: value}, default: value} */
static struct choice *read_mapping(struct loader *l, const struct node *n, enum field_id id)
{
	static const char *const keys[] = {"from", "map", "default"};
	const struct node *from = node_get(n, "from"), *map = node_get(n, "map"),
	                  *fallback = node_get(n, "default");
	for (const struct node *e = n->first; e != NULL; e = e->next)
		if (e != from && e != map && e != fallback)
			unknown_key(l, e, "a mapping", keys, ARRAY_LEN(keys));
	if (from == NULL || map == NULL) {
		REFUSE(l, "E005", n->key_mark.line > 0 ? n->key_mark : n->mark, "a mapping needs '%s'",
		       from == NULL ? "from" : "map");
		return NULL;
	}
	if (!want_kind(l, from, NODE_SCALAR, "from", "a field"))
		return NULL;
	if (!profile_path_known(from->text, NULL)) {
		REFUSE(l, "E020", from->mark,
		       "unknown field '" SLICE_FMT "'; a profile reads body.*, @json.*, @hash.*, @header.*",
		       SLICE_ARG(from->text));
		return NULL;
	}
	struct choice *c = arena_alloc(l->profiles->arena, sizeof *c);
	c->from = keep(l, from->text);
	c->map = read_map(l, map, id);
	if (fallback != NULL && want_kind(l, fallback, NODE_SCALAR, "default", "text") &&
	    value_legal(l, id, fallback->text, fallback->mark))
		c->fallback = keep(l, fallback->text);
	return c;
}

static struct choice *read_choice(struct loader *l, const struct node *n, enum field_id id)
{
	switch (n->kind) {
	case NODE_SCALAR: return read_template(l, n, id);
	case NODE_MAP: return read_mapping(l, n, id);
	case NODE_LIST: break;
	}
	REFUSE(l, "E007", n->mark, "set: expected a template or {from, map}, got a list");
	return NULL;
}

static const struct choice *read_choices(struct loader *l, const struct node *n, enum field_id id)
{
	struct choice *first = NULL, **tail = &first;
	for (const struct node *e = n->kind == NODE_LIST ? n->first : n; e != NULL;
	     e = n->kind == NODE_LIST ? e->next : NULL) {
		*tail = read_choice(l, e, id);
		if (*tail != NULL)
			tail = &(*tail)->next;
	}
	return first;
}

/* `time` is the listener's to set, and a profile is a part of the listener. */
static bool field_settable(struct loader *l, const struct node *n, enum field_id id)
{
	if (id != FIELD_NONE && field_read_only(id) && id != FIELD_TIME) {
		REFUSE(l, "E081", n->key_mark, "'" SLICE_FMT "' is read-only", SLICE_ARG(n->key));
		return false;
	}
	if (id == FIELD_NONE && !(field_valid(n->key) && slice_starts(n->key, SLICE("x.")))) {
		REFUSE(l, "E020", n->key_mark,
		       "unknown field '" SLICE_FMT "': a profile sets core fields and x.*",
		       SLICE_ARG(n->key));
		return false;
	}
	return true;
}

static const struct setting *read_settings(struct loader *l, const struct node *n)
{
	struct setting *first = NULL, **tail = &first;
	if (n == NULL || !want_kind(l, n, NODE_MAP, "set", "a map of fields"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		enum field_id id = field_core(e->key);
		if (!field_settable(l, e, id))
			continue;
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		**tail =
		    (struct setting){.id = id, .name = keep(l, e->key), .choices = read_choices(l, e, id)};
		tail = &(*tail)->next;
	}
	return first;
}

/* ---- the document */

static void check_keys(struct loader *l, const struct node *root)
{
	static const char *const keys[] = {"profile", "name",   "description", "detect",
	                                   "items",   "shared", "set"};
	for (const struct node *e = root->first; e != NULL; e = e->next) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			known = known || slice_is(e->key, keys[i]);
		if (slice_is(e->key, "verify"))
			REFUSE(l, "E004", e->key_mark,
			       "'verify' is not available in this version of carillon; remove it");
		else if (!known)
			unknown_key(l, e, "the profile", keys, ARRAY_LEN(keys));
	}
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

static bool read_head(struct loader *l, const struct node *root)
{
	const struct node *version = node_get(root, "profile"), *name = node_get(root, "name");
	if (version == NULL || name == NULL) {
		REFUSE(l, "E005", root->mark, "a webhook profile needs '%s'",
		       version == NULL ? "profile" : "name");
		return false;
	}
	if (!want_kind(l, version, NODE_SCALAR, "profile", "1") ||
	    !want_kind(l, name, NODE_SCALAR, "name", "text"))
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

static void read_profile(struct loader *l, const struct node *root)
{
	size_t n;
	if (!want_kind(l, root, NODE_MAP, "a webhook profile", "a map"))
		return;
	check_keys(l, root);
	if (!read_head(l, root))
		return;
	struct profile *p = arena_alloc(l->profiles->arena, sizeof *p);
	p->name = keep(l, node_get(root, "name")->text);
	p->detect = read_paths(l, node_get(root, "detect"), "detect", &p->n_detect);
	p->items = read_paths(l, node_get(root, "items"), "items", &n);
	p->shared = read_paths(l, node_get(root, "shared"), "shared", &n);
	p->settings = read_settings(l, node_get(root, "set"));
	if (l->findings->errors > l->errors_before)
		return;
	*l->profiles->tail = p;
	l->profiles->tail = &p->next;
}

int webhook_profile_add(struct webhook_profiles *p, const char *file, struct slice yaml, struct findings *f)
{
	BUG_ON(p == NULL || f == NULL);
	struct loader l = {.profiles = p, .findings = f, .errors_before = f->errors};
	const struct mark top = {1, 1, 0};
	l.doc = doc_parse(file, yaml, DOC_LIMITS, f);
	if (l.doc != NULL && l.doc->root != NULL && f->errors == l.errors_before)
		read_profile(&l, l.doc->root);
	else if (l.doc != NULL && l.doc->root == NULL && f->errors == l.errors_before)
		REFUSE(&l, "E005", top, "the file is empty; a webhook profile needs 'profile'");
	doc_free(l.doc);
	return f->errors == l.errors_before ? 0 : -1;
}
