/* Promises a context that is either fit to serve or refused with the reason. Must not know connections. */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

enum { TLS_MAGIC = 0x746c7321 };

struct tls_context {
	uint32_t magic;
	unsigned refs;
	SSL_CTX *ctx;
	instant expires;
};

/* The library's own words for what went wrong last. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "no PEM block of that kind";
}

static BIO *bio_of(struct slice s)
{
	BUG_ON(s.n > INT32_MAX);
	return BIO_new_mem_buf(s.p, (int)s.n);
}

/* No terminal is asked: a key with a pass phrase is refused. */
static int no_pass(char *out UNUSED, int room UNUSED, int writing UNUSED, void *arg)
{
	*(bool *)arg = true;
	return -1;
}

static instant instant_of(const ASN1_TIME *t)
{
	struct tm tm = {0};

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (instant)timegm(&tm) * SECOND : 0;
}

static int take_chain(struct tls_context *t, struct slice pem, struct error *err)
{
	BIO *b = bio_of(pem);
	X509 *own = PEM_read_bio_X509(b, NULL, NULL, NULL), *more;
	int rc = -1;

	if (own == NULL)
		error_set(err,
		          "the certificate is no PEM certificate (%s); write it as -----BEGIN "
		          "CERTIFICATE-----, its chain behind it",
		          reason());
	else if (SSL_CTX_use_certificate(t->ctx, own) != 1)
		error_set(
		    err,
		    "the certificate cannot be used (%s); make one with an RSA key of 2048 bits or an EC key",
		    reason());
	else
		rc = 0;
	if (own != NULL)
		t->expires = instant_of(X509_get0_notAfter(own));
	X509_free(own);
	while (rc == 0 && (more = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(t->ctx, more) != 1) {
			X509_free(more);
			rc = error_set(err, "a certificate of the chain cannot be used (%s)", reason());
		}
	BIO_free(b);
	ERR_clear_error();
	return rc;
}

static int take_key(struct tls_context *t, struct slice pem, struct error *err)
{
	BIO *b = bio_of(pem);
	bool asked = false;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_pass, &asked);
	int rc = -1;

	if (asked)
		error_set(err, "the key has a pass phrase; write it without one (openssl pkey -in KEY -out "
		               "NEW) and protect the file");
	else if (key == NULL)
		error_set(err, "the key is no PEM private key (%s)", reason());
	else if (SSL_CTX_use_PrivateKey(t->ctx, key) != 1 || SSL_CTX_check_private_key(t->ctx) != 1)
		error_set(err, "the key does not belong to the certificate (%s); give both of one pair",
		          reason());
	else
		rc = 0;
	EVP_PKEY_free(key);
	BIO_free(b);
	ERR_clear_error();
	return rc;
}

static int take_clients(struct tls_context *t, struct slice pem, struct error *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);
	BIO *b = bio_of(pem);
	X509 *ca;
	size_t n = 0;

	while ((ca = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, ca) == 1;
		(void)SSL_CTX_add_client_CA(t->ctx, ca);
		X509_free(ca);
	}
	BIO_free(b);
	ERR_clear_error();
	if (n == 0)
		return error_set(err, "client_ca holds no PEM certificate");
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	(void)SSL_CTX_set_purpose(t->ctx, X509_PURPOSE_SSL_CLIENT);
	SSL_CTX_set_verify_depth(t->ctx, 8);
	return 0;
}

static SSL_CTX *new_ctx(void)
{
	SSL_CTX *c;

	/* the role that calls this may open no file, and needs none */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return NULL;
	c = SSL_CTX_new(TLS_server_method());
	if (c == NULL)
		return NULL;
	(void)SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	(void)SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!SHA1");
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
	                           SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* connections live long, and each process would need the others' tickets */
	(void)SSL_CTX_set_num_tickets(c, 0);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                              SSL_MODE_RELEASE_BUFFERS);
	return c;
}

struct tls_context *tls_context_new(struct slice cert, struct slice key, struct slice client_ca,
                                    struct error *err)
{
	struct tls_context *t = xcalloc(1, sizeof *t);

	ERR_clear_error();
	t->magic = TLS_MAGIC;
	t->refs = 1;
	t->ctx = new_ctx();
	if (t->ctx == NULL)
		error_set(err, "OpenSSL makes no context (%s)", reason());
	else if (take_chain(t, cert, err) == 0 && take_key(t, key, err) == 0 &&
	         (client_ca.n == 0 || take_clients(t, client_ca, err) == 0))
		return t;
	tls_context_unref(t);
	return NULL;
}

struct tls_context *tls_context_ref(struct tls_context *t)
{
	BUG_ON(t->magic != TLS_MAGIC || t->refs == 0);
	t->refs++;
	return t;
}

void tls_context_unref(struct tls_context *t)
{
	if (t == NULL)
		return;
	BUG_ON(t->magic != TLS_MAGIC || t->refs == 0);
	if (--t->refs > 0)
		return;
	SSL_CTX_free(t->ctx);
	t->magic = 0;
	free(t);
}

instant tls_context_expires(const struct tls_context *t)
{
	return t->expires;
}

struct ssl_ctx_st *tls_context_raw(const struct tls_context *t)
{
	BUG_ON(t->magic != TLS_MAGIC);
	return t->ctx;
}
