/* record: what the daemon keeps of what arrives. start, stop and list ask the daemon; export reads the
 * segments themselves, with or without a daemon, since they may be gigabytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/load.h"
#include "ctl/record.h"
#include "ctl/show.h"
#include "store/record_item.h"
#include "store/record_set.h"

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

/* ---- list */

static void row(const struct ctl *c, struct show_table *t, const struct json *s)
{
	const struct json *writing = json_get(s, "writing"), *torn = json_get(s, "torn");
	struct buf b = {0};

	show_when(c, text(s, "from"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	buf_clear(&b);
	show_when(c, text(s, "until"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	show_cell(t, SHOW_PLAIN, text(s, "payloads"));
	show_cell(t, SHOW_PLAIN, text(s, "bytes"));
	show_cell(t, SHOW_PLAIN, text(s, "name"));
	if (writing != NULL && writing->boolean)
		show_cell(t, SHOW_GREEN, SLICE("being written"));
	else if (torn != NULL && torn->boolean)
		show_cell(t, SHOW_YELLOW, SLICE("its last frame is torn"));
	else
		show_cell(t, SHOW_PLAIN, SLICE(""));
	buf_free(&b);
}

int record_list(struct ctl *c, const struct args *args)
{
	static const struct show_column columns[] = {{.title = "FROM"},
	                                             {.title = "UNTIL"},
	                                             {.title = "PAYLOADS", .right = true},
	                                             {.title = "BYTES", .right = true},
	                                             {.title = "SEGMENT", .flexible = true},
	                                             {.title = ""}};
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "GET", "/api/v1/record", SLICE_NONE, a, &r, &j);

	(void)args;
	if (rc == 0) {
		const struct json *list = json_get(j, "segments"), *on = json_get(j, "recording");
		struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
		struct buf out = {0};
		struct jw w = jw_new(&out);

		if (!c->json && !c->quiet)
			fprintf(c->out, "%s, in " SLICE_FMT "\n",
			        on != NULL && on->boolean ? "recording" : "not recording",
			        SLICE_ARG(text(j, "path")));
		for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next)
			row(c, t, i);
		jw_tree(&w, j);
		show_list_end(c, t, &out, "no recordings");
	}
	client_free(&r);
	arena_free(a);
	return rc;
}

/* ---- start, stop */

static int turn(struct ctl *c, struct slice body, const char *done)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "POST", "/api/v1/record", body, a, &r, &j);

	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		fprintf(c->out, "%s, in " SLICE_FMT "\n", done, SLICE_ARG(text(j, "path")));
	client_free(&r);
	arena_free(a);
	return rc;
}

int record_start(struct ctl *c, const struct args *a)
{
	(void)a;
	return turn(c, SLICE("{\"do\":\"start\"}"),
	            "recording until the next reload or restart decides otherwise");
}

int record_stop(struct ctl *c, const struct args *a)
{
	(void)a;
	return turn(c, SLICE("{\"do\":\"stop\"}"),
	            "not recording until the next reload or restart decides otherwise");
}

/* ---- export */

int record_range(const struct ctl *c, const struct args *a, instant *from, instant *to, instant *clock)
{
	const char *since = args_value(a, "since"), *begin = args_value(a, "from"),
	           *end = args_value(a, "to");
	duration d = 0;

	*from = INT64_MIN + 1;
	*to = INT64_MAX;
	if (since != NULL && begin != NULL)
		return ctl_fail(c, CTL_USAGE, "--since or --from, not both");
	if (since != NULL && !duration_parse(slice_str(since), &d))
		return ctl_fail(c, CTL_USAGE, "--since needs a duration such as 7d");
	if (since != NULL)
		*from = c->now - d;
	if (begin != NULL && !instant_parse(slice_str(begin), from))
		return ctl_fail(c, CTL_USAGE, "--from needs a time such as 2026-11-22T06:00:00Z");
	if (end != NULL && !instant_parse(slice_str(end), to))
		return ctl_fail(c, CTL_USAGE, "--to needs a time such as 2026-11-22T06:00:00Z");
	*clock = end != NULL ? *to : since != NULL ? c->now : INSTANT_NONE;
	return CTL_DONE;
}

char *record_dir(const struct args *a, const struct config *config)
{
	const char *path = args_value(a, "recordings");

	return path != NULL ? xstrdup(path) : xasprintf("%s/recordings", config->state.path);
}

static int write_lines(struct ctl *c, struct record_set *s, instant clock, FILE *to)
{
	struct slice line;
	struct buf last = {0};
	size_t n = 0;

	while (record_set_next(s, &line)) {
		if (fwrite(line.p, 1, line.n, to) != line.n || fputc('\n', to) == EOF)
			return ctl_fail(c, CTL_TRY_AGAIN, "cannot write: %s", strerror(errno));
		n++;
	}
	if (clock != INSTANT_NONE && n > 0) {
		record_item_write(&(struct record_item){.received = clock, .end = true}, &last);
		fwrite(last.p, 1, last.n, to);
		buf_free(&last);
	}
	if (record_set_torn(s) > 0 && !c->quiet)
		fprintf(c->err, "carillonctl: %zu torn frames were left out\n", record_set_torn(s));
	if (n == 0 && !c->quiet)
		fprintf(c->err, "carillonctl: nothing was recorded in that time\n");
	return CTL_DONE;
}

static int export_to(struct ctl *c, const struct args *a, struct record_set *s, instant clock)
{
	const char *path = args_value(a, "output");
	FILE *f = path != NULL ? fopen(path, "we") : c->out;
	int rc;

	if (f == NULL)
		return ctl_fail(c, CTL_USAGE, "cannot write '%s': %s", path, strerror(errno));
	rc = write_lines(c, s, clock, f);
	if (f != c->out && fclose(f) != 0 && rc == CTL_DONE)
		rc = ctl_fail(c, CTL_TRY_AGAIN, "cannot write '%s': %s", path, strerror(errno));
	return rc;
}

int record_export(struct ctl *c, const struct args *a)
{
	struct load l;
	struct error err;
	instant from, to, clock;
	int rc = record_range(c, a, &from, &to, &clock);

	if (rc != CTL_DONE)
		return rc;
	if (load_config(c, &l)) {
		char *dir = record_dir(a, l.config);
		struct record_set *s = record_set_open(dir, from, to, &err);

		rc = s != NULL ? export_to(c, a, s, clock) : ctl_fail(c, CTL_NOT_ALLOWED, "%s", err.text);
		record_set_close(s);
		free(dir);
	} else {
		ctl_findings(c->err, &l.f);
		rc = CTL_FOUND;
	}
	load_free(&l);
	return rc;
}
