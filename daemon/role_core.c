/* The core role: see role_core.h. One thread and one loop; the store's writer is the only other thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "role_core.h"
#include "role_core_shadow.h"

#define BACKLOG_PAUSE 50000u /* rows that wait for the writer before intake has to wait too */

struct engine_setup core_setup(const struct core *c)
{
	return (struct engine_setup){.config = c->gen->config, .rules = c->gen->rules, .map = c->map->map};
}

/* A clock that was set back must not stop the engine until it has caught up: its time goes on from where it was. */
instant core_time(struct core *c, instant wish)
{
	instant now = loop_now(c->role->loop), engine = engine_now(c->engine);

	/* within a second it is no more than two processes reading the clock one after the other */
	if (now + SECOND >= engine)
		c->skew = 0;
	else if (now + c->skew + SECOND < engine)
		c->skew = engine - now;
	return MAX(wish + c->skew, engine);
}

static instant now_of(struct core *c)
{
	return core_time(c, loop_now(c->role->loop));
}

bool core_fresh(struct core *c, const struct event_payload *head)
{
	unsigned index = head->intake & 0xff;
	uint32_t epoch = head->intake >> 8;
	struct core_high *h;

	if (DOUBT(index >= CORE_INTAKES_MAX))
		return false;
	h = &c->high[index];
	if (h->epoch == epoch && head->intake_seq <= h->seq)
		return false;
	*h = (struct core_high){epoch, head->intake_seq};
	return true;
}

/* ---- what may leave, and when */

static struct core_release *hold(struct core *c, enum release_kind kind)
{
	struct core_release *r;

	c->releases = array_reserve(c->releases, &c->cap_releases, c->n_releases + 1, sizeof *c->releases);
	r = &c->releases[c->n_releases++];
	*r = (struct core_release){.seq = c->seq};
	r->kind = kind;
	return r;
}

static void send_ops(struct core *c, struct slice ops)
{
	struct reader r = reader_of(ops);

	/* without egress nothing is lost: its return turns every operation under way into UNKNOWN (tickets.md) */
	while (c->egress != NULL && !c->role->no_tickets && r.at < r.n) {
		struct slice op = read_lslice(&r);
		if (DOUBT(!r.ok))
			return;
		channel_send(c->egress, FRAME_TICKET_OP, 0, op);
	}
}

/* Who comes instead of a peer must not get what the former one waited for: numbers begin anew, and the operations of a
 * former egress are searched for first. */
static void forget_releases(struct core *c, enum release_kind kind, unsigned intake)
{
	for (size_t i = c->released; i < c->n_releases; i++) {
		struct core_release *r = &c->releases[i];

		if (r->kind != kind || (kind == RELEASE_ACK && r->intake != intake))
			continue;
		r->kind = RELEASE_NOTHING;
		buf_free(&r->bytes);
	}
}

static void tell(struct slice notices)
{
	struct reader r = reader_of(notices);

	while (r.at < r.n) {
		enum log_level level = (enum log_level)read_u8(&r);
		struct slice text = read_lslice(&r);
		if (DOUBT(!r.ok))
			return;
		if (level <= LOG_LEVEL_WARNING)
			log_warn(SLICE_FMT, SLICE_ARG(text));
		else if (level == LOG_LEVEL_NOTICE)
			log_notice(SLICE_FMT, SLICE_ARG(text));
		else
			log_info(SLICE_FMT, SLICE_ARG(text));
	}
}

static void let_go(struct core *c, struct core_release *r)
{
	switch (r->kind) {
	case RELEASE_NOTICES:
		tell(buf_slice(&r->bytes));
		break;
	case RELEASE_NOTHING:
		break;
	case RELEASE_OPS:
		send_ops(c, buf_slice(&r->bytes));
		break;
	case RELEASE_REPLY:
		if (c->front != NULL)
			channel_send(c->front, FRAME_REPLY, r->number, buf_slice(&r->bytes));
		break;
	case RELEASE_ACK:
		if (c->intakes[r->intake].channel != NULL)
			channel_send(c->intakes[r->intake].channel, FRAME_ACK, r->number, SLICE_NONE);
		break;
	}
	buf_free(&r->bytes);
}

static void pause_intakes(struct core *c, bool paused)
{
	for (size_t i = 0; i < CORE_INTAKES_MAX; i++)
		if (c->intakes[i].channel != NULL)
			channel_pause(c->intakes[i].channel, paused);
}

