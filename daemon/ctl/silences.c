/* silence: what an operator mutes for a time, shown before it happens by the condition that will do it. */
#include <stdlib.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/show.h"

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

/* ---- host=web* app!=cron → a condition */

struct word {
	struct slice field, value;
	bool negated;
};

static bool word_parse(const char *text, struct word *w)
{
	struct slice rest = slice_str(text);

	if (!slice_split(&rest, '=', &w->field) || rest.p == NULL || rest.n == 0 || w->field.n == 0)
		return false;
	w->value = rest;
	w->negated = w->field.p[w->field.n - 1] == '!';
	w->field.n -= w->negated;
	return w->field.n > 0;
}

static void put_test(struct jw *w, const struct word *x)
{
	bool glob =
	    memchr(x->value.p, '*', x->value.n) != NULL || memchr(x->value.p, '?', x->value.n) != NULL;

	jw_object(w);
	jw_keyn(w, x->field);
	if (x->negated) {
		jw_object(w);
		jw_key(w, "not");
	}
	if (glob) {
		jw_object(w);
		jw_kslice(w, "like", x->value);
		jw_end(w);
	} else {
		jw_slice(w, x->value);
	}
	if (x->negated)
		jw_end(w);
	jw_end(w);
}

/* Words of one field are joined by OR, fields by AND; what is excluded always by AND. */
static void put_match(struct jw *w, const struct word *v, size_t n)
{
	jw_object(w);
	jw_key(w, "all");
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		bool seen = false;

		for (size_t k = 0; k < i && !v[i].negated; k++)
			seen = seen || (!v[k].negated && slice_eq(v[k].field, v[i].field));
		if (v[i].negated)
			put_test(w, &v[i]);
		if (seen || v[i].negated)
			continue;
		jw_object(w);
		jw_key(w, "any");
		jw_array(w);
		for (size_t k = i; k < n; k++)
			if (!v[k].negated && slice_eq(v[k].field, v[i].field))
				put_test(w, &v[k]);
		jw_array_end(w);
		jw_end(w);
	}
	jw_array_end(w);
	jw_end(w);
}

static int body_of(const struct ctl *c, const struct args *a, struct buf *out)
{
	static const char *const options[] = {"for", "until", "from", "during", "reason", "owner"};
	struct word *v = xcalloc(a->n_words + 1, sizeof *v);
	struct jw w = jw_new(out);
	int rc = CTL_DONE;

	for (size_t i = 0; rc == CTL_DONE && i < a->n_words; i++)
		if (!word_parse(a->words[i], &v[i]))
			rc = ctl_fail(c, CTL_USAGE,
			              "'%s' is no condition; write field=value, e.g. host=web* app!=cron",
			              a->words[i]);
	if (rc == CTL_DONE && a->n_words == 0)
		rc = ctl_fail(c, CTL_USAGE,
		              "a silence needs a condition, e.g. host=web1; it would mute everything");
	if (rc == CTL_DONE && args_value(a, "reason") == NULL)
		rc = ctl_fail(c, CTL_USAGE, "a silence needs a reason: --reason TEXT");
	if (rc == CTL_DONE) {
		jw_object(&w);
		jw_key(&w, "match");
		put_match(&w, v, a->n_words);
		for (size_t i = 0; i < ARRAY_LEN(options); i++)
			if (args_value(a, options[i]) != NULL)
				jw_kstr(&w, options[i], args_value(a, options[i]));
		jw_kbool(&w, "include_dependents", args_flag(a, "include-dependents"));
		jw_end(&w);
	}
	free(v);
	return rc;
}

/* ---- add */

static void print_raw(const struct ctl *c, const struct client_reply *r)
{
	fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r->body))));
}

static void print_preview(const struct ctl *c, const struct json *j)
{
	const struct json *alerts = json_get(j, "alerts"), *services = json_get(j, "services");
	struct slice count = text(j, "count");

	if (c->quiet)
		return;
	if (slice_is(count, "0"))
		fprintf(c->out, "no open alert fits now\n");
	else
		fprintf(c->out, SLICE_FMT " open alert%s fit%s now:\n", SLICE_ARG(count),
		        slice_is(count, "1") ? "" : "s", slice_is(count, "1") ? "s" : "");
	for (const struct json *i = alerts != NULL ? alerts->first : NULL; i != NULL; i = i->next) {
		fprintf(c->out, "  %c ", show_letter(text(i, "severity")));
		show_text(c, show_severity(text(i, "severity")), text(i, "rule"));
		fputs("  ", c->out);
		show_text(c, SHOW_PLAIN, text(i, "summary"));
		fputc('\n', c->out);
	}
	for (const struct json *i = services != NULL ? services->first : NULL; i != NULL; i = i->next)
		show_fact(c, i == services->first ? "maintenance of" : "", json_text(i));
}

