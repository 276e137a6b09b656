/* The YAML form of the map (map.md section 1) into a draft: strict, every fault with its place, and reading
 * goes on with the next key. What needs the whole map (duplicates, unknown ids, cycles) is map_compile's. */
#include "model/service_map_draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct map_draft *d;
	const struct doc *doc;
	struct findings *f;
	const char *file; /* the draft's copy of the file name */
	struct map_entry defaults;
	char thing[160]; /* "service 'checkout'" */
};

static void refuse(const struct reading *r, const char *code, struct mark mark, const char *fmt, ...)
    PRINTF(4, 5);
static void refuse(const struct reading *r, const char *code, struct mark mark, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	doc_finding(r->doc, r->f, FINDING_ERROR, code, mark, "%s", n >= 0 ? text : fmt);
	free(text);
}

/* ---- scalars */

static bool read_text(const struct reading *r, const struct node *n, char **out)
{
	if (n->kind != NODE_SCALAR) {
		refuse(r, "E007", n->mark, "expected text for '" SLICE_FMT "', got %s", SLICE_ARG(n->key),
		       node_kind_name(n));
		return false;
	}
	if (node_null(n)) {
		refuse(r, "E027", n->key.n > 0 ? n->key_mark : n->mark,
		       "empty value in %s; write a text or remove the key", r->thing);
		return false;
	}
	*out = n->text.n > 0 ? map_draft_str(r->d, n->text) : NULL;
	return true;
}

static bool read_id(const struct reading *r, const struct node *n, char **out)
{
	if (!read_text(r, n, out))
		return false;
	if (map_id_valid(n->text))
		return true;
	refuse(r, "E010", n->mark,
	       "id '" SLICE_FMT
	       "' is not valid; use lower-case letters, digits, '.', '_' and '-', at most 128",
	       SLICE_ARG(n->text));
	return false;
}

static bool read_int(const struct reading *r, const struct node *n, int64_t low, int64_t high, int64_t *out)
{
	if (n->kind != NODE_SCALAR || !slice_int(n->text, out)) {
		refuse(r, "E007", n->mark, "expected a number for '" SLICE_FMT "', got %s%s" SLICE_FMT "%s",
		       SLICE_ARG(n->key), node_kind_name(n), n->kind == NODE_SCALAR ? " '" : "",
		       SLICE_ARG(n->text), n->kind == NODE_SCALAR ? "'" : "");
		return false;
	}
	if (*out >= low && *out <= high)
		return true;
	refuse(r, "E008", n->mark, "'" SLICE_FMT "' must be between %lld and %lld", SLICE_ARG(n->key),
	       (long long)low, (long long)high);
	return false;
}

static void read_effect(const struct reading *r, const struct node *n, enum effect *out)
{
	static const char *const words[] = {"down", "degraded", "none"};
	if (n->kind != NODE_SCALAR) {
		refuse(r, "E007", n->mark, "expected text for 'effect', got %s", node_kind_name(n));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_is(n->text, words[i])) {
			BUG_ON(!effect_parse(n->text, out));
			return;
		}
	}
	const char *near = suggest(n->text, words, ARRAY_LEN(words));
	refuse(r, "E011", n->mark, "'" SLICE_FMT "' must be one of down, degraded, none%s%s%s",
	       SLICE_ARG(n->text), near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
	       near != NULL ? "'?" : "");
}

/* True if every key of the map `n` is among `names`. */
static bool keys_known(const struct reading *r, const struct node *n, const char *thing,
                       const char *const *names, size_t n_names)
{
	bool ok = true;
	for (const struct node *x = n->first; x != NULL; x = x->next) {
		size_t i = 0;
		while (i < n_names && !slice_is(x->key, names[i]))
			i++;
		if (i < n_names)
			continue;
		const char *near = suggest(x->key, names, n_names);
		refuse(r, "E004", x->key_mark, "unknown key '" SLICE_FMT "' in %s%s%s%s", SLICE_ARG(x->key),
		       thing, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
		       near != NULL ? "'?" : "");
		ok = false;
	}
	return ok;
}

