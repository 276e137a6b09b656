/* What the files of the correlation half share, and nobody else (correlation.md, tickets.md "Delivery").
 *
 * An alert becomes evidence of an episode (episode.c) of a node (node.c). Whatever changes a node marks the
 * episodes whose parent search has looked at it; at the end of a step those search again (parent.c), trees
 * that moved are regrouped into incidents (forest.c), touched incidents are reviewed (incident.c, impact.c)
 * and their lanes run (outbox.c). */
#ifndef CARILLON_ENGINE_CORRELATE_H
#define CARILLON_ENGINE_CORRELATE_H

#include <sys/queue.h>

#include "engine/internal.h"
#include "model/incident.h"

enum {
	NODE_RECENT = 4,     /* episodes of a node that can still explain */
	HOPS_MAX = 7,        /* of a parent search */
	CYCLE_MAX = 60,      /* steps of a cycle check */
	SEARCHES_MAX = 1000, /* of a step; the rest follows a millisecond later */
	EPISODE_ALERTS = 64, /* closed alerts that an episode or incident keeps; the rest is only counted */
	LOG_LINES = 200,     /* of an incident: the first half and the latest */
	NOTE_EDGE = 3,       /* notes kept at each end while they wait */
	ELSEWHERE = 2,       /* causes of other incidents that one names as candidates */
	LEVEL_DEGRADED = 1,
	LEVEL_DOWN = 2
};

/* ---- nodes */

/* Intrusive: an episode's search has looked at a node, and wants to know when it changes. */
struct watch {
	struct episode *episode;
	struct map_node *node;
	struct watch *prev, *next;
};

struct map_node {
	char *id;         /* service id, or the text of what no map knows */
	uint32_t service; /* SERVICE_NONE: not in the map, no edges */
	struct episode *open, *risk;
	struct episode *recent[NODE_RECENT];
	size_t n_recent;   /* oldest first; risk ones are not here */
	uint32_t episodes; /* that stand on it, over or not */
	struct watch *watches;
	bool dirty; /* view row */
	struct map_node *next_dirty;
};

/* Two layers of what follows from the level-2 episodes, kept for the running map (derived.c): what they take
 * down, and what they leave degraded or down. */
struct layer {
	bool *in;
	uint32_t *group_in;          /* members that are in */
	instant *span_on, *span_off; /* last interval in which it was in; off INSTANT_NONE: it is */
};
struct derived {
	size_t n_services, n_groups;
	bool *source, *mark;
	bool *maintained; /* missing capacity, whatever it reports */
	struct layer down, bad;
	uint32_t *queue, *list, *changed; /* work space: 2 n_services, n_services, n_services */
	uint8_t *level;                   /* work space of blast.c, all zero between uses */
	uint32_t *seen;                   /* search number per service (parent.c) */
	uint32_t search;
};

/* ---- episodes */

struct evidence { /* one class: a rule */
	char *rule_id;
	enum nature nature;
	int level;
	bool stateless;
	uint32_t open;
	instant last; /* event */
};

/* What an episode counts for in its incident. Added and taken off as one, so that an incident never walks its
 * episodes. */
struct tally {
	uint32_t on, on_main; /* episodes that are not over; _main: risk aside */
	uint32_t flapping, strong, down, loud, lines;
	uint32_t spoke, urgent; /* business services that speak for themselves; of tier 1 and down */
	uint32_t alerts, alerts_open, alerts_open_main, events;
	uint32_t episodes, episodes_main;
};

struct episode {
	TAILQ_ENTRY(episode) all;         /* in order of creation */
	TAILQ_ENTRY(episode) in_incident; /* in order of joining */
	uint64_t serial;
	struct map_node *node;
	instant on, off; /* off: INSTANT_NONE while it runs; the moment of calm */
	instant risen; /* when it last became worse, or bad in another way: from then on its power to explain
	                  fades */
	duration lead; /* its reports may come so late, by the interval of their source; 0: as configured */
	instant last, calm; /* last new evidence; last clear of an alert */
	int level;          /* of its evidence, or higher where a common cause is inferred */
	int tier;           /* of its service; 0: none */
	int proven;         /* of its evidence alone; 0: it has none, it is only inferred */
	int inferred;       /* as a silent common cause (silent.c); 0: it is not one */
	char *inference;    /* why, in words; NULL */
	enum severity severity;
	bool risk, flapping, real, weak, in_ring;
	struct evidence *classes;
	size_t n_classes;
	struct alert **alerts;
	size_t n_alerts, cap_alerts;
	uint32_t dropped; /* alerts released while it runs */
	uint32_t open, closings;
	uint64_t lines; /* events */
	char **peers;
	size_t n_peers;

