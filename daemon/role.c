/* The common life of a role: frames of the parent become calls of its operations. Knows no role in particular. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "role.h"

static const char *const words[ROLE_KINDS] = {"core", "egress", "mapper", "front", "intake"};

const char *role_word(enum role_kind k)
{
	BUG_ON((unsigned)k >= ROLE_KINDS);
	return words[k];
}

void role_send(struct role *r, uint16_t kind, uint64_t seq, struct slice payload, int fd)
{
	if (r->parent == NULL)
		return;
	if (fd >= 0)
		channel_send_fd(r->parent, kind, seq, payload, fd);
	else
		channel_send(r->parent, kind, seq, payload);
}

enum log_level role_level(const struct role *r)
{
	return r->level_given ? r->level : r->config->log_level;
}

void role_ready(struct role *r, const char *error)
{
	role_send(r, FRAME_READY, 0, slice_str(error != NULL ? error : ""), -1);
}

/* ---- the parent's frames */

/* `attempt` comes back as it is: the low half is the generation. */
static void compile(struct role *r, uint64_t attempt, struct slice payload)
{
	const uint32_t generation = (uint32_t)attempt;
	struct findings f = {0};
	struct config *next;
	struct bundle b;
	struct error err;
	struct buf text = {0};

	if (bundle_decode(payload, &b, &err) != 0) {
		role_send(r, FRAME_COMPILED, attempt, slice_str(err.text), -1);
		return;
	}
	next = config_from_bundle(&b, &f);
	if (next == NULL) {
		findings_text(&f, &text);
	} else {
		/* what the role built last and never ran (a refused reload) points into its config: that goes afterwards */
		struct config *former = r->next;

		r->next = next;
		r->next_generation = generation;
		if (r->ops->compile(r->self, &b, next, generation, &err) != 0) {
			buf_str(&text, err.text);
			config_free(r->next);
			r->next = NULL;
		}
		config_free(former);
	}
	role_send(r, FRAME_COMPILED, attempt, buf_slice(&text), -1);
	buf_free(&text);
	findings_clear(&f);
	bundle_free(&b);
}

static void enter_sandbox(struct role *r)
{
	struct error err;

	if (r->single || getenv("CARILLON_NO_SANDBOX") != NULL)
		return;
	if (sandbox_enter(r->ops->sandbox, &err) != 0)
		log_warn("msg=\"no sandbox for this role\" reason=\"%s\"", err.text);
}

static void swap(struct role *r, uint32_t generation)
{
	bool first = r->config == NULL;
	struct config *former;

	if (DOUBT(r->next == NULL || r->next_generation != generation))
		return;
	/* The role takes its running config by pointer: the former one is freed only after it has let go. */
	former = (struct config *)(uintptr_t)r->config;
	r->config = r->next;
	r->next = NULL;
	r->generation = generation;
	if (!r->single)
		log_level(role_level(r));
	r->ops->swap(r->self, r->config, generation);
	config_free(former);
	/* the documents and the former generation are gone: what they took goes back to the system */
	malloc_trim(0);
	if (first)
		enter_sandbox(r);
}

static void take_secret(struct role *r, struct slice payload)
{
	struct reader in = reader_of(payload);
	struct slice ref = read_lslice(&in), value = read_lslice(&in);
	char *name;

	if (DOUBT(!in.ok) || r->ops->secret == NULL)
		return;
	name = slice_dup(ref);
	r->ops->secret(r->self, name, value);
	free(name);
	explicit_bzero((void *)(uintptr_t)payload.p, payload.n);
}

/* A frame whose payload is a JSON object and that brings a descriptor. */
static void with_json(struct role *r, const struct frame *head, struct slice payload, int fd)
{
	struct arena *a = arena_new(4096);
	struct error err;
	struct json *j = json_parse(a, payload, JSON_LIMITS, NULL, &err);
	int64_t number = 0;
	char *name;

	if (DOUBT(j == NULL)) {
		if (fd >= 0)
			close(fd);
		arena_free(a);
		return;
	}
	name = arena_str(a, json_text(json_get(j, "name")));
	json_int(json_get(j, "index"), &number);
	if (head->kind == FRAME_MAP && r->ops->map != NULL) {
		r->ops->map(r->self, fd, name);
	} else if (head->kind == FRAME_LISTEN && r->ops->listen != NULL && fd >= 0) {
		r->ops->listen(r->self, name, (unsigned)number, fd);
	} else if (head->kind == FRAME_PEER && r->ops->peer != NULL && fd >= 0) {
		for (int k = 0; k < ROLE_KINDS; k++)
			if (strcmp(words[k], name) == 0)
				r->ops->peer(r->self, (enum role_kind)k, (unsigned)number, fd);
	} else if (fd >= 0) {
		close(fd);
	}
	arena_free(a);
}

