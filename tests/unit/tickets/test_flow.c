/* What goes before and behind an operation: logins and their renewal, conditions, steps, pages; webhooks;
 * documents. */
#include "help.h"

#define HEAD "profile: 1\nname: x\n"
#define LOGIN                                                                                                \
	"auth: {login: {method: POST, url: \"${conf.base}/login\", form: {u: a, p: \"${secret.token}\"}, "   \
	"extract: {t: token}}, header: {name: X-Session, value: \"${session.t}\"}}\n"
#define CREATE                                                                                               \
	"  create: {method: POST, url: \"${conf.base}/t\", body: {a: \"${incident.title}\"}, extract: {id: " \
	"id}}\n"
#define GET                                                                                                  \
	"  get: {method: GET, url: \"${conf.base}/t/${ticket.id|path}\", extract: {state: s, version: v}}\n"

static void logs_in(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b, load_text(HEAD LOGIN "ops:\n" CREATE, NULL));
	b.connection.session = ticket_session_new();
	struct ticket_talk *t = begin(&b, TICKET_CREATE, FACTS);
	struct ticket_request r = expect_request(t);
	assert_string_equal(r.url, "https://rt.example/sub/login");
	assert_true(slice_is(r.body, "u=a&p=s3cr3t-token"));
	assert_null(header_of(&r, "X-Session"));
	reply_with(t, 200, "", "{\"token\":\"first\"}");
	r = expect_request(t);
	assert_string_equal(header_of(&r, "X-Session"), "X-Session: first");
	reply_with(t, 201, "", "{\"id\":1}");
	expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	ticket_talk_free(t);
	/* kept for the next one; refused, it is renewed once, and the operation goes on */
	t = begin(&b, TICKET_CREATE, FACTS);
	assert_string_equal(expect_request(t).url, "https://rt.example/sub/t");
	reply_with(t, 401, "", "");
	assert_string_equal(expect_request(t).url, "https://rt.example/sub/login");
	reply_with(t, 200, "", "{\"token\":\"second\"}");
	r = expect_request(t);
	assert_string_equal(header_of(&r, "X-Session"), "X-Session: second");
	reply_with(t, 401, "", "the token second is bad");
	struct ticket_result res = expect_result(t, TICKET_RETRY, TICKET_CLASS_AUTH);
	assert_false(slice_contains(res.message, SLICE("second")));
	ticket_talk_free(t);
	/* a login that fails has made no ticket */
	ticket_session_forget(b.connection.session);
	t = begin(&b, TICKET_CREATE, FACTS);
	reply_with(t, 400, "", "{\"error\":\"invalid_client\"}");
	expect_result(t, TICKET_RETRY, TICKET_CLASS_AUTH);
	ticket_talk_free(t);
	t = begin(&b, TICKET_CREATE, FACTS);
	no_reply(t, true);
	expect_result(t, TICKET_RETRY, TICKET_CLASS_TRANSIENT);
	ticket_talk_free(t);
	ticket_session_free(b.connection.session);
	ticket_profile_free(b.profile);
}

static void oauth2(void **state)
{
	(void)state;
	struct bench b;
	bench_init(
	    &b,
	    load_text(HEAD
	              "auth: {oauth2: {token_url: \"${conf.base}/token\", grant: client_credentials, "
	              "client_id: me, "
	              "client_secret: \"${secret.token}\", scope: a b, client_auth: header}}\nops:\n" CREATE,
	              NULL));
	b.connection.session = ticket_session_new();
	ticket_session_time(b.connection.session, HOUR);
	struct ticket_talk *t = begin(&b, TICKET_CREATE, FACTS);
	struct ticket_request r = expect_request(t);
	assert_true(slice_is(r.body, "grant_type=client_credentials&scope=a%20b"));
	assert_string_equal(header_of(&r, "Authorization"), "Authorization: Basic bWU6czNjcjN0LXRva2Vu");
	reply_with(t, 200, "", "{\"access_token\":\"tok\",\"expires_in\":100}");
	r = expect_request(t);
	assert_string_equal(header_of(&r, "Authorization"), "Authorization: Bearer tok");
	ticket_talk_free(t);
	/* renewed before it is refused */
	ticket_session_time(b.connection.session, HOUR + 69 * SECOND);
	t = begin(&b, TICKET_CREATE, FACTS);
	assert_string_equal(expect_request(t).url, "https://rt.example/sub/t");
	ticket_talk_free(t);
	ticket_session_time(b.connection.session, HOUR + 71 * SECOND);
	t = begin(&b, TICKET_CREATE, FACTS);
	assert_string_equal(expect_request(t).url, "https://rt.example/sub/token");
	ticket_talk_free(t);
	ticket_session_free(b.connection.session);
	ticket_profile_free(b.profile);
}

