/* See args.h. Knows no verb and writes nothing. */
#include "ctl/args.h"

#include <stdio.h>
#include <stdlib.h>

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static struct slice run_of(const char *p, const char *stop)
{
	return slice_of(p, strcspn(p, stop));
}

bool args_usage_next(const char **at, struct args_option *o)
{
	const char *p = strstr(*at, "--");
	size_t n = 0;

	if (p == NULL)
		return false;
	p += 2;
	while (name_char(p[n]))
		n++;
	BUG_ON(n == 0);
	*o = (struct args_option){.name = slice_of(p, n)};
	p += n;
	if (p[0] == '[' && p[1] == '=') {
		o->takes_value = o->optional = true;
		o->value = run_of(p + 2, "]");
		p += 3 + o->value.n;
	} else if (*p == '=') {
		o->takes_value = true;
		o->choices = o->value = run_of(p + 1, " ])");
		p += 1 + o->choices.n;
	} else if (*p == ' ' && p[1] >= 'A' && p[1] <= 'Z') {
		o->takes_value = true;
		o->value = run_of(p + 1, " ])|");
		p += 1 + o->value.n;
	}
	*at = p;
	return true;
}

void args_usage_words(const char *usage, size_t *min, size_t *max)
{
	int depth = 0;
	bool behind_option = false;
	struct slice word;

	*min = *max = 0;
	for (const char *p = usage; *p != '\0'; p += word.n) {
		word = run_of(p, " []()|");
		if (word.n == 0) {
			depth += (*p == '[') - (*p == ']');
			behind_option = behind_option && *p == ' ';
			p++;
			continue;
		}
		if (!behind_option && *p >= 'A' && *p <= 'Z') {
			*min += depth == 0;
			if (slice_contains(word, SLICE("…")))
				*max = SIZE_MAX;
			else if (*max != SIZE_MAX)
				++*max;
		}
		behind_option = *p == '-' && memchr(word.p, '=', word.n) == NULL;
	}
}

/* ---- what was given */

static bool find_option(const char *usage, struct slice name, struct args_option *o)
{
	for (const char *at = usage; args_usage_next(&at, o);)
		if (slice_eq(o->name, name))
			return true;
	return false;
}

static bool chosen(struct slice choices, const char *value)
{
	struct slice one;

	while (slice_split(&choices, '|', &one)) {
		if (slice_is(one, value))
			return true;
		if (choices.n == 0)
			break;
	}
	return false;
}

static const char *nearest(const char *usage, const char *common, struct slice name, char out[64])
{
	char names[64][64];
	const char *list[64], *hit;
	size_t n = 0;
	struct args_option o;

	for (int i = 0; i < 2; i++)
		for (const char *at = i == 0 ? usage : common;
		     n < ARRAY_LEN(list) && args_usage_next(&at, &o); n++) {
			snprintf(names[n], sizeof names[n], SLICE_FMT, SLICE_ARG(o.name));
			list[n] = names[n];
		}
	hit = suggest(name, list, n);
	if (hit == NULL)
		return "";
	snprintf(out, 64, "; did you mean '--%.40s'?", hit);
	return out;
}

static void give(struct args *a, struct slice name, const char *value)
{
	a->given = array_reserve(a->given, &a->cap_given, a->n_given + 1, sizeof *a->given);
	a->given[a->n_given++] = (struct args_given){name, value};
}

/* One option at argv[*i]; *i is then its last word. */
static int option(const char *usage, const char *common, int argc, char **argv, int *i, struct args *a,
                  struct error *err)
{
	const char *word = argv[*i], *eq, *value = NULL;
	struct args_option o;
	struct slice name;
	char hint[64];

	if (strcmp(word, "-c") == 0)
		word = "--config";
	else if (strcmp(word, "-h") == 0)
		word = "--help";
	if (word[1] != '-')
		return error_set(err, "there is no option '%s'", word);
	eq = strchr(word, '=');
	name = eq != NULL ? slice_of(word + 2, (size_t)(eq - word) - 2) : slice_str(word + 2);
	if (!find_option(usage, name, &o) && !find_option(common, name, &o))
		return error_set(err, "there is no option '--" SLICE_FMT "' here%s", SLICE_ARG(name),
		                 nearest(usage, common, name, hint));
	if (!o.takes_value && eq != NULL)
		return error_set(err, "'--" SLICE_FMT "' takes no value", SLICE_ARG(name));
	if (o.takes_value && !o.optional && eq == NULL && *i + 1 >= argc)
		return error_set(err, "'--" SLICE_FMT "' needs a value (" SLICE_FMT ")", SLICE_ARG(name),
		                 SLICE_ARG(o.value));
	if (o.takes_value && (eq != NULL || !o.optional))
		value = eq != NULL ? eq + 1 : argv[++*i];
	if (o.choices.n > 0 && !chosen(o.choices, value))
		return error_set(err, "'--" SLICE_FMT "' takes one of " SLICE_FMT ", not '%s'",
		                 SLICE_ARG(name), SLICE_ARG(o.choices), value);
	give(a, o.name, value);
	return 0;
}

int args_parse(const char *usage, const char *common, int argc, char **argv, int from, struct args *a,
               struct error *err)
{
	bool only_words = false;
	size_t min, max;

	a->argc = argc;
	a->argv = argv;
	for (int i = from; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (option(usage, common, argc, argv, &i, a, err) != 0)
				return -1;
		} else {
			a->words = array_reserve(a->words, &a->cap_words, a->n_words + 1, sizeof *a->words);
			a->words[a->n_words++] = argv[i];
		}
	}
	args_usage_words(usage, &min, &max);
	if (args_flag(a, "help"))
		return 0;
	if (a->n_words < min)
		return error_set(err, "something is missing");
	if (a->n_words > max)
		return error_set(err, "what is '%s'?", a->words[max]);
	return 0;
}

int args_parse_front(const char *common, int argc, char **argv, struct args *a, struct error *err)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++)
		if (option("", common, argc, argv, &i, a, err) != 0)
			return -1;
	return i;
}

void args_free(struct args *a)
{
	free(a->given);
	free(a->words);
	*a = (struct args){0};
}

bool args_flag(const struct args *a, const char *name)
{
	for (size_t i = 0; i < a->n_given; i++)
		if (slice_is(a->given[i].name, name))
			return true;
	return false;
}

const char *args_value(const struct args *a, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < a->n_given; i++)
		if (slice_is(a->given[i].name, name))
			value = a->given[i].value;
	return value;
}

const char *args_word(const struct args *a, size_t i)
{
	return i < a->n_words ? a->words[i] : NULL;
}
