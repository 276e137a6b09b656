/* events send: test input into the running daemon, as fields or as a syslog line. */
#include <stdlib.h>

#include "ctl/client.h"
#include "ctl/files.h"
#include "ctl/show.h"

#define FILE_MAX (64u << 20)

struct totals {
	int64_t events, wanted;
};

static int send_body(struct ctl *c, struct slice body, struct totals *t)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int64_t n;
	int rc = client_json(c, "POST", "/api/v1/events", body, a, &r, &j);

	if (rc == 0 && json_int(json_get(j, "events"), &n))
		t->events += n;
	if (rc == 0 && json_int(json_get(j, "wanted"), &n))
		t->wanted += n;
	client_free(&r);
	arena_free(a);
	return rc;
}

static int send_line(struct ctl *c, struct slice line, struct totals *t)
{
	struct buf body = {0};
	struct jw w = jw_new(&body);
	int rc;

	jw_object(&w);
	jw_kslice(&w, "syslog", line);
	jw_end(&w);
	rc = send_body(c, buf_slice(&body), t);
	buf_free(&body);
	return rc;
}

/* A line that begins with '{' is an event, any other a syslog message; empty ones are skipped. */
static int send_file(struct ctl *c, const char *path, struct totals *t)
{
	struct buf text = {0};
	struct error err;
	struct slice rest, line;
	int rc = CTL_DONE;
	size_t n = 0;

	if (files_slurp(path, FILE_MAX, &text, &err) != 0) {
		buf_free(&text);
		return ctl_fail(c, CTL_USAGE, "%s", err.text);
	}
	rest = buf_slice(&text);
	while (rc == 0 && rest.n > 0 && slice_split(&rest, '\n', &line)) {
		n++;
		line = slice_trim(line);
		if (line.n == 0)
			continue;
		rc = line.p[0] == '{' ? send_body(c, line, t) : send_line(c, line, t);
		if (rc != 0)
			fprintf(c->err, "carillonctl: in line %zu of %s; what stands before it was sent\n", n,
			        path);
	}
	buf_free(&text);
	return rc;
}

static void say(const struct ctl *c, const struct totals *t)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kint(&w, "events", t->events);
	jw_kint(&w, "wanted", t->wanted);
	jw_end(&w);
	if (c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&b)));
	else if (!c->quiet)
		fprintf(c->out, "%lld event%s taken, %lld wanted by a rule\n", (long long)t->events,
		        t->events == 1 ? "" : "s", (long long)t->wanted);
	buf_free(&b);
}

int events_send(struct ctl *c, const struct args *a)
{
	const char *event = args_word(a, 0), *line = args_value(a, "syslog"), *file = args_value(a, "file");
	struct totals t = {0};
	int rc;

	if ((event != NULL) + (line != NULL) + (file != NULL) != 1)
		return ctl_fail(c, CTL_USAGE, "give one of: an event as JSON, --syslog LINE, --file F");
	rc = event != NULL  ? send_body(c, slice_str(event), &t)
	     : line != NULL ? send_line(c, slice_str(line), &t)
	                    : send_file(c, file, &t);
	if (rc == 0)
		say(c, &t);
	return rc;
}
