/* Promises that windows and alerts go to bytes and come back the same: load(save(x)) saves to the same bytes.
 * Lists are written in their own order, hash maps are built again. Rules are named by id, so that numbers may
 * differ. */
#include "engine/alert.h"

#include <stdlib.h>

enum { NAMES_MAX = 4096, RING_MAX = 200000 };

/* ---- small things */

static void put_str(struct buf *b, const char *s)
{
	buf_lslice(b, slice_str(s));
}

static char *get_str(struct reader *r)
{
	struct slice s = read_lslice(r);
	return s.p != NULL ? slice_dup(s) : NULL;
}

static void put_i64(struct buf *b, int64_t v)
{
	buf_u64(b, (uint64_t)v);
}

static int64_t get_i64(struct reader *r)
{
	return (int64_t)read_u64(r);
}

static void put_pairs(struct buf *b, char *const *names, char *const *values, size_t n)
{
	buf_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		put_str(b, names[i]);
		put_str(b, values[i]);
	}
}

static char *get_text(struct reader *r)
{
	char *s = get_str(r);
	r->ok = r->ok && s != NULL;
	return s;
}

static size_t get_pairs(struct reader *r, char ***names, char ***values)
{
	uint32_t n = read_u32(r);
	if (n > NAMES_MAX)
		r->ok = false;
	if (!r->ok)
		return 0;
	*names = xcalloc(MAX(n, 1), sizeof(char *));
	*values = xcalloc(MAX(n, 1), sizeof(char *));
	for (uint32_t i = 0; i < n; i++) {
		(*names)[i] = get_text(r);
		(*values)[i] = get_text(r);
	}
	return n;
}

static void put_notes(struct buf *b, const struct text_note *v, size_t n)
{
	buf_u8(b, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		put_i64(b, v[i].at);
		put_str(b, v[i].text);
	}
}

static size_t get_notes(struct reader *r, struct text_note *v, size_t max)
{
	size_t n = read_u8(r);
	if (n > max)
		r->ok = false;
	for (size_t i = 0; r->ok && i < n; i++) {
		v[i].at = get_i64(r);
		v[i].text = get_text(r);
	}
	return r->ok ? n : 0;
}

/* ---- windows */

static void put_ring(struct buf *b, const struct window *w)
{
	buf_u32(b, w->n);
	for (uint32_t i = w->n; i > 0; i--)
		put_i64(b, window_nth(w, i));
}

static void get_ring(struct reader *r, struct window *w)
{
	uint32_t n = read_u32(r);
	if (n > RING_MAX)
		r->ok = false;
	for (uint32_t i = 0; r->ok && i < n; i++)
		window_push(w, get_i64(r), n);
}

static void put_window(struct buf *b, const struct window *w)
{
	struct buf form = {0};
	put_ring(b, w);
	if (w->formed)
		form_save(w->form, &form);
	buf_lslice(b, w->formed ? buf_slice(&form) : SLICE_NONE);
	buf_free(&form);
}

/* A new window of the rule, idle. NULL: damaged. That of an alert may be of the rule's former form: it begins
 * empty. */
static struct window *get_window(struct engine *e, struct reader *r, const struct rule *rule,
                                 struct slice key, bool other_form)
{
	struct reader ring = *r;
	(void)read_bytes(r, (size_t)read_u32(r) * 8);
	struct slice bytes = read_lslice(r);
	bool formed = rule->when.form > WHEN_COUNT, had = bytes.p != NULL;
	if (!r->ok || key.p == NULL || (formed != had && !other_form) ||
	    window_find(e->windows, rule->number, key) != NULL)
		return NULL;
	struct reader in = reader_of(bytes);
	struct form *form = formed && had ? form_load(&in, rule) : NULL;
	if (formed && form == NULL && !other_form)
		return NULL;
	if (formed && form == NULL)
		form = form_new(rule);
	struct window *w = window_add(e->windows, rule->number, key, form);
	get_ring(&ring, w);
	return ring.ok ? w : NULL;
}

static void put_rule(struct buf *b, const struct rule *r, const struct rule_state *rs)
{
	uint32_t n = 0;
	for (const struct window *w = rs->idle.first; w != NULL; w = w->newer)
		n++;
	buf_lslice(b, r->id);
	buf_u64(b, r->hash);
	buf_u64(b, rs->hits);
	buf_u64(b, rs->opened);
	buf_u64(b, rs->evicted);
	buf_u32(b, n);
	for (const struct window *w = rs->idle.first; w != NULL; w = w->newer) {
		buf_lslice(b, slice_of(w->key, w->key_n));
		put_window(b, w);
	}
	flaps_save(rs, b);
}

static void skip_window(struct reader *r)
{
	(void)read_lslice(r);
	(void)read_bytes(r, (size_t)read_u32(r) * 8);
	(void)read_lslice(r);
}

