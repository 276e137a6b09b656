/* Any headers and bodies against every scheme: nothing but the true signature passes, and nobody here has
 * one. */
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const schemes[] = {"standard", "github",  "pagerduty", "sentry",
	                                      "slack",    "grafana", "gitlab",    "sns"};
	const char *end = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t n = end != NULL ? (size_t)(end - (const char *)data) : size;
	struct webhook_delivery d = {
	    .secrets =
	        SLICE("whsec_bm9ib2R5IGtub3dzIHRoaXMgc2VjcmV0IG9mIG91cnM=\nanother secret that nobody knows"),
	    .headers = slice_of((const char *)data, n),
	    .body = slice_of((const char *)data + n, size - n),
	    .now = (instant)1795341600 * SECOND,
	    .tolerance = 300 * SECOND};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		struct buf key = {0};

		if (webhook_verify(schemes[i], &d, &key) == WEBHOOK_PROVEN || key.n > 0)
			abort();
		webhook_delivery_id(d.headers, &key);
		buf_free(&key);
	}
	return 0;
}
