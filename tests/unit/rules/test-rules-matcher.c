/* The matcher against the slow truth on random rules, decoders and events, and its edges one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/template.h"
#include "cond_build.h"
#include "rules/pattern.h"

/* ---- random things from a seed */

static uint64_t rng;

static uint32_t below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 33) % n);
}

static const char *const vocabulary[] = {"error",
                                         "link",
                                         "down",
                                         "Up",
                                         "port",
                                         "eth0",
                                         "disk",
                                         "a",
                                         "err",
                                         "fail",
                                         "7",
                                         "x_y",
                                         "17",
                                         "FAIL",
                                         "sk",
                                         "Error",
                                         "failure",
                                         "longer_than_sixteen_octets",
                                         "longer_than_sixteen_octetz",
                                         "\xc3\xa9t\xc3\xa9"};
static const char *const hosts[] = {"sw1",     "sw2", "db-1.example.net", "10.0.0.1", "10.0.1.9",
                                    "fe80::1", "web"};
static const char *const numbers[] = {"1", "2", "2.0", "17", "-3", "1e3", "90", "abc", "0", "-0", "90.5"};
static const char *const separators[] = {" ", " ", " ", ": ", "-", "", "", ", ", "=", "\t", "\xff"};
static const char *const text_fields[] = {"message", "message", "message", "host",
                                          "app",     "x.a",     "x.b",     "code"};

#define ANY(list) list[below(ARRAY_LEN(list))]

static struct slice random_text(struct arena *a, uint32_t words)
{
	struct buf text = {0};
	for (uint32_t i = 0; i < words; i++)
		buf_printf(&text, "%s%s", i > 0 ? ANY(separators) : "", ANY(vocabulary));
	struct slice s = arena_slice(a, buf_slice(&text));
	buf_free(&text);
	return s;
}

/* A piece of a text as rules would name it. */
static const char *random_piece(struct arena *a)
{
	struct slice s = random_text(a, 1 + below(3));
	size_t from = below(3) == 0 ? below((uint32_t)s.n) : 0;
	size_t n = below(3) == 0 ? 1 + below((uint32_t)(s.n - from)) : s.n - from;
	return arena_str(a, slice_sub(s, from, n));
}

static const char *random_pieces(struct arena *a)
{
	const char *one = random_piece(a);
	return below(3) > 0 ? one : arena_printf(a, "%s\n%s", one, random_piece(a));
}

static const char *random_glob(struct arena *a)
{
	static const char *const shapes[] = {"*%s*", "%s*",     "*%s",   "%s", "*%s?",
	                                     "?%s*", "*%s*%s*", "%s*%s", "*"};
	const char *x = ANY(vocabulary), *y = ANY(vocabulary);
	switch (below(ARRAY_LEN(shapes))) {
	case 0: return arena_printf(a, "*%s*", x);
	case 1: return arena_printf(a, "%s*", x);
	case 2: return arena_printf(a, "*%s", x);
	case 3: return arena_printf(a, "%s", x);
	case 4: return arena_printf(a, "*%s?", x);
	case 5: return arena_printf(a, "?%s*", x);
	case 6: return arena_printf(a, "*%s*%s*", x, y);
	case 7: return arena_printf(a, "%s*%s", x, y);
	default: return "*";
	}
}

static const char *random_regex(struct arena *a)
{
	const char *x = ANY(vocabulary), *y = ANY(vocabulary);
	switch (below(18)) {
	case 0: return arena_printf(a, "\\b%s\\b", x);
	case 1: return arena_printf(a, "%s.*%s", x, y);
	case 2: return arena_printf(a, "(?i)%s", x);
	case 3: return arena_printf(a, "%s|%s", x, y);
	case 4: return arena_printf(a, "^%s", x);
	case 5: return arena_printf(a, "%s$", x);
	case 6: return arena_printf(a, "\\b%s +%s\\b", x, y);
	case 7: return arena_printf(a, "%s\\s%s\\b", x, y);
	case 8: return arena_printf(a, "[%c%c]%s", x[0], y[0], y + 1);
	case 9: return arena_printf(a, "%s(?:%s)?", x, y);
	case 10: return arena_printf(a, "(%s|%s)[:=, ]", x, y);
	case 11: return arena_printf(a, "\\b%s?\\W%s*", x, y);
	case 12: return arena_printf(a, "(?:\\b%s\\b.*){2}", x);
	case 13: return arena_printf(a, "\\d+");
	case 14: return arena_printf(a, "(?i:%s) %s", x, y);
	case 15: return arena_printf(a, "^[^ ]* ?%s\\b", x);
	case 16: return arena_printf(a, "(%s)+\\b", x);
	default: return arena_printf(a, "%s", x);
	}
}

