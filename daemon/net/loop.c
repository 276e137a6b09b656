/* Promises readiness, timers, signals and one reading of the clock per turn, on libevent. Must not know what
 * any descriptor carries. */
#include "net/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "base/mem.h"

enum { LOOP_MAGIC = 0x6c6f6f70, FD_MAGIC = 0x6c706664, TIMER_MAGIC = 0x6c70746d, MAX_LATER_ROUNDS = 8 };

/* Apart from the loop, so that reading the time needs no writable loop. */
struct loop_clock {
	instant now, mono; /* mono: when now was read */
	bool fresh;
};

struct loop_signal_watch {
	struct loop_signal_watch *next;
	struct event ev;
	void (*fn)(int signo, void *arg);
	void *arg;
};

struct loop_later {
	struct loop *loop;
	struct loop_later *next, *prev; /* in the loop's ring while set */
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	uint32_t magic;
	struct event_base *base;
	struct loop_clock *clock;
	struct loop_signal_watch *signals;
	struct loop_later later; /* head of the ring */
	struct event wake;       /* bounds the wait of loop_once */
	bool stop;
};

struct loop_fd {
	uint32_t magic;
	struct loop *loop;
	struct event ev;
	int fd;
	int what; /* what is being watched */
	void (*fn)(int fd, int what, void *arg);
	void *arg;
};

struct loop_timer {
	uint32_t magic;
	struct loop *loop;
	struct event ev;
	void (*fn)(void *arg);
	void *arg;
};

static instant clock_read(clockid_t id)
{
	struct timespec ts;
	int rc = clock_gettime(id, &ts);
	BUG_ON(rc != 0);
	return (instant)ts.tv_sec * SECOND + ts.tv_nsec / 1000;
}

instant loop_wall(void)
{
	return clock_read(CLOCK_REALTIME);
}

instant loop_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

instant loop_clock_next(instant now, instant wall, duration since)
{
	if (wall > now || wall <= now - HOUR)
		return wall;
	/* half as fast as time passes: rate limits and deadlines go on while the clock is waited for */
	return now + MAX(since, 0) / 2;
}

instant loop_now(const struct loop *l)
{
	struct loop_clock *c = l->clock;
	if (!c->fresh) {
		c->now = loop_clock_next(c->now, loop_wall(), loop_mono() - c->mono);
		c->mono = loop_mono();
		c->fresh = true;
	}
	return c->now;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

static void wake_fn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

struct loop *loop_new(void)
{
	struct event_config *cfg = event_config_new();
	BUG_ON(cfg == NULL);
	/* without it timers run on the coarse clock: 4 ms early or late */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK);
	struct loop *l = xcalloc(1, sizeof *l);
	l->magic = LOOP_MAGIC;
	l->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	BUG_ON(l->base == NULL);
	l->clock = xcalloc(1, sizeof *l->clock);
	l->clock->now = INSTANT_NONE + HOUR;
	l->later.next = l->later.prev = &l->later;
	evtimer_assign(&l->wake, l->base, wake_fn, l);
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	BUG_ON(l->magic != LOOP_MAGIC);
	while (l->signals != NULL) {
		struct loop_signal_watch *w = l->signals;
		l->signals = w->next;
		event_del(&w->ev);
		free(w);
	}
	event_del(&l->wake);
	event_base_free(l->base);
	free(l->clock);
	l->magic = 0;
	free(l);
}

/* Runs what is set now; what these set anew waits for the next round. */
static void later_round(struct loop *l)
{
	struct loop_later mine;
	if (l->later.next == &l->later)
		return;
	mine.next = l->later.next;
	mine.prev = l->later.prev;
	mine.next->prev = mine.prev->next = &mine;
	l->later.next = l->later.prev = &l->later;
	while (mine.next != &mine) {
		struct loop_later *x = mine.next;
		mine.next = x->next;
		x->next->prev = &mine;
		x->next = x->prev = NULL;
		x->fn(x->arg);
	}
}

static bool later_run(struct loop *l)
{
	for (int i = 0; i < MAX_LATER_ROUNDS && l->later.next != &l->later; i++)
		later_round(l);
	return l->later.next != &l->later;
}

static void turn(struct loop *l, int flags)
{
	bool more = later_run(l);
	if (l->stop)
		return;
	l->clock->fresh = false;
	int rc = event_base_loop(l->base, flags | (more ? EVLOOP_NONBLOCK : EVLOOP_ONCE));
	BUG_ON(rc < 0);
	(void)later_run(l);
}

void loop_run(struct loop *l)
{
	BUG_ON(l->magic != LOOP_MAGIC);
	l->stop = false;
	while (!l->stop)
		turn(l, EVLOOP_NO_EXIT_ON_EMPTY);
}

static struct timeval timeval_of(duration d)
{
	return (struct timeval){d / SECOND, d % SECOND};
}

