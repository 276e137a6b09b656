/* Ticket operations and their results as values: what core hands to egress and what comes back. tickets.md. */
#ifndef CARILLON_MODEL_TICKET_H
#define CARILLON_MODEL_TICKET_H

#include "base/buf.h"
#include "base/instant.h"
#include "base/slice.h"

/* In the journal by number: new ones go to the end. CHECK is no operation of a profile but the whole life of a trial ticket
 * (tickets.md "tickets check"). */
enum ticket_verb {
	TICKET_FIND, TICKET_CREATE, TICKET_GET, TICKET_UPDATE, TICKET_NOTE, TICKET_ACKNOWLEDGE, TICKET_RESOLVE, TICKET_REOPEN,
	TICKET_LINK_PARENT, TICKET_POLL, TICKET_CHANGES, TICKET_CHECK
};

/* What the framework does next; the adapter never retries by itself. */
enum ticket_outcome {
	TICKET_DONE,      /* it is so now, read back where the profile can */
	TICKET_ABSENT,    /* find: no such ticket; get/update: gone */
	TICKET_RETRY,     /* nothing happened; try again later (transient, throttle, auth, conflict) */
	TICKET_REFUSED,   /* will never work as it is (config): dead letter */
	TICKET_UNCERTAIN  /* may have happened: search before anything else */
};
/* Error classes of tickets.md */
enum ticket_class { TICKET_CLASS_OK, TICKET_CLASS_AUTH, TICKET_CLASS_CONFIG, TICKET_CLASS_CONFLICT, TICKET_CLASS_THROTTLE, TICKET_CLASS_TRANSIENT, TICKET_CLASS_GONE, TICKET_CLASS_UNKNOWN };

const char *ticket_verb_word(enum ticket_verb v);
bool ticket_verb_parse(struct slice s, enum ticket_verb *out);
const char *ticket_outcome_word(enum ticket_outcome o);
const char *ticket_class_word(enum ticket_class c);
bool ticket_class_parse(struct slice s, enum ticket_class *out);

/* An operation. `facts` is a JSON object {"incident": {…}, "note": {"text": …}, "ticket": {"id": …, "version": …},
 * "parent": {"id": …}, "cursor": …} with the names of tickets.md: what the profile's templates read besides conf and
 * secret. `cursor` is for poll and changes: what the last result said, or RFC 3339 text since when, for the first time. */
struct ticket_op {
	uint64_t id;               /* outbox operation, unique for ever in this instance; the same op repeated keeps it */
	uint32_t attempt;          /* 1, 2, … */
	enum ticket_verb verb;
	int priority;              /* 1..5: creates before updates, P1 before P5 */
	struct slice destination;  /* ticket connection name */
	struct slice incident;     /* ULID text, for logs */
	struct slice key;          /* dedup key */
	struct slice ticket;       /* the ticket's id; absent for find and create */
	struct slice facts;
};

struct ticket_result {
	uint64_t id;
	uint32_t attempt;
	enum ticket_verb verb;
	enum ticket_outcome outcome;
	enum ticket_class cls;
	int status;                /* HTTP, 0: no reply */
	duration retry_after;      /* 0: none said */
	struct slice ticket;       /* id found or created */
	struct slice version;      /* opaque, for optimistic locking */
	struct slice state;        /* as mapped by state_in: open resolved wontfix gone; or absent */
	struct slice url;          /* for people */
	struct slice message;      /* one line for people: what was refused and a hint */
	uint32_t hits;             /* find: how many verified tickets carry the key */
	struct slice others;       /* find: further ids, separated by spaces */
	struct slice records;      /* get, poll: ticket_seen; changes: ticket_planned; one behind the other */
	struct slice cursor;       /* poll, changes: the next op's, also if it is the same again */
};

/* What a ticket system says about one ticket. A get has one of them, with the id that answered: another than the one asked
 * for means that it was merged into that one. A poll has them in the order of the ticket system; the same state may come
 * twice, because cursors overlap. Absent: not said, or not known to the profile's maps. */
struct ticket_seen {
	struct slice id;
	struct slice state;        /* open resolved wontfix gone */
	struct slice state_there;  /* the ticket system's own word */
	struct slice priority;     /* P1..P5, by the profile's map priority_in */
	struct slice assignee, merged_into;
	struct slice changed_by;   /* never our own account, where the profile can tell */
	struct slice at;           /* the ticket system's time, RFC 3339 if it could be read */
	struct slice cursor;
};
/* A planned change (a maintenance window to be). `services` and `cis` are lists separated by line ends. */
struct ticket_planned {
	struct slice id, title, starts, ends, services, cis, state;
};
void ticket_seen_encode(const struct ticket_seen *s, struct buf *out);
void ticket_planned_encode(const struct ticket_planned *p, struct buf *out);
/* Takes the first record off *rest; false at the end or when it is damaged (then *rest is not empty). */
bool ticket_seen_next(struct slice *rest, struct ticket_seen *s) MUST_CHECK;
bool ticket_planned_next(struct slice *rest, struct ticket_planned *p) MUST_CHECK;

/* Flat forms for channel and journal; the decoders borrow from the bytes and refuse what is damaged. */
void ticket_op_encode(const struct ticket_op *op, struct buf *out);
bool ticket_op_decode(struct slice bytes, struct ticket_op *op) MUST_CHECK;
void ticket_result_encode(const struct ticket_result *r, struct buf *out);
bool ticket_result_decode(struct slice bytes, struct ticket_result *r) MUST_CHECK;

#endif
