/* One payload on its way through intake: limits, decoder, rules, map, redaction, the tail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/quota.h"
#include "base/seen.h"
#include "model/address.h"
#include "role_intake.h"

#define TAIL_BEHIND  (1u << 20) /* a front that does not read must not cost memory */
#define TAIL_RATE    500u /* lines a second while somebody watches: a sample, never a load */

/* ---- who may send */

struct cidr_list {
	size_t n;
	struct {
		struct address net;
		unsigned bits;
	} v[];
};

struct cidr_list *cidr_list_new(char *const *texts, size_t n)
{
	struct cidr_list *c;

	if (n == 0)
		return NULL;
	c = xcalloc(1, sizeof *c + n * sizeof c->v[0]);
	/* config_load has refused what is no network */
	for (size_t i = 0; i < n; i++)
		if (!DOUBT(!network_parse(slice_str(texts[i]), &c->v[c->n].net, &c->v[c->n].bits)))
			c->n++;
	return c;
}

void cidr_list_free(struct cidr_list *c)
{
	free(c);
}

bool intake_allowed(const struct intake_listener *l, const struct peer *from)
{
	struct address a;

	if (l->allow == NULL || strcmp(from->text, "unix") == 0)
		return true;
	if (!address_parse(slice_str(from->text), &a))
		return false;
	for (size_t i = 0; i < l->allow->n; i++)
		if (address_in(&a, &l->allow->v[i].net, l->allow->v[i].bits))
			return true;
	return false;
}

/* ---- how fast: token buckets of the sender, the listener and the whole, for all intakes together */

struct quota_slot *intake_bucket(struct intake *in, const struct peer *from)
{
	return quota_slot(in->role->shared->quota, slice_str(from->text), loop_now(in->role->loop));
}

bool intake_bucket_ready(struct intake *in, const struct quota_slot *b)
{
	double rate = in->gen->config->limits.sender_rate;

	return quota_ready(b, rate, 2 * rate, loop_now(in->role->loop));
}

static bool within(struct intake *in, const char *name, double rate, unsigned events)
{
	instant now = loop_now(in->role->loop);

	return rate <= 0 || quota_take(quota_slot(in->role->shared->quota, slice_str(name), now), rate, 2 * rate, events, now);
}

/* The bucket of everything, looked up once a turn: a name that took its place is known by the next. */
static bool within_all(struct intake *in, double rate, unsigned events)
{
	instant now = loop_now(in->role->loop);

	if (rate <= 0)
		return true;
	if (in->all == NULL || in->all_at != now) {
		in->all = quota_slot(in->role->shared->quota, SLICE("@all"), now);
		in->all_at = now;
	}
	return quota_take(in->all, rate, 2 * rate, events, now);
}

bool intake_bucket_take(struct intake *in, struct intake_listener *l, struct quota_slot *b, unsigned events)
{
	const struct config *c = in->gen->config;

	if (quota_take(b, c->limits.sender_rate, 2 * c->limits.sender_rate, events, loop_now(in->role->loop)) &&
	    within(in, l->config->name, l->config->rate, events) && within_all(in, c->limits.events_per_second, events))
		return true;
	counter_add(l->rate, events);
	return false;
}

bool intake_rate(struct intake *in, struct intake_listener *l, const struct peer *from, unsigned events)
{
	return intake_bucket_take(in, l, intake_bucket(in, from), events);
}

/* ---- the tail: a sample for whoever watches */

static bool tail_wanted(struct intake *in)
{
	instant second;

	if (in->tail == NULL || !in->watched || channel_backlog(in->tail) > TAIL_BEHIND)
		return false;
	second = loop_now(in->role->loop) / SECOND;
	if (in->tail_second != second) {
		in->tail_second = second;
		in->tail_said = 0;
	}
	return in->tail_said++ < TAIL_RATE;
}

static void tail_event(struct intake *in, const struct intake_listener *l, const struct fields *f, const uint32_t *hits, size_t n, const char *fate)
{
	const struct predicate *p = rule_set_predicates(in->gen->rules, &(size_t){0});
	const struct rule *rules = rule_set_rules(in->gen->rules, &(size_t){0});
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_ktime(&w, "received", loop_now(in->role->loop));
	jw_kstr(&w, "listener", l->config->name);
	jw_kstr(&w, "fate", fate);
	jw_key(&w, "event");
	jw_object(&w);
	fields_json(f, &w);
	jw_end(&w);
	jw_key(&w, "rules");
	jw_array(&w);
	for (size_t i = 0; i < n; i++)
		jw_slice(&w, rules[p[hits[i]].rule].id);
	jw_array_end(&w);
	jw_end(&w);
	channel_send(in->tail, FRAME_TAIL, 0, buf_slice(&b));
	buf_free(&b);
}

void intake_refusal(struct intake *in, struct intake_listener *l, const struct peer *from, const char *why, struct slice sample)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);

	if (log_allow(&l->said, loop_now(in->role->loop), 10))
		log_notice("msg=\"input refused\" listener=%s sender=%s reason=\"%s\"", l->config->name, from->text, why);
	if (!tail_wanted(in))
		return;
	jw_object(&w);
	jw_ktime(&w, "received", loop_now(in->role->loop));
	jw_kstr(&w, "listener", l->config->name);
	jw_kstr(&w, "fate", "refused");
	jw_kstr(&w, "sender", from->text);
	jw_kstr(&w, "reason", why);
	jw_kslice(&w, "sample", slice_sub(sample, 0, 200));
	jw_end(&w);
	channel_send(in->tail, FRAME_TAIL, 0, buf_slice(&b));
	buf_free(&b);
}

