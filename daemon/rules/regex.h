/* PCRE2 behind our limits: no back-references, no look-around, pattern <= 1 kB, match/depth/heap limits, JIT if allowed;
 * and the literals that every match must contain, for the index.
 * Texts are octets: a pattern of ASCII only is run octet by octet, so that damaged UTF-8 cannot hide a text from it. A
 * pattern that names other characters is run over UTF-8, where a damaged octet fits nothing. */
#ifndef CARILLON_RULES_REGEX_H
#define CARILLON_RULES_REGEX_H

#include "base/arena.h"
#include "base/error.h"

struct regex;

enum { REGEX_PATTERN_MAX = 1024 };

struct regex_options {
	bool jit;
	bool anchored_whole; /* must fit the whole text */
	bool dotall;
	bool only_named;     /* plain ( ) do not capture */
	bool octets;         /* never UTF-8, whatever the pattern holds */
	size_t max;          /* octets of the pattern; 0: REGEX_PATTERN_MAX */
};
/* NULL with err ("look-ahead '(?=' is not available, because …"). */
struct regex *regex_new(struct slice pattern, struct regex_options o, struct error *err) MUST_CHECK;
void regex_free(struct regex *r);
enum regex_result { REGEX_NO, REGEX_YES, REGEX_LIMIT }; /* LIMIT: gave up; counts as no */
enum regex_result regex_match(const struct regex *r, struct slice text);
/* Captures 1..n; absent where a group did not take part. */
enum regex_result regex_captures(const struct regex *r, struct slice text, struct slice *groups, size_t n);
size_t regex_groups(const struct regex *r);      /* capture groups of the pattern */
size_t regex_named_groups(const struct regex *r);
bool regex_is_utf(const struct regex *r);

/* Literals of which every match must contain all (longest first), found by a small parser; may be none. `word_start` and
 * `word_end` say that the literal is bounded by a non-word character or the end of the text on that side in every match
 * (a word character is one of [A-Za-z0-9_]). `caseless`: in any mixture of ASCII upper and lower case. */
struct literal {
	struct slice text;
	bool word_start, word_end, caseless;
};
size_t regex_literals(struct slice pattern, struct arena *a, struct literal *out, size_t max);
/* The alternatives of "a|b" at the top level, of which a match fits one: 1 if there is no '|' there, 0 if there are more
 * than `max` or the pattern cannot be cut safely. The slices borrow from the pattern. */
size_t regex_branches(struct slice pattern, struct slice *out, size_t max);

#endif
