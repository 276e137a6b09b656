/* See smi.h. Parsing collects nodes (name, parent, number) and types; writing resolves them, so the order of modules and of
 * definitions inside them does not matter. */
#include "smi.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hmap.h"
#include "smi_lex.h"

enum { PARTS_MAX = 32, LABELS_MAX = 4096, DEPTH_MAX = 64, OID_MAX = 1000 };

enum node_kind { NODE_PLACE, NODE_OBJECT, NODE_NOTIFICATION };

struct type {
	struct slice base;   /* the type's own name: a textual convention to look up; absent: built in */
	struct slice labels; /* "up=1,down=2" */
	bool bits;
};
struct module;
struct node {
	struct slice name;
	struct slice parent; /* absent: `oid` is known */
	struct slice below;  /* ".1.3": what hangs below the parent */
	struct slice oid;    /* once resolved */
	enum node_kind kind;
	struct type type;
	const struct module *module;
	size_t at;
	bool busy; /* being resolved */
};
struct module {
	struct slice name;
	const char *file;
	struct slice text;
	struct hmap *imports; /* name → module's name (a string) */
	struct hmap *nodes, *types;
};
struct smi {
	struct arena *arena;
	struct module **modules;
	size_t n_modules, cap_modules;
	struct node **nodes; /* in order of reading */
	size_t n_nodes, cap_nodes;
	struct hmap *known;      /* name → node, of roots and former tables */
	struct hmap *by_module;  /* name → module */
	struct hmap *any;        /* name → first node of that name */
	struct hmap *any_type;
};

/* ---- the roots that RFC 1155 and RFC 2578 define, and what they show */

static const struct {
	const char *name, *oid;
} roots[] = {
    {"ccitt", "0"}, {"zeroDotZero", "0.0"}, {"iso", "1"}, {"joint-iso-ccitt", "2"}, {"org", "1.3"}, {"dod", "1.3.6"}, {"internet", "1.3.6.1"},
    {"directory", "1.3.6.1.1"}, {"mgmt", "1.3.6.1.2"}, {"mib-2", "1.3.6.1.2.1"}, {"transmission", "1.3.6.1.2.1.10"},
    {"experimental", "1.3.6.1.3"}, {"private", "1.3.6.1.4"}, {"enterprises", "1.3.6.1.4.1"}, {"security", "1.3.6.1.5"},
    {"snmpV2", "1.3.6.1.6"}, {"snmpDomains", "1.3.6.1.6.1"}, {"snmpProxys", "1.3.6.1.6.2"}, {"snmpModules", "1.3.6.1.6.3"},
};
static const struct {
	const char *name, *form, *labels;
} conventions[] = {
    {"MacAddress", "mac", NULL}, {"PhysAddress", "mac", NULL}, {"DateAndTime", "date", NULL}, {"InetAddress", "ip", NULL},
    {"TruthValue", "enum", "true=1,false=2"},
    {"RowStatus", "enum", "active=1,notInService=2,notReady=3,createAndGo=4,createAndWait=5,destroy=6"},
    {"StorageType", "enum", "other=1,volatile=2,nonVolatile=3,permanent=4,readOnly=5"},
    {"InetAddressType", "enum", "unknown=0,ipv4=1,ipv6=2,ipv4z=3,ipv6z=4,dns=16"},
};

static struct node *node_new(struct smi *s, struct slice name, enum node_kind kind)
{
	struct node *n = arena_alloc(s->arena, sizeof *n);
	n->name = arena_slice(s->arena, name);
	n->kind = kind;
	return n;
}

static void known_add(struct smi *s, struct slice name, struct slice oid)
{
	struct node *n = node_new(s, name, NODE_PLACE);
	n->oid = arena_slice(s->arena, oid);
	if (hmap_get(s->known, name) == NULL)
		(void)hmap_put(s->known, name, n);
}

struct smi *smi_new(void)
{
	struct smi *s = xcalloc(1, sizeof *s);
	s->arena = arena_new(0);
	s->known = hmap_new();
	s->by_module = hmap_new();
	s->any = hmap_new();
	s->any_type = hmap_new();
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		known_add(s, slice_str(roots[i].name), slice_str(roots[i].oid));
	return s;
}

