/* One operation under way, private to the talk_*.c files. */
#ifndef CARILLON_TICKETS_TALK_H
#define CARILLON_TICKETS_TALK_H

#include "plugins/tickets/profile.h"
#include "plugins/tickets/record.h"
#include "plugins/tickets/reply.h"

enum talk_phase {
	TALK_LOGIN,     /* a token for the connection */
	TALK_LOOK,      /* get, because the operation depends on the ticket's state */
	TALK_STEP,      /* what goes before */
	TALK_OPERATION, /* what was asked for */
	TALK_THEN,      /* get, of one record of a list */
	TALK_REFRESH,   /* get, because the version we had is old */
	TALK_READBACK,  /* get, to see whether the change was kept */
	TALK_CHECK,     /* another talk, of a check */
	TALK_ENDED
};

struct talk_check;

struct ticket_talk {
	const struct ticket_connection *connection;
	struct arena *arena;
	struct ticket_op op; /* lives in the arena */
	struct render render;
	enum talk_phase phase, resume; /* resume: behind the login */
	const struct op *step;
	bool refreshed, renewed;
	bool made;                          /* the operation itself has succeeded */
	struct ticket_session *own_session; /* if the connection has none */
	struct values **list;
	size_t n_list, cap_list, at_list;
	int pages;
	struct slice cursor; /* behind what was listed */
	bool pruned;
	const char *next_url;
	duration rule_wait;
	struct talk_check *check;
	struct ticket_request request;
	struct ticket_result result;
};

/* The profile's operation or request that the phase is about. */
const struct op *talk_phase_op(const struct ticket_talk *t);
/* Makes the request of a phase, or ends the talk. */
void talk_enter(struct ticket_talk *t, enum talk_phase phase);
/* Ends the talk. The message loses every secret of the connection. */
void talk_end(struct ticket_talk *t, enum ticket_outcome o, enum ticket_class cls, const char *fmt, ...)
    PRINTF(4, 5);
/* Of an answer whose class is not ok. */
void talk_failed(struct ticket_talk *t, enum ticket_class cls, const struct reply *r);
void talk_no_reply(struct ticket_talk *t, const struct ticket_answer *a);
/* Takes id, version, state, address of one record. */
void talk_take_record(struct ticket_talk *t, const struct values *v);
/* talk_list.c: a page of a list; the record that `then: get` read; one that is not there */
void talk_listed(struct ticket_talk *t, const struct op *op, const struct reply *r);
void talk_item_read(struct ticket_talk *t, const struct op *get, const struct reply *r);
void talk_item_gone(struct ticket_talk *t);
/* Puts one record of a get into the result. */
void talk_put_seen(struct ticket_talk *t, const struct values *v);
/* talk_check.c */
void talk_check_begin(struct ticket_talk *t);
void talk_check_free(struct ticket_talk *t);
void talk_check_answer(struct ticket_talk *t, const struct ticket_answer *a);

#endif
