/* Promises language.md section 5: decoders in order, each key of a decoder reading the event as it was before
 * that key (17.12). The index names the decoders that may match; when one of them sets a field, those behind
 * it that depend on this field are asked too. Must not know rules. */
#include "rules/matcher.h"

#include "rules/matcher_impl.h"
#include "rules/table.h"

static const struct field_ref tags = {.core = FIELD_TAGS};

static void hold(struct matcher *m, const struct field_ref *field, struct slice value, enum value_type type)
{
	if (value.n == 0)
		return;
	m->pending = array_reserve(m->pending, &m->cap_pending, m->n_pending + 1, sizeof *m->pending);
	m->pending[m->n_pending++] = (struct pending){field, value, type};
}

/* What is neither a severity nor a state becomes the word for "not known to be harmless". */
static struct slice checked(struct matcher *m, enum field_id id, struct slice v)
{
	enum severity severity;
	enum event_state state;
	bool known = (id != FIELD_SEVERITY || severity_parse(v, &severity)) &&
	             (id != FIELD_STATE || event_state_parse(v, &state));
	m->unknown += !known;
	if (known)
		return v;
	return slice_str(id == FIELD_STATE ? event_state_word(STATE_PROBLEM)
	                                   : severity_word(SEVERITY_WARNING));
}

static bool set_field(struct matcher *m, const struct pending *p, struct fields *f)
{
	enum field_id core = p->field->core;
	if (core == FIELD_HOST || core == FIELD_SERVICE)
		return fields_set_lower(f, core, p->value);
	if (core != FIELD_NONE)
		return fields_set(f, core, checked(m, core, p->value));
	if (!fields_set_named(f, p->field->name, p->value, p->type))
		return false;
	matcher_set_slot(m, p->field->slot,
	                 (struct value){p->value.p, (uint32_t)p->value.n, (uint8_t)p->type});
	return true;
}

static void trace_change(struct matcher *m, const struct pending *p, const struct fields *f)
{
	if (m->trace == NULL)
		return;
	if (!m->traced_changes) {
		jw_key(m->trace, "set");
		jw_object(m->trace);
		m->traced_changes = true;
	}
	jw_keyn(m->trace, p->field->name);
	jw_slice(m->trace, value_slice(matcher_value(m, p->field, f)));
}

static void wake(struct matcher *m, const struct field_ref *field, uint32_t after)
{
	uint32_t at = field->core != FIELD_NONE ? (uint32_t)field->core : FIELD_CORE_MAX + field->slot;
	for (uint32_t i = m->watch_from[at]; i < m->watch_from[at + 1]; i++) {
		uint32_t d = m->watch[i];
		if (d > after)
			m->todo[d / 64] |= (uint64_t)1 << (d % 64);
	}
}

static void apply(struct matcher *m, const struct rule_decoder *d, struct fields *f)
{
	for (size_t i = 0; i < m->n_pending; i++) {
		const struct pending *p = &m->pending[i];
		if (!set_field(m, p, f)) {
			fields_add_tag(f, "too-many-fields");
			wake(m, &tags, d->number);
			continue;
		}
		wake(m, p->field, d->number);
		trace_change(m, p, f);
	}
	if (m->n_pending > 0)
		matcher_forget(m);
	m->n_pending = 0;
}

/* ---- extract */

static bool try_pattern(struct matcher *m, const struct decoder_extract *e, size_t i, struct slice text)
{
	const struct slice *names;
	const enum value_type *types;
	const struct pattern *p = e->patterns[i];
	if (!pattern_match(p, text, m->captures))
		return false;
	size_t n = pattern_captures(p, &names, &types);
	BUG_ON(n > ARRAY_LEN(m->captures));
	for (size_t j = 0; j < n; j++)
		hold(m, &e->captures[i][j], m->captures[j], types[j]);
	return true;
}

/* {"patterns": {field: number from 1}}: opened by the first, closed by the caller. */
static bool trace_pattern(struct matcher *m, struct slice field, size_t pattern, bool told)
{
	if (!told) {
		jw_key(m->trace, "patterns");
		jw_object(m->trace);
	}
	jw_keyn(m->trace, field);
	jw_int(m->trace, (int64_t)pattern + 1);
	return true;
}

