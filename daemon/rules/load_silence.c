/* Silences of rule files (language.md section 10; E070-E072, W114). Must not know what time it is, except
 * where the caller of the loader says so. */
#include <stdlib.h>

#include "rules/atom.h"
#include "rules/load.h"

#define YEAR (366 * DAY)

static bool key_time(struct loader *ld, const struct symbol *s, const char *key, instant *out)
{
	struct slice text;
	*out = INSTANT_NONE;
	return key_text(ld, s->file, s->node, key, &text) && instant_parse(text, out);
}

static const struct node *later(const struct node *a, const struct node *b)
{
	bool behind = a->key_mark.line != b->key_mark.line ? a->key_mark.line > b->key_mark.line
	                                                   : a->key_mark.col > b->key_mark.col;
	return behind ? a : b;
}

/* Exactly one end: a time, or a calendar. */
static void end_check(struct loader *ld, const struct symbol *s, const struct rule_silence *out)
{
	const struct node *until = node_get(s->node, "until"), *from = node_get(s->node, "from"),
	                  *during = node_get(s->node, "during");
	const struct node *other = until != NULL ? until : from;
	if (during != NULL && other != NULL) {
		load_error(ld, s->file, "E070", later(during, other)->key_mark,
		           "a silence has one end: 'during', or 'until' with an optional 'from'; remove one "
		           "of them");
		return;
	}
	if (until == NULL && during == NULL) {
		load_error(ld, s->file, "E070", s->node->key_mark,
		           "a silence needs an end: add 'until' or 'during'");
		return;
	}
	if (out->until == INSTANT_NONE)
		return;
	instant begin = out->from != INSTANT_NONE ? out->from : ld->src->now;
	if (out->from != INSTANT_NONE && out->until <= out->from)
		load_error(ld, s->file, "E071", until->mark, "'until' is before 'from'");
	else if (begin > 0 && out->until - begin > YEAR)
		load_error(ld, s->file, "E071", until->mark,
		           "'until' is more than 1 year away; end it sooner, or use a calendar: during");
}

/* ---- E072 */

static bool names_services(struct slice field)
{
	return slice_is(field, "service") || slice_is(field, "host") ||
	       slice_starts(field, SLICE("service."));
}

static bool other_field(const struct atom *a)
{
	return !names_services(a->field.name);
}

static void dependents_error(struct loader *ld, const struct load_file *file, struct mark at)
{
	load_error(ld, file, "E072", at,
	           "with 'include_dependents' a silence may test 'service', 'host' and 'service.*' only");
}

static void dependents_macro(struct loader *ld, const struct load_file *file, const struct node *n)
{
	const struct node *one = n->kind == NODE_LIST ? n->first : n;
	for (size_t left = n->kind == NODE_LIST ? n->n : 1; left > 0 && one != NULL;
	     left--, one = one->next) {
		const struct symbol *m =
		    one->kind == NODE_SCALAR ? symbol_find(ld, file, SYMBOL_MACRO, one->text) : NULL;
		if (m != NULL && m->cond != NULL && match_mentions(m->cond, other_field))
			dependents_error(ld, file, one->mark);
	}
}

/* At the keys as they are written; the depth of a document is bounded. */
static void dependents_check(struct loader *ld, const struct load_file *file, const struct node *match)
{
	if (match->kind == NODE_LIST) {
		for (const struct node *i = match->first; i != NULL; i = i->next)
			dependents_check(ld, file, i);
		return;
	}
	for (const struct node *i = match->kind == NODE_MAP ? match->first : NULL; i != NULL; i = i->next) {
		if (slice_is(i->key, "any") || slice_is(i->key, "all") || slice_is(i->key, "not"))
			dependents_check(ld, file, i);
		else if (slice_is(i->key, "macro"))
			dependents_macro(ld, file, i);
		else if (!names_services(i->key))
			dependents_error(ld, file, i->key_mark);
	}
}

