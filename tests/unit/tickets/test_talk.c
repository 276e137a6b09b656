/* The outcome of each kind of answer: what may have happened is uncertain, what did not is tried again, what
 * never will is refused. */
#include "help.h"

#define RECORD(status, priority, count)                                                                      \
	"{\"id\":7,\"Status\":\"" status "\",\"Subject\":\"t\",\"Priority\":\"" priority                     \
	"\",\"CustomFields\":[{\"name\":\"DedupKey\",\"values\":[\"car:K1\"]},{\"name\":\"Count\","          \
	"\"values\":[\"" count "\"]}]}"
#define HIT(id, status, key)                                                                                 \
	"{\"id\":\"" id "\",\"Status\":\"" status                                                            \
	"\",\"CustomFields\":[{\"name\":\"DedupKey\",\"values\":[\"" key "\"]}]}"

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof *b);
	bench_init(b, load_file(TICKET_PROFILES "/rt.yaml"));
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	ticket_profile_free(b->profile);
	free(b);
	return 0;
}

static void create(void **state)
{
	struct ticket_talk *t = begin(*state, TICKET_CREATE, FACTS);
	struct ticket_request r = expect_request(t);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.url, "https://rt.example/sub/REST/2.0/ticket");
	assert_string_equal(header_of(&r, "Authorization"), "Authorization: token s3cr3t-token");
	assert_string_equal(header_of(&r, "Content-Type"), "Content-Type: application/json");
	assert_string_equal(header_of(&r, "Idempotency-Key"), "Idempotency-Key: car:K1");
	assert_true(slice_is(
	    r.body,
	    "{\"Queue\":\"Inc'\",\"Subject\":\"t\",\"Content\":\"b\",\"ContentType\":\"text/"
	    "plain\",\"Priority\":90,"
	    "\"CustomFields\":{\"DedupKey\":\"car:K1\",\"Severity\":\"critical\",\"Tags\":[\"a\",\"b\"],"
	    "\"Count\":\"3\",\"Group\":\"NET\"}}"));
	reply_with(t, 201, "", "{\"type\":\"ticket\",\"id\":\"7\"}");
	r = expect_request(t);
	assert_string_equal(r.method, "GET");
	assert_string_equal(r.url, "https://rt.example/sub/REST/2.0/ticket/7");
	assert_null(r.body.p);
	assert_null(header_of(&r, "Idempotency-Key"));
	reply_with(t, 200, "etag: \"v2\"\n", RECORD("new", "90", "3"));
	struct ticket_result res = expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	assert_true(slice_is(res.ticket, "7") && slice_is(res.version, "\"v2\"") &&
	            slice_is(res.state, "open"));
	assert_true(slice_is(res.url, "https://rt.example/sub/Ticket/Display.html?id=7"));
	ticket_talk_free(t);
}

static void create_key_dropped(void **state)
{
	struct ticket_talk *t = begin(*state, TICKET_CREATE, FACTS);
	reply_with(t, 201, "", "{\"id\":\"7\"}");
	reply_with(t, 200, "", "{\"id\":7,\"Status\":\"new\",\"CustomFields\":[]}");
	struct ticket_result res = expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	assert_true(slice_contains(res.message, SLICE("has dedup '' instead of 'car:K1'")));
	ticket_talk_free(t);
}

struct one {
	enum ticket_verb verb;
	int status;
	const char *headers, *body;
	enum ticket_outcome outcome;
	enum ticket_class cls;
	int retry_s;
};

