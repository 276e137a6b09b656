/* Overload that no need explains: a lost neighbour, a consumer that retries; and what is no such thing. */
#include "desk.h"

#include "base/log.h"

static const char rules[] =
    "version: 1\npackage: t\nrules:\n"
    "  gone: {summary: gone, match: {check: ping}, severity: critical, effect: down}\n"
    "  slow: {summary: slow, match: {check: slow}, severity: minor, effect: degraded,"
    " nature: overload}\n"
    "  sick: {summary: sick, match: {check: sick}, severity: minor, effect: degraded}\n";
static const char shop[] = "version: 1\nservices:\n"
                           "  pg:    {kind: db, hosts: [pg]}\n"
                           "  redis: {kind: cache, hosts: [redis]}\n"
                           "  other: {kind: db, hosts: [other]}\n"
                           "  cart:  {hosts: [cart], needs: [{service: redis, effect: degraded}, pg]}\n"
                           "  web:   {tier: 1, hosts: [web], needs: [cart]}\n";

static const struct episode *at(struct desk *d, const char *id)
{
	const struct map_node *n = node_known(d->rig->engine, slice_str(id));
	assert_non_null(n);
	assert_non_null(n->open);
	return n->open;
}

static void neighbour(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, shop, true);
	desk_event(d, SECOND, "ping", "redis", "problem");
	desk_event(d, MINUTE, "slow", "pg", "problem");
	assert_ptr_equal(at(d, "pg")->parent, at(d, "redis"));
	assert_true(
	    desk_logged(at(d, "redis")->incident,
	                "pg <- redis: overloaded after redis was lost, same consumer cart, 59s later"));
	desk_restart(d);
	desk_wait(d, 5 * MINUTE);
	assert_int_equal(d->n, 1);
	desk_free(d);
}

/* The loss may be reported after the overload; the ticket of the overload goes on under the new root. */
static void reported_later(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, shop, true);
	desk_event(d, SECOND, "slow", "pg", "problem");
	desk_event(d, 40 * SECOND, "ping", "redis", "problem");
	assert_ptr_equal(at(d, "pg")->parent, at(d, "redis"));
	desk_wait(d, 5 * MINUTE);
	assert_int_equal(d->n, 1);
	desk_free(d);
}

static void not_so(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, shop, false);
	desk_event(d, SECOND, "ping", "redis", "problem");
	desk_event(d, 2 * SECOND, "slow", "other", "problem"); /* no common consumer */
	assert_null(at(d, "other")->parent);
	desk_event(d, 3 * SECOND, "sick", "pg", "problem"); /* not overload */
	assert_null(at(d, "pg")->parent);
	desk_free(d);
}

static void too_late(void **state)
{
	(void)state;
	struct desk *d = desk_new(rules, shop, false);
	desk_event(d, SECOND, "ping", "redis", "problem");
	desk_event(d, 5 * MINUTE, "slow", "pg", "problem");
	assert_null(at(d, "pg")->parent);
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(neighbour),
	    cmocka_unit_test(reported_later),
	    cmocka_unit_test(not_so),
	    cmocka_unit_test(too_late),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
