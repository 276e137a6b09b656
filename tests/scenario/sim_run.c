/* Promises one run of a plan, live and again from its journal. Live it saves and loads where the plan says
 * so; the second time it never does: both must say the same at each step, and save the same in the end. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKS_OF_ONE_MOMENT = 1000, TICKS_MAX = 400000, SECOND_MAP = 16, OTHER_CONFIG = 32 };

#define RULES_COMMON                                                                                         \
	"version: 1\npackage: s\nrules:\n"                                                                   \
	"  unreachable: {summary: \"${host} does not answer\", match: {check: ping}, severity: critical, "   \
	"effect: down}\n"                                                                                    \
	"  disk: {summary: \"disk of ${host} fills\", match: {check: disk}, severity: minor, effect: risk, " \
	"nature: precursor}\n"                                                                               \
	"  crash: {summary: \"${host} panics\", match: {check: crash}, severity: critical, effect: down, "   \
	"nature: own-cause}\n"                                                                               \
	"  refused: {summary: \"${host} misses ${peer}\", match: {check: refused}, severity: major, "        \
	"effect: degraded}\n"                                                                                \
	"  lone: {summary: \"login of ${host}\", match: {check: lone}, severity: major, incident: {group: "  \
	"alert}}\n"                                                                                          \
	"  late: {summary: \"late ${host}\", match: {check: late}, severity: major, effect: down, "          \
	"open_after: 20s, "                                                                                  \
	"suppressed_by: [{rule: unreachable, same: [host]}]}\n"

const char *const sim_rules[RULE_SETS] = {
    RULES_COMMON "  errors: {summary: \"${host} answers with errors\", match: {check: http}, severity: "
                 "major, effect: degraded}\n"
                 "  slow: {summary: \"${host} is slow\", match: {check: slow}, severity: minor, effect: "
                 "degraded, nature: overload}\n"
                 "  line: {summary: \"${host} complains\", match: {check: log}, severity: minor, effect: "
                 "degraded, clear: {quiet: 2m}}\n"
                 "  burst: {summary: \"${alert.count} of ${host}\", match: {check: burst}, severity: major, "
                 "effect: degraded, when: "
                 "{at_least: 3, within: 5m}, clear: {fewer_than: 2, within: 5m}}\n"
                 "  group: {summary: \"group ${host}\", match: {check: group}, severity: major, incident: "
                 "{group: [host], wait: 10s}}\n",
    RULES_COMMON "  errors: {summary: \"errors of ${host}\", match: {check: http}, severity: major, effect: "
                 "down, by: [host, check], incident: {wait: 90s}}\n"
                 "  slow: {summary: \"${host} is slow\", match: {check: slow}, severity: minor, effect: "
                 "degraded, flap: {changes: 3, within: 5m, settle: 1m}}\n"
                 "  burst: {summary: \"${alert.count} of ${host}\", match: {check: burst}, severity: "
                 "critical, effect: degraded, when: "
                 "{at_least: 2, within: 5m}, close_after: 1m}\n"
                 "  group: {summary: \"group ${host}\", match: {check: group}, by: [host], severity: minor, "
                 "incident: {group: [check]}}\n",
    RULES_COMMON "  errors: {summary: \"${host} answers with errors\", match: {check: http}, severity: "
                 "major, effect: degraded, "
                 "suppressed_by: [{rule: unreachable, same: [host]}]}\n"
                 "  silent: {summary: \"silent ${host}\", match: {check: log}, severity: minor, effect: "
                 "degraded, when: {fewer_than: 1, within: 10m}}\n"
                 "  row: {summary: \"row of ${host}\", severity: major, effect: down, when: {steps: [{match: "
                 "{check: slow}}, {match: {check: [http, ping]}}], "
                 "within: 5m}, clear: {quiet: 3m}}\n"
                 "  chain: {summary: chain, match: {alert.rule: s/unreachable}, by: [alert.state], incident: "
                 "{group: alert}}\n",
    RULES_COMMON "  errors: {summary: \"${host} answers with errors\", match: {check: [http, slow, log]}, "
                 "severity: major, effect: degraded, "
                 "incident: {reopen_within: 5m}}\n"
                 "  burst: {summary: \"${alert.count} of ${host}\", match: {check: burst}, severity: minor, "
                 "effect: risk, when: "
                 "{at_least: 3, within: 5m}, clear: {quiet: 5m}}\n",
};

void run_wrong(struct run *r, const char *fmt, ...)
{
	va_list ap;
	if (r->wrong[0] != '\0')
		return;
	int n = snprintf(r->wrong, sizeof r->wrong, "step %zu, %.1f s: ", r->n_journal,
	                 (double)(r->at - SIM_T0) / (double)SECOND);
	BUG_ON(n < 0);
	va_start(ap, fmt);
	(void)vsnprintf(r->wrong + n, sizeof r->wrong - (size_t)n, fmt, ap);
	va_end(ap);
}

/* ---- what all share */

