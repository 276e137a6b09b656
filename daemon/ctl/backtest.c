/* rules backtest: what a rule set would have made of a recording. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int run_loaded(struct ctl *c, const struct args *a, struct load *l, const struct load_map *m)
{
	char *data = files_data_dir(), *profiles = xasprintf("%s/plugins/webhook", data);
	const char *tickets = args_value(a, "tickets");
	char *dir = record_dir(a, l->config);
	struct bt_source source = {.file = args_value(a, "events"), .dir = dir};
	struct bt_run r = {.load = l, .map = m->map, .raw = raw_input_new(l->config, profiles)};
	struct error err;
	int rc = CTL_DONE;

	if (record_range(c, a, &source.from, &source.to, &source.clock) != CTL_DONE)
		rc = CTL_USAGE;
	else if (!restart_every(a, &r.restart_every))
		rc = ctl_fail(c, CTL_USAGE, "--restart-every needs a number of payloads");
	else if (bt_run(&r, &source, &err) != 0)
		rc = ctl_fail(c, CTL_FOUND, "%s", err.text);
	else {
		complain(c, &r);
		if (tickets != NULL)
			rc = write_tickets(c, tickets, &r);
	}
	bt_run_free(&r);
	raw_input_free(r.raw);
	free(dir);
	free(profiles);
	free(data);
	return rc;
}

int backtest_rules(struct ctl *c, const struct args *a)
{
	struct load l;
	struct load_map m = {0};
	struct findings f = {0};
	struct error err;
	size_t n;
	const char **paths = values(a, "rules", &n);
	int rc = CTL_FOUND;

	if ((args_value(a, "events") != NULL) ==
	    (args_value(a, "since") != NULL || args_value(a, "from") != NULL)) {
		free(paths);
		return ctl_fail(
		    c, CTL_USAGE,
		    "name a recording with --events FILE, or a time of the daemon's own with --since 7d");
	}
	if (!load_rules(c, &l, paths, n, false)) {
		ctl_findings(c->err, &l.f);
	} else if (!load_map(&l, args_value(a, "map"), &m, &f, &err)) {
		ctl_findings(c->err, &f);
		rc = ctl_fail(c, CTL_FOUND, "%s", err.text);
	} else {
		rc = run_loaded(c, a, &l, &m);
	}
	findings_clear(&f);
	load_map_free(&m);
	load_free(&l);
	free(paths);
	return rc;
}
