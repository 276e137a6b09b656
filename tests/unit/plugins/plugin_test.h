/* What the decoder tests share: one batch, one environment, and looking at fields. */
#ifndef PLUGIN_TEST_H
#define PLUGIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "plugin.h"

struct bench {
	struct evt_batch batch;
	struct decode_env env;
	struct buf reply;
};

/* Reception at 2026-11-22T12:00:00Z from 192.0.2.9. */
static inline struct bench bench_new(void)
{
	struct bench b = {0};
	evt_batch_init(&b.batch);
	b.env.received = instant_civil(2026, 11, 22, 12, 0, 0);
	b.env.sender = SLICE("192.0.2.9");
	b.env.source = "lab";
	b.env.max_event = 65536;
	return b;
}

static inline void bench_free(struct bench *b)
{
	evt_batch_free(&b->batch);
	buf_free(&b->reply);
}

static inline enum decode_result bench_decode(struct bench *b, const struct decoder *d, const void *settings,
                                              struct slice payload)
{
	evt_batch_reset(&b->batch);
	buf_clear(&b->reply);
	return d->decode(settings, &b->env, payload, &b->batch, &b->reply);
}

/* The value of a field of event i as C text; "" if it is missing. */
static inline const char *bench_field(struct bench *b, size_t i, const char *name)
{
	assert_true(i < b->batch.n);
	struct slice v = value_slice(fields_get_name(&b->batch.v[i], slice_str(name)));
	return v.p != NULL ? arena_str(b->batch.arena, v) : "";
}

#define assert_field(b, i, name, text) assert_string_equal(bench_field((b), (i), (name)), (text))

#endif
