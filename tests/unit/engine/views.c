/* Rows written as things change are the rows of a full look: nothing that ended stays behind, nothing is
 * missing. */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

struct row {
	int kind;
	char *id, *state, *json;
};

struct table {
	struct row *v;
	size_t n, cap;
};

static struct row *row_of(struct table *t, int kind, struct slice id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].kind == kind && slice_is(id, t->v[i].id))
			return &t->v[i];
	return NULL;
}

static void row_clear(struct row *r)
{
	free(r->id);
	free(r->state);
	free(r->json);
}

static void take(void *arg, const struct engine_view *v)
{
	struct table *t = arg;
	struct row *r = row_of(t, v->kind, v->id);
	if (r != NULL) {
		row_clear(r);
		*r = t->v[--t->n];
	}
	if (v->json.p == NULL)
		return;
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = (struct row){v->kind, slice_dup(v->id), slice_dup(v->state), slice_dup(v->json)};
}

static void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		row_clear(&t->v[i]);
	free(t->v);
	*t = (struct table){0};
}

static bool is_history(const struct row *r)
{
	static const char *const states[] = {"closed", "transient", "merged"};
	if (r->kind == 3)
		return true; /* lines of an incident that is history */
	for (size_t i = 0; i < ARRAY_LEN(states) && r->kind <= 2; i++)
		if (strcmp(r->state, states[i]) == 0)
			return true;
	return false;
}

static void show(const struct row *a, const struct row *b)
{
	size_t at = 0;
	while (b != NULL && a->json[at] == b->json[at])
		at++;
	at = at > 40 ? at - 40 : 0;
	print_message("kind %d id %s\nall:  %.200s\nkept: %.200s\n", a->kind, a->id, a->json + at,
	              b != NULL ? b->json + at : "(none)");
}

static void compare(struct desk *d, struct table *kept)
{
	struct table all = {0};
	engine_views(d->rig->engine, false, take, kept);
	engine_views(d->rig->engine, true, take, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct row *a = &all.v[i], *b = row_of(kept, a->kind, slice_str(a->id));
		if (b == NULL || (!is_history(a) && strcmp(a->json, b->json) != 0))
			show(a, b);
		assert_non_null(b);
		assert_string_equal(a->state, b->state);
		if (!is_history(a)) /* that one stays as it was, whatever the map says now */
			assert_string_equal(a->json, b->json);
	}
	for (size_t i = 0; i < kept->n; i++) {
		const struct row *r = &kept->v[i];
		if (row_of(&all, r->kind, slice_str(r->id)) != NULL)
			continue;
		if (!is_history(r))
			print_message("left behind: kind %d id %s %s %s\n", r->kind, r->id, r->state,
			              r->json);
		assert_true(is_history(r));
	}
	table_free(&all);
}

static enum desk_fault sometimes(struct desk *d, const struct ticket_op *op)
{
	static const enum desk_fault kinds[] = {DESK_DONE,     DESK_DONE,     DESK_DONE, DESK_LOST_REPLY,
	                                        DESK_NOT_DONE, DESK_THROTTLE, DESK_AUTH, DESK_REFUSE};
	(void)op;
	return kinds[desk_random(d) % ARRAY_LEN(kinds)];
}

/* A merge into any other, or some member taken out. */
static void random_members(struct desk *d, const struct incident *i)
{
	char text[200], id[27];
	const struct incident *other, *into = NULL;
	const struct episode *ep, *out = TAILQ_FIRST(&i->episodes);
	TAILQ_FOREACH (other, &d->rig->engine->correlation->incidents, all)
		if (into == NULL || desk_random(d) % 3 == 0)
			into = other;
	snprintf(text, sizeof text, "{\"do\":\"merge\",\"id\":\"%s\",\"into\":\"%s\"}", i->id_text, into->id_text);
	if (desk_random(d) % 3 == 0) {
		desk_command(d, text);
		return;
	}
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		out = desk_random(d) % 2 ? ep : out;
	const struct alert *a = i->n_alerts > 0                    ? i->alerts[i->n_alerts - 1]
	                        : out != NULL && out->n_alerts > 0 ? out->alerts[0]
	                                                           : NULL;
	if (a == NULL)
		return;
	ulid_text(&a->id, id);
	snprintf(text, sizeof text, "{\"do\":\"split\",\"id\":\"%s\",\"alerts\":[\"%s\"]}", i->id_text, id);
	desk_command(d, text);
}