static void get_rule(struct engine *e, struct reader *r)
{
	struct slice id = read_lslice(r);
	uint64_t hash = read_u64(r), hits = read_u64(r), opened = read_u64(r), evicted = read_u64(r);
	uint32_t n = read_u32(r);
	const struct rule *rule = r->ok ? rule_set_find(e->setup.rules, id) : NULL;
	bool same = rule != NULL && rule->hash == hash;
	if (rule != NULL) {
		e->windows->rules[rule->number].hits = hits;
		e->windows->rules[rule->number].opened = opened;
		e->windows->rules[rule->number].evicted = evicted;
	}
	for (uint32_t i = 0; r->ok && i < n; i++) {
		if (!same)
			skip_window(r);
		else if (get_window(e, r, rule, read_lslice(r), false) == NULL)
			r->ok = false;
	}
	if (r->ok && !flaps_load(e, same ? rule : NULL, r))
		r->ok = false;
}

/* ---- alerts */

static void put_state(struct buf *b, const struct alert *a)
{
	buf_u64(b, a->serial);
	buf_add(b, a->id.b, sizeof a->id.b);
	buf_u8(b, (uint8_t)a->state);
	buf_u8(b, (uint8_t)a->severity);
	buf_u8(b, (uint8_t)a->effect);
	buf_u8(b, (uint8_t)a->nature);
	buf_u8(b, (uint8_t)(a->trial | a->stateless << 1 | a->flapping << 2 | a->muted << 3 |
	                    a->no_incident << 4 | a->announced << 5 | a->released << 6 | a->quieted << 7));
	buf_u8(b, a->has_value);
	buf_f64(b, a->value);
	buf_u64(b, a->count);
	const int64_t v[] = {a->first,       a->opened,       a->last,    a->calm,       a->closed,
	                     a->since,       a->held,         a->timer,   a->open_after, a->quiet,
	                     a->close_after, a->clear_within, a->changed, a->flap_settle};
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		put_i64(b, v[i]);
	buf_u32(b, a->clear_fewer_than);
	buf_u64(b, a->order);
	buf_u64(b, a->touched);
	buf_u64(b, a->incident);
}

static void get_state(struct reader *r, struct alert *a)
{
	a->serial = read_u64(r);
	struct slice id = read_bytes(r, sizeof a->id.b);
	if (id.n == sizeof a->id.b)
		memcpy(a->id.b, id.p, id.n);
	uint8_t state = read_u8(r), severity = read_u8(r), effect = read_u8(r), nature = read_u8(r),
	        marks = read_u8(r);
	if (state > ALERT_CLOSED || severity > SEVERITY_CRITICAL || effect > EFFECT_DOWN ||
	    nature > NATURE_PRECURSOR)
		r->ok = false;
	a->state = (enum alert_state)state;
	a->severity = (enum severity)severity;
	a->effect = (enum effect)effect;
	a->nature = (enum nature)nature;
	bool *const flags[] = {&a->trial,       &a->stateless, &a->flapping, &a->muted,
	                       &a->no_incident, &a->announced, &a->released, &a->quieted};
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		*flags[i] = (marks >> i & 1) != 0;
	a->has_value = read_u8(r) != 0;
	a->value = read_f64(r);
	a->count = read_u64(r);
	int64_t *const v[] = {&a->first,       &a->opened,       &a->last,    &a->calm,       &a->closed,
	                      &a->since,       &a->held,         &a->timer,   &a->open_after, &a->quiet,
	                      &a->close_after, &a->clear_within, &a->changed, &a->flap_settle};
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		*v[i] = get_i64(r);
	a->clear_fewer_than = read_u32(r);
	a->order = read_u64(r);
	a->touched = read_u64(r);
	a->incident = read_u64(r);
}

static void put_alert(struct buf *b, const struct alert *a)
{
	put_state(b, a);
	const char *texts[] = {a->rule_id, a->key,          a->muted_by,    a->service,
	                       a->host,    a->port,         a->source,      a->app,
	                       a->peer,    a->summary,      a->description, a->assign,
	                       a->title,   a->close_reason, a->runbook,     a->owner,
	                       a->silenced_by};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		put_str(b, texts[i]);
	buf_lslice(b, slice_of(a->event, a->event_n));
	put_pairs(b, a->by_names, a->by_values, a->n_by);
	put_pairs(b, a->extra_names, a->extra_values, a->n_extra);
	put_pairs(b, a->said_names, a->said_values, a->n_said);
	put_pairs(b, a->group_names, a->group_values, a->n_group);
	put_notes(b, a->head, a->n_head);
	put_notes(b, a->tail, a->n_tail);
	if (a->state != ALERT_CLOSED)
		put_window(b, a->window);
}

