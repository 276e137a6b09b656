/* tickets: what waits for a ticket system, and what an operator does about it. */
#include <stdlib.h>

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