static void release(struct core *c)
{
	uint64_t committed = store_committed(c->store);

	while (c->released < c->n_releases && c->releases[c->released].seq <= committed)
		let_go(c, &c->releases[c->released++]);
	if (c->released == c->n_releases)
		c->released = c->n_releases = 0;
	else if (c->released > 4096) {
		memmove(c->releases, c->releases + c->released, (c->n_releases - c->released) * sizeof *c->releases);
		c->n_releases -= c->released;
		c->released = 0;
	}
}

static void on_commit(int fd UNUSED, int what UNUSED, void *arg)
{
	struct core *c = arg;
	struct error err;

	store_notify_clear(c->store);
	if (store_failed(c->store, &err) && !c->failed) {
		/* nothing later is on disk: acknowledge nothing more, start again from what is */
		c->failed = true;
		log_error("msg=\"the journal cannot be written; restarting from what is on disk\" reason=\"%s\"", err.text);
		_exit(70);
	}
	release(c);
	if (store_backlog(c->store) < BACKLOG_PAUSE / 2)
		pause_intakes(c, false);
}

/* ---- inputs */

static void arm_tick(struct core *c)
{
	instant due = engine_due(c->engine);

	if (due == INSTANT_NONE)
		loop_timer_set(c->tick, -1);
	else
		loop_timer_set(c->tick, MAX(due - now_of(c), 0));
}

void core_input(struct core *c, instant at, uint16_t kind, struct slice payload, const struct engine_setup *setup)
{
	struct engine_input in = {.seq = ++c->seq, .at = at, .kind = kind, .payload = payload, .setup = setup};

	effects_reset(&c->fx); /* what the former input caused has been taken */
	store_append(c->store, in.seq, at, kind, payload);
	engine_step(c->engine, &in, &c->fx);
	if (c->fx.notices.n > 0) {
		struct core_release *told = hold(c, RELEASE_NOTICES);
		buf_adds(&told->bytes, buf_slice(&c->fx.notices));
	}
	if (c->fx.n_ops > 0) {
		struct core_release *r = hold(c, RELEASE_OPS);
		buf_adds(&r->bytes, buf_slice(&c->fx.ops));
	}
}

static void after_inputs(struct core *c)
{
	arm_tick(c);
	if (store_backlog(c->store) > BACKLOG_PAUSE)
		pause_intakes(c, true);
}

static void on_tick(void *arg)
{
	struct core *c = arg;
	instant now = now_of(c);

	if (engine_due(c->engine) != INSTANT_NONE && engine_due(c->engine) <= now)
		core_input(c, now, INPUT_TICK, SLICE_NONE, NULL);
	after_inputs(c);
}

/* A frame that another generation of the rules matched is matched again; false: no rule wants it any more. */
static bool rematch(struct core *c, struct event_frame *ev, struct slice *payload)
{
	const uint32_t *hits;
	size_t n;

	arena_reset(c->scratch);
	fields_reset(&c->fields);
	evt_open(ev->evt, &c->fields);
	n = matcher_match(c->matcher, &c->fields, &hits);
	if (n == 0)
		return false;
	buf_clear(&c->rematch);
	event_frame_encode(rule_set_generation(c->gen->rules), ev->head->intake, ev->head->intake_seq, hits, n, ev->evt, &c->rematch);
	*payload = buf_slice(&c->rematch);
	return true;
}

static void on_event(struct core_intake *in, const struct frame *head UNUSED, struct slice payload)
{
	struct core *c = in->core;
	struct event_frame ev;

	if (DOUBT(!event_frame_decode(payload, &ev)))
		return;
	if (DOUBT((ev.head->intake & 0xff) != in->index))
		return;
	in->seen = MAX(in->seen, ev.head->intake_seq);
	if (!core_fresh(c, ev.head)) {
		counter_add(c->repeats_total, 1);
		return;
	}
	if (ev.head->generation != rule_set_generation(c->gen->rules) && !rematch(c, &ev, &payload)) {
		counter_add(c->unwanted_total, 1);
		return;
	}
	counter_add(c->events_total, 1);
	bool timed = core_rules_sampled(c);
	instant began = timed ? loop_mono() : 0;

	core_input(c, core_time(c, ev.evt->received), FRAME_EVENT, payload, NULL);
	if (timed && event_frame_decode(payload, &ev))
		core_rules_cost(c, &ev, loop_mono() - began);
}

