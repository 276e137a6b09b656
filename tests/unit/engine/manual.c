/* What a person decides about members: merged and split incidents, their tickets, and that correlation lets
 * them be, also after a restart. */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static void merge(struct desk *d, const struct incident *from, const struct incident *into)
{
	char cmd[200];
	snprintf(cmd, sizeof cmd, "{\"do\":\"merge\",\"id\":\"%s\",\"into\":\"%s\",\"by\":\"ann\"}",
	         from->id_text, into->id_text);
	desk_command(d, cmd);
}

static void split(struct desk *d, const struct incident *i, const char *service)
{
	char cmd[200], id[27] = "";
	const struct episode *ep;
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		if (strcmp(ep->node->id, service) == 0)
			ulid_text(&ep->alerts[0]->id, id);
	assert_string_not_equal(id, "");
	snprintf(cmd, sizeof cmd, "{\"do\":\"split\",\"id\":\"%s\",\"alerts\":[\"%s\"],\"by\":\"ann\"}",
	         i->id_text, id);
	desk_command(d, cmd);
}

static bool said(struct desk *d, const char *text)
{
	return strstr(buf_cstr(&d->rig->fx.reply), text) != NULL;
}

static struct incident *by_id(struct desk *d, const char *id)
{
	struct incident *i;
	TAILQ_FOREACH (i, &d->rig->engine->correlation->incidents, all)
		if (strcmp(i->id_text, id) == 0)
			return i;
	return NULL;
}

static struct incident *home(struct desk *d, const char *service)
{
	const struct map_node *n = node_known(d->rig->engine, slice_str(service));
	assert_non_null(n);
	assert_non_null(n->open);
	return n->open->incident;
}

static void merged_by_hand(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "array", "problem");
	desk_event(d, 5 * MINUTE, "ping", "lone-1", "problem");
	desk_wait(d, 10 * MINUTE);
	struct incident *a = desk_incident(d, "array"), *b = desk_incident(d, "lone-1");
	assert_int_equal(d->n, 2);
	merge(d, b, a);
	desk_wait(d, 12 * MINUTE);
	assert_int_equal(b->state, INCIDENT_MERGED);
	assert_ptr_equal(home(d, "lone-1"), a);
	assert_true(desk_logged(a, "lone-1 <- array: merged by ann"));
	assert_true(desk_logged(b, "by ann"));
	assert_true(desk_ticket(d, a->key)->open);
	assert_false(desk_ticket(d, b->key)->open);
	merge(d, b, a); /* it is over for that one */
	assert_true(said(d, "\"status\":409"));
	merge(d, a, a);
	assert_true(said(d, "the same incident"));
	desk_event(d, 13 * MINUTE, "ping", "lone-1", "problem");
	desk_event(d, 13 * MINUTE, "http", "lone-1", "problem"); /* other evidence of the same spell */
	desk_wait(d, 14 * MINUTE);
	assert_ptr_equal(home(d, "lone-1"), a);
	assert_int_equal(a->tally.alerts, 3);
	desk_free(d);
}

static void both_clear(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "array", "problem");
	desk_event(d, 5 * MINUTE, "ping", "lone-1", "problem");
	desk_wait(d, 10 * MINUTE);
	char id[27];
	struct incident *a = desk_incident(d, "array");
	memcpy(id, a->id_text, sizeof id);
	merge(d, desk_incident(d, "lone-1"), a);
	desk_restart(d);
	a = by_id(d, id);
	desk_event(d, 11 * MINUTE, "ping", "array", "clear");
	desk_wait(d, 20 * MINUTE);
	assert_int_equal(a->state, INCIDENT_OPEN); /* the other one still fails */
	desk_event(d, 21 * MINUTE, "ping", "lone-1", "clear");
	desk_wait(d, 25 * MINUTE);
	assert_int_equal(a->state, INCIDENT_RESOLVED);
	desk_free(d);
}

