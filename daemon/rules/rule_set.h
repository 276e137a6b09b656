/* A compiled rule set: immutable, one arena, from the bytes of rule files to what intake and engine run.
 * One loader for daemon, tool and tests (language.md). Pure: files come as bytes. */
#ifndef CARILLON_RULES_RULE_SET_H
#define CARILLON_RULES_RULE_SET_H

#include "base/calendar.h"
#include "base/doc.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/template.h"
#include "model/config.h"
#include "model/severity.h"
#include "rules/cond.h"
#include "rules/pattern.h"

#define PREDICATE_NONE UINT32_MAX
#define RULE_NONE      UINT32_MAX
#define CALENDAR_NONE  UINT32_MAX

/* ---- what the loader makes */

enum rule_mode { MODE_LIVE, MODE_TRIAL, MODE_OFF };
enum predicate_role { PREDICATE_MATCH, PREDICATE_CLEAR, PREDICATE_STEP };

/* What the index finds: every condition that somebody waits for. Numbers are dense: hits of an event are such numbers. */
struct predicate {
	uint32_t number;
	enum predicate_role role;
	uint32_t rule;
	const struct cond *cond;
	uint32_t step;                    /* PREDICATE_STEP: index in the rule's steps; those of one rule are neighbours */
	bool sees_alerts;                 /* it tests alert.* or `type: alert` */
	bool mentions_state;
};

/* ---- `when` (language.md section 7) */

enum when_form { WHEN_EVENT, WHEN_COUNT, WHEN_VALUE, WHEN_FEWER, WHEN_STEPS };
enum when_of { OF_COUNT, OF_DISTINCT, OF_SUM, OF_AVG, OF_MIN, OF_MAX, OF_P50, OF_P90, OF_P95, OF_P99 };
enum when_window { WINDOW_SLIDING, WINDOW_ALIGNED, WINDOW_SESSION };
#define STEPS_MAX 16

struct rule_step {
	bool absent;
	uint32_t times;                   /* 1 and more; absent: 0 */
	struct slice name;                /* absent if it has none */
	uint32_t predicate;               /* PREDICATE_NONE while the rule is off */
	bool mentions_state;
	const struct slice *fields; size_t n_fields; /* those of ${steps.NAME.field} in the rule's templates */
};
struct rule_when {
	enum when_form form;
	enum when_of of;
	enum when_window window;
	struct field_ref field;           /* OF_DISTINCT and up */
	double at_least;                  /* WHEN_VALUE */
	uint32_t fewer_than;
	bool expects;                     /* `expect` is written, or `by` is empty: keys run from start-up */
	struct slice list;                /* of `expect`: its id */
	const struct slice *expected; size_t n_expected;
	const struct rule_step *steps; size_t n_steps;
	bool any_order;
	bool trailing_absent;
	uint32_t least;                   /* any_order: so many steps are enough */
};

struct suppression {              /* one item of suppressed_by */
	const uint32_t *rules; size_t n_rules;  /* any of these rules … */
	const struct cond *cond;                /* … or an alert that fits (fields of an alert event); NULL if by rule */
	const struct slice *same; size_t n_same; /* fields whose values must be equal; "service" = the resolved one */
};

enum incident_group { GROUP_TOPOLOGY, GROUP_ALERT, GROUP_FIELDS };
enum incident_resolve { RESOLVE_AUTO, RESOLVE_COMMENT, RESOLVE_NEVER };
#define WAIT_AUTO ((duration)-1)

struct rule_incident {
	bool none;                              /* incident: false */
	enum incident_group group;
	const struct slice *fields; size_t n_fields; /* GROUP_FIELDS */
	duration wait;                          /* WAIT_AUTO */
	const struct template *title, *description, *assign; /* NULL: default */
	int priority;                           /* 0 auto, 1..5 */
	struct slice ticket;                    /* connection name; absent: "default"; "none" */
	const struct slice *extra_keys; const struct template *const *extra; size_t n_extra;
	duration reopen_within;                 /* < 0: defaults.reopen_within */
	enum incident_resolve resolve;
	duration resolve_after;                 /* WAIT_AUTO */
};

