/* Maintenance as correlation sees it: no ticket while it lasts and none for what is left over, one for what
 * stays broken, one at once where a business service speaks up; missing capacity for groups. */
#include "desk.h"

#include "base/log.h"

static const char rules[] =
    "version: 1\npackage: t\nrules:\n"
    "  gone: {summary: gone, match: {check: ping}, severity: critical, effect: down}\n"
    "silences:\n"
    "  change: {match: {service: hv}, include_dependents: true, reason: CHG1,"
    " from: 2026-01-05T00:10:00Z, until: 2026-01-05T00:30:00Z}\n";
static const char map[] = "version: 1\nservices:\n"
                          "  hv:   {kind: host, hosts: [hv]}\n"
                          "  vm1:  {kind: vm, hosts: [vm1], needs: [hv]}\n"
                          "  vm2:  {kind: vm, hosts: [vm2], needs: [hv]}\n"
                          "  vm3:  {kind: vm, hosts: [vm3]}\n"
                          "  db:   {kind: db, hosts: [db], needs: [{any: [vm1, vm3], at_least: 1}]}\n"
                          "  shop: {tier: 1, hosts: [shop], needs: [db]}\n";

static const struct episode *at(struct desk *d, const char *id)
{
	const struct map_node *n = node_known(d->rig->engine, slice_str(id));
	assert_non_null(n);
	assert_non_null(n->open);
	return n->open;
}

static struct desk *down_for_work(void)
{
	struct desk *d = desk_new(rules, map, true);
	desk_event(d, 12 * MINUTE, "ping", "hv", "problem");
	desk_event(d, 13 * MINUTE, "ping", "vm1", "problem");
	desk_event(d, 13 * MINUTE, "ping", "vm2", "problem");
	desk_wait(d, 20 * MINUTE);
	assert_int_equal(d->n, 0);
	assert_true(desk_logged(at(d, "hv")->incident, "no ticket: hv is in maintenance (silence t/change)"));
	return d;
}

static void planned(void **state)
{
	(void)state;
	struct desk *d = down_for_work();
	desk_restart(d);
	desk_event(d, 28 * MINUTE, "ping", "hv", "clear");
	desk_event(d, 29 * MINUTE, "ping", "vm1", "clear");
	desk_event(d, 29 * MINUTE, "ping", "vm2", "clear");
	desk_wait(d, 90 * MINUTE);
	assert_int_equal(d->n, 0);
	desk_free(d);
}

/* A clear that never comes is no reason for a ticket when the rest is back. */
static void leftover(void **state)
{
	(void)state;
	struct desk *d = down_for_work();
	desk_event(d, 28 * MINUTE, "ping", "hv", "clear");
	desk_event(d, 29 * MINUTE, "ping", "vm1", "clear");
	desk_wait(d, 90 * MINUTE);
	assert_int_equal(d->n, 0);
	assert_int_equal(desk_count(d, INCIDENT_GATHERING), 0);
	desk_free(d);
}

static void still_broken(void **state)
{
	(void)state;
	struct desk *d = down_for_work();
	desk_wait(d, 34 * MINUTE);
	assert_int_equal(d->n, 0);
	desk_wait(d, 36 * MINUTE);
	assert_int_equal(d->n, 1);
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
}

static void hurts_after_all(void **state)
{
	(void)state;
	struct desk *d = down_for_work();
	desk_event(d, 21 * MINUTE, "ping", "vm3", "problem");
	desk_event(d, 21 * MINUTE + SECOND, "ping", "shop", "problem");
	desk_wait(d, 23 * MINUTE);
	assert_true(d->n >= 1);
	desk_free(d);
}

/* What is worked on and says nothing explains what it breaks, alone. */
static void silent_work(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, map, true);
	desk_event(d, 12 * MINUTE, "ping", "vm2", "problem");
	desk_wait(d, 20 * MINUTE);
	assert_ptr_equal(at(d, "vm2")->parent, at(d, "hv"));
	assert_int_equal(d->n, 0);
	desk_free(d);
}

static void missing_capacity(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, map, true);
	desk_wait(d, 11 * MINUTE);
	const struct service_map *m = d->rig->map;
	assert_true(derived_down(d->rig->engine->correlation, service_find(m, SLICE("vm1"))));
	assert_false(derived_down(d->rig->engine->correlation, service_find(m, SLICE("db"))));
	desk_event(d, 12 * MINUTE, "ping", "vm3", "problem");
	assert_true(derived_down(d->rig->engine->correlation, service_find(m, SLICE("shop"))));
	desk_restart(d);
	assert_true(derived_down(d->rig->engine->correlation, service_find(m, SLICE("shop"))));
	desk_wait(d, 31 * MINUTE);
	assert_false(derived_down(d->rig->engine->correlation, service_find(m, SLICE("vm1"))));
	assert_false(derived_down(d->rig->engine->correlation, service_find(m, SLICE("shop"))));
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(planned),      cmocka_unit_test(leftover),
	    cmocka_unit_test(still_broken), cmocka_unit_test(hurts_after_all),
	    cmocka_unit_test(silent_work),  cmocka_unit_test(missing_capacity),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
