/* What senders say about repeats, and the budget of new keys. A relay that writes "last message repeated 3 times" means
 * three more of its host's former message: thresholds must count them. And a flood of forged names must not push out what
 * the rules know of real ones: combinations of sender, host and program that nobody has seen for a day cost from a budget
 * of the sender and of all together. Must not know rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quota.h"
#include "base/seen.h"
#include "role_intake.h"

#define REMEMBERED  4096u   /* former messages, by sender and host; a power of two: who comes to a taken place takes it */
#define RECORD_MAX  4096u   /* octets of one */
#define HITS_MAX    64u
#define TIMES_MAX   10000u
#define KNOWN       16384u  /* keys that this process knows to be known; a power of two */
#define KEYS_TIME   DAY
#define KEYS_EVERY  3600.0  /* the budget is for an hour */
#define KEYS_ALL    4.0     /* all senders together have so many times that of one */

struct former {
	uint64_t key;
	uint32_t generation;
	uint32_t hits[HITS_MAX]; size_t n_hits; /* 0: no rule wanted it */
	struct buf record;
};

struct intake_repeats {
	struct former *v[REMEMBERED];
	struct { uint64_t key; instant until; } known[KNOWN];
	_Atomic uint64_t *repeated, *cut;
};

struct intake_repeats *intake_repeats_new(struct intake *in)
{
	struct intake_repeats *r = xcalloc(1, sizeof *r);

	r->repeated = counter(in->role->counters, "carillon_syslog_repeats_total", "");
	r->cut = counter(in->role->counters, "carillon_syslog_repeats_cut_total", "");
	return r;
}

void intake_repeats_free(struct intake_repeats *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < REMEMBERED; i++)
		if (r->v[i] != NULL) {
			buf_free(&r->v[i]->record);
			free(r->v[i]);
		}
	free(r);
}

static struct slice core(const struct fields *f, enum field_id id)
{
	return value_slice(f->core[id]);
}

/* Good enough to find again; 0 means nobody. */
static uint64_t key_of(struct slice sender, struct slice host, struct slice app)
{
	uint64_t k = hash_stable(sender);

	k = (k ^ hash_stable(host)) * 0x9e3779b97f4a7c15ull;
	k = (k ^ hash_stable(app) ^ k >> 29) * 0xbf58476d1ce4e5b9ull;
	return k | 1;
}

/* ---- the words of repeats */

static bool take_number(struct slice *s, uint64_t *n)
{
	size_t digits = 0;

	for (*n = 0; digits < s->n && digits < 9 && s->p[digits] >= '0' && s->p[digits] <= '9'; digits++)
		*n = *n * 10 + (uint64_t)(s->p[digits] - '0');
	*s = slice_sub(*s, digits, SIZE_MAX);
	return digits > 0;
}

/* "message repeated 5 times: [ text]" (rsyslog): the text is there again. */
static uint64_t with_text(struct slice m, struct slice *text)
{
	uint64_t n;

	m = slice_sub(m, sizeof "message repeated " - 1, SIZE_MAX);
	if (!take_number(&m, &n) || !slice_starts(m, SLICE(" times: [")) || !slice_ends(m, SLICE("]")))
		return 0;
	*text = slice_sub(m, 9, m.n - 10);
	if (text->n > 0 && text->p[0] == ' ')
		*text = slice_sub(*text, 1, SIZE_MAX);
	return text->n > 0 ? n : 0;
}

/* "last message repeated 3 times" (sysklogd, BSD, Solaris), "--- last message repeated 3 times ---" (macOS), "Last message
 * 'text' repeated 3 times, suppressed by syslog-ng on host". */
static uint64_t without_text(struct slice m)
{
	uint64_t n = 0;

	if (slice_starts(m, SLICE("--- ")))
		m = slice_sub(m, 4, SIZE_MAX);
	if (slice_starts(m, SLICE("Last message '"))) {
		const char *at = m.p != NULL ? memmem(m.p, m.n, "' repeated ", 11) : NULL;
		m = at != NULL ? slice_sub(m, (size_t)(at - m.p) + 11, SIZE_MAX) : SLICE_NONE;
		return take_number(&m, &n) && slice_starts(m, SLICE(" times, suppressed by syslog-ng")) ? n : 0;
	}
	if (!slice_starts(m, SLICE("last message repeated ")))
		return 0;
	m = slice_sub(m, 22, SIZE_MAX);
	return take_number(&m, &n) && (slice_starts(m, SLICE(" times")) || slice_starts(m, SLICE(" time"))) ? n : 0;
}

