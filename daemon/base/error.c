/* Promises texts for people: one error, or all findings of a run with place, source line and caret. Must not
 * know what was being read. A text that does not fit is cut visibly. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

enum { KEEP_ERRORS = 100, KEEP_OTHERS = 1000, SOURCE_CHARS = 240, WORD_MAX = 64 };

/* Copies what fits and shows a cut with "..." at the border of a character. */
static void fit(struct error *e, const char *text)
{
	size_t n = strlen(text), max = sizeof e->text - 1;
	if (n <= max) {
		memcpy(e->text, text, n + 1);
		return;
	}
	n = max - 3;
	while (n > 0 && (text[n] & 0xc0) == 0x80)
		n--;
	memcpy(e->text, text, n);
	memcpy(e->text + n, "...", 4);
}

int error_set(struct error *e, const char *fmt, ...)
{
	char text[2 * sizeof e->text];
	va_list ap;
	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fit(e, text);
	return -1;
}

int error_wrap(struct error *e, const char *fmt, ...)
{
	char text[2 * sizeof e->text];
	va_list ap;
	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t at = MIN((size_t)MAX(n, 0), sizeof text - 1);
	snprintf(text + at, sizeof text - at, ": %s", e->text);
	fit(e, text);
	return -1;
}

/* Octets of the line break at i, 0 if none: those that YAML counts (YAML 1.1 section 5.4). */
static size_t line_break(struct slice s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];
	if (c == '\n')
		return 1;
	if (c == '\r')
		return i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
	if (c < 0xc2)
		return 0;
	struct slice rest = slice_sub(s, i, 3);
	if (slice_starts(rest, SLICE("\xc2\x85")))
		return 2;
	return slice_starts(rest, SLICE("\xe2\x80\xa8")) || slice_starts(rest, SLICE("\xe2\x80\xa9")) ? 3 : 0;
}

static size_t char_len(struct slice s, size_t at)
{
	size_t n = slice_char(s, at);
	return n > 0 ? n : 1; /* an octet that is no character takes one place */
}

struct mark mark_at(struct slice text, size_t at)
{
	struct mark m = {1, 1, 1};
	for (size_t i = 0, len; i < text.n && i < at; i += len) {
		len = line_break(text, i);
		if (len > 0) {
			m.line++;
			m.col = 1;
		} else {
			m.col++;
			len = char_len(text, i);
		}
	}
	return m;
}

/* To the next octet that may belong to a line break: before a finding in a large file nearly none does. */
static size_t skip_plain(struct slice s, size_t i)
{
	const uint64_t ones = UINT64_MAX / 0xff, high = ones << 7;
	uint64_t w;
	for (; s.n - i >= sizeof w; i += sizeof w) {
		memcpy(&w, s.p + i, sizeof w);
		/* none above 0x7f, none below 0x0e */
		if (((w | (w - ones * 0x0e)) & high) != 0)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0xc2 && s.p[i] != '\n' && s.p[i] != '\r')
		i++;
	return i;
}

/* The line with number `line` (from 1), long ones cut; malloc'd, NULL if there is none. */
static char *source_line(struct slice s, uint32_t line)
{
	size_t i = 0, brk;
	if (s.p == NULL || line == 0)
		return NULL;
	for (uint32_t at = 1; at < line; i += MAX(brk, 1)) {
		i = skip_plain(s, i);
		if (i >= s.n)
			return NULL;
		brk = line_break(s, i);
		at += brk > 0;
	}
	size_t end = i;
	for (size_t chars = 0; end < s.n && chars < SOURCE_CHARS && line_break(s, end) == 0; chars++)
		end += char_len(s, end);
	return slice_dup(slice_sub(s, i, end - i));
}

static bool keeps(const struct findings *f, enum finding_level level)
{
	return level == FINDING_ERROR ? f->errors <= KEEP_ERRORS : f->warnings + f->notes <= KEEP_OTHERS;
}

static void count(struct findings *f, enum finding_level level)
{
	switch (level) {
	case FINDING_ERROR: f->errors++; break;
	case FINDING_WARNING: f->warnings++; break;
	case FINDING_NOTE: f->notes++; break;
	}
}

static void keep(struct findings *f, struct finding x)
{
	f->v = array_reserve(f->v, &f->cap, f->n + 1, sizeof *f->v);
	f->v[f->n++] = x;
}

void findings_add(struct findings *f, enum finding_level level, const char *code, const char *file,
                  struct mark mark, struct slice source_text, const char *fmt, ...)
{
	BUG_ON(file == NULL);
	count(f, level);
	if (!keeps(f, level))
		return;
	struct finding x = {.level = level, .file = xstrdup(file), .mark = mark};
	snprintf(x.code, sizeof x.code, "%s", code != NULL ? code : "");
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&x.message, fmt, ap) < 0)
		x.message = xstrdup(fmt);
	va_end(ap);
	x.source = source_line(source_text, mark.line);
	keep(f, x);
}

static void finding_free(struct finding *x)
{
	free(x->file);
	free(x->message);
	free(x->source);
}

