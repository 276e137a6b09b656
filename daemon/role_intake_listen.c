/* Intake's sockets: UDP datagrams, syslog streams, RELP; webhooks are role_intake_hook.c's. A socket outlives reloads; it finds its listener by
 * name each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/wire.h"
#include "plugins/relp/relp.h"
#include "role_intake.h"

#define INFORM_MEMORY (60 * SECOND)
#define INFORMS_MAX   100000u
#define FRAME_TIME    (60 * SECOND)
#define SILENCE       SECOND

struct stream_conn {
	struct waiter waiter; /* first: the waiter is the connection */
	struct intake_socket *socket;
	struct conn *conn;
	struct syslog_framer framer;
	struct relp relp;          /* relp:// */
	struct buf answers;        /* wait for the commit */
	bool ending;               /* the session is over when they have left */
	struct loop_timer *breath; /* RELP: the sender is too fast, read again then; multi_line: the sender is silent */
	bool begun;                /* a frame has: it has a deadline */
	bool known; /* the client has shown a certificate that may send, or none is asked for */
	LIST_ENTRY(stream_conn) link;
};

struct intake_listener *intake_listener(struct intake *in, const char *name)
{
	for (size_t i = 0; in->gen != NULL && i < in->gen->n_listeners; i++)
		if (strcmp(in->gen->listeners[i].config->name, name) == 0)
			return &in->gen->listeners[i];
	return NULL;
}

struct decode_env intake_env(struct intake *in, const struct intake_listener *l, const struct peer *from)
{
	return (struct decode_env){.received = loop_now(in->role->loop),
	                           /* who sends over a unix socket is this host */
	                           .sender = slice_str(strcmp(from->text, "unix") == 0 ? in->gen->config->instance : from->text),
	                           .source = l->config->name,
	                           .zone_offset = in->zone_offset,
	                           .max_event = in->gen->config->limits.event_size};
}

/* ---- UDP */

struct inform_wait {
	struct waiter waiter;
	struct intake_socket *socket;
	struct buf reply;
	unsigned char addr[]; /* udp_addr_size() */
};

static void inform_done(struct waiter *w)
{
	struct inform_wait *i = (struct inform_wait *)(void *)w;

	if (i->socket->udp != NULL)
		udp_reply(i->socket->udp, i->addr, buf_slice(&i->reply));
	buf_free(&i->reply);
	free(i);
}

static void answer_inform(struct intake_socket *s, const struct datagram *d, struct buf *reply)
{
	struct inform_wait *i = xcalloc(1, sizeof *i + udp_addr_size());

	i->socket = s;
	memcpy(i->addr, d->addr, udp_addr_size());
	i->reply = *reply;
	*reply = (struct buf){0};
	intake_wait(s->intake, &i->waiter, inform_done);
}

/* intake.md section 6.10: a repeated inform is answered again and gives no second event. */
static bool inform_repeats(struct intake *in, const struct intake_listener *l, const struct decode_env *env, const struct datagram *d)
{
	instant now = loop_now(in->role->loop);
	char key[96];
	int64_t id;
	int n;
	void *seen;

	if (!snmptrap_inform_key(l->settings, env, d->bytes, &id))
		return false;
	if (now - in->informs_since > INFORM_MEMORY || now < in->informs_since || hmap_len(in->informs) > INFORMS_MAX) {
		struct hmap *oldest = in->informs_before;

		hmap_clear(oldest);
		in->informs_before = in->informs;
		in->informs = oldest;
		in->informs_since = now;
	}
	n = snprintf(key, sizeof key, "%s %lld", d->from.text, (long long)id);
	seen = hmap_get(in->informs_before, slice_of(key, (size_t)n));
	if (seen == NULL)
		seen = hmap_get(in->informs, slice_of(key, (size_t)n));
	(void)hmap_put(in->informs, slice_of(key, (size_t)n), (void *)(uintptr_t)(now / SECOND));
	return seen != NULL && now / SECOND - (instant)(uintptr_t)seen <= INFORM_MEMORY / SECOND;
}

