/* See load.h. */
#include "ctl/load.h"

#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/files.h"
#include "rules/sources.h"

#define MAP_FILE_MAX (256u << 20)

bool load_config(const struct ctl *c, struct load *l)
{
	*l = (struct load){0};
	l->config = files_read_config(c->config_path, &l->bundle, &l->f);
	l->configured = l->bundle.n > 0;
	return l->config != NULL;
}

/* ---- what a rule file refers to in its folder */

static struct slice package_of(const struct bundle_file *f)
{
	struct findings ignored = {0};
	struct doc *doc = doc_parse(f->name, f->text, DOC_LIMITS, &ignored);
	const struct node *n = doc != NULL ? node_get(doc->root, "package") : NULL;
	const char *slash = strrchr(f->name, '/'), *base = slash != NULL ? slash + 1 : f->name;
	struct slice name = slice_of(base, strcspn(base, "."));

	while (name.n > 0 && ((name.p[0] >= '0' && name.p[0] <= '9') || name.p[0] == '-'))
		name = slice_sub(name, 1, SIZE_MAX);
	if (n != NULL && n->kind == NODE_SCALAR)
		name = n->text;
	name = slice_str(slice_dup(name));
	findings_clear(&ignored);
	if (doc != NULL)
		doc_free(doc);
	return name;
}

static bool is_id(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
		      (i > 0 && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))))
			return false;
	return s.n > 0 && s.n <= 63;
}

/* Does a scalar of the tree name package/something? */
static bool mentions(const struct node *n, struct slice package)
{
	for (; n != NULL; n = n->next) {
		struct slice rest = n->text, first;

		if (n->kind != NODE_SCALAR
		        ? mentions(n->first, package)
		        : slice_contains(n->text, SLICE("/")) && slice_split(&rest, '/', &first) &&
		              slice_eq(first, package) && is_id(rest))
			return true;
	}
	return false;
}

static bool any_mentions(const struct bundle *b, struct slice package)
{
	bool yes = false;

	for (size_t i = 0; i < b->n && !yes; i++) {
		struct findings ignored = {0};
		struct doc *doc = b->v[i].kind == BUNDLE_RULES
		                      ? doc_parse(b->v[i].name, b->v[i].text, DOC_LIMITS, &ignored)
		                      : NULL;

		yes = doc != NULL && doc->root != NULL && mentions(doc->root->first, package);
		findings_clear(&ignored);
		if (doc != NULL)
			doc_free(doc);
	}
	return yes;
}

static bool has_package(const struct bundle *b, struct slice package)
{
	bool yes = false;

	for (size_t i = 0; i < b->n && !yes; i++) {
		struct slice p = b->v[i].kind == BUNDLE_RULES ? package_of(&b->v[i]) : SLICE_NONE;

		yes = p.p != NULL && slice_eq(p, package);
		free((void *)(uintptr_t)p.p);
	}
	return yes;
}

/* A neighbour whose package is named and not there yet comes along. True if the bundle has grown. */
static bool try_neighbour(struct bundle *b, const char *path, struct findings *f)
{
	struct bundle one = {0};
	struct findings own = {0};
	struct slice package = SLICE_NONE;
	bool grown = false;

	files_add_rules(&one, path, &own);
	if (one.n > 0)
		package = package_of(&one.v[0]);
	if (package.n > 0 && !has_package(b, package) && any_mentions(b, package)) {
		files_add_rules(b, path, f);
		grown = true;
	}
	free((void *)(uintptr_t)package.p);
	bundle_free(&one);
	findings_clear(&own);
	return grown;
}

static bool refers(const struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == BUNDLE_RULES && memchr(b->v[i].text.p, '/', b->v[i].text.n) != NULL)
			return true;
	return false;
}

static void add_referred(struct bundle *b, const char *path, struct findings *f)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash != NULL ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	struct dirent **v = NULL;
	int n = refers(b) ? scandir(dir[0] != '\0' ? dir : "/", &v, NULL, alphasort) : 0;
	bool grown = true;

	/* what came along may refer further */
	for (int round = 0; grown && round < 32; round++) {
		grown = false;
		for (int i = 0; i < n; i++) {
			struct slice name = slice_str(v[i]->d_name);
			char *file =
			    slash != NULL ? xasprintf("%s/%s", dir, v[i]->d_name) : xstrdup(v[i]->d_name);

			if (name.p[0] != '.' && slice_ends(name, SLICE(".yaml")) &&
			    !slice_ends(name, SLICE(".test.yaml")) &&
			    bundle_find(b, BUNDLE_RULES, file) == NULL)
				grown = try_neighbour(b, file, f) || grown;
			free(file);
		}
	}
	for (int i = 0; i < n; i++)
		free(v[i]);
	free(v);
	free(dir);
}

/* ---- rules */

static struct slice read_list(void *arg, const char *rule_file, const char *path)
{
	const struct bundle *b = arg;
	char *name = sources_list_path(rule_file, path);
	const struct bundle_file *f = bundle_find(b, BUNDLE_LIST, name);

	free(name);
	return f != NULL ? f->text : SLICE_NONE;
}

static void compile(struct load *l, struct bundle *b, bool partial, bool keep_tests)
{
	struct rules_file *files = xcalloc(b->n + 1, sizeof *files);
	struct rules_source src = {.files = files,
	                           .config = l->configured || !partial ? l->config : NULL,
	                           .read = read_list,
	                           .zone = sources_zone,
	                           .arg = b,
	                           .keep_tests = keep_tests,
	                           .partial = partial};

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == BUNDLE_RULES)
			files[src.n++] =
			    (struct rules_file){.name = b->v[i].name,
			                        .text = b->v[i].text,
			                        .pack = strncmp(b->v[i].name, "/usr/share/", 11) == 0};
	l->rules = rule_set_load_counted(&src, &l->f, &l->counts);
	free(files);
}

