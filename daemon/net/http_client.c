/* Promises one answer per call, TLS that is always verified, no redirect, and that no address is reached that
 * the URL did not allow: plain HTTP only on loopback, never a link-local one. Must not know what a ticket is.
 */
#include "net/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum {
	CLIENT_MAGIC = 0x68636c69,
	CALL_MAGIC = 0x6863616c,
	BODY_MAX = 1 << 20,
	HEADERS_MAX = 64 << 10,
	CONNECT_MS = 5000
};

struct call {
	uint32_t magic;
	struct http_client *client;
	struct call *next, *prev;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	bool plain;   /* http: loopback only */
	bool refused; /* the resolved address is not allowed */
	bool too_large;
	struct buf in, in_headers;
	char error[CURL_ERROR_SIZE];
	instant began;
	void (*done)(const struct http_answer *a, void *arg);
	void *arg;
};

/* One of curl's sockets. */
struct watched {
	struct http_client *client;
	struct loop_fd *watch;
};

struct http_client {
	uint32_t magic;
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	struct loop_later *reap;
	struct call all; /* head of the ring */
	bool ending;
};

/* ---- what may be reached */

static bool loopback4(uint32_t host_order)
{
	return host_order >> 24 == 127;
}

/* Addresses that no ticket system has: this host under another name, link-local (cloud metadata), multicast.
 */
static bool allowed4(uint32_t a, bool plain)
{
	if (plain)
		return loopback4(a);
	return a >> 24 != 0 && a >> 16 != 0xa9fe && a >> 28 < 0xe;
}

static bool allowed6(const struct in6_addr *a, bool plain)
{
	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a)) {
		uint32_t v4;
		memcpy(&v4, a->s6_addr + 12, sizeof v4);
		if (!IN6_IS_ADDR_LOOPBACK(a))
			return allowed4(ntohl(v4), plain);
	}
	if (plain)
		return IN6_IS_ADDR_LOOPBACK(a);
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_MULTICAST(a);
}

static bool address_allowed(const struct curl_sockaddr *a, bool plain)
{
	if (a->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &a->addr, sizeof in);
		return allowed4(ntohl(in.sin_addr.s_addr), plain);
	}
	if (a->family == AF_INET6) {
		struct sockaddr_in6 in6;
		if (a->addrlen < sizeof in6)
			return false;
		/* curl keeps the whole address behind its short struct */
		memcpy(&in6, (const void *)&a->addr, sizeof in6);
		return allowed6(&in6.sin6_addr, plain);
	}
	return false;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct call *c = arg;
	BUG_ON(c->magic != CALL_MAGIC);
	if (purpose != CURLSOCKTYPE_IPCXN || !address_allowed(a, c->plain)) {
		c->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

/* The scheme decides; the host is judged when it is resolved. */
static bool url_allowed(const char *url, bool *plain, struct error *err)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	bool ok = u != NULL && curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
	          curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	          curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
	*plain = ok && strcmp(scheme, "http") == 0;
	if (!ok)
		error_set(err, "%s is no URL of a server: write https://HOST/PATH", url);
	else if (!*plain && strcmp(scheme, "https") != 0)
		ok = error_set(err, "%s: only https:// (and http:// to this host itself) is allowed", url) ==
		     0;
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return ok;
}

/* ---- one call's data */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	BUG_ON(c->magic != CALL_MAGIC || size != 1);
	if (n > BODY_MAX - c->in.n) {
		c->too_large = true;
		return 0;
	}
	buf_add(&c->in, p, n);
	return n;
}

/* "Name: value\r\n" becomes "name: value\n"; a status line begins anew (100, then the real one). */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	struct slice line = slice_trim(slice_of(p, n * size));
	const char *colon = memchr(line.p, ':', line.n);
	BUG_ON(c->magic != CALL_MAGIC);
	if (slice_starts(line, SLICE("HTTP/"))) {
		buf_clear(&c->in_headers);
		return n;
	}
	if (colon == NULL)
		return n;
	if (line.n + 2 > HEADERS_MAX - MIN(c->in_headers.n, (size_t)HEADERS_MAX)) {
		c->too_large = true;
		return 0;
	}
	size_t name = (size_t)(colon - line.p);
	for (size_t i = 0; i < name; i++) {
		char b = line.p[i];
		buf_char(&c->in_headers, (char)(b >= 'A' && b <= 'Z' ? b + 32 : b));
	}
	buf_printf(&c->in_headers, ": " SLICE_FMT "\n",
	           SLICE_ARG(slice_trim(slice_sub(line, name + 1, line.n))));
	return n;
}

