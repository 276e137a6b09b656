/* The tests of one field: operators, their arguments by type, and atoms, of which equal ones are made once
 * (language.md section 4, 17.10-17.13; E007, E011, E021-E025, E027). */
#include <arpa/inet.h>
#include <stdlib.h>

#include "model/address.h"
#include "rules/load.h"

static const struct operator
{
	const char *name;
	enum test_op op;
}
operators[] = {{"contains", OP_CONTAINS},
               {"starts", OP_STARTS},
               {"ends", OP_ENDS},
               {"like", OP_LIKE},
               {"regex", OP_REGEX},
               {"cidr", OP_CIDR},
               {"gt", OP_GT},
               {"ge", OP_GE},
               {"lt", OP_LT},
               {"le", OP_LE},
               {"list", OP_LIST},
               {"exists", OP_EXISTS}};

/* ---- what explain shows */

static const char *op_sign(enum test_op op)
{
	switch (op) {
	case OP_EQ: return "=";
	case OP_CONTAINS: return "contains";
	case OP_STARTS: return "starts";
	case OP_ENDS: return "ends";
	case OP_LIKE: return "like";
	case OP_REGEX: return "regex";
	case OP_CIDR: return "in network";
	case OP_GT: return ">";
	case OP_GE: return ">=";
	case OP_LT: return "<";
	case OP_LE: return "<=";
	case OP_LIST: return "in list";
	case OP_EXISTS: return "exists";
	}
	return "?";
}