static void one_datagram(struct intake_socket *s, struct intake_listener *l, const struct datagram *d)
{
	struct intake *in = s->intake;
	bool trap = l->config->type == LISTENER_SNMPTRAP;
	struct decode_env env = intake_env(in, l, &d->from);
	struct buf reply = {0};
	bool refused = false;
	const char *why;

	if (!intake_allowed(l, &d->from)) {
		counter_add(l->acl, 1);
		return;
	}
	if (!intake_rate(in, l, &d->from, 1))
		return;
	if (intake_full(in)) {
		counter_add(l->queue, 1);
		return;
	}
	intake_record_payload(in->recording, l, &env, "udp", d->bytes);
	if (trap && inform_repeats(in, l, &env, d)) {
		evt_batch_reset(&in->batch);
		snmptrap_decoder.decode(l->settings, &env, d->bytes, &in->batch, &reply);
	} else {
		intake_payload(in, l, trap ? &snmptrap_decoder : &syslog_decoder, l->settings, &env, d->bytes, &reply, &refused, &why);
	}
	if (refused) {
		intake_refusal(in, l, &d->from, why, d->bytes);
		if (reply.n > 0) /* a Report: nothing was taken that it would have to wait for */
			udp_reply(s->udp, d->addr, buf_slice(&reply));
	} else if (reply.n > 0) {
		answer_inform(s, d, &reply);
	}
	buf_free(&reply);
}

static void on_datagrams(struct udp *u UNUSED, const struct datagram *d, size_t n, uint64_t kernel_drops, void *arg)
{
	struct intake_socket *s = arg;
	struct intake_listener *l = intake_listener(s->intake, s->listener);

	if (l == NULL)
		return;
	if (kernel_drops > 0)
		counter_add(l->kernel, kernel_drops);
	for (size_t i = 0; i < n; i++)
		one_datagram(s, l, &d[i]);
	intake_count(l);
}

/* ---- syslog over TCP and unix sockets */

static void stream_go_on(struct waiter *w)
{
	struct stream_conn *c = (struct stream_conn *)(void *)w;

	if (c->answers.n > 0) {
		struct buf answers = c->answers;
		bool alive;

		c->answers = (struct buf){0};
		alive = conn_send(c->conn, buf_slice(&answers));
		buf_free(&answers);
		if (!alive)
			return; /* c is gone with it */
	}
	if (c->ending) {
		conn_close(c->conn);
		return;
	}
	/* at the end nothing more is read: what is under way is all that is waited for */
	if (!c->socket->intake->stopping && !c->socket->intake->full)
		conn_pause(c->conn, false);
}

static void one_frame(struct intake *in, struct intake_listener *l, const struct peer *from, const struct decode_env *env, struct slice frame)
{
	struct buf reply = {0};
	const char *why;
	bool refused;

	intake_record_payload(in->recording, l, env, "tcp", frame);
	intake_payload(in, l, &syslog_decoder, NULL, env, frame, &reply, &refused, &why);
	if (refused)
		intake_refusal(in, l, from, why, frame);
	buf_free(&reply);
}

/* The whole frames of `data`; how many octets they are. */
static size_t stream_frames(struct stream_conn *c, struct intake_listener *l, struct slice data, bool at_end)
{
	struct intake *in = c->socket->intake;
	const struct peer *from = conn_peer(c->conn);
	struct decode_env env = intake_env(in, l, from);
	struct quota_slot *bucket = intake_bucket(in, from);
	size_t used = 0;

	while (used < data.n && !c->framer.dead) {
		struct slice frame = SLICE_NONE;
		size_t n = syslog_frame_next(&c->framer, slice_of(data.p + used, data.n - used), at_end, &frame);

		if (n == 0)
			break;
		used += n;
		if (frame.p != NULL && intake_bucket_take(in, l, bucket, 1))
			one_frame(in, l, from, &env, frame);
	}
	intake_count(l);
	return used;
}

/* ---- RELP: the same, and an answer for each message when it is on disk. Who is too fast waits, nothing is dropped. */

#define BREATH (50 * MSEC)

static bool speaks_relp(const struct intake_socket *s)
{
	return s->kind == BIND_RELP || s->kind == BIND_RELPS;
}

/* No further line came within a second: the one that waits is whole. */
static void silence(struct stream_conn *c)
{
	if (c->waiter.seq != 0 || c->socket->intake->full || c->socket->intake->stopping) {
		loop_timer_set(c->breath, SILENCE);
		return;
	}
	c->framer.flush = true;
	conn_pause(c->conn, true);
	conn_pause(c->conn, false); /* what is there is given again */
}

