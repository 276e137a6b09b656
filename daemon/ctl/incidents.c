/* incidents: the list, one with its tree and its log, and what an operator does to them. */
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "ctl/client.h"
#include "ctl/select.h"
#include "ctl/tree.h"
#include "model/incident.h"

#define TREE_DEPTH 32u

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

/* ---- list */

struct wanted {
	const char *state, *service, *owner, *most; /* most: "P2", the least urgent that is shown */
	instant since;
	bool all;
};

static bool is_final(struct slice state)
{
	return slice_is(state, "closed") || slice_is(state, "transient") || slice_is(state, "merged");
}

static bool hurts(const struct json *i, struct slice service)
{
	const struct json *list = json_get(i, "services");

	if (select_glob(service, text(i, "root")))
		return true;
	for (const struct json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next)
		if (select_glob(service, text(s, "id")))
			return true;
	list = json_get(i, "components");
	for (const struct json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next)
		if (select_glob(service, text(s, "service")))
			return true;
	return false;
}

static bool fits(const struct wanted *w, const struct json *i)
{
	struct slice state = text(i, "state"), priority = text(i, "priority");
	instant updated;

	if (w->state != NULL ? !select_listed(w->state, state) : !w->all && is_final(state))
		return false;
	if (w->most != NULL && (priority.n != 2 || priority.p[1] > w->most[1]))
		return false;
	if (w->service != NULL && !hurts(i, slice_str(w->service)))
		return false;
	if (w->owner != NULL && !select_glob(slice_str(w->owner), text(i, "owner")) &&
	    !select_glob(slice_str(w->owner), text(i, "assign")))
		return false;
	return w->since == INSTANT_NONE ||
	       (instant_parse(text(i, "updated_at"), &updated) && updated >= w->since);
}

static bool states_known(const char *list)
{
	enum incident_state state;

	for (const char *p = list; p != NULL; p = strchr(p, ',') != NULL ? strchr(p, ',') + 1 : NULL)
		if (!incident_state_parse(slice_trim(slice_of(p, strcspn(p, ","))), &state))
			return false;
	return true;
}

static int read_wanted(const struct ctl *c, const struct args *a, struct wanted *w)
{
	const char *since = args_value(a, "since");
	duration d;

	*w = (struct wanted){args_value(a, "state"), args_value(a, "service"),
	                     args_value(a, "owner"), args_value(a, "priority"),
	                     INSTANT_NONE,           args_flag(a, "all")};
	if (w->state != NULL && !states_known(w->state))
		return ctl_fail(c, CTL_USAGE,
		                "'%s' is no state; states are gathering, open, acked, clearing, resolved, closed, transient, "
		                "merged, several with commas",
		                w->state);
	if (w->most != NULL &&
	    (w->most[0] != 'P' || w->most[1] < '1' || w->most[1] > '5' || w->most[2] != '\0'))
		return ctl_fail(c, CTL_USAGE, "'%s' is no priority; P1 to P5", w->most);
	if (since != NULL && !duration_parse(slice_str(since), &d))
		return ctl_fail(c, CTL_USAGE, "'%s' is no duration; write 30m, 2h, 7d", since);
	if (since != NULL)
		w->since = c->now - d;
	return CTL_DONE;
}

static enum show_colour priority_colour(struct slice p)
{
	return slice_is(p, "P1") ? SHOW_RED : slice_is(p, "P2") ? SHOW_YELLOW : SHOW_PLAIN;
}

/* On a terminal as much of an id as tells it from its neighbours: the list is in their order. */
static size_t id_length(const struct ctl *c, const struct json *list)
{
	size_t longest = 10;
	struct slice before = SLICE_NONE;

	if (c->width == 0)
		return 26;
	for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next) {
		struct slice id = text(i, "id");
		size_t n = 0;

		while (n < id.n && n < before.n && id.p[n] == before.p[n])
			n++;
		longest = MAX(longest, n + 1);
		before = id;
	}
	return longest;
}

