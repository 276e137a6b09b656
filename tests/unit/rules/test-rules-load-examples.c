/* The design's example files, when they are there (../shared/examples): those that use only what exists load
 * without a warning of a wrong kind, the others are refused with the missing key by name. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "load_help.h"

#define DIR_NAME SOURCE_ROOT "/../shared/examples"

struct example {
	const char *name;
	const char *refused[6]; /* names of keys that this version lacks; none: it loads */
};
static const struct example examples[] = {
    {"01-minimal.yaml", {0}},
    {"02-link.yaml", {0}},
    {"03-sshd.yaml", {0}},
    {"04-disk.yaml", {0}},
    {"05-heartbeat.yaml", {0}},
    {"06-webhook.yaml", {0}},
    {"07-topology.yaml", {0}},
    {"08-noise.yaml", {0}},
    {"09-flap.yaml", {0}},
    {"11-shapes.yaml", {0}},
};

static struct slice read_all(const char *path)
{
	struct buf b = {0};
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return SLICE_NONE;
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		buf_add(&b, chunk, n);
	fclose(f);
	return buf_slice(&b);
}

static bool mentions(const struct loaded *l, const char *key)
{
	char text[80];
	snprintf(text, sizeof text, "'%s' is not available in this version", key);
	for (size_t i = 0; i < l->f.n; i++)
		if (strcmp(l->f.v[i].code, "E004") == 0 && strcmp(l->f.v[i].message, text) == 0 &&
		    l->f.v[i].mark.line > 0)
			return true;
	return false;
}

static void check_example(const struct example *x)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", DIR_NAME, x->name);
	struct slice text = read_all(path);
	assert_non_null(text.p);
	struct rules_file file = {.name = x->name, .text = text};
	struct loaded l = load_files(&file, 1, NULL);
	size_t wanted = 0, lacking = count_code(&l, "E004");
	for (; wanted < ARRAY_LEN(x->refused) && x->refused[wanted] != NULL; wanted++)
		if (!mentions(&l, x->refused[wanted])) {
			print_findings(&l);
			fail_msg("%s: '%s' is not named", x->name, x->refused[wanted]);
		}
	/* nothing else may be wrong with them */
	if (l.f.errors != lacking || (l.rs == NULL) != (wanted > 0)) {
		print_findings(&l);
		fail_msg("%s: %zu errors, %zu of them missing keys", x->name, l.f.errors, lacking);
	}
	loaded_free(&l);
	free((void *)(uintptr_t)text.p);
}

static void test_examples(void **state)
{
	(void)state;
	DIR *d = opendir(DIR_NAME);
	if (d == NULL) {
		fprintf(stderr, "SKIPPED: %s is not there; the examples of the design were NOT loaded\n",
		        DIR_NAME);
		skip();
	}
	closedir(d);
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		check_example(&examples[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
