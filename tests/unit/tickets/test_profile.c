/* Loading: the shipped profile, and everything that must be refused, with its place. */
#include "help.h"

#define HEAD "profile: 1\nname: x\nauth: {header: {name: X-Key, value: \"${secret.token}\"}}\n"
#define CREATE                                                                                               \
	"  create: {method: POST, url: \"${conf.base}/t\", body: {a: \"${incident.title}\"}, extract: {id: " \
	"id}}\n"
#define OPS HEAD "ops:\n" CREATE

static void shipped(void **state)
{
	(void)state;
	const char *const *names;
	struct ticket_profile *p = load_file(TICKET_PROFILES "/rt.yaml");
	assert_string_equal(ticket_profile_name(p), "rt");
	assert_int_equal(ticket_profile_concurrency(p), 2);
	assert_true(ticket_profile_rate(p) > 4.9 && ticket_profile_rate(p) < 5.1);
	assert_false(ticket_profile_idempotent(p));
	for (int v = TICKET_FIND; v <= TICKET_REOPEN; v++)
		assert_true(ticket_profile_has(p, (enum ticket_verb)v));
	assert_int_equal(ticket_profile_conf(p, &names), 2);
	assert_string_equal(names[0], "base");
	assert_string_equal(names[1], "queue");
	assert_int_equal(ticket_profile_secrets(p, &names), 1);
	assert_string_equal(names[0], "token");
	ticket_profile_free(p);
}

/* Every profile that is shipped: it loads, and what it cannot do is known here. */
static void all_shipped(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool idempotent, finds, polls, links;
	} cases[] = {
	    {"alertmanager", true, true, false, false}, {"bmc-helix", false, true, true, false},
	    {"file", true, false, false, true},         {"freshservice", false, true, true, false},
	    {"generic-webhook", true, false, false, true}, {"github", false, true, true, true},
	    {"gitlab", false, true, true, true},        {"glpi", false, true, true, true},
	    {"incident-io", true, false, false, false}, {"itop", false, true, true, true},
	    {"jira-cloud", false, true, true, true},    {"jira-datacenter", false, true, true, true},
	    {"log", true, false, false, true},          {"opsgenie", true, false, true, false},
	    {"pagerduty", true, false, false, false},   {"redmine", false, true, true, true},
	    {"rt", false, true, true, true},            {"servicenow", false, true, true, true},
	    {"servicenow-em", true, false, false, false}, {"zammad", false, true, true, true},
	    {"znuny", false, true, true, false},
	};
	char path[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(path, sizeof path, TICKET_PROFILES "/%s.yaml", cases[i].name);
		print_message("%s\n", cases[i].name);
		struct ticket_profile *p = load_file(path);
		assert_non_null(p);
		assert_string_equal(ticket_profile_name(p), cases[i].name);
		assert_int_equal(ticket_profile_idempotent(p), cases[i].idempotent);
		assert_int_equal(ticket_profile_has(p, TICKET_FIND), cases[i].finds);
		assert_int_equal(ticket_profile_has(p, TICKET_POLL), cases[i].polls);
		assert_int_equal(ticket_profile_has(p, TICKET_LINK_PARENT), cases[i].links);
		assert_true(ticket_profile_has(p, TICKET_CREATE) && ticket_profile_has(p, TICKET_RESOLVE));
		ticket_profile_free(p);
	}
}

