/* Promises accepted connections, and to go on when descriptors run out. Must not know what is spoken. */
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { ACCEPTOR_MAGIC = 0x61636370, ACCEPT_ROUNDS = 64 };
#define ACCEPT_REST (100 * MSEC)

struct acceptor {
	uint32_t magic;
	int fd, reserve;
	struct loop_fd *watch;
	struct loop_timer *rest;
	void (*accepted)(int fd, const struct peer *from, void *arg);
	void *arg;
	struct log_limit said;
	bool busy, freed, paused, resting;
};

static void destroy(struct acceptor *a)
{
	loop_fd_del(a->watch);
	loop_timer_free(a->rest);
	if (a->reserve >= 0)
		close(a->reserve);
	close(a->fd);
	a->magic = 0;
	free(a);
}

void acceptor_free(struct acceptor *a)
{
	if (a == NULL)
		return;
	BUG_ON(a->magic != ACCEPTOR_MAGIC || a->freed);
	a->freed = true;
	if (!a->busy)
		destroy(a);
}

static void watch(struct acceptor *a)
{
	loop_fd_set(a->watch, a->paused || a->resting ? 0 : LOOP_READ);
}

static void reserve(struct acceptor *a)
{
	/* a copy of our own descriptor: a role that may not open files can still make it */
	if (a->reserve < 0)
		a->reserve = fcntl(a->fd, F_DUPFD_CLOEXEC, 0);
}

/* No descriptor is left: turn one client away, so that it knows, and rest a little. */
static void turn_away(struct acceptor *a)
{
	if (log_allow(&a->said, loop_mono(), 1))
		log_warn("accept error=\"no file descriptor left: raise LimitNOFILE\"");
	if (a->reserve >= 0) {
		close(a->reserve);
		a->reserve = -1;
		int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			close(fd);
		reserve(a);
	}
	a->resting = true;
	loop_timer_set(a->rest, ACCEPT_REST);
}

static void on_rest(void *arg)
{
	struct acceptor *a = arg;
	BUG_ON(a->magic != ACCEPTOR_MAGIC);
	a->resting = false;
	reserve(a);
	watch(a);
}

/* False: nothing more now. */
static bool accept_one(struct acceptor *a)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	socklen_t len = sizeof ss;
	struct peer from;
	int fd = accept4(a->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		peer_from((const struct sockaddr *)&ss, &from);
		socket_keepalive(fd);
		a->accepted(fd, &from, a->arg);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		turn_away(a);
	/* a connection may have died in the queue; the others are still there */
	return errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
}

static void on_read(int fd, int what, void *arg)
{
	struct acceptor *a = arg;
	(void)fd;
	(void)what;
	BUG_ON(a->magic != ACCEPTOR_MAGIC);
	a->busy = true;
	for (int i = 0; i < ACCEPT_ROUNDS && !a->freed && !a->paused && !a->resting; i++) {
		if (!accept_one(a))
			break;
	}
	a->busy = false;
	if (a->freed)
		destroy(a);
	else
		watch(a);
}

struct acceptor *acceptor_new(struct loop *l, int fd,
                              void (*accepted)(int fd, const struct peer *from, void *arg), void *arg)
{
	BUG_ON(fd < 0);
	struct acceptor *a = xcalloc(1, sizeof *a);
	a->magic = ACCEPTOR_MAGIC;
	a->fd = fd;
	a->reserve = -1;
	a->accepted = accepted;
	a->arg = arg;
	a->rest = loop_timer_new(l, on_rest, a);
	a->watch = loop_fd_add(l, fd, LOOP_READ, on_read, a);
	reserve(a);
	return a;
}

void acceptor_pause(struct acceptor *a, bool paused)
{
	BUG_ON(a->magic != ACCEPTOR_MAGIC);
	a->paused = paused;
	watch(a);
}