static bool is_kind(const struct reading *r, const struct node *n, enum node_kind kind)
{
	static const char *const words[] = {
	    [NODE_SCALAR] = "text", [NODE_LIST] = "a list", [NODE_MAP] = "a map"};
	if (n->kind == kind)
		return true;
	if (n->key.n > 0)
		refuse(r, "E007", n->mark, "expected %s for '" SLICE_FMT "', got %s", words[kind],
		       SLICE_ARG(n->key), node_kind_name(n));
	else
		refuse(r, "E007", n->mark, "expected %s in %s, got %s", words[kind], r->thing,
		       node_kind_name(n));
	return false;
}

/* ---- values of a service */

static void read_tier(const struct reading *r, const struct node *n, struct map_entry *e)
{
	int64_t tier;
	if (read_int(r, n, 1, 4, &tier))
		e->tier = (int)tier;
}

static void read_hides(const struct reading *r, const struct node *n, struct map_entry *e)
{
	if (n->kind == NODE_SCALAR && (slice_is(n->text, "true") || slice_is(n->text, "false")))
		e->hides = slice_is(n->text, "true");
	else
		refuse(r, "E007", n->mark, "expected true or false for 'hides', got %s" SLICE_FMT "%s",
		       n->kind == NODE_SCALAR ? "'" : node_kind_name(n), SLICE_ARG(n->text),
		       n->kind == NODE_SCALAR ? "'" : "");
}

static void read_labels(const struct reading *r, const struct node *n, struct map_entry *e)
{
	if (!is_kind(r, n, NODE_MAP))
		return;
	e->label_keys = map_draft_array(r->d, n->n, sizeof(char *));
	e->label_values = map_draft_array(r->d, n->n, sizeof(char *));
	for (const struct node *x = n->first; x != NULL; x = x->next) {
		char *value = NULL;
		if (!read_text(r, x, &value) || value == NULL)
			continue;
		BUG_ON(e->n_labels >= n->n);
		e->label_keys[e->n_labels] = map_draft_str(r->d, x->key);
		e->label_values[e->n_labels++] = value;
	}
}

static void read_texts(const struct reading *r, const struct node *n, char ***v, struct mark **marks,
                       size_t *count)
{
	if (!is_kind(r, n, NODE_LIST))
		return;
	*v = map_draft_array(r->d, n->n, sizeof(char *));
	*marks = map_draft_array(r->d, n->n, sizeof(struct mark));
	for (const struct node *x = n->first; x != NULL; x = x->next) {
		char *text = NULL;
		if (!is_kind(r, x, NODE_SCALAR) || !read_text(r, x, &text) || text == NULL)
			continue;
		BUG_ON(*count >= n->n);
		(*v)[*count] = text;
		(*marks)[(*count)++] = x->mark;
	}
}

static void read_hosts(const struct reading *r, const struct node *n, struct map_entry *e)
{
	read_texts(r, n, &e->hosts, &e->host_marks, &e->n_hosts);
}

static void read_aliases(const struct reading *r, const struct node *n, struct map_entry *e)
{
	read_texts(r, n, &e->aliases, &e->alias_marks, &e->n_aliases);
}

static bool read_port(const struct reading *r, const struct node *n, struct map_port *out)
{
	static const char *const keys[] = {"host", "port"};
	if (!is_kind(r, n, NODE_MAP) || !keys_known(r, n, "a port", keys, ARRAY_LEN(keys)))
		return false;
	*out = (struct map_port){.mark = n->mark};
	char **const to[] = {&out->host, &out->port};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct node *x = node_get(n, keys[i]);
		if (x == NULL)
			refuse(r, "E005", n->mark, "a port needs '%s'", keys[i]);
		else
			read_text(r, x, to[i]);
	}
	return out->host != NULL && out->port != NULL;
}

