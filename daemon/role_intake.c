/* The intake role: generations, the queue of unacknowledged frames, and its life. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "role_intake.h"
#include "rules/sources.h"

/* ---- the queue towards core */

bool intake_full(const struct intake *in)
{
	return in->ring_n >= in->gen->config->limits.queue;
}

static struct unacked *ring_slot(struct intake *in, size_t i)
{
	return &in->ring[(in->ring_at + i) & (in->ring_cap - 1)];
}

static void ring_grow(struct intake *in)
{
	size_t cap = in->ring_cap != 0 ? in->ring_cap * 2 : 1024;
	struct unacked *v = xcalloc(cap, sizeof *v);

	for (size_t i = 0; i < in->ring_n; i++)
		v[i] = *ring_slot(in, i);
	free(in->ring);
	in->ring = v;
	in->ring_at = 0;
	in->ring_cap = cap;
}

void intake_offer(struct intake *in, const uint32_t *hits, size_t n, const struct evt *e)
{
	struct unacked *u;

	buf_clear(&in->frame);
	event_frame_encode(in->gen->number, in->role->index | in->epoch << 8, ++in->seq, hits, n, e, &in->frame);
	if (in->ring_n == in->ring_cap)
		ring_grow(in);
	u = ring_slot(in, in->ring_n++);
	*u = (struct unacked){.seq = in->seq, .frame = xmalloc(in->frame.n), .n = in->frame.n};
	memcpy(u->frame, in->frame.p, in->frame.n);
	if (in->core != NULL)
		channel_send(in->core, FRAME_EVENT, in->seq, buf_slice(&in->frame));
	if (intake_full(in) && !in->full) {
		in->full = true;
		intake_pause_sockets(in, true);
	}
}

static void acknowledge(struct intake *in, uint64_t seq)
{
	struct waiter *w;

	in->acked = MAX(in->acked, seq);
	while (in->ring_n > 0 && ring_slot(in, 0)->seq <= in->acked) {
		free(ring_slot(in, 0)->frame);
		in->ring_at = (in->ring_at + 1) & (in->ring_cap - 1);
		in->ring_n--;
	}
	while ((w = TAILQ_FIRST(&in->waiters)) != NULL && w->seq <= in->acked) {
		TAILQ_REMOVE(&in->waiters, w, link);
		w->seq = 0;
		w->done(w);
	}
	if (in->full && in->ring_n < in->gen->config->limits.queue / 2) {
		in->full = false;
		intake_pause_sockets(in, false);
	}
	if (in->stopping && in->ring_n == 0)
		role_done(in->role);
}

void intake_wait(struct intake *in, struct waiter *w, void (*done)(struct waiter *w))
{
	if (in->seq <= in->acked) {
		done(w);
		return;
	}
	w->seq = in->seq;
	w->done = done;
	TAILQ_INSERT_TAIL(&in->waiters, w, link);
}

void intake_forget(struct intake *in, struct waiter *w)
{
	if (w->seq != 0)
		TAILQ_REMOVE(&in->waiters, w, link);
	w->seq = 0;
}

static void core_frame(struct channel *c UNUSED, const struct frame *head, struct slice payload UNUSED, int fd, void *arg)
{
	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_ACK)
		acknowledge(arg, head->seq);
}

static void core_closed(struct channel *c, void *arg)
{
	struct intake *in = arg;

	channel_free(c);
	in->core = NULL;
	/* at the end of everything there will be no other core to wait for */
	if (in->stopping)
		role_done(in->role);
}

static void tail_frame(struct channel *c UNUSED, const struct frame *head, struct slice payload, int fd, void *arg)
{
	struct intake *in = arg;

	if (fd >= 0)
		close(fd);
	if (head->kind == FRAME_TAIL)
		in->watched = head->seq == 1;
	else if (head->kind == FRAME_SEND)
		intake_send(in, head->seq, payload);
}

static void tail_closed(struct channel *c, void *arg)
{
	struct intake *in = arg;

	channel_free(c);
	in->tail = NULL;
	in->watched = false;
}

