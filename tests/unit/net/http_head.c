/* The head and chunk parsers: every smuggling form is refused, and what is right is read rightly in pieces of
 * any size. */
#include "t.h"

#include <stdlib.h>
#include <string.h>

#include "net/http_server.h"

struct parsed {
	int64_t n;
	int status;
	const char *why;
	struct http_head head;
	struct http_header headers[HTTP_HEADERS_MAX];
	char *in;
};

static struct parsed *parse(const char *text, size_t n)
{
	struct parsed *p = calloc(1, sizeof *p);
	p->in = malloc(n + (n == 0)); /* of the exact size: an over-read is seen */
	memcpy(p->in, text, n);
	p->n = http_head_parse(p->in, n, &p->head, p->headers, HTTP_HEADERS_MAX, &p->status, &p->why);
	return p;
}

static void drop(struct parsed *p)
{
	free(p->in);
	free(p);
}

#define H       "Host: a\r\n"
#define G       "GET / HTTP/1.1\r\n"
#define P       "POST /x HTTP/1.1\r\n" H
#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *what;
	const char *text;
	size_t n;
	int status;
} refused[] = {
    {"bare LF after the request line", TEXT("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400},
    {"bare LF between headers", TEXT(G "Host: a\nX: y\r\n\r\n"), 400},
    {"bare LF as the end", TEXT(G H "\n"), 400},
    {"bare CR inside", TEXT(G "Host: a\rX: y\r\n\r\n"), 400},
    {"two CR", TEXT(G "Host: a\r\r\n\r\n"), 400},
    {"NUL in a value", TEXT(G "Host: a\0b\r\n\r\n"), 400},
    {"NUL in the target", TEXT("GET /\0 HTTP/1.1\r\n" H "\r\n"), 400},
    {"folded header with space", TEXT(G H "X: a\r\n b\r\n\r\n"), 400},
    {"folded header with tab", TEXT(G H "X: a\r\n\tb\r\n\r\n"), 400},
    {"first header folded", TEXT(G " Host: a\r\n\r\n"), 400},
    {"two Content-Lengths, different", TEXT(P "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"), 400},
    {"two Content-Lengths, the same", TEXT(P "Content-Length: 3\r\ncontent-length: 3\r\n\r\n"), 400},
    {"a list of lengths", TEXT(P "Content-Length: 3, 3\r\n\r\n"), 400},
    {"length with plus", TEXT(P "Content-Length: +3\r\n\r\n"), 400},
    {"negative length", TEXT(P "Content-Length: -3\r\n\r\n"), 400},
    {"hex length", TEXT(P "Content-Length: 0x3\r\n\r\n"), 400},
    {"empty length", TEXT(P "Content-Length: \r\n\r\n"), 400},
    {"length with inner space", TEXT(P "Content-Length: 3 0\r\n\r\n"), 400},
    {"huge length", TEXT(P "Content-Length: 99999999999999999999\r\n\r\n"), 413},
    {"length and chunked", TEXT(P "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"chunked and length", TEXT(P "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), 400},
    {"two Transfer-Encodings", TEXT(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
     400},
    {"gzip, chunked", TEXT(P "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
    {"chunked, identity", TEXT(P "Transfer-Encoding: chunked, identity\r\n\r\n"), 501},
    {"xchunked", TEXT(P "Transfer-Encoding: xchunked\r\n\r\n"), 501},
    {"chunked with vertical tab", TEXT(P "Transfer-Encoding: \vchunked\r\n\r\n"), 400},
    {"chunked in HTTP/1.0", TEXT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"space before the colon", TEXT(P "Content-Length : 3\r\n\r\n"), 400},
    {"tab before the colon", TEXT(P "Transfer-Encoding\t: chunked\r\n\r\n"), 400},
    {"empty header name", TEXT(P ": 3\r\n\r\n"), 400},
    {"no colon", TEXT(P "nonsense\r\n\r\n"), 400},
    {"no Host", TEXT(G "\r\n"), 400},
    {"two Hosts", TEXT(G H "Host: b\r\n\r\n"), 400},
    {"Host with a path", TEXT(G "Host: a/b\r\n\r\n"), 400},
    {"Host with a space", TEXT(G "Host: a b\r\n\r\n"), 400},
    {"two Content-Types", TEXT(P "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"), 400},
    {"two Authorizations", TEXT(P "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"), 400},
    {"Content-Encoding", TEXT(P "Content-Encoding: gzip\r\n\r\n"), 415},
    {"unknown expectation", TEXT(P "Expect: tea\r\n\r\n"), 417},
    {"HTTP/0.9", TEXT("GET /\r\n\r\n"), 400},
    {"HTTP/2.0", TEXT("GET / HTTP/2.0\r\n\r\n"), 505},
    {"HTTP/1.2", TEXT("GET / HTTP/1.2\r\n" H "\r\n"), 505},
    {"lower-case version", TEXT("GET / http/1.1\r\n" H "\r\n"), 400},
    {"version with plus", TEXT("GET / HTTP/+1.1\r\n" H "\r\n"), 400},
    {"two spaces", TEXT("GET  / HTTP/1.1\r\n" H "\r\n"), 400},
    {"trailing space", TEXT("GET / HTTP/1.1 \r\n" H "\r\n"), 400},
    {"tab as separator", TEXT("GET\t/ HTTP/1.1\r\n" H "\r\n"), 400},
    {"leading space", TEXT(" GET / HTTP/1.1\r\n" H "\r\n"), 400},
    {"method with a bracket", TEXT("G(T / HTTP/1.1\r\n" H "\r\n"), 400},
    {"authority form", TEXT("CONNECT a:443 HTTP/1.1\r\n" H "\r\n"), 400},
    {"URL with user", TEXT("GET http://u@a/ HTTP/1.1\r\n" H "\r\n"), 400},
    {"URL without host", TEXT("GET http:///x HTTP/1.1\r\n" H "\r\n"), 400},
    {"fragment", TEXT("GET /#x HTTP/1.1\r\n" H "\r\n"), 400},
    {"octet above 127", TEXT("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"), 400},
    {"dot segment", TEXT("GET /a/../b HTTP/1.1\r\n" H "\r\n"), 400},
    {"escaped dot segment", TEXT("GET /a/%2e%2E/b HTTP/1.1\r\n" H "\r\n"), 400},
    {"single dot", TEXT("GET /a/. HTTP/1.1\r\n" H "\r\n"), 400},
    {"escaped slash", TEXT("GET /a%2Fb HTTP/1.1\r\n" H "\r\n"), 400},
    {"escaped NUL", TEXT("GET /a%00 HTTP/1.1\r\n" H "\r\n"), 400},
    {"escaped CR", TEXT("GET /a%0d HTTP/1.1\r\n" H "\r\n"), 400},
    {"broken escape", TEXT("GET /a%4 HTTP/1.1\r\n" H "\r\n"), 400},
    {"no hex escape", TEXT("GET /a%zz HTTP/1.1\r\n" H "\r\n"), 400},
    {"control character in a value", TEXT(G H "X: a\x01\r\n\r\n"), 400},
    {"two empty lines", TEXT("\r\n\r\n"), 400},
    {"request line empty after one", TEXT("\r\n\r\n" G H "\r\n"), 400},
};

static void smuggling_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct parsed *p = parse(refused[i].text, refused[i].n);
		if (p->n != -1 || p->status != refused[i].status)
			fail_msg("%s: n %d status %d", refused[i].what, (int)p->n, p->status);
		assert_non_null(p->why);
		drop(p);
	}
}

static void reads_a_head(void **state)
{
	(void)state;
	static const char text[] =
	    "\r\nPOST /api/v2/a%20b%C3%a4?x=%2F&y HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\n"
	    "Content-Encoding: identity\r\nEXPECT: 100-Continue\r\nX-Empty:\r\nX-Tab: \ta\tb \r\n"
	    "X-High: \xe4\r\n\r\nbody";
	struct parsed *p = parse(TEXT(text));
	assert_int_equal(p->n, sizeof text - 1 - 4);
	assert_true(slice_is(p->head.method, "POST"));
	assert_true(slice_is(p->head.target, "/api/v2/a%20b%C3%a4?x=%2F&y"));
	assert_true(slice_is(p->head.path, "/api/v2/a b\xc3\xa4"));
	assert_true(slice_is(p->head.query, "x=%2F&y"));
	assert_int_equal(p->head.content_length, 12);
	assert_int_equal(p->head.minor, 1);
	assert_true(p->head.keep_alive && p->head.expect_continue && !p->head.chunked);
	assert_int_equal(p->head.n_headers, 7);
	assert_true(slice_is(p->headers[3].name, "expect"));
	assert_int_equal(p->headers[4].value.n, 0);
	assert_true(slice_is(p->headers[5].value, "a\tb"));
	drop(p);
}

static void reads_variants(void **state)
{
	(void)state;
	struct parsed *p = parse(TEXT("GET http://carillon.example/-/ready HTTP/1.0\r\n\r\n"));
	assert_true(p->n > 0 && slice_is(p->head.path, "/-/ready") && !p->head.keep_alive);
	assert_int_equal(p->head.content_length, -1);
	drop(p);
	p = parse(TEXT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
	assert_true(p->n > 0 && p->head.keep_alive);
	drop(p);
	p = parse(TEXT(G H "Connection: x, Close\r\n\r\n"));
	assert_true(p->n > 0 && !p->head.keep_alive);
	drop(p);
	p = parse(TEXT(P "Transfer-Encoding: Chunked\r\n\r\n"));
	assert_true(p->n > 0 && p->head.chunked);
	drop(p);
	p = parse(TEXT("OPTIONS * HTTP/1.1\r\n" H "\r\n"));
	assert_true(p->n > 0 && slice_is(p->head.path, "*"));
	drop(p);
	p = parse(TEXT("GET /a..b/...?.. HTTP/1.1\r\n" H "\r\n"));
	assert_true(p->n > 0 && slice_is(p->head.path, "/a..b/..."));
	drop(p);
}

static void every_prefix_needs_more(void **state)
{
	(void)state;
	static const char text[] = "PUT /a%20b HTTP/1.1\r\n" H "Content-Length: 3\r\nX: y\r\n\r\n";
	for (size_t n = 0; n < sizeof text - 1; n++) {
		struct parsed *p = parse(text, n);
		assert_int_equal(p->n, 0);
		drop(p);
	}
}

static void too_many_headers(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_str(&b, G H);
	for (int i = 0; i < HTTP_HEADERS_MAX - 1; i++)
		buf_str(&b, "X: y\r\n");
	buf_str(&b, "\r\n");
	struct parsed *p = parse(b.p, b.n);
	assert_true(p->n > 0);
	drop(p);
	b.n -= 2;
	buf_str(&b, "X: y\r\n\r\n");
	p = parse(b.p, b.n);
	assert_true(p->n == -1 && p->status == 431);
	drop(p);
	buf_free(&b);
}

static void long_escaped_path(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_str(&b, "GET /");
	for (int i = 0; i < 1100; i++)
		buf_str(&b, "%41");
	buf_str(&b, " HTTP/1.1\r\n" H "\r\n");
	struct parsed *p = parse(b.p, b.n);
	assert_true(p->n == -1 && p->status == 414);
	drop(p);
	buf_free(&b);
}

/* ---- chunks */

static int chunks(const char *text, size_t n, size_t step, size_t max, struct buf *body, size_t *used,
                  int *status)
{
	struct http_chunks c = {0};
	const char *why = NULL;
	int rc = 0;
	*used = 0;
	*status = 0;
	for (size_t at = 0; at < n && rc == 0; at += step) {
		size_t u = 0, len = MIN(step, n - at);
		char *piece = malloc(len);
		memcpy(piece, text + at, len);
		rc = http_chunks_feed(&c, slice_of(piece, len), &u, body, max, status, &why);
		*used += u;
		free(piece);
	}
	return rc;
}

static void chunks_in_pieces(void **state)
{
	(void)state;
	static const char text[] = "5\r\nhello\r\n00A\r\n, world!!\n\r\n0\r\nX-Trailer: a\r\nY:b\r\n\r\nnext";
	for (size_t step = 1; step <= sizeof text; step++) {
		struct buf body = {0};
		size_t used;
		int status;
		assert_int_equal(chunks(TEXT(text), step, 100, &body, &used, &status), 1);
		assert_int_equal(used, sizeof text - 1 - 4);
		assert_int_equal(body.n, 15);
		assert_memory_equal(body.p, "hello, world!!\n", 15);
		buf_free(&body);
	}
}

static void odd_chunks_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "+3\r\nabc\r\n0\r\n\r\n",
	    "-3\r\nabc\r\n",
	    "0x3\r\nabc\r\n0\r\n\r\n",
	    " 3\r\nabc\r\n",
	    "3 \r\nabc\r\n",
	    "3;ext\r\nabc\r\n",
	    "3\nabc\n0\n\n",
	    "\r\nabc\r\n",
	    "3\r\nabcd\r\n",
	    "3\r\nabc\n",
	    "g\r\n",
	    "3\r\r\nabc",
	    "0\r\n folded\r\n\r\n",
	    "0\r\nX: y\n\r\n",
	    "0\r\n\n",
	    "00000000000000003\r\nabc",
	    "ffffffffffffffff1\r\nabc",
	    "3\r\nabc\r\n\r\n",
	    "0\r\nX: \x01\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (size_t step = 1; step < 9; step += 7) {
			struct buf body = {0};
			size_t used;
			int status;
			if (chunks(bad[i], strlen(bad[i]), step, 100, &body, &used, &status) != -1 ||
			    status != 400)
				fail_msg("%s", bad[i]);
			buf_free(&body);
		}
	}
}

static void chunked_bodies_have_a_limit(void **state)
{
	(void)state;
	struct buf body = {0};
	size_t used;
	int status;
	assert_int_equal(chunks(TEXT("4\r\nabcd\r\n1\r\ne\r\n"), 1, 4, &body, &used, &status), -1);
	assert_int_equal(status, 413);
	assert_int_equal(body.n, 4);
	assert_int_equal(chunks(TEXT("ffffffffffffffff\r\na"), 1, 100, &body, &used, &status), -1);
	assert_int_equal(status, 413);
	buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(smuggling_is_refused),
	    cmocka_unit_test(reads_a_head),
	    cmocka_unit_test(reads_variants),
	    cmocka_unit_test(every_prefix_needs_more),
	    cmocka_unit_test(too_many_headers),
	    cmocka_unit_test(long_escaped_path),
	    cmocka_unit_test(chunks_in_pieces),
	    cmocka_unit_test(odd_chunks_are_refused),
	    cmocka_unit_test(chunked_bodies_have_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
