/* See tree.h. */
#include "ctl/tree.h"

#include <stdlib.h>

struct tree_line {
	size_t first, last, next; /* children, sibling; TREE_TOP: none */
	char *name, *word, *note;
	enum show_colour colour;
};

struct tree {
	struct tree_line *v;
	size_t n, cap, first, last;
};

struct tree *tree_new(void)
{
	struct tree *t = xcalloc(1, sizeof *t);

	t->first = t->last = TREE_TOP;
	return t;
}

size_t tree_add(struct tree *t, size_t parent, struct slice name, enum show_colour colour, struct slice word,
                struct slice note)
{
	size_t at = t->n;

	BUG_ON(parent != TREE_TOP && parent >= t->n);
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = (struct tree_line){.first = TREE_TOP,
	                                  .last = TREE_TOP,
	                                  .next = TREE_TOP,
	                                  .name = slice_dup(name),
	                                  .word = slice_dup(word),
	                                  .note = slice_dup(note),
	                                  .colour = colour};
	size_t *first = parent == TREE_TOP ? &t->first : &t->v[parent].first;
	size_t *last = parent == TREE_TOP ? &t->last : &t->v[parent].last;

	if (*first == TREE_TOP)
		*first = at;
	else
		t->v[*last].next = at;
	*last = at;
	return at;
}

static void line(const struct ctl *c, const struct tree_line *l)
{
	show_text(c, SHOW_PLAIN, slice_str(l->name));
	if (l->word != NULL && l->word[0] != '\0') {
		fputs("  ", c->out);
		show_text(c, l->colour, slice_str(l->word));
	}
	if (l->note != NULL && l->note[0] != '\0') {
		fputs("  ", c->out);
		show_text(c, SHOW_DIM, slice_str(l->note));
	}
	fputc('\n', c->out);
}

/* Everything under `at`; `prefix` holds the branches that go on to the left of it. A tree is as deep as its
 * lines are many at most: no stack of calls. */
static void print(const struct ctl *c, const struct tree *t, struct buf *prefix)
{
	size_t *stack = xcalloc(t->n + 1, sizeof *stack), *width = xcalloc(t->n + 1, sizeof *width),
	       depth = 0;

	for (size_t at = t->first; at != TREE_TOP;) {
		const struct tree_line *l = &t->v[at];

		fputs("  ", c->out);
		fwrite(prefix->p != NULL ? prefix->p : "", 1, prefix->n, c->out);
		if (depth > 0)
			fputs(l->next != TREE_TOP ? "├─ " : "└─ ", c->out);
		line(c, l);
		if (l->first != TREE_TOP) {
			width[depth] = prefix->n;
			stack[depth] = at;
			if (depth++ > 0)
				buf_str(prefix, l->next != TREE_TOP ? "│  " : "   ");
			at = l->first;
			continue;
		}
		for (at = l->next; at == TREE_TOP && depth > 0; at = t->v[stack[depth]].next) {
			depth--;
			prefix->n = width[depth];
		}
	}
	free(stack);
	free(width);
}

void tree_print(const struct ctl *c, struct tree *t)
{
	struct buf prefix = {0};

	print(c, t, &prefix);
	buf_free(&prefix);
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		free(t->v[i].word);
		free(t->v[i].note);
	}
	free(t->v);
	free(t);
}