/* A new core gets again what the former one did not acknowledge; it drops what it already has. */
static void intake_peer(void *self, enum role_kind kind, unsigned index UNUSED, int fd)
{
	static const struct channel_events core_ev = {.frame = core_frame, .closed = core_closed};
	static const struct channel_events tail_ev = {.frame = tail_frame, .closed = tail_closed};
	struct intake *in = self;

	if (kind == ROLE_CORE) {
		channel_free(in->core);
		in->core = channel_new(in->role->loop, fd, &core_ev, in);
		for (size_t i = 0; i < in->ring_n; i++) {
			const struct unacked *u = ring_slot(in, i);
			channel_send(in->core, FRAME_EVENT, u->seq, slice_of(u->frame, u->n));
		}
	} else if (kind == ROLE_FRONT) {
		channel_free(in->tail);
		in->watched = false;
		in->tail = channel_new(in->role->loop, fd, &tail_ev, in);
	} else {
		close(fd);
	}
}

/* ---- generations */

static void generation_free(struct intake_generation *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->n_listeners; i++) {
		struct intake_listener *l = &g->listeners[i];
		if (l->config->type == LISTENER_SNMPTRAP)
			snmptrap_settings_free(l->settings);
		else
			free(l->settings);
		free(l->settings_v2);
		free(l->settings_pagerduty);
		cidr_list_free(l->allow);
		secret_wipe(&l->bearer);
		secret_wipe(&l->hmac);
		tls_context_unref(l->tls);
	}
	free(g->listeners);
	redact_free(g->redact);
	matcher_free(g->matcher);
	rule_set_free(g->rules);
	webhook_profiles_free(g->profiles);
	mib_free(g->mib);
	intake_tickets_free(g);
	free(g);
}

static int generation_profiles(struct intake_generation *g, const struct bundle *b, struct findings *f)
{
	int rc = 0;

	g->mib = mib_new();
	rc = mib_add_bundle(g->mib, b, f);
	mib_seal(g->mib);
	g->profiles = webhook_profiles_new();
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == BUNDLE_WEBHOOK_PROFILE && webhook_profile_add(g->profiles, b->v[i].name, b->v[i].text, f) != 0)
			rc = -1;
	return rc;
}

/* The engine that senders of v3 informs look for. Boots and time are those of the wall clock, so that every intake, every
 * listener and every restart agree: they count up together, and no sender has to learn them twice. */
static struct snmptrap_settings *trap_settings(const struct listener_config *c, const char *instance, const struct mib *mib)
{
	struct snmptrap_settings *s = snmptrap_settings_new((const char *const *)c->communities, c->n_communities);
	unsigned char id[32];
	size_t n = snmptrap_engine_id(instance, id);

	snmptrap_settings_mib(s, mib);
	if (c->users.ref != NULL)
		snmptrap_settings_engine(s, slice_of(id, n), 1, instant_civil(2020, 1, 1, 0, 0, 0));
	return s;
}

static int listener_settings(struct intake_generation *g, struct intake_listener *l, struct error *err)
{
	const struct listener_config *c = l->config;

	switch (c->type) {
	case LISTENER_SYSLOG:
		return 0;
	case LISTENER_SNMPTRAP:
		l->settings = trap_settings(c, g->config->instance, g->mib);
		return 0;
	case LISTENER_WEBHOOK:
		l->settings = webhook_settings_new(g->profiles, c->profile, err);
		if (l->settings == NULL)
			return error_wrap(err, "listener '%s'", c->name);
		l->settings_v2 = webhook_settings_new(g->profiles, "alertmanager-api-v2", err);
		l->settings_pagerduty = webhook_settings_new(g->profiles, "pagerduty", err);
		return 0;
	}
	return 0;
}

