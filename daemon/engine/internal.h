/* What the files of the engine share. Two halves: windows and alerts (what rules say), and correlation (what it means).
 *
 * alert.c/window.c turn hits into alerts and tell correlate.h about each change; correlate.h's half owns episodes,
 * incidents, priorities and the outbox. Every object has a serial number (never reused); lists are in order of creation,
 * and nothing iterates over a hash map where the order could be seen. */
#ifndef CARILLON_ENGINE_INTERNAL_H
#define CARILLON_ENGINE_INTERNAL_H

#include "base/heap.h"
#include "base/hmap.h"
#include "base/log.h"
#include "engine/engine.h"

/* Deadlines. An item is only a hint: when it comes out, its owner checks whether its object still wants it. */
enum timer_kind {
	TIMER_WINDOW,     /* object: window serial — quiet, fewer_than */
	TIMER_ALERT,      /* object: alert serial — open_after */
	TIMER_EPISODE,    /* object: episode serial — debounce, weak age */
	TIMER_INCIDENT,   /* object: incident serial — settle, resolve, reopen window, stale */
	TIMER_LANE,       /* object: lane serial — retry, update_every, search settle */
	TIMER_DESTINATION,/* object: destination index — breaker, auth probe, storm window */
	TIMER_SILENCE,    /* no object: a silence begins or ends */
	TIMER_CALENDAR,   /* no object: a calendar begins or ends */
	TIMER_CAUSE,      /* object: 0 — look for silent common causes */
	TIMER_KINDS
};

enum alert_state { ALERT_PENDING, ALERT_OPEN, ALERT_CLOSED };

struct text_note {            /* one of the last events, as the ticket shows it */
	instant at;
	char *text;           /* "host  message", cut to 200 */
};

struct episode;
struct incident;

struct alert {
	uint64_t serial;
	struct ulid id;
	uint32_t rule;            /* number in the running rule set; RULE_NONE when that rule is gone */
	char *rule_id;            /* package/rule */
	char **by_names, **by_values; size_t n_by; /* "(none)" for missing */
	char *key;                /* by values joined: unique inside the rule */
	enum alert_state state;
	enum severity severity;   /* highest since it opened */
	enum effect effect;
	enum nature nature;
	bool trial, stateless, flapping;
	bool muted;               /* suppressed, or silenced by a plain silence, right now */
	char *muted_by;           /* rule id of the muting alert; NULL */
	bool quieted;             /* muted by a plain silence: silenced_by is its id */
	char *silenced_by;        /* id of the silence or the maintenance that fits it; NULL */
	bool silence_due;         /* its silences are to be looked for again */
	char *event; size_t event_n; /* its opening event, bounded: lslices of names and values, for silences */
	bool no_incident;         /* incident: false, or trial */
	char *service;            /* id or text; NULL: none. Fixed while the alert is open */
	char *host, *port, *source, *app;
	char *peer;               /* id or text; NULL */
	char *summary;            /* rendered */
	char *description;        /* rendered or NULL */
	char **extra_names, **extra_values; size_t n_extra; /* incident.fields rendered */
	char *assign, *title;     /* rendered rule templates, NULL: default */
	/* description, assign, title and extra values: ${incident.x} is not known here and stands as \001incident.x\002; no
	 * other control characters occur, so a value of an event cannot forge one. */
	char **group_names, **group_values; size_t n_group; /* incident.group fields */
	/* what its opening event gave to a summary that counts: later events change the count only */
	char **said_names, **said_values; size_t n_said;
	bool has_value; double value; /* of the window, at its last verdict: ${alert.value} */
	uint64_t count;           /* events since the window that opened it began */
	instant first, opened, last; /* first event; opening; last fitting event */
	instant calm;             /* moment of the clear (correlation.md "Calm is counted once"); INSTANT_NONE */
	instant closed;
	char *close_reason;
	struct text_note head[3], tail[3]; size_t n_head, n_tail; /* first and last events */
	char *runbook, *owner;    /* of the rule, rendered default: NULL → the service's */
	char *last_rid;           /* unused by decisions */

