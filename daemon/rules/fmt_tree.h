/* Inside of the formatter only: a rule file as blocks, entries and the comments between them. */
#ifndef CARILLON_RULES_FMT_TREE_H
#define CARILLON_RULES_FMT_TREE_H

#include "base/arena.h"
#include "base/yaml_scan.h"

struct fmt_line {               /* a comment on a line of its own, or an empty line */
	struct slice text;      /* absent: an empty line */
	uint32_t col;
	struct fmt_line *next;
};
struct fmt_lines {
	struct fmt_line *first, **end;
};

enum fmt_kind { FMT_NONE, FMT_LEAF, FMT_MAP, FMT_LIST };

struct fmt_node {
	enum fmt_kind kind;
	uint32_t col;           /* where the block it stands in, or is, begins */
	struct slice text;      /* leaf: a scalar or a flow collection as written */
	bool block;             /* leaf: | or > */
	size_t blanks;          /* leaf: between it and its colon, if on one line: people align columns */
	struct fmt_entry *first;
	size_t n;
	struct fmt_lines foot;  /* comments behind the last entry that belong to this block */
};
struct fmt_entry {
	struct fmt_lines lead;
	struct slice key;       /* as written; absent in lists */
	struct slice tail;      /* blanks and comment behind it on the same line */
	struct fmt_node *value;
	struct fmt_entry *next;
	size_t rank;            /* for the order of keys */
};

/* The blocks of a text whose tokens these are; *rest are the comments at the end of the file. NULL: a form that the formatter
 * does not know ("? key", "...", a tag). Everything lives in `a` or borrows from `text`. */
struct fmt_node *fmt_tree(struct slice text, const struct yaml_token *v, size_t n, struct arena *a, struct fmt_lines *rest);

#endif
