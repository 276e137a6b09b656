/* Promises that a loaded correlation goes on exactly as the saved one would have: everything that decisions
 * rest on is written, in order of creation; what follows from it (derived state, who looks at whom) is worked
 * out again. */
#include "engine/correlate.h"

#include <stdlib.h>

static void put_str(struct buf *out, const char *s)
{
	buf_lslice(out, slice_str(s));
}

static char *get_str(struct reader *r)
{
	struct slice s = read_lslice(r);
	return s.p != NULL ? slice_dup(s) : NULL;
}

static void put_time(struct buf *out, instant t)
{
	buf_u64(out, (uint64_t)t);
}

static instant get_time(struct reader *r)
{
	return (instant)read_u64(r);
}

static bool get_bool(struct reader *r)
{
	return read_u8(r) != 0;
}

/* A count of things of which each takes at least `octets`. */
static size_t get_count(struct reader *r, size_t octets)
{
	uint64_t n = read_u64(r);
	if (r->ok && n <= (r->n - r->at) / octets)
		return (size_t)n;
	r->ok = false;
	return 0;
}

static int get_enum(struct reader *r, int count)
{
	int v = read_u8(r);
	if (v < count)
		return v;
	r->ok = false;
	return 0;
}

/* ---- episodes */

static void put_class(struct buf *out, const struct evidence *v)
{
	put_str(out, v->rule_id);
	buf_u8(out, (uint8_t)v->nature);
	buf_u8(out, (uint8_t)v->level);
	buf_u8(out, v->stateless);
	buf_u32(out, v->open);
}

static void put_episode(struct buf *out, const struct episode *ep)
{
	buf_u64(out, ep->serial);
	put_str(out, ep->node->id);
	put_time(out, ep->on);
	put_time(out, ep->off);
	put_time(out, ep->last);
	put_time(out, ep->calm);
	buf_u8(out, (uint8_t)ep->level);
	buf_u8(out, (uint8_t)ep->severity);
	buf_u8(out,
	       (uint8_t)(ep->risk | ep->flapping << 1 | ep->real << 2 | ep->weak << 3 | ep->in_ring << 4));
	buf_u64(out, ep->n_classes);
	for (size_t k = 0; k < ep->n_classes; k++)
		put_class(out, &ep->classes[k]);
	buf_u64(out, ep->n_alerts);
	for (size_t k = 0; k < ep->n_alerts; k++)
		buf_u64(out, ep->alerts[k]->serial);
	buf_u32(out, ep->dropped);
	buf_u32(out, ep->open);
	buf_u32(out, ep->closings);
	buf_u64(out, ep->lines);
	buf_u64(out, ep->n_peers);
	for (size_t k = 0; k < ep->n_peers; k++)
		put_str(out, ep->peers[k]);
	buf_u64(out, ep->parent != NULL ? ep->parent->serial : 0);
	put_str(out, ep->reason);
	put_str(out, ep->runner_up);
	put_str(out, ep->held_by);
	put_str(out, ep->held);
}

static void get_lists(struct engine *e, struct reader *r, struct episode *ep)
{
	size_t n = get_count(r, 10);
	ep->classes = n > 0 ? xcalloc(n, sizeof *ep->classes) : NULL;
	for (; ep->n_classes < n; ep->n_classes++) {
		struct evidence *v = &ep->classes[ep->n_classes];
		v->rule_id = get_str(r);
		v->nature = (enum nature)get_enum(r, NATURE_PRECURSOR + 1);
		v->level = read_u8(r);
		v->stateless = get_bool(r);
		v->open = read_u32(r);
		if (v->rule_id == NULL)
			v->rule_id = xstrdup("");
	}
	n = get_count(r, 8);
	ep->alerts = array_reserve(NULL, &ep->cap_alerts, n, sizeof(struct alert *));
	for (size_t k = 0; k < n; k++) {
		struct alert *a = alert_find(e, read_u64(r));
		if (a == NULL) {
			r->ok = false;
			return;
		}
		a->episode = ep;
		ep->alerts[ep->n_alerts++] = a;
	}
}

