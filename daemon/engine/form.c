/* Promises one face for the forms of `when` that have a state of their own: made, emptied, saved and loaded
 * by their kind. Must not know what the forms count. */
#include "engine/form.h"

#include <stdlib.h>

struct form *form_new(const struct rule *r)
{
	struct form *f = NULL;
	switch (r->when.form) {
	case WHEN_EVENT:
	case WHEN_COUNT: return NULL;
	case WHEN_VALUE: f = value_new(r); break;
	case WHEN_FEWER: f = watch_new(); break;
	case WHEN_STEPS: f = steps_new(r); break;
	}
	BUG_ON(f == NULL);
	f->kind = r->when.form;
	f->timer = f->last = INSTANT_NONE;
	return f;
}

void form_free(struct form *f)
{
	if (f == NULL)
		return;
	switch (f->kind) {
	case WHEN_EVENT:
	case WHEN_COUNT: BUG_ON(true); break;
	case WHEN_VALUE: value_free(f); break;
	case WHEN_FEWER: free(f); break;
	case WHEN_STEPS: steps_free(f); break;
	}
}

bool form_empty(const struct form *f)
{
	return f->kind == WHEN_FEWER ? !watch_known(f) : f->last == INSTANT_NONE;
}

void form_clear(struct form *f)
{
	f->last = INSTANT_NONE;
	switch (f->kind) {
	case WHEN_EVENT:
	case WHEN_COUNT: BUG_ON(true); break;
	case WHEN_VALUE: value_clear(f); break;
	case WHEN_FEWER: watch_clear(f); break;
	case WHEN_STEPS: steps_clear(f); break;
	}
}

/* An aligned slice ends with its slice, which is not longer than `within`: a session the same. */
bool form_dead(const struct form *f, const struct rule *r, instant now)
{
	if (form_empty(f))
		return true;
	if (f->kind == WHEN_FEWER || (f->kind == WHEN_STEPS && steps_waiting(f)))
		return false;
	return f->last < now - r->within;
}

void form_save(const struct form *f, struct buf *out)
{
	buf_u8(out, (uint8_t)f->kind);
	buf_u64(out, f->serial);
	buf_u64(out, (uint64_t)f->timer);
	buf_u64(out, (uint64_t)f->last);
	switch (f->kind) {
	case WHEN_EVENT:
	case WHEN_COUNT: BUG_ON(true); break;
	case WHEN_VALUE: value_save(f, out); break;
	case WHEN_FEWER: watch_save(f, out); break;
	case WHEN_STEPS: steps_save(f, out); break;
	}
}

static bool body_load(struct form *f, struct reader *r)
{
	switch (f->kind) {
	case WHEN_EVENT:
	case WHEN_COUNT: return false;
	case WHEN_VALUE: return value_load(f, r);
	case WHEN_FEWER: watch_load(f, r); return true;
	case WHEN_STEPS: return steps_load(f, r);
	}
	return false;
}

struct form *form_load(struct reader *r, const struct rule *rule)
{
	struct form *f = form_new(rule);
	uint8_t kind = read_u8(r);
	if (f == NULL)
		return NULL;
	f->serial = read_u64(r);
	f->timer = (instant)read_u64(r);
	f->last = (instant)read_u64(r);
	if (r->ok && kind == (uint8_t)f->kind && body_load(f, r) && r->ok && r->at == r->n)
		return f;
	form_free(f);
	return NULL;
}
