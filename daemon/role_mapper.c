/* The mapper role: YAML files, publishing, life. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/files.h"
#include "role_mapper.h"

#define MAP_FILE_MAX (256u << 20)
#define MAP_LIMITS   ((struct doc_limits){MAP_FILE_MAX, 32, 20000000})

/* ---- handing over */

static void send_state(struct mapper *m)
{
	const bool ok = m->error == NULL;
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kbool(&w, "ok", ok);
	jw_ktime(&w, "at", m->good);
	jw_kstr(&w, "source", m->role->config->map.redis ? "redis" : "file");
	jw_kint(&w, "services", m->services);
	jw_kstr(&w, "hash", m->hash);
	jw_kstr(&w, "error", m->error);
	mapper_tables_json(m->tables, &w);
	jw_end(&w);
	role_send(m->role, FRAME_MAP_STATE, 0, buf_slice(&b), -1);
	buf_free(&b);
	counter_set(counter(m->role->counters, "carillon_map_last_sync_successful", ""), ok ? 1 : 0);
	if (m->good != INSTANT_NONE)
		counter_set(counter(m->role->counters, "carillon_map_last_sync_timestamp_seconds", ""), (uint64_t)(m->good / SECOND));
}

static void state(struct mapper *m, const char *error)
{
	free(m->error);
	m->error = error != NULL ? xstrdup(error) : NULL;
	m->told = true;
	send_state(m);
}

/* Before the map's own first word nothing is known of it, and the parent takes any word for that one. */
void mapper_tell(struct mapper *m)
{
	if (m->told)
		send_state(m);
}

void mapper_failed(struct mapper *m, const char *why)
{
	/* what goes on being wrong is tried again every second, and said once */
	if (m->said == NULL || strcmp(m->said, why) != 0)
		log_warn("msg=\"no new map, the last good one serves on\" reason=\"%s\"", why);
	free(m->said);
	m->said = xstrdup(why);
	state(m, why);
}

