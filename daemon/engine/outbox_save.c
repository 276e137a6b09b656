/* Promises that what is on its way to ticket systems, or waits, comes back as it was. */
#include <stdlib.h>

#include "engine/changes.h"

static void put_notes(struct buf *out, const struct notes *n)
{
	buf_u8(out, (uint8_t)n->n_first);
	for (size_t k = 0; k < n->n_first; k++)
		save_str(out, n->first[k]);
	buf_u8(out, (uint8_t)n->n_last);
	for (size_t k = 0; k < n->n_last; k++)
		save_str(out, n->last[k]);
	buf_u64(out, n->more);
}

static void get_texts(struct reader *r, char **to, size_t *n)
{
	size_t count = (size_t)load_enum(r, NOTE_EDGE + 1);
	for (; *n < count; (*n)++) {
		to[*n] = load_str(r);
		if (to[*n] == NULL)
			to[*n] = xstrdup("");
	}
}

static void put_lane(struct buf *out, const struct lane *l)
{
	const char *const texts[] = {l->destination, l->ticket, l->version, l->url, l->note_text, l->error};
	const instant times[] = {l->next_at, l->since, l->updated, l->wake, l->failing};
	buf_u64(out, l->serial);
	buf_u64(out, l->incident->serial);
	buf_u8(out, (uint8_t)l->state);
	buf_u8(out, (uint8_t)(l->closed_there | l->acked_there << 1 | l->in_flight << 2 | l->probe << 3 |
	                      l->dead << 4 | l->parked << 5 | l->done << 6 | l->doubt << 7));
	buf_u8(out, l->straying);
	save_str(out, l->stray);
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		save_str(out, texts[k]);
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		save_time(out, times[k]);
	buf_u64(out, l->op);
	buf_u64(out, l->create);
	buf_u32(out, l->create_attempt);
	buf_u8(out, (uint8_t)l->verb);
	buf_u8(out, (uint8_t)l->dead_verb);
	buf_u8(out, (uint8_t)l->error_class);
	buf_u32(out, l->attempt);
	buf_u32(out, l->tries);
	buf_u32(out, (uint32_t)l->gone);
	buf_u64(out, l->sending);
	buf_u64(out, l->confirmed);
	buf_u64(out, l->dead_print);
	put_notes(out, &l->notes);
	buf_u8(out, (uint8_t)(l->look | l->lost << 1 | l->left << 2 | l->shared << 3 | l->reassigned << 4 | l->linked << 5 |
	                      l->swept << 6));
	buf_u8(out, (uint8_t)l->sending_priority);
	buf_u8(out, (uint8_t)l->shown_priority);
	save_time(out, l->sweep_at);
	save_str(out, l->assignee);
	save_str(out, l->who);
}

static void get_person(struct reader *r, struct lane *l)
{
	unsigned bits = read_u8(r);
	l->look = bits & 1;
	l->lost = bits & 2;
	l->left = bits & 4;
	l->shared = bits & 8;
	l->reassigned = bits & 16;
	l->linked = bits & 32;
	l->swept = bits & 64;
	l->sending_priority = load_enum(r, 6);
	l->shown_priority = load_enum(r, 6);
	l->sweep_at = load_time(r);
	l->assignee = load_str(r);
	l->who = load_str(r);
}

static bool get_lane(struct engine *e, struct reader *r)
{
	struct correlation *c = e->correlation;
	uint64_t serial = read_u64(r), of = read_u64(r);
	struct incident *i = hmap_get(c->incident_by, key_u64(&of));
	if (!r->ok || i == NULL)
		return false;
	struct lane *l = xcalloc(1, sizeof *l);
	char **const texts[] = {&l->destination, &l->ticket, &l->version, &l->url, &l->note_text, &l->error};
	instant *const times[] = {&l->next_at, &l->since, &l->updated, &l->wake, &l->failing};
	l->serial = serial;
	l->incident = i;
	lane_join(i, l);
	TAILQ_INSERT_TAIL(&c->lanes, l, all);
	hmap_put(c->lane_by, key_u64(&l->serial), l);
	l->state = (enum lane_state)load_enum(r, LANE_BOUND + 1);
	unsigned bits = read_u8(r);
	l->closed_there = bits & 1;
	l->acked_there = bits & 2;
	l->in_flight = bits & 4;
	l->probe = bits & 8;
	l->dead = bits & 16;
	l->parked = bits & 32;
	l->done = bits & 64;
	l->doubt = bits & 128;
	l->straying = load_enum(r, 2) == 1;
	l->stray = load_str(r);
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		*texts[k] = load_str(r);
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		*times[k] = load_time(r);
	l->op = read_u64(r);
	l->create = read_u64(r);
	l->create_attempt = read_u32(r);
	l->verb = (enum ticket_verb)load_enum(r, TICKET_LINK_PARENT + 1);
	l->dead_verb = (enum ticket_verb)load_enum(r, TICKET_LINK_PARENT + 1);
	l->error_class = (enum ticket_class)load_enum(r, TICKET_CLASS_UNKNOWN + 1);
	l->attempt = read_u32(r);
	l->tries = read_u32(r);
	l->gone = (int)(read_u32(r) & INT32_MAX);
	l->sending = read_u64(r);
	l->confirmed = read_u64(r);
	l->dead_print = read_u64(r);
	get_texts(r, l->notes.first, &l->notes.n_first);
	get_texts(r, l->notes.last, &l->notes.n_last);
	l->notes.more = (size_t)read_u64(r);
	get_person(r, l);
	if (l->destination == NULL || (l->state == LANE_BOUND && l->ticket == NULL) ||
	    (l->straying && l->in_flight && l->stray == NULL))
		return false;
	lane_index_op(c, l);
	return r->ok;
}