static bool get_episode(struct engine *e, struct reader *r, uint64_t *parent)
{
	struct correlation *c = e->correlation;
	struct episode *ep = xcalloc(1, sizeof *ep);
	LIST_INIT(&ep->kids);
	ep->serial = read_u64(r);
	TAILQ_INSERT_TAIL(&c->episodes, ep, all);
	hmap_put(c->episode_by, key_u64(&ep->serial), ep);
	struct slice id = read_lslice(r);
	ep->node = node_named(e, id.p != NULL ? id : SLICE(""));
	ep->node->episodes++;
	ep->on = get_time(r);
	ep->off = get_time(r);
	ep->last = get_time(r);
	ep->calm = get_time(r);
	ep->level = read_u8(r);
	ep->severity = (enum severity)get_enum(r, SEVERITY_CRITICAL + 1);
	unsigned bits = read_u8(r);
	ep->risk = bits & 1;
	ep->flapping = bits & 2;
	ep->real = bits & 4;
	ep->weak = bits & 8;
	get_lists(e, r, ep);
	ep->dropped = read_u32(r);
	ep->open = read_u32(r);
	ep->closings = read_u32(r);
	ep->lines = read_u64(r);
	size_t n = get_count(r, 4);
	ep->peers = n > 0 ? xcalloc(n, sizeof(char *)) : NULL;
	for (; ep->n_peers < n; ep->n_peers++) {
		ep->peers[ep->n_peers] = get_str(r);
		if (ep->peers[ep->n_peers] == NULL)
			ep->peers[ep->n_peers] = xstrdup("");
	}
	*parent = read_u64(r);
	ep->reason = get_str(r);
	ep->runner_up = get_str(r);
	ep->held_by = get_str(r);
	ep->held = get_str(r);
	if (ep->off == INSTANT_NONE && ep->risk)
		ep->node->risk = ep;
	else if (ep->off == INSTANT_NONE)
		ep->node->open = ep;
	if (bits & 16)
		node_recent_add(ep->node, ep);
	return r->ok;
}

static bool get_episodes(struct engine *e, struct reader *r)
{
	size_t n = get_count(r, 100);
	uint64_t *parents = xcalloc(n + 1, sizeof *parents);
	bool ok = true;
	for (size_t k = 0; k < n && ok; k++)
		ok = get_episode(e, r, &parents[k]);
	size_t at = 0;
	struct episode *ep;
	TAILQ_FOREACH(ep, &e->correlation->episodes, all)
	{
		uint64_t serial = ok ? parents[at++] : 0;
		struct episode *parent =
		    serial != 0 ? hmap_get(e->correlation->episode_by, key_u64(&serial)) : NULL;
		ok = ok && (serial == 0 || (parent != NULL && parent != ep));
		if (!ok || parent == NULL)
			continue;
		char *why = ep->reason;
		ep->reason = NULL;
		parent_set(e, ep, parent, why);
	}
	free(parents);
	return ok;
}

/* ---- incidents */

static void put_tally(struct buf *out, const struct tally *t)
{
	const uint32_t *v = (const uint32_t *)t;
	for (size_t k = 0; k < sizeof *t / sizeof *v; k++)
		buf_u32(out, v[k]);
}

static void get_tally(struct reader *r, struct tally *t)
{
	uint32_t *v = (uint32_t *)t;
	for (size_t k = 0; k < sizeof *t / sizeof *v; k++)
		v[k] = read_u32(r);
}

static const char *const log_kinds[] = {"state", "joined", "cause", "not",    "root", "priority",
                                        "split", "merged", "stale", "ticket", "note", "other"};

static void put_log(struct buf *out, const struct incident *i)
{
	buf_u64(out, i->n_log);
	for (size_t k = 0; k < i->n_log; k++) {
		put_time(out, i->log[k].at);
		buf_u32(out, i->log[k].number);
		put_str(out, i->log[k].kind);
		put_str(out, i->log[k].text);
	}
	buf_u32(out, i->log_number);
}

static const char *log_kind(struct slice s)
{
	for (size_t k = 0; k + 1 < ARRAY_LEN(log_kinds); k++)
		if (slice_is(s, log_kinds[k]))
			return log_kinds[k];
	return log_kinds[ARRAY_LEN(log_kinds) - 1];
}

