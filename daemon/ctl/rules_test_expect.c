/* Compares what a test expects with what the engine shows. Lists of alerts and incidents are sets: the items
 * are paired with what is there so that as many as possible fit. */
#include "ctl/rules_test_case.h"
#include "ctl/rules_test_cover.h"

#include <stdlib.h>

/* ---- what is there */

struct thing {
	struct slice name, state; /* an alert's rule; an incident's state */
	struct slice rule;
	const struct slice *by_names, *by_values;
	size_t n_by;
	bool wanted;               /* open ones must be listed */
	const struct json *values; /* what can be compared, by key */
};

struct things {
	struct test_case *c;
	struct thing *v;
	size_t n, cap;
};

static struct slice keep(const struct things *t, struct slice s)
{
	return arena_slice(t->c->arena, s);
}

static const struct json *parsed(const struct things *t, struct buf *b)
{
	struct error err;
	const struct json *j =
	    json_parse(t->c->arena, arena_slice(t->c->arena, buf_slice(b)), JSON_LIMITS, NULL, &err);
	BUG_ON(j == NULL);
	buf_free(b);
	return j;
}

static struct thing *thing_add(struct things *t)
{
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n] = (struct thing){0};
	return &t->v[t->n++];
}

static const struct slice *keep_all(const struct things *t, const struct slice *v, size_t n)
{
	struct slice *out = arena_array(t->c->arena, n + 1, sizeof *out);
	for (size_t i = 0; i < n; i++)
		out[i] = keep(t, v[i]);
	return out;
}

static void see_alert(void *arg, const struct alert_look *a)
{
	struct things *t = arg;
	const struct rule *r = rule_set_find(t->c->rules, a->rule);
	struct buf b = {0};
	struct jw w = jw_new(&b);
	if (a->trial || r == NULL || !t->c->takes_part[r->number])
		return;
	jw_object(&w);
	jw_kint(&w, "count", (int64_t)a->count);
	jw_kstr(&w, "severity", severity_word(a->severity));
	jw_kslice(&w, "service", a->service);
	jw_kslice(&w, "suppressed", a->suppressed_by);
	jw_kslice(&w, "silenced", a->silence);
	jw_kbool(&w, "flapping", a->flapping);
	jw_kslice(&w, "cause", a->cause);
	jw_end(&w);
	struct thing *x = thing_add(t);
	x->rule = keep(t, a->rule);
	x->state = slice_str(a->state);
	x->by_names = keep_all(t, a->by_names, a->n_by);
	x->by_values = keep_all(t, a->by_values, a->n_by);
	x->n_by = a->n_by;
	x->wanted = slice_is(x->state, "open");
	x->values = parsed(t, &b);
}

static void see_incident(void *arg, const struct incident_look *i)
{
	struct things *t = arg;
	struct buf b = {0};
	struct jw w = jw_new(&b);
	jw_object(&w);
	jw_kslice(&w, "title", i->title);
	jw_kstr(&w, "state", i->state);
	jw_kslice(&w, "priority", slice_str(arena_printf(t->c->arena, "P%d", i->priority)));
	jw_kstr(&w, "impact", i->impact);
	jw_kstr(&w, "urgency", i->urgency);
	jw_kslice(&w, "root", i->root);
	jw_kslice(&w, "assign", i->assign);
	jw_kint(&w, "alerts", (int64_t)i->alerts);
	jw_kstr(&w, "ticket", i->ticket_state);
	jw_key(&w, "services");
	jw_array(&w);
	for (size_t k = 0; k < i->n_services; k++)
		jw_slice(&w, i->services[k]);
	jw_array_end(&w);
	jw_end(&w);
	struct thing *x = thing_add(t);
	x->state = slice_str(i->state);
	x->wanted =
	    slice_is(x->state, "open") || slice_is(x->state, "acked") || slice_is(x->state, "clearing");
	x->name = keep(t, i->root.n > 0 ? i->root : i->title);
	x->values = parsed(t, &b);
}

/* ---- one item against one thing */

