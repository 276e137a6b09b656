/* Promises requests in which no value can leave its place: query values are percent-encoded, header values
 * have no line ends, bodies are written by a JSON writer. Must not know sockets. */
#include "plugins/tickets/request.h"

#include <strings.h>

enum { URL_MAX = 8192, HEADERS_MAX = 64 };

/* ---- address */

static void encode(struct slice s, struct buf *out)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\0' && strchr(unreserved, s.p[i]) != NULL)
			buf_char(out, s.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)s.p[i]);
	}
}

static int add_query(const struct op *op, struct render *r, struct buf *url, struct error *err)
{
	struct buf name = {0}, value = {0};
	char sep = '?';
	int rc = 0;
	for (const struct pair *p = op->query; rc == 0 && p != NULL; p = p->next) {
		buf_clear(&name);
		buf_clear(&value);
		rc = expr_text(p->name, r, &name, err) != 0 || expr_text(p->value, r, &value, err) != 0 ? -1
		                                                                                        : 0;
		if (rc != 0 || name.n == 0)
			continue;
		buf_char(url, sep);
		encode(buf_slice(&name), url);
		buf_char(url, '=');
		encode(buf_slice(&value), url);
		sep = '&';
	}
	buf_free(&name);
	buf_free(&value);
	return rc;
}

/* The base may end in '/', the path begins with one. */
static int add_base(const struct expr *url, struct render *r, struct buf *out, struct error *err)
{
	struct expr base = {.parts = url->parts, .n = 1}, rest = {.parts = url->parts + 1, .n = url->n - 1};
	BUG_ON(url->n == 0);
	if (expr_text(&base, r, out, err) != 0)
		return -1;
	while (out->n > 0 && out->p[out->n - 1] == '/')
		out->n--;
	return expr_text(&rest, r, out, err);
}

int request_url(const struct expr *url, struct render *r, struct slice *out, struct error *err)
{
	struct buf b = {0};
	int rc = add_base(url, r, &b, err);
	*out = rc == 0 ? arena_slice(r->arena, buf_slice(&b)) : SLICE_NONE;
	buf_free(&b);
	return rc;
}

static int build_url(const struct op *op, struct render *r, const char **out, struct error *err)
{
	struct buf b = {0};
	int rc = add_base(op->url, r, &b, err);
	if (rc == 0)
		rc = add_query(op, r, &b, err);
	if (rc == 0 && b.n > URL_MAX)
		rc = error_set(err, "the address is longer than %d octets", URL_MAX);
	if (rc == 0)
		*out = arena_str(r->arena, buf_slice(&b));
	buf_free(&b);
	return rc;
}

/* ---- headers */

struct header_list {
	const char **v;
	size_t n;
};

static bool same_name(const char *line, struct slice name)
{
	return strncasecmp(line, name.p, name.n) == 0 && line[name.n] == ':';
}

static bool token_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

/* A later header of the same name takes the place of the former; an empty one leaves it out. */
static int put_header(struct header_list *l, struct arena *a, struct slice name, struct slice value,
                      struct error *err)
{
	size_t at = 0;
	value = slice_trim(value);
	if (!token_ok(name))
		return error_set(err, "'" SLICE_FMT "' is no name of a header", SLICE_ARG(name));
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return error_set(err,
			                 "the value of the header '" SLICE_FMT "' holds control characters",
			                 SLICE_ARG(name));
	if (value.n == 0)
		return 0;
	BUG_ON(l->n > HEADERS_MAX);
	while (at < l->n && !same_name(l->v[at], name))
		at++;
	if (at == HEADERS_MAX)
		return error_set(err, "more than %d headers", HEADERS_MAX);
	l->v[at] = arena_printf(a, SLICE_FMT ": " SLICE_FMT, SLICE_ARG(name), SLICE_ARG(value));
	l->n = MAX(l->n, at + 1);
	return 0;
}

static int put_headers(struct header_list *l, const struct pair *pairs, struct render *r, struct error *err)
{
	struct buf name = {0}, value = {0};
	int rc = 0;
	for (const struct pair *p = pairs; rc == 0 && p != NULL; p = p->next) {
		buf_clear(&name);
		buf_clear(&value);
		rc = expr_text(p->name, r, &name, err) != 0 || expr_text(p->value, r, &value, err) != 0 ? -1
		                                                                                        : 0;
		if (rc == 0 && name.n > 0)
			rc = put_header(l, r->arena, buf_slice(&name), buf_slice(&value), err);
	}
	buf_free(&name);
	buf_free(&value);
	return rc;
}

