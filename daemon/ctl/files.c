/* See files.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/calendar.h"
#include "ctl/files.h"
#include "rules/sources.h"

#define CONFIG_MAX (1u << 20)
#define MIB_MAX    (8u << 20)
#define LIST_MAX   (16u << 20)
#define SECRET_MAX 65536u
#define PEM_MAX    (1u << 20)
#define ZONE_MAX   (1u << 18)
#define TOTAL_MAX  (48u << 20) /* well below FRAME_MAX */

#ifndef CARILLON_DATADIR
#define CARILLON_DATADIR "/usr/share/carillon"
#endif

static const struct mark nowhere = {0, 0, 0};

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *files_data_dir(void)
{
	const char *env = getenv("CARILLON_DATA");
	char exe[PATH_MAX], *up, *probe;
	ssize_t n;

	if (env != NULL && env[0] != '\0')
		return xstrdup(env);
	n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	/* build/daemon/carillond and build/daemon/ctl/carillonctl: the tree is two or three folders above */
	for (int i = 0; n > 0 && i < 4; i++) {
		exe[n] = '\0';
		up = strrchr(exe, '/');
		if (up == NULL || up == exe)
			break;
		*up = '\0';
		n = up - exe;
		/* a shipped file, not a folder: a build folder has the same folders */
		probe = xasprintf("%s/plugins/tickets/rt.yaml", exe);
		if (access(probe, R_OK) == 0) {
			free(probe);
			return xstrdup(exe);
		}
		free(probe);
	}
	return xstrdup(CARILLON_DATADIR);
}

int files_slurp(const char *path, size_t max, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return error_set(err, "cannot read '%s': %s", path, strerror(errno));
	for (;;) {
		buf_reserve(out, 65536);
		n = read(fd, out->p + out->n, 65536);
		if (n <= 0)
			break;
		out->n += (size_t)n;
		if (out->n > max)
			break;
	}
	if (n < 0)
		error_set(err, "cannot read '%s': %s", path, strerror(errno));
	else if (out->n > max)
		error_set(err, "'%s' is larger than %zu octets", path, max);
	close(fd);
	return n < 0 || out->n > max ? -1 : 0;
}

static void add_file(struct bundle *b, enum bundle_kind kind, const char *path, size_t max, struct findings *f)
{
	struct buf text = {0};
	struct error err;

	if (bundle_find(b, kind, path) != NULL)
		return;
	if (files_slurp(path, max, &text, &err) != 0)
		findings_add(f, FINDING_ERROR, "E092", path, nowhere, SLICE_NONE, "%s", err.text);
	else
		bundle_add(b, kind, path, buf_slice(&text));
	buf_free(&text);
}

/* ---- configuration */

static void add_includes(struct bundle *b, const char *main_path, struct findings *f)
{
	const struct bundle_file *file = bundle_find(b, BUNDLE_CONFIG, main_path);
	struct findings ignored = {0};
	struct arena *a = arena_new(0);
	struct doc *doc = file != NULL ? doc_parse(main_path, file->text, DOC_LIMITS, &ignored) : NULL;
	char **globs;
	size_t n = doc != NULL ? config_includes(doc, &globs, a) : 0;

	for (size_t i = 0; i < n; i++) {
		char *pattern = sources_list_path(main_path, globs[i]);
		glob_t g;

		if (glob(pattern, 0, NULL, &g) == 0) {
			for (size_t k = 0; k < g.gl_pathc; k++)
				add_file(b, BUNDLE_CONFIG, g.gl_pathv[k], CONFIG_MAX, f);
			globfree(&g);
		}
		free(pattern);
	}
	findings_clear(&ignored);
	if (doc != NULL)
		doc_free(doc);
	arena_free(a);
}

/* ---- rules, and the lists, tables, calendars and time zones that they name */

#ifndef ZONEINFO
#define ZONEINFO "/usr/share/zoneinfo"
#endif

