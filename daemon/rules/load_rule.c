/* Rules: every key of language.md sections 6 and 7 that this version has. One rule's faults do not hide
 * another's. */
#include <stdlib.h>

#include "rules/load.h"

bool rule_fields(struct loader *ld, const struct load_file *file, const struct node *n,
                 struct field_ref **out, size_t *n_out)
{
	bool ok = true;
	*n_out = 0;
	*out = arena_array(ld->a, n->n + 1, sizeof **out);
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		struct field_ref f;
		if (i->kind != NODE_SCALAR || node_null(i)) {
			load_error(ld, file, i->kind == NODE_SCALAR ? "E027" : "E007", i->mark,
			           "expected the name of a field, got %s", schema_what(i));
			ok = false;
			continue;
		}
		if (!names_field(ld, file, i->text, i->mark, &f)) {
			ok = false;
			continue;
		}
		for (size_t k = 0; k < *n_out; k++)
			if (slice_eq((*out)[k].name, f.name)) {
				load_error(ld, file, "E002", i->mark,
				           "duplicate field '" SLICE_FMT "' in '" SLICE_FMT "'",
				           SLICE_ARG(f.name), SLICE_ARG(n->key));
				ok = false;
			}
		(*out)[(*n_out)++] = f;
	}
	return ok;
}

static bool is_state(const struct atom *a)
{
	return a->field.core == FIELD_STATE;
}

/* Only rules that ask for alert events get them; else a rule would see its own alerts through `by` fields. */
static bool is_alert(const struct atom *a)
{
	if (slice_starts(a->field.name, SLICE("alert.")))
		return true;
	for (size_t i = 0; a->field.core == FIELD_TYPE && a->op == OP_EQ && i < a->n_texts; i++)
		if (slice_is(a->texts[i], "alert"))
			return true;
	return false;
}

static uint32_t predicate_add(struct loader *ld, enum predicate_role role, uint32_t rule,
                              const struct cond *c)
{
	struct rule_set *rs = ld->rs;
	BUG_ON(c == NULL || rule >= rs->n_rules);
	rs->predicates =
	    array_reserve(rs->predicates, &rs->cap_predicates, rs->n_predicates + 1, sizeof *rs->predicates);
	uint32_t number = (uint32_t)rs->n_predicates++;
	rs->predicates[number] = (struct predicate){.number = number,
	                                            .role = role,
	                                            .rule = rule,
	                                            .cond = c,
	                                            .sees_alerts = match_mentions(c, is_alert),
	                                            .mentions_state = match_mentions(c, is_state)};
	return number;
}

/* ---- single keys */

static void text_length(struct loader *ld, const struct symbol *s, const struct node *n)
{
	struct slice text;
	size_t chars = 0;
	if (n == NULL || !value_text(ld, s->file, n, false, &text))
		return;
	for (size_t i = 0; i < text.n; i++)
		chars += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	if (chars < 3 || chars > 200)
		load_error(ld, s->file, "E008", n->mark,
		           "'summary' must be between 3 and 200 characters long");
}

static void tags_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = node_get(s->node, "tags");
	if (n == NULL || n->kind != NODE_LIST)
		return;
	struct slice *v = arena_array(ld->a, n->n + 1, sizeof *v);
	for (const struct node *i = n->first; i != NULL; i = i->next)
		if (value_text(ld, s->file, i, true, &v[r->n_tags]))
			r->n_tags++;
	r->tags = v;
}

/* The installation's word (packs: off, trial) is the last. */
static void words_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	struct slice text;
	r->effect = EFFECT_DEGRADED;
	if (key_text(ld, s->file, s->node, "nature", &text))
		(void)nature_parse(text, &r->nature);
	if (key_text(ld, s->file, s->node, "effect", &text))
		(void)effect_parse(text, &r->effect);
	if (key_text(ld, s->file, s->node, "mode", &text))
		r->mode = slice_is(text, "trial") ? MODE_TRIAL : slice_is(text, "off") ? MODE_OFF : MODE_LIVE;
	if (s->mode_set)
		r->mode = s->mode;
}