void loop_once(struct loop *l, duration max_wait)
{
	BUG_ON(l->magic != LOOP_MAGIC);
	l->stop = false;
	if (max_wait <= 0) {
		turn(l, EVLOOP_NONBLOCK);
		return;
	}
	struct timeval tv = timeval_of(max_wait);
	evtimer_add(&l->wake, &tv);
	turn(l, 0);
	event_del(&l->wake);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
	event_base_loopbreak(l->base);
}

void loop_reinit(struct loop *l)
{
	BUG_ON(l->magic != LOOP_MAGIC);
	int rc = event_reinit(l->base);
	BUG_ON(rc != 0);
}

/* ---- descriptors */

static void fd_fn(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *f = arg;
	BUG_ON(f->magic != FD_MAGIC);
	int w = ((what & EV_READ) != 0 ? LOOP_READ : 0) | ((what & EV_WRITE) != 0 ? LOOP_WRITE : 0);
	f->fn(fd, w, f->arg); /* may have freed f */
}

static void fd_watch(struct loop_fd *f, int what)
{
	short ev = (short)(EV_PERSIST | ((what & LOOP_READ) != 0 ? EV_READ : 0) |
	                   ((what & LOOP_WRITE) != 0 ? EV_WRITE : 0));
	f->what = what;
	if (what == 0)
		return;
	event_assign(&f->ev, f->loop->base, f->fd, ev, fd_fn, f);
	int rc = event_add(&f->ev, NULL);
	BUG_ON(rc != 0);
}

struct loop_fd *loop_fd_add(struct loop *l, int fd, int what, void (*fn)(int fd, int what, void *arg),
                            void *arg)
{
	BUG_ON(l->magic != LOOP_MAGIC || fd < 0);
	struct loop_fd *f = xcalloc(1, sizeof *f);
	f->magic = FD_MAGIC;
	f->loop = l;
	f->fd = fd;
	f->fn = fn;
	f->arg = arg;
	fd_watch(f, what);
	return f;
}

void loop_fd_set(struct loop_fd *f, int what)
{
	BUG_ON(f->magic != FD_MAGIC);
	if (f->what == what)
		return;
	if (f->what != 0)
		event_del(&f->ev);
	fd_watch(f, what);
}

void loop_fd_del(struct loop_fd *f)
{
	if (f == NULL)
		return;
	BUG_ON(f->magic != FD_MAGIC);
	if (f->what != 0)
		event_del(&f->ev);
	f->magic = 0;
	free(f);
}

/* ---- timers */

static void timer_fn(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	(void)fd;
	(void)what;
	BUG_ON(t->magic != TIMER_MAGIC);
	t->fn(t->arg); /* may have freed t */
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *arg), void *arg)
{
	BUG_ON(l->magic != LOOP_MAGIC);
	struct loop_timer *t = xcalloc(1, sizeof *t);
	t->magic = TIMER_MAGIC;
	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	evtimer_assign(&t->ev, l->base, timer_fn, t);
	return t;
}

void loop_timer_set(struct loop_timer *t, duration in)
{
	BUG_ON(t->magic != TIMER_MAGIC);
	if (in < 0) {
		event_del(&t->ev);
		return;
	}
	struct timeval tv = timeval_of(in);
	int rc = evtimer_add(&t->ev, &tv);
	BUG_ON(rc != 0);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	BUG_ON(t->magic != TIMER_MAGIC);
	event_del(&t->ev);
	t->magic = 0;
	free(t);
}

/* ---- later */

struct loop_later *loop_later_new(struct loop *l, void (*fn)(void *arg), void *arg)
{
	BUG_ON(l->magic != LOOP_MAGIC);
	struct loop_later *x = xcalloc(1, sizeof *x);
	x->loop = l;
	x->fn = fn;
	x->arg = arg;
	return x;
}

void loop_later_set(struct loop_later *x)
{
	struct loop_later *head = &x->loop->later;
	if (x->next != NULL)
		return;
	x->next = head;
	x->prev = head->prev;
	head->prev->next = x;
	head->prev = x;
}

void loop_later_free(struct loop_later *x)
{
	if (x == NULL)
		return;
	if (x->next != NULL) {
		x->next->prev = x->prev;
		x->prev->next = x->next;
	}
	free(x);
}

/* ---- signals */

static void signal_fn(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal_watch *w = arg;
	(void)what;
	w->fn((int)signo, w->arg);
}

void loop_signal(struct loop *l, int signo, void (*fn)(int signo, void *arg), void *arg)
{
	BUG_ON(l->magic != LOOP_MAGIC);
	struct loop_signal_watch *w = xcalloc(1, sizeof *w);
	w->fn = fn;
	w->arg = arg;
	evsignal_assign(&w->ev, l->base, signo, signal_fn, w);
	int rc = event_add(&w->ev, NULL);
	BUG_ON(rc != 0);
	w->next = l->signals;
	l->signals = w;
}