	struct episode *parent;
	LIST_HEAD(, episode) kids;
	LIST_ENTRY(episode) sibling;
	uint32_t kids_on;             /* of them those that are not over */
	TAILQ_ENTRY(episode) in_tops; /* unexplained and young: looks for a silent cause */
	char *reason;                 /* of the edge to the parent, without the two names; NULL */
	char *runner_up;              /* the next best explanation; NULL */
	char *held_by, *held; /* a bad member, and the group that holds without it: no explanation; NULL */

	struct incident *incident;
	struct tally tally; /* as counted in it */

	struct watch *watches;
	size_t n_watches;
	bool changed;   /* its own facts: refresh flags, search */
	bool searching; /* in the list of those that search again */
	bool moved;     /* new parent or new in the forest: regroup */
	bool gathered;  /* work mark of forest.c */
	bool is_top;    /* in correlation.tops */
	int cost;       /* of the edge to its parent, in tenths; 0: none, or not found by a search */
	bool lateral;   /* its edge to the parent follows no need */
	bool hollow;    /* in correlation.hollow: has it any kids left? */
	bool pinned;    /* a person has decided where it belongs (manual.c) */
	bool leaving;   /* work mark of manual.c */
};

/* ---- incidents */

struct hurt {
	char *service;
	int tier;
	enum effect effect;
	instant since;
};

struct log_line {
	instant at;
	uint32_t number;
	const char *kind; /* static word */
	char *text;
	bool shown; /* its view row is written */
};

enum incident_kind { INCIDENT_ORDINARY, INCIDENT_STORM, INCIDENT_OWN }; /* storm.c; own.c */

struct incident {
	TAILQ_ENTRY(incident) all;
	enum incident_kind kind;
	uint64_t in_storm; /* serial of the storm that counts it; 0: none */
	int storm_priority; /* INCIDENT_STORM: highest of its children; with their severity */
	enum severity storm_severity;
	uint64_t serial;
	struct ulid id;
	char id_text[27];
	enum incident_state state, back; /* back: where `clearing` returns to */
	enum incident_group group;
	char *group_key; /* not topology */
	TAILQ_HEAD(episode_list, episode) episodes;
	struct alert **alerts; /* not topology: in order of joining */
	size_t n_alerts, cap_alerts;
	struct tally tally;
	struct episode *root;     /* topology */
	char *root_id, *class_id; /* service or text; rule of the deciding alert */
	char *key;                /* dedup key, given at opening; NULL before */
	uint32_t generation;
	instant born, newest, updated;
	instant opened, clearing_at, resolved, closed;
	instant calm;           /* latest end of an episode, or clear of an alert */
	instant firing;         /* since when an alert has been open without a pause; INSTANT_NONE: none is */
	instant wake;           /* armed deadline; INSTANT_NONE */
	bool worked_on;         /* its root was in maintenance */
	bool by_hand;           /* a person resolved it */
	bool calm_since, again; /* ... and something has cleared since; ... and failed again after that */
	int fixed_priority;     /* of its rules: 0 none */
	int person_priority;    /* set in the ticket: stays until the severity rises; 0: none */
	enum severity person_severity; /* it was then, or when won't fix was said */
	bool wontfix;           /* a person will not have it mended */
	duration reopen_within, resolve_after; /* longest of its rules; resolve_after < 0: auto */
	enum incident_resolve resolve;
	struct hurt *hurts; /* worst first */
	size_t n_hurts;
	bool hurts_moved;    /* to be sorted again */
	bool predict_due;    /* propagate the root again */
	int predicted_level; /* of the root at the last propagation */
	int priority;
	char *title, *holds;
	char *change; /* which planned change had begun where its cause is; NULL */
	char *assign;                   /* NULL: none */
	char *elsewhere[ELSEWHERE];   /* causes of others that may be its own; NULL: none */
	char *destination;              /* name of the ticket connection, fixed at opening; NULL: none */
	char *owner;                    /* who acknowledged */
	uint64_t merged_into, previous; /* serials; 0 none */
	char previous_id[27];
	struct log_line *log;
	size_t n_log, cap_log;
	uint32_t log_number;
	struct lane *lane;
	bool touched, losing; /* losing: work mark of forest.c */
	bool dirty;
	struct incident *next_touched, *next_dirty;
};

