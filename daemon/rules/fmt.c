/* See fmt.h. What comes out is read again and compared with what went in: a formatter must not be trusted. */
#include "rules/fmt.h"

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "rules/fmt_tree.h"
#include "rules/schema_tree.h"

/* A key as it is known: without quotes. */
static struct slice bare(struct slice s)
{
	bool quoted = s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
	return quoted ? slice_sub(s, 1, s.n - 2) : s;
}

struct printer {
	struct buf *out;
	struct arena *a;
	size_t body; /* where the text begins in `out` */
};

/* ---- the order of keys */

/* A key that is not known stays behind the one before it. */
static void rank_entries(struct fmt_node *map, const struct schema *s)
{
	size_t before = 0;
	for (struct fmt_entry *e = map->first; e != NULL; e = e->next) {
		struct slice name = bare(e->key);
		for (size_t i = 0; s != NULL && i < s->n; i++)
			if (slice_is(name, s->keys[i].name))
				before = i + 1;
		e->rank = before;
	}
}

/* Stable, for lists as short as these. */
static void sort_entries(struct fmt_node *map)
{
	struct fmt_entry *sorted = NULL;
	for (struct fmt_entry *e = map->first, *next; e != NULL; e = next) {
		struct fmt_entry **at = &sorted;
		next = e->next;
		while (*at != NULL && (*at)->rank <= e->rank)
			at = &(*at)->next;
		e->next = *at;
		*at = e;
	}
	map->first = sorted;
}

/* ---- writing */

static void newline(struct printer *p)
{
	buf_char(p->out, '\n');
}

static void indent(struct printer *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_char(p->out, ' ');
}

/* No two empty lines in a row, none at the top, and none below the head of a block. */
static void put_lines(struct printer *p, struct fmt_lines lines, size_t depth)
{
	for (const struct fmt_line *l = lines.first; l != NULL; l = l->next) {
		bool first = p->out->n == p->body;
		char before = p->out->n >= p->body + 2 ? p->out->p[p->out->n - 2] : 'x';
		bool empty_before = before == '\n' || before == ':';
		if (l->text.n == 0) {
			if (!first && !empty_before)
				newline(p);
			continue;
		}
		indent(p, depth);
		buf_adds(p->out, l->text);
		newline(p);
	}
}

/* Empty lines at the end go. */
static void cut_lines(struct fmt_lines *lines)
{
	struct fmt_line **end = &lines->first;
	for (struct fmt_line *l = lines->first; l != NULL; l = l->next)
		if (l->text.n > 0)
			end = &l->next;
	*end = NULL;
}

