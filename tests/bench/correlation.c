/* What correlation costs: per event while a core switch fails under 20,000 and 200,000 services, memory of
 * open episodes, a storm of 1,000,000 events of 50,000 hosts under one switch, and another map under open
 * incidents. A benchmark, never a timed test: it fails only when the storm is not one ticket. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "engine/correlate.h"

#define T0 (INT64_C(1767571200) * SECOND)

static const char rules_text[] =
    "version: 1\npackage: b\nrules:\n"
    "  down: {summary: \"${host} does not answer\", match: {check: ping}, severity: critical, effect: down}\n"
    "  alone: {summary: \"${host} does not answer\", match: {check: alone}, severity: critical, incident: "
    "false}\n";

struct bench {
	struct config *config;
	struct rule_set *rules;
	struct matcher *matcher;
	struct service_map *map;
	struct buf bytes;
	struct engine *engine;
	struct effects fx;
	struct arena *arena;
	uint64_t seq, rng, creates;
	instant at;
	double *took;
	size_t n_took, cap_took;
	double worst_tick, all;
};

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static uint32_t below(struct bench *b, uint32_t n)
{
	b->rng ^= b->rng << 13;
	b->rng ^= b->rng >> 7;
	b->rng ^= b->rng << 17;
	return (uint32_t)((b->rng >> 33) % n);
}

/* ---- a map: one core, switches of 48 hosts below it, as many services on the hosts, a business service per
 * 500 */

static void map_text(uint32_t n, struct buf *out)
{
	uint32_t hosts = n / 2, racks = hosts / 48 + 1;
	buf_str(out, "version: 1\nservices:\n  core: {kind: switch, hosts: [core]}\n");
	for (uint32_t i = 0; i < racks; i++)
		buf_printf(out, "  acc%u: {kind: switch, hosts: [acc%u], needs: [core]}\n", i, i);
	for (uint32_t i = 0; i < hosts; i++)
		buf_printf(out, "  h%u: {kind: host, hosts: [h%u], needs: [acc%u]}\n", i, i, i / 48);
	for (uint32_t i = 0; i + hosts + racks < n; i++)
		buf_printf(out, "  s%u: {kind: service, needs: [h%u, {any: [h%u, h%u], at_least: 1}]}\n", i,
		           i, (i + 7) % hosts, (i + 5000) % hosts);
	for (uint32_t i = 0; i < n / 500; i++)
		buf_printf(out, "  shop%u: {tier: %u, needs: [s%u, {service: s%u, effect: degraded}]}\n", i,
		           1 + i % 4, i * 13 % (n / 3), i * 29 % (n / 3));
}

static struct service_map *compile(uint32_t n, struct buf *bytes, double *took)
{
	struct findings f = {0};
	struct error err = {""};
	struct buf text = {0};
	map_text(n, &text);
	double begin = cpu();
	struct map_draft *d = map_draft_new();
	struct doc *doc = doc_parse(
	    "map.yaml", buf_slice(&text),
	    (struct doc_limits){.max_bytes = 256u << 20, .max_nodes = 50000000, .max_depth = 32}, &f);
	for (size_t i = 0; doc == NULL && i < f.n; i++)
		fprintf(stderr, "%s\n", f.v[i].message);
	BUG_ON(doc == NULL);
	map_draft_yaml(d, doc, &f);
	double parsed = cpu();
	BUG_ON(map_compile(d, 1000000, &f, bytes) != 0);
	struct service_map *m = service_map_open(buf_slice(bytes), &err);
	BUG_ON(m == NULL);
	printf("map of %u services: parsed in %.0f ms, compiled in %.0f ms, %.1f MB\n", n,
	       (parsed - begin) / 1e3, (cpu() - parsed) / 1e3, (double)bytes->n / 1e6);
	*took = cpu() - begin;
	findings_clear(&f);
	doc_free(doc);
	map_draft_free(d);
	buf_free(&text);
	return m;
}

static void bench_open(struct bench *b, uint32_t n)
{
	static char profile[] = "rt";
	struct findings f = {0};
	struct rules_file file = {.name = "b.yaml", .text = SLICE(rules_text)};
	double took;
	*b = (struct bench){.rng = 88172645463325252u, .at = T0};
	b->config = config_load(NULL, 0, "bench", &f);
	b->config->tickets[0].profile = profile;
	b->config->tickets[0].poll = DAY;
	b->config->limits.open_alerts = 1000000;
	b->config->limits.keys_per_rule = 1000000;
	struct rules_source src = {.files = &file, .n = 1, .config = b->config};
	b->rules = rule_set_load(&src, &f);
	BUG_ON(b->rules == NULL);
	b->matcher = matcher_new(b->rules);
	b->arena = arena_new(0);
	b->map = compile(n, &b->bytes, &took);
	struct engine_setup s = {b->config, b->rules, b->map, NULL};
	b->engine = engine_new(&s);
}

static void bench_close(struct bench *b)
{
	engine_free(b->engine);
	effects_free(&b->fx);
	matcher_free(b->matcher);
	service_map_close(b->map);
	buf_free(&b->bytes);
	rule_set_free(b->rules);
	config_free(b->config);
	arena_free(b->arena);
	free(b->took);
}

/* ---- inputs */

static void answer(struct bench *b)
{
	struct reader in = reader_of(buf_slice(&b->fx.ops));
	for (size_t i = 0; i < b->fx.n_ops; i++) {
		struct ticket_op op;
		struct slice bytes = arena_slice(b->arena, read_lslice(&in));
		BUG_ON(!ticket_op_decode(bytes, &op));
		b->creates += op.verb == TICKET_CREATE;
	}
}

