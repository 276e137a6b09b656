/* Promises that a value is looked up once and written with its type by a JSON writer: nothing in it is ever
 * read again as a template. Must not know requests. */
#include <stdlib.h>

#include "plugins/tickets/profile.h"
#include "plugins/tickets/session.h"

enum { LIST_MARK = '\x1f' };

/* ---- lookup */

static struct slice conf_value(const struct ticket_connection *c, struct slice name)
{
	for (size_t i = 0; i < c->n_conf; i++)
		if (slice_is(name, c->conf_keys[i]))
			return slice_str(c->conf_values[i]);
	return SLICE_NONE;
}

static int secret_value(const struct ticket_connection *c, struct slice name, struct slice *out,
                        struct error *err)
{
	for (size_t i = 0; i < c->n_secrets; i++)
		if (slice_is(name, c->secret_keys[i]))
			*out = slice_trim(c->secret_values[i]);
	if (out->n > 0)
		return 0;
	return error_set(err,
	                 "the secret '" SLICE_FMT "' is not there or empty; see tickets in carillon.yaml",
	                 SLICE_ARG(name));
}

/* C0 and C1 control characters, and the characters that reorder text (U+200E U+200F U+202A..E U+2066..9). */
static bool deceives(struct slice c)
{
	const unsigned char *u = (const unsigned char *)c.p;
	if (c.n == 1)
		return u[0] < ' ' || u[0] == 0x7f;
	if (c.n == 2)
		return u[0] == 0xc2 && u[1] < 0xa0;
	if (c.n != 3 || u[0] != 0xe2)
		return false;
	return (u[1] == 0x80 && (u[2] == 0x8e || u[2] == 0x8f || (u[2] >= 0xaa && u[2] <= 0xae))) ||
	       (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9);
}

/* The first `max` characters without what would deceive a reader or break a database; a title is one line. */
static struct slice bounded(struct arena *a, struct slice s, int64_t max, bool title)
{
	struct buf b = {0};
	for (size_t i = 0; i < s.n && max > 0;) {
		struct slice c = slice_sub(s, i, MAX(slice_char(s, i), (size_t)1));
		i += c.n;
		bool bad = deceives(c) && (title || !slice_contains(SLICE("\n\t"), c));
		if (bad && (b.n == 0 || b.p[b.n - 1] == ' ' || slice_is(c, "\r")))
			continue;
		buf_adds(&b, bad ? SLICE(" ") : c);
		max--;
	}
	struct slice out = arena_slice(a, b.n > 0 ? buf_slice(&b) : SLICE(""));
	buf_free(&b);
	return title ? slice_trim(out) : out;
}

static struct json *text_node(struct arena *a, struct slice s)
{
	struct json *j = arena_alloc(a, sizeof *j);
	*j = (struct json){.kind = JSON_STRING, .text = s.p != NULL ? s : SLICE("")};
	return j;
}

static const struct json *fact(const struct render *r, struct slice path)
{
	const struct ticket_profile *p = r->connection->profile;
	const struct json *j = json_path(r->facts, path);
	if (slice_is(path, "ticket.id") && r->ticket.n > 0)
		return text_node(r->arena, r->ticket);
	if (slice_is(path, "ticket.version"))
		return text_node(r->arena, r->version);
	if (j == NULL || j->kind != JSON_STRING)
		return j;
	if (slice_is(path, "incident.title"))
		return text_node(r->arena, bounded(r->arena, j->text, p->title_max, true));
	return text_node(r->arena, bounded(r->arena, j->text, p->body_max, false));
}

static struct slice number_text(const struct render *r, int64_t n)
{
	return n > 0 ? slice_str(arena_printf(r->arena, "%lld", (long long)n)) : SLICE_NONE;
}

/* What the talk knows, other than the facts. */
static bool talk_value(const struct render *r, struct slice path, struct slice *out)
{
	if (slice_starts(path, SLICE("step.")))
		*out = values_get(r->steps, slice_sub(path, 5, path.n));
	else if (slice_starts(path, SLICE("session.")))
		*out = session_get(r->session, slice_sub(path, 8, path.n));
	else if (slice_is(path, "page.token"))
		*out = r->page_token;
	else if (slice_is(path, "page.number"))
		*out = number_text(r, r->page_number);
	else if (slice_is(path, "page.offset"))
		*out = number_text(r, r->page_offset);
	else
		return false;
	return true;
}

