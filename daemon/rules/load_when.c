/* `when` and `flap`: the three forms, each with its own keys, and what cannot stand together (language.md
 * section 7, E040 to E044). Knows nothing of windows: that is the engine's. */
#include <stdlib.h>

#include "rules/load.h"

enum { DISTINCT_MAX = 10000 };

static const char *const forms[] = {"at_least", "fewer_than", "steps"};
enum { AT_LEAST, FEWER_THAN, STEPS, FORMS };

static const char *const of_words[] = {
    [OF_COUNT] = "count", [OF_DISTINCT] = "distinct", [OF_SUM] = "sum", [OF_AVG] = "avg", [OF_MIN] = "min",
    [OF_MAX] = "max",     [OF_P50] = "p50",           [OF_P90] = "p90", [OF_P95] = "p95", [OF_P99] = "p99"};

const char *when_of_word(enum when_of of)
{
	BUG_ON((size_t)of >= ARRAY_LEN(of_words));
	return of_words[of];
}

static const struct node *steps_node(const struct symbol *s)
{
	const struct node *when = node_get(s->node, "when");
	const struct node *n = when != NULL && when->kind == NODE_MAP ? node_get(when, "steps") : NULL;
	return n != NULL && n->kind == NODE_LIST ? n : NULL;
}

void when_names(struct loader *ld, const struct symbol *s)
{
	const struct node *list = steps_node(s);
	ld->n_steps = 0;
	if (list == NULL)
		return;
	ld->steps = arena_array(ld->tmp, list->n + 1, sizeof *ld->steps);
	for (const struct node *i = list->first; i != NULL && ld->n_steps < STEPS_MAX; i = i->next) {
		const struct node *name = node_get(i->kind == NODE_MAP ? i : NULL, "name");
		struct load_step *st = &ld->steps[ld->n_steps++];
		*st = (struct load_step){.name = SLICE_NONE};
		if (name != NULL && name->kind == NODE_SCALAR && !node_null(name))
			st->name = name->text;
	}
}

void when_fields(struct loader *ld, struct rule *r)
{
	struct rule_step *v = arena_array(ld->a, r->when.n_steps + 1, sizeof *v);
	BUG_ON(r->when.n_steps > ld->n_steps);
	for (size_t i = 0; i < r->when.n_steps; i++) {
		v[i] = r->when.steps[i];
		v[i].fields = ld->steps[i].fields;
		v[i].n_fields = ld->steps[i].n;
	}
	if (r->when.n_steps > 0)
		r->when.steps = v;
}

/* ---- which form */

static bool later(const struct node *a, const struct node *b)
{
	return a->key_mark.line > b->key_mark.line ||
	       (a->key_mark.line == b->key_mark.line && a->key_mark.col > b->key_mark.col);
}

/* FORMS: none, or more than one. `steps` take `at_least` too. */
static int form_of(struct loader *ld, const struct symbol *s, const struct node *n)
{
	const struct node *found[FORMS], *last = NULL;
	int count = 0, form = FORMS;
	for (int i = 0; i < FORMS; i++) {
		found[i] = node_get(n, forms[i]);
		if (found[i] == NULL)
			continue;
		count++;
		form = i;
		if (last == NULL || later(found[i], last))
			last = found[i];
	}
	if (count == 2 && form == STEPS && found[FEWER_THAN] == NULL)
		count = 1;
	if (count == 1)
		return form;
	load_error(ld, s->file, "E040", count == 0 ? n->key_mark : last->key_mark,
	           "'when' takes one of at_least, fewer_than, steps");
	return FORMS;
}

static void within_need(struct loader *ld, const struct symbol *s, const struct node *n)
{
	for (int i = 0; i < FORMS; i++) {
		const struct node *k = node_get(n, forms[i]);
		if (k == NULL || node_get(n, "within") != NULL ||
		    (i == AT_LEAST && node_get(n, "steps") != NULL))
			continue;
		load_error(ld, s->file, "E041", k->key_mark,
		           "'%s' needs 'within': how much time may pass? Example: within: 5m", forms[i]);
	}
}

