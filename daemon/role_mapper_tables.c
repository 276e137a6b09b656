/* Copies of the rules' Redis tables (language.md section 2): the HASHes `<prefix><key>`, read at each reload and every five
 * minutes over a connection of their own, and handed to the parent as one sealed file. What cannot be read leaves the last
 * copy in force and is said: in the log, in the map's status and by carillon_table_last_sync_successful. Must not know events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "net/redis.h"
#include "role_mapper.h"
#include "role_tables.h"
#include "rules/sources.h"

#define READ_EVERY (300 * SECOND)
#define READ_AGAIN (10 * SECOND) /* after a failure */
#define PATIENCE   (10 * SECOND) /* without an answer while a read is under way */
#define SCAN_COUNT "1000"

/* One table while it is read. */
struct one_table {
	struct mapper_tables *tables;
	char *id, *prefix, *column;
	struct hmap *seen;     /* SCAN may name a key twice */
	struct buf rows;       /* of this read, n_rows of them */
	size_t n_rows;
};

/* A reply that is waited for: which table, which key. */
struct row_wait {
	struct one_table *table;
	LIST_ENTRY(row_wait) link;
	size_t n;
	char key[];
};

struct mapper_tables {
	struct mapper *mapper;
	struct redis *redis;
	struct loop_timer *next, *patience;
	struct one_table *v; size_t n;
	size_t at;             /* the table that is scanned */
	size_t octets;         /* of all rows of this read */
	bool reading, told;    /* told: the parent knows whether there are rows */
	uint64_t hash;         /* of what was sent last */
	char *said;            /* the fault of the last read; NULL: it was good */
	instant good;
	size_t rows;
	LIST_HEAD(, row_wait) waits;
};

/* ---- what was wrong */

static void gauges(struct mapper_tables *t, bool ok)
{
	struct counters *c = t->mapper->role->counters;

	counter_set(counter(c, "carillon_table_last_sync_successful", ""), ok);
	counter_set(counter(c, "carillon_table_rows", ""), t->rows);
	if (t->good != INSTANT_NONE)
		counter_set(counter(c, "carillon_table_last_sync_timestamp_seconds", ""), (uint64_t)(t->good / SECOND));
}

static void end_read(struct mapper_tables *t)
{
	struct row_wait *w;

	t->reading = false;
	loop_timer_set(t->patience, -1);
	while ((w = LIST_FIRST(&t->waits)) != NULL) {
		LIST_REMOVE(w, link);
		free(w);
	}
}

/* The parent waits for the first word before it lets the intakes listen. */
static void tell(struct mapper_tables *t, int fd)
{
	if (fd >= 0 || !t->told)
		role_send(t->mapper->role, FRAME_TABLES, 0, SLICE_NONE, fd);
	t->told = true;
}

static void failed(struct mapper_tables *t, const char *why)
{
	if (t->said == NULL || strcmp(t->said, why) != 0)
		log_warn("msg=\"the Redis tables cannot be read, the last copy serves on\" reason=\"%s\"", why);
	free(t->said);
	t->said = xstrdup(why);
	end_read(t);
	redis_free(t->redis); /* with it go the answers that are still under way */
	t->redis = NULL;
	gauges(t, false);
	mapper_tell(t->mapper);
	tell(t, -1);
	loop_timer_set(t->next, READ_AGAIN);
}

/* ---- a whole read */

static void scan_next(struct mapper_tables *t, struct slice cursor);

static void all_read(struct mapper_tables *t)
{
	struct buf all = {0};
	struct error err;
	uint64_t hash;
	int fd;

	t->rows = 0;
	for (size_t i = 0; i < t->n; i++) {
		role_table_encode(&all, slice_str(t->v[i].id), slice_str(t->v[i].prefix), buf_slice(&t->v[i].rows));
		t->rows += t->v[i].n_rows;
		hmap_clear(t->v[i].seen);
		buf_free(&t->v[i].rows);
	}
	hash = hash_stable(buf_slice(&all)) | 1;
	fd = hash == t->hash ? -1 : mapper_sealed(buf_slice(&all), &err);
	buf_free(&all);
	if (fd < 0 && hash != t->hash) {
		failed(t, err.text);
		return;
	}
	end_read(t);
	tell(t, fd);
	if (fd >= 0)
		close(fd);
	t->hash = hash;
	t->good = loop_now(t->mapper->role->loop);
	free(t->said);
	t->said = NULL;
	gauges(t, true);
	mapper_tell(t->mapper);
	loop_timer_set(t->next, READ_EVERY);
}

