/* What the tests of carillonctl share: a command line run with its output caught, and a daemon that only
 * pretends. */
#ifndef CARILLON_TESTS_CTL_T_H
#define CARILLON_TESTS_CTL_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ctl/ctl.h"

struct outcome {
	int rc;
	char *out, *err;
	size_t out_n, err_n;
};

/* Runs a command line whose words are separated by one '\n' each; `width` of the terminal, 0 for none. */
struct outcome t_run(const char *words, unsigned width);
void outcome_free(struct outcome *o);
void t_has(const char *text, const char *part);
void t_lacks(const char *text, const char *part);

/* A folder of its own; files in it are removed with it. */
char *t_dir(void);
char *t_file(const char *dir, const char *name, const char *text); /* its path; caller frees */
void t_dir_remove(char *dir);

/* Answers each request whose first line begins with `request` by the whole `reply`, else 404; a reply may end
 * early. */
struct t_answer {
	const char *request, *reply;
};
struct t_daemon {
	int pid;
	char *dir, *socket;
};
struct t_daemon t_daemon(const struct t_answer *answers, size_t n);
void t_daemon_end(struct t_daemon *d);

#endif
