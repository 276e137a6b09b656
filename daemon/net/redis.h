/* A Redis client on hiredis' reader and formatter over our own non-blocking socket (reliability.md): TCP and unix
 * sockets, AUTH, SELECT, pipelining, limits on element counts and depth. Reconnecting is the caller's business. */
#ifndef CARILLON_NET_REDIS_H
#define CARILLON_NET_REDIS_H

#include "base/error.h"
#include "base/slice.h"
#include "net/loop.h"

enum redis_kind { REDIS_NIL, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_STRING, REDIS_ARRAY };
struct redis_reply {
	enum redis_kind kind;
	int64_t integer;
	struct slice text;
	const struct redis_reply *const *items;
	size_t n;
};

struct redis_url {
	char host[256]; /* or the path of a unix socket */
	uint16_t port;
	bool is_unix, tls;
	int db;
};
bool redis_url_parse(const char *url, struct redis_url *out, struct error *err) MUST_CHECK; /* redis://host:port/db, unix:/path, rediss:// */

struct redis;
struct redis_events {
	void (*connected)(struct redis *r, void *arg);                  /* after AUTH and SELECT */
	void (*closed)(struct redis *r, const char *why, void *arg);    /* also when connecting failed; redis is dead, free it */
};
struct redis *redis_connect(struct loop *l, const struct redis_url *u, const char *user, const char *password, const struct redis_events *ev,
                            void *arg);
void redis_free(struct redis *r); /* pending replies are not called */
/* One command; `reply` is called with the answer (borrowed) in order; not called if the connection is lost. */
void redis_send(struct redis *r, const struct slice *argv, size_t argc, void (*reply)(struct redis *r, const struct redis_reply *rep, void *arg),
                void *arg);
void redis_sendf(struct redis *r, void (*reply)(struct redis *r, const struct redis_reply *rep, void *arg), void *arg, const char *words, ...)
    PRINTF(4, 5); /* words separated by spaces after formatting: only for our own constants and ids without spaces */

#endif