/* What cannot be read is the loader's finding, with its place. */
static const struct bundle_file *add_named(struct bundle *b, enum bundle_kind kind, const char *name, const char *path, size_t max)
{
	struct buf text = {0};
	struct error err;

	if (bundle_find(b, kind, name) == NULL && files_slurp(path, max, &text, &err) == 0)
		bundle_add(b, kind, name, buf_slice(&text));
	buf_free(&text);
	return bundle_find(b, kind, name);
}

static void add_zone(void *arg, struct slice name)
{
	char *zone = slice_dup(name), *path = xasprintf(ZONEINFO "/%s", zone);

	if (strcmp(zone, "system") == 0)
		(void)add_named(arg, BUNDLE_ZONE, zone, "/etc/localtime", ZONE_MAX);
	else if (zone_name_valid(name) && strcmp(zone, "UTC") != 0)
		(void)add_named(arg, BUNDLE_ZONE, zone, path, ZONE_MAX);
	free(path);
	free(zone);
}

static const struct node *members(const struct doc *doc, const char *key)
{
	const struct node *n = doc != NULL ? node_get(doc->root, key) : NULL;

	return n != NULL && n->kind == NODE_MAP ? n->first : NULL;
}

static const struct node *text_of(const struct node *map, const char *key)
{
	const struct node *n = map->kind == NODE_MAP ? node_get(map, key) : NULL;

	return n != NULL && n->kind == NODE_SCALAR ? n : NULL;
}

static const struct bundle_file *add_data(struct bundle *b, const char *rule_file, const struct node *path)
{
	char *name;
	const struct bundle_file *f;

	if (path == NULL)
		return NULL;
	name = sources_list_path(rule_file, path->text.p);
	f = add_named(b, BUNDLE_LIST, name, name, LIST_MAX);
	free(name);
	return f;
}

static void add_calendar(struct bundle *b, const char *rule_file, const struct node *calendar)
{
	const struct node *zone = text_of(calendar, "timezone");
	const struct bundle_file *ical = add_data(b, rule_file, text_of(calendar, "ical"));

	if (zone != NULL)
		add_zone(b, zone->text);
	if (ical != NULL) {
		struct slice text = ical->text; /* the bundle moves when it grows, its texts do not */
		ical_zone_names(text, add_zone, b);
	}
}