static void on_end(struct redis *c UNUSED, const struct redis_reply *rep UNUSED, void *arg)
{
	struct mapper_tables *t = arg;

	if (!t->reading)
		return;
	if (++t->at == t->n)
		all_read(t);
	else
		scan_next(t, SLICE("0"));
}

static void put_row(struct one_table *o, struct slice key, const struct redis_reply *rep)
{
	bool has_key = false;
	size_t before = o->rows.n;

	for (size_t i = 0; i + 1 < rep->n; i += 2)
		has_key = has_key || slice_is(rep->items[i]->text, o->column);
	table_row_begin(&o->rows, key, (uint32_t)(rep->n / 2 + !has_key));
	if (!has_key)
		table_row_pair(&o->rows, slice_str(o->column), key);
	for (size_t i = 0; i + 1 < rep->n; i += 2)
		table_row_pair(&o->rows, rep->items[i]->text, rep->items[i + 1]->text);
	o->n_rows++;
	o->tables->octets += o->rows.n - before;
}

static void on_row(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct row_wait *w = arg;
	struct one_table *o = w->table;
	struct mapper_tables *t = o->tables;
	char why[400];

	if (!t->reading)
		return; /* w is gone */
	loop_timer_set(t->patience, PATIENCE);
	why[0] = '\0';
	if (rep->kind == REDIS_ARRAY && rep->n / 2 >= TABLE_COLUMNS_MAX)
		snprintf(why, sizeof why, "%s%.*s has more than %d fields", o->prefix, (int)MIN(w->n, 80u), w->key, TABLE_COLUMNS_MAX - 1);
	else if (rep->kind == REDIS_ARRAY && rep->n > 0) /* none: it expired meanwhile */
		put_row(o, slice_of(w->key, w->n), rep);
	else if (rep->kind == REDIS_ERROR && !slice_starts(rep->text, SLICE("WRONGTYPE"))) /* what is no HASH is no row */
		snprintf(why, sizeof why, "redis: " SLICE_FMT, SLICE_ARG(slice_sub(rep->text, 0, 300)));
	if (t->octets > ROLE_TABLES_MAX / 2)
		snprintf(why, sizeof why, "the tables have more than %u MiB", ROLE_TABLES_MAX >> 21);
	LIST_REMOVE(w, link);
	free(w);
	if (why[0] != '\0')
		failed(t, why);
}

static bool ask_row(struct one_table *o, struct slice full)
{
	struct mapper_tables *t = o->tables;
	struct slice key = slice_sub(full, strlen(o->prefix), SIZE_MAX);
	const struct slice argv[2] = {SLICE("HGETALL"), full};
	struct row_wait *w;

	if (!slice_starts(full, slice_str(o->prefix)) || key.n == 0 || hmap_get(o->seen, key) != NULL)
		return true;
	if (hmap_len(o->seen) == TABLE_ROWS_MAX)
		return false;
	(void)hmap_put(o->seen, key, o);
	w = xcalloc(1, sizeof *w + key.n);
	w->table = o;
	w->n = key.n;
	memcpy(w->key, key.p, key.n);
	LIST_INSERT_HEAD(&t->waits, w, link);
	redis_send(t->redis, argv, 2, on_row, w);
	return true;
}

static void on_scan(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_tables *t = arg;
	char why[400] = "redis: SCAN is answered by something else than a list";

	if (!t->reading)
		return;
	loop_timer_set(t->patience, PATIENCE);
	if (rep->kind != REDIS_ARRAY || rep->n != 2) {
		if (rep->kind == REDIS_ERROR)
			snprintf(why, sizeof why, "redis: " SLICE_FMT, SLICE_ARG(slice_sub(rep->text, 0, 300)));
		failed(t, why);
		return;
	}
	for (size_t i = 0; i < rep->items[1]->n; i++)
		if (!ask_row(&t->v[t->at], rep->items[1]->items[i]->text)) {
			snprintf(why, sizeof why, "table %s has more than %d rows", t->v[t->at].id, TABLE_ROWS_MAX);
			failed(t, why);
			return;
		}
	/* replies come in order: behind these every row has been answered */
	if (slice_is(rep->items[0]->text, "0"))
		redis_sendf(t->redis, on_end, t, "PING");
	else
		scan_next(t, rep->items[0]->text);
}