/* Keys that belong to another form are told by name, never ignored. */
static void strangers(struct loader *ld, const struct symbol *s, const struct node *n, int form)
{
	static const struct {
		const char *key;
		int form;
	} own[] = {{"of", AT_LEAST}, {"window", AT_LEAST}, {"expect", FEWER_THAN}, {"order", STEPS}};
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		const struct node *k = node_get(n, own[i].key);
		if (k != NULL && own[i].form != form)
			load_error(ld, s->file, "E004", k->key_mark,
			           "'%s' belongs to '%s', not to '%s'; remove it", own[i].key,
			           forms[own[i].form], forms[form]);
	}
}

/* ---- a) enough */

/* Under an open prefix a value may be a number: the event decides. */
static void of_number(struct loader *ld, const struct symbol *s, const struct node *n, struct field_ref f)
{
	static const char *const words[] = {[VALUE_TEXT] = "text",
	                                    [VALUE_NUMBER] = "a number",
	                                    [VALUE_IP] = "an address",
	                                    [VALUE_BOOL] = "true or false",
	                                    [VALUE_TIME] = "a time"};
	const struct known_field *k = hmap_get(ld->fields, f.name);
	if (f.type == VALUE_NUMBER || field_open(f.name))
		return;
	load_error(ld, s->file, "E024", n->mark,
	           "'" SLICE_FMT "' is %s, but '" SLICE_FMT "' compares numbers%s", SLICE_ARG(f.name),
	           (size_t)f.type < ARRAY_LEN(words) ? words[f.type] : "text", SLICE_ARG(n->key),
	           k != NULL && k->how != NULL && !k->declared
	               ? "; capture it as ':int' or declare it under 'fields:'"
	               : "");
}

static void of_load(struct loader *ld, const struct symbol *s, const struct node *n, struct rule_when *w)
{
	const char *thing = arena_printf(ld->tmp, "'of' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	if (n == NULL || n->kind != NODE_MAP || !schema_check(ld, s->file, n, &schema_of, thing, n->key_mark))
		return;
	if (n->n == 0)
		load_error(ld, s->file, "E005", n->key_mark,
		           "%s needs one of distinct, sum, avg, min, max, p50, p90, p95, p99", thing);
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		struct field_ref f;
		if (i != n->first) {
			load_error(ld, s->file, "E004", i->key_mark,
			           "%s takes one value, and has '" SLICE_FMT "' already; remove '" SLICE_FMT
			           "'",
			           thing, SLICE_ARG(n->first->key), SLICE_ARG(i->key));
			continue;
		}
		for (size_t k = OF_DISTINCT; k < ARRAY_LEN(of_words); k++)
			if (slice_is(i->key, of_words[k]))
				w->of = (enum when_of)k;
		if (w->of == OF_COUNT || i->kind != NODE_SCALAR || node_null(i) ||
		    !names_field(ld, s->file, i->text, i->mark, &f))
			continue;
		w->field = f;
		if (w->of != OF_DISTINCT)
			of_number(ld, s, i, f);
	}
}

static void window_load(struct loader *ld, const struct symbol *s, const struct node *n, struct rule_when *w)
{
	struct slice text;
	if (!key_text(ld, s->file, n, "window", &text))
		return;
	if (slice_is(text, "aligned"))
		w->window = WINDOW_ALIGNED;
	else if (slice_is(text, "session"))
		w->window = WINDOW_SESSION;
}

/* Plain counting in a sliding window is a form of its own: its keys are the ones that come by the million. */
static void enough_load(struct loader *ld, const struct symbol *s, const struct node *n, struct rule *r)
{
	const struct node *at_least = node_get(n, "at_least");
	struct rule_when *w = &r->when;
	struct slice text;
	double num = 0;
	of_load(ld, s, node_get(n, "of"), w);
	window_load(ld, s, n, w);
	w->form = WHEN_VALUE;
	/* no number at all: the schema has said so */
	if (!value_text(ld, s->file, at_least, false, &text) || !slice_num(text, &num))
		return;
	w->at_least = num;
	if (node_get(n, "of") == NULL || w->of == OF_DISTINCT)
		schema_count(ld, s->file, schema_key(&schema_when, SLICE("at_least")), at_least);
	if (w->of == OF_DISTINCT && num > DISTINCT_MAX && num <= 100000)
		load_error(ld, s->file, "E008", at_least->mark,
		           "'at_least' must be between 1 and %d with 'distinct': no more values are kept",
		           DISTINCT_MAX);
	if (w->of != OF_COUNT || w->window != WINDOW_SLIDING || node_get(n, "of") != NULL)
		return;
	if (key_count(ld, s->file, n, "at_least", &r->at_least))
		w->form = WHEN_COUNT;
}

