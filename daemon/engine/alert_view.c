/* Promises what the world sees of alerts: JSON, view rows, figures, and the look of rule tests. Changes
 * nothing but the marks of what was already written. */
#include "engine/alert.h"

#include <stdlib.h>

static const char *state_word(enum alert_state s)
{
	switch (s) {
	case ALERT_PENDING: return "pending";
	case ALERT_OPEN: return "open";
	case ALERT_CLOSED: return "closed";
	}
	bug_stop("alert state", __FILE__, __LINE__);
}

static void put_optional(struct jw *w, const char *key, const char *value)
{
	if (value != NULL)
		jw_kstr(w, key, value);
}

static void put_notes(struct jw *w, const struct text_note *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_ktime(w, "at", v[i].at);
		jw_kstr(w, "text", v[i].text);
		jw_end(w);
	}
}

static void put_identity(struct jw *w, const struct alert *a)
{
	char id[27];
	ulid_text(&a->id, id);
	jw_kstr(w, "id", id);
	jw_kstr(w, "rule", a->rule_id);
	jw_key(w, "by");
	jw_object(w);
	for (size_t i = 0; i < a->n_by; i++)
		jw_kstr(w, a->by_names[i], a->by_values[i]);
	jw_end(w);
	jw_kstr(w, "state", state_word(a->state));
	jw_kint(w, "count", (int64_t)a->count);
	jw_kstr(w, "severity", severity_word(a->severity));
	jw_kstr(w, "effect", effect_word(a->effect));
	jw_kstr(w, "summary", a->summary);
}

static void put_origin(struct jw *w, const struct alert *a)
{
	put_optional(w, "service", a->service);
	put_optional(w, "host", a->host);
	put_optional(w, "port", a->port);
	put_optional(w, "source", a->source);
	put_optional(w, "app", a->app);
	put_optional(w, "peer", a->peer);
	put_optional(w, "runbook", a->runbook);
	put_optional(w, "owner", a->owner);
}

static void put_marks(const struct engine *e, struct jw *w, const struct alert *a)
{
	char incident[27];
	jw_kbool(w, "flapping", a->flapping);
	jw_kbool(w, "silenced", a->silenced_by != NULL);
	put_optional(w, "silence", a->silenced_by);
	put_optional(w, "suppressed", a->muted_by);
	if (a->trial)
		jw_kbool(w, "trial", true);
	if (a->incident != 0)
		jw_kslice(w, "incident", correlation_incident_id(e, a->incident, incident));
	struct slice cause = correlation_alert_cause(e, a);
	if (cause.n > 0)
		jw_kslice(w, "cause", cause);
}

void alert_json(const struct engine *e, const struct alert *a, struct jw *w)
{
	jw_object(w);
	put_identity(w, a);
	put_origin(w, a);
	put_marks(e, w, a);
	jw_ktime(w, "first", a->first);
	jw_ktime(w, "opened", a->opened);
	jw_ktime(w, "last", a->last);
	if (a->closed != INSTANT_NONE) {
		jw_ktime(w, "closed", a->closed);
		put_optional(w, "reason", a->close_reason);
	}
	jw_key(w, "events");
	jw_array(w);
	put_notes(w, a->head, a->n_head);
	put_notes(w, a->tail, a->n_tail);
	jw_array_end(w);
	jw_end(w);
}

struct row_sink {
	void (*row)(void *arg, const struct engine_view *v);
	void *arg;
};

static void row_of(const struct engine *e, const struct alert *a, const struct row_sink *to)
{
	char id[27], incident[27];
	struct buf json = {0};
	struct jw w = jw_new(&json);
	ulid_text(&a->id, id);
	alert_json(e, a, &w);
	struct engine_view v = {
	    .kind = 1,
	    .id = slice_str(id),
	    .parent = a->incident != 0 ? correlation_incident_id(e, a->incident, incident) : SLICE_NONE,
	    .state = slice_str(state_word(a->state)),
	    .updated = a->closed != INSTANT_NONE ? a->closed : a->last,
	    .json = buf_slice(&json),
	};
	to->row(to->arg, &v);
	buf_free(&json);
}

void alert_last_row(struct engine *e, const struct alert *a)
{
	const struct row_sink to = {engine_last_row, e};
	row_of(e, a, &to);
}

