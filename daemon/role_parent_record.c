/* See role_parent_record.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "role_parent_record.h"
#include "store/record_set.h"

#define TIDY_EVERY    (10 * SECOND)
#define SEGMENT_MIN   ((uint64_t)64 << 10)
#define SEGMENT_MAX   ((uint64_t)64 << 20)
#define SEGMENT_PARTS 32u /* so many segments of all intakes make up max_size */

struct parent_record {
	struct parent *parent;
	struct loop_timer *tidy;
	char *dir;
	bool on;
	char writing[RECORD_INTAKES_MAX][64]; /* the segment of each intake; "": none */
};

static unsigned intakes(const struct parent *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->n_children; i++)
		n += p->children[i].ops->kind == ROLE_INTAKE;
	return MAX(n, 1u);
}

/* ---- segments */

static uint64_t segment_size(const struct parent_record *r)
{
	uint64_t size = r->parent->config->record.max_size / SEGMENT_PARTS / intakes(r->parent);

	return MIN(MAX(size, SEGMENT_MIN), SEGMENT_MAX);
}

/* -1: it is said. */
static int open_segment(struct parent_record *r, unsigned intake)
{
	instant start = loop_wall();
	int fd = -1;

	if (mkdir(r->dir, 0700) != 0 && errno != EEXIST)
		log_error("msg=\"cannot make the folder of recordings\" path=%s reason=\"%s\"", r->dir, strerror(errno));
	for (int tries = 0; fd < 0 && tries < 100; tries++, start++) {
		char *path;

		record_segment_name(start, intake, r->writing[intake]);
		path = xasprintf("%s/%s", r->dir, r->writing[intake]);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		free(path);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0) {
		r->writing[intake][0] = '\0';
		log_error("msg=\"cannot record\" path=%s reason=\"%s\"", r->dir, strerror(errno));
	}
	return fd;
}

static bool is_written(const struct parent_record *r, const struct record_segment *s)
{
	return r->on && strcmp(r->writing[s->intake], s->name) == 0;
}

/* Oldest first, until age and size are kept with room for what is being written. */
static void tidy(struct parent_record *r)
{
	const struct config *c = r->parent->config;
	uint64_t room = segment_size(r) * intakes(r->parent), total = room;
	struct record_list l;
	struct error err;

	if (record_list_read(&l, r->dir, false, &err) != 0) {
		log_warn("msg=\"recordings cannot be tidied\" reason=\"%s\"", err.text);
		return;
	}
	for (size_t i = 0; i < l.n; i++)
		total += is_written(r, &l.v[i]) ? 0 : l.v[i].octets;
	for (size_t i = 0; i < l.n; i++) {
		const struct record_segment *s = &l.v[i];
		/* a segment holds what came until the next one of its intake began; its own start is the cautious end */
		bool old = s->start < loop_wall() - c->record.max_age, much = total > MAX(c->record.max_size, room);
		char *path;

		if (is_written(r, s) || !(old || much))
			continue;
		path = xasprintf("%s/%s", r->dir, s->name);
		if (unlink(path) == 0)
			total -= s->octets;
		free(path);
	}
	record_list_free(&l);
}

static void on_tidy(void *arg)
{
	struct parent_record *r = arg;

	tidy(r);
	loop_timer_set(r->tidy, TIDY_EVERY);
}

/* ---- what intakes are told */

static void tell(struct parent_record *r, struct child *c, bool file)
{
	const struct config *config = r->parent->config;
	int fd = r->on && file ? open_segment(r, c->index) : -1;
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	if (!r->on || (file && fd < 0)) {
		jw_kbool(&w, "stop", true);
	} else {
		jw_key(&w, "rate");
		jw_num(&w, config->record.max_rate / intakes(r->parent));
		jw_kint(&w, "size", (int64_t)segment_size(r));
	}
	jw_end(&w);
	child_send(c, FRAME_RECORD, 0, buf_slice(&b), fd);
	if (fd >= 0)
		close(fd);
	buf_free(&b);
}

static void tell_all(struct parent_record *r, bool file)
{
	for (size_t i = 0; i < r->parent->n_children; i++) {
		struct child *c = &r->parent->children[i];

		if (c->ops->kind == ROLE_INTAKE && c->control != NULL)
			tell(r, c, file);
	}
}

