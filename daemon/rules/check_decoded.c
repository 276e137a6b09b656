/* What decoders do to the events of a rule: a value that they never leave (W101), a `by` field that they do
 * not always give (W111), patterns that are never tried (W113). Source: language.md sections 5, 12. */
#include "rules/check_lint.h"
#include "rules/check_pattern.h"
#include "rules/imply.h"

enum { REQUIRED_MAX = 64 };

/* ---- which decoder gives which field */

static bool sets(const struct rule_decoder *d, const struct field_ref *f)
{
	for (size_t i = 0; i < d->n_set; i++)
		if (imply_same_field(&d->set[i].field, f))
			return true;
	return false;
}

static bool captures(const struct rule_decoder *d, const struct field_ref *f)
{
	for (size_t e = 0; e < d->n_extract; e++)
		for (size_t p = 0; p < d->extract[e].n; p++) {
			const struct slice *names;
			const enum value_type *types;
			size_t n = pattern_captures(d->extract[e].patterns[p], &names, &types);
			for (size_t i = 0; i < n; i++)
				if (slice_eq(names[i], f->name))
					return true;
		}
	return false;
}

static bool gives(const struct rule_decoder *d, const struct field_ref *f)
{
	return sets(d, f) || captures(d, f);
}

/* A lookup gives fields that are not known here. */
static bool looks_up(const struct loader *ld, uint32_t decoder)
{
	return node_get(ld->symbols[SYMBOL_DECODER][decoder]->node, "lookup") != NULL;
}

static bool somebody_gives(const struct loader *ld, const struct field_ref *f, size_t but)
{
	for (size_t i = 0; i < ld->rs->n_decoders; i++)
		if (i != but && (gives(&ld->rs->decoders[i], f) || looks_up(ld, (uint32_t)i)))
			return true;
	return false;
}

/* Do decoders leave all fields alone that the condition tests? Then it holds before as after them. */
static bool untouched(const struct loader *ld, const struct cond *c)
{
	if (c->kind == COND_ATOM)
		return !somebody_gives(ld, &c->atom->field, SIZE_MAX);
	for (size_t i = 0; i < c->n; i++)
		if (!untouched(ld, c->kids[i]))
			return false;
	return true;
}

/* ---- W101: another value */

static const struct decoder_set *constant_set(const struct rule_decoder *d, const struct field_ref *f,
                                              struct slice *value)
{
	for (size_t i = 0; i < d->n_set; i++)
		if (imply_same_field(&d->set[i].field, f))
			return d->set[i].value != NULL && template_constant(d->set[i].value, value)
			           ? &d->set[i]
			           : NULL;
	return NULL;
}

static void other_value(struct loader *ld, const struct symbol *s, const struct cond *match,
                        const struct cond *test)
{
	const struct atom *a = test->atom;
	if (a->op == OP_LIST)
		return;
	for (size_t i = 0; i < ld->rs->n_decoders; i++) {
		const struct rule_decoder *d = &ld->rs->decoders[i];
		struct slice value;
		unsigned fuel = LINT_FUEL;
		if (constant_set(d, &a->field, &value) == NULL || somebody_gives(ld, &a->field, i) ||
		    looks_up(ld, (uint32_t)i) || !untouched(ld, d->match) ||
		    !imply_cond(match, d->match, &fuel))
			continue;
		struct atom is = {.field = a->field, .op = OP_EQ, .texts = &value, .n_texts = 1};
		if (!imply_never((struct literal_use){&is, false}, (struct literal_use){a, false}))
			continue;
		load_warn(ld, s->file, "W101", test->mark,
		          "this can never be true: '%s' here, but decoder '" SLICE_FMT
		          "' (%s:%u) always sets '" SLICE_FMT "'",
		          test->text, SLICE_ARG(d->id), d->file, d->mark.line, SLICE_ARG(value));
		return;
	}
}

/* ---- W111 */

/* Does the decoder make the test true? For a core field only by that very value: others come from elsewhere.
 */
static bool feeds(const struct rule_decoder *d, const struct atom *a)
{
	struct slice value;
	if (a->field.core == FIELD_NONE)
		return gives(d, &a->field);
	if (a->op == OP_LIST || constant_set(d, &a->field, &value) == NULL)
		return false;
	struct atom is = {.field = a->field, .op = OP_EQ, .texts = &value, .n_texts = 1};
	return imply_literal((struct literal_use){&is, false}, (struct literal_use){a, false});
}

