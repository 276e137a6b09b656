/* Decoders: match, extract, set, drop (language.md section 5; E005, E011, E061, E080, E081). Their patterns
 * are read first of all, because captures make fields known. */

#include "rules/load.h"

/* The fault's octets are those of the text; the finding stands at the very character. */
static void pattern_error(struct loader *ld, const struct load_file *file, const struct node *n,
                          const struct pattern_fault *fault)
{
	load_error(ld, file, fault->code, value_mark(file, n, fault->at, fault->len), "%s",
	           fault->error.text);
}

/* A pattern with a fault still tells which fields were meant: they need not be reported too. */
static void pattern_names(struct loader *ld, const struct symbol *d, struct slice text)
{
	for (size_t i = 0; i + 2 < text.n; i++) {
		if (text.p[i] != '$' || text.p[i + 1] != '{')
			continue;
		struct slice name = slice_sub(text, i + 2, text.n);
		name.n = strcspn(name.p, ":}$ ");
		struct slice type = slice_sub(text, i + 2 + name.n, text.n);
		bool number = slice_starts(type, SLICE(":int}")) || slice_starts(type, SLICE(":num}"));
		if (name.n > 0 && name.n < 64)
			names_produced(ld, d, name, number ? VALUE_NUMBER : VALUE_TEXT);
	}
}

static bool pattern_load(struct loader *ld, const struct symbol *d, const struct node *n,
                         struct pattern **out)
{
	struct rule_set *rs = ld->rs;
	struct slice text;
	struct pattern_fault fault = {0};
	bool jit = ld->src->config == NULL || ld->src->config->regex_jit;
	if (!value_text(ld, d->file, n, false, &text))
		return false;
	struct pattern *p = pattern_new(ld->a, text, jit, &fault);
	if (p == NULL) {
		pattern_error(ld, d->file, n, &fault);
		pattern_names(ld, d, text);
		return false;
	}
	rs->patterns =
	    array_reserve(rs->patterns, &rs->cap_patterns, rs->n_patterns + 1, sizeof *rs->patterns);
	rs->patterns[rs->n_patterns++] = p;
	*out = p;
	return true;
}

/* A capture's name must be one that may be set. */
static void captures_check(struct loader *ld, const struct load_file *file, const struct node *n,
                           const struct pattern *p)
{
	const struct slice *names;
	const enum value_type *types;
	size_t count = pattern_captures(p, &names, &types);
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;
		while (at + names[i].n < n->text.n && memcmp(n->text.p + at, names[i].p, names[i].n) != 0)
			at++;
		(void)names_writable(ld, file, names[i], value_mark(file, n, at, names[i].n));
	}
}

static void patterns_load(struct loader *ld, const struct symbol *d, const struct node *n,
                          struct decoder_extract *out)
{
	size_t count;
	const struct node **items = value_items(ld, d->file, n, &count);
	if (items == NULL)
		return;
	struct pattern **v = arena_array(ld->a, count, sizeof *v);
	for (size_t i = 0; i < count; i++) {
		if (!pattern_load(ld, d, items[i], &v[out->n]))
			continue;
		captures_check(ld, d->file, items[i], v[out->n]);
		out->n++;
	}
	out->patterns = v;
}

void decoder_extract_load(struct loader *ld, struct symbol *d)
{
	const struct node *map = node_get(d->node, "extract");
	if (map == NULL || map->kind != NODE_MAP || map->n == 0)
		return;
	d->extract = arena_array(ld->a, map->n, sizeof *d->extract);
	for (const struct node *n = map->first; n != NULL; n = n->next)
		patterns_load(ld, d, n, &d->extract[d->n_extract++]);
}