static size_t leading(struct slice line)
{
	size_t n = 0;
	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

/* Lines behind the first one move with their block; in a block scalar blanks are content. */
static void put_leaf(struct printer *p, const struct fmt_node *leaf, size_t depth)
{
	struct slice rest = leaf->text;
	for (bool first = true;; first = false) {
		const char *end = rest.n > 0 ? memchr(rest.p, '\n', rest.n) : NULL;
		struct slice line = slice_of(rest.p, end != NULL ? (size_t)(end - rest.p) : rest.n);
		size_t blanks = leading(line), want = blanks;
		if (!first && blanks < line.n) {
			want = blanks + depth >= leaf->col ? blanks + depth - leaf->col : 0;
			if (!leaf->block)
				want = MAX(want, depth + 2);
		} else if (!first) {
			want = leaf->block && blanks + depth >= leaf->col ? blanks + depth - leaf->col : 0;
		}
		if (!first)
			indent(p, want);
		buf_adds(p->out, first ? line : slice_sub(line, blanks, line.n));
		if (end == NULL)
			return;
		newline(p);
		rest = slice_sub(rest, line.n + 1, rest.n);
	}
}

static void put_map(struct printer *p, struct fmt_node *map, const struct schema *s, size_t depth,
                    bool inline_first);
static void put_list(struct printer *p, struct fmt_node *list, const struct schema *s, size_t depth,
                     bool inline_first);

static void put_tail(struct printer *p, const struct fmt_entry *e)
{
	if (e->tail.n > 0 && e->tail.p[0] == '#')
		buf_char(p->out, ' ');
	buf_adds(p->out, e->tail);
}

/* A comment has no place behind the head of a block scalar, and none behind a dash. */
static void put_above(struct printer *p, struct fmt_entry *e, size_t depth)
{
	put_lines(p, e->lead, depth);
	if (e->tail.n == 0 || !e->value->block)
		return;
	indent(p, depth);
	buf_adds(p->out, slice_trim(e->tail));
	newline(p);
	e->tail = SLICE_NONE;
}

static const struct schema *below(const struct schema *s, struct slice key, bool *map_of)
{
	const struct schema_child *c = schema_child(s, bare(key));
	*map_of = c != NULL && c->shape == SCHEMA_MAP_OF;
	return c != NULL ? c->schema : NULL;
}

static void put_map_value(struct printer *p, const struct fmt_entry *e, const struct schema *s, size_t depth,
                          bool names)
{
	struct fmt_node *v = e->value;
	switch (v->kind) {
	case FMT_NONE: break;
	case FMT_LEAF:
		indent(p, MAX(v->blanks, 1));
		put_leaf(p, v, depth);
		break;
	case FMT_MAP:
		put_tail(p, e);
		newline(p);
		if (!names) {
			put_map(p, v, s, depth + 2, false);
			return;
		}
		for (struct fmt_entry *i = v->first; i != NULL; i = i->next) {
			put_above(p, i, depth + 2);
			indent(p, depth + 2);
			buf_adds(p->out, i->key);
			buf_char(p->out, ':');
			put_map_value(p, i, s, depth + 2, false);
		}
		put_lines(p, v->foot, depth + 2);
		return;
	case FMT_LIST:
		put_tail(p, e);
		newline(p);
		put_list(p, v, s, depth + 2, false);
		return;
	}
	put_tail(p, e);
	newline(p);
}

static void put_map(struct printer *p, struct fmt_node *map, const struct schema *s, size_t depth,
                    bool inline_first)
{
	rank_entries(map, s);
	sort_entries(map);
	for (struct fmt_entry *e = map->first; e != NULL; e = e->next) {
		bool names;
		const struct schema *child = below(s, e->key, &names);
		if (!inline_first) {
			put_above(p, e, depth);
			indent(p, depth);
		}
		inline_first = false;
		buf_adds(p->out, e->key);
		buf_char(p->out, ':');
		put_map_value(p, e, child, depth, names);
	}
	put_lines(p, map->foot, depth);
}

/* The comments of what will stand behind a dash go above it. */
static void put_above_item(struct printer *p, struct fmt_entry *item, const struct schema *s, size_t depth)
{
	put_above(p, item, depth);
	struct fmt_node *v = item->value;
	if (v->kind == FMT_MAP) {
		rank_entries(v, s);
		sort_entries(v);
	}
	if ((v->kind == FMT_MAP || v->kind == FMT_LIST) && v->first != NULL) {
		if (v->kind == FMT_MAP)
			put_above(p, v->first, depth);
		else
			put_above_item(p, v->first, NULL, depth);
	}
}

static void put_list(struct printer *p, struct fmt_node *list, const struct schema *s, size_t depth,
                     bool inline_first)
{
	for (struct fmt_entry *e = list->first; e != NULL; e = e->next) {
		if (!inline_first) {
			put_above_item(p, e, s, depth);
			indent(p, depth);
		}
		inline_first = false;
		buf_char(p->out, '-');
		switch (e->value->kind) {
		case FMT_NONE: break;
		case FMT_LEAF:
			buf_char(p->out, ' ');
			put_leaf(p, e->value, depth);
			break;
		case FMT_MAP:
			buf_char(p->out, ' ');
			put_map(p, e->value, s, depth + 2, true);
			continue;
		case FMT_LIST:
			buf_char(p->out, ' ');
			put_list(p, e->value, NULL, depth + 2, true);
			continue;
		}
		put_tail(p, e);
		newline(p);
	}
	put_lines(p, list->foot, depth);
}

/* ---- what went in and what comes out */

static bool same_tree(const struct node *a, const struct node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == NODE_SCALAR)
		return slice_eq(a->text, b->text) && node_null(a) == node_null(b);
	const struct node *y = b->first;
	for (const struct node *x = a->first; x != NULL; x = x->next) {
		const struct node *other = a->kind == NODE_MAP ? node_getn(b, x->key) : y;
		if (!same_tree(x, other))
			return false;
		y = y->next;
	}
	return true;
}

