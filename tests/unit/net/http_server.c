/* The server on real sockets: whole requests, pieces, pipelining, deadlines, limits, streaming, clients that
 * go. */
#include "t.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/http_server.h"

enum { HOLD_MAX = 8 };

struct fixture {
	struct loop *loop;
	struct http_server *server;
	uint16_t port;
	int requests, gone, refused, last_status;
	struct buf log; /* "METHOD path body\n" */
	bool hold;      /* keep requests instead of answering */
	struct http_request *held[HOLD_MAX];
	int n_held;
	bool uid_known;
};

static void on_request(struct http_request *r, void *arg)
{
	struct fixture *f = arg;
	const struct http_head *h = http_request_head(r);
	struct slice body = http_request_body(r);
	uint32_t uid, gid;
	f->requests++;
	f->uid_known = http_request_uid(r, &uid, &gid) && uid == getuid() && gid == getgid();
	buf_printf(&f->log, SLICE_FMT " " SLICE_FMT " %zu\n", SLICE_ARG(h->method), SLICE_ARG(h->path),
	           body.n);
	http_request_set(r, f);
	assert_ptr_equal(http_request_user(r), f);
	if (f->hold && f->n_held < HOLD_MAX) {
		f->held[f->n_held++] = r;
		return;
	}
	if (slice_is(h->path, "/problem"))
		http_problem(r, 404, "there is no \"%s\"", "thing");
	else if (slice_is(h->path, "/empty"))
		http_reply(r, 204, NULL, SLICE_NONE, NULL);
	else
		http_reply(r, 200, "text/plain", body.n > 0 ? body : SLICE("ok"), "X-Extra: 1\r\n");
}

static void on_gone(struct http_request *r, void *arg)
{
	struct fixture *f = arg;
	assert_ptr_equal(http_request_user(r), f);
	f->gone++;
}

static void on_refused(const struct peer *from, int status, const char *why, void *arg)
{
	struct fixture *f = arg;
	assert_non_null(why);
	assert_true(from->text[0] != '\0');
	f->refused++;
	f->last_status = status;
}

static const struct http_events events = {on_request, on_gone, on_refused};

static void open_with(struct fixture *f, struct http_limits lim)
{
	struct error err;
	memset(f, 0, sizeof *f);
	f->loop = loop_new();
	int fd = socket_tcp("127.0.0.1", &f->port, false, &err);
	assert_true(fd >= 0);
	f->server = http_server_new(f->loop, fd, &lim, &events, f);
}

static void close_all(struct fixture *f)
{
	http_server_free(f->server);
	loop_free(f->loop);
	buf_free(&f->log);
}

static int client(const struct fixture *f)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof in), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool hear_some(int fd, struct buf *b, bool *end)
{
	char tmp[65536];
	ssize_t n = recv(fd, tmp, sizeof tmp, MSG_DONTWAIT);
	if (n > 0)
		buf_add(b, tmp, (size_t)n);
	if (n == 0)
		*end = true;
	return n > 0;
}

/* Turns the loop until the answer holds `want` (NULL: until the server closes). */
static struct buf hear(struct fixture *f, int fd, const char *want)
{
	struct buf b = {0};
	bool end = false;
	instant until = loop_mono() + 10 * SECOND;
	while (!end && loop_mono() < until) {
		loop_once(f->loop, 5 * MSEC);
		while (hear_some(fd, &b, &end))
			;
		if (want != NULL && b.n > 0 && strstr(buf_cstr(&b), want) != NULL)
			return b;
	}
	if (want != NULL || !end)
		fail_msg("waited for \"%s\", got \"%s\"", want != NULL ? want : "the end", buf_cstr(&b));
	(void)buf_cstr(&b);
	return b;
}

static void expect(struct fixture *f, int fd, const char *want)
{
	struct buf b = hear(f, fd, want);
	buf_free(&b);
}

