/* The words behind a verb, read by what its usage text says: "[--state S] [--strict] [--format=text|json] ID
 * [TEXT]" is the grammar itself, so help and parser cannot differ.
 *   --name           a switch            --name VALUE     an option with a value, also written --name=VALUE
 *   --name[=VALUE]   a switch that may take a value, only with '='
 *   --name=a|b       one of these words  WORD, [WORD], [WORD…]   one word, at most one, any number */
#ifndef CARILLON_CTL_ARGS_H
#define CARILLON_CTL_ARGS_H

#include "base/error.h"
#include "base/mem.h"
#include "base/slice.h"

struct args_option {
	struct slice name; /* without the dashes */
	bool takes_value, optional;
	struct slice choices; /* "text|json"; absent: any text */
	struct slice value;   /* what the usage calls it: "PATH" */
};
/* The next option of a usage text; *at begins as the text. */
bool args_usage_next(const char **at, struct args_option *o);
/* How many words may stand beside the options; *max SIZE_MAX: any number. */
void args_usage_words(const char *usage, size_t *min, size_t *max);

struct args {
	struct args_given {
		struct slice name;
		const char *value; /* NULL: a switch */
	} * given;
	size_t n_given, cap_given;
	const char **words;
	size_t n_words, cap_words;
	int argc; /* as they came, the verb's own words in front */
	char **argv;
};

/* Reads argv[from..argc) by two usage texts, the verb's and the common one. Strings are borrowed. -1 with
 * err. */
int args_parse(const char *usage, const char *common, int argc, char **argv, int from, struct args *a,
               struct error *err) MUST_CHECK;
/* Reads common options up to the first word that is none; returns its index, or -1 with err. */
int args_parse_front(const char *common, int argc, char **argv, struct args *a, struct error *err) MUST_CHECK;
void args_free(struct args *a);

bool args_flag(const struct args *a, const char *name);
const char *args_value(const struct args *a, const char *name); /* the last one; NULL if not given */
const char *args_word(const struct args *a, size_t i);          /* NULL behind the last */

#endif
