/* carillon.yaml as a value (config.md): every setting with its default, type, range, and where it came from.
 * One table drives the parser, `config show`, the reload check, the man page and etc/carillon.yaml's test. */
#ifndef CARILLON_MODEL_CONFIG_H
#define CARILLON_MODEL_CONFIG_H

#include "base/doc.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "model/bundle.h"

/* A secret is a reference: cred:NAME or file:/path. Never the value. */
struct secret_ref {
	char *ref; /* as written; NULL: none */
};

enum bind_kind { BIND_UDP, BIND_TCP, BIND_TLS, BIND_UNIX, BIND_UNIXGRAM, BIND_RELP, BIND_RELPS, BIND_HTTP, BIND_HTTPS };
bool bind_secure(enum bind_kind k); /* speaks TLS */
struct bind_addr {
	enum bind_kind kind;
	char *host;     /* IP address, or the path for unix */
	uint16_t port;  /* 0: any free one (the demo) */
	char *text;     /* as written */
};

enum listener_type { LISTENER_SYSLOG, LISTENER_SNMPTRAP, LISTENER_WEBHOOK };
struct listener_config {
	char *name;
	enum listener_type type;
	bool enabled;
	struct bind_addr *bind;  size_t n_bind;
	char **allow;            size_t n_allow;      /* CIDR texts, checked */
	char **communities;      size_t n_communities;
	char *profile, *path, *on;                    /* webhook: profile (NULL: auto), URL path, the listener whose sockets it shares */
	struct secret_ref users;                      /* snmptrap: the file of v3 users */
	char *mibs;                                   /* snmptrap: folder with tables of names besides the shipped ones; empty: none */
	char *tls_cert, *tls_client_ca;               /* path, file:/path or cred:NAME; empty: none */
	struct secret_ref tls_key;
	struct secret_ref bearer, hmac;               /* auth */
	char *scheme;                                 /* of auth.hmac; empty: the profile's, else standard */
	duration tolerance;                           /* of its time stamps */
	char **mtls;             size_t n_mtls;       /* auth: names of the clients that may send; none: not asked */
	duration duplicate_window;
	char *multi_line;                             /* syslog: none, indented */
	double rate;                                  /* events a second of all its senders; 0: no limit of its own */
	struct mark mark;
};

struct ticket_config {
	char *name, *profile;      /* profile NULL or "": no ticket system */
	char **conf_keys, **conf_values; size_t n_conf;
	char **secret_keys; struct secret_ref *secrets; size_t n_secrets;
	char *ca_file, *pin, *assign;
	duration update_every, timeout, poll, changes;
	int concurrency;           /* 0: the profile's */
	double rate;               /* per second, 0: the profile's */
	duration retry_first, retry_max, give_up;
	int breaker_failures;
	duration breaker_pause;
	bool check;                /* prove itself before the first ticket */
	/* not settings: from the profile, set by who has both; 0: not said */
	uint64_t fingerprint;      /* 0: nothing to prove */
	duration settle;           /* how long a new ticket may stay unseen by a search */
	char **also;       size_t n_also;       /* connections that get its incidents too */
	char **priorities; size_t n_priorities; /* by `also`: only these; none: all */
	char **services;   size_t n_services;   /* by `also`: only with such a root or hurt service; none: all */
	int storm_creates;
	duration storm_within;
};

struct pack_config {
	char *name;
	char **param_keys, **param_values; size_t n_params;
	char **list_keys; char ***list_values; size_t *n_list_values; size_t n_lists;
	char **off;   size_t n_off;
	char **trial; size_t n_trial;
	struct mark mark;
};

struct correlation_config {
	duration settle, settle_warn, storm_hold, storm_quiet, lead, lag, debounce, ttl, young, keep, stale, lateral, weak, maint_grace;
	double flap_factor, prior, silent_cost;
	int up_hops, silent_hops, visits;
};

struct priority_row {
	int down, degraded; /* 1..5 */
};

/* Where a value came from, for `config show`; newest last. */
struct config_origin {
	const char *path;          /* "state.commit", "listeners.syslog.bind" */
	const char *file;
	struct mark mark;
	struct config_origin *next;
};

struct config {
	struct arena *arena;
	struct config_origin *origins;
	char *instance;            /* never empty after config_load: the host name the caller gave */
	char *timezone;
	struct listener_config *listeners; size_t n_listeners;
	char **rules_path;         size_t n_rules_path;
	struct pack_config *packs; size_t n_packs;
	struct {
		bool redis;
		char *path;
		char *url, *user, *prefix, *tls_ca;
		struct secret_ref password;
		double min_ratio;
		bool hosts_file;
	} map;
	struct {
		duration quiet, wait, reopen_within; /* wait < 0: auto */
		int flap_changes;
		duration flap_within, flap_settle;
		bool catch_all;
	} defaults;
	struct correlation_config correlation;
	struct priority_row priority[5]; /* index = tier, 0 = none */
	struct ticket_config *tickets; size_t n_tickets;
	struct {
		char *path;
		duration commit, snapshot, history;
	} state;
	struct {
		bool enabled;
		uint64_t max_size;
		duration max_age;
		double max_rate;
	} record;
	struct {
		char *socket_path, *socket_group;
		unsigned socket_mode;
		struct bind_addr *http;    size_t n_http;
		struct bind_addr *metrics; size_t n_metrics;
		struct secret_ref tokens;
		bool console;
		char *console_path;
		bool per_rule;
	} admin;
	struct {
		uint64_t event_size, memory;
		double events_per_second, sender_rate;
		uint32_t connections, sender_connections, queue, fields, sender_keys, keys_per_rule, open_alerts, services;
	} limits;
	char **redact;             size_t n_redact;
	enum log_level log_level;
	int intake;                /* 0: auto */
	bool regex_jit;
	char **plugins;            size_t n_plugins;
	char *cluster_redis;
};

/* The files in the order of merging: carillon.yaml, then the conf.d files by name. The caller reads them (and globs
 * `include`, found with config_includes). */
struct config_file {
	const char *name;
	struct slice text;
};
size_t config_includes(const struct doc *main, char ***globs, struct arena *a);
/* Defaults, then the files; no file at all is fine. `hostname` fills an empty instance. On errors NULL, findings say why. */
struct config *config_load(const struct config_file *files, size_t n, const char *hostname, struct findings *f) MUST_CHECK;
/* The same from the BUNDLE_CONFIG files of a bundle, in their order. */
struct config *config_from_bundle(const struct bundle *b, struct findings *f) MUST_CHECK;
void config_free(struct config *c); /* NULL is fine */
/* `config show`: YAML of the effective values, each with "# file:line" or "# default"; secrets as references only.
 * only_defaults: etc/carillon.yaml's content without comments. */
void config_show(const struct config *c, bool only_defaults, struct buf *out);
void config_json(const struct config *c, struct jw *w);
/* Names of settings that differ and need a restart (state.path, intake, admin.socket.path): appended as text, count returned. */
size_t config_needs_restart(const struct config *running, const struct config *next, struct buf *names);

#endif