static void answers(void **state)
{
	(void)state;
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	int c = client(&f);
	say(c, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	struct buf b = hear(&f, c, "hello");
	assert_non_null(strstr(b.p, "HTTP/1.1 200 OK\r\nDate: "));
	assert_non_null(strstr(b.p, "X-Extra: 1\r\nContent-Length: 5\r\n\r\nhello"));
	buf_free(&b);
	say(c, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
	b = hear(&f, c, "\r\n\r\n");
	assert_non_null(strstr(b.p, "Content-Length: 2\r\n\r\n"));
	assert_null(strstr(b.p, "\r\n\r\nok"));
	buf_free(&b);
	say(c, "GET /problem HTTP/1.1\r\nHost: x\r\n\r\n");
	b = hear(&f, c, "}");
	assert_non_null(strstr(b.p, "404 Not Found"));
	assert_non_null(strstr(b.p, "application/problem+json"));
	assert_non_null(strstr(b.p, "there is no \\\"thing\\\""));
	buf_free(&b);
	say(c, "GET /empty HTTP/1.0\r\n\r\n");
	b = hear(&f, c, NULL); /* and the end */
	assert_non_null(strstr(b.p, "204 No Content"));
	assert_non_null(strstr(b.p, "Connection: close"));
	assert_null(strstr(b.p, "Content-Length"));
	buf_free(&b);
	assert_false(f.uid_known);
	close(c);
	close_all(&f);
}

static void pieces_and_pipelining(void **state)
{
	(void)state;
	static const char text[] = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
	                           "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
	                           "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
	                           "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	int c = client(&f);
	for (size_t i = 0; i < sizeof text - 1; i++) {
		assert_int_equal(send(c, text + i, 1, 0), 1);
		loop_once(f.loop, 1 * MSEC);
	}
	RUN_UNTIL(f.loop, f.requests == 3);
	assert_string_equal(buf_cstr(&f.log), "POST /a 5\nGET /b 0\nPOST /c 2\n");
	say(c, text); /* all three at once, and the client's half is closed */
	shutdown(c, SHUT_WR);
	struct buf b = hear(&f, c, NULL);
	assert_int_equal(f.requests, 6);
	int n = 0;
	for (const char *p = b.p; (p = strstr(p, "200 OK")) != NULL; p++)
		n++;
	assert_int_equal(n, 6);
	buf_free(&b);
	close(c);
	close_all(&f);
}

static void later_answers(void **state)
{
	(void)state;
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	f.hold = true;
	int c = client(&f), d = client(&f);
	say(c, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	say(d, "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
	RUN_UNTIL(f.loop, f.n_held == 2);
	loop_once(f.loop, 1 * MSEC);
	assert_int_equal(f.requests, 2); /* one at a time of one client */
	for (int i = 0; i < 2; i++)
		http_reply(f.held[i], 202, NULL, SLICE_NONE, NULL);
	RUN_UNTIL(f.loop, f.n_held == 3);
	expect(&f, d, "202 Accepted");
	struct linger rst = {1, 0};
	setsockopt(c, SOL_SOCKET, SO_LINGER, &rst, sizeof rst);
	close(c); /* a reset before the answer */
	RUN_UNTIL(f.loop, f.gone == 1);
	close(d);
	close_all(&f);
}

static void expect_continue(void **state)
{
	(void)state;
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	int c = client(&f);
	say(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	expect(&f, c, "HTTP/1.1 100 Continue\r\n\r\n");
	say(c, "abc");
	expect(&f, c, "\r\n\r\nabc");
	close(c);
	c = client(&f); /* a body that is too large is refused before it is sent */
	say(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");
	struct buf b = hear(&f, c, NULL);
	assert_non_null(strstr(b.p, "HTTP/1.1 413 Content Too Large"));
	assert_null(strstr(b.p, "100 Continue"));
	buf_free(&b);
	close(c);
	close_all(&f);
}

static void refuses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status;
	} bad[] = {
	    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
	    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	     400},
	    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400},
	    {"GET / HTTP/1.1\nHost: x\n\n", 400},
	    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415},
	    {"GET / HTTP/3.0\r\n\r\n", 505},
	    {"\x16\x03\x01\x02\r\n\r\n", 400},
	};
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char line[64];
		int c = client(&f);
		say(c, bad[i].text);
		struct buf b = hear(&f, c, NULL);
		snprintf(line, sizeof line, "HTTP/1.1 %d ", bad[i].status);
		assert_memory_equal(b.p, line, strlen(line));
		assert_non_null(strstr(b.p, "Connection: close\r\n"));
		assert_int_equal(f.last_status, bad[i].status);
		buf_free(&b);
		close(c);
	}
	assert_int_equal(f.requests, 0);
	assert_int_equal(f.refused, ARRAY_LEN(bad));
	close_all(&f);
}

