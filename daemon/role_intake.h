/* What the files of the intake role share. Intake turns bytes from anybody into events that some rule wants, offers them to
 * core, keeps each until core says that it is on disk, and only then answers those senders that wait for an answer. */
#ifndef CARILLON_ROLE_INTAKE_H
#define CARILLON_ROLE_INTAKE_H

#include <sys/queue.h>

#include "base/hmap.h"
#include "net/http_server.h"
#include "net/stream.h"
#include "net/tls.h"
#include "plugin.h"
#include "plugins/snmptrap/mib.h"
#include "role.h"
#include "role_map.h"
#include "role_tables.h"
#include "rules/matcher.h"
#include "rules/redact.h"

struct intake;

/* Somebody who waits until everything up to `seq` is on disk. */
struct waiter {
	uint64_t seq; /* 0: does not wait */
	void (*done)(struct waiter *w);
	TAILQ_ENTRY(waiter) link;
};
TAILQ_HEAD(waiters, waiter);

/* One listener of the configuration, as it runs. */
struct intake_listener {
	struct intake *intake;
	const struct listener_config *config; /* of the running generation */
	void *settings;                       /* webhook: owned (free); snmptrap: owned; syslog: NULL */
	void *settings_v2;                    /* webhook alertmanager: for POST /api/v2/alerts */
	void *settings_pagerduty;             /* webhook: for POST /v2/enqueue */
	struct cidr_list *allow;              /* NULL: all */
	struct secret bearer, hmac;
	struct tls_context *tls;              /* NULL: none, or not come yet */
	_Atomic uint64_t *received, *bytes, *unwanted, *parse, *rate, *size, *queue, *acl, *kernel, *decoder, *handshake, *duplicate, *keys, *connections;
	struct { uint64_t received, bytes, unwanted; } tally; /* of this turn: the cells are shared, and adding to them costs */
	struct log_limit said;
};

struct intake_repeats;

struct intake_generation {
	const struct config *config;
	struct rule_set *rules;
	struct matcher *matcher;
	struct mib *mib;
	struct webhook_profiles *profiles;
	struct redact *redact;
	struct intake_ticket *tickets; size_t n_tickets; /* connections whose ticket system may call */
	struct intake_listener *listeners; size_t n_listeners;
	uint32_t number;
};

/* An open descriptor: survives reloads, finds its listener by name. */
struct intake_socket {
	struct intake *intake;
	char *listener;
	char *text;              /* of the bind: an address stays the same socket whatever its number */
	enum bind_kind kind;
	struct udp *udp;
	struct acceptor *acceptor;
	struct http_server *http;
	LIST_HEAD(, stream_conn) conns;
	size_t n_conns;
	struct hmap *senders;    /* address → how many of them; unix sockets do not count */
	struct intake_socket *next;
};

struct unacked {
	uint64_t seq;
	char *frame;
	size_t n;
};

struct intake {
	struct role *role;
	struct intake_record *recording;
	struct intake_send *send;     /* NULL: nobody has sent anything by hand yet */
	struct intake_repeats *repeats;
	struct intake_shadow *shadow; /* NULL: no candidate rules run */
	struct intake_generation *gen, *next;
	struct role_map *map;
	struct role_tables *tables; /* rows of the rules' Redis tables; NULL: none came yet */
	struct channel *core, *tail;
	struct unacked *ring; size_t ring_at, ring_n, ring_cap; /* ring_cap: a power of two */
	uint64_t seq, acked;
	uint32_t epoch;              /* of this process, in front of its index in every frame */
	struct waiters waiters;
	struct intake_socket *sockets, *retired;
	struct evt_batch batch;
	struct buf frame, record;
	struct hmap *informs, *informs_before; /* sender and request id → time: of these 60 s and of those before */
	instant informs_since;
	int zone_offset;
	bool full, stopping;
	bool watched;                /* somebody tails */
	instant tail_second;
	unsigned tail_said;
	struct quota_slot *all;      /* bucket of limits.events_per_second, as found at all_at */
	instant all_at;
};

/* role_intake.c */
void intake_wait(struct intake *in, struct waiter *w, void (*done)(struct waiter *w)); /* for in->seq */
void intake_forget(struct intake *in, struct waiter *w);
bool intake_full(const struct intake *in);
/* Offers one encoded event; takes the next sequence number. */
void intake_offer(struct intake *in, const uint32_t *hits, size_t n, const struct evt *e);

void intake_counters(struct intake *in, struct intake_listener *l); /* by the name in its configuration */

