/* Sockets of the outside: binding, UDP receiving in batches, TCP and unix accepting. Peer addresses as text. */
#ifndef CARILLON_NET_STREAM_H
#define CARILLON_NET_STREAM_H

#include "base/buf.h"
#include "base/error.h"
#include "net/loop.h"

struct tls_context;
struct wire;

struct peer {
	char text[64];  /* "192.0.2.1", "2001:db8::1", an IPv4-mapped one as IPv4; "unix" for local sockets */
	uint16_t port;
};

/* From a kernel address; of a unix peer only "unix". addr: a struct sockaddr of any family. */
struct sockaddr;
void peer_from(const struct sockaddr *addr, struct peer *out);

/* Opens a bound socket; listens if it is a stream. host: an address ("" or "*": all), for socket_udp also the path of a
 * unix datagram socket (then port may be NULL). *port 0 picks a free one and is set. */
int socket_udp(const char *host, uint16_t *port, int rcvbuf, struct error *err) MUST_CHECK;
int socket_tcp(const char *host, uint16_t *port, bool reuseport, struct error *err) MUST_CHECK;
int socket_unix(const char *path, unsigned mode, const char *group, struct error *err) MUST_CHECK; /* replaces a stale socket only; group NULL: ours */

void socket_keepalive(int fd); /* a peer that is gone without a word is noticed within minutes; nothing on a unix socket */

/* UDP: recvmmsg(256); `batch` is called once per system call with all datagrams. Kernel drops (SO_RXQ_OVFL) are reported. */
struct datagram {
	struct slice bytes;
	struct peer from;
	bool truncated;       /* it was longer than max_datagram */
	const void *addr;     /* opaque, for udp_reply; copied with udp_addr_size() octets to keep it */
};
struct udp;
struct udp *udp_new(struct loop *l, int fd, size_t max_datagram,
                    void (*batch)(struct udp *u, const struct datagram *d, size_t n, uint64_t kernel_drops, void *arg), void *arg); /* owns fd */
void udp_free(struct udp *u);
void udp_pause(struct udp *u, bool paused);
size_t udp_addr_size(void);
void udp_reply(struct udp *u, const void *addr, struct slice bytes);

/* Accepting: `accepted` gets a non-blocking descriptor. EMFILE is survived (a reserve descriptor, a pause). */
struct acceptor;
struct acceptor *acceptor_new(struct loop *l, int fd, void (*accepted)(int fd, const struct peer *from, void *arg), void *arg); /* owns fd */
void acceptor_free(struct acceptor *a);
void acceptor_pause(struct acceptor *a, bool paused);

/* A reading connection for line protocols: bytes are collected in `in`; the callee consumes what it used. */
struct conn;
struct conn_events {
	void (*data)(struct conn *c, struct buf *in, bool at_end, void *arg); /* at_end: no more will come; conn closes after it */
	void (*closed)(struct conn *c, void *arg);                           /* frees nothing of the caller's; conn is gone afterwards */
	void (*failed)(struct conn *c, const char *why, void *arg);          /* TLS; `closed` follows. May be NULL */
};
struct conn *conn_new(struct loop *l, int fd, const struct peer *from, size_t max_in, const struct conn_events *ev, void *arg); /* owns fd */
void conn_secure(struct conn *c, struct tls_context *t); /* right after conn_new: TLS as the server, its handshake within 10 s; keeps no reference; may close */
const struct wire *conn_wire(const struct conn *c);      /* who the peer is */
bool conn_send(struct conn *c, struct slice bytes);      /* queued; a peer that is 1 MiB behind is closed. False: it is gone, or will be at the end of the callback */
void conn_deadline(struct conn *c, duration in);         /* absolute from now, whatever comes: then what is there is all; < 0: none any more */
void conn_close(struct conn *c);        /* calls closed */
void conn_pause(struct conn *c, bool paused);
void conn_idle_limit(struct conn *c, duration d); /* closed after so long without a byte; 0: none */
const struct peer *conn_peer(const struct conn *c);
void *conn_arg(const struct conn *c);

#endif