/* After all names are known: field references of what was read early. */
static void extract_finish(struct loader *ld, struct symbol *d)
{
	const struct node *map = node_get(d->node, "extract"),
	                  *n = map != NULL && map->kind == NODE_MAP ? map->first : NULL;
	if (map != NULL && map->kind == NODE_MAP && map->n == 0)
		load_error(ld, d->file, "E027", map->mark,
		           "empty map; write a field and a pattern or remove 'extract'");
	for (size_t e = 0; e < d->n_extract; e++, n = n->next) {
		BUG_ON(n == NULL);
		struct decoder_extract *x = &d->extract[e];
		(void)names_field(ld, d->file, n->key, n->key_mark, &x->field);
		const struct field_ref **per = arena_array(ld->a, x->n + 1, sizeof *per);
		for (size_t p = 0; p < x->n; p++) {
			const struct slice *names;
			const enum value_type *types;
			size_t count = pattern_captures(x->patterns[p], &names, &types);
			struct field_ref *refs = arena_array(ld->a, count + 1, sizeof *refs);
			for (size_t c = 0; c < count; c++)
				refs[c] = names_ref(ld, names[c], types[c]);
			per[p] = refs;
		}
		x->captures = per;
	}
}

/* severity and state know few words; a literal must be one of them. */
static bool enum_literal(struct loader *ld, const struct load_file *file, const struct field_ref *f,
                         const struct node *n, struct slice text)
{
	if (f->core == FIELD_SEVERITY)
		return load_word(ld, file, n->mark, text, words_severity);
	if (f->core == FIELD_STATE)
		return load_word(ld, file, n->mark, text, words_state);
	return true;
}

static bool map_value(struct loader *ld, const struct load_file *file, const struct field_ref *f,
                      const struct node *n, struct slice *out)
{
	if (!value_text(ld, file, n, true, out) || !enum_literal(ld, file, f, n, *out))
		return false;
	if (names_lower(f))
		*out = value_lower(ld, *out);
	return true;
}

/* `from` and `map`: another field's value, translated. */
static void set_map(struct loader *ld, const struct load_file *file, const struct node *n,
                    struct decoder_set *out)
{
	const struct node *from = node_get(n, "from"), *map = node_get(n, "map"),
	                  *fallback = node_get(n, "default");
	const char *thing = arena_printf(ld->tmp, "'set' of '" SLICE_FMT "'", SLICE_ARG(n->key));
	struct field_ref source;
	if (!schema_check(ld, file, n, &schema_decoder_map, thing, n->key_mark))
		return;
	if (from != NULL && from->kind == NODE_SCALAR && !node_null(from) &&
	    names_field(ld, file, from->text, from->mark, &source))
		out->from = source.name;
	if (fallback != NULL && fallback->kind == NODE_SCALAR && !node_null(fallback))
		(void)map_value(ld, file, &out->field, fallback, &out->fallback);
	if (map == NULL || map->kind != NODE_MAP)
		return;
	if (map->n == 0)
		load_error(ld, file, "E027", map->mark, "empty map; write a value and what it becomes");
	struct slice *keys = arena_array(ld->a, map->n + 1, sizeof *keys),
	             *values = arena_array(ld->a, map->n + 1, sizeof *values);
	for (const struct node *i = map->first; i != NULL; i = i->next) {
		keys[out->n_map] = arena_slice(ld->a, i->key);
		if (map_value(ld, file, &out->field, i, &values[out->n_map]))
			out->n_map++;
	}
	out->keys = keys;
	out->values = values;
}

static void set_template(struct loader *ld, const struct load_file *file, const struct node *n,
                         struct decoder_set *out)
{
	struct slice text;
	if (!value_text(ld, file, n, true, &text))
		return;
	out->value = names_template(ld, file, n, false);
	if (out->value != NULL && template_constant(out->value, &text))
		(void)enum_literal(ld, file, &out->field, n, text);
}