static void random_command(struct desk *d)
{
	static const char *const words[] = {"ack", "unack", "resolve", "reopen", "note"};
	char text[160];
	const struct incident *i, *hit = NULL;
	TAILQ_FOREACH (i, &d->rig->engine->correlation->incidents, all)
		if (hit == NULL || desk_random(d) % 3 == 0)
			hit = i;
	if (hit == NULL)
		return;
	snprintf(text, sizeof text, "{\"do\":\"%s\",\"id\":\"%s\",\"by\":\"eve\",\"text\":\"x\"}",
	         words[desk_random(d) % ARRAY_LEN(words)], hit->id_text);
	desk_command(d, text);
	random_members(d, hit);
}

/* As core does: what lives is written anew, history stays. */
static void restart(struct desk *d, struct table *kept)
{
	desk_restart(d);
	for (size_t i = kept->n; i-- > 0;) {
		if (is_history(&kept->v[i]))
			continue;
		row_clear(&kept->v[i]);
		kept->v[i] = kept->v[--kept->n];
	}
	engine_views(d->rig->engine, true, take, kept);
}

static void disturb(struct desk *d, struct table *kept)
{
	switch (desk_random(d) % 40) {
	case 0: rig_remap(d->rig, d->at, desk_map); break;
	case 1:
		rig_remap(d->rig, d->at,
		          "version: 1\nservices:\n  b: {needs: [api]}\n  api: {tier: 1, hosts: [api, other], "
		          "needs: [sw1, web]}\n  sw1: {kind: switch}\n  web: {needs: [api]}\n");
		break;
	case 2: rig_reload(d->rig, d->at, desk_rules); break;
	case 3:
		rig_reload(d->rig, d->at,
		           "version: 1\npackage: t\nrules:\n"
		           "  lone: {summary: other, match: {check: login}, mode: trial}\n"
		           "  unreachable: {summary: other, match: {check: ping}, effect: down}\n");
		break;
	case 4: restart(d, kept); break;
	case 5:
	case 6:
	case 7: random_command(d); break;
	default: break;
	}
}

static void life(uint64_t seed)
{
	static const char *const hosts[] = {"sw1", "db-a",  "db-b",  "api",  "shop",
	                                    "web", "array", "filer", "mail", "other"};
	static const char *const checks[] = {"ping", "ping", "http", "disk", "login", "site"};
	struct desk *d = desk_new(desk_rules, desk_map, true);
	struct table kept = {0};
	uint64_t before = doubts();
	d->fault = sometimes;
	d->random = seed * 2654435761u + 88172645463325252u;
	for (int k = 0; k < 150; k++) {
		const char *host = hosts[desk_random(d) % ARRAY_LEN(hosts)],
		           *check = checks[desk_random(d) % ARRAY_LEN(checks)];
		duration later =
		    desk_random(d) % 25 == 0 ? 20 * MINUTE : (duration)(desk_random(d) % 50) * SECOND;
		desk_wait(d, d->at + later);
		rig_event(d->rig, d->at, "check", check, "host", host, "app", "a", "state",
		          desk_random(d) % 2 ? "problem" : "clear", NULL);
		desk_wait(d, d->at);
		disturb(d, &kept);
		assert_int_equal(doubts(), before);
		if (desk_random(d) % 4 == 0)
			compare(d, &kept);
	}
	compare(d, &kept);
	table_free(&kept);
	desk_free(d);
}

static void changes_equal_a_full_look(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		life(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_equal_a_full_look),
	};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
