/* Promises that a head is taken exactly as RFC 9112 writes it, or refused: what two programs could read
 * differently is no request. Pure. Must not know connections. */
#include "net/http_server.h"

#include "base/mem.h"

struct head_parse {
	struct http_head *out;
	struct http_header *headers;
	size_t max;
	int status;
	const char *why;
	unsigned seen; /* enum single, one bit each */
};

/* Headers that may come only once. */
enum single {
	SINGLE_HOST,
	SINGLE_LENGTH,
	SINGLE_TRANSFER,
	SINGLE_TYPE,
	SINGLE_AUTH,
	SINGLE_ENCODING,
	SINGLE_EXPECT
};

static bool refuse(struct head_parse *p, int status, const char *why)
{
	p->status = status;
	p->why = why;
	return false;
}

static bool is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_token_char((unsigned char)s.p[i]))
			return false;
	}
	return s.n > 0;
}

/* ---- where the head ends */

enum line_end { LINE_WHOLE, LINE_PART, LINE_BAD };

/* One line up to CRLF. A lone CR or LF, or NUL, is not for us to interpret. */
static enum line_end line_next(const char *in, size_t n, size_t *len)
{
	const char *lf = memchr(in, '\n', n);
	size_t whole = lf != NULL ? (size_t)(lf - in) : n;
	const char *cr = memchr(in, '\r', whole);
	if (memchr(in, '\0', whole) != NULL)
		return LINE_BAD;
	if (lf == NULL) {
		*len = n;
		return cr == NULL || cr == in + n - 1 ? LINE_PART : LINE_BAD;
	}
	if (cr == NULL || cr != lf - 1)
		return LINE_BAD;
	*len = whole - 1;
	return LINE_WHOLE;
}

/* Octets of the head with its empty line; 0 if it is not whole; -1. *begin: after one empty line that may
 * come first. */
static int64_t head_end(const char *in, size_t n, size_t *begin)
{
	size_t at = 0, len = 0;
	*begin = 0;
	while (at < n) {
		enum line_end e = line_next(in + at, n - at, &len);
		if (e == LINE_BAD)
			return -1;
		if (e == LINE_PART)
			return 0;
		at += len + 2;
		if (len == 0 && at == 2)
			*begin = 2;
		else if (len == 0)
			return (int64_t)at;
	}
	return 0;
}

/* ---- request line */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode_path(struct head_parse *p, struct slice raw)
{
	struct http_head *h = p->out;
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		int c = (unsigned char)raw.p[i];
		if (c == '%') {
			if (raw.n - i < 3 || hex(raw.p[i + 1]) < 0 || hex(raw.p[i + 2]) < 0)
				return refuse(p, 400, "a broken % escape in the path");
			c = hex(raw.p[i + 1]) << 4 | hex(raw.p[i + 2]);
			i += 2;
			/* an escaped slash would move the border of a segment */
			if (c < 0x20 || c == 0x7f || c == '/')
				return refuse(p, 400, "an escaped slash or control character in the path");
		}
		if (n == sizeof h->decoded)
			return refuse(p, 414, "the path is too long");
		h->decoded[n++] = (char)c;
	}
	h->path = slice_of(h->decoded, n);
	return true;
}

static bool has_dot_segment(struct slice path)
{
	struct slice part, rest = path;
	while (slice_split(&rest, '/', &part)) {
		if (slice_is(part, ".") || slice_is(part, ".."))
			return true;
	}
	return false;
}

static bool parse_path(struct head_parse *p, struct slice raw)
{
	const char *mark = memchr(raw.p, '?', raw.n);
	if (mark != NULL) {
		p->out->query = slice_of(mark + 1, raw.n - (size_t)(mark + 1 - raw.p));
		raw.n = (size_t)(mark - raw.p);
	}
	p->out->path = raw;
	if (memchr(raw.p, '%', raw.n) != NULL && !decode_path(p, raw))
		return false;
	if (has_dot_segment(p->out->path))
		return refuse(p, 400, "dot segments in the path");
	return true;
}

