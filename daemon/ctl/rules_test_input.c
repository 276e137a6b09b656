/* What a test feeds: events as fields, raw lines, traps, bodies, and whole maps; in between every deadline at
 * its moment. */
#include "ctl/rules_test_case.h"
#include "ctl/rules_test_cover.h"

#include <stdlib.h>

enum { TICKS_MAX = 1000000 };

duration case_duration(const struct node *n)
{
	duration d;
	return n != NULL && n->kind == NODE_SCALAR && duration_parse(n->text, &d) ? d : 0;
}

/* ${i} is the repetition number (17.18). */
static struct slice with_number(struct test_case *c, struct slice text, uint32_t repetition)
{
	struct buf b = {0};
	if (!slice_contains(text, SLICE("${i}")))
		return text;
	for (size_t i = 0; i < text.n;) {
		if (slice_starts(slice_sub(text, i, text.n - i), SLICE("${i}"))) {
			buf_printf(&b, "%u", repetition);
			i += 4;
		} else {
			buf_char(&b, text.p[i++]);
		}
	}
	struct slice s = arena_slice(c->arena, buf_slice(&b));
	buf_free(&b);
	return s;
}

/* ---- one event */

static void copy_fields(struct test_case *c, const struct fields *from, struct fields *to)
{
	*to = *from;
	to->arena = c->arena;
	for (size_t i = 0; i < FIELD_CORE_MAX; i++)
		to->core[i].p = arena_slice(c->arena, slice_of(from->core[i].p, from->core[i].n)).p;
	to->named = arena_array(c->arena, from->n_named + 1, sizeof *to->named);
	to->cap_named = from->n_named;
	for (size_t i = 0; i < from->n_named; i++) {
		to->named[i].name = arena_slice(c->arena, from->named[i].name);
		to->named[i].v = from->named[i].v;
		to->named[i].v.p = arena_slice(c->arena, slice_of(from->named[i].v.p, from->named[i].v.n)).p;
	}
}

static struct past_event *remember(struct test_case *c, duration at, const struct fields *f)
{
	struct past_event *p = arena_alloc(c->arena, sizeof *p);
	p->number = ++c->n_events;
	p->at = at;
	copy_fields(c, f, &p->raw);
	*(c->last != NULL ? &c->last->next : &c->first) = p;
	c->last = p;
	return p;
}

/* Only rules that take part hear of it. */
static size_t keep_hits(const struct test_case *c, const uint32_t *hits, size_t n, uint32_t *out)
{
	size_t n_predicates, kept = 0;
	const struct predicate *predicates = rule_set_predicates(c->rules, &n_predicates);
	for (size_t i = 0; i < n; i++) {
		if (c->takes_part[predicates[hits[i]].rule])
			out[kept++] = hits[i];
	}
	return kept;
}

static void step_event(struct test_case *c, duration at, const struct fields *f)
{
	const uint32_t *hits;
	size_t n = matcher_match(c->matcher, f, &hits);
	uint32_t *kept = arena_array(c->arena, n + 1, sizeof *kept);
	n = keep_hits(c, hits, n, kept);
	if (n == 0)
		return;
	struct buf evt = {0}, payload = {0};
	struct ulid id = ulid_make(c->start + at, 0, c->n_events);
	struct error err;
	evt_encode(f, &id, c->start + at, &evt);
	const struct evt *checked = evt_check(buf_slice(&evt), &err);
	BUG_ON(checked == NULL);
	event_frame_encode(rule_set_generation(c->rules), 0, c->n_events, kept, n, checked, &payload);
	case_step(c, c->start + at, FRAME_EVENT, buf_slice(&payload), NULL);
	buf_free(&evt);
	buf_free(&payload);
}

static bool feed(struct test_case *c, duration at, struct fields *f)
{
	struct past_event *p = remember(c, at, f);
	p->dropped = !matcher_decode(c->matcher, f);
	if (!p->dropped) {
		matcher_resolve(c->matcher, c->map, f);
		copy_fields(c, f, &p->decoded);
	}
	if (c->o->coverage != NULL)
		coverage_event(c->o->coverage, c, p, case_decoders(c, &p->raw, SLICE_NONE));
	if (!p->dropped)
		step_event(c, at, f);
	return case_answer(c);
}

