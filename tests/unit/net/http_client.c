/* The client against our own server, against servers that lie or die, and against a real TLS server. */
#include "t.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http_client.h"
#include "net/http_server.h"

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	uint16_t port;
	int requests;
	struct buf seen; /* of the last request: method, path, the header x-test, body */
	/* the last answer */
	int answers, status;
	bool sent;
	char failure[256];
	struct buf headers, body;
};

static void on_request(struct http_request *r, void *arg)
{
	struct fixture *f = arg;
	const struct http_head *h = http_request_head(r);
	f->requests++;
	buf_clear(&f->seen);
	buf_printf(&f->seen, SLICE_FMT " " SLICE_FMT " " SLICE_FMT " " SLICE_FMT, SLICE_ARG(h->method),
	           SLICE_ARG(h->path), SLICE_ARG(http_request_header(r, "x-test")),
	           SLICE_ARG(http_request_body(r)));
	if (slice_is(h->path, "/moved")) {
		http_reply(r, 302, NULL, SLICE_NONE, "Location: /ok\r\n");
	} else if (slice_is(h->path, "/large")) {
		char *p = calloc(1, (1 << 20) + 1);
		http_reply(r, 200, "text/plain", slice_of(p, (1 << 20) + 1), NULL);
		free(p);
	} else if (slice_is(h->path, "/largest")) {
		char *p = calloc(1, 1 << 20);
		http_reply(r, 200, "text/plain", slice_of(p, 1 << 20), NULL);
		free(p);
	} else if (!slice_is(h->path, "/never")) {
		http_reply(r, 201, "application/json", SLICE("{\"id\":7}"), "X-Answer: Yes\r\n");
	}
}

static const struct http_events events = {.request = on_request};

static void on_answer(const struct http_answer *a, void *arg)
{
	struct fixture *f = arg;
	f->answers++;
	f->status = a->status;
	f->sent = a->sent;
	buf_clear(&f->headers);
	buf_clear(&f->body);
	buf_adds(&f->headers, a->headers);
	buf_adds(&f->body, a->body);
	snprintf(f->failure, sizeof f->failure, "%s", a->failure != NULL ? a->failure : "");
	assert_true((a->status == 0) == (a->failure != NULL));
	assert_true(a->took >= 0);
}

static void up(struct fixture *f)
{
	struct error err;
	struct http_limits lim = HTTP_LIMITS;
	memset(f, 0, sizeof *f);
	f->loop = loop_new();
	int fd = socket_tcp("127.0.0.1", &f->port, false, &err);
	f->server = http_server_new(f->loop, fd, &lim, &events, f);
	f->client = http_client_new(f->loop, &err);
	assert_non_null(f->client);
}

static void down(struct fixture *f)
{
	http_client_free(f->client);
	http_server_free(f->server);
	loop_free(f->loop);
	buf_free(&f->seen);
	buf_free(&f->headers);
	buf_free(&f->body);
}

/* Calls and waits for the answer. "%u" in `url` is the port. */
static void call(struct fixture *f, struct http_call c, const char *url, unsigned port)
{
	struct error err;
	const char *mark = strstr(url, "%u");
	char *text =
	    mark == NULL ? xstrdup(url) : xasprintf("%.*s%u%s", (int)(mark - url), url, port, mark + 2);
	int before = f->answers;
	c.url = text;
	c.method = c.method != NULL ? c.method : "GET";
	c.timeout = c.timeout > 0 ? c.timeout : 5 * SECOND;
	if (!http_client_call(f->client, &c, on_answer, f, &err))
		fail_msg("%s", err.text);
	assert_int_equal(f->answers, before); /* never from inside */
	free(text);
	RUN_UNTIL(f->loop, f->answers == before + 1);
}

static void calls(void **state)
{
	(void)state;
	struct fixture f;
	const char *const headers[] = {"X-Test: one", "Content-Type: application/json", NULL};
	up(&f);
	call(&f, (struct http_call){.method = "POST", .headers = headers, .body = SLICE("{}")},
	     "http://127.0.0.1:%u/t", f.port);
	assert_int_equal(f.status, 201);
	assert_true(f.sent);
	assert_string_equal(buf_cstr(&f.seen), "POST /t one {}");
	assert_string_equal(buf_cstr(&f.body), "{\"id\":7}");
	assert_non_null(strstr(buf_cstr(&f.headers), "x-answer: Yes\n"));
	assert_null(strchr(f.headers.p, '\r'));
	call(&f, (struct http_call){.method = "PUT"}, "http://localhost:%u/empty", f.port);
	assert_string_equal(buf_cstr(&f.seen), "PUT /empty  ");
	call(&f, (struct http_call){.method = "HEAD"}, "http://127.0.0.1:%u/", f.port);
	assert_int_equal(f.status, 201);
	assert_int_equal(f.body.n, 0);
	call(&f, (struct http_call){0}, "http://127.0.0.1:%u/moved", f.port);
	assert_int_equal(f.status, 302); /* told, not followed */
	assert_int_equal(f.requests, 4);
	down(&f);
}

