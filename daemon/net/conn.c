/* Promises the bytes of one connection in order, bounded, with an idle limit. Must not know the protocol. */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONN_MAGIC = 0x636f6e6e, READ_MIN = 4 << 10, READ_MAX = 1 << 20 };

struct conn {
	uint32_t magic;
	int fd;
	struct loop_fd *watch;
	struct loop_later *later;
	struct loop_timer *timer;
	struct peer peer;
	size_t max_in, chunk;
	struct buf in;
	const struct conn_events *ev;
	void *arg;
	duration idle;
	instant last; /* when the last byte came */
	int depth;
	bool paused, at_end, closed, redeliver;
};

static void destroy(struct conn *c)
{
	loop_fd_del(c->watch);
	loop_later_free(c->later);
	loop_timer_free(c->timer);
	close(c->fd);
	buf_free(&c->in);
	c->magic = 0;
	free(c);
}

static void leave(struct conn *c)
{
	BUG_ON(c->depth <= 0);
	if (--c->depth > 0 || !c->closed)
		return;
	if (c->ev->closed != NULL)
		c->ev->closed(c, c->arg);
	destroy(c);
}

static void enter(struct conn *c)
{
	BUG_ON(c->magic != CONN_MAGIC);
	c->depth++;
}

void conn_close(struct conn *c)
{
	if (c->closed)
		return;
	enter(c);
	c->closed = true;
	loop_fd_set(c->watch, 0);
	leave(c);
}

static void watch(struct conn *c)
{
	loop_fd_set(c->watch, c->paused || c->at_end || c->closed ? 0 : LOOP_READ);
}

/* Shows the callee what there is; closes when there will be no more or it does not fit. */
static void deliver(struct conn *c)
{
	if (c->in.n > 0 || c->at_end)
		c->ev->data(c, &c->in, c->at_end, c->arg);
	if (c->closed || c->paused)
		return;
	if (c->at_end || c->in.n >= c->max_in)
		c->closed = true;
	if (c->in.n == 0 && c->in.cap > READ_MIN && c->chunk < READ_MAX)
		buf_free(&c->in); /* ten thousand idle connections hold nothing */
}

/* Senders that fill the chunk get a larger one. */
static void adapt(struct conn *c, size_t got)
{
	if (got >= c->chunk && c->chunk < READ_MAX)
		c->chunk *= 2;
	else if (got < c->chunk / 8 && c->chunk > READ_MIN)
		c->chunk /= 2;
}

static void on_read(int fd, int what, void *arg)
{
	struct conn *c = arg;
	(void)what;
	enter(c);
	size_t room = MIN(c->chunk, c->max_in - c->in.n);
	BUG_ON(room == 0);
	buf_reserve(&c->in, room);
	ssize_t n = recv(fd, c->in.p + c->in.n, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		leave(c);
		return;
	}
	if (n <= 0) {
		c->at_end = true; /* a reset ends it like a close: what came has come */
	} else {
		c->in.n += (size_t)n;
		c->last = c->idle > 0 ? loop_mono() : 0;
		adapt(c, (size_t)n);
	}
	deliver(c);
	watch(c);
	leave(c);
}

static void on_later(void *arg)
{
	struct conn *c = arg;
	enter(c);
	if (c->redeliver && !c->paused && !c->closed) {
		c->redeliver = false;
		deliver(c);
		watch(c);
	}
	leave(c);
}

static void on_timer(void *arg)
{
	struct conn *c = arg;
	BUG_ON(c->magic != CONN_MAGIC);
	duration left = c->last + c->idle - loop_mono();
	if (c->paused) {
		loop_timer_set(c->timer, c->idle); /* we do not listen: silence is not the peer's */
		c->last = loop_mono();
	} else if (left > 0) {
		loop_timer_set(c->timer, left);
	} else {
		conn_close(c);
	}
}

struct conn *conn_new(struct loop *l, int fd, const struct peer *from, size_t max_in,
                      const struct conn_events *ev, void *arg)
{
	BUG_ON(fd < 0 || max_in == 0 || ev == NULL || ev->data == NULL);
	struct conn *c = xcalloc(1, sizeof *c);
	c->magic = CONN_MAGIC;
	c->fd = fd;
	c->peer = *from;
	c->max_in = max_in;
	c->chunk = READ_MIN;
	c->ev = ev;
	c->arg = arg;
	c->later = loop_later_new(l, on_later, c);
	c->timer = loop_timer_new(l, on_timer, c);
	c->watch = loop_fd_add(l, fd, LOOP_READ, on_read, c);
	return c;
}

void conn_pause(struct conn *c, bool paused)
{
	BUG_ON(c->magic != CONN_MAGIC);
	if (c->paused == paused || c->closed)
		return;
	c->paused = paused;
	if (!paused) {
		c->redeliver = true; /* what was left when the pause began */
		loop_later_set(c->later);
		return;
	}
	watch(c);
}

void conn_idle_limit(struct conn *c, duration d)
{
	BUG_ON(c->magic != CONN_MAGIC);
	c->idle = d;
	c->last = loop_mono();
	loop_timer_set(c->timer, d > 0 ? d : -1);
}

const struct peer *conn_peer(const struct conn *c)
{
	return &c->peer;
}

void *conn_arg(const struct conn *c)
{
	return c->arg;
}