static void severity_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = node_get(s->node, "severity");
	const struct filter_use *uses;
	struct slice text;
	size_t n_uses;
	if (n == NULL || !value_text(ld, s->file, n, false, &text))
		return;
	if (!slice_starts(text, SLICE("${"))) {
		r->severity_fixed = load_word(ld, s->file, n->mark, text, words_severity) &&
		                    severity_parse(text, &r->severity);
		return;
	}
	const struct template *t = names_template(ld, s->file, n, false);
	if (t == NULL)
		return;
	if (template_single(t, &r->severity_field, &uses, &n_uses) && n_uses == 0)
		return;
	load_error(ld, s->file, "E007", n->mark,
	           "expected a severity or a single ${field}, got '" SLICE_FMT "'; let a decoder compute it",
	           SLICE_ARG(text));
}

/* Default: [host]. An empty list is meant: one alert for the rule. */
static void by_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = node_get(s->node, "by");
	struct field_ref *v;
	if (n != NULL && n->kind == NODE_LIST) {
		(void)rule_fields(ld, s->file, n, &v, &r->n_by);
		r->by = v;
		return;
	}
	v = arena_alloc(ld->a, sizeof *v);
	*v = names_ref(ld, SLICE("host"), VALUE_TEXT);
	r->by = v;
	r->n_by = 1;
}

static void within_load(struct loader *ld, const struct symbol *s, const struct node *map, const char *count,
                        uint32_t *n_out, duration *d_out)
{
	const struct node *n = node_get(map, count), *within = node_get(map, "within");
	if (n != NULL && within == NULL)
		load_error(ld, s->file, "E041", n->key_mark,
		           "'%s' needs 'within': how much time may pass? Example: within: 5m", count);
	(void)key_count(ld, s->file, map, count, n_out);
	(void)key_duration(ld, s->file, map, "within", d_out);
}

static const struct cond *clear_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = node_get(s->node, "clear"), *match = node_get(n, "match"),
	                  *within = node_get(n, "within");
	const char *thing = arena_printf(ld->tmp, "'clear' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	r->quiet = -1;
	if (n == NULL || n->kind != NODE_MAP ||
	    !schema_check(ld, s->file, n, &schema_clear, thing, n->key_mark))
		return NULL;
	if (n->n == 0)
		load_error(ld, s->file, "E005", n->key_mark, "%s needs one of match, quiet, fewer_than",
		           thing);
	(void)key_duration(ld, s->file, n, "quiet", &r->quiet);
	within_load(ld, s, n, "fewer_than", &r->clear_fewer_than, &r->clear_within);
	if (r->clear_fewer_than > 0 && r->when.form == WHEN_FEWER)
		load_error(ld, s->file, "E004", node_get(n, "fewer_than")->key_mark,
		           "'fewer_than' of %s cannot end a 'when' of fewer_than: enough events do; remove it", thing);
	if (within != NULL && node_get(n, "fewer_than") == NULL)
		load_error(ld, s->file, "E005", within->key_mark, "'within' of %s needs 'fewer_than'", thing);
	return match != NULL && match->kind == NODE_MAP ? match_load(ld, s->file, match) : NULL;
}

static void texts_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = s->node;
	text_length(ld, s, node_get(n, "summary"));
	r->summary = names_template(ld, s->file, node_get(n, "summary"), true);
	r->description = names_template(ld, s->file, node_get(n, "description"), true);
	r->service = names_template(ld, s->file, node_get(n, "service"), true);
	r->peer = names_template(ld, s->file, node_get(n, "peer"), true);
	if (!key_text(ld, s->file, n, "owner", &r->owner))
		r->owner = s->file->owner;
	(void)key_text(ld, s->file, n, "runbook", &r->runbook);
	tags_load(ld, s, r);
}

/* `match` is required, except where steps bring their own. */
static const struct cond *rule_match(struct loader *ld, const struct symbol *s)
{
	const struct node *match = node_get(s->node, "match"), *when = node_get(s->node, "when");
	if (match == NULL && (when == NULL || when->kind != NODE_MAP || node_get(when, "steps") == NULL))
		load_error(ld, s->file, "E005", s->node->key_mark, "rule '" SLICE_FMT "' needs 'match'",
		           SLICE_ARG(s->name));
	return match != NULL && match->kind == NODE_MAP ? match_load(ld, s->file, match) : NULL;
}

