/* Framing of TCP streams: octet counting and LF told apart per frame, in any pieces. */
#include "plugin_test.h"

/* Feeds `in` in pieces of `step` octets and joins the frames with '|'. */
static void run_lines(struct slice in, size_t step, size_t max, bool multi_line, struct buf *out,
                      struct syslog_framer *f)
{
	size_t at = 0, have = 0;
	syslog_framer_init(f, max);
	f->multi_line = multi_line;
	buf_clear(out);
	for (bool at_end = false; !at_end;) {
		have = MIN(have + step, in.n);
		at_end = have == in.n;
		size_t used;
		do {
			struct slice frame;
			used = syslog_frame_next(f, slice_sub(in, at, have - at), at_end, &frame);
			assert_true(used <= have - at);
			at += used;
			if (frame.p != NULL) {
				buf_adds(out, frame);
				buf_char(out, '|');
			}
		} while (used > 0 && at < have);
	}
	assert_int_equal(at, in.n);
}

static void run(struct slice in, size_t step, size_t max, struct buf *out, struct syslog_framer *f)
{
	run_lines(in, step, max, false, out, f);
}

static void frames(struct slice in, size_t max, const char *wanted, uint64_t oversized, bool dead)
{
	struct buf out = {0};
	struct syslog_framer f;
	const size_t steps[] = {1, 2, 7, 100000};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		run(in, steps[i], max, &out, &f);
		assert_string_equal(buf_cstr(&out), wanted);
		assert_int_equal(f.oversized, oversized);
		assert_int_equal(f.dead, dead);
		assert_int_equal(f.errors, dead ? 1 : 0);
	}
	buf_free(&out);
}

static void mixed_framing(void **state)
{
	(void)state;
	frames(SLICE("5 <1>ab\n<2>c\n\n6 <3>d\ne<4>f"), 100, "<1>ab|<2>c|<3>d\ne|<4>f|", 0, false);
	frames(SLICE("<1>a\r\n<2>b"), 100, "<1>a|<2>b|", 0, false);
	frames(slice_of("<1>a\0<2>b\0", 10), 100, "<1>a|<2>b|", 0, false);
	frames(SLICE(""), 100, "", 0, false);
}

static void broken_counts(void **state)
{
	(void)state;
	frames(SLICE("5 <1>ab05 <2>cd"), 100, "<1>ab|", 0, true);
	frames(SLICE("5<1>ab"), 100, "", 0, true);
	frames(SLICE("5x"), 100, "", 0, true);
	frames(SLICE("9999999999 x"), 100, "", 0, true);
	frames(SLICE("50 <1>cut"), 100, "", 0, true);
	frames(SLICE("5 <1>abtext"), 100, "<1>ab|", 0, true);
	frames(SLICE("12"), 100, "", 0, true);
}

static void oversized_is_skipped(void **state)
{
	(void)state;
	frames(SLICE("12 <1>456789012<2>b\n"), 10, "<2>b|", 1, false);
	/* the decoder cuts the eleventh octet away and says so */
	frames(SLICE("<1>45678901234567\n<2>b\n"), 10, "<1>45678901|<2>b|", 1, false);
	frames(SLICE("<1>4567890\n"), 10, "<1>4567890|", 0, false);
}

static void lines_go_on(void **state)
{
	static const struct {
		const char *in, *wanted;
		size_t max;
		uint64_t oversized;
	} rows[] = {
	    {"<1>a\n\tat b\n at c\n<2>d\n", "<1>a\n\tat b\n at c|<2>d|", 100, 0},
	    {"<1>a\n\tb", "<1>a\n\tb|", 100, 0},
	    {"<1>a\n\n b\n", "<1>a| b|", 100, 0},
	    {" first\n<1>a\n", " first|<1>a|", 100, 0},
	    {"<1>a\r\n b\r\n", "<1>a\r\n b|", 100, 0},
	    {"5 <1>ab<2>c\n d\n", "<1>ab|<2>c\n d|", 100, 0},
	    {"<1>a\n 12345678\n more\n<2>b\n", "<1>a|<2>b|", 10, 1},
	    {"<1>a\n 123\n 45678901234\n<2>b\n", "<1>a\n 123|<2>b|", 12, 1},
	};
	const size_t steps[] = {1, 2, 3, 100000};
	struct buf out = {0};
	struct syslog_framer f;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(steps); i++) {
		size_t k = i / ARRAY_LEN(steps);
		run_lines(slice_str(rows[k].in), steps[i % ARRAY_LEN(steps)], rows[k].max, true, &out, &f);
		assert_string_equal(buf_cstr(&out), rows[k].wanted);
		assert_int_equal(f.oversized, rows[k].oversized);
	}
	buf_free(&out);
}

/* A message that is whole waits for a line that might go on, until it is flushed. */
static void silence_flushes(void **state)
{
	struct syslog_framer f;
	struct slice frame;
	(void)state;
	syslog_framer_init(&f, 100);
	f.multi_line = true;
	assert_int_equal(syslog_frame_next(&f, SLICE("<1>a\n"), false, &frame), 0);
	assert_true(f.waiting);
	f.flush = true;
	assert_int_equal(syslog_frame_next(&f, SLICE("<1>a\n"), false, &frame), 5);
	assert_true(slice_is(frame, "<1>a"));
	assert_false(f.waiting);
}

static void foreign_streams(void **state)
{
	(void)state;
	frames(slice_of("\x16\x03\x01\x02", 4), 100, "", 0, true);
	frames(slice_of("\x78\x9c\x01", 3), 100, "", 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mixed_framing),        cmocka_unit_test(broken_counts),
	    cmocka_unit_test(oversized_is_skipped), cmocka_unit_test(foreign_streams),
	    cmocka_unit_test(lines_go_on),          cmocka_unit_test(silence_flushes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
