/* Conditions by hand, for tests of the index and the matcher that need no rule files. */
#ifndef CARILLON_TEST_COND_BUILD_H
#define CARILLON_TEST_COND_BUILD_H

#include "base/arena.h"
#include "rules/cond.h"
#include "rules/matcher_impl.h"

enum { BUILD_MAX = 20000 };

/* Everything of a small rule set; all in one arena. */
struct build_set {
	struct arena *a;
	struct slice names[32]; /* of named fields, by slot */
	size_t n_names;
	const struct atom *atoms[4 * BUILD_MAX];
	size_t n_atoms;
	struct predicate predicates[BUILD_MAX];
	struct rule rules[BUILD_MAX];
	size_t n_predicates;
	struct rule_decoder decoders[256];
	size_t n_decoders;
	struct value_list lists[8];
	size_t n_lists;
	struct slice service_paths[4];
	size_t n_service_paths;
	struct regex *regexes[4 * BUILD_MAX];
	size_t n_regexes;
	struct index *index, *decoder_index;
};
struct build_set *build_new(void);
void build_free(struct build_set *b);

struct field_ref build_field(struct build_set *b, const char *name);
/* Texts are separated by '\n'. NULL where a regex is refused. */
const struct cond *build_texts(struct build_set *b, const char *field, enum test_op op, const char *texts);
const struct cond *build_number(struct build_set *b, const char *field, const char *values); /* EQ, numeric */
const struct cond *build_bound(struct build_set *b, const char *field, enum test_op op, double bound);
const struct cond *build_net(struct build_set *b, const char *field, const char *net); /* "10.0.0.0/8" */
const struct cond *build_list(struct build_set *b, const char *field, uint32_t list);
const struct cond *build_exists(struct build_set *b, const char *field, bool want);
const struct cond *build_join(struct build_set *b, enum cond_kind kind, const struct cond *const *kids,
                              size_t n);
const struct cond *build_not(struct build_set *b, const struct cond *c);
const struct cond *build_all(struct build_set *b, const struct cond *x, const struct cond *y);
const struct cond *build_any(struct build_set *b, const struct cond *x, const struct cond *y);
uint32_t build_value_list(struct build_set *b, const char *values);

uint32_t build_predicate(struct build_set *b, const struct cond *c);
struct rule_decoder *build_decoder(struct build_set *b, const struct cond *c);
/* Makes both indexes and a matcher over them. */
struct matcher *build_matcher(struct build_set *b);

/* The slow truth: every predicate by itself, values by name. */
bool build_eval(const struct build_set *b, const struct cond *c, const struct fields *f);

#endif
