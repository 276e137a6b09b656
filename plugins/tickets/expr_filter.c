/* The filters of ticket profiles beside the common ones (base/filter.c):
 *   map:NAME      through a map of the profile; a value that is not in it is refused
 *   int           a whole number, else refused; alone in a leaf: a number
 *   str           text, also alone in a leaf
 *   keep          alone in a leaf: null instead of leaving the leaf out
 *   oneline       line ends, tabs and control characters become one space
 *   json          the text as a JSON string, with its quotes
 *   path          percent-encoded for one segment of a path; nothing, "." and ".." are refused
 *   tql jql snq oql  quoted for TicketSQL, JQL, ServiceNow's encoded query, iTop's OQL
 *   nowild        refused if it holds * % ?
 *   word          refused if it holds anything but letters, digits and : _ - .
 *   adf html fence pre noformat nocode  plain text in a markup language (expr_markup.c)
 *   rfc3339       a time as RFC 3339 in UTC
 *   date:FMT      a time in UTC; FMT with %Y %m %d %H %M %S %%
 *   hash:N        the first N hexadecimal digits of SHA-256, N from 8 to 64
 *   split:SEP     a list of the texts between SEP
 * A missing value stays missing, but for `path`. */
#include <openssl/evp.h>

#include "base/instant.h"
#include "plugins/tickets/profile.h"

enum { LIST_MARK = '\x1f' };

static bool control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static void take(struct slice *v, struct arena *scratch, struct buf *b)
{
	*v = arena_slice(scratch, b->n > 0 ? buf_slice(b) : SLICE(""));
	buf_free(b);
}

static int f_map(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	struct render *r = env;
	const struct value_map *m = profile_map(r->connection->profile, use->arg);
	(void)scratch;
	if (v->n == 0 || DOUBT(m == NULL))
		return 0;
	for (const struct map_entry *e = m->entries; e != NULL; e = e->next) {
		if (!slice_eq(e->from, *v))
			continue;
		*v = e->to;
		r->plain = e->plain;
		return 0;
	}
	return error_set(err, "the profile's map '" SLICE_FMT "' has no entry for '" SLICE_FMT "'; add one",
	                 SLICE_ARG(use->arg), SLICE_ARG(*v));
}

static int f_int(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	struct render *r = env;
	int64_t n;
	(void)use;
	if (v->n == 0)
		return 0;
	if (!slice_int(*v, &n))
		return error_set(err, SLICE_FMT " is no whole number: '" SLICE_FMT "'", SLICE_ARG(r->path),
		                 SLICE_ARG(slice_sub(*v, 0, 60)));
	*v = slice_str(arena_printf(scratch, "%lld", (long long)n));
	r->plain = true;
	return 0;
}

static int f_str(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	(void)use, (void)v, (void)scratch, (void)err;
	((struct render *)env)->plain = false;
	return 0;
}

static int f_keep(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	(void)use, (void)v, (void)scratch, (void)err;
	((struct render *)env)->keep = true;
	return 0;
}

static int f_oneline(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                     struct error *err)
{
	struct buf b = {0};
	(void)use, (void)env, (void)err;
	if (v->p == NULL)
		return 0;
	for (size_t i = 0; i < v->n; i++) {
		bool gap = control(v->p[i]) && v->p[i] != LIST_MARK;
		if (!gap)
			buf_char(&b, v->p[i]);
		else if (b.n > 0 && b.p[b.n - 1] != ' ')
			buf_char(&b, ' ');
	}
	take(v, scratch, &b);
	*v = slice_trim(*v);
	return 0;
}

static int f_json(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);
	(void)use, (void)env, (void)err;
	if (v->p == NULL)
		return 0;
	jw_slice(&w, *v);
	take(v, scratch, &b);
	return 0;
}

static int f_path(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	const struct render *r = env;
	struct buf b = {0};
	(void)use;
	if (v->n == 0 || slice_is(*v, ".") || slice_is(*v, ".."))
		return error_set(err, SLICE_FMT " is '" SLICE_FMT "', which cannot stand in a URL",
		                 SLICE_ARG(r->path), SLICE_ARG(*v));
	for (size_t i = 0; i < v->n; i++) {
		if (v->p[i] != '\0' && strchr(unreserved, v->p[i]) != NULL)
			buf_char(&b, v->p[i]);
		else
			buf_printf(&b, "%%%02X", (unsigned)(unsigned char)v->p[i]);
	}
	take(v, scratch, &b);
	return 0;
}

/* `what` characters get `by` in front; control characters would end a quoted text in some parsers. */
static int quote(struct slice *v, struct arena *scratch, const char *what, char by)
{
	struct buf b = {0};
	if (v->p == NULL)
		return 0;
	for (size_t i = 0; i < v->n; i++) {
		char c = control(v->p[i]) ? ' ' : v->p[i];
		if (strchr(what, c) != NULL)
			buf_char(&b, by);
		buf_char(&b, c);
	}
	take(v, scratch, &b);
	return 0;
}

static int f_tql(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	(void)use, (void)env, (void)err;
	return quote(v, scratch, "\\'\"", '\\');
}

static int f_jql(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	(void)use, (void)env, (void)err;
	return quote(v, scratch, "\\'\"", '\\');
}

/* '^' separates conditions and is written twice as itself. */
static int f_snq(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	(void)use, (void)env, (void)err;
	return quote(v, scratch, "^", '^');
}

