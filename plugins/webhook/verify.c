/* See verify.h. The schemes: standardwebhooks.com (svix), docs of GitHub "Validating webhook deliveries",
 * PagerDuty "Verifying signatures", Sentry "Webhooks: verifying the signature", Slack "Verifying requests",
 * Grafana "Webhook notifier", GitLab. */
#include "plugins/webhook/verify.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/buf.h"
#include "plugins/webhook/profile.h"

enum content { BODY, ID_TIME_BODY, V0_TIME_BODY, TIME_BODY, TOKEN };
enum { MAC = 32, SIGNATURES_MAX = 16, SECRETS_MAX = 8, ID_MAX = 512 };

static const struct scheme {
	const char *name;
	const char *signature[2]; /* header, and another name of it */
	const char *id[2], *time[2];
	const char *prefix; /* of each signature */
	char between;       /* signatures; 0: there is one */
	bool base64;
	enum content content;
} schemes[] = {
    {"standard",
     {"webhook-signature", "svix-signature"},
     {"webhook-id", "svix-id"},
     {"webhook-timestamp", "svix-timestamp"},
     "v1,",
     ' ',
     true,
     ID_TIME_BODY},
    {"github",
     {"x-hub-signature-256", NULL},
     {"x-github-delivery", NULL},
     {NULL, NULL},
     "sha256=",
     0,
     false,
     BODY},
    {"pagerduty",
     {"x-pagerduty-signature", NULL},
     {"x-webhook-id", NULL},
     {NULL, NULL},
     "v1=",
     ',',
     false,
     BODY},
    {"sentry", {"sentry-hook-signature", NULL}, {"request-id", NULL}, {NULL, NULL}, "", 0, false, BODY},
    {"slack",
     {"x-slack-signature", NULL},
     {NULL, NULL},
     {"x-slack-request-timestamp", NULL},
     "v0=",
     0,
     false,
     V0_TIME_BODY},
    {"grafana",
     {"x-grafana-alerting-signature", NULL},
     {NULL, NULL},
     {"x-grafana-alerting-timestamp", NULL},
     "",
     0,
     false,
     TIME_BODY},
    {"gitlab", {"x-gitlab-token", NULL}, {"x-gitlab-event-uuid", NULL}, {NULL, NULL}, "", 0, false, TOKEN},
    {"sns", {NULL, NULL}, {NULL, NULL}, {NULL, NULL}, "", 0, true, BODY},
};

static const struct scheme *scheme_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strcmp(schemes[i].name, name) == 0)
			return &schemes[i];
	return NULL;
}

bool webhook_scheme_known(const char *name)
{
	return scheme_of(name) != NULL;
}

void webhook_scheme_names(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", schemes[i].name);
}

static struct slice header(struct slice headers, const char *name)
{
	return name != NULL ? header_value(headers, slice_str(name)) : SLICE_NONE;
}

