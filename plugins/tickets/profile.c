/* Promises that a profile which loads has no unknown key, name, map or filter, and that its conditions
 * compile. Must not know operations under way. tickets.md "Profiles". */
#include "plugins/tickets/profile.h"

#include <stdlib.h>

#include "base/hmap.h"
#include "plugins/tickets/reading.h"

#define SETTLE (2 * SECOND)

static const char *const profile_keys[] = {"profile", "name",    "description", "auth", "defaults",
                                           "limits",  "maps",    "errors",      "ops",  "idempotent",
                                           "browse",  "webhook", "to"};
static const char *const profile_absent[] = {"oauth2", "login", "include"};

/* ---- head */

static bool profile_name_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return s.n > 0 && s.n <= 63;
}

static void load_head(struct reading *r, const struct node *root)
{
	const struct node *version = reading_need(r, root, "a ticket profile", "profile");
	const struct node *name = reading_need(r, root, "a ticket profile", "name");
	const struct node *idempotent = node_get(root, "idempotent");
	if (version != NULL && reading_kind(r, version, NODE_SCALAR, "profile", "1") &&
	    !slice_is(version->text, "1"))
		REFUSE(r, "E011", version->mark,
		       "'" SLICE_FMT "' must be 1, the only version of ticket profiles",
		       SLICE_ARG(version->text));
	if (name != NULL && reading_kind(r, name, NODE_SCALAR, "name", "text")) {
		if (!profile_name_ok(name->text))
			REFUSE(r, "E010", name->mark,
			       "name '" SLICE_FMT
			       "' is not valid; use lower-case letters, digits, '-' and '_'",
			       SLICE_ARG(name->text));
		r->profile->name = arena_str(r->profile->arena, name->text);
	}
	if (idempotent == NULL || !reading_kind(r, idempotent, NODE_SCALAR, "idempotent", "true or false"))
		return;
	if (!slice_is(idempotent->text, "true") && !slice_is(idempotent->text, "false"))
		REFUSE(r, "E011", idempotent->mark, "'" SLICE_FMT "' must be one of true, false",
		       SLICE_ARG(idempotent->text));
	r->profile->idempotent = slice_is(idempotent->text, "true");
}

static void load_defaults(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"headers"}, *const absent[] = {"timeout"};
	if (!reading_kind(r, n, NODE_MAP, "defaults", "a map") ||
	    !reading_keys(r, n, "defaults", keys, 1, absent, 1))
		return;
	const struct node *headers = node_get(n, "headers");
	if (headers != NULL)
		r->profile->headers = profile_pairs_load(r, headers, "defaults.headers", EXPR_HEADER);
}

static void load_limits(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"concurrency", "rate", "title", "body"}, *const absent[] = {
	                                                                                "per_ticket",
	                                                                                "request"};
	struct ticket_profile *p = r->profile;
	int64_t v;
	if (!reading_kind(r, n, NODE_MAP, "limits", "a map") ||
	    !reading_keys(r, n, "limits", keys, ARRAY_LEN(keys), absent, ARRAY_LEN(absent)))
		return;
	const struct node *rate = node_get(n, "rate"), *concurrency = node_get(n, "concurrency");
	const struct node *title = node_get(n, "title"), *body = node_get(n, "body");
	if (concurrency != NULL && reading_int(r, concurrency, "concurrency", 1, 64, &v))
		p->concurrency = (int)v;
	if (title != NULL && reading_int(r, title, "title", 20, 100000, &v))
		p->title_max = v;
	if (body != NULL && reading_int(r, body, "body", 200, 1000000, &v))
		p->body_max = v;
	if (rate == NULL || !reading_kind(r, rate, NODE_SCALAR, "rate", "a rate such as 5/s"))
		return;
	if (!rate_parse(rate->text, &p->rate) || p->rate <= 0)
		REFUSE(r, "E007", rate->mark,
		       "expected a rate such as 5/s, 30/m or 100/h, got '" SLICE_FMT "'",
		       SLICE_ARG(rate->text));
}

/* ---- maps */

static bool state_word_ok(struct slice s)
{
	return slice_is(s, "open") || slice_is(s, "acked") || slice_is(s, "resolved") || slice_is(s, "wontfix") ||
	       slice_is(s, "gone");
}

