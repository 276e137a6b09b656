/* Inside of the loader only (load*.c, schema.c, names.c, check*.c): what is known while rule files become a rule set.
 * Everything that outlives the load is copied into the rule set's arena; documents live until the load ends, or as long
 * as the rule set when tests are kept. */
#ifndef CARILLON_RULES_LOAD_H
#define CARILLON_RULES_LOAD_H

#include "base/hmap.h"
#include "rules/index.h"
#include "rules/rule_set.h"

struct rule_set {
	struct arena *arena;
	struct rule *rules;            size_t n_rules;
	struct rule_decoder *decoders; size_t n_decoders;
	struct predicate *predicates;  size_t n_predicates, cap_predicates;
	const struct atom **atoms;     size_t n_atoms, cap_atoms;
	struct value_list *lists;      size_t n_lists, cap_lists;
	struct slice *field_names;     size_t n_field_names, cap_field_names;
	struct slice *service_paths;   size_t n_service_paths, cap_service_paths;
	struct calendar *calendars;    size_t n_calendars;
	const struct zone *zone;
	struct rule_table *tables;     size_t n_tables;
	struct rule_silence *silences; size_t n_silences;
	struct rule_test *tests;       size_t n_tests, cap_tests;
	struct regex **regexes;        size_t n_regexes, cap_regexes;
	struct pattern **patterns;     size_t n_patterns, cap_patterns;
	struct doc **docs;             size_t n_docs;
	struct hmap *by_id;            /* rule id → struct rule */
	struct index *index, *decoder_index;
	size_t n_files;
	uint32_t generation;
};

/* ---- what the files hold */

struct load_file {
	const char *name;              /* lives in the rule set */
	struct slice text;
	struct doc *doc;               /* NULL: could not be read */
	struct slice package, owner;
	bool pack, test_only;
};

enum symbol_kind { SYMBOL_PARAM, SYMBOL_LIST, SYMBOL_MACRO, SYMBOL_DECODER, SYMBOL_RULE, SYMBOL_TABLE, SYMBOL_CALENDAR, SYMBOL_SILENCE };
#define SYMBOL_KINDS 8
enum macro_state { MACRO_NEW, MACRO_OPEN, MACRO_DONE };

struct symbol {                        /* something that package/id names */
	enum symbol_kind kind;
	struct slice id, package, name;
	const struct load_file *file;
	const struct node *node;
	bool used, broken;
	struct slice value;            /* param */
	const struct pack_config *pack; size_t pack_list; /* list: values that the installation adds */
	uint32_t list[2];              /* list: numbers as written and lower-cased, UINT32_MAX: not made yet */
	enum macro_state state;        /* macro */
	size_t weight, level;          /* macro: its tests with those of macros in it, and how deep these are nested */
	const struct node *via;        /* macro being read: where it names the next one */
	const struct cond *cond;
	enum rule_mode mode; bool mode_set; /* rule: as the installation sets it */
	uint32_t number;               /* rule, decoder */
	struct decoder_extract *extract; size_t n_extract; /* decoder: read early, for the names */
	bool tested, silent_tested;    /* rule */
};

struct known_field {
	struct slice name;
	enum value_type type;
	bool declared;
	const struct load_file *file;
	struct mark mark;
	const char *how;               /* "set by decoder 'df', disk.yaml:8" */
};

struct load_step {                     /* a step of the rule that is being read: what templates may name */
	struct slice name;
	struct slice *fields;
	size_t n, cap;                 /* in ld->tmp; fields of ${steps.NAME.field}, each once */
};

struct loader {
	const struct rules_source *src;
	struct findings *f;
	struct rule_set *rs;
	struct arena *a;               /* the rule set's */
	struct arena *tmp;             /* until the load ends */
	struct load_file *files;       size_t n_files;
	struct symbol **symbols[SYMBOL_KINDS]; size_t n_symbols[SYMBOL_KINDS], cap_symbols[SYMBOL_KINDS];
	struct hmap *by_id[SYMBOL_KINDS];
	struct hmap *packages;
	struct hmap *zones;            /* name → struct zone */
	const struct zone *zone;       /* the installation's; NULL: not looked for yet */
	struct hmap *fields;           /* name → struct known_field */
	const char **field_list;       size_t n_field_list, cap_field_list;
	struct hmap *slots;            /* name → slot + 1 */
	struct hmap *service_paths;
	struct hmap *atoms;            /* canonical text → struct atom */
	struct symbol **macro_stack;   size_t n_macro_stack, cap_macro_stack;
	size_t weight, level;          /* of the condition that is being read: as in struct symbol */
	bool any_suppression_match;
	struct load_step *steps;       size_t n_steps; /* of the rule that is being read */
	struct graph *chains;          /* rule a → rule b: a sees alerts of b */
	size_t tests;
};

#define load_error(ld, file, code, mark, ...)                                                                \
	doc_finding((file)->doc, (ld)->f, FINDING_ERROR, code, mark, __VA_ARGS__)