/* ---- outbox */

enum lane_state {
	LANE_NEW,       /* nothing was ever sent */
	LANE_SEARCHING, /* a find is on its way */
	LANE_SENDING,   /* a create is on its way */
	LANE_UNKNOWN,   /* something was sent and nobody knows: find comes next */
	LANE_ABSENT,    /* a find has shown that there is none: create comes next */
	LANE_BOUND      /* the ticket is known */
};

struct notes {
	char *first[NOTE_EDGE], *last[NOTE_EDGE];
	size_t n_first, n_last, more;
};

struct lane {
	TAILQ_ENTRY(lane) all;
	uint64_t serial;
	struct incident *incident;
	char *destination;
	enum lane_state state;
	char *ticket, *version, *url;
	bool closed_there; /* the ticket is resolved */
	bool acked_there;
	/* the operation on its way, or the one that waits for its next attempt */
	uint64_t op;     /* 0: none was made */
	uint64_t create; /* of the create: an attempt that answers late is still taken */
	enum ticket_verb verb;
	uint32_t attempt, tries; /* tries: without success, for the backoff */
	bool in_flight, probe;
	uint64_t sending, confirmed; /* fingerprints of what is being shown and what the ticket shows */
	uint32_t create_attempt;
	char *note_text; /* being sent; NULL */
	char *stray;     /* a second ticket that a late answer revealed: to be closed; NULL */
	bool straying;   /* the operation is about that one */
	bool doubt; /* the last reply was lost: what the ticket shows is to be looked at before it is built on
	             */
	instant next_at;  /* not before; INSTANT_NONE: at once */
	instant since;    /* first failure in a row; INSTANT_NONE */
	instant updated;  /* last update or note */
	duration failing; /* spent in retries, for give_up */
	int gone;         /* 404s in a row */
	bool dead;        /* dead letter: waits for a person */
	enum ticket_verb dead_verb;
	uint64_t dead_print;
	char *error;
	enum ticket_class error_class;
	struct notes notes;
	bool parked; /* its destination takes nothing now */
	bool done, dirty;
	bool shown; /* there is a view row of it */
	instant wake;
	struct lane *next_dirty;
	struct lane *sister; /* of the same incident, to another connection */
	/* person.c: what people do to the ticket */
	bool look;            /* somebody may have changed it: get comes next */
	bool lost;            /* it is gone: nothing can be done to it */
	bool left;            /* a person keeps it open though nothing is wrong: it stays so */
	bool shared;          /* a person has merged it with the ticket of another incident */
	bool linked;          /* links.c: its link is made, or was refused */
	instant sweep_at;     /* INSTANT_NONE: nothing to search for */
	bool swept;           /* it was searched for again after a create whose answer was late */
	bool reassigned;      /* by a person: ours is not sent any more */
	int sending_priority, shown_priority; /* 1..5; 0: not known */
	char *assignee;       /* as it was seen last; NULL: not yet */
	char *who;            /* who changed it, where that was said; NULL */
};

enum check_state { CHECK_NONE, CHECK_RUNNING, CHECK_WAITING, CHECK_PASSED, CHECK_REFUSED };
enum destination_mode { DESTINATION_UP, DESTINATION_BROKEN, DESTINATION_PAUSED }; /* breaker; auth */
struct destination {
	char *name;
	enum destination_mode mode;
	int failures; /* in a row */
	instant probe_at;
	uint64_t probing; /* lane that probes; 0 none */
	/* outbox_check.c */
	enum check_state check;
	uint64_t proven, check_print; /* fingerprints of profile and addresses: that passed, that are checked */
	uint64_t check_op;            /* of the last check; 0: none */
	uint32_t check_attempt;
	instant check_at;             /* the next attempt; INSTANT_NONE */
	char *check_ticket;           /* the trial ticket of an attempt that did not end; may be NULL */
	char *check_text;             /* what went well, or why not; may be NULL */
	bool check_dirty;             /* its view row is to be written */
	/* changes.c */
	instant changes_at; /* INSTANT_NONE: it is not asked */
	uint64_t changes_op;
	char *changes_cursor;
	/* own.c */
	instant down_since; /* INSTANT_NONE: it is not */
	uint64_t own;       /* the incident that tells; 0: none */
	/* storm.c */
	instant *created; /* tickets of late, oldest first */
	size_t n_created, cap_created;
	uint64_t storm; /* the latest; 0: none */
	/* outbox_poll.c */
	uint64_t poll_op;             /* on its way; 0: none */
	instant poll_at;              /* the next one; INSTANT_NONE: nothing to ask for */
	char *cursor;                 /* of the next one; NULL: from now on */
};