void smi_free(struct smi *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_modules; i++) {
		hmap_free(s->modules[i]->imports);
		hmap_free(s->modules[i]->nodes);
		hmap_free(s->modules[i]->types);
	}
	free(s->modules);
	free(s->nodes);
	hmap_free(s->known);
	hmap_free(s->by_module);
	hmap_free(s->any);
	hmap_free(s->any_type);
	arena_free(s->arena);
	free(s);
}

size_t smi_modules(const struct smi *s)
{
	return s->n_modules;
}

void smi_known(struct smi *s, struct slice table)
{
	struct slice line, mark, oid, name;
	while (slice_split(&table, '\n', &line)) {
		line = slice_trim(line);
		if (slice_split(&line, ' ', &mark) && mark.n == 1 && strchr(".=!", mark.p[0]) != NULL && slice_split(&line, ' ', &oid) &&
		    slice_split(&line, ' ', &name))
			known_add(s, name, oid);
	}
}

/* ---- reading a module */

struct parse {
	struct smi *s;
	struct module *m;
	struct smi_lex lex;
	struct findings *f;
	bool failed;
};

static void complain(struct parse *p, const char *what)
{
	struct mark at = mark_at(p->lex.text, p->lex.from);
	findings_add(p->f, FINDING_ERROR, "", p->m->file, at, p->lex.text, "%s in module " SLICE_FMT, what, SLICE_ARG(p->m->name));
	p->failed = true;
}

/* { a(1) b(2) }: named numbers as "a=1,b=2" */
static struct slice read_labels(struct parse *p)
{
	struct buf out = {0};
	size_t n = 0;
	while (smi_next(&p->lex) && !smi_is(&p->lex, "}") && n < LABELS_MAX) {
		struct slice name = p->lex.word;
		if (p->lex.token != SMI_NAME || !smi_next(&p->lex) || !smi_is(&p->lex, "(") || !smi_next(&p->lex))
			continue;
		if (p->lex.token == SMI_NUMBER) {
			buf_printf(&out, "%s" SLICE_FMT "=" SLICE_FMT, n > 0 ? "," : "", SLICE_ARG(name), SLICE_ARG(p->lex.word));
			n++;
		}
	}
	smi_next(&p->lex);
	struct slice kept = out.n > 0 ? arena_slice(p->s->arena, buf_slice(&out)) : SLICE_NONE;
	buf_free(&out);
	return kept;
}

/* At the first token of a type; leaves the lexer behind it. */
static struct type read_type(struct parse *p)
{
	struct type t = {0};
	if (smi_is(&p->lex, "[")) { /* a tag: [APPLICATION 0] IMPLICIT */
		smi_skip_braces(&p->lex, '[', ']');
		if (smi_is(&p->lex, "IMPLICIT"))
			smi_next(&p->lex);
	}
	if (smi_is(&p->lex, "OCTET") || smi_is(&p->lex, "OBJECT")) {
		smi_next(&p->lex);
		smi_next(&p->lex);
	} else if (smi_is(&p->lex, "SEQUENCE") || smi_is(&p->lex, "CHOICE")) {
		smi_next(&p->lex);
		if (smi_is(&p->lex, "OF"))
			smi_next(&p->lex);
		if (smi_is(&p->lex, "{"))
			smi_skip_braces(&p->lex, '{', '}');
		else
			smi_next(&p->lex);
		return t;
	} else {
		t.bits = smi_is(&p->lex, "BITS");
		if (!t.bits && !smi_is(&p->lex, "INTEGER"))
			t.base = arena_slice(p->s->arena, p->lex.word);
		smi_next(&p->lex);
	}
	if (smi_is(&p->lex, "{"))
		t.labels = read_labels(p);
	if (smi_is(&p->lex, "("))
		smi_skip_braces(&p->lex, '(', ')');
	return t;
}

/* A number of an OID; what looks like one may be "1enu" or too large. */
static bool is_arc(struct slice word)
{
	int64_t v;
	return word.n > 0 && word.p[0] != '-' && word.p[0] != '+' && slice_int(word, &v) && v <= UINT32_MAX;
}

/* Below something that is nowhere: then so is the node, and it is said. */
static void put_arc(struct parse *p, struct node *n, struct buf *below, struct slice word)
{
	if (is_arc(word))
		buf_printf(below, "." SLICE_FMT, SLICE_ARG(word));
	else
		n->parent = arena_slice(p->s->arena, word);
}

