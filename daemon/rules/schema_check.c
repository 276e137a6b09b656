/* Holds a map of a rule file against its table of keys: unknown and missing keys, and the kind of
 * each value. One finding per fault, and the walk goes on with the next key (language.md sections 12, 17.20).
 */

#include "rules/load.h"

const char *schema_what(const struct node *n)
{
	double num;
	if (n->kind != NODE_SCALAR)
		return node_kind_name(n);
	if (node_null(n))
		return "nothing";
	if (slice_is(n->text, "true") || slice_is(n->text, "false"))
		return "true/false";
	return slice_num(n->text, &num) ? "a number" : "text";
}

const char *load_hint(struct loader *ld, struct slice word, const char *const *names, size_t n)
{
	const char *near = load_hints(ld) ? suggest(word, names, n) : NULL;
	return near != NULL ? arena_printf(ld->tmp, "; did you mean '%s'?", near) : "";
}

bool load_word(struct loader *ld, const struct load_file *file, struct mark at, struct slice v,
               const char *const *words)
{
	struct buf all = {0};
	size_t n = 0;
	for (; words[n] != NULL; n++) {
		if (slice_is(v, words[n])) {
			buf_free(&all);
			return true;
		}
		buf_printf(&all, "%s%s", n > 0 ? ", " : "", words[n]);
	}
	BUG_ON(n == 0);
	load_error(ld, file, "E011", at, "'" SLICE_FMT "' must be one of %s%s", SLICE_ARG(v), buf_cstr(&all),
	           load_hint(ld, v, words, n));
	buf_free(&all);
	return false;
}

/* Adds what most often is the cause. */
static void kind_error(struct loader *ld, const struct load_file *file, const struct node *n,
                       const char *want)
{
	const char *next = "";
	if (n->kind == NODE_LIST && strcmp(want, "a map") == 0)
		next = n->n == 1 ? "; remove the dash" : "; a map has keys, not dashes";
	else if (n->kind == NODE_MAP && strcmp(want, "text") == 0)
		next = "; quote it if the braces or the colon belong to the text";
	else if (n->kind == NODE_SCALAR && strcmp(want, "a list") == 0)
		next = arena_printf(ld->tmp, "; write [" SLICE_FMT "]", SLICE_ARG(n->text));
	load_error(ld, file, "E007", n->mark, "expected %s for '" SLICE_FMT "', got %s%s", want,
	           SLICE_ARG(n->key), schema_what(n), next);
}

static void null_error(struct loader *ld, const struct load_file *file, const struct node *n)
{
	load_error(ld, file, "E027", n->text.n > 0 ? n->mark : n->key_mark,
	           "empty value; write a value for '" SLICE_FMT "' or remove the key", SLICE_ARG(n->key));
}

static void check_duration(struct loader *ld, const struct load_file *file, const struct schema_key *k,
                           const struct node *n, struct slice text)
{
	duration d;
	if (!duration_parse(text, &d)) {
		value_duration_error(ld, file, n, text);
		return;
	}
	if (k->max == 0 || (d >= k->min && d <= k->max))
		return;
	struct buf lo = {0}, hi = {0};
	duration_format(k->min, &lo);
	duration_format(k->max, &hi);
	load_error(ld, file, "E008", n->mark, "'%s' must be between %s and %s", k->name, buf_cstr(&lo),
	           buf_cstr(&hi));
	buf_free(&lo);
	buf_free(&hi);
}

static void not_a_number(struct loader *ld, const struct load_file *file, const struct schema_key *k,
                         const struct node *n, struct slice text, bool whole)
{
	double num;
	if (whole && slice_num(text, &num))
		load_error(ld, file, "E007", n->mark, "expected a whole number for '%s', got " SLICE_FMT,
		           k->name, SLICE_ARG(text));
	else
		load_error(ld, file, "E007", n->mark, "expected a number for '%s', got '" SLICE_FMT "'",
		           k->name, SLICE_ARG(text));
}

void schema_count(struct loader *ld, const struct load_file *file, const struct schema_key *k,
                  const struct node *n)
{
	struct slice text;
	int64_t v;
	if (n == NULL || !value_text(ld, file, n, false, &text))
		return;
	if (!slice_int(text, &v))
		not_a_number(ld, file, k, n, text, true);
	else if (k->kind == KEY_INTEGER && v < 0)
		load_error(ld, file, "E008", n->mark, "'%s' must be between 0 and %d", k->name, INT32_MAX);
	else if (k->kind != KEY_INTEGER && (v < 1 || v > 100000))
		load_error(ld, file, "E008", n->mark, "'%s' must be between 1 and 100000", k->name);
}

static void check_time(struct loader *ld, const struct load_file *file, const struct schema_key *k,
                       const struct node *n)
{
	instant t;
	if (!instant_parse(n->text, &t))
		load_error(ld, file, "E007", n->mark,
		           "expected a time such as 2026-01-05T00:00:00Z for '%s', got '" SLICE_FMT "'",
		           k->name, SLICE_ARG(n->text));
}

