/* Input: a pattern, a newline, a text. Whenever the pattern fits the text, all of its literals stand in it,
 * bounded as they say; and one of its branches fits, with its own literals. */
#include <stdlib.h>

#include "rules/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool stands_at(struct slice text, size_t at, const struct literal *l)
{
	struct slice piece = slice_sub(text, at, l->text.n);
	size_t end = at + l->text.n;
	bool same = l->caseless ? slice_ieq(piece, l->text) : slice_eq(piece, l->text);
	if (!same)
		return false;
	if (l->word_start && at > 0 && is_word(text.p[at - 1]))
		return false;
	return !l->word_end || end == text.n || !is_word(text.p[end]);
}

static bool stands(struct slice text, const struct literal *l)
{
	for (size_t at = 0; at + l->text.n <= text.n; at++) {
		if (stands_at(text, at, l))
			return true;
	}
	return false;
}

static bool all_stand(struct slice pattern, struct slice text)
{
	struct arena *a = arena_new(4096);
	struct literal l[16];
	bool all = true;
	size_t n = regex_literals(pattern, a, l, ARRAY_LEN(l));
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && l[i].text.n > l[i - 1].text.n)
			abort();
		all &= stands(text, &l[i]);
	}
	arena_free(a);
	return all;
}

/* What the index relies on: some branch's literals are all there. */
static void check_branches(struct slice pattern, struct slice text)
{
	struct slice b[16];
	size_t n = regex_branches(pattern, b, ARRAY_LEN(b));
	for (size_t i = 0; i < n; i++) {
		if (all_stand(b[i], text))
			return;
	}
	if (n > 0)
		abort();
}

static void check(struct slice pattern, struct slice text, bool jit)
{
	struct error err;
	struct regex *r = regex_new(pattern, (struct regex_options){.jit = jit}, &err);
	if (r == NULL) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	if (regex_match(r, text) == REGEX_YES) {
		if (!all_stand(pattern, text))
			abort();
		check_branches(pattern, text);
	}
	regex_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size), pattern;
	if (size > 4096 || !slice_split(&text, '\n', &pattern) || text.p == NULL)
		return 0;
	check(pattern, text, false);
	check(pattern, text, true);
	return 0;
}