static void intake_frame(struct channel *ch UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_EVENT && ((struct core_intake *)arg)->core->running)
		on_event(arg, head, payload);
	else if (head->kind == FRAME_TICKET_HINT && ((struct core_intake *)arg)->core->running)
		core_input(((struct core_intake *)arg)->core, now_of(((struct core_intake *)arg)->core), FRAME_TICKET_HINT, payload, NULL);
	else if (head->kind == FRAME_SHADOW)
		core_shadow_event(((struct core_intake *)arg)->core, payload);
}

static void intake_batch(struct channel *ch UNUSED, void *arg)
{
	struct core_intake *in = arg;
	struct core *c = in->core;

	if (!c->running)
		return;
	if (in->seen > 0) {
		struct core_release *r = hold(c, RELEASE_ACK);
		r->intake = in->index;
		r->number = in->seen;
		in->seen = 0;
	}
	after_inputs(c);
	release(c); /* a batch of repeats has nothing to wait for */
}

static void intake_closed(struct channel *ch, void *arg)
{
	struct core_intake *in = arg;

	channel_free(ch);
	in->channel = NULL;
	in->seen = 0;
	forget_releases(in->core, RELEASE_ACK, in->index);
}

static void egress_frame(struct channel *ch UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	struct core *c = arg;
	struct ticket_result res;

	if (fd >= 0)
		close(fd);
	if (!c->running)
		return;
	if (head->kind == FRAME_TICKET_RESULT && !DOUBT(!ticket_result_decode(payload, &res)))
		core_input(c, now_of(c), FRAME_TICKET_RESULT, payload, NULL);
	after_inputs(c);
}

static void egress_closed(struct channel *ch, void *arg)
{
	struct core *c = arg;

	channel_free(ch);
	c->egress = NULL;
	forget_releases(c, RELEASE_OPS, 0);
}

static void front_frame(struct channel *ch UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	struct core *c = arg;
	struct core_release *r;

	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_SHADOW && c->running) { /* a look, no input: nothing to be journaled */
		struct buf report = {0};

		core_shadow_report(c, &report);
		channel_send(c->front, FRAME_REPLY, head->seq, buf_slice(&report));
		buf_free(&report);
		return;
	}
	if (head->kind == FRAME_ASK && c->running) { /* neither is this */
		struct buf answer = {0};

		engine_ask(c->engine, payload, &answer);
		channel_send(c->front, FRAME_REPLY, head->seq, buf_slice(&answer));
		buf_free(&answer);
		return;
	}
	if (head->kind != FRAME_COMMAND || !c->running)
		return;
	core_input(c, now_of(c), FRAME_COMMAND, payload, NULL);
	r = hold(c, RELEASE_REPLY);
	r->number = head->seq;
	buf_adds(&r->bytes, buf_slice(&c->fx.reply));
	after_inputs(c);
}

static void front_closed(struct channel *ch, void *arg)
{
	struct core *c = arg;

	channel_free(ch);
	c->front = NULL;
	forget_releases(c, RELEASE_REPLY, 0);
}

/* Operations that the former egress had, or that the crash interrupted, may have happened: the engine searches first. */
static void resume(struct core *c, duration down)
{
	struct buf b = {0};

	buf_u64(&b, (uint64_t)down);
	core_input(c, now_of(c), INPUT_RESUME, buf_slice(&b), NULL);
	buf_free(&b);
	after_inputs(c);
}

static void core_peer(void *self, enum role_kind kind, unsigned index, int fd)
{
	static const struct channel_events intake_ev = {.frame = intake_frame, .batch = intake_batch, .closed = intake_closed};
	static const struct channel_events egress_ev = {.frame = egress_frame, .closed = egress_closed};
	static const struct channel_events front_ev = {.frame = front_frame, .closed = front_closed};
	struct core *c = self;

	if (kind == ROLE_INTAKE && index < CORE_INTAKES_MAX) {
		struct core_intake *in = &c->intakes[index];
		if (in->channel != NULL)
			channel_drain(in->channel); /* what a dead one had still offered */
		channel_free(in->channel);
		in->seen = 0;
		forget_releases(c, RELEASE_ACK, index);
		in->channel = channel_new(c->role->loop, fd, &intake_ev, in);
	} else if (kind == ROLE_EGRESS) {
		if (c->egress != NULL)
			channel_drain(c->egress); /* results that a dead one had still sent */
		channel_free(c->egress);
		c->egress = channel_new(c->role->loop, fd, &egress_ev, c);
		forget_releases(c, RELEASE_OPS, 0);
		if (c->running)
			resume(c, 0);
	} else if (kind == ROLE_FRONT) {
		channel_free(c->front);
		forget_releases(c, RELEASE_REPLY, 0);
		c->front = channel_new(c->role->loop, fd, &front_ev, c);
	} else {
		close(fd);
	}
}

