/* The webhook decoder: one HTTP body becomes the events that are in it. Promises: a body that is no JSON or
 * of no known product is an event too; nothing here answers anybody. Must not know: HTTP, tokens. */
#include "profile.h"

#include <stdlib.h>

#include "form.h"

struct webhook_settings {
	const struct webhook_profiles *profiles;
	const struct profile *profile; /* NULL: auto */
};

static const struct profile *find_profile(const struct webhook_profiles *p, const char *name)
{
	for (const struct profile *it = p->first; it != NULL; it = it->next)
		if (slice_is(it->name, name))
			return it;
	return NULL;
}

void *webhook_settings_new(const struct webhook_profiles *p, const char *profile, struct error *err)
{
	bool is_auto = profile == NULL || strcmp(profile, "auto") == 0;
	const struct profile *found = is_auto ? NULL : find_profile(p, profile);
	if (!is_auto && found == NULL) {
		error_set(err,
		          "there is no webhook profile '%s'; use auto or the name of a file in the folder of "
		          "profiles",
		          profile);
		return NULL;
	}
	BUG_ON(p == NULL);
	struct webhook_settings *s = xcalloc(1, sizeof *s);
	s->profiles = p;
	s->profile = found;
	return s;
}

/* ---- which product */

static size_t fit(const struct profile *p, const struct json *body)
{
	const struct json *probe = body->kind == JSON_ARRAY && body->first != NULL ? body->first : body;
	for (const struct path_list *d = p->detect; d != NULL; d = d->next)
		if (json_path(probe, d->path) == NULL)
			return 0;
	return p->n_detect;
}

static const struct profile *detect(const struct webhook_profiles *all, const struct json *body)
{
	const struct profile *best = NULL;
	size_t most = 0;
	for (const struct profile *p = all->first; p != NULL; p = p->next) {
		size_t n = fit(p, body);
		if (n > most) {
			most = n;
			best = p;
		}
	}
	return best != NULL ? best : find_profile(all, "generic");
}

/* ---- which events */

struct request {
	const struct decode_env *env;
	const struct profile *profile; /* NULL: no profile at all, not even generic */
	const struct json *body;
	struct evt_batch *out;
	struct buf scratch;
	bool full;
};

static void set_common(const struct request *r, struct fields *f)
{
	fields_set(f, FIELD_TYPE, SLICE("webhook"));
	if (r->env->raw_mode)
		return;
	fields_set(f, FIELD_SOURCE, slice_str(r->env->source));
	fields_set_type(f, FIELD_SENDER, r->env->sender, VALUE_IP);
}

static void add_event(struct request *r, const struct json *element)
{
	size_t left = r->env->max_event > 0 ? r->env->max_event : SIZE_MAX;
	struct fields *f = r->full ? NULL : evt_batch_add(r->out);
	if (f == NULL) {
		if (!r->full)
			evt_batch_note(r->out, SIZE_MAX,
			               "more than %zu events in one body: the rest is left out", r->out->max);
		r->full = true;
		return;
	}
	set_common(r, f);
	if (r->profile != NULL && r->body->kind == JSON_OBJECT && element != r->body)
		for (const struct path_list *s = r->profile->shared; s != NULL; s = s->next)
			flatten(f, "body", s->path, json_path(r->body, s->path), &left);
	flatten(f, "body", SLICE_NONE, element, &left);
	struct item it = {
	    .env = r->env, .element = element, .body = r->body, .fields = f, .scratch = &r->scratch};
	if (r->profile != NULL)
		profile_apply(r->profile, &it);
	if (value_slice(fields_get(f, FIELD_HOST)).p == NULL && !r->env->raw_mode)
		fields_set_lower(f, FIELD_HOST, r->env->sender);
}

/* The list that `items` names, if it is one of objects. */
static const struct json *items_of(const struct profile *p, const struct json *body)
{
	if (p == NULL || body->kind != JSON_OBJECT)
		return NULL;
	for (const struct path_list *i = p->items; i != NULL; i = i->next) {
		const struct json *list = json_path(body, i->path);
		if (list != NULL && list->kind == JSON_ARRAY &&
		    (list->first == NULL || list->first->kind == JSON_OBJECT))
			return list;
	}
	return NULL;
}

