/* Verbs that ask the daemon: what they show, and every exit code of cli.md section 4. */
#include "t.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"

#define INCIDENT                                                                                             \
	"{\"id\":\"01KE5QAM40YKB76PWSZ6HE45VV\",\"state\":\"open\",\"title\":\"checkout down: "              \
	"sw1\",\"priority\":\"P1\",\"root\":\"sw1\","                                                        \
	"\"services\":[{\"id\":\"checkout\",\"tier\":1,\"state\":\"down\"}],\"severity\":\"critical\","      \
	"\"assign\":\"NET\",\"owner\":null,"                                                                 \
	"\"opened_at\":\"2026-01-05T11:00:00Z\",\"updated_at\":\"2026-01-05T11:59:00Z\",\"alerts\":3,"       \
	"\"ticket\":{\"destination\":\"default\",\"id\":\"42\",\"url\":\"http://rt/"                         \
	"42\",\"state\":\"open\"},"                                                                          \
	"\"components\":[{\"service\":\"api\",\"state\":\"down\",\"alerts\":1,\"cause\":\"sw1\"},"           \
	"{\"service\":\"sw1\",\"state\":\"down\",\"alerts\":2,\"cause\":null}],\"reasons\":[\"api needs "    \
	"sw1\"]}"
#define OLD                                                                                                  \
	"{\"id\":\"01KE5QAM3ZAAAAAAAAAAAAAAAA\",\"state\":\"closed\",\"title\":\"old \\u001b[31m "           \
	"one\",\"priority\":\"P4\",\"services\":[]}"
#define JSON(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n\r\n" body