static const struct cond *random_text_atom(struct build_set *b)
{
	const char *field = ANY(text_fields);
	static const enum test_op ops[] = {OP_EQ, OP_CONTAINS, OP_STARTS, OP_ENDS};
	switch (below(7)) {
	case 0:
	case 1: return build_texts(b, field, OP_LIKE, random_glob(b->a));
	case 2:
	case 3: {
		/* half a character is no pattern */
		const struct cond *c = build_texts(b, "message", OP_REGEX, random_regex(b->a));
		return c != NULL ? c : build_texts(b, "message", OP_REGEX, "x");
	}
	default: return build_texts(b, field, ANY(ops), random_pieces(b->a));
	}
}

static const struct cond *random_atom(struct build_set *b)
{
	static const char *const nets[] = {"10.0.0.0/8", "10.0.0.0/24", "10.0.1.9",
	                                   "fe80::/16",  "::/0",        "0.0.0.0/0"};
	static const enum test_op bounds[] = {OP_GT, OP_GE, OP_LT, OP_LE};
	switch (below(11)) {
	case 0: return build_texts(b, "host", OP_EQ, ANY(hosts));
	case 1: return build_number(b, "x.n", ANY(numbers));
	case 2: return build_bound(b, "x.n", ANY(bounds), (double)below(100) - 5);
	case 3: return build_net(b, "host", ANY(nets));
	case 4: return build_list(b, below(2) > 0 ? "host" : "x.a", below((uint32_t)b->n_lists));
	case 5: return build_exists(b, ANY(text_fields), below(2) > 0);
	case 6: return build_texts(b, "app", OP_EQ, below(2) > 0 ? "sshd" : "kernel\ncron");
	default: return random_text_atom(b);
	}
}

/* Conditions share atoms, as those of a rule set do. */
static const struct cond *random_cond(struct build_set *b, int depth)
{
	const struct cond *kids[3];
	if (b->n_predicates > 0 && below(8) == 0)
		return b->predicates[below((uint32_t)b->n_predicates)].cond;
	if (b->n_decoders > 0 && below(4) == 0)
		return b->decoders[below((uint32_t)b->n_decoders)].match;
	if (depth == 0 || below(3) == 0)
		return random_atom(b);
	uint32_t kind = below(5);
	if (kind == 0)
		return build_not(b, random_cond(b, depth - 1));
	size_t n = 1 + below(3);
	for (size_t i = 0; i < n; i++)
		kids[i] = random_cond(b, depth - 1);
	return build_join(b, kind < 3 ? COND_ALL : COND_ANY, kids, n);
}

static void random_event(struct fields *f, struct arena *a)
{
	fields_reset(f);
	if (below(8) > 0)
		fields_set(f, FIELD_MESSAGE, random_text(a, 1 + below(12)));
	if (below(4) > 0)
		fields_set(f, FIELD_HOST, slice_str(ANY(hosts)));
	if (below(3) > 0)
		fields_set(f, FIELD_APP, slice_str(below(2) > 0 ? "sshd" : "cron"));
	if (below(3) == 0)
		fields_set(f, FIELD_CODE, random_text(a, 1));
	if (below(2) > 0)
		fields_set_named(f, SLICE("x.n"), slice_str(ANY(numbers)), VALUE_NUMBER);
	if (below(3) == 0)
		fields_set_named(f, SLICE("x.a"), random_text(a, 1 + below(2)), VALUE_TEXT);
	if (below(3) == 0)
		fields_set_named(f, SLICE("x.b"), random_text(a, 1 + below(2)), VALUE_TEXT);
	if (below(3) == 0)
		fields_set_named(f, SLICE("x.unused"), random_text(a, 1), VALUE_TEXT);
}

static struct build_set *random_build(void)
{
	struct build_set *b = build_new();
	build_value_list(b, "sw1\nweb\nerror");
	build_value_list(b, "10.0.0.1");
	return b;
}

/* ---- rules */

