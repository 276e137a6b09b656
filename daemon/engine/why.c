/* Promises to say which test kept a service out of an incident (`incidents show --why-not`). Looks as the
 * parent search does and changes nothing. */
#include "engine/correlate.h"

#include <stdlib.h>

static void tell(void *arg, const char *text)
{
	jw_str(arg, text);
}

static void verdict(struct jw *w, struct slice service, const char *text)
{
	jw_kslice(w, "service", service);
	jw_kstr(w, "verdict", text);
}

static const struct episode *latest(const struct map_node *n)
{
	if (n->open != NULL)
		return n->open;
	return n->n_recent > 0 ? n->recent[n->n_recent - 1] : NULL;
}

static void nothing(const struct engine *e, const struct map_node *n, struct slice service, struct jw *w)
{
	uint32_t s = service_find(e->setup.map, service);
	if (n != NULL && n->risk != NULL)
		verdict(w, service, "it is only at risk: a risk is never part of what fails");
	else if (s != SERVICE_NONE && derived_down(e->correlation, s))
		verdict(w, service, "it says nothing itself; by the map it is down because of others");
	else if (s == SERVICE_NONE && n == NULL)
		verdict(w, service, "neither the map nor an event knows this name");
	else
		verdict(w, service, "it has no open evidence: no alert of a topology rule, or it is muted");
}

static void path(const struct episode *ep, struct jw *w)
{
	jw_key(w, "explained_by");
	jw_array(w);
	for (int k = 0; ep->parent != NULL && k < CYCLE_MAX; k++, ep = ep->parent) {
		char *text = xasprintf("%s <- %s: %s", ep->node->id, ep->parent->node->id, ep->reason);
		jw_str(w, text);
		free(text);
	}
	jw_array_end(w);
}

void why_not(struct engine *e, const struct incident *i, struct slice service, struct jw *w)
{
	const struct map_node *n = node_known(e, service);
	const struct episode *ep = n != NULL ? latest(n) : NULL;
	jw_kstr(w, "incident", i->id_text);
	if (ep == NULL) {
		nothing(e, n, service, w);
		return;
	}
	jw_kstr(w, "in", ep->incident != NULL ? ep->incident->id_text : NULL);
	path(ep, w);
	if (ep->incident == i) {
		verdict(w, service, ep->parent != NULL ? ep->reason : "it is in it, and nothing explains it");
		return;
	}
	if (i->group != GROUP_TOPOLOGY) {
		verdict(w, service, "that incident is grouped by its rule and knows no map");
		return;
	}
	if (!ep->real) {
		verdict(w, service, "one line below major: it joins nothing before a second one");
		return;
	}
	jw_key(w, "tests");
	jw_array(w);
	size_t met = parent_trace(e, ep, i, tell, w);
	const struct episode *top = episode_top_of(ep);
	if (top != ep && top->incident != i)
		met += parent_trace(e, top, i, tell, w);
	jw_array_end(w);
	verdict(w, service,
	        met > 0 ? "something of that incident is upstream of it, but a test fails"
	                : "no way leads from it to anything in that incident, within 7 hops of needs");
}
