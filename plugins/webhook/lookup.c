/* What a path of a template stands for: members of the element and of what is around it, shared fields,
 * hashes, headers. */
#include "profile.h"

#include <stdlib.h>

#include "base/hmap.h"

struct slice header_value(struct slice headers, struct slice name)
{
	struct slice line, key;
	while (slice_split(&headers, '\n', &line))
		if (slice_split(&line, ':', &key) && slice_ieq(key, name))
			return slice_trim(line);
	return SLICE_NONE;
}

static int by_key(const void *a, const void *b)
{
	const struct json *const *x = a, *const *y = b;
	return slice_cmp((*x)->key, (*y)->key);
}

/* The identity of a label set: independent of the order of its members, the same in every process. */
static struct slice label_hash(struct arena *a, const struct json *labels, struct slice but)
{
	struct buf all = {0};
	size_t n = 0;
	if (labels == NULL || labels->kind != JSON_OBJECT || labels->n == 0)
		return SLICE_NONE;
	const struct json **v = arena_array(a, labels->n, sizeof *v);
	for (const struct json *m = labels->first; m != NULL && n < labels->n; m = m->next)
		if (but.n == 0 || !slice_eq(m->key, but))
			v[n++] = m;
	qsort(v, n, sizeof *v, by_key);
	for (size_t i = 0; i < n; i++) {
		buf_lslice(&all, v[i]->key);
		buf_lslice(&all, json_text(v[i]));
	}
	struct slice text =
	    slice_str(arena_printf(a, "%016llx", (unsigned long long)hash_stable(buf_slice(&all))));
	buf_free(&all);
	return text;
}

static bool behind(struct slice path, const char *prefix, struct slice *rest)
{
	struct slice p = slice_str(prefix);
	if (!slice_starts(path, p) || path.n == p.n)
		return false;
	*rest = slice_sub(path, p.n, path.n - p.n);
	return true;
}

/* The path in the element, else in what is around it, the nearest first. */
static const struct json *json_around(const struct item *it, struct slice path)
{
	for (const struct place *p = it->place; p != NULL; p = p->outer) {
		const struct json *j = json_path(p->json, path);
		if (j != NULL && j->kind != JSON_NULL)
			return j;
	}
	return NULL;
}

/* Pairs in a list are tags: ["level", "error"] and {"key": "level", "value": "error"} are level:error. */
static bool pair_of(const struct json *j, struct slice *name, struct slice *value)
{
	static const char *const names[] = {"key", "name", "title", "context"};
	*name = json_text(j->kind == JSON_ARRAY && j->n == 2 ? json_at(j, 0) : NULL);
	*value = json_text(j->kind == JSON_ARRAY && j->n == 2 ? json_at(j, 1) : json_get(j, "value"));
	for (size_t i = 0; i < ARRAY_LEN(names) && j->kind == JSON_OBJECT && name->p == NULL; i++)
		*name = json_text(json_get(j, names[i]));
	return name->p != NULL && value->p != NULL;
}

/* A list as one text with '\x1f' between its items, as the filters take it. */
static struct slice list_text(struct arena *a, const struct json *list)
{
	struct buf all = {0};
	struct slice name, value;
	for (const struct json *e = list->first; e != NULL && all.n < 65536; e = e->next) {
		struct slice text = json_text(e);
		bool is_pair = (e->kind == JSON_ARRAY || e->kind == JSON_OBJECT) && pair_of(e, &name, &value);
		if (text.p == NULL && !is_pair)
			continue;
		if (all.n > 0)
			buf_char(&all, '\x1f');
		if (is_pair) {
			buf_adds(&all, name);
			buf_char(&all, ':');
			text = value;
		}
		buf_adds(&all, text);
	}
	struct slice text = all.n > 0 ? arena_slice(a, buf_slice(&all)) : SLICE_NONE;
	buf_free(&all);
	return text;
}

static struct slice value_text(const struct item *it, const struct json *j)
{
	return j != NULL && j->kind == JSON_ARRAY ? list_text(it->fields->arena, j) : json_text(j);
}

/* "labels!severity" -> labels, and severity as the member that does not count */
static struct slice hash_path(struct slice path, struct slice *but)
{
	const char *mark = memchr(path.p, '!', path.n);
	size_t n = mark != NULL ? (size_t)(mark - path.p) : path.n;
	*but = slice_sub(path, n + 1, SIZE_MAX);
	return slice_sub(path, 0, n);
}

bool profile_path_known(struct slice path, void *arg)
{
	struct slice rest, but;
	struct error err;
	(void)arg;
	if (behind(path, "@hash.", &rest))
		return json_path_valid(hash_path(rest, &but), &err);
	if (behind(path, "@json.", &rest) || behind(path, "body.", &rest))
		return json_path_valid(rest, &err);
	return behind(path, "@header.", &rest);
}