static void smallest(void **state)
{
	(void)state;
	struct ticket_profile *p = load_text(OPS, NULL);
	assert_non_null(p);
	assert_true(ticket_profile_has(p, TICKET_CREATE));
	assert_false(ticket_profile_has(p, TICKET_FIND));
	ticket_profile_free(p);
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *place, *words;
	} cases[] = {
	    {"", "t.yaml:1:1:", "a ticket profile needs 'profile'"},
	    {"[]\n", "t.yaml:1:1:", "expected a map, got a list"},
	    {"profile: 2\nname: x\nauth: none\nops: {}\n", "t.yaml:1:10:", "must be 1"},
	    {OPS "auths: none\n", "t.yaml:6:1:", "unknown key 'auths' in the profile; did you mean 'auth'?"},
	    {OPS "webhook: {}\n", "t.yaml:6:1:", "webhook needs 'verify'"},
	    {OPS "  poll: {}\n", "t.yaml:6:3:", "poll needs 'items'"},
	    {OPS "  link_parent: {}\n", "t.yaml:6:3:", "link_parent needs 'method'"},
	    {OPS "  updat: {}\n", "t.yaml:6:3:", "did you mean 'update'?"},
	    {"profile: 1\nname: x\nauth: {oauth2: {}}\nops:\n" CREATE,
	     "t.yaml:3:8:", "auth.oauth2 needs 'grant'"},
	    {"profile: 1\nname: x\nauth: {oauth2: {token_url: \"${conf.base}/t\", grant: implicit, client_id: a}}\nops:\n" CREATE,
	     "t.yaml:3:53:", "must be one of client_credentials"},
	    {"profile: 1\nname: x\nauth: {oauth2: {token_url: \"${conf.base}/t\", grant: password, client_id: a}}\nops:\n" CREATE,
	     "t.yaml:3:8:", "auth.oauth2 needs 'username'"},
	    {"profile: 1\nname: x\nauth: {header: {name: X, value: \"${session.token}\"}}\nops:\n" CREATE,
	     "t.yaml:3:36:", "unknown field 'session.token'"},
	    {"profile: 1\nname: x\nauth: {basic: {user: a}}\nops:\n" CREATE, "t.yaml:3:8:", "auth.basic needs 'password'"},
	    {"profile: 1\nname: x\nauth: {login: {}}\nops:\n" CREATE,
	     "t.yaml:3:8:", "auth.login needs 'extract'"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", form: {}, body: {}}\n",
	     "t.yaml:6:47:", "one 'body' or one 'form'"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", then: get}\n",
	     "t.yaml:6:3:", "'then', 'next' and 'page' belong to find, poll and changes"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", skip_if: {state: x}}\n",
	     "t.yaml:6:3:", "a condition on 'state' needs the operation 'get'"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", steps: [{method: GET, url: \"${conf.base}/x\", extract: {a: b}, "
	         "require: [c]}]}\n",
	     "t.yaml:6:118:", "require: 'c' is not extracted"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: \"${step.a}\"}}\n",
	     "t.yaml:6:60:", "unknown field 'step.a'"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: \"${page.token}\"}}\n",
	     "t.yaml:6:60:", "unknown field 'page.token'"},
	    {OPS "  poll: {method: GET, url: \"${conf.base}/t\", items: i, page: {by: number}, extract: {id: i, state: s, cursor: "
	         "c}}\n",
	     "t.yaml:6:3:", "pages that are counted need 'limit'"},
	    {OPS "  poll: {method: GET, url: \"${conf.base}/t\", items: i, next: n, page: {by: number}, extract: {id: i}}\n",
	     "t.yaml:6:65:", "not by both"},
	    {OPS "webhook: {verify: {scheme: hmac-sha256, header: X, secret: \"x\"}, extract: {id: a}}\n",
	     "t.yaml:6:60:", "the secret of a webhook"},
	    {OPS "webhook: {verify: {scheme: md5, header: X, secret: \"${secret.w}\"}, extract: {id: a}}\n",
	     "t.yaml:6:28:", "must be one of token"},
	    {OPS "to: syslog\n", "t.yaml:6:5:", "must be one of log, file"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: \"${incident.titel}\"}}\n",
	     "t.yaml:6:60:",
	     "unknown field 'incident.titel' in template; did you mean 'incident.title'? [E061]"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: \"${incident.title|onelin}\"}}\n",
	     "t.yaml:6:75:", "unknown filter 'onelin'; did you mean 'oneline'? [E062]"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: \"x ${incident.body|adf}\"}}\n",
	     "t.yaml:6:57:", "'adf' makes a document"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: "
	         "\"${incident.priority|map:nope}\"}}\n",
	     "t.yaml:6:57:", "has no map 'nope'"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", body: {a: \"x ${secret.token}\"}}\n",
	     "t.yaml:6:57:", "must be the whole leaf"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", headers: {X: \"${secret.token}\"}}\n",
	     "t.yaml:6:60:", "in 'auth' only"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/${secret.token|path}\"}\n",
	     "t.yaml:6:29:", "in 'auth' only"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", query: {q: \"a=${secret.token}\"}}\n",
	     "t.yaml:6:58:", "in 'auth' only"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", query: {q: \"a='${incident.title}'\"}}\n",
	     "t.yaml:6:58:", "must pass that language's filter last"},
	    {OPS "  note: {method: POST, url: \"${conf.base}/t\", query: {q: "
	         "\"a='${incident.title|tql|limit:5}'\"}}\n",
	     "t.yaml:6:58:", "must pass that language's filter last"},
	    {OPS "  get: {method: GET, url: \"https://${conf.host}/t\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "a URL begins with the base"},
	    {OPS "  get: {method: GET, url: \"${conf.base}.evil/t\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "goes on with '/'"},
	    {OPS "  get: {method: GET, url: \"${conf.base}${conf.port}/t\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "goes on with '/'"},
	    {OPS "  get: {method: GET, url: \"${incident.url}/t\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "a URL begins with the base"},
	    {OPS "  get: {method: GET, url: \"${conf.base}/${ticket.id}\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "filter 'path' or 'int' last"},
	    {OPS "  get: {method: GET, url: \"${conf.base}/t?id=1\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "put the query into 'query:'"},
	    {OPS "  get: {method: GET, url: \"\", extract: {state: s}}\n",
	     "t.yaml:6:27:", "a URL begins with the base"},
	    {OPS "  get: {method: GET, url: \"${conf.base}/t\", extract: {state: \"a[b\"}}\n",
	     "t.yaml:6:62:", "is not a path"},
	    {OPS "  get: {method: HEAD, url: \"${conf.base}/t\", extract: {state: s}}\n",
	     "t.yaml:6:17:", "must be one of GET"},
	    {OPS "  resolve: {method: PUT, url: \"${conf.base}/t\", readback: {state: x}}\n",
	     "t.yaml:6:3:", "needs the operation 'get'"},
	    {OPS "  find: {method: GET, url: \"${conf.base}/t\", items: i, limit: 5, extract: {id: i, state: "
	         "s}}\n",
	     "t.yaml:6:3:", "find needs 'verify'"},
	    {OPS "  find: {method: GET, url: \"${conf.base}/t\", items: i, extract: {id: i, state: s}, "
	         "verify: {id: a}}\n",
	     "t.yaml:6:3:", "find needs 'limit'"},
	    {HEAD "ops:\n  create: {method: POST, url: \"${conf.base}/t\"}\n",
	     "t.yaml:5:3:", "create needs 'id' in 'extract'"},
	    {OPS "errors:\n  - {when: {status: [200], body_matches: \"(a\"}, class: config}\n",
	     "t.yaml:7:42:", "regex:"},
	    {OPS "errors:\n  - {when: {}, class: config}\n", "t.yaml:7:12:", "would fit every answer"},
	    {OPS "errors:\n  - {when: {status: 200}, class: bad}\n",
	     "t.yaml:7:34:", "must be one of ok, auth"},
	    {OPS "errors:\n  - {when: {status: [20]}, class: config}\n",
	     "t.yaml:7:22:", "between 100 and 599"},
	    {OPS "maps: {state_in: {new: fresh}}\n",
	     "t.yaml:6:24:", "must be one of open, acked, resolved, wontfix, gone"},
	    {OPS "limits: {rate: fast}\n", "t.yaml:6:16:", "expected a rate"},
	    {OPS "limits: {concurrency: 0}\n", "t.yaml:6:23:", "between 1 and 64"},
	    {OPS "defaults: {timeout: 30s}\n", "t.yaml:6:12:", "'timeout' is not available"},
	    {OPS "name: y\n", "t.yaml:6:1:", "duplicate key 'name'"},
	    {OPS "maps: &a {}\n", "t.yaml:6:7:", "anchors"},
	};
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = {0};
		struct ticket_profile *p = load_text(cases[i].text, &b);
		if (p != NULL || !slice_contains(buf_slice(&b), slice_str(cases[i].words)) ||
		    !slice_contains(buf_slice(&b), slice_str(cases[i].place)))
			print_error("behind case %zu: expected %s %s, got:\n%s", wrong = i + 1,
			            cases[i].place, cases[i].words, buf_cstr(&b));
		buf_free(&b);
	}
	assert_int_equal(wrong, 0);
}

static void connections(void **state)
{
	(void)state;
	static const struct {
		const char *base, *words;
	} cases[] = {
	    {"https://rt.example", NULL},
	    {"https://rt.example:8443/rt/", NULL},
	    {"http://127.0.0.1:8080", NULL},
	    {"http://127.9.9.9/x", NULL},
	    {"http://[::1]:80/", NULL},
	    {"http://localhost", NULL},
	    {"https://[2001:db8::1]/", NULL},
	    {"", "needs conf.base"},
	    {"rt.example", "must begin with https://"},
	    {"ftp://rt.example", "must begin with https://"},
	    {"http://rt.example", "loopback only"},
	    {"http://127.0.0.1.evil.example", "loopback only"},
	    {"http://127.1", "loopback only"},
	    {"http://user@127.0.0.1", "without user"},
	    {"https://rt.example?x", "without user"},
	    {"https://rt.example#x", "without user"},
	    {"https://rt.example\\@evil", "without user"},
	    {"https://rt example", "without user"},
	    {"https://", "no valid host"},
	    {"https://:443", "no valid host"},
	    {"https://rt.example:99999", "no valid host"},
	    {"https://rt.example:", "no valid host"},
	    {"https://[::1", "no valid host"},
	    {"https://-rt", "no valid host"},
	};
	struct bench b;
	struct error err;
	bench_init(&b, load_file(TICKET_PROFILES "/rt.yaml"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		b.conf_values[0] = cases[i].base;
		int rc = ticket_connection_check(&b.connection, &err);
		if ((rc == 0) != (cases[i].words == NULL) ||
		    (rc != 0 && strstr(err.text, cases[i].words) == NULL))
			fail_msg("'%s': %s", cases[i].base, rc != 0 ? err.text : "accepted");
	}
	b.conf_values[0] = "https://rt.example";
	b.conf_keys[1] = "quue";
	assert_int_equal(ticket_connection_check(&b.connection, &err), -1);
	assert_non_null(strstr(err.text, "needs conf.queue; 'quue' is set instead"));
	b.conf_keys[1] = "queue";
	b.connection.n_secrets = 0;
	assert_int_equal(ticket_connection_check(&b.connection, &err), -1);
	assert_non_null(strstr(err.text, "needs secret.token"));
	ticket_profile_free(b.profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shipped),
	    cmocka_unit_test(all_shipped),
	    cmocka_unit_test(smallest),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(connections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
