/* A map while it is collected: entries as their owners wrote them, field by field, from any number of
 * sources. Checks nothing; map_compile does. One arena, so an entry's memory lives as long as the draft. */
#include "model/service_map_draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID_MAX = 128 };

struct map_draft *map_draft_new(void)
{
	struct map_draft *d = xcalloc(1, sizeof *d);
	d->arena = arena_new(0);
	d->by_id = hmap_new();
	return d;
}

void map_draft_free(struct map_draft *d)
{
	if (d == NULL)
		return;
	hmap_free(d->by_id);
	arena_free(d->arena);
	free(d->v);
	free(d->sources);
	free(d->pairs);
	free(d);
}

struct map_entry *map_draft_add(struct map_draft *d)
{
	d->v = array_reserve(d->v, &d->cap, d->n + 1, sizeof(struct map_entry *));
	struct map_entry *e = arena_alloc(d->arena, sizeof *e);
	d->v[d->n++] = e;
	d->live++;
	return e;
}

char *map_draft_str(struct map_draft *d, struct slice s)
{
	return arena_str(d->arena, s);
}

void *map_draft_array(struct map_draft *d, size_t count, size_t size)
{
	return arena_array(d->arena, count, size);
}

size_t map_draft_len(const struct map_draft *d)
{
	return d->live;
}

static void index_more(struct map_draft *d)
{
	for (; d->indexed < d->n; d->indexed++) {
		const struct map_entry *e = d->v[d->indexed];
		if (e == NULL)
			continue;
		if (DOUBT(e->id == NULL))
			return;
		if (hmap_get(d->by_id, slice_str(e->id)) != NULL)
			d->repeats = true;
		else
			hmap_put(d->by_id, slice_str(e->id), (void *)(d->indexed + 1));
	}
}

struct map_entry *map_draft_find(struct map_draft *d, struct slice id)
{
	index_more(d);
	size_t at = (size_t)hmap_get(d->by_id, id);
	BUG_ON(at > d->n);
	return at > 0 ? d->v[at - 1] : NULL;
}

static void remove_at(struct map_draft *d, size_t i)
{
	BUG_ON(d->live == 0 || d->v[i] == NULL);
	d->v[i] = NULL;
	d->live--;
}

void map_draft_remove(struct map_draft *d, struct slice id)
{
	index_more(d);
	size_t at = (size_t)hmap_del(d->by_id, id);
	if (at == 0)
		return;
	remove_at(d, at - 1);
	for (size_t i = at; d->repeats && i < d->n; i++) {
		if (d->v[i] != NULL && d->v[i]->id != NULL && slice_is(id, d->v[i]->id))
			remove_at(d, i);
	}
}

static bool next_word(struct slice *line, struct slice *word)
{
	*line = slice_trim(*line);
	size_t n = 0;
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	*word = slice_of(line->p, n);
	*line = slice_of(line->p + n, line->n - n);
	return n > 0;
}

static void hosts_line(struct map_draft *d, struct slice line)
{
	struct slice word, rest = line;
	struct address a;
	slice_split(&rest, '#', &line);
	if (line.n == 0 || !next_word(&line, &word) || !address_parse(word, &a) || address_loopback(&a))
		return;
	while (next_word(&line, &word)) {
		d->pairs = array_reserve(d->pairs, &d->cap_pairs, d->n_pairs + 1, sizeof *d->pairs);
		d->pairs[d->n_pairs++] = (struct host_pair){a, arena_slice(d->arena, word)};
	}
}

void map_draft_hosts_file(struct map_draft *d, struct slice text)
{
	struct slice line;
	while (slice_split(&text, '\n', &line)) {
		if (line.n > 0)
			hosts_line(d, line);
	}
}

bool map_id_valid(struct slice id)
{
	if (id.n == 0 || id.n > ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

static bool is_redis(const struct map_entry *e)
{
	return e->file != NULL && strncmp(e->file, "redis:", 6) == 0;
}

/* "redis:<prefix>" without the key of the service, if the reader put it there. */
static struct slice redis_prefix(const struct map_entry *e)
{
	struct slice file = slice_str(e->file), id = slice_str(e->id);
	if (id.n > 0 && slice_ends(file, id)) {
		struct slice head = slice_of(file.p, file.n - id.n);
		if (slice_ends(head, SLICE("service:")))
			return slice_of(head.p, head.n - strlen("service:"));
	}
	return file;
}

static void redis_place(const struct map_entry *e, enum map_part part, struct slice item, struct buf *out)
{
	static const struct {
		const char *key;
		bool by_id;
	} keys[] = {
	    [PART_SERVICE] = {"service:", true}, [PART_NEEDS] = {"needs:", true},
	    [PART_GROUPS] = {"groups:", true},   [PART_HOSTS] = {"hosts", false},
	    [PART_ALIASES] = {"aliases", false}, [PART_PORTS] = {"ports", false},
	};
	buf_adds(out, redis_prefix(e));
	buf_str(out, keys[part].key);
	if (keys[part].by_id && e->id != NULL)
		buf_str(out, e->id);
	if (item.n > 0)
		buf_printf(out, "[" SLICE_FMT "]", SLICE_ARG(item));
}

static const char *file_of(const struct map_entry *e)
{
	return e->file != NULL ? e->file : "map";
}

void map_place_text(const struct map_entry *e, enum map_part part, struct slice item, struct mark mark,
                    struct buf *out)
{
	if (is_redis(e)) {
		redis_place(e, part, item, out);
		return;
	}
	if (mark.line == 0)
		mark = e->mark;
	buf_str(out, file_of(e));
	if (mark.line > 0)
		buf_printf(out, ":%u:%u", mark.line, mark.col);
}

static struct slice source_of(const struct map_draft *d, const char *file)
{
	for (size_t i = 0; i < d->n_sources; i++) {
		if (d->sources[i].file == file)
			return d->sources[i].text;
	}
	return SLICE_NONE;
}

void map_finding(const struct map_draft *d, struct findings *f, enum finding_level level, const char *code,
                 const struct map_entry *e, enum map_part part, struct slice item, struct mark mark,
                 const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	char *message = NULL;
	if (vasprintf(&message, fmt, ap) < 0)
		message = xstrdup(fmt);
	va_end(ap);
	if (is_redis(e)) {
		redis_place(e, part, item, &text);
		findings_add(f, level, code, buf_cstr(&text), (struct mark){0}, SLICE_NONE, "%s", message);
	} else {
		if (mark.line == 0)
			mark = e->mark;
		findings_add(f, level, code, file_of(e), mark, source_of(d, e->file), "%s", message);
	}
	free(message);
	buf_free(&text);
}
