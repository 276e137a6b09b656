/* Which field names exist: core fields, open prefixes, what decoders set and extract, and what `fields:`
 * declares (language.md sections 2, 3; E020, E061, E081). One global list; every named field of a rule set
 * gets a dense slot. */

#include "rules/load.h"

static const struct {
	const char *name;
	enum value_type type;
} engine_fields[] = {
    {"service.name", VALUE_TEXT},   {"service.tier", VALUE_NUMBER},  {"service.owner", VALUE_TEXT},
    {"service.assign", VALUE_TEXT}, {"service.runbook", VALUE_TEXT}, {"service.kind", VALUE_TEXT},
    {"alert.rule", VALUE_TEXT},     {"alert.state", VALUE_TEXT},     {"alert.count", VALUE_NUMBER},
    {"alert.value", VALUE_NUMBER},  {"alert.opened", VALUE_TIME},    {"alert.severity", VALUE_TEXT},
};
static const char *const template_names[] = {
    "service.state",      "rule.id",           "rule.summary",       "rule.runbook",
    "rule.owner",         "incident.id",       "incident.dedup_key", "incident.label",
    "incident.labels",    "incident.title",    "incident.body",      "incident.priority",
    "incident.impact",    "incident.urgency",  "incident.severity",  "incident.root",
    "incident.service",   "incident.services", "incident.ci",        "incident.class",
    "incident.tags",      "incident.assign",   "incident.alerts",    "incident.count",
    "incident.opened_at", "incident.url",      "alert.rule",         "alert.state",
    "alert.count",        "alert.value",       "alert.opened",       "alert.severity"};
static const char *const words_type[] = {"text", "number", "ip", "bool", "time", NULL};

bool rules_template_name(struct slice path)
{
	for (size_t i = 0; i < ARRAY_LEN(template_names); i++)
		if (slice_is(path, template_names[i]))
			return true;
	return slice_starts(path, SLICE("incident.fields.")) && path.n > strlen("incident.fields.");
}

static bool reserved(struct slice s)
{
	return slice_is(s, "any") || slice_is(s, "all") || slice_is(s, "not") || slice_is(s, "macro");
}

static struct known_field *known_add(struct loader *ld, struct slice name, enum value_type type)
{
	struct known_field *k = hmap_get(ld->fields, name);
	if (k != NULL)
		return k;
	k = arena_alloc(ld->tmp, sizeof *k);
	k->name = arena_slice(ld->a, name);
	k->type = type;
	hmap_put(ld->fields, name, k);
	ld->field_list =
	    array_reserve(ld->field_list, &ld->cap_field_list, ld->n_field_list + 1, sizeof *ld->field_list);
	ld->field_list[ld->n_field_list++] = k->name.p;
	return k;
}

static bool name_valid(struct loader *ld, const struct load_file *file, struct slice name, struct mark at)
{
	if (reserved(name)) {
		load_error(ld, file, "E010", at,
		           "'" SLICE_FMT
		           "' cannot be a field, because conditions use it; choose another name",
		           SLICE_ARG(name));
		return false;
	}
	if (field_valid(name))
		return true;
	load_error(ld, file, "E010", at,
	           "id '" SLICE_FMT "' is not valid; use lower-case letters, digits and '_'",
	           SLICE_ARG(name));
	return false;
}

bool names_writable(struct loader *ld, const struct load_file *file, struct slice name, struct mark at)
{
	if (!name_valid(ld, file, name, at))
		return false;
	enum field_id id = field_core(name);
	if (!(id != FIELD_NONE && field_read_only(id)) && !slice_starts(name, SLICE("service.")) &&
	    !slice_starts(name, SLICE("alert.")))
		return true;
	load_error(ld, file, "E081", at, "'" SLICE_FMT "' is read-only", SLICE_ARG(name));
	return false;
}

