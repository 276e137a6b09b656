/* See rules_test_cover.h. */
#include "ctl/rules_test_cover.h"

#include <stdlib.h>

#include "base/hmap.h"

struct seen_cond {
	const struct cond *cond;
	const struct rule *rule; /* the first that uses it */
	bool yes, no;
};
struct seen_step {
	const struct predicate *predicate;
	const struct rule *rule;
	bool reached;
};
struct seen_rule {
	const struct rule *rule; /* NULL: not counted */
	bool opened, closed, silent;
	bool near, began; /* in the running test: a condition of it was true; it has opened */
};
struct seen_pattern {
	const struct rule_decoder *decoder;
	struct slice field;
	size_t number; /* from 1 */
	const struct pattern *pattern;
	bool used;
};

struct coverage {
	const struct rule_set *rs;
	const char *path;
	struct seen_rule *rules;
	size_t n_rules;
	struct seen_cond *conds;
	size_t n_conds, cap_conds;
	struct seen_step *steps;
	size_t n_steps, cap_steps;
	struct seen_pattern *patterns;
	size_t n_patterns, cap_patterns;
	struct hmap *by_cond; /* octets of the pointer → index + 1 */
};

/* ---- what is to be shown */

static bool counts_file(const struct coverage *v, const char *file)
{
	size_t n = v->path != NULL ? strlen(v->path) : 0;
	if (n == 0)
		return true;
	while (n > 1 && v->path[n - 1] == '/')
		n--;
	return strncmp(file, v->path, n) == 0 && (file[n] == '\0' || file[n] == '/');
}

/* Events of the engine's own are not fed by a test: their conditions are seen by what opens. */
static bool engine_made(const struct cond *c)
{
	if (c->kind == COND_ATOM && c->atom->field.core == FIELD_TYPE)
		for (size_t i = 0; c->atom->op == OP_EQ && i < c->atom->n_texts; i++)
			if (slice_is(c->atom->texts[i], "alert") || slice_is(c->atom->texts[i], "calendar") ||
			    slice_is(c->atom->texts[i], "internal"))
				return true;
	if (c->kind == COND_ATOM)
		return slice_starts(c->atom->field.name, SLICE("alert.")) ||
		       slice_is(c->atom->field.name, "calendar") || slice_is(c->atom->field.name, "edge");
	for (size_t i = 0; i < c->n; i++)
		if (engine_made(c->kids[i]))
			return true;
	return false;
}

static struct slice cond_key(const struct cond *const *c)
{
	return slice_of(c, sizeof *c);
}

static void add_conds(struct coverage *v, const struct cond *c, const struct rule *r)
{
	for (size_t i = 0; c->kind != COND_ATOM && i < c->n; i++)
		add_conds(v, c->kids[i], r);
	if (c->kind != COND_ATOM || hmap_get(v->by_cond, cond_key(&c)) != NULL)
		return;
	v->conds = array_reserve(v->conds, &v->cap_conds, v->n_conds + 1, sizeof *v->conds);
	v->conds[v->n_conds++] = (struct seen_cond){.cond = c, .rule = r};
	hmap_put(v->by_cond, cond_key(&c), (void *)(uintptr_t)v->n_conds);
}

static void add_predicate(struct coverage *v, const struct predicate *p)
{
	const struct rule *r = v->rules[p->rule].rule;
	if (r == NULL || engine_made(p->cond))
		return;
	add_conds(v, p->cond, r);
	if (p->role == PREDICATE_MATCH)
		return;
	v->steps = array_reserve(v->steps, &v->cap_steps, v->n_steps + 1, sizeof *v->steps);
	v->steps[v->n_steps++] = (struct seen_step){.predicate = p, .rule = r};
}

static void add_patterns(struct coverage *v, const struct rule_decoder *d)
{
	for (size_t e = 0; counts_file(v, d->file) && e < d->n_extract; e++)
		for (size_t i = 0; i < d->extract[e].n; i++) {
			v->patterns = array_reserve(v->patterns, &v->cap_patterns, v->n_patterns + 1,
			                            sizeof *v->patterns);
			v->patterns[v->n_patterns++] =
			    (struct seen_pattern){.decoder = d,
			                          .field = d->extract[e].field.name,
			                          .number = i + 1,
			                          .pattern = d->extract[e].patterns[i]};
		}
}