/* role_intake_event.c */
bool intake_allowed(const struct intake_listener *l, const struct peer *from);
bool intake_rate(struct intake *in, struct intake_listener *l, const struct peer *from, unsigned events);
/* The same in two steps, for many events of one sender; the bucket is good for this turn. */
struct quota_slot *intake_bucket(struct intake *in, const struct peer *from);
bool intake_bucket_ready(struct intake *in, const struct quota_slot *b); /* one event of the sender would be taken; nothing is */
bool intake_bucket_take(struct intake *in, struct intake_listener *l, struct quota_slot *b, unsigned events);
/* One payload through decoder, rules and map. `reply` gets an inform's answer. Returns how many events were wanted;
 * *refused: the decoder refused it (why: first note). */
unsigned intake_payload(struct intake *in, struct intake_listener *l, const struct decoder *d, const void *settings, const struct decode_env *env,
                        struct slice payload, struct buf *reply, bool *refused, const char **why);
/* One decoded event of the batch through rules and map; true when some rule wants it. */
bool intake_event(struct intake *in, struct intake_listener *l, struct fields *f, instant received);
void intake_count(struct intake_listener *l); /* at the end of a turn: the tally goes to the counters */
void intake_refusal(struct intake *in, struct intake_listener *l, const struct peer *from, const char *why, struct slice sample);
struct cidr_list *cidr_list_new(char *const *texts, size_t n);
void cidr_list_free(struct cidr_list *c);

/* role_intake_ticket.c */
/* -1 with findings: a profile does not load, or takes no webhooks though there is a secret for them. */
int intake_tickets_new(struct intake_generation *g, const struct bundle *b, struct findings *f) MUST_CHECK;
void intake_tickets_free(struct intake_generation *g);
void intake_tickets_secret(struct intake_generation *g, const char *ref, struct slice value);
void intake_tickets_keep(const struct intake_generation *from, struct intake_generation *to); /* secrets that did not come again */
bool intake_ticket_path(struct slice path);
/* Answers the request. headers: "name: value\n". */
void intake_ticket_hook(struct intake *in, struct intake_listener *l, struct http_request *r, struct slice headers);

/* role_intake_record.c */
struct intake_record *intake_record_new(struct intake *in);
void intake_record_free(struct intake_record *r); /* writes what it holds */
void intake_record_frame(struct intake_record *r, struct slice payload, int fd); /* FRAME_RECORD of the parent; takes fd */
/* Nothing if nothing is being recorded. */
void intake_record_payload(struct intake_record *r, const struct intake_listener *l, const struct decode_env *env, const char *transport,
                           struct slice raw);

/* role_intake_send.c */
void intake_send(struct intake *in, uint64_t request, struct slice body); /* FRAME_SEND of front, which gets the FRAME_REPLY */
void intake_send_free(struct intake_send *s); /* NULL is fine */

/* role_intake_repeat.c */
enum repeat_kind { REPEAT_NONE, REPEAT_TEXT, REPEAT_FORMER };
struct intake_repeats *intake_repeats_new(struct intake *in);
void intake_repeats_free(struct intake_repeats *r); /* NULL is fine */
/* Whether a syslog event says that a message was repeated, and how often (at most 10,000). TEXT: f now is that message. */
enum repeat_kind intake_repeat_kind(struct intake *in, struct fields *f, unsigned *times);
/* Remembers what its sender and host said last; n == 0: no rule wanted it. */
void intake_repeat_note(struct intake *in, const struct fields *f, const uint32_t *hits, size_t n, struct slice record);
/* Offers the record n times more, under ids of its own each; ends when the queue is full. */
void intake_repeat_offer(struct intake *in, const uint32_t *hits, size_t n_hits, struct buf *record, unsigned n, instant received);
/* The same with the former message of f's sender and host; false: it is not known, or no rule wanted it. */
bool intake_repeat_former(struct intake *in, const struct fields *f, unsigned n, instant received);
/* limits.sender_keys: false: one new (sender, host, app) too many. */
bool intake_key_allowed(struct intake *in, const struct fields *f);

/* role_intake_shadow.c */
void intake_shadow_frame(struct intake *in, struct slice bundle); /* FRAME_SHADOW of the parent; empty: it ends */
void intake_shadow_event(struct intake *in, const struct fields *f, instant received); /* before the live decoders */
void intake_shadow_tables(struct intake_shadow *s, const struct role_tables *t); /* NULL is fine */
void intake_shadow_free(struct intake_shadow *s); /* NULL is fine */

/* role_intake_hook.c: webhooks; arg is the socket */
extern const struct http_events intake_hook_events;

/* role_intake_listen.c */
struct decode_env intake_env(struct intake *in, const struct intake_listener *l, const struct peer *from);
void intake_tls(struct intake *in, const struct intake_listener *l); /* its certificate is new: for the next connections */
void intake_listen(struct intake *in, const char *listener, unsigned bind, int fd);
void intake_pause_sockets(struct intake *in, bool paused);
void intake_close_sockets(struct intake *in, bool listening_only);
void intake_close_unwanted(struct intake *in); /* after a swap: what the new configuration does not name */
struct intake_listener *intake_listener(struct intake *in, const char *name);

#endif