static size_t check_event(const struct build_set *b, struct matcher *m, const struct fields *f)
{
	const uint32_t *hits;
	size_t n = matcher_match(m, f, &hits), at = 0, found = n;
	for (uint32_t i = 0; i < b->n_predicates; i++) {
		bool want = build_eval(b, b->predicates[i].cond, f);
		bool have = at < n && hits[at] == i;
		if (want != have)
			print_error("predicate %u: wanted %d, message '" SLICE_FMT "'\n", i, want,
			            SLICE_ARG(value_slice(f->core[FIELD_MESSAGE])));
		assert_int_equal(have, want);
		assert_int_equal(matcher_test(m, b->predicates[i].cond, f), want);
		at += have;
	}
	assert_int_equal(at, n);
	return found;
}

static void test_random_rules(void **state)
{
	(void)state;
	size_t found = 0, asked = 0;
	for (uint64_t seed = 1; seed <= 250; seed++) {
		rng = seed * 0x9e3779b97f4a7c15u;
		struct build_set *b = random_build();
		uint32_t n = 1 + below(60);
		for (uint32_t i = 0; i < n; i++)
			build_predicate(b, random_cond(b, 3));
		struct matcher *m = build_matcher(b);
		struct fields f;
		fields_init(&f, b->a);
		for (int i = 0; i < 40; i++) {
			random_event(&f, b->a);
			found += check_event(b, m, &f);
			asked += n;
		}
		fields_free(&f);
		matcher_free(m);
		build_free(b);
	}
	/* the test says something only if both answers are common */
	assert_in_range(found, asked / 20, asked * 19 / 20);
}

/* ---- decoders */

static const char *const set_fields[] = {"x.a", "x.b", "code", "app", "host", "message", "check", "x.n"};

static const struct template *make_template(struct build_set *b, const char *text)
{
	struct template_fault fault;
	const struct template *t = template_parse(b->a, slice_str(text), NULL, NULL, NULL, &fault);
	assert_non_null(t);
	return t;
}

static void random_decoder(struct build_set *b)
{
	static const char *const texts[] = {
	    "${x.a}", "sw1", "${message} error", "${x.b} link down", "sshd", "${missing}", "17"};
	const struct cond *match = random_cond(b, 2);
	struct rule_decoder *d = build_decoder(b, match);
	size_t n = 1 + below(2);
	struct decoder_set *set = arena_array(b->a, n, sizeof *set);
	for (size_t i = 0; i < n; i++) {
		set[i].field = build_field(b, ANY(set_fields));
		if (below(3) > 0) {
			set[i].value = make_template(b, ANY(texts));
			continue;
		}
		struct slice *map = arena_array(b->a, 4, sizeof *map);
		map[0] = SLICE("sshd");
		map[1] = SLICE("sw1");
		map[2] = SLICE("down");
		map[3] = SLICE("web");
		set[i].from = slice_str(below(2) > 0 ? "app" : "host");
		set[i].keys = map;
		set[i].values = map + 2;
		set[i].n_map = 2;
		if (below(2) > 0)
			set[i].fallback = SLICE("Error");
	}
	d->set = set;
	d->n_set = n;
	d->drop = below(30) == 0;
}

static bool slow_lookup(void *env, struct slice path, struct slice *value)
{
	*value = value_slice(fields_get_name(env, path));
	return true;
}

static struct slice slow_value(struct build_set *b, const struct decoder_set *s, struct fields *f)
{
	struct error err;
	struct buf text = {0};
	if (s->value != NULL) {
		assert_int_equal(template_render(s->value, slow_lookup, f, b->a, &text, &err), 0);
		struct slice v = arena_slice(b->a, buf_slice(&text));
		buf_free(&text);
		return v;
	}
	struct slice from = value_slice(fields_get_name(f, s->from));
	for (size_t i = 0; i < s->n_map; i++) {
		if (slice_eq(from, s->keys[i]))
			return s->values[i];
	}
	return s->fallback;
}

static bool slow_decode(struct build_set *b, struct fields *f)
{
	for (size_t i = 0; i < b->n_decoders; i++) {
		const struct rule_decoder *d = &b->decoders[i];
		struct slice values[2];
		if (!build_eval(b, d->match, f))
			continue;
		for (size_t j = 0; j < d->n_set; j++)
			values[j] = slow_value(b, &d->set[j], f);
		for (size_t j = 0; j < d->n_set; j++) {
			if (values[j].n > 0 && d->set[j].field.core == FIELD_HOST)
				fields_set_lower(f, FIELD_HOST, values[j]);
			else if (values[j].n > 0)
				fields_set_named(f, d->set[j].field.name, values[j], VALUE_TEXT);
		}
		if (d->drop)
			return false;
	}
	return true;
}

