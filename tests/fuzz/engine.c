/* Any sequence of inputs: no crash, deadlines only ahead, and the saved state loads and saves to the same
 * bytes. The data is cut into inputs: one octet says what it is, one how much time passes, one how long its
 * payload is. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/engine.h"

static const char RULES[] =
    "version: 1\npackage: f\nrules:\n"
    "  down: {summary: \"${host} down ${message}\", match: {check: ping}, effect: down}\n"
    "  slow: {summary: \"${alert.count} of ${host}\", match: {check: slow}, when: {at_least: 3, within: 1m}, "
    "clear: {fewer_than: 2, within: 2m}}\n"
    "  late: {summary: \"late ${host}\", match: {check: [late, ping]}, open_after: 20s, suppressed_by: "
    "[{rule: down, same: [host]}]}\n"
    "  grp: {summary: \"grp ${host}\", match: {check: grp}, by: [host, message], incident: {group: "
    "[message], wait: 10s, title: \"${incident.alerts} of ${message}\"}}\n"
    "  chain: {summary: chain, match: {alert.rule: f/down}, by: [alert.state], incident: {group: alert}}\n"
    "  silent: {summary: \"silent ${host}\", match: {check: slow}, when: {fewer_than: 2, within: 1m}}\n"
    "  names: {summary: \"${alert.value}\", match: {check: grp}, when: {at_least: 3, of: {distinct: "
    "message}, within: "
    "2m}, flap: {changes: 3, within: 5m, settle: 1m}, close_after: 20s}\n"
    "  mean: {summary: \"mean ${alert.value}\", match: {check: [grp, slow]}, by: [], when: {at_least: 5, of: "
    "{avg: "
    "x.n}, within: 1m}, clear: {quiet: 1m}}\n"
    "  high: {summary: \"high ${alert.value}\", match: {check: [grp, slow]}, by: [], when: {at_least: 5, of: "
    "{p99: "
    "x.n}, within: 1m}, clear: {quiet: 1m}}\n"
    "  row: {summary: \"row ${steps.one.message}\", when: {steps: [{name: one, match: {check: ping}, times: "
    "2}, {absent: "
    "{check: slow}}, {match: {check: late}}], within: 5m}}\n"
    "  never: {summary: \"never ${steps.one.message}\", when: {steps: [{name: one, match: {check: late}}, "
    "{absent: "
    "{check: grp}}], within: 1m}}\n"
    "  some: {summary: \"some of them\", by: [], when: {steps: [{match: {check: ping}}, {match: {check: "
    "late}}, {match: "
    "{check: slow}, times: 2}], order: any, at_least: 2, within: 1m}}\n";
static const char MAP[] = "version: 1\nservices:\n"
                          "  shop: {tier: 1, needs: [{any: [a, b], at_least: 1}, d]}\n"
                          "  a: {needs: [c]}\n  b: {needs: [c]}\n  c: {kind: switch}\n  d: {}\n";

struct bench {
	struct config *config;
	struct rule_set *rules;
	struct buf map_bytes;
	struct service_map *map;
	struct matcher *matcher;
	struct arena *arena;
};

static void bench_open(struct bench *b)
{
	struct findings f = {0};
	struct rules_file file = {.name = "f.yaml", .text = SLICE(RULES)};
	struct error err;
	b->config = config_load(NULL, 0, "fuzz", &f);
	BUG_ON(b->config == NULL);
	b->config->limits.open_alerts = 30;
	b->config->limits.keys_per_rule = 10;
	b->config->tickets[0].profile = arena_str(b->config->arena, SLICE("bench"));
	struct rules_source src = {.files = &file, .n = 1, .config = b->config};
	b->rules = rule_set_load(&src, &f);
	struct map_draft *d = map_draft_new();
	struct doc *doc = doc_parse("map.yaml", SLICE(MAP), DOC_LIMITS, &f);
	BUG_ON(b->rules == NULL || doc == NULL);
	map_draft_yaml(d, doc, &f);
	BUG_ON(map_compile(d, 100, &f, &b->map_bytes) != 0);
	b->map = service_map_open(buf_slice(&b->map_bytes), &err);
	BUG_ON(b->map == NULL);
	b->matcher = matcher_new(b->rules);
	b->arena = arena_new(0);
	doc_free(doc);
	map_draft_free(d);
	findings_clear(&f);
}

struct run {
	struct bench *b;
	struct engine *e;
	struct effects fx;
	instant at;
	uint64_t seq;
	uint64_t ops[64]; /* the last operations, so that results can name them */
	size_t n_ops;
};

static void note_ops(struct run *r)
{
	struct reader in = reader_of(buf_slice(&r->fx.ops));
	while (in.ok && in.at < in.n) {
		struct ticket_op op;
		struct slice bytes = arena_slice(r->b->arena, read_lslice(&in));
		BUG_ON(!in.ok || !ticket_op_decode(bytes, &op));
		r->ops[r->n_ops++ % 64] = op.id;
	}
}

static void step(struct run *r, uint16_t kind, struct slice payload)
{
	struct engine_setup s = {r->b->config, r->b->rules, r->b->map, NULL};
	struct engine_input in = {
	    .seq = ++r->seq, .at = r->at, .kind = kind, .payload = payload, .setup = &s};
	effects_reset(&r->fx);
	engine_step(r->e, &in, &r->fx);
	note_ops(r);
	instant due = engine_due(r->e);
	BUG_ON(due != INSTANT_NONE && due < r->at);
}

