/* See select.h. */
#include "ctl/select.h"

#include <string.h>

int select_check(const struct ctl *c, const struct args *a)
{
	for (size_t i = 0; i < a->n_words; i++) {
		const char *eq = strchr(a->words[i], '=');

		if (eq == NULL || eq == a->words[i])
			return ctl_fail(c, CTL_USAGE,
			                "'%s' is no condition; write field=value, e.g. host=web*",
			                a->words[i]);
	}
	return CTL_DONE;
}

/* Linear in practice: only the last '*' is ever gone back to. */
bool select_glob(struct slice p, struct slice s)
{
	size_t i = 0, k = 0, star = SIZE_MAX, mark = 0;

	while (k < s.n) {
		if (i < p.n && p.p[i] == '*') {
			star = i++;
			mark = k;
		} else if (i < p.n && (p.p[i] == '?' || p.p[i] == s.p[k])) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++mark;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

static bool value_fits(struct slice glob, const struct json *v)
{
	if (v == NULL)
		return false;
	if (v->kind != JSON_ARRAY)
		return select_glob(glob, json_text(v));
	for (const struct json *i = v->first; i != NULL; i = i->next)
		if (select_glob(glob, json_text(i->kind == JSON_OBJECT ? json_get(i, "id") : i)))
			return true;
	return false;
}

bool select_fits(const struct args *a, const struct json *o, const char *inner)
{
	for (size_t i = 0; i < a->n_words; i++) {
		struct slice glob = slice_str(a->words[i]), name;
		const struct json *v;

		slice_split(&glob, '=', &name);
		if (glob.p == NULL)
			glob = SLICE("");
		v = json_getn(o, name);
		if (!value_fits(glob, v) &&
		    (inner == NULL || !value_fits(glob, json_getn(json_get(o, inner), name))))
			return false;
	}
	return true;
}

bool select_listed(const char *list, struct slice word)
{
	struct slice rest = slice_str(list), one;

	if (list == NULL)
		return true;
	while (rest.n > 0 && slice_split(&rest, ',', &one))
		if (slice_eq(slice_trim(one), word))
			return true;
	return false;
}