struct coverage *coverage_new(const struct rule_set *rs, const char *path)
{
	struct coverage *v = xcalloc(1, sizeof *v);
	size_t n;
	const struct rule *rules = rule_set_rules(rs, &v->n_rules);
	v->rs = rs;
	v->path = path;
	v->by_cond = hmap_new();
	v->rules = xcalloc(v->n_rules + 1, sizeof *v->rules);
	for (size_t i = 0; i < v->n_rules; i++)
		if (rules[i].mode != MODE_OFF && counts_file(v, rules[i].file))
			v->rules[i].rule = &rules[i];
	const struct predicate *p = rule_set_predicates(rs, &n);
	for (size_t i = 0; i < n; i++)
		add_predicate(v, &p[i]);
	const struct rule_decoder *d = rule_set_decoders(rs, &n);
	for (size_t i = 0; i < n; i++)
		add_patterns(v, &d[i]);
	return v;
}

void coverage_free(struct coverage *v)
{
	if (v == NULL)
		return;
	hmap_free(v->by_cond);
	free(v->rules);
	free(v->conds);
	free(v->steps);
	free(v->patterns);
	free(v);
}

/* ---- watching */

void coverage_begin(struct coverage *v)
{
	for (size_t i = 0; i < v->n_rules; i++)
		v->rules[i].near = v->rules[i].began = false;
}

/* True if some test of the condition was. */
static bool see_cond(struct coverage *v, const struct test_case *c, const struct cond *x,
                     const struct fields *f)
{
	bool any = false;
	if (x->kind != COND_ATOM) {
		for (size_t i = 0; i < x->n; i++)
			any = see_cond(v, c, x->kids[i], f) || any;
		return any;
	}
	uintptr_t i = (uintptr_t)hmap_get(v->by_cond, cond_key(&x));
	bool yes = matcher_test(c->matcher, x, f);
	if (i > 0) {
		v->conds[i - 1].yes |= yes;
		v->conds[i - 1].no |= !yes;
	}
	return yes;
}

static void see_pattern(struct coverage *v, struct slice decoder, struct slice field, int64_t number)
{
	for (size_t i = 0; i < v->n_patterns; i++) {
		struct seen_pattern *p = &v->patterns[i];
		if (p->number == (size_t)number && slice_eq(p->decoder->id, decoder) &&
		    slice_eq(p->field, field))
			p->used = true;
	}
}

static void see_decoders(struct coverage *v, const struct json *list)
{
	for (const struct json *d = list != NULL ? list->first : NULL; d != NULL; d = d->next) {
		const struct json *used = json_get(d, "patterns");
		for (const struct json *x = used != NULL ? used->first : NULL; x != NULL; x = x->next) {
			int64_t number;
			if (slice_int(json_text(x), &number))
				see_pattern(v, json_text(json_get(d, "id")), x->key, number);
		}
	}
}

void coverage_event(struct coverage *v, const struct test_case *c, const struct past_event *p,
                    const struct json *decoders)
{
	size_t n;
	const struct predicate *predicates = rule_set_predicates(v->rs, &n);
	see_decoders(v, decoders);
	if (p->dropped)
		return;
	for (size_t i = 0; i < n; i++) {
		struct seen_rule *r = &v->rules[predicates[i].rule];
		if (r->rule != NULL && c->takes_part[predicates[i].rule])
			/* nothing comes nearer to a single test than any event */
			r->near = see_cond(v, c, predicates[i].cond, &p->decoded) ||
			          predicates[i].cond->kind == COND_ATOM || r->near;
	}
	for (size_t i = 0; i < v->n_steps; i++)
		if (c->takes_part[v->steps[i].rule->number] && !v->steps[i].reached)
			v->steps[i].reached =
			    matcher_test(c->matcher, v->steps[i].predicate->cond, &p->decoded);
}

static void see_alert(void *arg, const struct alert_look *a)
{
	struct coverage *v = arg;
	const struct rule *r = rule_set_find(v->rs, a->rule);
	if (r == NULL || strcmp(a->state, "pending") == 0)
		return;
	BUG_ON(r->number >= v->n_rules);
	v->rules[r->number].opened = v->rules[r->number].began = true;
	v->rules[r->number].closed |= strcmp(a->state, "closed") == 0;
}

void coverage_alerts(struct coverage *v, const struct engine *e)
{
	engine_each_alert(e, see_alert, v);
}

static bool names(const struct test_case *c, const struct node *alerts, const struct rule *r)
{
	for (const struct node *n = alerts->first; n != NULL; n = n->next) {
		const struct node *rule = node_get(n, "rule");
		if (rule == NULL)
			continue;
		if (slice_eq(rule->text, r->id) ||
		    (slice_eq(rule->text, r->name) && slice_eq(c->test->package, r->package)))
			return true;
	}
	return false;
}

