/* The egress role: ticket operations out, their results back. It alone holds ticket secrets and makes outgoing calls.
 * Retry, order within an incident and the breaker belong to the engine; here are only concurrency, rate and HTTP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http_client.h"
#include "plugins/tickets/adapter.h"
#include "role.h"

struct egress;
struct destination;

struct job {
	TAILQ_ENTRY(job) link;
	struct destination *dest;
	struct buf bytes;          /* the encoded operation */
	struct ticket_op op;       /* borrows from bytes */
	struct ticket_talk *talk;  /* under way */
	bool orphan;               /* the core that asked is gone: nobody waits for the result */
	instant began;
};
TAILQ_HEAD(jobs, job);

struct destination {
	struct egress *egress;
	const struct ticket_config *config;
	struct ticket_profile *profile;
	struct ticket_connection connection;
	struct secret *secrets;
	struct slice *secret_values;
	struct jobs waiting, running;
	int n_running, concurrency;
	bool pumping;
	double rate, tokens;
	instant filled;
	int file;                  /* of a profile that writes one; -1: not (yet) open */
	struct loop_timer *timer;  /* until the next token, or until secrets were read again */
	struct ticket_session *session; /* where a login's token is kept */
	bool doubted;              /* the credentials were refused: they may have been replaced on disk */
	instant asked;             /* when they were asked for since; 0: not yet */
	_Atomic uint64_t *requests[TICKET_CHECK + 1][TICKET_UNCERTAIN + 1];
};

struct egress_gen {
	struct destination *v; size_t n;
};

struct egress {
	struct role *role;
	struct http_client *http;
	struct channel *core;
	struct egress_gen *gen, *next;
};

/* ---- results */

static void send_result(struct egress *e, const struct ticket_result *r)
{
	struct buf b = {0};

	if (e->core == NULL)
		return;
	ticket_result_encode(r, &b);
	channel_send(e->core, FRAME_TICKET_RESULT, 0, buf_slice(&b));
	buf_free(&b);
}

static void refuse(struct egress *e, const struct ticket_op *op, const char *why)
{
	struct ticket_result r = {.id = op->id, .attempt = op->attempt, .verb = op->verb, .outcome = TICKET_REFUSED, .cls = TICKET_CLASS_CONFIG,
	                          .message = slice_str(why)};

	send_result(e, &r);
}

static void count(struct destination *d, const struct ticket_result *r)
{
	_Atomic uint64_t **cell = &d->requests[r->verb][r->outcome];

	if (*cell == NULL) {
		char label[200];
		snprintf(label, sizeof label, "ticket=\"%s\",operation=\"%s\",outcome=\"%s\"", d->config->name, ticket_verb_word(r->verb),
		         ticket_outcome_word(r->outcome));
		*cell = counter(d->egress->role->counters, "carillon_ticket_requests_total", label);
	}
	counter_add(*cell, 1);
}

/* ---- one operation: request, answer, perhaps another request */

static void pump(struct destination *d);
static void step(struct job *j);

static void job_free(struct job *j)
{
	ticket_talk_free(j->talk);
	buf_free(&j->bytes);
	free(j);
}

static void finish(struct job *j, const struct ticket_result *r)
{
	struct destination *d = j->dest;
	struct egress *e = d->egress;

	count(d, r);
	if (r->outcome != TICKET_DONE)
		log_info("msg=\"ticket operation\" ticket=%s inc=" SLICE_FMT " verb=%s outcome=%s class=%s status=%d reason=\"" SLICE_FMT "\"", d->config->name,
		         SLICE_ARG(j->op.incident), ticket_verb_word(r->verb), ticket_outcome_word(r->outcome), ticket_class_word(r->cls), r->status,
		         SLICE_ARG(r->message));
	if (!j->orphan)
		send_result(e, r);
	if (r->cls == TICKET_CLASS_AUTH) {
		d->doubted = true;
		d->asked = 0;
	}
	TAILQ_REMOVE(&d->running, j, link);
	d->n_running--;
	job_free(j);
	pump(d);
}

