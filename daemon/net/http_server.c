/* Promises whole, well-formed requests to one owner, and that no client can hold more than its share:
 * connections in all and per address. Must not know what requests mean. */
#include "net/http_conn.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Told without a connection being kept. */
static void turn_away(struct http_server *s, int fd, const struct peer *from, const char *why)
{
	static const char answer[] =
	    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
	    "Connection: close\r\n\r\n";
	if (s->tls == NULL)
		(void)send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
	if (s->ev->refused != NULL)
		s->ev->refused(from, 429, why, s->arg);
}

static void on_accept(int fd, const struct peer *from, void *arg)
{
	struct http_server *s = arg;
	BUG_ON(s->magic != HTTP_SERVER_MAGIC);
	if (s->n >= s->lim.connections)
		turn_away(s, fd, from, "too many connections");
	else if ((uintptr_t)hmap_get(s->by_address, slice_str(from->text)) >= s->lim.per_address)
		turn_away(s, fd, from, "too many connections from one address");
	else
		http_conn_new(s, fd, from);
}

static void on_bury(void *arg)
{
	struct http_server *s = arg;
	BUG_ON(s->magic != HTTP_SERVER_MAGIC);
	while (s->dying != NULL) {
		struct http_conn *c = s->dying;
		s->dying = c->next_dying;
		http_conn_free(c);
	}
}

struct http_server *http_server_new(struct loop *l, int listen_fd, const struct http_limits *lim,
                                    const struct http_events *ev, void *arg)
{
	BUG_ON(ev == NULL || ev->request == NULL || lim->head == 0);
	struct http_server *s = xcalloc(1, sizeof *s);
	s->magic = HTTP_SERVER_MAGIC;
	s->loop = l;
	s->lim = *lim;
	s->ev = ev;
	s->arg = arg;
	s->all.next = s->all.prev = &s->all;
	s->by_address = hmap_new();
	s->bury = loop_later_new(l, on_bury, s);
	s->acceptor = acceptor_new(l, listen_fd, on_accept, s);
	return s;
}

void http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	BUG_ON(s->magic != HTTP_SERVER_MAGIC);
	acceptor_free(s->acceptor);
	while (s->all.next != &s->all)
		http_conn_free(s->all.next);
	loop_later_free(s->bury);
	tls_context_unref(s->tls);
	hmap_free(s->by_address);
	s->magic = 0;
	free(s);
}

void http_server_pause(struct http_server *s, bool paused)
{
	BUG_ON(s->magic != HTTP_SERVER_MAGIC);
	s->paused = paused;
	acceptor_pause(s->acceptor, paused);
	for (struct http_conn *c = s->all.next; c != &s->all; c = c->next)
		http_conn_watch(c);
}

void http_server_tls(struct http_server *s, struct tls_context *t)
{
	BUG_ON(s->magic != HTTP_SERVER_MAGIC);
	struct tls_context *former = s->tls;
	s->tls = t != NULL ? tls_context_ref(t) : NULL;
	tls_context_unref(former);
}

bool http_request_client_is(const struct http_request *r, const char *const *names, size_t n)
{
	return wire_peer_is(&r->conn->wire, names, n);
}

const struct http_head *http_request_head(const struct http_request *r)
{
	BUG_ON(r->magic != HTTP_REQUEST_MAGIC);
	return &r->head;
}

struct slice http_request_body(const struct http_request *r)
{
	BUG_ON(r->magic != HTTP_REQUEST_MAGIC);
	return r->body.p != NULL ? buf_slice(&r->body) : SLICE("");
}

struct slice http_request_header(const struct http_request *r, const char *lower_name)
{
	for (size_t i = 0; i < r->head.n_headers; i++) {
		if (slice_is(r->headers[i].name, lower_name))
			return r->headers[i].value;
	}
	return SLICE_NONE;
}

const struct peer *http_request_peer(const struct http_request *r)
{
	return &r->conn->peer;
}

bool http_request_uid(const struct http_request *r, uint32_t *uid, uint32_t *gid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	if (r->conn->counted || getsockopt(r->conn->wire.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false; /* only a unix socket knows who is at the other end */
	*uid = cred.uid;
	*gid = cred.gid;
	return true;
}

void http_request_set(struct http_request *r, void *user)
{
	r->user = user;
}

void *http_request_user(const struct http_request *r)
{
	return r->user;
}
