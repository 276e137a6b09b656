/* Promises that an incoming webhook is believed to come from the ticket system only if it carries the
 * connection's token or a right HMAC (RFC 2104), compared in constant time. What it says is a hint to look,
 * no more. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "plugins/tickets/profile.h"
#include "plugins/tickets/record.h"
#include "plugins/tickets/reply.h"

enum { SIGNED_MAX = 2 << 20, KEY_MAX = 512, SIGNATURES_MAX = 16 };

bool ticket_hook_there(const struct ticket_profile *p)
{
	return p->hook.secret != NULL && p->hook.extract != NULL;
}

static bool same(struct slice a, struct slice b)
{
	return a.n == b.n && a.n > 0 && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}

static struct slice unprefixed(struct slice s, struct slice prefix)
{
	return prefix.n > 0 && slice_starts(s, prefix) ? slice_sub(s, prefix.n, s.n) : s;
}

/* The octets of the key. */
static int key_octets(const struct hook *h, struct slice secret, struct buf *key, struct error *err)
{
	struct slice s = unprefixed(slice_trim(secret), h->secret_prefix);
	if (s.n == 0 || s.n > KEY_MAX)
		return error_set(err, "the webhook's secret is empty or longer than %d characters", KEY_MAX);
	if (!h->base64_secret) {
		buf_adds(key, s);
		return 0;
	}
	buf_reserve(key, s.n);
	int n = s.n % 4 == 0 ? EVP_DecodeBlock((unsigned char *)key->p, (const unsigned char *)s.p, (int)s.n)
	                     : -1;
	if (n < 0)
		return error_set(err, "the webhook's secret is no base64");
	key->n = (size_t)n;
	for (size_t i = s.n; i > 0 && s.p[i - 1] == '=' && key->n > 0; i--)
		key->n--;
	return 0;
}

static void signed_text(const struct hook *h, const struct reply *r, struct buf *out)
{
	for (size_t i = 0; i < h->n_parts; i++) {
		struct slice part = h->parts[i];
		if (slice_is(part, "@body"))
			buf_adds(out, r->body);
		else if (slice_starts(part, SLICE("@header.")))
			buf_adds(out, reply_header(r, slice_sub(part, 8, part.n)));
		else
			buf_adds(out, part);
	}
}

static void signature(const struct hook *h, const struct buf *key, const struct buf *text, struct buf *out)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	const EVP_MD *md = h->scheme == HOOK_SHA1 ? EVP_sha1() : EVP_sha256();
	if (DOUBT(HMAC(md, key->p, (int)key->n, (const unsigned char *)(text->n > 0 ? text->p : ""), text->n,
	               sum, &n) == NULL))
		return;
	if (h->base64) {
		buf_reserve(out, (size_t)n * 2 + 8);
		out->n = (size_t)EVP_EncodeBlock((unsigned char *)out->p, sum, (int)n);
	} else {
		for (unsigned i = 0; i < n; i++)
			buf_printf(out, "%02x", sum[i]);
	}
}

/* A header may carry several, separated by commas or blanks, each with its prefix: while secrets are changed.
 */
static bool among(const struct hook *h, struct slice have, struct slice want)
{
	struct slice one;
	int n = 0;
	bool right = false, commas = slice_contains(h->prefix, SLICE(","));
	for (size_t i = 0; i <= have.n && n < SIGNATURES_MAX; n++) {
		size_t end = i;
		while (end < have.n && have.p[end] != ' ' && (commas || have.p[end] != ','))
			end++;
		one = slice_trim(slice_sub(have, i, end - i));
		if (h->prefix.n == 0 || slice_starts(one, h->prefix))
			right = same(unprefixed(one, h->prefix), want) || right;
		i = end + 1;
	}
	return right;
}

int ticket_hook_check(const struct ticket_connection *c, struct slice headers, struct slice body,
                      struct error *err)
{
	const struct hook *h = &c->profile->hook;
	struct arena *a = arena_new(0);
	struct render render = {.connection = c, .arena = a};
	struct reply r = {.headers = headers, .body = body.p != NULL ? body : SLICE("")};
	struct buf secret = {0}, key = {0}, text = {0}, want = {0};
	int rc =
	    h->secret != NULL ? 0 : error_set(err, "the profile '%s' takes no webhooks", c->profile->name);
	struct slice have = rc == 0 ? reply_header(&r, h->header) : SLICE_NONE;
	if (rc == 0)
		rc = expr_text(h->secret, &render, &secret, err);
	if (rc == 0 && have.n == 0)
		rc = error_set(err, "the header '" SLICE_FMT "' is missing", SLICE_ARG(h->header));
	if (rc == 0 && body.n > SIGNED_MAX)
		rc = error_set(err, "the webhook is longer than %d octets", SIGNED_MAX);
	if (rc == 0)
		rc = key_octets(h, buf_slice(&secret), &key, err);
	if (rc == 0 && h->scheme == HOOK_TOKEN) {
		rc = same(unprefixed(have, h->prefix), buf_slice(&key))
		         ? 0
		         : error_set(err, "the token is wrong");
	} else if (rc == 0) {
		signed_text(h, &r, &text);
		signature(h, &key, &text, &want);
		rc = among(h, have, buf_slice(&want)) ? 0 : error_set(err, "the signature is wrong");
	}
	if (key.n > 0)
		explicit_bzero(key.p, key.n);
	if (secret.n > 0)
		explicit_bzero(secret.p, secret.n);
	buf_free(&secret);
	buf_free(&key);
	buf_free(&text);
	buf_free(&want);
	arena_free(a);
	return rc;
}

static void read_one(const struct ticket_connection *c, const struct reply *r, struct render *render,
                     const struct json *item, struct buf *out)
{
	struct values *v = record_values(render, c->profile->hook.extract, NULL, r, item);
	struct ticket_seen seen = record_seen(c->profile, render->arena, v);
	if (seen.id.n > 0)
		ticket_seen_encode(&seen, out);
}

void ticket_hook_read(const struct ticket_connection *c, struct slice headers, struct slice body,
                      struct buf *records)
{
	const struct hook *h = &c->profile->hook;
	struct arena *a = arena_new(0);
	struct render render = {.connection = c, .arena = a};
	const struct ticket_answer answer = {.status = 200, .headers = headers, .body = body};
	struct reply r;
	int n = 0;
	reply_read(&r, &answer, a);
	const struct json *list = h->items.p != NULL ? json_path(r.doc, h->items) : NULL;
	if (r.doc != NULL && h->items.p == NULL)
		read_one(c, &r, &render, NULL, records);
	for (const struct json *x = list != NULL ? list->first : NULL; x != NULL && n < 100; x = x->next, n++)
		read_one(c, &r, &render, x, records);
	arena_free(a);
}
