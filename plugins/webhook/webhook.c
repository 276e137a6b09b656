/* The webhook decoder: one HTTP body becomes the events that are in it. Promises: a body that is no JSON or
 * of no known product is an event too; nothing here answers anybody. Must not know: HTTP, tokens. */
#include "request.h"

#include <stdlib.h>

#include "form.h"

struct webhook_settings {
	const struct webhook_profiles *profiles;
	const struct profile *profile; /* NULL: auto */
	const struct profile *generic;
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
	s->generic = find_profile(p, "generic");
	return s;
}

const char *webhook_settings_verify(const void *settings)
{
	const struct webhook_settings *s = settings;
	return s->profile != NULL ? s->profile->verify : NULL;
}

/* ---- bodies */

static const struct json nothing = {.kind = JSON_OBJECT};

/* A message may be in its headers alone (CloudEvents in binary mode). */
static enum decode_result empty_body(struct request *r)
{
	const struct profile *p = detect_product(r->profiles, &nothing, r->env->headers);
	const struct place place = {&nothing, NULL};
	if (p != NULL && request_event(r, r->named != NULL ? r->named : p, &place) != NULL)
		return DECODE_OK;
	evt_batch_note(r->out, 0, "an empty body");
	return DECODE_REFUSED;
}

/* No JSON: the text is the message of one event; what a profile reads from headers is there all the same. */
static enum decode_result text_event(struct request *r, struct slice text, size_t at, const char *why)
{
	const struct place place = {&nothing, NULL};
	struct fields *f = request_event(r, request_profile(r, &nothing), &place);
	if (f == NULL)
		return DECODE_REFUSED;
	evt_batch_note(r->out, at, "not JSON: %s", why);
	fields_add_tag(f, "not-json");
	if (r->env->max_event > 0 && text.n > r->env->max_event) {
		text.n = r->env->max_event;
		fields_add_tag(f, "truncated");
	}
	if (!slice_utf8(text))
		fields_add_tag(f, "not-utf8");
	fields_set(f, FIELD_MESSAGE, text);
	return DECODE_OK;
}

static enum decode_result body_events(struct request *r, const struct json *body)
{
	request_spread(r, body);
	if (r->out->n == 0 && r->out->n_notes == 0)
		evt_batch_note(r->out, 0, "an empty list: no alert in it");
	return r->out->n > 0 ? DECODE_OK : DECODE_REFUSED;
}

static struct slice without_bom(struct slice s)
{
	struct slice bom = SLICE("\xef\xbb\xbf");
	return slice_starts(s, bom) ? slice_sub(s, bom.n, s.n - bom.n) : s;
}

/* One object a line (application/x-ndjson): a list of them, or NULL if a line is no object or there is but
 * one. */
static const struct json *read_lines(struct arena *a, struct slice text)
{
	struct slice line;
	struct error err;
	struct json *list = arena_alloc(a, sizeof *list), **tail = &list->first;
	list->kind = JSON_ARRAY;
	while (text.n > 0 && slice_split(&text, '\n', &line)) {
		line = slice_trim(line);
		if (line.n == 0)
			continue;
		*tail = line.p[0] == '{' ? json_parse(a, line, JSON_LIMITS, NULL, &err) : NULL;
		if (*tail == NULL)
			return NULL;
		tail = &(*tail)->next;
		list->n++;
	}
	return list->n > 1 ? list : NULL;
}

static enum decode_result decode_json(struct request *r, struct slice text)
{
	struct error err;
	size_t at = 0;
	struct slice json = without_bom(text);
	const struct json *body = json_parse(r->out->arena, json, JSON_LIMITS, &at, &err);
	if (body == NULL)
		body = read_lines(r->out->arena, json);
	if (body == NULL)
		return text_event(r, text, at + (text.n - json.n), err.text);
	if (body->kind != JSON_OBJECT && body->kind != JSON_ARRAY)
		return text_event(r, text, 0, "a single value");
	return body_events(r, body);
}

static bool content_is(const struct decode_env *env, struct slice type)
{
	return env->content_type.n >= type.n && slice_ieq(slice_sub(env->content_type, 0, type.n), type);
}

/* The form of a body, or NULL if it is none; curl calls whatever it sends a form. */
static const struct json *read_form(const struct request *r, struct slice text)
{
	struct slice start = slice_trim(text);
	if (content_is(r->env, SLICE("multipart/form-data")))
		return form_read_parts(r->out->arena, r->env->content_type, text);
	if (!content_is(r->env, SLICE("application/x-www-form-urlencoded")) || start.p[0] == '{' ||
	    start.p[0] == '[')
		return NULL;
	return form_read(r->out->arena, text);
}

static enum decode_result webhook_decode(const void *settings, const struct decode_env *env,
                                         struct slice payload, struct evt_batch *out,
                                         struct buf *reply UNUSED)
{
	const struct webhook_settings *s = settings;
	BUG_ON(settings == NULL);
	struct request r = {
	    .env = env, .profiles = s->profiles, .named = s->profile, .generic = s->generic, .out = out};
	enum decode_result result;
	bool is_blank = slice_trim(payload).n == 0;
	const struct json *form = is_blank ? NULL : read_form(&r, payload);
	if (is_blank) {
		result = empty_body(&r);
	} else if (form == NULL) {
		result = decode_json(&r, payload);
	} else {
		const struct json *inside = form_payload(out->arena, form);
		result = body_events(&r, inside != NULL ? inside : form);
	}
	buf_free(&r.scratch);
	return result;
}

const struct decoder webhook_decoder = {PLUGIN_ABI, "webhook", "webhook", webhook_decode};
