/* Templates and their filters. */
#include "test.h"

#include "base/template.h"

static const struct {
	const char *path, *value;
} fields[] = {
    {"host", "SW1.Ber.Example"},
    {"ip", "10.1.2.3"},
    {"ip6", "fe80::1.2"},
    {"list", "a\x1f"
             "b\x1f"
             "c"},
    {"empty", ""},
    {"evil", "${host}$$"},
    {"secs", "5400"},
    {"dur", "90m"},
    {"at", "2026-11-22T12:00:05.5+01:00"},
    {"text", "h\xc3\xa9llo w\xc3\xb6rld"},
    {"bytes", "\xff\xfe"
              "ab"},
    {"sp", "  x "},
};

static bool known(struct slice path, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (slice_is(path, fields[i].path))
			return true;
	return slice_is(path, "missing");
}

static bool get(void *env, struct slice path, struct slice *value)
{
	(void)env;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (slice_is(path, fields[i].path)) {
			*value = slice_str(fields[i].value);
			return true;
		}
	return false;
}

static int f_nowild(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                    struct error *err)
{
	(void)use, (void)scratch, (void)env;
	return slice_contains(*v, SLICE("*")) ? error_set(err, "wild") : 0;
}

static int f_lower(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                   struct error *err)
{
	(void)use, (void)scratch, (void)env, (void)err;
	*v = SLICE("mine");
	return 0;
}

static const struct filter more[] = {
    {"nowild", false, false, f_nowild}, {"lower", false, false, f_lower}, {0}};

static const struct {
	const char *text, *want;
} renders[] = {
    {"", ""},
    {"plain", "plain"},
    {"$ 5 $x {y} $", "$ 5 $x {y} $"},
    {"$$", "$"},
    {"$$$$", "$$"},
    {"$${host}", "${host}"},
    {"$$${ip}", "$10.1.2.3"},
    {"a ${host} b", "a SW1.Ber.Example b"},
    {"${evil}", "${host}$$"},
    {"[${missing}${empty}]", "[]"},
    {"${host|lower}", "sw1.ber.example"},
    {"${host|upper|short}", "SW1"},
    {"${ host | short | lower }", "sw1"},
    {"${ip|short} ${ip6|short}", "10.1.2.3 fe80::1.2"},
    {"${missing|lower|short|trim|limit:3|join:x|duration|time}", ""},
    {"${missing|default:none}", "none"},
    {"${empty|default:'a|b} '}", "a|b} "},
    {"${empty|default:it's}", "it's"},
    {"${empty|default:'it''s'}", "it's"},
    {"${empty|default: x y }", "x y"},
    {"${empty|default:}", ""},
    {"${empty|default:''}", ""},
    {"${host|default:x}", "SW1.Ber.Example"},
    {"${empty|default:a:b}", "a:b"},
    {"${text|limit:2}", "h\xc3\xa9"},
    {"${text|limit:100}", "h\xc3\xa9llo w\xc3\xb6rld"},
    {"${bytes|limit:3}", "\xff\xfe"
                         "a"},
    {"${list|join:', '}", "a, b, c"},
    {"${list|join:}", "abc"},
    {"${host|join:,}", "SW1.Ber.Example"},
    {"${secs|duration} ${dur|duration} ${host|duration}", "1h30m 1h30m SW1.Ber.Example"},
    {"${at|time} ${host|time}", "11:00:05 SW1.Ber.Example"},
    {"<${sp|trim}>", "<x>"},
};

static void rendering(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(renders); i++) {
		struct arena *a = arena_new(1024);
		struct template_fault fault;
		struct error err;
		struct buf b = {0};
		struct template *t = template_parse(a, slice_str(renders[i].text), known, NULL, NULL, &fault);
		if (t == NULL)
			fail_msg("%s: %s", renders[i].text, fault.error.text);
		assert_int_equal(template_render(t, get, NULL, a, &b, &err), 0);
		assert_string_equal(buf_cstr(&b), renders[i].want);
		assert_slice(template_text(t), renders[i].text);
		buf_free(&b);
		arena_free(a);
	}
}

