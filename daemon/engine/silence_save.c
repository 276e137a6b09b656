/* Promises that silences come back as they were: those made at run time whole, of those of files what rules
 * do not say. */
#include <stdlib.h>

#include "engine/silence.h"

enum { SILENCES_MAX = 100000, SERVICES_MAX = 4000000 };

static void put_str(struct buf *b, const char *s)
{
	buf_lslice(b, slice_str(s));
}

static char *get_str(struct reader *r)
{
	struct slice s = read_lslice(r);
	return s.p != NULL ? slice_dup(s) : NULL;
}

static char *get_text(struct reader *r)
{
	char *s = get_str(r);
	r->ok = r->ok && s != NULL;
	return s;
}

static void put_runtime(struct buf *b, const struct silence *s)
{
	const char *texts[] = {s->id, s->match_json, s->reason, s->owner, s->by, s->during};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		put_str(b, texts[i]);
	buf_u64(b, (uint64_t)s->created);
	buf_u64(b, (uint64_t)s->from);
	buf_u64(b, (uint64_t)s->until);
	buf_u8(b, s->dependents);
}

static void get_runtime(struct reader *r, struct silence *s)
{
	s->id = get_text(r);
	s->match_json = get_text(r);
	s->reason = get_text(r);
	s->owner = get_str(r);
	s->by = get_str(r);
	s->during = get_str(r);
	s->created = (instant)read_u64(r);
	s->from = (instant)read_u64(r);
	s->until = (instant)read_u64(r);
	s->dependents = read_u8(r) != 0;
}

void silences_save(const struct engine *e, struct buf *out)
{
	const struct silences *ss = e->silences;
	BUG_ON(ss->changed);
	buf_u8(out, ss->started);
	buf_u64(out, (uint64_t)ss->next);
	buf_u32(out, (uint32_t)(ss->n - ss->n_files));
	for (size_t i = ss->n_files; i < ss->n; i++)
		put_runtime(out, ss->v[i]);
	buf_u32(out, (uint32_t)ss->n_services);
	for (size_t i = 0; i < ss->n_services; i++) {
		put_str(out, ss->services[i].service);
		put_str(out, ss->services[i].silence);
		buf_u8(out, ss->services[i].running);
		buf_u64(out, (uint64_t)ss->services[i].until);
	}
}

static void get_services(struct reader *r, struct silences *ss)
{
	uint32_t n = read_u32(r);
	if (n > SERVICES_MAX || n > r->n - r->at)
		r->ok = false;
	if (!r->ok)
		return;
	ss->services = xcalloc((size_t)n + 1, sizeof *ss->services);
	for (uint32_t i = 0; r->ok && i < n; i++) {
		struct maintained *m = &ss->services[ss->n_services++];
		m->service = get_text(r);
		m->silence = get_text(r);
		m->running = read_u8(r) != 0;
		m->until = (instant)read_u64(r);
		/* looked up by halves */
		if (r->ok && i > 0 && strcmp(m[-1].service, m->service) >= 0)
			r->ok = false;
	}
}

bool silences_load(struct engine *e, struct reader *r)
{
	struct silences *ss = e->silences;
	struct error err;
	ss->started = read_u8(r) != 0;
	ss->next = (instant)read_u64(r);
	uint32_t n = read_u32(r);
	if (n > SILENCES_MAX)
		r->ok = false;
	for (uint32_t i = 0; r->ok && i < n; i++)
		get_runtime(r, silence_append(ss));
	get_services(r, ss);
	if (!r->ok || !silences_compile(e, &err))
		return false;
	silences_restore(e);
	return true;
}
