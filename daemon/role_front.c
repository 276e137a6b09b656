/* The front role: API, metrics, health. It reads the view rows and the counters; what changes state it asks of core, what
 * reloads it asks of the parent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "console/api.h"
#include "net/http_server.h"
#include "role.h"

#define FRONT_INTAKES  64
#define FRONT_SERVERS  16
#define COMMAND_WAIT   (10 * SECOND)

/* A request that waits for core's or the parent's word, or a tail that streams. */
struct pending {
	LIST_ENTRY(pending) link;
	struct http_request *request;
	uint64_t id;
	bool streams, of_core;
	instant since;
};

struct front_server {
	struct front *front;
	struct http_server *http;
	char *name;
	unsigned bind;
	bool admin; /* else metrics and health only */
};

struct front {
	struct role *role;
	struct api api;
	struct front_server servers[FRONT_SERVERS];
	size_t n_servers;
	bool ready;
	struct channel *core, *intakes[FRONT_INTAKES];
	LIST_HEAD(, pending) pending;
	uint64_t last_id;
	unsigned tails;
	struct loop_timer *patience;
};

/* ---- waiting requests */

static struct pending *wait_for(struct front *f, struct http_request *r, bool streams)
{
	struct pending *p = xcalloc(1, sizeof *p);

	*p = (struct pending){.request = r, .id = ++f->last_id, .streams = streams, .since = loop_mono()};
	LIST_INSERT_HEAD(&f->pending, p, link);
	http_request_set(r, p);
	return p;
}

static void forget(struct front *f, struct pending *p);

static void reply(struct front *f, uint64_t id, struct slice json)
{
	struct pending *p;
	struct arena *a;
	struct error err;
	struct json *j;
	int64_t status = 500;
	const struct json *ok;

	LIST_FOREACH(p, &f->pending, link)
		if (p->id == id && !p->streams)
			break;
	if (p == NULL)
		return;
	a = arena_new(4096);
	j = json_parse(a, json, JSON_LIMITS, NULL, &err);
	ok = json_get(j, "ok");
	if (ok != NULL && ok->boolean)
		status = 200;
	else if (!json_int(json_get(j, "status"), &status) || status < 400 || status > 599)
		status = 500;
	http_request_set(p->request, NULL);
	http_reply(p->request, (int)status, "application/json", json, NULL);
	forget(f, p);
	arena_free(a);
}

static void tails_tell(struct front *f)
{
	for (size_t i = 0; i < FRONT_INTAKES; i++)
		if (f->intakes[i] != NULL)
			channel_send(f->intakes[i], FRAME_TAIL, f->tails > 0 ? 1 : 0, SLICE_NONE);
}

static void forget(struct front *f, struct pending *p)
{
	bool streams = p->streams;

	LIST_REMOVE(p, link);
	free(p);
	if (streams && --f->tails == 0)
		tails_tell(f);
}

static void on_patience(void *arg)
{
	struct front *f = arg;
	struct pending *p, *next;

	for (p = LIST_FIRST(&f->pending); p != NULL; p = next) {
		next = LIST_NEXT(p, link);
		if (p->streams || loop_mono() - p->since < COMMAND_WAIT)
			continue;
		http_request_set(p->request, NULL);
		http_problem(p->request, 504, "no answer within 10 s; it may still happen: look again");
		forget(f, p);
	}
	api_tick(&f->api, loop_mono());
	loop_timer_set(f->patience, SECOND);
}

/* ---- requests */