static void get_log(struct reader *r, struct incident *i)
{
	size_t n = get_count(r, 20);
	i->log = array_reserve(NULL, &i->cap_log, n, sizeof *i->log);
	for (; i->n_log < n; i->n_log++) {
		struct log_line *l = &i->log[i->n_log];
		*l = (struct log_line){.at = get_time(r), .number = read_u32(r)};
		l->kind = log_kind(read_lslice(r));
		l->text = get_str(r);
		if (l->text == NULL)
			l->text = xstrdup("");
	}
	i->log_number = read_u32(r);
}

static void put_members(struct buf *out, const struct incident *i)
{
	const struct episode *ep;
	buf_u64(out, i->tally.episodes);
	TAILQ_FOREACH(ep, &i->episodes, in_incident)
	{
		buf_u64(out, ep->serial);
		put_tally(out, &ep->tally);
	}
	buf_u64(out, i->n_alerts);
	for (size_t k = 0; k < i->n_alerts; k++)
		buf_u64(out, i->alerts[k]->serial);
	buf_u64(out, i->root != NULL ? i->root->serial : 0);
}

static void get_members(struct engine *e, struct reader *r, struct incident *i)
{
	size_t n = get_count(r, 8 + sizeof(struct tally));
	for (size_t k = 0; k < n && r->ok; k++) {
		uint64_t serial = read_u64(r);
		struct episode *ep = hmap_get(e->correlation->episode_by, key_u64(&serial));
		r->ok = r->ok && ep != NULL && ep->incident == NULL;
		if (!r->ok)
			return;
		get_tally(r, &ep->tally);
		ep->incident = i;
		TAILQ_INSERT_TAIL(&i->episodes, ep, in_incident);
		for (size_t a = 0; a < ep->n_alerts; a++)
			ep->alerts[a]->incident = i->serial;
	}
	n = get_count(r, 8);
	i->alerts = array_reserve(NULL, &i->cap_alerts, n, sizeof(struct alert *));
	for (size_t k = 0; k < n && r->ok; k++) {
		struct alert *a = alert_find(e, read_u64(r));
		r->ok = r->ok && a != NULL;
		if (!r->ok)
			return;
		a->incident = i->serial;
		i->alerts[i->n_alerts++] = a;
	}
	uint64_t root = read_u64(r);
	i->root = root != 0 ? hmap_get(e->correlation->episode_by, key_u64(&root)) : NULL;
	r->ok = r->ok && (root == 0 || (i->root != NULL && i->root->incident == i));
}

static void put_hurts(struct buf *out, const struct incident *i)
{
	buf_u64(out, i->n_hurts);
	for (size_t k = 0; k < i->n_hurts; k++) {
		put_str(out, i->hurts[k].service);
		buf_u8(out, (uint8_t)i->hurts[k].tier);
		buf_u8(out, (uint8_t)i->hurts[k].effect);
	}
}

static void get_hurts(struct reader *r, struct incident *i)
{
	size_t n = get_count(r, 6);
	for (size_t k = 0; k < n && r->ok; k++) {
		struct slice service = read_lslice(r);
		int tier = get_enum(r, 5);
		enum effect effect = (enum effect)get_enum(r, EFFECT_DOWN + 1);
		r->ok = r->ok && service.p != NULL && tier >= 1 && effect >= EFFECT_DEGRADED;
		if (r->ok)
			hurt_add(i, service, tier, effect);
	}
}

static bool is_in(const struct hmap *m, char *key, const struct incident *i)
{
	bool in = key != NULL && hmap_get(m, slice_str(key)) == i;
	free(key);
	return in;
}

static unsigned indexed(const struct correlation *c, const struct incident *i)
{
	unsigned bits = i->group_key != NULL && hmap_get(c->by_group, slice_str(i->group_key)) == i;
	if (i->root_id == NULL)
		return bits;
	bits |= is_in(c->by_root, xstrdup(i->root_id), i) ? 2u : 0;
	return bits | (is_in(c->by_root, xasprintf("risk %s", i->root_id), i) ? 4u : 0);
}

static void index_again(struct correlation *c, struct incident *i, unsigned bits)
{
	if (bits & 1 && i->group_key != NULL)
		hmap_put(c->by_group, slice_str(i->group_key), i);
	if (bits & 2 && i->root_id != NULL)
		hmap_put(c->by_root, slice_str(i->root_id), i);
	if ((bits & 4) == 0 || i->root_id == NULL)
		return;
	char *key = xasprintf("risk %s", i->root_id);
	hmap_put(c->by_root, slice_str(key), i);
	free(key);
}