/* { parent 3 sub(4) }: the parent's name, and what is below it. At the opening brace. */
static void read_place(struct parse *p, struct node *n)
{
	struct buf below = {0};
	size_t parts = 0;
	while (smi_next(&p->lex) && !smi_is(&p->lex, "}")) {
		struct slice word = p->lex.word;
		bool number = p->lex.token == SMI_NUMBER;
		if (p->lex.token != SMI_NUMBER && p->lex.token != SMI_NAME)
			continue;
		if (parts++ == PARTS_MAX)
			break;
		if (parts == 1 && !number) {
			n->parent = arena_slice(p->s->arena, word);
		} else if (number) {
			put_arc(p, n, &below, word);
		} else { /* name(number): the number counts */
			if (smi_next(&p->lex) && smi_is(&p->lex, "(") && smi_next(&p->lex) && p->lex.token == SMI_NUMBER)
				put_arc(p, n, &below, p->lex.word);
		}
	}
	smi_next(&p->lex);
	n->below = arena_slice(p->s->arena, buf_slice(&below));
	buf_free(&below);
}

static void keep_node(struct parse *p, struct node *n)
{
	struct smi *s = p->s;
	n->module = p->m;
	s->nodes = array_reserve(s->nodes, &s->cap_nodes, s->n_nodes + 1, sizeof(struct node *));
	s->nodes[s->n_nodes++] = n;
	(void)hmap_put(p->m->nodes, n->name, n);
	if (hmap_get(s->any, n->name) == NULL)
		(void)hmap_put(s->any, n->name, n);
}

/* Clauses up to "::=", then the place. `kind` is the macro's word. */
static void read_definition(struct parse *p, struct slice name, struct slice kind)
{
	bool object = slice_is(kind, "OBJECT-TYPE"), v1_trap = slice_is(kind, "TRAP-TYPE");
	bool notification = v1_trap || slice_is(kind, "NOTIFICATION-TYPE");
	struct node *n = node_new(p->s, name, object ? NODE_OBJECT : notification ? NODE_NOTIFICATION : NODE_PLACE);
	struct slice enterprise = SLICE_NONE;
	n->at = p->lex.from;
	bool typed = false;
	while (p->lex.token != SMI_END && p->lex.token != SMI_ASSIGN) {
		if (object && !typed && smi_is(&p->lex, "SYNTAX") && smi_next(&p->lex)) {
			n->type = read_type(p);
			typed = true;
		} else if (v1_trap && smi_is(&p->lex, "ENTERPRISE") && smi_next(&p->lex)) {
			if (smi_is(&p->lex, "{"))
				smi_next(&p->lex);
			enterprise = p->lex.word;
		} else if (smi_is(&p->lex, "{")) {
			smi_skip_braces(&p->lex, '{', '}');
		} else {
			smi_next(&p->lex);
		}
	}
	if (p->lex.token != SMI_ASSIGN || !smi_next(&p->lex)) {
		complain(p, "a definition without '::='");
		return;
	}
	if (v1_trap && p->lex.token == SMI_NUMBER) { /* RFC 3584, section 3.1: ENTERPRISE.0.number; 'snmp' means the generic ones */
		bool generic = slice_is(enterprise, "snmp");
		int64_t number = 0;
		if (generic && slice_int(p->lex.word, &number)) {
			n->parent = SLICE("snmpModules");
			n->below = slice_str(arena_printf(p->s->arena, ".1.1.5.%lld", (long long)number + 1));
		} else {
			n->parent = arena_slice(p->s->arena, enterprise);
			n->below = slice_str(arena_printf(p->s->arena, ".0." SLICE_FMT, SLICE_ARG(p->lex.word)));
		}
		smi_next(&p->lex);
	} else if (smi_is(&p->lex, "{")) {
		read_place(p, n);
	} else {
		complain(p, "expected '{' and a place in the tree behind '::='");
		return;
	}
	keep_node(p, n);
}

static void read_type_definition(struct parse *p, struct slice name)
{
	struct type *t = arena_alloc(p->s->arena, sizeof *t);
	if (smi_is(&p->lex, "TEXTUAL-CONVENTION")) {
		while (p->lex.token != SMI_END && !smi_is(&p->lex, "SYNTAX"))
			smi_next(&p->lex);
		smi_next(&p->lex);
	}
	*t = read_type(p);
	(void)hmap_put(p->m->types, name, t);
	if (hmap_get(p->s->any_type, name) == NULL)
		(void)hmap_put(p->s->any_type, name, t);
}