static const char *atom_text(struct loader *ld, const struct atom *a)
{
	struct buf b = {0};
	buf_printf(&b, SLICE_FMT " %s", SLICE_ARG(a->field.name), op_sign(a->op));
	for (size_t i = 0; i < a->n_texts; i++)
		buf_printf(&b, "%s" SLICE_FMT, i > 0 ? " | " : " ", SLICE_ARG(a->texts[i]));
	for (size_t i = 0; i < a->n_lists; i++)
		buf_printf(&b, "%s" SLICE_FMT, i > 0 ? " | " : " ",
		           SLICE_ARG(ld->rs->lists[a->lists[i]].name));
	if (a->op == OP_GT || a->op == OP_GE || a->op == OP_LT || a->op == OP_LE)
		buf_printf(&b, " %.15g", a->bound);
	if (a->op == OP_EXISTS && !a->want)
		buf_str(&b, " not");
	const char *text = arena_str(ld->a, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* ---- atoms */

static bool atom_regexes(struct loader *ld, const struct load_file *file, struct atom *a,
                         const struct node *const *items)
{
	struct rule_set *rs = ld->rs;
	struct regex **v = arena_array(ld->a, a->n_texts, sizeof *v);
	bool jit = ld->src->config == NULL || ld->src->config->regex_jit, ok = true;
	for (size_t i = 0; i < a->n_texts; i++) {
		struct error err;
		v[i] = regex_new(a->texts[i], (struct regex_options){.jit = jit}, &err);
		if (v[i] == NULL) {
			load_error(ld, file, "E022", items[i]->mark, "regex: %s", err.text);
			ok = false;
			continue;
		}
		rs->regexes =
		    array_reserve(rs->regexes, &rs->cap_regexes, rs->n_regexes + 1, sizeof *rs->regexes);
		rs->regexes[rs->n_regexes++] = v[i];
	}
	a->regexes = v;
	return ok;
}

static const struct cond *cond_of(struct loader *ld, const struct atom *a, struct mark mark)
{
	struct cond *c = arena_alloc(ld->a, sizeof *c);
	*c = (struct cond){.kind = COND_ATOM, .atom = a, .mark = mark, .text = atom_text(ld, a)};
	return c;
}

/* Equal atoms of all rules share one number, hence one bit and one evaluation per event. */
static const struct cond *atom_intern(struct loader *ld, const struct load_file *file, struct atom *draft,
                                      const struct node *const *items)
{
	struct rule_set *rs = ld->rs;
	struct buf key = {0};
	atom_canon(rs->lists, draft, &key);
	const struct atom *known = hmap_get(ld->atoms, buf_slice(&key));
	struct mark mark = draft->mark;
	if (known == NULL && (draft->op != OP_REGEX || atom_regexes(ld, file, draft, items))) {
		struct atom *a = arena_alloc(ld->a, sizeof *a);
		*a = *draft;
		BUG_ON(rs->n_atoms >= UINT32_MAX);
		a->number = (uint32_t)rs->n_atoms;
		a->file = file->name;
		rs->atoms = array_reserve(rs->atoms, &rs->cap_atoms, rs->n_atoms + 1, sizeof *rs->atoms);
		rs->atoms[rs->n_atoms++] = a;
		hmap_put(ld->atoms, buf_slice(&key), a);
		known = a;
	}
	buf_free(&key);
	return known != NULL ? cond_of(ld, known, mark) : NULL;
}

/* ---- arguments */

static bool alert_rule(const struct atom *a)
{
	return slice_is(a->field.name, "alert.rule");
}

/* alert.rule takes references; a bare id means the own package. */
static bool rule_name(struct loader *ld, const struct load_file *file, const struct node *n,
                      struct slice *text)
{
	if (slice_is(*text, "default/unmatched"))
		return true;
	struct node ref = *n;
	ref.text = *text;
	const struct symbol *s = symbol_ref(ld, file, SYMBOL_RULE, &ref);
	if (s != NULL)
		*text = s->id;
	return s != NULL;
}

/* So does calendar. */
static bool calendar_name(struct loader *ld, const struct load_file *file, const struct node *n, struct slice *text)
{
	struct node ref = *n;
	ref.text = *text;
	const struct symbol *s = symbol_ref(ld, file, SYMBOL_CALENDAR, &ref);
	if (s != NULL)
		*text = s->id;
	return s != NULL;
}

static bool text_argument(struct loader *ld, const struct load_file *file, const struct atom *a,
                          const struct node *n, struct slice *text)
{
	double num;
	if (text->n == 0) {
		load_error(ld, file, "E027", n->mark,
		           "empty value; to ask for a missing field write {exists: false}");
		return false;
	}
	if (a->numeric && !slice_num(*text, &num)) {
		load_error(ld, file, "E007", n->mark,
		           "expected a number for '" SLICE_FMT "', got '" SLICE_FMT "'",
		           SLICE_ARG(a->field.name), SLICE_ARG(*text));
		return false;
	}
	if (a->op == OP_EQ && a->field.core == FIELD_CALENDAR && !calendar_name(ld, file, n, text))
		return false;
	if (a->op == OP_EQ && alert_rule(a) && !rule_name(ld, file, n, text))
		return false;
	if (names_lower(&a->field) && a->op != OP_REGEX)
		*text = value_lower(ld, *text);
	return true;
}

/* One finding per constant, because each is a mistake of its own. */
static void lint_words(struct loader *ld, const struct load_file *file, const struct atom *a,
                       const struct node *const *items)
{
	enum severity sev;
	enum event_state state;
	for (size_t i = 0; a->op == OP_EQ && i < a->n_texts; i++) {
		if (a->field.core == FIELD_SEVERITY && !severity_parse(a->texts[i], &sev))
			load_warn(ld, file, "W101", items[i]->mark,
			          "this can never be true: severity is one of critical, major, minor, "
			          "warning, info");
		if (a->field.core == FIELD_STATE && !event_state_parse(a->texts[i], &state))
			load_warn(ld, file, "W101", items[i]->mark,
			          "this can never be true: state is one of problem, clear, info");
	}
	for (size_t i = 0; a->op == OP_REGEX && i < a->n_texts; i++)
		if (strcspn(a->texts[i].p, "\\^$.[]|()?*+{}") == a->texts[i].n)
			load_warn(ld, file, "W104", items[i]->mark,
			          "regex has no special characters; use contains, starts or equals");
}

static const struct cond *texts_atom(struct loader *ld, const struct load_file *file, struct atom *a,
                                     const struct node *n)
{
	size_t count;
	const struct node **items = value_items(ld, file, n, &count);
	if (items == NULL)
		return NULL;
	struct slice *texts = arena_array(ld->a, count, sizeof *texts);
	bool ok = true;
	for (size_t i = 0; i < count; i++)
		ok = value_text(ld, file, items[i], false, &texts[i]) &&
		     text_argument(ld, file, a, items[i], &texts[i]) && ok;
	if (!ok)
		return NULL;
	a->texts = texts;
	a->n_texts = count;
	lint_words(ld, file, a, items);
	return atom_intern(ld, file, a, items);
}

static const struct cond *lists_atom(struct loader *ld, const struct load_file *file, struct atom *a,
                                     const struct node *n)
{
	size_t count;
	const struct node **items = value_items(ld, file, n, &count);
	if (items == NULL)
		return NULL;
	uint32_t *numbers = arena_array(ld->a, count, sizeof *numbers);
	bool ok = true;
	for (size_t i = 0; i < count; i++) {
		struct symbol *s = symbol_ref(ld, file, SYMBOL_LIST, items[i]);
		if (s != NULL)
			numbers[i] = list_number(ld, s, names_lower(&a->field));
		ok = ok && s != NULL;
	}
	a->lists = numbers;
	a->n_lists = count;
	return ok ? atom_intern(ld, file, a, items) : NULL;
}

/* What the author probably meant: the network without its host bits. NULL if that is not the trouble. */
static const char *net_proposal(struct loader *ld, struct slice s)
{
	struct slice bits = s, addr;
	struct address a;
	char text[INET6_ADDRSTRLEN];
	int64_t n;
	(void)slice_split(&bits, '/', &addr);
	bool v4 = memchr(addr.p, ':', addr.n) == NULL;
	if (!address_parse(addr, &a) || !slice_int(bits, &n) || n < 0 || n > (v4 ? 32 : 128))
		return NULL;
	address_mask(&a, (unsigned)n + (v4 ? 96 : 0));
	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a.b + 12 : a.b, text, sizeof text) == NULL)
		return NULL;
	return arena_printf(ld->tmp, "%s/%u", text, (unsigned)n);
}

