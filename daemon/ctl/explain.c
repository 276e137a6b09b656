/* rules explain: one event through decoders, map and rules, told step by step; then through the engine that
 * runs live, to see what would come of it if nothing else had happened before. */
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/load.h"
#include "ctl/raw_input.h"
#include "ctl/show.h"
#include "engine/engine.h"

#define LOOK_AHEAD (2 * HOUR)
#define TICKS_MAX  10000

struct explain {
	struct ctl *c;
	const struct args *args;
	struct load l;
	struct load_map map;
	struct raw_input *raw;
	struct evt_batch batch;
	const struct rule *only;
	struct matcher *matcher;
	struct buf held; /* --id: the event as JSON */
};

/* ---- the event */

static void add_json(struct fields *f, struct slice prefix, const struct json *o)
{
	for (const struct json *m = o->first; m != NULL; m = m->next) {
		struct slice name = m->key;
		enum field_id id;

		if (prefix.n > 0)
			name = slice_str(arena_printf(f->arena, SLICE_FMT "." SLICE_FMT, SLICE_ARG(prefix),
			                              SLICE_ARG(m->key)));
		id = field_core(name);
		if (m->kind == JSON_OBJECT)
			add_json(f, name, m);
		else if (id == FIELD_HOST || id == FIELD_SERVICE)
			fields_set_lower(f, id, json_text(m));
		else
			(void)fields_set_named(f, name, json_text(m),
			                       m->kind == JSON_NUMBER ? VALUE_NUMBER : VALUE_TEXT);
	}
}

static struct fields *from_json(struct explain *x, struct slice text)
{
	struct error err;
	struct json *j = json_parse(x->batch.arena, text, JSON_LIMITS, NULL, &err);
	struct fields *f;

	if (j == NULL || j->kind != JSON_OBJECT) {
		ctl_fail(x->c, CTL_USAGE, "--event: %s",
		         j == NULL ? err.text : "write an object: {\"host\": \"web1\", \"message\": \"…\"}");
		return NULL;
	}
	f = evt_batch_add(&x->batch);
	BUG_ON(f == NULL);
	add_json(f, SLICE_NONE, j);
	return f;
}

/* The event that opened an alert, as far as the daemon keeps it, as JSON into x->held. */
static int fetch_held(struct explain *x, const char *id)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf path = {0};
	struct json *j;
	struct jw w = jw_new(&x->held);
	int rc;

	buf_str(&path, "/api/v1/alerts/");
	client_quote(&path, slice_str(id));
	buf_str(&path, "/event");
	rc = client_json(x->c, "GET", buf_cstr(&path), SLICE_NONE, a, &r, &j);
	if (rc == 0)
		jw_tree(&w, json_get(j, "event"));
	buf_free(&path);
	client_free(&r);
	arena_free(a);
	return rc;
}

/* The event anew: whoever works on it changes it. NULL: said. */
static struct fields *event(struct explain *x)
{
	const char *json = x->held.n > 0 ? buf_cstr(&x->held) : args_value(x->args, "event"),
	           *line = args_value(x->args, "syslog");

	evt_batch_reset(&x->batch);
	if (json != NULL)
		return from_json(x, slice_str(json));
	if (raw_input_syslog(x->raw, slice_str(line), x->c->now, &x->batch) && x->batch.n > 0)
		return &x->batch.v[0];
	ctl_fail(x->c, CTL_USAGE, "--syslog: %s",
	         x->batch.n_notes > 0 ? x->batch.notes[0].text : "the decoder makes no event of it");
	return NULL;
}

/* ---- what would come of it */

static void put_alert(void *arg, const struct alert_look *k)
{
	struct jw *w = arg;

	jw_object(w);
	jw_kslice(w, "rule", k->rule);
	jw_kstr(w, "state", k->state);
	jw_kstr(w, "severity", severity_word(k->severity));
	jw_kstr(w, "effect", effect_word(k->effect));
	jw_kslice(w, "service", k->service);
	jw_kslice(w, "suppressed_by", k->suppressed_by);
	jw_key(w, "by");
	jw_object(w);
	for (size_t i = 0; i < k->n_by; i++) {
		jw_keyn(w, k->by_names[i]);
		jw_slice(w, k->by_values[i]);
	}
	jw_end(w);
	jw_end(w);
}

