/* Runs the tests of a rule set one by one, each with an engine of its own, and prints what failed and why. */
#include "ctl/rules_test.h"

#include <stdlib.h>

#include "ctl/rules_test_case.h"
#include "ctl/rules_test_cover.h"

enum { MOMENTS_MAX = 1000000 };
#define TEST_MAX (36500 * DAY) /* sums of instants must not overflow */

/* One input (a repetition of it) or expectation in the order of time: at one instant inputs come first. */
struct moment {
	duration at;
	bool expects;
	size_t order;
	uint32_t repetition;
	const struct node *node;
};
struct timeline {
	struct moment *v;
	size_t n, cap;
};

static int by_time(const void *x, const void *y)
{
	const struct moment *a = x, *b = y;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->expects != b->expects)
		return a->expects ? 1 : -1;
	return (a->order > b->order) - (a->order < b->order);
}

static bool moment_add(struct timeline *t, struct moment m)
{
	if (m.at > TEST_MAX)
		return false;
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	m.order = t->n;
	t->v[t->n++] = m;
	return true;
}

static bool timeline_fill(struct timeline *t, const struct node *test)
{
	const struct node *events = node_get(test, "events"), *expect = node_get(test, "expect");
	for (const struct node *n = events->first; n != NULL; n = n->next) {
		const struct node *repeat = node_get(n, "repeat");
		int64_t times = 1;
		if (repeat != NULL &&
		    (!slice_int(repeat->text, &times) || times > (int64_t)(MOMENTS_MAX - t->n)))
			return false;
		duration at = case_duration(node_get(n, "at")), every = case_duration(node_get(n, "every"));
		for (uint32_t i = 0; i < times; i++)
			if (at > TEST_MAX || (i > 0 && every > TEST_MAX / i) ||
			    !moment_add(t, (struct moment){.at = at + i * every, .repetition = i, .node = n}))
				return false;
	}
	for (const struct node *n = expect->first; n != NULL; n = n->next)
		if (!moment_add(t, (struct moment){
		                       .at = case_duration(node_get(n, "at")), .expects = true, .node = n}))
			return false;
	if (t->n > 0)
		qsort(t->v, t->n, sizeof *t->v, by_time);
	return true;
}

/* ---- one test */

/* 17.17: a ticket connection exists. */
static void give_tickets(struct test_case *c)
{
	struct ticket_config *v = arena_array(c->arena, c->config.n_tickets + 1, sizeof *v);
	size_t n = c->config.n_tickets;
	if (n > 0)
		memcpy(v, c->config.tickets, n * sizeof *v);
	else
		v[n++] = (struct ticket_config){.name = arena_str(c->arena, SLICE("default"))};
	for (size_t i = 0; i < n; i++) {
		if (v[i].profile == NULL || v[i].profile[0] == '\0')
			v[i].profile = arena_str(c->arena, SLICE("rules-test"));
		v[i].storm_creates = 0; /* each incident has its ticket */
		v[i].poll = 0;          /* what people do is told at once: case_person */
	}
	c->config.tickets = v;
	c->config.n_tickets = n;
}

static void case_open(struct test_case *c)
{
	size_t n;
	const struct node *start = node_get(c->test->node, "start");
	(void)rule_set_rules(c->rules, &n);
	c->takes_part = arena_array(c->arena, n + 1, sizeof *c->takes_part);
	for (size_t i = 0; i < c->test->n_rules; i++)
		c->takes_part[c->test->rules[i]] = true;
	c->start = instant_civil(2026, 1, 5, 0, 0, 0);
	if (start != NULL && !instant_parse(start->text, &c->start))
		buf_str(c->why, "  'start' is not a time\n");
	give_tickets(c);
	effects_init(&c->fx);
	evt_batch_init(&c->batch);
	c->matcher = matcher_new(c->rules);
	c->map = service_map_empty();
}

static void case_close(struct test_case *c)
{
	engine_free(c->engine);
	service_map_close(c->map);
	buf_free(&c->map_bytes);
	matcher_free(c->matcher);
	evt_batch_free(&c->batch);
	effects_free(&c->fx);
	arena_free(c->arena);
}

static bool case_begin(struct test_case *c)
{
	const struct node *map = node_get(c->test->node, "map");
	if (map != NULL && !case_map(c, map))
		return false;
	struct engine_setup s = {&c->config, c->rules, c->map, c->takes_part};
	c->engine = engine_new(&s);
	case_step(c, c->start, INPUT_START, SLICE_NONE, NULL);
	return true;
}

static void case_run(struct test_case *c)
{
	struct timeline t = {0};
	if (!timeline_fill(&t, c->test->node))
		buf_printf(c->why, "  a test holds at most %d events and 100 years\n", MOMENTS_MAX);
	if (c->o->coverage != NULL)
		coverage_begin(c->o->coverage);
	bool ok = c->why->n == 0 && case_begin(c);
	for (size_t i = 0; ok && i < t.n; i++) {
		const struct moment *m = &t.v[i];
		if (c->o->coverage != NULL)
			coverage_alerts(c->o->coverage, c->engine);
		if (!m->expects) {
			ok = case_input(c, m->node, m->at, m->repetition);
			continue;
		}
		ok = case_advance(c, m->at);
		if (ok)
			case_expect(c, m->node, m->at);
	}
	if (c->o->coverage != NULL && c->engine != NULL)
		coverage_alerts(c->o->coverage, c->engine);
	free(t.v);
}