/* ---- b) too few */

static void expect_load(struct loader *ld, const struct symbol *s, const struct node *n, struct rule *r)
{
	const char *thing = arena_printf(ld->tmp, "'expect' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	r->when.expects = r->n_by == 0;
	if (n == NULL)
		return;
	if (r->n_by != 1)
		load_error(ld, s->file, "E042", n->key_mark, "'expect' needs exactly one field in 'by'");
	if (n->kind != NODE_MAP || !schema_check(ld, s->file, n, &schema_list_ref, thing, n->key_mark))
		return;
	const struct node *name = node_get(n, "list");
	struct symbol *list = name != NULL ? symbol_ref(ld, s->file, SYMBOL_LIST, name) : NULL;
	if (list == NULL || r->n_by != 1)
		return;
	uint32_t number = list_number(ld, list, names_lower(&r->by[0])); /* may move the lists */
	const struct value_list *l = &ld->rs->lists[number];
	r->when.expects = true;
	r->when.list = l->name;
	r->when.expected = l->values;
	r->when.n_expected = l->n;
}

/* ---- c) steps */

static bool name_ok(struct slice s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", s.p[i]) == NULL)
			return false;
	return true;
}

static void name_load(struct loader *ld, const struct symbol *s, const struct node *n, size_t at,
                      struct rule_step *out)
{
	const struct node *name = node_get(n, "name");
	if (name == NULL || name->kind != NODE_SCALAR || node_null(name))
		return;
	if (!name_ok(name->text)) {
		load_error(ld, s->file, "E010", name->mark,
		           "id '" SLICE_FMT "' is not valid; use lower-case letters, digits and '_'",
		           SLICE_ARG(name->text));
		return;
	}
	for (size_t i = 0; i < at; i++)
		if (slice_eq(ld->steps[i].name, name->text))
			load_error(ld, s->file, "E002", name->mark, "duplicate step '" SLICE_FMT "'",
			           SLICE_ARG(name->text));
	out->name = arena_slice(ld->a, name->text);
}

/* E043 and E044 point at the key `absent` itself. */
static void absent_check(struct loader *ld, const struct symbol *s, const struct node *n, size_t at, bool any)
{
	const struct node *absent = node_get(n, "absent");
	static const char *const alone[] = {"times", "name"};
	if (at == 0)
		load_error(ld, s->file, "E043", absent->key_mark, "a sequence cannot begin with 'absent'");
	if (any)
		load_error(ld, s->file, "E044", absent->key_mark, "'absent' needs order: strict");
	for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
		const struct node *k = node_get(n, alone[i]);
		if (k != NULL)
			load_error(ld, s->file, "E004", k->key_mark,
			           "'%s' belongs to 'match', not to 'absent'; remove it", alone[i]);
	}
}

static const struct cond *step_load(struct loader *ld, const struct symbol *s, const struct node *n,
                                    size_t at, bool any, struct rule_step *out)
{
	const char *thing =
	    arena_printf(ld->tmp, "step %zu of rule '" SLICE_FMT "'", at + 1, SLICE_ARG(s->name));
	*out = (struct rule_step){.times = 1, .predicate = PREDICATE_NONE};
	if (!schema_check(ld, s->file, n, &schema_step, thing, n->mark))
		return NULL;
	const struct node *match = node_get(n, "match"), *absent = node_get(n, "absent");
	if (match == NULL && absent == NULL)
		load_error(ld, s->file, "E005", n->mark, "%s needs 'match' or 'absent'", thing);
	if (match != NULL && absent != NULL)
		load_error(ld, s->file, "E004", later(match, absent) ? match->key_mark : absent->key_mark,
		           "%s takes 'match' or 'absent', not both; write two steps", thing);
	if (absent != NULL && match == NULL) {
		absent_check(ld, s, n, at, any);
		out->absent = true;
		out->times = 0;
		return absent->kind == NODE_MAP ? match_load(ld, s->file, absent) : NULL;
	}
	(void)key_count(ld, s->file, n, "times", &out->times);
	name_load(ld, s, n, at, out);
	return match != NULL && match->kind == NODE_MAP ? match_load(ld, s->file, match) : NULL;
}

