/* Promises that nothing is forgotten: every event that began, repeated or cleared an alert, and where that
 * alert's incident ended. Hears it from the engine's observer; changes nothing there. */
#include <stdlib.h>

#include "ctl/backtest.h"

enum { FITTING_MAX = 1 << 16 }; /* events of one key that may still be counted */

struct fitting {
	struct {
		instant at;
		uint32_t event;
	} * v;
	size_t n, cap;
};

static char *dup_or_null(struct slice s)
{
	return s.p != NULL ? slice_dup(s) : NULL;
}

/* ---- alerts */

static void add_event(struct trace_alert *a, uint32_t event)
{
	if (event == EVENT_NONE || (a->n > 0 && a->events[a->n - 1] == event))
		return;
	a->events = array_reserve(a->events, &a->cap, a->n + 1, sizeof *a->events);
	a->events[a->n++] = event;
}

static struct trace_alert *alert_of(struct trace *t, uint64_t serial, struct slice rule)
{
	struct trace_alert *a = hmap_get(t->alert_by, key_u64(&serial));

	if (a != NULL)
		return a;
	a = xcalloc(1, sizeof *a);
	*a = (struct trace_alert){.serial = serial, .rule = slice_dup(rule), .opened = INSTANT_NONE};
	hmap_put(t->alert_by, key_u64(&a->serial), a);
	t->alerts = array_reserve(t->alerts, &t->cap_alerts, t->n_alerts + 1, sizeof *t->alerts);
	t->alerts[t->n_alerts++] = a;
	return a;
}

static struct fitting *fitting_of(struct trace *t, struct slice rule, struct slice key, bool make)
{
	struct buf b = {0};
	struct fitting *f;

	buf_lslice(&b, rule);
	buf_adds(&b, key);
	f = hmap_get(t->fitting, buf_slice(&b));
	if (f == NULL && make) {
		f = xcalloc(1, sizeof *f);
		hmap_put(t->fitting, buf_slice(&b), f);
	}
	buf_free(&b);
	return f;
}

static void on_fits(void *arg, struct slice rule, struct slice key)
{
	struct trace *t = arg;
	struct fitting *f;

	if (t->now == EVENT_NONE)
		return;
	f = fitting_of(t, rule, key, true);
	if (f->n == FITTING_MAX) {
		memmove(f->v, f->v + FITTING_MAX / 2, FITTING_MAX / 2 * sizeof *f->v);
		f->n = FITTING_MAX / 2;
	}
	f->v = array_reserve(f->v, &f->cap, f->n + 1, sizeof *f->v);
	f->v[f->n].at = t->at;
	f->v[f->n++].event = t->now;
}

static void on_alert(void *arg, uint64_t serial, struct slice rule, struct slice key, instant first)
{
	struct trace *t = arg;
	struct trace_alert *a = alert_of(t, serial, rule);
	struct fitting *f = fitting_of(t, rule, key, false);

	for (size_t i = 0; first != INSTANT_NONE && f != NULL && i < f->n; i++)
		if (f->v[i].at >= first)
			add_event(a, f->v[i].event);
	if (f != NULL)
		f->n = 0;
	add_event(a, t->now);
}

static void on_opened(void *arg, uint64_t serial, struct slice rule)
{
	struct trace *t = arg;
	struct trace_alert *a = alert_of(t, serial, rule);

	if (a->opened == INSTANT_NONE)
		a->opened = t->at;
}

/* ---- episodes and incidents */

static void on_joined(void *arg, uint64_t serial, uint64_t episode, uint64_t incident)
{
	struct trace *t = arg;
	struct trace_alert *a = alert_of(t, serial, SLICE("?"));

	a->episode = episode;
	a->incident = incident;
}

static void on_moved(void *arg, uint64_t episode, uint64_t incident)
{
	struct trace *t = arg;

	_Static_assert(sizeof(void *) >= sizeof incident, "a serial number fits a pointer");
	(void)hmap_put(t->episode_to, key_u64(&episode), (void *)(uintptr_t)incident);
}

