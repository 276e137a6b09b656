/* Incidents from events on virtual time: one per fault, with its root, its name and its life. */
#include "desk.h"

#include <stdio.h>

#include "base/log.h"

static struct desk *plain(void)
{
	return desk_new(desk_rules, desk_map, false);
}

static void dead_switch(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "http", "shop", "problem");
	desk_event(d, 5 * SECOND, "http", "api", "problem");
	desk_event(d, 8 * SECOND, "ping", "db-a", "problem");
	desk_event(d, 12 * SECOND, "ping", "sw1", "problem");
	desk_wait(d, 34 * SECOND);
	assert_int_equal(desk_live(d), 0);
	desk_wait(d, 60 * SECOND);
	assert_int_equal(desk_live(d), 1);
	const struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(i->state, INCIDENT_OPEN);
	assert_string_equal(i->title, "checkout down: sw1");
	assert_int_equal(i->priority, 1);
	assert_string_equal(i->assign, "NETWORK");
	assert_int_equal(i->tally.alerts, 4);
	assert_string_equal(impact_word(i), "high");
	assert_string_equal(urgency_word(i), "high");
	assert_true(desk_logged(i, "db-a <- sw1: depends on sw1 (1 hop, hard), sw1 down 4s later"));
	assert_true(desk_logged(i, "api: joined: needs sw1, down since 2026-01-05T00:00:12Z"));
	desk_free(d);
}

static void redundancy_holds(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "db-b", "problem");
	desk_event(d, 5 * SECOND, "http", "api", "problem");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	const struct incident *db = desk_incident(d, "db-b"), *api = desk_incident(d, "api");
	assert_string_equal(db->title, "db-b down (redundancy holds: {db-a, db-b} 1 of 2 left)");
	assert_int_equal(db->priority, 4);
	assert_int_equal(db->n_hurts, 0);
	assert_string_equal(api->title, "checkout degraded: api");
	assert_true(
	    desk_logged(api, "api: not explained by db-b: group {db-a, db-b} holds (1 of 2, need 1)"));
	char line[160];
	snprintf(line, sizeof line, "not grouped with %s: group {db-a, db-b} holds (1 of 2, need 1)",
	         db->id_text);
	assert_true(desk_logged(api, line));
	desk_free(d);
}

static void slow_array_explains_no_dead_mail(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "http", "array", "problem");
	desk_event(d, 2 * SECOND, "ping", "mail", "problem");
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	assert_int_equal(desk_incident(d, "array")->tally.alerts, 1);
	assert_int_equal(desk_incident(d, "mail")->tally.alerts, 1);
	desk_free(d);
}

static void silent_hop_is_passed(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "mail", "problem");
	desk_event(d, 3 * SECOND, "ping", "array", "problem");
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 1);
	const struct incident *i = desk_incident(d, "array");
	assert_true(desk_logged(i, "mail <- array: depends on array (2 hops, hard), array down 3s later"));
	assert_string_equal(i->title, "mail down: array");
	desk_free(d);
}

static void last_lost_is_blamed(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "pod-a", "problem");
	desk_event(d, 2 * MINUTE, "ping", "pod-b", "problem");
	desk_event(d, 2 * MINUTE + 3 * SECOND, "ping", "web", "problem");
	desk_wait(d, 4 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	const struct incident *a = desk_incident(d, "pod-a"), *b = desk_incident(d, "pod-b");
	assert_int_equal(a->tally.alerts, 1);
	assert_int_equal(b->tally.alerts, 2);
	assert_string_equal(b->title, "web down: pod-b");
	assert_true(desk_logged(
	    b, "web <- pod-b: via broken group {pod-a, pod-b} (0 of 2 up, need 1; last lost pod-b)"));
	desk_free(d);
}

