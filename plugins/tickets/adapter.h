/* The ticket adapter: a profile (YAML) turns an operation into a short conversation over HTTP. tickets.md.
 *
 * Pure: requests and answers are values; sockets, order, rate, retry and circuit breaking belong to egress
 * and core. */
#ifndef CARILLON_PLUGINS_TICKETS_ADAPTER_H
#define CARILLON_PLUGINS_TICKETS_ADAPTER_H

#include "base/error.h"
#include "base/instant.h"
#include "model/ticket.h"

struct ticket_profile;

/* Checks everything at load, with places: unknown keys, names, filters; secrets only where allowed; values
 * from events inside a query only through that language's filter; no template in scheme, host or port. NULL
 * on errors. */
struct ticket_profile *ticket_profile_load(const char *file, struct slice yaml,
                                           struct findings *f) MUST_CHECK;
void ticket_profile_free(struct ticket_profile *p);
const char *ticket_profile_name(const struct ticket_profile *p);
int ticket_profile_concurrency(const struct ticket_profile *p); /* limits.concurrency, default 2 */
double ticket_profile_rate(const struct ticket_profile *p);     /* limits.rate per second, default 5 */
bool ticket_profile_has(const struct ticket_profile *p, enum ticket_verb v);
bool ticket_profile_idempotent(const struct ticket_profile *p);
/* The conf and secret names that its templates use; for `config check`: missing ones are errors. */
size_t ticket_profile_conf(const struct ticket_profile *p, const char *const **names);
size_t ticket_profile_secrets(const struct ticket_profile *p, const char *const **names);

/* A connection: the profile with one destination's conf and secrets (borrowed while in use). */
struct ticket_connection {
	const struct ticket_profile *profile;
	const char *const *conf_keys, *const *conf_values;
	size_t n_conf;
	const char *const *secret_keys;
	const struct slice *secret_values;
	size_t n_secrets;
};
/* base must be https:// or loopback http://, every conf key that the profile needs must be there. */
int ticket_connection_check(const struct ticket_connection *c, struct error *err) MUST_CHECK;

struct ticket_request {
	const char *method, *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	struct slice body;          /* absent: none */
};
struct ticket_answer {
	int status; /* 0: no reply */
	bool sent;
	struct slice headers, body; /* headers: "name: value\n", lower-case names */
	const char *failure;
};

/* One operation under way: request → answer → perhaps another request (readback) → result. */
struct ticket_talk;
enum talk_next { TALK_REQUEST, TALK_RESULT };
struct ticket_talk *ticket_talk_new(const struct ticket_connection *c,
                                    const struct ticket_op *op); /* copies op */
void ticket_talk_free(struct ticket_talk *t);
/* Either a request to send (borrowed until ticket_talk_answer) or the result (borrowed until
 * ticket_talk_free). */
enum talk_next ticket_talk_next(struct ticket_talk *t, struct ticket_request *req, struct ticket_result *res);
void ticket_talk_answer(struct ticket_talk *t, const struct ticket_answer *a);

#endif