static void add_items(struct request *r, const struct json *holder)
{
	const struct json *list = items_of(r->profile, holder);
	if (list == NULL) {
		add_event(r, holder);
		return;
	}
	for (const struct json *e = list->first; e != NULL && !r->full; e = e->next)
		add_event(r, e);
}

static void add_all(struct request *r)
{
	BUG_ON(r->body == NULL);
	if (r->body->kind != JSON_ARRAY) {
		add_items(r, r->body);
		return;
	}
	for (const struct json *e = r->body->first; e != NULL && !r->full; e = e->next) {
		if (e->kind == JSON_OBJECT)
			add_items(r, e);
		else
			add_event(r, e);
	}
}

/* ---- bodies */

/* No JSON: the text is the message of one event. */
static enum decode_result text_event(struct request *r, struct slice text, size_t at, const char *why)
{
	struct fields *f = evt_batch_add(r->out);
	if (f == NULL)
		return DECODE_REFUSED;
	evt_batch_note(r->out, at, "not JSON: %s", why);
	set_common(r, f);
	fields_add_tag(f, "not-json");
	if (r->env->max_event > 0 && text.n > r->env->max_event) {
		text.n = r->env->max_event;
		fields_add_tag(f, "truncated");
	}
	if (!slice_utf8(text))
		fields_add_tag(f, "not-utf8");
	fields_set(f, FIELD_MESSAGE, text);
	if (!r->env->raw_mode)
		fields_set_lower(f, FIELD_HOST, r->env->sender);
	return DECODE_OK;
}

static bool is_form(const struct decode_env *env)
{
	return env->content_type.n >= 33 &&
	       slice_ieq(slice_sub(env->content_type, 0, 33), SLICE("application/x-www-form-urlencoded"));
}

static struct slice without_bom(struct slice s)
{
	struct slice bom = SLICE("\xef\xbb\xbf");
	return slice_starts(s, bom) ? slice_sub(s, bom.n, s.n - bom.n) : s;
}

static enum decode_result decode_json(struct request *r, const struct webhook_settings *s, struct slice text)
{
	struct error err;
	size_t at = 0;
	struct slice json = without_bom(text);
	const struct json *body = json_parse(r->out->arena, json, JSON_LIMITS, &at, &err);
	if (body == NULL)
		return text_event(r, text, at + (text.n - json.n), err.text);
	if (body->kind != JSON_OBJECT && body->kind != JSON_ARRAY)
		return text_event(r, text, 0, "a single value");
	r->body = body;
	r->profile = s->profile != NULL ? s->profile : detect(s->profiles, body);
	add_all(r);
	if (r->out->n == 0 && r->out->n_notes == 0)
		evt_batch_note(r->out, 0, "an empty list: no alert in it");
	return r->out->n > 0 ? DECODE_OK : DECODE_REFUSED;
}

static enum decode_result decode_form(struct request *r, const struct webhook_settings *s, struct slice text)
{
	struct slice payload;
	const struct json *form = form_read(r->out->arena, text, &payload);
	if (payload.p != NULL)
		return decode_json(r, s, payload);
	r->body = form;
	r->profile = s->profile != NULL ? s->profile : detect(s->profiles, form);
	add_event(r, form);
	return DECODE_OK;
}

static enum decode_result webhook_decode(const void *settings, const struct decode_env *env,
                                         struct slice payload, struct evt_batch *out,
                                         struct buf *reply UNUSED)
{
	struct request r = {.env = env, .out = out};
	BUG_ON(settings == NULL);
	if (slice_trim(payload).n == 0) {
		evt_batch_note(out, 0, "an empty body");
		return DECODE_REFUSED;
	}
	enum decode_result result =
	    is_form(env) ? decode_form(&r, settings, payload) : decode_json(&r, settings, payload);
	buf_free(&r.scratch);
	return result;
}

const struct decoder webhook_decoder = {PLUGIN_ABI, "webhook", "webhook", webhook_decode};
