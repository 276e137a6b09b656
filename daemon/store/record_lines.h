/* The lines of a file of JSON lines, plain or compressed with zstd (told apart by its magic number). */
#ifndef CARILLON_STORE_RECORD_LINES_H
#define CARILLON_STORE_RECORD_LINES_H

#include "base/buf.h"
#include "base/error.h"

struct record_lines;
enum { RECORD_LINE_MAX = 16 << 20 };

/* NULL with err: it cannot be opened. "-" is standard input. */
struct record_lines *record_lines_open(const char *path, struct error *err) MUST_CHECK;
void record_lines_close(struct record_lines *l); /* NULL is fine */
/* The next line without its end; it lives until the next call. False: no more, or what follows cannot be
 * read. A last line without an end counts where the file is plain. */
bool record_lines_next(struct record_lines *l, struct slice *line);
/* Why it ended early; NULL: it did not. */
const char *record_lines_torn(const struct record_lines *l);

#endif