struct slice values_get(const struct values *v, struct slice name)
{
	while (v != NULL && !slice_eq(v->name, name))
		v = v->next;
	return v != NULL ? v->value : SLICE_NONE;
}

/* NULL if there is none. */
static int look_up(const struct render *r, struct slice path, const struct json **out, struct error *err)
{
	struct slice v = SLICE_NONE;
	*out = NULL;
	if (slice_starts(path, SLICE("secret."))) {
		if (secret_value(r->connection, slice_sub(path, 7, path.n), &v, err) != 0)
			return -1;
	} else if (slice_starts(path, SLICE("conf."))) {
		v = conf_value(r->connection, slice_sub(path, 5, path.n));
	} else if (!talk_value(r, path, &v)) {
		*out = fact(r, path);
		return 0;
	}
	if (v.p != NULL)
		*out = text_node(r->arena, v);
	return 0;
}

/* The text that filters see; the mark between the items of a list must not come from a value. */
static struct slice plain_text(struct arena *a, const struct json *j)
{
	struct slice s = json_text(j);
	if (s.n == 0 || memchr(s.p, LIST_MARK, s.n) == NULL)
		return s;
	char *copy = arena_str(a, s);
	for (size_t i = 0; i < s.n; i++)
		copy[i] = copy[i] == LIST_MARK ? ' ' : copy[i];
	return slice_of(copy, s.n);
}

static struct slice list_text(struct arena *a, const struct json *j)
{
	struct buf b = {0};
	for (const struct json *x = j->first; x != NULL; x = x->next) {
		buf_adds(&b, plain_text(a, x));
		if (x->next != NULL || j->n == 1)
			buf_char(&b, LIST_MARK);
	}
	struct slice out = b.n > 0 ? arena_slice(a, buf_slice(&b)) : SLICE_NONE;
	buf_free(&b);
	return out;
}

/* ---- one expression */

static int filtered(const struct expr_part *p, struct render *r, const struct json *node, struct slice *v,
                    struct error *err)
{
	*v =
	    node != NULL && node->kind == JSON_ARRAY ? list_text(r->arena, node) : plain_text(r->arena, node);
	r->plain = node != NULL && (node->kind == JSON_NUMBER || node->kind == JSON_BOOL);
	r->keep = r->tree = false;
	r->path = p->path;
	for (size_t i = 0; i < p->n_uses; i++)
		if (p->uses[i].filter->apply(&p->uses[i], v, r->arena, r, err) != 0)
			return -1;
	return 0;
}

int expr_text(const struct expr *e, struct render *r, struct buf *out, struct error *err)
{
	const struct json *node;
	struct slice v;
	for (size_t i = 0; i < e->n; i++) {
		if (e->parts[i].literal.p != NULL) {
			buf_adds(out, e->parts[i].literal);
			continue;
		}
		if (look_up(r, e->parts[i].path, &node, err) != 0 ||
		    filtered(&e->parts[i], r, node, &v, err) != 0)
			return -1;
		for (size_t k = 0; k < v.n; k++)
			if (v.p[k] != LIST_MARK || k + 1 < v.n)
				buf_char(out, v.p[k] == LIST_MARK ? ',' : v.p[k]);
	}
	return 0;
}

struct json *value_plain(struct arena *a, struct slice text)
{
	struct error err;
	if (text.n == 0 || text.n > 64 || strchr("-0123456789tf", text.p[0]) == NULL)
		return NULL;
	struct json *j = json_parse(a, text, JSON_LIMITS, NULL, &err);
	return j != NULL && (j->kind == JSON_NUMBER || j->kind == JSON_BOOL) ? j : NULL;
}