static void put_incident(void *arg, const struct incident_look *i)
{
	struct jw *w = arg;
	char priority[4] = {'P', (char)('0' + i->priority), '\0'};

	jw_object(w);
	jw_kstr(w, "state", i->state);
	jw_kslice(w, "title", i->title);
	jw_kstr(w, "priority", i->priority > 0 ? priority : NULL);
	jw_kstr(w, "impact", i->impact);
	jw_kstr(w, "urgency", i->urgency);
	jw_kslice(w, "root", i->root);
	jw_kslice(w, "assign", i->assign);
	jw_ktime(w, "opened_at", i->opened);
	jw_end(w);
}

static void is_open(void *arg, const struct incident_look *i)
{
	bool *done = arg;

	*done = *done || strcmp(i->state, "gathering") != 0;
}

static void step(struct engine *e, uint16_t kind, instant at, struct slice payload, struct effects *fx)
{
	struct engine_input in = {.seq = engine_seq(e) + 1, .at = at, .kind = kind, .payload = payload};

	effects_reset(fx);
	engine_step(e, &in, fx);
}

/* Lets time pass until the incident has opened, or not at all. */
static void look_ahead(struct engine *e, instant from, struct effects *fx)
{
	bool done = false;

	for (int i = 0; i < TICKS_MAX && !done; i++) {
		instant due = engine_due(e);

		if (due == INSTANT_NONE || due > from + LOOK_AHEAD)
			return;
		step(e, INPUT_TICK, due, SLICE_NONE, fx);
		engine_each_incident(e, is_open, &done);
	}
}

static void outcome(struct explain *x, struct fields *f, struct jw *w)
{
	struct engine_setup setup = {x->l.config, x->l.rules, x->map.map, NULL};
	struct engine *e = engine_new(&setup);
	struct effects fx;
	struct buf payload = {0};
	struct ulid id = ulid_make(x->c->now, 0, 1);

	effects_init(&fx);
	step(e, INPUT_START, x->c->now, SLICE_NONE, &fx);
	if (engine_prepare_event(x->matcher, x->map.map, f, x->c->now, &id, &payload))
		step(e, FRAME_EVENT, x->c->now, buf_slice(&payload), &fx);
	jw_key(w, "alerts");
	jw_array(w);
	engine_each_alert(e, put_alert, w);
	jw_array_end(w);
	look_ahead(e, x->c->now, &fx);
	jw_key(w, "incidents");
	jw_array(w);
	engine_each_incident(e, put_incident, w);
	jw_array_end(w);
	effects_free(&fx);
	engine_free(e);
	buf_free(&payload);
}

/* ---- for people */

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

static bool is_true(const struct json *o, const char *key)
{
	const struct json *v = json_get(o, key);

	return v != NULL && v->kind == JSON_BOOL && v->boolean;
}

static void put_fields(const struct json *fields, struct buf *b)
{
	for (const struct json *m = fields != NULL ? fields->first : NULL; m != NULL; m = m->next) {
		struct slice v = json_text(m);
		const char *quote = v.n > 0 && memchr(v.p, ' ', v.n) != NULL ? "\"" : "";

		if (!slice_is(m->key, "received"))
			buf_printf(b, "%s" SLICE_FMT "=%s" SLICE_FMT "%s", b->n > 0 ? " " : "",
			           SLICE_ARG(m->key), quote, SLICE_ARG(v), quote);
	}
}

static void show_decoders(const struct ctl *c, const struct json *list)
{
	struct buf b = {0};

	for (const struct json *d = list != NULL ? list->first : NULL; d != NULL; d = d->next) {
		const struct json *set = json_get(d, "set"), *used = json_get(d, "patterns");

		buf_clear(&b);
		buf_printf(&b, "by " SLICE_FMT, SLICE_ARG(text(d, "id")));
		for (const struct json *m = used != NULL ? used->first : NULL; m != NULL; m = m->next)
			buf_printf(&b, ", pattern " SLICE_FMT " of " SLICE_FMT, SLICE_ARG(json_text(m)),
			           SLICE_ARG(m->key));
		for (const struct json *m = set != NULL ? set->first : NULL; m != NULL; m = m->next)
			buf_printf(&b, "%s" SLICE_FMT, m == set->first ? ": " : ", ", SLICE_ARG(m->key));
		if (text(d, "missed").n > 0)
			buf_printf(&b, "; no pattern fits its " SLICE_FMT, SLICE_ARG(text(d, "missed")));
		if (is_true(d, "drop"))
			buf_str(&b, "; DROPS the event");
		show_fact(c, "", buf_slice(&b));
	}
	buf_free(&b);
}

