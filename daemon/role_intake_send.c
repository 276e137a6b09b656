/* Events that an operator sends by hand (POST /api/v1/events): fields as in a rule test, or one syslog line. They go the way of
 * all events from here on, with the source `api`, and the answer comes when they are on disk. They are not recorded. */
#include <stdlib.h>
#include <string.h>

#include "role_intake.h"

#define EVENTS_MAX 1000u
#define SENT_AS    "api"

struct sending {
	struct waiter w;
	LIST_ENTRY(sending) link;
	struct intake *in;
	uint64_t request;
	unsigned events, wanted;
};

struct intake_send {
	struct listener_config config;
	struct intake_listener listener;
	LIST_HEAD(, sending) waiting;
};

static struct intake_send *send_of(struct intake *in)
{
	struct intake_send *s = in->send;

	if (s != NULL)
		return s;
	s = in->send = xcalloc(1, sizeof *s);
	LIST_INIT(&s->waiting);
	s->config.name = xstrdup(SENT_AS);
	s->listener.intake = in;
	s->listener.config = &s->config;
	intake_counters(in, &s->listener);
	return s;
}

void intake_send_free(struct intake_send *s)
{
	struct sending *w;

	if (s == NULL)
		return;
	while ((w = LIST_FIRST(&s->waiting)) != NULL) {
		LIST_REMOVE(w, link);
		intake_forget(w->in, &w->w);
		free(w);
	}
	free(s->config.name);
	free(s);
}

/* ---- answers */

static void refuse(struct intake *in, uint64_t request, int status, const char *why)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kbool(&w, "ok", false);
	jw_kstr(&w, "error", why);
	jw_kint(&w, "status", status);
	jw_end(&w);
	channel_send(in->tail, FRAME_REPLY, request, buf_slice(&b));
	buf_free(&b);
}

static void on_disk(struct waiter *waiter)
{
	struct sending *s = (struct sending *)(void *)((char *)waiter - offsetof(struct sending, w));
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kbool(&w, "ok", true);
	jw_kint(&w, "events", s->events);
	jw_kint(&w, "wanted", s->wanted);
	jw_end(&w);
	if (s->in->tail != NULL) /* else the front that asked is gone */
		channel_send(s->in->tail, FRAME_REPLY, s->request, buf_slice(&b));
	buf_free(&b);
	LIST_REMOVE(s, link);
	free(s);
}

/* ---- fields */

static bool add_members(struct fields *f, struct slice prefix, const struct json *o, const char **why)
{
	for (const struct json *m = o->first; m != NULL; m = m->next) {
		struct slice name = prefix.n > 0 ? slice_str(arena_printf(f->arena, SLICE_FMT "." SLICE_FMT, SLICE_ARG(prefix), SLICE_ARG(m->key)))
		                                 : m->key;
		enum field_id id = field_core(name);
		bool ok = true;

		if (id == FIELD_RECEIVED || id == FIELD_SOURCE)
			continue; /* those are ours to say */
		if (m->kind == JSON_OBJECT)
			ok = add_members(f, name, m, why);
		else if (m->kind == JSON_ARRAY)
			ok = false;
		else if (m->kind == JSON_NULL)
			continue;
		else if (id == FIELD_HOST || id == FIELD_SERVICE)
			fields_set_lower(f, id, json_text(m));
		else
			ok = fields_set_named(f, name, json_text(m), m->kind == JSON_NUMBER ? VALUE_NUMBER : VALUE_TEXT);
		if (!ok) {
			if (*why == NULL)
				*why = arena_printf(f->arena, "'" SLICE_FMT "' is no name or no value of a field", SLICE_ARG(slice_sub(name, 0, 100)));
			return false;
		}
	}
	return true;
}

static bool add_event(struct intake *in, const struct json *o, const char **why)
{
	struct fields *f = o->kind == JSON_OBJECT && o->first != NULL ? evt_batch_add(&in->batch) : NULL;

	if (f == NULL) {
		*why = "an event is an object of fields: {\"host\": \"web1\", \"message\": \"…\"}";
		return false;
	}
	if (!add_members(f, SLICE_NONE, o, why))
		return false;
	fields_set(f, FIELD_SOURCE, SLICE(SENT_AS));
	return true;
}

static bool add_line(struct intake *in, struct slice line, const char **why)
{
	struct decode_env env = {.received = loop_now(in->role->loop),
	                         .source = SENT_AS,
	                         .zone_offset = in->zone_offset,
	                         .max_event = in->gen->config->limits.event_size};
	struct buf reply = {0};
	bool ok = syslog_decoder.decode(NULL, &env, line, &in->batch, &reply) == DECODE_OK;

	if (!ok)
		*why = in->batch.n_notes > 0 ? in->batch.notes[0].text : "it is no syslog message";
	buf_free(&reply);
	return ok;
}

/* {"syslog": LINE}, {"events": [{…}, …]}, or one event. */
static bool read_body(struct intake *in, struct arena *a, struct slice body, const char **why)
{
	struct error err;
	const struct json *j = json_parse(a, body, JSON_LIMITS, NULL, &err), *list = json_get(j, "events");

	if (j == NULL) {
		*why = "the body is no JSON";
		return false;
	}
	if (j->kind == JSON_OBJECT && j->n == 1 && json_get(j, "syslog") != NULL && json_get(j, "syslog")->kind == JSON_STRING)
		return add_line(in, json_text(json_get(j, "syslog")), why);
	if (json_get(j, "syslog") != NULL && j->n == 1) {
		*why = "'syslog' is the text of one message";
		return false;
	}
	if (list == NULL || list->kind != JSON_ARRAY)
		return add_event(in, j, why);
	if (list->n == 0 || list->n > EVENTS_MAX) {
		*why = "'events' holds 1 to 1000 events";
		return false;
	}
	for (const struct json *o = list->first; o != NULL; o = o->next)
		if (!add_event(in, o, why))
			return false;
	return true;
}

void intake_send(struct intake *in, uint64_t request, struct slice body)
{
	struct intake_send *s;
	struct arena *a;
	const char *why = NULL;

	if (in->gen == NULL || in->stopping || intake_full(in)) {
		refuse(in, request, 503, "intake takes nothing now; try again");
		return;
	}
	s = send_of(in);
	a = arena_new(0);
	evt_batch_reset(&in->batch);
	if (!read_body(in, a, body, &why)) {
		refuse(in, request, 400, why);
	} else {
		struct sending *w = xcalloc(1, sizeof *w);

		w->in = in;
		w->request = request;
		w->events = (unsigned)in->batch.n;
		s->listener.tally.bytes += body.n;
		for (size_t i = 0; i < in->batch.n; i++)
			w->wanted += intake_event(in, &s->listener, &in->batch.v[i], loop_now(in->role->loop));
		intake_count(&s->listener);
		LIST_INSERT_HEAD(&s->waiting, w, link);
		intake_wait(in, &w->w, on_disk);
	}
	arena_free(a);
}
