/* A ticket profile in memory, private to this adapter: what one ticket system wants to hear and how it
 * answers, as data (tickets.md "Profiles"). Everything lives in the profile's arena and never changes after
 * loading. */
#ifndef CARILLON_TICKETS_PROFILE_H
#define CARILLON_TICKETS_PROFILE_H

#include "base/arena.h"
#include "base/json.h"
#include "plugins/tickets/adapter.h"
#include "plugins/tickets/expr.h"

enum { VERB_COUNT = TICKET_CHECK, STEPS_MAX = 8, PAGES_MAX = 20 };
enum profile_local { PROFILE_REMOTE, PROFILE_LOG, PROFILE_FILE };

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
	const struct expr *dynamic; /* a path with ${conf.x} in it; else NULL */
	struct named_path *next;
};

/* verify, readback: what an extracted value must be */
struct expectation {
	struct slice name;
	const struct expr *want;
	struct expectation *next;
};

/* skip_if, when_state, never_if: all names must have one of their values */
struct condition {
	struct slice name;
	struct expectation *wants; /* their names are not looked at */
	struct condition *next;
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
	bool negate; /* not_matches */
	enum ticket_class cls;
	duration wait; /* if the answer itself does not say; 0: none */
	struct error_rule *next;
};

/* How a list goes on behind its first page. */
enum paging {
	PAGING_NONE,
	PAGING_NEXT,   /* the address of the next page stands in the answer, or in its Link header */
	PAGING_TOKEN,  /* a token for ${page.token} stands there */
	PAGING_NUMBER, /* ${page.number} counts from 1, */
	PAGING_OFFSET  /* ${page.offset} counts items, both while pages are full */
};

struct op {
	const char *method; /* "WRITE": no request, the body is one line for the log or a file */
	const struct expr *url;
	struct pair *query, *headers;
	const struct expr *user, *password; /* HTTP Basic, of a login */
	struct tree *body;
	bool form;     /* the body travels as application/x-www-form-urlencoded */
	const int *ok; /* none: every 2xx */
	size_t n_ok;
	struct slice items; /* path of the list; absent: the answer is one record */
	int64_t limit;      /* items on one page, as the query asks; 0: not said */
	duration settle;    /* find: how long a new ticket may stay unseen */
	struct named_path *extract;
	struct slice expires;    /* login: path of the seconds for which a session is good */
	struct expectation *set; /* values that no answer has */
	struct expectation *verify, *readback, *ignore;
	struct condition *skip_if, *when, *never_if;
	struct slice *require; /* a step: extracted names that must not be empty */
	size_t n_require;
	bool then_get; /* the list has ids only */
	enum paging paging;
	struct slice page_path;
	struct op *steps, *next; /* what goes before, in order */
};

/* How an incoming webhook proves where it comes from. */
struct hook {
	const struct expr *secret; /* NULL: the profile takes none */
	struct slice header, prefix;
	enum hook_scheme { HOOK_TOKEN, HOOK_SHA1, HOOK_SHA256 } scheme;
	bool base64,
	    base64_secret; /* how signature and secret are written; else hexadecimal and plain text */
	struct slice secret_prefix;
	struct slice *parts; /* what is signed: "@body", "@header.x" or text */
	size_t n_parts;
	struct named_path *extract;
	struct slice items;
};

struct ticket_profile {
	struct arena *arena;
	char *name;
	bool idempotent;
	enum profile_local local; /* what needs no server */
	int concurrency;
	double rate;
	int64_t title_max, body_max; /* characters */
	struct pair *auth, *headers;
	const struct expr *user, *password; /* HTTP Basic */
	struct op *login;                   /* NULL: none needed */
	struct hook hook;
	struct value_map *maps;
	struct error_rule *errors;
	struct op *ops[VERB_COUNT]; /* NULL: the profile has none */
	const struct expr *browse;  /* the page for people; may be NULL */
	const char **conf, **secrets, **bases;
	size_t n_conf, n_secrets, n_bases, cap_conf, cap_secrets, cap_bases;
};

const struct value_map *profile_map(const struct ticket_profile *p, struct slice name);
const struct named_path *op_extracts(const struct op *op, struct slice name);
struct expectation *op_sets(const struct op *op, struct slice name);

/* Regular expressions over replies, with match limits. NULL with err if the pattern cannot be compiled. */
struct reply_pattern *reply_pattern_new(struct slice pattern, struct error *err) MUST_CHECK;
void reply_pattern_free(struct reply_pattern *p);
bool reply_pattern_matches(const struct reply_pattern *p, struct slice text); /* false if it gave up */

#endif