static bool feed_batch(struct test_case *c, duration at, bool accepted)
{
	if (!accepted || c->batch.n == 0) {
		const char *note =
		    c->batch.n_notes > 0 ? c->batch.notes[0].text : "the decoder gave no event";
		buf_printf(c->why, "  the input was refused: %s\n", note);
		return false;
	}
	for (size_t i = 0; i < c->batch.n; i++) {
		if (!feed(c, at, &c->batch.v[i]))
			return false;
	}
	return true;
}

/* ---- the forms of an input */

static void set_field(struct fields *f, struct slice name, struct slice value)
{
	enum field_id id = field_core(name);
	if (id == FIELD_HOST || id == FIELD_SERVICE)
		fields_set_lower(f, id, value);
	else
		(void)fields_set_named(f, name, value, VALUE_TEXT);
}

static bool feed_fields(struct test_case *c, const struct node *map, duration at, uint32_t repetition)
{
	struct fields f;
	fields_init(&f, c->arena);
	for (const struct node *n = map->first; n != NULL; n = n->next)
		set_field(&f, n->key, with_number(c, n->text, repetition));
	bool ok = feed(c, at, &f);
	fields_free(&f);
	return ok;
}

static bool feed_trap(struct test_case *c, const struct node *snmp, duration at, uint32_t repetition)
{
	struct fields f;
	const struct node *agent = node_get(snmp, "agent"), *vars = node_get(snmp, "vars"),
	                  *trap = node_get(snmp, "trap");
	fields_init(&f, c->arena);
	fields_set(&f, FIELD_TYPE, SLICE("snmp"));
	fields_set(&f, FIELD_SOURCE, SLICE("traps"));
	set_field(&f, SLICE("snmp.trap"), with_number(c, trap->text, repetition));
	if (agent != NULL) {
		set_field(&f, SLICE("snmp.agent"), with_number(c, agent->text, repetition));
		set_field(&f, SLICE("host"), with_number(c, agent->text, repetition));
	}
	for (const struct node *n = vars != NULL ? vars->first : NULL; n != NULL; n = n->next)
		set_field(&f, slice_str(arena_printf(c->arena, "snmp.var." SLICE_FMT, SLICE_ARG(n->key))),
		          with_number(c, n->text, repetition));
	bool ok = feed(c, at, &f);
	fields_free(&f);
	return ok;
}

static bool feed_syslog(struct test_case *c, struct slice line, duration at, uint32_t repetition)
{
	if (c->o->syslog == NULL) {
		buf_str(c->why, "  'syslog' inputs need the syslog decoder, which is not here\n");
		return false;
	}
	evt_batch_reset(&c->batch);
	return feed_batch(
	    c, at, c->o->syslog(c->o->arg, with_number(c, line, repetition), c->start + at, &c->batch));
}

static void put_scalar(struct jw *w, const struct node *n, struct slice text)
{
	double number;
	if (n->quoted)
		jw_slice(w, text);
	else if (node_null(n))
		jw_null(w);
	else if (slice_is(text, "true") || slice_is(text, "false") || slice_num(text, &number))
		jw_raw(w, text);
	else
		jw_slice(w, text);
}

static void put_json(struct test_case *c, struct jw *w, const struct node *n, uint32_t repetition)
{
	switch (n->kind) {
	case NODE_SCALAR: put_scalar(w, n, with_number(c, n->text, repetition)); return;
	case NODE_LIST: jw_array(w); break;
	case NODE_MAP: jw_object(w); break;
	}
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		if (n->kind == NODE_MAP)
			jw_keyn(w, i->key);
		put_json(c, w, i, repetition);
	}
	if (n->kind == NODE_LIST)
		jw_array_end(w);
	else
		jw_end(w);
}