static void conditions(void **state)
{
	(void)state;
	struct bench b;
	bench_init(
	    &b,
	    load_text(
	        HEAD
	        "auth: none\nmaps: {state_in: {new: open, done: resolved, no: wontfix}}\nops:\n" CREATE GET
	        "  reopen: {method: PUT, url: \"${conf.base}/t/${ticket.id|path}\", skip_if: {state: open}, "
	        "never_if: "
	        "{state: wontfix}, when_state: [done, no],\n"
	        "    steps: [{method: GET, url: \"${conf.base}/m\", extract: {m: "
	        "\"moves[name=${conf.queue}].id\"}, require: "
	        "[m]}], body: {move: \"${step.m}\"}}\n",
	        NULL));
	static const struct {
		const char *state;
		enum ticket_outcome outcome;
		enum ticket_class cls;
	} cases[] = {{"new", TICKET_DONE, TICKET_CLASS_OK},
	             {"no", TICKET_REFUSED, TICKET_CLASS_CONFLICT},
	             {"odd", TICKET_REFUSED, TICKET_CLASS_CONFLICT}};
	char body[64];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ticket_talk *t = begin(&b, TICKET_REOPEN, FACTS);
		snprintf(body, sizeof body, "{\"s\":\"%s\"}", cases[i].state);
		reply_with(t, 200, "", body);
		expect_result(t, cases[i].outcome, cases[i].cls);
		ticket_talk_free(t);
	}
	struct ticket_talk *t = begin(&b, TICKET_REOPEN, FACTS);
	reply_with(t, 200, "", "{\"s\":\"done\"}");
	assert_string_equal(expect_request(t).url, "https://rt.example/sub/m");
	reply_with(t, 200, "", "{\"moves\":[{\"name\":\"Inc'\",\"id\":\"41\"}]}");
	assert_true(slice_is(expect_request(t).body, "{\"move\":\"41\"}"));
	reply_with(t, 204, "", "");
	expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	ticket_talk_free(t);
	t = begin(&b, TICKET_REOPEN, FACTS);
	reply_with(t, 200, "", "{\"s\":\"done\"}");
	reply_with(t, 200, "", "{\"moves\":[]}");
	expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
	ticket_talk_free(t);
	ticket_profile_free(b.profile);
}

#define POLL(paging)                                                                                         \
	HEAD                                                                                                 \
	    "auth: none\nmaps: {state_in: {new: open, done: resolved}, priority_in: {9: P1}}\nops:\n" CREATE \
	    "  poll: {method: GET, url: \"${conf.base}/p\", query: {after: \"${cursor}\"}, items: "          \
	    "i, " paging ", ignore: {changed_by: me}, extract: {id: id, state: s, priority: p, changed_by: " \
	                 "by, at: at, cursor: c}}\n"

static void pages(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b, load_text(POLL("next: next"), NULL));
	struct ticket_talk *t = begin(&b, TICKET_POLL, "{\"cursor\":\"c0\"}");
	assert_string_equal(expect_request(t).url, "https://rt.example/sub/p?after=c0");
	reply_with(t, 200, "",
	           "{\"i\":[{\"id\":1,\"s\":\"new\",\"p\":9,\"by\":\"ann\",\"at\":\"2026-11-22 "
	           "05:00:00\",\"c\":\"c1\"}],"
	           "\"next\":\"https://RT.example/sub/p?page=2\"}");
	assert_string_equal(expect_request(t).url, "https://RT.example/sub/p?page=2");
	reply_with(t, 200, "", "{\"i\":[{\"id\":2,\"s\":\"done\",\"by\":\"me\",\"c\":\"c2\"}]}");
	struct ticket_result res = expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	struct ticket_seen seen;
	assert_true(slice_is(res.cursor, "c2")); /* behind what was ignored, too */
	assert_true(ticket_seen_next(&res.records, &seen));
	assert_true(slice_is(seen.id, "1") && slice_is(seen.state, "open") && slice_is(seen.priority, "P1") &&
	            slice_is(seen.changed_by, "ann") && slice_is(seen.at, "2026-11-22T05:00:00Z"));
	assert_false(ticket_seen_next(&res.records, &seen));
	ticket_talk_free(t);
	/* only where the first page was */
	static const char *const elsewhere[] = {"https://evil.example/p",    "http://rt.example/p",
	                                        "https://rt.example:444/p",  "//evil.example/p",
	                                        "https://rt.example@evil/p", "ftp://x"};
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		char body[128];
		t = begin(&b, TICKET_POLL, "{}");
		snprintf(body, sizeof body, "{\"i\":[{\"id\":1}],\"next\":\"%s\"}", elsewhere[i]);
		reply_with(t, 200, "", body);
		expect_result(t, TICKET_REFUSED, TICKET_CLASS_CONFIG);
		ticket_talk_free(t);
	}
	/* a list that never ends does */
	t = begin(&b, TICKET_POLL, "{}");
	for (int i = 0; i < 20; i++)
		reply_with(t, 200, "", "{\"i\":[{\"id\":1,\"c\":\"c\"}],\"next\":\"/p\"}");
	expect_result(t, TICKET_DONE, TICKET_CLASS_OK);
	ticket_talk_free(t);
	ticket_profile_free(b.profile);
}

