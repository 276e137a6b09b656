/* Signatures of webhooks: the products' own published examples, and what must not pass. */
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "plugin_test.h"

#define STANDARD_TIME 1614265330
#define STANDARD_HEADERS(sig)                                                                                \
	"webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\nwebhook-timestamp: 1614265330\nwebhook-signature: " sig "\n"
#define STANDARD_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define STANDARD_BODY      "{\"test\": 2432232314}"
#define STANDARD_SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define GITHUB_SIGNATURE   "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

static enum webhook_verdict verify(const char *scheme, const char *secrets, const char *headers, const char *body, int64_t now, const char *key)
{
	const struct webhook_delivery d = {.secrets = slice_str(secrets), .headers = slice_str(headers), .body = slice_str(body),
	                                   .now = now * SECOND, .tolerance = 5 * MINUTE};
	struct buf k = {0};
	enum webhook_verdict v = webhook_verify(scheme, &d, &k);

	if (key != NULL)
		assert_string_equal(buf_cstr(&k), key);
	if (v != WEBHOOK_PROVEN)
		assert_int_equal(k.n, 0);
	buf_free(&k);
	return v;
}

static void standard(void **state UNUSED)
{
	const char *good = STANDARD_HEADERS(STANDARD_SIGNATURE);

	assert_int_equal(verify("standard", STANDARD_SECRET, good, STANDARD_BODY, STANDARD_TIME, "msg_p5jXN8AQM9LWM0D4loKWxJek"), WEBHOOK_PROVEN);
	/* while keys are rotated: several signatures, several secrets */
	assert_int_equal(verify("standard", "old\n" STANDARD_SECRET "\n", STANDARD_HEADERS("v1a,xyz v1,AAAA " STANDARD_SIGNATURE), STANDARD_BODY, STANDARD_TIME, NULL),
	                 WEBHOOK_PROVEN);
	assert_int_equal(verify("standard", STANDARD_SECRET,
	                        "svix-id: msg_p5jXN8AQM9LWM0D4loKWxJek\nsvix-timestamp: 1614265330\nsvix-signature: " STANDARD_SIGNATURE "\n", STANDARD_BODY,
	                        STANDARD_TIME + 299, NULL),
	                 WEBHOOK_PROVEN);
	assert_int_equal(verify("standard", STANDARD_SECRET, good, STANDARD_BODY, STANDARD_TIME + 301, NULL), WEBHOOK_STALE);
	assert_int_equal(verify("standard", STANDARD_SECRET, good, STANDARD_BODY, STANDARD_TIME - 301, NULL), WEBHOOK_STALE);
	assert_int_equal(verify("standard", STANDARD_SECRET, good, STANDARD_BODY " ", STANDARD_TIME, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("standard", "whsec_AAAA", good, STANDARD_BODY, STANDARD_TIME, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("standard", "", good, STANDARD_BODY, STANDARD_TIME, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("standard", STANDARD_SECRET, STANDARD_HEADERS("v1,"), STANDARD_BODY, STANDARD_TIME, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("standard", STANDARD_SECRET, "webhook-id: x\nwebhook-timestamp: 1\n", STANDARD_BODY, 1, NULL), WEBHOOK_UNSIGNED);
	assert_int_equal(verify("standard", STANDARD_SECRET, "webhook-id: x\nwebhook-signature: " STANDARD_SIGNATURE "\n", STANDARD_BODY, 1, NULL), WEBHOOK_UNSIGNED);
	assert_int_equal(verify("standard", STANDARD_SECRET,
	                        "webhook-id: x\nwebhook-timestamp: 9999999999999999999\nwebhook-signature: " STANDARD_SIGNATURE "\n", STANDARD_BODY, 1, NULL),
	                 WEBHOOK_FORGED);
	assert_int_equal(verify("standard", STANDARD_SECRET, "", "", 1, NULL), WEBHOOK_UNSIGNED);
}

static void hexadecimal(void **state UNUSED)
{
	const char *secret = "It's a Secret to Everybody", *text = "Hello, World!";

	assert_int_equal(verify("github", secret, "x-hub-signature-256: sha256=" GITHUB_SIGNATURE "\nx-github-delivery: d-1\n", text, 0, "d-1"), WEBHOOK_PROVEN);
	assert_int_equal(verify("github", secret, "x-hub-signature-256: " GITHUB_SIGNATURE "\n", text, 0, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("github", secret, "x-hub-signature-256: sha256=" GITHUB_SIGNATURE "0\n", text, 0, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("github", secret, "x-hub-signature: sha1=00\n", text, 0, NULL), WEBHOOK_UNSIGNED);
	assert_int_equal(verify("pagerduty", secret, "x-pagerduty-signature: v1=00,v1=" GITHUB_SIGNATURE "\n", text, 0, ""), WEBHOOK_PROVEN);
	assert_int_equal(verify("pagerduty", secret, "x-pagerduty-signature: v1=00\n", text, 0, NULL), WEBHOOK_FORGED);
	assert_int_equal(verify("sentry", secret, "sentry-hook-signature: " GITHUB_SIGNATURE "\nrequest-id: r\n", text, 0, "r"), WEBHOOK_PROVEN);
	assert_int_equal(verify("grafana", secret, "x-grafana-alerting-signature: " GITHUB_SIGNATURE "\n", text, 0, ""), WEBHOOK_PROVEN);
	assert_int_equal(verify("gitlab", "first\nsecond", "x-gitlab-token: second\nx-gitlab-event-uuid: u\n", text, 0, "u"), WEBHOOK_PROVEN);
	assert_int_equal(verify("gitlab", "first\nsecond", "x-gitlab-token: secon\n", text, 0, NULL), WEBHOOK_FORGED);
}

static void slack(void **state UNUSED)
{
	const char *body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&"
	                   "user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F"
	                   "commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
	                   "803a0bc887a14d10d2c447fce8b6703c";
	const char *headers = "x-slack-request-timestamp: 1531420618\n"
	                      "x-slack-signature: v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503\n";

	assert_int_equal(verify("slack", "8f742231b10e8888abcd99yyyzzz85a5", headers, body, 1531420618, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
	                 WEBHOOK_PROVEN);
	assert_int_equal(verify("slack", "8f742231b10e8888abcd99yyyzzz85a5", headers, body, 1531420618 + 400, NULL), WEBHOOK_STALE);
}

/* ---- SNS: a certificate and messages of our own making */

static EVP_PKEY *key;
static struct buf pem;

static int make_certificate(void **state UNUSED)
{
	X509 *x = X509_new();
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long n;

	key = EVP_RSA_gen(2048);
	X509_set_pubkey(x, key);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(b, x);
	n = BIO_get_mem_data(b, &text);
	buf_add(&pem, text, (size_t)n);
	BIO_free(b);
	X509_free(x);
	return 0;
}

static int free_certificate(void **state UNUSED)
{
	EVP_PKEY_free(key);
	buf_free(&pem);
	return 0;
}

static char *sign(const char *text, const EVP_MD *md)
{
	unsigned char sig[256];
	size_t n = sizeof sig;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	char *out = xcalloc(1, 400);

	assert_int_equal(EVP_DigestSignInit(c, NULL, md, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(c, sig, &n, (const unsigned char *)text, strlen(text)), 1);
	EVP_EncodeBlock((unsigned char *)out, sig, (int)n);
	EVP_MD_CTX_free(c);
	return out;
}

static char *notification(const char *text, const char *version, const char *signature)
{
	return xasprintf("{\"Type\":\"Notification\",\"MessageId\":\"m-1\",\"TopicArn\":\"arn:x\",\"Subject\":\"s\",\"Message\":\"%s\","
	                 "\"Timestamp\":\"2026-11-22T10:00:00.000Z\",\"SignatureVersion\":\"%s\",\"Signature\":\"%s\",\"SigningCertURL\":\"https://evil/\"}",
	                 text, version, signature);
}

static void sns(void **state UNUSED)
{
	const char *canonical = "Message\nhello\nMessageId\nm-1\nSubject\ns\nTimestamp\n2026-11-22T10:00:00.000Z\nTopicArn\narn:x\nType\nNotification\n";
	const char *confirm = "Message\nplease\nMessageId\nm-2\nSubscribeURL\nhttps://x/\nTimestamp\n2026-11-22T10:00:00.000Z\nToken\nt\nTopicArn\narn:x\n"
	                      "Type\nSubscriptionConfirmation\n";
	const int64_t now = 1795341600;
	char *one = sign(canonical, EVP_sha1()), *two = sign(canonical, EVP_sha256()), *three = sign(confirm, EVP_sha256()), *text;

	text = notification("hello", "1", one);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", text, now, "m-1"), WEBHOOK_PROVEN);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", text, now + 4000, NULL), WEBHOOK_STALE);
	assert_int_equal(verify("sns", "no certificate", "", text, now, NULL), WEBHOOK_FORGED);
	free(text);
	text = notification("hello", "2", two);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", text, now, "m-1"), WEBHOOK_PROVEN);
	free(text);
	text = notification("hullo", "2", two);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", text, now, NULL), WEBHOOK_FORGED);
	free(text);
	text = notification("hello", "3", two);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", text, now, NULL), WEBHOOK_FORGED);
	free(text);
	text = xasprintf("{\"Type\":\"SubscriptionConfirmation\",\"MessageId\":\"m-2\",\"Token\":\"t\",\"TopicArn\":\"arn:x\",\"Message\":\"please\","
	                 "\"SubscribeURL\":\"https://x/\",\"Timestamp\":\"2026-11-22T10:00:00.000Z\",\"SignatureVersion\":\"2\",\"Signature\":\"%s\"}",
	                 three);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", text, now, "m-2"), WEBHOOK_PROVEN);
	free(text);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", "{}", now, NULL), WEBHOOK_UNSIGNED);
	assert_int_equal(verify("sns", buf_cstr(&pem), "", "not json", now, NULL), WEBHOOK_UNSIGNED);
	free(one);
	free(two);
	free(three);
}

static void names_of_deliveries(void **state UNUSED)
{
	struct buf k = {0};

	webhook_delivery_id(SLICE("x-other: 1\n"), &k);
	assert_int_equal(k.n, 0);
	webhook_delivery_id(SLICE("ce-id: 7\nce-source: /a\n"), &k);
	assert_string_equal(buf_cstr(&k), "7 /a");
	assert_true(webhook_scheme_known("github"));
	assert_false(webhook_scheme_known("rot13"));
	buf_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(standard), cmocka_unit_test(hexadecimal), cmocka_unit_test(slack), cmocka_unit_test(sns),
	                                   cmocka_unit_test(names_of_deliveries)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_certificate, free_certificate);
}