/* sw1 takes db-a and the API with it; a person knows that the database has a fault of its own. */
static void split_by_hand(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, SECOND, "ping", "db-a", "problem");
	desk_event(d, 2 * SECOND, "ping", "api", "problem");
	desk_wait(d, 3 * MINUTE);
	struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(d->n, 1);
	assert_ptr_equal(home(d, "db-a"), i);
	split(d, i, "db-a");
	struct incident *n = home(d, "db-a");
	assert_ptr_not_equal(n, i);
	assert_int_equal(n->state, INCIDENT_OPEN);
	assert_ptr_equal(home(d, "api"), i);
	assert_true(desk_logged(n, "split off by ann"));
	assert_true(desk_logged(i, "a part left"));
	assert_string_equal(n->previous_id, i->id_text);
	desk_event(d, 4 * MINUTE, "http", "db-a", "problem"); /* makes it search again */
	desk_event(d, 4 * MINUTE, "http", "sw1", "problem");
	desk_wait(d, 6 * MINUTE);
	assert_int_equal(d->n, 2);
	desk_restart(d);
	desk_event(d, 7 * MINUTE, "ping", "shop", "problem");
	desk_wait(d, 9 * MINUTE);
	assert_ptr_not_equal(home(d, "db-a"), home(d, "sw1"));
	assert_ptr_equal(home(d, "checkout"), home(d, "sw1"));
	assert_int_equal(d->n, 2);
	desk_free(d);
}

/* The root itself is something else: what it explained stays together under the oldest of them. */
static void split_root(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, SECOND, "ping", "db-a", "problem");
	desk_event(d, 2 * SECOND, "ping", "api", "problem");
	desk_event(d, 3 * SECOND, "ping", "shop", "problem");
	desk_wait(d, 3 * MINUTE);
	struct incident *i = desk_incident(d, "sw1");
	split(d, i, "sw1");
	desk_wait(d, 5 * MINUTE);
	assert_ptr_not_equal(home(d, "sw1"), i);
	assert_string_equal(i->root_id, "db-a");
	assert_ptr_equal(home(d, "api"), i);
	assert_ptr_equal(home(d, "checkout"), i);
	assert_int_equal(d->n, 2);
	split(d, home(d, "sw1"), "sw1");
	assert_true(said(d, "that is all of it"));
	desk_free(d);
}

static void of_a_group(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "login", "one", "problem");
	desk_event(d, SECOND, "login", "two", "problem");
	desk_event(d, SECOND, "ping", "array", "problem");
	desk_wait(d, 3 * MINUTE);
	struct incident *a = desk_incident(d, "one"), *b = desk_incident(d, "two");
	merge(d, a, desk_incident(d, "array"));
	assert_true(said(d, "grouped by the map"));
	merge(d, b, a);
	desk_wait(d, 4 * MINUTE);
	assert_int_equal(b->state, INCIDENT_MERGED);
	assert_int_equal(a->n_alerts, 2);
	assert_int_equal(a->tally.alerts_open, 2);
	desk_event(d, 5 * MINUTE, "login", "one", "clear");
	desk_wait(d, 6 * MINUTE);
	assert_int_equal(a->state, INCIDENT_OPEN);
	char cmd[200], id[27];
	ulid_text(&a->alerts[1]->id, id);
	snprintf(cmd, sizeof cmd, "{\"do\":\"split\",\"id\":\"%s\",\"alerts\":[\"%.20s\"]}", a->id_text, id);
	desk_command(d, cmd);
	desk_restart(d);
	desk_wait(d, 10 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	desk_free(d);
}

static void refused(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "array", "problem");
	desk_wait(d, 3 * MINUTE);
	char cmd[200];
	const struct incident *i = desk_incident(d, "array");
	static const char *const bad[] = {"\"do\":\"merge\"",
	                                  "\"do\":\"merge\",\"into\":\"ZZZZZZZ\"",
	                                  "\"do\":\"split\"",
	                                  "\"do\":\"split\",\"alerts\":[]",
	                                  "\"do\":\"split\",\"alerts\":[\"ZZZZZZ\"]",
	                                  "\"do\":\"split\",\"alerts\":[7,null]"};
	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		snprintf(cmd, sizeof cmd, "{%s,\"id\":\"%s\"}", bad[k], i->id_text);
		desk_command(d, cmd);
		assert_true(said(d, "\"ok\":false"));
	}
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(merged_by_hand), cmocka_unit_test(both_clear), cmocka_unit_test(split_by_hand),
	    cmocka_unit_test(split_root),     cmocka_unit_test(of_a_group), cmocka_unit_test(refused),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
