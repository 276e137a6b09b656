#include "cond_build.h"

#include <stdlib.h>

#include "model/address.h"
#include "rules/atom.h"

struct build_set *build_new(void)
{
	struct build_set *b = xcalloc(1, sizeof *b);
	b->a = arena_new(0);
	return b;
}

void build_free(struct build_set *b)
{
	for (size_t i = 0; i < b->n_regexes; i++)
		regex_free(b->regexes[i]);
	for (size_t i = 0; i < b->n_decoders; i++) {
		for (size_t j = 0; j < b->decoders[i].n_extract; j++) {
			for (size_t k = 0; k < b->decoders[i].extract[j].n; k++)
				pattern_close(b->decoders[i].extract[j].patterns[k]);
		}
	}
	index_free(b->index);
	index_free(b->decoder_index);
	arena_free(b->a);
	free(b);
}

struct field_ref build_field(struct build_set *b, const char *name)
{
	struct field_ref f = {.core = field_core(slice_str(name)),
	                      .name = arena_slice(b->a, slice_str(name))};
	if (f.core != FIELD_NONE)
		return f;
	while (f.slot < b->n_names && !slice_is(b->names[f.slot], name))
		f.slot++;
	BUG_ON(f.slot == ARRAY_LEN(b->names));
	if (f.slot == b->n_names)
		b->names[b->n_names++] = f.name;
	return f;
}

static const struct cond *leaf(struct build_set *b, struct atom draft)
{
	BUG_ON(b->n_atoms == ARRAY_LEN(b->atoms));
	struct atom *a = arena_alloc(b->a, sizeof *a);
	*a = draft;
	a->number = (uint32_t)b->n_atoms;
	b->atoms[b->n_atoms++] = a;
	struct cond *c = arena_alloc(b->a, sizeof *c);
	*c = (struct cond){.kind = COND_ATOM, .atom = a};
	c->text = arena_printf(b->a, SLICE_FMT " #%u", SLICE_ARG(a->field.name), a->number);
	return c;
}

static struct slice *lines(struct build_set *b, const char *texts, size_t *n)
{
	struct slice rest = slice_str(texts), part;
	struct slice *out = arena_array(b->a, 64, sizeof *out);
	*n = 0;
	while (slice_split(&rest, '\n', &part)) {
		BUG_ON(*n == 64);
		out[(*n)++] = arena_slice(b->a, part);
	}
	return out;
}

const struct cond *build_texts(struct build_set *b, const char *field, enum test_op op, const char *texts)
{
	struct atom a = {.field = build_field(b, field), .op = op};
	struct error err;
	a.texts = lines(b, texts, &a.n_texts);
	if (op != OP_REGEX)
		return leaf(b, a);
	struct regex **regexes = arena_array(b->a, a.n_texts, sizeof(struct regex *));
	for (size_t i = 0; i < a.n_texts; i++) {
		regexes[i] =
		    regex_new(a.texts[i], (struct regex_options){.jit = true, .only_named = true}, &err);
		if (regexes[i] == NULL)
			return NULL;
		b->regexes[b->n_regexes++] = regexes[i];
	}
	a.regexes = regexes;
	return leaf(b, a);
}

const struct cond *build_number(struct build_set *b, const char *field, const char *values)
{
	struct atom a = {.field = build_field(b, field), .op = OP_EQ, .numeric = true};
	a.texts = lines(b, values, &a.n_texts);
	return leaf(b, a);
}

const struct cond *build_bound(struct build_set *b, const char *field, enum test_op op, double bound)
{
	return leaf(b, (struct atom){.field = build_field(b, field), .op = op, .bound = bound});
}

const struct cond *build_net(struct build_set *b, const char *field, const char *net)
{
	struct address addr;
	unsigned bits;
	BUG_ON(!network_parse(slice_str(net), &addr, &bits));
	struct cidr *c = arena_alloc(b->a, sizeof *c);
	memcpy(c->addr, addr.b, sizeof c->addr);
	c->bits = (uint8_t)bits;
	return leaf(b, (struct atom){.field = build_field(b, field), .op = OP_CIDR, .nets = c, .n_nets = 1});
}

const struct cond *build_list(struct build_set *b, const char *field, uint32_t list)
{
	uint32_t *n = arena_alloc(b->a, sizeof *n);
	*n = list;
	return leaf(b,
	            (struct atom){.field = build_field(b, field), .op = OP_LIST, .lists = n, .n_lists = 1});
}