/* IMPORTS a, b FROM M c FROM N; */
static void read_imports(struct parse *p)
{
	struct slice names[512];
	size_t n = 0;
	while (smi_next(&p->lex) && !smi_is(&p->lex, ";")) {
		if (smi_is(&p->lex, "FROM") && smi_next(&p->lex)) {
			char *from = arena_str(p->s->arena, p->lex.word);
			for (size_t i = 0; i < n; i++)
				(void)hmap_put(p->m->imports, names[i], from);
			n = 0;
		} else if (p->lex.token == SMI_NAME && n < ARRAY_LEN(names)) {
			names[n++] = p->lex.word;
		}
	}
	smi_next(&p->lex);
}

static void read_macro(struct parse *p)
{
	while (smi_next(&p->lex) && !smi_is(&p->lex, "END"))
		;
	smi_next(&p->lex);
}

static void read_item(struct parse *p)
{
	if (p->lex.token != SMI_NAME) {
		smi_next(&p->lex);
		return;
	}
	struct slice name = p->lex.word;
	smi_next(&p->lex);
	if (smi_is(&p->lex, "MACRO")) {
		read_macro(p);
	} else if (p->lex.token == SMI_ASSIGN) {
		smi_next(&p->lex);
		read_type_definition(p, name);
	} else if (smi_is(&p->lex, "OBJECT")) {
		read_definition(p, name, SLICE("OBJECT IDENTIFIER"));
	} else if (p->lex.token == SMI_NAME) {
		struct slice kind = p->lex.word;
		smi_next(&p->lex);
		read_definition(p, name, kind);
	}
}

static void read_body(struct parse *p)
{
	while (p->lex.token != SMI_END && !p->failed) {
		if (smi_is(&p->lex, "END"))
			return;
		if (smi_is(&p->lex, "IMPORTS"))
			read_imports(p);
		else if (smi_is(&p->lex, "EXPORTS"))
			while (smi_next(&p->lex) && !smi_is(&p->lex, ";"))
				;
		else
			read_item(p);
	}
	if (!p->failed)
		complain(p, "no END");
}

static struct module *module_new(struct smi *s, struct slice name, const char *file, struct slice text)
{
	struct module *m = arena_alloc(s->arena, sizeof *m);
	*m = (struct module){arena_slice(s->arena, name), arena_str(s->arena, slice_str(file)), text, hmap_new(), hmap_new(), hmap_new()};
	s->modules = array_reserve(s->modules, &s->cap_modules, s->n_modules + 1, sizeof(struct module *));
	s->modules[s->n_modules++] = m;
	(void)hmap_put(s->by_module, m->name, m);
	return m;
}

int smi_add(struct smi *s, const char *file, struct slice text, struct findings *f)
{
	struct parse p = {.s = s, .f = f, .lex = {.text = arena_slice(s->arena, text)}};
	size_t before = s->n_modules;
	struct slice name = SLICE_NONE;
	while (!p.failed && smi_next(&p.lex)) {
		if (!smi_is(&p.lex, "DEFINITIONS")) {
			/* NAME { oid } DEFINITIONS is legal: the name stays */
			if (p.lex.token == SMI_NAME && name.p == NULL)
				name = p.lex.word;
			continue;
		}
		while (p.lex.token != SMI_END && !smi_is(&p.lex, "BEGIN"))
			smi_next(&p.lex);
		smi_next(&p.lex);
		p.m = module_new(s, name.p != NULL ? name : SLICE("unnamed"), file, p.lex.text);
		name = SLICE_NONE;
		read_body(&p);
	}
	if (s->n_modules > before)
		return p.failed ? -1 : 0;
	findings_add(f, FINDING_ERROR, "", file, (struct mark){0, 0, 0}, SLICE_NONE,
	             "no MIB module here; a module begins with NAME DEFINITIONS ::= BEGIN");
	return -1;
}

/* ---- resolving */

/* As imports say, else anybody's. */
static struct node *node_named(struct smi *s, const struct module *m, struct slice name)
{
	struct node *n = hmap_get(m->nodes, name);
	const char *from = n == NULL ? hmap_get(m->imports, name) : NULL;
	const struct module *other = from != NULL ? hmap_get(s->by_module, slice_str(from)) : NULL;
	if (n == NULL && other != NULL)
		n = hmap_get(other->nodes, name);
	if (n == NULL)
		n = hmap_get(s->known, name);
	return n != NULL ? n : hmap_get(s->any, name);
}