static void get_alert(struct reader *r, struct alert *a)
{
	get_state(r, a);
	char **texts[] = {&a->rule_id, &a->key,          &a->muted_by,    &a->service,
	                  &a->host,    &a->port,         &a->source,      &a->app,
	                  &a->peer,    &a->summary,      &a->description, &a->assign,
	                  &a->title,   &a->close_reason, &a->runbook,     &a->owner,
	                  &a->silenced_by};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = get_str(r);
	struct slice event = read_lslice(r);
	a->event = event.p != NULL ? slice_dup(event) : NULL;
	a->event_n = event.n;
	a->n_by = get_pairs(r, &a->by_names, &a->by_values);
	a->n_extra = get_pairs(r, &a->extra_names, &a->extra_values);
	a->n_said = get_pairs(r, &a->said_names, &a->said_values);
	a->n_group = get_pairs(r, &a->group_names, &a->group_values);
	a->n_head = get_notes(r, a->head, ARRAY_LEN(a->head));
	a->n_tail = get_notes(r, a->tail, ARRAY_LEN(a->tail));
	if (a->rule_id == NULL || a->key == NULL || a->summary == NULL || a->muted != (a->muted_by != NULL || a->quieted) ||
	    (a->quieted && a->silenced_by == NULL) ||
	    (a->released && a->state != ALERT_CLOSED))
		r->ok = false;
}

/* A live alert gets its window back; one whose rule is not running is damage: a reload would have closed it.
 */
static bool attach(struct engine *e, struct reader *r, struct alert *a, const struct rule *rule)
{
	struct window *w = rule != NULL ? get_window(e, r, rule, slice_str(a->key), true) : NULL;
	if (w == NULL)
		return false;
	windows_take(e->windows, w);
	w->alert = a;
	a->window = w;
	return r->ok;
}

static bool adopt(struct engine *e, struct reader *r, struct alert *a)
{
	get_alert(r, a);
	if (!r->ok || alert_find(e, a->serial) != NULL) {
		alert_free(a);
		return false;
	}
	const struct rule *rule = rule_set_find(e->setup.rules, slice_str(a->rule_id));
	a->rule = rule != NULL && rule->mode != MODE_OFF ? rule->number : RULE_NONE;
	alerts_link(e, a);
	return a->state == ALERT_CLOSED || attach(e, r, a, rule);
}

static int by_touch(const void *x, const void *y)
{
	const struct alert *const *a = x, *const *b = y;
	return ((*a)->touched > (*b)->touched) - ((*a)->touched < (*b)->touched);
}

/* The lists of rules and of recent ones are in order of the last touch. */
static void relink(struct engine *e)
{
	size_t n;
	struct alert **v = alerts_by_order(e, &n);
	if (n > 0)
		qsort(v, n, sizeof(struct alert *), by_touch);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->state != ALERT_CLOSED)
			alerts_live_link(e, v[i]);
		else if (v[i]->released)
			alerts_recent_link(e, v[i]);
	}
	free(v);
}

static bool load_alerts(struct engine *e, struct reader *r)
{
	e->alerts->touch = read_u64(r);
	uint64_t n = read_u64(r);
	for (uint64_t i = 0; r->ok && i < n; i++) {
		if (!adopt(e, r, alert_new()))
			return false;
	}
	relink(e);
	mutes_rebuild(e);
	/* marks of silences come as they were saved: fields such as alert.count have moved since they were set */
	for (struct alert *a = e->alerts->all.first; a != NULL; a = a->next)
		a->silence_due = false;
	mutes_settle(e);
	/* what was told is in the state already: a rebuilt mute that differs would be a bug of the save */
	return r->ok && !DOUBT(e->alerts->n_changes > 0);
}

void windows_save(const struct engine *e, struct buf *out)
{
	const struct windows *ws = e->windows;
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	BUG_ON(ws->own_first != NULL || e->alerts->n_changes > 0);
	buf_u64(out, n);
	buf_u64(out, ws->cursor);
	buf_u8(out, ws->expected);
	for (size_t i = 0; i < n; i++)
		put_rule(out, &rules[i], &ws->rules[i]);
	uint64_t count = 0;
	for (const struct alert *a = e->alerts->all.first; a != NULL; a = a->next)
		count++;
	buf_u64(out, e->alerts->touch);
	buf_u64(out, count);
	for (const struct alert *a = e->alerts->all.first; a != NULL; a = a->next)
		put_alert(out, a);
}

bool windows_load(struct engine *e, struct reader *r)
{
	uint64_t n = read_u64(r), cursor = read_u64(r);
	e->windows->expected = read_u8(r) != 0;
	for (uint64_t i = 0; r->ok && i < n; i++)
		get_rule(e, r);
	e->windows->cursor = e->windows->n_rules > 0 ? cursor % e->windows->n_rules : 0;
	return r->ok && load_alerts(e, r);
}
