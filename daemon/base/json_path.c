/* Promises one small path language for profiles (tickets.md): names joined by points, [3] for an element or a member,
 * [name=Key] for the first element whose member `name` is Key, ['any key'] for a name that holds points. Must
 * not know who asks. */
#include "base/json.h"

enum step_kind { STEP_END, STEP_BAD, STEP_MEMBER, STEP_INDEX, STEP_WHERE };

struct step {
	enum step_kind kind;
	struct slice name, want;
	size_t index;
};

static struct slice until(struct slice s, const char *stop)
{
	size_t n = 0;
	while (n < s.n && (s.p[n] == '\0' || strchr(stop, s.p[n]) == NULL))
		n++;
	return slice_sub(s, 0, n);
}

static struct slice behind(struct slice s, size_t n)
{
	return slice_sub(s, n, s.n);
}

static struct step member_step(struct slice *path)
{
	struct slice name = until(*path, ".[]");
	*path = behind(*path, name.n);
	return (struct step){.kind = name.n > 0 ? STEP_MEMBER : STEP_BAD, .name = name};
}

static struct step quoted_step(struct slice *path)
{
	struct slice name = until(behind(*path, 2), "'");
	*path = behind(*path, 2 + name.n);
	if (!slice_starts(*path, SLICE("']")))
		return (struct step){.kind = STEP_BAD};
	*path = behind(*path, 2);
	return (struct step){.kind = STEP_MEMBER, .name = name};
}

static struct step bracket_step(struct slice *path)
{
	if (slice_starts(*path, SLICE("['")))
		return quoted_step(path);
	struct slice in = until(behind(*path, 1), "]");
	*path = behind(*path, 1 + in.n);
	if (in.n == 0 || path->n == 0)
		return (struct step){.kind = STEP_BAD};
	*path = behind(*path, 1);
	struct slice name, want = in;
	if (!slice_contains(in, SLICE("="))) {
		int64_t i;
		bool ok = in.p[0] >= '0' && in.p[0] <= '9' && in.n <= 9 && slice_int(in, &i);
		return (struct step){.kind = ok ? STEP_INDEX : STEP_BAD, .index = ok ? (size_t)i : 0};
	}
	slice_split(&want, '=', &name);
	return (struct step){.kind = name.n > 0 ? STEP_WHERE : STEP_BAD, .name = name, .want = want};
}

static struct step next_step(struct slice *path, bool first)
{
	if (path->n == 0)
		return (struct step){.kind = first ? STEP_BAD : STEP_END};
	if (path->p[0] == '[')
		return bracket_step(path);
	if (first)
		return member_step(path);
	if (path->p[0] != '.')
		return (struct step){.kind = STEP_BAD};
	*path = behind(*path, 1);
	return member_step(path);
}

/* The members of an object have an order too. */
static const struct json *nth(const struct json *j, size_t i)
{
	const struct json *x = j->kind == JSON_ARRAY || j->kind == JSON_OBJECT ? j->first : NULL;
	while (x != NULL && i-- > 0)
		x = x->next;
	return x;
}

static const struct json *where(const struct json *list, struct slice name, struct slice want)
{
	if (list == NULL || list->kind != JSON_ARRAY)
		return NULL;
	for (const struct json *x = list->first; x != NULL; x = x->next) {
		struct slice have = json_text(json_getn(x, name));
		if (have.p != NULL && slice_eq(have, want))
			return x;
	}
	return NULL;
}

const struct json *json_path(const struct json *j, struct slice path)
{
	for (bool first = true; j != NULL; first = false) {
		struct step s = next_step(&path, first);
		switch (s.kind) {
		case STEP_END: return j;
		case STEP_BAD: return NULL;
		case STEP_MEMBER: j = json_getn(j, s.name); break;
		case STEP_INDEX: j = nth(j, s.index); break;
		case STEP_WHERE: j = where(j, s.name, s.want); break;
		}
	}
	return NULL;
}

bool json_path_valid(struct slice path, struct error *err)
{
	struct slice whole = path;
	for (bool first = true;; first = false) {
		struct step s = next_step(&path, first);
		if (s.kind == STEP_END)
			return true;
		if (s.kind == STEP_BAD)
			break;
	}
	error_set(err, "'" SLICE_FMT "' is not a path; write it like a.b[0].c or a[name=Key].value",
	          SLICE_ARG(whole));
	return false;
}