static void limits(void **state)
{
	(void)state;
	struct fixture f;
	up(&f);
	call(&f, (struct http_call){0}, "http://127.0.0.1:%u/largest", f.port);
	assert_int_equal(f.status, 200);
	assert_int_equal(f.body.n, 1 << 20);
	call(&f, (struct http_call){0}, "http://127.0.0.1:%u/large", f.port);
	assert_int_equal(f.status, 0);
	assert_true(f.sent);
	call(&f, (struct http_call){.timeout = 100 * MSEC}, "http://127.0.0.1:%u/never", f.port);
	assert_int_equal(f.status, 0);
	assert_true(f.sent);
	down(&f);
}

static void refused_urls(void **state)
{
	(void)state;
	struct fixture f;
	struct error err;
	static const char *const bad[] = {"ftp://127.0.0.1/",
	                                  "file:///etc/passwd",
	                                  "gopher://127.0.0.1/",
	                                  "/relative",
	                                  "https://user:pw@127.0.0.1/",
	                                  "https://",
	                                  ""};
	const char *const headers[] = {"X: a\r\nY: b", NULL};
	up(&f);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_call c = {.method = "GET", .url = bad[i], .timeout = SECOND};
		if (http_client_call(f.client, &c, on_answer, &f, &err))
			fail_msg("%s was allowed", bad[i]);
	}
	struct http_call c = {
	    .method = "GET", .url = "https://127.0.0.1/", .timeout = SECOND, .headers = headers};
	assert_false(http_client_call(f.client, &c, on_answer, &f, &err));
	c = (struct http_call){
	    .method = "GET / HTTP/1.1\r\nX:", .url = "https://127.0.0.1/", .timeout = SECOND};
	assert_false(http_client_call(f.client, &c, on_answer, &f, &err));
	assert_int_equal(f.answers, 0);
	down(&f);
}

static void addresses_are_judged(void **state)
{
	(void)state;
	struct fixture f;
	static const char *const forbidden[] = {
	    "http://192.0.2.1/",          "http://[2001:db8::1]/",
	    "http://[::ffff:192.0.2.1]/", "https://169.254.169.254/",
	    "https://0.0.0.0/",           "https://[fe80::1]/",
	    "https://224.0.0.1/",         "https://[::ffff:169.254.169.254]/"};
	up(&f);
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		instant from = loop_mono();
		call(&f, (struct http_call){.method = "POST", .body = SLICE("x")}, forbidden[i], 0);
		if (f.status != 0 || f.sent ||
		    (strstr(f.failure, "http:// is allowed") == NULL &&
		     strstr(f.failure, "no ticket system has") == NULL))
			fail_msg("%s: %d %s", forbidden[i], f.status, f.failure);
		assert_true(loop_mono() - from < 3 * SECOND);
	}
	down(&f);
}

/* ---- servers that are not there, or die */

static uint16_t free_port(void)
{
	struct error err;
	uint16_t port = 0;
	int fd = socket_tcp("127.0.0.1", &port, false, &err);
	close(fd);
	return port;
}

static void not_sent(void **state)
{
	(void)state;
	struct fixture f;
	up(&f);
	call(&f, (struct http_call){.method = "POST", .body = SLICE("x")}, "http://127.0.0.1:%u/",
	     free_port());
	assert_int_equal(f.status, 0);
	assert_false(f.sent);
	call(&f, (struct http_call){.method = "POST", .body = SLICE("x")}, "https://no-such-host.invalid/",
	     0);
	assert_int_equal(f.status, 0);
	assert_false(f.sent);
	down(&f);
}

struct liar {
	struct loop *loop;
	const char *text; /* the reply, or NULL: none */
	int fd, served;
};