/* ---- paths that are but names: found once, followed without reading them again */

enum { NAMES_MAX = 6 };

struct known_path {
	const char *at; /* where the path stands in its template: its identity */
	bool around;    /* @json. */
	size_t n;
	struct slice names[NAMES_MAX];
};

struct path_table {
	size_t mask;
	struct known_path *v;
};

static struct known_path *slot(const struct path_table *t, const char *at)
{
	size_t i = ((uintptr_t)at >> 1) * 0x9e3779b1u >> 7 & t->mask;
	while (t->v[i].at != NULL && t->v[i].at != at)
		i = (i + 1) & t->mask;
	return &t->v[i];
}

/* False if it is more than names with points between them. */
static bool read_names(struct slice path, struct known_path *k)
{
	struct slice name;
	for (k->n = 0; path.n > 0 && k->n < NAMES_MAX; k->n++) {
		if (!slice_split(&path, '.', &name) || name.n == 0 || memchr(name.p, '[', name.n) != NULL)
			return false;
		k->names[k->n] = name;
	}
	return k->n > 0 && path.n == 0;
}

static void know(struct path_table *t, struct slice path)
{
	struct known_path k = {.at = path.p};
	struct slice rest;
	k.around = behind(path, "@json.", &rest);
	if ((k.around || behind(path, "body.", &rest)) && read_names(rest, &k))
		*slot(t, path.p) = k;
}

/* Templates and words of all settings: `each` once for every path. */
static size_t for_each_path(const struct setting *settings, struct path_table *t)
{
	size_t count = 0;
	for (const struct setting *s = settings; s != NULL; s = s->next) {
		for (const struct choice *c = s->choices; c != NULL; c = c->next) {
			const struct slice *paths = &c->from;
			size_t n = c->text != NULL ? template_paths(c->text, &paths) : 1;
			for (size_t i = 0; t != NULL && i < n; i++)
				know(t, paths[i]);
			count += n;
		}
	}
	return count;
}

const struct path_table *profile_paths(struct arena *a, const struct setting *settings)
{
	struct path_table *t = arena_alloc(a, sizeof *t);
	size_t size = 8;
	while (size < 2 * for_each_path(settings, NULL))
		size *= 2;
	t->mask = size - 1;
	t->v = arena_array(a, size, sizeof *t->v);
	(void)for_each_path(settings, t);
	return t;
}

static const struct json *follow(const struct known_path *k, const struct json *j)
{
	for (size_t i = 0; i < k->n && j != NULL; i++)
		j = json_getn(j, k->names[i]);
	return j;
}

static const struct json *follow_around(const struct known_path *k, const struct place *p)
{
	for (; p != NULL; p = p->outer) {
		const struct json *j = follow(k, p->json);
		if (j != NULL && j->kind != JSON_NULL)
			return j;
	}
	return NULL;
}

/* ---- a path of a template */

/* Fields differ from the element in what is shared and in names that no field can have as they are. */
static struct slice field_value(const struct item *it, struct slice path)
{
	return it->extra ? value_slice(fields_get_name(it->fields, path)) : SLICE_NONE;
}

static bool shared_name(const struct profile *p, struct slice name)
{
	for (const struct path_list *s = p->shared; s != NULL; s = s->next)
		if (slice_starts(s->path, name))
			return true;
	return false;
}

static bool look_up_known(const struct item *it, const struct known_path *k, struct slice path,
                          struct slice *value)
{
	*value = value_text(it, k->around ? follow_around(k, it->place) : follow(k, it->place->json));
	if (value->n == 0 && !k->around)
		*value = shared_name(it->profile, k->names[0])
		             ? value_slice(fields_get_name(it->fields, path))
		             : field_value(it, path);
	return value->n > 0;
}

bool profile_look_up(void *arg, struct slice path, struct slice *value)
{
	struct item *it = arg;
	struct slice rest, but;
	const struct known_path *k = it->profile != NULL ? slot(it->profile->paths, path.p) : NULL;
	*value = SLICE_NONE;
	if (k != NULL && k->at != NULL) {
		(void)look_up_known(it, k, path, value);
	} else if (behind(path, "body.", &rest)) {
		*value = value_text(it, json_path(it->place->json, rest));
		if (value->n == 0)
			*value = value_slice(fields_get_name(it->fields, path));
	} else if (behind(path, "@json.", &rest)) {
		*value = value_text(it, json_around(it, rest));
	} else if (behind(path, "@hash.", &rest)) {
		const struct json *labels = json_around(it, hash_path(rest, &but));
		*value = label_hash(it->fields->arena, labels, but);
	} else if (behind(path, "@header.", &rest)) {
		*value = header_value(it->env->headers, rest);
	}
	if (value->n > 0)
		it->hits++;
	return value->n > 0;
}