/* ---- the event itself */

void intake_count(struct intake_listener *l)
{
	if (l->tally.bytes == 0)
		return;
	counter_add(l->bytes, l->tally.bytes);
	counter_add(l->received, l->tally.received);
	counter_add(l->unwanted, l->tally.unwanted);
	memset(&l->tally, 0, sizeof l->tally);
}

/* duplicate_window (language.md section 3): the same host, app, text and sender's time. */
static bool repeats(struct intake *in, const struct intake_listener *l, const struct fields *f)
{
	static const enum field_id parts[] = {FIELD_HOST, FIELD_APP, FIELD_MESSAGE, FIELD_SUMMARY, FIELD_CHECK, FIELD_STATE, FIELD_DEDUP_KEY, FIELD_TIME};
	struct seen *s = in->role->shared->messages;
	instant now = loop_now(in->role->loop);
	struct buf b = {0};
	uint64_t key;
	bool known;

	buf_str(&b, l->config->name);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_lslice(&b, value_slice(f->core[parts[i]]));
	key = hash_stable(buf_slice(&b));
	known = seen_begin(s, key, in->role->index, now, l->config->duplicate_window) != SEEN_NEW;
	if (!known)
		seen_done(s, key, in->role->index, now);
	buf_free(&b);
	return known;
}

/* Repeats cost what the messages would have cost that they stand for; who has no more gets as much as there is: none. */
static unsigned paid(struct intake *in, struct intake_listener *l, const struct fields *f, unsigned times)
{
	struct quota_slot *bucket = quota_slot(in->role->shared->quota, value_slice(f->core[FIELD_SENDER]), loop_now(in->role->loop));

	return times > 1 && !intake_bucket_take(in, l, bucket, times - 1) ? 1 : times;
}

bool intake_event(struct intake *in, struct intake_listener *l, struct fields *f, instant received)
{
	const bool is_syslog = l->config->type == LISTENER_SYSLOG;
	enum repeat_kind repeat = REPEAT_NONE;
	const uint32_t *hits = NULL;
	unsigned times = 1;
	struct ulid id;
	size_t n;

	l->tally.received++;
	/* who shows no secret could come under any name */
	if (l->config->type != LISTENER_WEBHOOK && !intake_key_allowed(in, f)) {
		counter_add(l->keys, 1);
		if (tail_wanted(in))
			tail_event(in, l, f, NULL, 0, "too many new senders, hosts or programs (limits.sender_keys)");
		return false;
	}
	if (is_syslog)
		repeat = intake_repeat_kind(in, f, &times);
	if (repeat != REPEAT_NONE)
		times = paid(in, l, f, times);
	if (repeat == REPEAT_FORMER && intake_repeat_former(in, f, times, received)) {
		if (tail_wanted(in))
			tail_event(in, l, f, NULL, 0, "counts for the former message");
		return true;
	}
	if (in->shadow != NULL)
		intake_shadow_event(in, f, received);
	if (!matcher_decode(in->gen->matcher, f)) {
		counter_add(l->decoder, 1);
		if (tail_wanted(in))
			tail_event(in, l, f, NULL, 0, "dropped by a decoder");
		return false;
	}
	if (l->config->duplicate_window > 0 && repeats(in, l, f)) {
		counter_add(l->duplicate, 1);
		if (tail_wanted(in))
			tail_event(in, l, f, NULL, 0, "a duplicate");
		return false;
	}
	matcher_resolve(in->gen->matcher, in->map->map, f);
	n = matcher_match(in->gen->matcher, f, &hits);
	if (tail_wanted(in))
		tail_event(in, l, f, hits, n, n > 0 ? "accepted" : "no rule wants it");
	if (n == 0) {
		if (is_syslog)
			intake_repeat_note(in, f, NULL, 0, SLICE_NONE);
		l->tally.unwanted++;
		return false;
	}
	redact_fields(in->gen->redact, f);
	id = ulid_make(received, in->role->index, (in->seq + 1) * 0x9e3779b97f4a7c15ull);
	buf_clear(&in->record);
	evt_encode(f, &id, received, &in->record);
	/* a record of our own making is whole: hits are copied before the next match reuses them */
	intake_offer(in, hits, n, (const struct evt *)(const void *)in->record.p);
	if (repeat == REPEAT_TEXT && times > 1)
		intake_repeat_offer(in, hits, n, &in->record, times - 1, received);
	if (is_syslog)
		intake_repeat_note(in, f, hits, n, buf_slice(&in->record));
	return true;
}

unsigned intake_payload(struct intake *in, struct intake_listener *l, const struct decoder *d, const void *settings, const struct decode_env *env,
                        struct slice payload, struct buf *reply, bool *refused, const char **why)
{
	unsigned wanted = 0;
	enum decode_result result;

	l->tally.bytes += payload.n;
	evt_batch_reset(&in->batch);
	in->batch.fields_max = in->gen->config->limits.fields;
	result = d->decode(settings, env, payload, &in->batch, reply);
	*refused = result != DECODE_OK;
	*why = in->batch.n_notes > 0 ? in->batch.notes[0].text : "it cannot be decoded";
	if (*refused)
		counter_add(result == DECODE_DENIED ? l->acl : l->parse, 1);
	for (size_t i = 0; i < in->batch.n; i++)
		wanted += intake_event(in, l, &in->batch.v[i], env->received);
	return wanted;
}
