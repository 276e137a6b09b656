/* Loads rule files from text for the loader's tests. */
#ifndef CARILLON_TEST_LOAD_HELP_H
#define CARILLON_TEST_LOAD_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/rule_set.h"

struct loaded {
	struct rule_set *rs;
	struct findings f;
	struct rules_counts counts;
};

/* One file "rules/x.yaml", or the given ones. `read` finds no file but "addresses.txt". */
struct loaded load_text(const char *text);
struct loaded load_files(const struct rules_file *files, size_t n, const struct config *config);
void loaded_free(struct loaded *l);
/* Fails the test with all findings if there is no such one; `part` stands in its message. */
void assert_finding(const struct loaded *l, const char *code, uint32_t line, uint32_t col, const char *part);
size_t count_code(const struct loaded *l, const char *code);
void print_findings(const struct loaded *l);

#endif