static bool agreed(const struct ctl *c)
{
	char line[16] = "";

	if (c->json || c->quiet || !isatty(fileno(c->in)) || !isatty(fileno(c->out)))
		return true;
	fprintf(c->out, "Add this silence? [y/N] ");
	fflush(c->out);
	return fgets(line, sizeof line, c->in) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static void print_one(const struct ctl *c, const struct json *j)
{
	static const char *const facts[] = {"id",    "state",  "reason",     "owner", "by",    "from",
	                                    "until", "during", "changes_at", "file",  "alerts"};
	struct buf b = {0};
	struct jw w = jw_new(&b);

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		show_fact(c, facts[i], text(j, facts[i]));
	if (slice_is(text(j, "include_dependents"), "true"))
		show_fact(c, "maintenance", SLICE("yes: the services that it names, and what they explain"));
	if (json_get(j, "match") != NULL) {
		jw_tree(&w, json_get(j, "match"));
		show_fact(c, "match", buf_slice(&b));
	}
	buf_free(&b);
}

static int look_first(struct ctl *c, const struct args *args, struct slice body, struct arena *a)
{
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "POST", "/api/v1/silences/preview", body, a, &r, &j);

	if (rc == 0 && c->json && args_flag(args, "dry-run"))
		print_raw(c, &r);
	else if (rc == 0 && !c->json)
		print_preview(c, j);
	client_free(&r);
	return rc;
}

int silences_add(struct ctl *c, const struct args *args)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf body = {0};
	struct json *j;
	int rc = body_of(c, args, &body);

	if (rc == 0)
		rc = look_first(c, args, buf_slice(&body), a);
	if (rc == 0 && !args_flag(args, "dry-run") && !agreed(c))
		rc = ctl_fail(c, CTL_REFUSED, "nothing has been added");
	else if (rc == 0 && !args_flag(args, "dry-run")) {
		rc = client_json(c, "POST", "/api/v1/silences", buf_slice(&body), a, &r, &j);
		if (rc == 0 && c->json)
			print_raw(c, &r);
		else if (rc == 0 && !c->quiet)
			print_one(c, j);
	}
	client_free(&r);
	buf_free(&body);
	arena_free(a);
	return rc;
}

/* ---- list, show, expire, extend */

static void row(const struct ctl *c, struct show_table *t, const struct json *i)
{
	struct buf b = {0};
	struct slice state = text(i, "state");

	show_cell(t, SHOW_PLAIN, text(i, "id"));
	show_cell(t, slice_is(state, "active") ? SHOW_YELLOW : SHOW_PLAIN, state);
	show_when(c, text(i, "changes_at"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	show_cell(t, SHOW_PLAIN,
	          slice_is(text(i, "include_dependents"), "true") ? SLICE("maintenance") : SLICE("silence"));
	show_cell(t, SHOW_PLAIN, text(i, "alerts"));
	show_cell(t, SHOW_PLAIN, text(i, "by").n > 0 ? text(i, "by") : text(i, "owner"));
	show_cell(t, SHOW_PLAIN, text(i, "reason"));
	buf_free(&b);
}

int silences_list(struct ctl *c, const struct args *args UNUSED)
{
	static const struct show_column columns[] = {{.title = "ID"},
	                                             {.title = "STATE"},
	                                             {.title = "CHANGES"},
	                                             {.title = "KIND"},
	                                             {.title = "ALERTS", .right = true},
	                                             {.title = "BY"},
	                                             {.title = "REASON", .flexible = true}};
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "GET", "/api/v1/silences", SLICE_NONE, a, &r, &j);

	if (rc == 0) {
		struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
		const struct json *list = json_get(j, "silences");
		struct buf out = {0};

		buf_adds(&out, slice_trim(buf_slice(&r.body)));
		for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next)
			row(c, t, i);
		show_list_end(c, t, &out, "no silences");
	}
	client_free(&r);
	arena_free(a);
	return rc;
}

static int on_one(struct ctl *c, const struct args *args, const char *method, const char *rest,
                  struct slice body)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf path = {0};
	struct json *j;

	buf_str(&path, "/api/v1/silences/");
	struct slice id = slice_str(args_word(args, 0)), part;

	/* package/id: the slash stays one */
	for (bool first = true; slice_split(&id, '/', &part); first = false) {
		if (!first)
			buf_char(&path, '/');
		client_quote(&path, part);
	}
	buf_str(&path, rest);
	int rc = client_json(c, method, buf_cstr(&path), body, a, &r, &j);

	if (rc == 0 && c->json)
		print_raw(c, &r);
	else if (rc == 0 && !c->quiet)
		print_one(c, j);
	client_free(&r);
	buf_free(&path);
	arena_free(a);
	return rc;
}

int silences_show(struct ctl *c, const struct args *args)
{
	return on_one(c, args, "GET", "", SLICE_NONE);
}

int silences_expire(struct ctl *c, const struct args *args)
{
	return on_one(c, args, "DELETE", "", SLICE_NONE);
}

int silences_extend(struct ctl *c, const struct args *args)
{
	struct buf body = {0};
	struct jw w = jw_new(&body);
	int rc;

	if ((args_value(args, "for") != NULL) == (args_value(args, "until") != NULL))
		return ctl_fail(c, CTL_USAGE,
		                "say how much longer with --for 2h, or to when with --until TIME");
	jw_object(&w);
	if (args_value(args, "for") != NULL)
		jw_kstr(&w, "for", args_value(args, "for"));
	else
		jw_kstr(&w, "until", args_value(args, "until"));
	jw_end(&w);
	rc = on_one(c, args, "POST", "/extend", buf_slice(&body));
	buf_free(&body);
	return rc;
}
