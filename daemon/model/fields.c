/* The fields of one event while it is decoded: core fields in an array by number, everything else in a short
 * list. Borrows all bytes; what it must make itself goes into the caller's arena. Knows nothing of the flat
 * form. */
#include "model/evt.h"

#include <stdlib.h>

enum { LIMIT_DEFAULT = 256, CORE_NAME_MAX = sizeof "dedup_key" - 1 };

struct core_field {
	const char *name;
	uint8_t n;
	uint8_t type; /* enum value_type */
	bool read_only;
};

#define CORE(word, kind, fixed)                                                                              \
	{                                                                                                    \
		.name = (word), .n = sizeof(word) - 1, .type = (kind), .read_only = (fixed)                  \
	}
static const struct core_field core_fields[FIELD_CORE_MAX] = {
    [FIELD_NONE] = CORE("", VALUE_TEXT, true),
    [FIELD_TIME] = CORE("time", VALUE_TIME, true),
    [FIELD_RECEIVED] = CORE("received", VALUE_TIME, true),
    [FIELD_SOURCE] = CORE("source", VALUE_TEXT, true),
    [FIELD_TYPE] = CORE("type", VALUE_TEXT, true),
    [FIELD_SENDER] = CORE("sender", VALUE_IP, true),
    [FIELD_TAGS] = CORE("tags", VALUE_TEXT, false),
    [FIELD_DEDUP_KEY] = CORE("dedup_key", VALUE_TEXT, false),
    [FIELD_CODE] = CORE("code", VALUE_TEXT, false),
    [FIELD_HOST] = CORE("host", VALUE_TEXT, false),
    [FIELD_APP] = CORE("app", VALUE_TEXT, false),
    [FIELD_SUMMARY] = CORE("summary", VALUE_TEXT, false),
    [FIELD_MESSAGE] = CORE("message", VALUE_TEXT, false),
    [FIELD_SEVERITY] = CORE("severity", VALUE_TEXT, false),
    [FIELD_STATE] = CORE("state", VALUE_TEXT, false),
    [FIELD_CHECK] = CORE("check", VALUE_TEXT, false),
    [FIELD_SERVICE] = CORE("service", VALUE_TEXT, false),
    [FIELD_PORT] = CORE("port", VALUE_TEXT, false),
    [FIELD_PEER] = CORE("peer", VALUE_TEXT, false),
    [FIELD_CALENDAR] = CORE("calendar", VALUE_TEXT, false),
    [FIELD_EDGE] = CORE("edge", VALUE_TEXT, false),
};
#undef CORE

void fields_init(struct fields *f, struct arena *a)
{
	*f = (struct fields){.arena = a, .limit = LIMIT_DEFAULT};
}

void fields_reset(struct fields *f)
{
	memset(f->core, 0, sizeof f->core);
	f->n_named = 0;
}

void fields_free(struct fields *f)
{
	free(f->named);
	*f = (struct fields){.arena = f->arena, .limit = f->limit};
}

enum field_id field_core(struct slice name)
{
	/* most names that are asked for are longer: syslog.facility, body.x */
	if (name.n > CORE_NAME_MAX)
		return FIELD_NONE;
	for (unsigned i = 1; i < FIELD_CORE_MAX; i++) {
		if (core_fields[i].n == name.n && memcmp(core_fields[i].name, name.p, name.n) == 0)
			return (enum field_id)i;
	}
	return FIELD_NONE;
}

const char *field_name(enum field_id id)
{
	BUG_ON((unsigned)id >= FIELD_CORE_MAX);
	return core_fields[id].name;
}

bool field_read_only(enum field_id id)
{
	BUG_ON((unsigned)id >= FIELD_CORE_MAX);
	return core_fields[id].read_only;
}

enum value_type field_type(enum field_id id)
{
	BUG_ON((unsigned)id >= FIELD_CORE_MAX);
	return (enum value_type)core_fields[id].type;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool head_valid(struct slice s)
{
	if (s.n == 0 || !is_lower(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (!is_lower(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '_')
			return false;
	}
	return true;
}

static bool sub_valid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!is_lower(c) && !is_digit(c) && !(c >= 'A' && c <= 'Z') && c != '_' && c != '-')
			return false;
	}
	return s.n > 0;
}

bool field_valid(struct slice name)
{
	if (name.p == NULL || name.n == 0 || name.p[name.n - 1] == '.')
		return false;
	struct slice part;
	if (!slice_split(&name, '.', &part) || !head_valid(part))
		return false;
	while (slice_split(&name, '.', &part)) {
		if (!sub_valid(part))
			return false;
	}
	return true;
}

bool field_open(struct slice name)
{
	static const char *const prefixes[] = {"syslog.", "snmp.", "body.", "x."};
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct slice prefix = slice_str(prefixes[i]);
		if (name.n > prefix.n && memcmp(name.p, prefix.p, prefix.n) == 0)
			return true;
	}
	return false;
}

bool fields_set(struct fields *f, enum field_id id, struct slice v)
{
	return fields_set_type(f, id, v, field_type(id));
}

