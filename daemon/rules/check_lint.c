/* Lints that need no more than what the loader knows anyway: W103, W105-W109. Warnings never stop a load. */

#include "rules/check_lint.h"

static void lint_unused(struct loader *ld, enum symbol_kind kind)
{
	for (size_t i = 0; i < ld->n_symbols[kind]; i++) {
		const struct symbol *s = ld->symbols[kind][i];
		if (!s->used)
			load_warn(ld, s->file, "W105", s->node->key_mark, "unused %s '" SLICE_FMT "'",
			          symbol_kind_word(kind), SLICE_ARG(s->name));
	}
}

/* Rules that are off are not judged: nobody waits for them. */
static void lint_rule(struct loader *ld, const struct symbol *s, const struct rule *r)
{
	struct mark at = s->node->key_mark;
	bool owner = r->owner.n > 0, runbook = r->runbook.n > 0;
	if (r->mode == MODE_OFF)
		return;
	if (!s->tested)
		load_warn(ld, s->file, "W106", at, "rule '" SLICE_FMT "' has no test", SLICE_ARG(s->name));
	else if (!s->silent_tested)
		load_warn(ld, s->file, "W107", at,
		          "rule '" SLICE_FMT "' has tests but none where it must stay silent",
		          SLICE_ARG(s->name));
	if (!owner || !runbook)
		load_warn(ld, s->file, "W108", at, "rule '" SLICE_FMT "' has no %s", SLICE_ARG(s->name),
		          owner     ? "runbook"
		          : runbook ? "owner"
		                    : "owner and no runbook");
	if (r->quiet > 0 && r->open_after >= r->quiet)
		load_warn(ld, s->file, "W109", node_get(s->node, "open_after")->mark,
		          "'open_after' is not shorter than 'clear.quiet': the alert opens only if the event "
		          "repeats");
}

void check_lints(struct loader *ld)
{
	for (enum symbol_kind kind = 0; kind < SYMBOL_KINDS; kind++)
		if (kind != SYMBOL_DECODER && kind != SYMBOL_RULE && kind != SYMBOL_SILENCE)
			lint_unused(ld, kind);
	for (size_t i = 0; i < ld->rs->n_rules; i++) {
		const struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		if (!s->broken && s->node->kind == NODE_MAP)
			lint_rule(ld, s, &ld->rs->rules[i]);
	}
}

void check_index(struct loader *ld)
{
	const struct rule_set *rs = ld->rs;
	for (size_t i = 0; i < rs->n_predicates; i++) {
		const struct predicate *p = &rs->predicates[i];
		const struct symbol *s = ld->symbols[SYMBOL_RULE][p->rule];
		const struct node *match = node_get(s->node, "match");
		if (p->role == PREDICATE_MATCH && match != NULL && !index_covers(rs->index, p->number))
			load_warn(ld, s->file, "W103", match->key_mark,
			          "no condition can be indexed; this rule is tried for every event");
	}
}

void check_conditions(struct loader *ld)
{
	check_truth(ld);
	check_overlaps(ld);
	check_decoded(ld);
}
