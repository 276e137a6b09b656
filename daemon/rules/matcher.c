/* Promises that matching through the index finds exactly the predicates that are true. Atoms that rules share
 * are decided once per event. Nothing is allocated per event once the scratch has grown. Must not know
 * windows or alerts. */
#include "rules/matcher.h"

#include <stdlib.h>

#include "rules/atom.h"
#include "rules/guard.h"
#include "rules/matcher_impl.h"

/* ---- making */

static void make_names(struct matcher *m)
{
	size_t n = m->parts.n_field_names;
	for (m->n_names = 16; m->n_names < n * 2;)
		m->n_names *= 2;
	m->names = xcalloc(m->n_names, sizeof *m->names);
	for (uint32_t slot = 0; slot < n; slot++) {
		struct slice name = m->parts.field_names[slot];
		uint64_t hash = guard_hash_bytes(name.p, name.n);
		size_t i = hash & (m->n_names - 1);
		while (m->names[i].slot != 0)
			i = (i + 1) & (m->n_names - 1);
		m->names[i] = (struct name_slot){hash, slot + 1};
	}
}

/* Counting sort of (field, decoder). */
static void make_watch(struct matcher *m)
{
	size_t n_fields = FIELD_CORE_MAX + m->parts.n_field_names, total = 0;
	const uint32_t *fields;
	m->watch_from = xcalloc(n_fields + 1, sizeof *m->watch_from);
	for (uint32_t d = 0; d < m->parts.n_decoders; d++) {
		size_t n = index_depends(m->parts.decoder_index, d, &fields);
		for (size_t i = 0; i < n; i++)
			m->watch_from[fields[i] + 1]++;
		total += n;
	}
	for (size_t i = 0; i < n_fields; i++)
		m->watch_from[i + 1] += m->watch_from[i];
	m->watch = xcalloc(total + 1, sizeof *m->watch);
	uint32_t *at = xcalloc(n_fields, sizeof *at);
	memcpy(at, m->watch_from, n_fields * sizeof *at);
	for (uint32_t d = 0; d < m->parts.n_decoders; d++) {
		size_t n = index_depends(m->parts.decoder_index, d, &fields);
		for (size_t i = 0; i < n; i++)
			m->watch[at[fields[i]]++] = d;
	}
	free(at);
}

static void make_service_names(struct matcher *m)
{
	size_t n = m->parts.n_service_paths;
	m->service_names = xcalloc(n + 1, sizeof *m->service_names);
	for (size_t i = 0; i < n; i++) {
		char *name = xasprintf("service." SLICE_FMT, SLICE_ARG(m->parts.service_paths[i]));
		m->service_names[i] = slice_str(name);
	}
}

struct matcher *matcher_of_parts(const struct matcher_parts *p)
{
	struct matcher *m = xcalloc(1, sizeof *m);
	m->parts = *p;
	m->scratch = index_scratch_new(p->index);
	m->decoder_scratch = index_scratch_new(p->decoder_index);
	m->slots = xcalloc(p->n_field_names + 1, sizeof *m->slots);
	m->filled = xcalloc(p->n_field_names + 1, sizeof *m->filled);
	m->memo = xcalloc(p->n_atoms + 1, sizeof *m->memo);
	m->hits = xcalloc(p->n_predicates + 1, sizeof *m->hits);
	m->todo = xcalloc(p->n_decoders / 64 + 1, sizeof *m->todo);
	m->misses = xcalloc(p->n_decoders + 1, sizeof *m->misses);
	m->tables = xcalloc(p->n_tables + 1, sizeof *m->tables);
	for (size_t i = 0; i < p->n_tables; i++)
		m->tables[i] = p->tables[i].rows;
	make_names(m);
	make_watch(m);
	make_service_names(m);
	return m;
}

void matcher_free(struct matcher *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->parts.n_service_paths; i++)
		free((void *)(uintptr_t)m->service_names[i].p);
	index_scratch_free(m->scratch);
	index_scratch_free(m->decoder_scratch);
	free(m->service_names);
	free(m->names);
	free(m->slots);
	free(m->filled);
	free(m->memo);
	free(m->hits);
	free(m->todo);
	free(m->misses);
	free(m->watch_from);
	free(m->watch);
	free(m->tables);
	free(m->pending);
	buf_free(&m->text);
	free(m);
}

/* ---- values */