static bool resolve(struct smi *s, struct node *n, size_t depth)
{
	if (n->oid.p != NULL)
		return true;
	if (n->busy || depth > DEPTH_MAX)
		return false;
	n->busy = true;
	struct node *parent = n->parent.p != NULL ? node_named(s, n->module, n->parent) : NULL;
	struct slice base = SLICE_NONE;
	bool ok = true;
	if (n->parent.p != NULL) {
		/* a node of its own name is the root's one: `internet OBJECT IDENTIFIER ::= { iso … }` never names itself */
		ok = parent != NULL && resolve(s, parent, depth + 1);
		base = ok ? parent->oid : SLICE_NONE;
	}
	n->busy = false;
	if (!ok || base.n + n->below.n > OID_MAX)
		return false;
	struct slice below = n->below;
	if (base.n == 0 && below.n > 0)
		below = slice_sub(below, 1, below.n - 1);
	n->oid = slice_str(arena_printf(s->arena, SLICE_FMT SLICE_FMT, SLICE_ARG(base), SLICE_ARG(below)));
	return n->oid.n > 0;
}

/* Follows textual conventions to a form and its names; at most a few steps. */
static void write_type(struct smi *s, const struct module *m, const struct type *t, struct buf *out)
{
	for (size_t step = 0; t != NULL && step < 8; step++) {
		if (t->labels.n > 0) {
			buf_printf(out, " %s " SLICE_FMT, t->bits ? "bits" : "enum", SLICE_ARG(t->labels));
			return;
		}
		for (size_t i = 0; t->base.p != NULL && i < ARRAY_LEN(conventions); i++)
			if (slice_is(t->base, conventions[i].name)) {
				buf_printf(out, " %s%s%s", conventions[i].form, conventions[i].labels != NULL ? " " : "",
				           conventions[i].labels != NULL ? conventions[i].labels : "");
				return;
			}
		if (t->base.p == NULL)
			return;
		const struct type *next = hmap_get(m->types, t->base);
		t = next != NULL && next != t ? next : next == NULL ? hmap_get(s->any_type, t->base) : NULL;
	}
}

static void unresolved(struct smi *s, const struct node *n, struct findings *f)
{
	const struct node *last = n;
	for (size_t i = 0; i < DEPTH_MAX && last->parent.p != NULL; i++) {
		const struct node *up = node_named(s, last->module, last->parent);
		if (up == NULL || up == last)
			break;
		last = up;
	}
	const char *from = last->module != NULL ? hmap_get(last->module->imports, last->parent) : NULL;
	findings_add(f, FINDING_ERROR, "", n->module->file, mark_at(n->module->text, n->at), n->module->text,
	             "'" SLICE_FMT "' hangs on '" SLICE_FMT "', which nobody defines; add the file of module %s", SLICE_ARG(n->name),
	             SLICE_ARG(last->parent), from != NULL ? from : "that does");
}

/* Tables and rows are objects too, but no variable ever is one: what has objects below it is a place. */
static void places(struct smi *s)
{
	for (size_t i = 0; i < s->n_nodes; i++) {
		struct node *n = s->nodes[i];
		struct node *up = n->kind == NODE_OBJECT && n->parent.p != NULL ? node_named(s, n->module, n->parent) : NULL;
		if (up != NULL && up != n)
			up->kind = NODE_PLACE;
	}
}

int smi_write(struct smi *s, struct buf *out, struct findings *f)
{
	static const char marks[] = {[NODE_PLACE] = '.', [NODE_OBJECT] = '=', [NODE_NOTIFICATION] = '!'};
	const struct module *m = NULL;
	size_t errors = f->errors;
	places(s);
	for (size_t i = 0; i < s->n_nodes; i++) {
		struct node *n = s->nodes[i];
		if (!resolve(s, n, 0)) {
			unresolved(s, n, f);
			continue;
		}
		if (m != n->module)
			buf_printf(out, "@ " SLICE_FMT "\n", SLICE_ARG(n->module->name));
		m = n->module;
		buf_printf(out, "%c " SLICE_FMT " " SLICE_FMT, marks[n->kind], SLICE_ARG(n->oid), SLICE_ARG(n->name));
		if (n->kind == NODE_OBJECT)
			write_type(s, n->module, &n->type, out);
		buf_char(out, '\n');
	}
	return f->errors > errors ? -1 : 0;
}