static void call_free(struct call *c)
{
	c->next->prev = c->prev;
	c->prev->next = c->next;
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	free(c->body);
	buf_free(&c->in);
	buf_free(&c->in_headers);
	c->magic = 0;
	free(c);
}

/* Only what happened before a connection was there is sure not to have reached the server. */
static bool surely_not_sent(const struct call *c, CURLcode rc)
{
	long request = 0;
	curl_off_t sent = 0, connected = 0;
	(void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request);
	(void)curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (request > 0 || sent > 0 || connected > 0)
		return false;
	return rc != CURLE_OK;
}

static const char *failure_of(const struct call *c, CURLcode rc)
{
	if (c->client->ending)
		return "carillon is ending";
	if (c->refused)
		return c->plain ? "http:// is allowed to this host itself only: use https://"
		                : "the name leads to an address that no ticket system has (link-local, "
		                  "multicast or 0.0.0.0)";
	if (c->too_large)
		return "the reply is larger than 1 MiB (headers 64 KiB)";
	return c->error[0] != '\0' ? c->error : curl_easy_strerror(rc);
}

static void finish(struct call *c, CURLcode rc)
{
	struct http_answer a = {.took = loop_mono() - c->began, .sent = true};
	long status = 0;
	if (rc == CURLE_OK)
		(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 100 && status <= 599) {
		a.status = (int)status;
		a.headers = c->in_headers.p != NULL ? buf_slice(&c->in_headers) : SLICE("");
		a.body = c->in.p != NULL ? buf_slice(&c->in) : SLICE("");
	} else {
		a.failure = rc == CURLE_OK ? "the reply has no status" : failure_of(c, rc);
		a.sent = !surely_not_sent(c, rc);
	}
	CURLMcode mc = curl_multi_remove_handle(c->client->multi, c->easy);
	BUG_ON(mc != CURLM_OK);
	c->done(&a, c->arg);
	call_free(c);
}

/* ---- curl on our loop */

static void on_reap(void *arg)
{
	struct http_client *h = arg;
	int left;
	BUG_ON(h->magic != CLIENT_MAGIC);
	for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left)) != NULL;) {
		struct call *c = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode rc = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)(void *)&c);
		BUG_ON(c == NULL || c->magic != CALL_MAGIC);
		finish(c, rc);
	}
}

static void act(struct http_client *h, curl_socket_t fd, int what)
{
	int running;
	CURLMcode mc = curl_multi_socket_action(h->multi, fd, what, &running);
	(void)DOUBT(mc != CURLM_OK);
	loop_later_set(h->reap); /* not from inside curl */
}

