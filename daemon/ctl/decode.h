/* carillonctl decode: what a decoder makes of bytes, one JSON object per input line (cli.md section 7). */
#ifndef CARILLON_CTL_DECODE_H
#define CARILLON_CTL_DECODE_H

#include <stdio.h>

/* argv[0] is "decode", argv[1] syslog, snmptrap or webhook. profiles_dir: where the webhook profiles are
 * unless
 * --profiles DIR says otherwise. Returns the exit code: 0 whatever the payloads were, 2 for wrong usage or
 * profiles that cannot be read. Without --now the wall clock is the time of reception. */
int ctl_decode(const char *profiles_dir, int argc, char **argv, FILE *in, FILE *out);

#endif
