/* What people see: clean text, tables, times; and which rows they asked for. */
#include "t.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/select.h"
#include "ctl/show.h"

static struct ctl to_memory(char **text, size_t *n, unsigned width, bool colour)
{
	return (struct ctl){.out = open_memstream(text, n),
	                    .err = stderr,
	                    .width = width,
	                    .colour = colour,
	                    .now = instant_civil(2026, 1, 5, 12, 0, 0)};
}

static void hostile_text_is_cleaned(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {{"plain ünïcode", "plain ünïcode"},
	             {"a\033[31mred\033[0m", "a[31mred[0m"},
	             {"tab\tline\nend\r", "tab line end "},
	             {"bad \xff\xfe octets", "bad \xef\xbf\xbd\xef\xbf\xbd octets"},
	             {"c1 \xc2\x9b"
	              "31m",
	              "c1 31m"},
	             {"turn \xe2\x80\xae"
	              "txt.exe",
	              "turn txt.exe"},
	             {"iso\xe2\x81\xa6late\x7f", "isolate"},
	             {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = {0};

		show_clean(&b, slice_str(cases[i].in));
		assert_string_equal(buf_cstr(&b), cases[i].out);
		buf_free(&b);
	}
}

static void table_fits(void **state)
{
	(void)state;
	static const struct show_column columns[] = {
	    {.title = "ID"}, {.title = "N", .right = true}, {.title = "TITLE", .flexible = true}};
	char long_title[400];

	memset(long_title, 'x', sizeof long_title - 1);
	long_title[sizeof long_title - 1] = '\0';
	for (unsigned width = 0; width <= 120; width += 24) {
		char *text;
		size_t n;
		struct ctl c = to_memory(&text, &n, width, false);
		struct show_table *t = show_table_new(columns, ARRAY_LEN(columns));

		show_cell(t, SHOW_PLAIN, SLICE("01KE5QAM40YKB76PWSZ6HE45VV"));
		show_cellf(t, "%d", 7);
		show_cell(t, SHOW_RED, slice_str(long_title));
		show_cell(t, SHOW_PLAIN, SLICE("ü"));
		show_cell(t, SHOW_PLAIN, SLICE_NONE);
		show_cell(t, SHOW_PLAIN, SLICE("ÄÖÜ"));
		show_table_end(&c, t, "nothing");
		fclose(c.out);
		struct slice rest = slice_of(text, n), line;
		while (rest.n > 0 && slice_split(&rest, '\n', &line)) {
			assert_true(slice_utf8(line));
			assert_true(width == 0 || show_width(line) <= width);
		}
		if (width == 0)
			t_has(text, long_title);
		else
			t_has(text, "…");
		t_lacks(text, "\033");
		free(text);
	}
}

static void colour_only_when_wanted(void **state)
{
	(void)state;
	for (int colour = 0; colour < 2; colour++) {
		char *text;
		size_t n;
		struct ctl c = to_memory(&text, &n, 80, colour == 1);

		show_text(&c, SHOW_RED, SLICE("down"));
		fclose(c.out);
		assert_string_equal(text, colour == 1 ? "\033[31mdown\033[0m" : "down");
		free(text);
	}
}

static void times_are_relative(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out, *utc;
	} cases[] = {{"2026-01-05T11:59:57Z", "3s ago", "2026-01-05T11:59:57Z"},
	             {"2026-01-05T11:30:00Z", "30m ago", "2026-01-05T11:30:00Z"},
	             {"2026-01-04T12:00:00Z", "24h ago", "2026-01-04T12:00:00Z"},
	             {"2025-12-26T12:00:00Z", "10d ago", "2025-12-26T12:00:00Z"},
	             {"2026-01-05T12:00:30Z", "in 30s", "2026-01-05T12:00:30Z"},
	             {"", "-", "-"},
	             {"soon", "soon", "soon"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int utc = 0; utc < 2; utc++) {
			struct ctl c = {.now = instant_civil(2026, 1, 5, 12, 0, 0), .utc = utc == 1};
			struct buf b = {0};

			show_when(&c, slice_str(cases[i].in), &b);
			assert_string_equal(buf_cstr(&b), utc == 1 ? cases[i].utc : cases[i].out);
			buf_free(&b);
		}
}

static void letters(void **state)
{
	(void)state;
	assert_int_equal(show_letter(SLICE("critical")), 'C');
	assert_int_equal(show_letter(SLICE("major")), 'M');
	assert_int_equal(show_letter(SLICE("minor")), 'm');
	assert_int_equal(show_letter(SLICE("warning")), 'w');
	assert_int_equal(show_letter(SLICE("info")), 'i');
	assert_int_equal(show_letter(SLICE("loud")), '-');
}

static void globs(void **state)
{
	(void)state;
	static const struct {
		const char *glob, *text;
		bool fits;
	} cases[] = {{"web*", "web1", true}, {"web*", "db1", false}, {"*", "", true},
	             {"", "", true},         {"", "x", false},       {"a?c", "abc", true},
	             {"a?c", "ac", false},   {"*b*", "abc", true},   {"*a*a*b", "aaaab", true},
	             {"a*b", "a*c", false},  {"[x]", "x", false},    {"**", "anything", true}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(select_glob(slice_str(cases[i].glob), slice_str(cases[i].text)),
		                 cases[i].fits);
	assert_true(select_listed("open, acked", SLICE("acked")));
	assert_false(select_listed("open,acked", SLICE("ack")));
	assert_true(select_listed(NULL, SLICE("x")));
}

/* 2^n would never end. */
static void glob_is_fast(void **state)
{
	(void)state;
	char text[4096], glob[64] = "";

	memset(text, 'a', sizeof text);
	for (int i = 0; i < 20; i++)
		strcat(glob, "a*");
	strcat(glob, "b");
	assert_false(select_glob(slice_str(glob), slice_of(text, sizeof text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hostile_text_is_cleaned),
	                                   cmocka_unit_test(table_fits),
	                                   cmocka_unit_test(colour_only_when_wanted),
	                                   cmocka_unit_test(times_are_relative),
	                                   cmocka_unit_test(letters),
	                                   cmocka_unit_test(globs),
	                                   cmocka_unit_test(glob_is_fast)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