static void feed_event(struct run *r, const uint8_t *p, size_t n)
{
	static const char *const checks[] = {"ping", "slow", "late", "grp"}, *const hosts[] = {"a",    "b",
	                                                                                       "c",    "d",
	                                                                                       "shop", "x"};
	static const char *const states[] = {"problem", "clear", "info", ""}, *const severities[] = {
	                                                                          "", "major", "critical",
	                                                                          "info"};
	struct fields f;
	struct buf payload = {0};
	uint8_t what = n > 0 ? p[0] : 0, who = n > 1 ? p[1] : 0;
	fields_init(&f, r->b->arena);
	fields_set(&f, FIELD_CHECK, slice_str(checks[what & 3]));
	fields_set(&f, FIELD_STATE, slice_str(states[what >> 2 & 3]));
	fields_set(&f, FIELD_SEVERITY, slice_str(severities[what >> 4 & 3]));
	fields_set(&f, FIELD_HOST, slice_str(hosts[who % 6]));
	if (n > 2)
		fields_set(&f, FIELD_MESSAGE, slice_of(p + 2, n - 2));
	if (n > 2)
		(void)fields_set_named(
		    &f, SLICE("x.n"),
		    slice_str(arena_printf(r->b->arena, "%d.5e%d", p[2] - 99, n > 3 ? p[3] - 99 : 0)),
		    VALUE_TEXT);
	if ((who & 0x40) != 0)
		fields_set(&f, FIELD_PEER, slice_str(hosts[(who >> 3) % 6]));
	struct ulid id = ulid_make(r->at, r->seq, 1);
	if (engine_prepare_event(r->b->matcher, r->b->map, &f, r->at, &id, &payload))
		step(r, FRAME_EVENT, buf_slice(&payload));
	buf_free(&payload);
	fields_free(&f);
}

static void feed_result(struct run *r, const uint8_t *p, size_t n)
{
	struct buf b = {0};
	if (n < 4)
		return;
	struct ticket_result res = {
	    .id = r->ops[p[0] % 64],
	    .attempt = 1 + (p[1] >> 6),
	    .verb = (enum ticket_verb)(p[1] & 7),
	    .outcome = (enum ticket_outcome)(p[2] % 5),
	    .cls = (enum ticket_class)((p[2] >> 4) % 8),
	    .ticket = (p[3] & 1) != 0 ? SLICE("7") : SLICE_NONE,
	    .state = (p[3] & 2) != 0   ? SLICE("resolved")
	             : (p[3] & 4) != 0 ? SLICE("open")
	                               : SLICE_NONE,
	    .hits = p[3] >> 6,
	};
	ticket_result_encode(&res, &b);
	step(r, FRAME_TICKET_RESULT, buf_slice(&b));
	buf_free(&b);
}

static void feed_one(struct run *r, uint8_t kind, const uint8_t *p, size_t n)
{
	switch (kind % 8) {
	case 0:
	case 1:
	case 2:
	case 3: feed_event(r, p, n); break;
	case 4: step(r, INPUT_TICK, SLICE_NONE); break;
	case 5: feed_result(r, p, n); break;
	case 6: step(r, FRAME_COMMAND, arena_slice(r->b->arena, slice_of(p, n))); break;
	default:
		step(r,
		     (kind & 8) != 0    ? INPUT_RULES
		     : (kind & 16) != 0 ? INPUT_MAP
		                        : INPUT_RESUME,
		     SLICE_NONE);
		break;
	}
}

/* Loads what was saved, and goes on with that. */
static void restart(struct run *r)
{
	struct engine_setup s = {r->b->config, r->b->rules, r->b->map, NULL};
	struct buf one = {0}, two = {0};
	struct error err;
	engine_save(r->e, &one);
	engine_free(r->e);
	r->e = engine_load(&s, buf_slice(&one), &err);
	BUG_ON(r->e == NULL);
	engine_save(r->e, &two);
	BUG_ON(!slice_eq(buf_slice(&one), buf_slice(&two)));
	buf_free(&one);
	buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench b;
	if (b.config == NULL) {
		log_level(LOG_LEVEL_ERROR);
		bench_open(&b);
	}
	arena_reset(b.arena);
	struct engine_setup s = {b.config, b.rules, b.map, NULL};
	struct run r = {.b = &b, .e = engine_new(&s), .at = INT64_C(1767571200) * SECOND};
	effects_init(&r.fx);
	for (size_t i = 0; i + 3 <= size;) {
		uint8_t kind = data[i], wait = data[i + 1];
		size_t n = MIN((size_t)data[i + 2] & 63, size - i - 3);
		r.at += (wait & 0x80) != 0 ? (wait & 0x7f) * 10 * SECOND : wait * 100 * MSEC;
		feed_one(&r, kind, data + i + 3, n);
		i += 3 + n;
	}
	restart(&r);
	r.at += DAY;
	step(&r, INPUT_TICK, SLICE_NONE);
	restart(&r);
	engine_free(r.e);
	effects_free(&r.fx);
	return 0;
}
