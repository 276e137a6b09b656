/* What stands for long explains nothing new; sources that poll slowly may be late; a shop that says itself
 * that it is down is not kept waiting. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static const char map[] = "version: 1\nservices:\n"
                          "  db:   {kind: db, hosts: [db]}\n"
                          "  app:  {hosts: [app], needs: [db]}\n"
                          "  app2: {hosts: [app2], needs: [db]}\n"
                          "  shop: {tier: 1, hosts: [shop], needs: [app]}\n"
                          "  blog: {tier: 2, hosts: [blog]}\n";

static const struct episode *at(struct desk *d, const char *id)
{
	const struct map_node *n = node_known(d->rig->engine, slice_str(id));
	assert_non_null(n);
	assert_non_null(n->open);
	return n->open;
}

static void chronic_warning(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, map, false);
	desk_event(d, SECOND, "http", "db", "problem");
	desk_event(d, 5 * MINUTE, "http", "app", "problem");
	assert_ptr_equal(at(d, "app")->parent, at(d, "db"));
	desk_event(d, 45 * MINUTE, "http", "app2", "problem");
	assert_null(at(d, "app2")->parent);
	desk_free(d);
}

/* What gets worse is news again. */
static void worse_again(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, map, false);
	desk_event(d, SECOND, "http", "db", "problem");
	desk_event(d, 45 * MINUTE, "ping", "db", "problem");
	desk_event(d, 46 * MINUTE, "ping", "app2", "problem");
	assert_ptr_equal(at(d, "app2")->parent, at(d, "db"));
	desk_free(d);
}

/* A switch that is asked every five minutes is reported up to that much later. */
static void slow_poller(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, map, false);
	for (int k = 0; k < 6; k++)
		desk_event(d, k * 5 * MINUTE, "ping", "blog", "problem"); /* the same source, another host */
	desk_event(d, 40 * MINUTE, "ping", "app", "problem");
	desk_event(d, 40 * MINUTE + 300 * SECOND, "ping", "db", "problem");
	assert_ptr_equal(at(d, "app")->parent, at(d, "db"));
	desk_restart(d);
	assert_int_equal(d->rig->engine->correlation->n_intervals, 1);
	desk_free(d);
}

static void fast_poller(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, map, false);
	desk_event(d, 0, "ping", "app", "problem");
	desk_event(d, 300 * SECOND, "ping", "db", "problem");
	assert_null(at(d, "app")->parent);
	desk_free(d);
}

static void first_tier(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, map, true);
	desk_event(d, MINUTE, "ping", "shop", "problem");
	desk_event(d, MINUTE, "ping", "blog", "problem");
	desk_wait(d, MINUTE + 9 * SECOND);
	assert_int_equal(d->n, 0);
	desk_wait(d, MINUTE + 11 * SECOND);
	assert_int_equal(d->n, 1);
	assert_string_equal(d->v[0].title, "shop down: shop");
	desk_wait(d, MINUTE + 36 * SECOND);
	assert_int_equal(d->n, 2);
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chronic_warning), cmocka_unit_test(worse_again), cmocka_unit_test(slow_poller),
	    cmocka_unit_test(fast_poller),     cmocka_unit_test(first_tier),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