static bool list_has(const struct json *list, struct slice text)
{
	for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next) {
		if (slice_eq(json_text(i), text))
			return true;
	}
	return false;
}

static bool same_list(const struct node *want, const struct json *have)
{
	if (want->kind != NODE_LIST)
		return have != NULL && have->n == 1 && list_has(have, want->text);
	if (have == NULL || want->n != have->n)
		return false;
	for (const struct node *n = want->first; n != NULL; n = n->next) {
		if (!list_has(have, n->text))
			return false;
	}
	return true;
}

static struct slice rule_of(const struct test_case *c, struct slice ref)
{
	if (slice_contains(ref, SLICE("/")))
		return ref;
	return slice_str(
	    arena_printf(c->arena, SLICE_FMT "/" SLICE_FMT, SLICE_ARG(c->test->package), SLICE_ARG(ref)));
}

static bool same_value(const struct test_case *c, const struct node *want, const struct json *have)
{
	struct slice text = json_text(have);
	if (want->kind == NODE_LIST || (have != NULL && have->kind == JSON_ARRAY))
		return same_list(want, have);
	if (node_null(want))
		return text.n == 0;
	if (slice_is(want->key, "suppressed") && slice_eq(text, rule_of(c, want->text)))
		return true;
	return slice_eq(text, want->text);
}

static bool same_by(const struct node *by, const struct thing *x)
{
	for (const struct node *n = by != NULL ? by->first : NULL; n != NULL; n = n->next) {
		size_t i = 0;
		while (i < x->n_by && !slice_eq(x->by_names[i], n->key))
			i++;
		if (i == x->n_by || !slice_eq(x->by_values[i], n->text))
			return false;
	}
	return true;
}

static bool is_identity(struct slice key)
{
	return slice_is(key, "rule") || slice_is(key, "by") || slice_is(key, "state");
}

/* Same rule and fields, for alerts; the root for incidents: what the report compares. */
static bool same_subject(const struct test_case *c, const struct node *item, const struct thing *x)
{
	const struct node *rule = node_get(item, "rule"), *root = node_get(item, "root");
	if (rule != NULL)
		return slice_eq(rule_of(c, rule->text), x->rule) && same_by(node_get(item, "by"), x);
	return root == NULL || same_value(c, root, json_get(x->values, "root"));
}

static bool right_state(const struct node *item, const struct thing *x)
{
	const struct node *state = node_get(item, "state");
	return state != NULL ? slice_eq(state->text, x->state) : x->wanted;
}

static bool fits(const struct test_case *c, const struct node *item, const struct thing *x)
{
	if (!right_state(item, x) || !same_subject(c, item, x))
		return false;
	for (const struct node *n = item->first; n != NULL; n = n->next) {
		if (!is_identity(n->key) &&
		    !same_value(c, n, json_get(x->values, arena_str(c->arena, n->key))))
			return false;
	}
	return true;
}

/* ---- pairing */

struct pairing {
	const struct test_case *c;
	const struct node **items;
	size_t n_items;
	const struct things *things;
	size_t *owner; /* of a thing: item + 1 */
	bool *tried;
};

static bool place(struct pairing *p, size_t item)
{
	for (size_t j = 0; j < p->things->n; j++) {
		if (p->tried[j] || !fits(p->c, p->items[item], &p->things->v[j]))
			continue;
		p->tried[j] = true;
		if (p->owner[j] == 0 || place(p, p->owner[j] - 1)) {
			p->owner[j] = item + 1;
			return true;
		}
	}
	return false;
}

static bool owns(const struct pairing *p, size_t item)
{
	for (size_t j = 0; j < p->things->n; j++) {
		if (p->owner[j] == item + 1)
			return true;
	}
	return false;
}

/* ---- the report */

static void put_at(struct test_case *c, duration at)
{
	buf_str(c->why, "  at ");
	duration_format(at, c->why);
	buf_str(c->why, ": ");
}