/* Two tickets are open when the common cause turns up: one goes on, the other is a duplicate of it. */
static void merge_after_opening(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	d->rig->config->correlation.prior = 0; /* no guesses: else sw1 is inferred before it is reported */
	desk_event(d, 0, "ping", "db-a", "problem");
	desk_event(d, SECOND, "ping", "api", "problem");
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 2);
	assert_int_equal(d->n, 2);
	const struct incident *api = desk_incident(d, "api"), *db = desk_incident(d, "db-a");
	char key[2][64];
	snprintf(key[0], sizeof key[0], "%s", db->key);
	snprintf(key[1], sizeof key[1], "%s", api->key);
	desk_event(d, 70 * SECOND, "ping", "sw1", "problem");
	assert_int_equal(desk_live(d), 1);
	assert_int_equal(desk_count(d, INCIDENT_MERGED), 1);
	const struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(i->tally.alerts, 3);
	assert_true(desk_logged(i, "root is now sw1"));
	desk_wait(d, 5 * MINUTE);
	assert_int_equal(d->n, 2);
	assert_int_equal(desk_ticket(d, key[0])->open + desk_ticket(d, key[1])->open, 1);
	assert_true(desk_ticket(d, i->key)->open);
	assert_int_equal(desk_ticket(d, i->key)->updates, 1);
	assert_string_equal(desk_ticket(d, i->key)->title, "checkout down: sw1");
	for (int k = 0; k < 2; k++)
		if (strcmp(key[k], i->key) != 0)
			assert_int_equal(desk_ticket(d, key[k])->notes, 1);
	desk_free(d);
}

static void merge_before_opening_is_silent(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "db-a", "problem");
	desk_event(d, SECOND, "ping", "api", "problem");
	assert_int_equal(desk_count(d, INCIDENT_GATHERING), 2);
	desk_event(d, 2 * SECOND, "ping", "sw1", "problem");
	assert_int_equal(desk_count(d, INCIDENT_GATHERING), 1);
	assert_int_equal(desk_count(d, INCIDENT_MERGED), 1);
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(d->n, 1);
	desk_free(d);
}

/* The first explanation turns out to be the smaller part: what has a better parent leaves. */
static void split_to_a_better_parent(void **state)
{
	static const char map[] =
	    "version: 1\nservices:\n  a: {kind: db, hosts: [a]}\n  b: {kind: db, hosts: [b]}\n"
	    "  mid: {hosts: [mid], needs: [a]}\n  top: {tier: 1, hosts: [top], needs: [mid, b]}\n";
	(void)state;
	struct desk *d = desk_new(desk_rules, map, false);
	desk_event(d, 0, "ping", "a", "problem");
	desk_event(d, 5 * SECOND, "ping", "top", "problem");
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_int_equal(desk_incident(d, "a")->tally.alerts, 2);
	desk_event(d, 62 * SECOND, "ping", "b", "problem");
	desk_wait(d, 2 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	assert_int_equal(desk_incident(d, "a")->tally.alerts, 1);
	assert_int_equal(desk_incident(d, "b")->tally.alerts, 2);
	assert_true(desk_logged(desk_incident(d, "a"), "a part left: it is explained by b"));
	desk_free(d);
}

static void re_root_keeps_the_incident(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "filer", "problem");
	desk_event(d, SECOND, "ping", "mail", "problem");
	desk_wait(d, MINUTE);
	const struct incident *i = desk_incident(d, "filer");
	uint64_t serial = i->serial;
	char key[64];
	snprintf(key, sizeof key, "%s", i->key);
	desk_event(d, 70 * SECOND, "ping", "array", "problem");
	i = desk_incident(d, "array");
	assert_int_equal(i->serial, serial);
	assert_string_equal(i->key, key);
	assert_string_equal(i->title, "mail down: array");
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
}

static const char net_map[] = "version: 1\nservices:\n"
                              "  core: {kind: router, hosts: [core]}\n"
                              "  edge: {kind: switch, hosts: [edge], needs: [l1]}\n"
                              "  l1:   {kind: link, ends: [{host: core, port: p1}, {host: edge, port: up}]}\n"
                              "  app:  {tier: 2, hosts: [app], needs: [edge]}\n"
                              "  back: {kind: db, hosts: [back]}\n";

