/* What the files of the alert half share, and nobody else: live keys of rules, alerts, mutes, alert events.
 *
 * An event goes: window.c (which rule, which key, is the condition true) -> alert.c (life of the alert) -> queue of
 * changes. When the event and the engine's own events that follow from it have been judged, mute.c settles who is muted,
 * and only then correlation hears of the changes. */
#ifndef CARILLON_ENGINE_ALERT_H
#define CARILLON_ENGINE_ALERT_H

#include "engine/internal.h"

/* One live key of a rule: the times of its last events, and its alert. A window without an alert is idle: it is dropped
 * when its times are over, or when the rule holds too many keys. */
struct window {
	struct window *chain;         /* of its bucket */
	struct window *older, *newer; /* idle ones of its rule by last event; unused while it has an alert */
	struct alert *alert;          /* pending or open; NULL: idle */
	instant *ring;                /* `few`, or allocated */
	instant few[2];
	uint32_t rule;
	uint32_t hash;
	uint32_t head, n, cap;
	uint32_t key_n;
	char key[];
};

struct window_list {
	struct window *first, *last;
};
struct alert_list {
	struct alert *first, *last;
};

/* What a rule of the running set holds. */
struct rule_state {
	struct window_list idle;
	struct alert_list live;       /* pending and open, least recently touched first */
	uint32_t n_windows, n_alerts;
	bool counts_in_summary;       /* the summary shows alert.*: rendered again on each event */
	bool match_alerts, clear_alerts; /* the condition asks for `type` or `alert.*`: else alert events are not for it */
	uint64_t hits, opened;
};

/* One event as rules see it. */
struct occasion {
	const struct fields *f;
	enum event_state state;
	bool state_set;               /* somebody said so */
	bool own;                     /* of the engine's types */
	bool alert;                   /* an alert event … */
	uint32_t alert_rule;          /* … of this rule */
	bool trial;                   /* of a trial alert: only trial rules see it */
};

struct own_event {
	struct own_event *next;
	struct fields f;              /* values in the step's scratch */
	uint32_t rule;
	bool trial;
	unsigned depth;               /* how many alerts lie between it and a listener's event */
};

struct windows {
	struct window **buckets;
	size_t n_buckets, len;        /* n_buckets: a power of two */
	struct rule_state *rules;
	size_t n_rules;
	size_t cursor;                /* the rule whose dead keys are looked at next */
	struct own_event *own_first, *own_last;
	unsigned depth;               /* of the event being judged */
	struct fields fields;         /* of the event being judged */
};

struct change {
	struct alert *alert;
	enum alert_change what;
};

struct alerts {
	struct alert_list all;        /* in order of creation */
	struct hmap *by_serial;
	uint64_t touch;               /* last `touched` given out */
	size_t live;                  /* pending and open */
	struct alert_list recents;    /* closed and released, by release */
	size_t recent;
	struct change *changes;
	size_t n_changes, cap_changes, told;
	struct alert *dirty;
	struct ulid *gone;            /* rows to be taken away */
	size_t n_gone, cap_gone;
	struct mutes *mutes;
};

/* window_table.c */
struct window *window_find(const struct windows *ws, uint32_t rule, struct slice key);
struct window *window_add(struct windows *ws, uint32_t rule, struct slice key); /* idle */
void window_free(struct windows *ws, struct window *w);
void window_push(struct window *w, instant at, uint32_t keep);  /* remembers the last `keep` times */
instant window_nth(const struct window *w, uint32_t n);         /* the n-th latest time, from 1; INSTANT_NONE */
void window_empty(struct window *w);
void window_idle(struct windows *ws, struct window *w);         /* its alert has gone; freed if there is nothing in it */
void windows_take(struct windows *ws, struct window *w);        /* out of the idle list: it gets an alert */
/* For a fresh rule state; windows_rehash must follow before anything is looked up. */
void window_renumber(struct windows *ws, struct window *w, uint32_t rule);
void windows_rehash(struct windows *ws);
void window_idle_link(struct rule_state *rs, struct window *w);
void window_destroy(struct window *w);                          /* memory only */

/* window.c */
void windows_rules(struct engine *e); /* fresh rule states for the running set */

/* alert_list.c */
struct alerts *alerts_new(void);
void alerts_free(struct engine *e);
struct alert *alert_new(void);
void alert_free(struct alert *a);
void alert_destroy(struct engine *e, struct alert *a);          /* out of all lists, and freed */
void alerts_link(struct engine *e, struct alert *a);            /* into the list of all; by serial */
void alerts_live_link(struct engine *e, struct alert *a);       /* into its rule's list, as the last */
void alerts_live_unlink(struct engine *e, struct alert *a);
void alerts_recent_link(struct engine *e, struct alert *a);
void alert_touch_order(struct engine *e, struct alert *a);      /* it is the youngest of its rule now */
void alert_row_gone(struct alerts *al, const struct alert *a);
void alert_last_row(struct engine *e, const struct alert *a);   /* alert_view.c: it goes before it was shown */
void alert_change(struct engine *e, struct alert *a, enum alert_change what); /* queued for alerts_tell */
bool alerts_tell(struct engine *e);                             /* settles mutes, tells correlation; false: nothing to tell */
struct alert **alerts_by_order(const struct engine *e, size_t *n); /* all, in order of opening; free() it */

/* alert.c */
/* The condition has become true for a key without an alert. `first`: of the events counted, `count` of them. */
void alert_begin(struct engine *e, const struct rule *r, struct window *w, const struct occasion *o, instant first, uint32_t count);
/* A fitting event of a key with an alert; `holds`: the condition (match with when) is true at it. */
void alert_repeat(struct engine *e, const struct rule *r, struct alert *a, const struct occasion *o, bool holds);
void alert_clear(struct engine *e, struct alert *a, const char *reason); /* an explicit clear */
void alert_drop(struct engine *e, struct alert *a);             /* a pending one that never opens */
void alert_timer(struct engine *e, uint64_t serial);

/* alert_text.c */
void alert_render(struct engine *e, const struct rule *r, struct alert *a, const struct fields *f);
void alert_render_summary(struct engine *e, const struct rule *r, struct alert *a, const struct fields *f);
void alert_note(struct engine *e, struct alert *a, const struct fields *f);
/* The values of `by`, cleaned and cut, in scratch: key joined in *key. Values are NUL-terminated. */
const char **alert_by_values(const struct engine *e, const struct rule *r, const struct fields *f, struct slice *key);

/* alert_event.c */
void alert_fields(const struct engine *e, const struct alert *a, const char *state, struct fields *f); /* the fields of an alert event */
/* What silences may test: the opening event, what the alert says of itself, and service.* when resolved. */
void alert_silence_fields(const struct engine *e, const struct alert *a, struct fields *f);
void alert_event(struct engine *e, const struct alert *a);      /* queues open, closed or severity change */
void own_event_free(struct own_event *o);

/* reload.c */
void mutes_rebuild(struct engine *e);                           /* memberships of all open alerts */

/* mute.c */
struct mutes *mutes_new(void);
void mutes_free(struct mutes *m);
void mutes_rules(struct engine *e);                             /* tables of the running rule set; no memberships */
void mute_join(struct engine *e, struct alert *a);              /* it has opened, or its severity rose */
void mute_leave(struct engine *e, struct alert *a);             /* it closes */
void mute_check(struct engine *e, struct alert *a);             /* an open one: look for its silence again */
bool mutes_settle(struct engine *e);                            /* marks and unmarks; false when nothing was to be looked at */

#endif