static void on_fd(int fd, int what, void *arg)
{
	struct watched *w = arg;
	act(w->client, fd,
	    ((what & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
	        ((what & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct http_client *h = arg;
	(void)multi;
	loop_timer_set(h->timer, ms < 0 ? -1 : ms * MSEC);
	return 0;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_client *h = arg;
	struct watched *w = socket_arg;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL)
			loop_fd_del(w->watch);
		free(w);
		return 0;
	}
	int mask = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
	if (w != NULL) {
		loop_fd_set(w->watch, mask);
		return 0;
	}
	w = xcalloc(1, sizeof *w);
	w->client = h;
	w->watch = loop_fd_add(h->loop, fd, mask, on_fd, w);
	(void)curl_multi_assign(h->multi, fd, w);
	return 0;
}

/* ---- calls */

struct http_client *http_client_new(struct loop *l, struct error *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		error_set(err, "libcurl cannot be initialised");
		return NULL;
	}
	struct http_client *h = xcalloc(1, sizeof *h);
	h->magic = CLIENT_MAGIC;
	h->loop = l;
	h->multi = curl_multi_init();
	BUG_ON(h->multi == NULL);
	h->all.next = h->all.prev = &h->all;
	h->timer = loop_timer_new(l, on_timer, h);
	h->reap = loop_later_new(l, on_reap, h);
	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

void http_client_free(struct http_client *h)
{
	if (h == NULL)
		return;
	BUG_ON(h->magic != CLIENT_MAGIC);
	h->ending = true;
	while (h->all.next != &h->all)
		finish(h->all.next, CURLE_ABORTED_BY_CALLBACK);
	curl_multi_cleanup(h->multi);
	loop_timer_free(h->timer);
	loop_later_free(h->reap);
	h->magic = 0;
	free(h);
}

#define OPT(name, value) (ok = ok && curl_easy_setopt(e, CURLOPT_##name, value) == CURLE_OK)

static bool set_safety(struct call *c, const struct http_call *call)
{
	CURL *e = c->easy;
	bool ok = true;
	OPT(FOLLOWLOCATION, 0L);
	OPT(PROTOCOLS_STR, "http,https");
	OPT(SSL_VERIFYPEER, 1L);
	OPT(SSL_VERIFYHOST, 2L);
	OPT(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	OPT(PROXY, "");
	OPT(NETRC, (long)CURL_NETRC_IGNORED);
	OPT(OPENSOCKETFUNCTION, on_open_socket);
	OPT(OPENSOCKETDATA, c);
	OPT(MAXFILESIZE_LARGE, (curl_off_t)BODY_MAX);
	if (call->ca_file != NULL)
		OPT(CAINFO, call->ca_file);
	if (call->pin != NULL)
		OPT(PINNEDPUBLICKEY, call->pin);
	return ok;
}

static bool set_transfer(struct call *c, const struct http_call *call)
{
	CURL *e = c->easy;
	bool ok = true;
	OPT(URL, call->url);
	OPT(PRIVATE, (void *)c);
	OPT(NOSIGNAL, 1L);
	OPT(ERRORBUFFER, c->error);
	OPT(WRITEFUNCTION, on_body);
	OPT(WRITEDATA, c);
	OPT(HEADERFUNCTION, on_header);
	OPT(HEADERDATA, c);
	OPT(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	OPT(CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	OPT(TIMEOUT_MS, (long)MAX(call->timeout / MSEC, 1));
	OPT(HTTPHEADER, c->headers);
	bool repeatable = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
	/* on a used connection that dies curl sends again by itself: nothing may be created twice */
	OPT(FRESH_CONNECT, repeatable ? 0L : 1L);
	if (call->body.p != NULL || (!repeatable && strcmp(call->method, "DELETE") != 0)) {
		OPT(POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		OPT(POSTFIELDS, c->body);
	} else if (strcmp(call->method, "HEAD") == 0) {
		OPT(NOBODY, 1L);
	}
	OPT(CUSTOMREQUEST, call->method);
	return ok;
}

/* No header may smuggle another one. */
static bool set_headers(struct call *c, const char *const *headers)
{
	/* curl would wait for 100-continue, which many servers never send */
	c->headers = curl_slist_append(NULL, "Expect:");
	for (; headers != NULL && *headers != NULL; headers++) {
		if (strpbrk(*headers, "\r\n") != NULL)
			return false;
		c->headers = curl_slist_append(c->headers, *headers);
	}
	return c->headers != NULL;
}

static bool method_ok(const char *m)
{
	size_t n = strlen(m);
	return n > 0 && n <= 16 && strspn(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
}

bool http_client_call(struct http_client *h, const struct http_call *call,
                      void (*done)(const struct http_answer *a, void *arg), void *arg, struct error *err)
{
	bool plain;
	BUG_ON(h->magic != CLIENT_MAGIC || done == NULL);
	if (!url_allowed(call->url, &plain, err))
		return false;
	if (!method_ok(call->method))
		return error_set(err, "%s is no HTTP method", call->method) == 0;
	struct call *c = xcalloc(1, sizeof *c);
	*c = (struct call){.magic = CALL_MAGIC, .client = h, .plain = plain, .done = done, .arg = arg};
	c->easy = curl_easy_init();
	c->body = xstrndup(call->body.p != NULL ? call->body.p : "", call->body.n);
	c->began = loop_mono();
	c->next = &h->all;
	c->prev = h->all.prev;
	c->prev->next = h->all.prev = c;
	bool ok = c->easy != NULL && set_headers(c, call->headers) && set_safety(c, call) &&
	          set_transfer(c, call) && curl_multi_add_handle(h->multi, c->easy) == CURLM_OK;
	if (!ok) {
		error_set(
		    err,
		    "%s: the request cannot be made (a line break in a header, or a broken CA file or pin)",
		    call->url);
		call_free(c);
	}
	return ok;
}

void http_client_cancel(struct http_client *h, const void *arg)
{
	struct call *next;
	BUG_ON(h->magic != CLIENT_MAGIC);
	for (struct call *c = h->all.next; c != &h->all; c = next) {
		next = c->next;
		if (c->arg != arg)
			continue;
		CURLMcode mc = curl_multi_remove_handle(h->multi, c->easy);
		BUG_ON(mc != CURLM_OK);
		call_free(c);
	}
}
