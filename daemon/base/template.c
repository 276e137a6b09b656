/* Promises that a template is read once, completely checked, and that a value is never expanded again. Must
 * not know fields: the caller says which paths exist and what they hold. language.md section 8. */
#include "base/template.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/filter.h"

enum { NAMES_MAX = 64 };

struct part {
	struct slice literal; /* absent: an expression */
	struct slice path;
	struct filter_use *uses;
	size_t n_uses;
	struct part *next;
};

struct template
{
	struct slice text;
	struct part *parts;
	struct slice *paths;
	size_t n_parts, n_paths;
	struct slice constant; /* absent if there is an expression */
};

struct parser {
	struct arena *arena;
	struct slice text;
	size_t at;
	bool (*known)(struct slice path, void *arg);
	void *arg;
	const struct filter *more;
	struct template_fault *fault;
};

static bool refuse(struct parser *p, const char *code, size_t from, const char *fmt, ...) PRINTF(4, 5);
static bool refuse(struct parser *p, const char *code, size_t from, const char *fmt, ...)
{
	char text[sizeof p->fault->error.text];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (p->fault != NULL) {
		size_t len = MAX(p->at, from + 1) - from;
		*p->fault = (struct template_fault){.at = from, .len = len, .code = code};
		error_set(&p->fault->error, "%s", text);
	}
	return false;
}

static int peek(const struct parser *p)
{
	return p->at < p->text.n ? (unsigned char)p->text.p[p->at] : -1;
}

static int peek_token(struct parser *p)
{
	while (peek(p) == ' ')
		p->at++;
	return peek(p);
}

/* Everything up to a character of `stop`, a space or a control character. */
static struct slice word(struct parser *p, const char *stop)
{
	size_t from = p->at;
	for (int c; (c = peek(p)) > ' ' && strchr(stop, c) == NULL;)
		p->at++;
	return slice_sub(p->text, from, p->at - from);
}

static const struct filter *filter_find(const struct parser *p, struct slice name)
{
	size_t n;
	for (const struct filter *f = p->more; f != NULL && f->name != NULL; f++)
		if (slice_is(name, f->name))
			return f;
	const struct filter *common = template_filters(&n);
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, common[i].name))
			return &common[i];
	return NULL;
}

static bool unknown_filter(struct parser *p, struct slice name, size_t from)
{
	const char *names[NAMES_MAX];
	size_t n, k = 0;
	const struct filter *common = template_filters(&n);
	for (size_t i = 0; i < n && k < NAMES_MAX; i++)
		names[k++] = common[i].name;
	for (const struct filter *f = p->more; f != NULL && f->name != NULL && k < NAMES_MAX; f++)
		names[k++] = f->name;
	const char *near = suggest(name, names, k);
	if (near != NULL)
		return refuse(p, "E062", from, "unknown filter '" SLICE_FMT "'; did you mean '%s'?",
		              SLICE_ARG(name), near);
	return refuse(p, "E062", from, "unknown filter '" SLICE_FMT "'", SLICE_ARG(name));
}

/* '...' with '' for one quote; behind it only the end of the filter. */
static bool quoted_arg(struct parser *p, struct slice *arg)
{
	size_t from = p->at++, n = 0;
	char *to = arena_alloc(p->arena, p->text.n - from);
	for (int c; (c = peek(p)) >= 0; to[n++] = (char)c, p->at++) {
		if (c != '\'')
			continue;
		p->at++;
		if (peek(p) != '\'')
			break;
	}
	if (peek(p) < 0 || strchr("|}", peek_token(p)) == NULL)
		return refuse(p, "E007", from, "a quoted argument ends with ' and then '|' or '}'");
	*arg = (struct slice){to, n};
	return true;
}

static bool read_arg(struct parser *p, struct slice *arg)
{
	size_t from = p->at;
	if (peek_token(p) == '\'')
		return quoted_arg(p, arg);
	for (int c; (c = peek(p)) >= 0 && c != '|' && c != '}';)
		p->at++;
	*arg = slice_trim(slice_sub(p->text, from, p->at - from));
	return true;
}

static bool check_arg(struct parser *p, const struct filter_use *use, size_t from)
{
	const struct filter *f = use->filter;
	if (use->arg.p != NULL && !f->takes_arg)
		return refuse(p, "E007", from, "filter '%s' takes no argument", f->name);
	if (use->arg.p == NULL && f->needs_arg)
		return refuse(p, "E007", from, "filter '%s' needs an argument: '%s:...'", f->name, f->name);
	struct error err;
	if (!filter_arg_ok(use, &err))
		return refuse(p, "E007", from, "%s", err.text);
	return true;
}

/* Behind the bar. */
static bool read_filter(struct parser *p, struct filter_use *use)
{
	peek_token(p);
	size_t from = p->at;
	struct slice name = word(p, "|:}{$'");
	if (name.n == 0)
		return refuse(p, "E007", from, "expected the name of a filter behind '|'");
	use->filter = filter_find(p, name);
	if (use->filter == NULL)
		return unknown_filter(p, name, from);
	if (peek_token(p) == ':') {
		p->at++;
		if (!read_arg(p, &use->arg))
			return false;
	}
	return check_arg(p, use, from);
}

