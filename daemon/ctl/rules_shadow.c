/* rules shadow: candidate rules beside the running ones, and what they would have done differently. */
#include <stdlib.h>

#include "ctl/client.h"
#include "ctl/show.h"

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

static int act(struct ctl *c, const struct args *args, const char *what)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf body = {0};
	struct jw w = jw_new(&body);
	struct json *j;
	int rc;

	jw_object(&w);
	jw_kstr(&w, "do", what);
	jw_key(&w, "paths");
	jw_array(&w);
	for (size_t i = 1; i < args->n_words; i++) {
		char *path = realpath(args->words[i], NULL); /* the daemon is elsewhere */

		jw_str(&w, path != NULL ? path : args->words[i]);
		free(path);
	}
	jw_array_end(&w);
	jw_end(&w);
	rc = client_json(c, "POST", "/api/v1/rules/shadow", buf_slice(&body), a, &r, &j);
	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(text(j, "note")));
	buf_free(&body);
	client_free(&r);
	arena_free(a);
	return rc;
}

static void show_change(struct ctl *c, const struct json *x)
{
	const struct json *before = json_get(x, "before"), *now = json_get(x, "now"),
	                  *t = now != NULL ? now : before;
	struct buf line = {0}, when = {0};

	show_when(c, text(t, "opened_at"), &when);
	buf_printf(&line, "  %-15.*s %s  P" SLICE_FMT "  ", SLICE_ARG(text(x, "change")), buf_cstr(&when),
	           SLICE_ARG(text(t, "priority")));
	show_clean(&line, text(t, "title"));
	fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&line)));
	buf_clear(&line);
	show_clean(&line, text(x, "why"));
	fprintf(c->out, "                  " SLICE_FMT "\n", SLICE_ARG(buf_slice(&line)));
	buf_free(&line);
	buf_free(&when);
}

static void show_report(struct ctl *c, const struct json *j)
{
	const struct json *list = json_get(j, "changes");
	struct buf since = {0};

	show_when(c, text(j, "since"), &since);
	fprintf(c->out,
	        "since %s: " SLICE_FMT " tickets instead of " SLICE_FMT ", " SLICE_FMT " lost, " SLICE_FMT
	        " at lower priority, " SLICE_FMT " at higher priority, " SLICE_FMT " new\n",
	        buf_cstr(&since), SLICE_ARG(text(j, "tickets")), SLICE_ARG(text(j, "tickets_before")),
	        SLICE_ARG(text(j, "lost")), SLICE_ARG(text(j, "lower_priority")),
	        SLICE_ARG(text(j, "higher_priority")), SLICE_ARG(text(j, "new")));
	if (!slice_is(text(j, "dropped"), "0"))
		fprintf(c->out, SLICE_FMT " of its events were dropped: the running rules come first\n",
		        SLICE_ARG(text(j, "dropped")));
	for (const struct json *x = list != NULL ? list->first : NULL; x != NULL; x = x->next)
		show_change(c, x);
	buf_free(&since);
}

static int report(struct ctl *c)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "GET", "/api/v1/rules/shadow", SLICE_NONE, a, &r, &j);

	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		show_report(c, j);
	client_free(&r);
	arena_free(a);
	return rc;
}

int rules_shadow(struct ctl *c, const struct args *a)
{
	struct slice what = slice_str(args_word(a, 0));

	if (slice_is(what, "start") && a->n_words > 1)
		return act(c, a, "start");
	if (slice_is(what, "stop") && a->n_words == 1)
		return act(c, a, "stop");
	if (slice_is(what, "report") && a->n_words == 1)
		return report(c);
	return ctl_fail(c, CTL_USAGE,
	                "'rules shadow start PATH', 'rules shadow report' or 'rules shadow stop'");
}