enum repeat_kind intake_repeat_kind(struct intake *in, struct fields *f, unsigned *times)
{
	struct slice m = core(f, FIELD_MESSAGE), text;
	enum repeat_kind kind = REPEAT_NONE;
	uint64_t n = 0;

	*times = 1;
	if (m.n < 20 || memchr("lLm-", m.p[0], 4) == NULL)
		return REPEAT_NONE;
	if (slice_starts(m, SLICE("message repeated "))) {
		n = with_text(m, &text);
		kind = REPEAT_TEXT;
		if (n > 0)
			fields_set_type(f, FIELD_MESSAGE, text, VALUE_TEXT);
	} else {
		n = without_text(m);
		kind = REPEAT_FORMER;
	}
	if (n == 0)
		return REPEAT_NONE;
	if (n > TIMES_MAX)
		counter_add(in->repeats->cut, n - TIMES_MAX);
	*times = (unsigned)MIN(n, (uint64_t)TIMES_MAX);
	return kind;
}

/* ---- the former message */

void intake_repeat_note(struct intake *in, const struct fields *f, const uint32_t *hits, size_t n, struct slice record)
{
	uint64_t key = key_of(core(f, FIELD_SENDER), core(f, FIELD_HOST), SLICE_NONE);
	struct former **at = &in->repeats->v[key >> 7 & (REMEMBERED - 1)], *o = *at;
	bool keep = n > 0 && n <= HITS_MAX && record.n <= RECORD_MAX;

	if (o == NULL && !keep)
		return;
	if (o == NULL)
		o = *at = xcalloc(1, sizeof *o);
	o->key = key;
	o->generation = in->gen->number;
	o->n_hits = keep ? n : 0;
	if (!keep)
		return;
	memcpy(o->hits, hits, n * sizeof *hits);
	buf_clear(&o->record);
	buf_adds(&o->record, record);
}

/* The same record n times more, each as an event of its own. */
void intake_repeat_offer(struct intake *in, const uint32_t *hits, size_t n_hits, struct buf *record, unsigned n, instant received)
{
	struct evt *e = (struct evt *)(void *)record->p;
	unsigned i = 0;

	for (; i < n && !intake_full(in); i++) {
		struct ulid id = ulid_make(received, in->role->index, (in->seq + 1) * 0x9e3779b97f4a7c15ull);
		evt_reissue(e, &id, received);
		intake_offer(in, hits, n_hits, e);
	}
	counter_add(in->repeats->repeated, i);
	counter_add(in->repeats->cut, n - i);
}

bool intake_repeat_former(struct intake *in, const struct fields *f, unsigned n, instant received)
{
	uint64_t key = key_of(core(f, FIELD_SENDER), core(f, FIELD_HOST), SLICE_NONE);
	struct former *o = in->repeats->v[key >> 7 & (REMEMBERED - 1)];

	if (o == NULL || o->key != key || o->n_hits == 0 || o->generation != in->gen->number)
		return false;
	intake_repeat_offer(in, o->hits, o->n_hits, &o->record, n, received);
	return true;
}

/* ---- new keys */

static bool within_budget(struct intake *in, const char *prefix, struct slice name, double budget, instant now)
{
	char text[160];
	int n = snprintf(text, sizeof text, "%s" SLICE_FMT, prefix, SLICE_ARG(slice_sub(name, 0, 120)));

	return quota_take(quota_slot(in->role->shared->quota, slice_of(text, (size_t)n), now), budget / KEYS_EVERY, budget, 1, now);
}

bool intake_key_allowed(struct intake *in, const struct fields *f)
{
	double budget = in->gen->config->limits.sender_keys;
	struct slice sender = core(f, FIELD_SENDER);
	uint64_t key = key_of(sender, core(f, FIELD_HOST), core(f, FIELD_APP));
	struct intake_repeats *r = in->repeats;
	size_t at = key >> 9 & (KNOWN - 1);
	instant now = loop_now(in->role->loop);

	if (r->known[at].key == key && now < r->known[at].until)
		return true;
	if (seen_begin(in->role->shared->keys, key, in->role->index, now, KEYS_TIME) != SEEN_DONE) {
		if (!within_budget(in, "@keys ", sender, budget, now) || !within_budget(in, "@keys", SLICE_NONE, KEYS_ALL * budget, now))
			return false;
		seen_done(in->role->shared->keys, key, in->role->index, now);
	}
	r->known[at].key = key;
	r->known[at].until = now + MINUTE;
	return true;
}
