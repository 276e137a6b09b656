/* The frames that roles send each other, and the inputs that core journals: one numbering for both.
 * A frame is a header and a payload; a journal row is (sequence, instant, kind, payload). */
#ifndef CARILLON_MODEL_FRAME_H
#define CARILLON_MODEL_FRAME_H

#include <stdint.h>

#include "base/slice.h"
#include "model/evt.h"

struct frame {
	uint32_t size;   /* header and payload, multiple of 8 */
	uint16_t kind;   /* enum frame_kind */
	uint16_t flags;
	uint64_t seq;    /* meaning by kind: intake's own sequence for FRAME_EVENT, request id for commands */
};
#define FRAME_MAX (64u << 20)

enum frame_kind {
	FRAME_NONE,
	/* intake → core */
	FRAME_EVENT = 1,          /* struct event_payload */
	/* core → intake */
	FRAME_ACK = 2,            /* seq: everything up to here is on disk */
	/* core → egress, egress → core */
	FRAME_TICKET_OP = 3,      /* ticket_op_encode */
	FRAME_TICKET_RESULT = 4,  /* ticket_result_encode */
	/* mapper → core, intake (through the parent) */
	FRAME_MAP = 5,            /* JSON {"hash", "path"…}; the map itself comes as a file descriptor */
	/* front → core and back; front → intake (tail) */
	FRAME_COMMAND = 6,        /* JSON object {"do": "ack", …}; seq = request id */
	FRAME_REPLY = 7,          /* JSON object {"ok": true, …} or {"ok": false, "error", "status"} */
	FRAME_TAIL = 8,           /* front → intake: seq 1 start, 0 stop; intake → front: JSON of a decoded or refused event */
	/* parent ↔ role */
	FRAME_READY = 16,         /* role → parent: payload = empty, or an error sentence */
	FRAME_PEER = 17,          /* parent → role: a channel to another role follows as a file descriptor; payload JSON {"role","index"} */
	FRAME_SOURCES = 18,       /* parent → role: compile this; payload = sources, seq = generation */
	FRAME_COMPILED = 19,      /* role → parent: seq = generation, payload = empty or findings text */
	FRAME_SWAP = 20,          /* parent → role: run generation seq from now on */
	FRAME_STOP = 21,          /* parent → role: end cleanly */
	FRAME_RELOAD = 22,        /* front → parent: somebody asked for a reload; FRAME_REPLY comes back */
	FRAME_PING = 23,          /* parent → role and back: alive */
	FRAME_LISTEN = 24,        /* parent → role: a listening descriptor; payload JSON {"listener","bind"} */
	FRAME_MAP_STATE = 25,     /* mapper → parent → front: JSON {"ok","at","error","services"} */
	FRAME_SECRET = 26,        /* parent → role: reference and value (two lslices); role → parent: please read it again */
	FRAME_TICKET_HINT = 29,   /* intake → core: a ticket connection's name (lslice), ticket_seen records: somebody changed these */
	FRAME_RECORD = 27,        /* parent → intake: JSON {"rate","size"} with the next file, or {"stop"}; intake → parent: the next file, please; front → parent: JSON {"do"}, FRAME_REPLY comes back */
	FRAME_SHADOW = 28,        /* candidate rules (rules shadow): parent → core, intake: an encoded bundle, empty: no more; intake → core: struct event_payload, not acknowledged; front → parent: JSON {"do"}; front → core: the report, please; FRAME_REPLY comes back */
	FRAME_TICKET_FILE = 29,   /* egress → parent: a ticket connection whose conf.path is wanted; back: its name, the file as a descriptor */
	FRAME_TABLES = 31,        /* mapper → parent → intake: rows of the rules' Redis tables as a file descriptor (role_tables.h); none: they cannot be read, or there are none */
	FRAME_ASK = 32,           /* front → core: a question for engine_ask, seq = request id; FRAME_REPLY comes back */
	FRAME_SEND = 33,          /* front → intake: JSON array of events as rule tests write them, seq = request id; FRAME_REPLY comes back */
	/* inputs that exist only in the journal */
	INPUT_TICK = 64,          /* a deadline was due and no event came; empty */
	INPUT_RULES = 65,         /* rule set by hash: 64 hex */
	INPUT_MAP = 66,           /* map by hash: 64 hex */
	INPUT_RESUME = 67,        /* u64: microseconds of downtime; absence deadlines move by them */
	INPUT_START = 68          /* configuration hash; first row of an empty journal */
};

/* FRAME_EVENT's payload, also the journal's: generation and hits of the rule set that matched it, then the event. */
struct event_payload {
	uint32_t generation;
	uint32_t n_hits;      /* predicate numbers of that rule set (rules/rule_set.h), ascending */
	uint32_t intake;      /* which intake: its index in the low octet, above it an epoch that differs from process to process */
	uint32_t n_pad;
	uint64_t intake_seq;  /* core drops repeats by (intake, seq) */
	/* uint32_t hits[n_hits]; padding to 8; struct evt */
};
struct event_frame {
	const struct event_payload *head;
	const uint32_t *hits;
	const struct evt *evt;
};
void event_frame_encode(uint32_t generation, uint32_t intake, uint64_t intake_seq, const uint32_t *hits, size_t n_hits,
                        const struct evt *e, struct buf *out); /* out aligned to 8 */
bool event_frame_decode(struct slice payload, struct event_frame *out) MUST_CHECK; /* checks everything, evt included */

#endif