static void hooks(void **state)
{
	(void)state;
	static const struct {
		const char *verify, *headers, *body;
		bool ok;
	} cases[] = {
	    {"{scheme: token, header: X-Token, secret: \"${secret.token}\"}", "x-token: s3cr3t-token\n",
	     "{\"n\":5}", true},
	    {"{scheme: token, header: X-Token, secret: \"${secret.token}\"}", "x-token: s3cr3t-tokeN\n",
	     "{\"n\":5}", false},
	    {"{scheme: token, header: X-Token, secret: \"${secret.token}\"}", "", "{\"n\":5}", false},
	    {"{scheme: hmac-sha256, header: X-Sig, prefix: v1=, secret: \"${secret.token}\"}",
	     "x-sig: v1=00,v1=d12225cb0ac2f9d04cefe9b0c21cf0ed69ea8dac12a9f7b6ec4c3bd8e5d8e4c7\n",
	     "{\"n\":5}", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bench b;
		struct error err;
		struct buf text = {0}, records = {0};
		struct ticket_seen seen;
		buf_printf(&text,
		           HEAD "auth: none\nops:\n" CREATE "webhook: {verify: %s, extract: {id: n}}\n",
		           cases[i].verify);
		bench_init(&b, load_text(buf_cstr(&text), NULL));
		assert_true(ticket_hook_there(b.profile));
		assert_int_equal(ticket_hook_check(&b.connection, slice_str(cases[i].headers),
		                                   slice_str(cases[i].body), &err),
		                 cases[i].ok ? 0 : -1);
		ticket_hook_read(&b.connection, slice_str(cases[i].headers), slice_str(cases[i].body),
		                 &records);
		struct slice rest = buf_slice(&records);
		assert_true(ticket_seen_next(&rest, &seen) && slice_is(seen.id, "5"));
		buf_free(&text);
		buf_free(&records);
		ticket_profile_free(b.profile);
	}
}

/* RFC 4231, test case 2: key "Jefe" */
static void hook_hmac(void **state)
{
	(void)state;
	struct bench b;
	struct error err;
	bench_init(
	    &b,
	    load_text(
	        HEAD "auth: none\nops:\n" CREATE
	             "webhook: {verify: {scheme: hmac-sha256, header: X-Sig, prefix: v1=, secret: "
	             "\"${secret.token}\", signed: [\"@header.x-t\", \" \", \"@body\"]}, extract: {id: n}}\n",
	        NULL));
	b.secret_values[0] = SLICE("Jefe");
	static const char right[] =
	    "x-t: what do ya\nx-sig: "
	    "v1=00,v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\n";
	assert_int_equal(ticket_hook_check(&b.connection, slice_str(right), SLICE("want for nothing?"), &err),
	                 0);
	assert_int_equal(ticket_hook_check(&b.connection, slice_str(right), SLICE("want for nothing!"), &err),
	                 -1);
	ticket_profile_free(b.profile);
}

static void documents(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b, load_text(HEAD "auth: none\nops:\n  create: {method: POST, url: \"${conf.base}/t\", "
	                              "extract: {id: id}, body: {a: "
	                              "\"${incident.body|adf}\", h: \"<pre>${incident.body|html}</pre>\", f: "
	                              "\"${incident.body|fence}\", p: "
	                              "\"${incident.body|pre}\", n: \"${incident.body|noformat}\", c: "
	                              "\"${incident.body|nocode}\"}}\n",
	                         NULL));
	struct ticket_talk *t =
	    begin(&b, TICKET_CREATE, "{\"incident\":{\"body\":\"<b>\\n````</PRE>{noformat}[code]\"}}");
	assert_true(slice_is(
	    expect_request(t).body,
	    "{\"a\":{\"type\":\"doc\",\"version\":1,\"content\":[{\"type\":\"paragraph\",\"content\":[{"
	    "\"type\":\"text\",\"text\":\"<b>\"},"
	    "{\"type\":\"hardBreak\"},{\"type\":\"text\",\"text\":\"````</PRE>{noformat}[code]\"}]}]},"
	    "\"h\":\"<pre>&lt;b&gt;\\n````&lt;/PRE&gt;{noformat}[code]</"
	    "pre>\",\"f\":\"`````text\\n<b>\\n````</PRE>{noformat}[code]\\n`````\","
	    "\"p\":\"<pre>\\n<b>\\n````< "
	    "/PRE>{noformat}[code]\\n</pre>\",\"n\":\"{noformat}\\n<b>\\n````</PRE>{ "
	    "noformat}[code]\\n{noformat}\","
	    "\"c\":\"<b>\\n````</PRE>{noformat}[ code]\"}"));
	ticket_talk_free(t);
	ticket_profile_free(b.profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(logs_in),   cmocka_unit_test(oauth2), cmocka_unit_test(conditions),
	    cmocka_unit_test(pages),     cmocka_unit_test(hooks),  cmocka_unit_test(hook_hmac),
	    cmocka_unit_test(documents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
