/* The same work as for a live event, told step by step. */
#include "rules/matcher.h"

#include "rules/matcher_impl.h"

static void explain_service(const struct service_map *map, const struct fields *before,
                            const struct fields *f, uint32_t s, struct jw *w)
{
	enum resolve_step how;
	jw_key(w, "service");
	jw_object(w);
	if (s == SERVICE_NONE) {
		jw_kslice(w, "id", value_slice(f->core[FIELD_SERVICE]));
		jw_kstr(w, "how", "not in the map");
	} else {
		resolve_event(map, value_slice(before->core[FIELD_SERVICE]),
		              value_slice(before->core[FIELD_HOST]), value_slice(before->core[FIELD_PORT]),
		              &how);
		jw_kslice(w, "id", service_id(map, s));
		jw_kstr(w, "how", resolve_step_word(how));
	}
	jw_end(w);
}

static void explain_condition(struct matcher *m, const struct cond *c, bool negated, const struct fields *f,
                              struct jw *w)
{
	if (c->kind != COND_ATOM) {
		for (size_t i = 0; i < c->n; i++)
			explain_condition(m, c->kids[i], negated != (c->kind == COND_NOT), f, w);
		return;
	}
	jw_object(w);
	jw_kstr(w, "text", c->text);
	jw_kbool(w, "verdict", matcher_eval(m, c, f));
	if (negated)
		jw_kbool(w, "negated", true);
	jw_kslice(w, "value", value_slice(matcher_value(m, &c->atom->field, f)));
	jw_end(w);
}

static const char *role_word(enum predicate_role role)
{
	switch (role) {
	case PREDICATE_MATCH: return "match";
	case PREDICATE_CLEAR: return "clear";
	case PREDICATE_STEP: return "step";
	}
	bug_stop("a predicate of no role", __FILE__, __LINE__);
}

static void explain_predicate(struct matcher *m, const struct predicate *p, const struct fields *f,
                              struct jw *w)
{
	BUG_ON(p->rule >= m->parts.n_rules);
	jw_object(w);
	jw_kslice(w, "rule", m->parts.rules[p->rule].id);
	jw_kstr(w, "role", role_word(p->role));
	jw_kbool(w, "verdict", matcher_eval(m, p->cond, f));
	jw_key(w, "conditions");
	jw_array(w);
	explain_condition(m, p->cond, false, f, w);
	jw_array_end(w);
	jw_end(w);
}

static void explain_rules(struct matcher *m, const struct fields *f, struct slice only_rule, struct jw *w)
{
	const uint32_t *candidates;
	matcher_fill(m, f);
	size_t n = index_candidates(m->parts.index, m->scratch, f, m->slots, &candidates);
	jw_kint(w, "candidates", (int64_t)n);
	jw_key(w, "rules");
	jw_array(w);
	for (size_t i = 0; only_rule.n == 0 && i < n; i++)
		explain_predicate(m, &m->parts.predicates[candidates[i]], f, w);
	/* one rule is told of even if the index sees no chance for it */
	for (size_t i = 0; only_rule.n > 0 && i < m->parts.n_predicates; i++) {
		const struct predicate *p = &m->parts.predicates[i];
		if (slice_eq(m->parts.rules[p->rule].id, only_rule))
			explain_predicate(m, p, f, w);
	}
	jw_array_end(w);
}

static bool explain_decoders(struct matcher *m, struct fields *f, struct buf *out)
{
	struct jw trace = jw_new(out);
	jw_array(&trace);
	m->trace = &trace;
	bool kept = matcher_decode(m, f);
	m->trace = NULL;
	jw_array_end(&trace);
	return kept;
}

bool matcher_explain(struct matcher *m, const struct service_map *map, struct fields *f,
                     struct slice only_rule, struct jw *w)
{
	struct buf decoders = {0};
	bool kept = explain_decoders(m, f, &decoders);
	struct fields before = *f;
	uint32_t service = kept ? matcher_resolve(m, map, f) : SERVICE_NONE;
	jw_key(w, "fields");
	jw_object(w);
	fields_json(f, w);
	jw_end(w);
	jw_key(w, "decoders");
	jw_raw(w, buf_slice(&decoders));
	buf_free(&decoders);
	jw_kbool(w, "dropped", !kept);
	if (!kept)
		return false;
	explain_service(map, &before, f, service, w);
	explain_rules(m, f, only_rule, w);
	return true;
}