static void least_load(struct loader *ld, const struct symbol *s, const struct node *n, struct rule_when *w)
{
	const struct node *k = node_get(n, "at_least");
	struct slice text;
	int64_t v;
	w->least = (uint32_t)w->n_steps;
	if (k == NULL)
		return;
	if (!w->any_order) {
		load_error(ld, s->file, "E004", k->key_mark,
		           "'at_least' of steps needs order: any; in a strict order all of them count");
		return;
	}
	if (!value_text(ld, s->file, k, false, &text))
		return;
	if (!slice_int(text, &v))
		schema_count(ld, s->file, schema_key(&schema_when, SLICE("fewer_than")), k);
	else if (v < 1 || (uint64_t)v > w->n_steps)
		load_error(ld, s->file, "E008", k->mark,
		           "'at_least' must be between 1 and %zu, the number of steps", w->n_steps);
	else
		w->least = (uint32_t)v;
}

static const struct cond *both(struct loader *ld, const struct cond *match, const struct cond *step,
                               struct mark mark)
{
	const struct cond *v[] = {match, step};
	return match != NULL && step != NULL ? match_join(ld, COND_ALL, v, ARRAY_LEN(v), mark) : step;
}

static void steps_load(struct loader *ld, const struct symbol *s, const struct node *n, struct rule *r,
                       const struct cond *match, const struct cond **out)
{
	const struct node *list = steps_node(s);
	struct rule_when *w = &r->when;
	struct slice text;
	w->any_order = key_text(ld, s->file, n, "order", &text) && slice_is(text, "any");
	if (list == NULL)
		return;
	if (list->n < 2 || list->n > STEPS_MAX) {
		load_error(ld, s->file, "E008", list->key_mark, "'steps' must be between 2 and %d steps long",
		           STEPS_MAX);
		return;
	}
	struct rule_step *v = arena_array(ld->a, list->n, sizeof *v);
	for (const struct node *i = list->first; i != NULL; i = i->next) {
		const struct cond *c = step_load(ld, s, i, w->n_steps, w->any_order, &v[w->n_steps]);
		out[w->n_steps++] = both(ld, match, c, i->mark);
	}
	w->steps = v;
	w->trailing_absent = v[w->n_steps - 1].absent;
	least_load(ld, s, n, w);
}

void when_load(struct loader *ld, const struct symbol *s, struct rule *r, const struct cond *match,
               const struct cond **out)
{
	const struct node *n = node_get(s->node, "when");
	const char *thing = arena_printf(ld->tmp, "'when' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	if (n == NULL || n->kind != NODE_MAP ||
	    !schema_check(ld, s->file, n, &schema_when, thing, n->key_mark))
		return;
	int form = form_of(ld, s, n);
	within_need(ld, s, n);
	(void)key_duration(ld, s->file, n, "within", &r->within);
	if (form == FORMS)
		return;
	strangers(ld, s, n, form);
	if (form == AT_LEAST) {
		enough_load(ld, s, n, r);
	} else if (form == FEWER_THAN) {
		r->when.form = WHEN_FEWER;
		(void)key_count(ld, s->file, n, "fewer_than", &r->when.fewer_than);
		expect_load(ld, s, node_get(n, "expect"), r);
	} else {
		r->when.form = WHEN_STEPS;
		steps_load(ld, s, n, r, match, out);
	}
}

/* ---- flap */

void flap_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = node_get(s->node, "flap");
	const char *thing = arena_printf(ld->tmp, "'flap' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	uint32_t changes;
	if (n != NULL && n->kind == NODE_SCALAR && slice_is(n->text, "false"))
		r->flap_changes = 0;
	if (n == NULL || n->kind != NODE_MAP ||
	    !schema_check(ld, s->file, n, &schema_flap, thing, n->key_mark))
		return;
	if (key_count(ld, s->file, n, "changes", &changes))
		r->flap_changes = (int)changes;
	(void)key_duration(ld, s->file, n, "within", &r->flap_within);
	(void)key_duration(ld, s->file, n, "settle", &r->flap_settle);
}
