/* config diff, map diff and map graph: what runs against what the files say. */
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "ctl/client.h"
#include "ctl/load.h"
#include "ctl/show.h"

#define LINES_MAX 4000u

static struct slice text(const struct json *o, const char *key)
{
	return json_text(json_get(o, key));
}

/* ---- lines: the longest common part stays, the rest is taken away or new */

struct lines {
	struct slice v[LINES_MAX];
	size_t n;
};

static void split(struct slice s, struct lines *l)
{
	struct slice line;

	while (s.n > 0 && l->n < LINES_MAX && slice_split(&s, '\n', &line))
		l->v[l->n++] = line;
}

static void put_line(const struct ctl *c, char sign, struct slice line)
{
	struct buf b = {0};

	if (c->quiet || c->json)
		return;
	buf_printf(&b, "%c " SLICE_FMT, sign, SLICE_ARG(line));
	show_text(c, sign == '-' ? SHOW_RED : SHOW_GREEN, buf_slice(&b));
	fputc('\n', c->out);
	buf_free(&b);
}

static void json_line(struct jw *w, const char *key, struct slice line)
{
	jw_object(w);
	jw_kslice(w, key, line);
	jw_end(w);
}

/* How many lines differ. */
static size_t compare(const struct ctl *c, const struct lines *a, const struct lines *b, struct jw *w)
{
	uint16_t *len = xcalloc((a->n + 1) * (b->n + 1), sizeof *len); /* common lines from (i, k) on */
	size_t differ = 0, row = b->n + 1;

	for (size_t i = a->n; i-- > 0;)
		for (size_t k = b->n; k-- > 0;)
			len[i * row + k] = slice_eq(a->v[i], b->v[k])
			                       ? (uint16_t)(len[(i + 1) * row + k + 1] + 1)
			                       : MAX(len[(i + 1) * row + k], len[i * row + k + 1]);
	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		if (i < a->n && k < b->n && slice_eq(a->v[i], b->v[k])) {
			i++;
			k++;
			continue;
		}
		bool gone = i < a->n && (k == b->n || len[(i + 1) * row + k] >= len[i * row + k + 1]);

		put_line(c, gone ? '-' : '+', gone ? a->v[i] : b->v[k]);
		json_line(w, gone ? "running" : "files", gone ? a->v[i] : b->v[k]);
		i += gone;
		k += !gone;
		differ++;
	}
	free(len);
	return differ;
}

static int config_compared(struct ctl *c, const struct config *config, struct slice running)
{
	struct lines *a = xcalloc(1, sizeof *a), *b = xcalloc(1, sizeof *b);
	struct buf files = {0}, out = {0};
	struct jw w = jw_new(&out);
	size_t n;

	config_show(config, false, &files);
	split(running, a);
	split(buf_slice(&files), b);
	jw_object(&w);
	jw_key(&w, "differences");
	jw_array(&w);
	n = compare(c, a, b, &w);
	jw_array_end(&w);
	jw_end(&w);
	if (c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
	else if (n == 0 && !c->quiet)
		fputs("what runs is what the files say\n", c->out);
	buf_free(&files);
	buf_free(&out);
	free(a);
	free(b);
	return n > 0 ? CTL_FOUND : CTL_DONE;
}

int diffs_config(struct ctl *c, const struct args *args)
{
	struct load l;
	struct client_reply r = {0};
	int rc;

	(void)args;
	if (!load_config(c, &l)) {
		ctl_findings(c->err, &l.f);
		load_free(&l);
		return CTL_FOUND;
	}
	rc = client_call(c, "GET", "/api/v1/config", SLICE_NONE, &r);
	rc = rc == 0 ? client_verdict(c, &r) : rc;
	if (rc == 0)
		rc = config_compared(c, l.config, buf_slice(&r.body));
	client_free(&r);
	load_free(&l);
	return rc;
}

/* ---- maps: one line says all of a service */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "need=… need=…", sorted; takes the texts. */
static void put_needs(struct buf *b, char **v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof *v, by_text);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, " needs=%s", v[i]);
		free(v[i]);
	}
	free(v);
}

static char *need_text(struct buf *members, unsigned at_least, const char *effect)
{
	return at_least > 0
	           ? xasprintf("{any:[%s],at_least:%u,effect:%s}", buf_cstr(members), at_least, effect)
	           : xasprintf("%s(%s)", buf_cstr(members), effect);
}

static void put_facts(struct buf *b, const char *const *names, const struct slice *values, size_t n)
{
	buf_clear(b);
	for (size_t i = 0; i < n; i++)
		if (values[i].n > 0)
			buf_printf(b, "%s%s=" SLICE_FMT, b->n > 0 ? " " : "", names[i], SLICE_ARG(values[i]));
}

static const char *const fact_names[] = {"name", "kind", "tier", "owner", "assign", "runbook"};

