#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/severity.h"
#include "model/ticket.h"

static void words(void **state)
{
	(void)state;
	for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
		enum severity s;
		assert_true(severity_parse(slice_str(severity_word((enum severity)i)), &s));
		assert_int_equal(s, i);
	}
	for (int i = EFFECT_NONE; i <= EFFECT_DOWN; i++) {
		enum effect e;
		assert_true(effect_parse(slice_str(effect_word((enum effect)i)), &e));
		assert_int_equal(e, i);
	}
	for (int i = STATE_PROBLEM; i <= STATE_INFO; i++) {
		enum event_state s;
		assert_true(event_state_parse(slice_str(event_state_word((enum event_state)i)), &s));
		assert_int_equal(s, i);
	}
	for (int i = NATURE_NONE; i <= NATURE_PRECURSOR; i++) {
		enum nature n;
		assert_true(nature_parse(slice_str(nature_word((enum nature)i)), &n));
		assert_int_equal(n, i);
	}
	for (int i = TICKET_FIND; i <= TICKET_CHECK; i++) {
		enum ticket_verb v;
		assert_true(ticket_verb_parse(slice_str(ticket_verb_word((enum ticket_verb)i)), &v));
		assert_int_equal(v, i);
	}
	for (int i = TICKET_CLASS_OK; i <= TICKET_CLASS_UNKNOWN; i++) {
		enum ticket_class c;
		assert_true(ticket_class_parse(slice_str(ticket_class_word((enum ticket_class)i)), &c));
		assert_int_equal(c, i);
	}
	assert_string_equal(ticket_outcome_word(TICKET_UNCERTAIN), "uncertain");
	enum severity s;
	assert_false(severity_parse(SLICE("Critical"), &s));
	assert_false(severity_parse(SLICE_NONE, &s));
}

static void operation(void **state)
{
	(void)state;
	const struct ticket_op op = {
	    .id = 1ull << 40,
	    .attempt = 3,
	    .verb = TICKET_UPDATE,
	    .priority = 2,
	    .destination = SLICE("default"),
	    .incident = SLICE("01KB"),
	    .key = SLICE("car:Q"),
	    .facts = SLICE("{}"),
	};
	struct buf out = {0};
	ticket_op_encode(&op, &out);
	struct ticket_op back;
	assert_true(ticket_op_decode(buf_slice(&out), &back));
	assert_int_equal(back.id, op.id);
	assert_int_equal(back.attempt, 3);
	assert_int_equal(back.verb, TICKET_UPDATE);
	assert_int_equal(back.priority, 2);
	assert_true(slice_eq(back.destination, op.destination));
	assert_true(slice_eq(back.key, op.key));
	assert_null(back.ticket.p);
	assert_true(slice_eq(back.facts, op.facts));
	for (size_t n = 0; n < out.n; n++)
		assert_false(ticket_op_decode(slice_of(out.p, n), &back));
	buf_u8(&out, 0);
	assert_false(ticket_op_decode(buf_slice(&out), &back));
	out.n--;
	out.p[1] = 100; /* verb */
	assert_false(ticket_op_decode(buf_slice(&out), &back));
	buf_free(&out);
}

static void result(void **state)
{
	(void)state;
	const struct ticket_result res = {
	    .id = 9,
	    .attempt = 1,
	    .verb = TICKET_CREATE,
	    .outcome = TICKET_RETRY,
	    .cls = TICKET_CLASS_THROTTLE,
	    .status = 429,
	    .retry_after = 30 * SECOND,
	    .ticket = SLICE("17"),
	    .message = SLICE("too many requests"),
	    .hits = 2,
	    .others = SLICE("18 19"),
	};
	struct buf out = {0};
	ticket_result_encode(&res, &out);
	struct ticket_result back;
	assert_true(ticket_result_decode(buf_slice(&out), &back));
	assert_int_equal(back.outcome, TICKET_RETRY);
	assert_int_equal(back.cls, TICKET_CLASS_THROTTLE);
	assert_int_equal(back.status, 429);
	assert_int_equal(back.retry_after, 30 * SECOND);
	assert_int_equal(back.hits, 2);
	assert_true(slice_eq(back.others, res.others));
	assert_true(slice_eq(back.message, res.message));
	assert_null(back.url.p);
	for (size_t n = 0; n < out.n; n++)
		assert_false(ticket_result_decode(slice_of(out.p, n), &back));
	out.p[2] = 50; /* outcome */
	assert_false(ticket_result_decode(buf_slice(&out), &back));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words),
	    cmocka_unit_test(operation),
	    cmocka_unit_test(result),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
