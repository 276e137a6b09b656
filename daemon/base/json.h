/* JSON: a bounded reader that makes a tree in an arena, and a typed writer. RFC 8259.
 * The reader refuses: depth over `max_depth`, trailing text, lone surrogates become U+FFFD, duplicate keys keep the last. */
#ifndef CARILLON_BASE_JSON_H
#define CARILLON_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	bool boolean;
	struct slice text;       /* string: decoded; number: as written */
	struct slice key;        /* of the member of an object */
	struct json *first;      /* first element or member */
	struct json *next;       /* next sibling */
	size_t n;                /* elements or members */
};

struct json_limits {
	size_t max_depth, max_nodes;
};
#define JSON_LIMITS ((struct json_limits){32, 200000})

/* The tree lives in `a`; strings without escapes are slices of `text`, which must outlive the tree, the others live in
 * `a`. max_depth is at most 512. On failure NULL; *at (may be NULL) is the octet where it stopped. A BOM in front is
 * skipped; text must be UTF-8; of equal keys the last one's value stands at the first one's place. */
struct json *json_parse(struct arena *a, struct slice text, struct json_limits lim, size_t *at, struct error *err) MUST_CHECK;

const struct json *json_get(const struct json *o, const char *key);          /* member or NULL; NULL-safe */
const struct json *json_getn(const struct json *o, struct slice key);
const struct json *json_at(const struct json *a, size_t i);
struct slice json_text(const struct json *j);   /* string or number or true/false as text; absent for null, trees, NULL */
bool json_int(const struct json *j, int64_t *out); /* a number without a fraction: 5, 5.0, 5e3 */
bool json_num(const struct json *j, double *out);
/* a.b[0].c, a[name=Key].value (the first element whose member `name` is Key), a['key.with.points']; NULL if there is none.
 * [0] of an object is its first member. */
const struct json *json_path(const struct json *j, struct slice path);
bool json_path_valid(struct slice path, struct error *err);

/* Writer: commas and nesting (at most 63 levels) are its job. Text that is not UTF-8 is written with U+FFFD. Several
 * values at the top get no comma between them. */
struct jw {
	struct buf *out;
	uint64_t more;   /* one bit a level: something stands before */
	uint64_t arrays; /* one bit a level: an array */
	unsigned depth;
	bool after_key;
};
struct jw jw_new(struct buf *out);
void jw_object(struct jw *w);
void jw_array(struct jw *w);
void jw_end(struct jw *w); /* closes the innermost object or array */
void jw_array_end(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_keyn(struct jw *w, struct slice key);
void jw_slice(struct jw *w, struct slice s); /* absent: null */
void jw_str(struct jw *w, const char *s);    /* NULL: null */
void jw_int(struct jw *w, int64_t v);
void jw_num(struct jw *w, double v); /* not finite: null */
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_time(struct jw *w, int64_t instant);  /* RFC 3339 text; INSTANT_NONE: null */
void jw_raw(struct jw *w, struct slice json); /* a finished JSON value */
void jw_tree(struct jw *w, const struct json *j);
/* key and value in one */
void jw_kslice(struct jw *w, const char *key, struct slice s);
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_ktime(struct jw *w, const char *key, int64_t instant);

#endif
