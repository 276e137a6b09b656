/* A YAML document as a tree in which every node knows its place. libyaml's event API; language.md section 2.
 * Refused with a finding: duplicate keys (E002), anchors, aliases, tags, merge keys (E003), several documents (E001),
 * depth over the limit and size over the limit (E009). Scalars stay text: the schema gives them their type. */
#ifndef CARILLON_BASE_DOC_H
#define CARILLON_BASE_DOC_H

#include "base/arena.h"
#include "base/error.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool quoted;         /* scalar in quotes or a block scalar */
	struct mark mark;    /* of the scalar, or of the first character of the list or map */
	struct slice text;   /* scalar; NUL-terminated */
	struct slice key;    /* inside a map: the key of this value */
	struct mark key_mark;
	struct node *first;  /* elements or values in file order */
	struct node *next;
	size_t n;
};

struct doc {
	char *file;
	struct slice text;   /* a copy of the file */
	struct arena *arena;
	struct node *root;   /* NULL for an empty document */
};

struct doc_limits {
	size_t max_bytes, max_depth, max_nodes;
};
#define DOC_LIMITS ((struct doc_limits){1 << 20, 32, 100000})

/* NULL if the text could not be read at all; findings say why. A document with E002/E003 findings is still returned
 * where a tree could be made, so that one run reports all: of equal keys the first one is in the tree, an alias is an
 * empty text. A BOM in front is skipped; a NUL character in a text is E001, a key that is no text E007 (both: NULL). */
struct doc *doc_parse(const char *file, struct slice text, struct doc_limits lim, struct findings *f) MUST_CHECK;
void doc_free(struct doc *d);

const struct node *node_get(const struct node *map, const char *key); /* NULL-safe */
const struct node *node_getn(const struct node *map, struct slice key);
bool node_null(const struct node *n); /* plain `null`, `~` or nothing */
const char *node_kind_name(const struct node *n); /* "text", "a list", "a map" */
/* A finding at a node (at its key if `at_key`). */
void doc_finding(const struct doc *d, struct findings *f, enum finding_level level, const char *code, struct mark mark,
                 const char *fmt, ...) PRINTF(6, 7);

#endif
