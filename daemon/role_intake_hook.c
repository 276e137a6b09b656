/* Webhooks at intake: which listener a request is for, who may send, what was delivered already, and the answer when the
 * events are on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/seen.h"
#include "role_intake.h"

/* Whose interface a request was made for, and hence how it is answered. */
enum hook_api { HOOK_OWN, HOOK_ALERTMANAGER, HOOK_PAGERDUTY };

struct hook_wait {
	struct waiter waiter;
	struct http_request *request;
	struct intake *intake;
	uint64_t seen; /* delivery to note; 0: it has no name */
	unsigned accepted;
	enum hook_api api;
	char key[256]; /* PagerDuty: the key that the sender is to use from now on */
};

/* Events API v2 of PagerDuty: 202 and the key. */
static void pagerduty_answer(struct http_request *r, const char *key)
{
	struct buf text = {0};
	struct jw w = jw_new(&text);

	jw_object(&w);
	jw_kstr(&w, "status", "success");
	jw_kstr(&w, "message", "Event processed");
	jw_kstr(&w, "dedup_key", key);
	jw_end(&w);
	buf_char(&text, '\n');
	http_reply(r, 202, "application/json", buf_slice(&text), NULL);
	buf_free(&text);
}

static void hook_answer(struct http_request *r, unsigned events, enum hook_api api, const char *key)
{
	char text[64];
	int n = snprintf(text, sizeof text, "{\"accepted\":%u}\n", events);

	if (api == HOOK_PAGERDUTY)
		pagerduty_answer(r, key);
	else
		http_reply(r, api == HOOK_ALERTMANAGER ? 200 : 202, "application/json", slice_of(text, (size_t)n), NULL);
}

/* It is on disk: from now on it is a repeat. */
static void note(struct intake *in, uint64_t seen)
{
	if (seen != 0)
		seen_done(in->role->shared->deliveries, seen, in->role->index, loop_now(in->role->loop));
}

static void hook_done(struct waiter *w)
{
	struct hook_wait *h = (struct hook_wait *)(void *)w;

	note(h->intake, h->seen);
	http_request_set(h->request, NULL);
	hook_answer(h->request, h->accepted, h->api, h->key);
	free(h);
}

static void hook_gone(struct http_request *r, void *arg)
{
	struct intake_socket *s = arg;
	struct hook_wait *h = http_request_user(r);

	if (h == NULL)
		return;
	intake_forget(s->intake, &h->waiter);
	free(h);
}

static bool shares_socket(const struct intake_listener *l, const char *socket_of)
{
	const struct listener_config *c = l->config;

	return c->type == LISTENER_WEBHOOK && c->enabled &&
	       (strcmp(c->name, socket_of) == 0 || (c->on != NULL && strcmp(c->on, socket_of) == 0));
}

static enum hook_api api_of(struct slice path)
{
	if (slice_is(path, "/api/v2/alerts") || slice_is(path, "/api/v1/alerts"))
		return HOOK_ALERTMANAGER;
	return slice_is(path, "/v2/enqueue") ? HOOK_PAGERDUTY : HOOK_OWN;
}

static bool has_profile(const struct listener_config *c, enum hook_api api)
{
	return c->profile != NULL && strcmp(c->profile, api == HOOK_ALERTMANAGER ? "alertmanager" : "pagerduty") == 0;
}

/* Which listener a path belongs to: its own `path`, /hook/<its name>, the interfaces of Alertmanager and PagerDuty (the
 * listener with that profile), else the socket's listener. */
static struct intake_listener *route(struct intake *in, const char *socket_of, struct slice path, enum hook_api api)
{
	struct intake_listener *base = intake_listener(in, socket_of);

	for (size_t i = 0; i < in->gen->n_listeners; i++) {
		struct intake_listener *l = &in->gen->listeners[i];
		const struct listener_config *c = l->config;

		if (!shares_socket(l, socket_of))
			continue;
		if (api != HOOK_OWN ? has_profile(c, api)
		                    : (c->path != NULL && slice_is(path, c->path)) ||
		                          (slice_starts(path, SLICE("/hook/")) && slice_is(slice_sub(path, 6, SIZE_MAX), c->name)))
			return l;
	}
	return api != HOOK_OWN || slice_is(path, "/") || slice_is(path, "/hook") ? base : NULL;
}

/* What PagerDuty calls routing key stands in the body and is the listener's token here. */
static bool routing_key_good(const struct intake_listener *l, struct slice body)
{
	struct arena *a = arena_new(0);
	struct error err;
	const struct json *j = json_parse(a, body, JSON_LIMITS, NULL, &err);
	struct slice given = json_text(json_get(j, "routing_key"));
	bool good = given.n > 0 && secret_equal(&l->bearer, given);

	arena_free(a);
	return good;
}

