/* See sources.h. Knows no disk: what the bundle does not hold does not exist. */
#include <stdlib.h>

#include "rules/sources.h"

char *sources_list_path(const char *rule_file, const char *path)
{
	const char *slash = strrchr(rule_file, '/');

	if (path[0] == '/' || slash == NULL)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - rule_file), rule_file, path);
}

static struct slice read_list(void *arg, const char *rule_file, const char *path)
{
	const struct bundle *b = arg;
	char *name = sources_list_path(rule_file, path);
	const struct bundle_file *f = bundle_find(b, BUNDLE_LIST, name);

	free(name);
	return f != NULL ? f->text : SLICE_NONE;
}

struct slice sources_zone(void *arg, const char *name)
{
	const struct bundle_file *f = bundle_find(arg, BUNDLE_ZONE, name);

	return f != NULL ? f->text : SLICE_NONE;
}

struct rule_set *sources_rules(const struct bundle *b, const struct config *config, bool keep_tests, struct findings *f)
{
	struct rules_source src = {.config = config, .read = read_list, .zone = sources_zone, .arg = (void *)(uintptr_t)b, .keep_tests = keep_tests};
	struct rules_file *files = xcalloc(b->n + 1, sizeof *files);
	struct rule_set *rs;

	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i].kind != BUNDLE_RULES)
			continue;
		files[src.n++] = (struct rules_file){
			.name = b->v[i].name, .text = b->v[i].text, .pack = strncmp(b->v[i].name, "/usr/share/", 11) == 0};
	}
	src.files = files;
	rs = rule_set_load(&src, f);
	free(files);
	return rs;
}
