/* alerts list, and events as they arrive. */
#include <stdlib.h>

#include "ctl/client.h"
#include "ctl/select.h"
#include "ctl/show.h"

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

static bool names_field(const struct args *a, const char *field)
{
	for (size_t i = 0; i < a->n_words; i++) {
		struct slice word = slice_str(a->words[i]), name;

		if (slice_split(&word, '=', &name) && slice_is(name, field))
			return true;
	}
	return false;
}

/* ---- alerts */

static void by_text(const struct json *by, struct buf *b)
{
	for (const struct json *m = by != NULL ? by->first : NULL; m != NULL; m = m->next)
		buf_printf(b, "%s" SLICE_FMT "=" SLICE_FMT, b->n > 0 ? " " : "", SLICE_ARG(m->key),
		           SLICE_ARG(json_text(m)));
}

static void row(const struct ctl *c, struct show_table *t, const struct json *i)
{
	struct buf b = {0};
	struct slice muted = text(i, "suppressed"), silence = text(i, "silence");
	bool dim = muted.n > 0 || silence.n > 0;

	show_cellf(t, "%c", show_letter(text(i, "severity")));
	show_cell(t, show_severity(text(i, "severity")), text(i, "rule"));
	by_text(json_get(i, "by"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	show_cell(t, SHOW_PLAIN, text(i, "service"));
	show_cell(t, dim ? SHOW_DIM : SHOW_PLAIN,
	          muted.n > 0     ? SLICE("suppressed")
	          : silence.n > 0 ? SLICE("silenced")
	                          : text(i, "state"));
	show_cell(t, SHOW_PLAIN, text(i, "count"));
	buf_clear(&b);
	show_when(c, text(i, "opened").n > 0 ? text(i, "opened") : text(i, "first"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	show_cell(t, SHOW_PLAIN, text(i, "summary"));
	buf_free(&b);
}

static void list(struct ctl *c, const struct args *args, const struct json *alerts)
{
	static const struct show_column columns[] = {{.title = "S"},
	                                             {.title = "RULE"},
	                                             {.title = "BY", .flexible = true},
	                                             {.title = "SERVICE"},
	                                             {.title = "STATE"},
	                                             {.title = "COUNT", .right = true},
	                                             {.title = "OPENED"},
	                                             {.title = "SUMMARY", .flexible = true}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	bool closed = args_flag(args, "all") || names_field(args, "state");
	struct buf out = {0};
	struct jw w = jw_new(&out);

	jw_object(&w);
	jw_key(&w, "alerts");
	jw_array(&w);
	for (const struct json *i = alerts != NULL ? alerts->first : NULL; i != NULL; i = i->next) {
		if ((!closed && slice_is(text(i, "state"), "closed")) ||
		    (args_flag(args, "suppressed") && text(i, "suppressed").n == 0) ||
		    !select_fits(args, i, "by"))
			continue;
		jw_tree(&w, i);
		row(c, t, i);
	}
	jw_array_end(&w);
	jw_end(&w);
	show_list_end(c, t, &out, "no alerts");
}

int alerts_list(struct ctl *c, const struct args *args)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = select_check(c, args);

	if (rc == 0)
		rc = client_json(c, "GET", "/api/v1/alerts", SLICE_NONE, a, &r, &j);
	if (rc == 0)
		list(c, args, json_get(j, "alerts"));
	client_free(&r);
	arena_free(a);
	return rc;
}

/* ---- events */

struct tail {
	struct ctl *c;
	const struct args *args;
	const char *rule;
	int64_t left; /* lines to print; < 0: no end */
};

static bool hit(const struct json *rules, const char *glob)
{
	for (const struct json *r = rules != NULL ? rules->first : NULL; r != NULL; r = r->next)
		if (select_glob(slice_str(glob), json_text(r)))
			return true;
	return false;
}

static void print_event(const struct ctl *c, const struct json *j)
{
	const struct json *e = json_get(j, "event"), *rules = json_get(j, "rules");
	struct slice when = text(j, "received"), what = text(e, "message");
	instant t;
	struct buf b = {0};

	if (!c->utc && instant_parse(when, &t))
		when = slice_sub(when, 11, 8);
	show_clean(&b, when);
	buf_printf(&b, "  %c " SLICE_FMT "  ", show_letter(text(e, "severity")),
	           SLICE_ARG(text(j, "listener")));
	if (e == NULL)
		buf_printf(&b, SLICE_FMT ": refused: " SLICE_FMT, SLICE_ARG(text(j, "sender")),
		           SLICE_ARG(text(j, "reason")));
	else
		buf_printf(&b, SLICE_FMT " " SLICE_FMT "  " SLICE_FMT, SLICE_ARG(text(e, "host")),
		           SLICE_ARG(text(e, "app")), SLICE_ARG(what.n > 0 ? what : text(e, "summary")));
	show_text(c, show_severity(text(e, "severity")), buf_slice(&b));
	buf_clear(&b);
	for (const struct json *r = rules != NULL ? rules->first : NULL; r != NULL; r = r->next)
		buf_printf(&b, "%s" SLICE_FMT, b.n > 0 ? ", " : "  → ", SLICE_ARG(json_text(r)));
	if (b.n == 0 && e != NULL)
		buf_printf(&b, "  (" SLICE_FMT ")", SLICE_ARG(text(j, "fate")));
	show_text(c, SHOW_DIM, buf_slice(&b));
	fputc('\n', c->out);
	buf_free(&b);
}

static bool on_line(void *arg, struct slice line)
{
	struct tail *t = arg;
	struct arena *a = arena_new(4096);
	struct error err;
	struct json *j = json_parse(a, line, JSON_LIMITS, NULL, &err);
	bool wanted = j != NULL && (t->rule == NULL || hit(json_get(j, "rules"), t->rule)) &&
	              (t->args->n_words == 0 || select_fits(t->args, j, "event"));

	if (wanted && t->c->json)
		fprintf(t->c->out, SLICE_FMT "\n", SLICE_ARG(line));
	else if (wanted && !t->c->quiet)
		print_event(t->c, j);
	if (wanted && t->left > 0)
		t->left--;
	arena_free(a);
	/* whoever reads a pipe sees each event at once; a reader that has gone ends the tail */
	return fflush(t->c->out) == 0 && t->left != 0;
}

int events_tail(struct ctl *c, const struct args *args)
{
	const char *count = args_value(args, "count");
	struct tail t = {c, args, args_value(args, "rule"), -1};
	int rc = select_check(c, args);

	if (rc != 0)
		return rc;
	if (count != NULL && (!slice_int(slice_str(count), &t.left) || t.left < 1))
		return ctl_fail(c, CTL_USAGE, "'--count' takes a number from 1");
	return client_stream(c, "/api/v1/events/stream", on_line, &t);
}
