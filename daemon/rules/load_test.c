/* `tests:`: form of every key, references and fields; what takes part. The runner reads the nodes itself
 * (language.md section 13; E020, E090, E092). */
#include <stdlib.h>

#include "rules/load.h"

struct test_load {
	struct loader *ld;
	const struct load_file *file;
	const char *thing;
	bool *in; /* one flag per rule: takes part */
};

static void fields_check(struct loader *ld, const struct load_file *file, const struct node *map)
{
	if (map == NULL || map->kind != NODE_MAP)
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		struct field_ref f;
		(void)names_field(ld, file, n->key, n->key_mark, &f);
		if (n->kind != NODE_SCALAR)
			load_error(ld, file, "E007", n->mark, "expected text for '" SLICE_FMT "', got %s",
			           SLICE_ARG(n->key), schema_what(n));
		else if (node_null(n))
			load_error(ld, file, "E027", n->text.n > 0 ? n->mark : n->key_mark,
			           "empty value; to leave a field out do not write it");
	}
}

static struct symbol *rule_named(const struct test_load *t, const struct node *n)
{
	struct loader *ld = t->ld;
	if (n == NULL || n->kind != NODE_SCALAR || node_null(n))
		return NULL;
	struct symbol *s = symbol_find(ld, t->file, SYMBOL_RULE, n->text);
	if (s != NULL && ld->rs->rules[s->number].mode != MODE_OFF)
		return s;
	/* what the installation has switched off (packs: off) is no fault of the pack's tests */
	if (s != NULL && s->mode_set)
		return NULL;
	load_error(ld, t->file, "E090", n->mark,
	           "test names rule '" SLICE_FMT "', which does not exist or is off", SLICE_ARG(n->text));
	return NULL;
}

/* Exactly one of the keys, which are the last ones of the schema. */
static void one_of(const struct test_load *t, const struct node *n, const char *const *keys, size_t count,
                   const char *thing)
{
	const struct node *first = NULL;
	struct buf all = {0};
	for (size_t i = 0; i < count; i++)
		buf_printf(&all, "%s%s", i > 0 ? ", " : "", keys[i]);
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		bool is = false;
		for (size_t k = 0; k < count; k++)
			is = is || slice_is(i->key, keys[k]);
		if (is && first != NULL)
			load_error(t->ld, t->file, "E004", i->key_mark,
			           "%s takes one of %s; '" SLICE_FMT "' stands there already", thing,
			           buf_cstr(&all), SLICE_ARG(first->key));
		else if (is)
			first = i;
	}
	if (first == NULL)
		load_error(t->ld, t->file, "E005", n->mark, "%s needs one of %s", thing, buf_cstr(&all));
	buf_free(&all);
}

static void ticket_check(const struct test_load *t, const struct node *n, const char *thing)
{
	static const char *const which[] = {"root", "rule"};
	if (!schema_check(t->ld, t->file, n, &schema_ticket, thing, n->key_mark))
		return;
	one_of(t, n, which, ARRAY_LEN(which), thing);
	if (node_get(n, "state") == NULL && node_get(n, "priority") == NULL &&
	    node_get(n, "merged_into") == NULL)
		load_error(t->ld, t->file, "E005", n->mark, "%s needs one of state, priority, merged_into",
		           thing);
	(void)rule_named(t, node_get(n, "rule"));
}

static void input_check(const struct test_load *t, const struct node *n, size_t number)
{
	static const char *const which[] = {"event", "syslog", "snmp", "webhook", "ticket", "map"};
	struct loader *ld = t->ld;
	const char *thing = arena_printf(ld->tmp, "event %zu of %s", number, t->thing);
	if (!schema_check(ld, t->file, n, &schema_input, thing, n->mark))
		return;
	one_of(t, n, which, ARRAY_LEN(which), thing);
	fields_check(ld, t->file, node_get(n, "event"));
	const struct node *snmp = node_get(n, "snmp"), *hook = node_get(n, "webhook"),
	                  *ticket = node_get(n, "ticket");
	if (snmp != NULL && snmp->kind == NODE_MAP)
		(void)schema_check(ld, t->file, snmp, &schema_snmp,
		                   arena_printf(ld->tmp, "'snmp' of %s", thing), snmp->key_mark);
	if (hook != NULL && hook->kind == NODE_MAP)
		(void)schema_check(ld, t->file, hook, &schema_webhook,
		                   arena_printf(ld->tmp, "'webhook' of %s", thing), hook->key_mark);
	if (ticket != NULL && ticket->kind == NODE_MAP)
		ticket_check(t, ticket, arena_printf(ld->tmp, "'ticket' of %s", thing));
}