static void extract(struct matcher *m, const struct rule_decoder *d, const struct fields *f)
{
	struct slice missed = SLICE_NONE;
	bool told = false;
	for (size_t i = 0; i < d->n_extract; i++) {
		const struct decoder_extract *e = &d->extract[i];
		struct slice text = value_slice(matcher_value(m, &e->field, f));
		bool fits = text.n == 0; /* a missing field is no miss */
		for (size_t j = 0; j < e->n && !fits; j++) {
			fits = try_pattern(m, e, j, text);
			if (fits && m->trace != NULL)
				told = trace_pattern(m, e->field.name, j, told);
		}
		if (!fits && missed.n == 0)
			missed = e->field.name;
	}
	if (told)
		jw_end(m->trace);
	if (m->trace != NULL && missed.n > 0)
		jw_kslice(m->trace, "missed", missed);
	m->misses[d->number] += missed.n > 0;
}

/* ---- set */

static bool field_lookup(void *env, struct slice path, struct slice *value)
{
	const struct fields *f = env;
	*value = value_slice(fields_get_name(f, path));
	return value->n > 0;
}

static struct slice mapped(const struct decoder_set *s, const struct fields *f)
{
	struct slice v = value_slice(fields_get_name(f, s->from));
	for (size_t i = 0; v.n > 0 && i < s->n_map; i++) {
		if (slice_eq(s->keys[i], v))
			return s->values[i];
	}
	return s->fallback;
}

static struct slice rendered(struct matcher *m, const struct template *t, struct fields *f)
{
	struct slice text;
	struct error err;
	if (template_constant(t, &text))
		return text;
	buf_clear(&m->text);
	if (template_render(t, field_lookup, f, f->arena, &m->text, &err) != 0)
		return SLICE_NONE;
	return arena_slice(f->arena, buf_slice(&m->text));
}

static void set(struct matcher *m, const struct rule_decoder *d, struct fields *f)
{
	for (size_t i = 0; i < d->n_set; i++) {
		const struct decoder_set *s = &d->set[i];
		struct slice value = s->value != NULL ? rendered(m, s->value, f) : mapped(s, f);
		hold(m, &s->field, value, s->field.type);
	}
}

/* ---- lookup */

static void lookup(struct matcher *m, const struct rule_decoder *d, struct fields *f)
{
	for (size_t i = 0; i < d->n_lookup; i++) {
		const struct decoder_lookup *l = &d->lookup[i];
		const struct table *t = m->tables[l->table];
		struct slice key = t != NULL ? rendered(m, l->key, f) : SLICE_NONE;
		/* values live as long as the table, which may be swapped while the event is on its way */
		for (size_t k = 0; key.n > 0 && k < l->n; k++) {
			struct slice v = table_get(t, key, l->columns[k]);
			hold(m, &l->fields[k], v.n > 0 ? arena_slice(f->arena, v) : v, l->fields[k].type);
		}
	}
}

/* ---- the whole */

static void run_decoder(struct matcher *m, const struct rule_decoder *d, struct fields *f)
{
	if (m->trace != NULL) {
		jw_object(m->trace);
		jw_kslice(m->trace, "id", d->id);
		m->traced_changes = false;
	}
	extract(m, d, f);
	apply(m, d, f);
	lookup(m, d, f);
	apply(m, d, f);
	set(m, d, f);
	apply(m, d, f);
	if (m->trace == NULL)
		return;
	if (m->traced_changes)
		jw_end(m->trace);
	if (d->drop)
		jw_kbool(m->trace, "drop", true);
	jw_end(m->trace);
}

static bool run_todo(struct matcher *m, struct fields *f)
{
	for (size_t w = 0; w < m->parts.n_decoders / 64 + 1; w++) {
		/* read anew each time: a decoder may wake those behind it */
		while (m->todo[w] != 0) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(m->todo[w]);
			m->todo[w] &= m->todo[w] - 1;
			const struct rule_decoder *d = &m->parts.decoders[i];
			if (!matcher_eval(m, d->match, f))
				continue;
			run_decoder(m, d, f);
			if (d->drop)
				return false;
		}
	}
	return true;
}

bool matcher_decode(struct matcher *m, struct fields *f)
{
	if (m->parts.n_decoders == 0 || matcher_engine_event(f))
		return true;
	const uint32_t *candidates;
	matcher_fill(m, f);
	size_t n = index_candidates(m->parts.decoder_index, m->decoder_scratch, f, m->slots, &candidates);
	memset(m->todo, 0, (m->parts.n_decoders / 64 + 1) * sizeof *m->todo);
	for (size_t i = 0; i < n; i++) {
		BUG_ON(candidates[i] >= m->parts.n_decoders);
		m->todo[candidates[i] / 64] |= (uint64_t)1 << (candidates[i] % 64);
	}
	bool kept = run_todo(m, f);
	m->dropped += !kept;
	return kept;
}
