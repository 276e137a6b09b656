/* The parent's loop: see role_parent.h. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/log.h"
#include "ctl/plugins_check.h"
#include "role_parent.h"
#include "role_parent_record.h"
#include "rules/sources.h"

#define RESTART_CALM (2 * SECOND) /* who lived so long starts again at once: that alone bounds the rate */
#define STOP_PATIENCE (10 * SECOND)

void parent_notify(const char *state)
{
#ifdef HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

/* ---- stopping: first who takes in, then the rest, core last: nothing accepted is lost */

static unsigned stop_rank(const struct child *c)
{
	if (c->ops->kind == ROLE_INTAKE)
		return 0;
	return c->ops->kind == ROLE_CORE ? 2 : 1;
}

static void stop_next(struct parent *p)
{
	unsigned lowest = 3;

	for (size_t i = 0; i < p->n_children; i++) {
		struct child *c = &p->children[i];

		/* dead, or waiting to be started again: nobody will say that it has ended */
		if (c->started && !c->done && c->control == NULL && c->pid <= 0)
			c->done = true;
		if (c->started && !c->done)
			lowest = MIN(lowest, stop_rank(c));
	}
	if (lowest == 3) {
		loop_stop(p->loop);
		return;
	}
	for (size_t i = 0; i < p->n_children; i++) {
		struct child *c = &p->children[i];

		if (c->started && !c->done && stop_rank(c) == lowest && c->ping != UINT64_MAX) {
			c->ping = UINT64_MAX; /* told once */
			child_send(c, FRAME_STOP, 0, SLICE_NONE, -1);
		}
	}
	loop_timer_set(p->patience, STOP_PATIENCE);
}

static void on_patience(void *arg)
{
	struct parent *p = arg;

	for (size_t i = 0; i < p->n_children; i++) {
		struct child *c = &p->children[i];

		if (!c->started || c->done || c->ping != UINT64_MAX)
			continue;
		log_warn("msg=\"a role does not end, killing it\" role=%s index=%u", role_word(c->ops->kind), c->index);
		if (c->pid > 0)
			kill(c->pid, SIGKILL);
		else
			c->done = true;
	}
	if (p->options.single)
		loop_stop(p->loop);
	else
		stop_next(p);
}

void parent_stop(struct parent *p)
{
	if (p->state == PARENT_STOPPING)
		return;
	p->state = PARENT_STOPPING;
	parent_notify("STOPPING=1");
	log_notice("msg=\"stopping\"");
	stop_next(p);
}

/* ---- starting and restarting */

void parent_try_intakes(struct parent *p)
{
	struct child *core = child_find(p, ROLE_CORE, 0);

	if (p->state != PARENT_STARTING || core == NULL || !core->ready || !p->map_known || !p->tables_known)
		return;
	p->state = PARENT_RUNNING;
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].ops->kind == ROLE_INTAKE)
			child_start(p, &p->children[i]);
}

static void restart(void *arg)
{
	struct child *c = arg;

	if (c->parent->state != PARENT_STOPPING)
		child_start(c->parent, c);
}

void parent_child_gone(struct child *c)
{
	struct parent *p = c->parent;
	char label[40];

	if (p->state == PARENT_STOPPING) {
		c->done = true;
		stop_next(p);
		return;
	}
	if (c->ops->kind == ROLE_INTAKE)
		shared_forget(p, c->index);
	reload_swapped(p, c);
	if (p->next != NULL)
		reload_abort(p, "a role died meanwhile; try again");
	snprintf(label, sizeof label, "role=\"%s\"", role_word(c->ops->kind));
	counter_add(counter(p->counters, "carillon_role_restarts_total", label), 1);
	c->deaths = loop_mono() - c->since < RESTART_CALM ? c->deaths + 1 : 1;
	if (c->again == NULL)
		c->again = loop_timer_new(p->loop, restart, c);
	/* the first times at once: accepting again within a second matters more than politeness */
	loop_timer_set(c->again, c->deaths <= 5 ? 0 : MIN((c->deaths - 5) * 100 * MSEC, 5 * SECOND));
}