static struct rule_set *load(const char *yaml, const struct config *config)
{
	struct findings f = {0};
	struct rules_file file = {.name = "sim.yaml", .text = slice_str(yaml)};
	struct rules_source src = {.files = &file, .n = 1, .config = config};
	struct rule_set *rs = rule_set_load(&src, &f);
	for (size_t i = 0; rs == NULL && i < f.n; i++)
		fprintf(stderr, "line %u: %s\n", f.v[i].mark.line, f.v[i].message);
	findings_clear(&f);
	BUG_ON(rs == NULL);
	return rs;
}

void bench_open(struct bench *b)
{
	static char profile[] = "rt";
	struct findings f = {0};
	for (size_t i = 0; i < CONFIGS; i++) {
		b->config[i] = config_load(NULL, 0, "sim", &f);
		BUG_ON(b->config[i] == NULL);
		b->config[i]->tickets[0].profile = profile;
		b->config[i]->tickets[0].poll = 20 * MINUTE;
	}
	b->config[1]->limits.open_alerts = 12;
	b->config[1]->limits.keys_per_rule = 6;
	b->config[1]->tickets[0].fingerprint = 17; /* something to prove first */
	b->config[1]->correlation.settle = 10 * SECOND;
	findings_clear(&f);
	for (size_t i = 0; i < RULE_SETS; i++) {
		b->rules[i] = load(sim_rules[i], b->config[0]);
		b->matcher[i] = matcher_new(b->rules[i]);
	}
}

/* ---- inputs */

static struct engine_setup setup_of(const struct run *r, uint8_t setup)
{
	return (struct engine_setup){r->b->config[(setup & OTHER_CONFIG) != 0],
	                             r->b->rules[setup % SECOND_MAP], r->world[(setup & SECOND_MAP) != 0].map,
	                             NULL};
}

static uint8_t setup_now(const struct run *r)
{
	return (uint8_t)(r->rules | (r->map > 0 ? SECOND_MAP : 0) | (r->config > 0 ? OTHER_CONFIG : 0));
}

static uint64_t said(const struct effects *fx)
{
	return sim_mix(hash_stable(buf_slice(&fx->ops)) ^
	               sim_mix(hash_stable(buf_slice(&fx->withdrawn)) ^ hash_stable(buf_slice(&fx->reply))));
}

static void take_ops(struct run *r)
{
	struct reader in = reader_of(buf_slice(&r->fx.ops));
	for (size_t i = 0; i < r->fx.n_ops; i++) {
		struct ticket_op op;
		struct slice bytes = arena_slice(r->arena, read_lslice(&in));
		BUG_ON(!in.ok || !ticket_op_decode(bytes, &op));
		sim_desk_take(r->desk, &op, r->at);
	}
	if (r->desk->wrong != NULL)
		run_wrong(r, "%s", r->desk->wrong);
}

