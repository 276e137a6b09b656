/* Reload (config.md section 3): read everything, let every role compile it, then swap all of them, or change nothing. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/plugins_check.h"
#include "ctl/secrets_check.h"
#include "role_parent.h"
#include "role_parent_record.h"
#include "rules/sources.h"

#define RELOAD_PATIENCE (120 * SECOND)

/* Findings one by one; the lines that point into the text stay in the answer. */
static void log_refusal(const char *text)
{
	unsigned said = 0;

	for (struct slice rest = slice_str(text), line; rest.n > 0 && slice_split(&rest, '\n', &line) && said < 20;) {
		if (line.n > 0 && line.p[0] != ' ')
			log_error("msg=\"%s\" reason=\"" SLICE_FMT "\"", said++ == 0 ? "reload refused, nothing has changed" : "reload refused, also",
			          SLICE_ARG(line));
	}
}

static void answer(struct parent *p, bool ok, const char *text)
{
	struct child *front = child_find(p, ROLE_FRONT, 0);
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kbool(&w, "ok", ok);
	jw_kint(&w, "generation", p->generation);
	jw_kstr(&w, ok ? "note" : "error", text);
	if (!ok)
		jw_kint(&w, "status", 422);
	jw_end(&w);
	for (size_t i = 0; i < p->n_requests; i++)
		if (p->requests[i].from_front && front != NULL)
			child_send(front, FRAME_REPLY, p->requests[i].id, buf_slice(&b), -1);
	p->n_requests = 0;
	buf_free(&b);
	counter_set(counter(p->counters, "carillon_config_last_reload_successful", ""), ok ? 1 : 0);
	counter_set(counter(p->counters, "carillon_config_last_reload_timestamp_seconds", ""), (uint64_t)(loop_wall() / SECOND));
	if (parent_all_ready(p))
		parent_notify("READY=1");
	if (ok)
		log_notice("msg=\"reloaded\" generation=%u", p->generation);
	else
		log_refusal(text);
}

static bool is_swapping(const struct parent *p)
{
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].swapping)
			return true;
	return false;
}

void reload_abort(struct parent *p, const char *why)
{
	if (p->next == NULL && p->n_requests == 0)
		return;
	config_free(p->next);
	p->next = NULL;
	buf_clear(&p->next_bundle);
	p->waiting = 0;
	loop_timer_set(p->reload_patience, -1);
	sockets_keep(p);
	answer(p, false, why);
	buf_clear(&p->complaint);
}

/* The roles compile for themselves; here it is for all the findings, of which a role's complaint would be the first ones. */
static bool sources_are_good(const struct config *next, const struct bundle *b, struct findings *f)
{
	struct rule_set *rs = sources_rules(b, next, false, f);
	bool good = plugins_check(b, next, f) && secrets_check(b, next, f) && rs != NULL;

	rule_set_free(rs);
	malloc_trim(0); /* a role that starts again begins as a copy of this process */
	return good;
}

/* Lints are for those who write rules: what refuses the reload must not drown in them. */
static void errors_text(struct findings *f, struct buf *out)
{
	struct findings errors = {.v = xcalloc(f->n + 1, sizeof *f->v), .errors = f->errors};

	findings_sort(f);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].level == FINDING_ERROR)
			errors.v[errors.n++] = f->v[i];
	findings_text(&errors, out);
	free(errors.v);
}

/* sd_notify(3): when, on the monotonic clock, so that the manager knows which READY=1 belongs to it. */
static void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)loop_mono());
	parent_notify(text);
}

void reload_late(void *parent)
{
	struct parent *p = parent;
	const struct child *silent = NULL;
	char why[128];

	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].swapping || (p->children[i].control != NULL && p->children[i].compiled != p->attempt)) {
			p->children[i].swapping = false;
			silent = &p->children[i];
		}
	snprintf(why, sizeof why, "role %s has not answered within %d s; try again", silent != NULL ? role_word(silent->ops->kind) : "?",
	         (int)(RELOAD_PATIENCE / SECOND));
	reload_abort(p, why);
}

