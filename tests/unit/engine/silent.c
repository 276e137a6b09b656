/* Silent common causes: inferred when they are the cheaper story, confirmed by evidence, explained
 * themselves, and gone when nobody needs them. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static const char racks[] = "version: 1\nservices:\n"
                            "  core: {kind: router, hosts: [core]}\n"
                            "  sw:   {kind: switch, hosts: [sw], needs: [core]}\n"
                            "  h1:   {kind: host, hosts: [h1], needs: [sw]}\n"
                            "  h2:   {kind: host, hosts: [h2], needs: [sw]}\n"
                            "  h3:   {kind: host, hosts: [h3], needs: [sw]}\n"
                            "  h4:   {kind: host, hosts: [h4], needs: [sw]}\n"
                            "  shop: {tier: 1, hosts: [shop], needs: [h1]}\n"
                            "  far:  {kind: host, hosts: [far]}\n";

static const struct episode *open_at(struct desk *d, const char *id)
{
	const struct map_node *n = node_known(d->rig->engine, slice_str(id));
	assert_non_null(n);
	return n->open;
}

static struct desk *three_hosts(void)
{
	struct desk *d = desk_new(desk_rules, racks, true);
	desk_event(d, SECOND, "ping", "h1", "problem");
	desk_event(d, 2 * SECOND, "ping", "h2", "problem");
	desk_event(d, 3 * SECOND, "ping", "h3", "problem");
	desk_wait(d, 10 * SECOND);
	return d;
}

static void inferred(void **state)
{
	(void)state;
	struct desk *d = three_hosts();
	assert_true(silent_only(open_at(d, "sw")));
	assert_ptr_equal(open_at(d, "h2")->parent, open_at(d, "sw"));
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_int_equal(d->n, 1);
	const struct incident *i = desk_incident(d, "sw");
	assert_string_equal(i->title, "shop down: sw");
	assert_true(desk_logged(i, "h2 <- sw: silent common cause, 3 unexplained failures, gain 11."));
	assert_int_equal(i->tally.on, 3); /* a guess is no evidence */
	desk_restart(d);
	assert_true(silent_only(open_at(d, "sw")));
	for (int h = 1; h <= 3; h++) {
		char host[8];
		snprintf(host, sizeof host, "h%d", h);
		desk_event(d, 2 * MINUTE, "ping", host, "clear");
	}
	desk_wait(d, 6 * MINUTE);
	assert_int_equal(desk_live(d), 0);
	assert_null(open_at(d, "sw"));
	desk_free(d);
}

static void not_for_two_strangers(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, racks, false);
	desk_event(d, SECOND, "ping", "h1", "problem");
	desk_event(d, 2 * SECOND, "ping", "far", "problem");
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 2);
	desk_free(d);
}

static void confirmed(void **state)
{
	(void)state;
	struct desk *d = three_hosts();
	desk_event(d, 20 * SECOND, "ping", "sw", "problem");
	const struct episode *sw = open_at(d, "sw");
	assert_false(silent_only(sw));
	assert_int_equal(sw->proven, LEVEL_DOWN);
	assert_ptr_equal(open_at(d, "h3")->parent, sw);
	desk_wait(d, MINUTE);
	assert_int_equal(d->n, 1);
	assert_int_equal(desk_incident(d, "sw")->tally.alerts, 4);
	desk_free(d);
}

static void explained_itself(void **state)
{
	(void)state;
	struct desk *d = three_hosts();
	desk_event(d, 20 * SECOND, "ping", "core", "problem");
	assert_ptr_equal(open_at(d, "sw")->parent, open_at(d, "core"));
	desk_wait(d, MINUTE);
	assert_int_equal(d->n, 1);
	assert_int_equal(desk_live(d), 1);
	desk_incident(d, "core");
	desk_free(d);
}

