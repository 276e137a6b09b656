/* Promises frames in order, whole, with their descriptors, and one write a turn. Must not know what a frame
 * means. */
#include "net/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	CHANNEL_MAGIC = 0x6368616e,
	SOCKET_BUFFER = 4 << 20,
	READ_CHUNK = 256 << 10,
	KEEP_CAP = 1 << 20, /* an empty buffer larger than this is given back */
	MAX_FDS = 32,       /* descriptors that may wait for their frames */
	ALIGN = 8
};

struct out_fd {
	uint64_t at; /* octet of the stream at which its frame begins */
	int fd;
};

struct channel {
	uint32_t magic;
	struct loop *loop;
	int fd;
	struct loop_fd *watch;
	struct loop_later *later;
	const struct channel_events *ev;
	void *arg;
	struct buf in;
	int in_fds[MAX_FDS];
	size_t n_in_fds;
	struct buf out;
	size_t out_at;      /* written part of out */
	uint64_t out_total; /* octets written since the beginning */
	struct out_fd *fds;
	size_t n_fds, cap_fds;
	int depth; /* callbacks on the stack */
	bool paused, ended, cannot_write, redeliver, freed;
};

int channel_pair(int fds[2], struct error *err)
{
	const int size = SOCKET_BUFFER;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return error_set(err, "cannot make a channel: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size,
		                 sizeof size); /* as much as the kernel grants */
	return 0;
}

int64_t channel_parse(struct slice in, struct frame *head, struct slice *payload, size_t *need)
{
	*need = sizeof *head;
	if (in.n < sizeof *head)
		return 0;
	memcpy(head, in.p, sizeof *head);
	size_t pad = head->flags & CHANNEL_FLAG_PAD;
	if (head->size < sizeof *head || head->size > FRAME_MAX || head->size % ALIGN != 0)
		return -1;
	if ((head->flags & ~(CHANNEL_FLAG_PAD | CHANNEL_FLAG_FD)) != 0 || pad > head->size - sizeof *head)
		return -1;
	if (head->kind == FRAME_NONE || head->kind >= INPUT_TICK)
		return -1; /* inputs exist only in the journal */
	*need = head->size;
	if (in.n < head->size)
		return 0;
	*payload = slice_of(in.p + sizeof *head, head->size - sizeof *head - pad);
	return head->size;
}

/* ---- ends */

static void close_fds(struct channel *c)
{
	for (size_t i = 0; i < c->n_in_fds; i++)
		close(c->in_fds[i]);
	c->n_in_fds = 0;
	for (size_t i = 0; i < c->n_fds; i++)
		close(c->fds[i].fd);
	c->n_fds = 0;
}

static void destroy(struct channel *c)
{
	loop_fd_del(c->watch);
	loop_later_free(c->later);
	close_fds(c);
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c->fds);
	c->magic = 0;
	free(c);
}

void channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	BUG_ON(c->magic != CHANNEL_MAGIC || c->freed);
	c->freed = true;
	loop_fd_set(c->watch, 0);
	if (c->depth == 0)
		destroy(c);
}

static void enter(struct channel *c)
{
	BUG_ON(c->magic != CHANNEL_MAGIC);
	c->depth++;
}

static void leave(struct channel *c)
{
	BUG_ON(c->depth <= 0);
	if (--c->depth == 0 && c->freed)
		destroy(c);
}

static void end(struct channel *c)
{
	if (c->ended || c->freed)
		return;
	c->ended = true;
	loop_fd_set(c->watch, 0);
	close_fds(c);
	buf_clear(&c->out);
	c->out_at = 0;
	if (c->ev->closed != NULL)
		c->ev->closed(c, c->arg);
}

static void watch(struct channel *c)
{
	if (c->ended || c->freed)
		return;
	bool more = c->out.n > c->out_at && !c->cannot_write;
	loop_fd_set(c->watch, (c->paused ? 0 : LOOP_READ) | (more ? LOOP_WRITE : 0));
}

/* ---- writing */

static ssize_t send_some(struct channel *c)
{
	size_t n = c->out.n - c->out_at;
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {c->out.p + c->out_at, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t next = 0;
	bool with_fd = c->n_fds > 0 && c->fds[0].at == c->out_total;
	if (with_fd) {
		m.msg_control = control;
		m.msg_controllen = sizeof control;
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &c->fds[0].fd, sizeof(int));
		next = 1;
	}
	/* a descriptor travels with the first octet of one system call: end before the next one */
	if (c->n_fds > next)
		iov.iov_len = MIN(n, (size_t)(c->fds[next].at - c->out_total));
	ssize_t sent = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0 && with_fd) {
		close(c->fds[0].fd);
		memmove(c->fds, c->fds + 1, --c->n_fds * sizeof *c->fds);
	}
	return sent;
}

