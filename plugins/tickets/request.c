/* Promises requests in which no value can leave its place: query values are percent-encoded, header values
 * have no line ends, bodies are written by a JSON writer. Must not know sockets. */
#include "plugins/tickets/request.h"

#include <openssl/evp.h>
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
		if (rc != 0 || name.n == 0 || (value.n == 0 && p->value->n > 0))
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

/* RFC 7617: the name must not hold a colon. */
static int put_basic(struct header_list *l, const struct expr *user, const struct expr *password,
                     struct render *r, struct error *err)
{
	struct buf b = {0}, line = {0};
	int rc = expr_text(user, r, &b, err);
	if (rc == 0 && b.n > 0 && memchr(b.p, ':', b.n) != NULL)
		rc = error_set(err, "a user name for HTTP Basic must not hold a colon");
	buf_char(&b, ':');
	if (rc == 0)
		rc = expr_text(password, r, &b, err);
	if (rc == 0) {
		buf_str(&line, "Basic ");
		buf_reserve(&line, b.n * 2 + 8);
		line.n += (size_t)EVP_EncodeBlock((unsigned char *)line.p + line.n,
		                                  (const unsigned char *)b.p, (int)b.n);
		rc = put_header(l, r->arena, SLICE("Authorization"), buf_slice(&line), err);
	}
	if (b.n > 0)
		explicit_bzero(b.p, b.n);
	buf_free(&b);
	buf_free(&line);
	return rc;
}

/* A login is not yet logged in: it has its own headers only. */
static int put_auth(struct header_list *l, const struct op *op, struct render *r, struct error *err)
{
	const struct ticket_profile *p = r->connection->profile;
	bool login = op == p->login;
	const struct expr *user = login ? op->user : p->user, *password = login ? op->password : p->password;
	if (user != NULL && put_basic(l, user, password, r, err) != 0)
		return -1;
	return login ? 0 : put_headers(l, p->auth, r, err);
}

static int build_headers(const struct op *op, struct render *r, struct slice key, const char *const **out,
                         struct error *err)
{
	const struct ticket_profile *p = r->connection->profile;
	struct header_list l = {.v = arena_array(r->arena, HEADERS_MAX + 1, sizeof *l.v)};
	struct slice type = op->form ? SLICE("application/x-www-form-urlencoded") : SLICE("application/json");
	if (op->body != NULL && put_header(&l, r->arena, SLICE("Content-Type"), type, err) != 0)
		return -1;
	if (key.n > 0 && put_header(&l, r->arena, SLICE("Idempotency-Key"), key, err) != 0)
		return -1;
	if (put_headers(&l, p->headers, r, err) != 0 || put_headers(&l, op->headers, r, err) != 0 ||
	    put_auth(&l, op, r, err) != 0)
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

static void form_field(struct slice key, const struct json *j, struct buf *out)
{
	struct buf text = {0};
	struct jw w = jw_new(&text);
	if (j->kind == JSON_OBJECT)
		jw_tree(&w, j);
	else
		buf_adds(&text, json_text(j));
	buf_str(out, out->n > 0 ? "&" : "");
	encode(key, out);
	buf_char(out, '=');
	if (text.n > 0)
		encode(buf_slice(&text), out);
	buf_free(&text);
}

/* A list repeats its key; a map travels as JSON text. */
static void write_form(const struct json *j, struct buf *out)
{
	for (const struct json *m = j->first; m != NULL; m = m->next) {
		if (m->kind != JSON_ARRAY)
			form_field(m->key, m, out);
		for (const struct json *x = m->kind == JSON_ARRAY ? m->first : NULL; x != NULL; x = x->next)
			form_field(m->key, x, out);
	}
}

static int build_body(const struct op *op, struct render *r, struct slice *out, struct error *err)
{
	struct json *j;
	struct buf b = {0};
	struct jw w = jw_new(&b);
	if (tree_value(op->body, r, &j, err) != 0)
		return -1;
	if (j != NULL && op->form)
		write_form(j, &b);
	else if (j != NULL)
		jw_tree(&w, j);
	*out = j != NULL && b.n > 0 ? arena_slice(r->arena, buf_slice(&b))
	       : op->form           ? SLICE("")
	                            : SLICE("{}");
	buf_free(&b);
	return 0;
}

int request_build(const struct op *op, struct render *r, struct slice key, struct ticket_request *out,
                  struct error *err)
{
	static const char *const none[] = {NULL};
	*out = (struct ticket_request){.method = op->method, .url = "", .headers = none};
	BUG_ON(op->method == NULL || (op->url == NULL) == (r->connection->profile->local == PROFILE_REMOTE));
	if (op->url != NULL &&
	    (build_url(op, r, &out->url, err) != 0 || build_headers(op, r, key, &out->headers, err) != 0))
		return -1;
	return op->body != NULL ? build_body(op, r, &out->body, err) : 0;
}

/* Scheme, host and port, without the path. */
static struct slice origin(struct slice url)
{
	size_t n = slice_starts(url, SLICE("https://")) ? 8 : slice_starts(url, SLICE("http://")) ? 7 : 0;
	while (n < url.n && strchr("/?#", url.p[n]) == NULL)
		n++;
	return slice_sub(url, 0, n);
}

int request_follow(const char *from, struct slice url, struct arena *a, const char **out, struct error *err)
{
	struct slice base = origin(slice_str(from));
	struct slice full =
	    slice_starts(url, SLICE("/")) && !slice_starts(url, SLICE("//"))
	        ? slice_str(arena_printf(a, SLICE_FMT SLICE_FMT, SLICE_ARG(base), SLICE_ARG(url)))
	        : url;
	for (size_t i = 0; i < full.n; i++)
		if ((unsigned char)full.p[i] <= ' ' || (unsigned char)full.p[i] >= 0x7f ||
		    strchr("\"<>\\#", full.p[i]) != NULL)
			return error_set(
			    err, "the address of the next page holds characters that do not belong there");
	if (full.n > URL_MAX)
		return error_set(err, "the address of the next page is longer than %d octets", URL_MAX);
	if (!slice_ieq(origin(full), base))
		return error_set(
		    err, "the next page lies elsewhere, at '" SLICE_FMT "'; only " SLICE_FMT " is asked",
		    SLICE_ARG(slice_sub(full, 0, 120)), SLICE_ARG(base));
	*out = arena_str(a, full);
	return 0;
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