static void declare(struct loader *ld, const struct load_file *file, const struct node *n)
{
	static const enum value_type types[] = {VALUE_TEXT, VALUE_NUMBER, VALUE_IP, VALUE_BOOL, VALUE_TIME};
	if (!name_valid(ld, file, n->key, n->key_mark))
		return;
	enum value_type type = VALUE_TEXT;
	if (n->kind != NODE_SCALAR || node_null(n))
		load_error(ld, file, n->kind == NODE_SCALAR ? "E027" : "E007",
		           n->text.n > 0 ? n->mark : n->key_mark,
		           "expected a type (text, number, ip, bool, time) for '" SLICE_FMT "', got %s",
		           SLICE_ARG(n->key), schema_what(n));
	else if (load_word(ld, file, n->mark, n->text, words_type))
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			if (slice_is(n->text, words_type[i]))
				type = types[i];
	struct known_field *k = known_add(ld, n->key, type);
	if (k->declared && k->type != type) {
		load_error(ld, file, "E002", n->key_mark,
		           "duplicate field '" SLICE_FMT "' with another type; first at %s:%u:%u",
		           SLICE_ARG(n->key), k->file->name, k->mark.line, k->mark.col);
		return;
	}
	if (k->declared || field_core(n->key) != FIELD_NONE)
		return;
	k->declared = true;
	k->type = type;
	k->file = file;
	k->mark = n->key_mark;
	k->how = arena_printf(ld->tmp, "declared in %s:%u", file->name, n->key_mark.line);
}

static const char *decoder_place(struct loader *ld, const struct symbol *d)
{
	const char *slash = strrchr(d->file->name, '/');
	return arena_printf(ld->tmp, "set by decoder '" SLICE_FMT "', %s:%u", SLICE_ARG(d->name),
	                    slash != NULL ? slash + 1 : d->file->name, d->node->mark.line);
}

/* A field that a decoder gives: known from now on, with the place for the hint of E020. */
void names_produced(struct loader *ld, const struct symbol *d, struct slice name, enum value_type type)
{
	if (!field_valid(name) || reserved(name))
		return;
	bool is_new = hmap_get(ld->fields, name) == NULL;
	struct known_field *k = known_add(ld, name, type);
	if (k->how == NULL && field_core(name) == FIELD_NONE)
		k->how = decoder_place(ld, d);
	/* one decoder that captures a number makes the field comparable */
	if (!is_new && !k->declared && k->type == VALUE_TEXT && field_core(name) == FIELD_NONE)
		k->type = type;
}

static void decoder_names(struct loader *ld, struct symbol *d)
{
	decoder_extract_load(ld, d);
	for (size_t e = 0; e < d->n_extract; e++)
		for (size_t p = 0; p < d->extract[e].n; p++) {
			const struct slice *names;
			const enum value_type *types;
			size_t n = pattern_captures(d->extract[e].patterns[p], &names, &types);
			for (size_t i = 0; i < n; i++)
				names_produced(ld, d, names[i], types[i]);
		}
	const struct node *set = node_get(d->node, "set"), *lookup = node_get(d->node, "lookup");
	if (set != NULL && set->kind == NODE_MAP)
		for (const struct node *n = set->first; n != NULL; n = n->next)
			names_produced(ld, d, n->key, VALUE_TEXT);
	for (const struct node *l = lookup != NULL && lookup->kind == NODE_LIST ? lookup->first : NULL;
	     l != NULL; l = l->next) {
		const struct node *into = node_get(l->kind == NODE_MAP ? l : NULL, "set");
		for (const struct node *n = into != NULL && into->kind == NODE_MAP ? into->first : NULL;
		     n != NULL; n = n->next)
			names_produced(ld, d, n->key, VALUE_TEXT);
	}
}

void names_collect(struct loader *ld)
{
	for (int id = FIELD_NONE + 1; id < FIELD_CORE_MAX; id++)
		(void)known_add(ld, slice_str(field_name((enum field_id)id)), field_type((enum field_id)id));
	for (size_t i = 0; i < ARRAY_LEN(engine_fields); i++)
		(void)known_add(ld, slice_str(engine_fields[i].name), engine_fields[i].type);
	for (size_t i = 0; i < ld->n_files; i++) {
		const struct load_file *file = &ld->files[i];
		const struct node *map =
		    file->doc != NULL && !file->test_only ? node_get(file->doc->root, "fields") : NULL;
		for (const struct node *n = map != NULL && map->kind == NODE_MAP ? map->first : NULL;
		     n != NULL; n = n->next)
			declare(ld, file, n);
	}
	for (size_t i = 0; i < ld->n_symbols[SYMBOL_DECODER]; i++)
		if (ld->symbols[SYMBOL_DECODER][i]->node->kind == NODE_MAP)
			decoder_names(ld, ld->symbols[SYMBOL_DECODER][i]);
}

