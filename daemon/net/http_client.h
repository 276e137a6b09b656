/* Outgoing HTTP on libcurl's multi interface and our loop: for egress only. TLS verification cannot be switched off;
 * no redirects; http:// only to loopback; the resolved address is checked in the open-socket callback (tickets.md). */
#ifndef CARILLON_NET_HTTP_CLIENT_H
#define CARILLON_NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "net/loop.h"

struct http_client;

struct http_call {
	const char *method, *url;      /* url: absolute */
	const char *const *headers;    /* "Name: value", NULL-terminated */
	struct slice body;             /* absent: none */
	duration timeout;              /* total; connect is 5 s */
	const char *ca_file, *pin;     /* NULL: the system's, none */
};
struct http_answer {
	int status;                    /* 0: no usable reply */
	bool sent;                     /* false: surely nothing reached the server (refused connection, name not found) */
	struct slice headers;          /* "name: value\n" lines, names in lower case */
	struct slice body;             /* at most 1 MiB; larger is a failure */
	const char *failure;           /* a sentence, when status is 0 */
	duration took;
};

struct http_client *http_client_new(struct loop *l, struct error *err) MUST_CHECK;
void http_client_free(struct http_client *c); /* open calls end with status 0 */
/* `done` is called exactly once, never from inside this function; the answer is borrowed. Returns false with err if the
 * URL is not allowed. Everything of `call` is copied. */
bool http_client_call(struct http_client *c, const struct http_call *call, void (*done)(const struct http_answer *a, void *arg), void *arg,
                      struct error *err) MUST_CHECK;
/* Ends the calls that were made with this `arg`; their `done` is not called. */
void http_client_cancel(struct http_client *c, const void *arg);

#endif
