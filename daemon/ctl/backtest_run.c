/* One run: payloads through decoders, matcher and engine at the times at which they were received, every
 * deadline at its own moment, every ticket operation answered at once. Must not know how its outcome is
 * shown. */
#include <stdlib.h>

#include "ctl/backtest.h"
#include "store/record_lines.h"
#include "store/record_set.h"

enum { ROUNDS_MAX = 100000 };

/* ---- the engine */

static void step(struct bt_run *r, instant at, uint16_t kind, struct slice payload)
{
	instant now = engine_now(r->engine);
	struct engine_input in = {
	    .seq = ++r->seq, .at = now != INSTANT_NONE ? MAX(at, now) : at, .kind = kind, .payload = payload};

	r->trace.at = in.at;
	effects_reset(&r->fx);
	engine_step(r->engine, &in, &r->fx);
	engine_views(r->engine, false, NULL, NULL);
}

/* Answers all operations that the last step sent, and those that the answers cause. */
static int answer(struct bt_run *r, struct error *err)
{
	struct buf todo = {0}, result = {0};
	size_t at = 0;
	int rounds = 0;

	buf_adds(&todo, buf_slice(&r->fx.ops));
	while (at < todo.n && ++rounds < ROUNDS_MAX) {
		struct reader rd = reader_of(slice_of(todo.p + at, todo.n - at));
		struct slice op = read_lslice(&rd);

		BUG_ON(!rd.ok);
		at += rd.at;
		buf_clear(&result);
		if (!bt_tickets_answer(&r->tickets, op, engine_now(r->engine), &result))
			break;
		step(r, engine_now(r->engine), FRAME_TICKET_RESULT, buf_slice(&result));
		buf_adds(&todo, buf_slice(&r->fx.ops));
	}
	rounds = at < todo.n ? error_set(err, "the ticket operations do not come to an end") : 0;
	buf_free(&todo);
	buf_free(&result);
	return rounds;
}

/* What a kill -9 and a start do: the state goes through its bytes. */
static int restart(struct bt_run *r, struct error *err)
{
	struct engine_setup s = {&r->config, r->load->rules, r->map, NULL};
	struct buf state = {0};

	engine_save(r->engine, &state);
	engine_free(r->engine);
	r->engine = engine_load(&s, buf_slice(&state), err);
	buf_free(&state);
	if (r->engine == NULL)
		return error_wrap(err, "the saved state");
	engine_observe(r->engine, &r->trace.observer);
	return 0;
}

