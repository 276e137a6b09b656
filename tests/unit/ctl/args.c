/* Usage texts as grammar, the verb table, and what is made from it. */
#include "t.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/verbs.h"

static const char common[] = "[--socket PATH] [--json] [--color=auto|always|never] [--help]";

static int parse(const char *usage, char **argv, struct args *a, struct error *err)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	*a = (struct args){0};
	return args_parse(usage, common, argc, argv, 0, a, err);
}

static void usage_is_read(void **state)
{
	(void)state;
	const char *at = "[PATH…] [--run RE] [--strict] [--format=text|json] (--event JSON|--syslog LINE)";
	static const struct {
		const char *name, *value, *choices;
	} want[] = {{"run", "RE", NULL},
	            {"strict", NULL, NULL},
	            {"format", "text|json", "text|json"},
	            {"event", "JSON", NULL},
	            {"syslog", "LINE", NULL}};
	struct args_option o;
	size_t n = 0;

	for (; args_usage_next(&at, &o); n++) {
		assert_true(n < ARRAY_LEN(want));
		assert_true(slice_is(o.name, want[n].name));
		assert_int_equal(o.takes_value, want[n].value != NULL);
		if (want[n].value != NULL)
			assert_true(slice_is(o.value, want[n].value));
		assert_int_equal(o.choices.n > 0, want[n].choices != NULL);
	}
	assert_int_equal(n, ARRAY_LEN(want));
}

static void words_are_counted(void **state)
{
	(void)state;
	static const struct {
		const char *usage;
		size_t min, max;
	} cases[] = {{"", 0, 0},
	             {"ID", 1, 1},
	             {"ID [TEXT]", 1, 2},
	             {"ID TEXT…", 2, SIZE_MAX},
	             {"[PATH…] [--run RE]", 0, SIZE_MAX},
	             {"[RULE] (--event JSON|--syslog LINE) [--rules PATH]", 0, 1},
	             {"RULE [--format=text|json]", 1, 1},
	             {"--profile NAME [--now RFC3339]", 0, 0}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t min, max;

		args_usage_words(cases[i].usage, &min, &max);
		assert_int_equal(min, cases[i].min);
		assert_int_equal(max, cases[i].max);
	}
}

static void options_and_words(void **state)
{
	(void)state;
	char *argv[] = {(char *)"a.yaml",        (char *)"--run", (char *)"x|y",      (char *)"--json",
	                (char *)"--format=json", (char *)"--",    (char *)"--strict", NULL};
	struct args a;
	struct error err;

	assert_int_equal(parse("[PATH…] [--run RE] [--strict] [--format=text|json]", argv, &a, &err), 0);
	assert_string_equal(args_value(&a, "run"), "x|y");
	assert_string_equal(args_value(&a, "format"), "json");
	assert_true(args_flag(&a, "json"));
	assert_false(args_flag(&a, "strict"));
	assert_int_equal(a.n_words, 2);
	assert_string_equal(args_word(&a, 1), "--strict");
	assert_null(args_word(&a, 2));
	args_free(&a);
}

static void wrong_usage_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *arg, *more, *says;
	} cases[] = {{"--strickt", NULL, "did you mean '--strict'?"},
	             {"--soket", "x", "did you mean '--socket'?"},
	             {"--format=xml", NULL, "takes one of text|json, not 'xml'"},
	             {"--strict=yes", NULL, "takes no value"},
	             {"--run", NULL, "needs a value (RE)"},
	             {"-x", NULL, "no option '-x'"},
	             {"one", "two", "what is 'two'?"},
	             {"--strict", NULL, "something is missing"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *one = xstrdup(cases[i].arg),
		     *two = cases[i].more != NULL ? xstrdup(cases[i].more) : NULL;
		char *argv[] = {one, two, NULL};
		struct args a;
		struct error err;

		assert_int_equal(parse("RULE [--run RE] [--strict] [--format=text|json]", argv, &a, &err),
		                 -1);
		t_has(err.text, cases[i].says);
		args_free(&a);
		free(one);
		free(two);
	}
}

