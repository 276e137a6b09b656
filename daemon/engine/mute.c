/* Promises which open alerts are muted by which other ones (`suppressed_by`, language.md section 6
 * and 17.15), found by hash of (rule, item, values of `same`), and that a mute counts only when the whole
 * event has been judged. A muted alert still mutes others. */
#include "engine/alert.h"

#include <stdlib.h>

#include "engine/silence.h"

enum mute_role { MUTES, MUTED };

struct mute_group {
	struct mute_group *next_dirty;
	struct mute_link *first[2], *last[2]; /* by role, in order of opening */
	size_t key_n;
	bool dirty;
	char key[];
};

struct mute_link {
	struct mute_group *group;
	struct alert *alert;
	enum mute_role role;
	struct mute_link *prev, *next; /* in the group */
	struct mute_link *more;        /* of the alert */
};

/* One item of the `suppressed_by` of one rule. */
struct mute_item {
	uint32_t rule, index;
	const struct suppression *s;
};
struct item_list {
	struct mute_item *v;
	size_t n, cap;
};

struct mutes {
	struct hmap *groups;
	struct item_list *by_rule; /* of the muting rule: items that name it */
	size_t n_rules;
	struct item_list by_match;
	struct mute_group *dirty;
	struct alert **check; /* newly opened: are they muted? */
	size_t n_check, cap_check;
};

struct mutes *mutes_new(void)
{
	struct mutes *m = xcalloc(1, sizeof *m);
	m->groups = hmap_new();
	return m;
}

static void tables_free(struct mutes *m)
{
	for (size_t i = 0; i < m->n_rules; i++)
		free(m->by_rule[i].v);
	free(m->by_rule);
	free(m->by_match.v);
	m->by_rule = NULL;
	m->by_match = (struct item_list){0};
	m->n_rules = 0;
}

void mutes_free(struct mutes *m)
{
	struct slice key;
	void *value;
	for (size_t i = 0; hmap_next(m->groups, &i, &key, &value);) {
		struct mute_group *g = value;
		for (int role = MUTES; role <= MUTED; role++) {
			for (struct mute_link *l = g->first[role], *next; l != NULL; l = next) {
				next = l->next;
				l->alert->mutes = NULL;
				free(l);
			}
		}
		free(g);
	}
	hmap_free(m->groups);
	tables_free(m);
	free(m->check);
	free(m);
}

static void item_add(struct item_list *l, struct mute_item it)
{
	l->v = array_reserve(l->v, &l->cap, l->n + 1, sizeof *l->v);
	l->v[l->n++] = it;
}

void mutes_rules(struct engine *e)
{
	struct mutes *m = e->alerts->mutes;
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	tables_free(m);
	m->by_rule = xcalloc(MAX(n, 1), sizeof *m->by_rule);
	m->n_rules = n;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < rules[i].n_suppressed_by; k++) {
			struct mute_item it = {(uint32_t)i, (uint32_t)k, &rules[i].suppressed_by[k]};
			if (it.s->cond != NULL)
				item_add(&m->by_match, it);
			for (size_t j = 0; j < it.s->n_rules; j++)
				item_add(&m->by_rule[it.s->rules[j]], it);
		}
	}
}

/* ---- groups */

/* NULL: the alert has none. */
static const char *same_value(const struct alert *a, struct slice field)
{
	if (slice_is(field, "service"))
		return a->service;
	for (size_t i = 0; i < a->n_by; i++) {
		if (slice_is(field, a->by_names[i]))
			return strcmp(a->by_values[i], "(none)") != 0 ? a->by_values[i] : NULL;
	}
	return NULL;
}

/* False: a value is missing, and missing equals nothing. */
static bool group_key(const struct alert *a, const struct mute_item *it, struct buf *b)
{
	buf_u32(b, it->rule);
	buf_u32(b, it->index);
	for (size_t i = 0; i < it->s->n_same; i++) {
		const char *v = same_value(a, it->s->same[i]);
		if (v == NULL)
			return false;
		buf_lslice(b, slice_str(v));
	}
	return true;
}