static const struct t_answer answers[] = {
    {"GET /api/v1/status ",
     JSON("200 OK",
          "{\"version\":\"9.9\",\"ready\":true,\"map\":{\"ok\":false,\"services\":3,\"source\":\"redis\","
          "\"at\":\"2026-01-05T11:00:00Z\",\"error\":\"shrunk\"},\"last_reload\":{\"ok\":true,\"at\":null}}"
          "\n")},
    {"GET /api/v1/incidents ", JSON("200 OK", "{\"incidents\":[\n" INCIDENT ",\n" OLD "]}\n")},
    {"GET /api/v1/incidents/01KE5Q ", JSON("200 OK", INCIDENT "\n")},
    {"GET /api/v1/incidents/01KE5Q/log ",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"log\":[{\r\n"
     "3D\r\n\"at\":\"2026-01-05T11:00:00Z\",\"kind\":\"state\",\"text\":\"opened\"}]}\r\n0\r\n\r\n"},
    {"GET /api/v1/incidents/01KE5Q/alerts ", JSON("200 OK", "{\"alerts\":[]}")},
    {"GET /api/v1/incidents/GONE", JSON("404 Not Found", "{\"title\":\"there is no incident 'GONE'\"}")},
    {"POST /api/v1/incidents/01KE5Q/actions ",
     JSON("200 OK", "{\"ok\":true,\"id\":\"01KE5QAM40YKB76PWSZ6HE45VV\",\"state\":\"acked\"}")},
    {"POST /api/v1/incidents/BUSY/actions ",
     JSON("409 Conflict", "{\"ok\":false,\"error\":\"not possible: the incident is resolved\"}")},
    {"POST /api/v1/incidents/SLOW/actions ",
     JSON("504 Gateway Timeout", "{\"title\":\"no answer within 10 s\"}")},
    {"POST /api/v1/incidents/MINE/actions ", JSON("403 Forbidden", "{\"title\":\"not yours\"}")},
    {"GET /api/v1/rules ",
     JSON("200 OK", "{\"rules\":[{\"id\":\"a/quiet\",\"mode\":\"live\",\"hits\":0,\"alerts\":0,\"last_hit\":null},"
                    "{\"id\":\"b/busy\",\"mode\":\"trial\",\"hits\":7,\"alerts\":2,\"keys\":1,\"evicted\":0}]}")},
    {"GET /api/v1/alerts ",
     JSON("200 OK",
          "{\"alerts\":[{\"rule\":\"sshd/"
          "a\",\"by\":{\"host\":\"web1\"},\"state\":\"open\",\"severity\":\"major\"},"
          "{\"rule\":\"sshd/"
          "b\",\"by\":{\"host\":\"db1\"},\"state\":\"open\",\"severity\":\"major\",\"suppressed\":\"x/y\"},"
          "{\"rule\":\"sshd/c\",\"by\":{\"host\":\"web2\"},\"state\":\"closed\"}]}")},
    {"POST /api/v1/reload ",
     JSON("422 Unprocessable",
          "{\"ok\":false,\"error\":\"a.yaml:3:1: error: rule 'x' needs 'match' [E005]\\n    3 | x\\n\"}")},
    {"GET /api/v1/tickets/outbox ",
     JSON("200 OK",
          "{\"outbox\":[{\"id\":7,\"destination\":\"default\",\"verb\":\"create\",\"state\":\"retry\","
          "\"attempt\":3,\"error\":\"connection refused\"}]}")},
    {"GET /api/v1/tickets/outbox/7 ", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":7"},
    {"POST /api/v1/tickets/outbox/7/retry ", "garbage\r\n\r\n"},
    {"GET /api/v1/events/stream ",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2f\r\n{\"event\":{\"host\":\"web1\",\"message\":\"one\"},\"rules\r\n23\r\n\":[\"a/"
     "b\"]}\n{\"event\":{\"host\":\"db1\"}}\r\n1\r\n\n\r\n"},
};

static struct t_daemon daemon_;

static int start(void **state)
{
	(void)state;
	daemon_ = t_daemon(answers, ARRAY_LEN(answers));
	return 0;
}

static int end(void **state)
{
	(void)state;
	t_daemon_end(&daemon_);
	return 0;
}

static struct outcome ask(const char *words)
{
	char *all = xasprintf("--socket\n%s\n%s", daemon_.socket, words);
	struct outcome o = t_run(all, 0);

	free(all);
	return o;
}

static void expect(const char *words, int rc, const char *out, const char *err)
{
	struct outcome o = ask(words);

	if (o.rc != rc)
		fail_msg("exit code %d instead of %d\n%s%s", o.rc, rc, o.out, o.err);
	if (out != NULL)
		t_has(o.out, out);
	if (err != NULL)
		t_has(o.err, err);
	outcome_free(&o);
}

static void exit_codes(void **state)
{
	(void)state;
	expect("status", CTL_DONE, "carillond 9.9, ready", NULL);
	expect("incidents\nshow\nGONE", CTL_NO_SUCH, NULL, "there is no incident 'GONE'");
	expect("incidents\nack\nBUSY", CTL_REFUSED, NULL, "the incident is resolved");
	expect("incidents\nack\nSLOW", CTL_TRY_AGAIN, NULL, "no answer within 10 s");
	expect("incidents\nack\nMINE", CTL_NOT_ALLOWED, NULL, "not yours");
	expect("reload", CTL_FOUND, NULL, "a.yaml:3:1: error: rule 'x' needs 'match' [E005]\n    3 | x\n");
	expect("tickets\ndiscard\n7", CTL_USAGE, NULL, "say why");
	/* an answer that breaks off, and one that is none */
	expect("tickets\nshow\n7", CTL_TRY_AGAIN, NULL, "did not answer");
	expect("tickets\nretry\n7", CTL_TRY_AGAIN, NULL, "did not answer");
}

static void nobody_listens(void **state)
{
	(void)state;
	struct outcome o = t_run("--socket\n/tmp/carillon-ctl-nobody.sock\nstatus", 0);

	assert_int_equal(o.rc, CTL_UNREACHABLE);
	t_has(o.err, "start it (systemctl start carillon)");
	assert_int_equal(o.out_n, 0);
	outcome_free(&o);
}

static void stale_map_is_loud(void **state)
{
	(void)state;
	expect("status", CTL_DONE, "STALE: shrunk", NULL);
	expect("status", CTL_DONE, "last good 60m ago", NULL);
	expect("--utc\nstatus", CTL_DONE, "last good 2026-01-05T11:00:00Z", NULL);
	expect("status\n--json", CTL_DONE, "{\"version\":\"9.9\"", NULL);
}

static void incidents(void **state)
{
	(void)state;
	struct outcome o = ask("incidents\nlist");

	assert_int_equal(o.rc, 0);
	t_has(o.out, "01KE5QAM40YKB76PWSZ6HE45VV  P1    C  open");
	t_lacks(o.out, "old");
	outcome_free(&o);
	o = ask("incidents\nlist\n--all");
	t_has(o.out, "old [31m one"); /* without its escape */
	outcome_free(&o);
	expect("incidents\nlist\n--json", CTL_DONE, "{\"incidents\":[{\"id\":\"01KE5QAM40YKB76PWSZ6HE45VV\"",
	       NULL);
	expect("incidents\nlist\n--state\nacked", CTL_DONE, "no incidents", NULL);
	expect("incidents\nlist\n--priority\nP1", CTL_DONE, "checkout down", NULL);
	expect("incidents\nlist\n--service\nche*", CTL_DONE, "checkout down", NULL);
	expect("incidents\nlist\n--service\ndb", CTL_DONE, "no incidents", NULL);
	expect("incidents\nlist\n--since\n30s", CTL_DONE, "no incidents", NULL);
	expect("incidents\nlist\n--since\n2m", CTL_DONE, "checkout down", NULL);
	expect("incidents\nlist\n--since\nsoon", CTL_USAGE, NULL, "is no duration");
	expect("incidents\nlist\n--priority\nhigh", CTL_USAGE, NULL, "is no priority");
	expect("incidents\nlist\n--state\nopen,nope", CTL_USAGE, NULL, "is no state");
}

static void one_incident(void **state)
{
	(void)state;
	expect("incidents\nshow\n01ke5q", CTL_DONE, "  sw1  down  2 alerts\n  └─ api  down  1 alert\n",
	       NULL);
	expect("incidents\nshow\n01KE5Q", CTL_DONE, "42 at default, open", NULL);
	expect("incidents\nshow\n01KE5Q", CTL_DONE, "60m ago    state    opened", NULL);
	expect("incidents\nshow\n01KE5Q\n--json", CTL_DONE, "\"log\":[{\"at\":\"2026-01-05T11:00:00Z\"",
	       NULL);
	expect("incidents\nack\n01KE5Q\nlooking\ninto it", CTL_DONE, "01KE5QAM40YKB76PWSZ6HE45VV is acked",
	       NULL);
}

/* The busiest first. */
static void rule_stats(void **state)
{
	struct outcome o = ask("rules\nstats");

	(void)state;
	assert_int_equal(o.rc, 0);
	t_has(o.out, "EVICTED");
	assert_true(strstr(o.out, "b/busy") < strstr(o.out, "a/quiet"));
	outcome_free(&o);
	o = ask("--json\nrules\nstats");
	t_has(o.out, "{\"rules\":[{\"id\":\"b/busy\"");
	outcome_free(&o);
}

static void alerts(void **state)
{
	(void)state;
	struct outcome o = ask("alerts\nlist\nhost=web*");

	assert_int_equal(o.rc, 0);
	t_has(o.out, "sshd/a");
	t_lacks(o.out, "sshd/b");
	t_lacks(o.out, "sshd/c");
	outcome_free(&o);
	o = ask("alerts\nlist\nhost=web*\n--all");
	t_has(o.out, "sshd/c");
	outcome_free(&o);
	o = ask("alerts\nlist\n--suppressed");
	t_has(o.out, "sshd/b");
	t_lacks(o.out, "sshd/a");
	outcome_free(&o);
	expect("alerts\nlist\nseverity", CTL_USAGE, NULL, "write field=value");
	expect("tickets\noutbox", CTL_DONE, "connection refused", NULL);
	expect("tickets\noutbox\n--json", CTL_DONE, "{\"outbox\":[{\"id\":7", NULL);
}

static void tail(void **state)
{
	(void)state;
	struct outcome o = ask("--json\nevents\ntail\n--rule\na/*\n--count\n1");

	assert_int_equal(o.rc, 0);
	assert_string_equal(o.out,
	                    "{\"event\":{\"host\":\"web1\",\"message\":\"one\"},\"rules\":[\"a/b\"]}\n");
	outcome_free(&o);
	o = ask("events\ntail\nhost=db*\n--count\n1");
	assert_int_equal(o.rc, 0);
	t_has(o.out, "db1");
	t_lacks(o.out, "web1");
	outcome_free(&o);
	/* the daemon went away while somebody watched */
	expect("events\ntail", CTL_TRY_AGAIN, "one  → a/b", "ended the stream");
}

static void quoting(void **state)
{
	(void)state;
	struct buf b = {0};

	client_quote(&b, SLICE("a/b c\r\n%ü~"));
	assert_string_equal(buf_cstr(&b), "a%2Fb%20c%0D%0A%25%C3%BC~");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(exit_codes),
	                                   cmocka_unit_test(nobody_listens),
	                                   cmocka_unit_test(stale_map_is_loud),
	                                   cmocka_unit_test(incidents),
	                                   cmocka_unit_test(one_incident),
	                                   cmocka_unit_test(rule_stats),
	    cmocka_unit_test(alerts),
	                                   cmocka_unit_test(tail),
	                                   cmocka_unit_test(quoting)};

	return cmocka_run_group_tests(tests, start, end);
}