static void compact(struct channel *c)
{
	if (c->out_at == c->out.n) {
		buf_clear(&c->out);
		c->out_at = 0;
		if (c->out.cap > KEEP_CAP)
			buf_free(&c->out);
	} else if (c->out_at > c->out.n / 2) {
		buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
}

static void write_out(struct channel *c)
{
	bool had = c->out.n > c->out_at;
	while (c->out.n > c->out_at) {
		ssize_t n = send_some(c);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS))
			break;
		if (n < 0) {
			/* what the peer sent before it went is still read; the end is met there */
			c->cannot_write = true;
			c->out_at = c->out.n;
			break;
		}
		c->out_at += (size_t)n;
		c->out_total += (uint64_t)n;
	}
	compact(c);
	if (had && c->out.n == 0 && !c->cannot_write && c->ev->drained != NULL)
		c->ev->drained(c, c->arg);
}

static void queue(struct channel *c, uint16_t kind, uint64_t seq, struct slice payload, bool with_fd)
{
	static const char zero[ALIGN] = {0};
	size_t pad = (ALIGN - payload.n % ALIGN) % ALIGN;
	BUG_ON(payload.n > FRAME_MAX - sizeof(struct frame) - ALIGN);
	struct frame h = {.size = (uint32_t)(sizeof h + payload.n + pad),
	                  .kind = kind,
	                  .flags = (uint16_t)(pad | (with_fd ? CHANNEL_FLAG_FD : 0)),
	                  .seq = seq};
	buf_reserve(&c->out, h.size);
	buf_add(&c->out, &h, sizeof h);
	if (payload.n > 0)
		buf_adds(&c->out, payload);
	buf_add(&c->out, zero, pad);
	loop_later_set(c->later);
}

void channel_send(struct channel *c, uint16_t kind, uint64_t seq, struct slice payload)
{
	BUG_ON(c->magic != CHANNEL_MAGIC);
	if (!c->ended && !c->cannot_write)
		queue(c, kind, seq, payload, false);
}

void channel_send_fd(struct channel *c, uint16_t kind, uint64_t seq, struct slice payload, int fd)
{
	BUG_ON(c->magic != CHANNEL_MAGIC || fd < 0);
	if (c->ended || c->cannot_write)
		return;
	int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (mine < 0) {
		/* without its descriptor it would say something else: "no map at all" */
		log_error("channel_fd error=\"cannot duplicate a descriptor: %s\" kind=%u lost=1",
		          strerror(errno), kind);
		return;
	}
	c->fds = array_reserve(c->fds, &c->cap_fds, c->n_fds + 1, sizeof *c->fds);
	c->fds[c->n_fds++] = (struct out_fd){c->out_total + (c->out.n - c->out_at), mine};
	queue(c, kind, seq, payload, true);
}

size_t channel_backlog(const struct channel *c)
{
	return c->out.n - c->out_at;
}

void channel_flush(struct channel *c, duration max)
{
	instant until = loop_mono() + max;
	BUG_ON(c->magic != CHANNEL_MAGIC);
	enter(c);
	while (!c->ended && !c->freed && !c->cannot_write) {
		write_out(c);
		duration left = until - loop_mono();
		if (c->out.n == c->out_at || left <= 0)
			break;
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		(void)poll(&p, 1, (int)MIN(left / MSEC + 1, 1000));
	}
	watch(c);
	leave(c);
}

/* ---- reading */

/* False: the frame claims a descriptor that did not come. */
static bool take_fd(struct channel *c, const struct frame *h, int *fd)
{
	*fd = -1;
	if ((h->flags & CHANNEL_FLAG_FD) == 0)
		return true;
	if (c->n_in_fds == 0)
		return false;
	*fd = c->in_fds[0];
	memmove(c->in_fds, c->in_fds + 1, --c->n_in_fds * sizeof *c->in_fds);
	return true;
}