/* A prefix is a prefix: what a pattern would take for more is escaped. */
static void scan_next(struct mapper_tables *t, struct slice cursor)
{
	struct buf match = {0};

	for (const char *p = t->v[t->at].prefix; *p != '\0'; p++) {
		if (strchr("*?[]^\\", *p) != NULL)
			buf_char(&match, '\\');
		buf_char(&match, *p);
	}
	buf_char(&match, '*');
	const struct slice argv[] = {SLICE("SCAN"), cursor, SLICE("MATCH"), buf_slice(&match), SLICE("COUNT"), SLICE(SCAN_COUNT)};
	redis_send(t->redis, argv, ARRAY_LEN(argv), on_scan, t);
	buf_free(&match);
}

/* ---- the connection */

static void connected(struct redis *redis, void *arg)
{
	struct mapper_tables *t = arg;

	t->redis = redis;
	loop_timer_set(t->patience, PATIENCE);
	scan_next(t, SLICE("0"));
}

static void lost(struct redis *redis UNUSED, const char *why, void *arg)
{
	struct mapper_tables *t = arg;
	char text[300];

	snprintf(text, sizeof text, "redis: %s", why);
	if (t->reading) /* between two reads a server may close what is idle */
		failed(t, text);
}

static void impatient(void *arg)
{
	failed(arg, "redis: no answer within ten seconds");
}

static void begin(void *arg)
{
	static const struct redis_events events = {.connected = connected, .closed = lost};
	struct mapper_tables *t = arg;
	const struct config *c = t->mapper->role->config;
	struct redis_url url;
	struct error err;

	end_read(t);
	redis_free(t->redis);
	t->redis = NULL;
	if (!redis_url_parse(c->map.url, &url, &err)) {
		failed(t, err.text);
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		hmap_clear(t->v[i].seen);
		buf_clear(&t->v[i].rows);
		t->v[i].n_rows = 0;
	}
	t->at = t->octets = 0;
	t->reading = true;
	t->redis = redis_connect(t->mapper->role->loop, &url, c->map.user[0] != '\0' ? c->map.user : NULL, t->mapper->password.p, &events, t);
}

/* ---- which tables */

static bool speaks_of_redis(const struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == BUNDLE_RULES && memmem(b->v[i].text.p, b->v[i].text.n, "redis", 5) != NULL)
			return true;
	return false;
}

static void add_tables(struct mapper_tables *t, const struct rule_set *rs)
{
	size_t n;
	const struct rule_table *v = rule_set_tables(rs, &n);

	t->v = xcalloc(n + 1, sizeof *t->v);
	for (size_t i = 0; i < n; i++) {
		if (v[i].redis.n == 0)
			continue;
		t->v[t->n++] = (struct one_table){.tables = t, .id = slice_dup(v[i].id), .prefix = slice_dup(v[i].redis), .column = slice_dup(v[i].key),
		                                  .seen = hmap_new()};
	}
}

struct mapper_tables *mapper_tables_new(struct mapper *m, const struct bundle *b, const struct config *config)
{
	struct mapper_tables *t = xcalloc(1, sizeof *t);
	struct findings f = {0};
	/* mapper has no use for the rules but this; most have none of these tables */
	struct rule_set *rs = speaks_of_redis(b) ? sources_rules(b, config, false, &f) : NULL;

	t->mapper = m;
	t->good = INSTANT_NONE;
	LIST_INIT(&t->waits);
	t->next = loop_timer_new(m->role->loop, begin, t);
	t->patience = loop_timer_new(m->role->loop, impatient, t);
	if (rs != NULL)
		add_tables(t, rs);
	rule_set_free(rs);
	findings_clear(&f);
	return t;
}

void mapper_tables_start(struct mapper_tables *t)
{
	/* the password, if there is one, comes in the next frames: connect in the next turn */
	if (t->n > 0)
		loop_timer_set(t->next, 0);
	else
		tell(t, -1);
}

void mapper_tables_json(const struct mapper_tables *t, struct jw *w)
{
	if (t == NULL || t->n == 0)
		return;
	jw_key(w, "tables");
	jw_object(w);
	jw_kbool(w, "ok", t->said == NULL && t->good != INSTANT_NONE);
	jw_ktime(w, "at", t->good);
	jw_kint(w, "rows", (int64_t)t->rows);
	jw_kstr(w, "error", t->said);
	jw_end(w);
}

void mapper_tables_free(struct mapper_tables *t)
{
	if (t == NULL)
		return;
	end_read(t);
	redis_free(t->redis);
	loop_timer_free(t->next);
	loop_timer_free(t->patience);
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].id);
		free(t->v[i].prefix);
		free(t->v[i].column);
		hmap_free(t->v[i].seen);
		buf_free(&t->v[i].rows);
	}
	free(t->v);
	free(t->said);
	free(t);
}