static void on_breath(void *arg)
{
	struct stream_conn *c = arg;

	if (!speaks_relp(c->socket)) {
		silence(c);
		return;
	}
	if (c->waiter.seq == 0 && !intake_full(c->socket->intake) && !c->socket->intake->stopping)
		conn_pause(c->conn, false);
}

static size_t relp_frames(struct stream_conn *c, struct intake_listener *l, struct slice data)
{
	struct intake *in = c->socket->intake;
	const struct peer *from = conn_peer(c->conn);
	struct decode_env env = intake_env(in, l, from);
	struct quota_slot *bucket = intake_bucket(in, from);
	enum relp_step step = RELP_ANSWER;
	size_t used = 0, n = 1;

	while (n > 0 && step != RELP_END && step != RELP_BROKEN) {
		struct slice message;

		if (!intake_bucket_ready(in, bucket)) {
			conn_pause(c->conn, true);
			loop_timer_set(c->breath, BREATH);
			break;
		}
		step = relp_next(&c->relp, slice_of(data.p + used, data.n - used), &n, &message, &c->answers);
		used += n;
		if (step == RELP_MESSAGE && intake_bucket_take(in, l, bucket, 1))
			one_frame(in, l, from, &env, message);
	}
	c->ending = c->ending || step == RELP_END;
	c->framer.dead = step == RELP_BROKEN;
	intake_count(l);
	return used;
}

/* auth.mtls: the chain was checked by the handshake, here it is who. */
static bool client_known(struct stream_conn *c, struct intake_listener *l)
{
	const struct wire *w = conn_wire(c->conn);
	struct buf who = {0};

	if (c->known || l->config->n_mtls == 0 || wire_peer_is(w, (const char *const *)l->config->mtls, l->config->n_mtls)) {
		c->known = true;
		return true;
	}
	wire_peer_text(w, &who);
	counter_add(l->acl, 1);
	intake_refusal(c->socket->intake, l, conn_peer(c->conn), "the client's certificate is not in auth.mtls", buf_slice(&who));
	buf_free(&who);
	return false;
}

static void stream_failed(struct conn *conn, const char *why, void *arg)
{
	struct stream_conn *c = arg;
	struct intake_listener *l = intake_listener(c->socket->intake, c->socket->listener);

	if (l == NULL)
		return;
	counter_add(wire_ready(conn_wire(conn)) ? l->parse : l->handshake, 1);
	intake_refusal(c->socket->intake, l, conn_peer(conn), why, SLICE_NONE);
}

/* A frame that has begun is whole within a minute, however its octets drip; between frames a sender may be silent. */
static void watch_whole(struct stream_conn *c, bool begun, bool another)
{
	if (begun != c->begun || (begun && another))
		conn_deadline(c->conn, begun ? FRAME_TIME : -1);
	c->begun = begun;
}

static void stream_data(struct conn *conn, struct buf *data, bool at_end, void *arg)
{
	struct stream_conn *c = arg;
	struct intake *in = c->socket->intake;
	struct intake_listener *l = intake_listener(in, c->socket->listener);

	if (data->n > 0 && l != NULL && !client_known(c, l)) {
		buf_consume(data, data->n);
		conn_close(conn);
		return;
	}
	bool relp = speaks_relp(c->socket);
	uint64_t before = in->seq, oversized = c->framer.oversized;
	size_t used = l == NULL ? 0 : relp ? relp_frames(c, l, buf_slice(data)) : stream_frames(c, l, buf_slice(data), at_end);

	if (relp)
		c->framer.oversized = c->relp.oversized;

	if (l != NULL && c->framer.oversized > oversized) {
		counter_add(l->size, c->framer.oversized - oversized);
		intake_refusal(in, l, conn_peer(conn), relp ? "a message larger than limits.event_size was cut" : "a frame larger than limits.event_size was skipped",
		               SLICE_NONE);
	}
	if (l == NULL || c->framer.dead) {
		if (l != NULL) {
			counter_add(l->parse, 1);
			intake_refusal(in, l, conn_peer(conn), relp ? c->relp.why : c->framer.why, slice_of(data->p + used, data->n - used));
		}
		buf_consume(data, data->n);
		conn_close(conn);
		return;
	}
	buf_consume(data, used);
	watch_whole(c, data->n > 0, used > 0 && c->framer.skip == 0 && !c->framer.skip_line);
	c->framer.flush = false;
	if (c->framer.multi_line && !relp)
		loop_timer_set(c->breath, c->framer.waiting ? SILENCE : -1);
	/* accepted means on disk: the next read waits for it (reliability.md, promise 1) */
	if ((in->seq != before || c->answers.n > 0) && !at_end && c->waiter.seq == 0) {
		conn_pause(conn, true);
		intake_wait(in, &c->waiter, stream_go_on);
	}
}

