/* The loader's plan: read all files, know all names, then compile item by item, then check what spans items,
 * then build the indexes. All findings of all files come out of one run (language.md sections 2, 11, 12).
 * Pure: files come as bytes. */
#include <stdlib.h>

#include "rules/load.h"
#include "rules/table.h"

#define MAX_FILES 10000

/* ---- files */

/* "packs first, then by name": decoders run in this order. */
static int by_name(const void *a, const void *b)
{
	const struct load_file *x = a, *y = b;
	if (x->pack != y->pack)
		return x->pack ? -1 : 1;
	return strcmp(x->name, y->name);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* File name up to the first dot, leading digits and '-' removed. */
static struct slice default_package(const char *name)
{
	const char *p = base_name(name);
	while ((*p >= '0' && *p <= '9') || *p == '-')
		p++;
	return (struct slice){p, strcspn(p, ".")};
}

static void package_load(struct loader *ld, struct load_file *file)
{
	const struct node *n = node_get(file->doc->root, "package");
	struct mark at = {1, 1, 1};
	file->package = default_package(file->name);
	if (n != NULL && n->kind == NODE_SCALAR && !node_null(n)) {
		file->package = n->text;
		at = n->mark;
	}
	if (value_is_id(file->package))
		return;
	if (n != NULL)
		load_error(ld, file, "E010", at,
		           "id '" SLICE_FMT "' is not valid; use lower-case letters, digits and '-'",
		           SLICE_ARG(file->package));
	else
		load_error(ld, file, "E010", at,
		           "package '" SLICE_FMT
		           "' (from the file's name) is not valid; write 'package:' with lower-case letters, "
		           "digits and '-'",
		           SLICE_ARG(file->package));
	file->package = SLICE("invalid");
}

static void head_load(struct loader *ld, struct load_file *file)
{
	const struct node *root = file->doc->root;
	struct mark top = {1, 1, 1};
	if (root == NULL) {
		load_error(ld, file, "E005", top, "the file needs 'version'");
		return;
	}
	if (!schema_check(ld, file, root, file->test_only ? &schema_test_file : &schema_file, "the file",
	                  top)) {
		file->doc->root = NULL;
		return;
	}
	const struct node *version = node_get(root, "version"), *owner = node_get(root, "owner");
	if (version != NULL && version->kind == NODE_SCALAR && !node_null(version) &&
	    !slice_is(version->text, "1"))
		load_error(ld, file, "E011", version->mark, "'" SLICE_FMT "' must be one of 1",
		           SLICE_ARG(version->text));
	package_load(ld, file);
	if (owner != NULL && owner->kind == NODE_SCALAR && !node_null(owner))
		file->owner = arena_slice(ld->a, owner->text);
	hmap_put(ld->packages, file->package, ld);
}

static void files_load(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	size_t n = MIN(ld->src->n, MAX_FILES);
	ld->files = arena_array(ld->tmp, n + 1, sizeof *ld->files);
	ld->n_files = n;
	rs->docs = xcalloc(n + 1, sizeof *rs->docs);
	rs->n_files = n;
	for (size_t i = 0; i < n; i++) {
		const struct rules_file *in = &ld->src->files[i];
		/* one copy for all that is in the file */
		const char *name = arena_str(ld->a, slice_str(in->name));
		ld->files[i] = (struct load_file){.name = name, .text = in->text, .pack = in->pack};
		ld->files[i].test_only = slice_ends(slice_str(in->name), SLICE(".test.yaml"));
	}
	if (n > 1)
		qsort(ld->files, n, sizeof *ld->files, by_name);
	for (size_t i = 0; i < n; i++) {
		struct load_file *file = &ld->files[i];
		file->doc = doc_parse(file->name, file->text, DOC_LIMITS, ld->f);
		if (file->doc == NULL)
			continue;
		rs->docs[rs->n_docs++] = file->doc;
		head_load(ld, file);
	}
	if (ld->src->n > MAX_FILES)
		findings_add(ld->f, FINDING_ERROR, "E009", "", (struct mark){0}, SLICE_NONE,
		             "more than %d rule files", MAX_FILES);
}

/* ---- the set */

static void indexes_build(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	struct index_item *v = xcalloc(rs->n_predicates + rs->n_decoders + 1, sizeof *v);
	for (size_t i = 0; i < rs->n_predicates; i++) {
		BUG_ON(rs->predicates[i].number != i);
		v[i] = (struct index_item){.number = (uint32_t)i, .cond = rs->predicates[i].cond};
	}
	rs->index = index_new(v, rs->n_predicates, rs->lists, rs->n_lists, rs->n_field_names);
	for (size_t i = 0; i < rs->n_decoders; i++) {
		BUG_ON(rs->decoders[i].match == NULL); /* without an error it has one */
		v[i] = (struct index_item){.number = (uint32_t)i, .cond = rs->decoders[i].match};
	}
	rs->decoder_index = index_new(v, rs->n_decoders, rs->lists, rs->n_lists, rs->n_field_names);
	free(v);
	check_index(ld);
	/* they cost more than a reload may */
	if (ld->src->keep_tests)
		check_conditions(ld);
}

static void loader_open(struct loader *ld)
{
	ld->rs = xcalloc(1, sizeof *ld->rs);
	ld->rs->arena = ld->a = arena_new(0);
	ld->tmp = arena_new(0);
	for (size_t i = 0; i < SYMBOL_KINDS; i++)
		ld->by_id[i] = hmap_new();
	ld->packages = hmap_new();
	ld->zones = hmap_new();
	ld->fields = hmap_new();
	ld->slots = hmap_new();
	ld->service_paths = hmap_new();
	ld->atoms = hmap_new();
}

static void loader_close(struct loader *ld)
{
	for (size_t i = 0; i < SYMBOL_KINDS; i++) {
		hmap_free(ld->by_id[i]);
		free(ld->symbols[i]);
	}
	hmap_free(ld->packages);
	hmap_free(ld->zones);
	hmap_free(ld->fields);
	hmap_free(ld->slots);
	hmap_free(ld->service_paths);
	hmap_free(ld->atoms);
	graph_free(ld->chains);
	free(ld->field_list);
	free(ld->macro_stack);
	arena_free(ld->tmp);
}

static void items_load(struct loader *ld)
{
	symbols_collect(ld);
	symbols_packs(ld);
	names_collect(ld);
	lists_check(ld);
	macros_load(ld);
	calendars_load(ld);
	tables_load(ld);
	decoders_load(ld);
	rules_load(ld);
	rule_silences_load(ld);
	rule_suppressions(ld);
	check_chains(ld);
	check_suppressions(ld);
	tests_load(ld);
	check_lints(ld);
}

static void docs_free(struct rule_set *rs)
{
	for (size_t i = 0; i < rs->n_docs; i++)
		doc_free(rs->docs[i]);
	rs->n_docs = 0;
}

struct rule_set *rule_set_load_counted(const struct rules_source *src, struct findings *f,
                                       struct rules_counts *counts)
{
	struct findings own = {0};
	struct loader ld = {.src = src, .f = &own};
	loader_open(&ld);
	struct rule_set *rs = ld.rs;
	files_load(&ld);
	items_load(&ld);
	if (own.errors == 0)
		indexes_build(&ld);
	if (counts != NULL)
		*counts = (struct rules_counts){rs->n_files, rs->n_rules, ld.tests};
	findings_sort(&own);
	bool failed = own.errors > 0;
	findings_move(f, &own);
	findings_clear(&own);
	loader_close(&ld);
	if (failed) {
		rule_set_free(rs);
		return NULL;
	}
	if (!src->keep_tests)
		docs_free(rs);
	return rs;
}

struct rule_set *rule_set_load(const struct rules_source *src, struct findings *f)
{
	return rule_set_load_counted(src, f, NULL);
}

void rule_set_free(struct rule_set *rs)
{
	if (rs == NULL)
		return;
	index_free(rs->index);
	index_free(rs->decoder_index);
	for (size_t i = 0; i < rs->n_regexes; i++)
		regex_free(rs->regexes[i]);
	for (size_t i = 0; i < rs->n_patterns; i++)
		pattern_close(rs->patterns[i]);
	for (size_t i = 0; i < rs->n_lists; i++)
		hmap_free(rs->lists[i].set);
	for (size_t i = 0; i < rs->n_tables; i++)
		table_free(rs->tables[i].rows);
	docs_free(rs);
	hmap_free(rs->by_id);
	free(rs->docs);
	free(rs->predicates);
	free(rs->atoms);
	free(rs->lists);
	free(rs->field_names);
	free(rs->service_paths);
	free(rs->tests);
	free(rs->regexes);
	free(rs->patterns);
	arena_free(rs->arena);
	free(rs);
}