/* Predicates of a rule are neighbours: first the steps in their order, then `match` and `clear.match`. */
static void predicates_add(struct loader *ld, struct rule *r, const struct cond *match,
                           const struct cond *clear, const struct cond *const *steps)
{
	struct rule_step *v = arena_array(ld->a, r->when.n_steps + 1, sizeof *v);
	if (r->mode == MODE_OFF)
		return;
	for (size_t i = 0; i < r->when.n_steps; i++) {
		v[i] = r->when.steps[i];
		if (steps[i] == NULL)
			continue;
		v[i].predicate = predicate_add(ld, PREDICATE_STEP, r->number, steps[i]);
		ld->rs->predicates[v[i].predicate].step = (uint32_t)i;
		v[i].mentions_state = ld->rs->predicates[v[i].predicate].mentions_state;
	}
	if (r->when.n_steps > 0)
		r->when.steps = v;
	if (match != NULL && r->when.n_steps == 0)
		r->match = predicate_add(ld, PREDICATE_MATCH, r->number, match);
	if (clear != NULL)
		r->clear_match = predicate_add(ld, PREDICATE_CLEAR, r->number, clear);
}

/* What any event of the rule fits, for the checks that span rules. NULL if a part of it is faulty. */
static const struct cond *whole_match(struct loader *ld, const struct rule *r, const struct cond *match,
                                      const struct cond **steps, struct mark mark)
{
	if (r->when.n_steps == 0)
		return match;
	for (size_t i = 0; i < r->when.n_steps; i++)
		if (steps[i] == NULL)
			return NULL;
	return match_join(ld, COND_ANY, steps, r->when.n_steps, mark);
}

/* Every key is read, whatever was wrong with the ones before: one run tells all. */
static void rule_load(struct loader *ld, struct symbol *s, struct rule *r)
{
	const struct node *n = s->node;
	const char *thing = arena_printf(ld->tmp, "rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	size_t errors = ld->f->errors;
	*r = (struct rule){.number = s->number,
	                   .id = s->id,
	                   .package = s->package,
	                   .name = s->name,
	                   .match = PREDICATE_NONE,
	                   .clear_match = PREDICATE_NONE,
	                   .only_during = CALENDAR_NONE,
	                   .quiet = -1,
	                   .flap_changes = -1,
	                   .flap_within = -1,
	                   .flap_settle = -1,
	                   .mark = n->key_mark};
	r->file = s->file->name;
	rule_incident_load(ld, s->file, NULL, thing, &r->incident);
	if (!schema_check(ld, s->file, n, &schema_rule, thing, n->key_mark)) {
		s->broken = true;
		return;
	}
	const struct cond *steps[STEPS_MAX] = {NULL};
	when_names(ld, s);
	texts_load(ld, s, r);
	words_load(ld, s, r);
	const struct cond *match = rule_match(ld, s);
	by_load(ld, s, r);
	when_load(ld, s, r, match, steps);
	(void)key_duration(ld, s->file, n, "open_after", &r->open_after);
	(void)key_duration(ld, s->file, n, "close_after", &r->close_after);
	flap_load(ld, s, r);
	rule_during_load(ld, s, r);
	const struct cond *clear = clear_load(ld, s, r);
	severity_load(ld, s, r);
	rule_incident_load(ld, s->file, node_get(n, "incident"),
	                   arena_printf(ld->tmp, "'incident' of %s", thing), &r->incident);
	r->stateless = node_get(n, "when") == NULL && node_get(n, "clear") == NULL;
	when_fields(ld, r);
	match = whole_match(ld, r, match, steps, n->key_mark);
	if (match != NULL) {
		r->match_mentions_state = match_mentions(match, is_state);
		r->sees_alerts = match_mentions(match, is_alert);
		r->hash = rule_hash(ld, r, match, steps);
	}
	s->cond = match;
	s->broken = ld->f->errors > errors;
	predicates_add(ld, r, match, clear, steps);
}

static int by_id(const void *a, const void *b)
{
	const struct symbol *const *x = a, *const *y = b;
	return slice_cmp((*x)->id, (*y)->id);
}

void rules_load(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	size_t n = ld->n_symbols[SYMBOL_RULE];
	/* a map is a set: numbers must not depend on where a rule stands */
	if (n > 1)
		qsort(ld->symbols[SYMBOL_RULE], n, sizeof *ld->symbols[SYMBOL_RULE], by_id);
	rs->rules = arena_array(ld->a, n + 1, sizeof *rs->rules);
	rs->n_rules = n;
	rs->by_id = hmap_new();
	for (size_t i = 0; i < n; i++) {
		struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		s->number = (uint32_t)i;
		rule_load(ld, s, &rs->rules[i]);
		hmap_put(rs->by_id, s->id, &rs->rules[i]);
	}
}

/* ---- suppressed_by */

static bool in_by(const struct rule *r, struct slice name)
{
	for (size_t i = 0; i < r->n_by; i++)
		if (slice_eq(r->by[i].name, name))
			return true;
	return false;
}

static void same_load(struct loader *ld, const struct symbol *s, const struct node *n,
                      struct suppression *out)
{
	const struct rule *rules = ld->rs->rules, *own = &rules[s->number];
	if (n == NULL || n->kind != NODE_LIST)
		return;
	struct slice *v = arena_array(ld->a, n->n + 1, sizeof *v);
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		if (i->kind != NODE_SCALAR || node_null(i)) {
			load_error(ld, s->file, i->kind == NODE_SCALAR ? "E027" : "E007", i->mark,
			           "expected the name of a field, got %s", schema_what(i));
			continue;
		}
		bool ok = slice_is(i->text, "service") || in_by(own, i->text);
		for (size_t k = 0; ok && !slice_is(i->text, "service") && k < out->n_rules; k++)
			ok = in_by(&rules[out->rules[k]], i->text);
		if (!ok)
			load_error(ld, s->file, "E020", i->mark,
			           "unknown field '" SLICE_FMT
			           "' here: 'same' takes fields that are in 'by' of both rules, or 'service'",
			           SLICE_ARG(i->text));
		else
			v[out->n_same++] = arena_slice(ld->a, i->text);
	}
	out->same = v;
}