static bool net_load(struct loader *ld, const struct load_file *file, const struct node *n, struct slice s,
                     struct cidr *out)
{
	struct address a;
	unsigned bits;
	if (s.n > 0 && s.n < 64 && network_parse(s, &a, &bits)) {
		memcpy(out->addr, a.b, sizeof out->addr);
		out->bits = (uint8_t)bits;
		return true;
	}
	const char *proposal = s.n > 0 && s.n < 64 ? net_proposal(ld, s) : NULL;
	load_error(ld, file, "E023", n->mark, "'" SLICE_FMT "' is not a network; write it like %s",
	           SLICE_ARG(s), proposal != NULL ? proposal : "10.1.0.0/16");
	return false;
}

static bool nets_load(struct loader *ld, const struct load_file *file, const struct node **items, size_t n,
                      struct atom *out)
{
	struct cidr *nets = arena_array(ld->a, n, sizeof *nets);
	struct slice *texts = arena_array(ld->a, n, sizeof *texts);
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = value_text(ld, file, items[i], false, &texts[i]) &&
		     net_load(ld, file, items[i], texts[i], &nets[i]) && ok;
	out->nets = nets;
	out->n_nets = n;
	out->texts = texts;
	out->n_texts = n;
	return ok;
}

static const struct cond *nets_atom(struct loader *ld, const struct load_file *file, struct atom *a,
                                    const struct node *n)
{
	size_t count;
	const struct node **items = value_items(ld, file, n, &count);
	if (items == NULL || !nets_load(ld, file, items, count, a))
		return NULL;
	return atom_intern(ld, file, a, items);
}

static bool number_load(struct loader *ld, const struct load_file *file, const struct node *n, double *out)
{
	struct slice text;
	if (!value_text(ld, file, n, true, &text))
		return false;
	if (slice_num(text, out))
		return true;
	load_error(ld, file, "E007", n->mark, "expected a number for '" SLICE_FMT "', got '" SLICE_FMT "'",
	           SLICE_ARG(n->key), SLICE_ARG(text));
	return false;
}

static const char *type_word(enum value_type t)
{
	switch (t) {
	case VALUE_TEXT: return "text";
	case VALUE_NUMBER: return "a number";
	case VALUE_IP: return "an address";
	case VALUE_BOOL: return "true/false";
	case VALUE_TIME: return "a time";
	}
	return "text";
}

/* Under an open prefix a value may be a number: the event decides. */
static const struct cond *bound_atom(struct loader *ld, const struct load_file *file, struct atom *a,
                                     const struct node *n)
{
	const struct known_field *k = hmap_get(ld->fields, a->field.name);
	if (a->field.type != VALUE_NUMBER && !field_open(a->field.name)) {
		load_error(ld, file, "E024", n->key_mark,
		           "'" SLICE_FMT "' is %s, but '" SLICE_FMT "' compares numbers%s",
		           SLICE_ARG(a->field.name), type_word(a->field.type), SLICE_ARG(n->key),
		           k != NULL && k->how != NULL && !k->declared
		               ? "; capture it as ':int' or declare it under 'fields:'"
		               : "");
		return NULL;
	}
	return number_load(ld, file, n, &a->bound) ? atom_intern(ld, file, a, NULL) : NULL;
}

