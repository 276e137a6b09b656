/* The forms of `when` that need more than the last few times of a key: values, absence, steps. Their state hangs off the
 * key's window, so that the key of a counting rule stays small. A form is only touched by its own file and form.c. */
#ifndef CARILLON_ENGINE_FORM_H
#define CARILLON_ENGINE_FORM_H

#include "base/buf.h"
#include "rules/rule_set.h"

struct engine;
struct window;
struct occasion;

/* What every form begins with. */
struct form {
	enum when_form kind;
	uint64_t serial;      /* for its timer; 0: it has none */
	instant timer;        /* deadline in the heap; INSTANT_NONE */
	instant last;         /* last event that counted; INSTANT_NONE: nothing in it */
};

/* form.c. NULL for rules that only count or match. */
struct form *form_new(const struct rule *r);
void form_free(struct form *f);
bool form_empty(const struct form *f);                        /* nothing in it that anybody could miss */
void form_clear(struct form *f);
bool form_dead(const struct form *f, const struct rule *r, instant now); /* idle for so long that it cannot matter any more */
void form_save(const struct form *f, struct buf *out);
struct form *form_load(struct reader *r, const struct rule *rule); /* NULL: damaged */

/* window_value.c: aligned and session windows, distinct, sum, avg, min, max, percentiles (section 7a). */
struct form *value_new(const struct rule *r);
void value_free(struct form *f);
void value_clear(struct form *f);
void value_save(const struct form *f, struct buf *out);
bool value_load(struct form *f, struct reader *r);
/* Takes one event; `text` is the value of the field (absent when events are counted). False: it holds no value to count.
 * `offset`: of local time, for aligned slices. */
bool value_add(struct form *f, const struct rule *r, instant now, struct slice text, duration offset);
bool value_verdict(const struct form *f, double *value);      /* false: too few values for one */
uint64_t value_count(const struct form *f);                   /* events in the window */
instant value_first(const struct form *f);                    /* the first of them */

/* watch.c: absence (section 7b). */
struct form *watch_new(void);
void watch_clear(struct form *f);
bool watch_known(const struct form *f);
void watch_save(const struct form *f, struct buf *out);
void watch_load(struct form *f, struct reader *r);

/* steps.c (section 7c). */
struct form *steps_new(const struct rule *r);
void steps_free(struct form *f);
void steps_clear(struct form *f);
bool steps_waiting(const struct form *f);                     /* a deadline runs */
void steps_save(const struct form *f, struct buf *out);
bool steps_load(struct form *f, struct reader *r);

/* What ${steps.NAME.field} stands for while an alert is begun; values live as long as the form is not touched. */
struct capture;
struct steps_said {
	const struct rule *rule;
	const struct capture *of[STEPS_MAX];
};
bool steps_said_value(const struct steps_said *said, struct slice path, struct slice *value);

#endif