static void command(struct front *f, struct http_request *r, struct slice what, struct slice id)
{
	struct arena *a = arena_new(4096);
	struct slice body = http_request_body(r);
	struct error err;
	struct json *j = body.n > 0 ? json_parse(a, body, JSON_LIMITS, NULL, &err) : NULL;
	struct slice action = what.p != NULL ? what : json_text(json_get(j, "action"));
	struct buf b = {0};
	struct jw w = jw_new(&b);
	uint32_t uid = 0, gid = 0;
	char by[32] = "admin";

	if (f->core == NULL) {
		http_problem(r, 503, "core is starting; try again");
	} else if (action.p == NULL) {
		http_problem(r, 400, "send {\"action\": \"ack\", \"note\": \"…\"}; actions are ack, unack, resolve, reopen, note, merge (into), split (alerts)");
	} else {
		if (http_request_uid(r, &uid, &gid))
			snprintf(by, sizeof by, "uid %u", uid);
		jw_object(&w);
		jw_kslice(&w, "do", action);
		jw_kslice(&w, "id", id);
		jw_kslice(&w, "text", json_text(json_get(j, "note")));
		if (j != NULL && slice_starts(action, SLICE("silence-"))) {
			jw_key(&w, "body");
			jw_tree(&w, j);
		}
		if (json_get(j, "into") != NULL)
			jw_kslice(&w, "into", json_text(json_get(j, "into")));
		if (json_get(j, "alerts") != NULL) {
			jw_key(&w, "alerts");
			jw_tree(&w, json_get(j, "alerts"));
		}
		jw_kstr(&w, "by", by);
		jw_end(&w);
		struct pending *p = wait_for(f, r, false);

		p->of_core = true;
		channel_send(f->core, FRAME_COMMAND, p->id, buf_slice(&b));
	}
	buf_free(&b);
	arena_free(a);
}

/* Test input: any intake will do. */
static void send_events(struct front *f, struct http_request *r)
{
	for (size_t i = 0; i < FRONT_INTAKES; i++) {
		if (f->intakes[i] == NULL)
			continue;
		channel_send(f->intakes[i], FRAME_SEND, wait_for(f, r, false)->id, http_request_body(r));
		return;
	}
	http_problem(r, 503, "no intake runs yet; try again");
}

static void post(struct front *f, struct http_request *r, struct slice path)
{
	struct slice rest, id;

	if (slice_is(path, "/api/v1/reload")) {
		role_send(f->role, FRAME_RELOAD, wait_for(f, r, false)->id, SLICE_NONE, -1);
	} else if (slice_is(path, "/api/v1/rules/shadow")) {
		role_send(f->role, FRAME_SHADOW, wait_for(f, r, false)->id, http_request_body(r), -1);
	} else if (slice_is(path, "/api/v1/events")) {
		send_events(f, r);
	} else if (slice_is(path, "/api/v1/record")) {
		role_send(f->role, FRAME_RECORD, wait_for(f, r, false)->id, http_request_body(r), -1);
	} else if (slice_starts(path, SLICE("/api/v1/incidents/"))) {
		rest = slice_sub(path, 18, SIZE_MAX);
		slice_split(&rest, '/', &id);
		if (slice_is(rest, "actions"))
			command(f, r, SLICE_NONE, id);
		else
			http_problem(r, 404, "there is no such path; post to /api/v1/incidents/ID/actions");
	} else if (slice_starts(path, SLICE("/api/v1/tickets/outbox/"))) {
		rest = slice_sub(path, 23, SIZE_MAX);
		slice_split(&rest, '/', &id);
		if (slice_is(rest, "retry"))
			command(f, r, SLICE("outbox-retry"), id);
		else if (slice_is(rest, "discard"))
			command(f, r, SLICE("outbox-discard"), id);
		else
			http_problem(r, 404, "post to …/retry or …/discard");
	} else if (slice_is(path, "/api/v1/silences")) {
		command(f, r, SLICE("silence-add"), SLICE_NONE);
	} else if (slice_is(path, "/api/v1/silences/preview")) {
		command(f, r, SLICE("silence-preview"), SLICE_NONE);
	} else if (slice_starts(path, SLICE("/api/v1/silences/")) && slice_ends(path, SLICE("/extend"))) {
		command(f, r, SLICE("silence-extend"), slice_sub(path, 17, path.n - 17 - 7));
	} else if (slice_starts(path, SLICE("/api/v1/tickets/"))) {
		rest = slice_sub(path, 16, SIZE_MAX);
		slice_split(&rest, '/', &id);
		if (slice_is(rest, "check"))
			command(f, r, SLICE("check"), id);
		else
			http_problem(r, 404, "post to /api/v1/tickets/NAME/check");
	} else {
		http_problem(r, 404, "there is nothing to post to here");
	}
}

/* True when it is a question for the engine, which answers itself. */
static bool ask(struct front *f, struct http_request *r, const struct http_head *head)
{
	struct buf question = {0};
	bool is = api_ask(head->path, head->query, &question);

	if (is && f->core == NULL) {
		http_problem(r, 503, "core is starting; try again");
	} else if (is) {
		struct pending *p = wait_for(f, r, false);

		p->of_core = true;
		channel_send(f->core, FRAME_ASK, p->id, buf_slice(&question));
	}
	buf_free(&question);
	return is;
}