static void feed(const struct run *r, struct engine *e, struct effects *fx, const struct entry *j,
                 uint64_t seq)
{
	struct engine_setup s = setup_of(r, j->setup);
	struct engine_input in = {
	    .seq = seq, .at = j->at, .kind = j->kind, .payload = buf_slice(&j->payload), .setup = &s};
	effects_reset(fx);
	engine_step(e, &in, fx);
	if (r->trace && fx->n_ops > 0) {
		fprintf(stderr, "%llu ops ", (unsigned long long)seq);
		for (size_t k = 0; k < fx->ops.n; k++)
			fputc(fx->ops.p[k] >= ' ' && fx->ops.p[k] < 127 ? fx->ops.p[k] : '.', stderr);
		fputc('\n', stderr);
	}
	struct incident *inc;
	if (r->trace)
		TAILQ_FOREACH (inc, &e->correlation->incidents, all)
			fprintf(stderr, "%llu inc %llu %s %s %s\n", (unsigned long long)seq,
			        (unsigned long long)inc->serial, inc->id_text,
			        incident_state_word(inc->state),
			        inc->root != NULL ? inc->root->node->id : "-");
	if (r->trace && fx->reply.n > 0)
		fprintf(stderr, "%llu reply " SLICE_FMT "\n", (unsigned long long)seq,
		        SLICE_ARG(buf_slice(&fx->reply)));
}

static void print_logs(const struct run *r)
{
	const struct incident *i;
	const struct lane *l;
	TAILQ_FOREACH (i, &r->engine->correlation->incidents, all) {
		printf("%s %s\n", i->id_text, incident_state_word(i->state));
		for (size_t k = 0; k < i->n_log; k++)
			printf("  %10.3f %s: %s\n", (double)(i->log[k].at - SIM_T0) / (double)SECOND,
			       i->log[k].kind, i->log[k].text);
	}
	TAILQ_FOREACH (l, &r->engine->correlation->lanes, all)
		printf("delivery %llu: %s ticket %s%s%s%s%s%s %s\n", (unsigned long long)l->serial,
		       lane_state_word(l), l->ticket != NULL ? l->ticket : "-", l->done ? " done" : "",
		       l->dead ? " dead" : "", l->parked ? " parked" : "", l->doubt ? " doubt" : "",
		       l->closed_there ? " closed there" : "", l->error != NULL ? l->error : "");
}

static void trace(const struct run *r, const struct entry *j)
{
	struct heap_item it = {0};
	bool due = heap_peek(&r->engine->timers, &it);
	printf("%6zu %12.3f s kind %u setup %u", r->n_journal, (double)(j->at - SIM_T0) / (double)SECOND,
	       j->kind, j->setup);
	if (due)
		printf(" next timer %u of %llu at %.3f", it.kind, (unsigned long long)it.object,
		       (double)(it.at - SIM_T0) / (double)SECOND);
	if (j->kind == FRAME_COMMAND)
		printf(" " SLICE_FMT, SLICE_ARG(buf_slice(&j->payload)));
	printf("\n");
}

static void step(struct run *r, uint16_t kind, struct slice payload)
{
	r->journal = array_reserve(r->journal, &r->cap_journal, r->n_journal + 1, sizeof *r->journal);
	struct entry *j = &r->journal[r->n_journal++];
	*j = (struct entry){.at = r->at, .kind = kind, .setup = setup_now(r)};
	buf_adds(&j->payload, payload);
	if (r->trace)
		trace(r, j);
	feed(r, r->engine, &r->fx, j, r->n_journal);
	r->journal[r->n_journal - 1].said = said(&r->fx);
	arena_reset(r->arena);
	take_ops(r);
	instant due = engine_due(r->engine);
	if (due != INSTANT_NONE && due < r->at)
		run_wrong(r, "a deadline is in the past");
	check_step(r);
	if (r->trace && (r->wrong[0] != 0 || kind == FRAME_COMMAND))
		print_logs(r);
}