static bool authorised(const struct intake_listener *l, const struct http_request *r, enum hook_api api)
{
	struct slice given = http_request_header(r, "authorization");

	if (l->config->bearer.ref == NULL)
		return true;
	if (given.p == NULL && api == HOOK_PAGERDUTY)
		return routing_key_good(l, http_request_body(r));
	if (given.n < 7 || !slice_ieq(slice_sub(given, 0, 7), SLICE("bearer ")))
		return false;
	return secret_equal(&l->bearer, slice_trim(slice_sub(given, 7, SIZE_MAX)));
}

static void hook_headers(const struct http_head *head, struct buf *out)
{
	for (size_t i = 0; i < head->n_headers; i++) {
		/* a profile may read signatures and product headers, never credentials */
		if (slice_is(head->headers[i].name, "authorization") || slice_is(head->headers[i].name, "cookie"))
			continue;
		buf_adds(out, head->headers[i].name);
		buf_str(out, ": ");
		buf_adds(out, head->headers[i].value);
		buf_char(out, '\n');
	}
}

static const void *hook_settings(const struct intake_listener *l, enum hook_api api)
{
	const void *other = api == HOOK_ALERTMANAGER ? l->settings_v2 : api == HOOK_PAGERDUTY ? l->settings_pagerduty : NULL;

	return other != NULL ? other : l->settings;
}

/* The key of the first event, as the sender knows it. */
static void keep_key(const struct intake *in, char *key, size_t room)
{
	struct slice own = SLICE("pagerduty/"), v = {0};

	if (in->batch.n > 0)
		v = value_slice(fields_get(&in->batch.v[0], FIELD_DEDUP_KEY));
	if (slice_starts(v, own))
		v = slice_sub(v, own.n, SIZE_MAX);
	snprintf(key, room, SLICE_FMT, SLICE_ARG(v));
}

static void take_hook(struct intake_socket *s, struct intake_listener *l, struct http_request *r, enum hook_api api, struct slice headers, uint64_t seen)
{
	struct intake *in = s->intake;
	struct decode_env env = intake_env(in, l, http_request_peer(r));
	struct buf reply = {0};
	struct hook_wait *h;
	unsigned accepted;
	const char *why;
	char key[sizeof h->key] = "";
	bool refused;

	env.headers = headers;
	env.content_type = http_request_header(r, "content-type");
	env.path = http_request_head(r)->path;
	intake_record_payload(in->recording, l, &env, "http", http_request_body(r));
	accepted = intake_payload(in, l, &webhook_decoder, hook_settings(l, api), &env, http_request_body(r), &reply, &refused, &why);
	intake_count(l);
	if (refused)
		intake_refusal(in, l, http_request_peer(r), why, http_request_body(r));
	buf_free(&reply);
	if (api == HOOK_PAGERDUTY)
		keep_key(in, key, sizeof key);
	if (accepted == 0) {
		note(in, seen);
		hook_answer(r, 0, api, key);
		return;
	}
	h = xcalloc(1, sizeof *h);
	*h = (struct hook_wait){.request = r, .intake = in, .seen = seen, .accepted = accepted, .api = api};
	memcpy(h->key, key, sizeof key);
	http_request_set(r, h);
	intake_wait(in, &h->waiter, hook_done);
}

/* ---- signatures, and what was delivered already */

/* The scheme that the listener asks for, else its profile's, else the common one. */
static const char *scheme_for(const struct intake_listener *l, enum hook_api api)
{
	const char *scheme = l->config->scheme;

	if (scheme != NULL && scheme[0] != '\0')
		return scheme;
	scheme = webhook_settings_verify(hook_settings(l, api));
	return scheme != NULL ? scheme : "standard";
}

/* auth.hmac. Refused requests are answered here. `key` gets what tells this delivery from others. */
static bool proven(struct intake *in, struct intake_listener *l, struct http_request *r, enum hook_api api, struct slice headers, struct buf *key)
{
	static const char *const why[] = {[WEBHOOK_UNSIGNED] = "the request is not signed (auth.hmac)",
	                                  [WEBHOOK_FORGED] = "the signature does not fit (auth.hmac)",
	                                  [WEBHOOK_STALE] = "the signature is too old or from the future (auth.tolerance)"};
	const struct webhook_delivery d = {.secrets = slice_of(l->hmac.p, l->hmac.n), .headers = headers, .body = http_request_body(r),
	                                   .now = loop_now(in->role->loop), .tolerance = l->config->tolerance};
	enum webhook_verdict v = l->hmac.n > 0 ? webhook_verify(scheme_for(l, api), &d, key) : WEBHOOK_FORGED;

	if (v == WEBHOOK_PROVEN)
		return true;
	counter_add(l->acl, 1);
	intake_refusal(in, l, http_request_peer(r), why[v], SLICE_NONE);
	http_problem(r, 401, "%s", why[v]);
	return false;
}