	/* the alert half's own side (alert.h); correlation leaves these alone */
	struct alert *prev, *next;       /* all alerts in order of creation */
	struct alert *older, *newer;     /* pending and open ones of its rule, longest without an event first */
	struct window *window;           /* its live key; NULL when closed */
	struct mute_link *mutes;         /* where it mutes and is muted */
	uint64_t order;                  /* serial of its opening: order of opening */
	uint64_t touched;                /* number of its last event */
	duration open_after, quiet, close_after, clear_within; /* of the rule when it began: running deadlines keep their length */
	uint32_t clear_fewer_than;
	instant since, held;             /* pending since; last moment at which the condition was seen true */
	instant changed;                 /* last change of the condition */
	duration flap_settle;            /* of the rule when it began */
	instant timer;                   /* deadline in the heap; INSTANT_NONE */
	bool announced;                  /* correlation has been told of its opening */
	bool released;                   /* nobody but the list of recent ones keeps it */
	bool shown;                      /* there is a view row of it */

	/* correlation's side */
	struct episode *episode;  /* evidence of; NULL */
	uint64_t incident;        /* serial of the incident it is or was in; 0: none */
	bool dirty;               /* view row is to be written */
	struct alert *next_dirty, *prev_dirty;
};

struct during;                /* during.h */
struct silences;              /* silence.h */
struct windows;               /* window.c: live keys per rule */
struct alerts;                /* alert.c: open and pending ones, closed ones kept while an incident lists them */
struct correlation;           /* correlate.c: episodes, incidents, outbox */

struct engine {
	struct engine_setup setup;
	struct matcher *matcher;  /* for alert events */
	instant now;
	uint64_t seq;             /* of the input being worked on */
	uint32_t id_counter;      /* ids made within this input */
	uint64_t serial;          /* last object number given out */
	struct heap timers;       /* owners keep at most about one item per object: see engine_timer */
	struct arena *scratch;    /* reset at the start of each step */
	struct effects *fx;       /* of this step */
	struct windows *windows;
	struct during *during;
	struct silences *silences;
	struct alerts *alerts;
	struct correlation *correlation;
	struct engine_stats stats;
	struct buf last;          /* rows of what went before anybody looked (engine_last_row); no part of the state */
	const struct engine_observer *observer; /* NULL: none; no part of the state */
	char map_rev[13];         /* the first digits of the running map's hash; "" */
};

/* engine.c */
uint64_t engine_serial(struct engine *e);
struct ulid engine_id(struct engine *e);       /* time = now; hash of (instance, seq, counter) */
/* Stale items are saved like others; an owner that keeps its queued instant must save that too. Before now: now. */
void engine_timer(struct engine *e, instant at, enum timer_kind kind, uint64_t object);
/* A line for the log, if core finds that it is news: a replay tells nothing again. */
void engine_notice(struct engine *e, enum log_level level, const char *fmt, ...) PRINTF(3, 4);

/* Keeps a row for the next look; `arg` is the engine. What nobody looks at for long (a replay) is bounded. */
void engine_last_row(void *arg, const struct engine_view *v);

/* observe.c: tell the observer, if there is one. */
void observe_fits(const struct engine *e, const struct rule *r, struct slice key);
void observe_alert(const struct engine *e, const struct alert *a, instant first);
void observe_opened(const struct engine *e, const struct alert *a);
void observe_joined(const struct engine *e, const struct alert *a, uint64_t episode, uint64_t incident);
void observe_moved(const struct engine *e, uint64_t episode, uint64_t incident);

/* alert_text.c. A copy without control and direction characters, at most `octets` long and cut between characters. In
 * `scratch`. */
struct slice text_clean(struct arena *scratch, struct slice s, size_t octets);

/* alert.c, for correlation */
struct alert *alert_find(struct engine *e, uint64_t serial);
const struct rule *alert_rule(const struct engine *e, const struct alert *a); /* NULL if gone */
/* Closes from the outside (stale clear, reload): `reason` in words. The state is ALERT_CLOSED at once; the change comes to
 * correlation_alert later in the same step, never from inside this call, and correlation_settle runs again after it. */
