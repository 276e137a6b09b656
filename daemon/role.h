/* What every role of the daemon has: a loop, shared counters, a control channel to the parent, and the life that the
 * parent leads it through. Floor 8: wiring only; nobody below includes this.
 *
 * Life: start → compile (FRAME_SOURCES) → secrets, sockets, peers, map → swap (runs) → … compile/swap on reload … → stop.
 * In --single all roles live in one process and one loop, with the same channels between them. */
#ifndef CARILLON_ROLE_H
#define CARILLON_ROLE_H

#include "base/counter.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "model/bundle.h"
#include "model/config.h"
#include "model/frame.h"
#include "net/channel.h"
#include "net/loop.h"
#include "net/sandbox.h"

enum role_kind { ROLE_CORE, ROLE_EGRESS, ROLE_MAPPER, ROLE_FRONT, ROLE_INTAKE, ROLE_KINDS };
const char *role_word(enum role_kind k);

struct role;

/* What a role answers to. `self` is what start returned. Functions that may be NULL say so. */
struct role_ops {
	enum role_kind kind;
	enum sandbox_role sandbox;
	void *(*start)(struct role *r);
	/* Build the next generation from the bundle (config first); -1 with err: the old one stays. */
	int (*compile)(void *self, const struct bundle *b, const struct config *next, uint32_t generation, struct error *err);
	/* Run it from now on. The former config is freed by the framework after this returns. */
	void (*swap)(void *self, const struct config *config, uint32_t generation);
	/* A secret value for a reference of the configuration; copy it with secret_take. May be NULL. */
	void (*secret)(void *self, const char *ref, struct slice value);
	/* A channel to another role; replaces a former one. The callee makes the channel. May be NULL. */
	void (*peer)(void *self, enum role_kind kind, unsigned index, int fd);
	/* A listening (or UDP) descriptor. May be NULL. */
	void (*listen)(void *self, const char *listener, unsigned bind, int fd);
	/* A new map.bin; fd < 0: there is none yet. The callee maps it and owns fd. May be NULL. */
	void (*map)(void *self, int fd, const char *hash);
	/* Any other frame from the parent. May be NULL. */
	void (*frame)(void *self, const struct frame *head, struct slice payload, int fd);
	/* End cleanly; the process exits (or in --single the loop goes on) after role_done. */
	void (*stop)(void *self);
	void (*free)(void *self);
};

/* Memory that the parent maps before it forks; what holds for all intakes together is kept in it. */
struct role_shared {
	unsigned intakes;        /* how many share the limits of connections */
	struct quota *quota;     /* rates of senders, listeners and the whole */
	struct seen *deliveries; /* of webhooks: a file in the state directory */
	struct seen *messages;   /* of listeners with a duplicate_window */
	struct seen *keys;       /* sender, host and app together: limits.sender_keys */
};

struct role {
	const struct role_shared *shared; /* set after start */
	const struct role_ops *ops;
	unsigned index;              /* which intake */
	struct loop *loop;
	struct counters *counters;
	struct channel *parent;
	const struct config *config; /* of the running generation; NULL before the first swap */
	uint32_t generation;
	bool single, no_tickets, stopping;
	const char *state_dir;       /* --state or state.path */
	void *self;
	/* private to role.c */
	struct config *next;
	uint32_t next_generation;
	bool level_given;            /* --log-level: the configuration's does not count */
	enum log_level level;
	void (*done)(struct role *r, void *arg);
	void *done_arg;
	struct loop_timer *orphan;
};

extern const struct role_ops role_core, role_egress, role_mapper, role_front, role_intake;

/* Runs one role on fd (its control channel) in this loop. */
struct role *role_start(const struct role_ops *ops, unsigned index, struct loop *l, struct counters *c, int fd, const char *state_dir, bool single,
                        bool no_tickets);
void role_free(struct role *r);
enum log_level role_level(const struct role *r); /* what is logged: the command line's word or the configuration's */
void role_ready(struct role *r, const char *error); /* FRAME_READY: error NULL = fine */
void role_done(struct role *r);                     /* after stop: everything is written */
void role_send(struct role *r, uint16_t kind, uint64_t seq, struct slice payload, int fd); /* to the parent; fd -1: none */

/* What a listener needs for TLS comes as the secret with this name and the listener's: see files_tls. */
#define TLS_OF "@tls/"

/* Secrets in memory that is locked and left out of dumps. */
struct secret {
	char *p;
	size_t n;
};
void secret_take(struct secret *s, struct slice value); /* replaces, wiping the old one */
void secret_wipe(struct secret *s);
bool secret_equal(const struct secret *s, struct slice given); /* constant time */

#endif
