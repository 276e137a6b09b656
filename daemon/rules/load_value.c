/* Scalars of rule files: text with whole-value params, durations, numbers, ids. Scalars get their type from
 * the schema, never from their looks (language.md section 2). */

#include "rules/load.h"

bool value_is_id(struct slice s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

bool value_is_param(struct slice s)
{
	if (s.n < 2 || s.p[0] != '$' || s.p[1] < 'a' || s.p[1] > 'z')
		return false;
	for (size_t i = 2; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

struct slice value_lower(struct loader *ld, struct slice s)
{
	char *p = arena_str(ld->a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return (struct slice){p, s.n};
}

static void param_missing(struct loader *ld, const struct load_file *file, const struct node *n,
                          struct slice name)
{
	size_t max = load_hints(ld) ? ld->n_symbols[SYMBOL_PARAM] : 0;
	const char **names = arena_array(ld->tmp, max + 1, sizeof *names);
	size_t count = 0;
	for (size_t i = 0; i < max; i++)
		if (slice_eq(ld->symbols[SYMBOL_PARAM][i]->package, file->package))
			names[count++] = arena_str(ld->tmp, ld->symbols[SYMBOL_PARAM][i]->name);
	load_error(ld, file, "E025", n->mark,
	           "there is no param '" SLICE_FMT "' in package '" SLICE_FMT "'%s", SLICE_ARG(name),
	           SLICE_ARG(file->package), load_hint(ld, name, names, count));
}

/* Octet offset of a place in the file; SIZE_MAX if there is none. */
static size_t source_offset(struct slice text, struct mark m)
{
	size_t i = 0;
	for (uint32_t line = 1; line < m.line; line++) {
		const char *nl = memchr(text.p + i, '\n', text.n - i);
		if (nl == NULL)
			return SIZE_MAX;
		i = (size_t)(nl - text.p) + 1;
	}
	for (uint32_t col = 1; col < m.col; col++) {
		size_t n = slice_char(text, i);
		if (n == 0)
			return SIZE_MAX;
		i += n;
	}
	return i;
}

static uint32_t characters(struct slice s)
{
	uint32_t n = 0;
	for (size_t i = 0; i < s.n; n++) {
		size_t c = slice_char(s, i);
		i += c > 0 ? c : 1;
	}
	return n;
}

struct mark value_mark(const struct load_file *file, const struct node *n, size_t at, size_t len)
{
	struct slice text = file->doc->text;
	struct mark m = n->mark;
	if (n->kind != NODE_SCALAR || m.line == 0 || at > n->text.n || text.n == 0)
		return m;
	size_t start = source_offset(text, m);
	if (start == SIZE_MAX)
		return m;
	uint32_t quote = n->quoted && start < text.n && (text.p[start] == '"' || text.p[start] == '\'');
	start += quote;
	/* escapes, folded lines and params: the text stands nowhere as such */
	if (n->text.n > text.n - MIN(start, text.n) || memcmp(text.p + start, n->text.p, n->text.n) != 0)
		return m;
	m.col += quote + characters(slice_sub(n->text, 0, at));
	m.len = MAX(1, characters(slice_sub(n->text, at, len)));
	return m;
}

bool value_text(struct loader *ld, const struct load_file *file, const struct node *n, bool report,
                struct slice *out)
{
	if (n == NULL)
		return false;
	if (n->kind != NODE_SCALAR) {
		if (report)
			load_error(ld, file, "E007", n->mark, "expected text, got %s", schema_what(n));
		return false;
	}
	if (node_null(n)) {
		if (report)
			load_error(ld, file, "E027", n->mark,
			           "empty value; to ask for a missing field write {exists: false}");
		return false;
	}
	if (!value_is_param(n->text)) {
		*out = arena_slice(ld->a, n->text);
		return true;
	}
	struct slice name = slice_sub(n->text, 1, n->text.n);
	struct symbol *p = symbol_find(ld, file, SYMBOL_PARAM, name);
	if (p == NULL) {
		if (report)
			param_missing(ld, file, n, name);
		return false;
	}
	p->used = true;
	if (p->broken)
		return false;
	*out = p->value;
	return true;
}

bool key_text(struct loader *ld, const struct load_file *file, const struct node *map, const char *key,
              struct slice *out)
{
	return value_text(ld, file, node_get(map, key), false, out);
}

bool key_duration(struct loader *ld, const struct load_file *file, const struct node *map, const char *key,
                  duration *out)
{
	struct slice text;
	return key_text(ld, file, map, key, &text) && duration_parse(text, out);
}

bool key_count(struct loader *ld, const struct load_file *file, const struct node *map, const char *key,
               uint32_t *out)
{
	struct slice text;
	int64_t v;
	if (!key_text(ld, file, map, key, &text) || !slice_int(text, &v) || v < 1 || v > 100000)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* "5min" → "5m", "30" → "30s", "1 hour" → "1h": what people mean. Empty if that is not clear. */
static void duration_guess(struct slice text, struct buf *out)
{
	static const struct {
		const char *word, *unit;
	} units[] = {{"milliseconds", "ms"}, {"millisecond", "ms"}, {"msec", "ms"}, {"seconds", "s"},
	             {"second", "s"},        {"secs", "s"},         {"sec", "s"},   {"minutes", "m"},
	             {"minute", "m"},        {"mins", "m"},         {"min", "m"},   {"hours", "h"},
	             {"hour", "h"},          {"hrs", "h"},          {"hr", "h"},    {"days", "d"},
	             {"day", "d"},           {"weeks", "w"},        {"week", "w"},  {"", "s"}};
	size_t i = 0;
	while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
		i++;
	struct slice unit = slice_trim(slice_sub(text, i, text.n));
	for (size_t u = 0; i > 0 && i < 10 && u < ARRAY_LEN(units); u++)
		if (slice_ieq(unit, slice_str(units[u].word))) {
			buf_printf(out, SLICE_FMT "%s", (int)i, text.p, units[u].unit);
			return;
		}
}

void value_duration_error(struct loader *ld, const struct load_file *file, const struct node *n,
                          struct slice text)
{
	struct buf guess = {0};
	duration_guess(text, &guess);
	load_error(ld, file, "E006", n->mark,
	           "expected a duration such as 30s, 5m or 1h30m, got '" SLICE_FMT "'%s%s%s", SLICE_ARG(text),
	           guess.n > 0 ? "; write '" : "", guess.n > 0 ? buf_cstr(&guess) : "",
	           guess.n > 0 ? "'" : "");
	buf_free(&guess);
}

const struct node **value_items(struct loader *ld, const struct load_file *file, const struct node *n,
                                size_t *count)
{
	const struct node *one = n->kind == NODE_LIST ? n->first : n;
	size_t max = n->kind == NODE_LIST ? n->n : 1;
	const struct node **v = arena_array(ld->tmp, max + 1, sizeof *v);
	bool ok = true;
	*count = 0;
	if (n->kind == NODE_MAP) {
		load_error(ld, file, "E007", n->mark, "expected text or a list, got a map");
		return NULL;
	}
	if (max == 0) {
		load_error(ld, file, "E027", n->mark, "empty list; write at least one value");
		return NULL;
	}
	for (; one != NULL && *count < max; one = one->next) {
		struct slice text;
		ok = value_text(ld, file, one, true, &text) && ok;
		v[(*count)++] = one;
	}
	return ok ? v : NULL;
}
