/* See verbs.h. */
#include "ctl/verbs.h"

#include <stdlib.h>

#include "ctl/decode.h"
#include "ctl/files.h"

const char verbs_common[] = "[--socket PATH] [--config FILE] [--json] [--table] "
                            "[--color=auto|always|never] [--quiet] [--utc] "
                            "[--help] [--version]";

static const struct verb verbs[] = {
    {"status", "", "what the daemon does: rates, queues, map, last reload, tickets", true, status_show},
    {"incidents list", "[--state S] [--priority P] [--service S] [--owner O] [--since D] [--all]",
     "incidents; --priority P2 means P1 and P2; --all also closed, transient and merged ones", true,
     incidents_list},
    {"incidents show", "ID [--why-not SERVICE]",
     "facts, who is hurt, tree of causes, components by layer, timeline, ticket; --why-not: which test kept a service out",
     true, incidents_show},
    {"incidents ack", "ID [TEXT…]", "acknowledge, also in the ticket", true, incidents_ack},
    {"incidents unack", "ID [TEXT…]", "take an acknowledgement back", true, incidents_unack},
    {"incidents resolve", "ID [TEXT…]", "resolve by hand", true, incidents_resolve},
    {"incidents reopen", "ID [TEXT…]", "open a resolved one again", true, incidents_reopen},
    {"incidents note", "ID TEXT…", "write a note, also into the ticket", true, incidents_note},
    {"incidents merge", "ID INTO [TEXT…]", "by hand: its alerts belong to INTO; its ticket closes as a duplicate",
     true, incidents_merge},
    {"incidents split", "ID ALERT… [--note TEXT]",
     "by hand: these alerts, and what they explain, are an incident of their own", true, incidents_split},
    {"alerts list", "[MATCH…] [--suppressed] [--all]",
     "alerts that fit, e.g. host=web* severity=critical; --all also closed ones", true, alerts_list},
    {"silence add",
     "MATCH… [--for D] [--until TIME] [--from TIME] [--during CALENDAR] [--reason TEXT] [--owner O] "
     "[--include-dependents] [--dry-run]",
     "mutes the alerts that fit, e.g. host=web* app!=cron; shows them first; --include-dependents: maintenance of the "
     "services that it names",
     true, silences_add},
    {"silence list", "", "silences of rule files and those made at run time", true, silences_list},
    {"silence show", "ID", "one silence", true, silences_show},
    {"silence expire", "ID", "ends it now", true, silences_expire},
    {"silence extend", "ID [--for D] [--until TIME]", "ends it later, or sooner", true, silences_extend},
    {"service find", "NAME [--port P] [--map PATH]",
     "which service a host name, address, id or alias is: by the daemon's map if it runs, else by the files, step by step",
     false, services_find},
    {"service show", "ID", "its state, what follows for it from others, its needs, who needs it, its alerts", true,
     services_show},
    {"service impact", "ID [--level=down|degraded] [--limit N]", "what fails or degrades with it, as a tree", true,
     services_impact},
    {"service needs", "ID [--depth N] [--limit N]", "what it needs, as a tree with states", true, services_needs},
    {"service path", "A B", "how one needs the other; exit 1 if neither does", true, services_path},
    {"events tail", "[MATCH…] [--rule R] [--count N]",
     "events as they arrive, decoded, with the rules they fit", true, events_tail},
    {"events send", "[JSON] [--syslog LINE] [--file F]",
     "test input, source api: fields as in a rule test, or a syslog line; a file holds one of either a line", true, events_send},
    {"rules check", "[PATH…] [--strict] [--format=text|json|sarif|github|gitlab]", "errors and lints of rule files", false,
     rules_check},
    {"rules test", "[PATH…] [--run RE] [--coverage[=MIN]] [--junit F] [--require-tests] "
     "[--format=text|json|tap|github]",
     "runs the tests of rule files on virtual time", false, rules_run_tests},
    {"rules explain", "[RULE] (--event JSON|--syslog LINE|--id ALERT) [--rules PATH] [--map PATH]",
     "what decoders, map and rules make of one event; --id: the one that opened an alert of the daemon", false, explain_rules},
    {"rules list", "[--rules PATH]", "the rules that the configuration loads", false, rules_list},
    {"rules show", "RULE [--rules PATH]", "one rule as it is written", false, rules_show},
    {"rules stats", "", "what each rule of the daemon has seen, opened and holds, the busiest first", true, rules_stats},
    {"rules cost", "", "time that each rule takes in core, from one event of 64, the dearest first", true, rules_cost},
    {"rules backtest", "[--rules PATH] [--map FILE] [--events FILE] [--since D] [--from TIME] [--to TIME] [--recordings DIR] "
     "[--tickets FILE] [--against PATH] [--restart-every N]",
     "the tickets that rules would have opened for a recording; --rules may be repeated", false, backtest_rules},
    {"rules shadow", "ACTION [PATH…]",
     "start PATH: rules run beside the live ones and open nothing; report: what they would change; stop", true, rules_shadow},
    {"rules fmt", "PATH… [--check]",
     "formats rule files in place and names those it changed; --check only names them; PATH - is a filter", false,
     rules_fmt},
    {"rules new", "[PATH] [--rule ID] [--line LINE] [--words TEXT] [--over TEXT] [--effect E]",
     "asks five questions and writes a rule with tests; with --line it asks nothing", false, rules_new},
    {"rules why", "[CODE]", "what a code means, with a bad and a good example; all codes without one", false,
     rules_why},
    {"rules docs", "[PATH…] [--out DIR]", "one Markdown page for each package", false, rules_docs},
    {"decode syslog", "[--stream] [--now RFC3339] [--zone IANA]",
     "what the syslog decoder makes of base64 lines", false, verbs_decode},
    {"decode snmptrap", "[--now RFC3339] [--users FILE]", "the same for SNMP notifications", false,
     verbs_decode},
    {"decode webhook", "[--profile NAME] [--profiles DIR] [--now RFC3339]", "the same for webhook requests",
     false, verbs_decode},
    {"mibs compile", "PATH… [--output FILE]", "makes a table of names from MIB files, for 'mibs' of a listener", false, mibs_compile},
    {"mibs find", "OID", "the field or notification that an OID is", false, mibs_find},
    {"map check", "[PATH…] [--strict] [--format=text|json|sarif|github|gitlab]", "errors, warnings and notes of map files", false,
     map_check},
    {"map import", "", "", false, NULL},
    {"map export", "", "", false, NULL},
    {"map diff", "[PATH]", "the daemon's map against the files, service by service; exit 1 if they differ", true, diffs_map},
    {"map sync", "", "", true, NULL},
    {"map suggest", "", "needs that the map may lack: services that fail together or name each other", true,
     services_suggest},
    {"map graph", "[PATH] [--dot]", "the map in the language of Graphviz", false, diffs_graph},
    {"tickets outbox", "", "what waits for a ticket system, and why", true, tickets_outbox},
    {"tickets show", "ID", "one delivery", true, tickets_show},
    {"tickets retry", "ID", "try it again now", true, tickets_retry},
    {"tickets discard", "ID [REASON…]", "give it up; the reason is recorded", true, tickets_discard},
    {"tickets check", "NAME", "try a connection: make, find, change and close one trial ticket", true, tickets_check},
    {"record start", "", "keep what arrives, whatever record.enabled says", true, record_start},
    {"record stop", "", "keep it no more", true, record_stop},
    {"record list", "", "the segments that there are, by time", true, record_list},
    {"record export", "[--since D] [--from TIME] [--to TIME] [--recordings DIR] [--output FILE]",
     "recorded payloads as JSON lines, for rules backtest", false, record_export},
    {"config check", "[--strict] [--format=text|json|sarif|github|gitlab]", "everything that a start or a reload would read",
     false, config_verb_check},
    {"config show", "[--defaults]", "the effective settings and where each comes from", false,
     config_verb_show},
    {"config diff", "", "the settings that run against those of the files; exit 1 if they differ", true, diffs_config},
    {"reload", "[--wait]", "read everything again; a fault changes nothing", true, status_reload},
    {"schema", "KIND [--mdoc]", "the JSON Schema of rules, map or config, for editors; --mdoc: key tables of the manual",
     false, schema_print},
    {"completion", "SHELL", "completion for bash, zsh or fish", false, completion_print},
    {"help", "[VERB…] [--mdoc]", "this list, or the usage of one verb", false, verbs_help},
};