void parent_record_intake(struct parent_record *r, struct child *c)
{
	if (r->on)
		tell(r, c, true);
}

void parent_record_next(struct parent_record *r, struct child *c)
{
	tell(r, c, true);
	tidy(r);
}

static void turn(struct parent_record *r, bool on)
{
	if (r->on == on)
		return;
	r->on = on;
	log_notice("msg=\"recording %s\" path=%s", on ? "begins" : "ends", r->dir);
	tell_all(r, true);
}

void parent_record_config(struct parent_record *r)
{
	bool wanted = r->parent->config->record.enabled;

	if (r->on == wanted)
		tell_all(r, false);
	else
		turn(r, wanted);
	tidy(r);
}

/* ---- front's requests */

static void put_segment(struct jw *w, const struct parent_record *r, const struct record_segment *s)
{
	jw_object(w);
	jw_kstr(w, "name", s->name);
	jw_kint(w, "intake", s->intake);
	jw_ktime(w, "from", s->first);
	jw_ktime(w, "until", s->last);
	jw_kint(w, "payloads", (int64_t)s->items);
	jw_kint(w, "bytes", (int64_t)s->octets);
	jw_kbool(w, "torn", s->torn && !is_written(r, s));
	jw_kbool(w, "writing", is_written(r, s));
	jw_end(w);
}

static void put_state(struct jw *w, const struct parent_record *r)
{
	const struct config *c = r->parent->config;

	jw_kbool(w, "recording", r->on);
	jw_kstr(w, "path", r->dir);
	jw_kint(w, "max_size", (int64_t)c->record.max_size);
	jw_kint(w, "max_age_seconds", c->record.max_age / SECOND);
	jw_key(w, "max_rate");
	jw_num(w, c->record.max_rate);
}

static void put_list(struct jw *w, const struct parent_record *r)
{
	struct record_list l;
	struct error err;
	int rc = record_list_read(&l, r->dir, true, &err);

	jw_kbool(w, "ok", rc == 0);
	if (rc != 0)
		jw_kstr(w, "error", err.text);
	put_state(w, r);
	jw_key(w, "segments");
	jw_array(w);
	for (size_t i = 0; i < l.n; i++)
		put_segment(w, r, &l.v[i]);
	jw_array_end(w);
	record_list_free(&l);
}

void parent_record_command(struct parent_record *r, uint64_t id, struct slice payload)
{
	struct child *front = child_find(r->parent, ROLE_FRONT, 0);
	struct arena *a = arena_new(4096);
	struct error err;
	struct slice what = json_text(json_get(json_parse(a, payload, JSON_LIMITS, NULL, &err), "do"));
	struct buf b = {0};
	struct jw w = jw_new(&b);

	if (slice_is(what, "start") || slice_is(what, "stop"))
		turn(r, slice_is(what, "start"));
	jw_object(&w);
	if (slice_is(what, "list")) {
		put_list(&w, r);
	} else if (slice_is(what, "start") || slice_is(what, "stop")) {
		jw_kbool(&w, "ok", true);
		put_state(&w, r);
	} else {
		jw_kbool(&w, "ok", false);
		jw_kint(&w, "status", 400);
		jw_kstr(&w, "error", "send {\"do\": \"start\"} or {\"do\": \"stop\"}");
	}
	jw_end(&w);
	if (front != NULL)
		child_send(front, FRAME_REPLY, id, buf_slice(&b), -1);
	buf_free(&b);
	arena_free(a);
}

/* ---- life */

struct parent_record *parent_record_new(struct parent *p)
{
	struct parent_record *r = xcalloc(1, sizeof *r);

	r->parent = p;
	r->dir = xasprintf("%s/recordings", p->state_dir);
	r->on = p->config->record.enabled;
	r->tidy = loop_timer_new(p->loop, on_tidy, r);
	loop_timer_set(r->tidy, TIDY_EVERY);
	return r;
}

void parent_record_free(struct parent_record *r)
{
	if (r == NULL)
		return;
	loop_timer_free(r->tidy);
	free(r->dir);
	free(r);
}
