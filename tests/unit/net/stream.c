/* Sockets of the outside: UDP batches and kernel drops, accepting, connections with limits, unix sockets. */
#include "t.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/stream.h"

struct got {
	size_t n, octets, calls, biggest_batch, truncated;
	uint64_t drops;
	struct peer from;
	char text[64];
	void *addr;
};

static void on_batch(struct udp *u, const struct datagram *d, size_t n, uint64_t drops, void *arg)
{
	struct got *g = arg;
	g->calls++;
	g->n += n;
	g->drops += drops;
	g->biggest_batch = MAX(g->biggest_batch, n);
	for (size_t i = 0; i < n; i++) {
		g->octets += d[i].bytes.n;
		g->truncated += d[i].truncated;
	}
	g->from = d[0].from;
	snprintf(g->text, sizeof g->text, SLICE_FMT, SLICE_ARG(d[0].bytes));
	memcpy(g->addr, d[0].addr, udp_addr_size());
	if (slice_is(d[0].bytes, "ping"))
		udp_reply(u, d[0].addr, SLICE("pong"));
}

static int client(int type, uint16_t port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof in), 0);
	return fd;
}

static void udp_batches(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	struct error err;
	uint16_t port = 0;
	struct got g = {.addr = calloc(1, udp_addr_size())};
	int fd = socket_udp("127.0.0.1", &port, 1 << 20, &err);
	assert_true(fd >= 0 && port > 0);
	struct udp *u = udp_new(l, fd, 1000, on_batch, &g);
	int c = client(SOCK_DGRAM, port);
	for (int i = 0; i < 300; i++)
		assert_int_equal(send(c, "hello", 5, 0), 5);
	RUN_UNTIL(l, g.n == 300);
	assert_int_equal(g.octets, 1500);
	assert_int_equal(g.biggest_batch, 256);
	assert_int_equal(g.calls, 2);
	assert_string_equal(g.from.text, "127.0.0.1");
	assert_int_equal(g.drops, 0);
	char big[1500] = {0};
	assert_int_equal(send(c, big, sizeof big, 0), sizeof big);
	assert_int_equal(send(c, "", 0, 0), 0);
	RUN_UNTIL(l, g.n == 302);
	assert_int_equal(g.truncated, 1);
	assert_int_equal(g.octets, 2500);
	assert_int_equal(send(c, "ping", 4, 0), 4);
	RUN_UNTIL(l, g.n == 303);
	char answer[8];
	assert_int_equal(recv(c, answer, sizeof answer, 0), 4);
	udp_reply(u, g.addr, SLICE("later"));
	assert_int_equal(recv(c, answer, sizeof answer, 0), 5);
	close(c);
	udp_free(u);
	loop_free(l);
	free(g.addr);
}

static void udp_counts_kernel_drops(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	struct error err;
	uint16_t port = 0;
	struct got g = {.addr = calloc(1, udp_addr_size())};
	int fd = socket_udp("127.0.0.1", &port, 4096, &err);
	struct udp *u = udp_new(l, fd, 2000, on_batch, &g);
	int c = client(SOCK_DGRAM, port);
	char octets[1000] = {0};
	udp_pause(u, true);
	for (int i = 0; i < 200; i++)
		assert_int_equal(send(c, octets, sizeof octets, 0), sizeof octets);
	loop_once(l, 1 * MSEC);
	assert_int_equal(g.n, 0);
	udp_pause(u, false);
	RUN_UNTIL(l, g.n > 0);
	while (g.n + g.drops < 201) { /* the count rides on the next datagram that is taken */
		if (g.drops == 0)
			assert_int_equal(send(c, "x", 1, 0), 1);
		loop_once(l, 10 * MSEC);
		if (g.drops > 0)
			break;
	}
	assert_true(g.drops > 0);
	assert_int_equal(g.drops, 201 - g.n);
	close(c);
	udp_free(u);
	/* the same socket's past is not counted twice */
	loop_free(l);
	free(g.addr);
}