static struct named_field *named_find(const struct fields *f, struct slice name)
{
	for (size_t i = 0; i < f->n_named; i++) {
		const struct slice have = f->named[i].name;
		if (have.n == name.n && memcmp(have.p, name.p, name.n) == 0)
			return &f->named[i];
	}
	return NULL;
}

static void named_remove(struct fields *f, struct named_field *at)
{
	size_t i = (size_t)(at - f->named);
	BUG_ON(i >= f->n_named);
	memmove(at, at + 1, (f->n_named - i - 1) * sizeof *at);
	f->n_named--;
}

static struct named_field *named_add(struct fields *f)
{
	if (f->n_named == f->cap_named)
		f->named = array_reserve(f->named, &f->cap_named, f->n_named + 1, sizeof *f->named);
	return &f->named[f->n_named++];
}

bool fields_add_named(struct fields *f, struct slice name, struct slice v, enum value_type type)
{
	struct value value = value_of(v, type);
	if (value.p == NULL)
		return true;
	if (f->n_named >= f->limit)
		return false;
	*named_add(f) = (struct named_field){name, value};
	return true;
}

bool fields_set_named(struct fields *f, struct slice name, struct slice v, enum value_type type)
{
	enum field_id id = field_core(name);
	if (id != FIELD_NONE)
		return fields_set_type(f, id, v, type);
	if (name.p == NULL || name.n == 0)
		return true; /* a thing without a name cannot be asked for */
	struct named_field *have = named_find(f, name);
	struct value value = value_of(v, type);
	if (value.p == NULL) {
		if (have != NULL)
			named_remove(f, have);
		return true;
	}
	if (have == NULL) {
		if (f->n_named >= f->limit)
			return false;
		have = named_add(f);
		have->name = name;
	}
	have->v = value;
	return true;
}

bool fields_set_lower(struct fields *f, enum field_id id, struct slice v)
{
	size_t i = 0;
	while (i < v.n && !(v.p[i] >= 'A' && v.p[i] <= 'Z'))
		i++;
	if (i == v.n)
		return fields_set(f, id, v);
	BUG_ON(f->arena == NULL);
	char *low = arena_str(f->arena, v);
	for (; i < v.n; i++) {
		if (low[i] >= 'A' && low[i] <= 'Z')
			low[i] = (char)(low[i] - 'A' + 'a');
	}
	return fields_set(f, id, slice_of(low, v.n));
}

static bool has_word(struct slice text, struct slice word)
{
	struct slice part;
	while (slice_split(&text, ' ', &part)) {
		if (slice_eq(part, word))
			return true;
	}
	return false;
}

void fields_add_tag(struct fields *f, const char *tag)
{
	struct slice have = value_slice(f->core[FIELD_TAGS]);
	if (have.n == 0) {
		fields_set(f, FIELD_TAGS, slice_str(tag));
		return;
	}
	if (has_word(have, slice_str(tag)))
		return;
	BUG_ON(f->arena == NULL);
	fields_set(f, FIELD_TAGS, slice_str(arena_printf(f->arena, SLICE_FMT " %s", SLICE_ARG(have), tag)));
}

struct value fields_get(const struct fields *f, enum field_id id)
{
	BUG_ON((unsigned)id >= FIELD_CORE_MAX);
	return f->core[id];
}

struct value fields_get_name(const struct fields *f, struct slice name)
{
	enum field_id id = field_core(name);
	if (id != FIELD_NONE)
		return f->core[id];
	const struct named_field *have = named_find(f, name);
	return have != NULL ? have->v : (struct value){0};
}

static size_t digits(struct slice s, size_t i)
{
	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i;
}

/* RFC 8259 section 6. What merely counts as a number elsewhere ("007", "+1") is written as text. */
static bool json_number(struct slice s)
{
	size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;
	size_t end = digits(s, i);
	if (end == i || (s.p[i] == '0' && end > i + 1))
		return false;
	if (end < s.n && s.p[end] == '.') {
		i = end + 1;
		end = digits(s, i);
		if (end == i)
			return false;
	}
	if (end < s.n && (s.p[end] == 'e' || s.p[end] == 'E')) {
		i = end + 1;
		if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
			i++;
		end = digits(s, i);
		if (end == i)
			return false;
	}
	return end == s.n;
}

static void value_json(struct value v, struct jw *w)
{
	struct slice s = value_slice(v);
	if (v.type == VALUE_NUMBER && json_number(s))
		jw_raw(w, s);
	else if (v.type == VALUE_BOOL && (slice_is(s, "true") || slice_is(s, "false")))
		jw_bool(w, slice_is(s, "true"));
	else
		jw_slice(w, s);
}

void fields_json(const struct fields *f, struct jw *w)
{
	for (unsigned i = 1; i < FIELD_CORE_MAX; i++) {
		if (f->core[i].n == 0)
			continue;
		jw_key(w, core_fields[i].name);
		value_json(f->core[i], w);
	}
	for (size_t i = 0; i < f->n_named; i++) {
		jw_keyn(w, f->named[i].name);
		value_json(f->named[i].v, w);
	}
}
