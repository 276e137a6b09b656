/* Promises that a record means the same whatever ticket system it comes from. Must not know requests. */
#include "plugins/tickets/record.h"

enum { ID_MAX = 200, VALUE_MAX = 65536 };

static struct slice joined(struct arena *a, const struct json *list)
{
	struct buf b = {0};
	for (const struct json *x = list->first; x != NULL && b.n < VALUE_MAX; x = x->next) {
		struct slice s = json_text(x);
		if (s.n == 0)
			continue;
		buf_str(&b, b.n > 0 ? "\n" : "");
		buf_adds(&b, s);
	}
	struct slice out = b.n > 0 ? arena_slice(a, buf_slice(&b)) : SLICE_NONE;
	buf_free(&b);
	return out;
}

/* A path that ends at a list gives its texts. */
static struct slice one_value(struct render *render, const struct named_path *p, const struct reply *r,
                              const struct json *item)
{
	struct slice v = reply_named(r, render, p, item);
	if (v.p != NULL)
		return arena_slice(render->arena, slice_sub(v, 0, VALUE_MAX));
	const struct json *at = item != NULL ? item : r->doc;
	const struct json *j =
	    p->dynamic == NULL && !slice_starts(p->path, SLICE("@")) ? json_path(at, p->path) : NULL;
	return j != NULL && j->kind == JSON_ARRAY ? joined(render->arena, j) : SLICE_NONE;
}

struct values *record_values(struct render *render, const struct named_path *extract, struct values *base,
                             const struct reply *r, const struct json *item)
{
	for (const struct named_path *p = extract; p != NULL; p = p->next) {
		struct slice v = one_value(render, p, r, item);
		if (v.p == NULL && base != NULL)
			continue; /* what is known already stays */
		struct values *x = arena_alloc(render->arena, sizeof *x);
		*x = (struct values){p->name, v, base};
		base = x;
	}
	return base;
}

struct slice record_id(const struct values *v, const char *name)
{
	struct slice id = values_get(v, slice_str(name));
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] <= ' ' || id.p[i] == 0x7f)
			return SLICE_NONE;
	return id.n > 0 && id.n <= ID_MAX ? id : SLICE_NONE;
}

static struct slice mapped(const struct ticket_profile *p, const char *map, struct slice raw)
{
	const struct value_map *m = profile_map(p, slice_str(map));
	for (const struct map_entry *e = m != NULL && raw.p != NULL ? m->entries : NULL; e != NULL;
	     e = e->next)
		if (slice_ieq(e->from, raw))
			return e->to;
	return SLICE_NONE;
}

struct slice record_state(const struct ticket_profile *p, const struct values *v)
{
	struct slice state = mapped(p, "state_in", values_get(v, SLICE("state")));
	struct slice why = mapped(p, "resolution_in", values_get(v, SLICE("resolution")));
	return slice_is(state, "resolved") && why.n > 0 ? why : state;
}

/* ServiceNow, Redmine and others write UTC as "2026-11-22 05:58:10", some without a zone. */
static struct slice moment(struct arena *a, struct slice s)
{
	struct buf b = {0};
	instant t = 0;
	s = slice_trim(s);
	buf_adds(&b, s);
	if (b.n >= 19 && b.p[10] == ' ')
		b.p[10] = 'T';
	bool ok = b.n > 0 && instant_parse(buf_slice(&b), &t);
	if (!ok && b.n >= 19) {
		buf_char(&b, 'Z');
		ok = instant_parse(buf_slice(&b), &t);
	}
	buf_clear(&b);
	if (ok)
		instant_format(t, &b);
	struct slice out = ok ? arena_slice(a, buf_slice(&b)) : s;
	buf_free(&b);
	return out;
}

struct ticket_seen record_seen(const struct ticket_profile *p, struct arena *a, const struct values *v)
{
	struct ticket_seen s = {
	    .id = record_id(v, "id"),
	    .state = record_state(p, v),
	    .state_there = values_get(v, SLICE("state")),
	    .priority = mapped(p, "priority_in", values_get(v, SLICE("priority"))),
	    .assignee = values_get(v, SLICE("assignee")),
	    .merged_into = record_id(v, "merged_into"),
	    .changed_by = values_get(v, SLICE("changed_by")),
	    .at = moment(a, values_get(v, SLICE("at"))),
	    .cursor = values_get(v, SLICE("cursor")),
	};
	if (slice_eq(s.merged_into, s.id))
		s.merged_into = SLICE_NONE;
	return s;
}

struct ticket_planned record_planned(struct arena *a, const struct values *v)
{
	struct ticket_planned p = {
	    .id = record_id(v, "id"),
	    .title = values_get(v, SLICE("title")),
	    .starts = moment(a, values_get(v, SLICE("starts"))),
	    .ends = moment(a, values_get(v, SLICE("ends"))),
	    .services = values_get(v, SLICE("services")),
	    .cis = values_get(v, SLICE("cis")),
	    .state = values_get(v, SLICE("state")),
	};
	return p;
}

bool record_is(const struct ticket_profile *p, const struct values *v, struct slice name, struct slice want)
{
	struct slice rest = values_get(v, name), line;
	want = slice_trim(want);
	if (slice_eq(slice_trim(rest), want) ||
	    (slice_is(name, "state") && want.n > 0 && slice_eq(record_state(p, v), want)))
		return true;
	while (want.n > 0 && slice_split(&rest, '\n', &line))
		if (slice_eq(line, want))
			return true;
	return false;
}
