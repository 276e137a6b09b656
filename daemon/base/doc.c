/* Promises a tree in which every node knows its line and column, and refusals that say where and why. Must
 * not know the schema: scalars stay text. libyaml's event API; language.md section 2. */
#include "base/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/hmap.h"

enum { FEW_KEYS = 16 };

#define E003_TEXT "anchors, aliases, tags and merge keys are not used here; use 'macros', 'lists' or 'params'"

/* An open list or map. */
struct level {
	struct node *node;
	struct node **tail;
	struct hmap *keys; /* of a map with many keys */
	struct node *key;  /* the key that waits for its value */
};

struct builder {
	struct doc *doc;
	struct findings *f;
	struct doc_limits lim;
	struct mark end; /* of the text */
	struct level *levels;
	size_t depth, cap, nodes, documents;
};

static void refuse(struct builder *b, const char *code, struct mark mark, const char *fmt, ...) PRINTF(4, 5);
static void refuse(struct builder *b, const char *code, struct mark mark, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	findings_add(b->f, FINDING_ERROR, code, b->doc->file, mark, b->doc->text, "%s", n >= 0 ? text : fmt);
	free(text);
}

/* libyaml counts characters from 0, and one more line at the end of a text without a line end. */
static struct mark place(const struct builder *b, const yaml_mark_t *m, size_t len)
{
	if (m->line + 1 > b->end.line)
		return b->end;
	return (struct mark){(uint32_t)m->line + 1, (uint32_t)m->column + 1, (uint32_t)len};
}

/* A scalar over several lines is marked on its first. */
static struct mark mark_of(const struct builder *b, const yaml_event_t *e)
{
	bool is_run = e->type == YAML_SCALAR_EVENT || e->type == YAML_ALIAS_EVENT;
	return place(b, &e->start_mark, is_run ? e->end_mark.index - e->start_mark.index : 1);
}

static struct level *top(struct builder *b)
{
	return b->depth > 0 ? &b->levels[b->depth - 1] : NULL;
}

static struct node *earlier(struct level *l, struct node *x)
{
	if (l->node->n < FEW_KEYS) {
		struct node *y = l->node->first;
		while (y != NULL && !slice_eq(y->key, x->key))
			y = y->next;
		return y;
	}
	if (l->keys == NULL) {
		l->keys = hmap_new();
		for (struct node *y = l->node->first; y != NULL; y = y->next)
			hmap_put(l->keys, y->key, y);
	}
	struct node *y = hmap_get(l->keys, x->key);
	if (y == NULL)
		hmap_put(l->keys, x->key, x);
	return y;
}

/* Takes the waiting key; false if the map has it already (then the value is read but hangs nowhere). */
static bool take_key(struct builder *b, struct level *l, struct node *x)
{
	x->key = l->key->text;
	x->key_mark = l->key->mark;
	l->key = NULL;
	const struct node *first = earlier(l, x);
	if (first == NULL)
		return true;
	refuse(b, "E002", x->key_mark, "duplicate key '" SLICE_FMT "'; first at %u:%u", SLICE_ARG(x->key),
	       first->key_mark.line, first->key_mark.col);
	return false;
}

static bool attach_key(struct builder *b, struct level *l, struct node *x)
{
	if (x->kind != NODE_SCALAR) {
		refuse(b, "E007", x->mark, "expected text as a key, got %s", node_kind_name(x));
		return false;
	}
	if (!x->quoted && slice_is(x->text, "<<"))
		refuse(b, "E003", x->mark, "%s", E003_TEXT);
	l->key = x;
	return true;
}

static bool attach(struct builder *b, struct node *x)
{
	struct level *l = top(b);
	if (l == NULL) {
		BUG_ON(b->doc->root != NULL);
		b->doc->root = x;
		return true;
	}
	if (l->node->kind == NODE_MAP && l->key == NULL)
		return attach_key(b, l, x);
	if (l->node->kind == NODE_MAP && !take_key(b, l, x))
		return true;
	*l->tail = x;
	l->tail = &x->next;
	l->node->n++;
	return true;
}

static struct node *node_new(struct builder *b, enum node_kind kind, struct mark mark)
{
	if (b->nodes >= b->lim.max_nodes) {
		refuse(b, "E009", mark, "file holds more than %zu values", b->lim.max_nodes);
		return NULL;
	}
	b->nodes++;
	struct node *x = arena_alloc(b->doc->arena, sizeof *x);
	x->kind = kind;
	x->mark = mark;
	return x;
}

