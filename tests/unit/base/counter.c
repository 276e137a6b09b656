/* Shared counters, also over a fork. */
#include "test.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/counter.h"

enum { ROLES = 4, NAMES = 800, ROUNDS = 5 };

static void text(void **state)
{
	(void)state;
	struct buf b = {0};
	struct counters *c = counters_new(32);
	counter_add(counter(c, "carillon_events_received_total", "listener=\"syslog\""), 5);
	counter_add(counter(c, "carillon_events_received_total", "listener=\"http\""), 2);
	counter_set(counter(c, "carillon_map_services", ""), 9);
	counter_add(counter(c, "carillon_rule_eval_seconds_total", "rule=\"a/b\""), 1500000);
	counter_add(counter(c, "carillon_engine_loop_seconds_bucket", "le=\"+Inf\""), 3);
	counter_add(counter(c, "carillon_engine_loop_seconds_bucket", "le=\"10\""), 2);
	counter_add(counter(c, "carillon_engine_loop_seconds_bucket", "le=\"2\""), 1);
	counter_add(counter(c, "carillon_engine_loop_seconds_sum", ""), 10);
	counter_add(counter(c, "carillon_engine_loop_seconds_count", ""), 3);
	counter_add(counter(c, "own_thing_total", NULL), 1);
	counters_text(c, &b);
	assert_string_equal(buf_cstr(&b),
	                    "# HELP carillon_engine_loop_seconds Time of one turn of the engine.\n"
	                    "# TYPE carillon_engine_loop_seconds histogram\n"
	                    "carillon_engine_loop_seconds_bucket{le=\"2\"} 1\n"
	                    "carillon_engine_loop_seconds_bucket{le=\"10\"} 2\n"
	                    "carillon_engine_loop_seconds_bucket{le=\"+Inf\"} 3\n"
	                    "carillon_engine_loop_seconds_count 3\n"
	                    "carillon_engine_loop_seconds_sum 0.000010\n"
	                    "# HELP carillon_events_received_total Events that arrived.\n"
	                    "# TYPE carillon_events_received_total counter\n"
	                    "carillon_events_received_total{listener=\"http\"} 2\n"
	                    "carillon_events_received_total{listener=\"syslog\"} 5\n"
	                    "# HELP carillon_map_services Services on the map.\n"
	                    "# TYPE carillon_map_services gauge\n"
	                    "carillon_map_services 9\n"
	                    "# HELP carillon_rule_eval_seconds_total Time spent on a rule.\n"
	                    "# TYPE carillon_rule_eval_seconds_total counter\n"
	                    "carillon_rule_eval_seconds_total{rule=\"a/b\"} 1.500000\n"
	                    "# TYPE own_thing_total counter\n"
	                    "own_thing_total 1\n");
	assert_int_equal(counter_sum(c, "carillon_events_received_total"), 7);
	assert_int_equal(counter_read(c, "carillon_events_received_total", "listener=\"http\""), 2);
	assert_int_equal(counter_read(c, "carillon_events_received_total", ""), 0);
	buf_free(&b);
	counters_free(c);
}

static void overflow(void **state)
{
	(void)state;
	struct buf b = {0};
	char name[16], label[400];
	struct counters *c = counters_new(4);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "x%d", i);
		counter_add(counter(c, name, ""), 1);
	}
	assert_ptr_equal(counter(c, "y", ""), counter(c, "z", ""));
	assert_int_equal(counter_read(c, "x0", ""), 1);
	assert_int_equal(counter_read(c, "y", ""), 0);
	memset(label, 'l', sizeof label - 1);
	label[sizeof label - 1] = '\0';
	uint64_t before = doubts();
	assert_ptr_equal(counter(c, "x0", label), counter(c, "z", ""));
	assert_int_equal(doubts(), before + 1);
	counters_text(c, &b);
	assert_true(slice_ends(buf_slice(&b), SLICE("\ncarillon_counters_overflow_total 2\n")));
	buf_free(&b);
	counters_free(c);
}

static void role(struct counters *c, _Atomic uint64_t *gate)
{
	char name[16];
	while (atomic_load(gate) == 0)
		sched_yield();
	for (int i = 0; i < ROUNDS; i++)
		for (int k = 0; k < NAMES; k++) {
			snprintf(name, sizeof name, "n%d", k);
			counter_add(counter(c, name, "a=\"b\""), 1);
		}
	_exit(0);
}

static void add_row(const char *name, const char *labels, uint64_t v, void *arg)
{
	assert_string_equal(labels, "a=\"b\"");
	assert_int_equal(name[0], 'n');
	assert_int_equal(v, ROLES * ROUNDS);
	(*(int *)arg)++;
}

/* Roles that register the same names at the same time share their cells. */
static void roles(void **state)
{
	(void)state;
	int rows = 0, status;
	struct counters *c = counters_new(1024), *start = counters_new(1);
	_Atomic uint64_t *gate = counter(start, "gate", "");
	for (int i = 0; i < ROLES; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			role(c, gate);
	}
	counter_set(gate, 1);
	for (int i = 0; i < ROLES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	counters_each(c, add_row, &rows);
	assert_int_equal(rows, NAMES);
	counters_free(start);
	counters_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(text), cmocka_unit_test(overflow),
	                                   cmocka_unit_test(roles)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
