/* Promises that a text is refused at load if it could put a secret, or a value from an event, where it does
 * not belong. Must not know how values are found: value.c does. */
#include "plugins/tickets/expr.h"

#include <stdio.h>

#include "plugins/tickets/reading.h"

enum { TEXT_MAX = 16384 };

static const char *const incident_names[] = {
    "id",      "dedup_key", "label", "labels",    "title",   "body",  "priority", "impact",
    "urgency", "severity",  "root",  "services",  "service", "ci",    "class",    "tags",
    "assign",  "alerts",    "count", "json", "opened_at", "url",     "state",
};
static const char *const other_names[] = {"ticket.id", "ticket.version", "note.text", "parent.id", "cursor"};
static const char *const page_names[] = {"page.token", "page.number", "page.offset"};

static bool name_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-'))
			return false;
	}
	return s.n > 0 && s.n <= 63;
}

static bool behind(struct slice s, struct slice prefix, struct slice *rest)
{
	if (!slice_starts(s, prefix))
		return false;
	*rest = slice_sub(s, prefix.n, s.n);
	return true;
}

static bool is_conf(struct slice path)
{
	return slice_starts(path, SLICE("conf."));
}

static bool is_session(struct slice path)
{
	return slice_starts(path, SLICE("session."));
}

static bool is_secret(struct slice path)
{
	return slice_starts(path, SLICE("secret."));
}

static bool listed(struct slice path, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(path, names[i]))
			return true;
	return false;
}

/* A name that an earlier step takes from its answer. */
static bool step_known(const struct op *steps, struct slice name)
{
	for (; steps != NULL; steps = steps->next)
		if (op_extracts(steps, name) != NULL)
			return true;
	return false;
}

static bool known(struct slice path, void *arg)
{
	const struct reading *r = arg;
	struct slice rest;
	if (behind(path, SLICE("step."), &rest))
		return step_known(r->steps, rest);
	if (behind(path, SLICE("session."), &rest))
		return r->profile->login != NULL && op_extracts(r->profile->login, rest) != NULL;
	if (listed(path, page_names, ARRAY_LEN(page_names)))
		return r->paging;
	if (behind(path, SLICE("conf."), &rest) || behind(path, SLICE("secret."), &rest) ||
	    behind(path, SLICE("incident.fields."), &rest))
		return name_ok(rest);
	if (behind(path, SLICE("incident."), &rest))
		return listed(rest, incident_names, ARRAY_LEN(incident_names));
	return listed(path, other_names, ARRAY_LEN(other_names));
}

/* ---- cutting a text into its parts */

/* The octet behind the '}' of the expression that begins at `at`; the text has been read by template_parse
 * before. */
static size_t expression_end(struct slice s, size_t at)
{
	enum { NAME, ARG_START, ARG, QUOTED } in = NAME;
	for (size_t i = at + 2; i < s.n; i++) {
		char c = s.p[i];
		if (in == QUOTED) {
			if (c == '\'' && i + 1 < s.n && s.p[i + 1] == '\'')
				i++;
			else if (c == '\'')
				in = ARG;
		} else if (c == '}') {
			return i + 1;
		} else if (c == '|') {
			in = NAME;
		} else if (in == NAME && c == ':') {
			in = ARG_START;
		} else if (in == ARG_START && c != ' ') {
			in = c == '\'' ? QUOTED : ARG;
		}
	}
	BUG_ON(true);
	return s.n;
}

static size_t literal_end(struct slice s, size_t at)
{
	size_t i = at;
	while (i < s.n && !(s.p[i] == '$' && i + 1 < s.n && s.p[i + 1] == '{'))
		i += s.p[i] == '$' && i + 1 < s.n && s.p[i + 1] == '$' ? 2 : 1;
	return i;
}

static bool next_part(struct arena *a, struct slice s, size_t *at, struct expr_part *part)
{
	struct template_fault fault;
	BUG_ON(*at >= s.n);
	bool expression = slice_starts(slice_sub(s, *at, 2), SLICE("${"));
	size_t end = expression ? expression_end(s, *at) : literal_end(s, *at);
	struct template *t =
	    template_parse(a, slice_sub(s, *at, end - *at), NULL, NULL, expr_filters(), &fault);
	*at = end;
	if (DOUBT(t == NULL))
		return false;
	*part = (struct expr_part){0};
	return expression ? template_single(t, &part->path, &part->uses, &part->n_uses)
	                  : template_constant(t, &part->literal);
}

static struct expr *cut(struct arena *a, struct slice s)
{
	struct expr *e = arena_alloc(a, sizeof *e);
	size_t cap = 0;
	for (size_t at = 0; at < s.n; e->n++) {
		if (e->n == cap) {
			cap = MAX(cap * 2, (size_t)4);
			struct expr_part *v = arena_array(a, cap, sizeof *v);
			if (e->n > 0)
				memcpy(v, e->parts, e->n * sizeof *v);
			e->parts = v;
		}
		if (!next_part(a, s, &at, &e->parts[e->n]))
			return NULL;
	}
	return e;
}

