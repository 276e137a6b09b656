/* A webhook profile: what one product sends, as data (intake.md section 4). Private to this decoder.
 *
 *   profile: 1
 *   name: alertmanager
 *   detect: [alerts, groupKey]      paths that a body of this product has; of a list its first element is
 * looked at items: alerts                   path of the list with one event per element, or several of which
 * the first fits shared: [receiver, externalURL] paths of the body that go into every event set: {FIELD:
 * VALUE}             VALUE is a template, {from: field, map: {word: value}, default: value}, or a list of
 *                                   these of which the first that gives something counts
 *
 * In templates: body.PATH (the event's flattened fields), @json.PATH (a path of the element, with [0] and
 * [name=Key]),
 * @hash.PATH (a hash of the sorted members of an object), @header.NAME; the common filters and `host` (host
 * part of a URL or host:port) and `ended` (clear if the time has passed, else problem). A template of whose
 * paths none is there gives nothing, whatever text stands around them. Words are mapped without regard to
 * case. */
#ifndef CARILLON_WEBHOOK_PROFILE_H
#define CARILLON_WEBHOOK_PROFILE_H

#include "base/json.h"
#include "base/template.h"
#include "plugin.h"

struct word_map {
	struct slice word, value;
	struct word_map *next;
};

/* One way to a value. */
struct choice {
	const struct template *text; /* NULL: from and map */
	struct slice from;
	const struct word_map *map;
	struct slice fallback; /* absent: none */
	struct choice *next;
};

struct setting {
	enum field_id id; /* FIELD_NONE: named, under x. */
	struct slice name;
	const struct choice *choices;
	struct setting *next;
};

struct path_list {
	struct slice path;
	struct path_list *next;
};

struct profile {
	struct slice name;
	const struct path_list *detect, *items, *shared;
	size_t n_detect;
	const struct setting *settings;
	struct profile *next;
};

struct webhook_profiles {
	struct arena *arena;
	struct profile *first, **tail;
};

/* One event on its way: what templates look things up in. */
struct item {
	const struct decode_env *env;
	const struct json *element, *body;
	struct fields *fields;
	struct buf *scratch;
	size_t hits; /* paths that were there in the template being rendered */
};

const struct filter *profile_filters(void);
bool profile_path_known(struct slice path, void *arg);
void profile_apply(const struct profile *p, struct item *it);

/* Puts a JSON value as fields `name`, `name.member`, `name.0` …; *left bounds the octets of one event. */
void flatten(struct fields *f, const char *prefix, struct slice path, const struct json *j, size_t *left);

#endif
