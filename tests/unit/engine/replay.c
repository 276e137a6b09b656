/* Random streams of events: saving and loading at any moment changes nothing, to the byte, and neither does
 * another seed of the hash maps. A failing run prints its seed. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char RULES[] =
    "version: 1\npackage: t\nrules:\n"
    "  plain: {summary: \"plain ${host} ${message}\", match: {app: [a, b]}}\n"
    "  late: {summary: \"late ${host}\", match: {app: b}, open_after: 20s}\n"
    "  many: {summary: \"${alert.count} from ${host}\", match: {app: [a, c]}, by: [host, port], when: "
    "{at_least: 3, within: 30s}, clear: {quiet: 50s}}\n"
    "  slow: {summary: \"slow ${host}\", match: {app: c}, when: {at_least: 2, within: 1m}, clear: "
    "{fewer_than: 2, within: 40s}}\n"
    "  muted: {summary: \"muted ${host}\", match: {app: d}, suppressed_by: [{rule: plain, same: [host]}]}\n"
    "  hushed: {summary: \"hushed ${host}\", match: {app: [d, e]}, by: [host, app], suppressed_by: [{match: "
    "{alert.severity: critical}, same: [host]}]}\n"
    "  chain: {summary: \"chain\", match: {alert.rule: t/plain, alert.state: [open, closed]}, by: "
    "[alert.state], when: {at_least: 4, within: 1m}}\n"
    "  trial: {summary: \"trial ${host}\", match: {app: e}, mode: trial}\n"
    "  done: {summary: \"done ${host}\", match: {app: f}, clear: {match: {app: g}}}\n";

struct random {
	uint64_t x;
};

static uint32_t draw(struct random *r, uint32_t n)
{
	r->x = r->x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(r->x >> 33) % n;
}

static void random_event(struct rig *r, struct random *rnd, duration at)
{
	static const char *const apps[] = {"a", "b", "c", "d", "e", "f", "g"};
	static const char *const severities[] = {"info", "warning", "major", "critical"};
	static const char *const states[] = {"problem", "problem", "clear", "info"};
	char host[16], message[32];
	snprintf(host, sizeof host, "h%u", draw(rnd, 6));
	snprintf(message, sizeof message, "m%u", draw(rnd, 1000));
	const char *app = apps[draw(rnd, ARRAY_LEN(apps))], *severity = severities[draw(rnd, 4)];
	uint32_t with_state = draw(rnd, 2), state = draw(rnd, 4);
	rig_event(r, at, "host", host, "app", app, "message", message, "severity", severity,
	          with_state != 0 ? "state" : "x.none", with_state != 0 ? states[state] : "", NULL);
}

struct plan {
	uint64_t seed;
	uint32_t restart_in; /* one in so many steps; 0: never */
	bool reload;
	int steps;
};

static struct buf run(const struct plan *p, uint64_t hash_seed)
{
	hash_seed_for_test(hash_seed, ~hash_seed);
	struct rig *r = rig_new(RULES);
	struct random rnd = {p->seed}, chaos = {hash_seed};
	duration at = 0;
	r->config->limits.open_alerts = 12;
	r->config->limits.keys_per_rule = 5;
	for (int i = 0; i < p->steps; i++) {
		at += draw(&rnd, 4) == 0 ? draw(&rnd, 60) * SECOND : draw(&rnd, 1500) * MSEC;
		if (draw(&rnd, 20) == 0)
			rig_tick(r, at);
		else
			random_event(r, &rnd, at);
		if (p->reload && i == p->steps / 2)
			rig_reload(r, at, RULES);
		if (p->restart_in > 0 && draw(&chaos, p->restart_in) == 0)
			rig_restart(r);
	}
	struct buf b = rig_saved(r);
	rig_free(r);
	return b;
}

static void same(struct buf *a, struct buf *b, uint64_t seed)
{
	if (a->n != b->n || memcmp(a->p, b->p, a->n) != 0)
		print_message("seed %llu differs\n", (unsigned long long)seed);
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->p, b->p, a->n);
	buf_free(a);
	buf_free(b);
}

static void test_restart_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct plan through = {.seed = seed, .steps = 300, .reload = seed % 3 == 0}, broken = through;
		broken.restart_in = 10;
		struct buf a = run(&through, 1), b = run(&broken, seed + 77);
		same(&a, &b, seed);
	}
}

static void test_hash_seed_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed < 115; seed++) {
		struct plan p = {.seed = seed, .steps = 400, .reload = seed % 2 == 0};
		struct buf a = run(&p, 3), b = run(&p, 0x9999);
		same(&a, &b, seed);
	}
}

static void test_streams_do_something(void **state)
{
	(void)state;
	struct plan p = {.seed = 5, .steps = 400};
	struct buf a = run(&p, 3), b;
	p.seed = 6;
	b = run(&p, 3);
	assert_true(a.n > 1000);
	assert_true(a.n != b.n || memcmp(a.p, b.p, a.n) != 0);
	assert_int_equal(doubts(), 0);
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_restart_changes_nothing),
	    cmocka_unit_test(test_hash_seed_changes_nothing),
	    cmocka_unit_test(test_streams_do_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
