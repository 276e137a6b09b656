/* service show, impact, needs, path, find, and map suggest: the daemon's map and what it knows of its state.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "ctl/client.h"
#include "ctl/tree.h"

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

static enum show_colour colour_of(struct slice state)
{
	return slice_is(state, "down")                                  ? SHOW_RED
	       : slice_is(state, "degraded") || slice_is(state, "risk") ? SHOW_YELLOW
	                                                                : SHOW_GREEN;
}

/* What it says itself, and what follows from others where that is more. */
static struct slice state_of(const struct json *s, struct buf *b)
{
	struct slice own = text(s, "state"), derived = text(s, "derived");

	buf_clear(b);
	buf_adds(b, own);
	if (slice_is(own, "up") && derived.n > 0 && !slice_is(derived, "up"))
		buf_printf(b, ", " SLICE_FMT " because of others", SLICE_ARG(derived));
	return buf_slice(b);
}

static enum show_colour worse_colour(const struct json *s)
{
	enum show_colour own = colour_of(text(s, "state"));

	return own == SHOW_GREEN && text(s, "derived").n > 0 ? colour_of(text(s, "derived")) : own;
}

static void describe(const struct json *s, struct buf *b)
{
	if (text(s, "tier").n > 0)
		buf_printf(b, "tier " SLICE_FMT " ", SLICE_ARG(text(s, "tier")));
	buf_printf(b, SLICE_FMT, SLICE_ARG(text(s, "kind").n > 0 ? text(s, "kind") : SLICE("service")));
	if (text(s, "owner").n > 0)
		buf_printf(b, ", " SLICE_FMT, SLICE_ARG(text(s, "owner")));
}

/* GET of what the words and options make; `path` is taken. */
static int fetch(struct ctl *c, char *path, struct arena *a, struct client_reply *r, struct json **j)
{
	int rc = client_json(c, "GET", path, SLICE_NONE, a, r, j);

	free(path);
	return rc;
}

static char *quoted(const char *text)
{
	struct buf b = {0};

	client_quote(&b, slice_str(text));
	buf_cstr(&b);
	return b.p;
}

static char *path_of(const char *id, const char *behind)
{
	char *q = quoted(id), *path = xasprintf("/api/v1/services/%s%s", q, behind);

	free(q);
	return path;
}

static int verb(struct ctl *c, char *path, void (*show)(struct ctl *c, const struct json *j),
                const char *none)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = fetch(c, path, a, &r, &j);

	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		show(c, j);
	if (rc == 0 && none != NULL && (json_get(j, none) == NULL || !json_get(j, none)->boolean))
		rc = CTL_FOUND;
	client_free(&r);
	arena_free(a);
	return rc;
}

/* ---- show */

static void neighbours(struct ctl *c, const struct json *j, const char *key, const char *title)
{
	const struct json *list = json_get(j, key);
	struct tree *t;
	struct buf b = {0}, note = {0};

	if (list == NULL || list->first == NULL)
		return;
	fprintf(c->out, "\n%s\n", title);
	t = tree_new();
	for (const struct json *s = list->first; s != NULL; s = s->next) {
		buf_clear(&note);
		if (text(s, "group").n > 0) {
			buf_printf(&note, SLICE_FMT " of " SLICE_FMT " up, needs " SLICE_FMT,
			           SLICE_ARG(text(s, "up")), SLICE_ARG(text(s, "members")),
			           SLICE_ARG(text(s, "at_least")));
			int64_t up = 0, need = 0;
			bool holds = slice_int(text(s, "up"), &up) && slice_int(text(s, "at_least"), &need) &&
			             up >= need;

			tree_add(t, TREE_TOP, text(s, "group"), holds ? SHOW_GREEN : SHOW_RED,
			         holds ? SLICE("holds") : SLICE("broken"), buf_slice(&note));
			continue;
		}
		describe(s, &note);
		if (text(s, "effect").n > 0 && !slice_is(text(s, "effect"), "down"))
			buf_printf(&note, "; effect " SLICE_FMT, SLICE_ARG(text(s, "effect")));
		tree_add(t, TREE_TOP, text(s, "id"), worse_colour(s), state_of(s, &b), buf_slice(&note));
	}
	tree_print(c, t);
	buf_free(&b);
	buf_free(&note);
}

static void alerts(struct ctl *c, const struct json *list)
{
	if (list == NULL || list->first == NULL)
		return;
	fputs("\nalerts\n", c->out);
	for (const struct json *a = list->first; a != NULL; a = a->next) {
		fprintf(c->out, "  %c ", show_letter(text(a, "severity")));
		show_text(c, show_severity(text(a, "severity")), text(a, "rule"));
		fputs("  ", c->out);
		show_text(c, SHOW_PLAIN, text(a, "summary"));
		fputc('\n', c->out);
	}
}

