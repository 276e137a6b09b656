/* Promises the engine's own events: opening, closing and severity change of an alert (language.md section 7,
 * "Chaining", and 17.3). They are judged within the same step, after the event that caused them. */
#include "engine/alert.h"

#include <stdio.h>
#include <stdlib.h>

static struct slice scratch_str(const struct engine *e, const char *s)
{
	return arena_slice(e->scratch, slice_str(s));
}

static void set_named(struct fields *f, const char *name, struct slice v, enum value_type type)
{
	(void)fields_set_named(f, slice_str(name), v, type); /* a field over the limit is only missing */
}

static void set_by(const struct engine *e, const struct alert *a, struct fields *f)
{
	for (size_t i = 0; i < a->n_by; i++) {
		struct slice name = scratch_str(e, a->by_names[i]);
		enum field_id core = field_core(name);
		if (strcmp(a->by_values[i], "(none)") != 0 && (core == FIELD_NONE || !field_read_only(core)))
			(void)fields_set_named(f, name, scratch_str(e, a->by_values[i]), VALUE_TEXT);
	}
}

static struct slice opened_text(const struct engine *e, const struct alert *a)
{
	struct buf b = {0};
	instant_format(a->opened, &b);
	struct slice s = arena_slice(e->scratch, buf_slice(&b));
	buf_free(&b);
	return s;
}

void alert_fields(const struct engine *e, const struct alert *a, const char *state, struct fields *f)
{
	struct slice count = slice_str(arena_printf(e->scratch, "%llu", (unsigned long long)a->count));
	set_by(e, a, f);
	fields_set(f, FIELD_TYPE, SLICE("alert"));
	fields_set(f, FIELD_SOURCE, SLICE("carillon"));
	fields_set(f, FIELD_STATE, SLICE("problem"));
	fields_set(f, FIELD_SEVERITY, slice_str(severity_word(a->severity)));
	if (a->service != NULL)
		fields_set(f, FIELD_SERVICE, scratch_str(e, a->service));
	if (a->host != NULL)
		fields_set(f, FIELD_HOST, scratch_str(e, a->host));
	set_named(f, "alert.rule", scratch_str(e, a->rule_id), VALUE_TEXT);
	set_named(f, "alert.state", slice_str(state), VALUE_TEXT);
	set_named(f, "alert.severity", slice_str(severity_word(a->severity)), VALUE_TEXT);
	set_named(f, "alert.count", count, VALUE_NUMBER);
	set_named(f, "alert.value", a->has_value ? number_text(e->scratch, a->value) : count, VALUE_NUMBER);
	set_named(f, "alert.opened", opened_text(e, a), VALUE_TIME);
}

/* service, host and severity are the alert's; else the event has the word. */
void alert_silence_fields(const struct engine *e, const struct alert *a, struct fields *f)
{
	struct reader r = reader_of(slice_of(a->event, a->event_n));
	alert_fields(e, a, "open", f);
	fields_set(f, FIELD_TYPE, SLICE_NONE);
	fields_set(f, FIELD_SOURCE, SLICE_NONE);
	while (r.ok && r.at < r.n) {
		struct slice name = read_lslice(&r);
		enum value_type type = (enum value_type)read_u8(&r);
		struct slice value = arena_slice(e->scratch, read_lslice(&r));
		enum field_id core = field_core(name);
		bool own = (core == FIELD_SERVICE && a->service != NULL) || (core == FIELD_HOST && a->host != NULL) ||
		           core == FIELD_SEVERITY;
		if (r.ok && !own)
			(void)fields_set_named(f, arena_slice(e->scratch, name), value, type);
	}
}

void alert_event(struct engine *e, const struct alert *a)
{
	struct windows *ws = e->windows;
	struct own_event *own = xcalloc(1, sizeof *own);
	fields_init(&own->f, e->scratch);
	alert_fields(e, a, a->state == ALERT_CLOSED ? "closed" : "open", &own->f);
	own->trial = a->trial;
	own->rule = a->rule;
	own->depth = ws->depth + 1;
	*(ws->own_last != NULL ? &ws->own_last->next : &ws->own_first) = own;
	ws->own_last = own;
}

void alert_calendar_event(struct engine *e, struct slice calendar, bool start)
{
	struct windows *ws = e->windows;
	struct own_event *own = xcalloc(1, sizeof *own);
	fields_init(&own->f, e->scratch);
	fields_set(&own->f, FIELD_TYPE, SLICE("calendar"));
	fields_set(&own->f, FIELD_SOURCE, SLICE("carillon"));
	fields_set(&own->f, FIELD_CALENDAR, calendar);
	fields_set(&own->f, FIELD_EDGE, start ? SLICE("start") : SLICE("end"));
	own->calendar = true;
	own->rule = RULE_NONE;
	*(ws->own_last != NULL ? &ws->own_last->next : &ws->own_first) = own;
	ws->own_last = own;
}

void own_event_free(struct own_event *o)
{
	fields_free(&o->f);
	free(o);
}