static void on_liar_data(struct conn *c, struct buf *in, bool at_end, void *arg)
{
	struct liar *l = arg;
	(void)at_end;
	if (in->n == 0)
		return;
	if (l->text != NULL)
		(void)!send(l->fd, l->text, strlen(l->text), MSG_NOSIGNAL);
	l->served++;
	buf_clear(in);
	conn_close(c);
}

static const struct conn_events liar_events = {.data = on_liar_data};

static void serve(int fd, const struct peer *from, void *arg)
{
	struct liar *l = arg;
	l->fd = fd;
	(void)conn_new(l->loop, fd, from, 4096, &liar_events, l);
}

static void dying_servers(void **state)
{
	(void)state;
	static const char *const replies[] = {NULL, "HTTP/1.1 201 Crea",
	                                      "HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nabc",
	                                      "\x15\x03\x01 not http\r\n\r\n"};
	struct fixture f;
	up(&f);
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct error err;
		struct liar l = {.loop = f.loop, .text = replies[i]};
		uint16_t port = 0;
		struct acceptor *a =
		    acceptor_new(f.loop, socket_tcp("127.0.0.1", &port, false, &err), serve, &l);
		call(&f, (struct http_call){.method = "POST", .body = SLICE("x")}, "http://127.0.0.1:%u/",
		     port);
		assert_int_equal(f.status, 0);
		assert_true(f.sent);
		assert_int_equal(l.served, 1); /* not tried again behind our back */
		acceptor_free(a);
	}
	down(&f);
}

static void open_calls_end(void **state)
{
	(void)state;
	struct fixture f;
	struct error err;
	char url[64];
	up(&f);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/never", f.port);
	struct http_call c = {.method = "POST", .url = url, .timeout = 5 * SECOND};
	assert_true(http_client_call(f.client, &c, on_answer, &f, &err));
	RUN_UNTIL(f.loop, f.requests == 1);
	down(&f);
	assert_int_equal(f.answers, 1);
	assert_int_equal(f.status, 0);
	assert_true(f.sent);
}

/* ---- TLS */

static void run_openssl(const char *dir, uint16_t port)
{
	char text[16];
	snprintf(text, sizeof text, "%u", port);
	if (chdir(dir) != 0 || freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		_exit(126);
	execlp("openssl", "openssl", "s_server", "-accept", text, "-cert", "cert.pem", "-key", "key.pem",
	       "-www", (char *)NULL);
	_exit(127);
}

static void tls_is_verified(void **state)
{
	(void)state;
	struct fixture f;
	char dir[] = "/tmp/carillon-tls-XXXXXX", cmd[512], ca[64];
	assert_non_null(mkdtemp(dir));
	snprintf(ca, sizeof ca, "%s/cert.pem", dir);
	snprintf(cmd, sizeof cmd,
	         "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
	         "-subj /CN=localhost "
	         "-addext subjectAltName=DNS:localhost >/dev/null 2>&1",
	         dir);
	if (system(cmd) != 0) {
		fprintf(stderr, "SKIPPED: openssl is not installed; TLS verification is not tested\n");
		skip();
	}
	up(&f);
	uint16_t port = free_port();
	pid_t pid = fork();
	if (pid == 0)
		run_openssl(dir, port);
	for (int i = 0; i < 500 && f.status != 200; i++) {
		call(&f, (struct http_call){.ca_file = ca}, "https://localhost:%u/", port);
		loop_once(f.loop, 10 * MSEC);
	}
	assert_int_equal(f.status, 200);
	call(&f, (struct http_call){.method = "POST", .body = SLICE("x")}, "https://localhost:%u/", port);
	assert_int_equal(f.status, 0); /* not signed by anybody the system knows */
	assert_false(f.sent);
	call(&f, (struct http_call){.method = "POST", .body = SLICE("x"), .ca_file = ca},
	     "https://127.0.0.1:%u/", port);
	assert_int_equal(f.status, 0); /* another name */
	assert_false(f.sent);
	call(&f,
	     (struct http_call){.ca_file = ca, .pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
	     "https://localhost:%u/", port);
	assert_int_equal(f.status, 0); /* another key */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	down(&f);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(calls),          cmocka_unit_test(limits),
	    cmocka_unit_test(refused_urls),   cmocka_unit_test(addresses_are_judged),
	    cmocka_unit_test(not_sent),       cmocka_unit_test(dying_servers),
	    cmocka_unit_test(open_calls_end), cmocka_unit_test(tls_is_verified),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
