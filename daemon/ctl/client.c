/* See client.h. Knows nothing of what the paths mean. */
#include "ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/files.h"

#define REPLY_MAX    (512u << 20)
#define BLOCK        65536u
#define WAIT_SECONDS 20

/* One reply as it is read. */
struct incoming {
	int fd;
	struct buf in;
	size_t at; /* of `in`: read so far */
	int status;
	bool chunked, endless, broken;
	uint64_t left; /* of the body or of the chunk */
	bool first_chunk;
};

/* ---- the socket */

/* The socket's path; caller frees. NULL when the configuration cannot be read: said. */
static char *socket_path(struct ctl *c)
{
	struct findings f = {0};
	struct bundle b;
	struct config *config;
	char *path = NULL;

	if (c->socket_path != NULL)
		return xstrdup(c->socket_path);
	config = files_read_config(c->config_path, &b, &f);
	if (config != NULL)
		path = xstrdup(config->admin.socket_path);
	else
		ctl_findings(c->err, &f);
	config_free(config);
	bundle_free(&b);
	findings_clear(&f);
	return path;
}

bool client_there(struct ctl *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	FILE *err = c->err;
	char *path;
	int fd;
	bool there;

	c->err = fopen("/dev/null", "w"); /* a configuration with errors is no news here */
	path = c->err != NULL ? socket_path(c) : NULL;
	if (c->err != NULL)
		fclose(c->err);
	c->err = err;
	fd = path != NULL && strlen(path) < sizeof sa.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (fd >= 0)
		memcpy(sa.sun_path, path, strlen(path) + 1);
	there = fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sizeof sa) == 0;
	if (fd >= 0)
		close(fd);
	free(path);
	return there;
}

static int dial(struct ctl *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = WAIT_SECONDS};
	char *path = socket_path(c);
	int fd = -1, why;

	if (path == NULL)
		return -ctl_fail(c, CTL_USAGE,
		                 "the configuration has errors; name the daemon's socket with --socket PATH");
	if (strlen(path) >= sizeof sa.sun_path) {
		ctl_fail(c, CTL_USAGE, "the socket's path is longer than %zu octets: %s",
		         sizeof sa.sun_path - 1, path);
		free(path);
		return -CTL_USAGE;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sizeof sa) == 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		free(path);
		return fd;
	}
	why = errno;
	if (fd >= 0)
		close(fd);
	if (why == EACCES || why == EPERM)
		fd = -ctl_fail(c, CTL_NOT_ALLOWED, "%s: %s; join the group carillon-admin, or use sudo", path,
		               strerror(why));
	else
		fd = -ctl_fail(c, CTL_UNREACHABLE,
		               "the daemon is not reachable at %s: %s; start it (systemctl start carillon), "
		               "or name its socket with --socket PATH",
		               path, strerror(why));
	free(path);
	return fd;
}

static bool send_all(int fd, struct slice s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = slice_sub(s, (size_t)n, SIZE_MAX);
	}
	return true;
}

/* ---- reading */

static bool more(struct incoming *h)
{
	ssize_t n;

	if (h->at > 0) {
		buf_consume(&h->in, h->at);
		h->at = 0;
	}
	buf_reserve(&h->in, BLOCK);
	do
		n = recv(h->fd, h->in.p + h->in.n, BLOCK, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	h->in.n += (size_t)n;
	return true;
}

static struct slice unread(const struct incoming *h)
{
	return slice_sub(buf_slice(&h->in), h->at, SIZE_MAX);
}

/* A line without its end; valid until the next read. */
static bool header_line(struct incoming *h, struct slice *out)
{
	for (;;) {
		struct slice rest = unread(h);
		const char *end = rest.n > 0 ? memchr(rest.p, '\n', rest.n) : NULL;

		if (end != NULL) {
			*out = slice_of(rest.p, (size_t)(end - rest.p));
			h->at += out->n + 1;
			if (out->n > 0 && out->p[out->n - 1] == '\r')
				out->n--;
			return true;
		}
		if (rest.n > BLOCK || !more(h))
			return false;
	}
}

static bool head(struct incoming *h)
{
	struct slice line, name;
	int64_t n;

	if (!header_line(h, &line) || !slice_starts(line, SLICE("HTTP/1.1 ")) ||
	    !slice_int(slice_sub(line, 9, 3), &n))
		return false;
	h->status = (int)n;
	h->endless = true;
	for (int lines = 0; lines < 100; lines++) {
		if (!header_line(h, &line))
			return false;
		if (line.n == 0)
			return true;
		slice_split(&line, ':', &name);
		line = slice_trim(line);
		if (slice_ieq(name, SLICE("content-length"))) {
			if (!slice_int(line, &n) || n < 0)
				return false;
			h->left = (uint64_t)n;
			h->endless = false;
		} else if (slice_ieq(name, SLICE("transfer-encoding"))) {
			h->chunked = h->first_chunk = slice_ieq(line, SLICE("chunked"));
			h->endless = false;
		}
	}
	return false;
}

static bool chunk_begin(struct incoming *h)
{
	struct slice line;
	uint64_t n = 0;

	if (!h->first_chunk && (!header_line(h, &line) || line.n != 0))
		return false;
	h->first_chunk = false;
	if (!header_line(h, &line) || line.n == 0)
		return false;
	for (size_t i = 0; i < line.n && line.p[i] != ';'; i++) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, line.p[i] | 0x20);

		if (d == NULL || n > REPLY_MAX)
			return false;
		n = n * 16 + (uint64_t)(d - digits);
	}
	h->left = n;
	return true;
}

/* The next part of the body, borrowed until the next read. False at its end; h->broken when it ended too
 * early. */