/* The hosts turn out to have another cause, one that says so itself. */
static void vanishes(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules,
	                          "version: 1\nservices:\n"
	                          "  sw: {kind: switch, hosts: [sw]}\n"
	                          "  ups: {kind: ups, hosts: [ups]}\n"
	                          "  h1: {hosts: [h1], needs: [sw, ups]}\n"
	                          "  h2: {hosts: [h2], needs: [sw, ups]}\n",
	                          true);
	desk_event(d, SECOND, "ping", "h1", "problem");
	desk_event(d, 2 * SECOND, "ping", "h2", "problem");
	desk_wait(d, 10 * SECOND);
	const char *guess = open_at(d, "h1")->parent->node->id,
	           *other = strcmp(guess, "sw") == 0 ? "ups" : "sw";
	desk_event(d, 20 * SECOND, "ping", other, "problem");
	assert_string_equal(open_at(d, "h1")->parent->node->id, other);
	assert_string_equal(open_at(d, "h2")->parent->node->id, other);
	desk_wait(d, MINUTE);
	assert_int_equal(d->n, 1);
	assert_int_equal(desk_live(d), 1);
	desk_restart(d);
	desk_free(d);
}

/* The order in which failures of one moment arrive decides nothing. */
static void any_order(void **state)
{
	(void)state;
	static const char *const hosts[] = {"h1", "h2", "h3", "far", "shop"};
	char first[5][32];
	for (size_t turn = 0; turn < ARRAY_LEN(hosts); turn++) {
		struct desk *d = desk_new(desk_rules, racks, false);
		for (size_t k = 0; k < ARRAY_LEN(hosts); k++)
			desk_event(d, SECOND, "ping", hosts[(k + turn) % ARRAY_LEN(hosts)], "problem");
		desk_wait(d, MINUTE);
		for (size_t k = 0; k < ARRAY_LEN(hosts); k++) {
			const struct episode *p = open_at(d, hosts[k])->parent;
			const char *id = p != NULL ? p->node->id : "-";
			if (turn == 0)
				snprintf(first[k], sizeof first[k], "%s", id);
			assert_string_equal(first[k], id);
		}
		assert_int_equal(desk_live(d), 2);
		desk_free(d);
	}
}

/* Thirty hosts are down in one moment, their services are not, and one probe watches them all. */
static void blind(void **state)
{
	(void)state;
	for (int hurt = 0; hurt < 2; hurt++) {
		struct buf map = {0};
		char host[8];
		buf_str(&map, "version: 1\nservices:\n  probe: {kind: host, hosts: [probe], hides: true}\n");
		for (int k = 0; k < 30; k++)
			buf_printf(
			    &map,
			    "  h%d: {kind: host, hosts: [h%d], needs: [{service: probe, effect: none}]}\n"
			    "  s%d: {hosts: [s%d], needs: [h%d]}\n",
			    k, k, k, k, k);
		struct desk *d = desk_new(desk_rules, buf_cstr(&map), true);
		for (int k = 0; k < 25; k++) {
			snprintf(host, sizeof host, "h%d", k);
			desk_event(d, SECOND + k * MSEC, "ping", host, "problem");
			snprintf(host, sizeof host, "s%d", k);
			if (hurt)
				desk_event(d, SECOND + k * MSEC, "ping", host, "problem");
		}
		desk_wait(d, MINUTE);
		if (hurt)
			assert_null(node_known(d->rig->engine, SLICE("probe"))->open);
		else
			assert_true(
			    desk_logged(desk_incident(d, "probe"),
			                "h3 <- probe: monitoring looks blind: 25 of 30 watched through it"));
		assert_int_equal(desk_live(d), hurt ? 25 : 1);
		desk_free(d);
		buf_free(&map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inferred),  cmocka_unit_test(not_for_two_strangers),
	    cmocka_unit_test(confirmed), cmocka_unit_test(explained_itself),
	    cmocka_unit_test(vanishes),  cmocka_unit_test(any_order),
	    cmocka_unit_test(blind),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