static struct map_entry *load_map(struct reading *r, const struct node *map)
{
	struct map_entry *first = NULL, **tail = &first;
	bool states = slice_is(map->key, "state_in") || slice_is(map->key, "resolution_in");
	for (const struct node *e = map->first; e != NULL; e = e->next) {
		if (!reading_kind(r, e, NODE_SCALAR, "an entry of a map", "a value"))
			continue;
		if (slice_is(map->key, "priority_in") &&
		    !(e->text.n == 2 && e->text.p[0] == 'P' && e->text.p[1] >= '1' && e->text.p[1] <= '5'))
			REFUSE(r, "E011", e->mark, "'" SLICE_FMT "' must be one of P1, P2, P3, P4, P5",
			       SLICE_ARG(e->text));
		if (states && !state_word_ok(e->text)) {
			REFUSE(r, "E011", e->mark,
			       "'" SLICE_FMT "' must be one of open, acked, resolved, wontfix, gone",
			       SLICE_ARG(e->text));
			continue;
		}
		struct map_entry *m = *tail = arena_alloc(r->profile->arena, sizeof *m);
		m->from = reading_keep(r, e->key);
		m->to = reading_keep(r, e->text);
		m->plain = !e->quoted && value_plain(r->profile->arena, m->to) != NULL;
		tail = &m->next;
	}
	return first;
}

static void load_maps(struct reading *r, const struct node *n)
{
	struct value_map **tail = &r->profile->maps;
	if (!reading_kind(r, n, NODE_MAP, "maps", "a map of maps"))
		return;
	for (const struct node *e = n->first; e != NULL; e = e->next) {
		if (!reading_kind(r, e, NODE_MAP, "a map", "a map of words"))
			continue;
		struct value_map *m = *tail = arena_alloc(r->profile->arena, sizeof *m);
		m->name = reading_keep(r, e->key);
		m->entries = load_map(r, e);
		tail = &m->next;
	}
}

const struct value_map *profile_map(const struct ticket_profile *p, struct slice name)
{
	const struct value_map *m = p->maps;
	while (m != NULL && !slice_eq(m->name, name))
		m = m->next;
	return m;
}

/* ---- the document */

static void load_to(struct reading *r, const struct node *n)
{
	if (!reading_kind(r, n, NODE_SCALAR, "to", "log or file"))
		return;
	if (slice_is(n->text, "log"))
		r->profile->local = PROFILE_LOG;
	else if (slice_is(n->text, "file"))
		r->profile->local = PROFILE_FILE, expr_need_conf(r, SLICE("path"));
	else
		REFUSE(r, "E011", n->mark, "'" SLICE_FMT "' must be one of log, file", SLICE_ARG(n->text));
}

static void load_ops(struct reading *r, const struct node *ops)
{
	const char *names[VERB_COUNT];
	if (!reading_kind(r, ops, NODE_MAP, "ops", "a map of operations"))
		return;
	for (int v = 0; v < VERB_COUNT; v++)
		names[v] = ticket_verb_word((enum ticket_verb)v);
	reading_keys(r, ops, "ops", names, VERB_COUNT, NULL, 0);
	for (int v = 0; v < VERB_COUNT; v++) {
		const struct node *n = node_get(ops, names[v]);
		if (n != NULL)
			profile_op_load(r, n, (enum ticket_verb)v);
	}
	profile_op_check(r, ops);
}

