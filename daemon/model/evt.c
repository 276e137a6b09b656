/* The flat event: one form for channel, journal and transport. evt_encode writes the only form that evt_check
 * takes: fields ascending, names and values one behind the other in that order, padding zero. `received`
 * stands in the header and nowhere else. Knows nothing of rules. */
#include "model/evt.h"

#include <stdlib.h>

enum { EVT_VERSION = 1, SORT_ON_STACK = 256 };

_Static_assert(sizeof(struct evt) == 40, "part of the journal's format");
_Static_assert(sizeof(struct evt_field) == 20, "part of the journal's format");

static int name_order(const void *a, const void *b)
{
	const struct named_field *const *x = a, *const *y = b;
	return slice_cmp((*x)->name, (*y)->name);
}

/* Where the writer stands: the table of fields and the bytes behind it. */
struct evt_writer {
	char *base;
	struct evt_field *field;
	size_t at;
};

static uint32_t put_bytes(struct evt_writer *w, const char *p, size_t n)
{
	uint32_t at = (uint32_t)w->at;
	memcpy(w->base + w->at, p, n);
	w->at += n;
	return at;
}

static void put_field(struct evt_writer *w, enum field_id id, struct slice name, struct value v)
{
	struct evt_field *field = w->field++;
	*field = (struct evt_field){.id = (uint16_t)id, .type = v.type};
	if (id == FIELD_NONE) {
		field->name_n = (uint32_t)name.n;
		field->name = put_bytes(w, name.p, name.n);
	}
	field->value_n = v.n;
	field->value = put_bytes(w, v.p, v.n);
	w->base[w->at++] = '\0';
}

static size_t size_of_fields(const struct fields *f, uint32_t *count)
{
	size_t size = 0;
	uint32_t n = 0;
	for (unsigned i = 1; i < FIELD_CORE_MAX; i++) {
		if (f->core[i].n == 0 || i == FIELD_RECEIVED)
			continue;
		size += sizeof(struct evt_field) + f->core[i].n + 1;
		n++;
	}
	for (size_t i = 0; i < f->n_named; i++)
		size += sizeof(struct evt_field) + f->named[i].name.n + f->named[i].v.n + 1;
	*count = n + (uint32_t)f->n_named;
	return size;
}

static void put_named(struct evt_writer *w, const struct fields *f)
{
	const struct named_field *on_stack[SORT_ON_STACK];
	const struct named_field **order = on_stack;
	if (f->n_named > SORT_ON_STACK)
		order = xcalloc(f->n_named, sizeof *order);
	for (size_t i = 0; i < f->n_named; i++)
		order[i] = &f->named[i];
	if (f->n_named > 1)
		qsort(order, f->n_named, sizeof *order, name_order);
	for (size_t i = 0; i < f->n_named; i++)
		put_field(w, FIELD_NONE, order[i]->name, order[i]->v);
	if (order != on_stack)
		free(order);
}

static uint32_t evt_sum(const struct evt *e)
{
	static const uint32_t zero = 0;
	const size_t head = offsetof(struct evt, checksum);
	uint32_t crc = crc32c(0, e, head);
	crc = crc32c(crc, &zero, sizeof zero);
	return crc32c(crc, (const char *)e + sizeof *e, e->size - sizeof *e);
}

void evt_encode(const struct fields *f, const struct ulid *id, instant received, struct buf *out)
{
	uint32_t n;
	size_t used = sizeof(struct evt) + size_of_fields(f, &n);
	size_t size = (used + 7) & ~(size_t)7;
	BUG_ON(size > UINT32_MAX);
	buf_align(out, 8);
	buf_reserve(out, size);
	BUG_ON(((uintptr_t)(out->p + out->n) & 7) != 0);

	char *base = out->p + out->n;
	memset(base + size - 8, 0, 8); /* the padding */
	struct evt *e = (struct evt *)(void *)base;
	*e = (struct evt){
	    .size = (uint32_t)size,
	    .magic = EVT_MAGIC,
	    .version = EVT_VERSION,
	    .id = *id,
	    .received = received,
	    .n_fields = n,
	};
	struct evt_writer w = {base, (struct evt_field *)(void *)(e + 1),
	                       sizeof *e + n * sizeof(struct evt_field)};
	put_named(&w, f);
	for (unsigned i = 1; i < FIELD_CORE_MAX; i++) {
		if (f->core[i].n > 0 && i != FIELD_RECEIVED)
			put_field(&w, (enum field_id)i, SLICE_NONE, f->core[i]);
	}
	BUG_ON(w.at != used);
	e->checksum = evt_sum(e);
	out->n += size;
}

void evt_reissue(struct evt *e, const struct ulid *id, instant received)
{
	BUG_ON(e->magic != EVT_MAGIC);
	e->id = *id;
	e->received = received;
	e->checksum = evt_sum(e);
}

static const struct evt_field *evt_fields(const struct evt *e)
{
	return (const struct evt_field *)(const void *)(e + 1);
}

static struct slice field_name_of(const struct evt *e, const struct evt_field *field)
{
	return slice_of((const char *)e + field->name, field->name_n);
}

static struct value field_value_of(const struct evt *e, const struct evt_field *field)
{
	return (struct value){(const char *)e + field->value, field->value_n, field->type};
}