static void udp_unix(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	struct error err;
	struct got g = {.addr = calloc(1, udp_addr_size())};
	char dir[] = "/tmp/carillon-net-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	int fd = socket_udp(path, NULL, 0, &err);
	assert_true(fd >= 0);
	struct udp *u = udp_new(l, fd, 1000, on_batch, &g);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	memcpy(un.sun_path, path, strlen(path) + 1);
	int c = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(sendto(c, "ping", 4, 0, (const struct sockaddr *)&un, sizeof un), 4);
	RUN_UNTIL(l, g.n == 1);
	assert_string_equal(g.from.text, "unix");
	close(c);
	udp_free(u);
	unlink(path);
	rmdir(dir);
	loop_free(l);
	free(g.addr);
}

/* ---- connections */

struct server {
	struct loop *loop;
	struct conn *conn;
	int accepted, closed, data, at_end;
	size_t max_in, take, total;
	bool pause_next;
	struct buf seen;
	struct peer from;
	int hold; /* a descriptor kept as it came */
};

static void on_data(struct conn *c, struct buf *in, bool at_end, void *arg)
{
	struct server *s = arg;
	size_t n = s->take == 0 ? in->n : MIN(in->n, s->take);
	s->data++;
	s->at_end += at_end;
	buf_add(&s->seen, in->p, n);
	buf_consume(in, n);
	s->total += n;
	if (s->pause_next) {
		s->pause_next = false;
		conn_pause(c, true);
	}
}

static void on_data_nothing(struct conn *c, struct buf *in, bool at_end, void *arg)
{
	struct server *s = arg;
	(void)c;
	s->data++;
	s->at_end += at_end;
	s->total = in->n;
}

static void on_closed(struct conn *c, void *arg)
{
	struct server *s = arg;
	assert_ptr_equal(conn_arg(c), s);
	s->closed++;
	s->conn = NULL;
}

static const struct conn_events eager = {.data = on_data, .closed = on_closed}, lazy = {.data = on_data_nothing, .closed = on_closed};

static void on_accept(int fd, const struct peer *from, void *arg)
{
	struct server *s = arg;
	s->accepted++;
	s->from = *from;
	s->conn = conn_new(s->loop, fd, from, s->max_in, s->take == SIZE_MAX ? &lazy : &eager, s);
}

struct listening {
	struct server s;
	struct acceptor *a;
	uint16_t port;
};

static void listen_open(struct listening *x, size_t max_in, size_t take)
{
	struct error err;
	memset(x, 0, sizeof *x);
	x->s.loop = loop_new();
	x->s.max_in = max_in;
	x->s.take = take;
	int fd = socket_tcp("127.0.0.1", &x->port, true, &err);
	assert_true(fd >= 0);
	x->a = acceptor_new(x->s.loop, fd, on_accept, &x->s);
}

static void listen_close(struct listening *x)
{
	if (x->s.conn != NULL)
		conn_close(x->s.conn);
	acceptor_free(x->a);
	loop_free(x->s.loop);
	buf_free(&x->s.seen);
}

static void conn_reads(void **state)
{
	(void)state;
	struct listening x;
	listen_open(&x, 1 << 20, 0);
	int c = client(SOCK_STREAM, x.port);
	char *big = calloc(1, 200000);
	assert_int_equal(send(c, big, 200000, 0), 200000);
	RUN_UNTIL(x.s.loop, x.s.total == 200000);
	assert_string_equal(x.s.from.text, "127.0.0.1");
	assert_true(x.s.from.port > 0);
	assert_int_equal(send(c, "end", 3, 0), 3);
	close(c);
	RUN_UNTIL(x.s.loop, x.s.closed == 1);
	assert_int_equal(x.s.at_end, 1);
	assert_int_equal(x.s.total, 200003);
	free(big);
	listen_close(&x);
}

static void conn_keeps_what_is_left(void **state)
{
	(void)state;
	struct listening x;
	listen_open(&x, 1 << 20, 3); /* takes three octets of each delivery */
	x.s.pause_next = true;
	int c = client(SOCK_STREAM, x.port);
	assert_int_equal(send(c, "abcdefg", 7, 0), 7);
	close(c);
	RUN_UNTIL(x.s.loop, x.s.data == 1);
	loop_once(x.s.loop, 2 * MSEC);
	assert_int_equal(x.s.data, 1); /* paused: not even the end is told */
	conn_pause(x.s.conn, false);
	RUN_UNTIL(x.s.loop, x.s.closed == 1);
	assert_memory_equal(x.s.seen.p, "abcdefg", 7);
	listen_close(&x);
}