static void show_conditions(const struct ctl *c, const struct json *list, bool all)
{
	struct buf b = {0};

	for (const struct json *k = list != NULL ? list->first : NULL; k != NULL; k = k->next) {
		bool negated = is_true(k, "negated"), holds = is_true(k, "verdict") != negated;
		struct slice value = text(k, "value");

		if (holds && !all)
			continue;
		buf_clear(&b);
		buf_printf(&b, "      %s %s" SLICE_FMT ", is " SLICE_FMT, holds ? "✓" : "✗",
		           negated ? "not " : "", SLICE_ARG(text(k, "text")),
		           SLICE_ARG(value.n > 0 ? value : SLICE("missing")));
		show_text(c, SHOW_DIM, buf_slice(&b));
		fputc('\n', c->out);
	}
	buf_free(&b);
}

static const struct json *alert_of(const struct json *alerts, struct slice rule)
{
	for (const struct json *k = alerts != NULL ? alerts->first : NULL; k != NULL; k = k->next)
		if (slice_eq(text(k, "rule"), rule))
			return k;
	return NULL;
}

/* What one event is to a rule that it does not open. */
static void tell_form(const struct rule *r, struct buf *b)
{
	const struct rule_when *w = &r->when;
	switch (w->form) {
	case WHEN_EVENT: buf_str(b, "opens nothing: it clears, or state is info"); return;
	case WHEN_COUNT: buf_printf(b, "counts 1 of %u within ", r->at_least); break;
	case WHEN_VALUE: buf_printf(b, "goes into %s of at least %g within ", when_of_word(w->of), w->at_least); break;
	case WHEN_FEWER: buf_printf(b, "is heard: opens when fewer than %u come within ", w->fewer_than); break;
	case WHEN_STEPS: buf_printf(b, "is one of %zu steps within ", w->n_steps); break;
	}
	duration_format(r->within, b);
}

static void tell_alert(const struct rule *r, const struct json *alert, struct buf *b)
{
	if (alert != NULL && slice_is(text(alert, "state"), "pending")) {
		buf_str(b, "waits ");
		duration_format(r->open_after, b);
		buf_str(b, ", then opens");
	} else if (alert != NULL) {
		buf_printf(b, "opens: " SLICE_FMT ", " SLICE_FMT, SLICE_ARG(text(alert, "severity")),
		           SLICE_ARG(text(alert, "effect")));
		if (text(alert, "service").n > 0)
			buf_printf(b, ", service " SLICE_FMT, SLICE_ARG(text(alert, "service")));
	} else if (r->mode == MODE_OFF) {
		buf_str(b, "is off");
	} else {
		tell_form(r, b);
	}
	if (alert == NULL)
		return;
	buf_str(b, " {");
	for (const struct json *m = json_get(alert, "by")->first; m != NULL; m = m->next)
		buf_printf(b, "%s" SLICE_FMT "=" SLICE_FMT, m == json_get(alert, "by")->first ? "" : ", ",
		           SLICE_ARG(m->key), SLICE_ARG(json_text(m)));
	buf_char(b, '}');
	if (text(alert, "suppressed_by").n > 0)
		buf_printf(b, ", suppressed by " SLICE_FMT, SLICE_ARG(text(alert, "suppressed_by")));
}

static void show_rules(const struct explain *x, const struct json *j)
{
	const struct json *list = json_get(j, "rules");
	struct buf b = {0};

	for (const struct json *p = list != NULL ? list->first : NULL; p != NULL; p = p->next) {
		bool yes = is_true(p, "verdict"), clears = slice_is(text(p, "role"), "clear");
		const struct rule *r = rule_set_find(x->l.rules, text(p, "rule"));

		BUG_ON(r == NULL);
		buf_clear(&b);
		buf_printf(&b, "  %s %-24.*s ", yes ? "✓" : "✗", SLICE_ARG(text(p, "rule")));
		if (yes && clears)
			buf_str(&b, "closes what is open for these values");
		else if (yes)
			tell_alert(r, alert_of(json_get(j, "alerts"), r->id), &b);
		else
			buf_str(&b, clears ? "(clear.match) does not fit" : "does not fit");
		show_text(x->c, yes ? SHOW_GREEN : SHOW_PLAIN, buf_slice(&b));
		fputc('\n', x->c->out);
		show_conditions(x->c, json_get(p, "conditions"), x->only != NULL);
	}
	buf_free(&b);
}

static void show_incidents(const struct ctl *c, const struct json *list)
{
	struct buf b = {0};

	for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next) {
		buf_clear(&b);
		buf_printf(&b, SLICE_FMT " " SLICE_FMT, SLICE_ARG(text(i, "priority")),
		           SLICE_ARG(text(i, "title")));
		if (text(i, "root").n > 0)
			buf_printf(&b, ", root " SLICE_FMT, SLICE_ARG(text(i, "root")));
		if (text(i, "assign").n > 0)
			buf_printf(&b, ", for " SLICE_FMT, SLICE_ARG(text(i, "assign")));
		buf_printf(&b, " (" SLICE_FMT ")", SLICE_ARG(text(i, "state")));
		show_fact(c, "incident", buf_slice(&b));
	}
	buf_free(&b);
}

