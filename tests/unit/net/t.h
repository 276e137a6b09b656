/* What every test of net needs: cmocka, a loop that runs until a condition holds, and a limit on waiting. */
#ifndef TESTS_UNIT_NET_T_H
#define TESTS_UNIT_NET_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/loop.h"

/* Turns the loop until `cond` holds; fails after ten seconds. */
#define RUN_UNTIL(loop, cond)                                                                                \
	do {                                                                                                 \
		instant end_ = loop_mono() + 10 * SECOND;                                                    \
		while (!(cond)) {                                                                            \
			loop_once((loop), 50 * MSEC);                                                        \
			if (loop_mono() > end_)                                                              \
				fail_msg("never happened: %s", #cond);                                       \
		}                                                                                            \
	} while (0)

#endif