/* The limits are those of the daemon: each intake gives its part. */
static size_t share_of(const struct intake *in, uint32_t limit)
{
	unsigned n = MAX(in->role->shared->intakes, 1u);

	return (limit + n - 1) / n;
}

static size_t sender_conns(const struct intake_socket *s, const struct peer *from)
{
	return (uintptr_t)hmap_get(s->senders, slice_str(from->text));
}

static void sender_count(struct intake_socket *s, const struct peer *from, int change)
{
	struct slice name = slice_str(from->text);
	size_t n = sender_conns(s, from) + (size_t)change;

	s->n_conns += (size_t)change;
	if (n == 0)
		(void)hmap_del(s->senders, name);
	else
		(void)hmap_put(s->senders, name, (void *)(uintptr_t)n);
}

static bool too_many(const struct intake_socket *s, const struct peer *from)
{
	const struct config *c = s->intake->gen->config;

	return s->n_conns >= share_of(s->intake, c->limits.connections) ||
	       (strcmp(from->text, "unix") != 0 && sender_conns(s, from) >= share_of(s->intake, c->limits.sender_connections));
}

static void stream_closed(struct conn *conn, void *arg)
{
	struct stream_conn *c = arg;
	struct intake_listener *l = intake_listener(c->socket->intake, c->socket->listener);

	if (l != NULL)
		atomic_fetch_sub(l->connections, 1);
	intake_forget(c->socket->intake, &c->waiter);
	sender_count(c->socket, conn_peer(conn), -1);
	LIST_REMOVE(c, link);
	loop_timer_free(c->breath);
	buf_free(&c->answers);
	free(c);
}