static const struct cond *exists_atom(struct loader *ld, const struct load_file *file, struct atom *a,
                                      const struct node *n)
{
	struct slice text;
	if (!value_text(ld, file, n, true, &text))
		return NULL;
	if (!slice_is(text, "true") && !slice_is(text, "false")) {
		load_error(ld, file, "E007", n->mark,
		           "expected true or false for 'exists', got '" SLICE_FMT "'", SLICE_ARG(text));
		return NULL;
	}
	a->want = slice_is(text, "true");
	if (a->want && (a->field.core == FIELD_TYPE || a->field.core == FIELD_RECEIVED))
		load_warn(ld, file, "W112", n->key_mark, "condition always true here; remove it");
	return atom_intern(ld, file, a, NULL);
}

/* ---- one operator, one test */

static const struct cond *operator_load(struct loader *ld, const struct load_file *file,
                                        struct field_ref field, enum test_op op, const struct node *n)
{
	struct atom a = {.field = field, .op = op, .mark = n->mark};
	switch (op) {
	case OP_EQ: a.numeric = field.type == VALUE_NUMBER; return texts_atom(ld, file, &a, n);
	case OP_CONTAINS:
	case OP_STARTS:
	case OP_ENDS:
	case OP_LIKE:
	case OP_REGEX: return texts_atom(ld, file, &a, n);
	case OP_CIDR: return nets_atom(ld, file, &a, n);
	case OP_GT:
	case OP_GE:
	case OP_LT:
	case OP_LE: return bound_atom(ld, file, &a, n);
	case OP_LIST: return lists_atom(ld, file, &a, n);
	case OP_EXISTS: return exists_atom(ld, file, &a, n);
	}
	return NULL;
}

static void operator_unknown(struct loader *ld, const struct load_file *file, const struct node *n)
{
	const char *names[ARRAY_LEN(operators) + 1];
	struct buf all = {0};
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		names[i] = operators[i].name;
		buf_printf(&all, "%s, ", operators[i].name);
	}
	names[ARRAY_LEN(operators)] = "not";
	load_error(ld, file, "E021", n->key_mark, "unknown operator '" SLICE_FMT "'; operators are: %snot%s",
	           SLICE_ARG(n->key), buf_cstr(&all), load_hint(ld, n->key, names, ARRAY_LEN(names)));
	buf_free(&all);
}

static const struct cond *operator_key(struct loader *ld, const struct load_file *file,
                                       struct field_ref field, const struct node *n)
{
	if (slice_is(n->key, "not")) {
		const struct cond *inner = match_field(ld, file, field, n);
		return inner != NULL ? match_join(ld, COND_NOT, &inner, 1, n->mark) : NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (slice_is(n->key, operators[i].name))
			return operator_load(ld, file, field, operators[i].op, n);
	operator_unknown(ld, file, n);
	return NULL;
}

/* Contradictions and idle conditions that show inside of one test. */
static void lint_operators(struct loader *ld, const struct load_file *file, const struct node *n,
                           const struct cond *const *kids, size_t count)
{
	double low = -1.0 / 0.0, high = 1.0 / 0.0;
	bool open = false, exists = false, other = false;
	for (size_t i = 0; i < count; i++) {
		const struct atom *a = kids[i]->kind == COND_ATOM ? kids[i]->atom : NULL;
		if (a == NULL)
			continue;
		open = open || a->op == OP_GT || a->op == OP_LT;
		if ((a->op == OP_GT || a->op == OP_GE) && a->bound > low)
			low = a->bound;
		if ((a->op == OP_LT || a->op == OP_LE) && a->bound < high)
			high = a->bound;
		exists = exists || (a->op == OP_EXISTS && a->want);
		other = other || a->op != OP_EXISTS;
	}
	if (low > high || (open && low >= high))
		load_warn(ld, file, "W101", n->mark,
		          "this can never be true: no number is above %.15g and below %.15g", low, high);
	if (exists && other)
		load_warn(ld, file, "W112", node_get(n, "exists")->key_mark,
		          "condition always true here; remove it");
}

const struct cond *match_field(struct loader *ld, const struct load_file *file, struct field_ref field,
                               const struct node *n)
{
	if (n->kind != NODE_MAP)
		return operator_load(ld, file, field, OP_EQ, n);
	if (n->n == 0) {
		load_error(ld, file, "E028", n->mark,
		           "this test of '" SLICE_FMT "' is empty; write the condition or remove it",
		           SLICE_ARG(field.name));
		return NULL;
	}
	const struct cond **kids = arena_array(ld->tmp, n->n, sizeof *kids);
	size_t count = 0;
	bool ok = true;
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		const struct cond *c = operator_key(ld, file, field, i);
		ok = ok && c != NULL;
		kids[count++] = c;
	}
	if (!ok)
		return NULL;
	lint_operators(ld, file, n, kids, count);
	return match_join(ld, COND_ALL, kids, count, n->mark);
}