static struct mute_group *group_of(struct mutes *m, struct slice key)
{
	struct mute_group *g = hmap_get(m->groups, key);
	if (g != NULL)
		return g;
	g = xcalloc(1, sizeof *g + key.n);
	g->key_n = key.n;
	memcpy(g->key, key.p, key.n);
	hmap_put(m->groups, key, g);
	return g;
}

static void group_dirty(struct mutes *m, struct mute_group *g)
{
	if (g->dirty)
		return;
	g->dirty = true;
	g->next_dirty = m->dirty;
	m->dirty = g;
}

static void group_drop_if_empty(struct mutes *m, struct mute_group *g)
{
	if (g->first[MUTES] != NULL || g->first[MUTED] != NULL || g->dirty)
		return;
	hmap_del(m->groups, slice_of(g->key, g->key_n));
	free(g);
}

/* Only the first two of a group count: an alert may not mute itself. */
static bool counts(const struct mute_link *l)
{
	return l->role == MUTES && (l->prev == NULL || l->prev->prev == NULL);
}

/* In order of opening; new ones come last, only a severity change brings an older one. */
static void link_insert(struct mute_link *l)
{
	struct mute_group *g = l->group;
	struct mute_link *prev = g->last[l->role];
	while (prev != NULL && prev->alert->order > l->alert->order)
		prev = prev->prev;
	l->prev = prev;
	l->next = prev != NULL ? prev->next : g->first[l->role];
	*(prev != NULL ? &prev->next : &g->first[l->role]) = l;
	*(l->next != NULL ? &l->next->prev : &g->last[l->role]) = l;
}

static void link_remove(struct mutes *m, struct mute_link *l)
{
	struct mute_group *g = l->group;
	if (counts(l))
		group_dirty(m, g);
	*(l->prev != NULL ? &l->prev->next : &g->first[l->role]) = l->next;
	*(l->next != NULL ? &l->next->prev : &g->last[l->role]) = l->prev;
	group_drop_if_empty(m, g);
	free(l);
}

static struct mute_link **link_at(struct alert *a, const struct mute_group *g, enum mute_role role)
{
	struct mute_link **at = &a->mutes;
	while (*at != NULL && ((*at)->group != g || (*at)->role != role))
		at = &(*at)->more;
	return at;
}

/* Brings the membership in line with `wanted`. */
static void member(struct mutes *m, struct alert *a, const struct mute_item *it, enum mute_role role,
                   bool wanted)
{
	struct buf key = {0};
	if (!group_key(a, it, &key)) {
		buf_free(&key);
		return;
	}
	struct mute_group *g = wanted ? group_of(m, buf_slice(&key)) : hmap_get(m->groups, buf_slice(&key));
	buf_free(&key);
	if (g == NULL)
		return;
	struct mute_link **at = link_at(a, g, role), *l = *at;
	if (wanted && l == NULL) {
		l = xcalloc(1, sizeof *l);
		*l = (struct mute_link){.group = g, .alert = a, .role = role};
		*at = l;
		link_insert(l);
		if (counts(l))
			group_dirty(m, g);
	} else if (!wanted && l != NULL) {
		*at = l->more;
		link_remove(m, l);
	}
}

static void join_by_match(struct engine *e, struct alert *a)
{
	struct mutes *m = e->alerts->mutes;
	struct fields f;
	if (m->by_match.n == 0)
		return;
	fields_init(&f, e->scratch);
	alert_fields(e, a, "open", &f);
	matcher_resolve(e->matcher, e->setup.map, &f);
	for (size_t i = 0; i < m->by_match.n; i++)
		member(m, a, &m->by_match.v[i], MUTES,
		       matcher_test(e->matcher, m->by_match.v[i].s->cond, &f));
	fields_free(&f);
}