static void show(const struct explain *x, const struct json *j)
{
	const struct json *service = json_get(j, "service");
	struct buf b = {0};
	size_t n_rules;

	rule_set_rules(x->l.rules, &n_rules);
	put_fields(json_get(j, "fields"), &b);
	show_fact(x->c, "decoded", buf_slice(&b));
	show_decoders(x->c, json_get(j, "decoders"));
	if (is_true(j, "dropped")) {
		show_fact(x->c, "rules", SLICE("the event is dropped: no rule sees it"));
	} else {
		buf_clear(&b);
		buf_printf(&b, SLICE_FMT " (" SLICE_FMT ")",
		           SLICE_ARG(text(service, "id").n > 0 ? text(service, "id") : SLICE("none")),
		           SLICE_ARG(text(service, "how")));
		show_fact(x->c, "service", buf_slice(&b));
		buf_clear(&b);
		buf_printf(&b, SLICE_FMT " condition%s of %zu rule%s looked at",
		           SLICE_ARG(text(j, "candidates")), slice_is(text(j, "candidates"), "1") ? "" : "s",
		           n_rules, n_rules == 1 ? "" : "s");
		if (json_get(j, "rules") != NULL && json_get(j, "rules")->first == NULL && n_rules > 0)
			buf_str(&b, "; 'rules explain RULE' shows each condition of one");
		show_fact(x->c, "rules", buf_slice(&b));
		show_rules(x, j);
		show_incidents(x->c, json_get(j, "incidents"));
	}
	buf_free(&b);
}

/* ---- */

static int explain(struct explain *x)
{
	struct fields *f = event(x);
	struct arena *a;
	struct error err;
	struct buf b = {0};
	struct jw w = jw_new(&b);

	if (f == NULL)
		return CTL_USAGE;
	a = arena_new(0);
	x->matcher = matcher_new(x->l.rules);
	jw_object(&w);
	if (matcher_explain(x->matcher, x->map.map, f, x->only != NULL ? x->only->id : SLICE_NONE, &w)) {
		f = event(x);
		BUG_ON(f == NULL);
		outcome(x, f, &w);
	}
	jw_end(&w);
	if (x->c->json)
		fprintf(x->c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&b)));
	else if (!x->c->quiet)
		show(x, json_parse(a, buf_slice(&b), JSON_LIMITS, NULL, &err));
	matcher_free(x->matcher);
	arena_free(a);
	buf_free(&b);
	return CTL_DONE;
}

static int loaded(struct explain *x)
{
	const char *name = args_word(x->args, 0);
	struct findings f = {0};
	struct error err;
	int rc = CTL_DONE;

	if (name != NULL && (x->only = load_rule(x->l.rules, slice_str(name))) == NULL)
		rc = ctl_fail(x->c, CTL_NO_SUCH, "there is no rule '%s'; 'carillonctl rules list' shows all",
		              name);
	else if (!load_map(&x->l, args_value(x->args, "map"), &x->map, &f, &err)) {
		ctl_findings(x->c->err, &f);
		rc = ctl_fail(x->c, CTL_FOUND, "%s", err.text);
	} else {
		rc = explain(x);
	}
	findings_clear(&f);
	return rc;
}

int explain_rules(struct ctl *c, const struct args *args)
{
	struct explain x = {.c = c, .args = args};
	const char *path = args_value(args, "rules");
	const char *id = args_value(args, "id");
	int rc = CTL_FOUND;

	if ((args_value(args, "event") != NULL) + (args_value(args, "syslog") != NULL) + (id != NULL) != 1)
		return ctl_fail(c, CTL_USAGE, "give one event: --event JSON, --syslog LINE or --id ALERT");
	if (id != NULL && (rc = fetch_held(&x, id)) != 0) {
		buf_free(&x.held);
		return rc;
	}
	rc = CTL_FOUND;
	evt_batch_init(&x.batch);
	if (load_rules(c, &x.l, &path, path != NULL ? 1 : 0, false)) {
		x.raw = raw_input_new(x.l.config, "");
		rc = loaded(&x);
		raw_input_free(x.raw);
	} else {
		ctl_findings(c->err, &x.l.f);
	}
	buf_free(&x.held);
	evt_batch_free(&x.batch);
	load_map_free(&x.map);
	load_free(&x.l);
	return rc;
}
