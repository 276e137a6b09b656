/* What must hold of every event that a decoder made, whatever the octets were. */
#ifndef DECODER_CHECK_H
#define DECODER_CHECK_H

#include "model/severity.h"
#include "plugin.h"

static inline void check_event(const struct fields *f, instant received)
{
	static const struct ulid id;
	enum severity severity;
	enum event_state state;
	instant t;
	struct error err;
	struct slice v = value_slice(fields_get(f, FIELD_TIME));
	BUG_ON(v.p != NULL && !instant_parse(v, &t));
	v = value_slice(fields_get(f, FIELD_SEVERITY));
	BUG_ON(v.p != NULL && !severity_parse(v, &severity));
	v = value_slice(fields_get(f, FIELD_STATE));
	BUG_ON(v.p != NULL && !event_state_parse(v, &state));
	for (size_t i = 0; i < f->n_named; i++)
		BUG_ON(!field_valid(f->named[i].name));
	struct buf flat = {0};
	evt_encode(f, &id, received, &flat);
	BUG_ON(evt_check(buf_slice(&flat), &err) == NULL);
	buf_free(&flat);
}

static inline void check_batch(const struct evt_batch *b, enum decode_result result, instant received)
{
	BUG_ON((result == DECODE_OK) != (b->n > 0));
	BUG_ON(result == DECODE_REFUSED && b->n_notes == 0);
	for (size_t i = 0; i < b->n; i++)
		check_event(&b->v[i], received);
}

static inline struct decode_env check_env(bool raw)
{
	return (struct decode_env){.received = instant_civil(2026, 11, 22, 12, 0, 0),
	                           .sender = SLICE("192.0.2.9"),
	                           .source = "fuzz",
	                           .max_event = 4096,
	                           .raw_mode = raw};
}

#endif
