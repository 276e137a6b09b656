/* ${path|filter|filter:arg} templates: one engine for rules and ticket profiles (language.md section 8, tickets.md).
 * One pass: a value is never expanded again. "$$" is a dollar sign; a '$' not followed by '{' is itself. */
#ifndef CARILLON_BASE_TEMPLATE_H
#define CARILLON_BASE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct template; /* immutable after parsing; lives in its arena */

struct filter_use {
	const struct filter *filter;
	struct slice arg; /* absent if none; quotes removed */
};

/* A filter changes *value (new bytes go into `scratch`). Returns 0, or -1 with err when the value is refused (nowild). */
struct filter {
	const char *name;
	bool takes_arg, needs_arg;
	int (*apply)(const struct filter_use *use, struct slice *value, struct arena *scratch, void *env, struct error *err);
};

/* The filters every template knows:
 *   default:x    x if the value is missing or empty
 *   lower upper  ASCII letters
 *   trim         without spaces, tabs and line ends around it
 *   short        the host part of a name: up to the first point; addresses stay whole
 *   limit:n      the first n characters (UTF-8), n from 1 to 1000000
 *   join:sep     a list's items with sep between them; lists arrive as text with '\x1f' between the items
 *   duration     seconds ("5400", "0.5") or a duration ("90m") as "1h30m"
 *   time         RFC 3339 as HH:MM:SS in UTC
 * What a filter cannot read it leaves as it is. An argument in '...' may hold | } and outer spaces; '' is a quote in it. */
const struct filter *template_filters(size_t *n);

/* Where a fault of the template stands: octet offset in the text and a code (E061 unknown field, E062 unknown filter,
 * E007 broken syntax). */
struct template_fault {
	size_t at, len;
	const char *code;
	struct error error;
};

/* `known` says whether a path may be used here (NULL: any); `more`: further filters beside the common ones (NULL-terminated
 * by name == NULL, may be NULL). */
struct template *template_parse(struct arena *a, struct slice text, bool (*known)(struct slice path, void *arg), void *arg,
                                const struct filter *more, struct template_fault *fault) MUST_CHECK;

typedef bool (*template_lookup)(void *env, struct slice path, struct slice *value); /* false or absent: missing */

/* Appends the text to out. Missing values are empty; a filter sees them as absent. -1 only if a filter refused a value;
 * what was appended before stays. What `get` and the filters return must live until the value is written. */
int template_render(const struct template *t, template_lookup get, void *env, struct arena *scratch, struct buf *out,
                    struct error *err) MUST_CHECK;

bool template_constant(const struct template *t, struct slice *text);  /* no expression in it */
bool template_single(const struct template *t, struct slice *path, const struct filter_use **uses, size_t *n); /* exactly one expression */
size_t template_paths(const struct template *t, const struct slice **paths); /* all paths used, in order */
struct slice template_text(const struct template *t); /* as written */

#endif