static void read_port_list(const struct reading *r, const struct node *n, struct map_port **v, size_t *count)
{
	if (!is_kind(r, n, NODE_LIST))
		return;
	*v = map_draft_array(r->d, n->n, sizeof(struct map_port));
	for (const struct node *x = n->first; x != NULL; x = x->next) {
		struct map_port port;
		if (read_port(r, x, &port))
			(*v)[(*count)++] = port;
	}
}

static void read_ports(const struct reading *r, const struct node *n, struct map_entry *e)
{
	read_port_list(r, n, &e->ports, &e->n_ports);
}

static void read_ends(const struct reading *r, const struct node *n, struct map_entry *e)
{
	if (n->kind == NODE_LIST && n->n != 2)
		refuse(r, "E008", n->key_mark, "'ends' takes two of {host, port}, got %zu", n->n);
	else
		read_port_list(r, n, &e->ends, &e->n_ends);
	if (e->n_ends != 2)
		e->n_ends = 0;
}

/* ---- needs */

struct need_space {
	struct map_entry *e;
	size_t cap_needs, cap_groups;
};

static void add_need(struct need_space *to, struct map_need need)
{
	to->e->needs = array_reserve(to->e->needs, &to->cap_needs, to->e->n_needs + 1, sizeof need);
	to->e->needs[to->e->n_needs++] = need;
}

static void read_group(const struct reading *r, const struct node *n, struct need_space *to)
{
	static const char *const keys[] = {"any", "at_least", "effect"};
	const struct node *any = node_get(n, "any"), *least = node_get(n, "at_least"),
	                  *effect = node_get(n, "effect");
	int64_t at_least = 1;
	if (!keys_known(r, n, "a need with 'any'", keys, ARRAY_LEN(keys)) || !is_kind(r, any, NODE_LIST))
		return;
	if (any->n < 2) {
		refuse(r, "E008", any->key_mark,
		       "'any' needs two services or more; write a single need without it");
		return;
	}
	if (least != NULL && !read_int(r, least, 1, INT32_MAX, &at_least))
		return;
	char *name = arena_printf(r->d->arena, "any-%zu", to->e->n_groups + 1);
	struct map_group group = {name, (unsigned)at_least, EFFECT_DOWN,
	                          least != NULL ? least->mark : any->key_mark};
	if (effect != NULL)
		read_effect(r, effect, &group.effect);
	to->e->groups = array_reserve(to->e->groups, &to->cap_groups, to->e->n_groups + 1, sizeof group);
	to->e->groups[to->e->n_groups++] = group;
	for (const struct node *x = any->first; x != NULL; x = x->next) {
		struct map_need need = {.group = name, .effect = group.effect, .mark = x->mark};
		if (is_kind(r, x, NODE_SCALAR) && read_id(r, x, &need.service))
			add_need(to, need);
	}
}

static void read_need_map(const struct reading *r, const struct node *n, struct need_space *to)
{
	static const char *const keys[] = {"service", "effect", "any", "at_least"};
	if (node_get(n, "any") != NULL) {
		read_group(r, n, to);
		return;
	}
	const struct node *service = node_get(n, "service"), *effect = node_get(n, "effect");
	if (!keys_known(r, n, "a need", keys, ARRAY_LEN(keys)))
		return;
	if (node_get(n, "at_least") != NULL) {
		refuse(r, "E005", node_get(n, "at_least")->key_mark,
		       "'at_least' needs 'any': of which services?");
		return;
	}
	if (service == NULL) {
		refuse(r, "E005", n->mark, "a need of %s needs 'service' or 'any'", r->thing);
		return;
	}
	struct map_need need = {.effect = EFFECT_DOWN, .mark = service->mark};
	if (effect != NULL)
		read_effect(r, effect, &need.effect);
	if (is_kind(r, service, NODE_SCALAR) && read_id(r, service, &need.service))
		add_need(to, need);
}