static void get(struct front *f, struct http_request *r, const struct http_head *head)
{
	struct api_answer answer = {0};

	f->api.now = loop_now(f->role->loop);
	f->api.mono = loop_mono();
	f->api.config = f->role->config;
	f->api.generation = f->role->generation;
	api_get(&f->api, head->path, head->query, &answer);
	if (answer.status == 0)
		http_problem(r, 404, "there is no such path");
	else
		http_reply(r, answer.status, answer.type, buf_slice(&answer.body), NULL);
	buf_free(&answer.body);
}

static void tail(struct front *f, struct http_request *r)
{
	if (slice_is(http_request_head(r)->method, "HEAD")) {
		http_reply(r, 200, "application/x-ndjson", SLICE(""), NULL);
		return;
	}
	http_stream_start(r, "application/x-ndjson");
	wait_for(f, r, true);
	if (f->tails++ == 0)
		tails_tell(f);
}

static void shadow_report(struct front *f, struct http_request *r)
{
	struct pending *p;

	if (f->core == NULL) {
		http_problem(r, 503, "core is starting; try again");
		return;
	}
	p = wait_for(f, r, false);
	p->of_core = true;
	channel_send(f->core, FRAME_SHADOW, p->id, SLICE_NONE);
}

static void on_request(struct http_request *r, void *arg)
{
	struct front_server *s = arg;
	struct front *f = s->front;
	const struct http_head *head = http_request_head(r);
	bool reads = slice_is(head->method, "GET") || slice_is(head->method, "HEAD");

	http_request_set(r, NULL);
	if (f->role->config == NULL)
		http_problem(r, 503, "starting");
	else if (!s->admin && !slice_is(head->path, "/metrics") && !slice_starts(head->path, SLICE("/-/")))
		http_problem(r, 404, "only /metrics, /-/ready and /-/healthy are here; the API is on the admin socket");
	else if (reads && slice_is(head->path, "/api/v1/events/stream"))
		tail(f, r);
	else if (reads && slice_is(head->path, "/api/v1/rules/shadow"))
		shadow_report(f, r);
	else if (reads && slice_is(head->path, "/api/v1/record")) /* front may not look into the recordings: the parent does */
		role_send(f->role, FRAME_RECORD, wait_for(f, r, false)->id, SLICE("{\"do\":\"list\"}"), -1);
	else if (reads && ask(f, r, head))
		return;
	else if (reads)
		get(f, r, head);
	else if (slice_is(head->method, "POST") && s->admin)
		post(f, r, head->path);
	else if (slice_is(head->method, "DELETE") && s->admin && slice_starts(head->path, SLICE("/api/v1/silences/")))
		command(f, r, SLICE("silence-expire"), slice_sub(head->path, 17, SIZE_MAX));
	else
		http_problem(r, 405, "this method is not available here");
}

static void on_gone(struct http_request *r, void *arg)
{
	struct front_server *s = arg;
	struct pending *p = http_request_user(r);

	if (p != NULL)
		forget(s->front, p);
}

/* ---- channels */

static void core_frame(struct channel *c UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_REPLY)
		reply(arg, head->seq, payload);
}

/* Whether what was asked for has happened only the next core knows. */
static void core_gone(struct front *f)
{
	struct pending *p, *next;

	for (p = LIST_FIRST(&f->pending); p != NULL; p = next) {
		next = LIST_NEXT(p, link);
		if (!p->of_core)
			continue;
		http_request_set(p->request, NULL);
		http_problem(p->request, 503, "core ended meanwhile; it may have happened: look again");
		forget(f, p);
	}
}

static void core_closed(struct channel *c, void *arg)
{
	struct front *f = arg;

	channel_free(c);
	f->core = NULL;
	core_gone(f);
}

static void intake_frame(struct channel *c UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	struct front *f = arg;
	struct pending *p, *next;
	struct buf line = {0};

	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_REPLY)
		reply(f, head->seq, payload);
	if (head->kind != FRAME_TAIL)
		return;
	buf_adds(&line, payload);
	buf_char(&line, '\n');
	for (p = LIST_FIRST(&f->pending); p != NULL; p = next) {
		next = LIST_NEXT(p, link);
		if (p->streams && !http_stream_send(p->request, buf_slice(&line))) {
			http_request_set(p->request, NULL);
			http_stream_end(p->request);
			forget(f, p);
		}
	}
	buf_free(&line);
}