static struct doc *parse(struct slice text)
{
	struct findings f = {0};
	struct doc *d = doc_parse("", text, DOC_LIMITS, &f);
	if (d != NULL && f.errors > 0) {
		doc_free(d);
		d = NULL;
	}
	findings_clear(&f);
	return d;
}

static bool same_meaning(struct slice a, struct slice b)
{
	struct doc *x = parse(a), *y = parse(b);
	bool same = x != NULL && y != NULL && same_tree(x->root, y->root);
	if (x != NULL)
		doc_free(x);
	if (y != NULL)
		doc_free(y);
	return same;
}

/* How many comment signs stand outside of what the tree holds: the same before and after. */
static size_t signs(struct slice text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '#';
	return n;
}

/* ---- */

/* One kind of line breaks, no byte order mark; false where YAML has breaks of its own, or a mark inside. */
static bool normal(struct slice text, struct buf *out)
{
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_sub(text, 3, text.n);
	for (size_t i = 0; i < text.n; i++) {
		struct slice at = slice_sub(text, i, 3);
		if (slice_starts(at, SLICE("\xc2\x85")) || slice_starts(at, SLICE("\xe2\x80\xa8")) ||
		    slice_starts(at, SLICE("\xe2\x80\xa9")) || slice_starts(at, SLICE("\xef\xbb\xbf")))
			return false;
		if (text.p[i] == '\r')
			i += i + 1 < text.n && text.p[i + 1] == '\n';
		buf_char(out, text.p[i] == '\r' ? '\n' : text.p[i]);
	}
	return true;
}

/* '…' becomes "…" where nothing in it has a meaning there. */
static void quote(struct buf *b, const struct yaml_token *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *s = b->p + v[i].at;
		size_t len = v[i].end - v[i].at;
		if (v[i].kind != YAML_SCALAR || !v[i].single_quoted || len < 2 || s[0] != '\'' ||
		    s[len - 1] != '\'')
			continue;
		if (memchr(s + 1, '\'', len - 2) == NULL && memchr(s, '"', len) == NULL &&
		    memchr(s, '\\', len) == NULL)
			s[0] = s[len - 1] = '"';
	}
}

static int format(struct buf *text, bool test_file, struct arena *a, struct buf *out, struct error *err)
{
	struct printer p = {out, a, out->n};
	struct yaml_token *v;
	struct fmt_lines rest, head = {0};
	size_t n;
	if (!yaml_scan(buf_slice(text), &v, &n))
		return error_set(err, "not valid YAML; 'carillonctl rules check' says where");
	quote(text, v, n);
	struct fmt_node *root = fmt_tree(buf_slice(text), v, n, a, &rest);
	free(v);
	if (root == NULL || (root->kind != FMT_MAP && root->kind != FMT_NONE))
		return error_set(err, "only a map of keys can be formatted; '...', '? key' and tags cannot");
	/* what stands above the first key speaks of the file */
	if (root->first != NULL) {
		head = root->first->lead;
		root->first->lead = (struct fmt_lines){0};
	}
	put_lines(&p, head, 0);
	put_map(&p, root, test_file ? &schema_test_file : &schema_file, 0, false);
	cut_lines(&rest);
	put_lines(&p, rest, 0);
	return 0;
}

int fmt_text(struct slice text, bool test_file, struct buf *out, struct error *err)
{
	struct buf in = {0}, made = {0};
	struct arena *a = arena_new(0);
	int rc;
	if (!normal(text, &in))
		rc = error_set(err, "a line break that is neither LF nor CRLF, or a byte order mark inside, "
		                    "cannot be formatted");
	else if (!same_meaning(buf_slice(&in), buf_slice(&in)))
		rc = error_set(err, "not valid YAML; 'carillonctl rules check' says where");
	else
		rc = format(&in, test_file, a, &made, err);
	if (rc == 0 && (!same_meaning(text, buf_slice(&made)) || signs(text) != signs(buf_slice(&made))))
		rc = error_set(err, "it cannot be formatted without a change of meaning; it stays as it is");
	if (rc == 0)
		buf_adds(out, buf_slice(&made));
	buf_free(&in);
	buf_free(&made);
	arena_free(a);
	return rc;
}
