/* See record_set.h. One stream per intake, its segments one after the other; the stream whose next item is
 * oldest goes on. */
#include "store/record_set.h"

#include <stdlib.h>

#include "store/record_lines.h"

struct stream {
	size_t at; /* in the list: the segment being read */
	struct record_lines *lines;
	struct slice line;
	instant received;
	bool ended, told; /* told: that its segment is torn is counted */
};

struct record_set {
	char *dir;
	struct record_list list;
	struct stream streams[RECORD_INTAKES_MAX];
	size_t last; /* the stream whose line the caller has; SIZE_MAX: none */
	instant from, to;
	size_t torn;
};

/* {"received":"…" is how record_item_write begins. */
static bool received_of(struct slice line, instant *out)
{
	static const char lead[] = "{\"received\":\"";
	const char *end;

	if (!slice_starts(line, SLICE(lead)))
		return false;
	line = slice_sub(line, sizeof lead - 1, SIZE_MAX);
	end = memchr(line.p, '"', line.n);
	return end != NULL && instant_parse(slice_of(line.p, (size_t)(end - line.p)), out);
}

/* The next segment of an intake that may hold something of the wanted time. */
static bool open_next(struct record_set *s, unsigned intake)
{
	struct stream *t = &s->streams[intake];

	for (; t->at < s->list.n; t->at++) {
		const struct record_segment *seg = &s->list.v[t->at];
		char *path;
		struct error err;

		if (seg->intake != intake || seg->first == INSTANT_NONE || seg->last < s->from ||
		    seg->first >= s->to)
			continue;
		path = xasprintf("%s/%s", s->dir, seg->name);
		t->lines = record_lines_open(path, &err);
		free(path);
		t->at++;
		s->torn += seg->torn || t->lines == NULL;
		t->told = seg->torn;
		if (t->lines != NULL)
			return true;
	}
	return false;
}

static void next_of(struct record_set *s, unsigned intake)
{
	struct stream *t = &s->streams[intake];

	while (!t->ended) {
		if (t->lines == NULL && !open_next(s, intake)) {
			t->ended = true;
			return;
		}
		if (!record_lines_next(t->lines, &t->line)) {
			s->torn += record_lines_torn(t->lines) != NULL && !t->told;
			record_lines_close(t->lines);
			t->lines = NULL;
			continue;
		}
		if (received_of(t->line, &t->received) && t->received >= s->from && t->received < s->to)
			return;
	}
}

struct record_set *record_set_open(const char *dir, instant from, instant to, struct error *err)
{
	struct record_set *s = xcalloc(1, sizeof *s);

	s->dir = xstrdup(dir);
	s->from = from;
	s->to = to;
	s->last = SIZE_MAX;
	if (record_list_read(&s->list, dir, true, err) != 0) {
		record_set_close(s);
		return NULL;
	}
	for (unsigned i = 0; i < RECORD_INTAKES_MAX; i++)
		next_of(s, i);
	return s;
}

void record_set_close(struct record_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < RECORD_INTAKES_MAX; i++)
		record_lines_close(s->streams[i].lines);
	record_list_free(&s->list);
	free(s->dir);
	free(s);
}

bool record_set_next(struct record_set *s, struct slice *line)
{
	struct stream *best = NULL;

	if (s->last != SIZE_MAX)
		next_of(s, (unsigned)s->last);
	for (size_t i = 0; i < RECORD_INTAKES_MAX; i++) {
		struct stream *t = &s->streams[i];

		if (!t->ended && (best == NULL || t->received < best->received))
			best = t;
	}
	if (best == NULL)
		return false;
	s->last = (size_t)(best - s->streams);
	*line = best->line;
	return true;
}

size_t record_set_torn(const struct record_set *s)
{
	return s->torn;
}
