/* Input: a pattern of the `extract` language, a newline, a text. A refused pattern says where and why;
 * captures of one that fits lie inside of the text in order of their names, and numbers and addresses are
 * what they claim to be. */
#include <stdlib.h>

#include "model/address.h"
#include "rules/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fault(const struct pattern_fault *f, struct slice pattern)
{
	if (f->code[0] != 'E' || f->error.text[0] == '\0' || f->at > pattern.n || f->len > pattern.n - f->at)
		abort();
}

static void check_capture(struct slice c, enum value_type type, struct slice text)
{
	struct address address;
	if (c.p == NULL)
		return;
	if (c.p < text.p || c.n > text.n || c.p > text.p + text.n - c.n)
		abort();
	if (type == VALUE_IP && !address_parse(c, &address))
		abort();
	if (type == VALUE_NUMBER && (c.n == 0 || memchr(c.p, ' ', c.n) != NULL))
		abort();
}

static void check_match(const struct pattern *p, struct slice text)
{
	struct slice captures[32];
	const struct slice *names;
	const enum value_type *types;
	size_t n = pattern_captures(p, &names, &types);
	if (n > ARRAY_LEN(captures))
		abort();
	if (!pattern_match(p, text, captures))
		return;
	for (size_t i = 0; i < n; i++) {
		if (!field_valid(names[i]))
			abort();
		check_capture(captures[i], types[i], text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size), pattern;
	if (size > 4096 || !slice_split(&text, '\n', &pattern) || text.p == NULL)
		return 0;
	struct arena *a = arena_new(4096);
	struct pattern_fault fault;
	struct pattern *p = pattern_new(a, pattern, false, &fault);
	if (p == NULL)
		check_fault(&fault, pattern);
	else
		check_match(p, text);
	pattern_close(p);
	arena_free(a);
	return 0;
}
