/* RELP, the server's side of one connection (intake.md section 7; librelp's doc/relp.html): frames, offers,
 * answers. Pure: bytes in, frames and the bytes to answer out. When an answer may leave is the caller's to
 * know: after the commit.
 *
 *   frame:   TXNR SP COMMAND SP DATALEN [SP DATA] LF      TXNR and DATALEN: 1 to 9 digits; COMMAND: 1 to 32
 * letters answer:  TXNR SP "rsp" SP DATALEN SP "200 OK" [LF offers] LF */
#ifndef CARILLON_RELP_RELP_H
#define CARILLON_RELP_RELP_H

#include "base/buf.h"
#include "base/slice.h"

struct relp {
	size_t max;   /* limits.event_size: what is longer is cut, and the rest skipped without being kept */
	size_t skip;  /* octets of a cut message still to be skipped */
	bool trailer; /* then comes the LF of its frame */
	bool open, dead; /* dead: of no use any more, `why` says it */
	uint64_t oversized;
	char why[96];
};

enum relp_step {
	RELP_MORE,    /* octets are missing, or were only skipped */
	RELP_MESSAGE, /* `message` is one syslog message; its answer is in `answers` */
	RELP_ANSWER,  /* nothing but an answer */
	RELP_END,     /* the session is over: send the answers and close */
	RELP_BROKEN   /* see why: close without a word, the client sends again what it has no answer for */
};

void relp_init(struct relp *r, size_t max);
/* One frame from the front of `in`; *used octets of it were taken. `message` points into `in`. Appends to
 * `answers`, in the order of the frames. */
enum relp_step relp_next(struct relp *r, struct slice in, size_t *used, struct slice *message,
                         struct buf *answers);

#endif