void mute_check(struct engine *e, struct alert *a)
{
	struct mutes *m = e->alerts->mutes;
	BUG_ON(a->state != ALERT_OPEN);
	a->silence_due = true;
	m->check = array_reserve(m->check, &m->cap_check, m->n_check + 1, sizeof(struct alert *));
	m->check[m->n_check++] = a;
}

void mute_join(struct engine *e, struct alert *a)
{
	struct mutes *m = e->alerts->mutes;
	const struct rule *r = alert_rule(e, a);
	BUG_ON(a->state != ALERT_OPEN || r == NULL);
	for (size_t i = 0; i < r->n_suppressed_by; i++) {
		struct mute_item it = {r->number, (uint32_t)i, &r->suppressed_by[i]};
		member(m, a, &it, MUTED, true);
	}
	if (r->n_suppressed_by > 0 || a->muted || a->silenced_by != NULL || silence_any(e))
		mute_check(e, a);
	if (a->trial)
		return;
	for (size_t i = 0; i < m->by_rule[r->number].n; i++)
		member(m, a, &m->by_rule[r->number].v[i], MUTES, true);
	join_by_match(e, a);
}

void mute_leave(struct engine *e, struct alert *a)
{
	while (a->mutes != NULL) {
		struct mute_link *l = a->mutes;
		a->mutes = l->more;
		link_remove(e->alerts->mutes, l);
	}
}

/* ---- settling */

static bool before(const struct alert *a, const struct alert *b)
{
	return b == NULL || a->order < b->order;
}

/* The first that opened of all that mute it; an alert does not mute itself. */
static const struct alert *muting(const struct alert *a)
{
	const struct alert *first = NULL;
	for (const struct mute_link *mine = a->mutes; mine != NULL; mine = mine->more) {
		if (mine->role != MUTED)
			continue;
		const struct mute_link *l = mine->group->first[MUTES];
		if (l != NULL && l->alert == a)
			l = l->next;
		if (l != NULL && before(l->alert, first))
			first = l->alert;
	}
	return first;
}

static bool replace(char **text, const char *now)
{
	if (*text == NULL ? now == NULL : now != NULL && strcmp(*text, now) == 0)
		return false;
	free(*text);
	*text = now != NULL ? xstrdup(now) : NULL;
	return true;
}

/* A plain silence mutes; maintenance only marks. */
static bool settle_silence(struct engine *e, struct alert *a)
{
	if (!a->silence_due)
		return false;
	const struct silence *s = silence_of(e, a);
	bool quieted = s != NULL && !s->dependents, changed = quieted != a->quieted;
	a->silence_due = false;
	a->quieted = quieted;
	changed = replace(&a->silenced_by, s != NULL ? s->id : NULL) || changed;
	e->silences->dirty = e->silences->dirty || changed; /* their rows count alerts */
	return changed;
}

static void settle_one(struct engine *e, struct alert *a)
{
	if (a->state != ALERT_OPEN)
		return;
	const struct alert *by = muting(a);
	bool was = a->muted, changed = settle_silence(e, a);
	changed = replace(&a->muted_by, by != NULL ? by->rule_id : NULL) || changed;
	if (!changed)
		return;
	a->muted = by != NULL || a->quieted;
	alert_touch(e, a);
	if (a->announced && was != a->muted)
		alert_change(e, a, a->muted ? ALERT_CHANGE_MUTED : ALERT_CHANGE_UNMUTED);
}

bool mutes_settle(struct engine *e)
{
	struct mutes *m = e->alerts->mutes;
	bool any = m->dirty != NULL || m->n_check > 0;
	while (m->dirty != NULL) {
		struct mute_group *g = m->dirty;
		m->dirty = g->next_dirty;
		for (struct mute_link *l = g->first[MUTED]; l != NULL; l = l->next)
			settle_one(e, l->alert);
		g->dirty = false;
		group_drop_if_empty(m, g);
	}
	for (size_t i = 0; i < m->n_check; i++)
		settle_one(e, m->check[i]);
	m->n_check = 0;
	return any;
}