static void add_lists(struct bundle *b, const char *rule_file, struct findings *f)
{
	const struct bundle_file *file = bundle_find(b, BUNDLE_RULES, rule_file);
	struct findings ignored = {0};
	struct doc *doc = file != NULL ? doc_parse(rule_file, file->text, DOC_LIMITS, &ignored) : NULL;

	for (const struct node *n = members(doc, "lists"); n != NULL; n = n->next)
		(void)add_data(b, rule_file, text_of(n, "file"));
	for (const struct node *n = members(doc, "tables"); n != NULL; n = n->next)
		(void)add_data(b, rule_file, text_of(n, "file"));
	for (const struct node *n = members(doc, "calendars"); n != NULL; n = n->next)
		add_calendar(b, rule_file, n);
	findings_clear(&ignored);
	if (doc != NULL)
		doc_free(doc);
	(void)f;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool ends_yaml(const char *name)
{
	return slice_ends(slice_str(name), SLICE(".yaml"));
}

static void add_folder(struct bundle *b, enum bundle_kind kind, const char *dir, unsigned depth, struct findings *f)
{
	struct dirent **v;
	int n = scandir(dir, &v, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, v[i]->d_name);

		if (v[i]->d_name[0] != '.') {
			if (is_dir(path)) {
				if (depth < 8)
					add_folder(b, kind, path, depth + 1, f);
			} else if (ends_yaml(v[i]->d_name)) {
				add_file(b, kind, path, CONFIG_MAX, f);
				if (kind == BUNDLE_RULES)
					add_lists(b, path, f);
			}
		}
		free(path);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

void files_add_mibs(struct bundle *b, const char *dir, struct findings *f)
{
	struct dirent **v;
	int n = scandir(dir, &v, NULL, by_name);

	for (int i = 0; i < n; i++) {
		if (v[i]->d_name[0] != '.' && slice_ends(slice_str(v[i]->d_name), SLICE(".mib"))) {
			char *path = xasprintf("%s/%s", dir, v[i]->d_name);

			add_file(b, BUNDLE_MIB, path, MIB_MAX, f);
			free(path);
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

/* Of the shipped folder and of every listener that names one; a folder that is not there is said, for names would lack. */
static void add_mibs(struct bundle *b, const struct config *c, const char *data, struct findings *f)
{
	char *shipped = xasprintf("%s/plugins/snmptrap", data);

	files_add_mibs(b, shipped, f);
	free(shipped);
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];

		if (!l->enabled || l->mibs == NULL || l->mibs[0] == '\0')
			continue;
		if (!is_dir(l->mibs))
			findings_add(f, FINDING_ERROR, "E092", l->mibs, nowhere, SLICE_NONE,
			             "listener '%s': 'mibs' is no folder; make one with 'carillonctl mibs compile'", l->name);
		files_add_mibs(b, l->mibs, f);
	}
}

/* NAME.test.yaml beside NAME.yaml, if there is one. */
static void add_tests(struct bundle *b, const char *path, struct findings *f)
{
	struct slice name = slice_str(path);
	char *tests;

	if (!ends_yaml(path) || slice_ends(name, SLICE(".test.yaml")))
		return;
	tests = xasprintf("%.*s.test.yaml", (int)(name.n - 5), path);
	if (access(tests, F_OK) == 0) {
		add_file(b, BUNDLE_RULES, tests, CONFIG_MAX, f);
		add_lists(b, tests, f);
	}
	free(tests);
}

void files_add_rules(struct bundle *b, const char *path, struct findings *f)
{
	if (is_dir(path)) {
		add_folder(b, BUNDLE_RULES, path, 0, f);
		return;
	}
	add_file(b, BUNDLE_RULES, path, CONFIG_MAX, f);
	add_lists(b, path, f);
	add_tests(b, path, f);
}

static void add_hostname(struct bundle *b)
{
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof host - 1);
	b->hostname = xstrdup(host[0] != '\0' ? host : "localhost");
}

struct config *files_read_config(const char *config_path, struct bundle *b, struct findings *f)
{
	const char *path = config_path != NULL ? config_path : CARILLON_ETC "/carillon.yaml";

	*b = (struct bundle){0};
	add_hostname(b);
	if (config_path != NULL || access(path, F_OK) == 0) {
		add_file(b, BUNDLE_CONFIG, path, CONFIG_MAX, f);
		add_includes(b, path, f);
	}
	return f->errors == 0 ? config_from_bundle(b, f) : NULL;
}

/* Everything goes to the roles in one frame. */
static void check_total(const struct bundle *b, const char *config_path, struct findings *f)
{
	size_t total = 0;

	for (size_t i = 0; i < b->n; i++)
		total += strlen(b->v[i].name) + b->v[i].text.n;
	if (total > TOTAL_MAX)
		findings_add(f, FINDING_ERROR, "E092", config_path != NULL ? config_path : CARILLON_ETC "/carillon.yaml", nowhere, SLICE_NONE,
		             "configuration, rules, lists and profiles have %zu MiB together; at most %u MiB can be used", total >> 20, TOTAL_MAX >> 20);
}

struct config *files_read(const char *config_path, struct bundle *b, struct findings *f)
{
	char *data = files_data_dir(), *folder;
	struct config *c = files_read_config(config_path, b, f);

	for (size_t i = 0; c != NULL && i < c->n_rules_path; i++) {
		/* the two default folders need not be there */
		if (access(c->rules_path[i], F_OK) != 0 && (strncmp(c->rules_path[i], "/usr/share/", 11) == 0 || strncmp(c->rules_path[i], "/etc/", 5) == 0))
			continue;
		files_add_rules(b, c->rules_path[i], f);
	}
	if (c != NULL)
		add_zone(b, slice_str(c->timezone));
	folder = xasprintf("%s/plugins/webhook", data);
	add_folder(b, BUNDLE_WEBHOOK_PROFILE, folder, 0, f);
	free(folder);
	folder = xasprintf("%s/plugins/tickets", data);
	add_folder(b, BUNDLE_TICKET_PROFILE, folder, 0, f);
	free(folder);
	if (c != NULL)
		add_mibs(b, c, data, f);
	free(data);
	check_total(b, config_path, f);
	if (f->errors > 0) {
		config_free(c);
		return NULL;
	}
	return c;
}

/* ---- secrets */

static int secret_file(const char *path, bool own_only, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return error_set(err, "cannot read the secret '%s': %s", path, errno == ELOOP ? "it is a link; name the file itself" : strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		error_set(err, "the secret '%s' is no regular file", path);
	} else if (own_only && (st.st_uid != geteuid() || (st.st_mode & 0177) != 0)) {
		error_set(err, "the secret '%s' must belong to this user and have mode 0400 or 0600; run chmod 0600", path);
	} else if (st.st_size > SECRET_MAX) {
		error_set(err, "the secret '%s' is larger than 64 KiB", path);
	} else {
		buf_reserve(out, SECRET_MAX);
		n = read(fd, out->p, SECRET_MAX);
		if (n < 0)
			error_set(err, "cannot read the secret '%s': %s", path, strerror(errno));
	}
	close(fd);
	if (n < 0)
		return -1;
	out->n = (size_t)n;
	while (out->n > 0 && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
	return out->n > 0 ? 0 : error_set(err, "the secret '%s' is empty", path);
}

int files_secret(const char *ref, struct buf *out, struct error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path;
	int rc;

	if (strncmp(ref, "file:", 5) == 0)
		return secret_file(ref + 5, true, out, err);
	if (strncmp(ref, "cred:", 5) != 0)
		return error_set(err, "'%s' is no reference to a secret; write cred:NAME or file:/path", ref);
	if (dir == NULL)
		return error_set(err, "'%s': there is no credentials directory; add LoadCredential=%s:… to the unit, or use file:/path", ref, ref + 5);
	path = xasprintf("%s/%s", dir, ref + 5);
	rc = secret_file(path, false, out, err);
	free(path);
	return rc;
}

/* ---- certificates: public, so nothing is asked of owner and mode */

static char *pem_path(const char *ref)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (strncmp(ref, "file:", 5) == 0)
		return xstrdup(ref + 5);
	if (strncmp(ref, "cred:", 5) == 0)
		return dir != NULL ? xasprintf("%s/%s", dir, ref + 5) : NULL;
	return xstrdup(ref);
}

static int add_pem(const char *what, const char *ref, struct buf *out, struct error *err)
{
	char *path = pem_path(ref);
	struct buf text = {0};
	int rc = path != NULL ? files_slurp(path, PEM_MAX, &text, err)
	                      : error_set(err, "there is no credentials directory; add LoadCredential=%s:… to the unit, or name a path", ref + 5);

	if (rc == 0)
		buf_lslice(out, buf_slice(&text));
	else
		error_wrap(err, "%s '%s'", what, ref);
	buf_free(&text);
	free(path);
	return rc;
}

int files_tls(const struct listener_config *l, struct buf *out, struct error *err)
{
	struct buf key = {0};
	int rc = add_pem("tls.cert", l->tls_cert, out, err);

	if (rc == 0) {
		rc = files_secret(l->tls_key.ref, &key, err);
		if (rc != 0)
			error_wrap(err, "tls.key");
		else
			buf_lslice(out, buf_slice(&key));
	}
	if (key.p != NULL)
		explicit_bzero(key.p, key.cap);
	buf_free(&key);
	if (rc == 0 && l->tls_client_ca != NULL && l->tls_client_ca[0] != '\0')
		rc = add_pem("tls.client_ca", l->tls_client_ca, out, err);
	else if (rc == 0)
		buf_lslice(out, SLICE_NONE);
	return rc;
}
