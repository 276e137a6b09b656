/* The `set` of a profile: templates and word maps over one element. Never fails: what gives nothing sets
 * nothing. */
#include "profile.h"

#include "moment.h"

struct slice profile_render(const struct template *t, struct item *it)
{
	struct error err;
	BUG_ON(t == NULL || it->scratch == NULL);
	it->hits = 0;
	buf_clear(it->scratch);
	if (template_render(t, profile_look_up, it, it->fields->arena, it->scratch, &err) != 0 ||
	    (it->hits == 0 && template_paths(t, NULL) > 0))
		return SLICE_NONE;
	return it->scratch->n > 0 ? arena_slice(it->fields->arena, buf_slice(it->scratch)) : SLICE_NONE;
}

/* A template that is one expression: its value need not be copied. */
static struct slice single(const struct choice *c, struct item *it)
{
	struct error err;
	struct slice v;
	if (!profile_look_up(it, c->single, &v))
		return SLICE_NONE;
	for (size_t i = 0; i < c->n_uses; i++)
		if (c->uses[i].filter->apply(&c->uses[i], &v, it->fields->arena, it, &err) != 0)
			return SLICE_NONE;
	return v;
}

static struct slice text_of(const struct choice *c, struct item *it)
{
	return c->single.p != NULL ? single(c, it) : profile_render(c->text, it);
}

static struct slice mapped(const struct choice *c, struct item *it)
{
	struct slice have = SLICE_NONE;
	if (c->text != NULL)
		have = slice_trim(text_of(c, it));
	else
		(void)profile_look_up(it, c->from, &have);
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
		struct slice v = c->is_map ? mapped(c, it) : text_of(c, it);
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
	it->profile = p;
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
