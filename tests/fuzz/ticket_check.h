/* What must hold of every request and result of the ticket adapter, whatever the profile and the answers
 * were. */
#ifndef TICKET_CHECK_H
#define TICKET_CHECK_H

#include "base/json.h"
#include "plugins/tickets/adapter.h"

#define CHECK_BASE   "https://tickets.example"
#define CHECK_SECRET "s3cr3t-of-the-connection"

static inline void check_request(const struct ticket_request *r)
{
	struct error err;
	if (strcmp(r->method, "WRITE") == 0)
		return;
	BUG_ON(strncmp(r->url, CHECK_BASE "/", sizeof CHECK_BASE) != 0 && strcmp(r->url, CHECK_BASE) != 0);
	for (const char *c = r->url; *c != '\0'; c++)
		BUG_ON(*c <= ' ' || *c >= 0x7f || *c == '#');
	for (const char *const *h = r->headers; *h != NULL; h++)
		for (const char *c = *h; *c != '\0'; c++)
			BUG_ON((unsigned char)*c < ' ' || *c == 0x7f);
	if (r->body.p == NULL)
		return;
	for (const char *const *h = r->headers; *h != NULL; h++)
		if (strcmp(*h, "Content-Type: application/x-www-form-urlencoded") == 0)
			return;
	struct arena *a = arena_new(0);
	BUG_ON(json_parse(a, r->body, (struct json_limits){512, 1000000}, NULL, &err) == NULL);
	arena_free(a);
}

static inline void check_result(const struct ticket_result *r)
{
	struct ticket_result back;
	struct buf b = {0};
	BUG_ON(slice_contains(r->message, SLICE(CHECK_SECRET)));
	for (size_t i = 0; i < r->message.n; i++)
		BUG_ON((unsigned char)r->message.p[i] < ' ');
	BUG_ON(r->retry_after < 0 || r->retry_after > DAY);
	if (r->outcome == TICKET_DONE && r->verb == TICKET_FIND)
		BUG_ON(r->hits == 0);
	if (r->outcome == TICKET_DONE && (r->verb == TICKET_FIND || r->verb == TICKET_CREATE))
		BUG_ON(r->ticket.n == 0);
	ticket_result_encode(r, &b);
	BUG_ON(!ticket_result_decode(buf_slice(&b), &back) || back.outcome != r->outcome);
	buf_free(&b);
}

/* Ends: an operation after a login, a look, its steps, itself twice and reading back; a list after its pages;
 * a check after the life of a ticket. `hidden` may not stand in an address (NULL: it may, because the other
 * side said it). */
static inline void check_talk(const struct ticket_connection *c, enum ticket_verb verb, struct slice facts,
                              const char *hidden, const struct ticket_answer *answers, size_t n_answers)
{
	const struct ticket_op op = {
	    .id = 1,
	    .attempt = 1,
	    .verb = verb,
	    .key = SLICE("car:KEY"),
	    .ticket =
	        verb == TICKET_FIND || verb == TICKET_CREATE || verb >= TICKET_POLL ? SLICE_NONE : SLICE("7"),
	    .facts = facts};
	struct ticket_talk *t = ticket_talk_new(c, &op);
	struct ticket_request req;
	struct ticket_result res;
	size_t n = 0;
	while (ticket_talk_next(t, &req, &res) == TALK_REQUEST) {
		check_request(&req);
		BUG_ON(hidden != NULL && strstr(req.url, hidden) != NULL);
		ticket_talk_answer(t, &answers[n % n_answers]);
		BUG_ON(++n > (verb >= TICKET_POLL ? 200 : 12));
	}
	check_result(&res);
	ticket_talk_free(t);
}

#endif
