/* Promises one request after the other from one connection, deadlines that nothing extends, and an orderly
 * end. Must not know what requests mean. */
#include "net/http_conn.h"

#include <errno.h>
#include <stdlib.h>

enum { READ_ROOM = 16 << 10, READ_ROOM_BODY = 64 << 10, AHEAD_MAX = 64 << 10 };
#define LINGER_TIME (2 * SECOND)

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/* An empty SETTINGS frame, then GOAWAY for stream 0 with HTTP_1_1_REQUIRED (RFC 9113 sections 3.4, 6.8, 7).
 */
static const char go_away[] = "\0\0\0\4\0\0\0\0\0\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\x0d";

/* ---- deadlines */

void http_conn_deadline(struct http_conn *c, duration in)
{
	c->deadline = in < 0 ? 0 : loop_mono() + in;
	/* a timer that fires early costs less than to move it with every request */
	if (in < 0 || (c->armed != 0 && c->armed <= c->deadline))
		return;
	c->armed = c->deadline;
	loop_timer_set(c->timer, in);
}

static void expire(struct http_conn *c)
{
	const struct http_limits *lim = &c->server->lim;
	bool in_request = c->state == HTTP_BODY || (c->state == HTTP_HEAD && c->in.n > 0);
	if (!wire_ready(&c->wire) && c->server->ev->refused != NULL)
		c->server->ev->refused(&c->peer, 0, "TLS: the handshake took too long", c->server->arg);
	if (in_request && c->server->paused)
		http_conn_deadline(c, c->state == HTTP_BODY ? lim->body_time
		                                            : lim->head_time); /* we did not read */
	else if (in_request)
		http_conn_refuse(
		    c, 408, c->state == HTTP_BODY ? "the body came too slowly" : "the head came too slowly");
	else
		http_conn_break(c);
}

static void on_timer(void *arg)
{
	struct http_conn *c = arg;
	BUG_ON(c->magic != HTTP_CONN_MAGIC);
	c->armed = 0;
	if (c->deadline == 0 || c->broken)
		return;
	duration left = c->deadline - loop_mono();
	if (left > 0) {
		c->armed = c->deadline;
		loop_timer_set(c->timer, left);
		return;
	}
	expire(c);
}

/* ---- ends */

static void request_free(struct http_request *r)
{
	buf_free(&r->raw);
	buf_free(&r->body);
	r->magic = 0;
	free(r);
}

void http_conn_end_request(struct http_conn *c)
{
	if (c->req != NULL)
		request_free(c->req);
	c->req = NULL;
}

void http_conn_break(struct http_conn *c)
{
	struct http_server *s = c->server;
	if (c->broken)
		return;
	c->broken = true;
	loop_fd_set(c->watch, 0);
	c->next_dying = s->dying;
	s->dying = c;
	loop_later_set(s->bury);
}

static void uncount(struct http_conn *c)
{
	struct slice key = slice_str(c->peer.text);
	if (!c->counted)
		return;
	uintptr_t n = (uintptr_t)hmap_get(c->server->by_address, key);
	BUG_ON(n == 0);
	if (n == 1)
		(void)hmap_del(c->server->by_address, key);
	else
		(void)hmap_put(c->server->by_address, key, (void *)(n - 1));
}

void http_conn_free(struct http_conn *c)
{
	struct http_server *s = c->server;
	BUG_ON(c->magic != HTTP_CONN_MAGIC || s->n == 0);
	if (c->req != NULL && (c->state == HTTP_ANSWER || c->state == HTTP_STREAM) && s->ev->gone != NULL)
		s->ev->gone(c->req, s->arg);
	http_conn_end_request(c);
	uncount(c);
	s->n--;
	c->next->prev = c->prev;
	c->prev->next = c->next;
	loop_fd_del(c->watch);
	loop_timer_free(c->timer);
	wire_close(&c->wire);
	buf_free(&c->in);
	buf_free(&c->out);
	c->magic = 0;
	free(c);
}

/* ---- watching and writing */

void http_conn_watch(struct http_conn *c)
{
	bool read = false;
	if (c->broken)
		return;
	switch (c->state) {
	case HTTP_HEAD: read = !c->server->paused && c->out.n - c->out_at < HTTP_BEHIND_MAX; break;
	case HTTP_BODY: read = !c->server->paused; break;
	case HTTP_ANSWER: read = c->in.n < AHEAD_MAX; break; /* to see it go */
	case HTTP_STREAM:
	case HTTP_LINGER: read = true; break;
	}
	loop_fd_set(c->watch, (read && !c->at_end ? LOOP_READ : 0) | (c->out.n > c->out_at ? LOOP_WRITE : 0));
}

