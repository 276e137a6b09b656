/* Each role in a child of its own: what it needs works, what it may not do is refused, with sanitizers too.
 */
#include "t.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/redis.h"
#include "net/sandbox.h"
#include "store/store.h"

/* In a child: says what failed and ends. */
#define MUST(cond)                                                                                           \
	do {                                                                                                 \
		if (!(cond)) {                                                                               \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #cond, strerror(errno));     \
			_exit(1);                                                                            \
		}                                                                                            \
	} while (0)
#define REFUSED(call) MUST((call) == -1 && errno == EPERM)

static void enter(enum sandbox_role role)
{
	struct error err = {0};
	struct rlimit core;
	if (sandbox_enter(role, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(2);
	}
	MUST(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
}

/* Runs `child` in a process of its own; it must end with _exit(0). */
static int status_of(void (*child)(void *), void *arg)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		child(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void run(void (*child)(void *), void *arg)
{
	int status = status_of(child, arg);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static struct sockaddr_in local(uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void no_role_may(void)
{
	REFUSED(fork());
	REFUSED(setuid(0));
	REFUSED(chmod("/tmp", 0777));
	REFUSED(kill(getppid(), 0));
	REFUSED(tgkill(getppid(), getppid(), 0));
	REFUSED(open("/tmp/carillon-sandbox-no", O_WRONLY | O_CREAT | O_TRUNC, 0600));
}

static void *try_socket(void *arg)
{
	char b;
	int *p = arg;
	if (read(p[0], &b, 1) != 1)
		return NULL;
	return socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM ? p : NULL;
}

/* ---- intake */

static void on_tick(void *arg)
{
	++*(int *)arg;
}

static void intake(void *arg)
{
	struct error err;
	uint16_t port = 0, tcp = 0;
	char b[8];
	int ticks = 0, p[2];
	(void)arg;
	int udp = socket_udp("127.0.0.1", &port, 0, &err),
	    listening = socket_tcp("127.0.0.1", &tcp, false, &err);
	int out = socket(AF_INET, SOCK_DGRAM, 0), unused = socket(AF_INET, SOCK_STREAM, 0),
	    client = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = local(port), to_tcp = local(tcp);
	MUST(connect(client, (const struct sockaddr *)&to_tcp, sizeof to_tcp) == 0);
	enter(SANDBOX_INTAKE);
	no_role_may();
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(connect(unused, (const struct sockaddr *)&to_tcp, sizeof to_tcp));
	REFUSED(bind(unused, (const struct sockaddr *)&to_tcp, sizeof to_tcp));
	REFUSED(listen(unused, 1));
	REFUSED(unlink("/tmp/x"));
	pthread_t t;
	MUST(pthread_create(&t, NULL, try_socket, p) == EPERM);
	/* its work */
	MUST(pipe(p) == 0 && write(p[1], "x", 1) == 1 && read(p[0], b, 1) == 1 && close(p[1]) == 0);
	MUST(sendto(out, "hello", 5, 0, (const struct sockaddr *)&to, sizeof to) == 5);
	struct iovec iov = {b, sizeof b};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
	MUST(recvmmsg(udp, &m, 1, 0, NULL) == 1 && m.msg_len == 5);
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	MUST(fd >= 0 && close(fd) == 0);
	struct loop *l = loop_new();
	struct loop_timer *timer = loop_timer_new(l, on_tick, &ticks);
	loop_timer_set(timer, MSEC);
	while (ticks == 0)
		loop_once(l, SECOND);
	loop_timer_free(timer);
	loop_free(l);
	void *map = mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(map != MAP_FAILED && munmap(map, 1 << 24) == 0);
	free(xmalloc(1 << 22));
}

static void intake_works(void **state)
{
	(void)state;
	run(intake, NULL);
}

static void attack(void *arg)
{
	(void)arg;
	enter(SANDBOX_INTAKE);
	_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM ? 7 : 1);
}

static void give_up(void *arg)
{
	(void)arg;
	enter(SANDBOX_FRONT);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void a_bug_still_stops(void **state)
{
	(void)state;
	int status = status_of(give_up, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void attacks_are_deadly(void **state)
{
	(void)state;
	int status = status_of(attack, NULL);
	/* with a sanitizer's runtime it is only refused */
	assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
	            (WIFEXITED(status) && WEXITSTATUS(status) == 7));
}

/* ---- core and front */

static int no_snapshot(void *arg, uint64_t seq, struct slice blob, struct error *err)
{
	(void)arg;
	(void)seq;
	(void)blob;
	(void)err;
	return 0;
}

static int any_row(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload,
                   struct error *err)
{
	(void)arg;
	(void)seq;
	(void)at;
	(void)kind;
	(void)payload;
	(void)err;
	return 0;
}

static struct store *store_up(const char *dir)
{
	struct error err;
	struct store_options o = {.dir = dir, .commit = MSEC, .segment_rows = 50};
	struct store_recovery r = {.snapshot = no_snapshot, .row = any_row};
	struct store *s = store_open(&o, &err);
	if (s == NULL || store_recover(s, &r, &err) != 0 || store_start(s, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(3);
	}
	return s;
}

static void store_work(struct store *s, uint64_t from, uint64_t to)
{
	char hash[65];
	struct error err;
	struct buf b = {0};
	memset(hash, 'a', 64);
	hash[64] = '\0';
	for (uint64_t i = from; i <= to; i++) {
		store_append(s, i, 0, 1, SLICE("payload"));
		struct view_row v = {
		    .kind = VIEW_INCIDENT, .id = SLICE("I1"), .state = SLICE("open"), .json = SLICE("{}")};
		store_view(s, &v);
		if (i % 40 == 0)
			store_snapshot(s, i, SLICE("snapshot"), NULL, 0);
		while (i % 20 == 0 && store_committed(s) < i) {
			struct pollfd p = {.fd = store_notify_fd(s), .events = POLLIN};
			(void)poll(&p, 1, 1000);
			store_notify_clear(s);
			MUST(!store_failed(s, &err));
		}
	}
	MUST(store_file_put(s, "rules", hash, SLICE("text"), &err) == 0);
	MUST(store_file_get(s, "rules", hash, &b, &err) == 0);
	buf_free(&b);
}

static void core(void *arg)
{
	struct error err;
	pthread_t t;
	void *result = NULL;
	int p[2];
	MUST(pipe(p) == 0 && pthread_create(&t, NULL, try_socket, p) == 0);
	struct store *s = store_up(arg); /* its writer runs before the sandbox */
	enter(SANDBOX_CORE);
	MUST(write(p[1], "x", 1) == 1 && pthread_join(t, &result) == 0);
	MUST(result == p); /* the threads that were there are in it too */
	REFUSED(fork());
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(connect(p[0], NULL, 0));
	store_work(s, 1, 200);
	MUST(!store_failed(s, &err));
	store_close(s);
	s = store_up(arg); /* and one after */
	store_work(s, 201, 400);
	MUST(store_committed(s) == 400);
	store_close(s);
}

static void core_writes_its_store(void **state)
{
	char dir[] = "/tmp/carillon-sandbox-XXXXXX", cmd[64];
	(void)state;
	assert_non_null(mkdtemp(dir));
	run(core, dir);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
}

struct front {
	const char *dir;
	int go, listening;
};

static void on_view(void *arg, const struct view_row *r)
{
	MUST(slice_is(r->id, "I1"));
	++*(int *)arg;
}

static void query(struct view_reader *v)
{
	struct error err = {0};
	int n = 0;
	struct view_query q = {.kind = VIEW_INCIDENT, .state = SLICE("open")};
	int rc = view_reader_query(v, &q, on_view, &n, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	MUST(rc == 1 && n == 1);
}

static void front(void *arg)
{
	const struct front *f = arg;
	struct error err;
	char b;
	int before = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = local(1);
	struct view_reader *early = view_reader_open(f->dir, &err);
	MUST(early != NULL);
	enter(SANDBOX_FRONT);
	no_role_may();
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(connect(before, (const struct sockaddr *)&to, sizeof to));
	REFUSED(unlink("/tmp/x"));
	struct view_reader *late = view_reader_open(f->dir, &err);
	if (late == NULL)
		fprintf(stderr, "%s\n", err.text);
	MUST(late != NULL);
	for (int i = 0; i < 300; i++) {
		query(early);
		query(late);
		MUST(write(f->go, "x", 1) == 1); /* the writer goes on */
	}
	(void)b;
	view_reader_close(late);
	view_reader_close(early);
}

static void front_reads_a_live_wal(void **state)
{
	char dir[] = "/tmp/carillon-sandbox-XXXXXX", cmd[64], b;
	int p[2], status;
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(pipe(p), 0);
	struct store *s = store_up(dir);
	store_work(s, 1, 60); /* a snapshot at 40: the rows before it are there */
	struct front f = {.dir = dir, .go = p[1]};
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(p[0]);
		front(&f);
		_exit(0);
	}
	close(p[1]);
	for (uint64_t i = 61; read(p[0], &b, 1) == 1; i++)
		store_work(s, i, i);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	store_close(s);
	close(p[0]);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
}

/* ---- egress and mapper */

static void on_request(struct http_request *r, void *arg)
{
	(void)arg;
	http_reply(r, 200, "text/plain", SLICE("ok"), NULL);
}

static const struct http_events http_events = {.request = on_request};

static void on_answer(const struct http_answer *a, void *arg)
{
	if (a->failure != NULL)
		fprintf(stderr, "%s\n", a->failure);
	*(int *)arg = a->status != 0 ? a->status : -1;
}

static void egress(void *arg)
{
	uint16_t port = *(uint16_t *)arg;
	struct error err;
	struct addrinfo *found = NULL;
	char url[64], b;
	int status = 0;
	struct sockaddr_in any = local(0);
	struct loop *l = loop_new();
	struct http_client *c = http_client_new(l, &err);
	enter(SANDBOX_EGRESS);
	no_role_may();
	REFUSED(unlink("/tmp/x"));
	int s = socket(AF_INET, SOCK_STREAM, 0);
	MUST(s >= 0);
	REFUSED(bind(s, (const struct sockaddr *)&any, sizeof any));
	REFUSED(listen(s, 1));
	REFUSED(accept(s, NULL, NULL));
	REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	MUST(getaddrinfo("localhost", "80", NULL, &found) == 0);
	freeaddrinfo(found);
	int fd = open("/etc/passwd", O_RDONLY);
	MUST(fd >= 0 && read(fd, &b, 1) == 1);
	snprintf(url, sizeof url, "http://localhost:%u/", port); /* curl resolves it in a thread */
	struct http_call call = {.method = "POST", .url = url, .body = SLICE("x"), .timeout = 5 * SECOND};
	MUST(http_client_call(c, &call, on_answer, &status, &err));
	while (status == 0)
		loop_once(l, 100 * MSEC);
	MUST(status == 200);
	call = (struct http_call){.method = "GET", .url = "https://localhost:1/", .timeout = SECOND};
	MUST(http_client_call(c, &call, on_answer, &status,
	                      &err)); /* loads the certificates, then is refused */
	status = 0;
	while (status == 0)
		loop_once(l, 100 * MSEC);
	MUST(status == -1);
	http_client_free(c);
	loop_free(l);
}

static void egress_calls(void **state)
{
	struct error err;
	struct http_limits lim = HTTP_LIMITS;
	uint16_t port = 0;
	int status = 0;
	(void)state;
	struct loop *l = loop_new();
	struct http_server *server =
	    http_server_new(l, socket_tcp("127.0.0.1", &port, false, &err), &lim, &http_events, NULL);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		egress(&port);
		_exit(0);
	}
	pid_t done = 0;
	RUN_UNTIL(l, (done = waitpid(pid, &status, WNOHANG)) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	http_server_free(server);
	loop_free(l);
}

static void on_connected(struct redis *r, void *arg)
{
	(void)r;
	*(int *)arg = 1;
}

static void on_closed(struct redis *r, const char *why, void *arg)
{
	fprintf(stderr, "%s\n", why);
	redis_free(r);
	*(int *)arg = -1;
}

static const struct redis_events redis_events = {on_connected, on_closed};

static void mapper(void *arg)
{
	struct error err;
	struct redis_url u;
	char url[64], b;
	int up = 0;
	struct loop *l = loop_new();
	enter(SANDBOX_MAPPER);
	no_role_may();
	int fd = open("/etc/passwd", O_RDONLY);
	MUST(fd >= 0 && read(fd, &b, 1) == 1);
	fd = memfd_create("map.bin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	MUST(fd >= 0 && write(fd, "map", 3) == 3 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	MUST(mmap(NULL, 3, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	snprintf(url, sizeof url, "redis://localhost:%u", *(uint16_t *)arg);
	MUST(redis_url_parse(url, &u, &err));
	struct redis *r = redis_connect(l, &u, NULL, NULL, &redis_events, &up);
	while (up == 0)
		loop_once(l, 100 * MSEC);
	MUST(up == 1);
	redis_free(r);
	loop_free(l);
}

/* Enough of a Redis to be greeted by. */
static void pong(int fd, const struct peer *from, void *arg)
{
	(void)from;
	(void)arg;
	(void)!send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
	*(int *)arg = fd;
}

static void mapper_connects(void **state)
{
	struct error err;
	uint16_t port = 0;
	int status = 0, fd = -1;
	(void)state;
	struct loop *l = loop_new();
	struct acceptor *a = acceptor_new(l, socket_tcp("127.0.0.1", &port, false, &err), pong, &fd);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		mapper(&port);
		_exit(0);
	}
	pid_t done = 0;
	RUN_UNTIL(l, (done = waitpid(pid, &status, WNOHANG)) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	if (fd >= 0)
		close(fd);
	acceptor_free(a);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(intake_works),           cmocka_unit_test(attacks_are_deadly),
	    cmocka_unit_test(a_bug_still_stops),      cmocka_unit_test(core_writes_its_store),
	    cmocka_unit_test(front_reads_a_live_wal), cmocka_unit_test(egress_calls),
	    cmocka_unit_test(mapper_connects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
