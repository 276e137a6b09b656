/* Promises answers in the order of the commands, within limits, over one connection that is not repaired.
 * Must not know what the keys mean. */
#include "net/redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	REDIS_MAGIC = 0x72656469,
	READ_ROOM = 64 << 10,
	ELEMENTS_MAX = 1 << 20, /* of one array */
	REPLY_MAX = 64 << 20,   /* octets of one reply */
	WORDS_MAX = 32          /* of redis_sendf */
};
#define CONNECT_TIME (5 * SECOND)

struct pending {
	void (*reply)(struct redis *r, const struct redis_reply *rep, void *arg);
	void *arg;
};

/* A reply as we make it: the public part first. */
struct node {
	struct redis_reply r;
	struct node **items;
	char *text;
};

struct redis {
	uint32_t magic;
	struct loop *loop;
	int fd;
	struct loop_fd *watch;
	struct loop_later *later;
	struct loop_timer *timer;
	const struct redis_events *ev;
	void *arg;
	struct addrinfo *addresses, *next;
	struct sockaddr_un un;
	redisReader *reader;
	struct buf out;
	size_t out_at;
	struct pending *pending;
	size_t first, n, cap; /* a queue in an array */
	int greetings;        /* answers to AUTH and SELECT still to come */
	int depth;
	bool connected, ready, ended, freed;
	char why[256]; /* why it will be closed in the next turn */
};

/* ---- replies: built by hiredis' reader through these functions */

static void node_free(void *p)
{
	struct node *n = p;
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->r.n; i++)
		node_free(n->items[i]);
	free(n->items);
	free(n->text);
	free(n);
}

static struct node *node_new(const redisReadTask *t, enum redis_kind kind)
{
	struct node *n = xcalloc(1, sizeof *n);
	n->r.kind = kind;
	if (t->parent != NULL) {
		struct node *p = t->parent->obj;
		BUG_ON(p->r.kind != REDIS_ARRAY || t->idx < 0 || (size_t)t->idx >= p->r.n);
		p->items[t->idx] = n;
	}
	return n;
}

static void *make_string(const redisReadTask *t, char *s, size_t len)
{
	enum redis_kind kind = t->type == REDIS_REPLY_ERROR    ? REDIS_ERROR
	                       : t->type == REDIS_REPLY_STATUS ? REDIS_STATUS
	                                                       : REDIS_STRING;
	struct node *n = node_new(t, kind);
	n->text = xstrndup(s, len);
	n->r.text = slice_of(n->text, len);
	return n;
}

static void *make_array(const redisReadTask *t, int elements)
{
	if (elements < 0 || elements > ELEMENTS_MAX)
		return NULL; /* the reader reports it as out of memory */
	struct node *n = node_new(t, REDIS_ARRAY);
	n->items = xcalloc((size_t)elements + 1, sizeof *n->items);
	n->r.n = (size_t)elements;
	n->r.items = (const struct redis_reply *const *)(void *)n->items;
	return n;
}

static void *make_integer(const redisReadTask *t, long long v)
{
	struct node *n = node_new(t, REDIS_INTEGER);
	n->r.integer = v;
	return n;
}

static void *make_nil(const redisReadTask *t)
{
	return node_new(t, REDIS_NIL);
}

static const redisReplyObjectFunctions node_functions = {make_string, make_array, make_integer, make_nil,
                                                         node_free};

/* ---- ends */

static void drop_socket(struct redis *r)
{
	loop_fd_del(r->watch);
	r->watch = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void destroy(struct redis *r)
{
	drop_socket(r);
	loop_later_free(r->later);
	loop_timer_free(r->timer);
	if (r->addresses != NULL)
		freeaddrinfo(r->addresses);
	redisReaderFree(r->reader);
	buf_free(&r->out);
	free(r->pending);
	r->magic = 0;
	free(r);
}

static void enter(struct redis *r)
{
	BUG_ON(r->magic != REDIS_MAGIC);
	r->depth++;
}

static void leave(struct redis *r)
{
	BUG_ON(r->depth <= 0);
	if (--r->depth == 0 && r->freed)
		destroy(r);
}

void redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	BUG_ON(r->magic != REDIS_MAGIC || r->freed);
	r->freed = true;
	if (r->depth == 0)
		destroy(r);
}

static void end(struct redis *r, const char *why)
{
	if (r->ended || r->freed)
		return;
	r->ended = true;
	drop_socket(r);
	loop_timer_set(r->timer, -1);
	r->ev->closed(r, why, r->arg);
}

static void PRINTF(2, 3) end_later(struct redis *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof r->why, fmt, ap);
	va_end(ap);
	loop_later_set(r->later);
}

/* ---- writing */