static struct json *typed(struct render *r, struct slice v)
{
	struct json *plain = r->plain ? value_plain(r->arena, v) : NULL;
	struct json *j = plain != NULL ? plain : text_node(r->arena, v), **tail = &j->first;
	struct slice item;
	if (plain == NULL && memchr(v.p, LIST_MARK, v.n) != NULL) {
		*j = (struct json){.kind = JSON_ARRAY};
		for (struct slice rest = v; slice_split(&rest, LIST_MARK, &item);) {
			if (item.n > 0) {
				*tail = text_node(r->arena, item);
				tail = &(*tail)->next;
				j->n++;
			}
			if (rest.p == NULL)
				break;
		}
	}
	return j;
}

static bool is_empty(const struct json *j)
{
	if (j == NULL)
		return true;
	switch (j->kind) {
	case JSON_NULL: return true;
	case JSON_BOOL:
	case JSON_NUMBER: return false;
	case JSON_STRING: return j->text.n == 0;
	case JSON_ARRAY:
	case JSON_OBJECT: return j->n == 0;
	}
	BUG_ON(true);
	return true;
}

static struct json *copy_node(struct arena *a, const struct json *j)
{
	struct json *c = arena_alloc(a, sizeof *c);
	*c = *j;
	c->next = NULL;
	c->key = SLICE_NONE;
	return c;
}

static struct json *or_null(struct render *r, struct json *j)
{
	struct json *null = NULL;
	if (!is_empty(j))
		return j;
	if (r->keep) {
		null = arena_alloc(r->arena, sizeof *null);
		*null = (struct json){.kind = JSON_NULL};
	}
	return null;
}

static int single_value(const struct expr_part *p, struct render *r, struct json **out, struct error *err)
{
	const struct json *node;
	struct slice v;
	if (look_up(r, p->path, &node, err) != 0 || filtered(p, r, node, &v, err) != 0)
		return -1;
	if (r->tree && v.n > 0)
		*out = json_parse(r->arena, v, JSON_LIMITS, NULL, err);
	else if (p->n_uses == 0)
		*out = node != NULL && !is_empty(node) ? copy_node(r->arena, node) : NULL;
	else
		*out = or_null(r, v.n > 0 ? typed(r, v) : NULL);
	return r->tree && v.n > 0 && *out == NULL ? -1 : 0;
}

int expr_value(const struct expr *e, struct render *r, struct json **out, struct error *err)
{
	struct buf b = {0};
	if (e->n == 1 && e->parts[0].literal.p == NULL)
		return single_value(&e->parts[0], r, out, err);
	int rc = expr_text(e, r, &b, err);
	*out = rc == 0 && b.n > 0 ? text_node(r->arena, arena_slice(r->arena, buf_slice(&b))) : NULL;
	buf_free(&b);
	return rc;
}

/* ---- bodies */

static int leaf_value(const struct tree *t, struct render *r, struct json **out, struct error *err)
{
	BUG_ON((t->leaf != NULL) == (t->plain != NULL));
	if (t->leaf != NULL)
		return expr_value(t->leaf, r, out, err);
	*out = copy_node(r->arena, t->plain);
	return 0;
}

static int member_key(const struct tree *t, struct render *r, struct slice *key, struct error *err)
{
	struct buf b = {0};
	int rc = t->key != NULL ? expr_text(t->key, r, &b, err) : 0;
	*key = b.n > 0 ? arena_slice(r->arena, buf_slice(&b)) : SLICE_NONE;
	buf_free(&b);
	return rc;
}

int tree_value(const struct tree *t, struct render *r, struct json **out, struct error *err)
{
	if (t->kind == TREE_LEAF)
		return leaf_value(t, r, out, err);
	struct json *j = arena_alloc(r->arena, sizeof *j), **tail = &j->first, *value;
	BUG_ON(t->leaf != NULL || t->plain != NULL);
	*j = (struct json){.kind = t->kind == TREE_MAP ? JSON_OBJECT : JSON_ARRAY};
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct slice key;
		if (member_key(m, r, &key, err) != 0 || tree_value(m, r, &value, err) != 0)
			return -1;
		if (value == NULL || (t->kind == TREE_MAP && key.n == 0))
			continue;
		value->key = key;
		*tail = value;
		tail = &value->next;
		j->n++;
	}
	/* what is written as empty in the profile stays, what became empty goes */
	*out = j->n > 0 || t->first == NULL ? j : NULL;
	return 0;
}