static double step(struct bench *b, uint16_t kind, struct slice payload, const struct engine_setup *s)
{
	struct engine_input in = {.seq = ++b->seq, .at = b->at, .kind = kind, .payload = payload, .setup = s};
	effects_reset(&b->fx);
	double begin = cpu();
	engine_step(b->engine, &in, &b->fx);
	double took = cpu() - begin;
	b->all += took;
	answer(b);
	engine_views(b->engine, false, NULL, NULL);
	arena_reset(b->arena);
	return took;
}

static void ticks(struct bench *b, instant until)
{
	for (instant due; (due = engine_due(b->engine)) != INSTANT_NONE && due <= until;) {
		b->at = MAX(b->at, due);
		double took = step(b, INPUT_TICK, SLICE_NONE, NULL);
		b->worst_tick = MAX(b->worst_tick, took);
	}
	b->at = MAX(b->at, until);
}

static void event(struct bench *b, const char *check, const char *name, uint32_t number, bool problem)
{
	struct fields f;
	struct buf payload = {0};
	double begin = cpu();
	fields_init(&f, b->arena);
	fields_set(&f, FIELD_CHECK, slice_str(check));
	fields_set(&f, FIELD_STATE, slice_str(problem ? "problem" : "clear"));
	fields_set(&f, FIELD_HOST,
	           slice_str(number == UINT32_MAX ? name : arena_printf(b->arena, "%s%u", name, number)));
	struct ulid id = ulid_make(b->at, b->seq, 1);
	BUG_ON(!engine_prepare_event(b->matcher, b->map, &f, b->at, &id, &payload));
	b->all += cpu() - begin;
	b->took = array_reserve(b->took, &b->cap_took, b->n_took + 1, sizeof *b->took);
	b->took[b->n_took++] = step(b, FRAME_EVENT, buf_slice(&payload), NULL);
	buf_free(&payload);
	fields_free(&f);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void figures(struct bench *b, const char *what)
{
	qsort(b->took, b->n_took, sizeof *b->took, by_size);
	printf("%s: %zu events, each p50 %.1f us, p99 %.1f us, worst %.2f ms; worst tick %.2f ms; %llu "
	       "tickets\n",
	       what, b->n_took, b->took[b->n_took / 2], b->took[b->n_took * 99 / 100],
	       b->took[b->n_took - 1] / 1e3, b->worst_tick / 1e3, (unsigned long long)b->creates);
}

/* ---- what is measured */

static void core_failure(uint32_t n)
{
	struct bench b;
	uint32_t hosts = n / 2, reports = MIN(hosts, 20000u);
	char what[80];
	bench_open(&b, n);
	for (uint32_t i = 0; i < reports; i++) {
		ticks(&b, b.at + 60 * SECOND / reports);
		event(&b, "ping", i == reports / 3 ? "core" : "h",
		      i == reports / 3 ? UINT32_MAX : below(&b, hosts), true);
	}
	ticks(&b, b.at + 5 * MINUTE);
	snprintf(what, sizeof what, "core failure under %u services", n);
	figures(&b, what);
	struct buf bytes = {0};
	double took;
	struct service_map *next = compile(n, &bytes, &took);
	struct engine_setup s = {b.config, b.rules, next, NULL};
	double swap = step(&b, INPUT_MAP, SLICE("cccc"), &s);
	printf("another map of %u services under open incidents: compiled in %.2f s (goal 2), taken by the "
	       "engine in %.1f ms\n",
	       n, took / 1e6, swap / 1e3);
	service_map_close(b.map);
	buf_free(&b.bytes);
	b.map = next;
	b.bytes = bytes;
	bench_close(&b);
}

static size_t held(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

static double memory_of(const char *check, uint32_t n)
{
	struct bench b;
	bench_open(&b, 100000);
	size_t before = held();
	for (uint32_t i = 0; i < n; i++)
		event(&b, check, "h", i, true);
	ticks(&b, b.at + 10 * SECOND);
	double each = (double)(held() - before - b.cap_took * sizeof *b.took) / n;
	bench_close(&b);
	return each;
}

static void memory(void)
{
	uint32_t n = 20000;
	double with = memory_of("ping", n), alone = memory_of("alone", n);
	printf("memory: %.0f octets per open alert, %.0f more per open episode with all that is kept of it "
	       "(goal 256); the bare episode %zu\n",
	       alone, with - alone, sizeof(struct episode));
}

static int storm(void)
{
	struct bench b;
	bench_open(&b, 100000);
	double begin = b.all;
	for (uint32_t i = 0; i < 1000000; i++) {
		ticks(&b, b.at + 60);
		event(&b, "ping", i == 20000 ? "core" : "h", i == 20000 ? UINT32_MAX : below(&b, 50000),
		      true);
	}
	double share = (b.all - begin) / 60e6;
	ticks(&b, b.at + 5 * MINUTE);
	figures(&b, "storm of 50,000 hosts in 60 s");
	printf("storm: matching and correlation took %.0f %% of one processor\n", share * 100);
	bool one = b.creates == 1;
	if (!one)
		printf("FAILED: %llu tickets, wanted 1\n", (unsigned long long)b.creates);
	bench_close(&b);
	return one ? 0 : 1;
}

int main(void)
{
	log_level(LOG_LEVEL_ERROR);
	core_failure(20000);
	core_failure(200000);
	memory();
	return storm();
}
