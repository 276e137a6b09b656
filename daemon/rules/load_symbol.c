/* Packages and what they name: params, lists, macros, decoders, rules; references to them; what the
 * installation overrides (language.md sections 2, 11). */

#include "rules/load.h"

const char *symbol_kind_word(enum symbol_kind kind)
{
	switch (kind) {
	case SYMBOL_PARAM: return "param";
	case SYMBOL_LIST: return "list";
	case SYMBOL_MACRO: return "macro";
	case SYMBOL_DECODER: return "decoder";
	case SYMBOL_RULE: return "rule";
	case SYMBOL_TABLE: return "table";
	case SYMBOL_CALENDAR: return "calendar";
	case SYMBOL_SILENCE: return "silence";
	}
	return "name";
}

bool load_later(const struct symbol *x, const struct symbol *y)
{
	const struct mark *a = &x->node->key_mark, *b = &y->node->key_mark;
	if (x->file != y->file)
		return x->file > y->file; /* elements of one array, in loading order */
	return a->line != b->line ? a->line > b->line : a->col > b->col;
}

static struct slice full_id(struct loader *ld, struct slice package, struct slice name)
{
	char *p = arena_printf(ld->a, SLICE_FMT "/" SLICE_FMT, SLICE_ARG(package), SLICE_ARG(name));
	return slice_str(p);
}

static bool param_name(struct slice s)
{
	struct buf b = {0};
	buf_char(&b, '$');
	buf_adds(&b, s);
	bool ok = value_is_param(buf_slice(&b));
	buf_free(&b);
	return ok;
}

static bool name_ok(struct loader *ld, const struct load_file *file, enum symbol_kind kind, struct slice name,
                    struct mark at)
{
	bool param = kind == SYMBOL_PARAM;
	if (param ? param_name(name) : value_is_id(name))
		return true;
	load_error(ld, file, "E010", at,
	           "id '" SLICE_FMT "' is not valid; use lower-case letters, digits and '%c'",
	           SLICE_ARG(name), param ? '_' : '-');
	return false;
}

static struct symbol *symbol_add(struct loader *ld, const struct load_file *file, enum symbol_kind kind,
                                 struct slice name, const struct node *n, struct mark at)
{
	if (!name_ok(ld, file, kind, name, at))
		return NULL;
	BUG_ON(kind >= SYMBOL_KINDS || ld->by_id[kind] == NULL);
	struct slice id = full_id(ld, file->package, name);
	struct symbol *old = hmap_get(ld->by_id[kind], id);
	if (old != NULL) {
		struct mark first = kind == SYMBOL_DECODER ? old->node->mark : old->node->key_mark;
		load_error(ld, file, "E002", at, "duplicate %s '" SLICE_FMT "'; first at %s:%u:%u",
		           symbol_kind_word(kind), SLICE_ARG(id), old->file->name, first.line, first.col);
		return NULL;
	}
	struct symbol *s = arena_alloc(ld->tmp, sizeof *s);
	*s = (struct symbol){.kind = kind,
	                     .id = id,
	                     .package = arena_slice(ld->a, file->package),
	                     .file = file,
	                     .node = n,
	                     .list = {UINT32_MAX, UINT32_MAX}};
	s->name = slice_sub(id, file->package.n + 1, name.n);
	BUG_ON(!slice_eq(s->name, name));
	hmap_put(ld->by_id[kind], id, s);
	ld->symbols[kind] = array_reserve(ld->symbols[kind], &ld->cap_symbols[kind], ld->n_symbols[kind] + 1,
	                                  sizeof *ld->symbols[kind]);
	ld->symbols[kind][ld->n_symbols[kind]++] = s;
	return s;
}

static void collect_map(struct loader *ld, const struct load_file *file, const char *key,
                        enum symbol_kind kind)
{
	const struct node *map = node_get(file->doc->root, key);
	if (map == NULL || map->kind != NODE_MAP)
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next)
		(void)symbol_add(ld, file, kind, n->key, n, n->key_mark);
}

static void collect_params(struct loader *ld, const struct load_file *file)
{
	const struct node *map = node_get(file->doc->root, "params");
	if (map == NULL || map->kind != NODE_MAP)
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		struct symbol *s = symbol_add(ld, file, SYMBOL_PARAM, n->key, n, n->key_mark);
		if (s == NULL)
			continue;
		s->broken = true;
		if (n->kind != NODE_SCALAR)
			load_error(ld, file, "E007", n->mark,
			           "expected text or a number for param '" SLICE_FMT "', got %s",
			           SLICE_ARG(n->key), schema_what(n));
		else if (node_null(n))
			load_error(ld, file, "E027", n->key_mark,
			           "empty value; write a value for '" SLICE_FMT "' or remove the key",
			           SLICE_ARG(n->key));
		else {
			s->value = arena_slice(ld->a, n->text);
			s->broken = false;
		}
	}
}

static void collect_decoders(struct loader *ld, const struct load_file *file)
{
	const struct node *list = node_get(file->doc->root, "decoders");
	if (list == NULL || list->kind != NODE_LIST)
		return;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		const struct node *id = node_get(n->kind == NODE_MAP ? n : NULL, "id");
		if (id == NULL || id->kind != NODE_SCALAR || node_null(id)) {
			/* its form is still checked, so that one run tells everything */
			(void)schema_check(ld, file, n, &schema_decoder, "decoder", n->mark);
			continue;
		}
		(void)symbol_add(ld, file, SYMBOL_DECODER, id->text, n, id->mark);
	}
}

