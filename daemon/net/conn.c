/* Promises the bytes of one connection in order, bounded, with an idle limit and deadlines that nothing extends, plain or
 * in TLS. Must not know the protocol. */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "net/wire.h"

enum { CONN_MAGIC = 0x636f6e6e, READ_MIN = 4 << 10, READ_MAX = 1 << 20, BEHIND_MAX = 1 << 20 };
#define HANDSHAKE_TIME (10 * SECOND)

struct conn {
	uint32_t magic;
	struct wire wire;
	struct loop_fd *watch;
	struct loop_later *later;
	struct loop_timer *timer;
	struct peer peer;
	size_t max_in, chunk;
	struct buf in, out;
	const struct conn_events *ev;
	void *arg;
	duration idle;
	instant last;     /* when the last byte came */
	instant deadline; /* of the handshake, or what conn_deadline set; 0: none */
	int depth;
	bool paused, at_end, closed, redeliver;
	bool timed; /* the deadline is the caller's */
};

static void destroy(struct conn *c)
{
	loop_fd_del(c->watch);
	loop_later_free(c->later);
	loop_timer_free(c->timer);
	wire_close(&c->wire);
	buf_free(&c->in);
	buf_free(&c->out);
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
	int read = c->paused || c->at_end ? 0 : LOOP_READ, write = c->out.n > 0 ? LOOP_WRITE : 0;

	loop_fd_set(c->watch, c->closed ? 0 : read | write);
}

static void write_out(struct conn *c)
{
	ssize_t n;

	while (c->out.n > 0) {
		n = wire_send(&c->wire, c->out.p, c->out.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			c->closed = true;
			return;
		}
		buf_consume(&c->out, (size_t)n);
	}
	buf_free(&c->out);
}

bool conn_send(struct conn *c, struct slice bytes)
{
	bool alive;

	enter(c);
	buf_adds(&c->out, bytes);
	if (!c->closed)
		write_out(c);
	/* a peer that asks and does not listen */
	if (c->out.n > BEHIND_MAX)
		c->closed = true;
	watch(c);
	alive = !c->closed;
	leave(c);
	return alive;
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

static void on_read(struct conn *c)
{
	size_t room = MIN(c->chunk, c->max_in - c->in.n);
	BUG_ON(room == 0);
	ssize_t n = wire_recv(&c->wire, &c->in, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->at_end = true; /* a reset ends it like a close: what came has come */
		if (c->wire.why[0] != '\0' && c->ev->failed != NULL)
			c->ev->failed(c, c->wire.why, c->arg);
	} else {
		c->at_end = c->wire.at_end;
		c->last = c->idle > 0 ? loop_mono() : 0;
		adapt(c, (size_t)n);
	}
	deliver(c);
}

static void on_event(int fd UNUSED, int what, void *arg)
{
	struct conn *c = arg;
	enter(c);
	if ((what & LOOP_WRITE) != 0)
		write_out(c);
	if ((what & LOOP_READ) != 0 && !c->closed && !c->paused && !c->at_end)
		on_read(c);
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

/* The timer stands at whichever comes first. */
static void set_timer(struct conn *c)
{
	instant now = loop_mono(), at = c->idle > 0 ? c->last + c->idle : 0;
	if (c->deadline > 0 && (at == 0 || c->deadline < at))
		at = c->deadline;
	loop_timer_set(c->timer, at > 0 ? MAX(at - now, (duration)0) : -1);
}

static void on_timer(void *arg)
{
	struct conn *c = arg;
	enter(c);
	instant now = loop_mono();
	if (c->deadline > 0 && wire_ready(&c->wire) && !c->timed)
		c->deadline = 0; /* the handshake is done */
	if (c->paused) {
		c->last = now; /* we do not listen: silence is not the peer's */
		if (c->deadline > 0)
			c->deadline = MAX(c->deadline, now + SECOND);
	} else if (c->deadline > 0 && now >= c->deadline) {
		if (!wire_ready(&c->wire) && c->ev->failed != NULL)
			c->ev->failed(c, "TLS: the handshake took too long", c->arg);
		c->at_end = true; /* what has come may be of use as it is */
		if (wire_ready(&c->wire))
			deliver(c);
		c->closed = c->closed || !c->paused;
	} else if (c->idle > 0 && now - c->last >= c->idle) {
		c->closed = true;
	}
	if (!c->closed)
		set_timer(c);
	else
		loop_fd_set(c->watch, 0);
	leave(c);
}

struct conn *conn_new(struct loop *l, int fd, const struct peer *from, size_t max_in,
                      const struct conn_events *ev, void *arg)
{
	BUG_ON(fd < 0 || max_in == 0 || ev == NULL || ev->data == NULL);
	struct conn *c = xcalloc(1, sizeof *c);
	c->magic = CONN_MAGIC;
	wire_plain(&c->wire, fd);
	c->peer = *from;
	c->max_in = max_in;
	c->chunk = READ_MIN;
	c->ev = ev;
	c->arg = arg;
	c->later = loop_later_new(l, on_later, c);
	c->timer = loop_timer_new(l, on_timer, c);
	c->watch = loop_fd_add(l, fd, LOOP_READ, on_event, c);
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
	set_timer(c);
}

void conn_deadline(struct conn *c, duration in)
{
	BUG_ON(c->magic != CONN_MAGIC);
	if (!wire_ready(&c->wire) || (in < 0 && !c->timed))
		return; /* the handshake's stands */
	c->timed = in >= 0;
	c->deadline = in >= 0 ? loop_mono() + in : 0;
	set_timer(c);
}

void conn_secure(struct conn *c, struct tls_context *t)
{
	BUG_ON(c->magic != CONN_MAGIC || c->in.n > 0);
	if (wire_tls(&c->wire, t) != 0) {
		conn_close(c);
		return;
	}
	c->deadline = loop_mono() + HANDSHAKE_TIME;
	set_timer(c);
}

const struct wire *conn_wire(const struct conn *c)
{
	return &c->wire;
}

const struct peer *conn_peer(const struct conn *c)
{
	return &c->peer;
}

void *conn_arg(const struct conn *c)
{
	return c->arg;
}