void intake_counters(struct intake *in, struct intake_listener *l)
{
	static const char *const reasons[] = {"parse", "rate", "size", "queue", "acl", "kernel", "decoder", "tls", "duplicate", "keys"};
	_Atomic uint64_t **cells[] = {&l->parse, &l->rate, &l->size, &l->queue, &l->acl, &l->kernel, &l->decoder, &l->handshake, &l->duplicate, &l->keys};
	char label[160];

	snprintf(label, sizeof label, "listener=\"%s\"", l->config->name);
	l->received = counter(in->role->counters, "carillon_events_received_total", label);
	l->bytes = counter(in->role->counters, "carillon_event_bytes_total", label);
	l->unwanted = counter(in->role->counters, "carillon_events_unwanted_total", label);
	/* of this process: the parent clears it when the process dies */
	snprintf(label, sizeof label, "listener=\"%s\",intake=\"%u\"", l->config->name, in->role->index);
	l->connections = counter(in->role->counters, "carillon_connections", label);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		snprintf(label, sizeof label, "listener=\"%s\",reason=\"%s\"", l->config->name, reasons[i]);
		*cells[i] = counter(in->role->counters, "carillon_events_dropped_total", label);
	}
}

static int generation_listeners(struct intake *in, struct intake_generation *g, struct error *err)
{
	g->listeners = xcalloc(g->config->n_listeners + 1, sizeof *g->listeners);
	for (size_t i = 0; i < g->config->n_listeners; i++) {
		struct intake_listener *l = &g->listeners[g->n_listeners++];

		l->intake = in;
		l->config = &g->config->listeners[i];
		l->allow = cidr_list_new(l->config->allow, l->config->n_allow);
		intake_counters(in, l);
		if (listener_settings(g, l, err) != 0)
			return -1;
	}
	return 0;
}

static int intake_compile(void *self, const struct bundle *b, const struct config *next, uint32_t generation UNUSED, struct error *err)
{
	struct intake *in = self;
	struct intake_generation *g = xcalloc(1, sizeof *g);
	struct findings f = {0};
	struct buf text = {0};
	int rc = -1;

	generation_free(in->next);
	in->next = NULL;
	g->config = next;
	g->number = bundle_generation(b);
	if (generation_profiles(g, b, &f) == 0 && intake_tickets_new(g, b, &f) == 0)
		g->rules = sources_rules(b, next, false, &f);
	if (g->rules == NULL) {
		findings_text(&f, &text);
		error_set(err, SLICE_FMT, SLICE_ARG(slice_trim(buf_slice(&text))));
	} else if (generation_listeners(in, g, err) == 0 && (g->redact = redact_new(next, err)) != NULL) {
		rule_set_set_generation(g->rules, g->number);
		g->matcher = matcher_new(g->rules);
		rc = 0;
	}
	if (rc == 0)
		in->next = g;
	else
		generation_free(g);
	findings_clear(&f);
	buf_free(&text);
	return rc;
}

static bool same_ref(const struct secret_ref *a, const struct secret_ref *b)
{
	return a->ref != NULL && b->ref != NULL && strcmp(a->ref, b->ref) == 0;
}

/* Users stay in force until the parent has sent them again, and with them what is known of the senders' clocks. */
static void keep_users(struct intake_listener *from, struct intake_listener *to)
{
	if (from->config->type == LISTENER_SNMPTRAP && to->config->type == LISTENER_SNMPTRAP &&
	    strcmp(from->config->name, to->config->name) == 0 && same_ref(&from->config->users, &to->config->users))
		snmptrap_settings_adopt(to->settings, from->settings);
}

/* Until the parent has sent what stands in the files now. */
static void keep_tls(const struct intake_listener *from, struct intake_listener *to)
{
	if (strcmp(from->config->name, to->config->name) == 0 && from->tls != NULL && to->tls == NULL)
		to->tls = tls_context_ref(from->tls);
}

/* Bearer tokens that the parent does not send again keep their value. */
static void keep_secrets(const struct intake_generation *from, struct intake_generation *to)
{
	for (size_t i = 0; from != NULL && i < from->n_listeners; i++)
		for (size_t j = 0; j < to->n_listeners; j++) {
			keep_tls(&from->listeners[i], &to->listeners[j]);
			if (same_ref(&from->listeners[i].config->bearer, &to->listeners[j].config->bearer) && to->listeners[j].bearer.p == NULL)
				secret_take(&to->listeners[j].bearer, slice_of(from->listeners[i].bearer.p, from->listeners[i].bearer.n));
			if (same_ref(&from->listeners[i].config->hmac, &to->listeners[j].config->hmac) && to->listeners[j].hmac.p == NULL)
				secret_take(&to->listeners[j].hmac, slice_of(from->listeners[i].hmac.p, from->listeners[i].hmac.n));
			keep_users(&from->listeners[i], &to->listeners[j]);
		}
}

