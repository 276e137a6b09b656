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

static void row(const struct ctl *c, struct show_table *t, const struct json *r)
{
	struct buf when = {0};

	show_cell(t, SHOW_PLAIN, json_text(json_get(r, "id")));
	show_cell(t, SHOW_PLAIN, json_text(json_get(r, "mode")));
	show_cellf(t, "%lld", (long long)number(r, "hits"));
	show_cellf(t, "%lld", (long long)number(r, "alerts"));
	show_cellf(t, "%lld", (long long)number(r, "keys"));
	show_cellf(t, "%lld", (long long)number(r, "evicted"));
	show_when(c, json_text(json_get(r, "last_hit")), &when);
	show_cell(t, SHOW_PLAIN, buf_slice(&when));
	buf_clear(&when);
	show_when(c, json_text(json_get(r, "last_alert")), &when);
	show_cell(t, SHOW_PLAIN, buf_slice(&when));
	buf_free(&when);
}

static void show(const struct ctl *c, const struct json *list)
{
	static const struct show_column columns[] = {{.title = "RULE", .flexible = true},
	                                             {.title = "MODE"},
	                                             {.title = "HITS", .right = true},
	                                             {.title = "ALERTS", .right = true},
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
		jw_tree(&w, v[i]);
		row(c, t, v[i]);
	}
	jw_array_end(&w);
	jw_end(&w);
	show_list_end(c, t, &out, "no rules");
	free(v);
}

int rules_stats(struct ctl *c, const struct args *a)
{
	struct client_reply r = {0};
	struct arena *arena = arena_new(0);
	struct json *j = NULL;
	int rc = client_json(c, "GET", "/api/v1/rules", SLICE_NONE, arena, &r, &j);

	(void)a;
	if (rc == 0)
		show(c, json_get(j, "rules"));
	client_free(&r);
	arena_free(arena);
	return rc;
}
