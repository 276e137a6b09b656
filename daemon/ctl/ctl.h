/* What the verbs of carillonctl share: where to write, what was asked for in front of the verb, exit codes. A
 * verb knows nothing of other verbs; the table in verbs.c is the only place that knows them all. */
#ifndef CARILLON_CTL_CTL_H
#define CARILLON_CTL_CTL_H

#include <stdio.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "ctl/args.h"

/* cli.md section 4 */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_FOUND = 1, /* check, test or reload found problems */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3,
	CTL_NOT_ALLOWED = 4,
	CTL_NO_SUCH = 5,
	CTL_REFUSED = 6,  /* conflict, state */
	CTL_WARNINGS = 7, /* only warnings, with --strict */
	CTL_TRY_AGAIN = 75
};

struct ctl {
	FILE *in, *out, *err;
	const char *config_path; /* -c; NULL: /etc/carillon/carillon.yaml if it is there, else the defaults */
	const char *socket_path; /* --socket; NULL: the configuration's */
	bool json, quiet, utc, colour;
	unsigned width; /* of the terminal; 0: lines are not cut */
	instant now;
};

/* Says "carillonctl: …" on err and returns the code. */
int ctl_fail(const struct ctl *c, int code, const char *fmt, ...) PRINTF(3, 4);
/* Findings as text on `to`, sorted. */
void ctl_findings(FILE *to, struct findings *f);
/* 1 with errors, 7 with warnings if strict, else 0. */
int ctl_verdict(const struct findings *f, bool strict);

/* carillonctl as a function: main() with other files. Returns the exit code. */
int ctl_main(struct ctl *c, int argc, char **argv);

/* The verbs; one file per group. */
int status_show(struct ctl *c, const struct args *a);
int status_reload(struct ctl *c, const struct args *a);
int incidents_list(struct ctl *c, const struct args *a);
int incidents_show(struct ctl *c, const struct args *a);
int incidents_ack(struct ctl *c, const struct args *a);
int incidents_unack(struct ctl *c, const struct args *a);
int incidents_resolve(struct ctl *c, const struct args *a);
int incidents_reopen(struct ctl *c, const struct args *a);
int incidents_note(struct ctl *c, const struct args *a);
int incidents_merge(struct ctl *c, const struct args *a);
int incidents_split(struct ctl *c, const struct args *a);
int alerts_list(struct ctl *c, const struct args *a);
int silences_add(struct ctl *c, const struct args *a);
int silences_list(struct ctl *c, const struct args *a);
int silences_show(struct ctl *c, const struct args *a);
int silences_expire(struct ctl *c, const struct args *a);
int silences_extend(struct ctl *c, const struct args *a);
int events_tail(struct ctl *c, const struct args *a);
int events_send(struct ctl *c, const struct args *a);
int rules_cost(struct ctl *c, const struct args *a);
int diffs_config(struct ctl *c, const struct args *a);
int diffs_map(struct ctl *c, const struct args *a);
int diffs_graph(struct ctl *c, const struct args *a);
int rules_check(struct ctl *c, const struct args *a);
int backtest_rules(struct ctl *c, const struct args *a);
int rules_shadow(struct ctl *c, const struct args *a);
int rules_run_tests(struct ctl *c, const struct args *a);
int rules_list(struct ctl *c, const struct args *a);
int rules_show(struct ctl *c, const struct args *a);
int rules_fmt(struct ctl *c, const struct args *a);
int rules_new(struct ctl *c, const struct args *a);
int rules_docs(struct ctl *c, const struct args *a);
int rules_stats(struct ctl *c, const struct args *a);
int rules_why(struct ctl *c, const struct args *a);
int explain_rules(struct ctl *c, const struct args *a);
int map_check(struct ctl *c, const struct args *a);
int mibs_compile(struct ctl *c, const struct args *a);
int mibs_find(struct ctl *c, const struct args *a);
int map_find(struct ctl *c, const struct args *a);
int services_show(struct ctl *c, const struct args *a);
int services_impact(struct ctl *c, const struct args *a);
int services_needs(struct ctl *c, const struct args *a);
int services_path(struct ctl *c, const struct args *a);
int services_find(struct ctl *c, const struct args *a);
int services_suggest(struct ctl *c, const struct args *a);
int config_verb_check(struct ctl *c, const struct args *a);
int config_verb_show(struct ctl *c, const struct args *a);
int tickets_outbox(struct ctl *c, const struct args *a);
int tickets_show(struct ctl *c, const struct args *a);
int tickets_retry(struct ctl *c, const struct args *a);
int tickets_discard(struct ctl *c, const struct args *a);
int tickets_check(struct ctl *c, const struct args *a);
int record_list(struct ctl *c, const struct args *a);
int record_start(struct ctl *c, const struct args *a);
int record_stop(struct ctl *c, const struct args *a);
int record_export(struct ctl *c, const struct args *a);
int schema_print(struct ctl *c, const struct args *a);
int verbs_decode(struct ctl *c, const struct args *a);
int verbs_help(struct ctl *c, const struct args *a);
int completion_print(struct ctl *c, const struct args *a);

#endif
