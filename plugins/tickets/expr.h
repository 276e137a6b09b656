/* Texts with ${path|filter} in a ticket profile: read once with a rule for each place where they may stand,
 * and rendered against one operation. A value is never expanded again (tickets.md "Profiles"). */
#ifndef CARILLON_TICKETS_EXPR_H
#define CARILLON_TICKETS_EXPR_H

#include "base/json.h"
#include "base/template.h"
#include "plugins/tickets/adapter.h"

/* Where a text stands decides what it may hold. */
enum expr_where {
	EXPR_AUTH,  /* conf.*, secret.* and session.* */
	EXPR_LOGIN, /* a leaf of a login's body, the same */
	EXPR_URL,   /* begins with ${conf.x}; what follows passes `path` or `int` */
	EXPR_PAGE,  /* an address for people: like a URL, with a query */
	EXPR_QUERY, /* part of a search: values from events pass tql, jql, snq, nowild, hash or int */
	EXPR_HEADER,
	EXPR_KEY,  /* a member's name: conf.* only */
	EXPR_BODY, /* secret.* only as the whole leaf */
	EXPR_HOOK, /* a webhook's secret: not needed to send anything */
	EXPR_PATH, /* conf.* in a path of an answer */
	EXPR_CHECK /* what a value read back must be */
};

struct expr_part {
	struct slice literal; /* absent: an expression */
	struct slice path;
	const struct filter_use *uses;
	size_t n_uses;
};
struct expr {
	struct expr_part *parts;
	size_t n;
};

struct reading;
struct mark;
/* NULL after a finding. `text` is kept. */
const struct expr *expr_parse(struct reading *r, struct slice text, struct mark mark, bool quoted,
                              enum expr_where where) MUST_CHECK;
void expr_need_conf(struct reading *r, struct slice name);    /* as if a text used conf.NAME */
bool expr_constant(const struct expr *e, struct slice *text); /* no expression in it */
bool expr_uses(const struct expr *e, struct slice path);

/* What one rendering reads. */
struct render {
	const struct ticket_connection *connection;
	const struct json *facts;
	struct slice ticket, version; /* of the ticket; may be absent */
	struct values *steps;         /* step.NAME */
	const struct ticket_session *session;
	struct slice page_token;
	int64_t page_number, page_offset; /* 0: not paging */
	struct arena *arena;
	/* set by filters while one expression is rendered */
	bool plain, keep, tree;
	struct slice path;
};

/* Names with values, the newest first. */
struct values {
	struct slice name, value;
	struct values *next;
};
struct slice values_get(const struct values *v, struct slice name); /* absent if there is none */

const struct filter *expr_filters(void);
/* expr_markup.c: plain text as text in a markup language, see there */
int markup_adf(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
               struct error *err);
int markup_html(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                struct error *err);
int markup_fence(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err);
int markup_pre(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
               struct error *err);
int markup_noformat(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                    struct error *err);
int markup_nocode(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err);
bool expr_filter_arg_ok(const struct ticket_profile *p, const struct filter_use *use, struct error *err);

/* -1: a filter refused a value or a secret is missing. Lists become their items joined by ','. */
int expr_text(const struct expr *e, struct render *r, struct buf *out, struct error *err) MUST_CHECK;
/* As a JSON value: a text that is exactly one expression keeps the type of its value. *out is NULL if there
 * is nothing. */
int expr_value(const struct expr *e, struct render *r, struct json **out, struct error *err) MUST_CHECK;

/* A number, true or false as written in YAML or facts; NULL if the text is none. */
struct json *value_plain(struct arena *a, struct slice text);

struct tree;
/* The JSON of a body; what is empty is left out. *out is NULL if nothing is left. */
int tree_value(const struct tree *t, struct render *r, struct json **out, struct error *err) MUST_CHECK;

#endif