static void watch(struct redis *r)
{
	if (r->watch != NULL && !r->freed)
		loop_fd_set(r->watch, LOOP_READ | (!r->connected || r->out.n > r->out_at ? LOOP_WRITE : 0));
}

static void write_out(struct redis *r)
{
	while (r->connected && r->out.n > r->out_at) {
		ssize_t n =
		    send(r->fd, r->out.p + r->out_at, r->out.n - r->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			end_later(r, "lost the connection to Redis: %s", strerror(errno));
			return;
		}
		r->out_at += (size_t)n;
	}
	if (r->out_at == r->out.n) {
		buf_clear(&r->out);
		r->out_at = 0;
	}
	watch(r);
}

void redis_send(struct redis *r, const struct slice *argv, size_t argc,
                void (*reply)(struct redis *r, const struct redis_reply *rep, void *arg), void *arg)
{
	char *cmd = NULL;
	BUG_ON(r->magic != REDIS_MAGIC || argc == 0 || argc > INT32_MAX);
	if (r->ended)
		return;
	const char **words = xcalloc(argc, sizeof *words);
	size_t *lens = xcalloc(argc, sizeof *lens);
	for (size_t i = 0; i < argc; i++) {
		words[i] = argv[i].p != NULL ? argv[i].p : "";
		lens[i] = argv[i].n;
	}
	int n = redisFormatCommandArgv(&cmd, (int)argc, words, lens);
	BUG_ON(n < 0);
	buf_add(&r->out, cmd, (size_t)n);
	redisFreeCommand(cmd);
	free(words);
	free(lens);
	if (r->first + r->n == r->cap && r->first > r->cap / 2) {
		memmove(r->pending, r->pending + r->first, r->n * sizeof *r->pending);
		r->first = 0;
	}
	r->pending = array_reserve(r->pending, &r->cap, r->first + r->n + 1, sizeof *r->pending);
	r->pending[r->first + r->n++] = (struct pending){reply, arg};
	loop_later_set(r->later); /* one write for all commands of a turn */
}

void redis_sendf(struct redis *r, void (*reply)(struct redis *r, const struct redis_reply *rep, void *arg),
                 void *arg, const char *words, ...)
{
	char text[4096];
	struct slice argv[WORDS_MAX], rest, word;
	size_t n = 0;
	va_list ap;
	va_start(ap, words);
	int len = vsnprintf(text, sizeof text, words, ap);
	va_end(ap);
	BUG_ON(len < 0 || (size_t)len >= sizeof text);
	rest = slice_of(text, (size_t)len);
	while (slice_split(&rest, ' ', &word)) {
		BUG_ON(n == WORDS_MAX);
		if (word.n > 0)
			argv[n++] = word;
	}
	redis_send(r, argv, n, reply, arg);
}

/* ---- reading */

static void on_greeting(struct redis *r, const struct redis_reply *rep, void *arg)
{
	(void)arg;
	if (rep->kind == REDIS_ERROR) {
		end_later(r, "Redis refuses us: " SLICE_FMT, SLICE_ARG(rep->text));
		return;
	}
	BUG_ON(r->greetings <= 0);
	if (--r->greetings > 0)
		return;
	r->ready = true;
	loop_timer_set(r->timer, -1);
	r->ev->connected(r, r->arg);
}

/* False: nothing more can be delivered. */
static bool deliver_one(struct redis *r)
{
	void *p = NULL;
	if (redisReaderGetReply(r->reader, &p) != REDIS_OK) {
		end_later(r, "what Redis sends is no answer, or too large: %s", r->reader->errstr);
		return false;
	}
	if (p == NULL)
		return false;
	struct node *n = p;
	if (r->n == 0) {
		end_later(r, "Redis answers what nobody asked");
		node_free(n);
		return false;
	}
	struct pending q = r->pending[r->first++];
	if (--r->n == 0)
		r->first = 0;
	if (q.reply != NULL)
		q.reply(r, &n->r, q.arg);
	node_free(n);
	return !r->freed && r->why[0] == '\0';
}

static void read_in(struct redis *r)
{
	char *room = xmalloc(READ_ROOM);
	ssize_t n = recv(r->fd, room, READ_ROOM, MSG_DONTWAIT);
	if (n > 0 && r->reader->len - r->reader->pos > REPLY_MAX)
		end_later(r, "an answer of Redis is larger than %d octets", REPLY_MAX);
	else if (n > 0 && redisReaderFeed(r->reader, room, (size_t)n) != REDIS_OK)
		end_later(r, "no memory for an answer of Redis");
	else if (n == 0)
		end_later(r, "Redis has closed the connection");
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		end_later(r, "lost the connection to Redis: %s", strerror(errno));
	free(room);
	while (n > 0 && !r->ended && r->why[0] == '\0' && deliver_one(r))
		;
}

