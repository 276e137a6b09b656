/* What every unit test of base includes: cmocka and a few comparisons of slices. */
#ifndef CARILLON_TESTS_BASE_TEST_H
#define CARILLON_TESTS_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

#define assert_slice(got, want)                                                                              \
	do {                                                                                                 \
		struct slice got_ = (got);                                                                   \
		char *text_ = slice_dup(got_);                                                               \
		assert_non_null(got_.p);                                                                     \
		assert_string_equal(text_, want);                                                            \
		free(text_);                                                                                 \
	} while (0)

#endif