static void oversized_head(void **state)
{
	(void)state;
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	int c = client(&f);
	struct buf b = {0};
	buf_str(&b, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
	while (b.n < 9000)
		buf_char(&b, 'x');
	say(c, buf_cstr(&b));
	buf_free(&b);
	b = hear(&f, c, NULL);
	assert_non_null(strstr(b.p, " 431 "));
	buf_free(&b);
	close(c);
	close_all(&f);
}

static void http2_gets_go_away(void **state)
{
	(void)state;
	static const char want[] = "\0\0\0\4\0\0\0\0\0\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\x0d";
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	int c = client(&f);
	say(c, "PRI * HTTP/2.0\r\n\r\nSM");
	loop_once(f.loop, 5 * MSEC);
	loop_once(f.loop, 5 * MSEC);
	say(c, "\r\n\r\n");
	struct buf b = hear(&f, c, NULL);
	assert_int_equal(b.n, sizeof want - 1);
	assert_memory_equal(b.p, want, sizeof want - 1);
	assert_int_equal(f.last_status, 505);
	buf_free(&b);
	close(c);
	close_all(&f);
}

static void deadlines_are_absolute(void **state)
{
	(void)state;
	struct http_limits lim = HTTP_LIMITS;
	struct fixture f;
	lim.head_time = lim.body_time = 60 * MSEC;
	lim.idle = 30 * MSEC;
	open_with(&f, lim);
	int c = client(&f);
	instant from = loop_mono(), next = from;
	/* a byte every few milliseconds does not move the deadline */
	say(c, "GET / HTTP/1.1\r\n");
	struct buf b = {0};
	bool end = false;
	while (!end && loop_mono() < from + 5 * SECOND) {
		if (loop_mono() >= next)
			(void)!send(c, "X", 1, MSG_NOSIGNAL);
		next = MAX(next, loop_mono() + 4 * MSEC);
		loop_once(f.loop, 4 * MSEC);
		while (hear_some(c, &b, &end))
			;
		end = end || (b.n > 0 && strstr(buf_cstr(&b), "408") != NULL);
	}
	assert_non_null(strstr(buf_cstr(&b), "HTTP/1.1 408 Request Timeout"));
	assert_true(loop_mono() - from >= 50 * MSEC);
	assert_true(loop_mono() - from < 4 * SECOND);
	buf_free(&b);
	close(c);
	c = client(&f);
	say(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
	expect(&f, c, "HTTP/1.1 408 Request Timeout");
	close(c);
	c = client(&f); /* idle after an answer: closed without a word */
	say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	b = hear(&f, c, NULL);
	assert_null(strstr(b.p, "408"));
	buf_free(&b);
	close(c);
	close_all(&f);
}

static void connections_per_address(void **state)
{
	(void)state;
	struct http_limits lim = HTTP_LIMITS;
	struct fixture f;
	lim.per_address = 2;
	open_with(&f, lim);
	int a = client(&f), b = client(&f), c = client(&f);
	expect(&f, c, "HTTP/1.1 429 Too Many Requests");
	assert_int_equal(f.last_status, 429);
	close(c);
	close(a);
	loop_once(f.loop, 5 * MSEC);
	loop_once(f.loop, 5 * MSEC);
	c = client(&f);
	say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(&f, c, "200 OK");
	close(b);
	close(c);
	close_all(&f);
}

static void streaming(void **state)
{
	(void)state;
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	f.hold = true;
	int c = client(&f);
	say(c, "GET /tail HTTP/1.1\r\nHost: x\r\n\r\n");
	RUN_UNTIL(f.loop, f.n_held == 1);
	http_stream_start(f.held[0], "text/event-stream");
	assert_true(http_stream_send(f.held[0], SLICE("data: 1\n\n")));
	expect(&f, c, "9\r\ndata: 1\n\n\r\n");
	http_stream_end(f.held[0]);
	expect(&f, c, "0\r\n\r\n");
	f.n_held = 0;
	say(c, "GET /tail HTTP/1.1\r\nHost: x\r\n\r\n");
	RUN_UNTIL(f.loop, f.n_held == 1);
	http_stream_start(f.held[0], "text/plain");
	/* nobody reads: at most a megabyte is kept */
	char *big = calloc(1, 100000);
	int sent = 0;
	while (http_stream_send(f.held[0], slice_of(big, 100000)) && sent < 1000)
		sent++;
	assert_true(sent > 5 && sent < 1000);
	assert_int_equal(f.gone, 0); /* not from inside the call */
	RUN_UNTIL(f.loop, f.gone == 1);
	free(big);
	close(c);
	close_all(&f);
}

static void paused(void **state)
{
	(void)state;
	struct fixture f;
	open_with(&f, HTTP_LIMITS);
	int c = client(&f);
	say(c, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(&f, c, "200 OK");
	http_server_pause(f.server, true);
	say(c, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	loop_once(f.loop, 5 * MSEC);
	loop_once(f.loop, 5 * MSEC);
	assert_int_equal(f.requests, 1);
	http_server_pause(f.server, false);
	expect(&f, c, "200 OK");
	close(c);
	close_all(&f);
}

static void unix_peers_are_known(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct error err;
	struct http_limits lim = HTTP_LIMITS;
	char dir[] = "/tmp/carillon-net-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/sock", dir);
	f.loop = loop_new();
	f.server = http_server_new(f.loop, socket_unix(path, 0600, NULL, &err), &lim, &events, &f);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	memcpy(un.sun_path, path, strlen(path) + 1);
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (const struct sockaddr *)&un, sizeof un), 0);
	say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(&f, c, "200 OK");
	assert_true(f.uid_known);
	close(c);
	close_all(&f);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(pieces_and_pipelining),
	    cmocka_unit_test(later_answers),
	    cmocka_unit_test(expect_continue),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(oversized_head),
	    cmocka_unit_test(http2_gets_go_away),
	    cmocka_unit_test(deadlines_are_absolute),
	    cmocka_unit_test(connections_per_address),
	    cmocka_unit_test(streaming),
	    cmocka_unit_test(paused),
	    cmocka_unit_test(unix_peers_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
