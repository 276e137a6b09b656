/* Starting, connecting and burying the roles. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "role_parent.h"
#include "role_parent_record.h"

static const struct role_ops *const every[ROLE_KINDS] = {&role_core, &role_egress, &role_mapper, &role_front, &role_intake};

struct child *child_find(struct parent *p, enum role_kind kind, unsigned index)
{
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].ops == every[kind] && p->children[i].index == index)
			return &p->children[i];
	return NULL;
}

void child_send(struct child *c, uint16_t kind, uint64_t seq, struct slice payload, int fd)
{
	if (c->control == NULL)
		return;
	if (fd >= 0)
		channel_send_fd(c->control, kind, seq, payload, fd);
	else
		channel_send(c->control, kind, seq, payload);
}

static void send_named(struct child *c, uint16_t kind, const char *name, unsigned index, int fd)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kstr(&w, "name", name);
	jw_kint(&w, "index", index);
	jw_end(&w);
	child_send(c, kind, 0, buf_slice(&b), fd);
	buf_free(&b);
}

/* ---- what a role gets */

static void wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

static void send_value(struct child *c, const char *ref, struct slice value)
{
	struct buf frame = {0};

	buf_lslice(&frame, slice_str(ref));
	buf_lslice(&frame, value);
	child_send(c, FRAME_SECRET, 0, buf_slice(&frame), -1);
	wipe(&frame);
}

static void send_secret(struct child *c, const char *ref)
{
	struct buf value = {0};
	struct error err;

	if (ref == NULL)
		return;
	if (files_secret(ref, &value, &err) != 0)
		log_error("msg=\"a secret is missing\" role=%s reason=\"%s\"", role_word(c->ops->kind), err.text);
	else
		send_value(c, ref, buf_slice(&value));
	wipe(&value);
}

/* Certificate, key and authorities as one value: they only fit together. */
static void send_tls(struct child *c, const struct listener_config *l)
{
	struct buf value = {0};
	struct error err;
	bool wanted = false;
	char *name;

	for (size_t i = 0; i < l->n_bind; i++)
		wanted = wanted || bind_secure(l->bind[i].kind);
	if (!wanted)
		return;
	name = xasprintf(TLS_OF "%s", l->name);
	if (files_tls(l, &value, &err) != 0)
		log_error("msg=\"a listener has no certificate and takes nothing over TLS; mend it and reload\" listener=%s reason=\"%s\"", l->name, err.text);
	else
		send_value(c, name, buf_slice(&value));
	free(name);
	wipe(&value);
}

/* Egress opens nothing: the file of a connection that writes one comes from here. Only what the configuration names. */
void child_send_ticket_file(struct child *c, const struct config *config, struct slice name)
{
	const struct ticket_config *t = NULL;
	const char *path = NULL;
	int fd;

	for (size_t i = 0; config != NULL && c->ops->kind == ROLE_EGRESS && i < config->n_tickets; i++)
		if (slice_is(name, config->tickets[i].name))
			t = &config->tickets[i];
	for (size_t i = 0; t != NULL && i < t->n_conf; i++)
		if (strcmp(t->conf_keys[i], "path") == 0)
			path = t->conf_values[i];
	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd < 0) {
		log_error("msg=\"the file of a ticket connection cannot be opened\" ticket=%s path=%s reason=\"%s\"", t->name, path, strerror(errno));
		return;
	}
	child_send(c, FRAME_TICKET_FILE, 0, slice_str(t->name), fd);
	close(fd);
}

