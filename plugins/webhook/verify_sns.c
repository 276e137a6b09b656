/* Amazon SNS: "Verifying the signatures of Amazon SNS messages" (SignatureVersion 1: SHA1, 2: SHA256, both
 * RSA). */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "plugins/webhook/verify.h"

enum { SIGNATURE_MAX = 1024, CERTIFICATES_MAX = 8 };

/* Name and value, each on a line, in this order; what a message lacks is left out. */
static void canonical(const struct json *m, struct buf *out)
{
	static const char *const notification[] = {"Message",   "MessageId", "Subject",
	                                           "Timestamp", "TopicArn",  "Type"};
	static const char *const control[] = {"Message", "MessageId", "SubscribeURL", "Timestamp",
	                                      "Token",   "TopicArn",  "Type"};
	bool plain = slice_is(json_text(json_get(m, "Type")), "Notification");
	const char *const *names = plain ? notification : control;

	for (size_t i = 0; i < (plain ? ARRAY_LEN(notification) : ARRAY_LEN(control)); i++) {
		const struct json *v = json_get(m, names[i]);

		if (v == NULL || v->kind != JSON_STRING)
			continue;
		buf_printf(out, "%s\n", names[i]);
		buf_adds(out, json_text(v));
		buf_char(out, '\n');
	}
}

static bool signed_by(X509 *x, const EVP_MD *md, const unsigned char *signature, size_t n, struct slice text)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY *key = X509_get0_pubkey(x);
	bool good = c != NULL && key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	            EVP_DigestVerifyInit(c, NULL, md, NULL, key) == 1 &&
	            EVP_DigestVerify(c, signature, n, (const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(c);
	return good;
}

static bool any_certificate(struct slice pem, const EVP_MD *md, const unsigned char *signature, size_t n,
                            struct slice text)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	bool good = false;
	X509 *x;

	for (size_t i = 0;
	     !good && i < CERTIFICATES_MAX && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL; i++) {
		good = signed_by(x, md, signature, n, text);
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	return good;
}

enum webhook_verdict verify_sns(struct slice certificates, struct slice body, struct arena *a,
                                struct slice *id, instant *at)
{
	struct error err;
	const struct json *m = json_parse(a, body, JSON_LIMITS, NULL, &err);
	struct slice encoded = json_text(json_get(m, "Signature")),
	             version = json_text(json_get(m, "SignatureVersion"));
	unsigned char signature[SIGNATURE_MAX];
	struct buf text = {0};
	bool good;
	int n;

	*id = json_text(json_get(m, "MessageId"));
	if (encoded.n == 0 || id->n == 0)
		return WEBHOOK_UNSIGNED;
	if (encoded.n % 4 != 0 || encoded.n / 4 * 3 > sizeof signature ||
	    (!slice_is(version, "1") && !slice_is(version, "2")) ||
	    !instant_parse(json_text(json_get(m, "Timestamp")), at))
		return WEBHOOK_FORGED;
	n = EVP_DecodeBlock(signature, (const unsigned char *)encoded.p, (int)encoded.n);
	for (size_t i = encoded.n; n > 0 && i > 0 && encoded.p[i - 1] == '='; i--)
		n--;
	canonical(m, &text);
	good = n > 0 && any_certificate(certificates, slice_is(version, "1") ? EVP_sha1() : EVP_sha256(),
	                                signature, (size_t)n, buf_slice(&text));
	buf_free(&text);
	return good ? WEBHOOK_PROVEN : WEBHOOK_FORGED;
}