static int advance(struct bt_run *r, instant to, struct error *err)
{
	instant due;

	r->trace.now = EVENT_NONE;
	while ((due = engine_due(r->engine)) != INSTANT_NONE && due <= to) {
		step(r, due, INPUT_TICK, SLICE_NONE);
		if (answer(r, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- one event */

static int feed(struct bt_run *r, struct fields *f, instant received, uint32_t number, struct error *err)
{
	const uint32_t *hits;
	struct ulid id;
	size_t n;

	if (!matcher_decode(r->matcher, f)) {
		r->trace.events[number].dropped = true;
		return 0;
	}
	matcher_resolve(r->matcher, r->map, f);
	n = matcher_match(r->matcher, f, &hits);
	if (n == 0)
		return 0;
	r->wanted++;
	r->trace.events[number].wanted = true;
	redact_fields(r->redact, f);
	id = ulid_make(received, 0, number * 0x9e3779b97f4a7c15ull);
	buf_clear(&r->evt);
	buf_clear(&r->payload);
	evt_encode(f, &id, received, &r->evt);
	event_frame_encode(rule_set_generation(r->load->rules), 0, number + 1, hits, n,
	                   (const struct evt *)(const void *)r->evt.p, &r->payload);
	r->trace.now = number;
	step(r, received, FRAME_EVENT, buf_slice(&r->payload));
	return answer(r, err);
}

static int feed_payload(struct bt_run *r, const struct record_item *it, uint32_t line, struct error *err)
{
	const struct raw_payload p = {.received = it->received,
	                              .listener = it->listener,
	                              .transport = it->transport,
	                              .peer = it->peer,
	                              .path = it->path,
	                              .headers = it->headers,
	                              .bytes = it->raw};
	enum raw_outcome o = raw_input_payload(r->raw, &p, &r->batch);

	r->payloads++;
	r->refused += o == RAW_REFUSED;
	r->repeated += o == RAW_REPEATED;
	for (size_t i = 0; i < r->batch.n; i++) {
		uint32_t number = trace_event(&r->trace, line, (uint32_t)i);

		if (feed(r, &r->batch.v[i], it->received, number, err) != 0)
			return -1;
	}
	if (r->restart_every > 0 && ++r->since_restart >= r->restart_every) {
		r->since_restart = 0;
		return restart(r, err);
	}
	return 0;
}

/* ---- the recording */

static void begin(struct bt_run *r, instant at)
{
	struct engine_setup s = {&r->config, r->load->rules, r->map, NULL};

	r->first = r->last = at;
	r->engine = engine_new(&s);
	engine_observe(r->engine, &r->trace.observer);
	step(r, at, INPUT_START, SLICE_NONE);
}

static int move_clock(struct bt_run *r, instant to, struct error *err)
{
	if (to == INSTANT_NONE || r->engine == NULL)
		return 0;
	r->last = MAX(to, r->last);
	if (advance(r, r->last, err) != 0)
		return -1;
	step(r, r->last, INPUT_TICK, SLICE_NONE);
	return answer(r, err);
}

static int one_line(struct bt_run *r, struct slice text, uint32_t line, struct error *err)
{
	struct record_item it;
	struct error why;

	arena_reset(r->arena);
	if (record_item_parse(r->arena, text, &it, &why) != 0) {
		if (r->unreadable++ == 0)
			snprintf(r->torn, sizeof r->torn, "line %u: %.120s", line + 1, why.text);
		return 0;
	}
	if (it.gap) {
		r->gaps++;
		return 0;
	}
	if (r->engine == NULL)
		begin(r, it.received);
	/* a clock that was set back: virtual time stands still until it has caught up */
	it.received = r->last = MAX(it.received, r->last);
	if (it.end)
		return move_clock(r, it.received, err);
	if (advance(r, it.received, err) != 0)
		return -1;
	return feed_payload(r, &it, line, err);
}

static int from_file(struct bt_run *r, const char *path, struct error *err)
{
	struct record_lines *l = record_lines_open(path, err);
	struct slice text;
	uint32_t line = 0;
	int rc = l != NULL ? 0 : -1;

	for (; rc == 0 && record_lines_next(l, &text); line++)
		if (slice_trim(text).n > 0)
			rc = one_line(r, text, line, err);
	if (rc == 0 && record_lines_torn(l) != NULL && r->torn[0] == '\0')
		snprintf(r->torn, sizeof r->torn, "%.100s: %s", path, record_lines_torn(l));
	record_lines_close(l);
	return rc;
}

static int from_dir(struct bt_run *r, const struct bt_source *s, struct error *err)
{
	struct record_set *set = record_set_open(s->dir, s->from, s->to, err);
	struct slice text;
	uint32_t line = 0;
	int rc = set != NULL ? 0 : -1;

	for (; rc == 0 && record_set_next(set, &text); line++)
		rc = one_line(r, text, line, err);
	if (rc == 0)
		rc = move_clock(r, s->clock, err);
	if (rc == 0 && record_set_torn(set) > 0)
		snprintf(r->torn, sizeof r->torn, "%zu torn frames were left out", record_set_torn(set));
	record_set_close(set);
	return rc;
}

/* As rule tests have it: a ticket connection exists. */
static void give_tickets(struct bt_run *r)
{
	size_t n = r->config.n_tickets;
	struct ticket_config *v = xcalloc(n + 1, sizeof *v);

	if (n > 0)
		memcpy(v, r->config.tickets, n * sizeof *v);
	else
		v[n++].name = xstrdup("default");
	for (size_t i = 0; i < n; i++)
		v[i].poll = 0, v[i].storm_creates = 0; /* nobody does anything to them; each incident counts */
	for (size_t i = 0; i < n; i++)
		if (v[i].profile == NULL || v[i].profile[0] == '\0')
			v[i].profile = (char *)(uintptr_t) "backtest";
	r->config.tickets = v;
	r->config.n_tickets = n;
}

int bt_run(struct bt_run *r, const struct bt_source *s, struct error *err)
{
	BUG_ON(r->load == NULL || r->load->rules == NULL || r->map == NULL);
	BUG_ON(s->file == NULL && s->dir == NULL);
	r->config = *r->load->config;
	give_tickets(r);
	r->first = r->last = INSTANT_NONE;
	r->arena = arena_new(0);
	effects_init(&r->fx);
	evt_batch_init(&r->batch);
	trace_init(&r->trace);
	bt_tickets_init(&r->tickets);
	r->matcher = matcher_new(r->load->rules);
	r->redact = redact_new(&r->config, err);
	if (r->redact == NULL || (s->file != NULL ? from_file(r, s->file, err) : from_dir(r, s, err)) != 0)
		return -1;
	if (r->engine == NULL)
		return error_set(err, "the recording holds no payload%s%s", r->torn[0] != '\0' ? ": " : "",
		                 r->torn);
	trace_finish(&r->trace, r->engine);
	bt_tickets_finish(&r->tickets, &r->trace);
	return 0;
}

void bt_run_free(struct bt_run *r)
{
	if (r->arena == NULL)
		return; /* it was never begun */
	engine_free(r->engine);
	matcher_free(r->matcher);
	redact_free(r->redact);
	evt_batch_free(&r->batch);
	effects_free(&r->fx);
	trace_free(&r->trace);
	bt_tickets_free(&r->tickets);
	buf_free(&r->evt);
	buf_free(&r->payload);
	arena_free(r->arena);
	if (r->load->config->n_tickets == 0)
		free(r->config.tickets[0].name);
	free(r->config.tickets);
}
