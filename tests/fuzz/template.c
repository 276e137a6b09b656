/* A template is refused at a place that lies in it, or it renders; what it renders holds no value that was
 * expanded. */
#include <stdlib.h>

#include "base/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool get(void *env, struct slice path, struct slice *value)
{
	const struct slice *text = env;
	switch (path.n % 4) {
	case 0: *value = *text; return true; /* the template itself, which must not be read again */
	case 1:
		*value = SLICE("a.b\x1f"
		               "c \xc3\xa9");
		return true;
	case 2: *value = SLICE("5400"); return true;
	default: return false;
	}
}

static void check_render(const struct template *t, struct slice text, struct arena *a)
{
	struct buf out = {0};
	struct slice constant, path;
	const struct slice *paths;
	const struct filter_use *uses;
	struct error err;
	size_t n, octets = 0, places = template_paths(t, &paths);
	BUG_ON(template_render(t, get, &text, a, &out, &err) != 0);
	BUG_ON(template_constant(t, &constant) != (places == 0));
	if (places == 0)
		BUG_ON(!slice_eq(constant, buf_slice(&out)));
	BUG_ON(template_single(t, &path, &uses, &n) && places != 1);
	for (size_t i = 0; i < places; i++) {
		BUG_ON(paths[i].n == 0 || !slice_contains(text, paths[i]));
		octets += text.n * (text.n + 1) + 32; /* join may put its argument between any two */
	}
	BUG_ON(out.n > text.n + octets);
	BUG_ON(!slice_eq(template_text(t), text));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char none[] = "";
	struct slice text = slice_of(size > 0 ? (const void *)data : none, MIN(size, (size_t)2000));
	struct arena *a = arena_new(4096);
	struct template_fault fault = {0};
	struct template *t = template_parse(a, text, NULL, NULL, NULL, &fault);
	if (t != NULL)
		check_render(t, text, a);
	else
		BUG_ON(fault.code == NULL || fault.error.text[0] == '\0' ||
		       fault.at + fault.len > text.n + 1);
	arena_free(a);
	return 0;
}