struct rule {
	uint32_t number;                        /* index in its rule set */
	struct slice id;                        /* package/rule */
	struct slice package, name;
	const struct template *summary, *description; /* description may be NULL */
	struct slice owner, runbook;            /* absent if none */
	const struct slice *tags; size_t n_tags;
	enum nature nature;
	enum rule_mode mode;
	uint32_t match, clear_match;            /* predicates; PREDICATE_NONE */
	bool match_mentions_state;
	const struct field_ref *by; size_t n_by;
	struct rule_when when;
	uint32_t at_least;                      /* WHEN_COUNT; else 0 */
	duration within;                        /* of `when`; 0: none */
	duration open_after, close_after;
	int flap_changes;                       /* < 0: not written (defaults.flap); 0: `flap: false` */
	duration flap_within, flap_settle;      /* < 0: not written */
	duration quiet;                         /* < 0: not written (defaults.quiet, or ttl for stateless) */
	uint32_t clear_fewer_than; duration clear_within; /* 0: none */
	bool stateless;                         /* by the rule alone: no `when`, no `clear` (17.2) */
	bool sees_alerts;                       /* `match` tests alert.* or `type: alert`: only such rules are asked about alert events */
	const struct suppression *suppressed_by; size_t n_suppressed_by;
	bool can_suppress;                      /* some rule names this one or has a `match` item */
	const struct template *service, *peer;  /* NULL: ${service}, ${peer} */
	bool severity_fixed; enum severity severity;
	struct slice severity_field;            /* "${field}"; absent: the event's severity */
	enum effect effect;
	uint32_t only_during; bool only_outside; /* number of the calendar (CALENDAR_NONE: always); {not: calendar} */
	struct rule_incident incident;
	uint64_t hash;                          /* of match, by, when: carried-over window state (correlation.md section 4) */
	const char *file; struct mark mark;
};

struct decoder_set {                        /* one item of `set` */
	struct field_ref field;
	const struct template *value;           /* either a template … */
	struct slice from;                      /* … or a map of another field's value */
	const struct slice *keys, *values; size_t n_map;
	struct slice fallback;                  /* `default`; absent: none */
};
struct decoder_extract {
	struct field_ref field;
	struct pattern *const *patterns; size_t n;
	const struct field_ref *const *captures; /* per pattern: a field per capture */
};
struct decoder_lookup {                     /* one item of `lookup` */
	uint32_t table;
	const struct template *key;
	const struct field_ref *fields; const struct slice *columns; size_t n;
};
struct table;
struct rule_table {
	struct slice id;                        /* package/id */
	struct slice key;                       /* column */
	struct slice redis;                     /* key prefix; absent: a file */
	struct table *rows;                     /* of the file; NULL: Redis, whose rows the matcher is given (matcher_table) */
};
struct rule_decoder {                       /* struct decoder belongs to plugins */
	uint32_t number;
	struct slice id;                        /* package/id */
	const struct cond *match;
	const struct decoder_extract *extract; size_t n_extract;
	const struct decoder_lookup *lookup; size_t n_lookup;
	const struct decoder_set *set; size_t n_set;
	bool drop;
	bool feeds;                             /* sets a field that a later decoder tests: ask the decoder index again after it */
	const char *file; struct mark mark;
};

/* Mutes alerts for a time; with include_dependents: maintenance of the services that it names (language.md section 10). */
struct rule_silence {
	struct slice id;                        /* package/id */
	const struct cond *match;
	struct slice reason, owner;             /* owner: absent if none */
	instant from, until;                    /* [from, until); INSTANT_NONE: not written */
	struct slice during;                    /* package/calendar; absent: until */
	bool include_dependents;
	const char *file; struct mark mark;
};

