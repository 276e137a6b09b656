/* Rates that hold across processes: a table of fixed size in shared memory, one word of state for each name
 * (a token bucket as the time when it will be full again: GCRA). Forged names make it forget whoever has been
 * silent longest; that one is then met with a full bucket. */
#ifndef CARILLON_BASE_QUOTA_H
#define CARILLON_BASE_QUOTA_H

#include "base/instant.h"
#include "base/mem.h"
#include "base/slice.h"

struct quota;
struct quota_slot;

struct quota *
quota_new(size_t slots); /* MAP_SHARED|MAP_ANONYMOUS; survives fork. slots: a power of two. NULL: no memory */
void quota_free(struct quota *q);
/* The place of a name, good for this turn of the loop: later it may belong to another. */
struct quota_slot *quota_slot(struct quota *q, struct slice name, instant now);
/* Takes `n` from a bucket that holds `burst` and gets `rate` a second. False: nothing is taken. */
bool quota_take(struct quota_slot *s, double rate, double burst, unsigned n, instant now);
bool quota_ready(const struct quota_slot *s, double rate, double burst, instant now); /* one could be taken */

#endif