static const struct {
	const char *text, *code;
	size_t at, len;
	const char *message;
} faults[] = {
    {"ab ${nope}", "E061", 5, 4, "unknown field 'nope' in template"},
    {"${host|lowr}", "E062", 7, 4, "unknown filter 'lowr'; did you mean 'lower'?"},
    {"${host|zzzzzz}", "E062", 7, 6, "unknown filter 'zzzzzz'"},
    {"${host|nowil}", "E062", 7, 5, "unknown filter 'nowil'; did you mean 'nowild'?"},
    {"x ${host", "E007", 2, 6, "'${' has no matching '}'; write '$$' for a dollar sign before '{'"},
    {"${}", "E007", 0, 2, "expected a field name behind '${'"},
    {"${|lower}", "E007", 0, 2, "expected a field name behind '${'"},
    {"${host|}", "E007", 7, 1, "expected the name of a filter behind '|'"},
    {"${host lower}", "E007", 0, 7, "'${' has no matching '}'; write '$$' for a dollar sign before '{'"},
    {"${host|limit}", "E007", 7, 5, "filter 'limit' needs an argument: 'limit:...'"},
    {"${host|limit:0}", "E007", 7, 7, "filter 'limit' needs a whole number from 1 to 1000000, got '0'"},
    {"${list|join:\x1f|join:-}", "E007", 7, 6, "filter 'join' cannot put the character U+001F between items"},
    {"${host|upper:x}", "E007", 7, 7, "filter 'upper' takes no argument"},
    {"${host|default:'x}", "E007", 15, 3, "a quoted argument ends with ' and then '|' or '}'"},
    {"${host|default:'x'y}", "E007", 15, 3, "a quoted argument ends with ' and then '|' or '}'"},
};

static void faulty(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct arena *a = arena_new(1024);
		struct template_fault f;
		assert_null(template_parse(a, slice_str(faults[i].text), known, NULL, more, &f));
		assert_string_equal(f.error.text, faults[i].message);
		assert_string_equal(f.code, faults[i].code);
		assert_int_equal(f.at, faults[i].at);
		assert_int_equal(f.len, faults[i].len);
		arena_free(a);
	}
}

static void own_filters(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct error err;
	struct buf b = {0};
	struct template *t =
	    template_parse(a, SLICE("${host|lower} ${missing|default:'a*'|nowild}"), NULL, NULL, more, NULL);
	assert_non_null(t);
	assert_int_equal(template_render(t, get, NULL, a, &b, &err), -1);
	assert_string_equal(err.text, "wild");
	assert_string_equal(buf_cstr(&b), "mine "); /* the caller's filter hides the common one */
	buf_free(&b);
	arena_free(a);
}

static void looking_inside(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct slice text, path;
	const struct slice *paths;
	const struct filter_use *uses;
	size_t n;
	struct template *t = template_parse(a, SLICE("a$$b$$$"), NULL, NULL, NULL, NULL);
	assert_true(template_constant(t, &text));
	assert_slice(text, "a$b$$");
	assert_false(template_single(t, &path, &uses, &n));
	assert_int_equal(template_paths(t, &paths), 0);
	t = template_parse(a, SLICE(""), NULL, NULL, NULL, NULL);
	assert_true(template_constant(t, &text));
	assert_slice(text, "");
	t = template_parse(a, SLICE("${a.b|limit:5|default:x|lower|upper|trim|short}"), NULL, NULL, NULL,
	                   NULL);
	assert_false(template_constant(t, &text));
	assert_true(template_single(t, &path, &uses, &n));
	assert_slice(path, "a.b");
	assert_int_equal(n, 6);
	assert_string_equal(uses[0].filter->name, "limit");
	assert_slice(uses[0].arg, "5");
	assert_string_equal(uses[5].filter->name, "short");
	t = template_parse(a, SLICE("${x} ${y}${x}"), NULL, NULL, NULL, NULL);
	assert_false(template_single(t, &path, &uses, &n));
	assert_int_equal(template_paths(t, &paths), 3);
	assert_slice(paths[1], "y");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rendering), cmocka_unit_test(faulty),
	                                   cmocka_unit_test(own_filters), cmocka_unit_test(looking_inside)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
