/* Promises that a webhook which a profile takes proves itself: by a token in a header or by an HMAC over what
 * the profile names. Must not know who listens. */
#include "plugins/tickets/reading.h"

static void load_scheme(struct reading *r, const struct node *n, struct hook *h)
{
	static const struct {
		const char *word;
		enum hook_scheme scheme;
	} schemes[] = {{"token", HOOK_TOKEN}, {"hmac-sha1", HOOK_SHA1}, {"hmac-sha256", HOOK_SHA256}};
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (slice_is(n->text, schemes[i].word)) {
			h->scheme = schemes[i].scheme;
			return;
		}
	REFUSE(r, "E011", n->mark, "'" SLICE_FMT "' must be one of token, hmac-sha1, hmac-sha256",
	       SLICE_ARG(n->text));
}

static bool load_encoding(struct reading *r, const struct node *n, const char *plain)
{
	if (slice_is(n->text, "base64"))
		return true;
	if (!slice_is(n->text, plain))
		REFUSE(r, "E011", n->mark, "'" SLICE_FMT "' must be one of %s, base64", SLICE_ARG(n->text),
		       plain);
	return false;
}

static void load_signed(struct reading *r, const struct node *n, struct hook *h)
{
	bool body = false;
	h->parts = reading_slices(r, n, "signed", &h->n_parts);
	for (size_t i = 0; i < h->n_parts; i++)
		body = body || slice_is(h->parts[i], "@body");
	if (!body)
		REFUSE(r, "E011", n->mark, "what is signed must hold @body");
}

static void load_verify(struct reading *r, const struct node *n, struct hook *h)
{
	static const char *const keys[] = {"scheme",   "header",          "secret",        "prefix",
	                                   "encoding", "secret_encoding", "secret_prefix", "signed"};
	static struct slice body[] = {{"@body", 5}};
	if (!reading_kind(r, n, NODE_MAP, "webhook.verify", "a map") ||
	    !reading_keys(r, n, "webhook.verify", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *scheme = reading_need(r, n, "webhook.verify", "scheme"),
	                  *header = reading_need(r, n, "webhook.verify", "header"),
	                  *secret = reading_need(r, n, "webhook.verify", "secret");
	const struct node *prefix = node_get(n, "prefix"), *encoding = node_get(n, "encoding"),
	                  *what = node_get(n, "signed"), *secret_encoding = node_get(n, "secret_encoding"),
	                  *secret_prefix = node_get(n, "secret_prefix");
	h->parts = body;
	h->n_parts = 1;
	if (scheme != NULL)
		load_scheme(r, scheme, h);
	if (header != NULL && reading_kind(r, header, NODE_SCALAR, "header", "a name"))
		h->header = reading_keep(r, header->text);
	if (secret != NULL && reading_kind(r, secret, NODE_SCALAR, "secret", "such as ${secret.webhook}"))
		h->secret = expr_parse(r, secret->text, secret->mark, secret->quoted, EXPR_HOOK);
	struct slice text;
	if (h->secret != NULL && expr_constant(h->secret, &text))
		REFUSE(r, "E011", secret->mark,
		       "the secret of a webhook is ${secret.NAME}, never a text in a profile");
	if (prefix != NULL)
		h->prefix = reading_keep(r, prefix->text);
	if (secret_prefix != NULL)
		h->secret_prefix = reading_keep(r, secret_prefix->text);
	h->base64 = encoding != NULL && load_encoding(r, encoding, "hex");
	h->base64_secret = secret_encoding != NULL && load_encoding(r, secret_encoding, "text");
	if (what != NULL)
		load_signed(r, what, h);
}

void profile_hook_load(struct reading *r, const struct node *n)
{
	static const char *const keys[] = {"verify", "extract", "items"};
	struct hook *h = &r->profile->hook;
	if (!reading_kind(r, n, NODE_MAP, "webhook", "a map") ||
	    !reading_keys(r, n, "webhook", keys, ARRAY_LEN(keys), NULL, 0))
		return;
	const struct node *verify = reading_need(r, n, "webhook", "verify"),
	                  *extract = reading_need(r, n, "webhook", "extract"), *items = node_get(n, "items");
	if (verify != NULL)
		load_verify(r, verify, h);
	if (items != NULL && profile_path_ok(r, items, "items"))
		h->items = reading_keep(r, items->text);
	if (extract != NULL)
		h->extract = profile_extract_load(r, extract);
	for (const struct named_path *p = h->extract; p != NULL; p = p->next)
		if (slice_is(p->name, "id"))
			return;
	if (extract != NULL)
		REFUSE(r, "E005", extract->mark, "webhook needs 'id' in 'extract': which ticket to look at");
}