static void put_by_node(struct buf *b, const struct node *by)
{
	if (by == NULL)
		return;
	buf_str(b, " {");
	for (const struct node *n = by->first; n != NULL; n = n->next)
		buf_printf(b, "%s" SLICE_FMT ": " SLICE_FMT, n == by->first ? "" : ", ", SLICE_ARG(n->key),
		           SLICE_ARG(n->text));
	buf_char(b, '}');
}

static void put_item(struct test_case *c, const struct node *item)
{
	const struct node *rule = node_get(item, "rule"), *root = node_get(item, "root"),
	                  *title = node_get(item, "title");
	if (rule != NULL) {
		buf_printf(c->why, "alert " SLICE_FMT, SLICE_ARG(rule_of(c, rule->text)));
		put_by_node(c->why, node_get(item, "by"));
	} else if (root != NULL || title != NULL) {
		buf_printf(c->why, "incident " SLICE_FMT, SLICE_ARG(root != NULL ? root->text : title->text));
	} else {
		buf_str(c->why, "incident");
	}
	buf_char(c->why, '\n');
}

static void put_json(struct buf *b, const struct json *j)
{
	if (j != NULL && j->kind == JSON_ARRAY) {
		buf_char(b, '[');
		for (const struct json *i = j->first; i != NULL; i = i->next)
			buf_printf(b, "%s" SLICE_FMT, i == j->first ? "" : ", ", SLICE_ARG(json_text(i)));
		buf_char(b, ']');
		return;
	}
	struct slice text = json_text(j);
	buf_printf(b, SLICE_FMT, SLICE_ARG(text.n > 0 ? text : SLICE("none")));
}

static void put_wanted(struct buf *b, const struct node *n)
{
	if (n->kind == NODE_SCALAR) {
		buf_printf(b, SLICE_FMT, SLICE_ARG(node_null(n) ? SLICE("none") : n->text));
		return;
	}
	buf_char(b, '[');
	for (const struct node *i = n->first; i != NULL; i = i->next)
		buf_printf(b, "%s" SLICE_FMT, i == n->first ? "" : ", ", SLICE_ARG(i->text));
	buf_char(b, ']');
}

static void put_differences(struct test_case *c, const struct node *item, const struct thing *x)
{
	if (!right_state(item, x)) {
		const struct node *state = node_get(item, "state");
		buf_printf(c->why, "      state: expected " SLICE_FMT ", got " SLICE_FMT "\n",
		           SLICE_ARG(state != NULL ? state->text : SLICE("open")), SLICE_ARG(x->state));
	}
	for (const struct node *n = item->first; n != NULL; n = n->next) {
		const struct json *have = json_get(x->values, arena_str(c->arena, n->key));
		if (is_identity(n->key) || same_value(c, n, have))
			continue;
		buf_printf(c->why, "      " SLICE_FMT ": expected ", SLICE_ARG(n->key));
		put_wanted(c->why, n);
		buf_str(c->why, ", got ");
		put_json(c->why, have);
		buf_char(c->why, '\n');
	}
}

/* The one of the same subject that the report compares; one that is shown as wanted before others. */
static struct thing *nearest(struct pairing *p, const struct node *item)
{
	struct thing *best = NULL;
	for (size_t j = 0; j < p->things->n; j++) {
		struct thing *x = &p->things->v[j];
		if (p->owner[j] != 0 || !same_subject(p->c, item, x))
			continue;
		if (best == NULL || (!right_state(item, best) && right_state(item, x)))
			best = x;
	}
	return best;
}

static void report_missing(struct test_case *c, struct pairing *p, size_t item, duration at)
{
	const struct node *n = p->items[item], *rule = node_get(n, "rule");
	struct thing *x = nearest(p, n);
	put_at(c, at);
	put_item(c, n);
	if (x != NULL) {
		put_differences(c, n, x);
		p->owner[x - p->things->v] = item + 1;
	} else {
		buf_str(c->why, "      expected, but there is none\n");
	}
	if (rule != NULL)
		case_because(c, rule_of(c, rule->text));
}

