/* What two runs over one recording make of it differently: which tickets are lost, new, or of another
 * priority, and why. The runs number events alike, because decoders of payloads do not depend on rules. */
#include <stdlib.h>
#include <string.h>

#include "ctl/backtest.h"

#define NONE UINT32_MAX

/* ---- who has which event */

static uint32_t *owners(const struct bt_run *r)
{
	size_t n = r->trace.n_events;
	uint32_t *v = xmalloc((n + 1) * sizeof *v);

	memset(v, 0xff, (n + 1) * sizeof *v);
	for (size_t i = r->tickets.n; i-- > 0;) {
		const struct bt_ticket *k = r->tickets.v[i];

		for (size_t e = 0; e < k->n_events; e++)
			v[k->events[e]] = (uint32_t)i;
	}
	return v;
}

/* The ticket that has most of these events, the earliest of equals; NONE: no ticket has one. */
static uint32_t best_of(const struct bt_ticket *k, const uint32_t *owner, uint32_t *votes)
{
	uint32_t best = NONE;

	for (size_t e = 0; e < k->n_events; e++) {
		uint32_t o = owner[k->events[e]];

		if (o == NONE)
			continue;
		votes[o]++;
		if (best == NONE || votes[o] > votes[best] || (votes[o] == votes[best] && o < best))
			best = o;
	}
	for (size_t e = 0; e < k->n_events; e++)
		if (owner[k->events[e]] != NONE)
			votes[owner[k->events[e]]] = 0;
	return best;
}

/* ---- why a ticket is not there */

struct fate {
	size_t dropped, wanted;
	const struct trace_alert *begun, *opened, *member; /* the first one that came so far */
	const struct trace_incident *incident;
};

static bool shares(const struct trace_alert *a, const struct bt_ticket *k)
{
	for (size_t x = 0, y = 0; x < a->n && y < k->n_events;) {
		if (a->events[x] == k->events[y])
			return true;
		if (a->events[x] < k->events[y])
			x++;
		else
			y++;
	}
	return false;
}

static void alert_fate(const struct trace *t, const struct trace_alert *a, struct fate *f)
{
	uint64_t serial = trace_incident_of(t, a);

	if (f->begun == NULL)
		f->begun = a;
	if (a->opened != INSTANT_NONE && f->opened == NULL)
		f->opened = a;
	if (serial == 0 || f->member != NULL)
		return;
	f->member = a;
	f->incident = hmap_get(t->incident_by, key_u64(&serial));
}

static struct fate fate_of(const struct trace *t, const struct bt_ticket *k)
{
	struct fate f = {0};

	for (size_t e = 0; e < k->n_events; e++) {
		f.dropped += t->events[k->events[e]].dropped;
		f.wanted += t->events[k->events[e]].wanted;
	}
	for (size_t i = 0; i < t->n_alerts; i++)
		if (t->alerts[i]->n > 0 && shares(t->alerts[i], k))
			alert_fate(t, t->alerts[i], &f);
	return f;
}

static char *why_lost(const struct trace *t, const struct bt_ticket *k)
{
	struct fate f = fate_of(t, k);

	if (f.incident != NULL)
		return xasprintf("alert %s joined an incident that ended as '%s' without a ticket",
		                 f.member->rule, f.incident->state);
	if (f.opened != NULL)
		return xasprintf(
		    "alert %s opened but joined no incident: it was muted, or its rule asks for none",
		    f.opened->rule);
	if (f.begun != NULL)
		return xasprintf("alert %s began but never opened", f.begun->rule);
	if (f.wanted > 0)
		return xstrdup("rules want its events, but no alert begins: what they count is not reached");
	if (f.dropped == k->n_events)
		return xstrdup("a decoder drops its events");
	return xstrdup("no rule wants its events");
}

static const char *or_none(const char *s)
{
	return s != NULL ? s : "nothing";
}

static const char *first_service(const struct trace_incident *i)
{
	return i->n_services > 0 ? i->services[0] : NULL;
}

static char *why_other(const struct trace_incident *before, const struct trace_incident *now)
{
	const char *a = or_none(before->root), *b = or_none(now->root);
	const char *x = or_none(first_service(before)), *y = or_none(first_service(now));

	if (strcmp(a, b) != 0)
		return xasprintf("root %s instead of %s, hurts %s instead of %s", b, a, y, x);
	if (strcmp(x, y) != 0 || before->n_services != now->n_services)
		return xasprintf("hurts %s (of %zu) instead of %s (of %zu)", y, now->n_services, x,
		                 before->n_services);
	return xasprintf("rule %s instead of %s decides", or_none(now->rule), or_none(before->rule));
}

/* ---- all */

static void add(struct bt_diff *d, enum bt_change change, const struct bt_ticket *before,
                const struct bt_ticket *now, char *why)
{
	d->v = array_reserve(d->v, &d->cap, d->n + 1, sizeof *d->v);
	d->v[d->n++] = (struct bt_difference){change, before, now, why};
	d->count[change]++;
}

static void compare(struct bt_diff *d, const struct bt_ticket *before, const struct bt_ticket *now)
{
	int a = before->final->priority, b = now->final->priority;

	if (a != b)
		add(d, b > a ? BT_LOWER : BT_HIGHER, before, now, why_other(before->final, now->final));
}

void bt_diff(struct bt_diff *d, const struct bt_run *before, const struct bt_run *now)
{
	uint32_t *then = owners(before), *today = owners(now);
	uint32_t *votes = xcalloc(MAX(before->tickets.n, now->tickets.n) + 1, sizeof *votes);

	*d = (struct bt_diff){.before = before->tickets.n, .now = now->tickets.n};
	BUG_ON(before->trace.n_events != now->trace.n_events);
	/* an emptied ticket was merged into another one, and that one is compared */
	for (size_t i = 0; i < before->tickets.n; i++) {
		const struct bt_ticket *k = before->tickets.v[i];
		uint32_t best = best_of(k, today, votes);

		if (k->n_events > 0 && best == NONE)
			add(d, BT_LOST, k, NULL, why_lost(&now->trace, k));
		else if (k->n_events > 0)
			compare(d, k, now->tickets.v[best]);
	}
	for (size_t i = 0; i < now->tickets.n; i++) {
		const struct bt_ticket *k = now->tickets.v[i];

		if (k->n_events > 0 && best_of(k, then, votes) == NONE)
			add(d, BT_NEW, NULL, k, why_lost(&before->trace, k));
	}
	free(votes);
	free(then);
	free(today);
}

void bt_diff_free(struct bt_diff *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].why);
	free(d->v);
	*d = (struct bt_diff){0};
}

const char *bt_change_word(enum bt_change c)
{
	switch (c) {
	case BT_LOST: return "lost";
	case BT_LOWER: return "lower priority";
	case BT_HIGHER: return "higher priority";
	case BT_NEW: return "new";
	case BT_CHANGES: break;
	}
	bug_stop("change", __FILE__, __LINE__);
}
