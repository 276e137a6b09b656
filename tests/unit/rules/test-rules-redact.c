/* Redaction: of an event's texts, and of octets that must still decode afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/redact.h"

static struct redact *redactor(void)
{
	static char pattern[] = "(?i)(password|token|secret)=\\S+";
	char *v[] = {pattern};
	struct config c = {.redact = v, .n_redact = 1};
	struct error err;
	struct redact *r = redact_new(&c, &err);

	assert_non_null(r);
	return r;
}

static void octets(enum redact_form form, const char *in, const char *want)
{
	struct redact *r = redactor();
	struct arena *a = arena_new(0);
	struct slice out = redact_octets(r, form, slice_str(in), a);

	if (want == NULL)
		assert_null(out.p);
	else if (!slice_is(out, want))
		fail_msg("%s became " SLICE_FMT ", not %s", in, SLICE_ARG(out), want);
	redact_free(r);
	arena_free(a);
}

static void texts(void **state)
{
	(void)state;
	octets(REDACT_TEXT, "nothing here", "nothing here");
	octets(REDACT_TEXT, "login password=abc of x TOKEN=1 end", "login password=*** of x TOKEN=*** end");
	octets(REDACT_TEXT, "<1>1 - - - - - [a b=\"token=xyz\" c=\"d\"] m",
	       "<1>1 - - - - - [a b=\"token=***\" c=\"d\"] m");
	octets(REDACT_TEXT, "a \"quoted secret=", "a \"quoted secret=");
	octets(REDACT_TEXT, "\"secret=\\\"x\" y", "\"secret=***\" y");
}

static void bodies(void **state)
{
	(void)state;
	octets(REDACT_BODY, "{\"text\":\"token=abc\",\"x\":1}", "{\"text\":\"token=***\",\"x\":1}");
	octets(REDACT_BODY, "{\"a\":\"password=a b\",\"c\":\"secret=d\"}",
	       "{\"a\":\"password=*** b\",\"c\":\"secret=***\"}");
	octets(REDACT_BODY, "payload=%7B%22password%3Dabc%22%7D", NULL);
	octets(REDACT_BODY, "a=100%25", "a=100%25");
}

/* SEQUENCE { INTEGER version, OCTET STRING "public", OCTET STRING text } */
static struct slice message(struct arena *a, unsigned char version, const char *text)
{
	struct buf b = {0};
	size_t n = strlen(text);
	struct slice s;

	buf_u8(&b, 0x30);
	buf_u8(&b, (uint8_t)(3 + 8 + 2 + n));
	buf_add(&b, "\x02\x01", 2);
	buf_u8(&b, version);
	buf_add(&b, "\x04\x06public\x04", 9);
	buf_u8(&b, (uint8_t)n);
	buf_str(&b, text);
	s = arena_slice(a, buf_slice(&b));
	buf_free(&b);
	return s;
}

static void ber(void **state)
{
	struct redact *r = redactor();
	struct arena *a = arena_new(0);
	(void)state;

	assert_true(slice_eq(redact_octets(r, REDACT_BER, message(a, 1, "a token=abc0 b"), a),
	                     message(a, 1, "a token=**** b")));
	assert_true(slice_eq(redact_octets(r, REDACT_BER, message(a, 1, "no such thing"), a),
	                     message(a, 1, "no such thing")));
	assert_null(redact_octets(r, REDACT_BER, message(a, 3, "a token=abc0 b"), a).p);
	assert_non_null(redact_octets(r, REDACT_BER, message(a, 3, "no such thing"), a).p);
	/* damaged lengths end the walk */
	for (size_t n = 1; n < 24; n++)
		(void)redact_octets(r, REDACT_BER, slice_sub(message(a, 1, "a token=abc0 b"), 0, n), a);
	(void)redact_octets(r, REDACT_BER, SLICE("\x30\x84\xff\xff\xff\xff\x04"), a);
	redact_free(r);
	arena_free(a);
}

static void fields(void **state)
{
	struct redact *r = redactor();
	struct arena *a = arena_new(0);
	struct fields f;
	(void)state;

	fields_init(&f, a);
	fields_set(&f, FIELD_MESSAGE, SLICE("password=\"abc def"));
	assert_true(fields_set_named(&f, SLICE("x.y"), SLICE("secret=1 z"), VALUE_TEXT));
	redact_fields(r, &f);
	assert_true(slice_is(value_slice(fields_get(&f, FIELD_MESSAGE)), "password=*** def"));
	assert_true(slice_is(value_slice(fields_get_name(&f, SLICE("x.y"))), "secret=*** z"));
	fields_free(&f);
	redact_free(r);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts), cmocka_unit_test(bodies),
	                                   cmocka_unit_test(ber), cmocka_unit_test(fields)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