/* ---- octets */

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool from_hex(struct slice s, unsigned char out[MAC])
{
	for (size_t i = 0; s.n == 2 * (size_t)MAC && i < MAC; i++) {
		int high = nibble(s.p[2 * i]), low = nibble(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return s.n == 2 * (size_t)MAC;
}

/* At most `room` octets; -1: it is no base64. */
static int from_base64(struct slice s, unsigned char *out, size_t room)
{
	unsigned char whole[256];
	int n, padding = 0;

	if (s.n == 0 || s.n % 4 != 0 || s.n / 4 * 3 > sizeof whole)
		return -1;
	while (padding < 2 && s.p[s.n - 1 - (size_t)padding] == '=')
		padding++;
	n = EVP_DecodeBlock(whole, (const unsigned char *)s.p, (int)s.n) - padding;
	if (n < 0 || (size_t)n > room)
		return -1;
	memcpy(out, whole, (size_t)n);
	OPENSSL_cleanse(whole, sizeof whole);
	return n;
}

static bool decode(const struct scheme *k, struct slice s, unsigned char out[MAC])
{
	return k->base64 ? from_base64(s, out, MAC) == MAC : from_hex(s, out);
}

/* ---- the signature */

static void signed_text(const struct scheme *k, struct slice id, struct slice time, struct slice body,
                        struct buf *out)
{
	switch (k->content) {
	case ID_TIME_BODY:
		buf_printf(out, SLICE_FMT "." SLICE_FMT ".", SLICE_ARG(id), SLICE_ARG(time));
		break;
	case V0_TIME_BODY: buf_printf(out, "v0:" SLICE_FMT ":", SLICE_ARG(time)); break;
	case TIME_BODY:
		if (time.p != NULL)
			buf_printf(out, SLICE_FMT ":", SLICE_ARG(time));
		break;
	case BODY:
	case TOKEN: break;
	}
	buf_adds(out, body);
}

static bool mac_of(struct slice secret, struct slice text, unsigned char mac[MAC])
{
	unsigned char key[256];
	unsigned n = 0;
	int len = -1;
	bool good;

	/* "whsec_" and base64 is how Standard Webhooks writes a secret; a text that only begins so is taken
	 * as it is */
	if (slice_starts(secret, SLICE("whsec_")))
		len = from_base64(slice_sub(secret, 6, SIZE_MAX), key, sizeof key);
	good = HMAC(EVP_sha256(), len >= 0 ? (const void *)key : secret.p, len >= 0 ? len : (int)secret.n,
	            (const unsigned char *)text.p, text.n, mac, &n) != NULL;
	OPENSSL_cleanse(key, sizeof key);
	return good && n == MAC;
}

/* Any of the signatures by any of the secrets: both change while they are rotated. */
static bool any_fits(const struct scheme *k, struct slice given, struct slice secrets, struct slice text)
{
	struct slice secret, one;
	unsigned char want[MAC], have[MAC];
	size_t n_secrets = 0;
	int fits = 0;

	while (secrets.n > 0 && slice_split(&secrets, '\n', &secret) && n_secrets++ < SECRETS_MAX) {
		struct slice rest = given;
		size_t n = 0;

		secret = slice_trim(secret);
		if (secret.n == 0 || !mac_of(secret, text, want))
			continue;
		while (rest.n > 0 && n++ < SIGNATURES_MAX) {
			if (k->between == 0) {
				one = rest;
				rest = SLICE_NONE;
			} else if (!slice_split(&rest, k->between, &one)) {
				break;
			}
			one = slice_trim(one);
			if (slice_starts(one, slice_str(k->prefix)) &&
			    decode(k, slice_sub(one, strlen(k->prefix), SIZE_MAX), have))
				fits |= CRYPTO_memcmp(want, have, MAC) == 0;
		}
	}
	OPENSSL_cleanse(want, sizeof want);
	return fits != 0;
}

/* As a digest, so that neither length nor content shows in the time it takes. */
static bool any_token(struct slice given, struct slice secrets)
{
	unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];
	struct slice secret;
	int fits = 0;

	if (EVP_Digest(given.p, given.n, a, NULL, EVP_sha256(), NULL) != 1)
		return false;
	while (secrets.n > 0 && slice_split(&secrets, '\n', &secret)) {
		secret = slice_trim(secret);
		if (secret.n > 0 && EVP_Digest(secret.p, secret.n, b, NULL, EVP_sha256(), NULL) == 1)
			fits |= CRYPTO_memcmp(a, b, MAC) == 0;
	}
	return fits != 0;
}

static bool stale(instant at, instant now, duration tolerance)
{
	return at > now + tolerance || at < now - tolerance;
}

static enum webhook_verdict by_certificate(const struct webhook_delivery *d, struct buf *key)
{
	struct arena *a = arena_new(0);
	struct slice id = SLICE_NONE;
	instant at = 0;
	enum webhook_verdict v = verify_sns(d->secrets, d->body, a, &id, &at);

	if (v == WEBHOOK_PROVEN && stale(at, d->now, MAX(d->tolerance, HOUR)))
		v = WEBHOOK_STALE; /* Amazon repeats for up to an hour */
	if (v == WEBHOOK_PROVEN)
		buf_adds(key, id);
	arena_free(a);
	return v;
}

enum webhook_verdict webhook_verify(const char *scheme, const struct webhook_delivery *d, struct buf *key)
{
	const struct scheme *k = scheme_of(scheme);
	struct slice given, id, time;
	struct buf text = {0};
	int64_t seconds = 0;
	bool fits;
	size_t i;

	BUG_ON(k == NULL || d->tolerance < 0);
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (k->signature[0] == NULL)
		return by_certificate(d, key);
	i = header(d->headers, k->signature[0]).p == NULL && k->signature[1] != NULL ? 1 : 0;
	given = header(d->headers, k->signature[i]);
	id = header(d->headers, k->id[i]);
	time = header(d->headers, k->time[i]);
	if (given.n == 0 || (k->content == ID_TIME_BODY && id.n == 0) ||
	    (k->time[i] != NULL && time.n == 0 && k->content != TIME_BODY))
		return WEBHOOK_UNSIGNED;
	if (id.n > ID_MAX ||
	    (time.p != NULL && (!slice_int(time, &seconds) || seconds < 0 || seconds > INT64_MAX / SECOND)))
		return WEBHOOK_FORGED;
	if (k->content == TOKEN) {
		fits = any_token(given, d->secrets);
	} else {
		signed_text(k, id, time, d->body, &text);
		fits = any_fits(k, given, d->secrets, buf_slice(&text));
		buf_free(&text);
	}
	if (!fits)
		return WEBHOOK_FORGED;
	if (time.p != NULL && stale(seconds * SECOND, d->now, d->tolerance))
		return WEBHOOK_STALE;
	/* what is signed besides the body makes a delivery unlike any other; else only its own name for it
	 * does */
	buf_adds(key, id.n > 0 ? id : time.p != NULL ? given : SLICE(""));
	return WEBHOOK_PROVEN;
}

void webhook_delivery_id(struct slice headers, struct buf *key)
{
	static const char *const names[] = {
	    "webhook-id",           "svix-id", "x-github-delivery", "x-gitlab-event-uuid", "idempotency-key",
	    "x-amz-sns-message-id", "ce-id"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct slice id = header(headers, names[i]);

		if (id.n == 0 || id.n > ID_MAX)
			continue;
		buf_adds(key, id);
		/* CloudEvents: unique together with the source */
		if (i == ARRAY_LEN(names) - 1) {
			buf_char(key, ' ');
			buf_adds(key, slice_sub(header(headers, "ce-source"), 0, ID_MAX));
		}
		return;
	}
}