static int build_headers(const struct op *op, struct render *r, struct slice key, const char *const **out,
                         struct error *err)
{
	const struct ticket_profile *p = r->connection->profile;
	struct header_list l = {.v = arena_array(r->arena, HEADERS_MAX + 1, sizeof *l.v)};
	if (op->body != NULL &&
	    put_header(&l, r->arena, SLICE("Content-Type"), SLICE("application/json"), err) != 0)
		return -1;
	if (key.n > 0 && put_header(&l, r->arena, SLICE("Idempotency-Key"), key, err) != 0)
		return -1;
	if (put_headers(&l, p->headers, r, err) != 0 || put_headers(&l, op->headers, r, err) != 0 ||
	    put_headers(&l, p->auth, r, err) != 0)
		return -1;
	*out = l.v;
	return 0;
}

bool request_is_conditional(const struct op *op, const struct render *r)
{
	for (const struct pair *p = op->headers; r->version.n > 0 && p != NULL; p = p->next)
		if (expr_uses(p->value, SLICE("ticket.version")))
			return true;
	return false;
}

/* ---- */

static int build_body(const struct op *op, struct render *r, struct slice *out, struct error *err)
{
	struct json *j;
	struct buf b = {0};
	struct jw w = jw_new(&b);
	if (tree_value(op->body, r, &j, err) != 0)
		return -1;
	if (j != NULL)
		jw_tree(&w, j);
	*out = arena_slice(r->arena, j != NULL ? buf_slice(&b) : SLICE("{}"));
	buf_free(&b);
	return 0;
}

int request_build(const struct op *op, struct render *r, struct slice key, struct ticket_request *out,
                  struct error *err)
{
	*out = (struct ticket_request){.method = op->method};
	BUG_ON(op->method == NULL || op->url == NULL);
	if (build_url(op, r, &out->url, err) != 0 || build_headers(op, r, key, &out->headers, err) != 0)
		return -1;
	return op->body != NULL ? build_body(op, r, &out->body, err) : 0;
}

/* ---- the base */

static bool port_ok(struct slice s)
{
	int64_t n;
	return slice_int(s, &n) && n >= 1 && n <= 65535 && s.p[0] != '+';
}

static bool host_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '_'))
			return false;
	}
	return s.n > 0 && s.p[0] != '.' && s.p[0] != '-';
}

/* 127.0.0.0/8 in four numbers, ::1, localhost. Whether a name leads there is checked again when the socket is
 * opened. */
static bool loopback(struct slice host)
{
	struct slice rest = host, part;
	int64_t n;
	int parts = 0;
	if (slice_is(host, "localhost") || slice_is(host, "[::1]"))
		return true;
	for (; slice_split(&rest, '.', &part); parts++) {
		if (!slice_int(part, &n) || n < 0 || n > 255 || part.p[0] == '+' || part.p[0] == '-' ||
		    (parts == 0 && n != 127))
			return false;
		if (rest.p == NULL)
			break;
	}
	return parts == 3;
}

static bool authority(struct slice s, struct slice *host)
{
	size_t end = 0;
	if (slice_starts(s, SLICE("["))) {
		while (end < s.n && s.p[end] != ']')
			end++;
		for (size_t i = 1; i < end; i++)
			if (strchr("0123456789abcdefABCDEF:.", s.p[i]) == NULL)
				return false;
		*host = slice_sub(s, 0, end + 1);
		if (end < 3 || end == s.n)
			return false;
	} else {
		while (end < s.n && s.p[end] != ':')
			end++;
		*host = slice_sub(s, 0, end);
		if (!host_ok(*host))
			return false;
	}
	struct slice port = slice_sub(s, host->n, s.n);
	return port.n == 0 || (port.p[0] == ':' && port_ok(slice_sub(port, 1, port.n)));
}

int request_base_check(struct slice base, struct error *err)
{
	bool plain = slice_starts(base, SLICE("http://"));
	struct slice rest = slice_sub(base, plain ? 7 : 8, base.n), name, host;
	if (!plain && !slice_starts(base, SLICE("https://")))
		return error_set(err, "'" SLICE_FMT "' must begin with https:// (http:// only to loopback)",
		                 SLICE_ARG(base));
	for (size_t i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] <= ' ' || (unsigned char)rest.p[i] >= 0x7f ||
		    strchr("?#@\\\"<>", rest.p[i]) != NULL)
			return error_set(err,
			                 "'" SLICE_FMT
			                 "' must be an address such as https://tickets.example/rt, without "
			                 "user, query or fragment",
			                 SLICE_ARG(base));
	if (!slice_split(&rest, '/', &name) || !authority(name, &host))
		return error_set(err, "'" SLICE_FMT "' has no valid host and port", SLICE_ARG(base));
	if (plain && !loopback(host))
		return error_set(
		    err,
		    "'" SLICE_FMT
		    "': http:// is for loopback only, because tokens would travel readable; use https://",
		    SLICE_ARG(base));
	return 0;
}