static const char net_rules[] =
    "version: 1\npackage: t\nrules:\n"
    "  port:  {summary: port down, match: {check: port}, by: [host, port], effect: down, severity: major}\n"
    "  reach: {summary: no answer, match: {check: ping}, effect: down, severity: critical}\n"
    "  refused: {summary: refused, match: {check: refused}, effect: degraded, severity: major}\n";

/* A dead device takes its link along; a link is no cause of the device at its end, but the way to the far
 * one. */
static void links_and_devices(void **state)
{
	(void)state;
	struct desk *d = desk_new(net_rules, net_map, false);
	assert_true(
	    rig_event(d->rig, 0, "check", "port", "host", "core", "port", "p1", "state", "problem", NULL));
	desk_event(d, SECOND, "ping", "edge", "problem");
	desk_wait(d, 40 * SECOND);
	assert_int_equal(desk_live(d), 1);
	const struct incident *i = desk_incident(d, "edge");
	assert_true(desk_logged(i, "l1 <- edge: link of the dead edge, edge down 1s later"));
	desk_event(d, 50 * SECOND, "ping", "core", "problem");
	assert_int_equal(desk_live(d), 1);
	i = desk_incident(d, "core");
	assert_true(desk_logged(i, "edge <- core: depends on core (2 hops, hard), core down 49s later"));
	assert_string_equal(i->title, "app down: core");
	desk_free(d);
}

/* The map does not know that app needs back, but its log line says so. */
static void learned_edge(void **state)
{
	(void)state;
	struct desk *d = desk_new(net_rules, net_map, false);
	desk_event(d, 0, "ping", "back", "problem");
	desk_wait(d, SECOND);
	assert_true(rig_event(d->rig, 2 * SECOND, "check", "refused", "host", "app", "peer", "back", "state",
	                      "problem", NULL));
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_true(desk_logged(
	    desk_incident(d, "back"),
	    "app <- back: its log line names back (learned edge, please confirm), back down 2s earlier"));
	desk_free(d);
}

static void short_trouble_is_transient(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "lone-1", "problem");
	desk_event(d, 10 * SECOND, "ping", "lone-1", "clear");
	desk_wait(d, 109 * SECOND);
	assert_int_equal(desk_count(d, INCIDENT_GATHERING), 1);
	desk_wait(d, 111 * SECOND);
	assert_int_equal(desk_count(d, INCIDENT_TRANSIENT), 1);
	assert_int_equal(d->n, 0);
	desk_wait(d, 2 * HOUR);
	assert_int_equal(desk_count(d, INCIDENT_TRANSIENT), 0);
	assert_null(TAILQ_FIRST(&d->rig->engine->correlation->episodes));
	desk_free(d);
}

static void clears_and_comes_back(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, 5 * MINUTE, "ping", "sw1", "clear");
	struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(i->state, INCIDENT_CLEARING);
	desk_event(d, 6 * MINUTE, "ping", "sw1", "problem");
	assert_int_equal(i->state, INCIDENT_OPEN);
	desk_event(d, 7 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 7 * MINUTE + 99 * SECOND);
	assert_int_equal(i->state, INCIDENT_CLEARING);
	desk_wait(d, 7 * MINUTE + 101 * SECOND);
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_false(desk_ticket(d, i->key)->open);
	desk_event(d, 20 * MINUTE, "ping", "sw1", "problem"); /* within reopen_within */
	assert_ptr_equal(desk_incident(d, "sw1"), i);
	assert_int_equal(i->state, INCIDENT_OPEN);
	assert_int_equal(d->n, 1);
	assert_true(desk_ticket(d, i->key)->open);
	desk_event(d, 21 * MINUTE, "ping", "sw1", "clear");
	desk_wait(d, 40 * MINUTE);
	assert_int_equal(i->state, INCIDENT_CLOSED);
	desk_event(d, 41 * MINUTE, "ping", "sw1", "problem");
	desk_wait(d, 42 * MINUTE);
	assert_ptr_not_equal(desk_incident(d, "sw1"), i);
	assert_int_equal(d->n, 2);
	assert_string_not_equal(d->v[0].key, d->v[1].key);
	desk_free(d);
}