static bool body_part(struct incoming *h, struct slice *part)
{
	if (h->left == 0 && h->chunked) {
		if (!chunk_begin(h)) {
			h->broken = true;
			return false;
		}
	}
	if (h->left == 0 && !h->endless)
		return false;
	if (unread(h).n == 0 && !more(h)) {
		h->broken = !h->endless;
		return false;
	}
	*part = unread(h);
	if (!h->endless)
		part->n = (size_t)MIN(part->n, h->left);
	h->at += part->n;
	h->left -= h->endless ? 0 : part->n;
	return true;
}

/* ---- requests */

static int no_answer(struct ctl *c)
{
	return ctl_fail(c, CTL_TRY_AGAIN, "the daemon did not answer; try again, and see its log");
}

static int request(struct ctl *c, const char *method, const char *path, struct slice body, struct incoming *h)
{
	struct buf b = {0};
	bool sent;

	*h = (struct incoming){.fd = dial(c)};
	if (h->fd < 0)
		return -h->fd;
	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: carillon\r\nConnection: close\r\n", method, path);
	if (strcmp(method, "GET") != 0)
		buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.n);
	buf_str(&b, "\r\n");
	buf_adds(&b, body);
	sent = send_all(h->fd, buf_slice(&b));
	buf_free(&b);
	if (sent && head(h))
		return 0;
	close(h->fd);
	buf_free(&h->in);
	return no_answer(c);
}

int client_call(struct ctl *c, const char *method, const char *path, struct slice body,
                struct client_reply *r)
{
	struct incoming h;
	struct slice part;
	int rc = request(c, method, path, body, &h);

	*r = (struct client_reply){0};
	if (rc != 0)
		return rc;
	r->status = h.status;
	while (r->body.n < REPLY_MAX && body_part(&h, &part))
		buf_adds(&r->body, part);
	close(h.fd);
	buf_free(&h.in);
	if (!h.broken && r->body.n < REPLY_MAX)
		return 0;
	client_free(r);
	return no_answer(c);
}

static int exit_of(int status)
{
	switch (status) {
	case 400: return CTL_USAGE;
	case 401:
	case 403: return CTL_NOT_ALLOWED;
	case 404: return CTL_NO_SUCH;
	case 422: return CTL_FOUND;
	case 429:
	case 503:
	case 504: return CTL_TRY_AGAIN;
	default: return status >= 200 && status < 300 ? CTL_DONE : CTL_REFUSED;
	}
}

int client_verdict(const struct ctl *c, const struct client_reply *r)
{
	struct arena *a;
	struct error err;
	struct json *j;
	struct slice text;
	int rc = exit_of(r->status);

	if (rc == CTL_DONE)
		return rc;
	a = arena_new(4096);
	j = json_parse(a, buf_slice(&r->body), JSON_LIMITS, NULL, &err);
	text = json_text(json_get(j, "error"));
	if (text.n == 0)
		text = json_text(json_get(j, "title"));
	text = slice_trim(text);
	/* findings come as whole lines, which editors read: nothing is put in front of them */
	if (slice_contains(text, SLICE("\n")))
		fprintf(c->err, SLICE_FMT "\ncarillonctl: refused, nothing has changed\n", SLICE_ARG(text));
	else if (text.n > 0)
		ctl_fail(c, rc, SLICE_FMT, SLICE_ARG(text));
	else
		ctl_fail(c, rc, "the daemon refuses with status %d", r->status);
	arena_free(a);
	return rc;
}

int client_json(struct ctl *c, const char *method, const char *path, struct slice body, struct arena *a,
                struct client_reply *r, struct json **out)
{
	static const struct json_limits lim = {32, 20u << 20};
	struct error err;
	int rc = client_call(c, method, path, body, r);

	if (rc == 0)
		rc = client_verdict(c, r);
	if (rc != 0)
		return rc;
	*out = json_parse(a, buf_slice(&r->body), lim, NULL, &err);
	return *out != NULL ? 0 : ctl_fail(c, CTL_REFUSED, "the daemon's answer is not JSON: %s", err.text);
}

void client_free(struct client_reply *r)
{
	buf_free(&r->body);
}

/* ---- streams */

static bool lines(struct buf *held, struct slice part, bool (*line)(void *arg, struct slice line), void *arg)
{
	size_t at = 0;
	bool go = true;

	buf_adds(held, part);
	while (go && at < held->n) {
		const char *end = memchr(held->p + at, '\n', held->n - at);

		if (end == NULL)
			break;
		go = line(arg, slice_of(held->p + at, (size_t)(end - held->p) - at));
		at = (size_t)(end - held->p) + 1;
	}
	buf_consume(held, at);
	return go && held->n < REPLY_MAX;
}

int client_stream(struct ctl *c, const char *path, bool (*line)(void *arg, struct slice line), void *arg)
{
	static const struct timeval forever = {0};
	struct incoming h;
	struct client_reply r = {0};
	struct buf held = {0};
	struct slice part;
	bool go = true;
	int rc = request(c, "GET", path, SLICE_NONE, &h);

	if (rc != 0)
		return rc;
	setsockopt(h.fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
	r.status = h.status;
	while (go && body_part(&h, &part)) {
		if (h.status == 200)
			go = lines(&held, part, line, arg);
		else
			buf_adds(&r.body, part);
	}
	rc = client_verdict(c, &r);
	if (rc == 0 && go)
		rc = ctl_fail(c, CTL_TRY_AGAIN, "the daemon ended the stream");
	close(h.fd);
	buf_free(&h.in);
	buf_free(&held);
	client_free(&r);
	return rc;
}

void client_quote(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
		    strchr("-._~", ch) != NULL)
			buf_char(out, (char)ch);
		else
			buf_printf(out, "%%%02X", ch);
	}
}