static void assert_same_fields(const struct fields *x, const struct fields *y)
{
	for (unsigned i = 1; i < FIELD_CORE_MAX; i++)
		assert_true(slice_eq(value_slice(x->core[i]), value_slice(y->core[i])));
	assert_int_equal(x->n_named, y->n_named);
	for (size_t i = 0; i < x->n_named; i++)
		assert_true(
		    slice_eq(value_slice(x->named[i].v), value_slice(fields_get_name(y, x->named[i].name))));
}

static void test_random_decoders(void **state)
{
	(void)state;
	size_t changed = 0, dropped = 0;
	for (uint64_t seed = 1; seed <= 250; seed++) {
		rng = seed * 0xbf58476d1ce4e5b9u;
		struct build_set *b = random_build();
		uint32_t n = 1 + below(100);
		for (uint32_t i = 0; i < n; i++)
			random_decoder(b);
		build_predicate(b, random_cond(b, 2));
		struct matcher *m = build_matcher(b);
		struct fields fast, slow;
		fields_init(&fast, b->a);
		fields_init(&slow, b->a);
		for (int i = 0; i < 20; i++) {
			uint64_t at = rng;
			random_event(&slow, b->a);
			rng = at;
			random_event(&fast, b->a);
			bool kept = slow_decode(b, &slow);
			assert_int_equal(matcher_decode(m, &fast), kept);
			assert_same_fields(&slow, &fast);
			assert_same_fields(&fast, &slow);
			check_event(b, m, &fast);
			changed += fast.n_named > 2;
			dropped += !kept;
		}
		fields_free(&fast);
		fields_free(&slow);
		matcher_free(m);
		build_free(b);
	}
	assert_true(changed > 100 && dropped > 100);
}

/* ---- one by one */

static struct decoder_set *one_set(struct build_set *b, struct rule_decoder *d, const char *field,
                                   const char *text)
{
	struct decoder_set *s = arena_alloc(b->a, sizeof *s);
	s->field = build_field(b, field);
	if (text != NULL)
		s->value = make_template(b, text);
	d->set = s;
	d->n_set = 1;
	return s;
}

static void add_extract(struct build_set *b, struct rule_decoder *d, const char *field, const char *pattern)
{
	struct pattern_fault fault;
	struct decoder_extract *e = arena_alloc(b->a, sizeof *e);
	struct pattern **patterns = arena_alloc(b->a, sizeof(struct pattern *));
	patterns[0] = pattern_new(b->a, slice_str(pattern), false, &fault);
	assert_non_null(patterns[0]);
	const struct slice *names;
	const enum value_type *types;
	size_t n = pattern_captures(patterns[0], &names, &types);
	struct field_ref *refs = arena_array(b->a, n, sizeof *refs);
	for (size_t i = 0; i < n; i++) {
		refs[i] = build_field(b, names[i].p);
		refs[i].type = types[i];
	}
	const struct field_ref **captures = arena_alloc(b->a, sizeof(struct field_ref *));
	captures[0] = refs;
	*e = (struct decoder_extract){
	    .field = build_field(b, field), .patterns = patterns, .n = 1, .captures = captures};
	d->extract = e;
	d->n_extract = 1;
}

static void is_value(const struct fields *f, const char *field, const char *want)
{
	struct slice v = value_slice(fields_get_name(f, slice_str(field)));
	if (!slice_is(v, want))
		print_error("%s: '" SLICE_FMT "' instead of '%s'\n", field, SLICE_ARG(v), want);
	assert_true(slice_is(v, want));
}