static void flaps_are_one_episode(void **state)
{
	(void)state;
	struct desk *d = plain();
	d->rig->config->defaults.flap_changes = 0; /* the alerts themselves are not held open */
	for (int k = 0; k < 6; k++) {
		desk_event(d, k * 3 * MINUTE / 2, "ping", "lone-1", "problem");
		desk_event(d, k * 3 * MINUTE / 2 + 10 * SECOND, "ping", "lone-1", "clear");
	}
	const struct incident *i = desk_incident(d, "lone-1");
	assert_int_equal(i->tally.episodes, 1);
	assert_int_equal(desk_live(d), 1);
	/* 2.2 times the debounce after four closings: still not over at 200 s after the last one */
	desk_wait(d, 5 * 3 * MINUTE / 2 + 210 * SECOND);
	assert_int_equal(i->state, INCIDENT_CLEARING);
	desk_free(d);
}

/* The switch comes back and fails again while what hangs on it is still bad: the same matter. */
static void second_spell_of_the_root(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, SECOND, "ping", "db-a", "problem");
	desk_wait(d, MINUTE);
	const struct incident *i = desk_incident(d, "sw1");
	desk_event(d, 2 * MINUTE, "ping", "sw1", "clear");
	desk_event(d, 6 * MINUTE, "ping", "sw1", "problem");
	desk_wait(d, 8 * MINUTE);
	assert_ptr_equal(desk_incident(d, "sw1"), i);
	assert_int_equal(i->tally.episodes, 3);
	assert_int_equal(desk_live(d), 1);
	desk_free(d);
}

static void risk_stands_alone(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "disk", "db-a", "problem");
	desk_event(d, SECOND, "ping", "api", "problem");
	desk_wait(d, 5 * MINUTE);
	assert_int_equal(desk_live(d), 2);
	const struct incident *i = desk_incident(d, "db-a");
	assert_int_equal(i->priority, 4);
	assert_string_equal(i->title, "db-a at risk: disk of db-a fills");
	desk_free(d);
}

static void unmapped_names_are_nodes(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "stranger", "problem");
	desk_event(d, SECOND, "http", "stranger", "problem");
	desk_wait(d, MINUTE);
	const struct incident *i = desk_incident(d, "stranger");
	assert_int_equal(i->tally.alerts, 2);
	assert_int_equal(i->tally.episodes, 1);
	assert_string_equal(i->title, "stranger down");
	desk_free(d);
}

static void other_groups(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "login", "lone-1", "problem");
	desk_event(d, SECOND, "login", "db-a", "problem");
	desk_wait(d, 2 * SECOND);
	assert_true(rig_event(d->rig, 3 * SECOND, "check", "site", "host", "x1", "app", "berlin", NULL));
	assert_true(rig_event(d->rig, 4 * SECOND, "check", "site", "host", "x2", "app", "berlin", NULL));
	desk_wait(d, 20 * SECOND);
	assert_int_equal(desk_live(d), 1); /* wait: 10s */
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 3);
	assert_string_equal(desk_incident(d, "db-a")->title, "login of db-a");
	desk_event(d, 2 * MINUTE, "login", "db-a", "clear");
	desk_wait(d, 4 * MINUTE);
	assert_int_equal(desk_incident(d, "db-a")->state, INCIDENT_RESOLVED);
	desk_event(d, 5 * MINUTE, "login", "db-a", "problem");
	assert_int_equal(desk_incident(d, "db-a")->state, INCIDENT_OPEN);
	desk_free(d);
}