/* ---- all of it */

struct maintenance {
	char *id;      /* of the service, or the text of what no map knows */
	char *silence; /* that declared it */
	instant since;
	bool running; /* false: in the grace after it */
};

struct generation {
	char *pair; /* rule, root */
	uint32_t n;
};
/* A person will not have this mended: no ticket for it until it becomes worse. */
struct wontfix {
	char *pair, *ticket;
	enum severity severity;
	instant at;
};

struct interval { /* between two reports of the same trouble by the same source, as seen so far */
	char *key;
	duration length;
	uint32_t n;
};

struct pair { /* of services, `from` perhaps needs `to` (suggest.c) */
	char *from, *to;
	uint32_t together, named;
	instant last;
};

TAILQ_HEAD(all_episodes, episode);
TAILQ_HEAD(top_episodes, episode);
TAILQ_HEAD(all_incidents, incident);
TAILQ_HEAD(all_lanes, lane);

struct correlation {
	struct map_node **nodes; /* by service; NULL where nobody asked yet */
	struct hmap *pseudo;     /* text → node */
	struct derived derived;
	struct all_episodes episodes;
	struct top_episodes tops; /* in no order that counts */
	instant silent_at;        /* the next look for silent causes; INSTANT_NONE: nothing has changed */
	struct episode **hollow;  /* inferred ones that lost a kid in this step */
	size_t n_hollow, cap_hollow;
	struct maintenance *maintenance; /* running or in its grace, by age */
	size_t n_maintenance, cap_maintenance;
	uint32_t *votes; /* work space of silent.c, per service: all zero between uses */
	struct all_incidents incidents;
	struct all_lanes lanes;
	struct hmap *episode_by, *incident_by, *lane_by, *op_by; /* u64 → object; op_by: operation → lane */
	struct hmap *by_group;                                   /* group key → latest incident */
	struct hmap *by_root;                                    /* root id → the incident resolved last */
	void *steps;                                             /* work space of parent.c */
	struct map_node **looked;
	size_t cap_looked;
	struct episode **work; /* changed, or to search again */
	size_t n_work, cap_work;
	size_t n_rest; /* of them searches that were left over, in front and in order */
	size_t budget;   /* searches left in this step */
	bool fresh;      /* something in `work` is more than a search that waits for the next step */
	instant rest_at; /* the tick for searches that wait; INSTANT_NONE */
	struct episode **moved;
	size_t n_moved, cap_moved;
	struct incident *touched, *dirty_incidents;
	struct lane *dirty_lanes;
	struct map_node *dirty_nodes;
	size_t gathering;         /* incidents in that state */
	instant storm_at; /* when a big incident last took a failure in; INSTANT_NONE */
	struct hmap *interval_by; /* source and rule → index + 1 */
	struct interval *intervals;
	size_t n_intervals, cap_intervals;
	struct pair *pairs;
	size_t n_pairs, cap_pairs;
	struct hmap *pair_by; /* from, to → index + 1 */
	struct generation *generations;
	size_t n_generations, cap_generations;
	uint32_t generation_base;   /* no dropped pair had more */
	struct hmap *generation_by; /* pair → index + 1 */
	struct destination *destinations;
	size_t n_destinations;
	struct planned *planned; /* changes.c; in order of arrival */
	size_t n_planned;
	struct wontfix *wontfix; /* by age */
	size_t n_wontfix, cap_wontfix;
	struct buf gone; /* ids of view rows to take away: u8 kind, u32 length, bytes */
};

