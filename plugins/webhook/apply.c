/* The `set` of a profile: templates and word maps over one element. Never fails: what gives nothing sets
 * nothing. */
#include "profile.h"

#include <stdlib.h>

#include "base/hmap.h"
#include "moment.h"

/* ---- lookups */

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

/* The element itself has also what did not fit into an event; the fields have what is shared. */
static struct slice body_value(const struct item *it, struct slice path, struct slice rest)
{
	struct slice v = value_text(it, json_path(it->place->json, rest));
	return v.n > 0 ? v : value_slice(fields_get_name(it->fields, path));
}

static bool look_up(void *arg, struct slice path, struct slice *value)
{
	struct item *it = arg;
	struct slice rest, but;
	*value = SLICE_NONE;
	if (behind(path, "body.", &rest))
		*value = body_value(it, path, rest);
	else if (behind(path, "@json.", &rest))
		*value = value_text(it, json_around(it, rest));
	else if (behind(path, "@hash.", &rest)) {
		const struct json *labels = json_around(it, hash_path(rest, &but));
		*value = label_hash(it->fields->arena, labels, but);
	} else if (behind(path, "@header.", &rest))
		*value = header_value(it->env->headers, rest);
	if (value->n > 0)
		it->hits++;
	return value->n > 0;
}

/* ---- values */

struct slice profile_render(const struct template *t, struct item *it)
{
	struct error err;
	BUG_ON(t == NULL || it->scratch == NULL);
	it->hits = 0;
	buf_clear(it->scratch);
	if (template_render(t, look_up, it, it->fields->arena, it->scratch, &err) != 0 ||
	    (it->hits == 0 && template_paths(t, NULL) > 0))
		return SLICE_NONE;
	return it->scratch->n > 0 ? arena_slice(it->fields->arena, buf_slice(it->scratch)) : SLICE_NONE;
}

static struct slice mapped(const struct choice *c, struct item *it)
{
	struct slice have = SLICE_NONE;
	if (c->text != NULL)
		have = slice_trim(profile_render(c->text, it));
	else
		(void)look_up(it, c->from, &have);
	if (have.n == 0)
		return c->fallback;
	for (const struct word_map *m = c->map; m != NULL; m = m->next)
		if (detect_word(m->word, have))
			return m->value;
	return c->fallback;
}

/* A value that its field can hold, or absent. */
static struct slice fitting(enum field_id id, struct slice v, const struct item *it)
{
	enum severity severity;
	enum event_state state;
	instant t;
	if (id == FIELD_SEVERITY && !severity_parse(v, &severity))
		return SLICE_NONE;
	if (id == FIELD_STATE && !event_state_parse(v, &state))
		return SLICE_NONE;
	if (id != FIELD_TIME)
		return slice_trim(v);
	if (!moment_parse(v, it->env->zone_offset, &t) || t <= 0)
		return SLICE_NONE;
	struct buf text = {0};
	instant_format(t, &text);
	v = arena_slice(it->fields->arena, buf_slice(&text));
	buf_free(&text);
	return v;
}

static struct slice chosen(const struct setting *s, struct item *it)
{
	for (const struct choice *c = s->choices; c != NULL; c = c->next) {
		if (c->when != NULL && !detect_holds(c->when, it->place->json, it->env->headers))
			continue;
		struct slice v = c->is_map ? mapped(c, it) : profile_render(c->text, it);
		v = fitting(s->id, v, it);
		if (v.n > 0)
			return v;
	}
	return SLICE_NONE;
}

static bool is_set(const struct item *it, const struct setting *s)
{
	struct value v =
	    s->id != FIELD_NONE ? fields_get(it->fields, s->id) : fields_get_name(it->fields, s->name);
	return value_slice(v).n > 0;
}

void profile_apply(const struct profile *p, struct item *it, bool only_missing)
{
	BUG_ON(it->place == NULL || it->fields == NULL);
	for (const struct setting *s = p->settings; s != NULL; s = s->next) {
		if (only_missing && is_set(it, s))
			continue;
		struct slice v = chosen(s, it);
		if (v.n == 0)
			continue;
		if (s->id == FIELD_HOST || s->id == FIELD_SERVICE)
			fields_set_lower(it->fields, s->id, v);
		else if (s->id != FIELD_NONE)
			fields_set(it->fields, s->id, v);
		else if (!fields_set_named(it->fields, s->name, v, VALUE_TEXT))
			fields_add_tag(it->fields, "truncated");
	}
}
