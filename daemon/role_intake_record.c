/* Intake's part of recording: what the listeners let in goes, as it came but without secrets, into the file that the parent
 * opened. It must never hold up the events: a disk that lets a write wait costs the recording, not them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "role_intake.h"
#include "store/record_writer.h"

#define FLUSH_EVERY SECOND
#define SLOW_WRITE  (20 * MSEC) /* a write that took longer ... */
#define SLOW_FACTOR 50          /* ... is followed by a pause so many times as long: at most 2 % of the time goes there */

struct intake_record {
	struct intake *intake;
	struct record_writer *writer;
	struct arena *scratch;
	struct buf headers;
	struct loop_timer *flush;
	struct record_figures told;
	instant resume; /* monotonic: a slow disk is given rest until then; 0: none */
	bool asked;     /* for the next file */
	_Atomic uint64_t *items, *octets, *skipped, *gaps, *withheld;
};

/* The cells are shared by all intakes. */
static void tell_figures(struct intake_record *r)
{
	struct record_figures now = record_writer_figures(r->writer);

	counter_add(r->items, now.items - r->told.items);
	counter_add(r->octets, now.octets - r->told.octets);
	counter_add(r->skipped, now.skipped - r->told.skipped);
	counter_add(r->gaps, now.gaps - r->told.gaps);
	r->told = now;
}

static void ask_for_file(struct intake_record *r)
{
	if (r->asked || !record_writer_is_full(r->writer))
		return;
	r->asked = true;
	role_send(r->intake->role, FRAME_RECORD, 0, SLICE_NONE, -1);
}

static void flush(struct intake_record *r)
{
	instant began = loop_mono(), took;

	record_writer_flush(r->writer);
	took = loop_mono() - began;
	if (took > SLOW_WRITE) {
		r->resume = loop_mono() + took * SLOW_FACTOR;
		record_writer_gap(r->writer, loop_now(r->intake->role->loop));
		log_warn("msg=\"the disk is slow: recording pauses\" write_ms=%lld pause_s=%lld", (long long)(took / MSEC),
		         (long long)(took * SLOW_FACTOR / SECOND));
	}
	ask_for_file(r);
	tell_figures(r);
}

static void on_flush(void *arg)
{
	struct intake_record *r = arg;

	flush(r);
	if (record_writer_is_on(r->writer))
		loop_timer_set(r->flush, FLUSH_EVERY);
}

struct intake_record *intake_record_new(struct intake *in)
{
	struct intake_record *r = xcalloc(1, sizeof *r);
	struct counters *c = in->role->counters;

	r->intake = in;
	r->writer = record_writer_new();
	r->scratch = arena_new(0);
	r->flush = loop_timer_new(in->role->loop, on_flush, r);
	r->items = counter(c, "carillon_record_payloads_total", "");
	r->octets = counter(c, "carillon_record_bytes_total", "");
	r->skipped = counter(c, "carillon_record_skipped_total", "");
	r->gaps = counter(c, "carillon_record_gaps_total", "");
	r->withheld = counter(c, "carillon_record_withheld_total", "");
	return r;
}

void intake_record_free(struct intake_record *r)
{
	record_writer_free(r->writer);
	loop_timer_free(r->flush);
	arena_free(r->scratch);
	buf_free(&r->headers);
	free(r);
}

/* ---- the parent's word: {"rate", "size"} and perhaps the next file; {"stop": true} */

void intake_record_frame(struct intake_record *r, struct slice payload, int fd)
{
	struct arena *a = arena_new(4096);
	struct error err;
	const struct json *j = json_parse(a, payload, JSON_LIMITS, NULL, &err), *stop = json_get(j, "stop");
	double rate = 0, size = 0;

	if (stop != NULL && stop->boolean) {
		record_writer_file(r->writer, -1);
	} else if (!DOUBT(!json_num(json_get(j, "rate"), &rate) || !json_num(json_get(j, "size"), &size))) {
		record_writer_limits(r->writer, rate, (uint64_t)size);
		if (fd >= 0)
			record_writer_file(r->writer, fd);
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	r->asked = false;
	tell_figures(r);
	loop_timer_set(r->flush, record_writer_is_on(r->writer) ? FLUSH_EVERY : -1);
	arena_free(a);
}

/* ---- one payload */

static bool is_secret_header(struct slice name)
{
	static const char *const words[] = {"auth", "cookie", "token", "secret", "signature", "password", "api-key", "apikey"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_contains(name, slice_str(words[i])))
			return true;
	return false;
}

static struct slice safe_headers(struct intake_record *r, struct slice lines)
{
	struct slice line, rest;

	buf_clear(&r->headers);
	while (lines.n > 0 && slice_split(&lines, '\n', &line)) {
		struct slice name;

		rest = line;
		if (!slice_split(&rest, ':', &name) || is_secret_header(name))
			continue;
		buf_adds(&r->headers, line);
		buf_char(&r->headers, '\n');
	}
	return r->headers.n > 0 ? buf_slice(&r->headers) : SLICE_NONE;
}

/* A listener's token that stands in the body (PagerDuty's routing key): stars of its length. */
static struct slice hide_token(const struct intake_listener *l, struct slice raw, struct arena *a)
{
	char *p = l->bearer.n > 0 ? memmem(raw.p, raw.n, l->bearer.p, l->bearer.n) : NULL;
	struct slice copy;

	if (p == NULL)
		return raw;
	copy = arena_slice(a, raw);
	for (size_t at = 0; (p = memmem(copy.p + at, copy.n - at, l->bearer.p, l->bearer.n)) != NULL; at = (size_t)(p - copy.p) + l->bearer.n)
		memset(p, '*', l->bearer.n);
	return copy;
}

static struct slice safe_payload(struct intake_record *r, const struct intake_listener *l, struct slice raw)
{
	const struct redact *redact = r->intake->gen->redact;

	switch (l->config->type) {
	case LISTENER_SYSLOG: return redact_octets(redact, REDACT_TEXT, raw, r->scratch);
	case LISTENER_SNMPTRAP: return redact_octets(redact, REDACT_BER, raw, r->scratch);
	case LISTENER_WEBHOOK: return redact_octets(redact, REDACT_BODY, hide_token(l, raw, r->scratch), r->scratch);
	}
	return SLICE_NONE;
}

static bool rests(struct intake_record *r)
{
	if (r->resume == 0)
		return false;
	if (loop_mono() >= r->resume)
		r->resume = 0;
	return r->resume != 0;
}

void intake_record_payload(struct intake_record *r, const struct intake_listener *l, const struct decode_env *env, const char *transport,
                           struct slice raw)
{
	struct record_item it = {.received = env->received, .listener = slice_str(l->config->name), .transport = slice_str(transport), .peer = env->sender};

	if (!record_writer_is_on(r->writer) || raw.n == 0 || rests(r))
		return;
	arena_reset(r->scratch);
	it.raw = safe_payload(r, l, raw);
	if (it.raw.p == NULL) {
		counter_add(r->withheld, 1);
		return;
	}
	if (l->config->type == LISTENER_WEBHOOK) {
		it.path = env->path;
		it.headers = safe_headers(r, env->headers);
	}
	(void)record_writer_add(r->writer, &it); /* what is not taken is counted there */
	if (record_writer_is_big(r->writer))
		flush(r);
}