static void conn_refuses_what_does_not_fit(void **state)
{
	(void)state;
	struct listening x;
	listen_open(&x, 1000, SIZE_MAX);
	int c = client(SOCK_STREAM, x.port);
	char octets[999] = {0};
	assert_int_equal(send(c, octets, 999, 0), 999);
	RUN_UNTIL(x.s.loop, x.s.total == 999);
	assert_int_equal(x.s.closed, 0);
	assert_int_equal(send(c, octets, 10, 0), 10);
	RUN_UNTIL(x.s.loop, x.s.closed == 1);
	assert_int_equal(x.s.total, 1000);
	close(c);
	listen_close(&x);
}

static void conn_idle(void **state)
{
	(void)state;
	struct listening x;
	listen_open(&x, 1000, 0);
	int c = client(SOCK_STREAM, x.port);
	RUN_UNTIL(x.s.loop, x.s.accepted == 1);
	conn_idle_limit(x.s.conn, 20 * MSEC);
	instant from = loop_mono();
	RUN_UNTIL(x.s.loop, x.s.closed == 1);
	assert_true(loop_mono() - from >= 19 * MSEC);
	close(c);
	listen_close(&x);
}

static void acceptor_survives_emfile(void **state)
{
	(void)state;
	struct listening x;
	struct rlimit old, low;
	listen_open(&x, 1000, 0);
	int first = client(SOCK_STREAM, x.port), second = client(SOCK_STREAM, x.port);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)second + 1; /* no number is free below it */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	int hole = dup(0);
	if (hole >= 0)
		close(hole); /* a number freed by somebody: then the first is accepted */
	loop_once(x.s.loop, SECOND);
	loop_once(x.s.loop, 10 * MSEC);
	assert_true(x.s.accepted <= 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	int third = client(SOCK_STREAM, x.port);
	int before = x.s.accepted;
	RUN_UNTIL(x.s.loop, x.s.accepted > before);
	close(first);
	close(second);
	close(third);
	RUN_UNTIL(x.s.loop, x.s.closed == x.s.accepted);
	listen_close(&x);
}

static void unix_sockets(void **state)
{
	(void)state;
	struct error err;
	struct stat st;
	char dir[] = "/tmp/carillon-net-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/sock", dir);
	int fd = socket_unix(path, 0640, NULL, &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(socket_unix(path, 0640, NULL, &err), -1); /* in use */
	close(fd);
	fd = socket_unix(path, 0640, NULL, &err); /* stale: replaced */
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	FILE *f = fopen(path, "w");
	fclose(f);
	assert_int_equal(socket_unix(path, 0640, NULL, &err), -1);
	assert_int_equal(stat(path, &st), 0); /* a file is not removed */
	unlink(path);
	assert_int_equal(socket_unix(path, 0640, "no-such-group", &err), -1);
	assert_int_equal(rmdir(dir), 0);
}

static void addresses(void **state)
{
	(void)state;
	struct error err;
	struct peer p;
	uint16_t port = 0;
	int fd = socket_tcp("*", &port, false, &err);
	assert_true(fd >= 0 && port > 0);
	close(fd);
	fd = socket_udp("[::1]", &port, 0, &err);
	if (fd >= 0)
		close(fd);
	port = 0;
	assert_int_equal(socket_tcp("localhost", &port, false, &err), -1);
	assert_non_null(strstr(err.text, "localhost is no IP address"));
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(514)};
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.254", &in6.sin6_addr), 1);
	peer_from((const struct sockaddr *)&in6, &p);
	assert_string_equal(p.text, "192.0.2.254");
	assert_int_equal(p.port, 514);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
	peer_from((const struct sockaddr *)&in6, &p);
	assert_string_equal(p.text, "2001:db8::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(udp_batches),
	    cmocka_unit_test(udp_counts_kernel_drops),
	    cmocka_unit_test(udp_unix),
	    cmocka_unit_test(conn_reads),
	    cmocka_unit_test(conn_keeps_what_is_left),
	    cmocka_unit_test(conn_refuses_what_does_not_fit),
	    cmocka_unit_test(conn_idle),
	    cmocka_unit_test(acceptor_survives_emfile),
	    cmocka_unit_test(unix_sockets),
	    cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
