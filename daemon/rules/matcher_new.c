/* From a loaded rule set to what the matcher needs of it. */
#include "rules/matcher_impl.h"

struct matcher *matcher_new(const struct rule_set *rs)
{
	struct matcher_parts p = {.index = rule_set_index(rs), .decoder_index = rule_set_decoder_index(rs)};
	p.rules = rule_set_rules(rs, &p.n_rules);
	p.decoders = rule_set_decoders(rs, &p.n_decoders);
	p.predicates = rule_set_predicates(rs, &p.n_predicates);
	p.lists = rule_set_lists(rs, &p.n_lists);
	p.field_names = rule_set_field_names(rs, &p.n_field_names);
	p.service_paths = rule_set_service_paths(rs, &p.n_service_paths);
	p.tables = rule_set_tables(rs, &p.n_tables);
	rule_set_atoms(rs, &p.n_atoms);
	return matcher_of_parts(&p);
}
