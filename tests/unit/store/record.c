/* Recordings: what is written is read again, in order and by time; what is torn is left out; rates and gaps.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "store/record_item.h"
#include "store/record_lines.h"
#include "store/record_set.h"
#include "store/record_writer.h"

#define T0 ((instant)1767600000 * SECOND)

static char *folder(void)
{
	char *dir = xstrdup("/tmp/carillon-record-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void remove_folder(char *dir)
{
	struct record_list l;
	struct error err;

	assert_int_equal(record_list_read(&l, dir, false, &err), 0);
	for (size_t i = 0; i < l.n; i++) {
		char *path = xasprintf("%s/%s", dir, l.v[i].name);

		unlink(path);
		free(path);
	}
	record_list_free(&l);
	rmdir(dir);
	free(dir);
}

static char *segment(const char *dir, instant start, unsigned intake)
{
	char name[64];

	record_segment_name(start, intake, name);
	return xasprintf("%s/%s", dir, name);
}

static struct record_writer *writer_to(const char *path, double rate)
{
	struct record_writer *w = record_writer_new();

	record_writer_limits(w, rate, 1 << 20);
	record_writer_file(w, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
	assert_true(record_writer_is_on(w));
	return w;
}

static bool add(struct record_writer *w, instant at, const char *text)
{
	struct record_item it = {.received = at,
	                         .listener = SLICE("syslog"),
	                         .transport = SLICE("udp"),
	                         .peer = SLICE("192.0.2.1"),
	                         .raw = slice_str(text)};

	return record_writer_add(w, &it);
}

/* What the set gives, as "text text |" with | for a gap. */
static char *all(const char *dir, instant from, instant to, size_t *torn)
{
	struct error err;
	struct record_set *s = record_set_open(dir, from, to, &err);
	struct arena *a = arena_new(0);
	struct buf b = {0};
	struct slice line;
	char *text;

	assert_non_null(s);
	while (record_set_next(s, &line)) {
		struct record_item it;

		assert_int_equal(record_item_parse(a, line, &it, &err), 0);
		if (it.gap)
			buf_str(&b, "| ");
		else
			buf_printf(&b, SLICE_FMT " ", SLICE_ARG(it.raw));
	}
	*torn = record_set_torn(s);
	text = slice_dup(b.n > 0 ? buf_slice(&b) : SLICE(""));
	record_set_close(s);
	buf_free(&b);
	arena_free(a);
	return text;
}

static void expect(const char *dir, instant from, instant to, size_t want_torn, const char *want)
{
	size_t torn;
	char *got = all(dir, from, to, &torn);

	assert_string_equal(got, want);
	assert_int_equal(torn, want_torn);
	free(got);
}

static void several_intakes_are_one(void **state)
{
	char *dir = folder(), *one = segment(dir, T0, 0), *two = segment(dir, T0, 1),
	     *next = segment(dir, T0 + 10 * SECOND, 0);
	struct record_writer *w = writer_to(one, 1000);
	(void)state;

	assert_true(add(w, T0, "a"));
	record_writer_flush(w);
	assert_true(add(w, T0 + 4 * SECOND, "c"));
	record_writer_free(w);
	w = writer_to(two, 1000);
	assert_true(add(w, T0 + 2 * SECOND, "b"));
	assert_true(add(w, T0 + 12 * SECOND, "e"));
	record_writer_free(w);
	w = writer_to(next, 1000);
	assert_true(add(w, T0 + 11 * SECOND, "d"));
	record_writer_free(w);
	expect(dir, INT64_MIN + 1, INT64_MAX, 0, "a b c d e ");
	expect(dir, T0 + 2 * SECOND, T0 + 11 * SECOND, 0, "b c ");
	expect(dir, T0 + 20 * SECOND, INT64_MAX, 0, "");
	free(one);
	free(two);
	free(next);
	remove_folder(dir);
}

static void a_torn_frame_is_left_out(void **state)
{
	char *dir = folder(), *path = segment(dir, T0, 3);
	struct record_writer *w = writer_to(path, 1000);
	struct record_list l;
	struct error err;
	struct stat st;
	off_t whole;
	(void)state;

	assert_true(add(w, T0, "kept"));
	record_writer_flush(w);
	assert_int_equal(stat(path, &st), 0);
	whole = st.st_size;
	assert_true(add(w, T0 + 1, "lost"));
	record_writer_free(w);
	assert_int_equal(stat(path, &st), 0);
	/* without the last octets only the checksum is missing: what stands before is whole */
	for (off_t n = st.st_size - 5; n > whole; n--) {
		assert_int_equal(truncate(path, n), 0);
		expect(dir, INT64_MIN + 1, INT64_MAX, 1, "kept ");
		assert_int_equal(record_list_read(&l, dir, true, &err), 0);
		assert_int_equal(l.n, 1);
		assert_true(l.v[0].torn && l.v[0].items == 1 && l.v[0].intake == 3);
		record_list_free(&l);
	}
	assert_int_equal(truncate(path, whole), 0);
	expect(dir, INT64_MIN + 1, INT64_MAX, 0, "kept ");
	free(path);
	remove_folder(dir);
}

