/* Promises that a filter never fails on a value: what it cannot read it leaves as it is, and a missing value
 * stays missing (but for `default`). Must not know what the values are for. language.md section 8. */
#include "base/filter.h"

#include "base/instant.h"

enum { LIST_MARK = '\x1f' };

/* A missing value and an empty one are the same (language.md section 17.10). */
static int f_default(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                     struct error *err)
{
	(void)scratch, (void)env, (void)err;
	if (v->n == 0)
		*v = use->arg;
	return 0;
}

static void shift_case(struct slice *v, struct arena *scratch, char lo, char hi, int by)
{
	if (v->p == NULL)
		return;
	char *to = arena_str(scratch, *v);
	for (size_t i = 0; i < v->n; i++)
		if (to[i] >= lo && to[i] <= hi)
			to[i] = (char)(to[i] + by);
	v->p = to;
}

static int f_lower(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                   struct error *err)
{
	(void)use, (void)env, (void)err;
	shift_case(v, scratch, 'A', 'Z', 'a' - 'A');
	return 0;
}

static int f_upper(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                   struct error *err)
{
	(void)use, (void)env, (void)err;
	shift_case(v, scratch, 'a', 'z', 'A' - 'a');
	return 0;
}

static int f_trim(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	(void)use, (void)scratch, (void)env, (void)err;
	*v = slice_trim(*v);
	return 0;
}

static bool looks_like_address(struct slice v)
{
	bool v4 = true;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == ':')
			return true;
		v4 = v4 && (v.p[i] == '.' || (v.p[i] >= '0' && v.p[i] <= '9'));
	}
	return v4;
}

static int f_short(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                   struct error *err)
{
	(void)use, (void)scratch, (void)env, (void)err;
	struct slice rest = *v, host;
	if (!looks_like_address(*v) && slice_split(&rest, '.', &host) && host.n > 0)
		*v = host;
	return 0;
}

static bool limit_of(const struct filter_use *use, int64_t *n)
{
	return slice_int(use->arg, n) && *n >= 1 && *n <= 1000000;
}

/* Counts characters; an octet that is no UTF-8 counts as one. */
static int f_limit(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                   struct error *err)
{
	(void)scratch, (void)env, (void)err;
	int64_t left;
	size_t i = 0;
	if (DOUBT(!limit_of(use, &left)))
		return 0;
	for (; i < v->n && left > 0; left--) {
		size_t len = slice_char(*v, i);
		i += MAX(len, 1);
	}
	v->n = i;
	return 0;
}

static int f_join(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	(void)env, (void)err;
	size_t marks = 0;
	for (size_t i = 0; i < v->n; i++)
		marks += v->p[i] == LIST_MARK;
	if (marks == 0)
		return 0;
	char *to = arena_alloc(scratch, v->n - marks + marks * use->arg.n + 1), *at = to;
	for (struct slice rest = *v, item; slice_split(&rest, LIST_MARK, &item);) {
		memcpy(at, item.p, item.n);
		at += item.n;
		if (rest.p == NULL)
			break;
		if (use->arg.n > 0)
			memcpy(at, use->arg.p, use->arg.n);
		at += use->arg.n;
	}
	*v = (struct slice){to, (size_t)(at - to)};
	return 0;
}

/* Seconds, whole or with a fraction, or a duration in any form. */
static bool any_duration(struct slice v, duration *out)
{
	double seconds;
	if (!slice_num(v, &seconds))
		return duration_parse(v, out);
	if (seconds < -9e12 || seconds > 9e12)
		return false;
	*out = (duration)(seconds * (double)SECOND);
	return true;
}

static int f_duration(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                      struct error *err)
{
	(void)use, (void)env, (void)err;
	duration d;
	struct buf b = {0};
	if (v->n == 0 || !any_duration(*v, &d))
		return 0;
	duration_format(d, &b);
	*v = arena_slice(scratch, buf_slice(&b));
	buf_free(&b);
	return 0;
}

static int f_time(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	(void)use, (void)env, (void)err;
	instant t;
	int h, m, s;
	if (v->n == 0 || !instant_parse(*v, &t))
		return 0;
	instant_split(t, NULL, NULL, NULL, &h, &m, &s);
	*v = slice_str(arena_printf(scratch, "%02d:%02d:%02d", h, m, s));
	return 0;
}

static const struct filter filters[] = {
    {"default", true, true, f_default}, {"lower", false, false, f_lower},
    {"upper", false, false, f_upper},   {"trim", false, false, f_trim},
    {"short", false, false, f_short},   {"limit", true, true, f_limit},
    {"join", true, true, f_join},       {"duration", false, false, f_duration},
    {"time", false, false, f_time},
};

const struct filter *template_filters(size_t *n)
{
	*n = ARRAY_LEN(filters);
	return filters;
}

bool filter_arg_ok(const struct filter_use *use, struct error *err)
{
	int64_t n;
	if (use->filter->apply == f_limit && !limit_of(use, &n))
		error_set(err, "filter 'limit' needs a whole number from 1 to 1000000, got '" SLICE_FMT "'",
		          SLICE_ARG(use->arg));
	/* a joined text that is a list again would grow with every further join */
	else if (use->filter->apply == f_join && memchr(use->arg.p, LIST_MARK, use->arg.n) != NULL)
		error_set(err, "filter 'join' cannot put the character U+001F between items");
	else
		return true;
	return false;
}
