/* Promises the octets of a chunked body (RFC 9112 section 7.1), or a refusal: sizes are plain hex digits,
 * there are no extensions, trailers are checked and dropped. Pure. */
#include "net/http_server.h"

#include "base/mem.h"

enum chunk_state {
	CHUNK_SIZE_FIRST,
	CHUNK_SIZE,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER_FIRST,
	CHUNK_TRAILER,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF,
	CHUNK_DONE
};
enum { TRAILER_MAX = 4096, DIGITS_MAX = 16 };

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int refuse(int *status, const char **why, int code, const char *text)
{
	*status = code;
	*why = text;
	return -1;
}

/* The next state, or -1 for an octet that may not stand here. */
static int after_size(struct http_chunks *c, unsigned char b)
{
	const int d = hex(b);
	if (c->state == CHUNK_SIZE_FIRST)
		c->trailer = 0; /* counts digits here */
	if (d >= 0 && ++c->trailer <= DIGITS_MAX) {
		c->left = c->left << 4 | (unsigned)d;
		return CHUNK_SIZE;
	}
	return b == '\r' && c->state == CHUNK_SIZE ? CHUNK_SIZE_LF : -1;
}

static int after_trailer(struct http_chunks *c, unsigned char b)
{
	bool first = c->state == CHUNK_TRAILER_FIRST;
	if (b == '\r')
		return first ? CHUNK_END_LF : CHUNK_TRAILER_LF;
	if (++c->trailer > TRAILER_MAX || (b < 0x20 && b != '\t') || b == 0x7f)
		return -1;
	return first && (b == ' ' || b == '\t') ? -1 : CHUNK_TRAILER;
}

static int after_octet(struct http_chunks *c, unsigned char b)
{
	switch ((enum chunk_state)c->state) {
	case CHUNK_SIZE_FIRST:
	case CHUNK_SIZE: return after_size(c, b);
	case CHUNK_SIZE_LF:
		if (b != '\n')
			return -1;
		c->trailer = 0;
		return c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER_FIRST;
	case CHUNK_DATA_CR: return b == '\r' ? CHUNK_DATA_LF : -1;
	case CHUNK_DATA_LF: return b == '\n' ? CHUNK_SIZE_FIRST : -1;
	case CHUNK_TRAILER_FIRST:
	case CHUNK_TRAILER: return after_trailer(c, b);
	case CHUNK_TRAILER_LF: return b == '\n' ? CHUNK_TRAILER_FIRST : -1;
	case CHUNK_END_LF: return b == '\n' ? CHUNK_DONE : -1;
	case CHUNK_DATA:
	case CHUNK_DONE: break;
	}
	return -1;
}

static size_t take_data(struct http_chunks *c, struct slice rest, struct buf *body)
{
	size_t n = (size_t)MIN(c->left, (uint64_t)rest.n);
	buf_add(body, rest.p, n);
	c->left -= n;
	if (c->left == 0)
		c->state = CHUNK_DATA_CR;
	return n;
}

int http_chunks_feed(struct http_chunks *c, struct slice in, size_t *used, struct buf *body, size_t max_body,
                     int *status, const char **why)
{
	size_t at = 0;
	while (at < in.n && c->state != CHUNK_DONE) {
		if (c->state == CHUNK_DATA) {
			at += take_data(c, slice_sub(in, at, in.n - at), body);
			continue;
		}
		int next = after_octet(c, (unsigned char)in.p[at++]);
		if (next < 0)
			return refuse(status, why, 400, "an odd chunk in the body");
		c->state = next;
		/* refused before a single octet of it is kept */
		if (next == CHUNK_DATA && c->left > max_body - MIN(body->n, max_body))
			return refuse(status, why, 413, "the body is too large");
	}
	*used = at;
	return c->state == CHUNK_DONE;
}
