/* HTTP/1.1 to the daemon's unix socket (cli.md section 5): blocking, one request a connection. */
#ifndef CARILLON_CTL_CLIENT_H
#define CARILLON_CTL_CLIENT_H

#include "ctl/ctl.h"

struct client_reply {
	int status;
	struct buf body; /* freed by client_free */
};

/* Sends one request; `body` absent for none. 0 when there was a reply of whatever status; else an exit code,
 * and the reason has been said: 3 nobody listens, 4 not allowed, 75 no answer in time. */
int client_call(struct ctl *c, const char *method, const char *path, struct slice body,
                struct client_reply *r) MUST_CHECK;
/* 0 for status 2xx; else the exit code for it, and what the daemon says has been said. */
int client_verdict(const struct ctl *c, const struct client_reply *r);
/* Both; on success the parsed body, which lives in `a` (and borrows from r). */
int client_json(struct ctl *c, const char *method, const char *path, struct slice body, struct arena *a,
                struct client_reply *r, struct json **out) MUST_CHECK;
void client_free(struct client_reply *r);

/* Whether somebody listens at the daemon's socket. Says nothing. */
bool client_there(struct ctl *c);

/* GET, then each line of the reply as it arrives until `line` says false or the daemon ends it. */
int client_stream(struct ctl *c, const char *path, bool (*line)(void *arg, struct slice line),
                  void *arg) MUST_CHECK;

/* Percent-encodes everything that is not unreserved (RFC 3986 section 2.3). */
void client_quote(struct buf *out, struct slice s);

#endif