bool parent_all_ready(const struct parent *p)
{
	for (size_t i = 0; i < p->n_children; i++)
		if (!p->children[i].ready)
			return false;
	return p->state == PARENT_RUNNING;
}

static void tell_ready(struct parent *p)
{
	struct buf b = {0};

	for (size_t i = 0; i < p->n_sockets; i++) {
		const struct parent_socket *s = &p->sockets[i], *before = i > 0 ? &p->sockets[i - 1] : NULL;

		/* each intake has its own socket of a UDP address */
		if (before == NULL || strcmp(s->listener, before->listener) != 0 || strcmp(s->text, before->text) != 0)
			buf_printf(&b, "%s%s %s", b.n > 0 ? ", " : "", s->listener, s->text);
	}
	log_info("msg=\"ready\" version=" CARILLON_VERSION " listening=\"%s\"", buf_cstr(&b));
	buf_free(&b);
	p->told = true;
}

static void running(struct parent *p)
{
	if (!parent_all_ready(p))
		return;
	if (!p->told)
		tell_ready(p);
	parent_notify("READY=1\nSTATUS=running");
	if (p->on_running != NULL) {
		void (*fn)(struct parent *, void *) = p->on_running;
		p->on_running = NULL;
		fn(p, p->on_running_arg);
	}
}

static void on_ready(struct child *c, struct slice complaint)
{
	struct parent *p = c->parent;

	if (complaint.n > 0) {
		log_error("msg=\"a role cannot start\" role=%s reason=\"" SLICE_FMT "\"", role_word(c->ops->kind), SLICE_ARG(complaint));
		if (p->state == PARENT_STARTING) {
			p->exit_code = 1;
			parent_stop(p);
		}
		return;
	}
	c->ready = true;
	if (c->ops->kind == ROLE_CORE && !p->core_told) {
		struct child *mapper = child_find(p, ROLE_MAPPER, 0);

		p->core_told = true;
		if (mapper != NULL && mapper->started)
			child_send_map(mapper);
	}
	parent_try_intakes(p);
	running(p);
}

/* ---- frames of the roles */

/* From mapper: a new map. From core: the one it recovered, unless mapper was quicker. */
static void take_map(struct child *c, struct slice hash, int fd)
{
	struct parent *p = c->parent;

	if (fd < 0 || hash.n >= sizeof p->map_hash || (c->ops->kind == ROLE_CORE && p->map_fd >= 0)) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (p->map_fd >= 0)
		close(p->map_fd);
	p->map_fd = fd;
	memcpy(p->map_hash, hash.p, hash.n);
	p->map_hash[hash.n] = '\0';
	p->map_known = true;
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].started)
			child_send_map(&p->children[i]);
	parent_try_intakes(p);
}

/* From mapper: rows of the rules' tables, or the word that there are none (yet): the last ones stay. */
static void take_tables(struct parent *p, int fd)
{
	p->tables_known = true;
	if (fd >= 0) {
		if (p->tables_fd >= 0)
			close(p->tables_fd);
		p->tables_fd = fd;
		for (size_t i = 0; i < p->n_children; i++)
			if (p->children[i].started)
				child_send_tables(&p->children[i]);
	}
	parent_try_intakes(p);
}

static void forward_map_state(struct parent *p, struct slice state)
{
	struct child *front = child_find(p, ROLE_FRONT, 0);

	/* mapper has tried: whatever is known of the map now is what there is */
	p->map_known = true;
	buf_clear(&p->map_state);
	buf_adds(&p->map_state, state);
	if (front != NULL)
		child_send(front, FRAME_MAP_STATE, 0, state, -1);
	parent_try_intakes(p);
}

/* A role that has never run cannot run at all; one that starts again will be tried again. */
static void cannot_compile(struct child *c, struct slice why)
{
	log_error("msg=\"a role cannot compile the sources\" role=%s reason=\"" SLICE_FMT "\"", role_word(c->ops->kind), SLICE_ARG(why));
	if (c->deaths == 0) {
		c->parent->exit_code = 1;
		parent_stop(c->parent);
	}
}

