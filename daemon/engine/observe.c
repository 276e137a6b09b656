/* Promises that an observer hears which event moved which alert and where alerts end, and that the engine does the same
 * whether somebody listens or not. Must not change anything. */
#include "engine/alert.h"

void engine_observe(struct engine *e, const struct engine_observer *o)
{
	e->observer = o;
}

void observe_fits(const struct engine *e, const struct rule *r, struct slice key)
{
	if (e->observer != NULL)
		e->observer->fits(e->observer->arg, r->id, key);
}

void observe_alert(const struct engine *e, const struct alert *a, instant first)
{
	if (e->observer == NULL || a->window == NULL)
		return;
	e->observer->alert(e->observer->arg, a->serial, slice_str(a->rule_id), slice_of(a->window->key, a->window->key_n),
	                   first);
}

void observe_opened(const struct engine *e, const struct alert *a)
{
	if (e->observer != NULL)
		e->observer->opened(e->observer->arg, a->serial, slice_str(a->rule_id));
}

void observe_joined(const struct engine *e, const struct alert *a, uint64_t episode, uint64_t incident)
{
	BUG_ON((episode == 0) == (incident == 0));
	if (e->observer != NULL)
		e->observer->joined(e->observer->arg, a->serial, episode, incident);
}

void observe_moved(const struct engine *e, uint64_t episode, uint64_t incident)
{
	if (e->observer != NULL)
		e->observer->moved(e->observer->arg, episode, incident);
}