static void load_profile(struct reading *r, const struct node *root)
{
	if (!reading_kind(r, root, NODE_MAP, "a ticket profile", "a map"))
		return;
	reading_keys(r, root, "the profile", profile_keys, ARRAY_LEN(profile_keys), profile_absent,
	             ARRAY_LEN(profile_absent));
	load_head(r, root);
	const struct node *auth = reading_need(r, root, "a ticket profile", "auth");
	const struct node *ops = reading_need(r, root, "a ticket profile", "ops");
	const struct node *maps = node_get(root, "maps"), *limits = node_get(root, "limits"),
	                  *defaults = node_get(root, "defaults");
	const struct node *errors = node_get(root, "errors"), *browse = node_get(root, "browse"),
	                  *to = node_get(root, "to"), *hook = node_get(root, "webhook");
	if (to != NULL)
		load_to(r, to);
	if (maps != NULL)
		load_maps(r, maps);
	if (auth != NULL)
		profile_auth_load(r, auth);
	if (limits != NULL)
		load_limits(r, limits);
	if (defaults != NULL)
		load_defaults(r, defaults);
	if (errors != NULL)
		profile_errors_load(r, errors);
	if (browse != NULL && reading_kind(r, browse, NODE_SCALAR, "browse", "a URL"))
		r->profile->browse = expr_parse(r, browse->text, browse->mark, browse->quoted, EXPR_PAGE);
	if (ops != NULL)
		load_ops(r, ops);
	if (hook != NULL)
		profile_hook_load(r, hook);
}

struct ticket_profile *ticket_profile_load(const char *file, struct slice yaml, struct findings *f)
{
	static const struct mark top = {1, 1, 0};
	struct reading r = {.findings = f};
	size_t before = f->errors;
	r.doc = doc_parse(file, yaml, DOC_LIMITS, f);
	if (r.doc == NULL)
		return NULL;
	r.profile = xcalloc(1, sizeof *r.profile);
	r.profile->arena = arena_new(0);
	r.profile->concurrency = 2;
	r.profile->rate = 5;
	r.profile->title_max = 200;
	r.profile->body_max = 60000;
	if (r.doc->root != NULL && f->errors == before)
		load_profile(&r, r.doc->root);
	else if (f->errors == before)
		REFUSE(&r, "E005", top, "the file is empty; a ticket profile needs 'profile'");
	doc_free(r.doc);
	if (f->errors == before)
		return r.profile;
	ticket_profile_free(r.profile);
	return NULL;
}

void ticket_profile_free(struct ticket_profile *p)
{
	if (p == NULL)
		return;
	for (struct error_rule *e = p->errors; e != NULL; e = e->next) {
		reply_pattern_free(e->matches);
		reply_pattern_free(e->body_matches);
	}
	free(p->conf);
	free(p->secrets);
	free(p->bases);
	arena_free(p->arena);
	free(p);
}

/* ---- what others may ask */

const char *ticket_profile_name(const struct ticket_profile *p)
{
	return p->name;
}

int ticket_profile_concurrency(const struct ticket_profile *p)
{
	return p->concurrency;
}

double ticket_profile_rate(const struct ticket_profile *p)
{
	return p->rate;
}

bool ticket_profile_has(const struct ticket_profile *p, enum ticket_verb v)
{
	BUG_ON((int)v < 0 || (int)v >= VERB_COUNT);
	return p->ops[v] != NULL;
}

bool ticket_profile_writes_log(const struct ticket_profile *p)
{
	return p->local == PROFILE_LOG;
}

bool ticket_profile_writes_file(const struct ticket_profile *p)
{
	return p->local == PROFILE_FILE;
}

duration ticket_profile_settle(const struct ticket_profile *p)
{
	const struct op *find = p->ops[TICKET_FIND];
	return find != NULL && find->settle > 0 ? find->settle : SETTLE;
}

static void sum(struct buf *b, const char *s)
{
	buf_lslice(b, slice_str(s));
}

uint64_t ticket_profile_fingerprint(struct slice yaml, const struct ticket_connection *c)
{
	struct buf b = {0};
	buf_lslice(&b, yaml);
	for (size_t i = 0; i < c->n_conf; i++) {
		sum(&b, c->conf_keys[i]);
		sum(&b, c->conf_values[i]);
	}
	uint64_t h = hash_stable(buf_slice(&b));
	buf_free(&b);
	return h != 0 ? h : 1;
}

bool ticket_profile_idempotent(const struct ticket_profile *p)
{
	return p->idempotent;
}

size_t ticket_profile_conf(const struct ticket_profile *p, const char *const **names)
{
	*names = p->conf;
	return p->n_conf;
}

size_t ticket_profile_secrets(const struct ticket_profile *p, const char *const **names)
{
	*names = p->secrets;
	return p->n_secrets;
}
