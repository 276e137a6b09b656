/* One generation of what core runs: its own configuration and rule set from the bytes of a bundle, kept by hash. */
#ifndef CARILLON_ROLE_CORE_GEN_H
#define CARILLON_ROLE_CORE_GEN_H

#include "model/bundle.h"
#include "model/config.h"
#include "rules/rule_set.h"

struct core_gen {
	struct config *config;
	struct rule_set *rules;
	struct buf bytes;   /* the encoded bundle */
	char hash[65];
};
/* NULL with err if it does not compile. The rule set's generation is bundle_generation, as intake's is. */
struct core_gen *core_gen_new(const struct bundle *b, struct error *err) MUST_CHECK;
void core_gen_free(struct core_gen *g); /* NULL is fine */

#endif
