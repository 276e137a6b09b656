/* rules stats: what each rule of the running daemon has seen and opened. */
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/show.h"

static int64_t number(const struct json *o, const char *key)
{
	int64_t v = 0;

	(void)slice_int(json_text(json_get(o, key)), &v);
	return v;
}

/* The busiest first; of equals, by name. */
static int by_hits(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	int64_t i = number(x, "hits"), k = number(y, "hits");

	if (i != k)
		return i > k ? -1 : 1;
	return slice_cmp(json_text(json_get(x, "id")), json_text(json_get(y, "id")));
}

/* How many of the incidents that are kept have a ticket and were opened by this rule. */
static size_t tickets(const struct json *incidents, struct slice rule)
{
	size_t n = 0;

	for (const struct json *i = incidents != NULL ? incidents->first : NULL; i != NULL; i = i->next)
		n += slice_eq(json_text(json_get(i, "rule")), rule) &&
		     !slice_is(json_text(json_get(json_get(i, "ticket"), "state")), "none");
	return n;
}

static void row(const struct ctl *c, struct show_table *t, const struct json *r, size_t n_tickets)
{
	struct buf when = {0};

	show_cell(t, SHOW_PLAIN, json_text(json_get(r, "id")));
	show_cell(t, SHOW_PLAIN, json_text(json_get(r, "mode")));
	show_cellf(t, "%lld", (long long)number(r, "hits"));
	show_cellf(t, "%lld", (long long)number(r, "alerts"));
	show_cellf(t, "%zu", n_tickets);
	show_cellf(t, "%lld", (long long)number(r, "keys"));
	show_cellf(t, "%lld", (long long)number(r, "evicted"));
	show_when(c, json_text(json_get(r, "last_hit")), &when);
	show_cell(t, SHOW_PLAIN, buf_slice(&when));
	buf_clear(&when);
	show_when(c, json_text(json_get(r, "last_alert")), &when);
	show_cell(t, SHOW_PLAIN, buf_slice(&when));
	buf_free(&when);
}

static void show(const struct ctl *c, const struct json *list, const struct json *incidents)
{
	static const struct show_column columns[] = {{.title = "RULE", .flexible = true},
	                                             {.title = "MODE"},
	                                             {.title = "HITS", .right = true},
	                                             {.title = "ALERTS", .right = true},
	                                             {.title = "TICKETS", .right = true},
	                                             {.title = "KEYS", .right = true},
	                                             {.title = "EVICTED", .right = true},
	                                             {.title = "LAST HIT"},
	                                             {.title = "LAST ALERT"}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	size_t n = list != NULL ? list->n : 0, i = 0;
	const struct json **v = xcalloc(n + 1, sizeof *v);
	struct buf out = {0};
	struct jw w = jw_new(&out);

	for (const struct json *r = list != NULL ? list->first : NULL; r != NULL; r = r->next)
		v[i++] = r;
	BUG_ON(i != n);
	if (n > 1)
		qsort(v, n, sizeof *v, by_hits);
	jw_object(&w);
	jw_key(&w, "rules");
	jw_array(&w);
	for (i = 0; i < n; i++) {
		size_t count = tickets(incidents, json_text(json_get(v[i], "id")));

		jw_object(&w);
		for (const struct json *m = v[i]->first; m != NULL; m = m->next) {
			jw_keyn(&w, m->key);
			jw_tree(&w, m);
		}
		jw_kint(&w, "tickets", (int64_t)count);
		jw_end(&w);
		row(c, t, v[i], count);
	}
	jw_array_end(&w);
	jw_end(&w);
	show_list_end(c, t, &out, "no rules");
	free(v);
}

int rules_stats(struct ctl *c, const struct args *a)
{
	struct client_reply r = {0}, i = {0};
	struct arena *arena = arena_new(0);
	struct json *j = NULL, *incidents = NULL;
	int rc = client_json(c, "GET", "/api/v1/rules", SLICE_NONE, arena, &r, &j);

	(void)a;
	if (rc == 0)
		rc = client_json(c, "GET", "/api/v1/incidents", SLICE_NONE, arena, &i, &incidents);
	if (rc == 0)
		show(c, json_get(j, "rules"), json_get(incidents, "incidents"));
	client_free(&r);
	client_free(&i);
	arena_free(arena);
	return rc;
}

/* ---- cost */

static double seconds(const struct json *r)
{
	struct slice s = json_text(json_get(r, "cost_seconds"));
	char text[40];

	snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(slice_sub(s, 0, sizeof text - 1)));
	return strtod(text, NULL);
}

static int by_cost(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	double i = seconds(x), k = seconds(y);

	if (i < k || i > k)
		return i > k ? -1 : 1;
	return slice_cmp(json_text(json_get(x, "id")), json_text(json_get(y, "id")));
}

static void cost_row(struct show_table *t, struct jw *w, const struct json *r, double all)
{
	int64_t hits = number(r, "hits");
	double share = all > 0 ? 100 * seconds(r) / all : 0;

	show_cell(t, SHOW_PLAIN, json_text(json_get(r, "id")));
	show_cellf(t, "%.3f s", seconds(r));
	show_cellf(t, "%.1f %%", share);
	show_cellf(t, "%lld", (long long)hits);
	jw_object(w);
	jw_kslice(w, "id", json_text(json_get(r, "id")));
	jw_key(w, "cost_seconds");
	jw_tree(w, json_get(r, "cost_seconds"));
	jw_kint(w, "percent", (int64_t)(share + .5));
	jw_kint(w, "hits", hits);
	jw_end(w);
}

static void show_cost(const struct ctl *c, const struct json *list)
{
	static const struct show_column columns[] = {{.title = "RULE", .flexible = true},
	                                             {.title = "TIME", .right = true},
	                                             {.title = "SHARE", .right = true},
	                                             {.title = "HITS", .right = true}};
	struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));
	size_t n = list != NULL ? list->n : 0, i = 0;
	const struct json **v = xcalloc(n + 1, sizeof *v);
	struct buf out = {0};
	struct jw w = jw_new(&out);
	double all = 0;

	for (const struct json *r = n > 0 ? list->first : NULL; r != NULL; r = r->next) {
		all += seconds(r);
		v[i++] = r;
	}
	if (n > 1)
		qsort(v, n, sizeof *v, by_cost);
	jw_object(&w);
	jw_key(&w, "rules");
	jw_array(&w);
	for (i = 0; i < n && seconds(v[i]) > 0; i++)
		cost_row(t, &w, v[i], all);
	jw_array_end(&w);
	jw_end(&w);
	show_list_end(c, t, &out, "no rule has been timed yet: one event of 64 is");
	free(v);
}

int rules_cost(struct ctl *c, const struct args *a)
{
	struct client_reply r = {0};
	struct arena *arena = arena_new(0);
	struct json *j = NULL;
	int rc = client_json(c, "GET", "/api/v1/rules", SLICE_NONE, arena, &r, &j);

	(void)a;
	if (rc == 0)
		show_cost(c, json_get(j, "rules"));
	client_free(&r);
	arena_free(arena);
	return rc;
}
