/* What the verbs without a daemon work on: the configuration, and the rules that it or the command line
 * names. */
#ifndef CARILLON_CTL_LOAD_H
#define CARILLON_CTL_LOAD_H

#include "ctl/ctl.h"
#include "model/bundle.h"
#include "model/config.h"
#include "model/service_map.h"
#include "rules/rule_set.h"

struct load {
	struct bundle bundle;     /* of the configuration */
	struct bundle rule_files; /* named on the command line */
	struct config *config;    /* NULL: it has errors */
	bool configured;          /* a file was read; else the defaults */
	struct rule_set *rules;   /* NULL: not asked for, or errors */
	struct rules_counts counts;
	struct findings f;
};

/* The configuration alone. False: errors, in l->f. */
bool load_config(const struct ctl *c, struct load *l) MUST_CHECK;
/* Configuration and rules: of the paths (with what they refer to in the same folder), or the configured ones
 * if there are none. NULL rules on errors. */
bool load_rules(const struct ctl *c, struct load *l, const char *const *paths, size_t n,
                bool keep_tests) MUST_CHECK;
/* By its id, or by its name alone where only one package has it. NULL: none, or several. */
const struct rule *load_rule(const struct rule_set *rs, struct slice id);
void load_free(struct load *l);

/* The service map of a path, or of the configuration (NULL: none there is an empty map). NULL with err or
 * findings. */
struct load_map {
	struct service_map *map;
	struct buf bytes;
	size_t files;
};
bool load_map(const struct load *l, const char *path, struct load_map *m, struct findings *f,
              struct error *err) MUST_CHECK;
/* Adds a map file, or all *.yaml of a folder. */
void load_map_path(struct map_draft *d, const char *path, size_t *files, struct findings *f);
void load_map_free(struct load_map *m);

#endif
