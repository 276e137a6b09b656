/* carillond --demo (firstrun.md section 1): the real listeners are fed, an incident is found and recovers. */
#ifndef CARILLON_ROLE_DEMO_H
#define CARILLON_ROLE_DEMO_H

#include <stdint.h>

int demo_run(int64_t seconds); /* 0: until Ctrl-C; the exit status */

#endif