/* Only the role that uses a secret gets it (config.md section 2). */
void child_send_secrets(struct child *c, const struct config *config)
{
	switch (c->ops->kind) {
	case ROLE_INTAKE:
		for (size_t i = 0; i < config->n_listeners; i++)
			if (config->listeners[i].enabled) {
				send_secret(c, config->listeners[i].bearer.ref);
				send_secret(c, config->listeners[i].hmac.ref);
				send_secret(c, config->listeners[i].users.ref);
				send_tls(c, &config->listeners[i]);
			}
		for (size_t i = 0; i < config->n_tickets; i++)
			for (size_t k = 0; k < config->tickets[i].n_secrets; k++)
				if (strcmp(config->tickets[i].secret_keys[k], "webhook") == 0)
					send_secret(c, config->tickets[i].secrets[k].ref);
		break;
	case ROLE_EGRESS:
		for (size_t i = 0; i < config->n_tickets; i++)
			for (size_t k = 0; k < config->tickets[i].n_secrets; k++)
				send_secret(c, config->tickets[i].secrets[k].ref);
		break;
	case ROLE_MAPPER:
		send_secret(c, config->map.password.ref); /* the rules' tables are in that Redis too */
		break;
	case ROLE_FRONT:
		send_secret(c, config->admin.tokens.ref);
		break;
	case ROLE_CORE:
	case ROLE_KINDS:
		break;
	}
}

/* A UDP socket has one reader, so that one sender's datagrams stay in order; streams are accepted by every intake. */
bool child_wants_socket(const struct parent *p, const struct child *c, const struct parent_socket *s)
{
	int type = 0;
	socklen_t len = sizeof type;
	unsigned intakes = 0;

	if (s->listener[0] == '@')
		return c->ops->kind == ROLE_FRONT;
	if (c->ops->kind != ROLE_INTAKE)
		return false;
	for (size_t i = 0; i < p->n_children; i++)
		intakes += p->children[i].ops->kind == ROLE_INTAKE;
	if (getsockopt(s->fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_DGRAM)
		return true;
	return s->number % intakes == c->index;
}

void child_send_socket(struct child *c, const struct parent_socket *s)
{
	send_named(c, FRAME_LISTEN, s->listener, s->bind, s->fd);
}

void child_send_map(struct child *c)
{
	bool known = c->parent->map_known || (c->ops->kind == ROLE_MAPPER && c->parent->core_told);

	if (known && c->ops->map != NULL)
		send_named(c, FRAME_MAP, c->parent->map_hash, 0, c->parent->map_fd);
}

void child_send_tables(struct child *c)
{
	if (c->ops->kind == ROLE_INTAKE && c->parent->tables_fd >= 0)
		child_send(c, FRAME_TABLES, 0, SLICE_NONE, c->parent->tables_fd);
}

static void connect_pair(struct child *a, struct child *b)
{
	struct error err;
	int fds[2];

	if (a == NULL || b == NULL || a->control == NULL || b->control == NULL)
		return;
	if (channel_pair(fds, &err) != 0) {
		log_error("msg=\"cannot connect two roles\" reason=\"%s\"", err.text);
		return;
	}
	send_named(a, FRAME_PEER, role_word(b->ops->kind), b->index, fds[0]);
	send_named(b, FRAME_PEER, role_word(a->ops->kind), a->index, fds[1]);
	close(fds[0]);
	close(fds[1]);
}

static void connect_all(struct child *c)
{
	static const enum role_kind pairs[][2] = {{ROLE_CORE, ROLE_EGRESS}, {ROLE_CORE, ROLE_FRONT}, {ROLE_CORE, ROLE_INTAKE}, {ROLE_FRONT, ROLE_INTAKE}};
	struct parent *p = c->parent;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		enum role_kind other;

		if (c->ops->kind == pairs[i][0])
			other = pairs[i][1];
		else if (c->ops->kind == pairs[i][1])
			other = pairs[i][0];
		else
			continue;
		for (size_t k = 0; k < p->n_children; k++)
			if (p->children[k].ops->kind == other && p->children[k].started)
				connect_pair(c, &p->children[k]);
	}
}

static void give_all(struct child *c)
{
	struct parent *p = c->parent;

	child_send(c, FRAME_SOURCES, p->generation, buf_slice(&p->bundle), -1);
	child_send(c, FRAME_SWAP, p->generation, SLICE_NONE, -1);
	child_send_secrets(c, p->config);
	child_send_map(c);
	child_send_tables(c);
	if (c->ops->kind == ROLE_FRONT && p->map_state.n > 0)
		child_send(c, FRAME_MAP_STATE, 0, buf_slice(&p->map_state), -1);
	connect_all(c);
	if (p->shadow.n > 0)
		shadow_give(p, c);
	if (c->ops->kind == ROLE_INTAKE) /* before the sockets: the first datagram is recorded too */
		parent_record_intake(p->record, c);
	for (size_t i = 0; i < p->n_sockets; i++)
		if (child_wants_socket(p, c, &p->sockets[i]))
			child_send_socket(c, &p->sockets[i]);
}