/* node.c */
void nodes_open(struct engine *e); /* arrays for the running map */
void nodes_close(struct correlation *c);
struct map_node *node_of_service(struct engine *e, uint32_t s);
struct map_node *node_named(struct engine *e, struct slice text);       /* in the map, or a pseudo-node */
struct map_node *node_known(const struct engine *e, struct slice text); /* NULL if nobody has made it */
void node_changed(struct engine *e, struct map_node *n);   /* those who looked at it search again */
void node_tidy(struct correlation *c, struct map_node *n); /* frees a pseudo-node that nothing needs */
void node_show(struct correlation *c, struct map_node *n); /* its view row is to be written */
void node_recent_add(struct map_node *n, struct episode *ep);
void node_recent_del(struct map_node *n, struct episode *ep);
void watch_set(struct engine *e, struct episode *ep, struct map_node *const *nodes, size_t n);
void watch_drop(struct engine *e, struct episode *ep);
void nodes_map_changed(struct engine *e, const struct service_map *old);

/* derived.c */
void derived_open(struct derived *d, const struct service_map *m);
void derived_close(struct derived *d);
void derived_move(struct engine *e, const struct service_map *old,
                  const struct derived *was); /* spans, by id */
void search_new(struct derived *d);           /* nobody has been seen: seen[s] == search means that s has */
void derived_source(struct engine *e, uint32_t s, bool on);
/* Down (or at least degraded) then, by what happened elsewhere or to it. */
bool derived_at(const struct engine *e, uint32_t s, instant at, bool bad);
bool derived_down(const struct correlation *c, uint32_t s);
bool derived_group_broken(const struct engine *e, uint32_t g);

/* episode.c */
void episode_evidence(struct engine *e, struct alert *a); /* an unmuted alert joins */
void episode_repeat(struct engine *e, struct alert *a);
void episode_worse(struct engine *e, struct alert *a);
void episode_calm(struct engine *e, struct alert *a);
void episode_clear(struct engine *e, struct alert *a); /* its alert closed */
void episode_timer(struct engine *e, uint64_t serial);
void episode_refresh(struct engine *e, struct episode *ep); /* flags, derived state, those who looked */
void episode_changed(struct engine *e, struct episode *ep, bool seen_by_others);
void episode_mark(struct engine *e, struct episode *ep); /* search again at the end of the step */
void episode_work(struct correlation *c,
                  struct episode *ep); /* into the list of those that changed or search */
void episode_free(struct engine *e, struct episode *ep);
struct episode *episode_new(struct engine *e, struct map_node *n, bool risk);
void episode_over(struct engine *e, struct episode *ep, instant off);
void episode_tally(struct episode *ep, struct tally *t);
struct alert *episode_first_alert(const struct episode *ep);
const char *level_word(int level);

/* blast.c: what fails with a service. One at a time: it lives in the work space of the derived state. */
struct blast {
	const struct service_map *m;
	struct derived *d; /* level[s]: what is predicted */
	size_t n, cap;     /* of d->list: every service reached, once, the root first */
	bool own_links;    /* only the links of the root itself */
};
struct blast blast_new(const struct engine *e);
void blast_from(struct blast *b, uint32_t root, int level);
void blast_clear(struct blast *b); /* always after use */

/* maintenance.c */
/* NULL: what began at `on` at n has nothing to do with a maintenance. */
const struct maintenance *maintenance_covers(const struct engine *e, const struct map_node *n, instant on);
void maintenance_derive(struct engine *e, const char *id, bool running); /* missing capacity */
void maintenance_add(struct correlation *c, const char *id, const char *silence, instant since, bool running);
void maintenance_close(struct correlation *c);

/* silent.c */
void silent_top(struct engine *e, struct episode *ep);  /* it is, or may no longer be, unexplained */
void silent_news(struct engine *e);                     /* something failed or ended: look again soon */
void silent_timer(struct engine *e, uint64_t object);   /* 0: look; else the rest of a step's searches */
void silent_leave(struct engine *e, struct episode *v); /* v lost a kid */
void silent_tidy(struct engine *e); /* at the end of a step: those nobody needs any more go */
void silent_forget(struct correlation *c, struct episode *ep); /* it goes */
void silent_load(struct engine *e);                            /* who is a top: after a load */
int episode_said(const struct episode *ep); /* its level by its own evidence, else as inferred */
bool silent_only(const struct episode *ep); /* inferred, without any evidence of its own */

/* interval.c: how often sources repeat themselves */
void interval_seen(struct engine *e, const struct alert *a, duration gap);
duration interval_lead(const struct engine *e, const struct alert *a); /* 0: not known */
void interval_put(struct correlation *c, const char *key, duration length, uint32_t n);
void intervals_close(struct correlation *c);

