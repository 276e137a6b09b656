/* A connected descriptor that octets are read from and written to, plain or inside TLS (server side). The
 * handshake runs by itself with the first reads. Never blocks. What came in is taken out of TLS at once:
 * nothing that is ready to be read hides behind a descriptor that says there is nothing. */
#ifndef CARILLON_NET_WIRE_H
#define CARILLON_NET_WIRE_H

#include <sys/types.h>

#include "base/buf.h"
#include "net/tls.h"

struct wire {
	int fd;
	struct ssl_st *ssl; /* NULL: plain */
	bool at_end;        /* the peer has said that no more comes */
	char why[96];       /* why TLS gave up; empty: it did not */
};

void wire_plain(struct wire *w, int fd);                        /* takes fd */
int wire_tls(struct wire *w, struct tls_context *t) MUST_CHECK; /* before the first octet; -1: no memory */
void wire_close(struct wire *w);                                /* closes fd */
bool wire_ready(const struct wire *w);                          /* plain, or the handshake is done */
/* Like recv(2), appended to `in`: how many (at most `room` of what is on the descriptor), 0 at the end, -1
 * with errno; EAGAIN: nothing yet. at_end may be set besides octets. */
ssize_t wire_recv(struct wire *w, struct buf *in, size_t room);
ssize_t wire_send(struct wire *w, const void *p, size_t n); /* like send(2): part of it is fine */
int wire_shutdown(struct wire *w);                          /* nothing more will be sent; -1: it is gone */
/* Whether the certificate that the client has shown fits one of `names`: a name in its subjectAltName (DNS,
 * address, URI, mail; "*.example.net": exactly one label in front), or "sha256:" and its fingerprint, or "*":
 * any that was verified. */
bool wire_peer_is(const struct wire *w, const char *const *names, size_t n);
void wire_peer_text(const struct wire *w, struct buf *out); /* the certificate's names, for a log line */

#endif