static void incident_clear(struct trace_incident *i)
{
	for (size_t k = 0; k < i->n_roots; k++)
		free(i->roots[k]);
	for (size_t k = 0; k < i->n_services; k++)
		free(i->services[k]);
	free(i->roots);
	free(i->services);
	free(i->id);
	free(i->root);
	free(i->rule);
	free(i->title);
	free(i->merged_into);
	*i = (struct trace_incident){.serial = i->serial};
}

static char **dup_list(const struct slice *v, size_t n)
{
	char **out = n > 0 ? xcalloc(n, sizeof *out) : NULL;

	for (size_t i = 0; i < n; i++)
		out[i] = slice_dup(v[i]);
	return out;
}

static void on_look(void *arg, const struct incident_look *look)
{
	struct trace *t = arg;
	struct trace_incident *i = hmap_get(t->incident_by, key_u64(&look->serial));

	if (i == NULL) {
		i = xcalloc(1, sizeof *i);
		i->serial = look->serial;
		hmap_put(t->incident_by, key_u64(&i->serial), i);
		hmap_put(t->incident_of_id, look->id, i);
		t->incidents =
		    array_reserve(t->incidents, &t->cap_incidents, t->n_incidents + 1, sizeof *t->incidents);
		t->incidents[t->n_incidents++] = i;
	}
	incident_clear(i);
	i->id = slice_dup(look->id);
	i->root = dup_or_null(look->root);
	i->rule = dup_or_null(look->rule);
	i->title = dup_or_null(look->title);
	i->merged_into = dup_or_null(look->merged_into);
	i->state = look->state;
	i->priority = look->priority;
	i->roots = dup_list(look->roots, look->n_roots);
	i->n_roots = look->n_roots;
	i->services = dup_list(look->services, look->n_services);
	i->n_services = look->n_services;
}

/* ---- all */

void trace_init(struct trace *t)
{
	*t = (struct trace){.now = EVENT_NONE, .at = INSTANT_NONE};
	t->observer = (struct engine_observer){.arg = t,
	                                       .fits = on_fits,
	                                       .alert = on_alert,
	                                       .opened = on_opened,
	                                       .joined = on_joined,
	                                       .moved = on_moved,
	                                       .ended = on_look};
	t->alert_by = hmap_new();
	t->episode_to = hmap_new();
	t->incident_by = hmap_new();
	t->incident_of_id = hmap_new();
	t->fitting = hmap_new();
}

void trace_free(struct trace *t)
{
	struct slice key;
	void *value;

	for (size_t i = 0; i < t->n_alerts; i++) {
		free(t->alerts[i]->rule);
		free(t->alerts[i]->events);
		free(t->alerts[i]);
	}
	for (size_t i = 0; i < t->n_incidents; i++) {
		incident_clear(t->incidents[i]);
		free(t->incidents[i]);
	}
	for (size_t i = 0; hmap_next(t->fitting, &i, &key, &value);) {
		free(((struct fitting *)value)->v);
		free(value);
	}
	free(t->alerts);
	free(t->incidents);
	free(t->events);
	hmap_free(t->alert_by);
	hmap_free(t->episode_to);
	hmap_free(t->incident_by);
	hmap_free(t->incident_of_id);
	hmap_free(t->fitting);
}

uint32_t trace_event(struct trace *t, uint32_t line, uint32_t part)
{
	t->events = array_reserve(t->events, &t->cap_events, t->n_events + 1, sizeof *t->events);
	t->events[t->n_events] = (struct trace_event){.line = line, .part = part};
	return (uint32_t)t->n_events++;
}

void trace_finish(struct trace *t, const struct engine *e)
{
	engine_each_incident(e, on_look, t);
}

struct trace_incident *trace_incident(const struct trace *t, struct slice id)
{
	return hmap_get(t->incident_of_id, id);
}

uint64_t trace_incident_of(const struct trace *t, const struct trace_alert *a)
{
	return a->incident != 0  ? a->incident
	       : a->episode != 0 ? (uint64_t)(uintptr_t)hmap_get(t->episode_to, key_u64(&a->episode))
	                         : 0;
}