/* A scalar's text against its kind. */
static void check_scalar(struct loader *ld, const struct load_file *file, const struct schema_key *k,
                         const struct node *n, struct slice text)
{
	double num;
	switch (k->kind) {
	case KEY_BOOL:
		if (!slice_is(text, "true") && !slice_is(text, "false"))
			load_error(ld, file, "E007", n->mark,
			           "expected true or false for '%s', got '" SLICE_FMT "'", k->name,
			           SLICE_ARG(text));
		return;
	case KEY_TRUE:
		if (!slice_is(text, "true"))
			load_error(ld, file, "E007", n->mark,
			           "expected true for '%s', got '" SLICE_FMT "'; write true, or remove the key",
			           k->name, SLICE_ARG(text));
		return;
	case KEY_FALSE_OR_MAP:
		if (!slice_is(text, "false"))
			load_error(ld, file, "E007", n->mark, "expected a map or false for '%s', got %s; write false, or a map",
			           k->name, schema_what(n));
		return;
	case KEY_COUNT:
	case KEY_INTEGER: schema_count(ld, file, k, n); return;
	case KEY_NUMBER:
		if (!slice_num(text, &num))
			not_a_number(ld, file, k, n, text, false);
		return;
	case KEY_DURATION_OR_AUTO:
		if (slice_is(text, "auto"))
			return;
		check_duration(ld, file, k, n, text);
		return;
	case KEY_DURATION: check_duration(ld, file, k, n, text); return;
	case KEY_TIME: check_time(ld, file, k, n); return;
	case KEY_ENUM:
	case KEY_ENUM_OR_LIST: (void)load_word(ld, file, n->mark, text, k->words); return;
	case KEY_LIST:
	case KEY_TEXTS: kind_error(ld, file, n, "a list"); return;
	case KEY_MAP: kind_error(ld, file, n, "a map"); return;
	case KEY_TEXT:
	case KEY_TEXT_OR_NULL:
	case KEY_TEXT_OR_LIST:
	case KEY_TEXT_OR_MAP:
	case KEY_ANY: return;
	}
}

static const char *wanted(enum key_kind kind)
{
	switch (kind) {
	case KEY_TEXT:
	case KEY_TEXT_OR_NULL: return "text";
	case KEY_BOOL: return "true or false";
	case KEY_TRUE: return "true";
	case KEY_COUNT:
	case KEY_INTEGER:
	case KEY_NUMBER: return "a number";
	case KEY_DURATION:
	case KEY_DURATION_OR_AUTO: return "a duration";
	case KEY_TIME: return "a time";
	case KEY_ENUM: return "a word";
	case KEY_LIST:
	case KEY_TEXTS: return "a list";
	case KEY_MAP: return "a map";
	case KEY_TEXT_OR_LIST: return "text or a list";
	case KEY_ENUM_OR_LIST: return "a word or a list";
	case KEY_FALSE_OR_MAP: return "a map or false";
	case KEY_TEXT_OR_MAP: return "text or a map";
	case KEY_ANY: return "a value";
	}
	return "a value";
}

/* Scalars are taken everywhere here; check_scalar judges them. */
static bool takes(enum key_kind kind, enum node_kind node)
{
	if (kind == KEY_ANY)
		return true;
	if (node == NODE_LIST)
		return kind == KEY_LIST || kind == KEY_TEXTS || kind == KEY_TEXT_OR_LIST ||
		       kind == KEY_ENUM_OR_LIST;
	if (node == NODE_MAP)
		return kind == KEY_MAP || kind == KEY_FALSE_OR_MAP || kind == KEY_TEXT_OR_MAP;
	return true;
}

static void check_texts(struct loader *ld, const struct load_file *file, const struct node *list)
{
	for (const struct node *i = list->first; i != NULL; i = i->next) {
		if (i->kind != NODE_SCALAR)
			load_error(ld, file, "E007", i->mark, "expected text, got %s", schema_what(i));
		else if (node_null(i))
			load_error(ld, file, "E027", i->mark, "empty value; write text or remove it");
	}
}

static void check_value(struct loader *ld, const struct load_file *file, const struct schema *s,
                        const struct schema_key *k, const struct node *n)
{
	if (!takes(k->kind, n->kind)) {
		kind_error(ld, file, n, wanted(k->kind));
		return;
	}
	if (n->kind == NODE_LIST && k->kind == KEY_TEXTS)
		check_texts(ld, file, n);
	if (n->kind != NODE_SCALAR || k->kind == KEY_ANY)
		return;
	if (node_null(n)) {
		if (k->kind != KEY_TEXT_OR_NULL)
			null_error(ld, file, n);
		return;
	}
	struct slice text = n->text;
	if (s->params && !value_text(ld, file, n, true, &text))
		return;
	check_scalar(ld, file, k, n, text);
}

static void check_unknown(struct loader *ld, const struct load_file *file, const struct schema *s,
                          const char *thing, const struct node *n)
{
	const char *names[32];
	BUG_ON(s->n > ARRAY_LEN(names));
	for (size_t i = 0; i < s->n; i++)
		names[i] = s->keys[i].name;
	load_error(ld, file, "E004", n->key_mark, "unknown key '" SLICE_FMT "' in %s%s", SLICE_ARG(n->key),
	           thing, load_hint(ld, n->key, names, s->n));
}

bool schema_check(struct loader *ld, const struct load_file *file, const struct node *n,
                  const struct schema *s, const char *thing, struct mark at)
{
	if (n->kind != NODE_MAP) {
		load_error(ld, file, n->kind == NODE_SCALAR && node_null(n) ? "E027" : "E007",
		           n->kind == NODE_SCALAR && n->text.n == 0 ? at : n->mark,
		           "expected a map for %s, got %s", thing, schema_what(n));
		return false;
	}
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		const struct schema_key *k = schema_key(s, i->key);
		if (k == NULL)
			check_unknown(ld, file, s, thing, i);
		else
			check_value(ld, file, s, k, i);
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i].required && node_get(n, s->keys[i].name) == NULL)
			load_error(ld, file, "E005", at, "%s needs '%s'", thing, s->keys[i].name);
	return true;
}