static int f_nowild(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                    struct error *err)
{
	const struct render *r = env;
	(void)use, (void)scratch;
	for (size_t i = 0; i < v->n; i++)
		if (control(v->p[i]) || strchr("*%?", v->p[i]) != NULL)
			return error_set(err, SLICE_FMT " holds a wildcard: '" SLICE_FMT "'",
			                 SLICE_ARG(r->path), SLICE_ARG(slice_sub(*v, 0, 60)));
	return 0;
}

/* For query languages whose quoting nobody should have to trust. */
static int f_word(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-.";
	const struct render *r = env;
	(void)use, (void)scratch;
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] == '\0' || strchr(plain, v->p[i]) == NULL)
			return error_set(err, SLICE_FMT " is no plain word: '" SLICE_FMT "'",
			                 SLICE_ARG(r->path), SLICE_ARG(slice_sub(*v, 0, 60)));
	return 0;
}

static int f_rfc3339(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                     struct error *err)
{
	struct buf b = {0};
	instant t;
	(void)use, (void)env, (void)err;
	if (v->n == 0 || !instant_parse(*v, &t))
		return 0;
	instant_format(t, &b);
	take(v, scratch, &b);
	return 0;
}

static int f_date(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	int year, month, day, hour, minute, second;
	struct buf b = {0};
	instant t;
	(void)env, (void)err;
	if (v->n == 0 || !instant_parse(*v, &t))
		return 0;
	instant_split(t, &year, &month, &day, &hour, &minute, &second);
	for (size_t i = 0; i < use->arg.n; i++) {
		char c = use->arg.p[i], next = i + 1 < use->arg.n ? use->arg.p[i + 1] : '\0';
		if (c != '%') {
			buf_char(&b, c);
			continue;
		}
		i++;
		if (DOUBT(next == '\0'))
			break;
		if (next == '%')
			buf_char(&b, '%');
		else if (next == 'Y')
			buf_printf(&b, "%04d", year);
		else
			buf_printf(&b, "%02d",
			           next == 'm'   ? month
			           : next == 'd' ? day
			           : next == 'H' ? hour
			           : next == 'M' ? minute
			                         : second);
	}
	take(v, scratch, &b);
	return 0;
}

static int f_hash(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int64_t digits = 64;
	struct buf b = {0};
	(void)env, (void)err;
	if (v->p == NULL || DOUBT(!slice_int(use->arg, &digits)))
		return 0;
	if (EVP_Digest(v->n > 0 ? v->p : "", v->n, sum, &n, EVP_sha256(), NULL) != 1)
		return error_set(err, "SHA-256 is not available");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "%02x", sum[i]);
	b.n = MIN(b.n, (size_t)digits);
	take(v, scratch, &b);
	return 0;
}

static int f_split(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                   struct error *err)
{
	struct buf b = {0};
	(void)env, (void)err;
	if (v->p == NULL)
		return 0;
	BUG_ON(use->arg.n == 0);
	for (size_t i = 0; i < v->n;) {
		bool here = slice_starts(slice_sub(*v, i, use->arg.n), use->arg);
		buf_char(&b, here ? LIST_MARK : v->p[i]);
		i += here ? use->arg.n : 1;
	}
	/* also one item is a list */
	if (b.n > 0 && memchr(b.p, LIST_MARK, b.n) == NULL)
		buf_char(&b, LIST_MARK);
	take(v, scratch, &b);
	return 0;
}

static const struct filter filters[] = {
    {"map", true, true, f_map},
    {"int", false, false, f_int},
    {"str", false, false, f_str},
    {"keep", false, false, f_keep},
    {"oneline", false, false, f_oneline},
    {"json", false, false, f_json},
    {"path", false, false, f_path},
    {"tql", false, false, f_tql},
    {"jql", false, false, f_jql},
    {"oql", false, false, f_tql},
    {"snq", false, false, f_snq},
    {"nowild", false, false, f_nowild},
    {"word", false, false, f_word},
    {"rfc3339", false, false, f_rfc3339},
    {"date", true, true, f_date},
    {"hash", true, true, f_hash},
    {"split", true, true, f_split},
    {"adf", false, false, markup_adf},
    {"html", false, false, markup_html},
    {"fence", false, false, markup_fence},
    {"pre", false, false, markup_pre},
    {"noformat", false, false, markup_noformat},
    {"nocode", false, false, markup_nocode},
    {NULL, false, false, NULL},
};

const struct filter *expr_filters(void)
{
	return filters;
}

static bool date_ok(struct slice format)
{
	for (size_t i = 0; i < format.n; i++) {
		if (format.p[i] != '%')
			continue;
		if (++i == format.n || format.p[i] == '\0' || strchr("YmdHMS%", format.p[i]) == NULL)
			return false;
	}
	return format.n > 0;
}

bool expr_filter_arg_ok(const struct ticket_profile *p, const struct filter_use *use, struct error *err)
{
	int64_t n;
	if (use->filter->apply == f_map && profile_map(p, use->arg) == NULL)
		error_set(err, "the profile has no map '" SLICE_FMT "'", SLICE_ARG(use->arg));
	else if (use->filter->apply == f_date && !date_ok(use->arg))
		error_set(err, "filter 'date' knows %%Y %%m %%d %%H %%M %%S %%%%, got '" SLICE_FMT "'",
		          SLICE_ARG(use->arg));
	else if (use->filter->apply == f_hash && !(slice_int(use->arg, &n) && n >= 8 && n <= 64))
		error_set(err, "filter 'hash' needs a number from 8 to 64, got '" SLICE_FMT "'",
		          SLICE_ARG(use->arg));
	else if (use->filter->apply == f_split && use->arg.n == 0)
		error_set(err, "filter 'split' needs a text to split at");
	else
		return true;
	return false;
}