void alert_close(struct engine *e, struct alert *a, const char *reason);
/* Correlation does not need a closed alert any more (its incident is closed): set episode NULL and incident 0 before. It
 * stays among the last 1,000 closed ones for a look, then it is freed. A closed alert that is in no incident after
 * ALERT_CHANGE_CLOSED (episode NULL, incident 0) is released by the alert half itself. */
void alert_release(struct engine *e, struct alert *a);
void alert_json(const struct engine *e, const struct alert *a, struct jw *w);
void alert_touch(struct engine *e, struct alert *a); /* mark its view row dirty */

/* ---- correlate.h's half, called by the alert half */
enum alert_change {
	/* Changes are told after the whole event has been judged, so that the order of rules cannot be seen: a.muted is right
	 * already at ALERT_CHANGE_OPENED. Trial and no_incident alerts are told too. */
	ALERT_CHANGE_OPENED,   /* became open (muted or not) */
	ALERT_CHANGE_REPEATED, /* another fitting event: count and last have moved */
	ALERT_CHANGE_WORSENED, /* severity rose */
	ALERT_CHANGE_CALM,     /* the condition ended (calm is set) though the alert may stay open for flap/close_after */
	ALERT_CHANGE_CLOSED,
	ALERT_CHANGE_MUTED,
	ALERT_CHANGE_UNMUTED
};
struct correlation *correlation_new(struct engine *e);
void correlation_free(struct engine *e);
void correlation_alert(struct engine *e, struct alert *a, enum alert_change change);
/* Once at the end of every step, after all changes of it: parents, incidents, operations. Bounded work. */
void correlation_settle(struct engine *e);
void correlation_timer(struct engine *e, enum timer_kind kind, uint64_t object);
void correlation_ticket_result(struct engine *e, const struct ticket_result *r);
void correlation_ticket_hint(struct engine *e, struct slice payload);               /* of a FRAME_TICKET_HINT */
void correlation_command(struct engine *e, const struct json *cmd, struct jw *reply); /* ack unack resolve reopen note, outbox retry discard; writes {"ok":…} members */
void correlation_inquire(struct engine *e, const struct json *q, struct jw *reply); /* inquiry.c: looks only */
void correlation_rules_changed(struct engine *e);                                   /* setup already holds the new ones */
void correlation_map_changed(struct engine *e, const struct service_map *old);
void correlation_maintenance_changed(struct engine *e);                             /* silence_maintains answers differently */
void correlation_started(struct engine *e);                                         /* the first input of all */
void correlation_resume(struct engine *e);                                          /* after a restart: operations under way are UNKNOWN */
void correlation_save(const struct engine *e, struct buf *out);
bool correlation_load(struct engine *e, struct reader *r);                          /* after alerts are loaded */
void correlation_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v), void *arg);
void correlation_stats(const struct engine *e, struct engine_stats *out);
void correlation_each_incident(const struct engine *e, void (*fn)(void *arg, const struct incident_look *i), void *arg);
struct slice correlation_incident_id(const struct engine *e, uint64_t serial, char out[27]);
struct slice correlation_alert_cause(const struct engine *e, const struct alert *a); /* the service that explains it, absent if none */

/* ---- the alert half, called by engine.c */
struct windows *windows_new(struct engine *e);
void windows_free(struct engine *e);
void windows_event(struct engine *e, const struct event_frame *ev);
void windows_timer(struct engine *e, enum timer_kind kind, uint64_t object);
void windows_begin(struct engine *e);                        /* once there is a time: keys that run from start-up */
void windows_resume(struct engine *e, duration down);        /* absence deadlines move by the time that nobody listened */
void windows_rules_changed(struct engine *e, const struct rule_set *old);
void windows_save(const struct engine *e, struct buf *out); /* alerts too */
bool windows_load(struct engine *e, struct reader *r);
/* Engine's own events and changes that wait to be told; false when there were none. */
bool windows_work(struct engine *e);
void alerts_stats(const struct engine *e, struct engine_stats *out);
void alerts_unmark(struct engine *e);      /* nobody looks: what changed needs no row */
void correlation_unmark(struct engine *e);
void alerts_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v), void *arg);

#endif