/* ---- what may stand where */

static bool has_filter(const struct expr_part *p, const char *name)
{
	for (size_t i = 0; i < p->n_uses; i++)
		if (strcmp(p->uses[i].filter->name, name) == 0)
			return true;
	return false;
}

static bool ends_with(const struct expr_part *p, const char *const *names, size_t n)
{
	for (size_t i = 0; p->n_uses > 0 && i < n; i++)
		if (strcmp(p->uses[p->n_uses - 1].filter->name, names[i]) == 0)
			return true;
	return false;
}

static const char *secret_fault(const struct expr *e, enum expr_where where)
{
	if (where == EXPR_AUTH || where == EXPR_LOGIN || where == EXPR_HOOK)
		return NULL;
	if (where != EXPR_BODY)
		return "a secret may stand in 'auth' only, or as a whole leaf of a body";
	return e->n == 1 && e->parts[0].n_uses == 0
	           ? NULL
	           : "a secret in a body must be the whole leaf, without text or filters around it";
}

/* The base is a value of the connection that ticket_connection_check has looked at; nothing else forms the
 * authority. */
static const char *url_fault(const struct expr *e, size_t i)
{
	static const char *const safe[] = {"path", "int"};
	const struct expr_part *p = &e->parts[i];
	BUG_ON(i >= e->n || p->literal.p != NULL);
	if (i == 0) {
		struct slice next = e->n > 1 ? e->parts[1].literal : SLICE("/");
		if (!is_conf(p->path) || p->n_uses > 0)
			return "a URL begins with the base from conf, such as ${conf.base}";
		if (next.n == 0 || next.p[0] != '/')
			return "behind the base a URL goes on with '/': no template may form scheme, host or "
			       "port";
		return NULL;
	}
	return ends_with(p, safe, ARRAY_LEN(safe))
	           ? NULL
	           : "a value in a URL must pass the filter 'path' or 'int' last";
}

static const char *literal_fault(const struct expr *e, size_t i, enum expr_where where)
{
	struct slice s = e->parts[i].literal;
	if (where != EXPR_URL && where != EXPR_PAGE)
		return NULL;
	BUG_ON(s.p == NULL);
	if (i == 0)
		return "a URL begins with the base from conf, such as ${conf.base}";
	for (size_t k = 0; k < s.n; k++) {
		unsigned char c = (unsigned char)s.p[k];
		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL ||
		    (c == '#' && where == EXPR_URL))
			return "this character does not belong into a URL; percent-encode it";
		if (c == '?' && where == EXPR_URL)
			return "put the query into 'query:', where its values are encoded";
	}
	return NULL;
}

/* What the ticket system itself said may stand alone where it is encoded anyway; in the midst of a query it
 * is quoted like everything else. */
static bool from_there(const struct expr *e, const struct expr_part *p)
{
	return e->n == 1 && (slice_starts(p->path, SLICE("page.")) || slice_starts(p->path, SLICE("step.")) ||
	                     slice_is(p->path, "cursor") || slice_is(p->path, "ticket.id"));
}

static const char *part_fault(const struct expr *e, size_t i, enum expr_where where)
{
	static const char *const languages[] = {"tql",  "jql", "snq",  "oql",     "nowild",
	                                        "word", "int", "hash", "rfc3339", "date"};
	static const char *const tree[] = {"adf"};
	const struct expr_part *p = &e->parts[i];
	if (p->literal.p != NULL)
		return literal_fault(e, i, where);
	if (is_secret(p->path))
		return secret_fault(e, where);
	if (is_session(p->path) && where != EXPR_AUTH)
		return "session.* may stand in 'auth' only";
	if (has_filter(p, "keep") && where != EXPR_BODY)
		return "the filter 'keep' belongs to leaves of a body";
	if (has_filter(p, "adf") && (where != EXPR_BODY || e->n > 1 || !ends_with(p, tree, 1)))
		return "the filter 'adf' makes a document: it is the last one of a whole leaf of a body";
	switch (where) {
	case EXPR_AUTH:
	case EXPR_LOGIN:
		return is_conf(p->path) || is_session(p->path)
		           ? NULL
		           : "'auth' may use conf.*, secret.* and session.* only";
	case EXPR_HOOK: return "the secret of a webhook is ${secret.NAME}";
	case EXPR_PATH:
		return is_conf(p->path) || slice_is(p->path, "incident.label") ||
		               slice_is(p->path, "incident.dedup_key")
		           ? NULL
		           : "a path may use conf.*, incident.label and incident.dedup_key only";
	case EXPR_KEY: return is_conf(p->path) ? NULL : "a name may use conf.* only";
	case EXPR_URL:
	case EXPR_PAGE: return url_fault(e, i);
	case EXPR_QUERY:
		if (is_conf(p->path) || from_there(e, p) || ends_with(p, languages, ARRAY_LEN(languages)))
			return NULL;
		return "a value from an event in a search must pass that language's filter last: tql, jql, "
		       "snq, oql, nowild, word, hash, int, rfc3339 or date";
	case EXPR_HEADER:
	case EXPR_BODY:
	case EXPR_CHECK: return NULL;
	}
	BUG_ON(true);
	return NULL;
}