/* It took part, something came near, and the test says that it must not be there. */
void coverage_expect(struct coverage *v, const struct test_case *c, const struct node *alerts)
{
	coverage_alerts(v, c->engine);
	for (size_t i = 0; i < v->n_rules; i++) {
		struct seen_rule *r = &v->rules[i];
		if (r->rule == NULL || !c->takes_part[i] || r->began || names(c, alerts, r->rule))
			continue;
		if (r->near || r->rule->sees_alerts)
			r->silent = true;
	}
}

/* ---- the report */

static void tell(struct findings *f, const char *file, struct mark at, const char *what, struct slice name,
                 const char *how)
{
	findings_add(f, FINDING_NOTE, "", file, at, SLICE_NONE, "%s '" SLICE_FMT "' %s", what,
	             SLICE_ARG(name), how);
}

static void tell_rules(const struct coverage *v, struct findings *f)
{
	for (size_t i = 0; i < v->n_rules; i++) {
		const struct seen_rule *r = &v->rules[i];
		if (r->rule == NULL)
			continue;
		if (!r->opened)
			tell(f, r->rule->file, r->rule->mark, "rule", r->rule->name, "never opens");
		else if (!r->closed)
			tell(f, r->rule->file, r->rule->mark, "rule", r->rule->name, "never closes");
		if (!r->silent)
			tell(f, r->rule->file, r->rule->mark, "rule", r->rule->name,
			     "has no test in which an event comes near and it must stay silent");
	}
}

static void tell_conds(const struct coverage *v, struct findings *f)
{
	for (size_t i = 0; i < v->n_conds; i++) {
		const struct seen_cond *x = &v->conds[i];
		const struct atom *a = x->cond->atom;
		/* a macro may stand in another file than its user */
		bool own = x->cond->mark.line == a->mark.line && x->cond->mark.col == a->mark.col;
		if (!x->yes || !x->no)
			tell(f, own ? a->file : x->rule->file, x->cond->mark, "condition",
			     slice_str(x->cond->text),
			     !x->yes && !x->no ? "is never tried"
			     : !x->yes         ? "is never true"
			                       : "is never false");
	}
}

void coverage_findings(const struct coverage *v, struct findings *f)
{
	tell_rules(v, f);
	tell_conds(v, f);
	for (size_t i = 0; i < v->n_steps; i++)
		if (!v->steps[i].reached)
			tell(f, v->steps[i].rule->file, v->steps[i].predicate->cond->mark,
			     v->steps[i].predicate->role == PREDICATE_CLEAR ? "clear.match of rule"
			                                                    : "a step of rule",
			     v->steps[i].rule->name, "never fits");
	for (size_t i = 0; i < v->n_patterns; i++)
		if (!v->patterns[i].used)
			tell(f, v->patterns[i].decoder->file, v->patterns[i].decoder->mark, "pattern",
			     pattern_text(v->patterns[i].pattern), "is never used");
	findings_sort(f);
}

void coverage_text(const struct coverage *v, struct buf *out)
{
	struct findings f = {0};
	coverage_findings(v, &f);
	findings_text(&f, out);
	findings_clear(&f);
}

void coverage_sum(const struct coverage *v, struct coverage_sum *sum)
{
	for (size_t i = 0; i < v->n_rules; i++) {
		sum->rules += v->rules[i].rule != NULL;
		sum->opened += v->rules[i].rule != NULL && v->rules[i].opened;
		sum->closed += v->rules[i].rule != NULL && v->rules[i].closed;
		sum->silent += v->rules[i].rule != NULL && v->rules[i].silent;
	}
	sum->verdicts += 2 * v->n_conds;
	for (size_t i = 0; i < v->n_conds; i++)
		sum->verdicts_seen += (size_t)v->conds[i].yes + v->conds[i].no;
	sum->steps += v->n_steps;
	for (size_t i = 0; i < v->n_steps; i++)
		sum->steps_reached += v->steps[i].reached;
	sum->patterns += v->n_patterns;
	for (size_t i = 0; i < v->n_patterns; i++)
		sum->patterns_used += v->patterns[i].used;
}

double coverage_percent(const struct coverage_sum *s)
{
	size_t all = 3 * s->rules + s->verdicts + s->steps + s->patterns,
	       seen =
	           s->opened + s->closed + s->silent + s->verdicts_seen + s->steps_reached + s->patterns_used;
	return all == 0 ? 100 : 100.0 * (double)seen / (double)all;
}
