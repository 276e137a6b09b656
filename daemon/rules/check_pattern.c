/* Does one pattern of `extract` fit everything that a later one fits (W113)? The later one is read as a text
 * in which captures stand for all they may take. Certain or not told. Source: language.md sections 5, 12. */
#include "rules/check_pattern.h"

#include <stdlib.h>

#include "base/mem.h"

enum piece_kind { PIECE_CHAR, PIECE_ANY, PIECE_TEXT, PIECE_WORD, PIECE_TYPE };

struct piece {
	enum piece_kind kind;
	char c;
	struct slice type; /* PIECE_TYPE, PIECE_WORD */
};

struct shape {
	struct piece *v;
	size_t n;
};

static bool is_word_type(struct slice type)
{
	return slice_is(type, "int") || slice_is(type, "num") || slice_is(type, "ip") ||
	       slice_is(type, "mac") || slice_is(type, "host") || slice_is(type, "hex") ||
	       slice_is(type, "word");
}

/* "${name:type}" with its braces, or 0; braces of a /regex/ balance (17.14). */
static size_t capture_length(struct slice s)
{
	size_t depth = 0;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '{')
			depth++;
		else if (s.p[i] == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static struct piece capture(struct slice inner)
{
	struct slice rest = inner, name;
	struct slice type = slice_split(&rest, ':', &name) && rest.n > 0 ? rest : SLICE("word");
	if (slice_is(type, "word"))
		return (struct piece){.kind = PIECE_WORD, .type = type};
	if (slice_is(type, "text") || slice_is(type, "rest"))
		return (struct piece){.kind = PIECE_TEXT, .type = type};
	return (struct piece){.kind = PIECE_TYPE, .type = type};
}

static struct shape shape_new(struct slice text)
{
	struct shape s = {xcalloc(text.n + 1, sizeof *s.v), 0};
	while (text.n > 0) {
		size_t used = 1;
		if (slice_starts(text, SLICE("..."))) {
			s.v[s.n++] = (struct piece){.kind = PIECE_ANY};
			used = 3;
		} else if (slice_starts(text, SLICE("${")) && (used = capture_length(text)) > 0) {
			s.v[s.n++] = capture(slice_sub(text, 2, used - 3));
		} else {
			used = 1;
			s.v[s.n++] = (struct piece){.kind = PIECE_CHAR, .c = text.p[0]};
		}
		text = slice_sub(text, used, text.n);
	}
	return s;
}

/* May piece x be (a part of) what the capture takes? */
static bool takes(const struct piece *capture, const struct piece *x)
{
	if (capture->kind == PIECE_TEXT)
		return true;
	if (capture->kind == PIECE_TYPE)
		return x->kind == PIECE_TYPE && slice_eq(x->type, capture->type);
	return x->kind == PIECE_WORD || (x->kind == PIECE_TYPE && is_word_type(x->type)) ||
	       (x->kind == PIECE_CHAR && x->c != ' ' && x->c != '\t');
}

/* fits[i][k]: the pieces of a from i on fit the pieces of b from k on. Filled from the end. */
static bool covers(const struct shape *a, const struct shape *b)
{
	size_t width = b->n + 1;
	bool *fits = xcalloc((a->n + 1) * width, sizeof *fits);
	fits[a->n * width + b->n] = true;
	for (size_t i = a->n; i-- > 0;)
		for (size_t k = b->n + 1; k-- > 0;) {
			const struct piece *p = &a->v[i], *x = k < b->n ? &b->v[k] : NULL;
			bool *to = &fits[i * width + k];
			const bool *next = &fits[(i + 1) * width], *same = &fits[i * width];
			switch (p->kind) {
			case PIECE_CHAR:
				*to = x != NULL && x->kind == PIECE_CHAR && x->c == p->c && next[k + 1];
				break;
			case PIECE_ANY: *to = next[k] || (x != NULL && same[k + 1]); break;
			case PIECE_TYPE: *to = x != NULL && takes(p, x) && next[k + 1]; break;
			case PIECE_TEXT: /* at least one piece that is not empty */
				*to = x != NULL && ((x->kind != PIECE_ANY && next[k + 1]) || same[k + 1]);
				break;
			case PIECE_WORD:
				*to = x != NULL && takes(p, x) && (next[k + 1] || same[k + 1]);
				break;
			}
		}
	bool yes = fits[0];
	free(fits);
	return yes;
}

bool check_pattern_covers(struct slice a, struct slice b)
{
	if (slice_eq(a, b))
		return true;
	struct shape x = shape_new(a), y = shape_new(b);
	bool yes = covers(&x, &y);
	free(x.v);
	free(y.v);
	return yes;
}
