/* PCRE2 behind our limits: no back-references, no look-around, pattern <= 1 kB, match/depth/heap limits, JIT if allowed;
 * and the literals that every match must contain, for the index. */
#ifndef CARILLON_RULES_REGEX_H
#define CARILLON_RULES_REGEX_H

#include "base/arena.h"
#include "base/error.h"

struct regex;

struct regex_options {
	bool jit;
	bool anchored_whole; /* must fit the whole text */
	bool dotall;
};
/* NULL with err ("look-ahead '(?=' is not available, because …"). */
struct regex *regex_new(struct slice pattern, struct regex_options o, struct error *err) MUST_CHECK;
void regex_free(struct regex *r);
enum regex_result { REGEX_NO, REGEX_YES, REGEX_LIMIT }; /* LIMIT: gave up; counts as no */
enum regex_result regex_match(const struct regex *r, struct slice text);
/* Captures 1..n; absent where a group did not take part. */
enum regex_result regex_captures(const struct regex *r, struct slice text, struct slice *groups, size_t n);

/* Literals of which every match must contain all (longest first), found by a small parser; may be none. `word_start` and
 * `word_end` say that the literal is bounded by a non-word character or the end of the text on that side in every match. */
struct literal {
	struct slice text;
	bool word_start, word_end;
};
size_t regex_literals(struct slice pattern, struct arena *a, struct literal *out, size_t max);

#endif
