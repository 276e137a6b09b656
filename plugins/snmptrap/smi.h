/* The compiler behind `carillonctl mibs compile`: MIB modules of SMIv1 and SMIv2 in, a table of mib.h out. It reads names,
 * object identifiers, named numbers and the few textual conventions that say how a value is shown; all else is skipped.
 * For the tool: the daemon reads tables only. RFC 1155, RFC 1212, RFC 1215, RFC 2578, RFC 2579. */
#ifndef CARILLON_SNMP_SMI_H
#define CARILLON_SNMP_SMI_H

#include "base/error.h"

struct smi;
struct smi *smi_new(void);
void smi_free(struct smi *s);
/* Reads the modules of a file. -1 with findings if there is none or one cannot be read. Copies what it keeps. */
int smi_add(struct smi *s, const char *file, struct slice text, struct findings *f) MUST_CHECK;
/* Names of a table that was compiled before: parents that the new modules import. */
void smi_known(struct smi *s, struct slice table);
/* The table of all modules, in order of reading, or -1: something hangs on a name that nobody gave (findings say which
 * module to add). */
int smi_write(struct smi *s, struct buf *out, struct findings *f) MUST_CHECK;
size_t smi_modules(const struct smi *s);

#endif