void reload_begin(struct parent *p, bool from_front, uint64_t id)
{
	struct findings f = {0};
	struct buf text = {0};
	struct bundle b;
	struct error err;

	p->requests = array_reserve(p->requests, &p->cap_requests, p->n_requests + 1, sizeof *p->requests);
	p->requests[p->n_requests++] = (struct reload_request){.from_front = from_front, .id = id};
	if (p->next != NULL || is_swapping(p))
		return; /* one is under way: its answer serves this request too */
	if (p->state == PARENT_STOPPING) {
		answer(p, false, "the daemon is ending");
		return;
	}
	if (parent_all_ready(p))
		notify_reloading();
	p->next = files_read(p->options.config_path, &b, &f);
	if (p->next == NULL || !sources_are_good(p->next, &b, &f)) {
		errors_text(&f, &text);
		reload_abort(p, buf_cstr(&text));
	} else if (sockets_open(p, p->next, &err) != 0) {
		reload_abort(p, err.text);
	} else {
		buf_clear(&p->next_bundle);
		bundle_encode(&b, &p->next_bundle);
		p->attempt = (p->attempt & ~(uint64_t)UINT32_MAX) + ((uint64_t)1 << 32) + p->generation + 1;
		loop_timer_set(p->reload_patience, RELOAD_PATIENCE);
		for (size_t i = 0; i < p->n_children; i++) {
			if (p->children[i].control == NULL)
				continue;
			p->waiting++;
			child_send(&p->children[i], FRAME_SOURCES, p->attempt, buf_slice(&p->next_bundle), -1);
		}
	}
	bundle_free(&b);
	findings_clear(&f);
	buf_free(&text);
}

static void all_swapped(struct parent *p)
{
	loop_timer_set(p->reload_patience, -1);
	answer(p, true, p->note.n > 0 ? buf_cstr(&p->note) : "");
}

static void swap_all(struct parent *p)
{
	struct buf names = {0};
	size_t restart = config_needs_restart(p->at_start, p->next, &names);
	struct buf former = p->bundle;

	loop_timer_set(p->reload_patience, -1);
	p->generation++;
	if (p->config != p->at_start)
		config_free(p->config);
	p->config = p->next;
	if (p->options.log_level == NULL)
		log_level(p->config->log_level);
	p->next = NULL;
	p->bundle = p->next_bundle;
	p->next_bundle = former;
	sockets_close_stale(p);
	parent_record_config(p->record);
	for (size_t i = 0; i < p->n_children; i++) {
		struct child *c = &p->children[i];

		/* started while the others compiled */
		if (c->compiled != p->attempt)
			child_send(c, FRAME_SOURCES, p->generation, buf_slice(&p->bundle), -1);
		child_send(c, FRAME_SWAP, p->generation, SLICE_NONE, -1);
		c->swapping = c->control != NULL;
		child_send_secrets(c, p->config);
		/* a role knows which of its sockets it already has */
		for (size_t k = 0; k < p->n_sockets; k++)
			if (child_wants_socket(p, c, &p->sockets[k]))
				child_send_socket(c, &p->sockets[k]);
		child_send(c, FRAME_PING, RELOAD_PING, SLICE_NONE, -1);
	}
	if (restart > 0)
		log_warn("msg=\"some settings need a restart\" settings=\"%s\"", buf_cstr(&names));
	buf_free(&p->note);
	p->note = names;
	loop_timer_set(p->reload_patience, RELOAD_PATIENCE);
	if (!is_swapping(p))
		all_swapped(p);
}

/* Whoever asked for the reload may count on it from here. */
void reload_swapped(struct parent *p, struct child *c)
{
	if (!c->swapping)
		return;
	c->swapping = false;
	if (!is_swapping(p))
		all_swapped(p);
}

void reload_compiled(struct parent *p, struct child *c, uint64_t attempt, struct slice complaint)
{
	if (p->next == NULL || attempt != p->attempt || p->waiting == 0)
		return;
	c->compiled = attempt;
	/* all roles find the same faults: one voice is enough */
	if (complaint.n > 0 && p->complaint.n == 0)
		buf_adds(&p->complaint, complaint);
	if (--p->waiting > 0)
		return;
	if (p->complaint.n > 0)
		reload_abort(p, buf_cstr(&p->complaint));
	else
		swap_all(p);
}