static void test_chain(void **state)
{
	(void)state;
	/* each decoder matches only because of what the one before set */
	struct build_set *b = build_new();
	struct rule_decoder *d = build_decoder(b, build_texts(b, "message", OP_CONTAINS, "port"));
	add_extract(b, d, "message", "port ${x.port} ${x.what}");
	d = build_decoder(b, build_texts(b, "x.what", OP_EQ, "down"));
	one_set(b, d, "severity", "${x.port}");
	d = build_decoder(b, build_texts(b, "severity", OP_EQ, "warning"));
	one_set(b, d, "host", "SW-${x.port}");
	d = build_decoder(b, build_texts(b, "host", OP_EQ, "sw-7"));
	one_set(b, d, "state", "nonsense");
	d = build_decoder(b, build_texts(b, "state", OP_EQ, "problem"));
	one_set(b, d, "x.port", "${missing}");
	struct matcher *m = build_matcher(b);
	struct fields f;
	fields_init(&f, b->a);
	fields_set(&f, FIELD_MESSAGE, SLICE("port 7 down"));
	assert_true(matcher_decode(m, &f));
	is_value(&f, "x.what", "down");
	is_value(&f, "severity", "warning");
	is_value(&f, "host", "sw-7");
	is_value(&f, "state", "problem");
	is_value(&f, "x.port", "7");
	assert_int_equal(matcher_unknown_words(m), 2);
	fields_reset(&f);
	fields_set(&f, FIELD_MESSAGE, SLICE("port of call, no fit"));
	assert_true(matcher_decode(m, &f));
	assert_int_equal(matcher_decoder_misses(m, 0), 1);
	assert_int_equal(matcher_decoder_misses(m, 1), 0);
	fields_free(&f);
	matcher_free(m);
	build_free(b);
}

static void test_reads_before(void **state)
{
	(void)state;
	/* both templates of one `set` read what was there before it */
	struct build_set *b = build_new();
	struct rule_decoder *d = build_decoder(b, build_exists(b, "x.a", true));
	struct decoder_set *s = arena_array(b->a, 2, sizeof *s);
	s[0] = (struct decoder_set){.field = build_field(b, "x.a"), .value = make_template(b, "${x.b}")};
	s[1] = (struct decoder_set){.field = build_field(b, "x.b"), .value = make_template(b, "${x.a}")};
	d->set = s;
	d->n_set = 2;
	struct matcher *m = build_matcher(b);
	struct fields f;
	fields_init(&f, b->a);
	fields_set_named(&f, SLICE("x.a"), SLICE("1"), VALUE_TEXT);
	fields_set_named(&f, SLICE("x.b"), SLICE("2"), VALUE_TEXT);
	assert_true(matcher_decode(m, &f));
	is_value(&f, "x.a", "2");
	is_value(&f, "x.b", "1");
	fields_free(&f);
	matcher_free(m);
	build_free(b);
}