/* The lists grow while they are read; what stays is copied into the draft. */
static void read_needs(const struct reading *r, const struct node *n, struct map_entry *e)
{
	if (!is_kind(r, n, NODE_LIST))
		return;
	struct need_space to = {.e = e};
	for (const struct node *x = n->first; x != NULL; x = x->next) {
		struct map_need need = {.effect = EFFECT_DOWN, .mark = x->mark};
		if (x->kind == NODE_MAP)
			read_need_map(r, x, &to);
		else if (is_kind(r, x, NODE_SCALAR) && read_id(r, x, &need.service))
			add_need(&to, need);
	}
	struct map_need *needs = map_draft_array(r->d, e->n_needs, sizeof *needs);
	struct map_group *groups = map_draft_array(r->d, e->n_groups, sizeof *groups);
	if (e->n_needs > 0)
		memcpy(needs, e->needs, e->n_needs * sizeof *needs);
	if (e->n_groups > 0)
		memcpy(groups, e->groups, e->n_groups * sizeof *groups);
	free(e->needs);
	free(e->groups);
	e->needs = needs;
	e->groups = groups;
}

/* ---- the keys of a service */

struct service_key {
	const char *name;
	bool in_defaults;
	size_t text; /* offset of a char * when read is NULL */
	void (*read)(const struct reading *r, const struct node *n, struct map_entry *e);
};

static const struct service_key service_keys[] = {
    {"name", false, offsetof(struct map_entry, name), NULL},
    {"kind", true, offsetof(struct map_entry, kind), NULL},
    {"tier", true, 0, read_tier},
    {"owner", true, offsetof(struct map_entry, owner), NULL},
    {"assign", true, offsetof(struct map_entry, assign), NULL},
    {"runbook", true, offsetof(struct map_entry, runbook), NULL},
    {"source", true, offsetof(struct map_entry, source), NULL},
    {"labels", true, 0, read_labels},
    {"needs", false, 0, read_needs},
    {"hosts", false, 0, read_hosts},
    {"aliases", false, 0, read_aliases},
    {"ends", false, 0, read_ends},
    {"ports", false, 0, read_ports},
    {"hides", false, 0, read_hides},
};

static void read_keys(const struct reading *r, const struct node *n, bool defaults, struct map_entry *e)
{
	const char *names[ARRAY_LEN(service_keys)];
	size_t n_names = 0;
	for (size_t i = 0; i < ARRAY_LEN(service_keys); i++) {
		if (!defaults || service_keys[i].in_defaults)
			names[n_names++] = service_keys[i].name;
	}
	keys_known(r, n, r->thing, names, n_names);
	for (size_t i = 0; i < ARRAY_LEN(service_keys); i++) {
		const struct service_key *key = &service_keys[i];
		const struct node *x = node_get(n, key->name);
		if (x == NULL || (defaults && !key->in_defaults))
			continue;
		if (key->read != NULL)
			key->read(r, x, e);
		else
			read_text(r, x, (char **)(void *)((char *)e + key->text));
	}
}

static bool has_label(const struct map_entry *e, const char *key)
{
	for (size_t i = 0; i < e->n_labels; i++) {
		if (strcmp(e->label_keys[i], key) == 0)
			return true;
	}
	return false;
}

static void default_labels(const struct reading *r, struct map_entry *e)
{
	const struct map_entry *from = &r->defaults;
	if (from->n_labels == 0)
		return;
	size_t n = 0, cap = e->n_labels + from->n_labels;
	char **keys = map_draft_array(r->d, cap, sizeof(char *));
	char **values = map_draft_array(r->d, cap, sizeof(char *));
	for (size_t i = 0; i < e->n_labels; i++, n++) {
		keys[n] = e->label_keys[i];
		values[n] = e->label_values[i];
	}
	for (size_t i = 0; i < from->n_labels; i++) {
		if (has_label(e, from->label_keys[i]))
			continue;
		keys[n] = from->label_keys[i];
		values[n++] = from->label_values[i];
	}
	e->label_keys = keys;
	e->label_values = values;
	e->n_labels = n;
}

static char *either(char *own, char *other)
{
	return own != NULL ? own : other;
}

