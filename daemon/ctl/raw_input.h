/* Raw input through the real decoders, as the listeners of a configuration would take it. No socket, no
 * clock. */
#ifndef CARILLON_CTL_RAW_INPUT_H
#define CARILLON_CTL_RAW_INPUT_H

#include "model/config.h"
#include "plugin.h"

struct raw_input;
/* Reads the webhook profiles below `profiles_dir` when the first webhook comes. Borrows both. */
struct raw_input *raw_input_new(const struct config *config, const char *profiles_dir);
void raw_input_free(struct raw_input *r);
/* Append events to `out`; false: refused, notes of `out` say why. */
bool raw_input_syslog(struct raw_input *r, struct slice line, instant received, struct evt_batch *out);
bool raw_input_webhook(struct raw_input *r, struct slice listener, struct slice body, instant received,
                       struct evt_batch *out);
/* One payload as an intake would have taken it. */
struct raw_payload {
	instant received;
	struct slice listener, transport, peer, path, headers, bytes; /* as record_item has them */
};
enum raw_outcome {
	RAW_TAKEN,
	RAW_REFUSED,  /* notes of `out` say why */
	RAW_REPEATED, /* an inform that was there already: no event */
};
/* By the listener of that name; a recording of an installation that calls it otherwise is read by its transport and first
 * octet. The batch is emptied first. */
enum raw_outcome raw_input_payload(struct raw_input *r, const struct raw_payload *p, struct evt_batch *out);

#endif