static bool parse_target(struct head_parse *p)
{
	struct slice t = p->out->target;
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return refuse(p, 400, "a character that a request target may not have");
	}
	if (t.n > 0 && t.p[0] == '/')
		return parse_path(p, t);
	if (slice_is(t, "*") && slice_is(p->out->method, "OPTIONS")) {
		p->out->path = t;
		return true;
	}
	if (!slice_starts(t, SLICE("http://")) && !slice_starts(t, SLICE("https://")))
		return refuse(p, 400, "the request target is neither a path nor a URL");
	/* absolute form: the authority must be there, then it is a path like any other */
	struct slice rest = slice_sub(t, t.p[4] == 's' ? 8 : 7, t.n);
	const char *slash = memchr(rest.p, '/', rest.n);
	if (slash == NULL || slash == rest.p || memchr(rest.p, '@', (size_t)(slash - rest.p)) != NULL)
		return refuse(p, 400, "a URL as request target needs a host and a path");
	return parse_path(p, slice_of(slash, rest.n - (size_t)(slash - rest.p)));
}

static bool parse_version(struct head_parse *p, struct slice v)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' || v.p[5] < '0' || v.p[5] > '9' ||
	    v.p[7] < '0' || v.p[7] > '9')
		return refuse(p, 400, "no HTTP version in the request line");
	if (v.p[5] != '1' || v.p[7] > '1')
		return refuse(p, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	p->out->minor = v.p[7] - '0';
	return true;
}

static bool parse_request_line(struct head_parse *p, struct slice line)
{
	struct slice version = SLICE_NONE, rest = line;
	bool parts = slice_split(&rest, ' ', &p->out->method) && slice_split(&rest, ' ', &p->out->target) &&
	             slice_split(&rest, ' ', &version) && rest.p == NULL;
	if (!is_token(p->out->method) || p->out->method.n > 32)
		return refuse(p, 400, "no method in the request line");
	if (!parts)
		return refuse(p, 400, "the request line is not METHOD SP target SP version");
	return parse_version(p, version) && parse_target(p);
}

/* ---- header lines */

static bool once(struct head_parse *p, enum single which)
{
	bool again = (p->seen & 1u << which) != 0;
	p->seen |= 1u << which;
	return !again;
}

static bool on_length(struct head_parse *p, struct slice v)
{
	int64_t n = 0;
	if (!once(p, SINGLE_LENGTH))
		return refuse(p, 400, "two Content-Length headers");
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return refuse(p, 400, "Content-Length is no number");
		if (i >= 18)
			return refuse(p, 413, "Content-Length is too large");
		n = n * 10 + (v.p[i] - '0');
	}
	if (v.n == 0)
		return refuse(p, 400, "Content-Length is empty");
	p->out->content_length = n;
	return true;
}

static bool on_transfer(struct head_parse *p, struct slice v)
{
	if (!once(p, SINGLE_TRANSFER))
		return refuse(p, 400, "two Transfer-Encoding headers");
	if (!slice_ieq(v, SLICE("chunked")))
		return refuse(p, 501, "the only known Transfer-Encoding is chunked");
	if (p->out->minor == 0)
		return refuse(p, 400, "HTTP/1.0 has no Transfer-Encoding");
	p->out->chunked = true;
	return true;
}

static bool on_host(struct head_parse *p, struct slice v)
{
	if (!once(p, SINGLE_HOST))
		return refuse(p, 400, "two Host headers");
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if (c <= 0x20 || c >= 0x7f || strchr("/?#@\\,", c) != NULL)
			return refuse(p, 400, "Host is no host");
	}
	return true;
}

static bool on_encoding(struct head_parse *p, struct slice v)
{
	if (!once(p, SINGLE_ENCODING) || !slice_ieq(v, SLICE("identity")))
		return refuse(p, 415, "no Content-Encoding is accepted");
	return true;
}

static bool on_expect(struct head_parse *p, struct slice v)
{
	if (!once(p, SINGLE_EXPECT) || !slice_ieq(v, SLICE("100-continue")))
		return refuse(p, 417, "the only known expectation is 100-continue");
	p->out->expect_continue = p->out->minor > 0;
	return true;
}