static void answered(const struct http_answer *a, void *arg)
{
	struct job *j = arg;
	struct ticket_answer t = {.status = a->status, .sent = a->sent, .headers = a->headers, .body = a->body, .failure = a->failure};

	ticket_talk_answer(j->talk, &t);
	step(j);
}

static void ask_for_file(struct destination *d)
{
	if (d->profile != NULL && ticket_profile_writes_file(d->profile))
		role_send(d->egress->role, FRAME_TICKET_FILE, 0, slice_str(d->config->name), -1);
}

/* One line to the log, or to the file that the parent has opened. */
static void write_line(struct job *j, struct slice text)
{
	struct destination *d = j->dest;
	struct ticket_answer a = {.status = 200, .sent = true, .headers = SLICE(""), .body = SLICE("")};
	struct buf line = {0};

	buf_adds(&line, text);
	buf_char(&line, '\n');
	if (ticket_profile_writes_log(d->profile)) {
		log_notice("msg=\"ticket\" ticket=%s op=" SLICE_FMT, d->config->name, SLICE_ARG(text));
	} else if (d->file < 0) {
		ask_for_file(d);
		a = (struct ticket_answer){.sent = false, .failure = "the file is not open yet"};
	} else if (write(d->file, line.p, line.n) != (ssize_t)line.n) {
		/* O_APPEND: a line is there as a whole or, on a full disk, cut */
		a = (struct ticket_answer){.sent = true, .failure = strerror(errno)};
	}
	ticket_talk_answer(j->talk, &a);
	buf_free(&line);
}

static void step(struct job *j)
{
	const struct ticket_config *c = j->dest->config;
	struct ticket_request req;
	struct ticket_result res;
	struct error err;

	while (ticket_talk_next(j->talk, &req, &res) == TALK_REQUEST) {
		if (strcmp(req.method, "WRITE") == 0) {
			write_line(j, req.body);
			continue;
		}
		struct http_call call = {.method = req.method, .url = req.url, .headers = req.headers, .body = req.body, .timeout = c->timeout,
		                         .ca_file = c->ca_file[0] != '\0' ? c->ca_file : NULL, .pin = c->pin[0] != '\0' ? c->pin : NULL};
		struct ticket_answer none = {.sent = false, .failure = err.text};

		if (http_client_call(j->dest->egress->http, &call, answered, j, &err))
			return;
		ticket_talk_answer(j->talk, &none);
	}
	finish(j, &res);
}

static bool take_token(struct destination *d)
{
	instant now = loop_mono();

	if (d->rate <= 0)
		return true;
	d->tokens = MIN(d->tokens + d->rate * (double)(now - d->filled) / (double)SECOND, MAX(d->rate, 1.0));
	d->filled = now;
	if (d->tokens < 1) {
		loop_timer_set(d->timer, (duration)((1 - d->tokens) / d->rate * (double)SECOND) + MSEC);
		return false;
	}
	d->tokens -= 1;
	return true;
}

/* After a 401 nothing goes out before the secrets have been read again; a second without them is long enough. */
static bool trusts_secrets(struct destination *d)
{
	instant now = loop_mono();

	if (!d->doubted)
		return true;
	if (d->asked == 0) {
		role_send(d->egress->role, FRAME_SECRET, 0, SLICE_NONE, -1);
		d->asked = now;
	}
	if (now - d->asked < SECOND) {
		loop_timer_set(d->timer, d->asked + SECOND - now);
		return false;
	}
	d->doubted = false;
	return true;
}

/* What a former core asked for an incident may still be under way: a search beside it would not find what it makes. */
static bool is_under_way(const struct destination *d, const struct job *j)
{
	const struct job *other;

	TAILQ_FOREACH(other, &d->running, link)
		if (slice_eq(other->op.incident, j->op.incident))
			return true;
	return false;
}

static struct job *next_job(const struct destination *d)
{
	struct job *j;

	TAILQ_FOREACH(j, &d->waiting, link)
		if (!is_under_way(d, j))
			return j;
	return NULL;
}

