/* Which part of which recordings the command line means. */
#ifndef CARILLON_CTL_RECORD_H
#define CARILLON_CTL_RECORD_H

#include "ctl/ctl.h"
#include "model/config.h"

/* --since D, or --from and --to; none: all there is. *clock: to where time goes on behind the last payload,
 * which is --to, or now with --since; INSTANT_NONE: it stops there. An exit code, said. */
int record_range(const struct ctl *c, const struct args *a, instant *from, instant *to, instant *clock);
/* --recordings DIR, else below state.path. Caller frees. */
char *record_dir(const struct args *a, const struct config *config);

#endif