/* Remembered for a day: products repeat for hours. */
#define DELIVERY_MEMORY DAY

/* True: answered, it is a repeat, or one that is under way. *seen: what to note when it is on disk; 0: nothing. */
static bool delivered(struct intake *in, struct intake_listener *l, struct http_request *r, enum hook_api api, struct slice id, uint64_t *seen)
{
	struct buf b = {0};
	enum seen_state state;

	*seen = 0;
	if (id.n == 0)
		return false;
	buf_printf(&b, "%s ", l->config->name);
	buf_adds(&b, id);
	*seen = hash_stable(buf_slice(&b)) | 1;
	buf_free(&b);
	state = seen_begin(in->role->shared->deliveries, *seen, in->role->index, loop_now(in->role->loop), DELIVERY_MEMORY);
	if (state == SEEN_NEW)
		return false;
	counter_add(l->duplicate, 1);
	if (state == SEEN_DONE)
		hook_answer(r, 0, api, "");
	else
		http_reply(r, 503, "application/json", SLICE("{\"title\":\"this delivery is under way\",\"status\":503}\n"), "Retry-After: 1\r\n");
	return true;
}

static void take_new(struct intake_socket *s, struct intake_listener *l, struct http_request *r, enum hook_api api)
{
	struct buf headers = {0}, key = {0};
	uint64_t seen;

	hook_headers(http_request_head(r), &headers);
	if (l->config->hmac.ref == NULL || proven(s->intake, l, r, api, buf_slice(&headers), &key)) {
		if (key.n == 0)
			webhook_delivery_id(buf_slice(&headers), &key);
		if (!delivered(s->intake, l, r, api, buf_slice(&key), &seen))
			take_hook(s, l, r, api, buf_slice(&headers), seen);
	}
	buf_free(&headers);
	buf_free(&key);
}

static void take_ticket(struct intake_socket *s, struct intake_listener *l, struct http_request *r)
{
	struct buf headers = {0};

	hook_headers(http_request_head(r), &headers);
	intake_ticket_hook(s->intake, l, r, buf_slice(&headers));
	buf_free(&headers);
}

static void on_hook(struct http_request *r, void *arg)
{
	struct intake_socket *s = arg;
	const struct http_head *head = http_request_head(r);
	enum hook_api api = api_of(head->path);
	bool ticket = intake_ticket_path(head->path); /* proves itself by its profile, not by the listener's token */
	struct intake_listener *l = ticket ? intake_listener(s->intake, s->listener) : route(s->intake, s->listener, head->path, api);

	http_request_set(r, NULL);
	if (l == NULL) {
		http_problem(r, 404, "no webhook listens at this path; use the path of a listener, or /hook/ and its name");
	} else if (!intake_allowed(l, http_request_peer(r))) {
		counter_add(l->acl, 1);
		http_problem(r, 403, "this address is not in the listener's allow list");
	} else if (!ticket && l->config->n_mtls > 0 && !http_request_client_is(r, (const char *const *)l->config->mtls, l->config->n_mtls)) {
		counter_add(l->acl, 1);
		intake_refusal(s->intake, l, http_request_peer(r), "the client's certificate is not in auth.mtls", SLICE_NONE);
		http_problem(r, 403, "this client's certificate is not in the listener's auth.mtls");
	} else if (!ticket && !authorised(l, r, api)) {
		counter_add(l->acl, 1);
		intake_refusal(s->intake, l, http_request_peer(r), "wrong or missing bearer token", SLICE_NONE);
		http_reply(r, 401, "application/json", SLICE("{\"title\":\"a bearer token is needed\",\"status\":401}\n"), "WWW-Authenticate: Bearer\r\n");
	} else if (!slice_is(head->method, "POST") && !slice_is(head->method, "PUT")) {
		http_problem(r, 405, "post events here");
	} else if (intake_full(s->intake) || !intake_rate(s->intake, l, http_request_peer(r), 1)) {
		http_reply(r, 429, "application/json", SLICE("{\"title\":\"too many events\",\"status\":429}\n"), "Retry-After: 1\r\n");
	} else if (ticket) {
		take_ticket(s, l, r);
	} else {
		take_new(s, l, r, api);
	}
}

static void on_http_refused(const struct peer *from, int status, const char *why, void *arg)
{
	struct intake_socket *s = arg;
	struct intake_listener *l = intake_listener(s->intake, s->listener);

	if (l == NULL)
		return;
	counter_add(status == 0 ? l->handshake : l->parse, 1);
	intake_refusal(s->intake, l, from, why, SLICE_NONE);
}

const struct http_events intake_hook_events = {.request = on_hook, .gone = hook_gone, .refused = on_http_refused};
