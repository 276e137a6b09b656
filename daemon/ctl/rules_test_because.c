/* Why a rule counted less than a test expects: the event that came nearest to fitting, the condition that it
 * failed, and the decoders that did not fit it. */
#include "ctl/rules_test_case.h"

struct miss {
	const struct cond *atom;
	bool negated;
	size_t n; /* how many atoms failed */
};

/* Collects the tests that made the condition false. */
static void collect(const struct test_case *c, const struct cond *cond, const struct fields *f, bool negated,
                    struct miss *m)
{
	if (matcher_test(c->matcher, cond, f) != negated)
		return;
	if (cond->kind != COND_ATOM) {
		for (size_t i = 0; i < cond->n; i++)
			collect(c, cond->kids[i], f, cond->kind == COND_NOT ? !negated : negated, m);
		return;
	}
	if (m->n++ == 0) {
		m->atom = cond;
		m->negated = negated;
	}
}

static const struct past_event *nearest(const struct test_case *c, const struct cond *cond, struct miss *best)
{
	const struct past_event *found = NULL;
	for (const struct past_event *p = c->first; p != NULL; p = p->next) {
		struct miss m = {0};
		if (p->dropped)
			continue;
		collect(c, cond, &p->decoded, false, &m);
		if (m.n > 0 && (found == NULL || m.n < best->n)) {
			*best = m;
			found = p;
		}
	}
	return found;
}

const struct json *case_decoders(struct test_case *c, const struct fields *raw, struct slice rule)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);
	struct error err;
	struct fields f;
	fields_init(&f, c->arena);
	for (unsigned i = 1; i < FIELD_CORE_MAX; i++)
		f.core[i] = raw->core[i];
	for (size_t i = 0; i < raw->n_named; i++)
		(void)fields_set_named(&f, raw->named[i].name, value_slice(raw->named[i].v), VALUE_TEXT);
	jw_object(&w);
	(void)matcher_explain(c->matcher, c->map, &f, rule, &w);
	jw_end(&w);
	const struct json *j =
	    json_parse(c->arena, arena_slice(c->arena, buf_slice(&b)), JSON_LIMITS, NULL, &err);
	fields_free(&f);
	buf_free(&b);
	return json_get(j, "decoders");
}

static void put_decoders(struct test_case *c, const struct past_event *p, struct slice rule)
{
	const struct json *list = case_decoders(c, &p->raw, rule);
	for (const struct json *d = list != NULL ? list->first : NULL; d != NULL; d = d->next) {
		struct slice field = json_text(json_get(d, "missed"));
		if (field.n == 0)
			continue;
		struct slice value = value_slice(fields_get_name(&p->raw, field));
		buf_printf(c->why,
		           "               decoder '" SLICE_FMT "' did not fit its " SLICE_FMT
		           ": \"" SLICE_FMT "\"\n",
		           SLICE_ARG(json_text(json_get(d, "id"))), SLICE_ARG(field), SLICE_ARG(value));
	}
}

static void put_miss(struct test_case *c, const struct past_event *p, const struct miss *m)
{
	const struct atom *a = m->atom->atom;
	struct slice value = value_slice(fields_get_name(&p->decoded, a->field.name));
	buf_printf(c->why, "      because: event %zu (at ", p->number);
	duration_format(p->at, c->why);
	buf_printf(c->why, ") did not fit: condition %s%s%s was false: ", m->negated ? "not (" : "",
	           m->atom->text, m->negated ? ")" : "");
	buf_adds(c->why, a->field.name);
	if (value.n == 0)
		buf_str(c->why, " is missing\n");
	else
		buf_printf(c->why, " is '" SLICE_FMT "'\n", SLICE_ARG(value));
}

void case_because(struct test_case *c, struct slice rule)
{
	size_t n;
	const struct predicate *predicates = rule_set_predicates(c->rules, &n);
	const struct rule *r = rule_set_find(c->rules, rule);
	struct miss m = {0};
	if (r == NULL || r->match == PREDICATE_NONE)
		return;
	if (!c->takes_part[r->number]) {
		buf_str(c->why, "      because: the rule takes no part in this test\n");
		return;
	}
	const struct past_event *p = nearest(c, predicates[r->match].cond, &m);
	if (p == NULL)
		return;
	put_miss(c, p, &m);
	put_decoders(c, p, rule);
}