static void row(const struct ctl *c, struct show_table *t, const struct json *i, size_t id)
{
	struct buf b = {0};
	struct slice ticket = text(json_get(i, "ticket"), "id");
	const struct json *services = json_get(i, "services");

	show_cell(t, SHOW_PLAIN, slice_sub(text(i, "id"), 0, id));
	show_cell(t, priority_colour(text(i, "priority")), text(i, "priority"));
	show_cellf(t, "%c", show_letter(text(i, "severity")));
	show_cell(t, SHOW_PLAIN, text(i, "state"));
	show_when(c, text(i, "opened_at").n > 0 ? text(i, "opened_at") : text(i, "since"), &b);
	show_cell(t, SHOW_PLAIN, buf_slice(&b));
	show_cell(t, SHOW_PLAIN, text(i, "alerts"));
	show_cellf(t, "%zu", services != NULL ? services->n : 0);
	show_cell(t, SHOW_PLAIN, ticket);
	show_cell(t, SHOW_PLAIN, text(i, "title"));
	buf_free(&b);
}

int incidents_list(struct ctl *c, const struct args *args)
{
	static const struct show_column columns[] = {{.title = "ID"},
	                                             {.title = "PRIO"},
	                                             {.title = "S"},
	                                             {.title = "STATE"},
	                                             {.title = "OPENED"},
	                                             {.title = "ALERTS", .right = true},
	                                             {.title = "SERVICES", .right = true},
	                                             {.title = "TICKET"},
	                                             {.title = "TITLE", .flexible = true}};
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct wanted w;
	struct json *j;
	int rc = read_wanted(c, args, &w);

	if (rc == 0)
		rc = client_json(c, "GET", "/api/v1/incidents", SLICE_NONE, a, &r, &j);
	if (rc == 0) {
		const struct json *list = json_get(j, "incidents");
		size_t id = id_length(c, list);
		struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
		struct buf out = {0};
		struct jw jw = jw_new(&out);

		jw_object(&jw);
		jw_key(&jw, "incidents");
		jw_array(&jw);
		for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next) {
			if (!fits(&w, i))
				continue;
			jw_tree(&jw, i);
			row(c, t, i, id);
		}
		jw_array_end(&jw);
		jw_end(&jw);
		show_list_end(c, t, &out, "no incidents");
	}
	client_free(&r);
	arena_free(a);
	return rc;
}

/* ---- show */

static void facts(const struct ctl *c, const struct json *i)
{
	const struct json *services = json_get(i, "services"), *ticket = json_get(i, "ticket");
	struct buf b = {0};

	show_text(c, priority_colour(text(i, "priority")),
	          text(i, "priority").n > 0 ? text(i, "priority") : SLICE("-"));
	fputs("  ", c->out);
	show_text(c, SHOW_BOLD, text(i, "title"));
	fputc('\n', c->out);
	show_fact(c, "id", text(i, "id"));
	buf_printf(&b, SLICE_FMT ", opened ", SLICE_ARG(text(i, "state")));
	show_when(c, text(i, "opened_at"), &b);
	if (text(i, "resolved_at").n > 0) {
		buf_str(&b, ", resolved ");
		show_when(c, text(i, "resolved_at"), &b);
	}
	show_fact(c, "state", buf_slice(&b));
	show_fact(c, "root", text(i, "root"));
	buf_clear(&b);
	for (const struct json *s = services != NULL ? services->first : NULL; s != NULL; s = s->next)
		buf_printf(&b, "%s" SLICE_FMT " (tier " SLICE_FMT ", " SLICE_FMT ")", b.n > 0 ? ", " : "",
		           SLICE_ARG(text(s, "id")), SLICE_ARG(text(s, "tier")), SLICE_ARG(text(s, "state")));
	show_fact(c, "hurt", buf_slice(&b));
	buf_clear(&b);
	buf_printf(&b, "impact " SLICE_FMT ", urgency " SLICE_FMT ", severity " SLICE_FMT,
	           SLICE_ARG(text(i, "impact")), SLICE_ARG(text(i, "urgency")),
	           SLICE_ARG(text(i, "severity")));
	show_fact(c, "weight", buf_slice(&b));
	show_fact(c, "assigned", text(i, "assign"));
	show_fact(c, "owner", text(i, "owner"));
	show_fact(c, "merged into", text(i, "merged_into"));
	buf_clear(&b);
	buf_printf(&b, SLICE_FMT " at " SLICE_FMT ", " SLICE_FMT,
	           SLICE_ARG(text(ticket, "id").n > 0 ? text(ticket, "id") : SLICE("not written yet")),
	           SLICE_ARG(text(ticket, "destination")), SLICE_ARG(text(ticket, "state")));
	show_fact(c, "ticket", text(ticket, "destination").n > 0 ? buf_slice(&b) : SLICE("none"));
	show_fact(c, "link", text(ticket, "url"));
	buf_free(&b);
}

