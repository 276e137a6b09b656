/* One operation under way, private to talk.c and talk_result.c. */
#ifndef CARILLON_TICKETS_TALK_H
#define CARILLON_TICKETS_TALK_H

#include "plugins/tickets/profile.h"
#include "plugins/tickets/reply.h"

enum talk_phase {
	TALK_OPERATION, /* what was asked for */
	TALK_REFRESH,   /* get, because the version we had is old */
	TALK_READBACK,  /* get, to see whether the change was kept */
	TALK_ENDED
};

struct ticket_talk {
	const struct ticket_connection *connection;
	struct arena *arena;
	struct ticket_op op; /* lives in the arena */
	struct render render;
	enum talk_phase phase;
	bool refreshed;
	struct ticket_request request;
	struct ticket_result result;
};

/* Ends the talk. The message loses every secret of the connection. */
void talk_end(struct ticket_talk *t, enum ticket_outcome o, enum ticket_class cls, const char *fmt, ...)
    PRINTF(4, 5);
/* Of an answer whose class is not ok. */
void talk_failed(struct ticket_talk *t, enum ticket_class cls, const struct reply *r);
void talk_no_reply(struct ticket_talk *t, const struct ticket_answer *a);
/* The hits of a search. */
void talk_found(struct ticket_talk *t, const struct op *op, const struct reply *r);
/* Takes id, version, state of one record. */
void talk_take_record(struct ticket_talk *t, const struct op *op, const struct reply *r,
                      const struct json *item);
struct slice talk_state(const struct ticket_talk *t,
                        struct slice raw); /* through state_in; absent if unknown */

#endif
