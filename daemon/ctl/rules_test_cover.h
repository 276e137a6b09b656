/* What the tests of a rule set have shown (language.md section 13): rules that opened, closed and stayed silent, conditions
 * seen true and false, steps reached, patterns used. Sees the tests from outside: nothing of it changes them. */
#ifndef CARILLON_CTL_RULES_TEST_COVER_H
#define CARILLON_CTL_RULES_TEST_COVER_H

#include "ctl/rules_test_case.h"

struct coverage;

/* Counts what stands in files of `path` (a file or folder); NULL: in all. Borrows rs and path. */
struct coverage *coverage_new(const struct rule_set *rs, const char *path);
void coverage_free(struct coverage *v);

/* Called by the runner, in order. */
void coverage_begin(struct coverage *v);
void coverage_event(struct coverage *v, const struct test_case *c, const struct past_event *p, const struct json *decoders);
void coverage_alerts(struct coverage *v, const struct engine *e);
void coverage_expect(struct coverage *v, const struct test_case *c, const struct node *alerts);

/* One line for each thing that no test has shown: "file:line:col: rule 'x' never closes". */
void coverage_text(const struct coverage *v, struct buf *out);
/* The same as findings, for the formats of code hosts. */
void coverage_findings(const struct coverage *v, struct findings *f);
struct coverage_sum {
	size_t rules, opened, closed, silent; /* of rules: so many */
	size_t verdicts, verdicts_seen;       /* two for each condition */
	size_t steps, steps_reached, patterns, patterns_used;
};
void coverage_sum(const struct coverage *v, struct coverage_sum *sum); /* adds */
double coverage_percent(const struct coverage_sum *sum);               /* 100 when there is nothing to cover */

#endif