/* ---- the report */

struct report {
	enum rules_test_format format;
	struct buf *out;
	struct jw w;
	int run;
	unsigned failed;
};

static void put_text(struct report *r, const struct rule_test *t, const struct buf *why)
{
	if (why->n == 0)
		return;
	buf_printf(r->out, "%s:%u:%u: FAIL " SLICE_FMT "\n", t->file, t->mark.line, t->mark.col,
	           SLICE_ARG(t->name));
	buf_adds(r->out, buf_slice(why));
}

static void put_json_test(struct report *r, const struct rule_test *t, const struct buf *why)
{
	jw_object(&r->w);
	jw_kslice(&r->w, "name", t->name);
	jw_kstr(&r->w, "file", t->file);
	jw_kint(&r->w, "line", t->mark.line);
	jw_kint(&r->w, "column", t->mark.col);
	jw_kbool(&r->w, "ok", why->n == 0);
	if (why->n > 0)
		jw_kslice(&r->w, "message", buf_slice(why));
	jw_end(&r->w);
}

static void put_tap(struct report *r, const struct rule_test *t, const struct buf *why)
{
	struct slice rest = buf_slice(why), line;
	buf_printf(r->out, "%s %d - " SLICE_FMT "\n", why->n == 0 ? "ok" : "not ok", r->run,
	           SLICE_ARG(t->name));
	while (why->n > 0 && slice_split(&rest, '\n', &line)) {
		if (line.n > 0)
			buf_printf(r->out, "# " SLICE_FMT "\n", SLICE_ARG(line));
	}
}

/* Workflow commands: '%' and line ends are escaped. */
static void put_github(struct report *r, const struct rule_test *t, const struct buf *why)
{
	if (why->n == 0)
		return;
	buf_printf(r->out, "::error file=%s,line=%u,col=%u::FAIL " SLICE_FMT "%%0A", t->file, t->mark.line,
	           t->mark.col, SLICE_ARG(t->name));
	for (size_t i = 0; i < why->n; i++) {
		if (why->p[i] == '\n')
			buf_str(r->out, "%0A");
		else if (why->p[i] == '%')
			buf_str(r->out, "%25");
		else
			buf_char(r->out, why->p[i]);
	}
	buf_char(r->out, '\n');
}

static void report_test(struct report *r, const struct rule_test *t, const struct buf *why)
{
	r->run++;
	r->failed += why->n > 0;
	switch (r->format) {
	case RULES_TEST_TEXT: put_text(r, t, why); break;
	case RULES_TEST_JSON: put_json_test(r, t, why); break;
	case RULES_TEST_TAP: put_tap(r, t, why); break;
	case RULES_TEST_GITHUB: put_github(r, t, why); break;
	}
}

static void report_begin(struct report *r)
{
	r->w = jw_new(r->out);
	if (r->format == RULES_TEST_TAP)
		buf_str(r->out, "TAP version 13\n");
	if (r->format != RULES_TEST_JSON)
		return;
	jw_object(&r->w);
	jw_key(&r->w, "tests");
	jw_array(&r->w);
}

static void report_end(struct report *r)
{
	switch (r->format) {
	case RULES_TEST_TEXT:
		buf_printf(r->out, "%d test%s", r->run, r->run == 1 ? "" : "s");
		if (r->run > 0)
			buf_printf(r->out, ", %u failed", r->failed);
		break;
	case RULES_TEST_JSON:
		jw_array_end(&r->w);
		jw_kint(&r->w, "run", r->run);
		jw_kint(&r->w, "failed", r->failed);
		jw_end(&r->w);
		buf_char(r->out, '\n');
		break;
	case RULES_TEST_TAP: buf_printf(r->out, "1..%d\n", r->run); break;
	case RULES_TEST_GITHUB: break;
	}
}

int rules_test_run(const struct rule_set *rs, const struct config *cfg, const struct rules_test_options *o,
                   struct buf *out, unsigned *failed)
{
	size_t n;
	const struct rule_test *tests = rule_set_tests(rs, &n);
	struct report r = {.format = o->format, .out = out};
	report_begin(&r);
	for (size_t i = 0; i < n; i++) {
		struct buf why = {0};
		if (o->run != NULL && regex_match(o->run, tests[i].name) != REGEX_YES)
			continue;
		struct test_case c = {.rules = rs,
		                      .o = o,
		                      .test = &tests[i],
		                      .config = *cfg,
		                      .arena = arena_new(0),
		                      .why = &why};
		case_open(&c);
		case_run(&c);
		case_close(&c);
		report_test(&r, &tests[i], &why);
		buf_free(&why);
	}
	report_end(&r);
	*failed = r.failed;
	return r.run;
}