/* ---- generations and maps */

static void set_matcher(struct core *c)
{
	matcher_free(c->matcher);
	c->matcher = matcher_new(c->gen->rules);
}

static int core_compile(void *self, const struct bundle *b, const struct config *next UNUSED, uint32_t generation UNUSED,
                        struct error *err)
{
	struct core *c = self;

	core_gen_free(c->next);
	c->next = core_gen_new(b, err);
	/* now, while the reload can still be refused: the journal will name it */
	if (c->next != NULL && c->running && store_file_put(c->store, "rules", c->next->hash, buf_slice(&c->next->bytes), err) != 0) {
		core_gen_free(c->next);
		c->next = NULL;
	}
	return c->next != NULL ? 0 : -1;
}

static int adopt(struct core *c, struct error *err)
{
	struct core_gen *former = c->gen;
	struct engine_setup setup;

	if (store_file_put(c->store, "rules", c->next->hash, buf_slice(&c->next->bytes), err) != 0)
		return -1;
	c->gen = c->next;
	c->next = NULL;
	if (c->engine == NULL) {
		c->map = role_map_open(-1, err);
		setup = core_setup(c);
		c->engine = engine_new(&setup);
		core_input(c, loop_now(c->role->loop), INPUT_START, slice_str(c->gen->hash), &setup);
	} else {
		setup = core_setup(c);
		core_input(c, now_of(c), INPUT_RULES, slice_str(c->gen->hash), &setup);
	}
	set_matcher(c);
	core_gen_free(former);
	return 0;
}

/* The first swap brings the state back; a recovered generation of the same bytes goes on as the new one. */
static int begin(struct core *c, struct error *err)
{
	bool recovered;

	if (core_recover(c, err) != 0)
		return -1;
	recovered = c->engine != NULL;
	c->notify = loop_fd_add(c->role->loop, store_notify_fd(c->store), LOOP_READ, on_commit, c);
	/* before any other input: what seems overdue is only the time that nobody listened */
	if (recovered)
		resume(c, MAX(loop_now(c->role->loop) - engine_now(c->engine), 0));
	if (recovered && strcmp(c->gen->hash, c->next->hash) == 0) {
		core_gen_free(c->next);
		c->next = NULL;
		set_matcher(c);
	} else if (adopt(c, err) != 0) {
		return -1;
	}
	core_views(c, true);
	c->running = true;
	return 0;
}

static void core_swap(void *self, const struct config *config, uint32_t generation UNUSED)
{
	struct core *c = self;
	struct error err;
	int fd;

	if (c->store != NULL) {
		if (!c->running)
			return; /* it is ending */
		if (c->next != NULL && strcmp(c->gen->hash, c->next->hash) == 0) {
			core_gen_free(c->next);
			c->next = NULL;
		} else if (adopt(c, &err) != 0) {
			log_error("msg=\"reload refused\" reason=\"%s\"", err.text);
		}
		after_inputs(c);
		return;
	}
	if (begin(c, &err) != 0) {
		log_error("msg=\"cannot start\" reason=\"%s\"", err.text);
		role_ready(c->role, err.text);
		role_done(c->role);
		return;
	}
	after_inputs(c);
	loop_timer_set(c->views, CORE_VIEW_EVERY);
	loop_timer_set(c->snapshot, config->state.snapshot);
	loop_timer_set(c->history, MINUTE);
	fd = c->map->hash[0] != '\0' ? store_file_open(c->store, "map", c->map->hash, &err) : -1;
	if (fd >= 0) {
		role_send(c->role, FRAME_MAP, 0, slice_str(c->map->hash), fd);
		close(fd);
	}
	role_ready(c->role, NULL);
}

