/* Promises what must fail or degrade when one service does, through needs and broken groups, given what is
 * down already (correlation.md sections 1, 3 and 4). Must not know why anybody asks. */
#include "engine/correlate.h"

struct blast blast_new(const struct engine *e)
{
	return (struct blast){.m = e->setup.map, .d = &e->correlation->derived, .cap = SIZE_MAX};
}

static uint8_t level_of(const struct blast *b, uint32_t s)
{
	return b->d->down.in[s] ? LEVEL_DOWN : b->d->level[s];
}

static int group_level(const struct blast *b, uint32_t g)
{
	size_t n, up = 0, healthy = 0, need = group_at_least(b->m, g);
	const uint32_t *members = group_members(b->m, g, &n);
	for (size_t i = 0; i < n; i++) {
		uint8_t l = level_of(b, members[i]);
		up += l < LEVEL_DOWN;
		healthy += l == 0;
	}
	return up < need ? LEVEL_DOWN : healthy < need ? LEVEL_DEGRADED : 0;
}

static void reach(struct blast *b, uint32_t s, int level, size_t *tail)
{
	if (level <= b->d->level[s])
		return;
	if (b->d->level[s] == 0 && b->n >= b->cap)
		return;
	if (b->d->level[s] == 0)
		b->d->list[b->n++] = s;
	b->d->level[s] = (uint8_t)level;
	BUG_ON(*tail >= 2 * (b->d->n_services + 1)); /* each level once */
	b->d->queue[(*tail)++] = s;
}

static void reach_all(struct blast *b, const struct map_edge *by, size_t n, int level, size_t *tail)
{
	for (size_t i = 0; i < n; i++) {
		if (by[i].effect == EFFECT_DOWN)
			reach(b, by[i].to, level, tail);
		else if (by[i].effect == EFFECT_DEGRADED)
			reach(b, by[i].to, level - 1, tail);
	}
}

void blast_from(struct blast *b, uint32_t root, int level)
{
	size_t head = 0, tail = 0, n, users;
	for (reach(b, root, level, &tail); head < tail; head++) {
		uint32_t s = b->d->queue[head];
		const struct map_edge *by = service_needed_by(b->m, s, &n);
		reach_all(b, by, n, b->d->level[s], &tail);
		const uint32_t *links = device_links(b->m, s, &n);
		bool dead = b->d->level[s] == LEVEL_DOWN && (!b->own_links || s == root);
		for (size_t k = 0; k < n && dead; k++)
			reach(b, links[k], LEVEL_DOWN, &tail);
		const uint32_t *groups = service_groups(b->m, s, &n);
		for (size_t g = 0; g < n; g++) {
			int l = MIN(group_level(b, groups[g]), (int)b->d->level[s]);
			by = group_needed_by(b->m, groups[g], &users);
			if (l > 0)
				reach_all(b, by, users, l, &tail);
		}
	}
}

void blast_clear(struct blast *b)
{
	for (size_t k = 0; k < b->n; k++)
		b->d->level[b->d->list[k]] = 0;
	b->n = 0;
}
