/* Keys, digests and ciphers of the user-based security model: RFC 3414 (MD5, SHA, DES), RFC 7860 (SHA-2), RFC
 * 3826 (AES) and the two ways to make a key long enough for AES-192 and AES-256. All of it is OpenSSL's, from
 * a library context of its own: no configuration file is read, so it also works where no file can be opened.
 * DES comes from the default provider as triple DES with three equal keys. Private to this decoder. */
#ifndef CARILLON_SNMP_USM_CRYPTO_H
#define CARILLON_SNMP_USM_CRYPTO_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum usm_auth {
	USM_AUTH_NONE,
	USM_MD5,
	USM_SHA,
	USM_SHA_224,
	USM_SHA_256,
	USM_SHA_384,
	USM_SHA_512,
	USM_AUTHS
};
enum usm_priv { USM_PRIV_NONE, USM_DES, USM_AES_128, USM_AES_192, USM_AES_256, USM_PRIVS };
/* draft-blumenthal-aes-usm-04 (net-snmp) and draft-reeder-snmpv3-usm-3desede-00 (Cisco, SNMP4J) */
enum usm_extension { USM_BLUMENTHAL, USM_REEDER };

enum { USM_KEY_MAX = 128, USM_MAC_MAX = 64, USM_SALT = 8, USM_PASSWORD_MIN = 8, USM_PASSWORD_MAX = 255 };

struct usm_key {
	unsigned char v[USM_KEY_MAX];
	size_t n;
};

struct usm_crypto;
struct usm_crypto *usm_crypto_new(struct error *err) MUST_CHECK; /* NULL with err: OpenSSL lacks something */
void usm_crypto_free(struct usm_crypto *c);

bool usm_auth_parse(struct slice word, enum usm_auth *out) MUST_CHECK; /* "SHA-256"; case ignored */
bool usm_priv_parse(struct slice word, enum usm_priv *out) MUST_CHECK; /* "AES" is AES-128 */
size_t usm_mac_size(enum usm_auth auth);                               /* octets in a message: 12 to 48 */

/* RFC 3414, section A.2: the digest of a mebioctet of the repeated password (not empty). */
bool usm_password_key(const struct usm_crypto *c, enum usm_auth auth, struct slice password,
                      struct usm_key *out) MUST_CHECK;
/* RFC 3414, section 2.6: what a key is on one engine. */
bool usm_localise(const struct usm_crypto *c, enum usm_auth auth, const struct usm_key *key,
                  struct slice engine, struct usm_key *out) MUST_CHECK;
/* Makes a localised key long enough for the cipher. */
bool usm_extend(const struct usm_crypto *c, enum usm_auth auth, enum usm_extension how, struct slice engine,
                enum usm_priv priv, struct usm_key *key) MUST_CHECK;
/* HMAC, not yet cut. `hole_n` octets from `hole_at` count as zeros, whatever is there. */
bool usm_mac(const struct usm_crypto *c, enum usm_auth auth, const struct usm_key *key, struct slice text,
             size_t hole_at, size_t hole_n, unsigned char out[USM_MAC_MAX]) MUST_CHECK;

/* What a ciphertext depends on besides the key. */
struct usm_iv {
	uint32_t boots, time;
	unsigned char salt[USM_SALT];
};
/* `out` has room for text.n octets (a multiple of 8 for DES: usm_padded). */
bool usm_cipher(const struct usm_crypto *c, enum usm_priv priv, bool encrypt, const struct usm_key *key,
                const struct usm_iv *iv, struct slice text, unsigned char *out) MUST_CHECK;
size_t usm_padded(enum usm_priv priv, size_t n);

#endif