static void wait_until(struct run *r, instant until)
{
	while (r->wrong[0] == '\0') {
		struct buf b;
		instant due = engine_due(r->engine), next = due != INSTANT_NONE ? MIN(due, until) : until, at;
		if (sim_desk_reply(r->desk, next, &b, &at)) {
			r->at = MAX(r->at, at);
			step(r, FRAME_TICKET_RESULT, buf_slice(&b));
			buf_free(&b);
			continue;
		}
		if (due == INSTANT_NONE || due > until)
			break;
		r->moments = due <= r->at ? r->moments + 1 : 0;
		if (r->moments > TICKS_OF_ONE_MOMENT || ++r->ticks > TICKS_MAX)
			run_wrong(r, "it never comes to rest");
		r->at = MAX(r->at, due);
		step(r, INPUT_TICK, SLICE_NONE);
	}
	r->at = MAX(r->at, until);
}

/* ---- acts */

static const char *const checks[CHECKS] = {"ping",    "http",  "slow",  "disk", "log", "crash",
                                           "refused", "burst", "group", "lone", "late"};

static void do_event(struct run *r, const struct act *a)
{
	static const char *const severities[] = {"", "", "minor", "critical"};
	struct fields f;
	struct buf payload = {0};
	bool problem = (a->what & 1) == 0;
	char host[16], peer[16];
	struct buf when = {0};
	fields_init(&f, r->arena);
	snprintf(host, sizeof host, "h%u", a->node);
	snprintf(peer, sizeof peer, "h%u", a->peer);
	instant_format(r->at - a->late, &when);
	fields_set(&f, FIELD_CHECK, slice_str(checks[a->check]));
	fields_set(&f, FIELD_HOST, slice_str(host));
	fields_set(&f, FIELD_SEVERITY, slice_str(severities[a->what >> 8 & 3]));
	if (a->late != 0)
		(void)fields_set_named(&f, SLICE("time"), buf_slice(&when), VALUE_TEXT);
	if (a->check != 4 && a->check != 5) /* a line of a log says no state */
		fields_set(&f, FIELD_STATE, slice_str(problem ? "problem" : "clear"));
	if (a->peer < NODES_MAX)
		fields_set(&f, FIELD_PEER, slice_str(peer));
	struct ulid id = ulid_make(r->at, r->n_journal, 1);
	bool line = a->check == 4 || a->check == 5;
	if ((problem || !line) &&
	    engine_prepare_event(r->b->matcher[r->rules], r->world[r->map].map, &f, r->at, &id, &payload)) {
		step(r, FRAME_EVENT, buf_slice(&payload));
		if (a->node < NODES_MAX)
			r->raised[a->node][a->check] = r->raised[a->node][a->check] || problem;
	}
	buf_free(&payload);
	buf_free(&when);
	fields_free(&f);
}

static void command(struct run *r, const char *text)
{
	step(r, FRAME_COMMAND, arena_slice(r->arena, slice_str(text)));
}

static const struct incident *some_incident(const struct run *r, uint32_t what)
{
	const struct incident *i, *hit = NULL;
	uint32_t n = 0;
	TAILQ_FOREACH (i, &r->engine->correlation->incidents, all) {
		n++;
		hit = sim_mix(what + n) % n == 0 ? i : hit;
	}
	return hit;
}