/* layer.c */
enum {
	LAYER_BUSINESS,
	LAYER_SERVICE,
	LAYER_DATA,
	LAYER_PLATFORM,
	LAYER_HOST,
	LAYER_STORAGE,
	LAYER_NETWORK,
	LAYER_POWER,
	LAYER_UNKNOWN,
	LAYERS
};
int layer_rank(const struct engine *e, const struct map_node *n); /* by kind, from the consumer down */
struct slice layer_text(const struct engine *e,
                        const struct map_node *n); /* its label `layer`, else by kind */

/* candidates.c */
enum { CANDIDATES = 5 };
struct candidate_root {
	const char *id, *why; /* borrowed from the state; static */
};
struct candidates {
	struct candidate_root v[CANDIDATES]; /* the root first */
	size_t n;
};
void incident_candidates(const struct incident *i, struct candidates *out);
void candidates_elsewhere(struct engine *e, struct incident *i);

/* why.c: members of an object that is open in w: incident, service, in, explained_by, tests, verdict */
void why_not(struct engine *e, const struct incident *i, struct slice service, struct jw *w);

/* suggest.c: needs that the map may lack */
void suggest_named(struct engine *e, const struct episode *from,
                   const struct episode *to); /* by a log line of `from` */
void suggest_together(struct engine *e, const struct episode *a, const struct episode *b);
void suggest_top(struct engine *e, const struct episode *top); /* a new unexplained failure */
void suggest_json(const struct engine *e, struct jw *w); /* the member `suggestions` of an open object */
struct pair *pair_put(struct correlation *c, const char *from, const char *to);
void pairs_close(struct correlation *c);

/* lateral.c */
struct lateral_find {
	struct episode *ep; /* NULL: nothing */
	uint32_t consumer;  /* of both */
	bool against;       /* ep needs the overloaded one: its retries are the load */
};
/* What can explain by time at n, which is watched from now on; NULL. */
typedef struct episode *lateral_look(void *arg, struct map_node *n);
bool overload_only(const struct episode *ep);
void lateral_search(struct engine *e, struct episode *ep, lateral_look *look, void *arg,
                    struct lateral_find *out);
char *lateral_reason(const struct engine *e, const struct episode *ep,
                     const struct lateral_find *f); /* free() */

/* parent.c */
bool parent_is_cyclic(const struct episode *ep, const struct episode *parent);
void parent_search(struct engine *e, struct episode *ep);
/* Which test keeps ep from being explained by what it meets of that incident, a line each; how many it met.
 */
size_t parent_trace(struct engine *e, const struct episode *ep, const struct incident *of,
                    void (*line)(void *arg, const char *text), void *arg);
void parent_watch(struct engine *e, struct episode *ep); /* only what it would look at: after a load */
void parent_set(struct engine *e, struct episode *ep, struct episode *parent,
                char *reason);                        /* takes reason */
char *group_text(const struct engine *e, uint32_t g); /* "{a, b}"; free() */

/* forest.c */
void forest_move(struct correlation *c, struct episode *ep); /* to be regrouped */
void forest_regroup(struct engine *e);
bool forest_joins(struct engine *e, const struct incident *i);
struct episode *episode_top(struct episode *ep);
const struct episode *episode_top_of(const struct episode *ep);
void forest_set_root(struct engine *e, struct incident *i, struct episode *top); /* and says so */

/* incident.c */
struct incident *incident_new(struct engine *e, enum incident_group group);
void incident_set_state(struct engine *e, struct incident *i, enum incident_state to, const char *why);
void incident_touch(struct engine *e, struct incident *i);
void incident_log(struct engine *e, struct incident *i, const char *kind, const char *fmt, ...) PRINTF(4, 5);
void incident_add(struct engine *e, struct incident *i, struct episode *ep);
void incident_evidence(struct engine *e, struct incident *i, const struct episode *ep);
void incident_remove(struct engine *e, struct episode *ep);
void incident_retally(struct engine *e, struct episode *ep);
void incident_rules(struct engine *e, struct incident *i, const struct alert *a); /* what its rules ask for */
void incident_review(struct engine *e,
                     struct incident *i); /* incident_life.c, with the four around reopening */