/* ---- names that a connection must provide */

static void remember(struct reading *r, const char ***v, size_t *n, size_t *cap, struct slice name)
{
	for (size_t i = 0; i < *n; i++)
		if (slice_is(name, (*v)[i]))
			return;
	*v = array_reserve(*v, cap, *n + 1, sizeof **v);
	(*v)[(*n)++] = reading_word(r, name);
}

void expr_need_conf(struct reading *r, struct slice name)
{
	remember(r, &r->profile->conf, &r->profile->n_conf, &r->profile->cap_conf, name);
}

static void collect(struct reading *r, const struct expr *e, enum expr_where where)
{
	struct ticket_profile *p = r->profile;
	struct slice name;
	for (size_t i = 0; i < e->n; i++) {
		const struct expr_part *part = &e->parts[i];
		if (behind(part->path, SLICE("secret."), &name) && where != EXPR_HOOK)
			remember(r, &p->secrets, &p->n_secrets, &p->cap_secrets, name);
		if (!behind(part->path, SLICE("conf."), &name))
			continue;
		if (!has_filter(part, "default"))
			remember(r, &p->conf, &p->n_conf, &p->cap_conf, name);
		if (i == 0 && (where == EXPR_URL || where == EXPR_PAGE))
			remember(r, &p->bases, &p->n_bases, &p->cap_bases, name);
	}
}

/* ---- */

static void unknown_name(struct reading *r, struct mark mark, struct slice text,
                         const struct template_fault *fault)
{
	char full[ARRAY_LEN(incident_names)][32];
	const char *names[ARRAY_LEN(incident_names) + ARRAY_LEN(other_names)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(incident_names); i++) {
		snprintf(full[i], sizeof full[i], "incident.%s", incident_names[i]);
		names[n++] = full[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(other_names); i++)
		names[n++] = other_names[i];
	struct slice word = slice_sub(text, fault->at, fault->len);
	const char *near = suggest(word, names, n);
	if (near != NULL)
		REFUSE(r, "E061", mark, "unknown field '" SLICE_FMT "' in template; did you mean '%s'?",
		       SLICE_ARG(word), near);
	else
		REFUSE(r, "E061", mark,
		       "unknown field '" SLICE_FMT "' in template; available here: conf.*, secret.*, "
		       "incident.*, ticket.*, parent.id, note.text, "
		       "cursor, step.* behind a step that extracts it, page.* with 'page', session.* with a "
		       "login",
		       SLICE_ARG(word));
}

static bool filters_ok(struct reading *r, const struct expr *e, struct mark mark)
{
	struct error err;
	for (size_t i = 0; i < e->n; i++)
		for (size_t k = 0; k < e->parts[i].n_uses; k++)
			if (!expr_filter_arg_ok(r->profile, &e->parts[i].uses[k], &err)) {
				REFUSE(r, "E007", mark, "%s", err.text);
				return false;
			}
	return true;
}

const struct expr *expr_parse(struct reading *r, struct slice text, struct mark mark, bool quoted,
                              enum expr_where where)
{
	struct template_fault fault;
	struct arena *a = r->profile->arena;
	if (text.n > TEXT_MAX) {
		REFUSE(r, "E009", mark, "this text is longer than %d octets", TEXT_MAX);
		return NULL;
	}
	struct slice kept = reading_keep(r, text);
	if (template_parse(a, kept, known, r, expr_filters(), &fault) == NULL) {
		mark.col += (uint32_t)fault.at + (quoted ? 1 : 0);
		mark.len = (uint32_t)fault.len;
		if (strcmp(fault.code, "E061") == 0)
			unknown_name(r, mark, kept, &fault);
		else
			REFUSE(r, fault.code, mark, "%s", fault.error.text);
		return NULL;
	}
	const struct expr *e = cut(a, kept);
	if (DOUBT(e == NULL) || !filters_ok(r, e, mark))
		return NULL;
	for (size_t i = 0; i < e->n; i++) {
		const char *why = part_fault(e, i, where);
		if (why == NULL)
			continue;
		REFUSE(r, "E011", mark, "%s", why);
		return NULL;
	}
	collect(r, e, where);
	return e;
}

bool expr_constant(const struct expr *e, struct slice *text)
{
	if (e->n > 1 || (e->n == 1 && e->parts[0].literal.p == NULL))
		return false;
	*text = e->n == 1 ? e->parts[0].literal : SLICE("");
	return true;
}

bool expr_uses(const struct expr *e, struct slice path)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->parts[i].literal.p == NULL && slice_eq(e->parts[i].path, path))
			return true;
	return false;
}
