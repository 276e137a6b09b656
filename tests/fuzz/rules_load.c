/* The rule loader over arbitrary files. A line "---- NAME" in the input begins a further file of that name.
 * Invariants: a rule set or an error, never both or neither; every finding has a code and a place inside its file; loading
 * again gives the same numbers and hashes. */
#include <stdlib.h>
#include <string.h>

#include "rules/rule_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 4

static struct slice read_list(void *arg, const char *rule_file, const char *path)
{
	(void)arg;
	(void)rule_file;
	return strlen(path) % 2 == 0 ? SLICE("a\nB # c\n\n10.0.0.1") : SLICE_NONE;
}

/* Cuts the input; names are copies that the caller frees. */
static size_t cut(struct slice text, struct rules_file *files, char **names)
{
	size_t n = 0;
	struct slice rest = text;
	names[0] = xstrdup("x.yaml");
	files[n++] = (struct rules_file){.name = names[0], .text = {text.p, 0}};
	for (struct slice line; n <= FILES && slice_split(&rest, '\n', &line);) {
		if (n < FILES && slice_starts(line, SLICE("---- ")) && slice_utf8(line) && memchr(line.p, 0, line.n) == NULL) {
			names[n] = xstrndup(line.p + 5, line.n - 5);
			files[n] = (struct rules_file){.name = names[n], .text = {line.p + line.n, 0}, .pack = n % 2 == 0};
			n++;
			continue;
		}
		files[n - 1].text.n = (size_t)(line.p + line.n - files[n - 1].text.p);
	}
	return n;
}

static uint64_t digest(const struct rule_set *rs)
{
	size_t n_rules, n_atoms, n_predicates;
	const struct rule *r = rule_set_rules(rs, &n_rules);
	(void)rule_set_atoms(rs, &n_atoms);
	(void)rule_set_predicates(rs, &n_predicates);
	uint64_t h = n_atoms * 31 + n_predicates;
	for (size_t i = 0; i < n_rules; i++) {
		BUG_ON(r[i].number != i || r[i].summary == NULL);
		BUG_ON(r[i].mode != MODE_OFF && r[i].when.n_steps == 0 && r[i].match >= n_predicates);
		for (size_t k = 0; r[i].mode != MODE_OFF && k < r[i].when.n_steps; k++)
			BUG_ON(r[i].when.steps[k].predicate >= n_predicates);
		BUG_ON(rule_set_find(rs, r[i].id) != &r[i]);
		h = h * 1099511628211u ^ r[i].hash;
	}
	return h;
}

static struct rule_set *load(const struct rules_file *files, size_t n)
{
	struct findings f = {0};
	struct rules_source src = {.files = files, .n = n, .read = read_list, .keep_tests = true};
	struct rule_set *rs = rule_set_load(&src, &f);
	BUG_ON((rs == NULL) != (f.errors > 0));
	for (size_t i = 0; i < f.n; i++) {
		BUG_ON(f.v[i].code[0] == '\0' || f.v[i].message[0] == '\0');
		BUG_ON(f.v[i].level == FINDING_ERROR && f.v[i].code[0] != 'E');
	}
	findings_clear(&f);
	return rs;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules_file files[FILES + 1];
	char *names[FILES + 1] = {0};
	if (size > 64 * 1024)
		return 0;
	size_t n = cut(slice_of(data, size), files, names);
	struct rule_set *rs = load(files, n);
	if (rs != NULL) {
		struct rule_set *again = load(files, n);
		BUG_ON(again == NULL || digest(rs) != digest(again));
		rule_set_free(again);
	}
	rule_set_free(rs);
	for (size_t i = 0; i <= FILES; i++)
		free(names[i]);
	return 0;
}