/* Marks the decoders without which the condition cannot be true, and those that feed them. */
static void needed_decoders(const struct loader *ld, const struct cond *c, bool *needed)
{
	const struct cond *v[REQUIRED_MAX];
	bool negations[REQUIRED_MAX];
	size_t n = check_required(c, false, v, negations, REQUIRED_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct atom *a = v[i]->atom;
		if (negations[i] || (a->op == OP_EXISTS && (!a->want || a->field.core != FIELD_NONE)))
			continue;
		for (size_t d = 0; d < ld->rs->n_decoders; d++)
			if (!needed[d] && feeds(&ld->rs->decoders[d], a)) {
				needed[d] = true;
				needed_decoders(ld, ld->rs->decoders[d].match, needed);
			}
	}
}

static bool required(const struct cond *c, const struct field_ref *f)
{
	const struct cond *v[REQUIRED_MAX];
	bool negations[REQUIRED_MAX];
	size_t n = check_required(c, false, v, negations, REQUIRED_MAX);
	for (size_t i = 0; i < n; i++)
		if (!negations[i] && imply_same_field(&v[i]->atom->field, f))
			return true;
	return false;
}

/* The only fields judged are those that nobody but decoders can give. */
static bool only_decoded(const struct loader *ld, const struct field_ref *f)
{
	const struct known_field *k = hmap_get(ld->fields, f->name);
	return f->core == FIELD_NONE && k != NULL && !k->declared &&
	       !slice_starts(f->name, SLICE("syslog.")) && !slice_starts(f->name, SLICE("snmp.")) &&
	       !slice_starts(f->name, SLICE("body.")) && !slice_starts(f->name, SLICE("x.")) &&
	       !slice_starts(f->name, SLICE("service.")) && !slice_starts(f->name, SLICE("alert."));
}

static void missing_by(struct loader *ld, const struct symbol *s, const struct rule *r,
                       const struct cond *match, const struct field_ref *f)
{
	struct rule_set *rs = ld->rs;
	bool *needed = arena_array(ld->tmp, rs->n_decoders + 1, sizeof *needed);
	const struct rule_decoder *giver = NULL;
	if (!only_decoded(ld, f) || required(match, f) || r->sees_alerts)
		return;
	needed_decoders(ld, match, needed);
	for (size_t i = 0; i < rs->n_decoders; i++) {
		unsigned fuel = LINT_FUEL;
		if (looks_up(ld, (uint32_t)i))
			return;
		if (!gives(&rs->decoders[i], f))
			continue;
		if (needed[i] || imply_cond(match, rs->decoders[i].match, &fuel))
			return;
		giver = &rs->decoders[i];
	}
	if (giver == NULL)
		return;
	const struct node *by = node_get(s->node, "by");
	load_warn(ld, s->file, "W111", by != NULL ? by->mark : s->node->key_mark,
	          "'by' uses '" SLICE_FMT "', which is missing on some events that fit (decoder '" SLICE_FMT
	          "' works on others)",
	          SLICE_ARG(f->name), SLICE_ARG(giver->id));
}

/* ---- W113 */

static void hidden_patterns(struct loader *ld, const struct symbol *d, const struct decoder_extract *x,
                            const struct node *n)
{
	const struct node *item = n != NULL && n->kind == NODE_LIST ? n->first : NULL;
	for (size_t k = 1; k < x->n && item != NULL; k++) {
		item = item->next;
		for (size_t i = 0; i < k && item != NULL; i++)
			if (check_pattern_covers(pattern_text(x->patterns[i]),
			                         pattern_text(x->patterns[k]))) {
				load_warn(
				    ld, d->file, "W113", item->mark,
				    "this pattern can never be reached: pattern %zu fits all that it fits",
				    i + 1);
				break;
			}
	}
}

static void decoder_patterns(struct loader *ld, const struct symbol *s, const struct rule_decoder *d)
{
	const struct node *map = node_get(s->node, "extract"), *n = map != NULL ? map->first : NULL;
	for (size_t e = 0; e < d->n_extract && n != NULL; e++, n = n->next)
		hidden_patterns(ld, s, &d->extract[e], n);
}

void check_decoded(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	for (size_t i = 0; i < rs->n_decoders; i++)
		decoder_patterns(ld, ld->symbols[SYMBOL_DECODER][i], &rs->decoders[i]);
	for (size_t i = 0; i < rs->n_rules; i++) {
		const struct rule *r = &rs->rules[i];
		const struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		if (r->match == PREDICATE_NONE)
			continue;
		const struct cond *match = rs->predicates[r->match].cond, *v[REQUIRED_MAX];
		bool negations[REQUIRED_MAX];
		size_t n = check_required(match, false, v, negations, REQUIRED_MAX);
		for (size_t k = 0; k < n; k++)
			if (!negations[k])
				other_value(ld, s, match, v[k]);
		for (size_t k = 0; k < r->n_by; k++)
			missing_by(ld, s, r, match, &r->by[k]);
	}
}