void symbols_collect(struct loader *ld)
{
	for (size_t i = 0; i < ld->n_files; i++) {
		const struct load_file *file = &ld->files[i];
		if (file->doc == NULL || file->test_only)
			continue;
		collect_params(ld, file);
		collect_map(ld, file, "lists", SYMBOL_LIST);
		collect_map(ld, file, "macros", SYMBOL_MACRO);
		collect_decoders(ld, file);
		collect_map(ld, file, "rules", SYMBOL_RULE);
		collect_map(ld, file, "tables", SYMBOL_TABLE);
		collect_map(ld, file, "calendars", SYMBOL_CALENDAR);
		collect_map(ld, file, "silences", SYMBOL_SILENCE);
	}
}

struct symbol *symbol_find(struct loader *ld, const struct load_file *file, enum symbol_kind kind,
                           struct slice ref)
{
	if (ref.n == 0 || ref.n > 127)
		return NULL;
	if (memchr(ref.p, '/', ref.n) != NULL)
		return hmap_get(ld->by_id[kind], ref);
	struct slice id = full_id(ld, file->package, ref);
	return hmap_get(ld->by_id[kind], id);
}

static const char *ref_hint(struct loader *ld, const struct load_file *file, enum symbol_kind kind,
                            struct slice ref)
{
	size_t n = load_hints(ld) ? ld->n_symbols[kind] : 0, count = 0;
	bool full = memchr(ref.p, '/', ref.n) != NULL;
	const char **names = arena_array(ld->tmp, n + 1, sizeof *names);
	for (size_t i = 0; i < n; i++) {
		const struct symbol *s = ld->symbols[kind][i];
		if (full)
			names[count++] = s->id.p;
		else if (slice_eq(s->package, file->package))
			names[count++] = arena_str(ld->tmp, s->name);
	}
	return load_hint(ld, ref, names, count);
}

struct symbol *symbol_ref(struct loader *ld, const struct load_file *file, enum symbol_kind kind,
                          const struct node *n)
{
	if (n->kind != NODE_SCALAR || node_null(n)) {
		load_error(ld, file, n->kind == NODE_SCALAR ? "E027" : "E007", n->mark,
		           "expected the name of a %s, got %s", symbol_kind_word(kind), schema_what(n));
		return NULL;
	}
	struct symbol *s = symbol_find(ld, file, kind, n->text);
	if (s == NULL) {
		load_error(ld, file, "E025", n->mark, "there is no %s '" SLICE_FMT "'%s",
		           symbol_kind_word(kind), SLICE_ARG(n->text),
		           n->text.n > 0 ? ref_hint(ld, file, kind, n->text) : "");
		return NULL;
	}
	s->used = true;
	return s;
}

/* ---- the installation's overrides: `packs` of carillon.yaml */

#define CONFIG_FILE "carillon.yaml"

static struct symbol *pack_symbol(struct loader *ld, const struct pack_config *p, enum symbol_kind kind,
                                  const char *name)
{
	struct slice id = full_id(ld, slice_str(p->name), slice_str(name));
	struct symbol *s = hmap_get(ld->by_id[kind], id);
	if (s == NULL)
		findings_add(ld->f, FINDING_ERROR, "E025", CONFIG_FILE, p->mark, SLICE_NONE,
		             "there is no %s '%s' in package '%s'", symbol_kind_word(kind), name, p->name);
	return s;
}

static void pack_mode(struct loader *ld, const struct pack_config *p, char *const *names, size_t n,
                      enum rule_mode mode)
{
	for (size_t i = 0; i < n; i++) {
		struct symbol *s = pack_symbol(ld, p, SYMBOL_RULE, names[i]);
		if (s == NULL)
			continue;
		s->mode = mode;
		s->mode_set = true;
	}
}

void symbols_packs(struct loader *ld)
{
	const struct config *c = ld->src->config;
	for (size_t i = 0; c != NULL && i < c->n_packs; i++) {
		const struct pack_config *p = &c->packs[i];
		if (hmap_get(ld->packages, slice_str(p->name)) == NULL) {
			if (!ld->src->partial)
				findings_add(ld->f, FINDING_ERROR, "E025", CONFIG_FILE, p->mark, SLICE_NONE,
				             "there is no package '%s'", p->name);
			continue;
		}
		for (size_t k = 0; k < p->n_params; k++) {
			struct symbol *s = pack_symbol(ld, p, SYMBOL_PARAM, p->param_keys[k]);
			if (s == NULL)
				continue;
			s->value = arena_slice(ld->a, slice_str(p->param_values[k]));
			s->broken = false;
		}
		for (size_t k = 0; k < p->n_lists; k++) {
			struct symbol *s = pack_symbol(ld, p, SYMBOL_LIST, p->list_keys[k]);
			if (s == NULL)
				continue;
			s->pack = p;
			s->pack_list = k;
		}
		pack_mode(ld, p, p->off, p->n_off, MODE_OFF);
		pack_mode(ld, p, p->trial, p->n_trial, MODE_TRIAL);
	}
}