#define load_warn(ld, file, code, mark, ...)                                                                 \
	doc_finding((file)->doc, (ld)->f, FINDING_WARNING, code, mark, __VA_ARGS__)

/* Does x stand behind y, in the order of files and lines? */
bool load_later(const struct symbol *x, const struct symbol *y);

/* ---- schema.c: which keys a thing has */

enum key_kind {
	KEY_TEXT,
	KEY_TEXT_OR_NULL,
	KEY_BOOL,
	KEY_TRUE,
	KEY_COUNT,            /* 1..100000 */
	KEY_INTEGER,          /* 0 or more */
	KEY_NUMBER,
	KEY_DURATION,         /* within: see min_ms, max_ms */
	KEY_DURATION_OR_AUTO,
	KEY_TIME,
	KEY_ENUM,
	KEY_LIST,
	KEY_TEXTS,            /* list of scalars */
	KEY_MAP,
	KEY_TEXT_OR_LIST,
	KEY_ENUM_OR_LIST,
	KEY_FALSE_OR_MAP,
	KEY_TEXT_OR_MAP,
	KEY_ANY
};
struct schema_key {
	const char *name;
	enum key_kind kind;
	bool required;
	const char *const *words; /* KEY_ENUM: NULL-terminated */
	const char *help;         /* one sentence for people */
	duration min, max;        /* KEY_DURATION; 0 0: any */
};
struct schema {
	const char *name;         /* "rule", "when": also the table of what this version lacks uses it */
	const struct schema_key *keys;
	size_t n;
	bool params;              /* values may be $name */
};
extern const struct schema schema_file, schema_test_file, schema_list_file, schema_decoder, schema_decoder_map, schema_rule,
    schema_when, schema_of, schema_list_ref, schema_step, schema_flap, schema_clear, schema_suppression, schema_incident,
    schema_test, schema_input, schema_snmp, schema_webhook, schema_calendar, schema_interval,
    schema_only_during, schema_table, schema_lookup, schema_silence, schema_ticket, schema_expect, schema_alert,
    schema_incident_expected;
extern const char *const words_severity[], *const words_state[];

/* Checks that n is a map with keys of the schema, each of its kind. `thing` names it ("rule 'x'"), missing keys are
 * reported at `at`. False if n is no map; single keys may still be wrong: their readers then give nothing. */
bool schema_check(struct loader *ld, const struct load_file *file, const struct node *n, const struct schema *s,
                  const char *thing, struct mark at);
const struct schema_key *schema_key(const struct schema *s, struct slice key);         /* NULL: no such key */
/* E007, E008: a whole number within the limits of its kind. */
void schema_count(struct loader *ld, const struct load_file *file, const struct schema_key *k, const struct node *n);
/* The word of "expected …" for what n is: text, number, true/false, a list, a map, nothing. */
const char *schema_what(const struct node *n);
/* Findings beyond the cap are only counted: looking for names would make a hostile file expensive. */
#define LOAD_ERRORS_KEPT 100
static inline bool load_hints(const struct loader *ld)
{
	return ld->f->errors < LOAD_ERRORS_KEPT;
}
/* ", did you mean" part of a message or "". Lives in ld->tmp. */
const char *load_hint(struct loader *ld, struct slice word, const char *const *names, size_t n);
/* E011 when v is none of the words. */
bool load_word(struct loader *ld, const struct load_file *file, struct mark at, struct slice v, const char *const *words);

/* ---- load_value.c: scalars */

/* The text of a scalar, with $name replaced. False (and a finding if `report`) when there is no such param or the node
 * is no scalar or empty. The text lives in the rule set. */
bool value_text(struct loader *ld, const struct load_file *file, const struct node *n, bool report, struct slice *out);
/* The same by key; quiet because schema_check has spoken. */
bool key_text(struct loader *ld, const struct load_file *file, const struct node *map, const char *key, struct slice *out);
bool key_duration(struct loader *ld, const struct load_file *file, const struct node *map, const char *key, duration *out);
bool key_count(struct loader *ld, const struct load_file *file, const struct node *map, const char *key, uint32_t *out);
/* E006 with a proposal. */
void value_duration_error(struct loader *ld, const struct load_file *file, const struct node *n, struct slice text);
/* The place of octets [at, at+len) of a scalar's text: exact if it stands on one line as it is, else the scalar's. */
struct mark value_mark(const struct load_file *file, const struct node *n, size_t at, size_t len);
bool value_is_id(struct slice s);
bool value_is_param(struct slice s); /* $name */
struct slice value_lower(struct loader *ld, struct slice s);
/* A scalar list or one scalar: its items. NULL with findings if one of them is bad or the list is empty. */
const struct node **value_items(struct loader *ld, const struct load_file *file, const struct node *n, size_t *count);

/* ---- load_symbol.c: packages, ids, params, lists, macros' names, packs */

