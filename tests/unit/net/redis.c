/* The Redis client against a real redis-server in a private directory, and against a liar. */
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

#include "net/redis.h"
#include "net/stream.h"

struct server {
	pid_t pid;
	uint16_t port;
	char dir[64], sock[96];
};

struct client {
	struct loop *loop;
	int connected, closed, replies;
	char why[256], last[256];
	int64_t integer;
	size_t items;
	bool free_in_reply;
	struct redis *r;
};

static void on_connected(struct redis *r, void *arg)
{
	struct client *c = arg;
	(void)r;
	c->connected++;
}

static void on_closed(struct redis *r, const char *why, void *arg)
{
	struct client *c = arg;
	c->closed++;
	snprintf(c->why, sizeof c->why, "%s", why);
	redis_free(r);
	c->r = NULL;
}

static const struct redis_events events = {on_connected, on_closed};

static void on_reply(struct redis *r, const struct redis_reply *rep, void *arg)
{
	struct client *c = arg;
	c->replies++;
	snprintf(c->last, sizeof c->last, SLICE_FMT, SLICE_ARG(rep->text));
	c->integer = rep->integer;
	c->items = rep->n;
	if (c->free_in_reply) {
		redis_free(r);
		c->r = NULL;
	}
}

static bool connect_to(struct client *c, const char *url, const char *user, const char *password)
{
	struct redis_url u;
	struct error err;
	assert_true(redis_url_parse(url, &u, &err));
	c->connected = c->closed = 0;
	c->r = redis_connect(c->loop, &u, user, password, &events, c);
	assert_int_equal(c->closed, 0); /* never from inside */
	RUN_UNTIL(c->loop, c->connected + c->closed > 0);
	return c->connected == 1;
}

static uint16_t free_port(void)
{
	struct error err;
	uint16_t port = 0;
	int fd = socket_tcp("127.0.0.1", &port, false, &err);
	assert_true(fd >= 0);
	close(fd);
	return port;
}

static void server_run(const struct server *s)
{
	char port[8];
	snprintf(port, sizeof port, "%u", s->port);
	if (freopen("/dev/null", "w", stdout) == NULL)
		_exit(126);
	execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", s->dir,
	       "--unixsocket", s->sock, "--save", "", "--appendonly", "no", "--requirepass", "secret",
	       "--user", "reader", "on", ">pw", "allkeys", "+@read", "+ping", "+select", (char *)NULL);
	_exit(127);
}

