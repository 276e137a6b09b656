/* The loop: timers fire once and in order, the clock stands still within a turn, later runs once a turn. */
#include "t.h"

#include <signal.h>
#include <unistd.h>

#include "base/mem.h"

struct seen {
	struct loop *loop;
	struct loop_timer *timer;
	struct loop_later *later;
	struct loop_fd *fd;
	int a, b, c;
	int order[8], n;
};

static void on_a(void *arg)
{
	struct seen *s = arg;
	s->order[s->n++] = 1;
	s->a++;
}

static void on_b(void *arg)
{
	struct seen *s = arg;
	s->order[s->n++] = 2;
	s->b++;
}

static void timers(void **state)
{
	(void)state;
	struct seen s = {.loop = loop_new()};
	struct loop_timer *a = loop_timer_new(s.loop, on_a, &s), *b = loop_timer_new(s.loop, on_b, &s);
	instant from = loop_mono();
	loop_timer_set(a, 20 * MSEC);
	loop_timer_set(b, 5 * MSEC);
	RUN_UNTIL(s.loop, s.n == 2);
	assert_true(loop_mono() - from >= 20 * MSEC);
	assert_int_equal(s.order[0], 2);
	assert_int_equal(s.order[1], 1);
	loop_timer_set(a, 0);
	loop_timer_set(b, 0);
	loop_timer_set(b, -1);
	loop_once(s.loop, 20 * MSEC);
	loop_once(s.loop, 1 * MSEC);
	assert_int_equal(s.a, 2);
	assert_int_equal(s.b, 1);
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(NULL);
	loop_free(s.loop);
}

static void free_timer(void *arg)
{
	struct seen *s = arg;
	s->a++;
	loop_timer_free(s->timer);
	s->timer = NULL;
	loop_stop(s->loop);
}

static void timer_frees_itself(void **state)
{
	(void)state;
	struct seen s = {.loop = loop_new()};
	s.timer = loop_timer_new(s.loop, free_timer, &s);
	loop_timer_set(s.timer, 0);
	loop_run(s.loop);
	assert_int_equal(s.a, 1);
	loop_free(s.loop);
}

static void on_fd(int fd, int what, void *arg)
{
	struct seen *s = arg;
	char b;
	assert_int_equal(what, LOOP_READ);
	assert_int_equal(read(fd, &b, 1), 1);
	s->c++;
	loop_later_set(s->later);
	loop_later_set(s->later);
	loop_fd_del(s->fd);
	s->fd = NULL;
}

static void on_later(void *arg)
{
	struct seen *s = arg;
	s->a++;
	if (s->a == 1)
		loop_later_set(s->later); /* again, without a wait in between */
}

static void descriptors_and_later(void **state)
{
	(void)state;
	int p[2];
	struct seen s = {.loop = loop_new()};
	assert_int_equal(pipe(p), 0);
	s.later = loop_later_new(s.loop, on_later, &s);
	s.fd = loop_fd_add(s.loop, p[0], 0, on_fd, &s);
	assert_int_equal(write(p[1], "xy", 2), 2);
	loop_once(s.loop, 2 * MSEC);
	assert_int_equal(s.c, 0); /* paused */
	loop_fd_set(s.fd, LOOP_READ);
	loop_once(s.loop, SECOND);
	assert_int_equal(s.c, 1);
	assert_int_equal(s.a, 2);
	loop_once(s.loop, 2 * MSEC);
	assert_int_equal(s.c, 1); /* deleted inside its callback */
	loop_later_set(s.later);
	loop_later_free(s.later);
	loop_once(s.loop, 1 * MSEC);
	assert_int_equal(s.a, 2);
	close(p[0]);
	close(p[1]);
	loop_free(s.loop);
}

static void read_clock(void *arg)
{
	struct seen *s = arg;
	instant t = loop_now(s->loop);
	for (instant until = loop_mono() + 2 * MSEC; loop_mono() < until;)
		;
	s->a = loop_now(s->loop) == t;
}

static void clock_is_read_once_a_turn(void **state)
{
	(void)state;
	struct seen s = {.loop = loop_new()};
	struct loop_timer *t = loop_timer_new(s.loop, read_clock, &s);
	instant before = loop_now(s.loop);
	assert_true(before > instant_civil(2020, 1, 1, 0, 0, 0));
	loop_timer_set(t, 3 * MSEC);
	RUN_UNTIL(s.loop, s.a == 1);
	assert_true(loop_now(s.loop) > before);
	assert_true(loop_wall() >= loop_now(s.loop));
	loop_timer_free(t);
	loop_free(s.loop);
}

/* A clock that is set back a little must not stop what counts in it; a correction by hours is followed. */
static void clock_steps(void **state)
{
	(void)state;
	const instant t = 100 * DAY;
	assert_int_equal(loop_clock_next(t, t + 5, 5), t + 5);
	assert_int_equal(loop_clock_next(t, t + DAY, 5), t + DAY);
	assert_int_equal(loop_clock_next(t, t - 30 * MINUTE, 10 * SECOND), t + 5 * SECOND);
	assert_int_equal(loop_clock_next(t, t, 0), t);
	assert_int_equal(loop_clock_next(t, t - 1, -7), t);
	assert_int_equal(loop_clock_next(t, t - HOUR, SECOND), t - HOUR);
	/* caught up after twice the step */
	instant now = t, wall = t - 10 * MINUTE;
	for (int i = 0; i < 20 * 60; i++) {
		wall += SECOND;
		now = loop_clock_next(now, wall, SECOND);
	}
	assert_in_range(now - wall, 0, SECOND);
}

static void on_signal(int signo, void *arg)
{
	struct seen *s = arg;
	assert_int_equal(signo, SIGUSR1);
	s->a++;
}

static void signals(void **state)
{
	(void)state;
	struct seen s = {.loop = loop_new()};
	loop_signal(s.loop, SIGUSR1, on_signal, &s);
	raise(SIGUSR1);
	RUN_UNTIL(s.loop, s.a == 1);
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timers),
	    cmocka_unit_test(timer_frees_itself),
	    cmocka_unit_test(descriptors_and_later),
	    cmocka_unit_test(clock_is_read_once_a_turn),
	    cmocka_unit_test(clock_steps),
	    cmocka_unit_test(signals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