void parent_frame(struct child *c, const struct frame *head, struct slice payload, int fd)
{
	struct parent *p = c->parent;

	switch (head->kind) {
	case FRAME_READY:
		on_ready(c, payload);
		break;
	case FRAME_COMPILED:
		/* of the running sources: a reload that was given up may still be complained about */
		if (payload.n > 0 && head->seq == p->generation)
			cannot_compile(c, payload);
		reload_compiled(p, c, head->seq, payload);
		break;
	case FRAME_MAP:
		take_map(c, payload, fd);
		return;
	case FRAME_TABLES:
		if (c->ops->kind == ROLE_MAPPER) {
			take_tables(p, fd);
			return;
		}
		break;
	case FRAME_MAP_STATE:
		forward_map_state(p, payload);
		break;
	case FRAME_RELOAD:
		reload_begin(p, true, head->seq);
		break;
	case FRAME_SECRET:
		child_send_secrets(c, p->config);
		break;
	case FRAME_SHADOW:
		shadow_command(p, head->seq, payload);
		break;
	case FRAME_TICKET_FILE:
		child_send_ticket_file(c, p->config, payload);
		break;
	case FRAME_RECORD:
		if (c->ops->kind == ROLE_FRONT)
			parent_record_command(p->record, head->seq, payload);
		else
			parent_record_next(p->record, c);
		break;
	case FRAME_PING:
		if (head->seq == RELOAD_PING)
			reload_swapped(p, c);
		else
			c->pong = head->seq;
		break;
	case FRAME_STOP:
		if (p->options.single || p->state == PARENT_STOPPING) {
			c->done = p->options.single;
			if (p->state == PARENT_STOPPING && p->options.single)
				stop_next(p);
		}
		break;
	default: /* a number from the wire */
		break;
	}
	if (fd >= 0)
		close(fd);
}

/* ---- signals, watchdog */

static void on_signal(int signo, void *arg)
{
	struct parent *p = arg;

	if (signo == SIGCHLD)
		children_reap(p);
	else if (signo == SIGHUP)
		reload_begin(p, false, 0);
	else
		parent_stop(p);
}

/* The watchdog is fed only while every role answers. */
static void on_watchdog(void *arg)
{
	struct parent *p = arg;
	bool all = true;

	shared_turn(p);
	for (size_t i = 0; i < p->n_children && p->state == PARENT_RUNNING; i++) {
		struct child *c = &p->children[i];

		if (c->control == NULL || c->pong != c->ping)
			all = false;
		else
			child_send(c, FRAME_PING, ++c->ping, SLICE_NONE, -1);
	}
	if (all)
		parent_notify("WATCHDOG=1");
	parent_figures(p);
	loop_timer_set(p->watchdog, 5 * SECOND);
}

/* ---- life */

static void make_children(struct parent *p)
{
	static const struct role_ops *const once[] = {&role_core, &role_egress, &role_mapper, &role_front};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned intakes = p->config->intake > 0 ? (unsigned)p->config->intake : (unsigned)(cpus < 1 ? 1 : MIN(cpus, 32));

	if (p->options.single)
		intakes = 1;
	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		p->children[p->n_children++] = (struct child){.parent = p, .ops = once[i]};
	for (unsigned i = 0; i < MIN(intakes, 32u); i++)
		p->children[p->n_children++] = (struct child){.parent = p, .ops = &role_intake, .index = i};
}

static int read_sources(struct parent *p, struct findings *f, struct error *err)
{
	struct bundle b;

	p->config = files_read(p->options.config_path, &b, f);
	if (p->config != NULL) {
		/* the roles compile for themselves; here it is for the findings, before anything starts */
		struct rule_set *rs = sources_rules(&b, p->config, false, f);

		if (!plugins_check(&b, p->config, f) || rs == NULL) {
			config_free(p->config);
			p->config = NULL;
		}
		rule_set_free(rs);
		bundle_encode(&b, &p->bundle);
	}
	bundle_free(&b);
	if (p->config == NULL)
		return error_set(err, "the configuration or the rules have errors, see above");
	p->at_start = p->config;
	p->state_dir = xstrdup(p->options.state_dir != NULL ? p->options.state_dir : p->config->state.path);
	return 0;
}

