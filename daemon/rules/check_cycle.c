/* The graphs between rules: who sees whose alerts (E050), who mutes whom (E051). Both must be free of cycles.
 * An edge is drawn when a condition could be true for an alert event of the other rule, decided with three
 * values: what is not known of an alert event counts as possible (language.md sections 7, 12, 17.3, 17.15).
 */
#include <stdlib.h>

#include "rules/load.h"

enum verdict { VERDICT_NO, VERDICT_MAYBE, VERDICT_YES };

static bool literal_fits(enum test_op op, struct slice value, struct slice c)
{
	if (op == OP_EQ)
		return slice_eq(value, c);
	if (op == OP_CONTAINS)
		return slice_contains(value, c);
	return op == OP_STARTS ? slice_starts(value, c) : slice_ends(value, c);
}

static enum verdict known_value(const struct loader *ld, const struct atom *a, struct slice value)
{
	switch (a->op) {
	case OP_EXISTS: return a->want ? VERDICT_YES : VERDICT_NO;
	case OP_EQ:
	case OP_CONTAINS:
	case OP_STARTS:
	case OP_ENDS:
		for (size_t i = 0; i < a->n_texts; i++)
			if (literal_fits(a->op, value, a->texts[i]))
				return VERDICT_YES;
		return VERDICT_NO;
	case OP_REGEX:
		for (size_t i = 0; i < a->n_texts; i++)
			if (regex_match(a->regexes[i], value) != REGEX_NO)
				return VERDICT_YES;
		return VERDICT_NO;
	case OP_LIST:
		for (size_t i = 0; i < a->n_lists; i++)
			if (hmap_get(ld->rs->lists[a->lists[i]].set, value) != NULL)
				return VERDICT_YES;
		return VERDICT_NO;
	case OP_LIKE:
	case OP_CIDR:
	case OP_GT:
	case OP_GE:
	case OP_LT:
	case OP_LE: return VERDICT_MAYBE;
	}
	return VERDICT_MAYBE;
}

static bool rule_by(const struct rule *r, struct slice name)
{
	for (size_t i = 0; i < r->n_by; i++)
		if (slice_eq(r->by[i].name, name))
			return true;
	return false;
}

/* What is known of a field of an alert event of rule r (17.3). */
static enum verdict atom_verdict(const struct loader *ld, const struct atom *a, const struct rule *r)
{
	struct slice name = a->field.name;
	if (slice_is(name, "alert.rule"))
		return known_value(ld, a, r->id);
	if (a->field.core == FIELD_TYPE)
		return known_value(ld, a, SLICE("alert"));
	if (a->field.core == FIELD_STATE)
		return known_value(ld, a, SLICE("problem"));
	if (a->field.core == FIELD_HOST || a->field.core == FIELD_SERVICE ||
	    a->field.core == FIELD_SEVERITY || a->field.core == FIELD_RECEIVED ||
	    slice_starts(name, SLICE("alert.")) || slice_starts(name, SLICE("service.")) || rule_by(r, name))
		return VERDICT_MAYBE;
	return a->op == OP_EXISTS && !a->want ? VERDICT_YES : VERDICT_NO;
}

static enum verdict cond_verdict(const struct loader *ld, const struct cond *c, const struct rule *r)
{
	enum verdict v;
	switch (c->kind) {
	case COND_ATOM: return atom_verdict(ld, c->atom, r);
	case COND_NOT:
		v = cond_verdict(ld, c->kids[0], r);
		return v == VERDICT_MAYBE ? v : v == VERDICT_YES ? VERDICT_NO : VERDICT_YES;
	case COND_ALL:
		v = VERDICT_YES;
		for (size_t i = 0; i < c->n && v != VERDICT_NO; i++)
			v = MIN(v, cond_verdict(ld, c->kids[i], r));
		return v;
	case COND_ANY:
		v = VERDICT_NO;
		for (size_t i = 0; i < c->n && v != VERDICT_YES; i++)
			v = MAX(v, cond_verdict(ld, c->kids[i], r));
		return v;
	}
	return VERDICT_MAYBE;
}

/* ---- graphs */

static struct graph *graph_new(size_t n)
{
	struct graph *g = xcalloc(1, sizeof *g);
	g->n = n;
	g->v = xcalloc(n + 1, sizeof *g->v);
	return g;
}