static void on_accept(int fd, const struct peer *from, void *arg)
{
	static const struct conn_events events = {.data = stream_data, .closed = stream_closed, .failed = stream_failed};
	struct intake_socket *s = arg;
	struct intake_listener *l = intake_listener(s->intake, s->listener);
	struct stream_conn *c;

	if (l == NULL || !intake_allowed(l, from)) {
		if (l != NULL)
			counter_add(l->acl, 1);
		close(fd);
		return;
	}
	if (bind_secure(s->kind) && l->tls == NULL) {
		counter_add(l->handshake, 1);
		close(fd);
		return;
	}
	if (too_many(s, from)) {
		counter_add(l->acl, 1);
		intake_refusal(s->intake, l, from, "too many connections (limits.connections, limits.sender_connections)", SLICE_NONE);
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->socket = s;
	syslog_framer_init(&c->framer, s->intake->gen->config->limits.event_size);
	relp_init(&c->relp, s->intake->gen->config->limits.event_size);
	c->framer.multi_line = l->config->multi_line != NULL && strcmp(l->config->multi_line, "indented") == 0;
	if (speaks_relp(s) || c->framer.multi_line)
		c->breath = loop_timer_new(s->intake->role->loop, on_breath, c);
	LIST_INSERT_HEAD(&s->conns, c, link);
	sender_count(s, from, 1);
	atomic_fetch_add(l->connections, 1);
	c->conn = conn_new(s->intake->role->loop, fd, from, s->intake->gen->config->limits.event_size + (1 << 20), &events, c);
	if (bind_secure(s->kind))
		conn_secure(c->conn, l->tls);
}

/* ---- opening and closing */

void intake_listen(struct intake *in, const char *name, unsigned bind, int fd)
{
	struct intake_listener *l = intake_listener(in, name);
	struct loop *loop = in->role->loop;
	struct http_limits lim = HTTP_LIMITS;
	struct intake_socket *s;

	if (l == NULL || bind >= l->config->n_bind) {
		close(fd);
		return;
	}
	for (s = in->sockets; s != NULL; s = s->next)
		if (strcmp(s->listener, name) == 0 && strcmp(s->text, l->config->bind[bind].text) == 0) {
			close(fd); /* a reload names again what is open already */
			return;
		}
	s = xcalloc(1, sizeof *s);
	s->intake = in;
	s->listener = xstrdup(name);
	s->text = xstrdup(l->config->bind[bind].text);
	s->kind = l->config->bind[bind].kind;
	LIST_INIT(&s->conns);
	s->senders = hmap_new();
	lim.connections = share_of(in, in->gen->config->limits.connections);
	lim.per_address = share_of(in, in->gen->config->limits.sender_connections);
	switch (s->kind) {
	case BIND_UDP:
	case BIND_UNIXGRAM:
		s->udp = udp_new(loop, fd, 65536, on_datagrams, s);
		break;
	case BIND_TCP:
	case BIND_TLS:
	case BIND_UNIX:
	case BIND_RELP:
	case BIND_RELPS:
		s->acceptor = acceptor_new(loop, fd, on_accept, s);
		break;
	case BIND_HTTPS:
	case BIND_HTTP:
		s->http = http_server_new(loop, fd, &lim, &intake_hook_events, s);
		break;
	}
	s->next = in->sockets;
	in->sockets = s;
	intake_tls(in, l);
}

void intake_tls(struct intake *in, const struct intake_listener *l)
{
	for (struct intake_socket *s = in->sockets; s != NULL; s = s->next) {
		if (s->kind != BIND_HTTPS || strcmp(s->listener, l->config->name) != 0)
			continue;
		/* without a certificate nobody is accepted: they wait in the queue of the kernel */
		http_server_pause(s->http, l->tls == NULL || in->stopping);
		if (l->tls != NULL)
			http_server_tls(s->http, l->tls);
	}
}

void intake_pause_sockets(struct intake *in, bool paused)
{
	for (struct intake_socket *s = in->sockets; s != NULL; s = s->next) {
		struct stream_conn *c;

		/* UDP goes on: its drops are counted here, by listener, instead of silently in the kernel */
		LIST_FOREACH(c, &s->conns, link)
			if (c->waiter.seq == 0)
				conn_pause(c->conn, paused);
	}
}

static void socket_close(struct intake_socket *s, bool listening_only)
{
	struct stream_conn *c, *next;

	udp_free(s->udp);
	s->udp = NULL;
	acceptor_free(s->acceptor);
	s->acceptor = NULL;
	if (s->http != NULL && listening_only)
		http_server_pause(s->http, true);
	if (listening_only) {
		LIST_FOREACH(c, &s->conns, link)
			conn_pause(c->conn, true);
		return;
	}
	http_server_free(s->http);
	s->http = NULL;
	for (c = LIST_FIRST(&s->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		conn_close(c->conn);
	}
}

static void socket_free(struct intake_socket *s)
{
	hmap_free(s->senders);
	free(s->listener);
	free(s->text);
	free(s);
}

/* Nobody will be answered any more. */
static void forget_informs(struct intake *in)
{
	struct waiter *w, *next;

	for (w = TAILQ_FIRST(&in->waiters); w != NULL; w = next) {
		struct inform_wait *i = (struct inform_wait *)(void *)w;

		next = TAILQ_NEXT(w, link);
		if (w->done != inform_done)
			continue;
		intake_forget(in, w);
		buf_free(&i->reply);
		free(i);
	}
}

void intake_close_sockets(struct intake *in, bool listening_only)
{
	struct intake_socket *s, *next;

	if (!listening_only)
		forget_informs(in);
	for (s = in->sockets; s != NULL; s = next) {
		next = s->next;
		socket_close(s, listening_only);
		if (listening_only)
			continue;
		socket_free(s);
	}
	if (listening_only)
		return;
	in->sockets = NULL;
	while ((s = in->retired) != NULL) {
		in->retired = s->next;
		socket_free(s);
	}
}

static bool still_wanted(struct intake *in, const struct intake_socket *s)
{
	struct intake_listener *l = intake_listener(in, s->listener);

	for (size_t i = 0; l != NULL && l->config->enabled && i < l->config->n_bind; i++)
		if (strcmp(l->config->bind[i].text, s->text) == 0)
			return true;
	return false;
}

void intake_close_unwanted(struct intake *in)
{
	struct intake_socket **at = &in->sockets, *s;

	while ((s = *at) != NULL) {
		if (still_wanted(in, s)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		socket_close(s, false);
		/* answers to informs may still point at it: kept until the end, reloads are rare */
		s->next = in->retired;
		in->retired = s;
	}
}