/* ---- tests: as written, for the runner (ctl/rules_test.c). Nodes borrow from the documents of the source. */
struct rule_test {
	struct slice name;
	const char *file; struct mark mark;
	const struct doc *doc;
	const struct node *node;                /* the whole item: checked by the loader against section 13 */
	const uint32_t *rules; size_t n_rules;  /* the rules that take part: named ones and what they chain to */
	struct slice package;
};

/* ---- loading */

struct rules_file {
	const char *name;
	struct slice text;
	bool pack;                              /* from /usr/share: before the site's own */
};
struct rules_source {
	const struct rules_file *files; size_t n;
	const struct config *config;            /* packs, defaults, ticket names; NULL: config.md's defaults, every ticket name exists */
	/* A list file named by a rule file (relative to it). NULL text: not readable (E092). */
	struct slice (*read)(void *arg, const char *rule_file, const char *path);
	/* The bytes of a time-zone file by its IANA name, or "system"; absent: there is none. NULL: only UTC is known. */
	struct slice (*zone)(void *arg, const char *name);
	void *arg;
	bool keep_tests;                        /* parse `tests:` too; else they are only checked for form */
	bool any_field;                         /* fields that nobody declares are text: silences made at run time */
	instant now;                            /* for what is said of times far away (E071); 0: nobody knows */
	bool partial;                           /* a part of the installation (rules test FILE): `packs` of absent packages are no error */
};

struct rule_set;
/* All findings of all files in one run. NULL if there was an error. */
struct rule_set *rule_set_load(const struct rules_source *src, struct findings *f) MUST_CHECK;
void rule_set_free(struct rule_set *rs);

const struct rule *rule_set_rules(const struct rule_set *rs, size_t *n);
const struct rule *rule_set_find(const struct rule_set *rs, struct slice id); /* package/rule */
const struct rule_decoder *rule_set_decoders(const struct rule_set *rs, size_t *n);
const struct predicate *rule_set_predicates(const struct rule_set *rs, size_t *n);
const struct atom *const *rule_set_atoms(const struct rule_set *rs, size_t *n);
const struct value_list *rule_set_lists(const struct rule_set *rs, size_t *n);
const struct slice *rule_set_field_names(const struct rule_set *rs, size_t *n); /* by slot */
const struct slice *rule_set_service_paths(const struct rule_set *rs, size_t *n); /* used "service.x" fields, without "service." */
const struct calendar *rule_set_calendars(const struct rule_set *rs, size_t *n); /* by id */
const struct zone *rule_set_zone(const struct rule_set *rs);           /* the installation's */
const struct rule_table *rule_set_tables(const struct rule_set *rs, size_t *n); /* by id */
const struct rule_silence *rule_set_silences(const struct rule_set *rs, size_t *n); /* in the order of the files */
const struct rule_test *rule_set_tests(const struct rule_set *rs, size_t *n);
size_t rule_set_files(const struct rule_set *rs);
/* Two indexes, both built by the loader's last step, because decoders change the event before rules see it: */
struct index;
const struct index *rule_set_index(const struct rule_set *rs);         /* item number = predicate number, 0..P-1 */
const struct index *rule_set_decoder_index(const struct rule_set *rs); /* item number = decoder number, 0..D-1 */
uint32_t rule_set_generation(const struct rule_set *rs);
void rule_set_set_generation(struct rule_set *rs, uint32_t generation);

/* "3 files, 11 rules, 9 tests: 6 errors, 2 warnings"; counted while loading, also when rule_set_load failed. */
struct rules_counts {
	size_t files, rules, tests;
};
/* As rule_set_load; fills *counts (may be NULL). */
struct rule_set *rule_set_load_counted(const struct rules_source *src, struct findings *f, struct rules_counts *counts) MUST_CHECK;
void rules_summary(const struct rules_counts *c, const struct findings *f, struct buf *out);

/* Names that templates of rules may use besides fields (section 8): "alert.count", "incident.root", "rule.id" … */
bool rules_template_name(struct slice path);
const char *when_of_word(enum when_of of); /* "distinct" …; "count" */

#endif
