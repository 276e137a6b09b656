#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/evt.h"
#include "model/frame.h"

#define assert_slice(got, want) assert_true(slice_is((got), (want)))

static const struct ulid some_id = {.b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static void crc_vectors(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
	unsigned char zero[32] = {0};
	assert_int_equal(crc32c(0, zero, sizeof zero), 0x8a9136aau); /* RFC 3720 B.4 */
	/* in two parts, whatever the alignment */
	const char *text = "the quick brown fox jumps over the lazy dog";
	size_t n = strlen(text);
	for (size_t cut = 0; cut <= n; cut++)
		assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, n - cut), crc32c(0, text, n));
}

static void field_names(void **state)
{
	(void)state;
	for (int i = 1; i < FIELD_CORE_MAX; i++)
		assert_int_equal(field_core(slice_str(field_name((enum field_id)i))), i);
	assert_int_equal(field_core(SLICE("hosts")), FIELD_NONE);
	assert_int_equal(field_core(SLICE("")), FIELD_NONE);
	assert_true(field_read_only(FIELD_SENDER));
	assert_true(field_read_only(FIELD_TIME));
	assert_false(field_read_only(FIELD_HOST));
	assert_int_equal(field_type(FIELD_SENDER), VALUE_IP);
	assert_int_equal(field_type(FIELD_RECEIVED), VALUE_TIME);
	assert_int_equal(field_type(FIELD_MESSAGE), VALUE_TEXT);
	static const char *const good[] = {"a", "used_pct", "snmp.var.ifDescr", "body.labels.Some-Key",
	                                   "x.1"};
	static const char *const bad[] = {"",     "A",   "1a",  "a.",    ".a",
	                                  "a..b", "a b", "a-b", "x.a b", "x.\xc3\xa9"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(field_valid(slice_str(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(field_valid(slice_str(bad[i])));
	assert_true(field_open(SLICE("x.a")));
	assert_true(field_open(SLICE("syslog.pid")));
	assert_false(field_open(SLICE("x.")));
	assert_false(field_open(SLICE("alert.rule")));
}

static void fields_by_name(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct fields f;
	fields_init(&f, a);
	f.limit = 2;
	assert_true(fields_set_lower(&f, FIELD_HOST, SLICE("SW-1.Example.NET")));
	assert_slice(value_slice(fields_get(&f, FIELD_HOST)), "sw-1.example.net");
	assert_slice(value_slice(fields_get_name(&f, SLICE("host"))), "sw-1.example.net");
	assert_true(fields_set_named(&f, SLICE("app"), SLICE("sshd"), VALUE_TEXT));
	assert_slice(value_slice(fields_get(&f, FIELD_APP)), "sshd");
	assert_true(fields_set_named(&f, SLICE("x.a"), SLICE("1"), VALUE_NUMBER));
	assert_true(fields_set_named(&f, SLICE("x.b"), SLICE("2"), VALUE_NUMBER));
	assert_false(fields_set_named(&f, SLICE("x.c"), SLICE("3"), VALUE_NUMBER));
	assert_true(fields_set_named(&f, SLICE("x.a"), SLICE("4"), VALUE_TEXT)); /* replaced: no new one */
	assert_slice(value_slice(fields_get_name(&f, SLICE("x.a"))), "4");
	assert_true(fields_set_named(&f, SLICE("x.a"), SLICE(""), VALUE_TEXT)); /* empty: gone */
	assert_null(fields_get_name(&f, SLICE("x.a")).p);
	assert_int_equal(f.n_named, 1);
	assert_true(fields_set_named(&f, SLICE("x.c"), SLICE("3"), VALUE_NUMBER));
	assert_true(fields_set(&f, FIELD_APP, SLICE_NONE));
	assert_null(fields_get(&f, FIELD_APP).p);
	fields_free(&f);
	arena_free(a);
}

static void tags_are_words(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct fields f;
	fields_init(&f, a);
	fields_add_tag(&f, "no-time");
	fields_add_tag(&f, "time");
	fields_add_tag(&f, "no-time");
	assert_slice(value_slice(fields_get(&f, FIELD_TAGS)), "no-time time");
	fields_free(&f);
	arena_free(a);
}

static void fill(struct fields *f)
{
	fields_set(f, FIELD_HOST, SLICE("sw-1"));
	fields_set(f, FIELD_SEVERITY, SLICE("critical"));
	fields_set(f, FIELD_STATE, SLICE("clear"));
	fields_set(f, FIELD_RECEIVED, SLICE("not stored"));
	fields_set(f, FIELD_MESSAGE, SLICE("a\0b"));
	fields_set_named(f, SLICE("x.z"), SLICE("last"), VALUE_TEXT);
	fields_set_named(f, SLICE("x.a"), SLICE("17"), VALUE_NUMBER);
	fields_set_named(f, SLICE("x.a.b"), SLICE("true"), VALUE_BOOL);
}

static void encode_and_read(void **state)
{
	(void)state;
	struct fields f, back;
	struct arena *a = arena_new(0);
	fields_init(&f, NULL);
	fields_init(&back, a);
	fill(&f);
	struct buf out = {0};
	buf_str(&out, "odd");
	evt_encode(&f, &some_id, 1500000, &out);
	assert_int_equal(out.n % 8, 0);
	struct error err;
	const struct evt *e = evt_check(slice_of(out.p + 8, out.n - 8), &err);
	assert_non_null(e);
	assert_int_equal(e->n_fields, 7);
	assert_memory_equal(&e->id, &some_id, sizeof some_id);
	assert_slice(value_slice(evt_get(e, FIELD_HOST)), "sw-1");
	assert_int_equal(evt_get(e, FIELD_HOST).p[4], 0);
	assert_int_equal(evt_get(e, FIELD_MESSAGE).n, 3);
	assert_null(evt_get(e, FIELD_APP).p);
	assert_slice(value_slice(evt_get_name(e, SLICE("x.a"))), "17");
	assert_int_equal(evt_get_name(e, SLICE("x.a")).type, VALUE_NUMBER);
	assert_slice(value_slice(evt_get_name(e, SLICE("x.z"))), "last");
	assert_slice(value_slice(evt_get_name(e, SLICE("severity"))), "critical");
	assert_null(evt_get_name(e, SLICE("x.b")).p);
	assert_int_equal(evt_severity(e), SEVERITY_CRITICAL);
	assert_int_equal(evt_state(e), STATE_CLEAR);

	evt_open(e, &back);
	assert_slice(value_slice(fields_get(&back, FIELD_RECEIVED)), "1970-01-01T00:00:01.5Z");
	assert_slice(value_slice(fields_get_name(&back, SLICE("x.a.b"))), "true");
	struct buf again = {0};
	evt_encode(&back, &some_id, 1500000, &again); /* one form only */
	assert_int_equal(again.n, e->size);
	assert_memory_equal(again.p, e, e->size);
	buf_free(&again);
	buf_free(&out);
	fields_free(&f);
	fields_free(&back);
	arena_free(a);
}

static void defaults_of_empty(void **state)
{
	(void)state;
	struct fields f;
	fields_init(&f, NULL);
	struct buf out = {0};
	evt_encode(&f, &some_id, 0, &out);
	struct error err;
	const struct evt *e = evt_check(buf_slice(&out), &err);
	assert_non_null(e);
	assert_int_equal(e->size, sizeof *e);
	assert_int_equal(evt_severity(e), SEVERITY_WARNING);
	assert_int_equal(evt_state(e), STATE_PROBLEM);
	buf_free(&out);
}

static void many_named(void **state)
{
	(void)state;
	struct fields f;
	fields_init(&f, NULL);
	f.limit = 1000;
	char names[600][8];
	for (size_t i = 0; i < 600; i++) {
		snprintf(names[i], sizeof names[i], "x.%zu", (i * 7) % 600);
		assert_true(fields_set_named(&f, slice_str(names[i]), slice_str(names[i]), VALUE_TEXT));
	}
	struct buf out = {0};
	evt_encode(&f, &some_id, 0, &out);
	struct error err;
	const struct evt *e = evt_check(buf_slice(&out), &err);
	assert_non_null(e);
	for (size_t i = 0; i < 600; i++)
		assert_slice(value_slice(evt_get_name(e, slice_str(names[i]))), names[i]);
	buf_free(&out);
	fields_free(&f);
}

/* Every single octet is covered by the checksum, and with a right checksum every damage of structure is seen.
 */
static void damage_is_seen(void **state)
{
	(void)state;
	struct fields f;
	fields_init(&f, NULL);
	fill(&f);
	struct buf out = {0};
	evt_encode(&f, &some_id, 99, &out);
	struct error err = {""};
	for (size_t i = 0; i < out.n; i++) {
		out.p[i] = (char)(out.p[i] ^ 0x10);
		assert_null(evt_check(buf_slice(&out), &err));
		out.p[i] = (char)(out.p[i] ^ 0x10);
	}
	assert_non_null(strstr(err.text, "damaged"));
	for (size_t n = 0; n < out.n; n++)
		assert_null(evt_check(slice_of(out.p, n), NULL));
	struct evt *e = (struct evt *)(void *)out.p;
	struct evt_field *field = (struct evt_field *)(void *)(e + 1);
	const size_t table = e->n_fields * sizeof *field;
	size_t refused = 0;
	for (size_t i = 0; i < table; i++) {
		unsigned char *at = (unsigned char *)field + i;
		*at ^= 0x01;
		e->checksum = 0;
		e->checksum = crc32c(0, e, e->size);
		const struct evt *got = evt_check(buf_slice(&out), NULL);
		refused += got == NULL;
		*at ^= 0x01;
	}
	/* all but the low octets of type and of the order-preserving ids change the structure */
	assert_true(refused > table - 3 * e->n_fields);
	buf_free(&out);
	fields_free(&f);
}

static void json_of_fields(void **state)
{
	(void)state;
	struct fields f;
	fields_init(&f, NULL);
	fields_set(&f, FIELD_HOST, SLICE("h\"1"));
	fields_set_named(&f, SLICE("n.a"), SLICE("-1.5e3"), VALUE_NUMBER);
	fields_set_named(&f, SLICE("n.b"), SLICE("007"), VALUE_NUMBER);
	fields_set_named(&f, SLICE("n.c"), SLICE("18446744073709551615"), VALUE_NUMBER);
	fields_set_named(&f, SLICE("n.d"), SLICE("1."), VALUE_NUMBER);
	fields_set_named(&f, SLICE("b"), SLICE("true"), VALUE_BOOL);
	struct buf out = {0};
	struct jw w = jw_new(&out);
	jw_object(&w);
	fields_json(&f, &w);
	jw_end(&w);
	assert_string_equal(buf_cstr(&out), "{\"host\":\"h\\\"1\",\"n.a\":-1.5e3,\"n.b\":\"007\","
	                                    "\"n.c\":18446744073709551615,\"n.d\":\"1.\",\"b\":true}");
	buf_free(&out);
	fields_free(&f);
}

static void batch_is_bounded(void **state)
{
	(void)state;
	struct evt_batch b;
	evt_batch_init(&b);
	b.max = 3;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++) {
			struct fields *f = evt_batch_add(&b);
			assert_non_null(f);
			assert_null(fields_get(f, FIELD_HOST).p);
			assert_int_equal(f->n_named, 0);
			fields_set(f, FIELD_HOST, SLICE("h"));
			fields_set_named(f, SLICE("x.a"), SLICE("1"), VALUE_TEXT);
		}
		assert_null(evt_batch_add(&b));
		for (int i = 0; i < 200; i++)
			evt_batch_note(&b, 7, "%0600d", i);
		assert_int_equal(b.n_notes, 100);
		assert_int_equal(strlen(b.notes[0].text), sizeof b.notes[0].text - 1);
		assert_true(slice_ends(slice_str(b.notes[0].text), SLICE("...")));
		assert_string_equal(b.notes[99].text, "further remarks are left out");
		evt_batch_reset(&b);
		assert_int_equal(b.n, 0);
	}
	evt_batch_free(&b);
}

static void frame_round(const uint32_t *hits, size_t n_hits)
{
	struct fields f;
	fields_init(&f, NULL);
	fill(&f);
	struct buf one = {0}, out = {0};
	evt_encode(&f, &some_id, 5, &one);
	const struct evt *e = (const struct evt *)(const void *)one.p;
	event_frame_encode(7, 2, 1234567890123u, hits, n_hits, e, &out);
	struct event_frame back;
	assert_true(event_frame_decode(buf_slice(&out), &back));
	assert_int_equal(back.head->generation, 7);
	assert_int_equal(back.head->intake, 2);
	assert_int_equal(back.head->intake_seq, 1234567890123u);
	assert_int_equal(back.head->n_hits, n_hits);
	if (n_hits > 0)
		assert_memory_equal(back.hits, hits, n_hits * sizeof *hits);
	assert_int_equal(back.evt->size, e->size);
	assert_memory_equal(back.evt, e, e->size);
	for (size_t n = 0; n < out.n; n++)
		assert_false(event_frame_decode(slice_of(out.p, n), &back));
	buf_u64(&out, 0); /* something behind the event */
	assert_false(event_frame_decode(buf_slice(&out), &back));
	out.n -= 8;
	out.p[4] = (char)0xff; /* n_hits */
	out.p[7] = (char)0xff;
	assert_false(event_frame_decode(buf_slice(&out), &back));
	buf_free(&one);
	buf_free(&out);
	fields_free(&f);
}

static void frames(void **state)
{
	(void)state;
	static const uint32_t hits[] = {3, 4, 9};
	for (size_t n = 0; n <= 3; n++)
		frame_round(hits, n);
}

static void frame_hits_ascend(void **state)
{
	(void)state;
	static const uint32_t hits[] = {4, 3};
	struct fields f;
	fields_init(&f, NULL);
	struct buf one = {0}, out = {0};
	evt_encode(&f, &some_id, 5, &one);
	event_frame_encode(1, 0, 1, hits, 2, (const struct evt *)(const void *)one.p, &out);
	struct event_frame back;
	assert_false(event_frame_decode(buf_slice(&out), &back));
	buf_free(&one);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crc_vectors),
	    cmocka_unit_test(field_names),
	    cmocka_unit_test(fields_by_name),
	    cmocka_unit_test(tags_are_words),
	    cmocka_unit_test(encode_and_read),
	    cmocka_unit_test(many_named),
	    cmocka_unit_test(defaults_of_empty),
	    cmocka_unit_test(damage_is_seen),
	    cmocka_unit_test(json_of_fields),
	    cmocka_unit_test(batch_is_bounded),
	    cmocka_unit_test(frames),
	    cmocka_unit_test(frame_hits_ascend),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
