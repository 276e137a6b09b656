/* Load and raw sinks for intake.py. Promises to send what a pool file holds at the asked pace and to count
 * what it sent or took; must not know what a payload means. A pool file is payloads, each behind its length
 * (4 octets, little endian).
 *
 *   udp PORT RATE SECONDS SOCKETS POOL     datagrams by sendmmsg, from so many source ports; prints: SENT
 * SECONDS post PORT PATH CONNECTIONS REQUESTS POOL [TOKEN]   HTTP POSTs, one at a time on each connection;
 * prints: ANSWERED-2XX SECONDS udp-sink | http-sink                   prints its port, ends by SIGTERM;
 * prints: TAKEN CPU-SECONDS */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SOCKETS_MAX = 64, CONNS_MAX = 512, READ_MAX = 65536 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in local(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* ---- pools */

struct pool {
	size_t n;
	struct iovec *v;
};

static struct pool pool_read(const char *path)
{
	struct pool p = {0};
	unsigned char head[4];
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		die(path);
	while (fread(head, 1, 4, f) == 4) {
		size_t len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
		p.v = realloc(p.v, (p.n + 1) * sizeof *p.v);
		if (p.v == NULL || (p.v[p.n].iov_base = malloc(len + 1)) == NULL)
			die("memory");
		if (fread(p.v[p.n].iov_base, 1, len, f) != len)
			die("a pool that is cut");
		p.v[p.n++].iov_len = len;
	}
	fclose(f);
	if (p.n == 0)
		die("an empty pool");
	return p;
}

/* ---- datagrams */

static int connected(int type, int port)
{
	struct sockaddr_in a = local(port);
	int fd = socket(AF_INET, type, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		die("connect");
	return fd;
}

static void send_some(int fd, const struct pool *p, size_t first, unsigned n)
{
	struct mmsghdr m[BATCH] = {0};
	for (unsigned i = 0; i < n; i++) {
		m[i].msg_hdr.msg_iov = &p->v[(first + i) % p->n];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned done = 0; done < n;) {
		int k = sendmmsg(fd, m + done, n - done, 0);
		if (k < 0 && errno != EINTR && errno != ECONNREFUSED && errno != ENOBUFS)
			die("sendmmsg");
		done += k > 0 ? (unsigned)k : 0;
	}
}

static int blast(int port, double rate, double seconds, int sockets, const struct pool *p)
{
	int fd[SOCKETS_MAX];
	size_t sent = 0, total = (size_t)(rate * seconds);
	if (sockets < 1 || sockets > SOCKETS_MAX)
		die("sockets");
	for (int i = 0; i < sockets; i++)
		fd[i] = connected(SOCK_DGRAM, port);
	double began = now();
	for (unsigned turn = 0; sent < total; turn++) {
		size_t due = (size_t)((now() - began) * rate);
		if (due > total)
			due = total;
		if (due < sent + BATCH && due < total) {
			const struct timespec nap = {0, 200000};
			nanosleep(&nap, NULL);
			continue;
		}
		size_t n = due - sent < BATCH ? due - sent : BATCH;
		send_some(fd[turn % (unsigned)sockets], p, sent, (unsigned)n);
		sent += n;
	}
	printf("%zu %.3f\n", sent, now() - began);
	return 0;
}

/* ---- requests */

struct client {
	int fd;
	size_t at;  /* of the request that is under way */
	size_t out; /* octets of it that are sent */
	char in[1024];
	size_t got;
};

static struct iovec request(const struct iovec *body, const char *path, const char *token)
{
	char head[1024];
	int n = snprintf(head, sizeof head,
	                 "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: "
	                 "application/json\r\n%s%s%sContent-Length: %zu\r\n\r\n",
	                 path, token != NULL ? "Authorization: Bearer " : "", token != NULL ? token : "",
	                 token != NULL ? "\r\n" : "", body->iov_len);
	struct iovec r = {malloc((size_t)n + body->iov_len), (size_t)n + body->iov_len};
	if (r.iov_base == NULL)
		die("memory");
	memcpy(r.iov_base, head, (size_t)n);
	memcpy((char *)r.iov_base + n, body->iov_base, body->iov_len);
	return r;
}

/* The answer ends with its head and Content-Length octets; 0 while it is not whole, else its status. */
static int answer_status(struct client *c)
{
	c->in[c->got] = '\0';
	const char *end = strstr(c->in, "\r\n\r\n");
	if (end == NULL)
		return 0;
	const char *length = strcasestr(c->in, "content-length:");
	size_t body = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
	if (c->got < (size_t)(end + 4 - c->in) + body)
		return 0;
	return atoi(c->in + 9);
}

static int post(int port, const char *path, int conns, size_t requests, struct pool *p, const char *token)
{
	static struct client c[CONNS_MAX];
	static struct pollfd w[CONNS_MAX];
	size_t next = 0, done = 0, good = 0;
	if (conns < 1 || conns > CONNS_MAX)
		die("connections");
	for (size_t i = 0; i < p->n; i++)
		p->v[i] = request(&p->v[i], path, token);
	for (int i = 0; i < conns; i++) {
		c[i] = (struct client){.fd = connected(SOCK_STREAM, port), .at = next++};
		w[i] = (struct pollfd){.fd = c[i].fd, .events = POLLOUT};
	}
	double began = now();
	while (done < requests) {
		if (poll(w, (nfds_t)conns, 30000) <= 0)
			die("poll");
		for (int i = 0; i < conns; i++) {
			const struct iovec *r = &p->v[c[i].at % p->n];
			if (w[i].revents & POLLOUT) {
				ssize_t n = send(c[i].fd, (char *)r->iov_base + c[i].out,
				                 r->iov_len - c[i].out, MSG_DONTWAIT | MSG_NOSIGNAL);
				if (n < 0 && errno != EAGAIN)
					die("send");
				c[i].out += n > 0 ? (size_t)n : 0;
				if (c[i].out == r->iov_len)
					w[i].events = POLLIN;
			} else if (w[i].revents != 0) {
				ssize_t n =
				    recv(c[i].fd, c[i].in + c[i].got, sizeof c[i].in - 1 - c[i].got, 0);
				if (n <= 0)
					die("recv");
				c[i].got += (size_t)n;
				int status = answer_status(&c[i]);
				if (status == 0)
					continue;
				done++;
				good += status / 100 == 2;
				c[i].got = c[i].out = 0;
				c[i].at = next++;
				w[i].events = c[i].at < requests ? POLLOUT : 0;
			}
		}
	}
	printf("%zu %.3f\n", good, now() - began);
	return 0;
}

/* ---- sinks */

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static int listening(int type)
{
	struct sockaddr_in a = local(0);
	socklen_t len = sizeof a;
	const int size = 32 << 20;
	int fd = socket(AF_INET, type, 0);
	struct sigaction s = {.sa_handler = on_term};
	sigaction(SIGTERM, &s, NULL);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("bind");
	if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (type == SOCK_STREAM && listen(fd, 512) != 0)
		die("listen");
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static int said(size_t taken)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("%zu %.6f\n", taken,
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	return 0;
}

static int udp_sink(void)
{
	enum { N = 256, SIZE = 2048 };
	static char bytes[N][SIZE];
	static struct iovec iov[N];
	static struct mmsghdr m[N];
	size_t taken = 0;
	int fd = listening(SOCK_DGRAM);
	for (size_t i = 0; i < N; i++) {
		iov[i] = (struct iovec){bytes[i], SIZE};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (!ended) {
		int n = recvmmsg(fd, m, N, MSG_WAITFORONE, NULL);
		taken += n > 0 ? (size_t)n : 0;
	}
	return said(taken);
}

struct served {
	size_t head; /* octets of the head that were seen, kept in `text` */
	size_t body; /* octets of the body that are still to come */
	char text[1024];
};

/* Counts whole requests in octets; the heads of our own client fit into `text`. */
static size_t requests_in(struct served *s, const char *p, size_t n)
{
	size_t whole = 0;
	while (n > 0) {
		if (s->body > 0) {
			size_t k = n < s->body ? n : s->body;
			s->body -= k;
			p += k;
			n -= k;
			whole += s->body == 0;
			continue;
		}
		s->text[s->head++] = *p++;
		n--;
		if (s->head >= sizeof s->text - 1)
			die("a head that is too long");
		if (s->head < 4 || memcmp(s->text + s->head - 4, "\r\n\r\n", 4) != 0)
			continue;
		s->text[s->head] = '\0';
		const char *length = strcasestr(s->text, "content-length:");
		s->body = length != NULL ? strtoul(length + 15, NULL, 10) : 0;
		whole += s->body == 0;
		s->head = 0;
	}
	return whole;
}

static int http_sink(void)
{
	static const char answer[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
	static struct pollfd w[CONNS_MAX + 1];
	static struct served s[CONNS_MAX + 1];
	static char bytes[READ_MAX];
	size_t taken = 0;
	nfds_t n = 1;
	w[0] = (struct pollfd){.fd = listening(SOCK_STREAM), .events = POLLIN};
	while (!ended) {
		if (poll(w, n, -1) < 0)
			continue;
		if (w[0].revents != 0 && n <= CONNS_MAX)
			w[n++] = (struct pollfd){.fd = accept(w[0].fd, NULL, NULL), .events = POLLIN};
		for (nfds_t i = 1; i < n; i++) {
			if (w[i].revents == 0)
				continue;
			ssize_t got = recv(w[i].fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (got <= 0) {
				if (got == 0 || errno != EAGAIN)
					w[i].fd = -1;
				continue;
			}
			for (size_t k = requests_in(&s[i], bytes, (size_t)got); k > 0; k--, taken++)
				if (send(w[i].fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
					break;
		}
	}
	return said(taken);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	struct pool p;
	if (strcmp(mode, "udp-sink") == 0)
		return udp_sink();
	if (strcmp(mode, "http-sink") == 0)
		return http_sink();
	if (argc >= 7) {
		p = pool_read(argv[6]);
		if (strcmp(mode, "udp") == 0)
			return blast(atoi(argv[2]), atof(argv[3]), atof(argv[4]), atoi(argv[5]), &p);
		if (strcmp(mode, "post") == 0)
			return post(atoi(argv[2]), argv[3], atoi(argv[4]), (size_t)atol(argv[5]), &p,
			            argc > 7 ? argv[7] : NULL);
	}
	fprintf(stderr, "see the head of intake_load.c\n");
	return 2;
}
