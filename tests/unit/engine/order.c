/* What fails at one moment may be reported in any order: the causes that are found are the same. */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum { SERVICES = 20, TROUBLES = 9, ORDERS = 6 };

static void random_map(struct desk *d, uint64_t seed, struct buf *out)
{
	(void)d;
	uint64_t x = seed * UINT64_C(2654435761) + 1;
	buf_str(out, "version: 1\nservices:\n");
	for (unsigned s = 0; s < SERVICES; s++) {
		buf_printf(out, "  s%u: {hosts: [s%u]%s, needs: [", s, s, s % 6 == 0 ? ", tier: 2" : "");
		for (unsigned k = 0, n = 0; k < 3 && s + 2 < SERVICES; k++) {
			x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			unsigned a = s + 1 + (unsigned)(x >> 33) % (SERVICES - s - 1);
			if (k > 0 && (x >> 20 & 1) == 0)
				continue;
			buf_printf(out, "%s{service: s%u, effect: %s}", n++ > 0 ? ", " : "", a,
			           x >> 42 & 3 ? "down" : "degraded");
			break;
		}
		buf_str(out, "]}\n");
	}
}

static void causes(struct desk *d, struct buf *out)
{
	for (unsigned s = 0; s < SERVICES; s++) {
		char id[8];
		snprintf(id, sizeof id, "s%u", s);
		const struct map_node *n = node_known(d->rig->engine, slice_str(id));
		const struct episode *ep = n != NULL ? n->open : NULL;
		if (ep != NULL)
			buf_printf(out, "%s<-%s ", id, ep->parent != NULL ? ep->parent->node->id : "-");
	}
	buf_cstr(out);
}

static void one_map(uint64_t seed)
{
	struct buf map = {0}, first = {0}, now = {0};
	random_map(NULL, seed, &map);
	for (unsigned turn = 0; turn < ORDERS; turn++) {
		struct desk *d = desk_new(desk_rules, buf_cstr(&map), false);
		for (unsigned k = 0; k < TROUBLES; k++) {
			char host[8];
			unsigned at = turn % 2 ? TROUBLES - 1 - k : k;
			snprintf(host, sizeof host, "s%u", (unsigned)((at + turn) % TROUBLES * 2 + seed % 2));
			desk_event(d, SECOND, (at + turn) % TROUBLES % 3 == 2 ? "http" : "ping", host,
			           "problem");
		}
		desk_wait(d, 3 * MINUTE);
		buf_clear(&now);
		causes(d, &now);
		if (turn == 0)
			buf_add(&first, now.p, now.n);
		assert_string_equal(buf_cstr(&first), buf_cstr(&now));
		desk_free(d);
	}
	buf_free(&map);
	buf_free(&first);
	buf_free(&now);
}

static void shuffled(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		one_map(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shuffled)};
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
