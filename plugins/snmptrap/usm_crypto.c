/* See usm_crypto.h. */
#include "usm_crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { MEBIOCTET = 1 << 20, DES_KEY = 8 };

static const struct {
	const char *name, *other, *digest;
	size_t mac;
} auths[USM_AUTHS] = {
    [USM_AUTH_NONE] = {NULL, NULL, NULL, 0},
    [USM_MD5] = {"MD5", "MD5", "MD5", 12},
    [USM_SHA] = {"SHA", "SHA-1", "SHA1", 12},
    [USM_SHA_224] = {"SHA-224", "SHA224", "SHA2-224", 16},
    [USM_SHA_256] = {"SHA-256", "SHA256", "SHA2-256", 24},
    [USM_SHA_384] = {"SHA-384", "SHA384", "SHA2-384", 32},
    [USM_SHA_512] = {"SHA-512", "SHA512", "SHA2-512", 48},
};

static const struct {
	const char *name, *other, *cipher;
	size_t key;
} privs[USM_PRIVS] = {
    [USM_PRIV_NONE] = {NULL, NULL, NULL, 0},
    [USM_DES] = {"DES", "DES", "DES-EDE3-CBC", 16}, /* 8 of the key, 8 of the pre-IV */
    [USM_AES_128] = {"AES", "AES-128", "AES-128-CFB", 16},
    [USM_AES_192] = {"AES-192", "AES192", "AES-192-CFB", 24},
    [USM_AES_256] = {"AES-256", "AES256", "AES-256-CFB", 32},
};

struct usm_crypto {
	OSSL_LIB_CTX *lib;
	EVP_MAC *hmac;
	EVP_MD *digests[USM_AUTHS];
	EVP_CIPHER *ciphers[USM_PRIVS];
};

void usm_crypto_free(struct usm_crypto *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < USM_AUTHS; i++)
		EVP_MD_free(c->digests[i]);
	for (int i = 0; i < USM_PRIVS; i++)
		EVP_CIPHER_free(c->ciphers[i]);
	EVP_MAC_free(c->hmac);
	OSSL_LIB_CTX_free(c->lib);
	free(c);
}

struct usm_crypto *usm_crypto_new(struct error *err)
{
	struct usm_crypto *c = xcalloc(1, sizeof *c);
	const char *missing = NULL;
	c->lib = OSSL_LIB_CTX_new();
	c->hmac = c->lib != NULL ? EVP_MAC_fetch(c->lib, "HMAC", NULL) : NULL;
	if (c->hmac == NULL)
		missing = "HMAC";
	for (int i = USM_AUTH_NONE + 1; missing == NULL && i < USM_AUTHS; i++)
		if ((c->digests[i] = EVP_MD_fetch(c->lib, auths[i].digest, NULL)) == NULL)
			missing = auths[i].name;
	for (int i = USM_PRIV_NONE + 1; missing == NULL && i < USM_PRIVS; i++)
		if ((c->ciphers[i] = EVP_CIPHER_fetch(c->lib, privs[i].cipher, NULL)) == NULL)
			missing = privs[i].name;
	if (missing == NULL)
		return c;
	error_set(err, "OpenSSL has no %s here; install libcrypto with its default provider", missing);
	usm_crypto_free(c);
	return NULL;
}

/* ---- names */

bool usm_auth_parse(struct slice word, enum usm_auth *out)
{
	for (int i = USM_AUTH_NONE + 1; i < USM_AUTHS; i++)
		if (slice_ieq(word, slice_str(auths[i].name)) || slice_ieq(word, slice_str(auths[i].other))) {
			*out = (enum usm_auth)i;
			return true;
		}
	return false;
}

bool usm_priv_parse(struct slice word, enum usm_priv *out)
{
	for (int i = USM_PRIV_NONE + 1; i < USM_PRIVS; i++)
		if (slice_ieq(word, slice_str(privs[i].name)) || slice_ieq(word, slice_str(privs[i].other))) {
			*out = (enum usm_priv)i;
			return true;
		}
	return false;
}

size_t usm_mac_size(enum usm_auth auth)
{
	BUG_ON((unsigned)auth >= USM_AUTHS);
	return auths[auth].mac;
}

/* ---- keys */

static bool finish(EVP_MD_CTX *ctx, bool ok, struct usm_key *out)
{
	unsigned n = 0;
	ok = ok && EVP_DigestFinal_ex(ctx, out->v, &n) == 1;
	out->n = n;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool usm_password_key(const struct usm_crypto *c, enum usm_auth auth, struct slice password,
                      struct usm_key *out)
{
	unsigned char block[4096 + USM_PASSWORD_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	BUG_ON(password.n == 0 || password.n > USM_PASSWORD_MAX || auth == USM_AUTH_NONE);
	bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, c->digests[auth], NULL) == 1;
	size_t n = 0;
	while (n < 4096) { /* whole passwords, so that the next block goes on where this one ends */
		memcpy(block + n, password.p, password.n);
		n += password.n;
	}
	for (size_t left = MEBIOCTET; ok && left > 0; left -= MIN(n, left))
		ok = EVP_DigestUpdate(ctx, block, MIN(n, left)) == 1;
	explicit_bzero(block, sizeof block);
	return finish(ctx, ok, out);
}

bool usm_localise(const struct usm_crypto *c, enum usm_auth auth, const struct usm_key *key,
                  struct slice engine, struct usm_key *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	BUG_ON(key->n > sizeof key->v || key == out);
	bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, c->digests[auth], NULL) == 1 &&
	          EVP_DigestUpdate(ctx, key->v, key->n) == 1 &&
	          EVP_DigestUpdate(ctx, engine.p, engine.n) == 1 &&
	          EVP_DigestUpdate(ctx, key->v, key->n) == 1;
	return finish(ctx, ok, out);
}