void graph_free(struct graph *g)
{
	for (size_t i = 0; g != NULL && i < g->n; i++)
		free(g->v[i].to);
	if (g != NULL)
		free(g->v);
	free(g);
}

static void graph_add(struct graph *g, size_t from, uint32_t to)
{
	struct graph_node *v = &g->v[from];
	BUG_ON(from >= g->n || to >= g->n);
	v->to = array_reserve(v->to, &v->cap, v->n + 1, sizeof *v->to);
	v->to[v->n++] = to;
}

/* Depth first without recursion (a hostile file holds thousands of rules). `found` gets each cycle that a
 * back edge closes: way[0..n), where way[n-1] leads to way[0]. */
struct walk {
	uint32_t *stack;
	size_t *next, n;
	unsigned char *seen; /* 0 new, 1 on the stack, 2 done */
};

static void walk_from(const struct graph *g, struct walk *w, uint32_t start, struct loader *ld,
                      void (*found)(struct loader *ld, const uint32_t *way, size_t n))
{
	w->n = 0;
	w->stack[w->n++] = start;
	w->next[start] = 0;
	w->seen[start] = 1;
	while (w->n > 0) {
		uint32_t at = w->stack[w->n - 1];
		if (w->next[at] == g->v[at].n) {
			w->seen[at] = 2;
			w->n--;
			continue;
		}
		uint32_t to = g->v[at].to[w->next[at]++];
		BUG_ON(to >= g->n || w->n > g->n);
		if (w->seen[to] == 0) {
			w->seen[to] = 1;
			w->next[to] = 0;
			w->stack[w->n++] = to;
		} else if (w->seen[to] == 1) {
			size_t first = w->n - 1;
			while (w->stack[first] != to)
				first--;
			found(ld, w->stack + first, w->n - first);
		}
	}
}

static void graph_cycles(const struct graph *g, struct loader *ld,
                         void (*found)(struct loader *ld, const uint32_t *way, size_t n))
{
	BUG_ON(g->n > UINT32_MAX);
	struct walk w = {.stack = xcalloc(g->n + 1, sizeof *w.stack),
	                 .next = xcalloc(g->n + 1, sizeof *w.next),
	                 .seen = xcalloc(g->n + 1, 1)};
	for (uint32_t i = 0; i < g->n; i++)
		if (w.seen[i] == 0)
			walk_from(g, &w, i, ld, found);
	free(w.stack);
	free(w.next);
	free(w.seen);
}

/* Where in the way is the rule that comes last in the files? */
static size_t way_last(const struct loader *ld, const uint32_t *way, size_t n)
{
	size_t last = 0;
	for (size_t i = 1; i < n; i++)
		if (load_later(ld->symbols[SYMBOL_RULE][way[i]], ld->symbols[SYMBOL_RULE][way[last]]))
			last = i;
	return last;
}

/* ---- E050 */

static void chain_cycle(struct loader *ld, const uint32_t *way, size_t n)
{
	struct buf text = {0};
	size_t last = way_last(ld, way, n);
	const struct symbol *at = ld->symbols[SYMBOL_RULE][way[last]];
	for (size_t i = 0; i < n; i++) {
		const struct symbol *s = ld->symbols[SYMBOL_RULE][way[(last + i) % n]];
		buf_printf(&text, SLICE_FMT " (%u:%u) → ", SLICE_ARG(s->id), s->node->key_mark.line,
		           s->node->key_mark.col);
	}
	load_error(ld, at->file, "E050", at->node->key_mark,
	           "rules form a cycle: %s" SLICE_FMT "; a rule cannot depend on its own alert",
	           buf_cstr(&text), SLICE_ARG(at->id));
	buf_free(&text);
}

/* Could an alert of `other` open one of r? Only a condition that asks for alerts hears of them: of a
 * sequence, each step on its own. */
static bool hears(const struct loader *ld, const struct rule *r, const struct rule *other)
{
	const struct predicate *p = ld->rs->predicates;
	if (!r->sees_alerts || r->mode == MODE_OFF)
		return false;
	if (r->when.n_steps == 0)
		return cond_verdict(ld, p[r->match].cond, other) != VERDICT_NO;
	for (size_t i = 0; i < r->when.n_steps; i++) {
		const struct predicate *s = &p[r->when.steps[i].predicate];
		if (s->sees_alerts && cond_verdict(ld, s->cond, other) != VERDICT_NO)
			return true;
	}
	return false;
}

