/* See schema_json.h. */
#include "rules/schema_json.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "rules/schema_tree.h"

#define ID    "^[a-z][a-z0-9-]{0,62}$"
#define FIELD "^[a-z][a-z0-9_]*(\\.[A-Za-z0-9_-]+)*$"

/* Some tables have a name that stands for something else above. */
static const char *def_name(const struct schema *s)
{
	if (s == &schema_list_file)
		return "list file";
	if (s == &schema_decoder_map)
		return "set map";
	if (s == &schema_list_ref)
		return "expected list";
	return s == &schema_test ? "test item" : s->name;
}

static void ref(struct jw *w, const char *name)
{
	char text[48];
	snprintf(text, sizeof text, "#/$defs/%s", name);
	jw_kstr(w, "$ref", text);
}

static void type(struct jw *w, const char *name)
{
	jw_kstr(w, "type", name);
}

static void item_ref(struct jw *w, const char *name)
{
	jw_object(w);
	ref(w, name);
	jw_end(w);
}

static void item_type(struct jw *w, const char *name)
{
	jw_object(w);
	type(w, name);
	jw_end(w);
}

static void words(struct jw *w, const char *const *v)
{
	jw_key(w, "enum");
	jw_array(w);
	for (; *v != NULL; v++)
		jw_str(w, *v);
	jw_array_end(w);
}

static void array_of(struct jw *w, const char *name)
{
	type(w, "array");
	jw_key(w, "items");
	item_ref(w, name);
}

/* An object whose values, by any name, are of one kind. */
static void map_of(struct jw *w, const char *pattern, const char *name)
{
	type(w, "object");
	jw_key(w, "patternProperties");
	jw_object(w);
	jw_key(w, pattern);
	item_ref(w, name);
	jw_end(w);
	jw_kbool(w, "additionalProperties", false);
}

/* ---- values */

static const struct {
	const char *schema, *key, *pattern, *value;
} maps[] = {
    {"file", "fields", FIELD, "type"},      {"file", "params", "^[a-z][a-z0-9_]*$", "scalar"},
    {"file", "lists", ID, "list"},          {"file", "macros", ID, "match"},
    {"decoder", "extract", FIELD, "texts"}, {"decoder", "set", FIELD, "set"},
    {"incident", "fields", "^", "scalar"},  {"input", "event", "^", "scalar"},
    {"snmp", "vars", "^", "scalar"},        {"alert", "by", "^", "scalar"},
};

static bool is_condition(const struct schema_key *k)
{
	return strcmp(k->name, "match") == 0 || strcmp(k->name, "absent") == 0;
}