static void verbs_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *words, *says;
	} cases[] = {{"map\nimport", "'map import' is not available in this version"},
	             {"silence", "'silence' needs one of add, list, show, expire, extend"},
	             {"record", "'record' needs one of start, stop, list, export"},
	             {"incident\nlist", "did you mean 'incidents list'?"},
	             {"incidents\nlst", "did you mean 'incidents list'?"},
	             {"incidents", "'incidents' needs one of list, show, ack"},
	             {"staus", "did you mean 'status'?"},
	             {"rules\nxyzzy", "'rules' has check, test"},
	             {"xyzzy", "'carillonctl help' lists all"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct outcome o = t_run(cases[i].words, 0);

		assert_int_equal(o.rc, CTL_USAGE);
		t_has(o.err, cases[i].says);
		assert_int_equal(o.out_n, 0);
		outcome_free(&o);
	}
}

static void every_verb_has_help(void **state)
{
	(void)state;
	size_t n;
	const struct verb *v = verbs_all(&n);
	struct outcome list = t_run("help", 0);

	assert_int_equal(list.rc, 0);
	for (size_t i = 0; i < n; i++) {
		char *words = xasprintf("help\n%s", v[i].name), *space = strchr(words + 5, ' ');
		struct outcome o;

		if (space != NULL)
			*space = '\n';
		o = t_run(words, 0);
		assert_int_equal(o.rc, v[i].run != NULL ? CTL_DONE : CTL_USAGE);
		if (v[i].run != NULL) {
			assert_true(strlen(v[i].help) > 5);
			t_has(o.out, v[i].usage);
			t_has(list.out, v[i].help);
		}
		outcome_free(&o);
		free(words);
	}
	outcome_free(&list);
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = xcalloc(1, 1 << 16);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
	fclose(f);
	return text;
}

static void manual_has_the_same_verbs(void **state)
{
	(void)state;
	char *page = slurp(CTL_MANUAL);
	struct outcome o = t_run("help\n--mdoc", 0);

	assert_true(o.out_n > 1000);
	if (strstr(page, o.out) == NULL)
		fail_msg("the list of verbs in carillonctl.1 is not what 'carillonctl help --mdoc' prints");
	for (const char *at = verbs_common;;) {
		struct args_option opt;
		char *line;

		if (!args_usage_next(&at, &opt))
			break;
		if (slice_is(opt.name, "url"))
			continue; /* refused by name */
		line = xasprintf("Fl Fl " SLICE_FMT, SLICE_ARG(opt.name));
		t_has(page, line);
		free(line);
	}
	outcome_free(&o);
	free(page);
}

static void completion_knows_every_verb(void **state)
{
	(void)state;
	static const char *const shells[] = {"bash", "zsh", "fish"};
	size_t n;
	const struct verb *v = verbs_all(&n);

	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		char *words = xasprintf("completion\n%s", shells[s]);
		struct outcome o = t_run(words, 0);

		assert_int_equal(o.rc, 0);
		for (size_t i = 0; i < n; i++) {
			const char *second = strchr(v[i].name, ' ');

			if (v[i].run != NULL)
				t_has(o.out, second != NULL ? second + 1 : v[i].name);
		}
		t_has(o.out, "require-tests");
		t_lacks(o.out, "import");
		outcome_free(&o);
		free(words);
	}
	struct outcome o = t_run("completion\ntcsh", 0);
	assert_int_equal(o.rc, CTL_USAGE);
	outcome_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(usage_is_read),
	                                   cmocka_unit_test(words_are_counted),
	                                   cmocka_unit_test(options_and_words),
	                                   cmocka_unit_test(wrong_usage_is_named),
	                                   cmocka_unit_test(verbs_are_found),
	                                   cmocka_unit_test(every_verb_has_help),
	                                   cmocka_unit_test(manual_has_the_same_verbs),
	                                   cmocka_unit_test(completion_knows_every_verb)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
