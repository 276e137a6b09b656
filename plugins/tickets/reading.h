/* What the loader's files share while a profile is read: the document, where findings go, and the strictness
 * of every YAML file here (unknown keys and wrong types are findings with a place; language.md section 12).
 */
#ifndef CARILLON_TICKETS_READING_H
#define CARILLON_TICKETS_READING_H

#include "base/doc.h"
#include "plugins/tickets/profile.h"

struct reading {
	struct ticket_profile *profile;
	struct doc *doc;
	struct findings *findings;
	const struct op *steps; /* what went before the request that is being read */
	bool paging;            /* its pages are told apart by ${page.x} */
};

#define REFUSE(r, code, mark, ...)                                                                           \
	doc_finding((r)->doc, (r)->findings, FINDING_ERROR, (code), (mark), __VA_ARGS__)

bool reading_kind(struct reading *r, const struct node *n, enum node_kind kind, const char *what,
                  const char *type);
/* Every key of `map` must be in `names`; those in `absent` are refused as parts of the language that are not
 * there. */
bool reading_keys(struct reading *r, const struct node *map, const char *where, const char *const *names,
                  size_t n, const char *const *absent, size_t n_absent);
/* A member that must be there; a finding at the map otherwise. */
const struct node *reading_need(struct reading *r, const struct node *map, const char *where,
                                const char *key);
bool reading_int(struct reading *r, const struct node *n, const char *what, int64_t min, int64_t max,
                 int64_t *out);
/* A list of numbers, or one number. */
const int *reading_ints(struct reading *r, const struct node *n, const char *what, size_t *count);
struct slice reading_keep(struct reading *r, struct slice s);
const char *reading_word(struct reading *r, struct slice s); /* kept, NUL-terminated */

bool reading_duration(struct reading *r, const struct node *n, const char *what, duration max, duration *out);
/* A list of texts, or one text. */
struct slice *reading_slices(struct reading *r, const struct node *n, const char *what, size_t *count);

void profile_op_load(struct reading *r, const struct node *n, enum ticket_verb verb);
/* A request that is no operation: its method, address, headers, body, what is taken from the answer. */
struct op *profile_request_load(struct reading *r, const struct node *n, const char *what,
                                enum expr_where headers, enum expr_where body);
struct tree *profile_tree_load(struct reading *r, const struct node *n, enum expr_where where);
struct named_path *profile_extract_load(struct reading *r, const struct node *n);
bool profile_path_ok(struct reading *r, const struct node *n, const char *what);
void profile_auth_load(struct reading *r, const struct node *n);
void profile_hook_load(struct reading *r, const struct node *n);
/* skip_if, when_state, never_if, page, set, ignore, require, steps' order: profile_flow.c */
void profile_flow_load(struct reading *r, const struct node *n, struct op *op, enum ticket_verb verb);
struct expectation *profile_expectations_load(struct reading *r, const struct node *n, const char *what);
/* What can only be said when every op is there. */
void profile_op_check(struct reading *r, const struct node *ops);
struct pair *profile_pairs_load(struct reading *r, const struct node *n, const char *what,
                                enum expr_where where);
void profile_errors_load(struct reading *r, const struct node *n);

#endif