struct parent *parent_new(const struct parent_options *o, struct findings *f, struct error *err)
{
	struct parent *p = xcalloc(1, sizeof *p);
	enum log_level level;

	p->options = *o;
	p->map_fd = p->tables_fd = -1;
	p->generation = 1;
	p->started = loop_wall();
	if (read_sources(p, f, err) != 0) {
		parent_free(p);
		return NULL;
	}
	log_level(o->log_level != NULL && log_level_parse(o->log_level, &level) ? level : p->config->log_level);
	sockets_inherit(p, p->config);
	if (sockets_open(p, p->config, err) != 0) {
		parent_free(p);
		return NULL;
	}
	p->counters = counters_new(16384);
	if (shared_open(p, err) != 0) {
		parent_free(p);
		return NULL;
	}
	p->loop = loop_new();
	p->watchdog = loop_timer_new(p->loop, on_watchdog, p);
	p->patience = loop_timer_new(p->loop, on_patience, p);
	p->reload_patience = loop_timer_new(p->loop, reload_late, p);
	make_children(p);
	for (size_t i = 0; i < p->n_children; i++)
		p->shared.intakes += p->children[i].ops->kind == ROLE_INTAKE;
	p->record = parent_record_new(p);
	return p;
}

int parent_loop(struct parent *p)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		loop_signal(p->loop, signals[i], on_signal, p);
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].ops->kind != ROLE_INTAKE)
			child_start(p, &p->children[i]);
	parent_figures(p);
	loop_timer_set(p->watchdog, 5 * SECOND);
	loop_run(p->loop);
	return p->exit_code;
}

void parent_free(struct parent *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_children; i++) {
		channel_free(p->children[i].control);
		role_free(p->children[i].role);
		loop_timer_free(p->children[i].again);
	}
	for (size_t i = 0; i < p->n_sockets; i++)
		p->sockets[i].stale = true;
	sockets_close_stale(p);
	free(p->sockets);
	if (p->map_fd >= 0)
		close(p->map_fd);
	if (p->tables_fd >= 0)
		close(p->tables_fd);
	parent_record_free(p->record);
	loop_timer_free(p->watchdog);
	loop_timer_free(p->patience);
	loop_timer_free(p->reload_patience);
	if (p->loop != NULL)
		loop_free(p->loop);
	if (p->counters != NULL)
		counters_free(p->counters);
	shared_close(p);
	if (p->config != p->at_start)
		config_free(p->at_start);
	config_free(p->config);
	config_free(p->next);
	buf_free(&p->bundle);
	buf_free(&p->next_bundle);
	buf_free(&p->complaint);
	buf_free(&p->note);
	buf_free(&p->map_state);
	buf_free(&p->shadow);
	free(p->requests);
	free(p->state_dir);
	free(p);
}

int parent_run(const struct parent_options *o)
{
	struct findings f = {0};
	struct buf text = {0};
	struct error err;
	struct parent *p = parent_new(o, &f, &err);
	int rc = 1;

	findings_sort(&f);
	findings_text(&f, &text);
	/* lints are for those who write rules, not for each start */
	if (f.errors > 0)
		fprintf(stderr, "%s", buf_cstr(&text));
	else if (f.warnings > 0)
		log_notice("msg=\"the sources have warnings; see carillonctl rules check\" warnings=%zu", f.warnings);
	findings_clear(&f);
	buf_free(&text);
	/* every role begins as a copy of this process: what the check of the rules took is not handed on */
	malloc_trim(0);
	if (p == NULL)
		log_error("msg=\"cannot start\" reason=\"%s\"", err.text);
	else
		rc = parent_loop(p);
	parent_free(p);
	return rc;
}
