/* Promises octets in order through TLS or without it. Must not know what they mean nor who waits for them. */
#include "net/wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As much as a plain connection reads at a time: what is accepted waits for its commit, one a turn. */
enum { PIECE = 256 << 10, RECORD = 16 << 10 };

void wire_plain(struct wire *w, int fd)
{
	BUG_ON(fd < 0);
	*w = (struct wire){.fd = fd};
}

int wire_tls(struct wire *w, struct tls_context *t)
{
	BIO *out = BIO_new_socket(w->fd, BIO_NOCLOSE);
	SSL *ssl = SSL_new(tls_context_raw(t));

	BUG_ON(w->ssl != NULL);
	if (out == NULL || ssl == NULL) {
		BIO_free(out);
		SSL_free(ssl);
		errno = ENOMEM;
		return -1;
	}
	SSL_set0_wbio(ssl, out);
	SSL_set_accept_state(ssl);
	w->ssl = ssl;
	return 0;
}

/* So that the peer can tell an end from a cut. */
static void say_end(struct wire *w)
{
	if (w->ssl == NULL || w->why[0] != '\0' || !wire_ready(w) ||
	    (SSL_get_shutdown(w->ssl) & SSL_SENT_SHUTDOWN) != 0)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(w->ssl);
	ERR_clear_error();
}

