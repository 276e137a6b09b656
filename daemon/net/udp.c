/* Promises datagrams in batches of one system call, and the kernel's own count of what it dropped. Must not
 * know what a datagram holds. */
#include "net/stream.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	UDP_MAGIC = 0x75647021,
	UDP_BATCH = 256,
	UDP_ROUNDS = 4, /* full batches in one turn before the others get theirs */
	UDP_CONTROL = CMSG_SPACE(sizeof(uint32_t))
};

struct udp_addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

struct udp {
	uint32_t magic;
	int fd;
	struct loop_fd *watch;
	size_t max;
	void (*batch)(struct udp *u, const struct datagram *d, size_t n, uint64_t kernel_drops, void *arg);
	void *arg;
	uint32_t drops; /* the kernel's counter as last seen */
	bool busy, freed, paused;
	char *bytes;
	struct mmsghdr msg[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct udp_addr from[UDP_BATCH];
	struct datagram out[UDP_BATCH];
	char control[UDP_BATCH][UDP_CONTROL] __attribute__((aligned(8)));
};

static void destroy(struct udp *u)
{
	loop_fd_del(u->watch);
	close(u->fd);
	free(u->bytes);
	u->magic = 0;
	free(u);
}

void udp_free(struct udp *u)
{
	if (u == NULL)
		return;
	BUG_ON(u->magic != UDP_MAGIC || u->freed);
	u->freed = true;
	if (!u->busy)
		destroy(u);
}

size_t udp_addr_size(void)
{
	return sizeof(struct udp_addr);
}

/* The counter rides on every datagram once it is not zero. */
static void read_drops(struct msghdr *m, uint32_t *drops)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL)
			memcpy(drops, CMSG_DATA(h), sizeof *drops);
	}
}

static void prepare(struct udp *u, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct msghdr *m = &u->msg[i].msg_hdr;
		m->msg_namelen = sizeof u->from[i].ss;
		m->msg_controllen = UDP_CONTROL;
		m->msg_flags = 0;
	}
}

static void fill(struct udp *u, size_t i)
{
	struct datagram *d = &u->out[i];
	struct udp_addr *a = &u->from[i];
	const struct msghdr *m = &u->msg[i].msg_hdr;
	a->len = m->msg_namelen;
	if (a->len == 0)
		a->ss.ss_family = AF_UNIX; /* an unnamed local sender */
	d->bytes = slice_of(u->iov[i].iov_base, MIN((size_t)u->msg[i].msg_len, u->max));
	d->truncated = (m->msg_flags & MSG_TRUNC) != 0;
	d->addr = a;
	/* one sender's datagrams come in runs */
	if (i > 0 && a->len == u->from[i - 1].len && memcmp(&a->ss, &u->from[i - 1].ss, a->len) == 0)
		d->from = u->out[i - 1].from;
	else
		peer_from((const struct sockaddr *)&a->ss, &d->from);
}

/* How many came. */
static size_t receive(struct udp *u)
{
	int n = recvmmsg(u->fd, u->msg, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	uint32_t drops = u->drops;
	for (size_t i = 0; i < (size_t)n; i++)
		fill(u, i);
	read_drops(&u->msg[n - 1].msg_hdr, &drops);
	uint32_t fresh = drops - u->drops;
	u->drops = drops;
	u->batch(u, u->out, (size_t)n, fresh, u->arg);
	prepare(u, (size_t)n);
	return (size_t)n;
}

static void on_read(int fd, int what, void *arg)
{
	struct udp *u = arg;
	(void)fd;
	(void)what;
	BUG_ON(u->magic != UDP_MAGIC);
	u->busy = true;
	for (int i = 0; i < UDP_ROUNDS && !u->freed && !u->paused; i++) {
		if (receive(u) < UDP_BATCH)
			break;
	}
	u->busy = false;
	if (u->freed)
		destroy(u);
}

/* A socket that another process had before us has a past that was counted there. */
static uint32_t drops_so_far(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof mem;
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len) != 0 || len <= SK_MEMINFO_DROPS * sizeof mem[0])
		return 0;
	return mem[SK_MEMINFO_DROPS];
}

struct udp *udp_new(struct loop *l, int fd, size_t max_datagram,
                    void (*batch)(struct udp *u, const struct datagram *d, size_t n, uint64_t kernel_drops,
                                  void *arg),
                    void *arg)
{
	const int on = 1;
	BUG_ON(fd < 0 || max_datagram == 0 || max_datagram > 1 << 20);
	struct udp *u = xcalloc(1, sizeof *u);
	u->magic = UDP_MAGIC;
	u->fd = fd;
	u->max = max_datagram;
	u->batch = batch;
	u->arg = arg;
	u->drops = drops_so_far(fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
	u->bytes = xmalloc(UDP_BATCH * max_datagram); /* pages that no datagram reaches are never touched */
	for (size_t i = 0; i < UDP_BATCH; i++) {
		struct msghdr *m = &u->msg[i].msg_hdr;
		u->iov[i] = (struct iovec){u->bytes + i * max_datagram, max_datagram};
		m->msg_iov = &u->iov[i];
		m->msg_iovlen = 1;
		m->msg_name = &u->from[i].ss;
		m->msg_control = u->control[i];
	}
	prepare(u, UDP_BATCH);
	u->watch = loop_fd_add(l, fd, LOOP_READ, on_read, u);
	return u;
}

void udp_pause(struct udp *u, bool paused)
{
	BUG_ON(u->magic != UDP_MAGIC);
	u->paused = paused;
	loop_fd_set(u->watch, paused ? 0 : LOOP_READ);
}

void udp_reply(struct udp *u, const void *addr, struct slice bytes)
{
	const struct udp_addr *a = addr;
	BUG_ON(u->magic != UDP_MAGIC || a->len > sizeof a->ss);
	if (a->len == 0)
		return; /* an unnamed local sender */
	/* a full send buffer loses the answer; the sender repeats */
	(void)sendto(u->fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&a->ss,
	             a->len);
}
