/* See fmt_tree.h. A walk over the tokens of block style; what is in braces or brackets is one leaf. Comments
 * are found in the gaps between tokens. */
#include "rules/fmt_tree.h"

#include <string.h>

struct walk {
	struct slice text;
	const struct yaml_token *v;
	size_t n, i; /* the next token */
	size_t pos;  /* the end of what was taken */
	struct fmt_lines pending;
	struct slice *tail; /* where a comment on this line goes; NULL: to the pending ones */
	struct arena *a;
	bool failed;
};

static void lines_add(struct walk *w, struct fmt_lines *to, struct slice text, uint32_t col)
{
	struct fmt_line *l = arena_alloc(w->a, sizeof *l);
	*l = (struct fmt_line){.text = text, .col = col};
	if (to->end == NULL)
		to->end = &to->first;
	*to->end = l;
	to->end = &l->next;
}

static struct slice cut_right(struct slice s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* The rest of the line that was begun: blanks and, it may be, a comment. */
static void rest_of_line(struct walk *w, struct slice part)
{
	part = cut_right(part);
	if (part.n == 0)
		return;
	if (w->tail != NULL && w->tail->n == 0)
		*w->tail = part;
	else
		lines_add(w, &w->pending, slice_trim(part), 0);
	w->tail = NULL;
}

/* Takes what stands between the last token and `to`. */
static void gap(struct walk *w, size_t to)
{
	if (to <= w->pos)
		return;
	struct slice rest = slice_sub(w->text, w->pos, to - w->pos), line;
	bool line_start = w->pos == 0 || w->text.p[w->pos - 1] == '\n';
	w->pos = to;
	for (bool more = true; more; line_start = true) {
		const char *end = memchr(rest.p, '\n', rest.n);
		more = end != NULL;
		line = slice_of(rest.p, more ? (size_t)(end - rest.p) : rest.n);
		struct slice text = slice_trim(line);
		if (!line_start)
			rest_of_line(w, line);
		else if (text.n > 0)
			lines_add(w, &w->pending, text, (uint32_t)(text.p - line.p));
		else if (more)
			lines_add(w, &w->pending, SLICE_NONE, 0);
		if (more) {
			w->tail = NULL;
			rest = slice_sub(rest, line.n + 1, rest.n);
		}
	}
}

static const struct yaml_token *peek(const struct walk *w)
{
	return w->i < w->n ? &w->v[w->i] : NULL;
}

static bool next_is(const struct walk *w, enum yaml_kind kind)
{
	return w->i < w->n && w->v[w->i].kind == kind;
}

static void take(struct walk *w)
{
	const struct yaml_token *t = &w->v[w->i++];
	gap(w, t->at);
	w->pos = MAX(w->pos, t->end);
}

static struct fmt_lines take_pending(struct walk *w)
{
	struct fmt_lines l = w->pending;
	w->pending = (struct fmt_lines){0};
	return l;
}

/* Pending comments that stand as deep as the block that ends are its own. */
static void take_foot(struct walk *w, struct fmt_node *block)
{
	struct fmt_line *last = NULL;
	for (struct fmt_line *l = w->pending.first; l != NULL && (l->text.n == 0 || l->col >= block->col);
	     l = l->next)
		if (l->text.n > 0)
			last = l;
	if (last == NULL)
		return;
	block->foot.first = w->pending.first;
	w->pending.first = last->next;
	if (w->pending.first == NULL)
		w->pending.end = NULL;
	last->next = NULL;
}

/* ---- leaves */

/* What follows the last line break of a block scalar is the indentation of the next token. A '+' keeps empty
 * lines. */
static void block_leaf(struct walk *w, struct fmt_node *leaf, const struct yaml_token *t)
{
	struct slice s = slice_sub(w->text, t->at, t->end - t->at), head = s;
	const char *end = memchr(s.p, '\n', s.n);
	size_t breaks = 0;
	if (end != NULL)
		head.n = (size_t)(end - s.p);
	bool keeps = memchr(head.p, '+', head.n) != NULL;
	for (;;) {
		struct slice x = cut_right(s);
		if (x.n == 0 || x.p[x.n - 1] != '\n')
			break;
		s = slice_sub(x, 0, x.n - 1);
		breaks++;
	}
	leaf->text = s;
	leaf->block = true;
	if (keeps && breaks > 0) {
		leaf->text = cut_right(slice_sub(w->text, t->at, t->end - t->at));
		leaf->text.n--;
	}
	if (!keeps && breaks > 1)
		lines_add(w, &w->pending, SLICE_NONE, 0);
	/* the gap goes on at the line break that ends it */
	w->pos = t->end;
	while (w->pos > t->at && w->text.p[w->pos - 1] == ' ')
		w->pos--;
	w->tail = NULL;
}

static void flow_leaf(struct walk *w, struct fmt_node *leaf, size_t at)
{
	size_t depth = 0;
	do {
		if (next_is(w, YAML_FLOW_OPEN))
			depth++;
		else if (next_is(w, YAML_FLOW_CLOSE))
			depth--;
		else if (w->i >= w->n || next_is(w, YAML_OTHER)) {
			w->failed = true;
			return;
		}
		w->pos = w->v[w->i++].end;
	} while (depth > 0);
	leaf->text = slice_sub(w->text, at, w->pos - at);
}

static struct fmt_node *node(struct walk *w, uint32_t col, struct fmt_entry *owner);

static void leaf(struct walk *w, struct fmt_node *x, struct fmt_entry *owner)
{
	const struct yaml_token *t = peek(w);
	struct slice between = slice_sub(w->text, w->pos, t->at - w->pos);
	if (owner->key.n > 0 && slice_trim(between).n == 0 && memchr(between.p, '\n', between.n) == NULL)
		x->blanks = between.n;
	gap(w, t->at);
	x->kind = FMT_LEAF;
	if (t->kind == YAML_FLOW_OPEN) {
		flow_leaf(w, x, t->at);
	} else {
		w->i++;
		w->pos = t->end;
		x->text = slice_sub(w->text, t->at, t->end - t->at);
	}
	w->tail = &owner->tail;
	if (t->kind == YAML_SCALAR && t->block)
		block_leaf(w, x, t);
}

/* ---- blocks */

static struct fmt_entry *entry(struct walk *w, struct fmt_node *block, struct fmt_entry ***end)
{
	struct fmt_entry *e = arena_alloc(w->a, sizeof *e);
	const struct yaml_token *t = peek(w);
	gap(w, t->at);
	*e = (struct fmt_entry){.lead = take_pending(w)};
	**end = e;
	*end = &e->next;
	block->n++;
	return e;
}

static void map_entry(struct walk *w, struct fmt_node *map, struct fmt_entry ***end)
{
	struct fmt_entry *e = entry(w, map, end);
	const struct yaml_token *key = peek(w);
	take(w);
	const struct yaml_token *name = peek(w);
	if (key->end != key->at || name == NULL || name->kind != YAML_SCALAR || name->block) {
		w->failed = true;
		return;
	}
	take(w);
	e->key = slice_sub(w->text, name->at, name->end - name->at);
	if (!next_is(w, YAML_VALUE)) {
		w->failed = true;
		return;
	}
	take(w);
	w->tail = &e->tail;
	e->value = node(w, map->col, e);
}

static void list_items(struct walk *w, struct fmt_node *list)
{
	struct fmt_entry **end = &list->first;
	while (!w->failed && next_is(w, YAML_ITEM)) {
		struct fmt_entry *e = entry(w, list, &end);
		take(w);
		w->tail = NULL;
		e->value = node(w, list->col, e);
	}
}

static void end_block(struct walk *w, struct fmt_node *x)
{
	if (!next_is(w, YAML_END)) {
		w->failed = true;
		return;
	}
	take(w);
	take_foot(w, x);
}

static struct fmt_node *node(struct walk *w, uint32_t col, struct fmt_entry *owner)
{
	struct fmt_node *x = arena_alloc(w->a, sizeof *x);
	const struct yaml_token *t = peek(w);
	*x = (struct fmt_node){.col = col};
	if (t == NULL || w->failed)
		return x;
	if (t->kind == YAML_SCALAR || t->kind == YAML_FLOW_OPEN) {
		leaf(w, x, owner);
	} else if (t->kind == YAML_MAP) {
		struct fmt_entry **end = &x->first;
		take(w);
		x->kind = FMT_MAP;
		x->col = t->col;
		while (!w->failed && next_is(w, YAML_KEY))
			map_entry(w, x, &end);
		end_block(w, x);
	} else if (t->kind == YAML_LIST || t->kind == YAML_ITEM) {
		/* a list may stand as deep as its key: then nothing says where it ends */
		x->kind = FMT_LIST;
		x->col = t->col;
		if (t->kind == YAML_LIST)
			take(w);
		list_items(w, x);
		if (t->kind == YAML_LIST)
			end_block(w, x);
	} else if (t->kind == YAML_OTHER || t->kind == YAML_DOCUMENT) {
		w->failed = true;
	}
	return x;
}

struct fmt_node *fmt_tree(struct slice text, const struct yaml_token *v, size_t n, struct arena *a,
                          struct fmt_lines *rest)
{
	struct walk w = {.text = text, .v = v, .n = n, .a = a};
	struct fmt_entry top = {0};
	if (n > 0 && v[0].kind == YAML_DOCUMENT)
		take(&w);
	struct fmt_node *root = node(&w, 0, &top);
	if (w.failed || w.i < w.n)
		return NULL;
	gap(&w, text.n);
	*rest = take_pending(&w);
	/* a file that is one scalar has no place for it */
	return top.tail.n == 0 ? root : NULL;
}
