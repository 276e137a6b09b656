/* Random maps and random trouble: what is kept by changes only must equal what one gets by working everything
 * out anew. */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum { SERVICES = 24 };

/* `circles`: needs may run both ways; else only towards higher numbers. */
static void random_map(uint64_t *x, bool circles, struct buf *out)
{
	buf_str(out, "version: 1\nservices:\n");
	for (unsigned s = 0; s < SERVICES; s++) {
		buf_printf(out, "  s%u: {hosts: [s%u]%s, needs: [", s, s, s % 7 == 0 ? ", tier: 1" : "");
		unsigned n = 0, low = circles ? 0 : s + 1, span = SERVICES - low;
		uint32_t used = 1u << s;
		for (unsigned k = 0; k < 3 && span > 2; k++) {
			*x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			unsigned a = low + (unsigned)(*x >> 33) % span, b = low + (unsigned)(*x >> 45) % span;
			if (a == b || used >> a & 1 || used >> b & 1)
				continue;
			used |= 1u << a | 1u << b;
			buf_str(out, n++ > 0 ? ", " : "");
			if (*x >> 40 & 1)
				buf_printf(out, "{any: [s%u, s%u], at_least: %d}", a, b,
				           *x >> 41 & 1 ? 1 : 2);
			else
				buf_printf(out, "{service: s%u, effect: %s}", a,
				           *x >> 42 & 3 ? "down" : "degraded");
		}
		buf_str(out, "]}\n");
	}
}

/* ---- derived state from nothing */

static bool broken(const struct service_map *m, uint32_t g, const bool *down)
{
	size_t n, up = 0;
	const uint32_t *members = group_members(m, g, &n);
	for (size_t i = 0; i < n; i++)
		up += !down[members[i]];
	return up < group_at_least(m, g);
}

static bool falls(const struct service_map *m, uint32_t s, const bool *down)
{
	size_t n;
	const struct map_edge *needs = service_needs(m, s, &n);
	for (size_t i = 0; i < n; i++)
		if (needs[i].effect == EFFECT_DOWN &&
		    (needs[i].is_group ? broken(m, needs[i].to, down) : down[needs[i].to]))
			return true;
	return false;
}

/* Degraded or worse: softly by what is down, as hard as ever by what is degraded. */
static bool suffers(const struct service_map *m, uint32_t s, const bool *down, const bool *bad)
{
	size_t n;
	const struct map_edge *needs = service_needs(m, s, &n);
	for (size_t i = 0; i < n; i++) {
		const bool *by = needs[i].effect == EFFECT_DOWN ? bad : down;
		if (needs[i].effect != EFFECT_NONE &&
		    (needs[i].is_group ? broken(m, needs[i].to, by) : by[needs[i].to]))
			return true;
	}
	return false;
}

static void check_bad(struct desk *d, const bool *down)
{
	const struct service_map *m = d->rig->map;
	bool bad[SERVICES];
	memcpy(bad, down, sizeof bad);
	for (bool more = true; more;) {
		more = false;
		for (uint32_t s = 0; s < service_map_len(m); s++) {
			if (bad[s] || !suffers(m, s, down, bad))
				continue;
			bad[s] = more = true;
		}
	}
	for (uint32_t s = 0; s < service_map_len(m); s++)
		assert_int_equal(bad[s], d->rig->engine->correlation->derived.bad.in[s]);
}

static void check_derived(struct desk *d)
{
	const struct service_map *m = d->rig->map;
	bool down[SERVICES] = {false};
	const struct episode *ep;
	TAILQ_FOREACH (ep, &d->rig->engine->correlation->episodes, all)
		if (ep->off == INSTANT_NONE && !ep->risk && ep->real && ep->proven == LEVEL_DOWN &&
		    ep->node->service != SERVICE_NONE)
			down[ep->node->service] = true;
	for (bool more = true; more;) {
		more = false;
		for (uint32_t s = 0; s < service_map_len(m); s++) {
			if (down[s] || !falls(m, s, down))
				continue;
			down[s] = more = true;
		}
	}
	for (uint32_t s = 0; s < service_map_len(m); s++)
		assert_int_equal(down[s], derived_down(d->rig->engine->correlation, s));
	check_bad(d, down);
}

/* ---- parents from nothing, and the shape of the forest */

static void check_parents(struct desk *d)
{
	struct engine *e = d->rig->engine;
	struct episode *ep;
	TAILQ_FOREACH (ep, &e->correlation->episodes, all) {
		int before = ep->cost;
		if (ep->risk || e->now - ep->on >= e->setup.config->correlation.young)
			continue;
		parent_search(e, ep);
		assert_int_equal(ep->cost, before); /* of equally near causes another one may explain more by now */
	}
	correlation_settle(e);
}

static void check_forest(struct desk *d)
{
	const struct incident *i;
	struct episode *ep;
	struct correlation *c = d->rig->engine->correlation;
	TAILQ_FOREACH (ep, &c->episodes, all) {
		struct tally t;
		assert_true(!ep->real || ep->incident != NULL);
		if (ep->parent != NULL && ep->off == INSTANT_NONE)
			assert_ptr_equal(ep->incident, ep->parent->incident);
		if (ep->incident == NULL)
			continue;
		episode_tally(ep, &t);
		assert_memory_equal(&t, &ep->tally, sizeof t);
	}
	TAILQ_FOREACH (i, &c->incidents, all) {
		struct tally sum = {0};
		size_t tops = 0;
		TAILQ_FOREACH (ep, &i->episodes, in_incident) {
			sum.episodes++;
			sum.on += ep->off == INSTANT_NONE && !silent_only(ep);
			sum.alerts_open += ep->open;
			tops += ep->parent == NULL && ep->off == INSTANT_NONE;
		}
		if (i->group != GROUP_TOPOLOGY)
			continue;
		assert_int_equal(sum.episodes, i->tally.episodes);
		assert_int_equal(sum.on, i->tally.on);
		assert_int_equal(sum.alerts_open, i->tally.alerts_open);
		assert_true(tops <= 1);
		assert_true(i->root == NULL || i->root->parent == NULL);
	}
}

static void random_trouble(struct desk *d)
{
	static const char *const checks[] = {"ping", "ping", "http", "disk"};
	char host[8];
	duration at = d->at + (duration)(desk_random(d) % 30) * SECOND;
	snprintf(host, sizeof host, "s%u", (unsigned)(desk_random(d) % SERVICES));
	desk_event(d, at, checks[desk_random(d) % ARRAY_LEN(checks)], host,
	           desk_random(d) % 3 ? "problem" : "clear");
}

static void live(uint64_t seed, bool circles)
{
	struct buf map = {0};
	uint64_t x = seed;
	random_map(&x, circles, &map);
	struct desk *d = desk_new(desk_rules, buf_cstr(&map), false);
	d->random += seed * 7919;
	for (int k = 0; k < 80; k++) {
		random_trouble(d);
		check_derived(d);
		check_forest(d);
		if (!circles)
			check_parents(d);
		if (k % 20 == 19)
			rig_restart(d->rig);
	}
	buf_free(&map);
	desk_free(d);
}

static void derived_equals_anew(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		live(seed, true);
}

static void parents_equal_anew(void **state)
{
	(void)state;
	for (uint64_t seed = 1000; seed < 1060; seed++)
		live(seed, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(derived_equals_anew),
	    cmocka_unit_test(parents_equal_anew),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
