/* One error for a person, and lists of findings with places. */
#ifndef CARILLON_BASE_ERROR_H
#define CARILLON_BASE_ERROR_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

struct error {
	char text[512]; /* one sentence and one next step, no newline */
};
int error_set(struct error *e, const char *fmt, ...) PRINTF(2, 3); /* returns -1; a cut text ends in "..." */
/* Puts "what: " before the text; returns -1. */
int error_wrap(struct error *e, const char *fmt, ...) PRINTF(2, 3);

/* A place in a text file; line and column count characters from 1; 0 = unknown. */
struct mark {
	uint32_t line, col, len;
};

/* The place of an octet of a text (of its end, if `at` lies behind it), len 1. Lines end as YAML's do: LF, CR, CRLF, NEL,
 * LS, PS. */
struct mark mark_at(struct slice text, size_t at);

enum finding_level { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE };

struct finding {
	enum finding_level level;
	char code[8];      /* "E004", or "" */
	char *file;        /* as the user wrote it; "redis:…" for Redis keys */
	struct mark mark;
	char *message;
	char *source;      /* the line of the file, or NULL */
};

struct findings {
	struct finding *v;
	size_t n, cap;
	size_t errors, warnings, notes;
};

/* Keeps at most 100 errors and 1,000 others; the rest is only counted. `source_text` is the whole file (may be absent). */
void findings_add(struct findings *f, enum finding_level level, const char *code, const char *file, struct mark mark,
                  struct slice source_text, const char *fmt, ...) PRINTF(7, 8);
void findings_move(struct findings *to, struct findings *from); /* appends and empties `from` */
void findings_sort(struct findings *f);                         /* by file, line, column; stable */
void findings_clear(struct findings *f);
/* GCC style with source line and caret: "file:l:c: error: message [E004]". */
void findings_text(const struct findings *f, struct buf *out);
void findings_json(const struct findings *f, size_t files, struct buf *out); /* language.md section 17.19 */

/* The name nearest to `word` within Damerau-Levenshtein distance 2 (the first of equals), or NULL. */
const char *suggest(struct slice word, const char *const *names, size_t n);

#endif
