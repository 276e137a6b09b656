/* Intake's part of shadow rules: every event is matched a second time, by the candidate, and offered to core's shadow engine.
 * Nothing waits for it: what the channel has no room for is dropped and counted. */
#include <stdlib.h>

#include "base/log.h"
#include "role_intake.h"
#include "rules/sources.h"

#define BEHIND (1u << 20) /* octets that wait for core: the candidate's events wait no longer behind them */

struct intake_shadow {
	struct config *config;
	struct rule_set *rules;
	struct matcher *matcher;
	struct redact *redact;
	struct fields fields; /* of the event, before the live decoders */
	struct buf record, frame;
	uint64_t seq;
	_Atomic uint64_t *offered, *dropped;
};

void intake_shadow_free(struct intake_shadow *s)
{
	if (s == NULL)
		return;
	matcher_free(s->matcher);
	redact_free(s->redact);
	rule_set_free(s->rules);
	config_free(s->config);
	fields_free(&s->fields);
	buf_free(&s->record);
	buf_free(&s->frame);
	free(s);
}

/* Only tables that the running rules have too are copied; a candidate's new table is empty until it is deployed. */
void intake_shadow_tables(struct intake_shadow *s, const struct role_tables *t)
{
	if (s != NULL)
		role_tables_give(t, s->rules, s->matcher);
}

static struct intake_shadow *shadow_new(struct intake *in, const struct bundle *b, struct error *err)
{
	struct intake_shadow *s = xcalloc(1, sizeof *s);
	struct findings f = {0};

	fields_init(&s->fields, NULL);
	s->config = config_from_bundle(b, &f);
	if (s->config != NULL)
		s->rules = sources_rules(b, s->config, false, &f);
	if (s->rules != NULL)
		s->redact = redact_new(s->config, err);
	else
		error_set(err, "the candidate's rules do not load");
	findings_clear(&f);
	if (s->redact == NULL) {
		intake_shadow_free(s);
		return NULL;
	}
	rule_set_set_generation(s->rules, bundle_generation(b));
	s->matcher = matcher_new(s->rules);
	intake_shadow_tables(s, in->tables);
	s->offered = counter(in->role->counters, "carillon_shadow_events_total", "");
	s->dropped = counter(in->role->counters, "carillon_shadow_dropped_total", "");
	return s;
}

void intake_shadow_frame(struct intake *in, struct slice bytes)
{
	struct bundle b;
	struct error err;

	intake_shadow_free(in->shadow);
	in->shadow = NULL;
	if (bytes.n == 0)
		return;
	if (bundle_decode(bytes, &b, &err) != 0) {
		log_error("msg=\"shadow rules refused\" reason=\"%s\"", err.text);
		return;
	}
	in->shadow = shadow_new(in, &b, &err);
	if (in->shadow == NULL)
		log_error("msg=\"shadow rules refused\" reason=\"%s\"", err.text);
	bundle_free(&b);
}

/* Values are shared, the list of them is not: neither rule set sees what the other one's decoders set. */
static void copy_fields(struct fields *to, const struct fields *from)
{
	memcpy(to->core, from->core, sizeof to->core);
	to->arena = from->arena;
	to->limit = from->limit;
	to->named = array_reserve(to->named, &to->cap_named, from->n_named + 1, sizeof *to->named);
	if (from->n_named > 0)
		memcpy(to->named, from->named, from->n_named * sizeof *to->named);
	to->n_named = from->n_named;
}

void intake_shadow_event(struct intake *in, const struct fields *f, instant received)
{
	struct intake_shadow *s = in->shadow;
	const uint32_t *hits;
	struct ulid id;
	size_t n;

	if (in->core == NULL)
		return;
	copy_fields(&s->fields, f);
	if (!matcher_decode(s->matcher, &s->fields))
		return;
	matcher_resolve(s->matcher, in->map->map, &s->fields);
	n = matcher_match(s->matcher, &s->fields, &hits);
	if (n == 0)
		return;
	if (channel_backlog(in->core) > BEHIND) {
		counter_add(s->dropped, 1);
		return;
	}
	redact_fields(s->redact, &s->fields);
	id = ulid_make(received, in->role->index, ++s->seq * 0x9e3779b97f4a7c15ull);
	buf_clear(&s->record);
	buf_clear(&s->frame);
	evt_encode(&s->fields, &id, received, &s->record);
	event_frame_encode(rule_set_generation(s->rules), in->role->index, s->seq, hits, n, (const struct evt *)(const void *)s->record.p, &s->frame);
	channel_send(in->core, FRAME_SHADOW, 0, buf_slice(&s->frame));
	counter_add(s->offered, 1);
}
