/* Promises that incidents come back as they were, with their members, their log and their places in the
 * indexes. */
#include <stdlib.h>

#include "engine/save.h"

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

static const char *const log_kinds[] = {"state",  "joined",      "cause",  "not",    "root", "priority",
                                        "split",  "merged",      "stale",  "ticket", "note", "inferred",
                                        "timing", "maintenance", "person", "other"};

static void put_log(struct buf *out, const struct incident *i)
{
	buf_u64(out, i->n_log);
	for (size_t k = 0; k < i->n_log; k++) {
		save_time(out, i->log[k].at);
		buf_u32(out, i->log[k].number);
		save_str(out, i->log[k].kind);
		save_str(out, i->log[k].text);
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
	size_t n = load_count(r, 20);
	i->log = array_reserve(NULL, &i->cap_log, n, sizeof *i->log);
	for (; i->n_log < n; i->n_log++) {
		struct log_line *l = &i->log[i->n_log];
		*l = (struct log_line){.at = load_time(r), .number = read_u32(r)};
		l->kind = log_kind(read_lslice(r));
		l->text = load_str(r);
		if (l->text == NULL)
			l->text = xstrdup("");
	}
	i->log_number = read_u32(r);
}

static void put_members(struct buf *out, const struct incident *i)
{
	const struct episode *ep;
	buf_u64(out, i->tally.episodes);
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
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
	size_t n = load_count(r, 8 + sizeof(struct tally));
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
	n = load_count(r, 8);
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
		save_str(out, i->hurts[k].service);
		buf_u8(out, (uint8_t)i->hurts[k].tier);
		buf_u8(out, (uint8_t)i->hurts[k].effect);
		save_time(out, i->hurts[k].since);
	}
}

static void get_hurts(struct reader *r, struct incident *i)
{
	size_t n = load_count(r, 6);
	for (size_t k = 0; k < n && r->ok; k++) {
		struct slice service = read_lslice(r);
		int tier = load_enum(r, 5);
		enum effect effect = (enum effect)load_enum(r, EFFECT_DOWN + 1);
		instant since = load_time(r);
		r->ok = r->ok && service.p != NULL && tier >= 1 && effect >= EFFECT_DEGRADED;
		if (r->ok)
			hurt_add(i, service, tier, effect, since);
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
	                         i->resolved, i->closed, i->calm,    i->firing, i->wake};
	const char *const texts[] = {i->group_key, i->root_id, i->class_id,    i->key,  i->title,
	                             i->holds,     i->assign,  i->destination, i->owner, i->change};
	buf_u64(out, i->serial);
	buf_add(out, i->id.b, sizeof i->id.b);
	buf_u8(out, (uint8_t)i->state);
	buf_u8(out, (uint8_t)i->back);
	buf_u8(out, (uint8_t)i->group);
	buf_u8(out, (uint8_t)i->resolve);
	buf_u8(out, (uint8_t)(i->by_hand | i->calm_since << 1 | i->again << 2 | i->predict_due << 3 |
	                      i->worked_on << 4 | i->wontfix << 5));
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		save_time(out, times[k]);
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		save_str(out, texts[k]);
	buf_u32(out, i->generation);
	buf_u8(out, (uint8_t)i->fixed_priority);
	buf_u8(out, (uint8_t)i->priority);
	buf_u8(out, (uint8_t)i->predicted_level);
	buf_u8(out, (uint8_t)i->kind);
	buf_u64(out, i->in_storm);
	buf_u8(out, (uint8_t)i->storm_priority);
	buf_u8(out, (uint8_t)i->storm_severity);
	buf_u8(out, (uint8_t)i->person_priority);
	buf_u8(out, (uint8_t)i->person_severity);
	save_time(out, i->reopen_within);
	save_time(out, i->resolve_after);
	buf_u64(out, i->merged_into);
	buf_u64(out, i->previous);
	save_str(out, i->previous_id);
	for (size_t k = 0; k < ELSEWHERE; k++)
		save_str(out, i->elsewhere[k]);
	put_tally(out, &i->tally);
	put_members(out, i);
	put_hurts(out, i);
	put_log(out, i);
	buf_u8(out, (uint8_t)indexed(c, i));
}

static void get_facts(struct reader *r, struct incident *i)
{
	instant *const times[] = {&i->born,     &i->newest, &i->updated, &i->opened, &i->clearing_at,
	                          &i->resolved, &i->closed, &i->calm,    &i->firing, &i->wake};
	char **const texts[] = {&i->group_key, &i->root_id, &i->class_id,    &i->key,  &i->title,
	                        &i->holds,     &i->assign,  &i->destination, &i->owner, &i->change};
	struct slice id = read_bytes(r, sizeof i->id.b);
	if (id.p != NULL && id.n == sizeof i->id.b)
		memcpy(i->id.b, id.p, sizeof i->id.b);
	ulid_text(&i->id, i->id_text);
	i->state = (enum incident_state)load_enum(r, INCIDENT_STATES);
	i->back = (enum incident_state)load_enum(r, INCIDENT_STATES);
	i->group = (enum incident_group)load_enum(r, GROUP_FIELDS + 1);
	i->resolve = (enum incident_resolve)load_enum(r, RESOLVE_NEVER + 1);
	unsigned bits = read_u8(r);
	i->by_hand = bits & 1;
	i->calm_since = bits & 2;
	i->again = bits & 4;
	i->predict_due = bits & 8;
	i->worked_on = bits & 16;
	i->wontfix = bits & 32;
	for (size_t k = 0; k < ARRAY_LEN(times); k++)
		*times[k] = load_time(r);
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		*texts[k] = load_str(r);
	i->generation = read_u32(r);
	i->fixed_priority = read_u8(r);
	i->priority = read_u8(r);
	i->predicted_level = read_u8(r);
	i->kind = (enum incident_kind)load_enum(r, INCIDENT_OWN + 1);
	i->in_storm = read_u64(r);
	i->storm_priority = load_enum(r, 6);
	i->storm_severity = (enum severity)load_enum(r, SEVERITY_CRITICAL + 1);
	i->person_priority = load_enum(r, 6);
	i->person_severity = (enum severity)load_enum(r, SEVERITY_CRITICAL + 1);
	i->reopen_within = load_time(r);
	i->resolve_after = load_time(r);
	i->merged_into = read_u64(r);
	i->previous = read_u64(r);
	struct slice previous = read_lslice(r);
	if (previous.n < sizeof i->previous_id && previous.p != NULL)
		memcpy(i->previous_id, previous.p, previous.n);
	for (size_t k = 0; k < ELSEWHERE; k++)
		i->elsewhere[k] = load_str(r);
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

void incidents_save(const struct correlation *c, struct buf *out)
{
	const struct incident *i;
	uint64_t n = 0;
	TAILQ_FOREACH (i, &c->incidents, all)
		n++;
	buf_u64(out, n);
	TAILQ_FOREACH (i, &c->incidents, all)
		put_incident(c, out, i);
}

bool incidents_load(struct engine *e, struct reader *r)
{
	size_t n = load_count(r, 200);
	for (size_t k = 0; k < n; k++)
		if (!get_incident(e, r))
			return false;
	return r->ok;
}