static void put_incident(const struct correlation *c, struct buf *out, const struct incident *i)
{
	const instant times[] = {i->born,     i->newest, i->updated, i->opened, i->clearing_at,
	                         i->resolved, i->closed, i->calm,    i->wake};
	const char *const texts[] = {i->group_key, i->root_id, i->class_id,    i->key,  i->title,
	                             i->holds,     i->assign,  i->destination, i->owner};
	buf_u64(out, i->serial);
	buf_add(out, i->id.b, sizeof i->id.b);
	buf_u8(out, (uint8_t)i->state);
	buf_u8(out, (uint8_t)i->back);
	buf_u8(out, (uint8_t)i->group);
	buf_u8(out, (uint8_t)i->resolve);
	buf_u8(out, (uint8_t)(i->by_hand | i->calm_since << 1 | i->again << 2 | i->predict_due << 3));
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		put_time(out, times[k]);
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		put_str(out, texts[k]);
	buf_u32(out, i->generation);
	buf_u8(out, (uint8_t)i->fixed_priority);
	buf_u8(out, (uint8_t)i->priority);
	buf_u8(out, (uint8_t)i->predicted_level);
	put_time(out, i->reopen_within);
	put_time(out, i->resolve_after);
	buf_u64(out, i->merged_into);
	buf_u64(out, i->previous);
	put_str(out, i->previous_id);
	put_tally(out, &i->tally);
	put_members(out, i);
	put_hurts(out, i);
	put_log(out, i);
	buf_u8(out, (uint8_t)indexed(c, i));
}

static void get_facts(struct reader *r, struct incident *i)
{
	instant *const times[] = {&i->born,     &i->newest, &i->updated, &i->opened, &i->clearing_at,
	                          &i->resolved, &i->closed, &i->calm,    &i->wake};
	char **const texts[] = {&i->group_key, &i->root_id, &i->class_id,    &i->key,  &i->title,
	                        &i->holds,     &i->assign,  &i->destination, &i->owner};
	struct slice id = read_bytes(r, sizeof i->id.b);
	if (id.p != NULL && id.n == sizeof i->id.b)
		memcpy(i->id.b, id.p, sizeof i->id.b);
	ulid_text(&i->id, i->id_text);
	i->state = (enum incident_state)get_enum(r, INCIDENT_STATES);
	i->back = (enum incident_state)get_enum(r, INCIDENT_STATES);
	i->group = (enum incident_group)get_enum(r, GROUP_FIELDS + 1);
	i->resolve = (enum incident_resolve)get_enum(r, RESOLVE_NEVER + 1);
	unsigned bits = read_u8(r);
	i->by_hand = bits & 1;
	i->calm_since = bits & 2;
	i->again = bits & 4;
	i->predict_due = bits & 8;
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		*times[k] = get_time(r);
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		*texts[k] = get_str(r);
	i->generation = read_u32(r);
	i->fixed_priority = read_u8(r);
	i->priority = read_u8(r);
	i->predicted_level = read_u8(r);
	i->reopen_within = get_time(r);
	i->resolve_after = get_time(r);
	i->merged_into = read_u64(r);
	i->previous = read_u64(r);
	struct slice previous = read_lslice(r);
	if (previous.n < sizeof i->previous_id && previous.p != NULL)
		memcpy(i->previous_id, previous.p, previous.n);
	get_tally(r, &i->tally);
}

static bool get_incident(struct engine *e, struct reader *r)
{
	struct correlation *c = e->correlation;
	struct incident *i = xcalloc(1, sizeof *i);
	TAILQ_INIT(&i->episodes);
	i->serial = read_u64(r);
	TAILQ_INSERT_TAIL(&c->incidents, i, all);
	hmap_put(c->incident_by, key_u64(&i->serial), i);
	get_facts(r, i);
	get_members(e, r, i);
	get_hurts(r, i);
	get_log(r, i);
	index_again(c, i, read_u8(r));
	c->gathering += i->state == INCIDENT_GATHERING;
	return r->ok;
}

/* ---- outbox */

