/* Heads and chunked bodies: what one shot reads, octet by octet reads the same; slices stay inside; a refusal
 * has a status and a reason. Input: a head, then a body taken as chunks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	int64_t n;
	int status;
	const char *why;
	struct http_head head;
	struct http_header headers[HTTP_HEADERS_MAX];
};

static void parse(char *in, size_t n, struct result *r)
{
	r->status = 0;
	r->why = NULL;
	r->n = http_head_parse(in, n, &r->head, r->headers, HTTP_HEADERS_MAX, &r->status, &r->why);
	BUG_ON(r->n < -1 || r->n > (int64_t)n);
	BUG_ON((r->n < 0) != (r->status >= 400 && r->why != NULL));
}

static bool inside(struct slice s, const char *in, size_t n, const struct http_head *h)
{
	uintptr_t p = (uintptr_t)s.p, a = (uintptr_t)in, d = (uintptr_t)h->decoded;
	return s.n == 0 || (p >= a && p + s.n <= a + n) || (p >= d && p + s.n <= d + sizeof h->decoded);
}

static void check_head(const struct result *r, const char *in, size_t n)
{
	const struct http_head *h = &r->head;
	BUG_ON(!inside(h->method, in, n, h) || !inside(h->target, in, n, h) || !inside(h->path, in, n, h) ||
	       !inside(h->query, in, n, h));
	BUG_ON(h->method.n == 0 || h->target.n == 0 || h->path.n == 0 || h->n_headers > HTTP_HEADERS_MAX);
	BUG_ON(h->chunked && (h->content_length >= 0 || h->minor == 0));
	BUG_ON(slice_contains(h->path, SLICE("/../")) || memchr(h->path.p, '\0', h->path.n) != NULL);
	for (size_t i = 0; i < h->n_headers; i++) {
		struct http_header x = h->headers[i];
		BUG_ON(!inside(x.name, in, n, h) || !inside(x.value, in, n, h) || x.name.n == 0);
		for (size_t k = 0; k < x.name.n; k++)
			BUG_ON(x.name.p[k] <= ' ' || (x.name.p[k] >= 'A' && x.name.p[k] <= 'Z') ||
			       x.name.p[k] == ':');
		BUG_ON(memchr(x.value.p, '\r', x.value.n) != NULL ||
		       memchr(x.value.p, '\n', x.value.n) != NULL);
	}
}

/* Every shorter prefix needs more, or is refused when the whole is. */
static void check_prefixes(const uint8_t *data, size_t size, const struct result *whole)
{
	size_t end = whole->n > 0 ? (size_t)whole->n : size;
	struct result *r = xmalloc(sizeof *r);
	for (size_t n = 0; n < end; n++) {
		char *in = xmalloc(n + 1);
		memcpy(in, data, n);
		parse(in, n, r);
		BUG_ON(r->n > 0 || (r->n < 0 && whole->n >= 0));
		free(in);
	}
	free(r);
}

static int feed(const uint8_t *data, size_t size, size_t step, struct buf *body, size_t *used, int *status)
{
	struct http_chunks c = {0};
	const char *why = NULL;
	int rc = 0;
	*used = 0;
	*status = 0;
	for (size_t at = 0; at < size && rc == 0; at += step) {
		size_t u = 0;
		rc = http_chunks_feed(&c, slice_of(data + at, MIN(step, size - at)), &u, body, 1000, status,
		                      &why);
		BUG_ON(u > MIN(step, size - at) || body->n > 1000 ||
		       (rc < 0) != (*status >= 400 && why != NULL));
		*used += u;
	}
	return rc;
}

static void check_chunks(const uint8_t *data, size_t size)
{
	struct buf a = {0}, b = {0};
	size_t used_a, used_b;
	int status_a, status_b;
	int rc_a = feed(data, size, size + 1, &a, &used_a, &status_a);
	int rc_b = feed(data, size, 1, &b, &used_b, &status_b);
	BUG_ON(rc_a != rc_b || status_a != status_b || !slice_eq(buf_slice(&a), buf_slice(&b)));
	BUG_ON(rc_a > 0 && used_a != used_b);
	buf_free(&a);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result *r = xmalloc(sizeof *r);
	size = MIN(size, (size_t)2048);
	char *in = xmalloc(size + (size == 0));
	if (size > 0)
		memcpy(in, data, size);
	parse(in, size, r);
	if (r->n > 0)
		check_head(r, in, (size_t)r->n);
	check_prefixes(data, size, r);
	size_t body = r->n > 0 ? (size_t)r->n : 0;
	check_chunks(data + body, size - body);
	free(in);
	free(r);
	return 0;
}