static void intake_swap(void *self, const struct config *config, uint32_t generation UNUSED)
{
	struct intake *in = self;
	struct intake_generation *former = in->gen;

	BUG_ON(in->next == NULL);
	in->gen = in->next;
	in->next = NULL;
	in->gen->config = config;
	role_tables_give(in->tables, in->gen->rules, in->gen->matcher);
	keep_secrets(former, in->gen);
	if (former != NULL)
		intake_tickets_keep(former, in->gen);
	if (former != NULL)
		intake_close_unwanted(in);
	generation_free(former);
	if (former == NULL)
		role_ready(in->role, NULL);
}

static void take_users(struct intake_listener *l, struct slice value)
{
	unsigned char id[32];
	char hex[2 * sizeof id + 1] = "";
	size_t n = snmptrap_engine_id(l->intake->role->config->instance, id);
	struct error err;

	if (snmptrap_settings_users(l->settings, value, &err) != 0) {
		log_error("msg=\"the SNMPv3 users are refused, the former ones stay\" listener=%s reason=\"%s\"", l->config->name, err.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	log_info("msg=\"SNMPv3 users are in force\" listener=%s engine=%s", l->config->name, hex);
}

/* A certificate that cannot be used leaves the former one in force. */
static void take_tls(struct intake *in, const char *listener, struct slice value)
{
	struct intake_listener *l = intake_listener(in, listener);
	struct reader r = reader_of(value);
	struct slice cert = read_lslice(&r), key = read_lslice(&r), ca = read_lslice(&r);
	struct error err;
	struct tls_context *t;
	char label[160];

	if (l == NULL || DOUBT(!r.ok))
		return;
	t = tls_context_new(cert, key, ca, &err);
	if (t == NULL) {
		log_error("msg=\"the certificate is refused, the former one stays\" listener=%s reason=\"%s\"", listener, err.text);
		return;
	}
	tls_context_unref(l->tls);
	l->tls = t;
	snprintf(label, sizeof label, "listener=\"%s\"", listener);
	counter_set(counter(in->role->counters, "carillon_tls_expires_timestamp_seconds", label), (uint64_t)(tls_context_expires(t) / SECOND));
	intake_tls(in, l);
}

static void intake_secret(void *self, const char *ref, struct slice value)
{
	struct intake *in = self;
	struct intake_generation *gens[2] = {in->gen, in->next};

	if (strncmp(ref, TLS_OF, sizeof TLS_OF - 1) == 0) {
		take_tls(in, ref + sizeof TLS_OF - 1, value);
		return;
	}
	for (size_t g = 0; g < 2; g++)
		if (gens[g] != NULL)
			intake_tickets_secret(gens[g], ref, value);
	for (size_t g = 0; g < 2; g++)
		for (size_t i = 0; gens[g] != NULL && i < gens[g]->n_listeners; i++) {
			struct intake_listener *l = &gens[g]->listeners[i];
			if (l->config->bearer.ref != NULL && strcmp(l->config->bearer.ref, ref) == 0)
				secret_take(&l->bearer, value);
			if (l->config->hmac.ref != NULL && strcmp(l->config->hmac.ref, ref) == 0)
				secret_take(&l->hmac, value);
			if (l->config->type == LISTENER_SNMPTRAP && l->config->users.ref != NULL && strcmp(l->config->users.ref, ref) == 0)
				take_users(l, value);
		}
}

static void intake_map(void *self, int fd, const char *hash UNUSED)
{
	struct intake *in = self;
	struct error err;
	struct role_map *m = role_map_open(fd, &err);

	if (m == NULL) {
		log_warn("msg=\"map refused\" reason=\"%s\"", err.text);
		return;
	}
	role_map_close(in->map);
	in->map = m;
}

/* A whole copy replaces the former one between two events. */
static void take_tables(struct intake *in, int fd)
{
	struct error err;
	struct role_tables *former = in->tables, *t = role_tables_open(fd, &err);

	if (t == NULL) {
		log_warn("msg=\"rows of Redis tables refused, the last copy serves on\" reason=\"%s\"", err.text);
		return;
	}
	in->tables = t;
	if (in->gen != NULL)
		role_tables_give(t, in->gen->rules, in->gen->matcher);
	intake_shadow_tables(in->shadow, t);
	role_tables_free(former);
}

static void on_parent_frame(void *self, const struct frame *head, struct slice payload, int fd)
{
	struct intake *in = self;

	if (head->kind == FRAME_RECORD)
		intake_record_frame(in->recording, payload, fd);
	else if (head->kind == FRAME_SHADOW)
		intake_shadow_frame(in, payload);
	else if (head->kind == FRAME_TABLES && fd >= 0)
		take_tables(in, fd);
	if (head->kind != FRAME_RECORD && head->kind != FRAME_TABLES && fd >= 0)
		close(fd);
}

/* ---- life */

static uint32_t new_epoch(void)
{
	char text[80];
	int n = snprintf(text, sizeof text, "%lld %lld %ld", (long long)loop_mono(), (long long)loop_wall(), (long)getpid());

	return (uint32_t)(hash_stable(slice_of(text, (size_t)n)) & 0xffffff);
}

static void *intake_start(struct role *r)
{
	struct intake *in = xcalloc(1, sizeof *in);
	time_t now = (time_t)(loop_wall() / SECOND);
	struct tm tm;
	struct error err;

	in->role = r;
	TAILQ_INIT(&in->waiters);
	evt_batch_init(&in->batch);
	in->informs = hmap_new();
	in->informs_before = hmap_new();
	in->map = role_map_open(-1, &err);
	in->recording = intake_record_new(in);
	in->repeats = intake_repeats_new(in);
	in->seq = in->acked = (uint64_t)loop_wall() << 4;
	/* core drops numbers that it has seen: those of a former process must not be taken for ours, even if the clock went back */
	in->epoch = new_epoch();
	tzset();
	if (localtime_r(&now, &tm) != NULL)
		in->zone_offset = (int)tm.tm_gmtoff;
	return in;
}

static void on_socket(void *self, const char *listener, unsigned bind, int fd)
{
	intake_listen(self, listener, bind, fd);
}

static void intake_stop(void *self)
{
	struct intake *in = self;

	in->stopping = true;
	intake_close_sockets(in, true);
	/* what waits for core's word is answered first; the parent's patience is the limit */
	if (in->ring_n == 0 || in->core == NULL)
		role_done(in->role);
}

static void intake_free(void *self)
{
	struct intake *in = self;

	intake_close_sockets(in, false);
	intake_record_free(in->recording);
	intake_send_free(in->send);
	intake_repeats_free(in->repeats);
	intake_shadow_free(in->shadow);
	channel_free(in->core);
	channel_free(in->tail);
	while (in->ring_n > 0) {
		free(ring_slot(in, 0)->frame);
		in->ring_at = (in->ring_at + 1) & (in->ring_cap - 1);
		in->ring_n--;
	}
	free(in->ring);
	generation_free(in->gen);
	generation_free(in->next);
	role_map_close(in->map);
	role_tables_free(in->tables);
	evt_batch_free(&in->batch);
	buf_free(&in->frame);
	buf_free(&in->record);
	hmap_free(in->informs);
	hmap_free(in->informs_before);
	free(in);
}

const struct role_ops role_intake = {.kind = ROLE_INTAKE,
                                     .sandbox = SANDBOX_INTAKE,
                                     .start = intake_start,
                                     .compile = intake_compile,
                                     .swap = intake_swap,
                                     .secret = intake_secret,
                                     .peer = intake_peer,
                                     .listen = on_socket,
                                     .map = intake_map,
                                     .frame = on_parent_frame,
                                     .stop = intake_stop,
                                     .free = intake_free};