static enum show_colour state_colour(struct slice state)
{
	return slice_is(state, "down") ? SHOW_RED : slice_is(state, "over") ? SHOW_DIM : SHOW_YELLOW;
}

/* ---- the two views: of those who use the services, and of those who look after the parts */

static void consumers(const struct ctl *c, const struct json *services)
{
	static const struct show_column columns[] = {
	    {.title = "SERVICE"}, {.title = "TIER", .right = true}, {.title = "STATE"}, {.title = "SINCE"}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	struct buf b = {0};

	for (const struct json *s = services != NULL ? services->first : NULL; s != NULL; s = s->next) {
		buf_clear(&b);
		show_when(c, text(s, "since"), &b);
		show_cell(t, SHOW_PLAIN, text(s, "id"));
		show_cell(t, SHOW_PLAIN, text(s, "tier"));
		show_cell(t, state_colour(text(s, "state")), text(s, "state"));
		show_cell(t, SHOW_PLAIN, buf_slice(&b));
	}
	show_table_end(c, t, "no business service");
	buf_free(&b);
}

/* From the consumer down; a layer that the map names itself comes last. */
static size_t layer_rank(struct slice layer)
{
	static const char *const order[] = {"business", "service", "data", "platform", "host", "storage", "network", "power"};
	size_t i = 0;

	while (i < ARRAY_LEN(order) && !slice_is(layer, order[i]))
		i++;
	return i;
}

static int by_layer(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	size_t i = layer_rank(text(x, "layer")), k = layer_rank(text(y, "layer"));
	int d = i != k ? (i > k ? 1 : -1) : slice_cmp(text(x, "layer"), text(y, "layer"));

	return d != 0 ? d : slice_cmp(text(x, "service"), text(y, "service"));
}

static void specialists(const struct ctl *c, const struct json *list)
{
	static const struct show_column columns[] = {{.title = "LAYER"}, {.title = "OWNER"},
	                                             {.title = "COMPONENT"}, {.title = "STATE"},
	                                             {.title = "SINCE"}, {.title = "ALERTS", .right = true}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	size_t n = list != NULL ? list->n : 0, i = 0;
	const struct json **v = xcalloc(n + 1, sizeof *v);
	struct buf b = {0};

	for (const struct json *k = n > 0 ? list->first : NULL; k != NULL; k = k->next)
		v[i++] = k;
	if (n > 1)
		qsort(v, n, sizeof *v, by_layer);
	for (i = 0; i < n; i++) {
		buf_clear(&b);
		show_when(c, text(v[i], "since"), &b);
		show_cell(t, SHOW_PLAIN, text(v[i], "layer"));
		show_cell(t, SHOW_PLAIN, text(v[i], "owner").n > 0 ? text(v[i], "owner") : SLICE("-"));
		show_cell(t, SHOW_PLAIN, text(v[i], "service"));
		show_cell(t, state_colour(text(v[i], "state")), text(v[i], "state"));
		show_cell(t, SHOW_PLAIN, buf_slice(&b));
		show_cell(t, SHOW_PLAIN, text(v[i], "alerts"));
	}
	show_table_end(c, t, "no components: it is grouped by its rule and knows no map");
	free(v);
	buf_free(&b);
}

/* ---- causes */

struct causes {
	const struct json **v;
	size_t *at; /* line in the tree + 1; 0: not yet */
	struct hmap *by;
	struct tree *t;
	size_t n;
};

/* Line of a component, after that of its cause; depth bounds a damaged tree. */
static size_t cause_line(struct causes *x, size_t i, unsigned depth)
{
	const struct json *k = x->v[i];
	struct slice above = text(k, "cause");
	size_t parent = TREE_TOP;
	uintptr_t up = above.n > 0 ? (uintptr_t)hmap_get(x->by, above) : 0;
	struct buf note = {0};

	if (x->at[i] > 0)
		return x->at[i] - 1;
	if (up > 0 && up - 1 != i && depth < TREE_DEPTH)
		parent = cause_line(x, up - 1, depth + 1);
	if (x->at[i] == 0) {
		buf_printf(&note, SLICE_FMT " alert%s", SLICE_ARG(text(k, "alerts")),
		           slice_is(text(k, "alerts"), "1") ? "" : "s");
		if (text(k, "reason").n > 0)
			buf_printf(&note, "; " SLICE_FMT, SLICE_ARG(text(k, "reason")));
		x->at[i] = 1 + tree_add(x->t, parent, text(k, "service"), state_colour(text(k, "state")),
		                        text(k, "state"), buf_slice(&note));
	}
	buf_free(&note);
	return x->at[i] - 1;
}

static void tree(const struct ctl *c, const struct json *list)
{
	size_t n = list != NULL ? list->n : 0, i = 0;
	struct causes x = {.v = xcalloc(n + 1, sizeof *x.v),
	                   .at = xcalloc(n + 1, sizeof *x.at),
	                   .by = hmap_new(),
	                   .t = tree_new()};

	for (const struct json *k = n > 0 ? list->first : NULL; k != NULL; k = k->next) {
		x.v[i] = k;
		hmap_put(x.by, text(k, "service"), (void *)(uintptr_t)++i);
	}
	for (i = 0; i < n; i++)
		(void)cause_line(&x, i, 0);
	tree_print(c, x.t);
	hmap_free(x.by);
	free(x.v);
	free(x.at);
}

static void timeline(const struct ctl *c, const struct json *log)
{
	struct buf b = {0};

	for (const struct json *l = log != NULL ? log->first : NULL; l != NULL; l = l->next) {
		buf_clear(&b);
		show_when(c, text(l, "at"), &b);
		fprintf(c->out, "  %-10s ", buf_cstr(&b));
		fprintf(c->out, "%-8.*s ", SLICE_ARG(text(l, "kind")));
		show_text(c, SHOW_PLAIN, text(l, "text"));
		fputc('\n', c->out);
	}
	buf_free(&b);
}

static void alerts(const struct ctl *c, const struct json *list)
{
	static const struct show_column columns[] = {{.title = "S"},
	                                             {.title = "ID"},
	                                             {.title = "RULE"},
	                                             {.title = "SERVICE"},
	                                             {.title = "STATE"},
	                                             {.title = "COUNT", .right = true},
	                                             {.title = "CAUSE"},
	                                             {.title = "SUMMARY", .flexible = true}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));

	for (const struct json *k = list != NULL ? list->first : NULL; k != NULL; k = k->next) {
		show_cellf(t, "%c", show_letter(text(k, "severity")));
		show_cell(t, SHOW_PLAIN, text(k, "id"));
		show_cell(t, SHOW_PLAIN, text(k, "rule"));
		show_cell(t, SHOW_PLAIN, text(k, "service"));
		show_cell(t, SHOW_PLAIN, text(k, "state"));
		show_cell(t, SHOW_PLAIN, text(k, "count"));
		show_cell(t, SHOW_PLAIN, text(k, "cause"));
		show_cell(t, SHOW_PLAIN, text(k, "summary"));
	}
	show_table_end(c, t, "no alerts are kept of it");
}

/* What else might be the cause, best first; the root itself is the first of the list. */
static void candidates(const struct ctl *c, const struct json *i)
{
	const struct json *list = json_get(i, "roots");

	if (text(i, "runner_up").n > 0) {
		fputs("  runner-up: ", c->out);
		show_text(c, SHOW_PLAIN, text(i, "runner_up"));
		fputc('\n', c->out);
	}
	for (const struct json *r = list != NULL ? list->first : NULL; r != NULL; r = r->next) {
		if (slice_eq(text(r, "id"), text(i, "root")))
			continue;
		fputs("  perhaps    ", c->out);
		show_text(c, SHOW_PLAIN, text(r, "id"));
		fputs(": ", c->out);
		show_text(c, SHOW_DIM, text(r, "why"));
		fputc('\n', c->out);
	}
}

static void show(const struct ctl *c, const struct json *i, const struct json *log, const struct json *list)
{
	const struct json *components = json_get(i, "components");

	facts(c, i);
	fputs("\nwhat is hurt\n", c->out);
	consumers(c, json_get(i, "services"));
	fputs("\ncauses\n", c->out);
	tree(c, components);
	if (text(i, "components_more").n > 0)
		fprintf(c->out, "  and " SLICE_FMT " more\n", SLICE_ARG(text(i, "components_more")));
	candidates(c, i);
	fputs("\ncomponents by layer\n", c->out);
	specialists(c, components);
	fputs("\ntimeline\n", c->out);
	timeline(c, log);
	fputs("\nalerts\n", c->out);
	alerts(c, list);
}

/* The incident's own members, then "log" and "alert_list". */
static void show_json(const struct ctl *c, const struct json *i, const struct json *log,
                      const struct json *list)
{
	struct buf out = {0};
	struct jw w = jw_new(&out);

	jw_object(&w);
	for (const struct json *m = i->first; m != NULL; m = m->next) {
		jw_keyn(&w, m->key);
		jw_tree(&w, m);
	}
	jw_key(&w, "log");
	jw_tree(&w, log);
	jw_key(&w, "alert_list");
	jw_tree(&w, list);
	jw_end(&w);
	buf_char(&out, '\n');
	fwrite(out.p, 1, out.n, c->out);
	buf_free(&out);
}

/* "/api/v1/incidents/ID" and what stands behind it. Ids are written in capitals. */
static char *path_of(const char *id, const char *rest)
{
	struct buf quoted = {0};
	char *upper = xstrdup(id), *path;

	for (char *p = upper; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	client_quote(&quoted, slice_str(upper));
	path = xasprintf("/api/v1/incidents/%s%s", buf_cstr(&quoted), rest);
	buf_free(&quoted);
	free(upper);
	return path;
}

static int fetch(struct ctl *c, const char *id, const char *rest, struct arena *a, struct client_reply *r,
                 struct json **j)
{
	char *path = path_of(id, rest);
	int rc = client_json(c, "GET", path, SLICE_NONE, a, r, j);

	free(path);
	return rc;
}

static void show_why_not(const struct ctl *c, const struct json *j)
{
	static const char *const lists[] = {"explained_by", "tests"}, *const words[] = {"explained by", "test"};

	show_fact(c, "service", text(j, "service"));
	show_fact(c, "incident", text(j, "incident"));
	show_fact(c, "is in", text(j, "in"));
	show_fact(c, "verdict", text(j, "verdict"));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct json *list = json_get(j, lists[i]);

		for (const struct json *l = list != NULL ? list->first : NULL; l != NULL; l = l->next)
			show_fact(c, words[i], json_text(l));
	}
}

static int why_not(struct ctl *c, const char *id, const char *service)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf rest = {0};
	struct json *j;
	int rc;

	buf_str(&rest, "/why-not?service=");
	client_quote(&rest, slice_str(service));
	rc = fetch(c, id, buf_cstr(&rest), a, &r, &j);
	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		show_why_not(c, j);
	buf_free(&rest);
	client_free(&r);
	arena_free(a);
	return rc;
}

