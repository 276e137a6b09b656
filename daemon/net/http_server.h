/* HTTP/1.1 server on our own strict head parser (RFC 9112; intake.md section 8): webhooks, API, metrics.
 * Refused: bare LF, folded headers, NUL, two Content-Lengths, Content-Length with Transfer-Encoding, odd chunk sizes,
 * Content-Encoding (415), oversized heads (431) and bodies (413); absolute deadlines for head and body (408). A client
 * that may ask no more gets its answer and an orderly end; one that begins with HTTP/2 gets GOAWAY (HTTP_1_1_REQUIRED). */
#ifndef CARILLON_NET_HTTP_SERVER_H
#define CARILLON_NET_HTTP_SERVER_H

#include "base/buf.h"
#include "net/stream.h"

struct http_header {
	struct slice name, value; /* name in lower case */
};
struct http_head {
	struct slice method, target, path, query; /* path: decoded per segment, no dot segments; target as sent */
	int minor;                                /* HTTP/1.minor */
	struct http_header *headers; size_t n_headers;
	int64_t content_length;                   /* -1: none */
	bool chunked, keep_alive, expect_continue;
	char decoded[1024];                       /* where `path` is when it had escapes: do not copy the struct */
};
/* Pure, for tests and fuzzing: how many octets the head takes; 0: more needed; -1: refuse with *status and *why. Slices
 * point into `in` (which is modified: names are lower-cased) or into `out`. headers: room for max. A head that is not whole
 * yet is refused as soon as its octets can be no head. */
int64_t http_head_parse(char *in, size_t n, struct http_head *out, struct http_header *headers, size_t max, int *status, const char **why);
enum { HTTP_HEADERS_MAX = 100 };
/* Chunked bodies: appends decoded octets to `body`; 0 more needed, 1 done, -1 refuse. *used octets of `in`. */
struct http_chunks {
	int state; /* all zero at the beginning */
	uint64_t left;
	size_t trailer;
};
int http_chunks_feed(struct http_chunks *c, struct slice in, size_t *used, struct buf *body, size_t max_body, int *status, const char **why);

struct http_server;
struct http_request; /* lives until answered or its connection is gone */

struct http_limits {
	size_t head, body, connections, per_address; /* 8 KiB, 1 MiB, 10 000, 200 */
	duration head_time, body_time, idle;         /* 10 s, 30 s, 60 s */
};
#define HTTP_LIMITS ((struct http_limits){8192, 1 << 20, 10000, 200, 10 * SECOND, 30 * SECOND, 60 * SECOND})

struct http_events {
	/* The whole request is here. Answer now or later with http_reply. */
	void (*request)(struct http_request *r, void *arg);
	/* The client went away before the answer; http_reply must not be called any more. */
	void (*gone)(struct http_request *r, void *arg);
	/* A refusal by the parser (status 0: by TLS), for counting; may be NULL. */
	void (*refused)(const struct peer *from, int status, const char *why, void *arg);
};
struct http_server *http_server_new(struct loop *l, int listen_fd, const struct http_limits *lim, const struct http_events *ev, void *arg); /* owns fd */
void http_server_free(struct http_server *s);
/* New connections speak TLS (https) from now on; those that are open keep what they have. Takes a reference. */
void http_server_tls(struct http_server *s, struct tls_context *t);
bool http_request_client_is(const struct http_request *r, const char *const *names, size_t n); /* see wire_peer_is */
void http_server_pause(struct http_server *s, bool paused); /* stop accepting and reading */

const struct http_head *http_request_head(const struct http_request *r);
struct slice http_request_body(const struct http_request *r);
struct slice http_request_header(const struct http_request *r, const char *lower_name); /* absent if none */
const struct peer *http_request_peer(const struct http_request *r);
bool http_request_uid(const struct http_request *r, uint32_t *uid, uint32_t *gid); /* SO_PEERCRED on unix sockets */
void http_request_set(struct http_request *r, void *user);
void *http_request_user(const struct http_request *r);
/* Sends and ends the request. extra: further header lines "Name: value\r\n…" or NULL. */
void http_reply(struct http_request *r, int status, const char *content_type, struct slice body, const char *extra);
/* RFC 9457 problem. */
void http_problem(struct http_request *r, int status, const char *fmt, ...) PRINTF(3, 4);
/* Streaming (server-sent events, tail): head now, pieces later; false when the client is gone or too slow (1 MiB behind). */
void http_stream_start(struct http_request *r, const char *content_type);
bool http_stream_send(struct http_request *r, struct slice piece);
void http_stream_end(struct http_request *r);

#endif