static void line_of_json(const struct json *s, struct buf *b)
{
	struct slice values[ARRAY_LEN(fact_names)];
	const struct json *needs = json_get(s, "needs");
	size_t n = needs != NULL ? needs->n : 0, k = 0;
	char **v = xcalloc(n + 1, sizeof *v);

	for (size_t i = 0; i < ARRAY_LEN(fact_names); i++)
		values[i] = text(s, fact_names[i]);
	put_facts(b, fact_names, values, ARRAY_LEN(fact_names));
	for (const struct json *e = needs != NULL ? needs->first : NULL; e != NULL; e = e->next) {
		struct buf members = {0};
		const struct json *any = json_get(e, "any");
		int64_t least = 0;

		for (const struct json *m = any != NULL ? any->first : NULL; m != NULL; m = m->next)
			buf_printf(&members, "%s" SLICE_FMT, members.n > 0 ? "," : "",
			           SLICE_ARG(json_text(m)));
		if (any == NULL)
			buf_adds(&members, text(e, "id"));
		else
			(void)json_int(json_get(e, "at_least"), &least);
		char *effect = slice_dup(text(e, "effect"));
		v[k++] = need_text(&members, (unsigned)least, effect != NULL ? effect : "down");
		free(effect);
		buf_free(&members);
	}
	put_needs(b, v, k);
}

static void line_of_file(const struct service_map *m, uint32_t s, struct buf *b)
{
	struct slice values[ARRAY_LEN(fact_names)];
	char tier[16];
	size_t n, members;
	const struct map_edge *e = service_needs(m, s, &n);
	char **v = xcalloc(n + 1, sizeof *v);

	for (size_t i = 0; i < ARRAY_LEN(fact_names); i++)
		values[i] = service_text(m, s, fact_names[i]);
	snprintf(tier, sizeof tier, "%d", service_tier(m, s));
	values[2] = service_tier(m, s) > 0 ? slice_str(tier) : SLICE_NONE;
	put_facts(b, fact_names, values, ARRAY_LEN(fact_names));
	for (size_t k = 0; k < n; k++) {
		struct buf list = {0};
		const uint32_t *one = &e[k].to;

		members = 1;
		if (e[k].is_group)
			one = group_members(m, e[k].to, &members);
		for (size_t i = 0; i < members && i < 100; i++)
			buf_printf(&list, "%s" SLICE_FMT, i > 0 ? "," : "", SLICE_ARG(service_id(m, one[i])));
		v[k] = need_text(&list, e[k].is_group ? group_at_least(m, e[k].to) : 0,
		                 effect_word((enum effect)e[k].effect));
		buf_free(&list);
	}
	put_needs(b, v, n);
}

struct difference {
	struct ctl *c;
	const struct service_map *files;
	bool *seen; /* by service of the files */
	size_t added, removed, changed;
	struct jw w;
};

static void tell(struct difference *d, const char *what, struct slice id, struct slice running,
                 struct slice files)
{
	jw_object(&d->w);
	jw_kslice(&d->w, "id", id);
	jw_kstr(&d->w, "change", what);
	jw_kslice(&d->w, "running", running);
	jw_kslice(&d->w, "files", files);
	jw_end(&d->w);
	if (d->c->json || d->c->quiet)
		return;
	show_text(d->c,
	          what[0] == 'a'   ? SHOW_GREEN
	          : what[0] == 'r' ? SHOW_RED
	                           : SHOW_YELLOW,
	          slice_str(what));
	fputc(' ', d->c->out);
	show_text(d->c, SHOW_BOLD, id);
	fputc('\n', d->c->out);
	if (running.n > 0)
		put_line(d->c, '-', running);
	if (files.n > 0)
		put_line(d->c, '+', files);
}

static void page(struct difference *d, const struct json *list)
{
	struct buf now = {0}, then = {0};

	for (const struct json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next) {
		const struct json *known = json_get(s, "in_map");
		uint32_t at = service_find(d->files, text(s, "id"));

		if (known != NULL && !known->boolean)
			continue;
		line_of_json(s, &now);
		if (at == SERVICE_NONE || service_unknown(d->files, at)) {
			d->removed++;
			tell(d, "removed", text(s, "id"), buf_slice(&now), SLICE_NONE);
			continue;
		}
		d->seen[at] = true;
		line_of_file(d->files, at, &then);
		if (slice_eq(buf_slice(&now), buf_slice(&then)))
			continue;
		d->changed++;
		tell(d, "changed", text(s, "id"), buf_slice(&now), buf_slice(&then));
	}
	buf_free(&now);
	buf_free(&then);
}

static int pages(struct difference *d)
{
	char *after = xstrdup("");
	int rc = 0;

	for (bool more = true; rc == 0 && more;) {
		struct arena *a = arena_new(0);
		struct client_reply r = {0};
		struct buf path = {0};
		struct json *j;

		buf_str(&path, "/api/v1/map/services?limit=1000&after=");
		client_quote(&path, slice_str(after));
		rc = client_json(d->c, "GET", buf_cstr(&path), SLICE_NONE, a, &r, &j);
		if (rc == 0) {
			page(d, json_get(j, "services"));
			more = text(j, "next").n > 0;
			free(after);
			after = more ? slice_dup(text(j, "next")) : xstrdup("");
		}
		buf_free(&path);
		client_free(&r);
		arena_free(a);
	}
	free(after);
	return rc;
}

