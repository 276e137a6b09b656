/* The user-based security model (RFC 3414) as a receiver of notifications needs it: whose message it is,
 * whether that is proven, what it says in the clear, and what to answer. Private to this decoder.
 *
 * struct usm holds what must outlive a message: keys (computed once per user and engine), the clocks of the
 * senders' engines and the usmStats counters. One thread uses it. */
#ifndef CARILLON_SNMP_USM_H
#define CARILLON_SNMP_USM_H

#include "ber.h"
#include "plugin.h"
#include "usm_crypto.h"

enum { ENGINE_MAX = 32, USER_MAX = 32, USM_MAX_SIZE = 65507 };

/* The last arc of the counter's OID, RFC 3414 section 5 (usmStats). */
enum usm_stat {
	USM_STAT_NONE,
	USM_UNSUPPORTED_LEVELS,
	USM_NOT_IN_WINDOW,
	USM_UNKNOWN_USERS,
	USM_UNKNOWN_ENGINES,
	USM_WRONG_DIGESTS,
	USM_DECRYPTION_ERRORS,
	USM_STATS
};

enum usm_flags { USM_FLAG_AUTH = 1, USM_FLAG_PRIV = 2, USM_FLAG_REPORTABLE = 4 };

/* One engine that sends, and its clock as it was last proven (RFC 3414, section 2.3). */
struct usm_engine {
	struct slice id;
	uint32_t boots, time;
	instant at; /* of reception; 0: nothing proven yet */
};

/* One user on one engine. */
struct usm_account {
	struct slice user;
	struct usm_engine *engine; /* NULL: our own */
	enum usm_auth auth;
	enum usm_priv priv;
	struct usm_key auth_key, priv_key;
};

struct usm;

/* No users yet. NULL with err: OpenSSL lacks something. */
struct usm *usm_new(struct error *err) MUST_CHECK;
void usm_free(struct usm *u); /* wipes the keys */
/* Our own engine, for informs; before usm_users. Its time is the seconds since `base`. */
void usm_own_engine(struct usm *u, struct slice id, uint32_t boots, instant base);
/* The users file (config.md section 2). -1 with err: some line is wrong, and none counts. Only once. */
int usm_users(struct usm *u, struct slice json_lines, struct error *err) MUST_CHECK;
/* The same text is already in force. */
bool usm_same_users(const struct usm *u, struct slice json_lines);
/* Takes over the clocks and counters of a former one, so that nothing old is accepted again. */
void usm_take_over(struct usm *u, const struct usm *former);

const struct usm_account *usm_account(const struct usm *u, struct slice engine, struct slice user);
struct usm_engine *usm_engine(const struct usm *u, struct slice id); /* NULL: unknown, or our own */
bool usm_is_own(const struct usm *u, struct slice engine);
bool usm_has_own(const struct usm *u);
/* Our own clock at `now`. */
void usm_clock(const struct usm *u, instant now, uint32_t *boots, uint32_t *time);
const struct usm_crypto *usm_crypto(const struct usm *u);
struct slice usm_own_id(const struct usm *u);
uint64_t usm_count(struct usm *u, enum usm_stat stat); /* one more; the new value */

/* ---- one message */

struct usm_message {
	int64_t msg_id, max_size, model;
	unsigned flags;
	uint32_t boots, time;
	struct slice whole; /* without what follows the message */
	struct slice engine, user, auth, salt;
	size_t auth_at;      /* of the digest in `whole` */
	struct slice scoped; /* the scopedPDU with its header, in the clear once usm_open succeeded */
	size_t scoped_at;    /* where it, or its ciphertext, stands in the datagram */
	bool is_encrypted;
	/* of the scopedPDU, once it is in the clear */
	struct slice context_engine, context;
	struct ber pdu; /* at the tag of the PDU; offsets count from the start of `scoped` */
	const struct usm_account *account; /* once the user is known */
};

/* Reads the frame only: nothing in it is proven. False with why and where. */
bool usm_read(struct usm_message *m, struct slice datagram, const char **why, size_t *at) MUST_CHECK;

/* What section 3.2 says of a message. */
struct usm_verdict {
	bool ok;
	bool discovery;     /* not ok, but no offence either: a sender that learns our engine or its clock */
	enum usm_stat stat; /* which counter the sender is told; USM_STAT_NONE: it is told nothing */
	const char *why;
	size_t at;
};

/* Section 3.2 in its order: engine, user, level, digest, time, privacy. On success m->scoped is in the clear
 * (in `a`, if it was encrypted). check_time: false for stored packets. learn: the message moves the clock of
 * its sender. */
struct usm_verdict usm_open(struct usm *u, struct usm_message *m, instant now, bool check_time, bool learn,
                            struct arena *a);

/* ---- answers: appended to `out` */

/* The Report of a verdict, if section 3.2 and RFC 3412 section 7.2 want one: else nothing. */
void usm_report(struct usm *u, const struct usm_message *m, enum usm_stat stat, instant now, struct buf *out);
/* A Response with the same msgID, user and level around `scoped` (a whole scopedPDU). */
void usm_response(const struct usm *u, const struct usm_message *m, struct slice scoped, instant now,
                  struct buf *out);

#endif