static void test_map_and_drop(void **state)
{
	(void)state;
	struct build_set *b = build_new();
	struct slice keys[] = {SLICE("page"), SLICE("info")}, values[] = {SLICE("critical"), SLICE("info")};
	struct rule_decoder *d = build_decoder(b, build_texts(b, "app", OP_EQ, "prom"));
	struct decoder_set *s = one_set(b, d, "severity", NULL);
	s->from = SLICE("x.sev");
	s->keys = keys;
	s->values = values;
	s->n_map = 2;
	s->fallback = SLICE("minor");
	d = build_decoder(b, build_texts(b, "severity", OP_EQ, "info"));
	d->drop = true;
	struct matcher *m = build_matcher(b);
	struct fields f;
	fields_init(&f, b->a);
	static const char *const cases[][2] = {{"page", "critical"}, {"other", "minor"}, {"info", "info"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fields_reset(&f);
		fields_set(&f, FIELD_APP, SLICE("prom"));
		fields_set_named(&f, SLICE("x.sev"), slice_str(cases[i][0]), VALUE_TEXT);
		assert_int_equal(matcher_decode(m, &f), i < 2);
		is_value(&f, "severity", cases[i][1]);
	}
	assert_int_equal(matcher_dropped(m), 1);
	/* what the engine makes skips decoders */
	fields_reset(&f);
	fields_set(&f, FIELD_TYPE, SLICE("alert"));
	fields_set(&f, FIELD_SEVERITY, SLICE("info"));
	assert_true(matcher_decode(m, &f));
	assert_int_equal(matcher_dropped(m), 1);
	fields_free(&f);
	matcher_free(m);
	build_free(b);
}

static void test_explain(void **state)
{
	(void)state;
	struct build_set *b = build_new();
	struct rule_decoder *d = build_decoder(b, build_texts(b, "app", OP_EQ, "sshd"));
	add_extract(b, d, "message", "login ${x.login}");
	const struct cond *app = build_texts(b, "app", OP_EQ, "sshd");
	build_predicate(b, build_all(b, app, build_not(b, build_texts(b, "x.login", OP_EQ, "failed"))));
	build_predicate(b, build_texts(b, "app", OP_EQ, "cron"));
	struct matcher *m = build_matcher(b);
	struct service_map *map = service_map_empty();
	struct fields f;
	struct buf out = {0};
	fields_init(&f, b->a);
	fields_set(&f, FIELD_APP, SLICE("sshd"));
	fields_set(&f, FIELD_MESSAGE, SLICE("login failed"));
	struct jw w = jw_new(&out);
	jw_object(&w);
	assert_true(matcher_explain(m, map, &f, SLICE_NONE, &w));
	jw_end(&w);
	assert_string_equal(
	    buf_cstr(&out),
	    "{\"fields\":{\"app\":\"sshd\",\"message\":\"login failed\",\"x.login\":\"failed\"},"
	    "\"decoders\":[{\"id\":\"t/d0\",\"patterns\":{\"message\":1},\"set\":{\"x.login\":\"failed\"}}],\"dropped\":false,"
	    "\"service\":{\"id\":null,\"how\":\"not in the map\"},\"candidates\":1,"
	    "\"rules\":[{\"rule\":\"t/r0\",\"role\":\"match\",\"verdict\":false,\"conditions\":["
	    "{\"text\":\"app #1\",\"verdict\":true,\"value\":\"sshd\"},"
	    "{\"text\":\"x.login #2\",\"verdict\":true,\"negated\":true,\"value\":\"failed\"}]}]}");
	buf_clear(&out);
	w = jw_new(&out);
	jw_object(&w);
	assert_true(matcher_explain(m, map, &f, SLICE("t/r1"), &w));
	jw_end(&w);
	assert_non_null(strstr(buf_cstr(&out), "\"rule\":\"t/r1\",\"role\":\"match\",\"verdict\":false"));
	buf_free(&out);
	fields_free(&f);
	service_map_close(map);
	matcher_free(m);
	build_free(b);
}

static void test_operators(void **state)
{
	(void)state;
	struct build_set *b = build_new();
	struct fields f;
	fields_init(&f, b->a);
	fields_set(&f, FIELD_MESSAGE, SLICE("caf\xc3\xa9 1"));
	fields_set(&f, FIELD_SENDER, SLICE("::ffff:10.1.2.3"));
	fields_set_named(&f, SLICE("x.n"), SLICE("90.0"), VALUE_NUMBER);
	assert_true(build_eval(b, build_texts(b, "message", OP_LIKE, "caf? ?"), &f));
	assert_true(build_eval(b, build_texts(b, "message", OP_LIKE, "*\xc3\xa9*1"), &f));
	assert_false(build_eval(b, build_texts(b, "message", OP_LIKE, "caf??? ?"), &f));
	assert_false(build_eval(b, build_texts(b, "message", OP_LIKE, "caf"), &f));
	assert_true(build_eval(b, build_net(b, "sender", "10.1.0.0/16"), &f));
	assert_false(build_eval(b, build_net(b, "sender", "10.2.0.0/16"), &f));
	assert_true(build_eval(b, build_number(b, "x.n", "90"), &f));
	assert_false(build_eval(b, build_texts(b, "x.n", OP_EQ, "90"), &f));
	assert_true(build_eval(b, build_bound(b, "x.n", OP_GE, 90), &f));
	assert_false(build_eval(b, build_bound(b, "x.n", OP_GT, 90), &f));
	assert_true(build_eval(b, build_bound(b, "x.n", OP_LE, 90), &f));
	assert_false(build_eval(b, build_bound(b, "x.n", OP_LT, 90), &f));
	assert_false(build_eval(b, build_bound(b, "message", OP_GT, 0), &f));
	/* missing */
	assert_false(build_eval(b, build_texts(b, "host", OP_LIKE, "*"), &f));
	assert_false(build_eval(b, build_bound(b, "x.m", OP_LT, 5), &f));
	assert_true(build_eval(b, build_not(b, build_texts(b, "host", OP_EQ, "a")), &f));
	assert_true(build_eval(b, build_exists(b, "host", false), &f));
	assert_true(build_eval(b, build_exists(b, "message", true), &f));
	fields_free(&f);
	build_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_operators),       cmocka_unit_test(test_random_rules),
	    cmocka_unit_test(test_random_decoders), cmocka_unit_test(test_chain),
	    cmocka_unit_test(test_reads_before),    cmocka_unit_test(test_map_and_drop),
	    cmocka_unit_test(test_explain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
