/* The event loop and the only clock. A thin skin over libevent: readiness, timers, signals. In --single several roles
 * share one loop. */
#ifndef CARILLON_NET_LOOP_H
#define CARILLON_NET_LOOP_H

#include "base/error.h"
#include "base/instant.h"

struct loop;
struct loop_fd;
struct loop_timer;

struct loop *loop_new(void);
void loop_free(struct loop *l);
void loop_run(struct loop *l);    /* until loop_stop */
void loop_once(struct loop *l, duration max_wait); /* for tests */
void loop_stop(struct loop *l);
void loop_reinit(struct loop *l); /* after fork */
instant loop_now(const struct loop *l);   /* wall clock, read once a turn, never goes back by less than a step of 1 h */
/* Pure, for tests: what loop_now says `since` monotonic microseconds after it said `now`. A step back of less than an hour
 * would turn the order of events around: time goes on at half its speed until the clock has caught up. */
instant loop_clock_next(instant now, instant wall, duration since);
instant loop_wall(void);                  /* the wall clock right now */
instant loop_mono(void);                  /* monotonic microseconds, for timeouts and measurements */
struct event_base *loop_base(struct loop *l); /* for this folder only */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_fd *loop_fd_add(struct loop *l, int fd, int what, void (*fn)(int fd, int what, void *arg), void *arg);
void loop_fd_set(struct loop_fd *f, int what); /* 0: paused */
void loop_fd_del(struct loop_fd *f);           /* does not close fd; NULL is fine; allowed inside its own callback */

struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *t, duration in); /* one shot, from now; < 0 cancels; 0 fires in the next turn */
void loop_timer_free(struct loop_timer *t);

/* Runs `fn` once at the end of the present turn (or at the start of the first), however often it was set: for writing
 * once what a whole turn has queued. Costs no system call. */
struct loop_later;
struct loop_later *loop_later_new(struct loop *l, void (*fn)(void *arg), void *arg);
void loop_later_set(struct loop_later *x);
void loop_later_free(struct loop_later *x); /* NULL is fine; allowed inside its own callback */

void loop_signal(struct loop *l, int signo, void (*fn)(int signo, void *arg), void *arg);

#endif