int mapper_sealed(struct slice bytes, struct error *err)
{
	int fd = memfd_create("map.bin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t at = 0;

	if (fd < 0)
		return error_set(err, "cannot make a file for the map: %s", strerror(errno));
	while (at < bytes.n) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);
		if (n <= 0) {
			error_set(err, "cannot write the map: %s", strerror(errno));
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	/* the others map it: what is mapped must never change or shrink under them */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
	error_set(err, "cannot seal the map: %s", strerror(errno));
	close(fd);
	return -1;
}

/* An emptied or halved export must not empty the map (map.md section 2). */
static bool shrunk(struct mapper *m, uint32_t n, struct error *err)
{
	double least = (double)m->services * m->role->config->map.min_ratio;

	if (m->services == 0 || (double)n >= least)
		return false;
	error_set(err, "the new map has %u services, the running one %u: less than map.min_ratio allows; fix the source, or lower map.min_ratio once", n,
	          m->services);
	return true;
}

static void log_findings(const struct findings *f)
{
	struct findings some = *f;
	struct buf text = {0};

	/* a CMDB may have thousands of warnings: the first tell enough, `map check` tells all */
	some.n = MIN(some.n, 20);
	findings_text(&some, &text);
	for (struct slice rest = buf_slice(&text), line; rest.n > 0 && slice_split(&rest, '\n', &line);)
		if (line.n > 0 && line.p[0] != ' ')
			log_notice("map=\"" SLICE_FMT "\"", SLICE_ARG(line));
	buf_free(&text);
}

static void publish_bytes(struct mapper *m, struct slice bytes)
{
	struct error err;
	struct service_map *map = service_map_open(bytes, &err);
	uint32_t n = 0;
	char hash[65] = "";
	int fd = -1;

	/* those that only a need names are no services: an emptied export may leave its needs behind */
	for (uint32_t i = 0; map != NULL && i < service_map_len(map); i++)
		n += !service_unknown(map, i);
	if (map == NULL || shrunk(m, n, &err) || (fd = mapper_sealed(bytes, &err)) < 0) {
		mapper_failed(m, err.text);
	} else {
		service_map_hash(map, hash);
		m->services = n;
		m->good = loop_now(m->role->loop);
		if (strcmp(hash, m->hash) != 0)
			role_send(m->role, FRAME_MAP, 0, slice_str(hash), fd);
		memcpy(m->hash, hash, sizeof hash);
		free(m->said);
		m->said = NULL;
		state(m, NULL);
		close(fd);
	}
	if (map != NULL)
		service_map_close(map);
}

/* The draft as map.bin; -1 with why: its first error. */
static int compile_draft(struct mapper *m, const struct config *c, struct map_draft *d, const char *from, struct findings *f, struct buf *bytes,
                         struct error *why)
{
	const struct finding *first = NULL;

	if (c->map.hosts_file)
		map_draft_hosts_file(d, buf_slice(&m->hosts_text));
	if (f->errors == 0 && map_compile(d, c->limits.services, f, bytes) == 0)
		return 0;
	for (size_t i = 0; i < f->n && first == NULL; i++)
		if (f->v[i].level == FINDING_ERROR)
			first = &f->v[i];
	return error_set(why, "%s: %zu errors, the first: %s:%u:%u: %s", from, f->errors, first != NULL ? first->file : from,
	                 first != NULL ? first->mark.line : 0, first != NULL ? first->mark.col : 0, first != NULL ? first->message : "");
}

void mapper_publish(struct mapper *m, struct map_draft *d, const char *from, struct findings *f)
{
	struct buf bytes = {0};
	struct error why;
	int rc = compile_draft(m, m->role->config, d, from, f, &bytes, &why);

	log_findings(f);
	if (rc != 0)
		mapper_failed(m, why.text);
	else
		publish_bytes(m, buf_slice(&bytes));
	buf_free(&bytes);
}

/* ---- YAML files */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_file(struct map_draft *d, const char *path, struct findings *f)
{
	struct buf text = {0};
	struct error err;
	struct doc *doc;
	int rc = files_slurp(path, MAP_FILE_MAX, &text, &err);

	if (rc != 0) {
		findings_add(f, FINDING_ERROR, "E092", path, (struct mark){0, 0, 0}, SLICE_NONE, "%s", err.text);
	} else {
		doc = doc_parse(path, buf_slice(&text), MAP_LIMITS, f);
		if (doc != NULL)
			map_draft_yaml(d, doc, f);
		/* entries copy what they keep */
		if (doc != NULL)
			doc_free(doc);
	}
	buf_free(&text);
	return rc;
}

static void read_path(struct map_draft *d, const char *path, struct findings *f)
{
	struct dirent **v;
	struct stat st;
	int n;

	if (stat(path, &st) != 0)
		return; /* no map: everything is a service of its own */
	if (!S_ISDIR(st.st_mode)) {
		read_file(d, path, f);
		return;
	}
	n = scandir(path, &v, NULL, by_name);
	for (int i = 0; i < n; i++) {
		if (v[i]->d_name[0] != '.' && slice_ends(slice_str(v[i]->d_name), SLICE(".yaml"))) {
			char *file = xasprintf("%s/%s", path, v[i]->d_name);
			read_file(d, file, f);
			free(file);
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

static void from_files(struct mapper *m)
{
	struct map_draft *d = map_draft_new();
	struct findings f = {0};

	read_path(d, m->role->config->map.path, &f);
	mapper_publish(m, d, m->role->config->map.path, &f);
	map_draft_free(d);
	findings_clear(&f);
}

/* A reload with a broken map changes nothing at all (config.md section 3). */
static int check_files(struct mapper *m, const struct config *next, struct error *err)
{
	struct map_draft *d = map_draft_new();
	struct findings f = {0};
	struct buf bytes = {0}, text = {0};
	int rc;

	read_path(d, next->map.path, &f);
	rc = compile_draft(m, next, d, next->map.path, &f, &bytes, err);
	if (rc != 0) {
		f.n = MIN(f.n, 20);
		findings_text(&f, &text);
		error_set(err, SLICE_FMT, SLICE_ARG(slice_trim(buf_slice(&text))));
	}
	buf_free(&text);
	buf_free(&bytes);
	map_draft_free(d);
	findings_clear(&f);
	return rc;
}

/* ---- life */

static void connect_redis(void *arg)
{
	struct mapper *m = arg;

	mapper_redis_free(m->redis);
	m->redis = mapper_redis_new(m);
}

static void *mapper_start(struct role *r)
{
	struct mapper *m = xcalloc(1, sizeof *m);

	m->role = r;
	m->good = INSTANT_NONE;
	m->again = loop_timer_new(r->loop, connect_redis, m);
	return m;
}

/* At the start there is the last good map to go on with, so only a reload is refused. */
static int mapper_compile(void *self, const struct bundle *b, const struct config *next, uint32_t generation UNUSED, struct error *err)
{
	struct mapper *m = self;

	mapper_tables_free(m->next_tables);
	m->next_tables = mapper_tables_new(m, b, next);
	return m->role->config == NULL || next->map.redis ? 0 : check_files(m, next, err);
}

static void read_hosts(struct mapper *m)
{
	struct error err;

	buf_clear(&m->hosts_text);
	if (m->role->config->map.hosts_file)
		(void)!files_slurp("/etc/hosts", 1 << 20, &m->hosts_text, &err);
}

static void read_source(struct mapper *m)
{
	bool redis = m->role->config->map.redis;

	if (!m->may_read)
		return;
	/* the password, if there is one, comes in the next frames: connect in the next turn */
	loop_timer_set(m->again, redis ? 0 : -1);
	if (!redis)
		from_files(m);
}

static void mapper_swap(void *self, const struct config *config UNUSED, uint32_t generation UNUSED)
{
	struct mapper *m = self;

	read_hosts(m);
	mapper_redis_free(m->redis);
	m->redis = NULL;
	mapper_tables_free(m->tables);
	m->tables = m->next_tables;
	m->next_tables = NULL;
	read_source(m);
	if (m->tables != NULL)
		mapper_tables_start(m->tables);
	if (!m->ready)
		role_ready(m->role, NULL);
	m->ready = true;
}

static void mapper_secret(void *self, const char *ref, struct slice value)
{
	struct mapper *m = self;

	if (m->role->config != NULL && m->role->config->map.password.ref != NULL && strcmp(ref, m->role->config->map.password.ref) == 0)
		secret_take(&m->password, value);
}

/* The map in use when this role starts, or that there is none: what a new one is measured against. An export that was
 * emptied while nothing ran must not empty the map either. */
static void mapper_map(void *self, int fd, const char *hash)
{
	struct mapper *m = self;
	struct error err;
	struct stat st;
	bool dated = fd >= 0 && fstat(fd, &st) == 0;
	struct role_map *map = fd >= 0 ? role_map_open(fd, &err) : NULL;

	if (map != NULL && m->services == 0) {
		m->services = map->services;
		snprintf(m->hash, sizeof m->hash, "%s", hash);
		if (dated && m->good == INSTANT_NONE)
			m->good = (instant)st.st_mtim.tv_sec * SECOND;
	}
	role_map_close(map);
	if (m->may_read)
		return;
	m->may_read = true;
	if (m->role->config != NULL)
		read_source(m);
}

static void mapper_stop(void *self)
{
	struct mapper *m = self;

	mapper_redis_free(m->redis);
	m->redis = NULL;
	mapper_tables_free(m->tables);
	m->tables = NULL;
	role_done(m->role);
}

static void mapper_free(void *self)
{
	struct mapper *m = self;

	mapper_redis_free(m->redis);
	mapper_tables_free(m->tables);
	mapper_tables_free(m->next_tables);
	loop_timer_free(m->again);
	secret_wipe(&m->password);
	buf_free(&m->hosts_text);
	free(m->said);
	free(m->error);
	free(m);
}

const struct role_ops role_mapper = {.kind = ROLE_MAPPER,
                                     .sandbox = SANDBOX_MAPPER,
                                     .start = mapper_start,
                                     .compile = mapper_compile,
                                     .swap = mapper_swap,
                                     .secret = mapper_secret,
                                     .map = mapper_map,
                                     .stop = mapper_stop,
                                     .free = mapper_free};
