/* Reads the `set` of a webhook profile: templates, word maps and tables. */
#include "profile.h"

static bool value_legal(struct profile_loader *l, enum field_id id, struct slice v, struct mark mark)
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

struct choice *profile_template(struct profile_loader *l, const struct node *n, enum field_id id)
{
	struct template_fault fault;
	struct slice constant;
	struct choice *c = arena_alloc(l->profiles->arena, sizeof *c);
	c->text = template_parse(l->profiles->arena, profile_keep(l, n->text), profile_path_known, NULL,
	                         profile_filters(), &fault);
	if (c->text == NULL) {
		struct mark mark = n->mark;
		mark.col += (uint32_t)fault.at + (n->quoted ? 1 : 0);
		mark.len = (uint32_t)fault.len;
		REFUSE(l, fault.code, mark, "%s", fault.error.text);
		return NULL;
	}
	if (!template_single(c->text, &c->single, &c->uses, &c->n_uses))
		c->single = SLICE_NONE;
	return id != FIELD_NONE && template_constant(c->text, &constant) &&
	               !value_legal(l, id, constant, n->mark)
	           ? NULL
	           : c;
}

static const struct word_map *read_words(struct profile_loader *l, const struct node *n, enum field_id id)
{
	struct word_map *first = NULL, **tail = &first;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!profile_want(l, e, NODE_SCALAR, "map", "text") || !value_legal(l, id, e->text, e->mark))
			continue;
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		**tail =
		    (struct word_map){.word = profile_keep(l, e->key), .value = profile_keep(l, e->text)};
		tail = &(*tail)->next;
	}
	return first;
}

const struct word_table *profile_tables(struct profile_loader *l, const struct node *n)
{
	struct word_table *first = NULL, **tail = &first;
	if (n == NULL || !profile_want(l, n, NODE_MAP, "tables", "a map of tables"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!profile_want(l, e, NODE_MAP, "a table", "a map of words"))
			continue;
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		**tail =
		    (struct word_table){.name = profile_keep(l, e->key), .map = read_words(l, e, FIELD_NONE)};
		tail = &(*tail)->next;
	}
	return first;
}

/* A map, or the name of one under `tables`, whose values must suit the field that uses it. */
static const struct word_map *read_map(struct profile_loader *l, const struct node *n, enum field_id id)
{
	if (n->kind == NODE_MAP)
		return read_words(l, n, id);
	if (n->kind != NODE_SCALAR) {
		REFUSE(l, "E007", n->mark, "map: expected a map of words or the name of a table, got %s",
		       node_kind_name(n));
		return NULL;
	}
	for (const struct word_table *t = l->tables; t != NULL; t = t->next) {
		if (!slice_eq(t->name, n->text))
			continue;
		for (const struct word_map *m = t->map; m != NULL; m = m->next)
			if (!value_legal(l, id, m->value, n->mark))
				return NULL;
		return t->map;
	}
	REFUSE(l, "E020", n->mark, "there is no table '" SLICE_FMT "' under 'tables'", SLICE_ARG(n->text));
	return NULL;
}

/* {from: field, map: {word: value}, default: value} */
static struct choice *read_mapping(struct profile_loader *l, const struct node *n, enum field_id id)
{
	static const char *const keys[] = {"from", "map", "default"};
	const struct node *from = node_get(n, "from"), *map = node_get(n, "map"),
	                  *fallback = node_get(n, "default");
	for (const struct node *e = n->first; e != NULL; e = e->next)
		if (e != from && e != map && e != fallback)
			profile_unknown_key(l, e, "a mapping", keys, ARRAY_LEN(keys));
	if (from == NULL || map == NULL) {
		REFUSE(l, "E005", n->key_mark.line > 0 ? n->key_mark : n->mark, "a mapping needs '%s'",
		       from == NULL ? "from" : "map");
		return NULL;
	}
	if (!profile_want(l, from, NODE_SCALAR, "from", "a field"))
		return NULL;
	struct choice *c;
	if (slice_contains(from->text, SLICE("${"))) {
		c = profile_template(l, from, FIELD_NONE);
		if (c == NULL)
			return NULL;
	} else if (!profile_path_known(from->text, NULL)) {
		REFUSE(l, "E020", from->mark,
		       "unknown field '" SLICE_FMT "'; a profile reads body.*, @json.*, @hash.*, @header.*",
		       SLICE_ARG(from->text));
		return NULL;
	} else {
		c = arena_alloc(l->profiles->arena, sizeof *c);
		c->from = profile_keep(l, from->text);
	}
	c->map = read_map(l, map, id);
	c->is_map = true;
	if (fallback != NULL && profile_want(l, fallback, NODE_SCALAR, "default", "text") &&
	    value_legal(l, id, fallback->text, fallback->mark))
		c->fallback = profile_keep(l, fallback->text);
	return c;
}

/* {when: as in detect, value: template} */
static struct choice *read_guarded(struct profile_loader *l, const struct node *n, enum field_id id)
{
	static const char *const keys[] = {"when", "value"};
	const struct node *when = node_get(n, "when"), *value = node_get(n, "value");
	for (const struct node *e = n->first; e != NULL; e = e->next)
		if (e != when && e != value)
			profile_unknown_key(l, e, "a value", keys, ARRAY_LEN(keys));
	if (value == NULL) {
		REFUSE(l, "E005", n->mark, "'when' needs 'value'");
		return NULL;
	}
	if (!profile_want(l, value, NODE_SCALAR, "value", "a template"))
		return NULL;
	struct choice *c = profile_template(l, value, id);
	if (c != NULL)
		c->when = profile_conditions(l, when);
	return c;
}

static struct choice *read_choice(struct profile_loader *l, const struct node *n, enum field_id id)
{
	switch (n->kind) {
	case NODE_SCALAR: return profile_template(l, n, id);
	case NODE_MAP: return node_get(n, "when") != NULL ? read_guarded(l, n, id) : read_mapping(l, n, id);
	case NODE_LIST: break;
	}
	REFUSE(l, "E007", n->mark, "set: expected a template or {from, map}, got a list");
	return NULL;
}

static const struct choice *read_choices(struct profile_loader *l, const struct node *n, enum field_id id)
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
static bool field_settable(struct profile_loader *l, const struct node *n, enum field_id id)
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

const struct setting *profile_settings(struct profile_loader *l, const struct node *n)
{
	struct setting *first = NULL, **tail = &first;
	if (n == NULL || !profile_want(l, n, NODE_MAP, "set", "a map of fields"))
		return NULL;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		enum field_id id = field_core(e->key);
		if (!field_settable(l, e, id))
			continue;
		*tail = arena_alloc(l->profiles->arena, sizeof **tail);
		**tail = (struct setting){
		    .id = id, .name = profile_keep(l, e->key), .choices = read_choices(l, e, id)};
		tail = &(*tail)->next;
	}
	return first;
}
