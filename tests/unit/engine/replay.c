/* Random streams of events: saving and loading at any moment changes nothing, to the byte, and neither does
 * another seed of the hash maps. A failing run prints its seed. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char RULES[] =
    "version: 1\npackage: t\nlists: {hosts: [h1, h7]}\nrules:\n"
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
    "  done: {summary: \"done ${host}\", match: {app: f}, clear: {match: {app: g}}}\n"
    "  flaps: {summary: \"flaps ${host}\", match: {app: [a, g]}, flap: {changes: 4, within: 5m, settle: "
    "40s}, "
    "close_after: 15s}\n"
    "  sum: {summary: \"${alert.value} of ${host}\", match: {app: [a, b, c]}, when: {at_least: 150, of: "
    "{sum: "
    "x.num}, within: 1m}, clear: {quiet: 1m}}\n"
    "  p90: {summary: \"${alert.value} of all\", match: {app: [a, b, c, d]}, by: [], when: {at_least: 90, "
    "of: "
    "{p90: x.num}, within: 2m, window: aligned}, clear: {fewer_than: 3, within: 1m}}\n"
    "  names: {summary: \"${alert.value} apps\", match: {app: {exists: true}}, when: {at_least: 4, of: "
    "{distinct: "
    "app}, within: 40s}, clear: {quiet: 30s}, open_after: 5s}\n"
    "  storm: {summary: \"storm of ${host}\", match: {app: [e, f]}, when: {at_least: 4, within: 20s, window: "
    "session}, clear: {quiet: 20s}}\n"
    "  heard: {summary: \"nothing of ${host}\", match: {app: [a, b]}, when: {fewer_than: 2, within: 1m, "
    "expect: "
    "{list: hosts}}, close_after: 5s}\n"
    "  row: {summary: \"${steps.one.message} then ${message}\", when: {steps: [{name: one, match: {app: a}}, "
    "{match: {app: [b, c]}, times: 2}, {absent: {app: d}}, {match: {app: e}}], within: 2m}, clear: {quiet: "
    "1m}}\n"
    "  never: {summary: \"${steps.one.message} and no end\", by: [host], when: {steps: [{name: one, match: "
    "{app: "
    "[f, e]}}, {absent: {app: g}}], within: 30s}}\n"
    "  some: {summary: \"${steps.two.message} of ${alert.count}\", when: {steps: [{match: {app: a}, times: "
    "3}, "
    "{name: two, match: {app: [b, a]}}, {match: {app: g}}], order: any, at_least: 2, within: 1m}, clear: "
    "{quiet: "
    "40s}}\n";

static const char MAP[] =
    "version: 1\nservices:\n"
    "  shop: {tier: 1, needs: [{any: [h0, h1], at_least: 1}, h4]}\n"
    "  mail: {tier: 2, needs: [h2, {service: h3, effect: degraded}]}\n"
    "  h0: {needs: [h5]}\n  h1: {needs: [h5]}\n  h2: {needs: [h4]}\n  h3: {}\n  h4: {}\n"
    "  h5: {kind: switch, ports: [\"h4:p1\"]}\n";

/* Other numbers for the same ids, one gone, one new need. */
static const char OTHER_MAP[] =
    "version: 1\nservices:\n"
    "  a: {needs: [h1]}\n  shop: {tier: 1, needs: [{any: [h0, h1], at_least: 2}]}\n"
    "  h0: {needs: [h4]}\n  h1: {needs: [h4]}\n  h3: {}\n  h4: {}\n  h5: {}\n";

static const char OTHER_RULES[] =
    "version: 1\npackage: t\nlists: {hosts: [h7, h8]}\nrules:\n"
    "  flaps: {summary: \"flaps ${host}\", match: {app: [a, g]}, flap: false}\n"
    "  sum: {summary: \"so many of ${host}\", match: {app: [a, b, c]}, when: {steps: [{match: {app: b}}, "
    "{match: {app: "
    "c}}], within: 1m}}\n"
    "  heard: {summary: \"nothing of ${host}\", match: {app: [a, b]}, when: {fewer_than: 2, within: 1m, "
    "expect: "
    "{list: hosts}}}\n"
    "  row: {summary: \"${steps.one.host} and ${message}\", when: {steps: [{name: one, match: {app: a}}, "
    "{match: {app: "
    "[b, c]}, times: 2}, {absent: {app: d}}, {match: {app: e}}], within: 2m}, clear: {quiet: 1m}}\n"
    "  never: {summary: \"none of ${host}\", match: {app: [e, f]}}\n"
    "  chain: {summary: \"chain\", match: {alert.rule: t/plain}, by: [alert.state], when: {at_least: 3, "
    "within: 1m}}\n"
    "  plain: {summary: \"plain ${host} ${message}\", match: {app: [a, b]}}\n"
    "  late: {summary: \"late ${host}\", match: {app: [b, c]}, open_after: 20s}\n"
    "  many: {summary: \"${alert.count} from ${host}\", match: {app: [a, c]}, by: [host, port], when: "
    "{at_least: 3, within: 30s}}\n"
    "  muted: {summary: \"muted ${host}\", match: {app: d}}\n"
    "  trial: {summary: \"trial ${host}\", match: {app: e}}\n"
    "  hushed: {summary: \"hushed ${host}\", match: {app: [d, e]}, mode: trial, by: [host, app]}\n";

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
	char host[16], message[32], num[16];
	snprintf(host, sizeof host, "h%u", draw(rnd, 6));
	snprintf(message, sizeof message, "m%u", draw(rnd, 1000));
	snprintf(num, sizeof num, "%u.5", draw(rnd, 100));
	const char *app = apps[draw(rnd, ARRAY_LEN(apps))], *severity = severities[draw(rnd, 4)];
	uint32_t with_state = draw(rnd, 2), state = draw(rnd, 4);
	rig_event(r, at, "host", host, "app", app, "message", message, "severity", severity, "x.num", num,
	          with_state != 0 ? "state" : "x.none", with_state != 0 ? states[state] : "", NULL);
}

