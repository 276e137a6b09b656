/* Inside the HTTP server only: one connection, its request, and what its files call of each other. */
#ifndef CARILLON_NET_HTTP_CONN_H
#define CARILLON_NET_HTTP_CONN_H

#include "base/hmap.h"
#include "net/http_server.h"
#include "net/wire.h"

enum { HTTP_SERVER_MAGIC = 0x68747376, HTTP_CONN_MAGIC = 0x6874636e, HTTP_REQUEST_MAGIC = 0x68747271 };
enum {
	HTTP_BEHIND_MAX = 1 << 20,  /* octets that a client may leave unread */
	HTTP_STREAM_BEHIND = 8 << 20 /* of a stream: large events come in bursts */
};

enum http_state {
	HTTP_HEAD,   /* waiting for a head, or in the middle of one */
	HTTP_BODY,   /* in the middle of a body */
	HTTP_ANSWER, /* the request is with its owner */
	HTTP_STREAM, /* the owner sends pieces */
	HTTP_LINGER  /* the last answer goes out; what still comes in is thrown away, then the end */
};

struct http_request {
	uint32_t magic;
	struct http_conn *conn;
	struct buf raw; /* what `head` points into */
	struct buf body;
	void *user;
	struct http_head head;
	struct http_header headers[HTTP_HEADERS_MAX];
};

struct http_conn {
	uint32_t magic;
	struct http_server *server;
	struct http_conn *next, *prev; /* all of the server */
	struct http_conn *next_dying;
	struct wire wire;
	struct loop_fd *watch;
	struct loop_timer *timer;
	instant deadline, armed; /* monotonic; 0: none */
	enum http_state state;
	struct peer peer;
	struct buf in, out;
	size_t out_at;
	struct http_chunks chunks;
	struct http_request *req; /* NULL between requests */
	bool counted;             /* in the server's per-address table */
	bool at_end, end_after, shut, broken, running, stream_chunked;
};

struct http_server {
	uint32_t magic;
	struct loop *loop;
	struct acceptor *acceptor;
	struct tls_context *tls; /* NULL: plain */
	struct http_limits lim;
	const struct http_events *ev;
	void *arg;
	struct http_conn all; /* head of the ring */
	size_t n;
	struct hmap *by_address;
	struct loop_later *bury;
	struct http_conn *dying;
	bool paused;
	int64_t date_second;
	char date[32];
};

void http_conn_new(struct http_server *s, int fd, const struct peer *from);
void http_conn_free(struct http_conn *c);  /* tells `gone` if a request is out */
void http_conn_break(struct http_conn *c); /* freed at the end of the turn */
void http_conn_watch(struct http_conn *c);
void http_conn_deadline(struct http_conn *c, duration in); /* absolute from now; < 0: none */
void http_conn_run(struct http_conn *c);                   /* takes requests out of what came in */
void http_conn_write(struct http_conn *c);
/* Nothing more is taken from this client: an answer goes out, then the end. */
void http_conn_refuse(struct http_conn *c, int status, const char *why);
void http_conn_end_request(struct http_conn *c);

const char *http_reason(int status);
/* Queues a whole answer; the connection ends after it when c->end_after. */
void http_conn_answer(struct http_conn *c, int status, const char *type, struct slice body, const char *extra,
                      bool no_body);

#endif