static void show_service(struct ctl *c, const struct json *j)
{
	static const char *const facts[] = {"name",   "kind",    "tier",  "owner",
	                                    "assign", "runbook", "layer", "source"};
	struct buf b = {0};
	const struct json *known = json_get(j, "in_map"), *work = json_get(j, "maintenance");

	show_fact(c, "service", text(j, "id"));
	(void)state_of(j, &b);
	if (text(j, "since").n > 0) {
		buf_str(&b, " since ");
		show_when(c, text(j, "since"), &b);
	}
	show_fact(c, "state", buf_slice(&b));
	show_fact(c, "incident", text(j, "incident"));
	show_fact(c, "cause", text(j, "cause"));
	if (work != NULL && work->boolean)
		show_fact(c, "maintenance", SLICE("yes"));
	if (known != NULL && !known->boolean)
		show_fact(c, "map", SLICE("has no entry of it"));
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		show_fact(c, facts[i], text(j, facts[i]));
	neighbours(c, j, "needs", "needs");
	neighbours(c, j, "needed_by", "needed by");
	neighbours(c, j, "groups", "is one of");
	alerts(c, json_get(j, "alerts"));
	buf_free(&b);
}

int services_show(struct ctl *c, const struct args *a)
{
	return verb(c, path_of(args_word(a, 0), ""), show_service, NULL);
}

/* ---- trees */

static void note_of(const struct json *s, struct buf *b)
{
	buf_clear(b);
	describe(s, b);
	if (text(s, "group").n > 0)
		buf_printf(b, "; " SLICE_FMT, SLICE_ARG(text(s, "group")));
	else if (slice_is(text(s, "effect"), "degraded"))
		buf_str(b, "; soft");
	else if (slice_is(text(s, "effect"), "none"))
		buf_str(b, "; drawn only");
}

static void show_tree(struct ctl *c, const struct json *j)
{
	const struct json *list = json_get(j, "services");
	struct hmap *by = hmap_new();
	struct tree *t = tree_new();
	struct buf b = {0}, note = {0};

	for (const struct json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next) {
		uintptr_t parent = (uintptr_t)hmap_get(by, text(s, "from"));
		struct slice said = text(s, "predicted");

		note_of(s, &note);
		if (said.n > 0) {
			(void)state_of(s, &b);
			if (!slice_is(buf_slice(&b), "up"))
				buf_printf(&note, "; now " SLICE_FMT, SLICE_ARG(buf_slice(&b)));
		}
		size_t at = tree_add(t, parent > 0 ? parent - 1 : TREE_TOP, text(s, "id"),
		                     said.n > 0 ? colour_of(said) : worse_colour(s),
		                     said.n > 0 ? said : state_of(s, &b), buf_slice(&note));
		hmap_put(by, text(s, "id"), (void *)(uintptr_t)(at + 1));
	}
	tree_print(c, t);
	if (text(j, "more").n > 0 && !slice_is(text(j, "more"), "0"))
		fprintf(c->out, "  and " SLICE_FMT " more; --limit shows them\n", SLICE_ARG(text(j, "more")));
	hmap_free(by);
	buf_free(&b);
	buf_free(&note);
}

static void show_impact(struct ctl *c, const struct json *j)
{
	const struct json *holds = json_get(j, "holds");

	fputs("if ", c->out);
	show_text(c, SHOW_BOLD, text(j, "id"));
	fprintf(c->out, " is " SLICE_FMT ": " SLICE_FMT " more affected, " SLICE_FMT " business services\n",
	        SLICE_ARG(text(j, "if")), SLICE_ARG(text(j, "affected")),
	        SLICE_ARG(text(j, "business_services")));
	show_tree(c, j);
	for (const struct json *h = holds != NULL ? holds->first : NULL; h != NULL; h = h->next) {
		fputs("redundancy holds: ", c->out);
		show_text(c, SHOW_GREEN, text(h, "group"));
		fprintf(c->out, " (" SLICE_FMT " of " SLICE_FMT " left, needs " SLICE_FMT ")\n",
		        SLICE_ARG(text(h, "left")), SLICE_ARG(text(h, "members")),
		        SLICE_ARG(text(h, "at_least")));
	}
}

/* "?name=value&…" of the options that are given. */
static char *with_options(char *path, const struct args *a, const char *const *names, size_t n)
{
	struct buf b = {0};

	buf_str(&b, path);
	free(path);
	for (size_t i = 0, k = 0; i < n; i++) {
		const char *v = args_value(a, names[i]);

		if (v == NULL)
			continue;
		buf_printf(&b, "%c%s=", k++ > 0 ? '&' : '?', names[i]);
		client_quote(&b, slice_str(v));
	}
	buf_cstr(&b);
	return b.p;
}

