/* See yaml_scan.h. libyaml counts characters; here are octets. */
#include "base/yaml_scan.h"

#include <stdlib.h>
#include <yaml.h>

enum { TEXT_MAX = 1 << 20, TOKENS_MAX = 1000000 };

/* Octet offset of each character, and of the end. */
static uint32_t *offsets_new(struct slice text, size_t *n)
{
	uint32_t *v = xcalloc(text.n + 1, sizeof *v);
	*n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (((unsigned char)text.p[i] & 0xc0) != 0x80)
			v[(*n)++] = (uint32_t)i;
	v[*n] = (uint32_t)text.n;
	return v;
}

static enum yaml_kind kind_of(yaml_token_type_t type)
{
	switch (type) {
	case YAML_BLOCK_MAPPING_START_TOKEN: return YAML_MAP;
	case YAML_BLOCK_SEQUENCE_START_TOKEN: return YAML_LIST;
	case YAML_BLOCK_END_TOKEN: return YAML_END;
	case YAML_BLOCK_ENTRY_TOKEN: return YAML_ITEM;
	case YAML_KEY_TOKEN: return YAML_KEY;
	case YAML_VALUE_TOKEN: return YAML_VALUE;
	case YAML_SCALAR_TOKEN: return YAML_SCALAR;
	case YAML_FLOW_SEQUENCE_START_TOKEN:
	case YAML_FLOW_MAPPING_START_TOKEN: return YAML_FLOW_OPEN;
	case YAML_FLOW_SEQUENCE_END_TOKEN:
	case YAML_FLOW_MAPPING_END_TOKEN: return YAML_FLOW_CLOSE;
	case YAML_FLOW_ENTRY_TOKEN: return YAML_COMMA;
	case YAML_DOCUMENT_START_TOKEN: return YAML_DOCUMENT;
	case YAML_NO_TOKEN:
	case YAML_STREAM_START_TOKEN:
	case YAML_STREAM_END_TOKEN:
	case YAML_VERSION_DIRECTIVE_TOKEN:
	case YAML_TAG_DIRECTIVE_TOKEN:
	case YAML_DOCUMENT_END_TOKEN:
	case YAML_ALIAS_TOKEN:
	case YAML_ANCHOR_TOKEN:
	case YAML_TAG_TOKEN: return YAML_OTHER;
	}
	return YAML_OTHER;
}

struct scan {
	yaml_parser_t parser;
	const uint32_t *offsets;
	size_t n_offsets;
	struct yaml_token *v;
	size_t n, cap;
};

static void keep(struct scan *s, const yaml_token_t *t)
{
	struct yaml_token x = {.kind = kind_of(t->type), .col = (uint32_t)t->start_mark.column};
	x.at = s->offsets[MIN(t->start_mark.index, s->n_offsets)];
	x.end = s->offsets[MIN(t->end_mark.index, s->n_offsets)];
	if (t->type == YAML_SCALAR_TOKEN) {
		yaml_scalar_style_t style = t->data.scalar.style;
		x.single_quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE;
		x.block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
	}
	s->v = array_reserve(s->v, &s->cap, s->n + 1, sizeof *s->v);
	s->v[s->n++] = x;
}

static bool scan_all(struct scan *s)
{
	for (;;) {
		yaml_token_t t;
		if (yaml_parser_scan(&s->parser, &t) == 0)
			return false;
		yaml_token_type_t type = t.type;
		if (type != YAML_STREAM_START_TOKEN && type != YAML_STREAM_END_TOKEN)
			keep(s, &t);
		yaml_token_delete(&t);
		if (type == YAML_STREAM_END_TOKEN)
			return true;
		if (s->n > TOKENS_MAX)
			return false;
	}
}

bool yaml_scan(struct slice text, struct yaml_token **out, size_t *n)
{
	struct scan s = {0};
	*out = NULL;
	*n = 0;
	if (text.n > TEXT_MAX || yaml_parser_initialize(&s.parser) == 0)
		return false;
	uint32_t *offsets = offsets_new(text, &s.n_offsets);
	s.offsets = offsets;
	yaml_parser_set_encoding(&s.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s.parser, (const unsigned char *)(text.n > 0 ? text.p : ""), text.n);
	bool ok = scan_all(&s);
	yaml_parser_delete(&s.parser);
	free(offsets);
	if (!ok) {
		free(s.v);
		return false;
	}
	*out = s.v;
	*n = s.n;
	return true;
}
