/* What the files of the alert half share, and nobody else: live keys of rules, alerts, mutes, alert events.
 *
 * An event goes: window.c (which rule, which key, is the condition true) -> alert.c (life of the alert) -> queue of
 * changes. When the event and the engine's own events that follow from it have been judged, mute.c settles who is muted,
 * and only then correlation hears of the changes. */
#ifndef CARILLON_ENGINE_ALERT_H
#define CARILLON_ENGINE_ALERT_H

#include "engine/form.h"
#include "engine/internal.h"

/* One live key of a rule: the times of its last events, and its alert. A window without an alert is idle: it is dropped
 * when its times are over, or when the rule holds too many keys. Keys come by the million: what only some forms of
 * `when` need hangs off `form`. */
struct window {
	struct window *chain;         /* of its bucket */
	struct window *older, *newer; /* idle ones of its rule by last event; unused while it has an alert */
	struct alert *alert;          /* pending or open; NULL: idle */
	instant *ring;                /* `few`, or allocated */
	union {
		instant few[2];       /* not formed: the first two times */
		struct form *form;    /* formed */
	};
	uint32_t rule;
	uint32_t hash;
	uint32_t head, n, cap;
	uint32_t key_n : 31, formed : 1;
	char key[];
};

struct window_list {
	struct window *first, *last;
};
struct alert_list {
	struct alert *first, *last;
};

struct flap_list {
	struct flap *first, *last;    /* by last change */
};

/* What a rule of the running set holds. */
struct rule_state {
	struct window_list idle;
	struct alert_list live;       /* pending and open, least recently touched first */
	uint32_t n_windows, n_alerts;
	bool counts_in_summary;       /* the summary shows alert.*: rendered again on each event */
	bool match_alerts, clear_alerts; /* the condition asks for `type` or `alert.*`: else alert events are not for it */
	struct flap_list flaps;
	uint32_t n_flaps;
	uint64_t hits, opened, evicted;
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
	bool silent;                  /* no event at all: a deadline. `f` holds the fields of `by` */
	const double *value;          /* of the window; NULL: the rule only counts */
};

