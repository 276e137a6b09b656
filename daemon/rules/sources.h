/* From a bundle of sources to a rule set: which files of it are rules, and where their lists are. Pure. */
#ifndef CARILLON_RULES_SOURCES_H
#define CARILLON_RULES_SOURCES_H

#include "model/bundle.h"
#include "rules/rule_set.h"

/* The rule set of a bundle under this configuration; findings say what is wrong with it. NULL on errors. */
struct rule_set *sources_rules(const struct bundle *b, const struct config *config, bool keep_tests, struct findings *f) MUST_CHECK;
/* rules_source.zone for a bundle as `arg`. */
struct slice sources_zone(void *arg, const char *name);
/* The path under which a rule file's list file stands in a bundle: relative to the rule file. Caller frees. */
char *sources_list_path(const char *rule_file, const char *path);

#endif