static void suppressors_load(struct loader *ld, const struct symbol *s, const struct node *n,
                             struct suppression *out)
{
	size_t count;
	const struct node **items = value_items(ld, s->file, n, &count);
	if (items == NULL)
		return;
	uint32_t *v = arena_array(ld->a, count, sizeof *v);
	for (size_t i = 0; i < count; i++) {
		const struct symbol *other = symbol_ref(ld, s->file, SYMBOL_RULE, items[i]);
		if (other == NULL)
			continue;
		v[out->n_rules++] = other->number;
		ld->rs->rules[other->number].can_suppress = true;
	}
	out->rules = v;
}

static void suppression_load(struct loader *ld, const struct symbol *s, const struct node *n,
                             struct suppression *out)
{
	const char *thing =
	    arena_printf(ld->tmp, "'suppressed_by' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
	if (!schema_check(ld, s->file, n, &schema_suppression, thing, n->mark))
		return;
	const struct node *rule = node_get(n, "rule"), *match = node_get(n, "match");
	if (rule == NULL && match == NULL)
		load_error(ld, s->file, "E005", n->mark, "%s needs 'rule' or 'match'", thing);
	if (rule != NULL && match != NULL)
		load_error(ld, s->file, "E004", match->key_mark,
		           "%s takes 'rule' or 'match', not both; write two items", thing);
	if (rule != NULL && rule->kind != NODE_MAP && !(rule->kind == NODE_SCALAR && node_null(rule)))
		suppressors_load(ld, s, rule, out);
	if (match != NULL && match->kind == NODE_MAP) {
		out->cond = match_load(ld, s->file, match);
		ld->any_suppression_match = true;
	}
	same_load(ld, s, node_get(n, "same"), out);
}

void rule_suppressions(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	for (size_t i = 0; i < rs->n_rules; i++) {
		const struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		BUG_ON(s->number != i);
		const struct node *list =
		    s->node->kind == NODE_MAP ? node_get(s->node, "suppressed_by") : NULL;
		if (list == NULL || list->kind != NODE_LIST)
			continue;
		if (list->n == 0)
			load_error(ld, s->file, "E027", list->mark,
			           "empty list; name a rule or remove 'suppressed_by'");
		struct suppression *v = arena_array(ld->a, list->n + 1, sizeof *v);
		for (const struct node *n = list->first; n != NULL; n = n->next)
			suppression_load(ld, s, n, &v[rs->rules[i].n_suppressed_by++]);
		rs->rules[i].suppressed_by = v;
	}
	for (size_t i = 0; ld->any_suppression_match && i < rs->n_rules; i++)
		rs->rules[i].can_suppress = true;
}
