/* A webhook profile: what one product sends, as data (intake.md section 4). Private to this decoder.
 *
 *   profile: 1
 *   name: alertmanager
 *   detect: [alerts, groupKey]      what a body of this product has: paths, {path: word or words} and
 *                                   @header.NAME; a list of lists holds alternatives. Of a list of events its
 *                                   first element is looked at
 *   items: alerts                   path of the list with one event per element ("a[].b[].c": lists in
 *                                   lists; an object is a list of one), or several of which the first
 *                                   that is there counts
 *   unwrap: Message                 the alert is an object at this path, or a text that holds JSON (plain
 *                                   or in base64): it takes the element's place
 *   within: data                    the same, but only if the product is not named (auto) and what is there
 *                                   is a body of another product
 *   ignore: [{when: [{Type: Ping}], note: "${body.Url}"}]   no event, but a note
 *   shared: [receiver, externalURL] paths of what is around an element that go into its event
 *   verify: github                  the signature scheme of the product, if the listener has auth.hmac
 *   omit: [routing_key]             paths that become no field (credentials)
 *   tables: {words: {ok: clear}}    named maps for `set`
 *   set: {FIELD: VALUE}             VALUE is a template, {from: path or template, map: {word: value} or the
 *                                   name of a table, default: value}, {when: as detect, value: template}, or
 *                                   a list of these of which the first that gives something counts
 *
 * In templates: body.PATH (the event's flattened fields, else that path of the element), @json.PATH (a path
 * of the element or of what is around it, with [0] and [name=Key]), @hash.PATH (a hash of the sorted members
 * of an object; "labels!severity": but for that member), @header.NAME; the common filters and those of
 * filter.c. A template of whose paths none is there gives nothing, whatever text stands around them. Words
 * are compared without regard to case; a `*` in front or behind stands for any text. `time` may be written as
 * in moment.h. */
#ifndef CARILLON_WEBHOOK_PROFILE_H
#define CARILLON_WEBHOOK_PROFILE_H

#include "base/doc.h"
#include "base/json.h"
#include "base/template.h"
#include "plugin.h"

struct word_map {
	struct slice word, value;
	struct word_map *next;
};

struct path_table;

struct word_table {
	struct slice name;
	const struct word_map *map;
	struct word_table *next;
};

struct condition;

/* One way to a value. */
struct choice {
	const struct template *text; /* of the value itself, or of the word to look up in `map` */
	struct slice from;           /* or the path of that word */
	const struct word_map *map;
	const struct condition *when; /* NULL: always */
	bool is_map;
	struct slice single; /* `text` is this path and these filters, absent: more than that */
	const struct filter_use *uses;
	size_t n_uses;
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

/* "a[].b[].c" as its parts a, b, c. */
struct item_path {
	const struct path_list *parts;
	struct item_path *next;
};

/* The path is there and, if words are given, holds one of them. */
struct condition {
	struct slice path;
	bool header;
	const struct path_list *words;
	struct condition *next;
};

/* Conditions that all hold. keys and names: one bit for each member and header that must be there, so that
 * most products are told apart without a look at the body. */
struct alternative {
	const struct condition *conditions;
	uint64_t keys, names;
	size_t weight;
	struct alternative *next;
};

struct ignore_rule {
	const struct condition *when;
	const struct template *note;
	struct ignore_rule *next;
};

struct profile {
	struct slice name;
	const char *verify; /* signature scheme; NULL: none */
	const struct alternative *detect;
	const struct item_path *items;
	const struct path_list *shared, *unwrap, *within, *omit;
	const struct ignore_rule *ignore;
	const struct setting *settings;
	const struct path_table *paths; /* those of the settings */
	struct profile *next;
};

struct webhook_profiles {
	struct arena *arena;
	struct profile *first, **tail;
};

/* ---- reading (profile.c, setting.c) */

struct profile_loader {
	struct webhook_profiles *profiles;
	struct doc *doc;
	struct findings *findings;
	size_t errors_before;
	const struct word_table *tables;
};

#define REFUSE(l, code, mark, ...)                                                                           \
	doc_finding((l)->doc, (l)->findings, FINDING_ERROR, (code), (mark), __VA_ARGS__)

struct slice profile_keep(struct profile_loader *l, struct slice s);
bool profile_want(struct profile_loader *l, const struct node *n, enum node_kind kind, const char *what,
                  const char *type);
void profile_unknown_key(struct profile_loader *l, const struct node *n, const char *where,
                         const char *const *names, size_t count);
struct choice *profile_template(struct profile_loader *l, const struct node *n, enum field_id id);
const struct condition *profile_conditions(struct profile_loader *l, const struct node *n);
const struct word_table *profile_tables(struct profile_loader *l, const struct node *n);
const struct setting *profile_settings(struct profile_loader *l, const struct node *n);

/* ---- which product (detect.c) */

uint64_t detect_bit(struct slice name); /* of a member's or header's name */
struct slice
detect_first_key(struct slice path); /* "a.b[0]" -> "a"; absent if the path does not begin with a name */
bool detect_words(const struct path_list *words, struct slice text);
bool detect_word(struct slice word, struct slice text);
bool detect_holds(const struct condition *c, const struct json *j, struct slice headers);
const struct profile *detect_product(const struct webhook_profiles *all, const struct json *body,
                                     struct slice headers);

/* ---- one event on its way (apply.c): what templates look things up in */

/* An element and what is around it, up to the body. */
struct place {
	const struct json *json;
	const struct place *outer;
};

struct item {
	const struct decode_env *env;
	const struct profile *profile; /* whose templates are rendered; NULL: a note's */
	const struct place *place;
	struct fields *fields;
	bool extra; /* some fields have other names than the members that they come from */
	struct buf *scratch;
	size_t hits; /* paths that were there in the template being rendered */
};

struct slice header_value(struct slice headers, struct slice name);       /* absent if there is none */
bool profile_look_up(void *item, struct slice path, struct slice *value); /* for templates */
const struct path_table *profile_paths(struct arena *a, const struct setting *settings);
const struct filter *profile_filters(void); /* filter.c */
bool profile_path_known(struct slice path, void *arg);
/* Sets what the profile says; with only_missing no field that is set already. */
void profile_apply(const struct profile *p, struct item *it, bool only_missing);
/* A template as text in the arena of the fields; absent if it gives nothing. */
struct slice profile_render(const struct template *t, struct item *it);

/* Puts a JSON value as fields `name`, `name.member`, `name.0` … but for those of `omit`; *left bounds the
 * octets of one event. True if a field has another name than its path. */
bool flatten(struct fields *f, const char *prefix, struct slice path, const struct json *j,
             const struct path_list *omit, size_t *left);

#endif