static bool on_connection(struct head_parse *p, struct slice v)
{
	struct slice word;
	while (slice_split(&v, ',', &word)) {
		word = slice_trim(word);
		if (slice_ieq(word, SLICE("close")))
			p->out->keep_alive = false;
		else if (slice_ieq(word, SLICE("keep-alive")) && p->out->minor == 0)
			p->out->keep_alive = true;
	}
	return true;
}

static bool on_type(struct head_parse *p, struct slice v)
{
	(void)v;
	return once(p, SINGLE_TYPE) || refuse(p, 400, "two Content-Type headers");
}

static bool on_authorization(struct head_parse *p, struct slice v)
{
	(void)v;
	return once(p, SINGLE_AUTH) || refuse(p, 400, "two Authorization headers");
}

static const struct {
	const char *name;
	bool (*fn)(struct head_parse *p, struct slice v);
} known[] = {
    {"content-length", on_length}, {"transfer-encoding", on_transfer},  {"host", on_host},
    {"connection", on_connection}, {"content-encoding", on_encoding},   {"expect", on_expect},
    {"content-type", on_type},     {"authorization", on_authorization},
};

static bool on_header(struct head_parse *p, const struct http_header *h)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (slice_is(h->name, known[i].name))
			return known[i].fn(p, h->value);
	}
	return true;
}

static bool value_is_clean(struct slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool parse_header(struct head_parse *p, char *line, size_t n)
{
	struct http_head *out = p->out;
	if (line[0] == ' ' || line[0] == '\t')
		return refuse(p, 400, "a folded header line");
	char *colon = memchr(line, ':', n);
	if (colon == NULL)
		return refuse(p, 400, "a header line without a colon");
	struct slice name = slice_of(line, (size_t)(colon - line));
	struct slice value = slice_trim(slice_of(colon + 1, n - name.n - 1));
	if (!is_token(name))
		return refuse(p, 400, "a header name with a space or another forbidden character");
	if (!value_is_clean(value))
		return refuse(p, 400, "a control character in a header");
	if (out->n_headers == p->max)
		return refuse(p, 431, "too many header lines");
	for (char *c = line; c < colon; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
	struct http_header *h = &p->headers[out->n_headers++];
	*h = (struct http_header){name, value};
	return on_header(p, h);
}

static bool parse_whole(struct head_parse *p, char *in, size_t n)
{
	size_t at = 0, len = 0;
	bool first = true;
	for (;;) {
		enum line_end e = line_next(in + at, n - at, &len);
		BUG_ON(e != LINE_WHOLE); /* head_end has seen them all */
		if (len == 0)
			break;
		if (first ? !parse_request_line(p, slice_of(in + at, len)) : !parse_header(p, in + at, len))
			return false;
		p->out->keep_alive = first ? p->out->minor > 0 : p->out->keep_alive;
		first = false;
		at += len + 2;
	}
	if (first)
		return refuse(p, 400, "no request line");
	if (p->out->chunked && p->out->content_length >= 0)
		return refuse(p, 400, "Content-Length and Transfer-Encoding together");
	if (p->out->minor > 0 && (p->seen & 1u << SINGLE_HOST) == 0)
		return refuse(p, 400, "no Host header");
	return true;
}

int64_t http_head_parse(char *in, size_t n, struct http_head *out, struct http_header *headers, size_t max,
                        int *status, const char **why)
{
	struct head_parse p = {.out = out, .headers = headers, .max = max};
	size_t begin;
	int64_t end = head_end(in, n, &begin);
	if (end == 0)
		return 0;
	if (end < 0) {
		*status = 400;
		*why = "a lone CR or LF, or NUL, in the head";
		return -1;
	}
	/* not the whole struct: `decoded` needs no clearing */
	out->method = out->target = out->path = out->query = SLICE_NONE;
	out->headers = headers;
	out->n_headers = 0;
	out->minor = 0;
	out->content_length = -1;
	out->chunked = out->keep_alive = out->expect_continue = false;
	if (parse_whole(&p, in + begin, (size_t)end - begin))
		return end;
	BUG_ON(p.status < 400 || p.why == NULL);
	*status = p.status;
	*why = p.why;
	return -1;
}