const struct verb *verbs_all(size_t *n)
{
	*n = ARRAY_LEN(verbs);
	return verbs;
}

/* ---- finding one */

static size_t first_word(const struct verb *v)
{
	return strcspn(v->name, " ");
}

static const struct verb *exact(const char *one, const char *two, int *used)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		size_t n = first_word(&verbs[i]);
		bool is_pair = verbs[i].name[n] == ' ';

		if (strlen(one) != n || strncmp(one, verbs[i].name, n) != 0)
			continue;
		if (is_pair && (two == NULL || strcmp(two, verbs[i].name + n + 1) != 0))
			continue;
		*used = is_pair ? 2 : 1;
		return &verbs[i];
	}
	return NULL;
}

/* "incidents needs one of list, show, ack …" when the first word is a group. */
static bool group_error(const char *one, const char *two, struct error *err)
{
	struct buf names = {0};
	const char *in_group[ARRAY_LEN(verbs)], *near = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		size_t len = first_word(&verbs[i]);

		if (strlen(one) != len || strncmp(one, verbs[i].name, len) != 0 || verbs[i].run == NULL)
			continue;
		in_group[n++] = verbs[i].name + len + 1;
		buf_printf(&names, "%s%s", names.n > 0 ? ", " : "", verbs[i].name + len + 1);
	}
	if (n == 0)
		return false;
	if (two != NULL)
		near = suggest(slice_str(two), in_group, n);
	if (two == NULL)
		error_set(err, "'%s' needs one of %s", one, buf_cstr(&names));
	else if (near != NULL)
		error_set(err, "there is no '%s %s'; did you mean '%s %s'?", one, two, one, near);
	else
		error_set(err, "there is no '%s %s'; '%s' has %s", one, two, one, buf_cstr(&names));
	buf_free(&names);
	return true;
}