static void put_notes(struct buf *out, const struct notes *n)
{
	buf_u8(out, (uint8_t)n->n_first);
	for (size_t k = 0; k < n->n_first; k++)
		put_str(out, n->first[k]);
	buf_u8(out, (uint8_t)n->n_last);
	for (size_t k = 0; k < n->n_last; k++)
		put_str(out, n->last[k]);
	buf_u64(out, n->more);
}

static void get_texts(struct reader *r, char **to, size_t *n)
{
	size_t count = (size_t)get_enum(r, NOTE_EDGE + 1);
	for (; *n < count; (*n)++) {
		to[*n] = get_str(r);
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
	                      l->dead << 4 | l->parked << 5 | l->done << 6));
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		put_str(out, texts[k]);
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		put_time(out, times[k]);
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
}

static bool get_lane(struct engine *e, struct reader *r)
{
	struct correlation *c = e->correlation;
	uint64_t serial = read_u64(r), of = read_u64(r);
	struct incident *i = hmap_get(c->incident_by, key_u64(&of));
	if (!r->ok || i == NULL || i->lane != NULL)
		return false;
	struct lane *l = xcalloc(1, sizeof *l);
	char **const texts[] = {&l->destination, &l->ticket, &l->version, &l->url, &l->note_text, &l->error};
	instant *const times[] = {&l->next_at, &l->since, &l->updated, &l->wake, &l->failing};
	l->serial = serial;
	l->incident = i;
	i->lane = l;
	TAILQ_INSERT_TAIL(&c->lanes, l, all);
	hmap_put(c->lane_by, key_u64(&l->serial), l);
	l->state = (enum lane_state)get_enum(r, LANE_BOUND + 1);
	unsigned bits = read_u8(r);
	l->closed_there = bits & 1;
	l->acked_there = bits & 2;
	l->in_flight = bits & 4;
	l->probe = bits & 8;
	l->dead = bits & 16;
	l->parked = bits & 32;
	l->done = bits & 64;
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		*texts[k] = get_str(r);
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		*times[k] = get_time(r);
	l->op = read_u64(r);
	l->create = read_u64(r);
	l->create_attempt = read_u32(r);
	l->verb = (enum ticket_verb)get_enum(r, TICKET_REOPEN + 1);
	l->dead_verb = (enum ticket_verb)get_enum(r, TICKET_REOPEN + 1);
	l->error_class = (enum ticket_class)get_enum(r, TICKET_CLASS_UNKNOWN + 1);
	l->attempt = read_u32(r);
	l->tries = read_u32(r);
	l->gone = (int)(read_u32(r) & INT32_MAX);
	l->sending = read_u64(r);
	l->confirmed = read_u64(r);
	l->dead_print = read_u64(r);
	get_texts(r, l->notes.first, &l->notes.n_first);
	get_texts(r, l->notes.last, &l->notes.n_last);
	l->notes.more = (size_t)read_u64(r);
	if (l->destination == NULL || (l->state == LANE_BOUND && l->ticket == NULL))
		return false;
	lane_index_op(c, l);
	return r->ok;
}

static void put_destinations(struct buf *out, const struct correlation *c)
{
	buf_u64(out, c->n_destinations);
	for (size_t k = 0; k < c->n_destinations; k++) {
		const struct destination *d = &c->destinations[k];
		put_str(out, d->name);
		buf_u8(out, (uint8_t)d->mode);
		buf_u32(out, (uint32_t)d->failures);
		put_time(out, d->probe_at);
		buf_u64(out, d->probing);
	}
}

static void get_destinations(struct reader *r, struct correlation *c)
{
	size_t n = get_count(r, 25);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *name = get_str(r);
		struct destination *d = outbox_destination(c, name != NULL ? name : "");
		d->mode = (enum destination_mode)get_enum(r, DESTINATION_PAUSED + 1);
		d->failures = (int)(read_u32(r) & INT32_MAX);
		d->probe_at = get_time(r);
		d->probing = read_u64(r);
		free(name);
	}
}

/* ---- spans and generations */

static void put_spans(const struct engine *e, struct buf *out)
{
	const struct derived *d = &e->correlation->derived;
	uint64_t n = 0;
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1)
			buf_u64(out, n);
		for (uint32_t s = 0; s < d->n_services; s++) {
			/* one that ended so long ago can no longer be seen by any search */
			bool old = d->span_off[s] != INSTANT_NONE &&
			           e->now - d->span_off[s] > 2 * e->setup.config->correlation.keep;
			if (d->span_on[s] == INSTANT_NONE || old)
				continue;
			n += pass == 0;
			if (pass == 0)
				continue;
			buf_lslice(out, service_id(e->setup.map, s));
			put_time(out, d->span_on[s]);
			put_time(out, d->span_off[s]);
		}
	}
}

