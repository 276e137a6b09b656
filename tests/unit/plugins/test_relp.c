/* RELP: sessions, answers in order, and frames that are none, in any pieces. */
#include <stdlib.h>

#include "plugin_test.h"
#include "plugins/relp/relp.h"

/* Feeds `in` in pieces of `step`; messages joined with '|', then 'E' (end) or '!' (broken). */
static void run(struct slice in, size_t step, struct relp *r, struct buf *messages, struct buf *answers)
{
	size_t at = 0, have = 0, used;
	bool over = false;

	relp_init(r, 8);
	while (have < in.n && !over) {
		have = MIN(have + step, in.n);
		do {
			struct slice m;
			enum relp_step s = relp_next(r, slice_sub(in, at, have - at), &used, &m, answers);

			assert_true(used <= have - at);
			at += used;
			if (s == RELP_MESSAGE) {
				buf_adds(messages, m);
				buf_char(messages, '|');
			}
			over = s == RELP_END || s == RELP_BROKEN;
			if (over)
				buf_char(messages, s == RELP_END ? 'E' : '!');
		} while (used > 0 && at < have && !over);
	}
}

static void expect(struct slice in, const char *messages, const char *answers, uint64_t oversized)
{
	const size_t steps[] = {1, 3, 1000};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct buf m = {0}, a = {0};
		struct relp r;

		run(in, steps[i], &r, &m, &a);
		assert_string_equal(buf_cstr(&m), messages);
		if (answers != NULL)
			assert_string_equal(buf_cstr(&a), answers);
		assert_int_equal(r.oversized, oversized);
		assert_int_equal(r.dead, strchr(messages, '!') != NULL);
		assert_int_equal(r.dead, r.why[0] != '\0');
		buf_free(&m);
		buf_free(&a);
	}
}

#define OPEN "1 open 15 commands=syslog\n"

static void a_session(void **state UNUSED)
{
	char *opened = xasprintf(
	    "1 rsp %zu 200 OK\nrelp_version=0\nrelp_software=carillon," CARILLON_VERSION "\ncommands=syslog\n"
	    "2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n0 serverclose 0\n",
	    strlen("200 OK\nrelp_version=0\nrelp_software=carillon," CARILLON_VERSION "\ncommands=syslog"));

	expect(SLICE(OPEN "2 syslog 5 hello\n3 syslog 3 a\nb\n4 close 0\n"), "hello|a\nb|E", opened, 0);
	free(opened);
}

static void offers(void **state UNUSED)
{
	expect(SLICE("1 open 41 relp_version=0\ncommands=eventlog, syslog,x\n2 syslog 1 a\n"), "!", NULL, 0);
	expect(SLICE("1 open 43 relp_version=0\ncommands=eventlog, syslog,xy\n2 syslog 1 a\n"), "a|", NULL,
	       0);
	expect(SLICE("1 open 17 commands=eventlog\n"), "E", "1 rsp 34 500 the command syslog is required\n",
	       0);
	expect(SLICE(OPEN OPEN), "!", NULL, 0);
	expect(SLICE("1 syslog 1 a\n"), "!", "", 0);
}

/* limits.event_size is 8 here. */
static void large_ones_are_cut(void **state UNUSED)
{
	expect(SLICE(OPEN "2 syslog 8 12345678\n3 syslog 12 123456789abc\n4 syslog 1 x\n"),
	       "12345678|12345678|x|", NULL, 1);
	expect(SLICE(OPEN "2 syslog 12 123456789abcd"), "12345678|!", NULL, 1);
	/* a gigabyte that is only announced: nothing of it is waited for but the first octets */
	expect(SLICE(OPEN "2 syslog 999999999 12345678"), "12345678|", NULL, 1);
}

static void no_frames(void **state UNUSED)
{
	expect(SLICE("\x16\x03\x01"), "!", "", 0);
	expect(SLICE("1234567890 open 0\n"), "!", "", 0);
	expect(SLICE("1  open 0\n"), "!", "", 0);
	expect(SLICE("1 0pen 0\n"), "!", "", 0);
	expect(SLICE("1 abcdefghijklmnopqrstuvwxyzabcdefg 0\n"), "!", "", 0);
	expect(SLICE("1 open x\n"), "!", "", 0);
	expect(SLICE("1 open -1 \n"), "!", "", 0);
	expect(SLICE("1 open 0x\n"), "!", "", 0);
	expect(SLICE("1 open 5000 x"), "!", "", 0);
	expect(SLICE(OPEN "2 syslog 3 abcd\n"), "!", NULL, 0);
}

static void commands_not_known(void **state UNUSED)
{
	struct buf m = {0}, a = {0};
	struct relp r;

	run(SLICE(OPEN "2 starttls 0\n3 syslog 1 a\n"), 1000, &r, &m, &a);
	assert_string_equal(buf_cstr(&m), "a|");
	assert_true(slice_contains(buf_slice(&a), SLICE("2 rsp 21 500 command not known\n3 rsp 6 200 OK\n")));
	buf_free(&m);
	buf_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_session), cmocka_unit_test(offers),
	                                   cmocka_unit_test(large_ones_are_cut), cmocka_unit_test(no_frames),
	                                   cmocka_unit_test(commands_not_known)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