static void report_extra(struct test_case *c, const struct thing *x, duration at)
{
	put_at(c, at);
	if (x->rule.n == 0) {
		buf_printf(c->why, "incident " SLICE_FMT "\n      " SLICE_FMT, SLICE_ARG(x->name),
		           SLICE_ARG(x->state));
		buf_str(c->why, " (alerts ");
		put_json(c->why, json_get(x->values, "alerts"));
	} else {
		buf_printf(c->why, "alert " SLICE_FMT " {", SLICE_ARG(x->rule));
		for (size_t i = 0; i < x->n_by; i++)
			buf_printf(c->why, "%s" SLICE_FMT ": " SLICE_FMT, i > 0 ? ", " : "",
			           SLICE_ARG(x->by_names[i]), SLICE_ARG(x->by_values[i]));
		buf_printf(c->why, "}\n      " SLICE_FMT " (count ", SLICE_ARG(x->state));
		put_json(c->why, json_get(x->values, "count"));
	}
	buf_str(c->why, "), but not expected\n");
}

static void compare(struct test_case *c, const struct node *list, const struct things *t, duration at)
{
	struct pairing p = {.c = c, .n_items = list->n, .things = t};
	size_t n = 0;
	p.items = arena_array(c->arena, list->n + 1, sizeof(struct node *));
	p.owner = arena_array(c->arena, t->n + 1, sizeof *p.owner);
	p.tried = arena_array(c->arena, t->n + 1, sizeof *p.tried);
	for (const struct node *i = list->first; i != NULL; i = i->next)
		p.items[n++] = i;
	for (size_t i = 0; i < n; i++) {
		memset(p.tried, 0, t->n * sizeof *p.tried);
		(void)place(&p, i);
	}
	for (size_t i = 0; i < n; i++) {
		if (!owns(&p, i))
			report_missing(c, &p, i, at);
	}
	for (size_t j = 0; j < t->n; j++) {
		if (t->v[j].wanted && p.owner[j] == 0)
			report_extra(c, &t->v[j], at);
	}
}

/* ---- decoded */

static void compare_event(struct test_case *c, const struct node *want, const struct past_event *p,
                          duration at)
{
	for (const struct node *n = want->first; n != NULL; n = n->next) {
		struct slice have = value_slice(fields_get_name(&p->decoded, n->key));
		if (slice_eq(have, n->text))
			continue;
		put_at(c, at);
		buf_printf(c->why,
		           "decoded event %zu\n      " SLICE_FMT ": expected " SLICE_FMT ", got " SLICE_FMT
		           "\n",
		           p->number, SLICE_ARG(n->key), SLICE_ARG(n->text),
		           SLICE_ARG(have.n > 0 ? have : SLICE("nothing")));
	}
}

static const struct past_event *next_kept(const struct past_event *p)
{
	while (p != NULL && p->dropped)
		p = p->next;
	return p;
}

static void compare_decoded(struct test_case *c, const struct node *list, duration at)
{
	const struct past_event *p = next_kept(c->first);
	size_t have = 0;
	for (const struct node *n = list->first; n != NULL && p != NULL; n = n->next, p = next_kept(p->next))
		compare_event(c, n, p, at);
	for (p = next_kept(c->first); p != NULL; p = next_kept(p->next))
		have++;
	if (have == list->n)
		return;
	put_at(c, at);
	buf_printf(c->why, "decoded\n      expected %zu events, got %zu that were not dropped\n", list->n,
	           have);
}

void case_expect(struct test_case *c, const struct node *expect, duration at)
{
	const struct node *alerts = node_get(expect, "alerts"), *incidents = node_get(expect, "incidents"),
	                  *decoded = node_get(expect, "decoded");
	struct things t = {.c = c};
	if (alerts != NULL && c->o->coverage != NULL)
		coverage_expect(c->o->coverage, c, alerts);
	if (alerts != NULL) {
		engine_each_alert(c->engine, see_alert, &t);
		compare(c, alerts, &t, at);
	}
	t.n = 0;
	if (incidents != NULL) {
		engine_each_incident(c->engine, see_incident, &t);
		compare(c, incidents, &t, at);
	}
	free(t.v);
	if (decoded != NULL)
		compare_decoded(c, decoded, at);
}