static void check_plain(struct builder *b, struct mark mark, const yaml_char_t *anchor,
                        const yaml_char_t *tag)
{
	if (anchor != NULL || tag != NULL)
		refuse(b, "E003", mark, "%s", E003_TEXT);
}

static bool open_level(struct builder *b, enum node_kind kind, struct mark mark, const yaml_char_t *anchor,
                       const yaml_char_t *tag)
{
	check_plain(b, mark, anchor, tag);
	if (b->depth >= b->lim.max_depth) {
		refuse(b, "E009", mark, "file is deeper than %zu levels", b->lim.max_depth);
		return false;
	}
	struct node *x = node_new(b, kind, mark);
	if (x == NULL || !attach(b, x))
		return false;
	b->levels = array_reserve(b->levels, &b->cap, b->depth + 1, sizeof *b->levels);
	b->levels[b->depth++] = (struct level){.node = x, .tail = &x->first};
	return true;
}

static void close_level(struct builder *b)
{
	BUG_ON(b->depth == 0);
	BUG_ON(b->levels[b->depth - 1].key != NULL);
	hmap_free(b->levels[--b->depth].keys);
}

static bool add_scalar(struct builder *b, const yaml_event_t *e)
{
	struct mark mark = mark_of(b, e);
	struct slice text = slice_of(e->data.scalar.value, e->data.scalar.length);
	check_plain(b, mark, e->data.scalar.anchor, e->data.scalar.tag);
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
		refuse(b, "E001", mark, "not valid YAML: NUL character in a text");
		return false;
	}
	struct node *x = node_new(b, NODE_SCALAR, mark);
	if (x == NULL)
		return false;
	x->text = arena_slice(b->doc->arena, text);
	x->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return attach(b, x);
}

/* The tree goes on with an empty text in the alias's place, so that one run reports all. */
static bool add_alias(struct builder *b, const yaml_event_t *e)
{
	struct mark mark = mark_of(b, e);
	refuse(b, "E003", mark, "%s", E003_TEXT);
	struct node *x = node_new(b, NODE_SCALAR, mark);
	if (x == NULL)
		return false;
	x->text = SLICE("");
	return attach(b, x);
}

static bool begin_document(struct builder *b, const yaml_event_t *e)
{
	if (++b->documents == 1)
		return true;
	refuse(b, "E001", mark_of(b, e),
	       "not valid YAML: a second document begins here; one file is one document");
	return false;
}