static void pump(struct destination *d)
{
	struct job *j;

	/* an operation that is over at once comes back here: the loop goes on with the next one, not the stack */
	if (d->pumping)
		return;
	d->pumping = true;
	while (d->n_running < d->concurrency && (j = next_job(d)) != NULL && trusts_secrets(d) && take_token(d)) {
		TAILQ_REMOVE(&d->waiting, j, link);
		TAILQ_INSERT_TAIL(&d->running, j, link);
		d->n_running++;
		ticket_session_time(d->session, loop_mono());
		j->talk = ticket_talk_new(&d->connection, &j->op);
		step(j);
	}
	d->pumping = false;
}

static void on_token(void *arg)
{
	pump(arg);
}

/* Creates before updates, P1 before P5, else in order of arrival. */
static bool before(const struct ticket_op *a, const struct ticket_op *b)
{
	bool ca = a->verb == TICKET_CREATE || a->verb == TICKET_FIND, cb = b->verb == TICKET_CREATE || b->verb == TICKET_FIND;

	return ca != cb ? ca : a->priority < b->priority;
}

static struct destination *find(struct egress *e, struct slice name)
{
	for (size_t i = 0; e->gen != NULL && i < e->gen->n; i++)
		if (slice_is(name, e->gen->v[i].config->name))
			return &e->gen->v[i];
	return NULL;
}

static void enqueue(struct egress *e, struct slice payload)
{
	struct job *j = xcalloc(1, sizeof *j), *other;

	buf_adds(&j->bytes, payload);
	if (DOUBT(!ticket_op_decode(buf_slice(&j->bytes), &j->op))) {
		job_free(j);
		return;
	}
	j->dest = find(e, j->op.destination);
	if (j->dest == NULL || j->dest->profile == NULL) {
		refuse(e, &j->op, "there is no ticket connection of this name with a profile; see tickets in carillon.yaml");
		job_free(j);
		return;
	}
	TAILQ_FOREACH(other, &j->dest->waiting, link)
		if (before(&j->op, &other->op))
			break;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, j, link);
	else
		TAILQ_INSERT_TAIL(&j->dest->waiting, j, link);
	pump(j->dest);
}

/* ---- channel */

static void core_frame(struct channel *c UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_TICKET_OP)
		enqueue(arg, payload);
}

/* What the former core asked is offered again by the next one, which searches first: forget what has not begun. */
static void forget(struct egress *e)
{
	for (size_t i = 0; e->gen != NULL && i < e->gen->n; i++) {
		struct destination *d = &e->gen->v[i];
		struct job *j;

		while ((j = TAILQ_FIRST(&d->waiting)) != NULL) {
			TAILQ_REMOVE(&d->waiting, j, link);
			job_free(j);
		}
		TAILQ_FOREACH(j, &d->running, link)
			j->orphan = true;
	}
}

static void core_closed(struct channel *c, void *arg)
{
	struct egress *e = arg;

	channel_free(c);
	e->core = NULL;
	forget(e);
}

static void egress_peer(void *self, enum role_kind kind, unsigned index UNUSED, int fd)
{
	static const struct channel_events events = {.frame = core_frame, .closed = core_closed};
	struct egress *e = self;

	if (kind != ROLE_CORE) {
		close(fd);
		return;
	}
	if (e->core != NULL)
		forget(e);
	channel_free(e->core);
	e->core = channel_new(e->role->loop, fd, &events, e);
}

/* ---- generations */

static void gen_free(struct egress_gen *g)
{
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		struct destination *d = &g->v[i];

		for (size_t k = 0; k < d->connection.n_secrets; k++)
			secret_wipe(&d->secrets[k]);
		free(d->secrets);
		free(d->secret_values);
		loop_timer_free(d->timer);
		ticket_profile_free(d->profile);
		ticket_session_free(d->session);
		if (d->file >= 0)
			close(d->file);
	}
	if (g != NULL)
		free(g->v);
	free(g);
}