static void set_load(struct loader *ld, const struct load_file *file, const struct node *map,
                     struct rule_decoder *out)
{
	if (map == NULL || map->kind != NODE_MAP)
		return;
	if (map->n == 0)
		load_error(ld, file, "E027", map->mark,
		           "empty map; write a field and its value or remove 'set'");
	struct decoder_set *v = arena_array(ld->a, map->n + 1, sizeof *v);
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		enum value_type type;
		if (!names_writable(ld, file, n->key, n->key_mark))
			continue;
		struct decoder_set *s = &v[out->n_set++];
		if (!names_known(ld, n->key, &type))
			type = VALUE_TEXT;
		s->field = names_ref(ld, n->key, type);
		if (n->kind == NODE_MAP)
			set_map(ld, file, n, s);
		else if (n->kind == NODE_LIST)
			load_error(ld, file, "E007", n->mark,
			           "expected text or a map for '" SLICE_FMT "', got a list",
			           SLICE_ARG(n->key));
		else
			set_template(ld, file, n, s);
	}
	out->set = v;
}

static void decoder_load(struct loader *ld, struct symbol *d, struct rule_decoder *out)
{
	const char *thing = arena_printf(ld->tmp, "decoder '" SLICE_FMT "'", SLICE_ARG(d->name));
	const struct node *match = node_get(d->node, "match"), *drop = node_get(d->node, "drop");
	const struct node *id = node_get(d->node, "id");
	BUG_ON(d->node->kind != NODE_MAP || id == NULL); /* else it would be no symbol */
	out->number = d->number;
	out->id = d->id;
	out->file = d->file->name;
	out->mark = id->mark;
	if (!schema_check(ld, d->file, d->node, &schema_decoder, thing, id->mark))
		return;
	if (match != NULL && match->kind == NODE_MAP)
		out->match = match_load(ld, d->file, match);
	extract_finish(ld, d);
	out->extract = d->extract;
	out->n_extract = d->n_extract;
	decoder_lookups_load(ld, d, out);
	set_load(ld, d->file, node_get(d->node, "set"), out);
	out->drop = drop != NULL && drop->kind == NODE_SCALAR && slice_is(drop->text, "true");
}

static void tested_add(const struct cond *c, struct hmap *tested)
{
	if (c->kind == COND_ATOM)
		hmap_put(tested, c->atom->field.name, tested);
	for (size_t i = 0; c->kind != COND_ATOM && i < c->n; i++)
		tested_add(c->kids[i], tested);
}

static bool decoder_feeds(const struct rule_decoder *d, const struct hmap *tested)
{
	for (size_t i = 0; i < d->n_set; i++)
		if (hmap_get(tested, d->set[i].field.name) != NULL)
			return true;
	for (size_t l = 0; l < d->n_lookup; l++)
		for (size_t i = 0; i < d->lookup[l].n; i++)
			if (hmap_get(tested, d->lookup[l].fields[i].name) != NULL)
				return true;
	for (size_t e = 0; e < d->n_extract; e++)
		for (size_t p = 0; p < d->extract[e].n; p++) {
			const struct slice *names;
			const enum value_type *types;
			size_t n = pattern_captures(d->extract[e].patterns[p], &names, &types);
			for (size_t i = 0; i < n; i++)
				if (hmap_get(tested, names[i]) != NULL)
					return true;
		}
	return false;
}

/* Walked from the end: `tested` holds what later decoders test. */
static void feeds_find(struct rule_set *rs, struct hmap *tested)
{
	for (size_t i = rs->n_decoders; i-- > 0;) {
		struct rule_decoder *d = &rs->decoders[i];
		d->feeds = decoder_feeds(d, tested);
		if (d->match != NULL)
			tested_add(d->match, tested);
	}
}

void decoders_load(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	size_t n = ld->n_symbols[SYMBOL_DECODER];
	rs->decoders = arena_array(ld->a, n + 1, sizeof *rs->decoders);
	rs->n_decoders = n;
	for (size_t i = 0; i < n; i++) {
		struct symbol *d = ld->symbols[SYMBOL_DECODER][i];
		d->number = (uint32_t)i;
		decoder_load(ld, d, &rs->decoders[i]);
	}
	struct hmap *tested = hmap_new();
	feeds_find(rs, tested);
	hmap_free(tested);
}