static uint32_t slot_of(const struct matcher *m, struct slice name)
{
	uint64_t hash = guard_hash_bytes(name.p, name.n);
	for (size_t i = hash & (m->n_names - 1); m->names[i].slot != 0; i = (i + 1) & (m->n_names - 1)) {
		uint32_t slot = m->names[i].slot - 1;
		if (m->names[i].hash == hash && slice_eq(m->parts.field_names[slot], name))
			return slot;
	}
	return UINT32_MAX;
}

void matcher_set_slot(struct matcher *m, uint32_t slot, struct value v)
{
	BUG_ON(slot >= m->parts.n_field_names);
	/* once in the list is enough: a slot is only emptied by the next fill */
	if (m->slots[slot].p == NULL)
		m->filled[m->n_filled++] = slot;
	m->slots[slot] = v;
	if (v.p == NULL)
		m->slots[slot].p = "";
}

void matcher_forget(struct matcher *m)
{
	if (++m->generation < UINT32_MAX / 2)
		return;
	memset(m->memo, 0, (m->parts.n_atoms + 1) * sizeof *m->memo);
	m->generation = 1;
}

void matcher_fill(struct matcher *m, const struct fields *f)
{
	for (size_t i = 0; i < m->n_filled; i++)
		m->slots[m->filled[i]] = (struct value){0};
	m->n_filled = 0;
	matcher_forget(m);
	if (m->parts.n_field_names == 0)
		return;
	for (size_t i = 0; i < f->n_named; i++) {
		uint32_t slot = slot_of(m, f->named[i].name);
		if (slot != UINT32_MAX && f->named[i].v.n > 0)
			matcher_set_slot(m, slot, f->named[i].v);
	}
}

struct value matcher_value(const struct matcher *m, const struct field_ref *r, const struct fields *f)
{
	if (r->core != FIELD_NONE)
		return f->core[r->core];
	BUG_ON(r->slot >= m->parts.n_field_names);
	return m->slots[r->slot];
}

/* ---- conditions */

static bool eval_atom(struct matcher *m, const struct atom *a, const struct fields *f)
{
	BUG_ON(a->number >= m->parts.n_atoms);
	uint32_t known = m->memo[a->number];
	if (known >> 1 == m->generation)
		return known & 1;
	bool verdict = atom_test(a, matcher_value(m, &a->field, f), m->parts.lists, m->parts.n_lists);
	m->memo[a->number] = m->generation << 1 | verdict;
	return verdict;
}

bool matcher_eval(struct matcher *m, const struct cond *c, const struct fields *f)
{
	switch (c->kind) {
	case COND_ATOM: return eval_atom(m, c->atom, f);
	case COND_NOT: return !matcher_eval(m, c->kids[0], f);
	case COND_ALL:
		for (size_t i = 0; i < c->n; i++) {
			if (!matcher_eval(m, c->kids[i], f))
				return false;
		}
		return true;
	case COND_ANY:
		for (size_t i = 0; i < c->n; i++) {
			if (matcher_eval(m, c->kids[i], f))
				return true;
		}
		return false;
	}
	bug_stop("a condition of no kind", __FILE__, __LINE__);
}

size_t matcher_match(struct matcher *m, const struct fields *f, const uint32_t **hits)
{
	const uint32_t *candidates;
	size_t found = 0;
	matcher_fill(m, f);
	size_t n = index_candidates(m->parts.index, m->scratch, f, m->slots, &candidates);
	for (size_t i = 0; i < n; i++) {
		BUG_ON(candidates[i] >= m->parts.n_predicates);
		if (matcher_eval(m, m->parts.predicates[candidates[i]].cond, f))
			m->hits[found++] = candidates[i];
	}
	*hits = m->hits;
	return found;
}

bool matcher_test(struct matcher *m, const struct cond *c, const struct fields *f)
{
	matcher_fill(m, f);
	return matcher_eval(m, c, f);
}

void matcher_table(struct matcher *m, uint32_t number, const struct table *rows)
{
	BUG_ON(number >= m->parts.n_tables);
	m->tables[number] = rows;
}

bool matcher_engine_event(const struct fields *f)
{
	struct slice type = value_slice(f->core[FIELD_TYPE]);
	return slice_is(type, "alert") || slice_is(type, "calendar") || slice_is(type, "internal");
}

uint64_t matcher_decoder_misses(const struct matcher *m, uint32_t decoder)
{
	BUG_ON(decoder >= m->parts.n_decoders);
	return m->misses[decoder];
}

uint64_t matcher_dropped(const struct matcher *m)
{
	return m->dropped;
}

uint64_t matcher_unknown_words(const struct matcher *m)
{
	return m->unknown;
}