static void add_path(struct load *l, const char *path)
{
	struct stat st;

	files_add_rules(&l->rule_files, path, &l->f);
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		add_referred(&l->rule_files, path, &l->f);
}

/* A shell hands on what no file fits: a check of nothing must not pass. */
static void add_glob(struct load *l, const char *pattern)
{
	glob_t g;
	bool found = glob(pattern, 0, NULL, &g) == 0;

	if (!found)
		findings_add(&l->f, FINDING_ERROR, "E091", pattern, (struct mark){0, 0, 0}, SLICE_NONE,
		             "no files match '%s'", pattern);
	for (size_t i = 0; found && i < g.gl_pathc; i++)
		add_path(l, g.gl_pathv[i]);
	globfree(&g);
}

bool load_rules(const struct ctl *c, struct load *l, const char *const *paths, size_t n, bool keep_tests)
{

	if (n == 0) {
		*l = (struct load){0};
		l->config = files_read(c->config_path, &l->bundle, &l->f);
		l->configured = bundle_find(&l->bundle, BUNDLE_CONFIG,
		                            c->config_path != NULL ? c->config_path
		                                                   : CARILLON_ETC "/carillon.yaml") != NULL;
		if (l->config != NULL)
			compile(l, &l->bundle, false, keep_tests);
		return l->rules != NULL;
	}
	if (!load_config(c, l))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strpbrk(paths[i], "*?[") != NULL && access(paths[i], F_OK) != 0)
			add_glob(l, paths[i]);
		else
			add_path(l, paths[i]);
	}
	if (l->f.errors == 0)
		compile(l, &l->rule_files, true, keep_tests);
	return l->rules != NULL;
}

void load_free(struct load *l)
{
	rule_set_free(l->rules);
	config_free(l->config);
	bundle_free(&l->bundle);
	bundle_free(&l->rule_files);
	findings_clear(&l->f);
}

const struct rule *load_rule(const struct rule_set *rs, struct slice id)
{
	const struct rule *hit = rule_set_find(rs, id);
	size_t n;
	const struct rule *r = rule_set_rules(rs, &n);

	/* the name alone will do where it is the only one */
	for (size_t i = 0; hit == NULL && i < n; i++)
		if (slice_eq(r[i].name, id)) {
			for (size_t k = i + 1; k < n; k++)
				if (slice_eq(r[k].name, id))
					return NULL;
			hit = &r[i];
		}
	return hit;
}

/* ---- maps */

static void map_file(struct map_draft *d, const char *path, size_t *files, struct findings *f)
{
	static const struct doc_limits lim = {MAP_FILE_MAX, 32, 20000000};
	struct buf text = {0};
	struct error err;
	struct doc *doc;

	if (files_slurp(path, MAP_FILE_MAX, &text, &err) != 0) {
		findings_add(f, FINDING_ERROR, "E092", path, (struct mark){0, 0, 0}, SLICE_NONE, "%s",
		             err.text);
	} else {
		doc = doc_parse(path, buf_slice(&text), lim, f);
		if (doc != NULL) {
			map_draft_yaml(d, doc, f);
			doc_free(doc);
		}
		++*files;
	}
	buf_free(&text);
}

void load_map_path(struct map_draft *d, const char *path, size_t *files, struct findings *f)
{
	struct dirent **v;
	struct stat st;
	int n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		map_file(d, path, files, f);
		return;
	}
	n = scandir(path, &v, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (v[i]->d_name[0] != '.' && slice_ends(slice_str(v[i]->d_name), SLICE(".yaml"))) {
			char *file = xasprintf("%s/%s", path, v[i]->d_name);

			map_file(d, file, files, f);
			free(file);
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

static bool compile_map(struct map_draft *d, const struct load *l, struct load_map *m, struct findings *f,
                        struct error *err)
{
	if (f->errors > 0 || map_compile(d, l->config->limits.services, f, &m->bytes) != 0) {
		error_set(err, "the map has errors");
		return false;
	}
	m->map = service_map_open(buf_slice(&m->bytes), err);
	return m->map != NULL;
}

bool load_map(const struct load *l, const char *path, struct load_map *m, struct findings *f,
              struct error *err)
{
	struct map_draft *d;
	struct buf hosts = {0};
	struct error ignored;
	bool ok;

	*m = (struct load_map){0};
	if (path == NULL && l->config->map.redis) {
		error_set(err, "the map is in Redis; name its YAML form with a PATH, or ask the daemon: "
		               "carillonctl status");
		return false;
	}
	if (path == NULL && access(l->config->map.path, F_OK) != 0) {
		m->map = service_map_empty();
		return true;
	}
	d = map_draft_new();
	load_map_path(d, path != NULL ? path : l->config->map.path, &m->files, f);
	/* as the daemon does it; a map that was named is looked at as it is */
	if (path == NULL && l->config->map.hosts_file &&
	    files_slurp("/etc/hosts", 1 << 20, &hosts, &ignored) == 0)
		map_draft_hosts_file(d, buf_slice(&hosts));
	ok = compile_map(d, l, m, f, err);
	map_draft_free(d);
	buf_free(&hosts);
	return ok;
}

void load_map_free(struct load_map *m)
{
	if (m->map != NULL)
		service_map_close(m->map);
	buf_free(&m->bytes);
}
