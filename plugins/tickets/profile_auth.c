/* Promises that a profile says completely how one logs in: headers, HTTP Basic, a bearer token, a login step
 * whose answer has the token, or OAuth 2.0 (RFC 6749 sections 4.3, 4.4, 6), which is such a step. Must not
 * know operations under way. */
#include <stdlib.h>

#include "plugins/tickets/reading.h"

static const struct expr *text_expr(struct reading *r, const struct node *n, const char *what,
                                    enum expr_where where)
{
	if (!reading_kind(r, n, NODE_SCALAR, what, "text"))
		return NULL;
	return expr_parse(r, n->text, n->mark, n->quoted, where);
}

/* A text of ours instead of the file's; a finding of it stands at `at`. */
static const struct expr *own_expr(struct reading *r, const char *text, struct mark at, enum expr_where where)
{
	return expr_parse(r, slice_str(text), at, true, where);
}

static void add_header(struct reading *r, const struct expr *name, const struct expr *value)
{
	struct pair *p = arena_alloc(r->profile->arena, sizeof *p);
	if (name == NULL || value == NULL)
		return;
	*p = (struct pair){.name = name, .value = value, .next = r->profile->auth};
	r->profile->auth = p;
}

static void load_header(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"name", "value"};
	if (!reading_kind(r, n, NODE_MAP, "auth.header", "a map") ||
	    !reading_keys(r, n, "auth.header", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *name = reading_need(r, n, "auth.header", "name"),
	                  *value = reading_need(r, n, "auth.header", "value");
	if (name != NULL && value != NULL)
		add_header(r, text_expr(r, name, "name", EXPR_KEY), text_expr(r, value, "value", EXPR_AUTH));
}

static void load_basic(struct reading *r, const struct node *n, const char *what, const struct expr **user,
                       const struct expr **password)
{
	static const char *const keys[] = {"user", "password"};
	if (!reading_kind(r, n, NODE_MAP, what, "a map") ||
	    !reading_keys(r, n, what, keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *u = reading_need(r, n, what, "user"), *p = reading_need(r, n, what, "password");
	if (u != NULL)
		*user = text_expr(r, u, "user", EXPR_AUTH);
	if (p != NULL)
		*password = text_expr(r, p, "password", EXPR_AUTH);
}

static void load_bearer(struct reading *r, const struct node *n)
{
	if (!reading_kind(r, n, NODE_SCALAR, "auth.bearer", "text"))
		return;
	char *value = xasprintf("Bearer " SLICE_FMT, SLICE_ARG(n->text));
	add_header(r, own_expr(r, "Authorization", n->mark, EXPR_KEY),
	           own_expr(r, value, n->mark, EXPR_AUTH));
	free(value);
}

/* ---- a login step */

static void load_login(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"method", "url",  "query", "headers", "basic",
	                                   "body",   "form", "ok",    "extract", "expires"};
	if (!reading_kind(r, n, NODE_MAP, "auth.login", "a map") ||
	    !reading_keys(r, n, "auth.login", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *basic = node_get(n, "basic"), *expires = node_get(n, "expires");
	struct op *op = profile_request_load(r, n, "auth.login", EXPR_AUTH, EXPR_LOGIN);
	if (basic != NULL)
		load_basic(r, basic, "auth.login.basic", &op->user, &op->password);
	if (expires != NULL && profile_path_ok(r, expires, "expires"))
		op->expires = reading_keep(r, expires->text);
	if (op->extract == NULL)
		REFUSE(r, "E005", n->key_mark,
		       "auth.login needs 'extract': what it gives, for ${session.NAME}");
	r->profile->login = op;
}

/* ---- OAuth 2.0 */

struct grant {
	const char *word;
	const char *needs[3]; /* besides the client */
};
static const struct grant grants[] = {
    {"client_credentials", {NULL}},
    {"password", {"username", "password", NULL}},
    {"refresh_token", {"refresh_token", NULL}},
};

static const struct grant *load_grant(struct reading *r, const struct node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		if (slice_is(n->text, grants[i].word))
			return &grants[i];
	REFUSE(r, "E011", n->mark,
	       "'" SLICE_FMT "' must be one of client_credentials, password, refresh_token",
	       SLICE_ARG(n->text));
	return NULL;
}

static struct tree *form_leaf(struct reading *r, struct tree *form, const char *key, const struct expr *value,
                              struct mark at)
{
	struct tree *leaf = arena_alloc(r->profile->arena, sizeof *leaf), **tail = &form->first;
	while (*tail != NULL)
		tail = &(*tail)->next;
	leaf->key = own_expr(r, key, at, EXPR_KEY);
	leaf->leaf = value;
	if (value != NULL)
		*tail = leaf;
	return leaf;
}

static struct named_path *token_path(struct arena *a)
{
	struct named_path *access = arena_alloc(a, sizeof *access);
	*access = (struct named_path){.name = SLICE("access_token"), .path = SLICE("access_token")};
	return access;
}

static void oauth2_client(struct reading *r, const struct node *n, struct op *op, bool in_header)
{
	const struct node *id = reading_need(r, n, "auth.oauth2", "client_id"),
	                  *secret = node_get(n, "client_secret");
	if (id == NULL)
		return;
	const struct expr *user = text_expr(r, id, "client_id", EXPR_AUTH),
	                  *password =
	                      secret != NULL ? text_expr(r, secret, "client_secret", EXPR_AUTH) : NULL;
	if (in_header) {
		op->user = user;
		op->password = password != NULL ? password : own_expr(r, "", id->mark, EXPR_AUTH);
		return;
	}
	form_leaf(r, op->body, "client_id", user, id->mark);
	if (password != NULL)
		form_leaf(r, op->body, "client_secret", password, secret->mark);
}

static void oauth2_form(struct reading *r, const struct node *n, const struct grant *g, struct op *op)
{
	const struct node *scope = node_get(n, "scope");
	form_leaf(r, op->body, "grant_type", own_expr(r, g->word, n->mark, EXPR_LOGIN), n->mark);
	for (size_t i = 0; g->needs[i] != NULL; i++) {
		const struct node *v = reading_need(r, n, "auth.oauth2", g->needs[i]);
		if (v != NULL)
			form_leaf(r, op->body, g->needs[i], text_expr(r, v, g->needs[i], EXPR_LOGIN),
			          v->mark);
	}
	if (scope != NULL)
		form_leaf(r, op->body, "scope", text_expr(r, scope, "scope", EXPR_LOGIN), scope->mark);
}

static void load_oauth2(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"token_url",     "grant",    "client_id",
	                                   "client_secret", "username", "password",
	                                   "refresh_token", "scope",    "client_auth"};
	struct arena *a = r->profile->arena;
	struct op *op = arena_alloc(a, sizeof *op);
	if (!reading_kind(r, n, NODE_MAP, "auth.oauth2", "a map") ||
	    !reading_keys(r, n, "auth.oauth2", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *url = reading_need(r, n, "auth.oauth2", "token_url"),
	                  *grant = reading_need(r, n, "auth.oauth2", "grant"),
	                  *client = node_get(n, "client_auth");
	const struct grant *g = grant != NULL ? load_grant(r, grant) : NULL;
	if (url == NULL || g == NULL)
		return;
	if (client != NULL && !slice_is(client->text, "header") && !slice_is(client->text, "body"))
		REFUSE(r, "E011", client->mark, "'" SLICE_FMT "' must be one of body, header",
		       SLICE_ARG(client->text));
	*op = (struct op){.method = "POST",
	                  .url = text_expr(r, url, "token_url", EXPR_URL),
	                  .form = true,
	                  .expires = SLICE("expires_in")};
	op->body = arena_alloc(a, sizeof *op->body);
	op->body->kind = TREE_MAP;
	oauth2_form(r, n, g, op);
	oauth2_client(r, n, op, client != NULL && slice_is(client->text, "header"));
	op->extract = token_path(a);
	r->profile->login = op;
	add_header(r, own_expr(r, "Authorization", n->mark, EXPR_KEY),
	           own_expr(r, "Bearer ${session.access_token}", n->mark, EXPR_AUTH));
}

void profile_auth_load(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"header", "headers", "basic", "bearer", "login", "oauth2"};
	if (n->kind == NODE_SCALAR && slice_is(n->text, "none"))
		return;
	if (!reading_kind(r, n, NODE_MAP, "auth", "a map or 'none'") ||
	    !reading_keys(r, n, "auth", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *header = node_get(n, "header"), *headers = node_get(n, "headers"),
	                  *basic = node_get(n, "basic"), *bearer = node_get(n, "bearer"),
	                  *login = node_get(n, "login"), *oauth2 = node_get(n, "oauth2");
	if (login != NULL && oauth2 != NULL)
		REFUSE(r, "E011", oauth2->key_mark, "one logs in by 'login' or by 'oauth2', not by both");
	else if (login != NULL)
		load_login(r, login);
	if (headers != NULL)
		r->profile->auth = profile_pairs_load(r, headers, "auth.headers", EXPR_AUTH);
	if (header != NULL)
		load_header(r, header);
	if (basic != NULL)
		load_basic(r, basic, "auth.basic", &r->profile->user, &r->profile->password);
	if (bearer != NULL)
		load_bearer(r, bearer);
	if (oauth2 != NULL && login == NULL)
		load_oauth2(r, oauth2);
}
