/* map check and service find: map files without a daemon. */
#include <stdlib.h>
#include <string.h>

#include "ctl/load.h"
#include "ctl/report_findings.h"
#include "ctl/show.h"

/* ---- check */

static void put_result(struct ctl *c, const struct args *a, struct findings *f, const struct load_map *m,
                       size_t files)
{
	if (report_findings(c, a, f, files))
		return;
	ctl_findings(c->out, f);
	if (m->map != NULL && !c->quiet)
		fprintf(c->out, "%zu file%s read, %u services, %u needs: ", files, files == 1 ? "" : "s",
		        service_map_len(m->map), service_map_needs_len(m->map));
	if (!c->quiet)
		fprintf(c->out, "%zu errors, %zu warnings, %zu notes\n", f->errors, f->warnings, f->notes);
}

static void compile(struct map_draft *d, const struct load *l, struct load_map *m, struct findings *f)
{
	struct error err;

	if (f->errors == 0 && map_compile(d, l->config->limits.services, f, &m->bytes) == 0)
		m->map = service_map_open(buf_slice(&m->bytes), &err);
}

int map_check(struct ctl *c, const struct args *a)
{
	struct load l;
	struct load_map m = {0};
	struct findings f = {0};
	struct map_draft *d = map_draft_new();
	int rc = CTL_DONE;

	if (!load_config(c, &l)) {
		ctl_findings(c->err, &l.f);
		rc = CTL_FOUND;
	} else if (a->n_words == 0 && l.config->map.redis) {
		rc = ctl_fail(c, CTL_USAGE,
		              "the map is in Redis, which this version checks in the daemon only: see "
		              "carillonctl status, or name a PATH");
	} else {
		for (size_t i = 0; i < a->n_words; i++)
			load_map_path(d, a->words[i], &m.files, &f);
		if (a->n_words == 0)
			load_map_path(d, l.config->map.path, &m.files, &f);
		compile(d, &l, &m, &f);
		put_result(c, a, &f, &m, m.files);
		rc = ctl_verdict(&f, args_flag(a, "strict"));
	}
	load_map_free(&m);
	map_draft_free(d);
	findings_clear(&f);
	load_free(&l);
	return rc;
}

/* ---- find */

static const enum resolve_step host_steps[] = {RESOLVE_HOST,    RESOLVE_ID,      RESOLVE_ALIAS, RESOLVE_SHORT,
                                               RESOLVE_PATTERN, RESOLVE_ADDRESS, RESOLVE_CIDR};

/* The steps of map.md section 4 up to the one that hit. */
static void show_steps(struct ctl *c, enum resolve_step hit)
{
	for (size_t i = 0; i < ARRAY_LEN(host_steps); i++) {
		bool yes = host_steps[i] == hit;

		fputs("  ", c->out);
		show_text(c, yes ? SHOW_GREEN : SHOW_DIM, yes ? SLICE("✓ ") : SLICE("✗ "));
		fprintf(c->out, "%s\n", resolve_step_word(host_steps[i]));
		if (yes)
			return;
	}
}

static void show_service(struct ctl *c, const struct service_map *m, uint32_t s)
{
	static const char *const what[] = {"name", "kind", "owner", "assign", "runbook", "source"};
	struct buf b = {0};
	size_t n;
	const struct map_edge *needs = service_needs(m, s, &n);

	show_fact(c, "service", service_id(m, s));
	for (size_t i = 0; i < ARRAY_LEN(what); i++)
		show_fact(c, what[i], service_text(m, s, what[i]));
	if (service_tier(m, s) > 0)
		buf_printf(&b, "%d", service_tier(m, s));
	show_fact(c, "tier", buf_slice(&b));
	buf_clear(&b);
	for (size_t i = 0; i < n; i++) {
		if (needs[i].is_group != 0)
			buf_printf(&b, "%sa group (%u of them)", b.n > 0 ? ", " : "",
			           group_at_least(m, needs[i].to));
		else
			buf_printf(&b, "%s" SLICE_FMT, b.n > 0 ? ", " : "",
			           SLICE_ARG(service_id(m, needs[i].to)));
	}
	show_fact(c, "needs", buf_slice(&b));
	buf_free(&b);
}

static void put_found(struct ctl *c, const struct service_map *m, const char *name, uint32_t s,
                      enum resolve_step how)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kstr(&w, "name", name);
	jw_kslice(&w, "service", s != SERVICE_NONE ? service_id(m, s) : SLICE_NONE);
	jw_kstr(&w, "how", s != SERVICE_NONE ? resolve_step_word(how) : NULL);
	jw_end(&w);
	fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

static int find(struct ctl *c, const struct args *a, const struct service_map *m)
{
	const char *name = args_word(a, 0), *port = args_value(a, "port");
	struct slice host = slice_str(name);
	enum resolve_step how = RESOLVE_NONE;
	uint32_t s = port != NULL ? resolve_event(m, SLICE_NONE, host, slice_str(port), &how)
	                          : resolve_host(m, host, &how);

	if (c->json) {
		put_found(c, m, name, s, how);
	} else if (!c->quiet) {
		if (port != NULL)
			fprintf(c->out, "  %s\n",
			        s != SERVICE_NONE ? resolve_step_word(how) : "the map has no such port");
		else
			show_steps(c, how);
		if (s != SERVICE_NONE)
			show_service(c, m, s);
	}
	return s != SERVICE_NONE ? CTL_DONE
	                         : ctl_fail(c, CTL_NO_SUCH, "the map has no service for '%s'", name);
}

int map_find(struct ctl *c, const struct args *a)
{
	struct load l;
	struct load_map m = {0};
	struct findings f = {0};
	struct error err;
	int rc;

	if (!load_config(c, &l)) {
		ctl_findings(c->err, &l.f);
		rc = CTL_FOUND;
	} else if (!load_map(&l, args_value(a, "map"), &m, &f, &err)) {
		ctl_findings(c->err, &f);
		rc = ctl_fail(c, CTL_FOUND, "%s", err.text);
	} else {
		rc = find(c, a, m.map);
	}
	load_map_free(&m);
	findings_clear(&f);
	load_free(&l);
	return rc;
}
