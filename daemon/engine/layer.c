/* Promises the layer of a component, as the people who look after it would sort it: the specialists' view of
 * an incident (correlation.md, "Both views"). Must not know incidents. */
#include "engine/correlate.h"

static const char *const words[LAYERS] = {"business", "service", "data",  "platform",      "host",
                                          "storage",  "network", "power", "not in the map"};

static int of_kind(enum service_kind k)
{
	switch (k) {
	case KIND_SERVICE: return LAYER_SERVICE;
	case KIND_DB:
	case KIND_CACHE:
	case KIND_QUEUE: return LAYER_DATA;
	case KIND_POD:
	case KIND_LB:
	case KIND_DNS: return LAYER_PLATFORM;
	case KIND_HOST:
	case KIND_VM:
	case KIND_K8S_NODE: return LAYER_HOST;
	case KIND_STORAGE: return LAYER_STORAGE;
	case KIND_LINK:
	case KIND_NETWORK:
	case KIND_ROUTER:
	case KIND_FIREWALL:
	case KIND_SWITCH: return LAYER_NETWORK;
	case KIND_UPS:
	case KIND_SITE: return LAYER_POWER;
	}
	return LAYER_SERVICE;
}

int layer_rank(const struct engine *e, const struct map_node *n)
{
	if (n->service == SERVICE_NONE)
		return LAYER_UNKNOWN;
	if (service_tier(e->setup.map, n->service) > 0)
		return LAYER_BUSINESS;
	return of_kind(service_kind(e->setup.map, n->service));
}

struct slice layer_text(const struct engine *e, const struct map_node *n)
{
	struct slice own =
	    n->service != SERVICE_NONE ? service_label(e->setup.map, n->service, SLICE("layer")) : SLICE_NONE;
	return own.n > 0 ? own : slice_str(words[layer_rank(e, n)]);
}
