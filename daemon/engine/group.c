/* Promises the incidents of alerts that know no map: one alert each, or equal values of the fields that their
 * rule names (language.md section 8). Must not know episodes. */
#include "engine/correlate.h"

#include <stdlib.h>

static char *key_of(const struct engine *e, const struct alert *a)
{
	const struct rule *r = alert_rule(e, a);
	struct buf b = {0};
	if (r == NULL || r->incident.group != GROUP_FIELDS) {
		buf_printf(&b, "alert\n%s\n%s", a->rule_id, a->key);
		buf_cstr(&b);
		return b.p;
	}
	buf_printf(&b, "fields\n" SLICE_FMT, SLICE_ARG(r->package));
	for (size_t i = 0; i < a->n_group; i++)
		buf_printf(&b, "\n%s=%s", a->group_names[i],
		           a->group_values[i] != NULL ? a->group_values[i] : "");
	buf_cstr(&b);
	return b.p;
}

static bool continues(const struct engine *e, const struct incident *i)
{
	if (i == NULL || incident_state_final(i->state))
		return false;
	return i->state != INCIDENT_RESOLVED || e->now < incident_reopen_until(e, i);
}

static struct incident *find(struct engine *e, struct alert *a, char *key)
{
	struct correlation *c = e->correlation;
	struct incident *i = hmap_get(c->by_group, slice_str(key));
	if (continues(e, i)) {
		free(key);
		return i;
	}
	const struct incident *before = i;
	const struct rule *r = alert_rule(e, a);
	i = incident_new(e, r != NULL && r->incident.group == GROUP_FIELDS ? GROUP_FIELDS : GROUP_ALERT);
	i->group_key = key;
	incident_link(i, before);
	hmap_put(c->by_group, slice_str(key), i);
	return i;
}

static void take_service(struct engine *e, struct incident *i, const struct alert *a)
{
	const struct service_map *m = e->setup.map;
	uint32_t s = a->service != NULL ? service_find(m, slice_str(a->service)) : SERVICE_NONE;
	if (s == SERVICE_NONE || service_tier(m, s) == 0 || a->effect < EFFECT_DEGRADED)
		return;
	hurt_add(i, service_id(m, s), service_tier(m, s), a->effect, a->first);
}

/* As with episodes: a long incident does not grow without bound; the first alert stays. */
static void trim(struct engine *e, struct incident *i)
{
	if (i->n_alerts <= (size_t)EPISODE_ALERTS + i->tally.alerts_open)
		return;
	for (size_t k = 1; k < i->n_alerts; k++) {
		struct alert *a = i->alerts[k];
		if (a->state != ALERT_CLOSED || a->closed >= e->now)
			continue;
		memmove(i->alerts + k, i->alerts + k + 1, (i->n_alerts - k - 1) * sizeof *i->alerts);
		i->n_alerts--;
		a->incident = 0;
		alert_release(e, a);
		return;
	}
}

void group_alert(struct engine *e, struct alert *a)
{
	struct incident *i = find(e, a, key_of(e, a));
	i->alerts = array_reserve(i->alerts, &i->cap_alerts, i->n_alerts + 1, sizeof(struct alert *));
	i->alerts[i->n_alerts++] = a;
	i->tally.alerts++;
	i->tally.alerts_open++;
	i->newest = e->now;
	a->incident = i->serial;
	observe_joined(e, a, 0, i->serial);
	if (i->by_hand && i->group == GROUP_ALERT)
		i->calm_since = true; /* there is a new alert only because the former one closed */
	incident_rules(e, i, a);
	take_service(e, i, a);
	incident_log(e, i, "joined", "alert %s opened: %s", a->rule_id,
	             a->summary != NULL ? a->summary : a->key);
	trim(e, i);
	incident_touch(e, i);
}

void group_change(struct engine *e, struct alert *a, enum alert_change what)
{
	struct incident *i = hmap_get(e->correlation->incident_by, key_u64(&a->incident));
	if (DOUBT(i == NULL || i->group == GROUP_TOPOLOGY))
		return;
	if (what == ALERT_CHANGE_REPEATED) {
		incident_dirty(e->correlation, i);
		return;
	}
	if (what == ALERT_CHANGE_CLOSED) {
		BUG_ON(i->tally.alerts_open == 0);
		instant calm = a->calm != INSTANT_NONE ? MIN(a->calm, e->now) : e->now;
		i->tally.alerts_open--;
		i->calm = i->calm == INSTANT_NONE ? calm : MAX(i->calm, calm);
		if (i->by_hand)
			i->calm_since = true;
	}
	incident_touch(e, i);
}

void group_move(struct engine *e, struct alert *a, struct incident *from, struct incident *to)
{
	size_t at = 0;
	BUG_ON(a->incident != from->serial || from->group == GROUP_TOPOLOGY || to->group == GROUP_TOPOLOGY);
	while (at < from->n_alerts && from->alerts[at] != a)
		at++;
	BUG_ON(at == from->n_alerts || from->tally.alerts == 0);
	memmove(from->alerts + at, from->alerts + at + 1, (from->n_alerts - at - 1) * sizeof *from->alerts);
	from->n_alerts--;
	from->tally.alerts--;
	to->alerts = array_reserve(to->alerts, &to->cap_alerts, to->n_alerts + 1, sizeof(struct alert *));
	to->alerts[to->n_alerts++] = a;
	to->tally.alerts++;
	if (a->state != ALERT_CLOSED) {
		BUG_ON(from->tally.alerts_open == 0);
		from->tally.alerts_open--;
		to->tally.alerts_open++;
	} else if (a->calm != INSTANT_NONE) {
		to->calm = to->calm == INSTANT_NONE ? a->calm : MAX(to->calm, a->calm);
	}
	a->incident = to->serial;
	to->born = MIN(to->born, a->opened);
	observe_joined(e, a, 0, to->serial);
	incident_rules(e, to, a);
	take_service(e, to, a);
	incident_log(e, to, "joined", "alert %s moved here by hand: %s", a->rule_id,
	             a->summary != NULL ? a->summary : a->key);
	alert_touch(e, a);
	incident_touch(e, from);
	incident_touch(e, to);
}