void incident_timer(struct engine *e, uint64_t serial);
void incident_arm(struct engine *e, struct incident *i, instant at); /* review it then */
void incident_free(struct engine *e, struct incident *i);
struct alert *incident_decider(const struct incident *i); /* NULL if it has no alert any more */
struct incident *incident_merged(const struct correlation *c,
                                 const struct incident *i); /* the one it ended in */
void incident_merge(struct engine *e, struct incident *from, struct incident *into, const char *why);
struct incident *incident_before(const struct correlation *c, const char *root,
                                 bool risk); /* the one with that root that was resolved last; NULL */
void incident_forget_root(struct correlation *c, const struct incident *i);
void incident_link(struct incident *i, const struct incident *before);
struct incident *incident_reopenable(struct engine *e, const char *root, bool risk);
void incident_recall(struct engine *e, struct incident *i); /* resolved: its root may reopen it for a while */
void incident_reopen(struct engine *e, struct incident *i, const char *why);
instant incident_reopen_until(const struct engine *e, const struct incident *i);
bool incident_is_risk(const struct incident *i);
void incident_open(struct engine *e, struct incident *i, const char *why); /* a gathering one, now, with its ticket */
void incident_dirty(struct correlation *c, struct incident *i);
/* group.c: incidents of alerts that know no map */
void group_alert(struct engine *e, struct alert *a);
void group_change(struct engine *e, struct alert *a, enum alert_change what);
enum { KEY_TEXT = 31 };                                  /* "car:", 26 characters, NUL */
void group_move(struct engine *e, struct alert *a, struct incident *from, struct incident *to); /* by hand */
void incident_key(struct engine *e, struct incident *i); /* key.c: dedup key and generation */
void key_of_text(const char *text, char out[KEY_TEXT]);
void generation_put(struct correlation *c, const char *pair, uint32_t n);

/* impact.c */
void impact_review(struct engine *e, struct incident *i); /* hurt services, priority, title, assignment */
bool impact_evidence(struct engine *e, struct incident *i, const struct episode *ep);
const char *impact_word(const struct incident *i);
const char *urgency_word(const struct incident *i);
void hurts_free(struct incident *i);
void hurt_add(struct incident *i, struct slice service, int tier, enum effect effect, instant since);

/* text.c, text_body.c */
void text_expand(const struct engine *e, const struct incident *i, const char *text,
                 struct buf *out); /* \001incident.x\002 */
void text_body(const struct engine *e, const struct incident *i, struct buf *out);
size_t text_reasons(const struct incident *i, size_t max, void (*line)(void *arg, const char *text),
                    void *arg);
void text_facts(const struct engine *e, const struct incident *i, const struct lane *l, const char *note,
                struct buf *out);
void incident_each_alert(const struct incident *i, void (*fn)(void *arg, const struct alert *a), void *arg);
uint64_t incident_events(const struct incident *i);
const struct episode *incident_precursor(const struct incident *i); /* a risk that foretold its root; NULL */
enum severity incident_severity(const struct incident *i);
const char *incident_worst(const struct incident *i); /* worst hurt business service, else root */
uint64_t incident_fingerprint(const struct incident *i);

/* outbox.c */
void outbox_close(struct correlation *c);
const struct ticket_config *outbox_config(const struct engine *e,
                                          const char *destination); /* NULL: unknown */
