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

#endif
