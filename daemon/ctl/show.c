/* See show.h. */
#include "ctl/show.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- text */

static uint32_t code_point(struct slice s, size_t at, size_t len)
{
	unsigned char first = (unsigned char)s.p[at];
	uint32_t c = len == 1 ? first : first & (0x7fu >> len);

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s.p[at + i] & 0x3fu);
	return c;
}

/* Characters that draw nothing of their own but move or turn what follows. */
static bool harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

void show_clean(struct buf *out, struct slice s)
{
	for (size_t at = 0; at < s.n;) {
		size_t len = slice_char(s, at);

		if (len == 0) {
			buf_str(out, "\xef\xbf\xbd");
			at++;
			continue;
		}
		if (s.p[at] == '\t' || s.p[at] == '\n' || s.p[at] == '\r')
			buf_char(out, ' ');
		else if (!harmful(code_point(s, at, len)))
			buf_add(out, s.p + at, len);
		at += len;
	}
}

size_t show_width(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static const char *escape(enum show_colour colour)
{
	switch (colour) {
	case SHOW_PLAIN: return "";
	case SHOW_RED: return "\033[31m";
	case SHOW_YELLOW: return "\033[33m";
	case SHOW_GREEN: return "\033[32m";
	case SHOW_BLUE: return "\033[34m";
	case SHOW_BOLD: return "\033[1m";
	case SHOW_DIM: return "\033[2m";
	}
	bug_stop("a colour of none", __FILE__, __LINE__);
}

static void put(const struct ctl *c, enum show_colour colour, struct slice clean)
{
	bool paint = c->colour && colour != SHOW_PLAIN && clean.n > 0;

	if (paint)
		fputs(escape(colour), c->out);
	if (clean.n > 0)
		fwrite(clean.p, 1, clean.n, c->out);
	if (paint)
		fputs("\033[0m", c->out);
}

void show_text(const struct ctl *c, enum show_colour colour, struct slice s)
{
	struct buf b = {0};

	show_clean(&b, s);
	put(c, colour, buf_slice(&b));
	buf_free(&b);
}

void show_fact(const struct ctl *c, const char *label, struct slice s)
{
	if (s.n == 0)
		return;
	fprintf(c->out, "%-12s ", label);
	show_text(c, SHOW_PLAIN, s);
	fputc('\n', c->out);
}

static void span(struct buf *out, duration d)
{
	int64_t s = d / SECOND;

	if (s < 100)
		buf_printf(out, "%llds", (long long)s);
	else if (s < 100 * 60)
		buf_printf(out, "%lldm", (long long)(s / 60));
	else if (s < 48 * 3600)
		buf_printf(out, "%lldh", (long long)(s / 3600));
	else
		buf_printf(out, "%lldd", (long long)(s / 86400));
}

void show_when(const struct ctl *c, struct slice rfc3339, struct buf *out)
{
	instant t;

	if (rfc3339.n == 0) {
		buf_char(out, '-');
	} else if (c->utc || !instant_parse(rfc3339, &t)) {
		show_clean(out, rfc3339);
	} else if (t > c->now + SECOND) {
		buf_str(out, "in ");
		span(out, t - c->now);
	} else {
		span(out, MAX(c->now - t, 0));
		buf_str(out, " ago");
	}
}

char show_letter(struct slice severity)
{
	return slice_is(severity, "critical")  ? 'C'
	       : slice_is(severity, "major")   ? 'M'
	       : slice_is(severity, "minor")   ? 'm'
	       : slice_is(severity, "warning") ? 'w'
	       : slice_is(severity, "info")    ? 'i'
	                                       : '-';
}

enum show_colour show_severity(struct slice severity)
{
	switch (show_letter(severity)) {
	case 'C':
	case 'M': return SHOW_RED;
	case 'm':
	case 'w': return SHOW_YELLOW;
	default: return SHOW_PLAIN;
	}
}

/* ---- tables */

struct cell {
	char *text;
	size_t n, width;
	enum show_colour colour;
};
struct show_table {
	struct show_column columns[SHOW_COLUMNS];
	size_t n_columns;
	struct cell *cells;
	size_t n, cap;
};

struct show_table *show_table_new(const struct show_column *columns, size_t n)
{
	struct show_table *t = xcalloc(1, sizeof *t);

	BUG_ON(n == 0 || n > SHOW_COLUMNS);
	memcpy(t->columns, columns, n * sizeof *columns);
	t->n_columns = n;
	return t;
}

void show_cell(struct show_table *t, enum show_colour colour, struct slice text)
{
	struct buf b = {0};

	if (text.n > 0)
		show_clean(&b, text);
	else
		buf_char(&b, '-');
	t->cells = array_reserve(t->cells, &t->cap, t->n + 1, sizeof *t->cells);
	t->cells[t->n++] = (struct cell){b.p, b.n, show_width(buf_slice(&b)), colour};
}

void show_cellf(struct show_table *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	show_cell(t, SHOW_PLAIN, slice_str(text));
}

static size_t total(const size_t *widths, size_t n)
{
	size_t sum = 2 * (n - 1);

	for (size_t i = 0; i < n; i++)
		sum += widths[i];
	return sum;
}

/* Takes from the widest column until the line fits: of the flexible ones down to 12, then of any down to 4.
 */
static void fit(const struct show_table *t, size_t *widths, size_t limit)
{
	for (int any = 0; any < 2; any++) {
		size_t least = any != 0 ? 4 : 12;

		while (total(widths, t->n_columns) > limit) {
			size_t widest = SIZE_MAX;

			for (size_t i = 0; i < t->n_columns; i++)
				if ((any != 0 || t->columns[i].flexible) && widths[i] > least &&
				    (widest == SIZE_MAX || widths[i] > widths[widest]))
					widest = i;
			if (widest == SIZE_MAX)
				break;
			widths[widest]--;
		}
	}
}

static void put_cell(const struct ctl *c, const struct show_column *col, struct slice text, size_t have,
                     size_t want, bool last, enum show_colour colour)
{
	size_t keep = text.n, seen = 0;
	bool cut = have > want;

	if (cut) {
		/* one column is for the ellipsis; a cut stands between characters */
		for (keep = 0; keep < text.n; keep++) {
			bool begins = ((unsigned char)text.p[keep] & 0xc0) != 0x80;

			if (begins && seen == want - 1)
				break;
			seen += begins;
		}
		have = want;
	}
	for (size_t i = have; col->right && i < want; i++)
		fputc(' ', c->out);
	put(c, colour, slice_of(text.p, keep));
	if (cut)
		fputs("…", c->out);
	for (size_t i = have; !col->right && !last && i < want; i++)
		fputc(' ', c->out);
	fputs(last ? "\n" : "  ", c->out);
}

static void measure(const struct ctl *c, const struct show_table *t, size_t *widths)
{
	for (size_t k = 0; k < t->n_columns; k++)
		widths[k] = show_width(slice_str(t->columns[k].title));
	for (size_t i = 0; i < t->n; i++)
		widths[i % t->n_columns] = MAX(widths[i % t->n_columns], t->cells[i].width);
	if (c->width > 0)
		fit(t, widths, c->width);
}

static void table_free(struct show_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

void show_table_end(const struct ctl *c, struct show_table *t, const char *nothing)
{
	size_t widths[SHOW_COLUMNS], n = t->n_columns;

	BUG_ON(t->n % n != 0);
	measure(c, t, widths);
	if (t->n == 0 && !c->quiet)
		fprintf(c->out, "%s\n", nothing);
	for (size_t k = 0; t->n > 0 && k < n; k++) {
		struct slice title = slice_str(t->columns[k].title);
		put_cell(c, &t->columns[k], title, show_width(title), widths[k], k + 1 == n, SHOW_BOLD);
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct cell *cell = &t->cells[i];
		put_cell(c, &t->columns[i % n], slice_of(cell->text, cell->n), cell->width, widths[i % n],
		         i % n + 1 == n, cell->colour);
	}
	table_free(t);
}

void show_list_end(const struct ctl *c, struct show_table *t, struct buf *json, const char *nothing)
{
	if (c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(json)));
	if (c->json || c->quiet)
		table_free(t);
	else
		show_table_end(c, t, nothing);
	buf_free(json);
}