static int map_compared(struct ctl *c, const struct service_map *m)
{
	struct buf out = {0}, line = {0};
	struct difference d = {
	    .c = c, .files = m, .seen = xcalloc(service_map_len(m) + 1, sizeof(bool)), .w = jw_new(&out)};
	int rc;

	jw_object(&d.w);
	jw_key(&d.w, "differences");
	jw_array(&d.w);
	rc = pages(&d);
	for (uint32_t s = 0; rc == 0 && s < service_map_len(m); s++) {
		if (d.seen[s] || service_unknown(m, s))
			continue;
		line_of_file(m, s, &line);
		d.added++;
		tell(&d, "added", service_id(m, s), SLICE_NONE, buf_slice(&line));
	}
	jw_array_end(&d.w);
	jw_kint(&d.w, "added", (int64_t)d.added);
	jw_kint(&d.w, "removed", (int64_t)d.removed);
	jw_kint(&d.w, "changed", (int64_t)d.changed);
	jw_end(&d.w);
	if (rc == 0 && c->json)
		fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
	else if (rc == 0 && !c->quiet)
		fprintf(c->out, "%zu added, %zu removed, %zu changed by the files\n", d.added, d.removed,
		        d.changed);
	if (rc == 0 && d.added + d.removed + d.changed > 0)
		rc = CTL_FOUND;
	free(d.seen);
	buf_free(&out);
	buf_free(&line);
	return rc;
}

/* With the map of the files or of a path; `do` as a function of it. */
static int with_map(struct ctl *c, const char *path, int (*run)(struct ctl *c, const struct service_map *m))
{
	struct load l;
	struct load_map m = {0};
	struct findings f = {0};
	struct error err;
	int rc = CTL_FOUND;

	if (!load_config(c, &l)) {
		ctl_findings(c->err, &l.f);
	} else if (!load_map(&l, path, &m, &f, &err)) {
		ctl_findings(c->err, &f);
		rc = ctl_fail(c, CTL_FOUND, "%s", err.text);
	} else {
		rc = run(c, m.map);
	}
	load_map_free(&m);
	findings_clear(&f);
	load_free(&l);
	return rc;
}

int diffs_map(struct ctl *c, const struct args *a)
{
	return with_map(c, args_word(a, 0), map_compared);
}

/* ---- graph: Graphviz, hard needs drawn through, soft ones dashed, a group as a small box */

static void dot_id(const struct ctl *c, struct slice id)
{
	fputc('"', c->out);
	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] == '"' || id.p[i] == '\\')
			fputc('\\', c->out);
		fputc(id.p[i], c->out);
	}
	fputc('"', c->out);
}

static void dot_style(const struct ctl *c, enum effect effect)
{
	fputs(effect == EFFECT_DOWN       ? ";\n"
	      : effect == EFFECT_DEGRADED ? " [style=dashed];\n"
	                                  : " [style=dotted];\n",
	      c->out);
}

static void dot_needs(const struct ctl *c, const struct service_map *m, uint32_t s)
{
	size_t n;
	const struct map_edge *e = service_needs(m, s, &n);

	for (size_t k = 0; k < n; k++) {
		fputs("  ", c->out);
		dot_id(c, service_id(m, s));
		fputs(" -> ", c->out);
		if (e[k].is_group)
			fprintf(c->out, "group_%u", e[k].to);
		else
			dot_id(c, service_id(m, e[k].to));
		dot_style(c, (enum effect)e[k].effect);
	}
}

static int put_graph(struct ctl *c, const struct service_map *m)
{
	size_t n;

	fputs("digraph services {\n  rankdir=TB;\n  node [shape=box];\n", c->out);
	for (uint32_t s = 0; s < service_map_len(m); s++) {
		fputs("  ", c->out);
		dot_id(c, service_id(m, s));
		fputs(service_tier(m, s) > 0  ? " [style=bold];\n"
		      : service_unknown(m, s) ? " [style=dotted];\n"
		                              : ";\n",
		      c->out);
		dot_needs(c, m, s);
	}
	for (uint32_t g = 0; g < map_groups_len(m); g++) {
		const uint32_t *v = group_members(m, g, &n);

		fprintf(c->out, "  group_%u [shape=oval, label=\"%u of %zu\"];\n", g, group_at_least(m, g),
		        n);
		for (size_t i = 0; i < n; i++) {
			fprintf(c->out, "  group_%u -> ", g);
			dot_id(c, service_id(m, v[i]));
			fputs(";\n", c->out);
		}
	}
	fputs("}\n", c->out);
	return CTL_DONE;
}

int diffs_graph(struct ctl *c, const struct args *a)
{
	return with_map(c, args_word(a, 0), put_graph);
}