void check_chains(struct loader *ld)
{
	const struct rule_set *rs = ld->rs;
	ld->chains = graph_new(rs->n_rules);
	for (size_t a = 0; a < rs->n_rules; a++) {
		if (ld->symbols[SYMBOL_RULE][a]->cond == NULL)
			continue;
		for (size_t b = 0; b < rs->n_rules; b++)
			if (hears(ld, &rs->rules[a], &rs->rules[b]))
				graph_add(ld->chains, a, (uint32_t)b);
	}
	graph_cycles(ld->chains, ld, chain_cycle);
}

void check_closure(const struct loader *ld, bool *in)
{
	const struct graph *g = ld->chains;
	uint32_t *todo = xcalloc(g->n + 1, sizeof *todo);
	size_t n = 0;
	for (uint32_t i = 0; i < g->n; i++)
		if (in[i])
			todo[n++] = i;
	while (n > 0) {
		const struct graph_node *v = &g->v[todo[--n]];
		for (size_t i = 0; i < v->n; i++)
			if (!in[v->to[i]]) {
				in[v->to[i]] = true;
				todo[n++] = v->to[i];
			}
	}
	free(todo);
}

/* ---- E051 */

static bool names_rule(const struct atom *a)
{
	return slice_is(a->field.name, "alert.rule");
}

/* The scalar by which a rule names the one that mutes it; its `suppressed_by` if that is a condition. */
static struct mark suppression_mark(struct loader *ld, const struct symbol *s, const struct symbol *by)
{
	const struct node *list = node_get(s->node, "suppressed_by");
	for (const struct node *i = list->first; i != NULL; i = i->next) {
		const struct node *rule = node_get(i->kind == NODE_MAP ? i : NULL, "rule");
		const struct node *one = rule == NULL ? NULL : rule->kind == NODE_LIST ? rule->first : rule;
		for (; one != NULL && one->kind == NODE_SCALAR;
		     one = rule->kind == NODE_LIST ? one->next : NULL)
			if (symbol_find(ld, s->file, SYMBOL_RULE, one->text) == by)
				return one->mark;
	}
	return list->key_mark;
}

static void suppression_cycle(struct loader *ld, const uint32_t *way, size_t n)
{
	struct buf text = {0};
	size_t last = way_last(ld, way, n);
	const struct symbol *at = ld->symbols[SYMBOL_RULE][way[last]];
	for (size_t i = 1; i < n; i++)
		buf_printf(&text, "%s" SLICE_FMT, i == 1 ? " (also through " : ", ",
		           SLICE_ARG(ld->symbols[SYMBOL_RULE][way[(last + i) % n]]->id));
	load_error(ld, at->file, "E051",
	           suppression_mark(ld, at, ld->symbols[SYMBOL_RULE][way[(last + 1) % n]]),
	           "a rule cannot be suppressed by itself%s%s", buf_cstr(&text), n > 1 ? ")" : "");
	buf_free(&text);
}

static void suppression_edges(struct loader *ld, struct graph *g, size_t from, const struct suppression *s)
{
	const struct rule_set *rs = ld->rs;
	for (size_t i = 0; i < s->n_rules; i++)
		graph_add(g, from, s->rules[i]);
	/* a general condition (severity: critical) may fit many rules: only one that names rules is held
	 * against the graph */
	if (s->cond == NULL || !match_mentions(s->cond, names_rule))
		return;
	for (size_t b = 0; b < rs->n_rules; b++)
		if (cond_verdict(ld, s->cond, &rs->rules[b]) != VERDICT_NO)
			graph_add(g, from, (uint32_t)b);
}

void check_suppressions(struct loader *ld)
{
	const struct rule_set *rs = ld->rs;
	struct graph *g = graph_new(rs->n_rules);
	for (size_t a = 0; a < rs->n_rules; a++)
		for (size_t i = 0; i < rs->rules[a].n_suppressed_by; i++)
			suppression_edges(ld, g, a, &rs->rules[a].suppressed_by[i]);
	graph_cycles(g, ld, suppression_cycle);
	graph_free(g);
}
