/* What processes share: rates that hold together, and keys that were seen. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/quota.h"
#include "base/seen.h"

#define NOW ((instant)1795341600 * SECOND)

static void a_rate(void **state UNUSED)
{
	struct quota *q = quota_new(64);
	struct quota_slot *s = quota_slot(q, SLICE("a"), NOW);

	assert_true(quota_take(s, 10, 20, 20, NOW));
	assert_false(quota_take(s, 10, 20, 1, NOW));
	assert_false(quota_ready(s, 10, 20, NOW));
	assert_true(quota_ready(s, 10, 20, NOW + 100 * MSEC));
	assert_true(quota_take(s, 10, 20, 1, NOW + 100 * MSEC));
	assert_false(quota_take(s, 10, 20, 1, NOW + 100 * MSEC));
	assert_true(quota_take(s, 10, 20, 20, NOW + HOUR));
	assert_false(quota_take(s, 10, 20, 21, NOW + 2 * HOUR)); /* more than it can ever hold */
	/* a clock that goes back locks nobody out */
	assert_true(quota_take(s, 10, 20, 20, NOW + 2 * HOUR));
	assert_false(quota_take(s, 10, 20, 1, NOW));
	assert_true(quota_take(s, 10, 20, 1, NOW + 3 * SECOND));
	quota_free(q);
}

static void forged_names(void **state UNUSED)
{
	struct quota *q = quota_new(64);

	assert_true(quota_take(quota_slot(q, SLICE("busy"), NOW), 10, 20, 20, NOW));
	for (int i = 0; i < 10000; i++) {
		char name[16];
		int n = snprintf(name, sizeof name, "%d", i);
		assert_true(quota_take(quota_slot(q, slice_of(name, (size_t)n), NOW), 10, 20, 1, NOW));
	}
	/* whoever used most of his share is forgotten last */
	assert_false(quota_take(quota_slot(q, SLICE("busy"), NOW), 10, 20, 1, NOW));
	quota_free(q);
}

static void processes_share_a_rate(void **state UNUSED)
{
	struct quota *q = quota_new(64);
	unsigned taken = 0;

	for (int i = 0; i < 4; i++) {
		int fds[2];
		unsigned n = 0;

		assert_int_equal(pipe(fds), 0);
		if (fork() == 0) {
			for (int k = 0; k < 1000; k++)
				n += quota_take(quota_slot(q, SLICE("x"), NOW), 100, 500, 1, NOW);
			_exit(write(fds[1], &n, sizeof n) != sizeof n);
		}
		assert_int_equal(read(fds[0], &n, sizeof n), sizeof n);
		wait(NULL);
		close(fds[0]);
		close(fds[1]);
		taken += n;
	}
	assert_int_equal(taken, 500);
	quota_free(q);
}

static void seen_in_order(void **state UNUSED)
{
	bool fresh;
	struct seen *s = seen_new(-1, 64, &fresh);

	assert_true(fresh);
	assert_int_equal(seen_begin(s, 7, 1, NOW, HOUR), SEEN_NEW);
	assert_int_equal(seen_begin(s, 7, 2, NOW + SECOND, HOUR), SEEN_PENDING);
	/* whoever began it did not finish: it may come again */
	assert_int_equal(seen_begin(s, 7, 1, NOW + 11 * SECOND, HOUR), SEEN_NEW);
	seen_done(s, 7, 1, NOW + 12 * SECOND);
	assert_int_equal(seen_begin(s, 7, 1, NOW + 13 * SECOND, HOUR), SEEN_DONE);
	assert_int_equal(seen_begin(s, 7, 1, NOW + 2 * HOUR, HOUR), SEEN_NEW);
	seen_done(s, 7, 1, NOW + 2 * HOUR);
	seen_forget_owner(s, 2);
	assert_int_equal(seen_begin(s, 7, 2, NOW + 2 * HOUR, HOUR), SEEN_DONE);
	seen_forget_owner(s, 1);
	assert_int_equal(seen_begin(s, 7, 2, NOW + 2 * HOUR, HOUR), SEEN_NEW);
	assert_int_equal(seen_begin(s, 0, 2, NOW, HOUR), SEEN_NEW);
	/* full: the oldest goes, never a false memory */
	for (uint64_t k = 100; k < 1000; k++)
		assert_int_equal(seen_begin(s, k, 0, NOW + (instant)k, HOUR), SEEN_NEW);
	seen_free(s);
}

static void seen_in_a_file(void **state UNUSED)
{
	char path[] = "/tmp/carillon-seen-XXXXXX";
	int fd = mkstemp(path);
	bool fresh;
	struct seen *s;

	assert_true(fd >= 0);
	unlink(path);
	s = seen_new(fd, 64, &fresh);
	assert_true(fresh);
	assert_int_equal(seen_begin(s, 7, 0, NOW, HOUR), SEEN_NEW);
	seen_done(s, 7, 0, NOW);
	seen_sync(s);
	seen_free(s);
	s = seen_new(fd, 64, &fresh);
	assert_false(fresh);
	assert_int_equal(seen_begin(s, 7, 0, NOW + SECOND, HOUR), SEEN_DONE);
	seen_free(s);
	/* another's file, or one that is cut: made afresh */
	assert_int_equal(pwrite(fd, "xxxxxxxx", 8, 0), 8);
	s = seen_new(fd, 64, &fresh);
	assert_true(fresh);
	assert_int_equal(seen_begin(s, 7, 0, NOW + SECOND, HOUR), SEEN_NEW);
	seen_free(s);
	s = seen_new(fd, 128, &fresh);
	assert_true(fresh);
	seen_free(s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_rate), cmocka_unit_test(forged_names), cmocka_unit_test(processes_share_a_rate),
	                                   cmocka_unit_test(seen_in_order), cmocka_unit_test(seen_in_a_file)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
