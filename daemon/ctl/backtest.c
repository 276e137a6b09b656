/* rules backtest: what a rule set would have made of a recording. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/backtest.h"
#include "ctl/files.h"
#include "ctl/record.h"

/* ---- the command line */

/* All values of an option that may be repeated. Caller frees. */
static const char **values(const struct args *a, const char *name, size_t *n)
{
	const char **v = xcalloc(a->n_given + 1, sizeof *v);

	*n = 0;
	for (size_t i = 0; i < a->n_given; i++)
		if (slice_is(a->given[i].name, name))
			v[(*n)++] = a->given[i].value;
	return v;
}

static bool restart_every(const struct args *a, uint64_t *out)
{
	const char *text = args_value(a, "restart-every");
	int64_t n = 0;

	if (text != NULL && (!slice_int(slice_str(text), &n) || n < 1))
		return false;
	*out = (uint64_t)n;
	return true;
}

/* ---- what is said beside the tickets */

static void complain(const struct ctl *c, const struct bt_run *r)
{
	if (c->quiet)
		return;
	if (r->unreadable > 0)
		fprintf(c->err, "carillonctl: %llu lines are no payloads; %s\n",
		        (unsigned long long)r->unreadable, r->torn);
	else if (r->torn[0] != '\0')
		fprintf(c->err, "carillonctl: %s\n", r->torn);
	if (r->refused > 0)
		fprintf(c->err, "carillonctl: %llu of %llu payloads were refused by their decoders\n",
		        (unsigned long long)r->refused, (unsigned long long)r->payloads);
	if (r->gaps > 0)
		fprintf(c->err, "carillonctl: the recording has %llu gaps\n", (unsigned long long)r->gaps);
}

static int write_tickets(struct ctl *c, const char *path, const struct bt_run *r)
{
	FILE *f = strcmp(path, "-") == 0 ? c->out : fopen(path, "we");

	if (f == NULL)
		return ctl_fail(c, CTL_USAGE, "cannot write '%s': %s", path, strerror(errno));
	bt_print_tickets(r, f);
	if (f != c->out && fclose(f) != 0)
		return ctl_fail(c, CTL_TRY_AGAIN, "cannot write '%s': %s", path, strerror(errno));
	return CTL_DONE;
}

/* ---- */

/* "--events storm": a recording that comes with the product, and its map. NULL: it is no such name. Caller
 * frees. */
static char *shipped(const char *name, const char *end)
{
	static const char *const places[] = {"etc/recordings", "recordings"};
	char *data = files_data_dir(), *path = NULL;

	for (size_t i = 0; i < ARRAY_LEN(places) && path == NULL && name != NULL && strchr(name, '/') == NULL;
	     i++) {
		path = xasprintf("%s/%s/%s%s", data, places[i], name, end);
		if (access(path, R_OK) != 0) {
			free(path);
			path = NULL;
		}
	}
	free(data);
	return path;
}

struct backtest {
	struct ctl *c;
	const struct args *args;
	struct load load, other; /* the rules in question; those of --against */
	struct load_map map;
	struct bt_source source;
	char *profiles;
	const char *against;
};

static int run_one(struct backtest *b, struct load *l, struct bt_run *r)
{
	struct error err;

	*r = (struct bt_run){.load = l, .map = b->map.map, .raw = raw_input_new(b->load.config, b->profiles)};
	if (!restart_every(b->args, &r->restart_every))
		return ctl_fail(b->c, CTL_USAGE, "--restart-every needs a number of payloads");
	if (bt_run(r, &b->source, &err) != 0)
		return ctl_fail(b->c, CTL_FOUND, "%s", err.text);
	return CTL_DONE;
}

static void end_one(struct bt_run *r)
{
	bt_run_free(r);
	if (r->raw != NULL)
		raw_input_free(r->raw);
}

static int show(struct backtest *b, const struct bt_run *now, const struct bt_run *before)
{
	const char *tickets = args_value(b->args, "tickets");
	struct bt_diff d = {0};
	int rc = CTL_DONE;

	complain(b->c, now);
	if (before != NULL)
		bt_diff(&d, before, now);
	if (tickets != NULL)
		rc = write_tickets(b->c, tickets, now);
	if (tickets == NULL || strcmp(tickets, "-") != 0)
		bt_report(b->c, now, before != NULL ? &d : NULL, b->against);
	bt_diff_free(&d);
	return rc;
}

static int run_all(struct backtest *b)
{
	struct bt_run now, before = {0};
	int rc = run_one(b, &b->load, &now);

	if (rc == CTL_DONE && b->against != NULL)
		rc = run_one(b, &b->other, &before);
	if (rc == CTL_DONE)
		rc = show(b, &now, b->against != NULL ? &before : NULL);
	end_one(&now);
	end_one(&before);
	return rc;
}

/* The other rules under the same configuration; "live": the configured ones. */
static bool load_other(struct backtest *b)
{
	bool live = b->against != NULL && strcmp(b->against, "live") == 0;

	if (b->against == NULL || load_rules(b->c, &b->other, &b->against, live ? 0 : 1, false))
		return true;
	ctl_findings(b->c->err, &b->other.f);
	return false;
}

static int run_loaded(struct backtest *b)
{
	const char *name = args_value(b->args, "events");
	char *data = files_data_dir(), *dir = record_dir(b->args, b->load.config);
	char *file = name != NULL && access(name, F_OK) != 0 ? shipped(name, ".jsonl.zst") : NULL;
	int rc = CTL_USAGE;

	b->profiles = xasprintf("%s/plugins/webhook", data);
	b->source = (struct bt_source){.file = file != NULL ? file : name, .dir = dir};
	if (record_range(b->c, b->args, &b->source.from, &b->source.to, &b->source.clock) == CTL_DONE)
		rc = load_other(b) ? run_all(b) : CTL_FOUND;
	free(b->profiles);
	free(file);
	free(dir);
	free(data);
	return rc;
}

int backtest_rules(struct ctl *c, const struct args *a)
{
	struct backtest b = {.c = c, .args = a, .against = args_value(a, "against")};
	struct findings f = {0};
	struct error err;
	size_t n;
	const char **paths = values(a, "rules", &n);
	char *map;
	int rc = CTL_FOUND;

	if ((args_value(a, "events") != NULL) ==
	    (args_value(a, "since") != NULL || args_value(a, "from") != NULL)) {
		free(paths);
		return ctl_fail(
		    c, CTL_USAGE,
		    "name a recording with --events FILE, or a time of the daemon's own with --since 7d");
	}
	map = args_value(a, "map") == NULL ? shipped(args_value(a, "events"), ".map.yaml") : NULL;
	if (!load_rules(c, &b.load, paths, n, false)) {
		ctl_findings(c->err, &b.load.f);
	} else if (!load_map(&b.load, map != NULL ? map : args_value(a, "map"), &b.map, &f, &err)) {
		ctl_findings(c->err, &f);
		rc = ctl_fail(c, CTL_FOUND, "%s", err.text);
	} else {
		rc = run_loaded(&b);
	}
	findings_clear(&f);
	load_map_free(&b.map);
	load_free(&b.load);
	load_free(&b.other);
	free(map);
	free(paths);
	return rc;
}