static int load_profile(struct destination *d, const struct bundle *b, struct error *err)
{
	const struct ticket_config *c = d->config;
	const struct bundle_file *file = bundle_profile(b, BUNDLE_TICKET_PROFILE, c->profile);
	struct findings f = {0};
	struct buf text = {0};

	if (file == NULL)
		return error_set(err, "tickets.%s: there is no ticket profile '%s' in plugins/tickets", c->name, c->profile);
	d->profile = ticket_profile_load(file->name, file->text, &f);
	if (d->profile == NULL) {
		findings_text(&f, &text);
		error_set(err, SLICE_FMT, SLICE_ARG(slice_trim(buf_slice(&text))));
	}
	findings_clear(&f);
	buf_free(&text);
	if (d->profile == NULL)
		return -1;
	d->connection.profile = d->profile;
	if (ticket_connection_check(&d->connection, err) != 0)
		return error_wrap(err, "tickets.%s", c->name);
	d->concurrency = c->concurrency > 0 ? c->concurrency : ticket_profile_concurrency(d->profile);
	d->rate = c->rate > 0 ? c->rate : ticket_profile_rate(d->profile);
	return 0;
}

static int destination_new(struct egress *e, struct destination *d, const struct ticket_config *c, const struct bundle *b, struct error *err)
{
	d->egress = e;
	d->config = c;
	d->tokens = 1;
	d->filled = loop_mono();
	d->timer = loop_timer_new(e->role->loop, on_token, d);
	TAILQ_INIT(&d->waiting);
	TAILQ_INIT(&d->running);
	d->file = -1;
	d->session = ticket_session_new();
	d->secrets = xcalloc(c->n_secrets + 1, sizeof *d->secrets);
	d->secret_values = xcalloc(c->n_secrets + 1, sizeof *d->secret_values);
	d->connection = (struct ticket_connection){.conf_keys = (const char *const *)c->conf_keys,
	                                           .conf_values = (const char *const *)c->conf_values,
	                                           .n_conf = c->n_conf,
	                                           .secret_keys = (const char *const *)c->secret_keys,
	                                           .secret_values = d->secret_values,
	                                           .n_secrets = c->n_secrets,
	                                           .session = d->session};
	return c->profile[0] != '\0' ? load_profile(d, b, err) : 0;
}

static int egress_compile(void *self, const struct bundle *b, const struct config *next, uint32_t generation UNUSED, struct error *err)
{
	struct egress *e = self;
	struct egress_gen *g = xcalloc(1, sizeof *g);

	gen_free(e->next);
	e->next = NULL;
	g->v = xcalloc(next->n_tickets + 1, sizeof *g->v);
	for (size_t i = 0; i < next->n_tickets; i++) {
		g->n++;
		if (destination_new(e, &g->v[i], &next->tickets[i], b, err) != 0) {
			gen_free(g);
			return -1;
		}
	}
	e->next = g;
	return 0;
}

static void set_secret(struct egress_gen *g, const char *ref, struct slice value)
{
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		struct destination *d = &g->v[i];

		for (size_t k = 0; k < d->config->n_secrets; k++) {
			if (d->config->secrets[k].ref == NULL || strcmp(d->config->secrets[k].ref, ref) != 0)
				continue;
			secret_take(&d->secrets[k], value);
			ticket_session_forget(d->session);
			d->secret_values[k] = slice_of(d->secrets[k].p, d->secrets[k].n);
			if (d->doubted && d->asked != 0) {
				d->doubted = false;
				loop_timer_set(d->timer, MSEC); /* the other secrets come in the same breath */
			}
		}
	}
}