/* ---- processes */

static void on_frame(struct channel *ch UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	parent_frame(arg, head, payload, fd);
}

static void on_closed(struct channel *ch, void *arg)
{
	struct child *c = arg;

	channel_free(ch);
	c->control = NULL;
	/* whoever cannot be told anything any more is not supervised: most are ending anyway */
	if (c->pid > 0 && c->parent->state != PARENT_STOPPING)
		kill(c->pid, SIGKILL);
}

static void give_level(struct role *r, const struct parent *p)
{
	r->level_given = p->options.log_level != NULL && log_level_parse(p->options.log_level, &r->level);
	if (r->level_given)
		log_level(r->level);
}

static void close_above(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
		return;
	/* a kernel before 5.9, or a container that forbids what it does not know */
	for (int fd = first, end = (int)MIN(sysconf(_SC_OPEN_MAX), 1 << 20); fd < end; fd++)
		close(fd);
}

/* The new process: nothing of the parent's but its control channel, the counters and the code. */
static _Noreturn void child_main(struct child *c, int fd)
{
	struct parent *p = c->parent;
	char name[16];
	struct loop *l;
	struct role *r;

	/* the parent's loop is left behind untouched: its descriptors close, its signal handlers go */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (fd != 3) {
		if (dup2(fd, 3) != 3)
			_exit(71);
	}
	close_above(4);
	snprintf(name, sizeof name, "%s%.0u", role_word(c->ops->kind), c->index);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	log_open(name, p->config->log_level);
	l = loop_new();
	r = role_start(c->ops, c->index, l, p->counters, 3, p->state_dir, false, p->options.no_tickets);
	r->shared = &p->shared;
	give_level(r, p);
	loop_run(l);
	role_free(r);
	loop_free(l);
	exit(0);
}

static void start_process(struct child *c, int fds[2])
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	c->pid = fork();
	if (c->pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		for (int s = 1; s < 32; s++)
			if (s != SIGKILL && s != SIGSTOP && s != SIGABRT && s != SIGSEGV && s != SIGBUS && s != SIGFPE && s != SIGILL)
				signal(s, SIG_DFL);
		sigprocmask(SIG_SETMASK, &none, NULL);
		child_main(c, fds[1]);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (c->pid < 0) {
		log_error("msg=\"cannot start a role\" role=%s reason=\"%s\"", role_word(c->ops->kind), strerror(errno));
		c->pid = 0;
	}
}

void child_start(struct parent *p, struct child *c)
{
	static const struct channel_events events = {.frame = on_frame, .closed = on_closed};
	struct error err;
	int fds[2];

	c->started = true;
	c->ready = c->done = false;
	c->since = loop_mono();
	c->ping = c->pong = 0;
	if (channel_pair(fds, &err) != 0) {
		log_error("msg=\"cannot start a role\" role=%s reason=\"%s\"", role_word(c->ops->kind), err.text);
		parent_child_gone(c);
		return;
	}
	if (p->options.single) {
		c->role = role_start(c->ops, c->index, p->loop, p->counters, fds[1], p->state_dir, true, p->options.no_tickets);
		c->role->shared = &p->shared;
		give_level(c->role, p);
	} else {
		start_process(c, fds);
	}
	if (!p->options.single && c->pid == 0) {
		close(fds[0]);
		parent_child_gone(c);
		return;
	}
	c->control = channel_new(p->loop, fds[0], &events, c);
	give_all(c);
}

void children_reap(struct parent *p)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < p->n_children; i++) {
			struct child *c = &p->children[i];

			if (c->pid != pid)
				continue;
			c->pid = 0;
			/* its last words may say why */
			if (c->control != NULL)
				channel_drain(c->control);
			channel_free(c->control);
			c->control = NULL;
			if (p->state != PARENT_STOPPING)
				log_error("msg=\"a role died\" role=%s index=%u %s=%d", role_word(c->ops->kind), c->index,
				          WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			parent_child_gone(c);
		}
}