static void object(struct jw *w, const struct schema *s, const struct schema_key *k)
{
	const struct schema_child *c = schema_child(s, slice_str(k->name));
	if (is_condition(k)) {
		ref(w, "match");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (strcmp(maps[i].schema, s->name) == 0 && strcmp(maps[i].key, k->name) == 0) {
			map_of(w, maps[i].pattern, maps[i].value);
			return;
		}
	if (c == NULL)
		type(w, "object");
	else if (c->shape == SCHEMA_ONE)
		ref(w, def_name(c->schema));
	else
		map_of(w, ID, def_name(c->schema));
}

static void list(struct jw *w, const struct schema *s, const struct schema_key *k)
{
	const struct schema_child *c = schema_child(s, slice_str(k->name));
	type(w, "array");
	if (c == NULL)
		return;
	jw_key(w, "items");
	item_ref(w, def_name(c->schema));
}

static void begin_any(struct jw *w)
{
	jw_key(w, "anyOf");
	jw_array(w);
}

static void or_param(struct jw *w, bool params)
{
	if (params)
		item_ref(w, "param");
	jw_array_end(w);
}

static void number(struct jw *w, const char *name, double least, double most, bool params)
{
	begin_any(w);
	jw_object(w);
	type(w, name);
	if (most > least) {
		jw_key(w, "minimum");
		jw_num(w, least);
		jw_key(w, "maximum");
		jw_num(w, most);
	}
	jw_end(w);
	or_param(w, params);
}

static void enumerated(struct jw *w, const struct schema_key *k, bool params)
{
	begin_any(w);
	jw_object(w);
	words(w, k->words);
	jw_end(w);
	if (k->kind == KEY_ENUM_OR_LIST) {
		jw_object(w);
		array_of(w, "scalar");
		jw_end(w);
	}
	or_param(w, params);
}

/* A word, or an object or list. */
static void either(struct jw *w, const struct schema *s, const struct schema_key *k)
{
	begin_any(w);
	if (k->kind == KEY_TEXT_OR_LIST || k->kind == KEY_TEXT_OR_MAP) {
		item_ref(w, "scalar");
	} else if (k->kind == KEY_FALSE_OR_MAP) {
		jw_object(w);
		jw_kbool(w, "const", false);
		jw_end(w);
	} else if (k->kind == KEY_DURATION_OR_AUTO) {
		jw_object(w);
		jw_kstr(w, "const", "auto");
		jw_end(w);
		item_ref(w, "duration");
	} else {
		item_ref(w, "scalar");
		item_type(w, "null");
	}
	if (k->kind == KEY_TEXT_OR_LIST || k->kind == KEY_FALSE_OR_MAP || k->kind == KEY_TEXT_OR_MAP) {
		jw_object(w);
		if (k->kind == KEY_TEXT_OR_LIST)
			list(w, s, k);
		else
			object(w, s, k);
		jw_end(w);
	}
	jw_array_end(w);
}

static void value(struct jw *w, const struct schema *s, const struct schema_key *k)
{
	switch (k->kind) {
	case KEY_TEXT: ref(w, "scalar"); return;
	case KEY_BOOL: type(w, "boolean"); return;
	case KEY_TRUE: jw_kbool(w, "const", true); return;
	case KEY_COUNT: number(w, "integer", 1, 100000, s->params); return;
	case KEY_INTEGER: number(w, "integer", 0, INT32_MAX, s->params); return;
	case KEY_NUMBER: number(w, "number", 0, 0, s->params); return;
	case KEY_DURATION: ref(w, "duration"); return;
	case KEY_TIME: type(w, "string"); return;
	case KEY_ENUM:
	case KEY_ENUM_OR_LIST: enumerated(w, k, s->params); return;
	case KEY_LIST: list(w, s, k); return;
	case KEY_TEXTS: array_of(w, "scalar"); return;
	case KEY_MAP: object(w, s, k); return;
	case KEY_TEXT_OR_NULL:
	case KEY_DURATION_OR_AUTO:
	case KEY_TEXT_OR_LIST:
	case KEY_FALSE_OR_MAP:
	case KEY_TEXT_OR_MAP: either(w, s, k); return;
	case KEY_ANY: return;
	}
}

static void properties(struct jw *w, const struct schema *s)
{
	bool required = false;
	type(w, "object");
	jw_key(w, "properties");
	jw_object(w);
	for (size_t i = 0; i < s->n; i++) {
		const struct schema_key *k = &s->keys[i];
		jw_key(w, k->name);
		jw_object(w);
		jw_kstr(w, "description", k->help);
		value(w, s, k);
		jw_end(w);
		required = required || k->required;
	}
	jw_end(w);
	if (required) {
		jw_key(w, "required");
		jw_array(w);
		for (size_t i = 0; i < s->n; i++)
			if (s->keys[i].required)
				jw_str(w, s->keys[i].name);
		jw_array_end(w);
	}
	jw_kbool(w, "additionalProperties", false);
}

/* ---- definitions that no table has: conditions and scalars (language.md sections 2, 4) */

static const char definitions[] =
    "\"scalar\":{\"type\":[\"string\",\"number\",\"boolean\"]},"
    "\"param\":{\"type\":\"string\",\"pattern\":\""
    "^\\\\$[a-z][a-z0-9_]*$"
    "\"},"
    "\"type\":{\"enum\":[\"text\",\"number\",\"ip\",\"bool\",\"time\"]},"
    "\"duration\":{\"anyOf\":[{\"type\":\"string\",\"pattern\":"
    "\"^(\\\\$[a-z][a-z0-9_]*|([0-9]+(ms|s|m|h|d|w))+)$\"},{\"const\":0}]},"
    "\"texts\":{\"anyOf\":[{\"$ref\":\"#/$defs/scalar\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"
    "scalar\"},"
    "\"minItems\":1}]},"
    "\"list\":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/scalar\"}},{\"$ref\":\"#/$defs/"
    "list file\"}]},"
    "\"set\":{\"anyOf\":[{\"$ref\":\"#/$defs/scalar\"},{\"$ref\":\"#/$defs/set map\"}]},"
    "\"number\":{\"anyOf\":[{\"type\":\"number\"},{\"$ref\":\"#/$defs/param\"}]},"
    "\"conditions\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/match\"},\"minItems\":1},"
    "\"match\":{\"type\":\"object\",\"minProperties\":1,\"properties\":{"
    "\"any\":{\"description\":\"one of these conditions holds\",\"$ref\":\"#/$defs/conditions\"},"
    "\"all\":{\"description\":\"all of these conditions hold\",\"$ref\":\"#/$defs/conditions\"},"
    "\"not\":{\"description\":\"the condition does not hold\",\"$ref\":\"#/$defs/match\"},"
    "\"macro\":{\"description\":\"one of these named conditions holds\",\"$ref\":\"#/$defs/texts\"}},"
    "\"patternProperties\":{\"^(?!(any|all|not|macro)$)[a-z][a-z0-9_]*(\\\\.[A-Za-z0-9_-]+)*$\":"
    "{\"$ref\":\"#/$defs/test\"}},\"additionalProperties\":false},"
    "\"test\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
    "texts\"},{\"type\":\"object\",\"minProperties\":1,\"properties\":{"
    "\"contains\":{\"description\":\"the value has this text in it\",\"$ref\":\"#/$defs/texts\"},"
    "\"starts\":{\"description\":\"the value begins with this text\",\"$ref\":\"#/$defs/texts\"},"
    "\"ends\":{\"description\":\"the value ends with this text\",\"$ref\":\"#/$defs/texts\"},"
    "\"like\":{\"description\":\"the whole value fits: * is any run, ? one "
    "character\",\"$ref\":\"#/$defs/texts\"},"
    "\"regex\":{\"description\":\"found anywhere; no look-around, no "
    "back-references\",\"$ref\":\"#/$defs/texts\"},"
    "\"cidr\":{\"description\":\"an address in one of these networks\",\"$ref\":\"#/$defs/texts\"},"
    "\"gt\":{\"description\":\"greater than\",\"$ref\":\"#/$defs/number\"},"
    "\"ge\":{\"description\":\"greater or equal\",\"$ref\":\"#/$defs/number\"},"
    "\"lt\":{\"description\":\"less than\",\"$ref\":\"#/$defs/number\"},"
    "\"le\":{\"description\":\"less or equal\",\"$ref\":\"#/$defs/number\"},"
    "\"list\":{\"description\":\"the value is in one of these named lists\",\"$ref\":\"#/$defs/texts\"},"
    "\"exists\":{\"description\":\"the field is there and not empty\",\"type\":\"boolean\"},"
    "\"not\":{\"description\":\"the test does not hold\",\"$ref\":\"#/$defs/test of field\"}},"
    "\"additionalProperties\":false}]},"
    "\"test of field\":{\"$ref\":\"#/$defs/test\"}";

static void define(struct jw *w, const struct schema *s)
{
	jw_key(w, def_name(s));
	jw_object(w);
	properties(w, s);
	jw_end(w);
}

void schema_rules_json(struct buf *out)
{
	struct jw w = jw_new(out);
	size_t n;
	const struct schema_child *c = schema_children(&n);
	jw_object(&w);
	jw_kstr(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	jw_kstr(&w, "title", "carillon rule file, language version 1");
	properties(&w, &schema_file);
	jw_key(&w, "$defs");
	jw_object(&w);
	define(&w, &schema_list_file);
	define(&w, &schema_decoder_map);
	for (size_t i = 0; i < n; i++) {
		bool again = false;
		for (size_t k = 0; k < i; k++)
			again = again || c[k].schema == c[i].schema;
		if (!again)
			define(&w, c[i].schema);
	}
	buf_char(out, ',');
	buf_str(out, definitions);
	jw_end(&w);
	jw_end(&w);
	buf_char(out, '\n');
}

/* ---- the manual */

/* Backslashes do not occur; a '-' is written so that it can be copied, and a line must not begin with a point. */
static void mdoc_text(struct buf *out, const char *s)
{
	BUG_ON(strchr(s, '\\') != NULL || s[0] == '.' || s[0] == '\'');
	for (; *s != '\0'; s++) {
		if (*s == '-')
			buf_char(out, '\\');
		buf_char(out, *s);
	}
}

static void mdoc_keys(struct buf *out, const struct schema *s)
{
	buf_printf(out, ".Ss Keys: %s\n.Bl -tag -width include_dependents\n", s->name);
	for (size_t i = 0; i < s->n; i++) {
		const struct schema_key *k = &s->keys[i];
		buf_printf(out, ".It Cm %s\n", k->name);
		if (k->required)
			buf_str(out, "required: ");
		mdoc_text(out, k->help);
		for (size_t w = 0; k->words != NULL && k->words[w] != NULL; w++) {
			buf_str(out, w == 0 ? "; one of " : ", ");
			mdoc_text(out, k->words[w]);
		}
		buf_char(out, '\n');
	}
	buf_str(out, ".El\n");
}

void schema_rules_mdoc(struct buf *out)
{
	size_t n;
	const struct schema_child *c = schema_children(&n);
	mdoc_keys(out, &schema_file);
	mdoc_keys(out, &schema_decoder_map);
	for (size_t i = 0; i < n; i++) {
		bool again = false;
		for (size_t k = 0; k < i; k++)
			again = again || c[k].schema == c[i].schema;
		if (!again)
			mdoc_keys(out, c[i].schema);
	}
}