/* Jobs go over to the same destination of the next generation; what runs keeps its own talk to the end. */
static void carry_over(struct egress *e, struct egress_gen *from, struct egress_gen *to)
{
	for (size_t i = 0; from != NULL && i < from->n; i++)
		for (size_t k = 0; k < from->v[i].config->n_secrets; k++)
			if (from->v[i].secrets[k].p != NULL && from->v[i].config->secrets[k].ref != NULL)
				set_secret(to, from->v[i].config->secrets[k].ref, from->v[i].secret_values[k]);
	for (size_t i = 0; from != NULL && i < from->n; i++) {
		struct destination *d = &from->v[i];
		struct job *j;

		while ((j = TAILQ_FIRST(&d->waiting)) != NULL) {
			TAILQ_REMOVE(&d->waiting, j, link);
			enqueue(e, buf_slice(&j->bytes));
			job_free(j);
		}
	}
}

static void egress_swap(void *self, const struct config *config UNUSED, uint32_t generation UNUSED)
{
	struct egress *e = self;
	struct egress_gen *former = e->gen;
	bool first = former == NULL;

	BUG_ON(e->next == NULL);
	/* requests under way borrow from their destination: their outcome becomes unknown, core searches then */
	for (size_t i = 0; former != NULL && i < former->n; i++) {
		struct job *j;

		while ((j = TAILQ_FIRST(&former->v[i].running)) != NULL) {
			struct ticket_result r = {.id = j->op.id, .attempt = j->op.attempt, .verb = j->op.verb, .outcome = TICKET_UNCERTAIN,
			                          .cls = TICKET_CLASS_TRANSIENT, .message = SLICE("interrupted by a reload")};
			http_client_cancel(e->http, j);
			if (!j->orphan)
				send_result(e, &r);
			TAILQ_REMOVE(&former->v[i].running, j, link);
			job_free(j);
		}
	}
	e->gen = e->next;
	e->next = NULL;
	for (size_t i = 0; i < e->gen->n; i++)
		ask_for_file(&e->gen->v[i]);
	carry_over(e, former, e->gen);
	gen_free(former);
	if (first)
		role_ready(e->role, NULL);
}

static void egress_secret(void *self, const char *ref, struct slice value)
{
	struct egress *e = self;

	set_secret(e->gen, ref, value);
	set_secret(e->next, ref, value);
}

/* The file of a connection, opened by the parent. */
static void egress_frame(void *self, const struct frame *head, struct slice payload, int fd)
{
	struct egress *e = self;
	struct destination *d = head->kind == FRAME_TICKET_FILE ? find(e, payload) : NULL;

	if (d == NULL || d->profile == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (d->file >= 0)
		close(d->file);
	d->file = fd;
}

/* ---- life */

static void *egress_start(struct role *r)
{
	struct egress *e = xcalloc(1, sizeof *e);
	struct error err;

	e->role = r;
	e->http = http_client_new(r->loop, &err);
	if (e->http == NULL) {
		log_error("msg=\"no HTTP client\" reason=\"%s\"", err.text);
		role_ready(r, err.text);
	}
	return e;
}

static void egress_stop(void *self)
{
	struct egress *e = self;

	if (e->core != NULL)
		channel_flush(e->core, SECOND);
	role_done(e->role);
}

static void egress_free(void *self)
{
	struct egress *e = self;

	for (size_t i = 0; e->gen != NULL && i < e->gen->n; i++) {
		struct job *j;
		while ((j = TAILQ_FIRST(&e->gen->v[i].running)) != NULL) {
			http_client_cancel(e->http, j);
			TAILQ_REMOVE(&e->gen->v[i].running, j, link);
			job_free(j);
		}
		while ((j = TAILQ_FIRST(&e->gen->v[i].waiting)) != NULL) {
			TAILQ_REMOVE(&e->gen->v[i].waiting, j, link);
			job_free(j);
		}
	}
	if (e->http != NULL)
		http_client_free(e->http);
	gen_free(e->gen);
	gen_free(e->next);
	channel_free(e->core);
	free(e);
}

const struct role_ops role_egress = {.kind = ROLE_EGRESS,
                                     .sandbox = SANDBOX_EGRESS,
                                     .start = egress_start,
                                     .compile = egress_compile,
                                     .swap = egress_swap,
                                     .secret = egress_secret,
                                     .peer = egress_peer,
                                     .frame = egress_frame,
                                     .stop = egress_stop,
                                     .free = egress_free};
