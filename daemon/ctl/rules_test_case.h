/* One test of a rule file while it runs. Private to rules_test*.c. */
#ifndef CARILLON_CTL_RULES_TEST_CASE_H
#define CARILLON_CTL_RULES_TEST_CASE_H

#include "ctl/rules_test.h"

/* An event of the test as it was fed; values live in the case's arena. */
struct past_event {
	struct past_event *next;
	size_t number;                /* from 1, in order of time */
	duration at;
	struct fields raw, decoded;   /* before the decoders, and with the service resolved */
	bool dropped;
};

struct case_ticket {
	struct case_ticket *next;
	struct slice key, id, state, priority, merged_into;
	bool gone;
};

struct test_case {
	const struct rule_set *rules;
	const struct rules_test_options *o;
	const struct rule_test *test;
	struct config config;         /* a copy with a ticket connection */
	struct arena *arena;
	struct matcher *matcher;
	struct engine *engine;
	struct service_map *map;
	struct buf map_bytes;
	struct effects fx;
	struct evt_batch batch;
	instant start;
	uint64_t seq;
	size_t n_events;
	bool *takes_part;             /* by rule number */
	struct past_event *first, *last;
	struct case_ticket *tickets;
	size_t n_tickets;
	struct buf *why;              /* what failed, as shown */
};

/* rules_test_input.c: everything up to and including `at`. False: the test cannot go on, *why says so. */
bool case_input(struct test_case *c, const struct node *input, duration at, uint32_t repetition);
bool case_advance(struct test_case *c, duration at);
bool case_map(struct test_case *c, const struct node *map);   /* compiles; a running engine gets it as an input */
/* "90s" of a node that the loader has checked. */
duration case_duration(const struct node *n);

/* rules_test_ticket.c: "every ticket operation succeeds at once" */
bool case_answer(struct test_case *c);
/* What a person did to a ticket; it is told as a webhook of a ticket system would. False: *why says what is wrong. */
bool case_person(struct test_case *c, const struct node *ticket, duration at);
void case_step(struct test_case *c, instant at, uint16_t kind, struct slice payload, const struct engine_setup *setup);

/* rules_test_expect.c */
void case_expect(struct test_case *c, const struct node *expect, duration at);
/* rules_test_because.c: the decoders' work on an event as JSON (matcher_explain's "decoders"); lives in the case. */
const struct json *case_decoders(struct test_case *c, const struct fields *raw, struct slice rule);
/* Why this rule did not count more, if an event shows it. */
void case_because(struct test_case *c, struct slice rule);

#endif