static void core_take_map(void *self, int fd, const char *hash UNUSED)
{
	struct core *c = self;
	struct role_map *m, *former;
	struct engine_setup setup;
	struct error err;

	if (fd < 0 || !c->running) {
		if (fd >= 0)
			close(fd);
		return;
	}
	m = role_map_open(fd, &err);
	if (m == NULL) {
		log_warn("msg=\"map refused\" reason=\"%s\"", err.text);
		return;
	}
	if (strcmp(m->hash, c->map->hash) == 0 || store_file_put(c->store, "map", m->hash, slice_of(m->mem, m->len), &err) != 0) {
		role_map_close(m);
		return;
	}
	former = c->map;
	c->map = m;
	setup = core_setup(c);
	core_input(c, now_of(c), INPUT_MAP, slice_str(m->hash), &setup);
	after_inputs(c);
	core_shadow_map(c);
	role_map_close(former);
	log_info("msg=\"map in use\" hash=%.12s services=%u", c->map->hash, c->map->services);
}

/* ---- life */

static void *core_start(struct role *r)
{
	struct core *c = xcalloc(1, sizeof *c);

	c->role = r;
	c->scratch = arena_new(0);
	fields_init(&c->fields, c->scratch);
	effects_init(&c->fx);
	for (unsigned i = 0; i < CORE_INTAKES_MAX; i++)
		c->intakes[i] = (struct core_intake){.core = c, .index = i};
	c->tick = loop_timer_new(r->loop, on_tick, c);
	c->views = loop_timer_new(r->loop, core_on_views, c);
	c->snapshot = loop_timer_new(r->loop, core_on_snapshot, c);
	c->history = loop_timer_new(r->loop, core_on_history, c);
	c->events_total = counter(r->counters, "carillon_events_accepted_total", "");
	c->unwanted_total = counter(r->counters, "carillon_events_unwanted_total", "listener=\"(reload)\"");
	c->repeats_total = counter(r->counters, "carillon_events_repeated_total", "");
	return c;
}

/* False: not everything is on disk. */
static bool close_all(struct core *c)
{
	struct error err;
	bool all = true;

	loop_fd_del(c->notify);
	c->notify = NULL;
	if (c->store == NULL)
		return true;
	if (c->running && !c->failed) {
		core_views(c, false);
		core_snapshot(c);
		all = store_stop(c->store, &err) == 0;
		if (!all)
			log_error("msg=\"the end of the journal could not be written\" reason=\"%s\"", err.text);
	}
	c->running = false;
	store_close(c->store);
	c->store = NULL;
	return all;
}

static void core_stop(void *self)
{
	struct core *c = self;

	loop_timer_set(c->tick, -1);
	loop_timer_set(c->views, -1);
	loop_timer_set(c->snapshot, -1);
	loop_timer_set(c->history, -1);
	if (!c->closing && c->store != NULL) {
		c->closing = true;
		/* all of it is on disk now: acknowledge before the channels go */
		if (close_all(c))
			while (c->released < c->n_releases)
				let_go(c, &c->releases[c->released++]);
		for (size_t i = 0; i < CORE_INTAKES_MAX; i++)
			if (c->intakes[i].channel != NULL)
				channel_flush(c->intakes[i].channel, SECOND);
		if (c->front != NULL)
			channel_flush(c->front, SECOND);
	}
	role_done(c->role);
}

static void core_parent_frame(void *self, const struct frame *head, struct slice payload, int fd)
{
	if (head->kind == FRAME_SHADOW)
		core_shadow_frame(self, payload);
	if (fd >= 0)
		close(fd);
}

static void core_free(void *self)
{
	struct core *c = self;

	core_shadow_free(c);
	(void)close_all(c);
	for (size_t i = 0; i < CORE_INTAKES_MAX; i++)
		channel_free(c->intakes[i].channel);
	channel_free(c->egress);
	channel_free(c->front);
	for (size_t i = c->released; i < c->n_releases; i++)
		buf_free(&c->releases[i].bytes);
	free(c->releases);
	engine_free(c->engine);
	core_rules_free(c);
	matcher_free(c->matcher);
	core_gen_free(c->gen);
	core_gen_free(c->next);
	role_map_close(c->map);
	effects_free(&c->fx);
	fields_free(&c->fields);
	arena_free(c->scratch);
	buf_free(&c->rematch);
	loop_timer_free(c->tick);
	loop_timer_free(c->views);
	loop_timer_free(c->snapshot);
	loop_timer_free(c->history);
	free(c);
}

const struct role_ops role_core = {.kind = ROLE_CORE,
                                   .sandbox = SANDBOX_CORE,
                                   .start = core_start,
                                   .compile = core_compile,
                                   .swap = core_swap,
                                   .peer = core_peer,
                                   .map = core_take_map,
                                   .frame = core_parent_frame,
                                   .stop = core_stop,
                                   .free = core_free};
