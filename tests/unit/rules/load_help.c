#include "load_help.h"

#include <stdio.h>
#include <string.h>

static struct slice read_list(void *arg, const char *rule_file, const char *path)
{
	(void)arg;
	(void)rule_file;
	if (strcmp(path, "addresses.txt") == 0)
		return SLICE("# scanners\n10.0.0.1\n  10.0.0.2   # the second\r\n\nWEB#1\n");
	if (strcmp(path, "assets.csv") == 0)
		return SLICE("host,site,rack\nsw-core-1,ber1,r1\n");
	if (strcmp(path, "good.csv") == 0)
		return SLICE("host,site,\"the \"\"rack\"\"\"\r\nh1,ber1,\"a, b\"\r\nh2,,\r\n");
	if (strcmp(path, "bad.csv") == 0)
		return SLICE("host,site\nh1,ber1\nh2\n");
	if (strcmp(path, "bad.ics") == 0)
		return SLICE("hello\n");
	return SLICE_NONE;
}

/* The same bytes under each name: names are what is looked at. */
static struct slice read_zone(void *arg, const char *name)
{
	static const char berlin[] =
	    "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
	    "\0\0\0\0\0\0UTC\0"
	    "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
	    "\0\0\x0e\x10\0\0CET\0\nCET-1CEST,M3.5.0,M10.5.0/3\n";
	(void)arg;
	return strcmp(name, "Europe/Berlin") == 0 ? slice_of(berlin, sizeof berlin - 1) : SLICE_NONE;
}

struct loaded load_files(const struct rules_file *files, size_t n, const struct config *config)
{
	struct loaded l = {0};
	struct rules_source src = {.files = files,
	                           .n = n,
	                           .config = config,
	                           .read = read_list,
	                           .zone = read_zone,
	                           .keep_tests = true};
	l.rs = rule_set_load_counted(&src, &l.f, &l.counts);
	return l;
}

struct loaded load_text(const char *text)
{
	struct rules_file file = {.name = "rules/x.yaml", .text = slice_str(text)};
	return load_files(&file, 1, NULL);
}

void loaded_free(struct loaded *l)
{
	rule_set_free(l->rs);
	findings_clear(&l->f);
}

void print_findings(const struct loaded *l)
{
	struct buf b = {0};
	findings_text(&l->f, &b);
	fprintf(stderr, "%s", buf_cstr(&b));
	buf_free(&b);
}

void assert_finding(const struct loaded *l, const char *code, uint32_t line, uint32_t col, const char *part)
{
	for (size_t i = 0; i < l->f.n; i++) {
		const struct finding *f = &l->f.v[i];
		if (strcmp(f->code, code) == 0 && f->mark.line == line && f->mark.col == col &&
		    strstr(f->message, part) != NULL)
			return;
	}
	fprintf(stderr, "no finding %s at %u:%u with \"%s\" among:\n", code, line, col, part);
	print_findings(l);
	fail();
}

size_t count_code(const struct loaded *l, const char *code)
{
	size_t n = 0;
	for (size_t i = 0; i < l->f.n; i++)
		n += strcmp(l->f.v[i].code, code) == 0;
	return n;
}
