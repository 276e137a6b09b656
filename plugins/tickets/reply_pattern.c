/* Promises that a pattern of a profile cannot make an answer expensive: PCRE2 with limits, over octets. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugins/tickets/profile.h"

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_LIMIT_KIB = 4096, PATTERN_MAX = 1024 };

struct reply_pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
};

struct reply_pattern *reply_pattern_new(struct slice pattern, struct error *err)
{
	char why[160];
	int code;
	size_t at;
	if (pattern.n == 0 || pattern.n > PATTERN_MAX) {
		error_set(err, "a pattern has 1 to %d characters", PATTERN_MAX);
		return NULL;
	}
	pcre2_code *re =
	    pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
	                  PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_DOTALL, &code, &at, NULL);
	if (re == NULL) {
		if (pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why) < 0)
			snprintf(why, sizeof why, "error %d", code);
		error_set(err, "%s (at character %zu of the pattern)", why, at + 1);
		return NULL;
	}
	struct reply_pattern *p = xcalloc(1, sizeof *p);
	p->code = re;
	p->data = pcre2_match_data_create_from_pattern(re, NULL);
	p->context = pcre2_match_context_create(NULL);
	BUG_ON(p->data == NULL || p->context == NULL);
	pcre2_set_match_limit(p->context, MATCH_LIMIT);
	pcre2_set_depth_limit(p->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(p->context, HEAP_LIMIT_KIB);
	return p;
}

void reply_pattern_free(struct reply_pattern *p)
{
	if (p == NULL)
		return;
	pcre2_match_context_free(p->context);
	pcre2_match_data_free(p->data);
	pcre2_code_free(p->code);
	free(p);
}

bool reply_pattern_matches(const struct reply_pattern *p, struct slice text)
{
	PCRE2_SPTR at = (PCRE2_SPTR)(text.n > 0 ? text.p : "");
	return pcre2_match(p->code, at, text.n, 0, 0, p->data, p->context) >= 0;
}
