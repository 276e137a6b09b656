#include "load_help.h"

#include <stdio.h>
#include <string.h>

static struct slice read_list(void *arg, const char *rule_file, const char *path)
{
	(void)arg;
	(void)rule_file;
	if (strcmp(path, "addresses.txt") == 0)
		return SLICE("# scanners\n10.0.0.1\n  10.0.0.2   # the second\r\n\nWEB#1\n");
	return SLICE_NONE;
}

struct loaded load_files(const struct rules_file *files, size_t n, const struct config *config)
{
	struct loaded l = {0};
	struct rules_source src = {
	    .files = files, .n = n, .config = config, .read = read_list, .keep_tests = true};
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