static int server_start(void **state)
{
	struct server *s = calloc(1, sizeof *s);
	*state = s;
	strcpy(s->dir, "/tmp/carillon-redis-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->sock, sizeof s->sock, "%s/sock", s->dir);
	s->port = free_port();
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		server_run(s);
	return 0;
}

static int server_stop(void **state)
{
	struct server *s = *state;
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	unlink(s->sock);
	rmdir(s->dir);
	free(s);
	return 0;
}

/* Skips, loudly, when there is no redis-server; else connected as the default user. */
static void ready(struct server *s, struct client *c, const char *url)
{
	memset(c, 0, sizeof *c);
	c->loop = loop_new();
	instant until = loop_mono() + 15 * SECOND;
	while (!connect_to(c, url, NULL, "secret")) {
		loop_once(c->loop, 10 * MSEC);
		if (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == s->pid)
			s->pid = 0;
		if (s->pid == 0) {
			fprintf(stderr, "SKIPPED: redis-server is not installed or does not start; nothing "
			                "of Redis is tested\n");
			loop_free(c->loop);
			skip();
		}
		if (loop_mono() > until)
			fail_msg("redis-server is not reachable: %s", c->why);
	}
}

static void done(struct client *c)
{
	redis_free(c->r);
	loop_free(c->loop);
}

static const char *url_of(const struct server *s, const char *db)
{
	static char url[64];
	snprintf(url, sizeof url, "redis://127.0.0.1:%u%s", s->port, db);
	return url;
}

static void commands(void **state)
{
	struct server *s = *state;
	struct client c;
	ready(s, &c, url_of(s, "/3"));
	struct slice set[3] = {SLICE("SET"), SLICE("a b"), slice_of("x\0y\r\n", 5)};
	redis_send(c.r, set, 3, on_reply, &c);
	redis_sendf(c.r, on_reply, &c, "HSET h%d f1 v1 f2 v2", 7);
	redis_sendf(c.r, on_reply, &c, "HGETALL h7");
	assert_int_equal(c.replies, 0);
	RUN_UNTIL(c.loop, c.replies == 3);
	assert_int_equal(c.items, 4);
	redis_sendf(c.r, on_reply, &c, "DBSIZE");
	RUN_UNTIL(c.loop, c.replies == 4);
	assert_int_equal(c.integer, 2);
	redis_sendf(c.r, on_reply, &c, "NONSENSE");
	RUN_UNTIL(c.loop, c.replies == 5);
	assert_non_null(strstr(c.last, "unknown command"));
	for (int i = 0; i < 20000; i++)
		redis_sendf(c.r, on_reply, &c, "RPUSH list %d", i);
	redis_sendf(c.r, on_reply, &c, "LRANGE list 0 -1");
	RUN_UNTIL(c.loop, c.replies == 20006);
	assert_int_equal(c.items, 20000);
	c.free_in_reply = true;
	redis_sendf(c.r, on_reply, &c, "PING");
	redis_sendf(c.r, on_reply, &c, "PING");
	RUN_UNTIL(c.loop, c.r == NULL);
	assert_int_equal(c.replies, 20007);
	done(&c);
}

static void unix_and_users(void **state)
{
	struct server *s = *state;
	struct client c;
	char url[128];
	snprintf(url, sizeof url, "unix:%s", s->sock);
	ready(s, &c, url);
	redis_free(c.r);
	assert_true(connect_to(&c, url_of(s, ""), "reader", "pw"));
	redis_sendf(c.r, on_reply, &c, "SET k v");
	RUN_UNTIL(c.loop, c.replies == 1);
	assert_non_null(strstr(c.last, "NOPERM"));
	redis_free(c.r);
	assert_false(connect_to(&c, url_of(s, ""), NULL, "wrong"));
	assert_non_null(strstr(c.why, "Redis refuses us: "));
	assert_null(strstr(c.why, "wrong:"));
	assert_false(connect_to(&c, url_of(s, ""), NULL, NULL));
	assert_non_null(strstr(c.why, "NOAUTH"));
	assert_false(connect_to(&c, url_of(s, "/999"), NULL, "secret"));
	done(&c);
}

static void server_goes(void **state)
{
	struct server *s = *state;
	struct client c;
	ready(s, &c, url_of(s, ""));
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
	redis_sendf(c.r, on_reply, &c, "PING");
	RUN_UNTIL(c.loop, c.closed == 1);
	assert_int_equal(c.replies, 0);
	assert_false(connect_to(&c, url_of(s, ""), NULL, "secret"));
	assert_non_null(strstr(c.why, "cannot connect to Redis: Connection refused"));
	done(&c);
}

/* ---- a liar */

static void lie(const char *text, const char *why)
{
	struct error err;
	struct client c = {.loop = loop_new()};
	uint16_t port = 0;
	char url[64];
	struct redis_url u;
	int l = socket_tcp("127.0.0.1", &port, false, &err);
	snprintf(url, sizeof url, "redis://127.0.0.1:%u", port);
	assert_true(redis_url_parse(url, &u, &err));
	c.r = redis_connect(c.loop, &u, NULL, NULL, &events, &c);
	loop_once(c.loop, 10 * MSEC);
	int fd = accept(l, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	shutdown(fd, SHUT_WR);
	RUN_UNTIL(c.loop, c.closed == 1);
	if (strstr(c.why, why) == NULL)
		fail_msg("%s: %s", text, c.why);
	close(fd);
	close(l);
	done(&c);
}

static void liars(void **state)
{
	(void)state;
	lie("HTTP/1.1 200 OK\r\n\r\n", "no answer, or too large");
	lie("*1048577\r\n", "no answer, or too large");
	lie("$99999999999999\r\n", "has closed the connection"); /* nothing is allocated for a promise */
	lie("$-5\r\n", "no answer, or too large");
	lie("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "no answer, or too large");
	lie("+PONG\r\n+again\r\n", "what nobody asked");
	lie("", "has closed the connection");
	lie("*3\r\n+a\r\n$5\r\nab", "has closed the connection");
	lie("-LOADING\r\n", "Redis refuses us: LOADING");
}

static void urls(void **state)
{
	(void)state;
	struct redis_url u;
	struct error err;
	static const char *const bad[] = {"",
	                                  "redis://",
	                                  "redis:///1",
	                                  "redis://h:0",
	                                  "redis://h:65536",
	                                  "redis://h:+1",
	                                  "redis://h:x",
	                                  "redis://h/x",
	                                  "redis://h/-1",
	                                  "redis://u:p@h",
	                                  "http://h",
	                                  "unix:relative",
	                                  "rediss://h",
	                                  "redis://[::1",
	                                  "redis://[::1]x"};
	assert_true(redis_url_parse("redis://cache.example:6380/2", &u, &err));
	assert_string_equal(u.host, "cache.example");
	assert_int_equal(u.port, 6380);
	assert_int_equal(u.db, 2);
	assert_true(redis_url_parse("redis://[::1]/", &u, &err));
	assert_string_equal(u.host, "::1");
	assert_int_equal(u.port, 6379);
	assert_true(redis_url_parse("unix:/run/redis.sock", &u, &err) && u.is_unix);
	assert_string_equal(u.host, "/run/redis.sock");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (redis_url_parse(bad[i], &u, &err))
			fail_msg("%s was taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls),
	    cmocka_unit_test(liars),
	    cmocka_unit_test_setup_teardown(commands, server_start, server_stop),
	    cmocka_unit_test_setup_teardown(unix_and_users, server_start, server_stop),
	    cmocka_unit_test_setup_teardown(server_goes, server_start, server_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