/* False: stop. */
static bool take_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT: return begin_document(b, e);
	case YAML_SCALAR_EVENT: return add_scalar(b, e);
	case YAML_ALIAS_EVENT: return add_alias(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(b, NODE_LIST, mark_of(b, e), e->data.sequence_start.anchor,
		                  e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_level(b, NODE_MAP, mark_of(b, e), e->data.mapping_start.anchor,
		                  e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: close_level(b); return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT: return true;
	}
	return true;
}

/* What libyaml says is right and helps nobody who does not know it; these are the four that people meet. */
static const struct yaml_advice {
	const char *problem, *context; /* context NULL: any */
	const char *words;
	bool begins; /* the place is where the context begins: libyaml notices lines later */
} advices[] = {
    {"could not find expected ':'", "while scanning a simple key", "no ':' and space after this key", true},
    {"found unexpected end of stream", "while scanning a quoted scalar",
     "the quote that begins here is not closed", true},
    {"mapping values are not allowed in this context", NULL,
     "mapping values are not allowed in this context; quote a value that holds ': ', or look for a missing "
     "':' above",
     false},
    {"found character that cannot start any token", NULL,
     "this character cannot begin a value; put the value in quotes", false},
};

static const struct yaml_advice *advice_for(const yaml_parser_t *p)
{
	for (size_t i = 0; p->problem != NULL && i < ARRAY_LEN(advices); i++)
		if (strcmp(p->problem, advices[i].problem) == 0 &&
		    (advices[i].context == NULL ||
		     (p->context != NULL && strcmp(p->context, advices[i].context) == 0)))
			return &advices[i];
	return NULL;
}

/* Whether a tab stands at the place; what is before it in its line are blanks or the place is not found. */
static bool is_tab(struct slice text, const yaml_mark_t *m)
{
	size_t at = 0;

	for (size_t line = 0; line < m->line; line++) {
		const char *end = memchr(text.p + at, '\n', text.n - at);
		if (end == NULL)
			return false;
		at = (size_t)(end - text.p) + 1;
	}
	return m->column < text.n - at && text.p[at + m->column] == '\t';
}

static void report_problem(struct builder *b, const yaml_parser_t *p)
{
	struct mark m = place(b, &p->problem_mark, 1);
	const char *problem = p->problem != NULL ? p->problem : "out of memory";
	const struct yaml_advice *advice = advice_for(p);

	/* not UTF-8, or a control character: comes with an octet offset */
	if (p->error == YAML_READER_ERROR)
		m = mark_at(b->doc->text, p->problem_offset);
	if (advice != NULL && advice->begins)
		m = place(b, &p->context_mark, 1);
	if (advice != NULL && is_tab(b->doc->text, &p->problem_mark))
		refuse(b, "E001", m, "not valid YAML: a tab where only spaces may stand; indent with spaces");
	else if (advice != NULL)
		refuse(b, "E001", m, "not valid YAML: %s", advice->words);
	else if (p->context != NULL)
		refuse(b, "E001", m, "not valid YAML: %s (%s)", problem, p->context);
	else
		refuse(b, "E001", m, "not valid YAML: %s", problem);
}

static bool read_events(struct builder *b)
{
	yaml_parser_t p;
	bool more = true, ok = true;
	if (yaml_parser_initialize(&p) == 0)
		bug_stop("yaml_parser_initialize", __FILE__, __LINE__);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)b->doc->text.p, b->doc->text.n);
	while (more && ok) {
		yaml_event_t e;
		if (yaml_parser_parse(&p, &e) == 0) {
			report_problem(b, &p);
			ok = false;
			break;
		}
		ok = take_event(b, &e);
		more = e.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	return ok;
}

static bool size_ok(struct builder *b, size_t n)
{
	size_t max = b->lim.max_bytes;
	if (n <= max)
		return true;
	if (max % (1 << 20) == 0)
		refuse(b, "E009", (struct mark){0}, "file is larger than %zu MiB", max >> 20);
	else
		refuse(b, "E009", (struct mark){0}, "file is larger than %zu octets", max);
	return false;
}

struct doc *doc_parse(const char *file, struct slice text, struct doc_limits lim, struct findings *f)
{
	struct doc *d = xcalloc(1, sizeof *d);
	struct builder b = {.doc = d, .f = f, .lim = lim};
	d->file = xstrdup(file);
	if (!size_ok(&b, text.n)) {
		doc_free(d);
		return NULL;
	}
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_sub(text, 3, text.n); /* a BOM is no column */
	d->arena = arena_new(0);
	d->text = (struct slice){arena_str(d->arena, text), text.n};
	b.end = mark_at(d->text, text.n);
	bool ok = read_events(&b);
	while (b.depth > 0)
		hmap_free(b.levels[--b.depth].keys);
	free(b.levels);
	if (!ok) {
		doc_free(d);
		return NULL;
	}
	return d;
}

void doc_free(struct doc *d)
{
	if (d == NULL)
		return;
	arena_free(d->arena);
	free(d->file);
	free(d);
}

const struct node *node_getn(const struct node *map, struct slice key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (const struct node *x = map->first; x != NULL; x = x->next)
		if (slice_eq(x->key, key))
			return x;
	return NULL;
}

const struct node *node_get(const struct node *map, const char *key)
{
	return node_getn(map, slice_str(key));
}

bool node_null(const struct node *n)
{
	if (n == NULL)
		return true;
	if (n->kind != NODE_SCALAR || n->quoted)
		return false;
	return n->text.n == 0 || slice_is(n->text, "~") || slice_is(n->text, "null");
}

const char *node_kind_name(const struct node *n)
{
	if (n == NULL)
		return "nothing";
	switch (n->kind) {
	case NODE_SCALAR: return "text";
	case NODE_LIST: return "a list";
	case NODE_MAP: return "a map";
	}
	return "nothing";
}

void doc_finding(const struct doc *d, struct findings *f, enum finding_level level, const char *code,
                 struct mark mark, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	findings_add(f, level, code, d->file, mark, d->text, "%s", n >= 0 ? text : fmt);
	free(text);
}
