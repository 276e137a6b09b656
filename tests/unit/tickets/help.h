/* A profile from text or from the shipped file, a connection, and answers as text. */
#ifndef TICKETS_HELP_H
#define TICKETS_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "plugins/tickets/adapter.h"

#define FACTS                                                                                                \
	"{\"incident\":{\"id\":\"01KB\",\"dedup_key\":\"car:K1\",\"title\":\"t\",\"body\":\"b\","            \
	"\"priority\":\"P1\","                                                                               \
	"\"severity\":\"critical\",\"ci\":\"\",\"tags\":\"a b\",\"assign\":\"NET\",\"count\":3},"            \
	"\"note\":{\"text\":\"n\"},\"ticket\":{\"id\":\"7\",\"version\":\"\\\"v1\\\"\"},\"parent\":{\"id\":" \
	"\"\"}}"

struct bench {
	struct ticket_profile *profile;
	struct ticket_connection connection;
	const char *conf_keys[4], *conf_values[4], *secret_keys[1];
	struct slice secret_values[1];
};

static inline struct ticket_profile *load_text(const char *text, struct buf *messages)
{
	struct findings f = {0};
	struct ticket_profile *p = ticket_profile_load("t.yaml", slice_str(text), &f);
	assert_true((p == NULL) == (f.errors > 0));
	findings_sort(&f);
	if (messages != NULL)
		findings_text(&f, messages);
	else if (p == NULL)
		print_error("%s\n", f.v[0].message);
	findings_clear(&f);
	return p;
}

static inline struct ticket_profile *load_file(const char *path)
{
	static char text[1 << 16];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = '\0';
	return load_text(text, NULL);
}

static inline void bench_init(struct bench *b, struct ticket_profile *p)
{
	assert_non_null(p);
	*b = (struct bench){.profile = p,
	                    .conf_keys = {"base", "queue", "assign_field"},
	                    .conf_values = {"https://rt.example/sub/", "Inc'", "Group"},
	                    .secret_keys = {"token"},
	                    .secret_values = {SLICE("s3cr3t-token\n")}};
	b->connection = (struct ticket_connection){.profile = p,
	                                           .conf_keys = b->conf_keys,
	                                           .conf_values = b->conf_values,
	                                           .n_conf = 3,
	                                           .secret_keys = b->secret_keys,
	                                           .secret_values = b->secret_values,
	                                           .n_secrets = 1};
}

static inline struct ticket_talk *begin(const struct bench *b, enum ticket_verb verb, const char *facts)
{
	const struct ticket_op op = {.id = 9,
	                             .attempt = 2,
	                             .verb = verb,
	                             .key = SLICE("car:K1"),
	                             .facts = slice_str(facts),
	                             .ticket = verb == TICKET_FIND || verb == TICKET_CREATE ? SLICE_NONE
	                                                                                    : SLICE("7")};
	return ticket_talk_new(&b->connection, &op);
}

static inline struct ticket_request expect_request(struct ticket_talk *t)
{
	struct ticket_request req = {0};
	struct ticket_result res = {0};
	if (ticket_talk_next(t, &req, &res) != TALK_REQUEST)
		fail_msg("no request: " SLICE_FMT, SLICE_ARG(res.message));
	return req;
}

static inline struct ticket_result expect_result(struct ticket_talk *t, enum ticket_outcome o,
                                                 enum ticket_class cls)
{
	struct ticket_request req = {0};
	struct ticket_result res = {0};
	if (ticket_talk_next(t, &req, &res) != TALK_RESULT)
		fail_msg("one more request: %s %s", req.method, req.url);
	if (res.outcome != o || res.cls != cls)
		fail_msg("%s/%s: " SLICE_FMT, ticket_outcome_word(res.outcome), ticket_class_word(res.cls),
		         SLICE_ARG(res.message));
	assert_int_equal(res.id, 9);
	assert_int_equal(res.attempt, 2);
	assert_false(slice_contains(res.message, SLICE("s3cr3t")));
	assert_null(res.message.n > 0 ? memchr(res.message.p, '\n', res.message.n) : NULL);
	return res;
}

static inline void reply_with(struct ticket_talk *t, int status, const char *headers, const char *body)
{
	const struct ticket_answer a = {
	    .status = status, .sent = true, .headers = slice_str(headers), .body = slice_str(body)};
	ticket_talk_answer(t, &a);
}

static inline void no_reply(struct ticket_talk *t, bool sent)
{
	const struct ticket_answer a = {.sent = sent, .failure = "connection reset"};
	ticket_talk_answer(t, &a);
}

static inline const char *header_of(const struct ticket_request *r, const char *prefix)
{
	for (const char *const *h = r->headers; *h != NULL; h++)
		if (strncmp(*h, prefix, strlen(prefix)) == 0)
			return *h;
	return NULL;
}

#endif