static bool feed_webhook(struct test_case *c, const struct node *hook, duration at, uint32_t repetition)
{
	const struct node *listener = node_get(hook, "listener"), *body = node_get(hook, "body");
	if (c->o->webhook == NULL) {
		buf_str(c->why, "  'webhook' inputs need the webhook decoder, which is not here\n");
		return false;
	}
	struct buf b = {0};
	struct jw w = jw_new(&b);
	if (body->kind == NODE_SCALAR)
		buf_adds(&b, with_number(c, body->text, repetition)); /* a body as text is sent as it is */
	else
		put_json(c, &w, body, repetition);
	evt_batch_reset(&c->batch);
	bool accepted = c->o->webhook(c->o->arg, listener != NULL ? listener->text : SLICE("hooks"),
	                              buf_slice(&b), c->start + at, &c->batch);
	bool ok = feed_batch(c, at, accepted);
	buf_free(&b);
	return ok;
}

/* ---- maps */

static bool draft_from(struct test_case *c, const struct node *n, struct map_draft *d, struct findings *f)
{
	if (n->kind == NODE_MAP) {
		map_draft_node(d, c->test->doc, n, f);
		return true;
	}
	struct slice text = SLICE_NONE;
	if (c->o->read != NULL)
		text = c->o->read(c->o->arg, c->test->file, arena_str(c->arena, n->text));
	if (text.p == NULL) {
		buf_printf(c->why, "  cannot read the map '" SLICE_FMT "'\n", SLICE_ARG(n->text));
		return false;
	}
	struct doc *doc = doc_parse(arena_str(c->arena, n->text), text, DOC_LIMITS, f);
	if (doc != NULL)
		map_draft_yaml(d, doc, f);
	doc_free(doc);
	return doc != NULL;
}

static bool compile(struct test_case *c, const struct node *n, struct buf *out)
{
	struct findings f = {0};
	struct map_draft *d = map_draft_new();
	size_t before = c->why->n;
	bool ok = draft_from(c, n, d, &f) && map_compile(d, c->config.limits.services, &f, out) == 0 &&
	          f.errors == 0;
	if (!ok && c->why->n == before) {
		buf_str(c->why, "  the map is not valid:\n");
		findings_text(&f, c->why);
	}
	map_draft_free(d);
	findings_clear(&f);
	return ok;
}

static void map_swap(struct test_case *c, struct service_map *next, struct buf bytes)
{
	struct service_map *old = c->map;
	struct buf old_bytes = c->map_bytes;
	c->map = next;
	c->map_bytes = bytes;
	if (c->engine != NULL) {
		struct engine_setup s = {&c->config, c->rules, next, c->takes_part};
		case_step(c, engine_now(c->engine), INPUT_MAP, SLICE_NONE, &s);
	}
	service_map_close(old);
	buf_free(&old_bytes);
}

bool case_map(struct test_case *c, const struct node *n)
{
	struct buf bytes = {0};
	struct error err;
	if (!compile(c, n, &bytes)) {
		buf_free(&bytes);
		return false;
	}
	struct service_map *m = service_map_open(buf_slice(&bytes), &err);
	BUG_ON(m == NULL);
	map_swap(c, m, bytes);
	return true;
}

/* ---- time */

bool case_advance(struct test_case *c, duration at)
{
	for (int ticks = 0; ticks < TICKS_MAX; ticks++) {
		instant due = engine_due(c->engine);
		if (due == INSTANT_NONE || due > c->start + at)
			return true;
		case_step(c, due, INPUT_TICK, SLICE_NONE, NULL);
		if (!case_answer(c))
			return false;
	}
	buf_str(c->why, "  the deadlines do not come to an end\n");
	return false;
}

bool case_input(struct test_case *c, const struct node *input, duration at, uint32_t repetition)
{
	const struct node *n;
	if (!case_advance(c, at))
		return false;
	if ((n = node_get(input, "event")) != NULL)
		return feed_fields(c, n, at, repetition);
	if ((n = node_get(input, "syslog")) != NULL)
		return feed_syslog(c, n->text, at, repetition);
	if ((n = node_get(input, "snmp")) != NULL)
		return feed_trap(c, n, at, repetition);
	if ((n = node_get(input, "webhook")) != NULL)
		return feed_webhook(c, n, at, repetition);
	if ((n = node_get(input, "map")) != NULL) {
		case_step(c, c->start + at, INPUT_TICK, SLICE_NONE, NULL);
		return case_answer(c) && case_map(c, n) && case_answer(c);
	}
	n = node_get(input, "ticket");
	BUG_ON(n == NULL); /* the loader wants one of them */
	return case_person(c, n, at);
}