int incidents_show(struct ctl *c, const struct args *args)
{
	static const char *const parts[] = {"", "/log", "/alerts"};
	struct arena *a = arena_new(0);
	struct client_reply r[3] = {{0}};
	struct json *j[3] = {NULL};
	int rc = 0;

	if (args_value(args, "why-not") != NULL) {
		arena_free(a);
		return why_not(c, args_word(args, 0), args_value(args, "why-not"));
	}
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(parts); i++)
		rc = fetch(c, args_word(args, 0), parts[i], a, &r[i], &j[i]);
	if (rc == 0 && c->json)
		show_json(c, j[0], json_get(j[1], "log"), json_get(j[2], "alerts"));
	else if (rc == 0 && !c->quiet)
		show(c, j[0], json_get(j[1], "log"), json_get(j[2], "alerts"));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		client_free(&r[i]);
	arena_free(a);
	return rc;
}

/* ---- actions */

/* Members of the body that only some actions have. */
typedef void act_more(struct jw *w, const struct args *args);

static void say(const struct ctl *c, const struct json *j)
{
	fprintf(c->out, SLICE_FMT " is " SLICE_FMT, SLICE_ARG(text(j, "id")), SLICE_ARG(text(j, "state")));
	if (text(j, "into").n > 0)
		fprintf(c->out, " into " SLICE_FMT, SLICE_ARG(text(j, "into")));
	if (text(j, "new").n > 0)
		fprintf(c->out, "; what left it is " SLICE_FMT, SLICE_ARG(text(j, "new")));
	fputc('\n', c->out);
}