static void apply_defaults(const struct reading *r, struct map_entry *e)
{
	const struct map_entry *from = &r->defaults;
	e->kind = either(e->kind, from->kind);
	e->owner = either(e->owner, from->owner);
	e->assign = either(e->assign, from->assign);
	e->runbook = either(e->runbook, from->runbook);
	e->source = either(e->source, from->source);
	if (e->tier == 0)
		e->tier = from->tier;
	if (e->source == NULL)
		e->source = map_draft_str(r->d, slice_str(r->file));
	default_labels(r, e);
}

static void read_service(struct reading *r, const struct node *n)
{
	snprintf(r->thing, sizeof r->thing, "service '" SLICE_FMT "'", SLICE_ARG(slice_sub(n->key, 0, 128)));
	if (!map_id_valid(n->key)) {
		refuse(r, "E010", n->key_mark,
		       "id '" SLICE_FMT
		       "' is not valid; use lower-case letters, digits, '.', '_' and '-', at most 128",
		       SLICE_ARG(n->key));
		return;
	}
	if (!node_null(n) && !is_kind(r, n, NODE_MAP))
		return;
	struct map_entry *e = map_draft_add(r->d);
	e->id = map_draft_str(r->d, n->key);
	e->file = r->file;
	e->mark = n->key_mark;
	if (n->kind == NODE_MAP)
		read_keys(r, n, false, e);
	apply_defaults(r, e);
}

static void read_version(const struct reading *r, const struct node *root)
{
	const struct node *version = node_get(root, "version");
	if (version == NULL)
		refuse(r, "E005", root->mark, "the map needs 'version'; write version: 1");
	else if (version->kind != NODE_SCALAR)
		refuse(r, "E007", version->mark, "expected a number for 'version', got %s",
		       node_kind_name(version));
	else if (!slice_is(version->text, "1"))
		refuse(r, "E011", version->mark, "'" SLICE_FMT "' must be one of 1",
		       SLICE_ARG(version->text));
}

/* The draft outlives the document: it keeps the name, and the text for the source lines of later findings. */
static const char *keep_source(struct map_draft *d, const struct doc *doc)
{
	enum { SOURCE_MAX = 4 << 20 };
	for (size_t i = 0; i < d->n_sources; i++) {
		if (strcmp(d->sources[i].file, doc->file) == 0 && slice_eq(d->sources[i].text, doc->text))
			return d->sources[i].file;
	}
	char *file = map_draft_str(d, slice_str(doc->file));
	if (doc->text.n <= SOURCE_MAX) {
		d->sources = array_reserve(d->sources, &d->cap_sources, d->n_sources + 1, sizeof *d->sources);
		d->sources[d->n_sources++] = (struct map_source){file, arena_slice(d->arena, doc->text)};
	}
	return file;
}

void map_draft_node(struct map_draft *d, const struct doc *doc, const struct node *n, struct findings *f)
{
	static const char *const keys[] = {"version", "defaults", "services"};
	struct reading r = {.d = d, .doc = doc, .f = f, .file = keep_source(d, doc), .thing = "the map"};
	if (n == NULL) {
		refuse(&r, "E005", (struct mark){1, 1, 1}, "the map needs 'version' and 'services'");
		return;
	}
	if (!is_kind(&r, n, NODE_MAP))
		return;
	keys_known(&r, n, "the map", keys, ARRAY_LEN(keys));
	read_version(&r, n);
	const struct node *defaults = node_get(n, "defaults"), *services = node_get(n, "services");
	snprintf(r.thing, sizeof r.thing, "defaults");
	if (defaults != NULL && is_kind(&r, defaults, NODE_MAP))
		read_keys(&r, defaults, true, &r.defaults);
	if (services == NULL) {
		refuse(&r, "E005", n->key.n > 0 ? n->key_mark : n->mark, "the map needs 'services'");
		return;
	}
	if (!is_kind(&r, services, NODE_MAP))
		return;
	for (const struct node *x = services->first; x != NULL; x = x->next)
		read_service(&r, x);
}

void map_draft_yaml(struct map_draft *d, const struct doc *doc, struct findings *f)
{
	map_draft_node(d, doc, doc->root, f);
}
