/* What a server needs to speak TLS: certificate, key and the authorities whose clients it takes. Built from
 * bytes, because the role that uses it may open no file. TLS 1.2 and later, forward secrecy only, no
 * renegotiation, no resumption. */
#ifndef CARILLON_NET_TLS_H
#define CARILLON_NET_TLS_H

#include "base/error.h"
#include "base/instant.h"
#include "base/slice.h"

struct tls_context;

/* All in PEM. cert: the server's own first, then its chain. client_ca absent or empty: clients need no
 * certificate; else each must show one that these authorities have signed. -1 side: NULL with err, which says
 * what to do. One reference. */
struct tls_context *tls_context_new(struct slice cert, struct slice key, struct slice client_ca,
                                    struct error *err) MUST_CHECK;
struct tls_context *tls_context_ref(struct tls_context *t);
void tls_context_unref(struct tls_context *t); /* NULL is fine; connections that use it keep it alive */
instant tls_context_expires(const struct tls_context *t);        /* end of the certificate's validity */
struct ssl_ctx_st *tls_context_raw(const struct tls_context *t); /* for this folder only */

#endif
