/* Conditions after parsing: typed atoms and trees over them. Macros, params and lists are already put in place.
 * Built by the loader into the rule set's arena; evaluated by the matcher through the index (language.md sections 4, 15). */
#ifndef CARILLON_RULES_COND_H
#define CARILLON_RULES_COND_H

#include "base/error.h"
#include "model/evt.h"
#include "rules/regex.h"

/* A field as conditions and templates name it. Named fields get a dense slot in their rule set, so that an event's named
 * fields are looked up once by name and then by number. */
struct field_ref {
	enum field_id core;   /* FIELD_NONE: named */
	uint32_t slot;        /* of a named field: index into rule_set_field_names */
	struct slice name;
	enum value_type type; /* as known at load */
};

enum test_op { OP_EQ, OP_CONTAINS, OP_STARTS, OP_ENDS, OP_LIKE, OP_REGEX, OP_CIDR, OP_GT, OP_GE, OP_LT, OP_LE, OP_LIST, OP_EXISTS };

struct cidr {
	uint8_t addr[16];     /* IPv4 as ::ffff:a.b.c.d */
	uint8_t bits;         /* of 128 */
};

/* One test of one field: true when any of its constants fits (lists are OR). A missing field makes it false, except
 * OP_EXISTS with want == false. */
struct atom {
	uint32_t number;      /* dense; equal atoms of all rules share one */
	struct field_ref field;
	enum test_op op;
	const struct slice *texts; size_t n_texts;       /* EQ CONTAINS STARTS ENDS LIKE; REGEX: the pattern texts */
	bool numeric;         /* EQ on a numeric field: compare by value */
	struct regex *const *regexes;                    /* REGEX: n_texts of them */
	const struct cidr *nets; size_t n_nets;
	double bound;                                    /* GT GE LT LE; EQ numeric with one constant uses texts */
	const uint32_t *lists; size_t n_lists;           /* LIST: indexes of rule_set lists */
	bool want;                                       /* EXISTS */
	struct mark mark;
	const char *file;
};

enum cond_kind { COND_ATOM, COND_ALL, COND_ANY, COND_NOT };
struct cond {
	enum cond_kind kind;
	const struct atom *atom;            /* COND_ATOM */
	const struct cond *const *kids;     /* COND_NOT has one */
	size_t n;
	struct mark mark;
	const char *text;                   /* as shown by explain: "login = failed"; for atoms */
};

struct value_list {                         /* a named list: `lists:` */
	struct slice name;                  /* package/id */
	const struct slice *values; size_t n;
	struct hmap *set;                   /* value → itself */
};

#endif