static void intake_closed(struct channel *c, void *arg)
{
	struct front *f = arg;

	for (size_t i = 0; i < FRONT_INTAKES; i++)
		if (f->intakes[i] == c)
			f->intakes[i] = NULL;
	channel_free(c);
}

static void front_peer(void *self, enum role_kind kind, unsigned index, int fd)
{
	static const struct channel_events core_ev = {.frame = core_frame, .closed = core_closed};
	static const struct channel_events intake_ev = {.frame = intake_frame, .closed = intake_closed};
	struct front *f = self;

	if (kind == ROLE_CORE) {
		channel_free(f->core);
		core_gone(f);
		f->core = channel_new(f->role->loop, fd, &core_ev, f);
	} else if (kind == ROLE_INTAKE && index < FRONT_INTAKES) {
		channel_free(f->intakes[index]);
		f->intakes[index] = channel_new(f->role->loop, fd, &intake_ev, f);
		if (f->tails > 0)
			channel_send(f->intakes[index], FRAME_TAIL, 1, SLICE_NONE);
	} else {
		close(fd);
	}
}

static void front_frame(void *self, const struct frame *head, struct slice payload, int fd)
{
	struct front *f = self;

	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_MAP_STATE) {
		buf_clear(&f->api.map_state);
		buf_adds(&f->api.map_state, payload);
	} else if (head->kind == FRAME_REPLY) {
		reply(f, head->seq, payload);
	}
}

/* ---- life */

static void front_listen(void *self, const char *listener, unsigned bind, int fd)
{
	static const struct http_events events = {.request = on_request, .gone = on_gone};
	static const struct http_limits lim = {8192, 1 << 20, 500, 500, 10 * SECOND, 30 * SECOND, 300 * SECOND};
	struct front *f = self;
	struct front_server *s;

	for (size_t i = 0; i < f->n_servers; i++)
		if (strcmp(f->servers[i].name, listener) == 0 && f->servers[i].bind == bind) {
			close(fd); /* a reload names again what is open already */
			return;
		}
	if (f->n_servers == FRONT_SERVERS) {
		close(fd);
		return;
	}
	s = &f->servers[f->n_servers++];
	*s = (struct front_server){.front = f, .name = xstrdup(listener), .bind = bind, .admin = strcmp(listener, "@admin") == 0};
	s->http = http_server_new(f->role->loop, fd, &lim, &events, s);
}

static void *front_start(struct role *r)
{
	struct front *f = xcalloc(1, sizeof *f);

	f->role = r;
	f->api = (struct api){.state_dir = r->state_dir, .counters = r->counters, .started = loop_wall()};
	LIST_INIT(&f->pending);
	f->patience = loop_timer_new(r->loop, on_patience, f);
	return f;
}

static int front_compile(void *self UNUSED, const struct bundle *b UNUSED, const struct config *next UNUSED, uint32_t generation UNUSED,
                         struct error *err UNUSED)
{
	return 0;
}

static void front_swap(void *self, const struct config *config, uint32_t generation)
{
	struct front *f = self;

	f->api.config = config;
	f->api.generation = generation;
	if (!f->ready)
		role_ready(f->role, NULL);
	f->ready = true;
	loop_timer_set(f->patience, SECOND);
}

static void front_stop(void *self)
{
	struct front *f = self;

	role_done(f->role);
}

static void front_free(void *self)
{
	struct front *f = self;
	struct pending *p;

	for (size_t i = 0; i < f->n_servers; i++) {
		http_server_free(f->servers[i].http);
		free(f->servers[i].name);
	}
	while ((p = LIST_FIRST(&f->pending)) != NULL) {
		LIST_REMOVE(p, link);
		free(p);
	}
	channel_free(f->core);
	for (size_t i = 0; i < FRONT_INTAKES; i++)
		channel_free(f->intakes[i]);
	api_close(&f->api);
	loop_timer_free(f->patience);
	free(f);
}

const struct role_ops role_front = {.kind = ROLE_FRONT,
                                    .sandbox = SANDBOX_FRONT,
                                    .start = front_start,
                                    .compile = front_compile,
                                    .swap = front_swap,
                                    .peer = front_peer,
                                    .listen = front_listen,
                                    .frame = front_frame,
                                    .stop = front_stop,
                                    .free = front_free};
