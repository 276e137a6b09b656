/* A YAML text gives a tree whose places lie in the text, or an error that says why not. */
#include <stdlib.h>

#include "base/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = 8, NODES = 500 };

static size_t check(const struct node *x, struct slice text, size_t depth)
{
	size_t n = 0, nodes = 1;
	BUG_ON(depth > DEPTH + 1);
	BUG_ON(x->mark.line == 0 || x->mark.col == 0);
	BUG_ON(x->mark.line > text.n + 1 || x->mark.col > text.n + 1);
	BUG_ON(x->kind == NODE_SCALAR && (x->text.p == NULL || strlen(x->text.p) != x->text.n));
	BUG_ON(x->kind == NODE_SCALAR && x->first != NULL);
	for (const struct node *y = x->first; y != NULL; y = y->next, n++) {
		BUG_ON(x->kind == NODE_MAP && node_getn(x, y->key) != y);
		nodes += check(y, text, depth + 1);
	}
	BUG_ON(n != x->n);
	return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct findings f = {0};
	struct buf out = {0};
	struct doc_limits lim = {.max_bytes = 4096, .max_depth = DEPTH, .max_nodes = NODES};
	struct doc *d = doc_parse("f.yaml", slice_of(data, size), lim, &f);
	BUG_ON(d == NULL && f.errors == 0);
	BUG_ON(size > lim.max_bytes && d != NULL);
	if (d != NULL && d->root != NULL)
		BUG_ON(check(d->root, d->text, 1) > NODES);
	for (size_t i = 0; i < f.n; i++)
		BUG_ON(strcmp(f.v[i].code, "E009") != 0 && (f.v[i].mark.line == 0 || f.v[i].source == NULL));
	findings_sort(&f);
	findings_text(&f, &out);
	BUG_ON(!slice_utf8(buf_slice(&out)));
	BUG_ON(out.n > 0 && memchr(out.p, 0x1b, out.n) != NULL);
	buf_free(&out);
	findings_clear(&f);
	doc_free(d);
	return 0;
}