/* What egress would say to one operation; the whole engine only, the stub has none. */
static void answer(struct rig *r, struct random *rnd, duration at, struct slice bytes)
{
	static const enum ticket_outcome outcomes[] = {TICKET_DONE, TICKET_DONE, TICKET_DONE, TICKET_RETRY,
	                                               TICKET_UNCERTAIN};
	struct ticket_op op;
	struct buf b = {0};
	assert_true(ticket_op_decode(bytes, &op));
	enum ticket_outcome outcome = outcomes[draw(rnd, ARRAY_LEN(outcomes))];
	if (op.verb == TICKET_FIND && outcome == TICKET_DONE)
		outcome = TICKET_ABSENT;
	struct ticket_result res = {.id = op.id, .attempt = op.attempt, .verb = op.verb, .outcome = outcome};
	res.cls =
	    outcome == TICKET_DONE || outcome == TICKET_ABSENT ? TICKET_CLASS_OK : TICKET_CLASS_TRANSIENT;
	res.ticket = outcome == TICKET_DONE ? (op.ticket.n > 0 ? op.ticket : SLICE("4711")) : SLICE_NONE;
	res.state = outcome == TICKET_DONE ? (op.verb == TICKET_RESOLVE ? SLICE("resolved") : SLICE("open"))
	                                   : SLICE_NONE;
	ticket_result_encode(&res, &b);
	rig_step(r, at, FRAME_TICKET_RESULT, buf_slice(&b));
	buf_free(&b);
}

static void answer_all(struct rig *r, struct random *rnd, duration at)
{
	struct buf todo = {0};
	for (int i = 0; i < 100; i++) {
		buf_adds(&todo, buf_slice(&r->fx.ops));
		buf_clear(&r->fx.ops);
		if (todo.n == 0)
			break;
		struct reader in = reader_of(buf_slice(&todo));
		struct slice op = arena_slice(r->arena, read_lslice(&in));
		assert_true(in.ok);
		buf_consume(&todo, in.at);
		answer(r, rnd, at, op);
	}
	buf_free(&todo);
}

struct pick {
	uint32_t left;
	char id[27];
};

static void pick_incident(void *arg, const struct incident_look *i)
{
	struct pick *p = arg;
	if (p->id[0] == '\0' || p->left-- > 0)
		snprintf(p->id, sizeof p->id, SLICE_FMT, SLICE_ARG(i->id));
}

/* What an operator does to one of the incidents; the stub has none. */
static void command(struct rig *r, struct random *rnd, duration at)
{
	static const char *const words[] = {"ack", "unack", "resolve", "reopen", "note"};
	struct pick p = {.left = draw(rnd, 5)};
	char text[160];
	const char *word = words[draw(rnd, ARRAY_LEN(words))];
	engine_each_incident(r->engine, pick_incident, &p);
	snprintf(text, sizeof text, "{\"do\":\"%s\",\"id\":\"%s\",\"by\":\"eve\",\"text\":\"x\"}", word,
	         p.id);
	rig_step(r, at, FRAME_COMMAND, slice_str(text));
}

struct plan {
	uint64_t seed;
	uint32_t restart_in; /* one in so many steps; 0: never */
	bool reload;
	int steps;
};

/* A new map, other rules and the old ones again, and a restart that the engine hears of. */
static void disturb(struct rig *r, duration at, int i, int steps)
{
	uint64_t downtime = 5 * SECOND;
	if (i == steps / 5)
		rig_remap(r, at, OTHER_MAP);
	if (i == steps / 3)
		rig_reload(r, at, OTHER_RULES);
	if (i == steps / 2)
		rig_step(r, at, INPUT_RESUME, slice_of(&downtime, sizeof downtime));
	if (i == steps * 2 / 3)
		rig_reload(r, at, RULES);
	if (i == steps * 4 / 5)
		rig_remap(r, at, MAP);
}

static struct buf run(const struct plan *p, uint64_t hash_seed)
{
	hash_seed_for_test(hash_seed, ~hash_seed);
	struct rig *r = rig_with_map(RULES, MAP);
	struct random rnd = {p->seed}, chaos = {hash_seed};
	duration at = 0;
	r->config->limits.open_alerts = 12;
	r->config->limits.keys_per_rule = 5;
	assert_int_equal(r->config->n_tickets, 1);
	r->config->tickets[0].profile = arena_str(r->config->arena, SLICE("bench"));
	for (int i = 0; i < p->steps; i++) {
		at += draw(&rnd, 4) == 0 ? draw(&rnd, 60) * SECOND : draw(&rnd, 1500) * MSEC;
		if (draw(&rnd, 20) == 0)
			rig_tick(r, at);
		else if (draw(&rnd, 15) == 0)
			command(r, &rnd, at);
		else
			random_event(r, &rnd, at);
		answer_all(r, &rnd, at);
		if (p->reload)
			disturb(r, at, i, p->steps);
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
		struct plan through = {.seed = seed, .steps = 300, .reload = seed % 2 == 0}, broken = through;
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