/* ---- W114 */

enum verdict { NO, UNKNOWN, YES };

/* Of an alert about which nothing is known but that its service has tier 1. */
static enum verdict tier_atom(const struct loader *ld, const struct atom *a)
{
	if (slice_is(a->field.name, "service.tier"))
		return atom_test(a, value_of(SLICE("1"), VALUE_NUMBER), ld->rs->lists, ld->rs->n_lists) ? YES
		                                                                                        : NO;
	if (slice_is(a->field.name, "service") && a->op == OP_EXISTS)
		return a->want ? YES : NO;
	bool all = a->op == OP_LIKE && slice_is(a->field.name, "service");
	for (size_t i = 0; all && i < a->n_texts; i++)
		if (slice_is(a->texts[i], "*"))
			return YES;
	return UNKNOWN;
}

static enum verdict tier_verdict(const struct loader *ld, const struct cond *c)
{
	enum verdict v = c->kind == COND_ANY ? NO : YES;
	switch (c->kind) {
	case COND_ATOM: return tier_atom(ld, c->atom);
	case COND_NOT: return YES - tier_verdict(ld, c->kids[0]);
	case COND_ALL:
		for (size_t i = 0; i < c->n; i++)
			v = MIN(v, tier_verdict(ld, c->kids[i]));
		return v;
	case COND_ANY:
		for (size_t i = 0; i < c->n; i++)
			v = MAX(v, tier_verdict(ld, c->kids[i]));
		return v;
	}
	return UNKNOWN;
}

/* ---- the whole */

static void silence_load(struct loader *ld, struct symbol *s, struct rule_silence *out)
{
	const char *thing = arena_printf(ld->tmp, "silence '" SLICE_FMT "'", SLICE_ARG(s->name));
	const struct node *match = node_get(s->node, "match"), *during = node_get(s->node, "during");
	struct slice text;
	out->id = s->id;
	out->file = s->file->name;
	out->mark = s->node->key_mark;
	out->from = out->until = INSTANT_NONE;
	if (!schema_check(ld, s->file, s->node, &schema_silence, thing, s->node->key_mark))
		return;
	if (match != NULL && match->kind == NODE_MAP)
		out->match = match_load(ld, s->file, match);
	(void)key_text(ld, s->file, s->node, "reason", &out->reason);
	if (!key_text(ld, s->file, s->node, "owner", &out->owner))
		out->owner = s->file->owner;
	(void)key_time(ld, s, "from", &out->from);
	(void)key_time(ld, s, "until", &out->until);
	out->include_dependents =
	    key_text(ld, s->file, s->node, "include_dependents", &text) && slice_is(text, "true");
	struct symbol *cal = during != NULL && during->kind == NODE_SCALAR && !node_null(during)
	                         ? symbol_ref(ld, s->file, SYMBOL_CALENDAR, during)
	                         : NULL;
	if (cal != NULL)
		out->during = cal->id;
	end_check(ld, s, out);
	if (out->match != NULL && out->include_dependents)
		dependents_check(ld, s->file, match);
	if (out->match != NULL && tier_verdict(ld, out->match) == YES)
		load_warn(ld, s->file, "W114", match->key_mark,
		          "silence matches everything of service tier 1");
}

static int by_id(const void *a, const void *b)
{
	const struct symbol *const *x = a, *const *y = b;
	return slice_cmp((*x)->id, (*y)->id);
}

void rule_silences_load(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	size_t n = ld->n_symbols[SYMBOL_SILENCE];
	if (n > 1)
		qsort(ld->symbols[SYMBOL_SILENCE], n, sizeof *ld->symbols[SYMBOL_SILENCE], by_id);
	rs->silences = arena_array(ld->a, n + 1, sizeof *rs->silences);
	rs->n_silences = n;
	for (size_t i = 0; i < n; i++)
		silence_load(ld, ld->symbols[SYMBOL_SILENCE][i], &rs->silences[i]);
}
