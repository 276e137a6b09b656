/* A ticket profile in memory, private to this adapter: what one ticket system wants to hear and how it
 * answers, as data (tickets.md "Profiles"). Everything lives in the profile's arena and never changes after
 * loading. */
#ifndef CARILLON_TICKETS_PROFILE_H
#define CARILLON_TICKETS_PROFILE_H

#include "base/arena.h"
#include "base/json.h"
#include "plugins/tickets/adapter.h"
#include "plugins/tickets/expr.h"

enum { VERB_COUNT = TICKET_REOPEN + 1 };

/* One line of a query or of headers; an empty name drops it. */
struct pair {
	const struct expr *name, *value;
	struct pair *next;
};

/* A body: like the YAML below `body:`, with expressions for leaves and keys. */
enum tree_kind { TREE_LEAF, TREE_LIST, TREE_MAP };
struct tree {
	enum tree_kind kind;
	const struct expr *key;  /* of a member of a map */
	const struct expr *leaf; /* NULL: `plain` */
	const struct json *plain;
	struct tree *first, *next;
};

struct named_path {
	struct slice name, path;
	struct named_path *next;
};

/* verify, readback: what an extracted value must be */
struct expectation {
	struct slice name;
	const struct expr *want;
	struct expectation *next;
};

struct map_entry {
	struct slice from, to;
	bool plain; /* a number or true/false, as written */
	struct map_entry *next;
};
struct value_map {
	struct slice name;
	struct map_entry *entries;
	struct value_map *next;
};

struct reply_pattern;

/* All conditions of a rule must hold. */
struct error_rule {
	const int *status;
	size_t n_status;
	struct slice header, path; /* at most one of them, with `matches` */
	struct reply_pattern *matches, *body_matches;
	enum ticket_class cls;
	struct error_rule *next;
};

struct op {
	const char *method;
	const struct expr *url;
	struct pair *query, *headers;
	struct tree *body;
	const int *ok; /* none: every 2xx */
	size_t n_ok;
	struct slice items; /* path of the list; absent: the answer is one record */
	int64_t limit;      /* items on one page, as the query asks; 0: not said */
	struct named_path *extract;
	struct expectation *verify, *readback;
};

struct ticket_profile {
	struct arena *arena;
	char *name;
	bool idempotent;
	int concurrency;
	double rate;
	int64_t title_max, body_max; /* characters */
	struct pair *auth, *headers;
	struct value_map *maps;
	struct error_rule *errors;
	struct op *ops[VERB_COUNT]; /* NULL: the profile has none */
	const struct expr *browse;  /* the page for people; may be NULL */
	const char **conf, **secrets, **bases;
	size_t n_conf, n_secrets, n_bases, cap_conf, cap_secrets, cap_bases;
};

const struct value_map *profile_map(const struct ticket_profile *p, struct slice name);
const struct named_path *op_extracts(const struct op *op, struct slice name);

/* Regular expressions over replies, with match limits. NULL with err if the pattern cannot be compiled. */
struct reply_pattern *reply_pattern_new(struct slice pattern, struct error *err) MUST_CHECK;
void reply_pattern_free(struct reply_pattern *p);
bool reply_pattern_matches(const struct reply_pattern *p, struct slice text); /* false if it gave up */

#endif
