/* The `set` of a profile: templates and word maps over one element. Never fails: what gives nothing sets
 * nothing. */
#include "profile.h"

#include <stdlib.h>

#include "base/hmap.h"

/* ---- lookups */

static struct slice header_value(struct slice headers, struct slice name)
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
static struct slice label_hash(struct arena *a, const struct json *labels)
{
	struct buf all = {0};
	size_t n = 0;
	if (labels == NULL || labels->kind != JSON_OBJECT || labels->n == 0)
		return SLICE_NONE;
	const struct json **v = arena_array(a, labels->n, sizeof *v);
	for (const struct json *m = labels->first; m != NULL && n < labels->n; m = m->next)
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

static const struct json *json_both(const struct item *it, struct slice path)
{
	const struct json *j = json_path(it->element, path);
	return j != NULL ? j : json_path(it->body, path);
}

bool profile_path_known(struct slice path, void *arg)
{
	struct slice rest;
	struct error err;
	(void)arg;
	if (behind(path, "@json.", &rest) || behind(path, "@hash.", &rest))
		return json_path_valid(rest, &err);
	return behind(path, "@header.", &rest) || behind(path, "body.", &rest);
}

static bool look_up(void *arg, struct slice path, struct slice *value)
{
	struct item *it = arg;
	struct slice rest;
	if (behind(path, "@json.", &rest))
		*value = json_text(json_both(it, rest));
	else if (behind(path, "@hash.", &rest))
		*value = label_hash(it->fields->arena, json_both(it, rest));
	else if (behind(path, "@header.", &rest))
		*value = header_value(it->env->headers, rest);
	else
		*value = value_slice(fields_get_name(it->fields, path));
	if (value->n > 0)
		it->hits++;
	return value->n > 0;
}

/* ---- filters of profiles */

/* "https://web1:9100/metrics", "web1:9100", "[::1]:80" -> the host */
static int filter_host(const struct filter_use *use UNUSED, struct slice *value, struct arena *scratch UNUSED,
                       void *env UNUSED, struct error *err UNUSED)
{
	struct slice s = *value;
	size_t colons = 0, at = 0;
	for (size_t i = 0; i + 2 < s.n; i++)
		if (s.p[i] == ':' && s.p[i + 1] == '/' && s.p[i + 2] == '/')
			at = i + 3;
	s = slice_sub(s, at, s.n - at);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' || s.p[i] == '?')
			s.n = i;
	if (s.n > 0 && s.p[0] == '[') {
		const char *end = memchr(s.p, ']', s.n);
		if (end != NULL)
			s = slice_sub(s, 1, (size_t)(end - s.p) - 1);
		*value = s;
		return 0;
	}
	for (size_t i = 0; i < s.n; i++) {
		colons += s.p[i] == ':';
		at = s.p[i] == ':' ? i : at;
	}
	if (colons == 1)
		s = slice_sub(s, 0, s.p[at] == ':' ? at : s.n);
	*value = s;
	return 0;
}

/* An end in the past is a clear; none, year 1 or a lease in the future is a problem (intake.md section 3). */
static int filter_ended(const struct filter_use *use UNUSED, struct slice *value,
                        struct arena *scratch UNUSED, void *env, struct error *err UNUSED)
{
	const struct item *it = env;
	instant end;
	bool ended = instant_parse(*value, &end) && end > 0 && end <= it->env->received;
	*value = ended ? SLICE("clear") : SLICE("problem");
	return 0;
}

const struct filter *profile_filters(void)
{
	static const struct filter filters[] = {
	    {.name = "host", .apply = filter_host}, {.name = "ended", .apply = filter_ended}, {.name = NULL}};
	return filters;
}

/* ---- values */

static struct slice render(const struct template *t, struct item *it)
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
	struct slice have;
	if (!look_up(it, c->from, &have))
		return c->fallback;
	for (const struct word_map *m = c->map; m != NULL; m = m->next)
		if (slice_ieq(m->word, have))
			return m->value;
	return c->fallback;
}

/* A value that its field can hold, or absent. */
static struct slice fitting(enum field_id id, struct slice v, struct arena *a)
{
	enum severity severity;
	enum event_state state;
	instant t;
	if (id == FIELD_SEVERITY && !severity_parse(v, &severity))
		return SLICE_NONE;
	if (id == FIELD_STATE && !event_state_parse(v, &state))
		return SLICE_NONE;
	if (id != FIELD_TIME)
		return v;
	if (!instant_parse(v, &t) || t <= 0)
		return SLICE_NONE;
	struct buf text = {0};
	instant_format(t, &text);
	v = arena_slice(a, buf_slice(&text));
	buf_free(&text);
	return v;
}

static struct slice chosen(const struct setting *s, struct item *it)
{
	for (const struct choice *c = s->choices; c != NULL; c = c->next) {
		struct slice v = c->text != NULL ? render(c->text, it) : mapped(c, it);
		v = fitting(s->id, v, it->fields->arena);
		if (v.n > 0)
			return v;
	}
	return SLICE_NONE;
}

void profile_apply(const struct profile *p, struct item *it)
{
	BUG_ON(it->element == NULL || it->body == NULL || it->fields == NULL);
	for (const struct setting *s = p->settings; s != NULL; s = s->next) {
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