/* ---- connecting */

static void try_next(struct redis *r);

static void on_connected(struct redis *r)
{
	int e = 0;
	socklen_t len = sizeof e;
	if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0)
		e = errno;
	if (e != 0) {
		snprintf(r->why, sizeof r->why, "cannot connect to Redis: %s", strerror(e));
		drop_socket(r);
		try_next(r);
		return;
	}
	r->connected = true;
	r->why[0] = '\0';
}

static void on_event(int fd, int what, void *arg)
{
	struct redis *r = arg;
	(void)fd;
	enter(r);
	if (!r->connected && (what & LOOP_WRITE) != 0)
		on_connected(r);
	if (r->connected && (what & LOOP_WRITE) != 0)
		write_out(r);
	if (r->connected && (what & LOOP_READ) != 0)
		read_in(r);
	watch(r);
	leave(r);
}

/* True: under way, or connected already (unix sockets). */
static bool try_one(struct redis *r, const struct sockaddr *a, socklen_t len)
{
	const int on = 1;
	r->fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd >= 0 && (connect(r->fd, a, len) == 0 || errno == EINPROGRESS)) {
		if (a->sa_family != AF_UNIX)
			(void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		r->watch = loop_fd_add(r->loop, r->fd, LOOP_READ | LOOP_WRITE, on_event, r);
		return true;
	}
	snprintf(r->why, sizeof r->why, "cannot connect to Redis: %s", strerror(errno));
	drop_socket(r);
	return false;
}

static void try_next(struct redis *r)
{
	while (r->next != NULL) {
		const struct addrinfo *a = r->next;
		r->next = a->ai_next;
		if (try_one(r, a->ai_addr, a->ai_addrlen)) {
			r->why[0] = '\0';
			return;
		}
	}
	loop_later_set(r->later); /* with the last reason in `why` */
}

static void begin(struct redis *r, const struct redis_url *u)
{
	char port[8];
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                               .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
	if (u->is_unix) {
		r->un.sun_family = AF_UNIX;
		size_t n = strlen(u->host);
		if (n >= sizeof r->un.sun_path) {
			end_later(r, "the path of the Redis socket is too long");
			return;
		}
		memcpy(r->un.sun_path, u->host, n + 1);
		if (!try_one(r, (const struct sockaddr *)&r->un, sizeof r->un))
			loop_later_set(r->later);
		return;
	}
	snprintf(port, sizeof port, "%u", u->port);
	int rc = getaddrinfo(u->host, port, &hints, &r->addresses);
	if (rc != 0) {
		end_later(r, "cannot find Redis at %s: %s", u->host, gai_strerror(rc));
		return;
	}
	r->next = r->addresses;
	try_next(r);
}

static void on_later(void *arg)
{
	struct redis *r = arg;
	enter(r);
	if (r->why[0] != '\0')
		end(r, r->why);
	else
		write_out(r);
	leave(r);
}

static void on_timer(void *arg)
{
	struct redis *r = arg;
	enter(r);
	end(r, "Redis does not answer");
	leave(r);
}

static void greet(struct redis *r, const struct redis_url *u, const char *user, const char *password)
{
	char db[16];
	if (password != NULL && password[0] != '\0') {
		struct slice argv[3] = {SLICE("AUTH"), slice_str(user), slice_str(password)};
		bool with_user = user != NULL && user[0] != '\0';
		if (!with_user)
			argv[1] = argv[2];
		r->greetings++;
		redis_send(r, argv, with_user ? 3 : 2, on_greeting, NULL);
	}
	snprintf(db, sizeof db, "%d", u->db);
	struct slice argv[2] = {SLICE("SELECT"), slice_str(db)};
	if (u->db == 0)
		argv[0] = SLICE("PING"); /* something must show that we may talk */
	r->greetings++;
	redis_send(r, argv, u->db == 0 ? 1 : 2, on_greeting, NULL);
}

struct redis *redis_connect(struct loop *l, const struct redis_url *u, const char *user, const char *password,
                            const struct redis_events *ev, void *arg)
{
	BUG_ON(ev->connected == NULL || ev->closed == NULL);
	struct redis *r = xcalloc(1, sizeof *r);
	r->magic = REDIS_MAGIC;
	r->loop = l;
	r->fd = -1;
	r->ev = ev;
	r->arg = arg;
	r->reader = redisReaderCreateWithFunctions((redisReplyObjectFunctions *)(uintptr_t)&node_functions);
	BUG_ON(r->reader == NULL);
	r->later = loop_later_new(l, on_later, r);
	r->timer = loop_timer_new(l, on_timer, r);
	loop_timer_set(r->timer, CONNECT_TIME);
	greet(r, u, user, password);
	begin(r, u);
	return r;
}