static void add_use(struct parser *p, struct part *part, size_t *cap, struct filter_use use)
{
	if (part->n_uses == *cap) {
		*cap = MAX(*cap * 2, (size_t)4);
		struct filter_use *v = arena_array(p->arena, *cap, sizeof *v);
		if (part->n_uses > 0)
			memcpy(v, part->uses, part->n_uses * sizeof *v);
		part->uses = v;
	}
	part->uses[part->n_uses++] = use;
}

/* Behind "${" at `from`. */
static bool expression(struct parser *p, struct part *part, size_t from)
{
	size_t cap = 0;
	peek_token(p);
	size_t name_at = p->at;
	part->path = word(p, "|}{$'");
	if (part->path.n == 0)
		return refuse(p, "E007", from, "expected a field name behind '${'");
	if (p->known != NULL && !p->known(part->path, p->arg))
		return refuse(p, "E061", name_at, "unknown field '" SLICE_FMT "' in template",
		              SLICE_ARG(part->path));
	while (peek_token(p) == '|') {
		struct filter_use use = {0};
		p->at++;
		if (!read_filter(p, &use))
			return false;
		add_use(p, part, &cap, use);
	}
	if (peek(p) != '}')
		return refuse(p, "E007", from,
		              "'${' has no matching '}'; write '$$' for a dollar sign before '{'");
	p->at++;
	return true;
}

/* Text up to the next expression; "$$" ends it with one dollar sign in it. */
static struct slice literal(struct parser *p)
{
	size_t from = p->at;
	for (int c; (c = peek(p)) >= 0; p->at++) {
		if (c != '$' || p->at + 1 >= p->text.n)
			continue;
		char next = p->text.p[p->at + 1];
		if (next == '{')
			break;
		if (next == '$') {
			p->at += 2;
			return slice_sub(p->text, from, p->at - 1 - from);
		}
	}
	return slice_sub(p->text, from, p->at - from);
}

static bool read_part(struct parser *p, struct part *part)
{
	if (!slice_starts(slice_sub(p->text, p->at, 2), SLICE("${"))) {
		part->literal = literal(p);
		return true;
	}
	size_t from = p->at;
	p->at += 2;
	return expression(p, part, from);
}

static void finish(struct template *t, struct arena *a)
{
	size_t octets = 0, k = 0;
	for (const struct part *x = t->parts; x != NULL; x = x->next) {
		octets += x->literal.n;
		t->n_paths += x->literal.p == NULL;
	}
	t->paths = arena_array(a, t->n_paths, sizeof *t->paths);
	for (const struct part *x = t->parts; x != NULL; x = x->next)
		if (x->literal.p == NULL)
			t->paths[k++] = x->path;
	if (t->n_paths > 0)
		return;
	char *to = arena_alloc(a, octets + 1);
	t->constant = (struct slice){to, octets};
	for (const struct part *x = t->parts; x != NULL; x = x->next) {
		memcpy(to, x->literal.p, x->literal.n);
		to += x->literal.n;
	}
}

struct template *template_parse(struct arena *a, struct slice text,
                                bool (*known)(struct slice path, void *arg), void *arg,
                                const struct filter *more, struct template_fault *fault)
{
	struct template *t = arena_alloc(a, sizeof *t);
	struct part **tail = &t->parts;
	t->text = text.p != NULL ? arena_slice(a, text) : SLICE("");
	struct parser p = {
	    .arena = a, .text = t->text, .known = known, .arg = arg, .more = more, .fault = fault};
	while (p.at < p.text.n) {
		struct part *x = arena_alloc(a, sizeof *x);
		if (!read_part(&p, x))
			return NULL;
		*tail = x;
		tail = &x->next;
		t->n_parts++;
	}
	finish(t, a);
	return t;
}

int template_render(const struct template *t, template_lookup get, void *env, struct arena *scratch,
                    struct buf *out, struct error *err)
{
	for (const struct part *x = t->parts; x != NULL; x = x->next) {
		struct slice v = x->literal;
		if (v.p == NULL && !get(env, x->path, &v))
			v = SLICE_NONE;
		for (size_t i = 0; i < x->n_uses; i++)
			if (x->uses[i].filter->apply(&x->uses[i], &v, scratch, env, err) != 0)
				return -1;
		buf_adds(out, v);
	}
	return 0;
}

bool template_constant(const struct template *t, struct slice *text)
{
	if (t->constant.p == NULL)
		return false;
	if (text != NULL)
		*text = t->constant;
	return true;
}

bool template_single(const struct template *t, struct slice *path, const struct filter_use **uses, size_t *n)
{
	if (t->n_parts != 1 || t->n_paths != 1)
		return false;
	if (path != NULL)
		*path = t->parts->path;
	if (uses != NULL)
		*uses = t->parts->uses;
	if (n != NULL)
		*n = t->parts->n_uses;
	return true;
}

size_t template_paths(const struct template *t, const struct slice **paths)
{
	if (paths != NULL)
		*paths = t->paths;
	return t->n_paths;
}

struct slice template_text(const struct template *t)
{
	return t->text;
}