static void missing_clears_expire(void **state)
{
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, SECOND, "ping", "db-a", "problem");
	desk_event(d, 2 * SECOND, "ping", "api", "problem");
	desk_wait(d, MINUTE);
	desk_event(d, 2 * MINUTE, "ping", "sw1", "clear");
	desk_event(d, 2 * MINUTE, "ping", "db-a", "clear");
	desk_wait(d, 9 * MINUTE);
	const struct incident *i = desk_incident(d, "sw1");
	assert_int_equal(i->state, INCIDENT_OPEN);
	desk_wait(d, 14 * MINUTE);
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_true(desk_logged(i, "1 alerts closed: nothing new on them"));
	desk_free(d);
}

static void commands(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_wait(d, MINUTE);
	struct incident *i = desk_incident(d, "sw1");
	char cmd[200];
	snprintf(cmd, sizeof cmd, "{\"do\":\"ack\",\"id\":\"%.12s\",\"by\":\"ann\"}", i->id_text);
	desk_command(d, cmd);
	assert_int_equal(i->state, INCIDENT_ACKED);
	snprintf(cmd, sizeof cmd, "{\"do\":\"note\",\"id\":\"%s\",\"by\":\"ann\",\"text\":\"on it\"}",
	         i->id_text);
	desk_command(d, cmd);
	desk_wait(d, 3 * MINUTE);
	assert_int_equal(d->v[0].notes, 1);
	snprintf(cmd, sizeof cmd, "{\"do\":\"resolve\",\"id\":\"%s\",\"by\":\"ann\",\"text\":\"cable\"}",
	         i->id_text);
	desk_command(d, cmd);
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_false(d->v[0].open);
	desk_event(d, 4 * MINUTE, "ping", "sw1", "problem"); /* a repeat: the person is believed */
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	desk_event(d, 5 * MINUTE, "ping", "sw1", "clear");
	desk_event(d, 6 * MINUTE, "ping", "sw1", "problem"); /* a new problem after a clear */
	assert_int_equal(i->state, INCIDENT_OPEN);
	assert_true(d->v[0].open);
	desk_command(d, "{\"do\":\"ack\",\"id\":\"ZZZZZZZZ\"}");
	assert_non_null(strstr(buf_cstr(&d->rig->fx.reply), "\"status\":404"));
	desk_free(d);
}

static void new_map_binds_again(void **state)
{
	static const char map[] = "version: 1\nservices:\n  core: {kind: router, hosts: [core]}\n"
	                          "  lone-1: {kind: host, hosts: [lone-1], needs: [core]}\n"
	                          "  stranger: {kind: host, hosts: [stranger], needs: [core]}\n";
	(void)state;
	struct desk *d = plain();
	desk_event(d, 0, "ping", "lone-1", "problem");
	desk_event(d, SECOND, "ping", "stranger", "problem");
	desk_event(d, 2 * SECOND, "ping", "core", "problem");
	desk_wait(d, 5 * SECOND);
	assert_int_equal(desk_count(d, INCIDENT_GATHERING), 3);
	struct rig *other = rig_with_map(desk_rules, map);
	struct engine_setup s = {d->rig->config, d->rig->rules, other->map, NULL};
	desk_input(d, INPUT_MAP, SLICE_NONE, &s);
	desk_wait(d, MINUTE);
	assert_int_equal(desk_live(d), 1);
	assert_int_equal(desk_incident(d, "core")->tally.alerts, 3);
	struct engine_setup back = {d->rig->config, d->rig->rules, d->rig->map, NULL};
	desk_input(d, INPUT_MAP, SLICE_NONE, &back);
	desk_wait(d, 2 * MINUTE);
	rig_restart(d->rig);
	rig_free(other);
	desk_free(d);
}

static void view_count(void *arg, const struct engine_view *v)
{
	size_t *n = arg;
	struct arena *a = arena_new(0);
	struct error err;
	if (v->json.p != NULL)
		assert_non_null(json_parse(a, v->json, JSON_LIMITS, NULL, &err));
	n[v->kind]++;
	arena_free(a);
}