void symbols_collect(struct loader *ld);  /* of all files */
void symbols_packs(struct loader *ld);    /* the installation's overrides */
/* `ref` is id or package/id. NULL with E025 at n. */
struct symbol *symbol_ref(struct loader *ld, const struct load_file *file, enum symbol_kind kind, const struct node *n);
struct symbol *symbol_find(struct loader *ld, const struct load_file *file, enum symbol_kind kind, struct slice ref);
const char *symbol_kind_word(enum symbol_kind kind);
uint32_t list_number(struct loader *ld, struct symbol *list, bool lower); /* makes the value list on first use */
void lists_check(struct loader *ld);      /* every list is readable, used or not */

/* ---- names.c: known fields */

void names_collect(struct loader *ld);    /* core fields, `fields:`, decoders (reads their patterns) */
/* A field in a condition, `by` … E020 at `at` if nobody sets it. */
bool names_field(struct loader *ld, const struct load_file *file, struct slice name, struct mark at, struct field_ref *out);
/* A decoder gives this field. */
void names_produced(struct loader *ld, const struct symbol *d, struct slice name, enum value_type type);
bool names_known(const struct loader *ld, struct slice name, enum value_type *type);
struct field_ref names_ref(struct loader *ld, struct slice name, enum value_type type); /* no check; gives a slot */
bool names_lower(const struct field_ref *f); /* host and service: compared in lower case */
bool names_writable(struct loader *ld, const struct load_file *file, struct slice name, struct mark at); /* E010 E081 */
/* A template with rule names (alert.*, incident.*, rule.*) if `rule`; NULL with E061, E062, E007. */
const struct template *names_template(struct loader *ld, const struct load_file *file, const struct node *n, bool rule);

/* ---- load_match.c, load_test_op.c: conditions */

/* Macros are put in place by reference, so a few lines could stand for millions of tests: what one condition may hold. */
#define COND_TESTS_MAX 2000
#define MACRO_LEVELS_MAX 32

/* NULL with findings. */
const struct cond *match_load(struct loader *ld, const struct load_file *file, const struct node *n);
const struct cond *match_field(struct loader *ld, const struct load_file *file, struct field_ref field, const struct node *n);
const struct cond *match_join(struct loader *ld, enum cond_kind kind, const struct cond **kids, size_t n, struct mark mark);
void macros_load(struct loader *ld); /* all, used or not */
bool match_mentions(const struct cond *c, bool (*is)(const struct atom *a));

/* ---- load_decoder.c, load_rule.c, load_incident.c, load_test.c */

void decoder_extract_load(struct loader *ld, struct symbol *d);  /* early, for the names */
void decoders_load(struct loader *ld);
void rules_load(struct loader *ld);
void rule_incident_load(struct loader *ld, const struct load_file *file, const struct node *n, const char *thing,
                        struct rule_incident *out);
bool rule_fields(struct loader *ld, const struct load_file *file, const struct node *n, struct field_ref **out, size_t *n_out);
/* ---- load_when.c: `when` and `flap` */
void when_names(struct loader *ld, const struct symbol *s);  /* names of steps, before any template is read */
/* E040 to E044. Gives the condition of every step in `out` (STEPS_MAX places; NULL where it is faulty); `match` of a rule
 * with steps must be true beside that of each step (may be NULL). */
void when_load(struct loader *ld, const struct symbol *s, struct rule *r, const struct cond *match,
               const struct cond **out);
void when_fields(struct loader *ld, struct rule *r);         /* after all templates */
void flap_load(struct loader *ld, const struct symbol *s, struct rule *r);

void rule_suppressions(struct loader *ld); /* after all rules: both sides' `by` are needed */
void tests_load(struct loader *ld);

/* ---- load_calendar.c, load_table.c, load_silence.c */

void calendars_load(struct loader *ld);    /* before rules and silences: they are named by number */
void rule_during_load(struct loader *ld, const struct symbol *s, struct rule *r);
void tables_load(struct loader *ld);       /* before decoders */
void decoder_lookups_load(struct loader *ld, const struct symbol *d, struct rule_decoder *out);

void rule_silences_load(struct loader *ld);

/* ---- check_cycle.c, check_lint.c, rule_hash.c */

struct graph {                             /* between rules, by number */
	size_t n;
	struct graph_node {
		uint32_t *to;
		size_t n, cap;
	} *v;
};
void check_chains(struct loader *ld);      /* E050; fills ld->chains */
void check_suppressions(struct loader *ld);/* E051 */
/* Adds all that the rules in `in` (one flag per rule) chain to. */
void check_closure(const struct loader *ld, bool *in);
void graph_free(struct graph *g);
void check_lints(struct loader *ld);
void check_index(struct loader *ld);       /* W103 */
void check_conditions(struct loader *ld);  /* lints that compare conditions: W101, W102, W110-W113 */
/* Adds the canonical text of a condition: the same for every order of keys and items. */
void cond_canon(struct loader *ld, const struct cond *c, struct buf *out);
void atom_canon(const struct value_list *lists, const struct atom *a, struct buf *out);
uint64_t rule_hash(struct loader *ld, const struct rule *r, const struct cond *match, const struct cond *const *steps);

#endif
