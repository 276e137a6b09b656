/* Every YAML block of README, guides and manuals is loaded: as rules, as a map or as a configuration, by what
 * it holds. What a reader copies must work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "ctl/files.h"
#include "model/service_map_draft.h"
#include "rules/rule_set.h"

static size_t n_blocks;

static struct slice no_file(void *arg, const char *rule_file, const char *path)
{
	(void)arg;
	(void)rule_file;
	(void)path;
	return SLICE_NONE;
}

static bool has_key(struct slice text, const char *key)
{
	struct slice line;
	size_t n = strlen(key);
	while (text.n > 0 && slice_split(&text, '\n', &line))
		if (line.n > n && memcmp(line.p, key, n) == 0 && line.p[n] == ':')
			return true;
	return false;
}

static void load_rules_block(struct slice text, struct findings *f)
{
	struct rules_file file = {.name = "block.yaml", .text = text};
	struct rules_source src = {
	    .files = &file, .n = 1, .read = no_file, .keep_tests = true, .partial = true};
	rule_set_free(rule_set_load(&src, f));
}

static void load_map_block(struct slice text, struct findings *f)
{
	struct doc *d = doc_parse("block.yaml", text, DOC_LIMITS, f);
	struct map_draft *draft = map_draft_new();
	struct buf bytes = {0};
	if (d != NULL) {
		map_draft_yaml(draft, d, f);
		if (f->errors == 0)
			(void)!map_compile(draft, 1000, f, &bytes);
		doc_free(d);
	}
	map_draft_free(draft);
	buf_free(&bytes);
}

/* A fragment may leave out the version. */
static void load_config_block(struct slice text, struct findings *f)
{
	struct buf b = {0};
	if (!has_key(text, "version"))
		buf_str(&b, "version: 1\n");
	buf_adds(&b, text);
	struct config_file file = {"block.yaml", buf_slice(&b)};
	config_free(config_load(&file, 1, "host", f));
	buf_free(&b);
}

static void check_block(const char *file, struct slice text)
{
	static const char *const of_rules[] = {"rules", "decoders", "macros", "tests", "lists", "silences"};
	static const char *const of_config[] = {"listeners", "tickets", "packs", "admin",
	                                        "limits",    "record",  "state"};
	struct findings f = {0};
	struct buf out = {0};
	bool rules = false, config = false;
	for (size_t i = 0; i < ARRAY_LEN(of_rules); i++)
		rules = rules || has_key(text, of_rules[i]);
	for (size_t i = 0; i < ARRAY_LEN(of_config); i++)
		config = config || has_key(text, of_config[i]);
	if (has_key(text, "map"))
		config = true;
	/* profiles of ticket systems and of products have a check of their own */
	if (has_key(text, "profile"))
		return;
	if (!rules && !config && !has_key(text, "services"))
		return;
	n_blocks++;
	if (config)
		load_config_block(text, &f);
	else if (has_key(text, "services"))
		load_map_block(text, &f);
	else
		load_rules_block(text, &f);
	if (f.errors > 0) {
		findings_text(&f, &out);
		fail_msg("a block of %s does not load:\n%.*s\n%s", file, SLICE_ARG(text), buf_cstr(&out));
	}
	findings_clear(&f);
}

/* mdoc writes '-' as "\-" and a backslash as "\e". */
static void unescape(struct buf *to, struct slice line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\\' && i + 1 < line.n)
			buf_char(to, line.p[++i] == 'e' ? '\\' : line.p[i]);
		else
			buf_char(to, line.p[i]);
	}
	buf_char(to, '\n');
}

static void check_file(const char *path)
{
	struct buf text = {0}, block = {0};
	struct error err;
	bool man = strstr(path, ".md") == NULL, inside = false;
	struct slice rest, line;
	if (files_slurp(path, 1 << 20, &text, &err) != 0)
		fail_msg("%s", err.text);
	rest = buf_slice(&text);
	while (rest.n > 0 && slice_split(&rest, '\n', &line)) {
		bool begin = man ? slice_starts(line, SLICE(".Bd -literal"))
		                 : !inside && slice_starts(line, SLICE("```"));
		bool end = inside && slice_starts(line, man ? SLICE(".Ed") : SLICE("```"));
		if (end)
			check_block(path, buf_slice(&block));
		if (inside && !end)
			unescape(&block, line);
		if (begin || end) {
			inside = begin;
			buf_clear(&block);
		}
	}
	assert_false(inside);
	buf_free(&text);
	buf_free(&block);
}

static void all_blocks(void **state)
{
	static const char *const patterns[] = {"/README.md",      "/daemon/doc/*.md", "/daemon/*.8",
	                                       "/daemon/ctl/*.1", "/etc/*.5",         "/rules/*.5",
	                                       "/plugins/*.7",    "/plugins/*/*.md"};
	glob_t g = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		char *pattern = xasprintf("%s%s", CARILLON_SOURCE, patterns[i]);
		(void)glob(pattern, i > 0 ? GLOB_APPEND : 0, NULL, &g);
		free(pattern);
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_file(g.gl_pathv[i]);
	globfree(&g);
	print_message("%zu blocks\n", n_blocks);
	assert_true(n_blocks >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_blocks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