static void views(void **state)
{
	(void)state;
	struct desk *d = plain();
	size_t n[8] = {0};
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, SECOND, "ping", "db-a", "problem");
	desk_wait(d, MINUTE);
	correlation_views(d->rig->engine, false, view_count, n);
	assert_int_equal(n[2], 1);
	assert_true(n[3] >= 4);
	assert_int_equal(n[5], 2);
	memset(n, 0, sizeof n);
	correlation_views(d->rig->engine, false, view_count, n);
	assert_int_equal(n[2] + n[3] + n[5], 0);
	correlation_views(d->rig->engine, true, view_count, n);
	assert_int_equal(n[2], 1);
	assert_int_equal(n[5], 2);
	desk_free(d);
}

static void try_load(struct desk *d, struct buf *bytes)
{
	struct engine_setup s = {d->rig->config, d->rig->rules, d->rig->map, NULL};
	struct error err;
	uint32_t crc = crc32c(0, bytes->p, bytes->n);
	buf_add(bytes, &crc, sizeof crc);
	engine_free(engine_load(&s, buf_slice(bytes), &err)); /* loaded or refused: never a crash */
	buf_free(bytes);
}

/* The checksum keeps damage out; should it ever fit, nothing worse than a refusal may follow. */
static void damaged_state_is_refused(void **state)
{
	(void)state;
	struct desk *d = desk_new(desk_rules, desk_map, true);
	desk_event(d, 0, "ping", "sw1", "problem");
	desk_event(d, SECOND, "login", "api", "problem");
	desk_event(d, SECOND, "ping", "stranger", "problem");
	desk_wait(d, MINUTE);
	struct buf good = rig_saved(d->rig);
	for (size_t at = 28; at < good.n - 4; at += 11) {
		struct buf flipped = {0}, cut = {0};
		buf_add(&flipped, good.p, good.n - 4);
		flipped.p[at] = (char)(flipped.p[at] ^ (at % 2 == 0 ? 0xff : 1));
		try_load(d, &flipped);
		buf_add(&cut, good.p, at);
		try_load(d, &cut);
	}
	buf_free(&good);
	desk_free(d);
}

static void table(void **state)
{
	(void)state;
	assert_true(incident_state_allowed(INCIDENT_GATHERING, INCIDENT_OPEN));
	assert_true(incident_state_allowed(INCIDENT_CLEARING, INCIDENT_ACKED));
	assert_true(incident_state_allowed(INCIDENT_RESOLVED, INCIDENT_OPEN));
	assert_false(incident_state_allowed(INCIDENT_GATHERING, INCIDENT_RESOLVED));
	assert_false(incident_state_allowed(INCIDENT_CLOSED, INCIDENT_OPEN));
	assert_false(incident_state_allowed(INCIDENT_RESOLVED, INCIDENT_MERGED));
	assert_false(incident_state_allowed(INCIDENT_OPEN, INCIDENT_OPEN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dead_switch),
	    cmocka_unit_test(redundancy_holds),
	    cmocka_unit_test(slow_array_explains_no_dead_mail),
	    cmocka_unit_test(silent_hop_is_passed),
	    cmocka_unit_test(last_lost_is_blamed),
	    cmocka_unit_test(merge_after_opening),
	    cmocka_unit_test(merge_before_opening_is_silent),
	    cmocka_unit_test(split_to_a_better_parent),
	    cmocka_unit_test(re_root_keeps_the_incident),
	    cmocka_unit_test(links_and_devices),
	    cmocka_unit_test(learned_edge),
	    cmocka_unit_test(short_trouble_is_transient),
	    cmocka_unit_test(clears_and_comes_back),
	    cmocka_unit_test(flaps_are_one_episode),
	    cmocka_unit_test(second_spell_of_the_root),
	    cmocka_unit_test(risk_stands_alone),
	    cmocka_unit_test(unmapped_names_are_nodes),
	    cmocka_unit_test(other_groups),
	    cmocka_unit_test(missing_clears_expire),
	    cmocka_unit_test(commands),
	    cmocka_unit_test(new_map_binds_again),
	    cmocka_unit_test(views),
	    cmocka_unit_test(damaged_state_is_refused),
	    cmocka_unit_test(table),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