/* Values under an open prefix are text for '=' unless `fields:` says otherwise (17.10). */
bool names_known(const struct loader *ld, struct slice name, enum value_type *type)
{
	const struct known_field *k = hmap_get(ld->fields, name);
	if (k == NULL) {
		bool label = slice_starts(name, SLICE("service.labels.")) && field_valid(name);
		*type = VALUE_TEXT;
		return label || field_open(name);
	}
	*type = field_open(name) && !k->declared ? VALUE_TEXT : k->type;
	return true;
}

static void service_path(struct loader *ld, struct slice name)
{
	struct rule_set *rs = ld->rs;
	struct slice path = slice_sub(name, strlen("service."), name.n);
	if (!slice_starts(name, SLICE("service.")) || slice_is(path, "state") ||
	    hmap_get(ld->service_paths, path) != NULL)
		return;
	rs->service_paths = array_reserve(rs->service_paths, &rs->cap_service_paths, rs->n_service_paths + 1,
	                                  sizeof *rs->service_paths);
	rs->service_paths[rs->n_service_paths++] = arena_slice(ld->a, path);
	hmap_put(ld->service_paths, path, ld);
}

struct field_ref names_ref(struct loader *ld, struct slice name, enum value_type type)
{
	struct rule_set *rs = ld->rs;
	BUG_ON(name.n == 0);
	struct field_ref r = {.core = field_core(name), .name = arena_slice(ld->a, name), .type = type};
	if (r.core != FIELD_NONE)
		return r;
	service_path(ld, name);
	uintptr_t slot = (uintptr_t)hmap_get(ld->slots, name);
	if (slot == 0) {
		rs->field_names = array_reserve(rs->field_names, &rs->cap_field_names, rs->n_field_names + 1,
		                                sizeof *rs->field_names);
		rs->field_names[rs->n_field_names++] = r.name;
		slot = rs->n_field_names;
		hmap_put(ld->slots, name, (void *)slot);
	}
	BUG_ON(slot > rs->n_field_names);
	r.slot = (uint32_t)slot - 1;
	return r;
}

/* What other programs call a core field; NULL. */
static const char *other_name(struct slice name)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {{"program", "app"},
	             {"programname", "app"},
	             {"process", "app"},
	             {"appname", "app"},
	             {"hostname", "host"},
	             {"node", "host"},
	             {"msg", "message"},
	             {"text", "message"},
	             {"log", "message"},
	             {"level", "severity"},
	             {"priority", "severity"},
	             {"pid", "syslog.pid"},
	             {"facility", "syslog.facility"}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_is(name, names[i].theirs))
			return names[i].ours;
	return NULL;
}

bool names_field(struct loader *ld, const struct load_file *file, struct slice name, struct mark at,
                 struct field_ref *out)
{
	enum value_type type;
	if (names_known(ld, name, &type) || (ld->src->any_field && field_valid(name) && !reserved(name))) {
		*out = names_ref(ld, name, type);
		return true;
	}
	const char *near = load_hints(ld) ? suggest(name, ld->field_list, ld->n_field_list) : NULL,
	           *next = "";
	const struct known_field *k = near != NULL ? hmap_get(ld->fields, slice_str(near)) : NULL;
	if (k != NULL && k->how != NULL)
		next = arena_printf(ld->tmp, "; did you mean '%s' (%s)?", near, k->how);
	else if (near != NULL)
		next = arena_printf(ld->tmp, "; did you mean '%s'?", near);
	else if (other_name(name) != NULL)
		next = arena_printf(
		    ld->tmp,
		    "; did you mean '%s'? If it arrives like this, declare it: fields: {" SLICE_FMT ": text}",
		    other_name(name), SLICE_ARG(name));
	else if (field_valid(name))
		next = arena_printf(ld->tmp,
		                    "; if it arrives like this, declare it: fields: {" SLICE_FMT ": text}",
		                    SLICE_ARG(name));
	load_error(ld, file, "E020", at,
	           "unknown field '" SLICE_FMT "': no decoder sets it and no 'fields:' declares it%s",
	           SLICE_ARG(name), next);
	return false;
}