static void after_last_answer(struct http_conn *c)
{
	if (c->state != HTTP_LINGER || c->shut)
		return;
	c->shut = true;
	/* closing with unread octets would reset the connection under the answer */
	if (c->at_end || wire_shutdown(&c->wire) != 0)
		http_conn_break(c);
	else
		http_conn_deadline(c, LINGER_TIME);
}

void http_conn_write(struct http_conn *c)
{
	while (!c->broken && c->out.n > c->out_at) {
		ssize_t n = wire_send(&c->wire, c->out.p + c->out_at, c->out.n - c->out_at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			http_conn_break(c);
			return;
		}
		c->out_at += (size_t)n;
	}
	if (c->out_at < c->out.n) {
		buf_consume(&c->out, c->out_at);
		c->out_at = 0;
		return;
	}
	buf_clear(&c->out);
	c->out_at = 0;
	if (c->out.cap > READ_ROOM)
		buf_free(&c->out);
	after_last_answer(c);
}

/* ---- taking requests */

static void refused(const struct http_conn *c, int status, const char *why)
{
	const struct http_server *s = c->server;
	if (s->ev->refused != NULL)
		s->ev->refused(&c->peer, status, why, s->arg);
}

void http_conn_refuse(struct http_conn *c, int status, const char *why)
{
	struct buf b = {0};
	refused(c, status, why);
	http_conn_end_request(c);
	buf_clear(&c->in);
	c->end_after = true;
	buf_printf(&b, "%s\n", why);
	http_conn_answer(c, status, "text/plain; charset=utf-8", buf_slice(&b), NULL, false);
	buf_free(&b);
	c->state = HTTP_LINGER;
	http_conn_deadline(c, c->server->lim.body_time);
	http_conn_write(c);
	http_conn_watch(c);
}

static void refuse_http2(struct http_conn *c)
{
	refused(c, 505, "HTTP/2 without asking: only HTTP/1.1 is spoken here");
	http_conn_end_request(c);
	buf_clear(&c->in);
	buf_add(&c->out, go_away, sizeof go_away - 1);
	c->state = HTTP_LINGER;
	http_conn_deadline(c, c->server->lim.body_time);
}

/* The whole request is here. */
static void hand_over(struct http_conn *c)
{
	struct http_server *s = c->server;
	c->state = HTTP_ANSWER;
	http_conn_deadline(c, -1);
	s->ev->request(c->req, s->arg); /* may have answered: then c->req is gone */
}

static bool body_begins(struct http_conn *c)
{
	const struct http_head *h = &c->req->head;
	if (h->content_length > 0 && (uint64_t)h->content_length > c->server->lim.body) {
		http_conn_refuse(c, 413, "the body is too large");
		return false;
	}
	if (h->content_length <= 0 && !h->chunked) {
		hand_over(c);
		return true;
	}
	c->state = HTTP_BODY;
	c->chunks = (struct http_chunks){0};
	http_conn_deadline(c, c->server->lim.body_time);
	if (h->expect_continue && c->in.n == 0)
		buf_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	return true;
}

/* The request keeps the octets of its head; what came behind it stays with the connection. */
static void take_head(struct http_conn *c, size_t n)
{
	struct buf rest = {0};
	buf_add(&rest, c->in.p + n, c->in.n - n);
	c->req->raw = c->in;
	c->in = rest;
}

static bool is_preface(const struct buf *in, bool *whole)
{
	size_t n = MIN(in->n, sizeof preface - 1);
	*whole = n == sizeof preface - 1;
	return n >= 3 && memcmp(in->p, preface, n) == 0;
}

/* False: nothing more can be done now. */
static bool run_head(struct http_conn *c)
{
	const size_t limit = c->server->lim.head;
	int status = 0;
	const char *why = NULL;
	bool whole;
	if (c->in.n == 0 || c->out.n - c->out_at > HTTP_BEHIND_MAX)
		return false;
	if (is_preface(&c->in, &whole)) {
		if (whole)
			refuse_http2(c);
		return false;
	}
	if (c->req == NULL) {
		c->req = xcalloc(1, sizeof *c->req);
		c->req->magic = HTTP_REQUEST_MAGIC;
		c->req->conn = c;
		http_conn_deadline(c, c->server->lim.head_time);
	}
	int64_t n = http_head_parse(c->in.p, c->in.n, &c->req->head, c->req->headers, HTTP_HEADERS_MAX,
	                            &status, &why);
	if ((n == 0 && c->in.n >= limit) || n > (int64_t)limit)
		http_conn_refuse(c, 431, "the head is too large");
	else if (n < 0)
		http_conn_refuse(c, status, why);
	if (n <= 0 || c->state == HTTP_LINGER)
		return false;
	take_head(c, (size_t)n);
	return body_begins(c);
}