/* `alerts` lists all that are open: a rule that takes part and is not named has stayed silent. */
static void alerts_check(const struct test_load *t, const struct node *list, const char *thing)
{
	struct loader *ld = t->ld;
	bool *named = xcalloc(ld->rs->n_rules + 1, sizeof *named);
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (!schema_check(ld, t->file, n, &schema_alert, arena_printf(ld->tmp, "alert of %s", thing),
		                  n->mark))
			continue;
		struct symbol *s = rule_named(t, node_get(n, "rule"));
		if (s != NULL)
			named[s->number] = s->tested = true;
		fields_check(ld, t->file, node_get(n, "by"));
		(void)rule_named(t, node_get(n, "suppressed"));
	}
	for (size_t i = 0; i < ld->rs->n_rules; i++) {
		struct symbol *s = ld->symbols[SYMBOL_RULE][i];
		if (t->in[i] && !named[i])
			s->silent_tested = true;
		if (t->in[i] && ld->rs->rules[i].mode == MODE_TRIAL)
			s->tested = true; /* its alerts are never listed (17.18) */
	}
	free(named);
}

static void expect_check(const struct test_load *t, const struct node *n, size_t number)
{
	struct loader *ld = t->ld;
	const char *thing = arena_printf(ld->tmp, "expectation %zu of %s", number, t->thing);
	if (!schema_check(ld, t->file, n, &schema_expect, thing, n->mark))
		return;
	const struct node *alerts = node_get(n, "alerts"), *incidents = node_get(n, "incidents"),
	                  *decoded = node_get(n, "decoded");
	if (alerts == NULL && incidents == NULL && decoded == NULL)
		load_error(ld, t->file, "E005", n->mark, "%s needs one of alerts, incidents, decoded", thing);
	if (alerts != NULL && alerts->kind == NODE_LIST)
		alerts_check(t, alerts, thing);
	bool listed = incidents != NULL && incidents->kind == NODE_LIST && incidents->n > 0;
	for (const struct node *i = listed ? incidents->first : NULL; i != NULL; i = i->next)
		(void)schema_check(ld, t->file, i, &schema_incident_expected,
		                   arena_printf(ld->tmp, "incident of %s", thing), i->mark);
	/* incidents come from rules, though an expectation does not say from which */
	for (size_t i = 0; listed && i < ld->rs->n_rules; i++)
		if (t->in[i])
			ld->symbols[SYMBOL_RULE][i]->tested = true;
	for (const struct node *i = decoded != NULL && decoded->kind == NODE_LIST ? decoded->first : NULL;
	     i != NULL; i = i->next) {
		if (i->kind != NODE_MAP)
			load_error(ld, t->file, "E007", i->mark, "expected a map of fields, got %s",
			           schema_what(i));
		fields_check(ld, t->file, i);
	}
}

/* `rules:`, else all of the package; and what they chain to. */
static void rules_of(const struct test_load *t, const struct node *test)
{
	struct loader *ld = t->ld;
	const struct rule_set *rs = ld->rs;
	const struct node *list = node_get(test, "rules");
	if (list != NULL && list->kind == NODE_LIST) {
		for (const struct node *n = list->first; n != NULL; n = n->next) {
			const struct symbol *s = rule_named(t, n);
			if (n->kind != NODE_SCALAR || node_null(n))
				load_error(ld, t->file, n->kind == NODE_SCALAR ? "E027" : "E007", n->mark,
				           "expected the name of a rule, got %s", schema_what(n));
			if (s != NULL)
				t->in[s->number] = true;
		}
	} else {
		for (size_t i = 0; i < rs->n_rules; i++)
			t->in[i] = slice_eq(rs->rules[i].package, t->file->package);
	}
	check_closure(ld, t->in);
	for (size_t i = 0; i < rs->n_rules; i++)
		t->in[i] = t->in[i] && rs->rules[i].mode != MODE_OFF;
}

