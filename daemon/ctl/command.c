/* From a command line to one verb: common options, the verb's grammar, help, and the words that all verbs say
 * alike. */
#include <stdarg.h>
#include <stdlib.h>

#include "ctl/verbs.h"

int ctl_fail(const struct ctl *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("carillonctl: ", c->err);
	vfprintf(c->err, fmt, ap);
	fputc('\n', c->err);
	va_end(ap);
	return code;
}

void ctl_findings(FILE *to, struct findings *f)
{
	struct buf text = {0};

	findings_sort(f);
	findings_text(f, &text);
	if (text.n > 0)
		fwrite(text.p, 1, text.n, to);
	buf_free(&text);
}

int ctl_verdict(const struct findings *f, bool strict)
{
	if (f->errors > 0)
		return CTL_FOUND;
	return strict && f->warnings > 0 ? CTL_WARNINGS : CTL_DONE;
}

static void common(struct ctl *c, const struct args *a)
{
	const char *colour = args_value(a, "color");

	c->json = c->json || args_flag(a, "json");
	c->quiet = c->quiet || args_flag(a, "quiet");
	c->utc = c->utc || args_flag(a, "utc");
	if (args_value(a, "config") != NULL)
		c->config_path = args_value(a, "config");
	if (args_value(a, "socket") != NULL)
		c->socket_path = args_value(a, "socket");
	if (args_flag(a, "table"))
		c->json = false;
	if (colour != NULL && strcmp(colour, "auto") != 0)
		c->colour = strcmp(colour, "always") == 0;
}

static int run(struct ctl *c, const struct verb *v, const struct args *front, const struct args *a)
{
	common(c, a);
	if (args_flag(a, "help")) {
		verbs_usage(v, c->out);
		fprintf(c->out, "\n%s\n", v->help);
		return CTL_DONE;
	}
	if (v->daemon && (args_flag(front, "url") || args_flag(a, "url") || getenv("CARILLON_URL") != NULL))
		return ctl_fail(c, CTL_USAGE,
		                "'--url' and CARILLON_URL are not available in this version; the daemon is "
		                "reached over its socket (--socket PATH)");
	return v->run(c, a);
}

int ctl_main(struct ctl *c, int argc, char **argv)
{
	struct args front = {0}, a = {0};
	struct error err;
	const struct verb *v;
	int used = 0, rc = CTL_USAGE, at = args_parse_front(verbs_common, argc, argv, &front, &err);

	if (at < 0) {
		ctl_fail(c, rc, "%s; 'carillonctl help' lists all", err.text);
	} else if (args_flag(&front, "version")) {
		fputs("carillonctl " CARILLON_VERSION "\n", c->out);
		rc = CTL_DONE;
	} else if (args_flag(&front, "help") || at >= argc) {
		verbs_list(args_flag(&front, "help") ? c->out : c->err);
		rc = args_flag(&front, "help") ? CTL_DONE : CTL_USAGE;
	} else if ((v = verbs_find(argc, argv, at, &used, &err)) == NULL) {
		ctl_fail(c, rc, "%s", err.text);
	} else if (args_parse(v->usage, verbs_common, argc, argv, at + used, &a, &err) != 0) {
		ctl_fail(c, rc, "%s: %s", v->name, err.text);
		verbs_usage(v, c->err);
	} else {
		common(c, &front);
		rc = run(c, v, &front, &a);
	}
	args_free(&front);
	args_free(&a);
	return rc;
}