static int act(struct ctl *c, const struct args *args, const char *action, act_more *more, const char *note)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct buf body = {0};
	struct jw w = jw_new(&body);
	char *path = path_of(args_word(args, 0), "/actions");
	struct json *j;
	int rc;

	jw_object(&w);
	jw_kstr(&w, "action", action);
	if (note != NULL && note[0] != '\0')
		jw_kstr(&w, "note", note);
	if (more != NULL)
		more(&w, args);
	jw_end(&w);
	rc = client_json(c, "POST", path, buf_slice(&body), a, &r, &j);
	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&r.body))));
	else if (rc == 0 && !c->quiet)
		say(c, j);
	free(path);
	buf_free(&body);
	client_free(&r);
	arena_free(a);
	return rc;
}

/* The words from `from` on are the note. */
static int act_noted(struct ctl *c, const struct args *args, const char *action, act_more *more, size_t from)
{
	struct buf note = {0};
	int rc;

	for (size_t i = from; i < args->n_words; i++)
		buf_printf(&note, "%s%s", i > from ? " " : "", args->words[i]);
	rc = act(c, args, action, more, buf_cstr(&note));
	buf_free(&note);
	return rc;
}

int incidents_ack(struct ctl *c, const struct args *a)
{
	return act_noted(c, a, "ack", NULL, 1);
}