static void on_frame(struct channel *c UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	struct role *r = arg;

	switch (head->kind) {
	case FRAME_SOURCES:
		compile(r, head->seq, payload);
		break;
	case FRAME_SWAP:
		swap(r, (uint32_t)head->seq);
		break;
	case FRAME_SECRET:
		take_secret(r, payload);
		break;
	case FRAME_PEER:
	case FRAME_LISTEN:
	case FRAME_MAP:
		with_json(r, head, payload, fd);
		return;
	case FRAME_PING:
		role_send(r, FRAME_PING, head->seq, SLICE_NONE, -1);
		break;
	case FRAME_STOP:
		r->stopping = true;
		r->ops->stop(r->self);
		break;
	default: /* a number from the wire, not one of our enums */
		if (r->ops->frame != NULL)
			r->ops->frame(r->self, head, payload, fd);
		else if (fd >= 0)
			close(fd);
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* The parent is gone: nobody supervises any more, so end. */
static void on_closed(struct channel *c UNUSED, void *arg)
{
	struct role *r = arg;

	if (!r->stopping) {
		r->stopping = true;
		r->ops->stop(r->self);
	}
}

static void orphan_end(void *arg)
{
	struct role *r = arg;

	if (r->parent != NULL)
		channel_flush(r->parent, SECOND);
	if (!r->single)
		loop_stop(r->loop);
}

void role_done(struct role *r)
{
	role_send(r, FRAME_STOP, 0, SLICE_NONE, -1);
	/* in a timer: role_done may be called from deep inside the role's own callbacks */
	if (r->orphan == NULL)
		r->orphan = loop_timer_new(r->loop, orphan_end, r);
	loop_timer_set(r->orphan, 0);
}

struct role *role_start(const struct role_ops *ops, unsigned index, struct loop *l, struct counters *c, int fd, const char *state_dir,
                        bool single, bool no_tickets)
{
	static const struct channel_events events = {.frame = on_frame, .closed = on_closed};
	struct role *r = xcalloc(1, sizeof *r);

	r->ops = ops;
	r->index = index;
	r->loop = l;
	r->counters = c;
	r->state_dir = state_dir;
	r->single = single;
	r->no_tickets = no_tickets;
	r->parent = channel_new(l, fd, &events, r);
	r->self = ops->start(r);
	return r;
}

void role_free(struct role *r)
{
	if (r == NULL)
		return;
	r->ops->free(r->self);
	channel_free(r->parent);
	loop_timer_free(r->orphan);
	config_free(r->next);
	config_free((struct config *)(uintptr_t)r->config);
	free(r);
}

/* ---- secrets */

void secret_take(struct secret *s, struct slice value)
{
	secret_wipe(s);
	if (value.p == NULL)
		return;
	s->p = xmalloc(value.n + 1);
	memcpy(s->p, value.p, value.n);
	s->p[value.n] = '\0';
	s->n = value.n;
	/* best effort: a low RLIMIT_MEMLOCK must not stop the daemon */
	(void)mlock(s->p, s->n + 1);
}

void secret_wipe(struct secret *s)
{
	if (s->p != NULL) {
		explicit_bzero(s->p, s->n);
		(void)munlock(s->p, s->n + 1);
		free(s->p);
	}
	*s = (struct secret){0};
}

bool secret_equal(const struct secret *s, struct slice given)
{
	unsigned char diff = s->n == given.n && s->p != NULL ? 0 : 1;

	for (size_t i = 0; i < given.n && s->n > 0 && s->p != NULL; i++)
		diff |= (unsigned char)((unsigned char)s->p[i % s->n] ^ (unsigned char)given.p[i]);
	return diff == 0;
}
