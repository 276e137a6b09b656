/* From a body to its events: lists, lists in lists, bodies in bodies, messages that are no event. Promises:
 * every element gives an event or a note. Must not know: content types. */
#include "request.h"

#include "inner.h"

enum { DEPTH_MAX = 3 }; /* bodies inside bodies: SQS, SNS, alarm */

const struct profile *request_profile(const struct request *r, const struct json *body)
{
	if (r->named != NULL)
		return r->named;
	const struct profile *p = detect_product(r->profiles, body, r->env->headers);
	return p != NULL ? p : r->generic;
}

/* ---- one event */

static void set_common(const struct request *r, struct fields *f)
{
	fields_set(f, FIELD_TYPE, SLICE("webhook"));
	if (r->env->raw_mode)
		return;
	fields_set(f, FIELD_SOURCE, slice_str(r->env->source));
	fields_set_type(f, FIELD_SENDER, r->env->sender, VALUE_IP);
}

static void flatten_shared(const struct profile *p, const struct place *place, struct fields *f, size_t *left)
{
	for (const struct path_list *s = p->shared; s != NULL; s = s->next) {
		const struct json *v = NULL;
		for (const struct place *o = place->outer; o != NULL && v == NULL; o = o->outer)
			v = json_path(o->json, s->path);
		(void)flatten(f, "body", s->path, v, p->omit, left);
	}
}

static bool is_empty(const struct fields *f, enum field_id id)
{
	return value_slice(fields_get(f, id)).n == 0;
}

/* What the profile knows, and what generic knows if that is nothing at all. */
static void set_fields(struct request *r, const struct profile *p, struct item *it)
{
	struct fields *f = it->fields;
	profile_apply(p, it, false);
	if (p != r->generic && r->generic != NULL && is_empty(f, FIELD_CHECK) && is_empty(f, FIELD_SUMMARY) &&
	    is_empty(f, FIELD_MESSAGE))
		profile_apply(r->generic, it, true);
}

struct fields *request_event(struct request *r, const struct profile *p, const struct place *place)
{
	size_t left = r->env->max_event > 0 ? r->env->max_event : SIZE_MAX;
	struct fields *f = r->full ? NULL : evt_batch_add(r->out);
	BUG_ON(place == NULL || place->json == NULL);
	if (f == NULL) {
		if (!r->full)
			evt_batch_note(r->out, SIZE_MAX,
			               "more than %zu events in one body: the rest is left out", r->out->max);
		r->full = true;
		return NULL;
	}
	set_common(r, f);
	if (p != NULL)
		flatten_shared(p, place, f, &left);
	bool extra = flatten(f, "body", SLICE_NONE, place->json, p != NULL ? p->omit : NULL, &left);
	struct item it = {.env = r->env, .place = place, .fields = f, .scratch = &r->scratch, .extra = extra};
	if (p != NULL)
		set_fields(r, p, &it);
	if (is_empty(f, FIELD_HOST) && !r->env->raw_mode)
		fields_set_lower(f, FIELD_HOST, r->env->sender);
	return f;
}

/* ---- elements */

static void spread(struct request *r, const struct profile *p, const struct place *place);

/* Control messages and samples are no alerts: a note in the place of an event. */
static bool ignored(struct request *r, const struct profile *p, const struct place *place)
{
	for (const struct ignore_rule *g = p->ignore; g != NULL; g = g->next) {
		if (!detect_holds(g->when, place->json, r->env->headers))
			continue;
		struct fields none;
		struct item it = {.env = r->env, .place = place, .fields = &none, .scratch = &r->scratch};
		if (r->noted == g)
			return true;
		r->noted = g;
		fields_init(&none, r->out->arena);
		struct slice note = profile_render(g->note, &it);
		evt_batch_note(r->out, SIZE_MAX, SLICE_FMT, SLICE_ARG(note));
		fields_free(&none);
		return true;
	}
	return false;
}

static const struct json *inner_of(struct request *r, const struct path_list *paths,
                                   const struct json *element)
{
	const struct json *inner = NULL;
	for (; paths != NULL && inner == NULL; paths = paths->next)
		inner = inner_json(r->out->arena, json_path(element, paths->path));
	return inner;
}

/* The body of another product inside this one, if there is one. */
static bool other_inside(struct request *r, const struct profile *p, const struct place *place)
{
	bool is_auto = r->named == NULL;
	const struct json *inner = inner_of(r, p->unwrap, place->json);
	bool taken = inner != NULL;
	if (inner == NULL && is_auto)
		inner = inner_of(r, p->within, place->json);
	if (inner == NULL)
		return false;
	const struct profile *other = is_auto ? detect_product(r->profiles, inner, SLICE_NONE) : NULL;
	if (!taken && (other == NULL || other == p))
		return false;
	const struct place next = {inner, place};
	r->depth++;
	spread(r, other != NULL ? other : p, &next);
	r->depth--;
	return true;
}

static void element(struct request *r, const struct profile *p, const struct place *place)
{
	if (r->full)
		return;
	if (p != NULL && place->json->kind == JSON_OBJECT &&
	    (ignored(r, p, place) || (r->depth < DEPTH_MAX && other_inside(r, p, place))))
		return;
	(void)request_event(r, p, place);
}

static void each(struct request *r, const struct profile *p, const struct json *list,
                 const struct place *outer)
{
	for (const struct json *e = list->first; e != NULL && !r->full; e = e->next)
		element(r, p, &(const struct place){e, outer});
}

/* Follows the parts of a path of items; false if there is no such list. */
static bool walk(struct request *r, const struct profile *p, const struct path_list *part,
                 const struct place *place)
{
	const struct json *v = json_path(place->json, part->path);
	if (v == NULL || (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT))
		return false;
	if (part->next == NULL) {
		if (v->kind == JSON_OBJECT)
			element(r, p, &(const struct place){v, place});
		else if (v->first != NULL && v->first->kind != JSON_OBJECT)
			return false;
		else
			each(r, p, v, place);
		return true;
	}
	if (v->kind == JSON_OBJECT)
		return walk(r, p, part->next, &(const struct place){v, place});
	bool found = v->first == NULL;
	for (const struct json *e = v->first; e != NULL && !r->full; e = e->next)
		found = walk(r, p, part->next, &(const struct place){e, place}) || found;
	return found;
}

static void items(struct request *r, const struct profile *p, const struct place *place)
{
	for (const struct item_path *i = p != NULL ? p->items : NULL; i != NULL; i = i->next)
		if (walk(r, p, i->parts, place))
			return;
	element(r, p, place);
}

static void spread(struct request *r, const struct profile *p, const struct place *place)
{
	if (place->json->kind != JSON_ARRAY) {
		items(r, p, place);
		return;
	}
	for (const struct json *e = place->json->first; e != NULL && !r->full; e = e->next)
		items(r, p, &(const struct place){e, place->outer});
}

void request_spread(struct request *r, const struct json *body)
{
	BUG_ON(body == NULL || r->out == NULL);
	const struct place whole = {body, NULL};
	spread(r, request_profile(r, body), &whole);
}