bool names_lower(const struct field_ref *f)
{
	return f->core == FIELD_HOST || f->core == FIELD_SERVICE;
}

struct known_arg {
	const struct loader *ld;
	bool rule;
};

/* ${steps.NAME.field}: takes it apart. NULL if no step of the rule has this name. */
static struct load_step *step_of(const struct loader *ld, struct slice path, struct slice *field)
{
	if (!slice_starts(path, SLICE("steps.")))
		return NULL;
	struct slice rest = slice_sub(path, strlen("steps."), path.n), name;
	if (!slice_split(&rest, '.', &name) || rest.n == 0)
		return NULL;
	*field = rest;
	for (size_t i = 0; i < ld->n_steps; i++)
		if (ld->steps[i].name.n > 0 && slice_eq(ld->steps[i].name, name))
			return &ld->steps[i];
	return NULL;
}

/* Later the engine keeps exactly these values of the step's event. */
static void step_field(struct loader *ld, struct slice path)
{
	struct slice field;
	struct load_step *st = step_of(ld, path, &field);
	for (size_t i = 0; st != NULL && i < st->n; i++)
		if (slice_eq(st->fields[i], field))
			return;
	if (st == NULL)
		return;
	struct slice *v = arena_array(ld->a, st->n + 1, sizeof *v);
	if (st->n > 0)
		memcpy(v, st->fields, st->n * sizeof *v);
	v[st->n++] = arena_slice(ld->a, field);
	st->fields = v;
}

static bool template_known(struct slice path, void *arg)
{
	const struct known_arg *k = arg;
	enum value_type type;
	struct slice field;
	if (k->rule && step_of(k->ld, path, &field) != NULL)
		return names_known(k->ld, field, &type);
	return names_known(k->ld, path, &type) || (k->rule && rules_template_name(path));
}

static void template_error(struct loader *ld, const struct load_file *file, const struct node *n,
                           struct slice text, const struct template_fault *fault, bool rule)
{
	struct mark at = slice_eq(text, n->text) ? value_mark(file, n, fault->at, fault->len) : n->mark;
	if (strcmp(fault->code, "E061") != 0) {
		load_error(ld, file, fault->code, at, "%s", fault->error.text);
		return;
	}
	struct slice path = slice_sub(text, fault->at, fault->len);
	size_t count = load_hints(ld) ? ld->n_field_list : 0, more = rule ? ARRAY_LEN(template_names) : 0;
	const char **names = arena_array(ld->tmp, count + more, sizeof *names);
	memcpy(names, ld->field_list, count * sizeof *names);
	memcpy(names + count, template_names, more * sizeof *names);
	const char *near = suggest(path, names, count + more);
	if (near != NULL) {
		load_error(ld, file, "E061", at,
		           "unknown field '" SLICE_FMT "' in template; did you mean '%s'?", SLICE_ARG(path),
		           near);
		return;
	}
	load_error(ld, file, "E061", at,
	           "unknown field '" SLICE_FMT
	           "' in template; available here: core fields, syslog.*, snmp.*, body.*, x.*, "
	           "service.*%s and what decoders set or 'fields:' declares",
	           SLICE_ARG(path),
	           !rule             ? ""
	           : ld->n_steps > 0 ? ", alert.*, rule.*, incident.*, steps.NAME.field"
	                             : ", alert.*, rule.*, incident.*");
}

const struct template *names_template(struct loader *ld, const struct load_file *file, const struct node *n,
                                      bool rule)
{
	struct slice text;
	struct template_fault fault = {0};
	struct known_arg arg = {ld, rule};
	if (n == NULL || !value_text(ld, file, n, false, &text))
		return NULL;
	const struct template *t = template_parse(ld->a, text, template_known, &arg, NULL, &fault);
	if (t == NULL) {
		template_error(ld, file, n, text, &fault, rule);
		return NULL;
	}
	const struct slice *paths;
	size_t count = template_paths(t, &paths);
	for (size_t i = 0; i < count; i++) {
		service_path(ld, paths[i]);
		if (rule)
			step_field(ld, paths[i]);
	}
	return t;
}
