/* Whatever the JSON reader takes, the writer writes so that the reader takes it again, unchanged. */
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t check(const struct json *j, const struct json_limits *lim, size_t depth)
{
	size_t n = 0, nodes = 1;
	BUG_ON(depth > lim->max_depth + 1);
	BUG_ON(j->kind == JSON_STRING && !slice_utf8(j->text));
	for (const struct json *x = j->first; x != NULL; x = x->next, n++) {
		BUG_ON(j->kind == JSON_OBJECT && json_getn(j, x->key) != x);
		nodes += check(x, lim, depth + 1);
	}
	BUG_ON(n != j->n);
	return nodes;
}

static void write_tree(const struct json *j, struct buf *out)
{
	struct jw w = jw_new(out);
	jw_tree(&w, j);
	BUG_ON(w.depth != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_limits lim = {.max_depth = 16, .max_nodes = 5000};
	struct arena *a = arena_new(4096);
	struct buf once = {0}, twice = {0};
	struct slice text = slice_of(data, size);
	struct error err = {{0}};
	size_t at = SIZE_MAX;
	struct json *j = json_parse(a, text, lim, &at, &err);
	BUG_ON(at > size);
	BUG_ON((j == NULL) != (err.text[0] != '\0'));
	if (j != NULL) {
		BUG_ON(at != size);
		BUG_ON(check(j, &lim, 1) > lim.max_nodes);
		write_tree(j, &once);
		struct json *again = json_parse(a, buf_slice(&once), lim, NULL, &err);
		BUG_ON(again == NULL);
		write_tree(again, &twice);
		BUG_ON(!slice_eq(buf_slice(&once), buf_slice(&twice)));
		BUG_ON(json_path_valid(text, NULL) && json_path(j, text) == j);
	}
	if (!json_path_valid(text, NULL))
		BUG_ON(json_path(j, text) != NULL);
	buf_free(&once);
	buf_free(&twice);
	arena_free(a);
	return 0;
}