struct own_event {
	struct own_event *next;
	struct fields f;              /* values in the step's scratch */
	uint32_t rule;
	bool trial;
	bool calendar;                /* an edge of a calendar, no alert */
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
	struct hmap *timed;           /* serial → window with a deadline of its own */
	struct hmap *flaps;           /* (rule, key) → struct flap */
	const struct steps_said *said; /* while an alert of steps is begun */
	bool expected;                /* keys that must be heard have been made for the running rules */
	bool reloading;
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
struct window *window_add(struct windows *ws, uint32_t rule, struct slice key, struct form *form); /* idle; takes form, may be NULL */
void window_free(struct windows *ws, struct window *w);
void window_push(struct window *w, instant at, uint32_t keep);  /* remembers the last `keep` times */
instant window_nth(const struct window *w, uint32_t n);         /* the n-th latest time, from 1; INSTANT_NONE */
void window_forget(struct window *w, instant before);           /* times before that one */
void window_empty(struct window *w);
void window_idle(struct windows *ws, struct window *w);         /* its alert has gone; freed if there is nothing in it */
void windows_take(struct windows *ws, struct window *w);        /* out of the idle list: it gets an alert */
/* For a fresh rule state; windows_rehash must follow before anything is looked up. */
void window_renumber(struct windows *ws, struct window *w, uint32_t rule);
void windows_rehash(struct windows *ws);
void window_idle_link(struct rule_state *rs, struct window *w);
void window_destroy(struct window *w);                          /* memory only */

void window_reform(struct windows *ws, struct window *w, const struct rule *r); /* empty, and of the form that r wants */
/* A deadline of a formed window, unless an earlier one is on its way: TIMER_WINDOW comes, and looks again. */
void window_timer(struct engine *e, struct window *w, instant at);
void window_due(struct engine *e, struct window *w);            /* runs its deadline if that is due; NULL: nothing */

/* window.c */
void windows_rules(struct engine *e); /* fresh rule states for the running set */
/* The window of a key that an event has reached: made, or the youngest of the idle ones now. */
struct window *window_touch(struct engine *e, const struct rule *r, struct window *w, struct slice key);

/* watch.c: keys of `fewer_than` */
void watch_expected(struct engine *e);                          /* keys that run from start-up: those that are missing are made */
void watch_forget(struct engine *e);                            /* after a reload: keys that are expected no longer */
void watch_event(struct engine *e, const struct rule *r, struct window *w, struct slice key, const struct occasion *o);
void watch_timer(struct engine *e, struct window *w);
void watch_left(struct engine *e, struct window *w);            /* its alert has closed or calmed down */
void watch_cleared(struct engine *e, const struct rule *r, struct window *w); /* a clear without an alert */
void watch_shift(struct engine *e, struct window *w, duration down);

/* steps.c. `fits`: predicates of the rule's steps that are true, ascending. */
void steps_event(struct engine *e, const struct rule *r, const uint32_t *fits, size_t n, const struct occasion *o);
void steps_timer(struct engine *e, struct window *w);
void steps_shift(struct engine *e, struct window *w, duration down);

/* flap.c */
/* A change of the condition of a key; true if there were so many in the rule's time that it flaps. */
bool flap_change(struct engine *e, const struct rule *r, struct slice key, instant at);
duration flap_settle(const struct engine *e, const struct rule *r);
void flaps_sweep(struct engine *e, uint32_t rule, int most);    /* forgets old changes */
void flaps_carry(struct engine *e, const struct rule *to, struct flap_list from, bool keep); /* into fresh rule states, when ws->flaps is empty */
void flaps_free(struct windows *ws);
void flaps_save(const struct rule_state *rs, struct buf *out);
bool flaps_load(struct engine *e, const struct rule *r, struct reader *in); /* r NULL: they are passed over */

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
void alert_begin(struct engine *e, const struct rule *r, struct window *w, const struct occasion *o, instant first, uint64_t count);
/* The condition is true again, by a deadline, of an alert that was calm; `began`: its window or run. */
void alert_again(struct engine *e, struct alert *a, instant began);
/* A fitting event of a key with an alert. `began`: the condition (match with when) is true at it, by a window or run that
 * began then; INSTANT_NONE: it is not. */
void alert_repeat(struct engine *e, const struct rule *r, struct alert *a, const struct occasion *o, instant began);
void alert_clear(struct engine *e, struct alert *a, const char *reason); /* an explicit clear */
void alert_drop(struct engine *e, struct alert *a);             /* a pending one that never opens */
void alert_timer(struct engine *e, uint64_t serial);

/* alert_text.c */
void alert_render(struct engine *e, const struct rule *r, struct alert *a, const struct fields *f);
void alert_render_summary(struct engine *e, const struct rule *r, struct alert *a, const struct fields *f);
struct slice number_text(struct arena *scratch, double x);      /* of ${alert.value}; in scratch */
void alert_note(struct engine *e, struct alert *a, const struct fields *f);
/* The values of a key as fields, in scratch: for alerts that no event opened. */
void alert_key_fields(const struct engine *e, const struct rule *r, struct slice key, struct fields *f);
/* The values of `by`, cleaned and cut, in scratch: key joined in *key. Values are NUL-terminated. */
const char **alert_by_values(const struct engine *e, const struct rule *r, const struct fields *f, struct slice *key);

/* alert_event.c */
void alert_fields(const struct engine *e, const struct alert *a, const char *state, struct fields *f); /* the fields of an alert event */
/* What silences may test: the opening event, what the alert says of itself, and service.* when resolved. */
void alert_silence_fields(const struct engine *e, const struct alert *a, struct fields *f);
void alert_event(struct engine *e, const struct alert *a);      /* queues open, closed or severity change */
void alert_calendar_event(struct engine *e, struct slice calendar, bool start); /* queues an edge */
void own_event_free(struct own_event *o);

/* during.c */
/* May the rule count and open now (`only_during`, 17.6)? */
bool rule_counts_now(const struct engine *e, const struct rule *r);
/* Does the window (from, to] lie wholly inside? If not, *again is when one of this length could end inside at the earliest
 * (never: a year later). */
bool rule_counts_all(const struct engine *e, const struct rule *r, instant from, instant to, instant *again);
/* Offset of local time from UTC at t, for aligned windows: that of the rule's calendar, else the installation's zone. */
duration rule_offset(const struct engine *e, const struct rule *r, instant t);

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