static void put_destinations(struct buf *out, const struct correlation *c)
{
	buf_u64(out, c->n_destinations);
	for (size_t k = 0; k < c->n_destinations; k++) {
		const struct destination *d = &c->destinations[k];
		save_str(out, d->name);
		buf_u8(out, (uint8_t)d->mode);
		buf_u32(out, (uint32_t)d->failures);
		save_time(out, d->probe_at);
		buf_u64(out, d->probing);
		buf_u8(out, (uint8_t)d->check);
		buf_u64(out, d->proven);
		buf_u64(out, d->check_print);
		buf_u64(out, d->check_op);
		buf_u32(out, d->check_attempt);
		save_time(out, d->check_at);
		save_str(out, d->check_ticket);
		save_str(out, d->check_text);
		buf_u64(out, d->n_created);
		for (size_t n = 0; n < d->n_created; n++)
			save_time(out, d->created[n]);
		buf_u64(out, d->storm);
		save_time(out, d->changes_at);
		buf_u64(out, d->changes_op);
		save_str(out, d->changes_cursor);
		save_time(out, d->down_since);
		buf_u64(out, d->own);
		buf_u64(out, d->poll_op);
		save_time(out, d->poll_at);
		save_str(out, d->cursor);
	}
}

static void get_destinations(struct reader *r, struct correlation *c)
{
	size_t n = load_count(r, 90);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *name = load_str(r);
		struct destination *d = outbox_destination(c, name != NULL ? name : "");
		d->mode = (enum destination_mode)load_enum(r, DESTINATION_PAUSED + 1);
		d->failures = (int)(read_u32(r) & INT32_MAX);
		d->probe_at = load_time(r);
		d->probing = read_u64(r);
		d->check = (enum check_state)load_enum(r, CHECK_REFUSED + 1);
		d->proven = read_u64(r);
		d->check_print = read_u64(r);
		d->check_op = read_u64(r);
		d->check_attempt = read_u32(r);
		d->check_at = load_time(r);
		free(d->check_ticket); /* a name that stands there twice */
		free(d->check_text);
		d->check_ticket = load_str(r);
		d->check_text = load_str(r);
		d->n_created = load_count(r, 8);
		d->created = array_reserve(d->created, &d->cap_created, d->n_created + 1, sizeof *d->created);
		for (size_t m = 0; m < d->n_created; m++)
			d->created[m] = load_time(r);
		d->storm = read_u64(r);
		d->changes_at = load_time(r);
		d->changes_op = read_u64(r);
		free(d->changes_cursor);
		d->changes_cursor = load_str(r);
		d->down_since = load_time(r);
		d->own = read_u64(r);
		d->poll_op = read_u64(r);
		d->poll_at = load_time(r);
		free(d->cursor); /* a name that stands there twice */
		d->cursor = load_str(r);
		free(name);
	}
}

void outbox_save(const struct correlation *c, struct buf *out)
{
	put_destinations(out, c);
	const struct lane *l;
	uint64_t n = 0;
	TAILQ_FOREACH (l, &c->lanes, all)
		n++;
	buf_u64(out, n);
	TAILQ_FOREACH (l, &c->lanes, all)
		put_lane(out, l);
	wontfix_save(c, out);
	changes_save(c, out);
}

bool outbox_load(struct engine *e, struct reader *r)
{
	get_destinations(r, e->correlation);
	size_t n = load_count(r, 100);
	for (size_t k = 0; k < n; k++)
		if (!get_lane(e, r))
			return false;
	wontfix_load(r, e->correlation);
	changes_load(r, e->correlation);
	return r->ok;
}