void wire_close(struct wire *w)
{
	say_end(w);
	SSL_free(w->ssl);
	w->ssl = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

bool wire_ready(const struct wire *w)
{
	return w->ssl == NULL || SSL_is_init_finished(w->ssl) == 1;
}

static ssize_t give_up(struct wire *w)
{
	unsigned long code = ERR_peek_error();
	const char *text = ERR_reason_error_string(code);
	long verified = SSL_get_verify_result(w->ssl);

	if (verified != X509_V_OK)
		text = X509_verify_cert_error_string(verified);
	snprintf(w->why, sizeof w->why, "TLS: %s", text != NULL ? text : "the connection broke off");
	ERR_clear_error();
	errno = EPROTO;
	return -1;
}

/* What a call that did not succeed means: 0 at the end, -1 with errno. */
static ssize_t outcome(struct wire *w, int rc)
{
	switch (SSL_get_error(w->ssl, rc)) {
	case SSL_ERROR_WANT_READ: errno = EAGAIN; return -1;
	case SSL_ERROR_ZERO_RETURN: w->at_end = true; return 0;
	default: return give_up(w);
	}
}

/* All that these octets hold, once out of TLS. A peer that does not take what TLS itself has to say is given
 * up. */
static ssize_t decrypt(struct wire *w, char *octets, size_t n, struct buf *in)
{
	BIO *source = BIO_new_mem_buf(octets, (int)n);
	size_t before = in->n;
	int rc;

	if (source == NULL) {
		errno = ENOMEM;
		return -1;
	}
	BIO_set_mem_eof_return(source, -1);
	SSL_set0_rbio(w->ssl, source);
	ERR_clear_error();
	do {
		buf_reserve(in, RECORD);
		rc = SSL_read(w->ssl, in->p + in->n, (int)MIN(in->cap - in->n, (size_t)PIECE));
		in->n += rc > 0 ? (size_t)rc : 0;
	} while (rc > 0);
	ssize_t end = outcome(w, rc);
	return in->n > before ? (ssize_t)(in->n - before) : end;
}

ssize_t wire_recv(struct wire *w, struct buf *in, size_t room)
{
	char piece[PIECE];
	ssize_t n;

	if (w->ssl == NULL) {
		buf_reserve(in, room);
		n = recv(w->fd, in->p + in->n, room, MSG_DONTWAIT);
		in->n += n > 0 ? (size_t)n : 0;
		return n;
	}
	if (w->why[0] != '\0') {
		errno = EPROTO;
		return -1;
	}
	n = recv(w->fd, piece, MIN(MAX(room, (size_t)RECORD), sizeof piece), MSG_DONTWAIT);
	if (n == 0 && !wire_ready(w))
		snprintf(w->why, sizeof w->why, "TLS: the peer left during the handshake");
	return n > 0 ? decrypt(w, piece, (size_t)n, in) : n;
}

ssize_t wire_send(struct wire *w, const void *p, size_t n)
{
	int rc;

	if (w->ssl == NULL)
		return send(w->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	ERR_clear_error();
	rc = SSL_write(w->ssl, p, (int)MIN(n, (size_t)1 << 20));
	if (rc > 0)
		return rc;
	if (SSL_get_error(w->ssl, rc) == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	return outcome(w, rc) == 0 ? give_up(w) : -1;
}

int wire_shutdown(struct wire *w)
{
	say_end(w);
	return shutdown(w->fd, SHUT_WR);
}

/* ---- who is at the other end */

static bool same_fingerprint(X509 *x, struct slice hex)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	size_t k = 0;

	if (X509_digest(x, EVP_sha256(), md, &n) != 1)
		return false;
	for (size_t i = 0; i < hex.n; i++) {
		const char digits[] = "0123456789abcdef";

		if (hex.p[i] == ':')
			continue;
		if (k >= 2 * (size_t)n ||
		    tolower((unsigned char)hex.p[i]) != digits[k % 2 == 0 ? md[k / 2] >> 4 : md[k / 2] & 15])
			return false;
		k++;
	}
	return k == 2 * (size_t)n;
}

static bool same_name(struct slice have, struct slice want)
{
	if (slice_starts(want, SLICE("*."))) {
		const char *dot = memchr(have.p, '.', have.n);

		if (dot == NULL || dot == have.p)
			return false;
		have = slice_sub(have, (size_t)(dot - have.p), SIZE_MAX);
		want = slice_sub(want, 1, SIZE_MAX);
	}
	return have.n > 0 && slice_ieq(have, want);
}

/* One name as text; absent if it is of a kind that no list names. */
static struct slice name_text(const GENERAL_NAME *g, char room[64])
{
	const ASN1_STRING *s;

	switch (g->type) {
	case GEN_DNS:
	case GEN_URI:
	case GEN_EMAIL:
		s = g->d.ia5;
		return slice_of((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	case GEN_IPADD:
		s = g->d.ip;
		if (ASN1_STRING_length(s) != 4 && ASN1_STRING_length(s) != 16)
			return SLICE_NONE;
		return slice_str(inet_ntop(ASN1_STRING_length(s) == 4 ? AF_INET : AF_INET6,
		                           ASN1_STRING_get0_data(s), room, 64));
	default: return SLICE_NONE;
	}
}

static bool has_name(GENERAL_NAMES *all, struct slice want)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		char room[64];
		struct slice have = name_text(sk_GENERAL_NAME_value(all, i), room);

		if (have.p != NULL && same_name(have, want))
			return true;
	}
	return false;
}

bool wire_peer_is(const struct wire *w, const char *const *names, size_t n)
{
	X509 *x = w->ssl != NULL && wire_ready(w) ? SSL_get0_peer_certificate(w->ssl) : NULL;
	GENERAL_NAMES *all;
	bool found = false;

	if (x == NULL || SSL_get_verify_result(w->ssl) != X509_V_OK)
		return false;
	all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (size_t i = 0; i < n && !found; i++) {
		struct slice want = slice_str(names[i]);

		if (slice_starts(want, SLICE("sha256:")))
			found = same_fingerprint(x, slice_sub(want, 7, SIZE_MAX));
		else
			found = slice_is(want, "*") || has_name(all, want);
	}
	GENERAL_NAMES_free(all);
	return found;
}

void wire_peer_text(const struct wire *w, struct buf *out)
{
	X509 *x = w->ssl != NULL ? SSL_get0_peer_certificate(w->ssl) : NULL;
	GENERAL_NAMES *all = x != NULL ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;
	size_t before = out->n;

	for (int i = 0; i < sk_GENERAL_NAME_num(all) && i < 8; i++) {
		char room[64];
		struct slice have = name_text(sk_GENERAL_NAME_value(all, i), room);

		if (have.p != NULL)
			buf_printf(out, "%s" SLICE_FMT, out->n > before ? "," : "",
			           SLICE_ARG(slice_sub(have, 0, 64)));
	}
	if (out->n == before)
		buf_str(out, x != NULL ? "a certificate without names" : "no certificate");
	GENERAL_NAMES_free(all);
}
