/* The tokens of a YAML text with their octet offsets, for a formatter that must keep what no tree holds. */
#ifndef CARILLON_BASE_YAML_SCAN_H
#define CARILLON_BASE_YAML_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/slice.h"

enum yaml_kind {
	YAML_MAP,       /* a block map begins at its first key */
	YAML_LIST,      /* a block list begins at its first dash */
	YAML_END,       /* the innermost of these ends */
	YAML_ITEM,      /* "-" */
	YAML_KEY,       /* a key follows; of no length unless written with "?" */
	YAML_VALUE,     /* ":" */
	YAML_SCALAR,
	YAML_FLOW_OPEN, /* "{" or "[" */
	YAML_FLOW_CLOSE,
	YAML_COMMA,
	YAML_DOCUMENT,  /* "---" */
	YAML_OTHER      /* anchors, tags, directives, "..." */
};

struct yaml_token {
	enum yaml_kind kind;
	size_t at, end;     /* octets */
	uint32_t col;       /* characters before it in its line */
	bool single_quoted, block; /* scalars: '…', and | or > */
};

/* Scans the whole text; the caller frees *out. False if it is not YAML or larger than what doc_parse takes. */
bool yaml_scan(struct slice text, struct yaml_token **out, size_t *n) MUST_CHECK;

#endif