static void one_answer(void **state)
{
	static const struct one cases[] = {
	    {TICKET_CREATE, 401, "", "", TICKET_RETRY, TICKET_CLASS_AUTH, 0},
	    {TICKET_UPDATE, 401, "", "<html>", TICKET_RETRY, TICKET_CLASS_AUTH, 0},
	    {TICKET_CREATE, 400, "", "bad", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_CREATE, 403, "", "", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_CREATE, 404, "", "", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_FIND, 404, "", "", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_GET, 404, "", "", TICKET_ABSENT, TICKET_CLASS_GONE, 0},
	    {TICKET_RESOLVE, 410, "", "", TICKET_ABSENT, TICKET_CLASS_GONE, 0},
	    {TICKET_CREATE, 302, "location: https://other\n", "", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_CREATE, 501, "", "", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_CREATE, 429, "retry-after: 17\n", "", TICKET_RETRY, TICKET_CLASS_THROTTLE, 17},
	    {TICKET_NOTE, 429, "x-ratelimit-reset: 30\n", "", TICKET_RETRY, TICKET_CLASS_THROTTLE, 30},
	    {TICKET_NOTE, 429, "date: Sun, 22 Nov 2026 12:00:00 GMT\nx-ratelimit-reset: 1795348860\n", "",
	     TICKET_RETRY, TICKET_CLASS_THROTTLE, 60},
	    {TICKET_NOTE, 429, "retry-after: 999999999\n", "", TICKET_RETRY, TICKET_CLASS_THROTTLE, 86400},
	    {TICKET_NOTE, 429, "retry-after: soon\n", "", TICKET_RETRY, TICKET_CLASS_THROTTLE, 0},
	    {TICKET_CREATE, 503,
	     "date: Sun, 22 Nov 2026 12:00:00 GMT\nretry-after: Sun, 22 Nov 2026 12:00:45 GMT\n", "",
	     TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT, 45},
	    {TICKET_NOTE, 503, "retry-after: Sun, 22 Nov 2026 12:00:45 GMT\n", "", TICKET_RETRY,
	     TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_UPDATE, 500, "", "", TICKET_RETRY, TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_FIND, 502, "", "", TICKET_RETRY, TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_FIND, 200, "content-type: text/html; charset=utf-8\n", "<!DOCTYPE html>", TICKET_RETRY,
	     TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_CREATE, 201, "", "<html>login</html>", TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_CREATE, 201, "", "{\"half\":", TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_CREATE, 201, "", "", TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_FIND, 200, "", "", TICKET_RETRY, TICKET_CLASS_TRANSIENT, 0},
	    {TICKET_CREATE, 201, "", "{\"id\":\"7 8\"}", TICKET_UNCERTAIN, TICKET_CLASS_UNKNOWN, 0},
	    {TICKET_CREATE, 201, "", "{}", TICKET_UNCERTAIN, TICKET_CLASS_UNKNOWN, 0},
	    {TICKET_CREATE, 200, "", "{\"id\":\"7\"}", TICKET_UNCERTAIN, TICKET_CLASS_UNKNOWN, 0},
	    {TICKET_NOTE, 201, "", "[\"Comments added\"]", TICKET_DONE, TICKET_CLASS_OK, 0},
	    {TICKET_NOTE, 202, "", "", TICKET_UNCERTAIN, TICKET_CLASS_UNKNOWN, 0},
	    {TICKET_UPDATE, 409, "", "", TICKET_RETRY, TICKET_CLASS_CONFLICT, 0},
	    {TICKET_UPDATE, 200, "", "[\"Ticket 7: Permission Denied\"]", TICKET_REFUSED, TICKET_CLASS_CONFIG,
	     0},
	    {TICKET_RESOLVE, 200, "", "[\"Ticket 7: Status 'x' isn't a valid status for this ticket.\"]",
	     TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_UPDATE, 200, "", "[\"Count 1 changed to 2\",\"Invalid value for custom field\"]",
	     TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	    {TICKET_GET, 200, "", "{\"id\":7,\"Status\":\"deleted\"}", TICKET_ABSENT, TICKET_CLASS_GONE, 0},
	    {TICKET_GET, 200, "", "{\"id\":7,\"Status\":\"new\",\"Subject\":\"Permission Denied\"}",
	     TICKET_DONE, TICKET_CLASS_OK, 0},
	    {TICKET_FIND, 200, "", "[]", TICKET_ABSENT, TICKET_CLASS_OK, 0},
	    {TICKET_FIND, 200, "", "{\"items\":[]}", TICKET_ABSENT, TICKET_CLASS_OK, 0},
	    {TICKET_FIND, 200, "", "{\"items\":\"many\"}", TICKET_REFUSED, TICKET_CLASS_CONFIG, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct one *c = &cases[i];
		/* no version: a conflict cannot be one of ours */
		struct ticket_talk *t =
		    begin(*state, c->verb,
		          "{\"incident\":{\"dedup_key\":\"car:K1\",\"title\":\"t\",\"priority\":\"P1\"},"
		          "\"note\":{\"text\":\"n\"}}");
		print_message("case %zu\n", i);
		expect_request(t);
		reply_with(t, c->status, c->headers, c->body);
		struct ticket_result res = expect_result(t, c->outcome, c->cls);
		assert_int_equal(res.retry_after, c->retry_s * SECOND);
		assert_int_equal(res.status, c->status);
		ticket_talk_free(t);
	}
}

static void lost(void **state)
{
	for (int v = TICKET_FIND; v <= TICKET_REOPEN; v++) {
		bool adds = v == TICKET_CREATE || v == TICKET_NOTE;
		struct ticket_talk *t = begin(*state, (enum ticket_verb)v, FACTS);
		no_reply(t, false);
		expect_result(t, TICKET_RETRY, TICKET_CLASS_TRANSIENT);
		ticket_talk_free(t);
		t = begin(*state, (enum ticket_verb)v, FACTS);
		no_reply(t, true);
		expect_result(t, adds ? TICKET_UNCERTAIN : TICKET_RETRY, TICKET_CLASS_TRANSIENT);
		ticket_talk_free(t);
	}
	/* the ticket is there, only its readback is lost: it must be found, not made again */
	struct ticket_talk *t = begin(*state, TICKET_CREATE, FACTS);
	reply_with(t, 201, "", "{\"id\":\"7\"}");
	no_reply(t, false);
	expect_result(t, TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT);
	ticket_talk_free(t);
}

static void old_version(void **state)
{
	struct ticket_talk *t = begin(*state, TICKET_UPDATE, FACTS);
	struct ticket_request r = expect_request(t);
	assert_string_equal(r.method, "PUT");
	assert_string_equal(header_of(&r, "If-Match"), "If-Match: \"v1\"");
	reply_with(t, 412, "", "{\"message\":\"Precondition Failed\"}");
	r = expect_request(t);
	assert_string_equal(r.method, "GET");
	reply_with(t, 200, "etag: \"v2\"\n", RECORD("open", "10", "1"));
	r = expect_request(t);
	assert_string_equal(r.method, "PUT");
	assert_string_equal(header_of(&r, "If-Match"), "If-Match: \"v2\"");
	reply_with(t, 200, "", "[\"changed\"]");
	expect_request(t);
	reply_with(t, 200, "etag: \"v3\"\n", RECORD("open", "90", "3"));
	struct ticket_result res = expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	assert_true(slice_is(res.version, "\"v3\"") && slice_is(res.ticket, "7"));
	ticket_talk_free(t);
	/* once, not for ever */
	t = begin(*state, TICKET_UPDATE, FACTS);
	reply_with(t, 412, "", "");
	reply_with(t, 200, "etag: \"v2\"\n", RECORD("open", "10", "1"));
	reply_with(t, 412, "", "");
	expect_result(t, TICKET_RETRY, TICKET_CLASS_CONFLICT);
	ticket_talk_free(t);
}

static void not_kept(void **state)
{
	struct ticket_talk *t = begin(*state, TICKET_UPDATE, FACTS);
	reply_with(t, 200, "", "[]");
	reply_with(t, 200, "", RECORD("open", "10", "3"));
	struct ticket_result res = expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	assert_true(slice_contains(res.message, SLICE("priority '10' instead of '90'")));
	ticket_talk_free(t);
	t = begin(*state, TICKET_RESOLVE, FACTS);
	reply_with(t, 200, "", "[]");
	reply_with(t, 200, "", RECORD("deleted", "10", "3"));
	expect_result(t, TICKET_ABSENT, TICKET_CLASS_GONE);
	ticket_talk_free(t);
}

static struct ticket_talk *found(void **state, const char *items)
{
	struct ticket_talk *t = begin(*state, TICKET_FIND, FACTS);
	struct buf b = {0};
	expect_request(t);
	buf_printf(&b, "{\"items\":[%s]}", items);
	reply_with(t, 200, "", buf_cstr(&b));
	buf_free(&b);
	return t;
}

static void find(void **state)
{
	struct ticket_talk *t = begin(*state, TICKET_FIND, FACTS);
	struct ticket_request r = expect_request(t);
	assert_string_equal(r.url,
	                    "https://rt.example/sub/REST/2.0/"
	                    "tickets?query=Queue%3D%27Inc%5C%27%27%20AND%20%27CF.%7BDedupKey%7D%27%3D%27"
	                    "car%3AK1%27&fields=Status%2CCustomFields&orderby=id&per_page=5");
	ticket_talk_free(t);

	t = found(state, HIT("9", "resolved", "car:K1") "," HIT("12", "open", "car:K1") "," HIT("11", "new",
	                                                                                        "car:K1"));
	struct ticket_result res = expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	assert_int_equal(res.hits, 3);
	assert_true(slice_is(res.ticket, "11") && slice_is(res.others, "9 12") &&
	            slice_is(res.state, "open"));
	ticket_talk_free(t);

	t = found(state, HIT("9", "deleted", "car:K1"));
	expect_result(t, TICKET_ABSENT, TICKET_CLASS_OK);
	ticket_talk_free(t);

	t = found(state, HIT("9", "open", "car:K1") "," HIT("10", "open", "car:OTHER"));
	res = expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	assert_true(slice_contains(res.message, SLICE("the filter was ignored")));
	ticket_talk_free(t);

	t = found(state,
	          HIT("1", "open", "car:K1") "," HIT("2", "open", "car:K1") "," HIT(
	              "3", "open", "car:K1") "," HIT("4", "open", "car:K1") "," HIT("5", "open", "car:K1"));
	res = expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	assert_true(slice_contains(res.message, SLICE("a full page of 5")));
	ticket_talk_free(t);

	/* an empty key would accept anything */
	t = begin(*state, TICKET_FIND, "{\"incident\":{}}");
	reply_with(t, 200, "", "{\"items\":[" HIT("1", "open", "") "]}");
	expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	ticket_talk_free(t);
}

static void not_sent(void **state)
{
	struct bench *b = *state;
	struct ticket_talk *t = begin(b, TICKET_CREATE, "{\"incident\":{\"priority\":\"P9\"}}");
	struct ticket_result res = expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	assert_true(slice_contains(res.message, SLICE("has no entry for 'P9'")));
	ticket_talk_free(t);
	t = begin(b, TICKET_CREATE, "{broken");
	expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	ticket_talk_free(t);
	const struct ticket_op op = {.id = 9, .attempt = 2, .verb = TICKET_GET, .facts = SLICE("{}")};
	t = ticket_talk_new(&b->connection, &op);
	expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	ticket_talk_free(t);
	b->secret_values[0] = SLICE("\n");
	t = begin(b, TICKET_CREATE, FACTS);
	res = expect_result(t, TICKET_RETRY, TICKET_CLASS_AUTH);
	assert_true(slice_contains(res.message, SLICE("the secret 'token'")));
	ticket_talk_free(t);
	b->secret_values[0] = SLICE("s3cr3t\r\nX: y");
	t = begin(b, TICKET_CREATE, FACTS);
	expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	ticket_talk_free(t);
}

static void secrets_masked(void **state)
{
	struct ticket_talk *t = begin(*state, TICKET_UPDATE, FACTS);
	reply_with(t, 400, "", "no right for token s3cr3t-token here\n\033[31m");
	struct ticket_result res = expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	assert_true(slice_contains(res.message, SLICE("no right for token *** here [31m")));
	ticket_talk_free(t);
}

static void small_profile(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b, load_text("profile: 1\nname: x\nidempotent: true\nauth: none\nops:\n"
	                         "  create: {method: POST, url: \"${conf.base}/t\", extract: {id: id}}\n",
	                         NULL));
	struct ticket_talk *t = begin(&b, TICKET_NOTE, FACTS);
	expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	ticket_talk_free(t);
	t = begin(&b, TICKET_FIND, FACTS);
	expect_result(t, TICKET_ABSENT, TICKET_CLASS_OK);
	ticket_talk_free(t);
	t = begin(&b, TICKET_RESOLVE, FACTS);
	expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	ticket_talk_free(t);
	t = begin(&b, TICKET_CREATE, FACTS);
	reply_with(t, 204, "", "");
	expect_result(t, TICKET_UNCERTAIN, TICKET_CLASS_TRANSIENT);
	ticket_talk_free(t);
	ticket_profile_free(b.profile);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(create),         TEST(create_key_dropped),
	    TEST(one_answer),     TEST(lost),
	    TEST(old_version),    TEST(not_kept),
	    TEST(find),           TEST(not_sent),
	    TEST(secrets_masked), cmocka_unit_test(small_profile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
