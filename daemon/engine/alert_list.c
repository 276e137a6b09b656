/* Promises the lists that alerts stand in: all of them, the live ones of a rule, the recent closed ones,
 * those whose view row is to be written, and the changes that correlation has not heard of yet. Each list has
 * an order that can be saved. */
#include "engine/alert.h"

#include <stdlib.h>

enum {
	RECENT_MAX = 1000, /* closed alerts that no incident lists, kept for a look */
	GONE_MAX = 100000  /* rows to be taken away, while nobody asks for rows */
};

/* ---- lists */

struct alerts *alerts_new(void)
{
	struct alerts *al = xcalloc(1, sizeof *al);
	al->by_serial = hmap_new();
	al->mutes = mutes_new();
	return al;
}

struct alert *alert_new(void)
{
	struct alert *a = xcalloc(1, sizeof *a);
	a->rule = RULE_NONE;
	a->opened = a->calm = a->closed = a->timer = a->since = a->held = a->changed = INSTANT_NONE;
	return a;
}

static void free_texts(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void alert_free(struct alert *a)
{
	char *texts[] = {a->rule_id, a->key,          a->muted_by, a->service, a->host,        a->port,
	                 a->source,  a->app,          a->peer,     a->summary, a->description, a->assign,
	                 a->title,   a->close_reason, a->runbook,  a->owner,   a->last_rid,
	                 a->silenced_by, a->event};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	free_texts(a->by_names, a->n_by);
	free_texts(a->by_values, a->n_by);
	free_texts(a->extra_names, a->n_extra);
	free_texts(a->extra_values, a->n_extra);
	free_texts(a->said_names, a->n_said);
	free_texts(a->said_values, a->n_said);
	free_texts(a->group_names, a->n_group);
	free_texts(a->group_values, a->n_group);
	for (size_t i = 0; i < a->n_head; i++)
		free(a->head[i].text);
	for (size_t i = 0; i < a->n_tail; i++)
		free(a->tail[i].text);
	free(a);
}

void alerts_free(struct engine *e)
{
	struct alerts *al = e->alerts;
	mutes_free(al->mutes);
	for (struct alert *a = al->all.first, *next; a != NULL; a = next) {
		next = a->next;
		alert_free(a);
	}
	hmap_free(al->by_serial);
	free(al->changes);
	free(al->gone);
	free(al);
	e->alerts = NULL;
}

void alerts_link(struct engine *e, struct alert *a)
{
	struct alert_list *all = &e->alerts->all;
	a->prev = all->last;
	a->next = NULL;
	*(all->last != NULL ? &all->last->next : &all->first) = a;
	all->last = a;
	BUG_ON(hmap_put(e->alerts->by_serial, key_u64(&a->serial), a) != NULL);
}

static void alerts_unlink(struct engine *e, struct alert *a)
{
	struct alert_list *all = &e->alerts->all;
	*(a->prev != NULL ? &a->prev->next : &all->first) = a->next;
	*(a->next != NULL ? &a->next->prev : &all->last) = a->prev;
	BUG_ON(hmap_del(e->alerts->by_serial, key_u64(&a->serial)) != a);
}

/* Live ones stand in the list of their rule, released ones in that of the recent ones. */
static struct alert_list *list_of(struct engine *e, const struct alert *a)
{
	if (a->released)
		return &e->alerts->recents;
	return a->rule != RULE_NONE ? &e->windows->rules[a->rule].live : NULL;
}

static void list_append(struct alert_list *l, struct alert *a)
{
	a->older = l->last;
	a->newer = NULL;
	*(l->last != NULL ? &l->last->newer : &l->first) = a;
	l->last = a;
}

static void list_remove(struct alert_list *l, struct alert *a)
{
	*(a->older != NULL ? &a->older->newer : &l->first) = a->newer;
	*(a->newer != NULL ? &a->newer->older : &l->last) = a->older;
	a->older = a->newer = NULL;
}

void alerts_live_link(struct engine *e, struct alert *a)
{
	struct alert_list *l = list_of(e, a);
	if (l != NULL)
		list_append(l, a);
	if (a->rule != RULE_NONE)
		e->windows->rules[a->rule].n_alerts++;
	e->alerts->live++;
}

void alerts_live_unlink(struct engine *e, struct alert *a)
{
	struct alert_list *l = list_of(e, a);
	if (l != NULL)
		list_remove(l, a);
	if (a->rule != RULE_NONE)
		e->windows->rules[a->rule].n_alerts--;
	e->alerts->live--;
}

void alerts_recent_link(struct engine *e, struct alert *a)
{
	BUG_ON(a->state != ALERT_CLOSED || !a->released);
	list_append(&e->alerts->recents, a);
	e->alerts->recent++;
}

void alert_touch_order(struct engine *e, struct alert *a)
{
	a->touched = ++e->alerts->touch;
	if (a->rule == RULE_NONE)
		return;
	list_remove(list_of(e, a), a);
	list_append(list_of(e, a), a);
}

struct alert *alert_find(struct engine *e, uint64_t serial)
{
	return hmap_get(e->alerts->by_serial, key_u64(&serial));
}

const struct rule *alert_rule(const struct engine *e, const struct alert *a)
{
	size_t n;
	const struct rule *rules = rule_set_rules(e->setup.rules, &n);
	return a->rule < n ? &rules[a->rule] : NULL;
}

/* ---- rows to be written, changes to be told */

void alert_touch(struct engine *e, struct alert *a)
{
	if (a->dirty)
		return;
	a->dirty = true;
	a->prev_dirty = NULL;
	a->next_dirty = e->alerts->dirty;
	if (a->next_dirty != NULL)
		a->next_dirty->prev_dirty = a;
	e->alerts->dirty = a;
}

void alert_row_gone(struct alerts *al, const struct alert *a)
{
	if (al->n_gone >= GONE_MAX) /* nobody looks: a replay */
		return;
	al->gone = array_reserve(al->gone, &al->cap_gone, al->n_gone + 1, sizeof *al->gone);
	al->gone[al->n_gone++] = a->id;
}

static void undirty(struct alerts *al, struct alert *a)
{
	if (!a->dirty)
		return;
	*(a->prev_dirty != NULL ? &a->prev_dirty->next_dirty : &al->dirty) = a->next_dirty;
	if (a->next_dirty != NULL)
		a->next_dirty->prev_dirty = a->prev_dirty;
	a->dirty = false;
	alert_row_gone(al, a); /* its last words were never written: better no row than an old one */
}

void alert_destroy(struct engine *e, struct alert *a)
{
	BUG_ON(a->window != NULL || a->mutes != NULL);
	undirty(e->alerts, a);
	alerts_unlink(e, a);
	alert_free(a);
}

void alert_change(struct engine *e, struct alert *a, enum alert_change what)
{
	struct alerts *al = e->alerts;
	alert_touch(e, a);
	al->changes = array_reserve(al->changes, &al->cap_changes, al->n_changes + 1, sizeof *al->changes);
	al->changes[al->n_changes++] = (struct change){a, what};
}

static void forget_oldest(struct engine *e)
{
	struct alerts *al = e->alerts;
	while (al->recent > RECENT_MAX) {
		struct alert *a = al->recents.first;
		list_remove(&al->recents, a);
		al->recent--;
		if (a->dirty)
			alert_last_row(e, a);
		alert_destroy(e, a);
	}
}

void alert_release(struct engine *e, struct alert *a)
{
	if (a->state != ALERT_CLOSED || a->released)
		return;
	a->released = true;
	a->touched = ++e->alerts->touch;
	alerts_recent_link(e, a);
}

static void tell(struct engine *e, struct alert *a, enum alert_change what)
{
	if (what == ALERT_CHANGE_OPENED)
		a->announced = true;
	correlation_alert(e, a, what);
	if (what == ALERT_CHANGE_CLOSED && a->episode == NULL && a->incident == 0)
		alert_release(e, a);
}

bool alerts_tell(struct engine *e)
{
	struct alerts *al = e->alerts;
	bool any = mutes_settle(e);
	size_t n = al->n_changes;
	for (; al->told < n; al->told++) {
		struct change c = al->changes[al->told];
		tell(e, c.alert, c.what);
		any = true;
	}
	if (al->told < al->n_changes) /* telling made new ones */
		return true;
	al->told = al->n_changes = 0;
	forget_oldest(e);
	return any;
}