/* Delivers the whole frames of `in`. False: the peer sent rubbish. */
static bool deliver(struct channel *c)
{
	size_t at = 0, frames = 0, need;
	bool ok = true;
	while (ok && !c->paused && !c->freed) {
		struct frame h;
		struct slice payload;
		int fd;
		int64_t n =
		    channel_parse(slice_sub(buf_slice(&c->in), at, c->in.n - at), &h, &payload, &need);
		if (n == 0)
			break;
		ok = n > 0 && take_fd(c, &h, &fd);
		if (!ok)
			break;
		at += (size_t)n;
		frames++;
		c->ev->frame(c, &h, payload, fd, c->arg);
	}
	if (!c->freed && frames > 0 && c->ev->batch != NULL)
		c->ev->batch(c, c->arg);
	buf_consume(&c->in, at); /* whole frames are multiples of 8: the rest stays aligned */
	return ok;
}

static void keep_fds(struct channel *c, struct msghdr *m, bool *ok)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
			if (c->n_in_fds < MAX_FDS) {
				c->in_fds[c->n_in_fds++] = fd;
			} else {
				close(fd);
				*ok = false;
			}
		}
	}
	if ((m->msg_flags & MSG_CTRUNC) != 0)
		*ok = false;
}

static size_t room_wanted(const struct channel *c)
{
	struct frame h;
	struct slice payload;
	size_t need;
	(void)channel_parse(buf_slice(&c->in), &h, &payload, &need);
	return MAX(need > c->in.n ? need - c->in.n : 0, (size_t)READ_CHUNK);
}

/* 1 something came, 0 nothing now, -1 the end. */
static int read_some(struct channel *c)
{
	char control[CMSG_SPACE(sizeof(int) * 4)] __attribute__((aligned(8)));
	bool ok = true;
	buf_reserve(&c->in, room_wanted(c));
	struct iovec iov = {c->in.p + c->in.n, c->in.cap - c->in.n};
	struct msghdr m = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	ssize_t n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	c->in.n += (size_t)n;
	keep_fds(c, &m, &ok);
	return ok ? 1 : -1;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

static void on_read(struct channel *c)
{
	int rc = read_some(c);
	if (rc > 0 && !deliver(c))
		rc = -1;
	if (rc < 0 && !c->freed)
		end(c);
	if (!c->freed && c->in.n == 0 && c->in.cap > KEEP_CAP)
		buf_free(&c->in);
}

void channel_drain(struct channel *c)
{
	BUG_ON(c->magic != CHANNEL_MAGIC || c->depth != 0);
	enter(c);
	c->paused = c->redeliver = false;
	if (!c->ended && !deliver(c) && !c->freed)
		end(c);
	while (!c->ended && !c->freed) {
		size_t before = c->in.n;
		on_read(c);
		if (!c->ended && !c->freed && c->in.n == before && !readable(c->fd))
			break;
	}
	if (!c->freed)
		watch(c);
	leave(c);
}

static void on_event(int fd, int what, void *arg)
{
	struct channel *c = arg;
	(void)fd;
	enter(c);
	if ((what & LOOP_WRITE) != 0)
		write_out(c);
	if ((what & LOOP_READ) != 0 && !c->freed && !c->ended && !c->paused)
		on_read(c);
	watch(c);
	leave(c);
}

static void on_later(void *arg)
{
	struct channel *c = arg;
	enter(c);
	if (c->redeliver && !c->paused && !c->ended) {
		c->redeliver = false;
		if (!deliver(c) && !c->freed)
			end(c);
	}
	if (!c->freed && !c->ended && !c->cannot_write)
		write_out(c);
	watch(c);
	leave(c);
}

void channel_pause(struct channel *c, bool paused)
{
	BUG_ON(c->magic != CHANNEL_MAGIC);
	if (c->paused == paused || c->ended)
		return;
	c->paused = paused;
	if (!paused) {
		c->redeliver = true; /* frames that were read before the pause */
		loop_later_set(c->later);
	}
	watch(c);
}

struct channel *channel_new(struct loop *l, int fd, const struct channel_events *ev, void *arg)
{
	BUG_ON(fd < 0 || ev == NULL || ev->frame == NULL);
	struct channel *c = xcalloc(1, sizeof *c);
	c->magic = CHANNEL_MAGIC;
	c->loop = l;
	c->fd = fd;
	c->ev = ev;
	c->arg = arg;
	c->later = loop_later_new(l, on_later, c);
	c->watch = loop_fd_add(l, fd, LOOP_READ, on_event, c);
	return c;
}
