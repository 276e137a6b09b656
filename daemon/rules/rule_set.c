/* Reading a compiled rule set, and the summary line of a check. */
#include "rules/rule_set.h"

#include "rules/load.h"

const struct rule *rule_set_rules(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_rules;
	return rs->rules;
}

const struct rule_decoder *rule_set_decoders(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_decoders;
	return rs->decoders;
}

const struct predicate *rule_set_predicates(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_predicates;
	return rs->predicates;
}

const struct atom *const *rule_set_atoms(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_atoms;
	return rs->atoms;
}

const struct value_list *rule_set_lists(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_lists;
	return rs->lists;
}

const struct slice *rule_set_field_names(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_field_names;
	return rs->field_names;
}

const struct slice *rule_set_service_paths(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_service_paths;
	return rs->service_paths;
}

const struct calendar *rule_set_calendars(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_calendars;
	return rs->calendars;
}

const struct zone *rule_set_zone(const struct rule_set *rs)
{
	return rs->zone;
}

const struct rule_table *rule_set_tables(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_tables;
	return rs->tables;
}

const struct rule_silence *rule_set_silences(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_silences;
	return rs->silences;
}

const struct rule_test *rule_set_tests(const struct rule_set *rs, size_t *n)
{
	*n = rs->n_tests;
	return rs->tests;
}

const struct rule *rule_set_find(const struct rule_set *rs, struct slice id)
{
	return hmap_get(rs->by_id, id);
}

size_t rule_set_files(const struct rule_set *rs)
{
	return rs->n_files;
}

const struct index *rule_set_index(const struct rule_set *rs)
{
	return rs->index;
}

const struct index *rule_set_decoder_index(const struct rule_set *rs)
{
	return rs->decoder_index;
}

uint32_t rule_set_generation(const struct rule_set *rs)
{
	return rs->generation;
}

void rule_set_set_generation(struct rule_set *rs, uint32_t generation)
{
	rs->generation = generation;
}

static void count(struct buf *out, const char *before, size_t n, const char *noun)
{
	buf_printf(out, "%s%zu %s%s", before, n, noun, n == 1 ? "" : "s");
}

void rules_summary(const struct rules_counts *c, const struct findings *f, struct buf *out)
{
	count(out, "", c->files, "file");
	count(out, ", ", c->rules, "rule");
	count(out, ", ", c->tests, "test");
	count(out, ": ", f->errors, "error");
	count(out, ", ", f->warnings, "warning");
}