static void get_spans(struct engine *e, struct reader *r)
{
	struct derived *d = &e->correlation->derived;
	size_t n = get_count(r, 20);
	for (size_t s = 0; s < d->n_services; s++)
		d->span_on[s] = d->span_off[s] = INSTANT_NONE;
	for (size_t k = 0; k < n && r->ok; k++) {
		struct slice id = read_lslice(r);
		instant on = get_time(r), off = get_time(r);
		uint32_t s = id.p != NULL ? service_find(e->setup.map, id) : SERVICE_NONE;
		if (s == SERVICE_NONE)
			continue;
		d->span_on[s] = on;
		d->span_off[s] = off;
	}
}

static void put_generations(struct buf *out, const struct correlation *c)
{
	buf_u32(out, c->generation_base);
	buf_u64(out, c->n_generations);
	for (size_t k = 0; k < c->n_generations; k++) {
		put_str(out, c->generations[k].pair);
		buf_u32(out, c->generations[k].n);
	}
}

static void get_generations(struct reader *r, struct correlation *c)
{
	c->generation_base = read_u32(r);
	size_t n = get_count(r, 8);
	for (size_t k = 0; k < n && r->ok; k++) {
		char *pair = get_str(r);
		uint32_t g = read_u32(r);
		generation_put(c, pair != NULL ? pair : "", g);
		free(pair);
	}
}

/* ---- all */

void correlation_save(const struct engine *e, struct buf *out)
{
	const struct correlation *c = e->correlation;
	const struct episode *ep;
	const struct incident *i;
	const struct lane *l;
	BUG_ON(c->n_work > 0 || c->n_moved > 0 || c->touched != NULL);
	size_t at = out->n;
	uint64_t n = 0;
	buf_u64(out, 0);
	TAILQ_FOREACH(ep, &c->episodes, all)
	{
		put_episode(out, ep);
		n++;
	}
	for (int k = 0; k < 8; k++)
		out->p[at + (size_t)k] = (char)(n >> 8 * k & 0xff);
	at = out->n;
	n = 0;
	buf_u64(out, 0);
	TAILQ_FOREACH(i, &c->incidents, all)
	{
		put_incident(c, out, i);
		n++;
	}
	for (int k = 0; k < 8; k++)
		out->p[at + (size_t)k] = (char)(n >> 8 * k & 0xff);
	put_destinations(out, c);
	n = 0;
	TAILQ_FOREACH(l, &c->lanes, all)
	n++;
	buf_u64(out, n);
	TAILQ_FOREACH(l, &c->lanes, all)
	put_lane(out, l);
	put_spans(e, out);
	put_generations(out, c);
}

/* What follows from the episodes: what they take down, and who would look at whom. */
static void derive(struct engine *e)
{
	struct episode *ep;
	TAILQ_FOREACH(ep, &e->correlation->episodes, all)
	if (!ep->risk && ep->node->open == ep && ep->node->service != SERVICE_NONE && ep->real &&
	    ep->level == LEVEL_DOWN)
		derived_source(e, ep->node->service, true);
}

static void watch_again(struct engine *e)
{
	struct episode *ep;
	TAILQ_FOREACH(ep, &e->correlation->episodes, all)
	if (!ep->risk && ep->real && e->now - ep->on < e->setup.config->correlation.young)
		parent_watch(e, ep);
}

bool correlation_load(struct engine *e, struct reader *r)
{
	struct correlation *c = e->correlation;
	if (!get_episodes(e, r))
		return false;
	size_t n = get_count(r, 200);
	for (size_t k = 0; k < n; k++)
		if (!get_incident(e, r))
			return false;
	get_destinations(r, c);
	n = get_count(r, 100);
	for (size_t k = 0; k < n; k++)
		if (!get_lane(e, r))
			return false;
	derive(e);
	get_spans(e, r);
	get_generations(r, c);
	watch_again(e);
	return r->ok;
}