static bool field_follows(const struct evt *e, const struct evt_field *a, const struct evt_field *b)
{
	if (a->id != b->id)
		return a->id < b->id;
	return a->id == FIELD_NONE && slice_cmp(field_name_of(e, a), field_name_of(e, b)) < 0;
}

/* The bytes of one field must begin at *at; *at is moved behind them. */
static bool field_fits(const struct evt *e, const struct evt_field *field, size_t *at)
{
	if (field->id >= FIELD_CORE_MAX || field->id == FIELD_RECEIVED || field->type > VALUE_TIME ||
	    field->pad != 0)
		return false;
	if ((field->id == FIELD_NONE) != (field->name_n > 0) || field->value_n == 0)
		return false;
	if (field->id == FIELD_NONE) {
		if (field->name != *at || field->name_n > e->size - *at)
			return false;
		*at += field->name_n;
	} else if (field->name != 0) {
		return false;
	}
	if (field->value != *at || field->value_n >= e->size - *at)
		return false;
	*at += field->value_n;
	return ((const char *)e)[(*at)++] == '\0';
}

static bool padding_zero(const struct evt *e, size_t at)
{
	for (; at < e->size; at++) {
		if (((const char *)e)[at] != '\0')
			return false;
	}
	return true;
}

static const struct evt *damaged(struct error *err, const char *what)
{
	if (err != NULL)
		error_set(err, "damaged event record: %s", what);
	return NULL;
}

const struct evt *evt_check(struct slice bytes, struct error *err)
{
	if (bytes.p == NULL || bytes.n < sizeof(struct evt))
		return damaged(err, "shorter than its head");
	if (((uintptr_t)bytes.p & 7) != 0)
		return damaged(err, "not aligned to 8");
	const struct evt *e = (const struct evt *)(const void *)bytes.p;
	if (e->magic != EVT_MAGIC)
		return damaged(err, "wrong magic");
	if (e->version != EVT_VERSION)
		return damaged(err, "unknown version");
	if (e->size > bytes.n || e->size < sizeof *e || (e->size & 7) != 0)
		return damaged(err, "wrong size");
	if (e->n_fields > (e->size - sizeof *e) / sizeof(struct evt_field))
		return damaged(err, "more fields than fit");
	if (evt_sum(e) != e->checksum)
		return damaged(err, "wrong checksum");
	const struct evt_field *fields = evt_fields(e);
	size_t at = sizeof *e + e->n_fields * sizeof *fields;
	for (uint32_t i = 0; i < e->n_fields; i++) {
		if (!field_fits(e, &fields[i], &at))
			return damaged(err, "a field out of bounds");
		if (i > 0 && !field_follows(e, &fields[i - 1], &fields[i]))
			return damaged(err, "fields out of order");
	}
	if (e->size - at >= 8 || !padding_zero(e, at))
		return damaged(err, "bytes behind the last field");
	return e;
}

static void open_received(const struct evt *e, struct fields *f)
{
	struct buf text = {0};
	instant_format(e->received, &text);
	struct slice kept = arena_slice(f->arena, buf_slice(&text));
	buf_free(&text);
	fields_set(f, FIELD_RECEIVED, kept);
}

void evt_open(const struct evt *e, struct fields *f)
{
	fields_reset(f);
	const struct evt_field *fields = evt_fields(e);
	f->named = array_reserve(f->named, &f->cap_named, e->n_fields, sizeof *f->named);
	for (uint32_t i = 0; i < e->n_fields; i++) {
		struct value v = field_value_of(e, &fields[i]);
		if (fields[i].id == FIELD_NONE)
			f->named[f->n_named++] = (struct named_field){field_name_of(e, &fields[i]), v};
		else
			f->core[fields[i].id] = v;
	}
	if (f->arena != NULL)
		open_received(e, f);
}

static struct value evt_search(const struct evt *e, uint16_t id, struct slice name)
{
	const struct evt_field *fields = evt_fields(e);
	uint32_t low = 0, high = e->n_fields;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct evt_field *at = &fields[mid];
		int cmp = at->id < id ? -1 : at->id > id;
		if (cmp == 0 && id == FIELD_NONE)
			cmp = slice_cmp(field_name_of(e, at), name);
		if (cmp == 0)
			return field_value_of(e, at);
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return (struct value){0};
}

struct value evt_get(const struct evt *e, enum field_id id)
{
	BUG_ON(id == FIELD_NONE || (unsigned)id >= FIELD_CORE_MAX);
	return evt_search(e, (uint16_t)id, SLICE_NONE);
}

struct value evt_get_name(const struct evt *e, struct slice name)
{
	enum field_id id = field_core(name);
	return evt_search(e, (uint16_t)id, name);
}

enum severity evt_severity(const struct evt *e)
{
	enum severity s;
	return severity_parse(value_slice(evt_get(e, FIELD_SEVERITY)), &s) ? s : SEVERITY_WARNING;
}

enum event_state evt_state(const struct evt *e)
{
	enum event_state s;
	return event_state_parse(value_slice(evt_get(e, FIELD_STATE)), &s) ? s : STATE_PROBLEM;
}