/* Only that the file is there; what it says is the runner's matter. */
static void map_check(const struct test_load *t, const struct node *n)
{
	struct loader *ld = t->ld;
	if (n == NULL || n->kind != NODE_SCALAR || node_null(n) || ld->src->read == NULL)
		return;
	struct slice text = ld->src->read(ld->src->arg, t->file->name, arena_str(ld->tmp, n->text));
	if (text.p == NULL)
		load_error(ld, t->file, "E092", n->mark,
		           "cannot read '" SLICE_FMT "': the file is missing or not readable",
		           SLICE_ARG(n->text));
}

static void test_keep(const struct test_load *t, const struct node *n, struct slice name)
{
	struct loader *ld = t->ld;
	struct rule_set *rs = ld->rs;
	size_t count = 0;
	for (size_t i = 0; i < rs->n_rules; i++)
		count += t->in[i];
	uint32_t *v = arena_array(ld->a, count + 1, sizeof *v);
	rs->tests = array_reserve(rs->tests, &rs->cap_tests, rs->n_tests + 1, sizeof *rs->tests);
	struct rule_test *out = &rs->tests[rs->n_tests++];
	*out = (struct rule_test){.name = name, .mark = n->mark, .doc = t->file->doc, .node = n, .rules = v};
	out->file = arena_str(ld->a, slice_str(t->file->name));
	out->package = arena_slice(ld->a, t->file->package);
	for (uint32_t i = 0; i < rs->n_rules; i++)
		if (t->in[i])
			v[out->n_rules++] = i;
	BUG_ON(out->n_rules != count);
}

static void test_load(struct test_load *t, const struct node *n, size_t number)
{
	struct loader *ld = t->ld;
	struct slice name;
	bool named = n->kind == NODE_MAP && key_text(ld, t->file, n, "name", &name);
	t->thing = named ? arena_printf(ld->tmp, "test '" SLICE_FMT "'", SLICE_ARG(name))
	                 : arena_printf(ld->tmp, "test %zu", number);
	memset(t->in, 0, ld->rs->n_rules * sizeof *t->in);
	ld->tests++;
	if (!schema_check(ld, t->file, n, &schema_test, t->thing, n->mark))
		return;
	rules_of(t, n);
	map_check(t, node_get(n, "map"));
	const struct node *events = node_get(n, "events"), *expect = node_get(n, "expect");
	size_t at = 1;
	for (const struct node *i = events != NULL && events->kind == NODE_LIST ? events->first : NULL;
	     i != NULL; i = i->next)
		input_check(t, i, at++);
	at = 1;
	for (const struct node *i = expect != NULL && expect->kind == NODE_LIST ? expect->first : NULL;
	     i != NULL; i = i->next)
		expect_check(t, i, at++);
	if (expect != NULL && expect->kind == NODE_LIST && expect->n == 0)
		load_error(ld, t->file, "E027", expect->mark,
		           "empty list; write what must be seen, for example {at: 1m, alerts: []}");
	if (ld->src->keep_tests && named)
		test_keep(t, n, name);
}

void tests_load(struct loader *ld)
{
	bool *in = xcalloc(ld->rs->n_rules + 1, sizeof *in);
	for (size_t i = 0; i < ld->n_files; i++) {
		const struct load_file *file = &ld->files[i];
		const struct node *list = file->doc != NULL ? node_get(file->doc->root, "tests") : NULL;
		struct test_load t = {.ld = ld, .file = file, .in = in};
		size_t number = 1;
		for (const struct node *n = list != NULL && list->kind == NODE_LIST ? list->first : NULL;
		     n != NULL; n = n->next)
			test_load(&t, n, number++);
	}
	free(in);
}