static void unknown(const char *one, const char *two, struct error *err)
{
	const char *names[ARRAY_LEN(verbs)], *near;
	char *pair = xasprintf("%s %s", one, two != NULL ? two : "");
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (verbs[i].run != NULL)
			names[n++] = verbs[i].name;
	near = suggest(slice_str(one), names, n);
	if (near == NULL && two != NULL)
		near = suggest(slice_str(pair), names, n);
	for (size_t i = 0; near == NULL && i < n; i++) {
		char group[32];
		const char *list[1] = {group};

		snprintf(group, sizeof group, "%.*s", (int)strcspn(names[i], " "), names[i]);
		if (suggest(slice_str(one), list, 1) != NULL)
			near = names[i];
	}
	if (near != NULL)
		error_set(err, "there is no verb '%s'; did you mean '%s'?", one, near);
	else
		error_set(err, "there is no verb '%s'; 'carillonctl help' lists all", one);
	free(pair);
}

const struct verb *verbs_find(int argc, char **argv, int from, int *used, struct error *err)
{
	const char *one = argv[from],
	           *two = from + 1 < argc && argv[from + 1][0] != '-' ? argv[from + 1] : NULL;
	const struct verb *v = exact(one, two, used);

	BUG_ON(from >= argc);
	if (v != NULL && v->run == NULL) {
		error_set(err, "'%s' is not available in this version", v->name);
		return NULL;
	}
	if (v == NULL && !group_error(one, two, err)) {
		unknown(one, two, err);
	}
	return v;
}

/* ---- help */

void verbs_usage(const struct verb *v, FILE *to)
{
	fprintf(to, "usage: carillonctl %s%s%s\n", v->name, v->usage[0] != '\0' ? " " : "", v->usage);
}

void verbs_list(FILE *to)
{
	fprintf(to, "usage: carillonctl [OPTION…] VERB …\n\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (verbs[i].run != NULL)
			fprintf(to, "  %-20s %s%s\n", verbs[i].name, verbs[i].help,
			        verbs[i].daemon ? "" : " *");
	fprintf(to, "\n* needs no daemon.  Options of every verb:\n  %s\n", verbs_common);
}

/* Backslashes and leading points mean something in mdoc; the texts of the table have neither. */
static void mdoc_text(const char *s, FILE *to)
{
	BUG_ON(strchr(s, '\\') != NULL);
	for (; *s != '\0'; s++) {
		if (strncmp(s, "…", strlen("…")) == 0) {
			fputs("...", to);
			s += strlen("…") - 1;
		} else if (*s == '-') {
			fputs("\\-", to);
		} else {
			fputc(*s, to);
		}
	}
}

void verbs_mdoc(FILE *to)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (verbs[i].run == NULL)
			continue;
		fprintf(to, ".It Ic %s%s", verbs[i].name, verbs[i].usage[0] != '\0' ? " Li \"" : "");
		mdoc_text(verbs[i].usage, to);
		fputs(verbs[i].usage[0] != '\0' ? "\"\n" : "\n", to);
		mdoc_text(verbs[i].help, to);
		fputs(verbs[i].daemon ? ".\n" : ".\nNeeds no daemon.\n", to);
	}
}

int verbs_help(struct ctl *c, const struct args *a)
{
	struct error err;
	int used;
	char *words[2] = {NULL, NULL};
	const struct verb *v;

	if (args_flag(a, "mdoc")) {
		verbs_mdoc(c->out);
		return CTL_DONE;
	}
	if (a->n_words == 0) {
		verbs_list(c->out);
		return CTL_DONE;
	}
	for (size_t i = 0; i < MIN(a->n_words, 2); i++)
		words[i] = xstrdup(a->words[i]);
	v = verbs_find((int)MIN(a->n_words, 2), words, 0, &used, &err);
	if (v != NULL) {
		verbs_usage(v, c->out);
		fprintf(c->out, "\n%s\n", v->help);
	}
	free(words[0]);
	free(words[1]);
	return v != NULL ? CTL_DONE : ctl_fail(c, CTL_USAGE, "%s", err.text);
}

/* ---- decode has its own command line, which scripts know */

int verbs_decode(struct ctl *c, const struct args *a)
{
	char *data = files_data_dir(), *profiles = xasprintf("%s/plugins/webhook", data);
	int rc, from = 1;

	while (from < a->argc && strcmp(a->argv[from], "decode") != 0)
		from++;
	BUG_ON(from == a->argc);
	rc = ctl_decode(profiles, a->argc - from, a->argv + from, c->in, c->out);
	free(profiles);
	free(data);
	return rc;
}