bool outbox_wanted(const struct engine *e, const char *destination);
void outbox_note(struct engine *e, struct incident *i, const char *fmt, ...) PRINTF(3, 4);
void outbox_run(struct engine *e, struct lane *l);
void outbox_timer(struct engine *e, enum timer_kind kind, uint64_t object);
void outbox_drop(struct engine *e, struct lane *l);
struct destination *outbox_destination(struct correlation *c, const char *name);
void lane_dirty(struct correlation *c, struct lane *l);
void lane_index_op(struct correlation *c, struct lane *l);
void lane_arm(struct engine *e, struct lane *l, instant at);
void lane_cancel(struct engine *e, struct lane *l); /* forgets the operation on its way */
void lane_probe(struct engine *e, struct destination *d, struct lane *l);
bool lane_busy(const struct engine *e, const struct lane *l); /* something is left to send */
const char *lane_state_word(const struct lane *l);
void notes_clear(struct notes *n);
/* outbox_result.c */
void outbox_result(struct engine *e, const struct ticket_result *r);
void outbox_resume(struct engine *e);
void outbox_kick(struct engine *e, const char *destination); /* all its waiting lanes */
void lane_dead(struct engine *e, struct lane *l, enum ticket_class cls, const char *why);
/* outbox_check.c */
bool outbox_proven(const struct engine *e, const struct destination *d); /* may operations go there? */
void outbox_check(struct engine *e, struct destination *d);     /* begins the check that it needs, if it does not run */
void outbox_check_now(struct engine *e, struct destination *d); /* whatever was proven before */
void outbox_check_all(struct engine *e);                        /* after a start or a reload */
void outbox_check_due(struct engine *e, struct destination *d);
void outbox_checked(struct engine *e, const struct ticket_result *r);
void outbox_check_resume(struct engine *e);
const char *outbox_check_word(const struct destination *d);
/* outbox_route.c */
char *outbox_route(const struct engine *e, const struct incident *i); /* connection; malloc'd, NULL: none */
void outbox_start(struct engine *e, struct incident *i); /* its ticket is wanted from now on */
void outbox_also(struct engine *e, struct incident *i);  /* connections that want it by now */
struct lane *incident_lane(const struct incident *i, const char *destination); /* NULL: none goes there */
bool incident_delivered(const struct incident *i); /* nothing is left to send */
void lane_join(struct incident *i, struct lane *l);
/* storm.c */
bool storm_takes(struct engine *e, struct incident *i); /* it has no ticket of its own; else it is counted */
void storm_review(struct engine *e, struct incident *s);
void storm_child(struct engine *e, struct incident *i, bool was); /* its state has changed; was it live? */
void storm_watch(struct engine *e, struct incident *i);           /* its priority may have */
void storm_body(const struct engine *e, const struct incident *s, struct buf *out);
struct incident *storm_of(const struct correlation *c, const struct incident *i); /* NULL: none */
/* own.c */
void own_broken(struct engine *e, size_t destination); /* it takes nothing, still or again */
void own_back(struct engine *e, size_t destination);
void own_body(const struct engine *e, const struct incident *i, struct buf *out);
/* links.c */
const struct lane *link_target(const struct engine *e, const struct lane *l); /* the duplicate hangs below it; NULL */
bool link_wanted(const struct engine *e, const struct lane *l);
void link_done(struct engine *e, struct lane *l, const char *refused); /* NULL: made */
const char *link_before(const struct engine *e, const struct incident *i); /* ticket of the former one; NULL */
/* outbox_poll.c */
void poll_arm(struct engine *e, const struct lane *l); /* its ticket may be changed by people from now on */
void poll_due(struct engine *e, size_t destination);
void poll_result(struct engine *e, const struct ticket_result *r);
void poll_resume(struct engine *e);
void poll_rules_changed(struct engine *e);
/* A webhook: `payload` of a FRAME_TICKET_HINT. */
void poll_hint(struct engine *e, struct slice payload);
/* person.c */
/* Does it say anything that is not known? Then the ticket is looked at. `always`: whatever it says. */
void person_hint(struct engine *e, struct lane *l, const struct ticket_seen *s, bool always);
void person_seen(struct engine *e, struct lane *l, const struct ticket_result *r); /* of a get */
void person_state(struct engine *e, struct lane *l, struct slice state);
int person_priority(const struct incident *i, int priority);                      /* the one that counts */
bool person_worse(const struct incident *i); /* than when it was said that it will not be mended */
const struct wontfix *wontfix_of(const struct engine *e, const struct incident *i); /* NULL: it may have a ticket */
void wontfix_save(const struct correlation *c, struct buf *out);
void wontfix_load(struct reader *r, struct correlation *c);
void wontfix_close(struct correlation *c);
/* manual.c: what a person decides about members. NULL: done; else why not, static or in scratch */
const char *manual_merge(struct engine *e, struct incident *from, struct incident *into, const char *by,
                         const char *text);
const char *manual_split(struct engine *e, struct incident *from, const struct json *alerts, const char *by,
                         const char *text, struct incident **to); /* alerts: ids or their beginnings */
/* operate.c */
void operate_ack(struct engine *e, struct incident *i, const char *by, const char *text);
void operate_resolve(struct engine *e, struct incident *i, const char *by, const char *text);

/* look.c */
void incident_ended(const struct engine *e, const struct incident *i); /* its last look, for an observer */
void incident_last_rows(struct engine *e, struct incident *i); /* it goes, perhaps before it was shown */
void view_gone(struct correlation *c, int kind, struct slice id);

#endif
