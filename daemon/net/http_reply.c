/* Promises well-formed answers whatever the caller gives. Must not know how requests came in. */
#include "net/http_conn.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Status";
}

/* RFC 9110 section 5.6.7; written once a second. */
static const char *date(struct http_server *s)
{
	static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t second = loop_now(s->loop) / SECOND;
	int y, mo, d, h, mi, sec;
	if (second == s->date_second)
		return s->date;
	s->date_second = second;
	instant_split(second * SECOND, &y, &mo, &d, &h, &mi, &sec);
	snprintf(s->date, sizeof s->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	         days + second / 86400 % 7 * 3, d, months + (mo - 1) * 3, y, h, mi, sec);
	return s->date;
}

static void begin(struct http_conn *c, int status, const char *type, const char *extra)
{
	struct buf *o = &c->out;
	BUG_ON(status < 100 || status > 599);
	buf_printf(o, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_reason(status), date(c->server));
	if (type != NULL)
		buf_printf(o, "Content-Type: %s\r\n", type);
	if (extra != NULL)
		buf_str(o, extra);
	if (c->end_after)
		buf_str(o, "Connection: close\r\n");
}

void http_conn_answer(struct http_conn *c, int status, const char *type, struct slice body, const char *extra,
                      bool no_body)
{
	bool empty = status == 204 || status == 304 || status < 200;
	begin(c, status, empty ? NULL : type, extra);
	if (!empty)
		buf_printf(&c->out, "Content-Length: %zu\r\n", body.n);
	buf_str(&c->out, "\r\n");
	if (!empty && !no_body && body.n > 0)
		buf_adds(&c->out, body);
}

static struct http_conn *conn_of(const struct http_request *r)
{
	BUG_ON(r->magic != HTTP_REQUEST_MAGIC || r->conn->magic != HTTP_CONN_MAGIC || r->conn->req != r);
	return r->conn;
}

/* The request is over; the next one may be waiting. */
static void finish(struct http_conn *c)
{
	const struct http_limits *lim = &c->server->lim;
	http_conn_end_request(c);
	c->state = c->end_after ? HTTP_LINGER : HTTP_HEAD;
	/* a client that never reads its answer is not kept either */
	http_conn_deadline(c, c->end_after ? lim->body_time : lim->idle);
	if (!c->broken)
		http_conn_run(c);
}

void http_reply(struct http_request *r, int status, const char *content_type, struct slice body,
                const char *extra)
{
	struct http_conn *c = conn_of(r);
	BUG_ON(c->state != HTTP_ANSWER);
	c->end_after |= !r->head.keep_alive;
	http_conn_answer(c, status, content_type, body, extra, slice_is(r->head.method, "HEAD"));
	finish(c);
}

void http_problem(struct http_request *r, int status, const char *fmt, ...)
{
	char detail[512];
	struct buf b = {0};
	struct jw w = jw_new(&b);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	jw_object(&w);
	jw_kstr(&w, "type", "about:blank");
	jw_kstr(&w, "title", http_reason(status));
	jw_kint(&w, "status", status);
	jw_kstr(&w, "detail", detail);
	jw_end(&w);
	http_reply(r, status, "application/problem+json", buf_slice(&b), NULL);
	buf_free(&b);
}

void http_stream_start(struct http_request *r, const char *content_type)
{
	struct http_conn *c = conn_of(r);
	BUG_ON(c->state != HTTP_ANSWER);
	c->stream_chunked = r->head.minor > 0;
	c->end_after |= !r->head.keep_alive || !c->stream_chunked;
	begin(c, 200, content_type, "Cache-Control: no-store\r\n");
	buf_str(&c->out, c->stream_chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
	c->state = HTTP_STREAM;
	http_conn_write(c);
	http_conn_watch(c);
}

bool http_stream_send(struct http_request *r, struct slice piece)
{
	struct http_conn *c = conn_of(r);
	BUG_ON(c->state != HTTP_STREAM);
	if (c->broken || c->at_end)
		return false;
	if (piece.n == 0)
		return true; /* an empty chunk would end it */
	if (c->out.n - c->out_at + piece.n > HTTP_STREAM_BEHIND) {
		http_conn_break(c);
		return false;
	}
	if (c->stream_chunked)
		buf_printf(&c->out, "%zx\r\n", piece.n);
	buf_adds(&c->out, piece);
	if (c->stream_chunked)
		buf_str(&c->out, "\r\n");
	http_conn_write(c);
	http_conn_watch(c);
	return !c->broken;
}

void http_stream_end(struct http_request *r)
{
	struct http_conn *c = conn_of(r);
	BUG_ON(c->state != HTTP_STREAM);
	if (c->stream_chunked)
		buf_str(&c->out, "0\r\n\r\n");
	finish(c);
}