static void damage_ends_a_segment(void **state)
{
	char *dir = folder(), *path = segment(dir, T0, 0);
	struct record_writer *w = writer_to(path, 1000);
	struct stat st;
	size_t torn;
	(void)state;

	for (int i = 0; i < 50; i++)
		assert_true(add(w, T0 + i, "some text that can be packed"));
	record_writer_free(w);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		unsigned char c;
		char *text;

		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 0x55;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		text = all(dir, INT64_MIN + 1, INT64_MAX,
		           &torn); /* whatever it gives, it ends and is in bounds */
		free(text);
		c ^= 0x55;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		close(fd);
	}
	free(path);
	remove_folder(dir);
}

static void above_the_rate_it_pauses(void **state)
{
	char *dir = folder(), *path = segment(dir, T0, 0);
	struct record_writer *w = writer_to(path, 4);
	struct record_figures f;
	(void)state;

	for (int i = 0; i < 10; i++)
		assert_int_equal(add(w, T0 + i, "x"), i < 4);
	assert_false(add(w, T0 + 300 * MSEC, "early"));
	assert_true(add(w, T0 + 600 * MSEC, "y"));
	f = record_writer_figures(w);
	assert_int_equal(f.skipped, 7);
	assert_int_equal(f.gaps, 1);
	record_writer_free(w);
	expect(dir, INT64_MIN + 1, INT64_MAX, 0, "x x x x | y ");
	free(path);
	remove_folder(dir);
}

static void without_a_file_nothing_happens(void **state)
{
	struct record_writer *w = record_writer_new();
	(void)state;

	record_writer_limits(w, 100, 1 << 20);
	assert_false(add(w, T0, "x"));
	record_writer_gap(w, T0);
	assert_false(record_writer_waits(w));
	record_writer_file(w, open("/dev/full", O_WRONLY | O_CLOEXEC));
	assert_true(add(w, T0, "x"));
	record_writer_flush(w);
	assert_true(record_writer_is_full(w)); /* another file is needed */
	assert_int_equal(record_writer_figures(w).errors, 1);
	record_writer_free(w);
}

static void items_come_back(void **state)
{
	struct record_item it = {.received = T0 + 5,
	                         .listener = SLICE("hooks"),
	                         .transport = SLICE("http"),
	                         .peer = SLICE("::1"),
	                         .path = SLICE("/hook/x y"),
	                         .headers = SLICE("a: 1\nb: \"q\"\n")},
	                   back;
	struct arena *a = arena_new(0);
	struct buf raw = {0}, line = {0};
	struct error err;
	(void)state;

	for (int i = 0; i < 256; i++) {
		buf_u8(&raw, (uint8_t)i);
		it.raw = buf_slice(&raw);
		buf_clear(&line);
		record_item_write(&it, &line);
		assert_int_equal(record_item_parse(a, slice_trim(buf_slice(&line)), &back, &err), 0);
		assert_true(slice_eq(back.raw, it.raw) && slice_eq(back.headers, it.headers) &&
		            slice_eq(back.path, it.path));
		assert_true(back.received == it.received && slice_eq(back.peer, it.peer) && !back.end &&
		            !back.gap);
	}
	assert_int_equal(
	    record_item_parse(a, SLICE("{\"received\":\"2026-01-05T00:00:00Z\",\"end\":true}"), &back, &err),
	    0);
	assert_true(back.end);
	assert_int_equal(
	    record_item_parse(a, SLICE("{\"received\":\"2026-01-05T00:00:00Z\",\"raw\":\"a\"}"), &back, &err),
	    -1);
	assert_int_equal(
	    record_item_parse(a, SLICE("{\"received\":\"yesterday\",\"raw\":\"\"}"), &back, &err), -1);
	assert_int_equal(record_item_parse(a, SLICE("[]"), &back, &err), -1);
	buf_free(&raw);
	buf_free(&line);
	arena_free(a);
}

static void base64_is_strict(void **state)
{
	struct buf b = {0};
	(void)state;

	assert_true(base64_decode(SLICE("Zm9vYg=="), &b));
	assert_true(slice_is(buf_slice(&b), "foob"));
	assert_false(base64_decode(SLICE("Zm9v YmFy"), &b));
	assert_false(base64_decode(SLICE("Zm9vY"), &b));
	buf_free(&b);
}

static void names_of_segments(void **state)
{
	char name[64];
	instant start;
	unsigned intake;
	(void)state;

	record_segment_name(T0 + 7, 12, name);
	assert_true(record_segment_parse(name, &start, &intake));
	assert_true(start == T0 + 7 && intake == 12);
	assert_false(record_segment_parse("record-1-64.zst", &start, &intake));
	assert_false(record_segment_parse("record-.zst", &start, &intake));
	assert_false(record_segment_parse("record-1-1.zst.new", &start, &intake));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(several_intakes_are_one),
	                                   cmocka_unit_test(a_torn_frame_is_left_out),
	                                   cmocka_unit_test(damage_ends_a_segment),
	                                   cmocka_unit_test(above_the_rate_it_pauses),
	                                   cmocka_unit_test(without_a_file_nothing_happens),
	                                   cmocka_unit_test(items_come_back),
	                                   cmocka_unit_test(base64_is_strict),
	                                   cmocka_unit_test(names_of_segments)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