static void rows_gone(struct alerts *al, const struct row_sink *to)
{
	for (size_t i = 0; i < al->n_gone; i++) {
		char id[27];
		ulid_text(&al->gone[i], id);
		struct engine_view v = {.kind = 1, .id = slice_str(id), .updated = INSTANT_NONE};
		to->row(to->arg, &v);
	}
	al->n_gone = 0;
}

void alerts_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v), void *arg)
{
	struct alerts *al = e->alerts;
	const struct row_sink to = {row, arg};
	rows_gone(al, &to);
	for (struct alert *a = al->dirty, *next; a != NULL; a = next) {
		next = a->next_dirty;
		a->dirty = false;
		a->next_dirty = a->prev_dirty = NULL;
		a->shown = true;
		if (!all)
			row_of(e, a, &to);
	}
	al->dirty = NULL;
	for (struct alert *a = al->all.first; all && a != NULL; a = a->next) {
		a->shown = true;
		row_of(e, a, &to);
	}
}

void alerts_unmark(struct engine *e)
{
	struct alerts *al = e->alerts;
	for (struct alert *a = al->dirty, *next; a != NULL; a = next) {
		next = a->next_dirty;
		a->dirty = false;
		a->next_dirty = a->prev_dirty = NULL;
	}
	al->dirty = NULL;
	al->n_gone = 0;
}

void alerts_stats(const struct engine *e, struct engine_stats *out)
{
	out->alerts_open = out->alerts_pending = out->alerts_suppressed = 0;
	for (const struct alert *a = e->alerts->all.first; a != NULL; a = a->next) {
		out->alerts_open += a->state == ALERT_OPEN;
		out->alerts_pending += a->state == ALERT_PENDING;
		out->alerts_suppressed += a->state == ALERT_OPEN && a->muted;
	}
	out->windows = e->windows->len;
}

static int by_order(const void *x, const void *y)
{
	const struct alert *const *a = x, *const *b = y;
	return ((*a)->order > (*b)->order) - ((*a)->order < (*b)->order);
}

struct alert **alerts_by_order(const struct engine *e, size_t *n)
{
	size_t cap = 0;
	struct alert **v = NULL;
	*n = 0;
	for (struct alert *a = e->alerts->all.first; a != NULL; a = a->next) {
		v = array_reserve(v, &cap, *n + 1, sizeof(struct alert *));
		v[(*n)++] = a;
	}
	if (*n > 0)
		qsort(v, *n, sizeof(struct alert *), by_order);
	return v;
}

static void look_at(const struct engine *e, const struct alert *a,
                    void (*fn)(void *arg, const struct alert_look *l), void *arg)
{
	char id[27], incident[27];
	struct slice *by = xcalloc(2 * a->n_by + 1, sizeof *by);
	ulid_text(&a->id, id);
	for (size_t i = 0; i < a->n_by; i++) {
		by[i] = slice_str(a->by_names[i]);
		by[a->n_by + i] = slice_str(a->by_values[i]);
	}
	struct alert_look l = {
	    .id = slice_str(id),
	    .rule = slice_str(a->rule_id),
	    .service = slice_str(a->service),
	    .suppressed_by = slice_str(a->muted_by),
	    .silence = slice_str(a->silenced_by),
	    .cause = correlation_alert_cause(e, a),
	    .by_names = by,
	    .by_values = by + a->n_by,
	    .n_by = a->n_by,
	    .state = state_word(a->state),
	    .count = a->count,
	    .severity = a->severity,
	    .effect = a->effect,
	    .flapping = a->flapping,
	    .silenced = a->silenced_by != NULL,
	    .trial = a->trial,
	    .opened = a->opened,
	    .closed = a->closed,
	    .incident = a->incident != 0 ? correlation_incident_id(e, a->incident, incident) : SLICE_NONE,
	};
	fn(arg, &l);
	free(by);
}

void engine_each_alert(const struct engine *e, void (*fn)(void *arg, const struct alert_look *a), void *arg)
{
	size_t n;
	struct alert **v = alerts_by_order(e, &n);
	for (size_t i = 0; i < n; i++)
		look_at(e, v[i], fn, arg);
	free(v);
}
