/* Paths whose answer only the engine has: the running map and its state (cli.md section 5). Here they become
 * questions; core answers them. */
#include "console/api.h"

struct asked {
	const char *path;       /* a final '/' stands for an id behind it, which may hold slashes */
	const char *behind;     /* what comes after the id; NULL: nothing */
	const char *what, *id;  /* of the question; its member for the id */
	const char *members[5]; /* of the query, as they are */
};

/* The longer paths first: the first that fits is taken. */
static const struct asked table[] = {
    {"/api/v1/services/", "/impact", "impact", "id", {"level", "limit"}},
    {"/api/v1/services/", "/needs", "needs", "id", {"depth", "limit"}},
    {"/api/v1/services/", NULL, "service", "id", {NULL}},
    {"/api/v1/incidents/", "/why-not", "why-not", "id", {"service"}},
    {"/api/v1/alerts/", "/event", "event", "id", {NULL}},
    {"/api/v1/map/path", NULL, "path", NULL, {"from", "to"}},
    {"/api/v1/map/find", NULL, "find", NULL, {"name", "port"}},
    {"/api/v1/map/services", NULL, "map", NULL, {"after", "limit"}},
    {"/api/v1/map/suggestions", NULL, "suggest", NULL, {NULL}},
};

static bool fits(const struct asked *t, struct slice path, struct slice *id)
{
	struct slice head = slice_str(t->path), tail = slice_str(t->behind);

	*id = SLICE_NONE;
	if (t->id == NULL)
		return slice_eq(path, head);
	if (!slice_starts(path, head) || path.n <= head.n)
		return false;
	*id = slice_sub(path, head.n, SIZE_MAX);
	if (t->behind == NULL)
		return true;
	if (id->n <= tail.n || !slice_ends(*id, tail))
		return false;
	*id = slice_sub(*id, 0, id->n - tail.n);
	return true;
}

static void question(const struct asked *t, struct slice id, struct slice query, struct buf *json)
{
	struct jw w = jw_new(json);
	struct buf value = {0};

	jw_object(&w);
	jw_kstr(&w, "do", t->what);
	if (t->id != NULL)
		jw_kslice(&w, t->id, id);
	for (size_t i = 0; i < ARRAY_LEN(t->members) && t->members[i] != NULL; i++)
		if (api_query(query, t->members[i], &value))
			jw_kslice(&w, t->members[i], buf_slice(&value));
	jw_end(&w);
	buf_free(&value);
}

/* /map/graph?root=&depth=&dir= is the tree of needs, or of those that need it. */
static bool graph(struct slice query, struct buf *json)
{
	static const struct asked up = {"", NULL, "impact", NULL, {"limit"}},
	                          down = {"", NULL, "needs", NULL, {"depth", "limit"}};
	struct buf dir = {0}, root = {0};
	struct jw w;

	(void)api_query(query, "root", &root);
	bool upwards = api_query(query, "dir", &dir) && slice_is(buf_slice(&dir), "up");
	question(upwards ? &up : &down, SLICE_NONE, query, json);
	json->n--; /* the brace: one more member comes */
	buf_str(json, ",\"id\":");
	w = jw_new(json);
	jw_slice(&w, buf_slice(&root));
	buf_char(json, '}');
	buf_free(&dir);
	buf_free(&root);
	return true;
}

bool api_ask(struct slice path, struct slice query, struct buf *json)
{
	struct slice id;

	if (slice_is(path, "/api/v1/map/graph"))
		return graph(query, json);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!fits(&table[i], path, &id))
			continue;
		question(&table[i], id, query, json);
		return true;
	}
	return false;
}
