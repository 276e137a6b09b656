/* Findings for machines: what code hosts and editors read. Text is findings_text's and ctl_findings'. */
#ifndef CARILLON_CTL_REPORT_FINDINGS_H
#define CARILLON_CTL_REPORT_FINDINGS_H

#include "ctl/ctl.h"

#define REPORT_FORMATS "text|json|sarif|github|gitlab"

/* Prints sorted findings in the format of --format (json with --json) and returns true; false for text: the
 * caller prints that with its own last line. `files`: how many were read. */
bool report_findings(struct ctl *c, const struct args *a, struct findings *f, size_t files);

/* One format each, appended to `out`. SARIF 2.1.0 (OASIS); the workflow commands of GitHub; GitLab's Code
 * Quality report (its fingerprint does not depend on the line, so that a finding which moves is not a new
 * one). */
void report_sarif(const struct findings *f, struct buf *out);
void report_github(const struct findings *f, struct buf *out);
void report_gitlab(const struct findings *f, struct buf *out);
/* '%', CR and LF are escaped, and in properties ':' and ',' too. */
void report_github_text(struct buf *out, struct slice s, bool property);

#endif
