/* The parent: supervises. It reads the files, binds or receives the sockets, starts the roles, connects them, restarts the
 * dead, reloads, feeds the watchdog. It decides nothing about events. */
#ifndef CARILLON_ROLE_PARENT_H
#define CARILLON_ROLE_PARENT_H

#include "ctl/files.h"
#include "role.h"

#define PARENT_CHILDREN_MAX 40
#define RELOAD_PING         (UINT64_MAX - 1) /* its echo comes behind the swap */

struct parent_options {
	const char *config_path; /* NULL: the default */
	const char *state_dir;   /* NULL: state.path */
	bool single, no_tickets;
	const char *log_level;   /* NULL: the configuration's */
};

struct parent;

struct child {
	struct parent *parent;
	const struct role_ops *ops;
	unsigned index;
	pid_t pid;              /* 0: not running (or --single) */
	struct channel *control;
	struct role *role;      /* --single */
	bool started, ready, done;
	bool swapping;          /* told to run the new generation, not heard since */
	uint64_t compiled;      /* the reload it has compiled, see struct parent's attempt */
	instant since;          /* monotonic */
	unsigned deaths;        /* in a row, each within 10 s of its start */
	struct loop_timer *again;
	uint64_t ping, pong;
};

struct parent_socket {
	char *listener, *text;  /* "@admin", "@metrics" for front */
	unsigned bind;
	unsigned number;        /* stays with it: which intake reads a UDP socket must not change under it */
	int fd;
	bool inherited;         /* from systemd */
	bool stale;             /* during a reload */
};

enum parent_state { PARENT_STARTING, PARENT_RUNNING, PARENT_STOPPING };

struct parent {
	struct parent_options options;
	struct loop *loop;
	struct counters *counters;
	struct role_shared shared;
	struct config *config;
	struct config *at_start; /* what a setting that needs a restart still is; may be config */
	struct buf bundle;      /* encoded */
	uint32_t generation;
	char *state_dir;
	enum parent_state state;
	struct child children[PARENT_CHILDREN_MAX];
	size_t n_children;
	struct parent_socket *sockets; size_t n_sockets, cap_sockets;
	unsigned last_socket;
	instant started;
	bool told;              /* it is in the log that all roles run, and where they listen */
	int map_fd;
	char map_hash[65];
	bool map_known;         /* there is a map, or it is known that there is none */
	int tables_fd;          /* rows of the rules' Redis tables; -1: none */
	bool tables_known;      /* mapper has tried to read them */
	bool core_told;         /* core has said which map it recovered, if any: mapper measures new ones against it */
	struct buf map_state;   /* what mapper said last, for a front that starts again */
	struct parent_record *record;
	struct buf shadow;      /* candidate rules as a bundle; empty: none */
	struct loop_timer *watchdog, *patience, *reload_patience;
	/* a reload under way */
	struct config *next;
	struct buf next_bundle;
	size_t waiting;         /* roles that have not compiled yet */
	struct buf note;        /* for the answer when all run it */
	uint64_t attempt;       /* of this reload: (count << 32) | generation; an answer to a former one is none to this */
	struct buf complaint;
	struct reload_request {
		bool from_front;
		uint64_t id;
	} *requests; size_t n_requests, cap_requests;
	int exit_code;
	void (*on_running)(struct parent *p, void *arg); /* the demo */
	void *on_running_arg;
};

/* Runs until SIGTERM; the exit status. */
int parent_run(const struct parent_options *o);
/* The two halves of it, for the demo, which drives the same loop. */
struct parent *parent_new(const struct parent_options *o, struct findings *f, struct error *err) MUST_CHECK;
int parent_loop(struct parent *p);
void parent_free(struct parent *p);
void parent_stop(struct parent *p);
uint16_t parent_port(const struct parent *p, const char *listener, unsigned bind); /* as bound; 0 if not */

/* role_parent_sockets.c */
int sockets_open(struct parent *p, const struct config *c, struct error *err) MUST_CHECK; /* opens what is missing, marks stale ones */
void sockets_inherit(struct parent *p, const struct config *c);
void sockets_close_stale(struct parent *p);
void sockets_keep(struct parent *p); /* a reload that failed: nothing is stale, what was opened for it is closed */

/* role_parent_shared.c */
int shared_open(struct parent *p, struct error *err) MUST_CHECK;
void shared_close(struct parent *p);
void shared_turn(struct parent *p);                /* now and then: what is a file goes to disk */
void shared_forget(struct parent *p, unsigned intake); /* it died */

/* role_parent_child.c */
void child_start(struct parent *p, struct child *c);
void child_send_socket(struct child *c, const struct parent_socket *s);
void child_send_secrets(struct child *c, const struct config *config);
void child_send_ticket_file(struct child *c, const struct config *config, struct slice name); /* conf.path of that connection */
void child_send(struct child *c, uint16_t kind, uint64_t seq, struct slice payload, int fd);
void child_send_map(struct child *c);
void child_send_tables(struct child *c);
void children_reap(struct parent *p);
struct child *child_find(struct parent *p, enum role_kind kind, unsigned index);
bool child_wants_socket(const struct parent *p, const struct child *c, const struct parent_socket *s);

/* role_parent_figures.c: process_* and carillon_build_info */
void parent_figures(struct parent *p);

/* role_parent_shadow.c */
void shadow_give(struct parent *p, struct child *c); /* the candidate to a role that it concerns; empty: none */
void shadow_command(struct parent *p, uint64_t id, struct slice payload); /* of front */

/* role_parent_reload.c */
void reload_begin(struct parent *p, bool from_front, uint64_t id);
void reload_compiled(struct parent *p, struct child *c, uint64_t attempt, struct slice complaint);
void reload_swapped(struct parent *p, struct child *c); /* it runs the new generation, or has ended */
void reload_late(void *parent); /* a role does not answer */
void reload_abort(struct parent *p, const char *why);

/* role_parent.c */
void parent_frame(struct child *c, const struct frame *head, struct slice payload, int fd);
void parent_child_gone(struct child *c);
void parent_try_intakes(struct parent *p);
bool parent_all_ready(const struct parent *p);
void parent_notify(const char *state); /* sd_notify */

#endif