static bool run_body(struct http_conn *c)
{
	struct http_request *r = c->req;
	size_t used;
	int status = 0, rc;
	const char *why = NULL;
	if (r->head.chunked) {
		rc = http_chunks_feed(&c->chunks, buf_slice(&c->in), &used, &r->body, c->server->lim.body,
		                      &status, &why);
	} else {
		used = MIN(c->in.n, (size_t)r->head.content_length - r->body.n);
		buf_add(&r->body, c->in.p, used);
		rc = r->body.n == (size_t)r->head.content_length;
	}
	if (rc < 0) {
		http_conn_refuse(c, status, why);
		return false;
	}
	buf_consume(&c->in, used);
	if (rc == 0)
		return false;
	hand_over(c);
	return true;
}

void http_conn_run(struct http_conn *c)
{
	bool more = true;
	if (c->running)
		return; /* an answer from inside the request callback: the loop below goes on with it */
	c->running = true;
	while (more && !c->broken) {
		switch (c->state) {
		case HTTP_HEAD: more = run_head(c); break;
		case HTTP_BODY: more = run_body(c); break;
		case HTTP_ANSWER:
		case HTTP_STREAM: more = false; break;
		case HTTP_LINGER:
			buf_clear(&c->in);
			more = false;
			break;
		}
	}
	c->running = false;
	if (c->at_end && (c->state == HTTP_HEAD || c->state == HTTP_BODY)) {
		http_conn_end_request(c);
		c->state = HTTP_LINGER;
	}
	if (c->in.n == 0)
		buf_free(&c->in);
	http_conn_write(c); /* once for all that were answered */
	http_conn_watch(c);
}

/* ---- reading */

static void on_end(struct http_conn *c)
{
	c->at_end = true;
	/* a client may close its half and wait for the answer */
	if (c->state == HTTP_STREAM || (c->state == HTTP_LINGER && c->shut))
		http_conn_break(c);
	else
		http_conn_run(c);
}

static void on_read(struct http_conn *c)
{
	size_t room = c->state == HTTP_BODY ? READ_ROOM_BODY : READ_ROOM;
	ssize_t n = wire_recv(&c->wire, &c->in, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0) {
		on_end(c);
		return;
	}
	if (n < 0) {
		if (c->wire.why[0] != '\0')
			refused(c, 0, c->wire.why);
		http_conn_break(c);
		return;
	}
	if (c->state == HTTP_LINGER || c->state == HTTP_STREAM)
		buf_clear(&c->in);
	else if (c->state != HTTP_ANSWER)
		http_conn_run(c);
	if (c->wire.at_end && !c->broken)
		on_end(c);
}

static void on_event(int fd, int what, void *arg)
{
	struct http_conn *c = arg;
	(void)fd;
	BUG_ON(c->magic != HTTP_CONN_MAGIC);
	if ((what & LOOP_WRITE) != 0) {
		http_conn_write(c);
		if (c->state == HTTP_HEAD && c->out.n == 0)
			http_conn_run(c); /* requests that waited until the client read its answers */
	}
	if ((what & LOOP_READ) != 0 && !c->broken)
		on_read(c);
	http_conn_watch(c);
}

void http_conn_new(struct http_server *s, int fd, const struct peer *from)
{
	struct http_conn *c = xcalloc(1, sizeof *c);
	c->magic = HTTP_CONN_MAGIC;
	c->server = s;
	wire_plain(&c->wire, fd);
	c->peer = *from;
	c->next = &s->all;
	c->prev = s->all.prev;
	c->prev->next = s->all.prev = c;
	s->n++;
	if (strcmp(from->text, "unix") != 0) {
		struct slice key = slice_str(c->peer.text);
		uintptr_t n = (uintptr_t)hmap_get(s->by_address, key);
		(void)hmap_put(s->by_address, key, (void *)(n + 1));
		c->counted = true;
	}
	c->timer = loop_timer_new(s->loop, on_timer, c);
	c->watch = loop_fd_add(s->loop, fd, LOOP_READ, on_event, c);
	if (s->tls != NULL && wire_tls(&c->wire, s->tls) != 0) {
		http_conn_break(c);
		return;
	}
	http_conn_deadline(c, s->lim.head_time);
	http_conn_watch(c);
}
