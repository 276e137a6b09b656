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
struct ticket_connection;
struct ticket_session;

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
bool ticket_profile_writes_log(const struct ticket_profile *p);  /* its requests are WRITEs for the log, */
bool ticket_profile_writes_file(const struct ticket_profile *p); /* or for the file conf.path */
/* How long a ticket may stay unseen by `find` after it was made: what UNKNOWN waits before it searches.
 * Default 2 s. */
duration ticket_profile_settle(const struct ticket_profile *p);
/* Of the profile's text and the connection's addresses and names: another one must prove itself again
 * (`tickets check`). */
uint64_t ticket_profile_fingerprint(struct slice yaml, const struct ticket_connection *c);
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
	/* Where a login's token is kept between operations; may be NULL if the profile needs no login. Talks
	 * of one connection share it: one that is refused with 401 logs in again, once, and goes on. */
	struct ticket_session *session;
};
struct ticket_session *ticket_session_new(void);
void ticket_session_free(struct ticket_session *s);
void ticket_session_forget(struct ticket_session *s); /* the secrets may have changed */
void ticket_session_time(struct ticket_session *s,
                         instant now); /* a token that has expired is renewed before it is refused */
/* base must be https:// or loopback http://, every conf key that the profile needs must be there. */
int ticket_connection_check(const struct ticket_connection *c, struct error *err) MUST_CHECK;

/* method "WRITE" is no request: `body` is one line for the file of the connection, or for the log; answered
 * by 200 or 0. */
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

/* One operation under way: request → answer → perhaps another request (a login, a look at the ticket's state,
 * steps, further pages, reading back) → result.
 *
 * get, poll and changes put normalised records into the result (model/ticket.h: ticket_seen, ticket_planned).
 * A poll does not know which tickets are ours: who asks does. What our own account did is left out where the
 * profile says how to tell (`ignore`). Poll and changes end after 20 pages; the cursor goes on from there. An
 * operation whose ticket is in a state that forbids it (`never_if`, `when_state`) is REFUSED with class
 * conflict. TICKET_CHECK makes a trial ticket with the op's key and lives its life; see talk_check.c. */
struct ticket_talk;
enum talk_next { TALK_REQUEST, TALK_RESULT };
struct ticket_talk *ticket_talk_new(const struct ticket_connection *c,
                                    const struct ticket_op *op); /* copies op */
void ticket_talk_free(struct ticket_talk *t);
/* Either a request to send (borrowed until ticket_talk_answer) or the result (borrowed until
 * ticket_talk_free). */
enum talk_next ticket_talk_next(struct ticket_talk *t, struct ticket_request *req, struct ticket_result *res);
void ticket_talk_answer(struct ticket_talk *t, const struct ticket_answer *a);

/* ---- incoming webhooks of a ticket system: hints, never the truth */

bool ticket_hook_there(const struct ticket_profile *p);
/* Is the signature, or the token, right? headers: "name: value\n", names in lower case. -1 with err: it is
 * not, or the connection has no secret for it. Compares in constant time. */
int ticket_hook_check(const struct ticket_connection *c, struct slice headers, struct slice body,
                      struct error *err) MUST_CHECK;
/* What it names, as ticket_seen records behind each other; nothing if it names no ticket. */
void ticket_hook_read(const struct ticket_connection *c, struct slice headers, struct slice body,
                      struct buf *records);

#endif
