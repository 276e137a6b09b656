/* How things are shown to people: tables that fit the terminal, clean text, colours, times. Data of events is
 * hostile: whatever is printed here loses its control and direction characters. */
#ifndef CARILLON_CTL_SHOW_H
#define CARILLON_CTL_SHOW_H

#include "ctl/ctl.h"

enum show_colour { SHOW_PLAIN, SHOW_RED, SHOW_YELLOW, SHOW_GREEN, SHOW_BLUE, SHOW_BOLD, SHOW_DIM };

/* Appends UTF-8 without control characters (C0 but for a space in place of tab and newline, DEL, C1) and
 * without characters that change the direction of writing; damaged octets become U+FFFD. */
void show_clean(struct buf *out, struct slice s);
size_t show_width(struct slice s); /* characters */
/* Prints clean text, coloured if that is wanted. */
void show_text(const struct ctl *c, enum show_colour colour, struct slice s);
/* "label: text" on a line of its own, unless the text is absent. */
void show_fact(const struct ctl *c, const char *label, struct slice s);
/* RFC 3339 text as "3m ago", "in 5s", or as it is with --utc; absent or null: "-". */
void show_when(const struct ctl *c, struct slice rfc3339, struct buf *out);
/* C M m w i, and its colour. */
char show_letter(struct slice severity);
enum show_colour show_severity(struct slice severity);

#define SHOW_COLUMNS 12
struct show_column {
	const char *title;
	bool right;    /* numbers */
	bool flexible; /* is cut first when the terminal is narrow */
};
struct show_table;
struct show_table *show_table_new(const struct show_column *columns, size_t n);
void show_cell(struct show_table *t, enum show_colour colour, struct slice text); /* row by row */
void show_cellf(struct show_table *t, const char *fmt, ...) PRINTF(2, 3);
/* Prints and frees; `nothing` instead of an empty table. */
void show_table_end(const struct ctl *c, struct show_table *t, const char *nothing);
/* The end of a list verb: the JSON of it with --json, nothing with --quiet, else the table. Frees both. */
void show_list_end(const struct ctl *c, struct show_table *t, struct buf *json, const char *nothing);

#endif