static int number_checked(const struct ctl *c, const struct args *a, const char *name)
{
	int64_t n;
	const char *v = args_value(a, name);

	if (v == NULL || (slice_int(slice_str(v), &n) && n > 0))
		return CTL_DONE;
	return ctl_fail(c, CTL_USAGE, "'--%s' takes a number from 1", name);
}

int services_impact(struct ctl *c, const struct args *a)
{
	static const char *const options[] = {"level", "limit"};
	int rc = number_checked(c, a, "limit");

	return rc != 0 ? rc
	               : verb(c, with_options(path_of(args_word(a, 0), "/impact"), a, options, 2),
	                      show_impact, NULL);
}

int services_needs(struct ctl *c, const struct args *a)
{
	static const char *const options[] = {"depth", "limit"};
	int rc = number_checked(c, a, "limit");

	rc = rc != 0 ? rc : number_checked(c, a, "depth");
	return rc != 0 ? rc
	               : verb(c, with_options(path_of(args_word(a, 0), "/needs"), a, options, 2), show_tree,
	                      NULL);
}

/* ---- path */

static void show_path(struct ctl *c, const struct json *j)
{
	const struct json *path = json_get(j, "path");
	struct tree *t = tree_new();
	struct buf b = {0}, note = {0};
	size_t at = TREE_TOP;

	if (path == NULL || path->first == NULL) {
		show_text(c, SHOW_PLAIN, text(j, "from"));
		fputs(" and ", c->out);
		show_text(c, SHOW_PLAIN, text(j, "to"));
		fputs(": neither needs the other\n", c->out);
	}
	for (const struct json *s = path != NULL ? path->first : NULL; s != NULL; s = s->next) {
		note_of(s, &note);
		at = tree_add(t, at, text(s, "id"), worse_colour(s), state_of(s, &b), buf_slice(&note));
	}
	tree_print(c, t);
	buf_free(&b);
	buf_free(&note);
}

int services_path(struct ctl *c, const struct args *a)
{
	char *from = quoted(args_word(a, 0)), *to = quoted(args_word(a, 1));
	char *path = xasprintf("/api/v1/map/path?from=%s&to=%s", from, to);

	free(from);
	free(to);
	return verb(c, path, show_path, "found");
}

/* ---- find, by the daemon's map */

static int found(struct ctl *c, const struct json *j)
{
	const struct json *f = json_get(j, "found");

	if (f == NULL || f->kind != JSON_OBJECT)
		return ctl_fail(c, CTL_NO_SUCH, "the daemon's map has no service for '" SLICE_FMT "'",
		                SLICE_ARG(text(j, "name")));
	if (!c->json && !c->quiet) {
		show_fact(c, "found by", text(j, "how"));
		show_service(c, f);
	}
	return CTL_DONE;
}

int services_find(struct ctl *c, const struct args *a)
{
	struct arena *arena;
	struct client_reply r = {0};
	struct json *j;
	const char *port = args_value(a, "port");
	char *name, *end;
	int rc;

	if (args_value(a, "map") != NULL || !client_there(c))
		return map_find(c, a);
	arena = arena_new(0);
	name = quoted(args_word(a, 0));
	end = quoted(port != NULL ? port : "");
	rc = fetch(c, xasprintf("/api/v1/map/find?name=%s&port=%s", name, end), arena, &r, &j);
	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	if (rc == 0)
		rc = found(c, j);
	client_free(&r);
	free(name);
	free(end);
	arena_free(arena);
	return rc;
}

/* ---- suggest */

static void show_suggestions(struct ctl *c, const struct json *j)
{
	static const struct show_column columns[] = {{.title = "SERVICE"},
	                                             {.title = "PERHAPS NEEDS"},
	                                             {.title = "NAMED", .right = true},
	                                             {.title = "TOGETHER", .right = true},
	                                             {.title = "LAST"}};
	const struct json *list = json_get(j, "suggestions");
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	struct buf b = {0};

	for (const struct json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next) {
		show_cell(t, SHOW_PLAIN, text(s, "from"));
		show_cell(t, SHOW_PLAIN, text(s, "to"));
		show_cell(t, SHOW_PLAIN, text(s, "named"));
		show_cell(t, SHOW_PLAIN, text(s, "together"));
		buf_clear(&b);
		show_when(c, text(s, "last"), &b);
		show_cell(t, SHOW_PLAIN, buf_slice(&b));
	}
	show_table_end(c, t, "nothing is missing, as far as events show");
	buf_free(&b);
}

int services_suggest(struct ctl *c, const struct args *a)
{
	(void)a;
	return verb(c, xstrdup("/api/v1/map/suggestions"), show_suggestions, NULL);
}