int incidents_unack(struct ctl *c, const struct args *a)
{
	return act_noted(c, a, "unack", NULL, 1);
}

int incidents_resolve(struct ctl *c, const struct args *a)
{
	return act_noted(c, a, "resolve", NULL, 1);
}

int incidents_reopen(struct ctl *c, const struct args *a)
{
	return act_noted(c, a, "reopen", NULL, 1);
}

int incidents_note(struct ctl *c, const struct args *a)
{
	return act_noted(c, a, "note", NULL, 1);
}

/* Ids are written in capitals, like those of path_of. */
static void put_id(struct jw *w, const char *id)
{
	char *upper = xstrdup(id);

	for (char *p = upper; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	jw_str(w, upper);
	free(upper);
}

static void put_into(struct jw *w, const struct args *a)
{
	jw_key(w, "into");
	put_id(w, args_word(a, 1));
}

static void put_alerts(struct jw *w, const struct args *a)
{
	jw_key(w, "alerts");
	jw_array(w);
	for (size_t i = 1; i < a->n_words; i++)
		put_id(w, args_word(a, i));
	jw_array_end(w);
}

int incidents_merge(struct ctl *c, const struct args *a)
{
	return act_noted(c, a, "merge", put_into, 2);
}

int incidents_split(struct ctl *c, const struct args *a)
{
	return act(c, a, "split", put_alerts, args_value(a, "note"));
}
