/* carillonctl rules test: runs the `tests:` of rule files on virtual time (language.md sections 13, 17.17 and 17.18), with
 * the engine that runs live. No clock, file or socket: what is not in the rule set comes through the callbacks. */
#ifndef CARILLON_CTL_RULES_TEST_H
#define CARILLON_CTL_RULES_TEST_H

#include "engine/engine.h"
#include "rules/regex.h"

struct coverage;

enum rules_test_format { RULES_TEST_TEXT, RULES_TEST_JSON, RULES_TEST_TAP, RULES_TEST_GITHUB };

struct rules_test_options {
	/* One raw input through the real decoder, as the listener of that name would (config.md's defaults): appends events to
	 * `out`. False: refused; notes of `out` say why. NULL: such inputs fail the test. */
	bool (*syslog)(void *arg, struct slice line, instant received, struct evt_batch *out);
	bool (*webhook)(void *arg, struct slice listener, struct slice body, instant received, struct evt_batch *out);
	/* A map file named by a test (relative to the rule file); absent: not readable. */
	struct slice (*read)(void *arg, const char *rule_file, const char *path);
	void *arg;
	const struct regex *run;      /* only tests whose name it finds; NULL: all */
	enum rules_test_format format;
	struct coverage *coverage;    /* rules_test_cover.h; NULL: not wanted */
};

/* Runs the tests of `rs` (loaded with keep_tests) and appends the report to `out`: failures, then for RULES_TEST_TEXT the
 * line "21 tests, 1 failed" without a newline, so that the caller may add the time it took. `cfg` is not changed; a ticket
 * connection exists whatever it says. Returns the number of tests run. */
int rules_test_run(const struct rule_set *rs, const struct config *cfg, const struct rules_test_options *o, struct buf *out,
                   unsigned *failed);

#endif
