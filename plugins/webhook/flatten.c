/* JSON trees as fields: body.a.b, body.list.0.name. Bounded in depth by the JSON reader, in number by the
 * fields, in octets by the caller. */
#include "profile.h"

enum { NAME_MAX_OCTETS = 256 };

struct flattener {
	struct fields *fields;
	char name[NAME_MAX_OCTETS];
	const struct path_list *omit;
	size_t *left;
	bool cut, renamed;
};

static bool name_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

/* Appends a key; what a field name may not have becomes '_'. 0: too long. */
static size_t put_key(struct flattener *w, size_t n, struct slice key)
{
	if (key.n + n + 1 > sizeof w->name)
		return 0;
	bool legal = true;
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];
		bool inner_dot = c == '.' && i > 0 && i + 1 < key.n && key.p[i - 1] != '.';
		legal = legal && name_octet(c);
		w->name[n++] = name_octet(c) || inner_dot ? c : '_';
	}
	w->renamed = w->renamed || !legal;
	return n;
}

static void put_leaf(struct flattener *w, size_t n, const struct json *j)
{
	BUG_ON(n > sizeof w->name);
	struct slice text = json_text(j);
	if (text.n == 0)
		return;
	if (text.n > *w->left) {
		text.n = *w->left;
		w->cut = true;
	}
	*w->left -= text.n;
	enum value_type type = j->kind == JSON_NUMBER ? VALUE_NUMBER
	                       : j->kind == JSON_BOOL ? VALUE_BOOL
	                                              : VALUE_TEXT;
	struct slice name = arena_slice(w->fields->arena, slice_of(w->name, n));
	if (text.n > 0 && !fields_set_named(w->fields, name, text, type))
		w->cut = true;
}

static void walk(struct flattener *w, size_t n, const struct json *j);

static void walk_members(struct flattener *w, size_t n, const struct json *j)
{
	char digits[24];
	size_t i = 0;
	if (n + 1 >= sizeof w->name)
		return;
	w->name[n] = '.';
	for (const struct json *m = j->first; m != NULL && !w->cut; m = m->next, i++) {
		struct slice key = m->key.n > 0 ? m->key : SLICE("_");
		if (j->kind == JSON_ARRAY) {
			w->renamed = true;
			size_t d = sizeof digits;
			size_t v = i;
			do {
				digits[--d] = (char)('0' + v % 10);
				v /= 10;
			} while (v > 0);
			key = slice_of(digits + d, sizeof digits - d);
		}
		size_t next = put_key(w, n + 1, key);
		if (next > 0)
			walk(w, next, m);
	}
}

/* The names of `omit` have no "body." in front. */
static bool omitted(const struct flattener *w, size_t n)
{
	for (const struct path_list *o = w->omit; o != NULL; o = o->next)
		if (o->path.n + 5 == n && memcmp(w->name + 5, o->path.p, o->path.n) == 0)
			return true;
	return false;
}

static void walk(struct flattener *w, size_t n, const struct json *j)
{
	if (w->omit != NULL && omitted(w, n))
		return;
	switch (j->kind) {
	case JSON_NULL: return;
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_STRING: put_leaf(w, n, j); return;
	case JSON_ARRAY:
	case JSON_OBJECT: walk_members(w, n, j); return;
	}
}

bool flatten(struct fields *f, const char *prefix, struct slice path, const struct json *j,
             const struct path_list *omit, size_t *left)
{
	struct flattener w = {.fields = f, .omit = omit, .left = left};
	if (j == NULL)
		return false;
	size_t n = put_key(&w, 0, slice_str(prefix));
	BUG_ON(n == 0);
	if (path.n > 0) {
		w.name[n] = '.';
		n = put_key(&w, n + 1, path);
	}
	if (n > 0)
		walk(&w, n, j);
	if (w.cut)
		fields_add_tag(f, "truncated");
	return w.renamed;
}
