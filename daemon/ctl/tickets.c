/* tickets: what waits for a ticket system, and what an operator does about it. */
#include <stdlib.h>
#include <time.h>

#include "ctl/client.h"
#include "ctl/show.h"

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

static void row(const struct ctl *c, struct show_table *t, const struct json *i)
{
	struct buf b = {0};

	show_cell(t, SHOW_PLAIN, text(i, "id"));
	show_cell(t, SHOW_PLAIN, text(i, "destination"));
	show_cell(t, SHOW_PLAIN, text(i, "incident"));
	show_cell(t, SHOW_PLAIN, text(i, "ticket"));
	show_cell(t, SHOW_PLAIN, text(i, "verb"));
	show_cell(t, text(i, "error").n > 0 ? SHOW_YELLOW : SHOW_PLAIN, text(i, "state"));
	show_cell(t, SHOW_PLAIN, text(i, "attempt"));
	show_when(c, text(i, "next_at"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	show_cell(t, SHOW_PLAIN, text(i, "error"));
	buf_free(&b);
}

int tickets_outbox(struct ctl *c, const struct args *args)
{
	static const struct show_column columns[] = {{.title = "ID", .right = true},
	                                             {.title = "SYSTEM"},
	                                             {.title = "INCIDENT"},
	                                             {.title = "TICKET"},
	                                             {.title = "DOES"},
	                                             {.title = "STATE"},
	                                             {.title = "TRY", .right = true},
	                                             {.title = "NEXT"},
	                                             {.title = "ERROR", .flexible = true}};
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "GET", "/api/v1/tickets/outbox", SLICE_NONE, a, &r, &j);

	(void)args;
	if (rc == 0) {
		const struct json *list = json_get(j, "outbox");
		struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
		struct buf out = {0};
		struct jw w = jw_new(&out);

		for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next)
			if (!slice_is(text(i, "state"), "checked")) /* a connection that has passed waits for nothing */
				row(c, t, i);
		jw_tree(&w, j);
		show_list_end(c, t, &out, "nothing waits");
	}
	client_free(&r);
	arena_free(a);
	return rc;
}

static char *path_of(const char *id, const char *rest)
{
	struct buf quoted = {0};
	char *path;

	client_quote(&quoted, slice_str(id));
	path = xasprintf("/api/v1/tickets/outbox/%s%s", buf_cstr(&quoted), rest);
	buf_free(&quoted);
	return path;
}

int tickets_show(struct ctl *c, const struct args *args)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	char *path = path_of(args_word(args, 0), "");
	struct json *j;
	int rc = client_json(c, "GET", path, SLICE_NONE, a, &r, &j);

	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	for (const struct json *m = rc == 0 && !c->json && !c->quiet ? j->first : NULL; m != NULL;
	     m = m->next) {
		char *label = slice_dup(m->key);

		show_fact(c, label, json_text(m));
		free(label);
	}
	free(path);
	client_free(&r);
	arena_free(a);
	return rc;
}

static int act(struct ctl *c, const struct args *args, const char *what)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf body = {0}, reason = {0};
	struct jw w = jw_new(&body);
	char *path = path_of(args_word(args, 0), what);
	struct json *j;
	int rc;

	for (size_t i = 1; i < args->n_words; i++)
		buf_printf(&reason, "%s%s", i > 1 ? " " : "", args->words[i]);
	jw_object(&w);
	if (reason.n > 0)
		jw_kslice(&w, "note", buf_slice(&reason));
	jw_end(&w);
	rc = client_json(c, "POST", path, buf_slice(&body), a, &r, &j);
	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		fprintf(c->out, "done, for incident " SLICE_FMT "\n", SLICE_ARG(text(j, "id")));
	free(path);
	buf_free(&body);
	buf_free(&reason);
	client_free(&r);
	arena_free(a);
	return rc;
}

int tickets_retry(struct ctl *c, const struct args *a)
{
	return act(c, a, "/retry");
}

int tickets_discard(struct ctl *c, const struct args *a)
{
	if (a->n_words < 2)
		return ctl_fail(c, CTL_USAGE,
		                "say why, it is recorded: carillonctl tickets discard %s REASON",
		                args_word(a, 0));
	return act(c, a, "/discard");
}

/* ---- tickets check */

enum { CHECK_ROUNDS = 600, CHECK_PAUSE_MS = 500 };

/* The row of the connection, when it is about this check: 1 it is over, 0 not yet, -1 nobody answers. */
static int check_look(struct ctl *c, const char *path, struct slice op, int *verdict, bool last)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j = NULL;
	int rc = client_json(c, "GET", path, SLICE_NONE, a, &r, &j), over = 0;
	bool ours = rc == 0 && slice_eq(text(j, "op"), op), passed = slice_is(text(j, "state"), "checked");

	if (rc == 0 && ours && (passed || last || slice_is(text(j, "state"), "refused"))) {
		struct slice why = passed ? text(j, "what") : text(j, "error");

		over = 1;
		*verdict = passed ? CTL_DONE : CTL_FOUND;
		if (c->json)
			fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
		else if (!c->quiet)
			fprintf(c->out, "%s: " SLICE_FMT "\n", passed ? "passed" : last ? "not yet" : "refused", SLICE_ARG(why));
	}
	client_free(&r);
	arena_free(a);
	return rc != 0 ? -1 : over;
}

/* A trial may take as long as the ticket system's search lags behind. */
static int check_wait(struct ctl *c, const char *name, struct slice op)
{
	const struct timespec pause = {.tv_nsec = CHECK_PAUSE_MS * 1000000L};
	char *path = path_of(name, "");
	int over = 0, verdict = CTL_FOUND;

	for (int i = 0; over == 0 && i < CHECK_ROUNDS; i++) {
		nanosleep(&pause, NULL);
		over = check_look(c, path, op, &verdict, i + 1 == CHECK_ROUNDS);
	}
	free(path);
	return over < 0 ? CTL_UNREACHABLE : verdict;
}

int tickets_check(struct ctl *c, const struct args *args)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf quoted = {0};
	struct json *j;
	char *path;
	int rc;

	if (args->n_words != 1) {
		arena_free(a);
		return ctl_fail(c, CTL_USAGE, "which connection? carillonctl tickets check NAME, by its name in carillon.yaml");
	}
	client_quote(&quoted, slice_str(args_word(args, 0)));
	path = xasprintf("/api/v1/tickets/%s/check", buf_cstr(&quoted));
	rc = client_json(c, "POST", path, SLICE("{}"), a, &r, &j);
	if (rc == 0)
		rc = check_wait(c, args_word(args, 0), text(j, "op"));
	free(path);
	buf_free(&quoted);
	client_free(&r);
	arena_free(a);
	return rc;
}
