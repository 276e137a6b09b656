/* The formatter on any text: formatting twice is formatting once, and the file means the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/doc.h"
#include "rules/fmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool same(const struct node *a, const struct node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->n != b->n || !slice_eq(a->text, b->text))
		return false;
	const struct node *y = b->first;
	for (const struct node *x = a->first; x != NULL; x = x->next, y = y->next)
		if (!same(x, a->kind == NODE_MAP ? node_getn(b, x->key) : y))
			return false;
	return true;
}

static struct doc *parse(struct slice text)
{
	struct findings f = {0};
	struct doc *d = doc_parse("x.yaml", text, DOC_LIMITS, &f);
	if (f.errors > 0)
		abort();
	findings_clear(&f);
	return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = slice_of(data, n);
	struct buf once = {0}, twice = {0};
	struct error err;
	if (fmt_text(text, n % 2 == 1, &once, &err) == 0) {
		struct doc *x = parse(text), *y = parse(buf_slice(&once));
		if (!same(x->root, y->root))
			abort();
		if (fmt_text(buf_slice(&once), n % 2 == 1, &twice, &err) != 0 ||
		    !slice_eq(buf_slice(&once), buf_slice(&twice)))
			abort();
		doc_free(x);
		doc_free(y);
	}
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
