/* carillond: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/plugins_check.h"
#include "ctl/secrets_check.h"
#include "role_demo.h"
#include "role_parent.h"
#include "rules/sources.h"

static const char usage[] =
    "usage: carillond [-c FILE] [--check] [--demo[=SECONDS]] [--single] [--log-level LEVEL]\n"
    "                 [--state DIR] [--no-tickets] [--version]\n"
    "\n"
    "  -c, --config FILE    configuration, default /etc/carillon/carillon.yaml if it is there\n"
    "      --check          load and compile everything, say what is wrong, exit 0 or 1\n"
    "      --demo[=SECONDS] watch an incident being found, without any configuration\n"
    "      --single         all roles in one process (tests, debugging)\n"
    "      --log-level L    error warning notice info debug\n"
    "      --state DIR      instead of state.path\n"
    "      --no-tickets     everything but the calls to ticket systems\n"
    "      --version\n"
    "\n"
    "It stays in the foreground. SIGHUP reloads, SIGTERM ends it cleanly. See carillond(8).\n";

static int check(const char *config_path)
{
	struct findings f = {0};
	struct bundle b;
	struct buf text = {0};
	struct config *c = files_read(config_path, &b, &f);
	struct rule_set *rs = c != NULL ? sources_rules(&b, c, false, &f) : NULL;
	bool good = c != NULL && plugins_check(&b, c, &f) && secrets_check(&b, c, &f) && rs != NULL;

	findings_sort(&f);
	findings_text(&f, &text);
	fputs(buf_cstr(&text), stderr);
	if (good) {
		size_t n;
		rule_set_rules(rs, &n);
		printf("ok: %zu rules in %zu files\n", n, rule_set_files(rs));
	}
	rule_set_free(rs);
	config_free(c);
	bundle_free(&b);
	findings_clear(&f);
	buf_free(&text);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	enum { OPT_CHECK = 256, OPT_DEMO, OPT_SINGLE, OPT_LEVEL, OPT_STATE, OPT_NO_TICKETS, OPT_VERSION };
	static const struct option longopts[] = {
	    {"config", required_argument, NULL, 'c'},      {"check", no_argument, NULL, OPT_CHECK},
	    {"demo", optional_argument, NULL, OPT_DEMO},   {"single", no_argument, NULL, OPT_SINGLE},
	    {"log-level", required_argument, NULL, OPT_LEVEL}, {"state", required_argument, NULL, OPT_STATE},
	    {"no-tickets", no_argument, NULL, OPT_NO_TICKETS}, {"version", no_argument, NULL, OPT_VERSION},
	    {"help", no_argument, NULL, 'h'},              {NULL, 0, NULL, 0}};
	struct parent_options o = {0};
	enum log_level level = LOG_LEVEL_INFO;
	bool only_check = false, demo = false;
	int64_t seconds = 0;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'c': o.config_path = optarg; break;
		case OPT_CHECK: only_check = true; break;
		case OPT_DEMO:
			demo = true;
			if (optarg != NULL && (!slice_int(slice_str(optarg), &seconds) || seconds <= 0)) {
				fprintf(stderr, "carillond: --demo takes a number of seconds\n");
				return 2;
			}
			break;
		case OPT_SINGLE: o.single = true; break;
		case OPT_LEVEL: o.log_level = optarg; break;
		case OPT_STATE: o.state_dir = optarg; break;
		case OPT_NO_TICKETS: o.no_tickets = true; break;
		case OPT_VERSION: puts("carillond " CARILLON_VERSION); return 0;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "carillond: what is '%s'?\n%s", argv[optind], usage);
		return 2;
	}
	if (o.log_level != NULL && !log_level_parse(o.log_level, &level)) {
		fprintf(stderr, "carillond: there is no log level '%s'; levels are error, warning, notice, info, debug\n", o.log_level);
		return 2;
	}
	log_open("parent", level);
	if (demo)
		return demo_run(seconds);
	return only_check ? check(o.config_path) : parent_run(&o);
}
