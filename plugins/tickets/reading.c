/* Promises findings in the words that every YAML file of carillon gets. Must not know what a profile means.
 */
#include "plugins/tickets/reading.h"

bool reading_kind(struct reading *r, const struct node *n, enum node_kind kind, const char *what,
                  const char *type)
{
	if (n->kind == kind)
		return true;
	REFUSE(r, "E007", n->mark, "%s: expected %s, got %s", what, type, node_kind_name(n));
	return false;
}

static bool among(struct slice key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(key, names[i]))
			return true;
	return false;
}

static void unknown_key(struct reading *r, const struct node *n, const char *where, const char *const *names,
                        size_t count)
{
	const char *near = suggest(n->key, names, count);
	if (near != NULL)
		REFUSE(r, "E004", n->key_mark, "unknown key '" SLICE_FMT "' in %s; did you mean '%s'?",
		       SLICE_ARG(n->key), where, near);
	else
		REFUSE(r, "E004", n->key_mark, "unknown key '" SLICE_FMT "' in %s", SLICE_ARG(n->key), where);
}

bool reading_keys(struct reading *r, const struct node *map, const char *where, const char *const *names,
                  size_t n, const char *const *absent, size_t n_absent)
{
	bool ok = true;
	BUG_ON(map->kind != NODE_MAP);
	for (const struct node *e = map->first; e != NULL; e = e->next) {
		if (among(e->key, names, n))
			continue;
		ok = false;
		if (among(e->key, absent, n_absent))
			REFUSE(r, "E004", e->key_mark,
			       "'" SLICE_FMT
			       "' is not available in this version of carillon; remove it from %s",
			       SLICE_ARG(e->key), where);
		else
			unknown_key(r, e, where, names, n);
	}
	return ok;
}

const struct node *reading_need(struct reading *r, const struct node *map, const char *where, const char *key)
{
	const struct node *n = node_get(map, key);
	if (n == NULL)
		REFUSE(r, "E005", map->key_mark.line > 0 ? map->key_mark : map->mark, "%s needs '%s'", where,
		       key);
	return n;
}

bool reading_int(struct reading *r, const struct node *n, const char *what, int64_t min, int64_t max,
                 int64_t *out)
{
	if (!reading_kind(r, n, NODE_SCALAR, what, "a number"))
		return false;
	if (slice_int(n->text, out) && *out >= min && *out <= max)
		return true;
	REFUSE(r, "E008", n->mark, "%s must be between %lld and %lld, got '" SLICE_FMT "'", what,
	       (long long)min, (long long)max, SLICE_ARG(n->text));
	return false;
}

const int *reading_ints(struct reading *r, const struct node *n, const char *what, size_t *count)
{
	bool list = n->kind == NODE_LIST;
	size_t k = 0;
	int64_t v;
	if (n->kind == NODE_MAP) {
		REFUSE(r, "E007", n->mark, "%s: expected a list of HTTP statuses, got a map", what);
		return NULL;
	}
	int *out = arena_array(r->profile->arena, list ? n->n + 1 : 1, sizeof *out);
	for (const struct node *e = list ? n->first : n; e != NULL; e = list ? e->next : NULL)
		if (reading_int(r, e, what, 100, 599, &v))
			out[k++] = (int)v;
	*count = k;
	return out;
}

struct slice reading_keep(struct reading *r, struct slice s)
{
	return arena_slice(r->profile->arena, s.p != NULL ? s : SLICE(""));
}

const char *reading_word(struct reading *r, struct slice s)
{
	return arena_str(r->profile->arena, s.p != NULL ? s : SLICE(""));
}

bool reading_duration(struct reading *r, const struct node *n, const char *what, duration max, duration *out)
{
	if (!reading_kind(r, n, NODE_SCALAR, what, "a duration such as 30s"))
		return false;
	if (duration_parse(n->text, out) && *out >= 0 && *out <= max)
		return true;
	struct buf b = {0};
	duration_format(max, &b);
	REFUSE(r, "E007", n->mark, "%s: expected a duration such as 30s, at most %s, got '" SLICE_FMT "'",
	       what, buf_cstr(&b), SLICE_ARG(n->text));
	buf_free(&b);
	return false;
}

struct slice *reading_slices(struct reading *r, const struct node *n, const char *what, size_t *count)
{
	bool list = n->kind == NODE_LIST;
	if (n->kind == NODE_MAP) {
		REFUSE(r, "E007", n->mark, "%s: expected a list of texts, got a map", what);
		return NULL;
	}
	struct slice *out = arena_array(r->profile->arena, list ? n->n + 1 : 1, sizeof *out);
	*count = 0;
	for (const struct node *e = list ? n->first : n; e != NULL; e = list ? e->next : NULL)
		if (reading_kind(r, e, NODE_SCALAR, what, "text"))
			out[(*count)++] = reading_keep(r, e->text);
	return out;
}