static void do_command(struct run *r, const struct act *a)
{
	static const char *const verbs[] = {"ack",  "unack",   "resolve", "reopen",
	                                    "note", "resolve", "merge",   "split"};
	uint32_t verb = a->what % 11;
	const struct incident *i = some_incident(r, a->what), *other = some_incident(r, a->what >> 3);
	if (verb < ARRAY_LEN(verbs)) {
		if (i != NULL && other != NULL)
			command(r,
			        arena_printf(r->arena,
			                     "{\"do\":\"%s\",\"id\":\"%s\",\"by\":\"ann\",\"text\":\"why\","
			                     "\"into\":\"%s\",\"service\":\"n%u\",\"services\":[\"n%u\"]}",
			                     verbs[verb], i->id_text, other->id_text, a->what >> 8 & 15,
			                     a->what >> 8 & 15));
		return;
	}
	command(r, arena_printf(r->arena,
	                        "{\"do\":\"silence-add\",\"by\":\"ann\",\"body\":{\"match\":{\"%s\":\"%s%u\"}"
	                        ",\"include_dependents\":\"%s\",\"reason\":\"change\",\"for\":\"%um\"}}",
	                        verb == 8 ? "host" : "service", verb == 8 ? "h" : "n", a->what >> 8 & 15,
	                        verb == 8 ? "false" : "true", 1 + (a->what >> 16 & 15)));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is not saved because it follows from the rest. */
static void describe(const struct run *r, struct buf *out)
{
	const struct correlation *c = r->engine->correlation;
	const struct episode *ep;
	for (size_t s = 0; s < c->derived.n_services; s++)
		buf_printf(out, "%u%u%u%u ", c->derived.source[s], c->derived.maintained[s],
		           c->derived.down.in[s], c->derived.bad.in[s]);
	TAILQ_FOREACH (ep, &c->episodes, all) {
		const char *names[400];
		size_t n = 0;
		for (const struct watch *w = ep->watches;
		     w < ep->watches + ep->n_watches && n < ARRAY_LEN(names); w++)
			names[n++] = w->node->id;
		qsort(names, n, sizeof *names, by_text);
		buf_printf(out, "\n%s on %.3f top %d pinned %d real %d parent %s:", ep->node->id,
		           (double)(ep->on - SIM_T0) / (double)SECOND, ep->is_top, ep->pinned, ep->real,
		           ep->parent != NULL ? ep->parent->node->id : "-");
		bool searches =
		    !ep->pinned && (ep->incident == NULL || ep->incident->state != INCIDENT_CLOSED);
		for (size_t k = 0;
		     searches && k < n && r->at - ep->on < r->b->config[r->config]->correlation.young; k++)
			buf_printf(out, " %s", names[k]);
	}
	buf_char(out, '\n');
}

static void reload(struct run *r)
{
	struct buf was = {0}, is = {0};
	describe(r, &was);
	struct engine_setup s = setup_of(r, setup_now(r));
	struct buf one = {0}, two = {0};
	struct error err = {""};
	engine_save(r->engine, &one);
	struct engine *e = engine_load(&s, buf_slice(&one), &err);
	if (e == NULL) {
		run_wrong(r, "the saved state does not load: %s", err.text);
	} else {
		engine_free(r->engine);
		r->engine = e;
		engine_save(e, &two);
		if (!slice_eq(buf_slice(&one), buf_slice(&two)))
			run_wrong(r, "saved again after a load it is different");
		describe(r, &is);
		if (!slice_eq(buf_slice(&was), buf_slice(&is))) {
			run_wrong(r, "what follows from the state is different after a load");
			if (r->trace)
				fprintf(stderr, "before:\n%safter:\n%s", buf_cstr(&was), buf_cstr(&is));
		}
	}
	buf_free(&was);
	buf_free(&is);
	buf_free(&one);
	buf_free(&two);
}

static void do_act(struct run *r, const struct act *a)
{
	struct buf down = {0};
	switch (a->kind) {
	case ACT_EVENT: do_event(r, a); break;
	case ACT_COMMAND: do_command(r, a); break;
	case ACT_RULES:
		r->rules = a->what % RULE_SETS;
		r->config = a->what >> 4 & 1;
		step(r, INPUT_RULES, SLICE_NONE);
		break;
	case ACT_MAP:
		r->map = 1 - r->map;
		step(r, INPUT_MAP, slice_str(r->map > 0 ? "bbbb" : "aaaa"));
		break;
	case ACT_RELOAD: reload(r); break;
	case ACT_RESTART:
		reload(r);
		sim_desk_forget(r->desk);
		buf_u64(&down, (uint64_t)(a->what % 60) * SECOND);
		r->at += (duration)(a->what % 60) * SECOND;
		step(r, INPUT_RESUME, buf_slice(&down));
		buf_free(&down);
		break;
	case ACT_WEATHER: r->desk->weather = a->what % 6; break;
	case ACT_PERSON:
		if (r->desk->n > 0)
			r->desk->v[a->what % r->desk->n].deleted = true;
		break;
	case ACT_JUMP: r->at += (duration)(a->what % 1200) * SECOND; break;
	}
}

/* ---- the end: everything recovers, the ticket system too, and somebody sends again what was given up */

static void retry_all(struct run *r)
{
	const struct lane *l;
	char *texts[200];
	size_t n = 0;
	TAILQ_FOREACH (l, &r->engine->correlation->lanes, all)
		if (l->dead && n < ARRAY_LEN(texts))
			texts[n++] = xasprintf("{\"do\":\"retry\",\"id\":\"%llu\",\"by\":\"ann\"}",
			                       (unsigned long long)l->serial);
	for (size_t k = 0; k < n; k++) {
		command(r, texts[k]);
		free(texts[k]);
	}
}

static void recover(struct run *r)
{
	r->desk->weather = 0;
	for (r->rules = 0; r->rules < RULE_SETS; r->rules++) {
		/* each rule set sees the clears: what one opened another may not know */
		step(r, INPUT_RULES, SLICE_NONE);
		for (uint32_t i = 0; i < NODES_MAX; i++)
			for (uint32_t k = 0; k < CHECKS; k++)
				if (r->raised[i][k] && r->wrong[0] == '\0')
					do_event(r, &(struct act){
					                .node = i, .check = k, .what = 1, .peer = NODES_MAX});
	}
	r->rules = 0;
	r->config = 0;
	step(r, INPUT_RULES, SLICE_NONE);
	wait_until(r, r->at + 3 * HOUR);
	retry_all(r);
	wait_until(r, r->at + 24 * HOUR);
}

/* ---- again, from the journal */

static void replay(struct run *r)
{
	struct engine_setup s = setup_of(r, r->journal[0].setup);
	struct engine *e = engine_new(&s);
	struct effects fx;
	struct buf one = {0}, two = {0};
	effects_init(&fx);
	for (size_t i = 0; i < r->n_journal && r->wrong[0] == '\0'; i++) {
		feed(r, e, &fx, &r->journal[i], i + 1);
		if (said(&fx) != r->journal[i].said)
			run_wrong(r, "replayed without a load, step %zu says something else", i + 1);
	}
	engine_save(r->engine, &one);
	engine_save(e, &two);
	if (!slice_eq(buf_slice(&one), buf_slice(&two)))
		run_wrong(r, "replayed without a load the state is different (%zu and %zu octets)", one.n,
		          two.n);
	engine_free(e);
	effects_free(&fx);
	buf_free(&one);
	buf_free(&two);
}

const char *run_plan(struct run *r, const struct plan *p, const bool *keep)
{
	uint64_t doubted = doubts();
	struct engine_setup s;
	r->at = SIM_T0;
	r->config = sim_mix(r->seed) % 4 == 0;
	s = setup_of(r, setup_now(r));
	r->engine = engine_new(&s);
	effects_init(&r->fx);
	r->arena = arena_new(0);
	r->desk = xcalloc(1, sizeof *r->desk);
	r->desk->seed = sim_mix(r->seed);
	step(r, INPUT_START, SLICE_NONE);
	for (uint32_t i = 0; i < p->n && r->wrong[0] == '\0'; i++) {
		if (!keep[i])
			continue;
		wait_until(r, MAX(r->at, SIM_T0 + p->v[i].at));
		if (r->wrong[0] == '\0')
			do_act(r, &p->v[i]);
	}
	if (r->wrong[0] == '\0')
		recover(r);
	if (r->wrong[0] == '\0')
		check_end(r);
	if (r->trace)
		print_logs(r);
	replay(r);
	if (doubts() != doubted)
		run_wrong(r, "the engine doubted itself");
	return r->wrong[0] != '\0' ? r->wrong : NULL;
}

void run_close(struct run *r)
{
	for (size_t i = 0; i < r->n_journal; i++)
		buf_free(&r->journal[i].payload);
	free(r->journal);
	free(r->states);
	engine_free(r->engine);
	effects_free(&r->fx);
	arena_free(r->arena);
	sim_desk_free(r->desk);
}