/* What is appended to a short key: its digest, or the localised key of which it is the password. */
static bool more_key(const struct usm_crypto *c, enum usm_auth auth, enum usm_extension how,
                     struct slice engine, const struct usm_key *last, struct usm_key *out)
{
	struct usm_key master;
	switch (how) {
	case USM_BLUMENTHAL: {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, c->digests[auth], NULL) == 1 &&
		          EVP_DigestUpdate(ctx, last->v, last->n) == 1;
		return finish(ctx, ok, out);
	}
	case USM_REEDER:
		return usm_password_key(c, auth, slice_of(last->v, last->n), &master) &&
		       usm_localise(c, auth, &master, engine, out);
	}
	return false;
}

bool usm_extend(const struct usm_crypto *c, enum usm_auth auth, enum usm_extension how, struct slice engine,
                enum usm_priv priv, struct usm_key *key)
{
	struct usm_key last = *key, more;
	bool ok = true;
	BUG_ON(priv == USM_PRIV_NONE || key->n < 16);
	/* at most once: the shortest digest has 16 octets, the longest key 32 */
	while (ok && key->n < privs[priv].key) {
		ok = more_key(c, auth, how, engine, &last, &more);
		BUG_ON(key->n + more.n > sizeof key->v);
		memcpy(key->v + key->n, more.v, more.n);
		key->n += more.n;
		last = how == USM_BLUMENTHAL ? *key : more;
	}
	key->n = privs[priv].key;
	explicit_bzero(&last, sizeof last);
	explicit_bzero(&more, sizeof more);
	return ok;
}

/* ---- messages */

bool usm_mac(const struct usm_crypto *c, enum usm_auth auth, const struct usm_key *key, struct slice text,
             size_t hole_at, size_t hole_n, unsigned char out[USM_MAC_MAX])
{
	static const unsigned char zeros[USM_MAC_MAX];
	OSSL_PARAM name[2] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)auths[auth].digest, 0),
	    OSSL_PARAM_construct_end()};
	size_t n = 0;
	BUG_ON(auth == USM_AUTH_NONE || hole_n > sizeof zeros || hole_at > text.n ||
	       hole_n > text.n - hole_at);
	struct slice rest = slice_sub(text, hole_at + hole_n, text.n);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(c->hmac);
	bool ok = ctx != NULL && EVP_MAC_init(ctx, key->v, key->n, name) == 1 &&
	          EVP_MAC_update(ctx, (const unsigned char *)text.p, hole_at) == 1 &&
	          EVP_MAC_update(ctx, zeros, hole_n) == 1 &&
	          EVP_MAC_update(ctx, (const unsigned char *)rest.p, rest.n) == 1 &&
	          EVP_MAC_final(ctx, out, &n, USM_MAC_MAX) == 1;
	EVP_MAC_CTX_free(ctx);
	return ok && n >= auths[auth].mac;
}

size_t usm_padded(enum usm_priv priv, size_t n)
{
	return priv == USM_DES ? (n + 7) / 8 * 8 : n;
}

static void big_endian(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* RFC 3414, section 8.1.1.1; RFC 3826, section 3.1.2.1. */
static void set_up(enum usm_priv priv, const struct usm_key *key, const struct usm_iv *in,
                   unsigned char full[EVP_MAX_KEY_LENGTH], unsigned char iv[EVP_MAX_IV_LENGTH])
{
	BUG_ON(key->n != privs[priv].key);
	if (priv == USM_DES) {
		for (size_t i = 0; i < (size_t)3 * DES_KEY; i++)
			full[i] = key->v[i % DES_KEY];
		for (size_t i = 0; i < USM_SALT; i++)
			iv[i] = key->v[DES_KEY + i] ^ in->salt[i];
		return;
	}
	memcpy(full, key->v, key->n);
	big_endian(iv, in->boots);
	big_endian(iv + 4, in->time);
	memcpy(iv + 8, in->salt, USM_SALT);
}

bool usm_cipher(const struct usm_crypto *c, enum usm_priv priv, bool encrypt, const struct usm_key *key,
                const struct usm_iv *iv, struct slice text, unsigned char *out)
{
	unsigned char full[EVP_MAX_KEY_LENGTH], start[EVP_MAX_IV_LENGTH];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	BUG_ON(priv == USM_PRIV_NONE || text.n > INT32_MAX || text.n != usm_padded(priv, text.n));
	set_up(priv, key, iv, full, start);
	bool ok = ctx != NULL && EVP_CipherInit_ex2(ctx, c->ciphers[priv], full, start, encrypt, NULL) == 1 &&
	          EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	          EVP_CipherUpdate(ctx, out, &n, (const unsigned char *)text.p, (int)text.n) == 1 &&
	          (size_t)n == text.n;
	EVP_CIPHER_CTX_free(ctx);
	explicit_bzero(full, sizeof full);
	return ok;
}