const struct cond *build_exists(struct build_set *b, const char *field, bool want)
{
	return leaf(b, (struct atom){.field = build_field(b, field), .op = OP_EXISTS, .want = want});
}

const struct cond *build_join(struct build_set *b, enum cond_kind kind, const struct cond *const *kids,
                              size_t n)
{
	const struct cond **copy = arena_array(b->a, n, sizeof(struct cond *));
	memcpy(copy, kids, n * sizeof(struct cond *));
	struct cond *c = arena_alloc(b->a, sizeof *c);
	*c = (struct cond){.kind = kind, .kids = copy, .n = n, .text = "joined"};
	return c;
}

const struct cond *build_not(struct build_set *b, const struct cond *c)
{
	return build_join(b, COND_NOT, &c, 1);
}

const struct cond *build_all(struct build_set *b, const struct cond *x, const struct cond *y)
{
	const struct cond *kids[] = {x, y};
	return build_join(b, COND_ALL, kids, 2);
}

const struct cond *build_any(struct build_set *b, const struct cond *x, const struct cond *y)
{
	const struct cond *kids[] = {x, y};
	return build_join(b, COND_ANY, kids, 2);
}

uint32_t build_value_list(struct build_set *b, const char *values)
{
	BUG_ON(b->n_lists == ARRAY_LEN(b->lists));
	struct value_list *l = &b->lists[b->n_lists];
	l->values = lines(b, values, &l->n);
	return (uint32_t)b->n_lists++;
}

uint32_t build_predicate(struct build_set *b, const struct cond *c)
{
	uint32_t n = (uint32_t)b->n_predicates++;
	BUG_ON(n >= BUILD_MAX);
	b->predicates[n] = (struct predicate){.number = n, .rule = n, .cond = c};
	b->rules[n] = (struct rule){.number = n, .id = slice_str(arena_printf(b->a, "t/r%u", n)), .match = n};
	return n;
}

struct rule_decoder *build_decoder(struct build_set *b, const struct cond *c)
{
	BUG_ON(b->n_decoders == ARRAY_LEN(b->decoders));
	struct rule_decoder *d = &b->decoders[b->n_decoders];
	*d = (struct rule_decoder){.number = (uint32_t)b->n_decoders, .match = c};
	d->id = slice_str(arena_printf(b->a, "t/d%zu", b->n_decoders++));
	return d;
}

struct matcher *build_matcher(struct build_set *b)
{
	size_t n = MAX(b->n_predicates, b->n_decoders);
	struct index_item *items = xcalloc(n + 1, sizeof *items);
	for (uint32_t i = 0; i < b->n_predicates; i++)
		items[i] = (struct index_item){i, b->predicates[i].cond};
	b->index = index_new(items, b->n_predicates, b->lists, b->n_lists, b->n_names);
	for (uint32_t i = 0; i < b->n_decoders; i++)
		items[i] = (struct index_item){i, b->decoders[i].match};
	b->decoder_index = index_new(items, b->n_decoders, b->lists, b->n_lists, b->n_names);
	free(items);
	struct matcher_parts p = {.rules = b->rules,
	                          .n_rules = b->n_predicates,
	                          .decoders = b->decoders,
	                          .n_decoders = b->n_decoders,
	                          .predicates = b->predicates,
	                          .n_predicates = b->n_predicates,
	                          .n_atoms = b->n_atoms,
	                          .lists = b->lists,
	                          .n_lists = b->n_lists,
	                          .field_names = b->names,
	                          .n_field_names = b->n_names,
	                          .service_paths = b->service_paths,
	                          .n_service_paths = b->n_service_paths,
	                          .index = b->index,
	                          .decoder_index = b->decoder_index};
	return matcher_of_parts(&p);
}

bool build_eval(const struct build_set *b, const struct cond *c, const struct fields *f)
{
	switch (c->kind) {
	case COND_ATOM:
		return atom_test(c->atom, fields_get_name(f, c->atom->field.name), b->lists, b->n_lists);
	case COND_NOT: return !build_eval(b, c->kids[0], f);
	case COND_ALL:
		for (size_t i = 0; i < c->n; i++) {
			if (!build_eval(b, c->kids[i], f))
				return false;
		}
		return true;
	case COND_ANY:
		for (size_t i = 0; i < c->n; i++) {
			if (build_eval(b, c->kids[i], f))
				return true;
		}
		return false;
	}
	bug_stop("a condition of no kind", __FILE__, __LINE__);
}