void findings_move(struct findings *to, struct findings *from)
{
	BUG_ON(to == from);
	size_t had[] = {from->errors, from->warnings, from->notes};
	for (size_t i = 0; i < from->n; i++) {
		enum finding_level level = from->v[i].level;
		BUG_ON(had[level] == 0);
		had[level]--;
		count(to, level);
		if (keeps(to, level))
			keep(to, from->v[i]);
		else
			finding_free(&from->v[i]);
	}
	to->errors += had[FINDING_ERROR];
	to->warnings += had[FINDING_WARNING];
	to->notes += had[FINDING_NOTE];
	free(from->v);
	*from = (struct findings){0};
}

static int finding_cmp(const struct finding *a, const struct finding *b)
{
	int d = strcmp(a->file, b->file);
	if (d != 0)
		return d;
	if (a->mark.line != b->mark.line)
		return a->mark.line < b->mark.line ? -1 : 1;
	return a->mark.col < b->mark.col ? -1 : a->mark.col > b->mark.col;
}

void findings_sort(struct findings *f)
{
	/* by insertion: stable, and there are 1,100 at most */
	for (size_t i = 1; i < f->n; i++) {
		struct finding x = f->v[i];
		size_t k = i;
		for (; k > 0 && finding_cmp(&x, &f->v[k - 1]) < 0; k--)
			f->v[k] = f->v[k - 1];
		f->v[k] = x;
	}
}

void findings_clear(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		finding_free(&f->v[i]);
	free(f->v);
	*f = (struct findings){0};
}

static const char *const level_names[] = {
    [FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_NOTE] = "note"};

/* Texts of others must not forge lines or drive a terminal; one place stays one place. */
static void put_clean(struct buf *out, const char *text, bool tabs)
{
	struct slice s = slice_str(text);
	for (size_t i = 0, len; i < s.n; i += MAX(len, 1)) {
		bool bad = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f;
		len = slice_char(s, i);
		if (len == 0)
			buf_str(out, "\xef\xbf\xbd");
		else if (bad && !(tabs && s.p[i] == '\t'))
			buf_char(out, '?');
		else
			buf_add(out, s.p + i, len);
	}
}

static void put_caret(struct buf *out, const struct finding *x)
{
	struct slice s = slice_str(x->source);
	size_t i = 0;
	uint32_t col = 1;
	for (; col < x->mark.col && i < s.n; col++) {
		buf_char(out, s.p[i] == '\t' ? '\t' : ' ');
		i += char_len(s, i);
	}
	buf_char(out, '^');
	for (uint32_t k = 1; k < x->mark.len && i < s.n; k++) {
		i += char_len(s, i);
		if (i < s.n)
			buf_char(out, '~');
	}
}

static void put_finding(struct buf *out, const struct finding *x)
{
	put_clean(out, x->file, false);
	if (x->mark.line > 0)
		buf_printf(out, ":%u", x->mark.line);
	if (x->mark.line > 0 && x->mark.col > 0)
		buf_printf(out, ":%u", x->mark.col);
	buf_printf(out, ": %s: ", level_names[x->level]);
	put_clean(out, x->message, false);
	if (x->code[0] != '\0')
		buf_printf(out, " [%s]", x->code);
	buf_char(out, '\n');
	if (x->source == NULL)
		return;
	buf_printf(out, "%5u | ", x->mark.line);
	put_clean(out, x->source, true);
	buf_char(out, '\n');
	if (x->mark.col == 0 || x->mark.col > SOURCE_CHARS)
		return;
	buf_str(out, "      | ");
	put_caret(out, x);
	buf_char(out, '\n');
}

void findings_text(const struct findings *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++)
		put_finding(out, &f->v[i]);
	size_t all = f->errors + f->warnings + f->notes;
	if (all > f->n)
		buf_printf(out, "%zu more are not shown\n", all - f->n);
}

void findings_json(const struct findings *f, size_t files, struct buf *out)
{
	struct jw w = jw_new(out);
	jw_object(&w);
	jw_key(&w, "findings");
	jw_array(&w);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];
		jw_object(&w);
		jw_kstr(&w, "file", x->file);
		jw_kint(&w, "line", x->mark.line);
		jw_kint(&w, "column", x->mark.col);
		jw_kstr(&w, "severity", level_names[x->level]);
		jw_kstr(&w, "code", x->code);
		jw_kstr(&w, "message", x->message);
		jw_end(&w);
	}
	jw_array_end(&w);
	jw_kint(&w, "files", (int64_t)files);
	jw_kint(&w, "errors", (int64_t)f->errors);
	jw_kint(&w, "warnings", (int64_t)f->warnings);
	jw_end(&w);
}

/* Optimal string alignment: Levenshtein plus swaps of neighbours. */
static size_t distance(struct slice a, struct slice b)
{
	size_t d[3][WORD_MAX + 1];
	for (size_t j = 0; j <= b.n; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			bool same = a.p[i - 1] == b.p[j - 1];
			row[j] = MIN(MIN(up[j], row[j - 1]) + 1, up[j - 1] + !same);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				row[j] = MIN(row[j], up2[j - 2] + 1);
		}
	}
	return d[a.n % 3][b.n];
}

const char *suggest(struct slice word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t least = 3;
	if (word.n == 0 || word.n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct slice name = slice_str(names[i]);
		if (name.n > WORD_MAX || name.n > word.n + 2 || word.n > name.n + 2)
			continue;
		size_t d = distance(word, name);
		/* a name that shares no letter with the word is no help */
		if (d < least && d < MAX(word.n, name.n)) {
			least = d;
			best = names[i];
		}
	}
	return best;
}
